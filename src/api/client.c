/*-------------------------------------------------------------------------
 *
 * client.c
 *	  The one way in which inquiries are made.
 *
 * A run takes any number of calls.  Each goes through the same steps: its
 * arguments are normalised and checked; it gets a token; a request is sent;
 * its outcome is decoded, or tried again when that is worth it.  An
 * authorisation error gets one new token and one more try.  One call waiting
 * for its next try does not hold up another.
 *
 * What a run allocates is in a memory context of its own, which goes at the
 * end, also after an error; so does the group of requests.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/arguments.h"
#include "api/client.h"
#include "api/credentials.h"
#include "api/decode.h"
#include "api/retry.h"
#include "api/token.h"
#include "clock.h"
#include "config.h"
#include "net/http.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

typedef enum TaskState
{
	TASK_READY, /* to be sent at due_us */
	TASK_SENT,
	TASK_ENDED
} TaskState;

/* A call under way. */
typedef struct Task
{
	JibitCall *call;
	TaskState state;
	int64 started_us;
	int64 deadline_us;
	int64 due_us;
	bool token_renewed; /* the one new token has been spent */
	const JibitToken *token;
	JibitHttpRequest request;
} Task;

typedef struct Run
{
	const char *profile;
	JibitCredentials *credentials;
	const JibitToken *token; /* the latest */
	JibitHttpGroup *group;
	Task *tasks;
	int ntasks;
	int unfinished;
	MemoryContext answers; /* where answers go */
} Run;

static JibitLastCall last_call;

const JibitLastCall *
jibit_client_last_call(void)
{
	return last_call.inquiry ? &last_call : NULL;
}

static void
note_last_call(const JibitCall *call, const char *profile)
{
	memset(&last_call, 0, sizeof(last_call));
	last_call.inquiry = call->inquiry->id;
	strlcpy(last_call.profile, profile, sizeof(last_call.profile));
	strlcpy(last_call.track_id, call->track_id, sizeof(last_call.track_id));
	last_call.http_status = call->http_status;
	last_call.attempts = call->attempts;
	last_call.cached = call->cached;
	last_call.duration_us = call->duration_us;
	last_call.failed = call->answer == NULL;
	if (last_call.failed)
		last_call.error = call->error;
}

static void
make_track_id(char *track_id)
{
	Datum uuid;

	if (jibit_track_id[0] != '\0')
	{
		strlcpy(track_id, jibit_track_id, JIBIT_TRACK_ID_MAX + 1);
		return;
	}
	/* The function takes no argument; it is given one to be callable. */
	uuid = DirectFunctionCall1(gen_random_uuid, (Datum) 0);
	strlcpy(track_id, DatumGetCString(DirectFunctionCall1(uuid_out, uuid)),
			JIBIT_TRACK_ID_MAX + 1);
}

static void
end_task(Run *run, Task *task)
{
	task->state = TASK_ENDED;
	task->call->duration_us = jibit_now_us() - task->started_us;
	run->unfinished--;
	note_last_call(task->call, run->profile);
}

/* Checks the arguments and makes the URL.  A call that is wrong ends here. */
static void
prepare_task(Run *run, Task *task)
{
	JibitCall *call = task->call;
	char *canonical[JIBIT_MAX_PARAMS];
	StringInfoData url;

	task->started_us = jibit_now_us();
	task->deadline_us = task->started_us + jibit_timeout_ms * INT64CONST(1000);
	task->due_us = task->started_us;

	if (!jibit_arguments_normalize(call->inquiry, call->arguments,
								   jibit_validate, canonical, &call->error))
	{
		end_task(run, task);
		return;
	}

	if (run->credentials == NULL)
		run->credentials = jibit_credentials_get(run->profile);
	initStringInfo(&url);
	appendStringInfoString(&url, run->credentials->base_url);
	if (call->target != NULL)
		appendStringInfoString(&url, call->target);
	else
		jibit_arguments_append_target(&url, call->inquiry, canonical);
	make_track_id(call->track_id);
	task->request.url = url.data;
	task->request.track_id = call->track_id;
	task->request.connect_timeout_ms = jibit_connect_timeout_ms;
	task->request.owner = task;
}

