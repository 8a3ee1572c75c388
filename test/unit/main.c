/*
 * main.c
 *		The unit tests, in TAP.
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
	test_mask();
	test_errorclass();
	test_retry();
	test_circuit();
	test_holders();
	test_properties();
	test_cache();
	return finish();
}
