/*
 * How many requests have finished, without looking at them.
 */
#ifndef JIBIT_QUEUE_COUNTS_H
#define JIBIT_QUEUE_COUNTS_H

#include "commands/trigger.h"
#include "queue/table.h"

/*
 * For a trigger that is fired after a statement has changed the queue: notes
 * what that means for the counts.
 */
extern void jibit_counts_note(TriggerData *trigger);

/* Makes few rows of many, in SPI, where that is worth while by now. */
extern void jibit_counts_compact(const JibitQueueTable *table);

#endif /* JIBIT_QUEUE_COUNTS_H */
