/*-------------------------------------------------------------------------
 *
 * http.c
 *	  HTTP requests, many at a time, interruptible.
 *
 * The only file that knows libcurl.  One multi handle per process is driven
 * by curl_multi_socket_action().  libcurl says through two callbacks which
 * sockets it waits for and when it wants to be called next; the callbacks only
 * take notes, of the sockets in sockets.c, which does the waiting.
 *
 * Nothing is thrown from inside libcurl: its callbacks neither ereport nor
 * check for interrupts, and allocate without throwing.
 *
 * libcurl may start a thread to resolve a name.  It says so before it does,
 * and all signals are blocked from then until the call into it returns: a
 * thread inherits the mask, and PostgreSQL's signal handlers must only run in
 * the main thread.
 *
 * Ownership: transfers (easy handle, header list) are malloc'd, and kept for
 * the next request; bodies are in the group's memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <signal.h>

#include <curl/curl.h>

#include "clock.h"
#include "compat.h"
#include "config.h"
#include "errors.h"
#include "miscadmin.h"
#include "net/http.h"
#include "net/sockets.h"
#include "net/trust.h"
#include "utils/memutils.h"

/*
 * CURLOPT_QUICK_EXIT came with 7.87: without it a cancel behind a silent name
 * server waits for the resolver's thread.
 */
#if !CURL_AT_LEAST_VERSION(7, 87, 0)
#error "jibit needs libcurl 7.87 or later"
#endif
#define LIBCURL_FLOOR 0x075700

/* First size of a body's buffer: most answers fit. */
#define BODY_INITIAL 1024

/* As much as libcurl itself takes for headers. */
#define HEADERS_MAX (300 * 1024)

/* Idle transfers that are kept; each has some 10 kB. */
#define IDLE_TRANSFERS_MAX 64

/* What a URL's query may have as it is. */
#define UNRESERVED \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

#define NO_DESCRIPTORS \
	"the session has no file descriptor left; max_files_per_process sets how many there are"

/* In words, the limit of JIBIT_BODY_MAX. */
#define TOO_LARGE "it is larger than 1 MB"

typedef struct JibitTransfer
{
	CURL *easy;
	struct curl_slist *headers;
	JibitHttpGroup *group;
	JibitHttpRequest *request;
	uint64 settings; /* jibit_transport_settings that `easy` has; 0: none */
	size_t capacity; /* of the request's body */
	size_t header_length;
	JibitHttpEnd end; /* what a callback saw, else ANSWERED */
	const char *why;  /* its reason, or NULL */
	char error[CURL_ERROR_SIZE];
	struct JibitTransfer *next; /* in the list of idle ones */
} JibitTransfer;

struct JibitHttpGroup
{
	MemoryContext context;
	dlist_head running;
	dlist_head finished;
};

static CURLM *multi;
static int running_count; /* transfers in the multi handle */
static JibitTransfer *idle_transfers;
static int idle_count;
static bool connections_stale; /* do not reuse what is open */
static int64 stale_since;	   /* microseconds, see clock.h */

static bool signals_blocked;
static sigset_t signals_saved;

static bool timer_armed;
static int64 timer_due; /* microseconds, see clock.h */

/*
 * Blocks all signals when libcurl is about to resolve a name, for which it may
 * start a thread.  Whoever has called libcurl ends it with
 * unblock_signals(): nearly always there is nothing to end.
 */
static int
block_signals(void *resolver, void *reserved, void *arg)
{
	sigset_t all;

	if (!signals_blocked)
	{
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &signals_saved);
		signals_blocked = true;
	}
	return 0;
}

static void
unblock_signals(void)
{
	if (signals_blocked)
	{
		signals_blocked = false;
		pthread_sigmask(SIG_SETMASK, &signals_saved, NULL);
	}
}

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
	timer_armed = timeout_ms >= 0;
	timer_due = jibit_now_us() + (int64) timeout_ms * 1000;
	return 0;
}

static size_t
refuse_body(JibitTransfer *transfer, JibitHttpEnd end, const char *why)
{
	transfer->end = end;
	transfer->why = why;
	return 0; /* less than given: libcurl breaks off */
}

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	curl_socket_t fd = jibit_socket_open(address->family, address->socktype,
										 address->protocol);

	/* No sign that the service cannot be reached. */
	if (fd == CURL_SOCKET_BAD && (errno == EMFILE || errno == ENFILE))
		refuse_body(arg, JIBIT_HTTP_MISCONFIGURED, NO_DESCRIPTORS);
	return fd;
}

