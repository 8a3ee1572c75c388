# Whatever happens, and however much the server logs: no key, no token and no
# card number of a call shows up in a log, an error, a view or a process title.

use strict;
use warnings;

use JibitTest;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Words that appear nowhere else. The service by hand gives them out and
# repeats them wherever it can.
my $api_key = 'Qk7apikey-3f9d0c1e';
my $secret_key = 'Zx4secret-8b2a7e55';
my @tokens = map { "Tk${_}token-c5d1e0f7" } qw(access refresh fresh later);
my $card = test_card(123_456_789);
my $other_card = test_card(987_654_321);
my $national_code = '0499370899';
my $mobile = '09121234567';

my $json = JSON::PP->new->utf8->canonical;
my $echo = "your key $api_key $secret_key, your token TOKEN, your body BODY,"
  . " your card $card, your code $national_code, your mobile $mobile";

# What the service by hand answers, by the last part of the path.
my %answers = (
	error => [ 400, { code => 'card.not_valid', message => $echo } ],
	unknown => [ 400, { code => "x.$api_key", message => $echo } ],
	errors =>
	  [ 400, { errors => [ { code => 'iban.not_valid', message => $echo } ] } ],
	refused => [ 403, { code => 'forbidden', message => $echo } ],
	server => [ 500, { code => 'server.error', message => $echo } ],
	bare => [ 503, $echo ],
	text => [ 200, $echo ],
	broken => [ 200, "{\"$echo" ],
	deep => [ 200, '[' x 5000 . $echo ],
	status => [ 418, { message => $echo } ],
	redirect => [ 302, $echo ]);

