/*
 * Where the background workers are, and who waits for what they do.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "base/compat.h"
#include "base/limits.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shared/exit.h"
#include "shared/workers.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/resowner.h"

typedef struct WorkerSlot
{
	Oid database; /* InvalidOid: the slot is free */
	int pid;
	Latch *latch;
	pg_atomic_uint32 wakeups;

	/* Requests that it is calling; 0: none.  Only the worker writes. */
	pg_atomic_uint64 called[JIBIT_WORKER_CONCURRENCY_MAX];
} WorkerSlot;

typedef struct Workers
{
	LWLock *lock;
	ConditionVariable finished;
	WorkerSlot slots[JIBIT_WORKERS_MAX];
} Workers;

static Workers *workers;
static WorkerSlot *own;

/* What the current transaction does at its commit. */
static bool wakes;
static bool finishes;
static bool committed;

Size
jibit_workers_shmem_size(void)
{
	return MAXALIGN(sizeof(Workers));
}

void
jibit_workers_shmem_init(void)
{
	bool found;

	workers = ShmemInitStruct("jibit workers", sizeof(Workers), &found);
	if (found)
		return;
	memset(workers, 0, sizeof(Workers));
	workers->lock = &GetNamedLWLockTranche(JIBIT_WORKERS_TRANCHE)->lock;
	ConditionVariableInit(&workers->finished);
	for (int i = 0; i < JIBIT_WORKERS_MAX; i++)
	{
		pg_atomic_init_u32(&workers->slots[i].wakeups, 0);
		for (int c = 0; c < JIBIT_WORKER_CONCURRENCY_MAX; c++)
			pg_atomic_init_u64(&workers->slots[i].called[c], 0);
	}
}

/* The caller holds the lock. */
static WorkerSlot *
find_slot(Oid database)
{
	for (int i = 0; i < JIBIT_WORKERS_MAX; i++)
	{
		if (workers->slots[i].database == database)
			return &workers->slots[i];
	}
	return NULL;
}

static void
detach(void)
{
	if (own == NULL)
		return;
	LWLockAcquire(workers->lock, LW_EXCLUSIVE);
	own->database = InvalidOid;
	own->pid = 0;
	own->latch = NULL;
	LWLockRelease(workers->lock);
	own = NULL;
}

bool
jibit_workers_attach(void)
{
	WorkerSlot *slot;
	bool ok;

	jibit_exit_add(JIBIT_EXIT_WORKER, detach);
	LWLockAcquire(workers->lock, LW_EXCLUSIVE);
	slot = find_slot(MyDatabaseId) == NULL ? find_slot(InvalidOid) : NULL;
	ok = slot != NULL;
	if (ok)
	{
		slot->database = MyDatabaseId;
		slot->pid = MyProcPid;
		slot->latch = MyLatch;
		for (int c = 0; c < JIBIT_WORKER_CONCURRENCY_MAX; c++)
			pg_atomic_write_u64(&slot->called[c], 0);
		own = slot;
	}
	LWLockRelease(workers->lock);
	return ok;
}

uint32
jibit_workers_wakeups(void)
{
	return pg_atomic_read_u32(&own->wakeups);
}

/* There is always room: no more are called than there may be at most. */
static void
replace_called(int64 id, int64 by)
{
	for (int c = 0; c < JIBIT_WORKER_CONCURRENCY_MAX; c++)
	{
		if (pg_atomic_read_u64(&own->called[c]) == (uint64) id)
		{
			pg_atomic_write_u64(&own->called[c], (uint64) by);
			return;
		}
	}
}

void
jibit_workers_begin_call(int64 id)
{
	replace_called(0, id);
}

void
jibit_workers_end_call(int64 id)
{
	replace_called(id, 0);
}

int
jibit_workers_called(int64 **ids)
{
	WorkerSlot *slot;
	int count = 0;

	*ids = palloc(JIBIT_WORKER_CONCURRENCY_MAX * sizeof(int64));
	LWLockAcquire(workers->lock, LW_SHARED);
	slot = find_slot(MyDatabaseId);
	for (int c = 0;
		 c < JIBIT_WORKER_CONCURRENCY_MAX && slot != NULL && slot->pid != 0;
		 c++)
	{
		int64 id = (int64) pg_atomic_read_u64(&slot->called[c]);

		if (id != 0)
			(*ids)[count++] = id;
	}
	LWLockRelease(workers->lock);
	return count;
}

static void
wake(void)
{
	WorkerSlot *slot;

	LWLockAcquire(workers->lock, LW_SHARED);
	slot = find_slot(MyDatabaseId);
	if (slot != NULL)
	{
		pg_atomic_fetch_add_u32(&slot->wakeups, 1);
		SetLatch(slot->latch);
	}
	LWLockRelease(workers->lock);
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT)
		committed = true;
	else if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		wakes = finishes = false;
}

/*
 * The last step of a commit: by now the others have been told to drop from their
 * caches what has changed, so that whoever is woken sees it.
 */
static void
on_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level,
		   void *arg)
{
	if (phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_top_level || !committed)
		return;
	committed = false;
	if (wakes)
		wake();
	if (finishes)
		jibit_workers_tell_finished();
	wakes = finishes = false;
}

void
jibit_workers_wake_at_commit(bool finished)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(on_transaction_end, NULL);
		RegisterResourceReleaseCallback(on_release, NULL);
		registered = true;
	}
	wakes = true;
	finishes |= finished;
}

int
jibit_workers_list(Oid *databases)
{
	int count = 0;

	LWLockAcquire(workers->lock, LW_SHARED);
	for (int i = 0; i < JIBIT_WORKERS_MAX; i++)
	{
		if (OidIsValid(workers->slots[i].database))
			databases[count++] = workers->slots[i].database;
	}
	LWLockRelease(workers->lock);
	return count;
}

bool
jibit_workers_is_there(Oid database)
{
	WorkerSlot *slot;
	bool is_there;

	LWLockAcquire(workers->lock, LW_SHARED);
	slot = find_slot(database);
	is_there = slot != NULL;
	LWLockRelease(workers->lock);
	return is_there;
}

void
jibit_workers_end(Oid database)
{
	WorkerSlot *slot;

	LWLockAcquire(workers->lock, LW_SHARED);
	slot = find_slot(database);
	if (slot != NULL)
		kill(slot->pid, SIGTERM);
	LWLockRelease(workers->lock);
}

void
jibit_workers_tell_finished(void)
{
	ConditionVariableBroadcast(&workers->finished);
}

void
jibit_workers_prepare_to_wait(void)
{
	ConditionVariablePrepareToSleep(&workers->finished);
}

void
jibit_workers_wait(long timeout_ms)
{
	static uint32 wait_event = 0;

	ConditionVariableTimedSleep(&workers->finished, timeout_ms,
								jibit_wait_event(&wait_event, "JibitResult"));
}

void
jibit_workers_end_wait(void)
{
	ConditionVariableCancelSleep();
}
