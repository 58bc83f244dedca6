// SPDX-License-Identifier: Apache-2.0
/* A suite as a Slurm job array, one task per shard, and a job behind it that makes the report. */
#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "suites/plugin.h"
#include "suites/runner.h"

extern char **environ;

static const iso_verb_help help = {
	.verb = "slurm",
	.operands = "SUITE",
	.summary = "run a suite as a job array of a Slurm cluster",
	.text = "Writes two scripts into DIR/slurm and submits them with sbatch: array.sh, whose "
		"task i runs shard i of N, and\n"
		"report.sh, which starts when the array has ended, runs what is left and makes the "
		"report.  All tasks write into the\n"
		"same DIR, which every node must see.  A task that is requeued because its node "
		"died, and a second submission of the\n"
		"same suite, skip what is finished.\n\n"
		"N, the time limit and the memory follow from the estimate that isoeps run "
		"--dry-run prints: tasks of about\n"
		"--minutes each.  The time limit leaves room for an estimate that is three times "
		"too low and for one cell more.\n\n"
		"Examples:\n"
		"  isoeps slurm my.json --dry-run             print the scripts, submit nothing\n"
		"  isoeps slurm my.json --minutes 30 --jobs 4 --sbatch=--partition=short\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct command {
	int64_t jobs, tasks, minutes, limit, memory;
	const char *out;
	iso_arg_list sbatch, plugin;
	int dry_run, json;
	/* absolute paths; of the suite, or its name */
	char dir[PATH_MAX], program[PATH_MAX], suite[PATH_MAX], cwd[PATH_MAX];
	char name[80];
	iso_estimate estimate;
	size_t to_run;
} command;

static iso_status read_command(int argc, char **argv, command *c, const char **suite, int *helped,
			       iso_error *err)
{
	const iso_arg table[] = {
		{"--out", ISO_ARG_TEXT, &c->out, "DIR",
		 "output directory, on a file system of all nodes (default: out/NAME of the "
		 "suite)"},
		{"--tasks", ISO_ARG_INT, &c->tasks, "N",
		 "tasks of the array (default: by the estimate)", 1, 100000},
		{"--minutes", ISO_ARG_INT, &c->minutes, "M", "work of a task (default 60)", 1,
		 1000000},
		{"--jobs", ISO_ARG_INT, &c->jobs, "N",
		 "worker processes, and processors, of a task (default 1)", 1, 4096},
		{"--time", ISO_ARG_INT, &c->limit, "M",
		 "time limit of a task in minutes (default: by the estimate)", 1, 10000000},
		{"--memory", ISO_ARG_INT, &c->memory, "MIB",
		 "memory of a task in MiB (default: by finished cells, or the suite's limit)", 1,
		 100000000},
		{"--sbatch", ISO_ARG_TEXTS, &c->sbatch, "OPTION",
		 "an option for both jobs, as --sbatch=--partition=short"},
		{"--plugin", ISO_ARG_TEXTS, &c->plugin, "FILE.so",
		 "load a generator, attack or metric from a shared object"},
		{"--dry-run", ISO_ARG_FLAG, &c->dry_run, NULL,
		 "print the scripts; write and submit nothing"},
		{"--json", ISO_ARG_FLAG, &c->json, NULL, "machine-readable output"},
		{0}};
	size_t n;
	return iso_args_read(&help, table, argc, argv, suite, &n, helped, err);
}

/* ---- Sizes ---- */

static iso_status estimate(const iso_agenda *a, command *c, iso_error *err)
{
	const iso_run_options o = {.dir = c->dir, .jobs = 1, .shard = 1, .shards = 1};
	iso_verdicts verdicts = {0};
	iso_audits audits = {0};
	iso_run_summary sum;
	uint8_t *todo = NULL;
	iso_status st;
	ISO_TRY_OUT(iso_verdicts_new(a, &verdicts, err));
	ISO_TRY_OUT(iso_audits_new(a, &audits, err));
	st = iso_run_select(a, &o, &verdicts, &audits, &todo, &sum, err);
out:
	iso_verdicts_free(&verdicts);
	iso_audits_free(&audits);
	if (st != ISO_OK)
		return st;
	c->to_run = sum.selected - sum.finished;
	st = iso_run_estimate(a, &o, todo, &c->estimate, err);
	iso_free(todo);
	return st;
}

