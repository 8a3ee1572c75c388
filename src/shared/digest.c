/*
 * Keyed digests: identities that do not give away what they stand for.
 *
 * The plain hash of a ten-digit number gives it away: one can try them all.
 * With a random key before it one cannot.  The key is in shared memory, written
 * once before any session starts (no lock), and in the context of each process
 * that has hashed it.
 *
 * HMAC would also keep others from computing the digest of a longer text out of
 * that of a shorter one, but nobody is shown a digest, and nothing is proved
 * with one.  It takes three times as long, which shows in what an answer from
 * the cache costs.
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
 * Not by the server's pg_cryptohash, which looks the algorithm up anew for each
 * digest: here each goes on from a copy of a context that has hashed the key.
 * Both contexts are kept for the life of the process.
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
