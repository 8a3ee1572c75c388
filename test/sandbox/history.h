/*
 * history.h
 *		The last requests, for a test to look at.
 */
#ifndef SANDBOX_HISTORY_H
#define SANDBOX_HISTORY_H

#include <json-c/json.h>

#include "answer.h"
#include "operations.h"

#define HISTORY_KEPT 256

extern void history_add(const Operation *operation, const Request *request,
						const Answer *answer);
extern json_object *history_json(long last);
extern void history_reset(void);

#endif
