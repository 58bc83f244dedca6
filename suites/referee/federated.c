// SPDX-License-Identifier: Apache-2.0
/* The GAN attack on collaborative training (Hitaj, Ateniese and Perez-Cruz 2017; attacks.md section
 * 6).  Classes are split among the clients of a federated training: the victim alone holds class a,
 * the attacker is another client who keeps to the protocol and chooses its rows.  It must show rows
 * of class a.
 *
 * The referee deals the victim's generator's rows to clients anew and trains twice: with the rows
 * of class a at the victim, and in a world where the victim holds rows of the other classes
 * instead.  Judged without people:
 *
 *   share    rows that a classifier trained on the hold-out gives to class a; `share_without` in
 *            the other world; `gain` is the difference.  This is about the class, not about rows:
 *            privacy of a record does not promise to hide it
 *   distance from the mean of the rows shown to the mean of class a in the hold-out, in units of
 *            the spread of class a; `distance_without` in the other world
 *   auc      of the scores: the victim's rows against fresh rows of class a.  This is about rows
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/rows.h"
#include "core/learn/classifier.h"
#include "core/rand/rand.h"
#include "suites/referee/game.h"

enum { MOST_CLIENTS = 5, SHOWN = 200, WORLDS = 2 };

static const iso_output outputs[] = {
	{"auc", "victim's rows against fresh rows of the class, AUC", "", ISO_LOWER, 0, 1, 0.5,
	 NULL, "attacks", 1, NULL, 0.5},
	{"gain", "share of rows shown that are of the class, because the victim took part", "",
	 ISO_LOWER, -1, 1, 0, "what a class looks like is not hidden by the privacy of a record",
	 "attacks", 1},
	{"share", "rows shown that are of the class", "share", ISO_NEITHER, 0, 1, NAN, NULL,
	 "attacks"},
	{"share_without", "rows shown that are of the class, no victim", "share", ISO_NEITHER, 0, 1,
	 NAN, NULL, "attacks"},
	{"distance", "distance to the class mean, in spreads", "", ISO_NEITHER, 0, INFINITY, NAN,
	 NULL, "attacks"},
	{"distance_without", "distance to the class mean, no victim", "", ISO_NEITHER, 0, INFINITY,
	 NAN, NULL, "attacks"},
	{"n_pos", "rows of the victim", "rows", ISO_NEITHER, 0, INFINITY, NAN, NULL, "attacks"},
	{"n_neg", "fresh rows of the class", "rows", ISO_NEITHER, 0, INFINITY, NAN, NULL,
	 "attacks"},
	{0}};

/* ---- the victim's class and the clients ---- */

static iso_status class_of(const iso_game *g, const iso_attack *a, const void *options, size_t *out,
			   iso_error *err)
{
	const iso_schema *s = iso_game_rules(g)->members->schema;
	const size_t classes = iso_schema_classes(s);
	const char *name = a->secret ? a->secret(options) : NULL;

	ISO_FAIL_IF(classes < 2, err, ISO_E_UNSUPPORTED,
		    "not applicable: the victim's class needs a label of two or more classes");
	*out = s->column[s->label].positive < 0 ? classes - 1
						: (size_t)s->column[s->label].positive;
	for (size_t k = 0; name && name[0]; k++) {
		ISO_FAIL_IF(k == classes, err, ISO_E_UNSUPPORTED,
			    "not applicable: \"%.80s\" is no class of the label", name);
		*out = k;
		if (strcmp(s->column[s->label].category[k], name) == 0)
			break;
	}
	return ISO_OK;
}

/* Positions of the rows of class k (or of all others). */
static iso_status rows_of(const iso_table *t, size_t k, int others, uint32_t **row, size_t *n,
			  iso_error *err)
{
	*n = 0;
	*row = iso_alloc(t->n + 1, sizeof(**row));
	if (!*row)
		return iso_no_memory(err, "rows of a class");
	for (size_t r = 0; r < t->n; r++)
		if ((iso_table_label(t, r) == k) != others)
			(*row)[(*n)++] = (uint32_t)r;
	return ISO_OK;
}

