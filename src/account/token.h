/*
 * Access tokens, shared by all sessions.
 */
#ifndef JIBIT_TOKEN_H
#define JIBIT_TOKEN_H

#include "account/credentials.h"
#include "account/policy.h"
#include "base/errors.h"
#include "datatype/timestamp.h"
#include "net/request.h"

typedef struct JibitToken
{
	uint64 generation; /* tells this pair from a later one */
	char text[JIBIT_TOKEN_MAX + 1];
} JibitToken;

#define JIBIT_TOKEN_TRANCHE "jibit tokens"

extern Size jibit_token_shmem_size(void);
extern void jibit_token_shmem_init(void);

/*
 * How a caller stands who needs a token.  Nothing here waits: who has to asks
 * again, when the latch was set or at last after JIBIT_TOKEN_ASK_MS.
 */
typedef enum JibitTokenAnswer
{
	JIBIT_TOKEN_GIVEN,	 /* *token is filled */
	JIBIT_TOKEN_FAILED,	 /* *error is */
	JIBIT_TOKEN_AWAITED, /* another attempt to get one is under way */
	JIBIT_TOKEN_CLAIMED	 /* it is the caller's to get: *fetch */
} JibitTokenAnswer;

#define JIBIT_TOKEN_ASK_MS 100

/* The attempt that a caller waits for; zeroed before it first asks. */
typedef struct JibitTokenWait
{
	struct TokenSlot *slot;
	uint64 attempts;
} JibitTokenWait;

/*
 * An attempt to get a pair of tokens: requests that the caller sends and waits
 * for.  The others wait for it, or go on with the old token while it is good.
 */
typedef struct JibitTokenFetch JibitTokenFetch;

/*
 * Asks for a token of the policy's account.  A fetch is allocated in the
 * current context, has until deadline_us (of jibit_drive_now()), or a share
 * of that where the old token still serves, and must be ended.  Throws on lack
 * of memory or of room for accounts.
 */
extern JibitTokenAnswer
jibit_token_ask(JibitTokenWait *wait, const JibitPolicy *policy,
				const char *track_id, int64 deadline_us, JibitToken *token,
				JibitError *error, JibitTokenFetch **fetch);

/* No caller of this process waits for another attempt any more. */
extern void jibit_token_stop_waiting(void);

/* What is to be sent next; good for jibit_http_start(). */
extern JibitHttpRequest *jibit_token_fetch_request(JibitTokenFetch *fetch);

/*
 * Takes the outcome of the request.  Returns after how many milliseconds the
 * next one is to be sent, or -1: then the attempt has ended and all who wait
 * for it know.
 */
extern long jibit_token_fetch_take(JibitTokenFetch *fetch);

/*
 * How it has ended, for the caller himself: with a token, which may be the old
 * one that still serves, or else (false) with an error.
 */
extern bool jibit_token_fetch_result(const JibitTokenFetch *fetch,
									 JibitToken *token, JibitError *error);

/*
 * Frees it.  One that has not ended is given up, and another session may take
 * over: its request must be in no group any more.
 */
extern void jibit_token_fetch_end(JibitTokenFetch *fetch);

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
