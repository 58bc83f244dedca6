// SPDX-License-Identifier: Apache-2.0
#include "core/learn/pairs.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/wide.h"

static int is_code(const iso_column *c)
{
	return iso_is_discrete(c);
}

/* Columns of the set that schema column c makes. */
static size_t width_of(const iso_column *c)
{
	if (iso_is_dropped(c))
		return 0;
	if (c->type == ISO_PIXEL)
		return iso_column_pixels(c);
	return is_code(c) ? 1 : 1 + (c->nmissing > 0);
}

static float code_of(const iso_column *c, double v)
{
	return isnan(v) ? (float)c->ncategory : (float)v;
}

static void fill_number(const iso_table *t, size_t k, float *x)
{
	const iso_column *c = &t->schema->column[k];
	const double range = c->hi > c->lo ? c->hi - c->lo : 1;

	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, k);

		x[r] = isnan(v) ? 0.5f : (float)((v - c->lo) / range);
		if (c->nmissing)
			x[t->n + r] = isnan(v);
	}
}

static void fill_pixels(const iso_table *t, const iso_column *c, float *x)
{
	for (size_t j = 0; j < iso_column_pixels(c); j++)
		for (size_t r = 0; r < t->n; r++)
			x[j * t->n + r] =
				(float)t->pixels[r * t->schema->npixel + c->offset + j] / 255.0f;
}

iso_status iso_rowset_new(const iso_table *t, iso_rowset *out, iso_error *err)
{
	const iso_schema *s = t->schema;
	size_t number = 0, code;

	*out = (iso_rowset){.n = t->n};
	for (size_t c = 0; c < s->ncol; c++) {
		out->d += width_of(&s->column[c]);
		if (!is_code(&s->column[c])) /* a dropped one has no width */
			out->nnumber += width_of(&s->column[c]);
	}
	code = out->nnumber;
	out->x = iso_alloc(out->d * t->n, sizeof(*out->x));
	if (!out->x)
		return iso_no_memory(err, "the codes of a table");
	for (size_t c = 0; c < s->ncol; c++) {
		const iso_column *col = &s->column[c];

		if (iso_is_dropped(col))
			continue;
		if (is_code(col)) {
			for (size_t r = 0; r < t->n; r++)
				out->x[code * t->n + r] = code_of(col, iso_table_cell(t, r, c));
			code++;
			continue;
		}
		if (col->type == ISO_PIXEL)
			fill_pixels(t, col, out->x + number * t->n);
		else
			fill_number(t, c, out->x + number * t->n);
		number += width_of(col);
	}
	return ISO_OK;
}

void iso_rowset_free(iso_rowset *s)
{
	iso_free(s->x);
	*s = (iso_rowset){0};
}

/* ---- distances: blocks of rows that stay in the first cache, for several queries ---- */

#define BLOCK 2048
#define GROUP 16
#define STRIP 32

ISO_WIDE static void add_number(float v, const float *restrict y, size_t n, float *restrict d2)
{
	for (size_t r = 0; r < n; r++) {
		const float diff = v - y[r];

		d2[r] += diff * diff;
	}
}

ISO_WIDE static void add_code(float v, const float *restrict y, size_t n, float *restrict d2)
{
	for (size_t r = 0; r < n; r++)
		d2[r] += v != y[r] ? 1.0f : 0.0f;
}

/* d2 [n]: row i of a against rows from .. from+n-1 of b; column by column, so that the inner loop
 * runs over neighbouring rows and the sum of a pair has one fixed order. */
static void block_distances(const iso_rowset *a, size_t i, const iso_rowset *b, size_t from,
			    size_t n, float *d2)
{
	memset(d2, 0, n * sizeof(*d2));
	for (size_t j = 0; j < a->nnumber; j++)
		add_number(a->x[j * a->n + i], b->x + j * b->n + from, n, d2);
	for (size_t j = a->nnumber; j < a->d; j++)
		add_code(a->x[j * a->n + i], b->x + j * b->n + from, n, d2);
}

