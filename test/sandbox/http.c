/*
 * http.c
 *		The HTTP server.
 *
 * The only file that knows libmicrohttpd.  Its threads serve all connections;
 * a request that must wait is suspended, and the timer's thread resumes it,
 * so that thousands can wait.  A Call belongs to the thread that handles its
 * connection, but for the time that the connection is suspended.
 */
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "control.h"
#include "counters.h"
#include "http.h"
#include "listen.h"
#include "random.h"
#include "request.h"
#include "service.h"
#include "timer.h"

/* How soon it is noticed that the peer of a silent call has left. */
#define HANG_CHECK_MS 500
#define DRIP_MS 1000
#define BLOCK_SIZE 16384
#define TRACK_ID_PREFIX "sandbox-"
#define TRACK_ID_DIGITS 16

typedef struct Call
{
	struct MHD_Connection *connection;
	Request request;
	Answer answer;
	bool answered; /* decided, perhaps not sent yet */
	bool counted;
	bool drip_due;
	char track_id[sizeof(TRACK_ID_PREFIX) + TRACK_ID_DIGITS];
} Call;

static struct MHD_Daemon *daemon_handle;
static const char *base_path;
static char base_url[LISTEN_URL_SIZE];
static char *tls_cert;
static char *tls_key;
static FILE *log_file;

/*
 * Has the library call again after that time, or at once where memory is
 * short.  False when the server stops: then nothing may wait any more.
 */
static bool
wait_and_call_again(Call *call, long delay_ms)
{
	if (timer_stopping())
		return false;
	MHD_suspend_connection(call->connection);
	if (!timer_add(delay_ms, call->connection))
		MHD_resume_connection(call->connection);
	return true;
}

static void
resume(void *connection)
{
	MHD_resume_connection(connection);
}

static void
read_header(Request *request, const char *name, size_t length,
			const char *value)
{
	switch (length)
	{
		case 10:
			if (strcasecmp(name, "X-TRACK-ID") == 0)
				request->track_id = value;
			else if (strcasecmp(name, "User-Agent") == 0)
				request->user_agent = value;
			break;
		case 12:
			if (strcasecmp(name, "Content-Type") == 0)
				request->content_type = value;
			break;
		case 13:
			if (strcasecmp(name, "Authorization") == 0)
				request->authorization = value;
			break;
		case 15:
			if (strcasecmp(name, "X-Sandbox-Fault") == 0)
				request->fault = value;
			break;
		case 18:
			if (strcasecmp(name, "X-Sandbox-Delay-Ms") == 0)
				request->delay = value;
			break;
		default:
			break;
	}
}

static enum MHD_Result
read_value(void *cls, enum MHD_ValueKind kind, const char *name,
		   size_t name_length, const char *value, size_t length)
{
	Request *request = cls;
	Param *param;

	if (kind == MHD_HEADER_KIND)
	{
		if (value != NULL)
			read_header(request, name, name_length, value);
	}
	else if (request->nparams == REQUEST_MAX_PARAMS)
		request->too_many_params = true;
	else
	{
		param = &request->params[request->nparams++];
		param->name = name;
		param->value = value == NULL ? "" : value;
		param->length = value == NULL ? 0 : length;
	}
	return MHD_YES;
}

/* The request's head has arrived. */
static Call *
start_call(struct MHD_Connection *connection, const char *url,
		   const char *method)
{
	Call *call = calloc(1, sizeof(*call));
	size_t length = strlen(base_path);

	if (call == NULL)
		return NULL;
	call->connection = connection;
	call->request.method = method;
	call->request.outside = strncmp(url, base_path, length) != 0;
	call->request.path = call->request.outside ? url : url + length;
	MHD_get_connection_values_n(connection,
								MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND,
								read_value, &call->request);
	answer_init(&call->answer);
	return call;
}

/* More of the body has arrived. */
static void
read_body(Request *request, const char *data, size_t length)
{
	char *larger;

	if (request->body_too_large ||
		length > REQUEST_MAX_BODY - request->body_length)
	{
		request->body_too_large = true;
		return;
	}
	larger = realloc(request->body, request->body_length + length + 1);
	if (larger == NULL)
	{
		request->body_too_large = true;
		return;
	}
	request->body = larger;
	memcpy(larger + request->body_length, data, length);
	request->body_length += length;
	larger[request->body_length] = '\0';
}

/* Without the path and the query, in which a key or a token may be. */
static void
write_log(const Call *call, const Operation *operation)
{
	struct timespec now;
	struct tm utc;
	char time[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &utc);
	fprintf(log_file, "%s.%03ldZ %s %s %d\n", time, now.tv_nsec / 1000000,
			call->request.method, operation == NULL ? "-" : operation->name,
			call->answer.status);
}

