/*
 * Answers that are there already: the statement's, and the shared ones.
 *
 * The statement's are kept by user, table and profile, so that nothing has
 * to be read to find one; the shared ones by the account that was asked.
 */
#include "postgres.h"

#include "base/config.h"
#include "call/lookup.h"
#include "miscadmin.h"
#include "shared/cache.h"
#include "shared/stats.h"

/* What the shared cache holds: an answer with its track id. */
typedef struct CachedAnswer
{
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	JibitAnswer answer;
} CachedAnswer;

/*
 * What tells this inquiry from every other one: who asks, by which profile of
 * which table, what.  Parts of any length have a terminator behind them; the
 * inquiry has what says whether its first argument is given.
 */
static void
make_key(JibitLookup *lookup, const JibitCall *call, char *const *canonical)
{
	const JibitInquiry *inquiry = call->inquiry;
	StringInfoData key;
	Oid user = GetUserId();

	initStringInfo(&key);
	appendBinaryStringInfo(&key, (char *) &user, sizeof(user));
	appendBinaryStringInfo(&key, jibit_credentials_table,
						   (int) strlen(jibit_credentials_table) + 1);
	lookup->key_public = key.len;
	appendBinaryStringInfo(&key, call->policy->profile,
						   (int) strlen(call->policy->profile) + 1);
	appendStringInfoString(&key, inquiry->id);
	for (int i = 0; i < inquiry->nparams; i++)
	{
		/* An argument that is not given differs from an empty one. */
		appendStringInfoChar(&key, canonical[i] ? '\1' : '\0');
		if (canonical[i] != NULL)
			appendBinaryStringInfo(&key, canonical[i],
								   (int) strlen(canonical[i]) + 1);
	}
	lookup->key = jibit_statement_key(key.data, key.len);
}

/* The key of the shared answers: the account in place of the user. */
static void
make_digest(JibitLookup *lookup, const JibitCall *call)
{
	StringInfoData data;

	initStringInfo(&data);
	appendBinaryStringInfo(&data, (char *) call->policy->credentials->digest,
						   JIBIT_DIGEST_SIZE);
	appendBinaryStringInfo(&data, lookup->key.data + lookup->key_public,
						   lookup->key.length - lookup->key_public);
	jibit_digest(lookup->digest, data.data, data.len);
	pfree(data.data);
	lookup->has_digest = true;
}

static void
take_answer(JibitCall *call, const JibitAnswer *answer, const char *track_id,
			bool of_statement)
{
	call->answer = answer;
	strlcpy(call->track_id, track_id, sizeof(call->track_id));
	call->cached = true;
	jibit_stats_count_hit(call->inquiry->number, call->policy->profile,
						  of_statement);
}

/* In the statement's answers, from where equal inquiries get it. */
static void
store_in_statement(const JibitLookup *lookup, const JibitCall *call)
{
	/* What a session's setting alone let in is not for a trigger. */
	bool strict = !call->cached || jibit_policy_cache_is_strict(
									   call->policy, call->inquiry->number);

	jibit_statement_store(lookup->key, strict, call->answer, call->track_id);
}

bool
jibit_lookup_in_statement(JibitLookup *lookup, JibitCall *call,
						  char *const *canonical)
{
	const JibitAnswer *answer;
	const char *track_id;

	if (!call->inquiry->cacheable)
		return false;
	make_key(lookup, call, canonical);
	answer = jibit_statement_find(lookup->key, call->policy->of_server,
								  &track_id);
	if (answer == NULL)
		return false;

	/* A copy: what the statement has may go when it stores another one. */
	take_answer(call,
				memcpy(palloc(JIBIT_ANSWER_SIZE(answer)), answer,
					   JIBIT_ANSWER_SIZE(answer)),
				track_id, true);
	return true;
}

bool
jibit_lookup_shared(JibitLookup *lookup, JibitCall *call)
{
	int64 ttl = jibit_policy_cache_ttl(call->policy, call->inquiry->number);
	CachedAnswer *cached;
	int size;

	if (!call->inquiry->cacheable || ttl <= 0)
		return false;
	make_digest(lookup, call);
	cached = jibit_cache_get(lookup->digest, ttl, &size);
	if (cached == NULL)
		return false;
	take_answer(call, &cached->answer, cached->track_id, false);
	store_in_statement(lookup, call);
	return true;
}

static void
store_shared(const JibitLookup *lookup, const JibitCall *call)
{
	int size = (int) (offsetof(CachedAnswer, answer) +
					  JIBIT_ANSWER_SIZE(call->answer));
	CachedAnswer *cached = palloc0(size);

	strlcpy(cached->track_id, call->track_id, sizeof(cached->track_id));
	memcpy(&cached->answer, call->answer, JIBIT_ANSWER_SIZE(call->answer));
	jibit_cache_put(lookup->digest, MyDatabaseId, call->inquiry->number,
					cached, size);
	pfree(cached);
}

void
jibit_lookup_store(const JibitLookup *lookup, const JibitCall *call)
{
	if (lookup->has_digest)
		store_shared(lookup, call);
	if (lookup->key.data != NULL)
		store_in_statement(lookup, call);
}

bool
jibit_lookup_is_same(const JibitLookup *lookup, const JibitLookup *other)
{
	return lookup->has_digest && other->has_digest &&
		   memcmp(lookup->digest, other->digest, JIBIT_DIGEST_SIZE) == 0;
}
