/*
 * test_calendar.c
 *		The Jalali calendar, and dates as text. Days are computed by other methods
 *		than the code under test uses: slow and plain ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jalali.h"
#include "testing.h"

/*
 * Borkowski's rule, in the form that looks at one year and the break years
 * around it.
 */
static bool
slow_is_leap(int year)
{
	static const int breaks[] = {-61,  9,	 38,   199,	 426,  686,	 756,
								 818,  1111, 1181, 1210, 1635, 2060, 2097,
								 2192, 2262, 2324, 2394, 2456, 3178};
	int i = 0;
	int since;
	int length;

	while (year >= breaks[i + 1])
		i++;
	since = year - breaks[i];
	length = breaks[i + 1] - breaks[i];
	if (length - since < 6)
		since = since - length + (length + 4) / 33 * 33;
	return ((since + 1) % 33 - 1) % 4 == 0;
}

static int
slow_month_length(int year, int month)
{
	if (month <= 6)
		return 31;
	if (month <= 11)
		return 30;
	return slow_is_leap(year) ? 30 : 29;
}

/* Gregorian dates by counting days from 1 January of year 1. */
static int
gregorian_jdn(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30,
								  31, 31, 30, 31, 30, 31};
	int jdn = 1721426;

	for (int y = 1; y < year; y++)
		jdn += (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 366 : 365;
	for (int m = 1; m < month; m++)
	{
		jdn += lengths[m - 1];
		if (m == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
			jdn++;
	}
	return jdn + day - 1;
}

void
test_calendar(void)
{
	static const int pairs[][6] = {
		{1399, 12, 30, 2021, 3, 20}, {1400, 1, 1, 2021, 3, 21},
		{1403, 1, 1, 2024, 3, 20},	 {1403, 12, 30, 2025, 3, 20},
		{1404, 1, 1, 2025, 3, 21},	 {1360, 3, 31, 1981, 6, 21},
		{1357, 11, 22, 1979, 2, 11}, {1375, 12, 30, 1997, 3, 20},
		{1348, 10, 11, 1970, 1, 1},	 {1378, 10, 11, 2000, 1, 1},
		{1200, 1, 1, 1821, 3, 21},	 {1, 1, 1, 622, 3, 22},
		{1304, 1, 11, 1925, 3, 31},
	};
	JibitJalali date;
	bool passed = true;
	bool refused = true;
	bool leaps = true;
	int jdn = gregorian_jdn(622, 3, 22);

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		const int *p = pairs[i];
		int expected = gregorian_jdn(p[3], p[4], p[5]);

		ok(jibit_jalali_valid(p[0], p[1], p[2]) &&
			   jibit_jalali_to_jdn(p[0], p[1], p[2]) == expected &&
			   jibit_jalali_from_jdn(expected, &date) && date.year == p[0] &&
			   date.month == p[1] && date.day == p[2],
		   "%04d/%02d/%02d is %04d-%02d-%02d", p[0], p[1], p[2], p[3], p[4],
		   p[5]);
	}
	ok(gregorian_jdn(2000, 1, 1) == JIBIT_JDN_2000, "2000-01-01");

	ok(!jibit_jalali_from_jdn(jdn - 1, &date), "the day before year 1");
	for (int year = 1; year <= 2000; year++)
	{
		if (jibit_jalali_is_leap(year) != slow_is_leap(year))
			complain(&leaps, "year %d", year);
		for (int month = 0; month <= 13; month++)
		{
			bool real = month >= 1 && month <= 12;
			int length = real ? slow_month_length(year, month) : 0;

			for (int day = -1; day <= 32; day++)
			{
				if (day < 1 || day > length)
				{
					if (jibit_jalali_valid(year, month, day))
						complain(&refused, "%d/%d/%d", year, month, day);
					continue;
				}
				if (!jibit_jalali_valid(year, month, day) ||
					jibit_jalali_to_jdn(year, month, day) != jdn ||
					!jibit_jalali_from_jdn(jdn, &date) || date.year != year ||
					date.month != month || date.day != day)
					complain(&passed, "%d/%d/%d is day %d", year, month, day,
							 jdn);
				jdn++;
			}
		}
	}
	ok(leaps, "leap years 1 to 2000");
	ok(passed, "every day of 1 to 2000 there and back, without a gap");
	ok(refused, "no other day of 1 to 2000 is valid");
	ok(!jibit_jalali_from_jdn(jdn, &date), "the day after year 2000");
	ok(!jibit_jalali_from_jdn(INT32_MIN, &date) &&
		   !jibit_jalali_from_jdn(INT32_MAX, &date),
	   "extreme days");
	ok(!jibit_jalali_valid(0, 1, 1) && !jibit_jalali_valid(2001, 1, 1) &&
		   !jibit_jalali_valid(-1403, 1, 1) &&
		   !jibit_jalali_valid(INT32_MAX, 1, 1) && !jibit_jalali_is_leap(0) &&
		   !jibit_jalali_is_leap(2001),
	   "years outside the range");
}

