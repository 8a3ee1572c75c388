# The circuit breaker: what fails again and again is left alone, at no cost;
# one call at a time tries whether it works again; then all go on.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $other = jibit_sandbox();
my $node = jibit_node(
	'breaker',
	sandbox => $sandbox,
	conf => <<'EOC');
restart_after_crash = on
jibit.max_retries = 0
jibit.breaker_threshold = 3
jibit.breaker_cooldown = '1h'
EOC
jibit_store_credentials($node, profile => 'other', sandbox => $other);

create_try($node);

my $next_card = 0;
my $session = jibit_session($node);

sub try_call
{
	my ($in, $inquiry) = @_;
	return $in->value(sprintf q{SELECT try($$SELECT jibit_%s('%s')$$)},
		$inquiry // 'card', test_card($next_card++));
}

sub calls { return $sandbox->stats->{total} }

# The setting for what happens from now on.
sub set
{
	my (%values) = @_;
	foreach my $name (sort keys %values)
	{
		$node->safe_psql('postgres',
			"ALTER SYSTEM SET jibit.$name = '$values{$name}'");
	}
	$node->reload;
	foreach my $name (sort keys %values)
	{
		poll_until(sub { $session->value("SHOW jibit.$name") eq $values{$name} },
			"the new jibit.$name");
	}
	return;
}

# A server that knows of no failures, and a service that works.
sub fresh
{
	my (%values) = @_;
	$session->quit;
	$sandbox->reset;
	$node->restart;
	$session = jibit_session($node);
	set(%values) if %values;
	return;
}

# As many failures as open the breaker.
sub open_it
{
	my ($state, $inquiry) = @_;
	my @outcomes = map { try_call($session, $inquiry) } 1 .. 4;
	return is("@outcomes", "$state $state $state JB012",
		'three failures in a row suspend calls');
}

# ---- one service is down, the others are not

$sandbox->set(fault => 'providers.not_available', fault_operation => 'card');
is(try_call($session), 'JB008', 'a failing service') foreach 1 .. 2;
$sandbox->set(fault => 'card.not_active', fault_count => 1);
is(try_call($session), 'JB003', 'any other answer ...');
$sandbox->set(fault => 'http.500', fault_operation => 'card');
open_it('JB008');
{
	my $calls = calls();
	my %error = sql_error($node, sprintf q{SELECT jibit_card('%s')}, test_card(1));
	is($error{sqlstate}, 'JB012', '... starts anew; calls are suspended in every session');
	is($error{constraint}, 'suspended', '... with their code');
	is($node->safe_psql('postgres', sprintf q{SELECT string_agg(
			(error).code || (error).retryable, ' ')
			FROM jibit_card_batch('{%s,%s}')}, test_card(2), test_card(3)),
		'suspendedtrue suspendedtrue', '... and in a batch, at once');
	is(calls(), $calls, '... and nothing is sent');
	is(try_call($session, 'card_to_iban'), 'ok', 'another inquiry goes on');
	$session->query(q{SET jibit.profile = 'other'});
	is(try_call($session), 'ok', '... and so does another profile');
	$session->query(q{RESET jibit.profile});
}

# Reloaded thresholds decide at once.
set(breaker_threshold => 4);
is(try_call($session), 'JB008', 'a larger threshold lets calls pass');
is(try_call($session), 'JB012', '... until it is reached');
set(breaker_threshold => 0);
is(try_call($session), 'JB008', 'no threshold, no suspension') foreach 1 .. 12;
set(breaker_threshold => 3);
is(try_call($session), 'JB012', '... and back');

# ---- what is about the argument, not about the service

{
	fresh();
	my $poison = $sandbox->magic(card => 'server.error');
	my $other_poison = $sandbox->magic(card => 'http.500');
	my $refused = $sandbox->magic(card => 'card.not_active');
	my $try = sub {
		return join ' ', map {
			$session->value("SELECT try(\$\$SELECT jibit_card('$_')\$\$)")
		} @_;
	};

	is($try->(($poison) x 5), 'JB008 JB008 JB008 JB008 JB008',
		'an input on which the service fails, again and again');
	is(try_call($session), 'ok', '... suspends nobody');

	# A table that takes rows in an outage does not take the next one for it.
	$node->safe_psql('postgres', q{
		CREATE TABLE checked (card text);
		CREATE TRIGGER check_card BEFORE INSERT ON checked FOR EACH ROW
			EXECUTE FUNCTION jibit_check_card('card', 'unavailable=accept')});
	$session->query("INSERT INTO checked VALUES ('$poison')") foreach 1 .. 5;
	is($session->value('SELECT count(*) FROM checked'),
		'5', 'a trigger accepts such rows');
	my %error = $session->query("INSERT INTO checked VALUES ('$refused')");
	is($error{sqlstate}, 'JB003', '... but not the next one for their sake');

	is($try->($poison, $other_poison, $poison, $refused),
		'JB008 JB008 JB008 JB012', 'different ones in turn do suspend');

	fresh();
	$sandbox->set(fault => 'server.error', fault_operation => 'balances');
	is( join(' ', map { $session->value(q{SELECT try('SELECT jibit_balances()')}) } 1 .. 4),
		'JB008 JB008 JB008 JB012',
		'an inquiry without arguments has none to blame');
	fresh();
	my $request =
	  q{SELECT try('SELECT jibit_request(''/v1/cards'', ''{"number": %d}'')')};
	$sandbox->set(fault => 'server.error', fault_operation => 'card');
	is(join(' ', map { $session->value(sprintf $request, 1) } 1 .. 4),
		'JB008 JB008 JB008 JB008', 'equal requests of jibit_request');
	is(join(' ', map { $session->value(sprintf $request, $_) } 2 .. 4),
		'JB008 JB008 JB012', '... and different ones');

	# No way to answer that combination: that says nothing of others.
	fresh();
	$sandbox->set(fault => 'handler.not_found', fault_operation => 'card');
	is(join(' ', map { try_call($session) } 1 .. 8),
		join(' ', ('JB008') x 8),
		'handler.not_found, eight times in a row, suspends nothing');
	$sandbox->set(fault => 'server.error', fault_operation => 'card');
	try_call($session) foreach 1 .. 2;
	$sandbox->set(
		fault => 'handler.not_found',
		fault_operation => 'card',
		fault_count => 1);
	try_call($session);
	$sandbox->set(fault => 'server.error', fault_operation => 'card');
	open_it('JB008');
}

# ---- the whole API is down

fresh();
is(try_call($session), 'ok', 'the API works');
$sandbox->stop;
open_it('JB009');
is(try_call($session, 'card_to_iban'), 'JB012', 'no inquiry is made');

# At no cost: the median of many.
{
	my ($median, $count) = split /\|/, $session->value(q{
		CREATE TEMP TABLE times (ms float8, outcome text);
		DO $$
		DECLARE began timestamptz; outcome text;
		BEGIN
			FOR i IN 1 .. 500 LOOP
				began := clock_timestamp();
				outcome := try('SELECT jibit_card(''6037991234567893'')');
				INSERT INTO times VALUES (1000 * extract(epoch FROM
					clock_timestamp() - began), outcome);
			END LOOP;
		END $$;
		SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms),
			count(*) FILTER (WHERE outcome = 'JB012') FROM times});
	is($count, '500', 'calls fail by themselves');
	diag(sprintf 'a suspended call takes %.3f ms', $median);
	cmp_ok($median, '<', 1, '... within a millisecond');
}

