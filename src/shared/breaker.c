/*
 * The circuit breaker: no calls to what has failed again and again.
 *
 * Locking: one lock for the table.  Asking about closed circuits and
 * reporting an answer that changes nothing hold it in shared mode, everything
 * else in exclusive mode.  Only calls that go out come here, never hits.
 *
 * A probe is marked with its session's pid.  If the session is gone, the next
 * to ask becomes the probe.
 */
#include "postgres.h"

#include "base/config.h"
#include "base/inquiryids.h"
#include "miscadmin.h"
#include "shared/breaker.h"
#include "shared/exit.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* Accounts that are followed; the one least recently used makes room. */
#define ACCOUNTS 64

typedef struct Account
{
	bool used;
	uint8 digest[JIBIT_DIGEST_SIZE];
	TimestampTz last_used;
	JibitCircuit way;
	JibitCircuit inquiries[JIBIT_INQUIRY_NUMBERS];
} Account;

typedef struct Breaker
{
	LWLock *lock;
	Account accounts[ACCOUNTS];
} Breaker;

static Breaker *breaker;

Size
jibit_breaker_shmem_size(void)
{
	return MAXALIGN(sizeof(Breaker));
}

void
jibit_breaker_shmem_init(void)
{
	bool found;

	breaker = ShmemInitStruct("jibit breaker", sizeof(Breaker), &found);
	if (found)
		return;
	memset(breaker, 0, sizeof(Breaker));
	breaker->lock = &GetNamedLWLockTranche(JIBIT_BREAKER_TRANCHE)->lock;
}

static Account *
find_account(const uint8 *digest)
{
	for (int i = 0; i < ACCOUNTS; i++)
	{
		Account *account = &breaker->accounts[i];

		if (account->used &&
			memcmp(account->digest, digest, JIBIT_DIGEST_SIZE) == 0)
			return account;
	}
	return NULL;
}

/* With the lock held exclusively. */
static Account *
find_or_make_account(const uint8 *digest)
{
	Account *account = find_account(digest);

	if (account == NULL)
	{
		account = &breaker->accounts[0];
		for (int i = 0; i < ACCOUNTS; i++)
		{
			Account *candidate = &breaker->accounts[i];

			if (!candidate->used)
			{
				account = candidate;
				break;
			}
			if (candidate->last_used < account->last_used)
				account = candidate;
		}
		memset(account, 0, sizeof(Account));
		account->used = true;
		memcpy(account->digest, digest, JIBIT_DIGEST_SIZE);
	}
	account->last_used = GetCurrentTimestamp();
	return account;
}

static bool
is_open(const JibitCircuit *circuit)
{
	return jibit_circuit_is_open(circuit, jibit_breaker_threshold);
}

static int64
cooldown_us(void)
{
	return jibit_breaker_cooldown_ms * INT64CONST(1000);
}

/* By a session that is still there: this one's may be others of a batch. */
static bool
is_probed(const JibitCircuit *circuit)
{
	return circuit->probe_pid != 0 &&
		   (circuit->probe_pid == MyProcPid ||
			BackendPidGetProc(circuit->probe_pid) != NULL);
}

static int64
time_to_pass(const JibitCircuit *circuit, TimestampTz now)
{
	return jibit_circuit_wait(circuit, now, jibit_breaker_threshold,
							  cooldown_us(), is_probed(circuit));
}

/* Another process may get the same pid one day. */
static void
end_all_probes(void)
{
	LWLockAcquire(breaker->lock, LW_EXCLUSIVE);
	for (int i = 0; i < ACCOUNTS; i++)
	{
		Account *account = &breaker->accounts[i];

		if (account->way.probe_pid == MyProcPid)
			account->way.probe_pid = 0;
		for (int j = 0; j < JIBIT_INQUIRY_NUMBERS; j++)
		{
			if (account->inquiries[j].probe_pid == MyProcPid)
				account->inquiries[j].probe_pid = 0;
		}
	}
	LWLockRelease(breaker->lock);
}

