// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/expected_loss.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

#define ROWS 1000    /* of each law */
#define DIMENSIONS 8 /* that rows are projected to */
#define NEIGHBOUR 4  /* k */
#define MOST 16
#define GRAIN 0.01f /* of the jitter that parts equal rows */

static double distance2(const float *a, const float *b, size_t d)
{
	double sum = 0;
	for (size_t j = 0; j < d; j++)
		sum += ((double)a[j] - b[j]) * ((double)a[j] - b[j]);
	return sum;
}

/* Squared distance of x to its k-th neighbour in y, y[skip] left out. */
static double neighbour2(const float *x, const float *y, size_t n, size_t d, size_t k, size_t skip)
{
	double near[MOST];
	size_t have = 0;
	for (size_t i = 0; i < n; i++) {
		const double v = i == skip ? INFINITY : distance2(x, y + i * d, d);
		size_t at = have < k ? have++ : k;
		if (at == k && !(v < near[k - 1]))
			continue;
		for (at = at == k ? k - 1 : at; at > 0 && near[at - 1] > v; at--)
			near[at] = near[at - 1];
		near[at] = v;
	}
	return near[k - 1] > FLT_MIN ? near[k - 1] : FLT_MIN;
}

double iso_knn_divergence(const float *p, size_t n, const float *q, size_t m, size_t d, size_t k)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		const float *const x = p + i * d;
		const double nu = neighbour2(x, q, m, d, k, m), rho = neighbour2(x, p, n, d, k, i);
		sum += 0.5 * (iso_log(nu) - iso_log(rho));
	}
	return (double)d / (double)n * sum + iso_log((double)m / (double)(n - 1));
}

double iso_knn_divergence_from(const float *p, const float *again, const float *q, size_t n,
			       size_t d, size_t k)
{
	return iso_knn_divergence(p, n, q, n, d, k) - iso_knn_divergence(p, n, again, n, d, k);
}

double iso_expected_loss_mu(const double *loss, size_t pairs, double gamma, double *mean,
			    double *variance)
{
	*mean = *variance = 0;
	for (size_t i = 0; i < pairs; i++)
		*mean += loss[i] / (double)pairs;
	for (size_t i = 0; pairs > 1 && i < pairs; i++)
		*variance += (loss[i] - *mean) * (loss[i] - *mean) / (double)(pairs - 1);
	return *mean + sqrt(*variance / gamma);
}

/* ROWS rows of a model, encoded, projected at random, with a jitter: the k-th neighbours of
 * categories would lie at distance zero. */
static iso_status projected(const iso_latent_model *m, iso_key key, uint64_t sample, float *out,
			    iso_error *err)
{
	const size_t dim = m->enc->dim, d = dim < DIMENSIONS ? dim : DIMENSIONS;
	const iso_key jitter = iso_key_child(key, "jitter", sample);
	iso_table *t = NULL;
	float *x = NULL, *w = iso_alloc(d * dim, sizeof *w), e[DIMENSIONS];
	iso_status st;
	if (!w)
		return iso_no_memory(err, "projections");
	iso_rand_fill_normal(iso_key_child(key, "projection", 0), 0, 0, 1, w, d * dim);
	ISO_TRY_OUT(iso_table_new(m->schema, ROWS, &t, err));
	ISO_TRY_OUT(iso_latent_sample(m, iso_key_child(key, "rows", sample), t, err));
	ISO_TRY_OUT(iso_encode_new(m->enc, t, &x, err));
	for (size_t r = 0; r < ROWS; r++) {
		iso_rand_fill_normal(jitter, r, 0, GRAIN, e, d);
		for (size_t j = 0; j < d; j++) {
			double sum = 0;
			for (size_t k = 0; k < dim; k++)
				sum += (double)w[j * dim + k] * (double)x[r * dim + k];
			out[r * d + j] = (float)sum + e[j];
		}
	}
out:
	iso_free(w);
	iso_free(x);
	iso_table_free(t);
	return st;
}

typedef iso_status trainer(const iso_fit *f, void **model, iso_error *err);

/* PRIVATE: the loss of one record; p, again: rows of the model that was trained with it. */
static iso_status loss_of(const iso_fit *f, trainer *train, size_t record, iso_key key,
			  const float *p, const float *again, float *q, double *loss,
			  iso_error *err)
{
	const size_t n = f->train->n;
	iso_fit less = *f;
	iso_table *rest = NULL;
	void *other = NULL;
	uint32_t *row = iso_alloc(n, sizeof *row);
	iso_status st;
	if (!row)
		return iso_no_memory(err, "rows without a record");
	for (size_t r = 0, at = 0; r < n; r++)
		if (r != record)
			row[at++] = (uint32_t)r;
	ISO_TRY_OUT(iso_table_select(f->train, row, n - 1, &rest, err));
	less.train = rest;
	less.curve = NULL;
	less.progress = NULL;
	ISO_TRY_OUT(train(&less, &other, err));
	const iso_latent_model *const m = other;
	ISO_TRY_OUT(projected(m, key, 1, q, err));
	*loss = iso_knn_divergence_from(
		p, again, q, ROWS, m->enc->dim < DIMENSIONS ? m->enc->dim : DIMENSIONS, NEIGHBOUR);
out:
	iso_latent_destroy(other);
	iso_table_free(rest);
	iso_free(row);
	return st;
}

static iso_status note_all(iso_latent_model *m, const iso_expected_loss *e, const double *loss,
			   iso_error *err)
{
	double mean, variance;
	const double mu = iso_expected_loss_mu(loss, e->pairs, e->gamma, &mean, &variance);
	ISO_TRY(iso_latent_note(m, "uncharged_mu", mu, err));
	ISO_TRY(iso_latent_note(m, "uncharged_loss_mean", mean, err));
	ISO_TRY(iso_latent_note(m, "uncharged_loss_variance", variance, err));
	ISO_TRY(iso_latent_note(m, "gamma", e->gamma, err));
	return iso_latent_note(m, "pairs", (double)e->pairs, err);
}

iso_status iso_expected_loss_note(const iso_expected_loss *e, const iso_fit *f, trainer *train,
				  iso_latent_model *model, iso_error *err)
{
	const iso_key key = iso_key_child(f->key, "expected-loss", 0),
		      pick = iso_key_child(key, "record", 0);
	float *p = iso_alloc(ROWS * DIMENSIONS, sizeof *p),
	      *again = iso_alloc(ROWS * DIMENSIONS, sizeof *again),
	      *q = iso_alloc(ROWS * DIMENSIONS, sizeof *q);
	double *loss = iso_alloc(e->pairs, sizeof *loss);
	iso_status st = ISO_OK;
	if (!p || !again || !q || !loss) {
		st = iso_no_memory(err, "an estimate of the expected loss");
		goto out;
	}
	ISO_TRY_OUT(projected(model, key, 0, p, err));
	ISO_TRY_OUT(projected(model, key, 1, again, err));
	for (size_t i = 0; i < e->pairs; i++) {
		const size_t record =
			(size_t)(iso_rand_u01(pick, i, 0) * (double)f->train->n) % f->train->n;
		ISO_TRY_OUT(loss_of(f, train, record, key, p, again, q, &loss[i], err));
	}
	st = note_all(model, e, loss, err);
out:
	iso_free(p);
	iso_free(again);
	iso_free(q);
	iso_free(loss);
	return st;
}
