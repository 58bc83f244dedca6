// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/clock.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "results/gate.h"
#include "suites/cell.h"
#include "suites/recheck.h"

static const iso_verb_help help = {
	.verb = "gate",
	.operands = "DIR",
	.summary = "compare the results of a run with a baseline: red when privacy or utility is "
		   "worse",
	.text = "Compares every setting (data set, method, epsilon) of the baseline with the "
		"results in DIR.  Exactly: accounted epsilon (by more than the\n"
		"0.1 % of calibration), uncharged looks at the data, the guarantee, cells that no "
		"longer end well, epsilons that the ledger does not\n"
		"bear out.  By an exact signed-rank test per method and value over all data sets, "
		"epsilons and seeds, paired over seeds: success of\n"
		"attacks, utility and fidelity.  --alpha is the chance of any false alarm over all "
		"tests when nothing has changed (Holm's procedure).\n"
		"--update writes the baseline from DIR instead.\n\n"
		"Exit status 0 when nothing is worse, 1 when something is or when a promise of "
		"differential privacy is refuted.  Results that cannot be\n"
		"compared are refused: 2 for other epsilons, options or missing settings, 3 for "
		"other data and for damaged or unverified records.\n\n"
		"Examples:\n"
		"  isoeps gate out/privacy-regression --baseline baseline.json --update\n"
		"  isoeps gate out/privacy-regression --baseline baseline.json --junit gate.xml\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct gate {
	const char *dir, *baseline, *junit;
	int json, update, every, all;
	double alpha;
	iso_gate_side now, before;
	iso_gate_result result;
	iso_ledger_memo memo;
} gate;

static const char *text_of(const cJSON *obj, const char *key)
{
	const char *t = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(obj, key));

	return t ? t : "";
}

/* An iso_record_fn: a record whose numbers do not follow from its ledger and scores is refused. */
static iso_status take(void *ctx, const cJSON *record, iso_error *err)
{
	gate *g = ctx;
	iso_error why = {0};

	if (strcmp(text_of(record, "status"), "ok") == 0 &&
	    iso_record_recheck(NULL, NULL, record, &g->memo, &why) != ISO_OK) {
		if (why.code == ISO_E_NOMEM)
			return iso_fail(err, why.code, "%s", why.text);
		ISO_TRY(iso_gate_refuse(&g->result, ISO_E_CHECK, err, "%s", why.text));
	}
	return iso_gate_take(&g->now, record, err);
}

static iso_status read_results(gate *g, iso_error *err)
{
	iso_index x;
	iso_status st;

	ISO_TRY(iso_index_load(g->dir, &x, err));
	st = iso_index_each(&x, ISO_RECORD_FULL, take, g, err);
	if (st == ISO_OK && x.damaged)
		st = iso_gate_refuse(&g->result, ISO_E_DATA, err,
				     "damaged records (%s): %zu files were changed or cut off; run "
				     "the suite again",
				     g->dir, x.damaged);
	if (st == ISO_OK && (x.n == 0 || x.planned > x.n + x.damaged))
		st = iso_gate_refuse(&g->result, ISO_E_CONFIG, err,
				     "unfinished run (%s): %zu of %zu cells have a record; run the "
				     "suite to its end",
				     g->dir, x.n, x.planned);
	iso_index_free(&x);
	return st == ISO_OK ? iso_gate_promises(&g->now, g->update, &g->result, err) : st;
}

static void now_text(char out[32])
{
	const time_t t = (time_t)iso_clock_epoch();
	struct tm parts;

	if (!gmtime_r(&t, &parts) || strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		snprintf(out, 32, "1970-01-01T00:00:00");
}

static iso_status update(gate *g, iso_str *out, iso_error *err)
{
	cJSON *run;
	char when[32];

	ISO_TRY(iso_host_facts(&run, err));
	now_text(when);
	if (!cJSON_AddStringToObject(run, "date", when)) {
		cJSON_Delete(run);
		return iso_no_memory(err, "a baseline");
	}
	ISO_TRY(iso_gate_write(&g->now, g->baseline, run, err));
	iso_str_addf(out, "%s: %d settings of %s are the baseline now\n", g->baseline,
		     cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(g->now.doc, "settings")),
		     text_of(g->now.doc, "suite"));
	return ISO_OK;
}

static iso_status write_junit(const gate *g, iso_error *err)
{
	iso_str xml = {0};
	char when[32];
	iso_status st;

	now_text(when);
	iso_gate_junit(&g->result, text_of(g->now.doc, "suite"), when, &xml);
	st = iso_str_check(&xml, err);
	if (st == ISO_OK)
		st = iso_file_write_atomic(g->junit, xml.p, xml.n, err);
	iso_str_free(&xml);
	return st;
}

static iso_status judge(gate *g, iso_str *out, iso_error *err)
{
	ISO_TRY(read_results(g, err));
	if (g->update && !g->result.nrefusal)
		return update(g, out, err);
	if (!g->update) {
		ISO_TRY(iso_gate_read(g->baseline, &g->before, err));
		ISO_TRY(iso_gate_promises(&g->before, 1, &g->result, err));
		ISO_TRY(iso_gate_compare(&g->before, &g->now, g->alpha, &g->result, err));
	}
	if (g->junit)
		ISO_TRY(write_junit(g, err));
	iso_gate_text(&g->result, g->every, out);
	return ISO_OK;
}

static int finish(gate *g, iso_str *out)
{
	iso_error err = {0};
	cJSON *root;

	if (!g->json || g->update)
		return iso_cli_print(out, iso_gate_exit(&g->result));
	iso_str_free(out);
	if (iso_gate_json(&g->result, &root, &err) != ISO_OK)
		return iso_cli_fail(&err);
	return iso_cli_json(root, 1, iso_gate_exit(&g->result));
}

int cmd_gate(int argc, char **argv)
{
	gate g = {.alpha = ISO_GATE_ALPHA};
	const iso_arg table[] = {
		{"--baseline", ISO_ARG_TEXT, &g.baseline, "FILE", "the baseline (required)"},
		{"--update", ISO_ARG_FLAG, &g.update, NULL, "write the baseline from DIR"},
		{"--all", ISO_ARG_FLAG, &g.all, NULL,
		 "with --update: keep every value that has a direction, not only headlines"},
		{"--alpha", ISO_ARG_REAL, &g.alpha, "A",
		 "chance of a false alarm over all tests (default 0.001)", 1e-12, 0.5},
		{"--junit", ISO_ARG_TEXT, &g.junit, "FILE.xml", "also write JUnit XML"},
		{"--every", ISO_ARG_FLAG, &g.every, NULL,
		 "print every comparison, not only those that differ"},
		{"--json", ISO_ARG_FLAG, &g.json, NULL, "machine-readable output"},
		{0}};
	iso_error err = {0};
	iso_str out = {0};
	size_t operands;
	int helped, status;
	iso_status st = iso_args_read(&help, table, argc, argv, &g.dir, &operands, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK && !g.baseline)
		st = iso_fail(&err, ISO_E_USAGE,
			      "no baseline (gate): say which with --baseline FILE");
	g.now.all = g.all || !g.update;
	if (st == ISO_OK)
		st = judge(&g, &out, &err);
	if (st == ISO_OK) {
		status = finish(&g, &out);
	} else {
		iso_str_free(&out);
		status = iso_cli_fail(&err);
	}
	iso_ledger_memo_free(&g.memo);
	iso_gate_side_free(&g.now);
	iso_gate_side_free(&g.before);
	iso_gate_result_free(&g.result);
	return status;
}
