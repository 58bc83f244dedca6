// SPDX-License-Identifier: Apache-2.0
/* Game: property (which worlds were trained on rows with the larger share of a group?).  Knowledge:
 * SH (can train the same generator), auxiliary rows.
 * Source: K. Ganju et al., Property Inference Attacks on Fully Connected Neural Networks using
 * Permutation Invariant Representations, CCS 2018, the meta-classifier; here on the features of
 * synthetic tables (attacks/kit/table_features.h) in place of weights.
 *
 *     shadows trained on auxiliary rows with the smaller and the larger share in turn; a random
 *     forest on means, medians, variances and histograms of their tables; score = its probability
 *     of "larger" for a world's tables
 */
#include "attacks/kit/table_features.h"
#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/learn/classifier.h"

#define TABLES 2 /* drawn of each model */

typedef struct opts {
	char column[ISO_OPT_TEXT_MAX];
	int64_t shadows;
} opts;
static const iso_option options[] = {
	ISO_OPT_STRING(opts, column, "",
		       "the group is its second category; empty = the label, else the last column"),
	ISO_OPT_INT(opts, shadows, "16", 2, 10000, "shadow models, half of each share"),
	{0}};

static const char *column_of(const void *opt)
{
	return ((const opts *)opt)->column;
}

typedef struct learned {
	float *x;    /* owned [n][d] */
	uint32_t *y; /* owned [n] */
	size_t n, d, rows;
} learned;

static void destroy(void *state)
{
	learned *l = state;

	if (!l)
		return;
	iso_free(l->x);
	iso_free(l->y);
	iso_free(l);
}

/* Auxiliary rows with a share of the group: as many as both shares allow. */
static iso_status shadow_rows(const iso_attack_view *v, int large, iso_stream *mix, iso_table **out,
			      iso_error *err)
{
	const iso_table *t = v->auxiliary;
	uint32_t *row[3] = {iso_alloc(t->n, sizeof(uint32_t)), iso_alloc(t->n, sizeof(uint32_t)),
			    iso_alloc(2 * t->n, sizeof(uint32_t))};
	size_t n[2] = {0}, least, size, in;
	iso_status st = row[0] && row[1] && row[2] ? ISO_OK : iso_no_memory(err, "a shadow");

	ISO_TRY_OUT(st);
	for (size_t r = 0; r < t->n; r++) {
		const int side = iso_table_cell(t, r, (size_t)v->secret) == 1;

		row[side][n[side]++] = (uint32_t)r;
	}
	least = n[0] < n[1] ? n[0] : n[1];
	size = (size_t)((double)least / v->share[1]);
	in = (size_t)((double)size * v->share[large]);
	if (size < 4) {
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "property-inference: too few auxiliary rows of one side (%zu)",
			      least);
		goto out;
	}
	iso_shuffle(mix, row[0], n[0]);
	iso_shuffle(mix, row[1], n[1]);
	for (size_t i = 0; i < size; i++)
		row[2][i] = i < in ? row[1][i] : row[0][i - in];
	ISO_TRY_OUT(iso_table_select(t, row[2], size, out, err));
out:
	for (int i = 0; i < 3; i++)
		iso_free(row[i]);
	return st;
}

/* x [TABLES][*d]: features of the tables of one model. */
static iso_status describe(const iso_attack_view *v, const iso_model *m, size_t rows, float **x,
			   size_t *d, iso_error *err)
{
	*x = NULL;
	for (size_t k = 0; k < TABLES; k++) {
		iso_table *t;
		float *one = NULL;

		ISO_TRY(v->models->draw(m, k, rows, &t, err));
		const iso_status st =
			iso_table_features(t, ISO_TABLE_NAIVE | ISO_TABLE_HISTOGRAM, &one, d, err);

		iso_table_free(t);
		ISO_TRY(st);
		if (!*x)
			*x = iso_alloc(TABLES * *d, sizeof(**x));
		for (size_t j = 0; *x && j < *d; j++)
			(*x)[k * *d + j] = one[j];
		iso_free(one);
		if (!*x)
			return iso_no_memory(err, "features of tables");
	}
	return ISO_OK;
}

