/*
 * Who may make an inquiry: whoever may execute its function.
 */
#include "postgres.h"

#include "account/rights.h"
#include "base/compat.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

Oid
jibit_inquiry_function(const JibitInquiry *inquiry, Oid schema)
{
	Oid types[JIBIT_MAX_PARAMS];
	char *name = psprintf("jibit_%s", inquiry->id);

	for (int i = 0; i < inquiry->nparams; i++)
		types[i] = TEXTOID;
	return GetSysCacheOid3(
		PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
		PointerGetDatum(buildoidvector(types, inquiry->nparams)),
		ObjectIdGetDatum(schema));
}

bool
jibit_may_inquire(const JibitInquiry *inquiry, Oid schema, Oid role)
{
	Oid function = jibit_inquiry_function(inquiry, schema);

	return OidIsValid(function) && jibit_may_execute(function, role);
}

void
jibit_require_right(const JibitInquiry *inquiry, Oid schema, Oid role)
{
	if (!jibit_may_inquire(inquiry, schema, role))
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for inquiry \"%s\"", inquiry->id),
			 errhint(
				 "Role \"%s\" must be allowed to execute jibit_%s(); see jibit_grant().",
				 GetUserNameFromId(role, false), inquiry->id)));
}
