/*
 * Access tokens, shared by all sessions.
 *
 * A slot in shared memory holds the pair of tokens of one credential in one
 * database.  One lock protects all slots; it is held for copying only, never
 * over the network, since a session that holds an LWLock cannot be cancelled.
 *
 * Single flight: the session that finds a pair missing or due for renewal
 * marks the slot with its pid ("claims" it), lets go of the lock and asks the
 * service.  Others use the old token while it is good, or else wait on the
 * slot's condition variable, which sets their latch; when the attempt has
 * ended they take its token, or its error.  A claim is given up with its
 * fetch and at exit of its session, and taken over from a session that is
 * gone.
 *
 * A token's text is in shared memory, in the memory of the call that uses it
 * and in libcurl's; it is overwritten in shared memory when it is replaced,
 * and a while after its credentials have been.
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
#include "shared/exit.h"
#include "storage/condition_variable.h"
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

/* No pause is longer: what looks longer began before the clock was set back. */
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

		/* The clock was set back: ignore timestamps of the future. */
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

/* It was no failure of which the others should hear: one of them takes over. */
static void
give_up_claim(TokenSlot *slot)
{
	slot->failed = false;
	end_attempt(slot);
}

static void
claim(TokenSlot *slot, const JibitCredentials *credentials)
{
	slot->claimed_by = MyProcPid;
	strlcpy(slot->profile, credentials->profile, sizeof(slot->profile));
}

static void
give_up_all_claims(void)
{
	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	for (int i = 0; i < SLOTS; i++)
	{
		if (table->slots[i].claimed_by == MyProcPid)
			give_up_claim(&table->slots[i]);
	}
	LWLockRelease(table->lock);
}

/*
 * Fetches.
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

/*
 * Has all that it needs, since it can outlive the call for which it began; in
 * a context of its own.
 */
struct JibitTokenFetch
{
	MemoryContext context;
	JibitCredentials credentials;
	JibitPolicy policy;
	int64 deadline_us;
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	char *old_access; /* both NULL: there is nothing to refresh */
	char *old_refresh;
	bool refreshes; /* else it generates */
	int attempts;	/* of the present request */
	JibitHttpRequest request;
	TokenSlot *slot; /* claimed, until it has ended */
	uint64 claim;	 /* the slot's attempts then */

	/* How it has ended. */
	bool ok;
	JibitToken token; /* of generation 0 before, unless the old one serves */
	JibitError error;
};

