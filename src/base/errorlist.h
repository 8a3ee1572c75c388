/*
 * Every class of error, and every error code that is known by name.
 *
 * The codes are those of the API's document, those that the API was seen to
 * answer although the document lacks them, those of the local validation,
 * and the extension's own (connection.failed, connection.timeout,
 * limit.reached, response.invalid, suspended).  What is not here is classed
 * by its ending, and then by the HTTP status.
 *
 * The lists are kept in a file of their own so that they can be expanded in
 * several ways.  The includer defines JIBIT_ERROR_CLASS or JIBIT_ERROR_CODE
 * for that.  The enum of the classes and their table come from here alone,
 * and so does the table in which a code is looked up, and which the view
 * jibit_error_codes shows.
 */

/* there is deliberately not an #ifndef ERRORLIST_H here */

#ifndef JIBIT_ERROR_CLASS
#define JIBIT_ERROR_CLASS(name, sqlstate, condition, traits, hint)
#endif
#ifndef JIBIT_ERROR_CODE
#define JIBIT_ERROR_CODE(code, class, description, description_fa, hint)
#endif

/* clang-format off */

/*
 * JIBIT_ERROR_CLASS(name, sqlstate, condition, traits, hint)
 *
 * condition: what the documentation calls the SQLSTATE
 * traits: see errorclass.h
 * hint: a sentence, unless the code has its own and is of this class
 */

JIBIT_ERROR_CLASS(INVALID_INPUT, "JB001", "invalid input",
	JIBIT_VERDICT | JIBIT_SHARED,
	"Check the arguments.")
JIBIT_ERROR_CLASS(SWAPPED_INPUT, "JB001", "invalid input",
	JIBIT_VERDICT | JIBIT_SHARED,
	"The arguments look swapped; see \\df for their order.")
JIBIT_ERROR_CLASS(GREGORIAN_INPUT, "JB001", "invalid input",
	JIBIT_VERDICT | JIBIT_SHARED,
	"Text is taken for a Jalali date. "
	"Write a Gregorian one as date '1981-06-21'.")
JIBIT_ERROR_CLASS(NOT_FOUND, "JB002", "not found",
	JIBIT_VERDICT | JIBIT_SHARED,
	"Check the arguments: the service knows nothing of that.")
JIBIT_ERROR_CLASS(REFUSED, "JB003", "the instrument or person is refused",
	JIBIT_VERDICT | JIBIT_SHARED,
	"Ask the customer for another one.")
JIBIT_ERROR_CLASS(NO_VERDICT, "JB004", "no verdict",
	JIBIT_VERDICT | JIBIT_SHARED,
	"Decide by other means.")
JIBIT_ERROR_CLASS(NOT_ACTIVE, "JB005", "bank or provider not active",
	JIBIT_VERDICT | JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_SHARED,
	"Try again later.")

/* Too many calls at a time, the day's are used up, or the money. */
JIBIT_ERROR_CLASS(QUOTA, "JB006", "quota or credit used up",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_SHARED | JIBIT_PAUSES_INQUIRY,
	"Try again later, or ask for a larger quota.")
JIBIT_ERROR_CLASS(DAILY_LIMIT, "JB006", "quota or credit used up",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_SHARED | JIBIT_ENDS_BATCH |
	JIBIT_PAUSES_INQUIRY,
	"Try again tomorrow, or ask for a larger quota.")
JIBIT_ERROR_CLASS(NO_CREDIT, "JB006", "quota or credit used up",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_SHARED | JIBIT_ENDS_BATCH |
	JIBIT_PAUSES_PROFILE,
	"Top up the account.")

JIBIT_ERROR_CLASS(NOT_AUTHORISED, "JB007", "not authorised",
	JIBIT_SHARED | JIBIT_ENDS_STATEMENT | JIBIT_PAUSES_PROFILE,
	"Run SELECT * FROM jibit_check() to find out what is missing.")

/* The service fails, or it has no way to answer just this. */
JIBIT_ERROR_CLASS(SERVICE_FAILING, "JB008", "service failing",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_RETRIED |
	JIBIT_BLAMES_INQUIRY | JIBIT_SHARED,
	"Try again later.")
JIBIT_ERROR_CLASS(NO_HANDLER, "JB008", "service failing",
	JIBIT_SHARED,
	"Another try will not help.")

