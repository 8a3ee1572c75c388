/*
 * mutate.c
 *		Good answers, changed in ways that a client may meet.
 *
 * A field's path is the names from the top with dots between; the elements of
 * an array have the array's path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutate.h"

#define PATH_SIZE 256
#define LONG_TEXT_LETTERS 4000
/* More digits may not fit a 64-bit integer. */
#define MAX_INTEGER_DIGITS 18

typedef struct Walk
{
	FaultKind kind;
	const Operation *operation;
	bool texts_too; /* of the numeric faults: where there is no number */
	bool top_too;	/* of the faults of one text: fields at the top, too */
	bool changed;
} Walk;

static bool
is_mandatory(const Operation *operation, const char *path)
{
	for (size_t i = 0; i < 2; i++)
		if (operation->mandatory[i] != NULL &&
			strcmp(operation->mandatory[i], path) == 0)
			return true;
	return false;
}

/* A value that prints as the given text, whatever it is. */
static json_object *
raw(const char *text)
{
	json_object *value = json_object_new_int(0);

	json_object_set_serializer(value, json_object_userdata_to_json_string,
							   strdup(text), json_object_free_userdata);
	return value;
}

static json_object *
long_text(void)
{
	static const char letter[] = "گ";
	size_t size = strlen(letter);
	char *text = malloc(LONG_TEXT_LETTERS * size);
	json_object *value;

	if (text == NULL)
		abort();
	for (size_t i = 0; i < LONG_TEXT_LETTERS; i++)
		memcpy(text + i * size, letter, size);
	value = json_object_new_string_len(text, (int) (LONG_TEXT_LETTERS * size));
	free(text);
	return value;
}

/* Numbers as texts, texts of digits as numbers, some texts as booleans. */
static json_object *
other_scalar(const char *key, json_object *value)
{
	static const char *const truths[] = {
		"type", "status", "description", "gender", "balanceType", "licType"};
	const char *text = json_object_get_string(value);

	if (json_object_is_type(value, json_type_int) ||
		json_object_is_type(value, json_type_double))
		return json_object_new_string(text);
	if (!json_object_is_type(value, json_type_string))
		return NULL;
	if (strspn(text, "0123456789") == strlen(text) && *text != '\0' &&
		strlen(text) <= MAX_INTEGER_DIGITS &&
		(*text != '0' || text[1] == '\0'))
		return raw(text);
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (strcmp(key, truths[i]) == 0)
			return json_object_new_boolean(true);
	return NULL;
}

static json_object *
broken_text(FaultKind kind)
{
	switch (kind)
	{
		case FAULT_BAD_UTF8:
			return json_object_new_string("bad \xd8\xff\xfe utf-8");
		case FAULT_NUL_ESCAPE:
			return json_object_new_string_len("nul \0 escape", 12);
		case FAULT_LONE_SURROGATE:
			return raw("\"lone \\ud800 surrogate\"");
		case FAULT_HUGE_NUMBER:
			return raw("123456789012345678901234567890");
		default:
			return raw("9223372036854775808");
	}
}

/* What to put in place of a scalar, or NULL to leave it. */
static json_object *
change_scalar(Walk *walk, const char *path, const char *key,
			  json_object *value)
{
	bool text = json_object_is_type(value, json_type_string);
	bool free_text = text && !is_mandatory(walk->operation, path);
	bool number = json_object_is_type(value, json_type_int) ||
				  json_object_is_type(value, json_type_double);
	bool boolean = json_object_is_type(value, json_type_boolean);
	bool top = strchr(path, '.') == NULL;

	switch (walk->kind)
	{
		case FAULT_NUMBERS_AS_TEXT:
			return other_scalar(key, value);
		case FAULT_LONG_TEXT:
			return free_text ? long_text() : NULL;
		case FAULT_MATCHED_ONE:
			return boolean ? json_object_new_int(1) : NULL;
		case FAULT_MATCHED_ZERO:
			return boolean ? json_object_new_int(0) : NULL;
		case FAULT_MATCHED_TWO:
			return boolean ? json_object_new_int(2) : NULL;
		case FAULT_BIG_NUMBER:
		case FAULT_HUGE_NUMBER:
			if (number)
				return broken_text(walk->kind);
			if (!walk->texts_too)
				return NULL;
			/* FALLTHROUGH */
		case FAULT_BAD_UTF8:
		case FAULT_NUL_ESCAPE:
		case FAULT_LONE_SURROGATE:
			if (!free_text || walk->changed || (top && !walk->top_too))
				return NULL;
			return broken_text(walk->kind);
		default:
			return NULL;
	}
}

static void walk_value(Walk *walk, const char *path, json_object *value);

/* Is the field to be replaced by null, with all that is in it? */
static bool
becomes_null(const Walk *walk, const char *path, json_object *value)
{
	return walk->kind == FAULT_NULL_FIELDS &&
		   !json_object_is_type(value, json_type_object) &&
		   !is_mandatory(walk->operation, path);
}

static void
walk_field(Walk *walk, const char *path, json_object *object, const char *key,
		   json_object *value)
{
	json_object *instead;

	if (becomes_null(walk, path, value))
		json_object_object_add(object, key, NULL);
	else if (json_object_is_type(value, json_type_object) ||
			 json_object_is_type(value, json_type_array))
		walk_value(walk, path, value);
	else
	{
		instead = change_scalar(walk, path, key, value);
		if (instead != NULL)
		{
			json_object_object_add(object, key, instead);
			walk->changed = true;
		}
	}
}

