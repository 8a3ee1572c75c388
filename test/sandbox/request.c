/*
 * request.c
 *		Reading a request.
 */
#include <string.h>
#include <strings.h>

#include "data.h"
#include "request.h"

/* The first value of that name, or NULL. */
const char *
request_param(const Request *request, const char *name)
{
	for (int i = 0; i < request->nparams; i++)
		if (strcmp(request->params[i].name, name) == 0)
			return request->params[i].value;
	return NULL;
}

/* The token of the Authorization header, or NULL where there is none. */
const char *
request_bearer(const Request *request)
{
	const char *token = request->authorization;

	if (token == NULL || strncasecmp(token, "Bearer ", 7) != 0)
		return NULL;
	token += 7;
	while (*token == ' ')
		token++;
	return *token == '\0' ? NULL : token;
}

/* Tells inputs apart: equal for a repetition, whatever its headers. */
uint64_t
request_hash(const Request *request)
{
	uint64_t hash = data_hash("path", request->path);

	for (int i = 0; i < request->nparams; i++)
		hash = hash * 31 +
			   data_hash(request->params[i].name, request->params[i].value);
	return hash;
}
