/*
 * Types of the queue's columns that mean something in one cluster only.
 *
 * What pg_dump, COPY or logical replication carries goes through a type's
 * text; what stays in the cluster, over a pg_upgrade too, does not.  So a role
 * arrives elsewhere as the role of that name, and a request's mark of having
 * been submitted here does not arrive at all.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/acl.h"

/* jibit_role is an OID; its text is the role's name, '' for one that is gone. */

static Datum
role_of_name(const char *name)
{
	PG_RETURN_OID(*name ? get_role_oid(name, true) : InvalidOid);
}

static char *
name_of_role(Datum role)
{
	char *name = GetUserNameFromId(DatumGetObjectId(role), true);

	return name ? name : pstrdup("");
}

PG_FUNCTION_INFO_V1(jibit_role_in);
Datum
jibit_role_in(PG_FUNCTION_ARGS)
{
	return role_of_name(PG_GETARG_CSTRING(0));
}

PG_FUNCTION_INFO_V1(jibit_role_out);
Datum
jibit_role_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(name_of_role(PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(jibit_role_recv);
Datum
jibit_role_recv(PG_FUNCTION_ARGS)
{
	StringInfo buffer = (StringInfo) PG_GETARG_POINTER(0);
	int length;

	return role_of_name(
		pq_getmsgtext(buffer, buffer->len - buffer->cursor, &length));
}

PG_FUNCTION_INFO_V1(jibit_role_send);
Datum
jibit_role_send(PG_FUNCTION_ARGS)
{
	char *name = name_of_role(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendtext(&buffer, name, (int) strlen(name));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* jibit_local is a boolean that arrives as false whatever it was. */

PG_FUNCTION_INFO_V1(jibit_local_in);
Datum
jibit_local_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(false);
}

PG_FUNCTION_INFO_V1(jibit_local_out);
Datum
jibit_local_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup(PG_GETARG_BOOL(0) ? "t" : "f"));
}

PG_FUNCTION_INFO_V1(jibit_local_recv);
Datum
jibit_local_recv(PG_FUNCTION_ARGS)
{
	(void) pq_getmsgbyte((StringInfo) PG_GETARG_POINTER(0));
	PG_RETURN_BOOL(false);
}

PG_FUNCTION_INFO_V1(jibit_local_send);
Datum
jibit_local_send(PG_FUNCTION_ARGS)
{
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, PG_GETARG_BOOL(0) ? 1 : 0);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}
