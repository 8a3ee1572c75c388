/*
 * By which settings calls are made: the session's, or the server's.
 */
#include "postgres.h"

#include "account/policy.h"
#include "base/config.h"
#include "protocol/inquiries.h"

JibitPolicy
jibit_session_policy(void)
{
	JibitPolicy policy = {.profile = jibit_profile,
						  .validate = jibit_validate,
						  .timeout_ms = jibit_timeout_ms,
						  .connect_timeout_ms = jibit_connect_timeout_ms,
						  .max_retries = jibit_max_retries};

	return policy;
}

JibitPolicy
jibit_server_policy(const char *profile)
{
	const JibitServerSettings *server = &jibit_server_settings;
	JibitPolicy policy = {
		.profile = profile ? profile : server->profile,
		.validate = true,
		.timeout_ms = Max(jibit_timeout_ms, server->timeout_ms),
		.connect_timeout_ms = Max(jibit_connect_timeout_ms,
								  server->connect_timeout_ms),
		.max_retries = Max(jibit_max_retries, server->max_retries),
		.of_server = true};

	return policy;
}

bool
jibit_policy_blames_service(const JibitPolicy *policy, const JibitError *error)
{
	if (error->class == JIBIT_TIMEOUT)
		return policy->timeout_ms >= jibit_server_settings.timeout_ms &&
			   policy->connect_timeout_ms >=
				   jibit_server_settings.connect_timeout_ms;
	return error->class != JIBIT_CONFIGURATION;
}

int64
jibit_policy_cache_ttl(const JibitPolicy *policy, int inquiry)
{
	int own;

	/* Only the table's inquiries have answers that are kept. */
	if (inquiry >= JIBIT_INQUIRY_COUNT)
		return 0;
	own = policy->of_server ? jibit_server_settings.cache_ttl_of[inquiry]
							: jibit_cache_ttl_of[inquiry];
	if (own >= 0)
		return own;
	return policy->of_server ? jibit_server_settings.cache_ttl_ms
							 : jibit_cache_ttl_ms;
}

bool
jibit_policy_cache_is_strict(const JibitPolicy *policy, int inquiry)
{
	JibitPolicy server = {.of_server = true};

	return jibit_policy_cache_ttl(policy, inquiry) <=
		   jibit_policy_cache_ttl(&server, inquiry);
}