/* The rows of one world with their clients: class a at client 0, the others in turn behind it;
 * without the victim's class, client 0 has its share of the others. */
static iso_status deal_world(const iso_table *members, size_t a, int world, iso_table **out,
			     iso_error *err)
{
	const size_t classes = iso_schema_classes(members->schema);
	const size_t behind = classes - 1 < MOST_CLIENTS - 1 ? classes - 1 : MOST_CLIENTS - 1;
	uint32_t *row = NULL;
	size_t n = 0;
	iso_table *t;

	if (world == 0) {
		row = iso_alloc(members->n + 1, sizeof(*row));
		if (!row)
			return iso_no_memory(err, "rows of a world");
		for (; n < members->n; n++)
			row[n] = (uint32_t)n;
	} else {
		ISO_TRY(rows_of(members, a, 1, &row, &n, err));
	}
	const iso_status st = iso_table_select(members, row, n, out, err);

	iso_free(row);
	ISO_TRY(st);
	t = *out;
	ISO_TRY(iso_table_add_clients(t, behind + 1, err));
	t->nclient = behind + 1;
	for (size_t r = 0; r < n; r++) {
		const size_t y = iso_table_label(t, r), rank = y > a ? y - 1 : y;

		t->client[r] = y == a ? 0 : (uint32_t)(1 + rank % behind);
		if (world && r % (behind + 1) == 0)
			t->client[r] = 0;
	}
	return ISO_OK;
}

/* ---- deal ---- */

/* As many rows of the victim as fresh ones of its class, in random order, without identities. */
static iso_status deal_targets(const iso_game_setup *s, size_t a, iso_deal *d, iso_error *err)
{
	iso_stream draw = iso_stream_new(iso_key_new(s->seed, "referee/federated"));
	iso_table *mine = NULL, *fresh = NULL, *both = NULL;
	uint32_t *row[2] = {NULL, NULL}, *order = NULL;
	size_t n[2] = {0, 0}, m;
	iso_status st;

	ISO_TRY_OUT(rows_of(s->members, a, 0, &row[0], &n[0], err));
	ISO_TRY_OUT(rows_of(s->nonmembers, a, 0, &row[1], &n[1], err));
	m = n[0] < n[1] ? n[0] : n[1];
	m = m < s->max_targets / 2 ? m : s->max_targets / 2;
	if (m < 2) {
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "not applicable: there are %zu rows of the victim's class among the "
			      "members and %zu among the non-members",
			      n[0], n[1]);
		goto out;
	}
	for (int i = 0; i < 2; i++)
		iso_shuffle(&draw, row[i], n[i]);
	ISO_TRY_OUT(iso_table_select(s->members, row[0], m, &mine, err));
	ISO_TRY_OUT(iso_table_select(s->nonmembers, row[1], m, &fresh, err));
	ISO_TRY_OUT(iso_table_concat(mine, fresh, &both, err));
	order = iso_alloc(2 * m, sizeof(*order));
	d->truth = iso_alloc(2 * m, 1);
	if (!order || !d->truth) {
		st = iso_no_memory(err, "targets of a federated game");
		goto out;
	}
	for (size_t i = 0; i < 2 * m; i++)
		order[i] = (uint32_t)i;
	iso_shuffle(&draw, order, 2 * m);
	ISO_TRY_OUT(iso_table_select(both, order, 2 * m, &d->targets, err));
	for (size_t i = 0; i < 2 * m; i++) {
		d->truth[i] = order[i] < m;
		d->targets->id[i] = i;
	}
	d->n = 2 * m;
out:
	iso_table_free(mine);
	iso_table_free(fresh);
	iso_table_free(both);
	iso_free(row[0]);
	iso_free(row[1]);
	iso_free(order);
	return st;
}

