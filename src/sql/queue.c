/*
 * SQL functions of the queue: jibit_submit() and so on, and the trigger
 * that submits.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/extension.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "queue/counts.h"
#include "queue/pauses.h"
#include "queue/submit.h"
#include "queue/table.h"
#include "shared/workers.h"
#include "sql/firing.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* While waiting for a result: how often to look without being told. */
#define LOOK_MS 1000

/* A required argument; NULL is none. */
static void
require_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must not be NULL", name)));
}

PG_FUNCTION_INFO_V1(jibit_submit);
Datum
jibit_submit(PG_FUNCTION_ARGS)
{
	JibitSubmission *submission;
	TimestampTz run_after;
	int64 id;

	jibit_require_preload();
	require_argument(fcinfo, 0, "inquiry");
	require_argument(fcinfo, 1, "arguments");
	run_after = PG_ARGISNULL(3) ? GetCurrentTransactionStartTimestamp()
								: PG_GETARG_TIMESTAMPTZ(3);
	submission = jibit_submit_begin(
		text_to_cstring(PG_GETARG_TEXT_PP(0)),
		PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	id = jibit_submit_add(submission, PG_GETARG_JSONB_P(1), run_after,
						  PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4));
	jibit_submit_end(submission);
	PG_RETURN_INT64(id);
}

PG_FUNCTION_INFO_V1(jibit_submit_batch);
Datum
jibit_submit_batch(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	JibitSubmission *submission;
	ArrayIterator iterator;
	Datum element;
	bool isnull;

	jibit_require_preload();
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	require_argument(fcinfo, 0, "inquiry");
	require_argument(fcinfo, 1, "arguments");
	submission = jibit_submit_begin(text_to_cstring(PG_GETARG_TEXT_PP(0)),
									NULL);
	iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(1), 0, NULL);
	while (array_iterate(iterator, &element, &isnull))
	{
		Datum id;

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("elements of arguments must not be NULL")));
		id = Int64GetDatum(
			jibit_submit_add(submission, DatumGetJsonbP(element), now, 0));
		isnull = false;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &id, &isnull);
	}
	array_free_iterator(iterator);
	jibit_submit_end(submission);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(jibit_cancel);
Datum
jibit_cancel(PG_FUNCTION_ARGS)
{
	jibit_require_preload();
	PG_RETURN_BOOL(jibit_submit_cancel(PG_GETARG_INT64(0)));
}

PG_FUNCTION_INFO_V1(jibit_resume);
Datum
jibit_resume(PG_FUNCTION_ARGS)
{
	char *profile = NULL;
	char *inquiry = NULL;
	int64 resumed;

	jibit_require_preload();
	PreventCommandIfReadOnly("jibit_resume()");
	if (!PG_ARGISNULL(0))
		profile = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1))
	{
		inquiry = text_to_cstring(PG_GETARG_TEXT_PP(1));
		(void) jibit_submit_find_inquiry(inquiry);
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	resumed = jibit_pauses_resume(jibit_queue_table(false), profile, inquiry);
	SPI_finish();
	if (resumed > 0)
		jibit_workers_wake_at_commit(false);
	PG_RETURN_INT64(resumed);
}

PG_FUNCTION_INFO_V1(jibit_called_ids);
Datum
jibit_called_ids(PG_FUNCTION_ARGS)
{
	int64 *ids;
	Datum *values;
	int count = 0;

	/* Without the library's memory there is no worker. */
	if (jibit_preloaded)
		count = jibit_workers_called(&ids);
	values = palloc((count + 1) * sizeof(Datum));
	for (int i = 0; i < count; i++)
		values[i] = Int64GetDatum(ids[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, count, INT8OID,
										  sizeof(int64), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(jibit_queue_changed);
Datum
jibit_queue_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(
			ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("jibit_queue_changed() is the trigger of jibit_queue")));
	jibit_counts_note(trigger);
	return PointerGetDatum(NULL);
}

/* When an interval from now is over, by the clock of clock.h. */
static int64
deadline_after(const Interval *wait)
{
	double seconds = wait->time / 1e6 + (double) wait->day * SECS_PER_DAY +
					 (double) wait->month * DAYS_PER_MONTH * SECS_PER_DAY;

	/* A year is for ever. */
	seconds = Max(Min(seconds, 366.0 * SECS_PER_DAY), 0);
	return jibit_now_us() + (int64) (seconds * 1e6);
}

PG_FUNCTION_INFO_V1(jibit_collect);
Datum
jibit_collect(PG_FUNCTION_ARGS)
{
	int64 id = PG_GETARG_INT64(0);
	int64 deadline;
	Datum request;
	bool finished;
	bool found;

	jibit_require_preload();
	deadline = deadline_after(PG_GETARG_INTERVAL_P(1));
	found = jibit_submit_look(id, &request, &finished);
	if (found && !finished && jibit_ms_until(deadline) > 0)
	{
		jibit_workers_prepare_to_wait();
		for (;;)
		{
			long left_ms = jibit_ms_until(deadline);

			found = jibit_submit_look(id, &request, &finished);
			if (!found || finished || left_ms == 0)
				break;
			jibit_workers_wait(Min(left_ms, LOOK_MS));
		}
		jibit_workers_end_wait();
	}
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(request);
}

/*
 * The trigger.
 */

static void
refuse_trigger(int sqlstate, const char *message)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("trigger function jibit_queue_inquiry(): %s", message)));
}

