// SPDX-License-Identifier: Apache-2.0
#include "suites/worker.h"

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

#include "core/base/clock.h"
#include "core/base/log.h"

#define OUTPUT_MAX (256 << 10) /* bytes kept of what a worker prints; the rest is refused */
#define GRACE_SECONDS 1.0      /* from "please stop" to the kill */
#define ADDRESS_SLACK ((size_t)64 << 20)

iso_status iso_worker_init(iso_worker *w, iso_error *err)
{
	void *p = mmap(NULL, sizeof(iso_worker_page), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(w, 0, sizeof(*w));
	w->output = -1;
	if (p == MAP_FAILED)
		return iso_no_memory(err, "a worker");
	w->page = p;
	return ISO_OK;
}

void iso_worker_close(iso_worker *w)
{
	if (w->page)
		munmap(w->page, sizeof(*w->page));
	if (w->output >= 0)
		close(w->output);
	memset(w, 0, sizeof(*w));
	w->output = -1;
}

/* A file of fixed size: what is written beyond it fails, and the writer goes on. */
static int open_output(void)
{
	int fd = memfd_create("isoeps-worker", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, OUTPUT_MAX) != 0 ||
			fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* ------------------------------------------------------------------ in the worker */

static volatile sig_atomic_t asked_to_stop;

static void on_stop(int signal_)
{
	(void)signal_;
	asked_to_stop = 1;
}

int iso_worker_cancelled(void *ctx)
{
	(void)ctx;
	return asked_to_stop;
}

/* Private memory may grow by `bytes` over what the parent had (RLIMIT_DATA counts private writable
 * mappings since Linux 4.7), and so may all address space, which counts shared mappings, too.  A
 * sanitizer reserves terabytes of address space: there only the first limit is set. */
static void limit_memory(size_t bytes)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size = 0, resident, shared, text, lib, data = 0;
	const rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE);
	struct rlimit r;

	if (f) {
		if (fscanf(f, "%lu %lu %lu %lu %lu %lu", &size, &resident, &shared, &text, &lib,
			   &data) != 6)
			size = data = 0;
		fclose(f);
	}
	r.rlim_cur = r.rlim_max = (rlim_t)data * page + bytes;
	(void)setrlimit(RLIMIT_DATA, &r);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	r.rlim_cur = r.rlim_max = (rlim_t)size * page + bytes + ADDRESS_SLACK;
	if (size)
		(void)setrlimit(RLIMIT_AS, &r);
#endif
}

static void become_worker(pid_t parent, int output, size_t bytes)
{
	const struct sigaction stop = {.sa_handler = on_stop};
	sigset_t none;

	(void)setpgid(0, 0); /* a Ctrl-C does not reach it: the parent decides */
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigaction(SIGTERM, &stop, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (output >= 0) {
		dup2(output, STDERR_FILENO);
		dup2(output, STDOUT_FILENO);
	}
	iso_log_set_level(ISO_LOG_QUIET);
	limit_memory(bytes);
}

static void work(iso_task_fn fn, void *ctx, iso_worker_page *page)
{
	iso_error err = {0};

	page->status = fn(ctx, page, &err);
	snprintf(page->text, sizeof(page->text), "%s", err.text);
	page->finished = 1;
}

/* ------------------------------------------------------------------ in the parent */

iso_status iso_worker_start(iso_worker *w, iso_task_fn fn, void *ctx, const iso_limits *limits,
			    double scale, iso_error *err)
{
	const pid_t parent = getpid();

	*w->page = (iso_worker_page){.progress = {.total = 1}, .scale = scale};
	w->timed_out = 0;
	w->stop_at = 0;
	w->limits = *limits;
	w->output = open_output();
	w->started = iso_clock_wall();
	fflush(NULL);
	w->pid = fork();
	if (w->pid < 0) {
		w->pid = 0;
		return iso_fail(err, ISO_E_INTERNAL,
				"cannot start a worker (fork): %s; lower --jobs", strerror(errno));
	}
	if (w->pid == 0) {
		become_worker(parent, w->output, limits->bytes);
		work(fn, ctx, w->page);
		_exit(0);
	}
	(void)setpgid(w->pid, w->pid); /* in case the child has not come so far */
	return ISO_OK;
}

double iso_worker_share(const iso_worker *w)
{
	const iso_progress *p = w->page ? &w->page->progress : NULL;

	if (!w->pid || !p || !(p->total > 0) || !(p->done > 0))
		return 0;
	return p->done < p->total ? p->done / p->total : 1;
}

/* The end of what is kept of the worker's output, on one line. */
static void last_words(iso_worker *w, char *out, size_t size)
{
	/* The descriptor shares its offset with the worker's. */
	off_t end = w->output >= 0 ? lseek(w->output, 0, SEEK_CUR) : 0;
	off_t from = end > (off_t)size - 1 ? end - ((off_t)size - 1) : 0;
	ssize_t n =
		w->output >= 0 && end > 0 ? pread(w->output, out, (size_t)(end - from), from) : 0;

	out[n > 0 ? n : 0] = 0;
	while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == ' '))
		out[--n] = 0;
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 32)
			*c = ' ';
	if (w->output >= 0)
		close(w->output);
	w->output = -1;
}

