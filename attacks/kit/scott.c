// SPDX-License-Identifier: Apache-2.0
#include "attacks/kit/scott.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/linalg.h"
#include "core/math/special.h"
#include "core/math/vmath.h"

#define LOG_2_PI 1.8378770664093453

/* Mean [d] and covariance [d][d] (n - 1) of centred rows: x is centred in place. */
static void covariance(double *x, size_t n, size_t d, double *mean, double *cov)
{
	memset(mean, 0, d * sizeof(*mean));
	memset(cov, 0, d * d * sizeof(*cov));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < d; j++)
			mean[j] += x[i * d + j] / (double)n;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < d; j++)
			x[i * d + j] -= mean[j];
	iso_dmul_tn(n, d, d, x, x, 0, cov);
	for (size_t k = 0; k < d * d; k++)
		cov[k] /= (double)(n - 1);
}

void iso_axes_free(iso_axes *a)
{
	iso_free(a->mean);
	iso_free(a->axis);
	*a = (iso_axes){0};
}

iso_status iso_axes_fit(const float *x, size_t n, size_t d, size_t q, iso_axes *out, iso_error *err)
{
	iso_axes a = {.d = d, .q = q < d ? q : d};
	double *rows = iso_alloc(n * d, sizeof(double)), *cov = iso_alloc(d * d, sizeof(double));
	double *values = iso_alloc(d, sizeof(double)), *all = iso_alloc(d * d, sizeof(double));
	iso_status st = ISO_OK;

	*out = (iso_axes){0};
	a.mean = iso_alloc(d, sizeof(double));
	a.axis = iso_alloc(a.q * d, sizeof(double));
	if (!rows || !cov || !values || !all || !a.mean || !a.axis)
		st = iso_no_memory(err, "principal axes");
	ISO_TRY_OUT(st);
	for (size_t i = 0; i < n * d; i++)
		rows[i] = (double)x[i];
	covariance(rows, n, d, a.mean, cov);
	ISO_TRY_OUT(iso_eigen_symmetric(cov, d, values, all, err));
	memcpy(a.axis, all, a.q * d * sizeof(double));
	*out = a;
	a = (iso_axes){0};
out:
	iso_axes_free(&a);
	iso_free(rows);
	iso_free(cov);
	iso_free(values);
	iso_free(all);
	return st;
}

void iso_axes_project(const iso_axes *a, const float *x, size_t n, double *out)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < a->q; k++) {
			double s = 0;

			for (size_t j = 0; j < a->d; j++)
				s += ((double)x[i * a->d + j] - a->mean[j]) * a->axis[k * a->d + j];
			out[i * a->q + k] = s;
		}
}

/* L y = x in place: coordinates in which the kernel is the standard normal. */
static void whiten(const double *l, size_t q, const double *shift, double *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double *v = x + i * q;

		for (size_t k = 0; k < q; k++) {
			double s = v[k] - shift[k];

			for (size_t j = 0; j < k; j++)
				s -= l[k * q + j] * v[j];
			v[k] = s / l[k * q + k];
		}
	}
}

/* Lower factor of the kernel's covariance, and the log of its determinant's root. */
static iso_status kernel_factor(double *cov, size_t n, size_t q, double ridge, double *log_det,
				iso_error *err)
{
	const double factor = iso_exp(-iso_log((double)n) / (double)(q + 4));
	double trace = 0;

	for (size_t k = 0; k < q; k++)
		trace += cov[k * q + k];
	for (size_t k = 0; k < q; k++)
		cov[k * q + k] += ridge * trace / (double)q;
	for (size_t k = 0; k < q * q; k++)
		cov[k] *= factor * factor;
	ISO_TRY(iso_cholesky(cov, q, err));
	*log_det = 0;
	for (size_t k = 0; k < q; k++)
		*log_det += iso_log(cov[k * q + k]);
	return ISO_OK;
}

static void kernel_sums(const double *a, size_t n, size_t q, const double *b, size_t m,
			double constant, double *term, double *out)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t r = 0; r < n; r++) {
			double s = 0;

			for (size_t k = 0; k < q; k++) {
				const double e = a[r * q + k] - b[i * q + k];

				s += e * e;
			}
			term[r] = -0.5 * s;
		}
		out[i] = iso_log_sum(term, n) - constant;
	}
}

iso_status iso_scott_log_density(const double *x, size_t n, size_t q, double ridge, const double *y,
				 size_t m, double *out, iso_error *err)
{
	double *a = iso_alloc(n * q, sizeof(double)), *b = iso_alloc(m * q, sizeof(double));
	double *cov = iso_alloc(q * q, sizeof(double)), *term = iso_alloc(n, sizeof(double));
	double *mean = iso_alloc(2 * q, sizeof(double)), log_det;
	iso_status st = ISO_OK;

	if (!a || !b || !cov || !term || !mean)
		st = iso_no_memory(err, "a kernel density");
	ISO_TRY_OUT(st);
	memcpy(a, x, n * q * sizeof(double));
	memcpy(b, y, m * q * sizeof(double));
	covariance(a, n, q, mean, cov);
	ISO_TRY_OUT(kernel_factor(cov, n, q, ridge, &log_det, err));
	whiten(cov, q, mean + q, a, n); /* centred already: mean + q is zero */
	whiten(cov, q, mean, b, m);
	kernel_sums(a, n, q, b, m, iso_log((double)n) + 0.5 * (double)q * LOG_2_PI + log_det, term,
		    out);
out:
	iso_free(a);
	iso_free(b);
	iso_free(cov);
	iso_free(term);
	iso_free(mean);
	return st;
}

void iso_normal_log_density(const double *x, size_t n, size_t q, const double *y, size_t m,
			    double *out)
{
	for (size_t i = 0; i < m; i++)
		out[i] = 0;
	for (size_t k = 0; k < q; k++) {
		double mean = 0, var = 0;

		for (size_t r = 0; r < n; r++)
			mean += x[r * q + k] / (double)n;
		for (size_t r = 0; r < n; r++)
			var += (x[r * q + k] - mean) * (x[r * q + k] - mean) / (double)(n - 1);
		var = fmax(var, 1e-12);
		for (size_t i = 0; i < m; i++) {
			const double e = y[i * q + k] - mean;

			out[i] -= 0.5 * (LOG_2_PI + iso_log(var) + e * e / var);
		}
	}
}
