// SPDX-License-Identifier: Apache-2.0
/* Statistics of one recording: the law of the noise and of the batches (attacks.md section 11, rows
 * A, D, K). */
#include <math.h>
#include <stdio.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "suites/flow/verify.h"

typedef enum law { LAW_GAUSS, LAW_LAPLACE, LAW_GUMBEL, LAW_OTHER } law;

static law law_of(const iso_replay_call *c)
{
	switch (c->event.mechanism) {
	case ISO_MECH_GAUSSIAN:
	case ISO_MECH_ZCDP:
	case ISO_MECH_PATE_GNMAX:
		return LAW_GAUSS;
	case ISO_MECH_LAPLACE:
	case ISO_MECH_PURE:
	case ISO_MECH_PATE_LNMAX:
		return LAW_LAPLACE;
	case ISO_MECH_EXPONENTIAL:
		return LAW_GUMBEL;
	default:
		return LAW_OTHER;
	}
}

/* The scale that pays for the call, in data units: of the planned event, or of the one that an
 * adaptive entry was charged with. */
static double declared_scale(const iso_plan_item *it, const iso_replay_call *c)
{
	const iso_event *e = it->adaptive ? &c->event : &it->event;

	switch (e->mechanism) {
	case ISO_MECH_PATE_GNMAX:
	case ISO_MECH_PATE_LNMAX:
		return e->noise;
	case ISO_MECH_EXPONENTIAL:
		return 2 * c->unit * c->sensitivity / e->epsilon;
	case ISO_MECH_PURE:
		return (c->choice ? 2 : 1) * c->unit * c->sensitivity / e->epsilon;
	case ISO_MECH_ZCDP:
		return c->unit * c->sensitivity / sqrt(2 * e->rho);
	default:
		return e->noise * c->sensitivity;
	}
}

static double noise_at(const iso_replay_call *c, size_t i)
{
	if (c->is_float)
		return (double)((const float *)c->release)[i] -
		       (double)((const float *)c->aggregate)[i];
	return ((const double *)c->release)[i] - ((const double *)c->aggregate)[i];
}

/* Two tails of a chi-square statistic: the smaller one. */
static double chi2_tail(double x, double dof)
{
	const double upper = iso_chi2_sf(x, dof), lower = 1 - upper;

	/* NaN (a release that is not a number) must alarm */
	if (!(upper >= 0))
		return 0;
	return upper < lower ? upper : lower;
}

static void note(iso_check_result *out, double p, const char *text)
{
	out->runs++;
	if (!(p >= out->value)) /* also the first, where value is NaN */
		out->value = p;
	if (p > ISO_VERIFY_ALPHA)
		return;
	if (out->failed++ == 0)
		snprintf(out->what, sizeof(out->what), "%s", text);
}

/* Sum of squares of standard normals ~ chi2(n); 2 sum |x| of standard Laplaces ~ chi2(2n); for
 * Gumbels e^{-x} is a standard exponential and 2 sum e^{-x} ~ chi2(2n).  One pooled test per entry:
 * resolves 1.6 % of scale with 50,000 numbers. */
static void test_scale(const iso_replay *r, const iso_plan *items, int handle,
		       iso_check_result *out)
{
	const iso_plan_item *it = &items->v[handle];
	law kind = LAW_OTHER;
	double sum = 0, n = 0;
	char text[256];

	for (size_t k = 0; k < iso_replay_calls(r); k++) {
		const iso_replay_call c = iso_replay_at(r, k);
		const double scale = declared_scale(it, &c);

		if (c.handle != handle || !c.release || law_of(&c) == LAW_OTHER || !(scale > 0))
			continue;
		if (kind != LAW_OTHER && kind != law_of(&c))
			continue; /* an adaptive entry of several families: the first is tested */
		kind = law_of(&c);
		for (size_t i = 0; i < c.n; i++) {
			const double z = noise_at(&c, i) / scale;

			sum += kind == LAW_GAUSS     ? z * z
			       : kind == LAW_LAPLACE ? 2 * fabs(z)
						     : 2 * iso_exp(-z);
			n += kind == LAW_GAUSS ? 1 : 2;
		}
	}
	if (n < 1)
		return;
	snprintf(text, sizeof(text),
		 "%s (part %d): noise is %.4g times the declared scale (chi-square over %.0f "
		 "numbers)",
		 it->why, it->part, kind == LAW_GAUSS ? sqrt(sum / n) : sum / n,
		 kind == LAW_GAUSS ? n : n / 2);
	note(out, chi2_tail(sum, n), text);
}

