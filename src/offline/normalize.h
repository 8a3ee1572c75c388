/*
 * normalize.h
 *		Validation and normalisation of what users type, without a call.
 *
 * Texts are UTF-8, given by length, not NUL-terminated, and may hold any
 * bytes; what is not well-formed is invalid, and so is a NUL.  Nothing is
 * allocated, nothing is kept, nothing throws.
 *
 * A value is valid when it normalises.  The results are NUL-terminated, and
 * mean something with the verdict JIBIT_VALID only; out may be NULL to
 * validate only, and must not overlap the input.
 */
#ifndef JIBIT_OFFLINE_NORMALIZE_H
#define JIBIT_OFFLINE_NORMALIZE_H

#include <stddef.h>

typedef enum JibitVerdict
{
	JIBIT_VALID,
	JIBIT_EMPTY, /* nothing is left but blanks, marks, dashes */
	JIBIT_INVALID
} JibitVerdict;

/* Lengths of results; a buffer needs one byte more. */
#define JIBIT_CARD_LENGTH 16
#define JIBIT_IBAN_LENGTH 26
#define JIBIT_NATIONAL_CODE_LENGTH 10
#define JIBIT_COMPANY_ID_LENGTH 11
#define JIBIT_MOBILE_LENGTH 11
#define JIBIT_POSTAL_CODE_LENGTH 10
#define JIBIT_CORPORATION_CODE_LENGTH 10
#define JIBIT_FIDA_MAX_LENGTH 20
#define JIBIT_FORMATTED_IBAN_LENGTH 32

/*
 * Digits of any script become ASCII; blanks, dashes, parentheses and
 * invisible marks are dropped wherever they are.
 */
extern JibitVerdict jibit_normalize_card(const char *s, size_t len, char *out);
extern JibitVerdict jibit_normalize_iban(const char *s, size_t len, char *out);
extern JibitVerdict jibit_normalize_national_code(const char *s, size_t len,
												  char *out);
extern JibitVerdict jibit_normalize_company_id(const char *s, size_t len,
											   char *out);
extern JibitVerdict jibit_normalize_mobile(const char *s, size_t len,
										   char *out);
extern JibitVerdict jibit_normalize_postal_code(const char *s, size_t len,
												char *out);
extern JibitVerdict jibit_normalize_corporation_code(const char *s, size_t len,
													 char *out);
extern JibitVerdict jibit_normalize_fida(const char *s, size_t len, char *out);

/*
 * These keep what is inside the text and only trim blanks and invisible marks
 * from its ends.  The result is never longer than the input, so len + 1 bytes
 * always do; one that does not fit into outsize is invalid (with out NULL,
 * outsize does not count).
 *
 * A bank's identifier gets ASCII digits and capitals, and must be of
 * [A-Z0-9_]; a name gets the Persian letters for the Arabic yeh and kaf, and
 * must be free of control characters.
 */
extern JibitVerdict jibit_normalize_bank(const char *s, size_t len, char *out,
										 size_t outsize);
extern JibitVerdict jibit_normalize_name(const char *s, size_t len, char *out,
										 size_t outsize);

/*
 * A deposit number, or any text: it gets ASCII digits, the rest stays as it
 * is.  Invalid only when malformed or too long for outsize.
 */
extern JibitVerdict jibit_normalize_text(const char *s, size_t len, char *out,
										 size_t outsize);

/* The same, but also without blanks, dashes, parentheses and marks inside. */
extern JibitVerdict jibit_normalize_compact(const char *s, size_t len,
											char *out, size_t outsize);

/* Normalises, then writes JIBIT_FORMATTED_IBAN_LENGTH bytes and a NUL. */
extern JibitVerdict jibit_format_iban(const char *s, size_t len, char *out);

/*
 * Writes JIBIT_CARD_LENGTH bytes and a NUL.  Any sixteen digits are masked:
 * the Luhn digit is not checked, for a mistyped card is not less of a secret.
 */
extern JibitVerdict jibit_mask_card(const char *s, size_t len, char *out);

#endif
