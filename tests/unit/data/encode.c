// SPDX-License-Identifier: Apache-2.0
/* The inverse on every data set that is present, binning and its inverse, draws, wild inputs. */
#include "core/data/encode.h"

#include <stdio.h>
#include <string.h>

#include "core/data/catalogue.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_schema *parse_schema(const char *text)
{
	iso_schema *s = NULL;
	cJSON *v = NULL;

	tk_ok(iso_json_parse(text, strlen(text), "s", &v, &err));
	tk_ok(iso_schema_from_json(v, "s", &s, &err));
	cJSON_Delete(v);
	return s;
}

static const char mixed[] =
	"{\"name\":\"t\",\"columns\":["
	"{\"name\":\"key\",\"role\":\"id\"},"
	"{\"name\":\"age\",\"type\":\"integer\",\"bounds\":[0,100],\"missing\":[\"?\"]},"
	"{\"name\":\"dose\",\"type\":\"continuous\",\"bounds\":[-1,3],\"decimals\":1},"
	"{\"name\":\"job\",\"type\":\"categorical\",\"categories\":[\"a\",\"b\",\"c\"],\"missing\":"
	"[\"?\"]},"
	"{\"name\":\"im\",\"type\":\"pixel\",\"shape\":[1,2]},"
	"{\"name\":\"y\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"n\",\"p\"]}]}";

START_TEST(test_layout)
{
	static const char csv[] = "age,dose,job,im_0,im_1,y\n50,1,b,0,255,p\n?,3,?,51,102,n\n";
	static const float want[2][10] = {{0.5f, 0, 0.5f, 0, 1, 0, 0, 0, 1, 0},
					  {0.5f, 1, 1, 0, 0, 0, 1, 0.2f, 0.4f, 0}};
	iso_schema *s = parse_schema(mixed);
	iso_encoder *e, *both;
	iso_table *t;
	float *x;

	tk_ok(iso_table_parse_csv(csv, strlen(csv), "c", s, &t, &err));
	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES, &e, &err));
	ck_assert_uint_eq(e->dim, 9);
	ck_assert_uint_eq(e->nblock, 5);
	ck_assert_int_eq(e->block[1].kind, ISO_BLOCK_INDICATOR);
	ck_assert_uint_eq(e->block[3].width, 4);
	tk_ok(iso_encode_new(e, t, &x, &err));
	for (size_t r = 0; r < 2; r++)
		for (size_t i = 0; i < 9; i++)
			ck_assert_msg(x[r * 9 + i] == want[r][i], "row %zu, place %zu: %g", r, i,
				      (double)x[r * 9 + i]);
	iso_free(x);
	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES | ISO_ENC_LABEL | ISO_ENC_ATTACK, &both, &err));
	ck_assert_uint_eq(both->dim, 11);
	tk_ok(iso_encode_new(both, t, &x, &err));
	/* a mismatch of one category costs distance 1 */
	tk_assert_close((double)(x[9] - x[20]) * (double)(x[9] - x[20]) +
				(double)(x[10] - x[21]) * (double)(x[10] - x[21]),
			1, 1e-6, 0);
	iso_free(x);
	iso_encoder_free(e);
	iso_encoder_free(both);
	iso_table_free(t);
	iso_schema_free(s);
	s = parse_schema("{\"name\":\"t\",\"columns\":[{\"name\":\"key\",\"role\":\"id\"}]}");
	tk_fails(iso_encoder_new(s, ISO_ENC_FEATURES, &e, &err), ISO_E_UNSUPPORTED,
		 "nothing to encode");
	iso_schema_free(s);
}
END_TEST

/* What decoding may change: the value to the grain of its column, where the file has more digits
 * than that. */
static double at_grain(const iso_column *c, double x)
{
	char text[400];

	if (isnan(x) || iso_is_discrete(c) || c->type == ISO_INTEGER || c->decimals < 0)
		return x;
	snprintf(text, sizeof(text), "%.*f", c->decimals, x);
	return strtod(text, NULL);
}

