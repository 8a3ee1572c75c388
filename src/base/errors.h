/*
 * Failures of inquiries: what a code means, and how it is raised.
 */
#ifndef JIBIT_ERRORS_H
#define JIBIT_ERRORS_H

#include "base/errorclass.h"
#include "base/limits.h"

/* A code's row of errorlist.h. */
typedef struct JibitErrorCode
{
	const char *code;
	JibitErrorClass class;
	const char *description;	/* English, a phrase */
	const char *description_fa; /* Persian, UTF-8 */
	const char *hint;			/* English, a sentence */
} JibitErrorCode;

/* What is kept of a remote message, with its terminator. */
#define JIBIT_MESSAGE_SIZE 512

/*
 * The outcome of an inquiry that failed.  Text is UTF-8.  Without pointers,
 * since it is also in shared memory.
 */
typedef struct JibitError
{
	char code[JIBIT_CODE_SIZE];
	JibitErrorClass class;
	int http_status;					   /* 0 without an answer */
	char message[JIBIT_MESSAGE_SIZE];	   /* may be empty */
	bool from_service;					   /* the message is the service's */
	char track_id[JIBIT_TRACK_ID_MAX + 1]; /* empty without a call */
} JibitError;

static inline bool
jibit_error_has(const JibitError *error, JibitTrait trait)
{
	return jibit_class_has(error->class, trait);
}

/* The extension's own codes. */
#define JIBIT_CODE_CONNECTION_FAILED "connection.failed"
#define JIBIT_CODE_CONNECTION_TIMEOUT "connection.timeout"
#define JIBIT_CODE_RESPONSE_INVALID "response.invalid"
#define JIBIT_CODE_SUSPENDED "suspended"
#define JIBIT_CODE_LIMIT_REACHED "limit.reached"
/* Codes of the document that this side uses too. */
#define JIBIT_CODE_MATCHING_UNKNOWN "matching.unknown"
#define JIBIT_CODE_HANDLER_NOT_FOUND "handler.not_found"
#define JIBIT_CODE_NO_NAME_GIVEN "query_parameters.not_provided"

/*
 * Fills *error for a code.  `code` is compared without regard to case, blanks
 * and U+0640; NULL or '' stands for an answer without one.  A known code
 * decides, then its ending, then the HTTP status.  `message` (UTF-8, may be
 * NULL) is cut to what fits and `track_id` (may be NULL) is copied.
 */
extern void jibit_error_set(JibitError *error, const char *code,
							int http_status, const char *message,
							const char *track_id);

/*
 * The same for an answer whose text the database's encoding cannot represent;
 * `message` says more, or is NULL.
 */
extern void jibit_error_set_unrepresentable(JibitError *error,
											const char *message,
											const char *track_id);

/* The row of a code, or NULL. */
extern const JibitErrorCode *jibit_error_lookup(const char *code);

/* All rows, sorted by code. */
extern const JibitErrorCode *jibit_error_codes(int *count);

/* A class's SQLSTATE for errcode(). */
extern int jibit_error_sqlstate(JibitErrorClass class);

/* What is the matter, for people: the row's description or the condition. */
extern const char *jibit_error_description(const JibitError *error);

/*
 * Reports the failure of an inquiry at ERROR or WARNING, with the code in
 * CONSTRAINT_NAME.  Only inside a transaction.
 */
extern void jibit_error_report(int elevel, const char *inquiry,
							   const JibitError *error);

/* Where in the database an error is: for the fields that drivers read. */
typedef struct JibitErrorPlace
{
	const char *schema;
	const char *table;
	const char *column;
} JibitErrorPlace;

/* The same, with the place; NULL for none. */
extern void jibit_error_report_at(int elevel, const char *inquiry,
								  const JibitError *error,
								  const JibitErrorPlace *place);

/* The phrase with a full stop, whether it has one or not.  Palloc'd. */
extern char *jibit_sentence(const char *text);

#endif /* JIBIT_ERRORS_H */
