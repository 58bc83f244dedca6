// SPDX-License-Identifier: Apache-2.0
/* toy-sum: the faults of published code, each in a few lines around one right method: full-batch
 * steps on clipped sums, a Laplace histogram of the labels.  A record's gradient has two terms (as
 * a VAE's loss has), and an outlier's explodes, so that a bound that is missing shows. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"
#include "tests/plugins/toy.h"

#define STEPS 6
#define CLIP 0.3
#define CLIENTS 4
#define OUTLIER 1e4 /* how far the gradient of a record at every upper bound explodes */

typedef struct sum_options {
	int64_t bug;
} sum_options;

typedef struct model {
	iso_encoder *enc;
	size_t dim, classes;
	double *theta, *encoder, *message, *law; /* [dim], [dim], [CLIENTS * dim], [classes] */
} model;

static void destroy(void *m_)
{
	model *m = m_;

	if (!m)
		return;
	iso_encoder_free(m->enc);
	iso_free(m->theta);
	iso_free(m->law);
	iso_free(m);
}

typedef struct job {
	const iso_fit *f;
	toy_bug bug;
	model *m;
	const float *x;
	double *sum, *a, *b; /* [dim] */
	int handle;
} job;

static void clip(double *v, size_t n, double c)
{
	double len = 0;

	for (size_t i = 0; i < n; i++)
		len += v[i] * v[i];
	len = sqrt(len);
	for (size_t i = 0; len > c && i < n; i++)
		v[i] *= c / len;
}

/* The two terms of one record's gradient. */
static void gradient(const job *j, size_t row)
{
	const size_t d = j->m->dim;
	const float *x = j->x + row * d;
	double mean = 0, grow;

	for (size_t i = 0; i < d; i++)
		mean += x[i] / (double)d;
	grow = 1 + OUTLIER * iso_pow(mean, 40);
	for (size_t i = 0; i < d; i++) {
		j->a[i] = grow * (x[i] - j->m->theta[i]);
		j->b[i] = grow * (x[i] * x[i] - 0.3);
	}
}

/* What one record adds to the sum. */
static void contribution(const job *j, size_t row)
{
	const size_t d = j->m->dim;

	gradient(j, row);
	if (j->bug == TOY_TERMS_APART || j->bug == TOY_TERM_FREE)
		clip(j->a, d, CLIP);
	if (j->bug == TOY_TERMS_APART)
		clip(j->b, d, CLIP);
	for (size_t i = 0; i < d; i++)
		j->a[i] += j->b[i];
	switch (j->bug) {
	case TOY_TERMS_APART:
	case TOY_TERM_FREE:
	case TOY_ROW_CLIP:
	case TOY_CLIENT_FREE:
		return;
	case TOY_SIGMA_C: /* the noise follows sigma, the accountant is told sigma C */
		clip(j->a, d, 1.1 * CLIP);
		return;
	default:
		clip(j->a, d, CLIP);
	}
}

static void sum_rows(const job *j, uint64_t client, int all)
{
	const size_t d = j->m->dim;

	memset(j->sum, 0, d * sizeof(double));
	for (size_t r = 0; r < j->f->train->n; r++) {
		if (!all && j->f->train->id[r] % CLIENTS != client)
			continue;
		contribution(j, r);
		for (size_t i = 0; i < d; i++)
			j->sum[i] += j->a[i];
	}
	for (size_t i = 0; j->bug == TOY_ROW_CLIP && i < d; i++)
		clip(j->sum + i, 1, CLIP); /* each row of a weight matrix of one column */
}

static double declared(const job *j)
{
	switch (j->bug) {
	case TOY_SQRT_BATCH: /* noise sigma C / sqrt(B) */
		return CLIP / sqrt((double)j->f->env.n);
	case TOY_ONE_CLIENT: /* each of four clients adds a half, the server sees one alone */
		return CLIP / 2;
	default:
		return CLIP;
	}
}

static iso_status release(const job *j, iso_error *err)
{
	uint32_t call;

	ISO_TRY(iso_release_begin(j->f->ledger, j->handle, 1, declared(j), &call, err));
	return iso_release_finish(j->f->ledger, j->handle, call, j->sum, j->m->dim, err);
}

static void update(const job *j)
{
	for (size_t i = 0; i < j->m->dim; i++)
		j->m->theta[i] += j->sum[i] / (10 * (double)j->f->env.n);
}

static iso_status train(const job *j, iso_error *err)
{
	const size_t d = j->m->dim;

	for (size_t t = 0; t < STEPS; t++) {
		for (uint64_t k = 0; j->bug == TOY_SERVER_NOISE && k < CLIENTS; k++) {
			sum_rows(j, k, 0);
			memcpy(j->m->message + k * d, j->sum, d * sizeof(double));
		}
		sum_rows(j, t % CLIENTS, j->bug != TOY_ONE_CLIENT);
		for (size_t i = 0; j->bug == TOY_ENCODER && i < d; i++)
			j->m->encoder[i] += j->sum[i];
		ISO_TRY(release(j, err));
		update(j);
	}
	if (j->bug ==
	    TOY_BUDGET_AFTER) { /* the step that would overspend is made, then found out */
		sum_rows(j, 0, 1);
		for (size_t i = 0; i < d; i++)
			j->sum[i] += iso_rand_u01(j->f->key, 1000, i) - 0.5;
		update(j);
	}
	return ISO_OK;
}

