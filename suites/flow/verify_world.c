// SPDX-License-Identifier: Apache-2.0
/* The tables of a verification: D, its neighbours, and records that sit where a careless method
 * looks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "suites/flow/verify.h"

/* How the values of a made record are chosen. */
typedef enum look {
	LOOK_RANDOM,
	LOOK_LOW,
	LOOK_HIGH,
	LOOK_LOW_HIGH,
	LOOK_HIGH_LOW,
	LOOK_MISSING
} look;

/* A value that the column can hold, nearest to x. */
static double on_grain(const iso_column *c, double x)
{
	if (iso_is_whole(c))
		x = rint(x);
	else if (c->decimals >= 0 && c->decimals < 12)
		x = rint(x * iso_pow(10, c->decimals)) / iso_pow(10, c->decimals);
	return x < c->lo ? c->lo : x > c->hi ? c->hi : x;
}

static double value_of(const iso_column *c, look how, size_t column, double u)
{
	const int high = how == LOOK_HIGH || (how == LOOK_LOW_HIGH && column % 2) ||
			 (how == LOOK_HIGH_LOW && column % 2 == 0);

	if (iso_is_dropped(c))
		return NAN;
	if (c->type == ISO_PIXEL)
		return 0;
	if (how == LOOK_MISSING && c->nmissing > 0)
		return NAN;
	if (iso_is_discrete(c)) {
		const double k = how == LOOK_RANDOM || how == LOOK_MISSING
					 ? floor(u * (double)c->ncategory)
				 : high ? (double)c->ncategory - 1
					: 0;

		return k < (double)c->ncategory ? k : (double)c->ncategory - 1;
	}
	if (how == LOOK_RANDOM || how == LOOK_MISSING)
		return on_grain(c, c->lo + u * (c->hi - c->lo));
	return high ? c->hi : c->lo;
}

static void fill_row(iso_table *t, size_t row, look how, iso_key key, uint64_t index)
{
	const iso_schema *s = t->schema;

	for (size_t j = 0; j < s->ncol; j++)
		t->cells[row * s->ncol + j] =
			value_of(&s->column[j], how, j, iso_rand_u01(key, index, j));
	for (size_t p = 0; p < s->npixel; p++) {
		const double u = iso_rand_u01(key, index, s->ncol + p);

		t->pixels[row * s->npixel + p] = how == LOOK_LOW    ? 0
						 : how == LOOK_HIGH ? 255
								    : (uint8_t)(256 * u);
	}
	/* the label is always there */
	if (s->label >= 0 && isnan(t->cells[row * s->ncol + (size_t)s->label]))
		t->cells[row * s->ncol + (size_t)s->label] = 0;
}

iso_status iso_world_random(const iso_table *like, uint64_t seed, size_t n, iso_table **out,
			    iso_error *err)
{
	const iso_key key = iso_key_new(seed, "verify/table");
	uint64_t next = 0;

	ISO_TRY(iso_table_new(like->schema, n, out, err));
	for (size_t r = 0; r < n; r++) {
		fill_row(*out, r, LOOK_RANDOM, key, r);
		(*out)->id[r] = r < like->n ? like->id[r] : next;
		next = (*out)->id[r] >= next ? (*out)->id[r] + 1 : next;
	}
	return ISO_OK;
}

static uint64_t fresh_id(const iso_table *t)
{
	uint64_t id = 0;

	for (size_t r = 0; r < t->n; r++)
		id = t->id[r] >= id ? t->id[r] + 1 : id;
	return id;
}

static double *cells_of(const iso_table *t, size_t row)
{
	return t->cells + row * t->schema->ncol;
}

static iso_status copy_table(const iso_table *t, iso_table **out, iso_error *err)
{
	uint32_t *row = iso_alloc(t->n + 1, sizeof(*row));
	iso_status st;

	if (!row)
		return iso_no_memory(err, "rows of a verification");
	for (size_t r = 0; r < t->n; r++)
		row[r] = (uint32_t)r;
	st = iso_table_select(t, row, t->n, out, err);
	iso_free(row);
	return st;
}

