/*
 * What has been called, how often, how fast.
 *
 * An entry for each inquiry and profile.  Entries are made under the lock and
 * stay until the server stops, so that a session may keep their addresses;
 * counting is atomic and takes no lock.  A reset sets the counters to zero,
 * one after the other: a call that ends at that moment may be counted in part.
 *
 * Durations go into a histogram whose buckets grow with the value: 16 for each
 * doubling, so that a quantile is at most 1/32 (3.1 %) off.
 */
#include "postgres.h"

#include "base/inquiryids.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "shared/stats.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"

/*
 * Pairs of inquiry and profile that are counted by themselves; 2 kB each.
 * What comes later is counted under its inquiry with an empty profile.
 */
#define NAMED_ENTRIES 256
#define ENTRIES (NAMED_ENTRIES + JIBIT_INQUIRY_NUMBERS)

#define STEPS_BITS 4
#define STEPS (1 << STEPS_BITS)
/* Up to 2^32 us, an hour and twelve minutes. */
#define BUCKETS ((32 - STEPS_BITS + 1) * STEPS)

typedef enum Counter
{
	CALLS,
	SUCCEEDED,
	CACHE_HITS,
	STATEMENT_HITS,
	RETRIES,
	BYTES_RECEIVED,
	TOTAL_US,
	MAX_US,
	COUNTERS
} Counter;

typedef struct Entry
{
	bool used;
	int inquiry;
	char profile[JIBIT_PROFILE_MAX + 1];
	pg_atomic_uint64 counters[COUNTERS];
	slock_t mutex; /* of last_error */
	char last_error[JIBIT_CODE_SIZE];
	pg_atomic_uint32 histogram[BUCKETS];
} Entry;

typedef struct Stats
{
	LWLock *lock;
	Entry entries[ENTRIES];
} Stats;

static Stats *stats;

Size
jibit_stats_shmem_size(void)
{
	return MAXALIGN(sizeof(Stats));
}

void
jibit_stats_shmem_init(void)
{
	bool found;

	stats = ShmemInitStruct("jibit statistics", sizeof(Stats), &found);
	if (found)
		return;
	memset(stats, 0, sizeof(Stats));
	stats->lock = &GetNamedLWLockTranche(JIBIT_STATS_TRANCHE)->lock;
	for (int i = 0; i < ENTRIES; i++)
	{
		Entry *entry = &stats->entries[i];

		SpinLockInit(&entry->mutex);
		for (int j = 0; j < COUNTERS; j++)
			pg_atomic_init_u64(&entry->counters[j], 0);
		for (int j = 0; j < BUCKETS; j++)
			pg_atomic_init_u32(&entry->histogram[j], 0);
	}
}

/* With the lock held. */
static Entry *
find_entry(int inquiry, const char *profile)
{
	for (int i = 0; i < ENTRIES && stats->entries[i].used; i++)
	{
		Entry *entry = &stats->entries[i];

		if (entry->inquiry == inquiry && strcmp(entry->profile, profile) == 0)
			return entry;
	}
	return NULL;
}

/*
 * The profile's own entry, or the one for all further profiles of the inquiry;
 * NULL where it is still to be made.  With the lock held.
 */
static Entry *
find_entry_to_count(int inquiry, const char *profile)
{
	Entry *entry = find_entry(inquiry, profile);

	if (entry == NULL && stats->entries[NAMED_ENTRIES - 1].used)
		entry = find_entry(inquiry, "");
	return entry;
}

/* With the lock held exclusively. */
static Entry *
make_entry(int inquiry, const char *profile)
{
	if (stats->entries[NAMED_ENTRIES - 1].used)
		profile = "";
	for (int i = 0; i < ENTRIES; i++)
	{
		Entry *entry = &stats->entries[i];

		if (entry->used)
			continue;
		entry->inquiry = inquiry;
		strlcpy(entry->profile, profile, sizeof(entry->profile));
		entry->used = true;
		return entry;
	}
	return NULL;
}

/*
 * The entry to count in, or NULL.  The latest of each inquiry is kept by its
 * address, since a session seldom changes profiles.
 */
static Entry *
get_entry(int inquiry, const char *profile)
{
	static Entry *latest[JIBIT_INQUIRY_NUMBERS];
	Entry *entry = latest[inquiry];

	if (entry != NULL && strcmp(entry->profile, profile) == 0)
		return entry;

	LWLockAcquire(stats->lock, LW_SHARED);
	entry = find_entry_to_count(inquiry, profile);
	LWLockRelease(stats->lock);
	if (entry == NULL)
	{
		LWLockAcquire(stats->lock, LW_EXCLUSIVE);
		entry = find_entry_to_count(inquiry, profile);
		if (entry == NULL)
			entry = make_entry(inquiry, profile);
		LWLockRelease(stats->lock);
	}
	latest[inquiry] = entry;
	return entry;
}

/*
 * Values below STEPS have a bucket each; above, STEPS buckets for each
 * doubling.
 */
static int
bucket_of(uint64 us)
{
	uint32 value = (uint32) Min(us, PG_UINT32_MAX);
	int exponent;

	if (value < STEPS)
		return (int) value;
	exponent = pg_leftmost_one_pos32(value) - STEPS_BITS;
	return (exponent + 1) * STEPS + (int) ((value >> exponent) - STEPS);
}

