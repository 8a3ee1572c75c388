# The part "queue" of make bench: what the queue makes of its concurrency, what
# its worker costs, and what jibit_submit() costs beside an INSERT.

package JibitBenchQueue;

use strict;
use warnings;

use Exporter 'import';
use JibitBench;
use Time::HiRes ();

our @EXPORT = qw(queue_cards measure_queue);

use constant {
	REQUESTS => 20_000,
	CONCURRENCY => 64,
	FINISHED => 1_000_000,
	ROUNDS => 15,
	ROUND_REQUESTS => 2_000,
	IDLE_S => 20,
	SUBMIT_ROUNDS => 15,
	SUBMIT_ROWS => 10_000,
	SUBMIT_STATEMENTS => 1_000,
};

# How many cards it asks for.
sub queue_cards
{
	return REQUESTS + 1 + 2 * ROUND_REQUESTS * (ROUNDS + 3);
}

# Queues an inquiry for each of $count cards in one statement; its commit is
# where the clock starts.
sub submit
{
	my ($session, $profile, $count, $run_after) = @_;
	my $first = take_cards($count);

	return $session->query(
		    "SELECT max(jibit_submit('card_to_iban', jsonb_build_object('card', card), "
		  . "'$profile', '$run_after')) FROM bench_cards "
		  . "WHERE id >= $first AND id < $first + $count");
}

# Until the last result is committed; the wait for the latest request costs
# neither side anything.
sub wait_for_results
{
	my ($session, $latest) = @_;

	$session->query("SELECT id FROM jibit_collect($latest, '5min')");
	while ($session->query(
			'SELECT EXISTS (SELECT FROM jibit_queue WHERE finished_at IS NULL)') eq 't')
	{
		Time::HiRes::sleep(0.01);
	}
	return;
}

sub worker_pid
{
	my ($session) = @_;

	foreach (1 .. 300)
	{
		my $pid = $session->query(
			"SELECT pid FROM pg_stat_activity WHERE backend_type = 'jibit worker' "
			  . 'AND datname = current_database()');
		return $pid if $pid;
		Time::HiRes::sleep(0.1);
	}
	die "there is no worker\n";
}

sub measure_queue_rate
{
	my ($session) = @_;
	my $sandbox = $sandboxes{slow};
	my $before = sandbox_calls($sandbox);
	my $best = CONCURRENCY / DELAY_MS * 1000;

	# The first call fetches a token.
	wait_for_results($session, submit($session, 'slow', 1, 'now'));
	my $latest = submit($session, 'slow', REQUESTS, 'now');
	my $started = Time::HiRes::time();
	wait_for_results($session, $latest);
	my $rate = REQUESTS / (Time::HiRes::time() - $started);
	check_calls($sandbox, $before, REQUESTS + 1);
	report(
		'queue: requests a second',
		sprintf('%.0f', $best),
		sprintf('%.0f', $rate),
		sprintf('%.2f', $rate / $best),
		'>= 0.85', $rate / $best >= 0.85);
	return;
}

# The microseconds of a round without a delay, and its worker's processor time.
sub measure_queue_round
{
	my ($session, $worker) = @_;

	return with_processor_time(
		$worker,
		sub {
			my $latest = submit($session, 'plain', ROUND_REQUESTS, 'now');
			my $started = Time::HiRes::time();
			wait_for_results($session, $latest);
			1e6 * (Time::HiRes::time() - $started);
		});
}

# Two databases in turn: one with few finished requests, one with many.
sub measure_queue_size
{
	my ($few) = @_;
	my $many = psql(database => 'bench_many');
	my @workers = map { worker_pid($_) } $few, $many;
	my (%few, %many, %ratios);

	measure_queue_round($many, $workers[1]);
	$many->query(
		    'INSERT INTO jibit_queue SELECT nextval($$jibit_queue_id$$), q.inquiry, q.arguments, '
		  . 'q.profile, q.priority, q.state, q.attempts, q.track_id, q.submitted_by, '
		  . 'q.submitted_at, q.run_after, now() - interval $$100 ms$$ * i, q.result, q.error '
		  . 'FROM (SELECT * FROM jibit_queue WHERE result IS NOT NULL LIMIT 1) q, '
		  . 'generate_series(1, '
		  . FINISHED . ') i');
	$many->query('VACUUM ANALYZE jibit_queue');
	$many->query('CHECKPOINT');

	# Two rounds warm up.
	foreach my $round (-2 .. ROUNDS - 1)
	{
		my ($by_few, $by_many) = in_turn(
			$round,
			sub { measure_queue_round($few, $workers[0]) },
			sub { measure_queue_round($many, $workers[1]) });
		next if $round < 0;
		foreach my $kind (keys %$by_few)
		{
			push @{ $few{$kind} }, $by_few->{$kind} / ROUND_REQUESTS;
			push @{ $many{$kind} }, $by_many->{$kind} / ROUND_REQUESTS;
			push @{ $ratios{$kind} }, $by_many->{$kind} / $by_few->{$kind};
		}
	}
	$many->end;
	foreach my $kind (qw(processor time))
	{
		next if !$ratios{$kind};
		my @ratios = @{ $ratios{$kind} };
		check_spread("a queued request, $kind", @ratios);
		report(
			$kind eq 'time'
			? '  its time, without a delay'
			: 'queue: worker\'s processor time for a request',
			sprintf('%.1f us', median(@{ $few{$kind} })),
			sprintf('%.1f us', median(@{ $many{$kind} })),
			with_quartiles(@ratios),
			$kind eq 'time' ? ('', undef) : ('<= 1.2', median(@ratios) <= 1.2));
	}
	return;
}

