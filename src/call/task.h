/*
 * A call on its way: the steps that it goes through.
 *
 * Of run.c alone, which decides whose turn it is and sends the requests.
 */
#ifndef JIBIT_TASK_H
#define JIBIT_TASK_H

#include "account/token.h"
#include "call/call.h"
#include "call/lookup.h"
#include "lib/ilist.h"
#include "net/request.h"
#include "shared/breaker.h"

/* What a task waits for. */
typedef enum JibitTaskState
{
	JIBIT_TASK_ADMIT, /* the limits: the breaker, the day's, the statement's */
	JIBIT_TASK_TOKEN, /* a token */
	JIBIT_TASK_PLACE, /* a place among the calls under way */
	JIBIT_TASK_SENT,  /* the end of its request */
	JIBIT_TASK_LOST,  /* nothing: an error has kept its outcome from it */
	JIBIT_TASK_BACKOFF, /* the time of its next attempt */
	JIBIT_TASK_FOLLOWS, /* the end of an equal call of its run */
	JIBIT_TASK_ENDED	/* being taken */
} JibitTaskState;

typedef struct JibitTask
{
	JibitCall *call;
	MemoryContext context; /* of this call */
	dlist_node node;	   /* in a list of its run */
	JibitTaskState state;
	char *canonical[JIBIT_MAX_PARAMS];
	JibitLookup lookup;
	int64 began_us; /* jibit_now_us() */

	/* Of jibit_drive_now(). */
	int64 since_us;	   /* in this state */
	int64 deadline_us; /* JIBIT_NO_DEADLINE until it has its first place */
	int64 due_us;	   /* nothing is to be done before */

	char *token;
	uint64 token_generation;
	bool token_renewed; /* the one new token has been spent */
	JibitTokenWait token_wait;
	bool lacked_place;		  /* when it last asked for one */
	struct JibitTask *leader; /* that it follows */
	int charges;			  /* attempts that may have been charged */
	int64 bytes_received;
	JibitHttpRequest request;

	/* What it holds of shared things. */
	bool has_pass;
	JibitPass pass;
	bool has_reservation;
	int budget_day;
	bool has_place;
} JibitTask;

#define JIBIT_NO_DEADLINE PG_INT64_MAX

/*
 * Takes up a call, in the current context: it has ended if its arguments are
 * wrong or its answer is known; else a turn of the calls begins, and its time
 * with it.  credentials_context is where the policy gets its credentials, if it
 * has none: that can raise what jibit_credentials_get() does.
 */
extern void jibit_task_begin(JibitTask *task,
							 MemoryContext credentials_context);

extern void jibit_task_enter(JibitTask *task, JibitTaskState state);

/*
 * How long it may stay in its state, of jibit_drive_now().  `moved_us` is when
 * its run got a place the last time: a call whose time has not begun waits for
 * one as long as others get theirs.
 */
extern int64 jibit_task_limit(const JibitTask *task, int64 moved_us);

/* ADMIT: asks the limits; then it needs a token, is due later or has ended. */
extern void jibit_task_admit(JibitTask *task);

/*
 * PLACE: it has waited for the place that it has got.  Asks the breaker again;
 * false if it may not go, and then it has given the place back.
 */
extern bool jibit_task_readmit(JibitTask *task);

/* TOKEN: takes one over. */
extern void jibit_task_set_token(JibitTask *task, const JibitToken *token);

/*
 * PLACE: makes the request ready to be sent, its time begins if it has not;
 * and then that it was.
 */
extern void jibit_task_prepare(JibitTask *task);
extern void jibit_task_note_sent(JibitTask *task);

/* SENT: the request has ended; the task has too, or tries again. */
extern void jibit_task_take_outcome(JibitTask *task);

/* FOLLOWS: its leader has ended; so has it, or it goes its own way. */
extern void jibit_task_take_from_leader(JibitTask *task);

/*
 * Any state but ENDED: it ends, with this error.  And with what its last
 * attempt was answered, if there was one, else with this error, or that its
 * time is over.
 */
extern void jibit_task_fail(JibitTask *task, const JibitError *error);
extern void jibit_task_give_up(JibitTask *task, const JibitError *error);
extern void jibit_task_time_out(JibitTask *task);

/*
 * Any state but ENDED: nobody waits for it any more.  Gives back what it holds;
 * does not throw.  And counts and logs one that was sent; throws on lack of
 * memory.
 */
extern void jibit_task_release(JibitTask *task);
extern void jibit_task_count_broken_off(JibitTask *task);

#endif /* JIBIT_TASK_H */
