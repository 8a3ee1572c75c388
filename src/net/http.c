/*-------------------------------------------------------------------------
 *
 * http.c
 *	  HTTP requests, many at a time, interruptible.
 *
 * Here is libcurl's multi handle, of which there is one per process, driven by
 * curl_multi_socket_action(); the requests' own handles are transfer.c's.
 * libcurl says through two callbacks which sockets it waits for and when it
 * wants to be called next; they only take notes, of the sockets in sockets.c,
 * which does the waiting.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/config.h"
#include "base/errors.h"
#include "miscadmin.h"
#include "net/http.h"
#include "net/sockets.h"
#include "net/transfer.h"
#include "utils/memutils.h"

#define NEVER PG_INT64_MAX

/* What a URL's query may have as it is. */
#define UNRESERVED \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

struct JibitHttpGroup
{
	MemoryContext context;
	dlist_head running;
	dlist_head finished;
};

static CURLM *multi;
static int running_count;		/* transfers in the multi handle */
static int64 timer_due = NEVER; /* microseconds, see clock.h */

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

static void
close_connections(void)
{
	Assert(running_count == 0);
	jibit_transfer_drop_idle();
	if (multi != NULL)
		curl_multi_cleanup(multi);
	multi = NULL;
	timer_due = NEVER;
}

/* At first use in a process: an idle session pays nothing. */
static void
ensure_multi(void)
{
	static bool initialized = false;

	if (jibit_connections_are_stale() && running_count == 0)
	{
		close_connections();
		jibit_connections_note_fresh();
	}
	if (multi != NULL)
		return;

	if (curl_version_info(CURLVERSION_NOW)->version_num < JIBIT_LIBCURL_FLOOR)
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
	if (multi != NULL)
	{
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, note_socket);
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, note_timer);
		curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);

		/* More wait for one of these. */
		curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
						  (long) jibit_sockets_room());
	}
	if (multi == NULL)
		out_of_memory();
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
	dlist_init(&group->running);
	dlist_init(&group->finished);
	return group;
}

void
jibit_http_start(JibitHttpGroup *group, JibitHttpRequest *request)
{
	JibitTransfer *transfer;

	jibit_transfer_check_trust(request->url);
	ensure_multi();
	transfer = jibit_transfer_begin(request, group->context);
	if (transfer == NULL)
		out_of_memory();
	if (curl_multi_add_handle(multi, transfer->easy) != CURLM_OK)
	{
		jibit_transfer_end(transfer);
		out_of_memory();
	}
	transfer->group = group;
	running_count++;
	request->transfer = transfer;
	dlist_push_tail(&group->running, &request->node);
}

/* Takes a transfer out of use; its request has ended or is broken off. */
static void
stop_transfer(JibitTransfer *transfer)
{
	JibitHttpRequest *request = transfer->request;

	curl_multi_remove_handle(multi, transfer->easy);
	running_count--;
	dlist_delete(&request->node);
	request->transfer = NULL;
	jibit_transfer_end(transfer);
}

/* A request has ended. */
static void
finish_transfer(JibitTransfer *transfer, CURLcode code)
{
	JibitHttpRequest *request = transfer->request;
	JibitHttpGroup *group = transfer->group;

	jibit_transfer_take_outcome(transfer, code);
	stop_transfer(transfer);
	dlist_push_tail(&group->finished, &request->node);
}

/*
 * One turn of the loop: wait until the deadline at most, let libcurl work, take
 * up what has ended.  Takes the time and returns a later one: a clock is read
 * so often here that it shows.
 */
static int64
turn(int64 now, int64 deadline)
{
	JibitReadySocket ready[JIBIT_READY_MAX];
	int nready = 0;
	int still_running;
	bool latch_set = false;
	CURLMsg *message;
	int messages_left;

	/* A call that is due at once, such as a request's first, needs no wait. */
	if (timer_due > now)
	{
		int64 left = Min(deadline, timer_due) - now;

		nready = jibit_sockets_wait((long) ((Max(left, 0) + 999) / 1000),
									ready, &latch_set);
		now = jibit_now_us();
	}

	for (int i = 0; i < nready; i++)
	{
		/* It may have gone with what another one brought. */
		if (!jibit_socket_is_wanted(ready[i].fd))
			continue;
		curl_multi_socket_action(
			multi, ready[i].fd,
			((ready[i].events & WL_SOCKET_READABLE) ? CURL_CSELECT_IN : 0) |
				((ready[i].events & WL_SOCKET_WRITEABLE) ? CURL_CSELECT_OUT
														 : 0),
			&still_running);
	}
	if (timer_due <= now)
	{
		timer_due = NEVER;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0,
								 &still_running);
		now = jibit_now_us();
	}
	while ((message = curl_multi_info_read(multi, &messages_left)) != NULL)
	{
		JibitTransfer *transfer;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
						  (char **) &transfer);
		finish_transfer(transfer, code);
	}
	jibit_transfer_unblock_signals();

	if (latch_set)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	return now;
}

void
jibit_http_turn(long timeout_ms)
{
	int64 now = jibit_now_us();

	ensure_multi();
	(void) turn(now, now + (int64) timeout_ms * 1000);
}

JibitHttpRequest *
jibit_http_wait(JibitHttpGroup *group, long timeout_ms)
{
	int64 now = jibit_now_us();
	int64 deadline = now + (int64) timeout_ms * 1000;

	/* At least one turn: to look what has ended. */
	while (dlist_is_empty(&group->finished))
	{
		now = turn(now, deadline);
		if (now >= deadline && dlist_is_empty(&group->finished))
			return NULL;
	}
	return jibit_http_take(group);
}

JibitHttpRequest *
jibit_http_take(JibitHttpGroup *group)
{
	if (dlist_is_empty(&group->finished))
		return NULL;
	return dlist_container(JibitHttpRequest, node,
						   dlist_pop_head_node(&group->finished));
}

void
jibit_http_end_group(JibitHttpGroup *group)
{
	dlist_mutable_iter iter;

	if (group == NULL)
		return;
	dlist_foreach_modify (iter, &group->running)
	{
		JibitHttpRequest *request = dlist_container(JibitHttpRequest, node,
													iter.cur);

		stop_transfer(request->transfer);
	}
	pfree(group);
}

/*
 * URLs.
 */

const char *
jibit_http_check_url(const char *url, bool *is_plain)
{
	CURLU *parts = curl_url();
	char *part = NULL;
	const char *why = NULL;

	*is_plain = false;
	if (parts == NULL)
		return "out of memory";
	if (strpbrk(url, "?#") != NULL)
		why = "It has a query or a fragment.";
	else if (strpbrk(url, " \t\r\n\\") != NULL ||
			 curl_url_set(parts, CURLUPART_URL, url,
						  CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		why = "It is no URL with a scheme and a host.";
	else if (curl_url_get(parts, CURLUPART_USER, &part, 0) == CURLUE_OK ||
			 curl_url_get(parts, CURLUPART_PASSWORD, &part, 0) == CURLUE_OK)
		why = "It has a user or a password in it.";
	else if (curl_url_get(parts, CURLUPART_SCHEME, &part, 0) != CURLUE_OK ||
			 (strcmp(part, "https") != 0 && strcmp(part, "http") != 0))
		why = "Its scheme is not https.";
	else if (strstr(url, ":///") != NULL)
		why = "It has no host."; /* libcurl would take one from the path */
	else
		*is_plain = strcmp(part, "http") == 0;
	curl_free(part);
	curl_url_cleanup(parts);
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
