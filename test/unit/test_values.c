/*
 * test_values.c
 *		Cards, IBANs, codes, mobiles, names: what is valid, and as what. Check digits
 *		are computed by other methods than the code under test uses: slow and
 *		plain ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

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

void
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
int
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

/* Random digits, and all ten last digits of each: as the slow methods say. */
void
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

void
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

void
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

void
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

void
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

void
test_texts(void)
{
	SizedNormalizer f = jibit_normalize_text;
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
