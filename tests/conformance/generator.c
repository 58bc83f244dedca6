// SPDX-License-Identifier: Apache-2.0
/* What every registered generator must do.  One test case per check, looped over the registry;
 * ISO_GENERATOR=NAME restricts it to one, so that CTest has one case per generator and check. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/io/json.h"
#include "core/rand/rand.h"
#include "suites/flow/verify.h"
#include "tests/plugins/fixture.h"
#include "tests/support/testkit.h"

static iso_error err;
#define ROWS 120

/* ------------------------------------------------------------------ set-up */

typedef struct bench {
	const iso_generator *g;
	const iso_schema *schema;
	void *options;
	iso_guarantee guarantee;
} bench;

static void *options_of(const iso_generator *g, cJSON *values, iso_status *st)
{
	void *o = iso_alloc(1, g->options_size + 1);
	iso_str note = {0};

	tk_ok(iso_verify_shrink(g, values, &note, &err));
	iso_str_free(&note);
	*st = iso_options_resolve(g->options, values, g->name, o, g->options_size, NULL, &err);
	return o;
}

/* Public rows for the methods that need them, made once per schema. */
static const iso_table *open_rows(const iso_generator *g, const iso_schema *s)
{
	static iso_table *made[8];

	if (!(g->accepts & ISO_REQUIRES_PUBLIC))
		return NULL;
	for (size_t k = 0; k < ISO_COUNT(made); k++) {
		if (!made[k])
			made[k] = fx_table(s, 40, 99);
		if (made[k]->schema == s)
			return made[k];
	}
	return NULL;
}

static int fits(const iso_generator *g, const iso_schema *s)
{
	const iso_status st = iso_generator_accepts(
		g, &(iso_gen_env){.schema = s, .public_rows = open_rows(g, s)}, &err);

	iso_error_clear(&err);
	return st == ISO_OK;
}

static bench set_up(int i)
{
	bench b = {.g = iso_generator_at((size_t)i)};
	cJSON *values = cJSON_CreateObject();
	iso_status st;

	b.schema = fits(b.g, fx_schema()) ? fx_schema() : fx_schema_pixels();
	b.options = options_of(b.g, values, &st);
	cJSON_Delete(values);
	ck_assert_msg(st == ISO_OK, "%s", err.text);
	b.guarantee = iso_generator_guarantee(b.g, b.options);
	return b;
}

static iso_training_request request_of(const bench *b, const iso_table *t)
{
	return (iso_training_request){.generator = b->g,
				      .options = b->options,
				      .train = t,
				      .public_rows = open_rows(b->g, t->schema),
				      .epsilon = 1,
				      .delta = 1e-5,
				      .accountant = ISO_ACC_RDP,
				      .seed = 5};
}

static iso_training train(const bench *b, const iso_table *t)
{
	const iso_training_request r = request_of(b, t);
	iso_training out;

	tk_ok(iso_train(&r, &out, &err));
	return out;
}

static iso_table *draw(const iso_training *t, const iso_schema *s, uint64_t seed, size_t n)
{
	iso_table *out;

	tk_ok(iso_training_sample(t, s, seed, n, &out, &err));
	ck_assert_uint_eq(out->n, n);
	return out;
}

static void same_rows(const iso_table *a, const iso_table *b, size_t n)
{
	ck_assert_int_eq(memcmp(a->cells, b->cells, n * a->schema->ncol * sizeof(double)), 0);
	if (a->schema->npixel && n)
		ck_assert_int_eq(memcmp(a->pixels, b->pixels, n * a->schema->npixel), 0);
}

static iso_str bytes_of(const iso_training *t)
{
	iso_str s = {0};

	if (t->generator->save)
		tk_ok(t->generator->save(t->model, &s, &err));
	return s;
}

static void same_bytes(const iso_training *a, const iso_training *b)
{
	iso_str x = bytes_of(a), y = bytes_of(b);

	ck_assert_uint_eq(x.n, y.n);
	if (x.n)
		ck_assert_int_eq(memcmp(x.p, y.p, x.n), 0);
	iso_str_free(&x);
	iso_str_free(&y);
}

