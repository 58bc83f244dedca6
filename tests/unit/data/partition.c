// SPDX-License-Identifier: Apache-2.0
/* Clients of rows, the public share, and public rows that are private. */
#include <string.h>

#include "core/data/split.h"
#include "tests/support/testkit.h"

static iso_error err;

#define N 3000

static iso_schema *schema_of(void)
{
	static const char text[] =
		"{\"name\":\"t\",\"columns\":[{\"name\":\"x\",\"type\":\"integer\",\"bounds\":[0,"
		"9999]},{\"name\":\"y\",\"type\":\"categorical\",\"role\":\"label\",\"categories\":"
		"[0,1,2]}]}";
	cJSON *v = NULL;
	iso_schema *s = NULL;

	tk_ok(iso_json_parse(text, strlen(text), "s", &v, &err));
	tk_ok(iso_schema_from_json(v, "s", &s, &err));
	cJSON_Delete(v);
	return s;
}

static iso_table *table_of(const iso_schema *s, size_t n)
{
	iso_table *t = NULL;

	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		t->cells[2 * r] = (double)r;
		t->cells[2 * r + 1] = (double)(r % 3);
	}
	return t;
}

static void count(const iso_table *t, size_t of[3][8])
{
	memset(of, 0, 24 * sizeof(size_t));
	for (size_t r = 0; r < t->n; r++) {
		ck_assert_uint_lt(t->client[r], t->nclient);
		of[iso_table_label(t, r)][t->client[r]]++;
	}
}