/* Sizes that were not asked for.  A cell that could not be estimated counts as one of a minute. */
static void settle(const iso_agenda *a, command *c)
{
	const iso_estimate *const e = &c->estimate;
	const double work = e->seconds + 60 * (double)e->unknown, each = 60 * (double)c->minutes,
		     mib = 1024 * 1024, limit = (double)a->suite->limit_bytes / mib;
	if (c->tasks == 0) {
		const double n = ceil(work / (each * (double)c->jobs));
		c->tasks = n < 1 ? 1 : n > 1000 ? 1000 : (int64_t)n;
		if (c->to_run && c->tasks > (int64_t)c->to_run)
			c->tasks = (int64_t)c->to_run;
	}
	if (c->limit == 0)
		c->limit = (int64_t)ceil(
			(3 * work / (double)(c->tasks * c->jobs) + e->longest) / 60 + 10);
	if (c->memory == 0) {
		const double seen = 1.5 * e->peak_bytes / mib + 64,
			     cell = e->peak_bytes > 0 && seen < limit ? seen : limit;
		c->memory = (int64_t)ceil((double)c->jobs * cell + 256);
	}
}

/* ---- Scripts ---- */

/* 'text' with every quote written so that sh takes it literally. */
static void quote(iso_str *out, const char *text)
{
	iso_str_add(out, "'");
	for (; *text; text++)
		iso_str_addf(out, *text == '\'' ? "'\\''" : "%c", *text);
	iso_str_add(out, "'");
}

static void add_header(const command *c, const char *job, iso_str *out)
{
	iso_str_addf(out,
		     "#!/bin/sh\n"
		     "#SBATCH --job-name=%s-%s\n"
		     "#SBATCH --cpus-per-task=%lld\n"
		     "#SBATCH --time=%lld\n"
		     "#SBATCH --mem=%lldM\n"
		     "#SBATCH --chdir=\"%s\"\n",
		     c->name, job, (long long)c->jobs, (long long)c->limit, (long long)c->memory,
		     c->cwd);
	for (size_t i = 0; i < c->sbatch.n; i++)
		iso_str_addf(out, "#SBATCH %s\n", c->sbatch.v[i]);
}

static void add_run(const command *c, iso_str *out)
{
	quote(out, c->program);
	iso_str_add(out, " run ");
	quote(out, c->suite);
	iso_str_add(out, " --out ");
	quote(out, c->dir);
	iso_str_addf(out, " --jobs %lld", (long long)c->jobs);
	for (size_t i = 0; i < c->plugin.n; i++) {
		iso_str_add(out, " --plugin ");
		quote(out, c->plugin.v[i]);
	}
}

/* SIGTERM makes a run stop between cells; the records are there, and report.sh does the rest. */
static void array_script(const command *c, iso_str *out)
{
	add_header(c, "array", out);
	iso_str_addf(out,
		     "#SBATCH --array=1-%lld\n"
		     "#SBATCH --requeue\n"
		     "#SBATCH --open-mode=append\n"
		     "#SBATCH --signal=B:TERM@60\n"
		     "#SBATCH --output=\"%s/slurm/%%A_%%a.log\"\n"
		     "# Finished cells are skipped: a task that is requeued goes on where it was.\n"
		     "exec ",
		     (long long)c->tasks, c->dir);
	add_run(c, out);
	iso_str_addf(out, " --shard \"$SLURM_ARRAY_TASK_ID/%lld\"\n", (long long)c->tasks);
}

static void report_script(const command *c, iso_str *out)
{
	add_header(c, "report", out);
	iso_str_addf(out,
		     "#SBATCH --requeue\n"
		     "#SBATCH --open-mode=append\n"
		     "#SBATCH --output=\"%s/slurm/%%j.log\"\n"
		     "# What a lost task has left is run here; then results.csv and the report.\n",
		     c->dir);
	add_run(c, out);
	iso_str_add(out, "\nstatus=$?\n");
	quote(out, c->program);
	iso_str_add(out, " report ");
	quote(out, c->dir);
	iso_str_add(out, " || exit $?\nexit $status\n");
}

/* ---- Submission ---- */

