/*-------------------------------------------------------------------------
 *
 * check.c
 *	  jibit_check(): what an inquiry needs, one thing after the other.
 *
 * A step that fails is a row, not an error, and the steps that build on it
 * say so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/client.h"
#include "api/credentials.h"
#include "api/token.h"
#include "catalog/pg_type.h"
#include "clock.h"
#include "config.h"
#include "executor/spi.h"
#include "extension.h"
#include "fmgr.h"
#include "funcapi.h"
#include "net/http.h"
#include "sql/result.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* JWTs are checked against the clock; a minute is what services tolerate. */
#define SKEW_TOLERATED_S 60

#define TRACK_ID "jibit-check"

typedef struct Report
{
	ReturnSetInfo *rsinfo;
} Report;

/* ok NULL: cannot be told. */
static void
add_row(Report *report, const char *item, const bool *ok, const char *detail)
{
	Datum values[3];
	bool nulls[3] = {false};

	values[0] = CStringGetTextDatum(item);
	values[1] = ok ? BoolGetDatum(*ok) : (Datum) 0;
	nulls[1] = ok == NULL;
	values[2] = CStringGetTextDatum(detail);
	tuplestore_putvalues(report->rsinfo->setResult, report->rsinfo->setDesc,
						 values, nulls);
}

static void
add_result(Report *report, const char *item, bool ok, const char *detail)
{
	add_row(report, item, &ok, detail);
}

static void
add_skipped(Report *report, const char *item, const char *needs)
{
	add_row(report, item, NULL, psprintf("not tried: needs \"%s\"", needs));
}

/*
 * The session's credentials, or NULL and why not.  Reading them can raise
 * anything, since the table may be a view of the user's own; so it runs in a
 * subtransaction.
 */
static JibitCredentials *
try_credentials(char **why)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	JibitCredentials *volatile credentials = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		credentials = jibit_credentials_get(jibit_profile);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();

		/* A cancel is not a finding. */
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		*why = psprintf("%s%s%s", error->message, error->hint ? ". " : "",
						error->hint ? error->hint : "");
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return credentials;
}

/*
 * Asks for a path without a token.  Any answer at all shows that the way is
 * open.
 */
static void
check_connection(Report *report, const JibitCredentials *credentials,
				 bool *reached)
{
	JibitHttpGroup *volatile group = NULL;
	JibitHttpRequest request = {NULL};
	bool is_plain = false;

	(void) jibit_http_check_url(credentials->base_url, &is_plain);
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

	*reached = request.end == JIBIT_HTTP_ANSWERED;
	add_result(
		report, "base URL reachable",
		*reached || request.end == JIBIT_HTTP_TLS,
		*reached || request.end == JIBIT_HTTP_TLS
			? credentials->base_url
			: psprintf("%s: %s", credentials->base_url, request.reason));

	if (is_plain)
		add_result(report, "TLS verified", false,
				   "the base URL is plain HTTP: keys and answers are readable "
				   "on the way");
	else if (*reached)
		add_result(report, "TLS verified", true, jibit_http_version());
	else if (request.end == JIBIT_HTTP_TLS ||
			 request.end == JIBIT_HTTP_MISCONFIGURED)
		add_result(
			report, "TLS verified", false,
			psprintf(
				"%s. For a private certificate authority set jibit.ca_file",
				request.reason));
	else
		add_skipped(report, "TLS verified", "base URL reachable");

	if (*reached && request.server_time != 0)
	{
		long skew = (long) (time(NULL) - request.server_time);

		add_result(
			report, "clock skew", labs(skew) <= SKEW_TOLERATED_S,
			psprintf("this server's clock is %ld s ahead of the service's",
					 skew));
	}
	else
		add_row(report, "clock skew", NULL,
				"the service's clock is not known");
}

/* What an error says, with its hint where it has one. */
static char *
describe(const JibitError *error)
{
	const JibitErrorCode *row = jibit_error_lookup(error->code);

	return psprintf("%s (%s)%s%s", jibit_error_description(error), error->code,
					row ? ". " : "", row ? row->hint : "");
}

/* A token, and an inquiry that costs nothing. */
static void
check_account(Report *report, const JibitCredentials *credentials)
{
	JibitCall *call = palloc0(sizeof(JibitCall));
	JibitToken token;
	JibitError error;
	bool ok;

	ok = jibit_token_get(credentials, TRACK_ID,
						 jibit_now_us() + jibit_timeout_ms * INT64CONST(1000),
						 &token, &error);
	explicit_bzero(&token, sizeof(token));
	add_result(report, "token obtained", ok,
			   ok ? "the keys are accepted" : describe(&error));
	if (!ok)
	{
		add_skipped(report, "inquiry accepted", "token obtained");
		return;
	}

	call->inquiry = &jibit_inquiries[JIBIT_INQUIRY_balances];
	jibit_client_run(call, 1, jibit_profile);
	ok = call->answer != NULL;
	if (ok)
		add_result(report, "inquiry accepted", true,
				   "the balances were answered, which is not charged");
	else if (call->error.class == JIBIT_NOT_AUTHORISED)
		add_result(
			report, "inquiry accepted", false,
			psprintf(
				"%s. A likely cause: this server's address is not on the account's allow-list",
				describe(&call->error)));
	else
		add_result(report, "inquiry accepted", false, describe(&call->error));
}

/*
 * Roles that can read the credentials table, by a grant or as members of
 * pg_read_all_data: NULL where there are none beside the owner and superusers.
 */
static const char readers_query[] =
	"SELECT pg_catalog.string_agg(r.rolname::pg_catalog.text, ', ')"
	" FROM pg_catalog.pg_roles r, pg_catalog.pg_class c"
	" WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
	" AND r.oid OPERATOR(pg_catalog.<>) c.relowner"
	" AND NOT r.rolsuper"
	" AND r.rolname OPERATOR(pg_catalog.<>) 'pg_read_all_data'"
	" AND pg_catalog.has_any_column_privilege(r.oid, c.oid, 'SELECT')";

static void
check_grants(Report *report)
{
	Oid type = TEXTOID;
	Datum table;
	char *readers;

	table = CStringGetTextDatum(
		jibit_credentials_table[0] != '\0'
			? jibit_credentials_table
			: quote_qualified_identifier(jibit_extension_schema(),
										 "jibit_credentials"));
	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute_with_args(readers_query, 1, &type, &table, NULL, true,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the roles");
	readers = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	add_result(
		report, "grants", readers == NULL,
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
	bool reached;

	InitMaterializedSRF(fcinfo, 0);
	report.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	add_result(&report, "library preloaded", jibit_preloaded,
			   jibit_preloaded ? "shared_preload_libraries names jibit"
							   : "set shared_preload_libraries = 'jibit' in "
								 "postgresql.conf and restart the server");
	check_grants(&report);
	if (!jibit_preloaded)
	{
		add_skipped(&report, "credentials found", "library preloaded");
		return (Datum) 0;
	}

	credentials = try_credentials(&why);
	add_result(&report, "credentials found", credentials != NULL,
			   credentials ? psprintf("profile \"%s\"", jibit_profile) : why);
	if (credentials == NULL)
	{
		add_skipped(&report, "base URL reachable", "credentials found");
		return (Datum) 0;
	}

	check_connection(&report, credentials, &reached);
	if (reached)
		check_account(&report, credentials);
	else
		add_skipped(&report, "token obtained", "base URL reachable");
	return (Datum) 0;
}
