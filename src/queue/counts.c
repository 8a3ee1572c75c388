/*
 * How many requests have finished, without looking at them.
 *
 * Whatever statement changes finished requests, the worker's, a cancel, a
 * purge or the COPY of a restore, adds rows to jibit_counts that say by how
 * much.  They are never updated, so nobody waits for anybody, and they live
 * and die with the transaction; their sums are the counts.  The worker sums
 * up what has come together.
 */
#include "postgres.h"

#include "base/ownerrights.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "queue/counts.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

/* So many rows are summed up at least. */
#define COMPACT_MIN 1000

/* Of the second in which a request finished: of older ones it does not matter. */
#define RECENT "pg_catalog.statement_timestamp() - interval '2 minutes'"

static const char finished_rows[] =
	" SELECT submitter, profile, inquiry, state, pg_catalog.date_trunc('second', finished_at) AS second,"
	" %d AS n FROM %s WHERE finished_at IS NOT NULL";

/* Is there a finished request among these?  Most statements change none. */
static bool
has_finished(Tuplestorestate *rows, Relation queue)
{
	TupleDesc desc = RelationGetDescr(queue);
	AttrNumber column = get_attnum(RelationGetRelid(queue), "finished_at");
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	bool found = false;

	/* The place from which a query reads is another one. */
	tuplestore_select_read_pointer(
		rows, tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND));
	tuplestore_rescan(rows);
	while (!found && tuplestore_gettupleslot(rows, true, false, slot))
		found = !slot_attisnull(slot, column);
	tuplestore_select_read_pointer(rows, 0);
	ExecDropSingleTupleTableSlot(slot);
	return found;
}

void
jibit_counts_note(TriggerData *trigger)
{
	Relation queue = trigger->tg_relation;
	const JibitQueueTable *table;
	JibitOwnerRights rights;
	bool plus = trigger->tg_newtable != NULL &&
				has_finished(trigger->tg_newtable, queue);
	bool minus = trigger->tg_oldtable != NULL &&
				 has_finished(trigger->tg_oldtable, queue);
	StringInfoData query;

	if (!plus && !minus && !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		return;
	table = jibit_queue_table(false);
	if (RelationGetRelid(queue) != table->queue)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("\"%s\" is not the queue",
							   RelationGetRelationName(queue))));
	initStringInfo(&query);
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		appendStringInfo(&query, "DELETE FROM %s", table->counts_name);
	else
	{
		appendStringInfo(
			&query,
			"INSERT INTO %s (submitter, profile, inquiry, state, second, n)"
			" SELECT submitter, profile, inquiry, state,"
			" CASE WHEN second >= " RECENT " THEN second END AS s,"
			" pg_catalog.sum(n) FROM (",
			table->counts_name);
		if (plus)
			appendStringInfo(&query, finished_rows, 1,
							 trigger->tg_trigger->tgnewtable);
		if (plus && minus)
			appendStringInfoString(&query, " UNION ALL");
		if (minus)
			appendStringInfo(&query, finished_rows, -1,
							 trigger->tg_trigger->tgoldtable);
		appendStringInfoString(
			&query, ") changed GROUP BY submitter, profile, inquiry, state, s"
					" HAVING pg_catalog.sum(n) <> 0");
	}
	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_register_trigger_data(trigger) < 0)
		elog(ERROR, "could not look at the changed requests");
	jibit_become_owner(&rights, table->counts_owner);
	if (SPI_execute(query.data, false, 0) < 0)
		elog(ERROR, "could not count finished requests");
	jibit_stop_being_owner(&rights);
	SPI_finish();
	pfree(query.data);
}

void
jibit_counts_compact(const JibitQueueTable *table)
{
	/* Rows there were when it was done last, and chances to do it since. */
	static uint64 left = 0;
	static uint64 since = 0;
	char *query;
	JibitOwnerRights rights;

	if (++since < Max(left, COMPACT_MIN))
		return;
	query = psprintf(
		"WITH old AS (DELETE FROM %1$s WHERE ctid = ANY (ARRAY("
		"SELECT ctid FROM %1$s FOR UPDATE SKIP LOCKED)) RETURNING *)"
		" INSERT INTO %1$s (submitter, profile, inquiry, state, second, n)"
		" SELECT submitter, profile, inquiry, state,"
		" CASE WHEN second >= " RECENT " THEN second END AS s,"
		" pg_catalog.sum(n) FROM old"
		" GROUP BY submitter, profile, inquiry, state, s HAVING pg_catalog.sum(n) <> 0",
		table->counts_name);
	jibit_become_owner(&rights, table->counts_owner);
	if (SPI_execute(query, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not sum up %s", table->counts_name);
	jibit_stop_being_owner(&rights);
	left = SPI_processed;
	since = 0;
}
