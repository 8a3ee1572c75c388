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
#include "api/client.h"
#include "api/credentials.h"
#include "api/rights.h"
#include "clock.h"
#include "common/pg_prng.h"
#include "compat.h"
#include "config.h"
#include "encoding.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "offline/jalali.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "queue/claims.h"
#include "queue/pauses.h"
#include "queue/worker.h"
#include "shared/workers.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "tehran.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
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

/* The contract's: one second, doubling to ten minutes. */
#define RETRY_FIRST_MS 1000
#define RETRY_LONGEST_MS (10 * 60 * 1000)

/* Pauses: the first, and the longest, before a probe. */
#define REFUSED_FIRST_MS 5000
#define REFUSED_LONGEST_MS (5 * 60 * 1000)
#define CONFIGURATION_LONGEST_MS (60 * 1000)
#define BALANCE_FIRST_MS 10000
#define BALANCE_LONGEST_MS (10 * 60 * 1000)
#define SUSPENDED_FIRST_MS 500
#define SUSPENDED_LONGEST_MS 5000

/*
 * The keys of a profile and the policy made of them, as long as a request
 * uses them.
 */
typedef struct Account
{
	MemoryContext context;
	int uses;
	JibitPolicy policy;
} Account;

typedef struct Request
{
	dlist_node node;
	MemoryContext context; /* of all this */
	int64 id;
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	const JibitInquiry *inquiry;
	const char *profile;
	const char *arguments[JIBIT_MAX_PARAMS];
	TimestampTz submitted_at;
	int attempts;
	bool is_probe;
	int64 claimed_us;
	Account *account;

	/* Once it has ended. */
	JibitOutcome outcome;
	JibitError error;
	bool recovered; /* a probe that met nothing to pause for */
	char answer_track_id[JIBIT_TRACK_ID_MAX + 1];
} Request;

typedef struct RequestList
{
	dlist_head head;
	int count;
} RequestList;

/* The worker.  There is one in a process. */
static MemoryContext worker_context;
static RequestList claimed;
static RequestList running;
static RequestList ended;
static bool recovered;		   /* what a dead worker left has been seen to */
static uint32 wakeups_seen;	   /* before the latest exchange */
static TimestampTz due_at;	   /* of what the queue has */
static int64 first_ended_us;   /* of those in `ended` */
static int64 exchanged_us;	   /* when the latest exchange was */
static int64 blocked_until_us; /* the queue was locked by somebody */
static TimeoutId stop_timeout;
static int64 purge_us;		/* when the next purge is due */
static int started_since;	/* calls since the latest claims */
static int ahead;			/* how many to claim ahead */
static int run_concurrency; /* of the run under way */

static void exchange(bool claims);
static bool must_flush(void);

/*
 * Requests.
 */

static void
push(RequestList *list, Request *request)
{
	dlist_push_tail(&list->head, &request->node);
	list->count++;
}

static void
drop(RequestList *list, Request *request)
{
	dlist_delete(&request->node);
	list->count--;
}

static Request *
pop(RequestList *list)
{
	if (list->count == 0)
		return NULL;
	list->count--;
	return dlist_container(Request, node, dlist_pop_head_node(&list->head));
}

static void
leave_account(Account *account)
{
	JibitCredentials *credentials;

	if (account == NULL || --account->uses > 0)
		return;
	credentials = account->policy.credentials;
	explicit_bzero(unconstify(char *, credentials->api_key),
				   strlen(credentials->api_key));
	explicit_bzero(unconstify(char *, credentials->secret_key),
				   strlen(credentials->secret_key));
	MemoryContextDelete(account->context);
}

static void
free_request(Request *request)
{
	leave_account(request->account);
	MemoryContextDelete(request->context);
}

/* It has ended; what it holds of a pause is given back. */
static void
end_request(Request *request)
{
	if (request->is_probe)
		jibit_pauses_end_probe(request->profile, request->inquiry->id,
							   request->recovered);
	request->is_probe = false;
	request->outcome.id = request->id;
	request->outcome.track_id = request->track_id;
	request->outcome.inquiry = request->inquiry;
	if (ended.count == 0)
		first_ended_us = jibit_now_us();
	push(&ended, request);
}

/* It goes back as it came. */
static void
put_back(Request *request)
{
	request->outcome.finished = false;
	request->outcome.uncounted = true;
	end_request(request);
}

static void
fail(Request *request, const JibitError *error)
{
	request->error = *error;
	request->outcome.finished = true;
	request->outcome.error = &request->error;
	end_request(request);
}

