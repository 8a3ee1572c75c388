# No key, no token and no card number in the log, the errors, the views or the
# process titles.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node('secrets', sandbox => $sandbox, conf => <<'EOC');
log_min_messages = debug5
log_error_verbosity = verbose
log_statement = none
log_min_error_statement = panic
jibit.log_calls = all
EOC

# The cards come from a table, so that no statement names them.
my @faults =
  qw(card.not_valid echo-secret forbidden invalid.credentials http.502 close not-json big-body redirect);
my $log = slurp_file($node->logfile);
$node->safe_psql('postgres', 'CREATE TABLE cards (fault text, card text)');
$node->safe_psql('postgres',
	"COPY cards FROM STDIN;\n"
	  . join('', map { "$_\t" . $sandbox->magic('card', $_) . "\n" } @faults)
	  . "good\t6037991234567893\n\\.\n");
my $errors = $node->safe_psql('postgres', <<'EOC');
CREATE FUNCTION attempt(card text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  m text; d text; h text;
BEGIN
  RETURN (jibit_card(card)).bank;
EXCEPTION WHEN SQLSTATE 'JB000' THEN
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
  RETURN concat_ws(' / ', m, d, h);
END
$$;
SET client_min_messages = error;
SELECT fault || ': ' || attempt(card) FROM cards;
SELECT last FROM (SELECT jibit_last_call()::text) l (last);
SELECT t::text FROM jibit_token_status t;
SELECT s::text FROM jibit_stats s;
SELECT c::text FROM jibit_check() c;
EOC
like($errors, qr/good: MELLI/, 'inquiries were made');
like($errors, qr/echo-secret: .*\*{8}/, '... and the service repeated secrets');

my $everything = $errors . slurp_file($node->logfile);
foreach my $title (glob '/proc/[0-9]*/cmdline')
{
	next unless open my $fh, '<', $title;
	local $/;
	my $line = <$fh> // '';
	$everything .= "$line\n" if $line =~ /^postgres/;
}
unlike($everything, qr/sandbox-secret/, 'the secret key is nowhere');
unlike($everything, qr/sandbox-key/, 'nor is the API key');
unlike($everything, qr/eyJ[\w-]{10,}\.[\w-]{10,}/, 'nor is a token');
unlike($everything, qr/\b60379999\d{8}\b/, 'nor is a card');
like($everything, qr/jibit call card\(card=603799\*{6}\d{4}\)/,
	'calls are logged with masked cards');

$node->stop;
done_testing();
