# A session that makes many calls does not grow, and one that makes none pays
# nothing.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node('memory', sandbox => $sandbox);

# What a process holds, in kB, by the kernel's account: without what it shares
# with others, such as the shared memory that it has touched.
sub private_kb
{
	my ($session) = @_;
	my $status = slurp_file('/proc/' . $session->pid . '/status');
	my ($anonymous) = $status =~ /^RssAnon:\s*(\d+)/m;
	return $anonymous;
}

# The same, but a page that is still the postmaster's too counts only by its
# share: a library's own data comes from there and costs a session nothing more.
sub share_kb
{
	my ($session) = @_;
	my $rollup = slurp_file('/proc/' . $session->pid . '/smaps_rollup');
	my ($anonymous) = $rollup =~ /^Pss_Anon:\s*(\d+)/m;
	return $anonymous;
}

sub contexts_kb
{
	my ($session) = @_;
	return $session->value(
		q{SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts});
}

sub descriptors
{
	my ($session) = @_;
	return scalar(() = glob '/proc/' . $session->pid . '/fd/*');
}

# Runs n statements one by one in a session, each ending its transaction.
my $loop = q{
	CREATE PROCEDURE repeat(n int, state text, query text) AS $$
	DECLARE
		seen int := 0;
	BEGIN
		FOR i IN 1..n LOOP
			IF state = '' THEN
				EXECUTE query;
				seen := seen + 1;
			ELSE
				BEGIN
					EXECUTE query;
				EXCEPTION WHEN OTHERS THEN
					IF SQLSTATE <> state THEN
						RAISE;
					END IF;
					seen := seen + 1;
				END;
			END IF;
		END LOOP;
		PERFORM set_config('test.seen', seen::text, false);
	END $$ LANGUAGE plpgsql};
$node->safe_psql('postgres', $loop);

# A kind of call, its SQLSTATE and how many: by how much the session grows.
sub stays_small
{
	my ($name, $n, $state, $query, $settings) = @_;
	my $session = jibit_session($node);
	my $warm_up = $n > 1000 ? 500 : 200;

	$session->query($settings) if $settings;
	$session->query("CALL repeat($warm_up, '$state', \$q\$$query\$q\$)");
	contexts_kb($session);
	my ($contexts, $private, $descriptors) =
	  (contexts_kb($session), private_kb($session), descriptors($session));
	my %result =
	  $session->query("CALL repeat($n, '$state', \$q\$$query\$q\$)");
	is($session->value(q{SHOW test.seen}), $n, "$n calls: $name")
	  or diag($result{stderr});
	my $more = contexts_kb($session) - $contexts;
	my $more_private = private_kb($session) - $private;
	note("$name: $more kB in memory contexts, $more_private kB of the process");
	cmp_ok($more, '<', 64, '... leave nothing in memory contexts (kB)');
	cmp_ok($more_private, '<', 1024, '... nor elsewhere (kB)');
	cmp_ok(descriptors($session) - $descriptors,
		'<=', 1, '... nor open files');
	$session->quit;
	return;
}

# ---- a session that never calls

