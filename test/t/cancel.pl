# A cancel, a timeout, the end of a session or of the server take effect at
# once, wherever a call is waiting; afterwards everything works as before.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What "at once" may be on a busy machine; the real time is printed.
my $at_once = 1000;

my $sandbox = jibit_sandbox();
my $resolver = build_resolver();
my $node = jibit_node(
	'cancel',
	sandbox => $sandbox,
	preload => $resolver,
	conf => 'restart_after_crash = on');

my $next_card = 0;

sub call
{
	return sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL},
	  test_card($next_card++);
}

# A call that is cancelled was made, and perhaps paid for: it can be asked about.
{
	my $session = jibit_session($node);
	$session->query('SET statement_timeout = 500');
	$session->query(call());    # with a token, the next is one call
	$node->safe_psql('postgres', 'SELECT jibit_stats_reset()');
	$sandbox->set(fault => 'hang', fault_operation => 'card');
	my %result =
	  $session->query("SET jibit.track_id = 'broken off'; " . call());
	is($result{sqlstate}, '57014', 'a call in flight is cancelled');
	is( $session->value(
			q{SELECT inquiry, track_id, http_status, attempts, cached,
				(error).code, (error).track_id FROM jibit_last_call()}),
		'card|broken off||1|f|connection.failed|broken off',
		'... and is the latest call');
	is( $node->safe_psql(
			'postgres',
			'SELECT inquiry, calls, succeeded, failed, last_error FROM jibit_stats'
		),
		'card|1|0|1|connection.failed',
		'... and counted');
	$sandbox->reset;
}

# So is one whose session is terminated, alone or among those of a batch.
{
	my $cards = join ',', map { test_card(900 + $_) } 1 .. 3;
	my %calls = (
		'a session' => [ 1, call() ],
		'a batch' => [ 3, "SELECT * FROM jibit_card_batch('{$cards}')" ]);

	foreach my $who (sort keys %calls)
	{
		my ($count, $sql) = @{ $calls{$who} };
		my $session = jibit_session($node);
		my $offset = -s $node->logfile;

		$node->safe_psql('postgres', 'SELECT jibit_stats_reset()');
		$sandbox->set(fault => 'hang', fault_operation => 'card');
		$session->query(q{SET jibit.log_calls = 'all'});
		$session->send($sql);
		poll_until(sub { $sandbox->stats->{in_flight} == $count },
			'what is under way');
		$node->safe_psql('postgres',
			'SELECT pg_terminate_backend(' . $session->pid . ', 20000)');
		ok({ $session->wait }->{gone}, "$who is terminated in a call");
		is( $node->safe_psql(
				'postgres',
				'SELECT inquiry, calls, succeeded, failed, last_error FROM jibit_stats'
			),
			"card|$count|0|$count|connection.failed",
			'... which is counted');
		my @lines = slurp_file($node->logfile, $offset) =~
		  /LOG:  (jibit call card\(.*)/g;
		is(scalar @lines, $count, '... and logged');
		like($lines[0], qr/connection\.failed, profile default, HTTP status 0, 1 attempts/,
			'... as broken off');
		$sandbox->reset;
	}
}

# A stand-in for a name server that is silent: getaddrinfo() that never comes
# back for one name. Nothing of the system's is touched.
sub build_resolver
{
	# A sanitizer wants to be loaded first.
	return if grep { /SAN_OPTIONS$/ } keys %ENV;
	return build_preload('resolver', <<'EOC', '-ldl');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int
getaddrinfo(const char *node, const char *service,
			const struct addrinfo *hints, struct addrinfo **result)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
				struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");

	if (node != NULL && strcmp(node, "silent.invalid") == 0)
		for (;;)
			sleep(60);
	return real(node, service, hints, result);
}
EOC
}

# A listener, and the connections that fill its queue: connect() gets no
# answer from it. Nothing where the kernel accepts more and more.
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
		return ($listener, @queue)
		  unless IO::Select->new($socket)->can_write(0.3);
	}
	return;
}

sub waits
{
	my ($session) = @_;
	return $node->poll_query_until('postgres',
		    'SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = '
		  . $session->pid
		  . q{ AND state = 'active' AND wait_event_type = 'Extension'});
}

# ---- where a call can wait

my ($full, @queue) = full_listener();
my $slow = jibit_server(
	inquiry => sub {
		send_answer($_[1], 503, '', 'Retry-After: 25');
	});
