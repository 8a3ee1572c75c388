/*
 * The background worker that starts the databases' workers.
 *
 * There is one launcher, without a database of its own.  It sees to it that
 * each database in jibit.worker_databases has a worker, as soon as the
 * database exists, again when the worker has ended, and not once the list
 * does not name it any more.  The workers are the postmaster's children: they
 * end with the server, but not with the launcher, whose successor finds them
 * in shared memory.
 *
 * A worker is a session of its database, and a database with sessions can be
 * neither dropped nor renamed nor copied: first its name is taken off the
 * list.  From PostgreSQL 19 on such a command ends the worker by itself.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/config.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "queue/launcher.h"
#include "queue/worker.h"
#include "shared/workers.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

/*
 * How soon a database that does not exist, or allows no connections, is looked
 * for again, and a worker that an earlier launcher has started.
 */
#define MISSING_MS 2000

/* What later servers call DATCONNLIMIT_INVALID_DB: a DROP that was broken off. */
#define INVALID_DATABASE (-2)

/* After a worker has ended by itself: at first, and at most. */
#define RESTART_FIRST_MS 1000
#define RESTART_LONGEST_MS 60000

/* A worker that lived so long did not fail at once. */
#define LIVED_MS 30000

typedef struct Worker
{
	Oid database;
	BackgroundWorkerHandle *handle; /* NULL: there is none now */
	bool wanted;
	int64 started_us;	  /* by the clock of clock.h, as is the next */
	int64 start_after_us; /* not before */
	int64 pause_ms;		  /* of the latest restart */
} Worker;

/* Of Worker, in TopMemoryContext. */
static List *workers = NIL;

/*
 * The launcher.
 */

static Worker *
find_worker(Oid database)
{
	ListCell *cell;
	Worker *worker;
	MemoryContext caller;

	foreach (cell, workers)
	{
		worker = lfirst(cell);
		if (worker->database == database)
			return worker;
	}
	caller = MemoryContextSwitchTo(TopMemoryContext);
	worker = palloc0(sizeof(Worker));
	worker->database = database;
	workers = lappend(workers, worker);
	MemoryContextSwitchTo(caller);
	return worker;
}

