// SPDX-License-Identifier: Apache-2.0
/* Images with channels, sequences of several variables and of variable length, clients: read,
 * written, encoded, decoded, refused. */
#include <stdio.h>
#include <string.h>

#include "core/data/encode.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_status read_schema(const char *columns, iso_schema **s)
{
	char text[2048];
	cJSON *v = NULL;
	iso_status st;

	snprintf(text, sizeof(text), "{\"name\":\"t\",\"columns\":[%s]}", columns);
	tk_ok(iso_json_parse(text, strlen(text), "s", &v, &err));
	st = iso_schema_from_json(v, "s", s, &err);
	cJSON_Delete(v);
	return st;
}

static iso_status read_table(const char *csv, const iso_schema *s, iso_table **t)
{
	return iso_table_parse_csv(csv, strlen(csv), "t.csv", s, t, &err);
}

#define STAY(length) \
	"{\"name\":\"stay\",\"type\":\"sequence\",\"shape\":[3]" length ",\"variables\":[" \
	"{\"name\":\"pulse\",\"type\":\"integer\",\"bounds\":[0,200]}," \
	"{\"name\":\"ward\",\"type\":\"categorical\",\"categories\":[\"A\",\"B\",\"C\"]}]}"
#define VARIABLE ",\"length\":\"variable\""
#define AGE "{\"name\":\"age\",\"type\":\"integer\",\"bounds\":[0,100]}"
#define HEADER "stay_pulse_0,stay_ward_0,stay_pulse_1,stay_ward_1,stay_pulse_2,stay_ward_2"

/* The columns of a sequence, and its JSON back to the same schema. */
START_TEST(test_names_and_json)
{
	static const char *const names[] = {"age",	    "stay_pulse_0", "stay_ward_0",
					    "stay_pulse_1", "stay_ward_1",  "stay_pulse_2",
					    "stay_ward_2"};
	iso_schema *s, *again;
	cJSON *a = NULL, *b = NULL;

	tk_ok(read_schema(AGE "," STAY(VARIABLE), &s));
	ck_assert_uint_eq(s->ncol, 7);
	for (size_t i = 0; i < 7; i++)
		ck_assert_str_eq(s->column[i].name, names[i]);
	ck_assert_uint_eq(s->nsequence, 1);
	ck_assert_uint_eq(s->sequence[0].first, 1);
	ck_assert_uint_eq(s->sequence[0].variables, 2);
	ck_assert_int_eq(s->column[4].type, ISO_CATEGORICAL);
	ck_assert_uint_eq(s->column[4].step, 1);
	tk_ok(iso_schema_to_json(s, &a, &err));
	tk_ok(iso_schema_from_json(a, "again", &again, &err));
	tk_ok(iso_schema_to_json(again, &b, &err));
	ck_assert(cJSON_Compare(a, b, 1));
	ck_assert_int_eq(again->sequence[0].variable_length, 1);
	ck_assert_uint_eq(again->ncol, 7);
	cJSON_Delete(a);
	cJSON_Delete(b);
	iso_schema_free(s);
	iso_schema_free(again);
}
END_TEST

START_TEST(test_spans)
{
	iso_schema *s;
	iso_encoder *e;

	tk_ok(read_schema(AGE
			  ",{\"name\":\"x\",\"type\":\"categorical\",\"categories\":[1,2,3]},"
			  "{\"name\":\"im\",\"type\":\"pixel\",\"shape\":[2,3,3]}," STAY(
				  VARIABLE) ",{\"name\":\"z\",\"type\":\"sequence\",\"shape\":[4],"
					    "\"bounds\":[0,1]}",
			  &s));
	ck_assert_uint_eq(s->npixel, 18);
	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES, &e, &err));
	ck_assert_uint_eq(e->nspan, 4);
	ck_assert_int_eq(e->span[0].kind, ISO_SPAN_FLAT);
	ck_assert_uint_eq(e->span[0].width, 4);
	ck_assert_uint_eq(e->span[0].nblock, 2);
	ck_assert_int_eq(e->span[1].kind, ISO_SPAN_IMAGE);
	ck_assert_uint_eq(e->span[1].first, 4);
	ck_assert_uint_eq(e->span[1].dim[0] * 100 + e->span[1].dim[1] * 10 + e->span[1].dim[2],
			  233);
	/* a step: pulse, its indicator, three wards and "behind the end" */
	ck_assert_int_eq(e->span[2].kind, ISO_SPAN_SEQUENCE);
	ck_assert_uint_eq(e->span[2].first, 22);
	ck_assert_uint_eq(e->span[2].dim[0], 3);
	ck_assert_uint_eq(e->span[2].dim[1], 6);
	ck_assert_uint_eq(e->span[2].nblock, 9);
	ck_assert_uint_eq(e->span[3].dim[0], 4);
	ck_assert_uint_eq(e->span[3].dim[1], 1);
	ck_assert_uint_eq(e->span[3].first + e->span[3].width, e->dim);
	ck_assert_ptr_eq(e->span[3].sequence, &s->sequence[1]);
	iso_encoder_free(e);
	iso_schema_free(s);
}
END_TEST

