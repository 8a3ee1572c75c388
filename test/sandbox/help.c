/*
 * help.c
 *		What --help and --faults print.
 */
#include <stdio.h>

#include "faults.h"
#include "help.h"
#include "magic.h"
#include "operations.h"

static const char usage[] =
	"jibit-sandbox stands in for Jibit's inquiry API on this machine.\n"
	"\n"
	"Usage: jibit-sandbox [OPTION]...\n"
	"       jibit-sandbox --magic KIND FAULT [VARIANT]\n"
	"       jibit-sandbox --faults\n"
	"\n"
	"Once it listens it prints one line, such as\n"
	"  listening on http://127.0.0.1:39421/ide\n"
	"SIGTERM and SIGINT end it.\n"
	"\n"
	"Options:\n"
	"  --port N              port (default 0: any that is free)\n"
	"  --host HOST           address to listen on (default 127.0.0.1)\n"
	"  --base-path PATH      what paths start with (default /ide)\n"
	"  --tls-cert FILE       speak HTTPS, with this certificate ...\n"
	"  --tls-key FILE        ... and this key, both in PEM\n"
	"  --api-key KEY         the key it accepts (default sandbox-key)\n"
	"  --secret-key SECRET   and its secret (default sandbox-secret)\n"
	"  --token-ttl SECONDS   life of access tokens (default 86400)\n"
	"  --refresh-ttl SECONDS life of refresh tokens (default 172800)\n"
	"  --delay-ms N          answer inquiries only after so long\n"
	"  --daily-limit N       good answers a day for each charged operation;\n"
	"                        then daily_limit.reached (default 0: none)\n"
	"  --opaque-tokens       tokens that are not JWTs\n"
	"  --threads N           threads that serve (default 1)\n"
	"  --log FILE            a line for every request (no keys, tokens or\n"
	"                        queries)\n"
	"  --exit-with-parent    end when the parent process does\n"
	"  --magic KIND FAULT [VARIANT]\n"
	"                        print the input that asks for that fault\n"
	"  --faults              print the names of the faults\n"
	"  --help                print this\n";

static const char control[] =
	"\n"
	"Control, by GET below the base path, with or without Authorization; not\n"
	"counted:\n"
	"  /v1/sandbox/stats     requests served: total, each operation, other\n"
	"                        (no operation), charged, errors, connections,\n"
	"                        in_flight, max_concurrent\n"
	"  /v1/sandbox/reset     counters, settings and history as at the start;\n"
	"                        tokens stay valid\n"
	"  /v1/sandbox/set?...   delay_ms (inquiries), token_delay_ms,\n"
	"                        token_ttl, refresh_ttl, daily_limit, api_key,\n"
	"                        secret_key,\n"
	"                        opaque_tokens=0|1, keep_alive=0|1,\n"
	"                        echo_token=0|1 (an error's message repeats the\n"
	"                        caller's token), refuse_refresh=0|1\n"
	"                        (invalid.tokens_pair),\n"
	"                        token_fault=FAULT (token operations),\n"
	"                        fault=FAULT (inquiries), with it perhaps\n"
	"                        fault_count=N (only the next N; 0: all) and\n"
	"                        fault_operation=OPERATION; an empty fault ends\n"
	"                        it.  Answers with the settings in force.\n"
	"  /v1/sandbox/revoke    no token issued so far is valid any more;\n"
	"                        with ?refresh=0 refresh tokens still are\n"
	"  /v1/sandbox/requests?last=N\n"
	"                        the last requests, the latest first (at most\n"
	"                        256)\n"
	"  /v1/sandbox/magic?kind=KIND&fault=FAULT&variant=N\n"
	"                        as --magic\n"
	"  /v1/sandbox/faults    as --faults\n"
	"  /v1/sandbox/person?nationalCode=CODE\n"
	"                        the name that belongs to a national code\n"
	"  /v1/sandbox/echo?...  repeats its query: a service that has no\n"
	"                        operation\n"
	"One request alone: the headers X-Sandbox-Fault: FAULT and\n"
	"X-Sandbox-Delay-Ms: N.  A fault comes after the token's check, so an\n"
	"invalid token is still 403.\n";

static const char rules[] =
	"\n"
	"Synthetic data follow from the input alone:\n"
	"  bank                by card prefix and IBAN code, else UNKNOWN\n"
	"  IBAN, owners        of a card, its deposit number and its IBAN agree;\n"
	"                      the deposit number ends in the card's 14th and\n"
	"                      15th digit, and so does the IBAN\n"
	"  IBAN ending in      93 BLOCK_WITH_DEPOSIT, 94 BLOCK_WITHOUT_DEPOSIT,\n"
	"                      95 IDLE, 96 UNKNOWN, 97 or 98 two owners,\n"
	"                      99 no owner; else ACTIVE with one owner\n"
	"  matched (person)    card, deposit, IBAN with a national code: true\n"
	"                      where the birth date's last digit is even\n"
	"  matched (name)      true where the name is \"first last\" of an owner\n"
	"                      that the IBAN inquiries give for that input\n"
	"  matched (mobile)    Shahkar and Sana: true where the national code "
	"and\n"
	"                      the mobile end in the same digit\n"
	"  registered (Sana)   false where the mobile's last digit but one is 9\n"
	"  qualified           true where the national code's ninth digit is\n"
	"                      even\n"
	"  similarity          100 for the person's own name, else from 10 to 89\n"
	"                      (/v1/sandbox/person tells the name)\n"
	"  corporation         a code that ends in 0 has the licence's fields\n"
	"                      only\n"
	"  availability        all banks but KHAVARMIANEH and IRAN_VENEZUELA\n"
	"  balances            PRF 1500000, POF 9223372036854775807\n"
	"  daily report        today: the sandbox's own counts; days in the "
	"past:\n"
	"                      counts that never vary; both: sandbox_seven 7,\n"
	"                      sandbox_forty_two 42; the future: no services\n";

static const char magic[] =
	"\n"
	"Magic inputs pass every check and ask for a fault (K: its number, N:\n"
	"free, c: check digit):\n";

void
help_print_faults(void)
{
	const Fault *fault;

	for (size_t i = 0; (fault = fault_at(i)) != NULL; i++)
	{
		if (fault->description != NULL)
			printf("  %04d  %-36s %s\n", fault->number, fault->name,
				   fault->description);
		else
			printf("  %04d  %-36s that error, HTTP %d\n", fault->number,
				   fault->name, fault->status);
	}
}

void
help_print(void)
{
	const char *kind;
	const char *pattern;

	fputs(usage, stdout);
	fputs(control, stdout);
	fputs(rules, stdout);
	fputs(magic, stdout);
	for (int i = 0; magic_describe(i, &kind, &pattern), kind != NULL; i++)
		printf("  %-20s%s\n", kind, pattern);
	puts("\nOperations:");
	for (int i = 0; i < OPERATIONS; i++)
		printf("  %-28s%s\n", operations[i].name, operations[i].path);
	puts("\nFaults, for magic inputs, headers and settings:");
	help_print_faults();
}
