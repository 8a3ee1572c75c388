/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker that makes a database's queued inquiries.
 *
 * It lives in two alternating states.  In an exchange, a transaction, it
 * brings back what has ended and claims what is due; between two exchanges
 * calls are under way, and no transaction is open: no snapshot, no lock.  So
 * a request is claimed, and that committed, before it is called, and its
 * result is committed before anybody hears of it.  Should the worker die, the
 * next one takes again what was claimed: at least once, with the same track
 * id.
 *
 * It claims somewhat more than can be called at a time, so that a call that
 * ends is followed by the next at once.
 *
 * A failure that belongs to one request returns that request.  Whatever else
 * goes wrong in an exchange ends the worker; the launcher starts it again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/config.h"
#include "call/run.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "queue/claims.h"
#include "queue/pauses.h"
#include "queue/request.h"
#include "queue/verdict.h"
#include "queue/worker.h"
#include "shared/workers.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

/*
 * Results wait at most so long for others, to be written together, while there
 * are few of them; the contract allows 200 ms.
 */
#define FLUSH_MS 80

/*
 * Nor more than this share of the calls that may be under way, since they keep
 * others from beginning.
 */
#define FLUSH_SHARE 8

/* Requests claimed ahead of the calls: at most, whatever the rate. */
#define AHEAD_MAX 2000

/*
 * What was claimed ahead so long ago goes back: since then keys or rights may
 * be others.
 */
#define CLAIM_MS 3000

/* While calls are under way: how soon new requests are noticed. */
#define TURN_MS 50

/*
 * Without anything to do: COMMIT PREPARED wakes nobody, and a replicated
 * change of the credentials may not.
 */
#define IDLE_MS 10000

/* How soon a queue that somebody has locked is tried again. */
#define BLOCKED_MS 50

/* How soon an exchange that waits notices that the worker shall end. */
#define STOP_MS 1000

/* How often finished requests are looked at for their age. */
#define PURGE_MS 60000
#define PURGE_MORE_MS 200

typedef struct RequestList
{
	dlist_head head;
	int count;
} RequestList;

/* The worker.  There is one in a process. */
static RequestList claimed;
static RequestList running;
static RequestList ended;
static bool recovered;		   /* what a dead worker left has been seen to */
static uint32 wakeups_seen;	   /* before the latest exchange */
static TimestampTz due_at;	   /* of what the queue has */
static int64 first_ended_us;   /* of those in `ended` */
static int64 blocked_until_us; /* the queue was locked by somebody */
static TimeoutId stop_timeout;
static int64 purge_us;	  /* when the next purge is due */
static int started_since; /* calls since the latest claims */
static int ahead;		  /* how many to claim ahead */
static JibitRun *run;	  /* of the calls under way */

/*
 * Requests.
 */

static void
push(RequestList *list, JibitRequest *request)
{
	dlist_push_tail(&list->head, &request->node);
	list->count++;
}

static void
drop(RequestList *list, JibitRequest *request)
{
	dlist_delete(&request->node);
	list->count--;
}

static JibitRequest *
pop(RequestList *list)
{
	if (list->count == 0)
		return NULL;
	list->count--;
	return dlist_container(JibitRequest, node,
						   dlist_pop_head_node(&list->head));
}

/* It has ended: to be written with others. */
static void
end_request(JibitRequest *request)
{
	if (ended.count == 0)
		first_ended_us = jibit_now_us();
	push(&ended, request);
}

/*
 * Calls.
 */

/* The next request to call, or NULL. */
static JibitRequest *
next_request(void)
{
	JibitRequest *request;

	while ((request = pop(&claimed)) != NULL)
	{
		TimestampTz again_at;

		if (request->is_probe ||
			(jibit_now_us() - request->claimed_us <=
				 CLAIM_MS * INT64CONST(1000) &&
			 jibit_pauses_allow(request->profile, request->inquiry->id,
								&again_at) == JIBIT_ALLOWS_ALL))
			return request;

		/* Paused since it was claimed, or so long ago that rights change. */
		jibit_request_put_back(request, false);
		end_request(request);
	}
	return NULL;
}

/*
 * Starts calls while there is room.  A call counts until its result is
 * committed: a crash repeats no more than may be under way.
 */
static void
start_calls(void)
{
	JibitRequest *request;

	while (running.count + ended.count < jibit_worker_concurrency &&
		   (request = next_request()) != NULL)
	{
		MemoryContext context;
		JibitCall *call = jibit_run_new_call(run, &context);

		call->inquiry = request->inquiry;
		call->policy = &request->account->policy;
		call->tag = (int64) (intptr_t) request;
		memcpy(call->arguments, request->arguments, sizeof(call->arguments));
		strlcpy(call->track_id, request->track_id, sizeof(call->track_id));
		push(&running, request);
		jibit_request_begin_call(request);
		started_since++;
		jibit_run_start(run, call);
	}
}

