// SPDX-License-Identifier: Apache-2.0
#include "suites/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/referee/targets.h"

/* attacks.md section 1: TPR at FPR f needs 10/f non-members. */
#define NEGATIVES_FOR_1_PERCENT 1000

/* Faults of the machine or of the harness end the cell; anything else is a finding about the
 * plug-in. */
static int is_fatal(iso_status st)
{
	return st == ISO_E_NOMEM || st == ISO_E_IO || st == ISO_E_LIMIT || st == ISO_E_CANCELLED ||
	       st == ISO_E_INTERNAL;
}

iso_status iso_caveat_add(cJSON *caveats, const char *text, iso_error *err)
{
	const cJSON *item;
	iso_jsonw b = {0};

	cJSON_ArrayForEach(item, caveats) if (strcmp(item->valuestring, text) == 0) return ISO_OK;
	iso_jsonw_text(&b, caveats, NULL, text);
	return b.failed ? iso_no_memory(err, "a record") : ISO_OK;
}

/* ------------------------------------------------------------------ attacks */

static void add_roc(iso_jsonw *b, cJSON *o, const iso_roc *r)
{
	const struct {
		const char *key;
		double value;
	} stat[] = {
		{"n_pos", (double)r->n_pos},
		{"n_neg", (double)r->n_neg},
		{"auc", r->auc},
		{"auc_se", r->se},
		{"auc_low", r->low},
		{"auc_high", r->high},
		{"advantage", r->advantage},
		{"bal_acc_median", r->bal_acc_median},
		{"tpr_fpr_10", r->tpr_fpr_10},
		{"tpr_fpr_10_low", r->tpr_fpr_10_low},
		{"tpr_fpr_10_high", r->tpr_fpr_10_high},
		{"tpr_fpr_1", r->tpr_fpr_1},
		{"tpr_fpr_1_low", r->tpr_fpr_1_low},
		{"tpr_fpr_1_high", r->tpr_fpr_1_high},
		{"tpr_fpr_0_1", r->tpr_fpr_0_1},
	};

	for (size_t i = 0; i < ISO_COUNT(stat); i++)
		iso_jsonw_number(b, o, stat[i].key, stat[i].value);
	iso_jsonw_add(b, o, "fpr_denominator_ok",
		      cJSON_CreateBool(r->n_neg >= NEGATIVES_FOR_1_PERCENT));
}

/* What the membership game measures, whoever attacks. */
static const iso_output membership[] = {
	{"auc", "AUC", "", ISO_LOWER, 0, 1, 0.5, NULL, "attacks", 1, NULL, 0.5},
	{"advantage", "advantage", "", ISO_LOWER, 0, 1, 0,
	 "advantage is a maximum over thresholds and biased upwards", "attacks"},
	{"bal_acc_median", "balanced accuracy", "share", ISO_LOWER, 0, 1, 0.5, NULL, "attacks", 0,
	 NULL, 0.5},
	{"tpr_fpr_10", "TPR at FPR 10 %", "share", ISO_LOWER, 0, 1, 0.1, NULL, "attacks", 0, NULL,
	 0.1},
	{"tpr_fpr_1", "TPR at FPR 1 %", "share", ISO_LOWER, 0, 1, 0.01, NULL, "attacks", 0, NULL,
	 0.01},
	{"tpr_fpr_0_1", "TPR at FPR 0.1 %", "share", ISO_LOWER, 0, 1, 0.001, NULL, "attacks", 0,
	 NULL, 0.001},
	{"n_pos", "members", "rows", ISO_NEITHER, 0, INFINITY, NAN, NULL, "attacks"},
	{"n_neg", "non-members", "rows", ISO_NEITHER, 0, INFINITY, NAN, NULL, "attacks"},
	{0}};

/* A rate at a false positive rate of f needs 10/f non-members (attacks.md section 1). */
static double carried(double tpr, double fpr, size_t n_neg)
{
	return (double)n_neg * fpr >= 10 - 1e-9 ? tpr : NAN;
}

