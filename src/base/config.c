/*
 * The configuration parameters and their check hooks.
 *
 * A check hook refuses what can never be right.  What depends on the outside
 * (does the file exist, does the table) is found out at the call, so that a
 * server starts and a session sets things in any order.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <limits.h>

#include "base/config.h"
#include "base/limits.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/guc.h"
#include "utils/memutils.h"
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
uint64 jibit_transport_settings = 1;
int jibit_batch_concurrency;
int jibit_max_in_flight;
bool jibit_statement_cache;
int jibit_cache_ttl_ms;
int jibit_cache_size_kb;
int jibit_breaker_threshold;
int jibit_breaker_cooldown_ms;
int jibit_max_calls_per_statement;
int jibit_log_calls;
char *jibit_worker_databases;
int jibit_worker_concurrency;
int jibit_request_retention_s;
int jibit_request_max_attempts;
int jibit_cache_ttl_of[JIBIT_INQUIRY_NUMBERS];
int jibit_daily_limit_of[JIBIT_INQUIRY_NUMBERS] = {[JIBIT_INQUIRY_any] = -1};

JibitServerSettings jibit_server_settings;

void (*jibit_ca_file_hook)(const char *value);

static const struct config_enum_entry on_error_options[] = {
	{"error", JIBIT_ON_ERROR_ERROR, false},
	{"warning", JIBIT_ON_ERROR_WARNING, false},
	{NULL, 0, false}};

static const struct config_enum_entry log_calls_options[] = {
	{"off", JIBIT_LOG_CALLS_OFF, false},
	{"errors", JIBIT_LOG_CALLS_ERRORS, false},
	{"all", JIBIT_LOG_CALLS_ALL, false},
	{NULL, 0, false}};

/* No answer of more than a day ago is taken, whatever is set. */
#define CACHE_TTL_MAX_MS (24 * 60 * 60 * 1000)

/* Hash and block numbers of the cache stay far within 32 bits. */
#define CACHE_SIZE_MAX_KB (64 * 1024 * 1024)

/* An hour; in an int of milliseconds there is room for 24 days. */
#define TIMEOUT_MAX_MS (60 * 60 * 1000)

/*
 * Is a check hook's value the server's?  *seen is the source of the latest one
 * that was: the command line and the database count above the files for good.
 *
 * Assign hooks would not do: they are not called for a value of the server's
 * that the client or the role overrides.  Check hooks are, but also for values
 * that are only looked at, by ALTER SYSTEM and pg_file_settings, and for those
 * that a parallel worker copies from its leader.  So the files count only while
 * they are read: by the postmaster, whose values other processes inherit, and
 * by a reload, which is known by the name of its memory context.
 */
static bool
is_of_server(GucSource source, GucSource *seen)
{
	if (source > PGC_S_DATABASE || (*seen > PGC_S_FILE && source < *seen))
		return false;
	if (source <= PGC_S_FILE && IsUnderPostmaster &&
		strcmp(CurrentMemoryContext->name, "config file processing") != 0)
		return false;
	*seen = source;
	return true;
}

/* A hook is not told which parameter it is for: each has its own. */
#define CHECK_HOOK(name, member)                                          \
	static bool check_##name(int *newval, void **extra, GucSource source) \
	{                                                                     \
		static GucSource seen = PGC_S_DEFAULT;                            \
                                                                          \
		if (is_of_server(source, &seen))                                  \
			jibit_server_settings.member = *newval;                       \
		return true;                                                      \
	}
