/*
 * The library's entry: what is loaded, reserved and set up.
 */
#include "postgres.h"

#include "account/token.h"
#include "base/compat.h"
#include "base/config.h"
#include "base/extension.h"
#include "base/limits.h"
#include "call/statement.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "net/http.h"
#include "queue/launcher.h"
#include "shared/breaker.h"
#include "shared/budget.h"
#include "shared/cache.h"
#include "shared/digest.h"
#include "shared/places.h"
#include "shared/stats.h"
#include "shared/workers.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

JIBIT_MODULE_MAGIC(JIBIT_VERSION_STRING);

void _PG_init(void);

static shmem_request_hook_type previous_shmem_request;
static shmem_startup_hook_type previous_shmem_startup;

/* What the modules keep in shared memory. */
static Size
shmem_size(void)
{
	Size size = jibit_digest_shmem_size();

	size = add_size(size, jibit_token_shmem_size());
	size = add_size(size, jibit_cache_shmem_size(jibit_cache_size_kb));
	size = add_size(size, jibit_places_shmem_size());
	size = add_size(size, jibit_breaker_shmem_size());
	size = add_size(size, jibit_budget_shmem_size());
	size = add_size(size, jibit_stats_shmem_size());
	size = add_size(size, jibit_workers_shmem_size());
	return size;
}

static void
request_shmem(void)
{
	if (previous_shmem_request)
		previous_shmem_request();
	RequestAddinShmemSpace(shmem_size());
	RequestNamedLWLockTranche(JIBIT_TOKEN_TRANCHE, 1);
	RequestNamedLWLockTranche(JIBIT_CACHE_TRANCHE, JIBIT_CACHE_PARTITIONS);
	RequestNamedLWLockTranche(JIBIT_PLACES_TRANCHE, 1);
	RequestNamedLWLockTranche(JIBIT_BREAKER_TRANCHE, 1);
	RequestNamedLWLockTranche(JIBIT_STATS_TRANCHE, 1);
	RequestNamedLWLockTranche(JIBIT_WORKERS_TRANCHE, 1);
}

static void
startup_shmem(void)
{
	if (previous_shmem_startup)
		previous_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	jibit_digest_shmem_init();
	jibit_token_shmem_init();
	jibit_cache_shmem_init(jibit_cache_size_kb);
	jibit_places_shmem_init();
	jibit_breaker_shmem_init();
	jibit_budget_shmem_init();
	jibit_stats_shmem_init();
	jibit_workers_shmem_init();
	LWLockRelease(AddinShmemInitLock);
}

/*
 * The postmaster parses the certificates for all its children; a session that
 * sees another file trusts no connection that it has open.
 */
static void
on_ca_file(const char *value)
{
	if (IsUnderPostmaster)
		jibit_http_forget_connections();
	else
		jibit_http_preload(value);
}

void
_PG_init(void)
{
	jibit_config_init();

	/*
	 * Without preloading there is no shared memory, and so no inquiry.  A
	 * binary upgrade makes none.
	 */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;

	jibit_preloaded = true;
	jibit_statement_init();
	jibit_launcher_register();
	jibit_http_preload(jibit_ca_file);
	jibit_ca_file_hook = on_ca_file;
	previous_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	previous_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}
