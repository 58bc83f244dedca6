// SPDX-License-Identifier: Apache-2.0
/* The driver of a verification: its tables, and on each of them a recording, replays on every
 * neighbour, an ordinary training, blind runs; verdict. */
#include "suites/flow/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/json.h"
#include "core/privacy/release_key.h"
#include "suites/flow/verify_run.h"

const char *iso_check_name(iso_check c)
{
	static const char *const name[ISO_CHECK_COUNT] = {
		[ISO_CHECK_SENSITIVITY] = "sensitivity",
		[ISO_CHECK_CONTROL_FLOW] = "control-flow",
		[ISO_CHECK_INCLUSION] = "inclusion",
		[ISO_CHECK_PARTITION] = "partition",
		[ISO_CHECK_OUTPUT] = "output",
		[ISO_CHECK_BLIND] = "blind",
		[ISO_CHECK_ORDINARY] = "ordinary",
		[ISO_CHECK_ISOLATION] = "isolation",
		[ISO_CHECK_NOISE] = "noise",
		[ISO_CHECK_SAMPLING] = "sampling",
		[ISO_CHECK_LEDGER] = "ledger",
	};

	return c < ISO_CHECK_COUNT ? name[c] : "unknown";
}

static iso_check check_of(iso_finding_kind k)
{
	switch (k) {
	case ISO_FINDING_CONTROL_FLOW:
		return ISO_CHECK_CONTROL_FLOW;
	case ISO_FINDING_INCLUSION:
		return ISO_CHECK_INCLUSION;
	case ISO_FINDING_PARTITION:
		return ISO_CHECK_PARTITION;
	case ISO_FINDING_OUTPUT:
		return ISO_CHECK_OUTPUT;
	default:
		return ISO_CHECK_SENSITIVITY;
	}
}

/* One table D and how it is tried. */
typedef struct scene {
	iso_world world; /* owned */
	uint64_t seed;
	const void *options;
	int first;   /* its failure ends the verification; ledger and label are taken from it */
	int blind;   /* also blind runs */
	int twice;   /* also a training after another one in the same process */
	int far;     /* many rows of the recording, of some neighbours and of ordinary trainings */
	int brief;   /* no ordinary training */
	int patient; /* 0: left out if one training takes long */
} scene;

/* Adds up a run, with what it reached for. */
static void count_run(iso_verdict *v, const iso_run_result *x, const char *where)
{
	v->trainings++;
	iso_verdict_add(v, &x->found);
	if (!x->watched && !v->skipped[0])
		snprintf(v->skipped, sizeof(v->skipped),
			 "attempts to open files: this kernel has no seccomp, they only fail");
	v->check[ISO_CHECK_ISOLATION].runs++;
	if (x->touched[0])
		iso_verdict_fail(v, ISO_CHECK_ISOLATION, where, x->touched);
}

static iso_status probes_of(const iso_world *w, iso_table **out, iso_error *err)
{
	const size_t n = 32;
	iso_table *t;

	ISO_TRY(iso_world_random(w->base, 77, n, out, err));
	for (size_t i = 0; i < w->npair; i++) {
		const iso_pair *p = &w->pair[i];
		iso_table *one = NULL;
		uint32_t row = (uint32_t)p->row;
		iso_status st = ISO_OK;

		if (!p->record) /* the record that a neighbour lacks */
			st = iso_table_select(w->base, &row, 1, &one, err);
		if (st == ISO_OK)
			st = iso_table_concat(*out, p->record ? p->record : one, &t, err);
		iso_table_free(one);
		if (st != ISO_OK) {
			iso_table_free(*out);
			*out = NULL;
			return st;
		}
		iso_table_free(*out);
		*out = t;
	}
	return ISO_OK;
}

static iso_run run_of(const iso_verify_request *r, const scene *s, const iso_table *probes)
{
	return (iso_run){.r = r,
			 .table = s->world.base,
			 .probes = probes,
			 .world = &s->world,
			 .options = s->options,
			 .seed = s->seed,
			 .far = s->far};
}

