/*
 * What a session gives back at its exit.
 */
#include "postgres.h"

#include "shared/exit.h"
#include "storage/ipc.h"

static void (*steps[JIBIT_EXIT_STEPS])(void);

static void
do_steps(int code, Datum arg)
{
	for (int i = 0; i < JIBIT_EXIT_STEPS; i++)
	{
		if (steps[i] != NULL)
			steps[i]();
	}
}

void
jibit_exit_add(JibitExitStep step, void (*give_back)(void))
{
	static bool registered = false;

	if (!registered)
	{
		before_shmem_exit(do_steps, (Datum) 0);
		registered = true;
	}
	steps[step] = give_back;
}
