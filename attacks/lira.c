// SPDX-License-Identifier: Apache-2.0
/* Game: neighbour (in and out worlds).  Knowledge: SH (can train the same generator), auxiliary
 * rows; WB with statistic=score.  Source: N. Carlini et al., Membership Inference Attacks From
 * First Principles, S&P 2022, adapted to generators (attacks.md section 2.7).
 *
 *     t(x, S)   log of the distance from x to the nearest row of a synthetic table S (distance),
 *               log of a kernel density of S at x (density), the model's own score of x (score)
 *     online    s(x) = log N(t; mu_in, sd) - log N(t; mu_out, sd)
 *     offline   s(x) = (t - mu_out) / sd, from the shadows without the target alone (its sign
 * turned for a distance)
 *
 * One set of shadow models serves all targets (attacks/kit/shadows.h); the deviation is pooled over
 * targets, since each has few shadows a side.
 */
#include <math.h>

#include "attacks/kit/shadows.h"
#include "core/base/alloc.h"
#include "core/learn/kde.h"
#include "core/math/vmath.h"

#define LEAST_DISTANCE 1e-6 /* of an exact copy */

enum { DISTANCE, DENSITY, SCORE };
typedef struct opts {
	int64_t shadows, rows;
	int statistic, offline;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, shadows, "16", 4, 10000, "shadow models, for all targets together"),
	ISO_OPT_INT(opts, rows, "0", 0, 10000000,
		    "rows drawn of each model; 0 = as many as auxiliary rows"),
	ISO_OPT_ENUM(
		opts, statistic, "distance", "distance|density|score",
		"what is compared: the nearest synthetic row, a kernel density, the model's own "
		"score of the target"),
	ISO_OPT_BOOL(opts, offline, "false", "use the shadows without the target alone"),
	{0}};

typedef struct fitted {
	iso_shadows shadows; /* owned */
	double *mean[2];     /* owned [targets]: out, in */
	double sd;	     /* pooled */
	double *t;	     /* owned [shadows][targets] */
	size_t rows;
} fitted;

static void destroy(void *state)
{
	fitted *f = state;

	if (!f)
		return;
	iso_shadows_free(&f->shadows);
	iso_free(f->mean[0]);
	iso_free(f->mean[1]);
	iso_free(f->t);
	iso_free(f);
}

static iso_status from_rows(const iso_attack_view *v, const opts *o, const iso_rowset *set,
			    double *t, iso_error *err)
{
	iso_kde k;

	if (o->statistic == DENSITY) {
		ISO_TRY(iso_kde_init(&k, set, 0, iso_key_child(v->key, "bandwidth", 0), err));
		return iso_kde_log_density(&k, v->encoded->targets, t, err);
	}
	ISO_TRY(iso_pair_nearest(v->encoded->targets, set, 1, 0, t, NULL, err));
	for (size_t i = 0; i < v->targets->n; i++)
		t[i] = iso_log(t[i] + LEAST_DISTANCE);
	return ISO_OK;
}

/* t [targets] of one model. */
static iso_status statistic(const iso_attack_view *v, const opts *o, const iso_model *m,
			    size_t rows, double *t, iso_error *err)
{
	iso_table *drawn;
	iso_rowset set = {0};
	iso_status st;

	if (o->statistic == SCORE)
		return v->models->score(m, v->targets, t, err);
	ISO_TRY(v->models->draw(m, 0, rows, &drawn, err));
	st = iso_rowset_new(drawn, &set, err);
	if (st == ISO_OK)
		st = from_rows(v, o, &set, t, err);
	iso_rowset_free(&set);
	iso_table_free(drawn);
	return st;
}

static void fit(fitted *f, size_t shadows, size_t n)
{
	double squares = 0, freedom = 0;

	for (size_t i = 0; i < n; i++) {
		double count[2] = {0};

		for (size_t s = 0; s < shadows; s++) {
			const int side = f->shadows.in[s * n + i];

			f->mean[side][i] += f->t[s * n + i];
			count[side]++;
		}
		for (int side = 0; side < 2; side++)
			f->mean[side][i] /= fmax(1, count[side]);
		if (count[0] == 0 || count[1] == 0) /* nothing to compare */
			f->mean[0][i] = f->mean[1][i] = 0;
		for (size_t s = 0; s < shadows; s++) {
			const double r = f->t[s * n + i] - f->mean[f->shadows.in[s * n + i]][i];

			squares += count[0] > 0 && count[1] > 0 ? r * r : 0;
		}
		freedom += count[0] > 0 && count[1] > 0 ? (double)shadows - 2 : 0;
	}
	f->sd = sqrt(squares / fmax(1, freedom)) + 1e-6;
}

static iso_status prepare(const iso_attack_view *v, const void *opt, void **state, iso_error *err)
{
	const opts *o = opt;
	const size_t n = v->targets->n, shadows = (size_t)o->shadows;
	fitted *f = iso_alloc(1, sizeof(*f));
	iso_status st;

	if (!f)
		return iso_no_memory(err, "shadow statistics");
	ISO_TRY_OUT(iso_shadows_train(v, "lira", shadows, &f->shadows, err));
	f->rows = o->rows ? (size_t)o->rows : v->auxiliary->n;
	f->mean[0] = iso_alloc(n, sizeof(double));
	f->mean[1] = iso_alloc(n, sizeof(double));
	f->t = iso_alloc(shadows * n, sizeof(double));
	st = f->mean[0] && f->mean[1] && f->t ? ISO_OK : iso_no_memory(err, "shadow statistics");
	for (size_t s = 0; st == ISO_OK && s < shadows; s++)
		st = statistic(v, o, f->shadows.model[s], f->rows, f->t + s * n, err);
	ISO_TRY_OUT(st);
	fit(f, shadows, n);
	*state = f;
	f = NULL;
out:
	destroy(f);
	return st;
}

static double score_of(const fitted *f, const opts *o, double t, size_t i)
{
	const double a = (t - f->mean[1][i]) / f->sd, b = (t - f->mean[0][i]) / f->sd;

	if (o->offline)
		return o->statistic == DISTANCE ? -b : b;
	return 0.5 * (b * b - a * a);
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const fitted *f = state;
	const size_t n = v->targets->n;
	double *t;
	iso_status st = ISO_OK;

	ISO_FAIL_IF(!v->world || !v->nworld, err, ISO_E_UNSUPPORTED, "lira: there are no worlds");
	t = iso_alloc(n, sizeof(*t));
	if (!t)
		return iso_no_memory(err, "shadow statistics");
	for (size_t w = 0; st == ISO_OK && w < v->nworld; w++) {
		st = statistic(v, opt, v->world[w], f->rows, t, err);
		for (size_t i = 0; st == ISO_OK && i < n; i++)
			out[w * n + i].score = score_of(f, opt, t[i], i);
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
		"fits a normal distribution to a statistic of the target in either case (log "
		"distance to the nearest synthetic row, log density, or the model's score), and "
		"scores a model by the log likelihood ratio; offline, by its place among the "
		"shadows without the target. Deviations: a distance in place of a loss, and one "
		"deviation pooled over all targets.",
	.goal = ISO_GOAL_NEIGHBOUR,
	.knows = ISO_KNOWS_SHADOW | ISO_KNOWS_AUXILIARY,
	.version = 2,
	.knowledge = "SH",
	.options = options,
	.options_size = sizeof(opts),
	.prepare = prepare,
	.guess = guess,
	.destroy = destroy,
};
