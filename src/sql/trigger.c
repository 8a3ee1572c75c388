/*
 * Triggers that keep bad data out: jibit_check_iban(), jibit_check_card(),
 * jibit_check_shahkar().
 *
 * A row is checked offline first, which costs nothing, and then by inquiries
 * under the server's settings, which a session cannot weaken, and by the right
 * of the table's owner: whoever writes a row needs none.  What refuses a row is
 * an error that names schema, table and column in its fields: with the SQLSTATE
 * of the inquiry's failure, or 23514 for a verdict.
 *
 * What a trigger's arguments say is parsed once in a session and kept until
 * its relation changes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "account/rights.h"
#include "base/encoding.h"
#include "base/extension.h"
#include "call/run.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "offline/mask.h"
#include "protocol/arguments.h"
#include "sql/firing.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* The states of an account that the API's document names. */
static const char *const known_statuses[] = {"ACTIVE", "BLOCK_WITH_DEPOSIT",
											 "BLOCK_WITHOUT_DEPOSIT", "IDLE",
											 "UNKNOWN"};

/* Columns that a trigger looks at; not all of them in each. */
typedef enum Role
{
	ROLE_SUBJECT, /* the IBAN, the card, or the national code of Shahkar */
	ROLE_MOBILE,
	ROLE_OWNER,
	ROLE_NATIONAL_CODE,
	ROLE_BIRTH_DATE,
	ROLE_COUNT
} Role;

/* An inquiry that is made about a row. */
typedef struct Question
{
	JibitInquiryId inquiry;
	Role columns[3]; /* of its arguments */
	Role blamed;	 /* the column that its failure names */

	/* Of a match: why the row is refused where it is false. */
	const char *mismatch;
} Question;

/* Its own inquiry, the owner's name, the person. */
#define QUESTIONS_MAX 3

/* What kind of trigger it is. */
typedef struct TriggerKind
{
	const char *function;
	int ncolumns; /* positional arguments: columns */
	bool has_status;
	int nquestions; /* its own comes first, others as options ask for them */
	Question questions[QUESTIONS_MAX];
} TriggerKind;

static const TriggerKind check_iban = {
	"jibit_check_iban",
	1,
	true,
	3,
	{{JIBIT_INQUIRY_iban, {ROLE_SUBJECT}, ROLE_SUBJECT, NULL},
	 {JIBIT_INQUIRY_match_iban_name,
	  {ROLE_SUBJECT, ROLE_OWNER},
	  ROLE_OWNER,
	  "the owner has another name"},
	 {JIBIT_INQUIRY_match_iban,
	  {ROLE_SUBJECT, ROLE_NATIONAL_CODE, ROLE_BIRTH_DATE},
	  ROLE_NATIONAL_CODE,
	  "it does not belong to the person"}}};
static const TriggerKind check_card = {
	"jibit_check_card",
	1,
	false,
	3,
	{{JIBIT_INQUIRY_card, {ROLE_SUBJECT}, ROLE_SUBJECT, NULL},
	 {JIBIT_INQUIRY_match_card_name,
	  {ROLE_SUBJECT, ROLE_OWNER},
	  ROLE_OWNER,
	  "the owner has another name"},
	 {JIBIT_INQUIRY_match_card,
	  {ROLE_SUBJECT, ROLE_NATIONAL_CODE, ROLE_BIRTH_DATE},
	  ROLE_NATIONAL_CODE,
	  "it does not belong to the person"}}};
static const TriggerKind check_shahkar = {
	"jibit_check_shahkar",
	2,
	false,
	1,
	{{JIBIT_INQUIRY_match_shahkar,
	  {ROLE_SUBJECT, ROLE_MOBILE},
	  ROLE_MOBILE,
	  "the mobile does not belong to the person"}}};

/* A trigger's arguments, parsed.  In its own memory context. */
typedef struct Options
{
	Oid trigger; /* hash key */
	Oid relation;
	MemoryContext context;			/* NULL while the entry is not valid */
	AttrNumber columns[ROLE_COUNT]; /* 0: none */
	uint32 statuses;				/* accepted, bits by known_statuses */
	bool online;
	bool accept_unavailable;
	bool normalize;
	char *profile; /* NULL: the server's */
} Options;

static HTAB *options_table;

/*
 * Options.
 */

/* relid 0 stands for every relation. */
static void
on_invalidation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	Options *options;

	hash_seq_init(&scan, options_table);
	while ((options = hash_seq_search(&scan)) != NULL)
	{
		if (relid == InvalidOid || relid == options->relation)
			options->relation = InvalidOid; /* parsed anew at next use */
	}
}

