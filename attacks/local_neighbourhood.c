// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB and auxiliary rows R of the population.
 * Source: F. Houssiau et al., TAPAS, 2022, the local-neighbourhood attack, with a radius that
 * follows the population's density.
 *
 *     s(x) = #{ synthetic rows within `fraction` times the distance from x to its k-th nearest row
 * of R }
 */
#include "attacks/attack.h"
#include "core/base/alloc.h"

typedef struct opts {
	int64_t neighbours;
	double fraction;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, neighbours, "1", 1, 1000,
		    "the radius follows the distance to this nearest auxiliary row"),
	ISO_OPT_REAL(opts, fraction, "0.6", 0.001, 10, "the radius in units of that distance"),
	{0}};

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	const size_t k = (size_t)o->neighbours;

	(void)state;
	ISO_FAIL_IF(
		!v->synthetic || !v->synthetic->n || !v->auxiliary || v->auxiliary->n < k, err,
		ISO_E_UNSUPPORTED,
		"local-neighbourhood: synthetic rows and at least %zu auxiliary rows are needed",
		k);
	const iso_rowset *s = v->encoded->synthetic, *r = v->encoded->auxiliary;
	float *near = iso_alloc(r->n, sizeof(*near)), *d2 = iso_alloc(s->n, sizeof(*d2));
	float *best = iso_alloc(k, sizeof(*best));
	size_t *place = iso_alloc(k, sizeof(*place));
	const int ok = near && d2 && best && place;

	for (size_t i = 0; ok && i < v->targets->n; i++) {
		iso_pair_distances(v->encoded->targets, i, r, near);
		iso_smallest(near, r->n, k, SIZE_MAX, best, place);
		iso_pair_distances(v->encoded->targets, i, s, d2);
		const float radius2 = best[k - 1] * (float)(o->fraction * o->fraction);
		out[i].score = 0;
		for (size_t j = 0; j < s->n; j++)
			out[i].score += d2[j] <= radius2;
	}
	iso_free(near);
	iso_free(d2);
	iso_free(best);
	iso_free(place);
	return ok ? ISO_OK : iso_no_memory(err, "neighbourhoods");
}

const iso_attack iso_attack_local_neighbourhood = {
	.abi = ISO_ATTACK_ABI,
	.name = "local-neighbourhood",
	.title = "Synthetic rows in the target's neighbourhood",
	.citation =
		"F. Houssiau, J. Jordon, S. N. Cohen, O. Daniel, A. Elliott, J. Geddes, C. Mole, "
		"C. "
		"Rangel-Smith, L. Szpruch: TAPAS: a Toolbox for Adversarial Privacy Auditing of "
		"Synthetic Data. 2022. arXiv:2211.06550",
	.card = "Counts the synthetic rows that lie nearer to the target than its nearest row "
		"among "
		"the attacker's own. Deviation: TAPAS fixes one radius for all targets; here it "
		"follows the density of the population.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
