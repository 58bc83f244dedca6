// SPDX-License-Identifier: Apache-2.0
/* LOGAN, white-box (Hayes, Melis, Danezis & De Cristofaro 2019, section 4.1; attacks.md
 * section 2.2): the target model's own discriminator tells members from non-members.  Score = its
 * logit (the sigmoid would saturate into ties); for a critic, its output, larger = more real.  A
 * conditional discriminator sees each row with the row's own label. */
#include "attacks/attack.h"
#include "core/base/alloc.h"

static const iso_option options[] = {{0}};

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	(void)opt;
	(void)state;
	ISO_FAIL_IF(!v->score, err, ISO_E_UNSUPPORTED,
		    "logan-wb: this generator releases no discriminator (no score slot)");
	double *logit = iso_alloc(v->targets->n, sizeof(*logit));
	if (!logit)
		return iso_no_memory(err, "the logits of the targets");
	const iso_status st = v->score(v->ctx, v->targets, logit, err);
	for (size_t i = 0; st == ISO_OK && i < v->targets->n; i++)
		out[i].score = logit[i];
	iso_free(logit);
	return st;
}

const iso_attack iso_attack_logan_wb = {
	.abi = ISO_ATTACK_ABI,
	.name = "logan-wb",
	.title = "White-box membership inference by the discriminator (LOGAN)",
	.citation = "J. Hayes, L. Melis, G. Danezis, E. De Cristofaro: LOGAN: Membership Inference "
		    "Attacks Against "
		    "Generative "
		    "Models. PoPETs 2019. arXiv:1705.07663",
	.card = "The discriminator has seen the training rows and over-fits to them before the "
		"generator does; the "
		"attacker holds "
		"it and ranks the targets by its logit. Most private generators do not release "
		"their discriminator: "
		"read the result "
		"as a bound on what its release would cost. The paper calls the top |members| "
		"targets members; here "
		"the "
		"referee computes all rates from the ranking. Applies to generators with a score "
		"slot.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SCORE,
	.version = 1,
	.knowledge = "WB",
	.options = options,
	.guess = guess,
};
