/*
 * The background worker that makes a database's queued inquiries.
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
 * Nobody stops it.  While calls are under way an exchange waits for no lock
 * longer than LOCK_BUSY, and for no standby.  What goes wrong in one undoes it,
 * and it is tried again after a pause, each part of it on its own; meanwhile
 * the calls go on, and what they have brought is kept, up to a bound.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/config.h"
#include "base/subtransaction.h"
#include "call/run.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "queue/claims.h"
#include "queue/counts.h"
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

/* How soon what could not be done is tried again: at first, and at most. */
#define RETRY_FIRST_MS 50
#define RETRY_LONGEST_MS 2000

/* Likewise at most where only a lock is in the way. */
#define RETRY_LOCKED_MS 400

/* How often the log says so. */
#define COMPLAIN_MS 60000

/*
 * How long a lock is waited for, with calls under way and without any.  The
 * latter is how late the worker may notice that it shall end.
 */
#define LOCK_BUSY "5ms"
#define LOCK_IDLE "1s"

/*
 * Results that could not be written, for each call that may be under way.  As
 * long as there are so many nothing more is called.
 */
#define KEPT_SHARE 4

/* How long results that cannot be written together are tried one by one. */
#define ONE_BY_ONE_MS 100

/* How soon an exchange is broken off when the worker shall end. */
#define STOP_MS 1000

/* How often finished requests are looked at for their age. */
#define PURGE_MS 60000
#define PURGE_MORE_MS 200

typedef struct RequestList
{
	dlist_head head;
	int count;
} RequestList;

/* When something that has failed is tried again. */
typedef struct Retry
{
	const char *what; /* "could not ..." */
	int64 at_us;
	long pause_ms; /* 0: it did not fail the last time */
	int64 complained_us;
} Retry;

/* The worker.  There is one in a process. */
static RequestList fresh; /* claimed by an exchange that is not committed */
static RequestList claimed;
static RequestList running;
static RequestList ended;
static RequestList kept;	 /* ended, and could not be written */
static bool seen_orphans;	 /* what a dead worker left is known */
static bool recovered;		 /* and is queued again */
static uint32 wakeups_seen;	 /* before the latest claims */
static TimestampTz due_at;	 /* of what the queue has */
static int64 first_ended_us; /* of those in `ended` */
static int64 purge_us;		 /* when the next purge is due */
static int started_since;	 /* calls since the latest claims */
static int ahead;			 /* how many to claim ahead */
static JibitRun *run;		 /* of the calls under way */
static volatile sig_atomic_t exchanging;
static TimeoutId stop_timeout;

/* An exchange has failed: each part of the next is in a subtransaction. */
static bool careful;
static Retry exchange_retry = {"exchange requests with the queue"};
static Retry return_retry = {"write results"};
static Retry recover_retry = {"take over what an earlier worker left"};
static Retry claim_retry = {"claim requests"};
static Retry load_retry = {"read the pauses"};
static Retry save_retry = {"write the pauses"};
static Retry purge_retry = {"delete old requests"};
static Retry compact_retry = {"sum up the counts"};
static const Retry *const parts[] = {
	&return_retry, &recover_retry, &claim_retry,  &load_retry,
	&save_retry,   &purge_retry,   &compact_retry};

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

/* So many results wait for room or for a lock that no more may be added. */
static bool
is_full(void)
{
	return kept.count >= KEPT_SHARE * jibit_worker_concurrency;
}

/*
 * Starts calls while there is room.  A call counts until its result is
 * committed, or could not be: a crash repeats no more than may be under way,
 * and those that are kept.
 */