/* Refusals that name a cause a user can act on. */
static int is_clean_refusal(iso_status st)
{
	return st == ISO_E_CONFIG || st == ISO_E_UNSUPPORTED || st == ISO_E_BUDGET ||
	       st == ISO_E_DATA;
}

/* ------------------------------------------------------------------ checks */

START_TEST(same_seed_same_bytes)
{
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, ROWS, 1);
	iso_training one = train(&b, t), two = train(&b, t);
	iso_table *x = draw(&one, b.schema, 9, 50), *y = draw(&two, b.schema, 9, 50);

	same_bytes(&one, &two);
	same_rows(x, y, 50);
	iso_table_free(x);
	iso_table_free(y);
	iso_table_free(t);
	iso_training_free(&one);
	iso_training_free(&two);
	iso_free(b.options);
}
END_TEST

/* iso_training_sample checks every cell against the schema. */
START_TEST(rows_exact_and_in_schema)
{
	const size_t n[] = {0, 1, 7, 1000};
	const iso_schema *const schema[] = {fx_schema(), fx_schema_pixels(), fx_schema_single()};
	bench b = set_up(_i);
	size_t trained = 0;

	for (size_t k = 0; k < ISO_COUNT(schema); k++) {
		iso_table *t = fx_table(schema[k], ROWS, 2);
		const iso_training_request r = request_of(&b, t);
		iso_training m;
		const iso_status st = iso_train(&r, &m, &err);

		ck_assert_msg(st == ISO_OK || (is_clean_refusal(st) &&
					       (!fits(b.g, schema[k]) || schema[k] != b.schema)),
			      "%s on %s: %s", b.g->name, schema[k]->name, err.text);
		iso_error_clear(&err);
		trained += st == ISO_OK;
		for (size_t i = 0; st == ISO_OK && i < ISO_COUNT(n); i++)
			iso_table_free(draw(&m, schema[k], i, n[i]));
		iso_training_free(&m);
		iso_table_free(t);
	}
	ck_assert_uint_ge(trained, 1);
	iso_free(b.options);
}
END_TEST

START_TEST(longer_sample_begins_with_shorter)
{
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, ROWS, 3);
	iso_training m = train(&b, t);
	iso_table *x = draw(&m, b.schema, 4, 10), *y = draw(&m, b.schema, 4, 777),
		  *z = draw(&m, b.schema, 5, 777);

	same_rows(x, y, 10);
	ck_assert_msg(memcmp(y->cells, z->cells, 777 * b.schema->ncol * sizeof(double)) != 0 ||
			      b.schema->npixel > 0,
		      "the sample does not follow its seed");
	iso_table_free(x);
	iso_table_free(y);
	iso_table_free(z);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(b.options);
}
END_TEST

/* fit may not change the table; the model may not point into it. */
START_TEST(training_table_untouched_and_not_kept)
{
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, ROWS, 4), *same = fx_table(b.schema, ROWS, 4), *before,
		  *after;
	char h0[65], h1[65];
	iso_training m, twin;

	tk_ok(iso_table_hash(t, h0, &err));
	m = train(&b, t);
	tk_ok(iso_table_hash(t, h1, &err));
	ck_assert_str_eq(h0, h1);
	twin = train(&b, same);
	before = draw(&twin, b.schema, 1, 40);
	memset(t->cells, 0xA5, t->n * b.schema->ncol * sizeof(double));
	memset(t->id, 0xA5, t->n * sizeof(uint64_t));
	if (t->pixels)
		memset(t->pixels, 0xA5, t->n * b.schema->npixel);
	iso_table_free(t);
	after = draw(&m, b.schema, 1, 40);
	same_rows(before, after, 40);
	iso_table_free(before);
	iso_table_free(after);
	iso_table_free(same);
	iso_training_free(&m);
	iso_training_free(&twin);
	iso_free(b.options);
}
END_TEST

