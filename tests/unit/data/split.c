// SPDX-License-Identifier: Apache-2.0
#include "core/data/split.h"

#include <string.h>

#include "core/data/catalogue.h"
#include "core/data/rows.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_dataset *load(const char *name)
{
	iso_dataset *d = NULL;

	tk_ok(iso_dataset_load(name, NULL, &d, &err));
	return d;
}

static size_t positives(const iso_table *t, const uint32_t *row, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += iso_table_label(t, row[i]) == 1;
	return k;
}

START_TEST(test_disjoint_and_stratified)
{
	iso_dataset *d = load("wdbc");
	uint8_t seen[569] = {0};
	iso_split s, again, other;

	tk_ok(iso_split_make(d->table, 7, 0.85, 0.15, 0, &s, &err));
	ck_assert_uint_eq(s.nholdout, 86); /* 15 % of 357 benign and 212 malignant: 54 + 32 */
	ck_assert_uint_eq(positives(d->table, s.holdout, s.nholdout), 32);
	ck_assert_uint_eq(s.ntrain, 569 - 86);
	ck_assert_uint_eq(s.naux, 0);
	for (size_t i = 0; i < s.ntrain; i++)
		seen[s.train[i]]++;
	for (size_t i = 0; i < s.nholdout; i++)
		seen[s.holdout[i]]++;
	for (size_t i = 0; i < 569; i++)
		ck_assert_uint_eq(seen[i], 1);
	for (size_t i = 1; i < s.ntrain; i++)
		ck_assert(s.train[i] > s.train[i - 1]);
	tk_ok(iso_split_make(d->table, 7, 0.85, 0.15, 0, &again, &err));
	ck_assert(memcmp(s.train, again.train, s.ntrain * sizeof(*s.train)) == 0);
	tk_ok(iso_split_make(d->table, 8, 0.85, 0.15, 0, &other, &err));
	ck_assert(memcmp(s.train, other.train, s.ntrain * sizeof(*s.train)) != 0);
	iso_split_free(&s);
	iso_split_free(&again);
	iso_split_free(&other);
	iso_dataset_free(d);
}
END_TEST

/* Without one row, at most one row per boundary of its class changes part, and none of the other
 * class. */
START_TEST(test_removal_is_local)
{
	iso_dataset *d = load("wdbc");
	uint32_t keep[568];
	uint8_t part[2][569];

	for (uint32_t gone = 0; gone < 569; gone += 37) {
		iso_table *less;
		iso_split s[2];
		size_t n = 0, moved = 0;

		for (uint32_t r = 0; r < 569; r++)
			if (r != gone)
				keep[n++] = r;
		tk_ok(iso_table_select(d->table, keep, n, &less, &err));
		tk_ok(iso_split_make(d->table, 3, 0.5, 0.3, 0.2, &s[0], &err));
		tk_ok(iso_split_make(less, 3, 0.5, 0.3, 0.2, &s[1], &err));
		memset(part, 9, sizeof(part));
		for (int k = 0; k < 2; k++) {
			const iso_table *t = k ? less : d->table;

			for (size_t i = 0; i < s[k].ntrain; i++)
				part[k][t->id[s[k].train[i]]] = 0;
			for (size_t i = 0; i < s[k].nholdout; i++)
				part[k][t->id[s[k].holdout[i]]] = 1;
			for (size_t i = 0; i < s[k].naux; i++)
				part[k][t->id[s[k].aux[i]]] = 2;
			iso_split_free(&s[k]);
		}
		for (uint32_t r = 0; r < 569; r++) {
			if (r == gone || part[0][r] == part[1][r])
				continue;
			moved++;
			ck_assert_uint_eq(iso_table_label(d->table, r),
					  iso_table_label(d->table, gone));
		}
		ck_assert_uint_le(moved, 2);
		iso_table_free(less);
	}
	iso_dataset_free(d);
}
END_TEST

/* Equal rows stay in the parts that they were drawn into: no part is thinned. */
START_TEST(equal_rows_stay)
{
	iso_dataset *d = load("sim-census");
	iso_table *twice;
	iso_split s;
	size_t equal = 0;

	tk_ok(iso_table_concat(d->table, d->table, &twice, &err)); /* every row has a twin */
	tk_ok(iso_split_make(twice, 1, 0.4, 0.3, 0.2, &s, &err));
	ck_assert_uint_le(s.ntrain + s.nholdout + s.naux, twice->n);
	ck_assert_uint_ge(10 * (s.ntrain + s.nholdout + s.naux), 9 * twice->n - 20);
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < s.nholdout; j++)
			equal += iso_row_equal(twice, s.train[i], s.holdout[j]) != 0;
	ck_assert_uint_gt(equal, 20);
	iso_split_free(&s);
	iso_table_free(twice);
	iso_dataset_free(d);
}
END_TEST

START_TEST(test_bad_shares)
{
	iso_dataset *d = load("wdbc");
	iso_split s;

	tk_fails(iso_split_make(d->table, 1, 0.9, 0.2, 0, &s, &err), ISO_E_CONFIG,
		 "sum to at most 1");
	tk_fails(iso_split_make(d->table, 1, NAN, 0.2, 0, &s, &err), ISO_E_CONFIG, "wrong shares");
	tk_fails(iso_split_make(d->table, 1, -0.1, 0.2, 0, &s, &err), ISO_E_CONFIG, "wrong shares");
	tk_ok(iso_split_make(d->table, 1, 0.9, 0.1, 0, &s, &err));
	ck_assert_uint_eq(s.ntrain + s.nholdout, 569);
	iso_split_free(&s);
	d->table->n = 0;
	tk_ok(iso_split_make(d->table, 1, 0.9, 0.1, 0, &s, &err));
	ck_assert_uint_eq(s.ntrain, 0);
	iso_split_free(&s);
	iso_dataset_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("split");
	TCase *t = tcase_create("split");

	tcase_add_test(t, test_disjoint_and_stratified);
	tcase_add_test(t, test_removal_is_local);
	tcase_add_test(t, equal_rows_stay);
	tcase_add_test(t, test_bad_shares);
	suite_add_tcase(s, t);
	return tk_run(s);
}
