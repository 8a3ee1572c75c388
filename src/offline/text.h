/*
 * text.h
 *		The characters of a UTF-8 text as the offline checks see them.
 *
 * Everything that reads a user's text goes through here, so that a digit, a
 * blank or a malformed byte is the same thing for cards, IBANs, codes, dates
 * and names.  Private to this directory.
 */
#ifndef JIBIT_OFFLINE_TEXT_H
#define JIBIT_OFFLINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum JibitTextKind
{
	JIBIT_TEXT_PLAIN,
	JIBIT_TEXT_DIGIT, /* ASCII, Persian or Arabic-Indic */
	JIBIT_TEXT_BLANK, /* spaces of every width, tabs, line ends */
	JIBIT_TEXT_MARK,  /* invisible: zero-width, directional, soft hyphen */
	JIBIT_TEXT_DASH,
	JIBIT_TEXT_PAREN,
	JIBIT_TEXT_CONTROL,
	JIBIT_TEXT_MALFORMED /* not UTF-8, or NUL, which no text can hold */
} JibitTextKind;

typedef struct JibitChar
{
	uint32_t code; /* code point; a digit of any script as '0' to '9' */
	uint8_t kind;  /* a JibitTextKind */
	uint8_t size;  /* bytes taken, at least 1 even where malformed */
} JibitChar;

extern const uint8_t jibit_text_ascii_kinds[128];

extern JibitChar jibit_text_decode_multibyte(const char *s, size_t len);

/*
 * Finds the text without the blanks and marks at its ends, as [*start, *end).
 * Returns false when any byte of it is malformed.
 */
extern bool jibit_text_trim(const char *s, size_t len, size_t *start,
							size_t *end);

/* The first character of s; len must not be 0. */
static inline JibitChar
jibit_text_decode(const char *s, size_t len)
{
	unsigned char c = (unsigned char) *s;
	JibitChar result;

	if (c >= 0x80)
		return jibit_text_decode_multibyte(s, len);
	result.code = c;
	result.kind = jibit_text_ascii_kinds[c];
	result.size = 1;
	return result;
}

#endif
