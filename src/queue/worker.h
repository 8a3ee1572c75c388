/*
 * The background worker that makes a database's queued inquiries.
 */
#ifndef JIBIT_QUEUE_WORKER_H
#define JIBIT_QUEUE_WORKER_H

#include "base/compat.h"

/* The worker's function, as the postmaster knows it; its argument is the
 * database's OID. */
#define JIBIT_WORKER_FUNCTION "jibit_worker_main"

JIBIT_NORETURN extern PGDLLEXPORT void jibit_worker_main(Datum database);

#endif /* JIBIT_QUEUE_WORKER_H */
