// SPDX-License-Identifier: Apache-2.0
/* The runs of an audit: in chunks, by several processes, kept on disk when asked to. */
#include "suites/flow/audit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/sha256.h"
#include "core/io/file.h"
#include "core/privacy/replay.h"
#include "suites/flow/audit_claim.h"
#include "suites/flow/isolate.h"
#include "suites/flow/verify.h"

#define CHUNK 25	/* runs of each world */
#define ROWS 32		/* synthetic rows of a run */
#define RUN_SECONDS 120 /* for one run alone, after its chunk has crashed */

typedef struct audit {
	const iso_audit_request *r;
	iso_table *world[2]; /* OUT, IN; owned */
	double scale;	     /* calibrated once, on the OUT world */
	double *scores;	     /* [2][runs][ISO_STAT_COUNT] */
	size_t chunks;
	const char *dir;       /* files of finished chunks */
	const iso_table *open; /* public rows; NULL = none */
	uint64_t canary;       /* id of the target in the IN world */
} audit;

/* ------------------------------------------------------------------ one run */

static iso_training_request request_of(const audit *a, size_t world, size_t run)
{
	const iso_audit_request *r = a->r;

	return (iso_training_request){.generator = r->generator,
				      .options = r->options,
				      .train = a->world[world],
				      .public_rows = a->open,
				      .n = r->table->n,
				      .epsilon = r->epsilon,
				      .delta = r->delta,
				      .adjacency = r->adjacency,
				      .accountant = r->accountant,
				      .seed = r->seed * 1000003 + 2 * run + world,
				      .scale = a->scale};
}

/* How alike a row is to the target: 1 for a row that shares every discrete value and lies within a
 * quarter of the range in the others. */
static int alike(const iso_table *rows, size_t i, const iso_table *target)
{
	const iso_schema *s = rows->schema;

	for (size_t j = 0; j < s->ncol; j++) {
		const iso_column *c = &s->column[j];
		const double x = iso_table_cell(rows, i, j), y = iso_table_cell(target, 0, j);

		if (iso_is_dropped(c) || c->type == ISO_PIXEL)
			continue;
		if (isnan(x) != isnan(y) ||
		    (iso_is_discrete(c) ? x != y : fabs(x - y) > (c->hi - c->lo) / 4))
			return 0;
	}
	return 1;
}

static iso_status rows_statistic(const audit *a, const iso_training *t, uint64_t seed, double *out,
				 iso_error *err)
{
	iso_table *rows;

	ISO_TRY(iso_training_sample(t, a->r->table->schema, seed, ROWS, &rows, err));
	*out = 0;
	for (size_t i = 0; i < rows->n; i++)
		*out += alike(rows, i, a->r->target);
	iso_table_free(rows);
	return ISO_OK;
}

static iso_status score_statistic(const audit *a, const iso_training *t, double *out,
				  iso_error *err)
{
	const iso_generator *g = t->generator;
	iso_status st = ISO_OK;

	*out = NAN;
	if (g->score)
		st = g->score(t->model, a->r->target, out, err);
	else if (g->log_density)
		st = g->log_density(t->model, a->r->target, out, err);
	if (st == ISO_E_UNSUPPORTED) { /* not for these options */
		iso_error_clear(err);
		*out = NAN;
		return ISO_OK;
	}
	return st;
}

/* The other world's training along this run's releases. */
static iso_status releases_statistic(const audit *a, size_t world, size_t run, iso_replay *replay,
				     double *out, iso_error *err)
{
	iso_training_request q = request_of(a, 1 - world, run);
	iso_training t = {0};
	iso_status st;

	q.seed = request_of(a, world, run).seed;
	q.replay = replay;
	iso_replay_rewind(replay);
	st = iso_train(&q, &t, err);
	*out = iso_replay_likelihood(replay) * (world ? -1 : 1);
	iso_training_free(&t);
	return st;
}

static iso_status try_run(const audit *a, size_t world, size_t run, double *scores, iso_error *err)
{
	iso_training_request q = request_of(a, world, run);
	iso_training t = {0};
	iso_replay *replay;
	iso_status st;

	ISO_TRY(iso_replay_new(&replay, err));
	if (a->r->gradient_canary && a->r->adjacency == ISO_ADD_REMOVE)
		iso_replay_canary(replay, a->canary);
	q.replay = replay;
	ISO_TRY_OUT(iso_train(&q, &t, err));
	ISO_TRY_OUT(rows_statistic(a, &t, q.seed, &scores[ISO_STAT_ROWS], err));
	ISO_TRY_OUT(score_statistic(a, &t, &scores[ISO_STAT_SCORE], err));
	scores[ISO_STAT_RELEASES] = NAN;
	if (iso_replay_calls(replay) > 0)
		st = releases_statistic(a, world, run, replay, &scores[ISO_STAT_RELEASES], err);
out:
	iso_training_free(&t);
	iso_replay_free(replay);
	return st;
}

