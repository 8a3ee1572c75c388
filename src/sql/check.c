/*
 * jibit_check(): what an inquiry needs, one thing after the other.
 *
 * A step that fails is a row, not an error, and the steps that build on it
 * say so.
 */
#include "postgres.h"

#include "account/credentials.h"
#include "account/token.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/extension.h"
#include "base/subtransaction.h"
#include "call/result.h"
#include "call/run.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "net/http.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

/* JWTs are checked against the clock; a minute is what services tolerate. */
#define SKEW_TOLERATED_S 60

#define TRACK_ID "jibit-check"

/* The steps; each but the grants is needed by those after it. */
typedef enum CheckItem
{
	ITEM_LIBRARY,
	ITEM_GRANTS,
	ITEM_CREDENTIALS,
	ITEM_REACHABLE,
	ITEM_TLS,
	ITEM_CLOCK,
	ITEM_TOKEN,
	ITEM_INQUIRY,
	ITEM_COUNT
} CheckItem;

static const char *const item_names[ITEM_COUNT] = {
	[ITEM_LIBRARY] = "library preloaded",
	[ITEM_GRANTS] = "grants",
	[ITEM_CREDENTIALS] = "credentials found",
	[ITEM_REACHABLE] = "base URL reachable",
	[ITEM_TLS] = "TLS verified",
	[ITEM_CLOCK] = "clock skew",
	[ITEM_TOKEN] = "token obtained",
	[ITEM_INQUIRY] = "inquiry accepted",
};

typedef struct Report
{
	ReturnSetInfo *rsinfo;
	CheckItem next; /* all before it have been reported */
} Report;

/* ok NULL: cannot be told. */
static void
add_row(Report *report, CheckItem item, const bool *ok, const char *detail)
{
	Datum values[3];
	bool nulls[3] = {false};

	values[0] = CStringGetTextDatum(item_names[item]);
	values[1] = ok ? BoolGetDatum(*ok) : (Datum) 0;
	nulls[1] = ok == NULL;
	values[2] = CStringGetTextDatum(detail);
	tuplestore_putvalues(report->rsinfo->setResult, report->rsinfo->setDesc,
						 values, nulls);
	report->next = item + 1;
}

/* What comes from the URL or the network, UTF-8, in the database's encoding. */
static char *
shown(const char *utf8)
{
	char *text = jibit_utf8_to_server_or_null(utf8, strlen(utf8));

	return text ? text : "(cannot be shown in the database's encoding)";
}

static void
add_result(Report *report, CheckItem item, bool ok, const char *detail)
{
	add_row(report, item, &ok, detail);
}

/* The steps that were not come to for want of another: always the same rows. */
static void
add_rest(Report *report, CheckItem needed)
{
	while (report->next < ITEM_COUNT)
		add_row(report, report->next, NULL,
				psprintf("not tried: needs \"%s\"", item_names[needed]));
}

static void
get_credentials(void *arg)
{
	*(JibitCredentials **) arg = jibit_credentials_get(jibit_profile);
}

/*
 * The session's credentials, or NULL and why not.  Reading them can raise
 * anything, since the table may be a view of the user's own.
 */
static JibitCredentials *
try_credentials(char **why)
{
	JibitCredentials *credentials = NULL;
	ErrorData *error = jibit_try(get_credentials, &credentials, NULL);

	if (error == NULL)
		return credentials;

	/* A cancel is not a finding. */
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	*why = psprintf("%s%s%s%s%s", jibit_sentence(error->message),
					error->detail ? " " : "",
					error->detail ? error->detail : "", error->hint ? " " : "",
					error->hint ? error->hint : "");
	return NULL;
}

/* What an error says, in sentences, with its hint where it has one. */
static char *
describe(const JibitError *error)
{
	const JibitErrorCode *row = jibit_error_lookup(error->code);

	return psprintf("%s (%s).%s%s", jibit_error_description(error),
					error->code, row ? " " : "", row ? row->hint : "");
}

/* A token, and an inquiry that costs nothing. */
static void
check_account(Report *report, const JibitCredentials *credentials)
{
	JibitCall *call = palloc0(sizeof(JibitCall));
	JibitPolicy policy = jibit_session_policy();
	bool ok;

	call->inquiry = &jibit_inquiries[JIBIT_INQUIRY_balances];
	call->policy = &policy;
	jibit_run_one(call);
	add_result(report, ITEM_TOKEN, call->had_token,
			   call->had_token ? "the keys are accepted"
							   : describe(&call->error));
	if (!call->had_token)
		return;
	ok = call->answer != NULL;
	if (ok)
		add_result(report, ITEM_INQUIRY, true,
				   "the balances were answered, which is not charged");
	else if (call->error.class == JIBIT_NOT_AUTHORISED)
		add_result(
			report, ITEM_INQUIRY, false,
			psprintf(
				"%s A likely cause: this server's address is not on the account's allow-list.",
				describe(&call->error)));
	else
		add_result(report, ITEM_INQUIRY, false, describe(&call->error));
}

