/*
 * inquiries.c
 *		The good answer of every inquiry.
 *
 * The fields, their names and their order are the API document's.
 */
#include <stdio.h>
#include <string.h>

#include "banks.h"
#include "counters.h"
#include "data.h"
#include "inquiries.h"
#include "operations.h"
#include "validate.h"

/* Keys are literals and new in their object: no copy, no search. */
#define ADD(object, key, value)                              \
	json_object_object_add_ex(object, key, value,            \
							  JSON_C_OBJECT_ADD_KEY_IS_NEW | \
								  JSON_C_OBJECT_ADD_CONSTANT_KEY)

static void
add_text(json_object *object, const char *key, const char *value)
{
	ADD(object, key, json_object_new_string(value));
}

static void
add_bool(json_object *object, const char *key, bool value)
{
	ADD(object, key, json_object_new_boolean(value));
}

static void
add_int(json_object *object, const char *key, int64_t value)
{
	ADD(object, key, json_object_new_int64(value));
}

/* Four decimals, as coordinates have; json-c alone would print 17 digits. */
static void
add_double(json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4f", value);
	ADD(object, key, json_object_new_double_s(value, text));
}

static char
last_char(const char *text)
{
	return text[strlen(text) - 1];
}

static json_object *
iban_info(const Account *account)
{
	json_object *info = json_object_new_object();
	json_object *owners = json_object_new_array_ext(account->nowners);

	add_text(info, "bank", account->bank);
	add_text(info, "depositNumber", account->deposit);
	add_text(info, "iban", account->iban);
	add_text(info, "status", account->status);
	for (int i = 0; i < account->nowners; i++)
	{
		json_object *owner = json_object_new_object();

		add_text(owner, "firstName", account->owners[i].first_name);
		add_text(owner, "lastName", account->owners[i].last_name);
		json_object_array_add(owners, owner);
	}
	ADD(info, "owners", owners);
	return info;
}

/* The API does not tell the type of a card whose bank it does not know. */
static const char *
card_type(const Account *account)
{
	return strcmp(account->bank, BANK_UNKNOWN) == 0 ? BANK_UNKNOWN : "DEBIT";
}

json_object *
inquiry_card(const Request *request)
{
	const char *number = request_param(request, "number");
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();
	char name[DATA_NAME_SIZE];
	Account account;

	data_account_of_card(number, &account);
	add_text(answer, "number", number);
	add_text(info, "bank", account.bank);
	add_text(info, "type", card_type(&account));
	if (account.nowners > 0)
	{
		data_full_name(&account.owners[0], name);
		add_text(info, "ownerName", name);
	}
	add_text(info, "depositNumber", account.deposit);
	ADD(answer, "cardInfo", info);
	return answer;
}

json_object *
inquiry_iban(const Request *request)
{
	const char *value = request_param(request, "value");
	json_object *answer = json_object_new_object();
	Account account;

	data_account_of_iban(value, &account);
	add_text(answer, "value", value);
	ADD(answer, "ibanInfo", iban_info(&account));
	return answer;
}

json_object *
inquiry_card_to_deposit(const Request *request)
{
	const char *number = request_param(request, "number");
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();
	Account account;

	data_account_of_card(number, &account);
	add_text(answer, "number", number);
	add_text(answer, "type", card_type(&account));
	add_text(info, "bank", account.bank);
	add_text(info, "depositNumber", account.deposit);
	ADD(answer, "depositInfo", info);
	return answer;
}

json_object *
inquiry_card_to_iban(const Request *request)
{
	const char *number = request_param(request, "number");
	json_object *answer = json_object_new_object();
	Account account;

	data_account_of_card(number, &account);
	add_text(answer, "number", number);
	add_text(answer, "type", card_type(&account));
	ADD(answer, "ibanInfo", iban_info(&account));
	return answer;
}

json_object *
inquiry_availability(const Request *request)
{
	json_object *answer = json_object_new_object();
	json_object *report = json_object_new_object();

	(void) request;
	for (size_t i = 0; i < banks_count(); i++)
		add_text(report, banks_id(i),
				 banks_available(i) ? "AVAILABLE" : "NOT_AVAILABLE");
	ADD(answer, "availabilityReport", report);
	return answer;
}

json_object *
inquiry_deposit_to_iban(const Request *request)
{
	const char *number = request_param(request, "number");
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();
	Account account;

	data_account_of_deposit(request_param(request, "bank"), number, &account);
	add_text(answer, "number", number);
	add_text(info, "bank", account.bank);
	add_text(info, "iban", account.iban);
	ADD(answer, "depositToIBANInfo", info);
	ADD(answer, "ibanInfo", iban_info(&account));
	return answer;
}

