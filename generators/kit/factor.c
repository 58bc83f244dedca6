// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/factor.h"

#include <string.h>

/* ------------------------------------------------------------------ scopes */

iso_scope iso_scope_of(size_t n, const uint32_t *v)
{
	iso_scope s = {0};
	for (size_t i = 0; i < n && i < ISO_SCOPE_MAX; i++) {
		size_t at = s.n++;
		for (; at > 0 && s.v[at - 1] > v[i]; at--)
			s.v[at] = s.v[at - 1];
		s.v[at] = v[i];
	}
	return s;
}

int iso_scope_has(const iso_scope *s, uint32_t v)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == v)
			return 1;
	return 0;
}

int iso_scope_within(const iso_scope *a, const iso_scope *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!iso_scope_has(b, a->v[i]))
			return 0;
	return 1;
}

static iso_scope filter(const iso_scope *a, const iso_scope *b, int inside)
{
	iso_scope s = {0};
	for (size_t i = 0; i < a->n; i++)
		if (iso_scope_has(b, a->v[i]) == inside)
			s.v[s.n++] = a->v[i];
	return s;
}

iso_scope iso_scope_meet(const iso_scope *a, const iso_scope *b)
{
	return filter(a, b, 1);
}

iso_scope iso_scope_minus(const iso_scope *a, const iso_scope *b)
{
	return filter(a, b, 0);
}

int iso_scope_join(const iso_scope *a, const iso_scope *b, iso_scope *out)
{
	const iso_scope extra = iso_scope_minus(b, a);
	uint32_t v[2 * ISO_SCOPE_MAX];
	if (a->n + extra.n > ISO_SCOPE_MAX)
		return 0;
	memcpy(v, a->v, a->n * sizeof *v);
	memcpy(v + a->n, extra.v, extra.n * sizeof *v);
	*out = iso_scope_of(a->n + extra.n, v);
	return 1;
}

double iso_scope_cells(const iso_scope *s, const size_t *cells)
{
	double n = 1;
	for (size_t i = 0; i < s->n; i++)
		n *= (double)cells[s->v[i]];
	return n;
}

size_t iso_scope_index(const iso_scope *s, const size_t *cells, const uint32_t *value)
{
	size_t at = 0;
	for (size_t i = 0; i < s->n; i++)
		at = at * cells[s->v[i]] + value[s->v[i]];
	return at;
}

/* ------------------------------------------------------------------ walks */

/* A walk through the cells of a table in order, with the place in up to three other tables.
 * Innermost dimension first; dimensions that all tables run through in one stride are one. */
typedef struct walk {
	size_t n, size[ISO_SCOPE_MAX];
	size_t stride[3][ISO_SCOPE_MAX];
} walk;

static size_t stride_in(const iso_scope *part, const size_t *cells, uint32_t v)
{
	size_t stride = 1;
	for (size_t i = part->n; i-- > 0; stride *= cells[part->v[i]])
		if (part->v[i] == v)
			return stride;
	return 0;
}

static walk walk_of(const size_t *cells, const iso_scope *whole, size_t ntable,
		    const iso_scope *const *table)
{
	walk w = {0};
	for (size_t i = whole->n; i-- > 0;) {
		const size_t size = cells[whole->v[i]];
		size_t stride[3] = {0};
		int joins = w.n > 0;
		if (size == 1)
			continue;
		for (size_t t = 0; t < ntable; t++) {
			stride[t] = stride_in(table[t], cells, whole->v[i]);
			joins = joins && stride[t] == w.stride[t][w.n - 1] * w.size[w.n - 1];
		}
		if (joins) {
			w.size[w.n - 1] *= size;
			continue;
		}
		for (size_t t = 0; t < ntable; t++)
			w.stride[t][w.n] = stride[t];
		w.size[w.n++] = size;
	}
	if (w.n == 0)
		w.size[w.n++] = 1;
	return w;
}