static void findings(const iso_run_result *x, const char *where, iso_verdict *v)
{
	char text[256];

	for (int k = ISO_FINDING_NONE + 1; k < ISO_FINDING_KINDS; k++) {
		const iso_finding *f = &x->finding[k];

		if (f->kind == ISO_FINDING_NONE)
			continue;
		if (f->kind == ISO_FINDING_SENSITIVITY)
			snprintf(text, sizeof(text), "%s (by %.4g, declared %.4g)", f->what,
				 f->moved, f->allowed);
		else
			snprintf(text, sizeof(text), "%s", f->what);
		iso_verdict_fail(v, check_of(f->kind), where, text);
	}
}

static void compare(const iso_released *a, const iso_run_result *b, const scene *s, iso_check c,
		    const char *where, iso_verdict *v)
{
	char text[256];

	v->check[c].runs++;
	if (iso_released_differ(a, &b->released, s->world.base->schema, text, sizeof(text)))
		iso_verdict_fail(v, c, where, text);
}

static void place(const scene *s, const char *what, char *out, size_t cap)
{
	if (s->first)
		snprintf(out, cap, "%s", what);
	else
		snprintf(out, cap, "%s, %s", s->world.name, what);
}

#define OPEN_ROWS 64

/* ------------------------------------------------------------------ the runs of one table */

static iso_status replay_pair(iso_run q, const scene *s, const iso_pair *p, iso_replay *record,
			      const iso_released *recorded, iso_verdict *v, iso_error *err)
{
	const iso_table *base = s->world.base;
	const uint64_t id = p->op == ISO_PAIR_ADD ? p->record->id[0] : base->id[p->row];
	iso_table *neighbour = NULL;
	iso_run_result x;
	char where[128];
	iso_status st;

	ISO_TRY(iso_pair_apply(&s->world, p, &neighbour, err));
	iso_replay_watch(record, &id, 1, p->op == ISO_PAIR_REPLACE ? 2 : 1);
	iso_replay_rewind(record);
	q.table = neighbour;
	q.replay = record;
	st = iso_run_training(&q, &x, err);
	iso_table_free(neighbour);
	ISO_TRY(st);
	place(s, p->name, where, sizeof(where));
	count_run(v, &x, where);
	/* the checks of calls have something to look at only if there are calls */
	for (int c = ISO_CHECK_SENSITIVITY; c < ISO_CHECK_OUTPUT; c++)
		v->check[c].runs += x.calls > 0;
	v->pairs++;
	findings(&x, where, v);
	if (!(v->check[ISO_CHECK_SENSITIVITY].value >= x.ratio))
		v->check[ISO_CHECK_SENSITIVITY].value = x.ratio;
	compare(recorded, &x, s, ISO_CHECK_OUTPUT, where, v);
	iso_run_result_free(&x);
	return ISO_OK;
}

/* Blind runs: D against a table that shares nothing with it but the number of rows, and against
 * ones with a row more and a row less. */
static iso_status blind_runs(iso_run q, const scene *s, iso_verdict *v, iso_error *err)
{
	static const char *const name[] = {"another table", "another table with a row more",
					   "another table with a row less"};
	const size_t n = s->world.base->n, rows[] = {n, n + 1, n - 1};
	iso_run_result on_d = {0}, other;
	iso_release_key key;
	iso_table *t = NULL;
	char where[128];
	iso_status st;

	ISO_TRY(iso_replay_new(&q.replay, err));
	/* the same noise for all tables, whose hashes would give them noise of their own */
	ISO_TRY_OUT(iso_release_key_plain(q.seed, "verify/blind", 0, &key, err));
	iso_replay_pin_key(q.replay, &key);
	iso_replay_blind(q.replay);
	ISO_TRY_OUT(iso_run_training(&q, &on_d, err));
	for (size_t i = 0; i < ISO_COUNT(rows); i++) {
		ISO_TRY_OUT(iso_world_random(s->world.base, q.seed + i, rows[i], &t, err));
		q.table = t;
		st = iso_run_training(&q, &other, err);
		iso_table_free(t);
		ISO_TRY_OUT(st);
		place(s, name[i], where, sizeof(where));
		count_run(v, &other, where);
		compare(&on_d.released, &other, s, ISO_CHECK_BLIND, where, v);
		iso_run_result_free(&other);
	}
out:
	iso_run_result_free(&on_d);
	iso_replay_free(q.replay);
	return st;
}

