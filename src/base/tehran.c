/*
 * The day in Tehran, by which the service counts.
 */
#include "postgres.h"

#include <time.h>

#include "base/tehran.h"
#include "pgtime.h"
#include "utils/timestamp.h"

/*
 * Iran has kept +03:30 all year since the summer of 2022; for servers whose
 * time zone files lack Asia/Tehran.
 */
#define TEHRAN_OFFSET ((3 * 60 + 30) * 60)

#define JDN_1970 2440588
#define SECONDS_PER_DAY 86400

/* Seconds by which Tehran is ahead of UTC now. */
static pg_time_t
offset_at(pg_time_t now)
{
	pg_tz *zone = pg_tzset("Asia/Tehran");
	struct pg_tm *local = zone ? pg_localtime(&now, zone) : NULL;

	return local ? local->tm_gmtoff : TEHRAN_OFFSET;
}

/* Every call asks: the day is kept until midnight. */
JibitJalali
jibit_tehran_today(void)
{
	static pg_time_t begins = 0;
	static pg_time_t ends = 0;
	static JibitJalali today;
	pg_time_t now = (pg_time_t) time(NULL);
	pg_time_t offset;
	pg_time_t day;

	if (now >= begins && now < ends)
		return today;
	offset = offset_at(now);
	day = (now + offset) / SECONDS_PER_DAY;
	today = (JibitJalali){JIBIT_JALALI_MAX_YEAR, 12, 29};
	(void) jibit_jalali_from_jdn((int32_t) (JDN_1970 + day), &today);
	begins = day * SECONDS_PER_DAY - offset;
	ends = begins + SECONDS_PER_DAY;
	return today;
}

int
jibit_tehran_day_number(void)
{
	JibitJalali today = jibit_tehran_today();

	return jibit_jalali_to_jdn(today.year, today.month, today.day);
}

TimestampTz
jibit_tehran_tomorrow(void)
{
	pg_time_t now = (pg_time_t) time(NULL);
	pg_time_t offset = offset_at(now);

	return time_t_to_timestamptz(
		((now + offset) / SECONDS_PER_DAY + 1) * SECONDS_PER_DAY - offset);
}
