// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/dry_generate.h"
#include "cli/summary.h"
#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/base/code.h"
#include "core/base/text.h"
#include "core/data/split.h"
#include "core/io/file.h"
#include "suites/flow/train.h"
#include "suites/plan.h"
#include "suites/flow/isolate.h"
#include "suites/plugin.h"
#include "suites/verdict.h"

static const iso_verb_help help = {
	.verb = "generate",
	.operands = "NAME",
	.summary = "synthetic rows from your own CSV, at the epsilon that you ask for",
	.text = "Trains generator NAME on a CSV under its public schema and writes synthetic rows. "
		" The noise is calibrated so that the\n"
		"accounted epsilon is at most --epsilon; what was really spent is printed.  Bounds "
		"and categories come from the\n"
		"schema, never from the rows: isoeps schema infer drafts one, for you to replace "
		"what it learned by what is public.\n"
		"The privacy noise and all other private randomness come from the operating "
		"system.  "
		"With --seed a run can be\n"
		"repeated, and whoever knows the seed can compute the noise and take it away: the "
		"label then says so.\n"
		"A generator of --plugin trains in a process of its own, and what it promises is "
		"printed as claimed unless --verify has tried it.\n\n"
		"Example:\n"
		"  isoeps generate ddp-bvae --data people.csv --schema people.json --epsilon 2 "
		"--delta 1e-6 \\\n"
		"      --set epochs=20 --rows 10000 --out synthetic.csv\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct command {
	const char *data, *schema, *out, *accountant, *adjacency, *public;
	double epsilon, delta;
	int64_t rows, seed;
	int secure, json, public_counts, large_delta, verify, dry_run;
	iso_arg_list set, plugin;
} command;

static iso_status read_command(int argc, char **argv, command *c, const char **name, int *helped,
			       iso_error *err)
{
	const iso_arg table[] = {
		{"--data", ISO_ARG_TEXT, &c->data, "FILE", "the private rows, CSV, plain or gzip"},
		{"--schema", ISO_ARG_TEXT, &c->schema, "FILE", "their public schema, JSON"},
		{"--epsilon", ISO_ARG_REAL, &c->epsilon, "E", "the budget", 1e-6, 1e6},
		{"--delta", ISO_ARG_REAL, &c->delta, "D",
		 "the budget's delta; well below one over the number of rows", 1e-15, 0.5},
		{"--set", ISO_ARG_TEXTS, &c->set, "OPTION=VALUE",
		 "an option of the generator (isoeps describe NAME)"},
		{"--rows", ISO_ARG_INT, &c->rows, "N",
		 "synthetic rows (default: as many as in --data)", 1, 1e8},
		{"--out", ISO_ARG_TEXT, &c->out, "FILE",
		 "where they go (default: standard output); .gz compresses"},
		{"--seed", ISO_ARG_INT, &c->seed, "S",
		 "make the run repeatable; its noise is then known to whoever knows S", 0,
		 4294967295.0},
		{"--secure", ISO_ARG_FLAG, &c->secure, NULL,
		 "noise from the operating system, hardened samplers (the default without --seed)"},
		{"--public", ISO_ARG_TEXT, &c->public, "FILE",
		 "public rows under the same schema, for methods that learn from them for free"},
		{"--dry-run", ISO_ARG_FLAG, &c->dry_run, NULL,
		 "calibrate, say what would be released and how long it takes; write nothing"},
		{"--public-class-counts", ISO_ARG_FLAG, &c->public_counts, NULL,
		 "the rows per class are public knowledge"},
		{"--accountant", ISO_ARG_TEXT, &c->accountant, "pld|rdp",
		 "which one calibrates (default pld)"},
		{"--adjacency", ISO_ARG_TEXT, &c->adjacency, "add-remove|replace-one",
		 "neighbours (default add-remove)"},
		{"--allow-large-delta", ISO_ARG_FLAG, &c->large_delta, NULL,
		 "accept a delta above 10/n, which allows ten whole records to be published"},
		{"--verify", ISO_ARG_FLAG, &c->verify, NULL,
		 "verify the promise of differential privacy first; no rows if it does not hold"},
		{"--plugin", ISO_ARG_TEXTS, &c->plugin, "FILE.so",
		 "load a generator from a shared object"},
		{"--json", ISO_ARG_FLAG, &c->json, NULL, "machine-readable summary (needs --out)"},
		{0}};
	size_t n;

	ISO_TRY(iso_args_read(&help, table, argc, argv, name, &n, helped, err));
	if (*helped)
		return ISO_OK;
	ISO_FAIL_IF(!c->data || !c->schema, err, ISO_E_USAGE,
		    "option missing (isoeps generate): %s is needed; see isoeps generate --help",
		    c->data ? "--schema" : "--data");
	ISO_FAIL_IF(
		c->secure && c->seed >= 0, err, ISO_E_USAGE,
		"options that exclude each other (isoeps generate): --secure takes its noise from "
		"the operating system, --seed from a number; give one of them");
	c->secure = c->seed < 0;
	ISO_FAIL_IF(c->json && !c->dry_run && (!c->out || strcmp(c->out, "-") == 0), err,
		    ISO_E_USAGE,
		    "option missing (isoeps generate --json): the summary goes to standard output, "
		    "so the rows need --out FILE; give "
		    "it");
	ISO_FAIL_IF(c->accountant && strcmp(c->accountant, "pld") != 0 &&
			    strcmp(c->accountant, "rdp") != 0,
		    err, ISO_E_USAGE,
		    "unknown accountant (--accountant %s): none of that name calibrates; use pld "
		    "or rdp",
		    c->accountant);
	ISO_FAIL_IF(c->adjacency && strcmp(c->adjacency, "add-remove") != 0 &&
			    strcmp(c->adjacency, "replace-one") != 0,
		    err, ISO_E_USAGE,
		    "unknown adjacency (--adjacency %s): use add-remove or replace-one",
		    c->adjacency);
	return ISO_OK;
}

