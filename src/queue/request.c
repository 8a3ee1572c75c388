/*
 * A request in the worker's hands: from its claim to its outcome.
 *
 * A request and an account each have a memory context of their own, below
 * TopMemoryContext, and are freed by the worker.
 */
#include "postgres.h"

#include "account/credentials.h"
#include "account/rights.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/subtransaction.h"
#include "miscadmin.h"
#include "protocol/arguments.h"
#include "queue/pauses.h"
#include "queue/request.h"
#include "shared/workers.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* How soon keys are looked for again where a profile without any has no pause. */
#define KEYLESS_MS (60 * 1000)

/* Where an answer would not fit into its SQL type. */
#define UNFIT_FIRST_MS 5000
#define UNFIT_LONGEST_MS (60 * 1000)

/* How soon keys that are locked are looked for again. */
#define LOCKED_MS 500

/*
 * Accounts.
 */

static void
leave_account(JibitAccount *account)
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

/* What open_account() does in a subtransaction. */
typedef struct Opening
{
	const char *profile;
	Oid role;
	JibitPolicy policy;
} Opening;

static void
read_keys(void *arg)
{
	Opening *opening = arg;
	Oid user;
	int security_context;

	GetUserIdAndSecContext(&user, &security_context);
	SetUserIdAndSecContext(opening->role, security_context |
											  SECURITY_LOCAL_USERID_CHANGE |
											  SECURITY_RESTRICTED_OPERATION);
	opening->policy.credentials = jibit_credentials_get(opening->profile);
	SetUserIdAndSecContext(user, security_context);
}

/*
 * The keys of a profile for a role, as the role would get them, in use once;
 * NULL with *error filled where it does not.  That may be anything, since the
 * keys may come out of a view; *is_locked tells a lock that is not waited for.
 */
static JibitAccount *
open_account(const char *profile, Oid role, JibitError *error, bool *is_locked)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(
		TopMemoryContext, "jibit account", ALLOCSET_SMALL_SIZES);
	Opening opening = {.role = role};
	JibitAccount *account;
	ErrorData *failure;

	MemoryContextSwitchTo(context);
	account = palloc0(sizeof(JibitAccount));
	opening.profile = pstrdup(profile);
	opening.policy = jibit_server_policy(opening.profile);
	failure = jibit_try(read_keys, &opening, NULL);
	MemoryContextSwitchTo(caller);
	*is_locked = failure != NULL &&
				 failure->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
	if (failure == NULL)
	{
		account->context = context;
		account->uses = 1;
		account->policy = opening.policy;

		/* The queue has its own retries, which hold up nothing. */
		account->policy.max_retries = 0;
		account->policy.timed_from_place = true;
		return account;
	}
	jibit_error_set(error, JIBIT_CODE_CONNECTION_FAILED, 0,
					jibit_server_to_utf8_or_null(failure->message,
												 strlen(failure->message)),
					NULL);
	error->class = failure->constraint_name != NULL &&
						   strcmp(failure->constraint_name,
								  JIBIT_NO_RIGHT_TO_PROFILE) == 0
					   ? JIBIT_NOT_PERMITTED
					   : JIBIT_CONFIGURATION;
	MemoryContextDelete(context);
	return NULL;
}

bool
jibit_request_get_keys(const char *profile, uint8 *digest)
{
	static int64 locked_until_us = 0;
	JibitError error;
	JibitAccount *account;
	bool is_locked;

	if (jibit_now_us() < locked_until_us)
		return false;
	account = open_account(profile, GetUserId(), &error, &is_locked);
	if (is_locked)
		locked_until_us = jibit_now_us() + LOCKED_MS * INT64CONST(1000);
	if (account == NULL)
		return !is_locked;
	memcpy(digest, account->policy.credentials->digest, JIBIT_DIGEST_SIZE);
	leave_account(account);
	return true;
}

/* An element of the list of accounts: the claims mostly are of few. */
typedef struct KnownAccount
{
	const char *profile;
	Oid role;
	JibitAccount *account; /* NULL: `error` */
	JibitError error;
} KnownAccount;

static KnownAccount *
find_account(List **accounts, const char *profile, Oid role)
{
	KnownAccount *found;
	ListCell *cell;
	bool is_locked;

	foreach (cell, *accounts)
	{
		found = lfirst(cell);
		if (found->role == role && strcmp(found->profile, profile) == 0)
			return found;
	}
	found = palloc0(sizeof(KnownAccount));
	found->profile = profile;
	found->role = role;
	found->account = open_account(profile, role, &found->error, &is_locked);
	*accounts = lappend(*accounts, found);
	return found;
}

