/*
 * jibit_request(): an authorised GET to any path of the API.
 */
#include "postgres.h"

#include "account/rights.h"
#include "base/encoding.h"
#include "base/extension.h"
#include "call/result.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "net/http.h"
#include "sql/inquiry.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

/* Common servers refuse request lines that are longer. */
#define TARGET_MAX 8000

/* The query's parameters, as the function was given them; UTF-8. */
typedef struct RequestQuery
{
	int count;
	char **names;
	char **values;
} RequestQuery;

static void
refuse(const char *what, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid %s for jibit_request()", what),
					errdetail("%s", detail)));
}

/* "/v1/" and segments of unreserved characters: nothing needs escaping. */
static void
check_path(const char *path)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
	const char *segment = path + strlen("/v1/");

	if (strncmp(path, "/v1/", strlen("/v1/")) != 0)
		refuse("path", "A path starts with \"/v1/\".");
	for (;;)
	{
		size_t length = strspn(segment, allowed);

		if (length == 0 || (segment[length] != '/' && segment[length] != '\0'))
			refuse(
				"path",
				"A path's segments are of letters, digits and \"._~-\", and none is empty.");
		if ((length == 1 && segment[0] == '.') ||
			(length == 2 && segment[0] == '.' && segment[1] == '.'))
			refuse("path", "No segment of a path is \".\" or \"..\".");
		if (segment[length] == '\0')
			return;
		segment += length + 1;
	}
}

static RequestQuery
read_query(Jsonb *jsonb)
{
	RequestQuery query = {0};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	char *name = NULL;
	char *string;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		refuse("query", "A query is a JSON object.");

	query.names = palloc((JB_ROOT_COUNT(jsonb) + 1) * sizeof(char *));
	query.values = palloc((JB_ROOT_COUNT(jsonb) + 1) * sizeof(char *));
	iterator = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			name = pnstrdup(value.val.string.val, value.val.string.len);
			continue;
		}
		if (token != WJB_VALUE)
			continue;
		if (value.type != jbvString && value.type != jbvNumeric &&
			value.type != jbvBool)
			refuse(
				"query",
				"A query's values are strings, numbers and booleans; leave out what is null.");
		string = TextDatumGetCString(
			DirectFunctionCall2(jsonb_object_field_text, JsonbPGetDatum(jsonb),
								CStringGetTextDatum(name)));
		query.names[query.count] = jibit_server_to_utf8(name, strlen(name));
		query.values[query.count++] = jibit_server_to_utf8(string,
														   strlen(string));
	}
	return query;
}

static bool
has_parameter(const RequestQuery *query, const char *name, const char *value)
{
	for (int i = 0; i < query->count; i++)
	{
		if (strcmp(query->names[i], name) == 0)
			return value == NULL || strcmp(query->values[i], value) == 0;
	}
	return false;
}

/* Are these the parameters of just this inquiry? */
static bool
is_query_of(const JibitInquiry *inquiry, const RequestQuery *query)
{
	int matched = 0;

	for (int i = 0; i < inquiry->nparams; i++)
	{
		if (has_parameter(query, inquiry->params[i].name, NULL))
			matched++;
		else if (inquiry->params[i].required)
			return false;
	}
	if (inquiry->fixed != NULL)
	{
		char *name = pstrdup(inquiry->fixed);
		char *equals = strchr(name, '=');

		*equals = '\0';
		if (!has_parameter(query, name, equals + 1))
			return false;
		matched++;
	}
	return matched == query->count;
}

/*
 * A path that belongs to an inquiry needs the right to make that inquiry; if
 * the parameters do not tell which of several it is, the right to make each.
 */
static void
check_rights(const char *path, const RequestQuery *query)
{
	bool is_exact = false;

	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
		is_exact |= strcmp(jibit_inquiries[i].path, path) == 0 &&
					is_query_of(&jibit_inquiries[i], query);

	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
	{
		const JibitInquiry *inquiry = &jibit_inquiries[i];

		if (strcmp(inquiry->path, path) != 0 ||
			(is_exact && !is_query_of(inquiry, query)))
			continue;
		jibit_require_right(inquiry, jibit_extension_namespace(), GetUserId());
	}
}

/*
 * jsonb is narrower than JSON: it has no U+0000, no half surrogate pairs and
 * no numbers beyond numeric.  Such an answer is one that cannot be used.
 */
static Datum
answer_to_jsonb(JibitCall *call)
{
	MemoryContext caller = CurrentMemoryContext;
	JibitAnswerReader reader;
	const char *bytes;
	int length;
	char *json;
	volatile Datum result = (Datum) 0;

	jibit_answer_read(&reader, call->answer);
	length = jibit_answer_get(&reader, &bytes);
	json = jibit_utf8_to_server(bytes, length);
	PG_TRY();
	{
		result = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
	}
	PG_CATCH();
	{
		ErrorData *error;
		int code;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		code = error->sqlerrcode;

		/* In other encodings the character may just be one too many. */
		if (ERRCODE_TO_CATEGORY(code) != ERRCODE_DATA_EXCEPTION ||
			(code == ERRCODE_UNTRANSLATABLE_CHARACTER &&
			 GetDatabaseEncoding() != PG_UTF8))
			PG_RE_THROW();
		FlushErrorState();
		jibit_error_set(
			&call->error, JIBIT_CODE_RESPONSE_INVALID, call->http_status,
			"The answer cannot be used: it does not fit into jsonb.",
			call->track_id);
		jibit_error_report(ERROR, call->inquiry->id, &call->error);
	}
	PG_END_TRY();
	return result;
}

PG_FUNCTION_INFO_V1(jibit_request);
Datum
jibit_request(PG_FUNCTION_ARGS)
{
	char *path = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Jsonb *jsonb = PG_GETARG_JSONB_P(1);
	RequestQuery query;
	StringInfoData target;
	JibitCall *call;

	jibit_require_preload();
	check_path(path);
	query = read_query(jsonb);
	check_rights(path, &query);

	initStringInfo(&target);
	appendStringInfoString(&target, path);
	for (int i = 0; i < query.count && target.len <= TARGET_MAX; i++)
	{
		if (strlen(query.names[i]) + strlen(query.values[i]) > TARGET_MAX)
			refuse("query", "It makes the request line too long.");
		appendStringInfoChar(&target, i == 0 ? '?' : '&');
		jibit_http_append_escaped(&target, query.names[i]);
		appendStringInfoChar(&target, '=');
		jibit_http_append_escaped(&target, query.values[i]);
	}
	if (target.len > TARGET_MAX)
		refuse("path or query", "It makes the request line too long.");

	call = palloc0(sizeof(JibitCall));
	call->inquiry = &jibit_any_inquiry;
	call->target = target.data;
	if (!jibit_make_call(call))
		PG_RETURN_NULL();

	PG_RETURN_DATUM(answer_to_jsonb(call));
}
