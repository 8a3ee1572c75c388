/*
 * One HTTP request as libcurl has it: its handle, options and headers, and
 * what comes back.
 *
 * Of http.c alone, which has the multi handle.  Nothing here throws.
 */
#ifndef JIBIT_TRANSFER_H
#define JIBIT_TRANSFER_H

#include "net/request.h"

typedef struct JibitTransfer JibitTransfer;

/*
 * A transfer that is ready to be sent, in no multi handle yet.  The request's
 * body goes into `context`.  NULL on lack of memory.
 */
extern JibitTransfer *jibit_transfer_begin(JibitHttpRequest *request,
										   MemoryContext context);

/* libcurl's easy handle, whose CURLINFO_PRIVATE is the request. */
extern void *jibit_transfer_handle(const JibitTransfer *transfer);

/* Fills in how the request has ended; `code` is a CURLcode. */
extern void jibit_transfer_take_outcome(JibitTransfer *transfer, int code);

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
