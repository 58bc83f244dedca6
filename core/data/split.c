// SPDX-License-Identifier: Apache-2.0
/* Within a class the rows are put in the order of u(seed, id); the first share is train, the next
 * hold-out, the next auxiliary.  Removing a record moves at most the ranks behind it, never another
 * class. */
#include "core/data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/rand/rand.h"

enum { PART_TRAIN, PART_HOLDOUT, PART_AUX, PART_PUBLIC, PARTS, PART_NONE = PARTS };

typedef struct ranked {
	size_t label;
	uint64_t word, id;
	uint32_t row;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
	const ranked *x = a, *y = b;

	if (x->label != y->label)
		return x->label < y->label ? -1 : 1;
	if (x->word != y->word)
		return x->word < y->word ? -1 : 1;
	return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x->row > y->row) - (x->row < y->row);
}

static void rank_rows(const iso_table *t, uint64_t seed, ranked *list)
{
	iso_key key = iso_key_new(seed, "data/split");
	int classes = iso_schema_classes(t->schema) > 0;

	for (size_t r = 0; r < t->n; r++) {
		uint32_t w[4];

		iso_rand_words(key, t->id[r], 0, w);
		list[r] = (ranked){classes ? iso_table_label(t, r) : 0, (uint64_t)w[1] << 32 | w[0],
				   t->id[r], (uint32_t)r};
	}
	qsort(list, t->n, sizeof(*list), compare_ranked);
}

/* The parts of one class of m rows: shares are rounded cumulatively, so that their sum is right. */
static void cut_class(const ranked *list, size_t m, const double share[PARTS], uint8_t *part)
{
	double sum = 0;
	size_t at = 0;

	for (int p = 0; p < PARTS; p++) {
		size_t end;

		sum += share[p];
		end = (size_t)floor((double)m * sum + 0.5 + 1e-9);
		for (end = end < m ? end : m; at < end; at++)
			part[list[at].row] = (uint8_t)p;
	}
	for (; at < m; at++)
		part[list[at].row] = PART_NONE;
}

static iso_status collect(const uint8_t *part, size_t n, iso_split *s, iso_error *err)
{
	uint32_t **list[PARTS] = {&s->train, &s->holdout, &s->aux, &s->public_rows};
	size_t *count[PARTS] = {&s->ntrain, &s->nholdout, &s->naux, &s->npublic};

	for (int p = 0; p < PARTS; p++) {
		size_t m = 0;

		for (size_t r = 0; r < n; r++)
			m += part[r] == p;
		*list[p] = iso_alloc(m, sizeof(**list[p]));
		if (!*list[p])
			return iso_no_memory(err, "a split");
		for (size_t r = 0; r < n; r++)
			if (part[r] == p)
				(*list[p])[(*count[p])++] = (uint32_t)r;
	}
	return ISO_OK;
}

iso_status iso_split_make(const iso_table *t, uint64_t seed, double train, double holdout,
			  double aux, iso_split *out, iso_error *err)
{
	return iso_split_shares(t, seed, &(iso_shares){train, holdout, aux, 0}, out, err);
}

iso_status iso_split_shares(const iso_table *t, uint64_t seed, const iso_shares *w, iso_split *out,
			    iso_error *err)
{
	const double share[PARTS] = {w->train, w->holdout, w->aux, w->public_rows};
	ranked *list;
	uint8_t *part;
	iso_split s = {0};
	iso_status st = ISO_OK;

	memset(out, 0, sizeof(*out));
	ISO_FAIL_IF(!(w->train >= 0 && w->holdout >= 0 && w->aux >= 0 && w->public_rows >= 0 &&
		      w->train + w->holdout + w->aux + w->public_rows <= 1 + 1e-9),
		    err, ISO_E_CONFIG,
		    "wrong shares (split): train %g, holdout %g, auxiliary %g, public %g; use "
		    "shares of at least 0 that sum to at most 1",
		    w->train, w->holdout, w->aux, w->public_rows);
	list = iso_alloc(t->n, sizeof(*list));
	part = iso_alloc(t->n, 1);
	if (!list || !part)
		st = iso_no_memory(err, "a split");
	if (st == ISO_OK) {
		rank_rows(t, seed, list);
		for (size_t from = 0, to; from < t->n; from = to) {
			for (to = from; to < t->n && list[to].label == list[from].label;)
				to++;
			cut_class(list + from, to - from, share, part);
		}
	}
	if (st == ISO_OK)
		st = collect(part, t->n, &s, err);
	iso_free(list);
	iso_free(part);
	if (st != ISO_OK) {
		iso_split_free(&s);
		return st;
	}
	*out = s;
	return ISO_OK;
}

void iso_split_free(iso_split *s)
{
	iso_free(s->train);
	iso_free(s->holdout);
	iso_free(s->aux);
	iso_free(s->public_rows);
	memset(s, 0, sizeof(*s));
}
