/*
 * An HTTP request and how it has ended.
 */
#ifndef JIBIT_REQUEST_H
#define JIBIT_REQUEST_H

#include "base/limits.h"
#include "lib/ilist.h"

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
	const char *url;	  /* checked by jibit_http_check_url() */
	const char *json;	  /* body of a POST; NULL makes it a GET */
	const char *bearer;	  /* access token, or NULL */
	const char *track_id; /* at most JIBIT_TRACK_ID_MAX bytes */
	int timeout_ms;		  /* for all of it, at least 1 */
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

	/* Private to net/. */
	struct JibitHttpGroup *group;
	struct JibitTransfer *transfer;
	int64 deadline_us; /* of jibit_drive_now() */
	dlist_node node;
} JibitHttpRequest;

#endif /* JIBIT_REQUEST_H */
