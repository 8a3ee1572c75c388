/*
 * The sockets of calls under way, and waiting for them.
 *
 * The waiting is done by a WaitEventSet with the process's latch, so that a
 * cancel, a timeout or the postmaster's death end it at once.
 *
 * Ownership: sockets are counted as PostgreSQL's external file descriptors
 * from open to close, which may be long after the request that opened them.
 * The table of them is malloc'd, since it grows where nothing may be thrown.
 */
#include "postgres.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compat.h"
#include "miscadmin.h"
#include "net/sockets.h"
#include "storage/fd.h"

/*
 * A peer that acknowledges nothing for so long is gone.  An HTTP/2 connection
 * outlives the timeouts of its requests, so without that a network that has
 * swallowed one would fail calls for minutes after it has recovered.
 */
#define SILENT_MS 20000

/*
 * As many connections as a batch may have, and some; and what is left for the
 * session's wait-event sets and for a second address that is tried.
 */
#define ROOM_MAX 300
#define ROOM_LEFT 8

/* What is wanted of a socket, and what the wait-event set has. */
typedef struct SocketState
{
	bool ours;	  /* we are told when it is closed, as a rule */
	bool dropped; /* libcurl is about to close it, perhaps has */
	uint8 wanted; /* WL_SOCKET_… bits; 0 for nothing */
	uint8 waited; /* the bits in the set; 0 when not in it */
	int position; /* in the set */
} SocketState;

/* Indexed by file descriptor. */
static SocketState *sockets;
static int sockets_size;
static bool sockets_changed;

static WaitEventSet *wait_set;
static int wait_set_used;
static int wait_set_size;
static bool wait_set_broken = true; /* must be made anew */

/* Makes room for a descriptor; false on lack of memory. */
static bool
reserve_socket(pgsocket fd)
{
	int size = Max(fd + 1, sockets_size * 2);
	SocketState *larger;

	if (fd < sockets_size)
		return true;
	larger = realloc(sockets, size * sizeof(SocketState));
	if (larger == NULL)
		return false;
	memset(larger + sockets_size, 0,
		   (size - sockets_size) * sizeof(SocketState));
	sockets = larger;
	sockets_size = size;
	return true;
}

/*
 * The descriptor is closed, or soon will be, or stands for another socket: the
 * kernel drops a closed one from the wait-event set.
 */
static void
leave_wait_set(pgsocket fd)
{
	if (sockets[fd].waited)
		wait_set_broken = true;
	sockets[fd].wanted = 0;
	sockets[fd].waited = 0;
}

bool
jibit_socket_want(pgsocket fd, int events)
{
	if (!reserve_socket(fd))
		return false;
	sockets[fd].dropped = false;
	sockets[fd].wanted = events;
	sockets_changed = true;
	return true;
}

/*
 * What libcurl no longer waits for is an idle connection that is kept, or a
 * socket that is being closed.  Of the latter we are not always told more: not
 * of the resolver's, and not of a connection attempt that has failed, which
 * has only ever been waited for to become writeable.
 */
bool
jibit_socket_drop(pgsocket fd)
{
	SocketState *s;

	if (!reserve_socket(fd))
		return false;
	s = &sockets[fd];
	s->dropped = s->ours && !(s->wanted & WL_SOCKET_READABLE);
	if (s->ours && !s->dropped)
		s->wanted = 0;
	else
		leave_wait_set(fd);
	sockets_changed = true;
	return true;
}

bool
jibit_socket_is_wanted(pgsocket fd)
{
	return sockets[fd].wanted != 0;
}

/*
 * What libcurl has closed without telling, as 7.88 does when a connection
 * attempt fails, counts no more.  It says before the close that it waits no
 * longer, so this comes later, when it has returned.
 */
static void
forget_if_closed(pgsocket fd)
{
	SocketState *s = &sockets[fd];

	s->dropped = false;
	if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
		return;
	leave_wait_set(fd);
	s->ours = false;
	ReleaseExternalFD();
}

pgsocket
jibit_socket_open(int family, int type, int protocol)
{
	pgsocket fd;

	if (!AcquireExternalFD())
		return PGINVALID_SOCKET;
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd != PGINVALID_SOCKET && !reserve_socket(fd))
	{
		close(fd);
		fd = PGINVALID_SOCKET;
	}
	if (fd == PGINVALID_SOCKET)
	{
		ReleaseExternalFD();
		return fd;
	}

#ifdef TCP_USER_TIMEOUT
	if (family == AF_INET || family == AF_INET6)
	{
		/* Where it cannot be set, the system's own time of minutes counts. */
		unsigned int timeout_ms = SILENT_MS;

		(void) setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
						  sizeof(timeout_ms));
	}
