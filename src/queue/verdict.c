/*
 * What the end of a call means for its request, and for others like it.
 */
#include "postgres.h"

#include "base/config.h"
#include "base/tehran.h"
#include "common/pg_prng.h"
#include "queue/pauses.h"
#include "queue/verdict.h"
#include "utils/timestamp.h"

/* The contract's: one second, doubling to ten minutes. */
#define RETRY_FIRST_MS 1000
#define RETRY_LONGEST_MS (10 * 60 * 1000)

/* Pauses: the first, and the longest, before a probe. */
#define BALANCE_FIRST_MS 10000
#define BALANCE_LONGEST_MS (10 * 60 * 1000)
#define SUSPENDED_FIRST_MS 500
#define SUSPENDED_LONGEST_MS 5000

static TimestampTz
after_ms(int64 ms)
{
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms);
}

/* The longer it has waited, the longer it waits. */
static int64
share_of_wait(const JibitRequest *request)
{
	int64 waited_ms = (GetCurrentTimestamp() - request->submitted_at) / 1000;

	return Min(Max(waited_ms / 2, RETRY_FIRST_MS), RETRY_LONGEST_MS);
}

/*
 * It may pass by itself: later, unless it has been tried often enough.  What
 * was not sent, or went out as a probe (of a pause, or the breaker's) and has
 * found nothing better, does not count, or a long outage would use up the attempts of all.
 */
static void
retry(JibitRequest *request, const JibitCall *call, bool recovered)
{
	bool is_probe = request->is_probe || call->probes;
	bool counted = call->attempts > 0 && (recovered || !is_probe);
	int64 pause = counted ? RETRY_FIRST_MS : share_of_wait(request);

	if (counted && request->attempts >= jibit_request_max_attempts)
	{
		jibit_request_fail(request, &call->error, recovered);
		return;
	}
	for (int i = 1;
		 counted && i < request->attempts && pause < RETRY_LONGEST_MS; i++)
		pause *= 2;
	pause = Min(pause, RETRY_LONGEST_MS);

	/* A quarter more by chance, so that requests do not come back together. */
	pause += (int64) (pg_prng_double(&pg_global_prng_state) * pause / 4);
	pause = Max(pause, call->retry_after * INT64CONST(1000));
	jibit_request_put_off(request, counted, after_ms(pause), &call->error,
						  recovered);
}

/*
 * Not this request's fault: it waits, behind others, so that one that fares
 * worse than the rest of its profile does not stand in their way.
 */
static void
wait_behind(JibitRequest *request)
{
	jibit_request_put_off(request, false, after_ms(share_of_wait(request)),
						  NULL, false);
}

/*
 * Pauses the inquiry, or (NULL) all of the profile.  The request itself goes
 * back, uncounted; but after too many calls at a time (HTTP 429) it is tried
 * again like others.
 */
static void
pause_lane(JibitRequest *request, const JibitCall *call, const char *inquiry)
{
	const JibitError *error = &call->error;
	const char *profile = request->profile;
	const uint8 *keys = request->account->policy.credentials->digest;

	switch (error->class)
	{
		case JIBIT_DAILY_LIMIT:
		case JIBIT_LOCAL_LIMIT:
			jibit_pause_until(profile, inquiry, error,
							  jibit_tehran_tomorrow());
			break;
		case JIBIT_NO_CREDIT:
			jibit_pause(profile, inquiry, error, BALANCE_FIRST_MS,
						BALANCE_LONGEST_MS);
			break;
		case JIBIT_SUSPENDED:
			jibit_pause(profile, inquiry, error, SUSPENDED_FIRST_MS,
						SUSPENDED_LONGEST_MS);
			break;
		case JIBIT_NOT_AUTHORISED:
		case JIBIT_CONFIGURATION:
			jibit_pause_for_keys(profile, request->inquiry->id, error, keys);
			if (call->attempts > 0)
			{
				wait_behind(request);
				return;
			}
			break;
		default:
			jibit_pause(
				profile, inquiry, error,
				Max(RETRY_FIRST_MS, call->retry_after * INT64CONST(1000)),
				RETRY_LONGEST_MS);
			retry(request, call, false);
			return;
	}
	jibit_request_put_back(request, false);
}

static void
judge_failure(JibitRequest *request, const JibitCall *call)
{
	const JibitError *error = &call->error;

	/* A probe that got any answer of use has found the way free. */
	if (jibit_error_has(error, JIBIT_PAUSES_PROFILE))
		pause_lane(request, call, NULL);
	else if (jibit_error_has(error, JIBIT_PAUSES_INQUIRY))
		pause_lane(request, call, request->inquiry->id);
	else if (jibit_error_has(error, JIBIT_MAY_PASS))
		retry(request, call, jibit_error_has(error, JIBIT_VERDICT));
	else
		jibit_request_fail(request, error, call->attempts > 0);
}

void
jibit_verdict(JibitRequest *request, const JibitCall *call)
{
	if (call->answer == NULL)
		judge_failure(request, call);
	else
		jibit_request_succeed(request, call->answer, call->track_id,
							  !call->cached);
}
