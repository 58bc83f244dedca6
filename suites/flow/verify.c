// SPDX-License-Identifier: Apache-2.0
/* The driver of a verification: record on D, replay on every neighbour, blind runs, statistics,
 * verdict. */
#include "suites/flow/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/json.h"

#define SAMPLES 64
#define WORDS 180 /* characters of a finding's text */

const char *iso_check_name(iso_check c)
{
	static const char *const name[ISO_CHECK_COUNT] = {
		[ISO_CHECK_SENSITIVITY] = "sensitivity",
		[ISO_CHECK_CONTROL_FLOW] = "control-flow",
		[ISO_CHECK_INCLUSION] = "inclusion",
		[ISO_CHECK_PARTITION] = "partition",
		[ISO_CHECK_OUTPUT] = "output",
		[ISO_CHECK_BLIND] = "blind",
		[ISO_CHECK_NOISE] = "noise",
		[ISO_CHECK_SAMPLING] = "sampling",
		[ISO_CHECK_LEDGER] = "ledger",
	};

	return c < ISO_CHECK_COUNT ? name[c] : "unknown";
}

/* ------------------------------------------------------------------ one run */

/* Everything that leaves a training. */
typedef struct released {
	iso_str bytes;	    /* save */
	iso_str facts;	    /* describe, canonical */
	iso_str curve;	    /* points that are not named "uncharged:" */
	iso_table *samples; /* owned */
	char failure[256];  /* the training or sampling failed: its error text */
	iso_status trained; /* of the training alone */
} released;

static void released_free(released *x)
{
	iso_str_free(&x->bytes);
	iso_str_free(&x->facts);
	iso_str_free(&x->curve);
	iso_table_free(x->samples);
	*x = (released){0};
}

static void keep_curve(void *ctx, double step, const char *name, double value)
{
	iso_str *s = ctx;

	if (strncmp(name, "uncharged:", 10) != 0)
		iso_str_addf(s, "%s %.17g %.17g\n", name, step, value);
}

static iso_status collect(const iso_training *t, const iso_verify_request *r, released *out,
			  iso_error *err)
{
	const iso_generator *g = r->generator;
	cJSON *facts = NULL;
	iso_status st;

	if (g->save)
		ISO_TRY(g->save(t->model, &out->bytes, err));
	if (g->describe) {
		facts = cJSON_CreateObject();
		if (!facts)
			return iso_no_memory(err, "facts about a model");
		st = g->describe(t->model, facts, err);
		if (st == ISO_OK)
			st = iso_json_canonical(facts, &out->facts, err);
		cJSON_Delete(facts);
		ISO_TRY(st);
	}
	ISO_TRY(iso_training_sample(t, r->data->schema, r->seed, SAMPLES, &out->samples, err));
	ISO_TRY(iso_str_check(&out->bytes, err));
	return iso_str_check(&out->curve, err);
}

/* A failure of the method on this table is an outcome (it may depend on a record); only lack of
 * memory stops us. */
static iso_status run(const iso_verify_request *r, const iso_table *table, const iso_world *w,
		      double scale, iso_replay *replay, iso_training *keep, released *out,
		      iso_error *err)
{
	iso_training t = {0};
	iso_error own = {0};
	iso_status st;
	const iso_training_request q = {.generator = r->generator,
					.options = r->options,
					.train = table,
					.n = w->base->n,
					.class_count = r->public_classes ? w->class_count : NULL,
					.epsilon = r->epsilon,
					.delta = r->delta,
					.adjacency = r->adjacency,
					.accountant = r->accountant,
					.seed = r->seed,
					.replay = replay,
					.scale = scale,
					.curve = keep_curve,
					.curve_ctx = &out->curve};

	st = out->trained = iso_train(&q, &t, &own);
	if (st == ISO_OK)
		st = collect(&t, r, out, &own);
	if (st == ISO_E_NOMEM) {
		iso_training_free(&t);
		return iso_fail(err, st, "%s", own.text);
	}
	if (st != ISO_OK)
		snprintf(out->failure, sizeof(out->failure), "%.*s", (int)sizeof(out->failure) - 1,
			 own.text);
	if (keep)
		*keep = t;
	else
		iso_training_free(&t);
	return ISO_OK;
}

/* ------------------------------------------------------------------ comparison */

/* A part header "name count\n" at p[0..n): its length, the name's length and the count; 0 if there
 * is none. */
static size_t header_at(const char *p, size_t n, size_t *name, size_t *count)
{
	size_t i = 0, digits = 0;

	while (i < n && i < 64 && p[i] > ' ' && p[i] < 127)
		i++;
	*name = i;
	if (i == 0 || i >= n || p[i] != ' ')
		return 0;
	for (i++, *count = 0; i < n && p[i] >= '0' && p[i] <= '9' && digits < 15; i++, digits++)
		*count = *count * 10 + (size_t)(p[i] - '0');
	return digits > 0 && i < n && p[i] == '\n' ? i + 1 : 0;
}

