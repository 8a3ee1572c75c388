# Tokens are shared by all sessions: one asks for a pair, the others wait for
# it or go on with the old one; what goes wrong with one session, one token or
# one key does not hold up the others.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'tokens',
	sandbox => $sandbox,
	conf => "restart_after_crash = on\nmax_connections = 60");
my $next_card = 0;

# Each call with a card of its own: nothing can be answered from a cache.
sub call
{
	return sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL},
	  test_card($next_card++);
}

sub status
{
	my ($column, $profile, $dbname) = @_;
	return $node->safe_psql(
		$dbname // 'postgres',
		"SELECT $column FROM jibit_token_status WHERE profile = '"
		  . ($profile // 'default')
		  . "'");
}

sub forget
{
	$node->safe_psql('postgres', 'SELECT jibit_forget_tokens()');
	return;
}

# The sandbox as at the start, with other settings.
sub sandbox_with
{
	my (@settings) = @_;
	poll_until(sub { $sandbox->stats->{in_flight} == 0 }, 'an idle sandbox');
	$sandbox->reset;
	$sandbox->set(@settings) if @settings;
	return;
}

# What the sandbox has served: token_generate, token_refresh, card.
sub served
{
	my ($stats) = @_;
	$stats //= $sandbox->stats;
	return join ' ',
	  map { count_of($stats, $_) } qw(token_generate token_refresh card);
}

sub count_of
{
	my ($stats, $operation) = @_;
	return $stats->{operations}{$operation} // $stats->{$operation} // 0;
}

sub wait_for_backend
{
	my ($session, $condition, $what) = @_;
	return $node->poll_query_until('postgres',
		    'SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = '
		  . $session->pid
		  . " AND $condition")
	  || diag("timed out waiting for $what");
}

sub wait_until_called
{
	my ($n) = @_;
	return poll_until(sub { $sandbox->stats->{in_flight} >= ($n // 1) },
		'a call in flight');
}

# A session waits for the tokens of another where it is active, but no call of
# it has arrived.
my $waits = q{state = 'active' AND wait_event_type = 'Extension'};

# A pair that soon comes of age, in a database of its own, for the test of early renewal at the end.
my $early = jibit_sandbox(token_ttl => 45);
$node->safe_psql('postgres', 'CREATE DATABASE early');
$node->safe_psql('early', 'CREATE EXTENSION jibit');
jibit_store_credentials($node, dbname => 'early', sandbox => $early);
$node->safe_psql('early', call());
my $failing = jibit_sandbox(token_ttl => 45);
jibit_store_credentials($node, dbname => 'early', profile => 'failing', sandbox => $failing);
$node->safe_psql('early', q{SET jibit.profile = 'failing'; } . call());

# ---- many at once

{
	my @sessions = map { jibit_session($node) } 1 .. 30;
	sandbox_with(token_delay_ms => 4000);
	$_->send(call()) foreach @sessions;
	ok( $node->poll_query_until(
			'postgres',
			q{SELECT count(*) = 30 FROM pg_stat_activity
			  WHERE application_name = 'session' AND state = 'active'}),
		'30 sessions without a token are at work');
	is(count_of($sandbox->stats, 'card'), 0, '... and none has asked yet');
	my @results = map { { $_->wait } } @sessions;
	is(scalar(grep { $_->{stdout} eq 't' } @results),
		30, 'all 30 have their answer')
	  or diag(join '', map { $_->{stderr} } @results);
	is(served(), '1 0 30', '... for one pair of tokens');
	$_->quit foreach @sessions;
}

# ---- renewal

sandbox_with();
forget();
sandbox_with(token_ttl => 3600);
$node->safe_psql('postgres', call());
is(status('round(extract(epoch FROM expires_at - obtained_at) / 10)'),
	'360', "a JWT's own expiry is honoured");

forget();
sandbox_with(opaque_tokens => 1, token_ttl => 3600);
is($node->safe_psql('postgres', call()), 't', 'an opaque token serves');
is(status('extract(epoch FROM expires_at - obtained_at)::int,
		extract(epoch FROM refresh_expires_at - obtained_at)::int'),
	'86400|172800', '... and is taken to be good for a day');
is(status('state'), 'valid', '... its state');

forget();
sandbox_with(token_ttl => 1);
is($node->safe_psql('postgres', call()), 't', 'a token for one second');
$node->poll_query_until('postgres',
	q{SELECT clock_timestamp() >= expires_at FROM jibit_token_status
	  WHERE profile = 'default'});
is(status('state'), 'expired', '... is over');
$sandbox->set(token_ttl => 3600);
is($node->safe_psql('postgres', call()), 't', '... then it is renewed');
is(served(), '1 1 2', '... by a refresh');

forget();
sandbox_with(token_ttl => 1);
$node->safe_psql('postgres', call());
$node->poll_query_until('postgres',
	q{SELECT clock_timestamp() >= expires_at FROM jibit_token_status
	  WHERE profile = 'default'});
$sandbox->set(token_ttl => 3600, refuse_refresh => 1);
is($node->safe_psql('postgres', call()), 't', 'a refused refresh');
is(served(), '2 1 2', '... is followed by one new pair');

forget();
sandbox_with(token_ttl => 1, refresh_ttl => 1);
$node->safe_psql('postgres', call());
$node->poll_query_until('postgres',
	q{SELECT clock_timestamp() >= refresh_expires_at FROM jibit_token_status
	  WHERE profile = 'default'});
$sandbox->set(token_ttl => 3600, refresh_ttl => 7200);
is($node->safe_psql('postgres', call()),
	't', "past the refresh token's life too");
is(served(), '2 0 2', '... no refresh is tried');

# ---- tokens that are not accepted

forget();
sandbox_with();
$node->safe_psql('postgres', call());
$sandbox->reset;
$sandbox->revoke;
is($node->safe_psql('postgres', call()),
	't', 'a call with a revoked token succeeds');
is(served(), '1 1 2', '... after one renewal and one more try');

$sandbox->reset;
$sandbox->revoke(refresh => 0);
is($node->safe_psql('postgres', call()),
	't', '... and where the refresh token is still good');
is(served(), '0 1 2', '... the renewal is a refresh');

# A call that was sent, and gets no new token when that is asked for.
{
	my $offset = -s $node->logfile;

	$node->safe_psql('postgres', 'SELECT jibit_stats_reset()');
	$sandbox->set(secret_key => 'another');
	$sandbox->revoke;
	my %error = sql_error($node, 'SET jibit.log_calls = errors; ' . call());
	is($error{sqlstate}, 'JB007',
		'a revoked token, and keys that are not accepted any more');
	is( $node->safe_psql('postgres',
			q{SELECT inquiry, calls, failed, last_error FROM jibit_stats}),
		'card|1|1|invalid.credentials',
		'... the call was sent and is counted');
	like(slurp_file($node->logfile, $offset),
		qr/LOG:  jibit call card\(card=6037.*\): invalid\.credentials/,
		'... and logged');
	forget();
	sandbox_with();
	$node->safe_psql('postgres', call());
}

sandbox_with(fault => 'forbidden', fault_operation => 'card');
my %error = sql_error($node, call());
is($error{sqlstate}, 'JB007', 'an account that is forbidden for ever');
is($error{constraint}, 'forbidden', '... with its code');
is(count_of($sandbox->stats, 'card'), 2, '... is tried twice');
is( count_of($sandbox->stats, 'token_generate') +
	  count_of($sandbox->stats, 'token_refresh'),
	1,
	'... with one new token');

{
	# All sessions' token is revoked under them: one renewal for all.
	my @sessions = map { jibit_session($node) } 1 .. 8;
	sandbox_with();
	$node->safe_psql('postgres', call());
	sandbox_with(token_delay_ms => 500);
	$sandbox->revoke(refresh => 0);
	$_->send(call()) foreach @sessions;
	my @results = map { { $_->wait } } @sessions;
	is(scalar(grep { $_->{stdout} eq 't' } @results),
		8, 'a token that is revoked under eight sessions');
	is( count_of($sandbox->stats, 'token_refresh') +
		  count_of($sandbox->stats, 'token_generate'),
		1,
		'... is renewed once');
}

# ---- a refused key

my $other = jibit_session($node);
forget();
sandbox_with(api_key => 'another-key');
$other->query(call());
%error = sql_error($node, call());
is($error{sqlstate}, 'JB007', 'a refused key');
is($error{constraint}, 'invalid.credentials', '... with its code');
like($error{hint}, qr/\w/, '... and a hint');
$other->query(call()) foreach 1 .. 3;
%error = sql_error($node, call());
is($error{sqlstate}, 'JB007', 'the same error again');
is($error{constraint}, 'invalid.credentials', '... with the same code');
is(served(), '1 0 0', '... without asking again within the pause');
is(status('state, last_error'),
	'refused|invalid.credentials', '... as jibit_token_status says');

$sandbox->set(api_key => $JibitTest::api_key);
forget();
my %result = $other->query(call());
is($result{stdout}, 't', 'jibit_forget_tokens() ends the pause');

forget();
sandbox_with(api_key => 'another-key');
%result = $other->query(call());
is($result{sqlstate}, 'JB007', 'refused again');
jibit_store_credentials($node, sandbox => $sandbox,
	api_key => 'another-key');
%result = $other->query(call());
is($result{stdout}, 't',
	'changed credentials end the pause, in a session that was there before');
is(served(), '2 0 1', '... with one more token call');

# ---- changed credentials

forget();
sandbox_with();
{
	my $second = jibit_sandbox(api_key => 'second-key');
	my $writer = jibit_session($node);

	jibit_store_credentials($node, sandbox => $sandbox);
	my %first = $other->query(call());
	is($first{stdout}, 't', 'a call with the first account');

	$writer->query(
		sprintf "BEGIN; SELECT jibit_set_credentials(%s)",
		join ', ', map { "'$_'" } 'second-key', $JibitTest::secret_key,
		'default', $second->url);
	$other->query(call());
	is(count_of($second->stats, 'card'),
		0, 'credentials that are not committed are not used by others');
	$writer->query(call());
	is(count_of($second->stats, 'card'),
		1, '... but by the session that wrote them');
	$writer->query('ROLLBACK');
	$sandbox->reset;
	$second->reset;
	$writer->query(call());
	$other->query(call());
	is(count_of($second->stats, 'card'),
		0, 'after ROLLBACK the old ones are used');
	is(count_of($sandbox->stats, 'card'), 2, '... by both sessions');

	$writer->query(
		sprintf "BEGIN; SELECT jibit_set_credentials(%s); COMMIT",
		join ', ', map { "'$_'" } 'second-key', $JibitTest::secret_key,
		'default', $second->url);
	$other->query(call());
	$writer->query(call());
	is(count_of($second->stats, 'card'),
		2, 'after COMMIT every session uses the new ones');

	jibit_store_credentials($node, sandbox => $sandbox);
	$second->reset;
	$sandbox->reset;
	$other->query(call());
	is(count_of($sandbox->stats, 'card'), 1, '... also those that COPY wrote');

	# One statement, in a cursor; the credentials change between two rows.
	my $query = join ' UNION ALL ', map { call() } 1 .. 3;
	$sandbox->reset;
	$other->query(
		"BEGIN; DECLARE c CURSOR FOR $query; FETCH 1 FROM c");
	is(count_of($sandbox->stats, 'card'), 1, 'a cursor, its first row');
	jibit_store_credentials(
		$node,
		sandbox => $second,
		api_key => 'second-key');
	$other->query('FETCH 1 FROM c');
	is(count_of($second->stats, 'card'),
		1, '... and its second with credentials changed meanwhile');
	$other->query('COMMIT');

	# And a savepoint that goes back.
	jibit_store_credentials($node, sandbox => $sandbox);
	$sandbox->reset;
	$second->reset;
	$writer->query(
		sprintf "BEGIN; SAVEPOINT s; SELECT jibit_set_credentials(%s)",
		join ', ', map { "'$_'" } 'second-key', $JibitTest::secret_key,
		'default', $second->url);
	$writer->query(call());
	$writer->query('ROLLBACK TO s');
	$writer->query(call());
	is(count_of($second->stats, 'card') . count_of($sandbox->stats, 'card'),
		'11', 'after ROLLBACK TO SAVEPOINT the old ones are used');
	$writer->query('ROLLBACK');
}

# ---- profiles and databases

forget();
sandbox_with();
jibit_store_credentials($node, sandbox => $sandbox, profile => 'twin');
$node->safe_psql('postgres', call());
$node->safe_psql('postgres', "SET jibit.profile = 'twin'; " . call());
is(served(), '1 0 2', 'two profiles with the same key share one pair');
$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION jibit');
jibit_store_credentials($node, sandbox => $sandbox, dbname => 'second');
$node->safe_psql('second', call());
is(served(), '2 0 3', 'another database has its own');
is( $node->safe_psql(
		'second', 'SELECT count(*) FROM jibit_token_status'),
	'1',
	'... and sees no other');
$node->safe_psql('second', 'SELECT jibit_forget_tokens()');
is( $node->safe_psql('second', 'SELECT count(*) FROM jibit_token_status'),
	'0', 'jibit_forget_tokens() drops this one');
$node->safe_psql('postgres', call());
is(served(), '2 0 4', "... and not the first database's");

# ---- who waits for another session

{
	my $fetching = jibit_session($node);
	my $waiting = jibit_session($node);

	forget();
	sandbox_with(token_fault => 'hang');
	$fetching->send(call());
	wait_until_called();
	$waiting->query(q{SET statement_timeout = '200ms'});
	my %cancelled = $waiting->query(call());
	is($cancelled{sqlstate}, '57014',
		"a wait for another session's token ends at statement_timeout");
	is($sandbox->stats->{in_flight}, 1, '... while that still asks');
	$waiting->query('RESET statement_timeout');

	# The fetching one is cancelled: the waiting one takes over.
	$waiting->send(call());
	wait_for_backend($waiting, $waits, 'a wait for the token');
	$sandbox->set(token_fault => '');
	$node->safe_psql('postgres',
		'SELECT pg_cancel_backend(' . $fetching->pid . ')');
	my %first = $fetching->wait;
	my %second = $waiting->wait;
	is($first{sqlstate}, '57014', 'the session that asks is cancelled');
	is($second{stdout}, 't', '... and one that waits takes over')
	  or diag($second{stderr});
	%first = $fetching->query(call());
	is($first{stdout}, 't', '... and the cancelled one goes on');

	# It is terminated.
	forget();
	sandbox_with(token_fault => 'hang');
	$fetching->send(call());
	wait_until_called();
	$waiting->send(call());
	wait_for_backend($waiting, $waits, 'a wait for the token');
	$sandbox->set(token_fault => '');
	$node->safe_psql('postgres',
		'SELECT pg_terminate_backend(' . $fetching->pid . ')');
	%first = $fetching->wait;
	%second = $waiting->wait;
	ok($first{gone}, 'the session that asks is terminated');
	is($second{stdout}, 't', '... and one that waits takes over')
	  or diag($second{stderr});

	# jibit_forget_tokens() in the middle of it.
	$fetching = jibit_session($node);
	forget();
	sandbox_with(token_delay_ms => 700);
	$fetching->send(call());
	wait_until_called();
	$waiting->send(call());
	wait_for_backend($waiting, $waits, 'a wait for the token');
	forget();
	%first = $fetching->wait;
	%second = $waiting->wait;
	is("$first{stdout}$second{stdout}",
		'tt', 'tokens forgotten while two sessions wait for them')
	  or diag("$first{stderr}$second{stderr}");
}

# ---- a token service that fails

{
	my @sessions = map { jibit_session($node) } 1 .. 10;

	# One attempt of three tries, with its pauses, while ten sessions wait.
	forget();
	sandbox_with(token_delay_ms => 500, token_fault => 'providers.not_available');
	$_->send(call()) foreach @sessions;
	my @results = map { { $_->wait } } @sessions;
	is( join(' ', map { "$_->{sqlstate} $_->{constraint}" } @results),
		join(' ', ('JB008 providers.not_available') x 10),
		'a failing token service fails all who wait');
	is(served(), '3 0 0', '... by one attempt for all');

	forget();
	sandbox_with(token_delay_ms => 500, api_key => 'nobody');
	$_->send(call()) foreach @sessions;
	@results = map { { $_->wait } } @sessions;
	is( join(' ', map { "$_->{sqlstate} $_->{constraint}" } @results),
		join(' ', ('JB007 invalid.credentials') x 10),
		'a refused key fails all who wait');
	is(served(), '1 0 0', '... by one call for all');

	# It answers nothing: nobody waits longer than his own time.
	forget();
	sandbox_with(token_fault => 'hang');
	$_->query(q{SET jibit.timeout = '500ms'}) foreach @sessions;
	$_->send(call()) foreach @sessions;
	@results = map { { $_->wait } } @sessions;
	is( join(' ', map { "$_->{sqlstate} $_->{constraint}" } @results),
		join(' ', ('JB009 connection.timeout') x 10),
		'a silent token service fails all who wait at their timeouts');
	my %duration = $sessions[-1]->query(
		q{SELECT duration < '5s', duration FROM jibit_last_call()});
	like($duration{stdout}, qr/^t/, '... not one after the other');
	sandbox_with();
	$_->query('RESET jibit.timeout') foreach @sessions;
	my %answer = $sessions[-1]->query(call());
	is($answer{stdout}, 't', '... and the next call gets a token');
}

# ---- answers of the token service that are of no use

my %pair = (accessToken => '"access"', refreshToken => '"refresh"');
my %useless = (
	'a line break in the token' => { accessToken => '"a\r\nX-Evil: 1"' },
	'a control character' => { accessToken => '"a\u0001b"' },
	'a NUL' => { accessToken => '"a\u0000b"' },
	'a blank' => { accessToken => '"a b"' },
	'a letter beyond ASCII' => { accessToken => '"\u06cc"' },
	'an empty token' => { accessToken => '""' },
	'a number' => { accessToken => '1' },
	'null' => { accessToken => 'null' },
	'an object' => { accessToken => '{}' },
	'a token of 5,000 letters' =>
	  { accessToken => '"' . 'x' x 5_000 . '"' },
	'a token of 900,000 letters' =>
	  { accessToken => '"' . 'x' x 900_000 . '"' },
	'a bad refresh token' => { refreshToken => '"a\nb"' },
	'no refresh token' => { refreshToken => undef });
my $answer;
foreach my $name (sort keys %useless)
{
	my %fields = (%pair, %{ $useless{$name} });
	my $body = '{'
	  . join(',',
		map { qq{"$_":$fields{$_}} } grep { defined $fields{$_} } keys %fields)
	  . '}';
	my $server = jibit_server(
		token => sub { send_answer($_[1], 200, $body) },
		inquiry => sub { send_answer($_[1], 200, '{}') });

	jibit_store_credentials(
		$node,
		profile => 'byhand',
		base_url => $server->url);
	my %refused = sql_error($node, "SET jibit.profile = 'byhand'; " . call());
	is($refused{sqlstate}, 'JB010', "$name in place of a token");
	is(scalar $server->notes('/v1/cards'), 0, '... is not used')
	  or diag(join "\n", $server->notes);
	$server->stop;
}

# ---- the longest token that is accepted, and an odd JWT

foreach my $token (
	'x' x 4_000,
	'a.b.c', '..', '.', 'a..c',
	'a.e30.c',                             # {}
	'a.eyJleHAiOiJ4In0.c',                 # {"exp":"x"}
	'a.eyJleHAiOjB9.c',                    # {"exp":0}
	'a.eyJleHAiOjk5OTk5OTk5OTk5OTk5OTk5OX0.c',    # far beyond
	'a.eyJleHAiOi05OTk5OTk5OTk5OTk5OTk5OTl9.c',    # far before
	'a.bnVsbA.c', 'a.W10.c')                # null, []
{
	my $server = jibit_server(
		token => sub {
			send_answer($_[1], 200,
				qq({"accessToken":"$token","refreshToken":"$token"}));
		},
		inquiry => sub {
			my ($self, $socket, $request) = @_;
			send_answer($socket, 200,
				$request->{headers}{authorization} eq "Bearer $token"
				? '{"right":true}'
				: '{"right":false}');
		});
	forget();
	jibit_store_credentials(
		$node,
		profile => 'byhand',
		base_url => $server->url);
	is( $node->safe_psql(
			'postgres', q{SET jibit.profile = 'byhand';
			SELECT jibit_request('/v1/anything') ->> 'right'}),
		'true',
		'the token ' . substr($token, 0, 50) . ' is used as it is');
	is(status('extract(epoch FROM expires_at - obtained_at)::int', 'byhand'),
		'86400', '... for a day');
	$server->stop;
}

# ---- early renewal

{
	my $renewing = jibit_session($node, dbname => 'early');
	my $going_on = jibit_session($node, dbname => 'early');
	my $unlucky = jibit_session($node, dbname => 'early');

	# Where the tests above took longer than that, another one, which is of age
	# in 13.5 seconds. Two clocks and a test on a busy machine want some room.
	$early->set(token_ttl => 15);
	$failing->set(token_ttl => 15);
	$node->safe_psql('early',
		'SELECT jibit_forget_tokens() FROM jibit_token_status WHERE
			clock_timestamp() >
			expires_at - (expires_at - obtained_at) * 0.07; '
		  . call() . q{; SET jibit.profile = 'failing'; } . call());
	ok( $node->poll_query_until(
			'early',
			q{SELECT bool_and(clock_timestamp() >
				expires_at - (expires_at - obtained_at) * 0.099)
			  FROM jibit_token_status}),
		'a token in the last tenth of its life');
	is(status('state', undef, 'early'), 'valid', '... is still valid');

	# A renewal that fails leaves the old token ...
	$failing->set(token_fault => 'http.503');
	$unlucky->query(q{SET jibit.profile = 'failing'; SET jibit.max_retries = 0});
	is($unlucky->value(call()), 't', 'an early renewal that fails');
	is( $node->safe_psql(
			'early',
			q{SELECT last_error FROM jibit_token_status WHERE profile = 'failing'}),
		'http.503', '... is told');
	$failing->set(token_fault => '');
	$early->reset;
	$early->set(token_delay_ms => 800, token_ttl => 3600);
	$renewing->send(call());
	poll_until(sub { $early->stats->{in_flight} >= 1 }, 'the early renewal');
	my %meanwhile = $going_on->query(
		call() . q{; SELECT state FROM jibit_token_status WHERE profile = 'default'});
	is($meanwhile{stdout}, "t\nrenewing",
		'others go on with the old token while one renews it');
	my %renewed = $renewing->wait;
	is($renewed{stdout}, 't', 'the one that renews it succeeds');
	is(served($early->stats), '0 1 2', '... by one refresh');
	is(status('state', undef, 'early'), 'valid', '... and the new one is valid');

	# ... but for those without one there is no pause.
	$failing->revoke;
	is($unlucky->value(call()), 't', 'a token that is refused after that is replaced at once');
}

# ---- more credentials than there is room for at a time

{
	my $server = jibit_server(inquiry => sub { send_answer($_[1], 200, '{}') });

	$node->safe_psql('postgres',
		q{INSERT INTO jibit_credentials (profile, api_key, secret_key, base_url)
		  SELECT 'many' || i, 'key' || i, 'secret', '} . $server->url . q{'
		  FROM generate_series(1, 100) i});
	is( $node->safe_psql(
			'postgres',
			q{SELECT count(jibit_request('/v1/anything')) FROM
			  (SELECT set_config('jibit.profile', 'many' || i, false)
			   FROM generate_series(1, 100) i OFFSET 0) AS s (p) WHERE p <> ''}),
		'100',
		'a hundred accounts one after the other');
	$server->stop;
}

# ---- a crash

{
	my $fetching = jibit_session($node);

	forget();
	sandbox_with(token_fault => 'hang');
	$fetching->send(call());
	wait_until_called();
	$sandbox->set(token_fault => '');
	kill 'KILL', $fetching->pid;
	ok({ $fetching->wait }->{gone}, 'the session that asks is killed');
	ok(poll_until_up($node), '... and the server restarts');
	is($node->safe_psql('postgres', call()), 't', '... and gets a token');
}

$node->stop;
done_testing();