START_TEST(ledger_equals_plan_and_budget_holds)
{
	static const double target[] = {0.1, 1, 8};
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, ROWS, 5);

	for (size_t k = 0; k < ISO_COUNT(target); k++) {
		iso_training_request r = request_of(&b, t);
		iso_training m;
		iso_epsilons e;

		r.epsilon = target[k];
		const iso_status st = iso_train(&r, &m, &err);
		if (target[k] < 1 && st == ISO_E_BUDGET) { /* too little for so few rows: said so */
			iso_error_clear(&err);
			continue;
		}
		ck_assert_msg(st == ISO_OK, "%s", err.text);
		tk_ok(iso_ledger_settled(m.ledger, &err));
		tk_ok(iso_ledger_epsilon(m.ledger, r.delta, ISO_WANT_RDP, &e, &err));
		if (b.guarantee == ISO_GUARANTEE_NONE)
			ck_assert_uint_eq(iso_ledger_uncharged_count(m.ledger),
					  iso_ledger_items(m.ledger)->n);
		else
			ck_assert_msg(e.rdp <= target[k] * (1 + 1e-9), "spent %g of %g", e.rdp,
				      target[k]);
		if (m.scale > 0 && b.guarantee == ISO_GUARANTEE_DP)
			ck_assert_msg(e.rdp >= 0.999 * target[k] * (1 - 1e-9), "spent %g of %g",
				      e.rdp, target[k]);
		/* sampling cannot spend: the ledger is closed */
		iso_table_free(draw(&m, b.schema, 1, 20));
		ck_assert_int_eq(iso_ledger_uncharged(m.ledger, "late", &err), ISO_E_BUDGET);
		iso_error_clear(&err);
		iso_training_free(&m);
	}
	iso_table_free(t);
	iso_free(b.options);
}
END_TEST

static void try_option(const iso_generator *g, const iso_schema *s, const char *key, cJSON *value,
		       int fit)
{
	cJSON *values = cJSON_CreateObject();
	iso_table *t = fx_table(s, ROWS, 6);
	iso_training m = {0};
	iso_status st;
	bench b = {.g = g, .schema = s};

	cJSON_AddItemToObject(values, key, value);
	b.options = options_of(g, values, &st);
	ck_assert_msg(st == ISO_OK, "%s: %s", g->name, err.text);
	const iso_training_request r = request_of(&b, t);
	if (fit) {
		st = iso_train(&r, &m, &err);
		ck_assert_msg(st == ISO_OK || is_clean_refusal(st), "%s, %s: %s: %s", g->name, key,
			      iso_status_name(st), err.text);
		if (st == ISO_OK)
			iso_table_free(draw(&m, s, 1, 5));
		iso_training_free(&m);
	} else { /* too large to train: the rules and the plan must stand it */
		const iso_gen_env env = {
			.schema = s, .n = ROWS, .options = b.options, .epsilon = 1, .delta = 1e-5};
		iso_plan p = {0};

		st = g->check ? g->check(&env, &err) : ISO_OK;
		if (st == ISO_OK && g->plan)
			st = g->plan(&env, 1, &p, &err);
		ck_assert_msg(st == ISO_OK || is_clean_refusal(st), "%s, %s: %s: %s", g->name, key,
			      iso_status_name(st), err.text);
		iso_plan_free(&p);
	}
	iso_error_clear(&err);
	iso_table_free(t);
	iso_free(b.options);
	cJSON_Delete(values);
}

