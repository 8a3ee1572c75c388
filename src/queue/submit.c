/*
 * Putting requests into the queue, and taking them back.
 *
 * Rows are inserted as the executor would, but without a query for each: a
 * trigger that queues, or an INSERT ... SELECT of many, costs little more
 * than rows of any table.  Nobody is granted anything on the queue; what a
 * user may do there is decided here.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "account/credentials.h"
#include "account/rights.h"
#include "base/config.h"
#include "base/ownerrights.h"
#include "base/subtransaction.h"
#include "call/trackid.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "protocol/arguments.h"
#include "queue/submit.h"
#include "queue/table.h"
#include "shared/workers.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * The worker reads the arguments of many requests at a time.  What is valid is
 * far smaller.
 */
#define ARGUMENTS_MAX 65536

/* Each is a lane of the queue, so there are not too many. */
#define PRIORITY_MAX 100

/* The columns of jibit_queue, in its order. */
typedef enum QueueColumn
{
	COLUMN_ID,
	COLUMN_INQUIRY,
	COLUMN_ARGUMENTS,
	COLUMN_PROFILE,
	COLUMN_PRIORITY,
	COLUMN_STATE,
	COLUMN_ATTEMPTS,
	COLUMN_TRACK_ID,
	COLUMN_SUBMITTED_BY,
	COLUMN_SUBMITTED_AT,
	COLUMN_RUN_AFTER,
	COLUMN_FINISHED_AT,
	COLUMN_RESULT,
	COLUMN_ERROR,
	COLUMN_SUBMITTER,
	COLUMN_IS_LOCAL,
	COLUMN_COUNT
} QueueColumn;

/* And their types; those of the extension's own are not looked at. */
static const Oid column_types[COLUMN_COUNT] = {
	[COLUMN_ID] = INT8OID,
	[COLUMN_INQUIRY] = TEXTOID,
	[COLUMN_ARGUMENTS] = JSONBOID,
	[COLUMN_PROFILE] = TEXTOID,
	[COLUMN_PRIORITY] = INT4OID,
	[COLUMN_STATE] = TEXTOID,
	[COLUMN_ATTEMPTS] = INT4OID,
	[COLUMN_TRACK_ID] = TEXTOID,
	[COLUMN_SUBMITTED_BY] = NAMEOID,
	[COLUMN_SUBMITTED_AT] = TIMESTAMPTZOID,
	[COLUMN_RUN_AFTER] = TIMESTAMPTZOID,
	[COLUMN_FINISHED_AT] = TIMESTAMPTZOID,
	[COLUMN_RESULT] = JSONBOID,
	[COLUMN_ERROR] = InvalidOid,
	[COLUMN_SUBMITTER] = InvalidOid,
	[COLUMN_IS_LOCAL] = InvalidOid,
};

struct JibitSubmission
{
	const JibitInquiry *inquiry;
	Oid ids;
	Relation queue;
	EState *estate;
	ResultRelInfo *target;
	TupleTableSlot *slot;
	MemoryContext row; /* of one row */
	Datum values[COLUMN_COUNT];
};

/*
 * Submitting.
 */

const JibitInquiry *
jibit_submit_find_inquiry(const char *name)
{
	const JibitInquiry *inquiry = jibit_inquiry_by_name(name);

	if (inquiry == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown inquiry \"%s\"", name),
						errhint("The view jibit_inquiries lists them.")));
	return inquiry;
}

/* Rows are made for this table: another one would take them for what they are not. */
static void
check_columns(TupleDesc desc)
{
	bool fits = desc->natts == COLUMN_COUNT;

	for (int i = 0; i < COLUMN_COUNT && fits; i++)
		fits = column_types[i] == InvalidOid ||
			   TupleDescAttr(desc, i)->atttypid == column_types[i];
	if (!fits)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg(
				 "table jibit_queue has other columns than the library expects"),
			 errhint(
				 "Run ALTER EXTENSION jibit UPDATE, or restart the server with the library that the extension's version needs.")));
}

