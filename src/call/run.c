/*
 * Calls that are under way at the same time: whose turn it is.
 *
 * One loop, drive(), moves the calls of all runs of the process: those that
 * wait, in the order in which they began, each as far as it can go; then it
 * waits for sockets, the latch, or the time at which something is due, and
 * takes up what has come back.  Places and tokens that others have set the
 * latch when they come free.  A token that this process gets is one more
 * request among the others.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "call/last.h"
#include "call/run.h"
#include "call/task.h"
#include "miscadmin.h"
#include "net/http.h"
#include "shared/exit.h"
#include "shared/places.h"
#include "utils/memutils.h"

/* The longest wait of a turn that has nothing to look at before. */
#define TURN_LONGEST_MS 60000

/* A token that is being got for the calls of a run. */
typedef struct Fetch
{
	dlist_node node;
	JibitTokenFetch *token;
	JibitTask *task; /* for which it began; NULL once that has ended */
	JibitHttpRequest *request; /* the one that is sent, or NULL */
	int64 due_us;			   /* of the next */
} Fetch;

struct JibitRun
{
	dlist_node node;
	MemoryContext context;
	MemoryContext credentials_context;
	JibitHttpGroup *group; /* NULL until something is sent */
	int count;			   /* tasks in these four lists */
	dlist_head waiting;	   /* for their turn, by when they began */
	dlist_head sent;
	dlist_head following;
	dlist_head ended;
	dlist_head idle; /* tasks for calls to come */
	dlist_head fetches;
	int64 moved_us; /* when the last one got a place; jibit_drive_now() */
	bool stopped;
	JibitError stop_error;
};

/* A task of a run with its call. */
typedef struct RunTask
{
	JibitTask task;
	JibitCall call;
} RunTask;

/* What a turn has found out. */
typedef struct Turn
{
	int64 now_us; /* jibit_drive_now() */
	int64 due_us; /* when there is something to do again, without an event */
	bool lacks_place;
	bool lacks_token;
	bool has_ended; /* a task */
} Turn;

static dlist_head runs = DLIST_STATIC_INIT(runs);

#define TASK(pointer) dlist_container(JibitTask, node, pointer)

/*
 * The lists of a run.
 */

static void
init_run(JibitRun *run, MemoryContext context, MemoryContext caller)
{
	run->context = context;
	run->credentials_context = caller;
	dlist_init(&run->waiting);
	dlist_init(&run->sent);
	dlist_init(&run->following);
	dlist_init(&run->ended);
	dlist_init(&run->idle);
	dlist_init(&run->fetches);
}

/* Behind those that began before it: nearly always that is at the end. */
static void
let_wait(JibitRun *run, JibitTask *task)
{
	dlist_node *before = &run->waiting.head;
	dlist_iter iter;

	dlist_reverse_foreach(iter, &run->waiting)
	{
		if (TASK(iter.cur)->began_us <= task->began_us)
		{
			before = iter.cur;
			break;
		}
	}
	dlist_insert_after(before, &task->node);
}

/*
 * The tasks that follow one that has ended take what it has got.  Where they
 * cannot have that, the first of them leads the others.
 */
static void
release_followers(JibitRun *run, JibitTask *leader)
{
	JibitTask *next = NULL;
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &run->following)
	{
		JibitTask *task = TASK(iter.cur);

		if (task->leader != leader)
			continue;
		if (next != NULL)
		{
			task->leader = next;
			continue;
		}
		jibit_task_take_from_leader(task);
		dlist_delete(&task->node);
		if (task->state == JIBIT_TASK_ENDED)
			dlist_push_tail(&run->ended, &task->node);
		else
		{
			next = task;
			let_wait(run, task);
		}
	}
}

/* Puts a task, which is in no list, where its state belongs. */
static void
place_task(JibitRun *run, JibitTask *task)
{
	if (task->state == JIBIT_TASK_SENT)
		dlist_push_tail(&run->sent, &task->node);
	else if (task->state == JIBIT_TASK_FOLLOWS)
		dlist_push_tail(&run->following, &task->node);
	else if (task->state != JIBIT_TASK_ENDED)
		let_wait(run, task);
	else
	{
		dlist_iter iter;

		dlist_push_tail(&run->ended, &task->node);
		dlist_foreach (iter, &run->fetches)
		{
			Fetch *fetch = dlist_container(Fetch, node, iter.cur);

			if (fetch->task == task)
				fetch->task = NULL;
		}
		release_followers(run, task);
	}
}

