/*
 * options.c
 *		The command line.
 *
 * Whatever is only asked for, or wrong, ends the program here.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "magic.h"
#include "options.h"

#define PROGRAM "jibit-sandbox"
#define MAX_THREADS 64
#define MAX_BASE_PATH 200

enum
{
	OPT_PORT = 256,
	OPT_HOST,
	OPT_BASE_PATH,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_API_KEY,
	OPT_SECRET_KEY,
	OPT_TOKEN_TTL,
	OPT_REFRESH_TTL,
	OPT_DELAY_MS,
	OPT_DAILY_LIMIT,
	OPT_OPAQUE_TOKENS,
	OPT_THREADS,
	OPT_LOG,
	OPT_EXIT_WITH_PARENT,
	OPT_MAGIC,
	OPT_FAULTS,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, OPT_PORT},
	{"host", required_argument, NULL, OPT_HOST},
	{"base-path", required_argument, NULL, OPT_BASE_PATH},
	{"tls-cert", required_argument, NULL, OPT_TLS_CERT},
	{"tls-key", required_argument, NULL, OPT_TLS_KEY},
	{"api-key", required_argument, NULL, OPT_API_KEY},
	{"secret-key", required_argument, NULL, OPT_SECRET_KEY},
	{"token-ttl", required_argument, NULL, OPT_TOKEN_TTL},
	{"refresh-ttl", required_argument, NULL, OPT_REFRESH_TTL},
	{"delay-ms", required_argument, NULL, OPT_DELAY_MS},
	{"daily-limit", required_argument, NULL, OPT_DAILY_LIMIT},
	{"opaque-tokens", no_argument, NULL, OPT_OPAQUE_TOKENS},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"log", required_argument, NULL, OPT_LOG},
	{"exit-with-parent", no_argument, NULL, OPT_EXIT_WITH_PARENT},
	{"magic", no_argument, NULL, OPT_MAGIC},
	{"faults", no_argument, NULL, OPT_FAULTS},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void fail(const char *what, const char *value)
	__attribute__((noreturn));

static void
fail(const char *what, const char *value)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", what, value);
	fprintf(stderr, "Try \"" PROGRAM " --help\".\n");
	exit(2);
}

static long
read_number(const char *what, const char *text, long min, long max)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < min ||
		number > max)
		fail(what, text);
	return number;
}

static void
read_key(const char *what, const char *text, char *to)
{
	if (*text == '\0' || strlen(text) >= SETTINGS_KEY_SIZE)
		fail(what, "empty or too long");
	strcpy(to, text);
}

/* Prints what the arguments after --magic ask for, and ends. */
static void
print_magic(int argc, char **argv)
{
	const Fault *fault;
	char value[MAGIC_SIZE];

	if (argc < 2 || argc > 3)
		fail("--magic", "needs KIND FAULT [VARIANT]");
	fault = fault_by_name(argv[1]);
	if (fault == NULL)
		fail("no such fault", argv[1]);
	if (!magic_value(argv[0], fault,
					 argc < 3 ? 0 : read_number("variant", argv[2], 0, 999),
					 value))
		fail("no such kind", argv[0]);
	puts(value);
	exit(0);
}

static void
set_defaults(Options *options)
{
	memset(options, 0, sizeof(*options));
	options->host = "127.0.0.1";
	options->port = "0";
	options->base_path = "/ide";
	options->threads = 1;
	settings_defaults(&options->settings);
}

static void
check(Options *options)
{
	const char *path = options->base_path;

	read_number("--port", options->port, 0, 65535);
	if ((options->tls_cert == NULL) != (options->tls_key == NULL))
		fail("--tls-cert and --tls-key", "one is missing");
	if (strcmp(path, "/") == 0)
		options->base_path = "";
	else if (strlen(path) > MAX_BASE_PATH ||
			 (*path != '\0' &&
			  (*path != '/' || path[strlen(path) - 1] == '/')))
		fail("--base-path", path);
}

void
options_read(int argc, char **argv, Options *options)
{
	Settings *settings = &options->settings;
	int option;

	set_defaults(options);
	while ((option = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
	{
		switch (option)
		{
			case OPT_PORT:
				options->port = optarg;
				break;
			case OPT_HOST:
				options->host = optarg;
				break;
			case OPT_BASE_PATH:
				options->base_path = optarg;
				break;
			case OPT_TLS_CERT:
				options->tls_cert = optarg;
				break;
			case OPT_TLS_KEY:
				options->tls_key = optarg;
				break;
			case OPT_API_KEY:
				read_key("--api-key", optarg, settings->api_key);
				break;
			case OPT_SECRET_KEY:
				read_key("--secret-key", optarg, settings->secret_key);
				break;
			case OPT_TOKEN_TTL:
				settings->token_ttl = read_number("--token-ttl", optarg, 0,
												  SETTINGS_MAX_TTL);
				break;
			case OPT_REFRESH_TTL:
				settings->refresh_ttl = read_number("--refresh-ttl", optarg, 0,
													SETTINGS_MAX_TTL);
				break;
			case OPT_DELAY_MS:
				settings->delay_ms = read_number("--delay-ms", optarg, 0,
												 SETTINGS_MAX_DELAY_MS);
				break;
			case OPT_DAILY_LIMIT:
				settings->daily_limit = read_number("--daily-limit", optarg, 0,
													SETTINGS_MAX_TTL);
				break;
			case OPT_OPAQUE_TOKENS:
				settings->opaque_tokens = 1;
				break;
			case OPT_THREADS:
				options->threads = read_number("--threads", optarg, 1,
											   MAX_THREADS);
				break;
			case OPT_LOG:
				options->log = optarg;
				break;
			case OPT_EXIT_WITH_PARENT:
				options->exit_with_parent = true;
				break;
			case OPT_MAGIC:
				print_magic(argc - optind, argv + optind);
				break;
			case OPT_FAULTS:
				help_print_faults();
				exit(0);
			case OPT_HELP:
				help_print();
				exit(0);
			default:
				fprintf(stderr, "Try \"" PROGRAM " --help\".\n");
				exit(2);
		}
	}
	if (optind < argc)
		fail("not an option", argv[optind]);
	check(options);
}
