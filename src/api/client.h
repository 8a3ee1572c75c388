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
#include "api/policy.h"
#include "errors.h"

typedef struct JibitCall
{
	/* The caller's.  Text is UTF-8. */
	const JibitInquiry *inquiry;
	const char *arguments[JIBIT_MAX_PARAMS]; /* NULL: not given */
	const char *target; /* of jibit_any_inquiry: path and query */
	int64 tag;			/* the caller's own */

	/* How it ended: with an answer, or (NULL) with an error. */
	const JibitAnswer *answer;
	JibitError error;
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	int http_status; /* of the last attempt; 0 for none */
	int attempts;
	bool cached;
	int64 duration_us;
} JibitCall;

/*
 * Makes one call and fills in how it has ended; the answer is palloc'd in the
 * current context, or is the statement's and good as long as that lasts.  A
 * call that fails is not an error here, but missing or unusable credentials
 * (JB011), a profile that is not for this user (42501), a cancel and lack of
 * memory are.  Only inside a transaction.
 */
extern void jibit_client_call(JibitCall *call, const JibitPolicy *policy);

/*
 * Makes many calls, `concurrency` at a time.  The source fills in the next one
 * and returns false when there is none; what it allocates, and the answer, is
 * in a context that lives until the sink has had the call.  The sink gets each
 * as it ends, in no order.  Raises what jibit_client_call() raises, from
 * between the two.
 */
typedef bool (*JibitCallSource)(void *arg, JibitCall *call);
typedef void (*JibitCallSink)(void *arg, JibitCall *call);

extern void jibit_client_run(JibitCallSource source, JibitCallSink sink,
							 void *arg, const JibitPolicy *policy);

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
