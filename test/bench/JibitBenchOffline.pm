# The part "offline" of make bench: what the functions without a call cost
# beside built-in ones, and beside the PL/pgSQL functions that they replace.
#
# "Per call" can be read in two ways: a whole query by its rows, which is what
# its user waits for, or that without what the same query costs that only reads
# the values. Both are shown; the targets are for whole queries.

package JibitBenchOffline;

use strict;
use warnings;

use Exporter 'import';
use JibitBench;

our @EXPORT = qw(measure_offline);

use constant {
	ROUNDS => 15,
	DISTINCT => 10_000,
	REPEATED => 20,
	QUICK_TIMES => 5,
};

# With its check digits: the country's letters count as 18 and 27.
sub make_iban
{
	my ($i) = @_;
	my $account = sprintf '017%019d', $i * 7919;
	my $rest = 0;

	$rest = ($rest * 10 + $_) % 97 foreach split //, "${account}182700";
	return sprintf 'IR%02d%s', 98 - $rest, $account;
}

sub make_national_code
{
	my ($i) = @_;
	my $digits = sprintf '%09d', 12_345_678 + $i * 37;
	my $sum = 0;

	$sum += substr($digits, $_, 1) * (10 - $_) foreach 0 .. 8;
	$sum %= 11;
	return $digits . ($sum < 2 ? $sum : 11 - $sum);
}

