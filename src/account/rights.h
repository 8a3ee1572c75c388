/*
 * Who may make an inquiry: whoever may execute its function.
 */
#ifndef JIBIT_RIGHTS_H
#define JIBIT_RIGHTS_H

#include "protocol/inquiries.h"

/*
 * The function jibit_X() that takes text, in the extension's schema;
 * InvalidOid if it is not there.
 */
extern Oid jibit_inquiry_function(const JibitInquiry *inquiry, Oid schema);

/* May the role execute it? */
extern bool jibit_may_inquire(const JibitInquiry *inquiry, Oid schema,
							  Oid role);

/* Raises 42501 if it may not. */
extern void jibit_require_right(const JibitInquiry *inquiry, Oid schema,
								Oid role);

#endif /* JIBIT_RIGHTS_H */