/*
 * After a timeout no time is left for another attempt, but others who wait may
 * have more.  A certificate that is not trusted will not be a second later.
 */
JIBIT_ERROR_CLASS(UNREACHABLE, "JB009", "could not reach it",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_RETRIED | JIBIT_BLAMES_WAY |
	JIBIT_SHARED,
	"Try again later; SELECT * FROM jibit_check() shows how far a call gets.")
JIBIT_ERROR_CLASS(TIMEOUT, "JB009", "could not reach it",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_BLAMES_WAY,
	"Try again later, or raise jibit.timeout.")
JIBIT_ERROR_CLASS(UNTRUSTED, "JB009", "could not reach it",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_BLAMES_WAY | JIBIT_SHARED,
	"Check the base URL's host name and, "
	"for a private certificate authority, jibit.ca_file.")

JIBIT_ERROR_CLASS(BAD_ANSWER, "JB010", "an answer that cannot be understood",
	JIBIT_SHARED,
	"Check the profile's base URL; "
	"report it to the service's support with the track id.")
JIBIT_ERROR_CLASS(CONFIGURATION, "JB011", "configuration",
	JIBIT_ENDS_STATEMENT | JIBIT_PAUSES_PROFILE,
	"Check jibit.ca_file, jibit.proxy and the profile's base URL.")
JIBIT_ERROR_CLASS(SUSPENDED, "JB012", "suspended",
	JIBIT_UNAVAILABLE | JIBIT_MAY_PASS | JIBIT_PAUSES_INQUIRY,
	"Calls go on by themselves when the service answers again.")
JIBIT_ERROR_CLASS(LOCAL_LIMIT, "JB013", "over a local limit",
	JIBIT_PAUSES_INQUIRY,
	"Raise the limit if the calls are meant.")
JIBIT_ERROR_CLASS(OTHER, "JB099", "anything else the API answers",
	JIBIT_SHARED,
	"Ask the service's support, with the track id.")

/* These come from the database, not from the API. */
JIBIT_ERROR_CLASS(NOT_PERMITTED, "42501", "not permitted",
	0,
	"Grant the role the inquiry, with jibit_grant().")
JIBIT_ERROR_CLASS(UNREPRESENTABLE, "22P05", "cannot be represented",
	0,
	"Use a database with the encoding UTF8.")

/*
 * JIBIT_ERROR_CODE(code, class, description, description_fa, hint)
 *
 * code: in the spelling of the API's document
 * class: the name of one above
 * description: what is the matter, as a phrase that can end a message
 * description_fa: the same in Persian, in UTF-8 like this file; shown as NULL
 *		where the database encoding cannot represent it
 * hint: a sentence for the reader of the log or the developer: what to do
 *
 * Rows must be sorted by the lower-cased code, in strcmp() order, because the
 * table is searched with bsearch(); codes are compared without regard to case.
 */

JIBIT_ERROR_CODE("accessToken.is_required", NOT_AUTHORISED,
	"the access token is missing",
	"توکن دسترسی ارسال نشده است",
	"Call jibit_forget_tokens() so that a new pair of tokens is fetched.")
JIBIT_ERROR_CODE("apiKey.is_required", NOT_AUTHORISED,
	"the API key is missing",
	"کلید API وارد نشده است",
	"Store the key of the account with jibit_set_credentials().")
JIBIT_ERROR_CODE("apiKey.length_exceeded", NOT_AUTHORISED,
	"the API key is too long",
	"کلید API بیش از حد مجاز طولانی است",
	"Store the key again with jibit_set_credentials(), "
	"exactly as it was issued.")
JIBIT_ERROR_CODE("balance.not_enough", NO_CREDIT,
	"the account's balance does not cover the inquiry",
	"موجودی حساب برای این استعلام کافی نیست",
	"Top up the account; jibit_balances() shows what is left.")
JIBIT_ERROR_CODE("bank.is_required", INVALID_INPUT,
	"the bank identifier is missing",
	"شناسه بانک وارد نشده است",
	"Give a bank identifier such as MELLI.")
JIBIT_ERROR_CODE("bank.not_valid", INVALID_INPUT,
	"the bank identifier is not valid",
	"شناسه بانک معتبر نیست",
	"Use an identifier that the API knows, such as MELLI.")
JIBIT_ERROR_CODE("birthDate.is_required", INVALID_INPUT,
	"the birth date is missing",
	"تاریخ تولد وارد نشده است",
	"Give a Jalali date such as 13600331, or a Gregorian one of type date.")
