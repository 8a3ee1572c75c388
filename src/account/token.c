/*-------------------------------------------------------------------------
 *
 * token.c
 *	  Access tokens, shared by all sessions.
 *
 * A slot in shared memory holds the pair of tokens of one credential in one
 * database.  One lock protects all slots; it is held for copying only, never
 * over the network, since a session that holds an LWLock cannot be cancelled.
 *
 * Single flight: the session that finds a pair missing or due for renewal
 * marks the slot with its pid ("claims" it), lets go of the lock and asks the
 * service.  Others use the old token while it is good, or else sleep on the
 * slot's condition variable; when the attempt has ended they take its token,
 * or its error.  A claim is given up on error and at exit of its session, and
 * taken over from a session that is gone.
 *
 * A token's text is in shared memory, in the memory of the call that uses it
 * and in libcurl's; it is overwritten in shared memory when it is replaced,
 * and a while after its credentials have been.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "account/token.h"
#include "base/clock.h"
#include "base/compat.h"
#include "common/base64.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "net/http.h"
#include "net/retry.h"
#include "protocol/decode.h"
#include "protocol/json.h"
#include "shared/breaker.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Credentials in use at a time, over all databases; 8 kB each. */
#define SLOTS 64

/* Lives where a token does not say (the API's document). */
#define ACCESS_LIFE_S (24 * 60 * 60)
#define REFRESH_LIFE_S (48 * 60 * 60)

/* Renewal starts in the last tenth of a token's life, but not earlier. */
#define RENEWAL_SHARE 10
#define RENEWAL_EARLIEST_S (10 * 60)

/* After a refused key no token is asked for (contract). */
#define REFUSAL_PAUSE_S 5

/* An early renewal may take this share of the inquiry's time. */
#define EARLY_RENEWAL_SHARE 3

/* After an early renewal that failed, while the old token is good. */
#define RENEWAL_PAUSE_S 10

/* How often a waiting caller is asked whether it still wants to. */
#define ASK_MS 50

/* No pause is longer: one that seems to be is of before the clock was set. */
#define LONGEST_PAUSE_S RENEWAL_PAUSE_S

/*
 * Credentials are taken to have been replaced when others under the same name
 * have been used for so long after they were last: sessions keep what they
 * have read of a table for a minute.
 */
#define REPLACED_S (2 * 60)

typedef struct TokenSlot
{
	bool used;
	uint8 key[JIBIT_DIGEST_SIZE];
	Oid database;
	Oid table;							 /* of the credentials */
	char profile[JIBIT_PROFILE_MAX + 1]; /* the latest to ask */
	TimestampTz last_used;

	/* The pair; generation 0 for none. */
	uint64 generation;
	TimestampTz obtained_at;
	TimestampTz access_expires; /* 0 once it has been refused */
	TimestampTz refresh_expires;
	char access[JIBIT_TOKEN_MAX + 1];
	char refresh[JIBIT_TOKEN_MAX + 1];

	/* The latest attempt to get one. */
	int claimed_by;	 /* pid of who is at it, or 0 */
	uint64 attempts; /* that have ended */
	bool failed;
	JibitError failure;		/* of the latest, if failed */
	TimestampTz not_before; /* no attempt until then, if failed */
	ConditionVariable ended;
} TokenSlot;

typedef struct TokenTable
{
	LWLock *lock;
	uint64 last_generation;
	TokenSlot slots[SLOTS];
} TokenTable;

static TokenTable *table;

/* What this session has claimed: it can be one slot at a time. */
static TokenSlot *claimed;

Size
jibit_token_shmem_size(void)
{
	return MAXALIGN(sizeof(TokenTable));
}

void
jibit_token_shmem_init(void)
{
	bool found;

	table = ShmemInitStruct("jibit tokens", sizeof(TokenTable), &found);
	if (found)
		return;
	memset(table, 0, sizeof(TokenTable));
	table->lock = &GetNamedLWLockTranche(JIBIT_TOKEN_TRANCHE)->lock;
	for (int i = 0; i < SLOTS; i++)
		ConditionVariableInit(&table->slots[i].ended);
}

/*
 * Slots.  The callers hold the lock.
 */

static bool
is_slot_of(const TokenSlot *slot, const JibitCredentials *credentials)
{
	return slot->used &&
		   memcmp(slot->key, credentials->digest, JIBIT_DIGEST_SIZE) == 0;
}

