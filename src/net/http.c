/*
 * HTTP requests, many at a time, interruptible.
 *
 * Here is libcurl's multi handle, of which there is one per process, driven by
 * curl_multi_socket_action(); the requests' own handles are transfer.c's.
 * libcurl says through two callbacks which sockets it waits for and when it
 * wants to be called next; they only take notes, of the sockets in sockets.c,
 * which does the waiting.
 *
 * libcurl is not relied on to end a request.  When it fails as a whole (for
 * lack of memory, most likely) it may say no more of any: all requests end, its
 * multi handle is thrown away, and the next call makes a new one.  Timeouts are
 * kept here: libcurl looks at the clock before it reads what has come while
 * nobody drove, and 7.88 never does for a request that waits for a connection.
 */
#include "postgres.h"

#include <curl/curl.h>

#include "base/clock.h"
#include "base/compat.h"
#include "base/config.h"
#include "base/errors.h"
#include "miscadmin.h"
#include "net/http.h"
#include "net/sockets.h"
#include "net/transfer.h"
#include "utils/memutils.h"

/*
 * CURLOPT_QUICK_EXIT came with 7.87: without it a cancel behind a silent name
 * server waits for the resolver's thread.
 */
#if !CURL_AT_LEAST_VERSION(7, 87, 0)
#error "jibit needs libcurl 7.87 or later"
#endif
#define LIBCURL_FLOOR 0x075700

#define NEVER PG_INT64_MAX

/* Nobody drove for longer than a turn takes. */
#define LATE_US 10000

/* What a URL's query may have as it is. */
#define UNRESERVED \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

struct JibitHttpGroup
{
	MemoryContext context;
};

static CURLM *multi;
static CURLMcode failure; /* of the multi handle: the next turn gives it up */

/* Of all groups: the requests under way, and those that nobody has taken yet. */
static dlist_head running = DLIST_STATIC_INIT(running);
static dlist_head finished = DLIST_STATIC_INIT(finished);

static int64 first_deadline = NEVER; /* none of the former's is earlier */
static int64 timer_due = NEVER;		 /* libcurl's, of jibit_now_us() */

/*
 * Callbacks of libcurl.  They must not throw.
 */

static int
note_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	if (what == CURL_POLL_REMOVE)
		return jibit_socket_drop(fd) ? 0 : -1;
	return jibit_socket_want(fd, what == CURL_POLL_IN	 ? WL_SOCKET_READABLE
								 : what == CURL_POLL_OUT ? WL_SOCKET_WRITEABLE
								 : what == CURL_POLL_INOUT
									 ? WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE
									 : 0)
			   ? 0
			   : -1;
}

static int
note_timer(CURLM *handle, long timeout_ms, void *arg)
{
	timer_due = timeout_ms < 0	  ? NEVER
				: timeout_ms == 0 ? 0
								  : jibit_now_us() + (int64) timeout_ms * 1000;
	return 0;
}

/*
 * Handles.
 */

static void
out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
			 errdetail("libcurl could not allocate what a request needs.")));
}

/* The first failure counts. */
static void
note_failure(CURLMcode code)
{
	if (failure == CURLM_OK && code > CURLM_OK)
		failure = code;
}

static void
close_connections(void)
{
	Assert(dlist_is_empty(&running));
	jibit_transfer_drop_idle();
	if (multi != NULL)
		(void) curl_multi_cleanup(multi);
	jibit_sockets_forget();
	multi = NULL;
	failure = CURLM_OK;
	timer_due = NEVER;
	first_deadline = NEVER;
}

/* At first use in a process: an idle session pays nothing. */
static void
ensure_multi(void)
{
	static bool initialized = false;

	if ((jibit_connections_are_stale() || failure != CURLM_OK) &&
		dlist_is_empty(&running))
	{
		close_connections();
		jibit_connections_note_fresh();
	}
	if (multi != NULL)
		return;

	if (curl_version_info(CURLVERSION_NOW)->version_num < LIBCURL_FLOOR)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("libcurl %s is too old for jibit",
							   curl_version_info(CURLVERSION_NOW)->version),
						errhint("Install libcurl 7.87 or later.")));

	/* Without it a name is resolved in the call itself: no cancel ends that. */
	if ((curl_version_info(CURLVERSION_NOW)->features &
		 CURL_VERSION_ASYNCHDNS) == 0)
		ereport(
			ERROR,
			(errcode(jibit_error_sqlstate(JIBIT_CONFIGURATION)),
			 errmsg("libcurl %s cannot resolve names in the background",
					curl_version_info(CURLVERSION_NOW)->version),
			 errhint(
				 "Install a libcurl that was built with a threaded resolver or with c-ares.")));

	if (!initialized)
		initialized = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (initialized)
		multi = curl_multi_init();
	if (multi == NULL)
		out_of_memory();

	note_failure(
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, note_socket));
	note_failure(curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, note_timer));
	note_failure(
		curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX));

	/* More wait for one of these. */
	note_failure(curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
								   (long) jibit_sockets_room()));
	if (failure != CURLM_OK)
	{
		const char *why = curl_multi_strerror(failure);

		close_connections();
		elog(ERROR, "could not set up libcurl: %s", why);
	}
}

