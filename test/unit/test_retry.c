/*
 * test_retry.c
 *		When a failed call is tried again, and how soon.
 */
#include "net/retry.h"

#include "testing.h"

/* The first failure of a call that has all the time. */
static JibitRetry
failed(JibitErrorClass class, int http_status, int retry_after)
{
	JibitRetry retry = {.class = class,
						.http_status = http_status,
						.retry_after = retry_after,
						.attempts = 1,
						.max_retries = 2,
						.left_ms = 1000000,
						.jitter = 0};

	return retry;
}

static long
pause_after(int attempts, double jitter)
{
	JibitRetry retry = failed(JIBIT_UNREACHABLE, 0, -1);

	retry.attempts = attempts;
	retry.max_retries = 100;
	retry.jitter = jitter;
	return jibit_retry_pause(&retry);
}

/* The contract's list of what is tried again. */
static const struct
{
	JibitErrorClass class;
	int http_status;
	int retry_after;
	bool retried;
	const char *what;
} cases[] = {
	{JIBIT_UNREACHABLE, 0, -1, true, "no connection"},
	{JIBIT_TIMEOUT, 0, -1, false, "a timeout"},
	{JIBIT_UNTRUSTED, 0, -1, false, "no trust"},
	{JIBIT_SERVICE_FAILING, 500, -1, true, "a failing service"},
	{JIBIT_SERVICE_FAILING, 400, -1, true, "... whatever the status"},
	{JIBIT_NO_HANDLER, 404, -1, false, "no handler"},
	{JIBIT_NO_HANDLER, 503, 1, false, "... whatever the status"},
	{JIBIT_NOT_ACTIVE, 400, -1, false, "a bank that is not active"},
	{JIBIT_NOT_ACTIVE, 501, -1, false, "... with HTTP 501"},
	{JIBIT_NOT_ACTIVE, 502, -1, true, "... with HTTP 502"},
	{JIBIT_REFUSED, 503, -1, true, "HTTP 503"},
	{JIBIT_OTHER, 504, -1, true, "HTTP 504"},
	{JIBIT_NOT_ACTIVE, 505, -1, false, "HTTP 505"},
	{JIBIT_QUOTA, 429, -1, false, "HTTP 429"},
	{JIBIT_QUOTA, 429, 0, true, "... with Retry-After: 0"},
	{JIBIT_QUOTA, 429, 1, true, "... with Retry-After: 1"},
	{JIBIT_DAILY_LIMIT, 429, -1, false, "a daily limit"},
	{JIBIT_NO_CREDIT, 400, 1, false, "no credit"},
	{JIBIT_INVALID_INPUT, 400, -1, false, "a wrong argument"},
	{JIBIT_NOT_AUTHORISED, 403, -1, false, "no authorisation"},
	{JIBIT_BAD_ANSWER, 200, -1, false, "a bad answer"},
	{JIBIT_CONFIGURATION, 0, -1, false, "a wrong setting"},
	{JIBIT_SUSPENDED, 0, -1, false, "a suspension"},
	{JIBIT_LOCAL_LIMIT, 0, -1, false, "a limit"},
};

void
test_retry(void)
{
	JibitRetry retry;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		retry = failed(cases[i].class, cases[i].http_status,
					   cases[i].retry_after);
		ok((jibit_retry_pause(&retry) >= 0) == cases[i].retried, "retry: %s",
		   cases[i].what);
	}

	retry = failed(JIBIT_UNREACHABLE, 0, -1);
	retry.attempts = 2;
	ok(jibit_retry_pause(&retry) >= 0, "retry: a second time");
	retry.attempts = 3;
	ok(jibit_retry_pause(&retry) < 0, "retry: two of them at most");
	retry = failed(JIBIT_UNREACHABLE, 0, -1);
	retry.max_retries = 0;
	ok(jibit_retry_pause(&retry) < 0, "retry: none where none are allowed");

	ok(pause_after(1, 0) == 50 && pause_after(1, 1) == 100 &&
		   pause_after(1, 0.5) == 75,
	   "retry: first 50 to 100 ms, by chance");
	ok(pause_after(2, 1) == 200 && pause_after(3, 1) == 400,
	   "retry: twice as long each time");
	ok(pause_after(7, 1) == 5000 && pause_after(90, 1) == 5000 &&
		   pause_after(90, 0) == 2500,
	   "retry: up to five seconds");

	retry = failed(JIBIT_QUOTA, 429, 7);
	retry.jitter = 1;
	ok(jibit_retry_pause(&retry) == 7000, "retry: Retry-After is honoured");
	retry.left_ms = 7001;
	ok(jibit_retry_pause(&retry) == 7000, "retry: ... where it fits");
	retry.left_ms = 7000;
	ok(jibit_retry_pause(&retry) < 0, "retry: ... and only there");
	retry = failed(JIBIT_SERVICE_FAILING, 503, 0);
	ok(jibit_retry_pause(&retry) == 50, "retry: but not at once");
	retry = failed(JIBIT_UNREACHABLE, 0, -1);
	retry.left_ms = 50;
	ok(jibit_retry_pause(&retry) < 0, "retry: not without time for it");
}
