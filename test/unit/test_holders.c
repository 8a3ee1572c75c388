/*
 * test_holders.c
 *		Who may have a place among the calls under way.
 */
#include "shared/holders.h"

#include "testing.h"

#define SESSIONS 4
#define MAX 4

static JibitHolder holders[SESSIONS];

/* In a test the time is what it says. */
static int64_t now;

static void
start(void)
{
	JibitHolder none = {0};

	now = 1000000000;
	for (int i = 0; i < SESSIONS; i++)
	{
		holders[i] = none;
		holders[i].driven_us = JIBIT_DRIVING;
	}
}

static bool
may_take(int session, int64_t since)
{
	return jibit_holders_may_take(holders, SESSIONS, session, since, MAX, now);
}

static int
next(void)
{
	return jibit_holders_next(holders, SESSIONS, MAX, now);
}

/* Lets a session take a place if it may, else wait for one since then. */
static bool
ask(int session, int64_t since)
{
	bool granted = may_take(session, since);

	holders[session].places += granted;
	holders[session].waiting_since_us = granted ? 0 : since;
	return granted;
}

static void
test_order(void)
{
	start();
	holders[0].places = MAX;
	ok(!ask(1, now + 1) && !ask(2, now + 2), "holders: no place is left");
	ok(next() == -1, "holders: nobody is told");
	holders[0].places--;
	ok(next() == 1, "holders: who waits longest is told");
	ok(!may_take(2, now + 2), "holders: the place is not for the second");
	ok(!may_take(3, now + 3), "holders: nor for one who comes now");
	ok(ask(1, now + 1), "holders: it is for the first");
	ok(next() == -1, "holders: then there is none again");
	holders[0].places--;
	ok(ask(2, now + 2), "holders: the second has the next one");
	holders[0].places = 0;
	ok(may_take(3, now + 3), "holders: without others anybody may");
	ok(may_take(0, now), "holders: also who has had some");
}

/* A session with many calls that wait does not go before an older one. */
static void
test_many(void)
{
	int served[2] = {0, 0};
	int64_t began[2];

	start();
	holders[0].places = MAX;
	began[0] = began[1] = now;
	for (int i = 0; i < 100; i++)
	{
		/* The call that ends makes room; each has another one then. */
		holders[i % 2 == 0 && holders[0].places > 0 ? 0
				: holders[1].places > 0				? 1
													: 0]
			.places--;
		now += 1000;
		for (int s = 1; s >= 0; s--)
		{
			if (ask(s, began[s]))
			{
				served[s]++;
				began[s] = now;
			}
		}
	}
	ok(served[0] >= 40 && served[1] >= 40, "holders: two sessions take turns");
}

static void
test_lease(void)
{
	start();
	holders[0].places = MAX;
	holders[0].driven_us = now;
	ok(!ask(1, now), "lease: who has just driven keeps its places");
	now += JIBIT_LEASE_US - 1;
	ok(!may_take(1, now), "lease: up to a second");
	now++;
	ok(next() == 1, "lease: then they are lent");
	ok(ask(1, now), "lease: to who waits");
	holders[0].driven_us = JIBIT_DRIVING;
	ok(!ask(0, now), "lease: back again, it asks anew");
	holders[0].places = 3;
	ok(!may_take(0, now), "lease: while there are as many as may be");
	holders[0].places = 2;
	ok(may_take(0, now), "lease: and goes on with fewer");

	start();
	holders[0].places = MAX;
	ok(!ask(1, now), "lease: one waits");
	holders[1].driven_us = now;
	now += JIBIT_LEASE_US;
	holders[0].places--;
	ok(may_take(2, now), "lease: who does not look keeps nobody waiting");
	ok(next() == -1, "lease: nor is it told");
}

void
test_holders(void)
{
	test_order();
	test_many();
	test_lease();
}
