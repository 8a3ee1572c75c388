/*-------------------------------------------------------------------------
 *
 * transfer.h
 *	  One HTTP request as libcurl has it: its handle, options and headers, and
 *	  what comes back.
 *
 * Of http.c alone, which has the multi handle.  Nothing here throws.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_TRANSFER_H
#define JIBIT_TRANSFER_H

#include <curl/curl.h>

#include "net/request.h"

/*
 * CURLOPT_QUICK_EXIT came with 7.87: without it a cancel behind a silent name
 * server waits for the resolver's thread.
 */
#if !CURL_AT_LEAST_VERSION(7, 87, 0)
#error "jibit needs libcurl 7.87 or later"
#endif
#define JIBIT_LIBCURL_FLOOR 0x075700

#define JIBIT_TRACK_HEADER "X-TRACK-ID: "
#define JIBIT_HEADERS_MAX 5

typedef struct JibitTransfer
{
	CURL *easy;
	struct curl_slist headers[JIBIT_HEADERS_MAX]; /* a list of what is sent */
	char track_header[sizeof(JIBIT_TRACK_HEADER) + JIBIT_TRACK_ID_MAX];
	char *bearer_header; /* malloc'd and kept; empty while idle */
	size_t bearer_size;
	JibitHttpRequest *request;
	struct JibitHttpGroup *group; /* http.c's own */
	MemoryContext context;		  /* of the request's body */
	uint64 settings; /* jibit_transport_settings that `easy` has; 0: none */
	size_t capacity; /* of the request's body */
	size_t header_length;
	JibitHttpEnd end; /* what a callback saw, else ANSWERED */
	const char *why;  /* its reason, or NULL */
	char error[CURL_ERROR_SIZE];
	struct JibitTransfer *next; /* in the list of idle ones */
} JibitTransfer;

/*
 * A transfer that is ready to be sent, in no multi handle yet.  The request's
 * body goes into `context`.  NULL on lack of memory.
 */
extern JibitTransfer *jibit_transfer_begin(JibitHttpRequest *request,
										   MemoryContext context);

/* Fills in how the request has ended. */
extern void jibit_transfer_take_outcome(JibitTransfer *transfer,
										CURLcode code);

/* Gives one that is in no multi handle back, for the next request. */
extern void jibit_transfer_end(JibitTransfer *transfer);

/* Frees those that wait for a request. */
extern void jibit_transfer_drop_idle(void);

/* After every call into libcurl, which may have had signals blocked. */
extern void jibit_transfer_unblock_signals(void);

/*
 * Are connections open that were made before what is trusted changed?  They
 * are not reused, and closed as soon as no request is under way.
 */
extern bool jibit_connections_are_stale(void);
extern void jibit_connections_note_stale(void);
extern void jibit_connections_note_fresh(void);

/* Before a request to this URL: notes a change of what is trusted. */
extern void jibit_transfer_check_trust(const char *url);

/* See jibit_http_preload(). */
extern void jibit_transfer_preload(const char *ca_file);

#endif /* JIBIT_TRANSFER_H */
