// SPDX-License-Identifier: Apache-2.0
/* One run of a program: what it is given, its end, what it left. */
#include "generators/kit/external_job.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"

#define OUTPUT_MAX ((size_t)1 << 30) /* bytes of synthetic.csv */
#define LEDGER_MAX ((size_t)1 << 26)
#define BUDGET_ROUNDING (1 + 1e-9)
#define SAID_TAIL 240 /* of what the program said, in an error text */

/* ------------------------------------------------------------------ what the program is given */

static void path_in(const iso_external_job *j, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", j->dir, name);
}

static iso_status put(const iso_external_job *j, const char *name, const iso_str *text,
		      iso_error *err)
{
	char path[128];

	path_in(j, name, path);
	ISO_TRY(iso_str_check(text, err));
	return iso_file_write_flags(path, text->p, text->n, ISO_WRITE_PRIVATE | ISO_WRITE_UNSYNCED,
				    err);
}

static iso_status put_table(const iso_external_job *j, const char *name, const iso_table *t,
			    iso_error *err)
{
	iso_str text = {0};
	iso_status st = iso_table_to_csv(t, &text, err);

	if (st == ISO_OK)
		st = put(j, name, &text, err);
	iso_str_free(&text);
	return st;
}

static iso_status put_json(const iso_external_job *j, const char *name, cJSON *v, iso_error *err)
{
	iso_str text = {0};
	iso_status st = iso_json_pretty(v, &text, err);

	cJSON_Delete(v);
	if (st == ISO_OK)
		st = put(j, name, &text, err);
	iso_str_free(&text);
	return st;
}

/* A number below 2^53, which every language reads exactly. */
static double seed_of(const iso_fit *f)
{
	uint32_t w[4];

	iso_rand_words(iso_key_child(f->key, "external", 0), 0, 0, w);
	return (double)((uint64_t)(w[0] & 0x1fffff) << 32 | w[1]);
}

static void put_limits(iso_jsonw *w, cJSON *o, const iso_external_job *j)
{
	cJSON *limits = iso_jsonw_object(w, o, "limits");

	iso_jsonw_number(w, limits, "seconds", j->seconds);
	iso_jsonw_number(w, limits, "memory_mib", j->memory);
}

static iso_status put_request(const iso_external_job *j, iso_error *err)
{
	const iso_gen_env *env = &j->f->env;
	const iso_schema *s = env->schema;
	const int claims = j->claims && isfinite(env->epsilon);
	iso_jsonw w = {0};
	cJSON *o = iso_jsonw_object(&w, NULL, NULL), *counts, *v;

	iso_jsonw_number(&w, o, "isoeps", 1);
	iso_jsonw_number(&w, o, "rows", (double)j->rows);
	iso_jsonw_number(&w, o, "training_rows", (double)env->n);
	iso_jsonw_number(&w, o, "epsilon", claims ? env->epsilon : NAN);
	iso_jsonw_number(&w, o, "delta", claims ? env->delta : NAN);
	iso_jsonw_text(&w, o, "adjacency", iso_adjacency_name(env->adjacency));
	iso_jsonw_number(&w, o, "seed", seed_of(j->f));
	iso_jsonw_text(&w, o, "label", s->label >= 0 ? s->column[s->label].name : NULL);
	iso_jsonw_text(&w, o, "public_rows", env->public_rows ? "public.csv" : NULL);
	if (env->class_count) {
		counts = iso_jsonw_array(&w, o, "class_counts");
		for (size_t k = 0; k < iso_schema_classes(s); k++)
			iso_jsonw_number(&w, counts, NULL, (double)env->class_count[k]);
	}
	iso_jsonw_text(&w, o, "parameters", j->parameters);
	put_limits(&w, o, j);
	ISO_TRY(iso_jsonw_end(&w, o, "a request", &v, err));
	return put_json(j, "request.json", v, err);
}

