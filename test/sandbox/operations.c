/*
 * operations.c
 *		The operations of the API, and which one a request means.
 *
 * Several operations share a path and are told apart by the names of their
 * parameters alone.
 */
#include <string.h>

#include "banks.h"
#include "inquiries.h"
#include "operations.h"
#include "validate.h"

/* The insides of a ParamRule. */
#define CARD(name) name, PARAM_CARD, false
#define IBAN(name) name, PARAM_IBAN, false
#define BANK "bank", PARAM_BANK, false
#define DEPOSIT(name) name, PARAM_DEPOSIT, false
#define NATIONAL_CODE "nationalCode", PARAM_NATIONAL_CODE, false
#define BIRTH_DATE "birthDate", PARAM_BIRTH_DATE, false
#define MOBILE "mobileNumber", PARAM_MOBILE, false
#define POSTAL_CODE "code", PARAM_POSTAL_CODE, false
#define NAME "name", PARAM_NAME, false
#define OPTIONAL_NAME(name) name, PARAM_NAME, true
#define FLAG(name) name, PARAM_TRUE, false

const Operation operations[OPERATIONS] = {
	{
		.name = "token_generate",
		.path = "/v1/tokens/generate",
		.token = true,
		.mandatory = {"accessToken", "refreshToken"},
	},
	{
		.name = "token_refresh",
		.path = "/v1/tokens/refresh",
		.token = true,
		.mandatory = {"accessToken", "refreshToken"},
	},
	{
		.name = "card",
		.persian_name = "استعلام کارت",
		.path = "/v1/cards",
		.charged = true,
		.mandatory = {"cardInfo"},
		.params = {{CARD("number")}},
		.answer = inquiry_card,
	},
	{
		.name = "iban",
		.persian_name = "استعلام شبا",
		.path = "/v1/ibans",
		.charged = true,
		.mandatory = {"ibanInfo"},
		.params = {{IBAN("value")}},
		.answer = inquiry_iban,
	},
	{
		.name = "card_to_deposit",
		.persian_name = "تبدیل کارت به حساب",
		.path = "/v1/cards",
		.charged = true,
		.mandatory = {"depositInfo"},
		.params = {{CARD("number")}, {FLAG("deposit")}},
		.answer = inquiry_card_to_deposit,
	},
	{
		.name = "card_to_iban",
		.persian_name = "تبدیل کارت به شبا",
		.path = "/v1/cards",
		.charged = true,
		.mandatory = {"ibanInfo.iban"},
		.params = {{CARD("number")}, {FLAG("iban")}},
		.answer = inquiry_card_to_iban,
	},
	{
		.name = "card_to_iban_availability",
		.persian_name = "وضعیت سرویس تبدیل کارت به شبا",
		.path = "/v1/services/availability",
		.mandatory = {"availabilityReport"},
		.params = {{FLAG("cardToIBAN")}},
		.answer = inquiry_availability,
	},
	{
		.name = "deposit_to_iban",
		.persian_name = "تبدیل حساب به شبا",
		.path = "/v1/deposits",
		.charged = true,
		.mandatory = {"ibanInfo.iban", "depositToIBANInfo.iban"},
		.params = {{BANK}, {DEPOSIT("number")}, {FLAG("iban")}},
		.answer = inquiry_deposit_to_iban,
	},
	{
		.name = "match_card",
		.persian_name = "تطابق کارت و کد ملی",
		.path = "/v1/services/matching",
		.charged = true,
		.mandatory = {"matched"},
		.params = {{CARD("cardNumber")}, {NATIONAL_CODE}, {BIRTH_DATE}},
		.answer = inquiry_match_person,
	},
	{
		.name = "match_deposit",
		.persian_name = "تطابق حساب و کد ملی",
		.path = "/v1/services/matching",
		.charged = true,
		.mandatory = {"matched"},
		.params = {{BANK},
				   {DEPOSIT("depositNumber")},
				   {NATIONAL_CODE},
				   {BIRTH_DATE}},
		.answer = inquiry_match_person,
	},
	{
		.name = "match_iban",
		.persian_name = "تطابق شبا و کد ملی",
		.path = "/v1/services/matching",
		.charged = true,
		.mandatory = {"matched"},
		.params = {{IBAN("iban")}, {NATIONAL_CODE}, {BIRTH_DATE}},
		.answer = inquiry_match_person,
	},
	{
		.name = "match_card_name",
		.persian_name = "تطابق کارت و نام",
		.path = "/v1/services/matching",
		.charged = true,
		.mandatory = {"matched"},
		.params = {{CARD("cardNumber")}, {NAME}},
		.answer = inquiry_match_card_name,
	},
	{
		.name = "match_deposit_name",
		.persian_name = "تطابق حساب و نام",
		.path = "/v1/services/matching",
		.charged = true,
		.mandatory = {"matched"},
		.params = {{BANK}, {DEPOSIT("depositNumber")}, {NAME}},
		.answer = inquiry_match_deposit_name,
	},
	{
		.name = "match_iban_name",
		.persian_name = "تطابق شبا و نام",
		.path = "/v1/services/matching",
		.charged = true,
		.mandatory = {"matched"},
		.params = {{IBAN("iban")}, {NAME}},
		.answer = inquiry_match_iban_name,
	},
	{
		.name = "match_shahkar",
		.persian_name = "شاهکار",
		.path = "/v1/services/matching",
		.charged = true,
		.mandatory = {"matched"},
		.params = {{NATIONAL_CODE}, {MOBILE}},
		.answer = inquiry_match_shahkar,
	},
	{
		.name = "postal_address",
		.persian_name = "تبدیل کد پستی به نشانی",
		.path = "/v1/services/postal",
		.charged = true,
		.mandatory = {"addressInfo"},
		.params = {{POSTAL_CODE}},
		.answer = inquiry_postal_address,
	},
	{
		.name = "postal_location",
		.persian_name = "تبدیل کد پستی به مختصات",
		.path = "/v1/services/postal/wgs",
		.charged = true,
		.mandatory = {"wgsInfo"},
		.params = {{POSTAL_CODE}},
		.answer = inquiry_postal_location,
	},
	{
		.name = "identity_similarity",
		.persian_name = "شباهت نام",
		.path = "/v1/services/identity/similarity",
		.charged = true,
		.params = {{NATIONAL_CODE},
				   {BIRTH_DATE},
				   {OPTIONAL_NAME("firstName")},
				   {OPTIONAL_NAME("lastName")},
				   {OPTIONAL_NAME("fullName")},
				   {OPTIONAL_NAME("fatherName")}},
		.answer = inquiry_similarity,
	},
	{
		.name = "foreigner",
		.persian_name = "استعلام اتباع خارجی",
		.path = "/v1/services/foreigners/identity",
		.charged = true,
		.mandatory = {"foreignerIdentityInfo"},
		.params = {{"fida", PARAM_FIDA, false}},
		.answer = inquiry_foreigner,
	},
	{
		.name = "corporation",
		.persian_name = "استعلام پروانه کسب",
		.path = "/v1/services/corporation/identity",
		.charged = true,
		.mandatory = {"corporationIdentityInfo"},
		.params = {{"code", PARAM_CORPORATION_CODE, false}},
		.answer = inquiry_corporation,
	},
	{
		.name = "military_service",
		.persian_name = "وضعیت نظام وظیفه",
		.path = "/v1/services/social/msq",
		.charged = true,
		.mandatory = {"militaryServiceQualificationInfo.qualified"},
		.params = {{NATIONAL_CODE}},
		.answer = inquiry_military_service,
	},
	{
		.name = "sana",
		.persian_name = "ثنا",
		.path = "/v1/services/social/sana",
		.charged = true,
		.mandatory = {"registered"},
		.params = {{NATIONAL_CODE}, {MOBILE}},
		.answer = inquiry_sana,
	},
	{
		.name = "balances",
		.persian_name = "مانده حساب",
		.path = "/v1/balances",
		.mandatory = {"balances"},
		.answer = inquiry_balances,
	},
	{
		.name = "daily_report",
		.persian_name = "گزارش روزانه",
		.path = "/v1/reports/daily",
		.mandatory = {"report"},
		.params = {{"yearMonthDay", PARAM_REPORT_DAY, false}},
		.answer = inquiry_daily_report,
	},
};