static int
close_socket(void *arg, curl_socket_t fd)
{
	return jibit_socket_close(fd);
}

static size_t
take_body(char *data, size_t size, size_t count, void *arg)
{
	JibitTransfer *transfer = arg;
	JibitHttpRequest *request = transfer->request;
	size_t length = size * count;
	size_t needed = request->body_length + length + 1;

	if (needed > JIBIT_BODY_MAX + 1)
		return refuse_body(transfer, JIBIT_HTTP_TOO_LARGE, TOO_LARGE);
	if (needed > transfer->capacity)
	{
		size_t capacity = Max(needed,
							  Max(transfer->capacity * 2, BODY_INITIAL));
		char *larger = MemoryContextAllocExtended(transfer->group->context,
												  capacity, MCXT_ALLOC_NO_OOM);

		if (larger == NULL)
			return refuse_body(transfer, JIBIT_HTTP_NO_MEMORY,
							   "out of memory");
		if (request->body != NULL)
		{
			memcpy(larger, request->body, request->body_length);
			pfree(request->body);
		}
		request->body = larger;
		transfer->capacity = capacity;
	}
	memcpy(request->body + request->body_length, data, length);
	request->body_length += length;
	request->body[request->body_length] = '\0';
	return length;
}

/* Headers and trailers: libcurl keeps them, the latter without a limit. */
static size_t
count_header(char *data, size_t size, size_t count, void *arg)
{
	JibitTransfer *transfer = arg;

	transfer->header_length += size * count;
	if (transfer->header_length > HEADERS_MAX)
		return refuse_body(transfer, JIBIT_HTTP_BROKEN,
						   "the answer's headers are too large");
	return size * count;
}

static void
note_stale(void)
{
	connections_stale = true;
	stale_since = jibit_now_us();
}

/* The certificates to trust: jibit.ca_file, else what libcurl was built with. */
static JibitTrustSource
trust_source(const char *ca_file)
{
	JibitTrustSource source = {NULL, NULL};

	if (ca_file[0] != '\0')
		source.file = ca_file;
	else
	{
		/* Asked once: libcurl composes its answer anew each time. */
		static curl_version_info_data *info;

		if (info == NULL)
			info = curl_version_info(CURLVERSION_NOW);
		source.file = info->cainfo;
		if (source.file == NULL)
			source.directory = info->capath;
	}
	return source;
}

static CURLcode
set_trust(CURL *easy, void *ssl_context, void *arg)
{
	JibitTransfer *transfer = arg;
	JibitTrustSource source = trust_source(jibit_ca_file);
	bool changed;
	const char *why = jibit_trust_apply(ssl_context, &source, &changed);

	/* Seen here before check_trust() has looked. */
	if (changed)
		note_stale();
	if (why == NULL)
		return CURLE_OK;
	refuse_body(transfer, JIBIT_HTTP_MISCONFIGURED, why);
	return CURLE_SSL_CACERT_BADFILE;
}

/*
 * trust.c speaks to OpenSSL; other TLS libraries read the file by themselves.
 * Asked once: libcurl composes its answer anew each time.
 */
static bool
tls_is_openssl(void)
{
	static bool asked = false;
	static bool is_openssl;

	if (!asked)
	{
		const char *name = curl_version_info(CURLVERSION_NOW)->ssl_version;

		is_openssl = name != NULL && strncmp(name, "OpenSSL/", 8) == 0;
		asked = true;
	}
	return is_openssl;
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
	while (idle_transfers != NULL)
	{
		JibitTransfer *transfer = idle_transfers;

		idle_transfers = transfer->next;
		curl_easy_cleanup(transfer->easy);
		free(transfer);
	}
	idle_count = 0;
	if (multi != NULL)
		curl_multi_cleanup(multi);
	multi = NULL;
	timer_armed = false;
}

