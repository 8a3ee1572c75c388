/*
 * control.h
 *		Steering the sandbox from a test.
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "answer.h"
#include "request.h"

#define CONTROL_PREFIX "/v1/sandbox/"

extern bool control_is(const Request *request);
extern void control_answer(const Request *request, Answer *answer);

#endif
