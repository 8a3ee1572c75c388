/*
 * From packed answers and errors to SQL values.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/encoding.h"
#include "base/extension.h"
#include "call/result.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* The SQL type of a column; InvalidOid for an array of composites. */
static Oid
sql_type(JibitType type)
{
	switch (type)
	{
		case JIBIT_TYPE_TEXT:
		case JIBIT_TYPE_MEMBER_NAME:
			return TEXTOID;
		case JIBIT_TYPE_BOOL:
		case JIBIT_TYPE_AVAILABILITY:
			return BOOLOID;
		case JIBIT_TYPE_INT4:
			return INT4OID;
		case JIBIT_TYPE_INT8:
			return INT8OID;
		case JIBIT_TYPE_FLOAT8:
			return FLOAT8OID;
		case JIBIT_TYPE_JSON:
		case JIBIT_TYPE_ROWS:
			break;
	}
	return InvalidOid;
}

/* Values are made for these types: others would be read as what they are not. */
static void
refuse_type(const char *which)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_DATATYPE_MISMATCH),
		 errmsg("result type %s has other columns than the library expects",
				which),
		 errhint(
			 "Run ALTER EXTENSION jibit UPDATE, or restart the server with the library that the extension's version needs.")));
}

/* Has the type of an array's elements just these plain columns? */
static bool
has_columns(TupleDesc desc, const JibitColumn *columns, int ncolumns)
{
	if (desc->natts != ncolumns)
		return false;
	for (int i = 0; i < ncolumns; i++)
	{
		if (TupleDescAttr(desc, i)->atttypid != sql_type(columns[i].type))
			return false;
	}
	return true;
}

JibitRowType *
jibit_row_type(const JibitInquiry *inquiry, TupleDesc desc)
{
	JibitRowType *type = palloc0(sizeof(JibitRowType));
	int ncolumns = inquiry->ncolumns;
	bool fits = desc->natts == ncolumns + 1;

	type->desc = BlessTupleDesc(CreateTupleDescCopy(desc));
	type->element_types = palloc0(ncolumns * sizeof(Oid));
	type->element_descs = palloc0(ncolumns * sizeof(TupleDesc));
	for (int i = 0; i < ncolumns && fits; i++)
	{
		Oid found = TupleDescAttr(desc, i)->atttypid;
		Oid wanted = sql_type(inquiry->columns[i].type);

		if (wanted == InvalidOid)
		{
			Oid element = get_element_type(found);
			TupleDesc element_desc = NULL;

			if (OidIsValid(element))
				element_desc = lookup_rowtype_tupdesc_copy(element, -1);
			fits = element_desc != NULL &&
				   has_columns(element_desc, inquiry->columns[i].columns,
							   inquiry->columns[i].ncolumns);
			type->element_types[i] = element;
			type->element_descs[i] = element_desc;
		}
		else
			fits = found == wanted;
	}
	if (!fits)
		refuse_type(psprintf("of inquiry \"%s\"", inquiry->id));
	return type;
}

static Datum
text_datum(const char *utf8, int length)
{
	/* Nearly always, and then one copy is enough. */
	if (!jibit_needs_conversion(utf8, length))
		return PointerGetDatum(cstring_to_text_with_len(utf8, length));
	return CStringGetTextDatum(jibit_utf8_to_server(utf8, length));
}

/* A value that is no array.  Returns false for NULL. */
static bool
read_value(JibitAnswerReader *reader, JibitType type, Datum *value)
{
	const char *bytes;
	int length = jibit_answer_get(reader, &bytes);
	bool boolean;
	int64 integer;
	double number;

	if (length < 0)
		return false;
	switch (type)
	{
		case JIBIT_TYPE_TEXT:
		case JIBIT_TYPE_MEMBER_NAME:
			*value = text_datum(bytes, length);
			break;
		case JIBIT_TYPE_BOOL:
		case JIBIT_TYPE_AVAILABILITY:
			memcpy(&boolean, bytes, sizeof(boolean));
			*value = BoolGetDatum(boolean);
			break;
		case JIBIT_TYPE_INT4:
			memcpy(&integer, bytes, sizeof(integer));
			*value = Int32GetDatum((int32) integer);
			break;
		case JIBIT_TYPE_INT8:
			memcpy(&integer, bytes, sizeof(integer));
			*value = Int64GetDatum(integer);
			break;
		case JIBIT_TYPE_FLOAT8:
			memcpy(&number, bytes, sizeof(number));
			*value = Float8GetDatum(number);
			break;
		case JIBIT_TYPE_JSON:
		case JIBIT_TYPE_ROWS:
			elog(ERROR, "this type of column has no plain value");
	}
	return true;
}

