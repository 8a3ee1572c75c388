/*
 * Where the background workers are, and who waits for what they do.
 *
 * There is one worker for a database at most.  One lock protects their list.
 */
#ifndef JIBIT_WORKERS_H
#define JIBIT_WORKERS_H

/* Databases with a worker; far above any max_worker_processes. */
#define JIBIT_WORKERS_MAX 64

#define JIBIT_WORKERS_TRANCHE "jibit workers"

extern Size jibit_workers_shmem_size(void);
extern void jibit_workers_shmem_init(void);

/*
 * Makes this process the worker of its database, until its exit.  False where
 * there is another one.
 */
extern bool jibit_workers_attach(void);

/* How often the worker has been woken; for the worker itself. */
extern uint32 jibit_workers_wakeups(void);

/*
 * When the current transaction commits, the database's worker is woken, and
 * (finished) whoever waits for a request to finish.  COMMIT PREPARED wakes
 * nobody.
 */
extern void jibit_workers_wake_at_commit(bool finished);

/*
 * The databases that have a worker now, at most JIBIT_WORKERS_MAX; returns how
 * many.  And whether a database has one, and asking it to end.
 */
extern int jibit_workers_list(Oid *databases);
extern bool jibit_workers_is_there(Oid database);
extern void jibit_workers_end(Oid database);

/*
 * The worker's calls: a request is being called from the one to the other.
 * And the ids of those that this database's worker is calling, palloc'd;
 * returns how many.
 */
extern void jibit_workers_begin_call(int64 id);
extern void jibit_workers_end_call(int64 id);
extern int jibit_workers_called(int64 **ids);

/* Tells that requests have finished; after the commit. */
extern void jibit_workers_tell_finished(void);

/*
 * To wait until something finishes: prepare, look, wait and look again, end.
 * jibit_workers_wait() sleeps at most timeout_ms, and serves interrupts; an
 * error ends the waiting by itself.
 */
extern void jibit_workers_prepare_to_wait(void);
extern void jibit_workers_wait(long timeout_ms);
extern void jibit_workers_end_wait(void);

#endif /* JIBIT_WORKERS_H */
