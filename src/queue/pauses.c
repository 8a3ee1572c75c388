/*
 * What the worker does not ask for now.
 */
#include "postgres.h"

#include "base/encoding.h"
#include "base/ownerrights.h"
#include "base/subtransaction.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "protocol/inquiries.h"
#include "queue/pauses.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The first pause for keys, which is the token's own, and the longest. */
#define KEYS_FIRST_MS 5000
#define REFUSED_LONGEST_MS (5 * 60 * 1000)
#define CONFIGURATION_LONGEST_MS (60 * 1000)

/*
 * Profiles whose keys are read in one review: each costs a query, and anybody
 * who may submit can name profiles that do not exist.
 */
#define REVIEWED_MAX 16

/* For the same reason: so many pauses for missing keys may there be. */
#define MISSING_MAX 256

/* A pause that nothing has probed for so long after its end is forgotten. */
#define UNPROBED_MS (2 * 60 * 1000)

typedef struct Pause
{
	dlist_node node;
	char profile[JIBIT_PROFILE_MAX + 1];
	const char *inquiry; /* of the table of inquiries; '' for all */
	JibitErrorClass class;
	char code[JIBIT_CODE_SIZE];
	char message[JIBIT_MESSAGE_SIZE]; /* UTF-8 */
	TimestampTz since;
	TimestampTz until;
	bool for_keys;					  /* other keys end it */
	uint8 keys[JIBIT_DIGEST_SIZE];	  /* zeroes: there were none */
	int64 length_ms;				  /* of the latest */
	bool probed[JIBIT_INQUIRY_COUNT]; /* since all were probed, or it began */
	bool probing;					  /* a request is on its way to find out */
	bool over;						  /* to be deleted from the table */
	bool changed;					  /* since it was last written */
	bool written;					  /* so the table had it */
	bool tried;	 /* to be written, by a transaction under way */
	bool saved;	 /* and it was */
	bool listed; /* while the table is looked through */
} Pause;

/* In TopMemoryContext; there are few, see MISSING_MAX. */
static dlist_head pauses = DLIST_STATIC_INIT(pauses);
static bool loaded;

static const char *
inquiry_or_all(const char *inquiry)
{
	return inquiry ? inquiry : "";
}

/* The inquiry's own name, which lasts; NULL for one that is not known. */
static const char *
lasting_name(const char *name)
{
	const JibitInquiry *inquiry = jibit_inquiry_by_name(name);

	return inquiry ? inquiry->id : NULL;
}

/* Its place in the table of inquiries; negative for one that is not known. */
static int
inquiry_index(const char *name)
{
	const JibitInquiry *inquiry = jibit_inquiry_by_name(name);

	return inquiry ? (int) inquiry->number : -1;
}

static void
set_probed(Pause *pause, const char *inquiry)
{
	int index = inquiry_index(inquiry);

	if (index >= 0)
		pause->probed[index] = true;
}

static Pause *
find_pause(const char *profile, const char *inquiry)
{
	dlist_iter iter;

	dlist_foreach (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);

		if (strcmp(pause->profile, profile) == 0 &&
			strcmp(pause->inquiry, inquiry) == 0)
			return pause;
	}
	return NULL;
}

static bool
is_over_lane(const Pause *pause, const char *profile, const char *inquiry)
{
	return !pause->over && strcmp(pause->profile, profile) == 0 &&
		   (pause->inquiry[0] == '\0' || strcmp(pause->inquiry, inquiry) == 0);
}

static Pause *
make_pause(const char *profile, const char *inquiry)
{
	Pause *pause = MemoryContextAllocZero(TopMemoryContext, sizeof(Pause));

	strlcpy(pause->profile, profile, sizeof(pause->profile));
	pause->inquiry = inquiry;
	pause->since = GetCurrentTimestamp();
	dlist_push_tail(&pauses, &pause->node);
	return pause;
}

