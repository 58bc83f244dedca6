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

/* Faults of the disk or of the harness end the cell; anything else, a plug-in that ran out of
 * memory included, is a finding about the plug-in. */
static int is_fatal(iso_status st)
{
	return st == ISO_E_IO || st == ISO_E_CANCELLED || st == ISO_E_INTERNAL;
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

/* AUC over the targets at even and at odd places: one half chooses the strongest attack, the other
 * says how strong it is, so that the maximum over attacks is not taken for a finding. */
static iso_status add_halves(iso_jsonw *b, cJSON *o, const iso_play *p, iso_error *err)
{
	static const char *const key[] = {"auc_even", "auc_odd"};
	double *score = iso_alloc(p->n + 1, sizeof(*score)), auc[2];
	iso_status st = ISO_OK;

	if (!score)
		return iso_no_memory(err, "attack scores");
	for (size_t i = 0; i < p->n; i++)
		score[i] = iso_record_round(p->guess[i].score);
	st = iso_auc_halves(score, p->truth, p->n, auc, err);
	for (int half = 0; half < 2 && st == ISO_OK; half++)
		iso_jsonw_number(b, o, key[half], auc[half]);
	iso_free(score);
	return st;
}

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
		{"interp_fpr_10", r->interp_fpr_10},
		{"interp_fpr_1", r->interp_fpr_1},
		{"interp_fpr_0_1", r->interp_fpr_0_1},
	};

	for (size_t i = 0; i < ISO_COUNT(stat); i++)
		iso_jsonw_number(b, o, stat[i].key, stat[i].value);
	iso_jsonw_add(b, o, "fpr_denominator_ok",
		      cJSON_CreateBool(r->n_neg >= NEGATIVES_FOR_1_PERCENT));
}

/* A value as metrics and games record it. */
static void add_value(iso_jsonw *b, cJSON *e, const iso_output *o, const iso_measure *m,
		      const char *reason, const char *section)
{
	iso_jsonw_text(b, e, "name", o->key);
	iso_jsonw_number(b, e, "value", reason ? NAN : m->value);
	iso_jsonw_number(b, e, "low", reason ? NAN : m->low);
	iso_jsonw_number(b, e, "high", reason ? NAN : m->high);
	iso_output_json(b, e, o, section);
}

static void add_measure(iso_jsonw *b, cJSON *list, const char *label, const iso_output *o,
			const iso_measure *m, const char *reason)
{
	cJSON *e = cJSON_CreateObject();

	iso_jsonw_text(b, e, "metric", label);
	add_value(b, e, o, m, reason, "fidelity");
	iso_jsonw_text(b, e, "reason", reason ? reason : isnan(m->value) ? m->reason : NULL);
	iso_jsonw_add(b, list, NULL, e);
}

/* Six decimals: a figure shows no more. */
static void add_points(iso_jsonw *b, cJSON *list, const iso_measures *m)
{
	for (size_t i = 0; i < m->npoints; i++) {
		const iso_points *p = &m->points[i];
		/* the outputs were added last, in their order */
		cJSON *e = cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - (int)m->n +
							    (int)p->output);
		double *v = iso_alloc(2 * p->n, sizeof(*v));

		for (size_t k = 0; v && k < 2 * p->n; k++)
			v[k] = round(p->real[k] * 1e6) / 1e6;
		if (!v)
			b->failed = 1;
		else if (e && p->axis) {
			iso_jsonw_text(b, e, "curve_axis", p->axis);
			iso_jsonw_numbers(b, e, "curve_x", v, p->n);
			iso_jsonw_numbers(b, e, "curve_y", v + p->n, p->n);
		} else if (e) {
			iso_jsonw_numbers(b, e, "points_real", v, p->n);
			iso_jsonw_numbers(b, e, "points_synthetic", v + p->n, p->n);
		}
		iso_free(v);
	}
}

static void add_scores(iso_jsonw *b, cJSON *o, const iso_play *p)
{
	cJSON *scores = cJSON_CreateArray(), *truths = cJSON_CreateArray();

	/* One link at a time at the tail: cJSON's own append is constant time. */
	for (size_t i = 0; i < p->n; i++) {
		iso_jsonw_add(b, scores, NULL,
			      cJSON_CreateNumber(iso_record_round(p->guess[i].score)));
		iso_jsonw_add(b, truths, NULL, cJSON_CreateNumber(p->truth[i]));
	}
	iso_jsonw_add(b, o, "scores", scores);
	iso_jsonw_add(b, o, "truth", truths);
}

static iso_status add_outcome(iso_jsonw *b, cJSON *o, const iso_play *p, iso_error *err)
{
	cJSON *list;

	if (p->type->ranks) {
		add_roc(b, o, &p->roc);
		ISO_TRY(add_halves(b, o, p, err));
	}
	list = iso_jsonw_array(b, o, "values");
	for (size_t i = 0; i < p->measures.n; i++) {
		cJSON *e = iso_jsonw_object(b, list, NULL);

		add_value(b, e, &p->measures.outputs[i], &p->measures.v[i], NULL, "attacks");
		if (isnan(p->measures.v[i].value))
			iso_jsonw_text(b, e, "reason", p->measures.v[i].reason);
	}
	if (p->type->ranks)
		add_scores(b, o, p);
	return ISO_OK;
}

