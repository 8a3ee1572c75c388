/*
 * settings.c
 *		How the sandbox behaves; may change while it runs.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

typedef struct Number
{
	const char *name;
	size_t offset; /* of a long in Settings */
	long max;
} Number;

/* The insides of a Number. */
#define NUMBER(field, max) #field, offsetof(Settings, field), max

/* Those that can be set by number; a switch is one from 0 to 1. */
static const Number numbers[] = {
	{NUMBER(delay_ms, SETTINGS_MAX_DELAY_MS)},
	{NUMBER(token_delay_ms, SETTINGS_MAX_DELAY_MS)},
	{NUMBER(token_ttl, SETTINGS_MAX_TTL)},
	{NUMBER(refresh_ttl, SETTINGS_MAX_TTL)},
	{NUMBER(daily_limit, SETTINGS_MAX_TTL)},
	{NUMBER(opaque_tokens, 1)},
	{NUMBER(echo_token, 1)},
	{NUMBER(refuse_refresh, 1)},
	{NUMBER(keep_alive, 1)},
	{NUMBER(fault_count, SETTINGS_MAX_TTL)},
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Settings settings; /* in force */
static Settings start;	  /* what a reset goes back to */

void
settings_defaults(Settings *to)
{
	memset(to, 0, sizeof(*to));
	strcpy(to->api_key, "sandbox-key");
	strcpy(to->secret_key, "sandbox-secret");
	to->token_ttl = 24 * 3600;
	to->refresh_ttl = 48 * 3600;
	to->keep_alive = 1;
}

void
settings_start(const Settings *from)
{
	start = *from;
	settings = *from;
}

void
settings_reset(void)
{
	pthread_mutex_lock(&lock);
	settings = start;
	pthread_mutex_unlock(&lock);
}

void
settings_get(Settings *to)
{
	pthread_mutex_lock(&lock);
	*to = settings;
	pthread_mutex_unlock(&lock);
}

/*
 * What to do with a request.  The operation is NULL for an inquiry that fits
 * none.  A fault that is limited in number is used up by being handed out.
 */
Orders
settings_orders(const Operation *operation, bool token, bool take_fault)
{
	Orders orders;

	pthread_mutex_lock(&lock);
	orders.fault = NULL;
	orders.delay_ms = token ? settings.token_delay_ms : settings.delay_ms;
	orders.daily_limit = settings.daily_limit;
	orders.echo_token = settings.echo_token != 0;
	orders.keep_alive = settings.keep_alive != 0;
	if (token && take_fault)
		orders.fault = settings.token_fault;
	else if (take_fault && settings.fault != NULL &&
			 (settings.fault_operation == NULL ||
			  settings.fault_operation == operation))
	{
		orders.fault = settings.fault;
		if (settings.fault_count > 0 && --settings.fault_count == 0)
			settings.fault = NULL;
	}
	pthread_mutex_unlock(&lock);
	return orders;
}

static bool
set_number(Settings *to, const char *name, const char *value)
{
	for (size_t i = 0; i < NUMBERS; i++)
	{
		char *end;
		long number;

		if (strcmp(numbers[i].name, name) != 0)
			continue;
		errno = 0;
		number = strtol(value, &end, 10);
		if (errno != 0 || end == value || *end != '\0' || number < 0 ||
			number > numbers[i].max)
			return false;
		memcpy((char *) to + numbers[i].offset, &number, sizeof(number));
		return true;
	}
	return false;
}

static bool
set_key(char *to, const char *value)
{
	if (*value == '\0' || strlen(value) >= SETTINGS_KEY_SIZE)
		return false;
	strcpy(to, value);
	return true;
}

/* An empty name means none. */
static bool
set_fault(const Fault **to, const char *value)
{
	*to = *value == '\0' ? NULL : fault_by_name(value);
	return *to != NULL || *value == '\0';
}

static bool
set_operation(const Operation **to, const char *value)
{
	*to = *value == '\0' ? NULL : operation_by_name(value);
	return *to != NULL || *value == '\0';
}

static bool
set_one(Settings *to, const char *name, const char *value)
{
	if (strcmp(name, "api_key") == 0)
		return set_key(to->api_key, value);
	if (strcmp(name, "secret_key") == 0)
		return set_key(to->secret_key, value);
	if (strcmp(name, "token_fault") == 0)
		return set_fault(&to->token_fault, value);
	if (strcmp(name, "fault") == 0)
		return set_fault(&to->fault, value);
	if (strcmp(name, "fault_operation") == 0)
		return set_operation(&to->fault_operation, value);
	return set_number(to, name, value);
}

/*
 * Sets what the request's parameters name, all or nothing.  NULL where that
 * is right, else the name of the parameter that is not.  A new fault starts
 * without count and operation, unless they come with it.
 */
const char *
settings_set(const Request *request)
{
	const char *wrong = NULL;
	Settings next;

	pthread_mutex_lock(&lock);
	next = settings;
	if (request_param(request, "fault") != NULL)
	{
		next.fault_count = 0;
		next.fault_operation = NULL;
	}
	for (int i = 0; i < request->nparams && wrong == NULL; i++)
		if (!set_one(&next, request->params[i].name, request->params[i].value))
			wrong = request->params[i].name;
	if (wrong == NULL)
		settings = next;
	pthread_mutex_unlock(&lock);
	return wrong;
}

/* Is a key in force in the text? */
bool
settings_has_key(const char *text)
{
	bool found;

	pthread_mutex_lock(&lock);
	found = strstr(text, settings.api_key) != NULL ||
			strstr(text, settings.secret_key) != NULL;
	pthread_mutex_unlock(&lock);
	return found;
}

/* All but the keys. */
json_object *
settings_json(void)
{
	json_object *json = json_object_new_object();
	Settings now;

	settings_get(&now);
	for (size_t i = 0; i < NUMBERS; i++)
	{
		long number;

		memcpy(&number, (const char *) &now + numbers[i].offset,
			   sizeof(number));
		json_object_object_add(json, numbers[i].name,
							   json_object_new_int64(number));
	}
	json_object_object_add(
		json, "token_fault",
		json_object_new_string(now.token_fault ? now.token_fault->name : ""));
	json_object_object_add(
		json, "fault",
		json_object_new_string(now.fault ? now.fault->name : ""));
	json_object_object_add(
		json, "fault_operation",
		json_object_new_string(now.fault_operation ? now.fault_operation->name
												   : ""));
	return json;
}
