/*
 * Between the database's encoding and the API's UTF-8.
 */
#ifndef JIBIT_ENCODING_H
#define JIBIT_ENCODING_H

/*
 * Has this text other bytes in UTF-8 than in the database's encoding?  Never
 * if it is ASCII, or if the encoding is UTF-8 or SQL_ASCII, which is none.
 */
extern bool jibit_needs_conversion(const char *text, size_t length);

/*
 * UTF-8 to the database's encoding.  Where that lacks the Persian letters ye
 * or keheh, the Arabic ones take their place.  Text that still cannot be
 * represented raises 22P05.  The result is palloc'd and NUL-terminated.  Only
 * inside a transaction.
 */
extern char *jibit_utf8_to_server(const char *utf8, size_t length);

/*
 * The same, but NULL for what cannot be represented.  It does not throw for
 * its input, so that it serves where an error is being reported.
 */
extern char *jibit_utf8_to_server_or_null(const char *utf8, size_t length);

/*
 * The database's encoding to UTF-8; the text has a terminator, and so has the
 * result.  Raises 22021 or 22P05 for bytes that are no text.  The result is
 * palloc'd, or the argument itself where nothing changes.  Only inside a
 * transaction.
 */
extern char *jibit_server_to_utf8(char *text, size_t length);

/*
 * The same, palloc'd, but NULL for text that cannot be converted.  Bytes are
 * not checked where nothing is converted.  Only inside a transaction.
 */
extern char *jibit_server_to_utf8_or_null(const char *text, size_t length);

/* In place of text that cannot be converted: every check refuses it. */
#define JIBIT_NO_TEXT "\xff"

#endif /* JIBIT_ENCODING_H */
