// SPDX-License-Identifier: Apache-2.0
/* Membership: is a row one of the generator's training rows?  Equally many members and non-members
 * (targets.h), judged by the order of the scores. */
#include <math.h>

#include "suites/referee/game.h"

const iso_output iso_rank_outputs[] = {
	{"auc", "AUC", "", ISO_LOWER, 0, 1, 0.5, NULL, "attacks", 1, NULL, 0.5},
	{"advantage", "advantage", "", ISO_LOWER, 0, 1, 0,
	 "advantage is a maximum over thresholds and biased upwards", "attacks"},
	{"bal_acc_median", "balanced accuracy", "share", ISO_LOWER, 0, 1, 0.5, NULL, "attacks", 0,
	 NULL, 0.5},
	{"tpr_fpr_10", "TPR at FPR 10 %", "share", ISO_LOWER, 0, 1, 0.1, NULL, "attacks", 0, NULL,
	 0.1},
	{"tpr_fpr_1", "TPR at FPR 1 %", "share", ISO_LOWER, 0, 1, 0.01, NULL, "attacks", 0, NULL,
	 0.01},
	{"tpr_fpr_0_1", "TPR at FPR 0.1 %", "share", ISO_LOWER, 0, 1, 0.001, NULL, "attacks", 0,
	 NULL, 0.001},
	{"n_pos", "members", "rows", ISO_NEITHER, 0, INFINITY, NAN, NULL, "attacks"},
	{"n_neg", "non-members", "rows", ISO_NEITHER, 0, INFINITY, NAN, NULL, "attacks"},
	{0}};

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	(void)a;
	(void)options;
	ISO_TRY(iso_game_mix(g, &d->targets, &d->truth, err));
	d->n = d->targets->n;
	return ISO_OK;
}

/* A rate at a false positive rate of f needs 10/f non-members (attacks.md section 1). */
static iso_status put_rate(iso_measures *m, const char *key, double tpr, double low, double high,
			   double fpr, size_t n_neg, iso_error *err)
{
	if ((double)n_neg * fpr < 10 - 1e-9)
		return iso_measure_undefined(
			m, key, "fewer than 10 / FPR non-members: a rate of very few", err);
	return iso_measure_set(m, key, tpr, low, high, err);
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	const iso_roc *r = &p->roc;
	iso_measures *m = &p->measures;

	(void)g;
	(void)d;
	(void)guess;
	ISO_TRY(iso_measure_set(m, "auc", r->auc, r->low, r->high, err));
	ISO_TRY(iso_measure_set(m, "advantage", r->advantage, NAN, NAN, err));
	ISO_TRY(iso_measure_set(m, "bal_acc_median", r->bal_acc_median, NAN, NAN, err));
	ISO_TRY(put_rate(m, "tpr_fpr_10", r->tpr_fpr_10, r->tpr_fpr_10_low, r->tpr_fpr_10_high, 0.1,
			 r->n_neg, err));
	ISO_TRY(put_rate(m, "tpr_fpr_1", r->tpr_fpr_1, r->tpr_fpr_1_low, r->tpr_fpr_1_high, 0.01,
			 r->n_neg, err));
	ISO_TRY(put_rate(m, "tpr_fpr_0_1", r->tpr_fpr_0_1, NAN, NAN, 0.001, r->n_neg, err));
	ISO_TRY(iso_measure_set(m, "n_pos", (double)r->n_pos, NAN, NAN, err));
	return iso_measure_set(m, "n_neg", (double)r->n_neg, NAN, NAN, err);
}

const iso_game_type iso_game_membership = {
	.goal = ISO_GOAL_MEMBERSHIP,
	.title = "Membership",
	.ranks = 1,
	.control = 1,
	.outputs = iso_rank_outputs,
	.deal = deal,
	.judge = judge,
};
