# What one request, role or session does, or fails to do, holds up nobody
# else's requests: arguments that are no text, cancels that are not committed,
# locks, inquiries that nobody knows or that are always refused, profiles
# without keys, a standby that is gone.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'queue_holdups',
	sandbox => $sandbox,
	init => [ allows_streaming => 1 ],
	conf => "jibit.worker_databases = 'postgres, bytes'\n"
	  . "jibit.worker_concurrency = 8\nrestart_after_crash = on\n");
my $queue = jibit_queue($node);

sub sql { return $queue->sql(@_) }
sub set_conf { return $queue->set_conf(@_) }

# The seconds that a piece of code takes.
sub seconds_of
{
	my ($code) = @_;
	my $began = Time::HiRes::time();

	$code->();
	return Time::HiRes::time() - $began;
}

sub submit_as_role
{
	my ($role, $cards, $run_after) = @_;
	my $list = join ', ', map { "'$_'" } @$cards;

	return split /\n/,
	  sql(  "SET ROLE $role;"
		  . " SELECT jibit_submit('card', jsonb_build_object('card', c), run_after => $run_after)"
		  . " FROM unnest(ARRAY[$list]) c; RESET ROLE");
}

$queue->worker;

# ---- arguments that cannot be read

{
	sql(q{CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'});
	my $bytes = jibit_queue($node, 'bytes');
	$bytes->sql('CREATE EXTENSION jibit');
	jibit_store_credentials($node, dbname => 'bytes', sandbox => $sandbox);
	my $worker = $bytes->worker;
	my $bad = $bytes->sql(
		q{SELECT jibit_submit('card', convert_from('\x7b2263617264223a22e9227d', 'SQL_ASCII')::jsonb)}
	);
	my @good = $bytes->submit($bytes->cards(20));
	ok($bytes->wait_until_done, 'a byte that is no text: all requests finish');
	is( $bytes->value($bad, "concat_ws(' ', state, (error).errcode, attempts)"),
		'failed JB001 1',
		'... that one fails, at its first attempt');
	is($bytes->states("id <> $bad"), 'succeeded 20', '... the others succeed');
	is($bytes->worker, $worker, '... and the worker goes on');
	$bytes->disconnect;

	# More than any inquiry takes is not even queued.
	foreach my $case (
		[ q{jibit_submit('card', jsonb_build_object('card', repeat('6', 65536)))},
			'large arguments' ],
		[ q{jibit_submit_batch('card', ARRAY['{"card": "6"}', jsonb_build_object('card', repeat('6', 65536))])},
			'... in a batch' ])
	{
		my ($call, $what) = @$case;
		my %error = sql_error($node, "SELECT $call");
		is($error{sqlstate}, '22023', "$what are refused");
	}
	my $large = sql(
		q{SELECT jibit_submit('card', jsonb_build_object('card', repeat('6', 65000)))}
	);
	ok($queue->wait_for_state($large, 'failed'), 'somewhat less is queued');
	is($queue->value($large, '(error).errcode'), 'JB001', '... and is not valid');
	is(sql('SELECT count(*) FROM jibit_queue'), 1, '... it alone');
}

# ---- cancels

{
	$queue->clear($sandbox);
	sql(q{CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; SELECT jibit_grant('alice'); SELECT jibit_grant('bob')});
	my @hers =
	  submit_as_role('alice', [ $queue->cards(200) ], q{now() + '3s'});
	my $alice = jibit_session($node, user => 'alice');
	$alice->query('BEGIN');
	is( $alice->value(
			'SELECT count(*) FROM (SELECT jibit_cancel(id) AS done FROM jibit_requests OFFSET 0) s WHERE done'
		),
		200,
		'a role cancels many, and keeps its transaction open');
	$queue->wait_for(
		"(SELECT bool_and(run_after < clock_timestamp()) FROM jibit_queue)",
		'them to be due');
	my ($his) = submit_as_role('bob', [ $queue->cards(1) ], 'now()');
	ok($queue->wait_for_state($his, 'succeeded'), '... another role\'s runs');
	is($sandbox->stats->{card}, 1, '... and it alone');
	is($queue->states("id <> $his"), 'queued 200', '... the others wait');
	$alice->query('ROLLBACK');
	ok($queue->wait_until_done, '... until the cancels are rolled back');
	is($queue->states("id <> $his"), 'succeeded 200', '... and then run');

	# A cancel that waits for a claim, and comes too late. The claim is made by
	# hand: the worker's own is committed too soon for anybody to wait for it.
	$queue->clear($sandbox);
	my ($one) = submit_as_role('alice', [ $queue->cards(1) ], q{'infinity'});
	my $claiming = jibit_session($node);
	$claiming->query(
		"BEGIN; UPDATE jibit_queue SET state = 'running', attempts = 1 WHERE id = $one"
	);
	$alice->query('BEGIN');
	$alice->send("SELECT jibit_cancel($one)");
	$queue->wait_for(
		q{EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = }
		  . $alice->pid . ')',
		'a cancel that waits');
	$claiming->query('COMMIT');
	my %late = $alice->wait;
	is($late{stdout}, 'f', 'a cancel that comes after the claim');
	my $worker = $queue->worker;
	sql("SELECT pg_terminate_backend($worker)");    # the next takes it again
	ok($queue->wait_for_state($one, 'succeeded'),
		'... keeps no lock: the worker writes what it wants');
	is($queue->value($one, 'attempts'), 2, '... for that request');
	is( $alice->value(
			"SELECT now() < finished_at FROM jibit_requests WHERE id = $one"),
		't',
		'... while that transaction is still open');
	$alice->query('COMMIT');
	$alice->quit;
	$claiming->quit;
}

# ---- a lock on the queue

{
	# Longer than a call may last.
	set_conf('jibit.timeout', q{'700ms'});
	$queue->clear($sandbox, delay_ms => 400);
	my @ids = $queue->submit($queue->cards(40));
	my $locking = jibit_session($node);
	poll_until(sub { $sandbox->stats->{in_flight} == 8 }, 'calls');
	$locking->query('BEGIN; LOCK TABLE jibit_queue IN SHARE MODE');
	Time::HiRes::sleep(2);
	$locking->query('COMMIT');
	$locking->quit;
	ok($queue->wait_until_done, 'a lock on the queue, with calls under way');
	is($queue->states('attempts = 1'),
		'succeeded 40', '... all succeed at their first attempt');
	my %asked;
	$asked{ $_->{track_id} }++
	  foreach grep { $_->{operation} eq 'card' } $sandbox->requests;
	is(scalar(keys %asked), 40, '... all are called');
	is(scalar(grep { $_ > 1 } values %asked), 0, '... and none twice');
	set_conf('jibit.timeout', 'DEFAULT');
}

# ---- a pause that is being ended

foreach my $statement ('DELETE FROM jibit_pauses', 'SELECT jibit_resume()')
{
	$queue->clear($sandbox,
		fault => 'http.429',
		fault_operation => 'card_to_iban');
	my ($paused) = $queue->submit_as('card_to_iban', $queue->cards(1));
	$queue->wait_for('EXISTS (SELECT FROM jibit_pauses)');
	my $ending = jibit_session($node);
	$ending->query("BEGIN; $statement");
	# Its next probe is refused too, which the row is to show.
	my $calls = $sandbox->stats->{total};
	ok(poll_until(sub { $sandbox->stats->{total} > $calls }, 'a probe'),
		"$statement, not committed: a probe is made");
	my ($other) = $queue->submit($queue->cards(1));
	ok($queue->wait_for_state($other, 'succeeded'),
		'... and another inquiry goes on');
	$sandbox->set(fault => '');
	$ending->query('COMMIT');
	$ending->quit;
	ok($queue->wait_for_state($paused, 'succeeded'), '... as the first does');
	ok($queue->wait_for('NOT EXISTS (SELECT FROM jibit_pauses)'),
		'... when the pause is over');
}

# ---- an inquiry that is not known

{
	# It goes first when a paused profile is tried again.
	$queue->clear($sandbox, fault => 'forbidden', fault_operation => 'card');
	my @ids = $queue->submit($queue->cards(5));
	ok( $queue->wait_for(
			q{EXISTS (SELECT FROM jibit_pauses WHERE inquiry = '')}),
		'a profile is paused');
	$sandbox->set(fault => '');
	my $unknown = sql(<<'EOS');
INSERT INTO jibit_queue (id, inquiry, arguments, profile, priority, state,
  attempts, track_id, submitted_by, submitter, is_local, submitted_at, run_after)
SELECT nextval('jibit_queue_id'), 'of_tomorrow', '{}', 'default', 10, 'queued',
  0, 'by-hand', current_user, current_user::regrole::oid, true, now(), now()
RETURNING id
EOS
	ok( $queue->wait_until_done("inquiry = 'of_tomorrow'"),
		'an inquiry that is not known comes to its end');
	is( $queue->value($unknown, "concat_ws(' ', state, (error).errcode)"),
		'failed JB011', '... which is failure');
	ok($queue->wait_until_done, '... and the profile goes on');
	is($queue->states("id <> $unknown"), 'succeeded 5', '... with success');
}

# ---- inquiries that are always refused

{
	$queue->clear($sandbox,
		fault => 'forbidden',
		fault_operation => 'card_to_iban');
	sql('DELETE FROM jibit_pauses');
	$queue->submit_as('card_to_iban', $queue->cards(30));
	$queue->submit_as('card_to_deposit',
		map { $sandbox->magic(card => 'forbidden', $_) } 1 .. 30);
	my @others = $queue->submit($queue->cards(200));
	my $seconds = seconds_of(
		sub {
			ok( $queue->wait_until_done("inquiry = 'card'"),
				'inquiries that are always refused: another one runs');
		});
	cmp_ok($seconds, '<', 20, sprintf '... soon (%.1f s)', $seconds);
	is( sql(
			q{SELECT count(*) FROM jibit_queue WHERE inquiry LIKE 'card\_to\_%' AND finished_at IS NULL}
		),
		60,
		'... while what is refused waits');
	$sandbox->set(fault => '');
	sql('DELETE FROM jibit_pauses');
	sql('SELECT count(jibit_cancel(id)) FROM jibit_requests');
	$queue->wait_until_done;
}

# ---- profiles without keys

{
	my $count = 3000;
	$queue->clear($sandbox);
	# Their profiles go while they wait.
	sql('BEGIN');
	sql(    "INSERT INTO jibit_credentials (profile, api_key, secret_key)"
		  . " SELECT 'none' || i, 'key', 'secret' FROM generate_series(1, $count) i");
	sql(    "SELECT count(jibit_submit('card', '{\"card\": \"1\"}', 'none' || i))"
		  . " FROM generate_series(1, $count) i");
	sql("DELETE FROM jibit_credentials WHERE profile LIKE 'none%'");
	sql('COMMIT');
	my ($one) = $queue->submit($queue->cards(1));
	is(sql("SELECT state FROM jibit_collect($one, '30s')"),
		'succeeded', 'many profiles without keys: another request succeeds');
	cmp_ok(sql('SELECT count(*) FROM jibit_pauses'),
		'<=', 256, '... a bounded number of them pauses');
	($one) = $queue->submit($queue->cards(1));
	is(sql("SELECT state FROM jibit_collect($one, '30s')"),
		'succeeded', '... and so does a later one');
	# What the worker has at that moment comes back.
	ok( poll_until(
			sub {
				sql(q{SELECT count(jibit_cancel(id)) FROM jibit_requests WHERE state = 'queued'});
				sql(q{SELECT count(*) = 0 FROM jibit_requests WHERE finished_at IS NULL}) eq 't';
			},
			'the requests of profiles without keys'),
		'... which can be taken back');
	sql('DELETE FROM jibit_pauses');
	$queue->clear($sandbox);
}

# ---- no room for notifications

# Before 17 it cannot be made small.
if ($node->pg_version >= 17)
{
	$queue->disconnect;
	$node->append_conf('postgresql.conf', 'max_notify_queue_pages = 64');
	$node->restart;
	my $listener = jibit_session($node);
	$listener->query('LISTEN filler');
	$listener->query('BEGIN; SELECT 1');
	my $full = sub {
		my %error = sql_error($node, q{SELECT pg_notify('filler', repeat('x', 7900))});
		return defined $error{sqlstate};
	};
	ok(poll_until($full, 'a full queue of notifications'), 'no room for another');
	my ($id) = $queue->submit($queue->cards(1));
	ok($queue->wait_for_state($id, 'succeeded'), '... and a request ends all the same');
	$listener->query('COMMIT');
	$listener->quit;
}

# ---- a standby that is gone

{
	$queue->clear($sandbox, delay_ms => 200);
	sql('SET synchronous_commit = local');
	set_conf('synchronous_standby_names', q{'absent'});
	my @ids = $queue->submit($queue->cards(100));
	ok( $queue->wait_for(
			q{(SELECT count(*) >= 24 FROM jibit_queue WHERE state = 'succeeded')}),
		'a standby that is gone: results are written all the same');
	is( sql(
			q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'jibit worker' AND wait_event = 'SyncRep'}
		),
		0,
		'... and the worker does not wait for it');
	sql('ALTER SYSTEM RESET synchronous_standby_names');    # after a restart
	$queue->disconnect;
	# Not the usual stop, which waits for minutes and ends the tests.
	my $lock_file = $node->data_dir . '/postmaster.pid';
	my ($pid) = slurp_file($lock_file) =~ /^(\d+)/;
	my $seconds = seconds_of(
		sub {
			kill 'INT', $pid;
			foreach (1 .. 200)
			{
				last unless -e $lock_file;
				Time::HiRes::sleep(0.05);
			}
		});
	cmp_ok($seconds, '<', 5, sprintf 'a fast shutdown (%.1f s)', $seconds);
	$node->stop(-e $lock_file ? 'immediate' : 'fast', fail_ok => 1);
	$node->start;
	ok($queue->wait_until_done, '... loses no request');
	is($queue->states, 'succeeded ' . @ids, '... all succeed');
	cmp_ok($sandbox->stats->{card}, '<=', @ids + 8, '... and few are repeated');
}

my $log = slurp_file($node->logfile);
ok($log !~ /PANIC|TRAP|terminated by signal/, 'nothing crashed');

$node->stop;
done_testing();