# The service comes back, where every call takes its time: a table that asks
# it does not know yet, and must not queue up behind it.
$sandbox->start;
$sandbox->set(delay_ms => 1000);
$node->safe_psql('postgres', q{
	CREATE TABLE accounts (card text);
	CREATE TRIGGER check_card BEFORE INSERT ON accounts FOR EACH ROW
		EXECUTE FUNCTION jibit_check_card('card', 'unavailable=accept')});
{
	my $connections = $sandbox->stats->{connections};
	$node->pgbench(
		'-n -c 12 -j 2 -t 10', 0,
		[qr{actually processed: 120/120}], [qr{WARNING}],
		'a table with a validating trigger',
		{ 'insert' =>
			q{INSERT INTO accounts VALUES ('6037991234567893');} });
	my $stats = $sandbox->stats;
	is($stats->{total}, 0, '... asks nobody');
	# That which asked for the statistics is one.
	is($stats->{connections} - $connections,
		1, '... and does not even open connections');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM accounts'),
		'120', '... and takes the rows, as it was told');
}

# ---- cached answers are served all the same

{
	fresh();
	my $known = test_card(900);
	$session->query("SET jibit.cache_ttl = '1h'; SELECT jibit_card('$known')");
	$sandbox->set(fault => 'cut');
	open_it('JB009');
	is($session->value("SELECT try(\$\$SELECT jibit_card('$known')\$\$)"),
		'ok', 'what is known is not suspended');
	$session->query('RESET jibit.cache_ttl');
}