/* Trainings outside the verifier: with nobody watching, and after another one in the same process.
 */
static iso_status ordinary_runs(iso_run q, const scene *s, const iso_released *recorded,
				iso_verdict *v, iso_error *err)
{
	iso_run_result x;
	iso_table *neighbour = NULL;
	char where[128];
	iso_status st;

	q.replay = NULL;
	ISO_TRY(iso_run_training(&q, &x, err));
	place(s, "a training that is not recorded", where, sizeof(where));
	count_run(v, &x, where);
	compare(recorded, &x, s, ISO_CHECK_ORDINARY, where, v);
	iso_run_result_free(&x);
	if (!s->twice || s->world.npair == 0)
		return ISO_OK;
	ISO_TRY(iso_pair_apply(&s->world, &s->world.pair[0], &neighbour, err));
	q.before = neighbour;
	st = iso_run_training(&q, &x, err);
	iso_table_free(neighbour);
	ISO_TRY(st);
	place(s, "the second training of a process", where, sizeof(where));
	count_run(v, &x, where);
	compare(recorded, &x, s, ISO_CHECK_ORDINARY, where, v);
	iso_run_result_free(&x);
	return ISO_OK;
}

static void note_skipped(iso_verdict *v, const char *what, const char *why)
{
	if (!v->skipped[0])
		snprintf(v->skipped, sizeof(v->skipped), "%s: %.200s", what, why);
}

/* The recording on the first table failed, and its neighbours failed alike.  A fit that does not do
 * what it planned, or that the ledger stopped on its way, is a finding; anything else is an error
 * of the request. */
static iso_status not_trained(const iso_run_result *x, iso_verdict *v, iso_error *err)
{
	const iso_status why = x->released.trained;
	const char *text = x->released.out[ISO_OUT_FAILURE].p;
	const int stopped = why == ISO_E_BUDGET && iso_replay_calls(x->record) > 0;

	v->refused = 1;
	if (why == ISO_E_PLUGIN || why == ISO_E_LIMIT || stopped) {
		v->check[ISO_CHECK_LEDGER].runs = 1;
		iso_verdict_fail(v, ISO_CHECK_LEDGER, "training refused", text);
		return ISO_OK;
	}
	if (v->flows) /* the text itself depends on a record */
		return ISO_OK;
	return iso_fail(err, why ? why : ISO_E_PLUGIN, "%s", text);
}

static iso_status runs_of(const iso_verify_request *r, const scene *s, iso_run q, iso_run_result *x,
			  iso_verdict *v, iso_error *err)
{
	const int failed = x->released.out[ISO_OUT_FAILURE].n > 0;

	if (failed && !s->first)
		note_skipped(v, s->world.name, x->released.out[ISO_OUT_FAILURE].p);
	if (s->first && !failed) {
		v->guarantee = x->found.guarantee;
		v->scale = x->found.scale;
		v->epsilon = x->found.epsilon;
	}
	/* the same calibration: a neighbour may not choose another scale */
	q.scale = x->found.scale;
	for (size_t i = 0; i < s->world.npair; i++) {
		q.far = s->far && (i % 8 == 0 || r->thorough);
		ISO_TRY(replay_pair(q, s, &s->world.pair[i], x->record, &x->released, v, err));
	}
	q.far = s->far;
	if (failed && s->first)
		return not_trained(x, v, err);
	if (!s->brief)
		ISO_TRY(ordinary_runs(q, s, &x->released, v, err));
	if (s->blind)
		ISO_TRY(blind_runs(q, s, v, err));
	return ISO_OK;
}

