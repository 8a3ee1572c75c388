/*-------------------------------------------------------------------------
 *
 * arguments.c
 *	  The arguments of an inquiry: normalised, checked, put into a URL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/tehran.h"
#include "net/http.h"
#include "offline/jalali.h"
#include "offline/normalize.h"
#include "protocol/arguments.h"

/* Longer arguments are none, whatever blanks and marks they may hold. */
#define LOOKED_AT_MAX 8192

/* What the service calls an argument of each kind in its error codes. */
static const char *const code_stems[] = {
	[JIBIT_KIND_CARD] = "card",
	[JIBIT_KIND_IBAN] = "iban",
	[JIBIT_KIND_NATIONAL_CODE] = "nationalCode",
	[JIBIT_KIND_BIRTH_DATE] = "birthDate",
	[JIBIT_KIND_MOBILE] = "mobileNumber",
	[JIBIT_KIND_BANK] = "bank",
	[JIBIT_KIND_DEPOSIT] = "deposit",
	[JIBIT_KIND_NAME] = "name",
	[JIBIT_KIND_POSTAL_CODE] = "postalCode",
	[JIBIT_KIND_FIDA] = "fida",
	[JIBIT_KIND_CORPORATION_CODE] = "corporation_code",
	[JIBIT_KIND_REPORT_DAY] = "yearMonthDay",
};

static int
today_number(void)
{
	JibitJalali today = jibit_tehran_today();

	return jibit_jalali_number(today.year, today.month, today.day);
}

/* out has room for JIBIT_ARGUMENT_MAX bytes and the terminator. */
static JibitVerdict
normalize(JibitKind kind, const char *text, char *out)
{
	size_t length = strlen(text);
	size_t size = JIBIT_ARGUMENT_MAX + 1;

	StaticAssertStmt(JIBIT_ARGUMENT_MAX >= JIBIT_IBAN_LENGTH,
					 "room for every kind of fixed length");

	switch (kind)
	{
		case JIBIT_KIND_CARD:
			return jibit_normalize_card(text, length, out);
		case JIBIT_KIND_IBAN:
			return jibit_normalize_iban(text, length, out);
		case JIBIT_KIND_NATIONAL_CODE:
			return jibit_normalize_national_code(text, length, out);
		case JIBIT_KIND_BIRTH_DATE:
			return jibit_normalize_birth_date(text, length, today_number(),
											  out);
		case JIBIT_KIND_MOBILE:
			return jibit_normalize_mobile(text, length, out);
		case JIBIT_KIND_BANK:
			return jibit_normalize_bank(text, length, out, size);
		case JIBIT_KIND_DEPOSIT:
			return jibit_normalize_deposit(text, length, out, size);
		case JIBIT_KIND_NAME:
			return jibit_normalize_name(text, length, out, size);
		case JIBIT_KIND_POSTAL_CODE:
			return jibit_normalize_postal_code(text, length, out);
		case JIBIT_KIND_FIDA:
			return jibit_normalize_fida(text, length, out);
		case JIBIT_KIND_CORPORATION_CODE:
			return jibit_normalize_corporation_code(text, length, out);
		case JIBIT_KIND_REPORT_DAY:
			return jibit_normalize_report_day(text, length, out);
	}
	return JIBIT_INVALID;
}

/* What is sent of an argument that is not valid, without validation. */
static JibitVerdict
normalize_leniently(JibitKind kind, const char *text, char *out)
{
	size_t length = strlen(text);
	size_t size = JIBIT_ARGUMENT_MAX + 1;

	switch (kind)
	{
		case JIBIT_KIND_BANK:
		case JIBIT_KIND_DEPOSIT:
		case JIBIT_KIND_NAME:
		case JIBIT_KIND_BIRTH_DATE:
		case JIBIT_KIND_REPORT_DAY:
			return jibit_normalize_text(text, length, out, size);
		default:
			return jibit_normalize_compact(text, length, out, size);
	}
}

/* Nearly anything is a bank's identifier or a deposit number. */
static bool
is_distinctive(JibitKind kind)
{
	return kind != JIBIT_KIND_BANK && kind != JIBIT_KIND_DEPOSIT;
}

/*
 * A deposit number without a digit, a bank or a name of digits alone: neither
 * is wrong by itself.
 */
static bool
has_odd_form(JibitKind kind, const char *canonical)
{
	static const char digits[] = "0123456789";

	if (canonical == NULL || canonical[0] == '\0')
		return false;
	switch (kind)
	{
		case JIBIT_KIND_DEPOSIT:
			return strpbrk(canonical, digits) == NULL;
		case JIBIT_KIND_BANK:
		case JIBIT_KIND_NAME:
			return canonical[strspn(canonical, digits)] == '\0';
		default:
			return false;
	}
}

/*
 * The first of a deposit number and another argument that have been given for
 * each other; -1 where none have.
 */
static int
find_swapped_deposit(const JibitInquiry *inquiry, char *const *canonical)
{
	int first = -1;
	int odd = 0;
	bool is_deposit = false;

	for (int i = 0; i < inquiry->nparams; i++)
	{
		JibitKind kind = inquiry->params[i].kind;

		if (!has_odd_form(kind, canonical[i]))
			continue;
		if (odd++ == 0)
			first = i;
		is_deposit |= kind == JIBIT_KIND_DEPOSIT;
	}
	return is_deposit && odd > 1 ? first : -1;
}

/* Would argument i fit where another one is, and the other way round? */
static bool
looks_swapped(const JibitInquiry *inquiry, const char *const *arguments, int i)
{
	char out[JIBIT_ARGUMENT_MAX + 1];

	for (int j = 0; j < inquiry->nparams; j++)
	{
		if (j != i && arguments[j] != NULL &&
			strlen(arguments[j]) <= LOOKED_AT_MAX &&
			is_distinctive(inquiry->params[i].kind) &&
			is_distinctive(inquiry->params[j].kind) &&
			normalize(inquiry->params[j].kind, arguments[i], out) ==
				JIBIT_VALID &&
			normalize(inquiry->params[i].kind, arguments[j], out) ==
				JIBIT_VALID)
			return true;
	}
	return false;
}

static void
set_code(JibitError *error, const JibitParam *param, JibitVerdict verdict)
{
	char code[JIBIT_CODE_SIZE];

	snprintf(code, sizeof(code), "%s.%s", code_stems[param->kind],
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
		verdict = normalize(param->kind, arguments[i], out);
		if (verdict != JIBIT_VALID && !validate)
			verdict = normalize_leniently(param->kind, arguments[i], out);
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

	return normalize(inquiry->params[i].kind, argument, out) == JIBIT_VALID;
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
