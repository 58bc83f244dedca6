// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB and auxiliary rows R of the population.
 * Source: J. Ward, C.-H. Wang, G. Cheng, Data Plagiarism Index, 2024.
 *
 *     s(x) = (1 + sum of w over synthetic rows) / (1 + sum of w over rows of R)
 *
 * over the k rows of S and R nearest to x; w = 1 (the paper's count), or 1 / distance by default,
 * so that a copy weighs more than a neighbour.  Synthetic rows count relative to the size of their
 * table.
 */
#include <math.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"

typedef struct opts {
	int64_t neighbours;
	int weighted;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, neighbours, "5", 1, 1000, "nearest rows of both tables together"),
	ISO_OPT_BOOL(opts, weighted, "true", "weigh a row by the inverse of its distance"),
	{0}};

#define LEAST_DISTANCE 1e-6 /* of an exact copy */

static double weight(const opts *o, float d2)
{
	return o->weighted ? 1 / (sqrt((double)d2) + LEAST_DISTANCE) : 1;
}

/* Both lists ascend; at a tie the attacker's own row comes first. */
static double index_of(const opts *o, const float *s, const float *r, size_t k, double prior)
{
	double plagiarised = 0, own = 0;
	size_t a = 0, b = 0;

	while (a + b < k) {
		if (s[a] < r[b])
			plagiarised += prior * weight(o, s[a++]);
		else
			own += weight(o, r[b++]);
	}
	return (1 + plagiarised) / (1 + own);
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	const size_t k = (size_t)o->neighbours;

	(void)state;
	ISO_FAIL_IF(!v->synthetic || v->synthetic->n < k || !v->auxiliary || v->auxiliary->n < k,
		    err, ISO_E_UNSUPPORTED,
		    "plagiarism-index: at least %zu synthetic and auxiliary rows are needed", k);
	const iso_rowset *set[2] = {v->encoded->synthetic, v->encoded->auxiliary};
	const size_t most = set[0]->n > set[1]->n ? set[0]->n : set[1]->n;
	const double prior = (double)set[1]->n / (double)set[0]->n;
	float *d2 = iso_alloc(most, sizeof(*d2)), *best = iso_alloc(2 * k, sizeof(*best));
	size_t *place = iso_alloc(k, sizeof(*place));
	const int ok = d2 && best && place;

	for (size_t i = 0; ok && i < v->targets->n; i++) {
		for (size_t t = 0; t < 2; t++) {
			iso_pair_distances(v->encoded->targets, i, set[t], d2);
			iso_smallest(d2, set[t]->n, k, SIZE_MAX, best + t * k, place);
		}
		out[i].score = index_of(o, best, best + k, k, prior);
	}
	iso_free(d2);
	iso_free(best);
	iso_free(place);
	return ok ? ISO_OK : iso_no_memory(err, "nearest rows");
}

const iso_attack iso_attack_plagiarism_index = {
	.abi = ISO_ATTACK_ABI,
	.name = "plagiarism-index",
	.title = "Data plagiarism index",
	.citation =
		"J. Ward, C.-H. Wang, G. Cheng: Data Plagiarism Index: Characterizing the Privacy "
		"Risk of Data-Copying in Tabular Generative Models. 2024. arXiv:2406.13012",
	.card = "Among the rows of both tables nearest to the target, the number that are "
		"synthetic "
		"against the number of the attacker's own. Deviation: one is added to both and "
		"counts "
		"are relative to the sizes of the tables.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
