# What the TAP tests share: a sandbox process, a cluster that uses it, errors
# taken apart, waiting for a condition, and certificates to be refused.
#
# It stands on PostgreSQL's own modules (15 to 19), IPC::Run as they need it,
# and core Perl. The harness sets JIBIT_SANDBOX, the sandbox's program.
#
#	use JibitTest;
#	my $sandbox = jibit_sandbox();
#	my $node = jibit_node('main', sandbox => $sandbox);
#	$sandbox->set(delay_ms => 500);
#	my %error = sql_error($node, q{SELECT jibit_card('6037...')});
#	is($error{sqlstate}, 'JB002', '...');

package JibitTest;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

our @EXPORT = qw(
  build_preload
  create_try
  jibit_sandbox
  jibit_node
  jibit_server
  jibit_session
  jibit_store_credentials
  parse_error
  poll_until
  poll_until_up
  read_request
  send_answer
  sql_error
  test_card
  tls_ca
);

# What the sandbox accepts without being told otherwise.
our $api_key = 'sandbox-key';
our $secret_key = 'sandbox-secret';

# Starts a sandbox on a port of its own; see JibitTest::Sandbox::start for the
# options. It ends with the test, however the test ends.
sub jibit_sandbox
{
	my (%options) = @_;

	return JibitTest::Sandbox->new(%options);
}

# Starts an HTTP server whose answers the test writes by itself; see
# JibitTest::Server::new. It ends with the test.
sub jibit_server
{
	my (%options) = @_;

	return JibitTest::Server->new(%options);
}

# Opens a session that stays: see JibitTest::Session.
sub jibit_session
{
	my ($node, %options) = @_;

	return JibitTest::Session->new($node, %options);
}

# A card number that is valid, another one for each $n below a billion.
sub test_card
{
	my ($n) = @_;
	my $digits = sprintf '603799%09d', $n;
	my $sum = 0;

	foreach my $i (0 .. 14)
	{
		my $digit = substr $digits, $i, 1;
		if ($i % 2 == 0)
		{
			$digit *= 2;
			$digit -= 9 if $digit > 9;
		}
		$sum += $digit;
	}
	return $digits . (10 - $sum % 10) % 10;
}

