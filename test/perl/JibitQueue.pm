# What the tests of the queue share: submitting, waiting for states, finding
# the worker, and counting what the sandbox was asked.
#
#	use JibitTest;
#	use JibitQueue;
#	my $node = jibit_node('main', sandbox => $sandbox,
#		conf => $JibitQueue::conf);
#	my $queue = jibit_queue($node);
#	my @ids = $queue->submit($queue->cards(100));
#	$queue->wait_until_done;

package JibitQueue;

use strict;
use warnings;

use Exporter 'import';
use JibitTest;
use Test::More;

our @EXPORT = qw(jibit_queue);

# For postgresql.conf: a worker for the database `postgres`.
our $conf = "jibit.worker_databases = 'postgres'\nrestart_after_crash = on\n";

my $next_card = 0;

# The queue of a database of a node (default postgres).
sub jibit_queue
{
	my ($node, $dbname) = @_;
	return bless { node => $node, dbname => $dbname // 'postgres' },
	  'JibitQueue';
}

# What a query prints, through a session that stays; dies where it fails.
sub sql
{
	my ($self, $query) = @_;
	my %result;

	$self->{session} //= jibit_session($self->{node},
		dbname => $self->{dbname});
	%result = $self->{session}->query($query);
	if (defined $result{sqlstate} || $result{gone})
	{
		$self->disconnect;
		die "$query: $result{stderr}\n";
	}
	return $result{stdout};
}

# Likewise; nothing where the server does not answer.
sub try
{
	my ($self, $query) = @_;
	return eval { $self->sql($query) } // '';
}

# Ends the session; the next query opens another one.
sub disconnect
{
	my ($self) = @_;
	my $session = delete $self->{session};

	$session->quit if $session;
	return;
}

# Changes a setting of the server, and waits until this session has read it;
# the worker may do so a moment later. $value is SQL, DEFAULT for none.
sub set_conf
{
	my ($self, $name, $value) = @_;
	my $before = $self->sql('SELECT clock_timestamp()');

	$self->sql("ALTER SYSTEM SET $name = $value");
	$self->sql('SELECT pg_reload_conf()');
	return $self->wait_for("pg_conf_load_time() > '$before'",
		"$name to be reloaded");
}

# $count valid card numbers that no other call has returned.
sub cards
{
	my ($self, $count) = @_;
	return map { test_card($next_card++) } 1 .. $count;
}

# Submits an inquiry of each card, in one transaction, and returns the ids.
sub submit
{
	my ($self, @cards) = @_;
	return $self->submit_as('card', @cards);
}

# Likewise another inquiry with one argument `card`.
sub submit_as
{
	my ($self, $inquiry, @cards) = @_;
	my $list = join ', ', map { "jsonb_build_object('card', '$_')" } @cards;
	return split /\n/,
	  $self->sql("SELECT jibit_submit_batch('$inquiry', ARRAY[$list])");
}

# An expression of jibit_queue for one request.
sub value
{
	my ($self, $id, $expression) = @_;
	return $self->sql("SELECT $expression FROM jibit_queue WHERE id = $id");
}

sub state
{
	my ($self, $id) = @_;
	return $self->value($id, 'state');
}

# The states of all requests, each with its number: `failed 1, succeeded 20`.
sub states
{
	my ($self, $where) = @_;
	return $self->sql(
		"SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM"
		  . ' (SELECT state, count(*) AS n FROM jibit_queue WHERE '
		  . ($where // 'true')
		  . ' GROUP BY state) s');
}

# Waits until the SQL expression is true.
sub wait_for
{
	my ($self, $condition, $what) = @_;
	my $met = poll_until(
		sub { $self->try("SELECT $condition") eq 't' },
		$what // $condition);

	diag('requests: ' . $self->try(
			"SELECT string_agg(concat_ws(' ', id, state, attempts, (error).code), ', ')"
			  . ' FROM (SELECT * FROM jibit_queue ORDER BY finished_at DESC, id LIMIT 20) q'
	)) unless $met;
	return $met;
}

sub wait_for_state
{
	my ($self, $id, $state) = @_;
	return $self->wait_for(
		"(SELECT state FROM jibit_queue WHERE id = $id) = '$state'",
		"request $id to be $state");
}

# Waits until nothing is waiting or running any more; $where limits that.
sub wait_until_done
{
	my ($self, $where) = @_;
	return $self->wait_for(
		'NOT EXISTS (SELECT FROM jibit_queue WHERE finished_at IS NULL'
		  . ($where ? " AND $where" : '') . ')',
		'all requests to finish');
}

# Waits until none is running; those that a pause holds up may wait.
sub wait_until_idle
{
	my ($self) = @_;
	return $self->wait_for(
		"NOT EXISTS (SELECT FROM jibit_queue WHERE state = 'running')",
		'running requests to end');
}

# Waits for a worker (or another type of process) and returns its process id;
# another one than $other, if that is given.
sub process
{
	my ($self, $type, $other) = @_;
	return poll_until(
		sub {
			$self->try(
				"SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'"
				  . " AND coalesce(datname, '$self->{dbname}') = '$self->{dbname}'"
				  . ' AND pid <> '
				  . ($other // 0));
		},
		"a $type");
}

sub worker { return $_[0]->process('jibit worker', $_[1]) }

# Forgets the requests of before, and what the sandbox has counted.
sub clear
{
	my ($self, $sandbox, @settings) = @_;

	$self->sql('DELETE FROM jibit_queue WHERE finished_at IS NOT NULL');
	if ($sandbox)
	{
		$sandbox->reset;
		$sandbox->set(@settings) if @settings;
	}
	return;
}

1;
