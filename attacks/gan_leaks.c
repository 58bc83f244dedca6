// SPDX-License-Identifier: Apache-2.0
/* GAN-Leaks, full black-box, plain and calibrated (Chen, Yu, Zhang & Fritz 2020, section 4;
 * attacks.md section 2.4).
 *
 *     plain        s(x) = -d(x, S)               d(x, S) = min over synthetic rows of |enc(x) -
 * enc(s)| calibrated   s(x) = d(x, R) - d(x, S)      R = the attacker's own rows of the population
 *
 * The reference rows stand for the paper's reference generator, the cheap calibration of the DOMIAS
 * authors; distances are not squared, which would change the order of the calibrated score.  Rows
 * are encoded by the public schema alone.
 */
#include <math.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/learn/knn.h"

#define LEAST_SAMPLES 10000
#define PIECE 10000 /* rows drawn at a time: a million images never stand in memory at once */

enum { SOURCE_ORACLE, SOURCE_TABLE };
typedef struct opts {
	int calibrated, source;
	int64_t samples;
} opts;

static const iso_option options[] = {
	ISO_OPT_BOOL(opts, calibrated, "false",
		     "subtract the distance to the attacker's own (auxiliary) rows"),
	ISO_OPT_ENUM(opts, source, "oracle", "oracle|table",
		     "oracle: fresh rows of the generator (full black-box); table: the released "
		     "table alone (no-box)"),
	ISO_OPT_INT(
		opts, samples, "0", 0, 100000000,
		"rows drawn from the oracle; 0 = ten times the released table, at least 10,000"),
	{0}};

static uint32_t knows_of(const void *o)
{
	const opts *p = o;
	return ISO_KNOWS_SYNTHETIC | (p->source == SOURCE_ORACLE ? ISO_KNOWS_ORACLE : 0) |
	       (p->calibrated ? ISO_KNOWS_AUXILIARY : 0);
}

/* Nearest rows so far: by matrix products over the one-hot encoding, or on codes where that would
 * be wide (columns of thousands of levels). */
typedef struct search {
	const iso_encoder *e;	   /* NULL: on codes */
	const iso_rowset *targets; /* codes */
	iso_knn knn;
	double *dist; /* [targets] on codes */
} search;

static int is_wide(const iso_encoder *e, const iso_rowset *codes)
{
	return e->dim > 512 && e->dim > 4 * codes->d;
}

static iso_status search_init(search *s, const iso_attack_view *v, const iso_encoder *e,
			      const float *x, iso_error *err)
{
	const size_t n = v->targets->n;
	*s = (search){.e = e, .targets = v->encoded->targets};
	if (!is_wide(e, s->targets))
		return iso_knn_init(&s->knn, x, e->dim, n, e->dim, 1, err);
	s->e = NULL;
	s->dist = iso_alloc(n, sizeof(*s->dist));
	if (!s->dist)
		return iso_no_memory(err, "nearest rows");
	for (size_t i = 0; i < n; i++)
		s->dist[i] = INFINITY;
	return ISO_OK;
}

static void search_free(search *s)
{
	iso_knn_free(&s->knn);
	iso_free(s->dist);
}

static double search_distance(const search *s, size_t i)
{
	return s->e ? sqrt(s->knn.dist2[i]) : s->dist[i];
}

static iso_status feed_codes(search *s, const iso_table *t, iso_error *err)
{
	const size_t n = s->targets->n;
	double *d = iso_alloc(n, sizeof(*d));
	iso_rowset rows = {0};
	iso_status st = d ? iso_rowset_new(t, &rows, err) : iso_no_memory(err, "nearest rows");
	if (st == ISO_OK)
		st = iso_pair_nearest(s->targets, &rows, 1, 0, d, NULL, err);
	for (size_t i = 0; st == ISO_OK && i < n; i++)
		s->dist[i] = fmin(s->dist[i], d[i]);
	iso_rowset_free(&rows);
	iso_free(d);
	return st;
}

static iso_status feed(search *s, const iso_table *t, iso_error *err)
{
	float *x;
	if (!s->e)
		return feed_codes(s, t, err);
	ISO_TRY(iso_encode_new(s->e, t, &x, err));
	iso_knn_feed(&s->knn, x, s->e->dim, t->n, 0);
	iso_free(x);
	return ISO_OK;
}