START_TEST(options_at_their_bounds)
{
	bench b = set_up(_i);

	for (const iso_option *o = b.g->options; o->key; o++) {
		if (o->kind == ISO_OPTION_ENUM) {
			char text[512], *save = NULL;

			snprintf(text, sizeof(text), "%s", o->choices);
			for (char *w = strtok_r(text, "|", &save); w;
			     w = strtok_r(NULL, "|", &save))
				try_option(b.g, b.schema, o->key, cJSON_CreateString(w), 1);
		} else if (o->kind == ISO_OPTION_BOOL) {
			try_option(b.g, b.schema, o->key, cJSON_CreateBool(0), 1);
			try_option(b.g, b.schema, o->key, cJSON_CreateBool(1), 1);
		} else if (o->kind == ISO_OPTION_INT || o->kind == ISO_OPTION_REAL) {
			/* a 0 that means "choose for me" would train at full length */
			const int quick =
				strcmp(o->key, "steps") != 0 && strcmp(o->key, "epochs") != 0;

			try_option(b.g, b.schema, o->key, cJSON_CreateNumber(o->lo),
				   quick || o->lo > 0);
			try_option(b.g, b.schema, o->key, cJSON_CreateNumber(o->hi),
				   o->kind == ISO_OPTION_REAL && quick);
		} else if (o->kind == ISO_OPTION_INTS) {
			const double v[2] = {o->lo, o->hi};

			try_option(b.g, b.schema, o->key, cJSON_CreateDoubleArray(v, 1), 1);
			try_option(b.g, b.schema, o->key, cJSON_CreateDoubleArray(v + 1, 1), 0);
		}
	}
	iso_free(b.options);
}
END_TEST

/* Does the help of an option say that this value lets the method choose?  "0: 300 epochs" does; "0:
 * none" and "0: no estimate" say what the value itself means. */
static int lets_choose(const iso_option *o, double value)
{
	static const char *const meaning[] = {"no", "the last", "off", "without"};
	char mark[32];
	const char *at;

	snprintf(mark, sizeof(mark), "; %g: ", value);
	at = strstr(o->help, mark);
	for (size_t i = 0; at && i < ISO_COUNT(meaning); i++)
		if (strncmp(at + strlen(mark), meaning[i], strlen(meaning[i])) == 0)
			return 0;
	return at != NULL;
}

/* The record holds what fit works with: no "choose for me" is left, and what was resolved resolves
 * to itself. */
START_TEST(resolved_options_are_effective)
{
	bench b = set_up(_i);
	iso_gen_env env = {
		.schema = b.schema, .n = ROWS, .options = b.options, .epsilon = 8, .delta = 1e-5};
	void *copy = iso_alloc(1, b.g->options_size + 1);
	cJSON *once, *twice;
	iso_status st;

	memcpy(copy, b.options, b.g->options_size);
	if (b.g->resolve)
		tk_ok(b.g->resolve(&env, copy, &err));
	tk_ok(iso_options_values(b.g->options, copy, &once, &err));
	for (const iso_option *o = b.g->options; o && o->key; o++) {
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(once, o->key);

		ck_assert_msg(!cJSON_IsNumber(v) || !lets_choose(o, v->valuedouble),
			      "%s: %s is %g in the record: %s", b.g->name, o->key, v->valuedouble,
			      o->help);
	}
	if (b.g->resolve) {
		env.options = options_of(b.g, once, &st);
		ck_assert_msg(st == ISO_OK, "%s", err.text);
		memcpy(copy, env.options, b.g->options_size);
		tk_ok(b.g->resolve(&env, copy, &err));
		tk_ok(iso_options_values(b.g->options, copy, &twice, &err));
		ck_assert_msg(cJSON_Compare(once, twice, 1), "%s: %s", b.g->name,
			      cJSON_Print(twice));
		cJSON_Delete(twice);
		iso_free((void *)(uintptr_t)env.options);
	}
	cJSON_Delete(once);
	iso_free(copy);
	iso_free(b.options);
}
END_TEST

static iso_verdict verdict_of(const bench *b, const void *options, iso_adjacency adj)
{
	iso_table *t = fx_table(b->schema, ROWS, 7);
	const iso_verify_request r = {.generator = b->g,
				      .options = options,
				      .data = t,
				      .epsilon = 1,
				      .delta = 1e-5,
				      .adjacency = adj,
				      .accountant = ISO_ACC_RDP,
				      .seed = 3};
	iso_verdict v;

	tk_ok(iso_verify(&r, &v, &err));
	iso_table_free(t);
	return v;
}