/* 1000 rows a class over 5 clients: 200 each, standard deviation 12.6; 6 of them. */
START_TEST(test_iid_and_label)
{
	iso_schema *s = schema_of();
	iso_table *t = table_of(s, N);
	size_t of[3][8];

	tk_ok(iso_partition_make(t, 3, &(iso_partition){.nclient = 5}, &err));
	count(t, of);
	for (int k = 0; k < 3; k++)
		for (int c = 0; c < 5; c++)
			ck_assert(of[k][c] > 124 && of[k][c] < 276);
	iso_table_free(t);
	t = table_of(s, N);
	tk_ok(iso_partition_make(t, 3, &(iso_partition){ISO_PARTITION_LABEL, 2, 0, NULL}, &err));
	count(t, of);
	ck_assert(of[0][0] == 1000 && of[1][1] == 1000 && of[2][0] == 1000);
	iso_table_free(t);
	t = table_of(s, N);
	tk_ok(iso_partition_make(t, 3, &(iso_partition){ISO_PARTITION_COLUMN, 0, 0, "y"}, &err));
	count(t, of);
	ck_assert(t->nclient == 3 && of[2][2] == 1000);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

/* 1000 rows a class over 7 clients: 142 or 143 of each class everywhere, 428 or 429 rows each. */
START_TEST(test_stratified)
{
	iso_schema *s = schema_of();
	iso_table *t = table_of(s, N), *again = table_of(s, N);
	size_t of[3][8], moved = 0;

	tk_ok(iso_partition_make(t, 3, &(iso_partition){ISO_PARTITION_STRATIFIED, 7, 0, NULL},
				 &err));
	tk_ok(iso_partition_make(again, 4, &(iso_partition){ISO_PARTITION_STRATIFIED, 7, 0, NULL},
				 &err));
	count(t, of);
	for (int c = 0; c < 7; c++) {
		const size_t all = of[0][c] + of[1][c] + of[2][c];

		ck_assert(all == 428 || all == 429);
		for (int k = 0; k < 3; k++)
			ck_assert(of[k][c] == 142 || of[k][c] == 143);
	}
	for (size_t r = 0; r < N; r++)
		moved += t->client[r] != again->client[r];
	ck_assert(moved > N / 2); /* 6/7 are expected */
	iso_table_free(t);
	iso_table_free(again);
	iso_schema_free(s);
}
END_TEST

/* The variance of a proportion under Dirichlet(alpha) over m clients is (1/m)(1 - 1/m)/(m alpha +
 * 1): over 60 seeds x 3 classes x 4 clients its estimate is within 25 % (five deviations). */
START_TEST(test_dirichlet)
{
	static const double alphas[] = {0.5, 5};
	iso_schema *s = schema_of();

	for (size_t a = 0; a < 2; a++) {
		const double want = 0.25 * 0.75 / (4 * alphas[a] + 1);
		double sum = 0;

		for (uint64_t seed = 0; seed < 60; seed++) {
			iso_table *t = table_of(s, N);
			size_t of[3][8];

			tk_ok(iso_partition_make(
				t, seed,
				&(iso_partition){ISO_PARTITION_DIRICHLET, 4, alphas[a], NULL},
				&err));
			count(t, of);
			for (int k = 0; k < 3; k++)
				for (int c = 0; c < 4; c++)
					sum += pow((double)of[k][c] / 1000 - 0.25, 2);
			iso_table_free(t);
		}
		tk_assert_close(sum / (60 * 12), want, 0.25, 0);
	}
	iso_schema_free(s);
}
END_TEST

/* A record that goes leaves every other where it was. */
START_TEST(test_removal)
{
	iso_schema *s = schema_of();

	for (int kind = 0; kind < 4; kind++) {
		const iso_partition p = {(iso_partition_kind)kind, 4, 0.3, "y"};
		iso_table *t = table_of(s, 300), *less;
		uint32_t row[299];

		for (uint32_t r = 0; r < 299; r++)
			row[r] = r < 100 ? r : r + 1;
		tk_ok(iso_table_select(t, row, 299, &less, &err));
		tk_ok(iso_partition_make(t, 9, &p, &err));
		tk_ok(iso_partition_make(less, 9, &p, &err));
		for (size_t r = 0; r < 299; r++)
			ck_assert_uint_eq(less->client[r], t->client[row[r]]);
		iso_table_free(t);
		iso_table_free(less);
	}
	iso_schema_free(s);
}
END_TEST

START_TEST(test_refusals)
{
	iso_schema *s = schema_of();
	iso_table *t = table_of(s, 30), *one = table_of(s, 1);

	tk_fails(iso_partition_make(t, 1, &(iso_partition){.nclient = 1}, &err), ISO_E_CONFIG,
		 "(got 1)");
	tk_fails(iso_partition_make(t, 1, &(iso_partition){ISO_PARTITION_DIRICHLET, 3, 0, NULL},
				    &err),
		 ISO_E_CONFIG, "alpha");
	tk_fails(iso_partition_make(one, 1, &(iso_partition){.nclient = 2}, &err), ISO_E_DATA,
		 "fall to one client");
	iso_table_free(one);
	one = table_of(s, 2);
	one->cells[1] = one->cells[3] = 1;
	tk_fails(
		iso_partition_make(one, 1, &(iso_partition){ISO_PARTITION_COLUMN, 0, 0, "x"}, &err),
		ISO_E_CONFIG, "\"x\" must be a discrete column");
	iso_table_free(t);
	iso_table_free(one);
	iso_schema_free(s);
}
END_TEST

/* The public share lies beside the others, which stay where they were. */
START_TEST(test_public_rows)
{
	iso_schema *s = schema_of();
	iso_table *t = table_of(s, 300), *train, *open;
	iso_split a, b;
	uint8_t seen[300] = {0};

	tk_ok(iso_split_make(t, 5, 0.5, 0.2, 0.1, &a, &err));
	tk_ok(iso_split_shares(t, 5, &(iso_shares){0.5, 0.2, 0.1, 0.2}, &b, &err));
	ck_assert_uint_eq(a.npublic, 0);
	ck_assert_uint_eq(b.npublic, 60);
	ck_assert(a.ntrain == b.ntrain && memcmp(a.train, b.train, 4 * a.ntrain) == 0);
	for (size_t i = 0; i < b.ntrain; i++)
		seen[b.train[i]]++;
	for (size_t i = 0; i < b.nholdout; i++)
		seen[b.holdout[i]]++;
	for (size_t i = 0; i < b.naux; i++)
		seen[b.aux[i]]++;
	for (size_t i = 0; i < b.npublic; i++)
		seen[b.public_rows[i]]++;
	for (size_t r = 0; r < 300; r++)
		ck_assert_uint_eq(seen[r], 1);
	tk_ok(iso_table_select(t, b.train, b.ntrain, &train, &err));
	tk_ok(iso_table_select(t, b.public_rows, b.npublic, &open, &err));
	tk_ok(iso_public_check(train, open, &err));
	iso_table_copy_row(train, 7, open, 3);
	tk_fails(iso_public_check(train, open, &err), ISO_E_DATA,
		 "public row 3 equals row 7 of the private table");
	iso_split_free(&a);
	iso_split_free(&b);
	iso_table_free(train);
	iso_table_free(open);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition");
	TCase *t = tcase_create("partition");

	tcase_add_test(t, test_iid_and_label);
	tcase_add_test(t, test_stratified);
	tcase_add_test(t, test_dirichlet);
	tcase_add_test(t, test_removal);
	tcase_add_test(t, test_refusals);
	tcase_add_test(t, test_public_rows);
	suite_add_tcase(s, t);
	return tk_run(s);
}
