/*
 * Keyed digests: identities that do not give away what they stand for.
 */
#ifndef JIBIT_DIGEST_H
#define JIBIT_DIGEST_H

#include "common/sha2.h"

#define JIBIT_DIGEST_SIZE PG_SHA256_DIGEST_LENGTH

extern Size jibit_digest_shmem_size(void);
extern void jibit_digest_shmem_init(void);

/*
 * SHA-256 of a key and the data.  The key is drawn at server start and shared
 * by all sessions.
 * Throws if the cryptographic library fails.
 */
extern void jibit_digest(uint8 *digest, const void *data, size_t length);

#endif /* JIBIT_DIGEST_H */
