/*
 * service.c
 *		The service as a whole: one request in, one answer out.
 *
 * An answer is decided when its request has arrived; a delay only holds it
 * back.
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "history.h"
#include "magic.h"
#include "misbehave.h"
#include "operations.h"
#include "service.h"
#include "settings.h"
#include "token_operations.h"
#include "tokens.h"

/* What is wrong with the request's headers, or NULL. */
static const char *
check_headers(const Request *request)
{
	const char *track_id = request->track_id;
	const char *delay = request->delay;

	if (track_id != NULL)
	{
		if (strlen(track_id) > REQUEST_MAX_TRACK_ID)
			return "X-TRACK-ID";
		for (; *track_id != '\0'; track_id++)
			if (*track_id < ' ' || *track_id > '~')
				return "X-TRACK-ID";
	}
	if (request->fault != NULL && fault_by_name(request->fault) == NULL)
		return "X-Sandbox-Fault";
	if (delay != NULL &&
		(*delay == '\0' || strspn(delay, "0123456789") != strlen(delay) ||
		 strlen(delay) > 8))
		return "X-Sandbox-Delay-Ms";
	return NULL;
}

/* The code of what is wrong with the token, or NULL. */
static const char *
check_token(const Request *request)
{
	const char *token = request_bearer(request);

	if (token == NULL)
		return "token.is_required";
	return tokens_valid(token) ? NULL : "forbidden";
}

static void
answer_inquiry(const Operation *operation, const char *code,
			   const Request *request, const Orders *orders, Answer *answer)
{
	const Fault *fault = orders->fault;

	if (fault != NULL && misbehave_instead(fault, request, answer))
		return;
	if (code == NULL)
		code = operation_check(operation, request);
	if (code != NULL)
	{
		answer_code(answer, code);
		return;
	}
	if (fault == NULL)
	{
		fault = magic_fault(operation, request);
		if (fault != NULL && misbehave_instead(fault, request, answer))
			return;
	}
	if (operation->charged &&
		!counters_take_today(operation, orders->daily_limit))
	{
		answer_code(answer, "daily_limit.reached");
		return;
	}
	answer_good(answer, operation->answer(request));
	if (fault != NULL)
		misbehave_change(fault, operation, answer);
}

static void
answer_token(const Operation *operation, const Request *request,
			 const Orders *orders, Answer *answer)
{
	const Fault *fault = orders->fault;

	if (fault == NULL)
		fault = token_operation_fault(request);
	if (fault != NULL && misbehave_instead(fault, request, answer))
		return;
	token_operation_answer(operation, request, answer);
	if (fault != NULL && answer->good)
		misbehave_change(fault, operation, answer);
}

/* Lets an error's message repeat what the caller must keep to himself. */
static void
echo_token(const Request *request, Answer *answer)
{
	const char *token = request_bearer(request);
	json_object *message;
	size_t size;
	char *text;

	if (token == NULL || answer->json == NULL ||
		!json_object_object_get_ex(answer->json, "message", &message))
		return;
	size = (size_t) json_object_get_string_len(message) + strlen(token) + 2;
	text = malloc(size);
	if (text == NULL)
		abort();
	stpcpy(stpcpy(stpcpy(text, json_object_get_string(message)), " "), token);
	json_object_object_add(answer->json, "message",
						   json_object_new_string(text));
	free(text);
}

/*
 * Decides the answer, which must be initialised, and counts it.  Returns the
 * operation, NULL where the request fits none.
 */
const Operation *
service_answer(const Request *request, Answer *answer)
{
	const Operation *operation = request->outside
									 ? NULL
									 : operation_by_path(request->path);
	const char *code = NULL;
	const char *wrong_header = check_headers(request);
	Orders orders = {NULL, 0, 0, false, true};

	if (operation == NULL)
		answer_code(answer, "handler.not_found");
	else if (strcmp(request->method, operation->token ? "POST" : "GET") != 0)
	{
		answer_error(answer, 405, "method.not_allowed", "این روش مجاز نیست");
		answer->allow = operation->token ? "POST" : "GET";
	}
	else if (wrong_header != NULL)
		answer_error(answer, 400, "parameters.not_acceptable", wrong_header);
	else
	{
		bool token = operation->token;
		const char *refused = token ? NULL : check_token(request);

		if (!token)
			operation = operation_choose(request, &code);
		orders = settings_orders(operation, token,
								 request->fault == NULL && refused == NULL);
		if (request->fault != NULL)
			orders.fault = fault_by_name(request->fault);
		answer->delay_ms = orders.delay_ms;
		if (request->delay != NULL)
			answer->delay_ms = strtol(request->delay, NULL, 10);
		if (refused != NULL)
			answer_code(answer, refused);
		else if (token)
			answer_token(operation, request, &orders, answer);
		else
			answer_inquiry(operation, code, request, &orders, answer);
	}
	answer->keep_alive = orders.keep_alive;
	if (orders.echo_token && !answer->good)
		echo_token(request, answer);
	counters_served(operation, answer->good);
	history_add(operation, request, answer);
	return operation;
}
