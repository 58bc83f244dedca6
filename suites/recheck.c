// SPDX-License-Identifier: Apache-2.0
#include "suites/recheck.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/math/stats.h"
#include "results/record.h"
#include "suites/flow/train.h"
#include "suites/flow/verify.h"

#define REL 1e-9 /* a record holds 12 significant digits */

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text_of(const cJSON *obj, const char *key)
{
	const char *t = cJSON_GetStringValue(get(obj, key));

	return t ? t : "";
}

/* A number or "inf"; NaN for null and for nothing. */
static double number(const cJSON *v)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble;
	return cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0 ? INFINITY : NAN;
}

/* ------------------------------------------------------------------ promises */

static iso_status check_promise(const cJSON *record, const char *key, iso_error *err)
{
	static const char *const needed[] = {"rdp", "rdp_classic", "moments", "gdp"};
	const cJSON *privacy = get(record, "privacy"), *eps = get(privacy, "epsilon");
	const double target = number(get(privacy, "target_epsilon")),
		     accounted = number(get(privacy, "accounted_epsilon"));
	const int empty = get(record, "ledger")->child == NULL;

	if (strcmp(text_of(record, "guarantee"), "dp") != 0)
		return ISO_OK;
	ISO_FAIL_IF(!(accounted <= target * (1 + 1e-6)), err, ISO_E_CHECK,
		    "budget exceeded (cell %s): a dp record accounts for epsilon %g, its target is "
		    "%g",
		    key, accounted, target);
	ISO_FAIL_IF(!isfinite(accounted), err, ISO_E_CHECK,
		    "no accounted epsilon (cell %s): a dp record must have one", key);
	ISO_FAIL_IF(isfinite(target) && empty, err, ISO_E_CHECK,
		    "empty ledger (cell %s): a dp record with a target must list its releases",
		    key);
	ISO_FAIL_IF(isnan(number(get(get(eps, "pld"), "upper"))) && isnan(number(get(eps, "rdp"))),
		    err, ISO_E_CHECK,
		    "no epsilon (cell %s): neither the PLD nor the RDP accountant has a number",
		    key);
	for (size_t i = 0; i < ISO_COUNT(needed); i++)
		ISO_FAIL_IF(!get(eps, needed[i]), err, ISO_E_CHECK,
			    "missing epsilon (cell %s): \"%s\" is not in the record", key,
			    needed[i]);
	return ISO_OK;
}

/* ------------------------------------------------------------------ attacks */

