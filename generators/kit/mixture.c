// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/mixture.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/labels.h"

#define VAR_FLOOR 1e-4	/* of numbers in [-1, 1]; the card's floor for diagonal covariances */
#define PROB_FLOOR 1e-4 /* of a category or an indicator */
#define START_VAR 0.25

static int is_number(const iso_block *b)
{
	return b->kind == ISO_BLOCK_NUMERIC || b->kind == ISO_BLOCK_PIXEL;
}

/* ------------------------------------------------------------------ parameters */

/* Terms of the log density that do not depend on the row; x enters through one-hot probabilities,
 * the log odds of indicators and the squared distances of numbers. */
void iso_mixture_restore(iso_mixture *m)
{
	const size_t dim = m->enc->dim;
	for (size_t k = 0; k < m->k; k++) {
		const double *mean = m->mean + k * dim, *var = m->var + k * dim;
		double *log_mean = m->log_mean + k * dim;
		m->base[k] = iso_log(m->weight[k]);
		for (size_t b = 0; b < m->enc->nblock; b++) {
			const iso_block *blk = &m->enc->block[b];
			for (size_t j = blk->first; j < blk->first + blk->width; j++) {
				if (is_number(blk)) {
					m->base[k] -= 0.5 * iso_log(2 * M_PI * var[j]);
				} else if (blk->kind == ISO_BLOCK_INDICATOR) {
					log_mean[j] = iso_log(mean[j]) - iso_log(1 - mean[j]);
					m->base[k] += iso_log(1 - mean[j]);
				} else {
					log_mean[j] = iso_log(mean[j]);
				}
			}
		}
	}
}

static void scatter(iso_mixture *m, iso_key key)
{
	const size_t dim = m->enc->dim;
	for (size_t k = 0; k < m->k; k++) {
		m->weight[k] = 1 / (double)m->k;
		for (size_t b = 0; b < m->enc->nblock; b++) {
			const iso_block *blk = &m->enc->block[b];
			double sum = 0;
			for (size_t j = blk->first; j < blk->first + blk->width; j++) {
				const double u = iso_rand_u01(key, k, j);
				double *mean = m->mean + k * dim + j;
				m->var[k * dim + j] = START_VAR;
				*mean = is_number(blk)			   ? 1.5 * u - 0.75
					: blk->kind == ISO_BLOCK_INDICATOR ? 0.25 + 0.5 * u
									   : 0.5 + u;
				sum += *mean;
			}
			for (size_t j = blk->first;
			     blk->kind == ISO_BLOCK_ONEHOT && j < blk->first + blk->width; j++)
				m->mean[k * dim + j] /= sum;
		}
	}
}

iso_status iso_mixture_new(const iso_encoder *enc, size_t k, iso_key key, iso_mixture *m,
			   iso_error *err)
{
	*m = (iso_mixture){.enc = enc, .k = k, .rows = 1};
	m->weight = iso_alloc(k, sizeof *m->weight);
	m->mean = iso_alloc(k, enc->dim * sizeof *m->mean);
	m->var = iso_alloc(k, enc->dim * sizeof *m->var);
	m->log_mean = iso_alloc(k, enc->dim * sizeof *m->log_mean);
	m->base = iso_alloc(k, sizeof *m->base);
	if (!m->weight || !m->mean || !m->var || !m->log_mean || !m->base) {
		iso_mixture_free(m);
		return iso_no_memory(err, "a mixture");
	}
	scatter(m, key);
	iso_mixture_restore(m);
	return ISO_OK;
}

void iso_mixture_free(iso_mixture *m)
{
	iso_free(m->weight);
	iso_free(m->mean);
	iso_free(m->var);
	iso_free(m->log_mean);
	iso_free(m->base);
	*m = (iso_mixture){0};
}

size_t iso_mixture_stats(const iso_mixture *m)
{
	return m->k * (1 + 2 * m->enc->dim);
}

double iso_mixture_bound(const iso_mixture *m)
{
	double sum = 1;
	for (size_t b = 0; b < m->enc->nblock; b++) {
		const iso_block *blk = &m->enc->block[b];
		sum += is_number(blk) ? 2 * (double)blk->width : 1;
	}
	return sqrt(sum);
}

/* ------------------------------------------------------------------ EM */

static double log_joint(const iso_mixture *m, size_t k, const float *x)
{
	const size_t dim = m->enc->dim;
	const double *mean = m->mean + k * dim, *var = m->var + k * dim;
	const double *log_mean = m->log_mean + k * dim;
	double sum = m->base[k];
	for (size_t b = 0; b < m->enc->nblock; b++) {
		const iso_block *blk = &m->enc->block[b];
		const size_t end = blk->first + blk->width;
		if (is_number(blk))
			for (size_t j = blk->first; j < end; j++) {
				const double d = 2.0 * x[j] - 1 - mean[j];
				sum -= d * d / (2 * var[j]);
			}
		else
			for (size_t j = blk->first; j < end; j++)
				sum += x[j] * log_mean[j];
	}
	return sum;
}

