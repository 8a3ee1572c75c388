/*
 * misbehave.c
 *		Carrying out a fault.
 *
 * A fault either stands in for the answer, so that none is built, or changes
 * a good one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "misbehave.h"
#include "mutate.h"

#define ERROR_CODE "card.not_valid"
#define PADDING_SIZE (2 * 1024 * 1024)
#define DEEP_ARRAYS 10000
#define SLOW_MS 5000
#define FLAKY_TIMES 2

static const char proxy_page[] =
	"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
	"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

static void
set_delivery(Answer *answer, Delivery delivery)
{
	answer_text(answer, 0, NULL, "");
	answer->delivery = delivery;
}

static void
answer_errors_shape(Answer *answer)
{
	json_object *error = json_object_new_object();
	json_object *errors = json_object_new_array();
	json_object *json = json_object_new_object();
	const Fault *fault = fault_by_name(ERROR_CODE);

	json_object_object_add(error, "code", json_object_new_string(ERROR_CODE));
	json_object_object_add(error, "message",
						   json_object_new_string(fault->text));
	json_object_array_add(errors, error);
	json_object_object_add(json, "errors", errors);
	answer_json(answer, fault->status, json);
}

/* A message that a client must mask before it shows it. */
static void
answer_secret(const Request *request, Answer *answer)
{
	const char *token = request_bearer(request);
	const char *body = request->body;
	json_object *json = json_object_new_object();
	char text[4096];

	snprintf(text, sizeof(text), "توکن %s کارت %s %.2000s",
			 token == NULL ? "" : token,
			 request->nparams == 0 ? "" : request->params[0].value,
			 body == NULL ? "" : body);
	json_object_object_add(json, "code", json_object_new_string(ERROR_CODE));
	json_object_object_add(json, "message", json_object_new_string(text));
	answer_json(answer, 400, json);
}

/*
 * Puts the fault's answer in place of one that is yet to be built.  False
 * where the good answer is wanted.
 */
bool
misbehave_instead(const Fault *fault, const Request *request, Answer *answer)
{
	const char *message = fault_by_name(ERROR_CODE)->text;
	int cycle = FLAKY_TIMES + 1;

	switch (fault->kind)
	{
		case FAULT_CODE:
			answer_code(answer, fault->name);
			break;
		case FAULT_STATUS:
			answer_text(answer, fault->status, NULL, "");
			answer->retry_after = fault->retry_after;
			break;
		case FAULT_STATUS_PAGE:
			answer_text(answer, fault->status, "text/html", proxy_page);
			break;
		case FAULT_ERRORS_SHAPE:
			answer_errors_shape(answer);
			break;
		case FAULT_CODE_UPPER:
			answer_error(answer, fault->status, " CARD.No\u0640t_ Valid ",
						 message);
			break;
		case FAULT_UNKNOWN_CODE:
			answer_error(answer, fault->status, "sandbox.never_heard_of",
						 "خطایی که در هیچ سندی نیست");
			break;
		case FAULT_SUCCESS_ERROR:
			answer_error(answer, fault->status, ERROR_CODE, message);
			break;
		case FAULT_ECHO_SECRET:
			answer_secret(request, answer);
			break;
		case FAULT_TEXT_BODY:
			answer_text(answer, fault->status,
						*fault->text == '\0' ? NULL : "text/plain",
						fault->text);
			break;
		case FAULT_JSON_BODY:
			answer_text(answer, fault->status,
						"application/json; charset=UTF-8", fault->text);
			break;
		case FAULT_HTML_BODY:
			answer_text(answer, fault->status, "text/html", fault->text);
			break;
		case FAULT_REDIRECT:
			answer_text(answer, fault->status, NULL, "");
			answer->location = "/v1/redirected";
			break;
		case FAULT_ENDLESS:
			answer_text(answer, fault->status,
						"application/json; charset=UTF-8", "{\"padding\":\"");
			answer->delivery = DELIVER_ENDLESS;
			break;
		case FAULT_CLOSE:
			set_delivery(answer, DELIVER_CLOSE);
			break;
		case FAULT_RESET:
			set_delivery(answer, DELIVER_RESET);
			break;
		case FAULT_HANG:
			set_delivery(answer, DELIVER_HANG);
			break;
		case FAULT_FLAKY:
			if (attempts_next(request_hash(request), cycle) == FLAKY_TIMES)
				return false;
			answer_text(answer, fault->status, NULL, "");
			break;
		case FAULT_CLOSE_ONCE:
			if (attempts_next(~request_hash(request), 2) == 1)
				return false;
			set_delivery(answer, DELIVER_CLOSE);
			break;
		default:
			return false;
	}
	return true;
}

/* Writes the answer anew with one more field, whose text is at the end. */
static void
append_field(Answer *answer, const char *start, char fill, size_t nfill,
			 const char *end, char fill_end, size_t nfill_end)
{
	size_t length;
	const char *body = answer_body(answer, &length);
	size_t room = length + 1 + strlen(start) + nfill + strlen(end) +
				  nfill_end + 1;
	char *text = malloc(room + 1);
	char *at = text;

	if (text == NULL)
		abort();
	memcpy(at, body, length - 1); /* all but the last brace */
	at += length - 1;
	if (length > 2)
		*at++ = ',';
	at = stpcpy(at, start);
	memset(at, fill, nfill);
	at = stpcpy(at + nfill, end);
	memset(at, fill_end, nfill_end);
	at += nfill_end;
	*at++ = '}';
	answer_own_text(answer, text, (size_t) (at - text));
}

/* Changes a good answer. */
void
misbehave_change(const Fault *fault, const Operation *operation,
				 Answer *answer)
{
	switch (fault->kind)
	{
		case FAULT_BIG_BODY:
			append_field(answer, "\"padding\":\"", 'x', PADDING_SIZE, "\"",
						 ' ', 0);
			break;
		case FAULT_DEEP:
			append_field(answer, "\"deep\":", '[', DEEP_ARRAYS, "", ']',
						 DEEP_ARRAYS);
			break;
		case FAULT_TRACK_OTHER:
			answer->other_track_id = true;
			break;
		case FAULT_CUT:
			answer->delivery = DELIVER_CUT;
			break;
		case FAULT_DRIP:
			answer->delivery = DELIVER_DRIP;
			break;
		case FAULT_SLOW:
			answer->delay_ms += SLOW_MS;
			break;
		default:
			mutate(fault->kind, operation, answer->json);
			break;
	}
}