static iso_status deal(iso_game *g, const iso_attack *attack, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	size_t a = 0;

	ISO_TRY(class_of(g, attack, options, &a, err));
	ISO_TRY(deal_targets(s, a, d, err));
	d->column = (int)a;
	ISO_TRY(iso_table_new(s->members->schema, WORLDS * SHOWN, &d->rebuilt, err));
	for (size_t r = 0; r < d->rebuilt->n; r++)
		for (size_t c = 0; c < d->rebuilt->schema->ncol; c++)
			d->rebuilt->cells[r * d->rebuilt->schema->ncol + c] = NAN;
	d->world = iso_alloc(WORLDS, sizeof(*d->world));
	d->nworld = WORLDS;
	return d->world ? ISO_OK : iso_no_memory(err, "worlds");
}

/* ---- the two trainings ---- */

typedef struct seat {
	const iso_attack *attack;
	const void *options;
	void *state;
	size_t world;
} seat;

static iso_status join(void *ctx, const iso_shared *shared, iso_table **rows, iso_error *err)
{
	seat *s = ctx;

	return s->attack->join(s->options, s->state, s->world, shared, rows, err);
}

static iso_status meet(iso_game *g, const iso_attack *a, const void *options, void *state,
		       iso_deal *d, iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);

	for (size_t w = 0; w < WORLDS; w++) {
		seat here = {a, options, state, w};
		const iso_insider in = {.client = 1, .ctx = &here, .join = join};
		iso_table *rows = NULL;
		iso_status st = deal_world(s->members, (size_t)d->column, (int)w, &rows, err);

		if (st == ISO_OK)
			st = iso_game_train_with(g, rows, s->seed, a->join ? &in : NULL,
						 &d->world[w], err);
		iso_table_free(rows);
		ISO_TRY(st);
	}
	return ISO_OK;
}

/* ---- judging ---- */

typedef struct marks {
	double hits[WORLDS], distance[WORLDS];
} marks;

/* Encoded features of the rows of class k of t (SIZE_MAX: all). */
static iso_status encode_class(const iso_encoder *e, const iso_table *t, size_t k, float **x,
			       size_t *n, iso_error *err)
{
	uint32_t *row = NULL;

	if (k == SIZE_MAX) {
		*n = t->n;
		return iso_encode_new(e, t, x, err);
	}
	ISO_TRY(rows_of(t, k, 0, &row, n, err));
	*x = iso_alloc(*n * e->dim + 1, sizeof(**x));
	if (*x)
		iso_encode(e, t, row, *n, *x, e->dim);
	iso_free(row);
	return *x ? ISO_OK : iso_no_memory(err, "rows of a class");
}

static void mean_of(const float *x, size_t n, size_t d, double *mean)
{
	for (size_t j = 0; j < d; j++) {
		mean[j] = 0;
		for (size_t i = 0; i < n; i++)
			mean[j] += (double)x[i * d + j] / (double)n;
	}
}

/* Distance of the two means over the root of the mean squared distance of y to its own. */
static double apart(const float *x, size_t n, const float *y, size_t m, size_t d, double *mean)
{
	double *const other = mean + d;
	double gap = 0, spread = 0;

	mean_of(x, n, d, mean);
	mean_of(y, m, d, other);
	for (size_t j = 0; j < d; j++) {
		gap += (mean[j] - other[j]) * (mean[j] - other[j]);
		for (size_t i = 0; i < m; i++)
			spread += ((double)y[i * d + j] - other[j]) *
				  ((double)y[i * d + j] - other[j]) / (double)m;
	}
	return sqrt(gap / (spread > 0 ? spread : 1));
}

