/*
 * A call on its way: the steps that it goes through.
 *
 * ADMIT -> TOKEN -> PLACE -> SENT (-> BACKOFF -> TOKEN ...) -> ENDED.
 *
 * Its arguments are normalised and checked; the statement's answers and then
 * the shared ones are looked up; limits are asked: the statement's, the day's,
 * the circuit breaker; it gets a token and a place among those under way; a
 * request is sent; its outcome is decoded, or tried again when that is worth
 * it; the answer is stored and everything counted.  An authorisation error
 * gets one new token and one more try.
 *
 * The state says what a task waits for, and nothing here waits: run.c does.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/tehran.h"
#include "call/log.h"
#include "call/statement.h"
#include "call/task.h"
#include "call/trackid.h"
#include "common/pg_prng.h"
#include "net/retry.h"
#include "protocol/arguments.h"
#include "protocol/decode.h"
#include "shared/budget.h"
#include "shared/places.h"
#include "shared/stats.h"

/* The account that is asked: the identity of the credentials. */
static const uint8 *
account_of(const JibitTask *task)
{
	return task->call->policy->credentials->digest;
}

void
jibit_task_enter(JibitTask *task, JibitTaskState state)
{
	task->state = state;
	task->since_us = task->due_us = jibit_drive_now();
}

/*
 * What it holds.
 */

static void
release_place(JibitTask *task)
{
	if (task->has_place)
		jibit_places_give_back();
	task->has_place = false;
}

static void
release_pass(JibitTask *task)
{
	if (task->has_pass)
		jibit_breaker_return(account_of(task), task->call->inquiry->number,
							 &task->pass);
	task->has_pass = false;
}

/*
 * The day's call counts from when it is first sent.  It does not if it never
 * was, nor if the service has answered each attempt with a failure; what was
 * broken off or timed out may have been charged.
 */
static void
release_reservation(JibitTask *task)
{
	int number = task->call->inquiry->number;

	if (task->has_reservation && task->call->attempts == 0)
		jibit_budget_give_back(number, task->budget_day);
	else if (task->has_reservation && task->charges == 0)
		jibit_budget_refund(number, task->budget_day);
	task->has_reservation = false;
}

/*
 * Ends.
 */

static void
end_task(JibitTask *task)
{
	task->state = JIBIT_TASK_ENDED;
	task->call->duration_us = jibit_now_us() - task->began_us;
}

/* Counts and logs a call of which there was an attempt. */
static void
count_task(const JibitTask *task, const char *code)
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

	jibit_stats_count_call(call->inquiry->number, call->policy->profile, code,
						   call->attempts - 1, task->bytes_received,
						   call->duration_us);
	jibit_log_call(&logged);
}

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
 * What was asked, as a number for the breaker; 0 where there is no argument
 * that could be to blame.
 */
static uint64
number_of_request(const JibitTask *task)
{
	uint8 digest[JIBIT_DIGEST_SIZE];
	uint64 number = 0;

	if (task->call->inquiry->nparams > 0 || task->call->target != NULL)
	{
		jibit_digest(digest, task->request.url,
					 (int) strlen(task->request.url));
		memcpy(&number, digest, sizeof(number));
	}
	return number;
}

/* Tells the breaker what the end of a call says of the service. */
static void
report_reach(JibitTask *task)
{
	const JibitCall *call = task->call;
	JibitReach reach = JIBIT_REACH_ANSWERED;

	if (call->answer == NULL)
	{
		if (!jibit_policy_blames_service(call->policy, &call->error))
			return;
		if (jibit_error_has(&call->error, JIBIT_BLAMES_WAY))
			reach = JIBIT_REACH_FAILED;
		else if (jibit_error_has(&call->error, JIBIT_BLAMES_INQUIRY))
			reach = JIBIT_REACH_FAILING;
	}
	jibit_breaker_report(
		account_of(task), call->inquiry->number, &task->pass, reach,
		reach == JIBIT_REACH_FAILING ? number_of_request(task) : 0);
}

/*
 * The one place where a call ends that got so far as to ask the limits: all
 * that it holds goes, and all that counts it is told.
 */
static void
conclude_task(JibitTask *task)
{
	JibitCall *call = task->call;
	const char *code = call->answer ? NULL : call->error.code;

	jibit_task_release(task);
	if (call->answer != NULL)
		jibit_lookup_store(&task->lookup, call);
	else if (jibit_inquiry_is_match(call->inquiry) &&
			 strcmp(call->error.code, JIBIT_CODE_MATCHING_UNKNOWN) == 0)
		call->answer = make_unknown_match();
	end_task(task);
	if (call->attempts > 0)
		count_task(task, code);
}

void
jibit_task_fail(JibitTask *task, const JibitError *error)
{
	task->call->error = *error;
	task->call->answer = NULL;
	conclude_task(task);
}

void
jibit_task_give_up(JibitTask *task, const JibitError *error)
{
	if (task->call->attempts > 0)
	{
		report_reach(task);
		conclude_task(task);
	}
	else
		jibit_task_fail(task, error);
}

