// SPDX-License-Identifier: Apache-2.0
/* Game: neighbour (in and out worlds).  Knowledge: SH (can train the same generator), auxiliary
 * rows.  Sources: T. Stadler, B. Oprisanu, C. Troncoso, Synthetic Data - Anonymisation Groundhog
 * Day, USENIX Security 2022 (naive, histogram, correlation, ensemble); F. Houssiau et al., TAPAS,
 * 2022 (queries); attacks.md section 2.6.
 *
 *     For a target x: shadow models with and without x, tables drawn of each, features of every
 *     table; a random forest learns "x was in" and is asked about the tables of each world.
 *
 * The score is the mean over a world's tables of the forest's probability.  Features of a table
 * need no target but for queries: shares of rows that agree with x in one, two or three columns.
 */
#include "attacks/kit/shadows.h"
#include "attacks/kit/table_features.h"
#include "core/base/alloc.h"
#include "core/learn/classifier.h"

#define QUERIES 1000

enum { NAIVE, HISTOGRAM, CORRELATION, ENSEMBLE, QUERY };
static const unsigned kinds[] = {ISO_TABLE_NAIVE, ISO_TABLE_HISTOGRAM, ISO_TABLE_CORRELATION,
				 ISO_TABLE_ENSEMBLE};
typedef struct opts {
	int features;
	int64_t shadows, tables, rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, features, "queries", "naive|histogram|correlation|ensemble|queries",
		     "what is measured on a synthetic table"),
	ISO_OPT_INT(opts, shadows, "16", 4, 10000, "shadow models, for all targets together"),
	ISO_OPT_INT(opts, tables, "2", 1, 100, "tables drawn of each model"),
	ISO_OPT_INT(opts, rows, "0", 0, 10000000,
		    "rows of each table; 0 = as many as auxiliary rows"),
	{0}};

typedef struct learned {
	iso_shadows shadows; /* owned */
	iso_queries queries; /* owned */
	iso_table **table;   /* owned [shadows * tables] */
	size_t ntable, rows;
	float *x; /* owned [ntable][d], or NULL for queries */
	size_t d;
} learned;

static void destroy(void *state)
{
	learned *l = state;

	if (!l)
		return;
	iso_shadows_free(&l->shadows);
	iso_queries_free(&l->queries);
	for (size_t i = 0; l->table && i < l->ntable; i++)
		iso_table_free(l->table[i]);
	iso_free(l->table);
	iso_free(l->x);
	iso_free(l);
}

/* Features of tables that need no target: *x new, [n][*d]. */
static iso_status describe(iso_table *const *table, size_t n, const opts *o, float **x, size_t *d,
			   iso_error *err)
{
	*x = NULL;
	for (size_t i = 0; i < n; i++) {
		float *row;

		ISO_TRY(iso_table_features(table[i], kinds[o->features], &row, d, err));
		if (!*x)
			*x = iso_alloc(n * *d + 1, sizeof(**x));
		for (size_t k = 0; *x && k < *d; k++)
			(*x)[i * *d + k] = row[k];
		iso_free(row);
		if (!*x)
			return iso_no_memory(err, "features of tables");
	}
	return ISO_OK;
}

/* The same of queries about one target into x [n][queries]. */
static iso_status ask(const learned *l, const iso_attack_view *v, size_t target,
		      iso_table *const *table, size_t n, float *x, iso_error *err)
{
	uint64_t *bits = iso_alloc(l->rows, sizeof(*bits));

	if (!bits)
		return iso_no_memory(err, "queries");
	for (size_t i = 0; i < n; i++) {
		iso_queries_agree(&l->queries, v->targets, target, table[i], bits);
		iso_queries_answer(&l->queries, bits, table[i]->n, x + i * l->queries.n);
	}
	iso_free(bits);
	return ISO_OK;
}

static iso_status draw_tables(const iso_attack_view *v, const iso_model *m, size_t tables,
			      size_t rows, iso_table **out, iso_error *err)
{
	for (size_t k = 0; k < tables; k++)
		ISO_TRY(v->models->draw(m, k, rows, &out[k], err));
	return ISO_OK;
}

static iso_status prepare(const iso_attack_view *v, const void *opt, void **state, iso_error *err)
{
	const opts *o = opt;
	const size_t tables = (size_t)o->tables, shadows = (size_t)o->shadows;
	learned *l = iso_alloc(1, sizeof(*l));
	iso_status st;

	if (!l)
		return iso_no_memory(err, "shadow tables");
	ISO_TRY_OUT(iso_shadows_train(v, "shadow-features", shadows, &l->shadows, err));
	l->rows = o->rows ? (size_t)o->rows : v->auxiliary->n;
	l->ntable = shadows * tables;
	l->table = iso_alloc(l->ntable, sizeof(iso_table *));
	st = l->table ? ISO_OK : iso_no_memory(err, "shadow tables");
	for (size_t s = 0; st == ISO_OK && s < shadows; s++)
		st = draw_tables(v, l->shadows.model[s], tables, l->rows, l->table + s * tables,
				 err);
	ISO_TRY_OUT(st);
	if (o->features == QUERY)
		ISO_TRY_OUT(iso_queries_new(v->schema, QUERIES, iso_key_child(v->key, "queries", 0),
					    &l->queries, err));
	else
		ISO_TRY_OUT(describe(l->table, l->ntable, o, &l->x, &l->d, err));
	l->d = o->features == QUERY ? l->queries.n : l->d;
	*state = l;
	l = NULL;
out:
	destroy(l);
	return st;
}

