// SPDX-License-Identifier: Apache-2.0
/* Utility for groups (attacks.md section 8, survey section 6.1): is a method good for everybody?
 *
 * A group is a level of a discrete feature.  Logistic regression is trained on the synthetic and on
 * the real training rows and judged in every group of real test rows that is large enough:
 *
 *     worst_accuracy  the least accuracy of any group
 *     accuracy_gap    largest difference of accuracy between two groups of one column
 *     parity_gap      the same of the share predicted positive (demographic parity)
 *     recall_gap      the same of the share of positives found (equal opportunity)
 *     share_gap       largest difference of a group's share of the rows, synthetic against real
 *
 * One column when `column` names one, else all discrete features of at most ten levels.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "metrics/kit/sample.h"

#define MOST_LEVELS 10

typedef struct opts {
	int64_t max_rows, least;
	char column[ISO_OPT_TEXT_MAX];
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "5000", 10, 100000000,
		    "at most so many rows of each table, drawn at random"),
	ISO_OPT_INT(opts, least, "30", 1, 100000000,
		    "test rows (recall: positive ones) that a group must have"),
	ISO_OPT_STRING(opts, column, "",
		       "the column whose levels are the groups; empty: all of few levels"),
	{0}};

#define EXTREME \
	"an extreme over groups: small groups widen it, so compare it with the real rows' value"
// clang-format off
#define PAIR(key, title, dir, caveat, headline) \
	{key, title, "share", dir, 0, 1, NAN, caveat, "utility", headline, "real." key}, \
	{"real." key, title ", real training rows", "share", ISO_NEITHER, 0, 1, NAN, NULL, "utility", 0, "real." key}
static const iso_output outputs[] = {
	PAIR("worst_accuracy", "least accuracy of a group", ISO_HIGHER, EXTREME, 1),
	PAIR("accuracy_gap", "accuracy: largest gap of two groups", ISO_LOWER, EXTREME, 0),
	PAIR("parity_gap", "predicted positive: largest gap of two groups", ISO_LOWER, EXTREME, 0),
	PAIR("recall_gap", "positives found: largest gap of two groups", ISO_LOWER, EXTREME, 0),
	{"share_gap", "share of a group, largest difference", "share", ISO_LOWER, 0, 1, 0, NULL, "fidelity"},
	{"groups", "groups judged", "", ISO_NEITHER, 0, INFINITY, NAN, NULL, "utility"},
	{0}};
// clang-format on
enum { WORST, ACCURACY, PARITY, RECALL, NGAP };
static const char *const key_of[NGAP] = {"worst_accuracy", "accuracy_gap", "parity_gap",
					 "recall_gap"};

typedef struct bench {
	const iso_metric_view *view;
	const opts *o;
	iso_labelled test;
	size_t classes, positive;
	double *prob;	/* owned [test.n][classes] */
	uint32_t *call; /* owned [test.n] */
	double groups;
} bench;

static int is_grouping(const bench *b, size_t c)
{
	const iso_schema *s = b->view->schema;
	const iso_column *col = &s->column[c];

	if (b->o->column[0])
		return strcmp(col->name, b->o->column) == 0;
	return (int)c != s->label && !iso_is_dropped(col) && iso_is_discrete(col) &&
	       col->ncategory <= MOST_LEVELS;
}

static void widen(double range[2], double v)
{
	range[0] = fmin(range[0], v);
	range[1] = fmax(range[1], v);
}

/* One level of a column among the test rows; 0 when it is too small. */
static int judge_group(const bench *b, size_t c, size_t level, double range[NGAP][2])
{
	double n = 0, right = 0, called = 0, positives = 0, found = 0;

	for (size_t i = 0; i < b->test.n; i++) {
		const double v = iso_table_cell(b->view->test, b->test.row[i], c);
		const int is = b->test.y[i] == b->positive, calls = b->call[i] == b->positive;

		if (isnan(v) || (size_t)v != level)
			continue;
		n++;
		right += b->call[i] == b->test.y[i];
		called += calls;
		positives += is;
		found += is && calls;
	}
	if (n < (double)b->o->least)
		return 0;
	widen(range[ACCURACY], right / n);
	widen(range[PARITY], called / n);
	if (positives >= (double)b->o->least)
		widen(range[RECALL], found / positives);
	return 1;
}

static void judge_columns(bench *b, double value[NGAP])
{
	b->groups = 0;
	for (size_t c = 0; c < b->view->schema->ncol; c++) {
		double range[NGAP][2];
		size_t groups = 0;

		for (int k = 0; k < NGAP; k++) {
			range[k][0] = INFINITY;
			range[k][1] = -INFINITY;
		}
		for (size_t l = 0; is_grouping(b, c) && l < b->view->schema->column[c].ncategory;
		     l++)
			groups += judge_group(b, c, l, range) != 0;
		b->groups += (double)groups;
		for (int k = ACCURACY; k < NGAP; k++)
			if (groups > 1 && range[k][1] >= range[k][0])
				value[k] = fmax(isnan(value[k]) ? 0 : value[k],
						range[k][1] - range[k][0]);
		if (groups)
			value[WORST] =
				fmin(isnan(value[WORST]) ? 1 : value[WORST], range[ACCURACY][0]);
	}
}

