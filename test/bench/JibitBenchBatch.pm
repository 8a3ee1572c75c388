# The part "batch" of make bench: many calls at a time, beside a loop of
# curl_multi_poll(), and what a batch makes of its concurrency.

package JibitBenchBatch;

use strict;
use warnings;

use Exporter 'import';
use JibitBench;
use JibitNginx;
use Time::HiRes ();

our @EXPORT = qw(batch_cards start_fronts measure_batch);

use constant {
	CONCURRENCY => 64,
	MOST => 256,
	SLOW_CALLS => 10_000,
	CALLS => 4_000,
	ROUNDS => 7,
};

# How many cards it asks for.
sub batch_cards
{
	return 4 * SLOW_CALLS + 6 * CALLS * (ROUNDS + 1);
}

# HTTP/2, where there is an nginx that can speak it.
sub start_fronts
{
	my (%paths) = @_;
	my ($nginx, $why_not) = JibitNginx::find();

	if (!defined $nginx)
	{
		$sandboxes{no_h2} = $why_not;
		return;
	}
	$sandboxes{h2} =
	  front_sandbox($sandboxes{plain}, 'h2', 'TLS with HTTP/2', %paths);
	$sandboxes{slow_h2} = front_sandbox($sandboxes{slow}, 'slow_h2',
		"$sandboxes{slow}{title}, HTTP/2", %paths);
	return;
}

# One batch of $count cards; returns the microseconds it took.
sub ask_batch
{
	my ($session, $first, $count) = @_;
	my $last = $first + $count - 1;
	my $found = $session->query(
		    'SELECT count((result).iban) FROM jibit_card_to_iban_batch('
		  . "(SELECT array_agg(card) FROM bench_cards WHERE id BETWEEN $first AND $last))");

	die "jibit: $found IBANs of $count; failed: "
	  . $session->query(
		q{SELECT string_agg(concat_ws(' ', profile, failed, last_error, max_time), ', ')
			FROM jibit_stats WHERE failed > 0})
	  . "\n"
	  if $found != $count;
	return 1e6 * $session->seconds;
}

sub batch_session
{
	my ($sandbox, $concurrency) = @_;
	my $session = psql(profile => $sandbox->{name});

	$session->query("SET jibit.batch_concurrency = $concurrency");
	return $session;
}

sub measure_batch_of
{
	my ($sandbox) = @_;
	my $before = sandbox_calls($sandbox);
	my $bare = run_bare_multi($sandbox);
	my $session = batch_session($sandbox, CONCURRENCY);
	my (@bare, @jibit, @ratios);

	foreach my $round (-1 .. ROUNDS - 1)
	{
		my ($by_bare, $by_jibit) = in_turn(
			$round,
			sub { $bare->ask(take_cards(CALLS), CALLS, CONCURRENCY) },
			sub { ask_batch($session, take_cards(CALLS), CALLS) });
		next if $round < 0;
		push @bare, 1e6 * CALLS / $by_bare;
		push @jibit, 1e6 * CALLS / $by_jibit;
		push @ratios, $by_bare / $by_jibit;
	}
	$session->end;
	$bare->end;
	check_calls($sandbox, $before, 2 * CALLS * (ROUNDS + 1));
	check_spread("a batch, $sandbox->{title}", @ratios);
	report(
		"batch: calls a second, $sandbox->{title}",
		sprintf('%.0f', median(@bare)),
		sprintf('%.0f', median(@jibit)),
		with_quartiles(@ratios),
		'>= 0.8',
		median(@ratios) >= 0.8);
	return;
}

# As many calls at a time as a batch may have, against a server that takes its
# time: "bare" is what that comes to.
sub measure_slow_batch_of
{
	my ($sandbox, $concurrency, $target) = @_;
	my $session = batch_session($sandbox, $concurrency);
	my $best = $concurrency / DELAY_MS * 1000;
	my $before = sandbox_calls($sandbox);
	my $rate = 1e6 * SLOW_CALLS /
	  ask_batch($session, take_cards(SLOW_CALLS), SLOW_CALLS);

	$session->end;
	check_calls($sandbox, $before, SLOW_CALLS);
	report(
		"batch: $concurrency at a time, $sandbox->{title}",
		sprintf('%.0f', $best),
		sprintf('%.0f', $rate),
		sprintf('%.3f', $rate / $best),
		">= $target",
		$rate / $best >= $target);
	return;
}

# That HTTP/2 was spoken is for the server to say. It writes a request down after
# its answer has gone out.
sub check_protocol
{
	my ($sandbox, $count) = @_;
	my (@inquiries, %connections);

	foreach (1 .. 300)
	{
		@inquiries = grep { $_->{uri} =~ /number=/ } $sandbox->{nginx}->requests;
		last if @inquiries >= $count;
		Time::HiRes::sleep(0.1);
	}
	die "$sandbox->{title}: @{[scalar @inquiries]} inquiries, not $count\n"
	  if @inquiries != $count;
	die "$sandbox->{title}: not all inquiries went over HTTP/2\n"
	  if grep { $_->{protocol} ne 'HTTP/2.0' } @inquiries;
	$connections{ $_->{connection} } = 1 foreach @inquiries;
	return scalar keys %connections;
}

sub measure_batch
{
	my @h2 = grep { defined } @sandboxes{qw(slow_h2 h2)};

	$_->{nginx}->forget foreach @h2;
	foreach my $sandbox (grep { defined } @sandboxes{qw(slow slow_h2)})
	{
		measure_slow_batch_of($sandbox, CONCURRENCY, '0.95');
		measure_slow_batch_of($sandbox, MOST, '0.90');
	}
	measure_batch_of($_) foreach grep { defined } @sandboxes{qw(plain tls h2)};
	note(
		'A batch: calls a second. With a delay "bare" is concurrency by delay, else, with '
		  . CONCURRENCY,
		'at a time, the loop of curl_multi_poll(). The sandbox speaks HTTP/1.1, over TLS too.');
	if (@h2)
	{
		my $slow = check_protocol($sandboxes{slow_h2}, 2 * SLOW_CALLS);
		my $fast = check_protocol($sandboxes{h2}, 2 * CALLS * (ROUNDS + 1));
		note(
			'HTTP/2 is spoken by nginx in front of it, whose own work is in both figures; it had',
			"$fast connections for the bare loop and jibit, and $slow for the calls with a delay.");
	}
	else
	{
		note("HTTP/2 was not measured: $sandboxes{no_h2}.");
	}
	return;
}

1;