static bool
has_name(List *names, const char *name)
{
	ListCell *cell;

	foreach (cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

/*
 * Marks the workers that the list wants.  Returns whether it names databases
 * that do not exist, or allow no connections; `tell` has them logged.  By a
 * scan: indexes cannot be used without a database.
 */
static bool
mark_wanted(bool tell)
{
	MemoryContext caller = CurrentMemoryContext;
	bool all_there = true;
	List *names;
	List *found = NIL;
	ListCell *cell;
	Relation databases;
	TableScanDesc scan;
	HeapTuple tuple;

	foreach (cell, workers)
		((Worker *) lfirst(cell))->wanted = false;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	if (!SplitIdentifierString(pstrdup(jibit_worker_databases), ',', &names))
		names = NIL; /* the check hook does not let that happen */
	databases = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(databases, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		/* Nobody tells when connections are allowed again. */
		if (!has_name(names, NameStr(database->datname)) ||
			!database->datallowconn ||
			database->datconnlimit == INVALID_DATABASE)
			continue;
		found = lappend(found, pstrdup(NameStr(database->datname)));
		find_worker(database->oid)->wanted = true;
	}
	table_endscan(scan);
	table_close(databases, AccessShareLock);
	foreach (cell, names)
	{
		const char *name = lfirst(cell);

		if (has_name(found, name))
			continue;
		all_there = false;
		if (tell)
			ereport(
				LOG,
				(errmsg(
					 "database \"%s\" of jibit.worker_databases does not exist or allows no connections",
					 name),
				 errdetail("Its worker starts when it does.")));
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	return !all_there;
}

static void
start_worker(Worker *worker)
{
	static bool complained = false;
	BackgroundWorker registration = {0};
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

	strlcpy(registration.bgw_name, "jibit worker", BGW_MAXLEN);
	strlcpy(registration.bgw_type, "jibit worker", BGW_MAXLEN);
	strlcpy(registration.bgw_library_name, "jibit",
			sizeof(registration.bgw_library_name));
	strlcpy(registration.bgw_function_name, JIBIT_WORKER_FUNCTION, BGW_MAXLEN);
	registration.bgw_flags = BGWORKER_SHMEM_ACCESS |
							 BGWORKER_BACKEND_DATABASE_CONNECTION |
							 JIBIT_BGWORKER_INTERRUPTIBLE;
	registration.bgw_start_time = BgWorkerStart_RecoveryFinished;
	registration.bgw_restart_time = BGW_NEVER_RESTART;
	registration.bgw_main_arg = ObjectIdGetDatum(worker->database);
	registration.bgw_notify_pid = MyProcPid;
	worker->started_us = jibit_now_us();
	if (RegisterDynamicBackgroundWorker(&registration, &worker->handle))
		complained = false;
	else
	{
		worker->handle = NULL;
		worker->start_after_us = worker->started_us +
								 RESTART_LONGEST_MS * INT64CONST(1000);
		if (!complained)
			ereport(
				WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("out of background worker slots for jibit"),
				 errhint("You might need to increase max_worker_processes.")));
		complained = true;
	}
	MemoryContextSwitchTo(caller);
}

/* A worker that has ended is started again after a pause. */
static void
note_end(Worker *worker)
{
	int64 now = jibit_now_us();

	pfree(worker->handle);
	worker->handle = NULL;
	if (now - worker->started_us >= LIVED_MS * INT64CONST(1000))
		worker->pause_ms = 0;
	worker->pause_ms = Min(Max(worker->pause_ms * 2, RESTART_FIRST_MS),
						   RESTART_LONGEST_MS);
	worker->start_after_us = now + worker->pause_ms * 1000;
}

/*
 * Starts what is to be started and ends what is not.  Returns after how many
 * milliseconds to look again; -1: when something happens.
 */
static long
look_after(Worker *worker)
{
	long wait_ms;
	pid_t pid;

	if (worker->handle != NULL &&
		GetBackgroundWorkerPid(worker->handle, &pid) == BGWH_STOPPED)
		note_end(worker);
	if (worker->handle != NULL)
	{
		if (!worker->wanted)
			TerminateBackgroundWorker(worker->handle);
		return -1;
	}
	if (jibit_workers_is_there(worker->database))
	{
		/* An earlier launcher's, of whose end nobody tells. */
		if (!worker->wanted)
			jibit_workers_end(worker->database);
		return MISSING_MS;
	}
	if (!worker->wanted)
		return -1;
	wait_ms = jibit_ms_until(worker->start_after_us);
	if (wait_ms > 0)
		return wait_ms;
	start_worker(worker);
	return worker->handle == NULL ? RESTART_LONGEST_MS : -1;
}

/* What a launcher before this one has started goes on. */
static void
take_over_workers(void)
{
	Oid databases[JIBIT_WORKERS_MAX];
	int count = jibit_workers_list(databases);

	for (int i = 0; i < count; i++)
		(void) find_worker(databases[i]);
}

void
jibit_launcher_main(Datum argument)
{
	static uint32 wait_event = 0;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname("jibit launcher");
	take_over_workers();

	for (bool tell = true;; tell = false)
	{
		long wait_ms = -1;
		ListCell *cell;

		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			tell = true;
		}
		if (mark_wanted(tell))
			wait_ms = MISSING_MS;
		foreach (cell, workers)
		{
			Worker *worker = lfirst(cell);
			long again_ms = look_after(worker);

			if (again_ms >= 0)
				wait_ms = wait_ms < 0 ? again_ms : Min(wait_ms, again_ms);
			if (worker->handle == NULL && !worker->wanted && again_ms < 0)
			{
				workers = foreach_delete_current(workers, cell);
				pfree(worker);
			}
		}
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
							 (wait_ms >= 0 ? WL_TIMEOUT : 0),
						 wait_ms,
						 jibit_wait_event(&wait_event, "JibitLauncherMain"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
jibit_launcher_register(void)
{
	BackgroundWorker registration = {0};

	strlcpy(registration.bgw_name, "jibit launcher", BGW_MAXLEN);
	strlcpy(registration.bgw_type, "jibit launcher", BGW_MAXLEN);
	strlcpy(registration.bgw_library_name, "jibit",
			sizeof(registration.bgw_library_name));
	strlcpy(registration.bgw_function_name, "jibit_launcher_main", BGW_MAXLEN);
	registration.bgw_flags = BGWORKER_SHMEM_ACCESS |
							 BGWORKER_BACKEND_DATABASE_CONNECTION;

	/* On a standby the queue waits for the promotion. */
	registration.bgw_start_time = BgWorkerStart_RecoveryFinished;
	registration.bgw_restart_time = 1;
	RegisterBackgroundWorker(&registration);
}
