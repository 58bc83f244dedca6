// SPDX-License-Identifier: Apache-2.0
/* Game: neighbour (in and out worlds).  Knowledge: SH (can train the same generator), auxiliary
 * rows. Source: N. Carlini et al., Membership Inference Attacks From First Principles, S&P 2022,
 * adapted to generators (attacks.md section 2.7); the statistic is that of GAN-Leaks.
 *
 *     t(x, S) = log of the distance from x to the nearest row of a synthetic table S
 *     s(x)    = log N(t; mu_in, sd) - log N(t; mu_out, sd)
 *
 * Shadow models are trained on the auxiliary rows with every target added with probability one
 * half, so that one set of shadows serves all targets; the deviation is pooled over targets, since
 * each has few shadows a side.
 */
#include <math.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/math/vmath.h"

#define LEAST_DISTANCE 1e-6 /* of an exact copy */

typedef struct opts {
	int64_t shadows, rows;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, shadows, "16", 4, 10000, "shadow models, for all targets together"),
	ISO_OPT_INT(opts, rows, "0", 0, 10000000,
		    "rows drawn of each model; 0 = as many as auxiliary rows"),
	{0}};

typedef struct fitted {
	double *mean[2]; /* owned [targets]: out, in */
	double sd;	 /* pooled */
	double *t;	 /* owned [shadows][targets] */
	uint8_t *in;	 /* owned [shadows][targets] */
	size_t rows;
} fitted;

static void destroy(void *state)
{
	fitted *f = state;

	if (!f)
		return;
	iso_free(f->mean[0]);
	iso_free(f->mean[1]);
	iso_free(f->t);
	iso_free(f->in);
	iso_free(f);
}

/* t [targets] of one model. */
static iso_status statistic(const iso_attack_view *v, const iso_model *m, size_t rows, double *t,
			    iso_error *err)
{
	iso_table *drawn;
	iso_rowset set = {0};
	iso_status st;

	ISO_TRY(v->models->draw(m, 0, rows, &drawn, err));
	st = iso_rowset_new(drawn, &set, err);
	if (st == ISO_OK)
		st = iso_pair_nearest(v->encoded->targets, &set, 1, 0, t, NULL, err);
	for (size_t i = 0; st == ISO_OK && i < v->targets->n; i++)
		t[i] = iso_log(t[i] + LEAST_DISTANCE);
	iso_rowset_free(&set);
	iso_table_free(drawn);
	return st;
}

/* The auxiliary rows and those targets that the coins put in. */
static iso_status shadow_rows(const iso_attack_view *v, const uint8_t *in, iso_table **out,
			      iso_error *err)
{
	uint32_t *row = iso_alloc(v->targets->n, sizeof(*row));
	iso_table *chosen = NULL;
	size_t n = 0;
	iso_status st = row ? ISO_OK : iso_no_memory(err, "a shadow");

	for (size_t i = 0; row && i < v->targets->n; i++)
		if (in[i])
			row[n++] = (uint32_t)i;
	if (st == ISO_OK)
		st = iso_table_select(v->targets, row, n, &chosen, err);
	if (st == ISO_OK)
		st = iso_table_concat(v->auxiliary, chosen, out, err);
	iso_table_free(chosen);
	iso_free(row);
	/* identities 0..n-1: a shadow is a function of its rows alone */
	for (size_t i = 0; st == ISO_OK && i < (*out)->n; i++)
		(*out)->id[i] = i;
	return st;
}

static void fit(fitted *f, size_t shadows, size_t n)
{
	double squares = 0, freedom = 0;

	for (size_t i = 0; i < n; i++) {
		double count[2] = {0};

		for (size_t s = 0; s < shadows; s++) {
			const int side = f->in[s * n + i];

			f->mean[side][i] += f->t[s * n + i];
			count[side]++;
		}
		for (int side = 0; side < 2; side++)
			f->mean[side][i] /= fmax(1, count[side]);
		if (count[0] == 0 || count[1] == 0) /* nothing to compare */
			f->mean[0][i] = f->mean[1][i] = 0;
		for (size_t s = 0; s < shadows; s++) {
			const double r = f->t[s * n + i] - f->mean[f->in[s * n + i]][i];

			squares += count[0] > 0 && count[1] > 0 ? r * r : 0;
		}
		freedom += count[0] > 0 && count[1] > 0 ? (double)shadows - 2 : 0;
	}
	f->sd = sqrt(squares / fmax(1, freedom)) + 1e-6;
}

