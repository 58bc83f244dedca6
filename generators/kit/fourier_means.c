// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/fourier_means.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/rows.h"

void iso_means_free(iso_means *m)
{
	iso_free(m->w);
	iso_free(m->centre);
	iso_free(m->count);
	*m = (iso_means){0};
}

void iso_means_features(const iso_means *m, const float *x, double *phi)
{
	const double scale = 1 / sqrt((double)m->features);
	for (size_t t = 0; t < m->features; t++) {
		const double *w = m->w + t * m->enc->dim;
		double angle = 0;
		for (size_t j = 0; j < m->enc->dim; j++)
			angle += w[j] * (double)x[j];
		phi[2 * t] = scale * iso_cos(angle);
		phi[2 * t + 1] = scale * iso_sin(angle);
	}
}

iso_status iso_means_new(const iso_encoder *enc, size_t k, size_t features, double gamma,
			 iso_key key, iso_means *m, iso_error *err)
{
	const size_t dim = enc->dim;
	const double width = gamma > 0 ? gamma : sqrt((double)dim) / 2;
	*m = (iso_means){.enc = enc,
			 .k = k,
			 .features = features,
			 .w = iso_alloc(features, dim * sizeof *m->w),
			 .centre = iso_alloc(k, 2 * features * sizeof *m->centre),
			 .count = iso_alloc(k, sizeof *m->count)};
	float *x = iso_alloc(dim, sizeof *x);
	if (!m->w || !m->centre || !m->count || !x) {
		iso_free(x);
		iso_means_free(m);
		return iso_no_memory(err, "clusters");
	}
	for (size_t t = 0; t < features; t++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "feature", t));
		for (size_t j = 0; j < dim; j++)
			m->w[t * dim + j] = iso_next_normal(&s) / width;
	}
	for (size_t c = 0; c < k; c++) {
		m->count[c] = 1;
		iso_probe_row(enc, iso_key_child(key, "centre", 0), c, x);
		iso_means_features(m, x, m->centre + c * 2 * features);
	}
	iso_free(x);
	return ISO_OK;
}

size_t iso_means_nearest(const iso_means *m, const double *phi)
{
	const size_t dim = 2 * m->features;
	size_t best = 0;
	double least = INFINITY;
	for (size_t c = 0; c < m->k; c++) {
		double d = 0;
		for (size_t j = 0; j < dim; j++) {
			const double e = phi[j] - m->centre[c * dim + j];
			d += e * e;
		}
		if (m->count[c] > 0 && d < least) {
			least = d;
			best = c;
		}
	}
	return best;
}

/* v [k 2D + k]: zero but for the record's cluster. */
static void contribution(const iso_means *m, const double *phi, double *v)
{
	const size_t dim = 2 * m->features, c = iso_means_nearest(m, phi);
	memset(v, 0, m->k * (dim + 1) * sizeof *v);
	memcpy(v + c * dim, phi, dim * sizeof *v);
	v[m->k * dim + c] = 1;
}

static iso_status pass(const iso_means *m, const double *phi, size_t n, iso_sum_stream *s,
		       double *v, double *sum, iso_error *err)
{
	const size_t dim = 2 * m->features, all = m->k * (dim + 1);
	for (size_t r = 0; r < n; r++) {
		contribution(m, phi + r * dim, v);
		if (s)
			ISO_TRY(iso_mech_sum_add(s, (uint32_t)r, v, err));
		for (size_t j = 0; !s && j < all; j++)
			sum[j] += v[j];
	}
	return ISO_OK;
}

static iso_status release(const iso_means *m, const uint64_t *id, const double *phi, size_t n,
			  iso_ledger *ledger, iso_entry entry, double *v, double *sum,
			  iso_error *err)
{
	const size_t dim = 2 * m->features;
	const iso_sum_block block[2] = {{.dim = m->k * dim, .clip = 1, .norm = ISO_NORM_L2},
					{.dim = m->k, .clip = 1, .norm = ISO_NORM_L2}};
	iso_sum_stream *s = NULL;
	if (!ledger) {
		memset(sum, 0, m->k * (dim + 1) * sizeof *sum);
		return pass(m, phi, n, NULL, v, sum, err);
	}
	ISO_TRY(iso_mech_sum_begin(ledger, entry, id, n, block, 2, &s, err));
	const iso_status st = pass(m, phi, n, s, v, NULL, err);
	if (st != ISO_OK) {
		iso_mech_sum_cancel(s);
		return st;
	}
	return iso_mech_sum_finish(s, sum, err);
}

iso_status iso_means_fit(iso_means *m, const uint64_t *id, const float *x, size_t n,
			 iso_ledger *ledger, iso_entry entry, size_t iterations, iso_error *err)
{
	const size_t dim = 2 * m->features, all = m->k * (dim + 1);
	iso_status st = ISO_OK;
	double *phi = iso_alloc(n, dim * sizeof *phi), *v = iso_alloc(all, sizeof *v),
	       *sum = iso_alloc(all, sizeof *sum);
	if (!phi || !v || !sum) {
		st = iso_no_memory(err, "features of the rows");
		goto out;
	}
	for (size_t r = 0; r < n; r++)
		iso_means_features(m, x + r * m->enc->dim, phi + r * dim);
	for (size_t t = 0; t < iterations; t++) {
		ISO_TRY_OUT(release(m, id, phi, n, ledger, entry, v, sum, err));
		for (size_t c = 0; c < m->k; c++) {
			const double count = sum[m->k * dim + c];
			m->count[c] = count > 1 ? count : 1;
			for (size_t j = 0; j < dim; j++)
				m->centre[c * dim + j] = sum[c * dim + j] / m->count[c];
		}
	}
out:
	iso_free(phi);
	iso_free(v);
	iso_free(sum);
	return st;
}

void iso_means_drop(iso_means *m, double least)
{
	double top = 0;
	for (size_t c = 0; c < m->k; c++)
		top = fmax(top, m->count[c]);
	for (size_t c = 0; c < m->k; c++)
		if (m->count[c] < least && m->count[c] < top)
			m->count[c] = 0;
}

iso_status iso_means_assign(const iso_means *m, const float *x, size_t n, uint32_t *of,
			    iso_error *err)
{
	double *phi = iso_alloc(2 * m->features, sizeof *phi);
	if (!phi)
		return iso_no_memory(err, "features of a row");
	for (size_t r = 0; r < n; r++) {
		iso_means_features(m, x + r * m->enc->dim, phi);
		of[r] = (uint32_t)iso_means_nearest(m, phi);
	}
	iso_free(phi);
	return ISO_OK;
}

void iso_means_save(iso_str *out, const iso_means *m)
{
	iso_part_add(out, "counts", m->count, m->k * sizeof *m->count);
	iso_part_add(out, "centres", m->centre, m->k * 2 * m->features * sizeof *m->centre);
}

iso_status iso_means_take(iso_parts *in, iso_means *m, iso_error *err)
{
	ISO_TRY(iso_part_take(in, "counts", m->count, m->k * sizeof *m->count, err));
	return iso_part_take(in, "centres", m->centre, m->k * 2 * m->features * sizeof *m->centre,
			     err);
}
