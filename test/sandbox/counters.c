/*
 * counters.c
 *		What the sandbox has served.
 *
 * One mutex for all: it is held for a few instructions at a time.
 */
#include <pthread.h>
#include <string.h>

#include "calendar.h"
#include "counters.h"

typedef struct Counters
{
	int64_t total;
	int64_t operations[OPERATIONS];
	int64_t other; /* paths that are no operation's */
	int64_t charged;
	int64_t errors;
	int64_t connections;
	int64_t max_concurrent;
	int64_t today[OPERATIONS]; /* good answers of the day */
	long day;
} Counters;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Counters counters;
/* Not a counter: a reset must not forget the requests in flight. */
static int64_t in_flight;

void
counters_connection(void)
{
	pthread_mutex_lock(&lock);
	counters.connections++;
	pthread_mutex_unlock(&lock);
}

/* A request has arrived. */
void
counters_begin(void)
{
	pthread_mutex_lock(&lock);
	counters.total++;
	in_flight++;
	if (in_flight > counters.max_concurrent)
		counters.max_concurrent = in_flight;
	pthread_mutex_unlock(&lock);
}

/* Its answer has left, or its connection is gone. */
void
counters_end(void)
{
	pthread_mutex_lock(&lock);
	in_flight--;
	pthread_mutex_unlock(&lock);
}

/* The operation is NULL for a request that fits none. */
void
counters_served(const Operation *operation, bool good)
{
	pthread_mutex_lock(&lock);
	if (operation == NULL)
		counters.other++;
	else
		counters.operations[operation_index(operation)]++;
	if (!good)
		counters.errors++;
	else if (operation != NULL && operation->charged)
		counters.charged++;
	pthread_mutex_unlock(&lock);
}

/* Call with the lock held. */
static void
start_day(void)
{
	long day = calendar_today();

	if (day != counters.day)
	{
		memset(counters.today, 0, sizeof(counters.today));
		counters.day = day;
	}
}

/* Counts one more of today's good answers, unless the limit is reached. */
bool
counters_take_today(const Operation *operation, long limit)
{
	int64_t *today = &counters.today[operation_index(operation)];
	bool taken;

	pthread_mutex_lock(&lock);
	start_day();
	taken = limit <= 0 || *today < limit;
	if (taken)
		++*today;
	pthread_mutex_unlock(&lock);
	return taken;
}

int64_t
counters_today(const Operation *operation)
{
	int64_t today;

	pthread_mutex_lock(&lock);
	start_day();
	today = counters.today[operation_index(operation)];
	pthread_mutex_unlock(&lock);
	return today;
}

static void
add(json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

json_object *
counters_json(void)
{
	json_object *json = json_object_new_object();
	Counters now;
	int64_t handling;

	pthread_mutex_lock(&lock);
	now = counters;
	handling = in_flight;
	pthread_mutex_unlock(&lock);

	add(json, "total", now.total);
	for (int i = 0; i < OPERATIONS; i++)
		add(json, operations[i].name, now.operations[i]);
	add(json, "other", now.other);
	add(json, "charged", now.charged);
	add(json, "errors", now.errors);
	add(json, "connections", now.connections);
	add(json, "in_flight", handling);
	add(json, "max_concurrent", now.max_concurrent);
	return json;
}

void
counters_reset(void)
{
	pthread_mutex_lock(&lock);
	memset(&counters, 0, sizeof(counters));
	pthread_mutex_unlock(&lock);
}
