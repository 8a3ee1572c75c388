/*
 * text.c
 *		What each character is to the offline checks.
 */
#include "text.h"

#define DIGIT JIBIT_TEXT_DIGIT
#define BLANK JIBIT_TEXT_BLANK
#define DASH JIBIT_TEXT_DASH
#define PAREN JIBIT_TEXT_PAREN
#define CTRL JIBIT_TEXT_CONTROL
#define BAD JIBIT_TEXT_MALFORMED

/* All others are 0, which is JIBIT_TEXT_PLAIN. */
/* clang-format off */
const uint8_t jibit_text_ascii_kinds[128] = {
	[0x00] = BAD, CTRL, CTRL, CTRL, CTRL, CTRL, CTRL, CTRL,
	[0x08] = CTRL, BLANK, BLANK, BLANK, BLANK, BLANK, CTRL, CTRL,
	[0x10] = CTRL, CTRL, CTRL, CTRL, CTRL, CTRL, CTRL, CTRL,
	[0x18] = CTRL, CTRL, CTRL, CTRL, CTRL, CTRL, CTRL, CTRL,
	[' '] = BLANK, ['('] = PAREN, [')'] = PAREN, ['-'] = DASH,
	['0'] = DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT,
	DIGIT,
	[0x7F] = CTRL,
};
/* clang-format on */

/* Of a character beyond ASCII that is no digit. */
static JibitTextKind
classify(uint32_t code)
{
	/* The letters of most scripts, those of Persian among them. */
	if (code > 0x061C && code < 0x2000)
		return JIBIT_TEXT_PLAIN;

	switch (code)
	{
		case 0x00A0: /* no-break space */
		case 0x2028: /* line separator */
		case 0x2029: /* paragraph separator */
		case 0x202F: /* narrow no-break space */
		case 0x205F: /* medium mathematical space */
		case 0x3000: /* ideographic space */
			return JIBIT_TEXT_BLANK;
		case 0x00AD: /* soft hyphen: invisible, so a mark and no dash */
		case 0x061C: /* Arabic letter mark */
		case 0xFEFF: /* byte order mark */
			return JIBIT_TEXT_MARK;
		case 0x2212: /* minus */
		case 0xFE58: /* small em dash */
		case 0xFE63: /* small hyphen-minus */
		case 0xFF0D: /* full-width hyphen-minus */
			return JIBIT_TEXT_DASH;
		case 0xFF08: /* full-width parentheses */
		case 0xFF09:
			return JIBIT_TEXT_PAREN;
		default:
			break;
	}
	if (code < 0xA0)
		return JIBIT_TEXT_CONTROL;
	if (code < 0x2000 || code > 0x2069)
		return JIBIT_TEXT_PLAIN;
	if (code <= 0x200A)
		return JIBIT_TEXT_BLANK;
	if (code <= 0x200F)
		return JIBIT_TEXT_MARK;
	if (code <= 0x2015)
		return JIBIT_TEXT_DASH;
	/* Embeddings and overrides, joiners and invisible operators, isolates. */
	if ((code >= 0x202A && code <= 0x202E) ||
		(code >= 0x2060 && code <= 0x2064) || code >= 0x2066)
		return JIBIT_TEXT_MARK;
	return JIBIT_TEXT_PLAIN;
}

static bool
is_continuation(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

JibitChar
jibit_text_decode_multibyte(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *) s;
	JibitChar result = {p[0], JIBIT_TEXT_MALFORMED, 1};
	uint32_t code;
	uint8_t size;

	/*
	 * The second byte's range is narrower after some first ones: that keeps
	 * out overlong forms, surrogates and what lies beyond U+10FFFF.
	 */
	if (p[0] >= 0xC2 && p[0] <= 0xDF && len >= 2)
	{
		size = 2;
		code = p[0] & 0x1F;
	}
	else if ((p[0] & 0xF0) == 0xE0 && len >= 3)
	{
		if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
			return result;
		size = 3;
		code = p[0] & 0x0F;
	}
	else if (p[0] >= 0xF0 && p[0] <= 0xF4 && len >= 4)
	{
		if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
			return result;
		size = 4;
		code = p[0] & 0x07;
	}
	else
		return result;

	for (uint8_t i = 1; i < size; i++)
	{
		if (!is_continuation(p[i]))
			return result;
		code = code << 6 | (p[i] & 0x3F);
	}

	result.size = size;
	if (code >= 0x06F0 && code <= 0x06F9)
	{
		result.code = code - 0x06F0 + '0';
		result.kind = JIBIT_TEXT_DIGIT;
	}
	else if (code >= 0x0660 && code <= 0x0669)
	{
		result.code = code - 0x0660 + '0';
		result.kind = JIBIT_TEXT_DIGIT;
	}
	else
	{
		result.code = code;
		result.kind = (uint8_t) classify(code);
	}
	return result;
}

bool
jibit_text_trim(const char *s, size_t len, size_t *start, size_t *end)
{
	bool seen = false;
	size_t i = 0;

	*start = *end = 0;
	while (i < len)
	{
		JibitChar c = jibit_text_decode(s + i, len - i);

		if (c.kind == JIBIT_TEXT_MALFORMED)
			return false;
		if (c.kind != JIBIT_TEXT_BLANK && c.kind != JIBIT_TEXT_MARK)
		{
			if (!seen)
				*start = i;
			seen = true;
			*end = i + c.size;
		}
		i += c.size;
	}
	return true;
}
