/*
 * Dates as the inquiries take them.
 */
#include "postgres.h"

#include "fmgr.h"
#include "offline/jalali.h"
#include "sql/dates.h"
#include "utils/fmgrprotos.h"

char *
jibit_jalali_text(DateADT date)
{
	JibitJalali jalali;
	char *text;

	if (DATE_NOT_FINITE(date) || date > PG_INT32_MAX - JIBIT_JDN_2000 ||
		!jibit_jalali_from_jdn(date + JIBIT_JDN_2000, &jalali))
		return DatumGetCString(
			DirectFunctionCall1(date_out, DateADTGetDatum(date)));
	text = palloc(JIBIT_DATE_LENGTH + 1);
	jibit_jalali_format(jalali.year, jalali.month, jalali.day, text);
	return text;
}