static void
refuse_option(const TriggerKind *kind, int sqlstate, const char *message)
{
	ereport(ERROR, (errcode(sqlstate), errmsg("trigger function %s(): %s",
											  kind->function, message)));
}

static bool
is_text_type(Oid type)
{
	char category;
	bool preferred;

	get_type_category_preferred(getBaseType(type), &category, &preferred);
	return category == TYPCATEGORY_STRING;
}

static AttrNumber
find_column(const TriggerKind *kind, Relation relation, const char *name,
			bool may_be_date)
{
	TupleDesc desc = RelationGetDescr(relation);
	int number = SPI_fnumber(desc, name);
	Oid type;

	if (number <= 0)
		refuse_option(kind, ERRCODE_UNDEFINED_COLUMN,
					  psprintf("column \"%s\" of table \"%s\" does not exist",
							   name, RelationGetRelationName(relation)));
	type = TupleDescAttr(desc, number - 1)->atttypid;
	if (!is_text_type(type) && !(may_be_date && getBaseType(type) == DATEOID))
		refuse_option(kind, ERRCODE_DATATYPE_MISMATCH,
					  psprintf("column \"%s\" must be text%s", name,
							   may_be_date ? " or a date" : ""));
	if (TupleDescAttr(desc, number - 1)->attgenerated)
		refuse_option(
			kind, ERRCODE_INVALID_COLUMN_REFERENCE,
			psprintf(
				"column \"%s\" is generated, and so not known before the row is stored",
				name));
	return (AttrNumber) number;
}

/* One of two words. */
static bool
parse_choice(const TriggerKind *kind, const char *option, const char *value,
			 const char *yes, const char *no)
{
	if (strcmp(value, yes) == 0)
		return true;
	if (strcmp(value, no) != 0)
		refuse_option(
			kind, ERRCODE_INVALID_PARAMETER_VALUE,
			psprintf("option \"%s\" is \"%s\" or \"%s\"", option, yes, no));
	return false;
}

static uint32
parse_statuses(const TriggerKind *kind, char *value)
{
	uint32 statuses = 0;
	char *rest = value;
	char *word;

	while ((word = strsep(&rest, ",")) != NULL)
	{
		int i = 0;

		word += strspn(word, " ");
		word[strcspn(word, " ")] = '\0';
		while (i < lengthof(known_statuses) &&
			   strcmp(word, known_statuses[i]) != 0)
			i++;
		if (i == lengthof(known_statuses))
			refuse_option(kind, ERRCODE_INVALID_PARAMETER_VALUE,
						  psprintf("the API knows no status \"%s\"", word));
		statuses |= 1U << i;
	}
	return statuses;
}

static void
parse_option(Options *options, const TriggerKind *kind, Relation relation,
			 char *argument)
{
	char *value = strchr(argument, '=');

	if (value != NULL)
		*value++ = '\0';
	if (value == NULL)
		refuse_option(
			kind, ERRCODE_INVALID_PARAMETER_VALUE,
			psprintf("\"%s\" is no option of the form name=value", argument));
	else if (strcmp(argument, "online") == 0)
		options->online = parse_choice(kind, argument, value, "on", "off");
	else if (strcmp(argument, "normalize") == 0)
		options->normalize = parse_choice(kind, argument, value, "on", "off");
	else if (strcmp(argument, "unavailable") == 0)
		options->accept_unavailable = parse_choice(kind, argument, value,
												   "accept", "reject");
	else if (strcmp(argument, "profile") == 0)
	{
		if (value[0] == '\0' || strlen(value) > JIBIT_PROFILE_MAX)
			refuse_option(kind, ERRCODE_INVALID_PARAMETER_VALUE,
						  psprintf("a profile's name has 1 to %d bytes",
								   JIBIT_PROFILE_MAX));
		options->profile = pstrdup(value);
	}
	else if (strcmp(argument, "status") == 0 && kind->has_status)
		options->statuses = parse_statuses(kind, value);
	else if (strcmp(argument, "owner") == 0 && kind->nquestions > 1)
		options->columns[ROLE_OWNER] = find_column(kind, relation, value,
												   false);
	else if (strcmp(argument, "national_code") == 0 && kind->nquestions > 1)
		options->columns[ROLE_NATIONAL_CODE] = find_column(kind, relation,
														   value, false);
	else if (strcmp(argument, "birth_date") == 0 && kind->nquestions > 1)
		options->columns[ROLE_BIRTH_DATE] = find_column(kind, relation, value,
														true);
	else
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("trigger function %s(): unknown option \"%s\"",
					kind->function, argument),
			 errhint(
				 "Its options are online, normalize, unavailable, profile%s%s.",
				 kind->has_status ? ", status" : "",
				 kind->nquestions > 1 ? ", owner, national_code, birth_date"
									  : "")));
}

