/*
 * The SQL functions of the inquiries, jibit_card() and so on.
 *
 * Each inquiry has a C function of its own, so that rights can be granted one
 * by one; all of them do the same with another row of the table.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/extension.h"
#include "call/result.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "protocol/arguments.h"
#include "sql/dates.h"
#include "sql/inquiry.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

/* What stays the same from call to call of one expression; in fn_extra. */
typedef struct CallSite
{
	Oid *argument_types;
	JibitRowType *row_type; /* NULL for a set: its tuplestore has one */
} CallSite;

static CallSite *
get_call_site(FunctionCallInfo fcinfo, const JibitInquiry *inquiry)
{
	FmgrInfo *flinfo = fcinfo->flinfo;
	MemoryContext caller;
	CallSite *site;
	TupleDesc desc;
	int nargs;

	if (flinfo->fn_extra != NULL)
		return flinfo->fn_extra;

	caller = MemoryContextSwitchTo(flinfo->fn_mcxt);
	site = palloc0(sizeof(CallSite));
	(void) get_func_signature(flinfo->fn_oid, &site->argument_types, &nargs);
	if (!JIBIT_INQUIRY_IS_SET(inquiry))
	{
		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "function of inquiry \"%s\" returns no composite type",
				 inquiry->id);
		site->row_type = jibit_row_type(inquiry, desc);
	}
	MemoryContextSwitchTo(caller);
	flinfo->fn_extra = site;
	return site;
}

/* Takes over the arguments.  False where a required one is NULL. */
static bool
take_arguments(FunctionCallInfo fcinfo, const CallSite *site, JibitCall *call)
{
	const JibitInquiry *inquiry = call->inquiry;

	for (int i = 0; i < inquiry->nparams; i++)
	{
		if (i >= PG_NARGS())
			call->arguments[i] = jibit_argument_default(&inquiry->params[i]);
		else if (PG_ARGISNULL(i))
		{
			if (inquiry->params[i].required)
				return false;
		}
		else if (site->argument_types[i] == DATEOID)
			call->arguments[i] = jibit_jalali_text(PG_GETARG_DATEADT(i));
		else
		{
			char *argument = text_to_cstring(PG_GETARG_TEXT_PP(i));

			call->arguments[i] = jibit_server_to_utf8(argument,
													  strlen(argument));
		}
	}
	return true;
}

bool
jibit_make_call(JibitCall *call)
{
	JibitPolicy policy = jibit_session_policy();

	call->policy = &policy;
	jibit_run_one(call);
	if (call->answer != NULL)
		return true;
	jibit_error_report(jibit_on_error == JIBIT_ON_ERROR_WARNING &&
							   jibit_error_has(&call->error, JIBIT_VERDICT)
						   ? WARNING
						   : ERROR,
					   call->inquiry->id, &call->error);
	return false;
}

/* All rows of a set into the function's tuplestore. */
static void
return_set(ReturnSetInfo *rsinfo, const JibitCall *call)
{
	JibitRowType *type = jibit_row_type(call->inquiry, rsinfo->setDesc);
	Datum *values = palloc(type->desc->natts * sizeof(Datum));
	bool *nulls = palloc(type->desc->natts * sizeof(bool));
	JibitAnswerReader reader;

	jibit_answer_read(&reader, call->answer);
	for (int i = 0; i < call->answer->nrows; i++)
	{
		jibit_row_values(call->inquiry, type, &reader, call->track_id, values,
						 nulls);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
}

static Datum
run_inquiry(FunctionCallInfo fcinfo, const JibitInquiry *inquiry)
{
	bool is_set = JIBIT_INQUIRY_IS_SET(inquiry);
	CallSite *site;
	JibitCall *call;
	JibitAnswerReader reader;

	jibit_require_preload();
	site = get_call_site(fcinfo, inquiry);
	if (is_set)
		InitMaterializedSRF(fcinfo, 0);

	call = palloc0(sizeof(JibitCall));
	call->inquiry = inquiry;
	if (!take_arguments(fcinfo, site, call) || !jibit_make_call(call))
		PG_RETURN_NULL();
	if (is_set)
	{
		return_set((ReturnSetInfo *) fcinfo->resultinfo, call);
		return (Datum) 0;
	}
	jibit_answer_read(&reader, call->answer);
	return jibit_row_datum(inquiry, site->row_type, &reader, call->track_id);
}

#define DEFINE(id)                                                        \
	PG_FUNCTION_INFO_V1(jibit_##id);                                      \
	Datum jibit_##id(PG_FUNCTION_ARGS)                                    \
	{                                                                     \
		return run_inquiry(fcinfo, &jibit_inquiries[JIBIT_INQUIRY_##id]); \
	}
JIBIT_EACH_INQUIRY(DEFINE)
#undef DEFINE
