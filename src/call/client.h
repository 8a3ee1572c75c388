/*-------------------------------------------------------------------------
 *
 * client.h
 *	  The one way in which inquiries are made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_CLIENT_H
#define JIBIT_CLIENT_H

#include "account/policy.h"
#include "base/errors.h"
#include "protocol/answer.h"
#include "protocol/inquiries.h"

typedef struct JibitCall
{
	/* The caller's.  Text is UTF-8. */
	const JibitInquiry *inquiry;
	JibitPolicy *policy;
	const char *arguments[JIBIT_MAX_PARAMS]; /* NULL: not given */
	const char *target; /* of jibit_any_inquiry: path and query */
	int64 tag;			/* the caller's own */

	/* How it ended: with an answer, or (NULL) with an error. */
	const JibitAnswer *answer;
	JibitError error;
	char track_id[JIBIT_TRACK_ID_MAX + 1]; /* given by the caller, or made */
	int http_status; /* of the last attempt; 0 for none */
	int retry_after; /* seconds, of the last attempt; -1 for none */
	int attempts;
	bool cached;
	int64 duration_us;
} JibitCall;

/*
 * Makes one call and fills in how it has ended; the answer is palloc'd in the
 * current context, or is the statement's and good as long as that lasts.  A
 * call that fails is not an error here, but missing or unusable credentials
 * (JB011), a profile that is not for this user (42501), a cancel and lack of
 * memory are.
 *
 * A policy without credentials gets them here, palloc'd in the current
 * context: then only inside a transaction.  With them, anywhere.
 */
extern void jibit_client_call(JibitCall *call);

/*
 * Makes many calls, some at a time, and returns when all have ended.  Raises
 * what jibit_client_call() raises, from between two callbacks.
 */
typedef struct JibitCallRun
{
	int concurrency; /* calls at a time */
	void *arg;		 /* of the callbacks */

	/*
	 * Fills in the next call; false when there is none.  What it allocates,
	 * and the answer, is in a context that lives until `done` had the call.
	 */
	bool (*next)(void *arg, JibitCall *call);

	/* Gets each call as it ends, in no order. */
	void (*done)(void *arg, JibitCall *call);

	/*
	 * NULL where there is nothing more once `next` has returned false.  Else
	 * called before every turn, after which `next` is asked again; returns
	 * how many milliseconds may pass until its next call, or -1 to break off
	 * what is under way.
	 */
	long (*turn)(void *arg);
} JibitCallRun;

extern void jibit_client_run(const JibitCallRun *callbacks);

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
