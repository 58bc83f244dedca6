// SPDX-License-Identifier: Apache-2.0
#include "core/learn/trees.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

#define MOST_DEPTH 64

/* ---- cells ---- */

static int compare_floats(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The distinct values of a column into seen, ascending, if there are at most ISO_TREE_BINS; else 0.
 */
static size_t few_values(const float *x, size_t n, float *seen)
{
	size_t m = 0, last = 0;

	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		if (m && x[i] == seen[last])
			continue;
		while (j < m && seen[j] != x[i])
			j++;
		if (j == ISO_TREE_BINS)
			return 0;
		if (j == m)
			seen[m++] = x[i];
		last = j;
	}
	qsort(seen, m, sizeof(*seen), compare_floats);
	return m;
}

/* Borders half-way between neighbouring distinct values, at most 63, at equal numbers of rows. */
static size_t borders_of(const float *sorted, size_t n, float *border)
{
	size_t distinct = 1, m = 0;

	for (size_t i = 1; i < n; i++)
		distinct += sorted[i] != sorted[i - 1];
	for (size_t i = 1; i < n && m < ISO_TREE_BINS - 1; i++) {
		const int due = distinct <= ISO_TREE_BINS || i * ISO_TREE_BINS >= (m + 1) * n;

		if (sorted[i] != sorted[i - 1] && due)
			border[m++] = 0.5f * (sorted[i - 1] + sorted[i]);
	}
	return m;
}

static uint8_t cell_of(const float *border, size_t m, float x)
{
	size_t lo = 0, hi = m;

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (x <= border[mid])
			hi = mid;
		else
			lo = mid + 1;
	}
	return (uint8_t)lo;
}

iso_status iso_binned_new(const float *x, size_t n, size_t d, iso_binned *out, iso_error *err)
{
	float *column = iso_alloc(n, sizeof(*column)), seen[ISO_TREE_BINS];

	*out = (iso_binned){.n = n,
			    .d = d,
			    .code = iso_alloc(n, d),
			    .border = iso_alloc(d, ISO_TREE_BINS * sizeof(float)),
			    .ncell = iso_alloc(d, 1)};
	if (!column || !out->code || !out->border || !out->ncell) {
		iso_free(column);
		iso_binned_free(out);
		return iso_no_memory(err, "the cells of a tree");
	}
	for (size_t j = 0; j < d; j++) {
		float *border = out->border + j * ISO_TREE_BINS;

		for (size_t i = 0; i < n; i++)
			column[i] = x[i * d + j];
		const size_t few = few_values(column, n, seen);
		if (!few)
			qsort(column, n, sizeof(*column), compare_floats);
		const size_t m =
			few ? borders_of(seen, few, border) : borders_of(column, n, border);
		for (size_t i = 0; i < n; i++)
			out->code[j * n + i] = cell_of(border, m, x[i * d + j]);
		out->ncell[j] = (uint8_t)(m + 1);
	}
	iso_free(column);
	return ISO_OK;
}

void iso_binned_free(iso_binned *b)
{
	iso_free(b->code);
	iso_free(b->border);
	iso_free(b->ncell);
	*b = (iso_binned){0};
}

/* ---- growing ---- */

typedef struct grower {
	const iso_binned *b;
	const iso_dtree_config *c;
	iso_stream *stream;
	iso_dtree *tree;
	uint32_t *row;	   /* rows of positive weight; every node owns a range */
	uint64_t *pack;	   /* two classes: of each of them weight + 2^32 weight of class 1 */
	uint64_t *packed;  /* scratch of the same size */
	uint32_t *feature; /* [d] */
	double *sum;	   /* [BINS][k] */
	double *total;	   /* [k] of the node */
	double *left;	   /* [k] */
	double weight[ISO_TREE_BINS];
} grower;

typedef struct split {
	size_t feature, cell;
	double gain;
} split;

typedef struct task {
	size_t node, from, to, depth;
} task;

/* Two classes: weights are whole numbers, so packed sums are exact.  What the second of two cells
 * holds: */
static uint64_t second_cell(const grower *g, const uint8_t *code, size_t from, size_t to)
{
	const uint32_t *row = g->row;
	const uint64_t *pack = g->pack;
	uint64_t a = 0, b = 0;
	size_t i = from;

	for (; i + 2 <= to; i += 2) {
		a += pack[i] & -(uint64_t)code[row[i]];
		b += pack[i + 1] & -(uint64_t)code[row[i + 1]];
	}
	if (i < to)
		a += pack[i] & -(uint64_t)code[row[i]];
	return a + b;
}

