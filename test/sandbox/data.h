/*
 * data.h
 *		The synthetic world: who owns what, who lives where.
 *
 * Everything follows from its key, so that two runs, two machines and two
 * operations agree: the IBAN of a card has the card's owner.
 */
#ifndef SANDBOX_DATA_H
#define SANDBOX_DATA_H

#include <stdbool.h>
#include <stdint.h>

#define DATA_MAX_OWNERS 2

typedef struct Person
{
	const char *first_name;
	const char *last_name;
	const char *father_name;
	bool male;
} Person;

typedef struct Account
{
	const char *bank;
	char deposit[20];
	char iban[27];
	const char *status;
	int nowners;
	Person owners[DATA_MAX_OWNERS];
} Account;

typedef struct Place
{
	const char *province;
	const char *city;
	const char *street;
	double latitude;
	double longitude;
} Place;

/* Long enough for a full name. */
#define DATA_NAME_SIZE 128

extern uint64_t data_hash(const char *realm, const char *key);
extern Person data_person(const char *realm, const char *key);
extern void data_full_name(const Person *person, char *to);
extern void data_date(uint64_t hash, int first_year, int years, char *to);
extern void data_digits(uint64_t hash, char *to, int digits);
extern Place data_place(const char *postal_code);

extern void data_account_of_iban(const char *iban, Account *account);
extern void data_account_of_card(const char *card, Account *account);
extern void data_account_of_deposit(const char *bank, const char *number,
									Account *account);
extern bool data_owned_by(const Account *account, const char *full_name);

#endif