static iso_status feed_oracle(const iso_attack_view *v, size_t n, search *s, iso_error *err)
{
	for (size_t at = 0; at < n; at += PIECE) {
		iso_table *t = NULL;
		ISO_TRY(v->draw(v->ctx, n - at < PIECE ? n - at : PIECE, &t, err));
		const iso_status st = feed(s, t, err);
		iso_table_free(t);
		ISO_TRY(st);
	}
	return ISO_OK;
}

/* Distance of every target to the nearest synthetic row. */
static iso_status synthetic_distance(const iso_attack_view *v, const opts *o, search *s,
				     iso_error *err)
{
	if (o->source == SOURCE_TABLE || !v->draw) {
		ISO_FAIL_IF(!v->synthetic || !v->synthetic->n, err, ISO_E_UNSUPPORTED,
			    "gan-leaks: there are no synthetic rows to measure distances to");
		return feed(s, v->synthetic, err);
	}
	size_t n = (size_t)o->samples;
	if (!n) {
		n = v->synthetic ? 10 * v->synthetic->n : 0;
		n = n > LEAST_SAMPLES ? n : LEAST_SAMPLES;
	}
	return feed_oracle(v, n, s, err);
}

static iso_status with_neighbours(const iso_attack_view *v, const opts *o, const iso_encoder *e,
				  const float *x, iso_guess *guess, iso_error *err)
{
	const size_t n = v->targets->n;
	search s;
	iso_status st;
	ISO_TRY(search_init(&s, v, e, x, err));
	ISO_TRY_OUT(synthetic_distance(v, o, &s, err));
	for (size_t i = 0; i < n; i++)
		guess[i].score = -search_distance(&s, i);
	if (o->calibrated) {
		search_free(&s);
		ISO_TRY(search_init(&s, v, e, x, err));
		ISO_TRY_OUT(feed(&s, v->auxiliary, err));
		for (size_t i = 0; i < n; i++)
			guess[i].score += search_distance(&s, i);
	}
out:
	search_free(&s);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_encoder *e = NULL;
	float *x = NULL;
	iso_status st;
	(void)state;
	ISO_FAIL_IF(o->calibrated && (!v->auxiliary || !v->auxiliary->n), err, ISO_E_UNSUPPORTED,
		    "gan-leaks: calibrated needs auxiliary rows and the split leaves none; give "
		    "the split a share for "
		    "them");
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL | ISO_ENC_ATTACK,
				    &e, err));
	if (!is_wide(e, v->encoded->targets))
		ISO_TRY_OUT(iso_encode_new(e, v->targets, &x, err));
	ISO_TRY_OUT(with_neighbours(v, o, e, x, out, err));
out:
	iso_free(x);
	iso_encoder_free(e);
	return st;
}

const iso_attack iso_attack_gan_leaks = {
	.abi = ISO_ATTACK_ABI,
	.name = "gan-leaks",
	.title = "Nearest-neighbour membership inference (GAN-Leaks)",
	.citation = "D. Chen, N. Yu, Y. Zhang, M. Fritz: GAN-Leaks: A Taxonomy of Membership "
		    "Inference Attacks against "
		    "Generative Models. CCS 2020. arXiv:1909.03935",
	.card = "A generative model that over-fits puts rows close to its training rows. Score of "
		"a target: minus its "
		"Euclidean distance to the nearest of n synthetic rows; calibrated: the distance "
		"to the nearest "
		"auxiliary row is "
		"added, so that rows in dense regions do not look like members. Rows are encoded "
		"by the public schema "
		"(numbers to "
		"[0,1] by public bounds, a category mismatch costs 1). n is ten times the released "
		"table and at least "
		"10,000, "
		"because the score depends on it. Deviations from the paper: the reference "
		"generator of the calibrated "
		"attack is "
		"replaced by the auxiliary rows themselves; no partial black-box or white-box "
		"optimisation of the "
		"latent.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_ORACLE | ISO_KNOWS_AUXILIARY,
	.knows_of = knows_of,
	.version = 1,
	.knowledge = "FBB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
