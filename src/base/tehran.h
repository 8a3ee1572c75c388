/*
 * The day in Tehran, by which the service counts.
 */
#ifndef JIBIT_TEHRAN_H
#define JIBIT_TEHRAN_H

#include "datatype/timestamp.h"
#include "offline/jalali.h"

/* Today's date in Tehran; its form as a number is jibit_jalali_number(). */
extern JibitJalali jibit_tehran_today(void);

/* Today as a number that is one more tomorrow. */
extern int jibit_tehran_day_number(void);

/* When the next day begins there. */
extern TimestampTz jibit_tehran_tomorrow(void);

#endif /* JIBIT_TEHRAN_H */
