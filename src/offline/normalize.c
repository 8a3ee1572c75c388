/*
 * normalize.c
 *		Validation and normalisation of what users type.
 *
 * Cards, IBANs, codes and mobiles all go the same way: the text is squeezed
 * to the digits (and letters) that mean something, and those are checked.  A
 * text that already is in the form most columns hold is checked where it
 * stands.
 */
#include "normalize.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

#define IBAN_DIGITS 24

/* 0098 and the ten digits, the longest form of a mobile. */
#define MOBILE_INPUT_MAX 14
#define MOBILE_SUBSCRIBER_DIGITS 10

#define MASK_FIRST 6
#define MASK_LAST 4

/* Letters of two bytes each, so that replacing one keeps the length. */
#define ARABIC_YEH 0x064A
#define ARABIC_KAF 0x0643
#define PERSIAN_YEH "\xDB\x8C"
#define PERSIAN_KAF "\xDA\xA9"

/* Returned by squeeze_text() for what no argument may hold. */
#define SQUEEZE_INVALID (-1)

/* No branch in the loop: compilers then check many bytes at a time. */
static inline bool
all_digits(const char *s, size_t len)
{
	int others = 0;

	for (size_t i = 0; i < len; i++)
		others |= (unsigned char) (s[i] - '0') > 9;
	return !others;
}

/*
 * Copies s to buf without blanks, dashes, parentheses and marks, with ASCII
 * digits and capitals.  Returns how many bytes that is, SQUEEZE_INVALID when
 * it is more than max or holds anything but printable ASCII.
 */
static int
squeeze_text(const char *s, size_t len, char *buf, int max)
{
	int n = 0;
	size_t i = 0;

	while (i < len)
	{
		JibitChar c = jibit_text_decode(s + i, len - i);

		i += c.size;
		switch ((JibitTextKind) c.kind)
		{
			case JIBIT_TEXT_BLANK:
			case JIBIT_TEXT_MARK:
			case JIBIT_TEXT_DASH:
			case JIBIT_TEXT_PAREN:
				continue;
			case JIBIT_TEXT_CONTROL:
			case JIBIT_TEXT_MALFORMED:
				return SQUEEZE_INVALID;
			case JIBIT_TEXT_PLAIN:
				if (c.code >= 0x80)
					return SQUEEZE_INVALID;
				if (c.code >= 'a' && c.code <= 'z')
					c.code -= 'a' - 'A';
				break;
			case JIBIT_TEXT_DIGIT:
				break;
		}
		if (n == max)
			return SQUEEZE_INVALID;
		buf[n++] = (char) c.code;
	}
	return n;
}

/*
 * Makes *digits point to exactly n ASCII digits, in s itself or in buf, which
 * has room for n.
 */
static inline JibitVerdict
find_digits(const char *s, size_t len, int n, char *buf, const char **digits)
{
	int found;

	if (len == (size_t) n && all_digits(s, (size_t) n))
	{
		*digits = s;
		return JIBIT_VALID;
	}
	found = squeeze_text(s, len, buf, n);
	if (found == 0)
		return JIBIT_EMPTY;
	if (found != n || !all_digits(buf, (size_t) n))
		return JIBIT_INVALID;
	*digits = buf;
	return JIBIT_VALID;
}

static inline void
write_result(char *out, const char *text, size_t len)
{
	if (out == NULL)
		return;
	memcpy(out, text, len);
	out[len] = '\0';
}

static inline int
digit_at(const char *digits, int i)
{
	return digits[i] - '0';
}

/*
 * n is even: two digits at a time, since each step waits for the one before.
 * The characters are added up as they are; the '0' that each is too much is
 * subtracted at the end, for all at once.
 */
static inline uint32_t
read_number(const char *digits, int n)
{
	uint32_t number = 0;
	uint32_t ones = 0;

	for (int i = 0; i < n; i += 2)
	{
		number = number * 100 + (uint32_t) (digits[i] * 10 + digits[i + 1]);
		ones = ones * 100 + 11;
	}
	return number - '0' * ones;
}

/* Luhn: every second digit doubled, and the digits of that added up. */
static inline bool
has_luhn_digit(const char *digits)
{
	int sum = 0;

	for (int i = 0; i < JIBIT_CARD_LENGTH; i += 2)
	{
		int twice = 2 * digit_at(digits, i);

		sum += twice - (twice > 9 ? 9 : 0) + digit_at(digits, i + 1);
	}
	return sum % 10 == 0;
}