/* Runs sbatch and reads the number of the job from its first line, "123" or "123;cluster". */
static iso_status submit(const char *script, const char *dependency, long *job, iso_error *err)
{
	const char *argv[] = {"sbatch", "--parsable", dependency ? dependency : script,
			      dependency ? script : NULL, NULL};
	posix_spawn_file_actions_t actions;
	int fd[2], status = 0;
	char text[256] = "";
	ssize_t n = 0;
	pid_t pid;
	ISO_FAIL_IF(pipe(fd) != 0, err, ISO_E_IO, "cannot make a pipe (sbatch)");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, fd[0]);
	posix_spawn_file_actions_addclose(&actions, fd[1]);
	/* posix_spawnp does not write through argv */
	const int rc = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
				    environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fd[1]);
	if (rc == 0) {
		n = read(fd[0], text, sizeof(text) - 1);
		while (waitpid(pid, &status, 0) < 0)
			;
	}
	close(fd[0]);
	ISO_FAIL_IF(rc != 0, err, ISO_E_IO,
		    "cannot run sbatch: %s; submit on a machine of the cluster, or print the "
		    "scripts with --dry-run",
		    strerror(rc));
	*job = n > 0 ? strtol(text, NULL, 10) : 0;
	ISO_FAIL_IF(!WIFEXITED(status) || WEXITSTATUS(status) != 0 || *job <= 0, err, ISO_E_IO,
		    "sbatch refused %s: its message stands above; options of the cluster go "
		    "through --sbatch",
		    script);
	return ISO_OK;
}

static iso_status write_script(const command *c, const char *name, const iso_str *text,
			       char path[PATH_MAX + 32], iso_error *err)
{
	snprintf(path, PATH_MAX + 32, "%s/slurm", c->dir);
	ISO_TRY(iso_make_dirs(path, err));
	snprintf(path, PATH_MAX + 32, "%s/slurm/%s", c->dir, name);
	return iso_file_write_atomic(path, text->p, text->n, err);
}

static iso_status submit_both(const command *c, const iso_str *array, const iso_str *report,
			      long job[2], iso_error *err)
{
	char first[PATH_MAX + 32], second[PATH_MAX + 32], after[64];
	ISO_TRY(write_script(c, "array.sh", array, first, err));
	ISO_TRY(write_script(c, "report.sh", report, second, err));
	ISO_TRY(submit(first, NULL, &job[0], err));
	snprintf(after, sizeof(after), "--dependency=afterany:%ld", job[0]);
	return submit(second, after, &job[1], err);
}

static int show_json(const command *c, const iso_str *array, const iso_str *report,
		     const long job[2])
{
	iso_jsonw w = {0};
	cJSON *root = iso_jsonw_object(&w, NULL, NULL);
	iso_jsonw_text(&w, root, "dir", c->dir);
	iso_jsonw_number(&w, root, "cells", (double)c->to_run);
	iso_jsonw_number(&w, root, "estimate_seconds", c->estimate.seconds);
	iso_jsonw_number(&w, root, "tasks", (double)c->tasks);
	iso_jsonw_number(&w, root, "jobs", (double)c->jobs);
	iso_jsonw_number(&w, root, "minutes", (double)c->limit);
	iso_jsonw_number(&w, root, "memory_mib", (double)c->memory);
	if (job[0]) {
		iso_jsonw_number(&w, root, "array_job", (double)job[0]);
		iso_jsonw_number(&w, root, "report_job", (double)job[1]);
	}
	iso_jsonw_text(&w, root, "array_script", array->p);
	iso_jsonw_text(&w, root, "report_script", report->p);
	return iso_cli_json(root, !w.failed, 0);
}

static int show(const command *c, const iso_str *array, const iso_str *report, const long job[2])
{
	iso_str out = {0};
	if (c->json)
		return show_json(c, array, report, job);
	if (!job[0]) {
		iso_str_addf(&out, "# %zu cells, about %.0f s of work: %lld tasks\n# array.sh\n%s",
			     c->to_run, c->estimate.seconds, (long long)c->tasks, array->p);
		iso_str_addf(&out, "\n# report.sh, submitted with --dependency=afterany:ARRAY\n%s",
			     report->p);
		return iso_cli_print(&out, 0);
	}
	iso_str_addf(&out,
		     "array   job %ld, tasks 1-%lld, %zu cells, about %.0f s of work\n"
		     "report  job %ld, when the array has ended\n"
		     "logs    %s/slurm\nstatus  isoeps status %s\n",
		     job[0], (long long)c->tasks, c->to_run, c->estimate.seconds, job[1], c->dir,
		     c->dir);
	return iso_cli_print(&out, 0);
}

