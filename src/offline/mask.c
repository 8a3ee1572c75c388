/*
 * mask.c
 *		What must not be shown of a text from outside.
 */
#include "mask.h"

#include <stdbool.h>
#include <string.h>

#include "text.h"

/*
 * Shortest run of digits that is masked.  National codes have ten digits,
 * mobiles eleven, cards sixteen; dates and amounts usually fewer.
 */
#define MASKED_RUN 9

/* What the normalisers drop between the digits of a number. */
static bool
is_separator(JibitChar c)
{
	return c.kind == JIBIT_TEXT_BLANK || c.kind == JIBIT_TEXT_MARK ||
		   c.kind == JIBIT_TEXT_DASH || c.kind == JIBIT_TEXT_PAREN;
}

/*
 * The end of the run of digits that starts here, with separators between them
 * or not; *count is how many they are.
 */
static char *
find_end_of_digits(char *start, const char *end, int *count)
{
	char *run_end = start;
	JibitChar c;

	*count = 0;
	for (char *p = start; p < end; p += c.size)
	{
		c = jibit_text_decode(p, end - p);
		if (c.kind == JIBIT_TEXT_DIGIT)
		{
			(*count)++;
			run_end = p + c.size;
		}
		else if (!is_separator(c))
			break;
	}
	return run_end;
}

/*
 * Masks the digits of a run.  Long runs keep their first six and last four
 * digits, as card numbers are customarily shown, others their last two.
 */
static void
mask_digits(char *start, const char *end, int count)
{
	int head = count >= 16 ? 6 : 0;
	int tail = count >= 16 ? 4 : 2;
	int position = 0;
	JibitChar c;

	for (char *p = start; p < end; p += c.size)
	{
		c = jibit_text_decode(p, end - p);
		if (c.kind != JIBIT_TEXT_DIGIT)
			continue;

		/* A two-byte digit becomes two stars: nothing has to move. */
		if (position >= head && position < count - tail)
			memset(p, '*', c.size);
		position++;
	}
}

/*
 * Masks a token that is no secret of ours, such as an older one: what begins
 * as the JSON of a JWT does in base64 and has a dot.  Returns its end, or
 * `start` if there is none.
 */
static char *
mask_jwt(char *start)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	char *end;

	if (strncmp(start, "eyJ", 3) != 0)
		return start;
	end = start + strspn(start, alphabet);
	if (*end != '.' || strspn(end + 1, alphabet) == 0)
		return start;

	/* The payload, the signature, and all the parts of an encrypted one. */
	while (*end == '.' && strspn(end + 1, alphabet) > 0)
		end += 1 + strspn(end + 1, alphabet);
	memset(start, '*', end - start);
	return end;
}

static void
mask_secret(char *text, const char *secret)
{
	size_t length = strlen(secret);

	if (length == 0)
		return;
	for (char *p = text; (p = strstr(p, secret)) != NULL; p += length)
		memset(p, '*', length);
}

static void
blank_controls(char *text, const char *end)
{
	JibitChar c;

	for (char *p = text; p < end; p += c.size)
	{
		c = jibit_text_decode(p, end - p);
		if (c.code < ' ' || c.kind == JIBIT_TEXT_CONTROL)
			memset(p, ' ', c.size);
	}
}

void
jibit_mask_text(char *text, const char *const *secrets)
{
	const char *end = text + strlen(text);

	for (; secrets != NULL && *secrets != NULL; secrets++)
		mask_secret(text, *secrets);
	blank_controls(text, end);

	for (char *p = text; p < end;)
	{
		JibitChar c = jibit_text_decode(p, end - p);
		char *next = mask_jwt(p);
		int count;

		if (next == p && c.kind == JIBIT_TEXT_DIGIT)
		{
			next = find_end_of_digits(p, end, &count);
			if (count >= MASKED_RUN)
				mask_digits(p, next, count);
		}
		p = next > p ? next : p + c.size;
	}
}
