/*
 * faults.c
 *		The one table of everything that can go wrong on purpose.
 *
 * The codes are the API document's, those seen in practice included, with the
 * statuses that suit them: the document names none.
 */
#include <stdbool.h>
#include <string.h>

#include "faults.h"

/* The inside of a Fault that is an error of the API. */
#define CODE(number, name, status, message) \
	number, name, FAULT_CODE, status, NULL, message, NULL

static const Fault faults[] = {
	{CODE(1, "server.error", 500, "خطای داخلی سرور رخ داده است")},
	{CODE(2, "providers.not_available", 503,
		  "سرویس‌دهنده در دسترس نیست")},
	{CODE(3, "handler.not_found", 404, "سرویسی برای این درخواست پیدا نشد")},
	{CODE(4, "forbidden", 403, "دسترسی به این سرویس مجاز نیست")},
	{CODE(5, "daily_limit.reached", 429,
		  "سقف روزانه استفاده از سرویس پر شده است")},
	{CODE(6, "invalid.request_body", 400, "بدنه درخواست معتبر نیست")},
	{CODE(7, "parameters.not_acceptable", 400,
		  "پارامترهای درخواست قابل قبول نیست")},
	{CODE(8, "query_parameters.not_provided", 400,
		  "هیچ پارامتری ارسال نشده است")},
	{CODE(9, "query_parameters.too_many", 400,
		  "تعداد پارامترها بیش از حد مجاز است")},
	{CODE(10, "balance.not_enough", 400, "موجودی کافی نیست")},
	{CODE(11, "conflict", 409, "نشانی اینترنتی شما در فهرست مجاز نیست")},
	{CODE(12, "conversion.failed", 400, "تبدیل انجام نشد")},
	{CODE(13, "matching.unknown", 400, "نتیجه تطابق نامشخص است")},
	{CODE(14, "identity_info.not_found", 404, "اطلاعات هویتی پیدا نشد")},
	{CODE(20, "token.is_required", 401, "ارسال توکن الزامی است")},
	{CODE(21, "invalid.credentials", 401, "کلید یا رمز اشتباه است")},
	{CODE(22, "invalid.tokens_pair", 400, "جفت توکن معتبر نیست")},
	{CODE(23, "invalid.token_pairs", 400, "جفت توکن معتبر نیست")},
	{CODE(24, "client.not_found", 404, "مشتری پیدا نشد")},
	{CODE(25, "apiKey.is_required", 400, "ارسال کلید الزامی است")},
	{CODE(26, "apiKey.length_exceeded", 400, "طول کلید بیش از حد مجاز است")},
	{CODE(27, "secretKey.is_required", 400, "ارسال رمز الزامی است")},
	{CODE(28, "secretKey.length_exceeded", 400, "طول رمز بیش از حد مجاز است")},
	{CODE(29, "accessToken.is_required", 400, "ارسال توکن دسترسی الزامی است")},
	{CODE(30, "refreshToken.is_required", 400,
		  "ارسال توکن تازه‌سازی الزامی است")},
	{CODE(31, "refreshToken.not_valid", 400,
		  "توکن تازه‌سازی معتبر نیست")},
	{CODE(40, "card.is_required", 400, "شماره کارت الزامی است")},
	{CODE(41, "card.not_valid", 400, "شماره کارت معتبر نیست")},
	{CODE(42, "card.not_active", 400, "کارت فعال نیست")},
	{CODE(43, "card.is_expired", 400, "کارت منقضی شده است")},
	{CODE(44, "card.black_listed", 400, "کارت در فهرست سیاه است")},
	{CODE(45, "card.registered_as_lost", 400, "کارت مفقود اعلام شده است")},
	{CODE(46, "card.registered_as_stolen", 400, "کارت مسروقه اعلام شده است")},
	{CODE(47, "card.owner_not_authorized", 400, "صاحب کارت مجاز نیست")},
	{CODE(48, "card.account_number_not_valid", 400,
		  "شماره حساب کارت معتبر نیست")},
	{CODE(49, "card.provider_is_not_active", 400,
		  "سرویس‌دهنده کارت فعال نیست")},
	{CODE(50, "card.source_bank_is_not_active", 400,
		  "بانک صادرکننده کارت فعال نیست")},
	{CODE(51, "card_type.not_supported", 400,
		  "نوع کارت پشتیبانی نمی‌شود")},
	{CODE(52, "card_number.provided", 400,
		  "به جای شماره حساب، شماره کارت ارسال شده است")},
	{CODE(53, "card_number.not_valid", 400, "شماره کارت معتبر نیست")},
	{CODE(60, "iban.is_required", 400, "شماره شبا الزامی است")},
	{CODE(61, "iban.not_valid", 400, "شماره شبا معتبر نیست")},
	{CODE(62, "iban.not_found", 404, "شماره شبا پیدا نشد")},
	{CODE(63, "iban.owner_not_found", 404, "صاحب شبا پیدا نشد")},
	{CODE(64, "iban.provided", 400,
		  "به جای شماره حساب، شماره شبا ارسال شده است")},
	{CODE(65, "iban.black_listed", 400, "شبا در فهرست سیاه است")},
	{CODE(66, "bank.not_valid", 400, "شناسه بانک معتبر نیست")},
	{CODE(67, "deposit.is_required", 400, "شماره حساب الزامی است")},
	{CODE(68, "deposit.not_valid", 400, "شماره حساب معتبر نیست")},
	{CODE(70, "nationalCode.is_required", 400, "کد ملی الزامی است")},
	{CODE(71, "nationalCode.not_valid", 400, "کد ملی معتبر نیست")},
	{CODE(72, "nationalCode.black_listed", 400, "کد ملی در فهرست سیاه است")},
	{CODE(73, "birthDate.is_required", 400, "تاریخ تولد الزامی است")},
	{CODE(74, "birthDate.not_valid", 400, "تاریخ تولد معتبر نیست")},
	{CODE(75, "mobileNumber.is_required", 400, "شماره موبایل الزامی است")},
	{CODE(76, "mobileNumber.not_valid", 400, "شماره موبایل معتبر نیست")},
	{CODE(77, "mobileNumber.black_listed", 400,
		  "شماره موبایل در فهرست سیاه است")},
	{CODE(80, "postalCode.not_valid", 400, "کد پستی معتبر نیست")},
	{CODE(81, "postalCode.not_found", 404, "کد پستی پیدا نشد")},
	{CODE(82, "fida.is_required", 400, "شماره فیدا الزامی است")},
	{CODE(83, "fida.not_valid", 400, "شماره فیدا معتبر نیست")},
	{CODE(84, "fida.black_listed", 400, "شماره فیدا در فهرست سیاه است")},
	{CODE(85, "corporation_code.is_required", 400, "کد صنفی الزامی است")},
	{CODE(86, "corporation_code.not_valid", 400, "کد صنفی معتبر نیست")},
	{CODE(87, "corporation_identity_info.not_found", 404,
		  "اطلاعات صنفی پیدا نشد")},
	{201, "http.500", FAULT_STATUS, 500, NULL, NULL, "500 without a body"},
	{202, "http.502", FAULT_STATUS_PAGE, 502, NULL, NULL,
	 "502 with a proxy's HTML page"},
	{203, "http.503", FAULT_STATUS, 503, NULL, NULL, "503 without a body"},
	{204, "http.504", FAULT_STATUS, 504, NULL, NULL, "504 without a body"},
	{205, "http.429", FAULT_STATUS, 429, "1", NULL,
	 "429 without a body, Retry-After: 1"},
	{206, "http.429-long", FAULT_STATUS, 429, "3600", NULL,
	 "429 without a body, Retry-After: 3600"},
	{207, "http.418", FAULT_STATUS, 418, NULL, NULL,
	 "418 without a body: a status nobody expects"},
	{210, "errors-shape", FAULT_ERRORS_SHAPE, 400, NULL, NULL,
	 "card.not_valid as {\"errors\":[{code, message}]}"},
	{211, "code-upper", FAULT_CODE_UPPER, 400, NULL, NULL,
	 "card.not_valid in other case, with blanks and U+0640"},
	{212, "unknown-code", FAULT_UNKNOWN_CODE, 400, NULL, NULL,
	 "a code that no document knows"},
	{213, "success-error", FAULT_SUCCESS_ERROR, 200, NULL,
	 "شماره کارت معتبر نیست", "card.not_valid with HTTP 200"},
	{214, "echo-secret", FAULT_ECHO_SECRET, 400, NULL, NULL,
	 "card.not_valid; its message repeats token, card and body"},
	{220, "wrong-types", FAULT_WRONG_TYPES, 200, NULL, NULL,
	 "what is mandatory has another type"},
	{221, "missing-mandatory", FAULT_MISSING_MANDATORY, 200, NULL, NULL,
	 "what is mandatory is missing"},
	{222, "null-mandatory", FAULT_NULL_MANDATORY, 200, NULL, NULL,
	 "what is mandatory is null"},
	{223, "empty-object", FAULT_JSON_BODY, 200, NULL, "{}", "{}"},
	{224, "numbers-as-text", FAULT_NUMBERS_AS_TEXT, 200, NULL, NULL,
	 "numbers and booleans where text is expected, text where numbers are"},
	{225, "unknown-fields", FAULT_UNKNOWN_FIELDS, 200, NULL, NULL,
	 "fields that no document knows, in every object"},
	{226, "no-owners", FAULT_NO_OWNERS, 200, NULL, NULL,
	 "the lists of owners and documents are missing"},
	{227, "empty-owners", FAULT_EMPTY_OWNERS, 200, NULL, NULL,
	 "the lists of owners and documents are empty"},
	{228, "null-fields", FAULT_NULL_FIELDS, 200, NULL, NULL,
	 "every field that is not mandatory is null"},
	{229, "long-text", FAULT_LONG_TEXT, 200, NULL, NULL,
	 "every text that is not mandatory has 4,000 letters"},
	{230, "bad-utf8", FAULT_BAD_UTF8, 200, NULL, NULL,
	 "a text that is not UTF-8"},
	{231, "nul-escape", FAULT_NUL_ESCAPE, 200, NULL, NULL,
	 "a text with \\u0000 in it"},
	{232, "lone-surrogate", FAULT_LONE_SURROGATE, 200, NULL, NULL,
	 "a text with \\ud800 in it"},
	{233, "matched-one", FAULT_MATCHED_ONE, 200, NULL, NULL,
	 "1 for every boolean"},
	{234, "matched-zero", FAULT_MATCHED_ZERO, 200, NULL, NULL,
	 "0 for every boolean"},
	{235, "matched-two", FAULT_MATCHED_TWO, 200, NULL, NULL,
	 "2 for every boolean"},
	{236, "big-number", FAULT_BIG_NUMBER, 200, NULL, NULL,
	 "9223372036854775808 for every number, else for the first text"},
	{237, "huge-number", FAULT_HUGE_NUMBER, 200, NULL, NULL,
	 "30 digits for every number, else for the first text"},
	{238, "big-body", FAULT_BIG_BODY, 200, NULL, NULL,
	 "2 MB of padding in the good answer"},
	{239, "deep", FAULT_DEEP, 200, NULL, NULL,
	 "10,000 nested arrays in the good answer"},
	{240, "track-other", FAULT_TRACK_OTHER, 200, NULL, NULL,
	 "the good answer with another X-TRACK-ID"},
	{250, "not-json", FAULT_TEXT_BODY, 200, NULL, "this is not JSON",
	 "200 with a body that is not JSON"},
	{251, "empty-body", FAULT_TEXT_BODY, 200, NULL, "", "200 without a body"},
	{252, "html-200", FAULT_HTML_BODY, 200, NULL,
	 "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>",
	 "200 with an HTML page"},
	{253, "redirect", FAULT_REDIRECT, 302, NULL, NULL,
	 "302 to another path of the sandbox"},
	{260, "endless", FAULT_ENDLESS, 200, NULL, NULL, "a body that never ends"},
	{261, "close", FAULT_CLOSE, 0, NULL, NULL,
	 "the connection ends without an answer"},
	{262, "reset", FAULT_RESET, 0, NULL, NULL, "the connection is reset"},
	{263, "cut", FAULT_CUT, 200, NULL, NULL,
	 "the connection ends in mid-body"},
	{264, "slow", FAULT_SLOW, 200, NULL, NULL, "the good answer, after 5 s"},
	{265, "hang", FAULT_HANG, 0, NULL, NULL, "no answer, ever"},
	{266, "drip", FAULT_DRIP, 200, NULL, NULL,
	 "the good answer, a byte per second"},
	{270, "flaky-2", FAULT_FLAKY, 503, NULL, NULL,
	 "503 twice for the same input, then good, then again"},
	{271, "close-once", FAULT_CLOSE_ONCE, 0, NULL, NULL,
	 "close once for the same input, then good, then again"},
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

const Fault *
fault_by_name(const char *name)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
	return NULL;
}

const Fault *
fault_by_number(int number)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (faults[i].number == number)
			return &faults[i];
	return NULL;
}

const Fault *
fault_at(size_t index)
{
	return index < FAULTS ? &faults[index] : NULL;
}
