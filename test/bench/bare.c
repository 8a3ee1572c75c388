/*
 * What the extension is measured against: libcurl and json-c in C, with
 * nothing around them.
 *
 *	bare version                      versions and the default CA bundle
 *	bare get URL CA                   the body of the answer
 *	bare token URL CA                 an access token for the sandbox's keys
 *	bare first URL CA CARD            one inquiry, from nothing
 *	bare sequence URL CA CARDS        inquiries over one kept connection
 *	bare multi URL CA CARDS           inquiries, many at a time
 *
 * URL is the API's base URL; CA a file with the certificates to trust, or
 * empty.  The token for inquiries is in JIBIT_BENCH_TOKEN.  An inquiry is the
 * request that jibit_card_to_iban() sends: same URL, same headers, a new track
 * id each time; of its answer the IBAN is read.
 *
 * "first" prints the microseconds from before libcurl is initialised until the
 * IBAN is there.  "sequence" reads lines "FIRST COUNT" from its input, asks for
 * so many cards of the file CARDS (a number a line) from the one numbered
 * FIRST, and prints the microseconds that took and how many IBANs there were.
 * "multi" does the same with lines "FIRST COUNT CONCURRENCY", by a loop of
 * curl_multi_poll() that starts the next as soon as one ends; where the server
 * offers HTTP/2, they share connections as libcurl sees fit.  All use their own
 * process's clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <curl/curl.h>
#include <json-c/json.h>

/* The sandbox's own keys. */
#define KEYS "{\"apiKey\":\"sandbox-key\",\"secretKey\":\"sandbox-secret\"}"

#define CARD_DIGITS 16
#define TIMEOUT_MS 30000L
#define CONNECT_TIMEOUT_MS 5000L

typedef struct Body
{
	char *data;
	size_t length;
	size_t capacity;
} Body;

static Body body;
static char track_id_header[] =
	"X-TRACK-ID: 01234567-89ab-cdef-0123-456789abcdef";

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "bare: %s: %s\n", what, why);
	exit(1);
}

static double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static size_t
take_body(char *data, size_t size, size_t count, void *arg)
{
	size_t length = size * count;
	Body *to = arg;

	if (to->length + length + 1 > to->capacity)
	{
		to->capacity = (to->length + length + 1) * 2;
		to->data = realloc(to->data, to->capacity);
		if (to->data == NULL)
			die("body", "out of memory");
	}
	memcpy(to->data + to->length, data, length);
	to->length += length;
	to->data[to->length] = '\0';
	return length;
}

static CURL *
make_easy(const char *ca)
{
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		die("libcurl", "out of memory");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "jibit-postgresql/1.0");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
					 (long) CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (*ca != '\0')
	{
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	return easy;
}

/* Sends it; the answer is in `body`. */
static void
perform(CURL *easy, const char *url)
{
	CURLcode code;
	long status = 0;

	body.length = 0;
	code = curl_easy_perform(easy);
	if (code != CURLE_OK)
		die(url, curl_easy_strerror(code));
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		die(url, body.length ? body.data : "no answer");
}

static struct json_object *
parse(const Body *from)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *top;

	if (tokener == NULL)
		die("json-c", "out of memory");
	top = json_tokener_parse_ex(tokener, from->data, (int) from->length);
	if (top == NULL)
		die("answer",
			json_tokener_error_desc(json_tokener_get_error(tokener)));
	json_tokener_free(tokener);
	return top;
}

/* A text of the answer, or of an object in it. */
static const char *
get_text(struct json_object *top, const char *object, const char *field)
{
	struct json_object *value = top;

	if ((object && !json_object_object_get_ex(top, object, &value)) ||
		!json_object_object_get_ex(value, field, &value) ||
		!json_object_is_type(value, json_type_string))
		die(field, "is not in the answer");
	return json_object_get_string(value);
}

