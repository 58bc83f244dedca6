// SPDX-License-Identifier: Apache-2.0
#include "suites/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/code.h"
#include "suites/flow/verify.h"

#define VERIFY_SEED 1
#define VERIFY_PUBLIC 64 /* public rows that the method may use */
#define VERIFY_PAIRS 12	 /* neighbours in `run`; the verb tries more */

static const iso_setup *setup_of(const iso_agenda *a, const iso_cell *c)
{
	return iso_agenda_setup(a, c->generator, c->dataset);
}

iso_verdict_entry *iso_verdicts_of(const iso_verdicts *v, const iso_agenda *a, const iso_cell *c)
{
	return &v->v[c->generator * a->suite->ndataset + c->dataset];
}

const cJSON *iso_verdicts_expected(const iso_verdicts *v, const iso_agenda *a, const iso_cell *c)
{
	return v->n ? iso_verdicts_of(v, a, c)->verdict : NULL;
}

static iso_status make_key(const iso_agenda *a, const iso_cell *c, char key[33], iso_error *err)
{
	iso_str text = {0};
	const char *code;
	iso_status st;

	ISO_TRY(iso_code_check("verify", &code, err));
	iso_str_addf(&text, "%s\n%s\n%s\n", code, c->generator_text, a->data_text[c->dataset]);
	iso_str_addf(&text, "%.17g %.17g %d %d %d %d", c->epsilon, c->delta,
		     (int)a->suite->adjacency, (int)a->suite->accountant,
		     a->suite->public_class_counts, VERIFY_PAIRS);
	st = iso_str_check(&text, err);
	if (st == ISO_OK)
		st = iso_key_of(text.p, text.n, key, err);
	iso_str_free(&text);
	return st;
}

static iso_status replace(iso_verdict_entry *e, const iso_jsonw *w, cJSON *verdict, iso_error *err)
{
	cJSON *v;

	ISO_TRY(iso_jsonw_end(w, verdict, "a verdict", &v, err));
	cJSON_Delete(e->verdict);
	e->verdict = v;
	return ISO_OK;
}

iso_status iso_verdict_await(iso_verdict_entry *e, const char *key, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *o = iso_jsonw_object(&w, NULL, NULL);

	iso_jsonw_text(&w, o, "key", key);
	e->state = ISO_VERDICT_PENDING;
	return replace(e, &w, o, err);
}

iso_status iso_verdicts_new(const iso_agenda *a, iso_verdicts *out, iso_error *err)
{
	iso_status st = ISO_OK;

	memset(out, 0, sizeof(*out));
	if (!a->suite->verify)
		return ISO_OK;
	out->n = a->suite->ngenerator * a->suite->ndataset;
	out->v = iso_alloc(out->n, sizeof(*out->v));
	if (!out->v)
		return iso_no_memory(err, "the verdicts");
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		const iso_cell *c = &a->cell[i];
		iso_verdict_entry *e = iso_verdicts_of(out, a, c);
		char key[33];

		if (e->verdict || c->unsupported || setup_of(a, c)->guarantee != ISO_GUARANTEE_DP)
			continue;
		st = make_key(a, c, key, err);
		if (st != ISO_OK)
			break;
		*e = (iso_verdict_entry){.cell = c, .folder = "verdicts", .failed = "claimed"};
		st = iso_verdict_await(e, key, err);
	}
	if (st != ISO_OK)
		iso_verdicts_free(out);
	return st;
}

void iso_verdicts_free(iso_verdicts *v)
{
	for (size_t i = 0; i < v->n; i++)
		cJSON_Delete(v->v[i].verdict);
	iso_free(v->v);
	memset(v, 0, sizeof(*v));
}

static iso_status path_of(const char *dir, const iso_verdict_entry *e, iso_str *out, iso_error *err)
{
	iso_str_addf(out, "%s/%s/%s.json", dir, e->folder,
		     cJSON_GetObjectItemCaseSensitive(e->verdict, "key")->valuestring);
	return iso_str_check(out, err);
}