static void
check_parse(const char *text, JibitDateVerdict verdict, int number)
{
	JibitJalali date = {0, 0, 0};
	JibitDateVerdict got = jibit_jalali_parse(text, strlen(text), &date);
	int got_number = jibit_jalali_number(date.year, date.month, date.day);

	ok(got == verdict && got_number == number, "date: \"%s\" is %d: %d", text,
	   got, got_number);
}

static JibitVerdict
birth_date_1404(const char *s, size_t len, char *out)
{
	return jibit_normalize_birth_date(s, len, 14040915, out);
}

static bool
looks_gregorian(const char *text)
{
	return jibit_jalali_looks_gregorian(text, strlen(text));
}

void
test_dates(void)
{
	Normalizer f = birth_date_1404;
	char out[9];

	check_parse("13600331", JIBIT_DATE_VALID, 13600331);
	check_parse("1360/03/31", JIBIT_DATE_VALID, 13600331);
	check_parse("1360-3-1", JIBIT_DATE_VALID, 13600301);
	check_parse("1360/3/31", JIBIT_DATE_VALID, 13600331);
	check_parse(" \u200f۱۳۶۰/۰۳/۳۱\n", JIBIT_DATE_VALID, 13600331);
	check_parse("١٣٦٠–٠٣–٣١", JIBIT_DATE_VALID, 13600331);
	check_parse("1360\u200e/03\u200e/31", JIBIT_DATE_VALID, 13600331);
	check_parse("00010101", JIBIT_DATE_VALID, 10101);
	check_parse("20001229", JIBIT_DATE_VALID, 20001229);
	check_parse("13991230", JIBIT_DATE_VALID, 13991230);
	check_parse("14001230", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600732", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600731", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13601301", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600001", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("1360/0/1", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("13600100", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("00000101", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("20010101", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("99999999", JIBIT_DATE_OUT_OF_RANGE, 0);
	check_parse("", JIBIT_DATE_EMPTY, 0);
	check_parse(" \u200c\u00a0", JIBIT_DATE_EMPTY, 0);
	check_parse("1360033", JIBIT_DATE_MALFORMED, 0);
	check_parse("136003311", JIBIT_DATE_MALFORMED, 0);
	check_parse("600331", JIBIT_DATE_MALFORMED, 0);
	check_parse("60/03/31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03/", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03/31/", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03-31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360//31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/003/31", JIBIT_DATE_MALFORMED, 0);
	check_parse("/1360/03/31", JIBIT_DATE_MALFORMED, 0);
	check_parse("-13600331", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360 03 31", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360/03/3 1", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360.03.31", JIBIT_DATE_MALFORMED, 0);
	check_parse("yesterday", JIBIT_DATE_MALFORMED, 0);
	check_parse("1360033\xdb", JIBIT_DATE_MALFORMED, 0);
	check_parse("--", JIBIT_DATE_MALFORMED, 0);

	ok(looks_gregorian("1981-06-21") && looks_gregorian("19810621") &&
		   looks_gregorian("2024/2/29") && looks_gregorian("۲۱۰۰۱۲۳۱"),
	   "these look Gregorian");
	ok(!looks_gregorian("13600331") && !looks_gregorian("1981-13-01") &&
		   !looks_gregorian("1981-02-30") && !looks_gregorian("1899-12-31") &&
		   !looks_gregorian("2101-01-01") && !looks_gregorian("1981") &&
		   !looks_gregorian("810621") && !looks_gregorian("") &&
		   !looks_gregorian("x"),
	   "these do not");

	jibit_jalali_format(7, 1, 31, out);
	ok(strcmp(out, "00070131") == 0, "format: %s", out);

	check(f, "birth date", "1360/3/31", "13600331");
	check(f, "birth date", "12000101", "12000101");
	check(f, "birth date", "14040915", "14040915");
	check(f, "birth date", "11991229", NULL);
	check(f, "birth date", "14040916", NULL);
	check(f, "birth date", "14001230", NULL);
	check(f, "birth date", "19810621", NULL);
	check(f, "birth date", "2024-06-21", NULL);
	check(f, "birth date", "600331", NULL);
	check(f, "birth date", "", "");

	f = jibit_normalize_report_day;
	check(f, "report day", "000708", "000708");
	check(f, "report day", "14000708", "000708");
	check(f, "report day", "1400/7/8", "000708");
	check(f, "report day", "00-7-8", "000708");
	check(f, "report day", "۰۰۰۷۰۸", "000708");
	check(f, "report day", "500101", "500101");
	check(f, "report day", "13500101", "500101");
	check(f, "report day", "14491229", "491229");
	check(f, "report day", "13491229", NULL);
	check(f, "report day", "14500101", NULL);
	check(f, "report day", "991230", "991230");
	check(f, "report day", "001230", NULL);
	check(f, "report day", "031230", "031230");
	check(f, "report day", "001301", NULL);
	check(f, "report day", "0007080", NULL);
	check(f, "report day", "20250708", NULL);
	check(f, "report day", "", "");
}
