/*-------------------------------------------------------------------------
 *
 * client.c
 *	  The one way in which inquiries are made.
 *
 * Each call goes through the same steps.  Its arguments are normalised and
 * checked; the statement's answers and then the shared ones are looked up;
 * limits are asked: the statement's, the day's, the circuit breaker; it gets a
 * token and a place among those under way; a request is sent; its outcome is
 * decoded, or tried again when that is worth it; the answer is stored and
 * everything counted.  An authorisation error gets one new token and one more
 * try.
 *
 * A run has a task for each call under way.  A task waits for its retry, for
 * its place, for a suspended service without holding up another.  What a task
 * holds of shared things (a place, a pass of the breaker, a reservation of the
 * day's budget) is given back when the run ends, however it ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "account/credentials.h"
#include "account/token.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/tehran.h"
#include "call/client.h"
#include "call/log.h"
#include "call/statement.h"
#include "call/trackid.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "net/http.h"
#include "net/retry.h"
#include "protocol/arguments.h"
#include "protocol/decode.h"
#include "shared/breaker.h"
#include "shared/budget.h"
#include "shared/cache.h"
#include "shared/places.h"
#include "shared/stats.h"
#include "utils/memutils.h"

/* While calls of its own are under way: how soon a run asks for a place. */
#define PLACE_WAIT_MS 5

/* Without any: at most so long at a time, to see its own deadline pass. */
#define PLACE_WAIT_LONGEST_MS 100

/* The longest wait of a turn that has nothing to look at before. */
#define TURN_LONGEST_MS 60000

typedef enum TaskState
{
	TASK_IDLE,	/* has no call */
	TASK_READY, /* to be sent at due_us */
	TASK_SENT,
	TASK_ENDED /* to be handed over */
} TaskState;

/* A call under way. */
typedef struct Task
{
	JibitCall *call;
	MemoryContext context; /* of this call */
	TaskState state;
	int number; /* of the inquiry */
	char *canonical[JIBIT_MAX_PARAMS];
	int64 started_us;
	int64 deadline_us;
	int64 due_us;
	JibitStatementKey key; /* its data is NULL if not cacheable */
	int key_public;	 /* where the part begins that is not the user's own */
	bool has_digest; /* of the shared answers */
	uint8 digest[JIBIT_DIGEST_SIZE];
	char *token;
	uint64 token_generation;
	bool token_renewed; /* the one new token has been spent */
	int64 bytes_received;
	JibitHttpRequest request;

	/* What it holds. */
	bool admitted; /* a pass and a reservation */
	JibitPass pass;
	int budget_day;
	bool has_place;
} Task;

typedef struct Run
{
	MemoryContext caller;  /* of the policies' credentials */
	MemoryContext context; /* of the run */
	JibitHttpGroup *group;
	Task *tasks;
	int ntasks;
	int active;			/* tasks that are not idle */
	bool lacks_a_place; /* some task waits for one */
} Run;

static JibitLastCall last_call;

const JibitLastCall *
jibit_client_last_call(void)
{
	return last_call.inquiry ? &last_call : NULL;
}

static void
note_last_call(const JibitCall *call)
{
	last_call.inquiry = call->inquiry->id;
	strlcpy(last_call.profile, call->policy->profile,
			sizeof(last_call.profile));
	strlcpy(last_call.track_id, call->track_id, sizeof(last_call.track_id));
	last_call.http_status = call->http_status;
	last_call.attempts = call->attempts;
	last_call.cached = call->cached;
	last_call.duration_us = call->duration_us;
	last_call.failed = call->answer == NULL;
	if (last_call.failed)
		last_call.error = call->error;
}

/* The account that is asked: the identity of the credentials. */
static const uint8 *
account_of(const Task *task)
{
	return task->call->policy->credentials->digest;
}

/* Counts days, so that one is told from the next. */
static int
today_number(void)
{
	JibitJalali today = jibit_tehran_today();

	return jibit_jalali_to_jdn(today.year, today.month, today.day);
}

/*
 * Before anything is sent: arguments and caches.
 */

/*
 * What tells this inquiry from every other one: who asks, by which profile of
 * which table, what.  Parts of any length have a terminator behind them; the
 * inquiry has what says whether its first argument is given.
 */
