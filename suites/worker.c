// SPDX-License-Identifier: Apache-2.0
#include "suites/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "results/record.h"

/* Exit statuses of a worker; 0 = done.  Anything else is a crash. */
#define EXIT_RECORDED 16 /* + status: failed, and the record says so */
#define EXIT_LOST 64	 /* + status: the record could not be written */

/* What a worker tells its parent while it runs. */
typedef struct shared_page {
	iso_progress progress;
	double scale;
} shared_page;

iso_status iso_worker_init(iso_worker *w, iso_error *err)
{
	void *p = mmap(NULL, sizeof(shared_page), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(w, 0, sizeof(*w));
	w->stderr_fd = -1;
	if (p == MAP_FAILED)
		return iso_no_memory(err, "a worker");
	w->progress = &((shared_page *)p)->progress;
	w->scale = &((shared_page *)p)->scale;
	return ISO_OK;
}

void iso_worker_close(iso_worker *w)
{
	if (w->progress)
		munmap(w->progress, sizeof(shared_page)); /* its first member */
	if (w->stderr_fd >= 0)
		close(w->stderr_fd);
	memset(w, 0, sizeof(*w));
	w->stderr_fd = -1;
}

/* ------------------------------------------------------------------ in the worker */

/* Private memory may grow by `bytes` over what the parent had.  RLIMIT_DATA counts private writable
 * mappings (Linux 4.7), so shared data and a sanitizer's reserved address space do not count. */
static void limit_memory(size_t bytes)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, resident, shared, text, lib, data = 0;
	struct rlimit r;

	if (f) {
		if (fscanf(f, "%lu %lu %lu %lu %lu %lu", &size, &resident, &shared, &text, &lib,
			   &data) != 6)
			data = 0;
		fclose(f);
	}
	r.rlim_cur = r.rlim_max = (rlim_t)data * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
	(void)setrlimit(RLIMIT_DATA, &r);
}

static void become_worker(pid_t parent, int stderr_fd, size_t bytes)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_IGN); /* a Ctrl-C reaches the whole group: the parent decides */
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_LOST + ISO_E_CANCELLED);
	if (stderr_fd >= 0) {
		dup2(stderr_fd, STDERR_FILENO);
		dup2(stderr_fd, STDOUT_FILENO);
	}
	iso_log_set_level(ISO_LOG_QUIET);
	limit_memory(bytes);
}

/* Exit status of the worker. */
static int work(const iso_cell_job *job)
{
	iso_error err = {0}, why = {0};
	cJSON *record = NULL;
	iso_status st, written;

	st = iso_cell_record(job, &record, &err);
	if (st == ISO_OK)
		st = iso_cell_execute(job, record, &err);
	if (job->train_only) {
		cJSON_Delete(record);
		return st == ISO_OK ? 0 : EXIT_LOST + (int)st;
	}
	if (st == ISO_OK) {
		st = iso_record_write(job->dir, record, &err);
		if (st == ISO_OK)
			return 0;
		fprintf(stderr, "%s\n", err.text);
		return EXIT_LOST + (int)st;
	}
	/* A fresh record: what was measured before the fault is not a result. */
	cJSON_Delete(record);
	record = NULL;
	written = iso_cell_record(job, &record, &why);
	if (written == ISO_OK)
		written = iso_cell_failed(record, st == ISO_E_NOMEM ? "memory" : "error", err.text,
					  &why);
	if (written == ISO_OK)
		written = iso_record_write(job->dir, record, &why);
	fprintf(stderr, "%s\n", err.text);
	if (written != ISO_OK)
		fprintf(stderr, "%s\n", why.text);
	return (written == ISO_OK ? EXIT_RECORDED : EXIT_LOST) + (int)st;
}

/* ------------------------------------------------------------------ in the parent */

iso_status iso_worker_start(iso_worker *w, const iso_cell_job *job, iso_error *err)
{
	const pid_t parent = getpid();

	*w->progress = (iso_progress){.total = 1}; /* the training counts up to 1 */
	w->cell = job->cell;
	w->timed_out = 0;
	w->limit_seconds = job->agenda->suite->limit_seconds;
	w->stderr_fd = memfd_create("isoeps-worker", MFD_CLOEXEC);
	w->started = iso_clock_wall();
	fflush(NULL);
	w->pid = fork();
	if (w->pid < 0) {
		w->pid = 0;
		return iso_fail(err, ISO_E_INTERNAL,
				"cannot start a worker (fork): %s; lower --jobs", strerror(errno));
	}
	if (w->pid == 0) {
		become_worker(parent, w->stderr_fd, job->agenda->suite->limit_bytes);
		_exit(work(job));
	}
	return ISO_OK;
}

