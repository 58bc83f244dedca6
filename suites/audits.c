// SPDX-License-Identifier: Apache-2.0
#include "suites/audits.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/code.h"
#include "suites/flow/audit.h"

#define AUDIT_SEED 1
#define UNTARGETED 1 /* epsilon that a method without a target is held to */

static const iso_setup *setup_of(const iso_agenda *a, const iso_cell *c)
{
	return iso_agenda_setup(a, c->generator, c->dataset);
}

static double target_of(const iso_cell *c)
{
	return isfinite(c->epsilon) ? c->epsilon : UNTARGETED;
}

/* ------------------------------------------------------------------ the list */

static iso_status make_key(const iso_agenda *a, const iso_cell *c, char key[33], iso_error *err)
{
	const iso_suite_audits *q = &a->suite->audits;
	const char *code;
	iso_str text = {0};
	iso_status st;

	ISO_TRY(iso_code_check("audit", &code, err));
	iso_str_addf(&text, "%s\n%s\n%.17g %.17g %d %d %zu %.17g %s", code, c->generator_text,
		     target_of(c), c->delta, (int)a->suite->adjacency, (int)a->suite->accountant,
		     q->runs, q->alpha, q->threshold);
	st = iso_str_check(&text, err);
	if (st == ISO_OK)
		st = iso_key_of(text.p, text.n, key, err);
	iso_str_free(&text);
	return st;
}

static const char *key_of(const iso_verdict_entry *e)
{
	return cJSON_GetObjectItemCaseSensitive(e->verdict, "key")->valuestring;
}

/* The entry of that key, made for c if it is new. */
static iso_status entry_of(iso_audits *x, const iso_cell *c, const char *key, size_t *at,
			   iso_error *err)
{
	for (*at = 0; *at < x->n; ++*at)
		if (strcmp(key_of(&x->v[*at]), key) == 0)
			return ISO_OK;
	ISO_TRY(iso_grow(&x->v, &x->cap, x->n + 1, sizeof(*x->v), err));
	x->v[x->n] = (iso_verdict_entry){.cell = c, .folder = "audits", .failed = "failed"};
	ISO_TRY(iso_verdict_await(&x->v[x->n], key, err));
	x->n++;
	return ISO_OK;
}

/* Cells of one method, epsilon and delta on one data set differ in the seed alone. */
static int same_but_seed(const iso_cell *a, const iso_cell *b)
{
	return a->dataset == b->dataset && a->generator == b->generator &&
	       a->epsilon == b->epsilon && a->delta == b->delta &&
	       strcmp(a->generator_text, b->generator_text) == 0;
}

/* The nearest earlier cell of the same setting: one round of the plan back. */
static size_t earlier(const iso_agenda *a, size_t i)
{
	for (size_t back = 1; back <= i && a->cell[i - back].dataset == a->cell[i].dataset; back++)
		if (same_but_seed(&a->cell[i], &a->cell[i - back]))
			return i - back;
	return i;
}

iso_status iso_audits_new(const iso_agenda *a, iso_audits *out, iso_error *err)
{
	iso_status st = ISO_OK;

	memset(out, 0, sizeof(*out));
	if (!a->suite->audits.runs)
		return ISO_OK;
	out->of = iso_alloc(a->ncell + 1, sizeof(*out->of));
	if (!out->of)
		return iso_no_memory(err, "the audits");
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		const size_t before = earlier(a, i);
		char key[33];
		size_t at = 0;

		if (a->cell[i].unsupported)
			continue;
		if (before < i && out->of[before]) {
			out->of[i] = out->of[before];
			continue;
		}
		st = make_key(a, &a->cell[i], key, err);
		if (st == ISO_OK)
			st = entry_of(out, &a->cell[i], key, &at, err);
		out->of[i] = at + 1;
	}
	if (st != ISO_OK)
		iso_audits_free(out);
	return st;
}

void iso_audits_free(iso_audits *x)
{
	for (size_t i = 0; i < x->n; i++)
		cJSON_Delete(x->v[i].verdict);
	iso_free(x->v);
	iso_free(x->of);
	memset(x, 0, sizeof(*x));
}

iso_verdict_entry *iso_audits_of(const iso_audits *x, const iso_agenda *a, const iso_cell *c)
{
	const size_t at = x->of ? x->of[c - a->cell] : 0;

	return at ? &x->v[at - 1] : NULL;
}

const cJSON *iso_audits_expected(const iso_audits *x, const iso_agenda *a, const iso_cell *c)
{
	const iso_verdict_entry *e = iso_audits_of(x, a, c);

	return e ? e->verdict : NULL;
}

/* ------------------------------------------------------------------ in a worker */

static iso_threshold rule_of(const char *name)
{
	return strcmp(name, "fixed") == 0      ? ISO_THRESHOLD_FIXED
	       : strcmp(name, "hold-out") == 0 ? ISO_THRESHOLD_HOLD_OUT
					       : ISO_THRESHOLD_BONFERRONI;
}

