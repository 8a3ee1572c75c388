/*
 * control.c
 *		Steering the sandbox from a test.
 *
 * Every answer is a JSON object, so that a client which expects an API's
 * answers can ask, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "control.h"
#include "counters.h"
#include "data.h"
#include "faults.h"
#include "history.h"
#include "magic.h"
#include "settings.h"
#include "tokens.h"
#include "validate.h"

typedef struct Control
{
	const char *name;
	void (*answer)(const Request *request, Answer *answer);
} Control;

static void
refuse(Answer *answer, const char *what)
{
	char message[256];

	snprintf(message, sizeof(message), "پارامتر نامعتبر: %s", what);
	answer_error(answer, 400, "parameters.not_acceptable",
				 valid_utf8(message, strlen(message)) ? message : "");
}

static void
answer_stats(const Request *request, Answer *answer)
{
	(void) request;
	answer_json(answer, 200, counters_json());
}

/* Tokens stay valid. */
static void
answer_reset(const Request *request, Answer *answer)
{
	(void) request;
	settings_reset();
	counters_reset();
	history_reset();
	attempts_reset();
	answer_json(answer, 200, settings_json());
}

static void
answer_set(const Request *request, Answer *answer)
{
	const char *wrong = settings_set(request);

	if (wrong != NULL)
		refuse(answer, wrong);
	else
		answer_json(answer, 200, settings_json());
}

static void
answer_revoke(const Request *request, Answer *answer)
{
	const char *refresh = request_param(request, "refresh");
	json_object *json = json_object_new_object();
	bool refresh_too = refresh == NULL || strcmp(refresh, "0") != 0;

	tokens_revoke(refresh_too);
	json_object_object_add(json, "revoked", json_object_new_boolean(true));
	json_object_object_add(json, "refresh",
						   json_object_new_boolean(refresh_too));
	answer_json(answer, 200, json);
}

static void
answer_requests(const Request *request, Answer *answer)
{
	const char *last = request_param(request, "last");
	long count = last == NULL ? HISTORY_KEPT : strtol(last, NULL, 10);

	if (count < 0)
		refuse(answer, "last");
	else
		answer_json(answer, 200, history_json(count));
}

static void
answer_magic(const Request *request, Answer *answer)
{
	const char *kind = request_param(request, "kind");
	const char *name = request_param(request, "fault");
	const char *variant = request_param(request, "variant");
	const Fault *fault = name == NULL ? NULL : fault_by_name(name);
	json_object *json;
	char value[MAGIC_SIZE];

	if (fault == NULL)
	{
		refuse(answer, "fault");
		return;
	}
	if (kind == NULL ||
		!magic_value(kind, fault,
					 variant == NULL ? 0 : strtol(variant, NULL, 10), value))
	{
		refuse(answer, "kind");
		return;
	}
	json = json_object_new_object();
	json_object_object_add(json, "value", json_object_new_string(value));
	answer_json(answer, 200, json);
}

static void
answer_faults(const Request *request, Answer *answer)
{
	json_object *json = json_object_new_object();
	json_object *list = json_object_new_array();
	const Fault *fault;

	(void) request;
	for (size_t i = 0; (fault = fault_at(i)) != NULL; i++)
	{
		json_object *entry = json_object_new_object();

		json_object_object_add(entry, "name",
							   json_object_new_string(fault->name));
		json_object_object_add(entry, "number",
							   json_object_new_int(fault->number));
		json_object_array_add(list, entry);
	}
	json_object_object_add(json, "faults", list);
	answer_json(answer, 200, json);
}

/* What was asked, as a service would that nobody has heard of. */
static void
answer_echo(const Request *request, Answer *answer)
{
	json_object *json = json_object_new_object();
	json_object *query = json_object_new_object();

	for (int i = 0; i < request->nparams; i++)
	{
		const Param *param = &request->params[i];

		if (valid_utf8(param->name, strlen(param->name)) &&
			valid_utf8(param->value, param->length))
			json_object_object_add(
				query, param->name,
				json_object_new_string_len(param->value, (int) param->length));
	}
	json_object_object_add(json, "query", query);
	json_object_object_add(
		json, "authorized",
		json_object_new_boolean(request_bearer(request) != NULL &&
								tokens_valid(request_bearer(request))));
	answer_json(answer, 200, json);
}

/* The name that the similarity inquiry knows for a national code. */
static void
answer_person(const Request *request, Answer *answer)
{
	const char *code = request_param(request, "nationalCode");
	json_object *json;
	Person person;
	char name[DATA_NAME_SIZE];

	if (code == NULL || !valid_national_code(code))
	{
		refuse(answer, "nationalCode");
		return;
	}
	person = data_person("person", code);
	data_full_name(&person, name);
	json = json_object_new_object();
	json_object_object_add(json, "firstName",
						   json_object_new_string(person.first_name));
	json_object_object_add(json, "lastName",
						   json_object_new_string(person.last_name));
	json_object_object_add(json, "fullName", json_object_new_string(name));
	json_object_object_add(json, "fatherName",
						   json_object_new_string(person.father_name));
	answer_json(answer, 200, json);
}

static const Control controls[] = {
	{"stats", answer_stats},	   {"reset", answer_reset},
	{"set", answer_set},		   {"revoke", answer_revoke},
	{"requests", answer_requests}, {"magic", answer_magic},
	{"faults", answer_faults},	   {"echo", answer_echo},
	{"person", answer_person},
};

bool
control_is(const Request *request)
{
	return !request->outside &&
		   strncmp(request->path, CONTROL_PREFIX, strlen(CONTROL_PREFIX)) == 0;
}

void
control_answer(const Request *request, Answer *answer)
{
	const char *name = request->path + strlen(CONTROL_PREFIX);

	if (strcmp(request->method, "GET") != 0)
	{
		answer_error(answer, 405, "method.not_allowed", "این روش مجاز نیست");
		answer->allow = "GET";
		return;
	}
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
	{
		if (strcmp(controls[i].name, name) == 0)
		{
			controls[i].answer(request, answer);
			return;
		}
	}
	answer_code(answer, "handler.not_found");
}