/* At first use in a process: an idle session pays nothing. */
static void
ensure_multi(void)
{
	static bool initialized = false;

	if (connections_stale && running_count == 0)
	{
		close_connections();
		connections_stale = false;
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
	if (multi != NULL)
	{
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, note_socket);
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, note_timer);
		curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);

		/*
		 * More wait for one of these.
		 */
		curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
						  (long) jibit_sockets_room());
	}
	if (multi == NULL)
		out_of_memory();
}

/*
 * libcurl resumes TLS sessions, for which no certificate is looked at: a
 * change of what is trusted must end them.  What fails to load fails again,
 * and is reported, when a connection needs it.
 */
static void
check_trust(const char *url)
{
	JibitTrustSource source;

	if (strncmp(url, "https:", 6) != 0)
		return;
	source = trust_source(jibit_ca_file);
	if (!jibit_trust_has_changed(&source))
		return;
	note_stale();
	(void) jibit_trust_load(&source);
}

/* The options that are the same for every request. */
static bool
set_fixed_options(JibitTransfer *transfer)
{
	CURL *easy = transfer->easy;
	bool ok = true;

#define SET(option, value) \
	(ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)

	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, count_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
	SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	SET(CURLOPT_RESOLVER_START_FUNCTION, block_signals);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) JIBIT_BODY_MAX);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(CURLOPT_USERAGENT, "jibit-postgresql/" JIBIT_VERSION_STRING);
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_PROXY_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (tls_is_openssl())
	{
		SET(CURLOPT_CAINFO, NULL);
		SET(CURLOPT_CAPATH, NULL);
		/* libcurl would take the store of an earlier connection for its own. */
		SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
		SET(CURLOPT_SSL_CTX_FUNCTION, set_trust);
		SET(CURLOPT_SSL_CTX_DATA, transfer);
	}
	return ok;
}

/*
 * Over TLS the server may offer HTTP/2, and then one connection serves many
 * requests at a time (libcurl: 100, or as few as the server allows; what is
 * beyond opens more).  A request waits with CURLOPT_PIPEWAIT until the first
 * connection's handshake has told: then it joins, or opens its own as soon as
 * the server turns out to speak HTTP/1.1.  Over plain HTTP only the first
 * answer would tell, and nothing may wait for that.
 */
static bool
may_be_multiplexed(const char *url)
{
	return strncmp(url, "https:", 6) == 0;
}

/* The options that follow the configuration. */
static bool
set_configured_options(JibitTransfer *transfer)
{
	CURL *easy = transfer->easy;
	bool ok = true;

	if (transfer->settings == jibit_transport_settings)
		return true;
	transfer->settings = 0;
	SET(CURLOPT_PROTOCOLS_STR, jibit_allow_http ? "http,https" : "https");
	SET(CURLOPT_PROXY, jibit_proxy); /* "" also rules out the environment */
	SET(CURLOPT_INTERFACE,
		jibit_source_address[0] ? jibit_source_address : NULL);
	if (!tls_is_openssl() && jibit_ca_file[0])
		SET(CURLOPT_CAINFO, jibit_ca_file);
	if (ok)
		transfer->settings = jibit_transport_settings;
	return ok;
}

/* The options of one request. */
static bool
set_request_options(JibitTransfer *transfer, const JibitHttpRequest *request)
{
	CURL *easy = transfer->easy;
	bool ok = true;

	/*
	 * While calls are under way the old connections cannot be closed.  Those
	 * that are younger than the change may be used; libcurl counts seconds.
	 */
	long stale_s = connections_stale
					   ? (long) ((jibit_now_us() - stale_since) / 1000000)
					   : -1;

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	if (request->json != NULL)
	{
		SET(CURLOPT_POSTFIELDS, request->json);
		SET(CURLOPT_POSTFIELDSIZE, (long) strlen(request->json));
	}
	else
		SET(CURLOPT_HTTPGET, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long) request->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
		(long) Min(request->connect_timeout_ms, request->timeout_ms));
	SET(CURLOPT_FRESH_CONNECT, stale_s >= 0 && stale_s < 2 ? 1L : 0L);
	SET(CURLOPT_MAXLIFETIME_CONN, stale_s >= 2 ? stale_s - 1 : 0L);
	SET(CURLOPT_SSL_SESSIONID_CACHE, stale_s >= 0 ? 0L : 1L);
	SET(CURLOPT_PIPEWAIT, may_be_multiplexed(request->url) ? 1L : 0L);
	return ok;
