/*
 * Where the queue's tables are.
 */
#include "postgres.h"

#include "access/relation.h"
#include "base/extension.h"
#include "commands/extension.h"
#include "queue/table.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* In the context, which is NULL while nothing is kept. */
static JibitQueueTable kept;
static MemoryContext context;
static bool stale;

/*
 * Only marks, since it may run in the middle of whatever takes a lock.  What
 * drops, moves or alters the tables sends an invalidation of them.
 */
static void
on_invalidation(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == kept.queue || relid == kept.pauses ||
		relid == kept.counts)
		stale = true;
}

/* A schema may have been renamed. */
static void
on_schema_change(Datum arg, int cache, uint32 hash)
{
	stale = true;
}

static char *
qualified(Oid schema, const char *name)
{
	return quote_qualified_identifier(get_namespace_name(schema), name);
}

static Oid
owner_of(Oid table)
{
	Relation relation = relation_open(table, AccessShareLock);
	Oid owner = relation->rd_rel->relowner;

	relation_close(relation, AccessShareLock);
	return owner;
}

static void
find(void)
{
	kept.schema = jibit_extension_namespace();
	kept.queue = get_relname_relid("jibit_queue", kept.schema);
	kept.pauses = get_relname_relid("jibit_pauses", kept.schema);
	kept.ids = get_relname_relid("jibit_queue_id", kept.schema);
	kept.counts = get_relname_relid("jibit_counts", kept.schema);
	kept.owner = owner_of(kept.queue);
	kept.pauses_owner = owner_of(kept.pauses);
	kept.counts_owner = owner_of(kept.counts);
	kept.queue_name = qualified(kept.schema, "jibit_queue");
	kept.pauses_name = qualified(kept.schema, "jibit_pauses");
	kept.counts_name = qualified(kept.schema, "jibit_counts");
	kept.called_ids = psprintf("%s()",
							   qualified(kept.schema, "jibit_called_ids"));
	kept.request_type = qualified(kept.schema, "jibit_requests");
}

const JibitQueueTable *
jibit_queue_table(bool missing_ok)
{
	static bool registered = false;
	MemoryContext fresh;
	MemoryContext caller;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
		CacheRegisterSyscacheCallback(NAMESPACEOID, on_schema_change,
									  (Datum) 0);
		registered = true;
	}
	AcceptInvalidationMessages();
	if (context != NULL && !stale)
		return &kept;

	if (missing_ok && !OidIsValid(get_extension_oid("jibit", true)))
		return NULL;
	fresh = AllocSetContextCreate(CurrentMemoryContext, "jibit queue table",
								  ALLOCSET_SMALL_SIZES);
	if (context != NULL)
		MemoryContextDelete(context);
	context = NULL;
	stale = false;
	caller = MemoryContextSwitchTo(fresh);
	find();
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(fresh, TopMemoryContext);
	context = fresh;
	return &kept;
}
