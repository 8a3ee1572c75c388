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

foreach my $encoding (
	qw(SQL_ASCII LATIN1 WIN1256 ISO_8859_6 EUC_JP KOI8R))
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
is( value('db_latin1',
		"SELECT string_agg(coalesce((error).errcode, 'none'), ' ' ORDER BY ordinality) FROM jibit_card_batch('{$card,1,$card}')"),
	'22P05 JB001 22P05', '... and in a batch the failure of its rows alone');
is( value('db_latin1',
		"SELECT (error).errcode FROM jibit_card_to_iban_batch('{$card}')"),
	'22P05', '... also where an array of its has the text');

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

# An encoding from which the server can convert ASCII only, up to 18.
my $has_mule = $node->safe_psql('postgres',
	q{SELECT pg_char_to_encoding('MULE_INTERNAL') >= 0}) eq 't';
SKIP:
{
	skip('the server has no MULE_INTERNAL', 3) unless $has_mule;
	$node->safe_psql('postgres',
		"CREATE DATABASE db_mule TEMPLATE template0 ENCODING 'MULE_INTERNAL' LC_COLLATE 'C' LC_CTYPE 'C'");
	local $ENV{PGCLIENTENCODING} = 'SQL_ASCII';

	$node->safe_psql('db_mule', 'CREATE EXTENSION jibit');
	jibit_store_credentials($node, sandbox => $sandbox, dbname => 'db_mule');
	is( $node->safe_psql(
			'db_mule', "SELECT (jibit_card_to_deposit('$card')).deposit_number"),
		'7464622299889',
		'MULE_INTERNAL: ASCII needs no conversion');
	is( $node->safe_psql(
			'db_mule',
			q{SELECT jibit_valid_card('6037991234567893'), jibit_valid_card(E'\x81\xe1'),
			  jibit_normalize_name(E'\x81\xe1') IS NULL, jibit_mask_card(E'\x81\xe1') IS NULL}),
		't|f|t|t',
		'... and what cannot be converted is not valid, and no error');
	is( $node->safe_psql(
			'db_mule', q{SELECT (error).code FROM jibit_card_batch(ARRAY[E'\x81\xe1'])}),
		'card.not_valid', '... nor one that ends a batch');
}

# What the service says in an error, in Persian, must not hide the error.
my %refused = map { $_ => $sandbox->magic(card => $_) }
  qw(card.not_active unknown-code code-upper echo-secret);
