/*
 * The SQL functions jibit_card_batch() and so on: many inquiries at once.
 *
 * Equal elements are found before anything is sent: what is equal after
 * normalising makes one call, whose outcome all of them get.  Rows come as the
 * calls end; a tuplesort, which goes to disk beyond work_mem, puts them in
 * order.  So the memory of a batch is bounded by its arguments, some 30 bytes
 * for each element, and work_mem.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/extension.h"
#include "call/result.h"
#include "call/run.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "protocol/arguments.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

/* The elements of one argument. */
typedef struct Column
{
	Datum *values; /* text; NULL when the array was not given */
	bool *nulls;
} Column;

/*
 * Elements by what they ask.  128 bits of hash with seeds drawn for each
 * batch stand for the arguments themselves.
 */
typedef struct ElementGroup
{
	uint64 hash;
	uint64 hash2;
	int last; /* the latest element of the group */
	char status;
} ElementGroup;

#define SH_PREFIX groups
#define SH_ELEMENT_TYPE ElementGroup
#define SH_KEY_TYPE uint64
#define SH_KEY hash
#define SH_HASH_KEY(table, key) ((uint32) (key))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define NO_ELEMENT (-1)

/* How long to wait at a time for some call to end: it does by itself. */
#define WAIT_MS 60000

typedef struct Batch
{
	const JibitInquiry *inquiry;
	JibitPolicy policy;
	Column columns[JIBIT_MAX_PARAMS];
	int nelements;
	int next;			/* the element that comes next */
	int *next_equal;	/* of the same group, or NO_ELEMENT */
	bool *is_repeated;	/* an earlier element asks the same */
	JibitRowType *type; /* of an element's result */
	Oid result_type;	/* of its array, where the inquiry returns a set */
	Tuplesortstate *sort;
	TupleTableSlot *slot;
	JibitRun *run;
	int concurrency; /* calls at a time */
	bool is_over;	 /* nothing more is sent, because of `end` */
	JibitError end;
} Batch;

/*
 * Arguments.
 */

static void
read_column(FunctionCallInfo fcinfo, Batch *batch, int i)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(i);
	int count;

	if (ARR_NDIM(array) > 1)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("arguments of a batch must be arrays of one dimension")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &batch->columns[i].values, &batch->columns[i].nulls,
					  &count);
	if (batch->nelements < 0)
		batch->nelements = count;
	else if (batch->nelements != count)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("arguments of a batch must be arrays of the same length"),
			 errdetail(
				 "\"%ss\" has %d elements, the arrays before it have %d.",
				 batch->inquiry->params[i].argument, count,
				 batch->nelements)));
}

/* False where an array that is required is NULL. */
static bool
read_columns(FunctionCallInfo fcinfo, Batch *batch)
{
	batch->nelements = -1;
	for (int i = 0; i < batch->inquiry->nparams; i++)
	{
		if (!PG_ARGISNULL(i))
			read_column(fcinfo, batch, i);
		else if (batch->inquiry->params[i].required)
			return false;
	}
	return true;
}

/* Takes over an element's arguments.  False where a required one is NULL. */
static bool
read_element(const Batch *batch, int element, const char **arguments)
{
	for (int i = 0; i < batch->inquiry->nparams; i++)
	{
		const Column *column = &batch->columns[i];

		arguments[i] = NULL;
		if (column->values != NULL && !column->nulls[element])
		{
			char *argument = TextDatumGetCString(column->values[element]);

			arguments[i] = jibit_server_to_utf8_or_null(argument,
														strlen(argument));
			if (arguments[i] == NULL)
				arguments[i] = JIBIT_NO_TEXT;
		}
		else if (batch->inquiry->params[i].required)
			return false;
	}
	return true;
}

/*
 * Rows.
 */

static void
put_row(Batch *batch, int element, Datum result, Datum error)
{
	TupleTableSlot *slot = batch->slot;

	ExecClearTuple(slot);
	slot->tts_values[0] = Int64GetDatum((int64) element + 1);
	slot->tts_isnull[0] = false;
	slot->tts_values[1] = result;
	slot->tts_isnull[1] = result == (Datum) 0;
	slot->tts_values[2] = error;
	slot->tts_isnull[2] = error == (Datum) 0;
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(batch->sort, slot);
}

