/*
 * service.h
 *		The service as a whole: one request in, one answer out.
 */
#ifndef SANDBOX_SERVICE_H
#define SANDBOX_SERVICE_H

#include "answer.h"
#include "operations.h"

extern const Operation *service_answer(const Request *request, Answer *answer);

#endif
