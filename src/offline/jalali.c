/*
 * jalali.c
 *		The Jalali calendar by arithmetic, and dates as users type them.
 *
 * Leap years follow the 33-year rule with the break years that K. M. Borkowski
 * published and that is in general use in software: at each break a new run of
 * cycles begins.  A cycle has 33 years, but the last one of a run has 29 or
 * 37.  In every cycle the years 0, 4, 8 ... are leap, except the very last
 * year of the cycle, so that year k of a cycle begins ceil(1461 * k / 4) days
 * after the cycle does, and nothing has to be counted up.
 */
#include "jalali.h"

#include <string.h>

#include "text.h"

#define CYCLE_YEARS 33
#define CYCLE_DAYS 12053

/* The days of four years, one of them leap. */
#define FOUR_YEARS_DAYS 1461

#define DAYS_OF_FIRST_SIX_MONTHS 186

/* Two-digit years from here on are of the fourteenth century. */
#define REPORT_CENTURY_PIVOT 50
#define REPORT_MIN_YEAR 1350
#define REPORT_MAX_YEAR 1449

#define BIRTH_MIN_DATE 12000101

typedef struct CycleRun
{
	int32_t first_jdn;
	int16_t first_year;
	int16_t last_cycle; /* number of the one that has 29 or 37 years */
} CycleRun;

/* From the latest to the earliest, so that today's dates are found soon. */
static const CycleRun runs[] = {
	{2545126, 1635, 12}, {2389898, 1210, 12}, {2379306, 1181, 0},
	{2353739, 1111, 1},	 {2246723, 818, 8},	  {2224078, 756, 1},
	{2198511, 686, 1},	 {2103548, 426, 7},	  {2020638, 199, 6},
	{1961834, 38, 4},	 {1951242, 9, 0},	  {1925675, -61, 1},
};

#define FIRST_JDN 1948321 /* 0001-01-01 */
#define LAST_JDN 2678804  /* 2000-12-29 */

/* A date as written, not yet checked for being one. */
typedef struct DateText
{
	int year;
	int month;
	int day;
	int year_digits; /* 2 or 4 */
} DateText;

static inline int
days_before_year_of_cycle(int k)
{
	return (FOUR_YEARS_DAYS * k + 3) / 4;
}

static int32_t
year_start(int year)
{
	const CycleRun *run = runs;
	int years;
	int cycle;

	while (year < run->first_year)
		run++;
	years = year - run->first_year;
	cycle = years / CYCLE_YEARS;
	if (cycle > run->last_cycle)
		cycle = run->last_cycle;
	return run->first_jdn + cycle * CYCLE_DAYS +
		   days_before_year_of_cycle(years - cycle * CYCLE_YEARS);
}

bool
jibit_jalali_is_leap(int year)
{
	if (year < JIBIT_JALALI_MIN_YEAR || year > JIBIT_JALALI_MAX_YEAR)
		return false;
	return year_start(year + 1) - year_start(year) == 366;
}

bool
jibit_jalali_valid(int year, int month, int day)
{
	if (year < JIBIT_JALALI_MIN_YEAR || year > JIBIT_JALALI_MAX_YEAR ||
		month < 1 || month > 12 || day < 1)
		return false;
	if (month <= 6)
		return day <= 31;
	if (month <= 11 || day != 30)
		return day <= 30;
	return jibit_jalali_is_leap(year);
}

int32_t
jibit_jalali_to_jdn(int year, int month, int day)
{
	int before = (month - 1) * 31 - (month > 7 ? month - 7 : 0);

	return year_start(year) + before + day - 1;
}

bool
jibit_jalali_from_jdn(int32_t jdn, JibitJalali *out)
{
	const CycleRun *run = runs;
	int days;
	int cycle;
	int year;

	if (jdn < FIRST_JDN || jdn > LAST_JDN)
		return false;

	while (jdn < run->first_jdn)
		run++;
	days = jdn - run->first_jdn;
	cycle = days / CYCLE_DAYS;
	if (cycle > run->last_cycle)
		cycle = run->last_cycle;
	days -= cycle * CYCLE_DAYS;
	year = 4 * days / FOUR_YEARS_DAYS;
	days -= days_before_year_of_cycle(year);

	out->year = run->first_year + cycle * CYCLE_YEARS + year;
	if (days < DAYS_OF_FIRST_SIX_MONTHS)
	{
		out->month = 1 + days / 31;
		out->day = 1 + days % 31;
	}
	else
	{
		days -= DAYS_OF_FIRST_SIX_MONTHS;
		out->month = 7 + days / 30;
		out->day = 1 + days % 30;
	}
	return true;
}

/*
 * Takes a date apart: eight or six digits, or three numbers with one kind of
 * separator between them.  Gives VALID, EMPTY or MALFORMED.
 */