/* What all inquiries share; the track id's line is changed in place. */
static struct curl_slist *
make_headers(void)
{
	const char *token = getenv("JIBIT_BENCH_TOKEN");
	char line[8192];
	struct curl_slist *list;

	if (token == NULL)
		die("JIBIT_BENCH_TOKEN", "is not set");
	snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
	list = curl_slist_append(NULL, track_id_header);
	list = curl_slist_append(list, line);
	return curl_slist_append(list, "Accept: application/json");
}

/* A random UUID, version 4. */
static void
set_track_id(struct curl_slist *headers)
{
	unsigned char u[16];

	if (getrandom(u, sizeof(u), 0) != sizeof(u))
		die("getrandom", "failed");
	u[6] = (u[6] & 0x0f) | 0x40;
	u[8] = (u[8] & 0x3f) | 0x80;
	sprintf(strchr(headers->data, ' ') + 1,
			"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			"%02x%02x%02x%02x%02x%02x",
			u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10],
			u[11], u[12], u[13], u[14], u[15]);
}

/* Is there an IBAN in the answer? */
static int
has_iban(const Body *answer)
{
	struct json_object *top = parse(answer);
	int found = strncmp(get_text(top, "ibanInfo", "iban"), "IR", 2) == 0;

	json_object_put(top);
	return found;
}

static void
prepare(CURL *easy, struct curl_slist *headers, const char *base,
		const char *card)
{
	char url[1024];

	set_track_id(headers);
	snprintf(url, sizeof(url), "%s/v1/cards?number=%.*s&iban=true", base,
			 CARD_DIGITS, card);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

/* One inquiry.  Returns whether there is an IBAN. */
static int
ask(CURL *easy, struct curl_slist *headers, const char *base, const char *card)
{
	prepare(easy, headers, base, card);
	perform(easy, base);
	return has_iban(&body);
}

static void
do_version(void)
{
	curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	printf("libcurl %s, %s, json-c %s\n%s\n", info->version, info->ssl_version,
		   json_c_version(), info->cainfo ? info->cainfo : "");
}

static void
do_get(const char *url, const char *ca)
{
	CURL *easy = make_easy(ca);

	curl_easy_setopt(easy, CURLOPT_URL, url);
	perform(easy, url);
	fwrite(body.data, 1, body.length, stdout);
}

static void
do_token(const char *base, const char *ca)
{
	CURL *easy = make_easy(ca);
	struct curl_slist *headers;
	char url[1024];

	headers = curl_slist_append(NULL, "Content-Type: application/json");
	snprintf(url, sizeof(url), "%s/v1/tokens/generate", base);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, KEYS);
	perform(easy, url);
	puts(get_text(parse(&body), NULL, "accessToken"));
}

static void
do_first(const char *base, const char *ca, const char *card)
{
	double started = now_us();

	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (!ask(make_easy(ca), make_headers(), base, card))
		die(card, "no IBAN");
	printf("%.1f\n", now_us() - started);
}

static char *
read_file(const char *name, long *length)
{
	FILE *file = fopen(name, "r");
	char *text;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		die(name, "cannot be read");
	*length = ftell(file);
	rewind(file);
	text = malloc(*length + 1);
	if (text == NULL || fread(text, 1, *length, file) != (size_t) *length)
		die(name, "cannot be read");
	fclose(file);
	return text;
}

static void
do_sequence(const char *base, const char *ca, const char *cards_file)
{
	CURL *easy;
	struct curl_slist *headers;
	long length;
	char *cards = read_file(cards_file, &length);
	long first;
	long count;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	easy = make_easy(ca);
	headers = make_headers();
	while (scanf("%ld %ld", &first, &count) == 2)
	{
		double started = now_us();
		long found = 0;

		if (first < 0 || (first + count) * (CARD_DIGITS + 1) > length)
			die(cards_file, "has not so many cards");
		for (long i = first; i < first + count; i++)
			found += ask(easy, headers, base, cards + i * (CARD_DIGITS + 1));
		printf("%.1f %ld\n", now_us() - started, found);
		fflush(stdout);
	}
}

