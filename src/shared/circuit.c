/*
 * When failures in a row suspend calls, and when they go on.
 */
#include "shared/circuit.h"

/* While another call probes: how soon to look again. */
#define PROBE_WAIT_US (50 * 1000)

bool
jibit_circuit_is_open(const JibitCircuit *circuit, int threshold)
{
	return threshold > 0 && circuit->failures >= (uint32_t) threshold;
}

int64_t
jibit_circuit_wait(const JibitCircuit *circuit, int64_t now, int threshold,
				   int64_t cooldown_us, bool is_probed)
{
	if (!jibit_circuit_is_open(circuit, threshold))
		return 0;

	/* Further off than the cooldown: the clock was set back since. */
	if (now < circuit->probe_from && circuit->probe_from - now <= cooldown_us)
		return circuit->probe_from - now;
	return is_probed ? PROBE_WAIT_US : 0;
}

/* The same `what` counts once in a row; 0 counts each time. */
static void
note_failure(JibitCircuit *circuit, uint64_t what, int64_t now,
			 int64_t cooldown_us)
{
	bool is_repeated = circuit->failures > 0 && what != 0 &&
					   what == circuit->what;

	if (!is_repeated && circuit->failures < UINT32_MAX)
		circuit->failures++;
	circuit->what = what;
	circuit->probe_from = now + cooldown_us;
}

void
jibit_circuit_note(JibitCircuit *way, JibitCircuit *inquiry, JibitReach reach,
				   uint64_t what, int64_t now, int64_t cooldown_us)
{
	switch (reach)
	{
		case JIBIT_REACH_FAILED:
			note_failure(way, 0, now, cooldown_us);
			return;
		case JIBIT_REACH_FAILING:
			way->failures = 0;
			note_failure(inquiry, what, now, cooldown_us);
			return;
		case JIBIT_REACH_ANSWERED:
			way->failures = 0;
			inquiry->failures = 0;
			return;
	}
}
