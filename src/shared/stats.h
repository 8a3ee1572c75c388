/*
 * What has been called, how often, how fast.
 */
#ifndef JIBIT_STATS_H
#define JIBIT_STATS_H

#include "base/limits.h"

extern Size jibit_stats_shmem_size(void);
extern void jibit_stats_shmem_init(void);

#define JIBIT_STATS_TRANCHE "jibit statistics"

/* Inquiries are known by number, profiles by name. */

/* A call that was sent has ended.  error_code NULL is success. */
extern void jibit_stats_count_call(int inquiry, const char *profile,
								   const char *error_code, int retries,
								   int64 bytes_received, int64 duration_us);

/* An answer came from a cache. */
extern void jibit_stats_count_hit(int inquiry, const char *profile,
								  bool of_statement);

typedef struct JibitStatsRow
{
	int inquiry;
	char profile[JIBIT_PROFILE_MAX + 1];
	int64 calls;
	int64 succeeded;
	int64 failed;
	int64 cache_hits;
	int64 statement_hits;
	int64 retries;
	int64 bytes_received;
	char last_error[JIBIT_CODE_SIZE]; /* empty for none */
	int64 total_us;
	int64 max_us;
	double p50_us; /* these 0 without calls */
	double p95_us;
	double p99_us;
} JibitStatsRow;

/* All rows since the last reset, palloc'd. */
extern JibitStatsRow *jibit_stats_rows(int *count);

extern void jibit_stats_reset(void);

#endif /* JIBIT_STATS_H */
