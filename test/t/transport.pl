# What can go wrong on the way to the service and back: each fault gives its
# error after as many attempts as it is worth, and the next call works.

use strict;
use warnings;

use IO::Socket::INET;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes ();

my $sandbox = jibit_sandbox();

# Every proxy of the environment leads here, in the server's environment.
my $environment = jibit_server(handler => sub { return; });
my $node;
{
	my $proxy = 'http://127.0.0.1:' . $environment->port;
	local @ENV{qw(http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY)} =
	  ($proxy) x 5;
	local $ENV{no_proxy} = '';
	$node = jibit_node('transport', sandbox => $sandbox);
}
my $next_card = 0;

sub card
{
	return test_card($next_card++);
}

sub call
{
	return sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL}, card();
}

# Stores a profile that leads somewhere else.
sub profile
{
	my ($profile, $url) = @_;
	jibit_store_credentials($node, profile => $profile, base_url => $url);
	return "SET jibit.profile = '$profile'";
}

my $session = jibit_session($node);
my %result;

# One call in the session that stays: sqlstate, code, attempts.
sub outcome
{
	my ($sql) = @_;
	my %outcome = $session->query($sql);
	my %last = $session->query('SELECT attempts FROM jibit_last_call()');
	%result = %outcome;
	return join ' ', map { $_ // 'none' } $outcome{sqlstate},
	  $outcome{constraint}, $last{stdout};
}

sub works
{
	my ($name) = @_;
	%result = $session->query(call());
	return is($result{stdout}, 't', $name) || diag($result{stderr});
}

# Connections since the sandbox's reset, but for the one that asks.
sub connections
{
	return $sandbox->stats->{connections} - 1;
}

# ---- keep-alive

$sandbox->reset;
works('a first call');
$session->query(call()) foreach 1 .. 9;
my $stats = $sandbox->stats;
is($stats->{connections} - 1, 1, 'ten calls in a session: one connection');
is($stats->{operations}{card} // $stats->{card},
	10, '... with ten requests');

my $refused = $sandbox->magic(card => 'card.not_active');
$sandbox->reset;
is(outcome("SELECT jibit_card('$refused')"),
	'JB003 card.not_active 1', 'a call that is refused');
works('... and the next one');
is(connections(), 0, '... use the same connection');

$sandbox->set(keep_alive => 0);
works('a call without keep-alive') foreach 1 .. 3;
cmp_ok(connections(), '>=', 3, '... opens connections');
$sandbox->reset;

$sandbox->stop;
$sandbox->start;
works('a call over a connection that died while it was idle');
$sandbox->stop('KILL');
$sandbox->start;
works('... once more, after a crash of the service');

# ---- the sandbox's own faults

$session->query('SET jibit.max_retries = 2');
foreach my $case (
	# fault, outcome
	[ 'close' => 'JB009 connection.failed 3' ],
	[ 'reset' => 'JB009 connection.failed 3' ],
	[ 'cut' => 'JB009 connection.failed 3' ],
	[ 'endless' => 'JB010 response.invalid 1' ],
	[ 'big-body' => 'JB010 response.invalid 1' ],
	[ 'redirect' => 'JB010 response.invalid 1' ],
	[ 'not-json' => 'JB010 response.invalid 1' ],
	[ 'empty-body' => 'JB010 response.invalid 1' ],
	[ 'html-200' => 'JB010 response.invalid 1' ],
	[ 'deep' => 'JB010 response.invalid 1' ],
	[ 'bad-utf8' => 'JB010 response.invalid 1' ],
	[ 'wrong-types' => 'JB010 response.invalid 1' ],
	[ 'http.500' => 'JB008 http.500 3' ],
	[ 'http.502' => 'JB008 http.502 3' ],
	[ 'http.503' => 'JB008 http.503 3' ],
	[ 'http.504' => 'JB008 http.504 3' ],
	[ 'http.418' => 'JB099 http.418 1' ],
	[ 'server.error' => 'JB008 server.error 3' ],
	[ 'providers.not_available' => 'JB008 providers.not_available 3' ],
	[ 'handler.not_found' => 'JB008 handler.not_found 1' ],
	[ 'daily_limit.reached' => 'JB006 daily_limit.reached 1' ],
	[ 'http.429-long' => 'JB006 http.429 1' ],
	[ 'flaky-2' => 'none none 3' ])
{
	my ($fault, $expected) = @$case;
	is( outcome(
			sprintf q{SELECT (jibit_card('%s')).number},
			$sandbox->magic(card => $fault)),
		$expected,
		"fault $fault");
	works('... and the next call works');
}

# On a connection that was kept, libcurl itself asks again.
like(
	outcome(
		sprintf q{SELECT (jibit_card('%s')).number},
		$sandbox->magic(card => 'close-once')),
	qr/^none none [12]$/,
	'a connection that closes once');

# Those that take their time.
$session->query(q{SET jibit.timeout = '400ms'});
foreach my $fault (qw(hang drip slow))
{
	is( outcome(
			sprintf q{SELECT jibit_card('%s')},
			$sandbox->magic(card => $fault)),
		'JB009 connection.timeout 1',
		"fault $fault");
	works('... and the next call works');
}
$session->query('RESET jibit.timeout');

# ---- an answer that is there in time, and read too late

{
	my $go = PostgreSQL::Test::Utils::tempdir() . '/go';
	my $prompt = jibit_server(
		inquiry => sub {
			my ($self, $socket) = @_;
			Time::HiRes::sleep(0.01) until -e $go;
			send_answer($socket, 200, '{"good":true}');
			$self->note('answered');
		});
	my $stopped = jibit_session($node);
	$stopped->query(profile('prompt', $prompt->url)
		  . q{; SET jibit.timeout = '1s'; SET jibit.max_retries = 0});
	my $started = Time::HiRes::time();
	$stopped->send(q{SELECT jibit_request('/v1/x')});
	poll_until(sub { $prompt->notes('/v1/x') }, 'a call');
	kill 'STOP', $stopped->pid;
	append_to_file($go, '');
	poll_until(sub { $prompt->notes('answered') }, 'its answer');
	poll_until(sub { Time::HiRes::time() > $started + 1.5 },
		'the end of jibit.timeout');
	kill 'CONT', $stopped->pid;
	my %late = $stopped->wait;
	is($late{stdout}, '{"good": true}',
		'what has come while the process stood still is read') or diag($late{stderr});
}

# ---- retries

sub retries_of
{
	my ($n, $sql) = @_;
	$session->query("SET jibit.max_retries = $n");
	$sandbox->reset;
	my $outcome = outcome($sql);
	$session->query('SET jibit.max_retries = 2');
	return $outcome;
}

my $failing = $sandbox->magic(card => 'providers.not_available');
is(retries_of(0, "SELECT jibit_card('$failing')"),
	'JB008 providers.not_available 1', 'max_retries 0');
is($sandbox->stats->{total}, 1, '... one request');
is(retries_of(4, "SELECT jibit_card('$failing')"),
	'JB008 providers.not_available 5', 'max_retries 4');
my @tracks = map { $_->{track_id} } $sandbox->requests;
is(scalar @tracks, 5, '... five requests');
like($tracks[0], qr/^[0-9a-f-]{36}$/, '... with a track id');
is(scalar(grep { $_ eq $tracks[0] } @tracks), 5, '... the same for all');
like($result{detail}, qr/\Q$tracks[0]\E/, '... and the error has it');
is(retries_of(2, sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL},
		$sandbox->magic(card => 'http.429')),
	'JB006 http.429 3', '429 with a Retry-After that fits is tried again');

