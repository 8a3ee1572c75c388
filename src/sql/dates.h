/*
 * Dates as the inquiries take them.
 */
#ifndef JIBIT_DATES_H
#define JIBIT_DATES_H

#include "utils/date.h"

/*
 * A Gregorian date as Jalali text, palloc'd.  A day that that calendar does
 * not reach stays as it is, and is then no valid date.
 */
extern char *jibit_jalali_text(DateADT date);

#endif /* JIBIT_DATES_H */
