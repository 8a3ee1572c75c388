/*
 * main.c
 *		Starting and ending the sandbox.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "http.h"
#include "options.h"
#include "random.h"
#include "settings.h"
#include "tokens.h"

/* Before any thread starts, so that none of them gets these signals. */
static sigset_t
block_signals(void)
{
	static const int ending[] = {SIGTERM, SIGINT, SIGHUP};
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
	{
		struct sigaction action;

		/* Who starts it in the background may have it ignore some. */
		if (sigaction(ending[i], NULL, &action) == 0 &&
			(action.sa_handler != SIG_IGN || ending[i] == SIGTERM))
			sigaddset(&signals, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signals;
}

int
main(int argc, char **argv)
{
	pid_t parent = getppid();
	Options options;
	sigset_t signals;
	int received;

	options_read(argc, argv, &options);
	signals = block_signals();
	if (options.exit_with_parent)
	{
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		/* It may have ended before it was asked for. */
		if (getppid() != parent)
			return 0;
	}
	random_start();
	settings_start(&options.settings);
	if (!http_start(&options))
		return 1;
	printf("listening on %s\n", http_base_url());
	fflush(stdout);

	sigwait(&signals, &received);
	http_stop();
	tokens_free();
	return 0;
}
