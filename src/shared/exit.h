/*
 * What a session gives back at its exit.
 *
 * A process has room for twenty callbacks of before_shmem_exit(), its own and
 * those of every extension; this takes one for all.
 */
#ifndef JIBIT_EXIT_H
#define JIBIT_EXIT_H

/*
 * In this order, so that whoever gets a place finds the rest given back; what
 * may throw comes last, as what follows would not be done.
 */
typedef enum JibitExitStep
{
	JIBIT_EXIT_TOKEN,  /* the attempt to get one */
	JIBIT_EXIT_PROBES, /* of the circuit breaker */
	JIBIT_EXIT_BUDGET,
	JIBIT_EXIT_PLACES,
	JIBIT_EXIT_WORKER,
	JIBIT_EXIT_CALLS, /* that were sent, to be counted */
	JIBIT_EXIT_STEPS
} JibitExitStep;

/*
 * Has a step done at the exit of this process; to be called, any number of
 * times, before there is something to give back: it ends the session (FATAL) if
 * there is no room for a callback.  The transaction has not been aborted yet.
 */
extern void jibit_exit_add(JibitExitStep step, void (*give_back)(void));

#endif /* JIBIT_EXIT_H */