JibitSubmission *
jibit_submit_begin(const char *inquiry_name, const char *profile)
{
	JibitSubmission *submission = palloc0(sizeof(JibitSubmission));
	const JibitInquiry *inquiry = jibit_submit_find_inquiry(inquiry_name);
	const JibitQueueTable *table = jibit_queue_table(false);
	NameData *user = palloc0(sizeof(NameData));

	if (profile == NULL)
		profile = jibit_profile;
	if (*profile == '\0' || strlen(profile) > JIBIT_PROFILE_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a profile's name has 1 to %d bytes",
							   JIBIT_PROFILE_MAX)));
	PreventCommandIfReadOnly("jibit_submit()");
	jibit_require_right(inquiry, table->schema, GetUserId());
	jibit_credentials_check_role(profile);

	/* Reading the credentials may have had the table's data made anew. */
	table = jibit_queue_table(false);
	submission->inquiry = inquiry;
	submission->ids = table->ids;
	submission->queue = table_open(table->queue, RowExclusiveLock);
	check_columns(RelationGetDescr(submission->queue));
	submission->estate = CreateExecutorState();
	submission->estate->es_output_cid = GetCurrentCommandId(true);
	submission->target = makeNode(ResultRelInfo);
	InitResultRelInfo(submission->target, submission->queue, 1, NULL, 0);
	/* The table has none of its own, and no query runs that could fire any. */
	submission->target->ri_TrigDesc = NULL;
	ExecOpenIndices(submission->target, false);
	submission->slot = MakeSingleTupleTableSlot(
		RelationGetDescr(submission->queue), &TTSOpsVirtual);
	submission->row = AllocSetContextCreate(
		CurrentMemoryContext, "jibit submission", ALLOCSET_SMALL_SIZES);

	namestrcpy(user, GetUserNameFromId(GetUserId(), false));
	submission->values[COLUMN_INQUIRY] = CStringGetTextDatum(inquiry->id);
	submission->values[COLUMN_PROFILE] = CStringGetTextDatum(profile);
	submission->values[COLUMN_STATE] = CStringGetTextDatum("queued");
	submission->values[COLUMN_ATTEMPTS] = Int32GetDatum(0);
	submission->values[COLUMN_SUBMITTED_BY] = NameGetDatum(user);
	submission->values[COLUMN_SUBMITTER] = ObjectIdGetDatum(GetUserId());
	submission->values[COLUMN_IS_LOCAL] = BoolGetDatum(true);
	submission->values[COLUMN_SUBMITTED_AT] = TimestampTzGetDatum(
		GetCurrentTransactionStartTimestamp());
	return submission;
}

static bool
is_argument_of(const JibitInquiry *inquiry, const JsonbValue *name)
{
	for (int i = 0; i < inquiry->nparams; i++)
	{
		const char *argument = inquiry->params[i].argument;

		if (strlen(argument) == (size_t) name->val.string.len &&
			memcmp(argument, name->val.string.val, strlen(argument)) == 0)
			return true;
	}
	return false;
}

static char *
list_arguments(const JibitInquiry *inquiry)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < inquiry->nparams; i++)
		appendStringInfo(&list, "%s\"%s\"%s", i > 0 ? ", " : "",
						 inquiry->params[i].argument,
						 inquiry->params[i].required ? "" : " (optional)");
	return list.len > 0 ? list.data : pstrdup("no arguments");
}

/*
 * The names only: what is wrong with a value shows when the request runs, so
 * that one bad row does not undo an INSERT ... SELECT.
 */
static void
check_arguments(const JibitInquiry *inquiry, Jsonb *arguments)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;

	if (VARSIZE(arguments) > ARGUMENTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments of inquiry \"%s\" are larger than %d bytes",
						inquiry->id, ARGUMENTS_MAX)));
	if (!JB_ROOT_IS_OBJECT(arguments))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments of inquiry \"%s\" are not a JSON object",
						inquiry->id)));
	iterator = JsonbIteratorInit(&arguments->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && !is_argument_of(inquiry, &value))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("inquiry \"%s\" has no argument \"%.*s\"",
								   inquiry->id,
								   pg_mbcliplen(value.val.string.val,
												value.val.string.len, 64),
								   value.val.string.val),
							errhint("It has: %s.", list_arguments(inquiry))));
	}
	for (int i = 0; i < inquiry->nparams; i++)
	{
		const JibitParam *param = &inquiry->params[i];
		JsonbValue found;

		/* A report without a day is today's, as jibit_daily_report() is. */
		if (!param->required || jibit_argument_default(param) != NULL ||
			getKeyJsonValueFromContainer(&arguments->root, param->argument,
										 (int) strlen(param->argument),
										 &found) != NULL)
			continue;
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" of inquiry \"%s\" is missing",
					param->argument, inquiry->id),
			 errhint(
				 "The arguments are a JSON object with the keys %s; a value may be null.",
				 list_arguments(inquiry))));
	}
}

int64
jibit_submit_add(JibitSubmission *submission, Jsonb *arguments,
				 TimestampTz run_after, int priority)
{
	TupleTableSlot *slot = submission->slot;
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	MemoryContext caller;
	int64 id;

	if (priority < -PRIORITY_MAX || priority > PRIORITY_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("priority %d is not between -%d and %d",
							   priority, PRIORITY_MAX, PRIORITY_MAX)));
	MemoryContextReset(submission->row);
	caller = MemoryContextSwitchTo(submission->row);
	check_arguments(submission->inquiry, arguments);
	jibit_make_track_id(track_id);
	id = nextval_internal(submission->ids, false);

	ExecClearTuple(slot);
	memcpy(slot->tts_values, submission->values, sizeof(submission->values));
	memset(slot->tts_isnull, false, COLUMN_COUNT);
	slot->tts_values[COLUMN_ID] = Int64GetDatum(id);
	slot->tts_values[COLUMN_ARGUMENTS] = JsonbPGetDatum(arguments);
	slot->tts_values[COLUMN_PRIORITY] = Int32GetDatum(priority);
	slot->tts_values[COLUMN_TRACK_ID] = CStringGetTextDatum(track_id);
	slot->tts_values[COLUMN_RUN_AFTER] = TimestampTzGetDatum(run_after);
	slot->tts_isnull[COLUMN_FINISHED_AT] = true;
	slot->tts_isnull[COLUMN_RESULT] = true;
	slot->tts_isnull[COLUMN_ERROR] = true;
	ExecStoreVirtualTuple(slot);
	ExecSimpleRelationInsert(submission->target, submission->estate, slot);
	ResetPerTupleExprContext(submission->estate);
	MemoryContextSwitchTo(caller);
	return id;
}

