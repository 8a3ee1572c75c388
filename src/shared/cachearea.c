/*
 * A piece of memory that keeps the latest answers under their keys.
 *
 * The memory is cut into blocks of one size, with a hash table and a heap of the
 * entries behind them.  An entry is a chain of blocks, the first with a header.
 * Blocks are known by their numbers, so that processes may see the memory at
 * different addresses.
 *
 * What has expired makes room first: the heap has it at its top.  Else some
 * entries are picked at random, and the least recently used of them goes.  That
 * is one of the old ones nearly always, costs the same little work each time,
 * and all that a look-up has to do for it is to note that an entry was used.
 *
 * Look-ups may run at the same time, for that note is all they write, and all
 * of them write the same.
 */
#include "shared/cachearea.h"

#include <string.h>

/*
 * Most entries are 250 to 400 bytes, so this wastes half a block each; a link
 * of four bytes in each block is the other cost.
 */
#define BLOCK_SIZE JIBIT_CACHEAREA_UNIT

#define NO_BLOCK UINT32_MAX

/* An entry may fill this share of the area. */
#define LARGEST_SHARE 8

/*
 * Entries of which one makes room.  What is among the newer half is taken once
 * in 65,000 times.
 */
#define CANDIDATES 16

typedef struct EntryHeader
{
	uint32_t next_block;
	uint32_t next_entry; /* in the bucket's chain */
	uint32_t place;		 /* in the heap */
	uint32_t used;		 /* how much had been stored at its latest use */
	int64_t stored_at;
	int64_t expires_at;
	uint32_t owner;
	uint32_t size;
	uint16_t kind;
	uint8_t key[JIBIT_CACHEAREA_KEY_SIZE];
} EntryHeader;

typedef union Block
{
	uint32_t next; /* of the entry, or of the free list */
	struct
	{
		EntryHeader header;
		uint8_t data[BLOCK_SIZE - sizeof(EntryHeader)];
	} first;
	struct
	{
		uint32_t next;
		uint8_t data[BLOCK_SIZE - sizeof(uint32_t)];
	} rest;
} Block;

#define FIRST_DATA (sizeof(((Block *) NULL)->first.data))
#define REST_DATA (sizeof(((Block *) NULL)->rest.data))

/* Stands where a block would; the blocks, the heap and the buckets follow. */
struct JibitCacheArea
{
	uint32_t nblocks;
	uint32_t nbuckets; /* a power of two */
	uint32_t free;	   /* first free block */
	uint32_t nfree;
	uint32_t nentries;
	uint32_t stored; /* how often something has been stored; may wrap around */
	uint32_t random; /* the latest random number */
};

_Static_assert(sizeof(Block) == BLOCK_SIZE, "a block has no other size");
_Static_assert(sizeof(JibitCacheArea) <= BLOCK_SIZE, "the first block's room");

static Block *
block_at(const JibitCacheArea *area, uint32_t i)
{
	return (Block *) area + 1 + i;
}

static EntryHeader *
header_at(const JibitCacheArea *area, uint32_t i)
{
	return &block_at(area, i)->first.header;
}

/* The entries, none of which expires before the one at (place - 1) / 2. */
static uint32_t *
heap_of(const JibitCacheArea *area)
{
	return (uint32_t *) block_at(area, area->nblocks);
}

static uint32_t *
buckets_of(const JibitCacheArea *area)
{
	return heap_of(area) + area->nblocks;
}

/* Personal data does not stay behind. */
static void
free_block(JibitCacheArea *area, uint32_t i)
{
	memset(block_at(area, i), 0, BLOCK_SIZE);
	block_at(area, i)->next = area->free;
	area->free = i;
	area->nfree++;
}

