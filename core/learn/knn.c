// SPDX-License-Identifier: Apache-2.0
/* Nearest neighbours; see knn.h.
 *
 * Filter.  |q - r|^2 = |q|^2 + |r|^2 - 2 q.r.  The product in single precision is one chain of d
 * roundings, so (Higham 2002, Accuracy and Stability, section 3.1)  |fl(q.r) - q.r| <= g |q| |r| <=
 * g (|q|^2 + |r|^2) / 2  with  g = d u / (1
 * - d u), u = 2^-24; any other order of summation satisfies the same bound.  The score  s = |r|^2 -
 * 2 fl(q.r), rounded to float, is therefore within  m = (g + 4u) (|q|^2 + |r|^2)  of |q - r|^2 -
 * |q|^2.  A row with  s > best - |q|^2 + m cannot be nearer than `best`.
 */
#include "core/learn/knn.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/wide.h"
#include "core/math/gemm.h"

#define QUERIES 480 /* with REFS products of single precision: a megabyte */
#define REFS 512
#define CHUNK 256

double iso_distance2(const float *a, const float *b, size_t d)
{
	double s[8] = {0};
	size_t j = 0;
	for (; j + 8 <= d; j += 8)
		for (size_t l = 0; l < 8; l++) {
			const double e = (double)a[j + l] - (double)b[j + l];
			s[l] += e * e;
		}
	for (size_t l = 0; j < d; j++, l++) {
		const double e = (double)a[j] - (double)b[j];
		s[l] += e * e;
	}
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* For the filter alone; partial sums as above. */
ISO_WIDE static double norm2(const float *a, size_t d)
{
	double s[8] = {0};
	size_t j = 0;
	for (; j + 8 <= d; j += 8)
		for (size_t l = 0; l < 8; l++)
			s[l] += (double)a[j + l] * (double)a[j + l];
	for (size_t l = 0; j < d; j++, l++)
		s[l] += (double)a[j] * (double)a[j];
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

iso_status iso_knn_init(iso_knn *s, const float *q, size_t ld, size_t nq, size_t d, size_t k,
			iso_error *err)
{
	*s = (iso_knn){.nq = nq, .d = d, .k = k, .q = q, .ld = ld};
	s->dist2 = iso_alloc(nq * k, sizeof(*s->dist2));
	s->index = iso_alloc(nq * k, sizeof(*s->index));
	s->norm2 = iso_alloc(nq, sizeof(*s->norm2));
	s->tile = iso_alloc(QUERIES * REFS, sizeof(float));
	s->tile_norm = iso_alloc(REFS, sizeof(float));
	if (!s->dist2 || !s->index || !s->norm2 || !s->tile || !s->tile_norm) {
		iso_knn_free(s);
		return iso_no_memory(err, "a search for nearest neighbours");
	}
	for (size_t e = 0; e < nq * k; e++) {
		s->dist2[e] = INFINITY;
		s->index[e] = ISO_NO_NEIGHBOUR;
	}
	for (size_t i = 0; i < nq; i++)
		s->norm2[i] = norm2(q + i * ld, d);
	return ISO_OK;
}

void iso_knn_free(iso_knn *s)
{
	iso_free(s->dist2);
	iso_free(s->index);
	iso_free(s->norm2);
	iso_free(s->tile);
	iso_free(s->tile_norm);
	*s = (iso_knn){0};
}

/* Insert a neighbour; equal distances keep the earlier row first, as rows come in order. */
static void insert(double *dist2, size_t *index, size_t k, double d2, size_t at)
{
	size_t j = k;
	for (; j > 0 && d2 < dist2[j - 1]; j--)
		if (j < k) {
			dist2[j] = dist2[j - 1];
			index[j] = index[j - 1];
		}
	if (j < k) {
		dist2[j] = d2;
		index[j] = at;
	}
}

/* 1 if any of m scores |r|^2 - 2 q.r is not above the limit. */
ISO_WIDE static int any_passes(const float *norm, const float *dot, size_t m, float limit)
{
	int pass = 0;
	for (size_t l = 0; l < m; l++)
		pass |= !(norm[l] - 2 * dot[l] > limit);
	return pass;
}

/* What a score may be at most, rounded up: the filter may only let too many pass. */
static float limit_of(const iso_knn *s, size_t query, double bound)
{
	const double worst = s->dist2[query * s->k + s->k - 1] - s->norm2[query] + bound;
	return nextafterf((float)worst, INFINITY);
}

/* One query against one tile of nref references, whose products stand in `dot`. */
static void scan(iso_knn *s, size_t query, const float *ref, size_t ld, size_t nref,
		 const float *dot, double bound, size_t skip)
{
	double *dist2 = s->dist2 + query * s->k;
	size_t *index = s->index + query * s->k;
	float limit = limit_of(s, query, bound);
	for (size_t j = 0; j < nref; j += CHUNK) {
		const size_t m = nref - j < CHUNK ? nref - j : CHUNK;
		if (!any_passes(s->tile_norm + j, dot + j, m, limit))
			continue;
		for (size_t l = j; l < j + m; l++) {
			if (s->tile_norm[l] - 2 * dot[l] > limit || s->seen + l == skip)
				continue;
			const double d2 = iso_distance2(s->q + query * s->ld, ref + l * ld, s->d);
			if (!(d2 < dist2[s->k - 1]))
				continue;
			insert(dist2, index, s->k, d2, s->seen + l);
			limit = limit_of(s, query, bound);
		}
	}
}

void iso_knn_feed(iso_knn *s, const float *ref, size_t ld, size_t nref, int not_self)
{
	const double u = 0x1p-24, du = (double)s->d * u, gamma = du < 0.5 ? du / (1 - du) : 1;
	for (size_t r = 0; r < nref; r += REFS) {
		const size_t m = nref - r < REFS ? nref - r : REFS;
		const float *block = ref + r * ld;
		double biggest = 0;
		for (size_t j = 0; j < m; j++) {
			const double n2 = norm2(block + j * ld, s->d);
			s->tile_norm[j] = (float)n2;
			biggest = fmax(biggest, n2);
		}
		for (size_t i = 0; i < s->nq && s->k; i += QUERIES) {
			const size_t n = s->nq - i < QUERIES ? s->nq - i : QUERIES;
			iso_gemm(ISO_NT, n, m, s->d, s->q + i * s->ld, s->ld, block, ld, 0, s->tile,
				 REFS, NULL);
			for (size_t j = 0; j < n; j++)
				scan(s, i + j, block, ld, m, s->tile + j * REFS,
				     (gamma + 4 * u) * (s->norm2[i + j] + biggest) + 1e-30,
				     not_self ? i + j : ISO_NO_NEIGHBOUR);
		}
		s->seen += m;
	}
}

iso_status iso_nearest_distance(const float *q, size_t nq, const float *ref, size_t nref, size_t d,
				double *dist, iso_error *err)
{
	iso_knn s;
	ISO_TRY(iso_knn_init(&s, q, d, nq, d, 1, err));
	iso_knn_feed(&s, ref, d, nref, 0);
	for (size_t i = 0; i < nq; i++)
		dist[i] = sqrt(s.dist2[i]);
	iso_knn_free(&s);
	return ISO_OK;
}
