/*
 * Putting requests into the queue, and taking them back.
 */
#ifndef JIBIT_QUEUE_SUBMIT_H
#define JIBIT_QUEUE_SUBMIT_H

#include "datatype/timestamp.h"
#include "protocol/inquiries.h"
#include "utils/jsonb.h"

typedef struct JibitSubmission JibitSubmission;

/*
 * Begins to submit requests of one inquiry, as the current user, for a
 * profile (NULL: the session's).  Raises 22023 for an unknown inquiry, JB011
 * for an unknown profile, 42501 where the user may not make the one or use the
 * other, 25006 in a read-only transaction.  An error on the way needs no clearing up.
 */
extern JibitSubmission *jibit_submit_begin(const char *inquiry,
										   const char *profile);

/* The inquiry of a name.  Raises 22023 for an unknown one. */
extern const JibitInquiry *jibit_submit_find_inquiry(const char *name);

/*
 * Adds a request and returns its id.  Raises 22023 for arguments whose names
 * are not the inquiry's, and for a priority out of bounds.
 */
extern int64 jibit_submit_add(JibitSubmission *submission, Jsonb *arguments,
							  TimestampTz run_after, int priority);

/* Ends it; the worker is woken when the transaction commits. */
extern void jibit_submit_end(JibitSubmission *submission);

/*
 * Takes back a request of the current user's.  False where it is not waiting
 * any more, is not the user's, or does not exist.
 */
extern bool jibit_submit_cancel(int64 id);

/*
 * A request of the current user's as a composite jibit_requests, palloc'd in
 * the current context; what others have committed by now is seen.  False
 * where there is none.  Raises 55000 for one that this transaction has
 * submitted, since it cannot run before the commit.
 */
extern bool jibit_submit_look(int64 id, Datum *request, bool *finished);

#endif /* JIBIT_QUEUE_SUBMIT_H */