static TokenSlot *
find_slot(const JibitCredentials *credentials)
{
	for (int i = 0; i < SLOTS; i++)
	{
		if (is_slot_of(&table->slots[i], credentials))
			return &table->slots[i];
	}
	return NULL;
}

/* Wakes whoever waits for an attempt. */
static void
end_attempt(TokenSlot *slot)
{
	slot->claimed_by = 0;
	slot->attempts++;
	ConditionVariableBroadcast(&slot->ended);
}

/* Empties a slot.  A session that has it claimed finds out when it ends. */
static void
clear_slot(TokenSlot *slot)
{
	slot->used = false;
	slot->generation = 0;
	slot->failed = false;
	slot->not_before = 0;
	slot->access_expires = 0;
	slot->refresh_expires = 0;
	slot->obtained_at = 0;
	explicit_bzero(slot->access, sizeof(slot->access));
	explicit_bzero(slot->refresh, sizeof(slot->refresh));
	end_attempt(slot);
}

/*
 * Have this slot's credentials been replaced?  Not as soon as others come
 * under the same profile: a view may have a row for each role, which take
 * turns, and a change may be rolled back.
 */
static bool
is_replaced(const TokenSlot *slot, TimestampTz now)
{
	if (!slot->used || slot->claimed_by != 0)
		return false;
	for (int i = 0; i < SLOTS; i++)
	{
		const TokenSlot *other = &table->slots[i];

		/* What is of later is of before the clock was set back. */
		if (other->used && other->last_used <= now &&
			other->last_used - slot->last_used >= REPLACED_S * USECS_PER_SEC &&
			other->database == slot->database && other->table == slot->table &&
			strcmp(other->profile, slot->profile) == 0)
			return true;
	}
	return false;
}

/* The tokens of replaced credentials do not stay in memory. */
static void
clear_replaced(TimestampTz now)
{
	for (int i = 0; i < SLOTS; i++)
	{
		if (is_replaced(&table->slots[i], now))
			clear_slot(&table->slots[i]);
	}
}

/* The slot of the credentials; the one least recently used makes room. */
static TokenSlot *
find_or_make_slot(const JibitCredentials *credentials, TimestampTz now)
{
	TokenSlot *slot = find_slot(credentials);

	if (slot != NULL)
		slot->last_used = now;
	clear_replaced(now);
	if (slot != NULL)
		return slot;
	for (int i = 0; i < SLOTS; i++)
	{
		TokenSlot *candidate = &table->slots[i];

		if (!candidate->used)
		{
			slot = candidate;
			break;
		}
		if (candidate->claimed_by == 0 &&
			(slot == NULL || candidate->last_used < slot->last_used))
			slot = candidate;
	}
	if (slot == NULL)
		return NULL;

	clear_slot(slot);
	slot->used = true;
	slot->last_used = now;
	memcpy(slot->key, credentials->digest, JIBIT_DIGEST_SIZE);
	slot->database = MyDatabaseId;
	slot->table = credentials->table;
	strlcpy(slot->profile, credentials->profile, sizeof(slot->profile));
	return slot;
}

static TimestampTz
renewal_time(const TokenSlot *slot)
{
	int64 life = slot->access_expires - slot->obtained_at;

	return slot->access_expires -
		   Min(life / RENEWAL_SHARE, RENEWAL_EARLIEST_S * USECS_PER_SEC);
}

/* Has the latest attempt failed, and is it too early for the next? */
static bool
is_paused(const TokenSlot *slot, TimestampTz now)
{
	return slot->failed && now < slot->not_before &&
		   slot->not_before - now <= LONGEST_PAUSE_S * USECS_PER_SEC;
}

/*
 * Is the latest failure also that of a caller who has no token?  A key that was
 * refused a moment ago, or (awaited) the failure of the attempt that he has
 * waited for, if it is none of the other session's own: that one may have had
 * less time than he has, or other settings.
 */
static bool
is_failure_shared(const TokenSlot *slot, bool awaited, TimestampTz now)
{
	if (!slot->failed)
		return false;
	if (slot->failure.class == JIBIT_NOT_AUTHORISED && is_paused(slot, now))
		return true;
	return awaited && jibit_error_has(&slot->failure, JIBIT_SHARED);
}

