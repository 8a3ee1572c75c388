/*
 * calendar.h
 *		The Jalali (Solar Hijri) calendar, as far as the sandbox needs it.
 */
#ifndef SANDBOX_CALENDAR_H
#define SANDBOX_CALENDAR_H

#include <stdbool.h>

typedef struct Jalali
{
	int year;
	int month;
	int day;
} Jalali;

extern long calendar_today(void);
extern Jalali calendar_jalali(long day);
extern bool calendar_exists(Jalali date);
extern int calendar_compare(Jalali a, Jalali b);

#endif
