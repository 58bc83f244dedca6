// SPDX-License-Identifier: Apache-2.0
/* Alpha-precision and beta-recall (Alaa et al. 2022; attacks.md section 9) in the attack encoding.
 *
 *     P(alpha) = share of synthetic rows within the alpha-quantile of the real rows' distances to
 *                their mean
 *     R(beta)  = share of real rows whose nearest synthetic row is no farther than their nearest
 *                other real row and lies within the beta-quantile of the synthetic rows' distances
 *                to their mean
 *
 * over 30 levels from 0 to 1; each summary is 1 - 2 times the area between curve and diagonal.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "core/learn/pairs.h"
#include "core/math/stats.h"
#include "metrics/kit/sample.h"

#define LEVELS 30

typedef struct opts {
	int64_t max_rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "2000", 10, 1000000,
		    "at most so many rows of each table, drawn at random"),
	{0}};
static const iso_output outputs[] = {{"alpha_precision", "alpha-precision, integrated", "",
				      ISO_HIGHER, -0.04, 1, 1, NULL, "fidelity", 1},
				     {"beta_recall", "beta-recall, integrated", "", ISO_HIGHER,
				      -0.04, 1, NAN, NULL, "fidelity", 1},
				     {0}};

/* Distance of each row of x [n][d] to the mean of its own rows, or to `centre`. */
static void from_centre(const float *x, size_t n, size_t d, const double *centre, double *dist)
{
	for (size_t i = 0; i < n; i++) {
		double s = 0;

		for (size_t j = 0; j < d; j++) {
			const double r = (double)x[i * d + j] - centre[j];
			s += r * r;
		}
		dist[i] = sqrt(s);
	}
}

static void mean_row(const float *x, size_t n, size_t d, double *centre)
{
	for (size_t j = 0; j < d; j++)
		centre[j] = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < d; j++)
			centre[j] += (double)x[i * d + j] / (double)n;
}

/* 1 - 2 sum |level - curve| / (LEVELS - 1); the curve is the share of `all` rows with dist (at or
 * below) the level's quantile of `ruler`. */
static double summary(const double *ruler, size_t nruler, const double *dist, size_t n, double all)
{
	double gap = 0;

	for (int k = 0; k < LEVELS; k++) {
		const double level = (double)k / (LEVELS - 1),
			     radius = iso_quantile(ruler, nruler, level);
		double inside = 0;

		if (isnan(radius))
			return NAN;
		for (size_t i = 0; i < n; i++)
			inside += dist[i] <= radius * (1 + 1e-12);
		gap += fabs(level - inside / all);
	}
	return 1 - 2 * gap / (LEVELS - 1);
}

/* Distances from the synthetic centre of the nearest synthetic rows of those real rows that they
 * cover, into dist; how many. */
static iso_status covered(const iso_table *real, const iso_table *syn, const double *from,
			  double *dist, size_t *n, iso_error *err)
{
	iso_rowset a = {0}, b = {0};
	double *own = iso_alloc(real->n, sizeof(*own)), *near = iso_alloc(real->n, sizeof(*near));
	size_t *place = iso_alloc(real->n, sizeof(*place));
	iso_status st = own && near && place ? iso_rowset_new(real, &a, err)
					     : iso_no_memory(err, "nearest rows");

	*n = 0;
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_rowset_new(syn, &b, err));
	ISO_TRY_OUT(iso_pair_nearest(&a, &a, 1, 1, own, NULL, err));
	ISO_TRY_OUT(iso_pair_nearest(&a, &b, 1, 0, near, place, err));
	for (size_t i = 0; i < real->n; i++)
		if (near[i] <= own[i])
			dist[(*n)++] = from[place[i]];
out:
	iso_rowset_free(&a);
	iso_rowset_free(&b);
	iso_free(own);
	iso_free(near);
	iso_free(place);
	return st;
}

static iso_status compare(const iso_table *real, const iso_table *syn, double value[2],
			  iso_error *err)
{
	const size_t n = real->n, m = syn->n;
	iso_encoder *e = NULL;
	float *x = NULL, *y = NULL;
	double *dx = iso_alloc(n, sizeof(*dx)), *dy = iso_alloc(m, sizeof(*dy)),
	       *hit = iso_alloc(n, sizeof(*hit)), *centre = NULL;
	size_t hits = 0;
	iso_status st = dx && dy && hit ? ISO_OK : iso_no_memory(err, "distances");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_encoder_new(real->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL | ISO_ENC_ATTACK,
				    &e, err));
	ISO_TRY_OUT(iso_encode_new(e, real, &x, err));
	ISO_TRY_OUT(iso_encode_new(e, syn, &y, err));
	centre = iso_alloc(e->dim, sizeof(*centre));
	if (!centre) {
		st = iso_no_memory(err, "distances");
		goto out;
	}
	mean_row(x, n, e->dim, centre);
	from_centre(x, n, e->dim, centre, dx);
	from_centre(y, m, e->dim, centre, dy);
	value[0] = summary(dx, n, dy, m, (double)m);
	mean_row(y, m, e->dim, centre);
	from_centre(y, m, e->dim, centre, dy);
	ISO_TRY_OUT(covered(real, syn, dy, hit, &hits, err));
	value[1] = summary(dy, m, hit, hits, (double)n);
	if (isnan(value[0]) || isnan(value[1]))
		st = iso_no_memory(err, "quantiles");
out:
	iso_encoder_free(e);
	iso_free(x);
	iso_free(y);
	iso_free(dx);
	iso_free(dy);
	iso_free(hit);
	iso_free(centre);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const size_t most = (size_t)((const opts *)opt)->max_rows;
	double value[2] = {NAN, NAN};
	iso_table *real = NULL, *syn = NULL;
	iso_status st;

	ISO_TRY_OUT(
		iso_sample_table(v->train, most, iso_key_new(0, "metrics/support"), &real, err));
	ISO_TRY_OUT(
		iso_sample_table(v->synthetic, most, iso_key_child(v->key, "rows", 0), &syn, err));
	if (real->n > 1 && syn->n > 1)
		ISO_TRY_OUT(compare(real, syn, value, err));
	for (size_t i = 0; i < 2; i++)
		ISO_TRY_OUT(iso_put(out, outputs[i].key, value[i],
				    "fewer than two real or synthetic rows", err));
out:
	iso_table_free(real);
	iso_table_free(syn);
	return st;
}

const iso_metric iso_metric_support = {
	.abi = ISO_METRIC_ABI,
	.name = "support",
	.title = "Alpha-precision and beta-recall",
	.citation = "A. Alaa, B. van Breugel, E. Saveliev, M. van der Schaar: How Faithful is your "
		    "Synthetic Data? Sample-level Metrics for Evaluating and Auditing Generative "
		    "Models. ICML 2022. arXiv:2102.08921",
	.card = "Precision and recall as curves over how typical a row is: alpha-precision asks "
		"how "
		"many synthetic rows lie in the alpha-core of the real ones, beta-recall how many "
		"real rows have a synthetic one as near as their nearest real one inside the "
		"beta-core of the synthetic rows. The cores are balls around the mean in the "
		"attack "
		"encoding. A summary is 1 when its curve is the diagonal.",
	.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
