/*
 * data.c
 *		The synthetic world: who owns what, who lives where.
 */
#include <stdio.h>
#include <string.h>

#include "banks.h"
#include "data.h"
#include "validate.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The account part of an IBAN: 22 digits without the bank's three. */
#define ACCOUNT_DIGITS 19
/* As long as many banks' account numbers are. */
#define DEPOSIT_DIGITS 13

static const char *const men[] = {
	"علی",	"محمد", "رضا",	 "حسین", "مهدی", "امیر", "سعید", "کیان",
	"کاوه", "آرش",	"بهرام", "پویا", "یاسر", "کریم", "نادر", "مجید",
};

static const char *const women[] = {
	"زهرا",	 "فاطمه", "مریم",  "سارا",	"نرگس",	 "لیلا", "پریسا", "مینا",
	"شیرین", "نسرین", "کیمیا", "یگانه", "آتوسا", "رویا", "ناهید", "ژاله",
};

static const char *const families[] = {
	"رضایی",   "محمدی", "حسینی",	"احمدی",  "کریمی",		 "موسوی", "جعفری",
	"صادقی",   "رحیمی", "ابراهیمی", "کاظمی",  "نجفی",		 "شریفی", "یوسفی",
	"اکبری",   "طاهری", "قاسمی",	"نوری",	  "میرزایی",	 "خسروی", "فرهادی",
	"پورکریم", "کیانی", "زندی",		"بهرامی", "شیرازی نژاد",
};

static const char *const streets[] = {
	"آزادی", "ولیعصر", "سعدی", "حافظ", "فردوسی", "شریعتی", "گلستان", "لاله",
};

static const Place cities[] = {
	{"تهران", "تهران", NULL, 35.6892, 51.3890},
	{"اصفهان", "اصفهان", NULL, 32.6546, 51.6680},
	{"فارس", "شیراز", NULL, 29.5918, 52.5837},
	{"خراسان رضوی", "مشهد", NULL, 36.2605, 59.6168},
	{"آذربایجان شرقی", "تبریز", NULL, 38.0962, 46.2738},
	{"کرمان", "کرمان", NULL, 30.2839, 57.0834},
	{"گیلان", "رشت", NULL, 37.2808, 49.5832},
	{"یزد", "یزد", NULL, 31.8974, 54.3569},
};

