/*
 * timer.c
 *		Waking things up later, with one thread for all of them.
 *
 * A heap of times under one mutex.  The callback runs in the timer's thread
 * without the mutex.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "timer.h"

typedef struct Entry
{
	int64_t due; /* nanoseconds of CLOCK_MONOTONIC */
	void *argument;
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed; /* the first entry, or stopping */
static pthread_t thread;
static TimerCallback wake;
static Entry *heap;
static size_t count;
static size_t room;
static bool stopping;

static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

/* All of these: call with the lock held. */

static void
sift_up(size_t at)
{
	Entry entry = heap[at];

	while (at > 0 && heap[(at - 1) / 2].due > entry.due)
	{
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = entry;
}

static void
sift_down(size_t at)
{
	Entry entry = heap[at];

	for (;;)
	{
		size_t child = at * 2 + 1;

		if (child + 1 < count && heap[child + 1].due < heap[child].due)
			child++;
		if (child >= count || heap[child].due >= entry.due)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = entry;
}

static void *
take_first(void)
{
	void *argument = heap[0].argument;

	heap[0] = heap[--count];
	if (count > 0)
		sift_down(0);
	return argument;
}

static void
wait_for_first(void)
{
	struct timespec until;

	if (count == 0)
	{
		pthread_cond_wait(&changed, &lock);
		return;
	}
	until.tv_sec = (time_t) (heap[0].due / 1000000000);
	until.tv_nsec = (long) (heap[0].due % 1000000000);
	pthread_cond_timedwait(&changed, &lock, &until);
}

static void *
run(void *unused)
{
	(void) unused;
	pthread_mutex_lock(&lock);
	while (!stopping || count > 0)
	{
		if (count > 0 && (stopping || heap[0].due <= now()))
		{
			void *argument = take_first();

			pthread_mutex_unlock(&lock);
			wake(argument);
			pthread_mutex_lock(&lock);
		}
		else
			wait_for_first();
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Starts the thread; the callback is for every entry. */
bool
timer_start(TimerCallback callback)
{
	pthread_condattr_t attributes;

	wake = callback;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return pthread_create(&thread, NULL, run, NULL) == 0;
}

/*
 * Asks for the callback after that time.  False where it will not come: the
 * timer is stopping, or memory is short.
 */
bool
timer_add(long delay_ms, void *argument)
{
	bool added = false;

	pthread_mutex_lock(&lock);
	if (!stopping && count == room)
	{
		size_t more = room == 0 ? 256 : room * 2;
		Entry *larger = realloc(heap, more * sizeof(*heap));

		if (larger != NULL)
		{
			heap = larger;
			room = more;
		}
	}
	if (!stopping && count < room)
	{
		heap[count].due = now() + (int64_t) delay_ms * 1000000;
		heap[count].argument = argument;
		sift_up(count++);
		if (heap[0].argument == argument)
			pthread_cond_signal(&changed);
		added = true;
	}
	pthread_mutex_unlock(&lock);
	return added;
}

bool
timer_stopping(void)
{
	bool result;

	pthread_mutex_lock(&lock);
	result = stopping;
	pthread_mutex_unlock(&lock);
	return result;
}

/* Wakes up everything at once; nothing can be added from now on. */
void
timer_stop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	pthread_cond_destroy(&changed);
	free(heap);
	heap = NULL;
}
