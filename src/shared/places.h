/*-------------------------------------------------------------------------
 *
 * places.h
 *	  How many calls are under way at a time, over all sessions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_PLACES_H
#define JIBIT_PLACES_H

#define JIBIT_PLACES_TRANCHE "jibit places"

extern Size jibit_places_shmem_size(void);
extern void jibit_places_shmem_init(void);

/*
 * Takes a place for a call that began then (jibit_now_us()).  False if there
 * is none for it yet: then this session's latch is set when there is, or ask
 * again after JIBIT_PLACES_ASK_MS, since a lease can end without a word.
 * Whoever gives up waiting must say so.
 */
#define JIBIT_PLACES_ASK_MS 100
extern bool jibit_places_take(int64 since_us);
extern void jibit_places_stop_waiting(void);

extern void jibit_places_give_back(void);

/*
 * This session is at its calls, or waits for their answers; or no more.  Whoever
 * is not for a second lends its places to others.
 */
extern void jibit_places_note_driving(bool driving);

#endif /* JIBIT_PLACES_H */
