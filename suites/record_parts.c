// SPDX-License-Identifier: Apache-2.0
/* What a training contributes to its record. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/io/jsonw.h"
#include "suites/cell.h"
#include "suites/judge.h"

#define CURVE_POINTS 200 /* per curve in the record: what a figure can show */
#define BUDGET_ROUNDING (1 + 1e-9)

/* ------------------------------------------------------------------ training curves */

void iso_curves_take(void *ctx, double step, const char *name, double value)
{
	iso_curves *all = ctx;
	iso_curve *c;
	size_t i = 0;

	while (i < all->n && strcmp(all->v[i].name, name) != 0)
		i++;
	if (i == ISO_CURVES || all->failed)
		return;
	c = &all->v[i];
	if (i == all->n) {
		c->name = iso_strdup(name);
		if (!c->name) {
			all->failed = 1;
			return;
		}
		all->n++;
	}
	if (iso_grow(&c->step, &c->cap_step, c->n + 1, sizeof(*c->step), NULL) != ISO_OK ||
	    iso_grow(&c->value, &c->cap_value, c->n + 1, sizeof(*c->value), NULL) != ISO_OK) {
		all->failed = 1;
		return;
	}
	c->step[c->n] = step;
	c->value[c->n++] = value;
}

static cJSON *curves_json(iso_jsonw *b, const iso_curves *all)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; o && i < all->n; i++) {
		const iso_curve *c = &all->v[i];
		const size_t points = c->n < CURVE_POINTS ? c->n : CURVE_POINTS;
		cJSON *list = iso_jsonw_add(b, o, c->name, cJSON_CreateArray());

		for (size_t k = 0; list && k < points; k++) {
			const size_t at = points < 2 ? 0 : k * (c->n - 1) / (points - 1);
			cJSON *pair = iso_jsonw_add(b, list, NULL, cJSON_CreateArray());

			iso_jsonw_add(b, pair, NULL, cJSON_CreateNumber(c->step[at]));
			iso_jsonw_add(b, pair, NULL,
				      isfinite(c->value[at]) ? cJSON_CreateNumber(c->value[at])
							     : cJSON_CreateNull());
		}
	}
	b->failed |= all->failed;
	return o;
}

void iso_curves_free(iso_curves *all)
{
	for (size_t i = 0; i < all->n; i++) {
		iso_free(all->v[i].name);
		iso_free(all->v[i].step);
		iso_free(all->v[i].value);
	}
}

/* ------------------------------------------------------------------ parts of the record */

static size_t count_features(const iso_schema *s)
{
	size_t n = s->npixel;

	for (size_t c = 0; c < s->ncol; c++)
		n += s->column[c].role == ISO_FEATURE && s->column[c].type != ISO_PIXEL;
	return n;
}

static void add_sizes(iso_jsonw *b, cJSON *record, const iso_cell_rows *rows)
{
	cJSON *n = iso_jsonw_add(b, record, "n", cJSON_CreateObject());

	iso_jsonw_number(b, n, "train", (double)rows->train->n);
	iso_jsonw_number(b, n, "holdout", rows->nonmembers ? (double)rows->nonmembers->n : 0);
	iso_jsonw_number(b, n, "aux", (double)rows->aux->n);
	iso_jsonw_number(b, n, "test", rows->test ? (double)rows->test->n : 0);
	iso_jsonw_number(b, n, "features", (double)count_features(rows->schema));
}

static void add_epsilons(iso_jsonw *b, cJSON *privacy, const iso_epsilons *e)
{
	cJSON *o = iso_jsonw_add(b, privacy, "epsilon", cJSON_CreateObject()), *pld;

	if (isnan(e->pld_upper)) {
		iso_jsonw_add(b, o, "pld", cJSON_CreateNull());
	} else {
		pld = iso_jsonw_add(b, o, "pld", cJSON_CreateObject());
		iso_jsonw_number(b, pld, "lower", e->pld_lower);
		iso_jsonw_number(b, pld, "upper", e->pld_upper);
	}
	iso_jsonw_number(b, o, "rdp", e->rdp);
	iso_jsonw_number(b, o, "rdp_classic", e->rdp_classic);
	iso_jsonw_number(b, o, "moments", e->moments);
	iso_jsonw_number(b, o, "gdp", e->gdp);
}

/* Names of the uncharged entries of the ledger, each once. */
static iso_status add_uncharged(iso_jsonw *b, cJSON *privacy, const iso_ledger *l, cJSON *caveats,
				iso_error *err)
{
	cJSON *list = iso_jsonw_add(b, privacy, "uncharged", cJSON_CreateArray());
	const iso_plan *items = iso_ledger_items(l);

	for (size_t i = 0; list && i < items->n; i++) {
		char text[160];

		if (items->v[i].event.mechanism != ISO_MECH_UNCHARGED)
			continue;
		ISO_TRY(iso_caveat_add(list, items->v[i].why, err));
		snprintf(text, sizeof(text),
			 "uncharged: %s was chosen by looking at real data and is not in the "
			 "accounted epsilon",
			 items->v[i].why);
		ISO_TRY(iso_caveat_add(caveats, text, err));
	}
	return ISO_OK;
}