/*
 * Requests.
 */

JibitHttpGroup *
jibit_http_begin_group(MemoryContext context)
{
	JibitHttpGroup *group;

	ensure_multi();
	group = MemoryContextAlloc(context, sizeof(JibitHttpGroup));
	group->context = context;
	return group;
}

/* Takes a request out of libcurl: it has ended or is broken off. */
static void
stop_request(JibitHttpRequest *request)
{
	note_failure(curl_multi_remove_handle(
		multi, jibit_transfer_handle(request->transfer)));
	jibit_transfer_end(request->transfer);
	request->transfer = NULL;
	dlist_delete(&request->node);
}

/* A request has ended, and says how. */
static void
finish_request(JibitHttpRequest *request)
{
	stop_request(request);
	dlist_push_tail(&finished, &request->node);
}

/*
 * libcurl has failed: nothing that it has is relied on any more.  A callback
 * that has it break off had no memory.
 */
static void
give_up_multi(void)
{
	CURLMcode code = failure;
	JibitHttpEnd end = code == CURLM_OUT_OF_MEMORY ||
							   code == CURLM_ABORTED_BY_CALLBACK
						   ? JIBIT_HTTP_NO_MEMORY
						   : JIBIT_HTTP_BROKEN;

	while (!dlist_is_empty(&running))
	{
		JibitHttpRequest *request = dlist_head_element(JibitHttpRequest, node,
													   &running);

		request->end = end;
		strlcpy(request->reason, curl_multi_strerror(code),
				sizeof(request->reason));
		finish_request(request);
	}
	close_connections();
}

void
jibit_http_start(JibitHttpGroup *group, JibitHttpRequest *request)
{
	jibit_transfer_check_trust(request->url);
	ensure_multi();
	request->transfer = jibit_transfer_begin(request, group->context);
	if (request->transfer == NULL)
		out_of_memory();
	request->group = group;
	request->deadline_us = jibit_drive_now() +
						   request->timeout_ms * INT64CONST(1000);
	first_deadline = Min(first_deadline, request->deadline_us);
	dlist_push_tail(&running, &request->node);
	note_failure(curl_multi_add_handle(
		multi, jibit_transfer_handle(request->transfer)));
}

/* Takes up what libcurl says has ended. */
static void
finish_requests(void)
{
	CURLMsg *message;
	int messages_left;

	while (multi != NULL &&
		   (message = curl_multi_info_read(multi, &messages_left)) != NULL)
	{
		CURLcode code = message->data.result;
		JibitHttpRequest *request;

		if (message->msg != CURLMSG_DONE)
			continue;
		if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
							  (char **) &request) != CURLE_OK)
		{
			note_failure(CURLM_INTERNAL_ERROR);
			return;
		}
		jibit_transfer_take_outcome(request->transfer, code);
		finish_request(request);
	}
}

/* Ends what has no time left, and finds out when to look again. */
static void
end_overdue(int64 now)
{
	dlist_mutable_iter iter;

	first_deadline = NEVER;
	dlist_foreach_modify (iter, &running)
	{
		JibitHttpRequest *request = dlist_container(JibitHttpRequest, node,
													iter.cur);

		if (now < request->deadline_us)
		{
			first_deadline = Min(first_deadline, request->deadline_us);
			continue;
		}
		jibit_transfer_take_outcome(request->transfer,
									CURLE_OPERATION_TIMEDOUT);
		if (request->end == JIBIT_HTTP_TIMEOUT)
			snprintf(request->reason, sizeof(request->reason),
					 "no whole answer came within %d ms", request->timeout_ms);
		finish_request(request);
	}
}

/*
 * One turn of the loop: wait until the deadline at most, let libcurl work, take
 * up what has ended.  Takes the time and returns a later one: a clock is read
 * so often here that it shows.
 */
static int64
turn(int64 now, int64 deadline, uint32 wait_event)
{
	JibitReadySocket ready[JIBIT_READY_MAX];
	int nready = 0;
	int still_running;
	bool has_looked = false;
	bool latch_set = false;

	/*
	 * A call that is due at once, such as a request's first, needs no wait.
	 * One that is late, since nobody drove, comes after what has arrived.
	 */
	if ((timer_due > now || (timer_due != 0 && now - timer_due > LATE_US)) &&
		failure == CURLM_OK)
	{
		int64 left = Min(Min(deadline, timer_due) - now,
						 first_deadline - jibit_drive_now());

		nready = jibit_sockets_wait((long) ((Max(left, 0) + 999) / 1000),
									wait_event, ready, &latch_set);
		has_looked = true;
		now = jibit_now_us();
	}

	for (int i = 0; i < nready && failure == CURLM_OK; i++)
	{
		/* It may have gone with what another one brought. */
		if (!jibit_socket_is_wanted(ready[i].fd))
			continue;
		note_failure(curl_multi_socket_action(
			multi, ready[i].fd,
			((ready[i].events & WL_SOCKET_READABLE) ? CURL_CSELECT_IN : 0) |
				((ready[i].events & WL_SOCKET_WRITEABLE) ? CURL_CSELECT_OUT
														 : 0),
			&still_running));
	}
	if (timer_due <= now && failure == CURLM_OK)
	{
		timer_due = NEVER;
		note_failure(curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0,
											  &still_running));
		now = jibit_now_us();
	}

	/* First, and also after a failure: what has been answered is paid for. */
	finish_requests();
	if (has_looked && jibit_drive_now() >= first_deadline)
		end_overdue(jibit_drive_now());
	if (failure != CURLM_OK)
		give_up_multi();
	jibit_transfer_unblock_signals();

	if (latch_set)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	return now;
}

