/*
 * testing.h
 *		What the unit tests have in common: results in TAP, random values.
 */
#ifndef JIBIT_UNIT_TESTING_H
#define JIBIT_UNIT_TESTING_H

#include <stdbool.h>
#include <stddef.h>

#include "normalize.h"

/* One test's result. */
extern void ok(bool passed, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For loops over many values: complains of each, passes as one test. */
extern void complain(bool *passed, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints the plan; returns the exit status. */
extern int finish(void);

typedef JibitVerdict (*Normalizer)(const char *, size_t, char *);
typedef JibitVerdict (*SizedNormalizer)(const char *, size_t, char *, size_t);

/*
 * expected is the result, "" for empty, or NULL for invalid.  The text is
 * given in a block of its size, without a NUL.
 */
extern void check_bytes(Normalizer normalize, const char *what,
						const char *text, size_t len, const char *expected);

/* The same of text with a NUL. */
extern void check(Normalizer normalize, const char *what, const char *text,
				  const char *expected);
extern void check_sized(SizedNormalizer normalize, const char *what,
						const char *text, const char *expected);

/* The same values in every run. */
extern unsigned next_random(unsigned below);

/* n digits and a NUL. */
extern void random_digits(char *out, int n);

/* An IBAN of 22 digits of an account, by a slow and plain method. */
extern void make_iban(const char *account, char *iban);

/* The sum of a number by Luhn, modulo 10, likewise: 0 where it is valid. */
extern int slow_luhn(const char *card);

/* The tests. */
extern void test_characters(void);
extern void test_check_digits(void);
extern void test_cards(void);
extern void test_ibans(void);
extern void test_codes(void);
extern void test_mobiles(void);
extern void test_texts(void);
extern void test_calendar(void);
extern void test_dates(void);
extern void test_banks(void);
extern void test_mask(void);
extern void test_errorclass(void);
extern void test_retry(void);
extern void test_circuit(void);
extern void test_holders(void);
extern void test_properties(void);
extern void test_cache(void);

#endif
