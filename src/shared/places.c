/*
 * How many calls are under way at a time, over all sessions.
 *
 * Each process has an entry in shared memory; holders.c decides.  One lock
 * protects the entries, but for driven_us, which each process writes in its own
 * entry without it: at worst others take it to be away a moment longer.
 *
 * A session gives its places back at its exit.  One that is killed outright
 * takes the server down with it, and the restart clears shared memory.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/config.h"
#include "miscadmin.h"
#include "shared/exit.h"
#include "shared/holders.h"
#include "shared/places.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"

typedef struct Places
{
	LWLock *lock;
	int taken;	 /* by all, lent places too */
	int waiting; /* sessions that wait for one */
	JibitHolder holders[FLEXIBLE_ARRAY_MEMBER]; /* by process number */
} Places;

static Places *places;

Size
jibit_places_shmem_size(void)
{
	return MAXALIGN(add_size(offsetof(Places, holders),
							 mul_size(MaxBackends, sizeof(JibitHolder))));
}

void
jibit_places_shmem_init(void)
{
	bool found;

	places = ShmemInitStruct("jibit places", jibit_places_shmem_size(),
							 &found);
	if (found)
		return;
	memset(places, 0, jibit_places_shmem_size());
	places->lock = &GetNamedLWLockTranche(JIBIT_PLACES_TRANCHE)->lock;
}

static JibitHolder *
self(void)
{
	return &places->holders[jibit_proc_number()];
}

/* Tells whoever waits longest that there is a place.  With the lock held. */
static void
wake_next(int64 now_us)
{
	int next;

	if (places->waiting == 0)
		return;
	next = jibit_holders_next(places->holders, MaxBackends,
							  jibit_max_in_flight, now_us);
	if (next >= 0 && next != jibit_proc_number())
		SetLatch(&GetPGProcByNumber(next)->procLatch);
}

static void
set_waiting(JibitHolder *holder, int64 since_us)
{
	places->waiting += (since_us != 0) - (holder->waiting_since_us != 0);
	holder->waiting_since_us = since_us;
}

static void
leave(void)
{
	JibitHolder *holder = self();

	LWLockAcquire(places->lock, LW_EXCLUSIVE);
	places->taken -= holder->places;
	set_waiting(holder, 0);
	memset(holder, 0, sizeof(JibitHolder));
	wake_next(jibit_now_us());
	LWLockRelease(places->lock);
}

bool
jibit_places_take(int64 since_us)
{
	JibitHolder *holder = self();
	int64 now_us;
	bool granted;

	jibit_exit_add(JIBIT_EXIT_PLACES, leave);
	LWLockAcquire(places->lock, LW_EXCLUSIVE);
	if (places->taken < jibit_max_in_flight && places->waiting == 0)
	{
		places->taken++;
		holder->places++;
		LWLockRelease(places->lock);
		return true;
	}
	now_us = jibit_now_us();
	granted = jibit_holders_may_take(places->holders, MaxBackends,
									 jibit_proc_number(), since_us,
									 jibit_max_in_flight, now_us);
	set_waiting(holder, granted ? 0 : since_us);
	if (granted)
	{
		places->taken++;
		holder->places++;

		/* There may be more, for another. */
		wake_next(now_us);
	}
	LWLockRelease(places->lock);
	return granted;
}

void
jibit_places_stop_waiting(void)
{
	JibitHolder *holder = self();

	if (holder->waiting_since_us == 0)
		return;
	LWLockAcquire(places->lock, LW_EXCLUSIVE);
	set_waiting(holder, 0);
	wake_next(jibit_now_us());
	LWLockRelease(places->lock);
}

void
jibit_places_give_back(void)
{
	LWLockAcquire(places->lock, LW_EXCLUSIVE);
	Assert(self()->places > 0);
	self()->places--;
	places->taken--;
	if (places->waiting > 0)
		wake_next(jibit_now_us());
	LWLockRelease(places->lock);
}

void
jibit_places_note_driving(bool driving)
{
	self()->driven_us = driving ? JIBIT_DRIVING : jibit_now_us();
}