static void
fail_with(Request *request, JibitErrorClass class, const char *code,
		  const char *message)
{
	JibitError error;

	jibit_error_set(&error, code, 0, message, request->track_id);
	error.class = class;
	error.retryable = false;
	fail(request, &error);
}

/*
 * How requests end.
 */

/* It may pass by itself: later, unless it has been tried often enough. */
static void
retry(Request *request, const JibitError *error, int retry_after_s)
{
	int64 pause = RETRY_FIRST_MS;

	if (request->attempts >= jibit_request_max_attempts)
	{
		fail(request, error);
		return;
	}
	for (int i = 1; i < request->attempts && pause < RETRY_LONGEST_MS; i++)
		pause *= 2;
	pause = Min(pause, RETRY_LONGEST_MS);

	/* A quarter more by chance, so that requests do not come back together. */
	pause += (int64) (pg_prng_double(&pg_global_prng_state) * pause / 4);
	pause = Max(pause, retry_after_s * INT64CONST(1000));
	request->error = *error;
	request->outcome.error = &request->error;
	request->outcome.finished = false;
	request->outcome.run_after = TimestampTzPlusMilliseconds(
		GetCurrentTimestamp(), pause);
	end_request(request);
}

/*
 * Not this request's fault: it waits, behind others, so that one that fares
 * worse than the rest of its profile does not stand in their way.  The longer
 * it has waited, the longer it waits.
 */
static void
wait_behind(Request *request)
{
	TimestampTz now = GetCurrentTimestamp();
	int64 waited_ms = (now - request->submitted_at) / 1000;
	int64 pause = Min(Max(waited_ms / 2, RETRY_FIRST_MS), RETRY_LONGEST_MS);

	request->outcome.finished = false;
	request->outcome.uncounted = true;
	request->outcome.run_after = TimestampTzPlusMilliseconds(now, pause);
	end_request(request);
}

static bool
has_code(const JibitError *error, const char *code)
{
	return strcmp(error->code, code) == 0;
}

/* What a failed call means for the request, and for others like it. */
static void
judge_failure(Request *request, const JibitCall *call)
{
	const JibitError *error = &call->error;
	const char *profile = request->profile;
	const char *inquiry = request->inquiry->id;
	const uint8 *keys = request->account->policy.credentials->digest;

	/* A probe has found the way free if it got any answer. */
	request->recovered = call->attempts > 0 &&
						 error->class != JIBIT_UNREACHABLE &&
						 error->class != JIBIT_SERVICE_FAILING;
	switch (error->class)
	{
		case JIBIT_QUOTA:
			if (has_code(error, "balance.not_enough"))
				jibit_pause(profile, NULL, error, BALANCE_FIRST_MS,
							BALANCE_LONGEST_MS);
			else if (has_code(error, "daily_limit.reached"))
				jibit_pause_until(profile, inquiry, error,
								  jibit_tehran_tomorrow());
			else
			{
				/* Too many at a time. */
				jibit_pause(profile, inquiry, error,
							Max(RETRY_FIRST_MS, call->retry_after * 1000),
							RETRY_LONGEST_MS);
				retry(request, error, call->retry_after);
				return;
			}
			put_back(request);
			return;
		case JIBIT_LOCAL_LIMIT:
			jibit_pause_until(profile, inquiry, error,
							  jibit_tehran_tomorrow());
			put_back(request);
			return;
		case JIBIT_SUSPENDED:
			jibit_pause(profile, inquiry, error, SUSPENDED_FIRST_MS,
						SUSPENDED_LONGEST_MS);
			put_back(request);
			return;
		case JIBIT_CONFIGURATION:
			jibit_pause_for_keys(profile, error, keys, REFUSED_FIRST_MS,
								 CONFIGURATION_LONGEST_MS);
			put_back(request);
			return;
		case JIBIT_NOT_AUTHORISED:
			jibit_pause_for_keys(profile, error, keys, REFUSED_FIRST_MS,
								 REFUSED_LONGEST_MS);
			if (call->attempts > 0)
				wait_behind(request);
			else
				put_back(request);
			return;
		case JIBIT_NOT_ACTIVE:
		case JIBIT_SERVICE_FAILING:
		case JIBIT_UNREACHABLE:
			if (error->retryable)
			{
				retry(request, error, call->retry_after);
				return;
			}
			break;
		default:
			break;
	}
	fail(request, error);
}

