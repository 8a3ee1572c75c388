/*-------------------------------------------------------------------------
 *
 * http.h
 *	  HTTP requests, many at a time, interruptible.
 *
 * The caller makes a group, starts requests in it, and waits for them to end
 * in whatever order they do.  Failures of the network are values in the
 * request; only interrupts and lack of memory or file descriptors throw.  A
 * group must be ended, also on an error: call jibit_http_end_group() in
 * PG_FINALLY.  It closes nothing that can still be used.
 *
 * The event loop, the connections and libcurl's handles belong to the process
 * and outlive transactions.  A wait drives the requests of every group, so a
 * group may be waited for while another has requests under way.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_HTTP_H
#define JIBIT_HTTP_H

#include "jibit.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"

/* How a request ended. */
typedef enum JibitHttpEnd
{
	JIBIT_HTTP_ANSWERED,   /* there is a status, whatever it is */
	JIBIT_HTTP_UNRESOLVED, /* the host's name */
	JIBIT_HTTP_UNCONNECTED,
	JIBIT_HTTP_TLS, /* no trust, no agreement */
	JIBIT_HTTP_TIMEOUT,
	JIBIT_HTTP_BROKEN,		  /* the connection broke, or it was no HTTP */
	JIBIT_HTTP_TOO_LARGE,	  /* body over JIBIT_BODY_MAX; status is set */
	JIBIT_HTTP_MISCONFIGURED, /* the CA file, the proxy's URL … */
	JIBIT_HTTP_NO_MEMORY
} JibitHttpEnd;

typedef struct JibitHttpRequest
{
	/*
	 * What to send.  Owned by the caller; it and the request itself must stay
	 * until the request or its group has ended, also when an error is thrown.
	 */
	const char *url;	/* checked by jibit_http_check_url() */
	const char *json;	/* body of a POST; NULL makes it a GET */
	const char *bearer; /* access token, or NULL */
	const char *track_id;
	int timeout_ms; /* for all of it, at least 1 */
	int connect_timeout_ms;
	bool want_server_time;
	void *owner; /* the caller's own */

	/* How it ended. */
	JibitHttpEnd end;
	int status;
	char *body; /* in the group's memory context, may be NULL */
	size_t body_length;
	int retry_after;	/* seconds, -1 where the answer has none */
	time_t server_time; /* of the answer's Date, if wanted; 0 for none */
	char reason[256];	/* of a failure: a sentence's inside, UTF-8 */

	struct JibitTransfer *transfer; /* private to http.c */
	dlist_node node;				/* private to http.c */
} JibitHttpRequest;

typedef struct JibitHttpGroup JibitHttpGroup;

/*
 * Bodies are allocated in `context`, which must outlive the group.  Throws on
 * lack of memory, or when libcurl is too old.
 */
extern JibitHttpGroup *jibit_http_begin_group(MemoryContext context);

/* Starts a request.  Throws on lack of memory; then it has not started. */
extern void jibit_http_start(JibitHttpGroup *group, JibitHttpRequest *request);

/*
 * Waits until a request of the group has ended and returns it; NULL after
 * timeout_ms, also when the group has none under way, so that it serves for
 * pauses too.  Serves interrupts.
 */
extern JibitHttpRequest *jibit_http_wait(JibitHttpGroup *group,
										 long timeout_ms);

/* What has ended by now, without waiting; NULL for nothing. */
extern JibitHttpRequest *jibit_http_take(JibitHttpGroup *group);

/* Breaks off what is under way and frees the group.  NULL is allowed. */
extern void jibit_http_end_group(JibitHttpGroup *group);

/*
 * Is this a base URL to which paths can be appended?  NULL if so, else why
 * not.  Plain HTTP is for the caller to judge: *is_plain tells.
 */
extern const char *jibit_http_check_url(const char *url, bool *is_plain);

/* Appends a query parameter's name or value, percent-encoded. */
extern void jibit_http_append_escaped(StringInfo target, const char *text);

/*
 * Parses the trusted certificates, in the postmaster, for its children.
 * `ca_file` is the value of jibit.ca_file.  Never throws.
 */
extern void jibit_http_preload(const char *ca_file);

/* Tells that the trusted certificates are others: no connection is reused. */
extern void jibit_http_forget_connections(void);

/* The versions of libcurl and of its TLS library, for jibit_check(). */
extern const char *jibit_http_version(void);

#endif /* JIBIT_HTTP_H */
