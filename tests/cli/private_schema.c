// SPDX-License-Identifier: Apache-2.0
/* A schema from private rows: what it releases, what it costs, and that every training pays. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/data/catalogue.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/release_key.h"
#include "core/rand/rand.h"
#include "suites/flow/schema_private.h"
#include "suites/flow/train.h"
#include "tests/support/testkit.h"

static iso_error err;

#define ROWS 4000

/* age 17..90 with gaps, amount from -3.5 to 12 and one far outlier, three cities and a rare one, a
 * label called so. */
static const char *write_table(void)
{
	iso_str text = {0};
	iso_stream s = iso_stream_new(iso_key_new(5, "private schema"));
	const char *path;

	iso_str_addf(&text, "id;age;amount;city;label\n");
	for (int r = 0; r < ROWS; r++) {
		const double u = iso_next_u01(&s), v = iso_next_u01(&s), w = iso_next_u01(&s),
			     l = iso_next_u01(&s);

		if (r % 7)
			iso_str_addf(&text, "r%d;%d;", r, 17 + (int)(74 * u));
		else
			iso_str_addf(&text, "r%d;NA;", r);
		iso_str_addf(&text, "%.2f;%s;%d\n", r == 5 ? 99999 : -3.5 + 15.5 * v,
			     r == 77   ? "atlantis"
			     : w < 0.5 ? "north"
			     : w < 0.8 ? "south"
				       : "east",
			     l < 0.3);
	}
	path = tk_write(tk_tempdir(), "table.csv", text.p);
	iso_str_free(&text);
	return path;
}

static iso_private_schema request(const char *csv, double epsilon)
{
	return (iso_private_schema){.csv = csv, .epsilon = epsilon, .delta = 1e-6, .seed = 3};
}

static void column_is(const iso_schema *s, const char *name, iso_type type, double lo, double hi,
		      size_t ncategory)
{
	const iso_column *c = &s->column[iso_schema_find(s, name)];

	ck_assert_msg(c->type == type, "%s is %s", name, iso_type_name(c->type));
	ck_assert_msg(c->lo == lo && c->hi == hi, "%s: %g to %g", name, c->lo, c->hi);
	ck_assert_msg(c->ncategory == ncategory, "%s: %zu", name, c->ncategory);
	ck_assert_int_eq(c->learned, 0);
}

/* At epsilon 20 the noise is a few rows (slack 9.1 / 2 per bound), so the values are sure. */
START_TEST(values)
{
	const iso_private_schema q = request(write_table(), 20);
	iso_schema *s;
	iso_dataset *d;
	const iso_column *city;

	tk_ok(iso_schema_infer_private(&q, &s, NULL, &err));
	column_is(s, "age", ISO_INTEGER, 16, 128, 0);
	column_is(s, "amount", ISO_CONTINUOUS, -4, 16, 0);
	column_is(s, "city", ISO_CATEGORICAL, 0, 0, 4); /* atlantis is one row: (other) */
	column_is(s, "label", ISO_BINARY, 0, 0, 2);
	ck_assert_int_eq(s->label, 4);
	ck_assert(s->column[0].role == ISO_ID);
	ck_assert_uint_eq(s->column[1].nmissing > 0, 1);
	ck_assert_uint_eq(s->column[2].nmissing, 0);
	city = &s->column[3];
	ck_assert_str_eq(city->category[0], "east");
	ck_assert_str_eq(city->category[3], "(other)");
	/* 4 columns: a fifth of 5 for the type, the rest for the domain */
	ck_assert_uint_eq(s->release.types.count, 4);
	tk_assert_close(s->release.types.epsilon, 1, 1e-12, 0);
	tk_assert_close(s->release.columns.epsilon, 4, 1e-12, 0);
	tk_assert_close(s->release.columns.delta, 2.5e-7, 1e-12, 0);
	tk_ok(iso_dataset_from_schema(q.csv, s, &d, &err));
	ck_assert(iso_table_cell(d->table, 5, 2) == 16); /* clipped */
	ck_assert(iso_table_cell(d->table, 77, 3) == 3);
	ck_assert(isnan(iso_table_cell(d->table, 0, 1)));
	iso_dataset_free(d);
}
END_TEST

/* Written, read again, and refused when somebody lowers the price. */
START_TEST(round_trip)
{
	const iso_private_schema q = request(write_table(), 20);
	iso_schema *s, *again;
	cJSON *v;

	tk_ok(iso_schema_infer_private(&q, &s, NULL, &err));
	tk_ok(iso_schema_to_json(s, &v, &err));
	tk_ok(iso_schema_from_json(v, "again", &again, &err));
	ck_assert_int_eq(memcmp(&s->release, &again->release, sizeof(s->release)), 0);
	ck_assert_uint_eq(again->column[3].outside, 4);
	ck_assert_uint_eq(again->column[2].outside, 1);
	iso_schema_free(again);
	cJSON_SetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(v, "private"), "epsilon"), 2);
	tk_fails(iso_schema_from_json(v, "again", &again, &err), ISO_E_CONFIG, "add up");
	cJSON_Delete(v);
	iso_schema_free(s);
}
END_TEST

/* What the file hides stays hidden: a category of one row shows with probability delta only, and a
 * column of distinct texts is dropped. */