# ---- no tokens

fresh();
$node->safe_psql('postgres', 'SELECT jibit_forget_tokens()');
$sandbox->set(token_fault => 'http.503');
open_it('JB008');
{
	my $calls = calls();
	is(try_call($session, 'iban'), 'JB001', 'what is wrong is told all the same');
	is(try_call($session, 'card_to_iban'), 'JB012', 'without tokens nothing goes');
	is(calls(), $calls, '... not even a request for one');
}

# ---- it works again

fresh(breaker_cooldown => '300ms');
foreach my $fault ([ 'http.500', 'JB008' ], [ 'cut', 'JB009' ])
{
	my ($name, $state) = @$fault;
	$sandbox->set(fault => $name);
	open_it($state);
	my $calls = calls();
	poll_until(sub { try_call($session) eq $state }, 'a probe that fails');
	is(try_call($session), 'JB012', "after a probe that failed ($name)");
	is(calls(), $calls + 1, '... one call was made');
	$sandbox->set(fault => '');
	ok(poll_until(sub { try_call($session) eq 'ok' }, 'a probe that succeeds'),
		'a probe that succeeds');
	is(calls(), $calls + 2, '... was the only one');
	is(try_call($session), 'ok', '... and all go on');
	$sandbox->set(fault => $name, fault_count => 1);
	is(try_call($session), $state, 'one failure more');
	is(try_call($session), 'ok', '... is the first again');
}

# Tokens, too.
$node->safe_psql('postgres', 'SELECT jibit_forget_tokens()');
$sandbox->set(token_fault => 'http.503');
open_it('JB008');
$sandbox->set(token_fault => '');
ok(poll_until(sub { try_call($session) eq 'ok' }, 'a token'),
	'a token call works again');
is(try_call($session), 'ok', '... and all go on');

# ---- a batch has the time to wait for that

{
	$sandbox->set(fault => 'http.500');
	open_it('JB008');
	$sandbox->set(fault => '');
	my $calls = calls();
	my $cards = join ',', map { test_card($_) } 1 .. 30;
	is($session->value("SELECT count(result) FROM jibit_card_batch('{$cards}')"),
		'30', 'a batch waits for the probe');
	is(calls(), $calls + 30, '... with one call for each element');

	$sandbox->set(fault => 'http.500');
	open_it('JB008');
	my %result = $session->query(qq{SET jibit.timeout = '100ms';
		SELECT count(*), min((error).code), max((error).code)
		FROM jibit_card_batch('{$cards}')});
	is($result{stdout}, '30|suspended|suspended',
		'... unless its elements have less time');
	$session->query('RESET jibit.timeout');
}

# ---- one at a time

# A service that has nothing under way, no faults, and has counted nothing:
# what cancelled or killed sessions leave is in flight for a while.
sub idle_service
{
	poll_until(sub { $sandbox->stats->{in_flight} == 0 }, 'an idle service');
	$sandbox->reset;
	return;
}

# Opens it, and has a session whose probe gets no answer; then others try.
sub hanging_probe
{
	idle_service();
	poll_until(sub { try_call($session) eq 'ok' }, 'a service that works');
	$sandbox->set(fault => 'http.500');
	open_it('JB008');
	$sandbox->set(fault => 'hang');
	my $prober = jibit_session($node);
	my $calls = calls();
	$prober->send(sprintf q{DO $$ BEGIN
		LOOP
			BEGIN
				PERFORM jibit_card('%s');
			EXCEPTION WHEN SQLSTATE 'JB012' THEN
				PERFORM pg_sleep(0.01);
			END;
		END LOOP;
	END $$}, test_card(5));
	poll_until(sub { $sandbox->stats->{in_flight} == 1 }, 'a probe');
	is(calls(), $calls + 1, 'a probe without an answer');
	return $prober;
}

