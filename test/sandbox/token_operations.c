/*
 * token_operations.c
 *		The two operations that give out tokens.
 */
#include <string.h>
#include <strings.h>

#include "magic.h"
#include "settings.h"
#include "token_operations.h"
#include "tokens.h"

/* The document names the error, not the length. */
#define MAX_KEY 200

#define BAD_BODY "invalid.request_body"

/* The body as an object, or NULL.  The caller owns it. */
static json_object *
parse_body(const Request *request)
{
	struct json_tokener *tokener;
	json_object *body;

	if (request->body == NULL || request->body_too_large)
		return NULL;
	tokener = json_tokener_new();
	if (tokener == NULL)
		return NULL;
	/* In strict mode json-c 0.18 takes bytes above 0x7f for controls. */
	json_tokener_set_flags(tokener, json_c_version_num() == (18 << 8)
										? JSON_TOKENER_VALIDATE_UTF8
										: JSON_TOKENER_STRICT |
											  JSON_TOKENER_VALIDATE_UTF8);
	body = json_tokener_parse_ex(tokener, request->body,
								 (int) request->body_length);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
		json_tokener_get_parse_end(tokener) != request->body_length ||
		!json_object_is_type(body, json_type_object))
	{
		json_object_put(body);
		body = NULL;
	}
	json_tokener_free(tokener);
	return body;
}

static bool
is_json(const char *content_type)
{
	static const char json[] = "application/json";
	size_t length = strlen(json);

	return content_type != NULL &&
		   strncasecmp(content_type, json, length) == 0 &&
		   strchr("; \t", content_type[length]) != NULL;
}

/* A field's text, or NULL where it is absent, empty or something else. */
static const char *
get_text(json_object *body, const char *key)
{
	json_object *value;

	if (!json_object_object_get_ex(body, key, &value) ||
		!json_object_is_type(value, json_type_string) ||
		json_object_get_string_len(value) == 0)
		return NULL;
	return json_object_get_string(value);
}

static const char *
check_keys(json_object *body, const Settings *settings)
{
	const char *api_key = get_text(body, "apiKey");
	const char *secret_key = get_text(body, "secretKey");

	if (api_key == NULL)
		return "apiKey.is_required";
	if (strlen(api_key) > MAX_KEY)
		return "apiKey.length_exceeded";
	if (secret_key == NULL)
		return "secretKey.is_required";
	if (strlen(secret_key) > MAX_KEY)
		return "secretKey.length_exceeded";
	if ((strcmp(api_key, settings->api_key) != 0 &&
		 magic_fault_of_key(api_key) == NULL) ||
		strcmp(secret_key, settings->secret_key) != 0)
		return "invalid.credentials";
	return NULL;
}

static const char *
check_pair(json_object *body, const Settings *settings)
{
	const char *access = get_text(body, "accessToken");
	const char *refresh = get_text(body, "refreshToken");

	if (access == NULL)
		return "accessToken.is_required";
	if (refresh == NULL)
		return "refreshToken.is_required";
	if (settings->refuse_refresh)
		return "invalid.tokens_pair";
	return tokens_take(access, refresh);
}

/* The fault that a magic key asks for, or NULL. */
const Fault *
token_operation_fault(const Request *request)
{
	json_object *body = parse_body(request);
	const char *api_key = body == NULL ? NULL : get_text(body, "apiKey");
	const Fault *fault = api_key == NULL ? NULL : magic_fault_of_key(api_key);

	json_object_put(body);
	return fault;
}

void
token_operation_answer(const Operation *operation, const Request *request,
					   Answer *answer)
{
	json_object *body = parse_body(request);
	json_object *json;
	const char *code;
	Settings settings;
	TokenPair pair;

	settings_get(&settings);
	if (body == NULL || !is_json(request->content_type))
		code = BAD_BODY;
	else if (strcmp(operation->name, "token_generate") == 0)
		code = check_keys(body, &settings);
	else
		code = check_pair(body, &settings);
	json_object_put(body);
	if (code != NULL)
	{
		answer_code(answer, code);
		return;
	}

	tokens_issue(settings.token_ttl, settings.refresh_ttl,
				 settings.opaque_tokens != 0, &pair);
	json = json_object_new_object();
	json_object_object_add(json, "accessToken",
						   json_object_new_string(pair.access));
	json_object_object_add(json, "refreshToken",
						   json_object_new_string(pair.refresh));
	answer_good(answer, json);
}
