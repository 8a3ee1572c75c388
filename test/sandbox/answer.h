/*
 * answer.h
 *		An answer, from the moment it is decided until it has left.
 */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

typedef enum Delivery
{
	DELIVER_ALL,
	DELIVER_CUT,	 /* half of it, then the connection ends */
	DELIVER_DRIP,	 /* a byte per second */
	DELIVER_ENDLESS, /* the body, then more of it for ever */
	DELIVER_CLOSE,	 /* nothing: the connection ends */
	DELIVER_RESET,	 /* nothing: the connection is reset */
	DELIVER_HANG,	 /* nothing */
} Delivery;

typedef struct Answer
{
	int status;
	Delivery delivery;
	long delay_ms;
	/* built as asked, perhaps changed; only such an answer is charged */
	bool good;
	bool keep_alive;
	bool other_track_id;
	const char *content_type; /* static; NULL: none */
	const char *retry_after;  /* likewise */
	const char *allow;
	const char *location; /* below the base URL */
	/* the body: a tree, or once rendered, or from the start, a text */
	json_object *json;
	char *text; /* malloc'd */
	size_t length;
} Answer;

extern void answer_init(Answer *answer);
extern void answer_clear(Answer *answer);
extern void answer_json(Answer *answer, int status, json_object *json);
extern void answer_text(Answer *answer, int status, const char *content_type,
						const char *text);
extern void answer_error(Answer *answer, int status, const char *code,
						 const char *message);
extern void answer_code(Answer *answer, const char *code);
extern void answer_good(Answer *answer, json_object *json);
extern void answer_own_text(Answer *answer, char *text, size_t length);
extern const char *answer_body(Answer *answer, size_t *length);

#endif
