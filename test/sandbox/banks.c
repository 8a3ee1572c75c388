/*
 * banks.c
 *		The banks: identifier, IBAN codes, card prefixes.
 *
 * The identifiers are the API document's list without UNKNOWN.
 */
#include <string.h>

#include "banks.h"

typedef struct Bank
{
	const char *id;
	const char *iban_codes; /* separated by blanks, its own first */
	const char *card_prefixes;
	bool available; /* in the card to IBAN availability report */
} Bank;

static const Bank banks[] = {
	{"MARKAZI", "010", "636795 636797", true},
	{"SANAT_VA_MADAN", "011", "627961", true},
	{"MELLAT", "012", "610433 991975", true},
	{"REFAH", "013", "589463", true},
	{"MASKAN", "014", "628023", true},
	{"SEPAH", "015 052 063 065 073 079",
	 "589210 604932 639599 627381 636949 505801 639370", true},
	{"KESHAVARZI", "016", "603770 639217", true},
	{"MELLI", "017", "603799 170019", true},
	{"TEJARAT", "018", "627353 585983", true},
	{"SADERAT", "019", "603769 903769", true},
	{"TOSEAH_SADERAT", "020", "627648 207177", true},
	{"POST", "021", "627760", true},
	{"TOSEAH_TAAVON", "022", "502908", true},
	{"KARAFARIN", "053", "627488 502910", true},
	{"PARSIAN", "054", "622106 627884 639194", true},
	{"EGHTESAD_NOVIN", "055", "627412", true},
	{"SAMAN", "056", "621986", true},
	{"PASARGAD", "057", "502229 639347", true},
	{"SARMAYEH", "058", "639607", true},
	{"SINA", "059", "639346", true},
	{"MEHR_IRAN", "060 090", "606373", true},
	{"SHAHR", "061", "502806 504706", true},
	{"AYANDEH", "062", "636214", true},
	{"GARDESHGARI", "064", "505416 505426", true},
	{"DAY", "066", "502938", true},
	{"IRANZAMIN", "069", "505785", true},
	{"RESALAT", "070", "504172", true},
	{"MELAL", "075", "606256", true},
	{"KHAVARMIANEH", "078", "585947 505809", false},
	{"NOOR", "080", "507677", true},
	{"IRAN_VENEZUELA", "095", "581874", false},
};

#define BANKS (sizeof(banks) / sizeof(banks[0]))

/* A code that no bank has, for the IBANs of cards of unknown banks. */
#define UNKNOWN_IBAN_CODE "099"

size_t
banks_count(void)
{
	return BANKS;
}

const char *
banks_id(size_t index)
{
	return banks[index].id;
}

bool
banks_available(size_t index)
{
	return banks[index].available;
}

static const Bank *
find_bank(const char *id)
{
	for (size_t i = 0; i < BANKS; i++)
		if (strcmp(banks[i].id, id) == 0)
			return &banks[i];
	return NULL;
}

bool
banks_known(const char *id)
{
	return find_bank(id) != NULL;
}

/* Three digits; not terminated. */
const char *
banks_iban_code(const char *id)
{
	const Bank *bank = find_bank(id);

	return bank == NULL ? UNKNOWN_IBAN_CODE : bank->iban_codes;
}

/* Is the start of text one of the words, all of that length? */
static bool
starts_with_one_of(const char *text, const char *words, size_t length)
{
	for (;; words += length + 1)
	{
		if (strncmp(text, words, length) == 0)
			return true;
		if (words[length] == '\0')
			return false;
	}
}

const char *
banks_by_card(const char *card)
{
	for (size_t i = 0; i < BANKS; i++)
		if (starts_with_one_of(card, banks[i].card_prefixes, 6))
			return banks[i].id;
	return BANK_UNKNOWN;
}

/* The IBAN must be a valid one: IR and 24 digits. */
const char *
banks_by_iban(const char *iban)
{
	for (size_t i = 0; i < BANKS; i++)
		if (starts_with_one_of(iban + 4, banks[i].iban_codes, 3))
			return banks[i].id;
	return BANK_UNKNOWN;
}
