/*
 * banks.h
 *		The banks that the API knows, and which IBANs and cards are theirs.
 */
#ifndef JIBIT_OFFLINE_BANKS_H
#define JIBIT_OFFLINE_BANKS_H

#include <stddef.h>

/* Texts are static and UTF-8; the lists end with NULL and may be empty. */
typedef struct JibitBank
{
	const char *id;
	const char *name;
	const char *name_fa;
	const char *website; /* "" where none is known */
	const char *const *iban_codes;
	const char *const *card_prefixes;
	const char *const *merged_from; /* identifiers of banks that it took in */
} JibitBank;

/*
 * NULL where the bank is not known.  The IBAN and the card must be as
 * jibit_normalize_iban and jibit_normalize_card give them.
 */
extern const JibitBank *jibit_bank_by_iban(const char *iban);
extern const JibitBank *jibit_bank_by_card(const char *card);

/* All of them; an id of NULL ends the list. */
extern const JibitBank jibit_banks[];

#endif
