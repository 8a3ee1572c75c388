# The worker's life: with the extension and its schema, with databases that
# come, go, are renamed and copied, with the list of them, on a standby that
# is promoted, and when there is nothing to do.

use strict;
use warnings;

use JibitQueue;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $sandbox = jibit_sandbox();
my $node = jibit_node(
	'queue_databases',
	sandbox => $sandbox,
	init => [ allows_streaming => 1 ],
	conf => "jibit.worker_databases = 'postgres, \"Second\", third'\n");
my $queue = jibit_queue($node);

sub sql { return $queue->sql(@_) }
sub set_conf { return $queue->set_conf(@_) }

# The databases that have a worker.
sub workers
{
	return sql(
		q{SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_stat_activity WHERE backend_type = 'jibit worker'}
	);
}

sub wait_for_workers
{
	my ($expected, $what) = @_;
	return ok(poll_until(sub { workers() eq $expected }, $what), $what)
	  || diag('workers: ' . workers());
}

# A statement and how long it takes, in ms; it must succeed, and not hang.
sub timed
{
	my ($query) = @_;
	local $ENV{PGOPTIONS} =
	  "-c statement_timeout=${PostgreSQL::Test::Utils::timeout_default}s";
	my $began = Time::HiRes::time();
	my %error = sql_error($node, $query);

	is($error{sqlstate}, undef, "$query succeeds") or diag($error{stderr});
	return (Time::HiRes::time() - $began) * 1000;
}

wait_for_workers('postgres', 'a worker where the database exists');

# ---- idle, also without the extension

