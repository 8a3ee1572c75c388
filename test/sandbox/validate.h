/*
 * validate.h
 *		What a well-formed input looks like.
 */
#ifndef SANDBOX_VALIDATE_H
#define SANDBOX_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>

#include "calendar.h"

extern bool valid_card(const char *text);
extern bool valid_iban(const char *text);
extern bool valid_national_code(const char *text);
extern bool valid_mobile(const char *text);
extern bool valid_ten_digits(const char *text);
extern bool valid_fida(const char *text);
extern bool valid_birth_date(const char *text);
extern bool valid_deposit(const char *text);
extern bool valid_name(const char *text);
extern bool valid_utf8(const char *text, size_t length);
extern bool parse_report_day(const char *text, Jalali *date);

extern char card_check_digit(const char *digits);
extern char national_code_check_digit(const char *digits);
extern void iban_check_digits(const char *bban, char *check);

#endif
