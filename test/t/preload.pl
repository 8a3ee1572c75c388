# Without shared_preload_libraries: what works, and what says what to set. And
# what a loaded library has to do with the rest of the server: plans, prepared
# statements, standbys, dumps.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $bare = PostgreSQL::Test::Cluster->new('bare');
$bare->init;
$bare->append_conf('postgresql.conf', "jibit.cache_size = '1MB'\njibit.timeout = '9s'");
$bare->start;

$bare->safe_psql('postgres', 'CREATE EXTENSION jibit');
my %error = sql_error($bare, q{SELECT jibit_card('6037991234567893')});
is($error{sqlstate}, '55000', 'an inquiry needs preloading');
like($error{hint}, qr/shared_preload_libraries = 'jibit'/,
	'... and says what to set');
%error = sql_error($bare, q{SELECT * FROM jibit_card_batch('{1}')});
is($error{sqlstate}, '55000', '... so does a batch');
is($bare->safe_psql('postgres', 'SELECT jibit_card(NULL) IS NULL'),
	't', 'NULL makes no call');
like(
	$bare->safe_psql('postgres', 'SELECT * FROM jibit_check() LIMIT 1'),
	qr/^library preloaded\|f\|.*shared_preload_libraries/,
	'jibit_check() says so');
is( $bare->safe_psql(
		'postgres', q{SELECT DISTINCT detail FROM jibit_check() WHERE ok IS NULL}),
	'not tried: needs "library preloaded"',
	'... and that the rest needs it');
is( $bare->safe_psql(
		'postgres', q{SELECT (SELECT count(*) FROM jibit_error_codes) > 70,
		  (SELECT count(*) FROM jibit_inquiries), (SELECT count(*) FROM jibit_banks),
		  jibit_valid_iban('IR270170000000100324200001')}),
	't|22|33|t',
	'views and validators work');
$bare->safe_psql('postgres', q{
	CREATE TABLE t (iban text);
	CREATE TRIGGER c BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'online=off');
	INSERT INTO t VALUES ('IR270170000000100324200001')});
%error = sql_error($bare, q{INSERT INTO t VALUES ('x')});
is($error{sqlstate}, 'JB001', 'so do offline triggers');
my ($code, $stdout, $stderr) =
  $bare->psql('postgres', "LOAD 'jibit'; SHOW jibit.timeout; SHOW jibit.cache_size");
is($stdout, "9s\n1MB", 'settings made before loading count');
is($stderr, '', '... without a warning');
foreach my $call (
	'SELECT * FROM jibit_balances()',
	q{SELECT jibit_request('/v1/balances')},
	'SELECT jibit_forget_tokens()',
	'SELECT * FROM jibit_token_status')
{
	%error = sql_error($bare, $call);
	is($error{sqlstate}, '55000', "not without preloading: $call");
	like($error{hint}, qr/shared_preload_libraries/, '... and says what to set');
}
is( $bare->safe_psql(
		'postgres', q{SELECT jibit_set_credentials('a', 'b');
		SELECT count(*) FROM jibit_credentials;
		SELECT count(*) FROM jibit_last_call()}),
	"\n1\n0",
	'credentials can be stored meanwhile');
($code, $stdout, $stderr) = $bare->psql('postgres', q{
	SET jibit.timeout = '8s';
	SELECT jibit_valid_card('6037991234567893');
	SHOW jibit.timeout;
	SET jibit.max_retries = 3;
	SHOW jibit.max_retries});
is($stdout, "t\n8s\n3", 'settings before and after the library is loaded');
is($stderr, '', '... without a warning');
%error = sql_error($bare, q{LOAD 'jibit'; SET jibit.no_such_thing = 1});
is($error{sqlstate}, '42602', 'a setting that does not exist');
# All of them in the configuration: nothing is said in every session.
$bare->append_conf('postgresql.conf', <<'EOC');
jibit.profile = 'x'
jibit.max_in_flight = 8
jibit.breaker_threshold = 2
jibit.allow_http = on
jibit.log_calls = all
EOC
$bare->restart;
($code, $stdout, $stderr) =
  $bare->psql('postgres', q{LOAD 'jibit'; SELECT 1; SELECT jibit_card(NULL)});
is($stderr, '', 'settings in the configuration give no warning');
$bare->safe_psql('postgres', 'DROP EXTENSION jibit CASCADE');
is($bare->safe_psql('postgres', 'CREATE EXTENSION jibit; SELECT 1'),
	'1', 'dropped and created again');
$bare->stop;

# A standby reads the credentials, and has tokens of its own.
my $sandbox = jibit_sandbox();

# How often an inquiry has been asked for.
sub served
{
	my ($operation) = @_;
	my $stats = $sandbox->stats;
	return $stats->{operations}{$operation} // $stats->{$operation} // 0;
}
my $primary = jibit_node(
	'primary',
	sandbox => $sandbox,
	init => [ allows_streaming => 1 ]);
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', q{SELECT (jibit_card('6037991234567893')).bank}),
	'MELLI', 'a standby makes inquiries');
jibit_store_credentials($primary, sandbox => $sandbox, secret_key => 'wrong');
$primary->wait_for_catchup($standby);
%error = sql_error($standby, q{SELECT jibit_card('6037991234567893')});
is($error{sqlstate}, 'JB007', '... with the credentials of the primary');

jibit_store_credentials($primary, sandbox => $sandbox);
$primary->wait_for_catchup($standby);
$standby->safe_psql('postgres', q{SELECT jibit_forget_tokens()});
is($standby->safe_psql('postgres', q{SELECT (jibit_card('6037991234567893')).bank}),
	'MELLI', '... also when they change');
