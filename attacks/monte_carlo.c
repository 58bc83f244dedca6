// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB (the released table), or FBB (source=oracle).
 * Source: B. Hilprecht, M. Haerterich, D. Bernau, PoPETs 2019, section 4.1 (attacks.md
 * section 2.3).
 *
 *     plain      f(x) = 1/n #{ i : d(g_i, x) <= eps }
 *     weighted   f(x) = -1/n sum over those i of log d(g_i, x)
 *
 * eps by the median heuristic: the median over all candidates of the distance to the nearest
 * sample; or the 1 % or 0.1 % quantile of all distances between candidates and samples.
 */
#include <math.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/math/stats.h"
#include "core/math/vmath.h"

#define LEAST_DISTANCE 1e-9 /* log of an exact copy's distance */

enum { SOURCE_TABLE, SOURCE_ORACLE };
enum { MEDIAN, PERCENT, PERMILLE };
typedef struct opts {
	int weighted, source, heuristic;
	int64_t samples;
} opts;
static const iso_option options[] = {
	ISO_OPT_BOOL(opts, weighted, "false", "weigh each sample by minus the log of its distance"),
	ISO_OPT_ENUM(opts, source, "table", "table|oracle",
		     "table: the released rows (no-box); oracle: fresh rows of the generator"),
	ISO_OPT_ENUM(opts, heuristic, "median", "median|percent|permille",
		     "how near is near: the median over the targets of the nearest sample, or the "
		     "1 % or 0.1 % quantile of all distances"),
	ISO_OPT_INT(opts, samples, "10000", 2, 10000000, "rows drawn from the oracle"),
	{0}};

static uint32_t knows_of(const void *opt)
{
	const opts *o = opt;

	return o->source == SOURCE_ORACLE ? ISO_KNOWS_ORACLE : ISO_KNOWS_SYNTHETIC;
}

static double score(const opts *o, const float *d2, size_t n, double eps2)
{
	double f = 0;

	for (size_t r = 0; r < n; r++) {
		if (!((double)d2[r] <= eps2))
			continue;
		f += o->weighted ? -iso_log(sqrt((double)d2[r]) + LEAST_DISTANCE) : 1;
	}
	return f / (double)n;
}

/* How many of all distances a quantile is taken of, at most. */
#define SAMPLED 1000000

/* Squared distances from which the radius is taken: to the nearest sample of each candidate, or
 * those of every target to every k-th sample. */
static size_t collect(const opts *o, const float *d2, size_t n, size_t step, double *to)
{
	float best;
	size_t place, m = 0;

	if (o->heuristic != MEDIAN) {
		for (size_t r = 0; r < n; r += step)
			to[m++] = (double)d2[r];
		return m;
	}
	iso_smallest(d2, n, 1, SIZE_MAX, &best, &place);
	*to = (double)best;
	return 1;
}

static iso_status count_near(const iso_attack_view *v, const opts *o, const iso_rowset *s,
			     iso_guess *out, iso_error *err)
{
	static const double share[] = {0.5, 0.01, 0.001};
	const size_t n = v->targets->n, step = n * s->n / SAMPLED + 1;
	const size_t each = o->heuristic == MEDIAN ? 1 : s->n / step + 1;
	float *d2 = iso_alloc(s->n, sizeof(*d2));
	double *least = iso_alloc(n * each, sizeof(*least));
	size_t m = 0;
	iso_status st = d2 && least ? ISO_OK : iso_no_memory(err, "distances of samples");

	if (st == ISO_OK) {
		for (size_t i = 0; i < n; i++) {
			iso_pair_distances(v->encoded->targets, i, s, d2);
			m += collect(o, d2, s->n, step, least + m);
		}
		/* of the squares: the median of squares is the square of the median up to the mean
		 * of the two middle ones */
		const double eps2 = iso_quantile(least, m, share[o->heuristic]);
		for (size_t i = 0; i < n; i++) {
			iso_pair_distances(v->encoded->targets, i, s, d2);
			out[i].score = score(o, d2, s->n, eps2);
		}
	}
	iso_free(d2);
	iso_free(least);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_table *drawn = NULL;
	iso_rowset fresh = {0};
	iso_status st;

	(void)state;
	if (o->source == SOURCE_TABLE || !v->draw) {
		ISO_FAIL_IF(!v->synthetic || !v->synthetic->n, err, ISO_E_UNSUPPORTED,
			    "monte-carlo: there are no synthetic rows to count");
		return count_near(v, o, v->encoded->synthetic, out, err);
	}
	ISO_TRY_OUT(v->draw(v->ctx, (size_t)o->samples, &drawn, err));
	ISO_TRY_OUT(iso_rowset_new(drawn, &fresh, err));
	ISO_TRY_OUT(count_near(v, o, &fresh, out, err));
out:
	iso_rowset_free(&fresh);
	iso_table_free(drawn);
	return st;
}

const iso_attack iso_attack_monte_carlo = {
	.abi = ISO_ATTACK_ABI,
	.name = "monte-carlo",
	.title = "Monte-Carlo membership inference",
	.citation =
		"B. Hilprecht, M. Haerterich, D. Bernau: Monte Carlo and Reconstruction Membership "
		"Inference Attacks against Generative Models. PoPETs 2019. arXiv:1906.03006",
	.card = "The share of synthetic rows within a small distance of the target; the distance "
		"is "
		"the median over all targets of that to the nearest synthetic row. Ties at zero "
		"are "
		"common and count half. Deviations: distances in the public encoding, no PCA; the "
		"paper's image features are left out.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_ORACLE,
	.knows_of = knows_of,
	.version = 2,
	.knowledge = "FBB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
