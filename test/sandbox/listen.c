/*
 * listen.c
 *		The socket that the server listens on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"

/* A burst of a thousand clients must not wait for a SYN's repetition. */
#define BACKLOG 4096
#define MAX_CONNECTIONS 16384
/* File descriptors for everything that is no connection. */
#define SPARE_FILES 64

/*
 * How many connections there may be at a time.  The soft limit of open files
 * is made to suit a shell; it is raised to the hard one, which is what is
 * allowed.
 */
unsigned
listen_max_connections(void)
{
	struct rlimit limit;
	rlim_t connections;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 512;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	connections = limit.rlim_cur > 2 * SPARE_FILES
					  ? limit.rlim_cur - SPARE_FILES
					  : limit.rlim_cur / 2;
	return connections > MAX_CONNECTIONS ? MAX_CONNECTIONS
										 : (unsigned) connections;
}

/* A socket that listens, or -1 with the reason on stderr. */
int
listen_open(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *address;
	int on = 1;
	int error = getaddrinfo(host, port, &hints, &address);
	int fd;

	if (error != 0)
	{
		fprintf(stderr, "jibit-sandbox: %s: %s\n", host, gai_strerror(error));
		return -1;
	}
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				0);
	if (fd >= 0)
	{
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		/* The sockets that it accepts have this from it. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	if (fd < 0 || bind(fd, address->ai_addr, address->ai_addrlen) != 0 ||
		listen(fd, BACKLOG) != 0)
	{
		fprintf(stderr, "jibit-sandbox: %s port %s: %s\n", host, port,
				strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(address);
	return fd;
}

/* Writes where clients find it, up to the end of the base path. */
bool
listen_url(int fd, bool tls, const char *base_path, char *url)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[INET6_ADDRSTRLEN + 1];
	char port[8];

	if (getsockname(fd, (struct sockaddr *) &address, &length) != 0 ||
		getnameinfo((struct sockaddr *) &address, length, host, sizeof(host),
					port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	snprintf(url, LISTEN_URL_SIZE,
			 strchr(host, ':') == NULL ? "%s://%s:%s%s" : "%s://[%s]:%s%s",
			 tls ? "https" : "http", host, port, base_path);
	return true;
}