static int same_number(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static iso_status check_attack(const cJSON *attack, const char *key, iso_error *err)
{
	const cJSON *scores = get(attack, "scores"), *truths = get(attack, "truth"), *s, *t;
	const double stored = number(get(attack, "auc"));
	const size_t n = (size_t)cJSON_GetArraySize(scores);
	double *score;
	uint8_t *truth;
	double half[2];
	iso_roc roc;
	size_t i = 0;
	iso_status st = ISO_OK;

	if (n == 0 || isnan(stored))
		return ISO_OK;
	score = iso_alloc(n, sizeof(*score));
	truth = iso_alloc(n, 1);
	if (!score || !truth)
		st = iso_no_memory(err, "attack scores");
	for (s = scores->child, t = truths ? truths->child : NULL; st == ISO_OK && s && t;
	     s = s->next, t = t->next, i++) {
		score[i] = s->valuedouble;
		truth[i] = t->valuedouble != 0;
	}
	if (st == ISO_OK)
		st = iso_roc_of(score, truth, i, &roc, err);
	if (st == ISO_OK)
		st = iso_auc_halves(score, truth, i, half, err);
	iso_free(score);
	iso_free(truth);
	ISO_TRY(st);
	ISO_FAIL_IF(
		iso_record_round(roc.auc) != stored, err, ISO_E_CHECK,
		"statistic not borne out by the scores (cell %s, attack %s): the record says AUC "
		"%.12g, its scores give %.12g",
		key, text_of(attack, "label"), stored, roc.auc);
	for (int k = 0; k < 2; k++) {
		const cJSON *of = get(attack, k ? "auc_odd" : "auc_even");

		ISO_FAIL_IF(of && !same_number(number(of), iso_record_round(half[k])), err,
			    ISO_E_CHECK,
			    "statistic not borne out by the scores (cell %s, attack %s): the AUC "
			    "of the %s targets is %.12g, its scores give %.12g",
			    key, text_of(attack, "label"), k ? "odd" : "even", number(of), half[k]);
	}
	return ISO_OK;
}

/* ------------------------------------------------------------------ ledger against plan */

static int close_to(double a, double b)
{
	return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= REL * fabs(b);
}

/* Of mechanisms that are declared by what they cost. */
static int same_cost(const iso_plan_item *p, const cJSON *entry)
{
	const iso_mech m = p->event.mechanism;

	if (m != ISO_MECH_PURE && m != ISO_MECH_EXPONENTIAL && m != ISO_MECH_RANDOMIZED_RESPONSE)
		return 1;
	return close_to(number(get(entry, "epsilon")), p->event.epsilon) &&
	       close_to(number(get(entry, "delta")), p->event.delta);
}

static iso_status check_entry(const iso_plan_item *p, const cJSON *entry, const char *key,
			      iso_error *err)
{
	ISO_FAIL_IF(strcmp(p->why, text_of(entry, "why")) != 0 ||
			    number(get(entry, "part")) != p->part,
		    err, ISO_E_CHECK,
		    "ledger differs from the plan (cell %s): the plan has \"%s\" (part %d) where "
		    "the ledger has \"%.48s\"",
		    key, p->why, p->part, text_of(entry, "why"));
	ISO_FAIL_IF(
		!close_to(number(get(entry, "noise")), p->event.noise) ||
			!(number(get(entry, "count")) <= (double)p->event.count) ||
			!close_to(number(get(entry, "sensitivity")), p->sensitivity) ||
			!same_cost(p, entry),
		err, ISO_E_CHECK,
		"ledger differs from the plan (cell %s, \"%s\"): the plan has noise %.9g, count "
		"%llu and sensitivity %.9g, the ledger %.9g, %.9g and %.9g",
		key, p->why, p->event.noise, (unsigned long long)p->event.count, p->sensitivity,
		number(get(entry, "noise")), number(get(entry, "count")),
		number(get(entry, "sensitivity")));
	return ISO_OK;
}

/* The plan at the record's scale; entries that no call used are not in the ledger's JSON. */
static iso_status check_plan(const iso_agenda *a, const iso_cell *c, const cJSON *record,
			     const char *key, iso_error *err)
{
	const iso_generator *g = iso_agenda_setup(a, c->generator, c->dataset)->generator;
	const iso_gen_env env = iso_cell_env(a, c);
	const double scale = number(get(get(record, "privacy"), "scale"));
	const cJSON *entry = get(record, "ledger")->child;
	iso_plan plan = {0};
	iso_status st = ISO_OK;

	if (strcmp(text_of(record, "guarantee"), "dp") != 0 || iso_generator_is_external(g))
		return ISO_OK;
	ISO_TRY(iso_training_plan(g, &env, isnan(scale) ? 1 : scale, &plan, err));
	for (size_t i = 0; i < plan.n && st == ISO_OK; i++) {
		if (entry && strcmp(plan.v[i].why, text_of(entry, "why")) != 0 &&
		    plan.v[i].event.count == 0)
			continue;
		if (!entry)
			st = iso_fail(err, ISO_E_CHECK,
				      "ledger differs from the plan (cell %s): the planned \"%s\" "
				      "is not in it",
				      key, plan.v[i].why);
		else
			st = check_entry(&plan.v[i], entry, key, err);
		entry = entry ? entry->next : NULL;
	}
	if (st == ISO_OK && entry)
		st = iso_fail(err, ISO_E_CHECK,
			      "ledger differs from the plan (cell %s): \"%.48s\" was never planned",
			      key, text_of(entry, "why"));
	iso_plan_free(&plan);
	return st;
}

/* A method whose plan is empty never reads private data: it spends nothing, and has no epsilon.  A
 * program that wrote no ledger has none either. */
static iso_status plans_nothing(const iso_agenda *a, const iso_cell *c, double accounted,
				int *nothing, iso_error *err)
{
	const iso_generator *g = iso_agenda_setup(a, c->generator, c->dataset)->generator;
	const iso_gen_env env = iso_cell_env(a, c);
	iso_plan plan = {0};
	const iso_status st = iso_training_plan(g, &env, 1, &plan, err);

	*nothing = plan.n == 0 && (!iso_generator_is_external(g) || isinf(accounted));
	iso_plan_free(&plan);
	return st;
}

iso_status iso_record_recheck(const iso_agenda *a, const iso_cell *c, const cJSON *record,
			      iso_ledger_memo *memo, iso_error *err)
{
	const char *key = text_of(record, "key");
	const cJSON *attack;
	double accounted;
	int nothing = 0;

	ISO_TRY(iso_verify_record(record, memo, &accounted, err));
	if (c)
		ISO_TRY(plans_nothing(a, c, accounted, &nothing, err));
	if (!nothing)
		ISO_TRY(check_promise(record, key, err));
	cJSON_ArrayForEach(attack, get(record, "attacks")) ISO_TRY(check_attack(attack, key, err));
	return c ? check_plan(a, c, record, key, err) : ISO_OK;
}

iso_status iso_agenda_reread(const char *dir, iso_suite **suite, iso_agenda **agenda,
			     iso_error *err)
{
	iso_str path = {0};
	iso_status st;

	*suite = NULL;
	*agenda = NULL;
	iso_str_addf(&path, "%s/suite.json", dir);
	st = iso_str_check(&path, err);
	if (st == ISO_OK)
		st = iso_suite_read(path.p, suite, err);
	if (st == ISO_OK)
		st = iso_agenda_new(*suite, agenda, err);
	iso_str_free(&path);
	return st;
}

static int compare_key(const void *key, const void *cell)
{
	return strcmp(key, (*(iso_cell *const *)cell)->key);
}

const iso_cell *iso_agenda_find(const iso_agenda *a, const char *key)
{
	iso_cell *const *at =
		a ? bsearch(key, a->by_key, a->ncell, sizeof(*a->by_key), compare_key) : NULL;

	return at ? *at : NULL;
}
