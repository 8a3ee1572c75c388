/*
 * The arguments of an inquiry: normalised, checked, put into a URL.
 */
#include "postgres.h"

#include "base/tehran.h"
#include "common/string.h"
#include "net/http.h"
#include "offline/jalali.h"
#include "offline/normalize.h"
#include "protocol/arguments.h"

/* Longer arguments are refused, whatever blanks and marks they may hold. */
#define LOOKED_AT_MAX 8192

/* Of a value that is no card, the log shows this many characters at the end. */
#define SHOWN 2

#define DIGITS "0123456789"

/* A value of another look was probably given for another argument. */
typedef enum Look
{
	LOOK_ANY,
	LOOK_WITH_DIGIT,
	LOOK_NO_NUMBER
} Look;

/* How a value is shown in the log. */
typedef enum Mask
{
	MASK_ALL_BUT_END,
	MASK_CARD,
	MASK_UNLESS_BANK,
	MASK_ALL
} Mask;

/* All that is known of the arguments of a kind. */
typedef struct Kind
{
	const char *stem; /* what the service calls it in its error codes */

	/* One of the two: a fixed form fits into JIBIT_ARGUMENT_MAX. */
	JibitVerdict (*normalize)(const char *s, size_t len, char *out);
	JibitVerdict (*normalize_text)(const char *s, size_t len, char *out,
								   size_t outsize);
	bool is_open;		 /* nearly anything is one */
	bool has_separators; /* what is inside stays, without validation */
	bool is_today;		 /* where it is not given */
	Look look;
	Mask mask;
} Kind;

static JibitVerdict
normalize_birth_date(const char *s, size_t len, char *out)
{
	JibitJalali today = jibit_tehran_today();

	return jibit_normalize_birth_date(
		s, len, jibit_jalali_number(today.year, today.month, today.day), out);
}

static const Kind kinds[] = {
	[JIBIT_KIND_CARD] = {"card", jibit_normalize_card, .mask = MASK_CARD},
	[JIBIT_KIND_IBAN] = {"iban", jibit_normalize_iban},
	[JIBIT_KIND_NATIONAL_CODE] = {"nationalCode",
								  jibit_normalize_national_code},
	[JIBIT_KIND_BIRTH_DATE] = {"birthDate", normalize_birth_date,
							   .has_separators = true},
	[JIBIT_KIND_MOBILE] = {"mobileNumber", jibit_normalize_mobile},
	[JIBIT_KIND_BANK] = {"bank", .normalize_text = jibit_normalize_bank,
						 .is_open = true, .has_separators = true,
						 .look = LOOK_NO_NUMBER, .mask = MASK_UNLESS_BANK},
	[JIBIT_KIND_DEPOSIT] = {"deposit", .normalize_text = jibit_normalize_text,
							.is_open = true, .has_separators = true,
							.look = LOOK_WITH_DIGIT},
	[JIBIT_KIND_NAME] = {"name", .normalize_text = jibit_normalize_name,
						 .has_separators = true, .look = LOOK_NO_NUMBER,
						 .mask = MASK_ALL},
	[JIBIT_KIND_POSTAL_CODE] = {"postalCode", jibit_normalize_postal_code},
	[JIBIT_KIND_FIDA] = {"fida", jibit_normalize_fida},
	[JIBIT_KIND_CORPORATION_CODE] = {"corporation_code",
									 jibit_normalize_corporation_code},
	[JIBIT_KIND_REPORT_DAY] = {"yearMonthDay", jibit_normalize_report_day,
							   .has_separators = true, .is_today = true},
};

/* out has room for JIBIT_ARGUMENT_MAX bytes and the terminator. */
static JibitVerdict
normalize(const JibitParam *param, const char *text, char *out)
{
	const Kind *kind = &kinds[param->kind];

	StaticAssertStmt(JIBIT_ARGUMENT_MAX >= JIBIT_IBAN_LENGTH,
					 "room for every kind of fixed form");

	if (kind->normalize)
		return kind->normalize(text, strlen(text), out);
	return kind->normalize_text(text, strlen(text), out,
								JIBIT_ARGUMENT_MAX + 1);
}

/* What is sent of an argument that is not valid, without validation. */
static JibitVerdict
normalize_leniently(const JibitParam *param, const char *text, char *out)
{
	return (kinds[param->kind].has_separators ? jibit_normalize_text
											  : jibit_normalize_compact)(
		text, strlen(text), out, JIBIT_ARGUMENT_MAX + 1);
}

static bool
has_odd_look(const JibitParam *param, const char *canonical)
{
	if (canonical == NULL || canonical[0] == '\0')
		return false;
	switch (kinds[param->kind].look)
	{
		case LOOK_WITH_DIGIT:
			return strpbrk(canonical, DIGITS) == NULL;
		case LOOK_NO_NUMBER:
			return canonical[strspn(canonical, DIGITS)] == '\0';
		case LOOK_ANY:
			break;
	}
	return false;
}

/*
 * Finds a deposit number and another argument that have been given for each
 * other: the first of the two, or -1.
 */
static int
find_swapped_deposit(const JibitInquiry *inquiry, char *const *canonical)
{
	int first = -1;
	int odd = 0;
	bool is_deposit = false;

	for (int i = 0; i < inquiry->nparams; i++)
	{
		const JibitParam *param = &inquiry->params[i];

		if (!has_odd_look(param, canonical[i]))
			continue;
		if (odd++ == 0)
			first = i;
		is_deposit |= kinds[param->kind].look == LOOK_WITH_DIGIT;
	}
	return is_deposit && odd > 1 ? first : -1;
}