/* The request is complete. */
static void
decide_answer(Call *call)
{
	const Operation *operation;

	call->answered = true;
	if (control_is(&call->request))
	{
		control_answer(&call->request, &call->answer);
		return;
	}
	call->counted = true;
	counters_begin();
	operation = service_answer(&call->request, &call->answer);
	if (log_file != NULL)
		write_log(call, operation);
}

/* What the caller sent, or one of our own. */
static const char *
track_id(Call *call)
{
	const char *given = call->request.track_id;

	if (given != NULL && *given != '\0' &&
		strlen(given) <= REQUEST_MAX_TRACK_ID && !call->answer.other_track_id)
		return given;
	memcpy(call->track_id, TRACK_ID_PREFIX, strlen(TRACK_ID_PREFIX));
	random_hex(call->track_id + strlen(TRACK_ID_PREFIX), TRACK_ID_DIGITS);
	return call->track_id;
}

static ssize_t
read_endless(void *cls, uint64_t position, char *to, size_t room)
{
	size_t length;
	const char *start = answer_body(cls, &length);

	if (position < length)
	{
		length -= (size_t) position;
		if (length > room)
			length = room;
		memcpy(to, start + position, length);
		return (ssize_t) length;
	}
	memset(to, 'x', room);
	return (ssize_t) room;
}

/* Half of the body, and no more. */
static ssize_t
read_cut(void *cls, uint64_t position, char *to, size_t room)
{
	size_t length;
	const char *body = answer_body(cls, &length);

	length /= 2;
	if (position >= length)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	length -= (size_t) position;
	if (length > room)
		length = room;
	memcpy(to, body + position, length);
	return (ssize_t) length;
}

static ssize_t
read_drip(void *cls, uint64_t position, char *to, size_t room)
{
	Call *call = cls;
	size_t length;
	const char *body = answer_body(&call->answer, &length);

	(void) room;
	if (!call->drip_due)
	{
		call->drip_due = true;
		return wait_and_call_again(call, DRIP_MS)
				   ? 0
				   : MHD_CONTENT_READER_END_WITH_ERROR;
	}
	call->drip_due = false;
	*to = body[position];
	return 1;
}

static struct MHD_Response *
create_response(Call *call)
{
	Answer *answer = &call->answer;
	size_t length;
	const char *body = answer_body(answer, &length);

	switch (answer->delivery)
	{
		case DELIVER_ENDLESS:
			return MHD_create_response_from_callback(
				MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_endless, answer, NULL);
		case DELIVER_CUT:
			return MHD_create_response_from_callback(length, BLOCK_SIZE,
													 read_cut, answer, NULL);
		case DELIVER_DRIP:
			return MHD_create_response_from_callback(length, 1, read_drip,
													 call, NULL);
		default:
			/* Lives in the call, which outlives the response. */
			return MHD_create_response_from_buffer(length, (void *) body,
												   MHD_RESPMEM_PERSISTENT);
	}
}

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value != NULL)
		MHD_add_response_header(response, name, value);
}

static enum MHD_Result
send_answer(Call *call)
{
	Answer *answer = &call->answer;
	struct MHD_Response *response = create_response(call);
	enum MHD_Result result;
	char location[1024];

	if (response == NULL)
		return MHD_NO;
	add_header(response, "X-TRACK-ID", track_id(call));
	add_header(response, "Content-Type", answer->content_type);
	add_header(response, "Retry-After", answer->retry_after);
	add_header(response, "Allow", answer->allow);
	if (answer->location != NULL)
	{
		snprintf(location, sizeof(location), "%s%s", base_url,
				 answer->location);
		add_header(response, "Location", location);
	}
	if (!answer->keep_alive)
		add_header(response, "Connection", "close");
	result = MHD_queue_response(call->connection, (unsigned) answer->status,
								response);
	MHD_destroy_response(response);
	return result;
}

