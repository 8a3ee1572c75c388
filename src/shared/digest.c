/*-------------------------------------------------------------------------
 *
 * digest.c
 *	  Keyed digests: identities that do not give away what they stand for.
 *
 * A plain hash of a ten-digit number can be searched; one with a random key
 * cannot, for whoever sees the digest and not the key.  The key is in shared
 * memory, written once before any session starts (no lock), and in the context
 * of each process that has hashed it.
 *
 * It is hashed before the data.  That would be no message authentication (who
 * knows a digest can compute that of a longer text), and none is wanted:
 * nobody is handed a digest to prove something with.  HMAC takes three times
 * as long, which shows in what a known answer costs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/evp.h>

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

static EVP_MD_CTX *
make_context(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return context;
}

/*
 * libcrypto itself and not the server's cover of it, which looks the algorithm
 * up anew for each digest: here all go on from a copy of the context that has
 * hashed the key.  Both contexts are kept for the life of the process.
 */
void
jibit_digest(uint8 *digest, const void *data, size_t length)
{
	static EVP_MD_CTX *keyed;
	static EVP_MD_CTX *context;
	static bool ready = false;

	if (keyed == NULL)
		keyed = make_context();
	if (context == NULL)
		context = make_context();
	if (!ready)
		ready = EVP_DigestInit_ex(keyed, EVP_sha256(), NULL) == 1 &&
				EVP_DigestUpdate(keyed, key, KEY_SIZE) == 1;
	if (!ready || EVP_MD_CTX_copy_ex(context, keyed) != 1 ||
		EVP_DigestUpdate(context, data, length) != 1 ||
		EVP_DigestFinal_ex(context, digest, NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("could not compute a digest")));
}