static json_object *
matched_answer(bool matched)
{
	json_object *answer = json_object_new_object();

	add_bool(answer, "matched", matched);
	return answer;
}

/* Card, deposit or IBAN against a person: an even birth date matches. */
json_object *
inquiry_match_person(const Request *request)
{
	const char *birth_date = request_param(request, "birthDate");

	return matched_answer((last_char(birth_date) - '0') % 2 == 0);
}

json_object *
inquiry_match_card_name(const Request *request)
{
	Account account;

	data_account_of_card(request_param(request, "cardNumber"), &account);
	return matched_answer(
		data_owned_by(&account, request_param(request, "name")));
}

json_object *
inquiry_match_deposit_name(const Request *request)
{
	Account account;

	data_account_of_deposit(request_param(request, "bank"),
							request_param(request, "depositNumber"), &account);
	return matched_answer(
		data_owned_by(&account, request_param(request, "name")));
}

json_object *
inquiry_match_iban_name(const Request *request)
{
	Account account;

	data_account_of_iban(request_param(request, "iban"), &account);
	return matched_answer(
		data_owned_by(&account, request_param(request, "name")));
}

/* A person owns the SIM cards that end in the last digit of his code. */
static bool
owns_mobile(const Request *request)
{
	return last_char(request_param(request, "nationalCode")) ==
		   last_char(request_param(request, "mobileNumber"));
}

json_object *
inquiry_match_shahkar(const Request *request)
{
	return matched_answer(owns_mobile(request));
}

json_object *
inquiry_postal_address(const Request *request)
{
	const char *code = request_param(request, "code");
	uint64_t hash = data_hash("address", code);
	Place place = data_place(code);
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();
	char text[256];

	add_text(answer, "code", code);
	add_text(info, "postalCode", code);
	snprintf(text, sizeof(text), "%s، خیابان %s، پلاک %u، طبقه %u", place.city,
			 place.street, (unsigned) (hash % 300 + 1),
			 (unsigned) (hash >> 16) % 6);
	add_text(info, "address", text);
	add_text(info, "Province", place.province);
	add_text(info, "district", place.city);
	add_text(info, "street", place.street);
	snprintf(text, sizeof(text), "%u", (unsigned) (hash % 300 + 1));
	add_text(info, "no", text);
	snprintf(text, sizeof(text), "%u", (unsigned) (hash >> 16) % 6);
	add_text(info, "floor", text);
	ADD(answer, "addressInfo", info);
	return answer;
}

json_object *
inquiry_postal_location(const Request *request)
{
	const char *code = request_param(request, "code");
	Place place = data_place(code);
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();

	add_text(answer, "code", code);
	add_text(info, "postalCode", code);
	add_double(info, "latitude", place.latitude);
	add_double(info, "longitude", place.longitude);
	ADD(answer, "wgsInfo", info);
	return answer;
}

/* 100 for the name itself, else something from 10 to 89 that never varies. */
static void
add_similarity(json_object *answer, const char *key, const char *given,
			   const char *known)
{
	if (given == NULL)
		return;
	if (strcmp(given, known) == 0)
		add_int(answer, key, 100);
	else
		add_int(answer, key, 10 + (int64_t) (data_hash(known, given) % 80));
}

json_object *
inquiry_similarity(const Request *request)
{
	Person person = data_person("person",
								request_param(request, "nationalCode"));
	json_object *answer = json_object_new_object();
	char name[DATA_NAME_SIZE];

	data_full_name(&person, name);
	add_similarity(answer, "firstNameSimilarityPercentage",
				   request_param(request, "firstName"), person.first_name);
	add_similarity(answer, "lastNameSimilarityPercentage",
				   request_param(request, "lastName"), person.last_name);
	add_similarity(answer, "fullNameSimilarityPercentage",
				   request_param(request, "fullName"), name);
	add_similarity(answer, "fatherNameSimilarityPercentage",
				   request_param(request, "fatherName"), person.father_name);
	return answer;
}

static void
add_document(json_object *documents, const char *type, uint64_t hash)
{
	json_object *document = json_object_new_object();
	char text[16];

	add_text(document, "type", type);
	data_digits(hash, text, 9);
	add_text(document, "code", text);
	data_date(hash >> 8, 1398, 4, text);
	add_text(document, "issueDate", text);
	data_date(hash >> 8, 1404, 4, text);
	add_text(document, "expirationDate", text);
	json_object_array_add(documents, document);
}

