// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/external.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/code.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "generators/kit/external_job.h"
#include "generators/kit/parts.h"

#define LEAST_ROWS 100 /* of rows=0: small tables are audited by what is drawn */

enum { CLAIM_DP, CLAIM_NONE };

typedef struct opts {
	int64_t rows;
	int claim, isolation, folder;
	double seconds, memory;
	char parameters[ISO_OPT_TEXT_MAX], program[ISO_OPT_TEXT_MAX];
} opts;

#define PROGRAM_AT 7 /* in the table; its default is the program's own hash */
static const iso_option table[] = {
	ISO_OPT_INT(opts, rows, "0", 0, 100000000,
		    "synthetic rows that the program is asked for; 0: as many as training rows, at "
		    "least 100.  Longer samples repeat them"),
	ISO_OPT_ENUM(
		opts, claim, "dp", "dp|none",
		"dp: the program is given epsilon and delta, and may write ledger.jsonl; none: "
		"it claims nothing"),
	ISO_OPT_ENUM(opts, isolation, "auto", "auto|required|off",
		     "bubblewrap: no network, no other files; auto: where it works"),
	ISO_OPT_BOOL(opts, folder, "false",
		     "the program's folder is visible to it, read-only: for helper files"),
	ISO_OPT_REAL(opts, seconds, "600", 0.1, 1e7, "time limit of one run, seconds"),
	ISO_OPT_REAL(opts, memory, "4096", 16, 1e7, "limit of its address space, MiB"),
	ISO_OPT_STRING(opts, parameters, "",
		       "a text for the program: \"parameters\" in request.json"),
	ISO_OPT_STRING(opts, program, "", "SHA-256 of the program; not to be set"),
	{0},
};

/* The programs of this process: an option struct names its own by the hash. */
typedef struct program {
	char hash[65], path[PATH_MAX];
	iso_generator generator;
	iso_option table[ISO_COUNT(table)];
} program;
static program **programs;
static size_t nprogram, program_cap;

static const program *program_of(const opts *o)
{
	for (size_t i = 0; i < nprogram; i++)
		if (strcmp(programs[i]->hash, o->program) == 0)
			return programs[i];
	return NULL;
}

static size_t rows_of(const opts *o, size_t n)
{
	if (o->rows > 0)
		return (size_t)o->rows;
	return n > LEAST_ROWS ? n : LEAST_ROWS;
}

typedef struct model {
	iso_table *rows; /* owned */
	int isolated;
} model;

static void destroy(void *model_)
{
	model *m = model_;

	if (!m)
		return;
	iso_table_free(m->rows);
	iso_free(m);
}

static iso_status find_program(const opts *o, const program **out, iso_error *err)
{
	char hash[65];

	*out = program_of(o);
	ISO_FAIL_IF(!*out, err, ISO_E_CONFIG,
		    "program=%.16s: no program of this process has that hash; leave the option out",
		    o->program);
	ISO_TRY(iso_file_sha256((*out)->path, hash, err));
	ISO_FAIL_IF(strcmp(hash, o->program) != 0, err, ISO_E_PLUGIN,
		    "program changed (%s): it was another file when this began; start again",
		    (*out)->generator.name);
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const opts *o = f->env.options;
	const program *p;
	model *m;
	iso_status st;

	ISO_TRY(find_program(o, &p, err));
	m = iso_alloc(1, sizeof(*m));
	if (!m)
		return iso_no_memory(err, "a program's rows");
	iso_external_job j = {.f = f,
			      .name = p->generator.name,
			      .path = p->path,
			      .rows = rows_of(o, f->env.n),
			      .claims = o->claim == CLAIM_DP,
			      .folder = o->folder,
			      .isolation = (iso_isolation)o->isolation,
			      .seconds = o->seconds,
			      .memory = o->memory,
			      .parameters = o->parameters};

	st = iso_external_run(&j, &m->rows, &m->isolated, err);
	if (st == ISO_OK)
		*out = m;
	else
		destroy(m);
	return st;
}

/* ------------------------------------------------------------------ the other slots */

