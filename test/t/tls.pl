# TLS: who is trusted, what is refused, and that a changed jibit.ca_file is
# followed.

use strict;
use warnings;

use File::Copy ();
use IO::Socket::INET;
use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my %ca = tls_ca("$dir/ca");
my $stranger = "$dir/ca/stranger.crt";
my $node = jibit_node('tls', credentials => 0, conf => "jibit.ca_file = ''");
my $next_card = 0;

sub call
{
	return sprintf q{SELECT (jibit_card('%s')).number IS NOT NULL},
	  test_card($next_card++);
}

sub secure_sandbox
{
	my ($name) = @_;
	return jibit_sandbox(
		tls_cert => $ca{$name}{cert},
		tls_key => $ca{$name}{key});
}

# Changes the setting as an administrator does, and waits until a new session
# sees it.
sub set_ca_file
{
	my ($value) = @_;
	$node->adjust_conf('postgresql.conf', 'jibit.ca_file', "'$value'");
	$node->reload;
	return $node->poll_query_until('postgres',
		"SELECT current_setting('jibit.ca_file') = '$value'");
}

# The same in a session that is there already.
sub sees_ca_file
{
	my ($session, $value) = @_;
	return poll_until(
		sub {
			my %seen = $session->query('SHOW jibit.ca_file');
			return $seen{stdout} eq $value;
		},
		'the reload in a session');
}

