/*
 * http.h
 *		The HTTP server.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "options.h"

extern bool http_start(const Options *options);
extern const char *http_base_url(void);
extern void http_stop(void);

#endif