/*
 * Begins a pause, or the next round of one.  NULL where one is under way
 * already: what was on its way when it began says the same again.
 */
static Pause *
begin_round(const char *profile, const char *inquiry, const JibitError *error)
{
	Pause *pause = find_pause(profile, inquiry);

	if (pause != NULL && pause->over)
	{
		pause->over = false;
		pause->length_ms = 0;
		memset(pause->probed, 0, sizeof(pause->probed));
		pause->until = 0;
		pause->since = GetCurrentTimestamp();
	}
	if (pause == NULL)
		pause = make_pause(profile, inquiry);
	else if (pause->until > GetCurrentTimestamp())
		return NULL;
	pause->class = error->class;
	strlcpy(pause->code, error->code, sizeof(pause->code));
	strlcpy(pause->message, error->message, sizeof(pause->message));
	pause->for_keys = false;
	pause->changed = true;
	return pause;
}

static void
set_length(Pause *pause, int64 first_ms, int64 longest_ms)
{
	pause->length_ms = Min(Max(pause->length_ms * 2, first_ms),
						   Max(first_ms, longest_ms));
	pause->until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											   pause->length_ms);
}

void
jibit_pause(const char *profile, const char *inquiry, const JibitError *error,
			int64 first_ms, int64 longest_ms)
{
	Pause *pause = begin_round(profile, inquiry_or_all(inquiry), error);

	if (pause != NULL)
		set_length(pause, first_ms, longest_ms);
}

void
jibit_pause_for_keys(const char *profile, const char *inquiry,
					 const JibitError *error, const uint8 *keys)
{
	Pause *own = inquiry ? find_pause(profile, inquiry) : NULL;
	bool is_own = own != NULL && own->for_keys && !own->over;
	Pause *pause = begin_round(profile, is_own ? inquiry : "", error);

	if (pause == NULL)
		return;
	if (inquiry != NULL)
		set_probed(pause, inquiry);
	set_length(pause, KEYS_FIRST_MS,
			   error->class == JIBIT_CONFIGURATION ? CONFIGURATION_LONGEST_MS
												   : REFUSED_LONGEST_MS);
	pause->for_keys = true;
	memset(pause->keys, 0, JIBIT_DIGEST_SIZE);
	if (keys != NULL)
		memcpy(pause->keys, keys, JIBIT_DIGEST_SIZE);
}

bool
jibit_pause_for_missing_keys(const char *profile, const JibitError *error)
{
	int count = 0;
	dlist_iter iter;

	dlist_foreach (iter, &pauses)
		count++;
	if (count >= MISSING_MAX && find_pause(profile, "") == NULL)
		return false;
	jibit_pause_for_keys(profile, NULL, error, NULL);
	return true;
}

void
jibit_pauses_review_keys(bool (*get_keys)(const char *profile, uint8 *keys))
{
	dlist_mutable_iter iter;
	dlist_node *last = dlist_is_empty(&pauses) ? NULL
											   : dlist_tail_node(&pauses);
	int reviewed = 0;

	dlist_foreach_modify (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);
		uint8 keys[JIBIT_DIGEST_SIZE] = {0};
		bool is_last = iter.cur == last;

		if (!pause->over && pause->for_keys)
		{
			if (get_keys(pause->profile, keys) &&
				memcmp(keys, pause->keys, JIBIT_DIGEST_SIZE) != 0)
				pause->over = true;
			reviewed++;
		}

		/* Those come last the next time. */
		dlist_delete(iter.cur);
		dlist_push_tail(&pauses, &pause->node);
		if (is_last || reviewed >= REVIEWED_MAX)
			break;
	}
}

void
jibit_pause_until(const char *profile, const char *inquiry,
				  const JibitError *error, TimestampTz until)
{
	Pause *pause = begin_round(profile, inquiry_or_all(inquiry), error);

	if (pause != NULL)
		pause->until = until;
}