/* Predicted classes of the test rows by rows of one table. */
static iso_status predict(bench *b, const iso_labelled *train, iso_error *err)
{
	const iso_examples e = {
		.x = train->x, .n = train->n, .d = train->d, .y = train->y, .classes = b->classes};

	ISO_TRY(iso_classify(&iso_learn_lr, &e, iso_key_new(0, "metrics/groups"), b->test.x,
			     b->test.n, b->prob, err));
	for (size_t i = 0; i < b->test.n; i++) {
		const double *p = b->prob + i * b->classes;

		b->call[i] = 0;
		for (uint32_t k = 1; k < b->classes; k++)
			if (p[k] > p[b->call[i]])
				b->call[i] = k;
	}
	return ISO_OK;
}

static double share_of(const iso_table *t, size_t c, size_t level)
{
	double n = 0;

	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, c);
		n += !isnan(v) && (size_t)v == level;
	}
	return n / (double)t->n;
}

static double share_gap(const bench *b)
{
	const iso_metric_view *v = b->view;
	double most = NAN;

	for (size_t c = 0; v->train->n && v->synthetic->n && c < v->schema->ncol; c++)
		for (size_t l = 0; is_grouping(b, c) && l < v->schema->column[c].ncategory; l++)
			most = fmax(isnan(most) ? 0 : most,
				    fabs(share_of(v->train, c, l) - share_of(v->synthetic, c, l)));
	return most;
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	const opts *o = opt;
	const int c = o->column[0] ? iso_schema_find(s, o->column) : -1;

	ISO_FAIL_IF(iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		    "groups (schema %s): there is no label of classes to predict", s->name);
	ISO_FAIL_IF(o->column[0] && (c < 0 || !iso_is_discrete(&s->column[c]) || c == s->label),
		    err, ISO_E_UNSUPPORTED,
		    "groups (schema %s): \"%s\" is no categorical feature of the schema", s->name,
		    o->column);
	return ISO_OK;
}

static iso_status run_arm(bench *b, const iso_encoder *e, int real, iso_measures *out,
			  iso_error *err)
{
	const iso_key key = real ? iso_key_new(0, "metrics/groups/rows")
				 : iso_key_child(b->view->key, "rows", 0);
	const iso_table *t = real ? b->view->train : b->view->synthetic;
	double value[NGAP] = {NAN, NAN, NAN, NAN};
	iso_labelled train;
	iso_status st;

	ISO_TRY(iso_labelled_new(e, t, (size_t)b->o->max_rows, key, &train, err));
	const int ok = train.n && b->test.n && e->dim;
	if (ok)
		ISO_TRY_OUT(predict(b, &train, err));
	if (ok)
		judge_columns(b, value);
	for (size_t k = 0; k < NGAP; k++) {
		char name[40];

		snprintf(name, sizeof(name), "%s%s", real ? "real." : "", key_of[k]);
		ISO_TRY_OUT(iso_put(out, name, value[k],
				    ok ? "too few groups of enough test rows"
				       : "no labelled training or test rows",
				    err));
	}
out:
	iso_labelled_free(&train);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	bench b = {.view = v, .o = o, .classes = iso_schema_classes(v->schema)};
	iso_encoder *e = NULL;
	iso_status st;

	ISO_TRY(check(v->schema, opt, err));
	b.positive = iso_positive_class(v->schema);
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	ISO_TRY_OUT(iso_labelled_new(e, v->test, (size_t)o->max_rows,
				     iso_key_new(0, "metrics/groups/test"), &b.test, err));
	b.prob = iso_alloc(b.test.n * b.classes, sizeof(*b.prob));
	b.call = iso_alloc(b.test.n, sizeof(*b.call));
	if (!b.prob || !b.call) {
		st = iso_no_memory(err, "predictions");
		goto out;
	}
	ISO_TRY_OUT(run_arm(&b, e, 0, out, err));
	ISO_TRY_OUT(run_arm(&b, e, 1, out, err));
	ISO_TRY_OUT(iso_put(out, "share_gap", share_gap(&b), "no such column, or no rows", err));
	ISO_TRY_OUT(iso_put(out, "groups", b.groups, "none", err));
out:
	iso_encoder_free(e);
	iso_labelled_free(&b.test);
	iso_free(b.prob);
	iso_free(b.call);
	return st;
}

const iso_metric iso_metric_groups = {
	.abi = ISO_METRIC_ABI,
	.name = "groups",
	.title = "Utility for groups",
	.citation =
		"M. Hardt, E. Price, N. Srebro: Equality of Opportunity in Supervised Learning. "
		"NIPS "
		"2016. arXiv:1610.02413; E. Bagdasaryan, O. Poursaeed, V. Shmatikov: Differential "
		"Privacy Has Disparate Impact on Model Accuracy. NeurIPS 2019. arXiv:1905.12101",
	.card = "Logistic regression trained on synthetic and on real rows, judged on real test "
		"rows "
		"group by group: the least accuracy of a group and the largest gaps between two "
		"groups "
		"of one column in accuracy, in the share predicted positive and in the share of "
		"positives found; and how far the groups' shares are off. Groups are the levels of "
		"the "
		"option `column`, or of every discrete feature with at most ten.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