# The usual ones. That for IBANs in two forms, both by mod 97 on numeric: with
# nothing else, the fastest, to which letters are an error and which takes other
# countries' IBANs for valid; and with a look at the form first.
my $plpgsql = <<'EOS';
CREATE FUNCTION bench_mod97_iban(value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
	RETURN (substr(value, 5) || '1827' || substr(value, 3, 2))::numeric % 97 = 1;
END
$$;
CREATE FUNCTION bench_valid_iban(value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
	RETURN value ~ '^IR[0-9]{24}$'
		AND (substr(value, 5) || '1827' || substr(value, 3, 2))::numeric % 97 = 1;
END
$$;
CREATE FUNCTION bench_valid_card(value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	total int := 0;
	digit int;
BEGIN
	IF value !~ '^[0-9]{16}$' THEN
		RETURN false;
	END IF;
	FOR i IN 1 .. 16 LOOP
		digit := substr(value, i, 1)::int;
		IF i % 2 = 1 THEN
			digit := digit * 2;
			IF digit > 9 THEN
				digit := digit - 9;
			END IF;
		END IF;
		total := total + digit;
	END LOOP;
	RETURN total % 10 = 0;
END
$$;
CREATE FUNCTION bench_valid_national_code(value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	total int := 0;
BEGIN
	IF value !~ '^[0-9]{10}$' THEN
		RETURN false;
	END IF;
	FOR i IN 1 .. 9 LOOP
		total := total + substr(value, i, 1)::int * (11 - i);
	END LOOP;
	total := total % 11;
	RETURN substr(value, 10, 1)::int = CASE WHEN total < 2 THEN total ELSE 11 - total END;
END
$$;
EOS

# What each of ours takes the place of: a title and the function.
my %others = (
	iban => [
		[ 'PL/pgSQL, mod 97 alone' => 'bench_mod97_iban' ],
		[ 'PL/pgSQL with the form' => 'bench_valid_iban' ]
	],
	card => [ [ 'PL/pgSQL' => 'bench_valid_card' ] ],
	national_code => [ [ 'PL/pgSQL' => 'bench_valid_national_code' ] ]);

# The microseconds for a row of each of these expressions of `value`, of round
# after round, one after the other, in both orders in turn; of the table's rows
# alone under the name "value". What is over quickly runs several times in a
# round, and the median of these counts.
sub time_expressions
{
	my ($session, $table, $rows, $quick, @slow) = @_;
	my @quick = ('value', @$quick);
	my %us;

	foreach my $round (-1 .. ROUNDS - 1)
	{
		my @turn = ((@quick) x QUICK_TIMES, @slow);
		my %times;
		@turn = reverse @turn if $round % 2;
		foreach my $expression (@turn)
		{
			my $sql = "SELECT count($expression) FROM $table";
			my $count = $session->query($sql);
			die "$sql: $count rows of $rows\n" if $count != $rows;
			push @{ $times{$expression} }, 1e6 * $session->seconds / $rows;
		}
		next if $round < 0;
		push @{ $us{$_} }, median(@{ $times{$_} }) foreach @quick, @slow;
	}
	return %us;
}

# As the target is written: 0.05 or 1/20.
sub show_ratio
{
	my ($target, $ratio) = @_;

	return $target =~ m{^1/} ? sprintf('1/%.0f', 1 / $ratio) : sprintf('%.2f', $ratio);
}

# Two lines for a pair: whole queries, then without the scan; of the latter the
# ratio is that of the medians, since a pair's difference may be next to
# nothing. Returns what to say if the two differ about the target.
sub report_pair
{
	my ($function, $other, $indent, $theirs, $ours, $scan, $target) = @_;
	my $limit = $target =~ m{^1/(.*)} ? 1 / $1 : $target;
	my @ratios = map { $ours->[$_] / $theirs->[$_] } 0 .. $#$ours;
	my ($their_call, $our_call) = map {
		my $whole = $_;
		median(map { $whole->[$_] - $scan->[$_] } 0 .. $#$scan)
	} $theirs, $ours;
	my $ratio = median(@ratios);
	my ($low, $high) = quartiles(@ratios);

	report(
		$indent ? "  beside $other" : "$function, beside $other",
		sprintf('%.3f us', median(@$theirs)),
		sprintf('%.3f us', median(@$ours)),
		sprintf('%s (%s-%s)', map { show_ratio($target, $_) } $ratio, $low, $high),
		"<= $target",
		$ratio <= $limit);

	# Less than nothing is less than can be measured.
	my $measurable = $their_call > 0 && $our_call > 0;
	my $call =
	  $measurable ? show_ratio($target, $our_call / $their_call) : 'too small';
	report(
		($indent ? '    ' : '  ') . 'without the scan',
		sprintf('%.3f us', $their_call),
		sprintf('%.3f us', $our_call),
		$call, '', undef);
	return
	  if $their_call > 0
	  && ($ratio <= $limit) == ($our_call <= $limit * $their_call);
	return sprintf '%s beside %s: %s with the scan, %s without (target: %s)',
	  $function, $other, show_ratio($target, $ratio), $call, $target;
}

sub make_table
{
	my ($session, $kind, $select) = @_;

	$session->query("CREATE TABLE bench_$kind AS $select");
	$session->query("VACUUM ANALYZE bench_$kind");
	return;
}

sub measure_offline
{
	my ($cards) = @_;
	my $session = psql();
	my $rows = DISTINCT * REPEATED;
	my %values = (
		iban => [ map { make_iban($_) } 1 .. DISTINCT ],
		card => [ @{$cards}[ 0 .. DISTINCT - 1 ] ],
		national_code => [ map { make_national_code($_) } 1 .. DISTINCT ]);
	my @differ;

	$session->query('SET max_parallel_workers_per_gather = 0');
	$session->query($plpgsql);
	foreach my $kind (qw(iban card national_code))
	{
		make_table($session, $kind,
			    "SELECT value FROM unnest('{"
			  . join(',', @{ $values{$kind} })
			  . "}'::text[]) value, generate_series(1, @{[REPEATED]})");
		my $ours = "jibit_valid_$kind(value)";
		my @theirs = map { "$_->[1](value)" } @{ $others{$kind} };
		foreach my $valid ($ours, @theirs)
		{
			my $found =
			  $session->query("SELECT count(*) FROM bench_$kind WHERE $valid");
			die "$valid: $found valid values of $rows\n" if $found != $rows;
		}
		my %us = time_expressions($session, "bench_$kind", $rows,
			[ 'octet_length(value)', $ours ], @theirs);
		push @differ,
		  report_pair("jibit_valid_$kind()", 'octet_length()', 0,
			@us{ 'octet_length(value)', $ours, 'value' }, '1.5');
		foreach my $other (@{ $others{$kind} })
		{
			my ($name, $function) = @$other;
			push @differ,
			  report_pair("jibit_valid_$kind()", $name, 1,
				@us{ "$function(value)", $ours, 'value' }, '1/20');
		}
	}

	make_table($session, 'date',
		"SELECT date '1950-01-01' + i % 30000 AS value FROM generate_series(1, $rows) i");
	my @functions = ('extract(year FROM value)', 'jibit_to_jalali(value)');
	my %us = time_expressions($session, 'bench_date', $rows, \@functions);
	push @differ,
	  report_pair('jibit_to_jalali()', 'extract(year ...)', 0,
		@us{ @functions, 'value' }, '3');
	$session->query("DROP TABLE bench_$_") foreach qw(iban card national_code date);
	$session->end;
	note(
		"Without a call: SELECT count(FUNCTION(value)) over $rows rows of valid values, without",
		'parallel workers; "bare" is the built-in function or the PL/pgSQL one. The targets are',
		'for whole queries; "without the scan" is what SELECT count(value) takes subtracted',
		'from both.');
	note('The two readings of "per call", with the scan and without, differ about these targets:',
		map { "  $_" } @differ)
	  if @differ;
	return;
}

1;
