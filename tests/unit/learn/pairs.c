// SPDX-License-Identifier: Apache-2.0
/* Distances on codes against the one-hot attack encoding, nearest rows against a sort, densities
 * against the sum written out. */
#include "core/data/encode.h"
#include "core/learn/kde.h"
#include "tests/support/testkit.h"

static const char text[] =
	"{\"name\":\"toy\",\"columns\":["
	"{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[-2,3]},"
	"{\"name\":\"b\",\"type\":\"integer\",\"bounds\":[0,10],\"missing\":[\"?\"]},"
	"{\"name\":\"k\",\"type\":\"categorical\",\"categories\":[\"x\",\"y\",\"z\"],\"missing\":["
	"\"?\"]},"
	"{\"name\":\"id\",\"type\":\"integer\",\"role\":\"id\",\"bounds\":[0,99]},"
	"{\"name\":\"label\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"no\",\"yes\"]"
	"}]}";

static iso_error err;
static iso_schema *schema;

static iso_table *rows(size_t n, uint64_t seed)
{
	iso_stream s = iso_stream_new(iso_key_new(seed, "pairs"));
	iso_table *t;

	if (!schema) {
		cJSON *v = cJSON_Parse(text);

		tk_ok(iso_schema_from_json(v, "toy", &schema, &err));
		cJSON_Delete(v);
	}
	tk_ok(iso_table_new(schema, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		double *c = t->cells + r * schema->ncol;

		c[0] = -2 + 5 * iso_next_u01(&s);
		c[1] = iso_next_below(&s, 5) ? (double)iso_next_below(&s, 11) : NAN;
		c[2] = iso_next_below(&s, 5) ? (double)iso_next_below(&s, 3) : NAN;
		c[3] = NAN;
		c[4] = (double)iso_next_below(&s, 2);
	}
	return t;
}

START_TEST(as_one_hot)
{
	iso_table *a = rows(30, 1), *b = rows(40, 2);
	iso_rowset x, y;
	iso_encoder *e;
	float *u, *v, d2[40], best[3];
	double dist[30 * 3];
	size_t place[30 * 3], at[3];

	tk_ok(iso_rowset_new(a, &x, &err));
	tk_ok(iso_rowset_new(b, &y, &err));
	ck_assert(x.d == 5 && x.nnumber == 3);
	tk_ok(iso_encoder_new(schema, ISO_ENC_FEATURES | ISO_ENC_LABEL | ISO_ENC_ATTACK, &e, &err));
	tk_ok(iso_encode_new(e, a, &u, &err));
	tk_ok(iso_encode_new(e, b, &v, &err));
	tk_ok(iso_pair_nearest(&x, &y, 3, 0, dist, place, &err));
	for (size_t i = 0; i < 30; i++) {
		iso_pair_distances(&x, i, &y, d2);
		for (size_t r = 0; r < 40; r++) {
			double want = 0;

			for (size_t j = 0; j < e->dim; j++)
				want += pow((double)u[i * e->dim + j] - (double)v[r * e->dim + j],
					    2);
			tk_assert_close((double)d2[r], want, 1e-5, 1e-6);
		}
		iso_smallest(d2, 40, 3, SIZE_MAX, best, at);
		for (size_t j = 0; j < 3; j++) {
			size_t below = 0;

			ck_assert_uint_eq(at[j], place[i * 3 + j]);
			tk_assert_close(dist[i * 3 + j], sqrt((double)d2[at[j]]), 1e-12, 0);
			for (size_t r = 0; r < 40; r++)
				below += d2[r] < d2[at[j]] || (d2[r] == d2[at[j]] && r < at[j]);
			ck_assert_uint_eq(below, j);
		}
	}
	tk_ok(iso_pair_nearest(&x, &x, 1, 1, dist, place, &err));
	for (size_t i = 0; i < 30; i++)
		ck_assert_uint_ne(place[i], i);
	iso_smallest(d2, 2, 3, 0, best, at); /* fewer than asked for */
	ck_assert(at[0] == 1 && at[1] == SIZE_MAX && isinf(best[1]));
	iso_free(u);
	iso_free(v);
	iso_encoder_free(e);
	iso_rowset_free(&x);
	iso_rowset_free(&y);
	iso_table_free(a);
	iso_table_free(b);
}
END_TEST

START_TEST(density)
{
	iso_table *a = rows(50, 3), *b = rows(9, 4);
	iso_rowset x, q;
	iso_kde k;
	double got[9];
	float d2[50];

	tk_ok(iso_rowset_new(a, &x, &err));
	tk_ok(iso_rowset_new(b, &q, &err));
	tk_ok(iso_kde_init(&k, &x, 0.3, iso_key_new(1, "k"), &err));
	tk_ok(iso_kde_log_density(&k, &q, got, &err));
	for (size_t i = 0; i < 9; i++) {
		double sum = 0;

		iso_pair_distances(&q, i, &x, d2);
		for (size_t r = 0; r < 50; r++)
			sum += exp(-(double)d2[r] / (2 * 0.09));
		tk_assert_close(got[i], log(sum / 50) - 5 * log(0.3), 1e-5, 1e-5);
	}
	/* The bandwidth of leave-one-out beats its neighbours on the grid. */
	tk_ok(iso_kde_init(&k, &x, 0, iso_key_new(1, "k"), &err));
	double fit[3];
	for (int g = 0; g < 3; g++) {
		const double h = k.h * (g == 0 ? sqrt(0.5) : g == 1 ? 1 : sqrt(2));

		fit[g] = 0;
		for (size_t i = 0; i < 50; i++) {
			double sum = 0;

			iso_pair_distances(&x, i, &x, d2);
			for (size_t r = 0; r < 50; r++)
				sum += r == i ? 0 : exp(-(double)d2[r] / (2 * h * h));
			fit[g] += log(sum) - 5 * log(h);
		}
	}
	ck_assert_msg(fit[1] >= fit[0] && fit[1] >= fit[2], "h %g: %g %g %g", k.h, fit[0], fit[1],
		      fit[2]);
	x.n = 1;
	tk_fails(iso_kde_init(&k, &x, 0, iso_key_new(1, "k"), &err), ISO_E_UNSUPPORTED, "two rows");
	x.n = 50;
	iso_rowset_free(&x);
	iso_rowset_free(&q);
	iso_table_free(a);
	iso_table_free(b);
}
END_TEST

/* More rows than a block and more queries than a group: every sum is that of its pair alone, and
 * the nearest are those of a plain search. */
START_TEST(across_blocks)
{
	enum { N = 2 * 2048 + 7, M = 35, K = 3 };
	iso_table *a = rows(M, 5), *b = rows(N, 6);
	iso_rowset x, y;
	float *d2 = iso_alloc(M * N, sizeof(*d2));
	double dist[M * K];
	size_t place[M * K];

	tk_ok(iso_rowset_new(a, &x, &err));
	tk_ok(iso_rowset_new(b, &y, &err));
	iso_pair_distances_of(&x, 0, M, &y, d2);
	tk_ok(iso_pair_nearest(&x, &y, K, 0, dist, place, &err));
	for (size_t i = 0; i < M; i++) {
		size_t at[K];
		float best[K];

		for (size_t j = 0; j < K; j++)
			best[j] = INFINITY;
		for (size_t r = 0; r < N; r++) {
			float v = 0;

			for (size_t j = 0; j < x.d; j++) {
				const float u = x.x[j * M + i], w = y.x[j * N + r];
				v += j < x.nnumber ? (u - w) * (u - w) : (float)(u != w);
			}
			ck_assert_msg(d2[i * N + r] == v, "row %zu, %zu", i, r);
			for (size_t j = 0; j < K; j++)
				if (v < best[j]) {
					for (size_t l = K - 1; l > j; l--) {
						best[l] = best[l - 1];
						at[l] = at[l - 1];
					}
					best[j] = v;
					at[j] = r;
					break;
				}
		}
		for (size_t j = 0; j < K; j++) {
			ck_assert_uint_eq(place[i * K + j], at[j]);
			ck_assert(dist[i * K + j] == sqrt((double)best[j]));
		}
		tk_assert_close((double)iso_least_distance(d2 + i * N, N), (double)best[0], 0, 0);
	}
	ck_assert(isinf(iso_least_distance(d2, 0)));
	iso_free(d2);
	iso_rowset_free(&x);
	iso_rowset_free(&y);
	iso_table_free(a);
	iso_table_free(b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pairs");
	TCase *t = tcase_create("pairs");

	tcase_add_test(t, as_one_hot);
	tcase_add_test(t, across_blocks);
	tcase_add_test(t, density);
	suite_add_tcase(s, t);
	return tk_run(s);
}
