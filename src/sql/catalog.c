/*
 * What the library knows, as rows: error codes and inquiries.
 */
#include "postgres.h"

#include "account/policy.h"
#include "base/compat.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/errors.h"
#include "call/result.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "protocol/inquiries.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(jibit_error_code_list);
Datum
jibit_error_code_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int count;
	const JibitErrorCode *rows = jibit_error_codes(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		const JibitErrorCode *row = &rows[i];
		const JibitErrorMeaning *meaning = &jibit_error_meanings[row->class];
		char *persian;
		Datum values[6];
		bool nulls[6] = {false};

		persian = jibit_utf8_to_server_or_null(row->description_fa,
											   strlen(row->description_fa));
		values[0] = CStringGetTextDatum(row->code);
		values[1] = CStringGetTextDatum(meaning->sqlstate);
		values[2] = CStringGetTextDatum(meaning->condition);
		values[3] = BoolGetDatum(jibit_class_has(row->class, JIBIT_MAY_PASS));
		values[4] = CStringGetTextDatum(row->description);
		if (persian != NULL)
			values[5] = CStringGetTextDatum(persian);
		nulls[5] = persian == NULL;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

static Datum
duration_datum(int64 ms)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->time = ms * 1000;
	return IntervalPGetDatum(interval);
}

PG_FUNCTION_INFO_V1(jibit_inquiry_list);
Datum
jibit_inquiry_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	JibitPolicy policy = jibit_session_policy();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
	{
		const JibitInquiry *inquiry = &jibit_inquiries[i];
		Datum arguments[JIBIT_MAX_PARAMS];
		Datum values[7];
		bool nulls[7] = {false};

		for (int p = 0; p < inquiry->nparams; p++)
			arguments[p] = CStringGetTextDatum(inquiry->params[p].argument);
		values[0] = CStringGetTextDatum(inquiry->id);
		values[1] = PointerGetDatum(construct_array(
			arguments, inquiry->nparams, TEXTOID, -1, false, TYPALIGN_INT));
		values[2] = CStringGetTextDatum(inquiry->path);
		values[3] = BoolGetDatum(inquiry->charged);
		values[4] = BoolGetDatum(inquiry->cacheable);
		values[5] = duration_datum(jibit_policy_cache_ttl(&policy, i));
		nulls[5] = !inquiry->cacheable;
		values[6] = Int32GetDatum(jibit_daily_limit_of[i]);
		nulls[6] = jibit_daily_limit_of[i] < 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
