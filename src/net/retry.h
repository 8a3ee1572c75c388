/*-------------------------------------------------------------------------
 *
 * retry.h
 *	  When a failed call is worth another try.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_RETRY_H
#define JIBIT_RETRY_H

#include "base/errors.h"
#include "net/http.h"

/*
 * How many milliseconds to wait before the next try, or -1 for none.
 * `attempts` have been made, of 1 + `max_retries`; the next must start before
 * `left_ms` are over.
 */
extern long jibit_retry_pause(const JibitError *error,
							  const JibitHttpRequest *request, int attempts,
							  int max_retries, long left_ms);

#endif /* JIBIT_RETRY_H */