static int
socket_of(const Call *call)
{
	return MHD_get_connection_info(call->connection,
								   MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

/*
 * Resets the connection at once.  With SO_LINGER alone the library would send
 * a FIN first; dissolving the association sends nothing but the RST.
 */
static void
reset_connection(const Call *call)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	int fd = socket_of(call);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	if (connect(fd, &nowhere, sizeof(nowhere)) != 0)
		shutdown(fd, SHUT_RDWR);
}

static bool
peer_left(const Call *call)
{
	struct pollfd poller = {.fd = socket_of(call), .events = POLLRDHUP};

	return poll(&poller, 1, 0) != 0;
}

static enum MHD_Result
deliver(Call *call)
{
	switch (call->answer.delivery)
	{
		case DELIVER_CLOSE:
			return MHD_NO;
		case DELIVER_RESET:
			reset_connection(call);
			return MHD_NO;
		case DELIVER_HANG:
			if (peer_left(call) || !wait_and_call_again(call, HANG_CHECK_MS))
				return MHD_NO;
			return MHD_YES;
		default:
			return send_answer(call);
	}
}

/*
 * Called by the library for a request's head, for each piece of its body, at
 * its end, and again after each wait.
 */
static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url,
	   const char *method, const char *version, const char *data,
	   size_t *data_size, void **con_cls)
{
	Call *call = *con_cls;

	(void) cls;
	(void) version;
	if (call == NULL)
	{
		*con_cls = start_call(connection, url, method);
		return *con_cls == NULL ? MHD_NO : MHD_YES;
	}
	if (*data_size > 0)
	{
		read_body(&call->request, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	if (!call->answered)
	{
		decide_answer(call);
		if (call->answer.delay_ms > 0)
			return wait_and_call_again(call, call->answer.delay_ms) ? MHD_YES
																	: MHD_NO;
	}
	return deliver(call);
}

/* The answer has left, or the connection is gone. */
static void
end_call(void *cls, struct MHD_Connection *connection, void **con_cls,
		 enum MHD_RequestTerminationCode reason)
{
	Call *call = *con_cls;

	(void) cls;
	(void) connection;
	(void) reason;
	if (call == NULL)
		return;
	if (call->counted)
		counters_end();
	answer_clear(&call->answer);
	free(call->request.body);
	free(call);
	*con_cls = NULL;
}

static void
count_connection(void *cls, struct MHD_Connection *connection, void **context,
				 enum MHD_ConnectionNotificationCode code)
{
	(void) cls;
	(void) connection;
	(void) context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		counters_connection();
}

/* The whole file as text, or NULL with the reason on stderr. */
static char *
read_file(const char *name)
{
	FILE *file = fopen(name, "r");
	char *text = NULL;
	size_t size = 0;

	if (file != NULL)
	{
		if (getdelim(&text, &size, '\0', file) < 0)
		{
			free(text);
			text = NULL;
		}
		fclose(file);
	}
	if (text == NULL)
		fprintf(stderr, "jibit-sandbox: %s: cannot be read\n", name);
	return text;
}

static bool
start_daemon(const Options *options, int fd)
{
	struct MHD_OptionItem extra[4];
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	int n = 0;

	if (options->threads > 1)
		extra[n++] = (struct MHD_OptionItem){
			MHD_OPTION_THREAD_POOL_SIZE, (intptr_t) options->threads, NULL};
	if (tls_cert != NULL)
	{
		flags |= MHD_USE_TLS;
		extra[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
											 tls_cert};
		extra[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
											 tls_key};
	}
	extra[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	daemon_handle = MHD_start_daemon(
		flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, listen_max_connections(),
		MHD_OPTION_NOTIFY_COMPLETED, end_call, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, count_connection, NULL, MHD_OPTION_ARRAY,
		extra, MHD_OPTION_END);
	if (daemon_handle == NULL)
		fputs("jibit-sandbox: the HTTP server does not start"
			  " (a certificate that does not fit its key?)\n",
			  stderr);
	return daemon_handle != NULL;
}

/* False with the reason on stderr. */
bool
http_start(const Options *options)
{
	int fd;

	base_path = options->base_path;
	if (options->tls_cert != NULL)
	{
		tls_cert = read_file(options->tls_cert);
		tls_key = read_file(options->tls_key);
		if (tls_cert == NULL || tls_key == NULL)
			return false;
	}
	if (options->log != NULL)
	{
		log_file = fopen(options->log, "ae");
		if (log_file == NULL)
		{
			fprintf(stderr, "jibit-sandbox: %s: %s\n", options->log,
					strerror(errno));
			return false;
		}
		setvbuf(log_file, NULL, _IOLBF, 0);
	}
	fd = listen_open(options->host, options->port);
	return fd >= 0 && listen_url(fd, tls_cert != NULL, base_path, base_url) &&
		   timer_start(resume) && start_daemon(options, fd);
}

const char *
http_base_url(void)
{
	return base_url;
}

/* Ends all connections; those that wait are woken up first. */
void
http_stop(void)
{
	timer_stop();
	MHD_stop_daemon(daemon_handle);
	if (log_file != NULL)
		fclose(log_file);
	free(tls_cert);
	free(tls_key);
}
