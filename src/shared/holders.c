/*
 * Who may have a place among the calls under way.
 */
#include "shared/holders.h"

static bool
is_driving(const JibitHolder *holder, int64_t now_us)
{
	return holder->driven_us > now_us - JIBIT_LEASE_US;
}

/* Does it wait, and will it notice when its turn has come? */
static bool
is_waiting(const JibitHolder *holder, int64_t now_us)
{
	return holder->waiting_since_us != 0 && is_driving(holder, now_us);
}

static int
count_taken(const JibitHolder *holders, int count, int64_t now_us)
{
	int taken = 0;

	for (int i = 0; i < count; i++)
	{
		if (holders[i].places > 0 && is_driving(&holders[i], now_us))
			taken += holders[i].places;
	}
	return taken;
}

bool
jibit_holders_may_take(const JibitHolder *holders, int count, int self,
					   int64_t since_us, int max, int64_t now_us)
{
	int taken = count_taken(holders, count, now_us);

	/* One place is for each of those who wait longer. */
	for (int i = 0; i < count; i++)
	{
		if (i != self && is_waiting(&holders[i], now_us) &&
			holders[i].waiting_since_us < since_us)
			taken++;
	}
	return taken < max;
}

int
jibit_holders_next(const JibitHolder *holders, int count, int max,
				   int64_t now_us)
{
	int next = -1;

	if (count_taken(holders, count, now_us) >= max)
		return -1;
	for (int i = 0; i < count; i++)
	{
		if (is_waiting(&holders[i], now_us) &&
			(next < 0 ||
			 holders[i].waiting_since_us < holders[next].waiting_since_us))
			next = i;
	}
	return next;
}
