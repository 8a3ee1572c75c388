/*
 * The line that a call leaves in the server's log, if it shall.
 */
#include "postgres.h"

#include "base/config.h"
#include "call/log.h"
#include "protocol/arguments.h"

void
jibit_log_call(const JibitLoggedCall *call)
{
	const JibitInquiry *inquiry = call->inquiry;
	StringInfoData line;

	if (jibit_log_calls == JIBIT_LOG_CALLS_OFF ||
		(jibit_log_calls == JIBIT_LOG_CALLS_ERRORS &&
		 call->error_code == NULL))
		return;

	initStringInfo(&line);
	for (int i = 0; i < inquiry->nparams; i++)
	{
		if (call->canonical[i] == NULL)
			continue;
		appendStringInfo(&line, "%s%s=", line.len > 0 ? ", " : "",
						 inquiry->params[i].argument);
		jibit_argument_append_masked(&line, &inquiry->params[i],
									 call->canonical[i]);
	}
	/* The statement may hold what has just been masked. */
	ereport(
		LOG,
		(errmsg(
			 "jibit call %s(%s): %s, profile %s, HTTP status %d, %d attempts, %.3f ms, track id %s",
			 inquiry->id, line.data,
			 call->error_code ? call->error_code : "succeeded", call->profile,
			 call->http_status, call->attempts,
			 (double) call->duration_us / 1000, call->track_id),
		 errhidestmt(true), errhidecontext(true)));
	pfree(line.data);
}
