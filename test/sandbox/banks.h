/*
 * banks.h
 *		The banks: identifier, IBAN codes, card prefixes.
 */
#ifndef SANDBOX_BANKS_H
#define SANDBOX_BANKS_H

#include <stdbool.h>
#include <stddef.h>

/* What the API calls a bank that it cannot tell. */
#define BANK_UNKNOWN "UNKNOWN"

extern size_t banks_count(void);
extern const char *banks_id(size_t index);
extern bool banks_available(size_t index);
extern bool banks_known(const char *id);
extern const char *banks_iban_code(const char *id);
extern const char *banks_by_card(const char *card);
extern const char *banks_by_iban(const char *iban);

#endif