%error = sql_error($standby, q{SELECT jibit_set_credentials('a', 'b')});
is($error{sqlstate}, '25006', '... which only the primary can write');
is( $standby->safe_psql(
		'postgres', q{SELECT count(*) FROM jibit_check() WHERE NOT ok
		AND item <> 'TLS verified'}),
	'0',
	'... and jibit_check() finds nothing wrong');
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT (jibit_card('6037991234567893')).bank}),
	'MELLI', '... nor does a promotion change that');
$standby->safe_psql('postgres', q{SELECT jibit_set_credentials('a', 'b', 'new')});

# Plans: an inquiry is made by running, not by planning or describing, and
# where it runs is the leader.
$primary->safe_psql('postgres', q{
	CREATE TABLE cards AS SELECT '6037991234567893' AS card, i
		FROM generate_series(1, 20000) i;
	ALTER TABLE cards SET (parallel_workers = 2);
	ANALYZE cards});
$sandbox->reset;
my $parallel = q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0; SET debug_parallel_query = off; };
$parallel =~ s/debug_parallel_query/force_parallel_mode/
  if $primary->pg_version < 16;
my $sql = q{SELECT (jibit_card(card)).bank FROM cards WHERE i IN (5, 6, 7)};
my $plan = $primary->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) $sql");
like($plan, qr/Gather/, 'a parallel plan');
$primary->safe_psql('postgres', "EXPLAIN (VERBOSE) $sql");
$primary->safe_psql('postgres', "PREPARE p AS $sql");
$primary->safe_psql('postgres', "CREATE VIEW banks AS $sql");
is(served('card'), 0, 'EXPLAIN, PREPARE and CREATE VIEW make no call');
is($primary->safe_psql('postgres', "$parallel $sql"),
	"MELLI\nMELLI\nMELLI", '... and running it does');
is( $primary->safe_psql(
		'postgres',
		$parallel . q{SELECT count(*) FROM cards
		WHERE jibit_valid_card(card) AND i % 5000 = 0
		  AND (jibit_card(card)).bank = 'MELLI'}),
	'4',
	'an inquiry in a condition comes after what is cheaper');
is(served('card'), 7, '... with no more calls than needed');
like(
	$primary->safe_psql(
		'postgres', $parallel . q{EXPLAIN (COSTS OFF, VERBOSE)
		SELECT count(*) FROM cards WHERE jibit_valid_card(card)}),
	qr/Parallel Seq Scan/,
	'validators run in parallel');
is( $primary->safe_psql(
		'postgres', q{SET plan_cache_mode = force_generic_plan;
		PREPARE p (text) AS SELECT (jibit_card($1)).bank;
		EXECUTE p ('6037991234567893'); EXECUTE p (NULL);
		EXECUTE p ('6037-9912-3456-7893')}),
	"MELLI\n\nMELLI",
	'a prepared statement');
is( $primary->safe_psql(
		'postgres', q{BEGIN; DECLARE c CURSOR WITH HOLD FOR
		SELECT (jibit_card(card)).bank FROM cards WHERE i < 3; COMMIT;
		FETCH 2 FROM c; CLOSE c}),
	"MELLI\nMELLI",
	'a cursor that outlives its transaction');
is( $primary->safe_psql(
		'postgres', q{SET jit = on; SET jit_above_cost = 0;
		SELECT (jibit_card(card)).bank FROM cards WHERE i = 1}),
	'MELLI',
	'with JIT compilation');
is( $primary->safe_psql(
		'postgres', q{BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
		SELECT (jibit_card(card)).bank FROM cards WHERE i = 1; COMMIT}),
	'MELLI',
	'in a read-only transaction');
is( $primary->safe_psql(
		'postgres',
		q{SET search_path = pg_catalog;
		SELECT (public.jibit_card('6037991234567893')).bank}),
	'MELLI',
	'with another search_path');
$primary->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$primary->safe_psql('elsewhere',
	'CREATE SCHEMA odd; CREATE EXTENSION jibit SCHEMA odd');
$primary->safe_psql('elsewhere',
	q{COPY odd.jibit_credentials FROM STDIN;
default	sandbox-key	sandbox-secret	} . $sandbox->url . q{	\N
\.
});
is( $primary->safe_psql(
		'elsewhere', q{SELECT (odd.jibit_card('6037991234567893')).bank;
		SELECT (error).code FROM odd.jibit_last_call()}),
	"MELLI\n",
	'the extension in another schema');

# What pg_dump carries.
jibit_store_credentials($primary, sandbox => $sandbox, secret_key => 'wrong');
my ($dump) = run_command(
	[ 'pg_dump', '-h', $primary->host, '-p', $primary->port, 'postgres' ]);
like($dump, qr/CREATE EXTENSION.* jibit/, 'pg_dump has the extension');
like($dump, qr/sandbox-key\twrong/, '... and the credentials');
unlike($dump, qr/CREATE FUNCTION/, '... and not its functions');


# And it can be restored, where inquiries then work.
jibit_store_credentials($primary, sandbox => $sandbox);
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump';
foreach my $format (qw(custom plain))
{
	$primary->command_ok(
		[
			'pg_dump', "--format=$format", "--file=$file.$format",
			$primary->connstr('postgres')
		],
		"pg_dump, $format");
	$primary->safe_psql('postgres', "CREATE DATABASE restored_$format");
	$primary->command_ok(
		$format eq 'plain'
		? [
			'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', "$file.$format",
			$primary->connstr("restored_$format")
		  ]
		: [
			'pg_restore', '--exit-on-error',
			'-d', $primary->connstr("restored_$format"), "$file.$format"
		],
		'... is restored');
	is( $primary->safe_psql(
			"restored_$format",
			q{SELECT (jibit_card('6037991234567893')).bank}),
		'MELLI',
		'... and inquiries work there');
}

$standby->stop;
$primary->stop;
done_testing();