/* ------------------------------------------------------------------ pairs */

/* A new pair; `how` < 0: the record is a copy of row `row`. */
static iso_status add_pair(iso_world *w, iso_pair_op op, size_t row, int how, const char *text,
			   iso_key key, iso_error *err)
{
	static const char *const verb[] = {"remove", "add", "replace by"};
	iso_pair *p;

	ISO_TRY(iso_grow(&w->pair, &w->cap, w->npair + 1, sizeof(*w->pair), err));
	p = &w->pair[w->npair];
	*p = (iso_pair){.op = op, .row = row};
	snprintf(p->name, sizeof(p->name), "%s %s", verb[op], text);
	if (op != ISO_PAIR_REMOVE) {
		ISO_TRY(iso_table_new(w->base->schema, 1, &p->record, err));
		p->record->id[0] = op == ISO_PAIR_REPLACE ? w->base->id[row] : fresh_id(w->base);
		if (how < 0)
			iso_table_copy_row(w->base, row, p->record, 0);
		else
			fill_row(p->record, 0, (look)how, key, w->npair);
	}
	w->npair++;
	return ISO_OK;
}

iso_status iso_pair_apply(const iso_world *w, const iso_pair *p, iso_table **out, iso_error *err)
{
	const iso_table *base = w->base;
	uint32_t *row;
	size_t n = 0;
	iso_status st;

	if (p->op == ISO_PAIR_ADD) {
		ISO_TRY(iso_table_concat(base, p->record, out, err));
		(*out)->id[base->n] = p->record->id[0]; /* concat renumbers */
		return ISO_OK;
	}
	if (p->op == ISO_PAIR_REPLACE) {
		ISO_TRY(copy_table(base, out, err));
		iso_table_copy_row(p->record, 0, *out, p->row);
		return ISO_OK;
	}
	row = iso_alloc(base->n + 1, sizeof(*row));
	if (!row)
		return iso_no_memory(err, "rows of a neighbour");
	for (size_t r = 0; r < base->n; r++)
		if (r != p->row)
			row[n++] = (uint32_t)r;
	st = iso_table_select(base, row, n, out, err);
	iso_free(row);
	return st;
}

void iso_world_free(iso_world *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->npair; i++)
		iso_table_free(w->pair[i].record);
	iso_free(w->pair);
	iso_free(w->class_count);
	iso_table_free(w->base);
	*w = (iso_world){0};
}

static iso_status count_classes(iso_world *w, iso_error *err)
{
	const size_t classes = iso_schema_classes(w->base->schema);

	if (classes == 0)
		return ISO_OK;
	w->class_count = iso_alloc(classes, sizeof(*w->class_count));
	if (!w->class_count)
		return iso_no_memory(err, "class counts");
	for (size_t r = 0; r < w->base->n; r++) {
		const size_t y = iso_table_label(w->base, r);

		if (y < classes)
			w->class_count[y]++;
	}
	return ISO_OK;
}

/* A discrete feature whose last category can be taken out of D: the lone category comes back with a
 * neighbour. */
static int lone_column(const iso_schema *s)
{
	for (size_t j = 0; j < s->ncol; j++)
		if (iso_is_discrete(&s->column[j]) && s->column[j].role == ISO_FEATURE &&
		    s->column[j].ncategory > 1)
			return (int)j;
	return -1;
}

static void empty_category(iso_table *t, int column)
{
	const double last = column < 0 ? 0 : (double)t->schema->column[column].ncategory - 1;

	for (size_t r = 0; column >= 0 && r < t->n; r++) {
		double *x = &cells_of(t, r)[column];

		if (*x == last)
			*x = 0;
	}
}

