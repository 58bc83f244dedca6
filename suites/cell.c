// SPDX-License-Identifier: Apache-2.0
#include "suites/cell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "results/artefact.h"
#include "results/record.h"
#include "suites/judge.h"
#include "suites/referee/pool.h"

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text_of(const cJSON *obj, const char *key)
{
	const cJSON *v = get(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static const iso_setup *setup_of(const iso_cell_job *job)
{
	return iso_agenda_setup(job->agenda, job->cell->generator, job->cell->dataset);
}

static int promises_nothing(const iso_cell_job *job)
{
	return setup_of(job)->guarantee == ISO_GUARANTEE_NONE;
}

/* ------------------------------------------------------------------ record without results */

const char *iso_verified_name(const char *guarantee, const cJSON *verdict)
{
	const char *outcome = text_of(verdict, "outcome");

	if (strcmp(guarantee, iso_guarantee_name(ISO_GUARANTEE_DP)) != 0)
		return "none";
	return strcmp(outcome, "verified") == 0 || strcmp(outcome, "refuted") == 0 ? outcome
										   : "claimed";
}

static void put_text(iso_jsonw *b, cJSON *record, const char *key, const char *text)
{
	iso_jsonw_put(b, record, key, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void iso_cell_samples(const iso_cell_job *job, char out[64])
{
	snprintf(out, 64, "samples/%s.csv.gz", job->cell->key);
}

iso_status iso_cell_record(const iso_cell_job *job, cJSON **out, iso_error *err)
{
	const iso_suite *s = job->agenda->suite;
	const iso_cell *c = job->cell;
	const iso_setup *u = setup_of(job);
	const char *guarantee = iso_guarantee_name(u->guarantee);
	iso_jsonw b = {0};
	cJSON *config, *run, *r;
	double load[1] = {NAN};

	ISO_TRY(iso_cell_config(job->agenda, c, &config, err));
	r = iso_jsonw_object(&b, NULL, NULL);
	iso_jsonw_number(&b, r, "isoeps", ISO_RECORD_FORMAT);
	iso_jsonw_text(&b, r, "key", c->key);
	iso_jsonw_text(&b, r, "suite", s->name);
	iso_jsonw_add(&b, r, "config", config);
	iso_jsonw_text(&b, r, "label", s->generator[c->generator].label);
	iso_jsonw_text(&b, r, "mode", cJSON_GetStringValue(get(u->resolved, "mode")));
	iso_jsonw_text(&b, r, "status", "error");
	iso_jsonw_text(&b, r, "error", "the cell did not finish");
	iso_jsonw_text(&b, r, "guarantee", guarantee);
	iso_jsonw_text(&b, r, "control", u->generator->control);
	iso_jsonw_text(&b, r, "verified", iso_verified_name(guarantee, job->verdict));
	iso_jsonw_add(&b, r, "verdict",
		      job->verdict ? cJSON_Duplicate(job->verdict, 1) : cJSON_CreateNull());
	iso_jsonw_copy(&b, r, "audit", job->audit);
	iso_jsonw_number(&b, r, "rows", (double)c->rows);
	iso_jsonw_number(&b, r, "targets", (double)s->attack_targets);
	iso_jsonw_text(&b, r, "samples", NULL);
	iso_jsonw_array(&b, r, "caveats");
	iso_jsonw_array(&b, r, "judged");
	run = iso_jsonw_add(&b, r, "run",
			    job->host ? cJSON_Duplicate(job->host, 1) : cJSON_CreateObject());
	if (getloadavg(load, 1) != 1)
		load[0] = NAN;
	iso_jsonw_number(&b, run, "started", iso_clock_epoch());
	iso_jsonw_number(&b, run, "load", load[0]);
	iso_jsonw_number(&b, run, "jobs", job->jobs);
	return iso_jsonw_end(&b, r, "a record", out, err);
}

iso_status iso_cell_failed(cJSON *record, const char *status, const char *text, iso_error *err)
{
	iso_jsonw b = {0};

	put_text(&b, record, "status", status);
	put_text(&b, record, "error", text);
	return iso_jsonw_check(&b, "a record", err);
}

static iso_status keep_rows(const iso_cell_job *job, const iso_table *rows, const char *ending,
			    int private_rows, iso_error *err)
{
	iso_str text = {0}, path = {0};
	iso_status st;

	ISO_TRY_OUT(iso_table_to_csv(rows, &text, err));
	iso_str_addf(&path, "%s/samples/%s%s", job->dir, job->cell->key, ending);
	ISO_TRY_OUT(iso_str_check(&path, err));
	st = iso_file_write_gz_flags(path.p, text.p, text.n,
				     ISO_WRITE_IN_PLACE | (private_rows ? ISO_WRITE_PRIVATE : 0),
				     err);
out:
	iso_str_free(&text);
	iso_str_free(&path);
	return st;
}

/* Beside images go the nearest training images: private rows, whatever the method promises. */
static iso_status keep_samples(const iso_cell_job *job, const iso_table *synthetic, iso_error *err)
{
	const size_t n = job->cell->keep;
	uint32_t *row;
	iso_table *head = NULL, *nearest = NULL;
	iso_status st = ISO_OK;

	if (n == 0)
		return ISO_OK;
	row = iso_alloc(n, sizeof(*row));
	if (!row)
		return iso_no_memory(err, "kept samples");
	for (size_t i = 0; i < n; i++)
		row[i] = (uint32_t)i;
	ISO_TRY_OUT(iso_table_select(synthetic, row, n, &head, err));
	/* A method that promises nothing may hand out private rows. */
	ISO_TRY_OUT(keep_rows(job, head, ".csv.gz", promises_nothing(job), err));
	if (iso_has_image(job->rows->schema) && job->rows->train->n) {
		ISO_TRY_OUT(iso_nearest_images(head, job->rows->train, &nearest, err));
		st = keep_rows(job, nearest, ".nearest.csv.gz", 1, err);
	}
out:
	iso_free(row);
	iso_table_free(head);
	iso_table_free(nearest);
	return st;
}

/* ------------------------------------------------------------------ the training */

static iso_training_request request_of(const iso_cell_job *job, iso_curves *all)
{
	const iso_suite *s = job->agenda->suite;
	const iso_cell *c = job->cell;
	const iso_setup *u = setup_of(job);

	return (iso_training_request){
		.generator = u->generator,
		.options = u->options,
		.train = job->rows->train,
		.public_rows =
			iso_agenda_division(job->agenda, c->dataset, c->seed_index)->public_rows,
		.class_count = s->public_class_counts ? job->rows->class_count : NULL,
		.epsilon = c->epsilon,
		.delta = c->delta,
		.adjacency = s->adjacency,
		.accountant = s->accountant,
		.seed = c->seed,
		.secure = s->secure,
		.scale = job->scale ? *job->scale : 0,
		.progress = job->progress,
		.curve = all ? iso_curves_take : NULL,
		.curve_ctx = all,
		.cancelled = job->cancelled,
		.allow_large_delta = s->allow_large_delta};
}

/* A trained model and what its training contributes to the record. */
typedef struct trained {
	iso_training t;
	cJSON *facts; /* owned */
} trained;

static void trained_free(trained *x)
{
	iso_training_free(&x->t);
	cJSON_Delete(x->facts);
	x->facts = NULL;
}

/* From DIR/models, if it is there and whole; x->facts stays NULL otherwise. */
static iso_status load_earlier(const iso_cell_job *job, const iso_training_request *q, trained *x,
			       iso_error *err)
{
	iso_artefact a = {0};
	iso_error why = {0};
	iso_status st;

	if (job->force || !q->generator->load)
		return ISO_OK;
	ISO_TRY(iso_artefact_read(job->dir, "models", job->cell->key, &a, err));
	if (!a.facts)
		return ISO_OK;
	st = iso_training_load(q, a.bytes, a.n, &x->t, &why);
	if (st == ISO_E_NOMEM) {
		iso_artefact_free(&a);
		return iso_fail(err, st, "%s", why.text);
	}
	if (st == ISO_OK) {
		x->facts = a.facts;
		a.facts = NULL;
	} else {
		iso_warn("%s; the cell is trained again", why.text);
	}
	iso_artefact_free(&a);
	return ISO_OK;
}

/* Judged is the model that `load` makes of the saved bytes, so that a judgement made now and one
 * added in a year see the same model; a method without `load` is judged as it was trained. */
static iso_status save_and_load(const iso_cell_job *job, const iso_training_request *q, trained *x,
				iso_error *err)
{
	const iso_generator *g = q->generator;
	iso_training again;
	iso_str bytes = {0};
	iso_status st;

	if (!g->save || !g->load)
		return ISO_OK;
	ISO_TRY_OUT(g->save(x->t.model, &bytes, err));
	ISO_TRY_OUT(iso_str_check(&bytes, err));
	ISO_TRY_OUT(iso_training_load(q, bytes.p ? bytes.p : "", bytes.n, &again, err));
	iso_training_free(&x->t);
	x->t = again;
	if (job->agenda->suite->keep_models)
		st = iso_artefact_write(job->dir, "models", job->cell->key, x->facts, bytes.p,
					bytes.n, promises_nothing(job), err);
out:
	iso_str_free(&bytes);
	return st;
}

static iso_status train(const iso_cell_job *job, trained *x, iso_error *err)
{
	iso_curves curves = {0};
	iso_training_request q = request_of(job, &curves);
	iso_status st;

	ISO_TRY_OUT(iso_train(&q, &x->t, err));
	if (job->scale)
		*job->scale = x->t.scale;
	if (!job->train_only)
		ISO_TRY_OUT(iso_training_facts(job, &x->t, &curves, &x->facts, err));
	if (job->counts)
		job->counts->trained++;
	q.curve = NULL;
	if (!job->train_only)
		st = save_and_load(job, &q, x, err);
out:
	iso_curves_free(&curves);
	return st;
}

/* ------------------------------------------------------------------ the judgements */

typedef struct bench {
	const iso_cell_job *job;
	const iso_training *training;
	const iso_table *synthetic;
	const cJSON *earlier; /* a record of this cell, or NULL */
	iso_training_request request;
	iso_game *game; /* made for the first attack; NULL before */
	iso_str method; /* with the game */
	iso_pool_store store;
	iso_judgement out;
	cJSON *judged, *run;
} bench;

/* The entry of `judged` with this key in an earlier record. */
static const cJSON *find_judged(const cJSON *record, const char *key)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, get(record, "judged")) if (strcmp(text_of(item, "key"), key) ==
							    0) return item;
	return NULL;
}

/* Copies what an earlier run found: the entries of that label, and the time they took. */
static iso_status reuse(bench *k, iso_judge_kind kind, const cJSON *entry, iso_error *err)
{
	const int attack = kind == ISO_JUDGE_ATTACK;
	const char *label = text_of(entry, "label");
	const char *times = attack ? "attack_seconds" : "metric_seconds";
	const cJSON *item, *caveats = get(entry, "caveats"),
			   *took = get(get(get(k->earlier, "run"), times), label);
	iso_jsonw b = {0};

	cJSON_ArrayForEach(
		item,
		get(k->earlier,
		    attack ? "attacks"
			   : "metrics")) if (strcmp(text_of(item, attack ? "label" : "metric"),
						    label) == 0)
		iso_jsonw_copy(&b, attack ? k->out.attacks : k->out.metrics, NULL, item);
	iso_jsonw_copy(&b, attack ? k->out.attack_seconds : k->out.metric_seconds, label, took);
	cJSON_ArrayForEach(item, caveats) iso_jsonw_copy(&b, k->out.caveats, NULL, item);
	if (k->job->counts)
		k->job->counts->reused++;
	return iso_jsonw_check(&b, "a record", err);
}

static iso_status judge_attack(bench *k, const iso_attack_setup *a, iso_error *err)
{
	const iso_cell_job *job = k->job;
	iso_game_setup setup = {.members = job->rows->train,
				.nonmembers = job->rows->nonmembers,
				.auxiliary = job->rows->aux,
				.synthetic = k->synthetic,
				.training = k->training,
				.request = &k->request,
				.max_targets = job->agenda->suite->attack_targets,
				.dedup =
					job->agenda->suite->dataset[job->cell->dataset].split.dedup,
				.seed = job->cell->seed};

	if (!k->game) {
		ISO_TRY(iso_cell_method(job->agenda, job->cell, &k->method, err));
		k->store = (iso_pool_store){
			.dir = job->dir, .method = k->method.p, .private = promises_nothing(job)};
		if (job->agenda->suite->keep_models && !job->force)
			setup.store = &k->store;
		ISO_TRY(iso_game_new(&setup, &k->game, err));
	}
	return iso_judge_attacks(k->game, a, 1, &k->out, err);
}

static iso_status classify(void *ctx, const iso_table *rows, double *prob, iso_error *err)
{
	const iso_training *t = ((const bench *)ctx)->training;

	return t->generator->classify(t->model, rows, prob, err);
}

static iso_status judge_metric(bench *k, const iso_metric_setup *m, iso_error *err)
{
	const iso_cell_job *job = k->job;
	iso_cache cache;
	const iso_metric_view view = {
		.schema = job->rows->schema,
		.train = job->rows->train,
		.test = job->rows->test,
		.synthetic = k->synthetic,
		.cache_get = iso_cache_get,
		.cache_put = iso_cache_put,
		.cache_ctx = &cache,
		.classify = k->training && k->training->generator->classify ? classify : NULL,
		.classify_ctx = k};

	ISO_TRY(iso_cache_open(job->dir, job->agenda->data_text[job->cell->dataset],
			       job->cell->seed, m->judge, &cache, err));
	return iso_judge_metrics(&view, job->cell->seed, m, 1, &k->out, err);
}

/* One attack or metric: reused or done, and listed in `judged` with the caveats it added. */
static iso_status judge_one(bench *k, iso_judge_kind kind, size_t i, iso_error *err)
{
	const iso_agenda *a = k->job->agenda;
	const char *judge = kind == ISO_JUDGE_ATTACK ? a->attack[i].judge : a->metric[i].judge;
	cJSON *all = k->out.caveats, *entry = NULL, *own;
	const cJSON *earlier, *item;
	char key[33];
	iso_jsonw b = {0};
	iso_status st;

	const size_t at = kind == ISO_JUDGE_ATTACK ? a->nmetric + i : i;
	const char *lost = k->job->lost ? k->job->lost[at] : NULL;

	ISO_TRY(iso_judge_key(a, k->job->cell, kind, judge, key, err));
	ISO_TRY(iso_json_parse(judge, strlen(judge), "judgement", &entry, err));
	iso_jsonw_text(&b, entry, "key", lost ? "" : key); /* "": to be done again */
	own = iso_jsonw_array(&b, entry, "caveats");
	iso_jsonw_add(&b, k->judged, NULL, entry);
	ISO_TRY(iso_jsonw_check(&b, "a record", err));
	earlier = lost ? NULL : find_judged(k->earlier, key);
	k->out.caveats = own;
	if (k->job->judging)
		*k->job->judging = (int)at + 1;
	if (lost && kind == ISO_JUDGE_ATTACK)
		st = iso_judge_lost_attack(&a->attack[i], lost, &k->out, err);
	else if (lost)
		st = iso_judge_lost_metric(&a->metric[i], lost, &k->out, err);
	else if (earlier)
		st = reuse(k, kind, earlier, err);
	else if (kind == ISO_JUDGE_ATTACK)
		st = judge_attack(k, &a->attack[i], err);
	else
		st = judge_metric(k, &a->metric[i], err);
	k->out.caveats = all;
	if (k->job->judging)
		*k->job->judging = 0;
	if (!earlier && !lost && k->job->counts)
		k->job->counts->judged++;
	for (item = own->child; item && st == ISO_OK; item = item->next)
		st = iso_caveat_add(all, item->valuestring, err);
	return st;
}

static iso_status judge_all(const iso_cell_job *job, cJSON *record, const cJSON *earlier,
			    const iso_training *t, const iso_table *synthetic, iso_error *err)
{
	const iso_agenda *a = job->agenda;
	iso_jsonw b = {0};
	cJSON *run = cJSON_GetObjectItemCaseSensitive(record, "run");
	bench k = {.job = job,
		   .training = t,
		   .synthetic = synthetic,
		   .earlier = earlier,
		   .request = request_of(job, NULL),
		   .judged = cJSON_GetObjectItemCaseSensitive(record, "judged"),
		   .out = {.metrics = iso_jsonw_array(&b, record, "metrics"),
			   .attacks = iso_jsonw_array(&b, record, "attacks"),
			   .attack_seconds = iso_jsonw_object(&b, run, "attack_seconds"),
			   .metric_seconds = iso_jsonw_object(&b, run, "metric_seconds"),
			   .caveats = cJSON_GetObjectItemCaseSensitive(record, "caveats")}};
	iso_status st = iso_jsonw_check(&b, "a record", err);

	for (size_t i = 0; i < a->nmetric && st == ISO_OK; i++)
		st = judge_one(&k, ISO_JUDGE_METRIC, i, err);
	for (size_t i = 0; i < a->nattack && st == ISO_OK; i++)
		st = judge_one(&k, ISO_JUDGE_ATTACK, i, err);
	iso_game_free(k.game);
	iso_str_free(&k.method);
	return st;
}

/* ------------------------------------------------------------------ the cell */

static int same_text(const cJSON *record, const char *key, const char *want)
{
	return strcmp(text_of(record, key), want) == 0;
}

iso_status iso_cell_complete(const iso_cell_job *job, const cJSON *record, int *complete,
			     iso_error *err)
{
	const iso_agenda *a = job->agenda;
	const cJSON *item = get(record, "judged"), *rows = get(record, "rows"),
		    *verdict = get(record, "verdict"), *samples = get(record, "samples");

	*complete = 0;
	if (!same_text(record, "status", "ok") || !same_text(record, "suite", a->suite->name) ||
	    !same_text(record, "label", a->suite->generator[job->cell->generator].label) ||
	    rows->valuedouble != (double)job->cell->rows ||
	    get(record, "targets")->valuedouble != (double)a->suite->attack_targets ||
	    strcmp(text_of(verdict, "key"), text_of(job->verdict, "key")) != 0 ||
	    strcmp(text_of(get(record, "audit"), "key"), text_of(job->audit, "key")) != 0 ||
	    cJSON_IsString(samples) != (job->cell->keep > 0))
		return ISO_OK;
	item = item->child;
	for (size_t i = 0; i < a->nmetric + a->nattack; i++) {
		const int metric = i < a->nmetric;
		char key[33];

		ISO_TRY(iso_judge_key(a, job->cell, metric ? ISO_JUDGE_METRIC : ISO_JUDGE_ATTACK,
				      metric ? a->metric[i].judge : a->attack[i - a->nmetric].judge,
				      key, err));
		if (!item || strcmp(text_of(item, "key"), key) != 0)
			return ISO_OK;
		item = item->next;
	}
	*complete = item == NULL;
	return ISO_OK;
}

/* The part that the training alone determines goes into the record. */
static iso_status add_facts(cJSON *record, const cJSON *facts, const cJSON *verdict, iso_error *err)
{
	cJSON *run = cJSON_GetObjectItemCaseSensitive(record, "run");
	const cJSON *item;
	iso_jsonw b = {0};

	cJSON_ArrayForEach(item, facts) if (strcmp(item->string, "run") != 0)
		iso_jsonw_put(&b, record, item->string, cJSON_Duplicate(item, 1));
	cJSON_ArrayForEach(item, get(facts, "run"))
		iso_jsonw_put(&b, run, item->string, cJSON_Duplicate(item, 1));
	put_text(&b, record, "verified", iso_verified_name(text_of(facts, "guarantee"), verdict));
	return iso_jsonw_check(&b, "a record", err);
}

static iso_status finish(const iso_cell_job *job, cJSON *record, double start, double sampling,
			 iso_error *err)
{
	cJSON *run = cJSON_GetObjectItemCaseSensitive(record, "run");
	iso_jsonw b = {0};
	char samples[64];

	iso_cell_samples(job, samples);
	put_text(&b, record, "samples", job->cell->keep ? samples : NULL);
	put_text(&b, record, "status", "ok");
	put_text(&b, record, "error", NULL);
	iso_jsonw_number(&b, run, "sample_seconds", sampling);
	iso_jsonw_number(&b, run, "total_seconds", iso_clock_wall() - start);
	iso_jsonw_number(&b, run, "peak_memory_bytes", (double)iso_peak_memory());
	return iso_jsonw_check(&b, "a record", err);
}

/* The record that an earlier run left, if its judgements can be used. */
static iso_status read_earlier(const iso_cell_job *job, cJSON **out, iso_error *err)
{
	*out = NULL;
	if (job->force)
		return ISO_OK;
	ISO_TRY(iso_record_read(job->dir, job->cell->key, out, err));
	if (*out && !same_text(*out, "status", "ok")) {
		cJSON_Delete(*out);
		*out = NULL;
	}
	return ISO_OK;
}

iso_status iso_cell_execute(const iso_cell_job *job, cJSON *record, iso_error *err)
{
	const iso_training_request q = request_of(job, NULL);
	const double start = iso_clock_wall();
	double before;
	trained x = {0};
	cJSON *earlier = NULL;
	iso_table *synthetic = NULL;
	int taken = 0;
	iso_status st = ISO_OK;

	if (!job->train_only) {
		ISO_TRY_OUT(read_earlier(job, &earlier, err));
		ISO_TRY_OUT(iso_cell_renew_audit(job, record, earlier, &taken, err));
		if (taken)
			goto out;
		ISO_TRY_OUT(load_earlier(job, &q, &x, err));
	}
	if (x.facts && job->counts)
		job->counts->reused++;
	if (!x.facts)
		ISO_TRY_OUT(train(job, &x, err));
	if (job->train_only)
		goto out;
	before = iso_clock_wall();
	ISO_TRY_OUT(iso_training_sample(&x.t, job->rows->schema, job->cell->seed, job->cell->rows,
					&synthetic, err));
	before = iso_clock_wall() - before;
	ISO_TRY_OUT(add_facts(record, x.facts, job->verdict, err));
	ISO_TRY_OUT(judge_all(job, record, earlier, &x.t, synthetic, err));
	ISO_TRY_OUT(iso_advantage_caveats(record, err));
	ISO_TRY_OUT(iso_cell_add_audit(record, job->audit, err));
	ISO_TRY_OUT(keep_samples(job, synthetic, err));
	ISO_TRY_OUT(finish(job, record, start, before, err));
out:
	cJSON_Delete(earlier);
	iso_table_free(synthetic);
	trained_free(&x);
	return st;
}