void
jibit_cachearea_init(JibitCacheArea *area, size_t size)
{
	size_t room = size - BLOCK_SIZE;

	/* A bucket for each two blocks, since few entries have only one. */
	memset(area, 0, size);
	area->nbuckets = 1;
	while (area->nbuckets < room / BLOCK_SIZE / 2)
		area->nbuckets *= 2;
	room -= area->nbuckets * sizeof(uint32_t);
	area->nblocks = (uint32_t) (room / (BLOCK_SIZE + sizeof(uint32_t)));
	area->random = 1;
	for (uint32_t i = 0; i < area->nbuckets; i++)
		buckets_of(area)[i] = NO_BLOCK;
	area->free = NO_BLOCK;
	for (uint32_t i = area->nblocks; i-- > 0;)
		free_block(area, i);
}

/* Where the bucket's chain of a key begins. */
static uint32_t *
bucket_of(const JibitCacheArea *area, const uint8_t *key)
{
	uint32_t hash;

	memcpy(&hash, key + 4, sizeof(hash));
	return &buckets_of(area)[hash & (area->nbuckets - 1)];
}

static uint32_t
find_entry(const JibitCacheArea *area, const uint8_t *key)
{
	uint32_t i = *bucket_of(area, key);

	while (i != NO_BLOCK &&
		   memcmp(header_at(area, i)->key, key, JIBIT_CACHEAREA_KEY_SIZE) != 0)
		i = header_at(area, i)->next_entry;
	return i;
}

/*
 * An entry's data, copied out of its blocks or into them.
 */

static void
copy_out(const JibitCacheArea *area, uint32_t i, char *data, size_t size)
{
	Block *block = block_at(area, i);
	size_t length = size < FIRST_DATA ? size : FIRST_DATA;

	memcpy(data, block->first.data, length);
	while ((size -= length) > 0)
	{
		data += length;
		block = block_at(area, block->next);
		length = size < REST_DATA ? size : REST_DATA;
		memcpy(data, block->rest.data, length);
	}
}

static void
copy_in(const JibitCacheArea *area, uint32_t i, const char *data, size_t size)
{
	Block *block = block_at(area, i);
	size_t length = size < FIRST_DATA ? size : FIRST_DATA;

	memcpy(block->first.data, data, length);
	while ((size -= length) > 0)
	{
		data += length;
		block = block_at(area, block->next);
		length = size < REST_DATA ? size : REST_DATA;
		memcpy(block->rest.data, data, length);
	}
}

size_t
jibit_cachearea_get(JibitCacheArea *area, const uint8_t *key, int64_t now,
					int64_t max_age, void *data, size_t room)
{
	uint32_t i = find_entry(area, key);
	EntryHeader *header;

	if (i == NO_BLOCK)
		return 0;
	header = header_at(area, i);
	if (header->stored_at > now || header->stored_at < now - max_age)
		return 0;
	if (header->size <= room)
	{
		copy_out(area, i, data, header->size);
		if (header->used != area->stored)
			header->used = area->stored;
	}
	return header->size;
}

/*
 * Changes.
 */

static void
put_at(JibitCacheArea *area, uint32_t place, uint32_t i)
{
	heap_of(area)[place] = i;
	header_at(area, i)->place = place;
}

static int64_t
expiry_at(const JibitCacheArea *area, uint32_t place)
{
	return header_at(area, heap_of(area)[place])->expires_at;
}

