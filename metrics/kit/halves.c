// SPDX-License-Identifier: Apache-2.0
#include "metrics/kit/halves.h"

#include <string.h>

#include "core/base/alloc.h"
#include "core/data/rows.h"
#include "core/learn/kfold.h"

/* Rows of the learning half first; *n of them. */
static iso_status split(const iso_pooled *p, iso_key key, uint32_t *order, size_t *n,
			iso_error *err)
{
	const size_t rows = 2 * p->m;
	uint32_t *first = NULL, *fold = iso_alloc(rows, sizeof(*fold));
	iso_status st = fold ? iso_rows_first(p->both, &first, err) : iso_no_memory(err, "halves");
	size_t at = 0;

	if (st == ISO_OK)
		st = iso_stratified_folds(iso_key_child(key, "halves", 0), p->y, first, rows, 2, 2,
					  fold, err);
	for (uint32_t side = 0; st == ISO_OK && side < 2; side++) {
		for (size_t i = 0; i < rows; i++)
			if (fold[i] == side)
				order[at++] = (uint32_t)i;
		if (!side)
			*n = at;
	}
	iso_free(first);
	iso_free(fold);
	return st;
}

void iso_halves_free(iso_halves *h)
{
	iso_free(h->x);
	iso_free(h->y);
	iso_free(h->prob);
	iso_free(h->score);
	iso_free(h->truth);
	*h = (iso_halves){0};
}

iso_status iso_halves_new(const iso_pooled *p, iso_key key, iso_halves *h, iso_error *err)
{
	const size_t rows = 2 * p->m, d = p->d;
	uint32_t *order = iso_alloc(rows, sizeof(*order));
	iso_status st = ISO_OK;

	*h = (iso_halves){.rows = rows, .d = d};
	h->x = iso_alloc(rows * d, sizeof(*h->x));
	h->y = iso_alloc(rows, sizeof(*h->y));
	h->prob = iso_alloc(rows, 2 * sizeof(*h->prob));
	h->score = iso_alloc(rows, sizeof(*h->score));
	h->truth = iso_alloc(rows, 1);
	if (!order || !h->x || !h->y || !h->prob || !h->score || !h->truth)
		st = iso_no_memory(err, "the halves of a two-sample test");
	if (st == ISO_OK)
		st = split(p, key, order, &h->n, err);
	for (size_t i = 0; st == ISO_OK && i < rows; i++) {
		h->y[i] = p->y[order[i]];
		memcpy(h->x + i * d, p->x + order[i] * d, d * sizeof(*h->x));
	}
	iso_free(order);
	if (st != ISO_OK)
		iso_halves_free(h);
	return st;
}

int iso_halves_one_sided(const iso_halves *h)
{
	size_t real[2] = {0};

	for (size_t i = 0; i < h->rows; i++)
		real[i >= h->n] += h->y[i];
	return !real[0] || !real[1] || real[0] == h->n || real[1] == h->rows - h->n;
}

iso_status iso_halves_judge(iso_halves *h, const iso_classifier *c, iso_key key, size_t *judged,
			    iso_error *err)
{
	const iso_examples e = {.x = h->x, .n = h->n, .d = h->d, .y = h->y, .classes = 2};

	*judged = h->rows - h->n;
	ISO_TRY(iso_classify(c, &e, key, h->x + h->n * h->d, *judged, h->prob, err));
	for (size_t i = 0; i < *judged; i++) {
		h->truth[i] = (uint8_t)h->y[h->n + i];
		h->score[i] = h->prob[2 * i + 1];
	}
	return ISO_OK;
}
