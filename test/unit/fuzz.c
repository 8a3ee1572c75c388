/*
 * fuzz.c
 *		The offline functions under libFuzzer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "properties.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *problem = check_properties((const char *) data, size);

	if (problem != NULL)
	{
		fprintf(stderr, "property violated: %s\n", problem);
		abort();
	}
	return 0;
}
