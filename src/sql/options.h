/*-------------------------------------------------------------------------
 *
 * options.h
 *	  Arguments of triggers that are of the form name=value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_OPTIONS_H
#define JIBIT_OPTIONS_H

#include <string.h>

/* Has one of the arguments from `first` on the name of argument i, before it? */
static inline bool
jibit_option_is_repeated(char *const *arguments, int first, int i)
{
	size_t length = strcspn(arguments[i], "=");

	for (int j = first; j < i; j++)
	{
		if (strcspn(arguments[j], "=") == length &&
			memcmp(arguments[j], arguments[i], length) == 0)
			return true;
	}
	return false;
}

#endif /* JIBIT_OPTIONS_H */