$session->query(q{SET jibit.timeout = '2s'});
%result = $session->query(
	sprintf q{SELECT jibit_card('%s'); SELECT attempts, http_status,
		duration < '1s' FROM jibit_last_call()},
	$sandbox->magic(card => 'http.429-long'));
is($result{stdout}, '1|429|t', 'one that does not fit is not waited for');
$session->query('SET jibit.max_retries = 10');
%result = $session->query(
	"SELECT jibit_card('$failing'); SELECT duration < '2.5s', attempts > 3,
		(error).code FROM jibit_last_call()");
is($result{stdout}, 't|t|providers.not_available',
	'jibit.timeout bounds the retries; the error is that of the last answer');
$session->query('RESET jibit.timeout; SET jibit.max_retries = 2');

# ---- a server by hand: what it says depends on the path

sub attempt_of
{
	my ($server, $request) = @_;
	return scalar $server->notes("^GET \Q$request->{target}\E ");
}

my $good = '{"good":true}';
my %behaviours = (
	good => sub { send_answer($_[1], 200, $good) },
	garbage => sub { syswrite $_[1], "\x00\xff\x16 this is no HTTP\n" x 20; 0 },
	http09 => sub { syswrite $_[1], "$good\n"; 0 },
	noversion => sub { syswrite $_[1], "HTTP/9.9 200 OK\r\n\r\n$good"; 0 },
	nostatus => sub { syswrite $_[1], "HTTP/1.1 abc OK\r\n\r\n$good"; 0 },
	status999 => sub { send_answer($_[1], 999, $good) },
	unframed => sub {
		syswrite $_[1], "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n$good";
		0;
	},
	oldhttp => sub { syswrite $_[1], "HTTP/1.0 200 OK\r\n\r\n$good"; 0 },
	chunked => sub {
		syswrite $_[1], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
		syswrite $_[1], sprintf "%x;x=y\r\n%s\r\n", length, $_
		  foreach split //, $good;
		syswrite $_[1], "0\r\nTrailer: x\r\n\r\n";
	},
	badchunks => sub {
		syswrite $_[1],
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n$good";
		0;
	},
	cutchunks => sub {
		syswrite $_[1],
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"goo";
		0;
	},
	early => sub {
		syswrite $_[1],
		  "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
		send_answer($_[1], 200, $good);
	},
	badtrailer => sub {
		syswrite $_[1],
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  . sprintf("%x\r\n%s\r\n0\r\nno trailer\r\n\r\n", length $good, $good);
		0;
	},
	cutlength => sub {
		syswrite $_[1], "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n$good";
		0;
	},
	# A server that means what it says.
	hugelength => sub {
		syswrite $_[1],
		  "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n$good";
		0;
	},
	badlength => sub {
		syswrite $_[1], "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n$good";
		0;
	},
	gzip => sub {
		send_answer($_[1], 200, "\x1f\x8b\x08\x00garbage",
			'Content-Encoding: gzip');
	},
	nocontent => sub { syswrite $_[1], "HTTP/1.1 204 No Content\r\n\r\n" },
	notmodified => sub { syswrite $_[1], "HTTP/1.1 304 Not Modified\r\n\r\n" },
	hugeheader => sub {
		send_answer($_[1], 200, $good, 'X-Huge: ' . 'x' x 400_000);
	},
	manyheaders => sub {
		send_answer($_[1], 200, $good, map { "X-$_: " . 'x' x 1000 } 1 .. 200);
	},
	endlessheaders => sub {
		syswrite $_[1], "HTTP/1.1 200 OK\r\n";
		1 while syswrite $_[1], ('X-Endless: ' . 'x' x 1000 . "\r\n") x 50;
		0;
	},
	endlesshints => sub {
		1 while syswrite $_[1],
		  "HTTP/1.1 103 Early Hints\r\nX: " . 'x' x 1000 . "\r\n\r\n";
		0;
	},
	endlesschunks => sub {
		syswrite $_[1], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
		1 while syswrite $_[1], "400\r\n" . 'x' x 1024 . "\r\n";
		0;
	},
	reset => sub {
		setsockopt $_[1], SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
		0;
	},
	retryzero => sub {
		attempt_of($_[0], $_[2]) > 1
		  ? send_answer($_[1], 200, $good)
		  : send_answer($_[1], 429, '', 'Retry-After: 0');
	},
	retryover => sub {
		attempt_of($_[0], $_[2]) > 1
		  ? send_answer($_[1], 200, $good)
		  : send_answer($_[1], 429, '',
			'Retry-After: Fri, 31 Dec 1999 23:59:59 GMT');
	},
	retrypast => sub {
		attempt_of($_[0], $_[2]) > 1
		  ? send_answer($_[1], 200, $good)
		  : send_answer($_[1], 503, '',
			'Retry-After: Fri, 31 Dec 1999 23:59:59 GMT');
	},
	retryodd => sub {
		attempt_of($_[0], $_[2]) > 1
		  ? send_answer($_[1], 200, $good)
		  : send_answer($_[1], 503, '', 'Retry-After: soon');
	},
	retryone => sub {
		attempt_of($_[0], $_[2]) > 1
		  ? send_answer($_[1], 200, $good)
		  : send_answer($_[1], 503, '', 'Retry-After: 1');
	},
	cookie => sub {
		$_[0]->note('a cookie came back') if $_[2]{headers}{cookie};
		send_answer($_[1], 200, $good, 'Set-Cookie: a=b; Path=/');
	},
	unauthorized => sub {
		send_answer($_[1], 401, '', 'WWW-Authenticate: Basic realm="x"');
	},
	proxyauth => sub {
		send_answer($_[1], 407, '', 'Proxy-Authenticate: Negotiate');
	},
	upgrade => sub {
		syswrite $_[1],
		  "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
		0;
	},
	altsvc => sub {
		send_answer($_[1], 200, $good,
			'Alt-Svc: h2="127.0.0.1:1"; ma=3600',
			'Strict-Transport-Security: max-age=3600');
	},
	headers => sub {
		my ($self, $socket, $request) = @_;
		my $headers = $request->{headers};
		send_answer($socket, 200,
			'{"names":"' . join(' ', sort keys %$headers) . '","agent":"'
			  . ($headers->{'user-agent'} // '') . '"}');
	});

my $second = jibit_server(inquiry => sub { send_answer($_[1], 200, $good) });
foreach my $status (301, 302, 303, 307, 308)
{
	$behaviours{"redirect$status"} = sub {
		send_answer($_[1], $status, '',
			'Location: ' . $second->url . '/v1/stolen');
	};
}

my $server = jibit_server(
	inquiry => sub {
		my ($self, $socket, $request) = @_;
		my ($name) = $request->{target} =~ m{/v1/([a-z0-9]+)};
		return $behaviours{$name}->($self, $socket, $request);
	});
$session->query(profile('hand', $server->url));

sub request
{
	my ($name) = @_;
	return outcome("SELECT jibit_request('/v1/$name')");
}

is(request('good'), 'none none 1', 'a server by hand');
foreach my $case (
	[ garbage => 'JB009 connection.failed 3' ],
	[ http09 => 'JB009 connection.failed 3' ],
	[ noversion => 'JB009 connection.failed 3' ],
	[ nostatus => 'JB009 connection.failed 3' ],
	[ unframed => 'none none 1' ],
	[ oldhttp => 'none none 1' ],
	[ chunked => 'none none 1' ],
	[ badchunks => 'JB009 connection.failed 3' ],
	[ cutchunks => 'JB009 connection.failed 3' ],
	[ badtrailer => 'JB009 connection.failed 3' ],
	[ cutlength => 'JB009 connection.failed 3' ],
	[ hugelength => 'JB010 response.invalid 1' ],
	[ early => 'none none 1' ],
	[ gzip => 'JB010 response.invalid 1' ],
	[ nocontent => 'JB010 response.invalid 1' ],
	[ notmodified => 'JB010 response.invalid 1' ],
	[ manyheaders => 'none none 1' ],
	[ endlesschunks => 'JB010 response.invalid 1' ],
	[ reset => 'JB009 connection.failed 3' ],
	[ retryzero => 'none none 2' ],
	[ retrypast => 'none none 2' ],
	[ retryover => 'none none 2' ],
	[ retryodd => 'none none 2' ],
	[ retryone => 'none none 2' ],
	[ cookie => 'none none 1' ],
	[ unauthorized => 'JB007 http.401 2' ],
	[ altsvc => 'none none 1' ],
	map { [ "redirect$_" => 'JB010 response.invalid 1' ] }
	301, 302, 303, 307, 308)
{
	my ($name, $expected) = @$case;
	is(request($name), $expected, "by hand: $name")
	  or diag("$result{stderr}");
	is(request('good'), 'none none 1', '... and the next call works');
}

# Which error it is matters less than that it is one, and not of the server.
foreach my $name (qw(status999 badlength proxyauth upgrade))
{
	$session->query(q{SET jibit.timeout = '3s'});
	like(request($name), qr/^JB0\d\d /, "by hand: $name");
	is(request('good'), 'none none 1', '... and the next call works');
}

# Headers have an end, even where the server sees none.
foreach my $name (qw(hugeheader endlessheaders endlesshints))
{
	my $pid = $session->pid;
	$session->query(q{SET jibit.timeout = '5s'; SET jibit.max_retries = 0});
	my $before = memory_of($pid);
	like(
		request($name),
		qr/^JB0(09|10) (connection\.failed|response\.invalid) 1/,
		"by hand: $name") or diag($result{stderr});
	cmp_ok(memory_of($pid) - $before,
		'<', 8_000, '... without taking memory (kB)');
	is(request('good'), 'none none 1', '... and the next call works');
}
$session->query('RESET jibit.timeout; SET jibit.max_retries = 2');

# The peak of a process's memory in kB.
sub memory_of
{
	my ($pid) = @_;
	my ($peak) = slurp_file("/proc/$pid/status") =~ /^VmHWM:\s*(\d+)/m;
	return $peak;
}

request('cookie');
is(scalar $server->notes('cookie came back'), 0, 'cookies are not kept');
is(scalar $second->notes, 0, 'redirects are not followed');
request('headers');
my $headers = $result{stdout};
like($headers, qr/"accept authorization host user-agent x-track-id"/,
	'no more headers are sent than there should be');
like($headers, qr{jibit-postgresql/}, '... with an agent of our own');
{
	my $fresh = jibit_session($node);
	$fresh->query(q{SET jibit.profile = 'hand'});
	my %kept = $fresh->query(
		q{SELECT jibit_request('/v1/retryone', '{"again": 1}');
		  SELECT duration >= '1s', attempts FROM jibit_last_call()});
	like($kept{stdout}, qr/^t\|2$/m, 'Retry-After is waited for');
}
{
	my @ids = map { (split / /)[2] } $server->notes('^GET /ide/v1/retryone\?');
	is("@ids", "$ids[0] $ids[0]", '... with the same track id');
}

# ---- nobody there

{
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Listen => 1) or die $@;
	my $port = $listener->sockport;

	close $listener;
	$session->query(profile('nobody', "http://127.0.0.1:$port/ide"));
	is(outcome(call()), 'JB009 connection.failed 0',
		'a connection that is refused');
	like($result{detail}, qr/Track id/, '... with the track id');
	like($result{hint}, qr/jibit_check/, '... and a hint');
	$session->query(q{SET jibit.profile = 'default'});
	works('... and another profile works');
}

# The same with a token at hand: then the inquiry itself is tried.
{
	my $gone = jibit_server(inquiry => sub { send_answer($_[1], 200, $good) });
	$session->query(profile('gone', $gone->url));
	$session->query(q{SELECT jibit_request('/v1/good')});
	$gone->stop;
	is( outcome(q{SELECT jibit_request('/v1/good')}),
		'JB009 connection.failed 3',
		'a service that has gone away is tried three times');
}

# A label of more than 63 letters: no name server need be asked.
$session->query(
	profile('nowhere', 'http://' . 'x' x 70 . '.invalid/ide'));
is(outcome(call()), 'JB009 connection.failed 0', 'a name that is none');

# Accepts, and says nothing at all.
{
	my $silent = jibit_server(handler => sub { sysread $_[1], my $all, 1000
		  while 1; });
	$session->query(profile('silent', $silent->url));
	$session->query(q{SET jibit.timeout = '300ms'});
	is(outcome(call()), 'JB009 connection.timeout 0', 'a silent server');
	my %last = $session->query(
		q{SELECT duration BETWEEN '300ms' AND '2s' FROM jibit_last_call()});
	is($last{stdout}, 't', '... is left at jibit.timeout');
	cmp_ok(scalar $silent->notes('connection'),
		'==', 1, '... after one connection');
	$session->query('RESET jibit.timeout');
	$silent->stop;
}

# A listener whose queue is full: connect() gets no answer.
SKIP:
{
	my ($full, @queue) = full_listener();
	skip 'connections to a full queue are not held up here', 12 unless $full;
	$session->query(
		profile('full', 'http://127.0.0.1:' . $full->sockport . '/ide'));
	$session->query(q{SET jibit.connect_timeout = '200ms'});
	is(outcome(call()),
		'JB009 connection.timeout 0', 'a connection that does not come about');
	my %last = $session->query(
		q{SELECT duration BETWEEN '200ms' AND '2s' FROM jibit_last_call()});
	is($last{stdout}, 't', '... is left at jibit.connect_timeout');
	$session->query(q{RESET jibit.connect_timeout;
		SET jibit.profile = 'default'});
	works('... and the next call works');

	# More often than the server lets one process have sockets of its own.
	my $many = jibit_session($node);
	$many->query(
		q{SET jibit.profile = 'full'; SET jibit.connect_timeout = '1ms'});
	my %tries = $many->query(
		sprintf q{
		DO $$ BEGIN FOR i IN 1..600 LOOP
			BEGIN
				PERFORM jibit_card('%s');
				RAISE 'connected';
			EXCEPTION WHEN SQLSTATE 'JB009' THEN
			END;
		END LOOP; END $$}, card());
	is($tries{sqlstate}, undef, '600 connections that do not come about')
	  or diag($tries{stderr});
	$many->query(q{RESET jibit.connect_timeout; SET jibit.profile = 'default'});
	%tries = $many->query(call());
	is($tries{stdout}, 't', '... cost the session nothing')
	  or diag($tries{stderr});
	cmp_ok(sockets_of($many->pid), '<=', 8, '... and leave no socket open');

	# libcurl's resolver takes the number of the socket that was given up.
	$many = jibit_session($node);
	foreach my $i (1 .. 3)
	{
		jibit_store_credentials(
			$node,
			profile => "nowhere$i",
			base_url => 'http://' . $i x 70 . '.invalid/ide');
		$many->query(q{SET jibit.profile = 'full';
			SET jibit.connect_timeout = '50ms'});
		%tries = $many->query(call());
		is($tries{constraint}, 'connection.timeout', 'no connection')
		  or diag($tries{stderr});
		%tries = $many->query("SET jibit.profile = 'nowhere$i'; " . call());
		is($tries{constraint}, 'connection.failed',
			'... and then a name to resolve') or diag($tries{stderr});
	}
}

# How many sockets a process has open.
sub sockets_of
{
	my ($pid) = @_;
	return scalar grep { (readlink($_) // '') =~ /^socket:/ }
	  glob "/proc/$pid/fd/*";
}

# A name with two addresses, at one of which nobody listens; each call with a
# connection of its own.
{
	my $many = jibit_session($node);
	(my $url = $sandbox->url) =~ s/127\.0\.0\.1/localhost/;
	jibit_store_credentials($node, profile => 'localhost', base_url => $url);
	$many->query(q{SET jibit.profile = 'localhost'});
	$sandbox->set(keep_alive => 0);
	my %tries = $many->query(
		q{DO $$ BEGIN FOR i IN 1..400 LOOP
			PERFORM * FROM jibit_card_to_iban_availability();
		END LOOP; END $$});
	is($tries{sqlstate}, undef,
		'400 connections to localhost, one after the other')
	  or diag($tries{stderr});
	cmp_ok(sockets_of($many->pid), '<=', 8, '... leave no socket open');
	$sandbox->reset;
}

# A listener, and the connections that fill its queue; nothing where the
# kernel accepts more and more.
sub full_listener
{
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Listen => 1) or return;
	my @queue;

	foreach (1 .. 16)
	{
		my $socket = IO::Socket::INET->new(
			Proto => 'tcp',
			Blocking => 0);
		$socket->connect($listener->sockport,
			Socket::inet_aton('127.0.0.1'));
		push @queue, $socket;
		my $select = IO::Select->new($socket);
		return ($listener, @queue) unless $select->can_write(0.3);
	}
	return;
}

# ---- proxies

$session->query(q{SET jibit.profile = 'default'});
works('a call');
is(scalar $environment->notes, 0, "the environment's proxies are not used");

my $proxy = jibit_server(
	handler => sub {
		my ($self, $socket) = @_;
		while (my $request = read_request($socket))
		{
			$self->note("asked for $request->{target}");
			if ($request->{method} eq 'CONNECT')
			{
				$self->note('CONNECT has '
					  . join(' ', sort keys %{ $request->{headers} }));
				send_answer($socket, 502, '');
				next;
			}
			send_answer(
				$socket, 200,
				$request->{target} =~ /tokens/
				? '{"accessToken":"a","refreshToken":"b"}'
				: $good);
		}
	});
$session->query('SET jibit.proxy = \'http://127.0.0.1:' . $proxy->port . q{'});
$session->query(profile('behind', 'http://behind.invalid/ide'));
is(outcome(q{SELECT jibit_request('/v1/x')}),
	'none none 1', 'a call through jibit.proxy');
is(join(' ', $proxy->notes('asked')),
	'asked for http://behind.invalid/ide/v1/tokens/generate '
	  . 'asked for http://behind.invalid/ide/v1/x',
	'... which resolves the name');
$session->query(profile('beyond', 'https://beyond.invalid/ide'));
like(outcome(call()), qr/^JB009 connection\.failed/,
	'a proxy that opens no tunnel');
is(($proxy->notes('asked'))[-1],
	'asked for beyond.invalid:443', '... is asked for one');
is(($proxy->notes('CONNECT has'))[0],
	'CONNECT has host proxy-connection user-agent',
	'... and gets nothing that is meant for the service');
$session->query('RESET jibit.proxy');
$session->query(q{SET jibit.profile = 'default'});
my $asked = $proxy->notes('asked');
works('without it again');
is(scalar $proxy->notes('asked'), $asked, '... directly');
$proxy->stop;
{
	$session->query(
		'SET jibit.proxy = \'http://127.0.0.1:' . $proxy->port . q{'});
	like(outcome(call()), qr/^JB009 connection\.failed/,
		'a proxy that is not there');
	$session->query(q{SET jibit.proxy = 'nonsense://x'});
	like(outcome(call()), qr/^JB0(09|11) /, 'a proxy of an unknown kind');
	$session->query('RESET jibit.proxy');
	works('... and without it the next call works');
}

# ---- the source address

{
	my $peer = jibit_server(inquiry => sub { send_answer($_[1], 200, $good) });
	$session->query(profile('peer', $peer->url));
	$session->query(q{SET jibit.source_address = '127.0.0.2'});
	is(outcome(q{SELECT jibit_request('/v1/x')}),
		'none none 1', 'a call with a source address');
	my @from = $peer->notes('^connection');
	is($from[0], 'connection from 127.0.0.2', '... comes from there');
	# TEST-NET-3: nobody's.
	$session->query(q{SET jibit.source_address = '203.0.113.9'});
	like(outcome(q{SELECT jibit_request('/v1/x')}),
		qr/^JB0(09|11) /, "an address that is not this host's");
	$session->query('RESET jibit.source_address');
	is(outcome(q{SELECT jibit_request('/v1/x')}),
		'none none 1', '... and without it the next call works');
}

# ---- base URLs that make no sense

foreach my $url (
	'ftp://127.0.0.1/ide', 'file:///etc/passwd',
	'gopher://127.0.0.1:70/', 'http://user:sesame@127.0.0.1/ide',
	'http://127.0.0.1/ide?x=y', 'http://127.0.0.1/ide#x',
	'http://', 'nonsense',
	'http://127.0.0.1:99999/ide', 'http://127.0.0.1 /ide',
	'', "http://127.0.0.1/\tide")
{
	jibit_store_credentials($node, profile => 'bad', base_url => $url);
	my %error = sql_error($node, q{SET jibit.profile = 'bad'; } . call());
	is($error{sqlstate}, 'JB011', "the base URL '$url'");
	unlike($error{stderr}, qr/sesame/, '... and no password is shown');
}

$session->query(q{SET jibit.profile = 'default'});
works('the session goes on');
$node->stop;
done_testing();
