/*
 * SQL functions that make no call: validators, normalisers, banks, the
 * calendar.
 *
 * They are immutable and may be in CHECK constraints and indexes, so they
 * never depend on a setting.  A text is read where it lies; only one with
 * other than ASCII characters in a database that is not UTF-8 is converted
 * first.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "offline/banks.h"
#include "offline/jalali.h"
#include "offline/normalize.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/tuplestore.h"

/* A text argument as the offline library takes it. */
typedef struct Utf8
{
	const char *data;
	size_t length;
} Utf8;

static bool
has_high_bit(const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(data[i]))
			return true;
	}
	return false;
}

/*
 * SQL_ASCII says nothing of its bytes: they are taken for UTF-8, and are no
 * valid value if they are not.  Nor is what the server cannot convert: a CHECK
 * shall say so, and not raise an error of its own.
 */
static inline Utf8
get_utf8(const text *argument)
{
	Utf8 utf8 = {VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument)};
	int encoding = GetDatabaseEncoding();

	if (likely(encoding == PG_UTF8) || encoding == PG_SQL_ASCII ||
		!has_high_bit(utf8.data, utf8.length))
		return utf8;
	utf8.data = jibit_server_to_utf8_or_null(utf8.data, utf8.length);
	if (utf8.data == NULL)
		utf8.data = JIBIT_NO_TEXT;
	utf8.length = strlen(utf8.data);
	return utf8;
}

/*
 * For each kind of fixed form, a validator and a normaliser.
 */
#define KIND(name, size)                                                    \
	PG_FUNCTION_INFO_V1(jibit_valid_##name);                                \
	Datum jibit_valid_##name(PG_FUNCTION_ARGS)                              \
	{                                                                       \
		Utf8 in = get_utf8(PG_GETARG_TEXT_PP(0));                           \
                                                                            \
		PG_RETURN_BOOL(jibit_normalize_##name(in.data, in.length, NULL) ==  \
					   JIBIT_VALID);                                        \
	}                                                                       \
                                                                            \
	PG_FUNCTION_INFO_V1(jibit_sql_normalize_##name);                        \
	Datum jibit_sql_normalize_##name(PG_FUNCTION_ARGS)                      \
	{                                                                       \
		Utf8 in = get_utf8(PG_GETARG_TEXT_PP(0));                           \
		char out[(size) + 1];                                               \
                                                                            \
		if (jibit_normalize_##name(in.data, in.length, out) != JIBIT_VALID) \
			PG_RETURN_NULL();                                               \
		PG_RETURN_TEXT_P(cstring_to_text(out));                             \
	}

KIND(iban, JIBIT_IBAN_LENGTH)
KIND(card, JIBIT_CARD_LENGTH)
KIND(national_code, JIBIT_NATIONAL_CODE_LENGTH)
KIND(company_id, JIBIT_COMPANY_ID_LENGTH)
KIND(mobile, JIBIT_MOBILE_LENGTH)
KIND(postal_code, JIBIT_POSTAL_CODE_LENGTH)

PG_FUNCTION_INFO_V1(jibit_sql_normalize_name);
Datum
jibit_sql_normalize_name(PG_FUNCTION_ARGS)
{
	Utf8 in = get_utf8(PG_GETARG_TEXT_PP(0));
	char *out = palloc(in.length + 1);

	if (jibit_normalize_name(in.data, in.length, out, in.length + 1) !=
		JIBIT_VALID)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(jibit_utf8_to_server(out, strlen(out))));
}

PG_FUNCTION_INFO_V1(jibit_sql_format_iban);
Datum
jibit_sql_format_iban(PG_FUNCTION_ARGS)
{
	Utf8 in = get_utf8(PG_GETARG_TEXT_PP(0));
	char out[JIBIT_FORMATTED_IBAN_LENGTH + 1];

	if (jibit_format_iban(in.data, in.length, out) != JIBIT_VALID)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(out));
}

PG_FUNCTION_INFO_V1(jibit_sql_mask_card);
Datum
jibit_sql_mask_card(PG_FUNCTION_ARGS)
{
	Utf8 in = get_utf8(PG_GETARG_TEXT_PP(0));
	char out[JIBIT_CARD_LENGTH + 1];

	if (jibit_mask_card(in.data, in.length, out) != JIBIT_VALID)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(out));
}

/*
 * Banks.
 */