/* Rows of 1, 3 and 2 steps come back as they went in, through text and through floats. */
START_TEST(test_variable_length)
{
	static const char csv[] = HEADER "\n80,A,,,,\n70,B,75,C,90,A\n60,C,61,C,,\n";
	iso_schema *s;
	iso_table *t, *back;
	iso_encoder *e;
	iso_str text = {0};
	float *x;

	tk_ok(read_schema(STAY(VARIABLE), &s));
	tk_ok(read_table(csv, s, &t));
	ck_assert_uint_eq(iso_sequence_length(s->sequence, t->cells), 1);
	ck_assert_uint_eq(iso_sequence_length(s->sequence, t->cells + 6), 3);
	ck_assert_uint_eq(iso_sequence_length(s->sequence, t->cells + 12), 2);
	tk_ok(iso_table_check(t, &err));
	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES, &e, &err));
	tk_ok(iso_encode_new(e, t, &x, &err));
	tk_ok(iso_table_new(s, 3, &back, &err));
	iso_decode(e, x, e->dim, 3, NULL, back, 0);
	tk_ok(iso_table_to_csv(back, &text, &err));
	ck_assert_str_eq(text.p, csv);
	iso_str_free(&text);
	iso_free(x);
	iso_encoder_free(e);
	iso_table_free(t);
	iso_table_free(back);
	iso_schema_free(s);
}
END_TEST

/* What independent cells may give: nothing at all, a gap, half a step. */
START_TEST(test_settle)
{
	double gap[6] = {80, 0, NAN, 1, 90, 2}, none[6] = {NAN, NAN, 1, 1, 1, 1};
	iso_schema *s;

	tk_ok(read_schema(STAY(VARIABLE), &s));
	iso_sequences_settle(s, gap);
	ck_assert(gap[0] == 80 && gap[1] == 0);
	for (int i = 2; i < 6; i++)
		ck_assert(isnan(gap[i]));
	iso_sequences_settle(s, none);
	ck_assert(none[0] == 100 && none[1] == 0 && isnan(none[2]) && isnan(none[5]));
	iso_schema_free(s);
}
END_TEST

