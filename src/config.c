/*-------------------------------------------------------------------------
 *
 * config.c
 *	  The configuration parameters and their check hooks.
 *
 * A check hook refuses what can never be right.  What depends on the outside
 * (does the file exist, does the table) is found out at the call, so that a
 * server starts and a session sets things in any order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <limits.h>

#include "config.h"
#include "jibit.h"
#include "nodes/pg_list.h"
#include "utils/guc.h"
#include "utils/varlena.h"

char *jibit_credentials_table;
char *jibit_profile;
int jibit_timeout_ms;
int jibit_connect_timeout_ms;
int jibit_max_retries;
bool jibit_validate;
int jibit_on_error;
char *jibit_track_id;
char *jibit_ca_file;
char *jibit_proxy;
char *jibit_source_address;
bool jibit_allow_http;

void (*jibit_ca_file_hook)(const char *value);

static const struct config_enum_entry on_error_options[] = {
	{"error", JIBIT_ON_ERROR_ERROR, false},
	{"warning", JIBIT_ON_ERROR_WARNING, false},
	{NULL, 0, false}};

/* A longest pause that still fits in an int of milliseconds with room. */
#define TIMEOUT_MAX_MS (60 * 60 * 1000)

/*
 * The name must have a schema: an unqualified one would be looked up along
 * somebody's search_path, and the table holds secrets.
 */
static bool
check_credentials_table(char **newval, void **extra, GucSource source)
{
	char *name;
	List *parts = NIL;
	bool ok;

	if (**newval == '\0')
		return true;

	name = pstrdup(*newval);
	ok = SplitIdentifierString(name, '.', &parts) && list_length(parts) == 2;
	list_free(parts);
	pfree(name);
	if (!ok)
		GUC_check_errdetail("Give the table or view as schema.name.");
	return ok;
}

static bool
check_profile(char **newval, void **extra, GucSource source)
{
	size_t length = strlen(*newval);

	if (length == 0 || length > JIBIT_PROFILE_MAX)
	{
		GUC_check_errdetail("A profile's name has 1 to %d bytes.",
							JIBIT_PROFILE_MAX);
		return false;
	}
	return true;
}

/* It is sent as a header's value: no control characters, no edge blanks. */
static bool
check_track_id(char **newval, void **extra, GucSource source)
{
	const char *value = *newval;
	size_t length = strlen(value);

	for (const char *p = value; *p; p++)
	{
		if (*p < ' ' || *p > '~')
			length = SIZE_MAX;
	}
	if (length > JIBIT_TRACK_ID_MAX ||
		(length > 0 && (value[0] == ' ' || value[length - 1] == ' ')))
	{
		GUC_check_errdetail(
			"A track id has at most %d printable ASCII characters, with no blank at either end.",
			JIBIT_TRACK_ID_MAX);
		return false;
	}
	return true;
}

static bool
check_source_address(char **newval, void **extra, GucSource source)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (**newval == '\0' || inet_pton(AF_INET, *newval, address) == 1 ||
		inet_pton(AF_INET6, *newval, address) == 1)
		return true;
	GUC_check_errdetail("Give one IPv4 or IPv6 address of this host.");
	return false;
}

/* No blanks or control characters: the value becomes part of a URL. */
static bool
check_proxy(char **newval, void **extra, GucSource source)
{
	for (const unsigned char *p = (unsigned char *) *newval; *p; p++)
	{
		if (*p <= ' ' || *p == 0x7f)
		{
			GUC_check_errdetail("A proxy's URL has no blanks.");
			return false;
		}
	}
	return true;
}

static void
assign_ca_file(const char *newval, void *extra)
{
	if (jibit_ca_file_hook)
		jibit_ca_file_hook(newval);
}

void
jibit_config_init(void)
{
	DefineCustomStringVariable(
		"jibit.credentials_table", "Table or view with the API's credentials.",
		"Empty for the extension's own jibit_credentials. Must name its schema.",
		&jibit_credentials_table, "", PGC_SUSET, 0, check_credentials_table,
		NULL, NULL);
	DefineCustomStringVariable(
		"jibit.profile", "Row of the credentials table that inquiries use.",
		NULL, &jibit_profile, "default", PGC_USERSET, 0, check_profile, NULL,
		NULL);
	DefineCustomIntVariable(
		"jibit.timeout",
		"Longest time for one inquiry, with its retries and waits.", NULL,
		&jibit_timeout_ms, 30000, 1, TIMEOUT_MAX_MS, PGC_USERSET, GUC_UNIT_MS,
		NULL, NULL, NULL);
	DefineCustomIntVariable("jibit.connect_timeout",
							"Longest time for opening a connection.", NULL,
							&jibit_connect_timeout_ms, 5000, 1, TIMEOUT_MAX_MS,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.max_retries",
		"How often a call that failed by itself is repeated.",
		"Failures to connect and of the service are repeated, refusals and timeouts are not.",
		&jibit_max_retries, 2, 0, 10, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"jibit.validate",
		"Refuse arguments that are plainly wrong without a call.", NULL,
		&jibit_validate, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable(
		"jibit.on_error",
		"What the API's verdict on an inquiry does: an error, or a warning and NULL.",
		"Concerns SQLSTATEs JB001 to JB005; everything else is always an error.",
		&jibit_on_error, JIBIT_ON_ERROR_ERROR, on_error_options, PGC_USERSET,
		0, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"jibit.track_id", "Track id sent with the calls.",
		"Empty for a UUID for each call.", &jibit_track_id, "", PGC_USERSET, 0,
		check_track_id, NULL, NULL);
	DefineCustomStringVariable(
		"jibit.ca_file",
		"File with the certificate authorities that are trusted.",
		"Empty for the system's.", &jibit_ca_file, "", PGC_SUSET, 0, NULL,
		assign_ca_file, NULL);
	DefineCustomStringVariable(
		"jibit.proxy", "Proxy for the calls, as a URL.",
		"Empty for none. Proxies of the environment are ignored.",
		&jibit_proxy, "", PGC_SUSET, GUC_SUPERUSER_ONLY, check_proxy, NULL,
		NULL);
	DefineCustomStringVariable(
		"jibit.source_address",
		"Address of this host from which the calls go out.",
		"Empty for the system's choice.", &jibit_source_address, "", PGC_SUSET,
		0, check_source_address, NULL, NULL);
	DefineCustomBoolVariable(
		"jibit.allow_http", "Allow base URLs without TLS.",
		"For a sandbox only: keys and answers are readable on the way.",
		&jibit_allow_http, false, PGC_SUSET, 0, NULL, NULL, NULL);

	/* Last, since it turns away every other name under the prefix. */
	MarkGUCPrefixReserved("jibit");
}
