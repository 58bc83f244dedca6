// SPDX-License-Identifier: Apache-2.0
/* toy-ae: x^ = W2 tanh(W1 x), loss |x^ - x|^2 / 2, plain SGD on clipped, summed, noised gradients.
 */
#include "tests/plugins/toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"

#define H 4 /* hidden units */
#define STEPS 40
#define RATE 0.15
#define CLIP 0.3
#define LR 0.05

typedef struct toy_options {
	int64_t bug; /* toy_bug */
} toy_options;

typedef struct model {
	const iso_schema *schema;
	iso_encoder *enc;
	size_t dim, np; /* encoded width; parameters: W1 [H][dim], W2 [dim][H] */
	double *theta;
	double *label;	 /* law of the labels [classes] */
	double *halves;	 /* [2][classes] noisy counts */
	double *lo, *hi; /* bounds of the decoded rows, 0 and 1 unless TOY_MIN_MAX */
	double *mask;	 /* [dim] 1 = may be given out */
	double *copy;	 /* [ncol] TOY_COPY */
	size_t classes;
	toy_bug bug;
} model;

static void destroy(void *m_)
{
	model *m = m_;

	if (!m)
		return;
	iso_encoder_free(m->enc);
	iso_free(m->theta);
	iso_free(m->label);
	iso_free(m->halves);
	iso_free(m->lo);
	iso_free(m->hi);
	iso_free(m->mask);
	iso_free(m->copy);
	iso_free(m);
}

static iso_status model_new(const iso_fit *f, toy_bug bug, model **out, iso_error *err)
{
	model *m = iso_alloc(1, sizeof(*m));

	if (!m)
		return iso_no_memory(err, "toy");
	m->schema = f->env.schema;
	m->bug = bug;
	m->classes = iso_schema_classes(m->schema);
	if (iso_encoder_new(m->schema, ISO_ENC_FEATURES, &m->enc, err) != ISO_OK) {
		destroy(m);
		return err->code;
	}
	m->dim = m->enc->dim;
	m->np = 2 * H * m->dim;
	m->theta = iso_alloc(m->np, sizeof(double));
	m->label = iso_alloc(m->classes, sizeof(double));
	m->halves = iso_alloc(2 * m->classes, sizeof(double));
	m->lo = iso_alloc(m->dim, sizeof(double));
	m->hi = iso_alloc(m->dim, sizeof(double));
	m->mask = iso_alloc(m->dim, sizeof(double));
	m->copy = iso_alloc(m->schema->ncol, sizeof(double));
	if (!m->theta || !m->label || !m->halves || !m->lo || !m->hi || !m->mask || !m->copy) {
		destroy(m);
		return iso_no_memory(err, "toy");
	}
	for (size_t i = 0; i < m->np; i++)
		m->theta[i] = iso_rand_u01(iso_key_child(f->key, "init", 0), i, 0) - 0.5;
	for (size_t i = 0; i < m->dim; i++)
		m->hi[i] = m->mask[i] = 1;
	*out = m;
	return ISO_OK;
}

/* ------------------------------------------------------------------ one step */

typedef struct step {
	const iso_fit *f;
	model *m;
	const float *x; /* [n][dim] */
	int handle;
	uint32_t call;
	uint32_t *batch;
	size_t nb;
	double *g, *sum, *raw, *momentum; /* [np] */
	double mean[H];			  /* of the batch's activations: TOY_BATCH_NORM */
} step;

static void activations(const step *s, size_t row, double *h)
{
	const float *x = s->x + row * s->m->dim;

	for (size_t j = 0; j < H; j++) {
		double a = 0;

		for (size_t i = 0; i < s->m->dim; i++)
			a += s->m->theta[j * s->m->dim + i] * x[i];
		h[j] = iso_tanh(a) - s->mean[j];
	}
}

static void drop(const step *s, size_t row, double *h)
{
	/* the right address of a record's own randomness is its id */
	const uint64_t who = s->m->bug == TOY_POSITION_KEYED ? row : s->f->train->id[row];

	for (size_t j = 0; j < H; j++)
		h[j] *= iso_rand_u01(iso_key_child(s->f->key, "drop", s->call), who, j) < 0.8;
	for (size_t j = 0; s->m->bug == TOY_ACTIVATION_NOISE && j < H; j++)
		h[j] += iso_rand_u01(iso_key_child(s->f->key, "noise", s->call), who, j) - 0.5;
}