static AttrNumber
find_column(Relation relation, const char *name)
{
	TupleDesc desc = RelationGetDescr(relation);
	int number = SPI_fnumber(desc, name);
	char generated;

	if (number <= 0)
		refuse_trigger(ERRCODE_UNDEFINED_COLUMN,
					   psprintf("column \"%s\" of table \"%s\" does not exist",
								name, RelationGetRelationName(relation)));

	/* One that is not stored is not known either. */
	generated = TupleDescAttr(desc, number - 1)->attgenerated;
	if (generated != '\0' && generated != ATTRIBUTE_GENERATED_STORED)
		refuse_trigger(
			ERRCODE_INVALID_COLUMN_REFERENCE,
			psprintf("column \"%s\" is generated and not stored", name));
	return (AttrNumber) number;
}

/* Also where its column is NULL, so that a misspelt name shows at once. */
static const JibitParam *
find_param(const JibitInquiry *inquiry, const char *argument)
{
	for (int i = 0; i < inquiry->nparams; i++)
	{
		if (strcmp(inquiry->params[i].argument, argument) == 0)
			return &inquiry->params[i];
	}
	refuse_trigger(ERRCODE_INVALID_PARAMETER_VALUE,
				   psprintf("inquiry \"%s\" has no argument \"%s\"",
							inquiry->id, argument));
	return NULL; /* not reached */
}

/* What a firing of the trigger is to submit. */
typedef struct Firing
{
	const char *profile; /* NULL: the session's */
	bool is_changed;	 /* or inserted */
	bool is_complete;	 /* no required argument is NULL */
	Jsonb *arguments;
} Firing;

static void
read_row(Firing *firing, const TriggerData *trigger,
		 const JibitInquiry *inquiry)
{
	Relation relation = trigger->tg_relation;
	TupleDesc desc = RelationGetDescr(relation);
	bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple row = is_update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Datum *strings = palloc(sizeof(Datum) * 2 * trigger->tg_trigger->tgnargs);
	int nstrings = 0;

	firing->is_changed = !is_update;
	firing->is_complete = true;
	for (int i = 1; i < trigger->tg_trigger->tgnargs; i++)
	{
		char *argument = pstrdup(trigger->tg_trigger->tgargs[i]);
		char *name = strchr(argument, '=');
		const JibitParam *param;
		AttrNumber column;
		char *text;

		if (name == NULL)
			refuse_trigger(
				ERRCODE_INVALID_PARAMETER_VALUE,
				psprintf("\"%s\" is not of the form argument=column",
						 argument));
		*name++ = '\0';
		if (jibit_option_is_repeated(trigger->tg_trigger->tgargs, 1, i))
			refuse_trigger(ERRCODE_INVALID_PARAMETER_VALUE,
						   psprintf("\"%s\" is given twice", argument));
		if (strcmp(argument, "profile") == 0)
		{
			firing->profile = name;
			continue;
		}
		param = find_param(inquiry, argument);
		column = find_column(relation, name);
		if (is_update &&
			!jibit_column_is_same(desc, column, trigger->tg_trigtuple, row))
			firing->is_changed = true;
		text = jibit_column_text(desc, column, row);
		if (text == NULL)
		{
			if (param->required)
				firing->is_complete = false;
			continue;
		}
		strings[nstrings++] = CStringGetTextDatum(argument);
		strings[nstrings++] = CStringGetTextDatum(text);
	}
	firing->arguments = DatumGetJsonbP(DirectFunctionCall1(
		jsonb_object,
		PointerGetDatum(construct_array(strings, nstrings, TEXTOID, -1, false,
										TYPALIGN_INT))));
}

PG_FUNCTION_INFO_V1(jibit_queue_inquiry);
Datum
jibit_queue_inquiry(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const JibitInquiry *inquiry;
	JibitSubmission *submission;
	Firing firing = {0};

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		refuse_trigger(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
					   "must be fired AFTER INSERT OR UPDATE, FOR EACH ROW");
	jibit_require_preload();
	if (trigger->tg_trigger->tgnargs < 1)
		refuse_trigger(ERRCODE_INVALID_PARAMETER_VALUE,
					   "the first argument must name an inquiry");
	inquiry = jibit_submit_find_inquiry(trigger->tg_trigger->tgargs[0]);
	read_row(&firing, trigger, inquiry);
	if (!firing.is_changed || !firing.is_complete)
		return PointerGetDatum(NULL);

	submission = jibit_submit_begin(inquiry->id, firing.profile);
	(void) jibit_submit_add(submission, firing.arguments,
							GetCurrentTransactionStartTimestamp(), 0);
	jibit_submit_end(submission);
	return PointerGetDatum(NULL);
}
