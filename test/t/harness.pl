# What the tests stand on tells the truth: a test that dies is a failure, and a
# wait is not over before its time.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(setitimer ITIMER_REAL);

my $dir = PostgreSQL::Test::Utils::tempdir();
my $tree = $ENV{JIBIT_TREE};

# Writes a test and returns its path.
sub test_file
{
	my ($name, $text) = @_;
	append_to_file("$dir/$name.pl", $text);
	return "$dir/$name.pl";
}

# Runs a program; its output is returned and its status is in $?.
sub output_of
{
	my (@command) = @_;
	my $output = '';
	IPC::Run::run(\@command, '>&', \$output,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $output;
}

# ---- the exit status of what dies

{
	my %modules = (
		JibitTest => 'jibit_sandbox(); jibit_server(inquiry => sub { });',
		JibitNginx => '',
		JibitBench => '');

	# For the measurements' module; nothing is started.
	local @ENV{ map { "JIBIT_BENCH_$_" } qw(BINDIR DIR SOCKETS SANDBOX) } =
	  ($dir) x 4;
	foreach my $module (sort keys %modules)
	{
		my $file = test_file($module, "use $module; $modules{$module} \$! = 7; die");
		my $output = output_of($^X, "-I$tree/test/bench",
			(map { "-I$_" } @INC), $file);
		# The status of such a death, and of no other one.
		is($? >> 8, 7, "a program with $module that dies") or diag($output);
	}
}

# ---- what test/harness/check makes of it

# The sum that it prints for some tests.
sub sum_of
{
	my (@files) = @_;
	my $output = output_of('bash', '-c', <<'EOS',
. test/harness/check
JIBIT_WORK=$1 JIBIT_SOCKETS=$2 JIBIT_USER=$USER JIBIT_REGRESS_PROGRAM=
JIBIT_PGXS_TEST=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
JIBIT_LIBDIR=${LD_LIBRARY_PATH:-}
rm -rf "$1"
mkdir -p "$1/log" "$1/run/home"
run_tap "${@:3}"
echo "$passed passed, $failed failed"
EOS
		'check', "$dir/work", PostgreSQL::Test::Utils::tempdir_short(), @files);
	my ($sum) = $output =~ /^(\d+ passed, \d+ failed)$/m;
	return $sum // $output;
}

my %tests = (
	passes => 'pass(); done_testing();',
	fails => 'fail(); done_testing();',
	dies => 'pass(); die;',
	# PostgreSQL 19's modules set such a handler.
	dies_with_plan => 'pass(); $SIG{__DIE__} = sub { done_testing() }; die;',
	is_killed => 'pass(); done_testing(); $| = 1; kill KILL => $$;');
my %file = map {
	$_ => test_file($_, "use JibitTest; use Test::More; $tests{$_}")
} keys %tests;

is(sum_of($file{passes}), '1 passed, 0 failed', 'a test that passes');
is(sum_of(@file{qw(fails dies)}),
	'1 passed, 2 failed', 'one that dies without a plan, beside one that fails');
is(sum_of($file{dies_with_plan}),
	'1 passed, 1 failed', 'one that dies with a plan');
is(sum_of(@file{qw(fails dies_with_plan)}),
	'1 passed, 2 failed', '... beside one that fails');
is(sum_of(@file{qw(fails is_killed)}),
	'1 passed, 2 failed', 'one that is killed after its plan');

# ---- a signal while a session waits

{
	my $node = PostgreSQL::Test::Cluster->new('harness');
	$node->init;
	$node->start;
	my ($holding, $waiting) = map { jibit_session($node) } 1 .. 2;
	my $signals = 0;

	$holding->query('SELECT pg_advisory_lock(1)');
	$waiting->send('SELECT pg_advisory_lock(1)');
	local $SIG{ALRM} = sub {
		$holding->query('SELECT pg_advisory_unlock(1)') if ++$signals == 2;
	};
	setitimer(ITIMER_REAL, 0.1, 0.1);
	my %result = eval { $waiting->wait };
	setitimer(ITIMER_REAL, 0);
	is($@, '', 'a signal does not end a wait');
	ok(!$result{gone} && !defined $result{sqlstate}, '... which succeeds')
	  or diag($result{stderr});
	cmp_ok($signals, '>=', 2, "... after $signals signals");
	$node->stop;
}

done_testing();