/* One under way that asks the same and whose answer this one may have too. */
static JibitTask *
find_leader(JibitRun *run, const JibitTask *task)
{
	dlist_head *const lists[] = {&run->waiting, &run->sent};

	for (int i = 0; i < lengthof(lists); i++)
	{
		dlist_iter iter;

		dlist_foreach (iter, lists[i])
		{
			if (jibit_lookup_is_same(&TASK(iter.cur)->lookup, &task->lookup))
				return TASK(iter.cur);
		}
	}
	return NULL;
}

/*
 * Tokens.
 */

static void
begin_group(JibitRun *run)
{
	if (run->group == NULL)
		run->group = jibit_http_begin_group(run->context);
}

static void
send_fetch(JibitRun *run, Fetch *fetch)
{
	begin_group(run);
	fetch->request = jibit_token_fetch_request(fetch->token);
	jibit_http_start(run->group, fetch->request);
}

static void
end_fetch(Fetch *fetch)
{
	dlist_delete(&fetch->node);
	jibit_token_fetch_end(fetch->token);
	pfree(fetch);
}

static void
take_fetch_outcome(JibitRun *run, Fetch *fetch)
{
	JibitTask *task = fetch->task;
	long pause_ms;
	JibitToken token;
	JibitError error;

	/* Should this throw, it is sent again. */
	fetch->request = NULL;
	fetch->due_us = jibit_drive_now();
	pause_ms = jibit_token_fetch_take(fetch->token);
	if (pause_ms >= 0)
	{
		fetch->due_us += pause_ms * INT64CONST(1000);
		return;
	}

	if (task != NULL)
	{
		if (jibit_token_fetch_result(fetch->token, &token, &error))
		{
			jibit_task_set_token(task, &token);
			jibit_task_enter(task, JIBIT_TASK_PLACE);
		}
		else
			jibit_task_fail(task, &error);
		dlist_delete(&task->node);
		place_task(run, task);
		explicit_bzero(&token, sizeof(token));
	}
	end_fetch(fetch);
}

/* The one whose request this is, or NULL. */
static Fetch *
find_fetch(JibitRun *run, const JibitHttpRequest *request)
{
	dlist_iter iter;

	dlist_foreach (iter, &run->fetches)
	{
		Fetch *fetch = dlist_container(Fetch, node, iter.cur);

		if (fetch->request == request)
			return fetch;
	}
	return NULL;
}

/* Is a token being got for this task? */
static bool
is_fetching(JibitRun *run, const JibitTask *task)
{
	dlist_iter iter;

	dlist_foreach (iter, &run->fetches)
	{
		if (dlist_container(Fetch, node, iter.cur)->task == task)
			return true;
	}
	return false;
}

/* Gets the task a token, as far as that goes without waiting. */
static void
get_token(JibitRun *run, JibitTask *task, Turn *turn)
{
	JibitPolicy *policy = task->call->policy;
	MemoryContext caller = MemoryContextSwitchTo(run->context);
	JibitToken token;
	JibitError error;
	JibitTokenFetch *token_fetch;
	Fetch *fetch = palloc(sizeof(Fetch));
	int64 deadline_us = task->deadline_us;

	if (deadline_us == JIBIT_NO_DEADLINE)
		deadline_us = turn->now_us + policy->timeout_ms * INT64CONST(1000);
	switch (jibit_token_ask(&task->token_wait, policy, task->call->track_id,
							deadline_us, &token, &error, &token_fetch))
	{
		case JIBIT_TOKEN_GIVEN:
			jibit_task_set_token(task, &token);
			jibit_task_enter(task, JIBIT_TASK_PLACE);
			break;
		case JIBIT_TOKEN_FAILED:
			jibit_task_fail(task, &error);
			break;
		case JIBIT_TOKEN_AWAITED:
			turn->lacks_token = true;
			break;
		case JIBIT_TOKEN_CLAIMED:
			*fetch = (Fetch){.token = token_fetch, .task = task};
			dlist_push_tail(&run->fetches, &fetch->node);
			fetch = NULL;
			break;
	}
	if (fetch != NULL)
		pfree(fetch);
	MemoryContextSwitchTo(caller);
}

