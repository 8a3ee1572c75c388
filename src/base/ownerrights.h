/*
 * Acting with the rights of a table's owner.
 */
#ifndef JIBIT_OWNERRIGHTS_H
#define JIBIT_OWNERRIGHTS_H

/* The session as it was before. */
typedef struct JibitOwnerRights
{
	Oid user;
	int security_context;
	int guc_level;
} JibitOwnerRights;

/*
 * Acts as the owner, in a restricted operation with a fixed search_path, so
 * that code behind a view (a decrypting function, say) cannot be led astray
 * by the session.  An error restores everything by itself.
 */
extern void jibit_become_owner(JibitOwnerRights *saved, Oid owner);

extern void jibit_stop_being_owner(const JibitOwnerRights *saved);

#endif /* JIBIT_OWNERRIGHTS_H */