static void
start_calls(void)
{
	JibitRequest *request;

	while (running.count + ended.count < jibit_worker_concurrency &&
		   !is_full() && (request = next_request()) != NULL)
	{
		MemoryContext context;
		JibitCall *call = jibit_run_new_call(run, &context);

		call->inquiry = request->inquiry;
		call->policy = &request->account->policy;
		call->tag = (int64) (intptr_t) request;
		memcpy(call->arguments, request->arguments, sizeof(call->arguments));
		strlcpy(call->track_id, request->track_id, sizeof(call->track_id));
		request->call = call;
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
		request->call = NULL;
		jibit_run_free_call(run, call);
		if (!jibit_run_has_ended(run))
			break;
	}
}

/*
 * What fails and is tried again.
 */

static bool
may_try(const Retry *retry)
{
	return retry->pause_ms == 0 || jibit_now_us() >= retry->at_us;
}

/* `failure` is NULL where others have something locked. */
static void
note_failure(Retry *retry, const ErrorData *failure)
{
	int64 now_us = jibit_now_us();
	bool is_first = retry->pause_ms == 0;
	bool is_lock = failure == NULL ||
				   failure->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;

	retry->pause_ms = Min(Max(retry->pause_ms * 2, RETRY_FIRST_MS),
						  is_lock ? RETRY_LOCKED_MS : RETRY_LONGEST_MS);
	retry->at_us = now_us + retry->pause_ms * INT64CONST(1000);

	/* A lock is nothing to complain about. */
	if (is_lock || (!is_first && now_us - retry->complained_us <
									 COMPLAIN_MS * INT64CONST(1000)))
		return;
	retry->complained_us = now_us;
	ereport(LOG, (errcode(failure->sqlerrcode),
				  errmsg("jibit worker could not %s: %s", retry->what,
						 failure->message),
				  errdetail("Calls go on, and it is tried again.")));
}

/*
 * Runs a part of an exchange unless it failed a moment ago.  Returns whether
 * it was run, and did not fail; outside a subtransaction a failure is thrown.
 */
static bool
try_part(void (*part)(void *arg), void *arg, Retry *retry)
{
	ErrorData *failure = NULL;

	if (!may_try(retry))
		return false;
	if (careful)
		failure = jibit_try(part, arg, NULL);
	else
		part(arg);
	if (failure == NULL)
		retry->pause_ms = 0;
	else
		note_failure(retry, failure);
	return failure == NULL;
}

/* Is there a part that failed the last time? */
static bool
has_failed(void)
{
	for (int i = 0; i < lengthof(parts); i++)
		if (parts[i]->pause_ms > 0)
			return true;
	return false;
}

/*
 * Exchanges.
 */

static void
free_requests(RequestList *list)
{
	JibitRequest *request;

	while ((request = pop(list)) != NULL)
		jibit_request_free(request);
}

/* Everything is dropped: the queue is gone, and with it what it wanted. */
static void
forget_requests(void)
{
	free_requests(&ended);
	free_requests(&kept);
	free_requests(&claimed);
}

/* Outcomes to be written, together. */
typedef struct Returning
{
	const JibitQueueTable *table;
	JibitOutcome **outcomes;
	int count;
	int finished;
} Returning;

static void
add_outcomes(Returning *returning, RequestList *list)
{
	dlist_iter iter;

	dlist_foreach (iter, &list->head)
	{
		JibitRequest *request = dlist_container(JibitRequest, node, iter.cur);

		returning->outcomes[returning->count++] = &request->outcome;
	}
}

static void
forget_tries(RequestList *list)
{
	dlist_iter iter;

	dlist_foreach (iter, &list->head)
	{
		JibitOutcome *outcome =
			&dlist_container(JibitRequest, node, iter.cur)->outcome;

		outcome->tried = outcome->written = false;
	}
}

static void
write_outcomes(void *arg)
{
	Returning *returning = arg;

	returning->finished = jibit_claims_return(
		returning->table, returning->outcomes, returning->count);
}

/*
 * One by one, for a while: the one that cannot be written does not keep the
 * others back.
 */
