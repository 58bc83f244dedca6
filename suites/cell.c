// SPDX-License-Identifier: Apache-2.0
#include "suites/cell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/judge.h"

#define CURVE_POINTS 200 /* per curve in the record: what a figure can show */
#define CURVE_NAMES 16

/* ------------------------------------------------------------------ record without results */

iso_status iso_cell_record(const iso_cell_job *job, cJSON **out, iso_error *err)
{
	const iso_suite *s = job->agenda->suite;
	const iso_cell *c = job->cell;
	const iso_setup *u = iso_agenda_setup(job->agenda, c->generator, c->dataset);
	const cJSON *mode = cJSON_GetObjectItemCaseSensitive(u->resolved, "mode");
	iso_jsonw b = {0};
	cJSON *r = cJSON_CreateObject(),
	      *run = job->host ? cJSON_Duplicate(job->host, 1) : cJSON_CreateObject();
	double load[1] = {NAN};

	iso_jsonw_number(&b, r, "isoeps", 1);
	iso_jsonw_text(&b, r, "key", c->key);
	iso_jsonw_text(&b, r, "suite", s->name);
	iso_jsonw_add(&b, r, "config", cJSON_Duplicate(c->config, 1));
	iso_jsonw_text(&b, r, "label", s->generator[c->generator].label);
	iso_jsonw_text(&b, r, "mode", cJSON_IsString(mode) ? mode->valuestring : NULL);
	iso_jsonw_text(&b, r, "status", "error");
	iso_jsonw_text(&b, r, "error", "the cell did not finish");
	iso_jsonw_text(&b, r, "guarantee", iso_guarantee_name(u->guarantee));
	iso_jsonw_text(&b, r, "control", u->generator->control);
	if (getloadavg(load, 1) != 1)
		load[0] = NAN;
	iso_jsonw_number(&b, run, "started", iso_clock_epoch());
	iso_jsonw_number(&b, run, "load", load[0]);
	iso_jsonw_number(&b, run, "jobs", job->jobs);
	iso_jsonw_add(&b, r, "caveats", cJSON_CreateArray());
	iso_jsonw_text(&b, r, "samples", NULL);
	iso_jsonw_add(&b, r, "run", run);
	if (b.failed) {
		cJSON_Delete(r);
		return iso_no_memory(err, "a record");
	}
	*out = r;
	return ISO_OK;
}

iso_status iso_cell_failed(cJSON *record, const char *status, const char *text, iso_error *err)
{
	iso_jsonw b = {0};

	iso_jsonw_put(&b, record, "status", cJSON_CreateString(status));
	iso_jsonw_put(&b, record, "error", cJSON_CreateString(text));
	return b.failed ? iso_no_memory(err, "a record") : ISO_OK;
}

/* ------------------------------------------------------------------ training curves */

typedef struct curve {
	char *name;
	double *step, *value;
	size_t n, cap_step, cap_value;
} curve;

typedef struct curves {
	curve v[CURVE_NAMES];
	size_t n;
	int failed;
} curves;

static void take_point(void *ctx, double step, const char *name, double value)
{
	curves *all = ctx;
	curve *c;
	size_t i = 0;

	while (i < all->n && strcmp(all->v[i].name, name) != 0)
		i++;
	if (i == CURVE_NAMES || all->failed)
		return;
	c = &all->v[i];
	if (i == all->n) {
		c->name = iso_strdup(name);
		if (!c->name) {
			all->failed = 1;
			return;
		}
		all->n++;
	}
	if (iso_grow(&c->step, &c->cap_step, c->n + 1, sizeof(*c->step), NULL) != ISO_OK ||
	    iso_grow(&c->value, &c->cap_value, c->n + 1, sizeof(*c->value), NULL) != ISO_OK) {
		all->failed = 1;
		return;
	}
	c->step[c->n] = step;
	c->value[c->n++] = value;
}