static void histogram(grower *g, size_t feature, size_t from, size_t to)
{
	const uint8_t *code = g->b->code + feature * g->b->n;
	const iso_dtree_config *c = g->c;
	const size_t cells = g->b->ncell[feature];

	memset(g->weight, 0, cells * sizeof(*g->weight));
	memset(g->sum, 0, cells * c->k * sizeof(*g->sum));
	for (size_t i = from; i < to; i++) {
		const uint32_t r = g->row[i];
		const double w = c->weight[r];

		g->weight[code[r]] += w;
		if (c->y)
			g->sum[code[r] * c->k + c->y[r]] += w;
		else
			g->sum[code[r]] += w * c->target[r];
	}
}

static double purity(const double *s, size_t k, double w)
{
	double p = 0;

	for (size_t i = 0; i < k; i++)
		p += s[i] * s[i];
	return p / w;
}

/* The one split of a column of two cells between two classes. */
static void try_binary(const grower *g, size_t feature, size_t from, size_t to, double all,
		       double least, split *best)
{
	const uint64_t right = second_cell(g, g->b->code + feature * g->b->n, from, to);
	const double wr = (double)(uint32_t)right, w = all - wr, r1 = (double)(right >> 32),
		     r0 = wr - r1, l0 = g->total[0] - r0, l1 = g->total[1] - r1;

	if (w < least || wr < least || w == 0 || wr == 0)
		return;
	const double gain = (l0 * l0 + l1 * l1) / w + (r0 * r0 + r1 * r1) / wr;
	if (gain > best->gain * (1 + 1e-12) + 1e-300)
		*best = (split){feature, 0, gain};
}

/* The splits of a column of more cells between two classes; empty cells are passed over. */
static void try_pairs(const grower *g, size_t feature, size_t from, size_t to, double all,
		      double least, split *best)
{
	const uint8_t *code = g->b->code + feature * g->b->n;
	const size_t cells = g->b->ncell[feature];
	uint64_t sum[ISO_TREE_BINS], left = 0;

	memset(sum, 0, cells * sizeof(*sum));
	for (size_t i = from; i < to; i++)
		sum[code[g->row[i]]] += g->pack[i];
	for (size_t cell = 0; cell + 1 < cells; cell++) {
		if (!sum[cell])
			continue;
		left += sum[cell];
		const double w = (double)(uint32_t)left, wr = all - w, l1 = (double)(left >> 32),
			     l0 = w - l1, r0 = g->total[0] - l0, r1 = g->total[1] - l1;

		if (w < least || wr < least || wr == 0)
			continue;
		const double gain = (l0 * l0 + l1 * l1) / w + (r0 * r0 + r1 * r1) / wr;
		if (gain > best->gain * (1 + 1e-12) + 1e-300)
			*best = (split){feature, cell, gain};
	}
}

static void try_feature(grower *g, size_t feature, size_t from, size_t to, double all, split *best)
{
	const size_t k = g->c->k, cells = g->b->ncell[feature];
	const double least = g->c->least ? (double)g->c->least : 1;
	double w = 0;

	if (cells < 2)
		return;
	if (g->pack && cells == 2) {
		try_binary(g, feature, from, to, all, least, best);
		return;
	}
	if (g->pack) {
		try_pairs(g, feature, from, to, all, least, best);
		return;
	}
	histogram(g, feature, from, to);
	memset(g->left, 0, k * sizeof(*g->left));
	for (size_t cell = 0; cell + 1 < cells; cell++) {
		double right = 0;

		w += g->weight[cell];
		for (size_t i = 0; i < k; i++) {
			const double rest = g->total[i] - (g->left[i] += g->sum[cell * k + i]);

			right += rest * rest;
		}
		if (g->weight[cell] == 0 || w < least || all - w < least)
			continue;
		const double gain = purity(g->left, k, w) + right / (all - w);
		if (gain > best->gain * (1 + 1e-12) + 1e-300)
			*best = (split){feature, cell, gain};
	}
}

