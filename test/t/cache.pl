# The answers that sessions share: what is used stays, what others change
# meanwhile is never mixed up, what is dropped is gone. And the statistics that
# count it all.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'cache',
	sandbox => $sandbox,
	conf => <<'EOC');
shared_buffers = 4MB
jibit.cache_size = 512kB
jibit.cache_ttl = 1h
EOC

sub calls { return $sandbox->stats->{total} }

# Runs code; the calls that reached the service meanwhile.
sub calls_of
{
	my ($code) = @_;
	my $before = calls();
	$code->();
	return calls() - $before;
}

sub cards
{
	my ($from, $count) = @_;
	return "'{" . join(',', map { test_card($from + $_) } 0 .. $count - 1) . "}'";
}

# Asks for all of them at once.
sub ask
{
	my ($session, @cards) = @_;
	my $cards = cards(@cards);
	return $session->value(
		"SELECT count(result) FROM jibit_card_to_iban_batch($cards)");
}

# ---- shared, and kept

my $one = jibit_session($node);
my $two = jibit_session($node);

{
	my $card = test_card(1);
	my $call = "SELECT track_id FROM jibit_card_to_iban('$card')";
	my $track_id = $one->value("SELECT 1; BEGIN; $call; ROLLBACK");
	$track_id =~ s/^1\n//;
	like($track_id, qr/^[0-9a-f-]{36}$/, 'an answer, rolled back');
	is(calls_of(sub { is($two->value($call), $track_id,
			'another session has it, with its track id') }),
		0, '... without a call');
	is($two->value('SELECT cached FROM jibit_last_call()'), 't', '... and says so');
	$one->quit;
	$one = jibit_session($node);
	is($one->value($call), $track_id, '... also when its session has ended');

	# Half of a subtransaction that fails.
	my $other = test_card(2);
	$two->query(qq{BEGIN; SAVEPOINT s; SELECT jibit_card_to_iban('$other');
		ROLLBACK TO s; COMMIT});
	is(calls_of(sub { $one->query("SELECT jibit_card_to_iban('$other')") }),
		0, 'an answer outlives its savepoint');
	is($one->value('SELECT jibit_cache_clear()'), '2', 'two entries are dropped');
	isnt($one->value($call), $track_id, '... and then asked for anew');
	is($one->value(q{SELECT jibit_cache_clear('card')}),
		'0', 'dropping by inquiry: none of another');
	is($one->value(q{SELECT jibit_cache_clear('card_to_iban')}),
		'1', '... and those of this one');
}

# ---- more than there is room for

{
	my ($hot, $round, $rounds) = (50, 100, 25);

	ask($one, 1000, $hot);
	ask($two, 1000, $hot);
	my $wrong = 0;
	my $calls = calls_of(
		sub {
			foreach my $i (0 .. $rounds - 1)
			{
				$wrong++ unless ask($one, 10_000 + $i * $round, $round) == $round;
				$wrong++ unless ask($two, 1000, $hot) == $hot;
			}
		});
	is($wrong, 0, 'all are answered');
	is($calls, $rounds * $round, 'what is used all the time stays');
	my $again = calls_of(sub { ask($one, 10_000, $round) });
	cmp_ok($again, '>', $round / 2, '... what is not has made room');
	my $kept = $one->value('SELECT jibit_cache_clear()');
	note("$kept of " . ($rounds * $round + $hot) . ' entries fit');
	cmp_ok($kept, '>', 500, 'the room is used');
	cmp_ok($kept, '<', 2000, '... and not exceeded');
	is(calls_of(sub { ask($two, 1000, $hot) }), $hot, 'nothing is left of it');
}

# ---- what has just been stored, beside answers of another size

{
	my ($new, $rounds, $again) = (50, 20, 0);

	ask($one, 20_000, 2500);
	$one->query('SELECT count(result) FROM jibit_card_batch('
		  . cards(20_000, 500) . ')');
	foreach my $i (0 .. $rounds - 1)
	{
		ask($one, 30_000 + $i * $new, $new);
		$again += calls_of(sub { ask($two, 30_000 + $i * $new, $new) });
	}
	cmp_ok($again, '<=', $rounds * $new / 100,
		'of what has just been stored hardly any is asked for again');
	$one->query('SELECT jibit_cache_clear()');
}

# ---- what has expired, though it was stored later

