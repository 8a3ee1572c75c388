/*
 * What the worker takes out of the queue, and what it brings back.
 *
 * All of it runs inside one of the worker's transactions, in SPI, with a lock
 * on the queue.
 */
#ifndef JIBIT_QUEUE_CLAIMS_H
#define JIBIT_QUEUE_CLAIMS_H

#include "base/errors.h"
#include "datatype/timestamp.h"
#include "protocol/answer.h"
#include "protocol/inquiries.h"
#include "queue/table.h"
#include "utils/jsonb.h"

/* A request that has been claimed: the worker's until it brings it back. */
typedef struct JibitClaim
{
	int64 id;
	const char *inquiry;
	Jsonb *arguments;
	const char *profile;
	const char *track_id;
	Oid submitter; /* a role, if it still is one */
	TimestampTz submitted_at;
	int attempts; /* with this one */
	bool is_probe;
} JibitClaim;

/*
 * Claims what is due, at most `count`, in order of priority and age; what is
 * paused is left alone.  The claims are in the current context.  *due_at is
 * when more will be due (DT_NOEND: never, as things are), and has already
 * passed where there was more than `count`.
 */
extern JibitClaim *jibit_claims_take(const JibitQueueTable *table, int count,
									 int *taken, TimestampTz *due_at);

/* Raises 42804 or 42883 where an answer would not fit the inquiry's type. */
extern void jibit_claims_check_type(const JibitQueueTable *table,
									const JibitInquiry *inquiry);

/* How a request comes back. */
typedef struct JibitOutcome
{
	int64 id;
	const char *track_id; /* a dropped queue's id may have come again */
	const JibitInquiry *inquiry;

	/* Finished: with an answer and its track id, or else an error. */
	bool finished;
	const JibitAnswer *answer;
	const char *answer_track_id;
	const JibitError *error; /* may be NULL for what goes on waiting */

	/* Not finished: it waits until then (0: as it did). */
	TimestampTz run_after;
	bool uncounted; /* this was no attempt */

	/* What has come of bringing it back. */
	bool tried;
	bool written; /* or it is nobody's any more */
} JibitOutcome;

/*
 * Brings requests back, and notifies of those that have finished; fills in
 * `tried` and `written`.  What others have locked is left alone.  A result
 * with text that this database's encoding lacks becomes an error.  Returns how
 * many finished.
 */
extern int jibit_claims_return(const JibitQueueTable *table,
							   JibitOutcome **outcomes, int count);

/*
 * What a dead worker has left running: found before anything is claimed, it
 * waits again as soon as nobody else has it locked.  The end of the
 * transaction is to be told; returns whether nothing is left.
 */
extern void jibit_claims_find_orphans(const JibitQueueTable *table);
extern void jibit_claims_recover(const JibitQueueTable *table);
extern bool jibit_claims_end_recovery(bool committed);

/*
 * Deletes finished requests that are older than jibit.request_retention, a
 * batch of them.  Returns whether there may be more.
 */
extern bool jibit_claims_purge(const JibitQueueTable *table);

#endif /* JIBIT_QUEUE_CLAIMS_H */
