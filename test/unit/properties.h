/*
 * properties.h
 *		What must hold for every input, for the unit test and the fuzzer.
 */
#ifndef JIBIT_TEST_PROPERTIES_H
#define JIBIT_TEST_PROPERTIES_H

#include <stddef.h>

/*
 * Gives the text to every offline function, from and to heap blocks of the
 * exact size so that a sanitizer sees a byte too many, and checks the results
 * against each other.  Returns NULL, or the name of what does not hold.
 */
extern const char *check_properties(const char *text, size_t len);

#endif
