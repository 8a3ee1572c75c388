/*
 * test_text.c
 *		The characters of a text.
 */
#include <stdio.h>
#include <string.h>

#include "testing.h"
#include "text.h"

static size_t
encode(unsigned code, char *out)
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xC0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xE0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3F));
		out[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3F));
	out[2] = (char) (0x80 | (code >> 6 & 0x3F));
	out[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

/* The contract's lists, as ranges. */
static const struct
{
	unsigned first;
	unsigned last;
	JibitTextKind kind;
} kinds[] = {
	{0x0000, 0x0000, JIBIT_TEXT_MALFORMED},
	{0x0001, 0x0008, JIBIT_TEXT_CONTROL},
	{0x0009, 0x000D, JIBIT_TEXT_BLANK},
	{0x000E, 0x001F, JIBIT_TEXT_CONTROL},
	{' ', ' ', JIBIT_TEXT_BLANK},
	{'(', ')', JIBIT_TEXT_PAREN},
	{'-', '-', JIBIT_TEXT_DASH},
	{'0', '9', JIBIT_TEXT_DIGIT},
	{0x007F, 0x009F, JIBIT_TEXT_CONTROL},
	{0x00A0, 0x00A0, JIBIT_TEXT_BLANK},
	{0x00AD, 0x00AD, JIBIT_TEXT_MARK},
	{0x061C, 0x061C, JIBIT_TEXT_MARK},
	{0x0660, 0x0669, JIBIT_TEXT_DIGIT},
	{0x06F0, 0x06F9, JIBIT_TEXT_DIGIT},
	{0x2000, 0x200A, JIBIT_TEXT_BLANK},
	{0x200B, 0x200F, JIBIT_TEXT_MARK},
	{0x2010, 0x2015, JIBIT_TEXT_DASH},
	{0x2028, 0x2029, JIBIT_TEXT_BLANK},
	{0x202A, 0x202E, JIBIT_TEXT_MARK},
	{0x202F, 0x202F, JIBIT_TEXT_BLANK},
	{0x205F, 0x205F, JIBIT_TEXT_BLANK},
	{0x2060, 0x2064, JIBIT_TEXT_MARK},
	{0x2066, 0x2069, JIBIT_TEXT_MARK},
	{0x2212, 0x2212, JIBIT_TEXT_DASH},
	{0x3000, 0x3000, JIBIT_TEXT_BLANK},
	{0xFE58, 0xFE58, JIBIT_TEXT_DASH},
	{0xFE63, 0xFE63, JIBIT_TEXT_DASH},
	{0xFEFF, 0xFEFF, JIBIT_TEXT_MARK},
	{0xFF08, 0xFF09, JIBIT_TEXT_PAREN},
	{0xFF0D, 0xFF0D, JIBIT_TEXT_DASH},
};

void
test_characters(void)
{
	static const struct
	{
		const char *bytes;
		size_t len;
	} malformed[] = {
		{"\x80", 1},
		{"\xBF", 1},
		{"\xC0\x80", 2},
		{"\xC1\xBF", 2},
		{"\xC2", 1},
		{"\xDB", 1},
		{"\xDB\x30", 2},
		{"\xE0\x80\x80", 3},
		{"\xE0\x9F\xBF", 3},
		{"\xE2\x80", 2},
		{"\xE2\x80\x30", 3},
		{"\xED\xA0\x80", 3},
		{"\xED\xBF\xBF", 3},
		{"\xF0\x80\x80\x80", 4},
		{"\xF0\x8F\xBF\xBF", 4},
		{"\xF0\x9F\x98", 3},
		{"\xF4\x90\x80\x80", 4},
		{"\xF5\x80\x80\x80", 4},
		{"\xFF", 1},
		{"\xFE\x80", 2},
	};
	bool passed = true;

	for (unsigned code = 0; code <= 0x10FFFF; code++)
	{
		char bytes[4];
		size_t size = encode(code, bytes);
		JibitChar c = jibit_text_decode(bytes, size);
		JibitTextKind kind = JIBIT_TEXT_PLAIN;
		unsigned expected = code;

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		{
			if (code >= kinds[i].first && code <= kinds[i].last)
			{
				kind = kinds[i].kind;
				if (kind == JIBIT_TEXT_DIGIT)
					expected = '0' + code - kinds[i].first;
			}
		}
		if (code >= 0xD800 && code <= 0xDFFF)
		{
			if (c.kind != JIBIT_TEXT_MALFORMED || c.size != 1)
				complain(&passed, "surrogate U+%04X", code);
		}
		else if (c.kind != kind || c.size != size || c.code != expected)
			complain(&passed, "U+%04X: kind %d, size %d, code %x", code,
					 c.kind, c.size, (unsigned) c.code);
		for (size_t cut = 1; cut < size; cut++)
		{
			if (jibit_text_decode(bytes, cut).kind != JIBIT_TEXT_MALFORMED)
				complain(&passed, "U+%04X cut to %d", code, (int) cut);
		}
	}
	ok(passed, "every code point has its kind");

	passed = true;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
	{
		JibitChar c = jibit_text_decode(malformed[i].bytes, malformed[i].len);

		if (c.kind != JIBIT_TEXT_MALFORMED || c.size != 1)
			complain(&passed, "malformed %d", (int) i);
	}
	ok(passed, "malformed sequences are seen");
}
