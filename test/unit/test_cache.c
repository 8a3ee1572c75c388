/*
 * test_cache.c
 *		The shared cache's memory: what is kept, and what makes room.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/cachearea.h"
#include "testing.h"

/* One of the 64 areas of 16 MB. */
#define AREA_SIZE (256 * 1024)

/* What an IBAN's answer takes, and what is kept of such. */
#define USUAL 280
#define USUAL_FIT 600

#define LARGEST 30000
#define FOREVER (INT64_MAX / 2)

static JibitCacheArea *
make_area(size_t size)
{
	JibitCacheArea *area = aligned_alloc(JIBIT_CACHEAREA_UNIT, size);

	if (area == NULL)
		abort();
	memset(area, 0xA5, size);
	jibit_cachearea_init(area, size);
	return area;
}

/* Bytes that follow from a number, other ones for each. */
static void
make_bytes(uint8_t *bytes, size_t size, uint64_t n)
{
	uint64_t state = n * 0x9E3779B97F4A7C15 + 1;

	for (size_t i = 0; i < size; i += sizeof(state))
	{
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(bytes + i, &state,
			   size - i < sizeof(state) ? size - i : sizeof(state));
	}
}

/* The n-th key has version after version of its data. */
static void
put_version(JibitCacheArea *area, uint64_t n, unsigned version, size_t size,
			int64_t now, int64_t lifetime)
{
	uint8_t key[JIBIT_CACHEAREA_KEY_SIZE];
	uint8_t *data = malloc(size);

	if (data == NULL)
		abort();
	make_bytes(key, sizeof(key), n);
	make_bytes(data, size, n << 16 ^ version);
	jibit_cachearea_put(area, key, (uint32_t) n % 3, (int) n % 2, now,
						lifetime, data, size);
	free(data);
}

static void
put(JibitCacheArea *area, uint64_t n, size_t size)
{
	put_version(area, n, 0, size, 0, FOREVER);
}

/* Is it there?  As it was stored, or this is the end. */
static bool
has_version(JibitCacheArea *area, uint64_t n, unsigned version, size_t size,
			int64_t now, int64_t max_age)
{
	uint8_t key[JIBIT_CACHEAREA_KEY_SIZE];
	uint8_t *data = malloc(size);
	uint8_t *expected = malloc(size);
	size_t found;
	bool same;

	if (data == NULL || expected == NULL)
		abort();
	make_bytes(key, sizeof(key), n);
	make_bytes(expected, size, n << 16 ^ version);
	found = jibit_cachearea_get(area, key, now, max_age, data, size);
	same = found == size && memcmp(data, expected, size) == 0;
	free(data);
	free(expected);
	if (found != 0 && !same)
		ok(false, "what is found is what was stored");
	return same;
}

static bool
has(JibitCacheArea *area, uint64_t n, size_t size)
{
	return has_version(area, n, 0, size, 0, FOREVER);
}

static int
count_kept(JibitCacheArea *area, uint64_t from, uint64_t to, size_t size)
{
	int kept = 0;

	for (uint64_t n = from; n < to; n++)
		kept += has(area, n, size);
	return kept;
}

static void
test_lookups(void)
{
	JibitCacheArea *area = make_area(AREA_SIZE);
	uint8_t key[JIBIT_CACHEAREA_KEY_SIZE];
	uint8_t byte = 1;
	bool passed = true;

	for (size_t size = 1; size <= 1000; size++)
	{
		put(area, size, size);
		if (!has(area, size, size))
			complain(&passed, "%d bytes", (int) size);
	}
	put(area, 0, LARGEST);
	if (!has(area, 0, LARGEST))
		complain(&passed, "%d bytes", LARGEST);
	ok(passed, "cache: entries of every size");

	put(area, 5000, AREA_SIZE / 8);
	ok(!has(area, 5000, AREA_SIZE / 8) && has(area, 0, LARGEST),
	   "cache: what is too large is not stored, nor does it make room");

	make_bytes(key, sizeof(key), 0);
	ok(jibit_cachearea_get(area, key, 0, FOREVER, &byte, 1) == LARGEST &&
		   byte == 1,
	   "cache: without room for it the size alone is told");

	put_version(area, 7, 1, 100, 1000, FOREVER);
	put_version(area, 7, 2, 700, 2000, FOREVER);
	ok(has_version(area, 7, 2, 700, 2000, 0), "cache: the latest version");
	ok(has_version(area, 7, 2, 700, 2500, 500), "cache: old enough");
	ok(!has_version(area, 7, 2, 700, 2501, 500), "cache: too old");
	ok(!has_version(area, 7, 2, 700, 1999, FOREVER),
	   "cache: nothing of the future, as when the clock was set back");
	free(area);
}