/* One of the inquiries of "multi". */
typedef struct Transfer
{
	CURL *easy;
	struct curl_slist *headers;
	Body body;
} Transfer;

#define CONCURRENCY_MAX 256

/* Asks for `count` cards; returns how many IBANs there were. */
static long
ask_many(CURLM *multi, Transfer *transfers, const char *base,
		 const char *cards, long count, int concurrency)
{
	long next = 0;
	long found = 0;
	long done = 0;
	int running;

	for (; next < count && next < concurrency; next++)
	{
		prepare(transfers[next].easy, transfers[next].headers, base,
				cards + next * (CARD_DIGITS + 1));
		curl_multi_add_handle(multi, transfers[next].easy);
	}
	while (done < count)
	{
		CURLMsg *message;
		int left;

		curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left)) != NULL)
		{
			Transfer *transfer;
			long status = 0;

			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
							  (char **) &transfer);
			if (message->data.result != CURLE_OK)
				die(base, curl_easy_strerror(message->data.result));
			curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
			if (status != 200)
				die(base, "not answered with 200");
			found += has_iban(&transfer->body);
			transfer->body.length = 0;
			curl_multi_remove_handle(multi, transfer->easy);
			done++;
			if (next < count)
			{
				prepare(transfer->easy, transfer->headers, base,
						cards + next++ * (CARD_DIGITS + 1));
				curl_multi_add_handle(multi, transfer->easy);
			}
		}
		if (done < count)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	return found;
}

/* A list of its own, since the track id's line is changed in place. */
static struct curl_slist *
copy_headers(void)
{
	struct curl_slist *copy = make_headers();

	copy->data = strdup(copy->data);
	return copy;
}

static void
do_multi(const char *base, const char *ca, const char *cards_file)
{
	static Transfer transfers[CONCURRENCY_MAX];
	CURLM *multi;
	long length;
	char *cards = read_file(cards_file, &length);
	long first;
	long count;
	int concurrency;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	for (int i = 0; i < CONCURRENCY_MAX; i++)
	{
		transfers[i].easy = make_easy(ca);
		transfers[i].headers = copy_headers();
		curl_easy_setopt(transfers[i].easy, CURLOPT_PRIVATE, &transfers[i]);
		curl_easy_setopt(transfers[i].easy, CURLOPT_WRITEDATA,
						 &transfers[i].body);
		if (strncmp(base, "https:", 6) == 0)
			curl_easy_setopt(transfers[i].easy, CURLOPT_PIPEWAIT, 1L);
	}
	while (scanf("%ld %ld %d", &first, &count, &concurrency) == 3)
	{
		double started = now_us();
		long found;

		if (first < 0 || (first + count) * (CARD_DIGITS + 1) > length ||
			concurrency < 1 || concurrency > CONCURRENCY_MAX)
			die(cards_file, "has not so many cards");
		found = ask_many(multi, transfers, base,
						 cards + first * (CARD_DIGITS + 1), count,
						 concurrency);
		printf("%.1f %ld\n", now_us() - started, found);
		fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "version") == 0 && argc == 2)
		do_version();
	else if (strcmp(what, "get") == 0 && argc == 4)
		do_get(argv[2], argv[3]);
	else if (strcmp(what, "token") == 0 && argc == 4)
		do_token(argv[2], argv[3]);
	else if (strcmp(what, "first") == 0 && argc == 5)
		do_first(argv[2], argv[3], argv[4]);
	else if (strcmp(what, "sequence") == 0 && argc == 5)
		do_sequence(argv[2], argv[3], argv[4]);
	else if (strcmp(what, "multi") == 0 && argc == 5)
		do_multi(argv[2], argv[3], argv[4]);
	else
		die("arguments", "see the head of bare.c");
	return 0;
}
