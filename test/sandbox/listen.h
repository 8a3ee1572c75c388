/*
 * listen.h
 *		The socket that the server listens on.
 */
#ifndef SANDBOX_LISTEN_H
#define SANDBOX_LISTEN_H

#include <stdbool.h>

/* Long enough for any address and a sensible base path. */
#define LISTEN_URL_SIZE 512

extern unsigned listen_max_connections(void);
extern int listen_open(const char *host, const char *port);
extern bool listen_url(int fd, bool tls, const char *base_path, char *url);

#endif
