# Nothing stops the worker: not the database's settings, a standby that is
# gone, locks that others hold, a disk that is full, a result that cannot be
# written, an API that is away, or result types of another version.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A WAL segment of 1 MB lets the worker write it while its files may be no
# larger than that.
my $file_limit = 1024 * 1024;
my $concurrency = 8;

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'queue_stops',
	sandbox => $sandbox,
	init => [ extra => ['--wal-segsize=1'], allows_streaming => 1 ],
	conf => $JibitQueue::conf
	  . "jibit.worker_concurrency = $concurrency\nautovacuum = off\n");
my $queue = jibit_queue($node);

sub sql { return $queue->sql(@_) }
sub set_conf { return $queue->set_conf(@_) }
sub calls { return $sandbox->stats->{ $_[0] // 'card' } // 0 }

sub in_flight
{
	my ($count) = @_;
	return poll_until(sub { $sandbox->stats->{in_flight} == $count },
		"$count calls under way");
}

# None was called twice.
sub called_once
{
	my ($what) = @_;
	my %asked;

	$asked{ $_->{track_id} }++
	  foreach grep { $_->{operation} =~ /^card/ } $sandbox->requests;
	return is(scalar(grep { $_ > 1 } values %asked), 0, $what);
}

# Requests whose calls are under way, in the order of their ids.
sub submit_running
{
	my ($count) = @_;
	my @ids = $queue->submit($queue->cards($count));

	in_flight($count);
	return @ids;
}

my $worker = $queue->worker;

# ---- settings of the database

{
	my %settings = (
		statement_timeout => q{'1ms'},
		lock_timeout => q{'1ms'},
		synchronous_commit => 'off',
		search_path => 'nowhere',
		default_transaction_read_only => 'on',
		default_transaction_isolation => 'serializable',
		idle_in_transaction_session_timeout => q{'1ms'});

	sql("ALTER DATABASE postgres SET $_ = $settings{$_}")
	  foreach sort keys %settings;
	sql("SELECT pg_terminate_backend($worker)");
	$worker = $queue->worker($worker);
	$queue->submit($queue->cards(20));
	ok($queue->wait_until_done, 'settings of the database: all requests finish');
	is($queue->states, 'succeeded 20', '... with success');
	is($queue->worker, $worker, '... of one worker');
	sql('SET default_transaction_read_only = off');
	sql('BEGIN READ WRITE; ALTER DATABASE postgres RESET ALL; COMMIT');
	sql("SELECT pg_terminate_backend($worker)");
	$worker = $queue->worker($worker);
}

# ---- a standby that is gone

{
	$queue->clear($sandbox);
	sql('SET synchronous_commit = local');
	set_conf('synchronous_standby_names', q{'absent'});
	my $waiting = jibit_session($node);
	$waiting->send('CREATE TABLE stalled ()');
	$queue->wait_for(
		q{EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = }
		  . $waiting->pid . ')',
		'a commit that waits');
	$queue->submit($queue->cards(100));
	ok($queue->wait_until_done, 'commits that wait for a standby: all finish');
	is($queue->states, 'succeeded 100', '... with success');
	set_conf('synchronous_standby_names', q{''});
	$waiting->wait;
	$waiting->quit;
	called_once('... and one call each');
}

# ---- rows that are to be finished

{
	$queue->clear($sandbox, delay_ms => 500);
	my @locked = submit_running(4);
	my $locking = jibit_session($node);
	$locking->query('BEGIN');
	is($locking->value(
			q{SELECT count(*) FROM (SELECT FROM jibit_queue WHERE state = 'running' FOR UPDATE) s}
		),
		4,
		'rows of running requests that somebody has locked');
	my @others = $queue->submit($queue->cards(40));
	ok($queue->wait_until_done("id > $locked[-1]"), '... others finish');
	is($queue->states("id > $locked[-1]"), 'succeeded 40', '... with success');
	is($queue->states("id <= $locked[-1]"), 'running 4', '... these wait');
	$locking->query('ROLLBACK');
	$locking->quit;
	ok($queue->wait_until_done, '... for the lock, and finish');
	is($queue->states('attempts = 1'), 'succeeded 44', '... at their first attempt');
	called_once('... with one call each');
	is($queue->worker, $worker, '... and the worker goes on');
}

# ---- such rows, when a worker starts

{
	$queue->clear($sandbox);
	my ($hanging) = $queue->submit($sandbox->magic(card => 'hang'));
	in_flight(1);
	my $locking = jibit_session($node);
	$locking->query("BEGIN; SELECT FROM jibit_queue WHERE id = $hanging FOR UPDATE");
	sql("SELECT pg_terminate_backend($worker)");
	$worker = $queue->worker($worker);
	my ($one) = $queue->submit($queue->cards(1));
	ok( $queue->wait_for_state($one, 'succeeded'),
		'a row that a dead worker left, and somebody has locked, holds up none');
	is($queue->state($hanging), 'running', '... it waits');
	my $attempts = $queue->value($hanging, 'attempts');
	$locking->query('ROLLBACK');
	$locking->quit;
	ok( $queue->wait_for("(SELECT attempts > $attempts FROM jibit_queue WHERE id = $hanging)"),
		'... for the lock, and is tried again');
	sql("UPDATE jibit_queue SET state = 'cancelled', finished_at = now() WHERE id = $hanging");
	sql("SELECT pg_terminate_backend($worker)");
	$worker = $queue->worker($worker);
}

# ---- pauses

{
	$queue->clear($sandbox, fault => 'http.429', fault_operation => 'card');
	$queue->submit($queue->cards(5));
	$queue->wait_for('EXISTS (SELECT FROM jibit_pauses)');
	my $deleting = jibit_session($node);
	$deleting->query('BEGIN; DELETE FROM jibit_pauses');
	# It is probed, and has to be written again.
	my $asked = calls();
	poll_until(sub { calls() > $asked + 1 }, 'probes');
	$queue->submit_as('card_to_iban', $queue->cards(20));
	ok($queue->wait_until_done("inquiry = 'card_to_iban'"),
		'an open transaction that has deleted a pause: others finish');
	$asked = calls();
	poll_until(sub { calls() > $asked }, 'another probe');
	is(sql('SELECT count(*) FROM jibit_pauses'), 1, '... and that pause is probed');
	$sandbox->set(fault => '');
	$deleting->query('COMMIT');
	$deleting->quit;
	ok($queue->wait_until_done, '... until the API is well again');
	is($queue->worker, $worker, '... and the worker goes on');
	$queue->wait_for('NOT EXISTS (SELECT FROM jibit_pauses)');
}

# ---- credentials

{
	$queue->clear($sandbox);
	jibit_store_credentials($node, profile => 'other', sandbox => $sandbox);
	$queue->submit($queue->cards(1));    # the keys are read anew
	$queue->wait_until_done;
	$queue->clear($sandbox, delay_ms => 100);
	# Submitting reads the credentials, so that comes first.
	foreach my $case ([ 'default', 100 ], [ 'other', 1 ])
	{
		my ($profile, $count) = @$case;
		my $cards = join ', ', map { "'$_'" } $queue->cards($count);
		sql(    qq{SELECT count(jibit_submit('card', jsonb_build_object('card', c), '$profile', 'infinity'))}
			  . " FROM unnest(ARRAY[$cards]) c");
	}
	$queue->submit($queue->cards(8));
	in_flight(8);
	my $locking = jibit_session($node);
	$locking->query('BEGIN; LOCK TABLE jibit_credentials IN ACCESS EXCLUSIVE MODE');
	sql('UPDATE jibit_queue SET run_after = now() WHERE finished_at IS NULL');
	ok($queue->wait_until_done("profile = 'default'"),
		'a lock on the credentials: requests whose keys are known finish');
	is($queue->states("profile = 'default'"), 'succeeded 108', '... with success');
	is($queue->states("profile = 'other'"), 'queued 1', '... others wait');
	$locking->query('COMMIT');
	$locking->quit;
	ok($queue->wait_until_done, '... until the lock is gone');
	is($queue->states("profile = 'other' AND attempts = 1"),
		'succeeded 1', '... at the first attempt');
	is($queue->worker, $worker, '... and the worker goes on');
	$queue->wait_for('NOT EXISTS (SELECT FROM jibit_pauses)');
}

# ---- a result that cannot be written

{
	$queue->clear($sandbox);
	my @ids = $queue->submit($queue->cards(1));
	$queue->wait_until_done;
	my ($bad) = ($ids[0] + 1);
	sql(<<"EOS");
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
  AS \$\$BEGIN RAISE EXCEPTION 'refused'; END\$\$;
CREATE TRIGGER refuse BEFORE UPDATE ON jibit_queue FOR EACH ROW
  WHEN (NEW.id = $bad AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION refuse();
EOS
	$queue->submit($queue->cards(100));
	ok($queue->wait_until_done("id <> $bad"),
		'a result that cannot be written: the others are');
	is($queue->states("id <> $bad"), 'succeeded 100', '... with success');
	is($queue->state($bad), 'running', '... that one is kept');
	sql('DROP TRIGGER refuse ON jibit_queue');
	ok($queue->wait_for_state($bad, 'succeeded'), '... until it can');
	called_once('... with one call each');
	is($queue->worker, $worker, '... and the worker goes on');
}

# ---- a disk that is full

SKIP:
{
	skip 'no prlimit', 6 if !`prlimit --version 2>/dev/null`;
	my $limit = sub {
		my ($size) = @_;
		return system('prlimit', '--pid', $worker, "--fsize=$size:unlimited") == 0;
	};

	$queue->clear($sandbox);
	# No place is left in old pages, and nothing may be cleared out of them.
	sql('ALTER TABLE jibit_queue SET (fillfactor = 100)');
	sql(q{INSERT INTO jibit_queue (id, inquiry, arguments, profile, priority, state,
			attempts, track_id, submitted_by, submitter, submitted_at, run_after, finished_at)
		SELECT nextval('jibit_queue_id'), 'filler', jsonb_build_object('x', repeat('x', 900)),
			'none', 0, 'cancelled', 0, 'none', current_user, current_user::regrole::oid,
			now(), now(), now() FROM generate_series(1, 1500)});
	cmp_ok(sql(q{SELECT pg_relation_size('jibit_queue')}),
		'>', $file_limit, 'a large queue');
	my $reading = jibit_session($node);
	$reading->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM jibit_queue LIMIT 1');
	$sandbox->set(delay_ms => 500);
	$queue->submit($queue->cards(150));
	in_flight($concurrency);
	ok($limit->($file_limit), 'there is no more room for its worker');
	ok( poll_until(
			sub { slurp_file($node->logfile) =~ /jibit worker could not/ },
			'the worker to notice'),
		'... which it says');
	in_flight(0);
	my $unwritten =
	  calls() - sql(q{SELECT count(*) FROM jibit_queue WHERE state = 'succeeded'});
	cmp_ok($unwritten, '>', 0, "... results are kept ($unwritten)");
	cmp_ok($unwritten, '<=', 5 * $concurrency, '... and no more than it may keep');
	ok($limit->('unlimited'), 'there is room again');
	ok($queue->wait_until_done("inquiry = 'card'"), '... all finish');
	is($queue->states("inquiry = 'card' AND attempts = 1"),
		'succeeded 150', '... with success');
	called_once('... and one call each');
	is($queue->worker, $worker, '... and the worker goes on');
	$reading->query('COMMIT');
	$reading->quit;
}

# ---- a result type of another version

{
	$queue->clear($sandbox);
	sql('ALTER TYPE jibit_card_info ALTER ATTRIBUTE bank TYPE varchar');
	$queue->submit($queue->cards(20));
	$queue->wait_for(q{EXISTS (SELECT FROM jibit_pauses WHERE inquiry = 'card')});
	$queue->wait_until_idle;
	is($queue->states('attempts = 0'),
		'queued 20', 'a result type of another version: requests wait');
	is(calls(), 0, '... and nothing is called');
	like(sql('SELECT message FROM jibit_pauses'), qr/result type/, '... as the pause says');
	$queue->submit_as('card_to_iban', $queue->cards(5));
	ok($queue->wait_until_done("inquiry = 'card_to_iban'"), '... other inquiries go on');
	# And while calls are under way.
	sql('ALTER TYPE jibit_card_info ALTER ATTRIBUTE bank TYPE text');
	$sandbox->set(delay_ms => 500);
	sql('DELETE FROM jibit_pauses');
	$queue->submit($queue->cards(1));
	in_flight($concurrency);
	sql('ALTER TYPE jibit_card_info ALTER ATTRIBUTE bank TYPE varchar');
	$queue->wait_for(q{EXISTS (SELECT FROM jibit_pauses WHERE inquiry = 'card')});
	in_flight(0);
	sql('ALTER TYPE jibit_card_info ALTER ATTRIBUTE bank TYPE text');
	sql('DELETE FROM jibit_pauses');
	$queue->submit($queue->cards(1));
	ok($queue->wait_until_done, '... which were paid for, and are kept');
	is($queue->states, 'succeeded 27', '... all succeed');
	called_once('... with one call each');
}

# ---- validation that the server has switched off

{
	$queue->clear($sandbox);
	set_conf('jibit.validate', 'off');
	my ($id) = $queue->submit('6037990000000000');
	ok($queue->wait_for_state($id, 'failed'), 'validation off: a wrong card fails');
	is($queue->value($id, '(error).errcode'), 'JB001', '... as it does elsewhere');
	is(calls(), 0, '... without a call');
	set_conf('jibit.validate', 'DEFAULT');
}

# ---- an API that is away for long

{
	set_conf('jibit.request_max_attempts', 3);
	set_conf('jibit.breaker_threshold', 2);
	set_conf('jibit.breaker_cooldown', q{'100ms'});
	$queue->clear($sandbox);
	my $failed =
	  q{SELECT coalesce(sum(failed), 0) FROM jibit_stats WHERE inquiry = 'card'};
	my $before = sql($failed);
	$sandbox->stop;
	my ($id) = $queue->submit($queue->cards(1));
	ok( poll_until(
			sub {
				sql(q{UPDATE jibit_queue SET run_after = now() WHERE state = 'queued' AND run_after > now()});
				return sql($failed) - $before >= 10;
			},
			'many probes'),
		'an API that is away for many probes');
	like($queue->state($id), qr/^(queued|running)$/, '... fails nothing');
	$sandbox->start;
	sql(q{UPDATE jibit_queue SET run_after = now() WHERE state = 'queued'});
	ok($queue->wait_for_state($id, 'succeeded'), '... and what waited succeeds');
	sql('ALTER SYSTEM RESET ALL');
	sql('SELECT pg_reload_conf()');
	$queue->wait_for('NOT EXISTS (SELECT FROM jibit_pauses)');
}

my $log = slurp_file($node->logfile);
ok($log !~ /PANIC|TRAP|terminated by signal/, 'nothing crashed');

$node->stop;
done_testing();
