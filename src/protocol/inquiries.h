/*
 * The table of inquiries.
 */
#ifndef JIBIT_INQUIRIES_H
#define JIBIT_INQUIRIES_H

#include "base/inquiryids.h"
#include "base/limits.h"

/* What an argument is; arguments.c says what follows from that. */
typedef enum JibitKind
{
	JIBIT_KIND_CARD,
	JIBIT_KIND_IBAN,
	JIBIT_KIND_NATIONAL_CODE,
	JIBIT_KIND_BIRTH_DATE,
	JIBIT_KIND_MOBILE,
	JIBIT_KIND_BANK,
	JIBIT_KIND_DEPOSIT,
	JIBIT_KIND_NAME,
	JIBIT_KIND_POSTAL_CODE,
	JIBIT_KIND_FIDA,
	JIBIT_KIND_CORPORATION_CODE,
	JIBIT_KIND_REPORT_DAY
} JibitKind;

typedef struct JibitParam
{
	const char *argument; /* of the SQL function */
	const char *name;	  /* in the query string */
	JibitKind kind;
	bool required;
} JibitParam;

/* What a column holds, and so what is accepted for it in an answer. */
typedef enum JibitType
{
	JIBIT_TYPE_TEXT,
	JIBIT_TYPE_BOOL,
	JIBIT_TYPE_INT4,
	JIBIT_TYPE_INT8,
	JIBIT_TYPE_FLOAT8,
	JIBIT_TYPE_ROWS,		 /* an array of composites */
	JIBIT_TYPE_MEMBER_NAME,	 /* of a map: text */
	JIBIT_TYPE_AVAILABILITY, /* a word, becomes a boolean */
	JIBIT_TYPE_JSON			 /* the whole answer, as text */
} JibitType;

typedef struct JibitSource
{
	const char *object; /* NULL: the answer's top */
	const char *field;	/* NULL: there is no such source */
} JibitSource;

typedef struct JibitColumn
{
	const char *name;
	JibitType type;
	bool mandatory;
	JibitSource sources[2];			   /* the first that is there */
	const struct JibitColumn *columns; /* of JIBIT_TYPE_ROWS */
	int ncolumns;
} JibitColumn;

/* Where the rows of an answer are. */
typedef enum JibitShape
{
	/* One row; `container` names an object that must be there, or is NULL. */
	JIBIT_SHAPE_ROW,
	JIBIT_SHAPE_ARRAY,
	JIBIT_SHAPE_NESTED,
	JIBIT_SHAPE_MAP,
	JIBIT_SHAPE_RAW /* one row with the answer as it is */
} JibitShape;

typedef struct JibitInquiry
{
	JibitInquiryId number;
	const char *id;
	const char *path; /* NULL: the call brings its own */
	const JibitParam *params;
	int nparams;
	const char *fixed; /* query string that is always sent, or NULL */
	JibitShape shape;
	const char *container;
	const char *inner_container; /* of JIBIT_SHAPE_NESTED */
	const JibitColumn *columns;	 /* without track_id */
	int ncolumns;
	bool charged;
	bool cacheable;
} JibitInquiry;

/* By their numbers. */
extern const JibitInquiry jibit_inquiries[JIBIT_INQUIRY_COUNT];

/* The inquiry of a name, or NULL. */
extern const JibitInquiry *jibit_inquiry_by_name(const char *name);

/* What jibit_request() sends: any path, any answer. */
extern const JibitInquiry jibit_any_inquiry;

/* Does this inquiry return a set? */
#define JIBIT_INQUIRY_IS_SET(inquiry)          \
	((inquiry)->shape == JIBIT_SHAPE_ARRAY ||  \
	 (inquiry)->shape == JIBIT_SHAPE_NESTED || \
	 (inquiry)->shape == JIBIT_SHAPE_MAP)

/* Is this a match, for which "matching.unknown" is an answer? */
extern bool jibit_inquiry_is_match(const JibitInquiry *inquiry);

#endif /* JIBIT_INQUIRIES_H */
