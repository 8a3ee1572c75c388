/*
 * The one way in which inquiries are made: one, or many at a time.
 *
 * A failed call is a value in the JibitCall.  What is raised: missing or
 * unusable credentials (JB011) and a profile that is not for this user
 * (42501), when a call starts; interrupts and lack of memory, any time.
 */
#ifndef JIBIT_RUN_H
#define JIBIT_RUN_H

#include "call/call.h"

/*
 * Makes one call, from its start to its end, within its policy's timeout.
 * The answer is palloc'd in the current context.
 *
 * A policy without credentials gets them here, palloc'd in the current
 * context: then only inside a transaction.  With them, anywhere.
 */
extern void jibit_run_one(JibitCall *call);

/*
 * A run: calls that are under way at the same time.  It can outlive what has
 * begun it, and several can be there at a time: whoever waits for one drives
 * the calls of all.  What its calls hold of shared things is given back by
 * jibit_run_end(), which must be called, also on an error, or at the exit of
 * the process.
 */
typedef struct JibitRun JibitRun;

/* Allocated in the current context, which must outlive it. */
extern JibitRun *jibit_run_begin(void);

/*
 * A call to be filled in and started.  *context lives until the call is
 * freed: for its arguments, and its answer will be in it.
 */
extern JibitCall *jibit_run_new_call(JibitRun *run, MemoryContext *context);
extern void jibit_run_start(JibitRun *run, JibitCall *call);

/*
 * A call that has ended, the one that did so first, or NULL when none did
 * within timeout_ms (0 only looks), or none is there.  jibit_run_wait_for()
 * waits for this one.  What has been returned is the caller's, to be freed.
 */
extern JibitCall *jibit_run_wait(JibitRun *run, long timeout_ms);
extern void jibit_run_wait_for(JibitRun *run, JibitCall *call);
extern void jibit_run_free_call(JibitRun *run, JibitCall *call);

/* Calls that have been started and not returned; has one of them ended? */
extern int jibit_run_count(const JibitRun *run);
extern bool jibit_run_has_ended(JibitRun *run);

/*
 * Nothing more is sent: calls that have not been end with this error, without
 * a track id.
 */
extern void jibit_run_stop(JibitRun *run, const JibitError *error);

/*
 * Breaks off what is under way, and frees the run with all its calls.  NULL
 * is allowed.  Does not throw.
 */
extern void jibit_run_end(JibitRun *run);

#endif /* JIBIT_RUN_H */
