/*
 * properties.c
 *		What must hold for every input.
 */
#include "properties.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "banks.h"
#include "jalali.h"
#include "mask.h"
#include "normalize.h"
#include "text.h"

#define TODAY 14040915

typedef JibitVerdict (*FixedFunction)(const char *, size_t, char *);
typedef JibitVerdict (*SizedFunction)(const char *, size_t, char *, size_t);

static JibitVerdict
birth_date(const char *s, size_t len, char *out)
{
	return jibit_normalize_birth_date(s, len, TODAY, out);
}

static const struct
{
	const char *name;
	FixedFunction function;
	size_t min;
	size_t max;
} fixed_functions[] = {
	{"card", jibit_normalize_card, 16, 16},
	{"iban", jibit_normalize_iban, 26, 26},
	{"national code", jibit_normalize_national_code, 10, 10},
	{"company id", jibit_normalize_company_id, 11, 11},
	{"mobile", jibit_normalize_mobile, 11, 11},
	{"postal code", jibit_normalize_postal_code, 10, 10},
	{"corporation code", jibit_normalize_corporation_code, 10, 10},
	{"fida", jibit_normalize_fida, 1, 20},
	{"birth date", birth_date, 8, 8},
	{"report day", jibit_normalize_report_day, 6, 6},
};

static const struct
{
	const char *name;
	SizedFunction function;
} sized_functions[] = {
	{"bank", jibit_normalize_bank},
	{"name", jibit_normalize_name},
	{"text", jibit_normalize_text},
};

static char *
allocate(size_t size)
{
	char *block = malloc(size ? size : 1);

	if (block == NULL)
		abort();
	memset(block, 0x7F, size);
	return block;
}

static char *
copy_exactly(const char *s, size_t len)
{
	char *block = malloc(len);

	/* malloc(0) may be NULL, and nothing may be read from it anyway. */
	if (block == NULL)
	{
		if (len > 0)
			abort();
		return NULL;
	}
	memcpy(block, s, len);
	return block;
}

static const char *
failure(const char *name, const char *property)
{
	static char message[128];

	snprintf(message, sizeof(message), "%s: %s", name, property);
	return message;
}

static const char *
check_fixed(const char *s, size_t len)
{
	size_t count = sizeof(fixed_functions) / sizeof(fixed_functions[0]);

	for (size_t i = 0; i < count; i++)
	{
		const char *name = fixed_functions[i].name;
		FixedFunction function = fixed_functions[i].function;
		const char *problem = NULL;
		char *out = allocate(fixed_functions[i].max + 1);
		char *again = allocate(fixed_functions[i].max + 1);
		JibitVerdict verdict = function(s, len, out);

		if (function(s, len, NULL) != verdict)
			problem = "another verdict without a result";
		else if (verdict == JIBIT_VALID)
		{
			size_t n = strnlen(out, fixed_functions[i].max + 1);
			char *exact;

			if (n < fixed_functions[i].min || n > fixed_functions[i].max)
				problem = "result of a wrong length";
			else
			{
				exact = copy_exactly(out, n);
				if (function(exact, n, again) != JIBIT_VALID ||
					strcmp(out, again) != 0)
					problem = "not a fixed point";
				free(exact);
			}
		}
		free(out);
		free(again);
		if (problem != NULL)
			return failure(name, problem);
	}
	return NULL;
}

static const char *
check_sized(const char *s, size_t len)
{
	size_t count = sizeof(sized_functions) / sizeof(sized_functions[0]);

	for (size_t i = 0; i < count; i++)
	{
		const char *name = sized_functions[i].name;
		SizedFunction function = sized_functions[i].function;
		const char *problem = NULL;
		char *out = allocate(len + 1);
		char *again = allocate(len + 1);
		char *small;
		JibitVerdict verdict = function(s, len, out, len + 1);

		if (function(s, len, NULL, 0) != verdict)
			problem = "another verdict without a result";
		else if (function(s, len, again, 0) == JIBIT_VALID)
			problem = "valid without room";
		else if (verdict == JIBIT_VALID)
		{
			size_t n = strnlen(out, len + 1);

			small = allocate(n + 1);
			if (n == 0 || n > len)
				problem = "result of a wrong length";
			else if (function(out, n, small, n + 1) != JIBIT_VALID ||
					 strcmp(out, small) != 0)
				problem = "not a fixed point";
			else if (function(s, len, small, n) != JIBIT_INVALID)
				problem = "valid without room for the NUL";
			free(small);
		}
		free(out);
		free(again);
		if (problem != NULL)
			return failure(name, problem);
	}
	return NULL;
}

