/*
 * From the end of a request to an answer or an error.
 *
 * What was paid for is not thrown away for a detail: a number is taken where
 * text is expected, and the other way round; where neither helps (a word for a
 * number, text with a NUL) the column is NULL.  Only what can make no sense is
 * refused: an object or an array in place of a value, a mandatory part that
 * is missing or cannot be read.
 */
#include "postgres.h"

#include "offline/mask.h"
#include "protocol/decode.h"
#include "utils/memutils.h"

/* What decoding one answer carries along. */
typedef struct Decoder
{
	StringInfoData writer;
	int nrows;
	bool found;				   /* a column had a value */
	const JibitColumn *broken; /* the first that could not be read */
	bool missing;			   /* it is mandatory and absent */
	const JibitInquiry *inquiry;
} Decoder;

static void
mark_broken(Decoder *decoder, const JibitColumn *column, bool missing)
{
	if (decoder->broken == NULL)
	{
		decoder->broken = column;
		decoder->missing = missing;
	}
	jibit_answer_put_null(&decoder->writer);
}

/* Finds a row's values: at its top, or in an object there, kept for the next. */
typedef struct RowReader
{
	const JibitJson *top;
	const char *object_name;
	const JibitJson *object;
} RowReader;

static const JibitJson *
get_object(RowReader *reader, const char *name)
{
	if (name == NULL)
		return reader->top;
	if (reader->object_name == NULL || strcmp(reader->object_name, name) != 0)
	{
		reader->object_name = name;
		reader->object = jibit_json_member(reader->top, name);
	}
	return reader->object;
}

static const JibitJson *
find_value(RowReader *reader, const JibitColumn *column)
{
	const JibitJson *value = NULL;

	for (int i = 0; i < lengthof(column->sources) && value == NULL; i++)
	{
		const JibitSource *source = &column->sources[i];

		if (source->field == NULL)
			break;
		value = jibit_json_member(get_object(reader, source->object),
								  source->field);
	}
	return value;
}

static void
put_text(StringInfo writer, const char *text)
{
	jibit_answer_put_bytes(writer, text, (int) strlen(text));
}

static void decode_row(Decoder *decoder, const JibitJson *top,
					   const JibitColumn *columns, int ncolumns);

static void
decode_rows(Decoder *decoder, const JibitJson *array,
			const JibitColumn *column)
{
	int length = jibit_json_length(array);
	int nrows = 0;

	if (array != NULL && !jibit_json_is_array(array))
	{
		mark_broken(decoder, column, false);
		return;
	}
	for (int i = 0; i < length; i++)
		nrows += jibit_json_element(array, i) != NULL;
	jibit_answer_put_count(&decoder->writer, nrows);
	for (int i = 0; i < length; i++)
	{
		const JibitJson *element = jibit_json_element(array, i);

		if (element == NULL)
			continue;
		if (!jibit_json_is_object(element) && decoder->broken == NULL)
		{
			decoder->broken = column;
			decoder->missing = false;
		}
		decode_row(decoder, element, column->columns, column->ncolumns);
	}
}

static void
decode_value(Decoder *decoder, const JibitJson *value,
			 const JibitColumn *column)
{
	StringInfo writer = &decoder->writer;
	const char *text;
	bool boolean;
	int64 integer;
	double number;

	switch (column->type)
	{
		case JIBIT_TYPE_TEXT:
		case JIBIT_TYPE_MEMBER_NAME:
			if ((text = jibit_json_text(value)) == NULL)
				break;
			put_text(writer, text);
			return;
		case JIBIT_TYPE_BOOL:
			if (!jibit_json_boolean(value, &boolean))
				break;
			jibit_answer_put_bytes(writer, &boolean, sizeof(boolean));
			return;
		case JIBIT_TYPE_INT4:
		case JIBIT_TYPE_INT8:
			if (!jibit_json_int64(value, &integer) ||
				(column->type == JIBIT_TYPE_INT4 &&
				 (integer < PG_INT32_MIN || integer > PG_INT32_MAX)))
				break;
			jibit_answer_put_bytes(writer, &integer, sizeof(integer));
			return;
		case JIBIT_TYPE_FLOAT8:
			if (!jibit_json_double(value, &number))
				break;
			jibit_answer_put_bytes(writer, &number, sizeof(number));
			return;
		case JIBIT_TYPE_AVAILABILITY:
			if ((text = jibit_json_text(value)) == NULL)
				break;
			boolean = pg_strcasecmp(text, "AVAILABLE") == 0;
			if (boolean || pg_strcasecmp(text, "NOT_AVAILABLE") == 0)
				jibit_answer_put_bytes(writer, &boolean, sizeof(boolean));
			else
				jibit_answer_put_null(writer);
			return;
		case JIBIT_TYPE_ROWS:
		case JIBIT_TYPE_JSON:
			elog(ERROR, "column \"%s\" has no plain value", column->name);
	}
	if (column->mandatory || jibit_json_is_object(value) ||
		jibit_json_is_array(value))
		mark_broken(decoder, column, false);
	else
		jibit_answer_put_null(writer);
}

