/*
 * The keys of a profile: read, kept, written.
 *
 * What was read is kept in this backend.  The extension's own table has a
 * trigger that sends a relation-cache invalidation at commit; the callback
 * below forgets what was kept.  Other tables and views send none, so what
 * comes from them is kept for a minute only, and so is the rest, for changes
 * that fire no trigger.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/relation.h"
#include "access/xact.h"
#include "account/credentials.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/errors.h"
#include "base/extension.h"
#include "base/ownerrights.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "net/http.h"
#include "shared/workers.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#define DEFAULT_BASE_URL "https://napi.jibit.ir/ide"

/* How long a kept entry is good without a sign of change (contract). */
#define KEPT_US (60 * INT64CONST(1000000))

/* Profiles that a session keeps; few use more than two. */
#define KEPT_MAX 8

typedef struct KeptCredentials
{
	MemoryContext context; /* of all this; NULL: not in use */
	bool stale;			   /* to be read again */
	char *setting;		   /* jibit.credentials_table at the time */
	Oid table;
	int64 read_at;
	List *roles;   /* names, as strings */
	bool for_all;  /* roles is NULL in the table */
	bool is_plain; /* the base URL is without TLS */

	/* Why it cannot be used, and what to do, or NULL: then the keys are there. */
	const char *unusable;
	const char *remedy;
	JibitCredentials credentials;
} KeptCredentials;

static KeptCredentials kept[KEPT_MAX];

/* Counts invalidations of any relation, to notice one during a read. */
static uint64 invalidations;

static void
forget(KeptCredentials *entry)
{
	MemoryContext context = entry->context;

	if (context == NULL)
		return;
	if (entry->unusable == NULL)
	{
		explicit_bzero(unconstify(char *, entry->credentials.api_key),
					   strlen(entry->credentials.api_key));
		explicit_bzero(unconstify(char *, entry->credentials.secret_key),
					   strlen(entry->credentials.secret_key));
	}
	memset(entry, 0, sizeof(*entry));
	MemoryContextDelete(context);
}

/*
 * Only marks, since it may run in the middle of whatever takes a lock.  relid
 * 0 stands for every relation.
 */
static void
on_invalidation(Datum arg, Oid relid)
{
	invalidations++;
	for (int i = 0; i < KEPT_MAX; i++)
	{
		if (relid == InvalidOid || relid == kept[i].credentials.table)
			kept[i].stale = true;
	}
}

/* By hand: the usual look-ups want USAGE on the schema of the caller. */
static Oid
look_up_table(const char *name)
{
	List *parts = textToQualifiedNameList(cstring_to_text(name));
	Oid schema = get_namespace_oid(strVal(linitial(parts)), true);

	return OidIsValid(schema)
			   ? get_relname_relid(strVal(lsecond(parts)), schema)
			   : InvalidOid;
}

/* What jibit.credentials_table names, quoted for a query. */
static char *
table_name(void)
{
	if (jibit_credentials_table[0] != '\0')
		return pstrdup(jibit_credentials_table);
	return quote_qualified_identifier(jibit_extension_schema(),
									  "jibit_credentials");
}

Oid
jibit_credentials_relation(void)
{
	return look_up_table(table_name());
}

/*
 * The credentials table's name, quoted for a query, and its owner.  Takes a
 * lock, so that both stay true until the end of the transaction.
 */
static char *
find_table(Oid *owner, Oid *table)
{
	char *name = table_name();
	Oid relid = look_up_table(name);
	Relation relation = NULL;
	char kind;

	if (OidIsValid(relid))
		relation = try_relation_open(relid, AccessShareLock);
	if (relation == NULL)
		ereport(
			ERROR,
			(errcode(jibit_error_sqlstate(JIBIT_CONFIGURATION)),
			 errmsg("credentials table %s does not exist", name),
			 errhint(
				 "Correct jibit.credentials_table, or reset it to use the extension's own table.")));
	kind = relation->rd_rel->relkind;
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
		kind != RELKIND_VIEW && kind != RELKIND_MATVIEW &&
		kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(jibit_error_sqlstate(JIBIT_CONFIGURATION)),
				 errmsg("credentials table %s is no table or view", name)));
	*owner = relation->rd_rel->relowner;
	*table = RelationGetRelid(relation);
	name = quote_qualified_identifier(
		get_namespace_name(RelationGetNamespace(relation)),
		RelationGetRelationName(relation));
	relation_close(relation, NoLock);
	return name;
}

/* A text value of the row in UTF-8, or NULL. */
static char *
row_text(int column)
{
	char *value;

	value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
	return value ? jibit_server_to_utf8(value, strlen(value)) : NULL;
}

static void
raise_unusable(const char *profile, const char *why, const char *hint)
{
	ereport(ERROR,
			(errcode(jibit_error_sqlstate(JIBIT_CONFIGURATION)),
			 errmsg("credentials of profile \"%s\" cannot be used", profile),
			 errdetail("%s", why), errhint("%s", hint)));
}