foreach my $encoding (
	qw(SQL_ASCII LATIN1 WIN1256 ISO_8859_6 EUC_JP KOI8R))
{
	my $database = lc "db_$encoding";
	my %states = (
		'card.not_active' => 'JB003',
		'unknown-code' => 'JB099',
		'code-upper' => 'JB001',
		'echo-secret' => 'JB001');

	foreach my $fault (sort keys %refused)
	{
		my %error = sql_error(
			$node,
			"SELECT jibit_card('$refused{$fault}')",
			dbname => $database);
		is($error{sqlstate}, $states{$fault}, "$encoding: $fault");
		like($error{detail}, qr/HTTP status 4\d\d.*Track id/s,
			'... with its detail');
	}
	is( value(
			$database, "SET jibit.on_error = 'warning';
			SET client_min_messages = error;
			SELECT jibit_card('$refused{'card.not_active'}') IS NULL;
			SELECT (error).code, (error).message <> '' FROM jibit_last_call()"),
		"t\ncard.not_active|t",
		"$encoding: an error as a value");
	my %error = sql_error(
		$node,
		"SELECT jibit_request('/v1/cards', '{\"number\": \"$card\"}')",
		dbname => $database);
	ok( !defined $error{sqlstate} || $error{sqlstate} =~ /^(?:22P05|42883)$/,
		"$encoding: jibit_request gives the answer or says why not")
	  or diag($error{stderr});
	is(value($database, "SELECT (jibit_card_to_deposit('$card')).number"),
		$card, "$encoding: the next call works");
	is( value(
			$database,
			q{SELECT count(*) FROM jibit_check() WHERE NOT ok
			  AND item <> 'TLS verified'}),
		'0',
		"$encoding: jibit_check() finds nothing wrong");
}

# Bytes that are no text in any encoding.
foreach my $bytes ('\\xff\\xfe', '\\xdb', '\\xf0\\x9f', '\\xed\\xa0\\x80', '\\x80')
{
	my $before = $sandbox->stats->{total};
	my %error = sql_error(
		$node,
		"SELECT jibit_match_card_name('$card', E'$bytes')",
		dbname => 'db_sql_ascii');
	ok( ($error{sqlstate} // '') =~ /^(?:22021|JB001)$/,
		"SQL_ASCII: the bytes $bytes are refused")
	  or diag(($error{sqlstate} // 'no error') . " $error{stderr}");
	is($sandbox->stats->{total}, $before, '... without a call');
}

# What is text in an encoding, at random: no function without a call raises an
# error for it, and they agree with each other. The seed makes it repeatable.
my $fuzz = <<'EOS';
SELECT setseed(0.42);
DO $$
DECLARE
  name text := getdatabaseencoding();
  bytes bytea;
  value text;
  texts int := 0;
BEGIN
  FOR i IN 1 .. 3000 LOOP
    SELECT coalesce(string_agg(CASE WHEN random() < 0.6 THEN set_byte('0'::bytea, 0, 48 + (random() * 9)::int)
                                    ELSE set_byte('0'::bytea, 0, 1 + (random() * 254)::int) END, ''), '')
      INTO bytes FROM generate_series(1, (random() * 30)::int);
    BEGIN
      value := CASE name WHEN 'SQL_ASCII' THEN convert_from(bytes, 'SQL_ASCII') ELSE convert_from(bytes, name) END;
    EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
      CONTINUE;
    END;
    texts := texts + 1;
    IF (jibit_valid_card(value), jibit_valid_iban(value), jibit_valid_national_code(value),
        jibit_valid_company_id(value), jibit_valid_mobile(value), jibit_valid_postal_code(value))
       IS DISTINCT FROM
       (jibit_normalize_card(value) IS NOT NULL, jibit_normalize_iban(value) IS NOT NULL,
        jibit_normalize_national_code(value) IS NOT NULL, jibit_normalize_company_id(value) IS NOT NULL,
        jibit_normalize_mobile(value) IS NOT NULL, jibit_normalize_postal_code(value) IS NOT NULL)
       OR jibit_normalize_name(jibit_normalize_name(value)) IS DISTINCT FROM jibit_normalize_name(value) THEN
      RAISE EXCEPTION 'disagreement about %', bytes;
    END IF;
    PERFORM jibit_card_bank(value), jibit_iban_bank(value), jibit_mask_card(value), jibit_format_iban(value);
  END LOOP;
  IF texts < 20 THEN
    RAISE EXCEPTION 'only % texts', texts;
  END IF;
END
$$;
EOS
foreach my $encoding (
	($has_mule ? 'MULE_INTERNAL' : ()),
	qw(UTF8 SQL_ASCII EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004
	LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10
	WIN1250 WIN1251 WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258
	WIN866 WIN874 KOI8R KOI8U ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8))
{
	my $database = lc "fuzz_$encoding";

	$node->safe_psql('postgres',
		"CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	local $ENV{PGCLIENTENCODING} = $encoding;
	my ($status, $out, $errors) =
	  $node->psql($database, "CREATE EXTENSION jibit; $fuzz");
	is($status, 0, "$encoding: random text does no harm") or diag($errors);
}

# Digits and letters beyond the encoding arrive by other ways: as escapes.
is( value(
		'db_win1256',
		q{SELECT jibit_match_card_name('6037991234567893',
		  E'\u0631\u0648\u064a\u0627 \u0645\u062d\u0645\u062f\u064a')::boolean}),
	't',
	'WIN1256: a name from escapes');

# Why the queue pauses is told in the database's own letters.
$node->append_conf('postgresql.conf',
	"jibit.worker_databases = 'db_win1256'");
$node->reload;
value(
	'db_win1256', q{BEGIN;
	INSERT INTO jibit_credentials (profile, api_key, secret_key) VALUES ('سلام', 'key', 'secret');
	SELECT jibit_submit('balances', '{}', 'سلام');
	DELETE FROM jibit_credentials WHERE profile = 'سلام';
	COMMIT});
ok( $node->poll_query_until('db_win1256',
		'SELECT EXISTS (SELECT FROM jibit_pauses)'),
	'WIN1256: a profile without keys pauses');
is( value('db_win1256', 'SELECT pause_message FROM jibit_progress'),
	Encode::encode(
		'UTF-8', 'there are no credentials for profile "سلام"'),
	'... and the reason names it');

$node->stop;
done_testing();