# sqlstate, code and attempts of a call in a session.
sub outcome
{
	my ($session) = @_;
	my %result = $session->query(call());
	my %last = $session->query('SELECT attempts FROM jibit_last_call()');
	return (
		join(' ', map { $_ // 'none' }
			@result{qw(sqlstate constraint)}, $last{stdout}),
		%result);
}

my $good = secure_sandbox('good');
jibit_store_credentials($node, sandbox => $good);

# ---- the system's authorities

my $old = jibit_session($node);
my ($outcome, %result) = outcome($old);
is($outcome, 'JB009 connection.failed 0',
	"the system's authorities do not vouch for a private certificate");
like($result{hint}, qr/jibit\.ca_file/, '... and the hint names the setting');
is($good->stats->{total}, 0, '... no request was sent');
my %check = map { split /\|/, $_, -1 } split /\n/,
  $node->safe_psql('postgres', 'SELECT item, ok FROM jibit_check()');
is($check{'TLS verified'}, 'f', '... and jibit_check() says so');

# ---- a private authority

set_ca_file($ca{ca});
my $new = jibit_session($node);
is($new->value(call()), 't', 'jibit.ca_file is followed');
sees_ca_file($old, $ca{ca});
is($old->value(call()),
	't', '... also by a session that was there before');
%check = map { split /\|/, $_, -1 } split /\n/,
  $node->safe_psql('postgres', 'SELECT item, ok FROM jibit_check()');
is($check{'TLS verified'}, 't', '... and jibit_check() says so');
$good->reset;
$new->query(call()) foreach 1 .. 5;
cmp_ok($good->stats->{connections},
	'<=', 1, 'calls over TLS use one connection');

# A session's own setting.
$new->query("SET jibit.ca_file = '$stranger'");
($outcome) = outcome($new);
is($outcome, 'JB009 connection.failed 1',
	"a session's own file counts for its next call");
$new->query('RESET jibit.ca_file');
is($new->value(call()), 't', '... until it is reset');
$new->query("BEGIN; SET LOCAL jibit.ca_file = '$stranger'");
$new->query('ROLLBACK');
is($new->value(call()), 't', '... or rolled back');

# ---- certificates that are refused

foreach my $name (qw(wrong_host expired self_signed other_ca))
{
	my $sandbox = secure_sandbox($name);

	jibit_store_credentials($node, profile => $name, sandbox => $sandbox);
	my $session = jibit_session($node);
	$session->query("SET jibit.profile = '$name'");
	($outcome, %result) = outcome($session);
	is($outcome, 'JB009 connection.failed 0', "the certificate $name");
	like($result{hint}, qr/host name|ca_file/, '... with a hint');
	is($sandbox->stats->{total}, 0, '... and no request was sent');
	# The statistics' own connection is one.
	is($sandbox->stats->{connections}, 3,
		'... and there was one connection, no retry');
	$session->query("SET jibit.profile = 'default'");
	is($session->value(call()),
		't', '... and the next call works');
	$sandbox->stop;
}

# With a token, so that the inquiry itself is refused, once.
{
	my $sandbox = secure_sandbox('good');
	my $session = jibit_session($node);

	jibit_store_credentials($node, profile => 'turns', sandbox => $sandbox);
	$session->query("SET jibit.profile = 'turns'");
	$session->query(call());
	my $port = $sandbox->port;
	$sandbox->stop;
	my $wrong = jibit_sandbox(
		port => $port,
		tls_cert => $ca{other_ca}{cert},
		tls_key => $ca{other_ca}{key});
	($outcome) = outcome($session);
	is($outcome, 'JB009 connection.failed 1',
		'another certificate at the same address is refused, without a retry');
	$wrong->stop;
}

# ---- a file that is of no use

my %files = (
	'a file that is not there' => "$dir/nowhere.crt",
	'a file that is no certificate' => "$dir/garbage.crt",
	'an empty file' => "$dir/empty.crt",
	'a folder' => $dir);
append_to_file("$dir/garbage.crt", "this is no certificate\n" x 100);
append_to_file("$dir/empty.crt", '');
foreach my $what (sort keys %files)
{
	my $session = jibit_session($node);
	$session->query("SET jibit.ca_file = '$files{$what}'");
	($outcome, %result) = outcome($session);
	like($outcome, qr/^JB011 /, $what);
	like($result{hint} // '', qr/jibit\.ca_file/, '... with a hint');
	$session->query('RESET jibit.ca_file');
	is($session->value(call()),
		't', '... and without it the next call works');
}
{
	set_ca_file("$dir/nowhere.crt");
	my $session = jibit_session($node);
	($outcome) = outcome($session);
	like($outcome, qr/^JB011 /, 'such a file after a reload');
	$node->restart;
	$session = jibit_session($node);
	($outcome) = outcome($session);
	like($outcome, qr/^JB011 /, '... and after a restart');
	set_ca_file($ca{ca});
	sees_ca_file($session, $ca{ca});
	is($session->value(call()),
		't', '... and with the right one again the next call works');
	$old = $session;
}

# ---- a session with a connection that is kept

is($old->value(call()), 't', 'a connection is open');
set_ca_file($stranger);
sees_ca_file($old, $stranger);
($outcome) = outcome($old);
is($outcome, 'JB009 connection.failed 1',
	'another authority after a reload: the kept connection is not used');
set_ca_file($ca{ca});
sees_ca_file($old, $ca{ca});
is($old->value(call()), 't', '... and back again');

# ---- the file changes under its name

my $file = "$dir/changing.crt";
File::Copy::copy($ca{ca}, $file);
set_ca_file($file);
$node->restart;
$old = jibit_session($node);
is($old->value(call()), 't', 'a file that will change');
File::Copy::copy($stranger, "$file.new");
rename "$file.new", $file or die $!;
$new = jibit_session($node);
($outcome) = outcome($new);
is($outcome, 'JB009 connection.failed 1',
	'a file that was replaced counts for a new session');
$good->stop;
$good->start;

# Until it has looked again, a session is resumed without a certificate.
ok( poll_until(
		sub { (outcome($old))[0] eq 'JB009 connection.failed 1' },
		'an old session that looks at the file'),
	'... and for the next connections of an old one');

# Written over, not replaced; the size may be the same.
File::Copy::copy($ca{ca}, $file);
is($new->value(call()), 't', 'a file that was written over')
  or diag({ $new->query(call()) }->{stderr});
is($old->value(call()), 't', '... in an old session too');

# A scheme is the same in capitals.
jibit_store_credentials(
	$node,
	profile => 'capitals',
	base_url => $good->url =~ s/^https/HTTPS/r);
$new->query(q{SET jibit.profile = 'capitals'});
is($new->value(call()), 't', 'a base URL with its scheme in capitals');
File::Copy::copy($stranger, $file);
ok( poll_until(
		sub { (outcome($new))[0] eq 'JB009 connection.failed 1' },
		'a session that looks at the file'),
	'... follows the file too');
File::Copy::copy($ca{ca}, $file);
is($new->value(call()), 't', '... and back');
$new->query('RESET jibit.profile');

# ---- versions

SKIP:
{
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $out = '';
	my $server = IPC::Run::start(
		[
			'openssl', 's_server', '-accept', "127.0.0.1:$port",
			'-cert', $ca{good}{cert}, '-key', $ca{good}{key},
			'-tls1_1', '-cipher', 'ALL:@SECLEVEL=0', '-www', '-quiet'
		],
		'<', \undef, '>&', \$out);

	# The connection must not stay open: it serves one after the other.
	poll_until(
		sub {
			$server->pump_nb;
			!$server->pumpable
			  || !!IO::Socket::INET->new(
				PeerAddr => '127.0.0.1',
				PeerPort => $port);
		},
		'openssl s_server');
	my $client = '';
	my $speaks = $server->pumpable && IPC::Run::run(
		[
			'openssl', 's_client', '-connect', "127.0.0.1:$port",
			'-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'
		],
		'<', \undef, '>&', \$client, IPC::Run::timeout(30))
	  && $client =~ /Protocol\s*: TLSv1\.1/;
	$server->kill_kill unless $speaks;
	skip 'this OpenSSL does not speak TLS 1.1', 2 unless $speaks;
	jibit_store_credentials(
		$node,
		profile => 'old',
		base_url => "https://127.0.0.1:$port/ide");
	my $session = jibit_session($node);
	$session->query(q{SET jibit.profile = 'old'});
	($outcome, %result) = outcome($session);
	is($outcome, 'JB009 connection.failed 0', 'TLS 1.1 is refused');
	like($result{hint}, qr/\w/, '... with a hint');
	$server->kill_kill;
}

# ---- plain where it should not be

my $plain = jibit_sandbox();
jibit_store_credentials($node, profile => 'plain', sandbox => $plain);
(my $url = $plain->url) =~ s/^http:/https:/;
jibit_store_credentials($node, profile => 'mixed', base_url => $url);
($url = $good->url) =~ s/^https:/http:/;
jibit_store_credentials($node, profile => 'downgraded', base_url => $url);

my $session = jibit_session($node);
$session->query(q{SET jibit.profile = 'mixed'});
($outcome) = outcome($session);
is($outcome, 'JB009 connection.failed 0', 'https to a plain port');
is($plain->stats->{total}, 0, '... and no request was sent');
$session->query(q{SET jibit.profile = 'downgraded'});
($outcome) = outcome($session);
like($outcome, qr/^JB(009|099) /, 'http to a port with TLS');

$session->query(q{SET jibit.profile = 'plain'});
is($session->value(call()),
	't', 'plain HTTP where jibit.allow_http is on');
$session->query(q{SET jibit.allow_http = off});
($outcome, %result) = outcome($session);
is($result{sqlstate}, 'JB011', '... is refused where it is off');
like($result{hint}, qr/jibit\.allow_http/, '... with a hint');
$session->query(q{RESET jibit.allow_http});
is($session->value(call()), 't', '... and on again');
$node->adjust_conf('postgresql.conf', 'jibit.allow_http', 'off');
$node->reload;
poll_until(
	sub { $session->value('SHOW jibit.allow_http') eq 'off' },
	'the reload');
($outcome, %result) = outcome($session);
is($result{sqlstate}, 'JB011', '... also when it goes off at a reload');
my $total = $plain->stats->{total};
$session->query(call());
is($plain->stats->{total}, $total, '... and no request is sent');
$node->safe_psql('postgres', 'CREATE ROLE ordinary LOGIN; SELECT jibit_grant(\'ordinary\')');
my $ordinary = jibit_session($node, user => 'ordinary');
foreach my $setting (qw(allow_http ca_file proxy source_address credentials_table))
{
	my %refused = $ordinary->query("SET jibit.$setting = 'on'");
	is($refused{sqlstate}, '42501', "jibit.$setting is for superusers");
}
%result = $ordinary->query('SHOW jibit.proxy');
is($result{sqlstate}, '42501', '... and jibit.proxy is shown to them only');
%result = $ordinary->query(call());
is($result{stdout}, 't', 'an ordinary role makes calls over TLS')
  or diag($result{stderr});

# ---- a reload while a call is under way

# The worker's, which has other calls' handles at hand.
sub submit
{
	my ($card) = @_;
	return $node->safe_psql('postgres',
		qq{SELECT jibit_submit('card', '{"card": "$card"}')});
}

sub is_now
{
	my ($id, $states) = @_;
	my $state;

	poll_until(
		sub {
			$state = $node->safe_psql('postgres',
				"SELECT state, (error).code FROM jibit_requests WHERE id = $id");
			return $state =~ $states;
		},
		"request $id");
	return $state;
}

$good->reset;
$node->adjust_conf('postgresql.conf', 'jibit.ca_file', "'$ca{ca}'");
$node->append_conf('postgresql.conf', "jibit.worker_databases = 'postgres'");
$node->reload;
my @ids = map { submit(test_card($_)) } 1 .. 4;
is(is_now($ids[3], qr/^succeeded|connection/), 'succeeded|', 'the worker calls');
$good->set(fault => 'hang', fault_operation => 'iban');
$node->safe_psql('postgres',
	q{SELECT jibit_submit('iban', '{"iban": "IR820540102680020817909002"}')});
poll_until(sub { $good->stats->{in_flight} == 1 }, 'a call that hangs');
$node->adjust_conf('postgresql.conf', 'jibit.ca_file', "''");
$node->reload;
ok( poll_until(
		sub {
			return is_now(submit(test_card($next_card++)),
				qr/^succeeded|connection/) eq 'queued|connection.failed';
		},
		'the worker to see the reload'),
	'what a setting no longer names is not trusted beside it');

$node->stop;
done_testing();
