// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"

#define SAID_MAX ((size_t)64 * 1024)
#define FILE_MAX ((rlim_t)1 << 30) /* of any one file that the program writes */
#define ARGS_MAX 96
#define PROBE_SECONDS 10

typedef struct arguments {
	const char *v[ARGS_MAX];
	size_t n;
	char program[4128], folder[4128], name[300];
} arguments;

static void push(arguments *a, const char *text)
{
	if (a->n + 1 < ARGS_MAX)
		a->v[a->n++] = text;
	a->v[a->n] = NULL;
}

static void push_bind(arguments *a, const char *how, const char *from, const char *to)
{
	push(a, how);
	push(a, from);
	push(a, to);
}

/* The parts of the system that interpreters and libraries need; none holds data of the user. */
static void push_system(arguments *a)
{
	static const char *const same[] = {"/lib",
					   "/lib64",
					   "/lib32",
					   "/bin",
					   "/sbin",
					   "/etc/alternatives",
					   "/etc/ld.so.cache",
					   "/etc/R",
					   "/etc/python3",
					   "/etc/localtime"};

	push_bind(a, "--ro-bind", "/usr", "/usr");
	for (size_t i = 0; i < ISO_COUNT(same); i++)
		push_bind(a, "--ro-bind-try", same[i], same[i]);
	push(a, "--proc");
	push(a, "/proc");
	push(a, "--dev");
	push(a, "/dev");
	push(a, "--tmpfs");
	push(a, "/tmp");
}

static void push_sandbox(arguments *a, const char *dir)
{
	static const char *const flags[] = {"bwrap",	     "--unshare-all", "--die-with-parent",
					    "--new-session", "--cap-drop",    "ALL"};

	for (size_t i = 0; i < ISO_COUNT(flags); i++)
		push(a, flags[i]);
	push_system(a);
	if (dir) {
		push_bind(a, "--bind", dir, "/data");
		push(a, "--chdir");
		push(a, "/data");
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void command_of(const iso_sandbox *s, int isolated, arguments *a)
{
	const char *name = base_name(s->program);

	if (!isolated) {
		push(a, s->program);
		return;
	}
	push_sandbox(a, s->dir);
	snprintf(a->program, sizeof(a->program), "/program/%.255s", name);
	if (s->folder) {
		snprintf(a->folder, sizeof(a->folder), "%.*s", (int)(name - s->program),
			 s->program);
		push_bind(a, "--ro-bind", a->folder, "/program");
	} else {
		push_bind(a, "--ro-bind", s->program, a->program);
	}
	push(a, "--");
	push(a, a->program);
}

/* ------------------------------------------------------------------ the child */

static void limit(int what, rlim_t n)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max != RLIM_INFINITY && r.rlim_max < n ? r.rlim_max : n;
	(void)setrlimit((__rlimit_resource_t)what, &r);
}

static void become(const iso_sandbox *s, const arguments *a, int said)
{
	/* one thread: cells share the machine, and some libraries' bits follow their threads */
	char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
				     "HOME=/tmp",
				     "TMPDIR=/tmp",
				     "LANG=C.UTF-8",
				     "OMP_NUM_THREADS=1",
				     "OPENBLAS_NUM_THREADS=1",
				     "PYTHONDONTWRITEBYTECODE=1",
				     "PYTHONHASHSEED=0",
				     NULL};
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, (rlim_t)(s->seconds + 0.999));
	limit(RLIMIT_FSIZE, FILE_MAX);
	if (s->memory > 0)
		limit(RLIMIT_AS, (rlim_t)s->memory);
	for (int sig = 1; sig < 32; sig++)
		(void)signal(sig, SIG_DFL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(said, 1) < 0 || dup2(said, 2) < 0 ||
	    (s->dir && chdir(s->dir) != 0))
		_exit(127);
	(void)close_range(3, ~0u, 0);
	/* execvpe finds bwrap in this process's PATH; the program itself is a path */
	(void)execvpe(a->v[0], (char *const *)(uintptr_t)a->v, environment);
	dprintf(2, "%s: %s\n", a->v[0], strerror(errno));
	_exit(127);
}

