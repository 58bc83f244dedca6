// SPDX-License-Identifier: Apache-2.0
#include "cli/running.h"

#include <math.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/table.h"
#include "core/base/alloc.h"

/* ------------------------------------------------------------------ plan */

static void plan_rows(const iso_agenda *a, const uint8_t *todo, iso_str *out)
{
	const iso_suite *s = a->suite;
	iso_grid g = {.columns = 6};
	static const char *const head[] = {"data set", "generator", "guarantee",
					   "epsilon",  "cells",	    "to run"};

	for (size_t i = 0; i < ISO_COUNT(head); i++)
		iso_grid_add(&g, "%s", head[i]);
	for (size_t d = 0; d < s->ndataset; d++)
		for (size_t k = 0; k < s->ngenerator; k++) {
			size_t cells = 0, run = 0;
			iso_str eps = {0};
			double last = NAN;

			for (size_t i = 0; i < a->ncell; i++) {
				char text[32];

				if (a->cell[i].dataset != d || a->cell[i].generator != k)
					continue;
				cells++;
				run += todo[i];
				iso_eps_text(a->cell[i].epsilon, text);
				if (a->cell[i].seed_index == 0 && a->cell[i].epsilon != last)
					iso_str_addf(&eps, "%s%s", eps.n ? ", " : "", text);
				last = a->cell[i].epsilon;
			}
			if (cells) {
				iso_grid_add(&g, "%s", s->dataset[d].label);
				iso_grid_add(&g, "%s", s->generator[k].label);
				iso_grid_add(
					&g, "%s",
					iso_guarantee_name(iso_agenda_setup(a, k, d)->guarantee));
				iso_grid_add(&g, "%s ", eps.p ? eps.p : "");
				iso_grid_add(&g, "%zu", cells);
				iso_grid_add(&g, "%zu", run);
			}
			iso_str_free(&eps);
		}
	iso_grid_print(&g, out);
}

static void duration_text(double s, char *out, size_t size)
{
	if (s < 90)
		snprintf(out, size, "%.0f s", s);
	else if (s < 5400)
		snprintf(out, size, "%.0f min", s / 60);
	else
		snprintf(out, size, "%.1f h", s / 3600);
}

static void part_text(const char *what, double seconds, iso_str *out)
{
	char time[32];

	if (!(seconds > 0))
		return;
	duration_text(seconds, time, sizeof(time));
	iso_str_addf(out, ", %s %s", what, time);
}

static void estimate_text(const iso_run_options *o, const iso_estimate *e, iso_str *out)
{
	char time[32];

	if (e->from_records + e->from_probes == 0) {
		iso_str_add(out, "\nestimate: nothing to run\n");
		return;
	}
	duration_text(e->seconds, time, sizeof(time));
	iso_str_addf(out, "\nestimate: %s %s with --jobs %d (", e->at_least ? "at least" : "about",
		     time, o->jobs);
	if (e->from_records)
		iso_str_addf(out, "%zu cells by the times of finished ones%s", e->from_records,
			     e->from_probes ? ", " : "");
	if (e->from_probes)
		iso_str_addf(out, "%zu cells by short trials", e->from_probes);
	part_text("training", e->training, out);
	part_text("attacks and metrics", e->judging, out);
	part_text("verification", e->verifying, out);
	iso_str_add(out, ")\n");
	if (*e->open)
		iso_str_addf(out, "unknown: %s did not end within the trial\n", e->open);
}

static void plan_text(const iso_agenda *a, const iso_run_options *o, const uint8_t *todo,
		      const iso_run_summary *sum, const iso_estimate *e, iso_str *out)
{
	iso_str_addf(out,
		     "suite %s: %zu cells, %zu selected, %zu finished, %zu to run; output %s\n\n",
		     a->suite->name, sum->cells, sum->selected, sum->finished,
		     sum->selected - sum->finished, o->dir);
	plan_rows(a, todo, out);
	estimate_text(o, e, out);
}

