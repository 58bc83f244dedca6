// SPDX-License-Identifier: Apache-2.0
#include "suites/flow/verify_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/io/json.h"
#include "suites/flow/isolate.h"

#define KEYS 3	  /* keys of the samples */
#define ROWS 1024 /* rows under each */
#define FAR 20000 /* rows under one key of a far run */
#define FAR_THOROUGH 200000
#define MOST_BYTES ((size_t)2 << 20) /* of the rows of one key */
#define LATENTS 64
#define PATIENCE 600 /* seconds for one training, before it counts as hanging */

void iso_released_free(iso_released *x)
{
	for (int i = 0; i < ISO_OUT_COUNT; i++)
		iso_str_free(&x->out[i]);
	*x = (iso_released){0};
}

void iso_run_result_free(iso_run_result *x)
{
	iso_released_free(&x->released);
	iso_replay_free(x->record);
	x->record = NULL;
}

/* ------------------------------------------------------------------ verdicts */

void iso_verdict_fail(iso_verdict *v, iso_check c, const char *where, const char *what)
{
	iso_check_result *k = &v->check[c];

	if (k->failed++ == 0)
		snprintf(k->what, sizeof(k->what), "%.64s%s%.180s", where, where[0] ? ": " : "",
			 what);
	v->flows = 1;
}

/* The worse of two values: ratios and epsilons upwards, tail probabilities downwards. */
static double worse(iso_check c, double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) ? b : a;
	if (c == ISO_CHECK_NOISE || c == ISO_CHECK_SAMPLING)
		return a < b ? a : b;
	return a > b ? a : b;
}

void iso_verdict_add(iso_verdict *v, const iso_verdict *more)
{
	for (int c = 0; c < ISO_CHECK_COUNT; c++) {
		iso_check_result *k = &v->check[c];
		const iso_check_result *m = &more->check[c];

		if (k->failed == 0 && m->failed > 0)
			memcpy(k->what, m->what, sizeof(k->what));
		k->runs += m->runs;
		k->failed += m->failed;
		k->value = worse((iso_check)c, k->value, m->value);
	}
	v->flows |= more->flows;
	v->calls += more->calls;
	v->numbers += more->numbers;
}

/* ------------------------------------------------------------------ what leaves */

static void keep_curve(void *ctx, double step, const char *name, double value)
{
	if (strncmp(name, "uncharged:", 10) != 0)
		iso_str_addf(ctx, "%s %.17g %.17g\n", name, step, value);
}

/* An error of a slot leaves in place of its result. */
static iso_status or_words(iso_status st, iso_str *out, iso_error *own)
{
	if (st == ISO_OK || st == ISO_E_NOMEM)
		return st;
	iso_str_addf(out, "error: %s", own->text);
	iso_error_clear(own);
	return ISO_OK;
}

static void add_rows(const iso_table *t, iso_str *out)
{
	const size_t cells = t->schema->ncol * sizeof(double), pixels = t->schema->npixel;

	for (size_t r = 0; r < t->n; r++) {
		iso_str_addn(out, (const char *)(t->cells + r * t->schema->ncol), cells);
		if (pixels)
			iso_str_addn(out, (const char *)(t->pixels + r * pixels), pixels);
	}
}

static iso_status sample_rows(const iso_training *t, const iso_run *q, iso_released *x,
			      iso_error *err)
{
	const iso_schema *s = q->table->schema;
	const size_t most = MOST_BYTES / x->row_bytes + 1;
	const size_t far = q->r->thorough ? FAR_THOROUGH : FAR;

	for (uint64_t k = 0; k < KEYS + (uint64_t)(q->far != 0); k++) {
		const size_t want = k == KEYS ? far : ROWS;
		iso_table *rows = NULL;
		iso_status st = iso_training_sample(t, s, q->r->seed + k * 1000003,
						    want < most ? want : most, &rows, err);

		if (st == ISO_OK)
			add_rows(rows, &x->out[k == KEYS ? ISO_OUT_FAR : ISO_OUT_ROWS]);
		iso_table_free(rows);
		ISO_TRY(st);
	}
	return ISO_OK;
}

static iso_status facts_of(const iso_training *t, iso_str *out, iso_error *err)
{
	cJSON *facts;
	iso_status st;

	if (!t->generator->describe)
		return ISO_OK;
	facts = cJSON_CreateObject();
	if (!facts)
		return iso_no_memory(err, "facts about a model");
	st = t->generator->describe(t->model, facts, err);
	if (st == ISO_OK)
		st = iso_json_canonical(facts, out, err);
	cJSON_Delete(facts);
	return st;
}

