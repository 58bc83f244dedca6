// SPDX-License-Identifier: Apache-2.0
/* Game: attribute inference.  Knowledge: NB and the target's other columns.
 * Source: M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi, Anonymeter, PoPETs 2023 (attacks.md
 * section 4.3); with k = 10 the generator's form of Fredrikson's MAP estimate (section 4.1 c).
 *
 *     value = the commonest (numbers: mean) secret among the k synthetic rows nearest to the
 * target's known columns; score = its share among them
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
	(void)state;
	return iso_vote(v, "attribute-nearest", (size_t)((const opts *)opt)->neighbours, out, err);
}

const iso_attack iso_attack_attribute_nearest = {
	.abi = ISO_ATTACK_ABI,
	.name = "attribute-nearest",
	.title = "Attribute inference by the nearest synthetic row",
	.citation = "M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi: A Unified Framework for "
		    "Quantifying "
		    "Privacy Risk in Synthetic Data. PoPETs 2023. arXiv:2211.10459",
	.card = "The secret cell is guessed from the synthetic row that is nearest in the other "
		"columns. "
		"The risk compares the success on members with that on non-members: what is as "
		"true "
		"of people outside the training rows is no leak. Numbers count as right within 5 % "
		"of "
		"the public range (the public code's relative error accepts every negative guess).",
	.goal = ISO_GOAL_ATTRIBUTE,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
	.secret = secret_of,
};
