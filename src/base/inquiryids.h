/*
 * The inquiries by number and name, for what is kept of each of them.
 *
 * protocol/inquirylist.h says what they are.
 */
#ifndef JIBIT_INQUIRYIDS_H
#define JIBIT_INQUIRYIDS_H

#define JIBIT_EACH_INQUIRY(X)    \
	X(card)                      \
	X(iban)                      \
	X(card_to_deposit)           \
	X(card_to_iban)              \
	X(card_to_iban_availability) \
	X(deposit_to_iban)           \
	X(match_card)                \
	X(match_card_name)           \
	X(match_deposit)             \
	X(match_deposit_name)        \
	X(match_iban)                \
	X(match_iban_name)           \
	X(match_shahkar)             \
	X(postal_address)            \
	X(postal_location)           \
	X(identity_similarity)       \
	X(foreigner)                 \
	X(corporation)               \
	X(military_service)          \
	X(sana)                      \
	X(balances)                  \
	X(daily_report)

typedef enum JibitInquiryId
{
#define NUMBER(id) JIBIT_INQUIRY_##id,
	JIBIT_EACH_INQUIRY(NUMBER)
#undef NUMBER
		JIBIT_INQUIRY_COUNT,

	/* What jibit_request() sends is counted too, but has no settings. */
	JIBIT_INQUIRY_any = JIBIT_INQUIRY_COUNT,
	JIBIT_INQUIRY_NUMBERS
} JibitInquiryId;

extern const char *const jibit_inquiry_names[JIBIT_INQUIRY_NUMBERS];

#endif /* JIBIT_INQUIRYIDS_H */