/* A run that fails is an outcome, in any statistic that others have. */
static void failed_run(double *scores)
{
	for (size_t s = 0; s < ISO_STAT_COUNT; s++)
		scores[s] = -INFINITY;
}

static void score_run(const audit *a, size_t world, size_t run, double *scores)
{
	iso_error err = {0};

	if (try_run(a, world, run, scores, &err) != ISO_OK)
		failed_run(scores);
	iso_error_clear(&err);
}

/* ------------------------------------------------------------------ chunks */

static size_t chunk_end(const audit *a, size_t chunk)
{
	const size_t end = (chunk + 1) * CHUNK;

	return end < a->r->runs ? end : a->r->runs;
}

static double *scores_at(const audit *a, double *scores, size_t world, size_t run)
{
	return scores + (world * a->r->runs + run) * ISO_STAT_COUNT;
}

static void chunk_path(const audit *a, size_t chunk, char *out, size_t cap)
{
	snprintf(out, cap, "%s/runs-%06zu.bin", a->dir, chunk);
}

static iso_status write_chunk(const audit *a, size_t chunk, iso_error *err)
{
	const size_t first = chunk * CHUNK, n = (chunk_end(a, chunk) - first) * ISO_STAT_COUNT;
	char path[4096];
	iso_str s = {0};
	iso_status st;

	for (size_t w = 0; w < 2; w++)
		iso_str_addn(&s, (const char *)scores_at(a, a->scores, w, first),
			     n * sizeof(double));
	chunk_path(a, chunk, path, sizeof(path));
	st = iso_str_check(&s, err);
	if (st == ISO_OK)
		st = iso_file_write_atomic(path, s.p, s.n, err);
	iso_str_free(&s);
	return st;
}

/* 1 if the chunk is there and whole. */
static int read_chunk(const audit *a, size_t chunk)
{
	const size_t first = chunk * CHUNK,
		     n = (chunk_end(a, chunk) - first) * ISO_STAT_COUNT * sizeof(double);
	iso_error err = {0};
	char path[4096], *text = NULL;
	size_t len = 0;
	int ok;

	chunk_path(a, chunk, path, sizeof(path));
	ok = iso_file_read(path, 1 << 24, &text, &len, &err) == ISO_OK && len == 2 * n;
	for (size_t w = 0; ok && w < 2; w++)
		memcpy(scores_at(a, a->scores, w, first), text + w * n, n);
	iso_free(text);
	iso_error_clear(&err);
	return ok;
}

static void run_chunk(const audit *a, size_t chunk)
{
	for (size_t w = 0; w < 2; w++)
		for (size_t i = chunk * CHUNK; i < chunk_end(a, chunk); i++)
			score_run(a, w, i, scores_at(a, a->scores, w, i));
}

typedef struct lone_run {
	const audit *a;
	size_t world, run;
} lone_run;

static void lone_in_child(void *ctx, iso_str *result)
{
	const lone_run *l = ctx;
	double scores[ISO_STAT_COUNT];

	score_run(l->a, l->world, l->run, scores);
	iso_str_addn(result, (const char *)scores, sizeof(scores));
}

/* A worker died on this chunk: each of its runs in a process of its own. */
static iso_status run_alone(const audit *a, size_t chunk, iso_error *err)
{
	for (size_t w = 0; w < 2; w++)
		for (size_t i = chunk * CHUNK; i < chunk_end(a, chunk); i++) {
			lone_run l = {.a = a, .world = w, .run = i};
			double *to = scores_at(a, a->scores, w, i);
			iso_isolated x;

			ISO_TRY(iso_isolate(lone_in_child, &l, 0, RUN_SECONDS, &x, err));
			if (x.result.n == ISO_STAT_COUNT * sizeof(double))
				memcpy(to, x.result.p, x.result.n);
			else
				failed_run(to);
			iso_isolated_free(&x);
		}
	return write_chunk(a, chunk, err);
}

static void worker(const audit *a, size_t job)
{
	for (size_t k = job; k < a->chunks; k += a->r->jobs) {
		iso_error err = {0};

		if (read_chunk(a, k))
			continue;
		run_chunk(a, k);
		if (write_chunk(a, k, &err) != ISO_OK)
			_exit(1);
	}
	_exit(0);
}

static size_t chunks_done(const audit *a)
{
	size_t n = 0;

	for (size_t k = 0; k < a->chunks; k++) {
		char path[4096];

		chunk_path(a, k, path, sizeof(path));
		n += access(path, R_OK) == 0;
	}
	return n;
}

