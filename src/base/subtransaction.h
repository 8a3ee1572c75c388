/*
 * Something that may fail without ending the transaction.
 */
#ifndef JIBIT_SUBTRANSACTION_H
#define JIBIT_SUBTRANSACTION_H

#include "utils/elog.h"

/*
 * Runs something in a subtransaction, in the current memory context.  Returns
 * NULL, or the error that it has raised, palloc'd; then what it did in the
 * database is undone, and so is a change of the user.  It is also undone if
 * *keep is false at its end; keep may be NULL, which means true.
 */
extern ErrorData *jibit_try(void (*run)(void *arg), void *arg,
							const bool *keep);

#endif /* JIBIT_SUBTRANSACTION_H */