/* Of answers, and every 50th far larger. */
static size_t
mixed_size(uint64_t n)
{
	return n % 50 == 0 ? LARGEST : 1 + n * 7919 % 1500;
}

/* How many of a few that are stored, then looked up, are not there. */
static int
count_lost(JibitCacheArea *area, uint64_t from, uint64_t count, size_t size)
{
	for (uint64_t n = from; n < from + count; n++)
		put(area, n, size);
	return (int) count - count_kept(area, from, from + count, size);
}

static void
test_newest(void)
{
	JibitCacheArea *area = make_area(AREA_SIZE);
	uint64_t n = 0;
	int lost = 0;

	/* Whatever has been used before, and whatever that takes. */
	for (int used = 0; used <= USUAL_FIT; used += 20)
	{
		for (int more = 0; more < 2 * USUAL_FIT; more++, n++)
			put(area, n, USUAL);
		(void) count_kept(area, n - (uint64_t) used, n, USUAL);
		lost += count_lost(area, n, 20, USUAL);
		n += 20;
		(void) count_kept(area, n - USUAL_FIT, n - 100, USUAL);
		lost += count_lost(area, n, 20, USUAL);
		n += 20;
	}
	ok(lost == 0, "cache: what was stored last is there");
	free(area);

	area = make_area(AREA_SIZE);
	lost = 0;
	for (n = 0; n < 2000; n++)
	{
		put(area, n, mixed_size(n));

		/* Two large ones among them at most, and so no quarter of the area. */
		for (uint64_t back = 0; back < 20 && back <= n; back++)
			lost += !has(area, n - back, mixed_size(n - back));
	}
	ok(lost == 0, "cache: ... also where sizes differ");
	free(area);
}

static void
test_oldest(void)
{
	JibitCacheArea *area = make_area(AREA_SIZE);
	int used = 0;

	for (uint64_t n = 0; n < 5 * USUAL_FIT; n++)
		put(area, n, USUAL);
	ok(count_kept(area, 0, 4 * USUAL_FIT, USUAL) < USUAL_FIT / 10 &&
		   count_kept(area, 4 * USUAL_FIT, 5 * USUAL_FIT, USUAL) >
			   USUAL_FIT * 9 / 10,
	   "cache: of what nobody uses old ones make room");
	for (uint64_t n = 5 * USUAL_FIT; n < 10 * USUAL_FIT; n++)
	{
		put(area, n, USUAL);
		if (n % 100 == 0)
			used += count_kept(area, 5 * USUAL_FIT, 5 * USUAL_FIT + 1, USUAL);
	}
	ok(used == 5 * USUAL_FIT / 100, "cache: what is used stays");
	free(area);
}