void
jibit_request_leave_accounts(List *accounts)
{
	ListCell *cell;

	foreach (cell, accounts)
		leave_account(((KnownAccount *) lfirst(cell))->account);
}

/*
 * Arguments.
 */

/* In the request's context. */
static void
read_arguments(JibitRequest *request, const JibitClaim *claim)
{
	const JibitInquiry *inquiry = request->inquiry;

	for (int i = 0; i < inquiry->nparams; i++)
	{
		const JibitParam *param = &inquiry->params[i];
		JsonbValue found;
		const JsonbValue *value = NULL;
		char *argument = NULL;

		if (JB_ROOT_IS_OBJECT(claim->arguments))
			value = getKeyJsonValueFromContainer(
				&claim->arguments->root, param->argument,
				(int) strlen(param->argument), &found);
		if (value == NULL)
			argument = jibit_argument_default(param);
		else if (value->type != jbvNull)
		{
			argument = TextDatumGetCString(DirectFunctionCall2(
				jsonb_object_field_text, JsonbPGetDatum(claim->arguments),
				CStringGetTextDatum(param->argument)));
			argument = jibit_server_to_utf8(argument, strlen(argument));
		}

		/* A required one that is null is as good as empty. */
		if (argument == NULL && param->required)
			argument = pstrdup("");
		request->arguments[i] = argument;
	}
}

/* What getting ready for the call takes, in a subtransaction. */
typedef struct Reading
{
	JibitRequest *request;
	const JibitQueueTable *table;
	const JibitClaim *claim;
	bool answer_fits;
} Reading;

/* What is paid for must fit: found out before the call. */
static void
run_reading(void *arg)
{
	Reading *reading = arg;
	MemoryContext caller = CurrentMemoryContext;

	jibit_claims_check_type(reading->table, reading->request->inquiry);
	reading->answer_fits = true;
	MemoryContextSwitchTo(reading->request->context);
	read_arguments(reading->request, reading->claim);
	MemoryContextSwitchTo(caller);
}

/* The library and the SQL script are of different versions, say. */
static void
wait_for_type(JibitRequest *request, const ErrorData *failure)
{
	JibitError error;

	jibit_error_set(&error, JIBIT_CODE_CONNECTION_FAILED, 0,
					jibit_server_to_utf8_or_null(failure->message,
												 strlen(failure->message)),
					NULL);
	error.class = JIBIT_CONFIGURATION;
	jibit_pause(request->profile, request->inquiry->id, &error, UNFIT_FIRST_MS,
				UNFIT_LONGEST_MS);
	jibit_request_put_back(request, false);
}

/*
 * Claims.
 */

static void
refuse(JibitRequest *request, JibitErrorClass class, const char *code,
	   const char *message)
{
	JibitError error;

	jibit_error_set(&error, code, 0, message, request->track_id);
	error.class = class;
	jibit_request_fail(request, &error, false);
}