/* Can this slot's token be used without asking for a new one? */
static bool
serves(const TokenSlot *slot, TimestampTz now)
{
	if (slot->generation == 0 || now >= slot->access_expires)
		return false;
	return now < renewal_time(slot) || slot->claimed_by != 0 ||
		   is_paused(slot, now);
}

static void
copy_token(TokenSlot *slot, JibitToken *token, TimestampTz now)
{
	/* strlcpy() goes byte by byte. */
	memcpy(token->text, slot->access, strlen(slot->access) + 1);
	token->generation = slot->generation;

	/* Under a shared lock too: any recent value will do. */
	slot->last_used = now;
}

static bool
is_claim_abandoned(const TokenSlot *slot)
{
	return slot->claimed_by != 0 &&
		   BackendPidGetProc(slot->claimed_by) == NULL;
}

/*
 * Claims.
 */

/* Is it still ours?  jibit_forget_tokens() may have taken it away. */
static bool
is_claim_ours(const JibitCredentials *credentials)
{
	return claimed != NULL && claimed->claimed_by == MyProcPid &&
		   is_slot_of(claimed, credentials);
}

static void
give_up_claim(void)
{
	if (claimed == NULL)
		return;
	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	if (claimed->claimed_by == MyProcPid)
	{
		claimed->failed = false;
		end_attempt(claimed);
	}
	LWLockRelease(table->lock);
	claimed = NULL;
}

static void
give_up_claim_at_exit(int code, Datum arg)
{
	give_up_claim();
}

static void
claim(TokenSlot *slot, const JibitCredentials *credentials)
{
	slot->claimed_by = MyProcPid;
	strlcpy(slot->profile, credentials->profile, sizeof(slot->profile));
	claimed = slot;
}

/*
 * Calls to the service.
 */

/* When the token says that it expires, if it is a JWT; 0 otherwise. */
static TimestampTz
jwt_expiry(const char *token)
{
	const char *payload = strchr(token, '.');
	const char *end = payload ? strchr(payload + 1, '.') : NULL;
	MemoryContext scratch;
	MemoryContext caller;
	const char *why;
	char *encoded;
	char *decoded;
	int length;
	int64 seconds;
	TimestampTz expiry = 0;

	if (end == NULL)
		return 0;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "jibit JWT",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(scratch);

	/* The URL-safe alphabet without padding, made the common one. */
	length = (int) (end - payload - 1);
	encoded = palloc(length + 4);
	memcpy(encoded, payload + 1, length);
	for (int i = 0; i < length; i++)
	{
		if (encoded[i] == '-')
			encoded[i] = '+';
		else if (encoded[i] == '_')
			encoded[i] = '/';
	}
	while (length % 4 != 0)
		encoded[length++] = '=';
	decoded = palloc(pg_b64_dec_len(length) + 1);
	length = jibit_base64_decode(encoded, length, decoded,
								 pg_b64_dec_len(length));
	decoded[Max(length, 0)] = '\0';
	if (length > 0 &&
		jibit_json_int64(
			jibit_json_member(jibit_json_parse(scratch, decoded, length, &why),
							  "exp"),
			&seconds) &&
		seconds > 0 && seconds < PG_INT32_MAX * INT64CONST(4))
		expiry = time_t_to_timestamptz((pg_time_t) seconds);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return expiry;
}

static TimestampTz
expiry_of(const char *token, TimestampTz now, int life_s)
{
	TimestampTz expiry = jwt_expiry(token);

	return expiry > now ? expiry : now + life_s * USECS_PER_SEC;
}

/*
 * What the service says of a token call is no verdict on the inquiry that
 * needs the token.
 */
static void
make_no_verdict(JibitError *error)
{
	if (jibit_error_has(error, JIBIT_VERDICT))
		error->class = JIBIT_NOT_AUTHORISED;
}

/* An attempt to get a pair. */
typedef struct Attempt
{
	const JibitCredentials *credentials;
	const JibitPolicy *policy;
	const char *old_access; /* both NULL: there is nothing to refresh */
	const char *old_refresh;
	const char *track_id;
	int64 deadline_us;
	JibitHttpGroup *group;

	/* How it has ended: with a pair, or with an error. */
	char *access;
	char *refresh;
	JibitError *error;
	bool broken_off; /* by the policy's keep_waiting */
} Attempt;

