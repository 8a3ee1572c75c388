# What the measurements stand on: sandboxes, a cluster, sessions in it, the
# bare program, and a table of results.
#
# Everything is made in the folder JIBIT_BENCH_DIR and ends with the program.
# Nothing in the cluster's configuration is there to make it faster.

package JibitBench;

use strict;
use warnings;

use Carp;
use Exporter 'import';
use FindBin;
use IO::Handle;
use IPC::Open3;
use JSON::PP ();
use JibitNginx;
use POSIX ();
use Time::HiRes ();

our @EXPORT = qw(
  $cards_file
  @cards
  %sandboxes
  DELAY_MS
  build_bare
  compile_module
  pgbench
  make_certificates
  start_sandbox
  front_sandbox
  sandbox_calls
  check_calls
  settings
  start_cluster
  stop_cluster
  psql
  run_bare
  run_bare_multi
  processor_time
  processors
  place
  make_cards
  take_cards
  in_turn
  with_processor_time
  check_spread
  median
  quartiles
  with_quartiles
  report
  note
  print_report
);

our ($bindir, $dir, $sockets, $sandbox_program) =
  map { $ENV{"JIBIT_BENCH_$_"} // die "JIBIT_BENCH_$_ is not set: use make bench\n" }
  qw(BINDIR DIR SOCKETS SANDBOX);
our $cards_file = "$dir/cards";

# Those that run, by name; and paths that they need.
our %sandboxes;

# The card numbers, those of $cards_file.
our @cards;

use constant {
	# What the slow sandbox takes for an answer.
	DELAY_MS => 50,
	# Beyond this width of the middle half a figure says little.
	SPREAD_MAX => 0.2,
};

my $data = "$dir/data";
my $bare = "$FindBin::Bin/bare";
my $owner = $$;
my $cluster_runs;
my $next_card = 0;
my @children;

# ------------------------------------------------------------------- programs

# Runs a program and returns its output; dies with it when it fails.
sub output_of
{
	my (@command) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!\n";

	if ($pid == 0)
	{
		open STDERR, '>&', \*STDOUT;
		exec {$command[0]} @command or POSIX::_exit(127);
	}
	local $/ = undef;
	my $output = <$out> // '';
	close $out or die "@command: failed\n$output";
	return $output;
}

# Starts a program to talk to through pipes; its errors go to $dir/NAME.err.
sub start_talk
{
	my ($name, @command) = @_;
	my $errors = "$dir/$name.err";

	open my $err, '>', $errors or die "$errors: $!\n";
	my $pid = open3(my $in, my $out, '>&' . fileno($err), @command);
	$in->autoflush(1);
	push @children, $pid;
	return { pid => $pid, in => $in, out => $out, errors => $errors };
}

sub read_line
{
	my ($talk) = @_;
	my $line = readline $talk->{out};

	if (!defined $line)
	{
		open my $err, '<', $talk->{errors};
		die join('', 'a program has ended: ', <$err>), "\n";
	}
	chomp $line;
	return $line;
}

sub end_talk
{
	my ($talk) = @_;

	close $talk->{in};
	close $talk->{out};
	waitpid $talk->{pid}, 0;
	@children = grep { $_ != $talk->{pid} } @children;
	return;
}

END
{
	# Not `local $?`: what dies would exit with 0.
	my $status = $?;
	if (defined $owner && $$ == $owner)
	{
		kill 'TERM', @children if @children;
		stop_cluster() if $cluster_runs;
	}
	$? = $status;
}

# ------------------------------------------------------------ the bare program

sub build_bare
{
	my $flags = output_of('pkg-config', '--cflags', '--libs', 'libcurl', 'json-c');
	my @compiler = split ' ', $ENV{CC} // 'cc';

	output_of(@compiler, '-O2', '-Wall', '-Wextra', '-o', $bare, "$bare.c",
		split ' ', $flags);
	return split /\n/, output_of($bare, 'version');
}

# bare first: the microseconds of one inquiry in a process of its own. Without
# a card a sequence: an object on which ask(FIRST, COUNT) returns microseconds.
sub run_bare
{
	my ($sandbox, $card) = @_;

	local $ENV{JIBIT_BENCH_TOKEN} = $sandbox->{token};
	return output_of($bare, 'first', $sandbox->{url}, $sandbox->{ca}, $card) + 0
	  if defined $card;
	return bless start_talk('bare', $bare, 'sequence', $sandbox->{url},
		$sandbox->{ca}, $cards_file), 'JibitBench::Bare';
}

# A module for the server under test.
sub compile_module
{
	my ($source, $module) = @_;

	output_of(split(' ', $ENV{CC} // 'cc'), '-O2', '-fPIC', '-shared',
		"-I$ENV{JIBIT_BENCH_INCLUDE}", '-o', $module, $source);
	return;
}

# Many at a time: an object on which ask(FIRST, COUNT, CONCURRENCY) returns
# microseconds.
sub run_bare_multi
{
	my ($sandbox) = @_;

	local $ENV{JIBIT_BENCH_TOKEN} = $sandbox->{token};
	return bless start_talk('multi', $bare, 'multi', $sandbox->{url},
		$sandbox->{ca}, $cards_file), 'JibitBench::Bare';
}

# ---------------------------------------------------------------- certificates

# A throw-away authority and a server certificate of it for 127.0.0.1. The last
# file is what the server under test trusts: this authority behind $bundle.
sub make_certificates
{
	my ($bundle) = @_;
	my %paths = (
		ca => "$dir/ca.crt",
		cert => "$dir/server.crt",
		key => "$dir/server.key",
		bundle => "$dir/bundle.crt");
	my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);

	open my $extensions, '>', "$dir/server.ext" or die "$dir/server.ext: $!\n";
	print $extensions "subjectAltName = IP:127.0.0.1\n";
	close $extensions;
	output_of('openssl', 'req', '-x509', @key, '-subj', '/CN=measurements',
		'-days', 2, '-keyout', "$dir/ca.key", '-out', $paths{ca});
	output_of('openssl', 'req', '-new', @key, '-subj', '/CN=127.0.0.1',
		'-keyout', $paths{key}, '-out', "$dir/server.csr");
	output_of('openssl', 'x509', '-req', '-in', "$dir/server.csr", '-days', 2,
		'-CA', $paths{ca}, '-CAkey', "$dir/ca.key", '-CAcreateserial',
		'-extfile', "$dir/server.ext", '-out', $paths{cert});

	open my $out, '>', $paths{bundle} or die "$paths{bundle}: $!\n";
	foreach my $file ($bundle, $paths{ca})
	{
		next if $file eq '';
		open my $in, '<', $file or die "$file: $!\n";
		print {$out} readline $in;
	}
	close $out;
	return %paths;
}

# ------------------------------------------------------------------- sandboxes

# Starts a sandbox, its URL and a token for it in what is returned. `ca` is what
# a client must trust, '' for one without TLS.
sub start_sandbox
{
	my ($name, $ca, @options) = @_;
	my $talk = start_talk("sandbox-$name", $sandbox_program,
		'--exit-with-parent', @options);
	my ($url) = read_line($talk) =~ /^listening on (\S+)/
	  or die "the sandbox did not start\n";

	chomp(my $token = output_of($bare, 'token', $url, $ca));
	return { name => $name, url => $url, ca => $ca, token => $token };
}

# The same sandbox behind an nginx, which speaks HTTP/2; in the way of
# start_sandbox(), and `nginx`. No connection ends because it is old.
sub front_sandbox
{
	my ($sandbox, $name, $title, %paths) = @_;
	my $nginx = JibitNginx->new(
		dir => "$dir/nginx-$name",
		upstream => $sandbox->{url} =~ m{:(\d+)/},
		cert => $paths{cert},
		key => $paths{key},
		http2 => 1,
		settings => ['keepalive_requests 1000000']);

	return {
		name => $name,
		title => $title,
		url => $nginx->url,
		ca => $paths{ca},
		token => $sandbox->{token},
		nginx => $nginx };
}

# How many inquiries it has answered so far: every measurement is held to it.
sub sandbox_calls
{
	my ($sandbox) = @_;
	my $stats = JSON::PP::decode_json(
		output_of($bare, 'get', "$sandbox->{url}/v1/sandbox/stats", $sandbox->{ca}));

	return $stats->{card_to_iban};
}

# Every call must have reached the server, and no more than those.
sub check_calls
{
	my ($sandbox, $before, $count) = @_;
	my $served = sandbox_calls($sandbox) - $before;

	die "$sandbox->{name}: $served calls served, not $count\n"
	  if $served != $count;
	return;
}

# --------------------------------------------------------------------- cards

# So many different card numbers, with the check digit.
sub make_cards
{
	my ($count) = @_;

	open my $out, '>', $cards_file or die "$cards_file: $!\n";
	for my $i (0 .. $count - 1)
	{
		my $digits = sprintf '603769%09d', $i * 7919 % 1_000_000_000;
		my $sum = 0;
		for my $at (0 .. 14)
		{
			my $digit = substr $digits, $at, 1;
			$digit *= 2 if $at % 2 == 0;
			$sum += $digit > 9 ? $digit - 9 : $digit;
		}
		push @cards, $digits . (10 - $sum % 10) % 10;
		print $out "$cards[-1]\n";
	}
	close $out;
	return;
}

# So many that have not been asked for: no measurement asks for one twice. Returns
# the number of the first.
sub take_cards
{
	my ($count) = @_;
	my $first = $next_card;

	$next_card += $count;
	die "there are too few cards\n" if $next_card > @cards;
	return $first;
}

# ------------------------------------------------------------------- the server

# The lines of configuration that a sandbox needs.
sub settings
{
	return ('jibit.allow_http = on', "jibit.ca_file = '$sandboxes{bundle}'");
}

# Starts the cluster, which is made at the first time, with these lines in its
# configuration and no others.
sub start_cluster
{
	my (@settings) = @_;

	output_of("$bindir/initdb", '-D', $data, '-A', 'trust', '-E', 'UTF8',
		'--locale=C', '-U', 'postgres', '--no-sync')
	  unless -d $data;
	open my $conf, '>', "$data/postgresql.auto.conf" or die "$data: $!\n";
	print $conf map { "$_\n" } "listen_addresses = ''",
	  "unix_socket_directories = '$sockets'", @settings;
	close $conf;
	output_of("$bindir/pg_ctl", '-D', $data, '-l', "$dir/server.log", '-w', 'start');
	$cluster_runs = 1;
	return;
}

sub stop_cluster
{
	output_of("$bindir/pg_ctl", '-D', $data, '-w', '-m', 'fast', 'stop');
	$cluster_runs = 0;
	return;
}

# A session. Options: profile, database. query(SQL) returns the lines of the answer,
# columns separated by "|"; seconds() tells how long the latest took, seen from
# here; pid() is the server process.
sub psql
{
	my (%options) = @_;

	local $ENV{PGOPTIONS} =
	  $options{profile} ? "-c jibit.profile=$options{profile}" : '';
	my $session = bless start_talk('psql', "$bindir/psql", '-X', '-A', '-t',
		'-q', '-v', 'ON_ERROR_STOP=1', '-h', $sockets, '-U', 'postgres',
		$options{database} // 'postgres'), 'JibitBench::Session';
	$session->{backend} = $session->query('SELECT pg_backend_pid()');
	return $session;
}

# The microseconds that a process's first thread has run; undef where the
# system does not tell.
sub processor_time
{
	my ($pid) = @_;

	open my $in, '<', "/proc/$pid/schedstat" or return;
	return (split ' ', readline $in)[0] / 1000;
}

# The numbers of the processors to choose from; none where place() cannot be.
sub processors
{
	open my $in, '<', '/proc/self/status' or return;
	my ($list) = join('', readline $in) =~ /^Cpus_allowed_list:\s+(\S+)/m
	  or return;

	return if !grep { -x "$_/taskset" } split /:/, $ENV{PATH};
	return map { /^(\d+)-(\d+)$/ ? ($1 .. $2) : $_ } split /,/, $list;
}

# Holds processes to a processor.
sub place
{
	my ($processor, @pids) = @_;

	output_of('taskset', '-c', '-p', $processor, $_) foreach @pids;
	return;
}

# Runs what returns microseconds; returns them with the processor time that the
# process has used meanwhile, where the system tells it.
sub with_processor_time
{
	my ($pid, $measured) = @_;
	my $before = processor_time($pid);
	my $time = $measured->();

	return { time => $time } if !defined $before;
	return { time => $time, processor => processor_time($pid) - $before };
}

# The transactions a second that pgbench counts of a script, without those of
# connecting. `options` are the sessions'.
sub pgbench
{
	my ($clients, $seconds, $script, $options) = @_;

	open my $out, '>', "$dir/script.sql" or die "$dir/script.sql: $!\n";
	print $out $script;
	close $out;
	local $ENV{PGOPTIONS} = $options;
	my $output = output_of("$bindir/pgbench", '-n', '-c', $clients, '-j', $clients,
		'-T', $seconds, '-f', "$dir/script.sql", '-h', $sockets, '-U',
		'postgres', 'postgres');
	my ($rate) = $output =~ /^tps = ([0-9.]+)/m or die "pgbench: $output\n";
	return $rate;
}

# ------------------------------------------------------------------- statistics

# $round's two measurements, in one order or the other; returns both.
sub in_turn
{
	my ($round, $one, $other) = @_;
	my ($a, $b);

	$a = $one->() if $round % 2 == 0;
	$b = $other->();
	$a = $one->() if $round % 2 == 1;
	return ($a, $b);
}

sub quantile
{
	my ($share, @values) = @_;

	@values = sort { $a <=> $b } @values;
	my $at = $share * $#values;
	my $below = int $at;
	my $above = $below < $#values ? $below + 1 : $below;
	return $values[$below] + ($at - $below) * ($values[$above] - $values[$below]);
}

sub median
{
	return quantile(0.5, @_);
}

# The middle half.
sub quartiles
{
	return (quantile(0.25, @_), quantile(0.75, @_));
}

# A median with its middle half, as text.
sub with_quartiles
{
	return sprintf '%.2f (%.2f-%.2f)', median(@_), quartiles(@_);
}

# Says so under the table when the ratios are too far apart.
sub check_spread
{
	my ($what, @ratios) = @_;
	my ($low, $high) = quartiles(@ratios);

	note("UNSTEADY: $what: others were at work, repeat it.")
	  if $high - $low > SPREAD_MAX * median(@ratios);
	return;
}

# -------------------------------------------------------------------- the table

my (@rows, @notes);

# A line of the table: what was measured, by the bare program and by the
# extension (texts), their ratio, the target, and whether it was reached (undef
# where there is no target).
sub report
{
	my ($what, $by_bare, $by_jibit, $ratio, $target, $reached) = @_;

	push @rows,
	  [ $what, $by_bare, $by_jibit, $ratio, $target,
		defined $reached ? $reached ? 'yes' : 'NO' : '' ];
	return;
}

# A line below the table.
sub note
{
	push @notes, @_;
	return;
}

sub print_report
{
	my @titles = ('what', 'bare', 'jibit', 'ratio', 'target', 'reached');
	my @widths = map { length } @titles;

	foreach my $row (@rows)
	{
		foreach my $i (0 .. $#widths)
		{
			my $width = length $row->[$i];
			$widths[$i] = $width if $width > $widths[$i];
		}
	}
	my $line = sub {
		my ($what, @rest) = @_;
		my $text = sprintf "%-$widths[0]s", $what;
		$text .= sprintf "  %$widths[$_]s", $rest[ $_ - 1 ] for 1 .. $#widths;
		print "$text\n";
	};
	print "\n";
	$line->(@titles);
	$line->(map { '-' x $_ } @widths);
	$line->(@$_) foreach @rows;
	print "\n";
	print "$_\n" foreach @notes;
	return;
}

package JibitBench::Bare;

sub ask
{
	my ($self, $first, $count, @more) = @_;

	print { $self->{in} } join(' ', $first, $count, @more), "\n";
	my ($us, $found) = split ' ', JibitBench::read_line($self);
	die "bare: $found IBANs of $count\n" if $found != $count;
	return $us;
}

sub end { return JibitBench::end_talk($_[0]) }

package JibitBench::Session;

sub query
{
	my ($self, $sql) = @_;
	my @lines;
	my $started = Time::HiRes::time();

	print { $self->{in} } "$sql;\n\\echo end of answer\n";
	while ((my $line = JibitBench::read_line($self)) ne 'end of answer')
	{
		push @lines, $line;
	}
	$self->{seconds} = Time::HiRes::time() - $started;
	return wantarray ? @lines : $lines[0];
}

sub seconds { return $_[0]{seconds} }
sub pid { return $_[0]{backend} }

# The sum of these fields of a file of the server process in /proc, in kB.
sub kilobytes
{
	my ($self, $file, @fields) = @_;
	my $sum = 0;

	open my $in, '<', "/proc/$self->{backend}/$file"
	  or die "/proc/$self->{backend}/$file: $!\n";
	while (my $line = <$in>)
	{
		foreach my $field (@fields)
		{
			$sum += $1 if $line =~ /^$field:\s+(\d+) kB/;
		}
	}
	close $in;
	return $sum;
}

sub end { return JibitBench::end_talk($_[0]) }

1;
