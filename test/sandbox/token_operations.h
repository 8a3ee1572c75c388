/*
 * token_operations.h
 *		The two operations that give out tokens.
 */
#ifndef SANDBOX_TOKEN_OPERATIONS_H
#define SANDBOX_TOKEN_OPERATIONS_H

#include "answer.h"
#include "faults.h"
#include "operations.h"

extern const Fault *token_operation_fault(const Request *request);
extern void token_operation_answer(const Operation *operation,
								   const Request *request, Answer *answer);

#endif