sub measure_queue_idle
{
	my ($session) = @_;
	my $worker = worker_pid($session);

	# After what was before, autovacuum too would come, and then it plans its
	# queries anew; once.
	$session->query('VACUUM ANALYZE jibit_queue');
	sleep 12;
	my $before = processor_time($worker) // return;
	sleep IDLE_S;
	my $share = (processor_time($worker) - $before) / 1e4 / IDLE_S;
	report('queue: an idle worker', '', sprintf('%.3f %%', $share), '', '< 0.1 %',
		$share < 0.1);
	return;
}

# An INSERT into a table of the same shape, and jibit_submit(): by one statement
# for many rows, or by many statements of one transaction.
sub measure_submit
{
	my ($session) = @_;
	my @columns =
	  ("nextval('bench_shape_id')", "'card_to_iban'", '%s', "'plain'", '0',
		"'queued'", '0', 'gen_random_uuid()::text', 'current_user', 'now()',
		"'infinity'");
	my $row = join ', ', @columns;
	my $card = "jsonb_build_object('card', '6037991234567893')";
	my %ways = (
		'INSERT ... SELECT' => [
			SUBMIT_ROWS,
			sprintf(
				"INSERT INTO bench_shape SELECT $row FROM generate_series(1, %d)",
				$card, SUBMIT_ROWS),
			sprintf(
				"SELECT max(jibit_submit('card_to_iban', %s, 'plain', 'infinity')) "
				  . 'FROM generate_series(1, %d)',
				$card, SUBMIT_ROWS)
		],
		'single statements' => [
			SUBMIT_STATEMENTS,
			join('; ',
				'BEGIN',
				(sprintf("INSERT INTO bench_shape VALUES ($row)", $card)) x
				  SUBMIT_STATEMENTS,
				'COMMIT'),
			join('; ',
				'BEGIN',
				("SELECT jibit_submit('card_to_iban', $card, 'plain', 'infinity')")
				  x SUBMIT_STATEMENTS,
				'COMMIT')
		]);

	$session->query('CREATE SEQUENCE bench_shape_id');
	$session->query(
		'CREATE TABLE bench_shape (LIKE jibit_queue INCLUDING ALL) WITH (fillfactor = 70)');
	foreach my $way (sort keys %ways)
	{
		my ($count, $insert, $submit) = @{ $ways{$way} };
		my (@inserted, @submitted, @ratios);
		my $run = sub {
			my ($sql) = @_;
			$session->query('TRUNCATE bench_shape, jibit_queue');
			my @ignored = $session->query($sql);
			return 1e6 * $session->seconds / $count;
		};

		foreach my $round (-1 .. SUBMIT_ROUNDS - 1)
		{
			my ($by_insert, $by_submit) =
			  in_turn($round, sub { $run->($insert) }, sub { $run->($submit) });
			next if $round < 0;
			push @inserted, $by_insert;
			push @submitted, $by_submit;
			push @ratios, $by_submit / $by_insert;
		}
		check_spread("jibit_submit(), $way", @ratios);
		report(
			"queue: jibit_submit(), $way",
			sprintf('%.1f us', median(@inserted)),
			sprintf('%.1f us', median(@submitted)),
			with_quartiles(@ratios),
			'<= 1.5',
			median(@ratios) <= 1.5);
	}
	$session->query('TRUNCATE jibit_queue');
	$session->query('DROP TABLE bench_shape');
	$session->query('DROP SEQUENCE bench_shape_id');
	return;
}

sub measure_queue
{
	my $session = psql();

	$session->query('CREATE DATABASE bench_many TEMPLATE postgres');
	$session->end;
	stop_cluster();
	start_cluster("shared_preload_libraries = 'jibit'",
		settings(), "jibit.worker_databases = 'postgres, bench_many'",
		'jibit.worker_concurrency = ' . CONCURRENCY);
	$session = psql();
	worker_pid($session);
	measure_queue_rate($session);
	measure_queue_size($session);
	$session->query('TRUNCATE jibit_queue');
	measure_queue_idle($session);
	measure_submit($session);
	$session->end;
	note(
		sprintf(
			'The queue: %d requests, a delay of %d ms, %d calls at a time, from the commit of',
			REQUESTS, DELAY_MS, CONCURRENCY),
		'the statement that submits them to the last result; "bare" is concurrency by',
		'delay. A request\'s processor time is the worker\'s: "bare" in a table of few rows,',
		sprintf('"jibit" in one with %d finished ones, in turn. jibit_submit() beside an INSERT',
			FINISHED),
		'into a table of the same columns and indexes.');
	return;
}

1;
