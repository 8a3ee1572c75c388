/*
 * What the worker takes out of the queue, and what it brings back.
 *
 * The queue has lanes, one for each profile, inquiry and priority in it; the
 * index of what is not finished is in their order, so the lanes are found by
 * skipping through it, and in each lane the oldest due requests come first.
 * So what is paused, or due later, costs nothing however much of it there is.
 *
 * Claiming and returning change no indexed column but at the end, when the
 * request leaves the index.
 */
#include "postgres.h"

#include "account/rights.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/ownerrights.h"
#include "base/subtransaction.h"
#include "call/result.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "queue/claims.h"
#include "queue/pauses.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* Rows deleted in one transaction, so that none lasts long. */
#define PURGE_BATCH 1000

/* What somebody has locked, to cancel it, may stay after all: look again. */
#define LOCKED_MS 500

/*
 * Plans.
 */

typedef enum QueueQuery
{
	QUERY_LANES,
	QUERY_DUE,
	QUERY_CLAIM,
	QUERY_RETURN,
	QUERY_HELD,
	QUERY_ORPHANS,
	QUERY_RECOVER,
	QUERY_PURGE,
	QUERY_COUNT
} QueueQuery;

/* %1$s is the queue. */
static const char *const query_texts[QUERY_COUNT] = {
	[QUERY_LANES] =
		"WITH RECURSIVE lane AS ("
		"(SELECT profile, inquiry, priority, run_after FROM %1$s"
		" WHERE finished_at IS NULL AND is_local AND state = 'queued'"
		" ORDER BY profile, inquiry, priority, run_after, id LIMIT 1)"
		" UNION ALL"
		" SELECT next.* FROM lane CROSS JOIN LATERAL"
		" (SELECT q.profile, q.inquiry, q.priority, q.run_after FROM %1$s q"
		" WHERE q.finished_at IS NULL AND q.is_local AND q.state = 'queued'"
		" AND (q.profile, q.inquiry, q.priority) > (lane.profile, lane.inquiry, lane.priority)"
		" ORDER BY q.profile, q.inquiry, q.priority, q.run_after, q.id LIMIT 1) next)"
		" SELECT profile, inquiry, priority, run_after FROM lane"
		" ORDER BY priority DESC, run_after",

	/* Lanes with how many each may give, and how many are wanted in all. */
	[QUERY_DUE] =
		"SELECT due.id FROM unnest($1::text[], $2::text[], $3::int[], $4::int[])"
		" AS lane (profile, inquiry, priority, allowed) CROSS JOIN LATERAL"
		" (SELECT q.id, q.run_after FROM %1$s q"
		" WHERE q.finished_at IS NULL AND q.is_local AND q.state = 'queued'"
		" AND q.profile = lane.profile AND q.inquiry = lane.inquiry"
		" AND q.priority = lane.priority AND q.run_after <= clock_timestamp()"
		" ORDER BY q.profile, q.inquiry, q.priority, q.run_after, q.id"
		" LIMIT least(lane.allowed, $5) FOR UPDATE OF q SKIP LOCKED) due"
		" ORDER BY lane.priority DESC, due.run_after, due.id LIMIT $5",

	[QUERY_CLAIM] =
		"WITH due AS (SELECT id FROM %1$s WHERE id = ANY ($1) AND state = 'queued'"
		" FOR UPDATE SKIP LOCKED),"
		" claimed AS (UPDATE %1$s q SET state = 'running', attempts = q.attempts + 1"
		" FROM due WHERE q.id = due.id"
		" RETURNING q.id, q.inquiry, q.arguments, q.profile, q.track_id,"
		" q.submitted_at, q.attempts, q.submitter, q.priority, q.run_after)"
		" SELECT * FROM claimed ORDER BY priority DESC, run_after, id",

	/* The errors by their number: unnest would take the composites apart. */
	[QUERY_RETURN] =
		"UPDATE %1$s q SET state = o.state, result = o.result, error = ($5)[o.n],"
		" attempts = q.attempts - o.uncounted, run_after = coalesce(o.run_after, q.run_after),"
		" finished_at = CASE WHEN o.state <> 'queued' THEN clock_timestamp() END"
		" FROM unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $6::timestamptz[],"
		" $7::int[]) WITH ORDINALITY AS o (id, track_id, state, result, run_after, uncounted, n)"
		" CROSS JOIN LATERAL (SELECT id FROM %1$s f WHERE f.id = o.id"
		" AND f.track_id = o.track_id AND f.state = 'running'"
		" FOR NO KEY UPDATE OF f SKIP LOCKED) free"
		" WHERE q.id = free.id"
		" RETURNING q.id, q.finished_at IS NOT NULL, o.n",

	/* Those that have not come back, since somebody has them locked. */
	[QUERY_HELD] =
		"SELECT o.n FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS o (id, track_id, n)"
		" JOIN %1$s q ON q.id = o.id AND q.track_id = o.track_id AND q.state = 'running'",

	[QUERY_ORPHANS] =
		"SELECT coalesce(array_agg(id), '{}') FROM %1$s"
		" WHERE finished_at IS NULL AND is_local AND state = 'running' AND ($1 IS NULL OR id = ANY ($1))",

	/*
	 * Any of these may be what the worker died of.  They come back one by one,
	 * not together, and the more often they had a part in it the further apart,
	 * so that the others finish without it.
	 */
	[QUERY_RECOVER] =
		"UPDATE %1$s SET state = 'queued', run_after = clock_timestamp()"
		" + random() * least(2 ^ (attempts - 1), 600) * interval '1 s'"
		" WHERE id IN (SELECT id FROM %1$s WHERE id = ANY ($1) AND state = 'running'"
		" FOR NO KEY UPDATE SKIP LOCKED)",

	[QUERY_PURGE] =
		"DELETE FROM %1$s WHERE id IN (SELECT id FROM %1$s"
		" WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at LIMIT $2"
		" FOR UPDATE SKIP LOCKED)",
};