JIBIT_ERROR_CODE("birthDate.not_valid", INVALID_INPUT,
	"the birth date is not valid",
	"تاریخ تولد معتبر نیست",
	"Give a Jalali date such as 13600331, or a Gregorian one of type date.")
JIBIT_ERROR_CODE("card.account_number_not_valid", REFUSED,
	"the account number behind the card is not valid",
	"شماره حساب متصل به کارت معتبر نیست",
	"Ask the card's owner to settle this with the bank, or use another card.")
JIBIT_ERROR_CODE("card.black_listed", REFUSED,
	"the card is on a blacklist",
	"کارت در فهرست سیاه قرار دارد",
	"Do not accept this card; ask for another one.")
JIBIT_ERROR_CODE("card.is_expired", REFUSED,
	"the card has expired",
	"تاریخ انقضای کارت گذشته است",
	"Ask for the number of the new card.")
JIBIT_ERROR_CODE("card.is_required", INVALID_INPUT,
	"the card number is missing",
	"شماره کارت وارد نشده است",
	"Give the 16 digits of the card number.")
JIBIT_ERROR_CODE("card.not_active", REFUSED,
	"the card is not active",
	"کارت فعال نیست",
	"Ask the owner to have the card activated, or use another card.")
JIBIT_ERROR_CODE("card.not_valid", INVALID_INPUT,
	"the card number is not valid",
	"شماره کارت معتبر نیست",
	"Check the 16 digits of the card number; the last one is a check digit.")
JIBIT_ERROR_CODE("card.owner_not_authorized", REFUSED,
	"the owner of the card is not authorised",
	"دارنده کارت مجاز نیست",
	"Ask the card's owner to settle this with the bank, or use another card.")
JIBIT_ERROR_CODE("card.provider_is_not_active", NOT_ACTIVE,
	"the provider that answers for this card is not active",
	"سرویس‌دهنده مربوط به این کارت در حال حاضر فعال نیست",
	"Try again later; this says nothing about the card itself.")
JIBIT_ERROR_CODE("card.registered_as_lost", REFUSED,
	"the card has been reported lost",
	"کارت به‌عنوان مفقودشده ثبت شده است",
	"Do not accept this card; ask for another one.")
JIBIT_ERROR_CODE("card.registered_as_stolen", REFUSED,
	"the card has been reported stolen",
	"کارت به‌عنوان سرقت‌شده ثبت شده است",
	"Do not accept this card; ask for another one.")
JIBIT_ERROR_CODE("card.source_bank_is_not_active", NOT_ACTIVE,
	"the bank that issued the card is not active",
	"بانک صادرکننده کارت در حال حاضر فعال نیست",
	"Try again later; this says nothing about the card itself.")
JIBIT_ERROR_CODE("card_number.not_valid", INVALID_INPUT,
	"the card number is not valid",
	"شماره کارت معتبر نیست",
	"Check the 16 digits of the card number; the last one is a check digit.")
JIBIT_ERROR_CODE("card_number.provided", INVALID_INPUT,
	"a card number was given where a deposit number is expected",
	"به‌جای شماره سپرده، شماره کارت وارد شده است",
	"Use jibit_card_to_iban() or jibit_match_card() for a card number.")
JIBIT_ERROR_CODE("card_type.not_supported", INVALID_INPUT,
	"the inquiry does not support cards of this type",
	"این استعلام از این نوع کارت پشتیبانی نمی‌کند",
	"Use a debit card: no other type can be converted to an IBAN.")
JIBIT_ERROR_CODE("client.not_found", NOT_AUTHORISED,
	"the API does not know this client",
	"سرویس‌گیرنده با این مشخصات شناخته نشد",
	"Check the keys and the base URL of the profile; "
	"jibit_check() tries them.")
JIBIT_ERROR_CODE("conflict", NOT_AUTHORISED,
	"the API does not accept calls from this server's address",
	"فراخوانی از نشانی IP این سرور پذیرفته نمی‌شود",
	"Have this server's public address added to the account's IP allow-list; "
	"jibit.source_address and jibit.proxy decide which address the API sees.")
JIBIT_ERROR_CODE("connection.failed", UNREACHABLE,
	"could not connect to the API, or the connection broke off",
	"برقراری ارتباط با سرویس ممکن نشد یا ارتباط قطع شد",
	"Check name resolution, firewall, proxy and certificates; "
	"jibit_check() shows which step fails.")
