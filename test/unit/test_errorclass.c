/*
 * test_errorclass.c
 *		What follows from a failure: the contract says it by SQLSTATE.
 */
#include "base/errorclass.h"

#include <string.h>

#include "testing.h"

static const struct
{
	JibitErrorClass class;
	const char *name;
} classes[] = {
#define JIBIT_ERROR_CLASS(name, sqlstate, condition, traits, hint) \
	{JIBIT_##name, #name},
#include "base/errorlist.h"
};

#define CLASSES ((int) (sizeof(classes) / sizeof(classes[0])))

/*
 * Who has the trait are the classes of these SQLSTATEs, `but` (NULL: none) not.
 */
static void
check_trait(JibitTrait trait, const char *what, const char *sqlstates,
			const char *but)
{
	bool passed = true;

	for (int i = 0; i < CLASSES; i++)
	{
		JibitErrorClass class = classes[i].class;
		bool wanted = strstr(sqlstates,
							 jibit_error_meanings[class].sqlstate) != NULL &&
					  (but == NULL || strcmp(classes[i].name, but) != 0);

		if (jibit_class_has(class, trait) != wanted)
			complain(&passed, "%s %s", classes[i].name,
					 wanted ? "is missing" : "is one too many");
	}
	ok(passed, "classes: %s", what);
}

static void
check_rows(void)
{
	bool passed = true;

	for (int i = 0; i < CLASSES; i++)
	{
		const JibitErrorMeaning *meaning =
			&jibit_error_meanings[classes[i].class];
		size_t hint_length = strlen(meaning->hint);

		if ((int) classes[i].class != i || strlen(meaning->sqlstate) != 5 ||
			meaning->condition[0] == '\0' || hint_length == 0 ||
			meaning->hint[hint_length - 1] != '.')
			complain(&passed, "%s", classes[i].name);
		for (int j = 0; j < i; j++)
		{
			const JibitErrorMeaning *other = &jibit_error_meanings[j];

			if ((strcmp(other->sqlstate, meaning->sqlstate) == 0) !=
				(strcmp(other->condition, meaning->condition) == 0))
				complain(&passed, "%s and %s: one condition for one SQLSTATE",
						 classes[i].name, classes[j].name);
		}
	}
	ok(passed, "classes: each has what it needs");
}

/* What the contract says by code. */
static void
check_single_classes(void)
{
	bool shared = true;
	bool batch = true;
	bool pauses = true;

	for (int i = 0; i < CLASSES; i++)
	{
		JibitErrorClass class = classes[i].class;

		if (jibit_class_has(class, JIBIT_SHARED) ==
			(class == JIBIT_TIMEOUT || class == JIBIT_CONFIGURATION ||
			 class == JIBIT_LOCAL_LIMIT || class == JIBIT_SUSPENDED ||
			 class == JIBIT_NOT_PERMITTED || class == JIBIT_UNREPRESENTABLE))
			complain(&shared, "%s", classes[i].name);
		if (jibit_class_has(class, JIBIT_ENDS_BATCH) !=
			(class == JIBIT_DAILY_LIMIT || class == JIBIT_NO_CREDIT))
			complain(&batch, "%s", classes[i].name);
		if (jibit_class_has(class, JIBIT_PAUSES_PROFILE) !=
				(class == JIBIT_NO_CREDIT || class == JIBIT_NOT_AUTHORISED ||
				 class == JIBIT_CONFIGURATION) ||
			jibit_class_has(class, JIBIT_PAUSES_INQUIRY) !=
				(class == JIBIT_QUOTA || class == JIBIT_DAILY_LIMIT ||
				 class == JIBIT_LOCAL_LIMIT || class == JIBIT_SUSPENDED))
			complain(&pauses, "%s", classes[i].name);
	}
	ok(shared, "classes: what is one session's own is not shared");
	ok(batch, "classes: what ends a batch");
	ok(pauses, "classes: what pauses a profile, or an inquiry");
}

void
test_errorclass(void)
{
	check_rows();
	check_trait(JIBIT_VERDICT, "verdicts", "JB001 JB002 JB003 JB004 JB005",
				NULL);
	check_trait(JIBIT_UNAVAILABLE, "unavailable",
				"JB005 JB006 JB008 JB009 JB012", "NO_HANDLER");
	check_trait(JIBIT_MAY_PASS, "what may pass",
				"JB005 JB006 JB008 JB009 JB012", "NO_HANDLER");
	check_trait(JIBIT_BLAMES_WAY, "what blames the way", "JB009", NULL);
	check_trait(JIBIT_BLAMES_INQUIRY, "what blames the inquiry", "JB008",
				"NO_HANDLER");
	check_trait(JIBIT_ENDS_STATEMENT, "what ends a statement", "JB007 JB011",
				NULL);
	check_single_classes();
}
