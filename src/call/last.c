/*
 * What is known of the session's latest call, for jibit_last_call().
 */
#include "postgres.h"

#include "call/last.h"

static JibitLastCall last_call;

void
jibit_last_note(const JibitCall *call)
{
	last_call.inquiry = call->inquiry->id;
	strlcpy(last_call.profile, call->policy->profile,
			sizeof(last_call.profile));
	strlcpy(last_call.track_id, call->track_id, sizeof(last_call.track_id));
	last_call.http_status = call->http_status;
	last_call.attempts = call->attempts;
	last_call.cached = call->cached;
	last_call.duration_us = call->duration_us;
	last_call.failed = call->answer == NULL;
	if (last_call.failed)
		last_call.error = call->error;
}

const JibitLastCall *
jibit_last_get(void)
{
	return last_call.inquiry ? &last_call : NULL;
}
