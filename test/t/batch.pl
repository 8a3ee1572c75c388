# A batch gives, row by row, what the function of one inquiry gives; and it
# does so for very many elements in little memory.
#
# JIBIT_TEST_SEED=N tries one more choice of elements, JIBIT_TEST_ELEMENTS=N
# sets the size of the large batch: 200000 take half a minute.

use strict;
use warnings;
use utf8;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @seeds = defined $ENV{JIBIT_TEST_SEED}
  && $ENV{JIBIT_TEST_SEED} =~ /^(\d+)$/ ? ($1) : (1, 20_260, 987_654_321);
my $elements = $ENV{JIBIT_TEST_ELEMENTS} // 40_000;

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'batch',
	sandbox => $sandbox,
	conf => <<'EOC');
shared_buffers = 4MB
jibit.max_retries = 0
jibit.track_id = 'the same for all'
EOC
my $session = jibit_session($node);

# ---- as one by one

# Faults of which nothing is left for the next call, and that do not concern
# every element (JB007), nor those that follow, nor take long.
my %unfit = map { $_ => 1 }
  qw(endless slow hang drip flaky-2 close-once big-body reset close echo-secret
  balance.not_enough daily_limit.reached),
  split /\n/, $node->safe_psql('postgres',
	q{SELECT code FROM jibit_error_codes WHERE errcode = 'JB007'});
my @faults = grep { !$unfit{$_} }
  map { $_->{name} } @{ $sandbox->get('/v1/sandbox/faults')->{faults} };
cmp_ok(scalar @faults, '>', 70, scalar @faults . ' faults');

my $random = 1;

# Not perl's own generator: the same on every machine.
sub random_below
{
	my ($n) = @_;
	$random = ($random * 1_103_515_245 + 12_345) % 2_147_483_648;
	return int($random / 65_536) % $n;
}

sub one_of { return $_[ random_below(scalar @_) ] }

sub digits
{
	my ($n) = @_;
	return join '', map { random_below(10) } 1 .. $n;
}

sub national_code
{
	my $code = digits(9);
	my $sum = 0;
	$sum += (10 - $_) * substr $code, $_, 1 foreach 0 .. 8;
	my $rest = $sum % 11;
	return $code . ($rest < 2 ? $rest : 11 - $rest);
}

sub iban
{
	my $bban = '017' . digits(19);
	my $rest = 0;
	$rest = ($rest * 10 + $_) % 97 foreach split //, $bban . '182700';
	return sprintf 'IR%02d%s', 98 - $rest, $bban;
}

# A value that is good, for each kind of argument.
my %good = (
	card => sub { test_card(random_below(1000) * 1000 + random_below(1000)) },
	iban => \&iban,
	national_code => \&national_code,
	mobile => sub { '09' . digits(9) },
	postal_code => sub { '1' . digits(9) },
	fida => sub { '1' . digits(1 + random_below(12)) },
	corporation_code => sub { '1' . digits(9) },
	deposit => sub { digits(1 + random_below(15)) },
	birth_date => sub {
		sprintf '13%d%d/%02d/%02d', random_below(8), random_below(10),
		  1 + random_below(12), 1 + random_below(29);
	},
	bank => sub { one_of(qw(MELLI SAMAN melli MELLAT UNHEARD_OF)) },
	name => sub { one_of('علی رضایی', 'مريم كريمي', 'x', 'Ali', ' a  b ') });

# The same value as a user may write it.
sub spell
{
	my ($value) = @_;
	my $how = random_below(4);

	if ($how == 0)
	{
		$value =~ tr/0123456789/۰۱۲۳۴۵۶۷۸۹/;
	}
	elsif ($how == 1)
	{
		$value =~ s/(\d{4})(?=\d)/$1 /g;
	}
	elsif ($how == 2)
	{
		$value = " $value ";
	}
	return $value;
}

