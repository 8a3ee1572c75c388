/*
 * What follows from a failure.
 */
#include "base/errorclass.h"

const JibitErrorMeaning jibit_error_meanings[] = {
#define JIBIT_ERROR_CLASS(name, sqlstate, condition, traits, hint) \
	[JIBIT_##name] = {sqlstate, condition, traits, hint},
#include "base/errorlist.h"
};