static iso_status verify_scene(const iso_verify_request *r, const scene *s, iso_verdict *v,
			       iso_error *err)
{
	iso_table *probes = NULL;
	iso_replay *replay = NULL;
	iso_run_result x = {0};
	iso_run q;
	char where[128];
	iso_status st;

	ISO_TRY_OUT(probes_of(&s->world, &probes, err));
	ISO_TRY_OUT(iso_replay_new(&replay, err));
	q = run_of(r, s, probes);
	q.replay = replay;
	q.seconds = s->patient ? 0 : ISO_VERIFY_PATIENCE;
	ISO_TRY_OUT(iso_run_training(&q, &x, err));
	q.seconds = 0;
	v->tables++;
	if (x.released.late && !s->patient) {
		note_skipped(v, s->world.name,
			     "a training takes too long; --thorough waits for it");
		goto out;
	}
	place(s, "the table itself", where, sizeof(where));
	count_run(v, &x, where);
	st = runs_of(r, s, q, &x, v, err);
out:
	iso_run_result_free(&x);
	iso_replay_free(replay);
	iso_table_free(probes);
	return st;
}

/* ------------------------------------------------------------------ the tables */

static iso_status run_scene(const iso_verify_request *r, scene *s, iso_verdict *v, iso_error *err)
{
	const iso_status st = s->world.npair && !v->refused ? verify_scene(r, s, v, err) : ISO_OK;

	iso_world_free(&s->world);
	return st;
}

static iso_status natural_scenes(const iso_verify_request *r, iso_verdict *v, iso_error *err)
{
	const size_t pairs = r->pairs ? r->pairs : ISO_VERIFY_PAIRS;
	scene natural = {.seed = r->seed,
			 .options = r->options,
			 .first = 1,
			 .blind = 1,
			 .twice = 1,
			 .far = 1,
			 .patient = 1};
	scene lone = {.seed = r->seed, .options = r->options, .patient = 1};
	size_t left;
	iso_status st;

	ISO_TRY(iso_world_lone_class(r->data, &lone.world, err));
	left = pairs > lone.world.npair ? pairs - lone.world.npair : 0;
	if (iso_world_natural(r->data, r->seed, left ? left : pairs, &natural.world, err) !=
	    ISO_OK) {
		iso_world_free(&lone.world);
		return err->code;
	}
	st = run_scene(r, &natural, v, err);
	if (st == ISO_OK && left > 0)
		return run_scene(r, &lone, v, err);
	iso_world_free(&lone.world);
	return st;
}

static iso_status odd_scenes(const iso_verify_request *r, iso_verdict *v, iso_error *err)
{
	const size_t more = r->thorough ? 10 : 0;

	for (int k = ISO_WORLD_CONSTANT; k <= ISO_WORLD_LARGE; k++) {
		scene s = {.seed = r->seed + 101 + (uint64_t)k,
			   .options = r->options,
			   .blind = k == ISO_WORLD_CONSTANT,
			   .patient = 1};

		ISO_TRY(iso_world_odd(r->data, (iso_oddity)k, s.seed, 4 + more, &s.world, err));
		ISO_TRY(run_scene(r, &s, v, err));
	}
	return ISO_OK;
}

static iso_status seed_scenes(const iso_verify_request *r, iso_verdict *v, iso_error *err)
{
	const uint64_t seeds = r->thorough ? 60 : 6;

	for (uint64_t k = 0; k < seeds; k++) {
		scene s = {.seed = r->seed + 7919 * (k + 1), .options = r->options, .patient = 1};

		ISO_TRY(iso_world_natural(r->data, s.seed, 3, &s.world, err));
		s.world.name = "another seed";
		ISO_TRY(run_scene(r, &s, v, err));
	}
	return ISO_OK;
}

