/*
 * offline.c
 *		Unit tests of src/offline, in TAP.
 *
 * Check digits and calendar days are computed here by other methods than the
 * code under test uses: slow and plain ones.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "banks.h"
#include "jalali.h"
#include "normalize.h"
#include "properties.h"
#include "text.h"

#define MUTATIONS 200000

static int tests;
static int failures;

static void ok(bool passed, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
ok(bool passed, const char *format, ...)
{
	va_list args;
	char name[512];

	tests++;
	if (!passed)
		failures++;
	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);

	/* Names hold tested texts, which may be line ends or malformed. */
	printf("%sok %d - ", passed ? "" : "not ", tests);
	for (const unsigned char *p = (unsigned char *) name; *p; p++)
	{
		if (*p >= ' ' && *p <= '~')
			putchar(*p);
		else
			printf("\\x%02X", *p);
	}
	putchar('\n');
}

/* For loops over many values: complains of each, passes as one test. */
static void complain(bool *passed, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
complain(bool *passed, const char *format, ...)
{
	va_list args;

	*passed = false;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

typedef JibitVerdict (*Normalizer)(const char *, size_t, char *);
typedef JibitVerdict (*SizedNormalizer)(const char *, size_t, char *, size_t);

static const char *const verdict_names[] = {"valid", "empty", "invalid"};

/*
 * expected is the result, "" for empty, or NULL for invalid.  The text is
 * given in a block of its size, without a NUL.
 */
static void
check_bytes(Normalizer normalize, const char *what, const char *text,
			size_t len, const char *expected)
{
	char *s = malloc(len + 1);
	char out[64] = "";
	JibitVerdict verdict;

	if (s == NULL)
		abort();
	memcpy(s + 1, text, len);
	verdict = normalize(s + 1, len, out);
	if (expected == NULL)
		ok(verdict == JIBIT_INVALID, "%s: \"%s\" is %s", what, text,
		   verdict_names[verdict]);
	else if (expected[0] == '\0')
		ok(verdict == JIBIT_EMPTY, "%s: blank text is %s", what,
		   verdict_names[verdict]);
	else
		ok(verdict == JIBIT_VALID && strcmp(out, expected) == 0,
		   "%s: \"%s\" gives \"%s\"", what, text, out);
	free(s);
}

static void
check(Normalizer normalize, const char *what, const char *text,
	  const char *expected)
{
	check_bytes(normalize, what, text, strlen(text), expected);
}

static void
check_sized(SizedNormalizer normalize, const char *what, const char *text,
			const char *expected)
{
	char out[256] = "";
	JibitVerdict verdict = normalize(text, strlen(text), out, sizeof(out));

	if (expected == NULL)
		ok(verdict == JIBIT_INVALID, "%s: invalid text is %s", what,
		   verdict_names[verdict]);
	else if (expected[0] == '\0')
		ok(verdict == JIBIT_EMPTY, "%s: blank text is %s", what,
		   verdict_names[verdict]);
	else
		ok(verdict == JIBIT_VALID && strcmp(out, expected) == 0,
		   "%s: gives \"%s\"", what, out);
}

/* ---- Text ---- */

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

static void
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

/* ---- Check digits, by other methods ---- */

/* Digit by digit over the rearranged text, letters as their two digits. */
static int
slow_mod_97(const char *iban)
{
	char moved[32];
	int rest = 0;

	snprintf(moved, sizeof(moved), "%.22s%.4s", iban + 4, iban);
	for (const char *p = moved; *p; p++)
	{
		if (*p >= 'A')
			rest = (rest * 100 + (*p - 'A' + 10)) % 97;
		else
			rest = (rest * 10 + (*p - '0')) % 97;
	}
	return rest;
}

static void
make_iban(const char *account, char *iban)
{
	int check;

	memcpy(iban, "IR00", 4);
	memcpy(iban + 4, account, 23);
	check = 98 - slow_mod_97(iban);
	iban[2] = (char) ('0' + check / 10);
	iban[3] = (char) ('0' + check % 10);
}

/* From the right, adding up the digits of the doubled ones as text. */
static int
slow_luhn(const char *card)
{
	int sum = 0;
	bool twice = false;

	for (size_t i = strlen(card); i-- > 0; twice = !twice)
	{
		char number[8];

		sprintf(number, "%d", (card[i] - '0') * (twice ? 2 : 1));
		for (const char *p = number; *p; p++)
			sum += *p - '0';
	}
	return sum % 10;
}

/* The code's own definition, with the sum taken from the right. */
static bool
slow_national_code(const char *code)
{
	int sum = 0;
	int expected;

	for (int weight = 2; weight <= 10; weight++)
		sum += weight * (code[10 - weight] - '0');
	while (sum >= 11)
		sum -= 11;
	expected = sum == 0 ? 0 : sum == 1 ? 1 : 11 - sum;
	if (code[9] - '0' != expected)
		return false;
	return strspn(code, (char[]){code[0], 0}) != 10 || code[0] == '1';
}

static bool
slow_company_id(const char *id)
{
	static const int weights[] = {29, 27, 23, 19, 17, 29, 27, 23, 19, 17};
	int sum = 0;

	for (int i = 9; i >= 0; i--)
		for (int n = 0; n < weights[i]; n++)
			sum += (id[i] - '0') + (id[9] - '0') + 2;
	while (sum >= 11)
		sum -= 11;
	if (sum == 10)
		sum = 0;
	return id[10] - '0' == sum;
}

static unsigned long long seed = 88172645463325252ULL;

static unsigned
next_random(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned) (seed >> 32) % below;
}

static void
random_digits(char *out, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = (char) ('0' + next_random(10));
	out[n] = '\0';
}

/* Random digits, and all ten last digits of each: as the slow methods say. */
static void
test_check_digits(void)
{
	bool cards = true;
	bool codes = true;
	bool ids = true;
	bool ibans = true;

	for (int i = 0; i < 20000; i++)
	{
		char card[17];
		char code[11];
		char id[12];
		char account[23];
		char iban[32];
		int valid_cards = 0;
		int valid_codes = 0;
		int valid_ids = 0;

		random_digits(card, 16);
		random_digits(code, 10);
		random_digits(id, 11);
		for (char last = '0'; last <= '9'; last++)
		{
			bool valid;

			card[15] = code[9] = id[10] = last;
			valid = jibit_normalize_card(card, 16, NULL) == JIBIT_VALID;
			valid_cards += valid;
			if (valid != (slow_luhn(card) == 0))
				complain(&cards, "%s", card);
			valid = jibit_normalize_national_code(code, 10, NULL) ==
					JIBIT_VALID;
			valid_codes += valid;
			if (valid != slow_national_code(code))
				complain(&codes, "%s", code);
			valid = jibit_normalize_company_id(id, 11, NULL) == JIBIT_VALID;
			valid_ids += valid;
			if (valid != slow_company_id(id))
				complain(&ids, "%s", id);
		}
		if (valid_cards != 1)
			complain(&cards, "%d cards like %s", valid_cards, card);
		if (valid_codes != 1)
			complain(&codes, "%d codes like %s", valid_codes, code);
		if (valid_ids != 1)
			complain(&ids, "%d ids like %s", valid_ids, id);

		random_digits(account, 22);
		make_iban(account, iban);
		if (jibit_normalize_iban(iban, 26, NULL) != JIBIT_VALID)
			complain(&ibans, "%s", iban);
		iban[4 + next_random(22)] = (char) ('0' + next_random(10));
		if ((jibit_normalize_iban(iban, 26, NULL) == JIBIT_VALID) !=
			(slow_mod_97(iban) == 1))
			complain(&ibans, "%s", iban);
	}
	ok(cards, "cards: Luhn as digit by digit");
	ok(codes, "national codes: check digit as by definition");
	ok(ids, "company ids: check digit as by definition");
	ok(ibans, "IBANs: mod 97 as digit by digit");

	codes = true;
	for (char digit = '0'; digit <= '9'; digit++)
	{
		char code[11];

		memset(code, digit, 10);
		code[10] = '\0';
		if ((jibit_normalize_national_code(code, 10, NULL) == JIBIT_VALID) !=
			(digit == '1'))
			complain(&codes, "%s", code);
	}
	ok(codes, "national codes: of ten equal digits only 1111111111");
}

static void
test_cards(void)
{
	Normalizer f = jibit_normalize_card;
	char mask[17];

	check(f, "card", "6037991234567893", "6037991234567893");
	check(f, "card", "6219861034529007", "6219861034529007");
	check(f, "card", "6037-9912-3456-7893", "6037991234567893");
	check(f, "card", " 6037 9912\t3456 7893\r\n", "6037991234567893");
	check(f, "card", "(6037)9912 3456 7893", "6037991234567893");
	check(f, "card", "۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳", "6037991234567893");
	check(f, "card", "٦٠٣٧٩٩١٢٣٤٥٦٧٨٩٣", "6037991234567893");
	check(f, "card", "\u200f۶۰۳۷–۹۹۱۲−۳۴۵۶\u00a0۷۸۹۳\u200c",
		  "6037991234567893");
	check(f, "card", "\ufeff6037\u00ad9912\u20663456\u20697893",
		  "6037991234567893");
	check(f, "card", "6037991234567894", NULL);
	check(f, "card", "603799123456789", NULL);
	check(f, "card", "60379912345678930", NULL);
	check(f, "card", "6037991234567893\x80", NULL);
	check(f, "card", "603799123456789\xdb", NULL);
	check(f, "card", "603799123456789x", NULL);
	check(f, "card", "6037/9912/3456/7893", NULL);
	check(f, "card", "+6037991234567893", NULL);
	check(f, "card", "6037_991234567893", NULL);
	check_bytes(f, "card", "6037991234567893\0", 17, NULL);
	check_bytes(f, "card", "603799123456789\0", 16, NULL);
	check(f, "card", "", "");
	check(f, "card", " -()\u200f\u2013\u3000", "");
	check(f, "mask", "6037991234567893", "6037991234567893");

	ok(jibit_mask_card("6037991234567893", 16, mask) == JIBIT_VALID &&
		   strcmp(mask, "603799******7893") == 0,
	   "mask: %s", mask);
	ok(jibit_mask_card("6037-9912-3456-7890", 19, mask) == JIBIT_VALID &&
		   strcmp(mask, "603799******7890") == 0,
	   "mask: a mistyped card is masked too: %s", mask);
	ok(jibit_mask_card("603799123456789", 15, mask) == JIBIT_INVALID,
	   "mask: fifteen digits are no card");
	ok(jibit_mask_card("  ", 2, mask) == JIBIT_EMPTY, "mask: blank");
}

static void
test_ibans(void)
{
	Normalizer f = jibit_normalize_iban;
	const char *iban = "IR820540102680020817909002";

	check(f, "iban", iban, iban);
	check(f, "iban", "ir820540102680020817909002", iban);
	check(f, "iban", "iR820540102680020817909002", iban);
	check(f, "iban", "820540102680020817909002", iban);
	check(f, "iban", "IR82 0540 1026 8002 0817 9090 02", iban);
	check(f, "iban", "I R-82-0540102680020817909002", iban);
	check(f, "iban", "IR۸۲۰۵۴۰۱۰۲۶۸۰۰۲۰۸۱۷۹۰۹۰۰۲", iban);
	check(f, "iban", "\u202a۸۲۰۵۴۰۱۰۲۶۸۰۰۲۰۸۱۷۹۰۹۰۰۲\u202c", iban);
	check(f, "iban", "IR820540102680020817909003", NULL);
	check(f, "iban", "IR280540102680020817909002", NULL);
	check(f, "iban", "8205401026800208IR17909002", NULL);
	check(f, "iban", "820540102680020817909002IR", NULL);
	check(f, "iban", "R820540102680020817909002", NULL);
	check(f, "iban", "IRIR820540102680020817909002", NULL);
	check(f, "iban", "IR82054010268002081790900", NULL);
	check(f, "iban", "IR8205401026800208179090020", NULL);
	check(f, "iban", "DE820540102680020817909002", NULL);
	check(f, "iban", "IR82054010268002081790900A", NULL);
	check(f, "iban", "GB29NWBK60161331926819", NULL);
	check(f, "iban", "IR", NULL);
	check(f, "iban", "IR\xd8\xb1 20540102680020817909002", NULL);
	check(f, "iban", "", "");
	check(f, "iban", "\u200e - ", "");
	check(jibit_format_iban, "format", "820540102680020817909002",
		  "IR82 0540 1026 8002 0817 9090 02");
	check(jibit_format_iban, "format", "IR820540102680020817909003", NULL);
	check(jibit_format_iban, "format", " ", "");
}

static void
test_codes(void)
{
	Normalizer f = jibit_normalize_national_code;

	/* Examples that other libraries publish as valid. */
	check(f, "national code", "0499370899", "0499370899");
	check(f, "national code", "0790419904", "0790419904");
	check(f, "national code", "0084575948", "0084575948");
	check(f, "national code", "0963695398", "0963695398");
	check(f, "national code", "0684159414", "0684159414");
	check(f, "national code", "0067749828", "0067749828");
	check(f, "national code", "7731689956", "7731689956");
	check(f, "national code", "1111111111", "1111111111");
	check(f, "national code", "۰۴۹-۹۳۷۰۸۹-۹", "0499370899");
	check(f, "national code", "0684159415", NULL);
	check(f, "national code", "0000000000", NULL);
	check(f, "national code", "2222222222", NULL);
	check(f, "national code", "499370899", NULL);
	check(f, "national code", "00499370899", NULL);
	check(f, "national code", "04993708990", NULL);
	check(f, "national code", "", "");

	f = jibit_normalize_company_id;
	check(f, "company id", "10380284790", "10380284790");
	check(f, "company id", "10100387143", "10100387143");
	check(f, "company id", "77111986110", "77111986110");
	check(f, "company id", "18061055669", "18061055669");
	check(f, "company id", "97006806007", "97006806007");
	check(f, "company id", "14005893875", "14005893875");
	check(f, "company id", " ۱۰۳۸۰۲۸۴۷۹۰ ", "10380284790");
	check(f, "company id", "10380284791", NULL);
	check(f, "company id", "1038028479", NULL);
	check(f, "company id", "103802847900", NULL);
	check(f, "company id", "-", "");

	f = jibit_normalize_postal_code;
	check(f, "postal code", "1234567890", "1234567890");
	check(f, "postal code", "12345-67890", "1234567890");
	check(f, "postal code", "۱۲۳۴۵۶۷۸۹۰", "1234567890");
	check(f, "postal code", "0000000000", "0000000000");
	check(f, "postal code", "123456789", NULL);
	check(f, "postal code", "12345678901", NULL);
	check(f, "postal code", "12345:6789", NULL);
	check(f, "postal code", "12345/6789", NULL);
	check(f, "postal code", "123456789\xFA", NULL);
	check(f, "postal code", "\t", "");

	f = jibit_normalize_corporation_code;
	check(f, "corporation code", "0123456789", "0123456789");
	check(f, "corporation code", "012345678", NULL);
	check(f, "corporation code", "", "");

	f = jibit_normalize_fida;
	check(f, "fida", "1", "1");
	check(f, "fida", "0123456789", "0123456789");
	check(f, "fida", "01234567890123456789", "01234567890123456789");
	check(f, "fida", "۱۲ ۳۴", "1234");
	check(f, "fida", "012345678901234567890", NULL);
	check(f, "fida", "A123", NULL);
	check(f, "fida", "\u2003", "");
}

static void
test_mobiles(void)
{
	Normalizer f = jibit_normalize_mobile;

	check(f, "mobile", "09123456789", "09123456789");
	check(f, "mobile", "9123456789", "09123456789");
	check(f, "mobile", "+989123456789", "09123456789");
	check(f, "mobile", "00989123456789", "09123456789");
	check(f, "mobile", "989123456789", "09123456789");
	check(f, "mobile", "0912 345 67 89", "09123456789");
	check(f, "mobile", "(+98) 912-345-6789", "09123456789");
	check(f, "mobile", "\u202a+۹۸۹۱۲۳۴۵۶۷۸۹\u202c", "09123456789");
	check(f, "mobile", "۰۹۱۲۳۴۵۶۷۸۹", "09123456789");
	check(f, "mobile", "9812345678", "09812345678");
	check(f, "mobile", "+9123456789", NULL);
	check(f, "mobile", "+09123456789", NULL);
	check(f, "mobile", "+00989123456789", NULL);
	check(f, "mobile", "98+9123456789", NULL);
	check(f, "mobile", "++989123456789", NULL);
	check(f, "mobile", "+98+9123456789", NULL);
	check(f, "mobile", "0912345678+9", NULL);
	check(f, "mobile", "+9809123456789", NULL);
	check(f, "mobile", "08123456789", NULL);
	check(f, "mobile", "02112345678", NULL);
	check(f, "mobile", "0912345678", NULL);
	check(f, "mobile", "091234567890", NULL);
	check(f, "mobile", "+449123456789", NULL);
	check(f, "mobile", "+", NULL);
	check(f, "mobile", "912345678", NULL);
	check(f, "mobile", "0912345678a", NULL);
	check(f, "mobile", "()", "");
	check(f, "mobile", "", "");
}

static void
test_texts(void)
{
	SizedNormalizer f = jibit_normalize_deposit;
	char out[16];

	check_sized(f, "deposit", "0123-456/7.8", "0123-456/7.8");
	check_sized(f, "deposit", " \u200f۱۲۳-٤٥٦ (7)\u00a0\u200e\n",
				"123-456 (7)");
	check_sized(f, "deposit", "- 12 -", "- 12 -");
	check_sized(f, "deposit", "12\u200c34", "12\u200c34");
	check_sized(f, "deposit", "حساب ۱", "حساب 1");
	check_sized(f, "deposit", "12\xff", NULL);
	check_sized(f, "deposit", "12 \xff", NULL);
	check_sized(f, "deposit", "", "");
	check_sized(f, "deposit", " \u200f\ufeff\u3000", "");
	ok(f("1\0002", 3, out, sizeof(out)) == JIBIT_INVALID,
	   "deposit: a NUL is invalid");
	ok(f("  12345  ", 9, out, 6) == JIBIT_VALID && strcmp(out, "12345") == 0,
	   "deposit: five digits fit into six bytes");
	ok(f("12345", 5, out, 5) == JIBIT_INVALID,
	   "deposit: five digits do not fit into five bytes");
	ok(f("۱۲۳", 6, out, 4) == JIBIT_VALID && strcmp(out, "123") == 0,
	   "deposit: the result counts, not the input");

	f = jibit_normalize_bank;
	check_sized(f, "bank", "MELLI", "MELLI");
	check_sized(f, "bank", " sanat_va_madan\u200e\n", "SANAT_VA_MADAN");
	check_sized(f, "bank", "bank2", "BANK2");
	check_sized(f, "bank", "EN BANK", NULL);
	check_sized(f, "bank", "EN-BANK", NULL);
	check_sized(f, "bank", "ملی", NULL);
	check_sized(f, "bank", "MELL\u0130", NULL);
	check_sized(f, "bank", "[]", NULL);
	check_sized(f, "bank", "MELLI\xc3", NULL);
	check_sized(f, "bank", "", "");

	f = jibit_normalize_name;
	check_sized(f, "name", "علي رضايي", "علی رضایی");
	check_sized(f, "name", "كبري", "کبری");
	check_sized(f, "name", "\u00a0 می\u200cرود \u200f", "می\u200cرود");
	check_sized(f, "name", "O'Neil ۲ - (x)", "O'Neil ۲ - (x)");
	check_sized(f, "name", "مصطفى", "مصطفى");
	check_sized(f, "name", "a\tb", NULL);
	check_sized(f, "name", "a\nb", NULL);
	check_sized(f, "name", "\001a", NULL);
	check_sized(f, "name", "a\xc2\x85z", NULL);
	check_sized(f, "name", "a\x7f", NULL);
	check_sized(f, "name", "عل\xd9", NULL);
	check_sized(f, "name", "\xed\xa0\x80", NULL);
	check_sized(f, "name", "\n a \n", "a");
	check_sized(f, "name", "", "");
	check_sized(f, "name", "\u200c \u200c", "");

	f = jibit_normalize_text;
	check_sized(f, "text", " 6037-۹۹۱۲ x\n", "6037-9912 x");
	check_sized(f, "text", "علي", "علي");
	check_sized(f, "text", "a\001b", "a\001b");
	check_sized(f, "text", "\xff", NULL);
	check_sized(f, "text", "\u2009", "");
}

/* ---- Calendar ---- */

/*
 * Borkowski's rule, in the form that looks at one year and the break years
 * around it.
 */
static bool
slow_is_leap(int year)
{
	static const int breaks[] = {-61,  9,	 38,   199,	 426,  686,	 756,
								 818,  1111, 1181, 1210, 1635, 2060, 2097,
								 2192, 2262, 2324, 2394, 2456, 3178};
	int i = 0;
	int since;
	int length;

	while (year >= breaks[i + 1])
		i++;
	since = year - breaks[i];
	length = breaks[i + 1] - breaks[i];
	if (length - since < 6)
		since = since - length + (length + 4) / 33 * 33;
	return ((since + 1) % 33 - 1) % 4 == 0;
}

static int
slow_month_length(int year, int month)
{
	if (month <= 6)
		return 31;
	if (month <= 11)
		return 30;
	return slow_is_leap(year) ? 30 : 29;
}

/* Gregorian dates by counting days from 1 January of year 1. */
static int
gregorian_jdn(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30,
								  31, 31, 30, 31, 30, 31};
	int jdn = 1721426;

	for (int y = 1; y < year; y++)
		jdn += (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 366 : 365;
	for (int m = 1; m < month; m++)
	{
		jdn += lengths[m - 1];
		if (m == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
			jdn++;
	}
	return jdn + day - 1;
}

static void
test_calendar(void)
{
	static const int pairs[][6] = {
		{1399, 12, 30, 2021, 3, 20}, {1400, 1, 1, 2021, 3, 21},
		{1403, 1, 1, 2024, 3, 20},	 {1403, 12, 30, 2025, 3, 20},
		{1404, 1, 1, 2025, 3, 21},	 {1360, 3, 31, 1981, 6, 21},
		{1357, 11, 22, 1979, 2, 11}, {1375, 12, 30, 1997, 3, 20},
		{1348, 10, 11, 1970, 1, 1},	 {1378, 10, 11, 2000, 1, 1},
		{1200, 1, 1, 1821, 3, 21},	 {1, 1, 1, 622, 3, 22},
		{1304, 1, 11, 1925, 3, 31},
	};
	JibitJalali date;
	bool passed = true;
	bool refused = true;
	bool leaps = true;
	int jdn = gregorian_jdn(622, 3, 22);

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		const int *p = pairs[i];
		int expected = gregorian_jdn(p[3], p[4], p[5]);

		ok(jibit_jalali_valid(p[0], p[1], p[2]) &&
			   jibit_jalali_to_jdn(p[0], p[1], p[2]) == expected &&
			   jibit_jalali_from_jdn(expected, &date) && date.year == p[0] &&
			   date.month == p[1] && date.day == p[2],
		   "%04d/%02d/%02d is %04d-%02d-%02d", p[0], p[1], p[2], p[3], p[4],
		   p[5]);
	}
	ok(gregorian_jdn(2000, 1, 1) == JIBIT_JDN_2000, "2000-01-01");

	ok(!jibit_jalali_from_jdn(jdn - 1, &date), "the day before year 1");
	for (int year = 1; year <= 2000; year++)
	{
		if (jibit_jalali_is_leap(year) != slow_is_leap(year))
			complain(&leaps, "year %d", year);
		for (int month = 0; month <= 13; month++)
		{
			bool real = month >= 1 && month <= 12;
			int length = real ? slow_month_length(year, month) : 0;

			for (int day = -1; day <= 32; day++)
			{
				if (day < 1 || day > length)
				{
					if (jibit_jalali_valid(year, month, day))
						complain(&refused, "%d/%d/%d", year, month, day);
					continue;
				}
				if (!jibit_jalali_valid(year, month, day) ||
					jibit_jalali_to_jdn(year, month, day) != jdn ||
					!jibit_jalali_from_jdn(jdn, &date) || date.year != year ||
					date.month != month || date.day != day)
					complain(&passed, "%d/%d/%d is day %d", year, month, day,
							 jdn);
				jdn++;
			}
		}
	}
	ok(leaps, "leap years 1 to 2000");
	ok(passed, "every day of 1 to 2000 there and back, without a gap");
	ok(refused, "no other day of 1 to 2000 is valid");
	ok(!jibit_jalali_from_jdn(jdn, &date), "the day after year 2000");
	ok(!jibit_jalali_from_jdn(INT32_MIN, &date) &&
		   !jibit_jalali_from_jdn(INT32_MAX, &date),
	   "extreme days");
	ok(!jibit_jalali_valid(0, 1, 1) && !jibit_jalali_valid(2001, 1, 1) &&
		   !jibit_jalali_valid(-1403, 1, 1) &&
		   !jibit_jalali_valid(INT32_MAX, 1, 1) && !jibit_jalali_is_leap(0) &&
		   !jibit_jalali_is_leap(2001),
	   "years outside the range");
}

static void
check_parse(const char *text, JibitDateVerdict verdict, int number)
{
	JibitJalali date = {0, 0, 0};
	JibitDateVerdict got = jibit_jalali_parse(text, strlen(text), &date);
	int got_number = jibit_jalali_number(date.year, date.month, date.day);

	ok(got == verdict && got_number == number, "date: \"%s\" is %d: %d", text,
	   got, got_number);
}

static JibitVerdict
birth_date_1404(const char *s, size_t len, char *out)
{
	return jibit_normalize_birth_date(s, len, 14040915, out);
}

static bool
looks_gregorian(const char *text)
{
	return jibit_jalali_looks_gregorian(text, strlen(text));
}

static void
test_dates(void)
{
	Normalizer f = birth_date_1404;
	char out[9];

	check_parse("13600331", JIBIT_DATE_VALID, 13600331);
	check_parse("1360/03/31", JIBIT_DATE_VALID, 13600331);
	check_parse("1360-3-1", JIBIT_DATE_VALID, 13600301);
	check_parse("1360/3/31", JIBIT_DATE_VALID, 13600331);
	check_parse(" \u200f۱۳۶۰/۰۳/۳۱\n", JIBIT_DATE_VALID, 13600331);
	check_parse("١٣٦٠–٠٣–٣١", JIBIT_DATE_VALID, 13600331);
	check_parse("1360\u200e/03\u200e/31", JIBIT_DATE_VALID, 13600331);
	check_parse("00010101", JIBIT_DATE_VALID, 10101);
	check_parse("20001229", JIBIT_DATE_VALID, 20001229);
	check_parse("13991230", JIBIT_DATE_VALID, 13991230);
	check_parse("14001230", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600732", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600731", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13601301", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600001", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("1360/0/1", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600100", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("00000101", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("20010101", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("99999999", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("", JIBIT_DATE_EMPTY, 0);
	check_parse(" \u200c\u00a0", JIBIT_DATE_EMPTY, 0);
	check_parse("1360033", JIBIT_DATE_MALFORMED, 0);
	check_parse("136003311", JIBIT_DATE_MALFORMED, 0);
	check_parse("600331", JIBIT_DATE_MALFORMED, 0);
	check_parse("60/03/31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03/", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03/31/", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03-31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360//31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/003/31", JIBIT_DATE_MALFORMED, 0);
	check_parse("/1360/03/31", JIBIT_DATE_MALFORMED, 0);
	check_parse("-13600331", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360 03 31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03/3 1", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360.03.31", JIBIT_DATE_MALFORMED, 0);
	check_parse("yesterday", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360033\xdb", JIBIT_DATE_MALFORMED, 0);
	check_parse("--", JIBIT_DATE_MALFORMED, 0);

	ok(looks_gregorian("1981-06-21") && looks_gregorian("19810621") &&
		   looks_gregorian("2024/2/29") && looks_gregorian("۲۱۰۰۱۲۳۱"),
	   "these look Gregorian");
	ok(!looks_gregorian("13600331") && !looks_gregorian("1981-13-01") &&
		   !looks_gregorian("1981-02-30") && !looks_gregorian("1899-12-31") &&
		   !looks_gregorian("2101-01-01") && !looks_gregorian("1981") &&
		   !looks_gregorian("810621") && !looks_gregorian("") &&
		   !looks_gregorian("x"),
	   "these do not");

	jibit_jalali_format(7, 1, 31, out);
	ok(strcmp(out, "00070131") == 0, "format: %s", out);

	check(f, "birth date", "1360/3/31", "13600331");
	check(f, "birth date", "12000101", "12000101");
	check(f, "birth date", "14040915", "14040915");
	check(f, "birth date", "11991229", NULL);
	check(f, "birth date", "14040916", NULL);
	check(f, "birth date", "14001230", NULL);
	check(f, "birth date", "19810621", NULL);
	check(f, "birth date", "2024-06-21", NULL);
	check(f, "birth date", "600331", NULL);
	check(f, "birth date", "", "");

	f = jibit_normalize_report_day;
	check(f, "report day", "000708", "000708");
	check(f, "report day", "14000708", "000708");
	check(f, "report day", "1400/7/8", "000708");
	check(f, "report day", "00-7-8", "000708");
	check(f, "report day", "۰۰۰۷۰۸", "000708");
	check(f, "report day", "500101", "500101");
	check(f, "report day", "13500101", "500101");
	check(f, "report day", "14491229", "491229");
	check(f, "report day", "13491229", NULL);
	check(f, "report day", "14500101", NULL);
	check(f, "report day", "991230", "991230");
	check(f, "report day", "001230", NULL);
	check(f, "report day", "031230", "031230");
	check(f, "report day", "001301", NULL);
	check(f, "report day", "0007080", NULL);
	check(f, "report day", "20250708", NULL);
	check(f, "report day", "", "");
}

/* ---- Banks ---- */

static bool
same_words(const char *const *list, char *words)
{
	char *rest = NULL;
	char *word = strtok_r(words, " ", &rest);

	for (; *list; list++, word = strtok_r(NULL, " ", &rest))
	{
		if (word == NULL || strcmp(word, *list) != 0)
			return false;
	}
	return word == NULL;
}

/* Takes the next field out of a line of a file that quotes nothing. */
static char *
next_field(char **line)
{
	char *field = *line;
	size_t len = strcspn(field, ",\r\n");

	*line = field + len + (field[len] == ',');
	field[len] = '\0';
	return field;
}

static void
compare_banks(const char *path)
{
	FILE *file = fopen(path, "r");
	char buffer[1024];
	int n = 0;
	bool passed = true;

	if (file == NULL || fgets(buffer, sizeof(buffer), file) == NULL)
	{
		ok(false, "%s cannot be read", path);
		return;
	}
	while (fgets(buffer, sizeof(buffer), file) != NULL)
	{
		const JibitBank *bank = jibit_bank_nth(n++);
		char *line = buffer;

		/* id, name, name_fa, codes, prefixes, merged, website */
		if (bank == NULL || strcmp(bank->id, next_field(&line)) != 0 ||
			strcmp(bank->name, next_field(&line)) != 0 ||
			strcmp(bank->name_fa, next_field(&line)) != 0 ||
			!same_words(bank->iban_codes, next_field(&line)) ||
			!same_words(bank->card_prefixes, next_field(&line)) ||
			!same_words(bank->merged_from, next_field(&line)) ||
			strcmp(bank->website, next_field(&line)) != 0)
			complain(&passed, "row %d, %s", n, buffer);
	}
	fclose(file);
	ok(passed && n == jibit_bank_count(), "banks are those of the file");
}

/* By trying every prefix of the list, the longest one first. */
static const JibitBank *
slow_bank_by_card(const char *card)
{
	const JibitBank *found = NULL;
	size_t longest = 0;

	for (int i = 0; i < jibit_bank_count(); i++)
	{
		const JibitBank *bank = jibit_bank_nth(i);

		for (int j = 0; bank->card_prefixes[j]; j++)
		{
			size_t len = strlen(bank->card_prefixes[j]);

			if (len > longest &&
				memcmp(card, bank->card_prefixes[j], len) == 0)
			{
				found = bank;
				longest = len;
			}
		}
	}
	return found;
}

static void
test_banks(void)
{
	const JibitBank *by_code[1000] = {NULL};
	const JibitBank *bank;
	bool codes = true;
	bool cards = true;

	ok(jibit_bank_count() == 33 && jibit_bank_nth(33) == NULL &&
		   jibit_bank_nth(-1) == NULL,
	   "%d banks", jibit_bank_count());
	for (int i = 0; i < jibit_bank_count(); i++)
	{
		bank = jibit_bank_nth(i);
		for (int j = 0; bank->iban_codes[j]; j++)
		{
			char account[32];
			char iban[32];
			char out[27];

			by_code[atoi(bank->iban_codes[j])] = bank;
			strcpy(account, bank->iban_codes[j]);
			random_digits(account + 3, 19);
			make_iban(account, iban);
			if (jibit_normalize_iban(iban, strlen(iban), out) != JIBIT_VALID ||
				jibit_bank_by_iban(out) != bank)
				complain(&codes, "%s of %s", iban, bank->id);
		}
		for (int j = 0; bank->card_prefixes[j]; j++)
		{
			char card[32];
			size_t len = strlen(bank->card_prefixes[j]);

			/* The shorter prefix of a pair needs digits that end it. */
			strcpy(card, bank->card_prefixes[j]);
			random_digits(card + len, (int) (16 - len));
			if (len == 6)
				card[6] = '0';
			card[15] = '0';
			card[15] = (char) ('0' + (10 - slow_luhn(card)) % 10);
			if (jibit_normalize_card(card, 16, NULL) != JIBIT_VALID ||
				jibit_bank_by_card(card) != bank)
				complain(&cards, "%s of %s", card, bank->id);
		}
	}
	for (int code = 0; code < 1000; code++)
	{
		char iban[64];

		sprintf(iban, "IR00%03d0000000000000000000", code);
		if (jibit_bank_by_iban(iban) != by_code[code])
			complain(&codes, "code %03d", code);
	}
	for (int i = 0; i < 200000; i++)
	{
		char card[17];

		random_digits(card, 16);
		if (i % 2)
			memcpy(card, "62198618", 6 + next_random(3));
		if (jibit_bank_by_card(card) != slow_bank_by_card(card))
			complain(&cards, "%s", card);
	}
	ok(codes, "banks by IBAN, every code");
	ok(cards, "banks by card, every prefix and random ones");

	compare_banks("../data/banks.csv");
}

/* ---- Any input ---- */

static void
test_properties(void)
{
	static const char *const seeds[] = {
		"6037991234567893",
		"6037-9912-3456-7893",
		"۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳",
		"IR820540102680020817909002",
		"ir82 0540 1026 8002 0817 9090 02",
		"820540102680020817909002",
		"0499370899",
		"10380284790",
		"09123456789",
		"+98 (912) 345-67-89",
		"00989123456789",
		"1360/03/31",
		"13600331",
		"000708",
		"MELLI",
		" علي كريمي\u200c",
		"\u202a۱۳۶۰–۰۳–۳۱\u202c",
	};
	static const char *const pieces[] = {
		"\x80",
		"\xff",
		"\xdb",
		"\xe2\x80",
		"\xf0\x9f\x98",
		"\u06f5",
		"\u0665",
		"\u200c",
		"\u2013",
		"\u00a0",
		"\ufeff",
		"\u064a",
		"-",
		" ",
		"+",
		"/",
		"(",
		"0",
		"9",
		"I",
		"\xed\xa0\x80",
		"\xc0\x80",
		"\n",
		"_",
		"\U0001F600",
	};
	size_t seed_count = sizeof(seeds) / sizeof(seeds[0]);
	size_t piece_count = sizeof(pieces) / sizeof(pieces[0]);
	const char *problem = NULL;
	bool passed = true;

	for (size_t i = 0; i < seed_count; i++)
	{
		for (size_t len = 0; len <= strlen(seeds[i]); len++)
		{
			problem = check_properties(seeds[i], len);
			if (problem != NULL)
				complain(&passed, "%s: %.*s", problem, (int) len, seeds[i]);
		}
	}
	ok(passed, "properties of cut inputs");

	passed = true;
	for (int i = 0; i < MUTATIONS; i++)
	{
		char text[256];
		const char *from = seeds[next_random((unsigned) seed_count)];
		size_t len = strlen(from);

		memcpy(text, from, len);
		for (unsigned n = next_random(4); n > 0 && len > 0; n--)
		{
			unsigned at = next_random((unsigned) len);
			const char *piece = pieces[next_random((unsigned) piece_count)];
			size_t size = strlen(piece);

			switch (next_random(4))
			{
				case 0: /* any byte, NUL too */
					text[at] = (char) next_random(256);
					break;
				case 1: /* a byte lost */
					memmove(text + at, text + at + 1, len - at - 1);
					len--;
					break;
				case 2: /* a piece put in */
					memmove(text + at + size, text + at, len - at);
					memcpy(text + at, piece, size);
					len += size;
					break;
				default: /* the rest lost */
					len = at;
					break;
			}
		}
		problem = check_properties(text, len);
		if (problem != NULL)
			complain(&passed, "%s: mutation %d", problem, i);
	}
	ok(passed, "properties of mutated inputs");
}

int
main(void)
{
	test_characters();
	test_check_digits();
	test_cards();
	test_ibans();
	test_codes();
	test_mobiles();
	test_texts();
	test_calendar();
	test_dates();
	test_banks();
	test_properties();
	printf("1..%d\n", tests);
	return failures == 0 ? 0 : 1;
}