static void judge_exit(iso_worker *w, int status, iso_finished *done)
{
	char words[600];

	last_words(w, words, sizeof(words));
	*done = (iso_finished){.outcome = ISO_TASK_DONE, .code = w->page->status};
	if (w->page->finished && WIFEXITED(status) && !w->timed_out) {
		memcpy(done->text, w->page->text, sizeof(done->text));
		done->text[sizeof(done->text) - 1] = 0;
		return;
	}
	done->outcome = w->timed_out ? ISO_TASK_TIMEOUT : ISO_TASK_CRASH;
	done->code = w->timed_out ? ISO_E_LIMIT : ISO_E_PLUGIN;
	if (w->timed_out)
		snprintf(done->text, sizeof(done->text),
			 "%g s were not enough; raise limits.seconds in the suite or lower the "
			 "work",
			 w->limits.seconds);
	else if (WIFSIGNALED(status))
		snprintf(done->text, sizeof(done->text), "signal %d (%s)%s%s%s", WTERMSIG(status),
			 strsignal(WTERMSIG(status)),
			 WTERMSIG(status) == SIGKILL ? "; the system may have run out of memory"
						     : "",
			 words[0] ? ": " : "", words);
	else
		snprintf(done->text, sizeof(done->text), "exit status %d%s%s", WEXITSTATUS(status),
			 words[0] ? ": " : "", words);
}

/* Asks once, and kills the group when the grace is over. */
static void press(iso_worker *w)
{
	const double now = iso_clock_wall();

	if (w->stop_at == 0) {
		w->stop_at = now + GRACE_SECONDS;
		kill(w->pid, SIGTERM);
	} else if (now > w->stop_at) {
		kill(-w->pid, SIGKILL);
		kill(w->pid, SIGKILL);
	}
}

int iso_worker_poll(iso_worker *w, iso_finished *done)
{
	int status = 0;
	pid_t r;

	if (!w->pid)
		return 0;
	if (iso_clock_wall() - w->started > w->limits.seconds) {
		w->timed_out = 1;
		press(w);
	}
	r = waitpid(w->pid, &status, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR))
		return 0;
	kill(-w->pid, SIGKILL); /* what it started and left */
	w->pid = 0;
	judge_exit(w, status, done);
	return 1;
}

void iso_workers_stop(iso_worker *w, size_t n)
{
	const struct timespec pause = {.tv_nsec = 2000000L};
	size_t running;

	do {
		running = 0;
		for (size_t i = 0; i < n; i++) {
			if (!w[i].pid)
				continue;
			press(&w[i]);
			if (waitpid(w[i].pid, NULL, WNOHANG) == 0) {
				running++;
				continue;
			}
			kill(-w[i].pid, SIGKILL);
			w[i].pid = 0;
			if (w[i].output >= 0)
				close(w[i].output);
			w[i].output = -1;
		}
		if (running)
			nanosleep(&pause, NULL);
	} while (running);
}

/* ------------------------------------------------------------------ what workers leave behind */

#define CHILDREN 256
static pid_t before[CHILDREN]; /* children of this process when adoption began */
static size_t nbefore;

static size_t list_children(pid_t *out, size_t room)
{
	char path[64];
	long pid;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	f = fopen(path, "r");
	while (f && n < room && fscanf(f, "%ld", &pid) == 1)
		out[n++] = (pid_t)pid;
	if (f)
		fclose(f);
	return n;
}

void iso_orphans_adopt(int adopt)
{
	nbefore = adopt ? list_children(before, CHILDREN) : 0;
	prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)adopt);
}

void iso_orphans_kill(const iso_worker *w, size_t n)
{
	pid_t child[CHILDREN];
	const size_t found = list_children(child, CHILDREN);

	for (size_t i = 0; i < found; i++) {
		int known = 0;

		for (size_t k = 0; k < nbefore; k++)
			known |= before[k] == child[i];
		for (size_t k = 0; k < n; k++)
			known |= w[k].pid == child[i];
		if (known)
			continue;
		kill(child[i], SIGKILL);
		(void)waitpid(child[i], NULL, 0);
	}
}
