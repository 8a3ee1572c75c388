/*
 * counters.h
 *		What the sandbox has served.
 */
#ifndef SANDBOX_COUNTERS_H
#define SANDBOX_COUNTERS_H

#include <json-c/json.h>

#include "operations.h"

extern void counters_connection(void);
extern void counters_begin(void);
extern void counters_end(void);
extern void counters_served(const Operation *operation, bool good);
extern bool counters_take_today(const Operation *operation, long limit);
extern int64_t counters_today(const Operation *operation);
extern json_object *counters_json(void);
extern void counters_reset(void);

#endif