static void
call_done(void *arg, JibitCall *call)
{
	Request *request = (Request *) (intptr_t) call->tag;
	MemoryContext caller = MemoryContextSwitchTo(request->context);

	drop(&running, request);
	if (call->answer == NULL)
		judge_failure(request, call);
	else
	{
		size_t size = offsetof(JibitAnswer, data) + call->answer->size;

		request->outcome.answer = memcpy(palloc(size), call->answer, size);
		strlcpy(request->answer_track_id, call->track_id,
				sizeof(request->answer_track_id));
		request->outcome.answer_track_id = request->answer_track_id;
		request->outcome.finished = true;
		request->recovered = !call->cached;
		end_request(request);
	}
	MemoryContextSwitchTo(caller);
}

static bool
next_call(void *arg, JibitCall *call)
{
	Request *request;

	/* With another concurrency a new run begins when this one has ended. */
	if (run_concurrency != jibit_worker_concurrency)
		return false;

	/*
	 * A call counts until its result is committed: a crash repeats no more
	 * than may be under way.
	 */
	if (running.count + ended.count >= jibit_worker_concurrency)
		return false;
	while ((request = pop(&claimed)) != NULL)
	{
		TimestampTz again_at;

		/* Paused since it was claimed, or so long ago that rights change? */
		if (!request->is_probe &&
			(jibit_now_us() - request->claimed_us >
				 CLAIM_MS * INT64CONST(1000) ||
			 jibit_pauses_allow(request->profile, request->inquiry->id,
								&again_at) != JIBIT_ALLOWS_ALL))
		{
			put_back(request);
			continue;
		}
		call->inquiry = request->inquiry;
		call->policy = &request->account->policy;
		call->tag = (int64) (intptr_t) request;
		memcpy(call->arguments, request->arguments, sizeof(call->arguments));
		strlcpy(call->track_id, request->track_id, sizeof(call->track_id));
		push(&running, request);
		started_since++;
		return true;
	}
	return false;
}

/*
 * Taking claims over.
 */

static const JibitInquiry *
find_inquiry(const char *name)
{
	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
	{
		if (strcmp(jibit_inquiries[i].id, name) == 0)
			return &jibit_inquiries[i];
	}
	return NULL;
}

/* A JSON value as text in UTF-8, as ->> gives it; NULL for null. */
static char *
value_text(const JsonbValue *value)
{
	char *text;

	switch (value->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		default:
		{
			Jsonb *json = JsonbValueToJsonb(unconstify(JsonbValue *, value));

			text = JsonbToCString(NULL, &json->root, VARSIZE(json));
		}
		break;
	}
	return jibit_server_to_utf8(text, strlen(text));
}

/* In the request's context. */
static void
read_arguments(Request *request, const JibitClaim *claim)
{
	const JibitInquiry *inquiry = request->inquiry;

	for (int i = 0; i < inquiry->nparams; i++)
	{
		const JibitParam *param = &inquiry->params[i];
		JsonbValue found;
		const JsonbValue *value = NULL;
		char *text = NULL;

		if (JB_ROOT_IS_OBJECT(claim->arguments))
			value = getKeyJsonValueFromContainer(
				&claim->arguments->root, param->argument,
				(int) strlen(param->argument), &found);
		if (value != NULL)
			text = value_text(value);
		else if (param->kind == JIBIT_KIND_REPORT_DAY)
		{
			JibitJalali today = jibit_tehran_today();

			text = palloc(JIBIT_DATE_LENGTH + 1);
			jibit_jalali_format(today.year, today.month, today.day, text);
		}

		/* A required one that is null is as good as empty. */
		if (text == NULL && param->required)
			text = pstrdup("");
		request->arguments[i] = text;
	}
}

/* While a token is waited for, results are written all the same. */
static bool
keep_waiting(void)
{
	if (must_flush())
		exchange(false);
	return !ShutdownRequestPending;
}

/*
 * The same.  False for what cannot be: bytes that are no text, say.  That must
 * not end the worker, which would find the request again.
 */
static bool
read_arguments_safely(Request *request, const JibitClaim *claim)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool ok = true;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		MemoryContextSwitchTo(request->context);
		read_arguments(request, claim);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		ok = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return ok;
}

/*
 * The keys of a profile for a role, as the role would get them; NULL with
 * *error filled where it does not.  That may be anything, since the keys may
 * come out of a view.
 */
