/*
 * tokens.h
 *		The pairs of tokens that were given out.
 */
#ifndef SANDBOX_TOKENS_H
#define SANDBOX_TOKENS_H

#include <stdbool.h>

#define TOKEN_SIZE 320

typedef struct TokenPair
{
	char access[TOKEN_SIZE];
	char refresh[TOKEN_SIZE];
} TokenPair;

extern void tokens_issue(long access_ttl, long refresh_ttl, bool opaque,
						 TokenPair *pair);
extern bool tokens_valid(const char *access);
extern const char *tokens_take(const char *access, const char *refresh);
extern void tokens_revoke(bool refresh_too);
extern bool tokens_like(const char *text);
extern void tokens_free(void);

#endif