static void
decode_row(Decoder *decoder, const JibitJson *top, const JibitColumn *columns,
		   int ncolumns)
{
	RowReader reader = {.top = top};

	for (int i = 0; i < ncolumns; i++)
	{
		const JibitColumn *column = &columns[i];
		const JibitJson *value = find_value(&reader, column);

		if (value != NULL)
			decoder->found = true;
		if (column->type == JIBIT_TYPE_ROWS)
			decode_rows(decoder, value, column);
		else if (value != NULL)
			decode_value(decoder, value, column);
		else if (column->mandatory)
			mark_broken(decoder, column, true);
		else
			jibit_answer_put_null(&decoder->writer);
	}
}

static void
decode_member(const char *name, JibitJson *value, void *arg)
{
	Decoder *decoder = arg;
	const JibitColumn *columns = decoder->inquiry->columns;

	put_text(&decoder->writer, name);
	if (value == NULL)
		jibit_answer_put_null(&decoder->writer);
	else
		decode_value(decoder, value, &columns[1]);
	decoder->nrows++;
}

/* The rows of an array; each element must be an object. */
static bool
decode_array(Decoder *decoder, const JibitJson *array)
{
	if (!jibit_json_is_array(array))
		return false;
	for (int i = 0; i < jibit_json_length(array); i++)
	{
		const JibitJson *element = jibit_json_element(array, i);

		if (!jibit_json_is_object(element))
			return false;
		decode_row(decoder, element, decoder->inquiry->columns,
				   decoder->inquiry->ncolumns);
		decoder->nrows++;
	}
	return true;
}

/*
 * Decodes by the inquiry's shape.  False where the container is missing or of
 * another type.
 */
static bool
decode_shape(Decoder *decoder, const JibitJson *top)
{
	const JibitInquiry *inquiry = decoder->inquiry;
	const JibitJson *container = inquiry->container
									 ? jibit_json_member(top,
														 inquiry->container)
									 : NULL;

	switch (inquiry->shape)
	{
		case JIBIT_SHAPE_ROW:
			if (inquiry->container && !jibit_json_is_object(container))
				return false;
			decode_row(decoder, top, inquiry->columns, inquiry->ncolumns);
			decoder->nrows = 1;
			return true;
		case JIBIT_SHAPE_ARRAY:
			return decode_array(decoder, container);
		case JIBIT_SHAPE_NESTED:
			if (!jibit_json_is_array(container))
				return false;
			for (int i = 0; i < jibit_json_length(container); i++)
			{
				const JibitJson *outer = jibit_json_element(container, i);
				const JibitJson *inner = jibit_json_member(
					outer, inquiry->inner_container);

				/* A day without a service may leave the list out. */
				if (!jibit_json_is_object(outer) ||
					(inner != NULL && !decode_array(decoder, inner)))
					return false;
			}
			return true;
		case JIBIT_SHAPE_MAP:
			if (!jibit_json_is_object(container))
				return false;
			jibit_json_visit(container, decode_member, decoder);
			return true;
		case JIBIT_SHAPE_RAW:
			break;
	}
	elog(ERROR, "inquiry \"%s\" has no shape", inquiry->id);
}

static const char *
member_text(const JibitJson *object, const char *name)
{
	const JibitJson *value = jibit_json_member(object, name);

	return jibit_json_is_string(value) ? jibit_json_text(value) : NULL;
}