JibitVerdict
jibit_normalize_card(const char *s, size_t len, char *out)
{
	char buf[JIBIT_CARD_LENGTH];
	const char *digits;
	JibitVerdict verdict;

	verdict = find_digits(s, len, JIBIT_CARD_LENGTH, buf, &digits);
	if (verdict != JIBIT_VALID)
		return verdict;
	if (!has_luhn_digit(digits))
		return JIBIT_INVALID;
	write_result(out, digits, JIBIT_CARD_LENGTH);
	return JIBIT_VALID;
}

/*
 * ISO 13616: the number made of the account's 22 digits, IR as 1827 and the
 * two check digits leaves 1 modulo 97.  Each part is multiplied by what its
 * power of ten leaves, so that one division is enough.
 */
static inline bool
has_iban_digits(const char *digits)
{
	const uint64_t e6 = 1000000 % 97;
	const uint64_t e14 = UINT64_C(100000000000000) % 97;
	const uint64_t e20 = e14 * e6 % 97;
	uint64_t check = read_number(digits, 2);
	uint64_t high = read_number(digits + 2, 8);
	uint64_t middle = read_number(digits + 10, 6);
	uint64_t low = read_number(digits + 16, 8);

	return (high * e20 + middle * e14 + low * e6 + 182700 + check) % 97 == 1;
}

JibitVerdict
jibit_normalize_iban(const char *s, size_t len, char *out)
{
	char buf[JIBIT_IBAN_LENGTH];
	int found;

	if (len == JIBIT_IBAN_LENGTH && s[0] == 'I' && s[1] == 'R' &&
		all_digits(s + 2, IBAN_DIGITS))
		s += 2;
	else
	{
		found = squeeze_text(s, len, buf, JIBIT_IBAN_LENGTH);
		if (found == 0)
			return JIBIT_EMPTY;
		s = buf;
		if (found == JIBIT_IBAN_LENGTH && buf[0] == 'I' && buf[1] == 'R')
			s += 2;
		else if (found != IBAN_DIGITS)
			return JIBIT_INVALID;
		if (!all_digits(s, IBAN_DIGITS))
			return JIBIT_INVALID;
	}

	if (!has_iban_digits(s))
		return JIBIT_INVALID;
	if (out != NULL)
	{
		out[0] = 'I';
		out[1] = 'R';
		write_result(out + 2, s, IBAN_DIGITS);
	}
	return JIBIT_VALID;
}

static inline bool
has_national_code_digit(const char *digits)
{
	int sum = 0;
	int rest;

	for (int i = 0; i < JIBIT_NATIONAL_CODE_LENGTH - 1; i++)
		sum += digit_at(digits, i) * (JIBIT_NATIONAL_CODE_LENGTH - i);
	rest = sum % 11;
	return digit_at(digits, JIBIT_NATIONAL_CODE_LENGTH - 1) ==
		   (rest < 2 ? rest : 11 - rest);
}

JibitVerdict
jibit_normalize_national_code(const char *s, size_t len, char *out)
{
	char buf[JIBIT_NATIONAL_CODE_LENGTH];
	const char *digits;
	JibitVerdict verdict;

	verdict = find_digits(s, len, JIBIT_NATIONAL_CODE_LENGTH, buf, &digits);
	if (verdict != JIBIT_VALID)
		return verdict;
	if (!has_national_code_digit(digits))
		return JIBIT_INVALID;

	/*
	 * Ten equal digits always have the right check digit, but only ten ones
	 * have been issued.  memcmp() compares each digit with the next.
	 */
	if (digits[0] != '1' && digits[0] == digits[1] &&
		memcmp(digits, digits + 1, JIBIT_NATIONAL_CODE_LENGTH - 1) == 0)
		return JIBIT_INVALID;
	write_result(out, digits, JIBIT_NATIONAL_CODE_LENGTH);
	return JIBIT_VALID;
}

