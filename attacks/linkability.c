// SPDX-License-Identifier: Apache-2.0
/* Game: linkage.  Knowledge: NB and two halves of a record.
 * Source: M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi, Anonymeter, PoPETs 2023 (attacks.md
 * section 4.3).
 *
 *     value = 1 if the k synthetic rows nearest to the one half meet the k nearest to the other
 */
#include "attacks/kit/masked.h"
#include "core/base/alloc.h"

typedef struct opts {
	int64_t neighbours;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, neighbours, "1", 1, 100, "nearest synthetic rows of each half"), {0}};

static iso_status nearest(const iso_table *half, const iso_table *synthetic, size_t k,
			  size_t **place, iso_error *err)
{
	double *dist = iso_alloc(half->n * k, sizeof(*dist));
	iso_masked m = {0};
	iso_status st;

	*place = iso_alloc(half->n * k, sizeof(**place));
	st = dist && *place ? iso_masked_new(half, synthetic, &m, err)
			    : iso_no_memory(err, "nearest rows");
	if (st == ISO_OK)
		st = iso_pair_nearest(&m.known, &m.synthetic, k, 0, dist, *place, err);
	iso_masked_free(&m);
	iso_free(dist);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const size_t k = (size_t)((const opts *)opt)->neighbours;
	size_t *a = NULL, *b = NULL;
	iso_status st;

	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "linkability", k, err));
	ISO_FAIL_IF(!v->partners, err, ISO_E_UNSUPPORTED,
		    "linkability: there are no halves to link");
	ISO_TRY_OUT(nearest(v->targets, v->synthetic, k, &a, err));
	ISO_TRY_OUT(nearest(v->partners, v->synthetic, k, &b, err));
	for (size_t i = 0; i < v->targets->n; i++) {
		double common = 0;

		for (size_t x = 0; x < k; x++)
			for (size_t y = 0; y < k; y++)
				common += a[i * k + x] == b[i * k + y];
		out[i] = (iso_guess){common, common > 0};
	}
out:
	iso_free(a);
	iso_free(b);
	return st;
}

const iso_attack iso_attack_linkability = {
	.abi = ISO_ATTACK_ABI,
	.name = "linkability",
	.title = "Linkability of two halves of a record",
	.citation = "M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi: A Unified Framework for "
		    "Quantifying "
		    "Privacy Risk in Synthetic Data. PoPETs 2023. arXiv:2211.10459",
	.card = "Two parties know different columns of the same people; they link two halves when "
		"both "
		"lie nearest to the same synthetic row. The risk compares members with "
		"non-members; "
		"the naive baseline are halves of different members. Deviation: columns are split "
		"at "
		"random, by the cell's seed.",
	.goal = ISO_GOAL_LINKAGE,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