{
	set_conf('jibit.worker_databases', q{'postgres, bare'});
	sql('CREATE DATABASE bare');
	wait_for_workers('bare,postgres', 'a worker where there is no extension');
	# Every process of the server has its part in this.
	sql('CREATE DATABASE other');
	timed('DROP DATABASE other');

	my @databases = qw(postgres bare);
	# Seen from another database: nobody else has a session in these.
	my $elsewhere = jibit_queue($node, 'template1');
	# Of each database, the transactions and the time of its worker.
	my $look = sub {
		return map {
			my ($transactions, $worker) = split /\|/, $elsewhere->sql(
				qq{SELECT xact_commit + xact_rollback, pid
					FROM pg_stat_database d JOIN pg_stat_activity a USING (datname)
					WHERE datname = '$_' AND backend_type = 'jibit worker'});
			my @fields =
			  split / /, (slurp_file("/proc/$worker/stat") =~ s/.*\) //r);
			[ $transactions, $fields[11] + $fields[12] ];
		} @databases;
	};
	$queue->disconnect;
	my @before = $look->();
	# Nothing can be waited for here: that little happens is what is tested.
	Time::HiRes::sleep(6);
	my @after = $look->();
	$elsewhere->disconnect;
	foreach my $i (0 .. $#databases)
	{
		cmp_ok($after[$i][0] - $before[$i][0],
			'<=', 8, "$databases[$i]: an idle worker looks seldom");
		cmp_ok($after[$i][1] - $before[$i][1],
			'<=', 5, '... and does next to nothing');
	}

	my $bare = jibit_queue($node, 'bare');
	$bare->sql('CREATE EXTENSION jibit');
	jibit_store_credentials($node, dbname => 'bare', sandbox => $sandbox);
	$bare->submit($bare->cards(3));
	ok($bare->wait_until_done, '... but begins once there is the extension');
	$bare->disconnect;
	set_conf('jibit.worker_databases', 'DEFAULT');
	wait_for_workers('postgres', '... and is gone again');
	sql('DROP DATABASE bare');
}

# ---- databases that come and go

{
	sql('CREATE DATABASE "Second"');
	wait_for_workers('Second,postgres', 'a database that comes into being');
	# No extension yet.
	my $second = jibit_queue($node, 'Second');
	$second->sql('CREATE EXTENSION jibit');
	jibit_store_credentials($node, dbname => 'Second', sandbox => $sandbox);
	my @theirs = $second->submit($second->cards(30));
	my @ids = $queue->submit($queue->cards(30));
	ok($second->wait_until_done, 'a worker finds an extension that was not there');
	ok($queue->wait_until_done, '... and two databases work side by side');
	is($second->states, 'succeeded 30', '... with success');
	is($queue->states, 'succeeded 30', '... in both');

	# Commands that need a database for themselves, once it is off the list.
	$sandbox->set(delay_ms => 20_000);
	$second->submit($second->cards(30));
	poll_until(sub { $sandbox->stats->{in_flight} >= 16 }, 'calls');
	$second->disconnect;
	set_conf('jibit.worker_databases', q{'postgres'});
	wait_for_workers('postgres', 'a database that is taken off the list');
	cmp_ok(timed('ALTER DATABASE "Second" RENAME TO third'),
		'<', 4000, 'renamed under load');
	$sandbox->set(delay_ms => 0);
	set_conf('jibit.worker_databases', 'DEFAULT');
	wait_for_workers('postgres,third', '... a worker of the new name');
	my $third = jibit_queue($node, 'third');
	ok($third->wait_until_done, '... which goes on');
	is($third->states, 'succeeded 60', '... and finishes');

	# Copied: the copy asks nothing by itself, its worker being another one.
	$third->disconnect;
	set_conf('jibit.worker_databases', q{'postgres'});
	wait_for_workers('postgres', '... and again');
	cmp_ok(timed('CREATE DATABASE copy TEMPLATE third'),
		'<', 4000, 'used as a template');
	set_conf('jibit.worker_databases', 'DEFAULT');
	wait_for_workers('postgres,third', '... the worker comes back');
	my %error = sql_error($node, 'DROP DATABASE nothing');
	is($error{sqlstate}, '3D000', 'a database that does not exist');
	if ($node->pg_version < 19)
	{
		%error = sql_error($node, 'DROP DATABASE third');
		is($error{sqlstate}, '55006', 'a worker on the list is in the way');
	}
	cmp_ok(timed('DROP DATABASE third WITH (FORCE)'), '<', 4000,
		'dropped, by force also with its worker');
	wait_for_workers('postgres', '... and its worker is gone');

	# Somebody who may not drop it does not disturb the worker.
	my $worker = $queue->worker;
	sql('CREATE ROLE stranger LOGIN');
	%error = sql_error($node, 'SET ROLE stranger; DROP DATABASE postgres',
		dbname => 'copy');
	is($error{sqlstate}, '42501', 'a stranger drops nothing');
	sql('ALTER ROLE stranger CREATEDB');
	%error = sql_error($node,
		'SET ROLE stranger; CREATE DATABASE theirs TEMPLATE postgres',
		dbname => 'copy');
	is($error{sqlstate}, '42501', '... nor copies what is not a template');
	is($queue->worker, $worker, '... nor disturbs the worker');
}

# ---- an owner who is no superuser

{
	set_conf('jibit.worker_databases', q{'postgres, theirs'});
	sql('CREATE ROLE owner LOGIN CREATEDB');
	sql('CREATE DATABASE theirs OWNER owner');
	my $theirs = jibit_queue($node, 'theirs');
	$theirs->sql('CREATE EXTENSION jibit');
	jibit_store_credentials($node, dbname => 'theirs', sandbox => $sandbox);
	$sandbox->reset;
	$sandbox->set(delay_ms => 20_000);
	$theirs->submit($theirs->cards(30));
	$theirs->wait_for(
		q{(SELECT count(*) >= 16 FROM jibit_queue WHERE state = 'running')},
		'calls');
	$theirs->sql('GRANT ALL ON jibit_queue TO owner');
	$theirs->disconnect;
	set_conf('jibit.worker_databases', q{'postgres'});
	wait_for_workers('postgres', 'a database that is taken off the list');
	cmp_ok(timed('SET ROLE owner; DROP DATABASE theirs WITH (FORCE)'),
		'<', 4000, '... drops it under load');
	$sandbox->set(delay_ms => 0);
	set_conf('jibit.worker_databases', 'DEFAULT');
}

# What an owner puts into the tables is not run by a superuser.
{
	sql('CREATE ROLE low');
	sql('CREATE TABLE seen (who name, super boolean)');
	sql('GRANT INSERT ON seen TO low');
	sql(q{CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO public.seen SELECT current_user, rolsuper
			FROM pg_catalog.pg_roles WHERE rolname = current_user;
			RETURN NEW;
		END $$});
	sql("ALTER TABLE $_ OWNER TO low") foreach qw(jibit_queue jibit_pauses);
	sql('CREATE TRIGGER see BEFORE UPDATE ON jibit_queue FOR EACH ROW EXECUTE FUNCTION see()');
	sql('CREATE TRIGGER see BEFORE INSERT ON jibit_pauses FOR EACH ROW EXECUTE FUNCTION see()');
	my ($id) = $queue->submit($queue->cards(1));
	ok($queue->wait_for_state($id, 'succeeded'), 'tables of an ordinary role');
	sql(q{INSERT INTO jibit_credentials VALUES ('nobody', 'key', 'secret', 'ftp://nowhere')});
	$id = sql(q{SELECT jibit_submit('card', '{"card": "6037991234567893"}', 'nobody')});
	ok($queue->wait_for(q{(SELECT count(*) = 1 FROM jibit_pauses)}, 'a pause'),
		'... pauses too');
	is(sql('SELECT DISTINCT who, super FROM seen'), 'low|f', '... with its rights');
	sql("SELECT jibit_cancel($id)");
	sql('DELETE FROM jibit_pauses');
	foreach my $table (qw(jibit_queue jibit_pauses))
	{
		sql("DROP TRIGGER see ON $table");
		sql("ALTER TABLE $table OWNER TO CURRENT_USER");
	}
	sql('DROP TABLE seen; DROP FUNCTION see(); DROP ROLE low');
}

# ---- the list

{
	set_conf('jibit.worker_databases', q{'copy'});
	wait_for_workers('copy', 'the list: by a reload one ends, another starts');
	my ($id) = $queue->submit($queue->cards(1));
	is(sql("SELECT state FROM jibit_collect($id, '500ms')"),
		'queued', '... without a worker a request waits');
	set_conf('jibit.worker_databases', q{''});
	wait_for_workers('', '... all end');
	my %error = sql_error($node,
		q{ALTER SYSTEM SET jibit.worker_databases = 'a,,b'});
	is($error{sqlstate}, '22023', 'a list that is none is refused');
	set_conf('jibit.worker_databases', 'DEFAULT');
	wait_for_workers('postgres', '... and back');
	ok($queue->wait_for_state($id, 'succeeded'), 'what waited runs');

	# Nothing but the catalog tells that connections are allowed again.
	my $offset = -s $node->logfile;
	set_conf('jibit.worker_databases', q{'postgres, copy, coppy, template1'});
	wait_for_workers('copy,postgres,template1', 'one in a template');
	like(
		slurp_file($node->logfile, $offset),
		qr/LOG:  database "coppy" of jibit\.worker_databases does not exist/,
		'a database that is misspelt is told');
	set_conf('jibit.worker_databases', q{'postgres, copy'});
	wait_for_workers('copy,postgres', 'a worker in each of two');
	sql('ALTER DATABASE copy ALLOW_CONNECTIONS false');
	sql('SELECT pg_reload_conf()');
	wait_for_workers('postgres', '... not where no connections are allowed');
	Time::HiRes::sleep(1);    # the launcher has looked at that, too
	sql('ALTER DATABASE copy ALLOW_CONNECTIONS true');
	wait_for_workers('copy,postgres', '... and back once they are');
	set_conf('jibit.worker_databases', 'DEFAULT');
	wait_for_workers('postgres', '... and its worker ends');
	sql('DROP DATABASE copy');
}

# ---- settings of the database

{
	my $worker = $queue->worker;
	sql('CREATE ROLE weak');
	sql('ALTER DATABASE postgres SET role = weak');
	sql('ALTER DATABASE postgres SET extra_float_digits = -10');
	sql("SELECT pg_terminate_backend($worker)");
	$queue->worker($worker);
	my $id =
	  sql(q{SELECT jibit_submit('postal_location', '{"code": "1234567890"}')});
	ok( $queue->wait_for_state($id, 'succeeded'),
		'a role that the database sets is not the worker\'s');
	is( sql("SELECT result ->> 'latitude' FROM jibit_queue WHERE id = $id"),
		sql(q{SELECT latitude FROM jibit_postal_location('1234567890')}),
		'... and numbers keep their digits');
	sql("ALTER DATABASE postgres RESET $_") foreach qw(role extra_float_digits);
	sql('DROP ROLE weak');
}

# ---- the extension

{
	my $worker = $queue->worker;
	$queue->clear($sandbox, delay_ms => 20);
	foreach my $round (1 .. 5)
	{
		$queue->submit($queue->cards(200));
		poll_until(sub { $sandbox->stats->{in_flight} >= 8 }, 'calls');
		my %error = sql_error($node, 'DROP EXTENSION jibit');
		is($error{sqlstate}, undef, 'dropped under load')
		  or diag($error{stderr});
		my $calls = $sandbox->stats->{card};
		sql('CREATE EXTENSION jibit');
		jibit_store_credentials($node, sandbox => $sandbox);
	}
	$sandbox->set(delay_ms => 0);
	$queue->submit($queue->cards(20));
	ok($queue->wait_until_done, 'created anew');
	is($queue->states, 'succeeded 20', '... it works');
	is($queue->worker, $worker, '... with the same worker');

	# Another schema.
	sql('DROP EXTENSION jibit; CREATE SCHEMA elsewhere; CREATE EXTENSION jibit SCHEMA elsewhere');
	sql('ALTER DATABASE postgres SET search_path = elsewhere, public');
	$queue->disconnect;
	jibit_store_credentials($node, sandbox => $sandbox);
	$sandbox->reset;
	$sandbox->set(delay_ms => 20);
	my @ids = $queue->submit($queue->cards(200));
	poll_until(sub { $sandbox->stats->{card} >= 20 }, 'calls');
	sql('ALTER DATABASE postgres SET search_path = somewhere, public');
	sql('ALTER SCHEMA elsewhere RENAME TO somewhere');
	$queue->disconnect;
	ok($queue->wait_until_done, 'its schema is renamed under load');
	is($queue->states("id BETWEEN $ids[0] AND $ids[-1]"),
		'succeeded 200', '... all succeed');
	is($queue->worker, $worker, '... with the same worker');
	sql('DROP EXTENSION jibit; CREATE EXTENSION jibit SCHEMA public');
	sql('ALTER DATABASE postgres RESET search_path');
	$queue->disconnect;
	jibit_store_credentials($node, sandbox => $sandbox);
	$queue->submit($queue->cards(1));
	ok($queue->wait_until_done, '... and all is as before');
}

# ---- pg_dump

{
	$queue->clear($sandbox);
	sql('DELETE FROM jibit_queue');
	my @ids = $queue->submit($queue->cards(3));
	$queue->wait_until_done;
	sql(q{SELECT jibit_submit('card', '{"card": "waiting"}', NULL, 'infinity')});
	my $dump = $node->data_dir . '/../dump.sql';
	$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ],
		'pg_dump');
	sql('CREATE DATABASE restored');
	$node->command_ok(
		[
			'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d',
			$node->connstr('restored')
		],
		'... restored');
	my $restored = jibit_queue($node, 'restored');
	is($restored->states, 'succeeded 3', '... what has finished, and that only');
	jibit_store_credentials($node, dbname => 'restored', sandbox => $sandbox);
	my ($next) = $restored->submit($restored->cards(1));
	cmp_ok($next, '>', $ids[-1], '... new ids go on');
	$restored->disconnect;
	sql(q{SELECT jibit_cancel(id) FROM jibit_requests WHERE state = 'queued'});
}

