/*
 * How many calls are under way at a time, over all sessions.
 */
#ifndef JIBIT_PLACES_H
#define JIBIT_PLACES_H

#define JIBIT_PLACES_TRANCHE "jibit places"

extern Size jibit_places_shmem_size(void);
extern void jibit_places_shmem_init(void);

/*
 * Takes a place for a call that began at since_us (jibit_now_us()).  False if
 * there is none for it yet: then this session's latch is set when there is one.
 * Ask again after JIBIT_PLACES_ASK_MS all the same: when a holder stops driving
 * nobody is told.  Whoever gives up waiting must say so.
 */
#define JIBIT_PLACES_ASK_MS 100
extern bool jibit_places_take(int64 since_us);
extern void jibit_places_stop_waiting(void);

extern void jibit_places_give_back(void);

/*
 * Says that this session drives its calls (works on them, or waits for their
 * answers), or does no longer.  After a second without, its places are lent to
 * others.
 */
extern void jibit_places_note_driving(bool driving);

#endif /* JIBIT_PLACES_H */
