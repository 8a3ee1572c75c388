/*
 * When a failed call is worth another try.
 *
 * Plain C: what it depends on is given.
 */
#ifndef JIBIT_RETRY_H
#define JIBIT_RETRY_H

#include "base/errorclass.h"

/* An attempt that failed. */
typedef struct JibitRetry
{
	JibitErrorClass class;
	int http_status;
	int retry_after; /* seconds; -1 where the answer has none */
	int attempts;	 /* that have been made, this one included */
	int max_retries;
	long left_ms;  /* the next one must start before that */
	double jitter; /* by chance, from 0 to 1 */
} JibitRetry;

/* How many milliseconds to wait before the next attempt, or -1 for none. */
extern long jibit_retry_pause(const JibitRetry *retry);

#endif /* JIBIT_RETRY_H */