static void check_inverse(const iso_table *t, size_t most, unsigned extra, size_t *cells,
			  size_t *rounded)
{
	const iso_schema *s = t->schema;
	iso_encoder *e;
	iso_table *back;
	float x[4096];
	size_t n = t->n < most ? t->n : most;

	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES | ISO_ENC_LABEL | extra, &e, &err));
	tk_ok(iso_table_new(s, 1, &back, &err));
	ck_assert_uint_le(e->dim, 4096);
	for (size_t r = 0; r < n; r++) {
		uint32_t row = (uint32_t)r;
		int inside = 1;

		iso_encode(e, t, &row, 1, x, e->dim);
		for (size_t i = 0; i < e->dim; i++)
			inside &= x[i] >= 0 && x[i] <= 1;
		iso_decode(e, x, e->dim, 1, NULL, back, 0);
		for (size_t c = 0; c < s->ncol; c++) {
			double a = iso_table_cell(t, r, c), b = iso_table_cell(back, 0, c),
			       want = at_grain(&s->column[c], a);

			if (s->column[c].role == ISO_ID)
				continue;
			*cells += 1;
			*rounded += want != a && !isnan(a);
			/* a value between two grains may go to either */
			if (b == want || (isnan(b) && isnan(want)) ||
			    (want != a && fabs(b - a) < pow(10, -s->column[c].decimals)))
				continue;
			ck_abort_msg("%s row %zu column %s: %.17g became %.17g", s->name, r,
				     s->column[c].name, a, b);
		}
		inside &= !s->npixel ||
			  memcmp(t->pixels + r * s->npixel, back->pixels, s->npixel) == 0;
		ck_assert_msg(inside, "%s row %zu: pixels changed, or encoded outside [0, 1]",
			      s->name, r);
	}
	iso_table_free(back);
	iso_encoder_free(e);
}

/* Grain-free columns and the finest grain that a float carries. */
static int is_published_finer(const char *name)
{
	return strcmp(name, "wine-quality") == 0 || strcmp(name, "cervical-cancer") == 0;
}

START_TEST(test_inverse_on_all_data)
{
	size_t sets = 0;

	for (size_t i = 0; i < iso_dataset_count(); i++) {
		const iso_dataset_info *info = iso_dataset_at(i);
		size_t cells = 0, rounded = 0;
		iso_dataset *d = NULL;
		iso_str where = {0};
		int present = 0;

		tk_ok(iso_dataset_locate(info->name, &where, &present, &err));
		iso_str_free(&where);
		if (!present)
			continue;
		tk_ok(iso_dataset_load(info->name, NULL, &d, &err));
		check_inverse(d->table, d->schema->npixel ? 3000 : SIZE_MAX, 0, &cells, &rounded);
		check_inverse(d->table, 1000, ISO_ENC_ATTACK, &cells, &rounded);
		if (d->test)
			check_inverse(d->test, 1000, 0, &cells, &rounded);
		ck_assert_msg(rounded == 0 || is_published_finer(info->name),
			      "%s: %zu cells finer than the grain", info->name, rounded);
		iso_dataset_free(d);
		sets++;
	}
	ck_assert_uint_ge(sets, 6); /* the embedded ones at least */
}
END_TEST

