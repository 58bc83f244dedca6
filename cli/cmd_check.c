// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/plugin.h"
#include "suites/recheck.h"

static const iso_verb_help help = {
	.verb = "check",
	.operands = "DIR",
	.summary = "compute again what the records of a run state",
	.text = "Reads every record of DIR and computes again what can be computed: its digest and "
		"key; "
		"every epsilon from the stored\n"
		"ledger; the ledger against the plan that the method makes of the configuration; "
		"the "
		"statistics of attacks from their raw\n"
		"scores; and the controls: some membership attack must catch a method that returns "
		"its training rows, none may find one\n"
		"that never reads them above chance.  The suite is planned anew from "
		"DIR/suite.json with the data and the code "
		"of "
		"this program: a record whose data\n"
		"or code differ is named.  Exit status 1 if anything does not hold.\n\n"
		"Example:\n"
		"  isoeps check out/demo\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct check {
	const iso_agenda *agenda; /* NULL: the suite cannot be planned here */
	size_t good, bad, without, other;
	iso_str text;
	iso_jsonw w;
	cJSON *cells;
	iso_ledger_memo memo;
} check;

static void say(check *k, const char *result, const char *key, const char *why)
{
	cJSON *o = iso_jsonw_object(&k->w, k->cells, NULL);

	iso_jsonw_text(&k->w, o, "cell", key);
	iso_jsonw_text(&k->w, o, "result", result);
	iso_jsonw_text(&k->w, o, "why", why);
	iso_str_addf(&k->text, "%-5s %s%s%s\n", result, key, why ? ": " : "", why ? why : "");
}

/* An iso_record_fn. */
static iso_status check_record(void *ctx, const cJSON *record, iso_error *err)
{
	check *k = ctx;
	const char *key = cJSON_GetObjectItemCaseSensitive(record, "key")->valuestring;
	const char *state = cJSON_GetObjectItemCaseSensitive(record, "status")->valuestring;
	const iso_cell *c = iso_agenda_find(k->agenda, key);
	iso_error why = {0};
	iso_status st;

	if (strcmp(state, "ok") != 0) {
		k->without++;
		say(k, "none", key, state);
		return ISO_OK;
	}
	st = iso_record_recheck(k->agenda, c, record, &k->memo, &why);
	if (st == ISO_OK)
		st = iso_controls_check(record, &why);
	if (st == ISO_E_NOMEM)
		return iso_fail(err, st, "%s", why.text);
	if (st != ISO_OK) {
		k->bad++;
		say(k, "FAIL", key, why.text);
	} else if (k->agenda && !c) {
		k->other++;
		say(k, "other", key, "made from other data or by other code than this program's");
	} else {
		k->good++;
		say(k, "pass", key, NULL);
	}
	return ISO_OK;
}

/* The plan of DIR/suite.json; *agenda stays NULL, with a line that says why, when it cannot be
 * made. */
static void plan_again(const char *dir, iso_suite **suite, iso_agenda **agenda, iso_str *text)
{
	iso_error why = {0};

	if (iso_agenda_reread(dir, suite, agenda, &why) == ISO_OK)
		return;
	iso_str_addf(text,
		     "the suite cannot be planned here, so plans, data and code are not "
		     "compared: %s\n",
		     why.text);
}

static int finish(check *k, const iso_index *x, int planned, int json)
{
	const int status = k->bad + k->other + x->damaged > 0 ? 1 : 0;
	cJSON *root;

	if (!json) {
		iso_str_addf(&k->text,
			     "\n%zu records hold, %zu do not, %zu are of other data or code, %zu "
			     "without results, %zu damaged files\n",
			     k->good, k->bad, k->other + x->other_code, k->without, x->damaged);
		return iso_cli_print(&k->text, status);
	}
	root = iso_jsonw_object(&k->w, NULL, NULL);
	iso_jsonw_bool(&k->w, root, "planned", planned);
	iso_jsonw_number(&k->w, root, "passed", (double)k->good);
	iso_jsonw_number(&k->w, root, "failed", (double)k->bad);
	iso_jsonw_number(&k->w, root, "other_code", (double)(k->other + x->other_code));
	iso_jsonw_number(&k->w, root, "without_results", (double)k->without);
	iso_jsonw_number(&k->w, root, "damaged", (double)x->damaged);
	iso_jsonw_add(&k->w, root, "cells", k->cells);
	k->cells = NULL;
	return iso_cli_json(root, !k->w.failed, status);
}

int cmd_check(int argc, char **argv)
{
	int json = 0, helped, status;
	iso_arg_list plugin = {0};
	const iso_arg table[] = {{"--plugin", ISO_ARG_TEXTS, &plugin, "FILE.so",
				  "load a plug-in from a shared object"},
				 {"--json", ISO_ARG_FLAG, &json, NULL, "machine-readable output"},
				 {0}};
	const char *dir = NULL;
	check k = {0};
	iso_suite *suite = NULL;
	iso_agenda *agenda = NULL;
	iso_index x = {0};
	iso_error err = {0};
	size_t operands;
	iso_status st = iso_args_read(&help, table, argc, argv, &dir, &operands, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	for (size_t i = 0; i < plugin.n && st == ISO_OK; i++)
		st = iso_plugin_load(plugin.v[i], &err);
	if (st == ISO_OK)
		st = iso_index_load(dir, &x, &err);
	if (st == ISO_OK) {
		plan_again(dir, &suite, &agenda, &k.text);
		k.agenda = agenda;
		k.cells = cJSON_CreateArray();
		st = iso_index_each(&x, ISO_RECORD_FULL, check_record, &k, &err);
	}
	status = st == ISO_OK ? finish(&k, &x, agenda != NULL, json) : iso_cli_fail(&err);
	cJSON_Delete(k.cells);
	iso_ledger_memo_free(&k.memo);
	iso_index_free(&x);
	iso_agenda_free(agenda);
	iso_suite_free(suite);
	return status;
}