#undef SET
}

static bool
add_header(JibitTransfer *transfer, const char *name, const char *value)
{
	/* A name, a token or a track id, and what stands between them. */
	char line[64 + JIBIT_TOKEN_MAX + 1];
	struct curl_slist *list = NULL;
	size_t length;

	if (value == NULL)
		return true;
	length = strlcpy(line, name, sizeof(line));
	length += strlcpy(line + length, value, sizeof(line) - length);
	if (length < sizeof(line))
		list = curl_slist_append(transfer->headers, line);
	explicit_bzero(line, Min(length, sizeof(line)));
	if (list == NULL)
		return false;
	transfer->headers = list;
	return true;
}

/* The header list holds a token: it does not go back to malloc as it is. */
static void
free_headers(JibitTransfer *transfer)
{
	for (struct curl_slist *line = transfer->headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
}

/* Gives a transfer that is in no multi handle back for the next request. */
static void
recycle_transfer(JibitTransfer *transfer)
{
	free_headers(transfer);
	transfer->request = NULL;
	transfer->group = NULL;
	if (idle_count >= IDLE_TRANSFERS_MAX)
	{
		curl_easy_cleanup(transfer->easy);
		free(transfer);
		return;
	}
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
	transfer->next = idle_transfers;
	idle_transfers = transfer;
	idle_count++;
}

static JibitTransfer *
get_transfer(void)
{
	JibitTransfer *transfer = idle_transfers;

	if (transfer != NULL)
	{
		idle_transfers = transfer->next;
		idle_count--;
		return transfer;
	}

	transfer = calloc(1, sizeof(JibitTransfer));
	if (transfer != NULL)
		transfer->easy = curl_easy_init();
	if (transfer == NULL || transfer->easy == NULL ||
		!set_fixed_options(transfer))
	{
		if (transfer != NULL)
			curl_easy_cleanup(transfer->easy);
		free(transfer);
		out_of_memory();
	}
	return transfer;
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
	bool ok;

	check_trust(request->url);
	ensure_multi();
	transfer = get_transfer();
	request->end = JIBIT_HTTP_ANSWERED;
	request->status = 0;
	request->body = NULL;
	request->body_length = 0;
	request->retry_after = -1;
	request->server_time = 0;
	request->reason[0] = '\0';
	transfer->group = group;
	transfer->request = request;
	transfer->capacity = 0;
	transfer->header_length = 0;
	transfer->end = JIBIT_HTTP_ANSWERED;
	transfer->why = NULL;
	transfer->error[0] = '\0';

	ok = add_header(transfer, "X-TRACK-ID: ", request->track_id) &&
		 add_header(transfer, "Authorization: Bearer ", request->bearer) &&
		 add_header(transfer, "Accept: ", "application/json") &&
		 add_header(transfer, "Content-Type: ",
					request->json ? "application/json" : NULL) &&
		 set_configured_options(transfer) &&
		 set_request_options(transfer, request) &&
		 curl_multi_add_handle(multi, transfer->easy) == CURLM_OK;
	if (!ok)
	{
		recycle_transfer(transfer);
		out_of_memory();
	}
	running_count++;
	request->transfer = transfer;
	dlist_push_tail(&group->running, &request->node);
}

static JibitHttpEnd
end_of_code(CURLcode code)
{
	switch (code)
	{
		case CURLE_OK:
			return JIBIT_HTTP_ANSWERED;
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
			return JIBIT_HTTP_UNRESOLVED;
		case CURLE_COULDNT_CONNECT:
		case CURLE_INTERFACE_FAILED:
		case CURLE_PROXY:
			return JIBIT_HTTP_UNCONNECTED;
		case CURLE_OPERATION_TIMEDOUT:
			return JIBIT_HTTP_TIMEOUT;
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_SSL_INVALIDCERTSTATUS:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_USE_SSL_FAILED:
			return JIBIT_HTTP_TLS;
		case CURLE_FILESIZE_EXCEEDED:
			return JIBIT_HTTP_TOO_LARGE;
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_URL_MALFORMAT:
		case CURLE_BAD_FUNCTION_ARGUMENT:
			return JIBIT_HTTP_MISCONFIGURED;
		case CURLE_OUT_OF_MEMORY:
			return JIBIT_HTTP_NO_MEMORY;
		default:
			return JIBIT_HTTP_BROKEN;
	}
}

/* The service's clock, for jibit_check(). */
static time_t
get_server_time(CURL *easy)
{
	struct curl_header *date;
	time_t result = -1;

	if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) ==
		CURLHE_OK)
		result = curl_getdate(date->value, NULL);
	return result == -1 ? 0 : result;
}