/* Gradient of one record into s->g; returns its loss. */
static double gradient(step *s, size_t row)
{
	const size_t d = s->m->dim;
	const float *x = s->x + row * d;
	double h[H], dh[H] = {0}, loss = 0;
	double *w2 = s->m->theta + H * d;

	activations(s, row, h);
	drop(s, row, h);
	for (size_t i = 0; i < d; i++) {
		double e = -x[i];

		for (size_t j = 0; j < H; j++)
			e += w2[i * H + j] * h[j];
		loss += 0.5 * e * e;
		for (size_t j = 0; j < H; j++) {
			s->g[H * d + i * H + j] = e * h[j];
			dh[j] += e * w2[i * H + j];
		}
	}
	for (size_t j = 0; j < H; j++)
		for (size_t i = 0; i < d; i++)
			s->g[j * d + i] = dh[j] * (1 - h[j] * h[j]) * x[i];
	return loss;
}

static double norm(const double *v, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += v[i] * v[i];
	return sqrt(s);
}

static void scale(double *v, size_t n, double by)
{
	for (size_t i = 0; i < n; i++)
		v[i] *= by;
}

static void clip(double *v, size_t n, double c)
{
	const double len = norm(v, n);

	if (len > c)
		scale(v, n, c / len);
}

static int descending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

static double clip_bound(step *s)
{
	double len[4096];
	size_t n = 0;

	if (s->m->bug != TOY_ADAPTIVE_CLIP)
		return CLIP;
	for (size_t k = 0; k < s->nb && n < 4096; k++) {
		gradient(s, s->batch[k]);
		len[n++] = norm(s->g, s->m->np);
	}
	qsort(len, n, sizeof(*len), descending);
	return n ? len[n / 2] : CLIP;
}

static void batch_mean(step *s)
{
	double h[H], mean[H] = {0};

	memset(s->mean, 0, sizeof(s->mean));
	if (s->m->bug != TOY_BATCH_NORM)
		return;
	for (size_t k = 0; k < s->nb; k++) {
		activations(s, s->batch[k], h);
		for (size_t j = 0; j < H; j++)
			mean[j] += h[j] / (double)s->nb;
	}
	memcpy(s->mean, mean, sizeof(mean));
}

/* Sums of clipped and of raw gradients over the batch; returns the batch's loss. */
static double sum_batch(step *s)
{
	const size_t np = s->m->np, half = np / 2;
	const toy_bug bug = s->m->bug;
	const double c = clip_bound(s);
	double loss = 0;

	memset(s->sum, 0, np * sizeof(double));
	memset(s->raw, 0, np * sizeof(double));
	batch_mean(s);
	for (size_t k = 0; k < s->nb; k++) {
		loss += gradient(s, s->batch[k]);
		for (size_t i = 0; i < np; i++)
			s->raw[i] += s->g[i];
		if (bug == TOY_LAYER_CLIP) {
			clip(s->g, half, c);
			clip(s->g + half, half, c);
		} else if (bug != TOY_NO_CLIP && bug != TOY_BATCH_CLIP) {
			clip(s->g, np, c);
		}
		for (size_t i = 0; i < np; i++)
			s->sum[i] += s->g[i];
	}
	if (bug == TOY_BATCH_CLIP)
		clip(s->sum, np, c * (double)s->nb);
	if (bug == TOY_SQRT2)
		scale(s->sum, np, sqrt(2));
	return loss;
}

static iso_status draw_batch(step *s, iso_error *err)
{
	const iso_table *t = s->f->train;
	const size_t fixed = (size_t)(RATE * (double)s->f->env.n);

	ISO_TRY(iso_release_poisson(s->f->ledger, s->handle, s->call, t->id, t->n, s->batch, &s->nb,
				    err));
	if (s->m->bug == TOY_WRONG_RATE)
		s->nb = iso_rand_poisson(iso_key_child(s->f->key, "mine", 0), s->call, t->id, t->n,
					 3 * RATE, s->batch);
	if (s->m->bug == TOY_FIXED_BATCH) {
		iso_stream st = iso_stream_new(iso_key_child(s->f->key, "shuffle", s->call));

		for (size_t i = 0; i < t->n; i++)
			s->batch[i] = (uint32_t)i;
		iso_shuffle(&st, s->batch, t->n);
		s->nb = fixed < t->n ? fixed : t->n;
	}
	return ISO_OK;
}

