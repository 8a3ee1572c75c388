/*
 * random.h
 *		Numbers nobody can guess, for tokens and track ids.
 */
#ifndef SANDBOX_RANDOM_H
#define SANDBOX_RANDOM_H

#include <stddef.h>
#include <stdint.h>

extern void random_start(void);
extern uint64_t random_next(void);
extern void random_hex(char *to, size_t digits);

#endif