static int add_cell(const iso_agenda *a, const iso_cell *x, int todo, cJSON *list)
{
	cJSON *o = cJSON_CreateObject();

	if (o && cJSON_AddStringToObject(o, "key", x->key) &&
	    cJSON_AddStringToObject(o, "dataset", a->suite->dataset[x->dataset].label) &&
	    cJSON_AddStringToObject(o, "generator", a->suite->generator[x->generator].label) &&
	    iso_json_add_number(o, "epsilon", x->epsilon) &&
	    cJSON_AddNumberToObject(o, "seed", (double)x->seed) &&
	    cJSON_AddBoolToObject(o, "to_run", todo) && cJSON_AddItemToArray(list, o))
		return 1;
	cJSON_Delete(o);
	return 0;
}

static int plan_json(const iso_agenda *a, const iso_run_options *o, const uint8_t *todo,
		     const iso_run_summary *sum, const iso_estimate *e)
{
	cJSON *root = cJSON_CreateObject(),
	      *list = root ? cJSON_AddArrayToObject(root, "cells") : NULL;
	int ok = list && cJSON_AddStringToObject(root, "suite", a->suite->name) &&
		 cJSON_AddStringToObject(root, "dir", o->dir) &&
		 cJSON_AddNumberToObject(root, "selected", (double)sum->selected) &&
		 cJSON_AddNumberToObject(root, "finished", (double)sum->finished) &&
		 cJSON_AddNumberToObject(root, "estimate_seconds", e->seconds) &&
		 cJSON_AddBoolToObject(root, "estimate_is_lower_bound", e->at_least) &&
		 cJSON_AddStringToObject(root, "open", e->open) &&
		 cJSON_AddNumberToObject(root, "training_seconds", e->training) &&
		 cJSON_AddNumberToObject(root, "judging_seconds", e->judging) &&
		 cJSON_AddNumberToObject(root, "verifying_seconds", e->verifying) &&
		 cJSON_AddNumberToObject(root, "estimated_from_records", (double)e->from_records) &&
		 cJSON_AddNumberToObject(root, "estimated_from_probes", (double)e->from_probes) &&
		 cJSON_AddNumberToObject(root, "not_estimated", (double)e->unknown);

	for (size_t i = 0; ok && i < a->ncell; i++)
		ok = add_cell(a, &a->cell[i], todo[i], list);
	return iso_cli_json(root, ok, 0);
}

int iso_running_plan(const iso_agenda *a, const iso_running *r, int json)
{
	const iso_run_options *o = &r->options;
	iso_run_summary sum;
	iso_estimate e;
	iso_verdicts verdicts;
	iso_audits audits = {0};
	iso_error err = {0};
	uint8_t *todo;
	iso_str text = {0};
	int status;
	iso_status st = iso_verdicts_new(a, &verdicts, &err);

	if (st == ISO_OK)
		st = iso_audits_new(a, &audits, &err);
	if (st == ISO_OK)
		st = iso_run_select(a, o, &verdicts, &audits, &todo, &sum, &err);
	iso_verdicts_free(&verdicts);
	iso_audits_free(&audits);
	if (st != ISO_OK)
		return iso_cli_fail(&err);
	st = iso_run_estimate(a, o, todo, &e, &err);
	if (st != ISO_OK) {
		status = iso_cli_fail(&err);
	} else if (json) {
		status = plan_json(a, o, todo, &sum, &e);
	} else {
		plan_text(a, o, todo, &sum, &e, &text);
		status = iso_cli_print(&text, 0);
	}
	iso_free(todo);
	return status;
}

/* ------------------------------------------------------------------ summary */

int iso_running_status(const iso_running *r)
{
	const iso_run_summary *sum = &r->sum;
	int worst = sum->lost			   ? iso_status_exit(ISO_E_PLUGIN)
		    : sum->refuted + sum->violated ? 1
						   : 0;

	if (sum->interrupted)
		return ISO_EXIT_INTERRUPTED;
	for (size_t i = 0; i < sum->nfailure; i++) {
		int e = iso_status_exit(sum->failure[i].code);

		worst = e > worst ? e : worst;
	}
	return worst;
}