/* Of the server's queue of notifications, beyond which there are none. */
#define NOTIFY_USAGE_MAX 0.9

/*
 * Of the queue with this OID and name; another one, or one whose schema has
 * another name now, has plans of its own.
 */
static SPIPlanPtr plans[QUERY_COUNT];
static Oid plans_of;
static char *plans_name;

static SPIPlanPtr
get_plan(const JibitQueueTable *table, QueueQuery query, int nargs, Oid *types)
{
	if (plans_of != table->queue || strcmp(plans_name, table->queue_name) != 0)
	{
		char *name = MemoryContextStrdup(TopMemoryContext, table->queue_name);

		for (int i = 0; i < QUERY_COUNT; i++)
		{
			if (plans[i] != NULL)
				SPI_freeplan(plans[i]);
			plans[i] = NULL;
		}
		if (plans_name != NULL)
			pfree(plans_name);
		plans_name = name;
		plans_of = table->queue;
	}
	if (plans[query] == NULL)
	{
		SPIPlanPtr plan = SPI_prepare(
			psprintf(query_texts[query], table->queue_name), nargs, types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare a query of the queue: %s",
				 SPI_result_code_string(SPI_result));
		plans[query] = plan;
	}
	return plans[query];
}

/* With the rights of the queue's owner, whose triggers may be there. */
static void
run(const JibitQueueTable *table, QueueQuery query, int nargs, Oid *types,
	Datum *values, int expected)
{
	SPIPlanPtr plan = get_plan(table, query, nargs, types);
	JibitOwnerRights rights;
	int result;

	jibit_become_owner(&rights, table->owner);
	result = SPI_execute_plan(plan, values, NULL, false, 0);
	jibit_stop_being_owner(&rights);
	if (result != expected)
		elog(ERROR, "query of the queue failed: %s",
			 SPI_result_code_string(result));
}

static Datum
result_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
}