/* What libcurl says may repeat the proxy's URL, and so its password. */
static const char *
reason_of(const JibitTransfer *transfer, JibitHttpEnd end, CURLcode code)
{
	if (transfer->why != NULL)
		return transfer->why;
	if (end == JIBIT_HTTP_TOO_LARGE)
		return TOO_LARGE;
	if (transfer->error[0] != '\0' && strchr(jibit_proxy, '@') == NULL)
		return transfer->error;
	return curl_easy_strerror(code);
}

/* Takes the outcome over into the request, and the transfer out of use. */
static void
finish_transfer(JibitTransfer *transfer, CURLcode code)
{
	JibitHttpRequest *request = transfer->request;
	long status = 0;
	curl_off_t retry_after = 0;
	struct curl_header *header;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
	request->status = (int) status;
	if (curl_easy_header(transfer->easy, "Retry-After", 0, CURLH_HEADER, -1,
						 &header) == CURLHE_OK)
		request->retry_after = (int) Min(retry_after, INT_MAX / 1000);
	if (request->want_server_time)
		request->server_time = get_server_time(transfer->easy);
	request->end = transfer->why ? transfer->end : end_of_code(code);

	/* What libcurl 7.88 says of headers that are too large. */
	if (request->end == JIBIT_HTTP_NO_MEMORY && transfer->why == NULL &&
		status != 0)
		request->end = JIBIT_HTTP_BROKEN;
	if (request->end != JIBIT_HTTP_ANSWERED)
		strlcpy(request->reason, reason_of(transfer, request->end, code),
				sizeof(request->reason));

	curl_multi_remove_handle(multi, transfer->easy);
	running_count--;
	dlist_delete(&request->node);
	dlist_push_tail(&transfer->group->finished, &request->node);
	request->transfer = NULL;
	recycle_transfer(transfer);
}

/*
 * One turn of the loop: wait at most timeout_ms, let libcurl work, take up
 * what has ended.
 */
static void
turn(long timeout_ms)
{
	JibitReadySocket ready[JIBIT_READY_MAX];
	int nready = 0;
	int still_running;
	bool latch_set = false;
	CURLMsg *message;
	int messages_left;
	bool timer_is_due = timer_armed && timer_due <= jibit_now_us();

	/* A call that is due at once, such as a request's first, needs no wait. */
	if (!timer_is_due)
	{
		if (timer_armed)
			timeout_ms = Min(timeout_ms, jibit_ms_until(timer_due));
		nready = jibit_sockets_wait(timeout_ms, ready, &latch_set);
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
	if (timer_is_due || (timer_armed && timer_due <= jibit_now_us()))
	{
		timer_armed = false;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0,
								 &still_running);
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
	unblock_signals();

	if (latch_set)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

JibitHttpRequest *
jibit_http_wait(JibitHttpGroup *group, long timeout_ms)
{
	int64 deadline = jibit_now_us() + (int64) timeout_ms * 1000;
	int64 left = Max(timeout_ms, 0) * 1000L;

	while (dlist_is_empty(&group->finished))
	{
		turn((long) ((left + 999) / 1000));
		left = deadline - jibit_now_us();
		if (left <= 0 && dlist_is_empty(&group->finished))
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

		curl_multi_remove_handle(multi, request->transfer->easy);
		running_count--;
		recycle_transfer(request->transfer);
		request->transfer = NULL;
		dlist_delete(iter.cur);
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
	JibitTrustSource source = trust_source(ca_file);
	const char *why;

	if (!tls_is_openssl())
		return;
	jibit_trust_warm_up();
	why = jibit_trust_load(&source);
	if (why != NULL)
		ereport(
			LOG,
			(errmsg("could not load the certificates that jibit trusts: %s",
					why)));
}

void
jibit_http_forget_connections(void)
{
	note_stale();
}

const char *
jibit_http_version(void)
{
	return curl_version();
}