JIBIT_ERROR_CODE("connection.timeout", TIMEOUT,
	"the API did not answer in time",
	"سرویس در مهلت تعیین‌شده پاسخ نداد",
	"Try again later, or raise jibit.timeout or jibit.connect_timeout.")
JIBIT_ERROR_CODE("conversion.failed", NO_VERDICT,
	"the number could not be converted to an IBAN",
	"تبدیل به شماره شبا انجام نشد",
	"Ask the owner for the IBAN itself; "
	"jibit_card_to_iban_availability() shows the banks that are served.")
JIBIT_ERROR_CODE("corporation_code.is_required", INVALID_INPUT,
	"the guild code is missing",
	"شناسه صنفی وارد نشده است",
	"Give the 10 digits of the guild (trade licence) code.")
JIBIT_ERROR_CODE("corporation_code.not_valid", INVALID_INPUT,
	"the guild code is not valid",
	"شناسه صنفی معتبر نیست",
	"Check the 10 digits of the guild (trade licence) code.")
JIBIT_ERROR_CODE("corporation_identity_info.not_found", NOT_FOUND,
	"no business was found for the guild code",
	"واحد صنفی با این شناسه یافت نشد",
	"Check the guild code against the trade licence.")
JIBIT_ERROR_CODE("daily_limit.reached", DAILY_LIMIT,
	"the account's daily limit for this service is used up",
	"سقف روزانه استفاده از این سرویس برای این حساب به پایان رسیده است",
	"Wait for the next day in Tehran, or have the account's limit raised; "
	"jibit_daily_report() shows what was used.")
JIBIT_ERROR_CODE("deposit.is_required", INVALID_INPUT,
	"the deposit number is missing",
	"شماره سپرده وارد نشده است",
	"Give the deposit number in the form that its bank uses.")
JIBIT_ERROR_CODE("deposit.not_valid", INVALID_INPUT,
	"the deposit number is not valid",
	"شماره سپرده معتبر نیست",
	"Give the number in the bank's own form, "
	"and check that the bank is right.")
JIBIT_ERROR_CODE("fida.black_listed", REFUSED,
	"the foreign national's number is on a blacklist",
	"کد فراگیر اتباع خارجی در فهرست سیاه قرار دارد",
	"Do not accept this person before the matter is cleared up.")
JIBIT_ERROR_CODE("fida.is_required", INVALID_INPUT,
	"the foreign national's number (FIDA) is missing",
	"کد فراگیر اتباع خارجی وارد نشده است",
	"Give the FIDA number of the person.")
JIBIT_ERROR_CODE("fida.not_valid", INVALID_INPUT,
	"the foreign national's number (FIDA) is not valid",
	"کد فراگیر اتباع خارجی معتبر نیست",
	"Check the FIDA number against the person's document.")
JIBIT_ERROR_CODE("forbidden", NOT_AUTHORISED,
	"the API refuses access",
	"دسترسی به سرویس مجاز نیست",
	"Check the account's IP allow-list; "
	"a disabled account or service is answered in the same way.")
JIBIT_ERROR_CODE("handler.not_found", NO_HANDLER,
	"the API has no handler for this request",
	"پردازش‌کننده‌ای برای این درخواست یافت نشد",
	"Another try will not help: check the base URL of the profile, "
	"and ask the API's support whether the account has this service.")
JIBIT_ERROR_CODE("iban.black_listed", REFUSED,
	"the IBAN is on a blacklist",
	"شماره شبا در فهرست سیاه قرار دارد",
	"Do not pay to this IBAN; ask for another one.")
JIBIT_ERROR_CODE("iban.is_required", INVALID_INPUT,
	"the IBAN is missing",
	"شماره شبا وارد نشده است",
	"Give the IBAN: IR and 24 digits.")
JIBIT_ERROR_CODE("iban.not_found", NOT_FOUND,
	"the IBAN was not found",
	"شماره شبا یافت نشد",
	"Check the number and its bank with the owner of the account.")
JIBIT_ERROR_CODE("iban.not_valid", INVALID_INPUT,
	"the IBAN is not valid",
	"شماره شبا معتبر نیست",
	"Check the IBAN: IR and 24 digits, "
	"of which the first two are check digits.")