/* Puts an entry at a place of the heap, or nearer to its top. */
static void
rise(JibitCacheArea *area, uint32_t place, uint32_t i)
{
	int64_t expires_at = header_at(area, i)->expires_at;

	while (place > 0 && expiry_at(area, (place - 1) / 2) > expires_at)
	{
		put_at(area, place, heap_of(area)[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put_at(area, place, i);
}

/* Puts an entry at a place of the heap, or farther from its top. */
static void
sink(JibitCacheArea *area, uint32_t place, uint32_t i)
{
	int64_t expires_at = header_at(area, i)->expires_at;
	uint32_t child;

	while ((child = 2 * place + 1) < area->nentries)
	{
		if (child + 1 < area->nentries &&
			expiry_at(area, child + 1) < expiry_at(area, child))
			child++;
		if (expiry_at(area, child) >= expires_at)
			break;
		put_at(area, place, heap_of(area)[child]);
		place = child;
	}
	put_at(area, place, i);
}

static void
remove_entry(JibitCacheArea *area, uint32_t i)
{
	EntryHeader *header = header_at(area, i);
	uint32_t *link = bucket_of(area, header->key);
	uint32_t last = heap_of(area)[--area->nentries];

	while (*link != i)
		link = &header_at(area, *link)->next_entry;
	*link = header->next_entry;

	/* The heap's last takes its place. */
	if (header_at(area, last)->expires_at < header->expires_at)
		rise(area, header->place, last);
	else if (last != i)
		sink(area, header->place, last);

	while (i != NO_BLOCK)
	{
		uint32_t next = block_at(area, i)->next;

		free_block(area, i);
		i = next;
	}
}

/* How much has been stored since an entry was used. */
static uint32_t
age_of(const JibitCacheArea *area, uint32_t i)
{
	return area->stored - header_at(area, i)->used;
}

/* The entry that makes room. */
static uint32_t
choose_entry(JibitCacheArea *area, int64_t now)
{
	uint32_t chosen = heap_of(area)[0];

	if (header_at(area, chosen)->expires_at < now)
		return chosen;
	for (int n = 1; n < CANDIDATES; n++)
	{
		uint32_t other;

		/* Marsaglia's xorshift. */
		area->random ^= area->random << 13;
		area->random ^= area->random >> 17;
		area->random ^= area->random << 5;
		other = heap_of(area)[area->random % area->nentries];
		if (age_of(area, other) > age_of(area, chosen))
			chosen = other;
	}
	return chosen;
}

static uint32_t
take_blocks(JibitCacheArea *area, uint32_t count)
{
	uint32_t first = area->free;
	Block *last = block_at(area, first);

	area->nfree -= count;
	while (--count > 0)
		last = block_at(area, last->next);
	area->free = last->next;
	last->next = NO_BLOCK;
	return first;
}

void
jibit_cachearea_put(JibitCacheArea *area, const uint8_t *key, uint32_t owner,
					int kind, int64_t now, int64_t lifetime, const void *data,
					size_t size)
{
	size_t needed = 1;
	uint32_t i;
	uint32_t *bucket;
	EntryHeader *header;

	if (size > FIRST_DATA)
		needed += (size - FIRST_DATA + REST_DATA - 1) / REST_DATA;
	if (needed > area->nblocks / LARGEST_SHARE)
		return;

	i = find_entry(area, key);
	if (i != NO_BLOCK)
		remove_entry(area, i);
	while (area->nfree < needed)
		remove_entry(area, choose_entry(area, now));
	i = take_blocks(area, (uint32_t) needed);

	header = header_at(area, i);
	memcpy(header->key, key, JIBIT_CACHEAREA_KEY_SIZE);
	header->used = ++area->stored;
	header->stored_at = now;
	header->expires_at = now + lifetime;
	header->owner = owner;
	header->kind = (uint16_t) kind;
	header->size = (uint32_t) size;
	bucket = bucket_of(area, key);
	header->next_entry = *bucket;
	*bucket = i;
	rise(area, area->nentries++, i);
	copy_in(area, i, data, size);
}

int64_t
jibit_cachearea_clear(JibitCacheArea *area, uint32_t owner, int kind)
{
	int64_t count = 0;

	for (uint32_t bucket = 0; bucket < area->nbuckets; bucket++)
	{
		uint32_t i = buckets_of(area)[bucket];

		while (i != NO_BLOCK)
		{
			EntryHeader *header = header_at(area, i);
			uint32_t next = header->next_entry;

			if (header->owner == owner && (kind < 0 || header->kind == kind))
			{
				remove_entry(area, i);
				count++;
			}
			i = next;
		}
	}
	return count;
}