/* Waits until some call has ended, for a while, and takes all that have. */
static void
take_calls(long wait_ms)
{
	JibitCall *call;

	while ((call = jibit_run_wait(run, wait_ms)) != NULL)
	{
		JibitRequest *request = (JibitRequest *) (intptr_t) call->tag;

		drop(&running, request);
		jibit_verdict(request, call);
		end_request(request);
		jibit_run_free_call(run, call);
		if (!jibit_run_has_ended(run))
			break;
	}
}

/*
 * Exchanges.
 */

/* Everything is dropped: the queue is gone, and with it what it wanted. */
static void
forget_requests(void)
{
	JibitRequest *request;

	while ((request = pop(&ended)) != NULL)
		jibit_request_free(request);
	while ((request = pop(&claimed)) != NULL)
		jibit_request_free(request);
}

/* Returns how many have finished. */
static int
return_ended(const JibitQueueTable *table)
{
	JibitOutcome *outcomes = palloc((ended.count + 1) * sizeof(JibitOutcome));
	int count = 0;
	dlist_iter iter;

	dlist_foreach (iter, &ended.head)
	{
		JibitRequest *request = dlist_container(JibitRequest, node, iter.cur);

		outcomes[count++] = request->outcome;
	}
	return count > 0 ? jibit_claims_return(table, outcomes, count) : 0;
}

static void
claim(const JibitQueueTable *table)
{
	int room = jibit_worker_concurrency + ahead - claimed.count -
			   running.count;
	JibitClaim *claims;
	List *accounts = NIL;
	int taken;

	if (room <= 0)
	{
		due_at = DT_NOBEGIN;
		return;
	}
	claims = jibit_claims_take(table, room, &taken, &due_at);
	for (int i = 0; i < taken; i++)
	{
		JibitRequest *request = jibit_request_take(table, &claims[i],
												   &accounts);

		if (request->has_ended)
			end_request(request);
		else
			push(&claimed, request);
	}
	jibit_request_leave_accounts(accounts);
}

/* As many calls ahead as have begun since the latest claims, and again. */
static void
set_ahead(void)
{
	ahead = Min(Max(2 * started_since, jibit_worker_concurrency), AHEAD_MAX);
	started_since = 0;
}

/*
 * An exchange that waits, for a lock or a synchronous standby, would keep the
 * server from shutting down.  Losing it costs a repetition at most.
 */
static void
stop_waiting(void)
{
	if (!ShutdownRequestPending)
		return;
	InterruptPending = true;
	ProcDiePending = true;
	SetLatch(MyLatch);
}

/* False where that would have to wait and must not. */
static bool
lock_queue(Oid queue)
{
	if (running.count > 0)
		return ConditionalLockRelationOid(queue, RowExclusiveLock);
	LockRelationOid(queue, RowExclusiveLock);
	return true;
}

static void
exchange(bool claims)
{
	MemoryContext caller = CurrentMemoryContext;
	const JibitQueueTable *table;
	Relation queue = NULL;
	uint32 wakeups = jibit_workers_wakeups();
	int returned = 0;
	int finished = 0;

	enable_timeout_every(
		stop_timeout,
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), STOP_MS), STOP_MS);
	StartTransactionCommand();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	PushActiveSnapshot(GetTransactionSnapshot());
	table = jibit_queue_table(true);
	if (table != NULL && !lock_queue(table->queue))
	{
		/* While calls are under way nothing may be waited for. */
		blocked_until_us = jibit_now_us() + BLOCKED_MS * INT64CONST(1000);
		PopActiveSnapshot();
		SPI_finish();
		CommitTransactionCommand();
		MemoryContextSwitchTo(caller);
		disable_timeout(stop_timeout, false);
		return;
	}
	if (table != NULL)
		queue = try_table_open(table->queue, NoLock);
	if (queue == NULL)
	{
		/* No extension, or it is just going. */
		forget_requests();
		wakeups_seen = wakeups;
		recovered = false;
		due_at = DT_NOEND;
		purge_us = jibit_now_us() + PURGE_MS * INT64CONST(1000);
	}
	else
	{
		/* The name may have changed while we waited for the lock. */
		table = jibit_queue_table(false);
		if (!recovered)
			jibit_claims_recover(table);
		jibit_pauses_load(table);
		returned = ended.count;
		finished = return_ended(table);
		if (claims)
		{
			wakeups_seen = wakeups;
			set_ahead();
			jibit_pauses_review_keys(jibit_request_get_keys);
			claim(table);
		}
		jibit_pauses_save(table);
		if (jibit_now_us() >= purge_us)
			purge_us = jibit_now_us() +
					   (jibit_claims_purge(table) ? PURGE_MORE_MS : PURGE_MS) *
						   INT64CONST(1000);
		table_close(queue, NoLock);
		recovered = true;
	}
	PopActiveSnapshot();
	SPI_finish();
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	disable_timeout(stop_timeout, false);

	if (finished > 0)
		jibit_workers_tell_finished();
	while (returned-- > 0)
		jibit_request_free(pop(&ended));
	first_ended_us = jibit_now_us();
	pgstat_report_stat(false);
}

/*
 * The loop.
 */

