/*
 * inquiries.h
 *		The good answer of every inquiry.
 *
 * The request's parameters have been checked.  The caller owns the result.
 */
#ifndef SANDBOX_INQUIRIES_H
#define SANDBOX_INQUIRIES_H

#include <json-c/json.h>

#include "request.h"

extern json_object *inquiry_card(const Request *request);
extern json_object *inquiry_iban(const Request *request);
extern json_object *inquiry_card_to_deposit(const Request *request);
extern json_object *inquiry_card_to_iban(const Request *request);
extern json_object *inquiry_availability(const Request *request);
extern json_object *inquiry_deposit_to_iban(const Request *request);
extern json_object *inquiry_match_person(const Request *request);
extern json_object *inquiry_match_card_name(const Request *request);
extern json_object *inquiry_match_deposit_name(const Request *request);
extern json_object *inquiry_match_iban_name(const Request *request);
extern json_object *inquiry_match_shahkar(const Request *request);
extern json_object *inquiry_postal_address(const Request *request);
extern json_object *inquiry_postal_location(const Request *request);
extern json_object *inquiry_similarity(const Request *request);
extern json_object *inquiry_foreigner(const Request *request);
extern json_object *inquiry_corporation(const Request *request);
extern json_object *inquiry_military_service(const Request *request);
extern json_object *inquiry_sana(const Request *request);
extern json_object *inquiry_balances(const Request *request);
extern json_object *inquiry_daily_report(const Request *request);

#endif