/* FNV-1a over the realm and the key, then mixed so that all bits count. */
uint64_t
data_hash(const char *realm, const char *key)
{
	const char *const parts[] = {realm, key};
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	for (size_t i = 0; i < LENGTH(parts); i++)
	{
		for (const char *at = parts[i]; *at != '\0'; at++)
			hash = (hash ^ (unsigned char) *at) * UINT64_C(0x100000001B3);
		hash = (hash ^ 0xFF) * UINT64_C(0x100000001B3);
	}
	hash = (hash ^ (hash >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	hash = (hash ^ (hash >> 27)) * UINT64_C(0x94D049BB133111EB);
	return hash ^ (hash >> 31);
}

Person
data_person(const char *realm, const char *key)
{
	uint64_t hash = data_hash(realm, key);
	Person person;

	person.male = hash % 2 == 0;
	person.first_name = person.male ? men[(hash >> 8) % LENGTH(men)]
									: women[(hash >> 8) % LENGTH(women)];
	person.last_name = families[(hash >> 24) % LENGTH(families)];
	person.father_name = men[(hash >> 40) % LENGTH(men)];
	return person;
}

/* First and last name with one blank; the room is DATA_NAME_SIZE. */
void
data_full_name(const Person *person, char *to)
{
	snprintf(to, DATA_NAME_SIZE, "%s %s", person->first_name,
			 person->last_name);
}

/* A Jalali date YYYYMMDD and a NUL. */
void
data_date(uint64_t hash, int first_year, int years, char *to)
{
	unsigned year = (unsigned) first_year + hash % (unsigned) years;
	unsigned month = 1 + (hash >> 16) % 12;
	unsigned day = 1 + (hash >> 24) % 29;

	snprintf(to, 9, "%04u%02u%02u", year % 10000, month, day);
}

/* That many digits, the first not zero, and a NUL. */
void
data_digits(uint64_t hash, char *to, int digits)
{
	to[0] = (char) ('1' + hash % 9);
	for (int i = 1; i < digits; i++)
	{
		hash = hash * UINT64_C(6364136223846793005) + 1;
		to[i] = (char) ('0' + (hash >> 33) % 10);
	}
	to[digits] = '\0';
}

/* Within some ten kilometres of one of the cities. */
Place
data_place(const char *postal_code)
{
	uint64_t hash = data_hash("place", postal_code);
	Place place = cities[hash % LENGTH(cities)];

	place.street = streets[(hash >> 8) % LENGTH(streets)];
	place.latitude += (double) ((hash >> 16) % 2000) / 1e4 - 0.1;
	place.longitude += (double) ((hash >> 32) % 2000) / 1e4 - 0.1;
	return place;
}

/*
 * What the IBAN's last two digits decide, so that a test can choose: see
 * --help.
 */
static void
set_state(Account *account, int last_two)
{
	account->status = "ACTIVE";
	account->nowners = 1;
	switch (last_two)
	{
		case 93:
			account->status = "BLOCK_WITH_DEPOSIT";
			break;
		case 94:
			account->status = "BLOCK_WITHOUT_DEPOSIT";
			break;
		case 95:
			account->status = "IDLE";
			break;
		case 96:
			account->status = "UNKNOWN";
			break;
		case 97:
		case 98:
			account->nowners = 2;
			break;
		case 99:
			account->nowners = 0;
			break;
		default:
			break;
	}
}

/* The IBAN must be a valid one. */
void
data_account_of_iban(const char *iban, Account *account)
{
	const char *deposit = iban + 26 - ACCOUNT_DIGITS;

	snprintf(account->iban, sizeof(account->iban), "%s", iban);
	account->bank = banks_by_iban(iban);
	deposit += strspn(deposit, "0");
	snprintf(account->deposit, sizeof(account->deposit), "%s",
			 *deposit == '\0' ? "0" : deposit);
	set_state(account, (iban[24] - '0') * 10 + (iban[25] - '0'));
	account->owners[0] = data_person("owner", iban);
	account->owners[1] = data_person("second owner", iban);
}

/*
 * The account number is the number's digits; of more than an IBAN has room
 * for, a digest.
 */
void
data_account_of_deposit(const char *bank, const char *number, Account *account)
{
	char iban[27] = "IR00";
	char digits[ACCOUNT_DIGITS + 1];
	int ndigits = 0;

	for (const char *at = number; *at != '\0'; at++)
	{
		if (*at < '0' || *at > '9')
			continue;
		if (ndigits == ACCOUNT_DIGITS)
		{
			data_digits(data_hash("long deposit", number), digits,
						ACCOUNT_DIGITS);
			break;
		}
		digits[ndigits++] = *at;
	}
	memcpy(iban + 4, banks_iban_code(bank), 3);
	memset(iban + 7, '0', ACCOUNT_DIGITS);
	memcpy(iban + 26 - ndigits, digits, (size_t) ndigits);
	iban_check_digits(iban + 4, iban + 2);
	data_account_of_iban(iban, account);
}

/*
 * The deposit number ends in the card's two digits before its check digit;
 * so a card, too, can choose what its account looks like.
 */
void
data_account_of_card(const char *card, Account *account)
{
	char number[DEPOSIT_DIGITS + 1];

	data_digits(data_hash("card", card), number, DEPOSIT_DIGITS);
	memcpy(number + DEPOSIT_DIGITS - 2, card + 13, 2);
	data_account_of_deposit(banks_by_card(card), number, account);
}

bool
data_owned_by(const Account *account, const char *full_name)
{
	char name[DATA_NAME_SIZE];

	for (int i = 0; i < account->nowners; i++)
	{
		data_full_name(&account->owners[i], name);
		if (strcmp(name, full_name) == 0)
			return true;
	}
	return false;
}
