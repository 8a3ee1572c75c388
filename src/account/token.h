/*-------------------------------------------------------------------------
 *
 * token.h
 *	  Access tokens, shared by all sessions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_TOKEN_H
#define JIBIT_TOKEN_H

#include "account/credentials.h"
#include "account/policy.h"
#include "base/errors.h"
#include "datatype/timestamp.h"

typedef struct JibitToken
{
	uint64 generation; /* tells this pair from a later one */
	char text[JIBIT_TOKEN_MAX + 1];
} JibitToken;

#define JIBIT_TOKEN_TRANCHE "jibit tokens"

extern Size jibit_token_shmem_size(void);
extern void jibit_token_shmem_init(void);

/*
 * Gets a token for the credentials: the shared one, or a new one, for which
 * this session asks the service while the others wait.  Returns false with
 * *error filled.  deadline_us is of jibit_now_us(); track_id goes with the
 * token calls.  Serves interrupts while it waits.
 */
extern bool jibit_token_get(const JibitCredentials *credentials,
							const JibitPolicy *policy, const char *track_id,
							int64 deadline_us, JibitToken *token,
							JibitError *error);

/* The service refused this token: nobody uses it again. */
extern void jibit_token_invalidate(const JibitCredentials *credentials,
								   uint64 generation);

/* Drops all tokens and remembered refusals of this database. */
extern void jibit_token_forget(void);

/* What may be shown of a pair of tokens. */
typedef struct JibitTokenStatus
{
	char profile[JIBIT_PROFILE_MAX + 1];
	const char *state;
	TimestampTz obtained_at; /* these three 0 without a token */
	TimestampTz expires_at;
	TimestampTz refresh_expires_at;
	char last_error[JIBIT_CODE_SIZE]; /* empty for none */
} JibitTokenStatus;

/* This database's pairs, palloc'd. */
extern JibitTokenStatus *jibit_token_status(int *count);

#endif /* JIBIT_TOKEN_H */