/*
 * Turns.
 */

static void
note_due(Turn *turn, int64 due_us)
{
	turn->due_us = Min(turn->due_us, due_us);
}

/* Its request is sent if there is a place for it. */
static void
send_task(JibitRun *run, JibitTask *task, Turn *turn)
{
	bool has_waited = task->lacked_place;

	/* Those that began before it come first. */
	if (turn->lacks_place || !jibit_places_take(task->began_us))
	{
		turn->lacks_place = task->lacked_place = true;
		return;
	}
	task->has_place = true;
	task->lacked_place = false;
	if (has_waited && !jibit_task_readmit(task))
		return;
	begin_group(run);
	jibit_task_prepare(task);
	jibit_http_start(run->group, &task->request);
	jibit_task_note_sent(task);
	run->moved_us = turn->now_us;
}

/* Moves a task that is waiting, as far as it can go now. */
static void
step_task(JibitRun *run, JibitTask *task, Turn *turn)
{
	if (task->state == JIBIT_TASK_ENDED)
		return;
	if (task->state == JIBIT_TASK_LOST)
	{
		JibitError error;

		jibit_error_set(&error, JIBIT_CODE_CONNECTION_FAILED, 0,
						"What came back could not be taken up.",
						task->call->track_id);
		jibit_task_fail(task, &error);
		return;
	}
	if (run->stopped)
	{
		jibit_task_give_up(task, &run->stop_error);
		return;
	}
	if (task->due_us <= turn->now_us &&
		jibit_task_limit(task, run->moved_us) <= turn->now_us)
	{
		jibit_task_time_out(task);
		return;
	}
	if (task->due_us <= turn->now_us && task->state == JIBIT_TASK_BACKOFF)
		jibit_task_enter(task, JIBIT_TASK_TOKEN);
	if (task->due_us <= turn->now_us && task->state == JIBIT_TASK_ADMIT)
		jibit_task_admit(task);
	if (task->state == JIBIT_TASK_TOKEN && !is_fetching(run, task))
		get_token(run, task, turn);
	if (task->state == JIBIT_TASK_PLACE)
		send_task(run, task, turn);
}

/* Moves all of a run's tasks that are waiting, and its tokens. */
static void
step_run(JibitRun *run, Turn *turn)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify (iter, &run->waiting)
	{
		JibitTask *task = TASK(iter.cur);
		MemoryContext caller = MemoryContextSwitchTo(task->context);

		step_task(run, task, turn);
		MemoryContextSwitchTo(caller);
		if (task->state == JIBIT_TASK_SENT || task->state == JIBIT_TASK_ENDED)
		{
			dlist_delete(&task->node);
			place_task(run, task);
			turn->has_ended |= task->state == JIBIT_TASK_ENDED;
		}
		else if (task->state == JIBIT_TASK_ADMIT ||
				 task->state == JIBIT_TASK_BACKOFF)
			note_due(turn, task->due_us);
		else
			note_due(turn, jibit_task_limit(task, run->moved_us));
	}
	dlist_foreach_modify (iter, &run->fetches)
	{
		Fetch *fetch = dlist_container(Fetch, node, iter.cur);

		if (fetch->request != NULL || run->stopped)
			continue;
		if (fetch->due_us <= turn->now_us)
			send_fetch(run, fetch);
		else
			note_due(turn, fetch->due_us);
	}
}

/* Takes up what has come back for a run. */
static void
take_outcomes(JibitRun *run)
{
	JibitHttpRequest *request;

	while (run->group != NULL &&
		   (request = jibit_http_take(run->group)) != NULL)
	{
		JibitTask *task = request->owner;

		if (task == NULL)
		{
			take_fetch_outcome(run, find_fetch(run, request));
			continue;
		}

		/* Should this throw, the task ends at the next turn. */
		dlist_delete(&task->node);
		jibit_task_enter(task, JIBIT_TASK_LOST);
		let_wait(run, task);
		jibit_task_take_outcome(task);
		dlist_delete(&task->node);
		place_task(run, task);
	}
}