static void
make_key(Task *task)
{
	const JibitInquiry *inquiry = task->call->inquiry;
	StringInfoData key;
	Oid user = GetUserId();

	initStringInfo(&key);
	appendBinaryStringInfo(&key, (char *) &user, sizeof(user));
	appendBinaryStringInfo(&key, jibit_credentials_table,
						   (int) strlen(jibit_credentials_table) + 1);
	task->key_public = key.len;
	appendBinaryStringInfo(&key, task->call->policy->profile,
						   (int) strlen(task->call->policy->profile) + 1);
	appendStringInfoString(&key, inquiry->id);
	for (int i = 0; i < inquiry->nparams; i++)
	{
		/* An argument that is not given differs from an empty one. */
		appendStringInfoChar(&key, task->canonical[i] ? '\1' : '\0');
		if (task->canonical[i] != NULL)
			appendBinaryStringInfo(&key, task->canonical[i],
								   (int) strlen(task->canonical[i]) + 1);
	}
	task->key = jibit_statement_key(key.data, key.len);
}

/* The key of the shared answers: the account in place of the user. */
static void
make_digest(Task *task)
{
	StringInfoData data;

	initStringInfo(&data);
	appendBinaryStringInfo(&data, (char *) account_of(task),
						   JIBIT_DIGEST_SIZE);
	appendBinaryStringInfo(&data, task->key.data + task->key_public,
						   task->key.length - task->key_public);
	jibit_digest(task->digest, data.data, data.len);
	pfree(data.data);
	task->has_digest = true;
}

/* What the shared cache holds: an answer with its track id. */
typedef struct CachedAnswer
{
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	JibitAnswer answer;
} CachedAnswer;

static void
store_shared(const Task *task)
{
	const JibitAnswer *answer = task->call->answer;
	int size = (int) (offsetof(CachedAnswer, answer) +
					  JIBIT_ANSWER_SIZE(answer));
	CachedAnswer *cached = palloc0(size);

	strlcpy(cached->track_id, task->call->track_id, sizeof(cached->track_id));
	memcpy(&cached->answer, answer, JIBIT_ANSWER_SIZE(answer));
	jibit_cache_put(task->digest, MyDatabaseId, task->number, cached, size);
	pfree(cached);
}

static void
end_task(Task *task)
{
	task->state = TASK_ENDED;
	task->call->duration_us = jibit_now_us() - task->started_us;
	note_last_call(task->call);
}

/* An answer that this statement has got already? */
static bool
find_in_statement(Task *task)
{
	JibitCall *call = task->call;
	const char *track_id;

	call->answer = jibit_statement_find(task->key, call->policy->of_server,
										&track_id);
	if (call->answer == NULL)
		return false;
	strlcpy(call->track_id, track_id, sizeof(call->track_id));
	call->cached = true;
	jibit_stats_count_hit(task->number, call->policy->profile, true);
	return true;
}

/* An answer that some session has got not long ago? */
static bool
find_shared(Task *task)
{
	JibitCall *call = task->call;
	CachedAnswer *cached;
	int size;

	cached = jibit_cache_get(
		task->digest, jibit_policy_cache_ttl(call->policy, task->number),
		&size);
	if (cached == NULL)
		return false;
	call->answer = &cached->answer;
	strlcpy(call->track_id, cached->track_id, sizeof(call->track_id));
	call->cached = true;
	jibit_stats_count_hit(task->number, call->policy->profile, false);
	return true;
}

static void
store_answer(const Task *task)
{
	const JibitCall *call = task->call;
	bool strict = !call->cached ||
				  jibit_policy_cache_is_strict(call->policy, task->number);

	if (task->key.data == NULL)
		return;
	if (task->has_digest && !call->cached)
		store_shared(task);

	/* What a session's setting alone let in is not for a trigger. */
	jibit_statement_store(task->key, strict, call->answer, call->track_id);
}

static void
make_request(Task *task)
{
	JibitCall *call = task->call;
	StringInfoData url;

	initStringInfo(&url);
	appendStringInfoString(&url, call->policy->credentials->base_url);
	if (call->target != NULL)
		appendStringInfoString(&url, call->target);
	else
		jibit_arguments_append_target(&url, call->inquiry, task->canonical);
	if (call->track_id[0] == '\0')
		jibit_make_track_id(call->track_id);
	task->request.url = url.data;
	task->request.track_id = call->track_id;
	task->request.connect_timeout_ms = call->policy->connect_timeout_ms;
	task->request.owner = task;
}