/*
 * Finds code and message in the two shapes that an error has.  Returns false
 * where the body is neither.
 */
static bool
find_error(const JibitJson *top, const char **code, const char **message)
{
	const JibitJson *errors = jibit_json_member(top, "errors");

	*code = NULL;
	*message = NULL;
	if (jibit_json_is_array(errors))
		top = jibit_json_element(errors, 0);
	*code = member_text(top, "code");
	*message = member_text(top, "message");
	return jibit_json_is_array(errors) || (*code != NULL && *message != NULL);
}

/*
 * Only so much of a text is masked: what is kept of it, with room for secrets
 * that begin there.  Masking takes more than linear time.
 */
#define MASKED_MAX (JIBIT_MESSAGE_SIZE + 2 * JIBIT_TOKEN_MAX)

/* Fills *error with what the service says, masked. */
static void
set_service_error(JibitError *error, const JibitHttpRequest *request,
				  const char *code, const char *message,
				  const char *const *secrets)
{
	char *shown_code = code ? pnstrdup(code, MASKED_MAX) : NULL;
	char *shown = message ? pnstrdup(message, MASKED_MAX) : NULL;

	if (shown_code != NULL)
		jibit_mask_text(shown_code, secrets);
	if (shown != NULL)
		jibit_mask_text(shown, secrets);
	jibit_error_set(error, shown_code, request->status, shown,
					request->track_id);
	error->from_service = true;
}