/* What the wait of a turn is shown as, where it is not for answers. */
static uint32
wait_event_of(const Turn *turn)
{
	static uint32 place_event = 0;
	static uint32 token_event = 0;
	dlist_iter iter;

	dlist_foreach (iter, &runs)
	{
		JibitRun *run = dlist_container(JibitRun, node, iter.cur);

		if (!dlist_is_empty(&run->sent) || !dlist_is_empty(&run->fetches))
			return 0;
	}
	return turn->lacks_place   ? jibit_wait_event(&place_event, "JibitPlace")
		   : turn->lacks_token ? jibit_wait_event(&token_event, "JibitToken")
							   : 0;
}

/*
 * One turn of everything that this process has under way: it waits at most
 * wait_ms, and not at all if a task has ended without a request.
 */
static void
drive(long wait_ms)
{
	Turn turn = {.due_us = JIBIT_NO_DEADLINE};
	dlist_iter iter;

	jibit_drive_begin();
	turn.now_us = jibit_drive_now();
	jibit_places_note_driving(true);
	dlist_foreach (iter, &runs)
	{
		step_run(dlist_container(JibitRun, node, iter.cur), &turn);
	}
	if (!turn.lacks_place)
		jibit_places_stop_waiting();
	else
		wait_ms = Min(wait_ms, JIBIT_PLACES_ASK_MS);
	if (turn.lacks_token)
		wait_ms = Min(wait_ms, JIBIT_TOKEN_ASK_MS);
	if (turn.due_us != JIBIT_NO_DEADLINE)
		wait_ms = Min(wait_ms, jibit_drive_ms_until(turn.due_us));
	jibit_http_turn(turn.has_ended ? 0 : wait_ms, wait_event_of(&turn));
	dlist_foreach (iter, &runs)
	{
		take_outcomes(dlist_container(JibitRun, node, iter.cur));
	}
	if (turn.lacks_token)
		jibit_token_stop_waiting();
	jibit_places_note_driving(false);
	jibit_drive_end();
}

/*
 * Beginning and ending.
 */

/* Counts what is under way as broken off. */
static void
count_broken_off(JibitRun *run)
{
	dlist_head *const lists[] = {&run->waiting, &run->sent};

	for (int i = 0; i < lengthof(lists); i++)
	{
		dlist_iter iter;

		dlist_foreach (iter, lists[i])
		{
			JibitTask *task = TASK(iter.cur);

			if (task->call->attempts == 0)
				continue;
			jibit_task_count_broken_off(task);
			jibit_last_note(task->call);
		}
	}
}

/*
 * Breaks off what is under way, then gives back what the tasks hold, so that
 * nobody has a place before its call is gone.  Counting is last, since that may
 * throw.
 */
static void
leave_run(JibitRun *run)
{
	dlist_head *const lists[] = {&run->waiting, &run->sent};

	dlist_delete(&run->node);
	jibit_http_end_group(run->group);
	while (!dlist_is_empty(&run->fetches))
		end_fetch(dlist_head_element(Fetch, node, &run->fetches));
	for (int i = 0; i < lengthof(lists); i++)
	{
		dlist_iter iter;

		dlist_foreach (iter, lists[i])
		{
			jibit_task_release(TASK(iter.cur));
		}
	}
	jibit_places_stop_waiting();
	jibit_places_note_driving(false);
	count_broken_off(run);
}

/* What was sent is counted; what is held, its keepers give back at exit. */
static void
count_at_exit(void)
{
	dlist_iter iter;

	dlist_foreach (iter, &runs)
	{
		count_broken_off(dlist_container(JibitRun, node, iter.cur));
	}
}

static void
enlist(JibitRun *run)
{
	jibit_exit_add(JIBIT_EXIT_CALLS, count_at_exit);
	dlist_push_tail(&runs, &run->node);
}