JIBIT_ERROR_CODE("iban.owner_not_found", NOT_FOUND,
	"the owner of the IBAN was not found",
	"صاحب شماره شبا یافت نشد",
	"Check the number with the owner of the account, or ask for another IBAN.")
JIBIT_ERROR_CODE("iban.provided", INVALID_INPUT,
	"an IBAN was given where a deposit number is expected",
	"به‌جای شماره سپرده، شماره شبا وارد شده است",
	"Use jibit_iban() or jibit_match_iban() for an IBAN.")
JIBIT_ERROR_CODE("identity_info.not_found", NOT_FOUND,
	"no person was found for the national code and birth date",
	"شخصی با این کد ملی و تاریخ تولد یافت نشد",
	"Check that the national code and the birth date are of the same person.")
JIBIT_ERROR_CODE("invalid.credentials", NOT_AUTHORISED,
	"the API key or the secret key is wrong",
	"کلید API یا کلید محرمانه نادرست است",
	"Store the right keys with jibit_set_credentials(), "
	"then run jibit_check().")
JIBIT_ERROR_CODE("invalid.request_body", INVALID_INPUT,
	"the API cannot read the request",
	"قالب درخواست معتبر نیست",
	"Check the arguments; if they are right, "
	"give the track id to the API's support.")
JIBIT_ERROR_CODE("invalid.token_pairs", NOT_AUTHORISED,
	"the access and the refresh token do not belong together",
	"توکن دسترسی و توکن نوسازی با یکدیگر مطابقت ندارند",
	"Call jibit_forget_tokens() so that a new pair of tokens is fetched.")
JIBIT_ERROR_CODE("invalid.tokens_pair", NOT_AUTHORISED,
	"the access and the refresh token do not belong together",
	"توکن دسترسی و توکن نوسازی با یکدیگر مطابقت ندارند",
	"Call jibit_forget_tokens() so that a new pair of tokens is fetched.")
JIBIT_ERROR_CODE("limit.reached", LOCAL_LIMIT,
	"a limit that is set on this server is used up",
	"سقف تعیین‌شده در این سرور به پایان رسیده است",
	"Raise jibit.max_calls_per_statement or the jibit.daily_limit_ setting of "
	"the inquiry, if the calls are intended.")
JIBIT_ERROR_CODE("matching.unknown", NO_VERDICT,
	"no verdict on the match, which jibit reports as a NULL match",
	"نتیجه تطبیق مشخص نیست و jibit آن را با مقدار NULL گزارش می‌کند",
	"Treat NULL as not known; check the match in another way.")
JIBIT_ERROR_CODE("mobileNumber.black_listed", REFUSED,
	"the mobile number is on a blacklist",
	"شماره تلفن همراه در فهرست سیاه قرار دارد",
	"Do not accept this number; ask for another one.")
JIBIT_ERROR_CODE("mobileNumber.is_required", INVALID_INPUT,
	"the mobile number is missing",
	"شماره تلفن همراه وارد نشده است",
	"Give the mobile number, such as 09123456789.")
JIBIT_ERROR_CODE("mobileNumber.not_valid", INVALID_INPUT,
	"the mobile number is not valid",
	"شماره تلفن همراه معتبر نیست",
	"Check the mobile number: 09 and nine digits.")
JIBIT_ERROR_CODE("name.is_required", INVALID_INPUT,
	"the name is missing",
	"نام وارد نشده است",
	"Give the first and the last name.")
JIBIT_ERROR_CODE("name.not_valid", INVALID_INPUT,
	"the name is not valid",
	"نام معتبر نیست",
	"Give the first and the last name in letters, as they are registered.")
JIBIT_ERROR_CODE("nationalCode.black_listed", REFUSED,
	"the national code is on a blacklist",
	"کد ملی در فهرست سیاه قرار دارد",
	"Do not accept this person before the matter is cleared up.")
JIBIT_ERROR_CODE("nationalCode.is_required", INVALID_INPUT,
	"the national code is missing",
	"کد ملی وارد نشده است",
	"Give the 10 digits of the national code.")
JIBIT_ERROR_CODE("nationalCode.not_valid", INVALID_INPUT,
	"the national code is not valid",
	"کد ملی معتبر نیست",
	"Check the 10 digits; keep the code as text, since leading zeros count.")
