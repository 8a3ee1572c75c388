/*
 * Answers that all sessions share.
 *
 * Keys are digests: no card number or national code is stored as a key.  The
 * answers themselves are personal data and live in shared memory only.
 */
#ifndef JIBIT_CACHE_H
#define JIBIT_CACHE_H

#include "shared/digest.h"

/* size_kb is jibit.cache_size. */
extern Size jibit_cache_shmem_size(int size_kb);
extern void jibit_cache_shmem_init(int size_kb);

/* How many LWLocks of the tranche JIBIT_CACHE_TRANCHE it needs. */
#define JIBIT_CACHE_TRANCHE "jibit cache"
#define JIBIT_CACHE_PARTITIONS 64

/*
 * Looks up what is stored under the key and is not older than max_age_ms.
 * Returns it palloc'd in the current context with its size, or NULL.
 */
extern void *jibit_cache_get(const uint8 *key, int64 max_age_ms, int *size);

/*
 * Stores a copy, in place of what the key had.  What is too large for the
 * cache is not stored; what has expired by the settings of inquiries makes room,
 * else what has not been used of late.  Throws nothing.
 */
extern void jibit_cache_put(const uint8 *key, Oid owner, int inquiry,
							const void *data, int size);

/*
 * Drops what an owner stored of an inquiry, or (inquiry -1) of every one.
 * Returns how many entries.
 */
extern int64 jibit_cache_clear(Oid owner, int inquiry);

#endif /* JIBIT_CACHE_H */