/* Sends one token call, again where that is worth it. */
static bool
call_service(Attempt *attempt, const char *operation, const char *body)
{
	const JibitCredentials *credentials = attempt->credentials;
	const JibitPolicy *policy = attempt->policy;
	const char *secrets[] = {credentials->api_key, credentials->secret_key,
							 attempt->old_access, attempt->old_refresh, NULL};
	JibitHttpRequest *request;

	/* Not on the stack: the group outlives this call when an error is thrown. */
	request = palloc0(sizeof(JibitHttpRequest));
	request->url = psprintf("%s/v1/tokens/%s", credentials->base_url,
							operation);
	request->json = body;
	request->track_id = attempt->track_id;
	request->connect_timeout_ms = policy->connect_timeout_ms;

	for (int attempts = 1;; attempts++)
	{
		JibitRetry retry = {.attempts = attempts,
							.max_retries = policy->max_retries};
		long pause;
		bool ok;

		request->timeout_ms = Max((int) jibit_ms_until(attempt->deadline_us),
								  1);
		jibit_http_start(attempt->group, request);
		/* libcurl ends it at its own timeout. */
		while (jibit_http_wait(attempt->group,
							   policy->keep_waiting
								   ? ASK_MS
								   : request->timeout_ms + 1000L) == NULL)
		{
			if (policy->keep_waiting != NULL && !policy->keep_waiting())
			{
				attempt->broken_off = true;
				jibit_error_set(attempt->error, JIBIT_CODE_CONNECTION_FAILED,
								0, "The call was broken off.",
								attempt->track_id);
				return false;
			}
		}
		ok = jibit_decode_tokens(request, secrets, &attempt->access,
								 &attempt->refresh, attempt->error);
		if (!ok)
			make_no_verdict(attempt->error);
		if (request->body != NULL)
		{
			explicit_bzero(request->body, request->body_length);
			pfree(request->body);
		}
		if (ok)
			return true;
		retry.class = attempt->error->class;
		retry.http_status = attempt->error->http_status;
		retry.retry_after = request->retry_after;
		retry.left_ms = jibit_ms_until(attempt->deadline_us);
		retry.jitter = pg_prng_double(&pg_global_prng_state);
		pause = jibit_retry_pause(&retry);
		if (pause < 0)
			return false;
		(void) jibit_http_wait(attempt->group, pause);
	}
}

static char *
json_object_of(const char *name, const char *value, const char *name2,
			   const char *value2)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	escape_json(&json, name);
	appendStringInfoChar(&json, ':');
	escape_json(&json, value);
	appendStringInfoChar(&json, ',');
	escape_json(&json, name2);
	appendStringInfoChar(&json, ':');
	escape_json(&json, value2);
	appendStringInfoChar(&json, '}');
	return json.data;
}

/*
 * Refreshes the old pair, where there is one that can be refreshed; generates
 * a new one otherwise, and when the refresh is refused.
 */
static bool
fetch_pair(Attempt *attempt)
{
	const JibitCredentials *credentials = attempt->credentials;

	if (attempt->old_access != NULL)
	{
		char *body = json_object_of("accessToken", attempt->old_access,
									"refreshToken", attempt->old_refresh);

		if (call_service(attempt, "refresh", body))
			return true;

		/* Without an answer to this one there is none to the next. */
		if (attempt->error->http_status == 0)
			return false;
	}
	return call_service(attempt, "generate",
						json_object_of("apiKey", credentials->api_key,
									   "secretKey", credentials->secret_key));
}