/* Codes that do not belong to one kind of parameter. */
#define NOTHING_GIVEN "query_parameters.not_provided"
#define NOT_ACCEPTABLE "parameters.not_acceptable"
#define NO_HANDLER "handler.not_found"

int
operation_index(const Operation *operation)
{
	return (int) (operation - operations);
}

const Operation *
operation_by_name(const char *name)
{
	for (int i = 0; i < OPERATIONS; i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	return NULL;
}

/* The first operation of that path, or NULL. */
const Operation *
operation_by_path(const char *path)
{
	for (int i = 0; i < OPERATIONS; i++)
		if (strcmp(operations[i].path, path) == 0)
			return &operations[i];
	return NULL;
}

static const char *
check_card(const char *value)
{
	return valid_card(value) ? NULL : "card.not_valid";
}

static const char *
check_iban(const char *value)
{
	return valid_iban(value) ? NULL : "iban.not_valid";
}

static const char *
check_national_code(const char *value)
{
	return valid_national_code(value) ? NULL : "nationalCode.not_valid";
}

static const char *
check_birth_date(const char *value)
{
	return valid_birth_date(value) ? NULL : "birthDate.not_valid";
}

static const char *
check_mobile(const char *value)
{
	return valid_mobile(value) ? NULL : "mobileNumber.not_valid";
}

static const char *
check_postal_code(const char *value)
{
	return valid_ten_digits(value) ? NULL : "postalCode.not_valid";
}

static const char *
check_fida(const char *value)
{
	return valid_fida(value) ? NULL : "fida.not_valid";
}

static const char *
check_corporation_code(const char *value)
{
	return valid_ten_digits(value) ? NULL : "corporation_code.not_valid";
}

static const char *
check_bank(const char *value)
{
	return banks_known(value) ? NULL : "bank.not_valid";
}

/* A card of a known bank and an IBAN are taken for what they are. */
static const char *
check_deposit(const char *value)
{
	if (valid_iban(value))
		return "iban.provided";
	if (valid_card(value) && strcmp(banks_by_card(value), BANK_UNKNOWN) != 0)
		return "card_number.provided";
	return valid_deposit(value) ? NULL : "deposit.not_valid";
}

static const char *
check_name(const char *value)
{
	return valid_name(value) ? NULL : NOT_ACCEPTABLE;
}

static const char *
check_report_day(const char *value)
{
	Jalali date;

	return parse_report_day(value, &date) ? NULL : "invalid.request_body";
}

static const char *
check_true(const char *value)
{
	return strcmp(value, "true") == 0 ? NULL : NOT_ACCEPTABLE;
}

typedef struct Rule
{
	const char *missing; /* the code for an absent or empty value */
	const char *(*check)(const char *value);
} Rule;

/* Where the document has no "is_required", "not_valid" says it. */
static const Rule rules[] = {
	[PARAM_CARD] = {"card.is_required", check_card},
	[PARAM_IBAN] = {"iban.is_required", check_iban},
	[PARAM_NATIONAL_CODE] = {"nationalCode.is_required", check_national_code},
	[PARAM_BIRTH_DATE] = {"birthDate.is_required", check_birth_date},
	[PARAM_MOBILE] = {"mobileNumber.is_required", check_mobile},
	[PARAM_POSTAL_CODE] = {"postalCode.not_valid", check_postal_code},
	[PARAM_FIDA] = {"fida.is_required", check_fida},
	[PARAM_CORPORATION_CODE] = {"corporation_code.is_required",
								check_corporation_code},
	[PARAM_BANK] = {"bank.not_valid", check_bank},
	[PARAM_DEPOSIT] = {"deposit.is_required", check_deposit},
	[PARAM_NAME] = {NOT_ACCEPTABLE, check_name},
	[PARAM_REPORT_DAY] = {"invalid.request_body", check_report_day},
	[PARAM_TRUE] = {NO_HANDLER, check_true},
};

static const ParamRule *
find_rule(const Operation *operation, const char *name)
{
	for (const ParamRule *rule = operation->params; rule->name != NULL; rule++)
		if (strcmp(rule->name, name) == 0)
			return rule;
	return NULL;
}

/* Does any operation of that path know a parameter of that name? */
static bool
known_at_path(const char *path, const char *name)
{
	for (int i = 0; i < OPERATIONS; i++)
		if (strcmp(operations[i].path, path) == 0 &&
			find_rule(&operations[i], name) != NULL)
			return true;
	return false;
}

/* What is wrong with the parameters whatever the operation, or NULL. */
static const char *
check_shape(const Request *request)
{
	if (request->too_many_params)
		return "query_parameters.too_many";
	for (int i = 0; i < request->nparams; i++)
	{
		const Param *param = &request->params[i];

		if (param->length > REQUEST_MAX_VALUE ||
			strlen(param->value) != param->length ||
			!known_at_path(request->path, param->name))
			return NOT_ACCEPTABLE;
		for (int j = 0; j < i; j++)
			if (strcmp(request->params[j].name, param->name) == 0)
				return NOT_ACCEPTABLE;
	}
	return NULL;
}

/* A switch that is off counts as not given. */
static bool
is_given(const Request *request, const ParamRule *rule)
{
	const char *value = request_param(request, rule->name);

	return value != NULL &&
		   !(rule->kind == PARAM_TRUE && strcmp(value, "false") == 0);
}

/* Are the given parameters exactly those of the operation? */
static bool
fits(const Operation *operation, const Request *request)
{
	for (const ParamRule *rule = operation->params; rule->name != NULL; rule++)
		if (!rule->optional && !is_given(request, rule))
			return false;
	for (int i = 0; i < request->nparams; i++)
	{
		const Param *param = &request->params[i];

		if (find_rule(operation, param->name) == NULL &&
			strcmp(param->value, "false") != 0)
			return false;
	}
	return true;
}

/*
 * The operation that the request means, or NULL with the error's code.  Its
 * path must be known.  A parameter that is missing from an operation which
 * has its path to itself is left for operation_check.
 */
const Operation *
operation_choose(const Request *request, const char **code)
{
	const Operation *first = operation_by_path(request->path);
	int candidates = 0;

	*code = check_shape(request);
	if (*code != NULL)
		return NULL;
	for (int i = 0; i < OPERATIONS; i++)
	{
		if (strcmp(operations[i].path, request->path) != 0)
			continue;
		candidates++;
		if (fits(&operations[i], request))
			return &operations[i];
	}
	if (candidates == 1)
		return first;
	/* A card is what all inquiries at /v1/cards are about. */
	if (first->params[0].kind == PARAM_CARD &&
		strcmp(first->params[0].name, "number") == 0 &&
		!is_given(request, &first->params[0]))
		*code = rules[PARAM_CARD].missing;
	else
		*code = NO_HANDLER;
	return NULL;
}

/* The code for the first parameter that is missing or wrong, or NULL. */
const char *
operation_check(const Operation *operation, const Request *request)
{
	bool has_optional = false;
	bool optional_given = false;

	for (const ParamRule *rule = operation->params; rule->name != NULL; rule++)
	{
		const char *value = request_param(request, rule->name);
		const char *code;

		if (rule->optional)
			has_optional = true;
		if (rule->optional && value == NULL)
			continue;
		optional_given |= rule->optional;
		if (!is_given(request, rule) || *value == '\0')
			return rules[rule->kind].missing;
		code = rules[rule->kind].check(value);
		if (code != NULL)
			return code;
	}
	return has_optional && !optional_given ? NOTHING_GIVEN : NULL;
}