/* The names in a name[]. */
static List *
role_names(Datum array)
{
	List *result = NIL;
	Datum *values;
	bool *nulls;
	int count;

	deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false,
					  TYPALIGN_CHAR, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			result = lappend(result,
							 pstrdup(NameStr(*DatumGetName(values[i]))));
	}
	return result;
}

/*
 * Takes the keys and the URL of the row that was read, in the entry's context;
 * or says why they cannot be used.
 */
static void
take_keys(KeptCredentials *entry)
{
	JibitCredentials *credentials = &entry->credentials;
	char *api_key = row_text(1);
	char *secret_key = row_text(2);
	char *base_url = row_text(3);
	const char *why;
	size_t length;
	StringInfoData identity;

	if (api_key == NULL || *api_key == '\0' || secret_key == NULL ||
		*secret_key == '\0')
	{
		entry->unusable = "Its API key or its secret key is empty.";
		entry->remedy = "Store both keys of the account.";
		return;
	}
	if (base_url == NULL)
		base_url = DEFAULT_BASE_URL;
	why = jibit_http_check_url(base_url, &entry->is_plain);
	if (why != NULL)
	{
		entry->unusable = psprintf("Its base URL makes no sense. %s", why);
		entry->remedy = "Give one such as " DEFAULT_BASE_URL ".";
		return;
	}

	/* The form that paths follow. */
	length = strlen(base_url);
	while (length > 0 && base_url[length - 1] == '/')
		length--;
	credentials->api_key = api_key;
	credentials->secret_key = secret_key;
	credentials->base_url = pnstrdup(base_url, length);

	/* With the terminators, so that no two lists of parts look the same. */
	initStringInfo(&identity);
	appendBinaryStringInfo(&identity, (char *) &MyDatabaseId, sizeof(Oid));
	appendBinaryStringInfo(&identity, credentials->base_url,
						   (int) strlen(credentials->base_url) + 1);
	appendBinaryStringInfo(&identity, credentials->api_key,
						   (int) strlen(credentials->api_key) + 1);
	appendBinaryStringInfo(&identity, credentials->secret_key,
						   (int) strlen(credentials->secret_key) + 1);
	jibit_digest(credentials->digest, identity.data, identity.len);
	explicit_bzero(identity.data, identity.len);
	pfree(identity.data);
}

/*
 * Reads one profile into *entry.  Everything is allocated in its context.
 * Raises JB011 where there is none.  One that cannot be used is read all the
 * same: its roles say for whom that is of interest.
 */
static void
read_profile(KeptCredentials *entry, const char *profile)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid text_type = TEXTOID;
	Datum argument = CStringGetTextDatum(profile);
	JibitCredentials *credentials = &entry->credentials;
	JibitOwnerRights rights;
	Oid owner;
	char *table;
	char *query;
	Datum roles;
	bool roles_null;

	table = find_table(&owner, &credentials->table);
	query = psprintf(
		"SELECT api_key::text, secret_key::text, base_url::text, roles::name[] FROM %s WHERE profile::text = $1",
		table);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	jibit_become_owner(&rights, owner);

	/*
	 * What is committed by now, also in a transaction that keeps an older
	 * snapshot.  While a parallel plan runs no new one can be taken.
	 */
	PushActiveSnapshot(IsInParallelMode() ? GetActiveSnapshot()
										  : GetLatestSnapshot());
	if (SPI_execute_with_args(query, 1, &text_type, &argument, NULL, true,
							  2) != SPI_OK_SELECT)
		elog(ERROR, "could not read %s", table);
	PopActiveSnapshot();
	jibit_stop_being_owner(&rights);

	if (SPI_processed == 0)
		ereport(
			ERROR,
			(errcode(jibit_error_sqlstate(JIBIT_CONFIGURATION)),
			 errmsg("there are no credentials for profile \"%s\"", profile),
			 errhint(
				 "Store them in %s, for instance with jibit_set_credentials().",
				 table)));

	MemoryContextSwitchTo(entry->context);
	credentials->profile = pstrdup(profile);
	entry->setting = pstrdup(jibit_credentials_table);
	entry->read_at = jibit_now_us();
	if (SPI_processed > 1)
	{
		entry->for_all = true;
		entry->unusable = "There is more than one row for it.";
		entry->remedy = "Keep one row for each profile.";
	}
	else
	{
		roles = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4,
							  &roles_null);
		entry->for_all = roles_null;
		if (!roles_null)
			entry->roles = role_names(roles);
		take_keys(entry);
	}
	MemoryContextSwitchTo(caller);
	SPI_finish();
}

/*
 * The kept entry of a profile, read now if need be.  Raises JB011 where there
 * is no such profile.
 */