/* Length of the part's data: count elements of 1, 4 or 8 bytes, whichever is followed by a header
 * or by the end. */
static size_t data_length(const char *p, size_t n, size_t count)
{
	static const size_t size[] = {1, 4, 8};

	for (size_t k = 0; k < ISO_COUNT(size); k++) {
		const size_t len = count * size[k];
		size_t name, next;

		if (len == n || (len < n && header_at(p + len, n - len, &name, &next)))
			return len;
	}
	return n;
}

static size_t first_difference(const iso_str *a, const iso_str *b)
{
	const size_t n = a->n < b->n ? a->n : b->n;
	size_t i = 0;

	while (i < n && a->p[i] == b->p[i])
		i++;
	return i;
}

/* Names the parts of saved bytes that differ: all of them while both sides have the same layout. */
static void name_parts(const iso_str *a, const iso_str *b, char *out, size_t room)
{
	const size_t diff = first_difference(a, b), cap = room < WORDS ? room : WORDS;
	size_t at = 0, used = 0, shown = 0, hidden = 0;

	snprintf(out, cap, "model byte %zu", diff);
	while (at < a->n) {
		size_t name, count, head = header_at(a->p + at, a->n - at, &name, &count), len;

		if (!head)
			break;
		len = head + data_length(a->p + at + head, a->n - at - head, count);
		if (diff < at + len &&
		    (at + len > b->n || memcmp(a->p + at, b->p + at, len) != 0)) {
			if (used + name + 32 < cap)
				used += (size_t)snprintf(out + used, cap - used, "%s\"%.*s\"",
							 shown++ ? ", " : "model parts ", (int)name,
							 a->p + at);
			else
				hidden++;
		}
		at += len;
		if (a->n != b->n && shown) /* what follows is shifted */
			break;
	}
	if (hidden && used + 16 < cap)
		snprintf(out + used, cap - used, " and %zu more", hidden);
}