JibitAllowance
jibit_pauses_allow(const char *profile, const char *inquiry,
				   TimestampTz *again_at)
{
	JibitAllowance allowance = JIBIT_ALLOWS_ALL;
	TimestampTz now = GetCurrentTimestamp();
	dlist_iter iter;

	*again_at = DT_NOEND;
	dlist_foreach (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);

		if (!is_over_lane(pause, profile, inquiry))
			continue;
		if (pause->probing || pause->until > now)
		{
			allowance = JIBIT_ALLOWS_NOTHING;
			if (!pause->probing)
				*again_at = Min(*again_at, pause->until);
		}
		else if (allowance == JIBIT_ALLOWS_ALL)
			allowance = JIBIT_ALLOWS_PROBE;
	}
	return allowance;
}

void
jibit_pauses_begin_probe(const char *profile, const char *inquiry)
{
	int index = inquiry_index(inquiry);
	dlist_iter iter;

	dlist_foreach (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);

		if (is_over_lane(pause, profile, inquiry))
		{
			pause->probing = true;
			/* Each had its turn, those that are due at least: anew. */
			if (index >= 0 && pause->probed[index])
				memset(pause->probed, 0, sizeof(pause->probed));
			set_probed(pause, inquiry);
		}
	}
}

void
jibit_pauses_forget_probes(void)
{
	dlist_iter iter;

	dlist_foreach (iter, &pauses)
	{
		dlist_container(Pause, node, iter.cur)->probing = false;
	}
}

bool
jibit_pauses_was_probe(const char *profile, const char *inquiry)
{
	int index = inquiry_index(inquiry);
	dlist_iter iter;

	dlist_foreach (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);

		if (index >= 0 && is_over_lane(pause, profile, inquiry) &&
			pause->probed[index])
			return true;
	}
	return false;
}

/*
 * The keys serve for one inquiry: what was refused before it is refused for
 * what it is, and pauses alone.
 */
static void
pause_refused_alone(const Pause *all, const char *served)
{
	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
	{
		const char *inquiry = jibit_inquiries[i].id;
		Pause *pause;

		if (!all->probed[i] || strcmp(inquiry, served) == 0)
			continue;
		pause = find_pause(all->profile, inquiry);
		if (pause != NULL && !pause->over)
			continue;
		if (pause == NULL)
			pause = make_pause(all->profile, inquiry);
		pause->class = all->class;
		memcpy(pause->code, all->code, sizeof(pause->code));
		memcpy(pause->message, all->message, sizeof(pause->message));
		pause->for_keys = true;
		memcpy(pause->keys, all->keys, sizeof(pause->keys));
		pause->length_ms = 0;
		set_length(pause, KEYS_FIRST_MS, KEYS_FIRST_MS);
		pause->over = false;
		pause->changed = true;
	}
}

void
jibit_pauses_end_probe(const char *profile, const char *inquiry,
					   bool recovered)
{
	TimestampTz now = GetCurrentTimestamp();
	dlist_iter iter;

	dlist_foreach (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);

		if (!is_over_lane(pause, profile, inquiry) || !pause->probing)
			continue;
		pause->probing = false;
		if (!recovered || pause->until > now)
			continue;
		pause->over = true;
		if (pause->for_keys && pause->inquiry[0] == '\0')
			pause_refused_alone(pause, inquiry);
	}
}

void
jibit_pauses_end(const char *profile, JibitErrorClass class)
{
	dlist_iter iter;

	dlist_foreach (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);

		if (pause->class == class &&
			(profile == NULL || strcmp(pause->profile, profile) == 0))
			pause->over = true;
	}
}

/*
 * The table.
 */

static TimestampTz
timestamp_of(HeapTuple row, int column)
{
	bool isnull;

	return DatumGetTimestampTz(
		SPI_getbinval(row, SPI_tuptable->tupdesc, column, &isnull));
}

