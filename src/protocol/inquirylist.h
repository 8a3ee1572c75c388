/*
 * The inquiries of the API: what is sent, and what is read of the answer.
 *
 * A list header, which inquiries.c expands to the table.  To add an endpoint,
 * add its name to base/inquiryids.h, a row here, a type and a function in the
 * SQL script, and a test.
 *
 *	INQUIRY(id, path, PARAMS(...) or NO_PARAMS, fixed, CONTAINER, columns,
 *			charged, cacheable)
 *
 *	PARAM(SQL argument, query parameter, kind): required; OPTIONAL likewise
 *	fixed: query string that is always sent, or NULL
 *	OBJECT(name): the answer is one row; the named object must be there
 *	BARE: the answer is one row; its fields stand at the top
 *	ARRAY(name): a row for each element of an array
 *	NESTED(outer, inner): for each element of the inner arrays
 *	MAP(name): for each member of an object: its name, its value
 *	COLUMN(SQL column, type, object, field): from the named object, or from
 *		the top (NULL)
 *	EITHER(SQL column, type, object, field, object, field): the second where
 *		the first is absent
 *	MUST(...): a COLUMN that must not be absent; MUST_EITHER likewise
 *	ROWS(SQL column, object, field, columns): an array of composites
 */

/* there is deliberately not an #ifndef INQUIRYLIST_H here */

/* clang-format off */

INQUIRY(card, "/v1/cards",
	PARAMS(PARAM("card", "number", CARD)),
	NULL,
	OBJECT("cardInfo"),
	COLUMNS(
		COLUMN("number", TEXT, NULL, "number"),
		COLUMN("bank", TEXT, "cardInfo", "bank"),
		COLUMN("type", TEXT, "cardInfo", "type"),
		COLUMN("owner_name", TEXT, "cardInfo", "ownerName"),
		COLUMN("deposit_number", TEXT, "cardInfo", "depositNumber")),
	true, true)

INQUIRY(iban, "/v1/ibans",
	PARAMS(PARAM("iban", "value", IBAN)),
	NULL,
	OBJECT("ibanInfo"),
	COLUMNS(
		EITHER("iban", TEXT, "ibanInfo", "iban", NULL, "value"),
		COLUMN("bank", TEXT, "ibanInfo", "bank"),
		COLUMN("deposit_number", TEXT, "ibanInfo", "depositNumber"),
		COLUMN("status", TEXT, "ibanInfo", "status"),
		ROWS("owners", "ibanInfo", "owners", OWNER_COLUMNS)),
	true, true)

INQUIRY(card_to_deposit, "/v1/cards",
	PARAMS(PARAM("card", "number", CARD)),
	"deposit=true",
	OBJECT("depositInfo"),
	COLUMNS(
		COLUMN("number", TEXT, NULL, "number"),
		COLUMN("type", TEXT, NULL, "type"),
		COLUMN("bank", TEXT, "depositInfo", "bank"),
		COLUMN("deposit_number", TEXT, "depositInfo", "depositNumber")),
	true, true)

INQUIRY(card_to_iban, "/v1/cards",
	PARAMS(PARAM("card", "number", CARD)),
	"iban=true",
	OBJECT("ibanInfo"),
	COLUMNS(
		COLUMN("number", TEXT, NULL, "number"),
		COLUMN("type", TEXT, NULL, "type"),
		COLUMN("bank", TEXT, "ibanInfo", "bank"),
		COLUMN("deposit_number", TEXT, "ibanInfo", "depositNumber"),
		MUST("iban", TEXT, "ibanInfo", "iban"),
		COLUMN("status", TEXT, "ibanInfo", "status"),
		ROWS("owners", "ibanInfo", "owners", OWNER_COLUMNS)),
	true, true)

INQUIRY(card_to_iban_availability, "/v1/services/availability",
	NO_PARAMS,
	"cardToIBAN=true",
	MAP("availabilityReport"),
	COLUMNS(
		COLUMN("bank", MEMBER_NAME, NULL, NULL),
		COLUMN("available", AVAILABILITY, NULL, NULL)),
	false, true)

