/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  How many successful calls a day an inquiry may make.
 *
 * One atomic word for each inquiry, the day above and the count below: no
 * lock.  The postmaster writes the counts to a file at a clean shutdown and
 * reads it at start; after a crash the day begins anew, since what is in
 * shared memory then is not to be trusted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "jibit.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "shared/budget.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#define BUDGET_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/jibit_budget"

typedef struct Budget
{
	pg_atomic_uint64 words[JIBIT_MAX_INQUIRIES];
} Budget;

static Budget *budget;
static const char *const *inquiry_names;
static int inquiry_count;

#define WORD(day, count) (((uint64) (uint32) (day) << 32) | (uint32) (count))
#define DAY(word) ((int) ((word) >> 32))
#define COUNT(word) ((uint32) (word))

Size
jibit_budget_shmem_size(void)
{
	return MAXALIGN(sizeof(Budget));
}

/* A line for each inquiry: its name, the day, the count. */
static void
write_file(int code, Datum arg)
{
	FILE *file;

	/* Not after a crash, and not by a child. */
	if (code != 0 || IsUnderPostmaster || budget == NULL)
		return;
	file = AllocateFile(BUDGET_FILE ".tmp", PG_BINARY_W);
	if (file == NULL)
		goto failed;
	for (int i = 0; i < inquiry_count; i++)
	{
		uint64 word = pg_atomic_read_u64(&budget->words[i]);

		fprintf(file, "%s %d %u\n", inquiry_names[i], DAY(word), COUNT(word));
	}
	if (FreeFile(file) == 0 &&
		durable_rename(BUDGET_FILE ".tmp", BUDGET_FILE, LOG) == 0)
		return;

failed:
	ereport(LOG, (errcode_for_file_access(),
				  errmsg("could not write file \"%s\": %m", BUDGET_FILE)));
}

static void
read_file(void)
{
	FILE *file = AllocateFile(BUDGET_FILE, PG_BINARY_R);
	char name[64];
	int day;
	unsigned int count;

	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", BUDGET_FILE)));
		return;
	}
	while (fscanf(file, "%63s %d %u", name, &day, &count) == 3)
	{
		for (int i = 0; i < inquiry_count; i++)
		{
			if (strcmp(name, inquiry_names[i]) == 0)
				pg_atomic_write_u64(&budget->words[i], WORD(day, count));
		}
	}
	FreeFile(file);

	/* Should the server crash, the file is out of date. */
	unlink(BUDGET_FILE);
}

void
jibit_budget_shmem_init(const char *const *names, int count)
{
	bool found;

	inquiry_names = names;
	inquiry_count = count;
	budget = ShmemInitStruct("jibit budget", sizeof(Budget), &found);
	if (!IsUnderPostmaster)
		on_shmem_exit(write_file, (Datum) 0);
	if (found)
		return;
	for (int i = 0; i < JIBIT_MAX_INQUIRIES; i++)
		pg_atomic_init_u64(&budget->words[i], 0);
	read_file();
}

bool
jibit_budget_reserve(int inquiry, int day, int limit)
{
	pg_atomic_uint64 *word = &budget->words[inquiry];
	uint64 old = pg_atomic_read_u64(word);
	uint64 spent;

	do
	{
		spent = DAY(old) == day ? COUNT(old) : 0;
		if (limit >= 0 && spent >= (uint64) limit)
			return false;
	} while (
		!pg_atomic_compare_exchange_u64(word, &old, WORD(day, spent + 1)));
	return true;
}

void
jibit_budget_give_back(int inquiry, int day)
{
	pg_atomic_uint64 *word = &budget->words[inquiry];
	uint64 old = pg_atomic_read_u64(word);

	do
	{
		if (DAY(old) != day || COUNT(old) == 0)
			return;
	} while (!pg_atomic_compare_exchange_u64(word, &old,
											 WORD(day, COUNT(old) - 1)));
}