typedef iso_status (*row_slot)(const void *, const iso_table *, double *, iso_error *);

static iso_status probe_rows(row_slot slot, const iso_training *t, const iso_table *rows,
			     iso_str *out, iso_error *err)
{
	double *x;
	iso_status st;

	if (!slot)
		return ISO_OK;
	x = iso_alloc(rows->n + 1, sizeof(*x));
	if (!x)
		return iso_no_memory(err, "probes");
	st = slot(t->model, rows, x, err);
	if (st == ISO_OK)
		iso_str_addn(out, (const char *)x, rows->n * sizeof(*x));
	iso_free(x);
	return or_words(st, out, err);
}

static iso_status probe_encode(const iso_training *t, const iso_table *rows, iso_str *out,
			       iso_error *err)
{
	const iso_generator *g = t->generator;
	const size_t n = rows->n * g->latent_dim(t->model);
	float *z = iso_alloc(n + 1, sizeof(*z));
	iso_status st;

	if (!z)
		return iso_no_memory(err, "probes");
	st = g->encode(t->model, rows, z, err);
	if (st == ISO_OK)
		iso_str_addn(out, (const char *)z, n * sizeof(*z));
	iso_free(z);
	return or_words(st, out, err);
}

/* Standard normal latents, and a row each of zeros and of far ones. */
static void fill_latents(float *z, size_t dim)
{
	iso_rand_fill_normal(iso_key_new(0, "verify/latents"), 0, 0, 1, z, LATENTS * dim);
	for (size_t i = 0; i < dim; i++) {
		z[i] = 0;
		z[dim + i] = i % 2 ? 8 : -8;
	}
}

static iso_status probe_decode(const iso_training *t, const iso_schema *s, iso_str *out,
			       iso_error *err)
{
	const iso_generator *g = t->generator;
	const size_t dim = g->latent_dim(t->model), classes = iso_schema_classes(s);
	float *z = iso_alloc(LATENTS * dim + 1, sizeof(*z));
	uint32_t label[LATENTS];
	iso_table *rows = NULL;
	iso_status st = z ? iso_table_new(s, LATENTS, &rows, err) : iso_no_memory(err, "latents");

	if (st != ISO_OK) {
		iso_free(z);
		return st;
	}
	fill_latents(z, dim);
	for (size_t i = 0; i < LATENTS; i++)
		label[i] = classes ? (uint32_t)(i % classes) : 0;
	st = g->decode(t->model, z, classes ? label : NULL, LATENTS, rows, err);
	if (st == ISO_OK)
		add_rows(rows, out);
	iso_table_free(rows);
	iso_free(z);
	return or_words(st, out, err);
}

static iso_status collect(const iso_training *t, const iso_run *q, iso_released *x, iso_error *err)
{
	const iso_generator *g = t->generator;

	if (g->save)
		ISO_TRY(g->save(t->model, &x->out[ISO_OUT_MODEL], err));
	ISO_TRY(facts_of(t, &x->out[ISO_OUT_FACTS], err));
	ISO_TRY(sample_rows(t, q, x, err));
	ISO_TRY(probe_rows(g->score, t, q->probes, &x->out[ISO_OUT_SCORE], err));
	ISO_TRY(probe_rows(g->log_density, t, q->probes, &x->out[ISO_OUT_DENSITY], err));
	if (g->encode)
		ISO_TRY(probe_encode(t, q->probes, &x->out[ISO_OUT_ENCODE], err));
	if (g->decode)
		ISO_TRY(probe_decode(t, q->table->schema, &x->out[ISO_OUT_DECODE], err));
	for (int i = 0; i < ISO_OUT_COUNT; i++)
		ISO_TRY(iso_str_check(&x->out[i], err));
	return ISO_OK;
}

/* ------------------------------------------------------------------ checks of a recording */

static void statistics(const iso_replay *replay, const iso_training *t, size_t rows, iso_verdict *v)
{
	const iso_plan *items = iso_ledger_items(t->ledger);

	iso_verify_noise(replay, items, &v->check[ISO_CHECK_NOISE]);
	iso_verify_sampling(replay, items, rows, &v->check[ISO_CHECK_SAMPLING]);
	v->flows |= v->check[ISO_CHECK_NOISE].failed > 0 || v->check[ISO_CHECK_SAMPLING].failed > 0;
	v->calls += iso_replay_calls(replay);
	for (size_t i = 0; i < iso_replay_calls(replay); i++)
		v->numbers += iso_replay_at(replay, i).n;
}