static iso_status count_classes(const iso_table *t, size_t **out, iso_error *err)
{
	const size_t classes = iso_schema_classes(t->schema);

	*out = iso_alloc(classes, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "class counts");
	for (size_t r = 0; r < t->n; r++) {
		size_t k = iso_table_label(t, r);

		if (k < classes)
			(*out)[k]++;
	}
	return ISO_OK;
}

static iso_adjacency adjacency_of(const command *c)
{
	return c->adjacency && strcmp(c->adjacency, "replace-one") == 0 ? ISO_REPLACE_ONE
									: ISO_ADD_REMOVE;
}

static iso_status read_public(const command *c, const iso_setup *setup, const iso_dataset *d,
			      iso_table **out, iso_error *err)
{
	const uint32_t takes = ISO_ACCEPTS_PUBLIC | ISO_REQUIRES_PUBLIC;

	*out = NULL;
	if (!c->public)
		return ISO_OK;
	ISO_FAIL_IF(!(setup->generator->accepts & takes), err, ISO_E_USAGE,
		    "no use for public rows (--public %s): %s does not learn from them; leave the "
		    "option out",
		    c->public, setup->generator->name);
	ISO_TRY(iso_table_read_csv(c->public, d->schema, out, err));
	ISO_FAIL_IF((*out)->n == 0, err, ISO_E_DATA,
		    "no public rows (%s): the file has a header and no rows; add rows", c->public);
	return iso_public_check(d->table, *out, err);
}

/* ------------------------------------------------------------------ what is said at the end */

typedef struct outcome {
	int plugin;	      /* not of this program */
	const char *verified; /* "verified", "claimed"; "none" without a promise */
	size_t neighbours;    /* that the promise was tried on */
	iso_epsilons eps;
	double accounted, claimed, seconds;
	size_t n, rows, uncharged;
	iso_guarantee guarantee;
	int learned, external;
	char large_delta[256]; /* what is to be said of it; "" = nothing */
	int said, status;      /* a dry run has said all of it, with this exit status */
} outcome;

