/*
 * When failures in a row suspend calls, and when they go on.
 *
 * A circuit is open once `threshold` failures in a row have been noted (0:
 * never).  Then no call goes out during `cooldown_us` after the latest of
 * them, and after that one at a time, its probe.
 *
 * Plain C, without locks: breaker.c keeps the circuits in shared memory.  The
 * time is in microseconds, by a clock that may be set back.
 */
#ifndef JIBIT_CIRCUIT_H
#define JIBIT_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroes are a closed one. */
typedef struct JibitCircuit
{
	uint32_t failures;	/* in a row */
	uint64_t what;		/* was asked at the latest failure; 0: not known */
	int64_t probe_from; /* when open: no call before */
	int probe_pid;		/* whose call is the probe, or 0; for the caller */
} JibitCircuit;

/* What the end of a call says of the service. */
typedef enum JibitReach
{
	JIBIT_REACH_FAILED,	 /* the service was not reached */
	JIBIT_REACH_FAILING, /* it was, and is failing */
	JIBIT_REACH_ANSWERED
} JibitReach;

extern bool jibit_circuit_is_open(const JibitCircuit *circuit, int threshold);

/*
 * How long until a call may go out, as the probe if the circuit is open; 0 for
 * now.  `is_probed`: another call is the probe.
 */
extern int64_t jibit_circuit_wait(const JibitCircuit *circuit, int64_t now,
								  int threshold, int64_t cooldown_us,
								  bool is_probed);

/*
 * Notes how a call has ended, for the two circuits that it depends on: the way
 * to the service, and its inquiry (which may be NULL where the service was not
 * reached).  `what` (0: not known) is what was asked: an inquiry's failures in
 * a row about the same count once, since it may be that which fails.
 */
extern void jibit_circuit_note(JibitCircuit *way, JibitCircuit *inquiry,
							   JibitReach reach, uint64_t what, int64_t now,
							   int64_t cooldown_us);

#endif /* JIBIT_CIRCUIT_H */
