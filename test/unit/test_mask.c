/*
 * test_mask.c
 *		What is not shown of texts from outside.
 */
#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "testing.h"

static void
mask(const char *text, const char *const *secrets, const char *expected)
{
	char shown[256];

	snprintf(shown, sizeof(shown), "%s", text);
	jibit_mask_text(shown, secrets);
	ok(strcmp(shown, expected) == 0, "mask: \"%s\" is shown as \"%s\"", text,
	   shown);
}

void
test_mask(void)
{
	static const char *const secrets[] = {"key-1", "", "a.b/c", NULL};

	mask("", NULL, "");
	mask("nothing to hide", secrets, "nothing to hide");
	mask("key-1, key-1key-1 and a.b/c", secrets,
		 "*****, ********** and *****");
	mask("key-1", NULL, "key-1");

	/* Dates and amounts are shown; codes, mobiles and cards are not. */
	mask("on 14030615, 12345678 rials", NULL, "on 14030615, 12345678 rials");
	mask("code 049937089", NULL, "code *******89");
	mask("code 0499370899.", NULL, "code ********99.");
	mask("call 09121234567", NULL, "call *********67");
	mask("card 6037991234567893 here", NULL, "card 603799******7893 here");
	mask("IR820540102680020817909002", NULL, "IR820540**************9002");
	mask("6037-9912-3456-7893", NULL, "6037-99**-****-7893");
	mask("6037 9912 3456 7893", NULL, "6037 99** **** 7893");
	mask("6037 - 9912\t3456\n7893", NULL, "6037 - 99** **** 7893");
	mask("(6037)(9912)(3456)(7893)", NULL, "(6037)(99**)(****)(7893)");
	mask("6037\u20119912–3456\u00a07893", NULL,
		 "6037\u201199**–****\u00a07893");
	mask("6037\u200c9912\u200e3456\x01"
		 "7893",
		 NULL, "6037\u200c99**\u200e**** 7893");
	mask("6037991234567893 1403", NULL, "603799********** 1403");
	mask("1234567890, 1234567890", NULL, "********90, ********90");
	mask("کارت ۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳", NULL, "کارت ۶۰۳۷۹۹************۷۸۹۳");
	mask("٠٤٩٩٣٧٠٨٩٩", NULL, "****************٩٩");
	mask("6037۹۹12345678۹۳", NULL, "6037۹۹******78۹۳");

	mask("token eyJhbGci.eyJleHAi.c2ln ends", NULL,
		 "token ********************** ends");
	mask("eyJ.x", NULL, "*****");
	mask("eyJhbGci. is none", NULL, "eyJhbGci. is none");
	mask("eyJhbGci", NULL, "eyJhbGci");

	mask("a\tb\nc\x01 d\x7f", NULL, "a b c  d ");
	mask("a\xc2\x85"
		 "b\xc2\x9b",
		 NULL, "a  b  ");
	mask("\xdb", NULL, "\xdb");
	mask("123456789\xdb", NULL, "*******89\xdb");
}