static iso_status measure(const iso_training *t, const command *c, outcome *o, iso_error *err)
{
	const int promised = t->guarantee == ISO_GUARANTEE_DP;

	ISO_TRY(iso_ledger_epsilon(t->ledger, c->delta, ISO_WANT_ALL, &o->eps, err));
	o->uncharged = iso_ledger_uncharged_count(t->ledger);
	o->guarantee = t->guarantee;
	o->external = iso_generator_is_external(t->generator);
	o->claimed = t->claimed_epsilon;
	o->seconds = t->fit_seconds;
	o->accounted = iso_epsilon_bound(&o->eps, c->accountant && strcmp(c->accountant, "rdp") == 0
							  ? ISO_ACC_RDP
							  : ISO_ACC_PLD);
	if (!promised || o->uncharged || isnan(o->accounted))
		o->accounted = INFINITY;
	return ISO_OK;
}

/* What a method from elsewhere promises is its claim until it is verified; the noise of a seeded
 * run is no secret. */
static const char *label_of(const outcome *o, const command *c)
{
	if ((o->external || o->plugin) && o->guarantee == ISO_GUARANTEE_DP &&
	    strcmp(o->verified, "verified") != 0)
		return "claimed";
	if (!c->secure && o->guarantee == ISO_GUARANTEE_DP)
		return "dp (seeded)";
	return iso_guarantee_name(o->guarantee);
}

static void outcome_text(const outcome *o, const command *c, const char *name, iso_str *out)
{
	char eps[32];

	iso_eps_text(o->accounted, eps);
	iso_str_addf(out, "%s: %zu synthetic rows from %zu rows, trained in %.2f s\n", name,
		     o->rows, o->n, o->seconds);
	iso_str_addf(out, "guarantee %s; accounted epsilon %s at delta %g (%s)", label_of(o, c),
		     eps, c->delta, c->adjacency ? c->adjacency : "add-remove");
	if (isfinite(o->eps.pld_upper) && isfinite(o->accounted))
		iso_str_addf(out, "; bounds %.6g to %.6g", o->eps.pld_lower, o->eps.pld_upper);
	iso_str_add(out, "\n");
	if (strcmp(o->verified, "verified") == 0)
		iso_str_addf(out,
			     "promise verified: no private data flowed around the ledger on %zu "
			     "neighbouring tables\n",
			     o->neighbours);
	else if (o->plugin && o->guarantee == ISO_GUARANTEE_DP)
		iso_str_add(out, "promise claimed by the plug-in, and not verified in this run; "
				 "--verify does\n");
	if (o->guarantee == ISO_GUARANTEE_DP)
		iso_neighbours_text(adjacency_of(c), o->n, out);
	if (isfinite(o->claimed))
		iso_str_addf(out, "the %s claims epsilon %g for this setting\n",
			     o->external ? "program" : "paper", o->claimed);
	if (o->uncharged)
		iso_str_addf(
			out,
			"caveat: %zu choice%s made by looking at the rows, outside the budget\n",
			o->uncharged, o->uncharged == 1 ? "" : "s");
	if (o->large_delta[0])
		iso_str_addf(out, "caveat: %s\n", o->large_delta);
	if (o->learned)
		iso_str_add(out, "caveat: the schema marks bounds or categories as learned from "
				 "data, outside the budget\n");
	if (!c->secure && o->guarantee == ISO_GUARANTEE_DP)
		iso_str_addf(out,
			     "caveat: whoever knows seed %lld can compute the noise and remove it; "
			     "leave out --seed for rows that you release\n",
			     (long long)c->seed);
}