/* Is the slot still claimed by this fetch? */
static bool
is_claim_of(const TokenSlot *slot, const JibitTokenFetch *fetch)
{
	return slot->claimed_by == MyProcPid && slot->attempts == fetch->claim &&
		   is_slot_of(slot, &fetch->credentials);
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

/* The body has keys or tokens: it does not stay in memory. */
static void
wipe_body(JibitTokenFetch *fetch)
{
	char *body = unconstify(char *, fetch->request.json);

	if (body != NULL)
		explicit_bzero(body, strlen(body));
}

/* Makes the request: a refresh if it can be one. */
static void
make_request(JibitTokenFetch *fetch)
{
	const JibitCredentials *credentials = &fetch->credentials;
	MemoryContext caller = MemoryContextSwitchTo(fetch->context);
	JibitHttpRequest *request = &fetch->request;

	wipe_body(fetch);
	memset(request, 0, sizeof(JibitHttpRequest));
	request->url = psprintf("%s/v1/tokens/%s", credentials->base_url,
							fetch->refreshes ? "refresh" : "generate");
	request->json = fetch->refreshes
						? json_object_of("accessToken", fetch->old_access,
										 "refreshToken", fetch->old_refresh)
						: json_object_of("apiKey", credentials->api_key,
										 "secretKey", credentials->secret_key);
	request->track_id = fetch->track_id;
	request->connect_timeout_ms = fetch->policy.connect_timeout_ms;
	MemoryContextSwitchTo(caller);
}

/*
 * Everything is allocated before the claim: who has one must not fail without
 * giving it up.
 */
static JibitTokenFetch *
prepare_fetch(const JibitPolicy *policy, const char *track_id,
			  int64 deadline_us)
{
	const JibitCredentials *credentials = policy->credentials;
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "jibit token", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	JibitTokenFetch *fetch = palloc0(sizeof(JibitTokenFetch));

	fetch->context = context;
	fetch->credentials = *credentials;
	fetch->credentials.profile = pstrdup(credentials->profile);
	fetch->credentials.api_key = pstrdup(credentials->api_key);
	fetch->credentials.secret_key = pstrdup(credentials->secret_key);
	fetch->credentials.base_url = pstrdup(credentials->base_url);
	fetch->policy = *policy;
	fetch->policy.credentials = &fetch->credentials;
	fetch->policy.profile = fetch->credentials.profile;
	fetch->deadline_us = deadline_us;
	strlcpy(fetch->track_id, track_id, sizeof(fetch->track_id));
	fetch->old_access = palloc(sizeof(fetch->slot->access));
	fetch->old_refresh = palloc(sizeof(fetch->slot->refresh));
	MemoryContextSwitchTo(caller);
	return fetch;
}

/* Claims a slot for the fetch.  With the lock held. */
static void
begin_fetch(JibitTokenFetch *fetch, TokenSlot *slot, TimestampTz now)
{
	int64 now_us = jibit_drive_now();

	strlcpy(fetch->old_access, slot->access, sizeof(slot->access));
	strlcpy(fetch->old_refresh, slot->refresh, sizeof(slot->refresh));
	fetch->refreshes = slot->generation != 0 && now < slot->refresh_expires;

	/* An early renewal that fails leaves the old token, and time to use it. */
	if (now < slot->access_expires)
	{
		copy_token(slot, &fetch->token, now);
		fetch->deadline_us = now_us + (fetch->deadline_us - now_us) /
										  EARLY_RENEWAL_SHARE;
	}
	claim(slot, &fetch->credentials);
	fetch->slot = slot;
	fetch->claim = slot->attempts;
}

/*
 * Stores what a fetch has brought, and ends its claim.  Its claim may be gone
 * with jibit_forget_tokens(): then the token is the caller's alone.
 */
static void
publish(JibitTokenFetch *fetch, const char *access, const char *refresh)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz access_expires = 0;
	TimestampTz refresh_expires = 0;
	TokenSlot *slot = fetch->slot;

	if (fetch->ok)
	{
		/* Both parse and allocate: not under the lock. */
		access_expires = expiry_of(access, now, ACCESS_LIFE_S);
		refresh_expires = expiry_of(refresh, now, REFRESH_LIFE_S);
		strlcpy(fetch->token.text, access, sizeof(fetch->token.text));
	}

	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	fetch->slot = NULL;
	if (is_claim_of(slot, fetch))
	{
		slot->failed = !fetch->ok;
		if (fetch->ok)
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
			fetch->token.generation = slot->generation;
		}
		else
		{
			slot->failure = fetch->error;
			if (fetch->error.class == JIBIT_NOT_AUTHORISED)
				slot->not_before = now + REFUSAL_PAUSE_S * USECS_PER_SEC;
			else if (now < slot->access_expires)
				slot->not_before = now + RENEWAL_PAUSE_S * USECS_PER_SEC;
			else
				slot->not_before = 0;
		}
		end_attempt(slot);
	}
	LWLockRelease(table->lock);

	/* A refused key has a pause of its own. */
	if (!fetch->ok && fetch->error.class != JIBIT_NOT_AUTHORISED &&
		jibit_policy_blames_service(&fetch->policy, &fetch->error))
		jibit_breaker_token_failed(fetch->credentials.digest);
}

JibitHttpRequest *
jibit_token_fetch_request(JibitTokenFetch *fetch)
{
	long left_ms = jibit_drive_ms_until(fetch->deadline_us);

	if (fetch->attempts == 0)
		make_request(fetch);
	fetch->attempts++;
	fetch->request.timeout_ms = Max((int) left_ms, 1);
	return &fetch->request;
}

long
jibit_token_fetch_take(JibitTokenFetch *fetch)
{
	MemoryContext caller = MemoryContextSwitchTo(fetch->context);
	JibitHttpRequest *request = &fetch->request;
	const char *secrets[] = {fetch->credentials.api_key,
							 fetch->credentials.secret_key, fetch->old_access,
							 fetch->old_refresh, NULL};
	char *access = NULL;
	char *refresh = NULL;
	long pause_ms = -1;

	fetch->ok = jibit_decode_tokens(request, secrets, &access, &refresh,
									&fetch->error);
	if (request->body != NULL)
	{
		explicit_bzero(request->body, request->body_length);
		pfree(request->body);
		request->body = NULL;
	}
	if (!fetch->ok)
	{
		JibitRetry retry = {.attempts = fetch->attempts,
							.max_retries = fetch->policy.max_retries,
							.retry_after = request->retry_after};

		make_no_verdict(&fetch->error);
		retry.class = fetch->error.class;
		retry.http_status = fetch->error.http_status;
		retry.left_ms = jibit_drive_ms_until(fetch->deadline_us);
		retry.jitter = pg_prng_double(&pg_global_prng_state);
		pause_ms = jibit_retry_pause(&retry);

		/*
		 * A pair that cannot be refreshed is made anew.  Where there was no
		 * answer to this request there is none to the next.
		 */
		if (pause_ms < 0 && fetch->refreshes && fetch->error.http_status != 0)
		{
			fetch->refreshes = false;
			fetch->attempts = 0;
			pause_ms = 0;
		}
	}
	if (pause_ms < 0)
		publish(fetch, access, refresh);
	if (access != NULL)
		explicit_bzero(access, strlen(access));
	if (refresh != NULL)
		explicit_bzero(refresh, strlen(refresh));
	MemoryContextSwitchTo(caller);
	return pause_ms;
}