static Datum
text_array(Datum *values, int count)
{
	return PointerGetDatum(
		construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
int_array(Datum *values, int count)
{
	return PointerGetDatum(construct_array(values, count, INT4OID,
										   sizeof(int32), true, TYPALIGN_INT));
}

/*
 * Claiming.
 */

/* A row of QUERY_LANES. */
typedef struct Lane
{
	Datum profile;
	Datum inquiry;
	Datum priority;
	TimestampTz run_after;
	char *profile_name;
	char *inquiry_name;
	bool deferred;
} Lane;

/* The lanes of the queue, and of those the ones that may give something now. */
typedef struct Lanes
{
	Lane *found;
	int nfound;
	int next;  /* of them, not looked at yet */
	int count; /* opened */
	Datum *profiles;
	Datum *inquiries;
	Datum *priorities;
	Datum *allowed;
	bool *is_probe;
} Lanes;

static void
read_lanes(const JibitQueueTable *table, Lanes *lanes)
{
	int count;

	run(table, QUERY_LANES, 0, NULL, NULL, SPI_OK_SELECT);
	count = (int) SPI_processed;
	lanes->found = palloc0((count + 1) * sizeof(Lane));
	for (int i = 0; i < count; i++)
	{
		Lane *lane = &lanes->found[i];
		bool isnull;

		lane->profile = result_value(i, 1, &isnull);
		lane->inquiry = result_value(i, 2, &isnull);
		lane->priority = result_value(i, 3, &isnull);
		lane->run_after = DatumGetTimestampTz(result_value(i, 4, &isnull));
		lane->profile_name = TextDatumGetCString(lane->profile);
		lane->inquiry_name = TextDatumGetCString(lane->inquiry);
	}
	lanes->nfound = count;
	lanes->next = 0;
	lanes->count = 0;
	lanes->profiles = palloc((count + 1) * sizeof(Datum));
	lanes->inquiries = palloc((count + 1) * sizeof(Datum));
	lanes->priorities = palloc((count + 1) * sizeof(Datum));
	lanes->allowed = palloc((count + 1) * sizeof(Datum));
	lanes->is_probe = palloc((count + 1) * sizeof(bool));
}

/* Opens a lane, unless it is paused or has nothing due. */
static void
open_lane(Lanes *lanes, Lane *lane, int wanted, bool is_first_look,
		  TimestampTz *due_at)
{
	TimestampTz again_at;
	JibitAllowance allowance;

	allowance = jibit_pauses_allow(lane->profile_name, lane->inquiry_name,
								   &again_at);
	lane->deferred = false;
	if (allowance == JIBIT_ALLOWS_NOTHING)
		*due_at = Min(*due_at, again_at);
	else if (lane->run_after > GetCurrentTimestamp())
		*due_at = Min(*due_at, lane->run_after);
	else if (allowance == JIBIT_ALLOWS_PROBE && is_first_look &&
			 jibit_pauses_was_probe(lane->profile_name, lane->inquiry_name))
		lane->deferred = true;
	else
	{
		bool is_probe = allowance == JIBIT_ALLOWS_PROBE;

		if (is_probe)
			jibit_pauses_begin_probe(lane->profile_name, lane->inquiry_name);
		lanes->profiles[lanes->count] = lane->profile;
		lanes->inquiries[lanes->count] = lane->inquiry;
		lanes->priorities[lanes->count] = lane->priority;
		lanes->allowed[lanes->count] = Int32GetDatum(is_probe ? 1 : wanted);
		lanes->is_probe[lanes->count] = is_probe;
		lanes->count++;
	}
}

/*
 * Opens the next lanes with something due, as many as are wanted requests at
 * most: they are in the order of what they give first, so those behind would
 * get no turn, unless somebody has locked what these have.  A pause that is
 * over lets one request through, from the first of its lanes whose turn has
 * not been yet.
 */
static void
open_lanes(Lanes *lanes, int wanted, TimestampTz *due_at)
{
	int most = lanes->count + wanted;

	while (lanes->next < lanes->nfound && lanes->count < most)
		open_lane(lanes, &lanes->found[lanes->next++], wanted, true, due_at);
	for (int i = 0; i < lanes->next; i++)
	{
		if (lanes->found[i].deferred)
			open_lane(lanes, &lanes->found[i], wanted, false, due_at);
	}
}

static void
read_claim(JibitClaim *claim, uint64 row)
{
	bool isnull;

	claim->id = DatumGetInt64(result_value(row, 1, &isnull));
	claim->inquiry = TextDatumGetCString(result_value(row, 2, &isnull));
	claim->arguments = DatumGetJsonbPCopy(result_value(row, 3, &isnull));
	claim->profile = TextDatumGetCString(result_value(row, 4, &isnull));
	claim->track_id = TextDatumGetCString(result_value(row, 5, &isnull));
	claim->submitted_at = DatumGetTimestampTz(result_value(row, 6, &isnull));
	claim->attempts = DatumGetInt32(result_value(row, 7, &isnull));
	claim->submitter = DatumGetObjectId(result_value(row, 8, &isnull));
}

/* Marks the claim that is a lane's probe; ends the probe where there is none. */
static void
mark_probe(const Lanes *lanes, int lane, JibitClaim *claims, int count)
{
	const char *profile = TextDatumGetCString(lanes->profiles[lane]);
	const char *inquiry = TextDatumGetCString(lanes->inquiries[lane]);

	for (int i = 0; i < count; i++)
	{
		if (strcmp(claims[i].profile, profile) == 0 &&
			strcmp(claims[i].inquiry, inquiry) == 0)
		{
			claims[i].is_probe = true;
			return;
		}
	}
	jibit_pauses_end_probe(profile, inquiry, false);
}

/* Adds the ids of what is due in the lanes from `first` on. */
static int
find_due(const JibitQueueTable *table, const Lanes *lanes, int first,
		 int wanted, Datum *ids)
{
	int count = lanes->count - first;
	Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID,
				   INT4OID};
	Datum values[] = {text_array(lanes->profiles + first, count),
					  text_array(lanes->inquiries + first, count),
					  int_array(lanes->priorities + first, count),
					  int_array(lanes->allowed + first, count),
					  Int32GetDatum(wanted)};

	run(table, QUERY_DUE, 5, types, values, SPI_OK_SELECT);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		ids[i] = result_value(i, 1, &isnull);
	}
	return (int) SPI_processed;
}

