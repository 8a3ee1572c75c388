/*
 * calendar.c
 *		The Jalali (Solar Hijri) calendar, as far as the sandbox needs it.
 *
 * The arithmetic calendar with its cycle of 33 years, which agrees with the
 * official one for every year that a living person can be born in.
 */
#include <time.h>

#include "calendar.h"

/* Iran has had no summer time since 1402. */
#define TEHRAN_OFFSET (3 * 3600 + 1800)

/* 1 Farvardin 979, which starts a cycle, in days before 1970-01-01. */
#define CYCLE_START 135061
#define CYCLE_YEARS 33
#define CYCLE_DAYS 12053
#define CYCLE_YEAR 979

/* Today in Tehran, in days since 1970-01-01. */
long
calendar_today(void)
{
	return ((long) time(NULL) + TEHRAN_OFFSET) / 86400;
}

static bool
is_leap(int year)
{
	int position = ((year - CYCLE_YEAR) % CYCLE_YEARS + CYCLE_YEARS) %
				   CYCLE_YEARS;

	return position % 4 == 0 && position != 32;
}

static int
month_length(int year, int month)
{
	if (month <= 6)
		return 31;
	if (month <= 11)
		return 30;
	return is_leap(year) ? 30 : 29;
}

/* The Jalali date of a day since 1970-01-01. */
Jalali
calendar_jalali(long day)
{
	Jalali date = {CYCLE_YEAR, 1, 1};
	long rest = day + CYCLE_START;

	date.year += (int) (rest / CYCLE_DAYS) * CYCLE_YEARS;
	rest %= CYCLE_DAYS;
	while (rest >= (is_leap(date.year) ? 366 : 365))
	{
		rest -= is_leap(date.year) ? 366 : 365;
		date.year++;
	}
	while (rest >= month_length(date.year, date.month))
	{
		rest -= month_length(date.year, date.month);
		date.month++;
	}
	date.day = (int) rest + 1;
	return date;
}

bool
calendar_exists(Jalali date)
{
	return date.month >= 1 && date.month <= 12 && date.day >= 1 &&
		   date.day <= month_length(date.year, date.month);
}

/* Less than, equal to or greater than zero, like strcmp. */
int
calendar_compare(Jalali a, Jalali b)
{
	if (a.year != b.year)
		return a.year - b.year;
	if (a.month != b.month)
		return a.month - b.month;
	return a.day - b.day;
}