static void tell(const audit *a, size_t before, double start)
{
	const size_t done = chunks_done(a), fresh = done - before;
	const double spent = iso_clock_wall() - start;

	const size_t all = 2 * a->r->runs, at = done * 2 * CHUNK;

	if (a->r->tell && fresh > 0)
		a->r->tell(a->r->tell_ctx, at < all ? at : all, all,
			   spent / (double)fresh * (double)(a->chunks - done));
}

static iso_status run_workers(const audit *a, iso_error *err)
{
	const double start = iso_clock_wall();
	const size_t before = chunks_done(a);
	size_t alive = 0;

	(void)fflush(stdout);
	(void)fflush(stderr);
	for (size_t j = 0; j < a->r->jobs; j++) {
		const pid_t pid = fork();

		if (pid == 0)
			worker(a, j);
		ISO_FAIL_IF(pid < 0, err, ISO_E_IO, "new process (audit): %s; use fewer --jobs",
			    strerror(errno));
		alive++;
	}
	while (alive > 0) {
		const pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid > 0)
			alive--;
		else if (pid < 0 && errno != EINTR)
			break;
		else
			(void)usleep(20000);
		tell(a, before, start);
	}
	for (size_t k = 0; k < a->chunks; k++)
		if (!read_chunk(a, k))
			ISO_TRY(run_alone(a, k, err));
	return ISO_OK;
}

/* ------------------------------------------------------------------ the claim */

static int is_outcome(iso_status st)
{
	return st == ISO_E_PLUGIN || st == ISO_E_LIMIT || st == ISO_E_DATA;
}

/* One training of the OUT world, for its scale, ledger and label.  A program may crash now and
 * then: it has three tries, and one that always fails is held to the target. */
static iso_status first_training(const audit *a, iso_training *t, iso_error *err)
{
	const int tries = iso_generator_is_external(a->r->generator) ? 3 : 1;
	iso_error why = {0};
	iso_status st = ISO_OK;

	for (int i = 0; i < tries; i++) {
		const iso_training_request q = request_of(a, 0, (size_t)i);

		iso_error_clear(&why);
		st = iso_train(&q, t, &why);
		if (!is_outcome(st))
			break;
	}
	if (tries > 1 && is_outcome(st)) {
		iso_warn("the first trainings failed, each is an outcome: %s", why.text);
		*t = (iso_training){0};
		return ISO_OK;
	}
	return st == ISO_OK ? st : iso_fail(err, st, "%s", why.text);
}

/* What is claimed, and how long it will take. */
static iso_status look_at_claim(audit *a, iso_audit_result *out, iso_claim *claim, iso_error *err)
{
	const iso_audit_request *r = a->r;
	iso_training t = {0};
	double ceiling;
	iso_status st;

	ISO_TRY(first_training(a, &t, err));
	/* a run trains, samples, and trains again along its own releases */
	if (r->tell)
		r->tell(r->tell_ctx, 0, 2 * r->runs,
			3 * t.fit_seconds * 2 * (double)r->runs / (double)r->jobs);
	a->scale = t.scale;
	out->guarantee = t.guarantee;
	ISO_TRY_OUT(iso_audit_accounted(r, &t, &out->accounted, err));
	out->gaussian = isfinite(out->accounted) && iso_claim_is_gaussian(t.ledger);
	ceiling = iso_audit_ceiling(r->runs, 0, r->alpha / (2.0 * ISO_STAT_COUNT));
	st = iso_claim_of(r, t.ledger, out->accounted, ceiling, claim, err);
out:
	iso_training_free(&t);
	return st;
}

/* ------------------------------------------------------------------ the whole */

static iso_status in_world(const iso_audit_request *r, iso_table **out, iso_error *err)
{
	const size_t n = r->table->n;
	uint32_t *row = iso_alloc(n + 1, sizeof(*row));
	iso_table *base = NULL;
	uint64_t id = 0;
	iso_status st;

	if (!row)
		return iso_no_memory(err, "a world of an audit");
	for (size_t i = 0; i < n; i++) {
		row[i] = (uint32_t)i;
		id = r->table->id[i] >= id ? r->table->id[i] + 1 : id;
	}
	st = iso_table_select(r->table, row, n, &base, err);
	iso_free(row);
	ISO_TRY(st);
	if (r->adjacency == ISO_REPLACE_ONE) {
		iso_table_copy_row(r->target, 0, base, n - 1);
		*out = base;
		return ISO_OK;
	}
	st = iso_table_concat(base, r->target, out, err);
	if (st == ISO_OK) {
		memcpy((*out)->id, base->id, n * sizeof(*base->id)); /* concat renumbers */
		(*out)->id[n] = id;
	}
	iso_table_free(base);
	return st;
}

