# The part "offline" of make bench: what the functions without a call cost
# beside built-in ones, and beside the PL/pgSQL functions that they replace.

package JibitBenchOffline;

use strict;
use warnings;

use Exporter 'import';
use JibitBench;

our @EXPORT = qw(measure_offline);

use constant {
	ROUNDS => 9,
	DISTINCT => 10_000,
	REPEATED => 100,
	PLPGSQL_REPEATED => 2,
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

# The usual ones. Of those for IBANs the fastest, by mod 97 on numeric; it must
# look at the form first, since a cast of letters is an error.
my $plpgsql = <<'EOS';
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

# The microseconds for a row of a query that must count so many.
sub time_query
{
	my ($session, $sql, $rows) = @_;
	my $count = $session->query($sql);

	die "$sql: $count rows of $rows\n" if $count != $rows;
	return 1e6 * $session->seconds / $rows;
}

sub compare
{
	my ($session, $what, $built_in, $ours, $rows, $target) = @_;
	my (@built_in, @ours, @ratios);

	foreach my $round (-1 .. ROUNDS - 1)
	{
		my @pair = (
			time_query($session, $built_in, $rows),
			time_query($session, $ours, $rows));
		next if $round < 0;
		push @built_in, $pair[0];
		push @ours, $pair[1];
		push @ratios, $pair[1] / $pair[0];
	}
	report(
		$what,
		sprintf('%.3f us', median(@built_in)),
		sprintf('%.3f us', median(@ours)),
		with_quartiles(@ratios),
		"<= $target",
		median(@ratios) <= $target);
	return median(@ours);
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

	$session->query('SET max_parallel_workers_per_gather = 0');
	$session->query($plpgsql);
	foreach my $kind (qw(iban card national_code))
	{
		$session->query("CREATE TABLE bench_$kind AS SELECT value FROM unnest('{"
			  . join(',', @{ $values{$kind} })
			  . "}'::text[]) value, generate_series(1, @{[REPEATED]})");
		$session->query("VACUUM ANALYZE bench_$kind");
		my $ours = compare(
			$session,
			"jibit_valid_$kind(), beside octet_length()",
			"SELECT count(*) FILTER (WHERE octet_length(value) > 0) FROM bench_$kind",
			"SELECT count(*) FILTER (WHERE jibit_valid_$kind(value)) FROM bench_$kind",
			$rows, 1.5);
		my $some = DISTINCT * PLPGSQL_REPEATED;
		my $theirs = median(
			map {
				time_query(
					$session,
					"SELECT count(*) FILTER (WHERE bench_valid_$kind(value)) FROM "
					  . "(SELECT value FROM bench_$kind LIMIT $some) v",
					$some)
			} 1 .. 3);
		report(
			'  beside the PL/pgSQL function',
			sprintf('%.3f us', $theirs),
			sprintf('%.3f us', $ours),
			sprintf('1/%.0f', $theirs / $ours),
			'<= 1/20', $theirs / $ours >= 20);
	}

	$session->query(
		"CREATE TABLE bench_date AS SELECT date '1950-01-01' + i % 30000 AS value FROM generate_series(1, $rows) i");
	$session->query('VACUUM ANALYZE bench_date');
	compare(
		$session,
		'jibit_to_jalali(), beside extract(year ...)',
		'SELECT count(extract(year FROM value)) FROM bench_date',
		'SELECT count(jibit_to_jalali(value)) FROM bench_date',
		$rows, 3);
	$session->query("DROP TABLE bench_$_") foreach qw(iban card national_code date);
	$session->end;
	note(
		"Without a call: whole queries over $rows rows of valid values, without parallel",
		'workers; "bare" is the built-in function or the PL/pgSQL one (over fewer rows).');
	return;
}

1;
