/*
 * This extension, as part of the server and as an object of the database.
 */
#ifndef JIBIT_EXTENSION_H
#define JIBIT_EXTENSION_H

/* Was the library preloaded, so that its shared memory exists? */
extern bool jibit_preloaded;

/* Raises 55000 with a hint where it was not. */
extern void jibit_require_preload(void);

/*
 * The schema in which the extension's objects are, by OID and by name
 * (palloc'd).  Raise 42704 where the extension does not exist in this
 * database.  Look its objects up by the OID: by a qualified name the caller
 * needs USAGE on the schema, and who comes through a view or function of
 * others may lack it.
 */
extern Oid jibit_extension_namespace(void);
extern char *jibit_extension_schema(void);

#endif /* JIBIT_EXTENSION_H */
