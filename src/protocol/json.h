/*
 * Reading JSON that comes from outside.
 *
 * Documents are UTF-8.  A value is valid until the memory context that was
 * given to the parse is reset or deleted, which also frees what the JSON
 * library has allocated.  A reader never trusts a type: each access says
 * whether the value had it.
 */
#ifndef JIBIT_JSON_H
#define JIBIT_JSON_H

#include "utils/palloc.h"

typedef struct JibitJson JibitJson;

/*
 * Parses a whole document of any type; a terminator follows its `length`
 * bytes.  Returns NULL with a reason in *why (static text) for what is no
 * JSON, no UTF-8 or nested too deep, and NULL without one for a document that
 * is null.  Throws on lack of memory.  May run outside a transaction.
 */
extern JibitJson *jibit_json_parse(MemoryContext context, const char *text,
								   size_t length, const char **why);

/* All accessors below take NULL for a value that is absent or null. */

extern bool jibit_json_is_object(const JibitJson *value);
extern bool jibit_json_is_array(const JibitJson *value);

/* NULL for what is absent or null, and for anything that is no object. */
extern JibitJson *jibit_json_member(const JibitJson *object, const char *name);

/* Of an array. */
extern int jibit_json_length(const JibitJson *array);
extern JibitJson *jibit_json_element(const JibitJson *array, int i);

/* Calls back for each member of an object, in its order. */
typedef void (*JibitJsonVisitor)(const char *name, JibitJson *value,
								 void *arg);
extern void jibit_json_visit(const JibitJson *object, JibitJsonVisitor visitor,
							 void *arg);

/*
 * A string's content; a number's or a boolean's JSON text.  NULL for other
 * types and for text that holds a NUL, which no PostgreSQL text can.
 */
extern const char *jibit_json_text(const JibitJson *value);

/* Is it a string? */
extern bool jibit_json_is_string(const JibitJson *value);

/*
 * A number, or a string that is one.  False where the value does not fit or
 * has a fraction (int64), or is not finite (double).
 */
extern bool jibit_json_int64(const JibitJson *value, int64 *result);
extern bool jibit_json_double(const JibitJson *value, double *result);

/* true, false, 1, 0, and strings of those. */
extern bool jibit_json_boolean(const JibitJson *value, bool *result);

#endif /* JIBIT_JSON_H */