JibitClaim *
jibit_claims_take(const JibitQueueTable *table, int count, int *taken,
				  TimestampTz *due_at)
{
	Oid types[] = {INT8ARRAYOID};
	Datum values[1];
	Datum *ids = palloc(count * sizeof(Datum));
	JibitClaim *claims = palloc0(count * sizeof(JibitClaim));
	Lanes lanes;
	int nids = 0;

	*taken = 0;
	*due_at = DT_NOEND;
	read_lanes(table, &lanes);
	while (nids < count && lanes.next < lanes.nfound)
	{
		int first = lanes.count;

		open_lanes(&lanes, count - nids, due_at);
		if (lanes.count > first)
			nids += find_due(table, &lanes, first, count - nids, ids + nids);
	}
	if (nids > 0)
	{
		values[0] = PointerGetDatum(
			construct_array(ids, nids, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
							TYPALIGN_DOUBLE));
		run(table, QUERY_CLAIM, 1, types, values, SPI_OK_SELECT);
		for (uint64 i = 0; i < SPI_processed; i++)
			read_claim(&claims[i], i);
		*taken = (int) SPI_processed;
	}
	for (int i = 0; i < lanes.count; i++)
	{
		if (lanes.is_probe[i])
			mark_probe(&lanes, i, claims, *taken);
	}
	if (*taken >= count)
		*due_at = DT_NOBEGIN;
	else if (lanes.count > 0)
		*due_at = Min(*due_at, TimestampTzPlusMilliseconds(
								   GetCurrentTimestamp(), LOCKED_MS));
	return claims;
}

/*
 * Returning.
 */

/* The composite type of an inquiry's rows, or NULL where it is not there. */
static JibitRowType *
row_type(const JibitQueueTable *table, const JibitInquiry *inquiry)
{
	Oid function = jibit_inquiry_function(inquiry, table->schema);
	TupleDesc desc;
	JibitRowType *type;

	if (!OidIsValid(function))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("there is no function of inquiry \"%s\"",
							   inquiry->id)));
	desc = lookup_rowtype_tupdesc(get_func_rettype(function), -1);
	type = jibit_row_type(inquiry, desc);
	ReleaseTupleDesc(desc);
	return type;
}

void
jibit_claims_check_type(const JibitQueueTable *table,
						const JibitInquiry *inquiry)
{
	(void) row_type(table, inquiry);
}