static iso_status put_all(const iso_external_job *j, iso_error *err)
{
	cJSON *schema;

	ISO_TRY(put_table(j, "train.csv", j->f->train, err));
	if (j->f->env.public_rows)
		ISO_TRY(put_table(j, "public.csv", j->f->env.public_rows, err));
	ISO_TRY(iso_schema_to_json(j->f->env.schema, &schema, err));
	ISO_TRY(put_json(j, "schema.json", schema, err));
	return put_request(j, err);
}

/* ------------------------------------------------------------------ what it left */

/* 1 if there is something of that name; *regular = 0 for a link, a folder or a pipe. */
static int is_there(const char *path, int *regular)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return 0;
	*regular = S_ISREG(st.st_mode);
	return 1;
}

static iso_status read_output(const iso_external_job *j, const char *name, size_t most, char **text,
			      size_t *n, iso_error *err)
{
	char path[128];
	int regular = 0;

	*text = NULL;
	*n = 0;
	path_in(j, name, path);
	if (!is_there(path, &regular))
		return ISO_OK;
	ISO_FAIL_IF(!regular, err, ISO_E_PLUGIN,
		    "output of a program (%s): %s is no plain file; write one", j->name, name);
	return iso_file_read(path, most, text, n, err);
}

static iso_status read_rows(const iso_external_job *j, iso_table **out, iso_error *err)
{
	const char *who = j->name;
	char *text;
	size_t n;
	iso_status st;

	ISO_TRY(read_output(j, "synthetic.csv", OUTPUT_MAX, &text, &n, err));
	ISO_FAIL_IF(!text, err, ISO_E_PLUGIN,
		    "no output (%s): the program ended well and wrote no synthetic.csv; write it "
		    "into the directory that it was started in",
		    who);
	st = iso_table_parse_csv(text, n, "synthetic.csv", j->f->env.schema, out, err);
	iso_free(text);
	if (st == ISO_E_DATA) {
		(void)iso_fail_context(err, "%s", who);
		return st;
	}
	ISO_TRY(st);
	if ((*out)->n == j->rows)
		return ISO_OK;
	st = iso_fail(
		err, ISO_E_PLUGIN,
		"wrong number of rows (%s): synthetic.csv has %zu, request.json asks for %zu; "
		"write as many as \"rows\" says",
		who, (*out)->n, j->rows);
	iso_table_free(*out);
	*out = NULL;
	return st;
}

static iso_status declare_line(const iso_external_job *j, const char *line, size_t n, size_t number,
			       iso_error *err)
{
	char where[48];
	cJSON *v = NULL;
	iso_status st;

	if (strspn(line, " \t\r") >= n)
		return ISO_OK;
	snprintf(where, sizeof(where), "ledger.jsonl, line %zu", number);
	st = iso_json_parse(line, n, where, &v, err);
	if (st == ISO_OK)
		st = iso_ledger_declare(j->f->ledger, v, err);
	cJSON_Delete(v);
	return st == ISO_OK || st == ISO_E_NOMEM ? st
						 : iso_fail_context(err, "%s: %s", j->name, where);
}

static iso_status declare_all(const iso_external_job *j, const char *text, size_t n, iso_error *err)
{
	size_t number = 1;

	for (size_t at = 0; at < n; number++) {
		const char *end = memchr(text + at, '\n', n - at);
		const size_t k = end ? (size_t)(end - text) - at : n - at;

		ISO_TRY(declare_line(j, text + at, k, number, err));
		at += k + 1;
	}
	return ISO_OK;
}

/* At most the target, as for every method. */
static iso_status within_target(const iso_external_job *j, iso_error *err)
{
	const iso_gen_env *env = &j->f->env;
	iso_epsilons e;
	double spent;

	if (iso_ledger_items(j->f->ledger)->n == 0)
		return ISO_OK;
	ISO_TRY(iso_ledger_epsilon(j->f->ledger, env->delta, ISO_WANT_PLD | ISO_WANT_RDP, &e, err));
	spent = iso_epsilon_bound(&e, env->accountant);
	ISO_FAIL_IF(
		!(spent <= env->epsilon * BUDGET_ROUNDING) &&
			iso_ledger_uncharged_count(j->f->ledger) == 0,
		err, ISO_E_BUDGET,
		"more spent than allowed (%s): its ledger.jsonl costs epsilon %.6g at delta %g, "
		"the target is %g; add more noise",
		j->name, spent, env->delta, env->epsilon);
	return ISO_OK;
}

