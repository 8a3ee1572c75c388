/*
 * Limits that several modules share.
 */
#ifndef JIBIT_LIMITS_H
#define JIBIT_LIMITS_H

#define JIBIT_VERSION_STRING "1.0"

/* The API's limit on X-TRACK-ID. */
#define JIBIT_TRACK_ID_MAX 50

/* The similarity inquiry has six parameters, more than any other. */
#define JIBIT_MAX_PARAMS 6

/*
 * Longest argument that is sent, in bytes of UTF-8 before percent-encoding.
 * The API documents no limit; names of a few words stay far below, and six
 * of them still fit the 8 kB request lines that common servers accept.
 */
#define JIBIT_ARGUMENT_MAX 400

/* Longest answer that is read, and deepest JSON nesting in it (contract). */
#define JIBIT_BODY_MAX (1024 * 1024)
#define JIBIT_DEPTH_MAX 32

/*
 * Longest token that is kept.  The service's HS512 JWTs have a few hundred
 * bytes; common servers refuse header lines above 8 kB.
 */
#define JIBIT_TOKEN_MAX 4095

/* Room for an error code: the longest documented one twice over. */
#define JIBIT_CODE_SIZE 64

/* The most that jibit.worker_concurrency may be. */
#define JIBIT_WORKER_CONCURRENCY_MAX 256

/* Longest profile name: a PostgreSQL identifier's length. */
#define JIBIT_PROFILE_MAX 63

#endif /* JIBIT_LIMITS_H */