/*
 * Takes up a call: it ends here if its arguments are wrong or its answer is
 * known, and is ready to be sent otherwise.  In the task's context.
 */
static void
begin_task(Run *run, Task *task)
{
	JibitCall *call = task->call;
	const JibitInquiry *inquiry = call->inquiry;

	task->number = inquiry->number;
	task->started_us = jibit_now_us();
	task->deadline_us = task->started_us +
						call->policy->timeout_ms * INT64CONST(1000);
	task->due_us = task->started_us;
	task->state = TASK_READY;

	if (!jibit_arguments_normalize(inquiry, call->arguments,
								   call->policy->validate, task->canonical,
								   &call->error))
	{
		end_task(task);
		return;
	}

	if (inquiry->cacheable)
	{
		make_key(task);
		if (find_in_statement(task))
		{
			end_task(task);
			return;
		}
	}

	/* Before the shared answers: the profile may not be for this user. */
	if (call->policy->credentials == NULL)
	{
		MemoryContext context = MemoryContextSwitchTo(run->caller);

		call->policy->credentials = jibit_credentials_get(
			call->policy->profile);
		MemoryContextSwitchTo(context);
	}
	if (inquiry->cacheable &&
		jibit_policy_cache_ttl(call->policy, task->number) > 0)
	{
		make_digest(task);
		if (find_shared(task))
		{
			store_answer(task);
			end_task(task);
			return;
		}
	}
	make_request(task);
}

/*
 * Limits.
 */

static void
fail_task(Task *task, const char *code, const char *message)
{
	/* A call of which there was an attempt keeps its track id. */
	jibit_error_set(&task->call->error, code, 0, message,
					task->call->attempts > 0 ? task->call->track_id : NULL);
	task->call->answer = NULL;
	end_task(task);
}

/* Gives back the pass and, for a call that was no success, the reservation. */
static void
release_admission(Task *task, bool succeeded)
{
	if (!task->admitted)
		return;
	jibit_breaker_return(account_of(task), task->number, &task->pass);
	if (succeeded)
		jibit_budget_spend(task->number, task->budget_day);
	else
		jibit_budget_give_back(task->number, task->budget_day);
	task->admitted = false;
}

static void
release_place(Task *task)
{
	if (task->has_place)
		jibit_places_give_back();
	task->has_place = false;
}

/*
 * Asks the limits, once for a call.  When it may not go now, it has ended or
 * is due later.
 */
static bool
admit_task(Task *task)
{
	int limit = -1;
	long wait_ms;

	if (task->admitted)
		return true;
	if (task->call->inquiry != &jibit_any_inquiry)
		limit = jibit_daily_limit_of[task->number];
	if (!jibit_breaker_ask(account_of(task), task->number, &task->pass,
						   &wait_ms))
	{
		task->due_us = jibit_now_us() + wait_ms * INT64CONST(1000);
		if (!task->call->policy->wait_suspended ||
			task->due_us >= task->deadline_us)
			fail_task(
				task, JIBIT_CODE_SUSPENDED,
				psprintf(
					"Calls are suspended after failures in a row; one is tried again in %ld ms.",
					wait_ms));
		return false;
	}
	task->budget_day = today_number();
	if (!jibit_budget_reserve(task->number, &task->budget_day, limit))
	{
		jibit_breaker_return(account_of(task), task->number, &task->pass);
		fail_task(
			task, JIBIT_CODE_LIMIT_REACHED,
			psprintf(
				"The day's %d calls that jibit.daily_limit_%s allows have been made.",
				limit, task->call->inquiry->id));
		return false;
	}
	task->admitted = true;
	if (!jibit_statement_count_call())
	{
		release_admission(task, false);
		fail_task(
			task, JIBIT_CODE_LIMIT_REACHED,
			psprintf(
				"The statement has made the %d calls that jibit.max_calls_per_statement allows.",
				jibit_max_calls_per_statement));
		return false;
	}
	return true;
}

/*
 * Counts and logs a call that has ended and of which there was an attempt;
 * `code` is NULL if it succeeded.
 */
static void
count_task(const Task *task, const char *code)
{
	const JibitCall *call = task->call;
	JibitLoggedCall logged = {.inquiry = call->inquiry,
							  .canonical = task->canonical,
							  .profile = call->policy->profile,
							  .error_code = code,
							  .track_id = call->track_id,
							  .http_status = call->http_status,
							  .attempts = call->attempts,
							  .duration_us = call->duration_us};

	if (call->attempts == 0)
		return;
	jibit_stats_count_call(task->number, call->policy->profile, code,
						   call->attempts - 1, task->bytes_received,
						   call->duration_us);
	jibit_log_call(&logged);
}