iso_status iso_verdict_take(const char *dir, iso_verdict_entry *e, iso_error *err)
{
	iso_str path = {0};
	iso_error why = {0};
	cJSON *v = NULL;
	iso_status st = path_of(dir, e, &path, err);

	if (st == ISO_OK && iso_file_exists(path.p) && iso_json_read(path.p, &v, &why) == ISO_OK &&
	    cJSON_IsString(cJSON_GetObjectItemCaseSensitive(v, "outcome")) &&
	    cJSON_IsString(cJSON_GetObjectItemCaseSensitive(v, "key")) &&
	    strcmp(cJSON_GetObjectItemCaseSensitive(v, "key")->valuestring,
		   cJSON_GetObjectItemCaseSensitive(e->verdict, "key")->valuestring) == 0) {
		cJSON_Delete(e->verdict);
		e->verdict = v;
		e->state = ISO_VERDICT_READY;
		v = NULL;
	}
	cJSON_Delete(v);
	iso_str_free(&path);
	return st;
}

cJSON *iso_verdict_head(iso_jsonw *w, const iso_verdict_entry *e, const char *outcome,
			const char *reason)
{
	cJSON *o = iso_jsonw_object(w, NULL, NULL);

	iso_jsonw_copy(w, o, "key", cJSON_GetObjectItemCaseSensitive(e->verdict, "key"));
	iso_jsonw_text(w, o, "outcome", outcome);
	iso_jsonw_text(w, o, "reason", reason);
	return o;
}

iso_status iso_verdict_give_up(iso_verdict_entry *e, const char *why, iso_error *err)
{
	iso_jsonw w = {0};

	e->state = ISO_VERDICT_READY;
	return replace(e, &w, iso_verdict_head(&w, e, e->failed, why), err);
}

/* ------------------------------------------------------------------ in a worker */

/* The method's options with the sizes of a check of seconds: what is given is lowered, too. */
iso_status iso_setup_small(const iso_setup *u, void **options, iso_str *note, iso_error *err)
{
	cJSON *small = cJSON_CreateObject(), *all = cJSON_Duplicate(u->resolved, 1), *item;
	iso_jsonw w = {.failed = !small || !all};
	iso_setup made = {0};
	iso_status st = iso_jsonw_check(&w, "options of a verification", err);

	*options = NULL;
	if (st == ISO_OK)
		st = iso_verify_shrink(u->generator, small, note, err);
	cJSON_ArrayForEach(item, small)
	{
		cJSON *given = cJSON_GetObjectItemCaseSensitive(all, item->string), *units;

		if (cJSON_IsArray(given)) /* hidden layers */
			cJSON_ArrayForEach(units, given) cJSON_SetNumberHelper(
				units, units->valuedouble > ISO_VERIFY_WIDTH ? ISO_VERIFY_WIDTH
									     : units->valuedouble);
		else if (!cJSON_IsNumber(given) || given->valuedouble <= 0 ||
			 given->valuedouble > item->valuedouble)
			iso_jsonw_put(&w, all, item->string, cJSON_Duplicate(item, 1));
	}
	if (st == ISO_OK)
		st = iso_jsonw_check(&w, "options of a verification", err);
	if (st == ISO_OK)
		st = iso_setup_new(u->generator->name, all, NULL, "verification", &made, err);
	if (st == ISO_OK) {
		*options = made.options;
		made.options = NULL;
	}
	iso_setup_free(&made);
	cJSON_Delete(small);
	cJSON_Delete(all);
	return st;
}

/* At most `most` (up to ISO_VERIFY_ROWS) rows, evenly spaced over the table. */
static iso_status some_rows(const iso_table *t, size_t most, iso_table **out, iso_error *err)
{
	uint32_t row[ISO_VERIFY_ROWS];
	const size_t n = t->n < most ? t->n : most;

	for (size_t i = 0; i < n; i++)
		row[i] = (uint32_t)(i * t->n / n);
	return iso_table_select(t, row, n, out, err);
}

