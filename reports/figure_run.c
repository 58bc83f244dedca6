// SPDX-License-Identifier: Apache-2.0
/* gnuplot as a child process: without a shell, without anybody's start-up file, in a new directory
 * that holds nothing but its script and its data. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/io/file.h"
#include "reports/figures.h"

#define SECONDS_MAX 60 /* for the pictures of one figure */

extern char **environ;

static int wait_for(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int status;

	for (int i = 0; i < SECONDS_MAX * 500; i++) {
		const pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		if (got < 0 && errno != EINTR)
			return 128;
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 124;
}

/* Exit status of `gnuplot -d STEM.gp` in dir; -1 with errno when it cannot be started. */
static int draw(const char *dir, const char *script)
{
	char *argv[] = {"gnuplot", "-d", (char *)script, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "stderr",
					 O_WRONLY | O_CREAT | O_APPEND, 0600);
	rc = posix_spawnp(&pid, "gnuplot", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc != 0) {
		errno = rc;
		return -1;
	}
	rc = wait_for(pid);
	if (rc == 127) {
		errno = ENOENT;
		return -1;
	}
	return rc;
}

/* The first line of what gnuplot said that is an error. */
static void complaint(const char *place, char out[200])
{
	iso_str path = {0};
	iso_error err = {0};
	char *text = NULL, *line;
	size_t n;

	snprintf(out, 200, "it said nothing");
	iso_str_addf(&path, "%s/stderr", place);
	if (path.p && iso_file_read(path.p, 1 << 16, &text, &n, &err) == ISO_OK &&
	    (line = strstr(text, "line ")) != NULL)
		snprintf(out, 200, "%.*s", (int)strcspn(line, "\n"), line);
	iso_free(text);
	iso_str_free(&path);
}

static iso_status draw_all(const char *place, const char *stem, int *missing, iso_error *err)
{
	iso_str script = {0};
	iso_status st = ISO_OK;
	char why[200];
	int rc;

	iso_str_addf(&script, "%s.gp", stem);
	ISO_TRY(iso_str_check(&script, err));
	rc = draw(place, script.p);
	if (rc < 0 && errno == ENOENT) {
		*missing = 1;
	} else if (rc < 0) {
		st = iso_fail(err, ISO_E_PLUGIN, "cannot start gnuplot: %s", strerror(errno));
	} else if (rc != 0) {
		complaint(place, why);
		st = iso_fail(err, ISO_E_PLUGIN, "gnuplot could not draw it (exit status %d): %s",
			      rc, why);
	}
	iso_str_free(&script);
	return st;
}

static iso_status write_into(const char *place, const char *stem, const char *suffix,
			     const iso_str *text, iso_error *err)
{
	iso_str path = {0};
	iso_status st;

	iso_str_addf(&path, "%s/%s%s", place, stem, suffix);
	st = iso_str_check(&path, err);
	if (st == ISO_OK)
		st = iso_str_check(text, err);
	if (st == ISO_OK)
		st = iso_file_write_atomic(path.p, text->p, text->n, err);
	iso_str_free(&path);
	return st;
}

/* Moves what exists out of the place and removes the place. */
static iso_status collect(const char *place, const char *dir, const char *stem, iso_error *err)
{
	static const char *const suffix[] = {".svg", ".pdf", ".png", ".gp", ".csv"};
	iso_status st = ISO_OK;
	iso_str from = {0}, to = {0};

	for (size_t i = 0; i < ISO_COUNT(suffix) && st == ISO_OK; i++) {
		from.n = to.n = 0;
		iso_str_addf(&from, "%s/%s%s", place, stem, suffix[i]);
		iso_str_addf(&to, "%s/%s%s", dir, stem, suffix[i]);
		st = iso_str_check(&from, err);
		if (st == ISO_OK)
			st = iso_str_check(&to, err);
		if (st == ISO_OK && rename(from.p, to.p) != 0 && errno != ENOENT)
			st = iso_fail(err, ISO_E_IO, "cannot write a figure (%s): %s", to.p,
				      strerror(errno));
	}
	from.n = 0;
	iso_str_addf(&from, "%s/stderr", place);
	if (from.p)
		remove(from.p);
	if (rmdir(place) != 0 && st == ISO_OK)
		st = iso_fail(err, ISO_E_IO, "cannot remove a directory (%s): %s", place,
			      strerror(errno));
	iso_str_free(&from);
	iso_str_free(&to);
	return st;
}

iso_status iso_gnuplot(const char *dir, const char *stem, const iso_str *csv, const iso_str *script,
		       int *missing, iso_error *err)
{
	iso_str place = {0};
	iso_error why = {0};
	iso_status st, moved;

	iso_str_addf(&place, "%s/drawing-XXXXXX", dir);
	ISO_TRY_OUT(iso_str_check(&place, err));
	if (!mkdtemp(place.p)) {
		st = iso_fail(err, ISO_E_IO, "cannot make a directory (%s): %s", place.p,
			      strerror(errno));
		goto out;
	}
	st = write_into(place.p, stem, ".csv", csv, err);
	if (st == ISO_OK)
		st = write_into(place.p, stem, ".gp", script, err);
	if (st == ISO_OK && !*missing)
		st = draw_all(place.p, stem, missing, err);
	moved = collect(place.p, dir, stem, &why);
	if (moved != ISO_OK && (st == ISO_OK || st == ISO_E_PLUGIN))
		st = iso_fail(err, moved, "%s", why.text);
out:
	iso_str_free(&place);
	return st;
}
