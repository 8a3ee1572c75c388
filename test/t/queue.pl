# The queue as its users see it: what is submitted runs after the commit and
# only then, in order; results are collected, requests cancelled; triggers
# submit; roles are isolated.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'queue',
	sandbox => $sandbox,
	conf => $JibitQueue::conf
	  . "jibit.cache_ttl = 10min\nmax_prepared_transactions = 5\n");
my $queue = jibit_queue($node);

sub sql { return $queue->sql(@_) }

# jibit_submit() of a card, with more arguments.
sub submission
{
	my ($card, $more) = @_;
	return "jibit_submit('card', '{\"card\": \"$card\"}'"
	  . ($more ? ", $more" : '') . ')';
}

sub set_conf { return $queue->set_conf(@_) }

# ---- one request

ok($queue->worker, 'there is a worker, shown in pg_stat_activity');
my ($card) = $queue->cards(1);
my $id = sql('SELECT ' . submission($card));
is(sql("SELECT state FROM jibit_collect($id, '10s')"),
	'succeeded', 'a request succeeds');
is( sql(
		"SELECT result ->> 'number' = '$card', result ->> 'bank', result ? 'track_id', attempts,"
		  . " finished_at IS NOT NULL, error IS NULL FROM jibit_requests WHERE id = $id"
	),
	't|MELLI|t|1|t|t',
	'with the composite\'s columns as keys');
my $again = sql('SELECT ' . submission($card));
is( sql(
		"SELECT state, result ->> 'track_id' = (SELECT result ->> 'track_id' FROM jibit_requests WHERE id = $id)"
		  . " FROM jibit_collect($again, '10s')"),
	'succeeded|t',
	'an equal request gets the shared answer');
is($sandbox->stats->{card}, 1, 'and costs no other call');

my $set = sql(q{SELECT jibit_submit('card_to_iban_availability', '{}')});
is( sql(
		"SELECT state, jsonb_typeof(result), result -> 0 ? 'bank' FROM jibit_collect($set, '10s')"
	),
	'succeeded|array|t',
	'the rows of an inquiry that gives many');
my $failing = sql('SELECT ' . submission('1'));
is( sql(
		"SELECT state, (error).code, (error).errcode, result IS NULL FROM jibit_collect($failing, '10s')"
	),
	'failed|card.not_valid|JB001|t',
	'a value that is not valid fails when it runs');

# ---- what is refused at once

foreach my $case (
	[ q{'no_such', '{}'}, '22023', 'an unknown inquiry' ],
	[ q{'card', '{"card": "1", "iban": "2"}'}, '22023', 'a foreign argument' ],
	[ q{'card', '{}'}, '22023', 'a missing argument' ],
	[ q{'card', '[]'}, '22023', 'arguments that are no object' ],
	[ q{'card', NULL}, '22023', 'arguments that are NULL' ],
	[ q{NULL, '{}'}, '22023', 'an inquiry that is NULL' ],
	[ q{'card', '{"card": "1"}', ''}, '22023', 'an empty profile' ],
	[ q{'card', '{"card": "1"}', 'no_such'}, 'JB011', 'an unknown profile' ],
	[ q{'card', '{"card": "1"}', NULL, now(), 101}, '22023', 'a high priority' ],
	[ q{'card', '{"card": "1"}', NULL, now(), -101}, '22023', 'a low priority' ])
{
	my ($arguments, $sqlstate, $what) = @$case;
	my %error = sql_error($node, "SELECT jibit_submit($arguments)");
	is($error{sqlstate}, $sqlstate, "$what is refused");
}

# ---- many

{
	my @cards = $queue->cards(40);
	my @ids = $queue->submit(@cards);
	is(scalar(@ids), 40, 'jibit_submit_batch() returns an id for each');
	is_deeply(\@ids, [ sort { $a <=> $b } @ids ], '... in order');
	$queue->wait_until_done;
	is( sql(
			    "SELECT string_agg(result ->> 'number', ' ' ORDER BY id)"
			  . " FROM jibit_requests WHERE id BETWEEN $ids[0] AND $ids[-1]"),
		"@cards",
		'... of its own element');
	is(sql(q{SELECT count(*) FROM jibit_submit_batch('card', '{}')}),
		0, 'of no element none');
	my %error = sql_error($node,
		q{SELECT jibit_submit_batch('card', ARRAY['{"card": "1"}', NULL]::jsonb[])}
	);
	is($error{sqlstate}, '22023', 'a NULL element is refused');
}

# ---- collect