static iso_status train_shadow(const iso_attack_view *v, size_t k, iso_stream *mix, learned *l,
			       iso_error *err)
{
	const iso_model *m;
	iso_table *rows = NULL;
	float *x = NULL;
	size_t at = k * TABLES;
	iso_status st;

	ISO_TRY_OUT(shadow_rows(v, k % 2, mix, &rows, err));
	ISO_TRY_OUT(v->models->train(v->models->ctx, rows, k, &m, err));
	ISO_TRY_OUT(describe(v, m, l->rows, &x, &l->d, err));
	if (!l->x)
		l->x = iso_alloc(l->n * l->d, sizeof(*l->x));
	if (!l->x) {
		st = iso_no_memory(err, "features of tables");
		goto out;
	}
	for (size_t j = 0; j < TABLES * l->d; j++)
		l->x[at * l->d + j] = x[j];
	for (size_t i = 0; i < TABLES; i++)
		l->y[at + i] = k % 2;
out:
	iso_table_free(rows);
	iso_free(x);
	return st;
}

static iso_status prepare(const iso_attack_view *v, const void *opt, void **state, iso_error *err)
{
	const size_t shadows = (size_t)((const opts *)opt)->shadows;
	iso_stream mix = iso_stream_new(iso_key_child(v->key, "shadows", 0));
	learned *l;
	iso_status st;

	ISO_FAIL_IF(!v->models || !v->auxiliary || !v->auxiliary->n || v->secret < 0, err,
		    ISO_E_UNSUPPORTED,
		    "property-inference: shadow models and auxiliary rows are needed");
	l = iso_alloc(1, sizeof(*l));
	if (!l)
		return iso_no_memory(err, "shadow tables");
	l->rows = v->auxiliary->n;
	l->n = shadows * TABLES;
	l->y = iso_alloc(l->n, sizeof(*l->y));
	st = l->y ? ISO_OK : iso_no_memory(err, "shadow tables");
	for (size_t k = 0; st == ISO_OK && k < shadows; k++)
		st = train_shadow(v, k, &mix, l, err);
	if (st == ISO_OK)
		*state = l;
	else
		destroy(l);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const learned *l = state;
	const iso_examples e = {.x = l->x, .n = l->n, .d = l->d, .y = l->y, .classes = 2};

	(void)opt;
	ISO_FAIL_IF(!v->world || !v->nworld, err, ISO_E_UNSUPPORTED,
		    "property-inference: there are no worlds");
	for (size_t w = 0; w < v->nworld; w++) {
		double p[2 * TABLES];
		float *x = NULL;
		size_t d;
		iso_status st = describe(v, v->world[w], l->rows, &x, &d, err);

		if (st == ISO_OK)
			st = iso_classify(iso_classifier_find("forest"), &e,
					  iso_key_child(v->key, "forest", 0), x, TABLES, p, err);
		iso_free(x);
		ISO_TRY(st);
		out[w].score = 0;
		for (size_t k = 0; k < TABLES; k++)
			out[w].score += p[2 * k + 1] / TABLES;
	}
	return ISO_OK;
}

const iso_attack iso_attack_property_inference = {
	.abi = ISO_ATTACK_ABI,
	.name = "property-inference",
	.title = "Property inference by a meta-classifier",
	.citation = "K. Ganju, Q. Wang, W. Yang, C. A. Gunter, N. Borisov: Property Inference "
		    "Attacks on Fully Connected Neural Networks using Permutation Invariant "
		    "Representations. CCS 2018. doi:10.1145/3243734.3243834",
	.card = "Shadow generators are trained on the attacker's own rows with a small and a large "
		"share of a group; a random forest learns from moments and histograms of their "
		"tables which share it was. Differential privacy of rows does not hide shares: "
		"success is no violation. Deviation: features of synthetic tables in place of a "
		"network's weights.",
	.goal = ISO_GOAL_PROPERTY,
	.knows = ISO_KNOWS_SHADOW | ISO_KNOWS_AUXILIARY,
	.version = 1,
	.knowledge = "SH",
	.options = options,
	.options_size = sizeof(opts),
	.prepare = prepare,
	.guess = guess,
	.destroy = destroy,
	.secret = column_of,
};