{
	my $expiring = cards(20_000, 600);

	$node->safe_psql('postgres', q{ALTER SYSTEM SET jibit.cache_ttl_card = '100ms'});
	$node->reload;
	poll_until(sub { $one->value('SHOW jibit.cache_ttl_card') eq '100ms' },
		'the new jibit.cache_ttl_card');
	ask($one, 10_000, 200);
	my $stored = $one->value(
		"SELECT count(result), clock_timestamp() FROM jibit_card_batch($expiring)");
	like($stored, qr/^600\|/, 'answers that expire soon');
	$stored =~ s/.*\|//;
	poll_until(
		sub { $one->value("SELECT clock_timestamp() > '$stored'::timestamptz + '100ms'") eq 't' },
		'them to expire');
	ask($one, 30_000, 600);
	cmp_ok(calls_of(sub { ask($two, 10_000, 200) }),
		'<=', 20, '... have made room for others');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET jibit.cache_ttl_card');
	$node->reload;
	poll_until(sub { $one->value('SHOW jibit.cache_ttl_card') eq '-1' },
		'the old jibit.cache_ttl_card');
	$one->query('SELECT jibit_cache_clear()');
}

# ---- hits, changes and clearing at a time

{
	my $cards = cards(50_000, 1500);
	$node->safe_psql(
		'postgres', qq{
		SET jibit.cache_ttl = 0;
		CREATE TABLE expected AS SELECT ordinality::int AS id,
			(result).number AS card, (result).iban, (result).deposit_number
		FROM jibit_card_to_iban_batch($cards);
		ALTER TABLE expected ADD PRIMARY KEY (id)});
	is($node->safe_psql('postgres', 'SELECT count(DISTINCT iban) FROM expected'),
		'1500', 'answers that differ');
	$node->safe_psql('postgres', 'SELECT jibit_stats_reset()');
	my $calls = calls_of(
		sub {
			$node->pgbench(
				'-n -c 6 -j 2 -t 400', 0,
				[qr{number of transactions actually processed: 2400/2400}],
				[qr{^$}],
				'six sessions ask, store, evict and clear at a time',
				{
					'ask@100' => q{
						\set id random_exponential(1, 1500, 5)
						SELECT 1 / (c.number = e.card AND c.iban = e.iban
							AND c.deposit_number = e.deposit_number)::int
						FROM expected e, jibit_card_to_iban(e.card) c
						WHERE id = (:id);},
					'clear@1' => q{SELECT jibit_cache_clear();}
				});
		});
	my ($called, $hits) = split /\|/, $node->safe_psql('postgres',
		'SELECT calls, cache_hits FROM jibit_stats');
	is($called, $calls, 'the statistics count every call');
	note("$hits hits, $called calls");
	cmp_ok($hits, '>', 200, '... and there were hits');
	cmp_ok($called + $hits, '<=', 2400, '... each query was one of them');
	cmp_ok($called + $hits, '>', 2200, '... but for the clearing ones');
}

# ---- whom it is about

# What the server's shared memory holds of a text. Nothing where the kernel
# does not let us see it.
sub shared_memory_has
{
	my ($pid, @texts) = @_;
	my %found;

	open my $maps, '<', "/proc/$pid/maps" or return;
	open my $memory, '<:raw', "/proc/$pid/mem" or return;
	while (my $line = <$maps>)
	{
		next unless $line =~ /^([0-9a-f]+)-([0-9a-f]+) rw-s \S+ \S+ \d+\s+(\S*)/;
		my ($from, $to) = (hex $1, hex $2);
		my $rest = '';
		sysseek $memory, $from, 0 or return;
		while ($from < $to)
		{
			my $read = sysread $memory, my $chunk,
			  $to - $from < 1 << 20 ? $to - $from : 1 << 20;
			return unless $read;
			$from += $read;
			$rest .= $chunk;
			foreach my $text (@texts)
			{
				$found{$text} = 1 if index($rest, $text) >= 0;
			}
			$rest = substr $rest, -100;
		}
	}
	return \%found;
}

{
	my ($code, $mobile, $track_id) =
	  ('0499370899', '09121234567', 'to-be-found-in-memory');
	# Not in a statement's text, which pg_stat_activity has.
	my $query = sprintf q{
		SELECT set_config('jibit.track_id', '%s' || '%s', false);
		SELECT matched FROM jibit_match_shahkar('%s' || '%s', '%s' || '%s')},
	  map { unpack 'A5 A*', $_ } $track_id, $code, $mobile;

	my %result = $one->query($query);
	is($result{sqlstate}, undef, 'an inquiry about a person')
	  or diag($result{stderr});
  SKIP:
	{
		my $has = shared_memory_has($two->pid, $track_id, $code, $mobile);
		skip 'the kernel keeps memory to itself', 4 unless $has;
		ok($has->{$track_id}, 'its answer is in shared memory');
		ok(!$has->{$code}, '... the national code is not');
		ok(!$has->{$mobile}, '... nor the mobile');
		$two->query('SELECT jibit_cache_clear()');
		$has = shared_memory_has($two->pid, $track_id);
		ok(!$has->{$track_id}, 'what is cleared is overwritten');
	}
	$one->query('RESET jibit.track_id');
}

