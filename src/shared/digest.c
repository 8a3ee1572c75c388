/*-------------------------------------------------------------------------
 *
 * digest.c
 *	  Keyed digests: identities that do not give away what they stand for.
 *
 * A plain hash of a ten-digit number can be searched; one with a random key
 * cannot, for whoever sees the digest and not the key.  The key never leaves
 * shared memory and is written once, before any session starts: no lock.
 *
 * It is hashed before the data.  That would be no message authentication (who
 * knows a digest can compute that of a longer text), and none is wanted:
 * nobody is handed a digest to prove something with.  HMAC takes three times
 * as long, which shows in what a known answer costs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "shared/digest.h"
#include "storage/shmem.h"
#include "utils/resowner.h"

/* As long as the digest: more adds nothing. */
#define KEY_SIZE JIBIT_DIGEST_SIZE

static uint8 *key;

Size
jibit_digest_shmem_size(void)
{
	return MAXALIGN(KEY_SIZE);
}

void
jibit_digest_shmem_init(void)
{
	bool found;

	key = ShmemInitStruct("jibit digest key", KEY_SIZE, &found);
	if (!found && !pg_strong_random(key, KEY_SIZE))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("could not generate a random key")));
}

/*
 * One context for the life of the process: to make one costs more than a
 * digest.  The server lets contexts belong to a resource owner, the present
 * one; this gets an owner of its own, which no transaction releases.  So a
 * digest can be computed outside of transactions too.
 */
static pg_cryptohash_ctx *
get_context(void)
{
	static pg_cryptohash_ctx *context;
	static ResourceOwner owner;
	ResourceOwner caller = CurrentResourceOwner;

	if (context != NULL)
		return context;
	if (owner == NULL)
		owner = ResourceOwnerCreate(NULL, "jibit digest");
	CurrentResourceOwner = owner;
	PG_TRY();
	{
		context = pg_cryptohash_create(PG_SHA256);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = caller;
	}
	PG_END_TRY();
	if (context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return context;
}

void
jibit_digest(uint8 *digest, const void *data, size_t length)
{
	pg_cryptohash_ctx *context = get_context();

	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, key, KEY_SIZE) < 0 ||
		pg_cryptohash_update(context, data, length) < 0 ||
		pg_cryptohash_final(context, digest, JIBIT_DIGEST_SIZE) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("could not compute a digest")));
}
