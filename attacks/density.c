// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB (the released table).
 * Source: B. van Breugel et al., DOMIAS, AISTATS 2023, equation 1, what earlier attacks amount to
 * (attacks.md section 2.5).
 *
 *     s(x) = log p_S(x), a Gaussian kernel density of the synthetic rows (core/learn/kde.h).
 */
#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/learn/kde.h"

typedef struct opts {
	double bandwidth;
} opts;
static const iso_option options[] = {
	ISO_OPT_REAL(opts, bandwidth, "0", 0, 100,
		     "bandwidth of the kernel; 0 = by leave-one-out likelihood"),
	{0}};

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	const size_t n = v->targets->n;
	double *p = iso_alloc(n, sizeof(*p));
	iso_kde k;
	iso_status st = ISO_OK;

	(void)state;
	if (!p)
		return iso_no_memory(err, "densities");
	if (!v->synthetic || !v->synthetic->n)
		st = iso_fail(err, ISO_E_UNSUPPORTED, "density: there are no synthetic rows");
	if (st == ISO_OK)
		st = iso_kde_init(&k, v->encoded->synthetic, o->bandwidth,
				  iso_key_child(v->key, "bandwidth", 0), err);
	if (st == ISO_OK)
		st = iso_kde_log_density(&k, v->encoded->targets, p, err);
	for (size_t i = 0; st == ISO_OK && i < n; i++)
		out[i].score = p[i];
	iso_free(p);
	return st;
}

const iso_attack iso_attack_density = {
	.abi = ISO_ATTACK_ABI,
	.name = "density",
	.title = "Density of the synthetic rows",
	.citation =
		"B. van Breugel, H. Sun, Z. Qian, M. van der Schaar: Membership Inference Attacks "
		"against Synthetic Data through Overfitting Detection. AISTATS 2023. "
		"arXiv:2302.12580 (equation 1)",
	.card = "Targets where the synthetic rows are dense are called members: the log of a "
		"Gaussian "
		"kernel density of the released table. Ignores that some regions are dense in the "
		"population too, which domias corrects. Deviation: the bandwidth maximises the "
		"leave-one-out likelihood; Scott's rule blurs the local over-fitting that matters.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
