/*-------------------------------------------------------------------------
 *
 * subtransaction.h
 *	  Something that may fail without ending the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_SUBTRANSACTION_H
#define JIBIT_SUBTRANSACTION_H

#include "utils/elog.h"

/*
 * Runs something in a subtransaction, in the current memory context.  Returns
 * NULL, or the error that it has raised, palloc'd; then what it did in the
 * database is undone, and so is a change of the user.
 */
extern ErrorData *jibit_try(void (*run)(void *arg), void *arg);

/*
 * Runs something in a subtransaction, which stays if it returns true and is
 * undone if it returns false.  An error undoes it, too, and is raised again.
 */
extern bool jibit_keep_if(bool (*run)(void *arg), void *arg);

#endif /* JIBIT_SUBTRANSACTION_H */
