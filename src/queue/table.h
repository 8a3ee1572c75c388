/*
 * Where the queue's tables are.
 */
#ifndef JIBIT_QUEUE_TABLE_H
#define JIBIT_QUEUE_TABLE_H

typedef struct JibitQueueTable
{
	Oid schema; /* of the extension */
	Oid queue;
	Oid pauses;
	Oid ids;   /* the sequence */
	Oid owner; /* of the queue */
	Oid pauses_owner;
	Oid counts;
	Oid counts_owner;
	char *queue_name; /* these quoted and qualified, for queries */
	char *pauses_name;
	char *counts_name;
	char *called_ids;	/* a call of the function jibit_called_ids() */
	char *request_type; /* the composite that jibit_collect() returns */
} JibitQueueTable;

/*
 * Kept until the queue changes or goes; so copy nothing out of it for longer
 * than a lock on the queue lasts.  Where the extension is not in this
 * database: NULL if missing_ok, else 42704.
 */
extern const JibitQueueTable *jibit_queue_table(bool missing_ok);

#endif /* JIBIT_QUEUE_TABLE_H */
