// SPDX-License-Identifier: Apache-2.0
/* ae: an auto-encoder per class with a mixture of Gaussians over its codes, without privacy.
 *
 * WHAT.  The non-private twin of dp-syn and the plainest generator that an auto-encoder gives (card
 * "vae", section "ae"): learn codes, fit a density to them after the fact, sample and decode.
 *
 * ALGORITHM (kit/coded.h).  Per class: Adam on the cross-entropy of a tied auto-encoder, codes in
 * [0,1]^z; then EM for K Gaussians with diagonal covariances on the codes of all rows of the class.
 * Sample: class by its count, code from the mixture, row = decoder(code), categories drawn in
 * proportion to the output of their block.
 *
 * PRIVACY ARGUMENT.  None: guarantee "none".
 *
 * DEVIATIONS.  Diagonal covariances with more components instead of the card's full ones; decoded
 * numbers are means, without observation noise.
 *
 * COST.  About 0.1 ms per step of 64 rows with Adult's columns.
 */
#include "generators/kit/coded.h"

static const iso_option options[] = {
	ISO_CODED_OPT_NET,
	{0},
};

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (ae): the training table is empty; give it at least one row");
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	return iso_coded_fit(f, NULL, model, err);
}

const iso_generator iso_generator_ae = {
	.abi = ISO_GENERATOR_ABI,
	.name = "ae",
	.title = "Auto-encoder per class with a mixture over its codes, not private",
	.citation = "G. E. Hinton, R. R. Salakhutdinov, \"Reducing the Dimensionality of Data with "
		    "Neural Networks\", Science 313, 2006, doi 10.1126/science.1127647; density on "
		    "the codes as in N. C. Abay et al., ECML-PKDD 2018",
	.card = "The non-private twin of dp-syn: the same tied auto-encoders and the same "
		"mixtures, "
		"learned without clipping and noise.\n"
		"Privacy: none.\n"
		"Deviations: diagonal covariances; decoded numbers carry no observation noise.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_CODED_SLOTS,
};
