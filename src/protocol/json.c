/*
 * Reading JSON that comes from outside.
 *
 * The only file that knows json-c, which cannot be compiled beside
 * utils/builtins.h: both define json_object.  What json-c allocates is
 * malloc'd; a reset callback of the caller's memory context frees it, so that
 * an error thrown between parsing and reading leaks nothing.
 *
 * json-c keeps the values, but its own parser is not used.  Up to 0.16 that one
 * loses members or crashes where an allocation fails, and all versions take
 * what is no JSON (single quotes, NaN, Infinity) and cut integers to 64 bits.
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>

#include <json-c/json.h>

#include "base/limits.h"
#include "mb/pg_wchar.h"
#include "protocol/json.h"
#include "utils/memutils.h"

/* A JibitJson is a json_object under another name. */
#define VALUE(json) ((struct json_object *) unconstify(JibitJson *, json))
#define JSON(value) ((JibitJson *) (value))

/* What stands for half a surrogate pair. */
#define REPLACEMENT 0xfffd

static const char NOT_JSON[] = "it is not JSON";
static const char TOO_SHORT[] = "it ends too early";
static const char TOO_DEEP[] = "it is nested too deep";
static const char NO_MEMORY[] = "out of memory";

/*
 * Where the parser is.  The text is a copy with a terminator, and the only NUL:
 * strings are decoded in place, since none becomes longer.
 */
typedef struct Parser
{
	char *at;
	int depth;
	const char *why; /* of a failure */
} Parser;

static bool parse_value(Parser *parser, struct json_object **value);

static void
free_document(void *arg)
{
	json_object_put(arg);
}

static bool
fail(Parser *parser, const char *why)
{
	parser->why = why;
	return false;
}

/* What stands here is not what must. */
static bool
fail_here(Parser *parser)
{
	return fail(parser, *parser->at == '\0' ? TOO_SHORT : NOT_JSON);
}