static int outcome_json(const outcome *o, const command *c, const char *name)
{
	cJSON *root = cJSON_CreateObject();
	int ok = root && cJSON_AddStringToObject(root, "generator", name) &&
		 cJSON_AddStringToObject(root, "out", c->out) &&
		 cJSON_AddNumberToObject(root, "rows", (double)o->rows) &&
		 cJSON_AddNumberToObject(root, "training_rows", (double)o->n) &&
		 cJSON_AddStringToObject(root, "guarantee", label_of(o, c)) &&
		 cJSON_AddStringToObject(root, "verified", o->verified) &&
		 iso_json_add_number(root, "accounted_epsilon", o->accounted) &&
		 iso_json_add_number(root, "pld_lower", o->eps.pld_lower) &&
		 iso_json_add_number(root, "pld_upper", o->eps.pld_upper) &&
		 iso_json_add_number(root, "rdp", o->eps.rdp) &&
		 iso_json_add_number(root, "delta", c->delta) &&
		 iso_json_add_number(root, "claimed_epsilon", o->claimed) &&
		 cJSON_AddNumberToObject(root, "uncharged", (double)o->uncharged) &&
		 cJSON_AddBoolToObject(root, "learned_schema", o->learned) &&
		 (!o->large_delta[0] ||
		  cJSON_AddStringToObject(root, "caveat_delta", o->large_delta)) &&
		 cJSON_AddBoolToObject(root, "secure", c->secure) &&
		 cJSON_AddNumberToObject(root, "fit_seconds", o->seconds);

	return iso_cli_json(root, ok, 0);
}

/* ------------------------------------------------------------------ train, sample, write */

static iso_status write_rows(const char *csv, size_t size, const char *path, iso_error *err)
{
	const size_t n = path ? strlen(path) : 0;

	if (!path || strcmp(path, "-") == 0)
		return iso_stdout_write(csv, size, err);
	if (n > 3 && strcmp(path + n - 3, ".gz") == 0)
		return iso_file_write_gz(path, csv, size, err);
	return iso_file_write_atomic(path, csv, size, err);
}

/* The synthetic rows as CSV. */
static iso_status train(const iso_training_request *r, const command *c, outcome *o, iso_str *csv,
			iso_error *err)
{
	iso_training t;
	iso_table *rows = NULL;
	iso_status st;

	ISO_TRY(iso_train(r, &t, err));
	ISO_TRY_OUT(measure(&t, c, o, err));
	o->rows = c->rows ? (size_t)c->rows : r->train->n;
	o->n = r->train->n;
	o->learned = r->train->schema->learned;
	(void)iso_delta_caveat(r->generator, c->delta, o->n, o->large_delta,
			       sizeof(o->large_delta));
	ISO_TRY_OUT(iso_training_sample(&t, r->train->schema, r->seed, o->rows, &rows, err));
	st = iso_table_to_csv(rows, csv, err);
out:
	iso_table_free(rows);
	iso_training_free(&t);
	return st;
}

/* ------------------------------------------------------------------ plug-ins */

/* What the child hands back before the rows. */
typedef struct handed {
	outcome o;
	iso_status st;
	iso_error err;
} handed;

typedef struct trial {
	const iso_training_request *r;
	const command *c;
	const outcome *o;
} trial;

/* In the child. */
static void try_plugin(void *ctx, iso_str *result)
{
	const trial *t = ctx;
	handed h = {.o = *t->o};
	iso_str csv = {0};

	h.st = train(t->r, t->c, &h.o, &csv, &h.err);
	iso_str_addn(result, (const char *)&h, sizeof(h));
	if (h.st == ISO_OK)
		iso_str_addn(result, csv.p ? csv.p : "", csv.n);
	iso_str_free(&csv);
}

/* A plug-in trains in a process of its own: it can neither crash this one nor write among the rows.
 */
