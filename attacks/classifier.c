// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB and auxiliary rows R of the population.
 * Source: J. Hayes et al., LOGAN, PoPETs 2019, the black-box attack with auxiliary knowledge, in
 * the tabular form "D1" of the DOMIAS comparison (attacks.md section 2.2).
 *
 *     s(x) = P(x is synthetic), of a classifier that tells S from as many rows of R
 */

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"

enum { FOREST, BOOSTING, MLP, LR };
static const char *const learners[] = {"forest", "boosting", "mlp", "lr"};
typedef struct opts {
	int learner;
} opts;
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, learner, "forest", "forest|boosting|mlp|lr", "the classifier"), {0}};

static iso_status encode_rows(const iso_encoder *e, const iso_table *t, const uint32_t *row,
			      size_t n, float *x, uint32_t *y, uint32_t label)
{
	iso_encode(e, t, row, n, x, e->dim);
	for (size_t i = 0; i < n; i++)
		y[i] = label;
	return ISO_OK;
}

static iso_status train_and_ask(const iso_attack_view *v, const opts *o, const iso_encoder *e,
				double *p, iso_error *err)
{
	const size_t m = v->synthetic->n < v->auxiliary->n ? v->synthetic->n : v->auxiliary->n;
	float *x = iso_alloc(2 * m * e->dim, sizeof(*x)), *q = NULL;
	uint32_t *y = iso_alloc(2 * m, sizeof(*y)), *s = NULL, *r = NULL;
	iso_status st = x && y ? ISO_OK : iso_no_memory(err, "rows of a classifier");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_subset(iso_key_child(v->key, "synthetic", 0), v->synthetic->n, m, &s, err));
	ISO_TRY_OUT(iso_subset(iso_key_child(v->key, "auxiliary", 0), v->auxiliary->n, m, &r, err));
	ISO_TRY_OUT(encode_rows(e, v->synthetic, s, m, x, y, 1));
	ISO_TRY_OUT(encode_rows(e, v->auxiliary, r, m, x + m * e->dim, y + m, 0));
	ISO_TRY_OUT(iso_encode_new(e, v->targets, &q, err));
	const iso_examples all = {.x = x, .n = 2 * m, .d = e->dim, .y = y, .classes = 2};
	ISO_TRY_OUT(iso_classify(iso_classifier_find(learners[o->learner]), &all,
				 iso_key_child(v->key, "learner", 0), q, v->targets->n, p, err));
out:
	iso_free(x);
	iso_free(y);
	iso_free(q);
	iso_free(s);
	iso_free(r);
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
		"the DOMIAS comparison), and equal numbers of rows on both sides.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