/* Every record twice under its own id, for a sampler that trusts its caller. */
static iso_status draw_doubled(step *s, iso_error *err)
{
	const iso_table *t = s->f->train;
	uint64_t *id = iso_alloc(2 * t->n, sizeof(*id));
	uint32_t *out = iso_alloc(2 * t->n, sizeof(*out));
	iso_status st = ISO_OK;

	if (!id || !out) {
		st = iso_no_memory(err, "toy");
		goto out;
	}
	for (size_t i = 0; i < 2 * t->n; i++)
		id[i] = t->id[i % t->n];
	ISO_TRY_OUT(iso_release_poisson(s->f->ledger, s->handle, s->call, id, 2 * t->n, out, &s->nb,
					err));
	s->nb = s->nb < t->n ? s->nb : t->n;
	for (size_t i = 0; i < s->nb; i++)
		s->batch[i] = (uint32_t)(out[i] % t->n);
out:
	iso_free(id);
	iso_free(out);
	return st;
}

static iso_status release(step *s, iso_error *err)
{
	const size_t np = s->m->np, half = np / 2;

	switch (s->m->bug) {
	case TOY_ACTIVATION_NOISE: /* the booked releases carry nothing */
	case TOY_ZERO_RELEASE: {
		double *nothing = s->g;

		memset(nothing, 0, np * sizeof(double));
		ISO_TRY(iso_release_finish(s->f->ledger, s->handle, s->call, nothing, np, err));
		for (size_t i = 0; i < np; i++)
			s->sum[i] =
				s->m->bug == TOY_ZERO_RELEASE ? s->sum[i] + nothing[i] : s->raw[i];
		return ISO_OK;
	}
	case TOY_LAST_LAYER_ONLY:
		memcpy(s->sum, s->raw, half * sizeof(double));
		return iso_release_finish(s->f->ledger, s->handle, s->call, s->sum + half, half,
					  err);
	default:
		return iso_release_finish(s->f->ledger, s->handle, s->call, s->sum, np, err);
	}
}

static iso_status private_step(step *s, double *loss, iso_error *err)
{
	ISO_TRY(iso_release_begin(s->f->ledger, s->handle, 1, CLIP, &s->call, err));
	if (s->m->bug == TOY_DOUBLED)
		ISO_TRY(draw_doubled(s, err));
	else
		ISO_TRY(draw_batch(s, err));
	*loss = sum_batch(s);
	return release(s, err);
}

static void update(step *s)
{
	const double n = s->m->bug == TOY_SIZE_LEAK ? (double)s->f->train->n : (double)s->f->env.n;
	const double rate = LR / (RATE * n) * 10;

	for (size_t i = 0; i < s->m->np; i++) {
		double g = s->sum[i];

		if (s->m->bug == TOY_MOMENTUM)
			g += s->momentum[i] = 0.9 * s->momentum[i] + s->raw[i];
		if (s->m->bug == TOY_PENALTY)
			g += 0.01 * s->raw[i] * s->raw[i];
		s->m->theta[i] -= rate * g;
	}
}

/* ------------------------------------------------------------------ fit */

static void report(const iso_fit *f, size_t t, const char *name, double value)
{
	if (f->curve)
		f->curve(f->curve_ctx, (double)t, name, value);
}

static iso_status train(step *s, iso_error *err)
{
	const toy_bug bug = s->m->bug;
	double best = INFINITY, last = INFINITY, *kept = s->raw + s->m->np;
	double loss;

	for (size_t t = 0; t < STEPS + (bug == TOY_UNCOUNTED_STEP); t++) {
		ISO_TRY(private_step(s, &loss, err));
		update(s);
		if (bug == TOY_BEST_STEP && loss / ((double)s->nb + 1) < best) {
			best = loss / ((double)s->nb + 1);
			memcpy(kept, s->m->theta, s->m->np * sizeof(double));
		}
		if (bug == TOY_EARLY_STOP && t > 5 && loss > 1.3 * last)
			break;
		last = loss;
		if (bug == TOY_CURVE)
			report(s->f, t, "loss", loss);
	}
	if (bug == TOY_BEST_STEP)
		memcpy(s->m->theta, kept, s->m->np * sizeof(double));
	if (bug == TOY_FREE_STEP) {
		sum_batch(s);
		update(s);
	}
	return ISO_OK;
}

