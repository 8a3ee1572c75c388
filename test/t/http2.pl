# HTTP/2: many calls over few connections, with nginx in front of the sandbox.
# The same nginx without HTTP/2 shows that HTTP/1.1 is not held up by that.

use strict;
use warnings;

use JibitNginx;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($program, $why_not) = JibitNginx::find();
plan skip_all => $why_not if !defined $program;

my $dir = PostgreSQL::Test::Utils::tempdir();
my %ca = tls_ca("$dir/ca");
my $sandbox = jibit_sandbox(threads => 4);
my $node = jibit_node(
	'http2',
	sandbox => $sandbox,
	conf => "jibit.ca_file = '$ca{ca}'\njibit.max_in_flight = 256");
my $next_card = 0;

sub start_nginx
{
	my ($profile, %options) = @_;
	my $nginx = JibitNginx->new(
		dir => "$dir/$profile",
		upstream => $sandbox->port,
		cert => $ca{good}{cert},
		key => $ca{good}{key},
		%options);

	jibit_store_credentials($node, profile => $profile, base_url => $nginx->url);
	return $nginx;
}

# A session of the profile, which has its token already. A test must not wait
# for ever for what stalls.
sub session
{
	my ($profile, @settings) = @_;
	my $session = jibit_session($node);

	$session->query(
		join '; ',
		"SET jibit.profile = '$profile'",
		"SET statement_timeout = '120s'",
		"SET jibit.batch_concurrency = 64",
		map { "SET $_" } @settings);
	$session->query(single());
	return $session;
}

sub single
{
	return sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL},
	  test_card($next_card++);
}

# A batch of so many cards, as SQL, and what it must answer: each card's own
# number, in order.
sub batch
{
	my ($count) = @_;
	my @cards = map { test_card($next_card++) } 1 .. $count;

	return (
		sprintf(
			q{SELECT string_agg(coalesce((result).number, (error).code), ' ')
			FROM jibit_card_batch('{%s}')}, join ',', @cards),
		join ' ', @cards);
}

sub runs
{
	my ($session, $count, $name) = @_;
	my ($sql, $expected) = batch($count);
	my %result = $session->query($sql);

	return is($result{stdout}, $expected, $name) || diag($result{stderr});
}

