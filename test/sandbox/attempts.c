/*
 * attempts.c
 *		How often an input has been asked for.
 *
 * For the faults that pass after a while.  Open addressing; when it is nearly
 * full, all is forgotten.
 */
#include <pthread.h>
#include <string.h>

#include "attempts.h"

/* A power of two; 1 MB. */
#define SLOTS 65536
#define MAX_USED (SLOTS / 4 * 3)

typedef struct Slot
{
	uint64_t input; /* 0: free */
	int count;
} Slot;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Slot slots[SLOTS];
static int used;

/* Call with the lock held. */
static void
forget_all(void)
{
	memset(slots, 0, sizeof(slots));
	used = 0;
}

/* Counts from 0 to cycle - 1 for each input, and starts over. */
int
attempts_next(uint64_t input, int cycle)
{
	Slot *slot;
	int attempt;

	if (input == 0)
		input = 1;
	pthread_mutex_lock(&lock);
	if (used >= MAX_USED)
		forget_all();
	slot = &slots[input % SLOTS];
	while (slot->input != 0 && slot->input != input)
		if (++slot == slots + SLOTS)
			slot = slots;
	if (slot->input == 0)
	{
		slot->input = input;
		used++;
	}
	attempt = slot->count % cycle;
	slot->count = attempt + 1;
	pthread_mutex_unlock(&lock);
	return attempt;
}

void
attempts_reset(void)
{
	pthread_mutex_lock(&lock);
	forget_all();
	pthread_mutex_unlock(&lock);
}
