/*
 * What the worker does not ask for now: an inquiry of a profile, or all of
 * a profile.
 *
 * The worker's own list decides; the table jibit_pauses shows it, keeps it
 * over a restart, and lets an administrator end a pause by deleting its row.
 * When a pause is over, one request goes through as a probe; until that has
 * ended the rest waits.  The table is read and written inside the worker's
 * transactions, in SPI.
 */
#ifndef JIBIT_QUEUE_PAUSES_H
#define JIBIT_QUEUE_PAUSES_H

#include "base/errors.h"
#include "datatype/timestamp.h"
#include "queue/table.h"
#include "shared/digest.h"

/*
 * Pauses an inquiry, or (NULL) the profile, for first_ms, twice as long each
 * time that a probe finds it as it was, up to longest_ms.
 */
extern void jibit_pause(const char *profile, const char *inquiry,
						const JibitError *error, int64 first_ms,
						int64 longest_ms);

/* The same until a given time, every time. */
extern void jibit_pause_until(const char *profile, const char *inquiry,
							  const JibitError *error, TimestampTz until);

/*
 * Pauses a profile whose keys do not serve; `keys` is their identity, NULL
 * where there are none.  Other keys end it.  `inquiry` is what was refused
 * (NULL: none was made); it pauses alone where it has done so before, because
 * the keys have served another one.
 */
extern void jibit_pause_for_keys(const char *profile, const char *inquiry,
								 const JibitError *error, const uint8 *keys);

/*
 * The same for a profile that has none.  False where there are too many such
 * pauses: anybody who may submit can name profiles that do not exist.
 */
extern bool jibit_pause_for_missing_keys(const char *profile,
										 const JibitError *error);

/*
 * Ends such pauses where the keys are others by now.  get_keys fills in the
 * identity of a profile's, zeroes where it has none; false: it cannot tell.
 */
extern void jibit_pauses_review_keys(bool (*get_keys)(const char *profile,
													  uint8 *keys));

/* What may be asked of an inquiry now. */
typedef enum JibitAllowance
{
	JIBIT_ALLOWS_ALL,
	JIBIT_ALLOWS_PROBE,
	JIBIT_ALLOWS_NOTHING
} JibitAllowance;

/* *again_at is when to ask again, where nothing is allowed. */
extern JibitAllowance jibit_pauses_allow(const char *profile,
										 const char *inquiry,
										 TimestampTz *again_at);

/*
 * Has a pause over this inquiry been probed by the same inquiry since all had
 * their turn?  Then it is another one's, should there be any: what is refused
 * to the one may be granted to the other.
 */
extern bool jibit_pauses_was_probe(const char *profile, const char *inquiry);

/* A request goes out as a probe, of every pause over it. */
extern void jibit_pauses_begin_probe(const char *profile, const char *inquiry);

/*
 * It has ended: `recovered` ends the pauses, unless what it met has begun
 * them anew.
 */
extern void jibit_pauses_end_probe(const char *profile, const char *inquiry,
								   bool recovered);

/* Those that are marked as on their way are not. */
extern void jibit_pauses_forget_probes(void);

/* Ends pauses of a profile (NULL: of all) that were for an error's class. */
extern void jibit_pauses_end(const char *profile, JibitErrorClass class);

/* Reads what the table has; what has been deleted there is over. */
extern void jibit_pauses_load(const JibitQueueTable *table);

/*
 * Writes what has changed since, but for rows that somebody has locked, and up
 * to the first *failure.  False where not all is written.  The end of the
 * transaction is to be told.
 */
extern bool jibit_pauses_save(const JibitQueueTable *table,
							  ErrorData **failure);
extern void jibit_pauses_end_save(bool committed);

/*
 * For a session, in SPI: ends pauses of a profile and of an inquiry (NULL: of
 * any) when the transaction commits.  Returns how many.
 */
extern int64 jibit_pauses_resume(const JibitQueueTable *table,
								 const char *profile, const char *inquiry);

#endif /* JIBIT_QUEUE_PAUSES_H */