/* Would argument i fit where another one is, and the other way round? */
static bool
looks_swapped(const JibitInquiry *inquiry, const char *const *arguments, int i)
{
	const JibitParam *param = &inquiry->params[i];
	char out[JIBIT_ARGUMENT_MAX + 1];

	for (int j = 0; j < inquiry->nparams; j++)
	{
		const JibitParam *other = &inquiry->params[j];

		if (j != i && arguments[j] != NULL &&
			strlen(arguments[j]) <= LOOKED_AT_MAX &&
			!kinds[param->kind].is_open && !kinds[other->kind].is_open &&
			normalize(other, arguments[i], out) == JIBIT_VALID &&
			normalize(param, arguments[j], out) == JIBIT_VALID)
			return true;
	}
	return false;
}

static void
set_code(JibitError *error, const JibitParam *param, JibitVerdict verdict)
{
	char code[JIBIT_CODE_SIZE];

	snprintf(code, sizeof(code), "%s.%s", kinds[param->kind].stem,
			 verdict == JIBIT_EMPTY ? "is_required" : "not_valid");
	jibit_error_set(error, code, 0, NULL, NULL);
}

static void
set_error(JibitError *error, const JibitInquiry *inquiry,
		  const char *const *arguments, int i, JibitVerdict verdict)
{
	const JibitParam *param = &inquiry->params[i];

	set_code(error, param, verdict);
	if (looks_swapped(inquiry, arguments, i))
		error->class = JIBIT_SWAPPED_INPUT;
	else if (param->kind == JIBIT_KIND_BIRTH_DATE &&
			 jibit_jalali_looks_gregorian(arguments[i], strlen(arguments[i])))
		error->class = JIBIT_GREGORIAN_INPUT;
}

bool
jibit_arguments_normalize(const JibitInquiry *inquiry,
						  const char *const *arguments, bool validate,
						  char **canonical, JibitError *error)
{
	bool names_possible = false;
	bool name_given = false;
	int swapped;

	for (int i = 0; i < inquiry->nparams; i++)
	{
		const JibitParam *param = &inquiry->params[i];
		char out[JIBIT_ARGUMENT_MAX + 1] = "";
		JibitVerdict verdict;

		canonical[i] = NULL;
		if (!param->required)
		{
			names_possible = true;
			name_given |= arguments[i] != NULL;
		}
		if (arguments[i] == NULL)
			continue;

		/* Not even looked at: that takes long, and cannot be cancelled. */
		if (strlen(arguments[i]) > LOOKED_AT_MAX)
		{
			set_code(error, param, JIBIT_INVALID);
			return false;
		}
		verdict = normalize(param, arguments[i], out);
		if (verdict != JIBIT_VALID && !validate)
			verdict = normalize_leniently(param, arguments[i], out);
		if (verdict == JIBIT_INVALID || (verdict == JIBIT_EMPTY && validate))
		{
			set_error(error, inquiry, arguments, i, verdict);
			return false;
		}
		canonical[i] = pstrdup(verdict == JIBIT_VALID ? out : "");
	}

	if (validate && names_possible && !name_given)
	{
		jibit_error_set(error, JIBIT_CODE_NO_NAME_GIVEN, 0, NULL, NULL);
		return false;
	}
	swapped = validate ? find_swapped_deposit(inquiry, canonical) : -1;
	if (swapped >= 0)
	{
		set_code(error, &inquiry->params[swapped], JIBIT_INVALID);
		error->class = JIBIT_SWAPPED_INPUT;
		return false;
	}
	return true;
}

bool
jibit_argument_is_valid(const JibitInquiry *inquiry, int i,
						const char *argument)
{
	char out[JIBIT_ARGUMENT_MAX + 1];

	return normalize(&inquiry->params[i], argument, out) == JIBIT_VALID;
}

char *
jibit_argument_default(const JibitParam *param)
{
	JibitJalali today;
	char *text;

	if (!kinds[param->kind].is_today)
		return NULL;
	today = jibit_tehran_today();
	text = palloc(JIBIT_DATE_LENGTH + 1);
	jibit_jalali_format(today.year, today.month, today.day, text);
	return text;
}

void
jibit_argument_append_masked(StringInfo out, const JibitParam *param,
							 const char *canonical)
{
	Mask mask = kinds[param->kind].mask;
	size_t length = strlen(canonical);
	char card[JIBIT_CARD_LENGTH + 1];

	if (mask == MASK_CARD &&
		jibit_mask_card(canonical, length, card) == JIBIT_VALID)
		appendStringInfoString(out, card);

	/* No bank's identifier has a digit: what has may be a card. */
	else if (mask == MASK_UNLESS_BANK &&
			 strspn(canonical, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == length)
		appendStringInfoString(out, canonical);

	/* Nor is shown what is too short to hide a part of it. */
	else if (mask == MASK_ALL || length <= 2 * SHOWN ||
			 !pg_is_ascii(canonical))
		appendStringInfoString(out, "***");
	else
	{
		for (size_t i = 0; i < length - SHOWN; i++)
			appendStringInfoChar(out, '*');
		appendStringInfoString(out, canonical + length - SHOWN);
	}
}

void
jibit_arguments_append_target(StringInfo url, const JibitInquiry *inquiry,
							  char *const *canonical)
{
	char separator = '?';

	appendStringInfoString(url, inquiry->path);
	for (int i = 0; i < inquiry->nparams; i++)
	{
		if (canonical[i] == NULL)
			continue;
		appendStringInfoChar(url, separator);
		appendStringInfoString(url, inquiry->params[i].name);
		appendStringInfoChar(url, '=');
		jibit_http_append_escaped(url, canonical[i]);
		separator = '&';
	}
	if (inquiry->fixed != NULL)
		appendStringInfo(url, "%c%s", separator, inquiry->fixed);
}
