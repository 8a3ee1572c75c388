# The time that a worker does not drive its calls is not theirs, also when
# what it starts next ends at once.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node('clock', sandbox => $sandbox,
	init => [ allows_streaming => 1 ], conf => <<'EOC');
jibit.worker_databases = 'postgres'
jibit.max_retries = 0
jibit.timeout = '2s'
EOC
my $queue = jibit_queue($node);
$queue->worker;
jibit_session($node)->query('SELECT jibit_balances()');

sub stall
{
	my ($on) = @_;
	$queue->sql('SET synchronous_commit = local');
	return $queue->set_conf('synchronous_standby_names',
		$on ? q{'absent'} : q{''});
}

foreach my $next ('valid', 'invalid')
{
	$queue->clear($sandbox, delay_ms => 4000);
	$queue->submit($queue->cards(1));
	my $slow = $queue->sql('SELECT max(id) FROM jibit_requests');
	poll_until(sub { $sandbox->stats->{in_flight} == 1 }, 'a call under way');
	$sandbox->set(delay_ms => 0);
	stall(1);
	$queue->submit(
		$next eq 'valid' ? $queue->cards(1) : '6037990000000000');
	poll_until(
		sub {
			$queue->sql(q{SELECT count(*) FROM pg_stat_activity
				WHERE backend_type = 'jibit worker' AND wait_event = 'SyncRep'});
		},
		'a worker that waits');
	$queue->sql('SELECT pg_sleep(2.3)');
	stall(0);
	$queue->wait_until_done;
	is( $queue->sql(
			"SELECT state, attempts FROM jibit_requests WHERE id = $slow"),
		'succeeded|1',
		"one call, where the next is $next");
}
$node->stop('immediate');
done_testing();