static void
parse_options(Options *options, const TriggerKind *kind, Relation relation,
			  const Trigger *trigger)
{
	if (trigger->tgnargs < kind->ncolumns)
		refuse_option(kind, ERRCODE_INVALID_PARAMETER_VALUE,
					  psprintf("the first %d argument(s) must name columns",
							   kind->ncolumns));
	for (int i = 0; i < kind->ncolumns; i++)
		options->columns[ROLE_SUBJECT + i] = find_column(
			kind, relation, trigger->tgargs[i], false);

	options->statuses = 1U; /* ACTIVE */
	options->online = true;
	for (int i = kind->ncolumns; i < trigger->tgnargs; i++)
	{
		char *argument = trigger->tgargs[i];

		if (jibit_option_is_repeated(trigger->tgargs, kind->ncolumns, i))
			refuse_option(kind, ERRCODE_INVALID_PARAMETER_VALUE,
						  psprintf("option \"%.*s\" is given twice",
								   (int) strcspn(argument, "="), argument));
		parse_option(options, kind, relation, pstrdup(argument));
	}
	if ((options->columns[ROLE_NATIONAL_CODE] == 0) !=
		(options->columns[ROLE_BIRTH_DATE] == 0))
		refuse_option(
			kind, ERRCODE_INVALID_PARAMETER_VALUE,
			"options \"national_code\" and \"birth_date\" go together");
}

/* Entries that are to be parsed anew, or never again: of dropped triggers. */
static void
drop_stale_options(void)
{
	HASH_SEQ_STATUS scan;
	Options *options;

	hash_seq_init(&scan, options_table);
	while ((options = hash_seq_search(&scan)) != NULL)
	{
		if (OidIsValid(options->relation))
			continue;
		if (options->context != NULL)
			MemoryContextDelete(options->context);
		(void) hash_search(options_table, &options->trigger, HASH_REMOVE,
						   NULL);
	}
}

static Options *
get_options(const TriggerKind *kind, const TriggerData *trigger)
{
	Relation relation = trigger->tg_relation;
	Oid key = trigger->tg_trigger->tgoid;
	Options parsed = {.trigger = key, .relation = RelationGetRelid(relation)};
	Options *options;
	MemoryContext caller;

	if (options_table == NULL)
	{
		HASHCTL control = {.keysize = sizeof(Oid),
						   .entrysize = sizeof(Options)};

		options_table = hash_create("jibit trigger options", 16, &control,
									HASH_ELEM | HASH_BLOBS);
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
	}

	options = hash_search(options_table, &key, HASH_FIND, NULL);
	if (options != NULL && OidIsValid(options->relation))
		return options;

	/* An error on the way frees what was parsed, and leaves no entry. */
	parsed.context = AllocSetContextCreate(
		CurrentMemoryContext, "jibit trigger options", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(parsed.context);
	parse_options(&parsed, kind, relation, trigger->tg_trigger);
	MemoryContextSwitchTo(caller);

	drop_stale_options();
	options = hash_search(options_table, &key, HASH_ENTER, NULL);
	*options = parsed;
	MemoryContextSetParent(options->context, TopMemoryContext);
	return options;
}

/*
 * A check under way.
 */

typedef struct Check
{
	const TriggerKind *kind;
	const Options *options;
	Relation relation;
	HeapTuple row;
	JibitPolicy policy;
} Check;

static const char *
column_name(const Check *check, Role role)
{
	return NameStr(TupleDescAttr(RelationGetDescr(check->relation),
								 check->options->columns[role] - 1)
					   ->attname);
}

/*
 * The column's value in UTF-8, as the inquiries take it; NULL for NULL, or
 * where the trigger does not look at it.
 */
static char *
column_text(const Check *check, Role role)
{
	AttrNumber column = check->options->columns[role];
	char *text;

	if (column == 0)
		return NULL;
	text = jibit_column_text(RelationGetDescr(check->relation), column,
							 check->row);
	return text ? jibit_server_to_utf8(text, strlen(text)) : NULL;
}

static bool
is_changed(const Check *check, HeapTuple old)
{
	TupleDesc desc = RelationGetDescr(check->relation);

	for (int role = 0; role < ROLE_COUNT; role++)
	{
		AttrNumber column = check->options->columns[role];

		if (column != 0 &&
			!jibit_column_is_same(desc, column, old, check->row))
			return true;
	}
	return false;
}

/* The row is refused for what an inquiry, or the check before it, says. */
static void
refuse_for_error(const Check *check, Role role, const JibitInquiry *inquiry,
				 const JibitError *error)
{
	JibitErrorPlace place = {
		get_namespace_name(RelationGetNamespace(check->relation)),
		RelationGetRelationName(check->relation), column_name(check, role)};

	jibit_error_report_at(ERROR, inquiry->id, error, &place);
}

/* The row is refused for a verdict. */
static void
refuse_for_verdict(const Check *check, Role role, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("row for table \"%s\" is refused: %s",
					RelationGetRelationName(check->relation), reason),
			 errtablecol(check->relation, check->options->columns[role])));
}