/* Whether the request may be called; else it has ended. */
static void
make_ready(JibitRequest *request, const JibitQueueTable *table,
		   const JibitClaim *claim, List **accounts)
{
	Oid role = claim->submitter;
	Reading reading = {request, table, claim, false};
	KnownAccount *known;
	ErrorData *failure = NULL;

	if (request->inquiry == NULL)
	{
		refuse(request, JIBIT_CONFIGURATION, JIBIT_CODE_HANDLER_NOT_FOUND,
			   "The library knows no such inquiry.");
		return;
	}

	/*
	 * Each attempt is counted before it begins, also one that was the last
	 * thing that a worker did.
	 */
	if (request->attempts > jibit_request_max_attempts)
	{
		refuse(request, JIBIT_UNREACHABLE, JIBIT_CODE_CONNECTION_FAILED,
			   "The worker or the server ended during each attempt.");
		return;
	}
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)) ||
		!jibit_may_inquire(request->inquiry, table->schema, role))
	{
		refuse(
			request, JIBIT_NOT_PERMITTED, "forbidden",
			"The role that submitted the request may not make the inquiry.");
		return;
	}
	known = find_account(accounts, claim->profile, role);
	if (known->account == NULL && known->error.class == JIBIT_NOT_PERMITTED)
		refuse(request, JIBIT_NOT_PERMITTED, "forbidden",
			   "The role that submitted the request may not use the profile.");
	else if (known->account == NULL)
	{
		TimestampTz now = GetCurrentTimestamp();
		bool paused = jibit_pause_for_missing_keys(claim->profile,
												   &known->error);

		/* Behind others: they may be any number of profiles. */
		jibit_request_put_off(
			request, false,
			paused ? now : TimestampTzPlusMilliseconds(now, KEYLESS_MS), NULL,
			false);
	}
	else if ((failure = jibit_try(run_reading, &reading, NULL)) != NULL &&
			 !reading.answer_fits)
		wait_for_type(request, failure);
	else if (failure != NULL && (ERRCODE_TO_CATEGORY(failure->sqlerrcode) ==
									 ERRCODE_INSUFFICIENT_RESOURCES ||
								 ERRCODE_TO_CATEGORY(failure->sqlerrcode) ==
									 ERRCODE_OPERATOR_INTERVENTION))
		ReThrowError(failure);
	else if (failure != NULL)
	{
		/* Bytes that are no text, say. */
		refuse(request, JIBIT_INVALID_INPUT, "invalid.request_body",
			   "The arguments cannot be read.");
	}
	else
	{
		request->account = known->account;
		request->account->uses++;
	}
}

JibitRequest *
jibit_request_take(const JibitQueueTable *table, const JibitClaim *claim,
				   List **accounts)
{
	MemoryContext context = AllocSetContextCreate(
		TopMemoryContext, "jibit request", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	JibitRequest *request = palloc0(sizeof(JibitRequest));

	request->context = context;
	request->id = claim->id;
	request->profile = pstrdup(claim->profile);
	request->inquiry_name = pstrdup(claim->inquiry);
	request->attempts = claim->attempts;
	request->submitted_at = claim->submitted_at;
	request->inquiry = jibit_inquiry_by_name(claim->inquiry);
	request->is_probe = claim->is_probe;
	request->claimed_us = jibit_now_us();
	strlcpy(request->track_id, claim->track_id, sizeof(request->track_id));
	MemoryContextSwitchTo(caller);
	make_ready(request, table, claim, accounts);
	return request;
}

void
jibit_request_begin_call(JibitRequest *request)
{
	request->is_called = true;
	jibit_workers_begin_call(request->id);
}

void
jibit_request_free(JibitRequest *request)
{
	if (request->is_called)
		jibit_workers_end_call(request->id);
	if (request->is_probe)
		jibit_pauses_end_probe(request->profile, request->inquiry_name, false);
	leave_account(request->account);
	MemoryContextDelete(request->context);
}

/*
 * Ends.
 */

static void
end(JibitRequest *request, bool recovered)
{
	if (request->is_probe)
		jibit_pauses_end_probe(request->profile, request->inquiry_name,
							   recovered);
	request->is_probe = false;
	request->has_ended = true;
	request->outcome.id = request->id;
	request->outcome.track_id = request->track_id;
	request->outcome.inquiry = request->inquiry;
}

static void
keep_error(JibitRequest *request, const JibitError *error)
{
	if (error == NULL)
		return;
	request->error = *error;
	request->outcome.error = &request->error;
}

void
jibit_request_put_back(JibitRequest *request, bool counted)
{
	jibit_request_put_off(request, counted, 0, NULL, false);
}

void
jibit_request_put_off(JibitRequest *request, bool counted, TimestampTz until,
					  const JibitError *error, bool recovered)
{
	keep_error(request, error);
	request->outcome.finished = false;
	request->outcome.uncounted = !counted;
	request->outcome.run_after = until;
	end(request, recovered);
}

void
jibit_request_fail(JibitRequest *request, const JibitError *error,
				   bool recovered)
{
	keep_error(request, error);
	request->outcome.finished = true;
	end(request, recovered);
}

void
jibit_request_succeed(JibitRequest *request, const JibitAnswer *answer,
					  const char *track_id, bool recovered)
{
	size_t size = JIBIT_ANSWER_SIZE(answer);

	request->outcome.answer = memcpy(
		MemoryContextAlloc(request->context, size), answer, size);
	strlcpy(request->answer_track_id, track_id,
			sizeof(request->answer_track_id));
	request->outcome.answer_track_id = request->answer_track_id;
	request->outcome.finished = true;
	end(request, recovered);
}
