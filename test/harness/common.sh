# shellcheck shell=bash
#
# What `check`, `demo` and `bench` have in common (bash; sourced, never run):
# dependencies, a private copy of the PostgreSQL installation with the
# extension in it, another user when started by root, and the end of it all.
#
# From the Makefile or the caller's environment:
#   PG_CONFIG        the server to build for; a value other than `pg_config`
#                    is taken as chosen, and no PostgreSQL is installed then
#   JIBIT_SERVER     a folder with another minor version of that server below
#                    it, at the same paths: that one runs, with what is built
#                    for PG_CONFIG
#   MAKE, CC         the programs to build with
#   TMPDIR           where the temporary folder goes (default /tmp)
#   JIBIT_TEST_USER  whom root becomes (default postgres, else nobody)
#
# The temporary folder (JIBIT_WORK):
#   inst/   the private installation; the files keep their absolute paths
#           below it, since PostgreSQL finds them relative to its programs
#   tree/   a copy of the checkout that the test user may read and write
#   run/    everything that the test user makes: home, clusters, logs
#   log/    the output of each part
#
# Everything is called after jibit_begin, which sets the traps: whatever ends
# the script, jibit_end stops the processes and removes the folder.

JIBIT_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
JIBIT_MINIMUM=15			# the oldest PostgreSQL supported
JIBIT_CURL_MINIMUM=7.87.0	# the first libcurl with CURLOPT_QUICK_EXIT
unset JIBIT_WORK			# not exported: see jibit_processes
JIBIT_WORK=
JIBIT_SHORT=
JIBIT_CHILD=
JIBIT_FAILED=

jibit_say() {
	printf '# %s\n' "$*"
}

jibit_die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

jibit_is_root() {
	[ "$(id -u)" -eq 0 ]
}

# ---------------------------------------------------------------- the end

# Sets the traps and enters the checkout. $1 is the name for the folder.
jibit_begin() {
	JIBIT_NAME=$1
	cd "$JIBIT_TOP" || exit 1
	trap 'jibit_end' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 141' PIPE
	trap 'exit 143' TERM
	umask 022
}

# The ids of the processes that came out of this run: those whose program lies
# in the temporary folder (PostgreSQL overwrites its environment), or who work
# there (so does nginx), and those whose environment names it (jibit_as_user
# sees to that).
jibit_processes() {
	{
		find /proc/[0-9]*/exe /proc/[0-9]*/cwd -maxdepth 0 \
			-lname "$JIBIT_WORK/*" 2>/dev/null
		grep -lzFx "JIBIT_WORK=$JIBIT_WORK" /proc/[0-9]*/environ 2>/dev/null
	} | sed -n 's,^/proc/\([0-9]*\)/.*,\1,p' | sort -u | grep -vx "$$"
}

