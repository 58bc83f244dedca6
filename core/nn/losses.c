// SPDX-License-Identifier: Apache-2.0
/* Losses as objects.  Formulas in loss.h. */
#include <math.h>
#include <string.h>

#include "core/math/vmath.h"
#include "core/nn/loss.h"

#define LOG_2PI 1.8378770664093454836

static double bce(size_t n, size_t width, const float *out, size_t ld, const float *target,
		  size_t target_ld, float *d, size_t d_ld)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += iso_loss_bce_logits(out + i * ld, 1, width, 0, d + i * d_ld, 1);
		for (size_t j = 0; j < width; j++) {
			const float t = target[i * target_ld + j];
			sum -= (double)t * out[i * ld + j];
			d[i * d_ld + j] -= t;
		}
	}
	return sum;
}

static double hinge(size_t n, size_t width, const float *out, size_t ld, const float *target,
		    size_t target_ld, float *d, size_t d_ld)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < width; j++) {
			const float sign = target[i * target_ld + j] > 0.5f ? -1.0f : 1.0f;
			const float v = 1.0f + sign * out[i * ld + j];
			d[i * d_ld + j] = v <= 0 ? 0.0f : v > 0 ? sign : v; /* NaN stays */
			sum += v <= 0 ? 0.0 : v;
		}
	return sum;
}

static double wasserstein(size_t n, size_t width, const float *out, size_t ld, const float *target,
			  size_t target_ld, float *d, size_t d_ld)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < width; j++) {
			const float sign = target[i * target_ld + j] > 0.5f ? -1.0f : 1.0f;
			d[i * d_ld + j] = sign;
			sum += (double)sign * out[i * ld + j];
		}
	return sum;
}

static double mse(size_t n, size_t width, const float *out, size_t ld, const float *target,
		  size_t target_ld, float *d, size_t d_ld)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < width; j++) {
			const float e = out[i * ld + j] - target[i * target_ld + j];
			d[i * d_ld + j] = 2.0f * e;
			sum += (double)e * e;
		}
	return sum;
}

static double gaussian_nll(size_t n, size_t width, const float *out, size_t ld, const float *target,
			   size_t target_ld, float *d, size_t d_ld)
{
	const size_t k = width / 2;
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k; j++) {
			const double lv = out[i * ld + k + j], precision = iso_exp(-lv);
			const double e = (double)out[i * ld + j] - target[i * target_ld + j];
			d[i * d_ld + j] = (float)(e * precision);
			d[i * d_ld + k + j] = (float)(0.5 * (1 - e * e * precision));
			sum += 0.5 * (LOG_2PI + lv + e * e * precision);
		}
	return sum;
}

static double cross_entropy(size_t n, size_t width, const float *out, size_t ld,
			    const float *target, size_t target_ld, float *d, size_t d_ld)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		const float *const z = out + i * ld, *const t = target + i * target_ld;
		float *const di = d + i * d_ld, top = z[0];
		double norm = 0, weight = 0;
		for (size_t j = 1; j < width; j++)
			top = z[j] > top ? z[j] : top;
		for (size_t j = 0; j < width; j++)
			di[j] = z[j] - top;
		iso_vexp(width, di, di);
		for (size_t j = 0; j < width; j++) {
			norm += di[j];
			weight += t[j];
		}
		for (size_t j = 0; j < width; j++) {
			di[j] = (float)(di[j] / norm * weight - t[j]);
			sum += t[j] != 0 ? t[j] * (iso_log(norm) + top - z[j]) : 0;
		}
	}
	return sum;
}

static double kl(size_t n, size_t width, const float *out, size_t ld, const float *target,
		 size_t target_ld, float *d, size_t d_ld)
{
	const size_t k = width / 2;
	double sum = 0;
	(void)target, (void)target_ld;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k; j++) {
			const double mu = out[i * ld + j], lv = out[i * ld + k + j],
				     var = iso_exp(lv);
			d[i * d_ld + j] = (float)mu;
			d[i * d_ld + k + j] = (float)(0.5 * (var - 1));
			sum += 0.5 * (var + mu * mu - 1 - lv);
		}
	return sum;
}

/* Kernel of rows x and y, and *slope = its derivative in |x - y|^2. */
static double kernel(size_t width, const float *x, const float *y, double *slope)
{
	static const double scale[] = {0.25, 1, 4};
	double away = 0, sum = 0;
	for (size_t j = 0; j < width; j++)
		away += ((double)x[j] - y[j]) * ((double)x[j] - y[j]);
	*slope = 0;
	for (size_t b = 0; b < 3; b++) {
		const double rate = 1 / (2 * scale[b] * (double)width), k = iso_exp(-away * rate);
		sum += k;
		*slope -= rate * k;
	}
	return sum;
}

/* mean k(x, x') + mean k(y, y') - 2 mean k(x, y) */
static double mmd(size_t n, size_t width, const float *out, size_t ld, const float *target,
		  size_t target_ld, float *d, size_t d_ld)
{
	const double weight = 1 / ((double)n * (double)n);
	double sum = 0, slope;
	for (size_t i = 0; i < n; i++) {
		const float *const x = out + i * ld;
		float *const di = d + i * d_ld;
		memset(di, 0, width * sizeof(float));
		for (size_t k = 0; k < n; k++) {
			const float *const other = out + k * ld, *const y = target + k * target_ld;
			sum += weight * kernel(width, x, other, &slope);
			for (size_t j = 0; j < width; j++)
				di[j] += (float)(4 * weight * slope * ((double)x[j] - other[j]));
			sum -= 2 * weight * kernel(width, x, y, &slope);
			for (size_t j = 0; j < width; j++)
				di[j] -= (float)(4 * weight * slope * ((double)x[j] - y[j]));
			sum += weight * kernel(width, target + i * target_ld, y, &slope);
		}
	}
	return sum;
}

const iso_loss iso_loss_bce = {"bce", 0, bce};
const iso_loss iso_loss_hinge = {"hinge", 0, hinge};
const iso_loss iso_loss_wasserstein = {"wasserstein", 0, wasserstein};
const iso_loss iso_loss_mse = {"mse", 0, mse};
const iso_loss iso_loss_gaussian_nll = {"gaussian-nll", 0, gaussian_nll};
const iso_loss iso_loss_cross_entropy = {"cross-entropy", 0, cross_entropy};
const iso_loss iso_loss_kl = {"kl", 0, kl};
const iso_loss iso_loss_mmd = {"mmd", 1, mmd};

const iso_loss *const iso_losses[] = {
	&iso_loss_bce,		&iso_loss_hinge,	 &iso_loss_wasserstein, &iso_loss_mse,
	&iso_loss_gaussian_nll, &iso_loss_cross_entropy, &iso_loss_kl,		&iso_loss_mmd,
};
const size_t iso_loss_count = sizeof(iso_losses) / sizeof(iso_losses[0]);