static cJSON *curves_json(iso_jsonw *b, const curves *all)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; o && i < all->n; i++) {
		const curve *c = &all->v[i];
		const size_t points = c->n < CURVE_POINTS ? c->n : CURVE_POINTS;
		cJSON *list = iso_jsonw_add(b, o, c->name, cJSON_CreateArray());

		for (size_t k = 0; list && k < points; k++) {
			const size_t at = points < 2 ? 0 : k * (c->n - 1) / (points - 1);
			cJSON *pair = iso_jsonw_add(b, list, NULL, cJSON_CreateArray());

			iso_jsonw_add(b, pair, NULL, cJSON_CreateNumber(c->step[at]));
			iso_jsonw_add(b, pair, NULL,
				      isfinite(c->value[at]) ? cJSON_CreateNumber(c->value[at])
							     : cJSON_CreateNull());
		}
	}
	b->failed |= all->failed;
	return o;
}

static void curves_free(curves *all)
{
	for (size_t i = 0; i < all->n; i++) {
		iso_free(all->v[i].name);
		iso_free(all->v[i].step);
		iso_free(all->v[i].value);
	}
}

/* ------------------------------------------------------------------ parts of the record */

static size_t count_features(const iso_schema *s)
{
	size_t n = s->npixel;

	for (size_t c = 0; c < s->ncol; c++)
		n += s->column[c].role == ISO_FEATURE && s->column[c].type != ISO_PIXEL;
	return n;
}

static void add_sizes(iso_jsonw *b, cJSON *record, const iso_cell_rows *rows)
{
	cJSON *n = iso_jsonw_add(b, record, "n", cJSON_CreateObject());

	iso_jsonw_number(b, n, "train", (double)rows->train->n);
	iso_jsonw_number(b, n, "holdout", rows->nonmembers ? (double)rows->nonmembers->n : 0);
	iso_jsonw_number(b, n, "aux", (double)rows->aux->n);
	iso_jsonw_number(b, n, "test", rows->test ? (double)rows->test->n : 0);
	iso_jsonw_number(b, n, "features", (double)count_features(rows->schema));
}

static void add_epsilons(iso_jsonw *b, cJSON *privacy, const iso_epsilons *e)
{
	cJSON *o = iso_jsonw_add(b, privacy, "epsilon", cJSON_CreateObject()), *pld;

	if (isnan(e->pld_upper)) {
		iso_jsonw_add(b, o, "pld", cJSON_CreateNull());
	} else {
		pld = iso_jsonw_add(b, o, "pld", cJSON_CreateObject());
		iso_jsonw_number(b, pld, "lower", e->pld_lower);
		iso_jsonw_number(b, pld, "upper", e->pld_upper);
	}
	iso_jsonw_number(b, o, "rdp", e->rdp);
	iso_jsonw_number(b, o, "rdp_classic", e->rdp_classic);
	iso_jsonw_number(b, o, "moments", e->moments);
	iso_jsonw_number(b, o, "gdp", e->gdp);
}

/* Names of the uncharged entries of the ledger, each once. */
static iso_status add_uncharged(iso_jsonw *b, cJSON *privacy, const iso_ledger *l, cJSON *caveats,
				iso_error *err)
{
	cJSON *list = iso_jsonw_add(b, privacy, "uncharged", cJSON_CreateArray());
	const iso_plan *items = iso_ledger_items(l);

	for (size_t i = 0; list && i < items->n; i++) {
		char text[160];

		if (items->v[i].event.mechanism != ISO_MECH_UNCHARGED)
			continue;
		ISO_TRY(iso_caveat_add(list, items->v[i].why, err));
		snprintf(text, sizeof(text),
			 "uncharged: %s was chosen by looking at real data and is not in the "
			 "accounted epsilon",
			 items->v[i].why);
		ISO_TRY(iso_caveat_add(caveats, text, err));
	}
	return ISO_OK;
}