static JibitDateVerdict
split_date(const char *s, size_t len, DateText *date)
{
	int numbers[3] = {0, 0, 0};
	int counts[3] = {0, 0, 0};
	int n = 0;
	int separator = 0;
	bool ended = false;

	for (size_t i = 0; i < len;)
	{
		JibitChar c = jibit_text_decode(s + i, len - i);

		i += c.size;
		if (c.kind == JIBIT_TEXT_MARK)
			continue;
		if (c.kind == JIBIT_TEXT_BLANK)
		{
			ended = counts[0] > 0;
			continue;
		}
		if (ended)
			return JIBIT_DATE_MALFORMED;
		if (c.kind == JIBIT_TEXT_DIGIT)
		{
			/* Eight digits are a date by themselves; no number has more. */
			if (counts[n] == 8)
				return JIBIT_DATE_MALFORMED;
			counts[n]++;
			numbers[n] = numbers[n] * 10 + (int) (c.code - '0');
		}
		else if (c.kind == JIBIT_TEXT_DASH || c.code == '/')
		{
			int this_one = c.kind == JIBIT_TEXT_DASH ? '-' : '/';

			if (counts[n] == 0 || n == 2 || (n == 1 && separator != this_one))
				return JIBIT_DATE_MALFORMED;
			separator = this_one;
			n++;
		}
		else
			return JIBIT_DATE_MALFORMED;
	}

	if (counts[0] == 0)
		return JIBIT_DATE_EMPTY;
	if (n == 0 && (counts[0] == 8 || counts[0] == 6))
	{
		date->year = numbers[0] / 10000;
		date->month = numbers[0] / 100 % 100;
		date->day = numbers[0] % 100;
		date->year_digits = counts[0] - 4;
		return JIBIT_DATE_VALID;
	}
	if (n == 2 && (counts[0] == 4 || counts[0] == 2) && counts[1] <= 2 &&
		counts[2] >= 1 && counts[2] <= 2)
	{
		date->year = numbers[0];
		date->month = numbers[1];
		date->day = numbers[2];
		date->year_digits = counts[0];
		return JIBIT_DATE_VALID;
	}
	return JIBIT_DATE_MALFORMED;
}

JibitDateVerdict
jibit_jalali_parse(const char *s, size_t len, JibitJalali *out)
{
	DateText date;
	JibitDateVerdict verdict = split_date(s, len, &date);

	if (verdict != JIBIT_DATE_VALID)
		return verdict;
	if (date.year_digits != 4)
		return JIBIT_DATE_MALFORMED;
	if (!jibit_jalali_valid(date.year, date.month, date.day))
		return JIBIT_DATE_OUT_OF_RANGE;
	if (out != NULL)
	{
		out->year = date.year;
		out->month = date.month;
		out->day = date.day;
	}
	return JIBIT_DATE_VALID;
}

bool
jibit_jalali_looks_gregorian(const char *s, size_t len)
{
	static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30,
										 31, 31, 30, 31, 30, 31};
	DateText date;

	/* A day too many in February does no harm to a hint. */
	return split_date(s, len, &date) == JIBIT_DATE_VALID &&
		   date.year_digits == 4 && date.year >= 1900 && date.year <= 2100 &&
		   date.month >= 1 && date.month <= 12 && date.day >= 1 &&
		   date.day <= month_days[date.month - 1];
}

static inline void
write_two_digits(int number, char *out)
{
	out[0] = (char) ('0' + number / 10);
	out[1] = (char) ('0' + number % 10);
}

void
jibit_jalali_format(int year, int month, int day, char *out)
{
	write_two_digits(year / 100, out);
	write_two_digits(year % 100, out + 2);
	write_two_digits(month, out + 4);
	write_two_digits(day, out + 6);
	out[JIBIT_DATE_LENGTH] = '\0';
}

JibitVerdict
jibit_normalize_birth_date(const char *s, size_t len, int today, char *out)
{
	JibitJalali date;
	JibitDateVerdict verdict = jibit_jalali_parse(s, len, &date);
	int number;

	if (verdict == JIBIT_DATE_EMPTY)
		return JIBIT_EMPTY;
	if (verdict != JIBIT_DATE_VALID)
		return JIBIT_INVALID;
	number = jibit_jalali_number(date.year, date.month, date.day);
	if (number < BIRTH_MIN_DATE || number > today)
		return JIBIT_INVALID;
	if (out != NULL)
		jibit_jalali_format(date.year, date.month, date.day, out);
	return JIBIT_VALID;
}

JibitVerdict
jibit_normalize_report_day(const char *s, size_t len, char *out)
{
	char full[JIBIT_DATE_LENGTH + 1];
	DateText date;
	JibitDateVerdict verdict = split_date(s, len, &date);

	if (verdict == JIBIT_DATE_EMPTY)
		return JIBIT_EMPTY;
	if (verdict != JIBIT_DATE_VALID)
		return JIBIT_INVALID;
	if (date.year_digits == 2)
		date.year += date.year >= REPORT_CENTURY_PIVOT ? 1300 : 1400;
	if (date.year < REPORT_MIN_YEAR || date.year > REPORT_MAX_YEAR ||
		!jibit_jalali_valid(date.year, date.month, date.day))
		return JIBIT_INVALID;
	if (out != NULL)
	{
		jibit_jalali_format(date.year, date.month, date.day, full);
		/* without the century, but with the NUL */
		memcpy(out, full + 2, JIBIT_REPORT_DAY_LENGTH + 1);
	}
	return JIBIT_VALID;
}
