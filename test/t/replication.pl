# Credentials that come by logical replication count from the next call on, in
# sessions that have used older ones.

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

$session->quit;
$subscriber->stop;
$publisher->stop;
done_testing();
