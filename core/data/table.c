// SPDX-License-Identifier: Apache-2.0
#include "core/data/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/sha256.h"
#include "core/data/rows.h"

iso_status iso_table_new(const iso_schema *s, size_t n, iso_table **out, iso_error *err)
{
	iso_table *t = iso_alloc(1, sizeof(*t));
	size_t cells, bytes;

	*out = NULL;
	if (!t)
		return iso_no_memory(err, "a table");
	t->schema = s;
	t->n = n;
	if (!__builtin_mul_overflow(n, s->ncol, &cells) &&
	    !__builtin_mul_overflow(n, s->npixel, &bytes)) {
		t->cells = iso_alloc(cells, sizeof(*t->cells));
		t->id = iso_alloc(n, sizeof(*t->id));
		t->pixels = s->npixel ? iso_alloc(bytes, 1) : NULL;
	}
	if (!t->cells || !t->id || (s->npixel && !t->pixels)) {
		iso_table_free(t);
		return iso_no_memory(err, "a table");
	}
	for (size_t i = 0; i < n; i++)
		t->id[i] = i;
	for (size_t c = 0; c < s->ncol; c++)
		if (iso_is_dropped(&s->column[c]))
			for (size_t i = 0; i < n; i++)
				t->cells[i * s->ncol + c] = NAN;
	*out = t;
	return ISO_OK;
}

void iso_table_free(iso_table *t)
{
	if (!t)
		return;
	iso_free(t->cells);
	iso_free(t->pixels);
	iso_free(t->id);
	iso_free(t->client);
	iso_free(t);
}

void iso_table_copy_row(const iso_table *from, size_t r, iso_table *to, size_t at)
{
	size_t ncol = from->schema->ncol, npixel = from->schema->npixel;

	memmove(to->cells + at * ncol, from->cells + r * ncol, ncol * sizeof(*to->cells));
	if (npixel)
		memmove(to->pixels + at * npixel, from->pixels + r * npixel, npixel);
	if (to->client)
		to->client[at] = from->client ? from->client[r] : 0;
}

iso_status iso_table_add_clients(iso_table *t, size_t nclient, iso_error *err)
{
	if (t->client)
		return ISO_OK;
	t->client = iso_alloc(t->n, sizeof(*t->client));
	if (!t->client)
		return iso_no_memory(err, "the clients of a table");
	t->nclient = nclient;
	return ISO_OK;
}

/* A table of n rows with clients wherever `like` has them. */
static iso_status new_like(const iso_table *like, size_t n, iso_table **out, iso_error *err)
{
	iso_status st;

	ISO_TRY(iso_table_new(like->schema, n, out, err));
	if (!like->client)
		return ISO_OK;
	st = iso_table_add_clients(*out, like->nclient, err);
	if (st != ISO_OK) {
		iso_table_free(*out);
		*out = NULL;
	}
	return st;
}

iso_status iso_table_select(const iso_table *t, const uint32_t *row, size_t n, iso_table **out,
			    iso_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (row[i] >= t->n) {
			*out = NULL;
			return iso_fail(
				err, ISO_E_USAGE,
				"row out of range (table): row %u of %zu; select existing rows",
				row[i], t->n);
		}
	ISO_TRY(new_like(t, n, out, err));
	for (size_t i = 0; i < n; i++) {
		iso_table_copy_row(t, row[i], *out, i);
		(*out)->id[i] = t->id[row[i]];
	}
	return ISO_OK;
}

/* The ids of b follow those of a where they would collide, so that every record keeps an identity
 * of its own. */
iso_status iso_table_concat(const iso_table *a, const iso_table *b, iso_table **out, iso_error *err)
{
	const int clients = a->client && b->client;
	uint64_t next = 0;

	*out = NULL;
	if (a->schema != b->schema)
		return iso_fail(
			err, ISO_E_USAGE,
			"different schemas (table): \"%s\" and \"%s\"; join tables of one schema",
			a->schema->name, b->schema->name);
	ISO_FAIL_IF(clients && a->nclient != b->nclient, err, ISO_E_USAGE,
		    "different clients (table): %zu and %zu; join tables of one partition",
		    a->nclient, b->nclient);
	ISO_TRY(clients ? new_like(a, a->n + b->n, out, err)
			: iso_table_new(a->schema, a->n + b->n, out, err));
	for (size_t i = 0; i < a->n; i++) {
		iso_table_copy_row(a, i, *out, i);
		(*out)->id[i] = a->id[i];
		next = a->id[i] >= next ? a->id[i] + 1 : next;
	}
	for (size_t i = 0; i < b->n; i++) {
		iso_table_copy_row(b, i, *out, a->n + i);
		(*out)->id[a->n + i] = next + b->id[i];
	}
	return ISO_OK;
}

double iso_table_cell(const iso_table *t, size_t r, size_t c)
{
	return t->cells[r * t->schema->ncol + c];
}

size_t iso_table_label(const iso_table *t, size_t r)
{
	double x;

	if (t->schema->label < 0)
		return (size_t)-1;
	x = iso_table_cell(t, r, (size_t)t->schema->label);
	return x >= 0 ? (size_t)x : (size_t)-1;
}

static const char *cell_fault(const iso_column *c, double x)
{
	if (isnan(x))
		return c->nmissing ? NULL : "missing, which the schema does not allow";
	if (iso_is_discrete(c))
		return x >= 0 && x < (double)c->ncategory && x == floor(x)
			       ? NULL
			       : "not an index of its categories";
	if (!(x >= c->lo && x <= c->hi))
		return "outside its bounds";
	return iso_is_whole(c) && x != floor(x) ? "not an integer" : NULL;
}