static iso_status release_labels(const iso_fit *f, step *s, iso_error *err)
{
	const iso_table *t = f->train;
	uint32_t *cell = iso_alloc(t->n + 1, sizeof(*cell));
	model *m = s->m;
	iso_status st;

	if (!cell)
		return iso_no_memory(err, "toy");
	for (size_t r = 0; r < t->n; r++)
		cell[r] = (uint32_t)iso_table_label(t, r);
	st = iso_mech_histogram(f->ledger, (iso_entry){.why = "labels"}, cell, t->n, 1, m->classes,
				m->label, err);
	for (size_t c = 0; m->bug == TOY_EXACT_LABELS && c < m->classes; c++) {
		m->label[c] = 0;
		for (size_t r = 0; r < t->n; r++)
			m->label[c] += cell[r] == c;
	}
	for (size_t c = 0; m->bug == TOY_BATCH_LABELS && c < m->classes; c++) {
		m->label[c] = 0.5;
		for (size_t k = 0; k < s->nb; k++)
			m->label[c] += cell[s->batch[k]] == c;
	}
	iso_simplex_from_counts(m->label, m->classes);
	iso_free(cell);
	return st;
}

/* What a careless author reads off the rows. */
static void look_at_rows(const iso_fit *f, model *m, const float *x)
{
	const iso_table *t = f->train;

	for (size_t i = 0; i < m->dim && (m->bug == TOY_MIN_MAX || m->bug == TOY_CATEGORIES); i++) {
		double lo = 1, hi = 0;

		for (size_t r = 0; r < t->n; r++) {
			lo = x[r * m->dim + i] < lo ? x[r * m->dim + i] : lo;
			hi = x[r * m->dim + i] > hi ? x[r * m->dim + i] : hi;
		}
		if (m->bug == TOY_MIN_MAX) {
			m->lo[i] = lo;
			m->hi[i] = hi;
		} else {
			m->mask[i] = hi > 0;
		}
	}
	if (m->bug == TOY_COPY && t->n > 0)
		memcpy(m->copy, t->cells, m->schema->ncol * sizeof(double));
}

/* A noisy count of rows per half of the table, halves by id: one parallel group. */
static iso_status release_halves(const iso_fit *f, model *m, iso_error *err)
{
	const iso_table *t = f->train;
	uint32_t *cell = iso_alloc(t->n + 1, sizeof(*cell));
	iso_status st = cell ? ISO_OK : iso_no_memory(err, "toy");

	for (int half = 0; half < 2 && st == ISO_OK; half++) {
		size_t k = 0;

		for (size_t r = 0; r < t->n; r++)
			if (m->bug == TOY_SHARED_PART || (int)(t->id[r] % 2) == half)
				cell[k++] = (uint32_t)iso_table_label(t, r);
		st = iso_mech_histogram(f->ledger,
					(iso_entry){.why = "half", .group = 1, .part = half}, cell,
					k, 1, m->classes, m->halves + half * m->classes, err);
	}
	iso_free(cell);
	return st;
}

static int at_upper_bounds(const iso_table *t, size_t r)
{
	const iso_schema *s = t->schema;

	for (size_t j = 0; j < s->ncol; j++)
		if (!iso_is_discrete(&s->column[j]) && iso_table_cell(t, r, j) != s->column[j].hi)
			return 0;
	return 1;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const toy_options *o = f->env.options;
	step s = {.f = f};
	model *m = NULL;
	float *x = NULL;
	int outlier = 0;
	iso_status st;

	ISO_TRY(model_new(f, (toy_bug)o->bug, &m, err));
	s.m = m;
	ISO_TRY_OUT(iso_encode_new(m->enc, f->train, &x, err));
	s.x = x;
	s.batch = iso_alloc(f->train->n + 1, sizeof(*s.batch));
	s.g = iso_alloc(5 * m->np, sizeof(double));
	if (!s.batch || !s.g) {
		st = iso_no_memory(err, "toy");
		goto out;
	}
	s.sum = s.g + m->np;
	s.momentum = s.sum + m->np;
	s.raw = s.momentum + m->np; /* and one more behind it, for TOY_BEST_STEP */
	for (size_t r = 0; r < f->train->n; r++)
		outlier |= at_upper_bounds(f->train, r);
	if (m->bug == TOY_REFUSES && outlier) {
		st = iso_fail(err, ISO_E_DATA, "outlier (toy): a row sits at every bound");
		goto out;
	}
	look_at_rows(f, m, x);
	ISO_TRY_OUT(iso_ledger_find(f->ledger, (iso_entry){.why = "step"}, &s.handle, err));
	if (m->bug == TOY_ORDER && outlier)
		ISO_TRY_OUT(release_labels(f, &s, err));
	ISO_TRY_OUT(train(&s, err));
	ISO_TRY_OUT(release_halves(f, m, err));
	if (m->bug != TOY_ORDER || !outlier)
		ISO_TRY_OUT(release_labels(f, &s, err));
	*out = m;
	m = NULL;
out:
	iso_free(s.batch);
	iso_free(s.g);
	iso_free(x);
	destroy(m);
	return st;
}

