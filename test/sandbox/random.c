/*
 * random.c
 *		Numbers nobody can guess, for tokens and track ids.
 *
 * A counter, seeded by the kernel once, through the mixer of splitmix64: a
 * system call per request would be felt in a benchmark.  Good enough for a
 * stand-in whose tokens open nothing.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "random.h"

static _Atomic uint64_t state;

void
random_start(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t) sizeof(seed))
	{
		perror("jibit-sandbox: getrandom");
		exit(1);
	}
	state = seed;
}

uint64_t
random_next(void)
{
	uint64_t x = atomic_fetch_add_explicit(
		&state, UINT64_C(0x9E3779B97F4A7C15), memory_order_relaxed);

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/* Writes that many hexadecimal digits and a NUL. */
void
random_hex(char *to, size_t digits)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t x = 0;

	for (size_t i = 0; i < digits; i++)
	{
		if (i % 16 == 0)
			x = random_next();
		to[i] = hex[x & 15];
		x >>= 4;
	}
	to[digits] = '\0';
}