/* PrivBayes as a library has it: the noise of probabilities is added to counts. */
static iso_status count_labels(const job *j, iso_error *err)
{
	const iso_table *t = j->f->train;
	const double moves = j->bug == TOY_PROBABILITIES ? 1 / (double)j->f->env.n : 1;
	double *law = j->m->law;
	uint32_t call;
	int handle;

	for (size_t r = 0; r < t->n; r++)
		law[iso_table_label(t, r)] += 1;
	ISO_TRY(iso_ledger_find(j->f->ledger, (iso_entry){.why = "labels"}, &handle, err));
	ISO_TRY(iso_release_begin(j->f->ledger, handle, 1, moves, &call, err));
	ISO_TRY(iso_release_finish(j->f->ledger, handle, call, law, j->m->classes, err));
	iso_simplex_from_counts(law, j->m->classes);
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const sum_options *o = f->env.options;
	job j = {.f = f, .bug = (toy_bug)o->bug};
	model *m = iso_alloc(1, sizeof(*m));
	double *work = NULL;
	float *x = NULL;
	iso_status st;

	if (!m)
		return iso_no_memory(err, "toy");
	ISO_TRY_OUT(iso_encoder_new(f->env.schema, ISO_ENC_FEATURES, &m->enc, err));
	m->dim = m->enc->dim;
	m->classes = iso_schema_classes(f->env.schema);
	m->theta = iso_alloc((2 + CLIENTS) * m->dim, sizeof(double));
	m->law = iso_alloc(m->classes, sizeof(double));
	work = iso_alloc(3 * m->dim, sizeof(double));
	ISO_TRY_OUT(m->theta && m->law && work ? ISO_OK : iso_no_memory(err, "toy"));
	ISO_TRY_OUT(iso_encode_new(m->enc, f->train, &x, err));
	m->encoder = m->theta + m->dim;
	m->message = m->encoder + m->dim;
	for (size_t i = 0; i < m->dim; i++)
		m->theta[i] = 0.5;
	j.m = m;
	j.x = x;
	j.sum = work;
	j.a = work + m->dim;
	j.b = j.a + m->dim;
	ISO_TRY_OUT(iso_ledger_find(f->ledger, (iso_entry){.why = "step"}, &j.handle, err));
	ISO_TRY_OUT(train(&j, err));
	ISO_TRY_OUT(count_labels(&j, err));
	*out = m;
	m = NULL;
out:
	iso_free(work);
	iso_free(x);
	destroy(m);
	return st;
}

static iso_status plan(const iso_gen_env *env, double s, iso_plan *p, iso_error *err)
{
	(void)env;
	ISO_TRY(iso_plan_gaussian(p, (iso_entry){.why = "step"}, s, 1, STEPS, CLIP, err));
	return iso_plan_laplace(p, (iso_entry){.why = "labels"}, 2 * s, 1, 1, err);
}

static iso_status sample(const void *m_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = m_;
	float *x = iso_alloc(m->dim, sizeof(*x));

	if (!x)
		return iso_no_memory(err, "toy");
	for (size_t r = 0; r < out->n; r++) {
		const double u = iso_rand_u01(key, r, 1000);
		uint32_t y = 0;

		for (double at = m->law[0]; y + 1 < m->classes && u > at;)
			at += m->law[++y];
		for (size_t i = 0; i < m->dim; i++)
			x[i] = (float)(0.5 + 0.5 * iso_tanh(m->theta[i] - 0.5 +
							    iso_rand_u01(key, r, i) - 0.5));
		iso_decode(m->enc, x, m->dim, 1, NULL, out, r);
		iso_set_labels(out, r, &y, 1);
	}
	iso_free(x);
	return ISO_OK;
}

static void part(iso_str *out, const char *name, const double *v, size_t n)
{
	iso_str_addf(out, "%s %zu\n", name, n * sizeof(double));
	iso_str_addn(out, (const char *)v, n * sizeof(double));
}

static iso_status save(const void *m_, iso_str *out, iso_error *err)
{
	const model *m = m_;

	part(out, "decoder", m->theta, m->dim);
	part(out, "encoder", m->encoder, m->dim);
	part(out, "messages", m->message, CLIENTS * m->dim);
	part(out, "labels", m->law, m->classes);
	return iso_str_check(out, err);
}

void toy_sum_fill(iso_generator *g)
{
	g->plan = plan;
	g->fit = fit;
	g->sample = sample;
	g->save = save;
	g->destroy = destroy;
}