static iso_status full_scene(const iso_verify_request *r, iso_verdict *v, iso_error *err)
{
	scene s = {.seed = r->seed,
		   .options = r->full_options,
		   .brief = !r->thorough,
		   .patient = r->thorough};

	if (!r->full_options)
		return ISO_OK;
	ISO_TRY(iso_world_natural(r->data, r->seed, r->thorough ? 4 : 1, &s.world, err));
	s.world.name = "full options";
	return run_scene(r, &s, v, err);
}

/* libcrypto sets itself up, from files too, when it is first used: once here, not in every process.
 */
static iso_status warm_up(iso_error *err)
{
	const iso_plan nothing = {0};
	iso_release_key key;
	iso_ledger *l = NULL;

	ISO_TRY(iso_release_key_plain(0, "verify/warm", 0, &key, err));
	ISO_TRY(iso_ledger_new(&nothing, "verify", ISO_ADD_REMOVE, &key, &l, err));
	iso_ledger_free(l);
	return ISO_OK;
}

/* Rows drawn uniformly over the public domain. */
iso_status iso_verify_open_rows(const iso_schema *s, iso_table **out, iso_error *err)
{
	const iso_key key = iso_key_new(1, "open rows"), draw = iso_key_child(key, "category", 0);
	iso_encoder *e = NULL;
	float *x = NULL;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_encoder_new(s, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, err));
	x = iso_alloc(OPEN_ROWS * e->dim, sizeof(*x));
	if (!x) {
		st = iso_no_memory(err, "public rows of a verification");
		goto out;
	}
	ISO_TRY_OUT(iso_table_new(s, OPEN_ROWS, out, err));
	iso_rand_fill_uniform(key, 0, 0, 1, x, OPEN_ROWS * e->dim);
	iso_decode(e, x, e->dim, OPEN_ROWS, &draw, *out, 0);
out:
	iso_free(x);
	iso_encoder_free(e);
	return st;
}

static iso_status verify_all(const iso_verify_request *r, iso_verdict *out, iso_error *err)
{
	iso_verdict v = {.target = r->epsilon, .rows = r->data->n, .epsilon = NAN};

	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		v.check[c].value = NAN;
	ISO_TRY(warm_up(err));
	ISO_TRY(natural_scenes(r, &v, err));
	if (r->quick)
		note_skipped(&v, "quick", "only the natural table and the lone class were tried");
	else if (!v.refused) {
		ISO_TRY(odd_scenes(r, &v, err));
		ISO_TRY(seed_scenes(r, &v, err));
		ISO_TRY(full_scene(r, &v, err));
	}
	*out = v;
	return ISO_OK;
}

iso_status iso_verify(const iso_verify_request *r, iso_verdict *out, iso_error *err)
{
	iso_verify_request with = *r;
	iso_table *open = NULL;

	ISO_FAIL_IF(iso_generator_is_external(r->generator), err, ISO_E_UNSUPPORTED,
		    "verify (%s): a program draws its own noise, which nobody can replay; try its "
		    "claim with isoeps audit",
		    r->generator->name);
	if ((r->generator->accepts & ISO_REQUIRES_PUBLIC) && !r->public_rows)
		ISO_TRY(iso_verify_open_rows(r->data->schema, &open, err));
	if (open)
		with.public_rows = open;
	const iso_status st = verify_all(&with, out, err);

	iso_table_free(open);
	return st;
}

/* ------------------------------------------------------------------ options */

