/*
 * faults.h
 *		The one table of everything that can go wrong on purpose.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include <stddef.h>

typedef enum FaultKind
{
	/* an error of the API, in the documented shape */
	FAULT_CODE,
	/* an HTTP status alone, or with a proxy's page */
	FAULT_STATUS,
	FAULT_STATUS_PAGE,
	/* errors in other shapes */
	FAULT_ERRORS_SHAPE,
	FAULT_CODE_UPPER,
	FAULT_UNKNOWN_CODE,
	FAULT_SUCCESS_ERROR,
	FAULT_ECHO_SECRET,
	/* the good answer, changed */
	FAULT_WRONG_TYPES,
	FAULT_MISSING_MANDATORY,
	FAULT_NULL_MANDATORY,
	FAULT_NUMBERS_AS_TEXT,
	FAULT_UNKNOWN_FIELDS,
	FAULT_NO_OWNERS,
	FAULT_EMPTY_OWNERS,
	FAULT_NULL_FIELDS,
	FAULT_LONG_TEXT,
	FAULT_BAD_UTF8,
	FAULT_NUL_ESCAPE,
	FAULT_LONE_SURROGATE,
	FAULT_MATCHED_ONE,
	FAULT_MATCHED_ZERO,
	FAULT_MATCHED_TWO,
	FAULT_BIG_NUMBER,
	FAULT_HUGE_NUMBER,
	FAULT_BIG_BODY,
	FAULT_DEEP,
	FAULT_TRACK_OTHER,
	/* something else in its place */
	FAULT_TEXT_BODY,
	FAULT_JSON_BODY,
	FAULT_HTML_BODY,
	FAULT_REDIRECT,
	/* on the wire */
	FAULT_ENDLESS,
	FAULT_CLOSE,
	FAULT_RESET,
	FAULT_CUT,
	FAULT_SLOW,
	FAULT_HANG,
	FAULT_DRIP,
	FAULT_FLAKY,
	FAULT_CLOSE_ONCE,
} FaultKind;

typedef struct Fault
{
	int number; /* in magic inputs; never changed, never used again */
	const char *name;
	FaultKind kind;
	int status;
	const char *retry_after; /* seconds, or NULL */
	/* FAULT_CODE: the message; FAULT_…_BODY: the body */
	const char *text;
	const char *description; /* for --help; NULL for FAULT_CODE */
} Fault;

extern const Fault *fault_by_name(const char *name);
extern const Fault *fault_by_number(int number);
extern const Fault *fault_at(size_t index); /* NULL after the last */

#endif
