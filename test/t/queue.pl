# The queue and its worker: what is submitted runs once after the commit,
# whatever crashes; failures follow the queue's policy; roles are isolated.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'queue',
	sandbox => $sandbox,
	conf => "jibit.worker_databases = 'postgres'\n"
	  . "jibit.cache_ttl = 10min\n"
	  . "restart_after_crash = on\n");
my $next_card = 0;

sub sql
{
	my ($query) = @_;
	my $value = $node->safe_psql('postgres', $query);
	return $value;
}

sub cards
{
	my ($count) = @_;
	return map { test_card($next_card++) } 1 .. $count;
}

# Submits an inquiry for each card and returns the ids.
sub submit
{
	my (@cards) = @_;
	my $list = join ', ', map { "jsonb_build_object('card', '$_')" } @cards;
	return split /\n/,
	  sql("SELECT jibit_submit_batch('card', ARRAY[$list])");
}

sub state_of
{
	my ($id) = @_;
	return sql("SELECT state FROM jibit_queue WHERE id = $id");
}

sub wait_for_state
{
	my ($id, $state) = @_;
	return poll_until(sub { state_of($id) eq $state },
		"request $id to be $state (it is " . state_of($id) . ')');
}

sub worker_pid
{
	return poll_until(
		sub {
			sql(
				"SELECT pid FROM pg_stat_activity WHERE backend_type = 'jibit worker'"
			);
		},
		'the worker');
}

sub wait_until_done
{
	my ($where) = @_;
	return poll_until(
		sub {
			sql("SELECT count(*) FROM jibit_queue WHERE finished_at IS NULL"
				  . ($where ? " AND $where" : '')) eq '0';
		},
		'all requests to finish');
}

note 'one request';
ok(worker_pid(), 'there is a worker, shown in pg_stat_activity');
my ($card) = cards(1);
my $id = sql("SELECT jibit_submit('card', '{\"card\": \"$card\"}')");
is( sql("SELECT state FROM jibit_collect($id, '10s')"),
	'succeeded', 'a request succeeds');
is( sql(
		"SELECT result ->> 'number' = '$card', result ->> 'bank', result ? 'track_id', attempts,"
		  . " finished_at IS NOT NULL, error IS NULL FROM jibit_requests WHERE id = $id"
	),
	't|MELLI|t|1|t|t',
	'with the composite\'s columns as keys');

my $again = sql("SELECT jibit_submit('card', '{\"card\": \"$card\"}')");
is( sql("SELECT state, result ->> 'track_id' = (SELECT result ->> 'track_id' FROM jibit_requests WHERE id = $id) FROM jibit_collect($again, '10s')"),
	'succeeded|t', 'an equal request gets the shared answer');
is($sandbox->stats->{card}, 1, 'and costs no other call');

done_testing();