/*
 * Sending.
 */

/* Gets a token for a task; a call that gets none ends here. */
static bool
get_token(Task *task)
{
	JibitCall *call = task->call;
	JibitToken token;

	if (jibit_token_get(call->policy->credentials, call->policy,
						call->track_id, task->deadline_us, &token,
						&call->error))
	{
		/* One that waits for its place gets here again and again. */
		if (task->token != NULL)
			pfree(task->token);
		task->token = pstrdup(token.text);
		task->token_generation = token.generation;
		return true;
	}
	call->answer = NULL;
	release_admission(task, false);
	end_task(task);
	count_task(task, call->error.code);
	return false;
}

/* Sends what is due, unless a limit or the lack of a place keeps it. */
static void
send_task(Run *run, Task *task)
{
	long left_ms;

	if (!admit_task(task))
		return;

	/* Another's token may have taken all its time: none is asked for. */
	if (task->token == NULL && jibit_ms_until(task->deadline_us) == 0)
	{
		release_admission(task, false);
		fail_task(task, JIBIT_CODE_CONNECTION_TIMEOUT,
				  "The time was over before there was a token.");
		return;
	}
	if (!get_token(task))
		return;
	if (!jibit_places_take())
	{
		if (jibit_ms_until(task->deadline_us) == 0)
		{
			release_admission(task, false);
			fail_task(
				task, JIBIT_CODE_CONNECTION_TIMEOUT,
				"None of the jibit.max_in_flight places came free in time.");
			count_task(task, task->call->error.code);
		}
		else
			run->lacks_a_place = true;
		return;
	}
	task->has_place = true;

	/* What has no time left is not sent: it would be paid for in vain. */
	left_ms = jibit_ms_until(task->deadline_us);
	if (left_ms == 0)
	{
		release_place(task);
		release_admission(task, false);
		fail_task(task, JIBIT_CODE_CONNECTION_TIMEOUT,
				  "The time was over before the request could be sent.");
		count_task(task, task->call->error.code);
		return;
	}
	task->request.bearer = task->token;
	task->request.timeout_ms = (int) left_ms;
	jibit_http_start(run->group, &task->request);
	task->state = TASK_SENT;
	task->call->attempts++;
}

/*
 * Outcomes.
 */

/* A match on which the service cannot decide is an answer: NULL. */
static JibitAnswer *
make_unknown_match(void)
{
	StringInfoData writer;

	jibit_answer_begin(&writer);
	jibit_answer_put_null(&writer);
	return jibit_answer_finish(&writer, 1);
}

/*
 * A hash of what was asked, for the breaker; 0 where there are no arguments
 * to blame.
 */
static uint64
hash_arguments(const Task *task)
{
	const char *target = task->call->target;
	uint64 what = 0;

	if (target != NULL)
		return hash_bytes_extended((const unsigned char *) target,
								   (int) strlen(target), 0);
	for (int i = 0; i < task->call->inquiry->nparams; i++)
	{
		const char *argument = task->canonical[i];

		if (argument != NULL)
			what = hash_bytes_extended((const unsigned char *) argument,
									   (int) strlen(argument), what + i);
	}
	return what;
}

static JibitReach
reach_of(const JibitError *error)
{
	return jibit_error_has(error, JIBIT_BLAMES_WAY) ? JIBIT_REACH_FAILED
		   : jibit_error_has(error, JIBIT_BLAMES_INQUIRY)
			   ? JIBIT_REACH_FAILING
			   : JIBIT_REACH_ANSWERED;
}

/* A call has ended that was sent: everything that counts it. */
static void
conclude_task(Task *task)
{
	JibitCall *call = task->call;
	bool succeeded = call->answer != NULL;
	const char *code = succeeded ? NULL : call->error.code;

	if (succeeded || jibit_policy_blames_service(call->policy, &call->error))
		jibit_breaker_report(account_of(task), task->number, &task->pass,
							 succeeded ? JIBIT_REACH_ANSWERED
									   : reach_of(&call->error),
							 succeeded ? 0 : hash_arguments(task));
	release_admission(task, succeeded);
	if (succeeded)
		store_answer(task);
	else if (jibit_inquiry_is_match(call->inquiry) &&
			 strcmp(call->error.code, JIBIT_CODE_MATCHING_UNKNOWN) == 0)
		call->answer = make_unknown_match();
	end_task(task);
	count_task(task, code);
}