/* The middle of a bucket. */
static double
value_of(int bucket)
{
	int exponent = bucket / STEPS - 1;
	double step;

	if (exponent < 0)
		return bucket;
	step = (double) (UINT64CONST(1) << exponent);
	return (STEPS + bucket % STEPS) * step + (step - 1) / 2;
}

static double
quantile(const uint32 *histogram, uint64 total, double share)
{
	uint64 rank = (uint64) (share * (double) total);
	uint64 seen = 0;

	if (total == 0)
		return 0;
	if (rank >= total)
		rank = total - 1;
	for (int i = 0; i < BUCKETS; i++)
	{
		seen += histogram[i];
		if (seen > rank)
			return value_of(i);
	}
	return value_of(BUCKETS - 1);
}

static void
raise_to(pg_atomic_uint64 *maximum, uint64 value)
{
	uint64 old = pg_atomic_read_u64(maximum);

	while (old < value &&
		   !pg_atomic_compare_exchange_u64(maximum, &old, value))
		;
}

static void
add(Entry *entry, Counter counter, uint64 count)
{
	pg_atomic_fetch_add_u64(&entry->counters[counter], count);
}

static uint64
read_counter(Entry *entry, Counter counter)
{
	return pg_atomic_read_u64(&entry->counters[counter]);
}

void
jibit_stats_count_call(int inquiry, const char *profile,
					   const char *error_code, int retries,
					   int64 bytes_received, int64 duration_us)
{
	Entry *entry = get_entry(inquiry, profile);

	if (entry == NULL)
		return;
	add(entry, CALLS, 1);
	if (error_code == NULL)
		add(entry, SUCCEEDED, 1);
	else
	{
		SpinLockAcquire(&entry->mutex);
		strlcpy(entry->last_error, error_code, sizeof(entry->last_error));
		SpinLockRelease(&entry->mutex);
	}
	if (retries > 0)
		add(entry, RETRIES, retries);
	add(entry, BYTES_RECEIVED, bytes_received);
	add(entry, TOTAL_US, duration_us);
	raise_to(&entry->counters[MAX_US], (uint64) duration_us);
	pg_atomic_fetch_add_u32(&entry->histogram[bucket_of(duration_us)], 1);
}

void
jibit_stats_count_hit(int inquiry, const char *profile, bool of_statement)
{
	Entry *entry = get_entry(inquiry, profile);

	if (entry != NULL)
		add(entry, of_statement ? STATEMENT_HITS : CACHE_HITS, 1);
}

static void
fill_row(JibitStatsRow *row, Entry *entry)
{
	uint32 histogram[BUCKETS];
	uint64 total = 0;

	row->inquiry = entry->inquiry;
	strlcpy(row->profile, entry->profile, sizeof(row->profile));
	row->calls = read_counter(entry, CALLS);
	row->succeeded = read_counter(entry, SUCCEEDED);
	row->failed = Max(row->calls - row->succeeded, 0);
	row->cache_hits = read_counter(entry, CACHE_HITS);
	row->statement_hits = read_counter(entry, STATEMENT_HITS);
	row->retries = read_counter(entry, RETRIES);
	row->bytes_received = read_counter(entry, BYTES_RECEIVED);
	row->total_us = read_counter(entry, TOTAL_US);
	row->max_us = read_counter(entry, MAX_US);
	SpinLockAcquire(&entry->mutex);
	strlcpy(row->last_error, entry->last_error, sizeof(row->last_error));
	SpinLockRelease(&entry->mutex);
	for (int i = 0; i < BUCKETS; i++)
	{
		histogram[i] = pg_atomic_read_u32(&entry->histogram[i]);
		total += histogram[i];
	}
	/* The middle of a bucket may be more than any value in it. */
	row->p50_us = Min(quantile(histogram, total, 0.50), row->max_us);
	row->p95_us = Min(quantile(histogram, total, 0.95), row->max_us);
	row->p99_us = Min(quantile(histogram, total, 0.99), row->max_us);
}

JibitStatsRow *
jibit_stats_rows(int *count)
{
	JibitStatsRow *rows = palloc(ENTRIES * sizeof(JibitStatsRow));

	*count = 0;
	LWLockAcquire(stats->lock, LW_SHARED);
	for (int i = 0; i < ENTRIES && stats->entries[i].used; i++)
	{
		JibitStatsRow *row = &rows[*count];

		fill_row(row, &stats->entries[i]);
		if (row->calls + row->cache_hits + row->statement_hits > 0)
			(*count)++;
	}
	LWLockRelease(stats->lock);
	return rows;
}

void
jibit_stats_reset(void)
{
	LWLockAcquire(stats->lock, LW_EXCLUSIVE);
	for (int i = 0; i < ENTRIES; i++)
	{
		Entry *entry = &stats->entries[i];

		/* The counters alone: sessions hold the entries' addresses. */
		for (int j = 0; j < COUNTERS; j++)
			pg_atomic_write_u64(&entry->counters[j], 0);
		for (int j = 0; j < BUCKETS; j++)
			pg_atomic_write_u32(&entry->histogram[j], 0);
		SpinLockAcquire(&entry->mutex);
		entry->last_error[0] = '\0';
		SpinLockRelease(&entry->mutex);
	}
	LWLockRelease(stats->lock);
}
