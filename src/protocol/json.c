/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Reading JSON that comes from outside.
 *
 * The only file that knows json-c, which cannot be compiled beside
 * utils/builtins.h: both define json_object.  What json-c allocates is
 * malloc'd; a reset callback of the caller's memory context frees it, so that
 * an error thrown between parsing and reading leaks nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>

#include <json-c/json.h>

#include "base/limits.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "protocol/json.h"
#include "utils/memutils.h"

/* A JibitJson is a json_object under another name. */
#define VALUE(json) ((struct json_object *) unconstify(JibitJson *, json))
#define JSON(value) ((JibitJson *) (value))

/* Integers with so many digits may not fit in 64 bits. */
#define LONG_INTEGER 19

/*
 * In strict mode json-c 0.18 takes every byte above 0x7f for a control
 * character.  Without it a trailing comma is let pass.
 */
#define STRICT_IS_BROKEN ((0 << 16) | (18 << 8) | 0)

static void
free_document(void *arg)
{
	json_object_put(arg);
}

/* Where the string that begins at i has its closing quote; length or more: none. */
static size_t
end_of_string(const char *text, size_t length, size_t i)
{
	for (i++; i < length && text[i] != '"'; i++)
	{
		if (text[i] == '\\')
			i++;
	}
	return i;
}

/*
 * Walks over what stands outside strings.  Returns a reason for what json-c
 * takes although it is no JSON (single quotes, NaN, Infinity, comments).  Says in
 * *long_integers whether there are integers that json-c would saturate.
 */
static const char *
inspect(const char *text, size_t length, bool *long_integers)
{
	int digits = 0;

	*long_integers = false;
	for (size_t i = 0; i < length; i++)
	{
		char c = text[i];

		if (c >= '0' && c <= '9')
		{
			if (++digits == LONG_INTEGER)
				*long_integers = true;
			continue;
		}
		digits = 0;
		if (c == '"')
			i = end_of_string(text, length, i);
		else if (c == '\'' || c == 'N' || c == 'I' || c == '/' || c == '\0')
			return "it is not JSON";
	}
	return NULL;
}

/*
 * Puts integers of many digits into quotes.  A numeric string is taken where
 * a number is expected, and a number where text is, so that this changes no
 * meaning but keeps every digit.
 */
static void
quote_long_integers(StringInfo out, const char *text, size_t length)
{
	for (size_t i = 0; i < length;)
	{
		size_t start = i;
		char c = text[i];

		if (c == '"')
		{
			i = Min(end_of_string(text, length, i) + 1, length);
		}
		else if (c == '-' || (c >= '0' && c <= '9'))
		{
			bool is_integer = true;

			for (i++; i < length && strchr("0123456789.eE+-", text[i]); i++)
			{
				if (text[i] < '0' || text[i] > '9')
					is_integer = false;
			}
			if (is_integer && i - start >= LONG_INTEGER)
			{
				appendStringInfoChar(out, '"');
				appendBinaryStringInfo(out, text + start, (int) (i - start));
				appendStringInfoChar(out, '"');
				continue;
			}
		}
		else
			i++;
		appendBinaryStringInfo(out, text + start, (int) (i - start));
	}
}

/*
 * One tokener serves all answers, since to make one costs as much as a fifth
 * of the parsing.  It is not kept after a failure, of which a reset may leave
 * something behind (half a surrogate pair), nor after a longer text than this:
 * its buffer is as large as the longest string.
 */
#define KEPT_LENGTH_MAX (16 * 1024)

static struct json_tokener *kept_tokener;

static struct json_tokener *
get_tokener(void)
{
	struct json_tokener *tokener = kept_tokener;

	if (tokener != NULL)
		return tokener;
	tokener = json_tokener_new_ex(JIBIT_DEPTH_MAX);
	if (tokener == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (json_c_version_num() != STRICT_IS_BROKEN)
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	kept_tokener = tokener;
	return tokener;
}

/* Nothing is thrown between the two. */
static void
release_tokener(bool keep)
{
	if (keep)
		json_tokener_reset(kept_tokener);
	else
	{
		json_tokener_free(kept_tokener);
		kept_tokener = NULL;
	}
}

JibitJson *
jibit_json_parse(MemoryContext context, const char *text, size_t length,
				 const char **why)
{
	MemoryContextCallback *callback;
	struct json_tokener *tokener;
	struct json_object *document;
	enum json_tokener_error error;
	StringInfoData quoted;
	bool long_integers;
	const char *rest;
	bool is_whole;

	*why = NULL;
	if (length == 0)
		*why = "it is empty";
	else if (!pg_verify_mbstr(PG_UTF8, text, (int) length, true))
		*why = "it is not UTF-8";
	else
		*why = inspect(text, length, &long_integers);
	if (*why != NULL)
		return NULL;

	quoted.data = NULL;
	if (long_integers)
	{
		initStringInfo(&quoted);
		quote_long_integers(&quoted, text, length);
		text = quoted.data;
		length = quoted.len;
	}

	/* All that can throw comes before what malloc gives. */
	callback = MemoryContextAlloc(context, sizeof(*callback));
	tokener = get_tokener();

	/* With the terminator, since only that ends a number. */
	document = json_tokener_parse_ex(tokener, text, (int) length + 1);
	error = json_tokener_get_error(tokener);
	rest = text + Min(json_tokener_get_parse_end(tokener), length);
	is_whole = strspn(rest, " \t\r\n") == (size_t) (text + length - rest);
	release_tokener(error == json_tokener_success &&
					length <= KEPT_LENGTH_MAX);
	if (quoted.data != NULL)
		pfree(quoted.data);

	if (error != json_tokener_success || !is_whole)
	{
		json_object_put(document);
		*why = error == json_tokener_error_depth ? "it is nested too deep"
			   : error == json_tokener_continue	 ? "it ends too early"
												 : "it is not JSON";
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
		case json_type_int:
		case json_type_double:
			return json_object_to_json_string_ext(object,
												  JSON_C_TO_STRING_PLAIN);
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

	/* The text of an integer is exact; json-c's getters saturate. */
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
