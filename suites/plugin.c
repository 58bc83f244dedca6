// SPDX-License-Identifier: Apache-2.0
#include "suites/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacks/attack.h"
#include "core/base/clock.h"
#include "core/base/code.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "generators/generator.h"
#include "metrics/metric.h"

#define TRIAL_SECONDS 20.0 /* for loading a shared object */

typedef const void *(*entry_fn)(void);

static iso_status admit_generator(const void *d, iso_error *err)
{
	const iso_generator *g = d;

	ISO_TRY(iso_generator_register(g, err));
	if (!g->save || !g->load)
		iso_note("generator %s has no slot %s: its models cannot be kept, so an attack or "
			 "a metric added later trains it again",
			 g->name, g->save ? "load" : "save");
	return ISO_OK;
}

static iso_status admit_attack(const void *d, iso_error *err)
{
	return iso_attack_register(d, err);
}

static iso_status admit_metric(const void *d, iso_error *err)
{
	return iso_metric_register(d, err);
}

static const struct {
	const char *symbol;
	iso_status (*admit)(const void *descriptor, iso_error *err);
} kinds[] = {
	{"iso_plugin_generator", admit_generator},
	{"iso_plugin_attack", admit_attack},
	{"iso_plugin_metric", admit_metric},
};

static iso_status hash_of(const char *path, char hash[65], iso_error *err)
{
	iso_error why = {0};

	if (iso_file_sha256(path, hash, &why) == ISO_OK)
		return ISO_OK;
	return iso_fail(err, ISO_E_PLUGIN, "plug-in (%s): %s; give the path of a shared object",
			path, why.text);
}

/* In a process of its own: the object is loaded and its entries are called, so that a file that
 * crashes or exits there takes nothing with it. */
static int load_in_child(const char *path)
{
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; so && i < ISO_COUNT(kinds); i++) {
		entry_fn entry = NULL;

		*(void **)&entry = dlsym(so, kinds[i].symbol);
		if (entry) {
			const uint32_t *abi = entry();

			if (abi && *abi == 0xffffffffu) /* reads it: a wild pointer shows here */
				return 2;
		}
	}
	return 0;
}

/* Waits TRIAL_SECONDS at most; *status as of waitpid, -1 when it had to be killed. */
static void wait_for(pid_t pid, int *status)
{
	const double until = iso_clock_wall() + TRIAL_SECONDS;
	const struct timespec pause = {.tv_nsec = 1000000L};

	while (waitpid(pid, status, WNOHANG) == 0) {
		if (iso_clock_wall() > until) {
			kill(pid, SIGKILL);
			(void)waitpid(pid, status, 0);
			*status = -1;
			return;
		}
		nanosleep(&pause, NULL);
	}
}

static iso_status try_load(const char *path, iso_error *err)
{
	int told[2], status = 0;
	char word = 0;
	pid_t pid;
	ssize_t got;

	ISO_FAIL_IF(pipe2(told, O_CLOEXEC) != 0, err, ISO_E_INTERNAL,
		    "cannot try a plug-in (%s): %s; close some files", path, strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		const char done = (char)(load_in_child(path) == 0);

		got = write(told[1], &done, 1);
		_exit(0);
	}
	close(told[1]);
	if (pid > 0)
		wait_for(pid, &status);
	got = pid > 0 ? read(told[0], &word, 1) : -1;
	close(told[0]);
	ISO_FAIL_IF(pid < 0, err, ISO_E_INTERNAL, "cannot try a plug-in (%s): %s", path,
		    strerror(errno));
	if (got == 1 && word)
		return ISO_OK;
	if (status == -1)
		return iso_fail(err, ISO_E_PLUGIN, "plug-in (%s): loading it did not end in %g s",
				path, TRIAL_SECONDS);
	if (WIFSIGNALED(status))
		return iso_fail(
			err, ISO_E_PLUGIN,
			"plug-in (%s): loading it crashes with signal %d (%s); the file may "
			"be truncated, or built for another program",
			path, WTERMSIG(status), strsignal(WTERMSIG(status)));
	return iso_fail(err, ISO_E_PLUGIN,
			"plug-in (%s): loading it ends the program with status %d; remove that "
			"from its start-up code",
			path, WEXITSTATUS(status));
}

iso_status iso_plugin_load(const char *path, iso_error *err)
{
	void *so;
	const char *why;
	char hash[65];
	size_t found = 0;

	ISO_TRY(hash_of(path, hash, err));
	ISO_TRY(try_load(path, err));
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	why = so ? NULL : dlerror();
	ISO_FAIL_IF(!so, err, ISO_E_PLUGIN,
		    "plug-in (%s): %.300s; give the path of a shared object, with a / in it", path,
		    why ? why : "it cannot be loaded");
	for (size_t i = 0; i < ISO_COUNT(kinds); i++) {
		entry_fn entry = NULL;
		iso_status st;

		/* POSIX lets an object pointer hold a function's address; ISO C has no cast. */
		*(void **)&entry = dlsym(so, kinds[i].symbol);
		if (!entry)
			continue;
		st = iso_code_note(entry(), hash, err);
		if (st == ISO_OK)
			st = kinds[i].admit(entry(), err);
		if (st != ISO_OK) {
			(void)iso_fail_context(err, "%s", path);
			return st; /* what it registered before must stay loaded */
		}
		found++;
	}
	if (!found)
		dlclose(so);
	ISO_FAIL_IF(!found, err, ISO_E_PLUGIN,
		    "plug-in (%s): it has no function iso_plugin_generator, iso_plugin_attack or "
		    "iso_plugin_metric; export one that returns the descriptor's address",
		    path);
	return ISO_OK;
}