static iso_status crafted_pairs(iso_world *w, int column, iso_key key, iso_error *err)
{
	const size_t n = w->base->n;

	ISO_TRY(add_pair(w, ISO_PAIR_REMOVE, 0, 0, "the first record", key, err));
	ISO_TRY(add_pair(w, ISO_PAIR_ADD, 0, LOOK_HIGH, "a record at every upper bound", key, err));
	ISO_TRY(add_pair(w, ISO_PAIR_REPLACE, n / 2, LOOK_LOW, "one at every lower bound", key,
			 err));
	ISO_TRY(add_pair(w, ISO_PAIR_REMOVE, n - 1, 0, "the last record, a duplicate", key, err));
	ISO_TRY(add_pair(w, ISO_PAIR_ADD, 0, LOOK_LOW, "a record at every lower bound", key, err));
	ISO_TRY(add_pair(w, ISO_PAIR_REPLACE, n / 3, LOOK_HIGH, "one at every upper bound", key,
			 err));
	if (column >= 0) {
		const double last = (double)w->base->schema->column[column].ncategory - 1;

		ISO_TRY(add_pair(w, ISO_PAIR_ADD, 0, LOOK_RANDOM, "a record with a lone category",
				 key, err));
		cells_of(w->pair[w->npair - 1].record, 0)[column] = last;
		ISO_TRY(add_pair(w, ISO_PAIR_REPLACE, 1, LOOK_RANDOM, "one with a lone category",
				 key, err));
		cells_of(w->pair[w->npair - 1].record, 0)[column] = last;
	}
	ISO_TRY(add_pair(w, ISO_PAIR_ADD, n / 4, -1, "a duplicate of a record", key, err));
	ISO_TRY(add_pair(w, ISO_PAIR_ADD, 0, LOOK_LOW_HIGH, "a record at alternate bounds", key,
			 err));
	ISO_TRY(add_pair(w, ISO_PAIR_REPLACE, n - 2, LOOK_HIGH_LOW, "one at alternate bounds", key,
			 err));
	ISO_TRY(add_pair(w, ISO_PAIR_ADD, 0, LOOK_MISSING, "a record with all that may be missing",
			 key, err));
	return ISO_OK;
}

static void cut_pairs(iso_world *w, size_t n)
{
	while (w->npair > n)
		iso_table_free(w->pair[--w->npair].record);
}

iso_status iso_world_natural(const iso_table *data, uint64_t seed, size_t n, iso_world *out,
			     iso_error *err)
{
	static const iso_pair_op turn[] = {ISO_PAIR_REMOVE, ISO_PAIR_ADD, ISO_PAIR_REPLACE};
	const iso_key key = iso_key_new(seed, "verify/pairs");
	iso_world w = {.name = "natural"};
	const int column = lone_column(data->schema);
	iso_status st;

	*out = (iso_world){0};
	ISO_FAIL_IF(data->n < 8, err, ISO_E_DATA, "too few rows (verify): %zu; give at least 8",
		    data->n);
	ISO_TRY_OUT(copy_table(data, &w.base, err));
	empty_category(w.base, column);
	iso_table_copy_row(w.base, 0, w.base, w.base->n - 1);
	ISO_TRY_OUT(count_classes(&w, err));
	ISO_TRY_OUT(crafted_pairs(&w, column, key, err));
	for (size_t i = 0; w.npair < n; i++) {
		const size_t row = (size_t)(iso_rand_u01(key, i, 1u << 20) * (double)w.base->n);

		ISO_TRY_OUT(add_pair(&w, turn[i % 3], row, LOOK_RANDOM,
				     i % 3 ? "a random record" : "a record", key, err));
	}
	cut_pairs(&w, n);
	*out = w;
	return ISO_OK;
out:
	iso_world_free(&w);
	return st;
}