/* What an earlier worker has left. */
static void
take_over(HeapTuple row)
{
	TupleDesc desc = SPI_tuptable->tupdesc;
	const char *profile = SPI_getvalue(row, desc, 1);
	const char *name = SPI_getvalue(row, desc, 2);
	const char *inquiry = *name ? lasting_name(name) : "";
	const char *message = SPI_getvalue(row, desc, 4);
	JibitError error;
	Pause *pause;

	if (inquiry == NULL || find_pause(profile, inquiry) != NULL)
		return;
	jibit_error_set(&error, SPI_getvalue(row, desc, 3), 0, NULL, NULL);
	pause = make_pause(profile, inquiry);
	pause->class = error.class;
	strlcpy(pause->code, error.code, sizeof(pause->code));
	if (message != NULL)
		strlcpy(
			pause->message,
			jibit_server_to_utf8(unconstify(char *, message), strlen(message)),
			sizeof(pause->message));
	pause->written = true;
	pause->since = timestamp_of(row, 5);
	pause->until = timestamp_of(row, 6);

	/*
	 * With which keys is not known any more: the present ones are tried.  There
	 * may have been none, which has the code of a failed connection.
	 */
	pause->for_keys = error.class == JIBIT_NOT_AUTHORISED ||
					  strcmp(error.code, JIBIT_CODE_CONNECTION_FAILED) == 0;

	/* This server's own limit may be another one since. */
	pause->over = error.class == JIBIT_LOCAL_LIMIT;
}

/* Of the pauses those that the table still has. */
static void
mark_listed(void)
{
	TupleDesc desc = SPI_tuptable->tupdesc;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		char *profile = SPI_getvalue(row, desc, 1);
		char *inquiry = SPI_getvalue(row, desc, 2);
		Pause *pause = find_pause(profile, inquiry);

		if (pause != NULL)
			pause->listed = true;
		pfree(profile);
		pfree(inquiry);
	}
}

/* Nothing waits for its end, or that would have been found out. */
static void
forget_if_unprobed(Pause *pause)
{
	if (!pause->probing &&
		pause->until <
			TimestampTzPlusMilliseconds(GetCurrentTimestamp(), -UNPROBED_MS))
		pause->over = true;
}

/* With the rights of the table's owner, whose triggers may be there. */
static void
execute(const JibitQueueTable *table, const char *query, int nargs, Oid *types,
		Datum *values, const char *nulls, int expected)
{
	JibitOwnerRights rights;
	int result;

	jibit_become_owner(&rights, table->pauses_owner);
	result = SPI_execute_with_args(query, nargs, types, values, nulls, false,
								   0);
	jibit_stop_being_owner(&rights);
	if (result != expected)
		elog(ERROR, "could not use %s: %s", table->pauses_name,
			 SPI_result_code_string(result));
}

void
jibit_pauses_load(const JibitQueueTable *table)
{
	dlist_mutable_iter iter;

	if (loaded && dlist_is_empty(&pauses))
		return;
	execute(
		table,
		psprintf(
			"SELECT profile, inquiry, code, message, paused_at, paused_until FROM %s",
			table->pauses_name),
		0, NULL, NULL, NULL, SPI_OK_SELECT);

	mark_listed();
	dlist_foreach_modify (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);

		/* What was not written yet is not missing. */
		if (pause->written && !pause->listed)
		{
			dlist_delete(iter.cur);
			pfree(pause);
			continue;
		}
		pause->listed = false;
		forget_if_unprobed(pause);
	}
	for (uint64 i = 0; i < SPI_processed && !loaded; i++)
		take_over(SPI_tuptable->vals[i]);
	loaded = true;
}

/*
 * The row is not waited for where somebody's open transaction has it, to end
 * the pause most likely.
 */
#define UNLOCKED_ROW                                                              \
	"ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE profile = $1 AND inquiry = $2" \
	" FOR UPDATE SKIP LOCKED))"

