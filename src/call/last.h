/*
 * What is known of the session's latest call, for jibit_last_call().
 */
#ifndef JIBIT_LAST_H
#define JIBIT_LAST_H

#include "call/call.h"

typedef struct JibitLastCall
{
	const char *inquiry;
	char profile[JIBIT_PROFILE_MAX + 1];
	char track_id[JIBIT_TRACK_ID_MAX + 1]; /* empty if none was made */
	int http_status;
	int attempts;
	bool cached;
	bool failed;
	int64 duration_us;
	JibitError error; /* if failed */
} JibitLastCall;

extern void jibit_last_note(const JibitCall *call);

/* NULL before the first. */
extern const JibitLastCall *jibit_last_get(void);

#endif /* JIBIT_LAST_H */