/* How long to wait before the next attempt; -1 for none. */
static long
retry_pause(const Task *task)
{
	const JibitCall *call = task->call;
	JibitRetry retry = {.class = call->error.class,
						.http_status = call->error.http_status,
						.retry_after = call->retry_after,
						.attempts = call->attempts,
						.max_retries = call->policy->max_retries,
						.left_ms = jibit_ms_until(task->deadline_us),
						.jitter = pg_prng_double(&pg_global_prng_state)};

	return jibit_retry_pause(&retry);
}

/* A request has ended: the call has too, or it is tried again. */
static void
take_outcome(Task *task)
{
	JibitCall *call = task->call;
	JibitHttpRequest *request = &task->request;
	const JibitCredentials *credentials = call->policy->credentials;
	const char *secrets[] = {task->token, credentials->api_key,
							 credentials->secret_key, NULL};
	MemoryContext caller = MemoryContextSwitchTo(task->context);
	bool is_refused;
	long pause;

	release_place(task);
	call->http_status = request->status;
	call->retry_after = request->retry_after;
	task->bytes_received += request->body_length;
	call->answer = jibit_decode_inquiry(call->inquiry, request, secrets,
										&call->error);
	if (request->body != NULL)
		pfree(request->body);
	request->body = NULL;

	/* In practice an expired token, or one revoked. */
	is_refused = call->answer == NULL &&
				 call->error.class == JIBIT_NOT_AUTHORISED &&
				 !task->token_renewed;
	if (is_refused)
		jibit_token_invalidate(credentials, task->token_generation);
	if (is_refused && jibit_ms_until(task->deadline_us) > 0)
	{
		task->token_renewed = true;
		pause = 0;
	}
	else
		pause = call->answer != NULL ? -1 : retry_pause(task);
	if (pause < 0)
		conclude_task(task);
	else
	{
		task->state = TASK_READY;
		task->due_us = jibit_now_us() + pause * INT64CONST(1000);
	}
	MemoryContextSwitchTo(caller);
}

/*
 * Driving.
 */

/*
 * Sends what is due.  Returns how long there is nothing to be sent, at most
 * wait_ms.
 */
static long
send_due(Run *run, long wait_ms)
{
	int64 now = jibit_now_us();

	run->lacks_a_place = false;
	for (int i = 0; i < run->ntasks; i++)
	{
		Task *task = &run->tasks[i];

		if (task->state == TASK_READY && task->due_us <= now)
		{
			MemoryContext caller = MemoryContextSwitchTo(task->context);

			send_task(run, task);
			MemoryContextSwitchTo(caller);
		}
		if (task->state == TASK_ENDED)
			wait_ms = 0;
		else if (task->state == TASK_READY && task->due_us > now)
			wait_ms = Min(wait_ms, jibit_ms_until(task->due_us));
	}
	return wait_ms;
}

static bool
has_sent(const Run *run)
{
	for (int i = 0; i < run->ntasks; i++)
	{
		if (run->tasks[i].state == TASK_SENT)
			return true;
	}
	return false;
}

/* One turn: send, wait at most wait_ms, take up what has ended. */
static void
drive(Run *run, long wait_ms)
{
	JibitHttpRequest *request;

	wait_ms = send_due(run, wait_ms);

	if (run->lacks_a_place && wait_ms > 0 && !has_sent(run))
	{
		jibit_places_wait(Min(wait_ms, PLACE_WAIT_LONGEST_MS));
		return;
	}
	if (run->lacks_a_place)
		wait_ms = Min(wait_ms, PLACE_WAIT_MS);
	/* What else has ended by now; more would keep the next from beginning. */
	request = jibit_http_wait(run->group, wait_ms);
	for (; request != NULL; request = jibit_http_take(run->group))
		take_outcome(request->owner);
}

/*
 * A call that was sent, and whose answer nobody waits for any more: a cancel
 * most likely.  It is counted and can be asked about like any other.
 */
static void
break_off_task(Task *task)
{
	fail_task(
		task, JIBIT_CODE_CONNECTION_FAILED,
		"The call was broken off; it may have been answered and charged.");
	jibit_stats_count_call(task->number, task->call->policy->profile,
						   task->call->error.code, task->call->attempts - 1,
						   task->bytes_received, task->call->duration_us);
}

