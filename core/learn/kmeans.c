// SPDX-License-Identifier: Apache-2.0
#include "core/learn/kmeans.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"

#define ROUNDS 100

static double square_to(const double *centre, const float *x, size_t d)
{
	double s = 0;

	for (size_t j = 0; j < d; j++) {
		const double r = (double)x[j] - centre[j];
		s += r * r;
	}
	return s;
}

size_t iso_kmeans_cell(const iso_kmeans *m, const float *x, double *dist2)
{
	size_t best = 0;
	double least = INFINITY;

	for (size_t c = 0; c < m->k; c++) {
		const double s = square_to(m->centre + c * m->d, x, m->d);

		if (s < least) {
			least = s;
			best = c;
		}
	}
	if (dist2)
		*dist2 = least;
	return best;
}

void iso_kmeans_free(iso_kmeans *m)
{
	iso_free(m->centre);
	*m = (iso_kmeans){0};
}

static void put_centre(iso_kmeans *m, size_t c, const float *x)
{
	for (size_t j = 0; j < m->d; j++)
		m->centre[c * m->d + j] = (double)x[j];
}

/* The next centre is a row drawn with weight squared distance to those before. */
static void seed_centres(iso_kmeans *m, size_t k, const float *x, size_t n, double *dist2,
			 iso_stream *s)
{
	put_centre(m, 0, x + m->d * (size_t)iso_next_below(s, n));
	for (m->k = 1; m->k < k; m->k++) {
		double all = 0;

		for (size_t i = 0; i < n; i++) {
			iso_kmeans_cell(m, x + i * m->d, &dist2[i]);
			all += dist2[i];
		}
		if (!(all > 0))
			return; /* every row stands on a centre */
		put_centre(m, m->k, x + m->d * iso_next_choice(s, dist2, n));
	}
}

/* New centres from the cells; returns 0 when none moved. */
static int move_centres(iso_kmeans *m, const float *x, size_t n, const uint32_t *cell,
			double *dist2, double *sum, double *count)
{
	int moved = 0;

	memset(sum, 0, m->k * m->d * sizeof(*sum));
	memset(count, 0, m->k * sizeof(*count));
	for (size_t i = 0; i < n; i++) {
		count[cell[i]]++;
		for (size_t j = 0; j < m->d; j++)
			sum[cell[i] * m->d + j] += (double)x[i * m->d + j];
	}
	for (size_t c = 0; c < m->k; c++) {
		double *centre = m->centre + c * m->d;
		size_t far = 0;

		for (size_t i = 0; i < n && count[c] == 0; i++)
			far = dist2[i] > dist2[far] ? i : far;
		for (size_t j = 0; j < m->d; j++) {
			const double next = count[c] > 0 ? sum[c * m->d + j] / count[c]
							 : (double)x[far * m->d + j];

			moved |= next != centre[j];
			centre[j] = next;
		}
		if (count[c] == 0)
			dist2[far] = 0;
	}
	return moved;
}

static void lloyd(iso_kmeans *m, const float *x, size_t n, uint32_t *cell, double *dist2,
		  double *sum, double *count)
{
	for (size_t round = 0; round <= ROUNDS; round++) {
		m->inertia = 0;
		for (size_t i = 0; i < n; i++) {
			cell[i] = (uint32_t)iso_kmeans_cell(m, x + i * m->d, &dist2[i]);
			m->inertia += dist2[i];
		}
		if (round == ROUNDS || !move_centres(m, x, n, cell, dist2, sum, count))
			return;
	}
}

iso_status iso_kmeans_fit(const float *x, size_t n, size_t d, size_t k, size_t starts, iso_key key,
			  iso_kmeans *out, iso_error *err)
{
	k = k < n ? k : n;
	iso_kmeans m = {.d = d, .centre = iso_alloc(k * d, sizeof(double))};
	uint32_t *cell = iso_alloc(n, sizeof(*cell));
	double *dist2 = iso_alloc(n, sizeof(*dist2)), *sum = iso_alloc(k * d, sizeof(*sum)),
	       *count = iso_alloc(k, sizeof(*count)), *best = iso_alloc(k * d, sizeof(*best));
	const int ok = m.centre && cell && dist2 && sum && count && best;

	*out = (iso_kmeans){.d = d, .inertia = INFINITY};
	for (size_t t = 0; ok && t < starts; t++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "start", t));

		seed_centres(&m, k, x, n, dist2, &s);
		lloyd(&m, x, n, cell, dist2, sum, count);
		if (m.inertia < out->inertia) {
			out->k = m.k;
			out->inertia = m.inertia;
			memcpy(best, m.centre, m.k * d * sizeof(*best));
		}
	}
	out->centre = best;
	iso_free(m.centre);
	iso_free(cell);
	iso_free(dist2);
	iso_free(sum);
	iso_free(count);
	if (ok)
		return ISO_OK;
	iso_kmeans_free(out);
	return iso_no_memory(err, "k-means");
}

static double pairs_of(double n)
{
	return n * (n - 1) / 2;
}

double iso_adjusted_rand(const uint32_t *a, size_t ka, const uint32_t *b, size_t kb, size_t n)
{
	double *joint = iso_alloc(ka * kb + ka + kb, sizeof(*joint)), *pa = joint + ka * kb,
	       *pb = pa + ka, both = 0, in_a = 0, in_b = 0;

	for (size_t i = 0; joint && i < n; i++) {
		joint[a[i] * kb + b[i]]++;
		pa[a[i]]++;
		pb[b[i]]++;
	}
	for (size_t e = 0; joint && e < ka * kb; e++)
		both += pairs_of(joint[e]);
	for (size_t i = 0; joint && i < ka; i++)
		in_a += pairs_of(pa[i]);
	for (size_t i = 0; joint && i < kb; i++)
		in_b += pairs_of(pb[i]);
	const int ok = joint && n > 1;
	iso_free(joint);
	if (!ok)
		return NAN;
	const double expected = in_a * in_b / pairs_of((double)n), most = 0.5 * (in_a + in_b);
	return most > expected ? (both - expected) / (most - expected) : 1;
}