static Datum
result_of(const Batch *batch, const JibitCall *call)
{
	JibitAnswerReader reader;
	Datum *rows;
	int nrows = call->answer->nrows;

	jibit_answer_read(&reader, call->answer);
	if (!OidIsValid(batch->result_type))
		return jibit_row_datum(batch->inquiry, batch->type, &reader,
							   call->track_id);

	rows = palloc(Max(nrows, 1) * sizeof(Datum));
	for (int i = 0; i < nrows; i++)
		rows[i] = jibit_row_datum(batch->inquiry, batch->type, &reader,
								  call->track_id);
	return PointerGetDatum(construct_array(rows, nrows, batch->result_type, -1,
										   false, TYPALIGN_DOUBLE));
}

/*
 * Grouping.
 */

/* What an element asks, after normalising; as it stands if that fails. */
static void
hash_element(const Batch *batch, const char *const *arguments,
			 const uint64 *seeds, uint64 *hashes)
{
	char *canonical[JIBIT_MAX_PARAMS];
	JibitError error;
	bool ok = jibit_arguments_normalize(batch->inquiry, arguments,
										jibit_validate, canonical, &error);

	hashes[0] = seeds[0];
	hashes[1] = seeds[1];
	for (int i = 0; i < batch->inquiry->nparams; i++)
	{
		const char *text = ok ? canonical[i] : arguments[i];

		for (int h = 0; h < 2; h++)
			hashes[h] = hash_combine64(
				hashes[h], text ? hash_bytes_extended(
									  (const unsigned char *) text,
									  (int) strlen(text), seeds[h] + i + 1)
								: (uint64) i);
	}
}

/*
 * Chains the elements that ask the same; those with a NULL are done with
 * here.
 */
static void
group_elements(Batch *batch)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(
		caller, "jibit batch element", ALLOCSET_SMALL_SIZES);
	MemoryContext table_context = AllocSetContextCreate(
		caller, "jibit batch groups", ALLOCSET_DEFAULT_SIZES);
	groups_hash *table = groups_create(table_context, 256, NULL);
	uint64 seeds[2];

	seeds[0] = pg_prng_uint64(&pg_global_prng_state);
	seeds[1] = pg_prng_uint64(&pg_global_prng_state);
	batch->next_equal = MemoryContextAllocHuge(
		caller, sizeof(int) * Max(batch->nelements, 1));
	batch->is_repeated = palloc0(Max(batch->nelements, 1));

	MemoryContextSwitchTo(scratch);
	for (int i = 0; i < batch->nelements; i++)
	{
		const char *arguments[JIBIT_MAX_PARAMS];
		uint64 hashes[2];
		ElementGroup *group;
		bool found;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		batch->next_equal[i] = NO_ELEMENT;
		if (!read_element(batch, i, arguments))
		{
			put_row(batch, i, (Datum) 0, (Datum) 0);
			batch->is_repeated[i] = true;
			continue;
		}
		hash_element(batch, arguments, seeds, hashes);
		group = groups_insert(table, hashes[0], &found);
		if (!found)
			group->hash2 = hashes[1];
		else if (group->hash2 == hashes[1])
		{
			batch->next_equal[group->last] = i;
			batch->is_repeated[i] = true;
		}
		else
			continue; /* two that differ: each makes its own call */
		group->last = i;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	MemoryContextDelete(table_context);
}

/*
 * Calls.
 */

/* The next element to ask, or NO_ELEMENT. */
static int
next_element(Batch *batch)
{
	while (batch->next < batch->nelements && batch->is_repeated[batch->next])
		batch->next++;
	return batch->next < batch->nelements ? batch->next++ : NO_ELEMENT;
}

/* The same row for all elements of a group. */
static void
put_group(Batch *batch, int element, Datum result, Datum error)
{
	for (; element != NO_ELEMENT; element = batch->next_equal[element])
		put_row(batch, element, result, error);
}

static void
start_call(Batch *batch, int element)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	JibitCall *call = jibit_run_new_call(batch->run, &context);

	MemoryContextSwitchTo(context);
	call->inquiry = batch->inquiry;
	call->policy = &batch->policy;
	call->tag = element;
	(void) read_element(batch, element, call->arguments);
	MemoryContextSwitchTo(caller);
	jibit_run_start(batch->run, call);
}