/* Gives back what the tasks hold, however the run has ended. */
static void
release_run(Run *run)
{
	for (int i = 0; i < run->ntasks; i++)
	{
		Task *task = &run->tasks[i];

		if (task->state == TASK_READY || task->state == TASK_SENT)
		{
			release_place(task);
			release_admission(task, false);
			if (task->call->attempts > 0)
				break_off_task(task);
		}
	}
	jibit_http_end_group(run->group);
	run->group = NULL;
}

void
jibit_client_call(JibitCall *call)
{
	Run *run = palloc0(sizeof(Run));
	Task *task = palloc0(sizeof(Task));

	run->caller = run->context = CurrentMemoryContext;
	run->tasks = task;
	run->ntasks = 1;
	task->call = call;
	task->context = CurrentMemoryContext;
	begin_task(run, task);
	if (task->state == TASK_ENDED)
		return;

	PG_TRY();
	{
		run->group = jibit_http_begin_group(run->context);
		while (task->state != TASK_ENDED)
			drive(run, TURN_LONGEST_MS);
	}
	PG_FINALLY();
	{
		release_run(run);
	}
	PG_END_TRY();
}

static void
hand_over_task(Run *run, Task *task, const JibitCallRun *callbacks)
{
	MemoryContextSwitchTo(task->context);
	callbacks->done(callbacks->arg, task->call);
	task->state = TASK_IDLE;
	run->active--;
}

static void
hand_over(Run *run, const JibitCallRun *callbacks)
{
	for (int i = 0; i < run->ntasks; i++)
	{
		if (run->tasks[i].state == TASK_ENDED)
			hand_over_task(run, &run->tasks[i], callbacks);
	}
	MemoryContextSwitchTo(run->context);
}

/* Hands over what has ended and takes up what comes next. */
static void
refill(Run *run, const JibitCallRun *callbacks, bool *exhausted)
{
	for (int i = 0; i < run->ntasks; i++)
	{
		Task *task = &run->tasks[i];

		while (task->state == TASK_ENDED ||
			   (task->state == TASK_IDLE && !*exhausted))
		{
			JibitCall *call = task->call;
			MemoryContext context = task->context;

			CHECK_FOR_INTERRUPTS();
			if (task->state == TASK_ENDED)
			{
				hand_over_task(run, task, callbacks);
				continue;
			}
			MemoryContextSwitchTo(context);
			MemoryContextReset(context);
			memset(task, 0, sizeof(Task));
			memset(call, 0, sizeof(JibitCall));
			task->call = call;
			task->context = context;
			if (callbacks->next(callbacks->arg, call))
			{
				run->active++;
				begin_task(run, task);
			}
			else
				*exhausted = true;
		}
	}
	MemoryContextSwitchTo(run->context);
}

/* Until every call has ended, or a turn's callback breaks off. */
static void
drive_all(Run *run, const JibitCallRun *callbacks)
{
	long wait_ms = TURN_LONGEST_MS;
	bool exhausted = false;

	for (;;)
	{
		if (callbacks->turn != NULL)
		{
			hand_over(run, callbacks);
			wait_ms = callbacks->turn(callbacks->arg);
			if (wait_ms < 0)
				return;
			exhausted = false;
		}
		refill(run, callbacks, &exhausted);
		if (run->active == 0)
			return;
		drive(run, wait_ms);
	}
}

void
jibit_client_run(const JibitCallRun *callbacks)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	Run *run;

	context = AllocSetContextCreate(caller, "jibit run",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	run = palloc0(sizeof(Run));
	run->caller = caller;
	run->context = context;
	run->ntasks = callbacks->concurrency;
	run->tasks = palloc0(run->ntasks * sizeof(Task));
	for (int i = 0; i < run->ntasks; i++)
	{
		run->tasks[i].call = palloc0(sizeof(JibitCall));

		/* One block is enough for most calls, and stays for the next. */
		run->tasks[i].context = AllocSetContextCreate(context, "jibit call",
													  ALLOCSET_DEFAULT_SIZES);
	}

	PG_TRY();
	{
		run->group = jibit_http_begin_group(context);
		drive_all(run, callbacks);
	}
	PG_FINALLY();
	{
		release_run(run);
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
	}
	PG_END_TRY();
}