static void add_values(iso_jsonw *b, cJSON *o, const iso_roc *r)
{
	const double value[][3] = {
		{r->auc, r->low, r->high},
		{r->advantage, NAN, NAN},
		{r->bal_acc_median, NAN, NAN},
		{carried(r->tpr_fpr_10, 0.1, r->n_neg), r->tpr_fpr_10_low, r->tpr_fpr_10_high},
		{carried(r->tpr_fpr_1, 0.01, r->n_neg), r->tpr_fpr_1_low, r->tpr_fpr_1_high},
		{carried(r->tpr_fpr_0_1, 0.001, r->n_neg), NAN, NAN},
		{(double)r->n_pos, NAN, NAN},
		{(double)r->n_neg, NAN, NAN},
	};
	cJSON *list = iso_jsonw_array(b, o, "values");

	for (size_t i = 0; i < ISO_COUNT(value); i++) {
		cJSON *e = iso_jsonw_object(b, list, NULL);

		iso_jsonw_text(b, e, "name", membership[i].key);
		iso_jsonw_number(b, e, "value", value[i][0]);
		iso_jsonw_number(b, e, "low", value[i][1]);
		iso_jsonw_number(b, e, "high", value[i][2]);
		iso_output_json(b, e, &membership[i], "attacks");
	}
}

static void add_scores(iso_jsonw *b, cJSON *o, const double *score, const uint8_t *truth, size_t n)
{
	cJSON *scores = cJSON_CreateArray(), *truths = cJSON_CreateArray();

	/* One link at a time at the tail: cJSON's own append is constant time. */
	for (size_t i = 0; i < n; i++) {
		iso_jsonw_add(b, scores, NULL, cJSON_CreateNumber(iso_record_round(score[i])));
		iso_jsonw_add(b, truths, NULL, cJSON_CreateNumber(truth[i]));
	}
	iso_jsonw_add(b, o, "scores", scores);
	iso_jsonw_add(b, o, "truth", truths);
}

static iso_status judge_attack(const iso_game *g, const iso_attack_setup *a, double *score,
			       iso_judgement *v, iso_error *err)
{
	iso_jsonw b = {0};
	iso_error why = {0};
	iso_roc roc;
	const double start = iso_clock_wall();
	const iso_status st =
		iso_game_attack(g, a->attack, a->label, a->options, score, &roc, &why);
	cJSON *o;

	if (is_fatal(st))
		return iso_fail(err, st, "attack %s: %s", a->label, why.text);
	o = cJSON_CreateObject();
	iso_jsonw_text(&b, o, "label", a->label);
	iso_jsonw_text(&b, o, "attack", a->attack->name);
	iso_jsonw_text(&b, o, "goal", iso_goal_name(a->attack->goal));
	iso_jsonw_text(&b, o, "knows", iso_attack_knowledge(a->attack, a->options));
	iso_jsonw_text(&b, o, "status",
		       st == ISO_OK		 ? "ok"
		       : st == ISO_E_UNSUPPORTED ? "unsupported"
						 : "error");
	iso_jsonw_text(&b, o, "reason", st == ISO_OK ? NULL : why.text);
	if (st == ISO_OK) {
		add_roc(&b, o, &roc);
		add_values(&b, o, &roc);
		add_scores(&b, o, score, iso_game_truth(g), iso_game_targets(g));
	}
	iso_jsonw_add(&b, v->attacks, NULL, o);
	iso_jsonw_number(&b, v->attack_seconds, a->label, iso_clock_wall() - start);
	if (b.failed)
		return iso_no_memory(err, "a record");
	if (st == ISO_OK && roc.n_neg < NEGATIVES_FOR_1_PERCENT)
		return iso_caveat_add(v->caveats,
				      "fewer than 1,000 non-member targets: the true positive rate "
				      "at a false positive rate of 1 % "
				      "is that at very few false positives",
				      err);
	return ISO_OK;
}

iso_status iso_judge_attacks(const iso_game *g, const iso_attack_setup *a, size_t n,
			     iso_judgement *v, iso_error *err)
{
	double *score = iso_alloc(iso_game_targets(g), sizeof(*score));
	iso_status st = score ? ISO_OK : iso_no_memory(err, "attack scores");
	char note[320];

	if (st == ISO_OK && n && iso_game_note(g, note, sizeof(note)))
		st = iso_caveat_add(v->caveats, note, err);
	for (size_t i = 0; i < n && st == ISO_OK; i++)
		st = judge_attack(g, &a[i], score, v, err);
	iso_free(score);
	return st;
}

/* ------------------------------------------------------------------ metrics */

static void add_measure(iso_jsonw *b, cJSON *list, const char *label, const iso_output *o,
			const iso_measure *m, const char *reason)
{
	cJSON *e = cJSON_CreateObject();

	iso_jsonw_text(b, e, "metric", label);
	iso_jsonw_text(b, e, "name", o->key);
	iso_jsonw_number(b, e, "value", reason ? NAN : m->value);
	iso_jsonw_number(b, e, "low", reason ? NAN : m->low);
	iso_jsonw_number(b, e, "high", reason ? NAN : m->high);
	iso_output_json(b, e, o, "fidelity");
	iso_jsonw_text(b, e, "reason", reason ? reason : isnan(m->value) ? m->reason : NULL);
	iso_jsonw_add(b, list, NULL, e);
}

