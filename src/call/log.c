/*-------------------------------------------------------------------------
 *
 * calllog.c
 *	  The line that a call leaves in the server's log, if it shall.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/config.h"
#include "call/log.h"
#include "lib/stringinfo.h"
#include "offline/normalize.h"

/* Of an argument that is no card: this many characters at the end are shown. */
#define SHOWN 2

/* No bank's identifier has a digit: what has may be a card in its place. */
static bool
is_bank_name(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(text);
}

static bool
is_ascii(const char *text)
{
	while (*text && !IS_HIGHBIT_SET(*text))
		text++;
	return *text == '\0';
}

/* Names are not shown at all, nor is what is too short to hide. */
static void
append_masked(StringInfo line, JibitKind kind, const char *value)
{
	size_t length = strlen(value);
	char card[JIBIT_CARD_LENGTH + 1];

	if (kind == JIBIT_KIND_CARD &&
		jibit_mask_card(value, length, card) == JIBIT_VALID)
		appendStringInfoString(line, card);
	else if (kind == JIBIT_KIND_BANK && is_bank_name(value))
		appendStringInfoString(line, value);
	else if (kind == JIBIT_KIND_NAME || length <= 2 * SHOWN ||
			 !is_ascii(value))
		appendStringInfoString(line, "***");
	else
	{
		for (size_t i = 0; i < length - SHOWN; i++)
			appendStringInfoChar(line, '*');
		appendStringInfoString(line, value + length - SHOWN);
	}
}

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
		append_masked(&line, inquiry->params[i].kind, call->canonical[i]);
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
