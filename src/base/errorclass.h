/*
 * What follows from a failure.
 *
 * Every failure is of one class; several classes may have one SQLSTATE.  What
 * follows from a class is said in its row of errorlist.h, by traits: code that
 * decides something asks for a trait instead of listing classes.
 *
 * Plain C, so that decisions can be tested without a server.
 */
#ifndef JIBIT_ERRORCLASS_H
#define JIBIT_ERRORCLASS_H

#include <stdbool.h>

typedef enum JibitErrorClass
{
#define JIBIT_ERROR_CLASS(name, sqlstate, condition, traits, hint) \
	JIBIT_##name,
#include "base/errorlist.h"
} JibitErrorClass;

typedef enum JibitTrait
{
	/* The service's word on what was asked: jibit.on_error can warn of it. */
	JIBIT_VERDICT = 1 << 0,

	/* Says nothing of a row: accepted by triggers with unavailable=accept. */
	JIBIT_UNAVAILABLE = 1 << 1,

	/* It may pass by itself: "retryable", and tried again by the queue. */
	JIBIT_MAY_PASS = 1 << 2,

	/* The same call is tried again: jibit.max_retries. */
	JIBIT_RETRIED = 1 << 3,

	/* The service was not reached: the breaker counts it for the profile. */
	JIBIT_BLAMES_WAY = 1 << 4,

	/* The service was reached and fails: counted for the inquiry. */
	JIBIT_BLAMES_INQUIRY = 1 << 5,

	/* Whoever waits for the same attempt gets this failure too. */
	JIBIT_SHARED = 1 << 6,

	/* A batch sends nothing more: the rest would fare the same. */
	JIBIT_ENDS_BATCH = 1 << 7,

	/* A batch raises it: what is set up wrongly is no element's fault. */
	JIBIT_ENDS_STATEMENT = 1 << 8,

	/* The queue pauses the profile's requests: of that inquiry, or all. */
	JIBIT_PAUSES_INQUIRY = 1 << 9,
	JIBIT_PAUSES_PROFILE = 1 << 10
} JibitTrait;

/* What a class means. */
typedef struct JibitErrorMeaning
{
	const char *sqlstate;
	const char *condition; /* what the documentation calls it */
	int traits;
	const char *hint;
} JibitErrorMeaning;

/* By class. */
extern const JibitErrorMeaning jibit_error_meanings[];

static inline bool
jibit_class_has(JibitErrorClass class, JibitTrait trait)
{
	return (jibit_error_meanings[class].traits & trait) != 0;
}

#endif /* JIBIT_ERRORCLASS_H */