static Account *
open_account(const char *profile, Oid role, JibitError *error)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Account *volatile account = NULL;
	MemoryContext context = AllocSetContextCreate(
		worker_context, "jibit account", ALLOCSET_SMALL_SIZES);
	Oid user;
	int security_context;

	GetUserIdAndSecContext(&user, &security_context);
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		JibitPolicy policy;

		SetUserIdAndSecContext(role, security_context |
										 SECURITY_LOCAL_USERID_CHANGE |
										 SECURITY_RESTRICTED_OPERATION);
		MemoryContextSwitchTo(context);
		policy = jibit_server_policy(pstrdup(profile));
		policy.credentials = jibit_credentials_get(profile);
		/* The queue has its own retries, which hold up nothing. */
		policy.max_retries = 0;
		policy.keep_waiting = keep_waiting;
		account = palloc0(sizeof(Account));
		account->context = context;
		account->policy = policy;
		SetUserIdAndSecContext(user, security_context);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *data;

		MemoryContextSwitchTo(caller);
		data = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		SetUserIdAndSecContext(user, security_context);
		MemoryContextDelete(context);
		account = NULL;
		jibit_error_set(error, JIBIT_CODE_CONNECTION_FAILED, 0, data->message,
						NULL);
		error->class = data->constraint_name != NULL &&
							   strcmp(data->constraint_name,
									  JIBIT_NO_RIGHT_TO_PROFILE) == 0
						   ? JIBIT_NOT_PERMITTED
						   : JIBIT_CONFIGURATION;
		error->retryable = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return account;
}

/* Accounts of one exchange: its claims mostly are of few. */
typedef struct KnownAccount
{
	const char *profile;
	Oid role;
	Account *account; /* NULL: `error` */
	JibitError error;
} KnownAccount;

static KnownAccount *
find_account(List **known, const char *profile, Oid role)
{
	KnownAccount *found;
	ListCell *cell;

	foreach (cell, *known)
	{
		found = lfirst(cell);
		if (found->role == role && strcmp(found->profile, profile) == 0)
			return found;
	}
	found = palloc0(sizeof(KnownAccount));
	found->profile = profile;
	found->role = role;
	found->account = open_account(profile, role, &found->error);
	if (found->account != NULL)
		found->account->uses = 1; /* this list's */
	*known = lappend(*known, found);
	return found;
}

static void
take_over(const JibitQueueTable *table, const JibitClaim *claim, List **known)
{
	MemoryContext context = AllocSetContextCreate(
		worker_context, "jibit request", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Request *request = palloc0(sizeof(Request));
	Oid role = claim->submitter;
	KnownAccount *account;

	request->context = context;
	request->id = claim->id;
	request->profile = pstrdup(claim->profile);
	request->attempts = claim->attempts;
	request->submitted_at = claim->submitted_at;
	request->inquiry = find_inquiry(claim->inquiry);
	request->is_probe = claim->is_probe;
	request->claimed_us = jibit_now_us();
	strlcpy(request->track_id, claim->track_id, sizeof(request->track_id));
	MemoryContextSwitchTo(caller);

	if (request->inquiry == NULL)
	{
		/* Of a later version, say. */
		if (request->is_probe)
			jibit_pauses_end_probe(request->profile, claim->inquiry, false);
		request->is_probe = false;
		fail_with(request, JIBIT_CONFIGURATION, JIBIT_CODE_HANDLER_NOT_FOUND,
				  "The library knows no such inquiry.");
		return;
	}

	/* Each attempt is counted before it begins, also one that was the last
	 * thing that a worker did. */
	if (request->attempts > jibit_request_max_attempts)
	{
		fail_with(request, JIBIT_UNREACHABLE, JIBIT_CODE_CONNECTION_FAILED,
				  "The worker or the server ended during each attempt.");
		return;
	}
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)) ||
		!jibit_may_inquire(request->inquiry, table->schema, role))
	{
		fail_with(
			request, JIBIT_NOT_PERMITTED, "forbidden",
			"The role that submitted the request may not make the inquiry.");
		return;
	}
	account = find_account(known, claim->profile, role);
	if (account->account == NULL &&
		account->error.class == JIBIT_NOT_PERMITTED)
	{
		fail_with(
			request, JIBIT_NOT_PERMITTED, "forbidden",
			"The role that submitted the request may not use the profile.");
		return;
	}
	if (account->account == NULL)
	{
		jibit_pause_for_keys(claim->profile, &account->error, NULL,
							 REFUSED_FIRST_MS, CONFIGURATION_LONGEST_MS);
		put_back(request);
		return;
	}
	if (!read_arguments_safely(request, claim))
	{
		fail_with(request, JIBIT_INVALID_INPUT, "invalid.request_body",
				  "The arguments cannot be read.");
		return;
	}
	request->account = account->account;
	request->account->uses++;
	push(&claimed, request);
}

/*
 * Exchanges.
 */