/* ---- The verb ---- */

/* Lines of a script end where a line ends. */
static iso_status check_text(const char *what, const char *text, iso_error *err)
{
	ISO_FAIL_IF(strpbrk(text, "\n\r\"") != NULL, err, ISO_E_USAGE,
		    "%s (%s): quotes and line ends cannot stand in a Slurm script; choose "
		    "another name",
		    what, text);
	return ISO_OK;
}

/* A file, made absolute; the name of a suite that comes with isoeps stays. */
static iso_status places(const char *suite, const char *name, command *c, iso_error *err)
{
	const ssize_t n = readlink("/proc/self/exe", c->program, sizeof(c->program) - 1);
	const char *const out = c->out;
	int fits = 1;
	ISO_FAIL_IF(n <= 0 || !getcwd(c->cwd, sizeof(c->cwd)), err, ISO_E_IO,
		    "cannot tell the path of isoeps or of the directory it runs in");
	if (access(suite, R_OK) != 0)
		fits = snprintf(c->suite, sizeof(c->suite), "%s", suite) < PATH_MAX;
	else if (!realpath(suite, c->suite))
		fits = 0;
	if (out && out[0] == '/')
		fits &= snprintf(c->dir, sizeof(c->dir), "%s", out) < PATH_MAX;
	else
		fits &= snprintf(c->dir, sizeof(c->dir), out ? "%s/%s" : "%s/out/%s", c->cwd,
				 out ? out : name) < PATH_MAX;
	ISO_FAIL_IF(!fits, err, ISO_E_USAGE, "path too long (%s)", suite);
	snprintf(c->name, sizeof(c->name), "isoeps-%.60s", name);
	ISO_TRY(check_text("directory", c->dir, err));
	ISO_TRY(check_text("directory", c->cwd, err));
	for (size_t i = 0; i < c->sbatch.n; i++)
		ISO_FAIL_IF(strpbrk(c->sbatch.v[i], "\n\r"), err, ISO_E_USAGE,
			    "--sbatch (%s): one option of one line is expected", c->sbatch.v[i]);
	return ISO_OK;
}

static int slurm(command *c, const iso_agenda *a, iso_error *err)
{
	iso_str array = {0}, report = {0};
	long job[2] = {0, 0};
	int status;
	iso_status st = estimate(a, c, err);
	settle(a, c);
	array_script(c, &array);
	report_script(c, &report);
	if (st == ISO_OK)
		st = iso_str_check(&array, err);
	if (st == ISO_OK)
		st = iso_str_check(&report, err);
	if (st == ISO_OK && !c->dry_run)
		st = submit_both(c, &array, &report, job, err);
	status = st == ISO_OK ? show(c, &array, &report, job) : iso_cli_fail(err);
	iso_str_free(&array);
	iso_str_free(&report);
	return status;
}

int cmd_slurm(int argc, char **argv)
{
	command c = {.jobs = 1, .minutes = 60};
	iso_error err = {0};
	iso_suite *suite = NULL;
	iso_agenda *agenda = NULL;
	const char *path = NULL;
	int helped, status;
	iso_status st = read_command(argc, argv, &c, &path, &helped, &err);
	if (st == ISO_OK && helped)
		return 0;
	for (size_t i = 0; i < c.plugin.n && st == ISO_OK; i++)
		st = iso_plugin_load(c.plugin.v[i], &err);
	if (st == ISO_OK)
		st = iso_suite_read(path, &suite, &err);
	if (st == ISO_OK)
		st = iso_agenda_new(suite, &agenda, &err);
	if (st == ISO_OK)
		st = places(path, suite->name, &c, &err);
	status = st == ISO_OK ? slurm(&c, agenda, &err) : iso_cli_fail(&err);
	iso_agenda_free(agenda);
	iso_suite_free(suite);
	return status;
}
