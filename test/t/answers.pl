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

# ---- tokens that are no longer ours

like(said('jwt'), qr/^Token \*+ is of yesterday$/, 'a JWT is masked');
like(said('jwt_cut'), qr/^Bearer \*+$/, '... also one that was cut off');
is(said('dots'), 'eyJ is how they begin.', '... but nothing else');

done_testing();