/* The next run of the innermost dimension; 0 at the end. */
static int walk_on(const walk *w, size_t *count, size_t ntable, size_t *at)
{
	for (size_t i = 1; i < w->n; i++) {
		for (size_t t = 0; t < ntable; t++)
			at[t] += w->stride[t][i];
		if (++count[i] < w->size[i])
			return 1;
		count[i] = 0;
		for (size_t t = 0; t < ntable; t++)
			at[t] -= w->stride[t][i] * w->size[i];
	}
	return 0;
}

void iso_factor_sum(const size_t *cells, const iso_scope *whole, const double *x,
		    const iso_scope *part, double *out)
{
	const walk w = walk_of(cells, whole, 1, (const iso_scope *const[]){part});
	const size_t n = w.size[0], s = w.stride[0][0];
	size_t count[ISO_SCOPE_MAX] = {0}, at = 0;
	memset(out, 0, (size_t)iso_scope_cells(part, cells) * sizeof *out);
	do {
		double *o = out + at;
		if (s == 0) {
			double sum = 0;
			for (size_t i = 0; i < n; i++)
				sum += x[i];
			*o += sum;
		} else if (s == 1) {
			for (size_t i = 0; i < n; i++)
				o[i] += x[i];
		} else {
			for (size_t i = 0; i < n; i++)
				o[i * s] += x[i];
		}
		x += n;
	} while (walk_on(&w, count, 1, &at));
}

void iso_factor_add(const size_t *cells, const iso_scope *whole, double *x, const iso_scope *part,
		    const double *y)
{
	const walk w = walk_of(cells, whole, 1, (const iso_scope *const[]){part});
	const size_t n = w.size[0], s = w.stride[0][0];
	size_t count[ISO_SCOPE_MAX] = {0}, at = 0;
	do {
		for (size_t i = 0; i < n; i++)
			x[i] += y[at + i * s];
		x += n;
	} while (walk_on(&w, count, 1, &at));
}

void iso_factor_mul(const size_t *cells, const iso_scope *whole, double *x, const iso_scope *part,
		    const double *y)
{
	const walk w = walk_of(cells, whole, 1, (const iso_scope *const[]){part});
	const size_t n = w.size[0], s = w.stride[0][0];
	size_t count[ISO_SCOPE_MAX] = {0}, at = 0;
	do {
		for (size_t i = 0; i < n; i++)
			x[i] *= y[at + i * s];
		x += n;
	} while (walk_on(&w, count, 1, &at));
}

void iso_factor_contract(const size_t *cells, const iso_scope *a, const double *x,
			 const iso_scope *b, const double *y, const iso_scope *keep, double *out)
{
	iso_scope both = {0};
	size_t count[ISO_SCOPE_MAX] = {0}, at[3] = {0};
	memset(out, 0, (size_t)iso_scope_cells(keep, cells) * sizeof *out);
	if (!iso_scope_join(a, b, &both))
		return;
	const walk w = walk_of(cells, &both, 3, (const iso_scope *const[]){a, b, keep});
	const size_t n = w.size[0], sa = w.stride[0][0], sb = w.stride[1][0], sk = w.stride[2][0];
	do {
		for (size_t i = 0; i < n; i++)
			out[at[2] + i * sk] += x[at[0] + i * sa] * y[at[1] + i * sb];
	} while (walk_on(&w, count, 3, at));
}

void iso_factor_split(const size_t *cells, const iso_scope *whole, const double *x,
		      const iso_scope *first, const iso_scope *rest, double *out)
{
	const walk w = walk_of(cells, whole, 2, (const iso_scope *const[]){first, rest});
	const size_t n = w.size[0], sf = w.stride[0][0], sr = w.stride[1][0];
	const size_t nrest = (size_t)iso_scope_cells(rest, cells);
	size_t count[ISO_SCOPE_MAX] = {0}, at[2] = {0};
	do {
		for (size_t i = 0; i < n; i++)
			out[(at[0] + i * sf) * nrest + at[1] + i * sr] = x[i];
		x += n;
	} while (walk_on(&w, count, 2, at));
}