static void
skip_blanks(Parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

/* Goes past one character, if it is there. */
static bool
take(Parser *parser, char c)
{
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* The four digits behind \u. */
static bool
parse_hexadecimal(Parser *parser, pg_wchar *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++, parser->at++)
	{
		char c = *parser->at;

		if (c >= '0' && c <= '9')
			*unit = *unit * 16 + (c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			*unit = *unit * 16 + ((c | 0x20) - 'a' + 10);
		else
			return fail_here(parser);
	}
	return true;
}

/* The rest of \u; its second half too, if it is one of a pair. */
static bool
parse_unicode(Parser *parser, char **out)
{
	pg_wchar c;
	pg_wchar second;

	if (!parse_hexadecimal(parser, &c))
		return false;
	if (is_utf16_surrogate_first(c) && parser->at[0] == '\\' &&
		parser->at[1] == 'u')
	{
		char *here = parser->at;

		parser->at += 2;
		if (!parse_hexadecimal(parser, &second))
			return false;
		if (is_utf16_surrogate_second(second))
			c = surrogate_pair_to_codepoint(c, second);
		else
			parser->at = here;
	}
	if (is_utf16_surrogate_first(c) || is_utf16_surrogate_second(c))
		c = REPLACEMENT;
	unicode_to_utf8(c, (unsigned char *) *out);
	*out += pg_encoding_mblen(PG_UTF8, *out);
	return true;
}

/* The rest of an escape. */
static bool
parse_escape(Parser *parser, char **out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (take(parser, 'u'))
		return parse_unicode(parser, out);
	if (*parser->at == '\0' || (name = strchr(names, *parser->at)) == NULL)
		return fail_here(parser);
	*(*out)++ = meanings[name - names];
	parser->at++;
	return true;
}

/* A string, or a member's name; a terminator follows what it is. */
static bool
parse_text(Parser *parser, char **text, int *length)
{
	char *out;

	if (!take(parser, '"'))
		return fail_here(parser);
	*text = out = parser->at;
	while (*parser->at != '"')
	{
		size_t plain = strcspn(parser->at, "\"\\");

		memmove(out, parser->at, plain);
		out += plain;
		parser->at += plain;
		if (take(parser, '\\'))
		{
			if (!parse_escape(parser, &out))
				return false;
		}
		else if (*parser->at == '\0')
			return fail_here(parser);
	}
	parser->at++;
	*out = '\0';
	*length = (int) (out - *text);
	return true;
}

static bool
skip_digits(Parser *parser)
{
	size_t digits = strspn(parser->at, "0123456789");

	parser->at += digits;
	return digits > 0;
}

/* All that is read of a number is its text. */
static bool
parse_number(Parser *parser, struct json_object **value)
{
	char *start = parser->at;
	char behind;

	(void) take(parser, '-');
	if (!take(parser, '0') && !skip_digits(parser))
		return fail_here(parser);
	if (take(parser, '.') && !skip_digits(parser))
		return fail_here(parser);
	if (take(parser, 'e') || take(parser, 'E'))
	{
		if (!take(parser, '-'))
			(void) take(parser, '+');
		if (!skip_digits(parser))
			return fail_here(parser);
	}
	behind = *parser->at;
	*parser->at = '\0';
	*value = json_object_new_double_s(0, start);
	*parser->at = behind;
	return *value != NULL || fail(parser, NO_MEMORY);
}

static bool
parse_word(Parser *parser, const char *word)
{
	while (*word != '\0')
	{
		if (!take(parser, *word++))
			return fail_here(parser);
	}
	return true;
}

static bool
parse_elements(Parser *parser, struct json_object *array)
{
	do
	{
		struct json_object *value;

		if (!parse_value(parser, &value))
			return false;
		if (json_object_array_add(array, value) != 0)
		{
			json_object_put(value);
			return fail(parser, NO_MEMORY);
		}
		skip_blanks(parser);
	} while (take(parser, ','));
	return take(parser, ']') || fail_here(parser);
}

static bool
parse_members(Parser *parser, struct json_object *object)
{
	do
	{
		struct json_object *value;
		char *name;
		int length;

		skip_blanks(parser);
		if (!parse_text(parser, &name, &length))
			return false;
		skip_blanks(parser);
		if (!take(parser, ':'))
			return fail_here(parser);
		if (!parse_value(parser, &value))
			return false;
		if (json_object_object_add(object, name, value) != 0)
		{
			json_object_put(value);
			return fail(parser, NO_MEMORY);
		}
		skip_blanks(parser);
	} while (take(parser, ','));
	return take(parser, '}') || fail_here(parser);
}

/* An object or an array, which ends with `end`. */
static bool
parse_container(Parser *parser, struct json_object *container, char end,
				bool (*parse)(Parser *, struct json_object *))
{
	bool ok;

	if (container == NULL)
		return fail(parser, NO_MEMORY);
	if (++parser->depth > JIBIT_DEPTH_MAX)
		return fail(parser, TOO_DEEP);
	parser->at++;
	skip_blanks(parser);
	ok = take(parser, end) || parse(parser, container);
	parser->depth--;
	return ok;
}

/* On failure, *value is what there is of it, and still to be freed. */
static bool
parse_any(Parser *parser, struct json_object **value)
{
	char *text;
	int length;

	*value = NULL;
	skip_blanks(parser);
	switch (*parser->at)
	{
		case '{':
			*value = json_object_new_object();
			return parse_container(parser, *value, '}', parse_members);
		case '[':
			*value = json_object_new_array();
			return parse_container(parser, *value, ']', parse_elements);
		case '"':
			if (!parse_text(parser, &text, &length))
				return false;
			*value = json_object_new_string_len(text, length);
			return *value != NULL || fail(parser, NO_MEMORY);
		case 't':
		case 'f':
			*value = json_object_new_boolean(*parser->at == 't');
			if (*value == NULL)
				return fail(parser, NO_MEMORY);
			return parse_word(parser, *parser->at == 't' ? "true" : "false");
		case 'n':
			return parse_word(parser, "null");
		default:
			return parse_number(parser, value);
	}
}

/* NULL is a value too, that of null. */
static bool
parse_value(Parser *parser, struct json_object **value)
{
	if (parse_any(parser, value))
		return true;
	json_object_put(*value);
	*value = NULL;
	return false;
}

JibitJson *
jibit_json_parse(MemoryContext context, const char *text, size_t length,
				 const char **why)
{
	MemoryContextCallback *callback;
	struct json_object *document;
	Parser parser = {NULL};
	char *copy;
	bool ok;

	*why = NULL;
	if (length == 0)
		*why = "it is empty";
	else if (!pg_verify_mbstr(PG_UTF8, text, (int) length, true))
		*why = "it is not UTF-8";
	if (*why != NULL)
		return NULL;

	/* All that can throw comes before what malloc gives. */
	callback = MemoryContextAlloc(context, sizeof(*callback));
	copy = pnstrdup(text, length);
	parser.at = copy;
	ok = parse_value(&parser, &document);
	if (ok)
	{
		skip_blanks(&parser);
		ok = *parser.at == '\0' || fail(&parser, NOT_JSON);
	}
	pfree(copy);
	if (!ok)
	{
		json_object_put(document);
		if (parser.why == NO_MEMORY)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
		*why = parser.why;
		return NULL;
	}
	if (document == NULL)
		return NULL;
	callback->func = free_document;
	callback->arg = document;
	MemoryContextRegisterResetCallback(context, callback);
	return JSON(document);
}

bool
jibit_json_is_object(const JibitJson *value)
{
	return json_object_is_type(VALUE(value), json_type_object);
}

bool
jibit_json_is_array(const JibitJson *value)
{
	return json_object_is_type(VALUE(value), json_type_array);
}

bool
jibit_json_is_string(const JibitJson *value)
{
	return json_object_is_type(VALUE(value), json_type_string);
}

JibitJson *
jibit_json_member(const JibitJson *object, const char *name)
{
	struct json_object *value = NULL;

	if (!jibit_json_is_object(object))
		return NULL;
	json_object_object_get_ex(VALUE(object), name, &value);
	return JSON(value);
}

int
jibit_json_length(const JibitJson *array)
{
	if (!jibit_json_is_array(array))
		return 0;
	return (int) json_object_array_length(VALUE(array));
}

JibitJson *
jibit_json_element(const JibitJson *array, int i)
{
	if (!jibit_json_is_array(array))
		return NULL;
	return JSON(json_object_array_get_idx(VALUE(array), i));
}

void
jibit_json_visit(const JibitJson *object, JibitJsonVisitor visitor, void *arg)
{
	struct json_object_iterator at;
	struct json_object_iterator end;

	if (!jibit_json_is_object(object))
		return;
	at = json_object_iter_begin(VALUE(object));
	end = json_object_iter_end(VALUE(object));
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		visitor(json_object_iter_peek_name(&at),
				JSON(json_object_iter_peek_value(&at)), arg);
}

const char *
jibit_json_text(const JibitJson *value)
{
	struct json_object *object = VALUE(value);
	const char *text;

	switch (json_object_get_type(object))
	{
		case json_type_string:
			text = json_object_get_string(object);
			if (strlen(text) != (size_t) json_object_get_string_len(object))
				return NULL;
			return text;
		case json_type_boolean:
			return json_object_get_boolean(object) ? "true" : "false";
		case json_type_double:
			return json_object_get_userdata(object);
		default:
			return NULL;
	}
}

bool
jibit_json_int64(const JibitJson *value, int64 *result)
{
	const char *text;
	char *end;
	double number;

	if (json_object_is_type(VALUE(value), json_type_boolean) ||
		(text = jibit_json_text(value)) == NULL || *text == '\0')
		return false;
	errno = 0;
	*result = strtoll(text, &end, 10);
	if (*end == '\0')
		return errno == 0;

	/* 85.0 and 1e2 are integers too. */
	if (!jibit_json_double(value, &number) || number != rint(number) ||
		!FLOAT8_FITS_IN_INT64(number))
		return false;
	*result = (int64) number;
	return true;
}

bool
jibit_json_double(const JibitJson *value, double *result)
{
	const char *text;
	char *end;

	if (json_object_is_type(VALUE(value), json_type_boolean) ||
		(text = jibit_json_text(value)) == NULL || *text == '\0')
		return false;

	/*
	 * The server's numeric locale is C.  strtod() also takes hexadecimal
	 * numbers and names, which are no JSON.
	 */
	if (strspn(text, "+-0123456789.eE") != strlen(text))
		return false;
	*result = strtod(text, &end);
	return *end == '\0' && !isinf(*result) && !isnan(*result);
}

bool
jibit_json_boolean(const JibitJson *value, bool *result)
{
	const char *text = jibit_json_text(value);

	if (text == NULL)
		return false;
	if (pg_strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0)
		*result = true;
	else if (pg_strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0)
		*result = false;
	else
		return false;
	return true;
}
