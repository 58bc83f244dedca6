// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/disturb.h"

#include <math.h>

#include "core/base/alloc.h"

#include "core/data/encode.h"

/* A value of a numeric column after noise of `sd` half ranges, inside the column's domain. */
static double shaken(const iso_column *c, double v, double sd, iso_stream *s)
{
	if (!(sd > 0))
		return v;
	return iso_to_grain(c, v + sd * (c->hi - c->lo) / 2 * iso_next_normal(s));
}

static uint8_t shaken_byte(uint8_t v, double sd, iso_stream *s)
{
	return (uint8_t)fmin(255, fmax(0, nearbyint(v + sd * 127.5 * iso_next_normal(s))));
}

/* The positions of a row that can change: feature columns, then pixels. */
static size_t places(const iso_schema *s, uint32_t *place)
{
	size_t n = 0;
	for (size_t c = 0; c < s->ncol; c++)
		if (s->column[c].role == ISO_FEATURE && s->column[c].type != ISO_PIXEL)
			place[n++] = (uint32_t)c;
	for (size_t i = 0; i < s->npixel; i++)
		place[n++] = (uint32_t)(s->ncol + i);
	return n;
}

static void disturb(iso_table *t, size_t r, uint32_t place, const iso_disturb *o, iso_stream *s)
{
	const iso_schema *const schema = t->schema;
	if (place >= schema->ncol) {
		uint8_t *const v = t->pixels + r * schema->npixel + (place - schema->ncol);
		*v = shaken_byte(*v, o->sigma, s);
		return;
	}
	const iso_column *const c = &schema->column[place];
	double *const v = t->cells + r * schema->ncol + place;
	if (isnan(*v))
		return;
	if (!iso_is_discrete(c))
		*v = shaken(c, *v, o->sigma, s);
	else if (iso_next_u01(s) < o->resample)
		*v = (double)iso_next_below(s, c->ncategory);
}

static void negate(iso_table *t, size_t r, uint32_t place, const iso_disturb *o, iso_stream *s)
{
	const iso_schema *const schema = t->schema;
	if (place >= schema->ncol) {
		uint8_t *const v = t->pixels + r * schema->npixel + (place - schema->ncol);
		*v = shaken_byte((uint8_t)(255 - *v), o->sigma_neg, s);
		return;
	}
	const iso_column *const c = &schema->column[place];
	double *const v = t->cells + r * schema->ncol + place;
	if (isnan(*v))
		return;
	if (!iso_is_discrete(c))
		*v = shaken(c, c->lo + c->hi - *v, o->sigma_neg, s);
	else if (c->ncategory > 1)
		*v = (double)(((uint64_t)*v + 1 + iso_next_below(s, c->ncategory - 1)) %
			      c->ncategory);
}

/* Changes the first n rows of t in place.  place: scratch [ncol + npixel]. */
static void disturb_rows(const iso_disturb *o, iso_key key, iso_table *t, size_t n, uint32_t *place)
{
	const iso_key touch = iso_key_child(key, "touch", 0);
	for (size_t r = 0; r < n; r++) {
		if (!(iso_rand_u01(touch, t->id[r], 0) < o->rows))
			continue;
		iso_stream s = iso_stream_new(iso_key_child(key, "features", t->id[r]));
		const size_t d = places(t->schema, place);
		const size_t k = (size_t)(o->features * (double)d + 0.5);
		iso_shuffle(&s, place, d);
		for (size_t j = 0; j < k; j++)
			disturb(t, r, place[j], o, &s);
		iso_sequences_settle(t->schema, t->cells + r * t->schema->ncol);
	}
}

/* Rows n .. n + m - 1 of t: the negatives.  Returns how many there are.  row: scratch [n]. */
static size_t append(const iso_disturb *o, const iso_fit *f, iso_table *t, int g, size_t m,
		     uint32_t *row, uint32_t *place)
{
	const size_t n = f->train->n, d = places(t->schema, place);
	size_t members = 0;
	for (uint32_t r = 0; r < n; r++)
		if (iso_table_label(f->train, r) == (size_t)g)
			row[members++] = r;
	iso_stream s = iso_stream_new(iso_key_child(f->key, "order", 0));
	iso_shuffle(&s, row, members);
	for (size_t i = 0; members && i < m; i++) {
		s = iso_stream_new(iso_key_child(f->key, "negative", i));
		iso_table_copy_row(f->train, row[i % members], t, n + i);
		t->id[n + i] = iso_next_u64(&s);
		for (size_t j = 0; j < d; j++)
			negate(t, n + i, place[j], o, &s);
		iso_sequences_settle(t->schema, t->cells + (n + i) * t->schema->ncol);
	}
	return members ? m : 0;
}

iso_status iso_disturb_table(const iso_disturb *o, const iso_fit *f, int g, size_t m,
			     iso_table **out, iso_error *err)
{
	const iso_schema *const s = f->train->schema;
	const size_t n = f->train->n;
	iso_status st = ISO_OK;
	iso_table *t = NULL;
	uint32_t *row = iso_alloc(n + m + 1, sizeof *row),
		 *place = iso_alloc(s->ncol + s->npixel + 1, sizeof *place);
	if (!row || !place) {
		st = iso_no_memory(err, "perturbed rows");
		goto out;
	}
	for (size_t r = 0; r < n + m; r++) /* negatives: any row for now */
		row[r] = (uint32_t)(r < n ? r : 0);
	ISO_TRY_OUT(iso_table_select(f->train, row, n ? n + m : 0, &t, err));
	if (m && n)
		t->n = n + append(o, f, t, g, m, row, place);
	disturb_rows(o, f->key, t, n, place);
	*out = t;
out:
	iso_free(row);
	iso_free(place);
	return st;
}
