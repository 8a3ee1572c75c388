/*
 * When a failed call is worth another try.
 */
#include "net/retry.h"

/* First pause, doubled with every further one, up to the longest. */
#define PAUSE_FIRST_MS 100
#define PAUSE_LONGEST_MS 5000

/*
 * Some statuses say that it may pass, whatever the class: those of a gateway,
 * and too many calls at a time where the answer says for how long.
 */
static bool
is_worth_it(const JibitRetry *retry)
{
	if (retry->class == JIBIT_NO_HANDLER)
		return false;
	return jibit_class_has(retry->class, JIBIT_RETRIED) ||
		   (retry->http_status >= 502 && retry->http_status <= 504) ||
		   (retry->http_status == 429 && retry->retry_after >= 0);
}

long
jibit_retry_pause(const JibitRetry *retry)
{
	long pause = PAUSE_FIRST_MS;

	if (retry->attempts > retry->max_retries || !is_worth_it(retry))
		return -1;
	for (int i = 1; i < retry->attempts && pause < PAUSE_LONGEST_MS; i++)
		pause *= 2;
	if (pause > PAUSE_LONGEST_MS)
		pause = PAUSE_LONGEST_MS;

	/* Half of it by chance, so that sessions do not come back together. */
	pause = pause / 2 + (long) (retry->jitter * (double) (pause / 2));
	if (pause < retry->retry_after * 1000L)
		pause = retry->retry_after * 1000L;
	return pause < retry->left_ms ? pause : -1;
}