static iso_status add_caveats(const char *label, const iso_measures *m, cJSON *caveats,
			      iso_error *err)
{
	for (size_t i = 0; i < m->n; i++) {
		char text[512];

		if (!m->outputs[i].caveat)
			continue;
		snprintf(text, sizeof(text), "%s.%s: %s", label, m->outputs[i].key,
			 m->outputs[i].caveat);
		ISO_TRY(iso_caveat_add(caveats, text, err));
	}
	return ISO_OK;
}

static cJSON *attack_head(iso_jsonw *b, const iso_attack_setup *a, iso_status st, const char *why)
{
	cJSON *o = cJSON_CreateObject();

	iso_jsonw_text(b, o, "label", a->label);
	iso_jsonw_text(b, o, "attack", a->attack->name);
	iso_jsonw_text(b, o, "goal", iso_goal_name(a->attack->goal));
	iso_jsonw_text(b, o, "knows", iso_attack_knowledge(a->attack, a->options));
	iso_jsonw_text(b, o, "status",
		       st == ISO_OK		 ? "ok"
		       : st == ISO_E_UNSUPPORTED ? "unsupported"
						 : "error");
	iso_jsonw_text(b, o, "reason", st == ISO_OK ? NULL : why);
	return o;
}

iso_status iso_judge_lost_attack(const iso_attack_setup *a, const char *why, iso_judgement *v,
				 iso_error *err)
{
	iso_jsonw b = {0};

	iso_jsonw_add(&b, v->attacks, NULL, attack_head(&b, a, ISO_E_PLUGIN, why));
	iso_jsonw_number(&b, v->attack_seconds, a->label, NAN);
	return iso_jsonw_check(&b, "a record", err);
}

static iso_status judge_attack(iso_game *g, const iso_attack_setup *a, iso_judgement *v,
			       iso_error *err)
{
	iso_jsonw b = {0};
	iso_error why = {0};
	iso_play p;
	const double start = iso_clock_wall();
	iso_status st = iso_game_attack(g, a->attack, a->label, a->options, &p, &why);
	const int ok = st == ISO_OK;
	cJSON *o;

	if (is_fatal(st))
		return iso_fail(err, st, "attack %s: %s", a->label, why.text);
	o = attack_head(&b, a, st, why.text);
	st = ok ? add_outcome(&b, o, &p, err) : ISO_OK;
	iso_jsonw_add(&b, v->attacks, NULL, o);
	iso_jsonw_number(&b, v->attack_seconds, a->label, iso_clock_wall() - start);
	if (st == ISO_OK)
		st = iso_jsonw_check(&b, "a record", err);
	if (st == ISO_OK && ok && p.type->ranks && p.roc.n_neg < NEGATIVES_FOR_1_PERCENT)
		st = iso_caveat_add(v->caveats,
				    "fewer than 1,000 non-member targets: the true positive rate "
				    "at a false positive rate of 1 % "
				    "is that at very few false positives",
				    err);
	if (st == ISO_OK && ok && p.type->outputs != iso_rank_outputs)
		st = add_caveats(a->label, &p.measures, v->caveats, err);
	if (ok)
		iso_play_free(&p);
	return st;
}

iso_status iso_judge_attacks(iso_game *g, const iso_attack_setup *a, size_t n, iso_judgement *v,
			     iso_error *err)
{
	char note[320];

	if (n && iso_game_note(g, note, sizeof(note)))
		ISO_TRY(iso_caveat_add(v->caveats, note, err));
	for (size_t i = 0; i < n; i++)
		ISO_TRY(judge_attack(g, &a[i], v, err));
	return ISO_OK;
}

/* ------------------------------------------------------------------ metrics */

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
		iso_measures_free(&m);
		return iso_fail(err, st, "metric %s: %s", s->label, why.text);
	}
	for (size_t i = 0; i < m.n; i++)
		add_measure(&b, v->metrics, s->label, &m.outputs[i], &m.v[i],
			    st == ISO_OK ? NULL : why.text);
	if (st == ISO_OK)
		add_points(&b, v->metrics, &m);
	iso_jsonw_number(&b, v->metric_seconds, s->label, iso_clock_wall() - start);
	const int measured = st == ISO_OK;
	st = b.failed ? iso_no_memory(err, "a record") : ISO_OK;
	if (st == ISO_OK && measured)
		st = add_caveats(s->label, &m, v->caveats, err);
	iso_measures_free(&m);
	return st;
}

iso_status iso_judge_lost_metric(const iso_metric_setup *m, const char *why, iso_judgement *v,
				 iso_error *err)
{
	const iso_measure none = {.value = NAN, .low = NAN, .high = NAN};
	iso_jsonw b = {0};

	for (const iso_output *o = m->metric->outputs; o->key; o++)
		add_measure(&b, v->metrics, m->label, o, &none, why);
	iso_jsonw_number(&b, v->metric_seconds, m->label, NAN);
	return iso_jsonw_check(&b, "a record", err);
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