/* With an error of this side, unless an attempt has been answered. */
static void
give_up(JibitTask *task, const char *code, const char *message)
{
	JibitError error;

	jibit_error_set(&error, code, 0, message, NULL);
	jibit_task_give_up(task, &error);
}

int64
jibit_task_limit(const JibitTask *task, int64 moved_us)
{
	int64 since_us = task->since_us;

	if (task->deadline_us != JIBIT_NO_DEADLINE)
		return task->deadline_us;
	if (task->state == JIBIT_TASK_PLACE)
		since_us = Max(since_us, moved_us);
	return since_us + task->call->policy->timeout_ms * INT64CONST(1000);
}

void
jibit_task_time_out(JibitTask *task)
{
	give_up(task, JIBIT_CODE_CONNECTION_TIMEOUT,
			task->state == JIBIT_TASK_TOKEN
				? "The time was over before there was a token."
			: task->state == JIBIT_TASK_PLACE
				? "None of the jibit.max_in_flight places came free in time."
				: "The time was over before the request could be sent.");
}

void
jibit_task_count_broken_off(JibitTask *task)
{
	JibitCall *call = task->call;

	end_task(task);
	jibit_error_set(
		&call->error, JIBIT_CODE_CONNECTION_FAILED, 0,
		"The call was broken off; it may have been answered and charged.",
		call->track_id);
	call->answer = NULL;
	count_task(task, call->error.code);
}

void
jibit_task_release(JibitTask *task)
{
	release_place(task);
	release_pass(task);
	release_reservation(task);
}

/*
 * Steps.
 */

static void
make_request(JibitTask *task)
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

void
jibit_task_begin(JibitTask *task, MemoryContext credentials_context)
{
	JibitCall *call = task->call;
	JibitPolicy *policy = call->policy;

	task->began_us = jibit_now_us();
	if (!jibit_arguments_normalize(call->inquiry, call->arguments,
								   policy->validate, task->canonical,
								   &call->error) ||
		jibit_lookup_in_statement(&task->lookup, call, task->canonical))
	{
		end_task(task);
		return;
	}

	/* Before the shared answers: the profile may not be for this user. */
	if (policy->credentials == NULL)
	{
		MemoryContext context = MemoryContextSwitchTo(credentials_context);

		policy->credentials = jibit_credentials_get(policy->profile);
		MemoryContextSwitchTo(context);
	}
	if (jibit_lookup_shared(&task->lookup, call))
	{
		end_task(task);
		return;
	}
	make_request(task);
	jibit_drive_begin();
	jibit_task_enter(task, JIBIT_TASK_ADMIT);
	task->deadline_us = policy->timed_from_place
							? JIBIT_NO_DEADLINE
							: task->since_us +
								  policy->timeout_ms * INT64CONST(1000);
}

/*
 * Asks the breaker.  False if the call may not go now: it has ended, or is due
 * later where it has the patience.
 */
static bool
get_pass(JibitTask *task)
{
	long wait_ms;

	task->has_pass = jibit_breaker_ask(
		account_of(task), task->call->inquiry->number, &task->pass, &wait_ms);
	task->call->probes = task->has_pass &&
						 (task->pass.probes_way || task->pass.probes_inquiry);
	if (task->has_pass)
		return true;
	task->due_us = jibit_drive_now() + wait_ms * INT64CONST(1000);
	if (!task->call->policy->wait_suspended ||
		task->due_us >= jibit_task_limit(task, 0))
		give_up(
			task, JIBIT_CODE_SUSPENDED,
			psprintf(
				"Calls are suspended after failures in a row; one is tried again in %ld ms.",
				wait_ms));
	return false;
}

/* Reserves one of the day's calls and counts it for the statement. */
static bool
get_reservation(JibitTask *task)
{
	const JibitInquiry *inquiry = task->call->inquiry;
	int limit = jibit_daily_limit_of[inquiry->number];

	if (task->has_reservation)
		return true;
	task->budget_day = jibit_tehran_day_number();
	if (!jibit_budget_reserve(inquiry->number, &task->budget_day, limit))
	{
		give_up(
			task, JIBIT_CODE_LIMIT_REACHED,
			psprintf(
				"The day's %d calls that jibit.daily_limit_%s allows have been made.",
				limit, inquiry->id));
		return false;
	}
	task->has_reservation = true;
	if (!jibit_statement_count_call())
	{
		give_up(
			task, JIBIT_CODE_LIMIT_REACHED,
			psprintf(
				"The statement has made the %d calls that jibit.max_calls_per_statement allows.",
				jibit_max_calls_per_statement));
		return false;
	}
	return true;
}

void
jibit_task_admit(JibitTask *task)
{
	if (get_pass(task) && get_reservation(task))
		jibit_task_enter(task, JIBIT_TASK_TOKEN);
}

bool
jibit_task_readmit(JibitTask *task)
{
	/* Who is a probe has been promised that it may go. */
	if (task->pass.probes_way || task->pass.probes_inquiry)
		return true;
	release_pass(task);
	if (get_pass(task))
		return true;
	release_place(task);
	if (task->state != JIBIT_TASK_ENDED)
	{
		int64 due_us = task->due_us;

		jibit_task_enter(task, JIBIT_TASK_ADMIT);
		task->due_us = due_us;
	}
	return false;
}

