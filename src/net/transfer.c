/*
 * One HTTP request as libcurl has it: its handle, options and headers, and
 * what comes back.
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
 * the next request; bodies are in the caller's memory context.
 */
#include "postgres.h"

#include <signal.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/config.h"
#include "net/sockets.h"
#include "net/transfer.h"
#include "net/trust.h"
#include "utils/memutils.h"

/* First size of a body's buffer: most answers fit. */
#define BODY_INITIAL 1024

/* As much as libcurl itself takes for headers. */
#define HEADERS_MAX (300 * 1024)

/* A server that wants more than a day is in error. */
#define RETRY_AFTER_MAX_S (24 * 60 * 60)

/* Idle transfers that are kept; each has some 10 kB. */
#define IDLE_TRANSFERS_MAX 64

#define USER_AGENT "jibit-postgresql/" JIBIT_VERSION_STRING
#define TRACK_HEADER "X-TRACK-ID: "
#define LINES_MAX 5

#define NO_DESCRIPTORS \
	"the session has no file descriptor left; max_files_per_process sets how many there are"

/* In words, the limit of JIBIT_BODY_MAX. */
#define TOO_LARGE "it is larger than 1 MB"

struct JibitTransfer
{
	CURL *easy;
	struct curl_slist headers[LINES_MAX]; /* a list of what is sent */
	char track_header[sizeof(TRACK_HEADER) + JIBIT_TRACK_ID_MAX];
	char *bearer_header; /* malloc'd and kept; empty while idle */
	size_t bearer_size;
	JibitHttpRequest *request;
	MemoryContext context; /* of the request's body */
	uint64 settings; /* jibit_transport_settings that `easy` has; 0: none */
	size_t capacity; /* of the request's body */
	size_t header_length;
	JibitHttpEnd end; /* what a callback saw, else ANSWERED */
	const char *why;  /* its reason, or NULL */
	char error[CURL_ERROR_SIZE];
	JibitTransfer *next; /* in the list of idle ones */
};

static JibitTransfer *idle_transfers;
static int idle_count;
static bool connections_stale; /* do not reuse what is open */
static int64 stale_since;	   /* microseconds, see clock.h */

static bool signals_blocked;
static sigset_t signals_saved;

/*
 * Blocks all signals when libcurl is about to resolve a name, for which it may
 * start a thread.  Whoever has called libcurl ends it with
 * jibit_transfer_unblock_signals(): nearly always there is nothing to end.
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

void
jibit_transfer_unblock_signals(void)
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
		char *larger = MemoryContextAllocExtended(transfer->context, capacity,
												  MCXT_ALLOC_NO_OOM);

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

void
jibit_connections_note_stale(void)
{
	connections_stale = true;
	stale_since = jibit_now_us();
}

void
jibit_connections_note_fresh(void)
{
	connections_stale = false;
}

bool
jibit_connections_are_stale(void)
{
	return connections_stale;
}

/* Asked once: libcurl composes its answer anew each time. */
static const curl_version_info_data *
libcurl_info(void)
{
	static const curl_version_info_data *info;

	if (info == NULL)
		info = curl_version_info(CURLVERSION_NOW);
	return info;
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
		source.file = libcurl_info()->cainfo;
		if (source.file == NULL)
			source.directory = libcurl_info()->capath;
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
		jibit_connections_note_stale();
	if (why == NULL)
		return CURLE_OK;
	refuse_body(transfer,
				errno == ENOMEM ? JIBIT_HTTP_NO_MEMORY
								: JIBIT_HTTP_MISCONFIGURED,
				why);
	return CURLE_SSL_CACERT_BADFILE;
}

/* trust.c speaks to OpenSSL; other TLS libraries read the file by themselves. */
static bool
tls_is_openssl(void)
{
	const char *name = libcurl_info()->ssl_version;

	return name != NULL && strncmp(name, "OpenSSL/", 8) == 0;
}

/* Schemes are the same in capitals. */
static bool
is_over_tls(const char *url)
{
	return pg_strncasecmp(url, "https:", 6) == 0;
}

/*
 * libcurl resumes TLS sessions, for which no certificate is looked at: a
 * change of what is trusted must end them.  What fails to load fails again,
 * and is reported, when a connection needs it.
 */
void
jibit_transfer_check_trust(const char *url)
{
	JibitTrustSource source;

	if (!is_over_tls(url))
		return;
	source = trust_source(jibit_ca_file);
	if (!jibit_trust_has_changed(&source))
		return;
	jibit_connections_note_stale();
	(void) jibit_trust_load(&source);
}