static iso_status add_node(iso_dtree *t, size_t *at, iso_error *err)
{
	ISO_TRY(iso_grow(&t->node, &t->cap, t->n + 1, sizeof(*t->node), err));
	ISO_TRY(iso_grow(&t->value, &t->value_cap, (t->n + 1) * t->k, sizeof(*t->value), err));
	t->node[t->n] = (iso_dtree_node){0};
	*at = t->n++;
	return ISO_OK;
}

/* Sums of the node, its value; the weight of its rows. */
static double settle(grower *g, const task *q)
{
	const iso_dtree_config *c = g->c;
	double w = 0;

	memset(g->total, 0, c->k * sizeof(*g->total));
	if (g->pack) {
		uint64_t all = 0;

		for (size_t i = q->from; i < q->to; i++)
			all += g->pack[i];
		w = (double)(uint32_t)all;
		g->total[1] = (double)(all >> 32);
		g->total[0] = w - g->total[1];
	}
	for (size_t i = q->from; !g->pack && i < q->to; i++) {
		const uint32_t r = g->row[i];

		w += c->weight[r];
		if (c->y)
			g->total[c->y[r]] += c->weight[r];
		else
			g->total[0] += c->weight[r] * c->target[r];
	}
	for (size_t i = 0; i < c->k; i++)
		g->tree->value[q->node * c->k + i] = g->total[i] / w;
	return w;
}

static int is_pure(const grower *g, double w)
{
	for (size_t i = 0; g->c->y && i < g->c->k; i++)
		if (g->total[i] == w)
			return 1;
	return 0;
}

/* Rows of the left side first, in their order; scratch [rows] and the same of packed weights. */
static size_t partition(grower *g, const task *q, const split *s, uint32_t *scratch)
{
	const uint8_t *code = g->b->code + s->feature * g->b->n;
	size_t left = q->from, right = 0;

	for (size_t i = q->from; i < q->to; i++) {
		const uint32_t r = g->row[i];
		const int goes_left = code[r] <= s->cell;

		if (g->pack) {
			const uint64_t p = g->pack[i];

			g->pack[left] = p; /* left <= i: overwritten again unless it stays */
			g->packed[right] = p;
		}
		g->row[left] = r;
		scratch[right] = r;
		left += (size_t)goes_left;
		right += (size_t)!goes_left;
	}
	memcpy(g->row + left, scratch, right * sizeof(*scratch));
	if (g->pack)
		memcpy(g->pack + left, g->packed, right * sizeof(*g->packed));
	return left;
}

static split find_split(grower *g, const task *q, double w)
{
	const size_t d = g->b->d;
	const size_t want = g->c->features && g->c->features < d ? g->c->features : d;
	split best = {0, 0, purity(g->total, g->c->k, w)};
	const double before = best.gain;

	for (size_t i = 0; i < d; i++) {
		if (i >= want &&
		    best.gain > before) /* as scikit-learn: on until a split is found */
			break;
		if (want < d) {
			const size_t j = i + (size_t)iso_next_below(g->stream, d - i);
			const uint32_t t = g->feature[i];

			g->feature[i] = g->feature[j];
			g->feature[j] = t;
		}
		try_feature(g, g->feature[i], q->from, q->to, w, &best);
	}
	if (!(best.gain > before * (1 + 1e-12) + 1e-300))
		best.gain = -1;
	return best;
}

static iso_status grow(grower *g, size_t rows, task *stack, uint32_t *scratch, iso_error *err)
{
	const size_t deepest = g->c->depth && g->c->depth < MOST_DEPTH ? g->c->depth : MOST_DEPTH;
	iso_dtree *t = g->tree;
	size_t n = 0, root;

	ISO_TRY(add_node(t, &root, err));
	stack[n++] = (task){root, 0, rows, 0};
	while (n) {
		const task q = stack[--n];
		const double w = settle(g, &q);
		split s = {0, 0, -1};
		size_t left, right;

		if (q.depth < deepest && !is_pure(g, w))
			s = find_split(g, &q, w);
		if (s.gain < 0) {
			for (size_t i = q.from; g->c->leaf && i < q.to; i++)
				g->c->leaf[g->row[i]] = (uint32_t)q.node;
			continue;
		}
		const size_t middle = partition(g, &q, &s, scratch);
		ISO_TRY(add_node(t, &left, err));
		ISO_TRY(add_node(t, &right, err));
		t->node[q.node] = (iso_dtree_node){(uint32_t)s.feature,
						   g->b->border[s.feature * ISO_TREE_BINS + s.cell],
						   (uint32_t)left, (uint32_t)right};
		stack[n++] = (task){right, middle, q.to, q.depth + 1};
		stack[n++] = (task){left, q.from, middle, q.depth + 1};
	}
	return ISO_OK;
}