# Creates and starts a cluster with the extension in its database `postgres`,
# and stores the credentials of the profile `default`. Options:
#	sandbox     the sandbox whose URL to store
#	base_url    the URL, where it is another one
#	api_key, secret_key
#	conf        more lines for postgresql.conf
#	init        reference to a list of arguments for the node's init
#	start       0: configured, but neither started nor filled
#	preload     a library for LD_PRELOAD, until the server is started again
#	credentials 0: the extension without credentials
sub jibit_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(@{ $options{init} // [] });
	$node->append_conf('postgresql.conf', <<"EOC");
shared_preload_libraries = 'jibit'
jibit.allow_http = on
jibit.cache_ttl = 0
jibit.statement_cache = off
jibit.breaker_threshold = 0
@{[ $options{conf} // '' ]}
EOC
	return $node if defined $options{start} && !$options{start};
	{
		local $ENV{LD_PRELOAD} = $options{preload} if $options{preload};
		$node->start;
	}
	$node->safe_psql('postgres', 'CREATE EXTENSION jibit');
	jibit_store_credentials($node, %options)
	  unless defined $options{credentials} && !$options{credentials};
	return $node;
}

# Stores one row of credentials, replacing the profile's old one. By COPY: the
# nodes log every statement, and a test looks for keys in the log. Options as
# for jibit_node, and `profile` and `dbname`.
sub jibit_store_credentials
{
	my ($node, %options) = @_;
	my $profile = $options{profile} // 'default';
	my $url = $options{base_url}
	  // ($options{sandbox} ? $options{sandbox}->url : undef);
	my @row = (
		$profile,
		$options{api_key} // $api_key,
		$options{secret_key} // $secret_key);

	push @row, $url if defined $url;
	foreach my $field (@row)
	{
		$field =~ s/\\/\\\\/g;
		$field =~ s/\t/\\t/g;
		$field =~ s/\r/\\r/g;
		$field =~ s/\n/\\n/g;
	}
	(my $quoted = $profile) =~ s/'/''/g;
	$node->safe_psql(
		$options{dbname} // 'postgres',
		"BEGIN;\n"
		  . "DELETE FROM jibit_credentials WHERE profile = '$quoted';\n"
		  . 'COPY jibit_credentials (profile, api_key, secret_key'
		  . (defined $url ? ', base_url' : '')
		  . ") FROM STDIN;\n"
		  . join("\t", @row)
		  . "\n\\.\nCOMMIT;\n");
	return;
}

# Waits until &$condition returns something true, and returns that; after the
# usual time it says what it waited for and returns nothing.
sub poll_until
{
	my ($condition, $what) = @_;
	my $deadline =
	  Time::HiRes::time() + $PostgreSQL::Test::Utils::timeout_default;
	my $pause = 0.005;

	while (1)
	{
		my $value = $condition->();
		return $value if $value;
		last if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep($pause);
		$pause *= 1.5 if $pause < 0.1;
	}
	diag('timed out waiting for ' . ($what // 'a condition'));
	return;
}

# Likewise until the server takes connections, as after a crash.
sub poll_until_up
{
	my ($node) = @_;

	return poll_until(
		sub {
			return $node->psql(
				'postgres', 'SELECT 1',
				on_error_die => 0,
				stdout => \my $stdout,
				stderr => \my $stderr) == 0;
		},
		'the server after a crash');
}

# The handles of $select that have something to read, or have ended; none
# after the deadline. A signal ends can_read(), but not this.
sub wait_readable
{
	my ($select, $deadline) = @_;

	while ($select->count)
	{
		my $left = $deadline - Time::HiRes::time();
		last if $left <= 0;
		my @ready = $select->can_read($left);
		return @ready if @ready;
	}
	return;
}

# Creates try(query), which runs one and returns the SQLSTATE of its failure,
# or ok: for calls that must not end what makes them; and outcomes, a table of
# what it returned.
sub create_try
{
	my ($node) = @_;

	$node->safe_psql('postgres', <<'EOS');
CREATE FUNCTION try(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'ok';
EXCEPTION WHEN SQLSTATE 'JB000' THEN
	RETURN SQLSTATE;
END $$;
CREATE TABLE outcomes (outcome text);
EOS
	return;
}

# Builds a library of C for LD_PRELOAD, and returns its path; nothing where
# there is no compiler, or not one for this.
sub build_preload
{
	my ($name, $source, @libraries) = @_;
	my $path = PostgreSQL::Test::Utils::tempdir() . "/$name";
	my $output = '';

	append_to_file("$path.c", $source);
	return unless IPC::Run::run(
		[
			split(' ', $ENV{CC} // 'cc'),
			'-shared', '-fPIC', '-o', "$path.so", "$path.c", @libraries
		],
		'>&',
		\$output);
	return "$path.so";
}

# Runs $sql and returns the fields of the first error: sqlstate, message,
# detail, hint, context, schema, table, column, datatype, constraint, and
# severity; stdout and stderr are there as well. Nothing but these two when
# there was no error. Options: dbname (default postgres), and what
# PostgreSQL::Test::Cluster::psql takes.
sub sql_error
{
	my ($node, $sql, %options) = @_;
	my $dbname = delete $options{dbname} // 'postgres';
	my ($stdout, $stderr) = ('', '');

	push @{ $options{extra_params} }, '-v', 'VERBOSITY=verbose';
	# Only what psql itself could not do (no connection) is of interest here.
	$node->psql(
		$dbname, $sql,
		on_error_die => 0,
		%options,
		stdout => \$stdout,
		stderr => \$stderr);
	return (parse_error($stderr), stdout => $stdout, stderr => $stderr);
}

# The fields of the first error in psql's verbose output, as sql_error names
# them.
sub parse_error
{
	my ($stderr) = @_;
	my %names = (
		'DETAIL' => 'detail',
		'HINT' => 'hint',
		'CONTEXT' => 'context',
		'STATEMENT' => 'statement',
		'QUERY' => 'query',
		'LOCATION' => 'location',
		'SCHEMA NAME' => 'schema',
		'TABLE NAME' => 'table',
		'COLUMN NAME' => 'column',
		'DATATYPE NAME' => 'datatype',
		'CONSTRAINT NAME' => 'constraint');
	my ($field, %error);

	foreach my $line (split /\n/, $stderr)
	{
		if ($line =~
			/^(?:psql:[^:]*:\d+: )?(ERROR|FATAL|PANIC):  (\w{5}): (.*)$/)
		{
			last if %error;
			@error{qw(severity sqlstate message)} = ($1, $2, $3);
			$field = 'message';
		}
		elsif (!%error)
		{
			next;
		}
		elsif ($line =~ /^(?:psql:[^:]*:\d+: )?[A-Z]+:  \w{5}: /)
		{
			last;    # another message, a warning for instance
		}
		elsif ($line =~ /^([A-Z]+(?: NAME)?):  (.*)$/ && $names{$1})
		{
			$field = $names{$1};
			$error{$field} = $2;
		}
		else
		{
			$error{$field} .= "\n$line";
		}
	}
	return %error;
}

# Reads one request from a socket: {method, target, headers (names in lower
# case), body}; nothing at its end.
sub read_request
{
	my ($socket) = @_;
	my $text = '';

	until ($text =~ /\r\n\r\n/)
	{
		return unless sysread $socket, $text, 8192, length $text;
	}
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($line, @lines) = split /\r\n/, $head;
	my ($method, $target) = split / /, $line;
	my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } @lines;

	while (length $body < ($headers{'content-length'} // 0))
	{
		return unless sysread $socket, $body, 65536, length $body;
	}
	return {
		method => $method,
		target => $target,
		headers => \%headers,
		body => $body
	};
}

# Answers with a body of JSON, keeping the connection. @headers are lines.
sub send_answer
{
	my ($socket, $status, $body, @headers) = @_;

	return syswrite $socket,
	  join("\r\n",
		"HTTP/1.1 $status Answer",
		'Content-Type: application/json',
		'Content-Length: ' . length $body,
		@headers, '', $body);
}

# Makes a certification authority and server certificates in the folder $dir,
# and returns the paths: ca, and a pair {cert, key} for each of
#	good         127.0.0.1, ::1 and localhost
#	wrong_host   another host's
#	expired      good, but a year ago
#	self_signed  good, but signed by nobody
#	other_ca     good, but signed by an authority that `ca` does not know
sub tls_ca
{
	my ($dir) = @_;
	my $here = 'IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,DNS:localhost';
	my %paths = (ca => "$dir/ca.crt");
	my @new_key = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);

	mkdir $dir unless -d $dir;
	open my $conf, '>', "$dir/openssl.cnf" or die "$dir/openssl.cnf: $!\n";
	print $conf <<"EOC";
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[here]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = $here
[elsewhere]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:elsewhere.example
[ca]
default_ca = signing
[signing]
new_certs_dir = $dir
database = $dir/index.txt
serial = $dir/serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
EOC
	close $conf;

	my $openssl = sub {
		my ($command, @arguments) = @_;
		my $output = '';
		IPC::Run::run(
			[ 'openssl', $command, '-config', "$dir/openssl.cnf", @arguments ],
			'<', \undef, '>&', \$output)
		  or die "openssl $command @arguments: $output\n";
	};
	my $authority = sub {
		my ($name) = @_;
		$openssl->(
			'req', '-x509', @new_key,
			'-subj' => "/CN=$name for tests",
			'-extensions' => 'authority',
			'-days' => 3650,
			'-keyout' => "$dir/$name.key",
			'-out' => "$dir/$name.crt");
	};
	my $certificate = sub {
		my ($name, $ca, $extensions, $from, $to) = @_;
		my ($key, $cert) = ("$dir/$name.key", "$dir/$name.crt");
		$openssl->(
			'req', '-new', @new_key,
			'-subj' => "/CN=$name",
			'-keyout' => $key,
			'-out' => "$dir/$name.csr");
		$openssl->(
			'ca', '-batch', '-notext', '-create_serial',
			'-cert' => "$dir/$ca.crt",
			'-keyfile' => "$dir/$ca.key",
			'-extensions' => $extensions,
			'-startdate' => $from,
			'-enddate' => $to,
			'-in' => "$dir/$name.csr",
			'-out' => $cert);
		chmod 0600, $key;
		$paths{$name} = { cert => $cert, key => $key };
	};
	my $year = (gmtime)[5] + 1900;
	# A day in hand on either side, whatever the clock's zone.
	my @now = (($year - 1) . '0101000000Z', ($year + 9) . '0101000000Z');
	my @then = (($year - 3) . '0101000000Z', ($year - 1) . '0101000000Z');

	append_to_file("$dir/index.txt", '');
	$authority->('ca');
	$authority->('stranger');
	$certificate->('good', 'ca', 'here', @now);
	$certificate->('wrong_host', 'ca', 'elsewhere', @now);
	$certificate->('expired', 'ca', 'here', @then);
	$certificate->('other_ca', 'stranger', 'here', @now);
	$openssl->(
		'req', '-x509', @new_key,
		'-subj' => '/CN=self_signed',
		'-extensions' => 'here',
		'-days' => 3650,
		'-keyout' => "$dir/self_signed.key",
		'-out' => "$dir/self_signed.crt");
	$paths{self_signed} =
	  { cert => "$dir/self_signed.crt", key => "$dir/self_signed.key" };
	return %paths;
}

# --------------------------------------------------------------- the sandbox

package JibitTest::Sandbox;

use strict;
use warnings;

use Carp;
use HTTP::Tiny;
use IO::Select;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

my (@running, $count);

# Options are the program's own: `name => value` becomes --name=value (with
# dashes for underscores), and --name alone where the value is undef. Two are
# for this module: port (default 0, a free one) and args, a list passed as it is.
sub new
{
	my ($class, %options) = @_;
	my $self = bless {
		port => delete $options{port} // 0,
		args => [ @{ delete $options{args} // [] } ],
		log => "$PostgreSQL::Test::Utils::log_path/"
		  . File::Basename::basename($0, '.pl')
		  . '_sandbox'
		  . ($count++ ? $count : '') . '.log',
	}, $class;

	foreach my $name (sort keys %options)
	{
		(my $option = "--$name") =~ tr/_/-/;
		$option .= "=$options{$name}" if defined $options{$name};
		push @{ $self->{args} }, $option;
	}
	return $self->start;
}

# Starts the program, after stop on the port it had before, and waits for the
# URL that it prints. Returns the object.
sub start
{
	my ($self) = @_;
	my $program = $ENV{JIBIT_SANDBOX}
	  or croak 'JIBIT_SANDBOX must name the sandbox program';

	croak 'the sandbox is running already' if $self->{pid};
	pipe(my $read, my $write) or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0)
	{
		# The test's standard output is tied; only the descriptors matter. The
		# sandbox must not inherit what the test ignores.
		$SIG{PIPE} = 'DEFAULT';
		my $log = POSIX::open($self->{log},
			POSIX::O_WRONLY | POSIX::O_CREAT | POSIX::O_APPEND, 0644);
		my $null = POSIX::open('/dev/null', POSIX::O_RDONLY);
		POSIX::dup2($null, 0);
		POSIX::dup2(fileno($write), 1);
		POSIX::dup2($log, 2);
		exec {$program} ($program, "--port=$self->{port}",
			'--exit-with-parent', @{ $self->{args} })
		  or POSIX::_exit(127);
	}
	close $write;
	@{$self}{qw(pid owner stdout)} = ($pid, $$, $read);
	push @running, $self;

	my $deadline =
	  Time::HiRes::time() + $PostgreSQL::Test::Utils::timeout_default;
	my $select = IO::Select->new($read);
	my $output = '';
	my $url;
	until (($url) = $output =~ m{(https?://[^\s"'<>]+)\s})
	{
		if (   !JibitTest::wait_readable($select, $deadline)
			|| !sysread($read, $output, 4096, length $output))
		{
			$self->stop('KILL');
			die "the sandbox did not start: $output; see $self->{log}\n";
		}
	}
	($self->{url} = $url) =~ s{/$}{};
	($self->{port}) = $self->{url} =~ m{^https?://[^/]*:(\d+)};
	return $self;
}

sub url { return $_[0]{url} }
sub port { return $_[0]{port} }
sub pid { return $_[0]{pid} }
sub log { return $_[0]{log} }

# Ends the program by the signal named (default TERM) and waits for that.
sub stop
{
	my ($self, $signal) = @_;
	my $pid = delete $self->{pid} or return $self;

	@running = grep { $_ != $self } @running;
	kill $signal // 'TERM', $pid;
	my $tries = 0;
	until (waitpid($pid, POSIX::WNOHANG()) != 0)
	{
		kill 'KILL', $pid if ++$tries == 500;
		Time::HiRes::sleep(0.01);
	}
	close delete $self->{stdout};
	return $self;
}

# GET of a path below the URL, decoded from JSON; dies when the status is not
# 200.
sub get
{
	my ($self, $path) = @_;
	my $url = "$self->{url}$path";
	my $answer =
	  $url =~ /^https:/
	  ? _get_tls($url)
	  : HTTP::Tiny->new(timeout => 30, keep_alive => 0, proxy => undef,
		http_proxy => undef)->get($url);

	croak "GET $url: $answer->{status} $answer->{reason} $answer->{content}"
	  unless $answer->{status} == 200;
	return length $answer->{content}
	  ? JSON::PP->new->utf8->allow_nonref->decode($answer->{content})
	  : undef;
}

# HTTP::Tiny speaks TLS only with a module that is not core. The certificate
# is not verified: it may well be one that is meant to be refused.
sub _get_tls
{
	my ($url) = @_;
	my ($host, $path) = $url =~ m{^https://([^/]+)(/.*)?$};
	my $request = 'GET ' . ($path // '/') . " HTTP/1.0\r\nHost: $host\r\n\r\n";
	my ($output, $errors) = ('', '');

	IPC::Run::run(
		[ 'openssl', 's_client', '-quiet', '-connect', $host ],
		'<', \$request, '>', \$output, '2>', \$errors,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $output =~ m{^HTTP/\d(?:\.\d)? (\d+) ?([^\r\n]*)\r\n.*?\r\n\r\n(.*)$}s
	  ? { status => $1, reason => $2, content => $3 }
	  : { status => 599, reason => 'no answer', content => $errors };
}

# The controls. Each returns what the sandbox answered.
sub stats { return $_[0]->get('/v1/sandbox/stats') }
sub reset { return $_[0]->get('/v1/sandbox/reset') }

sub set
{
	my ($self, @values) = @_;
	return $self->get('/v1/sandbox/set' . _query(@values));
}

sub revoke
{
	my ($self, @values) = @_;
	return $self->get('/v1/sandbox/revoke' . _query(@values));
}

# The last $n requests that it received (default: all that it remembers), a
# list of hashes, the latest first.
sub requests
{
	my ($self, $n) = @_;
	my $answer = $self->get(
		'/v1/sandbox/requests' . (defined $n ? "?last=$n" : ''));
	return @{ $answer->{requests} };
}

# The input of that kind that asks for that fault: see the sandbox's --help.
sub magic
{
	my ($self, $kind, $fault, $variant) = @_;
	my $answer = $self->get(
		'/v1/sandbox/magic'
		  . _query(
			kind => $kind,
			fault => $fault,
			defined $variant ? (variant => $variant) : ()));
	return $answer->{value};
}

sub _query
{
	my (@values) = @_;
	my @pairs;

	while (my ($key, $value) = splice @values, 0, 2)
	{
		$value //= '';
		utf8::encode($value) if utf8::is_utf8($value);
		$value =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord $1)/ge;
		push @pairs, "$key=$value";
	}
	return @pairs ? '?' . join('&', @pairs) : '';
}

END
{
	# The exit status is the test's, and waitpid changes it: kept by hand, since
	# with `local $?` a test that dies would exit with 0.
	my $status = $?;
	# Each takes itself off the list. A forked child has none to stop.
	foreach my $sandbox (my @all = @running)
	{
		$sandbox->stop if $sandbox->{owner} == $$;
	}
	$? = $status;
}

# ------------------------------------------------------------ a session

# A psql that stays, for statements that others watch while they run:
#
#	my $session = jibit_session($node, user => 'somebody');
#	$session->send(q{SELECT jibit_card('6037...')});
#	...
#	my %result = $session->wait;     # what sql_error returns, or gone => 1
#	my %result = $session->query($sql);
#	my $stdout = $session->value($sql);
#
# Not Cluster's background_psql: it is another thing in each version.
package JibitTest::Session;

use strict;
use warnings;

use Carp;
use IO::Select;
use IPC::Open3 ();
use Symbol ();
use Time::HiRes ();

# Options: dbname (default postgres), user, settings (a string for PGOPTIONS).
sub new
{
	my ($class, $node, %options) = @_;
	my $dbname = $options{dbname} // 'postgres';
	my $connection = $node->connstr($dbname);
	my $self = bless { banner => 0, out => '', err => '' }, $class;
	my $stderr = Symbol::gensym();

	$connection .= " user=$options{user}" if defined $options{user};
	local $ENV{PGOPTIONS} = $options{settings} if defined $options{settings};
	local $ENV{PGAPPNAME} = 'session';
	$self->{process} = IPC::Open3::open3(
		my $stdin, my $stdout, $stderr,
		$node->installed_command('psql'),
		'-XAtq', '-d', $connection, '-f', '-', '-v', 'VERBOSITY=verbose');
	$stdin->autoflush(1);
	@{$self}{qw(stdin stdout stderr)} = ($stdin, $stdout, $stderr);
	my %answer = $self->query('SELECT pg_backend_pid()');
	croak "no session: $answer{stderr}" if $answer{gone};
	$self->{pid} = $answer{stdout};
	return $self;
}

# The process id of the session's backend.
sub pid { return $_[0]{pid} }

# Starts a statement, or several.
sub send
{
	my ($self, $sql) = @_;
	my $banner = 'banner ' . ++$self->{banner};
	my $input = "$sql\n;\n\\echo $banner\n\\warn $banner\n";

	local $SIG{PIPE} = 'IGNORE';
	print { $self->{stdin} } $input;
	return $self;
}

# Waits until what was sent has ended.
sub wait
{
	my ($self) = @_;
	my $banner = "banner $self->{banner}\n";
	my $deadline =
	  Time::HiRes::time() + $PostgreSQL::Test::Utils::timeout_default;
	my $select = IO::Select->new(grep { defined } @{$self}{qw(stdout stderr)});
	my $gone = 0;

	until ($self->{out} =~ /^\Q$banner\E/m && $self->{err} =~ /^\Q$banner\E/m)
	{
		my @ready = JibitTest::wait_readable($select, $deadline);

		if (!@ready)
		{
			$gone = 1 if !$select->count;
			last if $gone;
			croak "a session did not answer in time: $self->{out}$self->{err}";
		}
		foreach my $handle (@ready)
		{
			my $name = $handle == $self->{stdout} ? 'out' : 'err';
			$select->remove($handle)
			  unless sysread $handle, $self->{$name}, 65536,
			  length $self->{$name};
		}
	}
	my ($stdout, $stderr) = @{$self}{qw(out err)};
	@{$self}{qw(out err)} = ('', '');
	s/^\Q$banner\E//m foreach $stdout, $stderr;
	chomp $stdout;
	return (
		JibitTest::parse_error($stderr),
		stdout => $stdout,
		stderr => $stderr,
		gone => $gone);
}

sub query
{
	my ($self, $sql) = @_;

	return $self->send($sql)->wait;
}

# What a statement prints: nothing when it fails.
sub value
{
	my ($self, $sql) = @_;
	my %result = $self->query($sql);

	return $result{stdout};
}

# Ends the session, and waits for that.
sub quit
{
	my ($self) = @_;
	my $process = delete $self->{process} or return;

	local ($?, $!);
	close $self->{stdin};
	waitpid $process, 0;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	$self->quit;
	return;
}

# ------------------------------------------------------- a server by hand

# An HTTP server, or something that pretends to be one, on a port of its own.
# Each connection has a process of its own, which calls the test's code.
package JibitTest::Server;

use strict;
use warnings;

use Carp;
use IO::Select;
use IO::Socket::INET;
use POSIX ();

my @servers;

# Options:
#	handler   called with (server, socket) for each connection; it closes it by
#	          returning. Default: an API that gives tokens, and
#	inquiry   which is called with (server, socket, request) for every request
#	          but those for tokens; a false result ends the connection
#	token     called instead for those
#	host      address to listen on (default 127.0.0.1)
sub new
{
	my ($class, %options) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => $options{host} // '127.0.0.1',
		LocalPort => 0,
		Proto => 'tcp',
		Listen => 128) or die "no socket: $@\n";
	my ($file, $path) = File::Temp::tempfile(
		DIR => PostgreSQL::Test::Utils::tempdir_short());
	my $self = bless {
		%options,
		port => $listener->sockport,
		notes => $path,
		owner => $$,
	}, $class;

	close $file;
	$self->{url} = "http://127.0.0.1:$self->{port}/ide";
	# It ends when the test does, of which it hears through this pipe.
	pipe(my $end, $self->{life}) or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0)
	{
		my $null = POSIX::open('/dev/null', POSIX::O_RDWR);
		POSIX::dup2($null, $_) foreach 0 .. 2;
		close delete $self->{life};
		POSIX::setpgid(0, 0);
		$self->_serve($listener, $end);
		kill 'KILL', -$$;
	}
	close $end;
	close $listener;
	$self->{pid} = $pid;
	push @servers, $self;
	return $self;
}

sub url { return $_[0]{url} }
sub port { return $_[0]{port} }

sub _serve
{
	my ($self, $listener, $end) = @_;
	my $select = IO::Select->new($listener, $end);

	local @SIG{qw(CHLD PIPE TERM INT)} =
	  ('IGNORE', 'IGNORE', 'DEFAULT', 'DEFAULT');
	while (1)
	{
		return if grep { $_ == $end } $select->can_read;
		my $socket = $listener->accept or next;
		my $pid = fork;

		if (defined $pid && $pid == 0)
		{
			close $listener;
			$self->note('connection from ' . $socket->peerhost);
			eval { $self->_handle($socket); };
			$self->note("died: $@") if $@;
			close $socket;
			POSIX::_exit(0);
		}
		close $socket;
	}
	return;
}

sub _handle
{
	my ($self, $socket) = @_;

	return $self->{handler}->($self, $socket) if $self->{handler};
	while (my $request = JibitTest::read_request($socket))
	{
		$self->note(
			"$request->{method} $request->{target} "
			  . ($request->{headers}{'x-track-id'} // ''));
		if ($request->{target} =~ m{/v1/tokens/})
		{
			last
			  if $self->{token}
			  && !$self->{token}->($self, $socket, $request);
			JibitTest::send_answer($socket, 200,
				'{"accessToken":"access-by-hand","refreshToken":"refresh-by-hand"}'
			) unless $self->{token};
		}
		else
		{
			last unless $self->{inquiry}->($self, $socket, $request);
		}
	}
	return;
}

# Appends a line to the server's notes; for the handlers.
sub note
{
	my ($self, $line) = @_;

	open my $notes, '>>', $self->{notes} or return;
	$notes->autoflush(1);
	print $notes "$line\n";
	close $notes;
	return;
}

# The notes so far, those that match $pattern if it is given: a line for every
# connection (`connection from ADDRESS`), for every request (`METHOD TARGET
# TRACK_ID`), and what handlers noted.
sub notes
{
	my ($self, $pattern) = @_;
	open my $notes, '<', $self->{notes} or return;
	my @lines = <$notes>;

	close $notes;
	chomp @lines;
	return grep { !defined $pattern || /$pattern/ } @lines;
}

# Ends the server with all its connections.
sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	kill 'KILL', -$pid, $pid;
	waitpid $pid, 0;
	close delete $self->{life};
	return;
}

END
{
	my $status = $?;
	foreach my $server (@servers)
	{
		$server->stop if $server->{owner} == $$;
	}
	$? = $status;
}

1;
