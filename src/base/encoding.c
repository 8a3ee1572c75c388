/*
 * Between the database's encoding and the API's UTF-8.
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "base/encoding.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"

#define PERSIAN_YE "\xDB\x8C"	 /* U+06CC */
#define ARABIC_YE "\xD9\x8A"	 /* U+064A */
#define PERSIAN_KEHEH "\xDA\xA9" /* U+06A9 */
#define ARABIC_KAF "\xD9\x83"	 /* U+0643 */

/*
 * Converts all of the text or returns NULL.  The conversion procedure's own
 * "no error" mode stops at the first character that does not fit.
 */
static char *
convert_or_null(const char *text, size_t length, int from, int to)
{
	Oid procedure = FindDefaultConversionProc(from, to);
	char *result;
	Size size;

	/* The server's own functions take sizes as int. */
	if (!OidIsValid(procedure) ||
		length > (INT_MAX - 1) / MAX_CONVERSION_GROWTH)
		return NULL;

	size = length * MAX_CONVERSION_GROWTH + 1;
	result = MemoryContextAllocHuge(CurrentMemoryContext, size);
	if (pg_do_encoding_conversion_buf(
			procedure, from, to, (unsigned char *) unconstify(char *, text),
			(int) length, (unsigned char *) result, (int) size,
			true) != (int) length)
	{
		pfree(result);
		return NULL;
	}
	return result;
}

/* Persian ye and keheh become the Arabic letters; same length in UTF-8. */
static char *
with_arabic_letters(const char *utf8, size_t length)
{
	char *copy = pnstrdup(utf8, length);

	for (char *p = copy; (p = strstr(p, PERSIAN_YE)) != NULL; p += 2)
		memcpy(p, ARABIC_YE, 2);
	for (char *p = copy; (p = strstr(p, PERSIAN_KEHEH)) != NULL; p += 2)
		memcpy(p, ARABIC_KAF, 2);
	return copy;
}

bool
jibit_needs_conversion(const char *text, size_t length)
{
	int encoding = GetDatabaseEncoding();

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(text[i]))
			return true;
	}
	return false;
}

char *
jibit_utf8_to_server_or_null(const char *utf8, size_t length)
{
	char *result;

	if (!pg_verify_mbstr(PG_UTF8, utf8, (int) length, true))
		return NULL;
	if (!jibit_needs_conversion(utf8, length))
		return pnstrdup(utf8, length);
	if (!IsTransactionState())
		return NULL;

	result = convert_or_null(utf8, length, PG_UTF8, GetDatabaseEncoding());
	if (result == NULL)
	{
		char *copy = with_arabic_letters(utf8, length);

		result = convert_or_null(copy, length, PG_UTF8, GetDatabaseEncoding());
		pfree(copy);
	}
	return result;
}

char *
jibit_utf8_to_server(const char *utf8, size_t length)
{
	char *result;

	if (!jibit_needs_conversion(utf8, length))
		return pnstrdup(utf8, length);

	result = jibit_utf8_to_server_or_null(utf8, length);
	if (result != NULL)
		return result;

	/* The server's own conversion raises the server's own error. */
	return pg_any_to_server(with_arabic_letters(utf8, length), (int) length,
							PG_UTF8);
}

char *
jibit_server_to_utf8(char *text, size_t length)
{
	int encoding = GetDatabaseEncoding();

	/*
	 * ASCII is the same in every encoding that a database can have.  Some have
	 * no conversion, which the server would complain of even for ASCII.
	 */
	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII &&
		!jibit_needs_conversion(text, length))
		return text;
	return pg_server_to_any(text, (int) length, PG_UTF8);
}

char *
jibit_server_to_utf8_or_null(const char *text, size_t length)
{
	if (!jibit_needs_conversion(text, length))
		return pnstrdup(text, length);
	return convert_or_null(text, length, GetDatabaseEncoding(), PG_UTF8);
}
