/*
 * Statistics and the shared cache, for SQL.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/extension.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "protocol/inquiries.h"
#include "shared/cache.h"
#include "shared/stats.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

static Datum
ms_datum(double us)
{
	return Float8GetDatum(us / 1000);
}

PG_FUNCTION_INFO_V1(jibit_stats_list);
Datum
jibit_stats_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	JibitStatsRow *rows;
	int count;

	jibit_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	rows = jibit_stats_rows(&count);
	for (int i = 0; i < count; i++)
	{
		JibitStatsRow *row = &rows[i];
		bool none = row->calls == 0;
		Datum values[16];
		bool nulls[16] = {false};

		values[0] = CStringGetTextDatum(jibit_inquiry_names[row->inquiry]);
		values[1] = CStringGetTextDatum(row->profile);
		values[2] = Int64GetDatum(row->calls);
		values[3] = Int64GetDatum(row->succeeded);
		values[4] = Int64GetDatum(row->failed);
		values[5] = Int64GetDatum(row->cache_hits);
		values[6] = Int64GetDatum(row->statement_hits);
		values[7] = Int64GetDatum(row->retries);
		values[8] = CStringGetTextDatum(row->last_error);
		nulls[8] = row->last_error[0] == '\0';
		values[9] = Int64GetDatum(row->bytes_received);
		values[10] = ms_datum((double) row->total_us);
		values[11] = ms_datum(none ? 0 : (double) row->total_us / row->calls);
		values[12] = ms_datum((double) row->max_us);
		values[13] = ms_datum(row->p50_us);
		values[14] = ms_datum(row->p95_us);
		values[15] = ms_datum(row->p99_us);
		for (int c = 11; c < lengthof(nulls); c++)
			nulls[c] = none;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(jibit_stats_reset_sql);
Datum
jibit_stats_reset_sql(PG_FUNCTION_ARGS)
{
	jibit_require_preload();
	jibit_stats_reset();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(jibit_cache_clear_sql);
Datum
jibit_cache_clear_sql(PG_FUNCTION_ARGS)
{
	int kind = -1;

	jibit_require_preload();
	if (!PG_ARGISNULL(0))
	{
		char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

		for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
		{
			if (strcmp(jibit_inquiry_names[i], name) == 0)
				kind = i;
		}
		if (kind < 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("unknown inquiry \"%s\"", name),
							errhint("The view jibit_inquiries lists them.")));
	}
	PG_RETURN_INT64(jibit_cache_clear(MyDatabaseId, kind));
}
