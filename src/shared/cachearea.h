/*
 * A piece of memory that keeps the latest answers under their keys.
 *
 * Plain C, without locks, allocations and errors, for cache.c, which has a
 * lock for each area: jibit_cachearea_get() may run in several processes at a
 * time, the other functions alone.
 */
#ifndef JIBIT_CACHEAREA_H
#define JIBIT_CACHEAREA_H

#include <stddef.h>
#include <stdint.h>

/*
 * Keys are random bytes, as digests are.  The first four may choose the area:
 * in it they choose nothing.
 */
#define JIBIT_CACHEAREA_KEY_SIZE 32

/*
 * An area has the size of two of these at least.  Its blocks have the size of
 * one, and are as well aligned as the area.
 */
#define JIBIT_CACHEAREA_UNIT 128

typedef struct JibitCacheArea JibitCacheArea;

/* Makes an empty area of the memory, all of which is written to. */
extern void jibit_cachearea_init(JibitCacheArea *area, size_t size);

/*
 * Looks up what was stored under the key at most max_age ago.  By a clock of
 * the caller, which may have been set back: what is of the future is too old.
 * Returns the size, and copies what is there if `room` suffices; 0 for nothing.
 */
extern size_t jibit_cachearea_get(JibitCacheArea *area, const uint8_t *key,
								  int64_t now, int64_t max_age, void *data,
								  size_t room);

/*
 * Stores a copy, in place of what the key had.  What would fill more than an
 * eighth of the area is not stored.  What is older than its lifetime makes room,
 * else what has not been used, or stored, of late.  `owner` and `kind` (at most
 * 65535) are for jibit_cachearea_clear().
 */
extern void jibit_cachearea_put(JibitCacheArea *area, const uint8_t *key,
								uint32_t owner, int kind, int64_t now,
								int64_t lifetime, const void *data,
								size_t size);

/*
 * Drops what an owner stored of a kind, or (kind -1) of every kind.  Returns
 * how many entries.
 */
extern int64_t jibit_cachearea_clear(JibitCacheArea *area, uint32_t owner,
									 int kind);

#endif /* JIBIT_CACHEAREA_H */