static const char *first_failure(const iso_verdict *v)
{
	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		if (v->check[c].failed)
			return v->check[c].what;
	return "";
}

/* Claims hold; what claims nothing is caught; mode=paper of a broken proof is caught. */
START_TEST(verify_agrees_with_the_claim)
{
	bench b = set_up(_i);

	for (int adj = ISO_ADD_REMOVE; adj <= ISO_REPLACE_ONE; adj++) {
		const iso_verdict v = verdict_of(&b, b.options, (iso_adjacency)adj);

		if (b.guarantee == ISO_GUARANTEE_DP)
			ck_assert_msg(!v.flows, "%s: %s", b.g->name, first_failure(&v));
		else
			ck_assert_msg(v.flows, "%s claims nothing and no flow was found",
				      b.g->name);
	}
	for (const iso_option *o = b.g->options; o->key; o++) {
		cJSON *values;
		void *options;
		iso_status st;

		if (strcmp(o->key, "mode") != 0 || o->kind != ISO_OPTION_ENUM ||
		    !strstr(o->choices, "paper"))
			continue;
		values = cJSON_CreateObject();
		cJSON_AddStringToObject(values, "mode", "paper");
		options = options_of(b.g, values, &st);
		ck_assert_int_eq(st, ISO_OK);
		if (iso_generator_guarantee(b.g, options) != ISO_GUARANTEE_DP)
			ck_assert_msg(verdict_of(&b, options, ISO_ADD_REMOVE).flows,
				      "%s mode=paper was not caught", b.g->name);
		cJSON_Delete(values);
		iso_free(options);
	}
	iso_free(b.options);
}
END_TEST

START_TEST(impossible_budgets_are_refused)
{
	static const double eps[] = {0, -1, NAN, -INFINITY}, delta[] = {1, 2, -1e-9, NAN, INFINITY};
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, ROWS, 8);
	iso_training m;

	for (size_t k = 0; k < ISO_COUNT(eps); k++) {
		iso_training_request r = request_of(&b, t);

		r.epsilon = eps[k];
		tk_fails(iso_train(&r, &m, &err), ISO_E_CONFIG, "epsilon");
		ck_assert_ptr_null(m.model);
	}
	for (size_t k = 0; k < ISO_COUNT(delta); k++) {
		iso_training_request r = request_of(&b, t);

		r.delta = delta[k];
		tk_fails(iso_train(&r, &m, &err), ISO_E_CONFIG, "delta");
	}
	iso_table_free(t);
	iso_free(b.options);
}
END_TEST

START_TEST(destroy_takes_null)
{
	iso_generator_at((size_t)_i)->destroy(NULL);
}
END_TEST

