// SPDX-License-Identifier: Apache-2.0
/* Scores of generative adversarial networks on any table (attacks.md section 8):
 *
 *     inception     IS = exp(mean KL(p(y|x) || p(y))) with p(y|x) of a classifier trained on real
 *                   training rows, over synthetic rows; beside it the same over real test rows and
 *                   the classifier's accuracy there.  Needs a discrete label.
 *     jensen_shannon  a fresh discriminator learns from one half of the pooled rows; p_r and p_g
 * are its mean probabilities of "real" over the real and the synthetic rows of the other half;  1/2
 * KL(B(p_r) || B(m)) + 1/2 KL(B(p_g) || B(m)), m their mean. Needs no label.
 */
#include <math.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/math/stats.h"
#include "core/math/vmath.h"
#include "metrics/kit/halves.h"

#define LEAST_ROWS 20

typedef struct opts {
	int64_t max_rows;
	int classifier, discriminator;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "2500", 20, 100000000,
		    "at most so many rows of each table, drawn at random"),
	ISO_OPT_ENUM(opts, classifier, "lr", "lr|mlp|forest", "that gives p(y|x)"),
	ISO_OPT_ENUM(opts, discriminator, "boosting", "lr|mlp|forest|boosting",
		     "that tells real from synthetic"),
	{0}};
static const char *const learner[] = {"lr", "mlp", "forest", "boosting"};

#define OURS "the discriminator is ours: not comparable with the numbers of other papers"
static const iso_output outputs[] = {
	{"inception", "inception-like score", "", ISO_HIGHER, 1, INFINITY, NAN, NULL, "utility", 0,
	 "real.inception"},
	{"real.inception", "inception-like score of real test rows", "", ISO_NEITHER, 1, INFINITY,
	 NAN, NULL, "utility", 0, "real.inception"},
	{"inception_accuracy", "accuracy of that score's classifier on real test rows", "share",
	 ISO_NEITHER, 0, 1, NAN, NULL, "utility"},
	{"jensen_shannon", "Jensen-Shannon score", "nats", ISO_LOWER, 0, 0.6931471805599453, 0,
	 OURS, "fidelity", 1},
	{0}};

static double kl_bernoulli(double p, double q)
{
	const double a = p > 0 ? p * iso_log(p / q) : 0;

	return a + (p < 1 ? (1 - p) * iso_log((1 - p) / (1 - q)) : 0);
}

static iso_status jensen_shannon(const opts *o, const iso_metric_view *v, double *value,
				 iso_error *err)
{
	const size_t most = (size_t)o->max_rows;
	size_t m = v->train->n < v->synthetic->n ? v->train->n : v->synthetic->n, n = 0;
	double sum[2] = {0}, rows[2] = {0};
	iso_pooled p = {0};
	iso_halves h = {0};
	iso_status st;

	m = m < most ? m : most;
	if (m < LEAST_ROWS)
		return ISO_OK;
	ISO_TRY_OUT(iso_pooled_new(v->train, v->synthetic, m, v->key, 1, &p, err));
	ISO_TRY_OUT(iso_halves_new(&p, v->key, &h, err));
	if (iso_halves_one_sided(&h))
		goto out;
	ISO_TRY_OUT(iso_halves_judge(&h, iso_classifier_find(learner[o->discriminator]),
				     iso_key_child(v->key, "discriminator", 0), &n, err));
	for (size_t i = 0; i < n; i++) {
		sum[h.truth[i]] += h.score[i];
		rows[h.truth[i]]++;
	}
	const double real = sum[1] / rows[1], fake = sum[0] / rows[0], mid = (real + fake) / 2;
	*value = fmax(0, 0.5 * kl_bernoulli(real, mid) + 0.5 * kl_bernoulli(fake, mid));
out:
	iso_pooled_free(&p);
	iso_halves_free(&h);
	return st;
}

typedef struct labelled {
	iso_labelled train, test, synthetic;
} labelled;

