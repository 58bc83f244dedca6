// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/summary.h"
#include "core/base/log.h"
#include "core/io/jsonw.h"

static const iso_verb_help help = {
	.verb = "status",
	.operands = "DIR",
	.summary = "how far a run is",
	.text = "Reads DIR/suite.json and DIR/cells: how many cells are done, which failed and "
		"why, and the results so far.  It can be\n"
		"asked while a run is going on.  Exit status 0 if all cells of the suite are done, "
		"else 1.\n\n"
		"Example:\n"
		"  isoeps status out/demo\n",
	.min_operands = 1,
	.max_operands = 1,
};

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text_of(const cJSON *obj, const char *key)
{
	const cJSON *v = get(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

typedef struct status {
	size_t cells; /* of the suite */
	size_t ok, failed, unsupported;
	iso_summary summary;
	iso_str lines; /* of cells without results */
	iso_jsonw w;
	cJSON *failures;
} status;

/* An iso_record_take_fn. */
static iso_status look(void *ctx, cJSON **record, iso_error *err)
{
	const cJSON *r = *record;
	status *s = ctx;
	const cJSON *c = get(r, "config"), *e = get(c, "epsilon");
	const char *state = text_of(r, "status");
	char eps[32];
	cJSON *o;

	if (strcmp(state, "ok") == 0) {
		s->ok++;
		return iso_summary_add(&s->summary, r, err);
	}
	s->unsupported += strcmp(state, "unsupported") == 0;
	s->failed += strcmp(state, "unsupported") != 0;
	iso_eps_text(cJSON_IsNumber(e) ? e->valuedouble : INFINITY, eps);
	iso_str_addf(&s->lines, "  %s: %.8s %s, %s, epsilon %s, seed %.0f: %s\n", state,
		     text_of(r, "key"), text_of(get(c, "dataset"), "name"), text_of(r, "label"),
		     eps, get(c, "seed")->valuedouble, text_of(r, "error"));
	o = iso_jsonw_object(&s->w, s->failures, NULL);
	iso_jsonw_text(&s->w, o, "key", text_of(r, "key"));
	iso_jsonw_text(&s->w, o, "status", state);
	iso_jsonw_text(&s->w, o, "error", text_of(r, "error"));
	return iso_str_check(&s->lines, err);
}

static int status_json(status *s, const iso_index *x, int exit_status)
{
	iso_jsonw *w = &s->w;
	cJSON *root = iso_jsonw_object(w, NULL, NULL), *results = NULL;
	iso_error err = {0};

	iso_jsonw_number(w, root, "cells", (double)s->cells);
	iso_jsonw_number(w, root, "done", (double)s->ok);
	iso_jsonw_number(w, root, "failed", (double)s->failed);
	iso_jsonw_number(w, root, "unsupported", (double)s->unsupported);
	iso_jsonw_number(w, root, "damaged", (double)x->damaged);
	iso_jsonw_number(w, root, "foreign", (double)x->foreign);
	iso_jsonw_number(w, root, "other_code", (double)x->other_code);
	iso_jsonw_add(w, root, "failures", s->failures);
	s->failures = NULL;
	w->failed |= iso_summary_json(&s->summary, &results, &err) != ISO_OK;
	iso_jsonw_add(w, root, "results", results);
	return iso_cli_json(root, !w->failed, exit_status);
}

static int status_text(const status *s, const iso_index *x, int exit_status, iso_error *err)
{
	const size_t over = s->ok + s->failed + s->unsupported;
	iso_str out = {0};

	if (iso_summary_text(&s->summary, &out, err) != ISO_OK) {
		iso_str_free(&out);
		return iso_cli_fail(err);
	}
	iso_str_addf(&out, "%s%zu of %zu cells done, %zu failed, %zu to go", out.n ? "\n" : "",
		     s->ok, s->cells, s->failed, s->cells > over ? s->cells - over : 0);
	if (s->unsupported)
		iso_str_addf(&out, ", %zu that their method cannot take", s->unsupported);
	if (x->damaged)
		iso_str_addf(&out, ", %zu damaged files (they will be run again)", x->damaged);
	if (x->other_code)
		iso_str_addf(&out, ", %zu made by other code (left out)", x->other_code);
	if (x->foreign > x->other_code)
		iso_str_addf(&out, ", %zu of other cells (left out)", x->foreign - x->other_code);
	iso_str_addf(&out, "\n%s", s->lines.n ? s->lines.p : "");
	return iso_cli_print(&out, exit_status);
}

int cmd_status(int argc, char **argv)
{
	int json = 0, helped, exit_status = 1;
	const iso_arg table[] = {{"--json", ISO_ARG_FLAG, &json, NULL, "machine-readable output"},
				 {0}};
	const char *dir = NULL;
	iso_index x;
	status s = {0};
	iso_error err = {0};
	iso_status st;
	size_t operands;

	if (iso_args_read(&help, table, argc, argv, &dir, &operands, &helped, &err) != ISO_OK)
		return iso_cli_fail(&err);
	if (helped)
		return 0;
	if (iso_index_load(dir, &x, &err) != ISO_OK)
		return iso_cli_fail(&err);
	s.failures = cJSON_CreateArray();
	st = iso_results_renew_each(&x, look, &s, &err);
	if (st == ISO_E_IO) { /* every record was seen; the directory cannot be written */
		iso_note("results.csv was not renewed: %s", err.text);
		iso_error_clear(&err);
		st = ISO_OK;
	}
	if (st == ISO_OK) {
		s.cells = x.planned ? x.planned : x.n + x.damaged;
		exit_status = s.ok + s.unsupported == s.cells ? 0 : 1;
		exit_status = json ? status_json(&s, &x, exit_status)
				   : status_text(&s, &x, exit_status, &err);
	} else {
		exit_status = iso_cli_fail(&err);
	}
	cJSON_Delete(s.failures);
	iso_summary_free(&s.summary);
	iso_str_free(&s.lines);
	iso_index_free(&x);
	return exit_status;
}
