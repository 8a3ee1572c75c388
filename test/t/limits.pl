# Never too much: places for calls in flight and the day's budget, over many
# sessions, and given back however a call ends.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What "at once" may be on a busy machine; the best of some tries is fast.
my ($at_once, $fast) = (1000, 50);

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'limits',
	sandbox => $sandbox,
	conf => <<'EOC');
restart_after_crash = on
jibit.max_in_flight = 4
jibit.max_retries = 0
EOC

my $hanging = $sandbox->magic(card => 'hang');

# Elements that never get an answer, one for each place.
sub hanging
{
	my ($count, $kind) = @_;
	return "'{"
	  . join(',', map { $sandbox->magic($kind // 'card', 'hang', $_) }
		  1 .. $count)
	  . "}'";
}

sub in_flight
{
	my ($count) = @_;
	return poll_until(sub { $sandbox->stats->{in_flight} == $count },
		"$count calls under way");
}

sub set_limit
{
	my ($name, $value) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET jibit.$name = $value");
	$node->reload;
	return $node->poll_query_until('postgres', "SHOW jibit.$name", $value);
}

# All places are there: as many calls get under way, and end by a cancel.
sub all_places_free
{
	my ($name) = @_;
	my $session = jibit_session($node);

	$session->send('SELECT count(*) FROM jibit_card_batch(' . hanging(6) . ')');
	ok(in_flight(4), "all places are free: $name");
	$node->safe_psql('postgres',
		'SELECT pg_cancel_backend(' . $session->pid . ')');
	my %ended = $session->wait;
	is($ended{sqlstate}, '57014', '... and are given back by a cancel');
	in_flight(0);
	return;
}

create_try($node);

# ---- places

{
	$sandbox->set(delay_ms => 10);
	$node->pgbench(
		'-n -c 12 -j 2 -t 15', 0,
		[qr{actually processed: 180/180}], [qr{^$}],
		'more sessions than places',
		{ 'call' => sprintf q{SELECT jibit_card('%s');}, test_card(1) });
	is($sandbox->stats->{max_concurrent}, 4, '... use them all, and no more');

	$sandbox->reset;
	$sandbox->set(delay_ms => 10);
	my $cards = join ',', map { test_card($_) } 1 .. 60;
	is( $node->safe_psql('postgres',
			"SELECT count(result) FROM jibit_card_batch('{$cards}')"),
		'60', 'a batch with more at a time than there are places');
	cmp_ok($sandbox->stats->{max_concurrent}, '<=', 4, '... does not exceed them');
	$sandbox->reset;
}

{
	my @sessions = map { jibit_session($node) } 1 .. 4;
	my $late = jibit_session($node);
	my $call = sprintf q{SELECT (jibit_card('%s')).number}, test_card(2);

	$_->send("SELECT jibit_card('$hanging')") foreach @sessions;
	in_flight(4);

	# One that has little time, and one that has enough.
	my $total = $sandbox->stats->{total};
	my %timed = $late->query("SET jibit.timeout = '150ms'; $call");
	is($timed{sqlstate}, 'JB009', 'no place within the timeout');
	is($timed{constraint}, 'connection.timeout', '... is a timeout');
	like($timed{detail}, qr/jibit\.max_in_flight/, '... that says why');
	is($sandbox->stats->{total}, $total, '... and nothing was sent');
	%timed = $late->query(sprintf q{SELECT ordinality, (error).code
		FROM jibit_card_batch('{%s,%s}')}, test_card(3), test_card(4));
	is($timed{stdout}, "1|connection.timeout\n2|connection.timeout",
		'... also in a batch');

	$late->query('RESET jibit.timeout');
	$late->send($call);
	ok($node->poll_query_until('postgres',
			'SELECT wait_event_type = \'Extension\' FROM pg_stat_activity
			WHERE pid = ' . $late->pid), 'one waits for a place');
	$node->safe_psql('postgres',
		'SELECT pg_terminate_backend(' . $sessions[0]->pid . ', 20000)');
	my %ended = $late->wait;
	is($ended{stdout}, test_card(2), '... and gets that of a terminated session')
	  or diag($ended{stderr});
	$node->safe_psql('postgres',
		'SELECT pg_terminate_backend(' . $_->pid . ', 20000)')
	  foreach @sessions[ 1 .. 3 ];
	in_flight(0);
	all_places_free('after the end of sessions');
}

{
	my $session = jibit_session($node);
	$session->send('SELECT count(*) FROM jibit_card_batch(' . hanging(4) . ')');
	in_flight(4);
	kill 'KILL', $session->pid;
	my %ended = $session->wait;
	ok($ended{gone}, 'a session is killed with all places');
	ok(poll_until_up($node), '... and the server restarts');
	in_flight(0);
	all_places_free('after a crash');
}

# ---- the day's budget

sub charged { return $sandbox->stats->{card} // 0 }

{
	set_limit('daily_limit_card', 30);
	is( $node->safe_psql('postgres',
			q{SELECT daily_limit FROM jibit_inquiries WHERE inquiry = 'card'}),
		'30', 'jibit_inquiries shows the limit');
	is( $node->safe_psql('postgres',
			q{SELECT count(daily_limit) FROM jibit_inquiries}),
		'1', '... of that inquiry alone');

	# What has been spent so far counts, too.
	$node->restart;
	$sandbox->reset;
	$sandbox->set(delay_ms => 5);
	set_limit('max_in_flight', 64);
	set_limit('daily_limit_iban', 30);
	my @ibans = map { $sandbox->magic(iban => 'no-owners', $_) } 1 .. 3;
	$node->pgbench(
		'-n -c 10 -j 2 -t 10', 0,
		[qr{actually processed: 100/100}], [qr{^$}],
		'ten sessions spend the budget',
		{ 'spend' => qq{INSERT INTO outcomes
			SELECT try(\$\$SELECT jibit_iban('$ibans[0]')\$\$);} });
	is( $node->safe_psql('postgres',
			'SELECT outcome, count(*) FROM outcomes GROUP BY 1 ORDER BY 1'),
		"JB013|70\nok|30", '... and no more');
	is($sandbox->stats->{iban}, 30, '... was sent');
	my %over = sql_error($node, "SELECT jibit_iban('$ibans[0]')");
	is($over{constraint}, 'limit.reached', 'the code of what is over');
	like($over{detail}, qr/30 .*jibit\.daily_limit_iban/, '... and its limit');
	is( $node->safe_psql('postgres',
			q{SELECT try($$SELECT jibit_postal_address('1234567890')$$)}),
		'ok', 'another inquiry is not concerned');

	$node->restart;
	%over = sql_error($node, "SELECT jibit_iban('$ibans[0]')");
	is($over{sqlstate}, 'JB013', 'a clean restart does not forget');
	set_limit('daily_limit_iban', 33);
	is( $node->safe_psql('postgres', qq{SELECT count(result), count(error),
			min((error).code) FROM jibit_iban_batch(
			ARRAY['$ibans[0]', '$ibans[1]', '$ibans[2]', 'x',
				'@{[ $sandbox->magic(iban => 'no-owners', 4) ]}'])}),
		'3|2|iban.not_valid', 'a larger limit counts from the next reload on');
	is($sandbox->stats->{iban}, 33, '... and is kept to');
	set_limit('daily_limit_iban', -1);
	is( $node->safe_psql('postgres',
			"SELECT try(\$\$SELECT jibit_iban('$ibans[0]')\$\$)"),
		'ok', '-1 is no limit');
}

# Failures cost nothing.
{
	my $code = '1234567890';
	my $missing = $sandbox->magic(postal_code => 'postalCode.not_found');
	my $session = jibit_session($node);
	my $call = "SELECT try(\$\$SELECT jibit_postal_location('%s')\$\$)";

	set_limit('daily_limit_postal_location', 2);
	is($session->value(sprintf $call, $missing), 'JB002', 'a call that fails')
	  foreach 1 .. 3;
	is($session->value(sprintf $call, '1'), 'JB001', 'one that is not sent');

	# What was sent counts, whatever becomes of its session: it may have been
	# charged.
	my @holders = map { jibit_session($node) } 1 .. 2;
	my $made = 0;
	foreach my $how ('cancel', 'terminate')
	{
		foreach my $i (0, 1)
		{
			$holders[$i]->send(
				sprintf q{SELECT jibit_postal_location('%s')},
				$sandbox->magic(postal_code => 'hang', $i));
		}
		in_flight(2);
		is($session->value(sprintf $call, $code),
			'JB013', 'calls under way are reserved');
		$node->safe_psql('postgres',
			$how eq 'cancel'
			? 'SELECT pg_cancel_backend(' . $_->pid . ')'
			: 'SELECT pg_terminate_backend(' . $_->pid . ', 20000)')
		  foreach @holders;
		$_->wait foreach @holders;
		in_flight(0);
		is($session->value(sprintf $call, $code),
			'JB013', "... and stay so after $how");
		$made += 2;
		set_limit('daily_limit_postal_location', $made + 2);
	}
	is($session->value(sprintf $call, $code), 'ok', 'more are allowed')
	  foreach 1 .. 2;
	is($session->value(sprintf $call, $code),
		'JB013', '... what has succeeded counts');
	$made += 2;

	# Failures and successes mixed, many at a time. What a failure has held can
	# keep a success from going out, so a second batch takes what is left.
	set_limit('daily_limit_postal_location', $made + 10);
	my $charged = $sandbox->stats->{charged};
	foreach my $concurrency (8, 1)
	{
		my @codes = map { ($_ % 2
				? $sandbox->magic(postal_code => 'postalCode.not_found', $_)
				: 1_000_000_000 + $_) } 1 .. 40;
		$session->query(sprintf q{SET jibit.batch_concurrency = %d;
			SELECT jibit_postal_location_batch('{%s}')}, $concurrency, join ',', @codes);
		cmp_ok($sandbox->stats->{charged} - $charged,
			'<=', 10, 'a batch keeps to the budget');
	}
	is($sandbox->stats->{charged} - $charged,
		10, 'successes alone spend it, to its end');
}

# ---- a batch that is cancelled

sub sockets_of
{
	my ($pid) = @_;
	return scalar grep { (readlink($_) // '') =~ /^socket:/ }
	  glob "/proc/$pid/fd/*";
}

{
	my $session = jibit_session($node);
	my $codes = hanging(200, 'corporation_code');
	my $watched = qq{
		DO \$\$ BEGIN
			PERFORM * FROM jibit_corporation_batch($codes);
		EXCEPTION WHEN query_canceled THEN
			PERFORM set_config('test.ended', clock_timestamp()::text, false);
		END \$\$;
		SELECT current_setting('test.ended')};
	my %best;

	$session->query(q{SET jibit.batch_concurrency = 31;
		SELECT jibit_corporation('1234567890')});
	my $sockets = sockets_of($session->pid);
	foreach my $try (1 .. 3)
	{
		$session->send($watched);
		in_flight(31);
		my $began = $node->safe_psql('postgres',
			sprintf q{WITH a AS MATERIALIZED (SELECT clock_timestamp() AS began)
				SELECT began FROM a WHERE pg_cancel_backend(%d)}, $session->pid);
		my %ended = $session->wait;
		is($ended{sqlstate}, undef, 'a batch is cancelled')
		  or diag($ended{stderr});
		my $ms = $node->safe_psql('postgres', "SELECT 1000 * extract(epoch FROM
			'$ended{stdout}'::timestamptz - '$began')");
		$best{cancel} = $ms if !defined $best{cancel} || $ms < $best{cancel};
		cmp_ok(sockets_of($session->pid),
			'<=', $sockets + 1, '... and leaves no connection open');
		ok(in_flight(0), '... the service sees that, too');
		is($session->value(
				q{SELECT try($$SELECT jibit_match_shahkar('0123456789', '09123456789')$$)}),
			'ok', '... the next call works');

		my %timed = $session->query(
			qq{SET statement_timeout = '200ms';
			SELECT set_config('test.began', clock_timestamp()::text, false);
			$watched; RESET statement_timeout});
		is($timed{sqlstate}, undef, 'a batch runs into statement_timeout')
		  or diag($timed{stderr});
		$ms = $session->value(q{SELECT 1000 * extract(epoch FROM
			current_setting('test.ended')::timestamptz
			- current_setting('test.began')::timestamptz) - 200});
		$best{statement_timeout} = $ms
		  if !defined $best{statement_timeout}
		  || $ms < $best{statement_timeout};
		cmp_ok(sockets_of($session->pid),
			'<=', $sockets + 1, '... and leaves no connection open');
		ok(in_flight(0), '... the service sees that, too');
	}
	foreach my $how (sort keys %best)
	{
		diag(sprintf '%s ends a batch of 31 calls after %.1f ms', $how, $best{$how});
		cmp_ok($best{$how}, '<', $fast, "$how takes effect in no time");
	}

	# No places are held; of the day's calls those that were sent.
	my $calls = $node->safe_psql('postgres',
		q{SELECT calls FROM jibit_stats WHERE inquiry = 'corporation'});
	cmp_ok($calls, '>=', 3 * 2 * 31, 'calls that were broken off are counted');
	set_limit('daily_limit_corporation', $calls + 31);
	$sandbox->reset;
	my @codes = map { 1_234_500_000 + $_ } 1 .. 40;
	is( $session->value(sprintf q{SELECT count(result), min((error).code)
			FROM jibit_corporation_batch('{%s}')}, join ',', @codes),
		'31|limit.reached', '... and no others');
	set_limit('max_in_flight', 4);
	all_places_free('after batches were cancelled');
}

$node->stop;
done_testing();