static ErrorData *
write_apart(Returning *all)
{
	int64 until_us = jibit_now_us() + ONE_BY_ONE_MS * INT64CONST(1000);
	ErrorData *last_failure = NULL;

	for (int i = 0; i < all->count && jibit_now_us() < until_us; i++)
	{
		Returning one = {all->table, &all->outcomes[i], 1, 0};
		ErrorData *failure = jibit_try(write_outcomes, &one, NULL);

		if (failure == NULL)
			all->finished += one.finished;
		else
		{
			all->outcomes[i]->tried = true;
			all->outcomes[i]->written = false;
			last_failure = failure;
		}
	}
	return last_failure;
}

/*
 * Writes what has ended, but for what others have locked.  Returns how many
 * have finished.
 */
static int
return_ended(const JibitQueueTable *table)
{
	Returning all = {.table = table};
	bool with_kept = ShutdownRequestPending || may_try(&return_retry);
	bool all_written = true;
	ErrorData *failure = NULL;

	all.outcomes = palloc((ended.count + kept.count + 1) *
						  sizeof(JibitOutcome *));
	if (with_kept)
		add_outcomes(&all, &kept);
	add_outcomes(&all, &ended);
	if (all.count == 0)
		return 0;
	if (!careful)
		write_outcomes(&all);
	else if (jibit_try(write_outcomes, &all, NULL) != NULL)
	{
		forget_tries(&kept);
		forget_tries(&ended);
		all.finished = 0;
		failure = write_apart(&all);
	}
	for (int i = 0; i < all.count; i++)
		all_written &= all.outcomes[i]->written;
	if (!all_written)
		note_failure(&return_retry, failure);
	else if (with_kept)
		return_retry.pause_ms = 0;
	return all.finished;
}

/*
 * What has been written is freed, the rest is kept: behind others where it was
 * tried.
 */
static void
keep_unwritten(RequestList *list)
{
	for (int left = list->count; left > 0; left--)
	{
		JibitRequest *request = pop(list);

		if (request->outcome.written)
			jibit_request_free(request);
		else if (list == &kept && !request->outcome.tried)
			push(list, request);
		else
			push(&kept, request);
	}
}

static void
recover_orphans(void *arg)
{
	jibit_claims_recover(arg);
}

static void
load_pauses(void *arg)
{
	jibit_pauses_load(arg);
}

/* As many calls ahead as have begun since the latest claims, and again. */
static void
set_ahead(void)
{
	ahead = Min(Max(2 * started_since, jibit_worker_concurrency), AHEAD_MAX);
	started_since = 0;
}

/* How many more requests may be claimed: of some the results must be kept. */
static int
room_for_claims(void)
{
	int calls = claimed.count + running.count;
	int room = jibit_worker_concurrency + ahead - calls;

	if (kept.count > 0)
		room = Min(room, KEPT_SHARE * jibit_worker_concurrency - calls -
							 ended.count - kept.count);
	return room;
}

static void
claim(void *arg)
{
	const JibitQueueTable *table = arg;
	int room;
	JibitClaim *claims;
	List *accounts = NIL;
	int taken;

	set_ahead();
	jibit_pauses_review_keys(jibit_request_get_keys);
	room = room_for_claims();
	if (room <= 0)
	{
		due_at = DT_NOBEGIN;
		return;
	}
	claims = jibit_claims_take(table, room, &taken, &due_at);
	for (int i = 0; i < taken; i++)
		push(&fresh, jibit_request_take(table, &claims[i], &accounts));
	jibit_request_leave_accounts(accounts);
}

/* It tries each by itself. */
static void
save_pauses(const JibitQueueTable *table)
{
	ErrorData *failure;

	if (!may_try(&save_retry))
		return;
	if (jibit_pauses_save(table, &failure))
		save_retry.pause_ms = 0;
	else
		note_failure(&save_retry, failure);
}

static void
compact_counts(void *arg)
{
	jibit_counts_compact(arg);
}

