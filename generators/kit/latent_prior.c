// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/latent_prior.h"

#include <math.h>

#include "core/math/vmath.h"

#define SPARSE_SHARE 0.8       /* of the narrow component */
#define SPARSE_VARIANCE 0.0025 /* 0.05^2 */
#define CLUSTER_VARIANCE 0.03
#define LOG_2PI 1.8378770664093454836

static const double centre[ISO_PRIOR_CLUSTER_COUNT][2] = {{0, -1}, {0, 1}, {1, 0}, {-1, 0}};
static const double scales[] = {0.1, 0.2, 0.5, 1, 2, 5};

/* ---- Priors ---- */

void iso_prior_draw(int prior, iso_key key, uint64_t index, float *z, size_t dims)
{
	if (prior == ISO_PRIOR_UNIFORM) {
		iso_rand_fill_uniform(key, index, -1, 1, z, dims);
		return;
	}
	iso_rand_fill_normal(key, index, 0, 1, z, dims);
	const iso_key which = iso_key_child(key, "component", 0);
	for (size_t j = 0; prior == ISO_PRIOR_SPARSE && j < dims; j++)
		if (iso_rand_u01(which, index, j) < SPARSE_SHARE)
			z[j] *= (float)sqrt(SPARSE_VARIANCE);
	if (prior == ISO_PRIOR_CLUSTERS) {
		const double u = iso_rand_u01(which, index, 0);
		const size_t k = (size_t)(u * ISO_PRIOR_CLUSTER_COUNT);
		for (size_t j = 0; j < 2 && j < dims; j++)
			z[j] = (float)(centre[k][j] + sqrt(CLUSTER_VARIANCE) * (double)z[j]);
	}
}

/* Log density of N(m, var) at z, and its derivative. */
static double normal_log(double z, double m, double var, double *score)
{
	*score = (m - z) / var;
	return -0.5 * ((z - m) * (z - m) / var + iso_log(var) + LOG_2PI);
}

/* log (w e^a + (1 - w) e^b), and the share of the first. */
static double log_mix(double w, double a, double b, double *first)
{
	const double la = iso_log(w) + a, lb = iso_log(1 - w) + b, top = la > lb ? la : lb,
		     sum = iso_exp(la - top) + iso_exp(lb - top);
	*first = iso_exp(la - top) / sum;
	return top + iso_log(sum);
}

static double clusters_log(const float *z, size_t dims, double *score)
{
	const size_t own = dims < 2 ? dims : 2;
	double part[ISO_PRIOR_CLUSTER_COUNT], slope[ISO_PRIOR_CLUSTER_COUNT][2], top = -INFINITY,
										 sum = 0;
	for (size_t k = 0; k < ISO_PRIOR_CLUSTER_COUNT; k++) {
		part[k] = 0;
		for (size_t j = 0; j < own; j++)
			part[k] += normal_log(z[j], centre[k][j], CLUSTER_VARIANCE, &slope[k][j]);
		top = part[k] > top ? part[k] : top;
	}
	for (size_t k = 0; k < ISO_PRIOR_CLUSTER_COUNT; k++)
		sum += iso_exp(part[k] - top);
	for (size_t j = 0; j < own; j++) {
		score[j] = 0;
		for (size_t k = 0; k < ISO_PRIOR_CLUSTER_COUNT; k++)
			score[j] += iso_exp(part[k] - top) / sum * slope[k][j];
	}
	return top + iso_log(sum / ISO_PRIOR_CLUSTER_COUNT);
}

double iso_prior_log(int prior, const float *z, size_t dims, double *score)
{
	const int clusters = prior == ISO_PRIOR_CLUSTERS;
	double own[2], sum = clusters ? clusters_log(z, dims, own) : 0;
	for (size_t j = 0; j < dims; j++) {
		double s = 0, narrow = 0, first = 0;
		if (clusters && j < 2) {
			s = own[j];
		} else if (prior == ISO_PRIOR_SPARSE) {
			const double a = normal_log(z[j], 0, SPARSE_VARIANCE, &narrow),
				     b = normal_log(z[j], 0, 1, &s);
			sum += log_mix(SPARSE_SHARE, a, b, &first);
			s = first * narrow + (1 - first) * s;
		} else {
			sum += normal_log(z[j], 0, 1, &s);
		}
		if (score)
			score[j] = s;
	}
	return sum;
}

size_t iso_prior_cluster(const float *z)
{
	size_t best = 0;
	double least = INFINITY;
	for (size_t k = 0; k < ISO_PRIOR_CLUSTER_COUNT; k++) {
		const double x = z[0] - centre[k][0], y = z[1] - centre[k][1], d = x * x + y * y;
		best = d < least ? k : best;
		least = d < least ? d : least;
	}
	return best;
}

/* ---- Maximum mean discrepancy ---- */

/* k of n points b to a, and its derivative in a.  k(t) = sum_i c_i / (c_i + t), t = (a - b)^2, is
 * one fraction P / Q of polynomials with positive coefficients, Q = prod (c_i + t) and P by the
 * product rule: one division instead of six. */
