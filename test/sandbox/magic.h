/*
 * magic.h
 *		Inputs that ask for a fault, and are valid all the same.
 */
#ifndef SANDBOX_MAGIC_H
#define SANDBOX_MAGIC_H

#include <stdbool.h>

#include "faults.h"
#include "operations.h"

#define MAGIC_SIZE 64

extern const Fault *magic_fault(const Operation *operation,
								const Request *request);
extern const Fault *magic_fault_of_key(const char *api_key);
extern bool magic_value(const char *kind, const Fault *fault, long variant,
						char *to);
extern void magic_describe(int index, const char **kind, const char **pattern);

#endif
