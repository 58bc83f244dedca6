// SPDX-License-Identifier: Apache-2.0
/* Game: reconstruction.  Knowledge: NB and half of the target's columns.
 * Source: attacks.md section 5.1 (share of rows with every category right and numbers within 5 %),
 * with the nearest synthetic row as the estimate.
 *
 *     the blanked cells of a target are those of the synthetic row nearest in the known columns
 */
#include "attacks/kit/masked.h"
#include "core/base/alloc.h"

static const iso_option options[] = {{0}};

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const size_t n = v->targets->n, ncol = v->schema->ncol;
	iso_masked m = {0};
	double *dist = NULL;
	size_t *place = NULL;
	iso_status st;

	(void)opt;
	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "reconstruction-nearest", 1, err));
	ISO_FAIL_IF(!v->rebuilt, err, ISO_E_UNSUPPORTED,
		    "reconstruction-nearest: there are no rows to complete");
	ISO_TRY_OUT(iso_masked_new(v->targets, v->synthetic, &m, err));
	dist = iso_alloc(n, sizeof(*dist));
	place = iso_alloc(n, sizeof(*place));
	if (!dist || !place) {
		st = iso_no_memory(err, "nearest rows");
		goto out;
	}
	ISO_TRY_OUT(iso_pair_nearest(&m.known, &m.synthetic, 1, 0, dist, place, err));
	for (size_t i = 0; i < n; i++) {
		out[i].score = -dist[i];
		for (size_t c = 0; c < ncol; c++)
			if (m.hidden[c])
				v->rebuilt->cells[i * ncol + c] =
					iso_table_cell(v->synthetic, place[i], c);
	}
out:
	iso_masked_free(&m);
	iso_free(dist);
	iso_free(place);
	return st;
}

const iso_attack iso_attack_reconstruction_nearest = {
	.abi = ISO_ATTACK_ABI,
	.name = "reconstruction-nearest",
	.title = "Reconstruction from the nearest synthetic row",
	.citation = "M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi: A Unified Framework for "
		    "Quantifying "
		    "Privacy Risk in Synthetic Data. PoPETs 2023. arXiv:2211.10459 (nearest-row "
		    "inference, for half of the columns at once)",
	.card = "Half of the target's columns are known; the others are copied from the synthetic "
		"row "
		"that is nearest in the known ones. A row is rebuilt when every category is right "
		"and "
		"every number lies within 5 % of its public range; the leak is the difference "
		"between "
		"members and non-members.",
	.goal = ISO_GOAL_RECONSTRUCTION,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.guess = guess,
};