static void
purge(void *arg)
{
	purge_us = jibit_now_us() +
			   (jibit_claims_purge(arg) ? PURGE_MORE_MS : PURGE_MS) *
				   INT64CONST(1000);
}

/* Claims that have not been committed are none. */
static void
drop_fresh(void)
{
	RequestList *const lists[] = {&claimed, &running};

	free_requests(&fresh);
	jibit_pauses_forget_probes();
	for (int i = 0; i < lengthof(lists); i++)
	{
		dlist_iter iter;

		dlist_foreach (iter, &lists[i]->head)
		{
			JibitRequest *request = dlist_container(JibitRequest, node,
													iter.cur);

			if (request->is_probe)
				jibit_pauses_begin_probe(request->profile,
										 request->inquiry_name);
		}
	}
}

static void
take_fresh(void)
{
	JibitRequest *request;

	while ((request = pop(&fresh)) != NULL)
	{
		if (request->has_ended)
			end_request(request);
		else
			push(&claimed, request);
	}
}

/*
 * The queue, locked against DROP and ALTER; NULL where there is none.  A lock
 * that would have to be waited for is an error while calls are under way.
 */
static const JibitQueueTable *
open_queue(Relation *queue)
{
	const JibitQueueTable *table = jibit_queue_table(true);

	*queue = NULL;
	if (table == NULL)
		return NULL;
	if (running.count == 0)
		LockRelationOid(table->queue, RowExclusiveLock);
	else if (!ConditionalLockRelationOid(table->queue, RowExclusiveLock))
		ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
						errmsg("the queue is locked")));
	*queue = try_table_open(table->queue, NoLock);

	/* Its name may have changed while we waited for the lock. */
	return *queue ? jibit_queue_table(false) : NULL;
}

/* What an exchange has done, once it is committed. */
typedef struct Exchange
{
	bool has_queue;
	bool has_claimed;
	int finished;
} Exchange;

static void
run_exchange(bool claims, Exchange *done)
{
	JibitQueueTable *table;
	Relation queue;

	StartTransactionCommand();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	PushActiveSnapshot(GetTransactionSnapshot());
	table = unconstify(JibitQueueTable *, open_queue(&queue));
	done->has_queue = table != NULL;
	if (table != NULL)
	{
		if (!seen_orphans)
			jibit_claims_find_orphans(table);
		if (!recovered)
			(void) try_part(recover_orphans, table, &recover_retry);
		(void) try_part(load_pauses, table, &load_retry);
		done->finished = return_ended(table);
		if (claims)
		{
			done->has_claimed = try_part(claim, table, &claim_retry);
			if (!done->has_claimed)
			{
				drop_fresh();
				due_at = DT_NOBEGIN;
			}
		}
		save_pauses(table);
		if (done->finished > 0)
			(void) try_part(compact_counts, table, &compact_retry);
		if (jibit_now_us() >= purge_us)
			(void) try_part(purge, table, &purge_retry);
		table_close(queue, NoLock);
	}
	PopActiveSnapshot();
	SPI_finish();
	CommitTransactionCommand();
}

/* It is committed. */
static void
end_exchange(const Exchange *done, uint32 wakeups)
{
	if (!done->has_queue)
	{
		/* No extension, or it is just going. */
		forget_requests();
		seen_orphans = recovered = false;
		due_at = DT_NOEND;
		wakeups_seen = wakeups;
		purge_us = jibit_now_us() + PURGE_MS * INT64CONST(1000);
		return;
	}
	seen_orphans = true;
	recovered = jibit_claims_end_recovery(true);
	if (!recovered && may_try(&recover_retry))
		note_failure(&recover_retry, NULL);
	if (done->finished > 0)
		jibit_workers_tell_finished();
	keep_unwritten(&kept);
	keep_unwritten(&ended);
	take_fresh();
	if (done->has_claimed)
		wakeups_seen = wakeups;
	jibit_pauses_end_save(true);
	first_ended_us = jibit_now_us();
	careful = careful && has_failed();
}