/* Learns "target t is in" from x [ntable][d] and asks about the worlds' tables q [n][d]. */
static iso_status learn_target(const learned *l, const iso_attack_view *v, size_t tables, size_t t,
			       const float *x, const float *q, size_t n, double *p, iso_error *err)
{
	uint32_t *y = iso_alloc(l->ntable, sizeof(*y));
	const iso_examples e = {.x = x, .n = l->ntable, .d = l->d, .y = y, .classes = 2};
	iso_status st;

	if (!y)
		return iso_no_memory(err, "shadow tables");
	for (size_t i = 0; i < l->ntable; i++)
		y[i] = l->shadows.in[i / tables * l->shadows.targets + t];
	st = iso_classify(iso_classifier_find("forest"), &e, iso_key_child(v->key, "forest", t), q,
			  n, p, err);
	iso_free(y);
	return st;
}

static iso_status guess_targets(const iso_attack_view *v, const opts *o, const learned *l,
				iso_table *const *world, iso_guess *out, iso_error *err)
{
	const size_t tables = (size_t)o->tables, n = v->nworld * tables, k = v->targets->n;
	const int queries = o->features == QUERY;
	float *x = l->x, *q = NULL;
	double *p = iso_alloc(2 * n, sizeof(*p));
	size_t d;
	iso_status st = p ? ISO_OK : iso_no_memory(err, "features of tables");

	if (st == ISO_OK && queries) {
		x = iso_alloc(l->ntable * l->d + 1, sizeof(*x));
		q = iso_alloc(n * l->d + 1, sizeof(*q));
		st = x && q ? ISO_OK : iso_no_memory(err, "features of tables");
	} else if (st == ISO_OK) {
		st = describe(world, n, o, &q, &d, err);
	}
	for (size_t t = 0; st == ISO_OK && t < k; t++) {
		if (queries)
			st = ask(l, v, t, l->table, l->ntable, x, err);
		if (st == ISO_OK && queries)
			st = ask(l, v, t, world, n, q, err);
		if (st == ISO_OK)
			st = learn_target(l, v, tables, t, x, q, n, p, err);
		for (size_t i = 0; st == ISO_OK && i < n; i++) {
			iso_guess *g = &out[i / tables * k + t];

			g->score = (i % tables ? g->score : 0) + p[2 * i + 1] / (double)tables;
		}
	}
	if (queries)
		iso_free(x);
	iso_free(q);
	iso_free(p);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	const learned *l = state;
	const size_t tables = (size_t)o->tables, n = v->nworld * tables;
	iso_table **world;
	iso_status st;

	ISO_FAIL_IF(!v->world || !v->nworld, err, ISO_E_UNSUPPORTED,
		    "shadow-features: there are no worlds");
	world = iso_alloc(n, sizeof(iso_table *));
	st = world ? ISO_OK : iso_no_memory(err, "tables of worlds");
	for (size_t w = 0; st == ISO_OK && w < v->nworld; w++)
		st = draw_tables(v, v->world[w], tables, l->rows, world + w * tables, err);
	if (st == ISO_OK)
		st = guess_targets(v, o, l, world, out, err);
	for (size_t i = 0; world && i < n; i++)
		iso_table_free(world[i]);
	iso_free(world);
	return st;
}

const iso_attack iso_attack_shadow_features = {
	.abi = ISO_ATTACK_ABI,
	.name = "shadow-features",
	.title = "Features of synthetic tables, learned on shadows (Groundhog, TAPAS)",
	.citation =
		"T. Stadler, B. Oprisanu, C. Troncoso: Synthetic Data - Anonymisation Groundhog "
		"Day. USENIX Security 2022. arXiv:2011.07018; F. Houssiau et al.: TAPAS. 2022. "
		"arXiv:2211.06550",
	.card = "Trains the victim's generator on the attacker's own rows with and without each "
		"target, draws tables, measures features of each (moments, histograms, "
		"correlations, or the shares of rows that agree with the target in one to three "
		"columns) and learns with a random forest which tables come from a model that saw "
		"the target. Deviations: the shadows hold each target with probability one half, "
		"so that one set serves all targets; bins keep their order (the authors' code "
		"sorts them by frequency); categories come from the public schema.",
	.goal = ISO_GOAL_NEIGHBOUR,
	.knows = ISO_KNOWS_SHADOW | ISO_KNOWS_AUXILIARY,
	.version = 1,
	.knowledge = "SH",
	.options = options,
	.options_size = sizeof(opts),
	.prepare = prepare,
	.guess = guess,
	.destroy = destroy,
};