iso_status iso_verdict_write(const iso_verdict_job *job, const iso_jsonw *w, cJSON *verdict,
			     iso_error *err)
{
	iso_str path = {0}, text = {0};
	cJSON *v;
	iso_status st;

	ISO_TRY(iso_jsonw_end(w, verdict, "a verdict", &v, err));
	ISO_TRY_OUT(path_of(job->dir, job->entry, &path, err));
	ISO_TRY_OUT(iso_json_pretty(v, &text, err));
	st = iso_file_write_flags(path.p, text.p, text.n, ISO_WRITE_IN_PLACE, err);
out:
	cJSON_Delete(v);
	iso_str_free(&path);
	iso_str_free(&text);
	return st;
}

static cJSON *verdict_json(iso_jsonw *w, const iso_verdict_job *job, const iso_verdict *v,
			   const iso_str *note)
{
	const char *first = NULL;
	cJSON *o, *checks, *k;

	for (int c = 0; c < ISO_CHECK_COUNT && !first; c++)
		first = v->check[c].failed ? v->check[c].what : NULL;
	o = iso_verdict_head(w, job->entry, v->flows ? "refuted" : "verified", first);
	iso_jsonw_number(w, o, "rows", (double)v->rows);
	iso_jsonw_number(w, o, "neighbours", (double)v->pairs);
	iso_jsonw_number(w, o, "releases", (double)v->calls);
	iso_jsonw_text(w, o, "made_small", note->n ? note->p : "");
	checks = iso_jsonw_object(w, o, "checks");
	for (int c = 0; c < ISO_CHECK_COUNT; c++) {
		k = iso_jsonw_object(w, checks, iso_check_name((iso_check)c));
		iso_jsonw_number(w, k, "runs", (double)v->check[c].runs);
		iso_jsonw_number(w, k, "failed", (double)v->check[c].failed);
	}
	return o;
}

iso_status iso_setup_verify(const iso_setup *u, const iso_table *data, const iso_gen_env *env,
			    iso_verdict *out, iso_str *note, iso_error *err)
{
	iso_verify_request q = {.generator = u->generator,
				.public_classes = env->class_count != NULL,
				.epsilon = env->epsilon,
				.delta = env->delta,
				.adjacency = env->adjacency,
				.accountant = env->accountant,
				.seed = VERIFY_SEED,
				.pairs = VERIFY_PAIRS};
	void *options = NULL;
	iso_table *rows = NULL, *public_rows = NULL;
	iso_status st;

	ISO_TRY_OUT(iso_setup_small(u, &options, note, err));
	ISO_TRY_OUT(some_rows(data, ISO_VERIFY_ROWS, &rows, err));
	q.options = options;
	q.data = rows;
	if (env->public_rows)
		ISO_TRY_OUT(some_rows(env->public_rows, VERIFY_PUBLIC, &public_rows, err));
	q.public_rows = public_rows;
	st = iso_verify(&q, out, err);
out:
	iso_free(options);
	iso_table_free(rows);
	iso_table_free(public_rows);
	return st;
}

iso_status iso_verdict_task(void *ctx, iso_worker_page *page, iso_error *err)
{
	const iso_verdict_job *job = ctx;
	const iso_agenda *a = job->agenda;
	const iso_cell *c = job->entry->cell;
	const iso_gen_env env = iso_cell_env(a, c);
	iso_str note = {0};
	iso_error why = {0};
	iso_verdict v;
	iso_jsonw w = {0};
	iso_status st;

	(void)page;
	st = iso_setup_verify(setup_of(a, c), a->data[c->dataset]->table, &env, &v, &note, &why);
	if (st == ISO_E_NOMEM)
		st = iso_fail(err, st, "%s", why.text);
	else /* a method that could not be tried keeps its claim, with the reason */
		st = iso_verdict_write(
			job, &w,
			st == ISO_OK ? verdict_json(&w, job, &v, &note)
				     : iso_verdict_head(&w, job->entry, "claimed", why.text),
			err);
	iso_str_free(&note);
	return st;
}
