// SPDX-License-Identifier: Apache-2.0
/* Train on synthetic rows, test on real ones; beside it the same classifiers trained on the real
 * training rows (prefix "real.").
 *
 * Two classifiers: converged logistic regression and a one-layer MLP.  Rows without a label are
 * left out.  A training table with one class gives a constant classifier (its areas are 0.5); a
 * table without usable rows, or test rows of one class, leave values undefined with the reason.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/classifier.h"
#include "core/learn/kfold.h"
#include "metrics/kit/sample.h"

enum { RUN_BOTH, RUN_LR, RUN_MLP };
enum { STANDARDISE_AUTO, STANDARDISE_YES, STANDARDISE_NO };
typedef struct opts {
	int classifiers, scheme, standardise;
	double lr_c, mlp_alpha, test_scale;
	int64_t mlp_hidden, mlp_epochs, max_train_rows;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, classifiers, "both", "both|lr|mlp", "which classifiers to train"),
	ISO_OPT_ENUM(opts, scheme, "multinomial", "multinomial|ovr",
		     "more than two classes: one softmax model, or one binary model a class "
		     "(scores not normalised)"),
	ISO_OPT_ENUM(opts, standardise, "auto", "auto|yes|no",
		     "features by mean and sd of the training rows at hand; auto: yes without "
		     "pixels, no with them"),
	ISO_OPT_REAL(opts, lr_c, "1", 1e-6, 1e6,
		     "C of the logistic regression (inverse strength of its penalty)"),
	ISO_OPT_INT(opts, mlp_hidden, "100", 1, 65536, "ReLU units of the MLP"),
	ISO_OPT_INT(opts, mlp_epochs, "0", 0, 10000,
		    "epochs of the MLP; 0 = as many as make 5,000 steps, between 30 and 200"),
	ISO_OPT_REAL(opts, mlp_alpha, "1e-4", 0, 1e6,
		     "L2 penalty of the MLP (scikit-learn's alpha)"),
	ISO_OPT_REAL(opts, test_scale, "1", 1e-6, 1e6,
		     "multiply the encoded test features; 255 repeats the DP-CGAN code, which "
		     "tests on unscaled bytes"),
	ISO_OPT_INT(opts, max_train_rows, "0", 0, 100000000,
		    "train on at most so many rows, drawn at random; 0 = all"),
	{0}};

// clang-format off
#define OUTPUT(prefix, name, key, what, dir, real, unit, headline, chance) \
	{prefix key, name what, unit, dir, 0, 1, NAN, NULL, "utility", headline, real key, chance}
#define OUTPUTS(prefix, name, dir, real, headline) \
	OUTPUT(prefix, name, ".accuracy", " accuracy", dir, real, "share", 0, 0), \
	OUTPUT(prefix, name, ".f1_positive", " F1 (positive class)", dir, real, "", 0, 0), \
	OUTPUT(prefix, name, ".f1_macro", " F1 (macro)", dir, real, "", 0, 0), \
	OUTPUT(prefix, name, ".auroc_micro", " AUROC (micro)", dir, real, "", 0, 0.5), \
	OUTPUT(prefix, name, ".auroc_macro", " AUROC (macro)", dir, real, "", headline, 0.5), \
	OUTPUT(prefix, name, ".auprc", " AUPRC (macro)", dir, real, "", 0, 0)
static const iso_output outputs[] = {
	OUTPUTS("lr", "LR", ISO_HIGHER, "real.lr", 1),
	OUTPUTS("mlp", "MLP", ISO_HIGHER, "real.mlp", 0),
	OUTPUTS("real.lr", "LR, real training rows,", ISO_NEITHER, "real.lr", 0),
	OUTPUTS("real.mlp", "MLP, real training rows,", ISO_NEITHER, "real.mlp", 0),
	{0}};
// clang-format on

enum { ACC, F1_POS, F1_MACRO, MICRO, MACRO, AUPRC, NVALUE };
static const char *const suffix[NVALUE] = {"accuracy",	  "f1_positive", "f1_macro",
					   "auroc_micro", "auroc_macro", "auprc"};

/* Labelled rows of a table. */
typedef struct part {
	const iso_table *table;
	uint32_t *row, *y; /* owned [n] */
	size_t n;
} part;

static void part_free(part *p)
{
	iso_free(p->row);
	iso_free(p->y);
	*p = (part){0};
}

