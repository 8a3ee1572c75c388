/*-------------------------------------------------------------------------
 *
 * places.h
 *	  How many calls are under way at a time, over all sessions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_PLACES_H
#define JIBIT_PLACES_H

extern Size jibit_places_shmem_size(void);
extern void jibit_places_shmem_init(void);

/*
 * Takes one of jibit.max_in_flight places; false when none is free.  What is
 * still held when the session ends comes back by itself.
 */
extern bool jibit_places_take(void);

extern void jibit_places_give_back(void);

/* Sleeps until a place may be free, at most timeout_ms.  Serves interrupts. */
extern void jibit_places_wait(long timeout_ms);

#endif /* JIBIT_PLACES_H */