static void
reload_settings(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);

	/* A limit of this server's own may be another one now. */
	jibit_pauses_end(NULL, JIBIT_LOCAL_LIMIT);
	due_at = DT_NOBEGIN;
}

static bool
is_woken(void)
{
	return jibit_workers_wakeups() != wakeups_seen;
}

static bool
is_due(void)
{
	return due_at <= GetCurrentTimestamp();
}

/* Was the queue locked by somebody a moment ago, with calls under way? */
static bool
is_blocked(void)
{
	return running.count > 0 && jibit_now_us() < blocked_until_us;
}

/* Have calls nothing to follow them soon, though there is more in the queue? */
static bool
needs_claims(void)
{
	return !is_blocked() &&
		   claimed.count < (jibit_worker_concurrency + 3) / 4 &&
		   (is_woken() || is_due());
}

static bool
must_flush(void)
{
	if (ended.count == 0 || is_blocked())
		return false;
	return running.count + claimed.count == 0 ||
		   ended.count >= Max(jibit_worker_concurrency / FLUSH_SHARE, 1) ||
		   jibit_now_us() - first_ended_us >= FLUSH_MS * INT64CONST(1000);
}

/* How long the calls may be waited for. */
static long
turn_time(void)
{
	if (ended.count == 0)
		return TURN_MS;
	return Min(TURN_MS,
			   jibit_ms_until(first_ended_us + FLUSH_MS * INT64CONST(1000)));
}

/* How long there is nothing to do, in ms. */
static long
idle_time(void)
{
	TimestampTz now = GetCurrentTimestamp();
	long wait_ms = Min(IDLE_MS, jibit_ms_until(purge_us));

	if (due_at <= now)
		return 0;
	if (due_at < DT_NOEND)
		wait_ms = Min(wait_ms, TimestampDifferenceMilliseconds(now, due_at));
	return wait_ms;
}

/*
 * Until there is something to do.  The latch alone says little: every timer
 * that has run off sets it, such as that of the latest exchange.
 */
static void
sleep_until_woken(void)
{
	static uint32 wait_event = 0;
	int64 until_us = jibit_now_us() + idle_time() * INT64CONST(1000);
	long left_ms;

	while (!is_woken() && !ConfigReloadPending && !ShutdownRequestPending &&
		   (left_ms = jibit_ms_until(until_us)) > 0)
	{
		(void) WaitLatch(
			MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left_ms,
			jibit_wait_event(&wait_event, "JibitWorkerMain"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* What is not finished goes back to the queue. */
static void
return_everything(void)
{
	JibitRequest *request;

	while ((request = pop(&claimed)) != NULL)
	{
		jibit_request_put_back(request, false);
		end_request(request);
	}

	/* These may have been called: they count. */
	while ((request = pop(&running)) != NULL)
	{
		jibit_request_put_back(request, true);
		end_request(request);
	}
	if (ended.count > 0)
		exchange(false);
}

/*
 * The worker's own settings, whatever the database has: its own role,
 * statements without limits of time, plans that use the indexes also while the
 * statistics know nothing of what is in the queue, and results to the last
 * digit.
 */
static void
set_settings(void)
{
	static const char *const settings[][2] = {
		{"role", "none"},
		{"search_path", "pg_catalog, pg_temp"},
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"transaction_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"enable_seqscan", "off"},
		{"enable_bitmapscan", "off"},
		{"enable_hashjoin", "off"},
		{"enable_mergejoin", "off"},
		{"jit", "off"},
		{"extra_float_digits", "1"},
	};

	/* What a version does not have needs no setting. */
	for (int i = 0; i < lengthof(settings); i++)
		if (GetConfigOption(settings[i][0], true, false) != NULL)
			SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET,
							PGC_S_OVERRIDE);
}

void
jibit_worker_main(Datum database)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGINT, PG_SIG_IGN);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database),
											  InvalidOid, 0);
	if (!jibit_workers_attach())
		ereport(FATAL, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("database has a jibit worker already")));
	stop_timeout = RegisterTimeout(USER_TIMEOUT, stop_waiting);
	set_settings();
	MemoryContextSwitchTo(TopMemoryContext);
	dlist_init(&claimed.head);
	dlist_init(&running.head);
	dlist_init(&ended.head);
	pgstat_report_appname("jibit worker");

	run = jibit_run_begin();
	while (!ShutdownRequestPending)
	{
		/* Others wait for every process to do so: DROP DATABASE, for one. */
		CHECK_FOR_INTERRUPTS();
		reload_settings();
		if (running.count == 0 || must_flush() || needs_claims())
			exchange(claimed.count == 0 || needs_claims());
		start_calls();
		if (running.count > 0)
			take_calls(turn_time());
		else if (ended.count + claimed.count == 0)
		{
			pgstat_report_stat(true);
			pgstat_report_activity(STATE_IDLE, NULL);
			sleep_until_woken();
			pgstat_report_activity(STATE_RUNNING, "making calls");
		}
	}
	jibit_run_end(run);
	return_everything();
	proc_exit(0);
}
