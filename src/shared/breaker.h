/*
 * The circuit breaker: no calls to what has failed again and again.
 *
 * There are two kinds of circuit: the way to the service, one for each
 * account, broken by failures to reach it; and each of its inquiries, broken
 * by answers that say it is failing.  After a pause one call at a time goes
 * through as a probe, until one of them is answered.
 */
#ifndef JIBIT_BREAKER_H
#define JIBIT_BREAKER_H

#include "shared/circuit.h"
#include "shared/digest.h"

extern Size jibit_breaker_shmem_size(void);
extern void jibit_breaker_shmem_init(void);

#define JIBIT_BREAKER_TRANCHE "jibit breaker"

/* What a call has been allowed: whether it is a probe, of which circuits. */
typedef struct JibitPass
{
	bool probes_way;
	bool probes_inquiry;
} JibitPass;

/*
 * May a call go out?  If not, *wait_ms says when to ask again; the circuit
 * may open later.  What is granted must be returned, by
 * jibit_breaker_report() or jibit_breaker_return().
 */
extern bool jibit_breaker_ask(const uint8 *account, int inquiry,
							  JibitPass *pass, long *wait_ms);

/*
 * How a call has ended.  `what` is a hash of what was asked, or 0: failing
 * answers in a row to the same count once.
 */
extern void jibit_breaker_report(const uint8 *account, int inquiry,
								 JibitPass *pass, JibitReach reach,
								 uint64 what);

/* A call was broken off before that could be told. */
extern void jibit_breaker_return(const uint8 *account, int inquiry,
								 JibitPass *pass);

/* A token call has failed: counts for the way. */
extern void jibit_breaker_token_failed(const uint8 *account);

#endif /* JIBIT_BREAKER_H */
