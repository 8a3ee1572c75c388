/*
 * options.h
 *		The command line.
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdbool.h>

#include "settings.h"

typedef struct Options
{
	const char *host;
	const char *port;
	const char *base_path; /* "" or /…, without a slash at the end */
	const char *tls_cert;  /* files; both or neither */
	const char *tls_key;
	const char *log; /* file, or NULL */
	long threads;
	bool exit_with_parent;
	Settings settings;
} Options;

extern void options_read(int argc, char **argv, Options *options);

#endif