/* Measures into m->v; every declared output must have been set. */
static iso_status measure(const iso_metric_view *view, const iso_metric_setup *s, iso_measures *m,
			  iso_error *err)
{
	const iso_metric *x = s->metric;

	ISO_FAIL_IF((x->inputs & ISO_IN_TEST) && !view->test, err, ISO_E_UNSUPPORTED,
		    "not applicable (%s): there are no test rows; give the split a hold-out",
		    s->label);
	if (x->check)
		ISO_TRY(x->check(view->schema, s->options, err));
	ISO_TRY(x->measure(view, s->options, m, err));
	for (size_t i = 0; i < m->n; i++)
		ISO_FAIL_IF(!m->v[i].key, err, ISO_E_PLUGIN,
			    "measure (%s): it never set its output \"%s\"; set every output once",
			    x->name, x->outputs[i].key);
	return ISO_OK;
}

static size_t count_outputs(const iso_metric *m)
{
	size_t n = 0;

	while (m->outputs[n].key)
		n++;
	return n;
}

/* What the metric's `inputs` does not declare it does not get. */
static iso_metric_view narrow(const iso_metric_view *view, const iso_metric *m, uint64_t seed,
			      const char *label)
{
	iso_metric_view v = *view;

	v.key = iso_key_child(iso_key_new(seed, "metric"), label, 0);
	if (!(m->inputs & ISO_IN_TRAIN))
		v.train = NULL;
	if (!(m->inputs & ISO_IN_TEST))
		v.test = NULL;
	if (!(m->inputs & ISO_IN_SYNTHETIC))
		v.synthetic = NULL;
	return v;
}

static iso_status judge_metric(const iso_metric_view *given, uint64_t seed,
			       const iso_metric_setup *s, iso_judgement *v, iso_error *err)
{
	const iso_metric_view view = narrow(given, s->metric, seed, s->label);
	const double start = iso_clock_wall();
	iso_measures m = {.outputs = s->metric->outputs, .n = count_outputs(s->metric)};
	iso_error why = {0};
	iso_jsonw b = {0};
	iso_status st;

	m.v = iso_alloc(m.n, sizeof(*m.v));
	if (!m.v)
		return iso_no_memory(err, "metric values");
	for (size_t i = 0; i < m.n; i++)
		m.v[i] = (iso_measure){.value = NAN, .low = NAN, .high = NAN};
	st = measure(&view, s, &m, &why);
	if (is_fatal(st)) {
		iso_free(m.v);
		return iso_fail(err, st, "metric %s: %s", s->label, why.text);
	}
	for (size_t i = 0; i < m.n; i++)
		add_measure(&b, v->metrics, s->label, &m.outputs[i], &m.v[i],
			    st == ISO_OK ? NULL : why.text);
	iso_jsonw_number(&b, v->metric_seconds, s->label, iso_clock_wall() - start);
	st = b.failed ? iso_no_memory(err, "a record") : ISO_OK;
	for (size_t i = 0; i < m.n && st == ISO_OK; i++) {
		char text[512];

		if (!m.outputs[i].caveat)
			continue;
		snprintf(text, sizeof(text), "%s.%s: %s", s->label, m.outputs[i].key,
			 m.outputs[i].caveat);
		st = iso_caveat_add(v->caveats, text, err);
	}
	iso_free(m.v);
	return st;
}

/* Test rows that equal training rows stay, and are counted. */
static iso_status note_test_rows(const iso_metric_view *view, const iso_metric_setup *m, size_t n,
				 iso_judgement *v, iso_error *err)
{
	char text[256];
	size_t shared, using = 0;

	for (size_t i = 0; i < n; i++)
		using += (m[i].metric->inputs & ISO_IN_TEST) != 0;
	if (!using || !view->test || !view->train)
		return ISO_OK;
	ISO_TRY(iso_rows_shared(view->test, view->train, &shared, err));
	if (!shared)
		return ISO_OK;
	snprintf(text, sizeof(text),
		 "equal rows: %zu of %zu test rows equal a training row; metrics on the test rows "
		 "keep them",
		 shared, view->test->n);
	return iso_caveat_add(v->caveats, text, err);
}

iso_status iso_judge_metrics(const iso_metric_view *view, uint64_t seed, const iso_metric_setup *m,
			     size_t n, iso_judgement *v, iso_error *err)
{
	ISO_TRY(note_test_rows(view, m, n, v, err));
	for (size_t i = 0; i < n; i++)
		ISO_TRY(judge_metric(view, seed, &m[i], v, err));
	return ISO_OK;
}
