/*
 * The line that a call leaves in the server's log, if it shall.
 */
#ifndef JIBIT_LOG_H
#define JIBIT_LOG_H

#include "protocol/inquiries.h"

/* What the line says of a call that was sent. */
typedef struct JibitLoggedCall
{
	const JibitInquiry *inquiry;
	char *const *canonical; /* its normalised arguments, which are masked */
	const char *profile;
	const char *error_code; /* NULL: it succeeded */
	const char *track_id;
	int http_status;
	int attempts;
	int64 duration_us;
} JibitLoggedCall;

/* Logs a call, if jibit.log_calls says so. */
extern void jibit_log_call(const JibitLoggedCall *call);

#endif /* JIBIT_LOG_H */