/* Everything is dropped: the queue is gone, and with it what it wanted. */
static void
forget_requests(void)
{
	Request *request;

	while ((request = pop(&ended)) != NULL)
		free_request(request);
	while ((request = pop(&claimed)) != NULL)
	{
		if (request->is_probe)
			jibit_pauses_end_probe(request->profile, request->inquiry->id,
								   false);
		free_request(request);
	}
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
		Request *request = dlist_container(Request, node, iter.cur);

		outcomes[count++] = request->outcome;
	}
	return count > 0 ? jibit_claims_return(table, outcomes, count) : 0;
}

/* The identity of a profile's keys as they are now; false without any. */
static bool
get_keys(const char *profile, uint8 *digest)
{
	JibitError error;
	Account *account = open_account(profile, GetUserId(), &error);

	if (account == NULL)
		return false;
	memcpy(digest, account->policy.credentials->digest, JIBIT_DIGEST_SIZE);
	account->uses = 1;
	leave_account(account);
	return true;
}

static void
claim(const JibitQueueTable *table)
{
	int room = jibit_worker_concurrency + ahead - claimed.count -
			   running.count;
	JibitClaim *claims;
	List *known = NIL;
	ListCell *cell;
	int taken;

	if (room <= 0)
	{
		due_at = DT_NOBEGIN;
		return;
	}
	claims = jibit_claims_take(table, room, &taken, &due_at);
	for (int i = 0; i < taken; i++)
		take_over(table, &claims[i], &known);
	foreach (cell, known)
		leave_account(((KnownAccount *) lfirst(cell))->account);
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
	int returned = 0;
	int finished = 0;

	if (claims)
	{
		wakeups_seen = jibit_workers_wakeups();
		set_ahead();
	}
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
		recovered = false;
		due_at = DT_NOEND;
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
			jibit_pauses_review_keys(get_keys);
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
		free_request(pop(&ended));
	first_ended_us = jibit_now_us();
	exchanged_us = jibit_now_us();
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

/* Before each turn of the calls; see JibitCallRun. */
static long
take_turn(void *arg)
{
	long wait_ms = TURN_MS;

	reload_settings();
	if (ShutdownRequestPending)
		return -1;
	if (must_flush() || needs_claims())
		exchange(needs_claims());
	if (ended.count > 0)
		wait_ms = Min(wait_ms, jibit_ms_until(first_ended_us +
											  FLUSH_MS * INT64CONST(1000)));
	return wait_ms;
}

/* Makes calls until nothing that is due is left. */
static void
run_calls(void)
{
	JibitCallRun calls = {.concurrency = jibit_worker_concurrency,
						  .next = next_call,
						  .done = call_done,
						  .turn = take_turn};

	run_concurrency = jibit_worker_concurrency;
	jibit_client_run(&calls);
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

static void
sleep_until_woken(long wait_ms)
{
	static uint32 wait_event = 0;

	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 wait_ms,
					 jibit_wait_event(&wait_event, "JibitWorkerMain"));
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* What is not finished goes back to the queue. */
static void
return_everything(void)
{
	Request *request;

	while ((request = pop(&claimed)) != NULL)
		put_back(request);

	/* These may have been called: they count. */
	while ((request = pop(&running)) != NULL)
	{
		request->outcome.finished = false;
		end_request(request);
	}
	if (ended.count > 0)
		exchange(false);
}

/*
 * The worker's own settings, whatever the database has: statements without
 * limits of time, and plans that use the indexes also while the statistics
 * know nothing of what is in the queue.
 */
static void
set_settings(void)
{
	static const char *const settings[][2] = {
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
	pqsignal(SIGINT, SIG_IGN);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database),
											  InvalidOid, 0);
	if (!jibit_workers_attach())
		ereport(FATAL, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("database has a jibit worker already")));
	stop_timeout = RegisterTimeout(USER_TIMEOUT, stop_waiting);
	set_settings();
	worker_context = AllocSetContextCreate(TopMemoryContext, "jibit worker",
										   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(worker_context);
	dlist_init(&claimed.head);
	dlist_init(&running.head);
	dlist_init(&ended.head);
	pgstat_report_appname("jibit worker");

	while (!ShutdownRequestPending)
	{
		reload_settings();
		pgstat_report_activity(STATE_RUNNING, "taking requests");
		exchange(true);
		if (claimed.count > 0)
		{
			pgstat_report_activity(STATE_RUNNING, "making calls");
			run_calls();
		}
		if (ended.count + claimed.count > 0)
			continue;
		pgstat_report_stat(true);
		pgstat_report_activity(STATE_IDLE, NULL);
		if (!is_woken())
			sleep_until_woken(idle_time());
	}
	return_everything();
	proc_exit(0);
}