double iso_worker_share(const iso_worker *w)
{
	const iso_progress *p = w->progress;

	if (!w->pid || !p || !(p->total > 0) || !(p->done > 0))
		return 0;
	return p->done < p->total ? p->done / p->total : 1;
}

/* The end of what the worker wrote to standard error, on one line. */
static void last_words(iso_worker *w, char *out, size_t size)
{
	off_t end = w->stderr_fd >= 0 ? lseek(w->stderr_fd, 0, SEEK_END) : 0;
	off_t from = end > (off_t)size - 1 ? end - ((off_t)size - 1) : 0;
	ssize_t n = w->stderr_fd >= 0 && end > 0 ? pread(w->stderr_fd, out, size - 1, from) : 0;

	out[n > 0 ? n : 0] = 0;
	while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == ' '))
		out[--n] = 0;
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 32)
			*c = ' ';
	if (w->stderr_fd >= 0)
		close(w->stderr_fd);
	w->stderr_fd = -1;
}

/* The worker died before it could write: the parent records it. */
static void record_death(const iso_cell_job *job, const char *status, iso_finished *done)
{
	iso_error err = {0};
	cJSON *record = NULL;
	iso_status st = iso_cell_record(job, &record, &err);

	if (st == ISO_OK)
		st = iso_cell_failed(record, status, done->text, &err);
	if (st == ISO_OK)
		st = iso_record_write(job->dir, record, &err);
	cJSON_Delete(record);
	done->outcome = ISO_CELL_FAILED;
	if (st == ISO_OK)
		return;
	done->outcome = ISO_CELL_LOST;
	done->code = st;
	snprintf(done->text, sizeof(done->text), "%s", err.text);
}

/* A plug-in may end the process with status 0: only a record that says ok is a result. */
static int has_result(const iso_cell_job *job)
{
	cJSON *record = NULL;
	iso_error ignored = {0};
	const cJSON *status;
	int ok = iso_record_read(job->dir, job->cell->key, &record, &ignored) == ISO_OK;

	status = cJSON_GetObjectItemCaseSensitive(record, "status");
	ok = ok && cJSON_IsString(status) && strcmp(status->valuestring, "ok") == 0;
	cJSON_Delete(record);
	return ok;
}

static void judge_exit(iso_worker *w, int status, const iso_cell_job *job, iso_finished *done)
{
	const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	char words[600];

	last_words(w, words, sizeof(words));
	*done = (iso_finished){.outcome = ISO_CELL_OK, .code = ISO_OK};
	if (code == 0 && (job->train_only || has_result(job)))
		return;
	if (code >= EXIT_RECORDED && code <= EXIT_LOST + ISO_E_INTERNAL && code != EXIT_RECORDED &&
	    code != EXIT_LOST) {
		done->outcome = code > EXIT_LOST ? ISO_CELL_LOST : ISO_CELL_FAILED;
		done->code = (iso_status)(code - (code > EXIT_LOST ? EXIT_LOST : EXIT_RECORDED));
		snprintf(done->text, sizeof(done->text), "%s",
			 words[0] ? words : iso_status_text(done->code));
		return;
	}
	done->code = w->timed_out ? ISO_E_LIMIT : ISO_E_PLUGIN;
	if (w->timed_out)
		snprintf(done->text, sizeof(done->text),
			 "time limit (%s): %g s were not enough; raise limits.seconds in the suite "
			 "or lower the work",
			 job->cell->key, w->limit_seconds);
	else if (WIFSIGNALED(status))
		snprintf(done->text, sizeof(done->text), "crash (%s): signal %d (%s)%s%s%s",
			 job->cell->key, WTERMSIG(status), strsignal(WTERMSIG(status)),
			 WTERMSIG(status) == SIGKILL ? "; the system may have run out of memory"
						     : "",
			 words[0] ? ": " : "", words);
	else
		snprintf(done->text, sizeof(done->text), "crash (%s): exit status %d%s%s",
			 job->cell->key, code, words[0] ? ": " : "", words);
	record_death(job, w->timed_out ? "timeout" : "crash", done);
}

int iso_worker_poll(iso_worker *w, const iso_cell_job *job, iso_finished *done)
{
	int status = 0;
	pid_t r;

	if (!w->pid)
		return 0;
	if (!w->timed_out && iso_clock_wall() - w->started > w->limit_seconds) {
		w->timed_out = 1;
		kill(w->pid, SIGKILL);
	}
	r = waitpid(w->pid, &status, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR))
		return 0;
	w->pid = 0;
	judge_exit(w, status, job, done);
	return 1;
}

void iso_worker_kill(iso_worker *w)
{
	if (!w->pid)
		return;
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	if (w->stderr_fd >= 0)
		close(w->stderr_fd);
	w->stderr_fd = -1;
}