static iso_status train_apart(const iso_training_request *r, const command *c, outcome *o,
			      iso_str *csv, iso_error *err)
{
	trial t = {r, c, o};
	iso_isolated x;
	iso_str said = {0};
	handed h;
	iso_status st = ISO_OK;

	ISO_TRY(iso_isolate(try_plugin, &t, 0, 0, &x, err));
	iso_text_visible(x.said.n ? x.said.p : "", 200, &said);
	if (x.said.n)
		iso_note("the plug-in wrote: %s", said.p ? said.p : "");
	iso_str_free(&said);
	if (x.result.n < sizeof(h)) {
		char how[40] = "it called exit";

		if (x.signal)
			snprintf(how, sizeof(how), "it was killed by signal %d", x.signal);
		st = iso_fail(err, ISO_E_PLUGIN,
			      "plug-in ended the training (%s): %s; no rows were made",
			      r->generator->name, how);
	} else {
		memcpy(&h, x.result.p, sizeof(h));
		*o = h.o;
		st = h.st == ISO_OK ? ISO_OK : iso_fail(err, h.st, "%s", h.err.text);
		iso_str_addn(csv, x.result.p + sizeof(h), x.result.n - sizeof(h));
	}
	iso_isolated_free(&x);
	return st == ISO_OK ? iso_str_check(csv, err) : st;
}

/* --verify: no rows for a promise that does not hold. */
static iso_status verify_first(const iso_setup *setup, const iso_table *data,
			       const iso_gen_env *env, outcome *o, iso_error *err)
{
	iso_verdict v;
	iso_str note = {0};
	const iso_status st = iso_setup_verify(setup, data, env, &v, &note, err);

	iso_str_free(&note);
	ISO_TRY(st);
	for (int c = 0; c < ISO_CHECK_COUNT && v.flows; c++)
		ISO_FAIL_IF(v.check[c].failed, err, ISO_E_CHECK,
			    "promise refuted (%s: %s): %.200s; no rows were written",
			    setup->generator->name, iso_check_name((iso_check)c), v.check[c].what);
	o->verified = "verified";
	o->neighbours = v.pairs;
	return ISO_OK;
}

static iso_status train_and_write(const iso_training_request *r, const command *c, outcome *o,
				  iso_error *err)
{
	iso_str csv = {0};
	iso_status st = o->plugin ? train_apart(r, c, o, &csv, err) : train(r, c, o, &csv, err);

	if (st == ISO_OK)
		st = write_rows(csv.p ? csv.p : "", csv.n, c->out, err);
	iso_str_free(&csv);
	return st;
}

static iso_status generate(command *c, const iso_setup *setup, const iso_dataset *d, outcome *o,
			   iso_error *err)
{
	iso_progress progress;
	iso_dry_generate dry;
	iso_table *public = NULL;
	size_t *counts = NULL;
	iso_training_request r = {.generator = setup->generator,
				  .options = setup->options,
				  .train = d->table,
				  .delta = c->delta,
				  .adjacency = adjacency_of(c),
				  .accountant = c->accountant && strcmp(c->accountant, "rdp") == 0
							? ISO_ACC_RDP
							: ISO_ACC_PLD,
				  .seed = c->seed < 0 ? 1 : (uint64_t)c->seed,
				  .secure = c->secure,
				  .allow_large_delta = c->large_delta,
				  .progress = &progress};
	iso_gen_env env = {.schema = d->schema,
			   .n = d->table->n,
			   .options = setup->options,
			   .epsilon = INFINITY,
			   .delta = c->delta,
			   .adjacency = r.adjacency,
			   .accountant = r.accountant};
	iso_status st;
	int targeted;

	ISO_TRY_OUT(read_public(c, setup, d, &public, err));
	env.public_rows = r.public_rows = public;
	if (c->public_counts) {
		ISO_TRY_OUT(count_classes(d->table, &counts, err));
		env.class_count = r.class_count = counts;
	}
	targeted = iso_setup_targeted(setup->generator, env);
	if (targeted && isnan(c->epsilon)) {
		st = iso_fail(err, ISO_E_USAGE,
			      "option missing (isoeps generate %s): its noise follows the "
			      "budget; give --epsilon",
			      setup->generator->name);
		goto out;
	}
	if (!targeted && !isnan(c->epsilon))
		iso_note("%s is not calibrated to an epsilon with these options; --epsilon is not "
			 "used",
			 setup->generator->name);
	env.epsilon = r.epsilon = targeted ? c->epsilon : INFINITY;
	o->plugin = c->plugin.n > 0 && iso_code_noted(setup->generator) && !o->external;
	o->verified = setup->guarantee == ISO_GUARANTEE_DP ? "claimed" : "none";
	if (c->dry_run) {
		r.progress = NULL;
		ISO_TRY_OUT(iso_dry_generate_run(&r, (size_t)c->rows, &dry, err));
		o->said = 1;
		o->status = iso_dry_generate_say(&dry, &r, c->json);
		st = ISO_OK;
		goto out;
	}
	if (c->verify && setup->guarantee == ISO_GUARANTEE_DP)
		ISO_TRY_OUT(verify_first(setup, d->table, &env, o, err));
	iso_progress_start(&progress, "training, %", 100);
	st = train_and_write(&r, c, o, err);
	iso_progress_finish(&progress);
out:
	iso_table_free(public);
	iso_free(counts);
	return st;
}

