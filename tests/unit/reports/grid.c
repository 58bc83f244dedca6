// SPDX-License-Identifier: Apache-2.0
/* Image grids: every pixel of the PNG against sample files written by hand. */
#include <zlib.h>

#include "core/io/file.h"
#include "reports/figures.h"
#include "tests/unit/reports/records.h"

enum { SIDE = 8, PIXELS = SIDE * SIDE, GAP = 2, WIDTH = 10 * (SIDE + GAP), STRIP = 26 };

static iso_error err;

/* ------------------------------------------------------------------ a PNG reader of its own */

static size_t word(const unsigned char *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* Grey, 8 bits, one IDAT, filter 0 on each line: [height][width], freed by the caller. */
static unsigned char *read_png(const char *path, size_t *width, size_t *height)
{
	static const char *const type[] = {"IHDR", "IDAT", "IEND"};
	char *text;
	size_t n, at = 8;
	unsigned char *lines = NULL, *grey;

	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	const unsigned char *p = (const unsigned char *)text;

	ck_assert_mem_eq(p, "\x89PNG\r\n\x1a\n", 8);
	for (int i = 0; i < 3; i++) {
		const size_t size = word(p + at);

		ck_assert(at + 12 + size <= n);
		ck_assert_mem_eq(p + at + 4, type[i], 4);
		ck_assert_uint_eq(word(p + at + 8 + size),
				  crc32(crc32(0, NULL, 0), p + at + 4, (uInt)size + 4));
		if (i == 0) {
			static const unsigned char rest[] = {8, 0, 0, 0, 0};

			ck_assert_uint_eq(size, 13);
			*width = word(p + at + 8);
			*height = word(p + at + 12);
			ck_assert_mem_eq(p + at + 16, rest, 5);
		} else if (i == 1) {
			uLongf got = (uLongf)((*width + 1) * *height), want = got;

			lines = malloc(got);
			ck_assert_int_eq(uncompress(lines, &got, p + at + 8, (uLong)size), Z_OK);
			ck_assert_uint_eq(got, want);
		}
		at += 12 + size;
	}
	ck_assert_uint_eq(at, n);
	grey = malloc(*width * *height);
	for (size_t y = 0; y < *height; y++) {
		ck_assert_uint_eq(lines[y * (*width + 1)], 0);
		memcpy(grey + y * *width, lines + y * (*width + 1) + 1, *width);
	}
	free(lines);
	iso_free(text);
	return grey;
}

START_TEST(png_round_trip)
{
	unsigned char image[3 * 5], *back;
	size_t width, height;
	char path[512];

	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (unsigned char)(251 - 17 * i);
	snprintf(path, sizeof(path), "%s/a.png", tk_tempdir());
	tk_ok(iso_png_write(path, image, 5, 3, &err));
	back = read_png(path, &width, &height);
	ck_assert(width == 5 && height == 3);
	ck_assert_mem_eq(back, image, sizeof(image));
	free(back);
}
END_TEST

START_TEST(base64_of_rfc_4648)
{
	static const char *const text[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"},
				 *const want[] = {"",	      "Zg==",	  "Zm8=",    "Zm9v",
						  "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};

	for (size_t i = 0; i < ISO_COUNT(text); i++) {
		iso_str out = {0};

		iso_base64((const unsigned char *)text[i], strlen(text[i]), &out);
		ck_assert_str_eq(out.p ? out.p : "", want[i]);
		iso_str_free(&out);
	}
}
END_TEST

/* ------------------------------------------------------------------ the grid */

/* Pixel p of sample row r of a file. */
static unsigned char ink(size_t file, size_t r, size_t p)
{
	return (unsigned char)((97 * file + 31 * r + 5 * p + p / SIDE) % 251);
}

/* Rows with these labels; the label is the last column of file 0 and the first of file 1. */
static void write_samples(const char *dir, const char *name, size_t file, const char *const *label,
			  size_t rows)
{
	iso_str text = {0};

	iso_str_add(&text, file ? "digit," : "");
	for (size_t p = 0; p < PIXELS; p++)
		iso_str_addf(&text, "%simage_%zu", p ? "," : "", p);
	iso_str_add(&text, file ? "\n" : ",digit\n");
	for (size_t r = 0; r < rows; r++) {
		if (file)
			iso_str_addf(&text, "%s,", label[r]);
		for (size_t p = 0; p < PIXELS; p++)
			iso_str_addf(&text, "%s%u", p ? "," : "", ink(file, r, p));
		if (!file)
			iso_str_addf(&text, ",%s", label[r]);
		iso_str_add(&text, "\n");
	}
	tk_write(dir, name, text.p);
	iso_str_free(&text);
}

/* Labels in order of name, two rows each, in the order of the file. */
START_TEST(grid_by_hand)
{
	static const char *const labels[2][6] = {{"7", "2", "7", "2", "7", "2"},
						 {"9", "0", "4", "0", "9", "9"}};
	/* [file][column of the strip][row of the strip]: row of the file, -1 = white */
	static const int shown[2][3][2] = {{{1, 3}, {0, 2}, {-1, -1}}, {{1, 3}, {2, -1}, {0, 4}}};
	const char *dir = tk_tempdir();
	unsigned char *want = malloc(3 * STRIP * WIDTH), *got;
	char path[600];
	size_t width, height;
	iso_records r = {.v = calloc(3, sizeof(cJSON *)), .n = 3};
	iso_aggregate a = {0};
	iso_figures f = {0};

	write_samples(dir, "s0", 0, labels[0], 6);
	write_samples(dir, "s1", 1, labels[1], 6);
	write_samples(dir, "s1.nearest", 2, labels[1], 6); /* kept beside the second */
	r.v[0] = tk_record("digits", "first", "1", 1);
	r.v[1] = tk_record("digits", "none", "1", 1);
	r.v[2] = tk_record("digits", "second", "\"inf\"", 1);
	cJSON_ReplaceItemInObject(r.v[0], "samples", cJSON_CreateString("s0"));
	cJSON_ReplaceItemInObject(r.v[2], "samples", cJSON_CreateString("s1"));
	tk_ok(iso_aggregate_new(&r, &a, &err));
	tk_ok(iso_grids_write(&a, dir, dir, &f, &err));
	ck_assert_uint_eq(f.n, 1);
	ck_assert_str_eq(f.v[0].stem, "digits-images");
	ck_assert(f.v[0].png_only && f.v[0].drawn && f.v[0].dataset == 0);
	ck_assert_str_eq(f.v[0].title,
			 "digits: real or synthetic images, top to bottom: first (epsilon 1); "
			 "second (epsilon inf), the nearest training images;");

	memset(want, 255, 3 * STRIP * WIDTH);
	for (size_t s = 0; s < 3; s++)
		for (size_t k = 0; k < 3; k++)
			for (size_t i = 0; i < 2; i++)
				for (size_t p = 0; shown[s > 0][k][i] >= 0 && p < PIXELS; p++)
					want[(s * STRIP + i * (SIDE + GAP) + p / SIDE) * WIDTH +
					     k * (SIDE + GAP) + p % SIDE] =
						ink(s, (size_t)shown[s > 0][k][i], p);
	snprintf(path, sizeof(path), "%s/digits-images.png", dir);
	got = read_png(path, &width, &height);
	ck_assert_uint_eq(width, WIDTH);
	ck_assert_uint_eq(height, 3 * STRIP);
	for (size_t i = 0; i < 3 * STRIP * WIDTH; i++)
		ck_assert_msg(got[i] == want[i], "pixel %zu of line %zu is %u and not %u",
			      i % WIDTH, i / WIDTH, got[i], want[i]);
	free(want);
	free(got);
	iso_figures_free(&f);
	iso_aggregate_free(&a);
	for (size_t i = 0; i < r.n; i++)
		cJSON_Delete(r.v[i]);
	free(r.v);
}
END_TEST

/* Samples without a square of pixels make no picture: flat columns, 63 pixels, 65 pixels. */
START_TEST(no_square_no_grid)
{
	static const size_t pixels[] = {0, 63, 65};
	const char *dir = tk_tempdir();

	for (size_t i = 0; i < ISO_COUNT(pixels); i++) {
		iso_records r = {.v = calloc(1, sizeof(cJSON *)), .n = 1};
		iso_aggregate a = {0};
		iso_figures f = {0};
		iso_str text = {0};

		for (int line = 0; line < 2; line++) {
			for (size_t p = 0; p < pixels[i]; p++)
				iso_str_addf(&text, line ? "%zu," : "image_%zu,", p);
			iso_str_add(&text, line ? "1\n" : "digit\n");
		}
		tk_write(dir, "s", text.p);
		r.v[0] = tk_record("d", "m", "1", 1);
		cJSON_ReplaceItemInObject(r.v[0], "samples", cJSON_CreateString("s"));
		tk_ok(iso_aggregate_new(&r, &a, &err));
		tk_ok(iso_grids_write(&a, dir, dir, &f, &err));
		ck_assert_uint_eq(f.n, 0);
		iso_figures_free(&f);
		iso_aggregate_free(&a);
		iso_str_free(&text);
		cJSON_Delete(r.v[0]);
		free(r.v);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("image grids");
	TCase *c = tcase_create("grid");

	tcase_add_test(c, png_round_trip);
	tcase_add_test(c, base64_of_rfc_4648);
	tcase_add_test(c, grid_by_hand);
	tcase_add_test(c, no_square_no_grid);
	suite_add_tcase(s, c);
	return tk_run(s);
}
