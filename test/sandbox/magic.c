/*
 * magic.c
 *		Inputs that ask for a fault, and are valid all the same.
 *
 * In a pattern K stands for a digit of the fault's number, N for a digit that
 * is free (so that one fault has many inputs), c for a check digit.
 */
#include <stdio.h>
#include <string.h>

#include "magic.h"
#include "validate.h"

typedef struct Pattern
{
	const char *kind;
	ParamKind param;
	const char *text;
} Pattern;

static const Pattern patterns[] = {
	{"card", PARAM_CARD, "60379999KKKKNNNc"},
	{"iban", PARAM_IBAN, "IRcc01799999KKKKNNNNNNNNNN"},
	{"national_code", PARAM_NATIONAL_CODE, "99KKKKNNNc"},
	{"mobile", PARAM_MOBILE, "0999KKKKNNN"},
	{"postal_code", PARAM_POSTAL_CODE, "99KKKKNNNN"},
	{"fida", PARAM_FIDA, "99KKKKNNNN"},
	{"corporation_code", PARAM_CORPORATION_CODE, "99KKKKNNNN"},
	{"deposit", PARAM_DEPOSIT, "9999KKKKNN"},
};

#define PATTERNS ((int) (sizeof(patterns) / sizeof(patterns[0])))

/* Token operations have no digits to hide a number in. */
#define KEY_KIND "api_key"
#define KEY_PREFIX "fault:"

/* The fault's number in a value of that pattern, or 0. */
static int
read_number(const char *pattern, const char *value)
{
	int number = 0;

	for (; *pattern != '\0'; pattern++, value++)
	{
		bool wanted = *pattern >= '0' && *pattern <= '9';

		if (*pattern == 'K' && *value >= '0' && *value <= '9')
			number = number * 10 + (*value - '0');
		else if (*value == '\0' || *pattern == 'K' ||
				 (wanted && *pattern != *value))
			return 0;
	}
	return *value == '\0' ? number : 0;
}

/* The fault that the first magic parameter asks for, or NULL. */
const Fault *
magic_fault(const Operation *operation, const Request *request)
{
	for (const ParamRule *rule = operation->params; rule->name != NULL; rule++)
	{
		const char *value = request_param(request, rule->name);

		for (int i = 0; value != NULL && i < PATTERNS; i++)
		{
			int number;

			if (patterns[i].param != rule->kind)
				continue;
			number = read_number(patterns[i].text, value);
			if (number > 0 && fault_by_number(number) != NULL)
				return fault_by_number(number);
		}
	}
	return NULL;
}

const Fault *
magic_fault_of_key(const char *api_key)
{
	size_t length = strlen(KEY_PREFIX);

	return strncmp(api_key, KEY_PREFIX, length) == 0
			   ? fault_by_name(api_key + length)
			   : NULL;
}

/* Writes the value; false where there is no such kind. */
bool
magic_value(const char *kind, const Fault *fault, long variant, char *to)
{
	const char *pattern = NULL;
	int number = fault->number;

	if (strcmp(kind, KEY_KIND) == 0)
	{
		snprintf(to, MAGIC_SIZE, "%s%s", KEY_PREFIX, fault->name);
		return true;
	}
	for (int i = 0; i < PATTERNS; i++)
		if (strcmp(patterns[i].kind, kind) == 0)
			pattern = patterns[i].text;
	if (pattern == NULL)
		return false;
	if (variant < 0)
		variant = 0;
	strcpy(to, pattern);
	for (size_t i = strlen(to); i-- > 0;)
	{
		if (to[i] == 'K')
		{
			to[i] = (char) ('0' + number % 10);
			number /= 10;
		}
		else if (to[i] == 'N')
		{
			to[i] = (char) ('0' + variant % 10);
			variant /= 10;
		}
	}
	if (strcmp(kind, "card") == 0)
		to[15] = card_check_digit(to);
	else if (strcmp(kind, "national_code") == 0)
		to[9] = national_code_check_digit(to);
	else if (strcmp(kind, "iban") == 0)
		iban_check_digits(to + 4, to + 2);
	return true;
}

/* For --help; both NULL after the last. */
void
magic_describe(int index, const char **kind, const char **pattern)
{
	*kind = index < PATTERNS	? patterns[index].kind
			: index == PATTERNS ? KEY_KIND
								: NULL;
	*pattern = index < PATTERNS	   ? patterns[index].text
			   : index == PATTERNS ? KEY_PREFIX "NAME"
								   : NULL;
}