# An answer, with what the caller has sent just now.
sub answer
{
	my ($socket, $request, $status, $content, @headers) = @_;
	my ($token) = ($request->{headers}{authorization} // '') =~ /^Bearer (.*)/;
	my $text = ref $content ? $json->encode($content) : $content;
	my $body = $request->{body};

	# Inside a JSON string.
	$body =~ s/"/\\"/g if ref $content;
	$token //= '';
	$text =~ s/TOKEN/$token/;
	$text =~ s/BODY/$body/;
	return send_answer($socket, $status, $text, @headers);
}

# The token calls of some profiles fail as the URL says.
sub answer_token
{
	my ($self, $socket, $request) = @_;
	my $fresh = $request->{target} =~ /refresh/ ? 2 : 0;

	$self->note('the key was sent') if $request->{body} =~ /\Q$secret_key\E/;
	$self->note('the token was sent') if $request->{body} =~ /\Q$tokens[1]\E/;
	if (my ($name) = $request->{target} =~ m{/by-([a-z]+)/})
	{
		my ($status, $body) = @{ $answers{$name} };
		return answer($socket, $request, $status, $body);
	}
	return send_answer($socket, 200,
		$json->encode(
			{
				accessToken => $tokens[$fresh],
				refreshToken => $tokens[ $fresh + 1 ]
			}));
}

sub answer_inquiry
{
	my ($self, $socket, $request) = @_;
	my ($name) = $request->{target} =~ m{/v1/([a-z]+)(?:\?|$)};
	my ($status, $body) = @{ $answers{$name}
		  // [ 400, { code => 'card.not_active', message => $echo } ] };

	$self->note('a token was sent')
	  if ($request->{headers}{authorization} // '') =~ /\Q$tokens[0]\E/;
	return answer(
		$socket, $request, $status, $body,
		"Location: /$tokens[0]",
		"X-Echo: $echo");
}

my $server = jibit_server(
	inquiry => \&answer_inquiry,
	token => \&answer_token);
my $sandbox = jibit_sandbox(api_key => $api_key, secret_key => $secret_key);
my $node = jibit_node(
	'secrets',
	credentials => 0,
	conf => <<'EOC');
log_min_messages = debug5
log_min_error_statement = debug5
client_min_messages = debug1
log_statement = all
log_duration = on
log_error_verbosity = verbose
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
debug_print_parse = off
jibit.max_retries = 1
jibit.log_calls = all
EOC

sub store
{
	my (%options) = @_;
	jibit_store_credentials(
		$node,
		api_key => $api_key,
		secret_key => $secret_key,
		%options);
	return;
}

store(base_url => $server->url);
store(profile => 'sandbox', sandbox => $sandbox);
store(profile => "by_$_", base_url => $server->url . "/by-$_")
  foreach sort keys %answers;
store(
	profile => 'nobody',
	base_url => 'http://127.0.0.1:'
	  . PostgreSQL::Test::Cluster::get_free_port()
	  . '/ide');
store(profile => 'ftp', base_url => 'ftp://127.0.0.1/ide');

# Cards come from a table, which COPY filled: the log has none of them.
$node->safe_psql('postgres', 'CREATE TABLE people (name text PRIMARY KEY,
	card text, national_code text, mobile text)');
my %magic = map { $_ => $sandbox->magic(card => $_) }
  qw(echo-secret errors-shape server.error http.503 close cut hang wrong-types
  missing-mandatory not-json big-body forbidden daily_limit.reached
  code-upper unknown-code success-error card.not_active bad-utf8);
$node->safe_psql(
	'postgres',
	"COPY people FROM STDIN;\n"
	  . join('',
		map { join("\t", @$_) . "\n" }
		  [ 'ours', $card, $national_code, $mobile ],
		[ 'other', $other_card, $national_code, $mobile ],
		map { [ $_, $magic{$_}, $national_code, $mobile ] } sort keys %magic)
	  . "\\.\n");

# ---- everything that can go well or wrong

my $session = jibit_session($node);
my ($output, $titles, $calls) = ('', '', 0);

# Runs a statement and keeps all that is to be seen.
sub run
{
	my ($sql) = @_;
	my %result = $session->query($sql);
	$output .= "$result{stdout}\n$result{stderr}\n";
	$calls++;
	return %result;
}

$session->query(q{SET jibit.timeout = '800ms'});
foreach my $name (sort keys %answers)
{
	my %result = run("SELECT jibit_request('/v1/$name')");
	like($result{sqlstate}, qr/^JB/, "a service that repeats secrets: $name");
	run(q{SELECT * FROM jibit_last_call()});
	%result = run("SET jibit.profile = 'by_$name';
		SELECT jibit_card(card) FROM people WHERE name = 'ours'");
	like($result{sqlstate}, qr/^JB/, "... and a token service: $name");
	run(q{SELECT * FROM jibit_last_call()});
	run(q{SELECT * FROM jibit_token_status});
	run(q{SELECT * FROM jibit_check()});
	run(q{RESET jibit.profile});
}
foreach my $profile (qw(nobody ftp missing))
{
	run("SET jibit.profile = '$profile'");
	run(q{SELECT jibit_card(card) FROM people WHERE name = 'ours'});
	run(q{SELECT * FROM jibit_check()});
}
run(q{RESET jibit.profile});
foreach my $inquiry (
	'jibit_card(card)', 'jibit_card_to_iban(card)',
	'jibit_match_shahkar(national_code, mobile)',
	q{jibit_match_card(card, national_code, '13600331')},
	q{jibit_match_card_name(card, national_code)},
	q{jibit_identity_similarity(national_code, '13600331', mobile)},
	q{jibit_military_service(national_code)},
	'jibit_sana(national_code, mobile)',
	'jibit_card(card || card)', 'jibit_card(left(card, 15))')
{
	my %result = run("SELECT $inquiry FROM people WHERE name = 'ours'");
	like($result{sqlstate}, qr/^JB/, "an inquiry that fails: $inquiry");
	run(q{SELECT * FROM jibit_last_call()});
}

run(q{SET jibit.profile = 'sandbox'});
foreach my $fault (sort keys %magic)
{
	run("SELECT (jibit_card(card)).bank FROM people WHERE name = '$fault'");
	run(q{SELECT inquiry, http_status, error FROM jibit_last_call()});
}
my %good = run(
	q{SELECT (jibit_card(card)).bank FROM people WHERE name = 'other'});
is($good{sqlstate}, undef, 'a call that succeeds') or diag($good{stderr});
foreach my $fault (qw(echo-secret invalid.credentials server.error cut hang))
{
	$node->safe_psql('postgres', 'SELECT jibit_forget_tokens()');
	$sandbox->set(token_fault => $fault);
	my %result =
	  run(q{SELECT jibit_card(card) FROM people WHERE name = 'other'});
	like($result{sqlstate}, qr/^JB/, "a token service with the fault $fault");
	run(q{SELECT * FROM jibit_token_status});
}
$sandbox->set(token_fault => '', echo_token => 1);
$node->safe_psql('postgres', 'SELECT jibit_forget_tokens()');
run(q{SELECT jibit_card(card) FROM people WHERE name = 'card.not_active'});
# A card for a bank's identifier, which is shown.
run(q{SELECT jibit_deposit_to_iban(card, '0100324200001') FROM people WHERE name = 'ours'});
$sandbox->set(fault => 'forbidden');
run(q{SELECT jibit_card(card) FROM people WHERE name = 'other'});
$sandbox->reset;

# Errors in PL/pgSQL, with their context, and in COPY.
run(q{DO $$ DECLARE p people; BEGIN
	FOR p IN SELECT * FROM people LOOP
		BEGIN
			PERFORM jibit_card(p.card);
		EXCEPTION WHEN SQLSTATE 'JB000' THEN
			RAISE WARNING '% %', SQLSTATE, SQLERRM;
		END;
	END LOOP; END $$});
run(q{COPY (SELECT jibit_card(card) FROM people WHERE name = 'echo-secret')
	TO STDOUT});
run(q{SET jibit.on_error = 'warning';
	SELECT jibit_card(card) FROM people WHERE name = 'card.not_active'});
run(q{RESET jibit.on_error});
my %empty = run(q{SELECT jibit_set_credentials('', 'x')});
is($empty{sqlstate}, '22023', 'an empty key');

# A role that may call, but not read.
$node->safe_psql('postgres',
	q{CREATE ROLE clerk LOGIN; SELECT jibit_grant('clerk')});
my $clerk = jibit_session($node, user => 'clerk');
foreach my $sql (
	'SELECT * FROM jibit_credentials',
	'TABLE jibit_credentials',
	q{COPY jibit_credentials TO STDOUT},
	'SELECT * FROM jibit_token_status')
{
	my %result = $clerk->query($sql);
	is($result{sqlstate}, '42501', "not for everybody: $sql");
	$output .= $result{stderr};
}

# ---- a look at it while it runs

$session->query(q{RESET jibit.timeout});
$session->send(
	q{SELECT jibit_card(card) FROM people WHERE name = 'hang'});
poll_until(sub { $sandbox->stats->{in_flight} == 1 }, 'a call');
$output .= $node->safe_psql('postgres', 'SELECT * FROM pg_stat_activity');
# The server's processes, and no others: what those of other people have in
# their titles is not for a test to read.
foreach my $pid (
	split /\n/,
	$node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity
		UNION ALL SELECT line::int FROM regexp_split_to_table(
			pg_read_file('postmaster.pid'), E'\n') WITH ORDINALITY l (line, n)
		WHERE n = 1}))
{
	open my $cmdline, '<', "/proc/$pid/cmdline" or next;
	$titles .= (<$cmdline> // '') . "\n";
	close $cmdline;
}
like($titles, qr/^postgres: .* SELECT/m, "the server's process titles");
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $session->pid . ')');
$session->wait;

# Whatever the extension shows.
foreach my $view (
	split /\n/,
	$node->safe_psql(
		'postgres', q{SELECT c.oid::regclass FROM pg_class c
		JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
			AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'jibit'
		WHERE c.relkind = 'v'}))
{
	$output .= $node->safe_psql('postgres', "SELECT * FROM $view");
}
$output .= $node->safe_psql('postgres',
	q{SELECT name, setting FROM pg_settings WHERE name LIKE 'jibit%'});

# ---- and nothing is there

my $log = slurp_file($node->logfile);
cmp_ok(length $log, '>', 100_000, 'the log is a long one');
like($log, qr/DEBUG:/, '... with its details');
like($log, qr/jibit_request\('\/v1\/error'\)/, '... and the statements');
like(
	$log,
	qr/jibit call card\(card=603799\*{6}\d{4}\)/,
	'... and the calls, with masked cards');
ok(scalar $server->notes('the key was sent'), 'the keys have been sent');
ok(scalar $server->notes('a token was sent'), '... and the token');
ok(scalar $server->notes('the token was sent'), '... also to be refreshed');
like($output, qr/your key \*+/, 'the messages of the service are shown, masked');

sub has_none
{
	my ($text, $pattern, $name) = @_;
	my @lines = grep { /$pattern/ } split /\n/, $text;

	return is(scalar @lines, 0, $name)
	  || diag(join "\n", map { substr $_, 0, 300 } @lines[ 0 .. ($#lines > 4 ? 4 : $#lines) ]);
}

my %secrets = (
	'the API key' => qr/\Q$api_key\E/i,
	'the secret key' => qr/\Q$secret_key\E/i,
	'a token' => qr/token-c5d1e0f7/i,
	"a sandbox's token" => qr/eyJ[\w-]{8}|Bearer \S/,
	'a card' => qr/$card|$other_card/,
	'a card that asks for a fault' => qr/60379999\d{8}/,
	'a national code' => qr/$national_code/,
	'a mobile' => qr/$mobile/);
foreach my $what (sort keys %secrets)
{
	has_none($log, $secrets{$what}, "no line of the log has $what");
	has_none($output, $secrets{$what},
		"no error, view or pg_stat_activity has $what");
	has_none($titles, $secrets{$what}, "no process title has $what");
}

$node->stop;
has_none(slurp_file($node->logfile), $secrets{$_}, "... nor at the end: $_")
  foreach sort keys %secrets;
done_testing();