void
jibit_http_turn(long timeout_ms, uint32 wait_event)
{
	int64 now = jibit_now_us();

	ensure_multi();

	/* What an earlier turn has brought that ended with an error waits. */
	if (!dlist_is_empty(&finished))
		timeout_ms = 0;
	(void) turn(now, now + (int64) timeout_ms * 1000, wait_event);
}

JibitHttpRequest *
jibit_http_wait(JibitHttpGroup *group, long timeout_ms)
{
	int64 now = jibit_now_us();
	int64 deadline = now + (int64) timeout_ms * 1000;
	JibitHttpRequest *request = jibit_http_take(group);

	/* At least one turn: to look what has ended. */
	while (request == NULL)
	{
		now = turn(now, deadline, 0);
		request = jibit_http_take(group);
		if (now >= deadline)
			break;
	}
	return request;
}

JibitHttpRequest *
jibit_http_take(JibitHttpGroup *group)
{
	dlist_iter iter;

	dlist_foreach (iter, &finished)
	{
		JibitHttpRequest *request = dlist_container(JibitHttpRequest, node,
													iter.cur);

		if (request->group == group)
		{
			dlist_delete(iter.cur);
			return request;
		}
	}
	return NULL;
}

void
jibit_http_end_group(JibitHttpGroup *group)
{
	dlist_mutable_iter iter;

	if (group == NULL)
		return;
	while (jibit_http_take(group) != NULL)
		;
	dlist_foreach_modify (iter, &running)
	{
		JibitHttpRequest *request = dlist_container(JibitHttpRequest, node,
													iter.cur);

		if (request->group == group)
			stop_request(request);
	}
	pfree(group);
}

/*
 * URLs.
 */

static bool
get_part(CURLU *parts, CURLUPart which, char **part, bool *no_memory)
{
	CURLUcode code = curl_url_get(parts, which, part, 0);

	*no_memory |= code == CURLUE_OUT_OF_MEMORY;
	return code == CURLUE_OK;
}

const char *
jibit_http_check_url(const char *url, bool *is_plain)
{
	CURLU *parts = curl_url();
	CURLUcode code = CURLUE_OK;
	bool no_memory = false;
	char *part = NULL;
	const char *why = NULL;

	*is_plain = false;
	if (parts == NULL)
		out_of_memory();
	if (strpbrk(url, "?#") != NULL)
		why = "It has a query or a fragment.";
	else if (strpbrk(url, " \t\r\n\\") != NULL ||
			 (code = curl_url_set(parts, CURLUPART_URL, url,
								  CURLU_NON_SUPPORT_SCHEME)) != CURLUE_OK)
		why = "It is no URL with a scheme and a host.";
	else if (get_part(parts, CURLUPART_USER, &part, &no_memory) ||
			 get_part(parts, CURLUPART_PASSWORD, &part, &no_memory))
		why = "It has a user or a password in it.";
	else if (!get_part(parts, CURLUPART_SCHEME, &part, &no_memory) ||
			 (strcmp(part, "https") != 0 && strcmp(part, "http") != 0))
		why = "Its scheme is not https.";
	else if (strstr(url, ":///") != NULL)
		why = "It has no host."; /* libcurl would take one from the path */
	else
		*is_plain = strcmp(part, "http") == 0;
	curl_free(part);
	curl_url_cleanup(parts);
	if (no_memory || code == CURLUE_OUT_OF_MEMORY)
		out_of_memory();
	return why;
}

void
jibit_http_append_escaped(StringInfo target, const char *text)
{
	size_t length = strlen(text);
	char *escaped;

	if (length == 0)
		return;

	/* Room first: nothing may throw while libcurl's copy is held. */
	enlargeStringInfo(target, (int) length * 3);
	if (strspn(text, UNRESERVED) == length)
	{
		appendBinaryStringInfo(target, text, (int) length);
		return;
	}
	escaped = curl_easy_escape(NULL, text, (int) length);
	if (escaped == NULL)
		out_of_memory();
	appendStringInfoString(target, escaped);
	curl_free(escaped);
}

void
jibit_http_preload(const char *ca_file)
{
	jibit_transfer_preload(ca_file);
}

void
jibit_http_forget_connections(void)
{
	jibit_connections_note_stale();
}

const char *
jibit_http_version(void)
{
	return curl_version();
}
