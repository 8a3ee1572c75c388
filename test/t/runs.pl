# What calls that are under way together owe each other: places and tokens in
# the order of arrival, no waiting for another account's token, none for a
# process that does not get to its calls, one call where an answer is shared.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'runs',
	sandbox => $sandbox,
	init => [ allows_streaming => 1 ],
	conf => <<'EOC');
jibit.worker_databases = 'postgres'
jibit.max_retries = 0
jibit.cache_ttl = 0
EOC
my $queue = jibit_queue($node);
my $session = jibit_session($node);

sub set_conf { return $queue->set_conf(@_) }

sub batch
{
	my (@cards) = @_;
	return sprintf q{jibit_card_batch('{%s}')}, join ',', @cards;
}

# What a batch of cards ends with: each kind of end with its number.
my $ends = q{SELECT string_agg(concat_ws(' ', end_, n), ', ' ORDER BY end_)
	FROM (SELECT coalesce((error).code, 'answered') AS end_, count(*) AS n
		FROM %s GROUP BY 1) e};

sub in_flight
{
	my ($count) = @_;
	return poll_until(sub { $sandbox->stats->{in_flight} == $count },
		"$count calls under way");
}

$queue->worker;
$session->query('SELECT jibit_balances()');    # a token is there

# ---- places, first come, first served

# Elements wait many times longer for a place than a call may take.
{
	set_conf('jibit.max_in_flight', 4);
	$sandbox->set(delay_ms => 50);
	$session->query(
		"SET jibit.timeout = '1s'; SET jibit.batch_concurrency = 16");
	is( $session->value(sprintf $ends, batch($queue->cards(400))),
		'answered 400',
		'a batch with more at a time than there are places');
	$session->query('RESET jibit.timeout; RESET jibit.batch_concurrency');
}

# A session with one call does not wait for the end of another's batch.
{
	my $batch = jibit_session($node);
	$sandbox->set(delay_ms => 100);
	$batch->send(sprintf $ends, batch($queue->cards(200)));
	in_flight(4);
	my $before = $sandbox->stats->{card};
	is( $session->value(
			sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL},
			$queue->cards(1)),
		't', 'a single call beside a batch');
	cmp_ok($sandbox->stats->{card} - $before,
		'<', 40, '... gets a place in its turn');
	is({ $batch->wait }->{stdout}, 'answered 200', '... and so does the batch');
}