static iso_status train_shadows(const iso_attack_view *v, const opts *o, fitted *f, iso_error *err)
{
	const size_t n = v->targets->n, shadows = (size_t)o->shadows;
	iso_stream coin = iso_stream_new(iso_key_child(v->key, "coins", 0));

	for (size_t s = 0; s < shadows; s++) {
		const iso_model *m;
		iso_table *rows;
		iso_status st;

		for (size_t i = 0; i < n; i++)
			f->in[s * n + i] = (uint8_t)iso_next_below(&coin, 2);
		ISO_TRY(shadow_rows(v, f->in + s * n, &rows, err));
		st = v->models->train(v->models->ctx, rows, s, &m, err);
		iso_table_free(rows);
		ISO_TRY(st);
		ISO_TRY(statistic(v, m, f->rows, f->t + s * n, err));
	}
	fit(f, shadows, n);
	return ISO_OK;
}

static iso_status prepare(const iso_attack_view *v, const void *opt, void **state, iso_error *err)
{
	const opts *o = opt;
	const size_t n = v->targets->n, shadows = (size_t)o->shadows;
	fitted *f;
	iso_status st;

	ISO_FAIL_IF(!v->models || !v->auxiliary || v->auxiliary->n < 2, err, ISO_E_UNSUPPORTED,
		    "lira: shadow models and auxiliary rows are needed");
	f = iso_alloc(1, sizeof(*f));
	if (!f)
		return iso_no_memory(err, "shadow statistics");
	f->rows = o->rows ? (size_t)o->rows : v->auxiliary->n;
	f->mean[0] = iso_alloc(n, sizeof(double));
	f->mean[1] = iso_alloc(n, sizeof(double));
	f->t = iso_alloc(shadows * n, sizeof(double));
	f->in = iso_alloc(shadows, n);
	st = f->mean[0] && f->mean[1] && f->t && f->in ? train_shadows(v, o, f, err)
						       : iso_no_memory(err, "shadow statistics");
	if (st == ISO_OK)
		*state = f;
	else
		destroy(f);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const fitted *f = state;
	const size_t n = v->targets->n;
	double *t;
	iso_status st = ISO_OK;

	(void)opt;
	ISO_FAIL_IF(!v->world || !v->nworld, err, ISO_E_UNSUPPORTED, "lira: there are no worlds");
	t = iso_alloc(n, sizeof(*t));
	if (!t)
		return iso_no_memory(err, "shadow statistics");
	for (size_t w = 0; st == ISO_OK && w < v->nworld; w++) {
		st = statistic(v, v->world[w], f->rows, t, err);
		for (size_t i = 0; st == ISO_OK && i < n; i++) {
			const double a = (t[i] - f->mean[1][i]) / f->sd,
				     b = (t[i] - f->mean[0][i]) / f->sd;

			out[w * n + i].score = 0.5 * (b * b - a * a);
		}
	}
	iso_free(t);
	return st;
}

const iso_attack iso_attack_lira = {
	.abi = ISO_ATTACK_ABI,
	.name = "lira",
	.title = "Likelihood ratio with shadow models (LiRA)",
	.citation = "N. Carlini, S. Chien, M. Nasr, S. Song, A. Terzis, F. Tramer: Membership "
		    "Inference "
		    "Attacks From First Principles. IEEE S&P 2022. arXiv:2112.03570",
	.card = "Trains the victim's generator on the attacker's own rows with and without each "
		"target, "
		"fits a normal distribution to the log distance from the target to the nearest "
		"synthetic row in either case, and scores a model by the log likelihood ratio. "
		"Deviations: a distance in place of a loss, and one deviation pooled over all "
		"targets.",
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
