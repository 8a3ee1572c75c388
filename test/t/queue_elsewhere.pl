# Requests that have come from elsewhere, by a restore, by logical replication
# or through pg_upgrade: whose they are, and which of them run.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $conf = "jibit.worker_databases = 'postgres'\n";
my $node = jibit_node(
	'first',
	sandbox => $sandbox,
	init => [ allows_streaming => 'logical' ],
	conf => $conf);
my $queue = jibit_queue($node);

# What a role sees of its requests: how many.
sub seen_by
{
	my ($where, $role) = @_;
	return $where->sql("SET ROLE $role; SELECT count(*) FROM jibit_requests; RESET ROLE");
}

sub cards_called { return $sandbox->stats->{card} // 0 }

# ---- a restore into another cluster

foreach my $role (qw(alice bob dave))
{
	$queue->sql("CREATE ROLE $role; SELECT jibit_grant('$role')");
	my ($card) = $queue->cards(1);
	my $state = $queue->sql(
		"SET ROLE $role; SELECT jibit_submit('card', '{\"card\": \"$card\"}'); RESET ROLE");
	$queue->wait_until_done;
}
my $old_oid = $queue->sql(q{SELECT 'alice'::regrole::oid});
$queue->sql(q{ALTER ROLE alice RENAME TO alicia; CREATE ROLE alice; SELECT jibit_grant('alice')});
$queue->sql(q{SELECT jibit_revoke('bob'); DROP ROLE bob; CREATE ROLE bob; SELECT jibit_grant('bob')});
is(seen_by($queue, 'alicia'), 1, 'a role that was renamed sees its request');
is(seen_by($queue, 'alice'), 0, '... a new one of its old name does not');
is(seen_by($queue, 'bob'), 0, '... nor one of the name of a role that is gone');
is( $queue->sql(
		q{SET ROLE alicia; SELECT (jibit_collect(id)).state FROM jibit_requests; RESET ROLE}),
	'succeeded',
	'it is collected, too');

my $dump = $node->basedir . '/dump.sql';
$node->command_ok(
	[ 'pg_dump', '-x', '-f', $dump, '-d', $node->connstr('postgres') ],
	'pg_dump');
{
	my $other = jibit_node('other', start => 0);
	# The next OID there is the one that alice had here.
	command_ok([ 'pg_resetwal', '-o', $old_oid, $other->data_dir ],
		'another cluster');
	$other->start;
	$other->safe_psql('postgres', 'CREATE ROLE stranger');
	is($other->safe_psql('postgres', q{SELECT 'stranger'::regrole::oid}),
		$old_oid, '... in which another role has the OID');
	$other->safe_psql('postgres', 'CREATE ROLE alicia; CREATE ROLE bob');
	$other->command_ok(
		[
			'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d',
			$other->connstr('postgres')
		],
		'a restore, though a role is not there');
	my $there = jibit_queue($other);
	$there->sql("SELECT jibit_grant('$_')") foreach qw(alicia bob stranger);
	is(seen_by($there, 'alicia'), 1, '... the submitter sees the request');
	is(seen_by($there, 'bob'), 0, '... no role of an old name does');
	is(seen_by($there, 'stranger'), 0, '... and none of the same OID');
	$there->sql(q{CREATE ROLE dave; SELECT jibit_grant('dave')});
	is(seen_by($there, 'dave'), 0, '... nor one that came later');
	is( $there->sql('SELECT inquiry, succeeded FROM jibit_progress'),
		'card|3', '... and progress has counted them');
	$there->disconnect;
	$other->stop;
}

# ---- logical replication

{
	my $subscriber =
	  jibit_node('subscriber', credentials => 0, conf => $conf);
	my $there = jibit_queue($subscriber);

	$queue->sql('CREATE PUBLICATION everything FOR ALL TABLES');
	$queue->clear($sandbox);
	my ($card) = $queue->cards(1);
	my $waiting = $queue->sql(
		"SELECT jibit_submit('card', '{\"card\": \"$card\"}', run_after => now() + '1 day')");
	my $source = $node->connstr('postgres');
	$there->sql("CREATE SUBSCRIPTION everything CONNECTION \$\$$source\$\$ PUBLICATION everything");
	$there->wait_for('EXISTS (SELECT FROM jibit_queue) AND EXISTS (SELECT FROM jibit_credentials)');
	ok($there->worker, 'a subscriber with a worker');

	# Calls that take a while, so that it sees them while they wait.
	$sandbox->set(delay_ms => 100);
	my @ids = $queue->submit($queue->cards(200));
	$queue->wait_until_done("id <> $waiting");
	ok( $there->wait_for(
			"(SELECT count(*) = 200 FROM jibit_queue WHERE state = 'succeeded' AND id <> $waiting)"),
		'requests come to the subscriber, and their results');
	# Due in both, but there it is only a copy.
	$queue->sql(
		"UPDATE jibit_queue SET run_after = now() WHERE id = $waiting");
	$there->wait_for(
		"(SELECT run_after <= now() FROM jibit_queue WHERE id = $waiting)");
	my $worker = $there->worker;
	$there->sql("SELECT pg_terminate_backend($worker)");
	$there->worker($worker);
	$queue->submit($queue->cards(1));
	$queue->wait_until_done;
	# The subscriber's own run, after all that it could have run before.
	my ($own) = split /\n/,
	  $there->sql(
		q{SELECT setval('jibit_queue_id', 1000000) IS NULL; SELECT jibit_submit_batch('card', ARRAY['{"card": "1"}']::jsonb[])});
	ok( $there->wait_for(
			q{EXISTS (SELECT FROM jibit_queue WHERE id > 1000000 AND state = 'failed')}),
		'its own request runs');
	is(cards_called(), 202, '... each of the others has been called once');
	is( $there->sql(q{SELECT succeeded FROM jibit_progress WHERE profile = 'default'}),
		$queue->sql(q{SELECT succeeded FROM jibit_progress WHERE profile = 'default'}),
		'... and the counts are the publisher\'s');
	is($there->sql("SELECT jibit_cancel($waiting)"),
		'f', 'a copy is not cancelled');
	$there->sql('DROP SUBSCRIPTION everything');
	$queue->sql('DROP PUBLICATION everything');
	$there->disconnect;
	$subscriber->stop;
}

# ---- pg_upgrade

{
	$queue->clear($sandbox);
	# They wait for their keys to be good.
	jibit_store_credentials($node, sandbox => $sandbox, api_key => 'wrong');
	my @ids = $queue->submit($queue->cards(5));
	$queue->wait_for('EXISTS (SELECT FROM jibit_pauses)');
	my $finished = $queue->sql('SELECT count(*) FROM jibit_queue WHERE finished_at IS NOT NULL');
	$queue->disconnect;
	$node->stop;

	my $new = jibit_node('upgraded', start => 0, conf => $conf);
	my $bindir = $node->config_data('--bindir');
	chdir $new->basedir or die "$!";
	command_ok(
		[
			'pg_upgrade', '--no-sync',
			'-d', $node->data_dir, '-D', $new->data_dir,
			'-b', $bindir, '-B', $bindir,
			'-s', $new->host, '-p', $node->port, '-P', $new->port
		],
		'pg_upgrade');
	$new->start;
	my $there = jibit_queue($new);
	jibit_store_credentials($new, sandbox => $sandbox);
	ok($there->wait_until_done, '... the queue goes on');
	is($there->states("id BETWEEN $ids[0] AND $ids[-1]"),
		'succeeded 5', '... with success');
	is(seen_by($there, 'alicia'), 0, '... and is nobody else\'s');
	$new->stop;
}

done_testing();