CHECK_HOOK(timeout, timeout_ms)
CHECK_HOOK(connect_timeout, connect_timeout_ms)
CHECK_HOOK(max_retries, max_retries)
CHECK_HOOK(cache_ttl, cache_ttl_ms)
#define CHECK_HOOK_OF(id) \
	CHECK_HOOK(cache_ttl_##id, cache_ttl_of[JIBIT_INQUIRY_##id])
JIBIT_EACH_INQUIRY(CHECK_HOOK_OF)

static const GucIntCheckHook cache_ttl_hooks[JIBIT_INQUIRY_COUNT] = {
#define HOOK(id) check_cache_ttl_##id,
	JIBIT_EACH_INQUIRY(HOOK)
#undef HOOK
};

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
	static GucSource seen = PGC_S_DEFAULT;
	size_t length = strlen(*newval);

	if (length == 0 || length > JIBIT_PROFILE_MAX)
	{
		GUC_check_errdetail("A profile's name has 1 to %d bytes.",
							JIBIT_PROFILE_MAX);
		return false;
	}
	if (is_of_server(source, &seen))
		strlcpy(jibit_server_settings.profile, *newval,
				sizeof(jibit_server_settings.profile));
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

/*
 * No blanks or control characters: the value becomes part of a URL.  A scheme
 * that libcurl does not know would be found out at each call only.
 */
static bool
check_proxy(char **newval, void **extra, GucSource source)
{
	static const char *const schemes[] = {"http",	 "https",  "socks4",
										  "socks4a", "socks5", "socks5h"};
	const char *end = strstr(*newval, "://");
	bool known = end == NULL; /* it is taken for HTTP */

	for (int i = 0; i < lengthof(schemes) && !known; i++)
		known = strlen(schemes[i]) == end - *newval &&
				pg_strncasecmp(*newval, schemes[i], end - *newval) == 0;
	if (!known)
	{
		GUC_check_errdetail(
			"A proxy's URL starts with http, https, socks4, socks4a, socks5 or socks5h.");
		return false;
	}
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

static bool
check_worker_databases(char **newval, void **extra, GucSource source)
{
	char *names = pstrdup(*newval);
	List *list = NIL;
	bool ok = SplitIdentifierString(names, ',', &list);

	list_free(list);
	pfree(names);
	if (!ok)
		GUC_check_errdetail("Give names of databases, separated by commas.");
	return ok;
}

static void
assign_transport_text(const char *newval, void *extra)
{
	jibit_transport_settings++;
}

static void
assign_transport_bool(bool newval, void *extra)
{
	jibit_transport_settings++;
}

static void
assign_ca_file(const char *newval, void *extra)
{
	jibit_transport_settings++;
	if (jibit_ca_file_hook)
		jibit_ca_file_hook(newval);
}

/* The parameters that exist for each inquiry. */
static void
define_for_inquiry(int inquiry)
{
	const char *name = jibit_inquiry_names[inquiry];

	DefineCustomIntVariable(
		psprintf("jibit.cache_ttl_%s", name),
		"How old a shared cached answer to this inquiry may be.",
		"-1 for what jibit.cache_ttl says, 0 for no cached answers.",
		&jibit_cache_ttl_of[inquiry], -1, -1, CACHE_TTL_MAX_MS, PGC_USERSET,
		GUC_UNIT_MS, cache_ttl_hooks[inquiry], NULL, NULL);
	DefineCustomIntVariable(
		psprintf("jibit.daily_limit_%s", name),
		"Successful calls of this inquiry a day in Tehran, over the whole server.",
		"-1 for no limit.", &jibit_daily_limit_of[inquiry], -1, -1, INT_MAX,
		PGC_SIGHUP, 0, NULL, NULL, NULL);
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
		check_timeout, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.connect_timeout", "Longest time for opening a connection.",
		NULL, &jibit_connect_timeout_ms, 5000, 1, TIMEOUT_MAX_MS, PGC_USERSET,
		GUC_UNIT_MS, check_connect_timeout, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.max_retries",
		"How often a call that failed by itself is repeated.",
		"Failures to connect and of the service are repeated, refusals and timeouts are not.",
		&jibit_max_retries, 2, 0, 10, PGC_USERSET, 0, check_max_retries, NULL,
		NULL);
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
		&jibit_proxy, "", PGC_SUSET, GUC_SUPERUSER_ONLY, check_proxy,
		assign_transport_text, NULL);
	DefineCustomStringVariable(
		"jibit.source_address",
		"Address of this host from which the calls go out.",
		"Empty for the system's choice.", &jibit_source_address, "", PGC_SUSET,
		0, check_source_address, assign_transport_text, NULL);
	DefineCustomBoolVariable(
		"jibit.allow_http", "Allow base URLs without TLS.",
		"For a sandbox only: keys and answers are readable on the way.",
		&jibit_allow_http, false, PGC_SUSET, 0, NULL, assign_transport_bool,
		NULL);

	DefineCustomIntVariable("jibit.batch_concurrency",
							"Calls of one batch that are under way at a time.",
							NULL, &jibit_batch_concurrency, 16, 1, 256,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.max_in_flight",
		"Calls that are under way at a time, over all sessions.", NULL,
		&jibit_max_in_flight, 64, 1, 10000, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"jibit.statement_cache",
		"Within one statement equal inquiries cost one call.", NULL,
		&jibit_statement_cache, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("jibit.cache_ttl",
							"How old a shared cached answer may be.",
							"0 for no cached answers.", &jibit_cache_ttl_ms,
							10 * 60 * 1000, 0, CACHE_TTL_MAX_MS, PGC_USERSET,
							GUC_UNIT_MS, check_cache_ttl, NULL, NULL);
	/* Without preloading a start-time parameter would warn in every session. */
	DefineCustomIntVariable(
		"jibit.cache_size", "Shared memory for cached answers.", "0 for none.",
		&jibit_cache_size_kb, 16 * 1024, 0, CACHE_SIZE_MAX_KB,
		process_shared_preload_libraries_in_progress ? PGC_POSTMASTER
													 : PGC_SIGHUP,
		GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.breaker_threshold",
		"Consecutive failures after which calls are suspended.",
		"0 for never.", &jibit_breaker_threshold, 5, 0, 1000000, PGC_SIGHUP, 0,
		NULL, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.breaker_cooldown",
		"How long calls are suspended before one is tried again.", NULL,
		&jibit_breaker_cooldown_ms, 10000, 1, TIMEOUT_MAX_MS, PGC_SIGHUP,
		GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("jibit.max_calls_per_statement",
							"Calls that one statement may make.",
							"0 for no limit. Cached answers do not count.",
							&jibit_max_calls_per_statement, 0, 0, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable(
		"jibit.log_calls", "Which calls leave a line in the server's log.",
		"What was asked is masked.", &jibit_log_calls, JIBIT_LOG_CALLS_OFF,
		log_calls_options, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"jibit.worker_databases",
		"Databases in which a background worker makes queued inquiries.",
		"Names, separated by commas; empty for none.", &jibit_worker_databases,
		"", PGC_SIGHUP, GUC_LIST_INPUT, check_worker_databases, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.worker_concurrency",
		"Calls that each background worker has under way at a time.", NULL,
		&jibit_worker_concurrency, 16, 1, JIBIT_WORKER_CONCURRENCY_MAX,
		PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.request_retention",
		"How long finished requests of the queue are kept.", NULL,
		&jibit_request_retention_s, 7 * 24 * 60 * 60, 0, INT_MAX, PGC_SIGHUP,
		GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"jibit.request_max_attempts",
		"How often a request of the queue is tried before it has failed.",
		NULL, &jibit_request_max_attempts, 10, 1, 1000, PGC_SIGHUP, 0, NULL,
		NULL, NULL);
	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
		define_for_inquiry(i);

	/* Last, since it turns away every other name under the prefix. */
	MarkGUCPrefixReserved("jibit");
}
