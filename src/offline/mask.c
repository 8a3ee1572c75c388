/*
 * mask.c
 *		What must not be shown of a text from outside.
 */
#include "mask.h"

#include <string.h>

/*
 * The digit that starts at p: its length in bytes, or 0.  ASCII, Persian and
 * Arabic-Indic digits.
 */
static int
digit_length(const char *p)
{
	unsigned char first = (unsigned char) p[0];
	unsigned char second = first ? (unsigned char) p[1] : 0;

	if (first >= '0' && first <= '9')
		return 1;
	if ((first == 0xDB && second >= 0xB0 && second <= 0xB9) ||
		(first == 0xD9 && second >= 0xA0 && second <= 0xA9))
		return 2;
	return 0;
}

/*
 * Shortest run of digits that is masked.  National codes have ten digits,
 * mobiles eleven, cards sixteen; dates and amounts usually fewer.
 */
#define MASKED_RUN 9

/*
 * Masks one run of digits, which may have single blanks or dashes inside, as
 * people group card numbers.  Long runs keep their first six and last four
 * digits, as card numbers are customarily shown, others their last two.
 * Returns the end of the run.
 */
static char *
mask_digits(char *start)
{
	char *end = start;
	int count = 0;
	int position = 0;
	int head;
	int tail;

	for (char *p = start;;)
	{
		int length = digit_length(p);

		if (length > 0)
		{
			p += length;
			count++;
			end = p;
		}
		else if ((*p == ' ' || *p == '-') && digit_length(p + 1) > 0)
			p++;
		else
			break;
	}
	if (count < MASKED_RUN)
		return end;

	head = count >= 16 ? 6 : 0;
	tail = count >= 16 ? 4 : 2;
	for (char *p = start; p < end;)
	{
		int length = digit_length(p);

		if (length == 0)
		{
			p++;
			continue;
		}
		if (position >= head && position < count - tail)
		{
			/* A two-byte digit becomes two stars: nothing has to move. */
			memset(p, '*', length);
		}
		position++;
		p += length;
	}
	return end;
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

void
jibit_mask_text(char *text, const char *const *secrets)
{
	for (; secrets != NULL && *secrets != NULL; secrets++)
	{
		size_t length = strlen(*secrets);

		if (length == 0)
			continue;
		for (char *p = text; (p = strstr(p, *secrets)) != NULL; p += length)
			memset(p, '*', length);
	}

	for (char *p = text; *p;)
	{
		char *after_jwt = mask_jwt(p);

		if (after_jwt != p)
			p = after_jwt;
		else if (digit_length(p) > 0)
			p = mask_digits(p);
		else
		{
			if ((unsigned char) *p < ' ' || *p == 0x7f)
				*p = ' ';
			p++;
		}
	}
}