void
jibit_task_set_token(JibitTask *task, const JibitToken *token)
{
	if (task->token != NULL)
		pfree(task->token);
	task->token = MemoryContextStrdup(task->context, token->text);
	task->token_generation = token->generation;
	task->call->had_token = true;
}

void
jibit_task_prepare(JibitTask *task)
{
	if (task->deadline_us == JIBIT_NO_DEADLINE)
		task->deadline_us = jibit_drive_now() +
							task->call->policy->timeout_ms * INT64CONST(1000);
	task->request.bearer = task->token;
	task->request.timeout_ms = (int) Max(
		jibit_drive_ms_until(task->deadline_us), 1);
}

void
jibit_task_note_sent(JibitTask *task)
{
	if (task->call->attempts++ == 0)
		jibit_budget_spend(task->call->inquiry->number, task->budget_day);
	task->charges++;
	jibit_task_enter(task, JIBIT_TASK_SENT);
}

/* Decodes what has come back into the call. */
static void
decode_outcome(JibitTask *task)
{
	JibitCall *call = task->call;
	JibitHttpRequest *request = &task->request;
	const JibitCredentials *credentials = call->policy->credentials;
	const char *secrets[] = {task->token, credentials->api_key,
							 credentials->secret_key, NULL};

	call->http_status = request->status;
	call->retry_after = request->retry_after;
	task->bytes_received += request->body_length;
	call->answer = jibit_decode_inquiry(call->inquiry, request, secrets,
										&call->error);
	if (request->body != NULL)
		pfree(request->body);
	request->body = NULL;
	if (call->answer == NULL && call->error.http_status != 0 &&
		(call->error.class != JIBIT_BAD_ANSWER ||
		 call->error.http_status >= 300))
		task->charges--;
}

/*
 * In practice an expired token, or one revoked: nobody uses it again.  True if
 * the call has not had its one new token yet.
 */
static bool
is_refused(JibitTask *task)
{
	const JibitCall *call = task->call;

	if (call->answer != NULL || call->error.class != JIBIT_NOT_AUTHORISED ||
		task->token_renewed)
		return false;
	jibit_token_invalidate(call->policy->credentials, task->token_generation);
	return true;
}

/* How long to wait before the next attempt, or -1 for none. */
static long
retry_pause(const JibitTask *task, long left_ms)
{
	const JibitCall *call = task->call;
	JibitRetry retry = {.class = call->error.class,
						.http_status = call->error.http_status,
						.retry_after = call->retry_after,
						.attempts = call->attempts,
						.max_retries = call->policy->max_retries,
						.left_ms = left_ms,
						.jitter = pg_prng_double(&pg_global_prng_state)};

	return jibit_retry_pause(&retry);
}

void
jibit_task_take_outcome(JibitTask *task)
{
	JibitCall *call = task->call;
	MemoryContext caller = MemoryContextSwitchTo(task->context);
	long left_ms = jibit_drive_ms_until(task->deadline_us);
	long pause_ms = -1;

	decode_outcome(task);
	if (is_refused(task) && left_ms > 0)
	{
		task->token_renewed = true;
		pause_ms = 0;
	}
	else if (call->answer == NULL)
		pause_ms = retry_pause(task, left_ms);
	if (pause_ms < 0)
	{
		/* First, so that who gets its place knows. */
		report_reach(task);
		conclude_task(task);
	}
	else
	{
		release_place(task);
		jibit_task_enter(task, JIBIT_TASK_BACKOFF);
		task->due_us += pause_ms * INT64CONST(1000);
	}
	MemoryContextSwitchTo(caller);
}

/* Is a leader's failure its follower's too?  A timeout is, of the same time. */
static bool
is_shared(const JibitCall *call, const JibitCall *leader)
{
	return jibit_error_has(&leader->error, JIBIT_SHARED) ||
		   (leader->error.class == JIBIT_TIMEOUT && leader->attempts > 0 &&
			leader->policy->timeout_ms >= call->policy->timeout_ms);
}

void
jibit_task_take_from_leader(JibitTask *task)
{
	JibitCall *call = task->call;
	const JibitCall *leader = task->leader->call;

	task->leader = NULL;
	if (leader->answer != NULL)
	{
		call->answer = memcpy(
			MemoryContextAlloc(task->context,
							   JIBIT_ANSWER_SIZE(leader->answer)),
			leader->answer, JIBIT_ANSWER_SIZE(leader->answer));
		jibit_stats_count_hit(call->inquiry->number, call->policy->profile,
							  false);
	}
	else if (is_shared(call, leader))
		call->error = leader->error;
	else
	{
		jibit_task_enter(task, JIBIT_TASK_ADMIT);
		return;
	}
	strlcpy(call->track_id, leader->track_id, sizeof(call->track_id));
	call->http_status = leader->http_status;
	call->cached = true;
	end_task(task);
}
