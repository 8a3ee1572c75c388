/*
 * HTTP requests, many at a time, interruptible.
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
 */
#ifndef JIBIT_HTTP_H
#define JIBIT_HTTP_H

#include "lib/stringinfo.h"
#include "net/request.h"

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

/*
 * One turn: waits until something comes in for any group, the latch is set, or
 * timeout_ms are over, and takes up what has ended.  Serves interrupts.  The
 * wait is shown as wait_event, 0 for the calls themselves.
 */
extern void jibit_http_turn(long timeout_ms, uint32 wait_event);

/* What has ended by now, without waiting; NULL for nothing. */
extern JibitHttpRequest *jibit_http_take(JibitHttpGroup *group);

/* Breaks off what is under way and frees the group.  NULL is allowed. */
extern void jibit_http_end_group(JibitHttpGroup *group);

/*
 * Is this a base URL to which paths can be appended?  NULL if so, else why
 * not.  Plain HTTP is for the caller to judge: *is_plain tells.  Throws on lack
 * of memory.
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
