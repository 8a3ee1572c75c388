/*
 * testing.c
 *		What the unit tests have in common: results in TAP, random values.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

static int tests;
static int failures;

void
ok(bool passed, const char *format, ...)
{
	va_list args;
	char name[512];

	tests++;
	if (!passed)
		failures++;
	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);

	/* Names hold tested texts, which may be line ends or malformed. */
	printf("%sok %d - ", passed ? "" : "not ", tests);
	for (const unsigned char *p = (unsigned char *) name; *p; p++)
	{
		if (*p >= ' ' && *p <= '~')
			putchar(*p);
		else
			printf("\\x%02X", *p);
	}
	putchar('\n');
}

void
complain(bool *passed, const char *format, ...)
{
	va_list args;

	*passed = false;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static const char *const verdict_names[] = {"valid", "empty", "invalid"};

void
check_bytes(Normalizer normalize, const char *what, const char *text,
			size_t len, const char *expected)
{
	char *s = malloc(len + 1);
	char out[64] = "";
	JibitVerdict verdict;

	if (s == NULL)
		abort();
	memcpy(s + 1, text, len);
	verdict = normalize(s + 1, len, out);
	if (expected == NULL)
		ok(verdict == JIBIT_INVALID, "%s: \"%s\" is %s", what, text,
		   verdict_names[verdict]);
	else if (expected[0] == '\0')
		ok(verdict == JIBIT_EMPTY, "%s: blank text is %s", what,
		   verdict_names[verdict]);
	else
		ok(verdict == JIBIT_VALID && strcmp(out, expected) == 0,
		   "%s: \"%s\" gives \"%s\"", what, text, out);
	free(s);
}

void
check(Normalizer normalize, const char *what, const char *text,
	  const char *expected)
{
	check_bytes(normalize, what, text, strlen(text), expected);
}

void
check_sized(SizedNormalizer normalize, const char *what, const char *text,
			const char *expected)
{
	char out[256] = "";
	JibitVerdict verdict = normalize(text, strlen(text), out, sizeof(out));

	if (expected == NULL)
		ok(verdict == JIBIT_INVALID, "%s: invalid text is %s", what,
		   verdict_names[verdict]);
	else if (expected[0] == '\0')
		ok(verdict == JIBIT_EMPTY, "%s: blank text is %s", what,
		   verdict_names[verdict]);
	else
		ok(verdict == JIBIT_VALID && strcmp(out, expected) == 0,
		   "%s: gives \"%s\"", what, out);
}

static unsigned long long seed = 88172645463325252ULL;

unsigned
next_random(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned) (seed >> 32) % below;
}

void
random_digits(char *out, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = (char) ('0' + next_random(10));
	out[n] = '\0';
}

int
finish(void)
{
	printf("1..%d\n", tests);
	return failures == 0 ? 0 : 1;
}