void iso_pair_distances_of(const iso_rowset *a, size_t i, size_t m, const iso_rowset *b, float *d2)
{
	for (size_t at = 0; at < b->n; at += BLOCK) {
		const size_t n = b->n - at < BLOCK ? b->n - at : BLOCK;

		for (size_t q = 0; q < m; q++)
			block_distances(a, i + q, b, at, n, d2 + q * b->n + at);
	}
}

void iso_pair_distances(const iso_rowset *a, size_t i, const iso_rowset *b, float *d2)
{
	iso_pair_distances_of(a, i, 1, b, d2);
}

/* The least of n non-negative floats: their order is that of their bits. */
ISO_WIDE static int32_t least_bits(const float *d2, size_t n)
{
	int32_t least = INT32_MAX;

	for (size_t r = 0; r < n; r++) {
		int32_t bits;

		memcpy(&bits, d2 + r, sizeof(bits));
		least = bits < least ? bits : least;
	}
	return least;
}

float iso_least_distance(const float *d2, size_t n)
{
	const int32_t bits = least_bits(d2, n);
	float v;

	memcpy(&v, &bits, sizeof(v));
	return n ? v : INFINITY;
}

/* Rows from .. from+n-1, whose distances stand in d2 [n], into the ascending list best [k]. */
static void keep_smallest(const float *d2, size_t n, size_t from, size_t k, size_t skip,
			  float *best, size_t *place)
{
	for (size_t s = 0; s < n; s += STRIP) {
		const size_t end = n - s < STRIP ? n : s + STRIP;

		if (!(iso_least_distance(d2 + s, end - s) < best[k - 1]))
			continue;
		for (size_t r = s; r < end; r++) {
			size_t j = k;

			if (!(d2[r] < best[k - 1]) || from + r == skip)
				continue;
			for (; j > 1 && d2[r] < best[j - 2]; j--) {
				best[j - 1] = best[j - 2];
				place[j - 1] = place[j - 2];
			}
			best[j - 1] = d2[r];
			place[j - 1] = from + r;
		}
	}
}

void iso_smallest(const float *d2, size_t n, size_t k, size_t skip, float *best, size_t *place)
{
	for (size_t j = 0; j < k; j++) {
		best[j] = INFINITY;
		place[j] = SIZE_MAX;
	}
	keep_smallest(d2, n, 0, k, skip, best, place);
}

typedef struct search {
	float d2[BLOCK];
	float *best;   /* owned [GROUP][k] */
	size_t *place; /* owned [GROUP][k] */
} search;

/* The lists of rows i .. i+m-1 of a. */
static void search_group(search *s, const iso_rowset *a, size_t i, size_t m, const iso_rowset *b,
			 size_t k, int not_self)
{
	for (size_t e = 0; e < m * k; e++) {
		s->best[e] = INFINITY;
		s->place[e] = SIZE_MAX;
	}
	for (size_t at = 0; at < b->n; at += BLOCK) {
		const size_t n = b->n - at < BLOCK ? b->n - at : BLOCK;

		for (size_t q = 0; q < m; q++) {
			block_distances(a, i + q, b, at, n, s->d2);
			keep_smallest(s->d2, n, at, k, not_self ? i + q : SIZE_MAX, s->best + q * k,
				      s->place + q * k);
		}
	}
}

iso_status iso_pair_nearest(const iso_rowset *a, const iso_rowset *b, size_t k, int not_self,
			    double *dist, size_t *place, iso_error *err)
{
	search *s = iso_alloc(1, sizeof(*s));
	float *best = iso_alloc(GROUP * k, sizeof(*best));
	size_t *at = iso_alloc(GROUP * k, sizeof(*at));
	const int ok = s && best && at;

	if (ok) {
		s->best = best;
		s->place = at;
	}
	for (size_t i = 0; ok && i < a->n; i += GROUP) {
		const size_t m = a->n - i < GROUP ? a->n - i : GROUP;

		search_group(s, a, i, m, b, k, not_self);
		for (size_t e = 0; e < m * k; e++) {
			dist[i * k + e] = sqrt((double)best[e]);
			if (place)
				place[i * k + e] = at[e];
		}
	}
	iso_free(s);
	iso_free(best);
	iso_free(at);
	return ok ? ISO_OK : iso_no_memory(err, "nearest rows");
}