cJSON *iso_running_json(const iso_agenda *a, const iso_running *r, iso_jsonw *w)
{
	const iso_run_summary *sum = &r->sum;
	cJSON *root = iso_jsonw_object(w, NULL, NULL), *failures, *list = NULL;
	iso_error err = {0};
	const struct {
		const char *key;
		size_t value;
	} count[] = {{"cells", sum->cells},
		     {"selected", sum->selected},
		     {"finished_before", sum->finished},
		     {"done", sum->done},
		     {"failed", sum->failed},
		     {"unsupported", sum->unsupported + sum->unsupported_before},
		     {"trained", sum->trained},
		     {"judged", sum->judged},
		     {"reused", sum->reused},
		     {"lost", sum->lost},
		     {"refuted", sum->refuted},
		     {"audited", sum->audited},
		     {"violated", sum->violated}};

	iso_jsonw_text(w, root, "suite", a->suite->name);
	iso_jsonw_text(w, root, "dir", r->options.dir);
	for (size_t i = 0; i < ISO_COUNT(count); i++)
		iso_jsonw_number(w, root, count[i].key, (double)count[i].value);
	iso_jsonw_bool(w, root, "interrupted", sum->interrupted);
	iso_jsonw_number(w, root, "seconds", sum->seconds);
	failures = iso_jsonw_array(w, root, "failures");
	for (size_t i = 0; !w->failed && i < sum->nfailure; i++) {
		w->failed |= !add_cell(a, sum->failure[i].cell, 1, failures);
		iso_jsonw_text(w, cJSON_GetArrayItem(failures, (int)i), "error",
			       sum->failure[i].text);
	}
	w->failed |= iso_summary_json(&r->results, &list, &err) != ISO_OK;
	iso_jsonw_add(w, root, "results", list);
	return root;
}

void iso_running_counts(const iso_agenda *a, const iso_running *r, iso_str *out)
{
	const iso_run_summary *sum = &r->sum;
	const size_t over = sum->finished + sum->done + sum->failed + sum->unsupported;
	const size_t left = sum->selected - over;

	iso_str_addf(out, "%zu cells: %zu done now, %zu done before, %zu failed", sum->selected,
		     sum->done, sum->finished, sum->failed);
	if (sum->unsupported + sum->unsupported_before)
		iso_str_addf(out, ", %zu that their method cannot take",
			     sum->unsupported + sum->unsupported_before);
	if (left)
		iso_str_addf(out, ", %zu left", left);
	iso_str_addf(out, "; %zu trained, %zu judged, %zu reused; %.1f s\n", sum->trained,
		     sum->judged, sum->reused, sum->seconds);
	for (size_t i = 0; i < sum->nfailure; i++) {
		const iso_failure *f = &sum->failure[i];
		char eps[32];

		iso_eps_text(f->cell->epsilon, eps);
		iso_str_addf(out, "  failed: %.8s %s, %s, epsilon %s, seed %llu: %s\n",
			     f->cell->key, a->suite->dataset[f->cell->dataset].label,
			     a->suite->generator[f->cell->generator].label, eps,
			     (unsigned long long)f->cell->seed, f->text);
	}
	if (sum->lost)
		iso_str_addf(out,
			     "  lost: %zu judgement%s that crashed or ran out of time (the next "
			     "run tries again; isoeps explain shows why)\n",
			     sum->lost, sum->lost == 1 ? "" : "s");
	if (sum->refuted)
		iso_str_addf(out,
			     "  refuted: %zu cell%s of a method that declares differential "
			     "privacy, and does not keep it (isoeps explain shows the verdict)\n",
			     sum->refuted, sum->refuted == 1 ? "" : "s");
	if (sum->violated)
		iso_str_addf(out,
			     "  violated: %zu cell%s of a method that declares differential "
			     "privacy, and whose audit finds more epsilon than is accounted for\n",
			     sum->violated, sum->violated == 1 ? "" : "s");
}

void iso_running_warn(const iso_running *r)
{
	if (r->sum.interrupted)
		fprintf(stderr,
			"isoeps: error: interrupted (%s): running cells were stopped, finished "
			"ones are kept; resume with the same command\n",
			r->options.dir);
}

static iso_status summarise(void *ctx, cJSON **record, iso_error *err)
{
	return iso_summary_add(ctx, *record, err);
}

iso_status iso_running_start(const iso_agenda *a, iso_running *r, iso_error *err)
{
	r->options.each = summarise;
	r->options.each_ctx = &r->results;
	return iso_run(a, &r->options, &r->sum, err);
}

iso_status iso_running_table(const iso_running *r, iso_str *out, iso_error *err)
{
	return iso_summary_text(&r->results, out, err);
}

void iso_running_free(iso_running *r)
{
	iso_summary_free(&r->results);
	iso_run_summary_free(&r->sum);
}
