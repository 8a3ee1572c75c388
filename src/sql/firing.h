/*
 * What all triggers need of their definition and of the row.
 */
#ifndef JIBIT_FIRING_H
#define JIBIT_FIRING_H

#include "access/htup.h"
#include "access/tupdesc.h"

/*
 * Has one of the trigger's arguments from `first` on the name of argument i,
 * of the form name=value, before it?
 */
extern bool jibit_option_is_repeated(char *const *arguments, int first, int i);

/* Has the column the same value in both rows, to the byte, or NULL? */
extern bool jibit_column_is_same(TupleDesc desc, AttrNumber column,
								 HeapTuple before, HeapTuple after);

/*
 * A column's value as the inquiries take it, in the database's encoding: a
 * date as Jalali text.  Palloc'd; NULL for NULL.
 */
extern char *jibit_column_text(TupleDesc desc, AttrNumber column,
							   HeapTuple row);

#endif /* JIBIT_FIRING_H */