# ---- a standby

{
	$queue->clear($sandbox, delay_ms => 50);
	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'base', has_streaming => 1);
	$standby->append_conf('postgresql.conf', "jibit.worker_concurrency = 4\n");
	$standby->start;
	my $there = jibit_queue($standby);
	my @ids = $queue->submit($queue->cards(300));
	poll_until(sub { $sandbox->stats->{card} >= 30 }, 'calls');
	my %error = sql_error($standby,
		q{SELECT jibit_submit('card', '{"card": "1"}')});
	is($error{sqlstate}, '25006', 'a standby takes no requests');
	%error = sql_error($standby, 'SELECT jibit_cancel(1)');
	is($error{sqlstate}, '25006', '... nor cancels');
	is( $there->sql(
			q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'jibit%'}
		),
		0, '... and has no worker');
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	$node->stop('immediate');
	$queue->disconnect;
	$standby->promote;
	ok($there->wait_until_done, 'promoted, it finishes the queue');
	is($there->states("id BETWEEN $ids[0] AND $ids[-1]"),
		'succeeded 300', '... with success');
	is($there->sql("SELECT state IS NULL FROM jibit_collect(-1)"),
		't', '... and collects');
	my $calls = $sandbox->stats->{card};
	cmp_ok($calls, '<=', 300 + 3 * 16, "... by $calls calls");
	ok(slurp_file($standby->logfile) !~ /PANIC|TRAP|terminated by signal/,
		'nothing crashed there');
	$standby->stop;
}

my $log = slurp_file($node->logfile);
ok($log !~ /PANIC|TRAP|terminated by signal/, 'nothing crashed');
ok($log !~ /deadlock detected/, 'nor was there a deadlock');
ok($log !~ /background worker "jibit worker" .* exit code [^0]/,
	'nor did a worker fail');

done_testing();