/* An answer as jsonb, with the keys of the composite's columns. */
static Datum
answer_datum(const JibitInquiry *inquiry, JibitRowType *type,
			 const JibitOutcome *outcome)
{
	bool is_set = JIBIT_INQUIRY_IS_SET(inquiry);
	JibitAnswerReader reader;
	StringInfoData json;

	initStringInfo(&json);
	if (is_set)
		appendStringInfoChar(&json, '[');
	jibit_answer_read(&reader, outcome->answer);
	for (int i = 0; i < outcome->answer->nrows; i++)
	{
		Datum row = jibit_row_datum(inquiry, type, &reader,
									outcome->answer_track_id);

		if (i > 0)
			appendStringInfoChar(&json, ',');
		appendStringInfoString(
			&json, TextDatumGetCString(DirectFunctionCall1(row_to_json, row)));
	}
	if (is_set)
		appendStringInfoChar(&json, ']');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* What making the jsonb takes, in a subtransaction. */
typedef struct Making
{
	const JibitQueueTable *table;
	const JibitOutcome *outcome;
	Datum answer;
} Making;

static void
make_answer(void *arg)
{
	Making *making = arg;
	const JibitInquiry *inquiry = making->outcome->inquiry;

	making->answer = answer_datum(inquiry, row_type(making->table, inquiry),
								  making->outcome);
}

/*
 * The same, or an error for text that this database's encoding lacks.  Nothing
 * else makes an answer that was paid for fail: it is thrown.
 */
static Datum
answer_or_error(const JibitQueueTable *table, const JibitOutcome *outcome,
				Datum *error)
{
	Making making = {table, outcome, (Datum) 0};
	ErrorData *failure = jibit_try(make_answer, &making, NULL);
	JibitError unrepresentable;

	*error = (Datum) 0;
	if (failure == NULL)
		return making.answer;
	if (failure->sqlerrcode != ERRCODE_UNTRANSLATABLE_CHARACTER)
		ReThrowError(failure);
	jibit_error_set_unrepresentable(
		&unrepresentable,
		jibit_server_to_utf8_or_null(failure->message,
									 strlen(failure->message)),
		outcome->answer_track_id);
	*error = jibit_error_datum(&unrepresentable);
	return (Datum) 0;
}

/* Columns of what is returned, in the order of the query's parameters. */
typedef struct Returned
{
	Datum *ids;
	Datum *track_ids;
	Datum *states;
	Datum *results;
	bool *results_null;
	Datum *errors;
	bool *errors_null;
	Datum *run_afters;
	bool *run_afters_null;
	Datum *uncounted;
} Returned;

static void
put_outcome(const JibitQueueTable *table, Returned *returned, int i,
			const JibitOutcome *outcome)
{
	Datum result = (Datum) 0;
	Datum error = (Datum) 0;

	if (outcome->answer != NULL)
		result = answer_or_error(table, outcome, &error);
	else if (outcome->error != NULL)
		error = jibit_error_datum(outcome->error);
	returned->ids[i] = Int64GetDatum(outcome->id);
	returned->track_ids[i] = CStringGetTextDatum(outcome->track_id);
	returned->states[i] = CStringGetTextDatum(!outcome->finished ? "queued"
											  : result			 ? "succeeded"
																 : "failed");
	returned->results[i] = result;
	returned->results_null[i] = result == (Datum) 0;
	returned->errors[i] = error;
	returned->errors_null[i] = error == (Datum) 0;
	returned->run_afters[i] = TimestampTzGetDatum(outcome->run_after);
	returned->run_afters_null[i] = outcome->finished ||
								   outcome->run_after == 0;
	returned->uncounted[i] = Int32GetDatum(outcome->uncounted ? 1 : 0);
}

static Datum
nullable_array(Datum *values, bool *nulls, int count, Oid type)
{
	int dims[] = {count};
	int bounds[] = {1};
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, bounds,
											  type, length, by_value, align));
}

/*
 * A notification for which there is no room is an error at commit, and would
 * take results with it that were paid for.
 */
static bool
has_room_for_notifications(void)
{
	return DatumGetFloat8(DirectFunctionCall1(pg_notification_queue_usage,
											  (Datum) 0)) < NOTIFY_USAGE_MAX;
}

/* Those that are not written, and are still ours, wait for who has them. */
static void
find_held(const JibitQueueTable *table, Datum *values, JibitOutcome **outcomes,
		  int count)
{
	Oid types[] = {INT8ARRAYOID, TEXTARRAYOID};

	for (int i = 0; i < count; i++)
		outcomes[i]->written = true;
	run(table, QUERY_HELD, lengthof(types), types, values, SPI_OK_SELECT);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		outcomes[DatumGetInt64(result_value(i, 1, &isnull)) - 1]->written =
			false;
	}
}

