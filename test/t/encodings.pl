# Databases that are not UTF-8.

use strict;
use warnings;
use utf8;

use Encode ();
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node('encodings', sandbox => $sandbox);

# The client speaks UTF-8 everywhere.
$ENV{PGCLIENTENCODING} = 'UTF8';

sub value
{
	my ($database, $sql) = @_;
	# Compared, and shown if need be, as bytes.
	return $node->safe_psql($database, Encode::encode('UTF-8', $sql));
}

my $card = '6037991234567893';
my $owner = 'رویا محمدی';

foreach my $encoding (qw(SQL_ASCII LATIN1 WIN1256 ISO_8859_6))
{
	my $database = lc "db_$encoding";

	$node->safe_psql('postgres',
		"CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($database, 'CREATE EXTENSION jibit');
	jibit_store_credentials($node, sandbox => $sandbox, dbname => $database);
	is(value($database, 'SELECT count(*) > 70 FROM jibit_error_codes'),
		't', "$encoding: the error codes are listed");
	is(value($database, "SELECT (jibit_card_to_deposit('$card')).deposit_number"),
		'7464622299889', "$encoding: ASCII answers");
	is( value($database,
			q{SELECT jibit_valid_iban('IR270170000000100324200001'), jibit_valid_card('6037-9912-3456-7893'), jibit_valid_mobile('x')}),
		't|t|f', "$encoding: validators");
}

# No Persian at all.
is(value('db_latin1', 'SELECT count(description_fa) FROM jibit_error_codes'),
	'0', 'LATIN1: no Persian explanations');
is(value('db_latin1', 'SELECT count(name_fa) FROM jibit_banks'),
	'0', '... or names of banks');
my ($code, $stdout, $stderr) = $node->psql('db_latin1',
	"\\set VERBOSITY verbose\nSELECT owner_name FROM jibit_card('$card')");
like($stderr, qr/ERROR:  22P05/, '... and an answer in Persian is 22P05');
$node->safe_psql('db_latin1', "SET jibit.cache_ttl = '1min'; SELECT 1");
my $calls = $sandbox->stats->{card};
$node->psql('db_latin1',
	"SET jibit.cache_ttl = '1min'; SELECT jibit_card('$card')");
$node->psql('db_latin1',
	"SET jibit.cache_ttl = '1min'; SELECT jibit_card('$card')");
is($sandbox->stats->{card}, $calls + 1, '... which is paid for once');

# Arabic letters where the Persian ones are lacking.
(my $arabic = $owner) =~ tr/یک/يك/;
foreach my $database (qw(db_win1256 db_iso_8859_6))
{
	is(value($database, "SELECT owner_name FROM jibit_card('$card')"),
		Encode::encode('UTF-8', $arabic), "$database: Arabic letters stand for the Persian");
	is( value($database,
			"SELECT jibit_match_card_name('$card', '$arabic')::boolean"),
		't', "$database: names are sent with the Persian letters");
}
is(value('db_sql_ascii', "SELECT owner_name FROM jibit_card('$card')"),
	Encode::encode('UTF-8', $owner), 'SQL_ASCII passes UTF-8 through');
is(value('db_sql_ascii', "SELECT jibit_valid_iban(E'\\xff\\xfe')"),
	'f', '... and what is no UTF-8 is not valid');

$node->stop;
done_testing();