static int conclude(const outcome *o, const command *c, const char *name)
{
	iso_str text = {0};

	if (o->said)
		return o->status;
	if (c->json)
		return outcome_json(o, c, name);
	outcome_text(o, c, name, &text);
	if (c->out && strcmp(c->out, "-") != 0)
		return iso_cli_print(&text, 0);
	if (!text.failed)
		fputs(text.p, stderr); /* the rows have standard output */
	iso_str_free(&text);
	return 0;
}

/* A program makes its rows while it trains: it is asked for as many as --rows says. */
static iso_status rows_of_program(const command *c, const char *name, cJSON *values, iso_error *err)
{
	char text[40];

	if (strncmp(name, "external:", 9) != 0 || !c->rows ||
	    cJSON_GetObjectItemCaseSensitive(values, "rows"))
		return ISO_OK;
	snprintf(text, sizeof(text), "rows=%lld", (long long)c->rows);
	return iso_options_set(values, text, err);
}

int cmd_generate(int argc, char **argv)
{
	command c = {.epsilon = NAN, .delta = 1e-5, .seed = -1};
	const char *name = NULL;
	iso_error err = {0};
	iso_setup setup = {0};
	iso_dataset *d = NULL;
	outcome o = {.claimed = NAN};
	cJSON *values = cJSON_CreateObject();
	int helped = 0, status;
	iso_status st = values ? ISO_OK : iso_no_memory(&err, "options");

	if (st == ISO_OK)
		st = read_command(argc, argv, &c, &name, &helped, &err);
	for (size_t i = 0; i < c.plugin.n && st == ISO_OK && !helped; i++)
		st = iso_plugin_load(c.plugin.v[i], &err);
	for (size_t i = 0; i < c.set.n && st == ISO_OK && !helped; i++)
		st = iso_options_set(values, c.set.v[i], &err);
	if (st == ISO_OK && !helped)
		st = rows_of_program(&c, name, values, &err);
	if (st == ISO_OK && !helped)
		st = iso_setup_new(name, values, NULL, name, &setup, &err);
	if (st == ISO_OK && !helped)
		st = iso_dataset_from_files(c.data, c.schema, &d, &err);
	if (st == ISO_OK && !helped)
		st = generate(&c, &setup, d, &o, &err);
	if (st != ISO_OK)
		status = iso_cli_fail(&err);
	else
		status = helped ? 0 : conclude(&o, &c, name);
	iso_dataset_free(d);
	iso_setup_free(&setup);
	cJSON_Delete(values);
	return status;
}
