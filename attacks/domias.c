// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB and auxiliary rows R of the population.
 * Source: B. van Breugel et al., DOMIAS, AISTATS 2023, equation 2 (attacks.md section 2.5).
 *
 *     s(x) = log p_S(x) - log p_R(x)
 *
 * Both by Gaussian kernel densities (core/learn/kde.h); in logs, because the ratio of two
 * underflows is 0/0.
 */
#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/learn/kde.h"

typedef struct opts {
	double bandwidth;
} opts;
static const iso_option options[] = {
	ISO_OPT_REAL(opts, bandwidth, "0", 0, 100,
		     "bandwidth of both kernels; 0 = of each table by leave-one-out likelihood"),
	{0}};

/* Adds sign * log density of the rows at the targets. */
static iso_status add_density(const iso_attack_view *v, const opts *o, const iso_rowset *rows,
			      double sign, double *p, iso_guess *out, iso_error *err)
{
	iso_kde k;

	ISO_TRY(iso_kde_init(&k, rows, o->bandwidth, iso_key_child(v->key, "bandwidth", 0), err));
	ISO_TRY(iso_kde_log_density(&k, v->encoded->targets, p, err));
	for (size_t i = 0; i < v->targets->n; i++)
		out[i].score += sign * p[i];
	return ISO_OK;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const size_t n = v->targets->n;
	double *p;
	iso_status st;

	(void)state;
	ISO_FAIL_IF(!v->synthetic || !v->synthetic->n || !v->auxiliary || !v->auxiliary->n, err,
		    ISO_E_UNSUPPORTED, "domias: synthetic and auxiliary rows are needed");
	p = iso_alloc(n, sizeof(*p));
	if (!p)
		return iso_no_memory(err, "densities");
	for (size_t i = 0; i < n; i++)
		out[i].score = 0;
	st = add_density(v, opt, v->encoded->synthetic, 1, p, out, err);
	if (st == ISO_OK)
		st = add_density(v, opt, v->encoded->auxiliary, -1, p, out, err);
	iso_free(p);
	return st;
}

const iso_attack iso_attack_domias = {
	.abi = ISO_ATTACK_ABI,
	.name = "domias",
	.title = "Density ratio (DOMIAS)",
	.citation =
		"B. van Breugel, H. Sun, Z. Qian, M. van der Schaar: Membership Inference Attacks "
		"against Synthetic Data through Overfitting Detection. AISTATS 2023. "
		"arXiv:2302.12580",
	.card = "Members are where the generator is denser than the population: the log of the "
		"ratio "
		"of two Gaussian kernel densities, of the released table and of the attacker's own "
		"rows. Deviations: the bandwidths maximise the leave-one-out likelihood (the paper "
		"uses a normalising flow, or Scott's rule); no normalising flow.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
