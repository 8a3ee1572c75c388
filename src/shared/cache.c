/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  Answers that all sessions share.
 *
 * The memory is cut into partitions, each with a lock, a hash table and
 * blocks of one size.  An entry is a chain of blocks, the first with a header;
 * a key's first bytes choose the partition and, in it, the bucket.
 *
 * Locking: a look-up holds its partition's lock in shared mode, so that hits
 * never wait for each other; a change holds it in exclusive mode.  Nothing
 * throws and nothing but copying happens under a lock.  The mark that an entry
 * has been used is set under the shared lock: two sessions may set it at once,
 * to the same value.
 *
 * Eviction is the clock algorithm: a hand goes over the partition's blocks
 * and takes the first entry that has not been used since the hand last passed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/atomics.h"
#include "shared/cache.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * Most entries are 250 to 400 bytes, so this wastes half a block each; a link
 * of four bytes in each block is the other cost.
 */
#define BLOCK_SIZE 128

#define NO_BLOCK PG_UINT32_MAX

/* An entry may fill this share of its partition. */
#define LARGEST_SHARE 8

typedef struct EntryHeader
{
	uint8 key[JIBIT_DIGEST_SIZE];
	TimestampTz stored_at;
	Oid owner;
	int32 kind;
	int32 size;
	uint32 next_entry; /* in the bucket's chain */
	bool used;		   /* since the hand last passed */
} EntryHeader;

typedef struct Block
{
	uint32 next;   /* of the entry, or of the free list */
	bool is_first; /* an entry's header is here */
	char data[FLEXIBLE_ARRAY_MEMBER] pg_attribute_aligned(MAXIMUM_ALIGNOF);
} Block;

#define BLOCK_DATA (BLOCK_SIZE - (int) offsetof(Block, data))
#define FIRST_DATA (BLOCK_DATA - (int) sizeof(EntryHeader))

typedef struct Partition
{
	LWLock *lock;
	uint32 nblocks;
	uint32 nbuckets; /* a power of two */
	uint32 free;	 /* first free block */
	uint32 nfree;
	uint32 hand;
	Size buckets; /* offsets from the cache's start */
	Size blocks;
} Partition;

typedef struct Cache
{
	bool enabled;
	Partition partitions[JIBIT_CACHE_PARTITIONS];
} Cache;

static Cache *cache;

/*
 * Layout.
 */

static uint32
blocks_per_partition(int size_kb)
{
	/* A block and its share of the buckets: one for each two blocks. */
	Size per_block = BLOCK_SIZE + sizeof(uint32) / 2;
	Size bytes = (Size) size_kb * 1024 / JIBIT_CACHE_PARTITIONS;

	return (uint32) (bytes / per_block);
}

static uint32
buckets_for(uint32 nblocks)
{
	uint32 nbuckets = 1;

	while (nbuckets < nblocks / 2)
		nbuckets *= 2;
	return nbuckets;
}

Size
jibit_cache_shmem_size(int size_kb)
{
	uint32 nblocks = blocks_per_partition(size_kb);
	Size partition;

	partition = MAXALIGN(mul_size(buckets_for(nblocks), sizeof(uint32)));
	partition = add_size(partition, mul_size(nblocks, BLOCK_SIZE));
	return add_size(MAXALIGN(sizeof(Cache)),
					mul_size(partition, JIBIT_CACHE_PARTITIONS));
}

static inline uint32 *
buckets_of(const Partition *partition)
{
	return (uint32 *) ((char *) cache + partition->buckets);
}

static inline Block *
block_at(const Partition *partition, uint32 i)
{
	return (Block *) ((char *) cache + partition->blocks +
					  (Size) i * BLOCK_SIZE);
}

static inline EntryHeader *
header_of(Block *block)
{
	return (EntryHeader *) block->data;
}

void
jibit_cache_shmem_init(int size_kb)
{
	bool found;
	uint32 nblocks = blocks_per_partition(size_kb);
	Size offset = MAXALIGN(sizeof(Cache));
	LWLockPadded *locks;

	StaticAssertStmt(FIRST_DATA > 0, "a header fits into a block");

	cache = ShmemInitStruct("jibit cache", jibit_cache_shmem_size(size_kb),
							&found);
	if (found)
		return;
	locks = GetNamedLWLockTranche(JIBIT_CACHE_TRANCHE);
	cache->enabled = nblocks > 0;
	for (int p = 0; p < JIBIT_CACHE_PARTITIONS; p++)
	{
		Partition *partition = &cache->partitions[p];

		partition->lock = &locks[p].lock;
		partition->nblocks = nblocks;
		partition->nbuckets = buckets_for(nblocks);
		partition->buckets = offset;
		offset += MAXALIGN(partition->nbuckets * sizeof(uint32));
		partition->blocks = offset;
		offset += (Size) nblocks * BLOCK_SIZE;
		partition->hand = 0;
		partition->nfree = nblocks;
		partition->free = nblocks > 0 ? 0 : NO_BLOCK;
		for (uint32 i = 0; i < partition->nbuckets; i++)
			buckets_of(partition)[i] = NO_BLOCK;
		for (uint32 i = 0; i < nblocks; i++)
		{
			Block *block = block_at(partition, i);

			block->next = i + 1 < nblocks ? i + 1 : NO_BLOCK;
			block->is_first = false;
		}
	}
}

static Partition *
partition_of(const uint8 *key)
{
	return &cache->partitions[key[0] % JIBIT_CACHE_PARTITIONS];
}

/* Where the bucket's chain of a key begins; other bytes than above. */
static uint32 *
bucket_of(const Partition *partition, const uint8 *key)
{
	uint32 hash;

	memcpy(&hash, key + 4, sizeof(hash));
	return &buckets_of(partition)[hash & (partition->nbuckets - 1)];
}