# The wait for a place is part of a single call's time, and the breaker is
# asked again at its end.
{
	my @holders = map { jibit_session($node) } 1 .. 4;
	$sandbox->reset;
	set_conf('jibit.breaker_threshold', 1);
	set_conf('jibit.timeout', q{'2s'});
	foreach my $i (0 .. 3)
	{
		$holders[$i]->send(sprintf q{SELECT jibit_postal_location('%s')},
			$sandbox->magic(postal_code => 'hang', $i));
	}
	in_flight(4);
	my %late = $session->query(
		sprintf q{SET jibit.timeout = '500ms'; SELECT jibit_card('%s')},
		$queue->cards(1));
	is($late{sqlstate}, 'JB009', 'a call that gets no place in time');
	like($late{detail}, qr/max_in_flight/, '... says so');
	my %suspended = $session->query(
		sprintf q{SET jibit.timeout = '1min'; SELECT jibit_card('%s')},
		$queue->cards(1));
	is($suspended{sqlstate}, 'JB012',
		'one that was suspended while it waited for its place');
	$_->wait foreach @holders;
	is($sandbox->stats->{card} // 0, 0, '... is not sent');
	$session->query('RESET jibit.timeout');
	set_conf('jibit.breaker_threshold', 'DEFAULT');
	set_conf('jibit.timeout', 'DEFAULT');
	$node->restart;
	$session = jibit_session($node);
	$queue->disconnect;
	$queue->worker;
}

# ---- an end for all

{
	foreach my $code ('balance.not_enough', 'daily_limit.reached')
	{
		$sandbox->reset;
		$sandbox->set(fault => $code, fault_operation => 'card');
		is( $session->value('SET jibit.batch_concurrency = 8; '
				  . sprintf $ends, batch($queue->cards(500))),
			"$code 500",
			"$code: all elements have it");
		cmp_ok($sandbox->stats->{card}, '<=', 8, '... after few calls');
		is( $session->value(
				sprintf
				  q{SELECT count(*) FROM %s WHERE (error).track_id IS NULL},
				batch($queue->cards(100))) >= 92,
			1,
			'... those without a call have no track id');
	}
	$sandbox->reset;
}

# ---- equal requests

{
	set_conf('jibit.cache_ttl', q{'10min'});
	set_conf('jibit.worker_concurrency', 64);
	set_conf('jibit.max_in_flight', 64);
	$queue->clear($sandbox, delay_ms => 300);
	$queue->submit(($queue->cards(1)) x 100);
	ok($queue->wait_until_done, 'equal requests');
	is($queue->states, 'succeeded 100', '... all have the answer');
	is($sandbox->stats->{card}, 1, '... of one call');

	$queue->clear($sandbox, delay_ms => 300);
	$queue->submit(($sandbox->magic(card => 'card.is_expired')) x 100);
	ok($queue->wait_until_done, 'equal requests that fail');
	is($queue->states, 'failed 100', '... all have the error');
	cmp_ok($sandbox->stats->{card}, '<=', 2, '... of one call');
	set_conf('jibit.cache_ttl', 'DEFAULT');
	$queue->clear($sandbox);
}

# ---- an account whose token does not come

{
	my $other = jibit_sandbox();
	jibit_store_credentials($node, profile => 'other', sandbox => $other);
	$other->set(token_fault => 'hang');
	set_conf('jibit.worker_concurrency', 8);
	my ($stuck) = split /\n/,
	  $queue->sql(
		sprintf
		  q{SELECT jibit_submit('card', jsonb_build_object('card', '%s'), profile => 'other')},
		$queue->cards(1));
	ok(poll_until(sub { $other->stats->{in_flight} == 1 },
			'a token call under way'),
		'a token call that hangs');
	$queue->submit($queue->cards(200));
	ok($queue->wait_until_done("id <> $stuck"),
		'... and requests of another account');
	is($queue->states("id <> $stuck"), 'succeeded 200', '... which succeed');
	is($other->stats->{in_flight}, 1, '... while it hangs');
	$other->stop;
	ok( poll_until(
			sub { $queue->sql("SELECT jibit_cancel($stuck)") eq 't' },
			'the request to be cancelled'),
		'... until that request is cancelled');
	$queue->clear($sandbox);
}

# ---- a process that does not get to its calls

my $seconds = 6;

# Writing the result of a request takes the worker some seconds.
sub stall
{
	my ($id) = @_;
	$queue->sql(<<"EOS");
CREATE OR REPLACE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql
  AS \$\$BEGIN PERFORM pg_sleep($seconds); RETURN NEW; END\$\$;
CREATE TRIGGER stall BEFORE UPDATE ON jibit_queue FOR EACH ROW
  WHEN (NEW.id = $id AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION stall();
EOS
	return;
}

sub worker_waits
{
	return poll_until(
		sub {
			$queue->sql(q{SELECT count(*) FROM pg_stat_activity
				WHERE backend_type = 'jibit worker' AND wait_event = 'PgSleep'});
		},
		'a worker that waits');
}

sub next_id { return $queue->sql(q{SELECT nextval('jibit_queue_id') + 1}) }

{
	set_conf('jibit.timeout', q{'3s'});
	set_conf('jibit.worker_concurrency', 64);
	$queue->clear($sandbox, delay_ms => 400);
	stall(next_id());
	$queue->submit($queue->cards(200));
	ok(worker_waits(), 'a worker that is long in writing');
	ok($queue->wait_until_done, '... requests over that pause');
	is($queue->states, 'succeeded 200', '... all succeed');
	is($sandbox->stats->{card}, 200, '... with one call each');
	is( $queue->sql('SELECT count(*) FROM jibit_pauses'),
		0, '... and nobody is suspended');
	is( $queue->sql(q{SELECT coalesce(sum(failed), 0) FROM jibit_stats
			WHERE inquiry = 'card' AND last_error = 'suspended'}),
		0, '... nor was');
	$queue->sql('DROP TRIGGER stall ON jibit_queue');
}

# Its places are lent to others meanwhile.
{
	set_conf('jibit.timeout', 'DEFAULT');
	set_conf('jibit.worker_concurrency', 4);
	set_conf('jibit.max_in_flight', 4);
	$queue->clear($sandbox);
	my @hanging = map { $sandbox->magic(card => 'hang', $_) } 1 .. 3;
	$queue->submit(@hanging);
	in_flight(3);
	stall(next_id());
	$queue->submit($queue->cards(1));
	ok(worker_waits(), 'a worker that is long in writing');
	my %result = $session->query(
		sprintf q{SET jibit.timeout = '5s'; SET jibit.batch_concurrency = 4;
			%s}, sprintf $ends, batch($queue->cards(8)));
	is($result{stdout}, 'answered 8', '... lends its places');
}

my $log = slurp_file($node->logfile);
ok($log !~ /PANIC|TRAP|terminated by signal/, 'nothing crashed');
$node->stop('immediate');
done_testing();
