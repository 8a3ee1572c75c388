/*-------------------------------------------------------------------------
 *
 * config.h
 *	  The configuration parameters.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_CONFIG_H
#define JIBIT_CONFIG_H

#include "jibit.h"

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
extern int jibit_batch_concurrency;
extern int jibit_max_in_flight;
extern bool jibit_statement_cache;
extern int jibit_cache_ttl_ms;
extern int jibit_cache_size_kb;
extern int jibit_breaker_threshold; /* 0: never opens */
extern int jibit_breaker_cooldown_ms;
extern int jibit_max_calls_per_statement; /* 0: no limit */
extern int jibit_log_calls;				  /* JibitLogCalls */

/* Of each inquiry, by its number: -1 for the general one, or for none. */
extern int jibit_cache_ttl_of[JIBIT_MAX_INQUIRIES];
extern int jibit_daily_limit_of[JIBIT_MAX_INQUIRIES];

/*
 * Called in every process when jibit.ca_file gets a value, also when a
 * reload brings the same one again.  Must not throw.  Set by the composition
 * root, since this file knows nothing of TLS.
 */
extern void (*jibit_ca_file_hook)(const char *value);

/*
 * Defines the parameters; from _PG_init.  The names are the inquiries', which
 * have parameters of their own.
 */
extern void jibit_config_init(const char *const *inquiries, int ninquiries);

#endif /* JIBIT_CONFIG_H */
