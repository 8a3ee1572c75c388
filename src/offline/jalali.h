/*
 * jalali.h
 *		The Jalali (Solar Hijri) calendar, years 1 to 2000.
 *
 * Day numbers are Julian Day Numbers; PostgreSQL's dates count from
 * 2000-01-01, which is JIBIT_JDN_2000.
 */
#ifndef JIBIT_OFFLINE_JALALI_H
#define JIBIT_OFFLINE_JALALI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "normalize.h"

#define JIBIT_JALALI_MIN_YEAR 1
#define JIBIT_JALALI_MAX_YEAR 2000

#define JIBIT_JDN_2000 2451545

/* Length of YYYYMMDD and of yyMMdd; a buffer needs one byte more. */
#define JIBIT_DATE_LENGTH 8
#define JIBIT_REPORT_DAY_LENGTH 6

typedef struct JibitJalali
{
	int year;
	int month;
	int day;
} JibitJalali;

typedef enum JibitDateVerdict
{
	JIBIT_DATE_VALID,
	JIBIT_DATE_EMPTY,
	JIBIT_DATE_MALFORMED,	/* not of the form of a date */
	JIBIT_DATE_OUT_OF_RANGE /* no such day, or not of the years above */
} JibitDateVerdict;

/* False also for a year outside the range. */
extern bool jibit_jalali_is_leap(int year);

extern bool jibit_jalali_valid(int year, int month, int day);

/* The date must be valid. */
extern int32_t jibit_jalali_to_jdn(int year, int month, int day);

/* Returns false, and leaves *out alone, for a day outside the range. */
extern bool jibit_jalali_from_jdn(int32_t jdn, JibitJalali *out);

/*
 * Reads YYYYMMDD, YYYY/M/D and YYYY-M-D, in digits of any script, with blanks
 * at the ends and invisible marks anywhere.  *out is set with
 * JIBIT_DATE_VALID only; it may be NULL.
 */
extern JibitDateVerdict jibit_jalali_parse(const char *s, size_t len,
										   JibitJalali *out);

/*
 * Whether the text is a possible Gregorian date of 1900 to 2100, year first:
 * for a hint after the parse or the birth date check has refused it.
 */
extern bool jibit_jalali_looks_gregorian(const char *s, size_t len);

/* Writes YYYYMMDD and a NUL; the year must be of 0 to 9999. */
extern void jibit_jalali_format(int year, int month, int day, char *out);

/* YYYYMMDD as a number, the form in which dates compare. */
static inline int
jibit_jalali_number(int year, int month, int day)
{
	return year * 10000 + month * 100 + day;
}

/*
 * Gives YYYYMMDD.  A birth date is valid from 1200/01/01 to today, which the
 * caller gives as a jibit_jalali_number.  out may be NULL.
 */
extern JibitVerdict jibit_normalize_birth_date(const char *s, size_t len,
											   int today, char *out);

/*
 * Gives yyMMdd.  Takes the forms of jibit_jalali_parse with years 1350 to
 * 1449, and the same with two digits of the year, of which 50 and more mean
 * 13yy, the others 14yy.  out may be NULL.
 */
extern JibitVerdict jibit_normalize_report_day(const char *s, size_t len,
											   char *out);

#endif