JIBIT_ERROR_CODE("parameters.not_acceptable", INVALID_INPUT,
	"the API does not accept these parameters",
	"پارامترهای درخواست قابل قبول نیستند",
	"Check the arguments against the API's document.")
JIBIT_ERROR_CODE("postalCode.is_required", INVALID_INPUT,
	"the postal code is missing",
	"کد پستی وارد نشده است",
	"Give the 10 digits of the postal code.")
JIBIT_ERROR_CODE("postalCode.not_found", NOT_FOUND,
	"the postal code was not found",
	"کد پستی یافت نشد",
	"Check the postal code; one that was issued lately may not be known yet.")
JIBIT_ERROR_CODE("postalCode.not_valid", INVALID_INPUT,
	"the postal code is not valid",
	"کد پستی معتبر نیست",
	"Check the 10 digits of the postal code.")
JIBIT_ERROR_CODE("providers.not_available", SERVICE_FAILING,
	"no provider of this service is available",
	"هیچ‌یک از سرویس‌دهندگان این استعلام در دسترس نیست",
	"Try again later; this says nothing about the arguments.")
JIBIT_ERROR_CODE("query_parameters.not_provided", INVALID_INPUT,
	"a parameter that the inquiry needs was not given",
	"پارامترهای لازم برای این استعلام وارد نشده است",
	"Give all that the inquiry needs; "
	"the similarity inquiry needs at least one of the four names.")
JIBIT_ERROR_CODE("query_parameters.too_many", INVALID_INPUT,
	"more parameters were given than the inquiry takes",
	"تعداد پارامترهای درخواست بیش از حد مجاز است",
	"Send only the parameters that the API's document names for this path.")
JIBIT_ERROR_CODE("refreshToken.is_required", NOT_AUTHORISED,
	"the refresh token is missing",
	"توکن نوسازی ارسال نشده است",
	"Call jibit_forget_tokens() so that a new pair of tokens is fetched.")
JIBIT_ERROR_CODE("refreshToken.not_valid", NOT_AUTHORISED,
	"the refresh token is not valid",
	"توکن نوسازی معتبر نیست",
	"Call jibit_forget_tokens() so that a new pair of tokens is fetched.")
JIBIT_ERROR_CODE("response.invalid", BAD_ANSWER,
	"the answer of the API cannot be understood",
	"پاسخ سرویس قابل تفسیر نیست",
	"Check that the base URL leads to the API; if it does, "
	"give the track id to the API's support.")
JIBIT_ERROR_CODE("secretKey.is_required", NOT_AUTHORISED,
	"the secret key is missing",
	"کلید محرمانه وارد نشده است",
	"Store the secret key of the account with jibit_set_credentials().")
JIBIT_ERROR_CODE("secretKey.length_exceeded", NOT_AUTHORISED,
	"the secret key is too long",
	"کلید محرمانه بیش از حد مجاز طولانی است",
	"Store the key again with jibit_set_credentials(), "
	"exactly as it was issued.")
JIBIT_ERROR_CODE("server.error", SERVICE_FAILING,
	"the API failed with an internal error",
	"در سرویس خطای داخلی رخ داده است",
	"Try again later; if it goes on, give the track id to the API's support.")
JIBIT_ERROR_CODE("suspended", SUSPENDED,
	"calls are suspended after repeated failures",
	"فراخوانی‌ها پس از خطاهای پی‌درپی موقتاً متوقف شده‌اند",
	"Try again after jibit.breaker_cooldown; "
	"the view jibit_stats shows the last error.")
JIBIT_ERROR_CODE("token.is_required", NOT_AUTHORISED,
	"the request carries no access token",
	"درخواست فاقد توکن دسترسی است",
	"Check that no proxy removes the Authorization header, "
	"and call jibit_forget_tokens() so that a new token is fetched.")
JIBIT_ERROR_CODE("yearMonthDay.is_required", INVALID_INPUT,
	"the day of the report is missing",
	"روز گزارش وارد نشده است",
	"Give a Jalali day such as 14000708 or 000708, "
	"or a Gregorian one of type date.")
JIBIT_ERROR_CODE("yearMonthDay.not_valid", INVALID_INPUT,
	"the day of the report is not valid",
	"روز گزارش معتبر نیست",
	"Give a Jalali day such as 14000708 or 000708, "
	"or a Gregorian one of type date.")

/* clang-format on */

#undef JIBIT_ERROR_CLASS
#undef JIBIT_ERROR_CODE
