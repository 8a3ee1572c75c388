/*
 * The table of inquiries, from inquirylist.h.
 */
#include "postgres.h"

#include "protocol/inquiries.h"

/* An array literal with its length, for the table's two-field slots. */
#define PARAMS(...) \
	(const JibitParam[]){__VA_ARGS__}, lengthof(((JibitParam[]){__VA_ARGS__}))
#define NO_PARAMS NULL, 0
#define COLUMNS(...)                    \
	(const JibitColumn[]){__VA_ARGS__}, \
		lengthof(((JibitColumn[]){__VA_ARGS__}))

#define PARAM(argument, name, kind)             \
	{                                           \
		argument, name, JIBIT_KIND_##kind, true \
	}
#define OPTIONAL(argument, name, kind)           \
	{                                            \
		argument, name, JIBIT_KIND_##kind, false \
	}

#define OBJECT(name) JIBIT_SHAPE_ROW, name, NULL
#define BARE JIBIT_SHAPE_ROW, NULL, NULL
#define ARRAY(name) JIBIT_SHAPE_ARRAY, name, NULL
#define NESTED(outer, inner) JIBIT_SHAPE_NESTED, outer, inner
#define MAP(name) JIBIT_SHAPE_MAP, name, NULL

#define COLUMN(name, type, object, field)                          \
	{                                                              \
		name, JIBIT_TYPE_##type, false, {{object, field}}, NULL, 0 \
	}
#define EITHER(name, type, object, field, object2, field2)                    \
	{                                                                         \
		name, JIBIT_TYPE_##type, false, {{object, field}, {object2, field2}}, \
			NULL, 0                                                           \
	}
#define MUST(name, type, object, field)                           \
	{                                                             \
		name, JIBIT_TYPE_##type, true, {{object, field}}, NULL, 0 \
	}
#define MUST_EITHER(name, type, object, field, object2, field2)              \
	{                                                                        \
		name, JIBIT_TYPE_##type, true, {{object, field}, {object2, field2}}, \
			NULL, 0                                                          \
	}
#define ROWS(name, object, field, columns)                        \
	{                                                             \
		name, JIBIT_TYPE_ROWS, false, {{object, field}}, columns, \
			lengthof(columns)                                     \
	}

#define OWNER_COLUMNS owner_columns
#define DOCUMENT_COLUMNS document_columns
#define MATCH_COLUMNS COLUMNS(MUST("matched", BOOL, NULL, "matched"))

static const JibitColumn owner_columns[] = {
	COLUMN("first_name", TEXT, NULL, "firstName"),
	COLUMN("last_name", TEXT, NULL, "lastName"),
};

static const JibitColumn document_columns[] = {
	COLUMN("type", TEXT, NULL, "type"),
	COLUMN("code", TEXT, NULL, "code"),
	COLUMN("issue_date", TEXT, NULL, "issueDate"),
	COLUMN("expiration_date", TEXT, NULL, "expirationDate"),
};

const JibitInquiry jibit_inquiries[JIBIT_INQUIRY_COUNT] = {
#define INQUIRY(id, ...) \
	[JIBIT_INQUIRY_##id] = {JIBIT_INQUIRY_##id, #id, __VA_ARGS__},
#include "protocol/inquirylist.h"
#undef INQUIRY
};

enum
{
	LISTED = 0
#define INQUIRY(...) +1
#include "protocol/inquirylist.h"
#undef INQUIRY
};
StaticAssertDecl(LISTED == (int) JIBIT_INQUIRY_COUNT,
				 "each number has a row in the list");

static const JibitColumn any_columns[] = {
	COLUMN("answer", JSON, NULL, NULL),
};

const JibitInquiry jibit_any_inquiry = {JIBIT_INQUIRY_any,
										"request",
										NULL,
										NO_PARAMS,
										NULL,
										JIBIT_SHAPE_RAW,
										NULL,
										NULL,
										any_columns,
										lengthof(any_columns),
										false,
										false};

bool
jibit_inquiry_is_match(const JibitInquiry *inquiry)
{
	return inquiry->ncolumns == 1 &&
		   strcmp(inquiry->columns[0].name, "matched") == 0;
}

const JibitInquiry *
jibit_inquiry_by_name(const char *name)
{
	for (int i = 0; i < JIBIT_INQUIRY_COUNT; i++)
	{
		if (strcmp(jibit_inquiries[i].id, name) == 0)
			return &jibit_inquiries[i];
	}
	return NULL;
}