#endif

	/*
	 * libcurl may have closed the number's last socket by itself, as 7.88
	 * does when a connection attempt fails.
	 */
	if (sockets[fd].ours)
		ReleaseExternalFD();
	leave_wait_set(fd);
	sockets[fd].ours = true;
	sockets[fd].dropped = false;
	return fd;
}

/* AcquireExternalFD() leaves a third of the descriptors to sockets. */
int
jibit_sockets_room(void)
{
	return Max(Min(max_safe_fds / 3, ROOM_MAX) - ROOM_LEFT, 1);
}

int
jibit_socket_close(pgsocket fd)
{
	leave_wait_set(fd);
	sockets[fd].ours = false;
	sockets[fd].dropped = false;
	ReleaseExternalFD();
	return close(fd);
}

void
jibit_sockets_forget(void)
{
	for (int fd = 0; fd < sockets_size; fd++)
	{
		if (sockets[fd].ours)
			ReleaseExternalFD();
	}
	if (sockets != NULL)
		memset(sockets, 0, sockets_size * sizeof(SocketState));
	wait_set_broken = true;
}

/* Makes the wait-event set anew with every wanted socket. */
static void
rebuild_wait_set(void)
{
	int wanted = 0;

	for (int fd = 0; fd < sockets_size; fd++)
	{
		sockets[fd].waited = 0;
		wanted += sockets[fd].wanted != 0;
	}

	if (wait_set != NULL)
	{
		WaitEventSet *old = wait_set;

		wait_set = NULL;
		FreeWaitEventSet(old);
	}

	/* Room to add sockets without starting over; 2 for latch and postmaster. */
	wait_set_size = 2 + Max(8, wanted * 2);
	wait_set = jibit_create_wait_event_set(wait_set_size);
	AddWaitEventToSet(wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	wait_set_used = 1;
	if (IsUnderPostmaster) /* not in single-user mode */
	{
		AddWaitEventToSet(wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET,
						  NULL, NULL);
		wait_set_used++;
	}
	for (int fd = 0; fd < sockets_size; fd++)
	{
		SocketState *s = &sockets[fd];

		if (s->wanted == 0)
			continue;
		s->position = AddWaitEventToSet(wait_set, s->wanted, fd, NULL, NULL);
		s->waited = s->wanted;
		wait_set_used++;
	}
}

/*
 * Brings the wait-event set to what libcurl wants.  Nothing can be removed
 * from a set, so a socket that is no longer wanted stays in until it is
 * closed, wanted again, or wakes us: then the set is made anew.  So calls one
 * after the other over one kept connection never rebuild it.
 */
static void
sync_wait_set(void)
{
	bool rebuild = wait_set_broken;

	if (!sockets_changed && !rebuild)
		return;

	for (int fd = 0; fd < sockets_size; fd++)
	{
		if (sockets[fd].dropped)
			forget_if_closed(fd);
	}
	rebuild = wait_set_broken;
	wait_set_broken = true; /* should something be thrown */
	for (int fd = 0; fd < sockets_size && !rebuild; fd++)
	{
		SocketState *s = &sockets[fd];

		if (s->wanted == 0 || s->wanted == s->waited)
			continue;
		if (s->waited != 0)
			ModifyWaitEvent(wait_set, s->position, s->wanted, NULL);
		else if (wait_set_used < wait_set_size)
		{
			s->position = AddWaitEventToSet(wait_set, s->wanted, fd, NULL,
											NULL);
			wait_set_used++;
		}
		else
			rebuild = true;
		s->waited = s->wanted;
	}
	if (rebuild)
		rebuild_wait_set();
	wait_set_broken = false;
	sockets_changed = false;
}

int
jibit_sockets_wait(long timeout_ms, uint32 wait_event, JibitReadySocket *ready,
				   bool *latch_set)
{
	static uint32 call_event = 0;
	WaitEvent events[JIBIT_READY_MAX];
	int nevents;
	int nready = 0;

	*latch_set = false;
	sync_wait_set();
	nevents = WaitEventSetWait(
		wait_set, timeout_ms, events, JIBIT_READY_MAX,
		wait_event != 0 ? wait_event
						: jibit_wait_event(&call_event, "JibitCall"));
	for (int i = 0; i < nevents; i++)
	{
		pgsocket fd = events[i].fd;

		if (events[i].events & WL_LATCH_SET)
			*latch_set = true;
		else if (fd == PGINVALID_SOCKET)
			continue;
		else if (sockets[fd].wanted == 0)
			wait_set_broken = true;
		else
			ready[nready++] = (JibitReadySocket){fd, events[i].events};
	}
	return nready;
}