PG_FUNCTION_INFO_V1(jibit_iban_bank);
Datum
jibit_iban_bank(PG_FUNCTION_ARGS)
{
	Utf8 in = get_utf8(PG_GETARG_TEXT_PP(0));
	char iban[JIBIT_IBAN_LENGTH + 1];
	const JibitBank *bank = NULL;

	if (jibit_normalize_iban(in.data, in.length, iban) == JIBIT_VALID)
		bank = jibit_bank_by_iban(iban);
	if (bank == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(bank->id));
}

PG_FUNCTION_INFO_V1(jibit_card_bank);
Datum
jibit_card_bank(PG_FUNCTION_ARGS)
{
	Utf8 in = get_utf8(PG_GETARG_TEXT_PP(0));
	char card[JIBIT_CARD_LENGTH + 1];
	const JibitBank *bank = NULL;

	if (jibit_normalize_card(in.data, in.length, card) == JIBIT_VALID)
		bank = jibit_bank_by_card(card);
	if (bank == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(bank->id));
}

/* A list that NULL ends, as text[]. */
static Datum
list_datum(const char *const *list)
{
	ArrayBuildState *state = initArrayResult(TEXTOID, CurrentMemoryContext,
											 false);

	for (; *list != NULL; list++)
		state = accumArrayResult(state, CStringGetTextDatum(*list), false,
								 TEXTOID, CurrentMemoryContext);
	return makeArrayResult(state, CurrentMemoryContext);
}

PG_FUNCTION_INFO_V1(jibit_bank_list);
Datum
jibit_bank_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (const JibitBank *bank = jibit_banks; bank->id; bank++)
	{
		char *persian = jibit_utf8_to_server_or_null(bank->name_fa,
													 strlen(bank->name_fa));
		Datum values[7];
		bool nulls[7] = {false};

		values[0] = CStringGetTextDatum(bank->id);
		values[1] = CStringGetTextDatum(bank->name);
		if (persian != NULL)
			values[2] = CStringGetTextDatum(persian);
		nulls[2] = persian == NULL;
		values[3] = CStringGetTextDatum(bank->website);
		nulls[3] = bank->website[0] == '\0';
		values[4] = list_datum(bank->iban_codes);
		values[5] = list_datum(bank->card_prefixes);
		values[6] = list_datum(bank->merged_from);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

/*
 * The calendar.
 */

PG_FUNCTION_INFO_V1(jibit_to_jalali);
Datum
jibit_to_jalali(PG_FUNCTION_ARGS)
{
	DateADT date = PG_GETARG_DATEADT(0);
	JibitJalali jalali;
	char out[JIBIT_DATE_LENGTH + 1];

	if (DATE_NOT_FINITE(date) || date > PG_INT32_MAX - JIBIT_JDN_2000 ||
		!jibit_jalali_from_jdn(date + JIBIT_JDN_2000, &jalali))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date is out of range for the Jalali calendar"),
				 errdetail("The years %d to %d can be converted.",
						   JIBIT_JALALI_MIN_YEAR, JIBIT_JALALI_MAX_YEAR)));
	jibit_jalali_format(jalali.year, jalali.month, jalali.day, out);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out, JIBIT_DATE_LENGTH));
}

PG_FUNCTION_INFO_V1(jibit_from_jalali);
Datum
jibit_from_jalali(PG_FUNCTION_ARGS)
{
	text *argument = PG_GETARG_TEXT_PP(0);
	Utf8 in = get_utf8(argument);
	JibitJalali jalali;

	switch (jibit_jalali_parse(in.data, in.length, &jalali))
	{
		case JIBIT_DATE_VALID:
			break;
		case JIBIT_DATE_OUT_OF_RANGE:
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("Jalali date out of range: \"%s\"",
							text_to_cstring(argument)),
					 errdetail("There is no such day in the years %d to %d.",
							   JIBIT_JALALI_MIN_YEAR, JIBIT_JALALI_MAX_YEAR)));
			break;
		case JIBIT_DATE_EMPTY:
		case JIBIT_DATE_MALFORMED:
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg("invalid Jalali date: \"%s\"",
						text_to_cstring(argument)),
				 errhint("Write it as YYYYMMDD, YYYY/MM/DD or YYYY-MM-DD.")));
	}
	PG_RETURN_DATEADT(
		jibit_jalali_to_jdn(jalali.year, jalali.month, jalali.day) -
		JIBIT_JDN_2000);
}
