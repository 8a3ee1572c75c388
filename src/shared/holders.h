/*
 * Who may have a place among the calls under way: the decision, in plain C
 * for tests without a server.
 *
 * First come, first served, by when the call that waits has begun.  A place
 * is a lease: it is lent to others while its holder does not drive its calls.
 * So there can be more calls under way than places, when a holder comes back
 * whose places are lent; it gets no new one until there are fewer.
 */
#ifndef JIBIT_HOLDERS_H
#define JIBIT_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

/* Who has not driven its calls for so long lends its places (contract). */
#define JIBIT_LEASE_US (1000 * 1000)

/* A session.  Times are microseconds of a clock that all sessions share. */
typedef struct JibitHolder
{
	int places;				  /* its own, lent or not */
	int64_t driven_us;		  /* when it was last at its calls, or DRIVING */
	int64_t waiting_since_us; /* when the call began that lacks one; 0: none */
} JibitHolder;

#define JIBIT_DRIVING INT64_MAX

/* May `self`, which waits since then, take a place of `max` now? */
extern bool jibit_holders_may_take(const JibitHolder *holders, int count,
								   int self, int64_t since_us, int max,
								   int64_t now_us);

/* Whom a free place should be told of: the one that waits longest, or -1. */
extern int jibit_holders_next(const JibitHolder *holders, int count, int max,
							  int64_t now_us);

#endif /* JIBIT_HOLDERS_H */