void
jibit_submit_end(JibitSubmission *submission)
{
	ExecCloseIndices(submission->target);
	ExecDropSingleTupleTableSlot(submission->slot);
	FreeExecutorState(submission->estate);
	table_close(submission->queue, NoLock);
	MemoryContextDelete(submission->row);
	jibit_workers_wake_at_commit(false);
}

/*
 * Taking back, looking.
 */

/*
 * Runs a query about one request of the current user's: $1 is its id, $2 the
 * user.  In SPI, with the rights of the queue's owner.
 */
static int
run_for_own(const JibitQueueTable *table, const char *query, int64 id,
			bool read_only)
{
	Oid types[] = {INT8OID, OIDOID};
	Datum values[] = {Int64GetDatum(id), ObjectIdGetDatum(GetUserId())};
	JibitOwnerRights rights;
	int result;

	jibit_become_owner(&rights, table->owner);
	result = SPI_execute_with_args(query, 2, types, values, NULL, read_only,
								   0);
	jibit_stop_being_owner(&rights);
	return result;
}

/* What cancel() takes, and whether it has taken the request back. */
typedef struct Cancelling
{
	int64 id;
	bool done;
} Cancelling;

static void
cancel(void *arg)
{
	const JibitQueueTable *table = jibit_queue_table(false);
	Cancelling *cancelling = arg;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (run_for_own(
			table,
			psprintf(
				"UPDATE %s SET state = 'cancelled', finished_at = pg_catalog.clock_timestamp()"
				" WHERE id = $1 AND submitter = $2 AND is_local AND state = 'queued'",
				table->queue_name),
			cancelling->id, false) != SPI_OK_UPDATE)
		elog(ERROR, "could not cancel a request");
	cancelling->done = SPI_processed > 0;
	SPI_finish();
}

bool
jibit_submit_cancel(int64 id)
{
	Cancelling cancelling = {.id = id};
	ErrorData *error;

	PreventCommandIfReadOnly("jibit_cancel()");

	/*
	 * An UPDATE that has waited for the worker's claim has locked the row also
	 * where it finds it running; the worker must not wait for that.
	 */
	error = jibit_try(cancel, &cancelling, &cancelling.done);
	if (error != NULL)
		ReThrowError(error);
	if (!cancelling.done)
		return false;
	Async_Notify("jibit", psprintf("%lld", (long long) id));
	jibit_workers_wake_at_commit(true);
	return true;
}

bool
jibit_submit_look(int64 id, Datum *request, bool *finished)
{
	const JibitQueueTable *table = jibit_queue_table(false);
	MemoryContext caller = CurrentMemoryContext;
	bool found;
	bool isnull;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	/* What the same statement has submitted shall be seen, and refused. */
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	if (run_for_own(
			table,
			psprintf(
				"SELECT ROW(id, inquiry, arguments, profile, CASE WHEN w.waits THEN 'queued' ELSE state END,"
				" attempts - w.waits::int, submitted_by, submitted_at,"
				" run_after, finished_at, result, error)::%s, finished_at IS NOT NULL, q.xmin"
				" FROM %s q, LATERAL (SELECT state = 'running' AND id <> ALL (%s) AS waits) w"
				" WHERE id = $1 AND submitter = $2",
				table->request_type, table->queue_name, table->called_ids),
			id, true) != SPI_OK_SELECT)
		elog(ERROR, "could not look up a request");
	PopActiveSnapshot();
	found = SPI_processed > 0;
	if (found)
	{
		HeapTuple row = SPI_tuptable->vals[0];
		TupleDesc desc = SPI_tuptable->tupdesc;
		Datum value = SPI_getbinval(row, desc, 1, &isnull);
		TransactionId inserted = DatumGetTransactionId(
			SPI_getbinval(row, desc, 3, &isnull));
		MemoryContext spi;

		*finished = DatumGetBool(SPI_getbinval(row, desc, 2, &isnull));
		if (!*finished && TransactionIdIsCurrentTransactionId(inserted))
			ereport(
				ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("request %lld is not committed yet", (long long) id),
				 errhint(
					 "A request runs after the commit of the transaction that submits it.")));
		spi = MemoryContextSwitchTo(caller);
		*request = datumCopy(value, false, -1);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return found;
}