static inline bool
has_company_id_digit(const char *digits)
{
	static const uint8_t weights[JIBIT_COMPANY_ID_LENGTH - 1] = {
		29, 27, 23, 19, 17, 29, 27, 23, 19, 17};
	int offset = digit_at(digits, JIBIT_COMPANY_ID_LENGTH - 2) + 2;
	int sum = 0;

	for (int i = 0; i < JIBIT_COMPANY_ID_LENGTH - 1; i++)
		sum += (digit_at(digits, i) + offset) * weights[i];
	return digit_at(digits, JIBIT_COMPANY_ID_LENGTH - 1) == sum % 11 % 10;
}

JibitVerdict
jibit_normalize_company_id(const char *s, size_t len, char *out)
{
	char buf[JIBIT_COMPANY_ID_LENGTH];
	const char *digits;
	JibitVerdict verdict;

	verdict = find_digits(s, len, JIBIT_COMPANY_ID_LENGTH, buf, &digits);
	if (verdict != JIBIT_VALID)
		return verdict;
	if (!has_company_id_digit(digits))
		return JIBIT_INVALID;
	write_result(out, digits, JIBIT_COMPANY_ID_LENGTH);
	return JIBIT_VALID;
}

JibitVerdict
jibit_normalize_mobile(const char *s, size_t len, char *out)
{
	/* What may stand before the subscriber's ten digits. */
	static const char *const prefixes[] = {"0", "", "+98", "98", "0098"};
	char buf[MOBILE_INPUT_MAX];
	int found;
	size_t before;

	if (len == JIBIT_MOBILE_LENGTH && s[0] == '0' && s[1] == '9' &&
		all_digits(s, JIBIT_MOBILE_LENGTH))
	{
		write_result(out, s, JIBIT_MOBILE_LENGTH);
		return JIBIT_VALID;
	}

	found = squeeze_text(s, len, buf, MOBILE_INPUT_MAX);
	if (found == 0)
		return JIBIT_EMPTY;
	if (found < MOBILE_SUBSCRIBER_DIGITS)
		return JIBIT_INVALID;
	before = (size_t) (found - MOBILE_SUBSCRIBER_DIGITS);
	s = buf + before;
	if (s[0] != '9' || !all_digits(s, MOBILE_SUBSCRIBER_DIGITS))
		return JIBIT_INVALID;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
	{
		if (strlen(prefixes[i]) == before &&
			memcmp(buf, prefixes[i], before) == 0)
		{
			if (out != NULL)
			{
				out[0] = '0';
				write_result(out + 1, s, MOBILE_SUBSCRIBER_DIGITS);
			}
			return JIBIT_VALID;
		}
	}
	return JIBIT_INVALID;
}

/* Codes of which nothing but the length can be checked. */
static inline JibitVerdict
normalize_plain_code(const char *s, size_t len, char *out, char *buf, int n)
{
	const char *digits;
	JibitVerdict verdict = find_digits(s, len, n, buf, &digits);

	if (verdict == JIBIT_VALID)
		write_result(out, digits, (size_t) n);
	return verdict;
}

JibitVerdict
jibit_normalize_postal_code(const char *s, size_t len, char *out)
{
	char buf[JIBIT_POSTAL_CODE_LENGTH];

	return normalize_plain_code(s, len, out, buf, JIBIT_POSTAL_CODE_LENGTH);
}

JibitVerdict
jibit_normalize_corporation_code(const char *s, size_t len, char *out)
{
	char buf[JIBIT_CORPORATION_CODE_LENGTH];

	return normalize_plain_code(s, len, out, buf,
								JIBIT_CORPORATION_CODE_LENGTH);
}

JibitVerdict
jibit_normalize_fida(const char *s, size_t len, char *out)
{
	char buf[JIBIT_FIDA_MAX_LENGTH];
	int found = squeeze_text(s, len, buf, JIBIT_FIDA_MAX_LENGTH);

	if (found == 0)
		return JIBIT_EMPTY;
	if (found == SQUEEZE_INVALID || !all_digits(buf, (size_t) found))
		return JIBIT_INVALID;
	write_result(out, buf, (size_t) found);
	return JIBIT_VALID;
}

/* What copy_trimmed() does besides trimming the ends. */
typedef enum CopyRule
{
	COPY_ASCII_DIGITS,
	COPY_COMPACT,	 /* ASCII digits, and no separators or marks */
	COPY_IDENTIFIER, /* capitals, and nothing but [A-Z0-9_] */
	COPY_NAME		 /* Persian yeh and kaf, and no control characters */
} CopyRule;