static Datum
read_array(JibitAnswerReader *reader, const JibitColumn *column,
		   Oid element_type, TupleDesc desc)
{
	int nrows = jibit_answer_get_count(reader);
	Datum *rows;
	ArrayType *array;

	if (nrows <= 0)
		return PointerGetDatum(construct_empty_array(element_type));

	rows = palloc(nrows * sizeof(Datum));
	for (int i = 0; i < nrows; i++)
	{
		Datum *values = palloc0(column->ncolumns * sizeof(Datum));
		bool *nulls = palloc0(column->ncolumns * sizeof(bool));

		for (int c = 0; c < column->ncolumns; c++)
			nulls[c] = !read_value(reader, column->columns[c].type,
								   &values[c]);
		rows[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	array = construct_array(rows, nrows, element_type, -1, false,
							TYPALIGN_DOUBLE);
	return PointerGetDatum(array);
}

static bool
value_fits(JibitAnswerReader *reader, JibitType type)
{
	const char *bytes;
	int length = jibit_answer_get(reader, &bytes);
	char *converted;

	if (length < 0 ||
		(type != JIBIT_TYPE_TEXT && type != JIBIT_TYPE_MEMBER_NAME) ||
		!jibit_needs_conversion(bytes, length))
		return true;
	converted = jibit_utf8_to_server_or_null(bytes, length);
	if (converted == NULL)
		return false;
	pfree(converted);
	return true;
}

bool
jibit_answer_fits(const JibitInquiry *inquiry, const JibitAnswer *answer)
{
	JibitAnswerReader reader;
	bool fits = true;

	if (GetDatabaseEncoding() == PG_UTF8)
		return true;
	jibit_answer_read(&reader, answer);
	for (int row = 0; row < answer->nrows; row++)
	{
		for (int i = 0; i < inquiry->ncolumns; i++)
		{
			const JibitColumn *column = &inquiry->columns[i];

			if (column->type != JIBIT_TYPE_ROWS)
			{
				fits &= value_fits(&reader, column->type);
				continue;
			}
			for (int n = jibit_answer_get_count(&reader); n > 0; n--)
			{
				for (int c = 0; c < column->ncolumns; c++)
					fits &= value_fits(&reader, column->columns[c].type);
			}
		}
	}
	return fits;
}

void
jibit_row_values(const JibitInquiry *inquiry, JibitRowType *type,
				 JibitAnswerReader *reader, const char *track_id,
				 Datum *values, bool *nulls)
{
	int ncolumns = inquiry->ncolumns;

	for (int i = 0; i < ncolumns; i++)
	{
		const JibitColumn *column = &inquiry->columns[i];

		nulls[i] = false;
		if (column->type == JIBIT_TYPE_ROWS)
			values[i] = read_array(reader, column, type->element_types[i],
								   type->element_descs[i]);
		else
			nulls[i] = !read_value(reader, column->type, &values[i]);
	}
	values[ncolumns] = CStringGetTextDatum(track_id);
	nulls[ncolumns] = false;
}

Datum
jibit_row_datum(const JibitInquiry *inquiry, JibitRowType *type,
				JibitAnswerReader *reader, const char *track_id)
{
	Datum *values = palloc(type->desc->natts * sizeof(Datum));
	bool *nulls = palloc(type->desc->natts * sizeof(bool));

	jibit_row_values(inquiry, type, reader, track_id, values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(type->desc, values, nulls));
}

/* InvalidOid: not looked up, or a type has changed since. */
static Oid error_type;

static void
on_type_change(Datum arg, int cache, uint32 hash)
{
	error_type = InvalidOid;
}

/* Kept: a batch may have an error for each of its elements. */
Oid
jibit_error_type(void)
{
	static bool registered = false;

	if (!registered)
	{
		CacheRegisterSyscacheCallback(TYPEOID, on_type_change, (Datum) 0);
		registered = true;
	}
	if (!OidIsValid(error_type))
		error_type = GetSysCacheOid2(
			TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("jibit_error"),
			ObjectIdGetDatum(jibit_extension_namespace()));
	return error_type;
}

Datum
jibit_error_datum(const JibitError *error)
{
	static const Oid wanted[] = {TEXTOID, TEXTOID, TEXTOID,
								 INT4OID, BOOLOID, TEXTOID};
	TupleDesc desc = lookup_rowtype_tupdesc(jibit_error_type(), -1);
	const char *message = NULL;
	Datum values[lengthof(wanted)] = {0};
	bool nulls[lengthof(wanted)] = {false};
	HeapTuple tuple;
	bool fits = desc->natts == lengthof(wanted);

	for (int i = 0; i < lengthof(wanted) && fits; i++)
		fits = TupleDescAttr(desc, i)->atttypid == wanted[i];
	if (!fits)
		refuse_type("jibit_error");

	if (error->message[0])
		message = jibit_utf8_to_server_or_null(error->message,
											   strlen(error->message));
	if (message == NULL)
		message = jibit_error_description(error);

	values[0] = CStringGetTextDatum(error->code);
	values[1] = CStringGetTextDatum(message);
	values[2] = CStringGetTextDatum(
		jibit_error_meanings[error->class].sqlstate);
	values[3] = Int32GetDatum(error->http_status);
	nulls[3] = error->http_status == 0;
	values[4] = BoolGetDatum(jibit_error_has(error, JIBIT_MAY_PASS));
	values[5] = CStringGetTextDatum(error->track_id);
	nulls[5] = error->track_id[0] == '\0';
	tuple = heap_form_tuple(desc, values, nulls);
	ReleaseTupleDesc(desc);
	return HeapTupleGetDatum(tuple);
}
