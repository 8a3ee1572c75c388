/*
 * request.h
 *		One request as it arrived, whatever carried it.
 *
 * http.c fills it in; everything else only reads it.  All pointers belong to
 * the HTTP library, or to http.c, and live until the answer is delivered.
 */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any operation has; the rest is only noticed. */
#define REQUEST_MAX_PARAMS 32
/* No documented value comes near; a longer one is a client's mistake. */
#define REQUEST_MAX_VALUE 200
/* A pair of tokens is about 500 bytes. */
#define REQUEST_MAX_BODY (64 * 1024)
/* "at most 50 characters", says the document. */
#define REQUEST_MAX_TRACK_ID 50

typedef struct Param
{
	const char *name;
	const char *value;
	size_t length; /* of value, which may hold NULs */
} Param;

typedef struct Request
{
	const char *method;
	const char *path; /* below the base path, or all of it: */
	bool outside;	  /* it does not start with the base path */
	Param params[REQUEST_MAX_PARAMS];
	int nparams;
	bool too_many_params;
	/* headers, NULL where absent */
	const char *authorization;
	const char *content_type;
	const char *user_agent;
	const char *track_id;
	const char *fault;
	const char *delay;
	/* the body, NULL where absent */
	char *body;
	size_t body_length;
	bool body_too_large;
} Request;

extern const char *request_param(const Request *request, const char *name);
extern const char *request_bearer(const Request *request);
extern uint64_t request_hash(const Request *request);

#endif
