/*-------------------------------------------------------------------------
 *
 * tehran.c
 *	  The day in Tehran, by which the service counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "pgtime.h"
#include "tehran.h"
#include "utils/timestamp.h"

/*
 * Iran has kept +03:30 all year since the summer of 2022; for servers whose
 * time zone files lack Asia/Tehran.
 */
#define TEHRAN_OFFSET ((3 * 60 + 30) * 60)

#define JDN_1970 2440588
#define SECONDS_PER_DAY 86400

JibitJalali
jibit_tehran_today(void)
{
	pg_tz *zone = pg_tzset("Asia/Tehran");
	pg_time_t now = (pg_time_t) time(NULL);
	struct pg_tm *local = zone ? pg_localtime(&now, zone) : NULL;
	JibitJalali today = {JIBIT_JALALI_MAX_YEAR, 12, 29};

	now += local ? local->tm_gmtoff : TEHRAN_OFFSET;
	(void) jibit_jalali_from_jdn((int32_t) (JDN_1970 + now / SECONDS_PER_DAY),
								 &today);
	return today;
}