static bool
mark_probe(JibitCircuit *circuit)
{
	if (!is_open(circuit))
		return false;
	circuit->probe_pid = MyProcPid;
	return true;
}

bool
jibit_breaker_ask(const uint8 *account_digest, int inquiry, JibitPass *pass,
				  long *wait_ms)
{
	TimestampTz now;
	Account *account;
	bool closed;
	int64 wait_us;

	pass->probes_way = pass->probes_inquiry = false;
	*wait_ms = 0;
	if (jibit_breaker_threshold == 0)
		return true;

	LWLockAcquire(breaker->lock, LW_SHARED);
	account = find_account(account_digest);
	closed = account == NULL || (!is_open(&account->way) &&
								 !is_open(&account->inquiries[inquiry]));
	LWLockRelease(breaker->lock);
	if (closed)
		return true;

	jibit_exit_add(JIBIT_EXIT_PROBES, end_all_probes);
	now = GetCurrentTimestamp();
	LWLockAcquire(breaker->lock, LW_EXCLUSIVE);
	account = find_or_make_account(account_digest);
	wait_us = Max(time_to_pass(&account->way, now),
				  time_to_pass(&account->inquiries[inquiry], now));
	if (wait_us > 0)
		*wait_ms = (long) (wait_us / 1000) + 1;
	else
	{
		pass->probes_way = mark_probe(&account->way);
		pass->probes_inquiry = mark_probe(&account->inquiries[inquiry]);
	}
	LWLockRelease(breaker->lock);
	return *wait_ms == 0;
}

static void
end_probes(Account *account, int inquiry, JibitPass *pass)
{
	if (pass->probes_way && account->way.probe_pid == MyProcPid)
		account->way.probe_pid = 0;
	if (pass->probes_inquiry &&
		account->inquiries[inquiry].probe_pid == MyProcPid)
		account->inquiries[inquiry].probe_pid = 0;
	pass->probes_way = pass->probes_inquiry = false;
}

void
jibit_breaker_report(const uint8 *account_digest, int inquiry, JibitPass *pass,
					 JibitReach reach, uint64 what)
{
	Account *account;

	/* Nearly always there is nothing to change. */
	if (reach == JIBIT_REACH_ANSWERED && !pass->probes_way &&
		!pass->probes_inquiry)
	{
		bool unchanged;

		LWLockAcquire(breaker->lock, LW_SHARED);
		account = find_account(account_digest);
		unchanged = account == NULL ||
					(account->way.failures == 0 &&
					 account->inquiries[inquiry].failures == 0);
		LWLockRelease(breaker->lock);
		if (unchanged)
			return;
	}

	LWLockAcquire(breaker->lock, LW_EXCLUSIVE);
	account = find_or_make_account(account_digest);
	end_probes(account, inquiry, pass);
	jibit_circuit_note(&account->way, &account->inquiries[inquiry], reach,
					   what, GetCurrentTimestamp(), cooldown_us());
	LWLockRelease(breaker->lock);
}

void
jibit_breaker_return(const uint8 *account_digest, int inquiry, JibitPass *pass)
{
	Account *account;

	if (!pass->probes_way && !pass->probes_inquiry)
		return;
	LWLockAcquire(breaker->lock, LW_EXCLUSIVE);
	account = find_account(account_digest);
	if (account != NULL)
		end_probes(account, inquiry, pass);
	LWLockRelease(breaker->lock);
}

void
jibit_breaker_token_failed(const uint8 *account_digest)
{
	Account *account;

	LWLockAcquire(breaker->lock, LW_EXCLUSIVE);
	account = find_or_make_account(account_digest);
	jibit_circuit_note(&account->way, NULL, JIBIT_REACH_FAILED, 0,
					   GetCurrentTimestamp(), cooldown_us());
	LWLockRelease(breaker->lock);
}