/* Do sums of all weights fit half of a packed word? */
static int weights_fit(const iso_binned *b, const iso_dtree_config *c)
{
	uint64_t all = 0;

	for (size_t i = 0; i < b->n; i++)
		all += c->weight[i];
	return all <= UINT32_MAX;
}

iso_status iso_dtree_grow(const iso_binned *b, const iso_dtree_config *c, iso_stream *s,
			  iso_dtree *out, iso_error *err)
{
	task stack[2 * MOST_DEPTH + 2];
	grower g = {.b = b,
		    .c = c,
		    .stream = s,
		    .tree = out,
		    .row = iso_alloc(b->n, sizeof(*g.row)),
		    .feature = iso_alloc(b->d, sizeof(*g.feature)),
		    .sum = iso_alloc(ISO_TREE_BINS * c->k, sizeof(*g.sum)),
		    .total = iso_alloc(c->k, sizeof(*g.total)),
		    .left = iso_alloc(c->k, sizeof(*g.left))};
	const int two = c->y && c->k == 2 && weights_fit(b, c);
	uint32_t *scratch = iso_alloc(b->n + 1, sizeof(*scratch));
	size_t rows = 0;
	iso_status st = ISO_OK;

	g.pack = two ? iso_alloc(b->n, sizeof(*g.pack)) : NULL;
	g.packed = two ? iso_alloc(b->n + 1, sizeof(*g.packed)) : NULL;

	*out = (iso_dtree){.k = c->k};
	if ((two && (!g.pack || !g.packed)) || !g.row || !g.feature || !g.sum || !g.total ||
	    !g.left || !scratch)
		st = iso_no_memory(err, "a tree");
	if (st == ISO_OK) {
		for (size_t i = 0; i < b->n; i++)
			if (c->weight[i]) {
				if (two)
					g.pack[rows] = c->weight[i] +
						       ((uint64_t)(c->y[i] * c->weight[i]) << 32);
				g.row[rows++] = (uint32_t)i;
			}
		for (size_t j = 0; j < b->d; j++)
			g.feature[j] = (uint32_t)j;
		st = rows ? grow(&g, rows, stack, scratch, err)
			  : iso_fail(err, ISO_E_DATA, "a tree needs at least one row");
	}
	iso_free(g.row);
	iso_free(g.feature);
	iso_free(g.sum);
	iso_free(g.total);
	iso_free(g.left);
	iso_free(g.pack);
	iso_free(g.packed);
	iso_free(scratch);
	if (st != ISO_OK)
		iso_dtree_free(out);
	return st;
}

void iso_dtree_free(iso_dtree *t)
{
	iso_free(t->node);
	iso_free(t->value);
	*t = (iso_dtree){0};
}

size_t iso_dtree_leaf(const iso_dtree *t, const float *x)
{
	size_t at = 0;

	while (t->node[at].left)
		at = x[t->node[at].feature] <= t->node[at].border ? t->node[at].left
								  : t->node[at].right;
	return at;
}

/* Eight rows go down side by side: while one waits for memory the others move.  A leaf stays where
 * it is; past the end the last row is asked again. */
void iso_dtree_leaves(const iso_dtree *t, const float *x, size_t d, size_t n, uint32_t *leaf)
{
	enum { SIDE = 8 };
	const iso_dtree_node *node = t->node;

	for (size_t i = 0; i < n; i += SIDE) {
		const float *row[SIDE];
		uint32_t at[SIDE] = {0}, moving = 1;

		for (size_t l = 0; l < SIDE; l++)
			row[l] = x + (i + l < n ? i + l : n - 1) * d;
		while (moving) {
			moving = 0;
			for (size_t l = 0; l < SIDE; l++) {
				const iso_dtree_node *q = &node[at[l]];
				const uint32_t next =
					(&q->left)[!(row[l][q->feature] <= q->border)];

				at[l] = q->left ? next : at[l];
				moving |= q->left;
			}
		}
		for (size_t l = 0; l < SIDE && i + l < n; l++)
			leaf[i + l] = at[l];
	}
}