static void
end_call(Batch *batch, const JibitCall *call)
{
	Datum result = (Datum) 0;
	Datum error = (Datum) 0;

	if (call->answer != NULL &&
		!jibit_answer_fits(batch->inquiry, call->answer))
	{
		JibitError unrepresentable;

		jibit_error_set_unrepresentable(&unrepresentable, NULL,
										call->track_id);
		error = jibit_error_datum(&unrepresentable);
	}
	else if (call->answer != NULL)
		result = result_of(batch, call);
	else if (jibit_error_has(&call->error, JIBIT_ENDS_STATEMENT))
		jibit_error_report(ERROR, batch->inquiry->id, &call->error);
	else
		error = jibit_error_datum(&call->error);
	put_group(batch, (int) call->tag, result, error);

	/* The rest would get the same error. */
	if (call->answer == NULL && !batch->is_over &&
		jibit_error_has(&call->error, JIBIT_ENDS_BATCH))
	{
		batch->is_over = true;
		batch->end = call->error;
		batch->end.track_id[0] = '\0';
		jibit_run_stop(batch->run, &batch->end);
	}
}

/* Makes the calls, and puts the rows as they end. */
static void
make_calls(Batch *batch)
{
	MemoryContext row_context = AllocSetContextCreate(
		CurrentMemoryContext, "jibit batch row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	int element = next_element(batch);

	while (element != NO_ELEMENT || jibit_run_count(batch->run) > 0)
	{
		JibitCall *call;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(row_context);
		if (element != NO_ELEMENT && batch->is_over)
			put_group(batch, element, (Datum) 0,
					  jibit_error_datum(&batch->end));
		else if (element != NO_ELEMENT &&
				 jibit_run_count(batch->run) < batch->concurrency)
			start_call(batch, element);
		else
		{
			call = jibit_run_wait(batch->run, WAIT_MS);
			if (call == NULL)
				continue;
			end_call(batch, call);
			jibit_run_free_call(batch->run, call);
			continue;
		}
		element = next_element(batch);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
}

/* The type of an element's result: of the second column, or its element. */
static void
find_result_type(Batch *batch, TupleDesc desc)
{
	Oid type = TupleDescAttr(desc, 1)->atttypid;
	TupleDesc row_desc;

	if (JIBIT_INQUIRY_IS_SET(batch->inquiry))
	{
		type = get_element_type(type);
		batch->result_type = type;
	}
	row_desc = lookup_rowtype_tupdesc(type, -1);
	batch->type = jibit_row_type(batch->inquiry, row_desc);
	ReleaseTupleDesc(row_desc);
}

static Datum
run_batch(FunctionCallInfo fcinfo, const JibitInquiry *inquiry)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Batch *batch = palloc0(sizeof(Batch));
	TupleDesc desc;
	AttrNumber sort_column = 1;
	Oid sort_operator = Int8LessOperator;
	Oid sort_collation = InvalidOid;
	bool nulls_first = false;

	jibit_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	desc = rsinfo->setDesc;
	batch->inquiry = inquiry;
	if (!read_columns(fcinfo, batch))
		return (Datum) 0;
	find_result_type(batch, desc);
	batch->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	batch->sort = tuplesort_begin_heap(desc, 1, &sort_column, &sort_operator,
									   &sort_collation, &nulls_first, work_mem,
									   NULL, TUPLESORT_NONE);
	group_elements(batch);

	batch->policy = jibit_session_policy();
	batch->policy.wait_suspended = true;
	batch->policy.timed_from_place = true;
	batch->concurrency = jibit_batch_concurrency;
	batch->run = jibit_run_begin();
	PG_TRY();
	{
		make_calls(batch);
	}
	PG_FINALLY();
	{
		jibit_run_end(batch->run);
	}
	PG_END_TRY();

	tuplesort_performsort(batch->sort);
	ExecDropSingleTupleTableSlot(batch->slot);
	batch->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	while (tuplesort_gettupleslot(batch->sort, true, false, batch->slot, NULL))
		tuplestore_puttupleslot(rsinfo->setResult, batch->slot);
	ExecDropSingleTupleTableSlot(batch->slot);
	tuplesort_end(batch->sort);
	return (Datum) 0;
}

#define DEFINE(id)                                                      \
	PG_FUNCTION_INFO_V1(jibit_##id##_batch);                            \
	Datum jibit_##id##_batch(PG_FUNCTION_ARGS)                          \
	{                                                                   \
		return run_batch(fcinfo, &jibit_inquiries[JIBIT_INQUIRY_##id]); \
	}
JIBIT_EACH_INQUIRY(DEFINE)
#undef DEFINE
