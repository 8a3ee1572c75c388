/*-------------------------------------------------------------------------
 *
 * places.c
 *	  How many calls are under way at a time, over all sessions.
 *
 * One atomic counter and a condition variable: no lock.  A session knows how
 * many places it has and gives them back at its exit.  A session that is
 * killed outright takes the server down with it, and the restart clears
 * shared memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/config.h"
#include "port/atomics.h"
#include "shared/places.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

typedef struct Places
{
	pg_atomic_uint32 taken;
	ConditionVariable given_back;
} Places;

static Places *places;
static int held;

Size
jibit_places_shmem_size(void)
{
	return MAXALIGN(sizeof(Places));
}

void
jibit_places_shmem_init(void)
{
	bool found;

	places = ShmemInitStruct("jibit places", sizeof(Places), &found);
	if (found)
		return;
	pg_atomic_init_u32(&places->taken, 0);
	ConditionVariableInit(&places->given_back);
}

static void
give_back_at_exit(int code, Datum arg)
{
	while (held > 0)
		jibit_places_give_back();
}

bool
jibit_places_take(void)
{
	static bool registered = false;
	uint32 taken = pg_atomic_read_u32(&places->taken);

	if (!registered)
	{
		before_shmem_exit(give_back_at_exit, (Datum) 0);
		registered = true;
	}
	while (taken < (uint32) jibit_max_in_flight)
	{
		if (pg_atomic_compare_exchange_u32(&places->taken, &taken, taken + 1))
		{
			held++;
			return true;
		}
	}
	return false;
}

void
jibit_places_give_back(void)
{
	Assert(held > 0);
	held--;
	pg_atomic_fetch_sub_u32(&places->taken, 1);
	ConditionVariableSignal(&places->given_back);
}

void
jibit_places_wait(long timeout_ms)
{
	static uint32 wait_event = 0;

	ConditionVariablePrepareToSleep(&places->given_back);

	/* One may have come free before we were in the list. */
	if (pg_atomic_read_u32(&places->taken) >= (uint32) jibit_max_in_flight)
		ConditionVariableTimedSleep(
			&places->given_back, timeout_ms,
			jibit_wait_event(&wait_event, "JibitPlace"));
	ConditionVariableCancelSleep();
}
