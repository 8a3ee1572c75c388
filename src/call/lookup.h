/*
 * Answers that are there already: the statement's, and the shared ones.
 */
#ifndef JIBIT_LOOKUP_H
#define JIBIT_LOOKUP_H

#include "call/call.h"
#include "call/statement.h"
#include "shared/digest.h"

/* Under what a call's answer is kept; zeroed for one that is not. */
typedef struct JibitLookup
{
	JibitStatementKey key; /* its data is NULL if not cacheable */
	int key_public;	 /* where the part begins that is not the user's own */
	bool has_digest; /* of the shared answers */
	uint8 digest[JIBIT_DIGEST_SIZE];
} JibitLookup;

/*
 * Fill the lookup in and the call, if there is an answer, which is palloc'd:
 * then true.  The shared ones need the policy's credentials.
 */
extern bool jibit_lookup_in_statement(JibitLookup *lookup, JibitCall *call,
									  char *const *canonical);
extern bool jibit_lookup_shared(JibitLookup *lookup, JibitCall *call);

/* Keeps the answer of a call that has been made. */
extern void jibit_lookup_store(const JibitLookup *lookup,
							   const JibitCall *call);

/* May one call's answer be the other's too, though it was not kept yet? */
extern bool jibit_lookup_is_same(const JibitLookup *lookup,
								 const JibitLookup *other);

#endif /* JIBIT_LOOKUP_H */