# An element's argument: good, good in another spelling, asking for a fault,
# one that others have, wrong, empty or NULL.
sub argument
{
	my ($kind, $earlier) = @_;
	my $choice = random_below(20);
	my $value;

	return undef if $choice == 0;
	return one_of('', ' ', '-', 'abc', '1234', '0' x 10, '9' x 26, '13991301',
		"x' OR 1", 'علی', '1' x 500)
	  if $choice <= 2;
	return one_of(@$earlier) if $choice <= 5 && @$earlier;
	if ($choice <= 10 && $kind !~ /^(?:birth_date|bank|name)$/)
	{
		$value =
		  $sandbox->magic($kind, one_of(@faults), random_below(10));
	}
	else
	{
		$value = $good{$kind}->();
	}
	$value = spell($value) if random_below(4) == 0;
	push @$earlier, $value;
	return $value;
}

sub literal
{
	my ($value) = @_;
	return 'NULL' unless defined $value;
	$value =~ s/'/''/g;
	utf8::encode($value);
	return "'$value'";
}

my @inquiries = (
	[ 'card_to_iban', qw(card) ],
	[ 'iban', qw(iban) ],
	[ 'match_shahkar', qw(national_code mobile) ],
	[ 'match_card', qw(card national_code birth_date) ],
	[ 'match_iban_name', qw(iban name) ],
	[ 'deposit_to_iban', qw(bank deposit) ],
	[ 'postal_location', qw(postal_code) ],
	[ 'identity_similarity', qw(national_code birth_date name name name name) ],
	[ 'foreigner', qw(fida) ],
	[ 'corporation', qw(corporation_code) ]);

# What the function of one inquiry gives, as text.
$session->query(q{
	CREATE FUNCTION pg_temp.one(inquiry text, arguments text,
		OUT result text, OUT error text) LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('SELECT jibit_%s(%s)::text', inquiry, arguments)
			INTO result;
	EXCEPTION WHEN SQLSTATE 'JB000' THEN
		SELECT c.error::text INTO error FROM jibit_last_call() c;
		IF SQLSTATE <> (SELECT (c.error).errcode FROM jibit_last_call() c) THEN
			RAISE;
		END IF;
	END $$});