# Asks every process of this run to stop, and ends those that do not within
# five seconds. A postmaster takes its own children with it.
jibit_stop_processes() {
	local file pid tries=0
	local -a postmasters=() others=()

	[ -n "$(jibit_processes)" ] || return 0
	while IFS= read -r file; do
		read -r pid <"$file" && postmasters+=("${pid#-}")
	done < <(find "$JIBIT_WORK/run" ${JIBIT_SHORT:+"$JIBIT_SHORT"} \
		-name postmaster.pid -type f 2>/dev/null)
	for pid in $(jibit_processes); do
		case "$(readlink "/proc/$pid/exe")" in
			"$JIBIT_WORK"/*/postgres*)
				[[ " ${postmasters[*]} " == *" $pid "* ]] &&
					kill -QUIT "$pid" 2>/dev/null ;;
			*)
				others+=("$pid") ;;
		esac
	done
	[ ${#others[@]} -eq 0 ] || kill -TERM "${others[@]}" 2>/dev/null
	while [ -n "$(jibit_processes)" ] && [ $tries -lt 50 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	for pid in $(jibit_processes); do
		kill -KILL "$pid" 2>/dev/null
	done
}

# Runs at every exit; keeps the logs of a failure and the exit status.
jibit_end() {
	local status=$?

	trap '' HUP INT PIPE TERM
	if declare -F jibit_before_end >/dev/null; then
		jibit_before_end "$status"
	fi
	if [ -n "$JIBIT_WORK" ] && [ -d "$JIBIT_WORK" ]; then
		if [ -n "$JIBIT_CHILD" ]; then
			kill -TERM -- "-$JIBIT_CHILD" 2>/dev/null
		fi
		jibit_stop_processes
		if [ -n "$JIBIT_FAILED" ]; then
			jibit_keep_logs
		fi
		rm -rf "$JIBIT_WORK" ${JIBIT_SHORT:+"$JIBIT_SHORT"}
	fi
	if declare -F jibit_after_end >/dev/null; then
		jibit_after_end "$status"
	fi
	exit "$status"
}

# Copies what explains a failure to tmp_check/ of the checkout.
jibit_keep_logs() {
	local to=$JIBIT_TOP/tmp_check file

	if ! { rm -rf "$to" && mkdir "$to"; } 2>/dev/null; then
		jibit_say "the logs are not kept: $JIBIT_TOP is not writable"
		return 0
	fi
	cp -R "$JIBIT_WORK/log" "$to/" 2>/dev/null
	(
		cd "$JIBIT_WORK/run" || exit
		find . \( -name pgdata -o -name data -o -name portlock \) -prune -o \
			-type f \( -name '*.log' -o -name 'regression.*' \
			-o -name 'regress_log_*' -o -path '*/results/*' \
			-o -path './tap-output/*' \) -print0
	) 2>/dev/null | while IFS= read -r -d '' file; do
		mkdir -p "$to/$(dirname "$file")" &&
			cp "$JIBIT_WORK/run/$file" "$to/$file"
	done
	# Root must not leave files that the checkout's owner cannot remove.
	if jibit_is_root; then
		chown -R --reference="$JIBIT_TOP" "$to"
	fi
	jibit_say "the logs are in $to"
}

# ----------------------------------------------------------- dependencies

jibit_has() {
	command -v "$1" >/dev/null 2>&1
}

# Whether pg_config $1 belongs to a server to build for and to run; says on
# standard output what it lacks.
jibit_pg_lacks() {
	local bindir

	bindir=$("$1" --bindir 2>/dev/null) || { echo "pg_config"; return; }
	[ -x "$bindir/postgres" ] && [ -x "$bindir/initdb" ] ||
		echo "the server ($bindir/postgres)"
	[ -e "$("$1" --includedir-server)/postgres.h" ] ||
		echo "the server's headers"
	[ -e "$("$1" --pgxs)" ] || echo "PGXS ($("$1" --pgxs))"
}

jibit_pg_major() {
	"$1" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/'
}

# The Debian version to install: that of a server which is there already, else
# the distribution's default. Nothing when apt has no package lists, as usual
# in a container.
jibit_debian_pg_version() {
	local version

	version=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 \
		-path '*/bin/postgres' 2>/dev/null |
		sed 's,^/usr/lib/postgresql/\([0-9]*\)/.*,\1,' | sort -n | tail -n 1)
	if [ -z "$version" ] || [ "$version" -lt "$JIBIT_MINIMUM" ]; then
		version=$(apt-cache depends postgresql 2>/dev/null |
			sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p' |
			sort -n | tail -n 1)
	fi
	echo "$version"
}

# Sets PG_CONFIG; adds what it lacks to the array `missing`.
jibit_find_postgresql() {
	local lacks version

	PG_CONFIG=${PG_CONFIG:-pg_config}
	lacks=$(jibit_pg_lacks "$PG_CONFIG")
	if [ -n "$lacks" ] && [ "$PG_CONFIG" != pg_config ]; then
		jibit_die "PG_CONFIG=$PG_CONFIG: missing: ${lacks//$'\n'/, }"
	fi
	if [ -n "$lacks" ]; then
		version=$(jibit_debian_pg_version)
		if [ -z "$version" ]; then
			missing+=(postgresql postgresql-server-dev-all)
			return
		fi
		PG_CONFIG=/usr/lib/postgresql/$version/bin/pg_config
		if [ -n "$(jibit_pg_lacks "$PG_CONFIG")" ]; then
			missing+=("postgresql-$version" "postgresql-server-dev-$version")
			return
		fi
	fi
	[ "$(jibit_pg_major "$PG_CONFIG")" -ge "$JIBIT_MINIMUM" ] ||
		jibit_die "$("$PG_CONFIG" --version) is too old:" \
			"PostgreSQL $JIBIT_MINIMUM or later is needed"
}

# Adds to `missing` the package $2 unless pkg-config knows the module $1.
jibit_find_library() {
	jibit_has pkg-config && pkg-config --exists "$1" || missing+=("$2")
}

