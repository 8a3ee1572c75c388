/*
 * What lives as long as one statement of the session.
 *
 * A statement is what the client sends, with all that its functions and
 * triggers run: the outermost run of the executor or of a utility command.
 * Nesting is counted in hooks, as pg_stat_statements does.  At its end, also
 * by an error, everything goes; so it does at COMMIT or ROLLBACK inside a
 * procedure, since what comes after is another transaction; but the number of
 * calls goes on, or a loop with COMMIT would know no limit.
 *
 * Deferred triggers run when the statement is over, one by one and outside of
 * any other: all of a transaction's are taken together as one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "base/config.h"
#include "call/statement.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* An answer as it is kept: its key's data and its track id come behind it. */
typedef struct KeptAnswer
{
	JibitStatementKey key;
	bool strict; /* a trigger may have it */
	const char *track_id;
	JibitAnswer answer;
} KeptAnswer;

/* Small, since the table is moved as it grows. */
typedef struct StatementEntry
{
	const JibitStatementKey *key; /* of a KeptAnswer */
	uint32 hash;
	char status; /* simplehash's */
} StatementEntry;

StaticAssertDecl(offsetof(KeptAnswer, key) == 0,
				 "a key in the table stands for its KeptAnswer");

#define SH_PREFIX answers
#define SH_ELEMENT_TYPE StatementEntry
#define SH_KEY_TYPE const JibitStatementKey *
#define SH_KEY key
#define SH_HASH_KEY(table, k) (k)->hash
#define SH_EQUAL(table, a, b)      \
	((a)->length == (b)->length && \
	 memcmp((a)->data, (b)->data, (a)->length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * The answers may take this share of work_mem, 1 MB of the default: some
 * thousands.  What a statement asks that often and that far apart is in the
 * shared cache.
 */
#define WORK_MEM_SHARE 4

/* Buckets to begin with; the table grows by itself. */
#define INITIAL_ENTRIES 8

static ExecutorRun_hook_type previous_executor_run;
static ExecutorFinish_hook_type previous_executor_finish;
static ProcessUtility_hook_type previous_process_utility;

static int nesting;
static int64 calls;

/* Of the answers; NULL while there are none. */
static MemoryContext context;
static answers_hash *answers;

static void
drop_answers(void)
{
	answers = NULL;
	if (context != NULL)
		MemoryContextDelete(context);
	context = NULL;
}

/*
 * With no statement around it, a trigger is a deferred one, or a subscription's
 * worker fires it, whose calls are no statement's.
 */
static bool
in_deferred_trigger(void)
{
	return nesting == 0 && MyBackendType != B_BG_WORKER &&
		   DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) > 0;
}

static void
leave(void)
{
	if (--nesting == 0 && !in_deferred_trigger())
	{
		drop_answers();
		calls = 0;
	}
}

static void
run_executor(JIBIT_EXECUTOR_RUN_PARAMETERS)
{
	nesting++;
	PG_TRY();
	{
		if (previous_executor_run)
			previous_executor_run(JIBIT_EXECUTOR_RUN_ARGUMENTS);
		else
			standard_ExecutorRun(JIBIT_EXECUTOR_RUN_ARGUMENTS);
	}
	PG_FINALLY();
	{
		leave();
	}
	PG_END_TRY();
}

/* AFTER triggers run here. */
static void
finish_executor(QueryDesc *query)
{
	nesting++;
	PG_TRY();
	{
		if (previous_executor_finish)
			previous_executor_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		leave();
	}
	PG_END_TRY();
}

static void
process_utility(PlannedStmt *statement, const char *source,
				bool read_only_tree, ProcessUtilityContext utility_context,
				ParamListInfo parameters, QueryEnvironment *environment,
				DestReceiver *destination, QueryCompletion *completion)
{
	nesting++;
	PG_TRY();
	{
		if (previous_process_utility)
			previous_process_utility(statement, source, read_only_tree,
									 utility_context, parameters, environment,
									 destination, completion);
		else
			standard_ProcessUtility(statement, source, read_only_tree,
									utility_context, parameters, environment,
									destination, completion);
	}
	PG_FINALLY();
	{
		leave();
	}
	PG_END_TRY();
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	drop_answers();
	if (nesting == 0)
		calls = 0; /* else the procedure's number goes on */
}

void
jibit_statement_init(void)
{
	previous_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = run_executor;
	previous_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish_executor;
	previous_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	RegisterXactCallback(on_transaction_end, NULL);
}

JibitStatementKey
jibit_statement_key(const char *data, int length)
{
	return (JibitStatementKey){
		data, length, hash_bytes((const unsigned char *) data, length)};
}

const JibitAnswer *
jibit_statement_find(JibitStatementKey key, bool strict, const char **track_id)
{
	StatementEntry *entry;
	const KeptAnswer *kept;

	if (answers == NULL || !jibit_statement_cache)
		return NULL;
	entry = answers_lookup(answers, &key);
	if (entry == NULL)
		return NULL;
	kept = (const KeptAnswer *) entry->key;
	if (strict && !kept->strict)
		return NULL;
	*track_id = kept->track_id;
	return &kept->answer;
}

/* A copy in the answers' context. */
static KeptAnswer *
keep_answer(JibitStatementKey key, bool strict, const JibitAnswer *answer,
			const char *track_id)
{
	size_t size = offsetof(KeptAnswer, answer) + JIBIT_ANSWER_SIZE(answer);
	size_t track_id_size = strlen(track_id) + 1;
	KeptAnswer *kept;
	char *rest;

	kept = MemoryContextAlloc(context, size + track_id_size + key.length);
	rest = (char *) kept + size;
	memcpy(&kept->answer, answer, JIBIT_ANSWER_SIZE(answer));
	kept->track_id = memcpy(rest, track_id, track_id_size);
	kept->strict = strict;
	kept->key = key;
	kept->key.data = memcpy(rest + track_id_size, key.data, key.length);
	return kept;
}

void
jibit_statement_store(JibitStatementKey key, bool strict,
					  const JibitAnswer *answer, const char *track_id)
{
	answers_hash *table;
	StatementEntry *entry;
	KeptAnswer *kept;
	bool found;

	if (!jibit_statement_cache || (nesting == 0 && !in_deferred_trigger()))
		return;

	/* Bounded: what has outgrown its memory begins anew. */
	if (context != NULL && MemoryContextMemAllocated(context, true) >
							   (Size) work_mem * 1024 / WORK_MEM_SHARE)
	{
		answers = NULL;
		MemoryContextReset(context);
	}
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "jibit statement",
										ALLOCSET_DEFAULT_SIZES);
	if (answers == NULL)
		answers = answers_create(context, INITIAL_ENTRIES, NULL);

	/* Whole before it is in the table: an error on the way leaves no hole. */
	kept = keep_answer(key, strict, answer, track_id);

	/* Lack of memory for a larger table leaves one that is of no use. */
	table = answers;
	answers = NULL;
	entry = answers_insert(table, &kept->key, &found);
	answers = table;
	if (found)
	{
		/* The later one: a strict one takes the place of one that is not. */
		pfree(unconstify(JibitStatementKey *, entry->key));
		entry->key = &kept->key;
	}
}

bool
jibit_statement_count_call(void)
{
	/* A background worker's calls are no statement's. */
	if (nesting == 0 && !in_deferred_trigger())
		return true;
	if (jibit_max_calls_per_statement > 0 &&
		calls >= jibit_max_calls_per_statement)
		return false;
	calls++;
	return true;
}
