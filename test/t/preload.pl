# Without shared_preload_libraries: what works, and what says what to set. And
# a standby, which makes inquiries too.

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
$bare->stop;

# A standby reads the credentials, and has tokens of its own.
my $sandbox = jibit_sandbox();
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

# What pg_dump carries.
my ($dump) = run_command(
	[ 'pg_dump', '-h', $primary->host, '-p', $primary->port, 'postgres' ]);
like($dump, qr/CREATE EXTENSION.* jibit/, 'pg_dump has the extension');
like($dump, qr/sandbox-key\twrong/, '... and the credentials');
unlike($dump, qr/CREATE FUNCTION/, '... and not its functions');

$standby->stop;
$primary->stop;
done_testing();