static inline bool
is_identifier_char(uint32_t code)
{
	return (code >= 'A' && code <= 'Z') || (code >= '0' && code <= '9') ||
		   code == '_';
}

/* Tabs and line ends are blanks, but controls too. */
static inline bool
is_control(JibitChar c)
{
	return c.kind == JIBIT_TEXT_CONTROL || c.code < ' ';
}

static inline bool
is_separator(JibitChar c)
{
	return c.kind == JIBIT_TEXT_BLANK || c.kind == JIBIT_TEXT_MARK ||
		   c.kind == JIBIT_TEXT_DASH || c.kind == JIBIT_TEXT_PAREN;
}

static JibitVerdict
copy_trimmed(const char *s, size_t len, CopyRule rule, char *out,
			 size_t outsize)
{
	size_t start;
	size_t end;
	size_t n = 0;

	if (!jibit_text_trim(s, len, &start, &end))
		return JIBIT_INVALID;
	if (start == end)
		return JIBIT_EMPTY;

	while (start < end)
	{
		JibitChar c = jibit_text_decode(s + start, end - start);
		const char *bytes = s + start;
		size_t size = c.size;
		char ascii;

		start += c.size;
		switch (rule)
		{
			case COPY_IDENTIFIER:
				if (c.code >= 'a' && c.code <= 'z')
					c.code -= 'a' - 'A';
				if (!is_identifier_char(c.code))
					return JIBIT_INVALID;
				ascii = (char) c.code;
				bytes = &ascii;
				size = 1;
				break;
			case COPY_COMPACT:
			case COPY_ASCII_DIGITS:
				if (rule == COPY_COMPACT && is_separator(c))
					continue;
				if (c.kind == JIBIT_TEXT_DIGIT)
				{
					ascii = (char) c.code;
					bytes = &ascii;
					size = 1;
				}
				break;
			case COPY_NAME:
				if (is_control(c))
					return JIBIT_INVALID;
				if (c.code == ARABIC_YEH)
					bytes = PERSIAN_YEH;
				else if (c.code == ARABIC_KAF)
					bytes = PERSIAN_KAF;
				break;
		}

		if (out != NULL)
		{
			if (size >= outsize - n)
				return JIBIT_INVALID;
			memcpy(out + n, bytes, size);
		}
		n += size;
	}
	if (out != NULL)
		out[n] = '\0';
	return n > 0 ? JIBIT_VALID : JIBIT_EMPTY;
}

JibitVerdict
jibit_normalize_bank(const char *s, size_t len, char *out, size_t outsize)
{
	return copy_trimmed(s, len, COPY_IDENTIFIER, out, outsize);
}

JibitVerdict
jibit_normalize_name(const char *s, size_t len, char *out, size_t outsize)
{
	return copy_trimmed(s, len, COPY_NAME, out, outsize);
}

JibitVerdict
jibit_normalize_text(const char *s, size_t len, char *out, size_t outsize)
{
	return copy_trimmed(s, len, COPY_ASCII_DIGITS, out, outsize);
}

JibitVerdict
jibit_normalize_compact(const char *s, size_t len, char *out, size_t outsize)
{
	return copy_trimmed(s, len, COPY_COMPACT, out, outsize);
}

JibitVerdict
jibit_format_iban(const char *s, size_t len, char *out)
{
	char iban[JIBIT_IBAN_LENGTH + 1];
	JibitVerdict verdict = jibit_normalize_iban(s, len, iban);

	if (verdict != JIBIT_VALID || out == NULL)
		return verdict;
	for (int i = 0; i < JIBIT_IBAN_LENGTH; i++)
	{
		if (i > 0 && i % 4 == 0)
			*out++ = ' ';
		*out++ = iban[i];
	}
	*out = '\0';
	return JIBIT_VALID;
}

JibitVerdict
jibit_mask_card(const char *s, size_t len, char *out)
{
	char buf[JIBIT_CARD_LENGTH];
	const char *digits;
	JibitVerdict verdict;

	verdict = find_digits(s, len, JIBIT_CARD_LENGTH, buf, &digits);
	if (verdict != JIBIT_VALID || out == NULL)
		return verdict;
	write_result(out, digits, JIBIT_CARD_LENGTH);
	memset(out + MASK_FIRST, '*', JIBIT_CARD_LENGTH - MASK_FIRST - MASK_LAST);
	return JIBIT_VALID;
}