static double kernels(double a, const double *b, size_t n, double *slope, double *value)
{
	double sum = 0;
	for (size_t k = 0; k < n; k++) {
		const double d = a - b[k], t = d * d;
		double p = 0, dp = 0, q = 1, dq = 0;
		for (size_t i = 0; i < ISO_COUNT(scales); i++) {
			const double c = 2 * scales[i], f = c + t;
			dp = dp * f + p + c * dq;
			p = p * f + c * q;
			dq = dq * f + q;
			q *= f;
		}
		const double inv = 1 / q;
		value[k] = p * inv;
		slope[k] = 2 * d * (dp - p * inv * dq) * inv;
	}
	for (size_t k = 0; k < n; k++)
		sum += value[k];
	return sum;
}

/* Of one dimension; slope [n] = d MMD^2 / dz; work [4 n]. */
static double mmd_dim(const iso_codes *c, size_t j, double *slope, double *work)
{
	const size_t n = c->n;
	const double within = 1 / ((double)n * ((double)n - 1)),
		     across = 2 / ((double)n * (double)n);
	double *const z = work, *const p = z + n, *const s = p + n, *const value = s + n, sum = 0;
	for (size_t i = 0; i < n; i++) {
		z[i] = c->z[i * c->dims + j];
		p[i] = c->prior[i * c->dims + j];
		slope[i] = 0;
	}
	for (size_t i = 0; i < n; i++) {
		sum += 2 * within * kernels(p[i], p, i, s, value);
		sum += 2 * within * kernels(z[i], z, i, s, value);
		for (size_t k = 0; k < i; k++) {
			slope[i] += 2 * within * s[k];
			slope[k] -= 2 * within * s[k];
		}
		sum -= across * kernels(z[i], p, n, s, value);
		for (size_t k = 0; k < n; k++)
			slope[i] -= across * s[k];
	}
	return sum;
}

/* z = mu + e^(lv/2) e: dz/dmu = 1, dz/dlv = e^(lv/2) e / 2. */
static double mmd(const iso_codes *c, double weight, float *grad, double *scratch)
{
	double *const slope = scratch, sum = 0;
	for (size_t j = 0; j < c->dims; j++) {
		sum += mmd_dim(c, j, slope, scratch + c->n);
		for (size_t i = 0; i < c->n; i++) {
			const double g = weight * slope[i];
			grad[i * 2 * c->dims + j] += (float)g;
			grad[(i * 2 + 1) * c->dims + j] +=
				(float)(0.5 * g * c->noise[i * c->dims + j]);
		}
	}
	return sum;
}

/* ---- Inclusive KL ---- */

/* log_q [n] = log N(p; mu_i, e^lv_i), inv [n][dims] = e^-lv, base [n] = what p does not enter.
 * Returns log mean_i q_i; log_q becomes q_i / sum q. */
static double posterior_logs(const iso_codes *c, const float *p, const double *inv,
			     const double *base, double *log_q)
{
	double top = -INFINITY, total = 0;
	for (size_t i = 0; i < c->n; i++) {
		double sum = base[i];
		for (size_t j = 0; j < c->dims; j++) {
			const double d = p[j] - c->mean[i * 2 * c->dims + j];
			sum -= 0.5 * d * d * inv[i * c->dims + j];
		}
		log_q[i] = sum;
		top = sum > top ? sum : top;
	}
	for (size_t i = 0; i < c->n; i++)
		total += log_q[i] = iso_exp(log_q[i] - top);
	for (size_t i = 0; i < c->n; i++)
		log_q[i] /= total;
	return top + iso_log(total / (double)c->n);
}

static double inclusive_kl(int prior, const iso_codes *c, double weight, float *grad,
			   double *scratch)
{
	const size_t n = c->n, dims = c->dims;
	double *const q = scratch, *const base = q + n, *const inv = base + n, sum = 0;
	for (size_t i = 0; i < n; i++) {
		base[i] = -0.5 * (double)dims * LOG_2PI;
		for (size_t j = 0; j < dims; j++) {
			base[i] -= 0.5 * c->logvar[i * dims + j];
			inv[i * dims + j] = iso_exp(-c->logvar[i * dims + j]);
		}
	}
	for (size_t b = 0; b < n; b++) {
		const float *const p = c->prior + b * dims;
		sum += iso_prior_log(prior, p, dims, NULL) - posterior_logs(c, p, inv, base, q);
		for (size_t i = 0; i < n; i++) {
			const double w = weight * q[i] / (double)n;
			for (size_t j = 0; q[i] > 1e-12 && j < dims; j++) {
				const double d = p[j] - c->mean[i * 2 * dims + j],
					     r = inv[i * dims + j];
				grad[i * 2 * dims + j] -= (float)(w * d * r);
				grad[(i * 2 + 1) * dims + j] -= (float)(0.5 * w * (d * d * r - 1));
			}
		}
	}
	return sum / (double)n;
}

double iso_divergence(int kind, int prior, const iso_codes *c, double weight, float *grad,
		      double *scratch)
{
	if (c->n < 2 || kind == ISO_DIVERGENCE_NONE)
		return 0;
	return kind == ISO_DIVERGENCE_MMD ? mmd(c, weight, grad, scratch)
					  : inclusive_kl(prior, c, weight, grad, scratch);
}
