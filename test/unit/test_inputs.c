/*
 * test_inputs.c
 *		What holds for any input.
 */
#include <string.h>

#include "properties.h"
#include "testing.h"

#define MUTATIONS 200000

void
test_properties(void)
{
	static const char *const seeds[] = {
		"6037991234567893",
		"6037-9912-3456-7893",
		"۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳",
		"IR820540102680020817909002",
		"ir82 0540 1026 8002 0817 9090 02",
		"820540102680020817909002",
		"0499370899",
		"10380284790",
		"09123456789",
		"+98 (912) 345-67-89",
		"00989123456789",
		"1360/03/31",
		"13600331",
		"000708",
		"MELLI",
		" علي كريمي\u200c",
		"\u202a۱۳۶۰–۰۳–۳۱\u202c",
	};
	static const char *const pieces[] = {
		"\x80",
		"\xff",
		"\xdb",
		"\xe2\x80",
		"\xf0\x9f\x98",
		"\u06f5",
		"\u0665",
		"\u200c",
		"\u2013",
		"\u00a0",
		"\ufeff",
		"\u064a",
		"-",
		" ",
		"+",
		"/",
		"(",
		"0",
		"9",
		"I",
		"\xed\xa0\x80",
		"\xc0\x80",
		"\n",
		"_",
		"\U0001F600",
	};
	size_t seed_count = sizeof(seeds) / sizeof(seeds[0]);
	size_t piece_count = sizeof(pieces) / sizeof(pieces[0]);
	const char *problem = NULL;
	bool passed = true;

	for (size_t i = 0; i < seed_count; i++)
	{
		for (size_t len = 0; len <= strlen(seeds[i]); len++)
		{
			problem = check_properties(seeds[i], len);
			if (problem != NULL)
				complain(&passed, "%s: %.*s", problem, (int) len, seeds[i]);
		}
	}
	ok(passed, "properties of cut inputs");

	passed = true;
	for (int i = 0; i < MUTATIONS; i++)
	{
		char text[256];
		const char *from = seeds[next_random((unsigned) seed_count)];
		size_t len = strlen(from);

		memcpy(text, from, len);
		for (unsigned n = next_random(4); n > 0 && len > 0; n--)
		{
			unsigned at = next_random((unsigned) len);
			const char *piece = pieces[next_random((unsigned) piece_count)];
			size_t size = strlen(piece);

			switch (next_random(4))
			{
				case 0: /* any byte, NUL too */
					text[at] = (char) next_random(256);
					break;
				case 1: /* a byte lost */
					memmove(text + at, text + at + 1, len - at - 1);
					len--;
					break;
				case 2: /* a piece put in */
					memmove(text + at + size, text + at, len - at);
					memcpy(text + at, piece, size);
					len += size;
					break;
				default: /* the rest lost */
					len = at;
					break;
			}
		}
		problem = check_properties(text, len);
		if (problem != NULL)
			complain(&passed, "%s: mutation %d", problem, i);
	}
	ok(passed, "properties of mutated inputs");
}