/* Every declared slot gives the same after load. */
static void same_slots(const iso_training *a, const iso_training *b, const iso_table *t)
{
	const iso_generator *g = a->generator;
	double x[ROWS], y[ROWS];

	if (g->score) {
		tk_ok(iso_training_score(a, t, x, &err));
		tk_ok(iso_training_score(b, t, y, &err));
		ck_assert_int_eq(memcmp(x, y, t->n * sizeof(*x)), 0);
	}
	if (g->log_density) {
		tk_ok(g->log_density(a->model, t, x, &err));
		tk_ok(g->log_density(b->model, t, y, &err));
		ck_assert_int_eq(memcmp(x, y, t->n * sizeof(*x)), 0);
	}
	if (g->classify) {
		const size_t n = t->n * iso_schema_classes(t->schema);
		double *p = iso_alloc(2 * n, sizeof(*p)), *q = p + n;

		tk_ok(g->classify(a->model, t, p, &err));
		tk_ok(g->classify(b->model, t, q, &err));
		ck_assert_int_eq(memcmp(p, q, n * sizeof(*p)), 0);
		for (size_t i = 0; i < n; i++)
			ck_assert(p[i] >= 0 && p[i] <= 1);
		iso_free(p);
	}
	if (g->describe) {
		cJSON *one = cJSON_CreateObject(), *two = cJSON_CreateObject();

		tk_ok(g->describe(a->model, one, &err));
		tk_ok(g->describe(b->model, two, &err));
		ck_assert_msg(cJSON_Compare(one, two, 1), "%s describes itself otherwise", g->name);
		cJSON_Delete(one);
		cJSON_Delete(two);
	}
	if (g->latent_dim) {
		const size_t dim = g->latent_dim(a->model);
		float *z = iso_alloc(2 * t->n * dim, sizeof(*z)), *w = z + t->n * dim;
		iso_table *one, *two;

		ck_assert_uint_eq(dim, g->latent_dim(b->model));
		iso_rand_fill_uniform(iso_key_new(4, "z"), 0, -1, 1, z, t->n * dim);
		tk_ok(iso_table_new(t->schema, t->n, &one, &err));
		tk_ok(iso_table_new(t->schema, t->n, &two, &err));
		tk_ok(g->decode(a->model, z, NULL, t->n, one, &err));
		tk_ok(g->decode(b->model, z, NULL, t->n, two, &err));
		same_rows(one, two, t->n);
		if (g->encode) {
			tk_ok(g->encode(a->model, t, z, &err));
			tk_ok(g->encode(b->model, t, w, &err));
			ck_assert_int_eq(memcmp(z, w, t->n * dim * sizeof(*z)), 0);
		}
		iso_table_free(one);
		iso_table_free(two);
		iso_free(z);
	}
}

START_TEST(load_gives_the_same_samples)
{
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, ROWS, 9), *x, *y;
	const iso_gen_env env = {
		.schema = b.schema, .n = ROWS, .options = b.options, .epsilon = 1, .delta = 1e-5};
	iso_training m = train(&b, t), again;
	iso_str s = bytes_of(&m);

	again = (iso_training){.generator = b.g};
	/* A method in the tree keeps its models, so that an attack added later trains nothing. */
	ck_assert_msg(b.g->load != NULL, "%s has no slot load", b.g->name);
	{
		iso_str twice = {0};

		tk_ok(b.g->load(&env, s.p, s.n, &again.model, &err));
		x = draw(&m, b.schema, 2, 60);
		y = draw(&again, b.schema, 2, 60);
		same_rows(x, y, 60);
		iso_table_free(x);
		iso_table_free(y);
		same_slots(&m, &again, t);
		tk_ok(b.g->save(again.model, &twice, &err));
		ck_assert_uint_eq(twice.n, s.n);
		ck_assert_msg(memcmp(twice.p ? twice.p : "", s.p ? s.p : "", s.n) == 0,
			      "%s: save after load writes other bytes", b.g->name);
		iso_str_free(&twice);
		b.g->destroy(again.model);
		for (size_t cut = 0; cut < s.n;
		     cut += 1 + s.n / 37) { /* truncated bytes: an error, never a crash */
			void *model = NULL;

			ck_assert_msg(b.g->load(&env, s.p, cut, &model, &err) != ISO_OK,
				      "%zu of %zu bytes were taken for a model", cut, s.n);
			iso_error_clear(&err);
		}
	}
	iso_str_free(&s);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(b.options);
}
END_TEST

START_TEST(slots_give_what_they_promise)
{
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, ROWS, 10);
	iso_training m = train(&b, t);
	double *x = iso_alloc(t->n, sizeof(*x));

	if (b.g->score)
		tk_ok(iso_training_score(&m, t, x, &err));
	else
		tk_fails(iso_training_score(&m, t, x, &err), ISO_E_UNSUPPORTED, "score");
	if (b.g->log_density) {
		tk_ok(b.g->log_density(m.model, t, x, &err));
		for (size_t i = 0; i < t->n; i++)
			ck_assert(isfinite(x[i]));
	}
	if (b.g->describe) {
		cJSON *o = cJSON_CreateObject();

		tk_ok(b.g->describe(m.model, o, &err));
		ck_assert_ptr_nonnull(o->child);
		cJSON_Delete(o);
	}
	if (b.g->latent_dim)
		ck_assert_uint_ge(b.g->latent_dim(m.model), 1);
	iso_free(x);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(b.options);
}
END_TEST

