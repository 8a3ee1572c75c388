# A session that runs out of memory in a call, or in which libcurl fails:
# wherever that is, the call ends in time and with an error that says so, or
# with the whole answer, nothing is left behind, and the next call works.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What fails, and where: see test/preload/faults.c.
my $control = PostgreSQL::Test::Utils::tempdir() . '/control';

sub set_fault
{
	my ($pid, $n, $what) = @_;

	open my $file, (-e $control ? '+<' : '+>'), $control
	  or die "$control: $!\n";
	syswrite $file, pack 'lllZ116', $pid, $n, 0, $what;
	close $file;
	return;
}

# Ends it, and returns how many there have been.
sub end_fault
{
	my (undef, undef, $count) = unpack 'lll', slurp_file($control);

	set_fault(0, 0, '');
	return $count;
}

set_fault(0, 0, '');
# A sanitizer wants to be loaded first, and allocates by itself.
my $preload = (grep { /SAN_OPTIONS$/ } keys %ENV)
  ? undef
  : build_preload('faults',
	slurp_file("$ENV{JIBIT_TREE}/test/preload/faults.c"),
	"-DCONTROL=\"$control\"", '-Wl,-z,defs');
plan skip_all => 'no library can be loaded before the C library'
  unless $preload;

# Other settings of the same meaning: with each change libcurl begins anew.
my $dir = PostgreSQL::Test::Utils::tempdir();
my %ca = tls_ca("$dir/ca");
my @ca_files = ($ca{ca}, "$dir/same.crt");
append_to_file($ca_files[1], slurp_file($ca_files[0]));

my $sandbox = jibit_sandbox();
my $secure = jibit_sandbox(
	tls_cert => $ca{good}{cert},
	tls_key => $ca{good}{key});

# A place that is left taken, or a token's claim, fails the next call; one that
# does not end by itself is cancelled.
my $node = jibit_node(
	'faults',
	sandbox => $sandbox,
	preload => $preload,
	conf => <<~EOC);
		restart_after_crash = on
		statement_timeout = '10s'
		jibit.timeout = '3s'
		jibit.max_in_flight = 1
		EOC
jibit_store_credentials($node, profile => 'secure', sandbox => $secure);

my $call = sprintf q{SELECT jibit_card('%s')}, test_card(1);
my $track = qr/,[^,]*\)$/;
my ($answer) = $node->safe_psql('postgres', $call) =~ /^(.*)$track/
  or die 'no answer';

# What is wrong with how a call ended; nothing if it is one of the SQLSTATEs.
sub problem
{
	my ($result, @states) = @_;
	my $state = $result->{sqlstate} // '';

	return 'the session is gone' if $result->{gone};
	return if grep { $_ eq $state } @states;
	return $result->{stderr} if $state ne '';
	return if $result->{stdout} =~ /^\Q$answer\E$track/;
	return "the answer is $result->{stdout}";
}

# Lets one after the other fail until a call is not touched.  Options: profile,
# step; fresh, for a new session each time; states, which SQLSTATEs there may
# be beside 53200.
sub sweep
{
	my ($what, %options) = @_;
	my $profile = $options{profile} // 'default';
	my @states = ('53200', @{ $options{states} // [] });
	my $session = jibit_session($node);
	my ($n, $failed, @problems) = (1, 0);

	while (@problems < 5)
	{
		$session = jibit_session($node) if $options{fresh} || @problems;
		push @ca_files, shift @ca_files;
		$session->query("SET jibit.ca_file = '$ca_files[0]';
			SET jibit.profile = '$profile'; SELECT jibit_forget_tokens()");
		set_fault($session->pid, $n, $what);
		my %result = $session->query($call);
		my $count = end_fault();
		my $problem = problem(\%result, @states);

		if ($result{gone})
		{
			poll_until_up($node);
			$session = jibit_session($node);
		}
		else
		{
			my %next = $session->query($call);
			$problem //= problem(\%next);
			$problem //= 'the token is none'
			  unless $session->value("SELECT state FROM jibit_token_status
				WHERE profile = '$profile'") eq 'valid';
		}
		push @problems, "$n: $problem" if defined $problem;
		last if $count < $n && !$result{gone};
		$failed++;
		$n += $options{step} // 1;
	}
	is("@problems", '', "$what: $failed faults");
	cmp_ok($failed, '>', 0, '... at least one') unless $options{may_be_none};
	return;
}

# ---- memory

sweep('libcurl');
sweep('/jibit.so', fresh => 1);
sweep('libjson-c');
# OpenSSL says of some failures what it could not do, and not why, such as
# read a file of certificates. Newer ones of libssl allocate by libcrypto alone.
sweep(
	'libssl',
	profile => 'secure',
	states => ['JB009'],
	may_be_none => 1);
sweep(
	'libcrypto',
	profile => 'secure',
	step => 211,
	states => [ 'JB009', 'JB011' ]);

# ---- libcurl

sweep('curl_multi_setopt', states => ['XX000']);
sweep($_) foreach
  qw(curl_multi_add_handle curl_multi_remove_handle curl_multi_socket_action);

# One that says nothing any more.
{
	my $session = jibit_session($node, settings => '-c jibit.timeout=300ms');
	foreach my $what ('a call', "a token's call")
	{
		$session->query('SELECT jibit_forget_tokens()') if $what =~ /token/;
		set_fault($session->pid, -1, 'curl_multi_socket_action');
		my %result = $session->query($call);
		end_fault();
		is($result{constraint}, 'connection.timeout',
			"$what of which libcurl says nothing") or diag($result{stderr});
		%result = $session->query($call);
		is(problem(\%result), undef, '... the next call works');
	}
}

$node->stop;
done_testing();