/* Stores what an attempt of ours has brought, and ends our claim. */
static void
publish(const Attempt *attempt, JibitToken *token)
{
	const char *access = attempt->access;
	const char *refresh = attempt->refresh;
	const JibitError *error = attempt->error;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz access_expires = 0;
	TimestampTz refresh_expires = 0;

	if (access != NULL)
	{
		/* Both parse and allocate: not under the lock. */
		access_expires = expiry_of(access, now, ACCESS_LIFE_S);
		refresh_expires = expiry_of(refresh, now, REFRESH_LIFE_S);
		strlcpy(token->text, access, sizeof(token->text));
		token->generation = 0;
	}

	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	if (is_claim_ours(attempt->credentials))
	{
		TokenSlot *slot = claimed;

		slot->failed = access == NULL;
		if (access != NULL)
		{
			explicit_bzero(slot->access, sizeof(slot->access));
			explicit_bzero(slot->refresh, sizeof(slot->refresh));
			strlcpy(slot->access, access, sizeof(slot->access));
			strlcpy(slot->refresh, refresh, sizeof(slot->refresh));
			slot->obtained_at = now;
			slot->access_expires = access_expires;
			slot->refresh_expires = refresh_expires;
			slot->generation = ++table->last_generation;
			slot->not_before = 0;
			slot->last_used = now;
			token->generation = slot->generation;
		}
		else
		{
			slot->failure = *error;
			if (error->class == JIBIT_NOT_AUTHORISED)
				slot->not_before = now + REFUSAL_PAUSE_S * USECS_PER_SEC;
			else if (now < slot->access_expires)
				slot->not_before = now + RENEWAL_PAUSE_S * USECS_PER_SEC;
			else
				slot->not_before = 0;
		}
		end_attempt(slot);
	}
	LWLockRelease(table->lock);
	claimed = NULL;

	/* A refused key has a pause of its own. */
	if (access == NULL && error->class != JIBIT_NOT_AUTHORISED &&
		jibit_policy_blames_service(attempt->policy, error))
		jibit_breaker_token_failed(attempt->credentials->digest);
}

/*
 * Runs the attempt that this session has claimed.  One that is broken off is no
 * failure of which the others should hear: one of them takes over.
 */
static bool
run_attempt(Attempt *attempt, JibitToken *token)
{
	static bool registered = false;
	volatile bool ok = false;

	PG_TRY();
	{
		if (!registered)
		{
			before_shmem_exit(give_up_claim_at_exit, (Datum) 0);
			registered = true;
		}
		attempt->group = jibit_http_begin_group(CurrentMemoryContext);
		ok = fetch_pair(attempt);
		if (!attempt->broken_off)
			publish(attempt, token);
	}
	PG_FINALLY();
	{
		jibit_http_end_group(attempt->group);
		give_up_claim();
	}
	PG_END_TRY();
	return ok;
}

/*
 * Waits until the attempt under way has ended.  Returns false at the
 * deadline.
 */
static bool
wait_for_attempt(TokenSlot *slot, uint64 attempts, const JibitPolicy *policy,
				 int64 deadline_us)
{
	static uint32 wait_event = 0;
	bool ended = false;

	ConditionVariablePrepareToSleep(&slot->ended);
	for (;;)
	{
		long left_ms = jibit_ms_until(deadline_us);

		LWLockAcquire(table->lock, LW_SHARED);
		ended = slot->attempts != attempts || is_claim_abandoned(slot);
		LWLockRelease(table->lock);
		if (ended || left_ms == 0)
			break;
		if (policy->keep_waiting != NULL)
		{
			/* It may sleep on something else. */
			ConditionVariableCancelSleep();
			if (!policy->keep_waiting())
				break;
			left_ms = Min(left_ms, ASK_MS);
			ConditionVariablePrepareToSleep(&slot->ended);
		}

		/* Now and then look whether the other session is still there. */
		ConditionVariableTimedSleep(
			&slot->ended, Min(left_ms, 1000),
			jibit_wait_event(&wait_event, "JibitToken"));
	}
	ConditionVariableCancelSleep();
	return ended;
}

