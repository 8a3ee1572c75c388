/*
 * A request in the worker's hands: from its claim to its outcome.
 */
#ifndef JIBIT_QUEUE_REQUEST_H
#define JIBIT_QUEUE_REQUEST_H

#include "call/run.h"
#include "lib/ilist.h"
#include "queue/claims.h"

/*
 * The keys of a profile and the policy made of them, as long as a request
 * uses them.
 */
typedef struct JibitAccount
{
	MemoryContext context;
	int uses;
	JibitPolicy policy;
} JibitAccount;

typedef struct JibitRequest
{
	dlist_node node;	   /* the worker's */
	MemoryContext context; /* of all this */
	int64 id;
	char track_id[JIBIT_TRACK_ID_MAX + 1];
	const char *inquiry_name;
	const JibitInquiry *inquiry; /* NULL: of another version, say */
	const char *profile;
	const char *arguments[JIBIT_MAX_PARAMS]; /* UTF-8 */
	TimestampTz submitted_at;
	int attempts;
	bool is_probe; /* of a pause */
	bool is_called;
	int64 claimed_us;
	JibitAccount *account;
	JibitCall *call; /* under way, or NULL */

	/* What becomes of it, once it has ended. */
	bool has_ended;
	JibitOutcome outcome;
	JibitError error;
	char answer_track_id[JIBIT_TRACK_ID_MAX + 1];
} JibitRequest;

/*
 * Makes a request of a claim, inside a transaction.  It has ended where it
 * cannot be called: its role has lost the right, its arguments cannot be read,
 * its profile has no keys.  *accounts lists what the claims of one transaction
 * have in common, NIL at first; the caller ends it with
 * jibit_request_leave_accounts().
 */
extern JibitRequest *jibit_request_take(const JibitQueueTable *table,
										const JibitClaim *claim,
										List **accounts);
extern void jibit_request_leave_accounts(List *accounts);

/* It is called from now on; freeing it ends that. */
extern void jibit_request_begin_call(JibitRequest *request);

extern void jibit_request_free(JibitRequest *request);

/*
 * The identity of a profile's keys as they are now, zeroes without any; false
 * where it cannot be told, since they are locked.
 */
extern bool jibit_request_get_keys(const char *profile, uint8 *digest);

/*
 * How it ends.  A probe that `recovered` ends the pause.
 */

/* It goes back as it came; `counted`: that was an attempt all the same. */
extern void jibit_request_put_back(JibitRequest *request, bool counted);

/* It goes back and waits until then. */
extern void jibit_request_put_off(JibitRequest *request, bool counted,
								  TimestampTz until, const JibitError *error,
								  bool recovered);

extern void jibit_request_fail(JibitRequest *request, const JibitError *error,
							   bool recovered);

/* The answer is copied. */
extern void jibit_request_succeed(JibitRequest *request,
								  const JibitAnswer *answer,
								  const char *track_id, bool recovered);

#endif /* JIBIT_QUEUE_REQUEST_H */