/* Every grid point of awkward grains, both ends included. */
START_TEST(test_inverse_on_grids)
{
	static const struct {
		double lo, hi;
		int decimals;
	} grid[] = {{0, 1, 4},	      {-1, 3, 3},    {0.95, 1.1, 6},
		    {0, 870, 2},      {2.5, 4.5, 2}, {-1000000, 2000000, 0},
		    {0.125, 7.625, 3}};

	for (size_t g = 0; g < ISO_COUNT(grid); g++) {
		char text[256];
		double power = pow(10, grid[g].decimals), steps;
		size_t cells = 0, rounded = 0, n = 0;
		iso_schema *s;
		iso_table *t;

		snprintf(text, sizeof(text),
			 "{\"name\":\"g\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\","
			 "\"bounds\":[%.17g,%.17g],"
			 "\"decimals\":%d}]}",
			 grid[g].lo, grid[g].hi, grid[g].decimals);
		s = parse_schema(text);
		steps = floor((grid[g].hi - grid[g].lo) * power + 0.5);
		tk_ok(iso_table_new(s, 20001, &t, &err));
		for (size_t i = 0; i <= 20000; i++) {
			double k = steps <= 20000 ? (double)i : floor((double)i / 20000 * steps);

			snprintf(text, sizeof(text), "%.*f", grid[g].decimals,
				 grid[g].lo + k / power);
			if (k <= steps && strtod(text, NULL) <= grid[g].hi)
				t->cells[n++] = strtod(text, NULL);
		}
		t->n = n;
		check_inverse(t, SIZE_MAX, 0, &cells, &rounded);
		ck_assert_uint_eq(rounded, 0);
		iso_table_free(t);
		iso_schema_free(s);
	}
}
END_TEST

/* Integers of 2 to 14 values as bits: every value goes there and back; the code by hand; a code of
 * no value, and one that is missing, are inside the bounds and the missing codes. */
START_TEST(test_bits)
{
	static const char text[] =
		"{\"name\":\"b\",\"columns\":["
		"{\"name\":\"a\",\"type\":\"integer\",\"bounds\":[0,13]},"
		"{\"name\":\"b\",\"type\":\"integer\",\"bounds\":[-5,-3],\"missing\":[\"?\"]},"
		"{\"name\":\"c\",\"type\":\"integer\",\"bounds\":[7,8]},"
		"{\"name\":\"d\",\"type\":\"integer\",\"bounds\":[0,14]},"
		"{\"name\":\"lat\",\"type\":\"latitude\"}]}";
	static const iso_block_kind kind[] = {ISO_BLOCK_BITS,	   ISO_BLOCK_BITS,
					      ISO_BLOCK_INDICATOR, ISO_BLOCK_BITS,
					      ISO_BLOCK_NUMERIC,   ISO_BLOCK_NUMERIC};
	static const size_t width[] = {4, 2, 1, 1, 1, 1};
	static const float thirteen[] = {1, 0, 1, 1};
	iso_schema *s = parse_schema(text);
	iso_encoder *e;
	iso_table *t, *back;
	float *x;

	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES | ISO_ENC_BITS, &e, &err));
	ck_assert_uint_eq(e->nblock, 6);
	ck_assert_uint_eq(e->dim, 10);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_int_eq(e->block[i].kind, kind[i]);
		ck_assert_uint_eq(e->block[i].width, width[i]);
	}
	tk_ok(iso_table_new(s, 15, &t, &err));
	tk_ok(iso_table_new(s, 15, &back, &err));
	for (size_t r = 0; r < 15; r++) {
		double *v = t->cells + r * s->ncol;

		v[0] = (double)(r % 14);
		v[1] = r % 4 == 3 ? NAN : -5 + (double)(r % 4);
		v[2] = 7 + (double)(r % 2);
		v[3] = (double)r;
		v[4] = -90 + 10 * (double)r;
	}
	tk_ok(iso_encode_new(e, t, &x, &err));
	ck_assert_int_eq(memcmp(x + 13 * 10, thirteen, sizeof thirteen), 0);
	iso_decode(e, x, 10, 15, NULL, back, 0);
	for (size_t i = 0; i < 15 * s->ncol; i++)
		ck_assert(i % s->ncol == 4 || back->cells[i] == t->cells[i] ||
			  (isnan(back->cells[i]) && isnan(t->cells[i])));
	for (size_t i = 0; i < 10; i++)
		x[i] = 1e9f; /* codes 15, 3, 1; a latitude of nowhere; missing */
	iso_decode(e, x, 10, 1, NULL, back, 0);
	ck_assert_double_eq(back->cells[0], 13);
	ck_assert(isnan(back->cells[1]));
	ck_assert_double_eq(back->cells[2], 8);
	ck_assert_double_eq(back->cells[4], 90);
	tk_ok(iso_table_check(back, &err));
	iso_free(x);
	iso_encoder_free(e);
	iso_table_free(t);
	iso_table_free(back);
	iso_schema_free(s);
}
END_TEST