INQUIRY(deposit_to_iban, "/v1/deposits",
	PARAMS(PARAM("bank", "bank", BANK), PARAM("number", "number", DEPOSIT)),
	"iban=true",
	BARE,
	COLUMNS(
		COLUMN("number", TEXT, NULL, "number"),
		EITHER("bank", TEXT, "ibanInfo", "bank", "depositToIBANInfo", "bank"),
		MUST_EITHER("iban", TEXT, "ibanInfo", "iban",
					"depositToIBANInfo", "iban"),
		COLUMN("deposit_number", TEXT, "ibanInfo", "depositNumber"),
		COLUMN("status", TEXT, "ibanInfo", "status"),
		ROWS("owners", "ibanInfo", "owners", OWNER_COLUMNS)),
	true, true)

INQUIRY(match_card, "/v1/services/matching",
	PARAMS(PARAM("card", "cardNumber", CARD),
		   PARAM("national_code", "nationalCode", NATIONAL_CODE),
		   PARAM("birth_date", "birthDate", BIRTH_DATE)),
	NULL, BARE, MATCH_COLUMNS, true, true)

INQUIRY(match_card_name, "/v1/services/matching",
	PARAMS(PARAM("card", "cardNumber", CARD), PARAM("name", "name", NAME)),
	NULL, BARE, MATCH_COLUMNS, true, true)

INQUIRY(match_deposit, "/v1/services/matching",
	PARAMS(PARAM("bank", "bank", BANK),
		   PARAM("number", "depositNumber", DEPOSIT),
		   PARAM("national_code", "nationalCode", NATIONAL_CODE),
		   PARAM("birth_date", "birthDate", BIRTH_DATE)),
	NULL, BARE, MATCH_COLUMNS, true, true)

INQUIRY(match_deposit_name, "/v1/services/matching",
	PARAMS(PARAM("bank", "bank", BANK),
		   PARAM("number", "depositNumber", DEPOSIT),
		   PARAM("name", "name", NAME)),
	NULL, BARE, MATCH_COLUMNS, true, true)

INQUIRY(match_iban, "/v1/services/matching",
	PARAMS(PARAM("iban", "iban", IBAN),
		   PARAM("national_code", "nationalCode", NATIONAL_CODE),
		   PARAM("birth_date", "birthDate", BIRTH_DATE)),
	NULL, BARE, MATCH_COLUMNS, true, true)

INQUIRY(match_iban_name, "/v1/services/matching",
	PARAMS(PARAM("iban", "iban", IBAN), PARAM("name", "name", NAME)),
	NULL, BARE, MATCH_COLUMNS, true, true)

INQUIRY(match_shahkar, "/v1/services/matching",
	PARAMS(PARAM("national_code", "nationalCode", NATIONAL_CODE),
		   PARAM("mobile", "mobileNumber", MOBILE)),
	NULL, BARE, MATCH_COLUMNS, true, true)

INQUIRY(postal_address, "/v1/services/postal",
	PARAMS(PARAM("code", "code", POSTAL_CODE)),
	NULL,
	OBJECT("addressInfo"),
	COLUMNS(
		EITHER("postal_code", TEXT, "addressInfo", "postalCode", NULL, "code"),
		COLUMN("address", TEXT, "addressInfo", "address"),
		/* The document prints a capital P. */
		EITHER("province", TEXT, "addressInfo", "Province",
			   "addressInfo", "province"),
		COLUMN("district", TEXT, "addressInfo", "district"),
		COLUMN("street", TEXT, "addressInfo", "street"),
		COLUMN("no", TEXT, "addressInfo", "no"),
		COLUMN("floor", TEXT, "addressInfo", "floor")),
	true, true)