/* False where that has to be tried again. */
static bool
delete_row(const JibitQueueTable *table, const Pause *pause)
{
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[] = {CStringGetTextDatum(pause->profile),
					  CStringGetTextDatum(pause->inquiry)};

	execute(
		table,
		psprintf("DELETE FROM %1$s WHERE " UNLOCKED_ROW, table->pauses_name),
		2, types, values, NULL, SPI_OK_DELETE);
	return SPI_processed > 0 || !pause->written;
}

/* Likewise. */
static bool
write_row(const JibitQueueTable *table, const Pause *pause)
{
	Oid types[] = {TEXTOID, TEXTOID,		TEXTOID,
				   TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	const char *message = pause->message[0]
							  ? jibit_utf8_to_server_or_null(
									pause->message, strlen(pause->message))
							  : NULL;
	Datum values[] = {CStringGetTextDatum(pause->profile),
					  CStringGetTextDatum(pause->inquiry),
					  CStringGetTextDatum(pause->code),
					  message ? CStringGetTextDatum(message) : (Datum) 0,
					  TimestampTzGetDatum(pause->since),
					  TimestampTzGetDatum(pause->until)};
	char nulls[] = {' ', ' ', ' ', message ? ' ' : 'n', ' ', ' '};

	if (pause->written)
		execute(
			table,
			psprintf(
				"UPDATE %1$s SET code = $3, message = $4, paused_at = $5, paused_until = $6"
				" WHERE " UNLOCKED_ROW,
				table->pauses_name),
			6, types, values, nulls, SPI_OK_UPDATE);
	else
		execute(
			table,
			psprintf(
				"INSERT INTO %s (profile, inquiry, code, message, paused_at, paused_until)"
				" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
				table->pauses_name),
			6, types, values, nulls, SPI_OK_INSERT);
	return SPI_processed > 0;
}

/* What writing a pause takes, in a subtransaction. */
typedef struct Writing
{
	const JibitQueueTable *table;
	Pause *pause;
	bool done;
} Writing;

static void
write_pause(void *arg)
{
	Writing *writing = arg;

	if (writing->pause->over)
		writing->done = delete_row(writing->table, writing->pause);
	else
		writing->done = write_row(writing->table, writing->pause);
}

bool
jibit_pauses_save(const JibitQueueTable *table, ErrorData **failure)
{
	dlist_mutable_iter iter;
	bool all_saved = true;

	*failure = NULL;
	dlist_foreach_modify (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);
		Writing writing = {table, pause, false};

		if (!pause->over && !pause->changed)
			continue;
		*failure = jibit_try(write_pause, &writing, NULL);
		if (*failure != NULL)
		{
			/* The next time it is the last. */
			dlist_delete(iter.cur);
			dlist_push_tail(&pauses, &pause->node);
			return false;
		}
		pause->tried = true;
		pause->saved = writing.done;
		all_saved &= writing.done;
	}
	return all_saved;
}

void
jibit_pauses_end_save(bool committed)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &pauses)
	{
		Pause *pause = dlist_container(Pause, node, iter.cur);
		bool tried = pause->tried && committed;
		bool saved = pause->saved && committed;

		pause->tried = pause->saved = false;
		if (saved && pause->over)
		{
			dlist_delete(iter.cur);
			pfree(pause);
		}
		else if (tried)
		{
			pause->written = true;
			pause->changed = !saved;
		}
	}
}

int64
jibit_pauses_resume(const JibitQueueTable *table, const char *profile,
					const char *inquiry)
{
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[] = {profile ? CStringGetTextDatum(profile) : (Datum) 0,
					  inquiry ? CStringGetTextDatum(inquiry) : (Datum) 0};
	char nulls[] = {profile ? ' ' : 'n', inquiry ? ' ' : 'n'};

	execute(
		table,
		psprintf(
			"DELETE FROM %s WHERE ($1 IS NULL OR profile = $1) AND ($2 IS NULL OR inquiry = $2)",
			table->pauses_name),
		2, types, values, nulls, SPI_OK_DELETE);
	return (int64) SPI_processed;
}