static iso_status read_ledger(const iso_external_job *j, iso_error *err)
{
	char *text;
	size_t n;
	iso_status st;

	if (!j->claims)
		return ISO_OK;
	ISO_TRY(read_output(j, "ledger.jsonl", LEDGER_MAX, &text, &n, err));
	if (!text) /* infinite: nothing is known of what it released */
		return iso_ledger_uncharged(j->f->ledger, "no-ledger", err);
	st = declare_all(j, text, n, err);
	iso_free(text);
	return st == ISO_OK ? within_target(j, err) : st;
}

/* ------------------------------------------------------------------ the run */

/* The last lines of what it said, on one line. */
static void tail_of(const iso_str *said, char out[SAID_TAIL + 8])
{
	const size_t from = said->n > SAID_TAIL ? said->n - SAID_TAIL : 0;
	size_t n = 0;

	out[0] = 0;
	if (said->n == 0)
		return;
	n = (size_t)snprintf(out, SAID_TAIL + 8, ": %s%.*s", from ? "..." : "",
			     (int)(said->n - from), said->p + from);
	for (size_t i = 0; i < n && out[i]; i++)
		if ((unsigned char)out[i] < 32)
			out[i] = ' ';
	while (n > 0 && out[n - 1] == ' ')
		out[--n] = 0;
}

static iso_status judge_end(const iso_external_job *j, const iso_sandbox_end *end, iso_error *err)
{
	const char *who = j->name;
	char said[SAID_TAIL + 8];

	tail_of(&end->said, said);
	ISO_FAIL_IF(end->timed_out, err, ISO_E_LIMIT,
		    "time limit (%s): the program did not end within %g s%s; raise its option "
		    "seconds",
		    who, j->seconds, said);
	ISO_FAIL_IF(end->signal, err, ISO_E_PLUGIN, "crash (%s): signal %d (%s)%s", who,
		    end->signal, strsignal(end->signal), said);
	ISO_FAIL_IF(end->status != 0, err, ISO_E_PLUGIN, "failed (%s): exit status %d%s", who,
		    end->status, said);
	return ISO_OK;
}

static iso_status run_program(const iso_external_job *j, int *isolated, iso_error *err)
{
	static int told;
	const iso_sandbox s = {.program = j->path,
			       .dir = j->dir,
			       .folder = j->folder,
			       .isolation = j->isolation,
			       .seconds = j->seconds,
			       .memory = j->memory * 1048576,
			       .cancelled = j->f->cancelled,
			       .cancelled_ctx = j->f->cancelled_ctx};
	iso_sandbox_end end;
	iso_status st;

	ISO_TRY(iso_sandbox_run(&s, &end, err));
	*isolated = end.isolated;
	if (!end.isolated && !told++)
		iso_note("%s runs without isolation: it can read what you can; install the package "
			 "bubblewrap",
			 j->name);
	st = judge_end(j, &end, err);
	iso_str_free(&end.said);
	return st;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	(void)remove(path);
	return 0;
}

static iso_status make_dir(iso_external_job *j, iso_error *err)
{
	snprintf(j->dir, sizeof(j->dir), "/tmp/isoeps-external-XXXXXX");
	ISO_FAIL_IF(!mkdtemp(j->dir), err, ISO_E_IO, "directory of a program (%s): %s", j->dir,
		    strerror(errno));
	return ISO_OK;
}

iso_status iso_external_run(iso_external_job *j, iso_table **rows, int *isolated, iso_error *err)
{
	iso_status st;

	*rows = NULL;
	ISO_TRY(make_dir(j, err));
	st = put_all(j, err);
	if (st == ISO_OK)
		st = run_program(j, isolated, err);
	if (st == ISO_OK)
		st = read_rows(j, rows, err);
	if (st == ISO_OK)
		st = read_ledger(j, err);
	if (st != ISO_OK) {
		iso_table_free(*rows);
		*rows = NULL;
	}
	(void)nftw(j->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return st;
}
