# Answers that the sandbox does not give: bodies written by hand, byte by byte.

use strict;
use warnings;

use JibitTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The body that a track id asks for.
my %bodies = (
	number => '42',
	decimal => "-1.50e3\n",
	true => 'true',
	null => ' null ',
	string => '"text"',
	array => '[1, "a"]',
	minus => '-',
	zeros => '0123',
	two => '1 2',
	comma => '{"a": 1},',
	nul => "1\0",
	jwt => '{"code": "card.not_found", "message": "Token eyJhbGciOiJIUzI1NiJ9.'
	  . 'eyJzdWIiOiJhY2NvdW50In0.c2lnbmF0dXJl-_x is of yesterday"}',
	jwt_cut =>
	  '{"code": "card.not_found", "message": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWI"}',
	dots => '{"code": "card.not_found", "message": "eyJ is how they begin."}',
);

# What the owner's name is in an answer about a card, and what it is read as.
my @names = (
	[ 'escapes', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/' . "\b\f\n\r\t" ],
	[ 'letters by their numbers', '"\\u0041\\u00E9\\u06cc"', "A\xc3\xa9\xdb\x8c" ],
	[ 'a surrogate pair', '"\\ud83d\\uDE00"', "\xf0\x9f\x98\x80" ],
	[ 'half a pair', '"\\ud83d"', "\xef\xbf\xbd" ],
	[ 'half a pair and a letter', '"\\ud83d\\u0041"', "\xef\xbf\xbdA" ],
	[ 'second halves', '"\\ude00\\ud83dx"', "\xef\xbf\xbd\xef\xbf\xbdx" ],
	[ 'a NUL', '"a\\u0000b"', undef ],
	[ 'a line break as it is', "\"a\nb\"", "a\nb" ],
	[ 'an empty string', '""', '' ],
	[ 'a long string', '"' . 'x' x 100_000 . '"', 'x' x 100_000 ],
	[ 'more digits than an integer has', '1' x 40, '1' x 40 ],
	[ 'a fraction', '1.50', '1.50' ],
	[ 'an exponent', '-1E+2', '-1E+2' ],
	[ 'a boolean', 'false', 'false' ],
	[ 'null', ' null ', undef ],
	[ 'a name that comes twice', '"a", "ownerName": "b"', 'b' ]);

# What is no JSON, and why it cannot be used.
my @broken = (
	[ 'nothing', '' => 'it is empty' ],
	[ 'blanks', " \n" => 'it ends too early' ],
	[ 'half an object', '{"number": "1", ' => 'it ends too early' ],
	[ 'half a string', '{"number": "1' => 'it ends too early' ],
	[ 'half an escape', '{"number": "\\u00' => 'it ends too early' ],
	[ 'single quotes', q({'number': '1'}) => 'it is not JSON' ],
	[ 'a name without quotes', '{number: 1}' => 'it is not JSON' ],
	[ 'no colon', '{"number" 1}' => 'it is not JSON' ],
	[ 'a comma too many', '{"number": 1,}' => 'it is not JSON' ],
	[ 'two commas', '[1,,2]' => 'it is not JSON' ],
	[ 'the other bracket', '[1}' => 'it is not JSON' ],
	[ 'NaN', '{"number": NaN}' => 'it is not JSON' ],
	[ 'Infinity', '[-Infinity]' => 'it is not JSON' ],
	[ 'a comment', '{} // nothing' => 'it is not JSON' ],
	[ 'another word', 'nil' => 'it is not JSON' ],
	[ 'no digit', '[1.]' => 'it is not JSON' ],
	[ 'an unknown escape', '"\\x41"' => 'it is not JSON' ],
	[ 'no hexadecimal digit', '"\\u00g0"' => 'it is not JSON' ],
	[ 'half a character', "\"\xd8\"" => 'it is not UTF-8' ],
	[ '33 levels', '[' x 33 . ']' x 33 => 'it is nested too deep' ],
	[ '100,000 levels', '{"a":' x 100_000 => 'it is nested too deep' ],
	[ '32 levels', '[' x 32 . ']' x 32 => 'it is no JSON object' ]);

$bodies{"name$_"} =
  sprintf '{"cardInfo": {"bank": "MELLI", "ownerName": %s}}', $names[$_][1]
  foreach 0 .. $#names;
$bodies{"broken$_"} = $broken[$_][1] foreach 0 .. $#broken;

my $server = jibit_server(
	inquiry => sub {
		my ($self, $socket, $request) = @_;
		my $name = $request->{headers}{'x-track-id'};
		return send_answer($socket, $name =~ /^(?:jwt|dots)/ ? 404 : 200,
			$bodies{$name});
	});
my $node = jibit_node('answers', base_url => $server->url);

sub ask
{
	my ($name) = @_;
	my %error = sql_error($node,
		"SET jibit.track_id = '$name'; SELECT jibit_request('/v1/any')");

	return $error{sqlstate} // $error{stdout};
}

sub said
{
	my ($name) = @_;
	my %error = sql_error($node,
		"SET jibit.track_id = '$name'; SELECT jibit_card('"
		  . test_card(1)
		  . q{')});

	return ($error{detail} // '') =~ /^The service said: (.*)$/m ? $1 : '';
}

# ---- a document is any value

is(ask('number'), '42', 'an answer that is a number');
is(ask('decimal'), '-1500', '... with a line end');
is(ask('true'), 'true', 'one that is a boolean');
is(ask('null'), 'null', 'one that is null');
is(ask('string'), '"text"', 'one that is a string');
is(ask('array'), '[1, "a"]', 'one that is an array');
is(ask($_), 'JB010', "one that is no JSON: $bodies{$_}" =~ s/\0/ and a NUL/r)
  foreach qw(minus zeros two comma nul);

my %error = sql_error($node,
	q{SET jibit.track_id = 'null'; SELECT jibit_card('}
	  . test_card(1)
	  . q{')});
is($error{sqlstate}, 'JB010', 'null is no answer to an inquiry');
like($error{detail}, qr/it is no JSON object/, '... and no object');

# ---- strings, numbers, and what is no JSON

foreach my $i (0 .. $#names)
{
	my ($what, $text, $read) = @{ $names[$i] };
	my $hex = $node->safe_psql(
		'postgres',
		sprintf q{SET jibit.track_id = 'name%d';
			SELECT coalesce(encode(convert_to(owner_name, 'UTF8'), 'hex'), 'NULL')
			FROM jibit_card('%s')}, $i, test_card(1));

	is($hex, defined $read ? unpack('H*', $read) : 'NULL', "a value: $what");
}
foreach my $i (0 .. $#broken)
{
	my ($what, $text, $why) = @{ $broken[$i] };
	%error = sql_error($node,
		sprintf q{SET jibit.track_id = 'broken%d'; SELECT jibit_card('%s')},
		$i, test_card(1));
	is($error{sqlstate}, 'JB010', "no JSON: $what");
	like($error{detail}, qr/cannot be used: \Q$why\E\./, "... $why");
}

# ---- tokens that are no longer ours

like(said('jwt'), qr/^Token \*+ is of yesterday$/, 'a JWT is masked');
like(said('jwt_cut'), qr/^Bearer \*+$/, '... also one that was cut off');
is(said('dots'), 'eyJ is how they begin.', '... but nothing else');

done_testing();
