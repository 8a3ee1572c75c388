/*
 * misbehave.h
 *		Carrying out a fault.
 */
#ifndef SANDBOX_MISBEHAVE_H
#define SANDBOX_MISBEHAVE_H

#include "answer.h"
#include "faults.h"
#include "operations.h"

extern bool misbehave_instead(const Fault *fault, const Request *request,
							  Answer *answer);
extern void misbehave_change(const Fault *fault, const Operation *operation,
							 Answer *answer);

#endif