/* Small areas, in every order of what expires when, after some replacements. */
static void
test_expired(void)
{
	enum
	{
		FIT = 20
	};
	int lost = 0;

	for (int round = 0; round < 2000; round++)
	{
		JibitCacheArea *area = make_area(64 * JIBIT_CACHEAREA_UNIT);
		int64_t lifetimes[2 * FIT];
		int expired = 0;

		for (int i = 0; i < 3 * FIT; i++)
		{
			int n = i < FIT ? i : (int) next_random(FIT);

			lifetimes[n] = next_random(200);
			put_version(area, (uint64_t) n, 0, USUAL, 0, lifetimes[n]);
		}
		for (int n = 0; n < FIT; n++)
			expired += lifetimes[n] < 100;
		for (int n = FIT; n < FIT + expired; n++)
		{
			lifetimes[n] = 100;
			put_version(area, (uint64_t) n, 0, USUAL, 100, lifetimes[n]);
		}
		for (int n = 0; n < FIT + expired; n++)
		{
			if (lifetimes[n] >= 100)
				lost += !has_version(area, (uint64_t) n, 0, USUAL, 100, 100);
		}
		free(area);
	}
	ok(lost == 0, "cache: what has expired makes room first");
}

static bool
has_text(const JibitCacheArea *area, size_t size, const char *text)
{
	for (size_t i = 0; i + strlen(text) <= size; i++)
	{
		if (memcmp((const char *) area + i, text, strlen(text)) == 0)
			return true;
	}
	return false;
}

/* Empties it, and fills it until one makes room for another. */
static int
count_fitting(JibitCacheArea *area)
{
	int fit = 0;

	for (uint32_t owner = 0; owner < 3; owner++)
		jibit_cachearea_clear(area, owner, -1);
	while (count_lost(area, (uint64_t) fit, 1, USUAL) == 0 &&
		   count_kept(area, 0, (uint64_t) fit, USUAL) == fit)
		fit++;
	return fit;
}

static void
test_clear(void)
{
	JibitCacheArea *area = make_area(AREA_SIZE);
	uint8_t key[JIBIT_CACHEAREA_KEY_SIZE] = {0};
	char text[1000];
	bool passed = true;
	int fit;

	for (uint64_t n = 0; n < 300; n++)
		put(area, n, USUAL);
	ok(jibit_cachearea_clear(area, 1, 0) == 50, "cache: an owner's of a kind");
	ok(jibit_cachearea_clear(area, 2, -1) == 100, "cache: all of an owner");
	ok(jibit_cachearea_clear(area, 2, -1) == 0, "cache: ... only once");
	for (uint64_t n = 0; n < 300; n++)
	{
		bool dropped = n % 3 == 2 || (n % 3 == 1 && n % 2 == 0);

		if (has(area, n, USUAL) == dropped)
			complain(&passed, "%d", (int) n);
	}
	ok(passed, "cache: what is not theirs stays");

	memset(text, 'x', sizeof(text));
	memcpy(text + 900, "a name", 6);
	jibit_cachearea_put(area, key, 9, 1, 0, FOREVER, text, sizeof(text));
	ok(has_text(area, AREA_SIZE, "a name"), "cache: personal data");
	jibit_cachearea_clear(area, 9, -1);
	ok(!has_text(area, AREA_SIZE, "a name"), "cache: ... is overwritten");

	fit = count_fitting(area);
	for (uint64_t n = 0; n < 3000; n++)
	{
		put(area, n % 700, mixed_size(n));
		if (n % 500 == 0)
			jibit_cachearea_clear(area, (uint32_t) n % 3, -1);
	}
	ok(count_fitting(area) == fit && fit >= USUAL_FIT,
	   "cache: no room is lost");
	free(area);
}

/* Small ones, which may hold nothing; what they have is right (see has). */
static void
test_small(void)
{
	bool passed = true;

	for (size_t units = 2; units < 40; units++)
	{
		JibitCacheArea *area = make_area(units * JIBIT_CACHEAREA_UNIT);

		for (uint64_t n = 0; n < 200; n++)
		{
			put(area, n, 1 + n % 40);
			if (has(area, n, 1 + n % 40) != (units >= 10))
				complain(&passed, "%d units, entry %d", (int) units, (int) n);
		}
		free(area);
	}
	ok(passed, "cache: areas of every small size");
}

void
test_cache(void)
{
	test_lookups();
	test_newest();
	test_oldest();
	test_expired();
	test_clear();
	test_small();
}