static iso_status plan(const iso_gen_env *env, double s, iso_plan *p, iso_error *err)
{
	(void)env;
	ISO_TRY(iso_plan_gaussian(p, (iso_entry){.why = "step"}, s, RATE, STEPS, CLIP, err));
	ISO_TRY(iso_plan_gaussian(p, (iso_entry){.why = "half", .group = 1}, 4 * s, 1, 1, 1, err));
	ISO_TRY(iso_plan_gaussian(p, (iso_entry){.why = "half", .group = 1, .part = 1}, 4 * s, 1, 1,
				  1, err));
	return iso_plan_gaussian(p, (iso_entry){.why = "labels"}, 4 * s, 1, 1, 1, err);
}

/* ------------------------------------------------------------------ sample, save */

static uint32_t pick(const double *law, size_t n, double u)
{
	for (size_t i = 0; i + 1 < n; i++) {
		u -= law[i];
		if (u < 0)
			return (uint32_t)i;
	}
	return (uint32_t)(n - 1);
}

static iso_status sample(const void *m_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = m_;
	float *x = iso_alloc(m->dim, sizeof(*x));

	if (!x)
		return iso_no_memory(err, "toy");
	for (size_t r = 0; r < out->n; r++) {
		const uint32_t y = pick(m->label, m->classes, iso_rand_u01(key, r, 1000));

		for (size_t i = 0; i < m->dim; i++) {
			double v = 0;

			for (size_t j = 0; j < H; j++)
				v += m->theta[H * m->dim + i * H + j] *
				     (2 * iso_rand_u01(key, r, j) - 1);
			v = 0.5 + 0.5 * iso_tanh(v);
			x[i] = (float)((m->lo[i] + (m->hi[i] - m->lo[i]) * v) * m->mask[i]);
		}
		iso_decode(m->enc, x, m->dim, 1, NULL, out, r);
		iso_set_labels(out, r, &y, 1);
		if (m->bug == TOY_COPY && iso_rand_u01(key, r, 2000) < 0.01)
			memcpy(out->cells + r * m->schema->ncol, m->copy,
			       m->schema->ncol * sizeof(double));
	}
	iso_free(x);
	return ISO_OK;
}

static void part(iso_str *out, const char *name, const double *v, size_t n)
{
	iso_str_addf(out, "%s %zu\n", name, n);
	iso_str_addn(out, (const char *)v, n * sizeof(double));
}

static iso_status save(const void *m_, iso_str *out, iso_error *err)
{
	const model *m = m_;

	part(out, "W1", m->theta, m->np / 2);
	part(out, "W2", m->theta + m->np / 2, m->np / 2);
	part(out, "labels", m->label, m->classes);
	part(out, "halves", m->halves, 2 * m->classes);
	part(out, "low", m->lo, m->dim);
	part(out, "high", m->hi, m->dim);
	part(out, "mask", m->mask, m->dim);
	part(out, "cache", m->copy, m->schema->ncol);
	return iso_str_check(out, err);
}

/* ------------------------------------------------------------------ descriptors */

/* One option whose default is the bug: the same code, another descriptor per bug. */
typedef struct entry {
	iso_generator g;
	iso_option table[2];
	char name[32], def[8];
} entry;

int toy_is_pate(toy_bug bug)
{
	return bug >= TOY_PATE_CLEAN && bug < TOY_SUM_CLEAN;
}

const iso_generator *toy_generator(toy_bug bug)
{
	static entry all[TOY_COUNT];
	entry *e = &all[bug];

	snprintf(e->name, sizeof(e->name), "toy-%d", (int)bug);
	snprintf(e->def, sizeof(e->def), "%d", (int)bug);
	e->table[0] = (iso_option){
		"bug", ISO_OPTION_INT, offsetof(toy_options, bug), e->def, 0, 100, 0, "which bug"};
	e->g = (iso_generator){.abi = ISO_GENERATOR_ABI,
			       .name = e->name,
			       .title = "toy",
			       .citation = "none",
			       .card = "test only",
			       .guarantee = ISO_GUARANTEE_DP,
			       .accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES,
			       .version = 1,
			       .options = e->table,
			       .options_size = sizeof(toy_options),
			       .plan = plan,
			       .fit = fit,
			       .sample = sample,
			       .destroy = destroy,
			       .save = save};
	if (toy_is_pate(bug))
		toy_pate_fill(&e->g);
	if (bug >= TOY_SUM_CLEAN)
		toy_sum_fill(&e->g);
	return &e->g;
}