/* value: of synthetic rows, of test rows, accuracy */
static iso_status score_rows(const opts *o, const labelled *l, size_t classes, double *value,
			     iso_error *err)
{
	const iso_classifier *c = iso_classifier_find(learner[o->classifier]);
	const iso_examples e = {.x = l->train.x,
				.n = l->train.n,
				.d = l->train.d,
				.y = l->train.y,
				.classes = classes};
	const size_t most = l->test.n > l->synthetic.n ? l->test.n : l->synthetic.n;
	double *prob = iso_alloc(most * classes, sizeof(*prob));
	void *model = NULL;
	iso_assessment a;
	iso_status st = prob ? ISO_OK : iso_no_memory(err, "predictions");

	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_classifier_fit(c, &e, iso_key_new(0, "metrics/gan-scores"), &model, err));
	ISO_TRY_OUT(c->predict(model, l->synthetic.x, l->synthetic.n, prob, err));
	value[0] = iso_inception_score(prob, l->synthetic.n, classes);
	ISO_TRY_OUT(c->predict(model, l->test.x, l->test.n, prob, err));
	value[1] = iso_inception_score(prob, l->test.n, classes);
	ISO_TRY_OUT(iso_assess(prob, l->test.y, l->test.n, classes, 0, &a, err));
	value[2] = a.accuracy;
out:
	c->free(model);
	iso_free(prob);
	return st;
}

/* The features of every synthetic row; the label plays no part. */
static iso_status unlabelled(const iso_encoder *e, const iso_table *t, size_t most, iso_key key,
			     iso_labelled *out, iso_error *err)
{
	iso_table *part;

	ISO_TRY(iso_sample_table(t, most, key, &part, err));
	*out = (iso_labelled){.n = part->n, .d = e->dim};
	const iso_status st = iso_encode_new(e, part, &out->x, err);
	iso_table_free(part);
	return st;
}

static iso_status inception(const opts *o, const iso_metric_view *v, double *value, iso_error *err)
{
	const size_t classes = iso_schema_classes(v->schema), most = (size_t)o->max_rows;
	const iso_key fixed = iso_key_new(0, "metrics/gan-scores/rows");
	iso_encoder *e;
	labelled l = {0};
	iso_status st;

	if (classes < 2)
		return ISO_OK;
	ISO_TRY(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(iso_labelled_new(e, v->train, most, iso_key_child(fixed, "train", 0), &l.train,
				     err));
	ISO_TRY_OUT(
		iso_labelled_new(e, v->test, most, iso_key_child(fixed, "test", 0), &l.test, err));
	ISO_TRY_OUT(unlabelled(e, v->synthetic, most, iso_key_child(v->key, "rows", 0),
			       &l.synthetic, err));
	if (e->dim && l.train.n && l.test.n && l.synthetic.n)
		ISO_TRY_OUT(score_rows(o, &l, classes, value, err));
out:
	iso_encoder_free(e);
	iso_labelled_free(&l.train);
	iso_labelled_free(&l.test);
	iso_labelled_free(&l.synthetic);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	double value[4] = {NAN, NAN, NAN, NAN};

	ISO_TRY(inception(o, v, value, err));
	ISO_TRY(jensen_shannon(o, v, &value[3], err));
	for (size_t i = 0; i < 4; i++)
		ISO_TRY(iso_put(out, outputs[i].key, value[i],
				i < 3 ? "no classes, no features, or no labelled rows"
				      : "fewer than twenty rows of a side that can be told apart",
				err));
	return ISO_OK;
}

const iso_metric iso_metric_gan_scores = {
	.abi = ISO_METRIC_ABI,
	.name = "gan-scores",
	.title = "Inception-like and Jensen-Shannon score",
	.citation =
		"T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen: Improved "
		"Techniques for Training GANs. NIPS 2016. arXiv:1606.03498; X. Zhang, S. Ji, T. "
		"Wang: Differentially Private Releasing via Deep Generative Model. "
		"arXiv:1801.01594, 2018 (both scores)",
	.card = "The inception-like score is exp(mean KL(p(y|x) || p(y))) of a classifier trained "
		"on "
		"real training rows: high when each synthetic row is of one clear class and all "
		"classes come, at most the number of classes; the score of real test rows and the "
		"classifier's accuracy stand beside it. The Jensen-Shannon score measures how far "
		"a "
		"fresh discriminator's mean answers to held-out real and synthetic rows lie apart, "
		"0 to "
		"ln 2; it needs no label.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.measure = measure,
};