/* One row, two rows, a constant column, a missing class: a model or a named error. */
START_TEST(small_and_degenerate_tables)
{
	const size_t n[] = {1, 2, 3, ROWS};
	bench b = set_up(_i);

	for (size_t k = 0; k < ISO_COUNT(n); k++) {
		iso_table *t = fx_table(b.schema, n[k], 11);
		const iso_training_request r = request_of(&b, t);
		iso_training m;
		iso_status st;

		for (size_t row = 1; row < t->n; row++) /* the last table: all rows alike */
			memcpy(t->cells + row * b.schema->ncol, t->cells,
			       b.schema->ncol * sizeof(double));
		st = iso_train(&r, &m, &err);
		ck_assert_msg(st == ISO_OK || is_clean_refusal(st), "%zu rows: %s: %s", n[k],
			      iso_status_name(st), err.text);
		iso_error_clear(&err);
		if (st == ISO_OK)
			iso_table_free(draw(&m, b.schema, 1, 9));
		iso_training_free(&m);
		iso_table_free(t);
	}
	iso_free(b.options);
}
END_TEST

/* The k-th allocation fails: out of memory is reported, nothing leaks (ASan), nothing crashes. */
START_TEST(allocation_failures)
{
	bench b = set_up(_i);
	iso_table *t = fx_table(b.schema, 40, 12);
	iso_training_request r = request_of(&b, t);
	const uint64_t before = iso_alloc_count();
	uint64_t total, k = 1;
	iso_training m;

	r.epsilon = 8; /* enough for 40 rows with every method */
	tk_ok(iso_train(&r, &m, &err));
	iso_training_free(&m);
	total = iso_alloc_count() - before;
	while (k <= total) {
		iso_status st;

		iso_alloc_fail_after(k);
		st = iso_train(&r, &m, &err);
		iso_alloc_fail_after(0);
		ck_assert_msg(
			st == ISO_E_NOMEM, "allocation %lu of %lu failed and the status is %s (%s)",
			(unsigned long)k, (unsigned long)total, iso_status_name(st), err.text);
		ck_assert_ptr_null(m.model);
		iso_error_clear(&err);
		k += k < 40 ? 1 : 1 + total / 60;
	}
	iso_table_free(t);
	iso_free(b.options);
}
END_TEST

int main(void)
{
	const struct {
		const char *name;
		const TTest *test;
	} check[] = {{"determinism", same_seed_same_bytes},
		     {"rows", rows_exact_and_in_schema},
		     {"prefix", longer_sample_begins_with_shorter},
		     {"table", training_table_untouched_and_not_kept},
		     {"ledger", ledger_equals_plan_and_budget_holds},
		     {"options", options_at_their_bounds},
		     {"resolve", resolved_options_are_effective},
		     {"verify", verify_agrees_with_the_claim},
		     {"budget", impossible_budgets_are_refused},
		     {"destroy", destroy_takes_null},
		     {"load", load_gives_the_same_samples},
		     {"slots", slots_give_what_they_promise},
		     {"degenerate", small_and_degenerate_tables},
		     {"memory", allocation_failures}};
	const char *only = getenv("ISO_GENERATOR");
	Suite *s = suite_create("conformance/generator");
	int first = 0, last = (int)iso_generator_count();

	for (int i = 0; only && i < last; i++)
		if (strcmp(iso_generator_at((size_t)i)->name, only) == 0) {
			first = i;
			last = i + 1;
			only = NULL;
		}
	if (only || last == 0) {
		fprintf(stderr, "no registered generator is called %s\n", only ? only : "anything");
		return 1;
	}
	for (size_t k = 0; k < ISO_COUNT(check); k++) {
		TCase *c = tcase_create(check[k].name);

		tcase_set_timeout(c, 300);
		tcase_add_loop_test(c, check[k].test, first, last);
		suite_add_tcase(s, c);
	}
	return tk_run(s);
}