static void add_test(iso_jsonw *w, cJSON *tests, const iso_audit_test *t, const char *name)
{
	cJSON *o;

	if (!t->applies)
		return;
	o = iso_jsonw_object(w, tests, name);
	iso_jsonw_number(w, o, "n_out", (double)t->counts.n_out);
	iso_jsonw_number(w, o, "false_positives", (double)t->counts.fp);
	iso_jsonw_number(w, o, "n_in", (double)t->counts.n_in);
	iso_jsonw_number(w, o, "false_negatives", (double)t->counts.fn);
	iso_jsonw_number(w, o, "threshold", t->threshold);
	iso_jsonw_number(w, o, "epsilon", t->epsilon);
	iso_jsonw_bool(w, o, "rejected", t->rejected);
}

static cJSON *audit_json(iso_jsonw *w, const iso_verdict_job *job, const iso_audit_result *x,
			 const iso_str *note)
{
	const iso_suite_audits *q = &job->agenda->suite->audits;
	cJSON *o = iso_verdict_head(w, job->entry, iso_audit_verdict_name(x->verdict), NULL),
	      *tests;

	iso_jsonw_number(w, o, "epsilon", x->epsilon);
	iso_jsonw_number(w, o, "ceiling", x->ceiling);
	iso_jsonw_number(w, o, "target_epsilon", x->target);
	iso_jsonw_number(w, o, "accounted_epsilon", x->accounted);
	iso_jsonw_number(w, o, "alpha", q->alpha);
	iso_jsonw_text(w, o, "threshold", q->threshold);
	iso_jsonw_number(w, o, "runs", (double)q->runs);
	iso_jsonw_number(w, o, "judged", (double)x->judged);
	iso_jsonw_number(w, o, "failed_out", (double)x->failed[0]);
	iso_jsonw_number(w, o, "failed_in", (double)x->failed[1]);
	iso_jsonw_text(w, o, "made_small", note->n ? note->p : "");
	tests = iso_jsonw_object(w, o, "tests");
	for (int s = 0; s < ISO_STAT_COUNT; s++)
		add_test(w, tests, &x->test[s], iso_statistic_name((iso_statistic)s));
	return o;
}

/* Finished runs are kept beside the audit's file until it is written. */
static iso_status runs_dir(const iso_verdict_job *job, char *out, size_t cap, iso_error *err)
{
	const int n = snprintf(out, cap, "%s/audits/%s.runs", job->dir, key_of(job->entry));

	ISO_FAIL_IF(n < 0 || (size_t)n >= cap, err, ISO_E_IO,
		    "path too long (%s): choose a shorter output directory", job->dir);
	return iso_make_dirs(out, err);
}

/* Of nftw. */
static int drop(const char *path, const struct stat *info, int type, struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	return remove(path);
}

iso_status iso_audit_task(void *ctx, iso_worker_page *page, iso_error *err)
{
	const iso_verdict_job *job = ctx;
	const iso_suite *s = job->agenda->suite;
	const iso_cell *c = job->entry->cell;
	const iso_setup *u = setup_of(job->agenda, c);
	iso_schema *schema = NULL;
	iso_table *table = NULL, *target = NULL;
	void *options = NULL;
	iso_str note = {0};
	char dir[4200];
	iso_audit_result x = {0};
	iso_error why = {0};
	iso_jsonw w = {0};
	iso_status st;

	(void)page;
	ISO_TRY_OUT(runs_dir(job, dir, sizeof(dir), err));
	ISO_TRY_OUT(iso_setup_small(u, &options, &note, err));
	st = iso_audit_micro(u->generator, options, &schema, &table, &target, &why);
	if (st == ISO_OK)
		st = iso_audit(&(iso_audit_request){.generator = u->generator,
						    .options = options,
						    .table = table,
						    .target = target,
						    .epsilon = target_of(c),
						    .delta = c->delta,
						    .adjacency = s->adjacency,
						    .accountant = s->accountant,
						    .seed = AUDIT_SEED,
						    .runs = s->audits.runs,
						    .alpha = s->audits.alpha,
						    .threshold = rule_of(s->audits.threshold),
						    .jobs = 1,
						    .dir = dir},
			       &x, &why);
	if (st == ISO_E_NOMEM) {
		st = iso_fail(err, st, "%s", why.text);
		goto out;
	}
	/* A method that cannot be audited has no audited epsilon, with the reason. */
	st = iso_verdict_write(job, &w,
			       st == ISO_OK ? audit_json(&w, job, &x, &note)
					    : iso_verdict_head(&w, job->entry, "failed", why.text),
			       err);
	if (st == ISO_OK)
		(void)nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
out:
	iso_table_free(table);
	iso_table_free(target);
	iso_schema_free(schema);
	iso_free(options);
	iso_str_free(&note);
	return st;
}
