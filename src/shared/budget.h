/*
 * How many successful calls a day an inquiry may make.
 */
#ifndef JIBIT_BUDGET_H
#define JIBIT_BUDGET_H

extern Size jibit_budget_shmem_size(void);

/*
 * Also reads what a clean shutdown has kept, and sees to it that the next one
 * keeps it.
 */
extern void jibit_budget_shmem_init(void);

/*
 * Reserves one call of an inquiry on a day (they are numbered one by one).
 * False when `limit` are reserved or spent; negative is no limit, but counts
 * all the same.  Sets *day to the day that it counts for: the next one, where
 * another session's midnight has come already.
 */
extern bool jibit_budget_reserve(int inquiry, int *day, int limit);

/* One of the next two ends it, or else the end of the session. */

/* The call is sent: it counts from now on, whatever becomes of the session. */
extern void jibit_budget_spend(int inquiry, int day);

/* It is not sent: it does not count. */
extern void jibit_budget_give_back(int inquiry, int day);

/* It was sent, and the service has answered with a failure: it does not. */
extern void jibit_budget_refund(int inquiry, int day);

#endif /* JIBIT_BUDGET_H */
