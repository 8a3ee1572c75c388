# A batch in a statement that has asked some of its elements before: none gets
# another element's answer.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sandbox = jibit_sandbox();
my $node = jibit_node('statement', sandbox => $sandbox, conf => <<'EOC');
jibit.cache_ttl = '10min'
jibit.statement_cache = on
work_mem = '64kB'
jibit.batch_concurrency = 256
EOC
my $session = jibit_session($node);
my @cards = map { test_card($_) } 1 .. 400;
$session->query(sprintf q{SELECT count(*) FROM jibit_card_batch('{%s}')},
	join ',', @cards);
$session->query(<<'EOC');
CREATE FUNCTION wrong(cards text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM jibit_card(cards[1]);
	RETURN QUERY SELECT cards[ordinality] || ' got ' || (result).number
		FROM jibit_card_batch(cards)
		WHERE (result).number IS DISTINCT FROM cards[ordinality];
END $$;
EOC
is( $session->value(sprintf q{SELECT string_agg(w, ', ') FROM wrong('{%s}') w},
		join ',', @cards),
	'',
	'each element of a batch has its own answer');
$node->stop('immediate');
done_testing();
