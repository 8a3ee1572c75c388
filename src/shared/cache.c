/*
 * Answers that all sessions share.
 *
 * The memory is cut into partitions, each an area with a lock; the first byte
 * of a key chooses one.  What an area does is plain C, in cachearea.c.
 *
 * Locking: a look-up holds its partition's lock in shared mode, so that hits
 * never wait for each other; a change holds it in exclusive mode.  Nothing is
 * allocated, and nothing throws, under a lock.
 */
#include "postgres.h"

#include "base/config.h"
#include "shared/cache.h"
#include "shared/cachearea.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* Holds most answers; for one that is larger, the look-up is repeated. */
#define USUAL_SIZE 512

typedef struct Cache
{
	LWLockPadded *locks;
	Size area_size; /* 0: there is no cache */
} Cache;

static Cache *cache;

StaticAssertDecl(JIBIT_DIGEST_SIZE == JIBIT_CACHEAREA_KEY_SIZE,
				 "a digest is a key");

/* The areas follow the struct, their blocks in cache lines. */
#define AREAS_OFFSET CACHELINEALIGN(sizeof(Cache))

static Size
area_size(int size_kb)
{
	Size size = (Size) size_kb * 1024 / JIBIT_CACHE_PARTITIONS;

	size -= size % JIBIT_CACHEAREA_UNIT;
	return size >= 2 * JIBIT_CACHEAREA_UNIT ? size : 0;
}

static JibitCacheArea *
area_at(int partition)
{
	return (JibitCacheArea *) ((char *) cache + AREAS_OFFSET +
							   partition * cache->area_size);
}

Size
jibit_cache_shmem_size(int size_kb)
{
	return AREAS_OFFSET + JIBIT_CACHE_PARTITIONS * area_size(size_kb);
}

void
jibit_cache_shmem_init(int size_kb)
{
	bool found;

	cache = ShmemInitStruct("jibit cache", jibit_cache_shmem_size(size_kb),
							&found);
	if (found)
		return;
	cache->locks = GetNamedLWLockTranche(JIBIT_CACHE_TRANCHE);
	cache->area_size = area_size(size_kb);
	for (int p = 0; cache->area_size > 0 && p < JIBIT_CACHE_PARTITIONS; p++)
		jibit_cachearea_init(area_at(p), cache->area_size);
}

void *
jibit_cache_get(const uint8 *key, int64 max_age_ms, int *size)
{
	int partition = key[0] % JIBIT_CACHE_PARTITIONS;
	LWLock *lock = &cache->locks[partition].lock;
	Size room = USUAL_SIZE;
	Size found;
	void *data;

	if (cache->area_size == 0 || max_age_ms <= 0)
		return NULL;
	for (;;)
	{
		data = palloc(room);
		LWLockAcquire(lock, LW_SHARED);

		/* The time is read under the lock: nothing there is stored later. */
		found = jibit_cachearea_get(area_at(partition), key,
									GetCurrentTimestamp(), max_age_ms * 1000,
									data, room);
		LWLockRelease(lock);
		if (found > 0 && found <= room)
			break;
		pfree(data);
		if (found == 0)
			return NULL;
		room = found;
	}
	*size = (int) found;
	return data;
}

/*
 * How long an answer may be of use to somebody, in ms: by this session's
 * settings, or by the server's, which others have.
 */
static int64
lifetime_of(int inquiry)
{
	const JibitServerSettings *server = &jibit_server_settings;
	int own = jibit_cache_ttl_of[inquiry];
	int servers = server->cache_ttl_of[inquiry];

	return Max(own >= 0 ? own : jibit_cache_ttl_ms,
			   servers >= 0 ? servers : server->cache_ttl_ms);
}

void
jibit_cache_put(const uint8 *key, Oid owner, int inquiry, const void *data,
				int size)
{
	int partition = key[0] % JIBIT_CACHE_PARTITIONS;

	if (cache->area_size == 0)
		return;
	LWLockAcquire(&cache->locks[partition].lock, LW_EXCLUSIVE);
	jibit_cachearea_put(area_at(partition), key, owner, inquiry,
						GetCurrentTimestamp(), lifetime_of(inquiry) * 1000,
						data, size);
	LWLockRelease(&cache->locks[partition].lock);
}

int64
jibit_cache_clear(Oid owner, int inquiry)
{
	int64 count = 0;

	for (int p = 0; cache->area_size > 0 && p < JIBIT_CACHE_PARTITIONS; p++)
	{
		LWLockAcquire(&cache->locks[p].lock, LW_EXCLUSIVE);
		count += jibit_cachearea_clear(area_at(p), owner, inquiry);
		LWLockRelease(&cache->locks[p].lock);
	}
	return count;
}
