/*
 * A call of an inquiry: what is asked, and how it has ended.
 */
#ifndef JIBIT_CALL_H
#define JIBIT_CALL_H

#include "account/policy.h"
#include "base/errors.h"
#include "protocol/answer.h"
#include "protocol/inquiries.h"

typedef struct JibitCall
{
	/*
	 * What is asked.  Text is UTF-8; it and the policy must stay until the
	 * call has ended.
	 */
	const JibitInquiry *inquiry;
	JibitPolicy *policy;
	const char *arguments[JIBIT_MAX_PARAMS]; /* NULL: not given */
	const char *target; /* of jibit_any_inquiry: path and query */
	int64 tag;			/* the caller's own */

	/* How it has ended: with an answer, or (NULL) with an error. */
	const JibitAnswer *answer;
	JibitError error;
	char track_id[JIBIT_TRACK_ID_MAX + 1]; /* given by the caller, or made */
	int http_status; /* of the last attempt; 0 for none */
	int retry_after; /* seconds, of the last attempt; -1 for none */
	int attempts;
	bool had_token;
	bool probes; /* it went out to see whether the breaker may close */
	bool cached; /* the answer of another call */
	int64 duration_us;
} JibitCall;

#endif /* JIBIT_CALL_H */
