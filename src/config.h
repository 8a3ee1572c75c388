/*-------------------------------------------------------------------------
 *
 * config.h
 *	  The configuration parameters.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_CONFIG_H
#define JIBIT_CONFIG_H

typedef enum JibitOnError
{
	JIBIT_ON_ERROR_ERROR,
	JIBIT_ON_ERROR_WARNING
} JibitOnError;

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
 * Called in every process when jibit.ca_file gets a value, also when a
 * reload brings the same one again.  Must not throw.  Set by the composition
 * root, since this file knows nothing of TLS.
 */
extern void (*jibit_ca_file_hook)(const char *value);

/* Defines the parameters; from _PG_init. */
extern void jibit_config_init(void);

#endif /* JIBIT_CONFIG_H */