INQUIRY(postal_location, "/v1/services/postal/wgs",
	PARAMS(PARAM("code", "code", POSTAL_CODE)),
	NULL,
	OBJECT("wgsInfo"),
	COLUMNS(
		EITHER("postal_code", TEXT, "wgsInfo", "postalCode", NULL, "code"),
		COLUMN("latitude", FLOAT8, "wgsInfo", "latitude"),
		COLUMN("longitude", FLOAT8, "wgsInfo", "longitude")),
	true, true)

INQUIRY(identity_similarity, "/v1/services/identity/similarity",
	PARAMS(PARAM("national_code", "nationalCode", NATIONAL_CODE),
		   PARAM("birth_date", "birthDate", BIRTH_DATE),
		   OPTIONAL("first_name", "firstName", NAME),
		   OPTIONAL("last_name", "lastName", NAME),
		   OPTIONAL("full_name", "fullName", NAME),
		   OPTIONAL("father_name", "fatherName", NAME)),
	NULL,
	BARE,
	COLUMNS(
		COLUMN("first_name_similarity_percentage", INT4,
			   NULL, "firstNameSimilarityPercentage"),
		COLUMN("last_name_similarity_percentage", INT4,
			   NULL, "lastNameSimilarityPercentage"),
		COLUMN("full_name_similarity_percentage", INT4,
			   NULL, "fullNameSimilarityPercentage"),
		COLUMN("father_name_similarity_percentage", INT4,
			   NULL, "fatherNameSimilarityPercentage")),
	true, true)

INQUIRY(foreigner, "/v1/services/foreigners/identity",
	PARAMS(PARAM("fida", "fida", FIDA)),
	NULL,
	OBJECT("foreignerIdentityInfo"),
	COLUMNS(
		EITHER("fida", TEXT, "foreignerIdentityInfo", "fida", NULL, "fida"),
		COLUMN("first_name", TEXT, "foreignerIdentityInfo", "firstName"),
		COLUMN("last_name", TEXT, "foreignerIdentityInfo", "lastName"),
		COLUMN("father_name", TEXT, "foreignerIdentityInfo", "fatherName"),
		COLUMN("birth_date", TEXT, "foreignerIdentityInfo", "birthDate"),
		COLUMN("ancestor_name", TEXT, "foreignerIdentityInfo", "ancestorName"),
		COLUMN("gender", TEXT, "foreignerIdentityInfo", "gender"),
		COLUMN("birth_place_country", TEXT,
			   "foreignerIdentityInfo", "birthPlaceCountry"),
		COLUMN("birth_place_city", TEXT,
			   "foreignerIdentityInfo", "birthPlaceCity"),
		COLUMN("nationality", TEXT, "foreignerIdentityInfo", "nationality"),
		ROWS("identification_documents",
			 "foreignerIdentityInfo", "identificationDocuments",
			 DOCUMENT_COLUMNS)),
	true, true)

#define LICENCE(column, type, field) \
	COLUMN(column, type, "corporationIdentityInfo", field)