my $halting = jibit_server(
	inquiry => sub {
		my ($self, $socket) = @_;
		syswrite $socket, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"half\":";
		sysread $socket, my $rest, 1000;
		return 0;
	});
my %profiles = (
	full => $full ? 'http://127.0.0.1:' . $full->sockport . '/ide' : undef,
	slow => $slow->url,
	halting => $halting->url,
	silent => 'http://silent.invalid/ide');
foreach my $profile (sort keys %profiles)
{
	jibit_store_credentials(
		$node,
		profile => $profile,
		base_url => $profiles{$profile}) if $profiles{$profile};
}

my $fetcher = jibit_session($node);
my $hanging = $sandbox->magic(card => 'hang');
my @places = (
	{
		name => 'for an answer',
		sql => "SELECT jibit_card('$hanging')",
		ready => sub { $sandbox->stats->{in_flight} >= 1 }
	},
	{
		name => "for an answer's second half",
		profile => 'halting',
		sql => q{SELECT jibit_request('/v1/x')},
		ready => sub { $halting->notes('/v1/x') }
	},
	{
		name => 'for a connection',
		profile => 'full',
		sql => call(),
		skip => $full ? undef : 'connections to a full queue do not wait here'
	},
	{
		name => 'in a pause before the next try',
		profile => 'slow',
		sql => q{SELECT jibit_request('/v1/x')},
		ready => sub { $slow->notes('/v1/x') }
	},
	{
		name => 'for a token',
		sql => call(),
		before => sub {
			$node->safe_psql('postgres', 'SELECT jibit_forget_tokens()');
			$sandbox->set(token_fault => 'hang');
		},
		ready => sub { $sandbox->stats->{in_flight} >= 1 }
	},
	{
		name => "for another session's token",
		sql => call(),
		before => sub {
			$node->safe_psql('postgres', 'SELECT jibit_forget_tokens()');
			$sandbox->set(token_fault => 'hang');
			$fetcher->send(call());
			poll_until(sub { $sandbox->stats->{in_flight} >= 1 },
				'a token call');
		},
		after => sub {
			$node->safe_psql('postgres',
				'SELECT pg_cancel_backend(' . $fetcher->pid . ')');
			$fetcher->wait;
		}
	},
	{
		name => 'for a name server',
		profile => 'silent',
		sql => call(),
		skip => $resolver
		? undef
		: 'no library with a silent resolver could be built and loaded'
	});

