/*-------------------------------------------------------------------------
 *
 * client.h
 *	  The one way in which inquiries are made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_CLIENT_H
#define JIBIT_CLIENT_H

#include "api/answer.h"
#include "api/inquiries.h"
#include "errors.h"

typedef struct JibitCall
{
	/* The caller's.  Text is UTF-8. */
	const JibitInquiry *inquiry;
	const char *arguments[JIBIT_MAX_PARAMS]; /* NULL: not given */
	const char *target; /* of jibit_any_inquiry: path and query */

	/* How it ended: with an answer (palloc'd), or with an error. */
	JibitAnswer *answer;
	JibitError error;
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	int http_status; /* of the last attempt; 0 for none */
	int attempts;
	bool cached;
	int64 duration_us;
} JibitCall;

/*
 * Makes the calls, together, and fills in how each has ended.  Answers are
 * palloc'd in the current context.  A call that fails is not an error here,
 * but missing or unusable credentials (JB011), a profile that is not for this
 * user (42501), a cancel and lack of memory are.  Only inside a transaction.
 *
 * `profile` is in the database's encoding.
 */
extern void jibit_client_run(JibitCall *calls, int ncalls,
							 const char *profile);

/* What is known of the session's latest call. */
typedef struct JibitLastCall
{
	const char *inquiry;
	char profile[JIBIT_PROFILE_MAX + 1];
	char track_id[JIBIT_TRACK_ID_MAX + 1]; /* empty if none was made */
	int http_status;
	int attempts;
	bool cached;
	bool failed;
	int64 duration_us;
	JibitError error; /* if failed */
} JibitLastCall;

/* NULL before the first. */
extern const JibitLastCall *jibit_client_last_call(void);

#endif /* JIBIT_CLIENT_H */
