/*
 * The arguments of an inquiry: normalised, checked, put into a URL.
 */
#ifndef JIBIT_ARGUMENTS_H
#define JIBIT_ARGUMENTS_H

#include "base/errors.h"
#include "lib/stringinfo.h"
#include "protocol/inquiries.h"

/*
 * Normalises the arguments (UTF-8, in the parameters' order, NULL for what is
 * not given) into canonical[], palloc'd.  With `validate`, returns false with
 * *error filled for the first that is plainly wrong; without, such an
 * argument is sent as it stands, but never one that is longer than
 * JIBIT_ARGUMENT_MAX or no text.
 */
extern bool jibit_arguments_normalize(const JibitInquiry *inquiry,
									  const char *const *arguments,
									  bool validate, char **canonical,
									  JibitError *error);

/* Is this a valid value for the inquiry's parameter i? */
extern bool jibit_argument_is_valid(const JibitInquiry *inquiry, int i,
									const char *argument);

/* Today for a report's day that is not given, palloc'd; NULL for any other. */
extern char *jibit_argument_default(const JibitParam *param);

/* Appends a normalised argument as the log may show it. */
extern void jibit_argument_append_masked(StringInfo out,
										 const JibitParam *param,
										 const char *canonical);

/* Appends the inquiry's path and query string. */
extern void jibit_arguments_append_target(StringInfo url,
										  const JibitInquiry *inquiry,
										  char *const *canonical);

#endif /* JIBIT_ARGUMENTS_H */
