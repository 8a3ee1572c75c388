/*
 * The keys of a profile.
 */
#ifndef JIBIT_CREDENTIALS_H
#define JIBIT_CREDENTIALS_H

#include "shared/digest.h"

typedef struct JibitCredentials
{
	const char *profile;
	const char *api_key;
	const char *secret_key;
	const char *base_url; /* no slash at the end */
	Oid table;			  /* from which they were read */
	/* Identity: base URL, keys and database.  Equal ones share tokens. */
	uint8 digest[JIBIT_DIGEST_SIZE];
} JibitCredentials;

/* CONSTRAINT_NAME of the error for a profile that is not for the user. */
#define JIBIT_NO_RIGHT_TO_PROFILE "profile.forbidden"

/*
 * The credentials of a profile, for the current user: palloc'd in the current
 * context.  Raises JB011 where there are none or they make no sense, 42501
 * where the profile's roles leave the user out, and whatever reading the
 * user's own table or view raises.
 *
 * The table is read with its owner's rights, and not again until it changes;
 * a table or view of the user's own is read again after a minute.
 */
extern JibitCredentials *jibit_credentials_get(const char *profile);

/*
 * Raises JB011 where there is no such profile, 42501 where its roles leave the
 * current user out.  Whether its keys can be used is not asked.
 */
extern void jibit_credentials_check_role(const char *profile);

/*
 * Writes a profile's keys into the credentials table, with its owner's
 * rights.  base_url NULL keeps the stored one, or takes the default.
 */
extern void jibit_credentials_set(const char *profile, const char *api_key,
								  const char *secret_key,
								  const char *base_url);

/*
 * To be called when a transaction changes the credentials table: at its
 * commit every session of the database reads it anew.
 */
extern void jibit_credentials_changed(Oid table);

/* The table or view that jibit.credentials_table names; 0 if there is none. */
extern Oid jibit_credentials_relation(void);

#endif /* JIBIT_CREDENTIALS_H */
