// SPDX-License-Identifier: Apache-2.0
#include "core/learn/pairs.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"

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

/* Column by column, so that the inner loop runs over neighbouring rows; the sum of a pair has one
 * fixed order. */
void iso_pair_distances(const iso_rowset *a, size_t i, const iso_rowset *b, float *d2)
{
	const size_t n = b->n;

	memset(d2, 0, n * sizeof(*d2));
	for (size_t j = 0; j < a->nnumber; j++) {
		const float v = a->x[j * a->n + i], *y = b->x + j * n;

		for (size_t r = 0; r < n; r++) {
			const float diff = v - y[r];

			d2[r] += diff * diff;
		}
	}
	for (size_t j = a->nnumber; j < a->d; j++) {
		const float v = a->x[j * a->n + i], *y = b->x + j * n;

		for (size_t r = 0; r < n; r++)
			d2[r] += v != y[r] ? 1.0f : 0.0f;
	}
}

void iso_smallest(const float *d2, size_t n, size_t k, size_t skip, float *best, size_t *place)
{
	for (size_t j = 0; j < k; j++) {
		best[j] = INFINITY;
		place[j] = SIZE_MAX;
	}
	for (size_t r = 0; r < n; r++) {
		size_t j = k;

		if (!(d2[r] < best[k - 1]) || r == skip)
			continue;
		for (; j > 1 && d2[r] < best[j - 2]; j--) {
			best[j - 1] = best[j - 2];
			place[j - 1] = place[j - 2];
		}
		best[j - 1] = d2[r];
		place[j - 1] = r;
	}
}

iso_status iso_pair_nearest(const iso_rowset *a, const iso_rowset *b, size_t k, int not_self,
			    double *dist, size_t *place, iso_error *err)
{
	float *d2 = iso_alloc(b->n, sizeof(*d2)), *best = iso_alloc(k, sizeof(*best));
	size_t *at = iso_alloc(k, sizeof(*at));
	const int ok = d2 && best && at;

	for (size_t i = 0; ok && i < a->n; i++) {
		iso_pair_distances(a, i, b, d2);
		iso_smallest(d2, b->n, k, not_self ? i : SIZE_MAX, best, at);
		for (size_t j = 0; j < k; j++) {
			dist[i * k + j] = sqrt((double)best[j]);
			if (place)
				place[i * k + j] = at[j];
		}
	}
	iso_free(d2);
	iso_free(best);
	iso_free(at);
	return ok ? ISO_OK : iso_no_memory(err, "nearest rows");
}
