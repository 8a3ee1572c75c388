/*-------------------------------------------------------------------------
 *
 * digest.c
 *	  Keyed digests: identities that do not give away what they stand for.
 *
 * A plain hash of a ten-digit number can be searched; one with a random key
 * cannot, for whoever sees the digest and not the key.  The key never leaves
 * shared memory and is written once, before any session starts: no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hmac.h"
#include "shared/digest.h"
#include "storage/shmem.h"

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

void
jibit_digest(uint8 *digest, const void *data, size_t length)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);
	bool ok;

	if (context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	ok = pg_hmac_init(context, key, KEY_SIZE) >= 0 &&
		 pg_hmac_update(context, data, length) >= 0 &&
		 pg_hmac_final(context, digest, JIBIT_DIGEST_SIZE) >= 0;
	pg_hmac_free(context);
	if (!ok)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("could not compute a digest")));
}
