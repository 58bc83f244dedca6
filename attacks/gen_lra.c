// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB and auxiliary rows R of the population.
 * Source: J. Ward, X. Lin, C.-H. Wang, G. Cheng, Gen-LRA, 2025 (likelihood ratio on the synthetic
 * table).
 *
 *     s(x) = sum over the k synthetic rows nearest to x of  log p_{R + x}(s) - log p_R(s)
 *
 * How much the candidate improves the fit of a density of the population to the synthetic rows
 * around it. With a kernel density one candidate changes p_R by one kernel:
 *
 *     p_{R + x}(s) / p_R(s) = n / (n + 1) * (1 + K(s, x) / sum_r K(s, r))
 */
#include <math.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/learn/kde.h"
#include "core/math/vmath.h"

typedef struct opts {
	int64_t neighbours;
	double bandwidth;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, neighbours, "5", 1, 1000, "nearest synthetic rows that are looked at"),
	ISO_OPT_REAL(
		opts, bandwidth, "0", 0, 100,
		"bandwidth of the kernel; 0 = of the auxiliary rows by leave-one-out likelihood"),
	{0}};

static iso_status score(const iso_attack_view *v, const opts *o, const iso_kde *reference,
			iso_guess *out, iso_error *err)
{
	const iso_rowset *s = v->encoded->synthetic;
	const size_t k = (size_t)o->neighbours < s->n ? (size_t)o->neighbours : s->n;
	const size_t m = s->n > reference->rows->n ? s->n : reference->rows->n;
	float *d2 = iso_alloc(m, sizeof(*d2)), *scratch = iso_alloc(m, sizeof(*scratch));
	float *near = iso_alloc(k, sizeof(*near));
	size_t *place = iso_alloc(k, sizeof(*place));
	double *base = iso_alloc(s->n, sizeof(*base)); /* log sum_r K(s, r) */
	const int ok = d2 && scratch && near && place && base;

	for (size_t j = 0; ok && j < s->n; j++) {
		iso_pair_distances(s, j, reference->rows, d2);
		base[j] =
			iso_log_kernel_sum(d2, reference->rows->n, reference->h, SIZE_MAX, scratch);
	}
	for (size_t i = 0; ok && i < v->targets->n; i++) {
		iso_pair_distances(v->encoded->targets, i, s, d2);
		iso_smallest(d2, s->n, k, SIZE_MAX, near, place);
		out[i].score = 0;
		for (size_t j = 0; j < k; j++)
			out[i].score += iso_softplus(-0.5 * (double)near[j] /
							     (reference->h * reference->h) -
						     base[place[j]]);
	}
	iso_free(d2);
	iso_free(scratch);
	iso_free(near);
	iso_free(place);
	iso_free(base);
	return ok ? ISO_OK : iso_no_memory(err, "likelihood ratios");
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_kde reference;

	(void)state;
	ISO_FAIL_IF(!v->synthetic || !v->synthetic->n || !v->auxiliary || !v->auxiliary->n, err,
		    ISO_E_UNSUPPORTED, "gen-lra: synthetic and auxiliary rows are needed");
	ISO_TRY(iso_kde_init(&reference, v->encoded->auxiliary, o->bandwidth,
			     iso_key_child(v->key, "bandwidth", 0), err));
	return score(v, o, &reference, out, err);
}

const iso_attack iso_attack_gen_lra = {
	.abi = ISO_ATTACK_ABI,
	.name = "gen-lra",
	.title = "Likelihood ratio on the synthetic table (Gen-LRA)",
	.citation =
		"J. Ward, X. Lin, C.-H. Wang, G. Cheng: Privacy Auditing Synthetic Data Release "
		"through Local Likelihood Attacks. 2025. arXiv:2508.21146",
	.card = "How much does adding the target to the attacker's own rows improve the likelihood "
		"of "
		"the synthetic rows around it? Log likelihood ratio of a Gaussian kernel density, "
		"summed over the nearest synthetic rows. Deviation: the bandwidth maximises the "
		"leave-one-out likelihood of the attacker's rows and is kept for the enlarged "
		"table.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
