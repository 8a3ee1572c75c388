/*
 * bench.c
 *		Nanoseconds per call of what large tables are checked with.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "banks.h"
#include "jalali.h"
#include "normalize.h"

#define CALLS 20000000

/* Where results go, so that no call is optimised away. */
static volatile int sink;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

/* The text's copy is written between calls, as another row would be. */
#define BENCH(name, text, call)                                    \
	do                                                             \
	{                                                              \
		char s[80] = text;                                         \
		size_t len = strlen(s);                                    \
		double start = now();                                      \
                                                                   \
		for (int i = 0; i < CALLS; i++)                            \
		{                                                          \
			__asm__ volatile("" : : "r"(s) : "memory");            \
			sink = (int) (call);                                   \
		}                                                          \
		printf("%-34s %6.1f ns\n", name, (now() - start) / CALLS); \
		(void) len;                                                \
	} while (0)

int
main(void)
{
	char out[64];
	JibitJalali date;

	BENCH("card", "6037991234567893", jibit_normalize_card(s, len, NULL));
	BENCH("card, normalised", "6037991234567893",
		  jibit_normalize_card(s, len, out));
	BENCH("card in groups", "6037-9912-3456-7893",
		  jibit_normalize_card(s, len, NULL));
	BENCH("card in Persian digits", "۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳",
		  jibit_normalize_card(s, len, NULL));
	BENCH("iban", "IR820540102680020817909002",
		  jibit_normalize_iban(s, len, NULL));
	BENCH("iban, normalised", "IR820540102680020817909002",
		  jibit_normalize_iban(s, len, out));
	BENCH("iban in groups", "ir82 0540 1026 8002 0817 9090 02",
		  jibit_normalize_iban(s, len, NULL));
	BENCH("national code", "0499370899",
		  jibit_normalize_national_code(s, len, NULL));
	BENCH("company id", "10380284790",
		  jibit_normalize_company_id(s, len, NULL));
	BENCH("mobile", "09123456789", jibit_normalize_mobile(s, len, NULL));
	BENCH("mobile with +98", "+989123456789",
		  jibit_normalize_mobile(s, len, NULL));
	BENCH("postal code", "1234567890",
		  jibit_normalize_postal_code(s, len, NULL));
	BENCH("name", "علي كريمي", jibit_normalize_name(s, len, out, 64));
	BENCH("day number to Jalali", "",
		  jibit_jalali_from_jdn(2450000 + (i & 16383), &date) + date.day);
	BENCH("Jalali to day number", "",
		  jibit_jalali_to_jdn(1350 + (i & 63), 1 + (i & 7), 1));
	BENCH("date text", "13600331", jibit_jalali_parse(s, len, &date));
	BENCH("bank by iban", "IR820540102680020817909002",
		  jibit_bank_by_iban(s) != NULL);
	BENCH("bank by card", "6037991234567893", jibit_bank_by_card(s) != NULL);
	return 0;
}
