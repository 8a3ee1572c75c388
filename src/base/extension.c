/*
 * This extension, as part of the server and as an object of the database.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/extension.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

bool jibit_preloaded = false;

void
jibit_require_preload(void)
{
	if (!jibit_preloaded)
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("jibit must be loaded via \"shared_preload_libraries\""),
			 errhint(
				 "Set shared_preload_libraries = 'jibit' in postgresql.conf and restart the server.")));
}

Oid
jibit_extension_namespace(void)
{
	Oid extension = get_extension_oid("jibit", false);
	Oid schema = InvalidOid;
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	/* There is no system cache for extensions. */
	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	return schema;
}

char *
jibit_extension_schema(void)
{
	return get_namespace_name(jibit_extension_namespace());
}
