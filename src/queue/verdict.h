/*
 * What the end of a call means for its request, and for others like it.
 */
#ifndef JIBIT_QUEUE_VERDICT_H
#define JIBIT_QUEUE_VERDICT_H

#include "queue/request.h"

/*
 * Ends the request: with the answer, for good, or until later; and pauses the
 * inquiry or the profile where the failure is not the request's own.
 */
extern void jibit_verdict(JibitRequest *request, const JibitCall *call);

#endif /* JIBIT_QUEUE_VERDICT_H */