static uint32
find_entry(const Partition *partition, const uint8 *key)
{
	uint32 i = *bucket_of(partition, key);

	while (i != NO_BLOCK && memcmp(header_of(block_at(partition, i))->key, key,
								   JIBIT_DIGEST_SIZE) != 0)
		i = header_of(block_at(partition, i))->next_entry;
	return i;
}

/*
 * Copies an entry's data out of its blocks, or into them.
 */

static void
copy_out(const Partition *partition, uint32 first, char *data, int size)
{
	Block *block = block_at(partition, first);
	int length = Min(size, FIRST_DATA);

	memcpy(data, block->data + sizeof(EntryHeader), length);
	while ((size -= length) > 0)
	{
		data += length;
		block = block_at(partition, block->next);
		length = Min(size, BLOCK_DATA);
		memcpy(data, block->data, length);
	}
}

static void
copy_in(const Partition *partition, uint32 first, const char *data, int size)
{
	Block *block = block_at(partition, first);
	int length = Min(size, FIRST_DATA);

	memcpy(block->data + sizeof(EntryHeader), data, length);
	while ((size -= length) > 0)
	{
		data += length;
		block = block_at(partition, block->next);
		length = Min(size, BLOCK_DATA);
		memcpy(block->data, data, length);
	}
}

void *
jibit_cache_get(const uint8 *key, int64 max_age_ms, int *size)
{
	Partition *partition;
	TimestampTz now;
	uint32 i;
	char *data = NULL;

	if (!cache->enabled || max_age_ms <= 0)
		return NULL;
	partition = partition_of(key);
	LWLockAcquire(partition->lock, LW_SHARED);

	/* Read under the lock: what is of later is of before it was set back. */
	now = GetCurrentTimestamp();
	i = find_entry(partition, key);
	if (i != NO_BLOCK)
	{
		EntryHeader *header = header_of(block_at(partition, i));

		if (header->stored_at <= now &&
			header->stored_at >= now - max_age_ms * 1000)
			data = MemoryContextAllocExtended(CurrentMemoryContext,
											  header->size, MCXT_ALLOC_NO_OOM);
		if (data != NULL)
		{
			*size = header->size;
			copy_out(partition, i, data, header->size);
			if (!header->used)
				header->used = true;
		}
	}
	LWLockRelease(partition->lock);
	return data;
}

/*
 * Changes.  The callers hold the partition's lock exclusively.
 */

static void
remove_entry(Partition *partition, uint32 first)
{
	EntryHeader *header = header_of(block_at(partition, first));
	uint32 *link = bucket_of(partition, header->key);
	uint32 i = first;

	while (*link != first)
		link = &header_of(block_at(partition, *link))->next_entry;
	*link = header->next_entry;

	block_at(partition, first)->is_first = false;
	while (i != NO_BLOCK)
	{
		Block *block = block_at(partition, i);
		uint32 next = block->next;

		/* Personal data does not stay behind. */
		memset(block->data, 0, BLOCK_DATA);
		block->next = partition->free;
		partition->free = i;
		partition->nfree++;
		i = next;
	}
}

/* Frees blocks until there are enough.  Ends, for the hand clears the marks. */
static void
make_room(Partition *partition, uint32 needed)
{
	while (partition->nfree < needed)
	{
		uint32 i = partition->hand;
		Block *block = block_at(partition, i);

		partition->hand = (i + 1) % partition->nblocks;
		if (!block->is_first)
			continue;
		if (header_of(block)->used)
			header_of(block)->used = false;
		else
			remove_entry(partition, i);
	}
}

static uint32
take_blocks(Partition *partition, uint32 count)
{
	uint32 first = partition->free;
	Block *last = block_at(partition, first);

	partition->nfree -= count;
	while (--count > 0)
		last = block_at(partition, last->next);
	partition->free = last->next;
	last->next = NO_BLOCK;
	return first;
}

void
jibit_cache_put(const uint8 *key, Oid owner, int kind, const void *data,
				int size)
{
	Partition *partition = partition_of(key);
	uint32 needed = 1;
	uint32 first;
	uint32 *bucket;
	EntryHeader *header;

	if (size > FIRST_DATA)
		needed += (size - FIRST_DATA + BLOCK_DATA - 1) / BLOCK_DATA;
	if (!cache->enabled || needed > partition->nblocks / LARGEST_SHARE)
		return;

	LWLockAcquire(partition->lock, LW_EXCLUSIVE);
	first = find_entry(partition, key);
	if (first != NO_BLOCK)
		remove_entry(partition, first);
	make_room(partition, needed);
	first = take_blocks(partition, needed);

	block_at(partition, first)->is_first = true;
	header = header_of(block_at(partition, first));
	memcpy(header->key, key, JIBIT_DIGEST_SIZE);
	header->stored_at = GetCurrentTimestamp();
	header->owner = owner;
	header->kind = kind;
	header->size = size;
	header->used = false;
	bucket = bucket_of(partition, key);
	header->next_entry = *bucket;
	*bucket = first;
	copy_in(partition, first, data, size);
	LWLockRelease(partition->lock);
}

int64
jibit_cache_clear(Oid owner, int kind)
{
	int64 count = 0;

	for (int p = 0; p < JIBIT_CACHE_PARTITIONS; p++)
	{
		Partition *partition = &cache->partitions[p];

		LWLockAcquire(partition->lock, LW_EXCLUSIVE);
		for (uint32 i = 0; i < partition->nblocks; i++)
		{
			Block *block = block_at(partition, i);

			if (block->is_first && header_of(block)->owner == owner &&
				(kind < 0 || header_of(block)->kind == kind))
			{
				remove_entry(partition, i);
				count++;
			}
		}
		LWLockRelease(partition->lock);
	}
	return count;
}
