// SPDX-License-Identifier: Apache-2.0
/* IDX images and labels joined to tables, by a catalogue of this program's own whose files it
 * writes: every pixel, label and id; what does not fit together is refused. */
#include <stdio.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/data/sources.h"
#include "tests/support/testkit.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, TRAIN = 3, TEST = 2 };

/* The pins are of what was written last. */
static char pin[4][65];
#define PART(path, i) \
	{ \
		path, pin[i], ISO_RAW, \
		{ \
			{ \
				0 \
			} \
		} \
	}
const iso_data_source iso_data_sources[] = {
	{.info = {.name = "hand-made"},
	 .schema = "mnist.json",
	 .table = {PART("images.gz", 0), PART("labels.gz", 1)},
	 .test = {PART("test-images.gz", 2), PART("test-labels.gz", 3)}}};
const size_t iso_data_source_count = 1;

static iso_error err;
static const char *dir;

const iso_data_source *iso_data_source_find(const char *name)
{
	return strcmp(name, "hand-made") == 0 ? iso_data_sources : NULL;
}

iso_status iso_data_source_need(const char *name, const iso_data_source **out, iso_error *e)
{
	*out = iso_data_source_find(name);
	return *out ? ISO_OK : iso_fail(e, ISO_E_CONFIG, "no such data set (%s)", name);
}

static uint8_t ink(size_t part, size_t row, size_t p)
{
	return (uint8_t)(101 * part + 37 * row + 3 * p + p / 250);
}

/* An IDX file of dims d[0..ndim-1]; values NULL: ink of the part. */
static void write_idx(int file, const char *name, size_t ndim, const size_t *d,
		      const uint8_t *values)
{
	static uint8_t bytes[16 + 8 * PIXELS];
	uint8_t digest[32];
	size_t n = 4, total = 1;
	char path[512];
	FILE *f;

	memset(bytes, 0, sizeof(bytes));
	bytes[2] = 8;
	bytes[3] = (uint8_t)ndim;
	for (size_t i = 0; i < ndim; i++, n += 4) {
		bytes[n + 2] = (uint8_t)(d[i] >> 8);
		bytes[n + 3] = (uint8_t)d[i];
		total *= d[i];
	}
	for (size_t i = 0; i < total; i++)
		bytes[n + i] = values ? values[i] : ink((size_t)file / 2, i / PIXELS, i % PIXELS);
	n += total;
	tk_ok(iso_sha256_of(bytes, n, digest, &err));
	iso_hex(digest, 32, pin[file]);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	ck_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

static const uint8_t labels[] = {7, 0, 9}, test_labels[] = {4, 4};

static void write_all(void)
{
	dir = tk_tempdir();
	ck_assert_int_eq(setenv("ISOEPS_DATA", dir, 1), 0);
	write_idx(0, "images", 3, (size_t[]){TRAIN, SIDE, SIDE}, NULL);
	write_idx(1, "labels", 1, (size_t[]){TRAIN}, labels);
	write_idx(2, "test-images", 3, (size_t[]){TEST, SIDE, SIDE}, NULL);
	write_idx(3, "test-labels", 1, (size_t[]){TEST}, test_labels);
}

static void check_part(const iso_table *t, size_t part, const uint8_t *label, size_t n)
{
	ck_assert_uint_eq(t->n, n);
	ck_assert_uint_eq(t->schema->npixel, PIXELS);
	for (size_t r = 0; r < n; r++) {
		ck_assert_uint_eq(t->id[r], r);
		ck_assert_uint_eq(iso_table_label(t, r), label[r]);
		for (size_t p = 0; p < PIXELS; p++)
			ck_assert_uint_eq(t->pixels[r * PIXELS + p], ink(part, r, p));
	}
	tk_ok(iso_table_check(t, &err));
}

START_TEST(joined)
{
	iso_dataset *d;

	write_all();
	tk_ok(iso_dataset_load("hand-made", NULL, &d, &err));
	check_part(d->table, 0, labels, TRAIN);
	check_part(d->test, 1, test_labels, TEST);
	iso_dataset_free(d);
}
END_TEST

/* Training and test part in one table, in this order. */
START_TEST(merged)
{
	cJSON *o = cJSON_Parse("{\"merge_test\":true}");
	iso_dataset *d;

	write_all();
	tk_ok(iso_dataset_load("hand-made", o, &d, &err));
	ck_assert_uint_eq(d->table->n, TRAIN + TEST);
	ck_assert_ptr_null(d->test);
	for (size_t r = 0; r < TRAIN + TEST; r++) {
		const size_t part = r >= TRAIN, own = part ? r - TRAIN : r;

		ck_assert_uint_eq(iso_table_label(d->table, r),
				  part ? test_labels[own] : labels[own]);
		for (size_t p = 0; p < PIXELS; p++)
			ck_assert_uint_eq(d->table->pixels[r * PIXELS + p], ink(part, own, p));
	}
	iso_dataset_free(d);
	cJSON_Delete(o);
}
END_TEST

START_TEST(refused)
{
	static const uint8_t outside[] = {7, 10, 9};
	static const char *const words[] = {"wrong image size", "wrong image size",
					    "differ in number", "differ in number",
					    "image 1 has label 10"};
	iso_dataset *d = NULL;

	write_all();
	if (_i == 0)
		write_idx(0, "images", 3, (size_t[]){TRAIN, SIDE, SIDE - 1}, NULL);
	if (_i == 1)
		write_idx(0, "images", 2, (size_t[]){TRAIN, PIXELS}, NULL);
	if (_i == 2)
		write_idx(1, "labels", 1, (size_t[]){TRAIN - 1}, labels);
	if (_i == 3)
		write_idx(1, "labels", 2, (size_t[]){TRAIN, 1}, labels);
	if (_i == 4)
		write_idx(1, "labels", 1, (size_t[]){TRAIN}, outside);
	tk_fails(iso_dataset_load("hand-made", NULL, &d, &err), ISO_E_DATA, words[_i]);
	ck_assert_ptr_null(d);
}
END_TEST

/* A file that is not the pinned one is refused before it is read. */
START_TEST(another_file)
{
	iso_dataset *d = NULL;
	char keep[65];

	write_all();
	memcpy(keep, pin[1], sizeof(keep));
	write_idx(1, "labels", 1, (size_t[]){TRAIN}, (const uint8_t[]){7, 0, 8});
	memcpy(pin[1], keep, sizeof(keep));
	tk_fails(iso_dataset_load("hand-made", NULL, &d, &err), ISO_E_DATA, "labels");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("IDX joins");
	TCase *c = tcase_create("idx");

	tcase_add_test(c, joined);
	tcase_add_test(c, merged);
	tcase_add_loop_test(c, refused, 0, 5);
	tcase_add_test(c, another_file);
	suite_add_tcase(s, c);
	return tk_run(s);
}