# Sets the array `missing` to the Debian packages that are needed.
jibit_find_missing() {
	local compiler=${CC:-gcc}

	missing=()
	compiler=${compiler%% *}
	if ! jibit_has "$compiler"; then
		case $compiler in
			clang*) missing+=("${compiler##*/}" libc6-dev) ;;
			*) missing+=(gcc libc6-dev) ;;
		esac
	elif ! echo '#include <stdio.h>' | "$compiler" -E - >/dev/null 2>&1; then
		missing+=(libc6-dev)
	fi
	jibit_has "${MAKE:-make}" || missing+=(make)
	jibit_has pkg-config || missing+=(pkg-config)
	jibit_find_postgresql
	jibit_find_library libcurl libcurl4-openssl-dev
	jibit_find_library json-c libjson-c-dev
	jibit_find_library libmicrohttpd libmicrohttpd-dev
	jibit_find_library libssl libssl-dev
	jibit_has openssl || missing+=(openssl)
	jibit_has prove || missing+=(perl)
	perl -MIPC::Run -e 1 2>/dev/null || missing+=(libipc-run-perl)
	[ -e /etc/ssl/certs/ca-certificates.crt ] ||
		! jibit_has apt-get || missing+=(ca-certificates)
}

# Installs the Debian packages named, as root, or fetches the package lists
# where none is named. A new server package would create and start a cluster:
# two files keep it from that, for this time only. So would nginx, which the
# tests start by themselves: it is kept from running now and at the next start
# of the system. It is a program for another shell, since it may run under sudo.
# shellcheck disable=SC2016
JIBIT_INSTALLER='
set -u
conf=/etc/postgresql-common/createcluster.d/jibit-no-main-cluster.conf
policy=/usr/sbin/policy-rc.d
made= undo=
undo() {
	trap "" HUP INT TERM
	[ -z "$undo" ] || eval "$undo"
	[ -z "$made" ] || rmdir --ignore-fail-on-non-empty $made 2>/dev/null
}
trap undo EXIT
trap "exit 129" HUP; trap "exit 130" INT; trap "exit 143" TERM
case " $* " in
*" postgresql"*)
	for dir in /etc/postgresql-common /etc/postgresql-common/createcluster.d
	do
		[ -d $dir ] || { mkdir $dir && made="$dir $made"; } || exit 1
	done
	undo="rm -f $conf"
	echo "create_main_cluster = false" >$conf || exit 1 ;;
esac
case " $* " in
*" postgresql"* | *" nginx "*)
	if [ ! -e $policy ]; then
		undo="${undo:-rm -f} $policy"
		printf "%s\n" "#!/bin/sh" \
			"case \$1 in postgresql* | nginx*) exit 101;; esac" "exit 0" \
			>$policy &&
		chmod 755 $policy || exit 1
	fi ;;