/* A failure of the network, or of memory (which is thrown). */
static void
set_network_error(JibitError *error, const JibitHttpRequest *request)
{
	if (request->end == JIBIT_HTTP_NO_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	jibit_error_set(error,
					request->end == JIBIT_HTTP_TIMEOUT
						? JIBIT_CODE_CONNECTION_TIMEOUT
						: JIBIT_CODE_CONNECTION_FAILED,
					0, jibit_sentence(request->reason), request->track_id);
	if (request->end == JIBIT_HTTP_MISCONFIGURED)
		error->class = JIBIT_CONFIGURATION;
	else if (request->end == JIBIT_HTTP_TLS)
		error->class = JIBIT_UNTRUSTED;
}

/* An answer that is of no use, although its status promised one. */
static void
set_bad_answer(JibitError *error, const JibitHttpRequest *request,
			   const char *why)
{
	char *message = psprintf("The answer cannot be used: %s.", why);

	jibit_error_set(error, JIBIT_CODE_RESPONSE_INVALID, request->status,
					message, request->track_id);
}

/*
 * Deals with what needs no look at an inquiry's own fields.  Returns true
 * when *error is set; else *top is the parsed document of a 2xx answer.
 */
static bool
decode_common(const JibitHttpRequest *request, MemoryContext context,
			  const char *const *secrets, const JibitJson **top,
			  JibitError *error)
{
	const char *why = NULL;
	const char *code = NULL;
	const char *message = NULL;
	int status = request->status;

	*top = NULL;
	if (request->end != JIBIT_HTTP_ANSWERED &&
		request->end != JIBIT_HTTP_TOO_LARGE)
	{
		set_network_error(error, request);
		return true;
	}
	if (request->end == JIBIT_HTTP_TOO_LARGE)
		why = request->reason;
	else
		*top = jibit_json_parse(context, request->body ? request->body : "",
								request->body_length, &why);

	if (status >= 400)
	{
		find_error(*top, &code, &message);
		set_service_error(error, request, code, message, secrets);
		return true;
	}
	if (status < 200)
		why = "its status is none of an answer";
	else if (status >= 300)
		why = "it is a redirect, which is not followed";
	if (why != NULL)
	{
		set_bad_answer(error, request, why);
		return true;
	}
	return false;
}

static void
count_member(const char *name, JibitJson *value, void *arg)
{
	(*(int *) arg)++;
}

/* Is this object an error and nothing else?  For answers of unknown shape. */
static bool
is_bare_error(const JibitJson *top)
{
	int members = 0;

	jibit_json_visit(top, count_member, &members);
	return members == 2 && member_text(top, "code") != NULL &&
		   member_text(top, "message") != NULL;
}

/*
 * Nothing of the answer is mandatory, and nothing of it is there: it may be an
 * error.
 */
static bool
has_nothing(const Decoder *decoder)
{
	return decoder->inquiry->shape == JIBIT_SHAPE_ROW &&
		   decoder->inquiry->container == NULL && !decoder->found;
}

static JibitAnswer *
decode_in_context(const JibitInquiry *inquiry, const JibitHttpRequest *request,
				  const char *const *secrets, JibitError *error,
				  MemoryContext scratch, MemoryContext result)
{
	const JibitJson *top;
	const char *code;
	const char *message;
	Decoder decoder = {.inquiry = inquiry};
	bool has_container;
	bool usable;
	bool is_error;

	if (decode_common(request, scratch, secrets, &top, error))
		return NULL;

	MemoryContextSwitchTo(result);
	jibit_answer_begin(&decoder.writer);
	MemoryContextSwitchTo(scratch);
	if (inquiry->shape == JIBIT_SHAPE_RAW)
	{
		if (is_bare_error(top))
		{
			find_error(top, &code, &message);
			set_service_error(error, request, code, message, secrets);
			return NULL;
		}
		jibit_answer_put_bytes(&decoder.writer, request->body,
							   (int) request->body_length);
		return jibit_answer_finish(&decoder.writer, 1);
	}

	if (!jibit_json_is_object(top))
	{
		set_bad_answer(error, request, "it is no JSON object");
		return NULL;
	}
	has_container = decode_shape(&decoder, top);
	usable = has_container && decoder.broken == NULL;
	if (usable && !has_nothing(&decoder))
		return jibit_answer_finish(&decoder.writer, decoder.nrows);
	is_error = find_error(top, &code, &message);
	if (usable && !is_error)
		return jibit_answer_finish(&decoder.writer, decoder.nrows);

	/* The inquiry's own part is missing: an error that came as a success? */
	if (is_error && (!has_container || usable || decoder.missing))
		set_service_error(error, request, code, message, secrets);
	else if (!has_container)
		set_bad_answer(error, request,
					   psprintf("\"%s\" is missing or of the wrong type",
								inquiry->container));
	else
		set_bad_answer(
			error, request,
			psprintf("\"%s\" is %s", decoder.broken->name,
					 decoder.missing ? "missing" : "of the wrong type"));
	return NULL;
}

JibitAnswer *
jibit_decode_inquiry(const JibitInquiry *inquiry,
					 const JibitHttpRequest *request,
					 const char *const *secrets, JibitError *error)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext scratch;
	JibitAnswer *answer;

	/* Its end frees the JSON library's memory too. */
	scratch = AllocSetContextCreate(result, "jibit answer",
									ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(scratch);
	answer = decode_in_context(inquiry, request, secrets, error, scratch,
							   result);
	MemoryContextSwitchTo(result);
	MemoryContextDelete(scratch);
	return answer;
}

/* A token becomes part of a header line: visible ASCII, of bounded length. */
static bool
is_token(const char *text)
{
	size_t length = 0;

	if (text == NULL)
		return false;
	for (; text[length] != '\0'; length++)
	{
		if (text[length] <= ' ' || text[length] > '~')
			return false;
	}
	return length > 0 && length <= JIBIT_TOKEN_MAX;
}

bool
jibit_decode_tokens(const JibitHttpRequest *request,
					const char *const *secrets, char **access_token,
					char **refresh_token, JibitError *error)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext scratch;
	const JibitJson *top;
	const char *access;
	const char *refresh;
	const char *code;
	const char *message;
	bool ok = false;

	scratch = AllocSetContextCreate(result, "jibit answer",
									ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(scratch);
	if (!decode_common(request, scratch, secrets, &top, error))
	{
		access = member_text(top, "accessToken");
		refresh = member_text(top, "refreshToken");
		if (is_token(access) && is_token(refresh))
		{
			*access_token = MemoryContextStrdup(result, access);
			*refresh_token = MemoryContextStrdup(result, refresh);
			ok = true;
		}
		else if (access == NULL && find_error(top, &code, &message))
			set_service_error(error, request, code, message, secrets);
		else
			set_bad_answer(error, request, "it has no usable pair of tokens");
	}
	MemoryContextSwitchTo(result);
	MemoryContextDelete(scratch);
	return ok;
}