typedef struct Place
{
	const Check *check;
	Role role;
} Place;

/*
 * The place of errors that an inquiry raises by itself: without keys, or the
 * right to them, the row is refused as well.
 */
static void
add_place(void *arg)
{
	const Place *place = arg;

	if (geterrcode() == jibit_error_sqlstate(JIBIT_CONFIGURATION) ||
		geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE)
		errtablecol(place->check->relation,
					place->check->options->columns[place->role]);
}

/* Who may have a trigger may not thereby have every inquiry. */
static void
require_right(const Check *check, const Question *question)
{
	Place place = {check, question->blamed};
	ErrorContextCallback context = {error_context_stack, add_place, &place};

	error_context_stack = &context;
	jibit_require_right(&jibit_inquiries[question->inquiry],
						jibit_extension_namespace(),
						check->relation->rd_rel->relowner);
	error_context_stack = context.previous;
}

/*
 * Makes an inquiry about the row.  False where the service is unavailable and
 * the trigger accepts that.
 */
static bool
inquire(Check *check, const Question *question, JibitCall *call)
{
	Place place = {check, question->blamed};
	ErrorContextCallback context = {error_context_stack, add_place, &place};

	call->policy = &check->policy;
	error_context_stack = &context;
	jibit_run_one(call);
	error_context_stack = context.previous;
	if (call->answer != NULL)
		return true;
	if (!check->options->accept_unavailable ||
		!jibit_error_has(&call->error, JIBIT_UNAVAILABLE))
		refuse_for_error(check, question->blamed, call->inquiry, &call->error);
	jibit_error_report(WARNING, call->inquiry->id, &call->error);
	return false;
}

/* The bytes of a column of the answer, or NULL. */
static const char *
answer_column(const JibitCall *call, const char *name, int *length)
{
	JibitAnswerReader reader;
	const char *bytes;

	jibit_answer_read(&reader, call->answer);
	for (int i = 0; i < call->inquiry->ncolumns; i++)
	{
		*length = jibit_answer_get(&reader, &bytes);
		if (strcmp(call->inquiry->columns[i].name, name) == 0)
			return *length >= 0 ? bytes : NULL;
	}
	elog(ERROR, "inquiry \"%s\" has no column \"%s\"", call->inquiry->id,
		 name);
}

/* NULL where one of the columns is, or the trigger does not look at it. */
static JibitCall *
new_call(const Check *check, const Question *question)
{
	JibitCall *call = palloc0(sizeof(JibitCall));

	call->inquiry = &jibit_inquiries[question->inquiry];
	for (int i = 0; i < call->inquiry->nparams; i++)
	{
		call->arguments[i] = column_text(check, question->columns[i]);
		if (call->arguments[i] == NULL)
			return NULL;
	}
	return call;
}

/* A match must be true; where the service has no verdict, neither has this. */
static void
check_match(const Check *check, const Question *question,
			const JibitCall *call)
{
	int length;
	const char *matched = answer_column(call, "matched", &length);

	if (matched == NULL)
		refuse_for_error(check, question->blamed, call->inquiry, &call->error);
	else if (!*(const bool *) matched)
		refuse_for_verdict(check, question->blamed, question->mismatch);
}

static void
check_status(const Check *check, const JibitCall *call)
{
	int length;
	const char *status = answer_column(call, "status", &length);
	char *shown = status ? pnstrdup(status, length) : pstrdup("missing");

	for (int i = 0; i < lengthof(known_statuses); i++)
	{
		if ((check->options->statuses & (1U << i)) &&
			strcmp(shown, known_statuses[i]) == 0)
			return;
	}
	jibit_mask_text(shown, NULL);
	shown = jibit_utf8_to_server_or_null(shown, strlen(shown));
	refuse_for_verdict(
		check, ROLE_SUBJECT,
		psprintf("the account's status is %s", shown ? shown : "not known"));
}

