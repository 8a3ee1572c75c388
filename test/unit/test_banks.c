/*
 * test_banks.c
 *		The banks, against their list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "banks.h"
#include "testing.h"

static bool
same_words(const char *const *list, char *words)
{
	char *rest = NULL;
	char *word = strtok_r(words, " ", &rest);

	for (; *list; list++, word = strtok_r(NULL, " ", &rest))
	{
		if (word == NULL || strcmp(word, *list) != 0)
			return false;
	}
	return word == NULL;
}

/* Takes the next field out of a line of a file that quotes nothing. */
static char *
next_field(char **line)
{
	char *field = *line;
	size_t len = strcspn(field, ",\r\n");

	*line = field + len + (field[len] == ',');
	field[len] = '\0';
	return field;
}

static void
compare_banks(const char *path)
{
	FILE *file = fopen(path, "r");
	char buffer[1024];
	const JibitBank *bank = jibit_banks;
	bool passed = true;

	if (file == NULL || fgets(buffer, sizeof(buffer), file) == NULL)
	{
		ok(false, "%s cannot be read", path);
		return;
	}
	while (fgets(buffer, sizeof(buffer), file) != NULL)
	{
		char *line = buffer;

		/* id, name, name_fa, codes, prefixes, merged, website */
		if (bank->id == NULL || strcmp(bank->id, next_field(&line)) != 0 ||
			strcmp(bank->name, next_field(&line)) != 0 ||
			strcmp(bank->name_fa, next_field(&line)) != 0 ||
			!same_words(bank->iban_codes, next_field(&line)) ||
			!same_words(bank->card_prefixes, next_field(&line)) ||
			!same_words(bank->merged_from, next_field(&line)) ||
			strcmp(bank->website, next_field(&line)) != 0)
			complain(&passed, "row %d, %s", (int) (bank - jibit_banks),
					 buffer);
		if (bank->id != NULL)
			bank++;
	}
	fclose(file);
	ok(passed && bank->id == NULL, "banks are those of the file");
}

void
test_banks(void)
{
	const JibitBank *by_code[1000] = {NULL};
	const JibitBank *bank;
	bool codes = true;
	bool cards = true;

	for (bank = jibit_banks; bank->id; bank++)
	{
		for (int j = 0; bank->iban_codes[j]; j++)
		{
			char account[32];
			char iban[32];
			char out[27];

			by_code[atoi(bank->iban_codes[j])] = bank;
			strcpy(account, bank->iban_codes[j]);
			random_digits(account + 3, 19);
			make_iban(account, iban);
			if (jibit_normalize_iban(iban, strlen(iban), out) != JIBIT_VALID ||
				jibit_bank_by_iban(out) != bank)
				complain(&codes, "%s of %s", iban, bank->id);
		}
		for (int j = 0; bank->card_prefixes[j]; j++)
		{
			char card[32];
			size_t len = strlen(bank->card_prefixes[j]);

			/* The shorter prefix of a pair needs digits that end it. */
			strcpy(card, bank->card_prefixes[j]);
			random_digits(card + len, (int) (16 - len));
			if (len == 6)
				card[6] = '0';
			card[15] = '0';
			card[15] = (char) ('0' + (10 - slow_luhn(card)) % 10);
			if (jibit_normalize_card(card, 16, NULL) != JIBIT_VALID ||
				jibit_bank_by_card(card) != bank)
				complain(&cards, "%s of %s", card, bank->id);
		}
	}
	for (int code = 0; code < 1000; code++)
	{
		char iban[64];

		sprintf(iban, "IR00%03d0000000000000000000", code);
		if (jibit_bank_by_iban(iban) != by_code[code])
			complain(&codes, "code %03d", code);
	}
	if (jibit_bank_by_card("6219860000000000") == NULL ||
		jibit_bank_by_card("6219850000000000") != NULL ||
		jibit_bank_by_card("0000000000000000") != NULL)
		complain(&cards, "%s", "a prefix that is none");
	ok(codes, "banks by IBAN, every code");
	ok(cards, "banks by card, every prefix");

	compare_banks("../data/banks.csv");
}
