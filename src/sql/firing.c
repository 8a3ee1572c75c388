/*
 * What all triggers need of their definition and of the row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "sql/dates.h"
#include "sql/firing.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

bool
jibit_option_is_repeated(char *const *arguments, int first, int i)
{
	size_t length = strcspn(arguments[i], "=");

	for (int j = first; j < i; j++)
	{
		if (strcspn(arguments[j], "=") == length &&
			memcmp(arguments[j], arguments[i], length) == 0)
			return true;
	}
	return false;
}

bool
jibit_column_is_same(TupleDesc desc, AttrNumber column, HeapTuple before,
					 HeapTuple after)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, column - 1);
	bool before_null;
	bool after_null;
	Datum old = SPI_getbinval(before, desc, column, &before_null);
	Datum new = SPI_getbinval(after, desc, column, &after_null);

	if (before_null || after_null)
		return before_null == after_null;
	return datum_image_eq(old, new, attribute->attbyval, attribute->attlen);
}

char *
jibit_column_text(TupleDesc desc, AttrNumber column, HeapTuple row)
{
	Oid type = TupleDescAttr(desc, column - 1)->atttypid;
	Oid output;
	bool is_varlena;
	bool isnull;
	Datum value = SPI_getbinval(row, desc, column, &isnull);

	if (isnull)
		return NULL;
	if (getBaseType(type) == DATEOID)
		return jibit_jalali_text(DatumGetDateADT(value));
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}