json_object *
inquiry_foreigner(const Request *request)
{
	static const char *const countries[][3] = {
		{"افغانستان", "هرات", "Afghan"},
		{"افغانستان", "کابل", "Afghan"},
		{"عراق", "بصره", "Iraqi"},
		{"پاکستان", "لاهور", "Pakistani"},
	};
	const char *fida = request_param(request, "fida");
	uint64_t hash = data_hash("foreigner", fida);
	Person person = data_person("foreigner", fida);
	const char *const *country = countries[(hash >> 48) % 4];
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();
	json_object *documents = json_object_new_array();
	char date[9];

	add_text(answer, "fida", fida);
	add_text(info, "fida", fida);
	add_text(info, "firstName", person.first_name);
	add_text(info, "lastName", person.last_name);
	add_text(info, "fatherName", person.father_name);
	data_date(hash, 1340, 45, date);
	add_text(info, "birthDate", date);
	add_text(info, "ancestorName", data_person("ancestor", fida).father_name);
	add_text(info, "gender", person.male ? "MALE" : "FEMALE");
	add_text(info, "birthPlaceCountry", country[0]);
	add_text(info, "birthPlaceCity", country[1]);
	add_text(info, "nationality", country[2]);
	add_document(documents, "PASSPORT", hash);
	if (hash % 3 != 0)
		add_document(documents, "AMAYESH_CARD", hash >> 16);
	ADD(info, "identificationDocuments", documents);
	ADD(answer, "foreignerIdentityInfo", info);
	return answer;
}

/* Everything but what the trade licence itself says. */
static void
add_licence_holder(json_object *info, const char *code, uint64_t hash)
{
	Person person = data_person("corporation", code);
	char text[16];

	add_text(info, "code", code);
	add_text(info, "firstName", person.first_name);
	add_text(info, "lastName", person.last_name);
	add_text(info, "fatherName", person.father_name);
	data_digits(hash >> 8, text, 9);
	text[9] = national_code_check_digit(text);
	text[10] = '\0';
	add_text(info, "nationalCode", text);
	add_text(info, "isMale", person.male ? "true" : "false");
	memcpy(text, "0912", 4);
	data_digits(hash >> 12, text + 4, 7);
	add_text(info, "mobile", text);
	add_text(info, "typeName", "حقیقی");
	add_text(info, "typeCode", "1");
	data_date(hash >> 16, 1330, 50, text);
	add_text(info, "birthDate", text);
	data_digits(hash >> 20, text, 5);
	add_text(info, "identityNo", text);
	add_text(info, "country", "ایران");
	add_text(info, "religion", "اسلام");
	add_text(info, "militaryState", person.male ? "پایان خدمت" : "معاف");
	add_text(info, "educationLevel", "کارشناسی");
	data_digits(hash >> 24, text, 12);
	add_text(info, "providerTrackerId", text);
}

/*
 * All fields, but for a code that ends in 0 those of the licence only: "each
 * appears only where it is available".
 */
json_object *
inquiry_corporation(const Request *request)
{
	const char *code = request_param(request, "code");
	uint64_t hash = data_hash("corporation", code);
	Place place = data_place(code);
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();
	char text[256];

	add_text(answer, "code", code);
	data_date(hash, 1390, 10, text);
	add_text(info, "licIssueDate", text);
	data_date(hash, 1403, 10, text);
	add_text(info, "licExpireDate", text);
	add_text(info, "licType", "دائم");
	add_text(info, "licTime", "5");
	snprintf(text, sizeof(text), "%s، خیابان %s، پلاک %u", place.city,
			 place.street, (unsigned) (hash % 300 + 1));
	add_text(info, "address", text);
	data_digits(hash >> 4, text, 3);
	add_text(info, "bluePlaque", text);
	add_text(info, "registeredPlaque", text);
	data_digits(hash >> 6, text, 10);
	add_text(info, "postalCode", text);
	add_int(info, "area", (int64_t) (hash % 400 + 12));
	add_text(info, "unionName", "اتحادیه صنف فناوران رایانه");
	add_int(info, "unionId", (int64_t) (hash % 9000 + 1000));
	add_int(info, "guildId", (int64_t) (hash % 90000 + 10000));
	add_int(info, "conventId", (int64_t) (hash % 900 + 100));
	snprintf(text, sizeof(text), "اتاق اصناف %s", place.city);
	add_text(info, "conventName", text);
	add_int(info, "cityId", (int64_t) (hash % 1000 + 1));
	add_text(info, "boardTitle", "فروشگاه کیان");
	data_digits(hash >> 10, text, 11);
	add_text(info, "corporateIdentity", text);
	add_text(info, "licState", "فعال");
	memcpy(text, "021", 3);
	data_digits(hash >> 14, text + 3, 8);
	add_text(info, "tel", text);
	data_digits(hash >> 18, text, 6);
	add_text(info, "isic", text);
	data_digits(hash >> 22, text, 11);
	add_text(info, "companyNationalCode", text);
	add_text(info, "isicName", "خرده فروشی رایانه");
	add_text(info, "hcLicenseRequestTypeName", "صدور");
	add_text(info, "hasExpireLetter", "true");
	data_date(hash >> 26, 1403, 10, text);
	add_text(info, "expireLetterDate", text);
	if (last_char(code) != '0')
		add_licence_holder(info, code, hash);
	ADD(answer, "corporationIdentityInfo", info);
	return answer;
}