/*
 * Options and headers.
 */

/* The options that are the same for every request. */
static bool
set_fixed_options(JibitTransfer *transfer)
{
	CURL *easy = transfer->easy;
	bool ok = true;

#define SET(option, value) \
	(ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)

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

	/* For the proxy; requests have it among their headers, see there. */
	SET(CURLOPT_USERAGENT, jibit_proxy[0] ? USER_AGENT : NULL);
	SET(CURLOPT_INTERFACE,
		jibit_source_address[0] ? jibit_source_address : NULL);
	if (!tls_is_openssl())
	{
		JibitTrustSource source = trust_source(jibit_ca_file);

		/* Both each time: the handle may have those of another setting. */
		SET(CURLOPT_CAINFO, source.file);
		if (libcurl_info()->capath != NULL)
			SET(CURLOPT_CAPATH, source.directory);
	}
	if (ok)
		transfer->settings = jibit_transport_settings;
	return ok;
}

/*
 * What libcurl would make of the URL: the path and the query.  It puts them
 * together character by character, a target that it is given is copied.  A
 * proxy is asked for the whole URL, and that is left to libcurl.
 */
static const char *
request_target(const char *url)
{
	const char *host = strstr(url, "://");

	if (host == NULL || jibit_proxy[0] != '\0')
		return NULL;
	return strchr(host + 3, '/');
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

	SET(CURLOPT_PRIVATE, request);
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_REQUEST_TARGET, request_target(request->url));
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	if (request->json != NULL)
	{
		SET(CURLOPT_POSTFIELDS, request->json);
		SET(CURLOPT_POSTFIELDSIZE, (long) strlen(request->json));
	}
	else
		SET(CURLOPT_HTTPGET, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
		(long) Min(request->connect_timeout_ms, request->timeout_ms));
	SET(CURLOPT_FRESH_CONNECT, stale_s >= 0 && stale_s < 2 ? 1L : 0L);
	SET(CURLOPT_MAXLIFETIME_CONN, stale_s >= 2 ? stale_s - 1 : 0L);
	SET(CURLOPT_SSL_SESSIONID_CACHE, stale_s >= 0 ? 0L : 1L);

	/*
	 * Over TLS the server may offer HTTP/2, and then one connection serves
	 * many requests at a time (libcurl: 100, or as few as the server allows;
	 * what is beyond opens more).  A request waits until the first connection's
	 * handshake has told: then it joins, or opens its own as soon as the server
	 * turns out to speak HTTP/1.1.  Over plain HTTP only the first answer would
	 * tell, and nothing may wait for that.
	 */
	SET(CURLOPT_PIPEWAIT, is_over_tls(request->url) ? 1L : 0L);
	return ok;
#undef SET
}

/* Lengths are known here, and the server's strlcpy() goes byte by byte. */
static void
put_header(char *line, const char *name, size_t name_length, const char *value,
		   size_t value_length)
{
	memcpy(line, name, name_length);
	memcpy(line + name_length, value, value_length + 1);
}

static bool
set_bearer_header(JibitTransfer *transfer, const char *token)
{
	static const char name[] = "Authorization: Bearer ";
	size_t length = strlen(token);
	size_t size = sizeof(name) + length;

	if (size > transfer->bearer_size)
	{
		free(transfer->bearer_header);
		transfer->bearer_header = malloc(size);
		transfer->bearer_size = transfer->bearer_header ? size : 0;
	}
	if (transfer->bearer_header == NULL)
		return false;
	put_header(transfer->bearer_header, name, sizeof(name) - 1, token, length);
	return true;
}

/*
 * The list is made of nodes that are the transfer's own: libcurl only reads it.
 * The user agent is one of them because libcurl composes the line of its own
 * option anew for each request, and then copies it character by character.
 */