static iso_status add_privacy(iso_jsonw *b, const iso_cell_job *job, cJSON *record,
			      const iso_training *t, iso_error *err)
{
	const iso_cell *c = job->cell;
	iso_epsilons e = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	const int promised =
		t->guarantee == ISO_GUARANTEE_DP && iso_ledger_uncharged_count(t->ledger) == 0;
	const int anything = iso_ledger_items(t->ledger)->n > 0;
	const double target = c->epsilon * BUDGET_ROUNDING;
	cJSON *p = iso_jsonw_add(b, record, "privacy", cJSON_CreateObject()), *ledger;
	double accounted;

	if (promised || anything)
		ISO_TRY(iso_ledger_epsilon(t->ledger, c->delta, ISO_WANT_ALL, &e, err));
	accounted = iso_epsilon_bound(&e, job->agenda->suite->accountant);
	ISO_FAIL_IF(
		promised && anything && !(accounted <= target), err, ISO_E_INTERNAL,
		"more spent than allowed (%s): the ledger accounts for epsilon %.9g, the target "
		"is %.9g; report it",
		t->generator->name, accounted, c->epsilon);
	iso_jsonw_number(b, p, "target_epsilon", c->epsilon);
	iso_jsonw_number(b, p, "delta", c->delta);
	iso_jsonw_number(b, p, "scale", t->scale > 0 ? t->scale : NAN);
	iso_jsonw_number(b, p, "claimed_epsilon", t->claimed_epsilon);
	add_epsilons(b, p, &e);
	iso_jsonw_number(b, p, "accounted_epsilon",
			 promised && !isnan(accounted) ? accounted : INFINITY);
	iso_jsonw_number(b, p, "audited_epsilon", NAN);
	ISO_TRY(add_uncharged(b, p, t->ledger, cJSON_GetObjectItemCaseSensitive(record, "caveats"),
			      err));
	ISO_TRY(iso_ledger_to_json(t->ledger, &ledger, err));
	iso_jsonw_add(b, record, "ledger", ledger);
	iso_jsonw_text(b, record, "guarantee", iso_guarantee_name(t->guarantee));
	return ISO_OK;
}

static iso_status add_model(iso_jsonw *b, cJSON *record, const iso_training *t, iso_error *err)
{
	cJSON *o = iso_jsonw_add(b, record, "model", cJSON_CreateObject());

	if (o && t->generator->describe)
		return t->generator->describe(t->model, o, err);
	return ISO_OK;
}

static void add_times(iso_jsonw *b, cJSON *facts, const iso_training *t, const iso_curves *all)
{
	cJSON *run = iso_jsonw_object(b, facts, "run"), *progress;
	double steps = 0; /* the last step of the longest curve */

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].n && all->v[i].step[all->v[i].n - 1] > steps)
			steps = all->v[i].step[all->v[i].n - 1];
	iso_jsonw_number(b, run, "fit_seconds", t->fit_seconds);
	iso_jsonw_number(b, run, "steps_per_second",
			 steps > 0 && t->fit_seconds > 0 ? steps / t->fit_seconds : NAN);
	progress = iso_jsonw_object(b, run, "progress");
	iso_jsonw_number(b, progress, "steps", steps);
}

iso_status iso_training_facts(const iso_cell_job *job, const iso_training *t,
			      const iso_curves *curves, cJSON **out, iso_error *err)
{
	iso_jsonw b = {0};
	cJSON *o = iso_jsonw_object(&b, NULL, NULL), *caveats;
	char text[256];
	iso_status st = ISO_OK;

	*out = NULL;
	caveats = iso_jsonw_array(&b, o, "caveats");
	if (iso_delta_caveat(t->generator, job->cell->delta, job->rows->train->n, text,
			     sizeof(text)))
		st = iso_caveat_add(caveats, text, err);
	if (st == ISO_OK && job->rows->schema->learned)
		st = iso_caveat_add(caveats,
				    "learned bounds: the schema's bounds or categories were read "
				    "off the data, outside the privacy budget",
				    err);
	if (st == ISO_OK && job->rows->schema->release.columns.count) {
		const iso_schema_release *r = &job->rows->schema->release;

		(void)snprintf(text, sizeof(text),
			       "private schema: bounds and categories were estimated from the rows "
			       "for epsilon %.4g and delta %.3g of the budget%s",
			       r->epsilon, r->delta, r->seeded ? ", with noise from a seed" : "");
		st = iso_caveat_add(caveats, text, err);
	}
	add_sizes(&b, o, job->rows);
	if (st == ISO_OK)
		st = add_privacy(&b, job, o, t, err);
	iso_jsonw_add(&b, o, "curves", curves_json(&b, curves));
	if (st == ISO_OK)
		st = add_model(&b, o, t, err);
	add_times(&b, o, t, curves);
	if (st == ISO_OK)
		return iso_jsonw_end(&b, o, "a record", out, err);
	cJSON_Delete(o);
	return st;
}