/*
 * Asks for a path without a token.  Any answer at all shows that the way is
 * open.
 */
static void
check_service(Report *report, const JibitCredentials *credentials)
{
	JibitHttpGroup *volatile group = NULL;
	JibitHttpRequest request = {NULL};
	bool is_plain = false;
	bool reached;

	(void) jibit_http_check_url(credentials->base_url, &is_plain);
	request.want_server_time = true;
	request.url = psprintf("%s/v1/balances", credentials->base_url);
	request.track_id = TRACK_ID;
	request.timeout_ms = jibit_timeout_ms;
	request.connect_timeout_ms = jibit_connect_timeout_ms;

	PG_TRY();
	{
		group = jibit_http_begin_group(CurrentMemoryContext);
		jibit_http_start(group, &request);
		while (jibit_http_wait(group, request.timeout_ms) == NULL)
			/* libcurl ends it at its own timeout */;
	}
	PG_FINALLY();
	{
		jibit_http_end_group(group);
	}
	PG_END_TRY();

	reached = request.end == JIBIT_HTTP_ANSWERED;
	add_result(report, ITEM_REACHABLE,
			   reached || request.end == JIBIT_HTTP_TLS,
			   reached || request.end == JIBIT_HTTP_TLS
				   ? shown(credentials->base_url)
				   : psprintf("%s: %s", shown(credentials->base_url),
							  shown(request.reason)));

	if (is_plain)
		add_result(
			report, ITEM_TLS, false,
			"the base URL is plain HTTP: keys and answers are readable on the way");
	else if (reached)
		add_result(report, ITEM_TLS, true, jibit_http_version());
	else if (request.end == JIBIT_HTTP_TLS ||
			 request.end == JIBIT_HTTP_MISCONFIGURED)
		add_result(
			report, ITEM_TLS, false,
			psprintf(
				"%s For a private certificate authority set jibit.ca_file.",
				jibit_sentence(shown(request.reason))));
	if (!reached)
		return;

	if (request.server_time != 0)
	{
		long skew = (long) (time(NULL) - request.server_time);

		add_result(report, ITEM_CLOCK, labs(skew) <= SKEW_TOLERATED_S,
				   psprintf("this server's clock is %ld s %s the service's",
							labs(skew), skew < 0 ? "behind" : "ahead of"));
	}
	else
		add_row(report, ITEM_CLOCK, NULL, "the service's clock is not known");
	check_account(report, credentials);
}

/*
 * Roles that can read the credentials table, by a grant or as members of
 * pg_read_all_data: NULL where there are none beside the owner and superusers.
 */
static const char readers_query[] =
	"SELECT pg_catalog.string_agg(r.rolname::pg_catalog.text, ', ')"
	" FROM pg_catalog.pg_roles r, pg_catalog.pg_class c"
	" WHERE c.oid OPERATOR(pg_catalog.=) $1"
	" AND r.oid OPERATOR(pg_catalog.<>) c.relowner"
	" AND NOT r.rolsuper"
	" AND r.rolname OPERATOR(pg_catalog.<>) 'pg_read_all_data'"
	" AND pg_catalog.has_any_column_privilege(r.oid, c.oid, 'SELECT')";

static void
check_grants(Report *report)
{
	Oid type = OIDOID;
	Datum table = ObjectIdGetDatum(jibit_credentials_relation());
	char *readers;

	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute_with_args(readers_query, 1, &type, &table, NULL, true,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the roles");
	readers = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	add_result(
		report, ITEM_GRANTS, readers == NULL,
		readers == NULL
			? "only the table's owner and superusers can read the keys"
			: psprintf(
				  "besides the owner and superusers these can read the keys, by a grant or as members of pg_read_all_data: %s",
				  readers));
	SPI_finish();
}

PG_FUNCTION_INFO_V1(jibit_check);
Datum
jibit_check(PG_FUNCTION_ARGS)
{
	Report report;
	JibitCredentials *credentials;
	char *why = NULL;

	InitMaterializedSRF(fcinfo, 0);
	report.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	report.next = ITEM_LIBRARY;

	add_result(
		&report, ITEM_LIBRARY, jibit_preloaded,
		jibit_preloaded
			? "shared_preload_libraries names jibit"
			: "set shared_preload_libraries = 'jibit' in postgresql.conf and restart the server");
	check_grants(&report);
	if (jibit_preloaded)
	{
		credentials = try_credentials(&why);
		add_result(&report, ITEM_CREDENTIALS, credentials != NULL,
				   credentials ? psprintf("profile \"%s\"", jibit_profile)
							   : why);
		if (credentials != NULL)
			check_service(&report, credentials);
	}
	/* Whoever can read the keys holds up nothing. */
	add_rest(&report, jibit_preloaded ? report.next - 1 : ITEM_LIBRARY);
	return (Datum) 0;
}