START_TEST(rare_things)
{
	iso_str text = {0};
	iso_private_schema q;
	iso_schema *s;

	iso_str_addf(&text, "name,kind\n");
	for (int r = 0; r < 500; r++)
		iso_str_addf(&text, "person%d,%s\n", r, r == 3 ? "secret" : "plain");
	q = request(tk_write(tk_tempdir(), "rare.csv", text.p), 20);
	tk_ok(iso_schema_infer_private(&q, &s, NULL, &err));
	ck_assert(s->column[0].role == ISO_ID);
	ck_assert_uint_eq(s->column[1].ncategory, 2);
	ck_assert_str_eq(s->column[1].category[0], "plain");
	ck_assert_str_eq(s->column[1].category[1], "(other)");
	iso_schema_free(s);
	q.delta = 0;
	tk_fails(iso_schema_infer_private(&q, &s, NULL, &err), ISO_E_CONFIG, "no delta");
	q.hint = (iso_column_hint[]){{"nmae", "id"}};
	q.nhint = 1;
	tk_fails(iso_schema_infer_private(&q, &s, NULL, &err), ISO_E_CONFIG, "not in the header");
	q.hint = (iso_column_hint[]){{"name", "date"}};
	tk_fails(iso_schema_infer_private(&q, &s, NULL, &err), ISO_E_CONFIG, "unknown type");
	iso_str_free(&text);
}
END_TEST

static iso_status train(const char *name, const iso_table *t, double epsilon, iso_adjacency adj,
			iso_training *out)
{
	const iso_generator *g;
	void *o;
	iso_status st;

	tk_ok(iso_generator_find(name, &g, &err));
	o = iso_alloc(1, g->options_size + 1);
	tk_ok(iso_options_resolve(g->options, NULL, name, o, g->options_size, NULL, &err));
	st = iso_train(&(iso_training_request){.generator = g,
					       .options = o,
					       .train = t,
					       .epsilon = epsilon,
					       .delta = 1e-5,
					       .adjacency = adj,
					       .accountant = ISO_ACC_PLD,
					       .seed = 1},
		       out, &err);
	iso_free(o);
	return st;
}

/* The whole costs the target, so the generator has more noise than alone; a method that reads
 * nothing costs what the schema did. */
START_TEST(every_training_pays)
{
	const iso_private_schema q = request(write_table(), 0.5);
	iso_schema *s;
	iso_dataset *d;
	iso_training t, plain;
	iso_epsilons e;

	tk_ok(iso_schema_infer_private(&q, &s, NULL, &err));
	tk_ok(iso_dataset_from_schema(q.csv, s, &d, &err));
	tk_ok(train("independent", d->table, 1, ISO_ADD_REMOVE, &t));
	tk_ok(iso_ledger_epsilon(t.ledger, 1e-5, ISO_WANT_ALL, &e, &err));
	ck_assert(e.pld_upper <= 1 && e.pld_upper > 0.998);
	ck_assert(t.guarantee == ISO_GUARANTEE_DP);
	ck_assert_str_eq(iso_ledger_items(t.ledger)->v[1].why, "schema-types");
	ck_assert_uint_eq(iso_ledger_items(t.ledger)->v[1].used, 4);
	iso_training_free(&t);
	tk_ok(train("uniform", d->table, 1, ISO_ADD_REMOVE, &t));
	tk_ok(iso_ledger_epsilon(t.ledger, 1e-5, ISO_WANT_ALL, &e, &err));
	ck_assert(e.pld_upper <= 0.5 && e.pld_upper > 0.49);
	iso_training_free(&t);
	tk_fails(train("independent", d->table, 0.5, ISO_ADD_REMOVE, &t), ISO_E_BUDGET,
		 "nothing left");
	tk_fails(train("independent", d->table, 1, ISO_REPLACE_ONE, &t), ISO_E_CONFIG,
		 "two adjacencies");
	tk_ok(train("independent", d->table, 1, ISO_ADD_REMOVE, &t));
	d->schema->release = (iso_schema_release){0};
	tk_ok(train("independent", d->table, 1, ISO_ADD_REMOVE, &plain));
	/* Laplace alone: scale 1 / epsilon; beside a pure 0.5 about 1 / (1 - 0.5) */
	ck_assert(t.scale > 1.9 * plain.scale && t.scale < 2.01 * plain.scale);
	iso_training_free(&t);
	iso_training_free(&plain);
	iso_dataset_free(d);
}
END_TEST

/* No call can use what was released before. */
START_TEST(prior_entries_are_spent)
{
	const iso_private_schema q = request(write_table(), 1);
	iso_schema *s;
	iso_plan plan = {0};
	iso_ledger *l;
	iso_release_key key;
	double out[2];
	const uint32_t cell = 0;

	tk_ok(iso_schema_infer_private(&q, &s, NULL, &err));
	tk_ok(iso_schema_plan(s, ISO_ADD_REMOVE, &plan, &err));
	ck_assert_uint_eq(plan.n, 2);
	tk_ok(iso_release_key_plain(1, "t", 0, &key, &err));
	tk_ok(iso_ledger_new(&plan, "t", ISO_ADD_REMOVE, &key, &l, &err));
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "schema-types"}, &cell, 1, 1, 2, out,
				    &err),
		 ISO_E_BUDGET, "budget exceeded");
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
	iso_plan_free(&plan);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("private schema");
	TCase *c = tcase_create("private schema");

	tcase_add_test(c, values);
	tcase_add_test(c, round_trip);
	tcase_add_test(c, rare_things);
	tcase_add_test(c, every_training_pays);
	tcase_add_test(c, prior_entries_are_spent);
	suite_add_tcase(s, c);
	return tk_run(s);
}
