// SPDX-License-Identifier: Apache-2.0
/* gnuplot as a child process, without a shell. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/figures.h"

extern char **environ;

/* Exit status of `gnuplot -e format='F' STEM.gp` in dir; -1 with errno when it cannot be started.
 */
static int draw(const char *dir, const char *set_format, const char *script)
{
	char *argv[] = {"gnuplot", "-e", (char *)set_format, (char *)script, NULL};
	posix_spawn_file_actions_t actions;
	int status, rc;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	rc = posix_spawnp(&pid, "gnuplot", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc != 0) {
		errno = rc;
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		errno = ENOENT;
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

iso_status iso_gnuplot(const char *dir, const char *stem, int *missing, iso_error *err)
{
	static const char *const formats[] = {"format='svg'", "format='pdf'", "format='png'"};
	iso_str script = {0};
	iso_status st = ISO_OK;

	iso_str_addf(&script, "%s.gp", stem);
	ISO_TRY(iso_str_check(&script, err));
	for (size_t i = 0; i < ISO_COUNT(formats) && st == ISO_OK && !*missing; i++) {
		int rc = draw(dir, formats[i], script.p);

		if (rc < 0 && errno == ENOENT)
			*missing = 1;
		else if (rc < 0)
			st = iso_fail(err, ISO_E_IO,
				      "cannot start gnuplot (%s/%s): %s; run it by hand", dir,
				      script.p, strerror(errno));
		else if (rc != 0)
			st = iso_fail(err, ISO_E_IO,
				      "gnuplot failed (%s/%s): exit status %d; run it by hand in "
				      "that directory to see why",
				      dir, script.p, rc);
	}
	iso_str_free(&script);
	return st;
}