{
	my $prober = hanging_probe();
	my $calls = calls();
	$node->pgbench(
		'-n -c 8 -j 2 -t 25', 0,
		[qr{actually processed: 200/200}], [qr{^$}],
		'other sessions meanwhile',
		{ 'try' => q{INSERT INTO outcomes
			SELECT try($$SELECT jibit_card('6037991234567893')$$);} });
	is($node->safe_psql('postgres',
			'SELECT outcome, count(*) FROM outcomes GROUP BY 1'),
		'JB012|200', '... do not probe as well');
	is(calls(), $calls, '... and call nobody');

	# Whoever dies leaves the probe to others.
	$sandbox->set(fault => '');
	$node->safe_psql('postgres',
		'SELECT pg_terminate_backend(' . $prober->pid . ', 20000)');
	is(try_call($session), 'ok', 'a terminated prober does not leave it stuck');

	$prober = hanging_probe();
	$sandbox->set(fault => '');
	$node->safe_psql('postgres',
		'SELECT pg_cancel_backend(' . $prober->pid . ')');
	my %ended = $prober->wait;
	is($ended{sqlstate}, '57014', 'a prober is cancelled');
	is(try_call($session), 'ok', '... and another probes at once');

	$prober = hanging_probe();
	$sandbox->set(fault => '');
	kill 'KILL', $prober->pid;
	$prober->wait;
	$session->quit;
	ok(poll_until_up($node), 'a prober is killed, and the server restarts');
	$session = jibit_session($node);
	is(try_call($session), 'ok', '... and calls work');

	# Many sessions at the moment when the pause ends: one probe.
	idle_service();
	$sandbox->set(fault => 'http.500');
	open_it('JB008');
	$sandbox->set(delay_ms => 200);
	$node->safe_psql('postgres', 'TRUNCATE outcomes');
	$calls = calls();
	$node->pgbench(
		'-n -c 8 -j 2 -T 1', 0,
		[qr{actually processed}], [qr{^$}],
		'sessions that never cease to try',
		{ 'again' => q{INSERT INTO outcomes
			SELECT try($$SELECT jibit_card('6037991234567893')$$);} });
	my %outcomes = map { split /\|/ } split /\n/,
	  $node->safe_psql('postgres',
		'SELECT outcome, count(*) FROM outcomes GROUP BY 1');
	is($sandbox->stats->{max_concurrent}, 1, '... probe one at a time');
	is($outcomes{JB008}, calls() - $calls, '... all others are suspended');
	cmp_ok($outcomes{JB008}, '<=', 4, '... once in a pause');
	cmp_ok($outcomes{JB012}, '>', 100, '... at once');
}

# ---- what is not set up says nothing of the service

{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my %ca = tls_ca("$dir/ca");
	my $tls = jibit_sandbox(
		tls_cert => $ca{good}{cert},
		tls_key => $ca{good}{key});
	my $broken = q{SET jibit.ca_file = '/nowhere'};
	my $mended = "SET jibit.ca_file = '$ca{ca}'";

	jibit_store_credentials($node, profile => 'tls', sandbox => $tls);
	fresh(breaker_threshold => 2, breaker_cooldown => '1h');
	$session->query("SET jibit.profile = 'tls'; $broken");
	is(try_call($session), 'JB011', 'a session without its certificates')
	  foreach 1 .. 3;
	$session->query($mended);
	is(try_call($session), 'ok', '... suspends nobody');

	$tls->set(fault => 'providers.not_available');
	is(try_call($session), 'JB008', 'one failure of the service');
	$session->query($broken);
	is(try_call($session), 'JB011', '... one of the set-up');
	$session->query($mended);
	is(try_call($session), 'JB008', '... and another of the service');
	is(try_call($session), 'JB012', '... are two in a row');
	$tls->stop;
}

$node->stop;
done_testing();
