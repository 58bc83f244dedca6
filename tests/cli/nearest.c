// SPDX-License-Identifier: Apache-2.0
/* The nearest training image of each sample, against a search over all pairs of whole numbers. */
#include "core/io/json.h"
#include "suites/cell.h"
#include "tests/support/testkit.h"

enum { PIXELS = 6, SAMPLES = 40, TRAIN = 70 };

static iso_error err;

static iso_table *images(const iso_schema *s, size_t n, size_t labels, uint64_t seed)
{
	iso_stream r = iso_stream_new(iso_key_new(seed, "images"));
	iso_str csv = {0};
	iso_table *t;

	for (size_t p = 0; p < PIXELS; p++)
		iso_str_addf(&csv, "image_%zu,", p);
	iso_str_add(&csv, "digit\n");
	for (size_t i = 0; i < n; i++) {
		for (size_t p = 0; p < PIXELS; p++)
			iso_str_addf(&csv, "%d,", (int)(256 * iso_next_u01(&r)));
		iso_str_addf(&csv, "%zu\n", i % labels);
	}
	tk_ok(iso_table_parse_csv(csv.p, csv.n, "images", s, &t, &err));
	iso_str_free(&csv);
	return t;
}

static long apart(const iso_table *a, size_t i, const iso_table *b, size_t j)
{
	long sum = 0;

	for (size_t p = 0; p < PIXELS; p++) {
		const long d = (long)a->pixels[i * PIXELS + p] - (long)b->pixels[j * PIXELS + p];

		sum += d * d;
	}
	return sum;
}

START_TEST(by_search)
{
	static const char text[] =
		"{\"name\":\"t\",\"columns\":[{\"name\":\"image\",\"type\":\"pixel\",\"shape\":[2,"
		"3]},"
		"{\"name\":\"digit\",\"type\":\"categorical\",\"categories\":[\"0\",\"1\",\"2\"],"
		"\"role\":\"label\"}]}";
	iso_schema *s;
	cJSON *v;
	iso_table *samples, *train, *near;

	tk_ok(iso_json_parse(text, sizeof(text) - 1, "t", &v, &err));
	tk_ok(iso_schema_from_json(v, "t", &s, &err));
	ck_assert(iso_has_image(s));
	samples = images(s, SAMPLES, 3, 1);
	train = images(s, TRAIN, 1, 2);
	tk_ok(iso_nearest_images(samples, train, &near, &err));
	ck_assert_uint_eq(near->n, SAMPLES);
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t best = 0;

		for (size_t j = 1; j < TRAIN; j++)
			if (apart(samples, i, train, j) < apart(samples, i, train, best))
				best = j;
		ck_assert_int_eq(apart(near, i, train, best), 0);
		ck_assert_uint_eq(iso_table_label(near, i), i % 3);
	}
	iso_table_free(samples);
	iso_table_free(train);
	iso_table_free(near);
	iso_schema_free(s);
	cJSON_Delete(v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nearest");
	TCase *c = tcase_create("nearest");

	tcase_add_test(c, by_search);
	suite_add_tcase(s, c);
	return tk_run(s);
}
