/*
 * What differs between PostgreSQL 15 to 19 and between libcurl versions.
 *
 * The only file that tests PG_VERSION_NUM or LIBCURL_VERSION_NUM.
 */
#ifndef JIBIT_COMPAT_H
#define JIBIT_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "jibit needs PostgreSQL 15 or later"
#endif

#include "catalog/pg_database.h"
#include "catalog/pg_proc.h"
#include "common/base64.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

/* The module's name and version are shown from PostgreSQL 18 on. */
#if PG_VERSION_NUM >= 180000
#define JIBIT_MODULE_MAGIC(version_string) \
	PG_MODULE_MAGIC_EXT(.name = "jibit", .version = version_string)
#else
#define JIBIT_MODULE_MAGIC(version_string) PG_MODULE_MAGIC
#endif

/* 15.0 has it under this name alone. */
#if PG_VERSION_NUM < 160000
#define InitMaterializedSRF SetSingleFuncCall
#ifndef MAT_SRF_USE_EXPECTED_DESC
#define MAT_SRF_USE_EXPECTED_DESC SRF_SINGLE_USE_EXPECTED
#endif
#endif

/* pqsignal() takes this one from 19 on. */
#ifndef PG_SIG_IGN
#define PG_SIG_IGN SIG_IGN
#endif

/* Stands before a declaration. */
#if PG_VERSION_NUM >= 180000
#define JIBIT_NORETURN pg_noreturn
#else
#define JIBIT_NORETURN pg_attribute_noreturn()
#endif

/*
 * From 19 on DROP, ALTER and CREATE DATABASE end background workers with this
 * flag that are in their way.
 */
#ifdef BGWORKER_INTERRUPTIBLE
#define JIBIT_BGWORKER_INTERRUPTIBLE BGWORKER_INTERRUPTIBLE
#else
#define JIBIT_BGWORKER_INTERRUPTIBLE 0
#endif

/* ExecutorRun and its hook lost their last parameter in PostgreSQL 18. */
#if PG_VERSION_NUM >= 180000
#define JIBIT_EXECUTOR_RUN_PARAMETERS \
	QueryDesc *query, ScanDirection direction, uint64 count
#define JIBIT_EXECUTOR_RUN_ARGUMENTS query, direction, count
#else
#define JIBIT_EXECUTOR_RUN_PARAMETERS \
	QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define JIBIT_EXECUTOR_RUN_ARGUMENTS query, direction, count, once
#endif

/*
 * A wait-event set that belongs to the process, not to a transaction: the
 * caller frees it.
 */
static inline WaitEventSet *
jibit_create_wait_event_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/*
 * The wait event of a given name.  *cache is a static of the caller.  Named
 * events exist from 17 on; they are allocated at first use because a
 * preloaded _PG_init is too early.
 */
static inline uint32
jibit_wait_event(uint32 *cache, const char *name)
{
	if (*cache == 0)
	{
#if PG_VERSION_NUM >= 170000
		*cache = WaitEventExtensionNew(name);
#else
		(void) name;
		*cache = PG_WAIT_EXTENSION;
#endif
	}
	return *cache;
}

/* Base64; the result's length, or -1 for what is none. */
static inline int
jibit_base64_decode(const char *source, int length, char *result, int size)
{
#if PG_VERSION_NUM >= 180000
	return pg_b64_decode(source, length, (uint8 *) result, size);
#else
	return pg_b64_decode(source, length, result, size);
#endif
}

/* May this role execute this function? */
static inline bool
jibit_may_execute(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) ==
		   ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

/* This process's number, from 0 to MaxBackends - 1. */
static inline int
jibit_proc_number(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProcNumber;
#else
	return MyProc->pgprocno;
#endif
}

#endif /* JIBIT_COMPAT_H */