INQUIRY(corporation, "/v1/services/corporation/identity",
	PARAMS(PARAM("code", "code", CORPORATION_CODE)),
	NULL,
	OBJECT("corporationIdentityInfo"),
	COLUMNS(
		LICENCE("lic_issue_date", TEXT, "licIssueDate"),
		LICENCE("lic_expire_date", TEXT, "licExpireDate"),
		LICENCE("lic_type", TEXT, "licType"),
		LICENCE("lic_time", TEXT, "licTime"),
		LICENCE("address", TEXT, "address"),
		LICENCE("blue_plaque", TEXT, "bluePlaque"),
		LICENCE("registered_plaque", TEXT, "registeredPlaque"),
		LICENCE("postal_code", TEXT, "postalCode"),
		LICENCE("area", INT8, "area"),
		LICENCE("union_name", TEXT, "unionName"),
		LICENCE("union_id", INT8, "unionId"),
		LICENCE("guild_id", INT8, "guildId"),
		LICENCE("convent_id", INT8, "conventId"),
		LICENCE("convent_name", TEXT, "conventName"),
		LICENCE("city_id", INT8, "cityId"),
		LICENCE("board_title", TEXT, "boardTitle"),
		LICENCE("corporate_identity", TEXT, "corporateIdentity"),
		LICENCE("lic_state", TEXT, "licState"),
		LICENCE("tel", TEXT, "tel"),
		LICENCE("isic", TEXT, "isic"),
		LICENCE("company_national_code", TEXT, "companyNationalCode"),
		LICENCE("isic_name", TEXT, "isicName"),
		LICENCE("hc_license_request_type_name", TEXT,
			 "hcLicenseRequestTypeName"),
		LICENCE("has_expire_letter", TEXT, "hasExpireLetter"),
		LICENCE("expire_letter_date", TEXT, "expireLetterDate"),
		EITHER("code", TEXT, "corporationIdentityInfo", "code", NULL, "code"),
		LICENCE("first_name", TEXT, "firstName"),
		LICENCE("last_name", TEXT, "lastName"),
		LICENCE("father_name", TEXT, "fatherName"),
		LICENCE("national_code", TEXT, "nationalCode"),
		LICENCE("is_male", TEXT, "isMale"),
		LICENCE("mobile", TEXT, "mobile"),
		LICENCE("type_name", TEXT, "typeName"),
		LICENCE("type_code", TEXT, "typeCode"),
		LICENCE("birth_date", TEXT, "birthDate"),
		LICENCE("identity_no", TEXT, "identityNo"),
		LICENCE("country", TEXT, "country"),
		LICENCE("religion", TEXT, "religion"),
		LICENCE("military_state", TEXT, "militaryState"),
		LICENCE("education_level", TEXT, "educationLevel"),
		LICENCE("provider_tracker_id", TEXT, "providerTrackerId")),
	true, true)

INQUIRY(military_service, "/v1/services/social/msq",
	PARAMS(PARAM("national_code", "nationalCode", NATIONAL_CODE)),
	NULL,
	OBJECT("militaryServiceQualificationInfo"),
	COLUMNS(
		EITHER("national_code", TEXT,
			   "militaryServiceQualificationInfo", "nationalCode",
			   NULL, "nationalCode"),
		MUST("qualified", BOOL,
			 "militaryServiceQualificationInfo", "qualified"),
		COLUMN("description", TEXT,
			   "militaryServiceQualificationInfo", "description"),
		COLUMN("provider_tracker_id", TEXT,
			   "militaryServiceQualificationInfo", "providerTrackerId")),
	true, true)

INQUIRY(sana, "/v1/services/social/sana",
	PARAMS(PARAM("national_code", "nationalCode", NATIONAL_CODE),
		   PARAM("mobile", "mobileNumber", MOBILE)),
	NULL,
	BARE,
	COLUMNS(
		COLUMN("national_code", TEXT, NULL, "nationalCode"),
		COLUMN("mobile_number", TEXT, NULL, "mobileNumber"),
		MUST("registered", BOOL, NULL, "registered"),
		COLUMN("matched", BOOL, NULL, "matched")),
	true, true)

INQUIRY(balances, "/v1/balances",
	NO_PARAMS,
	NULL,
	ARRAY("balances"),
	COLUMNS(
		COLUMN("balance_type", TEXT, NULL, "balanceType"),
		COLUMN("currency", TEXT, NULL, "currency"),
		COLUMN("amount", INT8, NULL, "amount")),
	false, false)

INQUIRY(daily_report, "/v1/reports/daily",
	PARAMS(PARAM("day", "yearMonthDay", REPORT_DAY)),
	NULL,
	NESTED("report", "services"),
	COLUMNS(
		/* The document prints a capital S. */
		EITHER("service", TEXT, NULL, "Service", NULL, "service"),
		COLUMN("persian_name", TEXT, NULL, "persianName"),
		COLUMN("count", INT8, NULL, "count")),
	false, false)

#undef LICENCE

/* clang-format on */
