/*
 * attempts.h
 *		How often an input has been asked for.
 */
#ifndef SANDBOX_ATTEMPTS_H
#define SANDBOX_ATTEMPTS_H

#include <stdint.h>

extern int attempts_next(uint64_t input, int cycle);
extern void attempts_reset(void);

#endif
