# The part "caches" of make bench: what an answer that is known already costs in
# SQL, more than a C function that returns the same composite from nothing.

package JibitBenchCaches;

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use JibitBench;

our @EXPORT = qw(measure_caches);

use constant {
	ROUNDS => 5,
	FILLS => 5,
	FEW => 100,
	MANY => 100_000,
	HITS => 20_000,
	PGBENCH_ROUNDS => 5,
	PGBENCH_SECONDS => 2,
	PGBENCH_CARDS => 2000,
};

sub build_trivial
{
	my ($session) = @_;
	my $module = "$FindBin::Bin/trivial.so";

	compile_module("$FindBin::Bin/trivial.c", $module);
	$session->query(
		    "CREATE FUNCTION bench_trivial(card text) RETURNS jibit_card_iban AS '$module' "
		  . 'LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000');
	return;
}

# The microseconds for a row, of each function in turn, by a query whose FROM
# gives HITS rows with a card.
sub compare
{
	my ($session, $from) = @_;
	my (@trivial, @hits, @more);

	foreach my $round (-1 .. ROUNDS - 1)
	{
		my %us;
		foreach my $function (qw(bench_trivial jibit_card_to_iban))
		{
			my $count =
			  $session->query("SELECT count(($function(card)).iban) FROM $from");
			die "$function: $count rows\n" if $count != HITS;
			$us{$function} = 1e6 * $session->seconds / HITS;
		}
		next if $round < 0;
		push @trivial, $us{bench_trivial};
		push @hits, $us{jibit_card_to_iban};
		push @more, $us{jibit_card_to_iban} - $us{bench_trivial};
	}
	return (median(@trivial), median(@hits), median(@more));
}

# Of what compare() has returned several times.
sub medians
{
	my (@results) = @_;
	return map { my $i = $_; median(map { $_->[$i] } @results) } 0 .. 2;
}

sub report_hit
{
	my ($what, $target, $trivial, $hit, $more) = @_;

	report(
		$what,
		sprintf('%.2f us', $trivial),
		sprintf('%.2f us', $hit),
		sprintf('+%.2f us', $more),
		"< +$target us",
		$more < $target);
	return;
}

# Calls a second of so many sessions that do nothing else. A statement calls for
# every card, so often that a client's wait between two statements is little
# beside what they take.
sub call_rate
{
	my ($function, $times, $clients) = @_;
	my $rate = pgbench(
		$clients, PGBENCH_SECONDS,
		"SELECT count(($function(card)).iban) FROM bench_cards, generate_series(1, $times) "
		  . 'WHERE id < ' . PGBENCH_CARDS . ";\n",
		'-c jibit.profile=plain -c jibit.statement_cache=off -c jibit.cache_ttl=1d');

	return $times * PGBENCH_CARDS * $rate;
}

# What a second session adds: to hits, and to a function whose sessions share
# nothing, which is what the machine gives to two sessions at all.
sub compare_sessions
{
	my @functions = (
		[ '  two sessions beside one', 'jibit_card_to_iban', 1 ],
		[ '    of the C function', 'bench_trivial', 10 ]);
	my (%one, %two, %ratios);

	foreach my $round (0 .. PGBENCH_ROUNDS - 1)
	{
		foreach my $measured (@functions)
		{
			my ($title, $function, $times) = @$measured;
			my ($one, $two) = in_turn(
				$round,
				sub { call_rate($function, $times, 1) },
				sub { call_rate($function, $times, 2) });
			push @{ $one{$function} }, $one;
			push @{ $two{$function} }, $two;
			push @{ $ratios{$function} }, $two / $one;
		}
	}
	foreach my $measured (@functions)
	{
		my ($title, $function) = @$measured;
		my @ratios = @{ $ratios{$function} };
		report(
			$title,
			sprintf('%.0f/s', median(@{ $one{$function} })),
			sprintf('%.0f/s', median(@{ $two{$function} })),
			with_quartiles(@ratios),
			$function eq 'bench_trivial' ? '' : '>= 1.8',
			$function eq 'bench_trivial' ? undef : median(@ratios) >= 1.8);
	}
	return;
}

# Cards below MANY have not been asked for by anybody else.
sub measure_caches
{
	my ($sandbox) = @_;
	my $session = psql(profile => $sandbox->{name});

	build_trivial($session);
	$session->query('SET jibit.statement_cache = off');
	$session->query("SET jibit.cache_ttl = '1d'");
	$session->query('SET jibit.batch_concurrency = 32');
	my $fill = sub {
		my ($from, $to) = @_;
		my $count = $session->query(
			'SELECT count((result).iban) FROM jibit_card_to_iban_batch('
			  . "(SELECT array_agg(card) FROM bench_cards WHERE id >= $from AND id < $to))");
		die "the cache was not filled: $count\n" if $count != $to - $from;
	};

	# Two tables of one size, so that both queries read the same.
	my $times = HITS / FEW;
	my $step = MANY / HITS;
	$session->query(
		"CREATE TABLE bench_few AS SELECT card FROM bench_cards, generate_series(1, $times) "
		  . 'WHERE id < ' . FEW);
	$session->query(
		"CREATE TABLE bench_many AS SELECT card FROM bench_cards WHERE id % $step = 0 AND id < "
		  . MANY);
	$session->query("VACUUM ANALYZE $_") foreach qw(bench_few bench_many);

	# In turn, since the machine is faster at one time than at another.
	my (@few, @many);
	foreach (1 .. FILLS)
	{
		$session->query('SELECT jibit_cache_clear()');
		$fill->(0, FEW);
		push @few, [ compare($session, 'bench_few') ];
		$fill->(FEW, MANY);
		push @many, [ compare($session, 'bench_many') ];
	}
	my @ratios = map { $many[$_][1] / $few[$_][1] } 0 .. $#few;
	report_hit('a hit of the shared cache, ' . FEW . ' entries', 5, medians(@few));
	report_hit('a hit of the shared cache, ' . MANY . ' entries', 5, medians(@many));
	report(
		'  the one beside the other',
		sprintf('%.2f us', (medians(@few))[1]),
		sprintf('%.2f us', (medians(@many))[1]),
		with_quartiles(@ratios),
		'<= 1.5',
		median(@ratios) <= 1.5);

	compare_sessions();

	$session->query('SET jibit.statement_cache = on');
	$session->query("SET jibit.cache_ttl = '0'");
	my @statement = compare($session,
		'(SELECT card FROM bench_cards WHERE id = 1) c, generate_series(1, '
		  . HITS . ')');
	report_hit('a hit of the statement\'s answers', 2, @statement);
	$session->end;
	note(
		'Hits: "bare" is a C function that returns a composite of the same type from',
		'constants, in the same query; the ratio column has the difference. Beside two',
		'sessions "bare" is one; sessions that call the C function share nothing, so that its',
		'ratio is what the machine gives to two sessions at all.');
	return;
}

1;