static iso_status add_privacy(iso_jsonw *b, const iso_cell_job *job, cJSON *record,
			      const iso_training *t, iso_error *err)
{
	const iso_cell *c = job->cell;
	iso_epsilons e = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	const int promised =
		t->guarantee == ISO_GUARANTEE_DP && iso_ledger_uncharged_count(t->ledger) == 0;
	const int anything = iso_ledger_items(t->ledger)->n > 0;
	cJSON *p = iso_jsonw_add(b, record, "privacy", cJSON_CreateObject()), *ledger;
	double accounted;

	if (promised || anything)
		ISO_TRY(iso_ledger_epsilon(t->ledger, c->delta, ISO_WANT_ALL, &e, err));
	accounted = iso_epsilon_bound(&e, job->agenda->suite->accountant);
	iso_jsonw_number(b, p, "target_epsilon", c->epsilon);
	iso_jsonw_number(b, p, "delta", c->delta);
	iso_jsonw_number(b, p, "scale", t->scale > 0 ? t->scale : NAN);
	iso_jsonw_number(b, p, "claimed_epsilon", t->claimed_epsilon);
	add_epsilons(b, p, &e);
	iso_jsonw_number(b, p, "accounted_epsilon",
			 promised && !isnan(accounted) ? accounted : INFINITY);
	iso_jsonw_number(b, p, "audited_epsilon", NAN);
	ISO_TRY(add_uncharged(b, p, t->ledger, cJSON_GetObjectItemCaseSensitive(record, "caveats"),
			      err));
	ISO_TRY(iso_ledger_to_json(t->ledger, &ledger, err));
	iso_jsonw_add(b, record, "ledger", ledger);
	iso_jsonw_put(b, record, "guarantee", cJSON_CreateString(iso_guarantee_name(t->guarantee)));
	return ISO_OK;
}

static iso_status add_model(iso_jsonw *b, cJSON *record, const iso_training *t, iso_error *err)
{
	cJSON *o = iso_jsonw_add(b, record, "model", cJSON_CreateObject());

	if (o && t->generator->describe)
		return t->generator->describe(t->model, o, err);
	return ISO_OK;
}

static iso_status keep_samples(iso_jsonw *b, const iso_cell_job *job, cJSON *record,
			       const iso_table *synthetic, iso_error *err)
{
	const size_t n = job->cell->keep;
	iso_str text = {0}, path = {0};
	uint32_t *row;
	iso_table *head = NULL;
	iso_status st = ISO_OK;

	if (n == 0)
		return ISO_OK;
	row = iso_alloc(n, sizeof(*row));
	if (!row)
		return iso_no_memory(err, "kept samples");
	for (size_t i = 0; i < n; i++)
		row[i] = (uint32_t)i;
	ISO_TRY_OUT(iso_table_select(synthetic, row, n, &head, err));
	ISO_TRY_OUT(iso_table_to_csv(head, &text, err));
	iso_str_addf(&path, "%s/samples", job->dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_make_dirs(path.p, err));
	iso_str_addf(&path, "/%s.csv.gz", job->cell->key);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_file_write_gz(path.p, text.p, text.n, err));
	iso_jsonw_put(b, record, "samples", cJSON_CreateString(path.p + strlen(job->dir) + 1));
out:
	iso_free(row);
	iso_table_free(head);
	iso_str_free(&text);
	iso_str_free(&path);
	return st;
}

/* ------------------------------------------------------------------ the cell */

static iso_training_request request_of(const iso_cell_job *job, curves *all)
{
	const iso_suite *s = job->agenda->suite;
	const iso_cell *c = job->cell;
	const iso_setup *u = iso_agenda_setup(job->agenda, c->generator, c->dataset);

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
		.scale = job->scale ? *job->scale : 0,
		.progress = job->progress,
		.curve = take_point,
		.curve_ctx = all,
		.allow_large_delta = s->allow_large_delta};
}

static iso_status judge(const iso_cell_job *job, cJSON *record, const iso_training *t,
			const iso_training_request *request, const iso_table *synthetic,
			iso_error *err)
{
	const iso_agenda *a = job->agenda;
	const iso_cell_rows *rows = job->rows;
	iso_jsonw b = {0};
	cJSON *run = cJSON_GetObjectItemCaseSensitive(record, "run");
	iso_judgement v = {
		.metrics = iso_jsonw_add(&b, record, "metrics", cJSON_CreateArray()),
		.attacks = iso_jsonw_add(&b, record, "attacks", cJSON_CreateArray()),
		.attack_seconds = iso_jsonw_add(&b, run, "attack_seconds", cJSON_CreateObject()),
		.metric_seconds = iso_jsonw_add(&b, run, "metric_seconds", cJSON_CreateObject()),
		.caveats = cJSON_GetObjectItemCaseSensitive(record, "caveats")};
	iso_cache cache;
	const iso_metric_view view = {.schema = rows->schema,
				      .train = rows->train,
				      .test = rows->test,
				      .synthetic = synthetic,
				      .cache_get = iso_cache_get,
				      .cache_put = iso_cache_put,
				      .cache_ctx = &cache};
	const iso_game_setup setup = {.members = rows->train,
				      .nonmembers = rows->nonmembers,
				      .auxiliary = rows->aux,
				      .synthetic = synthetic,
				      .training = t,
				      .request = request,
				      .max_targets = a->suite->attack_targets,
				      .dedup = a->suite->dataset[job->cell->dataset].split.dedup,
				      .seed = job->cell->seed};
	iso_game *game;
	iso_status st;

	if (b.failed)
		return iso_no_memory(err, "a record");
	ISO_TRY(iso_cache_open(job->dir, job->cell->config, &cache, err));
	ISO_TRY(iso_judge_metrics(&view, job->cell->seed, a->metric, a->nmetric, &v, err));
	ISO_TRY(iso_game_new(&setup, &game, err));
	st = iso_judge_attacks(game, a->attack, a->nattack, &v, err);
	iso_game_free(game);
	return st;
}