/* At most `most` of them (0 = all), drawn by key. */
static iso_status part_init(const iso_table *t, size_t most, iso_key key, part *p, iso_error *err)
{
	const size_t classes = iso_schema_classes(t->schema);
	*p = (part){.table = t};
	p->row = iso_alloc(t->n, sizeof(*p->row));
	p->y = iso_alloc(t->n, sizeof(*p->y));
	if (!p->row || !p->y) {
		part_free(p);
		return iso_no_memory(err, "the labelled rows of a table");
	}
	for (size_t i = 0; i < t->n; i++)
		if (iso_table_label(t, i) < classes)
			p->row[p->n++] = (uint32_t)i;
	if (most && p->n > most) {
		uint32_t *pick;
		const iso_status st = iso_subset(key, p->n, most, &pick, err);
		if (st != ISO_OK) {
			part_free(p);
			return st;
		}
		for (size_t i = 0; i < most; i++)
			p->row[i] = p->row[pick[i]]; /* pick ascends: never behind i */
		p->n = most;
		iso_free(pick);
	}
	for (size_t i = 0; i < p->n; i++)
		p->y[i] = (uint32_t)iso_table_label(t, p->row[i]);
	return ISO_OK;
}

/* What both arms share. */
typedef struct bench {
	const iso_metric_view *view;
	const opts *o;
	iso_encoder *encoder;
	part test;
	double *prob; /* [test.n][classes] */
	size_t classes, positive;
	iso_lr_options lr;
	iso_mlp_options mlp;
} bench;

static iso_source source_of(const bench *b, const part *p)
{
	iso_source s = iso_source_table(b->encoder, p->table, p->row, p->n);
	if (p == &b->test && b->o->test_scale != 1)
		s.scale = (float)b->o->test_scale;
	return s;
}

/* The classifiers of this metric, in the order of its outputs. */
static const iso_classifier *const classifier[] = {&iso_learn_lr, &iso_learn_mlp};

static const void *options_of(const bench *b, size_t k)
{
	return k ? (const void *)&b->mlp : (const void *)&b->lr;
}

/* Predictions of the test rows into b->prob. */
static iso_status predict(bench *b, size_t k, const part *train, iso_key key, iso_error *err)
{
	const iso_classifier *c = classifier[k];
	const iso_source src = source_of(b, train), src_test = source_of(b, &b->test);
	const iso_examples e = {.source = &src,
				.n = train->n,
				.d = src.d,
				.y = train->y,
				.classes = b->classes,
				.options = options_of(b, k)};
	void *model;
	iso_status st = iso_classifier_fit(c, &e, key, &model, err);
	if (st == ISO_OK)
		st = iso_classifier_predict(c, model, &src_test, b->classes, b->prob, err);
	c->free(model);
	return st;
}

/* value [NVALUE][3]: value, low, high; NaN = undefined. */
static iso_status judge(bench *b, double value[NVALUE][3], iso_error *err)
{
	iso_assessment a;
	ISO_TRY(iso_assess(b->prob, b->test.y, b->test.n, b->classes, b->positive, &a, err));
	const double all[NVALUE][3] = {{a.accuracy, a.accuracy_low, a.accuracy_high},
				       {a.f1_positive, NAN, NAN},
				       {a.f1_macro, NAN, NAN},
				       {a.auroc_micro, a.auroc_low, a.auroc_high},
				       {a.auroc_macro, a.auroc_low, a.auroc_high},
				       {a.auprc, NAN, NAN}};
	memcpy(value, all, sizeof(all));
	return ISO_OK;
}

/* ---- arms ---- */

static iso_status put(const bench *b, iso_measures *out, const char *prefix,
		      double value[NVALUE][3], const char *reason, iso_error *err)
{
	for (size_t k = 0; k < NVALUE; k++) {
		const double *v = value[k];
		const char *why = reason;
		char key[48];
		snprintf(key, sizeof(key), "%s.%s", prefix, suffix[k]);
		if (!why && isnan(v[0]))
			why = k == F1_POS && b->classes != 2 ? "more than two classes"
							     : "the test rows hold one class only";
		if (why)
			ISO_TRY(iso_measure_undefined(out, key, why, err));
		else
			ISO_TRY(iso_measure_set(out, key, v[0], v[1], v[2], err));
	}
	return ISO_OK;
}

/* One classifier of one arm, through the cache when the arm is real: then the key is a constant, so
 * that the value is a function of data, split and options. */
static iso_status run_one(bench *b, const part *train, int real, size_t k, double value[NVALUE][3],
			  iso_error *err)
{
	const iso_metric_view *v = b->view;
	const opts *o = b->o;
	char name[160];
	if (k)
		snprintf(name, sizeof(name), "tstr/2/mlp/%d/%d/%lld/%lld/%.17g/%lld/%.17g",
			 o->scheme, b->mlp.standardise, (long long)o->mlp_hidden,
			 (long long)o->mlp_epochs, o->mlp_alpha, (long long)o->max_train_rows,
			 o->test_scale);
	else
		snprintf(name, sizeof(name), "tstr/2/lr/%d/%d/%.17g/%lld/%.17g", o->scheme,
			 b->lr.standardise, o->lr_c, (long long)o->max_train_rows, o->test_scale);
	if (real && v->cache_get && v->cache_get(v->cache_ctx, name, value[0], NVALUE * 3))
		return ISO_OK;
	ISO_TRY(predict(b, k, train,
			real ? iso_key_new(0, k ? "metrics/tstr/mlp" : "metrics/tstr/lr")
			     : iso_key_child(v->key, classifier[k]->name, 0),
			err));
	ISO_TRY(judge(b, value, err));
	if (real && v->cache_put)
		v->cache_put(v->cache_ctx, name, value[0], NVALUE * 3);
	return ISO_OK;
}

