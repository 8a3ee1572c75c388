/*
 * What lives as long as one statement of the session: answers that it has
 * got already, and the number of its calls.
 */
#ifndef JIBIT_STATEMENT_H
#define JIBIT_STATEMENT_H

#include "protocol/answer.h"

/* Installs the hooks that know when a statement ends; from _PG_init. */
extern void jibit_statement_init(void);

/* What an answer is kept under: any bytes, and their hash. */
typedef struct JibitStatementKey
{
	const char *data;
	int length;
	uint32 hash;
} JibitStatementKey;

/* Points to the data, which stays the caller's. */
extern JibitStatementKey jibit_statement_key(const char *data, int length);

/*
 * The answer that this statement has for the key, or NULL; only one that was
 * stored as strict if `strict`.  What is returned is the statement's: use it
 * before anything else is stored.
 */
extern const JibitAnswer *jibit_statement_find(JibitStatementKey key,
											   bool strict,
											   const char **track_id);

/*
 * Keeps a copy until the statement ends, in place of what the key had; does
 * nothing outside of one.  `strict` says that a trigger may have it too.
 */
extern void jibit_statement_store(JibitStatementKey key, bool strict,
								  const JibitAnswer *answer,
								  const char *track_id);

/* Counts a call; false when jibit.max_calls_per_statement does not allow it. */
extern bool jibit_statement_count_call(void);

#endif /* JIBIT_STATEMENT_H */
