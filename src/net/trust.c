/*
 * The certificate authorities that TLS connections trust.
 *
 * The only file that knows OpenSSL's TLS.  Parsing a system's bundle of some 140
 * certificates costs 20 to 25 ms of CPU, which every new session would pay at
 * its first call.  So the postmaster parses it once and the sessions inherit
 * the parsed store; a session parses by itself only what has changed since.
 *
 * The store is OpenSSL's (malloc'd and reference-counted); this file holds one
 * reference, each SSL context that uses the store another.
 */
#include "postgres.h"

#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/trust.h"

/*
 * How often a file whose name is the same is looked at, other than when a
 * connection is opened: it may be on a slow disk.
 */
#define LOOK_EVERY_US INT64CONST(1000000)

/* What the store was made of: the names, and the file as it was then. */
static X509_STORE *store;
static char store_file[MAXPGPATH];
static char store_directory[MAXPGPATH];
static struct stat store_stat;
static int64 looked_us; /* see clock.h */

/* Why a source is of no use, with its name; good until the next. */
static const char *
explain(const JibitTrustSource *source, const char *what)
{
	static char why[MAXPGPATH + 128];

	snprintf(why, sizeof(why),
			 "the %s with the trusted certificates, \"%s\", %s",
			 source->file ? "file" : "directory",
			 source->file ? source->file : source->directory, what);
	return why;
}

static bool
same_name(const char *name, const char *stored)
{
	return strcmp(name ? name : "", stored) == 0;
}

static bool
is_same_source(const JibitTrustSource *source)
{
	return same_name(source->file, store_file) &&
		   same_name(source->directory, store_directory);
}

static bool
is_current(const JibitTrustSource *source, const struct stat *now)
{
	return store != NULL && is_same_source(source) &&
		   now->st_ino == store_stat.st_ino &&
		   now->st_dev == store_stat.st_dev &&
		   now->st_size == store_stat.st_size &&
		   now->st_mtim.tv_sec == store_stat.st_mtim.tv_sec &&
		   now->st_mtim.tv_nsec == store_stat.st_mtim.tv_nsec;
}

/* Empties OpenSSL's list of errors; was one of them a lack of memory? */
static bool
forget_errors(void)
{
	unsigned long error;
	bool lacked_memory = false;

	while ((error = ERR_get_error()) != 0)
	{
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
			lacked_memory = true;
	}
	return lacked_memory;
}

const char *
jibit_trust_load(const JibitTrustSource *source)
{
	struct stat now;
	X509_STORE *fresh;

	errno = 0;
	memset(&now, 0, sizeof(now));
	if (source->file == NULL && source->directory == NULL)
		return "no file or directory with trusted certificates is known";
	if (source->file != NULL && stat(source->file, &now) != 0)
		return explain(source, "cannot be read");
	if (is_current(source, &now))
		return NULL;
	if ((source->file && strlen(source->file) >= sizeof(store_file)) ||
		(source->directory &&
		 strlen(source->directory) >= sizeof(store_directory)))
		return "the name of the file with the trusted certificates is too long";

	fresh = X509_STORE_new();
	if (fresh == NULL ||
		X509_STORE_load_locations(fresh, source->file, source->directory) != 1)
	{
		X509_STORE_free(fresh);
		if (forget_errors())
		{
			errno = ENOMEM;
			return "out of memory";
		}
		return explain(source, "has no certificate that can be read");
	}

	/* As libcurl does: an intermediate that is listed is trusted by itself. */
	X509_STORE_set_flags(fresh, X509_V_FLAG_TRUSTED_FIRST |
									X509_V_FLAG_PARTIAL_CHAIN);

	X509_STORE_free(store);
	store = fresh;
	strlcpy(store_file, source->file ? source->file : "", sizeof(store_file));
	strlcpy(store_directory, source->directory ? source->directory : "",
			sizeof(store_directory));
	store_stat = now;
	return NULL;
}

bool
jibit_trust_has_changed(const JibitTrustSource *source)
{
	struct stat now;

	memset(&now, 0, sizeof(now));
	if (store == NULL)
		return false;
	if (is_same_source(source) && jibit_now_us() - looked_us < LOOK_EVERY_US)
		return false;
	looked_us = jibit_now_us();
	if (source->file != NULL && stat(source->file, &now) != 0)
		return true;
	return !is_current(source, &now);
}

const char *
jibit_trust_apply(void *ssl_context, const JibitTrustSource *source,
				  bool *changed)
{
	const X509_STORE *before = store;
	const char *why = jibit_trust_load(source);

	/* Never the same address: the new one is made before the old one goes. */
	*changed = before != NULL && store != before;
	if (why == NULL)
		SSL_CTX_set1_cert_store(ssl_context, store);
	return why;
}

void
jibit_trust_forget(void)
{
	X509_STORE_free(store);
	store = NULL;
}

void
jibit_trust_warm_up(void)
{
	SSL_CTX_free(SSL_CTX_new(TLS_client_method()));
	ERR_clear_error();
}
