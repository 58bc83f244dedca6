// SPDX-License-Identifier: Apache-2.0
#include "cli/dry_generate.h"

#include <math.h>

#include "cli/cmd.h"
#include "cli/summary.h"
#include "core/io/jsonw.h"
#include "core/privacy/accountant.h"

void iso_neighbours_text(iso_adjacency adjacency, size_t n, iso_str *out)
{
	iso_str_addf(
		out,
		adjacency == ISO_REPLACE_ONE
			? "neighbouring tables differ in the values of one row; n = %zu, the "
			  "number of rows, is public\n"
			: "neighbouring tables differ by one row; n = %zu, the number of rows, "
			  "is taken as publicly known\n",
		n);
}

static iso_status train_task(void *ctx, iso_worker_page *page, iso_error *err)
{
	iso_training_request r = *(const iso_training_request *)ctx;
	iso_training t;

	r.progress = &page->progress;
	r.cancelled = iso_worker_cancelled;
	ISO_TRY(iso_train(&r, &t, err));
	iso_training_free(&t);
	return ISO_OK;
}

static iso_status time_training(iso_training_request *r, iso_trial_training *out, iso_error *err)
{
	const iso_limits limits = {3600, (size_t)1 << 40};
	iso_worker w;
	iso_status st;

	*out = (iso_trial_training){0};
	ISO_TRY(iso_worker_init(&w, err));
	st = iso_worker_start(&w, train_task, r, &limits, 0, err);
	if (st == ISO_OK) {
		iso_trial_watch(&w, out);
		iso_workers_stop(&w, 1);
	}
	iso_worker_close(&w);
	return st;
}

iso_status iso_dry_generate_run(iso_training_request *r, size_t rows, iso_dry_generate *out,
				iso_error *err)
{
	iso_events events = {0};
	iso_plan plan;
	iso_status st;

	*out = (iso_dry_generate){0};
	ISO_TRY(iso_train_dry(r, &out->scale, &plan, err));
	out->n = r->train->n;
	out->rows = rows ? rows : out->n;
	out->guarantee = iso_generator_guarantee(r->generator, r->options);
	out->learned = r->train->schema->learned;
	for (size_t i = 0; i < plan.n; i++)
		out->releases += plan.v[i].adaptive ? 1 : plan.v[i].event.count;
	ISO_TRY_OUT(iso_plan_events(&plan, 0, &events, err));
	if (events.n)
		ISO_TRY_OUT(iso_account_one(&events, r->adjacency, r->delta, r->accountant,
					    &out->accounted, err));
	if (out->guarantee != ISO_GUARANTEE_DP || out->learned)
		out->accounted = INFINITY;
	(void)iso_delta_caveat(r->generator, r->delta, out->n, out->large_delta,
			       sizeof(out->large_delta));
	st = time_training(r, &out->trial, err);
out:
	iso_events_free(&events);
	iso_plan_free(&plan);
	return st;
}

static const char *adjacency_name(const iso_training_request *r)
{
	return r->adjacency == ISO_REPLACE_ONE ? "replace-one" : "add-remove";
}

static int say_json(const iso_dry_generate *d, const iso_training_request *r)
{
	iso_jsonw w = {0};
	cJSON *root = iso_jsonw_object(&w, NULL, NULL);

	iso_jsonw_text(&w, root, "generator", r->generator->name);
	iso_jsonw_text(&w, root, "guarantee", iso_guarantee_name(d->guarantee));
	iso_jsonw_number(&w, root, "epsilon", r->epsilon);
	iso_jsonw_number(&w, root, "delta", r->delta);
	iso_jsonw_text(&w, root, "adjacency", adjacency_name(r));
	iso_jsonw_number(&w, root, "training_rows", (double)d->n);
	iso_jsonw_number(&w, root, "rows", (double)d->rows);
	iso_jsonw_number(&w, root, "accounted_epsilon", d->accounted);
	iso_jsonw_number(&w, root, "noise_scale", d->scale);
	iso_jsonw_number(&w, root, "releases", (double)d->releases);
	iso_jsonw_number(&w, root, "calibration_seconds", d->trial.before);
	iso_jsonw_number(&w, root, "estimate_seconds", d->trial.before + d->trial.steps);
	iso_jsonw_bool(&w, root, "estimate_is_lower_bound", d->trial.open);
	return iso_cli_json(root, !w.failed, 0);
}

int iso_dry_generate_say(const iso_dry_generate *d, const iso_training_request *r, int json)
{
	char eps[32];
	iso_str out = {0};

	if (json)
		return say_json(d, r);
	iso_eps_text(d->accounted, eps);
	iso_str_addf(&out, "%s: %zu synthetic rows from %zu rows; nothing is kept or written\n",
		     r->generator->name, d->rows, d->n);
	iso_str_addf(&out, "guarantee %s; %zu releases would cost epsilon %s at delta %g (%s)",
		     iso_guarantee_name(d->guarantee), d->releases, eps, r->delta,
		     adjacency_name(r));
	if (d->scale > 0)
		iso_str_addf(&out, ", at noise scale %.6g", d->scale);
	iso_str_add(&out, "\n");
	if (d->guarantee == ISO_GUARANTEE_DP)
		iso_neighbours_text(r->adjacency, d->n, &out);
	if (d->learned)
		iso_str_add(&out, "caveat: the schema marks bounds or categories as learned from "
				  "data, outside the budget\n");
	if (d->large_delta[0])
		iso_str_addf(&out, "caveat: %s\n", d->large_delta);
	iso_str_addf(&out, "estimate: %s %.1f s (until the first step %.1f s)\n",
		     d->trial.open ? "at least" : "about", d->trial.before + d->trial.steps,
		     d->trial.before);
	return iso_cli_print(&out, 0);
}
