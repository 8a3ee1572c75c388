/*-------------------------------------------------------------------------
 *
 * calllog.h
 *	  The line that a call leaves in the server's log, if it shall.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_CALLLOG_H
#define JIBIT_CALLLOG_H

#include "api/client.h"

/*
 * Logs a call that was sent, as jibit.log_calls says.  `canonical` are its
 * normalised arguments, which are masked.
 */
extern void jibit_log_call(const JibitCall *call, char *const *canonical,
						   const char *profile, bool succeeded);

#endif /* JIBIT_CALLLOG_H */
