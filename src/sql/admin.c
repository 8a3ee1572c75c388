/*
 * SQL functions for whoever looks after the extension.
 */
#include "postgres.h"

#include "account/credentials.h"
#include "account/token.h"
#include "base/compat.h"
#include "base/extension.h"
#include "call/last.h"
#include "call/result.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "net/http.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* A required argument as text that is not empty. */
static char *
required_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	char *value = PG_ARGISNULL(i) ? NULL
								  : text_to_cstring(PG_GETARG_TEXT_PP(i));

	if (value == NULL || *value == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must not be empty", name)));
	return value;
}

PG_FUNCTION_INFO_V1(jibit_set_credentials);
Datum
jibit_set_credentials(PG_FUNCTION_ARGS)
{
	char *api_key = required_argument(fcinfo, 0, "api_key");
	char *secret_key = required_argument(fcinfo, 1, "secret_key");
	char *profile = required_argument(fcinfo, 2, "profile");
	char *base_url = NULL;

	if (strlen(profile) > JIBIT_PROFILE_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("profile name is longer than %d bytes",
							   JIBIT_PROFILE_MAX)));
	if (!PG_ARGISNULL(3))
	{
		bool is_plain;
		const char *why;

		base_url = required_argument(fcinfo, 3, "base_url");
		why = jibit_http_check_url(base_url, &is_plain);
		if (why != NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("invalid base_url"), errdetail("%s", why)));
	}
	jibit_credentials_set(profile, api_key, secret_key, base_url);
	PG_RETURN_VOID();
}

/* Trigger on jibit_credentials, of rows and statements: every session reads it anew. */
PG_FUNCTION_INFO_V1(jibit_credentials_trigger);
Datum
jibit_credentials_trigger(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(
			ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg(
				 "jibit_credentials_trigger() can be called as a trigger only")));
	jibit_credentials_changed(
		RelationGetRelid(((TriggerData *) fcinfo->context)->tg_relation));
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(jibit_forget_tokens);
Datum
jibit_forget_tokens(PG_FUNCTION_ARGS)
{
	jibit_require_preload();
	jibit_token_forget();
	PG_RETURN_VOID();
}

/* A timestamp, or NULL for 0. */
static Datum
timestamp_datum(TimestampTz time, bool *isnull)
{
	*isnull = time == 0;
	return TimestampTzGetDatum(time);
}

PG_FUNCTION_INFO_V1(jibit_token_status_list);
Datum
jibit_token_status_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	JibitTokenStatus *rows;
	int count;

	jibit_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	rows = jibit_token_status(&count);
	for (int i = 0; i < count; i++)
	{
		Datum values[6];
		bool nulls[6] = {false};

		values[0] = CStringGetTextDatum(rows[i].profile);
		values[1] = CStringGetTextDatum(rows[i].state);
		values[2] = timestamp_datum(rows[i].obtained_at, &nulls[2]);
		values[3] = timestamp_datum(rows[i].expires_at, &nulls[3]);
		values[4] = timestamp_datum(rows[i].refresh_expires_at, &nulls[4]);
		values[5] = CStringGetTextDatum(rows[i].last_error);
		nulls[5] = rows[i].last_error[0] == '\0';
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(jibit_last_call);
Datum
jibit_last_call(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const JibitLastCall *last = jibit_last_get();
	Interval *duration;
	Datum values[8];
	bool nulls[8] = {false};

	InitMaterializedSRF(fcinfo, 0);
	if (last == NULL)
		return (Datum) 0;

	duration = palloc0(sizeof(Interval));
	duration->time = last->duration_us;
	values[0] = CStringGetTextDatum(last->inquiry);
	values[1] = CStringGetTextDatum(last->profile);
	values[2] = CStringGetTextDatum(last->track_id);
	nulls[2] = last->track_id[0] == '\0';
	values[3] = Int32GetDatum(last->http_status);
	nulls[3] = last->http_status == 0;
	values[4] = Int32GetDatum(last->attempts);
	values[5] = BoolGetDatum(last->cached);
	values[6] = IntervalPGetDatum(duration);
	if (last->failed)
		values[7] = jibit_error_datum(&last->error);
	nulls[7] = !last->failed;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return (Datum) 0;
}
