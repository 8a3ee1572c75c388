/*-------------------------------------------------------------------------
 *
 * retry.c
 *	  When a failed call is worth another try.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "net/retry.h"

/* First pause, doubled with every further one, up to the longest. */
#define PAUSE_FIRST_MS 100
#define PAUSE_LONGEST_MS 5000

/*
 * A timeout has used up its time, and a TLS failure will be the same next
 * time.  "handler.not_found" is an account without that service.
 */
static bool
is_worth_it(const JibitError *error, const JibitHttpRequest *request)
{
	if (request->end != JIBIT_HTTP_ANSWERED &&
		request->end != JIBIT_HTTP_TOO_LARGE)
		return request->end == JIBIT_HTTP_UNRESOLVED ||
			   request->end == JIBIT_HTTP_UNCONNECTED ||
			   request->end == JIBIT_HTTP_BROKEN;
	if (strcmp(error->code, JIBIT_CODE_HANDLER_NOT_FOUND) == 0)
		return false;
	return error->class == JIBIT_SERVICE_FAILING ||
		   (request->status >= 502 && request->status <= 504) ||
		   (request->status == 429 && request->retry_after >= 0);
}

long
jibit_retry_pause(const JibitError *error, const JibitHttpRequest *request,
				  int attempts, int max_retries, long left_ms)
{
	long pause = PAUSE_FIRST_MS;

	if (attempts > max_retries || !is_worth_it(error, request))
		return -1;
	for (int i = 1; i < attempts && pause < PAUSE_LONGEST_MS; i++)
		pause *= 2;
	pause = Min(pause, PAUSE_LONGEST_MS);

	/* Half of it by chance, so that sessions do not come back together. */
	pause = pause / 2 +
			(long) (pg_prng_double(&pg_global_prng_state) * (pause / 2.0));
	if (request->retry_after >= 0)
		pause = Max(pause, (long) request->retry_after * 1000);
	return pause < left_ms ? pause : -1;
}
