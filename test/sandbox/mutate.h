/*
 * mutate.h
 *		Good answers, changed in ways that a client may meet.
 */
#ifndef SANDBOX_MUTATE_H
#define SANDBOX_MUTATE_H

#include <json-c/json.h>

#include "faults.h"
#include "operations.h"

extern void mutate(FaultKind kind, const Operation *operation,
				   json_object *answer);

#endif