/* It has failed, and is undone. */
static void
undo_exchange(const ErrorData *failure)
{
	careful = true;
	note_failure(&exchange_retry, failure);
	(void) jibit_claims_end_recovery(false);
	jibit_pauses_end_save(false);
	drop_fresh();
	due_at = DT_NOBEGIN;
	forget_tries(&kept);
	forget_tries(&ended);
	keep_unwritten(&ended);
}

/*
 * Returns whether it was committed.  No lock is waited for longer than
 * lock_timeout, which comes as SIGINT; a failure is not thrown.
 */
static bool
exchange(bool claims)
{
	MemoryContext caller = CurrentMemoryContext;
	uint32 wakeups = jibit_workers_wakeups();
	Exchange done = {0};
	ErrorData *volatile failure = NULL;

	SetConfigOption("lock_timeout", running.count > 0 ? LOCK_BUSY : LOCK_IDLE,
					PGC_SUSET, PGC_S_OVERRIDE);
	forget_tries(&kept);
	forget_tries(&ended);
	exchanging = true;
	enable_timeout_every(
		stop_timeout,
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), STOP_MS), STOP_MS);
	PG_TRY();
	{
		run_exchange(claims, &done);
	}
	PG_CATCH();
	{
		/* Nothing breaks off the undoing. */
		exchanging = false;
		QueryCancelPending = false;
		MemoryContextSwitchTo(caller);
		failure = CopyErrorData();
		FlushErrorState();
		AbortOutOfAnyTransaction();
	}
	PG_END_TRY();
	disable_timeout(stop_timeout, false);
	exchanging = false;
	QueryCancelPending = false;
	MemoryContextSwitchTo(caller);
	if (failure == NULL)
	{
		exchange_retry.pause_ms = 0;
		end_exchange(&done, wakeups);
	}
	else
	{
		undo_exchange(failure);
		FreeErrorData(failure);
	}
	pgstat_report_stat(false);
	return failure == NULL;
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

/* Have calls nothing to follow them soon, though there is more in the queue? */
static bool
needs_claims(void)
{
	return claimed.count < (jibit_worker_concurrency + 3) / 4 && !is_full() &&
		   may_try(&claim_retry) && (is_woken() || is_due());
}

static bool
must_flush(void)
{
	if (kept.count > 0 && may_try(&return_retry))
		return true;
	if (ended.count == 0)
		return false;
	return running.count + claimed.count == 0 ||
		   ended.count >= Max(jibit_worker_concurrency / FLUSH_SHARE, 1) ||
		   jibit_now_us() - first_ended_us >= FLUSH_MS * INT64CONST(1000);
}

static bool
needs_exchange(void)
{
	return may_try(&exchange_retry) &&
		   (running.count == 0 || must_flush() || needs_claims());
}

/* How long the calls may be waited for. */
static long
turn_time(void)
{
	int64 flush_us = first_ended_us + FLUSH_MS * INT64CONST(1000);

	if (ended.count == 0)
		return TURN_MS;
	if (!may_try(&exchange_retry))
		flush_us = Max(flush_us, exchange_retry.at_us);
	return Min(TURN_MS, jibit_ms_until(flush_us));
}

/*
 * Without calls under way: when there is something to do, if nothing happens
 * before.
 */
static int64
next_us(void)
{
	int64 now_us = jibit_now_us();
	TimestampTz now = GetCurrentTimestamp();
	int64 next = now_us + IDLE_MS * INT64CONST(1000);

	if (!may_try(&exchange_retry))
		return exchange_retry.at_us;
	for (int i = 0; i < lengthof(parts); i++)
	{
		if (parts[i]->pause_ms > 0)
			next = Min(next, parts[i]->at_us);
	}
	if (may_try(&purge_retry))
		next = Min(next, purge_us);
	if (ended.count > 0)
		next = now_us;
	if (!is_full() && may_try(&claim_retry))
	{
		if (claimed.count > 0 || is_woken() || due_at <= now)
			next = now_us;
		else if (due_at < DT_NOEND)
			next = Min(next, now_us + (due_at - now));
	}
	return next;
}

