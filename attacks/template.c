// SPDX-License-Identifier: Apache-2.0
/* A complete attack to copy: membership by the distance to the released rows
 * (docs/adding-a-method.md walks through it).
 *
 * `isoeps new attack mine` makes a plug-in of it, outside the tree.  Inside:
 * 1. Copy this file to attacks/mine.c and rename iso_attack_template to iso_attack_mine.
 * 2. Add the word "mine" to attacks/CMakeLists.txt.
 * 3. Name it in a suite: "attacks": ["mine"].
 *
 * An attack gives every target a guess and never learns the truth: the referee alone knows it, and
 * computes all statistics.
 */
#include <math.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/learn/knn.h"

/* Options: one struct, one table.  Defaults are written as a user would type them; the table is
 * also the help text. */
typedef struct opts {
	int64_t neighbours;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, neighbours, "1", 1, 100,
		    "the score is minus the mean distance to so many nearest rows"),
	{0}};

/* prepare (optional): work that does not depend on the synthetic rows, which it does not get.
 * Whatever it keeps comes back as `state`, and destroy frees it. */
static iso_status prepare(const iso_attack_view *view, const void *opt, void **state,
			  iso_error *err)
{
	iso_encoder *e;
	(void)opt;
	/* attack encoding: numbers to [0,1] by public bounds, categories so that a mismatch costs 1
	 */
	ISO_TRY(iso_encoder_new(view->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL | ISO_ENC_ATTACK, &e,
				err));
	*state = e;
	return ISO_OK;
}

static void destroy(void *state)
{
	iso_encoder_free(state);
}

/* Larger = more likely a member; every score finite. */
static iso_status guess(const iso_attack_view *view, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt; /* filled and checked against the table already */
	const iso_encoder *e = state;
	const size_t n = view->targets->n, k = (size_t)o->neighbours;
	float *targets = NULL, *rows = NULL;
	iso_knn near = {0};
	iso_status st;
	ISO_FAIL_IF(!view->synthetic || view->synthetic->n < k, err, ISO_E_UNSUPPORTED,
		    "template: fewer than %zu synthetic rows; lower the option neighbours", k);
	ISO_TRY_OUT(iso_encode_new(e, view->targets, &targets, err));
	ISO_TRY_OUT(iso_encode_new(e, view->synthetic, &rows, err));
	ISO_TRY_OUT(iso_knn_init(&near, targets, e->dim, n, e->dim, k, err));
	iso_knn_feed(&near, rows, e->dim, view->synthetic->n, 0);
	for (size_t i = 0; i < n; i++) {
		out[i].score = 0;
		for (size_t j = 0; j < k; j++)
			out[i].score -= sqrt(near.dist2[i * k + j]) / (double)k;
	}
out:
	iso_knn_free(&near);
	iso_free(targets);
	iso_free(rows);
	return st;
}

const iso_attack iso_attack_template = {
	.abi = ISO_ATTACK_ABI,
	.name = "template",
	.title = "Distance to the released rows",
	.citation = "none; an example",
	.card = "Targets close to released rows are called members: minus the mean distance to the "
		"nearest synthetic "
		"rows.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC, /* what is not named here stays NULL in the view */
	.version = 1,		      /* raise it when results change */
	.knowledge = "NB",	      /* no-box: nothing but the released table */
	.options = options,
	.options_size = sizeof(opts),
	.prepare = prepare,
	.guess = guess,
	.destroy = destroy,
};