{
	my $idle = jibit_session($node);
	my $idle_maps = slurp_file('/proc/' . $idle->pid . '/maps');
	my $sockets = grep { (readlink($_) // '') =~ /^socket:/ }
	  glob '/proc/' . $idle->pid . '/fd/*';

	is( $idle->value(
			q{SELECT count(*) FROM pg_backend_memory_contexts
			  WHERE name ILIKE 'jibit%'}),
		'0',
		'a session that never calls has no memory for it');
	$idle->query('SELECT * FROM jibit_inquiries');
	$idle->query('SELECT jibit_card(NULL)');
	is(scalar(grep { (readlink($_) // '') =~ /^socket:/ }
			glob '/proc/' . $idle->pid . '/fd/*'),
		$sockets, '... and no connection');
	is(scalar(() = glob '/proc/' . $idle->pid . '/task/*'),
		1, '... and one thread');
	ok($idle_maps, '... and is alive');
}

# The price of having the library loaded: nothing that a session feels.
{
	my $with = jibit_session($node);
	my $share = share_kb($with);
	$with->quit;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
	$node->restart;
	my $without = jibit_session($node);
	my $share_without = share_kb($without);
	$without->quit;
	note("a new session: $share kB with, $share_without kB without");
	cmp_ok($share - $share_without,
		'<', 1024, 'a new session costs as much as without the library (kB)');
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'jibit'");
	$node->restart;
}

# ---- many calls

my $card = test_card(1);
stays_small('that succeed', 10_000, '',
	"SELECT (jibit_card_to_iban('$card')).iban");
stays_small('sets', 1_000, '', 'SELECT * FROM jibit_balances()');
stays_small('jibit_request', 1_000, '',
	q{SELECT jibit_request('/v1/sandbox/echo', '{"a": "b"}')});
stays_small('that the service refuses', 500, 'JB003',
	sprintf q{SELECT jibit_card('%s')}, $sandbox->magic(card => 'card.not_active'));
stays_small('refused here', 2_000, 'JB001', q{SELECT jibit_card('1234')});
foreach my $case (
	[ 'close', 'JB009' ],
	[ 'cut', 'JB009' ],
	[ 'http.503', 'JB008' ],
	[ 'missing-mandatory', 'JB010' ],
	[ 'not-json', 'JB010' ],
	[ 'deep', 'JB010' ],
	[ 'long-text', '' ])
{
	my ($fault, $state) = @$case;
	stays_small(
		"with the fault $fault", 300, $state,
		(sprintf q{SELECT jibit_card('%s')}, $sandbox->magic(card => $fault)),
		'SET jibit.max_retries = 0');
}
stays_small(
	'with too large an answer', 50, 'JB010',
	(sprintf q{SELECT jibit_card('%s')}, $sandbox->magic(card => 'big-body')),
	'SET jibit.max_retries = 0');
stays_small('that take too long', 50, 'JB009',
	(sprintf q{SELECT jibit_card('%s')}, $sandbox->magic(card => 'hang')),
	q{SET jibit.timeout = '5ms'});
stays_small(
	'with a token that is not accepted', 300, 'JB007',
	(sprintf q{SELECT jibit_card('%s')}, $sandbox->magic(card => 'forbidden')));

# New connections, new tokens.
$sandbox->set(keep_alive => 0);
stays_small('with a connection each', 500, '', "SELECT jibit_card('$card')");
$sandbox->reset;
stays_small('with a token each', 300, '',
	"SELECT jibit_card('$card'), jibit_forget_tokens()");

# Credentials that change, other profiles, another track id.
$node->safe_psql('postgres',
	q{INSERT INTO jibit_credentials (profile, api_key, secret_key, base_url)
	  SELECT 'p' || i, api_key, secret_key, base_url FROM jibit_credentials,
	  generate_series(0, 99) i WHERE profile = 'default'});
stays_small('with changing profiles', 1_000, '', sprintf q{
	SELECT set_config('jibit.profile', 'p' || (random() * 99)::int, false),
		jibit_card('%s')}, $card);

# ---- one long statement

{
	my $session = jibit_session($node);
	my $sql = sprintf q{SELECT count((jibit_card_to_iban('%s')).iban)
		FROM generate_series(1, %%d)}, $card;

	$session->query(sprintf $sql, 500);
	my $before = private_kb($session);
	is($session->value(sprintf $sql, 3000),
		'3000', '3000 calls in one statement');
	cmp_ok(private_kb($session) - $before,
		'<', 1024, '... leave nothing (kB)');
	my ($peak) = slurp_file('/proc/' . $session->pid . '/status') =~
	  /^VmHWM:\s*(\d+)/m;
	my ($now) = slurp_file('/proc/' . $session->pid . '/status') =~
	  /^VmRSS:\s*(\d+)/m;
	cmp_ok($peak - $now, '<', 2048, '... and did not need more meanwhile (kB)');
}

# ---- no memory for the statement's answers

# Lets no table of answers grow, where the file exists, and ends whoever goes
# beyond the one that there is.  A table's entry has 16 bytes, and the headers
# of its memory some 50; libcurl allocates 16385 bytes for each request.
my $no_memory = PostgreSQL::Test::Utils::tempdir() . '/no_memory';
my $preload = (grep { /SAN_OPTIONS$/ } keys %ENV)
  ? undef
  : build_preload('no_memory', <<"EOC");
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void __libc_free(void *);

#define PAGE 4096
#define GUARDED 64
#define IS_TABLE(size, entries) \\
	((size) > (entries) * 16 + 32 && (size) < (entries) * 16 + 128)

static char *guarded[GUARDED];
static int count;

void *
malloc(size_t size)
{
	if (IS_TABLE(size, 1024) && count < GUARDED &&
		access("$no_memory", F_OK) == 0)
	{
		char *start = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE,
						   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		mprotect(start + 5 * PAGE, PAGE, PROT_NONE);
		return guarded[count++] = start + 5 * PAGE - (size + 15) / 16 * 16;
	}
	if (IS_TABLE(size, 2048) && access("$no_memory", F_OK) == 0)
	{
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

void
free(void *pointer)
{
	for (int i = 0; i < count; i++)
	{
		if (pointer == guarded[i])
			return;
	}
	__libc_free(pointer);
}
EOC

SKIP:
{
	skip 'no library can be loaded before the C library', 2 unless $preload;
	my $short = jibit_node(
		'short',
		sandbox => $sandbox,
		preload => $preload,
		conf => <<~EOC);
			jibit.statement_cache = on
			work_mem = 64MB
			restart_after_crash = on
			EOC

	$short->safe_psql('postgres', <<'EOS');
CREATE TABLE cards (number text);
CREATE FUNCTION ask(count int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	card text;
	info jibit_card_info;
	states text[] := '{}';
BEGIN
	FOR card IN SELECT number FROM cards LIMIT count LOOP
		BEGIN
			info := jibit_card(card);
		EXCEPTION WHEN out_of_memory THEN
			states := states || SQLSTATE::text;
		END;
	END LOOP;
	RETURN states;
END $$;
EOS
	$short->safe_psql('postgres', 'INSERT INTO cards VALUES '
		  . join(',', map { "('" . test_card($_) . "')" } 1 .. 1000));
	my $session = jibit_session($short);
	$session->value('SELECT ask(1)');
	append_to_file($no_memory, '');
	my %result = $session->query('SELECT ask(1000)');
	ok(!$result{gone}, 'a session that has no memory for more answers lives');
	is($result{stdout}, '{53200}', '... and goes on without those it had');
	unlink $no_memory;
	$short->stop;
}

$node->stop;
done_testing();