double iso_mixture_expect(const iso_mixture *m, const float *x, double *work, double *stat)
{
	const size_t dim = m->enc->dim;
	double top = -INFINITY, sum = 0;
	for (size_t k = 0; k < m->k; k++) {
		work[k] = log_joint(m, k, x);
		top = work[k] > top ? work[k] : top;
	}
	for (size_t k = 0; k < m->k; k++)
		sum += work[k] = iso_exp(work[k] - top);
	if (!stat)
		return top + iso_log(sum);
	double *s = stat + m->k, *q = s + m->k * dim;
	for (size_t k = 0; k < m->k; k++) {
		const double r = stat[k] = work[k] / sum;
		for (size_t b = 0; b < m->enc->nblock; b++) {
			const iso_block *blk = &m->enc->block[b];
			const int number = is_number(blk);
			for (size_t j = blk->first; j < blk->first + blk->width; j++) {
				const double u = number ? 2.0 * x[j] - 1 : x[j];
				s[k * dim + j] = r * u;
				q[k * dim + j] = number ? r * u * u : 0;
			}
		}
	}
	return top + iso_log(sum);
}

static double clamp(double x, double lo, double hi)
{
	return x > lo ? (x < hi ? x : hi) : lo; /* NaN becomes lo */
}

/* Category probabilities from noisy counts: none below the floor. */
static void categories(const double *s, size_t n, double *p)
{
	double sum = 0;
	for (size_t j = 0; j < n; j++)
		sum += p[j] = s[j] > 0 ? s[j] : 0;
	for (size_t j = 0; j < n; j++)
		p[j] = (sum > 0 ? p[j] / sum : 1 / (double)n) * (1 - (double)n * PROB_FLOOR) +
		       PROB_FLOOR;
	if ((double)n * PROB_FLOOR < 0.5)
		return;
	for (size_t j = 0; j < n; j++) /* thousands of categories: the floor would eat the rest */
		p[j] = 1 / (double)n;
}

void iso_mixture_maximise(iso_mixture *m, const double *stat, double sd)
{
	const size_t dim = m->enc->dim;
	const double *s = stat + m->k, *q = s + m->k * dim, least = sd > 1 ? sd : 1;
	double total = 0, kept = 0;
	for (size_t k = 0; k < m->k; k++) {
		total += stat[k];
		kept += stat[k] > least ? stat[k] : least;
	}
	m->rows = total > 1 ? total : 1;
	for (size_t k = 0; k < m->k; k++) {
		const double c = stat[k] > least ? stat[k] : least;
		double *mean = m->mean + k * dim, *var = m->var + k * dim;
		m->weight[k] = c / kept;
		for (size_t b = 0; b < m->enc->nblock; b++) {
			const iso_block *blk = &m->enc->block[b];
			const double *sb = s + k * dim + blk->first, *qb = q + k * dim + blk->first;
			if (blk->kind == ISO_BLOCK_ONEHOT) {
				categories(sb, blk->width, mean + blk->first);
				continue;
			}
			for (size_t j = 0; j < blk->width; j++) {
				double *mu = mean + blk->first + j;
				*mu = is_number(blk) ? clamp(sb[j] / c, -1, 1)
						     : clamp(sb[j] / c, PROB_FLOOR, 1 - PROB_FLOOR);
				var[blk->first + j] = clamp(qb[j] / c - *mu * *mu, VAR_FLOOR, 1);
			}
		}
	}
	iso_mixture_restore(m);
}

/* ------------------------------------------------------------------ draws */

void iso_mixture_draw(const iso_mixture *m, iso_key key, uint64_t row, float *x)
{
	const size_t dim = m->enc->dim;
	iso_stream s = iso_stream_new(iso_key_child(key, "row", row));
	const size_t k = iso_law_pick(m->weight, m->k, iso_next_u01(&s));
	for (size_t b = 0; b < m->enc->nblock; b++) {
		const iso_block *blk = &m->enc->block[b];
		const double *mean = m->mean + k * dim + blk->first;
		const double *var = m->var + k * dim + blk->first;
		float *out = x + blk->first;
		memset(out, 0, blk->width * sizeof *out);
		if (blk->kind == ISO_BLOCK_ONEHOT)
			out[iso_law_pick(mean, blk->width, iso_next_u01(&s))] = 1;
		else if (blk->kind == ISO_BLOCK_INDICATOR)
			out[0] = iso_next_u01(&s) < mean[0];
		for (size_t j = 0; is_number(blk) && j < blk->width; j++)
			out[j] = (float)clamp(
				(mean[j] + sqrt(var[j]) * iso_next_normal(&s) + 1) / 2, 0, 1);
	}
}
