/*
 * validate.c
 *		What a well-formed input looks like.
 *
 * The service takes its inputs in one form only: ASCII digits, no blanks.
 */
#include <string.h>

#include "validate.h"

#define CARD_DIGITS 16
#define NATIONAL_CODE_DIGITS 10
#define IBAN_LENGTH 26
#define BBAN_DIGITS 22
/* No Iranian account number is longer. */
#define DEPOSIT_MAX 40
#define FIDA_MAX 20
#define OLDEST_BIRTH_YEAR 1200

static bool
all_digits(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return text[length] == '\0';
}

static int
number(const char *digits, int length)
{
	int value = 0;

	while (length-- > 0)
		value = value * 10 + (*digits++ - '0');
	return value;
}

/* Luhn's check digit of the first 15 digits. */
char
card_check_digit(const char *digits)
{
	int sum = 0;

	for (int i = 0; i < CARD_DIGITS - 1; i++)
	{
		int digit = digits[i] - '0';

		if (i % 2 == 0)
			digit = digit > 4 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return (char) ('0' + (10 - sum % 10) % 10);
}

bool
valid_card(const char *text)
{
	return all_digits(text, CARD_DIGITS) && text[0] != '0' &&
		   card_check_digit(text) == text[CARD_DIGITS - 1];
}

/* The check digit of the first nine digits. */
char
national_code_check_digit(const char *digits)
{
	int sum = 0;

	for (int i = 0; i < NATIONAL_CODE_DIGITS - 1; i++)
		sum += (digits[i] - '0') * (NATIONAL_CODE_DIGITS - i);
	sum %= 11;
	return (char) ('0' + (sum < 2 ? sum : 11 - sum));
}

/* Ten equal digits pass the arithmetic, but belong to nobody. */
bool
valid_national_code(const char *text)
{
	return all_digits(text, NATIONAL_CODE_DIGITS) &&
		   strspn(text, (char[]){text[0], '\0'}) < NATIONAL_CODE_DIGITS &&
		   national_code_check_digit(text) == text[NATIONAL_CODE_DIGITS - 1];
}

/* The two check digits (mod 97) for 22 digits of bank and account. */
void
iban_check_digits(const char *bban, char *check)
{
	static const char country[] = "182700"; /* I, R, 00 */
	int rest = 0;

	for (int i = 0; i < BBAN_DIGITS; i++)
		rest = (rest * 10 + (bban[i] - '0')) % 97;
	for (int i = 0; country[i] != '\0'; i++)
		rest = (rest * 10 + (country[i] - '0')) % 97;
	rest = 98 - rest;
	check[0] = (char) ('0' + rest / 10);
	check[1] = (char) ('0' + rest % 10);
}

bool
valid_iban(const char *text)
{
	char check[2];

	if (strncmp(text, "IR", 2) != 0 || !all_digits(text + 2, IBAN_LENGTH - 2))
		return false;
	iban_check_digits(text + 4, check);
	return text[2] == check[0] && text[3] == check[1];
}

bool
valid_mobile(const char *text)
{
	return strncmp(text, "09", 2) == 0 && all_digits(text + 2, 9);
}

bool
valid_ten_digits(const char *text)
{
	return strlen(text) == 10 && all_digits(text, 10);
}

bool
valid_fida(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length <= FIDA_MAX && all_digits(text, length);
}

/* YYYYMMDD, a day that exists and is not in the future. */
bool
valid_birth_date(const char *text)
{
	Jalali date;

	if (strlen(text) != 8 || !all_digits(text, 8))
		return false;
	date.year = number(text, 4);
	date.month = number(text + 4, 2);
	date.day = number(text + 6, 2);
	return date.year >= OLDEST_BIRTH_YEAR && calendar_exists(date) &&
		   calendar_compare(date, calendar_jalali(calendar_today())) <= 0;
}

/* yyMMdd; two digits of the year mean 1350 to 1449. */
bool
parse_report_day(const char *text, Jalali *date)
{
	if (strlen(text) != 6 || !all_digits(text, 6))
		return false;
	date->year = number(text, 2);
	date->year += date->year < 50 ? 1400 : 1300;
	date->month = number(text + 2, 2);
	date->day = number(text + 4, 2);
	return calendar_exists(*date);
}

/* The bank's own format: digits and what banks write between them. */
bool
valid_deposit(const char *text)
{
	size_t length = strlen(text);

	return length <= DEPOSIT_MAX && strpbrk(text, "0123456789") != NULL &&
		   strspn(text, "0123456789.-/_ ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						"abcdefghijklmnopqrstuvwxyz") == length;
}

/* Something to read, and no control characters. */
bool
valid_name(const char *text)
{
	bool visible = false;

	for (const char *at = text; *at != '\0'; at++)
	{
		if ((unsigned char) *at < ' ' || *at == 0x7f)
			return false;
		if (*at != ' ')
			visible = true;
	}
	return visible && valid_utf8(text, strlen(text));
}

/* Well-formed UTF-8: no surrogates, nothing overlong, nothing too large. */
bool
valid_utf8(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *) text;
	const unsigned char *end = at + length;

	while (at < end)
	{
		unsigned char lead = *at++;
		unsigned char low = 0x80;
		unsigned char high = 0xBF;
		int more;

		if (lead < 0x80)
			continue;
		if (lead >= 0xC2 && lead <= 0xDF)
			more = 1;
		else if (lead >= 0xE0 && lead <= 0xEF)
			more = 2;
		else if (lead >= 0xF0 && lead <= 0xF4)
			more = 3;
		else
			return false;
		if (lead == 0xE0)
			low = 0xA0;
		else if (lead == 0xED)
			high = 0x9F;
		else if (lead == 0xF0)
			low = 0x90;
		else if (lead == 0xF4)
			high = 0x8F;
		for (; more > 0; more--)
		{
			if (at == end || *at < low || *at > high)
				return false;
			at++;
			low = 0x80;
			high = 0xBF;
		}
	}
	return true;
}