static KeptCredentials *
get_entry(const char *profile)
{
	static bool registered = false;
	KeptCredentials fresh = {NULL};
	KeptCredentials *oldest = &kept[0];
	int64 now = jibit_now_us();
	uint64 invalidations_before;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
		registered = true;
	}

	/* A statement may run for long: look for changes at every call. */
	AcceptInvalidationMessages();

	for (int i = 0; i < KEPT_MAX; i++)
	{
		KeptCredentials *entry = &kept[i];

		if (entry->stale || now - entry->read_at >= KEPT_US)
			forget(entry);
		if (entry->context != NULL &&
			strcmp(entry->credentials.profile, profile) == 0 &&
			strcmp(entry->setting, jibit_credentials_table) == 0)
			return entry;
		if (entry->read_at < oldest->read_at)
			oldest = entry;
	}

	/* In a child of the caller's until it is complete: an error frees it. */
	fresh.context = AllocSetContextCreate(
		CurrentMemoryContext, "jibit credentials", ALLOCSET_SMALL_SIZES);
	invalidations_before = invalidations;
	read_profile(&fresh, profile);

	/* What cannot be used is most likely being mended. */
	fresh.stale = invalidations != invalidations_before ||
				  fresh.unusable != NULL;

	forget(oldest);
	*oldest = fresh;
	MemoryContextSetParent(fresh.context, TopMemoryContext);
	return oldest;
}

static void
check_role(const KeptCredentials *entry)
{
	ListCell *cell;
	Oid user = GetUserId();

	if (entry->for_all)
		return;
	foreach (cell, entry->roles)
	{
		Oid role = get_role_oid(lfirst(cell), true);

		if (OidIsValid(role) && has_privs_of_role(user, role))
			return;
	}
	ereport(
		ERROR,
		(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
		 errmsg("permission denied for profile \"%s\"",
				entry->credentials.profile),
		 err_generic_string(PG_DIAG_CONSTRAINT_NAME,
							JIBIT_NO_RIGHT_TO_PROFILE),
		 errhint(
			 "The profile's column \"roles\" in the credentials table lists who may use it.")));
}

void
jibit_credentials_check_role(const char *profile)
{
	check_role(get_entry(profile));
}

JibitCredentials *
jibit_credentials_get(const char *profile)
{
	KeptCredentials *entry = get_entry(profile);
	JibitCredentials *copy;

	check_role(entry);
	if (entry->unusable != NULL)
		raise_unusable(profile, entry->unusable, entry->remedy);
	if (entry->is_plain && !jibit_allow_http)
		raise_unusable(
			profile, "Its base URL is plain HTTP.",
			"Use https. For a sandbox, a superuser can set jibit.allow_http.");

	/* A copy, since the entry goes when it is read again. */
	copy = palloc(sizeof(*copy));
	*copy = entry->credentials;
	copy->profile = pstrdup(copy->profile);
	copy->api_key = pstrdup(copy->api_key);
	copy->secret_key = pstrdup(copy->secret_key);
	copy->base_url = pstrdup(copy->base_url);
	return copy;
}

/*
 * Raises what the writing of a row has raised, without the DETAIL: that of a
 * violated constraint shows the row, and so the keys.
 */
static void
rethrow_without_detail(MemoryContext context)
{
	ErrorData *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	error->detail = NULL;
	error->detail_log = NULL;
	ReThrowError(error);
}

/* Writes the row, with the owner's rights and inside SPI. */
static void
write_profile(const char *table, Datum *values, bool has_url)
{
	Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	char nulls[4] = {' ', ' ', ' ', has_url ? ' ' : 'n'};
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		/* Two first writers of a profile wait for each other. */
		if (SPI_execute(
				psprintf("LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", table),
				false, 0) != SPI_OK_UTILITY ||
			SPI_execute_with_args(
				psprintf(
					"UPDATE %s SET api_key = $2, secret_key = $3, base_url = coalesce($4, base_url) WHERE profile::text = $1",
					table),
				4, types, values, nulls, false, 0) < 0)
			elog(ERROR, "could not write %s", table);
		if (SPI_processed == 0 &&
			SPI_execute_with_args(
				psprintf(
					"INSERT INTO %s (profile, api_key, secret_key%s) VALUES ($1, $2, $3%s)",
					table, has_url ? ", base_url" : "", has_url ? ", $4" : ""),
				has_url ? 4 : 3, types, values, nulls, false, 0) < 0)
			elog(ERROR, "could not write %s", table);
	}
	PG_CATCH();
	{
		rethrow_without_detail(caller);
	}
	PG_END_TRY();
}

void
jibit_credentials_set(const char *profile, const char *api_key,
					  const char *secret_key, const char *base_url)
{
	Datum values[4];
	JibitOwnerRights rights;
	Oid owner;
	Oid relid;
	char *table;

	values[0] = CStringGetTextDatum(profile);
	values[1] = CStringGetTextDatum(api_key);
	values[2] = CStringGetTextDatum(secret_key);
	values[3] = base_url ? CStringGetTextDatum(base_url) : (Datum) 0;

	table = find_table(&owner, &relid);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	jibit_become_owner(&rights, owner);

	write_profile(table, values, base_url != NULL);
	jibit_stop_being_owner(&rights);
	SPI_finish();
	jibit_credentials_changed(relid);
}

void
jibit_credentials_changed(Oid table)
{
	CacheInvalidateRelcacheByRelid(table);

	/* What waits for other keys need not wait longer. */
	if (jibit_preloaded)
		jibit_workers_wake_at_commit(false);
}
