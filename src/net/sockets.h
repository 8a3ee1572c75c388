/*
 * The sockets of calls under way, and waiting for them.
 *
 * All but jibit_sockets_wait() can be called from libcurl's callbacks: they do
 * not throw.
 */
#ifndef JIBIT_SOCKETS_H
#define JIBIT_SOCKETS_H

/* A socket, counted until it is closed; PGINVALID_SOCKET where there is none. */
extern pgsocket jibit_socket_open(int family, int type, int protocol);

/* How many connections this process may have, at least 1. */
extern int jibit_sockets_room(void);

/* Returns what close() does. */
extern int jibit_socket_close(pgsocket fd);

/*
 * What to wait for on a socket, whoever has opened it: WL_SOCKET_READABLE or
 * WL_SOCKET_WRITEABLE, both or (0) nothing.  Of one that is dropped there may
 * be no more to tell.  False on lack of memory.
 */
extern bool jibit_socket_want(pgsocket fd, int events);
extern bool jibit_socket_drop(pgsocket fd);

/* Of one that was wanted at some time. */
extern bool jibit_socket_is_wanted(pgsocket fd);

/* When all are closed, also those of which nothing was told. */
extern void jibit_sockets_forget(void);

typedef struct JibitReadySocket
{
	pgsocket fd;
	int events; /* WL_SOCKET_... */
} JibitReadySocket;

/* So many at a time at most. */
#define JIBIT_READY_MAX 64

/*
 * Waits until some of the sockets are ready, the latch is set, or timeout_ms
 * are over; returns how many are ready.  The wait is shown as wait_event, 0 for
 * that of calls.  The caller resets the latch.  Throws on lack of memory.
 */
extern int jibit_sockets_wait(long timeout_ms, uint32 wait_event,
							  JibitReadySocket *ready, bool *latch_set);

#endif /* JIBIT_SOCKETS_H */
