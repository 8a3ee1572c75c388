# What the queue makes of failures: some are final, some are tried again, some
# pause an inquiry or a profile, and none holds up what it does not concern.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'queue_failures',
	sandbox => $sandbox,
	conf => $JibitQueue::conf . "jibit.worker_concurrency = 8\n");
my $queue = jibit_queue($node);

sub sql { return $queue->sql(@_) }
sub set_conf { return $queue->set_conf(@_) }

sub submit_one
{
	my ($card, $more) = @_;
	return sql("SELECT jibit_submit('card', '{\"card\": \"$card\"}', $more)");
}

sub calls { return $sandbox->stats->{ $_[0] // 'card' } // 0 }

# What has become of a request.
sub outcome
{
	my ($id) = @_;
	return $queue->value($id,
		"concat_ws(' ', state, (error).errcode, (error).code, attempts)");
}

# The pauses, as jibit_progress shows them.
sub pauses
{
	return sql(
		q{SELECT string_agg(DISTINCT concat_ws(' ', profile, inquiry, pause_code), ', ')
		FROM jibit_progress WHERE paused_until IS NOT NULL});
}

sub wait_for_no_pause
{
	return $queue->wait_for('NOT EXISTS (SELECT FROM jibit_pauses)');
}

# What waits longer than a test does is due now.
sub hasten
{
	sql(q{UPDATE jibit_queue SET run_after = now()
		WHERE state = 'queued' AND run_after > now()});
	return;
}

$queue->worker;

# ---- final

{
	my @cases = (
		[ 'card.not_valid', 'JB001' ],
		[ 'card_number.not_valid', 'JB001' ],
		[ 'identity_info.not_found', 'JB002' ],
		[ 'card.not_active', 'JB003' ],
		[ 'conversion.failed', 'JB004' ],
		[ 'handler.not_found', 'JB008' ],
		[ 'unknown-code', 'JB099' ],
		[ 'not-json', 'JB010' ]);
	my @ids =
	  $queue->submit(map { $sandbox->magic(card => $_->[0]) } @cases);
	$queue->wait_until_done;
	foreach my $i (0 .. $#cases)
	{
		my ($fault, $sqlstate) = @{ $cases[$i] };
		is( $queue->value($ids[$i], "concat_ws(' ', state, (error).errcode, attempts)"),
			"failed $sqlstate 1",
			"$fault fails at once");
	}
	is(calls(), scalar(@cases), '... with one call each');
	is(pauses(), '', '... and nothing is paused');
}

# ---- what may pass by itself

{
	set_conf('jibit.request_max_attempts', 3);
	foreach my $fault (
		[ 'server.error', 'JB008' ],
		[ 'close', 'JB009' ],
		[ 'card.provider_is_not_active', 'JB005' ])
	{
		my ($name, $sqlstate) = @$fault;
		$queue->clear($sandbox, fault => $name);
		my ($id) = $queue->submit($queue->cards(1));
		$queue->wait_for(
			"(SELECT attempts = 1 AND state = 'queued' FROM jibit_queue WHERE id = $id)"
		);
		is( $queue->value($id,
				q{(error).errcode, run_after - submitted_at BETWEEN '1s' AND '2s'}),
			"$sqlstate|t",
			"$name: is tried again after a second");
		hasten();
		$queue->wait_for(
			"(SELECT attempts = 2 AND state = 'queued' FROM jibit_queue WHERE id = $id)"
		);
		is( $queue->value($id,
				q{run_after - clock_timestamp() BETWEEN '1.2s' AND '2.5s'}),
			't',
			'... then after two');
		hasten();
		ok($queue->wait_for_state($id, 'failed'), '... and fails in the end');
		like(outcome($id), qr/^failed $sqlstate \S+ 3$/,
			'... after jibit.request_max_attempts');
		my @asked = grep { $_->{operation} eq 'card' } $sandbox->requests;
		my $track_id = $queue->value($id, 'track_id');
		# libcurl itself repeats what a kept connection has lost.
		cmp_ok(scalar(@asked), '>=', 3, '... with a call each');
		is(scalar(grep { $_->{track_id} ne $track_id } @asked),
			0, '... of the same track id');
	}
	set_conf('jibit.request_max_attempts', 10);

	# Ten minutes are the longest.
	$queue->clear($sandbox);
	my $id = submit_one($sandbox->magic(card => 'server.error'),
		q{NULL, 'infinity'});
	set_conf('jibit.request_max_attempts', 100);
	sql("UPDATE jibit_queue SET attempts = 20, run_after = now() WHERE id = $id");
	$queue->wait_for(
		"(SELECT attempts = 21 AND state = 'queued' FROM jibit_queue WHERE id = $id)"
	);
	is( $queue->value($id,
			q{run_after - clock_timestamp() BETWEEN '9.8min' AND '12.6min'}),
		't',
		'ten minutes are the longest pause');
	sql("SELECT jibit_cancel($id)");
	set_conf('jibit.request_max_attempts', 10);
}

# ---- HTTP 429

{
	$queue->clear($sandbox, fault => 'http.429', fault_count => 8);
	my @ids = $queue->submit($queue->cards(40));
	$queue->wait_for('EXISTS (SELECT FROM jibit_pauses)');
	ok(calls() <= 9, '429: what was not on its way is not tried');
	my ($other) = $queue->submit_as('card_to_iban', $queue->cards(1));
	ok($queue->wait_for_state($other, 'succeeded'),
		'... another inquiry goes on');
	ok($queue->wait_until_done, '... and the rest in a while');
	is($queue->states("id BETWEEN $ids[0] AND $ids[-1]"),
		'succeeded 40', '... with success');
	cmp_ok(calls(), '<=', 48, '... asked no more than needed');
	wait_for_no_pause();
	is(pauses(), '', '... and the pause is over');
}

{
	# By the service's own word, which is more than would be waited otherwise.
	$queue->clear($sandbox,
		fault => 'http.429-long',
		fault_operation => 'card');
	my @ids = $queue->submit($queue->cards(20));
	ok( $queue->wait_for(
			q{EXISTS (SELECT FROM jibit_queue WHERE attempts = 1 AND state = 'queued')}
		),
		'429 with Retry-After: an hour');
	is( sql(
			q{SELECT inquiry, code, paused_until - paused_at BETWEEN '59min' AND '61min' FROM jibit_pauses}
		),
		'card|http.429|t',
		'... pauses the inquiry for as long');
	$queue->wait_until_idle;
	is( sql(
			q{SELECT bool_and(run_after - clock_timestamp() BETWEEN '58min' AND '61min') FROM jibit_queue WHERE attempts = 1}
		),
		't',
		'... and so waits what was tried');
	$sandbox->set(fault => '');
	my $asked = calls();
	my @others = $queue->submit_as('card_to_iban', $queue->cards(3));
	ok($queue->wait_until_done("inquiry = 'card_to_iban'"),
		'... another inquiry goes on');
	is(calls(), $asked, '... that one does not');
	sql('DELETE FROM jibit_pauses');
	hasten();
	$queue->submit($queue->cards(1));    # which wakes the worker
	ok($queue->wait_until_done, '... until its row is deleted');
	is($queue->states, 'succeeded 24', '... with success');
}

# ---- the API's daily limit

{
	$queue->clear($sandbox, daily_limit => 10);
	my @ids = $queue->submit($queue->cards(60));
	ok( $queue->wait_for(
			q{(SELECT paused_until > now() FROM jibit_pauses WHERE code = 'daily_limit.reached')}
		),
		'daily_limit.reached pauses');
	$queue->wait_until_idle;
	my @others = $queue->submit_as('card_to_iban', $queue->cards(5));
	$queue->wait_until_done("inquiry = 'card_to_iban'");
	is($queue->states("inquiry = 'card_to_iban'"),
		'succeeded 5', '... that inquiry only');
	is( sql(
			q{SELECT paused_until AT TIME ZONE 'Asia/Tehran' = date_trunc('day', now() AT TIME ZONE 'Asia/Tehran') + interval '1 day' FROM jibit_progress WHERE inquiry = 'card'}
		),
		't',
		'... until the next day in Tehran');
	is(pauses(), 'default card daily_limit.reached', '... as progress shows');
	is( $queue->states("inquiry = 'card'"),
		'queued 50, succeeded 10',
		'... the rest waits');
	is(sql(q{SELECT max(attempts) FROM jibit_queue WHERE state = 'queued'}),
		0, '... for its first attempt');
	my $asked = calls();
	cmp_ok($asked, '<=', 10 + 8, "... and is not tried ($asked calls)");

	# It outlives the worker.
	my $worker = $queue->worker;
	sql("SELECT pg_terminate_backend($worker)");
	$queue->worker($worker);
	my ($later) = $queue->submit_as('card_to_iban', $queue->cards(1));
	$queue->wait_for_state($later, 'succeeded');
	is(calls(), $asked, '... by the next worker neither');

	# The next day: one probe first.
	$sandbox->set(daily_limit => 0);
	sql('DELETE FROM jibit_pauses');
	ok($queue->wait_until_done, 'deleting its row ends a pause');
	is($queue->states("inquiry = 'card'"), 'succeeded 60', '... with success');
}

# ---- money

{
	$queue->clear($sandbox, fault => 'balance.not_enough');
	$queue->submit($queue->cards(20));
	ok($queue->wait_for('EXISTS (SELECT FROM jibit_pauses)'),
		'balance.not_enough pauses');
	is( sql(
			q{SELECT profile, inquiry, code, paused_until - paused_at BETWEEN '9s' AND '11s' FROM jibit_pauses}
		),
		'default||balance.not_enough|t',
		'... the profile, for ten seconds');
	my ($other) = $queue->submit_as('card_to_iban', $queue->cards(1));
	is( sql("SELECT state, attempts FROM jibit_collect($other, '300ms')"),
		'queued|0', '... and every inquiry of it');
	cmp_ok(calls(), '<=', 8, '... the rest is not tried');
	$sandbox->set(fault => '');
	sql('DELETE FROM jibit_pauses');
	$queue->submit($queue->cards(1));    # which wakes the worker
	ok($queue->wait_until_done, '... until there is money');
	is($queue->states, 'succeeded 22', '... with success');
}

# ---- keys

{
	$queue->clear($sandbox);
	jibit_store_credentials($node, sandbox => $sandbox, profile => 'other');
	sql(q{SELECT jibit_set_credentials('wrong', 'sandbox-secret')});
	my ($id) = $queue->submit($queue->cards(20));
	my $other = submit_one($queue->cards(1), q{'other'});
	ok($queue->wait_for('EXISTS (SELECT FROM jibit_pauses)'),
		'a wrong key pauses');
	like( sql(
			q{SELECT profile || ' ' || inquiry || ' ' || code FROM jibit_pauses}),
		qr/^default  /,
		'... the profile');
	ok($queue->wait_for_state($other, 'succeeded'), '... another one goes on');
	is(outcome($id) =~ /^queued/ ? 'queued' : outcome($id),
		'queued', '... what waits is not failed');
	is(calls(), 1, '... and nothing is asked with it');
	my $changed = sql(
		q{SELECT clock_timestamp() FROM jibit_set_credentials('sandbox-key', 'sandbox-secret')}
	);
	ok( $queue->wait_for(
			q{(SELECT count(*) FROM jibit_queue WHERE state = 'succeeded') = 21}
		),
		'new credentials end the pause');
	is( sql(
			"SELECT max(finished_at) - '$changed' < '2s' FROM jibit_queue"
		),
		't',
		'... at once');
	wait_for_no_pause();

	# None any more.
	$queue->clear($sandbox);
	my $url = sql(q{SELECT base_url FROM jibit_credentials WHERE profile = 'default'});
	sql('BEGIN');
	$queue->submit($queue->cards(20));
	sql(q{DELETE FROM jibit_credentials WHERE profile = 'default'});
	sql('COMMIT');
	ok($queue->wait_for('EXISTS (SELECT FROM jibit_pauses)'),
		'missing credentials pause');
	$queue->wait_until_idle;
	is( $queue->states('attempts = 0'),
		'queued 20', '... and nothing has failed, or been tried');
	sql(qq{SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret', 'default', '$url')});
	ok($queue->wait_until_done, 'credentials end the pause');
	is($queue->states, 'succeeded 20', '... with success');
	wait_for_no_pause();
}

# ---- keys that cannot be read

{
	# A view that has lost its own rights: an error of permissions, but not one
	# of who has submitted.
	$queue->clear($sandbox);
	sql(<<'EOS');
CREATE ROLE keeper;
GRANT CREATE ON SCHEMA public TO keeper;
CREATE VIEW keys AS SELECT profile, api_key, secret_key, base_url, roles FROM jibit_credentials;
ALTER VIEW keys OWNER TO keeper;
GRANT SELECT ON jibit_credentials TO keeper;
EOS
	set_conf('jibit.credentials_table', q{'public.keys'});
	my @ids =
	  map { submit_one($_, q{NULL, 'infinity'}) } $queue->cards(5);
	sql('REVOKE SELECT ON jibit_credentials FROM keeper');
	my $worker = $queue->worker;
	sql("SELECT pg_terminate_backend($worker)");    # the next knows no keys
	$queue->worker($worker);
	hasten();
	ok($queue->wait_for('EXISTS (SELECT FROM jibit_pauses)'),
		'a view of keys that may not be read pauses');
	is(sql('SELECT profile, inquiry FROM jibit_pauses'),
		'default|', '... the profile');
	$queue->wait_until_idle;
	is($queue->states('attempts = 0'),
		'queued 5', '... and nothing has failed, or been tried');
	is(calls(), 0, '... or called');
	sql('GRANT SELECT ON jibit_credentials TO keeper');
	submit_one($queue->cards(1), 'NULL');           # which wakes the worker
	ok($queue->wait_until_done, '... until it may be');
	is($queue->states, 'succeeded 6', '... with success');
	set_conf('jibit.credentials_table', 'DEFAULT');
	wait_for_no_pause();
}

# ---- an outage, with the breaker

{
	set_conf('jibit.breaker_threshold', 3);
	set_conf('jibit.breaker_cooldown', q{'1s'});
	$queue->clear($sandbox);
	my $port = $sandbox->port;
	$sandbox->stop;
	my @ids = $queue->submit($queue->cards(60));
	ok( $queue->wait_for(
			q{EXISTS (SELECT FROM jibit_pauses WHERE code = 'suspended')}),
		'an outage: the breaker opens, and pauses');
	is( sql(
			q{SELECT count(*) > 40 FROM jibit_queue WHERE state = 'queued' AND attempts = 0}
		),
		't',
		'... the rest is not tried');
	$sandbox->start;
	ok($queue->wait_until_done, '... until the API is back');
	is($queue->states, 'succeeded 60', '... nothing is lost');
	wait_for_no_pause();
	is(pauses(), '', '... and nothing is paused any more');
	set_conf('jibit.breaker_threshold', 0);
}

# ---- a limit of one's own

{
	$queue->clear($sandbox);
	set_conf('jibit.daily_limit_card', calls() + 0);
	my @ids = $queue->submit($queue->cards(20));
	ok( $queue->wait_for(
			q{EXISTS (SELECT FROM jibit_pauses WHERE code = 'limit.reached')}),
		'a limit of one\'s own pauses');
	is(calls(), 0, '... before a call');
	is( sql(q{SELECT max(attempts) FROM jibit_queue WHERE state = 'queued'}),
		0, '... that is no attempt');
	set_conf('jibit.daily_limit_card', 1_000_000);
	ok($queue->wait_until_done, 'a reload that raises it goes on');
	is($queue->states, 'succeeded 20', '... with success');

	# So does a restart with another limit.
	$queue->clear($sandbox);
	set_conf('jibit.daily_limit_card', 0);
	$queue->submit($queue->cards(5));
	$queue->wait_for(
		q{EXISTS (SELECT FROM jibit_pauses WHERE code = 'limit.reached')});
	sql('ALTER SYSTEM RESET jibit.daily_limit_card');
	$node->restart;
	ok($queue->wait_until_done, 'and so does a restart');
}

# ---- poison

{
	# Refused always: the profile pauses each time, but others get through.
	$queue->clear($sandbox);
	my ($bad) = $queue->submit($sandbox->magic(card => 'forbidden'));
	my @ids = $queue->submit($queue->cards(30));
	ok($queue->wait_until_done("id <> $bad"),
		'a request that is always refused does not block others');
	is($queue->states("id <> $bad"), 'succeeded 30', '... which succeed');
	is($queue->state($bad), 'queued', '... and itself waits');
	sql("SELECT jibit_cancel($bad)");
	sql('DELETE FROM jibit_pauses');

	# The worker dies of it.
	set_conf('jibit.request_max_attempts', 3);
	$queue->clear($sandbox, delay_ms => 0);
	$queue->submit($queue->cards(20));
	my ($poison) = $queue->submit($sandbox->magic(card => 'hang'));
	foreach my $attempt (1 .. 3)
	{
		$queue->submit($queue->cards(20)) if $attempt > 1;
		$queue->wait_for(
			"(SELECT state = 'running' AND attempts = $attempt FROM jibit_queue WHERE id = $poison)",
			"attempt $attempt");
		my $worker = $queue->worker;
		kill 'KILL', $worker;
		$queue->worker($worker);
	}
	ok($queue->wait_until_done,
		'a request that the worker dies of does not block others');
	is( outcome($poison),
		'failed JB009 connection.failed 4',
		'... and fails in the end');
	is($queue->states("id <> $poison"), 'succeeded 60', '... alone');
	set_conf('jibit.request_max_attempts', 10);
}

$node->stop;
done_testing();