iso_status iso_world_lone_class(const iso_table *data, iso_world *out, iso_error *err)
{
	const size_t classes = iso_schema_classes(data->schema);
	iso_world w = {.name = "lone class"};
	const iso_key key = iso_key_new(0, "verify/lone");
	size_t row = data->n;
	iso_status st;

	*out = (iso_world){0};
	if (classes < 2)
		return ISO_OK;
	ISO_TRY_OUT(copy_table(data, &w.base, err));
	for (size_t r = 0; r < w.base->n; r++) {
		double *y = &cells_of(w.base, r)[w.base->schema->label];

		if (*y != (double)(classes - 1))
			continue;
		if (row == data->n)
			row = r;
		else
			*y = 0;
	}
	if (row == data->n) {
		row = data->n - 1;
		cells_of(w.base, row)[w.base->schema->label] = (double)(classes - 1);
	}
	ISO_TRY_OUT(count_classes(&w, err));
	ISO_TRY_OUT(
		add_pair(&w, ISO_PAIR_REMOVE, row, 0, "the only record of its class", key, err));
	ISO_TRY_OUT(add_pair(&w, ISO_PAIR_REPLACE, row, LOOK_LOW,
			     "one of another class, emptying the class", key, err));
	*out = w;
	return ISO_OK;
out:
	iso_world_free(&w);
	return st;
}

/* ------------------------------------------------------------------ odd tables */

#define LARGE 1300

static iso_status large_base(const iso_table *data, uint64_t seed, iso_table **out, iso_error *err)
{
	ISO_TRY(iso_world_random(data, seed, LARGE, out, err));
	for (size_t r = 0; r < LARGE; r += 2) /* half of them real rows, over and over */
		iso_table_copy_row(data, r % data->n, *out, r);
	return ISO_OK;
}

/* The lowest or the highest value of a column that is there. */
static void tie_row(iso_table *t, size_t row)
{
	const iso_schema *s = t->schema;

	for (size_t j = 0; j < s->ncol; j++) {
		const iso_column *c = &s->column[j];

		if (c->role != ISO_ID)
			cells_of(t, row)[j] =
				value_of(c, (row + j) % 3 ? LOOK_LOW : LOOK_HIGH, j, 0);
	}
	for (size_t p = 0; p < s->npixel; p++)
		t->pixels[row * s->npixel + p] = (row + p) % 3 ? 0 : 255;
}

static iso_status odd_pairs(iso_world *w, uint64_t seed, size_t n, iso_error *err)
{
	static const iso_pair_op turn[] = {ISO_PAIR_REMOVE, ISO_PAIR_ADD, ISO_PAIR_REPLACE};
	const iso_key key = iso_key_new(seed, "verify/odd");

	ISO_TRY(add_pair(w, ISO_PAIR_ADD, 0, LOOK_HIGH, "a record at every upper bound", key, err));
	ISO_TRY(add_pair(w, ISO_PAIR_REMOVE, 0, 0, "the first record", key, err));
	ISO_TRY(add_pair(w, ISO_PAIR_REPLACE, w->base->n / 2, LOOK_RANDOM, "a random record", key,
			 err));
	ISO_TRY(add_pair(w, ISO_PAIR_ADD, 0, LOOK_LOW, "a record at every lower bound", key, err));
	for (size_t i = 0; w->npair < n; i++)
		ISO_TRY(add_pair(w, turn[i % 3], (7 * i) % w->base->n, LOOK_RANDOM,
				 i % 3 ? "a random record" : "a record", key, err));
	cut_pairs(w, n);
	return ISO_OK;
}

iso_status iso_world_odd(const iso_table *data, iso_oddity what, uint64_t seed, size_t n,
			 iso_world *out, iso_error *err)
{
	static const char *const name[] = {"a constant table", "a table of ties", "a large table"};
	iso_world w = {.name = name[what]};
	iso_status st;

	*out = (iso_world){0};
	if (what == ISO_WORLD_LARGE)
		ISO_TRY_OUT(large_base(data, seed, &w.base, err));
	else
		ISO_TRY_OUT(copy_table(data, &w.base, err));
	for (size_t r = 0; r < w.base->n && what != ISO_WORLD_LARGE; r++) {
		if (what == ISO_WORLD_CONSTANT)
			iso_table_copy_row(w.base, 0, w.base, r);
		else
			tie_row(w.base, r);
	}
	ISO_TRY_OUT(count_classes(&w, err));
	ISO_TRY_OUT(odd_pairs(&w, seed, n, err));
	*out = w;
	return ISO_OK;
out:
	iso_world_free(&w);
	return st;
}
