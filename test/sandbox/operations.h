/*
 * operations.h
 *		The operations of the API, and which one a request means.
 */
#ifndef SANDBOX_OPERATIONS_H
#define SANDBOX_OPERATIONS_H

#include <json-c/json.h>

#include "request.h"

#define OPERATIONS 24
#define OPERATION_MAX_PARAMS 6

typedef enum ParamKind
{
	PARAM_CARD,
	PARAM_IBAN,
	PARAM_NATIONAL_CODE,
	PARAM_BIRTH_DATE,
	PARAM_MOBILE,
	PARAM_POSTAL_CODE,
	PARAM_FIDA,
	PARAM_CORPORATION_CODE,
	PARAM_BANK,
	PARAM_DEPOSIT,
	PARAM_NAME,
	PARAM_REPORT_DAY,
	PARAM_TRUE, /* "true" chooses the operation */
} ParamKind;

typedef struct ParamRule
{
	const char *name; /* NULL ends the list */
	ParamKind kind;
	bool optional;
} ParamRule;

typedef struct Operation
{
	const char *name; /* the API document's id */
	const char *persian_name;
	const char *path;
	bool token; /* a POST without Authorization */
	bool charged;
	/* paths of what must not be missing from the answer, NULL where unused */
	const char *mandatory[2];
	ParamRule params[OPERATION_MAX_PARAMS + 1];
	json_object *(*answer)(const Request *request); /* NULL for tokens */
} Operation;

extern const Operation operations[OPERATIONS];

extern int operation_index(const Operation *operation);
extern const Operation *operation_by_name(const char *name);
extern const Operation *operation_by_path(const char *path);
extern const Operation *operation_choose(const Request *request,
										 const char **code);
extern const char *operation_check(const Operation *operation,
								   const Request *request);

#endif