sub start
{
	my ($place, $session, $sql) = @_;
	poll_until(sub { $sandbox->stats->{in_flight} == 0 }, 'an idle sandbox');
	$sandbox->reset;
	$place->{before}->() if $place->{before};
	$session->query(
		sprintf q{SET jibit.profile = '%s'; SET jibit.connect_timeout = '30s'},
		$place->{profile} // 'default');
	$session->send($sql);
	poll_until($place->{ready}, "a call that waits $place->{name}")
	  if $place->{ready};
	waits($session);
	return;
}

sub end
{
	my ($place, $session, $name) = @_;
	$place->{after}->() if $place->{after};
	$sandbox->reset;
	my %next = $session->query(
		q{SET jibit.profile = 'default'; } . call());
	is($next{stdout}, 't', "... the next call works ($name)")
	  or diag($next{stderr});
	return;
}

sub took
{
	my ($ms, $what) = @_;
	diag(sprintf '%s: %d ms', $what, $ms);
	return cmp_ok($ms, '<', $at_once, "$what takes effect at once");
}

foreach my $place (@places)
{
	my $name = "waiting $place->{name}";
  SKIP:
	{
		skip "$name: $place->{skip}", 12 if $place->{skip};
		my $session = jibit_session($node);
		my $watched = sprintf q{
			DO $$ BEGIN
				EXECUTE %s;
				RAISE 'it did not wait';
			EXCEPTION WHEN query_canceled THEN
				PERFORM set_config('test.ended', clock_timestamp()::text, false);
			END $$;
			SELECT current_setting('test.ended')},
		  "'" . $place->{sql} =~ s/'/''/gr . "'";

		# A cancel, inside an exception block.
		start($place, $session, $watched);
		my $began = $node->safe_psql('postgres',
			sprintf q{WITH a AS MATERIALIZED (SELECT clock_timestamp() AS began)
				SELECT began FROM a WHERE pg_cancel_backend(%d)},
			$session->pid);
		my %ended = $session->wait;
		is($ended{sqlstate}, undef, "$name: a cancel is caught")
		  or diag($ended{stderr});
		took(
			$node->safe_psql('postgres', "SELECT 1000 * extract(epoch FROM
				'$ended{stdout}'::timestamptz - '$began')"),
			"$name: a cancel");
		end($place, $session, $name);

		# The same with nobody to catch it.
		start($place, $session, $place->{sql});
		$node->safe_psql('postgres',
			'SELECT pg_cancel_backend(' . $session->pid . ')');
		%ended = $session->wait;
		is($ended{sqlstate}, '57014', "$name: the error of a cancel");
		like($ended{message}, qr/^canceling statement due to user request/,
			"... is the server's own");
		end($place, $session, $name);

		# statement_timeout.
		$session->query(q{SET statement_timeout = '300ms'});
		$place->{before} && $place->{before}->();
		my %timed = $session->query(
			sprintf q{SET jibit.profile = '%s'; SELECT
				set_config('test.began', clock_timestamp()::text, false); %s},
			$place->{profile} // 'default', $watched);
		is($timed{sqlstate}, undef, "$name: statement_timeout is caught")
		  or diag($timed{stderr});
		my %elapsed = $session->query(
			q{SELECT 1000 * extract(epoch FROM
				current_setting('test.ended')::timestamptz
				- current_setting('test.began')::timestamptz) - 300});
		took($elapsed{stdout},
			"$name: statement_timeout");
		$session->query('RESET statement_timeout');
		end($place, $session, $name);

		# The end of the session.
		start($place, $session, $place->{sql});
		my $ms = $node->safe_psql('postgres',
			sprintf q{SET statement_timeout = 0;
				WITH a AS MATERIALIZED (SELECT clock_timestamp() AS began),
				b AS MATERIALIZED (SELECT began,
					pg_terminate_backend(%d, 20000) AS gone FROM a)
				SELECT 1000 * extract(epoch FROM clock_timestamp() - began)
				FROM b WHERE gone}, $session->pid);
		%ended = $session->wait;
		ok($ended{gone}, "$name: the session is terminated");
		is($ended{sqlstate}, '57P01', "... with the server's own error");
		took($ms || 99_999, "$name: pg_terminate_backend()");
		$place->{after}->() if $place->{after};
		$sandbox->reset;
	}
}

# ---- inside a transaction that goes on

{
	my $session = jibit_session($node);

	$sandbox->reset;
	$session->query('BEGIN; CREATE TEMP TABLE kept (x int); SAVEPOINT s');
	$session->query(q{SET LOCAL statement_timeout = '100ms'});
	my %cancelled = $session->query("SELECT jibit_card('$hanging')");
	is($cancelled{sqlstate}, '57014', 'cancelled inside a transaction');
	my %next = $session->query('ROLLBACK TO s; ' . call());
	is($next{stdout}, 't', 'a call after ROLLBACK TO SAVEPOINT')
	  or diag($next{stderr});
	%next = $session->query(
		sprintf q{
		DO $$ BEGIN
			FOR i IN 1..10 LOOP
				BEGIN
					SET LOCAL statement_timeout = '1s';
					PERFORM jibit_card('%s');
				EXCEPTION WHEN SQLSTATE 'JB000' THEN
					INSERT INTO kept VALUES (i);
				END;
			END LOOP;
		END $$;
		SELECT count(*) FROM kept}, $sandbox->magic(card => 'card.not_active'));
	is($next{stdout}, '10', 'errors inside exception blocks')
	  or diag($next{stderr});
	%next = $session->query(call() . '; COMMIT; SELECT count(*) FROM kept');
	is($next{stdout}, "t\n10", '... and the transaction goes on')
	  or diag($next{stderr});
}

# ---- nothing is left over

sub sockets_of
{
	my ($pid) = @_;
	return scalar grep { (readlink($_) // '') =~ /^socket:/ }
	  glob "/proc/$pid/fd/*";
}

sub descriptors_of
{
	my ($pid) = @_;
	return scalar(() = glob "/proc/$pid/fd/*");
}

{
	my $session = jibit_session($node);
	my $close = $sandbox->magic(card => 'close');

	$sandbox->reset;
	$session->query(call());
	my $sockets = sockets_of($session->pid);
	my $descriptors = descriptors_of($session->pid);
	my %loop = $session->query(
		sprintf q{
		CREATE PROCEDURE pg_temp.repeat(query text, n int, state text) AS $$
		DECLARE seen int := 0;
		BEGIN
			FOR i IN 1..n LOOP
				BEGIN
					EXECUTE query;
				EXCEPTION WHEN OTHERS OR query_canceled THEN
					IF SQLSTATE <> state THEN RAISE; END IF;
					seen := seen + 1;
				END;
			END LOOP;
			RAISE NOTICE 'seen %%', seen;
		END $$ LANGUAGE plpgsql;
		SET jibit.max_retries = 0;
		CALL pg_temp.repeat($q$SELECT jibit_card('%s')$q$, 50, 'JB009')},
		$close);
	like($loop{stderr}, qr/seen 50/, '50 calls that fail');
	cmp_ok(sockets_of($session->pid),
		'<=', $sockets + 1, '... leave no socket open');
	$session->query(
		q{SET jibit.timeout = '20ms'; SET jibit.max_retries = 0});
	%loop = $session->query(
		"CALL pg_temp.repeat(\$q\$SELECT jibit_card('$hanging')\$q\$, 50, 'JB009')"
	);
	like($loop{stderr}, qr/seen 50/, '50 calls that take too long');
	cmp_ok(sockets_of($session->pid),
		'<=', $sockets + 1, '... leave no socket open');
	$session->query(q{RESET jibit.timeout; SET statement_timeout = '20ms'});
	foreach (1 .. 50)
	{
		%loop = $session->query("SELECT jibit_card('$hanging')");
		last if ($loop{sqlstate} // '') ne '57014';
	}
	is($loop{sqlstate}, '57014', '50 calls that are cancelled');
	cmp_ok(sockets_of($session->pid),
		'<=', $sockets + 1, '... leave no socket open');
	# What libcurl keeps for its resolver, later versions more than 7.88.
	cmp_ok(descriptors_of($session->pid),
		'<=', $descriptors + 10, '... nor anything else');
	$session->query('RESET statement_timeout');
	my %next = $session->query(call());
	is($next{stdout}, 't', '... and the session goes on')
	  or diag($next{stderr});
	ok( poll_until(
			sub { $sandbox->stats->{in_flight} == 0 },
			'the sandbox to see that nobody waits'),
		'the service sees that the cancelled calls are gone');
}

SKIP:
{
	skip 'no silent resolver', 3 unless $resolver;
	my $session = jibit_session($node);
	my $threads = 0;

	$session->query(
		q{SET jibit.profile = 'silent'; SET statement_timeout = '50ms'});
	my %cancelled;
	foreach (1 .. 20)
	{
		%cancelled = $session->query(call());
		last if ($cancelled{sqlstate} // '') ne '57014';
	}
	is($cancelled{sqlstate}, '57014', '20 cancels behind a name server');
	%cancelled = $session->query(
		q{SET jibit.profile = 'default'; RESET statement_timeout; } . call());
	is($cancelled{stdout}, 't', '... then another name works');
	$session->quit;
	ok( poll_until(
			sub { !kill 0, $session->pid },
			'the session with hanging resolvers to end'),
		'... and the session ends');
}

# ---- crashes

{
	my $session = jibit_session($node);

	$sandbox->reset;
	$session->send("SELECT jibit_card('$hanging')");
	poll_until(sub { $sandbox->stats->{in_flight} == 1 }, 'a call');
	kill 'KILL', $session->pid;
	my %ended = $session->wait;
	ok($ended{gone}, 'a backend is killed in a call');
	ok(poll_until_up($node), '... and the server restarts');
	is($node->safe_psql('postgres', call()), 't', '... and calls work');

	# The postmaster dies under a call.
	$session = jibit_session($node);
	$sandbox->reset;
	$session->send("SELECT jibit_card('$hanging')");
	poll_until(sub { $sandbox->stats->{in_flight} == 1 }, 'a call');
	my $pid = $session->pid;
	$node->kill9;
	ok( poll_until(sub { !kill 0, $pid }, 'the end of a waiting backend'),
		'a waiting backend ends with its postmaster');
	$session->wait;
	$node->start;
	is($node->safe_psql('postgres', call()), 't', '... and calls work again');
}

$node->stop;
done_testing();
