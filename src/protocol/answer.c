/*
 * A decoded answer, packed into one piece of memory.
 */
#include "postgres.h"

#include "protocol/answer.h"

void
jibit_answer_begin(StringInfo writer)
{
	JibitAnswer header = {0, 0};

	initStringInfo(writer);
	appendBinaryStringInfo(writer, (char *) &header,
						   offsetof(JibitAnswer, data));
}

void
jibit_answer_put_count(StringInfo writer, int nrows)
{
	int32 count = nrows;

	appendBinaryStringInfo(writer, (char *) &count, sizeof(count));
}

void
jibit_answer_put_null(StringInfo writer)
{
	jibit_answer_put_count(writer, -1);
}

void
jibit_answer_put_bytes(StringInfo writer, const void *bytes, int length)
{
	jibit_answer_put_count(writer, length);
	appendBinaryStringInfo(writer, bytes, length);
}

JibitAnswer *
jibit_answer_finish(StringInfo writer, int nrows)
{
	JibitAnswer *answer = (JibitAnswer *) writer->data;

	answer->nrows = nrows;
	answer->size = writer->len - (int) offsetof(JibitAnswer, data);
	return answer;
}

void
jibit_answer_read(JibitAnswerReader *reader, const JibitAnswer *answer)
{
	reader->next = answer->data;
	reader->end = answer->data + answer->size;
}

int
jibit_answer_get_count(JibitAnswerReader *reader)
{
	int32 count;

	if (reader->end - reader->next < (ptrdiff_t) sizeof(count))
		elog(ERROR, "packed answer ends too early");
	memcpy(&count, reader->next, sizeof(count));
	reader->next += sizeof(count);
	return count;
}

int
jibit_answer_get(JibitAnswerReader *reader, const char **bytes)
{
	int length = jibit_answer_get_count(reader);

	*bytes = reader->next;
	if (length <= 0)
		return length;
	if (reader->end - reader->next < length)
		elog(ERROR, "packed answer ends too early");
	reader->next += length;
	return length;
}