/* Whoever has an even digit before the check digit is qualified. */
json_object *
inquiry_military_service(const Request *request)
{
	const char *code = request_param(request, "nationalCode");
	bool qualified = (code[8] - '0') % 2 == 0;
	json_object *answer = json_object_new_object();
	json_object *info = json_object_new_object();
	char tracker[16];

	add_text(answer, "nationalCode", code);
	add_text(info, "nationalCode", code);
	add_bool(info, "qualified", qualified);
	add_text(info, "description",
			 qualified ? "دارای کارت پایان خدمت" : "غایب");
	data_digits(data_hash("tracker", code), tracker, 12);
	add_text(info, "providerTrackerId", tracker);
	ADD(answer, "militaryServiceQualificationInfo", info);
	return answer;
}

/* Registered is whoever has no 9 before the last digit of the mobile. */
json_object *
inquiry_sana(const Request *request)
{
	const char *mobile = request_param(request, "mobileNumber");
	json_object *answer = json_object_new_object();

	add_text(answer, "nationalCode", request_param(request, "nationalCode"));
	add_text(answer, "mobileNumber", mobile);
	add_bool(answer, "registered", mobile[9] != '9');
	add_bool(answer, "matched", owns_mobile(request));
	return answer;
}

static void
add_balance(json_object *balances, const char *type, int64_t amount)
{
	json_object *balance = json_object_new_object();

	add_text(balance, "balanceType", type);
	add_text(balance, "currency", "IRR");
	add_int(balance, "amount", amount);
	json_object_array_add(balances, balance);
}

json_object *
inquiry_balances(const Request *request)
{
	json_object *answer = json_object_new_object();
	json_object *balances = json_object_new_array();

	(void) request;
	add_balance(balances, "PRF", 1500000);
	add_balance(balances, "POF", INT64_MAX);
	ADD(answer, "balances", balances);
	return answer;
}

static void
add_service(json_object *services, const char *id, const char *name,
			int64_t count)
{
	json_object *service = json_object_new_object();

	add_text(service, "Service", id);
	add_text(service, "persianName", name);
	add_int(service, "count", count);
	json_object_array_add(services, service);
}

/*
 * Of today the sandbox's own counts; of a day in the past what follows from
 * the day; of one in the future nothing.  Two services have fixed counts.
 */
json_object *
inquiry_daily_report(const Request *request)
{
	static const char *const reported[] = {"card_to_iban", "iban",
										   "match_shahkar", "postal_address"};
	const char *day = request_param(request, "yearMonthDay");
	Jalali today = calendar_jalali(calendar_today());
	json_object *answer = json_object_new_object();
	json_object *reports = json_object_new_array_ext(1);
	json_object *report = json_object_new_object();
	json_object *services = json_object_new_array();
	Jalali date;
	int age;

	parse_report_day(day, &date);
	age = calendar_compare(today, date);
	for (size_t i = 0; age >= 0 && i < sizeof(reported) / sizeof(reported[0]);
		 i++)
	{
		const Operation *operation = operation_by_name(reported[i]);

		add_service(services, operation->name, operation->persian_name,
					age == 0 ? counters_today(operation)
							 : (int64_t) (data_hash(day, reported[i]) % 1000));
	}
	if (age >= 0)
	{
		add_service(services, "sandbox_seven", "سرویس آزمایشی هفت", 7);
		add_service(services, "sandbox_forty_two", "سرویس آزمایشی چهل و دو",
					42);
	}
	ADD(report, "services", services);
	json_object_array_add(reports, report);
	ADD(answer, "report", reports);
	return answer;
}
