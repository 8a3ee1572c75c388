/*
 * settings.h
 *		How the sandbox behaves; may change while it runs.
 */
#ifndef SANDBOX_SETTINGS_H
#define SANDBOX_SETTINGS_H

#include <json-c/json.h>

#include "faults.h"
#include "operations.h"

#define SETTINGS_KEY_SIZE 201
/* A day: longer is a mistake. */
#define SETTINGS_MAX_DELAY_MS 86400000L
/* Some thirty years; and no overflow in sums with the time. */
#define SETTINGS_MAX_TTL 1000000000L

typedef struct Settings
{
	char api_key[SETTINGS_KEY_SIZE];
	char secret_key[SETTINGS_KEY_SIZE];
	long delay_ms; /* of inquiries */
	long token_delay_ms;
	long token_ttl;
	long refresh_ttl;
	long daily_limit; /* 0: none */
	long opaque_tokens;
	long echo_token;
	long refuse_refresh;
	long keep_alive;
	const Fault *token_fault; /* NULL: none */
	const Fault *fault;
	long fault_count;				  /* 0: every one */
	const Operation *fault_operation; /* NULL: any */
} Settings;

/* What the settings say about one request. */
typedef struct Orders
{
	const Fault *fault;
	long delay_ms;
	long daily_limit;
	bool echo_token;
	bool keep_alive;
} Orders;

extern void settings_defaults(Settings *settings);
extern void settings_start(const Settings *settings);
extern void settings_reset(void);
extern void settings_get(Settings *settings);
extern Orders settings_orders(const Operation *operation, bool token,
							  bool take_fault);
extern const char *settings_set(const Request *request);
extern bool settings_has_key(const char *text);
extern json_object *settings_json(void);

#endif