/* Whatever a network emits, the decoded row is inside the schema. */
START_TEST(test_decode_wild_values)
{
	static const float wild[] = {NAN,   INFINITY, -INFINITY, 1e38f, -1e38f, 0,
				     -0.0f, 1,	      0.49999f,	 2,	-1};
	iso_key key = iso_key_new(3, "wild");
	iso_schema *s = parse_schema(mixed);
	iso_encoder *e;
	iso_table *t;
	float x[16];

	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err));
	tk_ok(iso_table_new(s, 1, &t, &err));
	for (uint64_t trial = 0; trial < 20000; trial++) {
		for (size_t i = 0; i < e->dim; i++)
			x[i] = wild[(size_t)(iso_rand_u01(key, trial, i) * ISO_COUNT(wild))];
		iso_decode(e, x, e->dim, 1, trial % 2 ? &key : NULL, t, 0);
		tk_ok(iso_table_check(t, &err));
		ck_assert_double_eq(iso_table_cell(t, 0, 2),
				    at_grain(&s->column[2], iso_table_cell(t, 0, 2)));
	}
	iso_encoder_free(e);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

/* Draws follow the block's values (chi-square, 3 cells, false alarm 1e-6: 27.6) and do not depend
 * on how rows are cut. */
START_TEST(test_draws)
{
	static const float p[] = {0.5f, 0.0f, 0.5f, 0.1f,  0.6f, 0.2f,
				  0.1f, 0.3f, 0.3f, 0.25f, 0.75f};
	enum { N = 20000 };
	iso_key key = iso_key_new(11, "draw");
	iso_schema *s = parse_schema(mixed);
	double count[4] = {0}, chi = 0;
	iso_encoder *e;
	iso_table *t, *u;
	float *x;

	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err));
	ck_assert_uint_eq(e->dim, 11);
	tk_ok(iso_table_new(s, N, &t, &err));
	tk_ok(iso_table_new(s, N, &u, &err));
	x = iso_alloc(N * e->dim, sizeof(*x));
	for (size_t i = 0; i < N * e->dim; i++)
		x[i] = p[i % e->dim];
	iso_decode(e, x, e->dim, N, &key, t, 0);
	for (size_t at = 0; at < N; at += 1000)
		iso_decode(e, x, e->dim, 1000, &key, u, at);
	for (size_t r = 0; r < N; r++) {
		double v = iso_table_cell(t, r, 3), w = iso_table_cell(u, r, 3);

		ck_assert(v == w || (isnan(v) && isnan(w)));
		count[isnan(v) ? 3 : (size_t)v]++;
	}
	for (size_t i = 0; i < 4; i++) {
		double want = N * (double)p[3 + i];

		chi += (count[i] - want) * (count[i] - want) / want;
	}
	ck_assert_msg(chi < 30.7, "chi-square %g of 3 degrees", chi);
	iso_free(x);
	iso_table_free(t);
	iso_table_free(u);
	iso_encoder_free(e);
	iso_schema_free(s);
}
END_TEST

