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

# ---- by whose settings a trigger goes

{
	my $node = jibit_node(
		'settings',
		sandbox => $sandbox,
		conf => q{include_if_exists = 'profile.conf'});
	my $file = $node->data_dir . '/profile.conf';
	my ($session, $n);

	jibit_store_credentials($node, sandbox => $sandbox, profile => $_)
	  foreach qw(files others databases own);
	$node->safe_psql('postgres', q{
		CREATE TABLE cards (card text);
		CREATE TRIGGER good_card BEFORE INSERT ON cards
		FOR EACH ROW EXECUTE FUNCTION jibit_check_card('card')});

	my $payer = sub {
		$session->query(sprintf q{INSERT INTO cards VALUES ('%s')},
			test_card($n++));
		return $session->value('SELECT profile FROM jibit_last_call()');
	};
	my $set_file = sub {
		my ($profile) = @_;
		unlink $file;
		append_to_file($file, "jibit.profile = '$profile'\n");
	};

	# The session has read the files too, whether it shows in its settings or not.
	my $reload = sub {
		my $before = $session->value('SELECT clock_timestamp()');
		$node->reload;
		poll_until(
			sub {
				$session->value("SELECT pg_conf_load_time() > '$before'") eq 't';
			},
			'the reload');
	};

	$session = jibit_session($node);
	is($payer->(), 'default', 'a trigger goes by the default');
	$set_file->('files');
	$reload->();
	is($payer->(), 'files', '... or by what the files say when reloaded');

	$session->query(q{SET jibit.profile = 'own'});
	is($payer->(), 'files', '... not by what the session has set');
	$set_file->('others');
	$reload->();
	is($payer->(), 'others', '... also where the files change beneath that');
	unlink $file;
	$reload->();
	is($payer->(), 'default', '... or say nothing any more');
	$session->query('RESET jibit.profile');
	$set_file->('files');
	$reload->();

	# Values that are looked at, not set.
	$session->query(q{ALTER SYSTEM SET jibit.profile = 'others'});
	is($payer->(), 'files', 'ALTER SYSTEM changes nothing');
	$session->query('ALTER SYSTEM RESET jibit.profile');
	is($payer->(), 'files', '... nor does taking it back');
	$set_file->('others');
	is( $session->value(
			q{SELECT setting FROM pg_file_settings WHERE name = 'jibit.profile'}),
		'others', 'the files are looked at');
	is($payer->(), 'files', '... which changes nothing');
	$session->query('BEGIN');
	$reload->();
	is($payer->(), 'others', '... but a reload does, in a transaction too');
	$session->query('COMMIT');
	$session->quit;

	$session = jibit_session($node, settings => '-c jibit.profile=own');
	is($payer->(), 'others', 'the client does not choose');
	$set_file->('files');
	$reload->();
	is($payer->(), 'files', '... also after a reload');
	$session->quit;

	$node->safe_psql('postgres', q{ALTER ROLE CURRENT_USER SET jibit.profile = 'own'});
	$session = jibit_session($node);
	is($session->value('SHOW jibit.profile'), 'own', 'a role has a value');
	is($payer->(), 'files', '... which is not the server\'s');
	$set_file->('others');
	$reload->();
	is($payer->(), 'others', '... and hides none');
	$session->quit;

	$node->safe_psql('postgres', q{ALTER DATABASE postgres SET jibit.profile = 'databases'});
	$session = jibit_session($node);
	is($payer->(), 'databases', 'the database counts beneath a role');
	$set_file->('files');
	$reload->();
	is($payer->(), 'databases', '... and above the files');
	$session->quit;
	$node->safe_psql('postgres', q{ALTER ROLE CURRENT_USER RESET jibit.profile});
	$session = jibit_session($node, settings => '-c jibit.profile=own');
	is($payer->(), 'databases', '... and beneath the client');
	$session->quit;
	$node->safe_psql('postgres', q{ALTER DATABASE postgres RESET jibit.profile;
		ALTER ROLE ALL SET jibit.profile = 'others'});
	$session = jibit_session($node, settings => '-c jibit.profile=own');
	is($payer->(), 'others', 'so does what is set for all roles');
	$session->quit;
	$node->safe_psql('postgres', 'ALTER ROLE ALL RESET jibit.profile');

	system_or_bail('pg_ctl', '-w', '-D', $node->data_dir, '-l', $node->logfile,
		'-o', '--cluster-name=settings -c jibit.profile=others', 'restart');
	$session = jibit_session($node);
	is($payer->(), 'others', 'the command line counts above the files');
	$set_file->('databases');
	$reload->();
	is($payer->(), 'others', '... also after a reload');
	$session->quit;
	$node->stop;
}

# ---- by whose settings the worker goes, which runs as a role too

{
	my $node = jibit_node('worker', sandbox => $sandbox);
	my $session = jibit_session($node);

	# Asks the same again.
	my $is_cached = sub {
		my $hits = q{SELECT coalesce(sum(cache_hits), 0) FROM jibit_stats};
		my $before = $session->value($hits);
		my $id = $session->value(sprintf
			q{SELECT jibit_submit('card', '{"card": "%s"}')}, test_card(500));
		$session->value("SELECT jibit_collect($id, '1min')");
		return $session->value($hits) > $before;
	};

	$session->query(q{ALTER ROLE CURRENT_USER SET jibit.cache_ttl = '1h'});
	$session->query(q{ALTER SYSTEM SET jibit.worker_databases = 'postgres'});
	$node->reload;
	$is_cached->();
	ok(!$is_cached->(), 'a role\'s value does not count for the worker');
	$session->query(q{ALTER SYSTEM SET jibit.cache_ttl = '10min'});
	$node->reload;
	ok(poll_until($is_cached, 'an answer that is kept'),
		'... and hides none of the files\'');
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