static int same_text(const iso_str *a, const iso_str *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

static int samples_differ(const iso_table *a, const iso_table *b, char *out, size_t cap)
{
	const iso_schema *s = a->schema;

	for (size_t i = 0; i < a->n * s->ncol; i++)
		if (memcmp(&a->cells[i], &b->cells[i], sizeof(double)) != 0) {
			snprintf(out, cap, "sample row %zu, column %s", i / s->ncol,
				 s->column[i % s->ncol].name);
			return 1;
		}
	for (size_t i = 0; i < a->n * s->npixel; i++)
		if (a->pixels[i] != b->pixels[i]) {
			snprintf(out, cap, "sample row %zu, pixel %zu", i / s->npixel,
				 i % s->npixel);
			return 1;
		}
	return 0;
}

/* 1 and the first thing that differs, in the order: outcome, model, samples, facts, curve. */
static int differ(const released *a, const released *b, char *out, size_t cap)
{
	if (a->failure[0] || b->failure[0]) {
		snprintf(out, cap, "outcome: %.200s", a->failure[0] ? a->failure : b->failure);
		return strcmp(a->failure, b->failure) != 0;
	}
	if (!same_text(&a->bytes, &b->bytes)) {
		name_parts(&a->bytes, &b->bytes, out, cap);
		return 1;
	}
	if (samples_differ(a->samples, b->samples, out, cap))
		return 1;
	if (!same_text(&a->facts, &b->facts)) {
		snprintf(out, cap, "facts of the model (describe)");
		return 1;
	}
	if (!same_text(&a->curve, &b->curve)) {
		snprintf(out, cap, "training curve");
		return 1;
	}
	return 0;
}

/* ------------------------------------------------------------------ checks */

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

static void fail(iso_verdict *v, iso_check c, const char *where, const char *what)
{
	iso_check_result *k = &v->check[c];

	if (k->failed++ == 0)
		snprintf(k->what, sizeof(k->what), "%s: %.*s", where, WORDS, what);
	v->flows = 1;
}

/* The checks of calls have something to look at only if there are calls. */
static void count_runs(iso_verdict *v, size_t calls)
{
	for (int c = ISO_CHECK_SENSITIVITY; c < ISO_CHECK_OUTPUT; c++)
		v->check[c].runs += calls > 0;
	v->check[ISO_CHECK_OUTPUT].runs++;
}

static iso_status replay_pair(const iso_verify_request *r, const iso_world *w, const iso_pair *p,
			      double scale, iso_replay *replay, const released *recorded,
			      iso_verdict *v, iso_error *err)
{
	const uint64_t id = p->op == ISO_PAIR_ADD ? p->record->id[0] : w->base->id[p->row];
	const iso_finding *f;
	iso_table *neighbour = NULL;
	released now = {0};
	char text[256];
	iso_status st;

	ISO_TRY(iso_pair_apply(w, p, &neighbour, err));
	iso_replay_watch(replay, &id, 1, p->op == ISO_PAIR_REPLACE ? 2 : 1);
	iso_replay_rewind(replay);
	ISO_TRY_OUT(run(r, neighbour, w, scale, replay, NULL, &now, err));
	iso_replay_end(replay);
	count_runs(v, iso_replay_calls(replay));
	v->pairs++;
	for (int k = ISO_FINDING_NONE + 1; k < ISO_FINDING_KINDS; k++) {
		f = iso_replay_finding_of(replay, (iso_finding_kind)k);
		if (f->kind == ISO_FINDING_SENSITIVITY)
			snprintf(text, sizeof(text), "%s (by %.4g, declared %.4g)", f->what,
				 f->moved, f->allowed);
		else
			snprintf(text, sizeof(text), "%s", f->what);
		if (f->kind != ISO_FINDING_NONE)
			fail(v, check_of(f->kind), p->name, text);
	}
	if (differ(recorded, &now, text, sizeof(text)))
		fail(v, ISO_CHECK_OUTPUT, p->name, text);
out:
	released_free(&now);
	iso_table_free(neighbour);
	return st;
}

/* Blind runs: D against a table that shares nothing with it but the number of rows, and against
 * ones with a row more and a row less. */
static iso_status blind_runs(const iso_verify_request *r, const iso_world *w, double scale,
			     iso_verdict *v, iso_error *err)
{
	static const char *const name[] = {"another table", "another table with a row more",
					   "another table with a row less"};
	const size_t n = w->base->n, rows[] = {n, n + 1, n - 1};
	iso_replay *replay = NULL;
	released on_d = {0}, other = {0};
	iso_table *t = NULL;
	char text[256];
	iso_status st;

	ISO_TRY(iso_replay_new(&replay, err));
	iso_replay_blind(replay);
	ISO_TRY_OUT(run(r, w->base, w, scale, replay, NULL, &on_d, err));
	for (size_t i = 0; i < ISO_COUNT(rows); i++) {
		ISO_TRY_OUT(iso_world_random(w->base, r->seed + i, rows[i], &t, err));
		iso_replay_blind(replay);
		ISO_TRY_OUT(run(r, t, w, scale, replay, NULL, &other, err));
		v->check[ISO_CHECK_BLIND].runs++;
		if (differ(&on_d, &other, text, sizeof(text)))
			fail(v, ISO_CHECK_BLIND, name[i], text);
		released_free(&other);
		iso_table_free(t);
		t = NULL;
	}
out:
	iso_table_free(t);
	released_free(&on_d);
	released_free(&other);
	iso_replay_free(replay);
	return st;
}

static void statistics(const iso_replay *replay, const iso_training *t, const iso_world *w,
		       iso_verdict *v)
{
	const iso_plan *items = iso_ledger_items(t->ledger);

	iso_verify_noise(replay, items, &v->check[ISO_CHECK_NOISE]);
	iso_verify_sampling(replay, items, w->base->n, &v->check[ISO_CHECK_SAMPLING]);
	v->flows |= v->check[ISO_CHECK_NOISE].failed > 0 || v->check[ISO_CHECK_SAMPLING].failed > 0;
	v->calls += iso_replay_calls(replay);
	for (size_t i = 0; i < iso_replay_calls(replay); i++)
		v->numbers += iso_replay_at(replay, i).n;
}

/* The bound of the calibrating accountant on what was booked. */
static double spent_of(const iso_verify_request *r, const iso_epsilons *e)
{
	return r->accountant == ISO_ACC_RDP ? e->rdp : e->pld_upper;
}

/* Ledger against target.  That it equals the plan was settled in iso_train: a difference fails the
 * recording. */
static iso_status check_ledger(const iso_verify_request *r, const iso_training *t, iso_verdict *v,
			       iso_error *err)
{
	const iso_plan *items = iso_ledger_items(t->ledger);
	iso_epsilons e;
	char text[256];

	ISO_TRY(iso_ledger_epsilon(t->ledger, r->delta,
				   r->accountant == ISO_ACC_RDP ? ISO_WANT_RDP : ISO_WANT_PLD, &e,
				   err));
	v->epsilon = v->check[ISO_CHECK_LEDGER].value = spent_of(r, &e);
	v->check[ISO_CHECK_LEDGER].runs = items->n > 0 ? items->n : 1;
	for (size_t i = 0; i < items->n; i++)
		if (items->v[i].event.mechanism == ISO_MECH_UNCHARGED && items->v[i].used > 0) {
			snprintf(text, sizeof(text),
				 "\"%s\" looks at private data and is not paid for",
				 items->v[i].why);
			fail(v, ISO_CHECK_LEDGER, "uncharged", text);
		}
	if (t->guarantee == ISO_GUARANTEE_DP && !(v->epsilon <= r->epsilon * (1 + 1e-9))) {
		snprintf(text, sizeof(text), "spent %.9g, target %g", v->epsilon, r->epsilon);
		fail(v, ISO_CHECK_LEDGER, "overspent", text);
	}
	return ISO_OK;
}

/* The method refused this table (an empty class, say): no finding in itself, if it refuses every
 * neighbour alike. */
static void refused(iso_verdict *v, const iso_world *w, const char *why)
{
	if (!v->skipped[0])
		snprintf(v->skipped, sizeof(v->skipped), "%s: %.200s", w->name, why);
}

/* The recording itself failed.  A fit that does not do what it planned, or that the ledger stopped
 * on its way, is a finding; anything else is an error of the request. */
static iso_status not_trained(const released *x, const iso_replay *replay, iso_verdict *v,
			      iso_error *err)
{
	const int stopped = x->trained == ISO_E_BUDGET && iso_replay_calls(replay) > 0;

	if (x->trained != ISO_E_PLUGIN && !stopped)
		return iso_fail(err, x->trained ? x->trained : ISO_E_PLUGIN, "%s", x->failure);
	v->refused = 1;
	v->check[ISO_CHECK_LEDGER].runs = 1;
	fail(v, ISO_CHECK_LEDGER, "training refused", x->failure);
	return ISO_OK;
}

static iso_status verify_world(const iso_verify_request *r, const iso_world *w, int first,
			       iso_verdict *v, iso_error *err)
{
	iso_training t = {0};
	iso_replay *replay = NULL;
	released recorded = {0};
	double ratio;
	iso_status st;

	ISO_TRY(iso_replay_new(&replay, err));
	ISO_TRY_OUT(run(r, w->base, w, 0, replay, &t, &recorded, err));
	if (recorded.failure[0] && first) {
		st = not_trained(&recorded, replay, v, err);
		goto out;
	}
	if (recorded.failure[0])
		refused(v, w, recorded.failure);
	if (first) {
		v->guarantee = t.guarantee;
		v->scale = t.scale;
		ISO_TRY_OUT(check_ledger(r, &t, v, err));
	}
	if (!recorded.failure[0])
		statistics(replay, &t, w, v);
	for (size_t i = 0; i < w->npair; i++)
		ISO_TRY_OUT(replay_pair(r, w, &w->pair[i], t.scale, replay, &recorded, v, err));
	ratio = iso_replay_worst_ratio(replay);
	if (!(v->check[ISO_CHECK_SENSITIVITY].value >= ratio))
		v->check[ISO_CHECK_SENSITIVITY].value = ratio;
	if (first)
		ISO_TRY_OUT(blind_runs(r, w, t.scale, v, err));
out:
	iso_training_free(&t);
	released_free(&recorded);
	iso_replay_free(replay);
	return st;
}

iso_status iso_verify(const iso_verify_request *r, iso_verdict *out, iso_error *err)
{
	const size_t pairs = r->pairs ? r->pairs : ISO_VERIFY_PAIRS;
	iso_verdict v = {.target = r->epsilon, .rows = r->data->n, .epsilon = NAN};
	iso_world natural = {0}, lone = {0};
	iso_status st;

	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		v.check[c].value = NAN;
	ISO_TRY_OUT(iso_world_lone_class(r->data, &lone, err));
	ISO_TRY_OUT(iso_world_natural(
		r->data, r->seed, pairs > lone.npair ? pairs - lone.npair : pairs, &natural, err));
	ISO_TRY_OUT(verify_world(r, &natural, 1, &v, err));
	if (!v.refused && lone.npair > 0 && pairs > lone.npair)
		ISO_TRY_OUT(verify_world(r, &lone, 0, &v, err));
	*out = v;
out:
	iso_world_free(&natural);
	iso_world_free(&lone);
	return st;
}

/* ------------------------------------------------------------------ options */

iso_status iso_verify_shrink(const iso_generator *g, cJSON *values, iso_str *note, iso_error *err)
{
	static const struct {
		const char *key;
		double most;
	} small[] = {{"steps", 20}, {"iterations", 20}, {"rounds", 5},	      {"epochs", 2},
		     {"batch", 32}, {"batch_size", 32}, {"teacher_steps", 2}, {"student_steps", 2}};

	for (const iso_option *o = g->options; o->key; o++)
		for (size_t k = 0; k < ISO_COUNT(small); k++) {
			char *end;
			double x, to;

			if (strcmp(o->key, small[k].key) != 0 ||
			    cJSON_GetObjectItemCaseSensitive(values, o->key))
				continue;
			if (o->kind != ISO_OPTION_INT && o->kind != ISO_OPTION_REAL)
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
	return iso_str_check(note, err);
}
