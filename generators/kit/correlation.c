// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/correlation.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/linalg.h"
#include "core/math/special.h"

iso_status iso_make_correlation(double *a, size_t n, double floor, iso_error *err)
{
	double *work = iso_alloc(n, n * sizeof *work), *vector = iso_alloc(n, n * sizeof *vector);
	double *value = iso_alloc(n, sizeof *value);
	iso_status st;
	if (!work || !vector || !value) {
		st = iso_no_memory(err, "a correlation matrix");
		goto out;
	}
	memcpy(work, a, n * n * sizeof *work);
	ISO_TRY_OUT(iso_eigen_symmetric(work, n, value, vector, err));
	memset(a, 0, n * n * sizeof *a);
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				a[i * n + j] += fmax(value[k], floor) * vector[k * n + i] *
						vector[k * n + j];
	for (size_t i = 0; i < n; i++)
		value[i] = sqrt(a[i * n + i]);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			a[i * n + j] = i == j ? 1 : a[i * n + j] / (value[i] * value[j]);
out:
	iso_free(work);
	iso_free(vector);
	iso_free(value);
	return st;
}

void iso_moment_vector(const double *z, size_t n, double most, double *out)
{
	double norm = 0;
	for (size_t j = 0; j < n; j++)
		norm += z[j] * z[j];
	const double scale = norm > most ? most / norm : 1;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			*out++ = scale * z[i] * z[j] * (i == j ? 1 : sqrt(2));
}

void iso_moment_correlations(const double *sum, size_t n, double least, double *a)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			a[i * n + j] = *sum++ / (i == j ? 1 : sqrt(2));
	for (size_t i = 0; i < n; i++)
		a[i * n + i] = sqrt(fmax(a[i * n + i], least));
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			a[i * n + j] = a[j * n + i] = a[i * n + j] / (a[i * n + i] * a[j * n + j]);
	for (size_t i = 0; i < n; i++)
		a[i * n + i] = 1;
}

double iso_untied_share(const double *law, size_t n)
{
	double tied = 0;
	for (size_t c = 0; c < n; c++) {
		const double p = law[c] - (c ? law[c - 1] : 0);
		tied += p * p;
	}
	return sqrt(fmax(1 - tied, 1e-12));
}

void iso_normal_scores(const double *law, size_t n, double *z)
{
	for (size_t c = 0; c < n; c++) {
		const double u = (law[c] + (c ? law[c - 1] : 0)) / 2;
		const double q = iso_norm_ppf(fmin(fmax(u, 1e-3), 1 - 1e-3));
		z[c] = q < -3 ? -3 : q > 3 ? 3 : q;
	}
}
