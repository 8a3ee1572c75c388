/*
 * tokens.c
 *		The pairs of tokens that were given out.
 *
 * A token is looked up, not verified: its signature only has to look like
 * one.  Beyond TOKENS_KEPT pairs the oldest is forgotten, and so unknown.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data.h"
#include "random.h"
#include "tokens.h"

/* A power of two; 10 MB when full. */
#define TOKENS_KEPT 16384
/* What no other text in a request starts with. */
#define JWT_PREFIX "eyJ"
#define OPAQUE_PREFIX "sot_"
#define OPAQUE_DIGITS 48
/* As long as HMAC-SHA-512 is. */
#define SIGNATURE_WORDS 8

typedef struct Issued
{
	TokenPair pair;
	uint64_t hash;			/* of the access token */
	int64_t access_expires; /* in milliseconds */
	int64_t refresh_expires;
	bool access_revoked;
	bool refresh_revoked; /* or used */
	struct Issued *next;  /* in its bucket */
} Issued;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Issued *buckets[TOKENS_KEPT];
static Issued *ring[TOKENS_KEPT]; /* in the order of issue */
static size_t issued_count;

/*
 * Milliseconds: with whole seconds, a token of a short life would live up to
 * a second less than its test expects.
 */
static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t) time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Writes base64url without padding and a NUL; returns the length. */
static size_t
base64url(const void *data, size_t length, char *to)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
								   "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *bytes = data;
	char *at = to;
	unsigned bits = 0;
	int nbits = 0;

	for (size_t i = 0; i < length; i++)
	{
		bits = bits << 8 | bytes[i];
		for (nbits += 8; nbits >= 6; nbits -= 6)
			*at++ = alphabet[bits >> (nbits - 6) & 63];
	}
	if (nbits > 0)
		*at++ = alphabet[bits << (6 - nbits) & 63];
	*at = '\0';
	return (size_t) (at - to);
}

static void
write_jwt(const char *type, const char *id, int64_t expires, char *to)
{
	static const char header[] = "{\"alg\":\"HS512\"}";
	uint64_t signature[SIGNATURE_WORDS];
	char payload[160];
	char *at = to;

	snprintf(payload, sizeof(payload),
			 "{\"jti\":\"%s\",\"sub\":\"sandbox\",\"typ\":\"%s\","
			 "\"exp\":%lld}",
			 id, type, (long long) (expires / 1000));
	at += base64url(header, strlen(header), at);
	*at++ = '.';
	at += base64url(payload, strlen(payload), at);
	signature[0] = data_hash("signature", to);
	for (int i = 1; i < SIGNATURE_WORDS; i++)
		signature[i] = signature[i - 1] * UINT64_C(0x9E3779B97F4A7C15) ^
					   signature[0];
	*at++ = '.';
	base64url(signature, sizeof(signature), at);
}

static void
write_opaque(char *to)
{
	strcpy(to, OPAQUE_PREFIX);
	random_hex(to + strlen(OPAQUE_PREFIX), OPAQUE_DIGITS);
}

/* Call with the lock held. */
static Issued *
find(const char *access)
{
	uint64_t hash = data_hash("token", access);
	Issued *issued = buckets[hash % TOKENS_KEPT];

	while (issued != NULL &&
		   (issued->hash != hash || strcmp(issued->pair.access, access) != 0))
		issued = issued->next;
	return issued;
}

/* Call with the lock held. */
static void
forget(Issued *issued)
{
	Issued **link = &buckets[issued->hash % TOKENS_KEPT];

	while (*link != issued)
		link = &(*link)->next;
	*link = issued->next;
	free(issued);
}

/* Both buffers of the pair are filled; lives are in seconds. */
void
tokens_issue(long access_ttl, long refresh_ttl, bool opaque, TokenPair *pair)
{
	Issued *issued = calloc(1, sizeof(*issued));
	int64_t issued_at = now();
	Issued **slot;
	char id[17];

	if (issued == NULL)
		abort();
	issued->access_expires = issued_at + access_ttl * INT64_C(1000);
	issued->refresh_expires = issued_at + refresh_ttl * INT64_C(1000);
	if (opaque)
	{
		write_opaque(issued->pair.access);
		write_opaque(issued->pair.refresh);
	}
	else
	{
		random_hex(id, sizeof(id) - 1);
		write_jwt("access", id, issued->access_expires, issued->pair.access);
		write_jwt("refresh", id, issued->refresh_expires,
				  issued->pair.refresh);
	}
	issued->hash = data_hash("token", issued->pair.access);
	*pair = issued->pair;

	pthread_mutex_lock(&lock);
	slot = &ring[issued_count++ % TOKENS_KEPT];
	if (*slot != NULL)
		forget(*slot);
	*slot = issued;
	issued->next = buckets[issued->hash % TOKENS_KEPT];
	buckets[issued->hash % TOKENS_KEPT] = issued;
	pthread_mutex_unlock(&lock);
}

/* Known, not revoked, not expired. */
bool
tokens_valid(const char *access)
{
	const Issued *issued;
	bool valid;

	pthread_mutex_lock(&lock);
	issued = find(access);
	valid = issued != NULL && !issued->access_revoked &&
			now() < issued->access_expires;
	pthread_mutex_unlock(&lock);
	return valid;
}

/*
 * Uses the refresh token up.  NULL where that is right, else the error's code.
 * The access token may be expired or revoked.
 */
const char *
tokens_take(const char *access, const char *refresh)
{
	Issued *issued;
	const char *code = NULL;

	pthread_mutex_lock(&lock);
	issued = find(access);
	if (issued == NULL || strcmp(issued->pair.refresh, refresh) != 0)
		code = "invalid.tokens_pair";
	else if (issued->refresh_revoked || now() >= issued->refresh_expires)
		code = "refreshToken.not_valid";
	else
		issued->refresh_revoked = true;
	pthread_mutex_unlock(&lock);
	return code;
}

void
tokens_revoke(bool refresh_too)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < TOKENS_KEPT && ring[i] != NULL; i++)
	{
		ring[i]->access_revoked = true;
		if (refresh_too)
			ring[i]->refresh_revoked = true;
	}
	pthread_mutex_unlock(&lock);
}

/* Does the text have in it what looks like one of these tokens? */
bool
tokens_like(const char *text)
{
	return strstr(text, JWT_PREFIX) != NULL ||
		   strstr(text, OPAQUE_PREFIX) != NULL;
}

void
tokens_free(void)
{
	for (size_t i = 0; i < TOKENS_KEPT && ring[i] != NULL; i++)
		free(ring[i]);
}