/* A value drawn for a bin falls into that bin, for every bin of every column of every schema. */
START_TEST(test_unbin_is_inverse)
{
	static const size_t bins[] = {1, 2, 5, 10, 16, 100, 256};

	for (size_t i = 0; i < iso_dataset_count(); i++) {
		const iso_dataset_info *info = iso_dataset_at(i);
		cJSON *options = cJSON_CreateObject();
		iso_dataset *d = NULL;
		iso_table *t;

		cJSON_AddNumberToObject(options, "rows", 2);
		iso_error_clear(&err);
		if (!info->embedded || iso_dataset_load(info->name, options, &d, &err) != ISO_OK) {
			cJSON_Delete(options);
			continue;
		}
		tk_ok(iso_table_new(d->schema, 1, &t, &err));
		for (size_t k = 0; k < ISO_COUNT(bins); k++) {
			iso_binning b;

			tk_ok(iso_bin_table(t, bins[k], ISO_ENC_FEATURES | ISO_ENC_LABEL, &b,
					    &err));
			for (size_t c = 0; c < b.ncode; c++)
				for (size_t code = 0; code < b.cells[c]; code++)
					for (int u = 1; u < 10; u += 4) {
						double x = iso_unbin(d->schema, b.column[c],
								     bins[k], code, u / 10.0);
						const iso_column *col =
							&d->schema->column[b.column[c]];
						iso_binning again;

						if (col->type == ISO_PIXEL) {
							ck_assert_uint_eq((size_t)x * bins[k] / 256,
									  code);
							continue;
						}
						t->cells[b.column[c]] = x;
						tk_ok(iso_bin_table(t, bins[k],
								    ISO_ENC_FEATURES |
									    ISO_ENC_LABEL,
								    &again, &err));
						ck_assert_msg(again.code[c] == code,
							      "%s %s: bin %zu of %zu gave %.17g in "
							      "bin %u",
							      info->name, col->name, code,
							      b.cells[c], x, again.code[c]);
						iso_binning_free(&again);
						tk_ok(iso_table_check(t, &err));
					}
			iso_binning_free(&b);
		}
		iso_table_free(t);
		iso_dataset_free(d);
		cJSON_Delete(options);
	}
}
END_TEST

START_TEST(test_bins_by_hand)
{
	static const char csv[] = "age,dose,job,im_0,im_1,y\n0,-1,a,0,255,p\n100,3,c,128,127,n\n?,"
				  "1,?,1,2,n\n49,0.9,b,1,2,n\n";
	static const uint32_t want[4][6] = {
		{0, 0, 0, 0, 3, 1}, {3, 3, 2, 2, 1, 0}, {4, 2, 3, 0, 0, 0}, {1, 1, 1, 0, 0, 0}};
	iso_schema *s = parse_schema(mixed);
	iso_binning b;
	iso_table *t;

	tk_ok(iso_table_parse_csv(csv, strlen(csv), "c", s, &t, &err));
	tk_ok(iso_bin_table(t, 4, ISO_ENC_FEATURES | ISO_ENC_LABEL, &b, &err));
	ck_assert_uint_eq(b.ncode, 6);
	ck_assert_uint_eq(b.total, 5 + 4 + 4 + 4 + 4 + 2);
	ck_assert_uint_eq(b.first[3], 13);
	for (size_t r = 0; r < 4; r++)
		for (size_t c = 0; c < 6; c++)
			ck_assert_msg(b.code[r * 6 + c] == want[r][c], "row %zu code %zu: %u", r, c,
				      b.code[r * 6 + c]);
	ck_assert(isnan(iso_unbin(s, 1, 4, 4, 0.5)) && isnan(iso_unbin(s, 3, 4, 3, 0.5)));
	iso_binning_free(&b);
	tk_fails(iso_bin_table(t, 0, ISO_ENC_FEATURES, &b, &err), ISO_E_USAGE, "number of bins");
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("encode");
	TCase *t = tcase_create("encode");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, test_layout);
	tcase_add_test(t, test_inverse_on_all_data);
	tcase_add_test(t, test_inverse_on_grids);
	tcase_add_test(t, test_bits);
	tcase_add_test(t, test_decode_wild_values);
	tcase_add_test(t, test_draws);
	tcase_add_test(t, test_unbin_is_inverse);
	tcase_add_test(t, test_bins_by_hand);
	suite_add_tcase(s, t);
	return tk_run(s);
}
