/*
 * timer.h
 *		Waking things up later, with one thread for all of them.
 */
#ifndef SANDBOX_TIMER_H
#define SANDBOX_TIMER_H

#include <stdbool.h>

typedef void (*TimerCallback)(void *argument);

extern bool timer_start(TimerCallback callback);
extern bool timer_add(long delay_ms, void *argument);
extern bool timer_stopping(void);
extern void timer_stop(void);

#endif
