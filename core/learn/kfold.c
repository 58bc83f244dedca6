// SPDX-License-Identifier: Apache-2.0
#include "core/learn/kfold.h"

#include "core/base/alloc.h"

/* Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S). */
iso_status iso_subset(iso_key key, size_t n, size_t m, uint32_t **out, iso_error *err)
{
	ISO_FAIL_IF(m > n, err, ISO_E_USAGE, "a subset of %zu rows of %zu", m, n);
	uint32_t *row = iso_alloc(m, sizeof(*row));
	if (!row)
		return iso_no_memory(err, "a subset of rows");
	iso_stream s = iso_stream_new(key);
	size_t got = 0;
	for (size_t i = 0; got < m; i++)
		if (m == n || iso_next_below(&s, n - i) < m - got)
			row[got++] = (uint32_t)i;
	*out = row;
	return ISO_OK;
}

typedef struct deal {
	size_t classes, folds;
	size_t *load;  /* [folds][classes] rows dealt so far */
	size_t *total; /* [folds] */
} deal;

/* The fold where rows of these classes are rarest; ties: the smallest fold, then the first.  With
 * one row at a time this is dealing out in turn. */
static size_t rarest(const deal *d, const size_t *count)
{
	size_t best = 0, best_cost = SIZE_MAX;

	for (size_t f = 0; f < d->folds; f++) {
		size_t cost = 0;

		for (size_t c = 0; c < d->classes; c++)
			cost += count[c] * d->load[f * d->classes + c];
		if (cost < best_cost || (cost == best_cost && d->total[f] < d->total[best])) {
			best = f;
			best_cost = cost;
		}
	}
	return best;
}

static void place(deal *d, size_t f, const size_t *count)
{
	for (size_t c = 0; c < d->classes; c++) {
		d->load[f * d->classes + c] += count[c];
		d->total[f] += count[c];
	}
}

/* Groups of several rows: heads holds their first rows, shuffled; size[g] their sizes. */
static void deal_groups(deal *d, const uint32_t *y, const uint32_t *group, size_t n,
			const uint32_t *heads, size_t nheads, const uint32_t *size,
			const uint32_t *next, size_t *count, uint32_t *fold)
{
	size_t largest = 0;

	for (size_t h = 0; h < nheads; h++)
		largest = size[group[heads[h]]] > largest ? size[group[heads[h]]] : largest;
	for (size_t want = largest, below; want > 1; want = below) {
		below = 1;
		for (size_t h = 0; h < nheads; h++) {
			const size_t s = size[group[heads[h]]];

			if (s < want && s > below)
				below = s;
			if (s != want)
				continue;
			for (size_t c = 0; c < d->classes; c++)
				count[c] = 0;
			for (size_t i = heads[h]; i < n; i = next[i])
				count[y[i]]++;
			const size_t f = rarest(d, count);
			place(d, f, count);
			for (size_t i = heads[h]; i < n; i = next[i])
				fold[i] = (uint32_t)f;
		}
	}
}

/* Links equal rows: next[i] = the next row of i's group, n at the end; size[g]; heads = first rows
 * of the groups of several. */
static size_t link_groups(const uint32_t *group, size_t n, uint32_t *size, uint32_t *next,
			  uint32_t *last, uint32_t *heads)
{
	size_t nheads = 0;

	for (size_t i = 0; i < n; i++) {
		const uint32_t g = group[i];

		next[i] = (uint32_t)n;
		if (size[g]++)
			next[last[g]] = (uint32_t)i;
		last[g] = (uint32_t)i;
	}
	for (size_t i = 0; i < n; i++)
		if (size[group[i]] > 1 && last[group[i]] != UINT32_MAX) {
			heads[nheads++] = (uint32_t)i;
			last[group[i]] = UINT32_MAX;
		}
	return nheads;
}

static iso_status deal_equal_rows(iso_key key, deal *d, const uint32_t *y, const uint32_t *group,
				  size_t n, uint32_t *size, size_t *count, uint32_t *fold,
				  iso_error *err)
{
	uint32_t *next = iso_alloc(n, sizeof(*next)), *last = iso_alloc(n, sizeof(*last));
	uint32_t *heads = iso_alloc(n, sizeof(*heads));
	iso_status st = ISO_OK;

	if (next && last && heads) {
		iso_stream s = iso_stream_new(iso_key_child(key, "groups", 0));
		const size_t nheads = link_groups(group, n, size, next, last, heads);

		iso_shuffle(&s, heads, nheads);
		deal_groups(d, y, group, n, heads, nheads, size, next, count, fold);
	} else {
		st = iso_no_memory(err, "the folds of a cross-validation");
	}
	iso_free(next);
	iso_free(last);
	iso_free(heads);
	return st;
}

static void deal_rows(iso_key key, deal *d, const uint32_t *y, const uint32_t *group,
		      const uint32_t *size, size_t n, size_t *count, uint32_t *member,
		      uint32_t *fold)
{
	for (size_t c = 0; c < d->classes; c++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "fold", c));
		size_t m = 0;

		for (size_t k = 0; k < d->classes; k++)
			count[k] = k == c;
		for (size_t i = 0; i < n; i++)
			if (y[i] == c && (!group || size[group[i]] == 1))
				member[m++] = (uint32_t)i;
		iso_shuffle(&s, member, m);
		for (size_t i = 0; i < m; i++) {
			fold[member[i]] = (uint32_t)rarest(d, count);
			place(d, fold[member[i]], count);
		}
	}
}

iso_status iso_stratified_folds(iso_key key, const uint32_t *y, const uint32_t *group, size_t n,
				size_t classes, size_t folds, uint32_t *fold, iso_error *err)
{
	ISO_FAIL_IF(!folds, err, ISO_E_USAGE, "zero folds");
	deal d = {.classes = classes,
		  .folds = folds,
		  .load = iso_alloc(folds * classes, sizeof(*d.load)),
		  .total = iso_alloc(folds, sizeof(*d.total))};
	uint32_t *member = iso_alloc(n, sizeof(*member)), *size = iso_alloc(n, sizeof(*size));
	size_t *count = iso_alloc(classes, sizeof(*count));
	iso_status st = ISO_OK;

	if (!d.load || !d.total || !member || !size || !count)
		st = iso_no_memory(err, "the folds of a cross-validation");
	if (st == ISO_OK && group)
		st = deal_equal_rows(key, &d, y, group, n, size, count, fold, err);
	if (st == ISO_OK)
		deal_rows(key, &d, y, group, size, n, count, member, fold);
	iso_free(d.load);
	iso_free(d.total);
	iso_free(member);
	iso_free(size);
	iso_free(count);
	return st;
}