static iso_status check_sequences(const iso_table *t, size_t r, iso_error *err)
{
	const char *name;
	size_t step;
	const char *fault =
		iso_sequences_fault(t->schema, t->cells + r * t->schema->ncol, &name, &step);

	if (!fault)
		return ISO_OK;
	return iso_fail(err, ISO_E_DATA,
			"sequence outside the schema (row %zu): %s %s at step %zu; a row has at "
			"least one step and no gap",
			r, name, fault, step);
}

iso_status iso_table_check(const iso_table *t, iso_error *err)
{
	for (size_t r = 0; r < t->n && t->schema->nsequence; r++)
		ISO_TRY(check_sequences(t, r, err));
	for (size_t r = 0; r < t->n; r++)
		for (size_t k = 0; k < t->schema->ncol; k++) {
			const iso_column *c = &t->schema->column[k];
			double x = iso_table_cell(t, r, k);
			const char *fault =
				iso_is_dropped(c) || c->type == ISO_PIXEL ? NULL : cell_fault(c, x);
			char text[32];

			if (!fault)
				continue;
			iso_json_number_text(x, text);
			return iso_fail(err, ISO_E_DATA,
					"value outside the schema (row %zu, column %s): %s is %s; "
					"correct "
					"the row or the schema",
					r, c->name, text, fault);
		}
	return ISO_OK;
}

/* Both zeros and every NaN count as one value, so that equal tables give equal bytes. */
static void put_double(uint8_t out[8], double x)
{
	uint64_t bits;

	x = isnan(x) ? NAN : x == 0 ? 0 : x;
	memcpy(&bits, &x, sizeof(bits));
	if (isnan(x))
		bits = 0x7ff8000000000000u;
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(bits >> (8 * i));
}

iso_status iso_table_hash(const iso_table *t, char hex[65], iso_error *err)
{
	size_t ncol = t->schema->ncol;
	uint8_t digest[32], *row = iso_alloc(ncol, 8);
	iso_str text = {0};
	iso_sha256 sha = {0};
	cJSON *json = NULL;
	iso_status st = row ? ISO_OK : iso_no_memory(err, "a hash");

	if (st == ISO_OK)
		st = iso_schema_to_json(t->schema, &json, err);
	if (st == ISO_OK)
		st = iso_json_canonical(json, &text, err);
	if (st == ISO_OK) {
		iso_sha256_init(&sha);
		iso_sha256_add(&sha, text.p, text.n);
		for (size_t r = 0; r < t->n; r++) {
			for (size_t c = 0; c < ncol; c++)
				put_double(row + 8 * c, t->cells[r * ncol + c]);
			iso_sha256_add(&sha, row, 8 * ncol);
		}
		if (t->schema->npixel)
			iso_sha256_add(&sha, t->pixels, t->n * t->schema->npixel);
		for (size_t r = 0; t->client && r < t->n; r++)
			iso_sha256_add(&sha,
				       (uint8_t[]){(uint8_t)t->client[r],
						   (uint8_t)(t->client[r] >> 8),
						   (uint8_t)(t->client[r] >> 16),
						   (uint8_t)(t->client[r] >> 24)},
				       4);
		st = iso_sha256_end(&sha, digest, err);
	}
	if (st == ISO_OK)
		iso_hex(digest, 32, hex);
	cJSON_Delete(json);
	iso_str_free(&text);
	iso_free(row);
	return st;
}

/* FNV-1a over the canonical bytes of the cells and the pixels; equality is always checked exactly.
 */
uint64_t iso_row_hash(const iso_table *t, size_t r)
{
	const iso_schema *s = t->schema;
	uint64_t h = 0xcbf29ce484222325u;
	uint8_t b[8];

	for (size_t c = 0; c < s->ncol; c++) {
		if (iso_is_dropped(&s->column[c]))
			continue;
		put_double(b, iso_table_cell(t, r, c));
		for (int i = 0; i < 8; i++)
			h = (h ^ b[i]) * 0x100000001b3u;
	}
	for (size_t i = 0; i < s->npixel; i++)
		h = (h ^ t->pixels[r * s->npixel + i]) * 0x100000001b3u;
	return h;
}

int iso_row_equal(const iso_table *t, size_t a, size_t b)
{
	const iso_schema *s = t->schema;

	for (size_t c = 0; c < s->ncol; c++) {
		double x = iso_table_cell(t, a, c), y = iso_table_cell(t, b, c);

		if (!iso_is_dropped(&s->column[c]) && x != y && !(isnan(x) && isnan(y)))
			return 0;
	}
	return s->npixel == 0 ||
	       memcmp(t->pixels + a * s->npixel, t->pixels + b * s->npixel, s->npixel) == 0;
}

iso_status iso_rows_first(const iso_table *t, uint32_t **first, iso_error *err)
{
	size_t size = 16;
	uint32_t *slot, *list = iso_alloc(
				t->n, sizeof(*list)); /* slot: row + 1, 0 = free; open addressing */

	while (size < 2 * t->n)
		size *= 2;
	slot = iso_alloc(size, sizeof(*slot));
	if (!slot || !list || t->n >= UINT32_MAX) {
		iso_free(slot);
		iso_free(list);
		return iso_no_memory(err, "the search for duplicates");
	}
	for (size_t r = 0; r < t->n; r++) {
		size_t at = (size_t)(iso_row_hash(t, r) * 0x9e3779b97f4a7c15u >> 20) & (size - 1);

		while (slot[at] && !iso_row_equal(t, slot[at] - 1, r))
			at = (at + 1) & (size - 1);
		if (!slot[at])
			slot[at] = (uint32_t)r + 1;
		list[r] = slot[at] - 1;
	}
	iso_free(slot);
	*first = list;
	return ISO_OK;
}