static bool
set_headers(JibitTransfer *transfer, const JibitHttpRequest *request)
{
	static char accept[] = "Accept: application/json";
	static char user_agent[] = "User-Agent: " USER_AGENT;
	static char content_type[] = "Content-Type: application/json";
	char *lines[LINES_MAX];
	int count = 0;

	lines[count++] = accept;
	lines[count++] = user_agent;
	if (request->json != NULL)
		lines[count++] = content_type;
	if (request->track_id != NULL)
	{
		Assert(strlen(request->track_id) <= JIBIT_TRACK_ID_MAX);
		put_header(transfer->track_header, TRACK_HEADER, strlen(TRACK_HEADER),
				   request->track_id, strlen(request->track_id));
		lines[count++] = transfer->track_header;
	}
	if (request->bearer != NULL)
	{
		if (!set_bearer_header(transfer, request->bearer))
			return false;
		lines[count++] = transfer->bearer_header;
	}
	for (int i = 0; i < count; i++)
	{
		transfer->headers[i].data = lines[i];
		transfer->headers[i].next = i + 1 < count ? &transfer->headers[i + 1]
												  : NULL;
	}
	return true;
}

static void
free_transfer(JibitTransfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	free(transfer->bearer_header);
	free(transfer);
}

void
jibit_transfer_end(JibitTransfer *transfer)
{
	/* No token stays behind. */
	if (transfer->bearer_header != NULL)
		explicit_bzero(transfer->bearer_header,
					   strlen(transfer->bearer_header));
	transfer->request = NULL;
	if (idle_count >= IDLE_TRANSFERS_MAX)
	{
		free_transfer(transfer);
		return;
	}
	transfer->next = idle_transfers;
	idle_transfers = transfer;
	idle_count++;
}

/*
 * Transfers.
 */

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
		return NULL;
	}
	return transfer;
}

JibitTransfer *
jibit_transfer_begin(JibitHttpRequest *request, MemoryContext context)
{
	JibitTransfer *transfer = get_transfer();
	bool ok;

	if (transfer == NULL)
		return NULL;
	request->end = JIBIT_HTTP_ANSWERED;
	request->status = 0;
	request->body = NULL;
	request->body_length = 0;
	request->retry_after = -1;
	request->server_time = 0;
	request->reason[0] = '\0';
	transfer->context = context;
	transfer->request = request;
	transfer->capacity = 0;
	transfer->header_length = 0;
	transfer->end = JIBIT_HTTP_ANSWERED;
	transfer->why = NULL;
	transfer->error[0] = '\0';

	ok = set_headers(transfer, request) && set_configured_options(transfer) &&
		 set_request_options(transfer, request);
	if (ok)
		return transfer;
	jibit_transfer_end(transfer);
	return NULL;
}

void *
jibit_transfer_handle(const JibitTransfer *transfer)
{
	return transfer->easy;
}

void
jibit_transfer_drop_idle(void)
{
	while (idle_transfers != NULL)
	{
		JibitTransfer *transfer = idle_transfers;

		idle_transfers = transfer->next;
		free_transfer(transfer);
	}
	idle_count = 0;
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

void
jibit_transfer_take_outcome(JibitTransfer *transfer, int code)
{
	JibitHttpRequest *request = transfer->request;
	long status = 0;
	curl_off_t retry_after = 0;
	struct curl_header *header;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
	request->status = (int) status;

	/* A date may be over, by the service's clock or by ours: that is now. */
	if (curl_easy_header(transfer->easy, "Retry-After", 0, CURLH_HEADER, -1,
						 &header) == CURLHE_OK)
		request->retry_after = (int) Min(Max(retry_after, 0),
										 RETRY_AFTER_MAX_S);
	if (request->want_server_time)
		request->server_time = get_server_time(transfer->easy);

	/* Where it ended well, what a callback saw was of one address of two. */
	request->end = code != CURLE_OK && transfer->why ? transfer->end
													 : end_of_code(code);

	/*
	 * Once there is a status, it is the answer that is broken: libcurl 7.88
	 * speaks of memory where headers are too large, and of a bad argument
	 * where a trailer is none.
	 */
	if ((request->end == JIBIT_HTTP_NO_MEMORY ||
		 request->end == JIBIT_HTTP_MISCONFIGURED) &&
		transfer->why == NULL && status != 0)
		request->end = JIBIT_HTTP_BROKEN;

	/*
	 * OpenSSL does not say when it had no memory to read a certificate's key,
	 * and without it trusts nobody.
	 */
	if (request->end == JIBIT_HTTP_TLS && tls_is_openssl())
	{
		jibit_trust_forget();
		jibit_connections_note_stale();
	}
	if (request->end != JIBIT_HTTP_ANSWERED)
		strlcpy(request->reason, reason_of(transfer, request->end, code),
				sizeof(request->reason));
}

void
jibit_transfer_preload(const char *ca_file)
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