/* The directory of these runs: a changed setting has another one. */
static iso_status run_dir(const audit *a, const char *root, char *out, size_t cap, iso_error *err)
{
	const iso_audit_request *r = a->r;
	iso_str s = {0};
	char hash[2][65], key[17] = "";
	uint8_t digest[32];
	iso_status st;

	for (int w = 0; w < 2; w++)
		ISO_TRY(iso_table_hash(a->world[w], hash[w], err));
	iso_str_addf(&s, "%s %u %s %s %.17g %.17g %d %d %llu %zu %.17g %d ", r->generator->name,
		     r->generator->version, hash[0], hash[1], r->epsilon, r->delta, r->adjacency,
		     r->accountant, (unsigned long long)r->seed, r->runs, a->scale,
		     r->gradient_canary);
	iso_str_addn(&s, r->options, r->generator->options_size);
	st = iso_str_check(&s, err);
	if (st == ISO_OK)
		st = iso_sha256_of(s.p, s.n, digest, err);
	if (st == ISO_OK)
		iso_hex(digest, 8, key);
	iso_str_free(&s);
	ISO_TRY(st);
	snprintf(out, cap, "%s/audit-%s", root, key);
	ISO_FAIL_IF(mkdir(root, 0777) != 0 && errno != EEXIST, err, ISO_E_IO,
		    "directory of an audit (%s): %s; give another --out", root, strerror(errno));
	ISO_FAIL_IF(mkdir(out, 0777) != 0 && errno != EEXIST, err, ISO_E_IO,
		    "directory of an audit (%s): %s; give another --out", out, strerror(errno));
	return ISO_OK;
}

static void clear_dir(const audit *a)
{
	for (size_t k = 0; k < a->chunks; k++) {
		char path[4096];

		chunk_path(a, k, path, sizeof(path));
		(void)unlink(path);
	}
	(void)rmdir(a->dir);
}

static iso_status run_all(audit *a, iso_error *err)
{
	char root[] = "/tmp/isoeps-audit-XXXXXX", dir[4096];
	iso_status st;

	ISO_FAIL_IF(!a->r->dir && !mkdtemp(root), err, ISO_E_IO,
		    "temporary directory (audit): %s; give --out", strerror(errno));
	st = run_dir(a, a->r->dir ? a->r->dir : root, dir, sizeof(dir), err);
	a->dir = dir;
	if (st == ISO_OK)
		st = run_workers(a, err);
	if (!a->r->dir) {
		clear_dir(a);
		(void)rmdir(root);
	}
	a->dir = NULL;
	return st;
}

iso_status iso_audit(const iso_audit_request *r, iso_audit_result *out, iso_error *err)
{
	audit a = {.r = r, .open = r->public_rows, .chunks = (r->runs + CHUNK - 1) / CHUNK};
	iso_table *made = NULL;
	iso_claim claim;
	iso_status st;

	*out = (iso_audit_result){.target = r->epsilon};
	ISO_FAIL_IF(r->runs < 12 || r->jobs < 1, err, ISO_E_USAGE,
		    "too few runs (audit): %zu of each world; give at least 12", r->runs);
	a.world[0] = (iso_table *)(uintptr_t)r->table;
	ISO_TRY(in_world(r, &a.world[1], err));
	a.canary = a.world[1]->id[a.world[1]->n - 1];
	a.scores = iso_alloc(2 * r->runs * ISO_STAT_COUNT, sizeof(*a.scores));
	if (!a.scores) {
		iso_table_free(a.world[1]);
		return iso_no_memory(err, "the scores of an audit");
	}
	if ((r->generator->accepts & ISO_REQUIRES_PUBLIC) && !a.open)
		ISO_TRY_OUT(iso_verify_open_rows(r->table->schema, &made, err));
	a.open = made ? made : a.open;
	ISO_TRY_OUT(look_at_claim(&a, out, &claim, err));
	ISO_TRY_OUT(run_all(&a, err));
	for (size_t w = 0; w < 2; w++)
		for (size_t i = 0; i < r->runs; i++)
			out->failed[w] += scores_at(&a, a.scores, w, i)[0] == -INFINITY;
	iso_audit_judge(a.scores, r->runs, &claim.p, r->threshold, r->alpha, r->delta, out);
	for (size_t s = 0; s < ISO_STAT_COUNT; s++)
		if (out->test[s].applies)
			out->test[s].zanella =
				iso_zanella_epsilon(&out->test[s].counts, r->delta, 2 * out->tail);
out:
	iso_table_free(made);
	iso_table_free(a.world[1]);
	iso_free(a.scores);
	return st;
}