START_TEST(test_bad_sequences)
{
	static const struct {
		const char *row, *part;
	} cases[] = {{",,,,,", "has length 0"},
		     {"80,A,,,90,B", "t.csv:2): stay goes on behind a missing step at step 2"},
		     {"80,A,81,,,", "misses one of several variables at step 1"},
		     {"80,A,81,B,,C", "goes on behind a missing step at step 2"},
		     {"80,D,,,,", "value outside the schema"}};
	iso_schema *s, *bad;
	iso_table *t;

	tk_ok(read_schema(STAY(VARIABLE), &s));
	for (size_t i = 0; i < ISO_COUNT(cases); i++) {
		char csv[256];

		snprintf(csv, sizeof(csv), HEADER "\n%s\n", cases[i].row);
		tk_fails(read_table(csv, s, &t), ISO_E_DATA, cases[i].part);
	}
	tk_ok(iso_table_new(s, 1, &t, &err)); /* all zero: full length */
	tk_ok(iso_table_check(t, &err));
	t->cells[2] = NAN;
	tk_fails(iso_table_check(t, &err), ISO_E_DATA, "goes on behind a missing step");
	iso_table_free(t);
	iso_schema_free(s);
	tk_fails(
		read_schema("{\"name\":\"a\",\"type\":\"sequence\",\"shape\":[0],\"bounds\":[0,1]}",
			    &bad),
		ISO_E_CONFIG, "from 1 to 4096");
	tk_fails(
		read_schema("{\"name\":\"a\",\"type\":\"sequence\",\"shape\":[2],\"variables\":[]}",
			    &bad),
		ISO_E_CONFIG, "must list 1 to 4096 columns (got 0)");
	tk_fails(read_schema("{\"name\":\"a\",\"type\":\"sequence\",\"shape\":[2],\"variables\":["
			     "{\"name\":\"p\",\"type\":\"pixel\",\"shape\":[1,1]}]}",
			     &bad),
		 ISO_E_CONFIG, "a variable of a sequence is a feature");
	tk_fails(read_schema("{\"name\":\"a\",\"type\":\"integer\",\"bounds\":[0,1],\"length\":"
			     "\"variable\"}",
			     &bad),
		 ISO_E_CONFIG, "only a sequence");
	tk_fails(read_schema("{\"name\":\"a\",\"type\":\"pixel\",\"shape\":[2,2,2,2]}", &bad),
		 ISO_E_CONFIG, "[height, width, channels]");
}
END_TEST

#define CLIENT "{\"name\":\"site\",\"role\":\"client\",\"categories\":[\"n\",\"s\",\"w\"]}"

/* The client of a row is kept beside it, is no cell, and follows the row. */
START_TEST(test_clients)
{
	static const uint32_t rows[] = {2, 0};
	iso_schema *s;
	iso_table *t, *some, *plain;
	iso_encoder *e;
	iso_str text = {0};
	char a[65], b[65];

	tk_ok(read_schema(CLIENT "," AGE, &s));
	ck_assert_int_eq(s->client, 0);
	tk_ok(read_table("site,age\ns,1\nn,2\nw,3\n", s, &t));
	ck_assert_uint_eq(t->nclient, 3);
	ck_assert_uint_eq(t->client[0] * 100 + t->client[1] * 10 + t->client[2], 102);
	ck_assert(isnan(iso_table_cell(t, 0, 0)));
	tk_ok(iso_table_select(t, rows, 2, &some, &err));
	ck_assert_uint_eq(some->client[0], 2);
	ck_assert_uint_eq(some->client[1], 1);
	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES, &e, &err));
	ck_assert_uint_eq(e->dim, 1);
	tk_ok(iso_table_to_csv(t, &text, &err));
	ck_assert_str_eq(text.p, "age\n1\n2\n3\n");
	/* what is written has no clients, and reads again; the data hash knows the difference */
	tk_ok(read_table(text.p, s, &plain));
	ck_assert_ptr_null(plain->client);
	tk_ok(iso_table_hash(t, a, &err));
	tk_ok(iso_table_hash(plain, b, &err));
	ck_assert_str_ne(a, b);
	iso_table_free(plain);
	tk_fails(read_table("site,age\n,1\n", s, &plain), ISO_E_DATA, "site is \"\"");
	iso_table_free(t);
	iso_table_free(some);
	iso_str_free(&text);
	iso_encoder_free(e);
	iso_schema_free(s);
	tk_fails(read_schema("{\"name\":\"c\",\"role\":\"client\",\"categories\":[\"only\"]}," AGE,
			     &s),
		 ISO_E_CONFIG, "at least two, as \"categories\" (got 1)");
	tk_fails(read_schema(CLIENT ",{\"name\":\"b\",\"role\":\"client\",\"categories\":[1,2]}",
			     &s),
		 ISO_E_CONFIG, "two client columns");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shapes");
	TCase *t = tcase_create("shapes");

	tcase_add_test(t, test_names_and_json);
	tcase_add_test(t, test_spans);
	tcase_add_test(t, test_variable_length);
	tcase_add_test(t, test_settle);
	tcase_add_test(t, test_bad_sequences);
	tcase_add_test(t, test_clients);
	suite_add_tcase(s, t);
	return tk_run(s);
}