/* A method that trains another one (inner, inner_set): that one is made small, too. */
static iso_status shrink_inner(const iso_option *o, cJSON *values, iso_str *note, iso_error *err)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(values, "inner");
	const iso_generator *g = NULL;
	cJSON *of_inner = cJSON_CreateObject();
	iso_str text = {0};
	iso_status st = of_inner ? ISO_OK : iso_no_memory(err, "options of a verification");

	if (st == ISO_OK)
		st = iso_generator_find(cJSON_IsString(name) ? name->valuestring : o->def, &g, err);
	if (st == ISO_OK)
		st = iso_verify_shrink(g, of_inner, &text, err);
	if (st == ISO_OK && text.n) {
		iso_str_addf(note, "%sinner_set=\"%s\"", note->n ? " " : "", text.p);
		if (!cJSON_AddStringToObject(values, "inner_set", text.p))
			st = iso_no_memory(err, "options of a verification");
	}
	iso_str_free(&text);
	cJSON_Delete(of_inner);
	return st;
}

/* hidden=256,256 becomes hidden=128,128: what is compared grows with the square of the width. */
static iso_status shrink_hidden(const iso_option *o, cJSON *values, iso_str *note, iso_error *err)
{
	iso_str list = {0};
	int wide = 0;
	iso_status st;

	if (o->kind != ISO_OPTION_INTS || strcmp(o->key, "hidden") != 0 ||
	    cJSON_GetObjectItemCaseSensitive(values, o->key))
		return ISO_OK;
	for (const char *at = o->def; *at; at += *at == ',') {
		char *end;
		const long units = strtol(at, &end, 10);

		if (end == at)
			break;
		wide |= units > ISO_VERIFY_WIDTH;
		iso_str_addf(&list, "%s%ld", list.n ? "," : "",
			     units > ISO_VERIFY_WIDTH ? ISO_VERIFY_WIDTH : units);
		at = end;
	}
	st = iso_str_check(&list, err);
	if (st == ISO_OK && wide && !cJSON_AddStringToObject(values, o->key, list.p))
		st = iso_no_memory(err, "options of a verification");
	if (st == ISO_OK && wide)
		iso_str_addf(note, "%shidden=%s", note->n ? " " : "", list.p);
	iso_str_free(&list);
	return st;
}

/* Iterations left at 0 follow from the steps, where a method has both; given, they would rule. */
static int follows_from_steps(const iso_generator *g, const iso_option *o)
{
	int steps = 0;

	for (const iso_option *other = g->options; other->key; other++)
		steps |= strcmp(other->key, "steps") == 0;
	return steps && strcmp(o->key, "iterations") == 0 && strcmp(o->def, "0") == 0;
}

iso_status iso_verify_shrink(const iso_generator *g, cJSON *values, iso_str *note, iso_error *err)
{
	static const struct {
		const char *key;
		double most;
	} small[] = {{"steps", 20},	 {"ae_steps", 20},     {"iterations", 20},
		     {"rounds", 5},	 {"epochs", 2},	       {"batch", 32},
		     {"batch_size", 32}, {"teacher_steps", 2}, {"student_steps", 2},
		     {"clients", 3}};

	for (const iso_option *o = g->options; o->key; o++) {
		if (strcmp(o->key, "inner") == 0 &&
		    !cJSON_GetObjectItemCaseSensitive(values, "inner_set"))
			ISO_TRY(shrink_inner(o, values, note, err));
		ISO_TRY(shrink_hidden(o, values, note, err));
		for (size_t k = 0; k < ISO_COUNT(small); k++) {
			char *end;
			double x, to;

			if (strcmp(o->key, small[k].key) != 0 ||
			    cJSON_GetObjectItemCaseSensitive(values, o->key))
				continue;
			if ((o->kind != ISO_OPTION_INT && o->kind != ISO_OPTION_REAL) ||
			    follows_from_steps(g, o))
				continue;
			x = strtod(o->def, &end);
			to = small[k].most < o->lo ? o->lo : small[k].most;
			/* a default of 0 means "as many as fit the data": it is made small too */
			if (*end != 0 || (x != 0 && !(x > to)))
				continue;
			if (!iso_json_add_number(values, o->key, to))
				return iso_no_memory(err, "options of a verification");
			iso_str_addf(note, "%s%s=%g", note->n ? " " : "", o->key, to);
		}
	}
	return iso_str_check(note, err);
}
