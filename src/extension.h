/*-------------------------------------------------------------------------
 *
 * extension.h
 *	  This extension, as part of the server and as an object of the database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JIBIT_EXTENSION_H
#define JIBIT_EXTENSION_H

/* Was the library preloaded, so that its shared memory exists? */
extern bool jibit_preloaded;

/* Raises 55000 with a hint where it was not. */
extern void jibit_require_preload(void);

/*
 * The schema in which the extension's objects are, palloc'd.  Raises 42704
 * where the extension does not exist in this database.
 */
extern char *jibit_extension_schema(void);

#endif /* JIBIT_EXTENSION_H */
