/*
 * How many successful calls a day an inquiry may make.
 *
 * One atomic word for each inquiry, the day above and the count below: no
 * lock.  The postmaster writes the counts to a file at a clean shutdown and
 * reads it at start; after a crash the day begins anew, since what is in
 * shared memory then is not to be trusted.
 *
 * A session knows its reservations of which the outcome is open, and gives
 * them back at its exit.
 */
#include "postgres.h"

#include <unistd.h>

#include "base/inquiryids.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "shared/budget.h"
#include "shared/exit.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#define BUDGET_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/jibit_budget"

typedef struct Budget
{
	pg_atomic_uint64 words[JIBIT_INQUIRY_NUMBERS];
} Budget;

static Budget *budget;

/* Reservations of this session with an open outcome, and of which day. */
static int held[JIBIT_INQUIRY_NUMBERS];
static int held_day[JIBIT_INQUIRY_NUMBERS];

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
	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
	{
		uint64 word = pg_atomic_read_u64(&budget->words[i]);

		fprintf(file, "%s %d %u\n", jibit_inquiry_names[i], DAY(word),
				COUNT(word));
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
		for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
		{
			if (strcmp(name, jibit_inquiry_names[i]) == 0)
				pg_atomic_write_u64(&budget->words[i], WORD(day, count));
		}
	}
	FreeFile(file);

	/* Should the server crash, the file is out of date. */
	unlink(BUDGET_FILE);
}

void
jibit_budget_shmem_init(void)
{
	bool found;

	budget = ShmemInitStruct("jibit budget", sizeof(Budget), &found);
	if (!IsUnderPostmaster)
		on_shmem_exit(write_file, (Datum) 0);
	if (found)
		return;
	for (int i = 0; i < JIBIT_INQUIRY_NUMBERS; i++)
		pg_atomic_init_u64(&budget->words[i], 0);
	read_file();
}

static void
give_back(int inquiry, int day, int count)
{
	pg_atomic_uint64 *word = &budget->words[inquiry];
	uint64 old = pg_atomic_read_u64(word);

	do
	{
		if (DAY(old) != day || COUNT(old) == 0)
			return;
	} while (!pg_atomic_compare_exchange_u64(
		word, &old, WORD(day, COUNT(old) - Min(COUNT(old), count))));
}

static void
give_back_all(void)
{
	for (int i = 0; i < JIBIT_INQUIRY_NUMBERS; i++)
	{
		if (held[i] > 0)
			give_back(i, held_day[i], held[i]);
		held[i] = 0;
	}
}

bool
jibit_budget_reserve(int inquiry, int *day, int limit)
{
	int today = *day;
	pg_atomic_uint64 *word = &budget->words[inquiry];
	uint64 old = pg_atomic_read_u64(word);
	uint64 spent;

	jibit_exit_add(JIBIT_EXIT_BUDGET, give_back_all);
	do
	{
		/*
		 * A count may be of tomorrow: midnight came to another session a
		 * moment earlier, or the clock was set back over it.  It goes on.
		 * A day that is further ahead comes from a clock that was wrong.
		 */
		*day = DAY(old) == today + 1 ? today + 1 : today;
		spent = DAY(old) == *day ? COUNT(old) : 0;
		if (limit >= 0 && spent >= (uint64) limit)
			return false;
	} while (
		!pg_atomic_compare_exchange_u64(word, &old, WORD(*day, spent + 1)));

	/* Reservations of a day that is over need not be given back. */
	if (held_day[inquiry] != *day)
		held[inquiry] = 0;
	held_day[inquiry] = *day;
	held[inquiry]++;
	return true;
}

void
jibit_budget_spend(int inquiry, int day)
{
	if (held_day[inquiry] == day && held[inquiry] > 0)
		held[inquiry]--;
}

void
jibit_budget_give_back(int inquiry, int day)
{
	jibit_budget_spend(inquiry, day);
	give_back(inquiry, day, 1);
}

void
jibit_budget_refund(int inquiry, int day)
{
	give_back(inquiry, day, 1);
}