static void add_times(iso_jsonw *b, cJSON *record, const iso_training *t, const curves *all,
		      double start, double sample_seconds)
{
	cJSON *run = cJSON_GetObjectItemCaseSensitive(record, "run"), *progress;
	double steps = 0; /* the last step of the longest curve */

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].n && all->v[i].step[all->v[i].n - 1] > steps)
			steps = all->v[i].step[all->v[i].n - 1];

	iso_jsonw_number(b, run, "fit_seconds", t->fit_seconds);
	iso_jsonw_number(b, run, "sample_seconds", sample_seconds);
	iso_jsonw_number(b, run, "total_seconds", iso_clock_wall() - start);
	iso_jsonw_number(b, run, "steps_per_second",
			 steps > 0 && t->fit_seconds > 0 ? steps / t->fit_seconds : NAN);
	iso_jsonw_number(b, run, "peak_memory_bytes", (double)iso_peak_memory());
	progress = iso_jsonw_add(b, run, "progress", cJSON_CreateObject());
	iso_jsonw_number(b, progress, "steps", steps);
}

static iso_status finish(iso_jsonw *b, const iso_cell_job *job, cJSON *record, iso_error *err)
{
	cJSON *caveats = cJSON_GetObjectItemCaseSensitive(record, "caveats");
	char text[256];

	iso_jsonw_put(b, record, "status", cJSON_CreateString("ok"));
	iso_jsonw_put(b, record, "error", cJSON_CreateNull());
	if (b->failed)
		return iso_no_memory(err, "a record");
	if (iso_delta_caveat(iso_agenda_setup(job->agenda, job->cell->generator, job->cell->dataset)
				     ->generator,
			     job->cell->delta, job->rows->train->n, text, sizeof(text)))
		ISO_TRY(iso_caveat_add(caveats, text, err));
	if (!job->rows->schema->learned)
		return ISO_OK;
	return iso_caveat_add(caveats,
			      "learned bounds: the schema's bounds or categories were read off the "
			      "data, outside the privacy budget",
			      err);
}

iso_status iso_cell_execute(const iso_cell_job *job, cJSON *record, iso_error *err)
{
	const double start = iso_clock_wall();
	double before;
	curves all = {0};
	iso_jsonw b = {0};
	const iso_training_request request = request_of(job, &all);
	iso_training t = {0};
	iso_table *synthetic = NULL;
	iso_status st;

	ISO_TRY_OUT(iso_train(&request, &t, err));
	if (job->scale)
		*job->scale = t.scale;
	if (job->train_only)
		goto out;
	before = iso_clock_wall();
	ISO_TRY_OUT(iso_training_sample(&t, job->rows->schema, job->cell->seed, job->cell->rows,
					&synthetic, err));
	before = iso_clock_wall() - before;
	add_sizes(&b, record, job->rows);
	ISO_TRY_OUT(add_privacy(&b, job, record, &t, err));
	ISO_TRY_OUT(judge(job, record, &t, &request, synthetic, err));
	iso_jsonw_add(&b, record, "curves", curves_json(&b, &all));
	ISO_TRY_OUT(add_model(&b, record, &t, err));
	ISO_TRY_OUT(keep_samples(&b, job, record, synthetic, err));
	add_times(&b, record, &t, &all, start, before);
	ISO_TRY_OUT(finish(&b, job, record, err));
out:
	curves_free(&all);
	iso_table_free(synthetic);
	iso_training_free(&t);
	return st;
}
