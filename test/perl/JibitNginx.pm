# An nginx of one's own in front of a sandbox: TLS, and HTTP/2 where asked for.
# It runs as whoever starts it, on a free port of the loopback interface, with
# everything it writes in one folder, and ends with the program.
#
# Core Perl alone, since tests and measurements share it.
#
#	my $nginx = JibitNginx->new(
#		dir => "$dir/nginx", upstream => $sandbox->port,
#		cert => $cert, key => $key, http2 => 1,
#		settings => [ 'keepalive_requests 20' ]);
#	$nginx->url;           # https://127.0.0.1:PORT/ide
#	$nginx->requests;      # what it served: connection, protocol, status, uri

package JibitNginx;

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Time::HiRes ();

my @running;

# The program, or nothing and the reason why there is none to use.
sub find
{
	foreach my $dir (split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin')
	{
		next unless -x "$dir/nginx";
		my $about = `'$dir/nginx' -V 2>&1`;
		return (undef, "$dir/nginx has no HTTP/2")
		  if $about !~ /--with-http_v2_module/;
		return "$dir/nginx";
	}
	return (undef, 'nginx is not installed');
}

# Options: dir, upstream (the sandbox's port), cert, key; http2; settings, lines
# for the server without their semicolon; workers (default 1).
sub new
{
	my ($class, %options) = @_;
	my $self = bless {%options}, $class;

	($self->{program}) = find();
	die "there is no nginx\n" if !defined $self->{program};
	mkdir $self->{dir} or die "$self->{dir}: $!\n" unless -d $self->{dir};
	foreach my $try (1 .. 5)
	{
		$self->_choose_port;
		return $self if $self->start;
	}
	die "nginx did not start; see $self->{dir}/error.log\n";
}

sub _choose_port
{
	my ($self) = @_;
	my $socket = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Listen => 1) or die "no port: $@\n";

	$self->{port} = $socket->sockport;
	return;
}

sub _write_configuration
{
	my ($self) = @_;
	my $dir = $self->{dir};
	my $workers = $self->{workers} // 1;
	my $http2 = $self->{http2} ? ' http2' : '';
	my $settings = join "\n\t\t", map { "$_;" } @{ $self->{settings} // [] };
	my $temporary = join "\n\t", map { "${_}_temp_path $dir/$_;" }
	  qw(client_body proxy fastcgi uwsgi scgi);

	open my $conf, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!\n";
	print $conf <<"EOC";
daemon off;
worker_processes $workers;
error_log $dir/error.log;
pid $dir/nginx.pid;
events {
	worker_connections 4096;
}
http {
	log_format requests '\$connection \$server_protocol \$status \$request_uri';
	access_log $dir/access.log requests;
	$temporary
	upstream sandbox {
		server 127.0.0.1:$self->{upstream} max_fails=0;
		keepalive 256;
		keepalive_requests 1000000;
	}
	server {
		listen 127.0.0.1:$self->{port} ssl$http2;
		ssl_certificate $self->{cert};
		ssl_certificate_key $self->{key};
		$settings
		location / {
			proxy_pass http://sandbox;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
		}
	}
}
EOC
	close $conf;
	return;
}

# Starts it, after stop on the same port; false when it ended at once.
sub start
{
	my ($self) = @_;

	$self->_write_configuration;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0)
	{
		my $null = POSIX::open('/dev/null', POSIX::O_RDWR());
		POSIX::dup2($null, $_) foreach 0 .. 2;
		exec {$self->{program}} ($self->{program}, '-e', "$self->{dir}/error.log",
			'-p', $self->{dir}, '-c', "$self->{dir}/nginx.conf")
		  or POSIX::_exit(127);
	}
	@{$self}{qw(pid owner)} = ($pid, $$);
	push @running, $self;
	foreach my $try (1 .. 1000)
	{
		if (waitpid($pid, POSIX::WNOHANG()) != 0)
		{
			@running = grep { $_ != $self } @running;
			delete $self->{pid};
			return 0;
		}
		return 1
		  if $self->workers
		  && IO::Socket::INET->new(
			PeerAddr => '127.0.0.1',
			PeerPort => $self->{port});
		Time::HiRes::sleep(0.01);
	}
	$self->stop;
	return 0;
}

sub url { return "https://127.0.0.1:$_[0]{port}/ide" }
sub port { return $_[0]{port} }

# The ids of the worker processes.
sub workers
{
	my ($self) = @_;

	open my $in, '<', "/proc/$self->{pid}/task/$self->{pid}/children"
	  or return;
	return split ' ', readline($in) // '';
}

# What it has served since the last forget(): one hash for each request.
sub requests
{
	my ($self) = @_;
	my @requests;

	open my $in, '<', "$self->{dir}/access.log" or return;
	while (my $line = <$in>)
	{
		my %request;
		@request{qw(connection protocol status uri)} = split ' ', $line;
		push @requests, \%request;
	}
	return @requests;
}

sub forget
{
	my ($self) = @_;

	truncate "$self->{dir}/access.log", 0;
	return;
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	my @workers = do { local $self->{pid} = $pid; $self->workers };

	@running = grep { $_ != $self } @running;
	# A worker that was halted would not end.
	kill 'CONT', @workers;
	kill 'TERM', $pid;
	my $tries = 0;
	until (waitpid($pid, POSIX::WNOHANG()) != 0)
	{
		kill 'KILL', @workers, $pid if ++$tries == 500;
		Time::HiRes::sleep(0.01);
	}
	return;
}

END
{
	# Not `local $?`: a test that dies would exit with 0.
	my $status = $?;
	# Each takes itself off the list.
	foreach my $nginx (my @all = @running)
	{
		$nginx->stop if $nginx->{owner} == $$;
	}
	$? = $status;
}

1;