/* Offline: is every argument valid?  Fills canonical[], for normalize=on. */
static void
check_offline(const Check *check, const Question *question,
			  const JibitCall *call, char **canonical)
{
	JibitError error;

	if (jibit_arguments_normalize(call->inquiry, call->arguments, true,
								  canonical, &error))
		return;

	/* Of several columns, say which. */
	for (int i = 0; i < call->inquiry->nparams; i++)
	{
		if (!jibit_argument_is_valid(call->inquiry, i, call->arguments[i]))
			refuse_for_error(check, question->columns[i], call->inquiry,
							 &error);
	}
	refuse_for_error(check, question->blamed, call->inquiry, &error);
}

static void
check_online(Check *check, const Question *question, JibitCall *call)
{
	if (!inquire(check, question, call))
		return;
	if (question->mismatch != NULL)
		check_match(check, question, call);
	else if (check->kind->has_status)
		check_status(check, call);
}

/* The row with the normalised values; the columns are of a text type. */
static HeapTuple
with_normalized(const Check *check, char *const *canonical)
{
	TupleDesc desc = RelationGetDescr(check->relation);
	int columns[JIBIT_MAX_PARAMS];
	Datum values[JIBIT_MAX_PARAMS];
	bool nulls[JIBIT_MAX_PARAMS];
	int count = 0;

	for (int i = 0; i < check->kind->ncolumns; i++)
	{
		AttrNumber column = check->options->columns[ROLE_SUBJECT + i];
		Form_pg_attribute attribute = TupleDescAttr(desc, column - 1);
		Oid input;
		Oid io_parameter;

		getTypeInputInfo(attribute->atttypid, &input, &io_parameter);
		columns[count] = column;
		values[count] = OidInputFunctionCall(input, canonical[i], io_parameter,
											 attribute->atttypmod);
		nulls[count++] = false;
	}
	return heap_modify_tuple_by_cols(check->row, desc, count, columns, values,
									 nulls);
}

static Datum
run_check(FunctionCallInfo fcinfo, const TriggerKind *kind)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Check check = {.kind = kind};
	Options options;
	JibitCall *calls[QUESTIONS_MAX];
	char *canonical[QUESTIONS_MAX][JIBIT_MAX_PARAMS];
	bool is_update;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(
			ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg(
				 "function %s() must be fired BEFORE INSERT OR UPDATE, FOR EACH ROW",
				 kind->function)));

	is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	check.relation = trigger->tg_relation;

	/* A copy: a nested firing may parse the options anew. */
	options = *get_options(kind, trigger);
	if (options.profile != NULL)
		options.profile = pstrdup(options.profile);
	check.options = &options;
	check.row = is_update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (is_update && !is_changed(&check, trigger->tg_trigtuple))
		return PointerGetDatum(check.row);

	/* What is wrong without a call is found before the first one is paid. */
	for (int i = 0; i < kind->nquestions; i++)
	{
		calls[i] = new_call(&check, &kind->questions[i]);
		if (calls[i] != NULL)
			check_offline(&check, &kind->questions[i], calls[i], canonical[i]);
		else if (i == 0)
			return PointerGetDatum(check.row);
	}
	if (check.options->online)
	{
		jibit_require_preload();
		check.policy = jibit_server_policy(check.options->profile);
		for (int i = 0; i < kind->nquestions; i++)
		{
			if (calls[i] != NULL)
				require_right(&check, &kind->questions[i]);
		}
		for (int i = 0; i < kind->nquestions; i++)
		{
			if (calls[i] != NULL)
				check_online(&check, &kind->questions[i], calls[i]);
		}
	}
	if (check.options->normalize)
		check.row = with_normalized(&check, canonical[0]);
	return PointerGetDatum(check.row);
}

PG_FUNCTION_INFO_V1(jibit_check_iban);
Datum
jibit_check_iban(PG_FUNCTION_ARGS)
{
	return run_check(fcinfo, &check_iban);
}

PG_FUNCTION_INFO_V1(jibit_check_card);
Datum
jibit_check_card(PG_FUNCTION_ARGS)
{
	return run_check(fcinfo, &check_card);
}

PG_FUNCTION_INFO_V1(jibit_check_shahkar);
Datum
jibit_check_shahkar(PG_FUNCTION_ARGS)
{
	return run_check(fcinfo, &check_shahkar);
}
