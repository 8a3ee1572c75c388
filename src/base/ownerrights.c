/*
 * Acting with the rights of a table's owner.
 */
#include "postgres.h"

#include "base/ownerrights.h"
#include "miscadmin.h"
#include "utils/guc.h"

void
jibit_become_owner(JibitOwnerRights *saved, Oid owner)
{
	GetUserIdAndSecContext(&saved->user, &saved->security_context);
	SetUserIdAndSecContext(owner, saved->security_context |
									  SECURITY_LOCAL_USERID_CHANGE |
									  SECURITY_RESTRICTED_OPERATION);
	saved->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
jibit_stop_being_owner(const JibitOwnerRights *saved)
{
	AtEOXact_GUC(false, saved->guc_level);
	SetUserIdAndSecContext(saved->user, saved->security_context);
}
