/*
 * The clock for timeouts and durations.
 */
#include "postgres.h"

#include "base/clock.h"

static bool driving;
static int64 left_us;	  /* when the latest turn ended */
static int64 undriven_us; /* the time between turns, added up */

void
jibit_drive_begin(void)
{
	if (!driving)
		undriven_us += jibit_now_us() - left_us;
	driving = true;
}

void
jibit_drive_end(void)
{
	if (!driving)
		return;
	left_us = jibit_now_us();
	driving = false;
}

int64
jibit_drive_now(void)
{
	return jibit_now_us() - undriven_us;
}

long
jibit_drive_ms_until(int64 deadline_us)
{
	return jibit_ms_until(deadline_us + undriven_us);
}
