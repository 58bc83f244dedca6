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

static iso_status feed(iso_knn *s, const iso_encoder *e, const iso_table *t, iso_error *err)
{
	float *x;
	ISO_TRY(iso_encode_new(e, t, &x, err));
	iso_knn_feed(s, x, e->dim, t->n, 0);
	iso_free(x);
	return ISO_OK;
}

static iso_status feed_oracle(const iso_attack_view *v, const iso_encoder *e, size_t n, iso_knn *s,
			      iso_error *err)
{
	for (size_t at = 0; at < n; at += PIECE) {
		iso_table *t = NULL;
		ISO_TRY(v->draw(v->ctx, n - at < PIECE ? n - at : PIECE, &t, err));
		const iso_status st = feed(s, e, t, err);
		iso_table_free(t);
		ISO_TRY(st);
	}
	return ISO_OK;
}

/* Distance of every target to the nearest synthetic row. */
static iso_status synthetic_distance(const iso_attack_view *v, const opts *o, const iso_encoder *e,
				     iso_knn *s, iso_error *err)
{
	if (o->source == SOURCE_TABLE || !v->draw) {
		ISO_FAIL_IF(!v->synthetic || !v->synthetic->n, err, ISO_E_UNSUPPORTED,
			    "gan-leaks: there are no synthetic rows to measure distances to");
		return feed(s, e, v->synthetic, err);
	}
	size_t n = (size_t)o->samples;
	if (!n) {
		n = v->synthetic ? 10 * v->synthetic->n : 0;
		n = n > LEAST_SAMPLES ? n : LEAST_SAMPLES;
	}
	return feed_oracle(v, e, n, s, err);
}

static iso_status with_neighbours(const iso_attack_view *v, const opts *o, const iso_encoder *e,
				  const float *x, iso_guess *guess, iso_error *err)
{
	const size_t n = v->targets->n;
	iso_knn s;
	iso_status st;
	ISO_TRY(iso_knn_init(&s, x, e->dim, n, e->dim, 1, err));
	ISO_TRY_OUT(synthetic_distance(v, o, e, &s, err));
	for (size_t i = 0; i < n; i++)
		guess[i].score = -sqrt(s.dist2[i]);
	if (o->calibrated) {
		iso_knn_free(&s);
		ISO_TRY(iso_knn_init(&s, x, e->dim, n, e->dim, 1, err));
		ISO_TRY_OUT(feed(&s, e, v->auxiliary, err));
		for (size_t i = 0; i < n; i++)
			guess[i].score += sqrt(s.dist2[i]);
	}
out:
	iso_knn_free(&s);
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