static iso_status run_arm(bench *b, const iso_table *t, int real, iso_measures *out, iso_error *err)
{
	static const char *const prefix[2][2] = {{"lr", "mlp"}, {"real.lr", "real.mlp"}};
	const iso_key key =
		real ? iso_key_new(0, "metrics/tstr/rows") : iso_key_child(b->view->key, "rows", 0);
	part train;
	iso_status st = ISO_OK;
	ISO_TRY(part_init(t, (size_t)b->o->max_train_rows, key, &train, err));
	for (size_t k = 0; k < ISO_COUNT(classifier) && st == ISO_OK; k++) {
		double value[NVALUE][3] = {{0}};
		const char *reason = b->o->classifiers == (k ? RUN_LR : RUN_MLP)
					     ? "classifier not asked for"
				     : !b->test.n ? "no test row has a label"
				     : !train.n	  ? (real ? "no real training row has a label"
							  : "no synthetic row has a label")
						  : NULL;
		if (!reason)
			st = run_one(b, &train, real, k, value, err);
		if (st == ISO_OK)
			st = put(b, out, prefix[real][k], value, reason, err);
	}
	part_free(&train);
	return st;
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(
		s->label >= 0 && iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		"label %s is not categorical: this metric needs classes; the metric learners has "
		"the regression",
		s->column[s->label].name);
	ISO_FAIL_IF(
		iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		"tstr (schema %s): there is no label to predict; give one column the role label",
		s->name);
	return ISO_OK;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	bench b = {.view = v, .o = o, .classes = iso_schema_classes(v->schema)};
	iso_status st;
	ISO_TRY(check(v->schema, opt, err));
	b.positive = iso_positive_class(v->schema);
	const int standardise = o->standardise == STANDARDISE_YES ||
				(o->standardise == STANDARDISE_AUTO && !v->schema->npixel);
	b.lr = (iso_lr_options){.c = o->lr_c, .ovr = o->scheme, .standardise = standardise};
	b.mlp = (iso_mlp_options){.hidden = o->mlp_hidden,
				  .epochs = o->mlp_epochs,
				  .alpha = o->mlp_alpha,
				  .ovr = o->scheme,
				  .standardise = standardise};
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &b.encoder, err));
	ISO_TRY_OUT(part_init(v->test, 0, v->key, &b.test, err));
	b.prob = iso_alloc(b.test.n, b.classes * sizeof(*b.prob));
	if (!b.prob) {
		st = iso_no_memory(err, "the predictions of a classifier");
		goto out;
	}
	ISO_TRY_OUT(run_arm(&b, v->synthetic, 0, out, err));
	ISO_TRY_OUT(run_arm(&b, v->train, 1, out, err));
out:
	iso_free(b.prob);
	part_free(&b.test);
	iso_encoder_free(b.encoder);
	return st;
}

const iso_metric iso_metric_tstr = {
	.abi = ISO_METRIC_ABI,
	.name = "tstr",
	.title = "Train on synthetic, test on real",
	.citation = "C. Esteban, S. L. Hyland, G. Raetsch: Real-valued (Medical) Time Series "
		    "Generation with Recurrent "
		    "Conditional "
		    "GANs. arXiv:1706.02633, 2017 (TSTR); R. Torkzadehmahani, P. Kairouz, B. "
		    "Paten: DP-CGAN. CVPR "
		    "Workshops 2019. "
		    "arXiv:2001.09700 (the protocol on MNIST)",
	.card = "Classifiers are trained on the synthetic rows and judged on real test rows that "
		"the generator never "
		"saw; the values with "
		"prefix real. come from the same classifiers trained on the real training rows. "
		"Logistic regression "
		"minimises 1/2 |w|^2 + C "
		"sum of losses to convergence; the MLP follows scikit-learn's MLPClassifier with a "
		"fixed number of "
		"epochs. AUROC with two "
		"classes is the plain area for the schema's positive class (micro = macro); with "
		"more, micro pools all "
		"(row, class) "
		"pairs, which is optimistic, and macro averages the one-versus-rest areas. "
		"Intervals: Wilson for "
		"accuracy, DeLong for the "
		"area with two classes; they cover the test rows' sampling, not the training. A "
		"class absent from the "
		"training rows gets "
		"probability 0. The DP-CGAN authors' classifiers are scheme=ovr, lr_c=2 (a softmax "
		"over two classes "
		"halves the penalty), "
		"mlp_alpha=1. Their code trains on pixels in [0,1] and tests on bytes 0 to 255, "
		"which saturates the "
		"scores and lowers "
		"the areas: test_scale=255 repeats that.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