void
jibit_run_one(JibitCall *call)
{
	JibitTask *task = palloc0(sizeof(JibitTask));
	JibitRun *run;

	task->call = call;
	task->context = CurrentMemoryContext;
	jibit_task_begin(task, CurrentMemoryContext);
	if (task->state != JIBIT_TASK_ENDED)
	{
		run = palloc0(sizeof(JibitRun));
		init_run(run, CurrentMemoryContext, CurrentMemoryContext);
		dlist_push_tail(&run->waiting, &task->node);
		enlist(run);
		PG_TRY();
		{
			while (task->state != JIBIT_TASK_ENDED)
				drive(TURN_LONGEST_MS);
		}
		PG_FINALLY();
		{
			leave_run(run);
		}
		PG_END_TRY();
	}
	jibit_last_note(call);
}

JibitRun *
jibit_run_begin(void)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "jibit run",
												  ALLOCSET_DEFAULT_SIZES);
	JibitRun *run = MemoryContextAllocZero(context, sizeof(JibitRun));

	init_run(run, context, caller);
	enlist(run);
	return run;
}

JibitCall *
jibit_run_new_call(JibitRun *run, MemoryContext *context)
{
	RunTask *pair;
	MemoryContext task_context;

	if (dlist_is_empty(&run->idle))
	{
		pair = MemoryContextAlloc(run->context, sizeof(RunTask));

		/* One block is enough for most calls, and stays for the next. */
		task_context = AllocSetContextCreate(run->context, "jibit call",
											 ALLOCSET_DEFAULT_SIZES);
	}
	else
	{
		pair = dlist_container(RunTask, task.node,
							   dlist_pop_head_node(&run->idle));
		task_context = pair->task.context;
	}
	memset(pair, 0, sizeof(RunTask));
	pair->task.call = &pair->call;
	pair->task.context = *context = task_context;
	return &pair->call;
}

static JibitTask *
task_of(JibitCall *call)
{
	return &((RunTask *) ((char *) call - offsetof(RunTask, call)))->task;
}

void
jibit_run_start(JibitRun *run, JibitCall *call)
{
	JibitTask *task = task_of(call);
	MemoryContext caller = MemoryContextSwitchTo(task->context);

	jibit_task_begin(task, run->credentials_context);
	if (task->state != JIBIT_TASK_ENDED)
		task->leader = find_leader(run, task);
	if (task->leader != NULL)
		jibit_task_enter(task, JIBIT_TASK_FOLLOWS);
	run->count++;
	place_task(run, task);
	jibit_drive_end();
	MemoryContextSwitchTo(caller);
}

int
jibit_run_count(const JibitRun *run)
{
	return run->count;
}

bool
jibit_run_has_ended(JibitRun *run)
{
	return !dlist_is_empty(&run->ended);
}

static JibitCall *
take_ended(JibitRun *run, JibitTask *task)
{
	dlist_delete(&task->node);
	run->count--;
	jibit_last_note(task->call);
	return task->call;
}

JibitCall *
jibit_run_wait(JibitRun *run, long timeout_ms)
{
	int64 deadline_us = jibit_now_us() + timeout_ms * INT64CONST(1000);

	while (dlist_is_empty(&run->ended))
	{
		if (run->count == 0)
			return NULL;
		drive(jibit_ms_until(deadline_us));
		if (dlist_is_empty(&run->ended) && jibit_now_us() >= deadline_us)
			return NULL;
	}
	return take_ended(run, TASK(dlist_head_node(&run->ended)));
}

void
jibit_run_wait_for(JibitRun *run, JibitCall *call)
{
	JibitTask *task = task_of(call);

	while (task->state != JIBIT_TASK_ENDED)
		drive(TURN_LONGEST_MS);
	(void) take_ended(run, task);
}

void
jibit_run_free_call(JibitRun *run, JibitCall *call)
{
	JibitTask *task = task_of(call);

	MemoryContextReset(task->context);
	dlist_push_head(&run->idle, &task->node);
}

void
jibit_run_stop(JibitRun *run, const JibitError *error)
{
	run->stopped = true;
	run->stop_error = *error;
	run->stop_error.track_id[0] = '\0';
}

void
jibit_run_end(JibitRun *run)
{
	if (run == NULL)
		return;
	leave_run(run);
	MemoryContextDelete(run->context);
}
