/*
 * The inquiries by number and name.
 */
#include "postgres.h"

#include "base/inquiryids.h"

const char *const jibit_inquiry_names[JIBIT_INQUIRY_NUMBERS] = {
#define NAME(id) #id,
	JIBIT_EACH_INQUIRY(NAME)
#undef NAME
		[JIBIT_INQUIRY_any] = "request"};
