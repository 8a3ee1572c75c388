/*
 * The configuration parameters.
 */
#ifndef JIBIT_CONFIG_H
#define JIBIT_CONFIG_H

#include "base/inquiryids.h"
#include "base/limits.h"
#include "utils/guc.h"

typedef enum JibitOnError
{
	JIBIT_ON_ERROR_ERROR,
	JIBIT_ON_ERROR_WARNING
} JibitOnError;

typedef enum JibitLogCalls
{
	JIBIT_LOG_CALLS_OFF,
	JIBIT_LOG_CALLS_ERRORS,
	JIBIT_LOG_CALLS_ALL
} JibitLogCalls;

extern char *jibit_credentials_table; /* '' is the extension's own */
extern char *jibit_profile;
extern int jibit_timeout_ms;
extern int jibit_connect_timeout_ms;
extern int jibit_max_retries;
extern bool jibit_validate;
extern int jibit_on_error;		   /* JibitOnError */
extern char *jibit_track_id;	   /* '': a UUID for each call */
extern char *jibit_ca_file;		   /* '': the system's */
extern char *jibit_proxy;		   /* '': none */
extern char *jibit_source_address; /* '': any */
extern bool jibit_allow_http;

/*
 * Grows whenever one of these three or jibit.ca_file gets a value, so that a
 * kept handle can tell whether it was set up with the present ones.  Never 0.
 */
extern uint64 jibit_transport_settings;

extern int jibit_batch_concurrency;
extern int jibit_max_in_flight;
extern bool jibit_statement_cache;
extern int jibit_cache_ttl_ms;
extern int jibit_cache_size_kb;
extern int jibit_breaker_threshold; /* 0: never opens */
extern int jibit_breaker_cooldown_ms;
extern int jibit_max_calls_per_statement; /* 0: no limit */
extern int jibit_log_calls;				  /* JibitLogCalls */
extern char *jibit_worker_databases;	  /* names, separated by commas */
extern int jibit_worker_concurrency;
extern int jibit_request_retention_s;
extern int jibit_request_max_attempts;

/* Of each inquiry, by its number: -1 for the general one, or for none. */
extern int jibit_cache_ttl_of[JIBIT_INQUIRY_NUMBERS];
extern int jibit_daily_limit_of[JIBIT_INQUIRY_NUMBERS];

/*
 * What the server's files or the database say, whatever the session has set
 * since: for triggers, which a session must not weaken.  A session whose client
 * or role overrides a value does not notice a line that goes from the files.
 */
typedef struct JibitServerSettings
{
	char profile[JIBIT_PROFILE_MAX + 1];
	int timeout_ms;
	int connect_timeout_ms;
	int max_retries;
	int cache_ttl_ms;
	int cache_ttl_of[JIBIT_INQUIRY_NUMBERS];
} JibitServerSettings;

extern JibitServerSettings jibit_server_settings;

/*
 * Called in every process when jibit.ca_file gets a value, also when a
 * reload brings the same one again.  Must not throw.  Set by the composition
 * root, since this file knows nothing of TLS.
 */
extern void (*jibit_ca_file_hook)(const char *value);

/* Defines the parameters; from _PG_init. */
extern void jibit_config_init(void);

#endif /* JIBIT_CONFIG_H */