/* Ledger against target.  That it equals the plan was settled in iso_train: a difference fails the
 * recording. */
static iso_status check_ledger(const iso_verify_request *r, const iso_training *t, iso_verdict *v,
			       iso_error *err)
{
	const iso_plan *items = iso_ledger_items(t->ledger);
	const int rdp = r->accountant == ISO_ACC_RDP;
	iso_epsilons e;
	char text[256];

	ISO_TRY(iso_ledger_epsilon(t->ledger, r->delta,
				   rdp ? ISO_WANT_RDP : ISO_WANT_PLD | ISO_WANT_RDP, &e, err));
	/* the bound of the calibrating accountant on what was booked */
	v->epsilon = v->check[ISO_CHECK_LEDGER].value = iso_epsilon_bound(&e, r->accountant);
	v->check[ISO_CHECK_LEDGER].runs = items->n > 0 ? items->n : 1;
	for (size_t i = 0; i < items->n; i++)
		if (items->v[i].event.mechanism == ISO_MECH_UNCHARGED && items->v[i].used > 0) {
			snprintf(text, sizeof(text),
				 "\"%s\" looks at private data and is not paid for",
				 items->v[i].why);
			iso_verdict_fail(v, ISO_CHECK_LEDGER, "uncharged", text);
		}
	if (t->guarantee == ISO_GUARANTEE_DP && !(v->epsilon <= r->epsilon * (1 + 1e-9))) {
		snprintf(text, sizeof(text), "spent %.9g, target %g", v->epsilon, r->epsilon);
		iso_verdict_fail(v, ISO_CHECK_LEDGER, "overspent", text);
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ in the child */

/* What crosses the pipe, before the outlets and the recording. */
typedef struct head {
	iso_status trained, status;
	char error[sizeof(((iso_error *)0)->text)];
	iso_verdict found;
	iso_finding finding[ISO_FINDING_KINDS];
	double ratio;
	size_t calls, row_bytes, length[ISO_OUT_COUNT];
} head;

static iso_training_request request_of(const iso_run *q, const iso_table *t, iso_str *curve)
{
	const iso_verify_request *r = q->r;

	return (iso_training_request){.generator = r->generator,
				      .options = q->options,
				      .train = t,
				      .n = q->world->base->n,
				      .public_rows = r->public_rows,
				      .class_count =
					      r->public_classes ? q->world->class_count : NULL,
				      .epsilon = r->epsilon,
				      .delta = r->delta,
				      .adjacency = r->adjacency,
				      .accountant = r->accountant,
				      .seed = q->seed,
				      .scale = q->scale,
				      .curve = keep_curve,
				      .curve_ctx = curve};
}

static void train_before(const iso_run *q)
{
	iso_str curve = {0};
	const iso_training_request r = request_of(q, q->before, &curve);
	iso_training t;
	iso_table *rows = NULL;
	iso_error err = {0};

	if (iso_train(&r, &t, &err) == ISO_OK) {
		if (iso_training_sample(&t, q->table->schema, 1, 8, &rows, &err) != ISO_OK)
			iso_error_clear(&err); /* only that it was tried matters */
		iso_training_free(&t);
	}
	iso_table_free(rows);
	iso_str_free(&curve);
	iso_error_clear(&err);
	/* what it said is not of interest */
	(void)fflush(NULL);
	if (ftruncate(STDOUT_FILENO, 0) == 0)
		(void)lseek(STDOUT_FILENO, 0, SEEK_SET);
}

static iso_status train_and_collect(const iso_run *q, iso_released *x, head *h, iso_error *err)
{
	const int recording = q->replay && iso_replay_mode_of(q->replay) == ISO_REPLAY_RECORD;
	iso_training_request r = request_of(q, q->table, &x->out[ISO_OUT_CURVE]);
	iso_training t = {0};
	iso_status st;

	r.replay = q->replay;
	st = x->trained = iso_train(&r, &t, err);
	if (st == ISO_OK)
		st = collect(&t, q, x, err);
	if (st == ISO_OK && recording) {
		statistics(q->replay, &t, q->world->base->n, &h->found);
		h->found.guarantee = t.guarantee;
		h->found.scale = t.scale;
		st = check_ledger(q->r, &t, &h->found, err);
	}
	iso_training_free(&t);
	return st;
}

static void in_child(void *ctx, iso_str *out)
{
	const iso_run *q = ctx;
	iso_released x = {0};
	iso_error err = {0};
	head h = {.found = {.epsilon = NAN}};
	iso_status st;

	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		h.found.check[c].value = NAN;
	x.row_bytes = h.row_bytes =
		q->table->schema->ncol * sizeof(double) + q->table->schema->npixel;
	if (q->before)
		train_before(q);
	st = train_and_collect(q, &x, &h, &err);
	h.trained = x.trained;
	h.status = st;
	if (st != ISO_OK)
		snprintf(h.error, sizeof(h.error), "%s", err.text);
	if (q->replay) {
		iso_replay_end(q->replay);
		for (int k = 0; k < ISO_FINDING_KINDS; k++)
			h.finding[k] = *iso_replay_finding_of(q->replay, (iso_finding_kind)k);
		h.ratio = iso_replay_worst_ratio(q->replay);
		h.calls = iso_replay_calls(q->replay);
	}
	for (int i = 0; i < ISO_OUT_COUNT; i++)
		h.length[i] = x.out[i].n;
	iso_str_addn(out, (const char *)&h, sizeof(h));
	for (int i = 0; i < ISO_OUT_COUNT; i++)
		if (x.out[i].n)
			iso_str_addn(out, x.out[i].p, x.out[i].n);
	if (q->replay && iso_replay_mode_of(q->replay) == ISO_REPLAY_RECORD)
		iso_replay_pack(q->replay, out);
	iso_released_free(&x);
}

/* ------------------------------------------------------------------ in the parent */

static iso_status unpack(const iso_run *q, const iso_str *from, iso_run_result *out, iso_error *err)
{
	head h;
	size_t at = sizeof(h);

	ISO_FAIL_IF(from->n < sizeof(h), err, ISO_E_INTERNAL,
		    "result of a training (verify): it ends early");
	memcpy(&h, from->p, sizeof(h));
	out->released.trained = h.trained;
	out->released.row_bytes = h.row_bytes;
	out->found = h.found;
	out->ratio = h.ratio;
	out->calls = h.calls;
	memcpy(out->finding, h.finding, sizeof(h.finding));
	if (h.status == ISO_E_NOMEM)
		return iso_fail(err, h.status, "%s", h.error);
	for (int i = 0; i < ISO_OUT_COUNT; i++) {
		ISO_FAIL_IF(h.length[i] > from->n - at, err, ISO_E_INTERNAL,
			    "result of a training (verify): it ends early");
		if (h.length[i])
			iso_str_addn(&out->released.out[i], from->p + at, h.length[i]);
		at += h.length[i];
	}
	if (h.status != ISO_OK)
		iso_str_add(&out->released.out[ISO_OUT_FAILURE], h.error);
	if (q->replay && iso_replay_mode_of(q->replay) == ISO_REPLAY_RECORD)
		return iso_replay_unpack(from->p + at, from->n - at, &out->record, err);
	return ISO_OK;
}

/* The child did not come back: an outcome like an error. */
static void no_result(const iso_isolated *i, iso_run_result *out)
{
	iso_released *x = &out->released;

	x->trained = i->timed_out ? ISO_E_LIMIT : ISO_E_PLUGIN;
	x->late = i->timed_out;
	if (i->timed_out)
		iso_str_add(&x->out[ISO_OUT_FAILURE], "stopped by the time limit");
	else
		iso_str_addf(&x->out[ISO_OUT_FAILURE],
			     "the process of the training was killed by signal %d", i->signal);
}

iso_status iso_run_training(const iso_run *q, iso_run_result *out, iso_error *err)
{
	iso_isolated i;
	iso_run run = *q;
	iso_status st = ISO_OK;

	*out = (iso_run_result){.found = {.epsilon = NAN}};
	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		out->found.check[c].value = NAN;
	ISO_TRY(iso_isolate(in_child, &run, q->replay != NULL,
			    q->seconds > 0 ? q->seconds : PATIENCE, &i, err));
	if (i.signal || i.timed_out)
		no_result(&i, out);
	else
		st = unpack(q, &i.result, out, err);
	if (i.said.n)
		iso_str_addn(&out->released.out[ISO_OUT_SAID], i.said.p, i.said.n);
	memcpy(out->touched, i.touched, sizeof(out->touched));
	out->watched = i.watched;
	iso_isolated_free(&i);
	if (st == ISO_OK && !out->record && q->replay &&
	    iso_replay_mode_of(q->replay) == ISO_REPLAY_RECORD)
		st = iso_replay_new(&out->record, err); /* nothing came back: an empty recording */
	if (st != ISO_OK)
		iso_run_result_free(out);
	return st;
}