/* Replaces values only: fields come and go elsewhere. */
static void
walk_value(Walk *walk, const char *path, json_object *value)
{
	if (json_object_is_type(value, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(value); i++)
			walk_value(walk, path, json_object_array_get_idx(value, i));
	}
	else if (json_object_is_type(value, json_type_object))
	{
		json_object_object_foreach(value, key, field)
		{
			char name[PATH_SIZE];

			snprintf(name, sizeof(name), "%s%s%s", path,
					 *path == '\0' ? "" : ".", key);
			walk_field(walk, name, value, key, field);
		}
	}
}

/* Walks until something has changed, each time over more of the answer. */
static void
change_scalars(FaultKind kind, const Operation *operation, json_object *answer)
{
	Walk walk = {kind, operation, false, false, false};

	walk_value(&walk, "", answer);
	if (walk.changed)
		return;
	walk.texts_too = true;
	walk_value(&walk, "", answer);
	if (walk.changed)
		return;
	walk.top_too = true;
	walk_value(&walk, "", answer);
	if (walk.changed)
		return;
	/* Nothing but what is mandatory: then in a new field. */
	json_object_object_add(answer, "description", json_object_new_string(""));
	walk_value(&walk, "", answer);
}

/* The object that a path ends in, and the path's last name. */
static json_object *
find_parent(json_object *answer, const char *path, const char **key)
{
	const char *dot = strchr(path, '.');
	char name[PATH_SIZE];
	json_object *child;

	*key = path;
	if (dot == NULL)
		return answer;
	snprintf(name, sizeof(name), "%.*s", (int) (dot - path), path);
	if (!json_object_object_get_ex(answer, name, &child))
		return NULL;
	return find_parent(child, dot + 1, key);
}

static json_object *
wrong_type(json_object *value)
{
	json_object *wrong;

	if (json_object_is_type(value, json_type_object) ||
		json_object_is_type(value, json_type_array))
		return json_object_new_string("wrong");
	wrong = json_object_new_object();
	json_object_object_add(wrong, "wrong", json_object_new_boolean(true));
	return wrong;
}

static void
spoil_field(FaultKind kind, json_object *object, const char *key)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return;
	if (kind == FAULT_MISSING_MANDATORY)
		json_object_object_del(object, key);
	else if (kind == FAULT_NULL_MANDATORY)
		json_object_object_add(object, key, NULL);
	else
		json_object_object_add(object, key, wrong_type(value));
}

/* Where nothing is mandatory, every field at the top. */
static void
spoil_mandatory(FaultKind kind, const Operation *operation,
				json_object *answer)
{
	if (operation->mandatory[0] == NULL)
	{
		json_object_object_foreach(answer, key, value)
		{
			(void) value;
			spoil_field(kind, answer, key);
		}
		return;
	}
	for (size_t i = 0; i < 2 && operation->mandatory[i] != NULL; i++)
	{
		const char *key;
		json_object *parent = find_parent(answer, operation->mandatory[i],
										  &key);

		if (parent != NULL)
			spoil_field(kind, parent, key);
	}
}

/* Depth first.  The names in the availability report are data. */
static void
add_unknown_fields(json_object *value)
{
	json_object *list;

	if (json_object_is_type(value, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(value); i++)
			add_unknown_fields(json_object_array_get_idx(value, i));
		return;
	}
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach(value, key, field)
	{
		if (strcmp(key, "availabilityReport") != 0)
			add_unknown_fields(field);
	}
	list = json_object_new_array();
	json_object_array_add(list, json_object_new_int(1));
	json_object_array_add(list, json_object_new_object());
	json_object_array_add(list, NULL);
	json_object_object_add(value, "newList", list);
	json_object_object_add(value, "newText", json_object_new_string("new"));
	json_object_object_add(value, "newNothing", NULL);
}

static void
change_owners(FaultKind kind, json_object *value)
{
	static const char *const lists[] = {"owners", "identificationDocuments"};

	if (!json_object_is_type(value, json_type_object))
		return;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
	{
		if (!json_object_object_get_ex(value, lists[i], NULL))
			continue;
		if (kind == FAULT_NO_OWNERS)
			json_object_object_del(value, lists[i]);
		else
			json_object_object_add(value, lists[i], json_object_new_array());
	}
	json_object_object_foreach(value, key, field)
	{
		(void) key;
		change_owners(kind, field);
	}
}

/* Does to the answer's tree what the fault says, if it is one of those. */
void
mutate(FaultKind kind, const Operation *operation, json_object *answer)
{
	Walk walk = {kind, operation, false, false, false};

	switch (kind)
	{
		case FAULT_WRONG_TYPES:
		case FAULT_MISSING_MANDATORY:
		case FAULT_NULL_MANDATORY:
			spoil_mandatory(kind, operation, answer);
			break;
		case FAULT_UNKNOWN_FIELDS:
			add_unknown_fields(answer);
			break;
		case FAULT_NO_OWNERS:
		case FAULT_EMPTY_OWNERS:
			change_owners(kind, answer);
			break;
		case FAULT_NUMBERS_AS_TEXT:
		case FAULT_NULL_FIELDS:
		case FAULT_MATCHED_ONE:
		case FAULT_MATCHED_ZERO:
		case FAULT_MATCHED_TWO:
			walk_value(&walk, "", answer);
			break;
		case FAULT_LONG_TEXT:
		case FAULT_BAD_UTF8:
		case FAULT_NUL_ESCAPE:
		case FAULT_LONE_SURROGATE:
		case FAULT_BIG_NUMBER:
		case FAULT_HUGE_NUMBER:
			change_scalars(kind, operation, answer);
			break;
		default:
			break;
	}
}
