# jibit: ask Jibit's inquiry API from SQL
#
#   make && make install     build and install, PG_CONFIG chooses the server
#   make installcheck        regression tests against a running server that
#                            has shared_preload_libraries = 'jibit'
#   make check               all tests, in a private copy of the installation
#   make demo                a tour, with a sandbox in place of the real API
#   make bench               measurements; PARTS="batch queue" some of them, as
#                            PARTS="regress tap" does for check
#   make sandbox             the sandbox alone, for tests of your own
#   make clean               remove what was built
#   make help                print this

EXTENSION = jibit
MODULE_big = jibit
DATA = sql/jibit--1.0.sql
PGFILEDESC = "jibit - inquiries of cards, IBANs and identities"

OBJS = \
	src/jibit.o \
	src/account/credentials.o \
	src/account/policy.o \
	src/account/rights.o \
	src/account/token.o \
	src/base/clock.o \
	src/base/config.o \
	src/base/encoding.o \
	src/base/errorclass.o \
	src/base/errors.o \
	src/base/extension.o \
	src/base/inquiryids.o \
	src/base/ownerrights.o \
	src/base/subtransaction.o \
	src/base/tehran.o \
	src/call/last.o \
	src/call/log.o \
	src/call/lookup.o \
	src/call/result.o \
	src/call/run.o \
	src/call/statement.o \
	src/call/task.o \
	src/call/trackid.o \
	src/net/http.o \
	src/net/retry.o \
	src/net/sockets.o \
	src/net/transfer.o \
	src/net/trust.o \
	src/offline/banks.o \
	src/offline/jalali.o \
	src/offline/mask.o \
	src/offline/normalize.o \
	src/offline/text.o \
	src/protocol/answer.o \
	src/protocol/arguments.o \
	src/protocol/decode.o \
	src/protocol/inquiries.o \
	src/protocol/json.o \
	src/queue/claims.o \
	src/queue/counts.o \
	src/queue/launcher.o \
	src/queue/pauses.o \
	src/queue/request.o \
	src/queue/submit.o \
	src/queue/table.o \
	src/queue/verdict.o \
	src/queue/worker.o \
	src/shared/breaker.o \
	src/shared/budget.o \
	src/shared/cache.o \
	src/shared/cachearea.o \
	src/shared/circuit.o \
	src/shared/digest.o \
	src/shared/exit.o \
	src/shared/holders.o \
	src/shared/places.o \
	src/shared/stats.o \
	src/shared/workers.o \
	src/sql/admin.o \
	src/sql/batch.o \
	src/sql/catalog.o \
	src/sql/check.o \
	src/sql/dates.o \
	src/sql/firing.o \
	src/sql/inquiry.o \
	src/sql/monitor.o \
	src/sql/offline.o \
	src/sql/queue.o \
	src/sql/queuetypes.o \
	src/sql/request.o \
	src/sql/trigger.o

REGRESS = readme install inquiries arguments errors answers credentials settings rights request batch offline triggers caches queue

PG_CONFIG ?= pg_config
export PG_CONFIG CC

.DEFAULT_GOAL := all

# These three install what is missing before they build, so they must work
# where there is no PGXS yet.
HARNESS_GOALS = check demo bench

ifneq ($(filter help,$(MAKECMDGOALS)),)

.PHONY: help
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

else ifneq ($(filter $(HARNESS_GOALS),$(MAKECMDGOALS)),)

.PHONY: $(HARNESS_GOALS)
$(HARNESS_GOALS):
	+@JIBIT_REGRESS="$(REGRESS)" MAKE="$(MAKE)" test/harness/$@ $(PARTS)

else

MODULES_NEEDED = libcurl json-c libcrypto libssl

# PostgreSQL's idioms are not made for -Wextra: functions with a prescribed
# signature leave parameters unused, lengthof() is unsigned, PG_TRY declares
# what longjmp may clobber.
PG_CPPFLAGS = -I$(srcdir)/src $(shell pkg-config --cflags $(MODULES_NEEDED))
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-clobbered
SHLIB_LINK = $(shell pkg-config --libs $(MODULES_NEEDED))

# Each regression test has a sandbox of its own, which ends with it.
REGRESS_OPTS = --launcher=$(srcdir)/test/sandbox/with-sandbox \
	--no-locale --encoding=UTF8

# clang does not know all that a server built by gcc has in its flags and
# headers.
ifneq ($(findstring clang,$(shell $(CC) --version)),)
PG_CFLAGS += -Wno-ignored-attributes -Wno-ignored-optimization-argument \
	-Wno-cast-function-type-strict -Wno-unknown-warning-option
endif

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# What the library calls of its own is its own, and called directly, whatever
# the server or another library has of the same name.  Darwin's linker always
# does it.
ifneq ($(PORTNAME),darwin)
SHLIB_LINK += -Wl,-Bsymbolic
endif

ifneq ($(shell test $(MAJORVERSION) -ge 15 && echo yes),yes)
$(error jibit needs PostgreSQL 15 or later, $(PG_CONFIG) is of $(VERSION))
endif

# PGXS tracks headers only where the server was built with dependency tracking.
$(OBJS): $(wildcard $(srcdir)/src/*.h $(srcdir)/src/*/*.h)

.PHONY: sandbox
sandbox:
	$(MAKE) -C $(srcdir)/test/sandbox

installcheck: check-server sandbox

.PHONY: check-server
check-server:
	@$(srcdir)/test/harness/server $(bindir)/psql

clean: clean-tests

.PHONY: clean-tests
clean-tests:
	$(MAKE) -C $(srcdir)/test/sandbox clean
	$(MAKE) -C $(srcdir)/test/unit clean

endif