static iso_status mark(const iso_game_setup *s, const iso_deal *d, marks *m, iso_error *err)
{
	const size_t classes = iso_schema_classes(s->members->schema), a = (size_t)d->column;
	const iso_table *test = s->nonmembers;
	float *x = NULL, *shown = NULL, *of_class = NULL;
	double *prob = iso_alloc(d->rebuilt->n * classes, sizeof(*prob)), *mean = NULL;
	uint32_t *y = iso_alloc(test->n + 1, sizeof(*y));
	iso_encoder *e = NULL;
	size_t n, nclass, nshown;
	iso_status st = prob && y ? ISO_OK : iso_no_memory(err, "judging shown rows");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_encoder_new(s->members->schema, ISO_ENC_FEATURES, &e, err));
	mean = iso_alloc(2 * e->dim, sizeof(*mean));
	st = mean ? ISO_OK : iso_no_memory(err, "means");
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(encode_class(e, test, SIZE_MAX, &x, &n, err));
	ISO_TRY_OUT(encode_class(e, test, a, &of_class, &nclass, err));
	ISO_TRY_OUT(encode_class(e, d->rebuilt, SIZE_MAX, &shown, &nshown, err));
	for (size_t r = 0; r < n; r++) {
		const size_t k = iso_table_label(test, r);

		y[r] = (uint32_t)(k < classes ? k : 0);
	}
	const iso_examples learn = {.x = x, .n = n, .d = e->dim, .y = y, .classes = classes};

	ISO_TRY_OUT(iso_classify(&iso_learn_forest, &learn, iso_key_new(s->seed, "referee/judge"),
				 shown, nshown, prob, err));
	for (size_t w = 0; w < WORLDS; w++) {
		m->hits[w] = 0;
		for (size_t r = w * SHOWN; r < (w + 1) * SHOWN; r++) {
			size_t best = 0;

			for (size_t k = 1; k < classes; k++)
				best = prob[r * classes + k] > prob[r * classes + best] ? k : best;
			m->hits[w] += best == a;
		}
		m->distance[w] =
			apart(shown + w * SHOWN * e->dim, SHOWN, of_class, nclass, e->dim, mean);
	}
out:
	iso_free(x);
	iso_free(shown);
	iso_free(of_class);
	iso_free(prob);
	iso_free(mean);
	iso_free(y);
	iso_encoder_free(e);
	return st;
}

/* Newcombe 1998, method 10, for the difference of two shares. */
static iso_status put(const iso_play *p, const marks *m, iso_measures *out, iso_error *err)
{
	static const char *const share_key[WORLDS] = {"share", "share_without"},
				 *const distance_key[WORLDS] = {"distance", "distance_without"};
	double low[WORLDS], high[WORLDS], share[WORLDS];

	for (int w = 0; w < WORLDS; w++) {
		share[w] = m->hits[w] / SHOWN;
		iso_wilson(m->hits[w], SHOWN, 1.959963984540054, &low[w], &high[w]);
		ISO_TRY(iso_measure_set(out, share_key[w], share[w], low[w], high[w], err));
		ISO_TRY(iso_measure_set(out, distance_key[w], m->distance[w], NAN, NAN, err));
	}
	const double gain = share[0] - share[1];

	ISO_TRY(iso_measure_set(out, "gain", gain,
				gain - hypot(share[0] - low[0], high[1] - share[1]),
				gain + hypot(high[0] - share[0], share[1] - low[1]), err));
	ISO_TRY(iso_measure_set(out, "auc", p->roc.auc, p->roc.low, p->roc.high, err));
	ISO_TRY(iso_measure_set(out, "n_pos", (double)p->roc.n_pos, NAN, NAN, err));
	return iso_measure_set(out, "n_neg", (double)p->roc.n_neg, NAN, NAN, err);
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	marks m = {{0}, {0}};

	(void)guess;
	ISO_TRY(iso_table_check(d->rebuilt, err));
	ISO_TRY(mark(iso_game_rules(g), d, &m, err));
	return put(p, &m, &p->measures, err);
}

const iso_game_type iso_game_federated = {
	.goal = ISO_GOAL_FEDERATED,
	.title = "A class that another client alone holds",
	.ranks = 1,
	.control = 1,
	.trains = 1,
	.outputs = outputs,
	.deal = deal,
	.meet = meet,
	.judge = judge,
};