bool
jibit_token_fetch_result(const JibitTokenFetch *fetch, JibitToken *token,
						 JibitError *error)
{
	bool has_token = fetch->ok || fetch->token.generation != 0;

	if (has_token)
		*token = fetch->token;
	else
		*error = fetch->error;
	return has_token;
}

void
jibit_token_fetch_end(JibitTokenFetch *fetch)
{
	if (fetch->slot != NULL)
	{
		LWLockAcquire(table->lock, LW_EXCLUSIVE);
		if (is_claim_of(fetch->slot, fetch))
			give_up_claim(fetch->slot);
		LWLockRelease(table->lock);
	}
	explicit_bzero(unconstify(char *, fetch->credentials.api_key),
				   strlen(fetch->credentials.api_key));
	explicit_bzero(unconstify(char *, fetch->credentials.secret_key),
				   strlen(fetch->credentials.secret_key));
	explicit_bzero(fetch->old_access, sizeof(fetch->slot->access));
	explicit_bzero(fetch->old_refresh, sizeof(fetch->slot->refresh));
	explicit_bzero(&fetch->token, sizeof(fetch->token));
	wipe_body(fetch);
	MemoryContextDelete(fetch->context);
}

/*
 * Asking.
 */

/* With the lock held, in shared mode too.  CLAIMED: it can be. */
static JibitTokenAnswer
ask_slot(TokenSlot *slot, JibitTokenWait *wait, TimestampTz now,
		 JibitToken *token, JibitError *error)
{
	bool awaited = slot == wait->slot && slot->attempts != wait->attempts;

	wait->slot = NULL;
	if (serves(slot, now))
	{
		copy_token(slot, token, now);
		return JIBIT_TOKEN_GIVEN;
	}
	if (is_failure_shared(slot, awaited, now))
	{
		*error = slot->failure;
		return JIBIT_TOKEN_FAILED;
	}
	if (slot->claimed_by == 0 || is_claim_abandoned(slot))
		return JIBIT_TOKEN_CLAIMED;
	wait->slot = slot;
	wait->attempts = slot->attempts;

	/* Its end, which needs the lock exclusively, sets our latch. */
	ConditionVariablePrepareToSleep(&slot->ended);
	return JIBIT_TOKEN_AWAITED;
}

JibitTokenAnswer
jibit_token_ask(JibitTokenWait *wait, const JibitPolicy *policy,
				const char *track_id, int64 deadline_us, JibitToken *token,
				JibitError *error, JibitTokenFetch **fetch)
{
	const JibitCredentials *credentials = policy->credentials;
	TimestampTz now = GetCurrentTimestamp();
	JibitTokenAnswer answer = JIBIT_TOKEN_CLAIMED;
	TokenSlot *slot;

	LWLockAcquire(table->lock, LW_SHARED);
	slot = find_slot(credentials);
	if (slot != NULL)
		answer = ask_slot(slot, wait, now, token, error);
	LWLockRelease(table->lock);
	if (answer != JIBIT_TOKEN_CLAIMED)
		return answer;

	jibit_exit_add(JIBIT_EXIT_TOKEN, give_up_all_claims);
	*fetch = prepare_fetch(policy, track_id, deadline_us);
	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	slot = find_or_make_slot(credentials, now);
	if (slot != NULL)
		answer = ask_slot(slot, wait, now, token, error);
	if (slot != NULL && answer == JIBIT_TOKEN_CLAIMED)
		begin_fetch(*fetch, slot, now);
	LWLockRelease(table->lock);
	if (slot == NULL || answer != JIBIT_TOKEN_CLAIMED)
		jibit_token_fetch_end(*fetch);
	if (slot == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many jibit credentials are in use at a time"),
				 errdetail("There is room for the tokens of %d.", SLOTS)));
	return answer;
}

void
jibit_token_stop_waiting(void)
{
	ConditionVariableCancelSleep();
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