static const char *
check_dates(const char *s, size_t len)
{
	JibitJalali date;
	JibitJalali back;
	JibitDateVerdict verdict = jibit_jalali_parse(s, len, &date);

	jibit_jalali_looks_gregorian(s, len);
	if (jibit_jalali_parse(s, len, NULL) != verdict)
		return "date: another verdict without a result";
	if (verdict != JIBIT_DATE_VALID)
		return NULL;
	if (!jibit_jalali_from_jdn(
			jibit_jalali_to_jdn(date.year, date.month, date.day), &back) ||
		memcmp(&date, &back, sizeof(date)) != 0)
		return "date: no round trip";
	return NULL;
}

static const char *
check_rest(const char *s, size_t len)
{
	char *card = allocate(JIBIT_CARD_LENGTH + 1);
	char *mask = allocate(JIBIT_CARD_LENGTH + 1);
	char *iban = allocate(JIBIT_IBAN_LENGTH + 1);
	char *groups = allocate(JIBIT_FORMATTED_IBAN_LENGTH + 1);
	const char *problem = NULL;
	size_t pos = 0;

	if (jibit_normalize_card(s, len, card) == JIBIT_VALID)
	{
		jibit_bank_by_card(card);
		if (jibit_mask_card(s, len, mask) != JIBIT_VALID ||
			strlen(mask) != JIBIT_CARD_LENGTH || memcmp(card, mask, 6) != 0 ||
			memcmp(mask + 6, "******", 6) != 0 ||
			memcmp(card + 12, mask + 12, 4) != 0)
			problem = "mask";
	}
	else
		jibit_mask_card(s, len, mask);

	if (jibit_normalize_iban(s, len, iban) == JIBIT_VALID)
	{
		jibit_bank_by_iban(iban);
		if (jibit_format_iban(s, len, groups) != JIBIT_VALID ||
			strlen(groups) != JIBIT_FORMATTED_IBAN_LENGTH ||
			jibit_normalize_iban(groups, strlen(groups), groups) !=
				JIBIT_VALID)
			problem = "formatted IBAN";
	}
	else if (jibit_format_iban(s, len, groups) == JIBIT_VALID)
		problem = "formatted IBAN that is invalid";

	while (pos < len)
	{
		JibitChar c = jibit_text_decode(s + pos, len - pos);

		if (c.size < 1 || c.size > len - pos)
		{
			problem = "character of a wrong size";
			break;
		}
		pos += c.size;
	}

	free(card);
	free(mask);
	free(iban);
	free(groups);
	return problem;
}

/* Are there nine digits in a row, however they are written, or controls? */
static bool
shows_too_much(const char *s, size_t len)
{
	int digits = 0;
	JibitChar c;

	for (size_t pos = 0; pos < len; pos += c.size)
	{
		c = jibit_text_decode(s + pos, len - pos);
		digits = c.kind == JIBIT_TEXT_DIGIT ? digits + 1 : 0;
		if (digits >= 9 || c.code < ' ' || c.kind == JIBIT_TEXT_CONTROL)
			return true;
	}
	return false;
}

static const char *
check_mask(const char *s, size_t len)
{
	char *secret = allocate(4);
	const char *secrets[] = {secret, NULL};
	char *shown = allocate(len + 1);
	char *again = allocate(len + 1);
	const char *problem = NULL;
	size_t secret_len = len < 3 ? len : 3;

	memcpy(shown, s, len);
	shown[len] = '\0';
	len = strlen(shown);

	/* The text's beginning, where it is none that masking itself writes. */
	memcpy(secret, shown, secret_len);
	secret[secret_len] = '\0';
	if (strpbrk(secret, "* ") != NULL)
		secret[0] = '\0';

	jibit_mask_text(shown, secrets);
	memcpy(again, shown, len + 1);
	jibit_mask_text(again, secrets);
	if (strlen(shown) != len)
		problem = "masked text of another length";
	else if (secret[0] != '\0' && strstr(shown, secret) != NULL)
		problem = "masked text with a secret";
	else if (shows_too_much(shown, len))
		problem = "masked text that shows too much";
	else if (strcmp(shown, again) != 0)
		problem = "masked text is no fixed point";
	free(secret);
	free(shown);
	free(again);
	return problem;
}

const char *
check_properties(const char *text, size_t len)
{
	char *s = copy_exactly(text, len);
	const char *problem = check_fixed(s, len);

	if (problem == NULL)
		problem = check_sized(s, len);
	if (problem == NULL)
		problem = check_dates(s, len);
	if (problem == NULL)
		problem = check_rest(s, len);
	if (problem == NULL && len > 0)
		problem = check_mask(s, len);
	free(s);
	return problem;
}
