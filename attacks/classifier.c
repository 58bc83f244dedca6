// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB and auxiliary rows R of the population.
 * Source: J. Hayes et al., LOGAN, PoPETs 2019, the black-box attack with auxiliary knowledge, in
 * the tabular form "D1" of the DOMIAS comparison (attacks.md section 2.2).
 *
 *     s(x) = P(x is synthetic), of a classifier that tells S from R
 *
 * All rows of both: the copies of a member are few, and a sample of S as large as R misses many of
 * them (on a generator that resamples 400 members, 400 of 2,000 rows gave an area of .78 where all
 * give .98).  The prior shifts every score alike, so the sides need not be equal.
 */

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"
#include "core/learn/classifier.h"

enum { FOREST, BOOSTING, MLP, LR };
static const char *const learners[] = {"forest", "boosting", "mlp", "lr"};
typedef struct opts {
	int learner;
} opts;
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, learner, "forest", "forest|boosting|mlp|lr", "the classifier"), {0}};

/* All rows of both sides: synthetic rows are class 1. */
static iso_status gather(const iso_attack_view *v, const iso_encoder *e, float **x, uint32_t **y,
			 size_t *n, iso_error *err)
{
	const size_t s = v->synthetic->n, r = v->auxiliary->n;

	*n = s + r;
	*x = iso_alloc(*n * e->dim, sizeof(**x));
	*y = iso_alloc(*n, sizeof(**y));
	if (!*x || !*y)
		return iso_no_memory(err, "rows of a classifier");
	iso_encode(e, v->synthetic, NULL, s, *x, e->dim);
	iso_encode(e, v->auxiliary, NULL, r, *x + s * e->dim, e->dim);
	for (size_t i = 0; i < *n; i++)
		(*y)[i] = i < s;
	return ISO_OK;
}

static iso_status train_and_ask(const iso_attack_view *v, const opts *o, const iso_encoder *e,
				double *p, iso_error *err)
{
	float *x = NULL, *q = NULL;
	uint32_t *y = NULL;
	size_t n;
	iso_status st;

	ISO_TRY_OUT(gather(v, e, &x, &y, &n, err));
	ISO_TRY_OUT(iso_encode_new(e, v->targets, &q, err));
	const iso_examples all = {.x = x, .n = n, .d = e->dim, .y = y, .classes = 2};
	ISO_TRY_OUT(iso_classify(iso_classifier_find(learners[o->learner]), &all,
				 iso_key_child(v->key, "learner", 0), q, v->targets->n, p, err));
out:
	iso_free(x);
	iso_free(y);
	iso_free(q);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	iso_encoder *e = NULL;
	double *p = NULL;
	iso_status st;

	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "classifier", 2, err));
	ISO_FAIL_IF(!v->auxiliary || v->auxiliary->n < 2, err, ISO_E_UNSUPPORTED,
		    "classifier: auxiliary rows are needed");
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, err));
	p = iso_alloc(2 * v->targets->n, sizeof(*p));
	st = p ? train_and_ask(v, opt, e, p, err) : iso_no_memory(err, "probabilities");
	for (size_t i = 0; st == ISO_OK && i < v->targets->n; i++)
		out[i].score = p[2 * i + 1];
out:
	iso_free(p);
	iso_encoder_free(e);
	return st;
}

const iso_attack iso_attack_classifier = {
	.abi = ISO_ATTACK_ABI,
	.name = "classifier",
	.title = "Synthetic or real? (LOGAN, black-box)",
	.citation = "J. Hayes, L. Melis, G. Danezis, E. De Cristofaro: LOGAN: Membership Inference "
		    "Attacks Against Generative Models. PoPETs 2019. arXiv:1705.07663",
	.card = "A classifier learns to tell synthetic rows from the attacker's own rows of the "
		"population; targets that it takes for synthetic are called members. Deviations: a "
		"random forest in place of a local GAN's discriminator (learner=mlp is the network "
		"of "
		"the DOMIAS comparison). Boosting, the network and lr are smoother than the "
		"forest: "
		"they miss copies of single rows that it finds.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.version = 2,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