/* Rows in a keyed order; when they are used up, in another one. */
static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const iso_table *t = ((const model *)model_)->rows;
	uint32_t *order = iso_alloc(t->n, sizeof(*order));

	if (!order)
		return iso_no_memory(err, "the order of a program's rows");
	for (size_t i = 0; i < out->n; i++) {
		if (i % t->n == 0) {
			iso_stream s = iso_stream_new(iso_key_child(key, "order", i / t->n));

			for (size_t r = 0; r < t->n; r++)
				order[r] = (uint32_t)r;
			iso_shuffle(&s, order, t->n);
		}
		iso_table_copy_row(t, order[i % t->n], out, i);
	}
	iso_free(order);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	iso_str text = {0};
	iso_status st = iso_table_to_csv(m->rows, &text, err);

	if (st == ISO_OK) {
		iso_part_add(out, "isolated", &m->isolated, sizeof(m->isolated));
		iso_part_add(out, "rows", text.p, text.n);
		st = iso_str_check(out, err);
	}
	iso_str_free(&text);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	char name[16];
	const void *text;
	size_t size;
	model *m = iso_alloc(1, sizeof(*m));
	iso_status st;

	if (!m)
		return iso_no_memory(err, "a program's rows");
	st = iso_part_take(&in, "isolated", &m->isolated, sizeof(m->isolated), err);
	if (st == ISO_OK)
		st = iso_part_next(&in, name, sizeof(name), &text, &size, err);
	if (st == ISO_OK)
		st = iso_table_parse_csv(text, size, "saved rows", env->schema, &m->rows, err);
	if (st == ISO_OK && m->rows->n == 0)
		st = iso_fail(err, ISO_E_DATA,
			      "malformed model (external): no rows; save it again");
	if (st == ISO_OK)
		*out = m;
	else
		destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	iso_jsonw w = {0};

	iso_jsonw_text(&w, out, "isolation", m->isolated ? "bubblewrap" : "none");
	iso_jsonw_number(&w, out, "rows_written", (double)m->rows->n);
	return iso_jsonw_check(&w, "a model", err);
}

static iso_status resolve(const iso_gen_env *env, void *options, iso_error *err)
{
	opts *o = options;

	(void)err;
	o->rows = (int64_t)rows_of(o, env->n);
	return ISO_OK;
}

/* What it releases is known when it has run. */
static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	(void)env;
	(void)scale;
	(void)out;
	(void)err;
	return ISO_OK;
}

static iso_guarantee guarantee_of(const void *options)
{
	return ((const opts *)options)->claim == CLAIM_DP ? ISO_GUARANTEE_DP : ISO_GUARANTEE_NONE;
}

static double claimed_epsilon(const iso_gen_env *env)
{
	const opts *o = env->options;

	return o->claim == CLAIM_DP && isfinite(env->epsilon) ? env->epsilon : NAN;
}

static const iso_generator blank = {
	.abi = ISO_GENERATOR_ABI,
	.title = "A program of your own",
	.citation = "external program",
	.card = "Runs a program on train.csv, schema.json and request.json, and takes its "
		"synthetic.csv (docs/external.md).\n"
		"Privacy: what the program claims; its ledger.jsonl is accounted, nobody verifies "
		"it, `audit` tries it.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_PUBLIC,
	.version = 1,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	.resolve = resolve,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
	.describe = describe,
};

static iso_status check_path(const char *path, char full[PATH_MAX], iso_error *err)
{
	const char *bad = path + strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789-_.+~@%/ ");
	struct stat st;

	ISO_FAIL_IF(*bad || !*path || strlen(path) > 200, err, ISO_E_CONFIG,
		    "path of a program (%.200s): use 1 to 200 letters, digits, spaces and "
		    "- _ . + ~ @ %% /; rename it",
		    path);
	ISO_FAIL_IF(!realpath(path, full) || stat(full, &st) != 0, err, ISO_E_CONFIG,
		    "no program (external:%s): %s; give the path of an executable file", path,
		    strerror(errno));
	ISO_FAIL_IF(!S_ISREG(st.st_mode) || access(full, X_OK) != 0, err, ISO_E_CONFIG,
		    "no program (external:%s): it is not an executable file; chmod +x it, with a "
		    "first line such as #!/usr/bin/python3 if it is a script",
		    path);
	return ISO_OK;
}

iso_status iso_external_new(const char *path, const iso_generator **out, iso_error *err)
{
	program *p = iso_alloc(1, sizeof(*p));
	iso_str name = {0};
	iso_status st;

	*out = NULL;
	if (!p)
		return iso_no_memory(err, "a program");
	iso_str_addf(&name, "external:%s", path);
	ISO_TRY_OUT(check_path(path, p->path, err));
	ISO_TRY_OUT(iso_file_sha256(p->path, p->hash, err));
	ISO_TRY_OUT(iso_str_check(&name, err));
	ISO_TRY_OUT(iso_grow(&programs, &program_cap, nprogram + 1, sizeof(*programs), err));
	memcpy(p->table, table, sizeof(table));
	p->table[PROGRAM_AT].def = p->hash;
	p->generator = blank;
	p->generator.name = name.p; /* lives for the process, as the descriptor does */
	p->generator.options = p->table;
	ISO_TRY_OUT(iso_code_note(&p->generator, p->hash, err));
	programs[nprogram++] = p;
	*out = &p->generator;
	return ISO_OK;
out:
	iso_str_free(&name);
	iso_free(p);
	return st;
}
