/*
 * By which settings calls are made: the session's, or the server's.
 */
#ifndef JIBIT_POLICY_H
#define JIBIT_POLICY_H

#include "account/credentials.h"
#include "base/errors.h"

typedef struct JibitPolicy
{
	const char *profile;		   /* in the database's encoding */
	JibitCredentials *credentials; /* NULL: read when first needed */
	bool validate;
	int timeout_ms;
	int connect_timeout_ms;
	int max_retries;
	bool of_server;		 /* cached answers as old as the server allows */
	bool wait_suspended; /* wait for a suspended service, within the timeout */
	bool timed_from_place; /* the timeout begins with the first place */
} JibitPolicy;

extern JibitPolicy jibit_session_policy(void);

/*
 * For what a session must not weaken: the server's settings, with a longer
 * timeout where the session has one.  profile NULL is the server's.
 */
extern JibitPolicy jibit_server_policy(const char *profile);

/*
 * Does a failure say something of the service?  What this side has not set up
 * (JB011) does not; nor does a timeout that is shorter than the server's, which
 * any user can set: neither counts for the breaker, which is everyone's.
 */
extern bool jibit_policy_blames_service(const JibitPolicy *policy,
										const JibitError *error);

/*
 * Are shared answers that this policy takes none that a trigger would not, as
 * too old for the server's?
 */
extern bool jibit_policy_cache_is_strict(const JibitPolicy *policy,
										 int inquiry);

/* How old a shared answer to an inquiry may be, in ms; 0: there are none. */
extern int64 jibit_policy_cache_ttl(const JibitPolicy *policy, int inquiry);

#endif /* JIBIT_POLICY_H */
