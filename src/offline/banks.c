/*
 * banks.c
 *		Looking up banks, in tables made from banklist.h at compile time.
 */
#include "banks.h"

#include <stdint.h>
#include <string.h>

/* Positions in the list, plus one, so that an empty slot of a table is 0. */
enum
{
	BANK_NONE,
#define JIBIT_BANK(id, name, name_fa, website, ibans, cards, merged) BANK_##id,
#include "banklist.h"
#undef JIBIT_BANK
	BANK_END
};

#define BANK_COUNT (BANK_END - 1)

/* A list that is empty in banklist.h is the NULL alone. */
#define IBAN_CODE(id, code) #code,
#define CARD_PREFIX(id, prefix) #prefix,
#define MERGED(id) #id,
#define TEXT_LIST(...) ((const char *const[]){__VA_ARGS__ NULL})

static const JibitBank banks[BANK_COUNT] = {
#define JIBIT_BANK(id, name, name_fa, website, ibans, cards, merged) \
	{#id,                                                            \
	 name,                                                           \
	 name_fa,                                                        \
	 website,                                                        \
	 TEXT_LIST(ibans),                                               \
	 TEXT_LIST(cards),                                               \
	 TEXT_LIST(merged)},
#include "banklist.h"
#undef JIBIT_BANK
};

#undef IBAN_CODE
#undef CARD_PREFIX
#undef MERGED

#define JIBIT_BANK(id, name, name_fa, website, ibans, cards, merged) \
	ibans cards

/* By the three digits; the 1 in front keeps 010 from being octal. */
static const uint8_t bank_by_iban_code[1000] = {
#define IBAN_CODE(id, code) [1##code - 1000] = BANK_##id,
#define CARD_PREFIX(id, prefix)
#include "banklist.h"
#undef IBAN_CODE
#undef CARD_PREFIX
};

/*
 * By the prefix modulo the table's size, which is chosen so that no two
 * prefixes of the list meet: where a new one does, compilers warn of an
 * initialiser that overrides another, the unit test fails, and another size
 * is to be found.
 */
#define PREFIX_SLOTS 491

static const struct
{
	uint32_t prefix;
	uint32_t bank;
} bank_by_card_prefix[PREFIX_SLOTS] = {
#define IBAN_CODE(id, code)
#define CARD_PREFIX(id, prefix) [prefix % PREFIX_SLOTS] = {prefix, BANK_##id},
#include "banklist.h"
#undef IBAN_CODE
#undef CARD_PREFIX
};

#undef JIBIT_BANK

static uint32_t
read_number(const char *digits, int n)
{
	uint32_t number = 0;

	for (int i = 0; i < n; i++)
		number = number * 10 + (uint32_t) (digits[i] - '0');
	return number;
}

static const JibitBank *
find_prefix(uint32_t prefix)
{
	uint32_t slot = prefix % PREFIX_SLOTS;

	if (bank_by_card_prefix[slot].prefix != prefix)
		return NULL;
	return jibit_bank_nth((int) bank_by_card_prefix[slot].bank - 1);
}

const JibitBank *
jibit_bank_by_iban(const char *iban)
{
	/* IR, two check digits, then the bank. */
	uint32_t code = read_number(iban + 4, 3);

	if (code >= sizeof(bank_by_iban_code))
		return NULL;
	return jibit_bank_nth(bank_by_iban_code[code] - 1);
}

const JibitBank *
jibit_bank_by_card(const char *card)
{
	/* Prefixes have six digits or eight; the longest one wins. */
	uint32_t six = read_number(card, 6);
	const JibitBank *bank = find_prefix(six * 100 + read_number(card + 6, 2));

	return bank ? bank : find_prefix(six);
}

int
jibit_bank_count(void)
{
	return BANK_COUNT;
}

const JibitBank *
jibit_bank_nth(int n)
{
	if (n < 0 || n >= BANK_COUNT)
		return NULL;
	return &banks[n];
}
