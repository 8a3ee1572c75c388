/*
 * history.c
 *		The last requests, for a test to look at.
 *
 * Texts that look like a token, or have a key in them, are not even kept.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "history.h"
#include "settings.h"
#include "tokens.h"
#include "validate.h"

#define MASKED "***"
#define QUERY_SIZE 1024
#define TEXT_SIZE 256

typedef struct Entry
{
	const Operation *operation; /* NULL: none */
	char method[16];
	char path[TEXT_SIZE];
	char query[QUERY_SIZE]; /* name, NUL, value, NUL; nparams times */
	int nparams;
	char track_id[REQUEST_MAX_TRACK_ID + 1];
	char content_type[TEXT_SIZE]; /* empty: none */
	char user_agent[TEXT_SIZE];
	bool authorization;
	int status; /* 0: no answer */
	struct timespec time;
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Entry ring[HISTORY_KEPT];
static unsigned long added;

/* Cuts at the size; an absent text is an empty one. */
static void
copy(char *to, size_t size, const char *from)
{
	if (from == NULL)
		from = "";
	else if (tokens_like(from) || settings_has_key(from))
		from = MASKED;
	snprintf(to, size, "%s", from);
}

static void
copy_query(Entry *entry, const Request *request)
{
	size_t used = 0;

	entry->nparams = 0;
	for (int i = 0; i < request->nparams; i++)
	{
		const char *texts[] = {request->params[i].name,
							   request->params[i].value};
		size_t end = used;

		for (int j = 0; j < 2; j++)
		{
			copy(entry->query + end, QUERY_SIZE - end, texts[j]);
			end += strlen(entry->query + end) + 1;
			if (end >= QUERY_SIZE)
				return; /* cut, and so left out */
		}
		used = end;
		entry->nparams++;
	}
}

void
history_add(const Operation *operation, const Request *request,
			const Answer *answer)
{
	Entry *entry;

	pthread_mutex_lock(&lock);
	entry = &ring[added++ % HISTORY_KEPT];
	entry->operation = operation;
	copy(entry->method, sizeof(entry->method), request->method);
	copy(entry->path, sizeof(entry->path), request->path);
	copy_query(entry, request);
	copy(entry->track_id, sizeof(entry->track_id), request->track_id);
	copy(entry->content_type, sizeof(entry->content_type),
		 request->content_type);
	copy(entry->user_agent, sizeof(entry->user_agent), request->user_agent);
	entry->authorization = request->authorization != NULL;
	entry->status = answer->status;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &entry->time);
	pthread_mutex_unlock(&lock);
}

/* The bytes of a request need not be UTF-8; JSON must be. */
static const char *
readable(const char *text)
{
	return valid_utf8(text, strlen(text)) ? text : MASKED;
}

/* A header that is absent, or as good as absent, is null. */
static json_object *
header_json(const char *text)
{
	return *text == '\0' ? NULL : json_object_new_string(readable(text));
}

static json_object *
entry_json(const Entry *entry, const struct timespec *now)
{
	json_object *json = json_object_new_object();
	json_object *query = json_object_new_object();
	const char *at = entry->query;
	char age[32];

	for (int i = 0; i < entry->nparams; i++)
	{
		const char *value = at + strlen(at) + 1;

		json_object_object_add(query, readable(at),
							   json_object_new_string(readable(value)));
		at = value + strlen(value) + 1;
	}
	json_object_object_add(json, "method",
						   json_object_new_string(entry->method));
	json_object_object_add(json, "path",
						   json_object_new_string(readable(entry->path)));
	json_object_object_add(json, "query", query);
	json_object_object_add(json, "track_id", header_json(entry->track_id));
	json_object_object_add(json, "authorization",
						   json_object_new_boolean(entry->authorization));
	json_object_object_add(json, "content_type",
						   header_json(entry->content_type));
	json_object_object_add(json, "user_agent", header_json(entry->user_agent));
	json_object_object_add(
		json, "operation",
		entry->operation == NULL
			? NULL
			: json_object_new_string(entry->operation->name));
	json_object_object_add(json, "status", json_object_new_int(entry->status));
	snprintf(age, sizeof(age), "%.3f",
			 (double) (now->tv_sec - entry->time.tv_sec) +
				 (double) (now->tv_nsec - entry->time.tv_nsec) / 1e9);
	json_object_object_add(json, "age", json_object_new_double_s(0, age));
	return json;
}

/* The last so many, the latest first. */
json_object *
history_json(long last)
{
	json_object *json = json_object_new_object();
	json_object *list = json_object_new_array();
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	pthread_mutex_lock(&lock);
	for (unsigned long i = 0;
		 i < (unsigned long) last && i < added && i < HISTORY_KEPT; i++)
		json_object_array_add(
			list, entry_json(&ring[(added - 1 - i) % HISTORY_KEPT], &now));
	pthread_mutex_unlock(&lock);
	json_object_object_add(json, "requests", list);
	return json;
}

void
history_reset(void)
{
	pthread_mutex_lock(&lock);
	added = 0;
	pthread_mutex_unlock(&lock);
}
