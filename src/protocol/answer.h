/*
 * A decoded answer, packed into one piece of memory.
 *
 * Rows follow each other, and in a row its columns in the table's order.  A
 * value is a length (-1 for NULL) and that many bytes: UTF-8 text, or an
 * int64, a double or a bool in native form.  A column of rows has its number
 * of rows in place of the length, and then the rows.  Nothing is aligned, so
 * that an answer can be copied and kept as bytes.
 *
 * Writer and reader must follow the same columns; the format does not say
 * what it holds.
 */
#ifndef JIBIT_ANSWER_H
#define JIBIT_ANSWER_H

#include "lib/stringinfo.h"

typedef struct JibitAnswer
{
	int nrows;
	int size; /* of the data */
	char data[FLEXIBLE_ARRAY_MEMBER];
} JibitAnswer;

/* In bytes, with all that it holds. */
#define JIBIT_ANSWER_SIZE(answer) \
	(offsetof(JibitAnswer, data) + (answer)->size)

/* Writing: start, put values, finish; the answer is palloc'd. */
extern void jibit_answer_begin(StringInfo writer);
extern void jibit_answer_put_null(StringInfo writer);
extern void jibit_answer_put_bytes(StringInfo writer, const void *bytes,
								   int length);
extern void jibit_answer_put_count(StringInfo writer, int nrows);
extern JibitAnswer *jibit_answer_finish(StringInfo writer, int nrows);

/* Reading: a cursor. */
typedef struct JibitAnswerReader
{
	const char *next;
	const char *end;
} JibitAnswerReader;

extern void jibit_answer_read(JibitAnswerReader *reader,
							  const JibitAnswer *answer);

/*
 * The next value: its length (-1 for NULL) and, in *bytes, where it is.  Of a
 * column of rows: jibit_answer_get_count() instead.
 */
extern int jibit_answer_get(JibitAnswerReader *reader, const char **bytes);
extern int jibit_answer_get_count(JibitAnswerReader *reader);

#endif /* JIBIT_ANSWER_H */
