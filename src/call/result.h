/*
 * From packed answers and errors to SQL values.
 */
#ifndef JIBIT_RESULT_H
#define JIBIT_RESULT_H

#include "access/tupdesc.h"
#include "base/errors.h"
#include "protocol/answer.h"
#include "protocol/inquiries.h"

/* A composite type that holds an inquiry's rows. */
typedef struct JibitRowType
{
	TupleDesc desc;		/* blessed */
	Oid *element_types; /* of columns that are arrays of composites */
	TupleDesc *element_descs;
} JibitRowType;

/*
 * Makes ready to form rows of the described type, in the current context.
 * Raises an error where it has not the inquiry's columns.
 */
extern JibitRowType *jibit_row_type(const JibitInquiry *inquiry,
									TupleDesc desc);

/*
 * The next row of an answer, as values for the type's columns.  Text that the
 * database's encoding cannot represent raises 22P05.
 */
extern void jibit_row_values(const JibitInquiry *inquiry, JibitRowType *type,
							 JibitAnswerReader *reader, const char *track_id,
							 Datum *values, bool *nulls);

/* The same as a composite value. */
extern Datum jibit_row_datum(const JibitInquiry *inquiry, JibitRowType *type,
							 JibitAnswerReader *reader, const char *track_id);

/* Can the database's encoding represent all text of an answer? */
extern bool jibit_answer_fits(const JibitInquiry *inquiry,
							  const JibitAnswer *answer);

/* A jibit_error, and its type. */
extern Datum jibit_error_datum(const JibitError *error);
extern Oid jibit_error_type(void);

#endif /* JIBIT_RESULT_H */