# How many connections nginx had, and which protocols were spoken over them.
# It writes a request down after its answer has gone out: wait for the last.
sub seen
{
	my ($nginx, $at_least) = @_;
	my (%connections, %protocols, @requests);

	poll_until(
		sub { (@requests = $nginx->requests) >= ($at_least // 0) },
		"$at_least lines in nginx's log");
	foreach my $request (@requests)
	{
		$connections{ $request->{connection} } = 1;
		$protocols{ $request->{protocol} } = 1;
	}
	return (scalar keys %connections, join ' ', sort keys %protocols);
}

sub idle_sandbox
{
	poll_until(sub { $sandbox->stats->{in_flight} == 0 }, 'an idle sandbox');
	return $sandbox->reset;
}

# ---- few connections

my $h2 = start_nginx('h2', http2 => 1);
{
	# The token is there already, so that its call does not open the connection.
	session('h2')->quit;
	seen($h2, 2);
	$h2->forget;
	my $session = jibit_session($node);

	$sandbox->set(delay_ms => 100);
	$session->query(
		q{SET jibit.profile = 'h2'; SET jibit.batch_concurrency = 64});
	runs($session, 200, 'a batch over HTTP/2 from a new session');
	my ($connections, $protocols) = seen($h2, 200);
	is($protocols, 'HTTP/2.0', '... speaks HTTP/2');
	is($connections, 1, '... over one connection');
	cmp_ok($sandbox->stats->{max_concurrent},
		'>=', 48, '... with many calls at a time');
	idle_sandbox();
	runs($session, 200, 'another batch');
	is($session->value(single()), 't', '... and a single call');
	($connections, $protocols) = seen($h2, 401);
	is($connections, 1, '... use the connection that is there');

	# More at a time than libcurl gives to one connection.
	$session->query('SET jibit.batch_concurrency = 256');
	$sandbox->set(delay_ms => 1000);
	runs($session, 600, '256 calls at a time');
	cmp_ok($sandbox->stats->{max_concurrent},
		'>=', 200, '... are under way at a time');
	idle_sandbox();
}

# ---- HTTP/1.1 over TLS and without it

my $h1 = start_nginx('h1', settings => ['keepalive_requests 100000']);
{
	my $session = jibit_session($node);

	$sandbox->set(delay_ms => 200);
	$session->query(
		q{SET jibit.profile = 'h1'; SET jibit.batch_concurrency = 32});
	runs($session, 96, 'a batch over HTTP/1.1 from a new session');
	my ($connections, $protocols) = seen($h1, 97);
	is($protocols, 'HTTP/1.1', '... speaks HTTP/1.1');
	cmp_ok($connections, '>=', 24, '... over as many connections as calls');
	cmp_ok($connections, '<=', 40, '... and not many more');
	cmp_ok($sandbox->stats->{max_concurrent},
		'>=', 24, '... so that the calls run at a time');
	idle_sandbox();

	$sandbox->set(delay_ms => 200);
	$session->query(q{SET jibit.profile = 'default'});
	runs($session, 96, 'a batch without TLS');
	cmp_ok($sandbox->stats->{max_concurrent},
		'>=', 24, '... runs as many calls at a time');
	idle_sandbox();
}

# ---- a server that ends connections and limits streams

{
	my $nginx = start_nginx(
		'goaway',
		http2 => 1,
		settings => ['keepalive_requests 20']);
	my $session = session('goaway');

	# libcurl gives up a request that five connections have refused.
	$session->query('SET jibit.max_retries = 10');
	runs($session, 1000,
		'a batch where the server ends each connection after 20 requests');
	my ($connections) = seen($nginx, 1000);
	cmp_ok($connections, '>=', 50, '... has had many');
	$session->query('SET jibit.batch_concurrency = 1');
	runs($session, 100, '... also one call after the other');
	$nginx->stop;
}
foreach my $streams (1, 4)
{
	my $nginx = start_nginx(
		"streams$streams",
		http2 => 1,
		settings => ["http2_max_concurrent_streams $streams"]);
	my $session = session("streams$streams");

	$session->query('SET jibit.max_retries = 10');
	$sandbox->set(delay_ms => 10);
	runs($session, 300,
		"a batch where a connection carries no more than $streams calls");
	runs($session, 300, '... and another one');
	my ($connections, $protocols) = seen($nginx, 602);
	is($protocols, 'HTTP/2.0', '... speaks HTTP/2');
	diag("$streams streams: $connections connections");
	idle_sandbox();
	$nginx->stop;
}

# ---- cancelled

foreach my $profile (qw(h2 h1))
{
	my $session = session($profile);
	my ($sql) = batch(500);

	foreach my $round (1 .. 3)
	{
		$sandbox->set(fault => 'hang');
		$session->send($sql);
		poll_until(sub { $sandbox->stats->{in_flight} >= 32 }, 'calls');
		$node->safe_psql('postgres',
			sprintf q{SELECT pg_cancel_backend(%d)}, $session->pid);
		my %ended = $session->wait;
		is($ended{sqlstate}, '57014', "a batch that is cancelled ($profile)");
		$sandbox->set(fault => '');
		runs($session, 200, '... the next batch works');
		# libcurl tells a kept connection's server with its next request.
		idle_sandbox();
	}

	# In full flow: some have been answered, some are on their way.
	$sandbox->set(delay_ms => 5);
	$session->query(q{SET statement_timeout = '60ms'});
	foreach my $round (1 .. 5)
	{
		my %ended = $session->query((batch(5000))[0]);
		is($ended{sqlstate}, '57014', "a batch that is cut short ($profile)");
	}
	$session->query(q{SET statement_timeout = '120s'});
	runs($session, 200, '... the next batch works');
	is($session->value(single()), 't', '... and a single call');
	idle_sandbox();
}

# ---- an element's failure is its own

{
	my $session = session('h2', q{jibit.timeout = '1s'});
	my @cards = map { test_card($next_card++) } 1 .. 200;
	my $hanging = $sandbox->magic(card => 'hang');
	my $missing = $sandbox->magic(card => 'card.not_active');

	$session->query(single());
	$h2->forget;
	@cards[ 3, 150 ] = ($hanging, $missing);
	my %result = $session->query(
		sprintf q{SELECT string_agg(coalesce((result).number, (error).code), ' ')
		FROM jibit_card_batch('{%s}')}, join ',', @cards);
	@cards[ 3, 150 ] = ('connection.timeout', 'card.not_active');
	is($result{stdout}, "@cards",
		'elements that fail among others over one connection')
	  or diag($result{stderr});
	runs($session, 100, '... and a batch after them');
	my ($connections) = seen($h2, 300);
	is($connections, 1, '... still use that connection');
	idle_sandbox();
}

# ---- a connection that breaks

{
	my $session = session('h2', q{jibit.max_retries = 3});
	my ($sql, $expected) = batch(300);

	$sandbox->set(delay_ms => 200);
	$session->send($sql);
	poll_until(sub { $sandbox->stats->{in_flight} >= 32 }, 'calls');
	kill 'KILL', $h2->workers;
	my %result = $session->wait;
	is($result{stdout}, $expected,
		'calls whose connection breaks are made again')
	  or diag($result{stderr});
	idle_sandbox();
	runs($session, 100, '... and a batch after them');
}

# ---- nobody there

{
	my $session = session('h2',
		q{jibit.max_retries = 0}, q{jibit.connect_timeout = '300ms'});

	$h2->stop;
	my %result = $session->query(
		sprintf q{SELECT count(*), count((error).code = 'connection.failed')
			FROM jibit_card_batch('{%s}')},
		join ',', map { test_card($next_card++) } 1 .. 100);
	is($result{stdout}, '100|100', 'a batch to a server that is not there');
	ok($h2->start, 'the server starts');
	runs($session, 100, '... and a batch to it works');
}

$node->stop;
done_testing();