esac
case " $* " in
*" nginx "*) undo="${undo:+$undo; }update-rc.d nginx disable >/dev/null 2>&1" ;;
esac
export DEBIAN_FRONTEND=noninteractive
# In the foreground: a signal waits until dpkg has finished what it does.
get() {
	apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
install() {
	get install -y --no-install-recommends --no-remove "$@"
}
if [ $# -eq 0 ]; then
	get update
	exit
fi
# Old lists, or none, are the usual reason why the first try fails.
if apt-get -qq -s install --no-remove "$@" >/dev/null 2>&1 && install "$@"
then exit 0
fi
get update && install "$@"
'

# Sets the array `sudo`; whether packages can be installed without a question.
jibit_may_install() {
	sudo=()
	jibit_has apt-get || return
	jibit_is_root || { sudo -n true 2>/dev/null && sudo=(sudo -n); }
}

# Runs JIBIT_INSTALLER with the arguments after $1, which says what it does.
# Its output is some hundred lines that matter only when it fails.
jibit_install() {
	local log

	log=$(mktemp "${TMPDIR:-/tmp}/jibit-packages.XXXXXX") || exit 1
	jibit_say "$1; the output goes to $log"
	shift
	if "${sudo[@]}" sh -s -- "$@" <<<"$JIBIT_INSTALLER" >"$log" 2>&1; then
		rm -f "$log"
	else
		tail -n 20 "$log" >&2
		return 1
	fi
}

# nginx, without which the tests and figures with HTTP/2 are left out: what is
# not there, and cannot be installed without a question, is no reason to stop.
jibit_want_nginx() {
	local -a sudo

	[ ! -x /usr/sbin/nginx ] && ! jibit_has nginx && jibit_may_install ||
		return 0
	jibit_install "installing nginx" nginx ||
		jibit_say "could not install nginx: what needs it is skipped"
}

# Everything that building, the servers and the tests need; installs what is
# missing where that is possible without a question, else names it and stops.
jibit_need_dependencies() {
	local -a missing=() sudo

	jibit_find_missing
	if [ ${#missing[@]} -gt 0 ]; then
		jibit_may_install || {
			{
				echo "Some packages are missing. On Debian:"
				echo
				echo "  sudo apt-get update"
				echo "  sudo apt-get install --no-install-recommends ${missing[*]}"
				echo
				echo "As root, or with sudo that asks no password, this command" \
					"installs them itself."
			} >&2
			exit 1
		}
		# Only the lists tell which PostgreSQL the distribution has.
		if [[ " ${missing[*]} " == *" postgresql "* ]]; then
			jibit_install "fetching the package lists" ||
				jibit_die "could not fetch the package lists"
			jibit_find_missing
		fi
		jibit_install "installing ${missing[*]}" "${missing[@]}" ||
			jibit_die "could not install ${missing[*]}"
		hash -r
		jibit_find_missing
		[ ${#missing[@]} -eq 0 ] ||
			jibit_die "still missing after the installation: ${missing[*]}"
	fi
	pkg-config --exists "libcurl >= $JIBIT_CURL_MINIMUM" ||
		jibit_die "libcurl $(pkg-config --modversion libcurl) is too old:" \
			"$JIBIT_CURL_MINIMUM or later is needed"
	PG_CONFIG=$(command -v "$PG_CONFIG")
}

# ------------------------------------------------- the private installation

# Sets JIBIT_WORK, a fresh folder that the test user can enter, and JIBIT_USER.
jibit_make_work() {
	local base=${TMPDIR:-/tmp}

	JIBIT_USER=$(id -un)
	if jibit_is_root; then
		JIBIT_USER=${JIBIT_TEST_USER:-}
		if [ -z "$JIBIT_USER" ]; then
			JIBIT_USER=nobody
			if id postgres >/dev/null 2>&1; then
				JIBIT_USER=postgres
			fi
		fi
		id "$JIBIT_USER" >/dev/null 2>&1 ||
			jibit_die "JIBIT_TEST_USER=$JIBIT_USER: no such user"
		[ "$(id -u "$JIBIT_USER")" -ne 0 ] ||
			jibit_die "JIBIT_TEST_USER: PostgreSQL does not run as root"
	fi

	# Neither PGXS nor pg_regress can cope with blanks in a path.
	case $base in
		*[[:space:]]*) jibit_die "TMPDIR=$base: blanks are not possible here" ;;
		/*) ;;
		*) jibit_die "TMPDIR=$base: must be an absolute path" ;;
	esac
	JIBIT_WORK=$(mktemp -d "${base%/}/jibit-$JIBIT_NAME.XXXXXX") || exit 1
	chmod 755 "$JIBIT_WORK"
	if ! jibit_become test -x "$JIBIT_WORK"; then
		rmdir "$JIBIT_WORK"
		jibit_say "$JIBIT_USER cannot enter $base: taking /tmp"
		JIBIT_WORK=$(mktemp -d "/tmp/jibit-$JIBIT_NAME.XXXXXX") || exit 1
		chmod 755 "$JIBIT_WORK"
	fi
	JIBIT_WORK=$(cd "$JIBIT_WORK" && pwd -P)
	mkdir "$JIBIT_WORK"/{inst,tree,run,log} "$JIBIT_WORK"/run/{home,tmp}

	# A socket's path has at most 107 bytes.
	JIBIT_SOCKETS=$JIBIT_WORK/run/tmp
	if [ ${#JIBIT_SOCKETS} -gt 60 ]; then
		JIBIT_SHORT=$(mktemp -d /tmp/jibit.XXXXXX) || exit 1
		JIBIT_SOCKETS=$JIBIT_SHORT
		jibit_give "$JIBIT_SHORT"
	fi
	jibit_give "$JIBIT_WORK/run"
}

# Gives the files $@ to the test user.
jibit_give() {
	if jibit_is_root; then
		chown -R "$JIBIT_USER:$(id -g "$JIBIT_USER")" "$@"
	fi
}

# Copies the folder $1 to the same path below the private installation.
jibit_copy_folder() {
	mkdir -p "$JIBIT_INST$1"
	cp -R --preserve=mode,timestamps,links --reflink=auto \
		"${JIBIT_SERVER:-}$1/." "$JIBIT_INST$1/"
}

# Whether the loader finds the library $1 by itself, or has no need to.
jibit_loader_has() {
	local library

	[ -e "$1" ] || return 0
	while IFS= read -r library; do
		[ ! "$library" -ef "$1" ] || return 0
	done < <(/sbin/ldconfig -p 2>/dev/null | sed -n 's/.* => //p')
	return 1
}

# The private copy, as PostgreSQL's own temp-install has it, and the extension.
jibit_make_installation() {
	local bindir pkglibdir sharedir libdir programs program library

	bindir=$("$PG_CONFIG" --bindir)
	pkglibdir=$("$PG_CONFIG" --pkglibdir)
	sharedir=$("$PG_CONFIG" --sharedir)
	libdir=$("$PG_CONFIG" --libdir)
	JIBIT_INST=$JIBIT_WORK/inst
	JIBIT_BINDIR=$JIBIT_INST$bindir
	JIBIT_PGXS_TEST=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
	JIBIT_LIBDIR=

	# The server resolves symbolic links to itself: real copies are needed. By
	# name, since the folder may hold everything else (/usr/bin).
	mkdir -p "$JIBIT_BINDIR"
	programs=${JIBIT_SERVER:-}$bindir
	for program in "$programs"/{postgres,psql,initdb,pgbench,createdb,dropdb} \
		"$programs"/{createuser,dropuser,vacuumdb,reindexdb,clusterdb} \
		"$programs"/pg_*; do
		if [ -f "$program" ] && [ -x "$program" ]; then
			cp -L --preserve=mode,timestamps --reflink=auto "$program" \
				"$JIBIT_BINDIR/" || exit 1
		fi
	done
	[ -x "$JIBIT_BINDIR/postgres" ] || jibit_die "no server in $programs"
	jibit_copy_folder "$pkglibdir" || exit 1
	jibit_copy_folder "$sharedir" || exit 1
	rm -rf "$JIBIT_INST$pkglibdir"/{bitcode,pgxs} "$JIBIT_INST$sharedir/man"

	if ! jibit_loader_has "$libdir/libpq.so.5"; then
		JIBIT_LIBDIR=$JIBIT_INST$libdir
		mkdir -p "$JIBIT_LIBDIR"
		for library in "$libdir"/lib{pq,pgtypes,ecpg,ecpg_compat}.so*; do
			if [ -e "$library" ]; then
				cp -P --preserve=mode,timestamps,links "$library" \
					"$JIBIT_LIBDIR/" || exit 1
			fi
		done
	fi
	jibit_become "$JIBIT_BINDIR/postgres" --version >/dev/null ||
		jibit_die "$JIBIT_USER cannot run programs below $JIBIT_WORK;" \
			"set TMPDIR to a folder where that is possible"
	[ -z "${JIBIT_SERVER:-}" ] ||
		jibit_say "running $("$JIBIT_BINDIR/postgres" --version)"

	# pg_regress is run from here too, so that its clusters are known by path.
	JIBIT_REGRESS_PROGRAM=
	if [ -x "$JIBIT_PGXS_TEST/regress/pg_regress" ]; then
		JIBIT_REGRESS_PROGRAM=$JIBIT_BINDIR/pg_regress
		cp -L "$JIBIT_PGXS_TEST/regress/pg_regress" "$JIBIT_REGRESS_PROGRAM"
	fi

	jibit_make all install DESTDIR="$JIBIT_INST"
}

# make, in the checkout and as the invoking user; the output is shown only
# when it fails.
jibit_make() {
	local log=$JIBIT_WORK/log/build.log

	echo "\$ make $*" >>"$log"
	set -m
	"${MAKE:-make}" PG_CONFIG="$PG_CONFIG" ${CC:+CC="$CC"} "$@" \
		>>"$log" 2>&1 </dev/null &
	JIBIT_CHILD=$!
	set +m
	wait "$JIBIT_CHILD" || {
		JIBIT_CHILD=
		JIBIT_FAILED=1
		tail -n 60 "$log" >&2
		jibit_die "make $* failed"
	}
	JIBIT_CHILD=
}

# The copy of the checkout: the test user may not be able to read the checkout
# itself, and the tests write beside their sources.
jibit_make_tree() {
	JIBIT_TREE=$JIBIT_WORK/tree
	tar -C "$JIBIT_TOP" --exclude=./.git --exclude=./tmp_check -cf - . |
		tar -C "$JIBIT_TREE" -xf - --no-same-owner ||
		jibit_die "could not copy $JIBIT_TOP"
	chmod -R u+rwX,go+rX "$JIBIT_TREE"
	chmod 755 "$JIBIT_TREE"
	# The static checks ask for git's files; git is not in the copy.
	if jibit_has git &&
		git -c safe.directory="$JIBIT_TOP" -C "$JIBIT_TOP" \
			rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory="$JIBIT_TOP" -C "$JIBIT_TOP" \
			ls-files -z --cached >"$JIBIT_WORK/tracked"
		git -c safe.directory="$JIBIT_TOP" -C "$JIBIT_TOP" \
			ls-files -z --cached --others --exclude-standard \
			>"$JIBIT_WORK/listed"
	fi
	jibit_give "$JIBIT_TREE"
}

# All of it: afterwards jibit_run works, and the sandbox is built.
jibit_setup() {
	jibit_need_dependencies
	jibit_make_work
	jibit_say "$("$PG_CONFIG" --version), as user $JIBIT_USER, in $JIBIT_WORK"
	jibit_make_installation
	jibit_make -C test/sandbox
	jibit_make_tree
	export JIBIT_SANDBOX=$JIBIT_TREE/test/sandbox/jibit-sandbox
	export JIBIT_SANDBOX_LAUNCHER=$JIBIT_TREE/test/sandbox/with-sandbox
	export JIBIT_BINDIR JIBIT_TREE
}

# ------------------------------------------------------- the other user

# Replaces this (sub)shell's program by "$@", as the test user.
jibit_exec() {
	if jibit_is_root; then
		exec setpriv --reuid="$JIBIT_USER" --regid="$(id -g "$JIBIT_USER")" \
			--init-groups -- "$@"
	fi
	exec "$@"
}

# Runs "$@" as the test user with the environment as it is, from a folder that
# everybody can enter.
jibit_become() {
	(cd / && jibit_exec "$@")
}

# Runs "$@" as the test user, in the copy of the checkout, with a clean
# environment. Variables are removed and set here rather than given to env(1):
# a command line is there for everybody to see, and JIBIT_KEEP, a list of
# names, may let keys through.
jibit_as_user() (
	cd "$JIBIT_TREE" || exit 1
	for name in $(compgen -e); do
		case " ${JIBIT_KEEP:-} " in
			*" $name "*) continue ;;
		esac
		case $name in
			JIBIT_API_KEY | JIBIT_SECRET_KEY) unset "$name" ;;
			PATH | TERM | CC | MAKE | PG_CONFIG | JIBIT_* | PG_TEST_*) ;;
			*SAN_OPTIONS) ;;
			*) unset "$name" ;;
		esac
	done
	export PATH="$JIBIT_BINDIR:$PATH"
	export HOME=$JIBIT_WORK/run/home TMPDIR=$JIBIT_SOCKETS LANG=C.UTF-8
	export USER=$JIBIT_USER LOGNAME=$JIBIT_USER JIBIT_WORK
	export PG_CONFIG PERL5LIB=$JIBIT_PGXS_TEST/perl:$JIBIT_TREE/test/perl
	if [ -n "$JIBIT_LIBDIR" ]; then
		export LD_LIBRARY_PATH=$JIBIT_LIBDIR
	fi
	jibit_exec "$@"
)

# Runs "${@:2}" as the test user with its output in the file $1 and on the
# screen; returns its status. It runs in the background, in a process group of
# its own, because only then a signal to this script is answered at once; the
# screen follows the file, so that a process left over cannot keep it open.
jibit_run() {
	local log=$1 status=0 follower

	shift
	: >>"$log"
	set -m
	jibit_as_user "$@" >>"$log" 2>&1 </dev/null &
	JIBIT_CHILD=$!
	set +m
	tail -c +1 -s 0.1 --pid="$JIBIT_CHILD" -f "$log" &
	follower=$!
	wait "$JIBIT_CHILD" || status=$?
	wait "$follower"
	JIBIT_CHILD=
	return "$status"
}