{
	my $session = jibit_session($node);
	$queue->clear($sandbox, delay_ms => 700);
	my ($one) = $queue->submit($queue->cards(1));
	is(sql("SELECT state IN ('queued', 'running') FROM jibit_collect($one)"),
		't', 'jibit_collect() does not wait unless asked');
	is( sql("SELECT state IN ('queued', 'running') FROM jibit_collect($one, '50ms')"),
		't',
		'... nor longer than asked');
	is(sql("SELECT state FROM jibit_collect($one, '1 year')"),
		'succeeded', '... and until it has finished');
	is(sql('SELECT jibit_collect(-5) IS NULL'), 't', 'no such request');

	$session->query('BEGIN');
	my $own = $session->value('SELECT ' . submission($queue->cards(1)));
	my %error = $session->query("SELECT jibit_collect($own, '5s')");
	is($error{sqlstate}, '55000', 'a request of the same transaction');
	$session->query('ROLLBACK');
	%error = sql_error($node,
		"SELECT (SELECT jibit_collect(i, '5s')) FROM (SELECT "
		  . submission($queue->cards(1))
		  . ' AS i OFFSET 0) s');
	is($error{sqlstate}, '55000', '... or statement');
	%error = sql_error(
		$node,
		'BEGIN; SAVEPOINT s; SELECT '
		  . submission($queue->cards(1))
		  . ' AS i \gset
		RELEASE s; SELECT jibit_collect(:i)');
	is($error{sqlstate}, '55000', '... or subtransaction');

	($one) = $queue->submit($queue->cards(1));
	$session->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM jibit_queue');
	is($session->value("SELECT state FROM jibit_collect($one, '10s')"),
		'succeeded', 'a transaction with an old snapshot collects, too');
	$session->query('COMMIT');

	# Cancelling the one who waits leaves the request alone.
	($one) = $queue->submit($queue->cards(1));
	%error = $session->query(
		"SET statement_timeout = '50ms'; SELECT jibit_collect($one, '10s')");
	is($error{sqlstate}, '57014', 'waiting can be cancelled');
	ok($queue->wait_for_state($one, 'succeeded'), '... and harms no request');
	$session->quit;
}

# ---- NOTIFY

{
	my $session = jibit_session($node);
	my $heard = '';
	$queue->clear($sandbox);
	$session->query('LISTEN jibit');
	my @ids = $queue->submit($queue->cards(3));
	ok( poll_until(
			sub {
				my %result = $session->query('SELECT 1');
				$heard .= $result{stdout};
				return 3 == grep { $heard =~ /"jibit" with payload "$_"/ } @ids;
			},
			'notifications'),
		'NOTIFY jibit carries the ids');
	is($queue->states('id IN (' . join(', ', @ids) . ')'),
		'succeeded 3', '... of what has finished');
	my ($one) = $queue->submit($queue->cards(1));
	sql("SELECT jibit_collect($one, '10s')");
	my $later = sql('SELECT ' . submission($card, q{NULL, now() + '1h'}));
	is(sql("SELECT jibit_cancel($later)"), 't', 'a request is cancelled');
	like($session->value('SELECT 1'),
		qr/with payload "$later"/, '... and that is told, too');
	$session->quit;
}

# ---- cancel

{
	$queue->clear($sandbox, delay_ms => 1500);
	my ($running) = $queue->submit($queue->cards(1));
	my $waiting = sql('SELECT '
		  . submission($queue->cards(1), q{NULL, now() + '1 h'}));
	ok($queue->wait_for_state($running, 'running'), 'a request is running');
	is(sql("SELECT jibit_cancel($running)"), 'f', '... and not cancelled');
	is(sql("SELECT jibit_cancel($waiting)"), 't', 'one that waits is');
	is( sql(
			"SELECT state, finished_at IS NOT NULL FROM jibit_collect($waiting, '10s')"
		),
		'cancelled|t',
		'... and is finished');
	is(sql("SELECT jibit_cancel($waiting)"), 'f', '... not twice');
	is(sql('SELECT jibit_cancel(-5)'), 'f', 'no such request');
	ok($queue->wait_for_state($running, 'succeeded'), 'the other one succeeds');
	is(sql("SELECT jibit_cancel($running)"), 'f', '... too late');
	is($sandbox->stats->{card}, 1, 'what is cancelled is not called');
	my ($own) = $queue->cards(1);
	is( sql(
			"BEGIN; SELECT jibit_cancel(id) FROM (SELECT "
			  . submission($own)
			  . " AS id OFFSET 0) s; COMMIT"),
		't',
		'a request of the same statement can be cancelled');
	my ($cancelled, $self) = split /\n/,
	  sql(  'BEGIN; SELECT '
		  . submission($queue->cards(1))
		  . ' AS i \gset
			SELECT jibit_cancel(:i); SELECT :i; COMMIT');
	is($cancelled, 't', 'one of the same transaction can be cancelled');
	is($queue->state($self), 'cancelled', '... and is');
	$queue->wait_until_done;

	# An error leaves no subtransaction behind.
	my $later = sql('SELECT '
		  . submission($queue->cards(1), q{NULL, now() + '1 h'}));
	my ($holder, $session) = map { jibit_session($node) } 1 .. 2;
	$holder->query("BEGIN; SELECT jibit_cancel($later)");
	$session->query("SET lock_timeout = '50ms'");
	my %error = $session->query("SELECT jibit_cancel($later)");
	is($error{sqlstate}, '55P03', 'who waits too long for the row gives up');
	is($session->value('SELECT 1'), 1, '... and can go on');
	$session->query("DO \$\$ BEGIN PERFORM jibit_cancel($later);"
		  . ' EXCEPTION WHEN lock_not_available THEN NULL; END $$');
	$session->query('CREATE TABLE kept ()');
	is(sql(q{SELECT to_regclass('kept') IS NOT NULL}),
		't', '... also where a block catches that, and commits');
	$holder->query('ROLLBACK');
	$session->query('DROP TABLE kept');
	is(sql("SELECT jibit_cancel($later)"), 't', '... and the request is there');
	$_->quit foreach $holder, $session;
}

# ---- order

{
	my (@asked, @cards);
	$queue->clear($sandbox);
	set_conf('jibit.worker_concurrency', 1);
	@cards = $queue->cards(9);
	# All in one transaction: age is by run_after, then by id.
	sql(    'BEGIN;'
		  . join('', map {
				my $priority = (0, 5, -5)[$_ % 3];
				'SELECT '
				  . submission($cards[$_],
					"NULL, now() - '1h'::interval * $_, $priority")
				  . ';'
		  } 0 .. 8)
		  . 'COMMIT');
	$queue->wait_until_done;
	my @expected = @cards[ 7, 4, 1, 6, 3, 0, 8, 5, 2 ];
	is( sql(
			q{SELECT string_agg(arguments ->> 'card', ' ' ORDER BY finished_at, priority DESC, run_after) FROM jibit_queue WHERE attempts > 0}
		),
		"@expected",
		'by priority, then by age');
	@asked = reverse map { $_->{track_id} } $sandbox->requests(9);
	is( sql(
			q{SELECT string_agg(track_id, ' ' ORDER BY priority DESC, run_after) FROM jibit_queue WHERE attempts > 0}
		),
		"@asked",
		'... and called in that order');

	# Urgent ones go past a long queue.
	$queue->clear($sandbox, delay_ms => 20);
	$queue->submit($queue->cards(200));
	my $urgent =
	  sql('SELECT ' . submission($queue->cards(1), 'NULL, now(), 1'));
	$queue->wait_for_state($urgent, 'succeeded');
	cmp_ok(sql(q{SELECT count(*) FROM jibit_queue WHERE state = 'queued'}),
		'>', 50, 'an urgent request overtakes many');
	sql('SELECT count(jibit_cancel(id)) FROM jibit_requests WHERE state = \'queued\'');
	$queue->wait_until_done;
	set_conf('jibit.worker_concurrency', 'DEFAULT');
}

# ---- how many at a time

{
	my $at_a_time = sub {
		my ($count, $what) = @_;
		return ok(
			poll_until(sub { $sandbox->stats->{in_flight} == $count }, $what),
			$what);
	};
	set_conf('jibit.worker_concurrency', 2);
	$queue->clear($sandbox, delay_ms => 400);
	$queue->submit($queue->cards(200));
	$at_a_time->(2, 'two at a time');
	set_conf('jibit.worker_concurrency', 9);
	$at_a_time->(9, 'a reload under calls: nine at a time');
	set_conf('jibit.worker_concurrency', 3);
	$at_a_time->(3, '... and three');
	cmp_ok($sandbox->stats->{max_concurrent}, '<=', 9, '... never more');
	cmp_ok(sql(q{SELECT count(*) FROM jibit_queue WHERE state = 'queued'}),
		'>', 20, '... while there were others to make');
	$sandbox->set(delay_ms => 0);
	$queue->wait_until_done;
	is(sql('SELECT max(attempts) FROM jibit_queue WHERE attempts > 0'),
		1, '... and each made once');
	set_conf('jibit.worker_concurrency', 'DEFAULT');
}

# ---- run_after

{
	$queue->clear($sandbox);
	my $later = sql('SELECT '
		  . submission($queue->cards(1), q{NULL, now() + '2s'}));
	my $never = sql('SELECT '
		  . submission($queue->cards(1), q{NULL, 'infinity'}));
	my ($now) = $queue->submit($queue->cards(1));
	ok($queue->wait_for_state($now, 'succeeded'), 'a request for now');
	is($queue->state($later), 'queued', '... is not held up by a later one');
	is(sql("SELECT state FROM jibit_collect($later, '10s')"),
		'succeeded', 'which runs in its time');
	is($queue->value($later, q{finished_at - run_after BETWEEN '0' AND '1.5s'}),
		't', '... soon after it, not before');
	is($queue->state($never), 'queued', 'infinity is never');
	sql("SELECT jibit_cancel($never)");
}

# ---- transactions

{
	$queue->clear($sandbox);
	my $before = sql('SELECT max(id) FROM jibit_queue') || 0;
	sql('BEGIN; SELECT ' . submission($queue->cards(1)) . '; ROLLBACK');
	sql(    'BEGIN; SAVEPOINT s; SELECT '
		  . submission($queue->cards(1))
		  . '; ROLLBACK TO s; COMMIT');
	sql(    'BEGIN; SELECT '
		  . submission($queue->cards(1))
		  . q{; PREPARE TRANSACTION 'rolled back'; ROLLBACK PREPARED 'rolled back'}
	);
	sql(    'BEGIN; SELECT '
		  . submission($queue->cards(1))
		  . q{; PREPARE TRANSACTION 'committed'});
	my ($one) = $queue->submit($queue->cards(1));
	ok($queue->wait_for_state($one, 'succeeded'), 'a committed request');
	is($sandbox->stats->{card}, 1, 'what is rolled back, or prepared, is not called');
	is(sql("SELECT count(*) FROM jibit_queue WHERE id > $before"),
		1, '... and leaves nothing');
	sql(q{COMMIT PREPARED 'committed'});
	ok($queue->wait_until_done, 'COMMIT PREPARED is noticed');
	is($sandbox->stats->{card}, 2, '... and the request called');
	is( sql(
			"SELECT max(finished_at) > now() - interval '10s' FROM jibit_queue"),
		't',
		'... in time');
	my %error = sql_error($node,
		'BEGIN READ ONLY; SELECT ' . submission($card) . ';');
	is($error{sqlstate}, '25006', 'a read-only transaction submits nothing');
}

# ---- many priorities

{
	my $count = 5000;
	$queue->clear($sandbox);
	my $before = sql('SELECT pg_current_wal_lsn()');
	sql(    q{SELECT count(jibit_submit('card', '{"card": "1"}', priority => i % 201 - 100))}
		  . " FROM generate_series(1, $count) i");
	ok($queue->wait_until_done, "$count requests of all priorities");
	cmp_ok(sql("SELECT pg_current_wal_lsn() - '$before'::pg_lsn"),
		'<', 20e6, '... lock no more than what is claimed');

	# What somebody has locked is not waited for, nor are those behind it.
	$queue->clear($sandbox);
	sql(    q{SELECT count(jibit_submit('card', '{"card": "1"}', NULL, now() + '1 s', i - 100))}
		  . ' FROM generate_series(1, 200) i');
	my $holder = jibit_session($node);
	$holder->query(
		'BEGIN; SELECT count(jibit_cancel(id)) FROM jibit_requests');
	$queue->wait_for(
		'NOT EXISTS (SELECT FROM jibit_queue WHERE finished_at IS NULL AND run_after > clock_timestamp())'
	);
	my ($behind) = $queue->submit($queue->cards(1));
	is(sql("SELECT state FROM jibit_collect($behind, '30s')"),
		'succeeded', 'what is behind many that are locked is claimed');
	$holder->query('ROLLBACK');
	$holder->quit;
	$queue->wait_until_done;
}

# ---- progress

{
	$queue->clear($sandbox);
	sql('DELETE FROM jibit_queue');
	$queue->submit($queue->cards(30), '1');
	$queue->wait_until_done;
	my $later = sql('SELECT '
		  . submission($queue->cards(1), q{NULL, now() + '1 h'}));
	my $none = sql('SELECT '
		  . submission($queue->cards(1), q{NULL, now() + '1 h'}));
	sql("SELECT jibit_cancel($none)");
	is( sql(
			'SELECT profile, inquiry, queued, running, succeeded, failed, cancelled,'
			  . " round(rate::numeric * 60), time_left BETWEEN '1.5s' AND '2.5s', paused_until IS NULL FROM jibit_progress"
		),
		'default|card|1|0|30|1|1|31|t|t',
		'jibit_progress counts and estimates');
	sql("SELECT jibit_cancel($later)");
	is(sql('SELECT time_left FROM jibit_progress'),
		'00:00:00', '... nothing is left');

	my $session = jibit_session($node);
	my $begun = $session->value('BEGIN; SELECT now()');
	sql("UPDATE jibit_queue SET finished_at = '$begun'::timestamptz - interval '59.5 s' WHERE finished_at IS NOT NULL"
	);
	ok( poll_until(
			sub { $session->value('SELECT rate FROM jibit_progress') == 0 },
			'the rate of a later minute'),
		'... in a long transaction, too, the minute is the last one');
	$session->quit;
	sql(q{UPDATE jibit_queue SET finished_at = clock_timestamp() WHERE id IN}
		  . q{ (SELECT id FROM jibit_queue WHERE state = 'succeeded' LIMIT 7)});
	is(sql('SELECT rate FROM jibit_progress'),
		'0.12', '... with two digits after the point');
}

# However many have finished, progress looks at few pages.
{
	my $pages = sub {
		my $plan = sql('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM jibit_progress');
		my ($hit, $read) =
		  $plan =~ /"Shared Hit Blocks": (\d+),\s+"Shared Read Blocks": (\d+)/;
		return $hit + $read;
	};
	my $counts = sub {
		return sql(q{SELECT string_agg(concat_ws(' ', inquiry, queued, succeeded, failed, cancelled), ', ' ORDER BY inquiry) FROM jibit_progress});
	};

	$queue->clear($sandbox);
	sql('TRUNCATE jibit_queue');
	is($counts->(), '', 'an empty queue has no progress');
	my @ids = $queue->submit($queue->cards(3));
	$queue->wait_until_done;
	sql("INSERT INTO jibit_queue SELECT nextval('jibit_queue_id'), q.inquiry, q.arguments, q.profile, q.priority,"
		  . ' q.state, q.attempts, q.track_id, q.submitted_by, q.submitted_at, q.run_after, q.finished_at, q.result, q.error, q.submitter, q.is_local'
		  . " FROM jibit_queue q, generate_series(1, 10000) WHERE q.id = $ids[0]");
	sql('ANALYZE jibit_queue');
	is($counts->(), 'card 0 10003 0 0', 'what an INSERT brings is counted');
	cmp_ok($pages->(), '<', 100, '... without looking at it');

	# In a transaction, and back.
	my $session = jibit_session($node);
	$session->query("BEGIN; DELETE FROM jibit_queue WHERE id > $ids[-1]; SAVEPOINT s;"
		  . " UPDATE jibit_queue SET state = 'failed' WHERE id = $ids[1]; ROLLBACK TO s;"
		  . " UPDATE jibit_queue SET state = 'queued', finished_at = NULL, run_after = 'infinity' WHERE id = $ids[2]");
	is( $session->value(
			q{SELECT concat_ws(' ', queued, succeeded, failed) FROM jibit_progress}),
		'1 2 0',
		'... and what a transaction does to it');
	is($counts->(), 'card 0 10003 0 0', '... is its own');
	my ($meanwhile) = $queue->submit($queue->cards(1));
	is(sql("SELECT state FROM jibit_collect($meanwhile, '10s')"),
		'succeeded', '... and no other waits for it');
	$session->query('COMMIT');
	$session->quit;
	is($counts->(), 'card 1 3 0 0', '... until the commit');
	sql("SELECT jibit_cancel($ids[2])");
	is($counts->(), 'card 0 3 0 1', 'a cancel');

	# Summed up, the counts stay what they are.
	set_conf('jibit.worker_concurrency', 1);
	$queue->submit($queue->cards(2500));
	$queue->wait_until_done;
	set_conf('jibit.worker_concurrency', 'DEFAULT');
	is($counts->(), 'card 0 2503 0 1', 'many, one by one');
	cmp_ok(sql('SELECT count(*) FROM jibit_counts'),
		'<', 2000, '... do not make the counts many');
	is( sql(
			q{SELECT count(*) FROM (SELECT submitter, inquiry, profile, state, count(*) AS n FROM jibit_queue GROUP BY 1, 2, 3, 4) q}
			  . q{ FULL JOIN (SELECT submitter, inquiry, profile, state, sum(n) AS n FROM jibit_counts GROUP BY 1, 2, 3, 4) c}
			  . ' USING (submitter, inquiry, profile, state, n) WHERE (q.n IS NULL) <> (c.n IS NULL)'
		),
		0,
		'... nor wrong');
	$queue->clear;
	is($counts->(), '', 'what is deleted is not counted');
}

# Those are running that are being called, not what was claimed ahead.
{
	$queue->clear($sandbox, delay_ms => 500);
	set_conf('jibit.worker_concurrency', 4);
	my @ids = $queue->submit($queue->cards(40));
	$queue->wait_for(q{EXISTS (SELECT FROM jibit_progress WHERE running > 0)});
	my %seen;
	ok( poll_until(
			sub {
				my $running = sql(
					q{SELECT running || ' ' || (SELECT count(*) FROM jibit_requests WHERE state = 'running') FROM jibit_progress});
				$seen{$_}++ foreach split / /, $running;
				return $sandbox->stats->{card} >= 12;
			},
			'a dozen calls'),
		'requests that take their time');
	cmp_ok((sort { $b <=> $a } keys %seen)[0],
		'<=', 4, '... are running while they are called');
	is( sql(q{SELECT max(attempts) FROM jibit_requests WHERE state = 'queued'}),
		0, '... and till then that is no attempt');
	sql(q{SELECT count(jibit_cancel(id)) FROM jibit_requests WHERE state = 'queued'});
	$sandbox->set(delay_ms => 0);
	set_conf('jibit.worker_concurrency', 'DEFAULT');
	$queue->wait_until_done;
}

# Monitoring sees everyone's.
{
	sql('CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher');
	is( sql(q{SET ROLE watcher; SELECT count(*) > 0 FROM jibit_progress; SELECT count(*) FROM jibit_pauses; RESET ROLE}),
		"t\n0", 'pg_monitor looks at progress and pauses');
	my %error = sql_error($node, 'SET ROLE watcher; SELECT * FROM jibit_counts');
	is($error{sqlstate}, '42501', '... but not at the table of counts');
}

# ---- the trigger

{
	$queue->clear($sandbox);
	sql('DELETE FROM jibit_queue');
	sql(<<'EOS');
CREATE TABLE people (id int PRIMARY KEY, card text, code text, born date, note text);
CREATE TRIGGER ask AFTER INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION
  jibit_queue_inquiry('match_card', 'card=card', 'national_code=code', 'birth_date=born');
EOS
	my $count = 0;
	my $queued = sub {
		my ($statement, $rows, $what) = @_;
		$node->safe_psql('postgres', $statement);
		$count += $rows;
		is(sql('SELECT count(*) FROM jibit_queue'), $count, $what);
	};
	my ($a, $b, $c) = $queue->cards(3);
	$queued->(
		"INSERT INTO people VALUES (1, '$a', '0012345679', '1981-06-21')",
		1, 'an INSERT queues');
	is( sql('SELECT inquiry, arguments FROM jibit_queue'),
		qq(match_card|{"card": "$a", "birth_date": "13600331", "national_code": "0012345679"}),
		'... with a date as the inquiry takes it');
	$queued->(q{UPDATE people SET note = 'x'}, 0, 'another column');
	$queued->(q{UPDATE people SET card = card, born = born},
		0, 'an UPDATE that changes nothing');
	$queued->(qq{UPDATE people SET card = '$b'}, 1, 'one that does');
	$queued->(q{UPDATE people SET code = NULL}, 0, 'a NULL queues nothing');
	$queued->(q{UPDATE people SET code = '0012345679'}, 1, 'what comes after it');
	$queued->(q{DELETE FROM people}, 0, 'a DELETE');
	$queued->(
		"COPY people (id, card, code, born) FROM STDIN;\n"
		  . "2\t$a\t0012345679\t1981-06-21\n3\t$b\t0012345679\t1981-06-21\n"
		  . "4\t\\N\t0012345679\t1981-06-21\n\\.\n",
		2, 'COPY');
	$queued->(
		"INSERT INTO people SELECT 100 + i, '$c', '0012345679', '1981-06-21' FROM generate_series(1, 50) i",
		50, 'INSERT ... SELECT');
	$queued->(
		q{BEGIN; UPDATE people SET card = '} . $a . q{'; ROLLBACK},
		0, 'a rollback');
	$queued->(
		"INSERT INTO people (id, card, code, born) VALUES (100, '$c', '0012345679', '1981-06-21') ON CONFLICT (id) DO UPDATE SET card = '$c'",
		1, 'INSERT ... ON CONFLICT');
	$queue->wait_until_done;
	is($queue->states, "succeeded $count", '... all run');

	foreach my $case (
		[ q{AFTER INSERT ON t FOR EACH STATEMENT}, q{'card', 'card=card'}, '39P01', 'a statement trigger' ],
		[ q{BEFORE INSERT ON t FOR EACH ROW}, q{'card', 'card=card'}, '39P01', 'a BEFORE trigger' ],
		[ q{AFTER DELETE ON t FOR EACH ROW}, q{'card', 'card=card'}, '39P01', 'a DELETE trigger' ],
		[ q{AFTER INSERT ON t FOR EACH ROW}, '', '22023', 'no inquiry' ],
		[ q{AFTER INSERT ON t FOR EACH ROW}, q{'nothing'}, '22023', 'an unknown inquiry' ],
		[ q{AFTER INSERT ON t FOR EACH ROW}, q{'card'}, '22023', 'a missing argument' ],
		[ q{AFTER INSERT ON t FOR EACH ROW}, q{'card', 'card'}, '22023', 'no column' ],
		[ q{AFTER INSERT ON t FOR EACH ROW}, q{'card', 'card=gone'}, '42703', 'an unknown column' ],
		[ q{AFTER INSERT ON t FOR EACH ROW}, q{'card', 'cart=card'}, '22023', 'an unknown argument' ])
	{
		my ($when, $arguments, $sqlstate, $what) = @$case;
		my %error = sql_error($node,
			    'BEGIN; CREATE TABLE t (card text); INSERT INTO t VALUES (\'1\');'
			  . " CREATE TRIGGER t $when EXECUTE FUNCTION jibit_queue_inquiry($arguments);"
			  . " INSERT INTO t VALUES ('1'); DELETE FROM t");
		is($error{sqlstate}, $sqlstate, "the trigger: $what");
	}
	my %error = sql_error($node, 'SELECT jibit_queue_inquiry()');
	is($error{sqlstate}, '39P01', 'the trigger: no trigger');
	if ($node->pg_version >= 18)
	{
		%error = sql_error($node, <<'EOS');
BEGIN;
CREATE TABLE t (card text, plain text GENERATED ALWAYS AS (card) VIRTUAL);
CREATE TRIGGER t AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=plain');
INSERT INTO t VALUES ('1');
EOS
		is($error{sqlstate}, '42P10', 'the trigger: a virtual column');
	}
}

# ---- roles

{
	$queue->clear($sandbox);
	sql(<<'EOS');
CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE nobody LOGIN; CREATE ROLE gone LOGIN;
SELECT jibit_grant('alice'); SELECT jibit_grant('bob', '{card}'); SELECT jibit_grant('gone');
EOS
	my $as = sub {
		my ($role, $query) = @_;
		return sql("SET ROLE $role; $query; RESET ROLE");
	};
	my $refused = sub {
		my ($role, $query, $what) = @_;
		my %error = sql_error($node, "SET ROLE $role; $query");
		return is($error{sqlstate}, '42501', $what);
	};
	my $hers = $as->('alice', 'SELECT ' . submission($queue->cards(1)));
	my $later = $as->('alice',
		'SELECT ' . submission($queue->cards(1), q{NULL, now() + '1 h'}));
	my $his = $as->('bob', 'SELECT ' . submission($queue->cards(1)));
	is( $as->('bob', "SELECT state FROM jibit_collect($his, '10s')"),
		'succeeded',
		'a role that was granted an inquiry');
	is($as->('alice', 'SELECT array_agg(id ORDER BY id) FROM jibit_requests'),
		"{$hers,$later}", 'one sees one\'s own');
	is($as->('bob', 'SELECT array_agg(id) FROM jibit_requests'),
		"{$his}", '... and no other');
	is($as->('bob', "SELECT jibit_collect($hers) IS NULL"),
		't', 'others\' are not collected');
	is(sql("SELECT jibit_collect($hers) IS NULL"), 't', '... by nobody');
	is($as->('bob', "SELECT jibit_cancel($later)"), 'f', '... nor cancelled');
	is($as->('alice', "SELECT jibit_cancel($later)"), 't', 'but by oneself');
	is($as->('alice', 'SELECT succeeded + cancelled FROM jibit_progress'),
		2, 'progress is one\'s own');
	$refused->('bob', 'SELECT * FROM jibit_queue', 'nobody reads the queue');
	$refused->('bob', 'DELETE FROM jibit_queue', '... nor changes it');
	$refused->('bob', 'SELECT * FROM jibit_pauses', '... nor the pauses');
	$refused->('bob', q{SELECT jibit_submit('balances', '{}')},
		'an inquiry that was not granted');
	$refused->('nobody', 'SELECT ' . submission($card), 'no right to submit');
	# A function that tells what it sees must not see others' rows.
	my %seen = sql_error($node, <<'EOS');
SET ROLE bob;
CREATE FUNCTION pg_temp.tell(bigint) RETURNS boolean COST 0.0001 AS $$
BEGIN RAISE WARNING 'seen %', $1; RETURN true; END $$ LANGUAGE plpgsql;
SELECT count(*) FROM jibit_requests WHERE pg_temp.tell(id);
EOS
	unlike($seen{stderr}, qr/seen $hers/, 'jibit_requests is a barrier');
	like($seen{stderr}, qr/seen $his/, '... that lets one\'s own through');

	# Rights are looked at again when a request runs.
	sql(q{INSERT INTO jibit_credentials SELECT 'closed', api_key, secret_key, base_url, '{bob,gone}' FROM jibit_credentials});
	$refused->('alice', 'SELECT ' . submission($card, q{'closed'}),
		'a profile for others');
	my %ids;
	foreach my $case (
		[ right => 'bob', 'default' ],
		[ profile => 'bob', 'closed' ],
		[ role => 'gone', 'default' ],
		[ kept => 'alice', 'default' ])
	{
		my ($name, $role, $profile) = @$case;
		$ids{$name} = $as->($role,
			'SELECT '
			  . submission($queue->cards(1),
				"'$profile', now() + interval '1 h'"));
	}
	sql(q{UPDATE jibit_credentials SET roles = '{gone}' WHERE profile = 'closed'});
	sql(    q{UPDATE jibit_queue SET run_after = now() WHERE id IN }
		  . "($ids{profile})");
	# That wakes nobody, but this does.
	$queue->submit($queue->cards(1));
	ok($queue->wait_for_state($ids{profile}, 'failed'),
		'a profile is taken away: the request fails');
	sql(q{SELECT jibit_revoke('bob'); SELECT jibit_revoke('gone'); DROP ROLE gone});
	sql('UPDATE jibit_queue SET run_after = now() WHERE state = \'queued\'');
	$queue->submit($queue->cards(1));
	$queue->wait_until_done;
	foreach my $name (qw(right profile role))
	{
		is( $queue->value($ids{$name}, "concat_ws(' ', state, (error).errcode, attempts)"),
			'failed 42501 1',
			"taken away before it ran: $name");
	}
	is($queue->state($ids{kept}), 'succeeded', 'others\' requests go on');
	is(sql('SELECT count(*) FROM jibit_pauses'), 0, '... and nothing pauses');
}

# ---- retention

{
	sql(q{UPDATE jibit_queue SET finished_at = finished_at - interval '8 days'
		WHERE id <= (SELECT min(id) + 2 FROM jibit_queue)});
	my $kept = sql('SELECT count(*) FROM jibit_queue') - 3;
	my $waiting = sql('SELECT '
		  . submission($queue->cards(1), q{NULL, now() + '1 h'}));
	sql(q{UPDATE jibit_queue SET submitted_at = now() - interval '9 days' WHERE id = }
		  . $waiting);
	my $worker = $queue->worker;
	sql("SELECT pg_terminate_backend($worker)");
	$queue->worker($worker);
	ok( $queue->wait_for('(SELECT count(*) FROM jibit_queue) = ' . ($kept + 1)),
		'what finished longer ago than jibit.request_retention is deleted');
	is($queue->state($waiting), 'queued', '... but not what waits');
}

# A role that is made again under the name of another has none of its requests.
{
	my ($mine) = $queue->cards(1);

	$node->safe_psql('postgres',
		q{CREATE ROLE carol LOGIN; SELECT jibit_grant('carol')});
	my $hers = $node->safe_psql(
		'postgres',
		qq{SET ROLE carol; SELECT jibit_submit('card', '{"card": "$mine"}', run_after => 'infinity')}
	);
	is( $node->safe_psql('postgres',
			'SET ROLE carol; SELECT count(*) FROM jibit_requests'),
		'1', 'carol sees her request');
	$node->safe_psql('postgres',
		q{ALTER ROLE carol RENAME TO carol_before; CREATE ROLE carol LOGIN; SELECT jibit_grant('carol')}
	);
	is( $node->safe_psql(
			'postgres',
			"SET ROLE carol; SELECT count(*) FROM jibit_requests; SELECT jibit_cancel($hers); SELECT (jibit_collect($hers)) IS NULL"
		),
		"0\nf\nt",
		'another carol neither sees nor cancels it');
}

my $log = slurp_file($node->logfile);
ok($log !~ /PANIC|TRAP|terminated by signal/, 'nothing crashed');
ok($log !~ /background worker "jibit worker" .* exit code [^0]/,
	'nor did a worker fail');

$node->stop;
done_testing();
