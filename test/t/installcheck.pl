# `make installcheck` on a server that has the library preloaded, and nothing
# else for it: the tests pass, and the server's own settings are kept.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('installcheck');

# Runs it as the database user $user, with more arguments for make; returns its
# status and output.
sub installcheck
{
	my ($user, @arguments) = @_;
	my $output = '';

	local @ENV{qw(PGHOST PGPORT)} = ($node->host, $node->port);
	local $ENV{PGUSER} = $user if defined $user;
	IPC::Run::run(
		[
			$ENV{MAKE} // 'make', '-C', $ENV{JIBIT_TREE}, 'installcheck',
			@arguments
		],
		'<', \undef, '>&', \$output,
		IPC::Run::timeout(4 * $PostgreSQL::Test::Utils::timeout_default));
	return ($?, $output);
}

# What ALTER SYSTEM has set.
sub settings
{
	return $node->safe_psql('postgres', <<'EOS');
SELECT string_agg(name || ' = ' || setting, E'\n' ORDER BY name)
FROM pg_file_settings WHERE sourcefile ~ 'auto\.conf$'
EOS
}

$node->init;
$node->start;

# ---- what the server lacks is said, before a test fails of it

$node->safe_psql('postgres', 'CREATE ROLE somebody LOGIN');
foreach my $case (
	[ 'nobody_known', 'a role that is not there', 'set PGUSER' ],
	[ 'somebody', 'one that is no superuser', 'set PGUSER to a superuser' ],
	[ undef, 'no library', 'set shared_preload_libraries' ])
{
	my ($user, $what, $advice) = @$case;
	my ($status, $output) = installcheck($user);
	isnt($status, 0, "$what: the tests are not run");
	like($output, qr/^installcheck: \Q$advice\E/m, '... and what to set is said');
}

# ---- the tests

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'jibit'");
$node->restart;
my ($status, $output) = installcheck();
is($status, 0, 'the tests pass on a server with the library') or diag($output);
is(settings(), '', '... and leave no settings');

$node->safe_psql('postgres', 'CREATE EXTENSION jibit');
$node->safe_psql('postgres', "ALTER SYSTEM SET $_") foreach (
	q{jibit.worker_databases = 'postgres, "Some Database"'},
	q{jibit.allow_http = off},
	q{jibit.breaker_threshold = 7},
	q{jibit.worker_concurrency = 3});
$node->reload;
my $before = settings();
# Those that set something.
($status, $output) =
  installcheck(undef, 'REGRESS=readme install caches queue');
is($status, 0, '... and where it has settings') or diag($output);
is(settings(), $before, '... which are there afterwards');

$node->stop;
done_testing();
