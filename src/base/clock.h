/*
 * The clock for timeouts and durations.
 */
#ifndef JIBIT_CLOCK_H
#define JIBIT_CLOCK_H

#include <time.h>

/*
 * Microseconds of a clock that nobody sets, the same in all processes; only
 * differences mean something.  PostgreSQL's instr_time may be another clock in
 * each session, from 19 on.
 */
static inline int64
jibit_now_us(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64CONST(1000000) + now.tv_nsec / 1000;
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
