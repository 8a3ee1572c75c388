# Whatever ends the worker, the launcher or the server under load: what was
# committed ends exactly once in the table, and what is called again is little,
# with the same track id.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $concurrency = 8;
my $delay_ms = 100;
my $requests = 160;

# What may be called once more after a crash: what was in flight, of which
# counts what had ended but was not written yet.
my $repeated = $concurrency;

my $sandbox = jibit_sandbox(delay_ms => $delay_ms);
my $node = jibit_node(
	'queue_crash',
	sandbox => $sandbox,
	conf => $JibitQueue::conf
	  . "jibit.worker_concurrency = $concurrency\n"
	  . "log_statement = none\n");
my $queue = jibit_queue($node);

sub now_ms { return Time::HiRes::time() * 1000 }

# Submits many, lets &$disturb do something while they run, and checks that
# nothing is lost. $again says how many calls may be repeated.
sub under_load
{
	my ($what, $again, $disturb) = @_;

	$queue->clear($sandbox, delay_ms => $delay_ms);
	my @ids = $queue->submit($queue->cards($requests));
	poll_until(sub { $sandbox->stats->{card} >= 3 * $concurrency },
		'calls');
	$disturb->();
	ok($queue->wait_until_done, "$what: all requests finish");
	is( $queue->states("id BETWEEN $ids[0] AND $ids[-1]"),
		"succeeded $requests",
		'... with success');
	is( $queue->sql(
			"SELECT count(DISTINCT result ->> 'number') FROM jibit_queue"
			  . " WHERE result ->> 'number' = arguments ->> 'card'"),
		$requests,
		'... and their own answers');
	my $calls = $sandbox->stats->{card};
	cmp_ok($calls, '>=', $requests, "... by $calls calls");
	cmp_ok($calls, '<=', $requests + $again, '... few of them again');
	my %seen;
	$seen{ $_->{track_id} }++
	  foreach grep { $_->{operation} eq 'card' } $sandbox->requests;
	my %known = map { $_ => 1 } split /\n/,
	  $queue->sql('SELECT track_id FROM jibit_queue');
	is(scalar(grep { !$known{$_} } keys %seen),
		0, '... with no track ids but the requests\' own');
	is( scalar(grep { $_ > 2 } values %seen),
		0, '... none more than twice');
	return;
}

ok($queue->worker, 'there is a worker');

under_load(
	'kill -9 of the worker',
	$repeated,
	sub {
		my $worker = $queue->worker;
		kill 'KILL', $worker;
		ok($queue->worker($worker), 'the worker is killed and comes back');
	});
under_load(
	'immediate shutdown',
	$repeated,
	sub {
		$node->stop('immediate');
		$node->start;
	});
under_load(
	'kill -9 of the postmaster',
	$repeated,
	sub {
		my $worker = $queue->worker;
		$node->kill9;
		poll_until(sub { !kill 0, $worker }, 'the worker to end as well');
		$node->start;
	});
under_load(
	'fast shutdown',
	$concurrency,
	sub {
		$node->stop('fast');
		$node->start;
	});
under_load(
	'the worker is terminated',
	$concurrency,
	sub {
		my $worker = $queue->worker;
		$queue->sql("SELECT pg_terminate_backend($worker)");
		ok($queue->worker($worker), 'the worker ends and comes back');
	});
under_load(
	'the launcher is terminated',
	$concurrency,
	sub {
		my $launcher = $queue->process('jibit launcher');
		$queue->sql("SELECT pg_terminate_backend($launcher)");
		ok($queue->process('jibit launcher', $launcher),
			'the launcher ends and comes back');
	});
ok($queue->worker, 'there is a worker afterwards');
is( $queue->sql(
		q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'jibit worker'}
	),
	1, 'and one only');

# The new launcher looks after the worker that there is.
{
	my $worker = $queue->worker;
	$queue->sql("SELECT pg_terminate_backend($worker)");
	ok($queue->worker($worker), 'and looked after');
	ok(slurp_file($node->logfile) !~ /has a jibit worker already/,
		'none was started beside it');
}

# ---- long calls under way

{
	my ($began, @ids);
	$queue->clear($sandbox, delay_ms => 30_000);
	@ids = $queue->submit($queue->cards(40));
	my @called;
	poll_until(
		sub {
			@called = map { $_->{track_id} }
			  grep { $_->{operation} eq 'card' } $sandbox->requests;
			return @called == $concurrency;
		},
		'calls in flight');
	$began = now_ms();
	$node->stop('fast');
	cmp_ok(now_ms() - $began, '<', 2000,
		'a fast shutdown is prompt with calls in flight');
	$sandbox->set(delay_ms => 0);
	$node->start;
	ok($queue->wait_until_done, '... and all requests finish after it');
	is($queue->states, 'succeeded 40', '... with success');
	is( $queue->sql(
			q{SELECT string_agg(attempts || ' ' || n, ', ' ORDER BY attempts) FROM
			  (SELECT attempts, count(*) AS n FROM jibit_queue GROUP BY attempts) a}
		),
		'1 ' . (40 - $concurrency) . ", 2 $concurrency",
		'... an attempt is counted where there was a call');
	my %again;
	$again{ $_->{track_id} }++
	  foreach grep { $_->{operation} eq 'card' } $sandbox->requests;
	is_deeply(
		[ map { $again{$_} } @called ],
		[ (2) x $concurrency ],
		'... which was repeated with the same track id');
}

# ---- a worker that ends while others wait for its token

{
	my $waiting = jibit_session($node);

	$node->safe_psql('postgres', 'SELECT jibit_forget_tokens(), jibit_cache_clear()');
	$sandbox->reset;
	$sandbox->set(token_fault => 'hang');
	$node->safe_psql('postgres',
		sprintf q{SELECT jibit_submit('card', '{"card": "%s"}')}, test_card(900_001));
	poll_until(sub { $sandbox->stats->{in_flight} == 1 },
		'a worker that asks for a token');
	$waiting->send(sprintf q{SELECT jibit_card('%s') IS NOT NULL}, test_card(900_002));
	$node->poll_query_until('postgres',
		q{SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = } . $waiting->pid);
	$sandbox->set(token_fault => '');
	$node->safe_psql('postgres',
		q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'jibit worker'});
	my %result = $waiting->wait;
	is($result{stdout}, 't', 'a session takes over from a worker that ends');
	ok($queue->wait_until_done, '... and the request is made by the next one');
}

$node->stop;
done_testing();
