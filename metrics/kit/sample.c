// SPDX-License-Identifier: Apache-2.0
#include "metrics/kit/sample.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/kfold.h"

iso_status iso_sample_table(const iso_table *t, size_t most, iso_key key, iso_table **out,
			    iso_error *err)
{
	const size_t m = most && t->n > most ? most : t->n;
	uint32_t *row;

	ISO_TRY(iso_subset(key, t->n, m, &row, err));
	const iso_status st = iso_table_select(t, row, m, out, err);
	iso_free(row);
	return st;
}

/* ---- two tables ---- */

void iso_pooled_free(iso_pooled *p)
{
	iso_table_free(p->a);
	iso_table_free(p->b);
	iso_table_free(p->both);
	iso_free(p->y);
	iso_free(p->x);
	*p = (iso_pooled){0};
}

static iso_status encode_pool(iso_pooled *p, iso_error *err)
{
	iso_encoder *e;

	ISO_TRY(iso_encoder_new(p->both->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, err));
	p->d = e->dim;
	const iso_status st = iso_encode_new(e, p->both, &p->x, err);
	iso_encoder_free(e);
	return st;
}

iso_status iso_pooled_new(const iso_table *a, const iso_table *b, size_t m, iso_key key, int encode,
			  iso_pooled *out, iso_error *err)
{
	iso_pooled p = {.m = m};
	iso_status st;

	ISO_TRY_OUT(iso_sample_table(a, m, iso_key_child(key, "real", 0), &p.a, err));
	ISO_TRY_OUT(iso_sample_table(b, m, iso_key_child(key, "synthetic", 0), &p.b, err));
	ISO_TRY_OUT(iso_table_concat(p.a, p.b, &p.both, err));
	p.y = iso_alloc(2 * m, sizeof(*p.y));
	if (!p.y) {
		st = iso_no_memory(err, "pooled rows");
		goto out;
	}
	for (size_t i = 0; i < m; i++)
		p.y[i] = 1;
	if (encode)
		ISO_TRY_OUT(encode_pool(&p, err));
	*out = p;
	return ISO_OK;
out:
	iso_pooled_free(&p);
	return st;
}

/* ---- labelled rows ---- */

void iso_labelled_free(iso_labelled *r)
{
	iso_free(r->x);
	iso_free(r->y);
	iso_free(r->t);
	iso_free(r->row);
	*r = (iso_labelled){0};
}

static iso_status labelled_alloc(size_t n, size_t d, iso_labelled *r, iso_error *err)
{
	*r = (iso_labelled){.n = n, .d = d};
	r->x = iso_alloc(n * d, sizeof(*r->x));
	r->y = iso_alloc(n, sizeof(*r->y));
	r->t = iso_alloc(n, sizeof(*r->t));
	r->row = iso_alloc(n, sizeof(*r->row));
	if (r->x && r->y && r->t && r->row)
		return ISO_OK;
	iso_labelled_free(r);
	return iso_no_memory(err, "labelled rows");
}

iso_status iso_labelled_new(const iso_encoder *e, const iso_table *t, size_t most, iso_key key,
			    iso_labelled *out, iso_error *err)
{
	const size_t label = (size_t)t->schema->label;
	uint32_t *row = iso_alloc(t->n, sizeof(*row)), *pick = NULL;
	size_t n = 0;
	iso_status st = row ? ISO_OK : iso_no_memory(err, "labelled rows");

	*out = (iso_labelled){0};
	for (size_t r = 0; row && r < t->n; r++)
		if (!isnan(iso_table_cell(t, r, label)))
			row[n++] = (uint32_t)r;
	if (st == ISO_OK && most && n > most) {
		st = iso_subset(key, n, most, &pick, err);
		for (size_t i = 0; st == ISO_OK && i < most; i++)
			row[i] = row[pick[i]]; /* pick ascends: never behind i */
		n = most;
	}
	if (st == ISO_OK)
		st = labelled_alloc(n, e->dim, out, err);
	if (st == ISO_OK) {
		iso_encode(e, t, row, n, out->x, e->dim);
		memcpy(out->row, row, n * sizeof(*row));
	}
	for (size_t i = 0; st == ISO_OK && i < n; i++) {
		out->t[i] = iso_table_cell(t, row[i], label);
		out->y[i] = iso_schema_classes(t->schema) ? (uint32_t)out->t[i] : 0;
	}
	iso_free(row);
	iso_free(pick);
	return st;
}

/* How many categories of the column come before category k in the alphabet. */
static double rank_of(const iso_column *c, size_t k)
{
	size_t before = 0;

	for (size_t i = 0; i < c->ncategory; i++)
		before += strcmp(c->category[i], c->category[k]) < 0;
	return c->ncategory > 1 ? (double)before / (double)(c->ncategory - 1) : 0;
}

iso_status iso_labelled_ordinal(const iso_table *t, iso_labelled *r, iso_error *err)
{
	const iso_schema *s = t->schema;
	size_t d = 0;
	float *x;

	ISO_FAIL_IF(s->npixel, err, ISO_E_UNSUPPORTED,
		    "ordinal codes (data %s): pixels have none; use one-hot codes", s->name);
	x = iso_alloc(r->n * s->ncol + 1, sizeof(*x));
	if (!x)
		return iso_no_memory(err, "ordinal codes");
	for (size_t c = 0; c < s->ncol; c++)
		d += s->column[c].role == ISO_FEATURE;
	for (size_t i = 0; i < r->n; i++)
		for (size_t c = 0, at = 0; c < s->ncol; c++) {
			const iso_column *col = &s->column[c];
			const double v = iso_table_cell(t, r->row[i], c);

			if (col->role != ISO_FEATURE)
				continue;
			x[i * d + at++] = (float)(isnan(v) ? -1
						  : iso_is_discrete(col)
							  ? rank_of(col, (size_t)v)
							  : (v - col->lo) / (col->hi - col->lo));
		}
	iso_free(r->x);
	r->x = x;
	r->d = d;
	return ISO_OK;
}

iso_status iso_labelled_join(const iso_labelled *a, const iso_labelled *b, iso_labelled *out,
			     iso_error *err)
{
	ISO_TRY(labelled_alloc(a->n + b->n, a->d, out, err));
	for (int k = 0; k < 2; k++) {
		const iso_labelled *r = k ? b : a;
		const size_t at = k ? a->n : 0;

		memcpy(out->x + at * out->d, r->x, r->n * r->d * sizeof(*r->x));
		memcpy(out->y + at, r->y, r->n * sizeof(*r->y));
		memcpy(out->t + at, r->t, r->n * sizeof(*r->t));
		memcpy(out->row + at, r->row, r->n * sizeof(*r->row));
	}
	return ISO_OK;
}

size_t iso_positive_class(const iso_schema *s)
{
	const size_t classes = iso_schema_classes(s);
	const int named = s->label >= 0 ? s->column[s->label].positive : -1;

	return named >= 0 ? (size_t)named : classes ? classes - 1 : 0;
}

/* ---- outputs ---- */

iso_status iso_put(iso_measures *out, const char *key, double v, const char *why, iso_error *err)
{
	const double three[3] = {v, NAN, NAN};

	return iso_put3(out, key, three, why, err);
}

iso_status iso_put3(iso_measures *out, const char *key, const double v[3], const char *why,
		    iso_error *err)
{
	return isnan(v[0]) ? iso_measure_undefined(out, key, why, err)
			   : iso_measure_set(out, key, v[0], v[1], v[2], err);
}
