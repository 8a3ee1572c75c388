/*
 * test_circuit.c
 *		When the breaker suspends calls.
 */
#include "shared/circuit.h"

#include "testing.h"

#define THRESHOLD 3
#define COOLDOWN 10000000

static JibitCircuit way;
static JibitCircuit inquiry;

/* In a test the time is what it says. */
static int64_t now;

static void
start(void)
{
	JibitCircuit closed = {0};

	way = inquiry = closed;
	now = 1000000000;
}

static void
note(JibitReach reach, uint64_t what)
{
	jibit_circuit_note(&way, &inquiry, reach, what, now, COOLDOWN);
}

static void
fail(uint64_t what)
{
	note(JIBIT_REACH_FAILING, what);
}

static bool
is_open(const JibitCircuit *circuit)
{
	return jibit_circuit_is_open(circuit, THRESHOLD);
}

static int64_t
wait_for(const JibitCircuit *circuit, bool is_probed)
{
	return jibit_circuit_wait(circuit, now, THRESHOLD, COOLDOWN, is_probed);
}

static void
test_counting(void)
{
	start();
	ok(!is_open(&way) && !is_open(&inquiry) && wait_for(&way, false) == 0,
	   "circuit: closed at first");
	fail(1);
	fail(2);
	ok(!is_open(&inquiry), "circuit: two failures suspend nothing");
	fail(3);
	ok(is_open(&inquiry) && !is_open(&way),
	   "circuit: three suspend the inquiry");

	start();
	fail(1);
	fail(2);
	note(JIBIT_REACH_ANSWERED, 0);
	fail(3);
	fail(4);
	ok(!is_open(&inquiry), "circuit: an answer begins anew");
	note(JIBIT_REACH_FAILED, 0);
	fail(5);
	ok(is_open(&inquiry), "circuit: one that was not sent through does not");

	start();
	note(JIBIT_REACH_FAILED, 7);
	note(JIBIT_REACH_FAILED, 7);
	fail(1);
	note(JIBIT_REACH_FAILED, 7);
	note(JIBIT_REACH_FAILED, 7);
	ok(!is_open(&way), "circuit: a failing service has been reached");
	note(JIBIT_REACH_FAILED, 7);
	ok(is_open(&way) && !is_open(&inquiry),
	   "circuit: three suspend the way, whatever was asked");
	jibit_circuit_note(&way, NULL, JIBIT_REACH_FAILED, 0, now, COOLDOWN);
	ok(is_open(&way), "circuit: a failure without an inquiry");

	start();
	for (int i = 0; i < 3; i++)
		fail(i + 1);
	ok(!jibit_circuit_is_open(&inquiry, 4) &&
		   !jibit_circuit_is_open(&inquiry, 0),
	   "circuit: a larger threshold, or none, decides at once");
	inquiry.failures = UINT32_MAX;
	fail(1);
	ok(is_open(&inquiry), "circuit: the count does not run over");
}

static void
test_repetition(void)
{
	start();
	for (int i = 0; i < 100; i++)
		fail(1);
	ok(!is_open(&inquiry), "circuit: equal failures in a row count once");
	fail(2);
	ok(!is_open(&inquiry), "circuit: another one is the second");
	fail(1);
	ok(is_open(&inquiry), "circuit: the first one again is the third");

	start();
	fail(1);
	note(JIBIT_REACH_ANSWERED, 0);
	fail(1);
	ok(inquiry.failures == 1, "circuit: it counts again after an answer");

	start();
	for (int i = 0; i < 3; i++)
		fail(0);
	ok(is_open(&inquiry), "circuit: what is not known counts always");

	start();
	fail(1);
	fail(0);
	fail(1);
	ok(is_open(&inquiry), "circuit: also between equal ones");
}

static void
test_waiting(void)
{
	start();
	for (int i = 0; i < 3; i++)
		fail(i + 1);
	ok(wait_for(&inquiry, false) == COOLDOWN,
	   "circuit: no call during the cooldown");
	now += COOLDOWN - 1;
	ok(wait_for(&inquiry, false) == 1, "circuit: ... to its end");
	now++;
	ok(wait_for(&inquiry, false) == 0, "circuit: then a probe");
	ok(wait_for(&inquiry, true) > 0 && wait_for(&inquiry, true) < COOLDOWN,
	   "circuit: one at a time");

	/* It fails, on what failed before: there is a pause all the same. */
	fail(3);
	ok(wait_for(&inquiry, false) == COOLDOWN,
	   "circuit: a probe that fails begins the next pause");
	now += COOLDOWN;
	note(JIBIT_REACH_ANSWERED, 0);
	ok(wait_for(&inquiry, false) == 0 && wait_for(&inquiry, true) == 0,
	   "circuit: one that is answered ends it");

	start();
	for (int i = 0; i < 3; i++)
		fail(i + 1);
	now -= 3600LL * 1000000;
	ok(wait_for(&inquiry, false) == 0,
	   "circuit: a clock that is set back prolongs nothing");
	ok(wait_for(&inquiry, true) > 0, "circuit: one probe there too");
}

void
test_circuit(void)
{
	test_counting();
	test_repetition();
	test_waiting();
}
