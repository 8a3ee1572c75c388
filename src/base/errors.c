/*
 * Failures of inquiries: what a code means, and how it is raised.
 *
 * errorlist.h has the known codes and the classes; this file turns a code and
 * an HTTP status into a class.  It is the one place that raises class JB.  Not
 * 08 or 57: connection pools take those for a broken database connection and
 * throw a healthy one away.
 */
#include "postgres.h"

#include "base/encoding.h"
#include "base/errors.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

static const JibitErrorCode codes[] = {
#define JIBIT_ERROR_CODE(code, class, description, description_fa, hint) \
	{code, JIBIT_##class, description, description_fa, hint},
#include "base/errorlist.h"
};

/*
 * Endings and beginnings of codes, for those that the service adds after
 * this was written.  The first that fits counts.
 */
static const struct
{
	const char *part;
	bool is_prefix;
	JibitErrorClass class;
} patterns[] = {
	{"apikey.", true, JIBIT_NOT_AUTHORISED},
	{"secretkey.", true, JIBIT_NOT_AUTHORISED},
	{"accesstoken.", true, JIBIT_NOT_AUTHORISED},
	{"refreshtoken.", true, JIBIT_NOT_AUTHORISED},
	{"query_parameters.", true, JIBIT_INVALID_INPUT},
	{".is_required", false, JIBIT_INVALID_INPUT},
	{".not_valid", false, JIBIT_INVALID_INPUT},
	{".length_exceeded", false, JIBIT_INVALID_INPUT},
	{".provided", false, JIBIT_INVALID_INPUT},
	{".not_found", false, JIBIT_NOT_FOUND},
	{".owner_not_found", false, JIBIT_NOT_FOUND},
	{".source_bank_is_not_active", false, JIBIT_NOT_ACTIVE},
	{".provider_is_not_active", false, JIBIT_NOT_ACTIVE},
	{".not_active", false, JIBIT_REFUSED},
	{".is_expired", false, JIBIT_REFUSED},
	{".registered_as_lost", false, JIBIT_REFUSED},
	{".registered_as_stolen", false, JIBIT_REFUSED},
	{".black_listed", false, JIBIT_REFUSED},
};

#define TATWEEL "\xD9\x80" /* U+0640, which justified text leaves in */

/*
 * The code as it is compared: lower case, no blanks, no tatweel.  What is not
 * printable ASCII becomes '?', since the code also goes where no encoding
 * conversion is made.
 */
static void
fold_code(const char *code, char *folded)
{
	int length = 0;

	for (const char *p = code; *p && length < JIBIT_CODE_SIZE - 1; p++)
	{
		if (strncmp(p, TATWEEL, 2) == 0)
			p++;
		else if (*p > ' ' && *p <= '~')
			folded[length++] = pg_ascii_tolower(*p);
		else if ((unsigned char) *p > '~')
			folded[length++] = '?';
	}
	folded[length] = '\0';
}

static int
compare_code(const void *key, const void *row)
{
	return pg_strcasecmp(key, ((const JibitErrorCode *) row)->code);
}

const JibitErrorCode *
jibit_error_lookup(const char *code)
{
	return bsearch(code, codes, lengthof(codes), sizeof(codes[0]),
				   compare_code);
}

const JibitErrorCode *
jibit_error_codes(int *count)
{
	*count = lengthof(codes);
	return codes;
}

int
jibit_error_sqlstate(JibitErrorClass class)
{
	const char *state = jibit_error_meanings[class].sqlstate;

	return MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
}

static JibitErrorClass
classify(const char *folded, int http_status)
{
	size_t length = strlen(folded);

	for (int i = 0; i < lengthof(patterns); i++)
	{
		const char *part = patterns[i].part;
		size_t part_length = strlen(part);

		if (part_length > length)
			continue;
		if (strncmp(patterns[i].is_prefix ? folded
										  : folded + length - part_length,
					part, part_length) == 0)
			return patterns[i].class;
	}

	if (http_status == 429)
		return JIBIT_QUOTA;
	if (http_status == 401 || http_status == 403)
		return JIBIT_NOT_AUTHORISED;
	if (http_status >= 500)
		return JIBIT_SERVICE_FAILING;
	return JIBIT_OTHER;
}

void
jibit_error_set(JibitError *error, const char *code, int http_status,
				const char *message, const char *track_id)
{
	const JibitErrorCode *row = NULL;
	char folded[JIBIT_CODE_SIZE] = "";

	memset(error, 0, sizeof(*error));
	if (code != NULL)
		fold_code(code, folded);

	if (folded[0] == '\0')
		snprintf(error->code, sizeof(error->code), "http.%d", http_status);
	else if ((row = jibit_error_lookup(folded)) != NULL)
		strlcpy(error->code, row->code, sizeof(error->code));
	else
		strlcpy(error->code, folded, sizeof(error->code));

	error->class = row ? row->class : classify(folded, http_status);
	error->http_status = http_status;
	if (message != NULL)
	{
		size_t length = strlen(message);

		if (length >= sizeof(error->message))
			length = pg_encoding_mbcliplen(PG_UTF8, message, (int) length,
										   sizeof(error->message) - 1);
		memcpy(error->message, message, length);
		error->message[length] = '\0';
	}
	if (track_id != NULL)
		strlcpy(error->track_id, track_id, sizeof(error->track_id));
}

void
jibit_error_set_unrepresentable(JibitError *error, const char *message,
								const char *track_id)
{
	jibit_error_set(
		error, JIBIT_CODE_RESPONSE_INVALID, 0,
		message
			? message
			: "The answer has text that the database's encoding cannot represent.",
		track_id);
	error->class = JIBIT_UNREPRESENTABLE;
}

const char *
jibit_error_description(const JibitError *error)
{
	const JibitErrorCode *row = jibit_error_lookup(error->code);

	if (row != NULL)
		return row->description;
	if (error->class == JIBIT_OTHER)
		return "the service answered with an error that is not documented";
	return jibit_error_meanings[error->class].condition;
}

char *
jibit_sentence(const char *text)
{
	size_t length = strlen(text);

	while (length > 0 && (text[length - 1] == '.' || text[length - 1] == ' '))
		length--;
	return psprintf("%.*s.", (int) length, text);
}

/* Who said what, and where to ask: the DETAIL line, in the database encoding. */
static char *
format_detail(const JibitError *error)
{
	StringInfoData detail;
	char *message = NULL;

	if (error->message[0])
		message = jibit_utf8_to_server_or_null(error->message,
											   strlen(error->message));
	initStringInfo(&detail);
	if (message != NULL && error->from_service)
		appendStringInfo(&detail, "The service said: %s\n", message);
	else if (message != NULL)
		appendStringInfo(&detail, "%s ", message);
	if (error->http_status != 0)
		appendStringInfo(&detail, "HTTP status %d. ", error->http_status);
	if (error->track_id[0] != '\0')
		appendStringInfo(&detail, "Track id %s.", error->track_id);
	else
		appendStringInfoString(&detail, "No call was made.");
	return detail.data;
}

/* Sets a field of the error, if there is something to set. */
static int
set_field(int field, const char *value)
{
	return value ? err_generic_string(field, value) : 0;
}

void
jibit_error_report_at(int elevel, const char *inquiry, const JibitError *error,
					  const JibitErrorPlace *place)
{
	static const JibitErrorPlace nowhere = {NULL, NULL, NULL};
	const JibitErrorCode *row = jibit_error_lookup(error->code);
	const char *hint = jibit_error_meanings[error->class].hint;

	/* A class other than the code's own says more. */
	if (row != NULL && row->class == error->class)
		hint = row->hint;
	if (place == NULL)
		place = &nowhere;

	ereport(elevel, (errcode(jibit_error_sqlstate(error->class)),
					 errmsg("inquiry \"%s\" failed: %s (%s)", inquiry,
							jibit_error_description(error), error->code),
					 errdetail_internal("%s", format_detail(error)),
					 errhint("%s", hint),
					 set_field(PG_DIAG_SCHEMA_NAME, place->schema),
					 set_field(PG_DIAG_TABLE_NAME, place->table),
					 set_field(PG_DIAG_COLUMN_NAME, place->column),
					 set_field(PG_DIAG_CONSTRAINT_NAME, error->code)));
}

void
jibit_error_report(int elevel, const char *inquiry, const JibitError *error)
{
	jibit_error_report_at(elevel, inquiry, error, NULL);
}
