// SPDX-License-Identifier: Apache-2.0
/* Game: redrawn (the secret of every training row was drawn anew, independent of all else).
 * Knowledge: NB and all other columns of the target.
 * Source: F. Houssiau et al., TAPAS, 2022, attribute inference (attacks.md section 4.3, last
 * paragraph); the estimate is that of Anonymeter.
 *
 *     value = the commonest secret among the k synthetic rows nearest in the known columns
 *
 * The secret is independent of everything else, so what the population knows does not help: any
 * success beyond chance is what the release says about that very row.
 */
#include "attacks/kit/vote.h"

typedef struct opts {
	char secret[ISO_OPT_TEXT_MAX];
	int64_t neighbours;
} opts;
static const iso_option options[] = {
	ISO_OPT_STRING(opts, secret, "",
		       "the secret column; empty = the label, else the last column"),
	ISO_OPT_INT(opts, neighbours, "1", 1, 1000, "nearest synthetic rows that vote"),
	{0}};

static const char *secret_of(const void *opt)
{
	return ((const opts *)opt)->secret;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;

	(void)state;
	return iso_vote(v, "attribute-redrawn", (size_t)o->neighbours, out, err);
}

const iso_attack iso_attack_attribute_redrawn = {
	.abi = ISO_ATTACK_ABI,
	.name = "attribute-redrawn",
	.title = "Inference of a secret that was drawn anew (TAPAS)",
	.citation = "F. Houssiau et al.: TAPAS: A Toolbox for Adversarial Privacy Auditing of "
		    "Synthetic Data. 2022. arXiv:2211.06550",
	.card = "The game draws the secret of every training row anew, trains the victim's "
		"generator on these rows and releases as many; the secret is guessed from the "
		"synthetic row that is nearest in the other columns. Chance is exact, and every "
		"success beyond it is individual leakage. Deviation: the secrets of up to 1,000 "
		"training rows are drawn anew at once, so that one training serves all targets.",
	.goal = ISO_GOAL_REDRAWN,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
	.secret = secret_of,
};