/*
 * Until there is something to do.  The latch alone says little: every timer
 * that has run off sets it.
 */
static void
sleep_until_woken(void)
{
	static uint32 wait_event = 0;
	int64 until_us = jibit_now_us() + IDLE_MS * INT64CONST(1000);
	long left_ms;

	while (!ConfigReloadPending && !ShutdownRequestPending &&
		   (left_ms = jibit_ms_until(Min(next_us(), until_us))) > 0)
	{
		(void) WaitLatch(
			MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left_ms,
			jibit_wait_event(&wait_event, "JibitWorkerMain"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* What is not finished goes back to the queue, and what is gets written. */
static void
return_everything(void)
{
	JibitRequest *request;

	while ((request = pop(&claimed)) != NULL)
	{
		jibit_request_put_back(request, false);
		end_request(request);
	}
	while ((request = pop(&running)) != NULL)
	{
		jibit_request_put_back(request, request->call->attempts > 0);
		end_request(request);
	}
	jibit_run_end(run);
	if (ended.count + kept.count > 0 && !exchange(false))
		(void) exchange(false);
}

/*
 * The worker's own settings, whatever the database has: its own role,
 * statements without limits of time, commits that are on disk and wait for
 * nobody else (with less, a crash would pay again), plans that use the indexes also while the
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
		{"synchronous_commit", "local"},
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

/*
 * Breaks off an exchange; the server's lock_timeout comes this way, too.  The
 * calls are none of its business.
 */
static void
cancel_exchange(SIGNAL_ARGS)
{
	int saved_errno = errno;

	if (exchanging)
		InterruptPending = QueryCancelPending = true;
	SetLatch(MyLatch);
	errno = saved_errno;
}

/* One that takes long would keep the server from shutting down. */
static void
stop_exchange(void)
{
	if (!ShutdownRequestPending || !exchanging)
		return;
	InterruptPending = QueryCancelPending = true;
	SetLatch(MyLatch);
}

static void
work(void)
{
	while (!ShutdownRequestPending)
	{
		/* Others wait for every process to do so: DROP DATABASE, for one. */
		CHECK_FOR_INTERRUPTS();
		reload_settings();
		if (needs_exchange())
			(void) exchange(claimed.count == 0 || needs_claims());
		start_calls();
		if (running.count > 0)
			take_calls(turn_time());
		else
		{
			pgstat_report_stat(true);
			pgstat_report_activity(STATE_IDLE, NULL);
			sleep_until_woken();
			pgstat_report_activity(STATE_RUNNING, "making calls");
		}
	}
}

void
jibit_worker_main(Datum database)
{
	volatile int code = 0;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGINT, cancel_exchange);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database),
											  InvalidOid, 0);
	if (!jibit_workers_attach())
		ereport(FATAL, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("database has a jibit worker already")));
	stop_timeout = RegisterTimeout(USER_TIMEOUT, stop_exchange);
	set_settings();
	MemoryContextSwitchTo(TopMemoryContext);
	dlist_init(&fresh.head);
	dlist_init(&claimed.head);
	dlist_init(&running.head);
	dlist_init(&ended.head);
	dlist_init(&kept.head);
	pgstat_report_appname("jibit worker");

	run = jibit_run_begin();
	PG_TRY();
	{
		work();
	}
	PG_CATCH();
	{
		/* Lack of memory, say: what was paid for is written all the same. */
		MemoryContextSwitchTo(TopMemoryContext);
		EmitErrorReport();
		FlushErrorState();
		AbortOutOfAnyTransaction();
		MemoryContextSwitchTo(TopMemoryContext);
		code = 1;
	}
	PG_END_TRY();
	return_everything();
	proc_exit(code);
}
