# What a call that gets no place is told, and what it costs.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node('places', sandbox => $sandbox, conf => <<'EOC');
jibit.worker_databases = 'postgres'
jibit.max_in_flight = 1
jibit.request_max_attempts = 1
jibit.timeout = '2s'
EOC
my $queue = jibit_queue($node);
my ($session, $holder) = (jibit_session($node), jibit_session($node));
$queue->worker;
$session->query('SELECT jibit_balances()');
$holder->query("SET jibit.timeout = '12s'");
$sandbox->set(delay_ms => 500, fault => 'providers.not_available',
	fault_operation => 'card');
$session->send(sprintf q{SELECT jibit_card('%s')}, test_card(1));
poll_until(sub { $sandbox->stats->{in_flight} == 1 }, 'a call under way');
$holder->send(sprintf q{SELECT jibit_postal_location('%s')},
	$sandbox->magic(postal_code => 'hang', 1));
my %failed = $session->wait;
is($failed{constraint}, 'providers.not_available',
	'a retry that gets no place ends with the last answer');
$sandbox->set(fault => '');
$queue->submit($queue->cards(1));
$holder->wait;
$queue->wait_until_done;
is($queue->states, 'succeeded 1', 'a request that got no place was no attempt');
$node->stop('immediate');
done_testing();