bool
jibit_token_get(const JibitCredentials *credentials, const JibitPolicy *policy,
				const char *track_id, int64 deadline_us, JibitToken *token,
				JibitError *error)
{
	uint64 attempts_seen = 0;
	TokenSlot *slot_seen = NULL;

	for (;;)
	{
		TimestampTz now = GetCurrentTimestamp();
		TokenSlot *slot;
		uint64 attempts;
		bool good;
		char *old_access;
		char *old_refresh;
		Attempt *attempt;

		/* The common case: a token is there. */
		LWLockAcquire(table->lock, LW_SHARED);
		slot = find_slot(credentials);
		good = slot != NULL && serves(slot, now);
		if (good)
			copy_token(slot, token, now);
		LWLockRelease(table->lock);
		if (good)
			return true;

		/* Palloc'd here, since nothing is under the lock or with a claim. */
		old_access = palloc(sizeof(slot->access));
		old_refresh = palloc(sizeof(slot->refresh));
		attempt = palloc0(sizeof(Attempt));

		LWLockAcquire(table->lock, LW_EXCLUSIVE);
		slot = find_or_make_slot(credentials, now);
		if (slot == NULL)
		{
			LWLockRelease(table->lock);
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("too many jibit credentials are in use at a time"),
					 errdetail("There is room for the tokens of %d.", SLOTS)));
		}
		good = serves(slot, now);
		if (good)
			copy_token(slot, token, now);
		else if (is_failure_shared(slot,
								   slot == slot_seen &&
									   slot->attempts != attempts_seen,
								   now))
		{
			*error = slot->failure;
			LWLockRelease(table->lock);
			return false;
		}
		else if (slot->claimed_by == 0 || is_claim_abandoned(slot))
		{
			bool can_refresh = slot->generation != 0 &&
							   now < slot->refresh_expires;

			strlcpy(old_access, slot->access, sizeof(slot->access));
			strlcpy(old_refresh, slot->refresh, sizeof(slot->refresh));
			good = now < slot->access_expires;
			if (good)
				copy_token(slot, token, now);
			claim(slot, credentials);
			LWLockRelease(table->lock);

			/*
			 * An early renewal that fails leaves the old token, and enough
			 * time for the inquiry itself.
			 */
			if (good)
				deadline_us = jibit_now_us() + jibit_ms_until(deadline_us) *
												   INT64CONST(1000) /
												   EARLY_RENEWAL_SHARE;
			attempt->credentials = credentials;
			attempt->policy = policy;
			attempt->old_access = can_refresh ? old_access : NULL;
			attempt->old_refresh = can_refresh ? old_refresh : NULL;
			attempt->track_id = track_id;
			attempt->deadline_us = deadline_us;
			attempt->error = error;
			return run_attempt(attempt, token) || good;
		}
		attempts = slot->attempts;
		LWLockRelease(table->lock);
		pfree(old_access);
		pfree(old_refresh);
		pfree(attempt);
		if (good)
			return true;

		slot_seen = slot;
		attempts_seen = attempts;
		if (!wait_for_attempt(slot, attempts, policy, deadline_us))
		{
			jibit_error_set(error, JIBIT_CODE_CONNECTION_TIMEOUT, 0,
							"Another session has not got a token in time.",
							track_id);
			return false;
		}
	}
}

void
jibit_token_invalidate(const JibitCredentials *credentials, uint64 generation)
{
	TokenSlot *slot;

	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	slot = find_slot(credentials);
	if (slot != NULL && slot->generation == generation)
		slot->access_expires = 0;
	LWLockRelease(table->lock);
}

void
jibit_token_forget(void)
{
	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	for (int i = 0; i < SLOTS; i++)
	{
		if (table->slots[i].used && table->slots[i].database == MyDatabaseId)
			clear_slot(&table->slots[i]);
	}
	LWLockRelease(table->lock);
}

static const char *
state_of(const TokenSlot *slot, TimestampTz now)
{
	if (slot->claimed_by != 0)
		return slot->generation != 0 && now < slot->access_expires
				   ? "renewing"
				   : "fetching";
	if (slot->generation != 0 && now < slot->access_expires)
		return "valid";
	if (slot->failed)
		return slot->failure.class == JIBIT_NOT_AUTHORISED ? "refused"
														   : "failed";
	return slot->generation != 0 ? "expired" : "none";
}

JibitTokenStatus *
jibit_token_status(int *count)
{
	JibitTokenStatus *rows = palloc0(SLOTS * sizeof(JibitTokenStatus));
	TimestampTz now = GetCurrentTimestamp();

	*count = 0;
	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	clear_replaced(now);
	for (int i = 0; i < SLOTS; i++)
	{
		TokenSlot *slot = &table->slots[i];
		JibitTokenStatus *row = &rows[*count];

		if (!slot->used || slot->database != MyDatabaseId)
			continue;
		strlcpy(row->profile, slot->profile, sizeof(row->profile));
		row->state = state_of(slot, now);
		if (slot->generation != 0)
		{
			row->obtained_at = slot->obtained_at;
			row->expires_at = slot->access_expires;
			row->refresh_expires_at = slot->refresh_expires;
		}
		if (slot->failed)
			strlcpy(row->last_error, slot->failure.code,
					sizeof(row->last_error));
		(*count)++;
	}
	LWLockRelease(table->lock);
	return rows;
}