# ---- quantiles

{
	my @delays = ([ 0, 90 ], [ 3, 60 ], [ 12, 30 ], [ 50, 14 ], [ 160, 6 ]);

	$one->query(q{SET jibit.cache_ttl = 0; SELECT jibit_stats_reset();
		CREATE TEMP TABLE durations (us float8)});
	foreach my $delay (@delays)
	{
		$sandbox->set(delay_ms => $delay->[0]);
		$one->query(
			sprintf q{DO $$ BEGIN
				FOR i IN 1 .. %d LOOP
					PERFORM jibit_card('%s');
					INSERT INTO durations SELECT extract(epoch FROM duration) * 1e6
						FROM jibit_last_call();
				END LOOP; END $$}, $delay->[1], test_card(7));
	}
	$sandbox->reset;
	my @durations = split /\n/,
	  $one->value('SELECT us FROM durations ORDER BY us');
	my @quantiles = split /\|/, $one->value(
		'SELECT p50, p95, p99, max_time, total_time FROM jibit_stats');
	is(scalar @durations, 200, '200 calls of known durations');
	foreach my $share (50, 95, 99)
	{
		my $quantile = 1000 * shift @quantiles;
		my $rank = int(@durations * $share / 100);
		# Either neighbour is the quantile; half a microsecond is rounding.
		my $low = 0.95 * $durations[ $rank - 1 ] - 0.5;
		my $high = 1.05 * $durations[$rank] + 0.5;
		note(sprintf 'p%d: %.0f us, in truth %.0f to %.0f',
			$share, $quantile, $durations[ $rank - 1 ], $durations[$rank]);
		ok($quantile >= $low && $quantile <= $high,
			"p$share is at most 5 % off")
		  or diag("$quantile is not between $low and $high");
	}
	my $sum = 0;
	$sum += $_ foreach @durations;
	cmp_ok(abs(1000 * $quantiles[0] - $durations[-1]), '<', 1, 'the longest is exact');
	cmp_ok(abs(1000 * $quantiles[1] - $sum), '<', 1, '... and so is the sum');
}

# ---- a trigger, and what a session has let in

{
	my $card = test_card(3_000_000);
	my $session = jibit_session($node);

	$node->safe_psql('postgres', q{ALTER SYSTEM SET jibit.cache_ttl_card = 0;
		CREATE TABLE guarded (card text);
		CREATE TRIGGER guard BEFORE INSERT ON guarded FOR EACH ROW
			EXECUTE FUNCTION jibit_check_card('card')});
	$node->reload;
	poll_until(sub { $session->value('SHOW jibit.cache_ttl_card') eq '0' },
		'the new jibit.cache_ttl_card');
	$session->query(q{SET jibit.cache_ttl_card = '1h'; SET jibit.statement_cache = on});
	$session->query("SELECT jibit_card('$card')");
	$sandbox->set(fault => 'card.not_active');
	is($session->value("SELECT number FROM jibit_card('$card')"),
		$card, 'a session that takes an old answer');
	my %refused = $session->query(
		"INSERT INTO guarded SELECT number FROM jibit_card('$card')");
	is($refused{sqlstate}, 'JB003', '... does not give it to a trigger');
	$sandbox->reset;
	$session->quit;
}

# ---- more pairs of inquiry and profile than are counted by themselves

{
	$node->safe_psql('postgres', q{SELECT jibit_stats_reset();
		INSERT INTO jibit_credentials (profile, api_key, secret_key, base_url)
		SELECT 'many' || i, api_key, secret_key, base_url
		FROM jibit_credentials, generate_series(1, 270) i
		WHERE profile = 'default'});
	$node->safe_psql('postgres', join '',
		map { sprintf "SET jibit.profile = 'many%d'; SELECT jibit_card('%s');\n", $_,
			test_card(4_000_000 + $_) } 1 .. 270);
	is( $node->safe_psql(
			'postgres',
			q{SELECT sum(calls), sum(calls) FILTER (WHERE profile = '') > 0
			  FROM jibit_stats}),
		'270|t', 'calls of many profiles are counted together, and not lost');
}

$node->stop;
done_testing();
