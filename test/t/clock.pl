# A clock that is set: what was to last for seconds does not last for hours,
# and what is counted by day goes on. And what takes minutes: tokens of
# credentials that have been replaced.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The server's wall clock, moved by what a file says; the monotonic one is left
# alone.
my $library = build_preload('clock', <<'C');
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static const volatile long long *offset;
__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("JIBIT_TEST_CLOCK");
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED
		: mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		offset = map;
}
int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	tv->tv_sec = now.tv_sec + (offset ? *offset : 0);
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}
time_t time(time_t *result)
{
	struct timeval now;
	gettimeofday(&now, NULL);
	if (result)
		*result = now.tv_sec;
	return now.tv_sec;
}
C
plan skip_all => 'no compiler, or not one for this' unless $library;

my $offset = PostgreSQL::Test::Utils::tempdir() . '/clock';
append_to_file($offset, pack('q', 0));
$ENV{JIBIT_TEST_CLOCK} = $offset;

sub set_clock
{
	my ($seconds) = @_;

	open my $file, '+<', $offset or die "clock: $!\n";
	syswrite $file, pack('q', $seconds);
	close $file;
	return;
}

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'clock',
	sandbox => $sandbox,
	preload => $library,
	conf => "jibit.max_retries = 0\njibit.daily_limit_iban = 1");

my $next_card = 0;

sub call
{
	return sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL},
	  test_card($next_card++);
}

sub state_of
{
	my ($sql) = @_;
	my %error = sql_error($node, $sql);

	return $error{sqlstate} // $error{stdout};
}

sub count_of
{
	my ($operation) = @_;
	my $stats = $sandbox->stats;

	return $stats->{operations}{$operation} // $stats->{$operation} // 0;
}

sub set_url
{
	my ($url) = @_;

	$node->safe_psql('postgres',
		"UPDATE jibit_credentials SET base_url = '$url'");
	return;
}

my $before = $node->safe_psql('postgres', 'SELECT now()');
set_clock(3600);
is( $node->safe_psql('postgres',
		"SELECT now() - '$before' BETWEEN '1 h' AND '61 min'"),
	't',
	'the clock can be set');
set_clock(0);

# ---- credentials that take turns, and ones that have been replaced

my ($one, $other) = ($sandbox->url, $sandbox->url =~ s/^http:/HTTP:/r);
foreach my $url ($one, $other, $one, $other)
{
	set_url($url);
	is(state_of(call()), 't', 'a call with credentials that take turns');
}
is(count_of('token_generate'), 2, '... which keep their tokens');
my $pairs = 'SELECT count(*) FROM jibit_token_status';
is($node->safe_psql('postgres', $pairs), 2, '... and both are shown');
set_clock(150);
is($node->safe_psql('postgres', $pairs), 2, '... also later');
is(state_of(call()), 't', 'a call with one of them alone');
is($node->safe_psql('postgres', $pairs), 1, '... which has replaced the other');
set_url($one);
is(state_of(call()), 't', 'the other again');
is(count_of('token_generate'), 3, '... has a new pair of tokens');
set_clock(0);

# ---- a refused key

jibit_store_credentials($node, sandbox => $sandbox, api_key => 'wrong');
is(state_of(call()), 'JB007', 'a key that is refused');
my $asked = count_of('token_generate');
is(state_of(call()), 'JB007', '... once more');
is(count_of('token_generate'), $asked, '... asks for no token');
set_clock(-3600);
is(state_of(call()), 'JB007', '... but when the clock was set back');
is(count_of('token_generate'), $asked + 1, '... it does');
set_clock(0);
jibit_store_credentials($node, sandbox => $sandbox);

# ---- cached answers

my $cached = "SET jibit.cache_ttl = '10min'; " . call();
$asked = count_of('card');
is(state_of($cached), 't', 'an answer') foreach 1 .. 2;
is(count_of('card'), $asked + 1, '... is kept');
set_clock(-3600);
is(state_of($cached), 't', '... but when the clock was set back');
is(count_of('card'), $asked + 2, '... it is asked for again');
set_clock(0);

# ---- the circuit breaker

$node->append_conf('postgresql.conf', 'jibit.breaker_threshold = 2');
$node->reload;
$sandbox->set(fault => 'server.error', fault_operation => 'card');
$node->poll_query_until('postgres',
	q{SELECT current_setting('jibit.breaker_threshold') = '2'});
is(state_of(call()), 'JB008', 'a failing service') foreach 1 .. 2;
is(state_of(call()), 'JB012', '... suspends calls');
$sandbox->reset;
set_clock(-3600);
is(state_of(call()), 't', '... but not for long when the clock was set back');
set_clock(0);

# ---- the day's budget

my $iban = q{SELECT (jibit_iban('IR050170000000123456789012')).iban IS NOT NULL};
set_clock(86400);
is(state_of($iban), 't', "the day's only call");
is(state_of($iban), 'JB013', '... is the only one');
set_clock(0);
is(state_of($iban), 'JB013', '... also when the clock was set back');
set_clock(86400);
is(state_of($iban), 'JB013', '... and forward again');
set_clock(-10 * 86400);
is(state_of($iban), 't', '... but not when it had been wrong by days');

# ---- the queue's worker

$node->append_conf('postgresql.conf', "jibit.worker_databases = 'postgres'");
$node->reload;
my $worker = q{pid FROM pg_stat_activity WHERE backend_type = 'jibit worker'};
ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT $worker)"),
	'a worker');
my $pid = $node->safe_psql('postgres', "SELECT $worker");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
set_clock(-11 * 86400);
ok( $node->poll_query_until(
		'postgres', "SELECT EXISTS (SELECT $worker AND pid <> $pid)"),
	'... is started again soon also when the clock was set back');

$node->stop;
done_testing();