/* Gets a token for a task; false with the call's error filled. */
static bool
get_token(Run *run, Task *task)
{
	JibitToken fresh;

	if (!jibit_token_get(run->credentials, task->call->track_id,
						 task->deadline_us, &fresh, &task->call->error))
		return false;

	/* Calls of a run share one copy, and keep the one they were sent with. */
	if (run->token == NULL || run->token->generation != fresh.generation ||
		fresh.generation == 0)
	{
		JibitToken *copy = palloc(sizeof(JibitToken));

		*copy = fresh;
		run->token = copy;
	}
	task->token = run->token;
	return true;
}

/* Sends the request.  A call that gets no token ends here. */
static void
send_task(Run *run, Task *task)
{
	JibitCall *call = task->call;

	if (!get_token(run, task))
	{
		end_task(run, task);
		return;
	}
	task->request.bearer = task->token->text;
	task->request.timeout_ms = Max((int) jibit_ms_until(task->deadline_us), 1);
	jibit_http_start(run->group, &task->request);
	task->state = TASK_SENT;
	call->attempts++;
}

/* A match on which the service cannot decide is an answer: NULL. */
static JibitAnswer *
make_unknown_match(void)
{
	StringInfoData writer;

	jibit_answer_begin(&writer);
	jibit_answer_put_null(&writer);
	return jibit_answer_finish(&writer, 1);
}

/* A request has ended: the call has too, or it is tried again. */
static void
take_outcome(Run *run, Task *task)
{
	JibitCall *call = task->call;
	JibitHttpRequest *request = &task->request;
	const char *secrets[] = {task->token->text, run->credentials->api_key,
							 run->credentials->secret_key, NULL};
	MemoryContext caller;
	long pause;

	call->http_status = request->status;
	caller = MemoryContextSwitchTo(run->answers);
	call->answer = jibit_decode_inquiry(call->inquiry, request, secrets,
										&call->error);
	if (call->answer == NULL && jibit_inquiry_is_match(call->inquiry) &&
		strcmp(call->error.code, JIBIT_CODE_MATCHING_UNKNOWN) == 0)
		call->answer = make_unknown_match();
	MemoryContextSwitchTo(caller);
	if (request->body != NULL)
		pfree(request->body);
	request->body = NULL;

	if (call->answer != NULL)
	{
		end_task(run, task);
		return;
	}

	if (call->error.class == JIBIT_NOT_AUTHORISED && !task->token_renewed)
	{
		/* In practice an expired token, or one revoked. */
		jibit_token_invalidate(run->credentials, task->token->generation);
		task->token_renewed = true;
		task->state = TASK_READY;
		task->due_us = jibit_now_us();
		return;
	}

	pause = jibit_retry_pause(&call->error, request, call->attempts,
							  jibit_ms_until(task->deadline_us));
	if (pause < 0)
	{
		end_task(run, task);
		return;
	}
	task->state = TASK_READY;
	task->due_us = jibit_now_us() + pause * INT64CONST(1000);
}

/* Sends what is due.  Returns how long there is nothing to be sent, in ms. */
static long
send_due(Run *run)
{
	long wait_ms = jibit_timeout_ms;

	for (int i = 0; i < run->ntasks; i++)
	{
		Task *task = &run->tasks[i];

		if (task->state == TASK_READY && task->due_us <= jibit_now_us())
			send_task(run, task);
		else if (task->state == TASK_READY)
			wait_ms = Min(wait_ms, jibit_ms_until(task->due_us));
	}
	return wait_ms;
}

static void
drive(Run *run)
{
	while (run->unfinished > 0)
	{
		long wait_ms = send_due(run);
		JibitHttpRequest *request;

		if (run->unfinished == 0)
			break;
		request = jibit_http_wait(run->group, wait_ms);
		if (request != NULL)
			take_outcome(run, request->owner);
	}
}

void
jibit_client_run(JibitCall *calls, int ncalls, const char *profile)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	Run *run;

	context = AllocSetContextCreate(caller, "jibit run",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	run = palloc0(sizeof(Run));
	run->profile = profile;
	run->answers = caller;
	run->tasks = palloc0(ncalls * sizeof(Task));
	run->ntasks = ncalls;
	run->unfinished = ncalls;

	PG_TRY();
	{
		for (int i = 0; i < ncalls; i++)
		{
			run->tasks[i].call = &calls[i];
			prepare_task(run, &run->tasks[i]);
		}
		if (run->unfinished > 0)
		{
			run->group = jibit_http_begin_group(context);
			drive(run);
		}
	}
	PG_FINALLY();
	{
		jibit_http_end_group(run->group);
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
	}
	PG_END_TRY();
}
