/*
 * offline.c
 *		Unit tests of src/offline, in TAP.
 */
#include "testing.h"

int
main(void)
{
	test_characters();
	test_check_digits();
	test_cards();
	test_ibans();
	test_codes();
	test_mobiles();
	test_texts();
	test_calendar();
	test_dates();
	test_banks();
	test_properties();
	return finish();
}
