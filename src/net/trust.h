/*
 * The certificate authorities that TLS connections trust.
 */
#ifndef JIBIT_TRUST_H
#define JIBIT_TRUST_H

/* Where certificates lie: a file, a directory, or both; NULL for neither. */
typedef struct JibitTrustSource
{
	const char *file;
	const char *directory;
} JibitTrustSource;

/*
 * Makes an OpenSSL context (an SSL_CTX *) trust the source, and only that.
 * Parses it if this process or its parent has not yet, or if the file has
 * changed since; *changed says whether that replaced what was trusted before.
 * Returns NULL, or why not (static text), with ENOMEM in errno on lack of
 * memory.  Never throws, so that it can be called from libcurl's callbacks.
 */
extern const char *jibit_trust_apply(void *ssl_context,
									 const JibitTrustSource *source,
									 bool *changed);

/*
 * Is the source another than what this process has parsed, or has its file
 * changed since?  False while nothing has been parsed.  The file is looked at
 * once a second at most.
 */
extern bool jibit_trust_has_changed(const JibitTrustSource *source);

/*
 * Parses the source now, so that processes forked later inherit the result.
 * Returns NULL, or why not.
 */
extern const char *jibit_trust_load(const JibitTrustSource *source);

/* So that it is parsed again when a connection needs it. */
extern void jibit_trust_forget(void);

/*
 * Has OpenSSL set up what it sets up at its first use, some milliseconds of
 * CPU, in this process and so for those that are forked later.
 */
extern void jibit_trust_warm_up(void);

#endif /* JIBIT_TRUST_H */
