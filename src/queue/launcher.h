/*
 * The background worker that starts the databases' workers.
 */
#ifndef JIBIT_QUEUE_LAUNCHER_H
#define JIBIT_QUEUE_LAUNCHER_H

#include "base/compat.h"

/* Registers the launcher; from a preloaded _PG_init. */
extern void jibit_launcher_register(void);

JIBIT_NORETURN extern PGDLLEXPORT void jibit_launcher_main(Datum argument);

#endif /* JIBIT_QUEUE_LAUNCHER_H */
