/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  The clock for timeouts and durations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_CLOCK_H
#define JIBIT_CLOCK_H

#include "portability/instr_time.h"

/* Microseconds of a clock that nobody sets; only differences mean something. */
static inline int64
jibit_now_us(void)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

/* Milliseconds from now to a deadline of that clock, rounded up, never < 0. */
static inline long
jibit_ms_until(int64 deadline_us)
{
	int64 left = deadline_us - jibit_now_us();

	return left <= 0 ? 0 : (long) ((left + 999) / 1000);
}

/*
 * The clock of calls' deadlines, which stands still while the process does
 * not drive its calls: while it writes results, or its client does not read.
 * That is nobody's failure.  A turn of the calls is between begin and end; a
 * turn may be begun in another, and one that an error has ended needs no end.
 */
extern void jibit_drive_begin(void);
extern void jibit_drive_end(void);

/* That clock's time, in microseconds, during a turn. */
extern int64 jibit_drive_now(void);
extern long jibit_drive_ms_until(int64 deadline_us);

#endif /* JIBIT_CLOCK_H */