int
jibit_claims_return(const JibitQueueTable *table, JibitOutcome **outcomes,
					int count)
{
	Oid error_type = jibit_error_type();
	Oid types[] = {INT8ARRAYOID,
				   TEXTARRAYOID,
				   TEXTARRAYOID,
				   JSONBARRAYOID,
				   get_array_type(error_type),
				   TIMESTAMPTZARRAYOID,
				   INT4ARRAYOID};
	Datum values[lengthof(types)];
	Returned returned;
	bool may_notify;
	int finished = 0;

	returned.ids = palloc(count * sizeof(Datum));
	returned.track_ids = palloc(count * sizeof(Datum));
	returned.states = palloc(count * sizeof(Datum));
	returned.results = palloc(count * sizeof(Datum));
	returned.results_null = palloc(count * sizeof(bool));
	returned.errors = palloc(count * sizeof(Datum));
	returned.errors_null = palloc(count * sizeof(bool));
	returned.run_afters = palloc(count * sizeof(Datum));
	returned.run_afters_null = palloc(count * sizeof(bool));
	returned.uncounted = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		outcomes[i]->tried = true;
		put_outcome(table, &returned, i, outcomes[i]);
	}

	values[0] = nullable_array(returned.ids, NULL, count, INT8OID);
	values[1] = text_array(returned.track_ids, count);
	values[2] = text_array(returned.states, count);
	values[3] = nullable_array(returned.results, returned.results_null, count,
							   JSONBOID);
	values[4] = nullable_array(returned.errors, returned.errors_null, count,
							   error_type);
	values[5] = nullable_array(returned.run_afters, returned.run_afters_null,
							   count, TIMESTAMPTZOID);
	values[6] = int_array(returned.uncounted, count);
	run(table, QUERY_RETURN, lengthof(types), types, values,
		SPI_OK_UPDATE_RETURNING);
	may_notify = has_room_for_notifications();
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		outcomes[DatumGetInt64(result_value(i, 3, &isnull)) - 1]->written =
			true;
		if (!DatumGetBool(result_value(i, 2, &isnull)))
			continue;
		if (may_notify)
			Async_Notify("jibit",
						 psprintf("%lld", (long long) DatumGetInt64(
											  result_value(i, 1, &isnull))));
		finished++;
	}
	if (SPI_processed < count)
		find_held(table, values, outcomes, count);
	return finished;
}

/*
 * What a dead worker has left: arrays of ids in TopMemoryContext, what there
 * was and what the transaction under way leaves.
 */
static ArrayType *orphans;
static ArrayType *orphans_left;

/* Of those in `among` (NULL: of all) the ones that are running. */
static ArrayType *
find_running(const JibitQueueTable *table, ArrayType *among)
{
	Oid types[] = {INT8ARRAYOID};
	Datum values[] = {PointerGetDatum(among)};
	SPIPlanPtr plan = get_plan(table, QUERY_ORPHANS, 1, types);
	MemoryContext caller;
	ArrayType *found;
	bool isnull;

	if (SPI_execute_plan(plan, values, among ? NULL : "n", false, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not look for running requests");
	caller = MemoryContextSwitchTo(TopMemoryContext);
	found = DatumGetArrayTypePCopy(result_value(0, 1, &isnull));
	MemoryContextSwitchTo(caller);
	return found;
}

static void
replace(ArrayType **array, ArrayType *by)
{
	if (*array != NULL)
		pfree(*array);
	*array = by;
}

void
jibit_claims_find_orphans(const JibitQueueTable *table)
{
	replace(&orphans, find_running(table, NULL));
}

void
jibit_claims_recover(const JibitQueueTable *table)
{
	Oid types[] = {INT8ARRAYOID};
	Datum values[] = {PointerGetDatum(orphans)};

	run(table, QUERY_RECOVER, 1, types, values, SPI_OK_UPDATE);
	replace(&orphans_left, find_running(table, orphans));
}

bool
jibit_claims_end_recovery(bool committed)
{
	if (orphans_left != NULL && committed)
	{
		replace(&orphans, orphans_left);
		orphans_left = NULL;
	}
	replace(&orphans_left, NULL);
	return orphans == NULL ||
		   ArrayGetNItems(ARR_NDIM(orphans), ARR_DIMS(orphans)) == 0;
}

bool
jibit_claims_purge(const JibitQueueTable *table)
{
	Oid types[] = {TIMESTAMPTZOID, INT4OID};
	Datum values[] = {
		TimestampTzGetDatum(GetCurrentTimestamp() -
							jibit_request_retention_s * USECS_PER_SEC),
		Int32GetDatum(PURGE_BATCH)};

	run(table, QUERY_PURGE, 2, types, values, SPI_OK_DELETE);
	return SPI_processed >= PURGE_BATCH;
}