/* ------------------------------------------------------------------ the parent */

static void read_said(int fd, iso_str *out)
{
	char buffer[4096];
	off_t at = 0;
	ssize_t k;

	while ((size_t)at < SAID_MAX && (k = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		iso_str_addn(out, buffer, (size_t)k);
		at += k;
	}
}

/* Waits for the end; looks every 0.2 ms at first, every 10 ms in the end. */
static void wait_for(pid_t pid, const iso_sandbox *s, iso_sandbox_end *out, int *cancelled)
{
	const double until = iso_clock_wall() + s->seconds;
	struct timespec pause = {.tv_nsec = 200000L};
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		*cancelled = s->cancelled && s->cancelled(s->cancelled_ctx);
		out->timed_out = iso_clock_wall() > until;
		if (*cancelled || out->timed_out) {
			(void)kill(-pid, SIGKILL);
			(void)kill(pid, SIGKILL);
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
			break;
		}
		(void)nanosleep(&pause, NULL);
		if (pause.tv_nsec < 10000000L)
			pause.tv_nsec += pause.tv_nsec / 4;
	}
	(void)kill(-pid, SIGKILL); /* whatever it left behind */
	out->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	/* bwrap and the shell pass a signal on as 128 + its number */
	if (out->status > 128 && out->status < 128 + 32) {
		out->signal = out->status - 128;
		out->status = -1;
	}
	out->timed_out |= out->signal == SIGXCPU;
}

static iso_status run(const iso_sandbox *s, const arguments *a, iso_sandbox_end *out,
		      iso_error *err)
{
	const int said = memfd_create("output", MFD_CLOEXEC);
	int cancelled = 0;
	pid_t pid;

	(void)fflush(NULL);
	pid = said < 0 ? -1 : fork();
	if (pid == 0)
		become(s, a, said);
	if (pid < 0) {
		const int why = errno;

		if (said >= 0)
			(void)close(said);
		return iso_fail(err, ISO_E_IO, "new process (%s): %s; free memory or raise limits",
				s->program, strerror(why));
	}
	wait_for(pid, s, out, &cancelled);
	read_said(said, &out->said);
	(void)close(said);
	ISO_FAIL_IF(cancelled, err, ISO_E_CANCELLED, "cancelled (%s)", s->program);
	return iso_str_check(&out->said, err);
}

int iso_sandbox_works(void)
{
	static int known = -1;
	const iso_sandbox s = {.program = "true", .seconds = PROBE_SECONDS};
	iso_sandbox_end end = {0};
	iso_error ignored = {0};
	arguments a = {0};

	if (known >= 0)
		return known;
	push_sandbox(&a, NULL);
	push(&a, "--");
	push(&a, "true");
	known = run(&s, &a, &end, &ignored) == ISO_OK && end.status == 0;
	iso_str_free(&end.said);
	return known;
}

iso_status iso_sandbox_run(const iso_sandbox *s, iso_sandbox_end *out, iso_error *err)
{
	arguments a = {0};
	iso_status st;

	*out = (iso_sandbox_end){.isolated =
					 s->isolation != ISO_ISOLATION_OFF && iso_sandbox_works()};
	ISO_FAIL_IF(s->isolation == ISO_ISOLATION_REQUIRED && !out->isolated, err,
		    ISO_E_UNSUPPORTED,
		    "no isolation (%s): bubblewrap (bwrap) is absent or may not make namespaces "
		    "here; install the package bubblewrap, or say isolation=auto to run without",
		    s->program);
	command_of(s, out->isolated, &a);
	st = run(s, &a, out, err);
	if (st != ISO_OK)
		iso_str_free(&out->said);
	return st;
}
