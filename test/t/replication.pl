# Logical replication: credentials that come by it count from the next call on,
# in sessions that have used older ones; check triggers of the subscriber fire
# in its apply worker where they are ENABLE ALWAYS, and only there.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $publisher = jibit_node(
	'publisher',
	sandbox => $sandbox,
	init => [ allows_streaming => 'logical' ]);
my $subscriber = jibit_node('subscriber', credentials => 0);

$publisher->safe_psql('postgres',
	'CREATE PUBLICATION keys FOR TABLE jibit_credentials');
my $source = $publisher->connstr('postgres');
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION keys CONNECTION \$\$$source\$\$ PUBLICATION keys");
$subscriber->poll_query_until('postgres',
	'SELECT count(*) = 1 FROM jibit_credentials');

my $session = jibit_session($subscriber);
my $n = 0;

sub outcome
{
	my %result =
	  $session->query(q{SELECT (jibit_card('} . test_card($n++) . q{')).bank});
	return $result{sqlstate} // $result{stdout};
}

sub change
{
	my ($sql, $arrived) = @_;

	$publisher->safe_psql('postgres', $sql);
	return $subscriber->poll_query_until('postgres', $arrived);
}

is(outcome(), 'MELLI', 'credentials that the first copy has brought');
change(
	q{UPDATE jibit_credentials SET api_key = 'wrong'},
	q{SELECT api_key = 'wrong' FROM jibit_credentials});
is(outcome(), 'JB007', 'a key that has been changed is used at once');
change('DELETE FROM jibit_credentials',
	'SELECT count(*) = 0 FROM jibit_credentials');
is(outcome(), 'JB011', 'a row that is gone');
jibit_store_credentials($publisher, sandbox => $sandbox);
$subscriber->poll_query_until('postgres',
	'SELECT count(*) = 1 FROM jibit_credentials');
is(outcome(), 'MELLI', 'a new one');
change('TRUNCATE jibit_credentials',
	'SELECT count(*) = 0 FROM jibit_credentials');
is(outcome(), 'JB011', 'and all gone at once');

# ---- triggers in the apply worker

# Only an account that is blocked can tell whether the trigger was there.
my $active = 'IR270170000000100324200001';
my $blocked = 'IR040120000000987654321094';
my $table = 'CREATE TABLE payees (id int PRIMARY KEY, iban text)';

sub rows
{
	return $subscriber->safe_psql('postgres',
		"SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM payees");
}

$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION keys');
jibit_store_credentials($subscriber, sandbox => $sandbox);
$publisher->safe_psql('postgres', $table);
$publisher->safe_psql('postgres',
	'CREATE PUBLICATION payees FOR TABLE payees');
$subscriber->safe_psql('postgres', $table);
$subscriber->safe_psql('postgres', q{
	CREATE TRIGGER good_iban BEFORE INSERT OR UPDATE ON payees
	FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban')});
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION payees CONNECTION \$\$$source\$\$ PUBLICATION payees");
$subscriber->wait_for_subscription_sync($publisher, 'payees');
my $calls = $sandbox->stats->{iban};

$publisher->safe_psql('postgres', "INSERT INTO payees VALUES (1, '$blocked')");
$publisher->wait_for_catchup('payees');
is(rows(), '1', 'as it is created, a trigger does not fire for what is applied');
is($sandbox->stats->{iban}, $calls, '... and makes no call');

$subscriber->safe_psql('postgres',
	'ALTER TABLE payees ENABLE ALWAYS TRIGGER good_iban');
$publisher->safe_psql('postgres', "INSERT INTO payees VALUES (2, '$active')");
$publisher->wait_for_catchup('payees');
is(rows(), '1 2', 'ENABLE ALWAYS: a good row is applied');
is($sandbox->stats->{iban}, $calls + 1, '... after a call');

my $offset = -s $subscriber->logfile;
$publisher->safe_psql('postgres', "INSERT INTO payees VALUES (3, '$blocked')");
$subscriber->wait_for_log(
	qr/row for table "payees" is refused: the account's status is BLOCK/,
	$offset);
is(rows(), '1 2', '... a bad one stops the apply worker, with its error logged');
$publisher->safe_psql('postgres', "INSERT INTO payees VALUES (4, '$active')");
$subscriber->safe_psql('postgres',
	'ALTER TABLE payees ENABLE TRIGGER good_iban');
$publisher->wait_for_catchup('payees');
is(rows(), '1 2 3 4', '... and it goes on when the trigger lets it');

# The API is down: the row waits with the worker's next attempts.
$subscriber->safe_psql('postgres',
	'ALTER TABLE payees ENABLE ALWAYS TRIGGER good_iban');
$sandbox->set(fault => 'providers.not_available');
$offset = -s $subscriber->logfile;
$publisher->safe_psql('postgres', "INSERT INTO payees VALUES (5, '$active')");
$subscriber->wait_for_log(qr/JB008|providers\.not_available/, $offset);
is(rows(), '1 2 3 4', 'an outage: the row is not applied');
$sandbox->set(fault => '');
$publisher->wait_for_catchup('payees');
is(rows(), '1 2 3 4 5', '... until the API answers again');

$session->quit;
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION payees');
$subscriber->stop;
$publisher->stop;
done_testing();
