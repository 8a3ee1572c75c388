/*
 * Making a call for a SQL function.
 */
#ifndef JIBIT_SQL_INQUIRY_H
#define JIBIT_SQL_INQUIRY_H

#include "call/run.h"

/*
 * Makes one call with the session's settings.  True with an answer; else it
 * raises the call's error, or warns where jibit.on_error says so.
 */
extern bool jibit_make_call(JibitCall *call);

#endif /* JIBIT_SQL_INQUIRY_H */