/* The noise of consecutive calls must be independent: the normalised sum of products is standard
 * normal. */
static void test_reuse(const iso_replay *r, const iso_plan *items, iso_check_result *out)
{
	double sum = 0, n = 0;

	for (size_t k = 1; k < iso_replay_calls(r); k++) {
		const iso_replay_call a = iso_replay_at(r, k - 1), b = iso_replay_at(r, k);
		const iso_plan_item *ia = &items->v[a.handle], *ib = &items->v[b.handle];

		const double sa = declared_scale(ia, &a), sb = declared_scale(ib, &b);

		if (law_of(&a) >= LAW_GUMBEL || law_of(&b) >= LAW_GUMBEL || !a.release ||
		    !b.release || !(sa > 0) || !(sb > 0))
			continue;
		for (size_t i = 0; i < a.n && i < b.n; i++) {
			/* a standard Laplace has variance 2 */
			const double va = law_of(&a) == LAW_LAPLACE ? sqrt(2) : 1,
				     vb = law_of(&b) == LAW_LAPLACE ? sqrt(2) : 1;

			sum += noise_at(&a, i) / (sa * va) * (noise_at(&b, i) / (sb * vb));
			n += 1;
		}
	}
	if (n < 2000) /* the sum is not normal yet */
		return;
	note(out, iso_norm_cdf(-fabs(sum) / sqrt(n)),
	     "the noise of consecutive calls is correlated: numbers are used twice");
}

void iso_verify_noise(const iso_replay *r, const iso_plan *items, iso_check_result *out)
{
	for (size_t h = 0; h < items->n; h++)
		test_scale(r, items, (int)h, out);
	test_reuse(r, items, out);
}

/* ------------------------------------------------------------------ batches */

typedef struct draws {
	double n, batch;	 /* totals over the draws of one entry */
	double spread, variance; /* sum of (batch - nq)^2 / (nq(1-q)); number of draws */
	size_t doubled, outside;
} draws;

/* q: planned; of an adaptive entry each draw has its own. */
static draws sum_draws(const iso_replay *r, int handle, const iso_plan_item *it, size_t rows)
{
	draws d = {0};

	for (size_t k = 0; k < iso_replay_draws(r); k++) {
		const iso_replay_draw x = iso_replay_draw_at(r, k);
		const double q = it->adaptive ? x.rate : it->event.rate;
		const double mean = (double)x.n * q, dev = (double)x.batch - mean;

		if (x.handle != handle)
			continue;
		d.n += (double)x.n;
		d.batch += (double)x.batch;
		if (mean * (1 - q) >= 1) {
			d.spread += dev * dev / (mean * (1 - q));
			d.variance += 1;
		}
		d.doubled += x.distinct < x.n;
		d.outside += x.n > rows;
	}
	return d;
}

/* Binomial tails, both exact. */
static double binomial_tail(double k, double n, double q)
{
	const double upper = iso_binom_sf((uint64_t)k, (uint64_t)n, q);
	const double lower = iso_binom_sf((uint64_t)(n - k), (uint64_t)n, 1 - q);

	return upper < lower ? upper : lower;
}

void iso_verify_sampling(const iso_replay *r, const iso_plan *items, size_t rows,
			 iso_check_result *out)
{
	for (size_t h = 0; h < items->n; h++) {
		const iso_plan_item *it = &items->v[h];
		const double q = it->event.rate;
		char text[256];
		draws d;

		if ((it->event.sampling != ISO_SAMPLING_POISSON && !it->adaptive) || it->used == 0)
			continue;
		d = sum_draws(r, (int)h, it, rows);
		snprintf(text, sizeof(text),
			 "%s (part %d): records are offered twice or are not in the table", it->why,
			 it->part);
		note(out, d.doubled || d.outside ? 0 : 1, text);
		if (d.n < 1)
			continue;
		snprintf(text, sizeof(text),
			 "%s (part %d): realised rate %.4g, declared %.4g (binomial over %.0f "
			 "offers)",
			 it->why, it->part, d.batch / d.n, q, d.n);
		if (!it->adaptive)
			note(out, binomial_tail(d.batch, d.n, q), text);
		/* Batches of one size are no Poisson sample: their spread is far below nq(1-q).
		 * Lower tail only, where the chi-square law is safe at small counts. */
		if (d.variance < 8)
			continue;
		snprintf(text, sizeof(text),
			 "%s (part %d): batch sizes spread %.3g of what Poisson sampling gives",
			 it->why, it->part, d.spread / d.variance);
		note(out, 1 - iso_chi2_sf(d.spread, d.variance), text);
	}
}
