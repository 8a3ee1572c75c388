# Where the server's settings come from, what the limits of the system do, and
# what a service that says too much costs.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $sandbox = jibit_sandbox();

# ---- a trigger goes by the database's setting, also after a reload

{
	my $node = jibit_node('settings', sandbox => $sandbox);
	jibit_store_credentials($node, sandbox => $sandbox, profile => $_)
	  foreach qw(files databases);
	$node->safe_psql('postgres', q{
		CREATE TABLE cards (card text);
		CREATE TRIGGER good_card BEFORE INSERT ON cards
		FOR EACH ROW EXECUTE FUNCTION jibit_check_card('card');
		ALTER DATABASE postgres SET jibit.profile = 'databases'});
	my $session = jibit_session($node);
	my $n = 0;
	my $payer = sub {
		$session->query(
			sprintf q{INSERT INTO cards VALUES ('%s')}, test_card($n++));
		return $session->value('SELECT profile FROM jibit_last_call()');
	};

	is($payer->(), 'databases', 'a trigger goes by what the database says');
	$node->append_conf('postgresql.conf', "jibit.profile = 'files'");
	$node->reload;
	poll_until(
		sub {
			$session->value(
				q{SELECT setting FROM pg_file_settings WHERE name = 'jibit.profile' AND applied}
			) eq 'files';
		},
		'the reload');
	# The session itself has read the file by its next statement.
	$session->value('SELECT 1');
	is($session->value('SHOW jibit.profile'),
		'databases', 'the files do not count against that');
	is($payer->(), 'databases', '... and not for the trigger, when reloaded');
	$session->quit;

	$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET jibit.profile');
	$session = jibit_session($node);
	is($payer->(), 'files', 'without one of the database the files count');
	$node->append_conf('postgresql.conf', "jibit.profile = 'default'");
	$node->reload;
	ok( poll_until(
			sub { $session->value('SHOW jibit.profile') eq 'default' },
			'the reload'),
		'a session sees a reload');
	is($payer->(), 'default', '... and so does its trigger');
	$session->quit;
	$node->stop;
}

# ---- more calls at a time than there are descriptors

{
	my $node = jibit_node(
		'descriptors',
		sandbox => $sandbox,
		conf => "max_files_per_process = 100\n"
		  . "jibit.breaker_threshold = 5\n");
	my $cards = join ',', map { test_card(1000 + $_) } 1 .. 200;

	$sandbox->set(delay_ms => 20);
	is( $node->safe_psql(
			'postgres',
			"SET jibit.batch_concurrency = 64; SELECT count((result).number), count((error).code) FROM jibit_card_batch('{$cards}')"
		),
		'200|0',
		'calls wait for the connections that there may be');
	$sandbox->set(delay_ms => 0);
	$node->stop;
}

# ---- a message of a megabyte

{
	my $message = 'eyJ' x 300_000;
	my $server = jibit_server(
		inquiry => sub {
			my ($self, $socket) = @_;
			return send_answer($socket, 400,
				qq({"code":"card.not_active","message":"$message"}));
		});
	my $node = jibit_node('message', base_url => $server->url);
	my $started = Time::HiRes::time();
	my %error = sql_error($node,
		sprintf q{SELECT jibit_card('%s')}, test_card(1));

	is($error{sqlstate}, 'JB003', 'an error with a message of a megabyte');
	cmp_ok(Time::HiRes::time() - $started,
		'<', 20, '... is masked and cut in no time');
	cmp_ok(length $error{detail}, '<', 2000, '... and cut');
	$node->stop;
}

done_testing();
