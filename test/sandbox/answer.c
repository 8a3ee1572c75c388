/*
 * answer.c
 *		An answer, from the moment it is decided until it has left.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "faults.h"

#define JSON_TYPE "application/json; charset=UTF-8"

void
answer_init(Answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->keep_alive = true;
}

static void
free_body(Answer *answer)
{
	json_object_put(answer->json);
	free(answer->text);
	answer->json = NULL;
	answer->text = NULL;
	answer->length = 0;
}

/* Frees what it holds. */
void
answer_clear(Answer *answer)
{
	free_body(answer);
}

/* The tree becomes the answer's; what was there before is freed. */
void
answer_json(Answer *answer, int status, json_object *json)
{
	free_body(answer);
	answer->good = false;
	answer->status = status;
	answer->content_type = JSON_TYPE;
	answer->json = json;
}

/* The text is copied. */
void
answer_text(Answer *answer, int status, const char *content_type,
			const char *text)
{
	free_body(answer);
	answer->good = false;
	answer->status = status;
	answer->content_type = content_type;
	answer->text = strdup(text);
	answer->length = answer->text == NULL ? 0 : strlen(text);
}

void
answer_error(Answer *answer, int status, const char *code, const char *message)
{
	json_object *json = json_object_new_object();

	json_object_object_add(json, "code", json_object_new_string(code));
	json_object_object_add(json, "message", json_object_new_string(message));
	answer_json(answer, status, json);
}

/* An error of the table of faults, with its status and its message. */
void
answer_code(Answer *answer, const char *code)
{
	const Fault *fault = fault_by_name(code);

	answer_error(answer, fault->status, code, fault->text);
}

/* As answer_json, for what was asked for. */
void
answer_good(Answer *answer, json_object *json)
{
	answer_json(answer, 200, json);
	answer->good = true;
}

/* Replaces the body alone; the text becomes the answer's. */
void
answer_own_text(Answer *answer, char *text, size_t length)
{
	free_body(answer);
	answer->text = text;
	answer->length = length;
}

/* The body as bytes, which live as long as the answer; never NULL. */
const char *
answer_body(Answer *answer, size_t *length)
{
	if (answer->json != NULL)
		return json_object_to_json_string_length(
			answer->json,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, length);
	*length = answer->length;
	return answer->text == NULL ? "" : answer->text;
}