foreach my $seed (@seeds)
{
	my ($rows, $errors) = (0, 0);
	my %codes;

	$random = $seed % 2_147_483_648;
	foreach my $inquiry (@inquiries)
	{
		my ($name, @kinds) = @$inquiry;
		my @earlier = map { [] } @kinds;
		my (@rows, $n);

		foreach (1 .. 50)
		{
			my @arguments =
			  map { argument($kinds[$_], $earlier[$_]) } 0 .. $#kinds;
			push @rows, sprintf '(%d, ARRAY[%s]::text[])', ++$n,
			  join ', ', map { literal($_) } @arguments;
		}
		my $arrays = join ', ',
		  map { "array_agg(a[$_] ORDER BY n)" } 1 .. @kinds;
		my $arguments = join ", ', ', ",
		  map { "quote_nullable(a[$_])" } 1 .. @kinds;
		my %result = $session->query(
			sprintf q{
			SET jibit.batch_concurrency = %d;
			DROP TABLE IF EXISTS elements, answers, singles;
			CREATE TEMP TABLE elements (n int, a text[]);
			INSERT INTO elements VALUES %s;
			CREATE TEMP TABLE answers AS SELECT b.* FROM
				(SELECT %s FROM elements) x (%s), jibit_%s_batch(%s) b;
			CREATE TEMP TABLE singles AS SELECT n, s.* FROM elements,
				pg_temp.one('%s', concat(%s)) s;
			SELECT n, a, result, error::text, s_result, s_error FROM (
				SELECT n, a, b.result::text, b.error::text,
					s.result AS s_result, s.error AS s_error
				FROM elements FULL JOIN answers b ON ordinality = n
				FULL JOIN singles s USING (n)) x
			WHERE result IS DISTINCT FROM s_result
				OR error IS DISTINCT FROM s_error OR n IS NULL
			ORDER BY n;
			SELECT (error).code, count(*) FROM answers GROUP BY 1},
			one_of(1, 2, 16, 64), join(', ', @rows),
			$arrays, join(', ', map { "v$_" } 1 .. @kinds), $name,
			join(', ', map { "v$_" } 1 .. @kinds), $name, $arguments);
		is($result{sqlstate}, undef, "seed $seed: a batch of $name")
		  or diag($result{stderr});
		my @lines = split /\n/, $result{stdout};
		my @differences = grep { tr/|// > 1 } @lines;
		is(scalar @differences, 0, '... is what one call after the other gives')
		  or diag(join "\n", "seed $seed:", @differences);
		foreach my $line (grep { tr/|// == 1 } @lines)
		{
			my ($code, $count) = split /\|/, $line;
			$codes{$code} += $count;
			$rows += $count;
		}
	}
	my $good = delete $codes{''};
	note("seed $seed: $rows rows, $good without an error, of which "
		  . scalar(keys %codes) . ' kinds');
	is($rows, 50 * @inquiries, "seed $seed: a row for every element");
	cmp_ok($good, '>', 100, '... many of them good');
	cmp_ok(scalar keys %codes, '>', 25, '... many of them bad in many ways');
}

# ---- very many

sub status_kb
{
	my ($pid, $name) = @_;
	my ($kb) = slurp_file("/proc/$pid/status") =~ /^$name:\s*(\d+)/m;
	return $kb;
}

# Runs a batch of $count cards, each another one, in a session that has called
# before. By how much the session has grown at most, and the arguments' size.
sub growth_of
{
	my ($count) = @_;
	my $worker = jibit_session($node);

	$worker->query(sprintf q{SET work_mem = '4MB'; SET jibit.batch_concurrency = 32;
		CREATE TEMP TABLE cards AS
		SELECT array_agg(d || (10 - s %% 10) %% 10) AS cards FROM (
			SELECT d, sum(CASE WHEN i %% 2 = 0 THEN v ELSE v * 2 / 10 + v * 2 %% 10
				END) AS s
			FROM (SELECT '603798' || lpad(n::text, 9, '0') AS d
				FROM generate_series(1, %d) n) x,
				generate_series(1, 15) i,
				LATERAL (SELECT substr(d, i, 1)::int) y (v)
			GROUP BY d) z;
		SELECT count(result) FROM jibit_card_to_iban_batch(
			(SELECT cards[1:64] FROM cards))}, $count);
	my $size = $worker->value(
		q{SELECT sum(octet_length(c) + 4) / 1024 FROM cards, unnest(cards) c});
	my $calls = $sandbox->stats->{card_to_iban};
	$worker->query('SELECT count(*) FROM pg_backend_memory_contexts');
	# The kernel keeps the peak, and forgets the one before when told to.
	my $file = '/proc/' . $worker->pid . '/clear_refs';
	open my $clear, '>', $file or return;
	syswrite $clear, '5' or return;
	close $clear;
	my $before = status_kb($worker->pid, 'VmRSS');
	my $answered = $worker->value(
		q{SELECT count((result).iban) || ' ' || max(ordinality) FROM cards,
			jibit_card_to_iban_batch(cards)});
	my $growth = status_kb($worker->pid, 'VmHWM') - $before;

	is($answered, "$count $count", "a batch of $count");
	is($sandbox->stats->{card_to_iban} - $calls, $count, '... with as many calls');
	diag(sprintf '%d elements of %d kB: the session grew by %d kB',
		$count, $size, $growth);
	$worker->quit;
	return ($growth, $size);
}

SKIP:
{
	my ($small, $small_size) = growth_of(int($elements / 4));
	skip 'the kernel does not tell the peak', 3 unless defined $small;
	my ($large, $large_size) = growth_of($elements);
	cmp_ok($large, '<=', $large_size + 4096 + 16 * 1024,
		'... needs no more than arguments, work_mem and 16 MB (kB)');

	skip 'too few to tell what each costs', 1 if $elements < 20_000;

	# What each element more costs beyond its arguments must leave room for
	# 200,000 of them.
	my $each = 1024 * ($large - $small - ($large_size - $small_size))
	  / ($elements * 3 / 4);
	diag(sprintf '%.1f bytes for each element, beside its arguments', $each);
	cmp_ok($each, '<', 80, 'each element costs little more than its arguments');
}

$node->stop;
done_testing();
