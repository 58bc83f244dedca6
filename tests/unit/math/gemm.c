// SPDX-License-Identifier: Apache-2.0
/* Oracles: the naive triple loop of the C library's fmaf (bit-exact, every instruction set),
 * OpenBLAS (to rounding), and the elementwise functions applied afterwards. */
#include "core/math/gemm.h"

#include <stdint.h>
#include <string.h>

#include "core/math/blas.h"
#include "core/math/vmath.h"
#include "tests/support/testkit.h"

static const iso_isa all_isas[] = {ISO_ISA_PORTABLE, ISO_ISA_AVX2, ISO_ISA_AVX512};

/* High-entropy values over several binades: any other order of summation shows in the last bits. */
static uint64_t state = 88172645463325252u;
static float entropy(void)
{
	uint64_t r;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	r = state * 2685821657736338717u;
	return ldexpf((float)(int32_t)(r >> 32) * 0x1p-31f, (int)(r & 7) - 4);
}

static float *matrix(size_t rows, size_t ld)
{
	float *x = iso_alloc(rows * ld + 1, sizeof(*x));
	size_t i;

	ck_assert_ptr_nonnull(x);
	for (i = 0; i < rows * ld; i++)
		x[i] = entropy();
	return x;
}

typedef struct sizes {
	iso_trans t;
	size_t m, n, k;
	size_t pad_a, pad_b, pad_c; /* extra columns of storage */
	size_t shift;		    /* floats by which all bases are moved off their alignment */
	int beta;
} sizes;

static size_t lda_of(const sizes *s)
{
	return (s->t == ISO_TN ? s->m : s->k) + s->pad_a;
}

static size_t ldb_of(const sizes *s)
{
	return (s->t == ISO_NT ? s->k : s->n) + s->pad_b;
}

static void naive(const sizes *s, const float *a, const float *b, float *c, size_t ldc)
{
	const size_t lda = lda_of(s), ldb = ldb_of(s);
	size_t i, j, k;

	for (i = 0; i < s->m; i++) {
		for (j = 0; j < s->n; j++) {
			float acc = s->beta ? c[i * ldc + j] : 0;

			for (k = 0; k < s->k; k++)
				acc = fmaf(s->t == ISO_TN ? a[k * lda + i] : a[i * lda + k],
					   s->t == ISO_NT ? b[j * ldb + k] : b[k * ldb + j], acc);
			c[i * ldc + j] = acc;
		}
	}
}

static float act_of(iso_act act, float x)
{
	switch (act) {
	case ISO_ACT_RELU:
		return x < 0 ? 0 : x;
	case ISO_ACT_LRELU:
		return x < 0 ? x * ISO_LRELU_SLOPE : x;
	case ISO_ACT_TANH:
		iso_vtanh(1, &x, &x);
		return x;
	case ISO_ACT_SIGMOID:
		iso_vsigmoid(1, &x, &x);
		return x;
	default:
		return x;
	}
}

/* |x|^2 by 16 chains and a tree, as gemm.h defines it. */
static float naive_norm2(const float *x, size_t n)
{
	float s[16] = {0};
	size_t j, l;

	for (j = 0; j < n; j++)
		s[j % 16] = fmaf(x[j], x[j], s[j % 16]);
	for (j = 8; j > 0; j /= 2)
		for (l = 0; l < j; l++)
			s[l] += s[l + j];
	return s[0];
}

static void naive_epilogue(const sizes *s, const iso_epilogue *e, float *c, size_t ldc,
			   float *norm2)
{
	size_t i, j;

	for (i = 0; i < s->m; i++) {
		for (j = 0; j < s->n; j++) {
			float x = c[i * ldc + j], h;

			if (e->bias)
				x += e->bias[j];
			x = act_of(e->act, x);
			if (e->deriv_of) {
				h = e->deriv_of[i * e->deriv_ld + j];
				x *= e->deriv_act == ISO_ACT_RELU ? (h > 0 ? 1.0f : 0.0f)
				     : e->deriv_act == ISO_ACT_LRELU
					     ? (h > 0 ? 1.0f : ISO_LRELU_SLOPE)
				     : e->deriv_act == ISO_ACT_TANH    ? 1.0f - h * h
				     : e->deriv_act == ISO_ACT_SIGMOID ? h * (1.0f - h)
								       : 1.0f;
			}
			c[i * ldc + j] = x;
		}
		norm2[i] += naive_norm2(c + i * ldc, s->n);
	}
}

/* Equal bits; any NaN equals any NaN (which payload survives depends on the operand order). */
static int same(const float *a, const float *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (memcmp(a + i, b + i, sizeof(*a)) != 0 && !(isnan(a[i]) && isnan(b[i])))
			return 0;
	return 1;
}

/* One product on every instruction set against the naive loop, epilogue included (e->row_norm2 is
 * ignored: norms are always asked for when e is given).  Storage outside the result must stay as it
 * was. */
static void check(const sizes *s, const iso_epilogue *e, const float *a, const float *b)
{
	const size_t ldc = s->n + s->pad_c, size = s->m * ldc;
	float *c0 = matrix(s->m ? s->m : 1, ldc ? ldc : 1),
	      *want = iso_alloc(size + 1, sizeof(float)),
	      *got = iso_alloc(size + 1 + s->shift, sizeof(float)),
	      *norm = iso_alloc(s->m + 1, sizeof(float)),
	      *norm_want = iso_alloc(s->m + 1, sizeof(float));
	size_t v, i;

	memcpy(want, c0, size * sizeof(float));
	naive(s, a, b, want, ldc);
	for (i = 0; i < s->m; i++)
		norm_want[i] = (float)i * 0.3f;
	if (e)
		naive_epilogue(s, e, want, ldc, norm_want);
	for (v = 0; v < ISO_COUNT(all_isas); v++) {
		iso_epilogue with = {0};

		if (!iso_isa_force(all_isas[v]))
			continue;
		if (e)
			with = *e;
		with.row_norm2 = norm;
		memcpy(got + s->shift, c0, size * sizeof(float));
		for (i = 0; i < s->m; i++)
			norm[i] = (float)i * 0.3f;
		iso_gemm(s->t, s->m, s->n, s->k, a, lda_of(s), b, ldb_of(s), s->beta,
			 got + s->shift, ldc, e ? &with : NULL);
		ck_assert_msg(same(got + s->shift, want, size),
			      "%s: transposition %d, %zu x %zu x %zu, beta %d differs",
			      iso_isa_name(all_isas[v]), (int)s->t, s->m, s->n, s->k, s->beta);
		ck_assert_msg(!e || same(norm, norm_want, s->m),
			      "%s: row norms of %zu x %zu x %zu differ", iso_isa_name(all_isas[v]),
			      s->m, s->n, s->k);
	}
	iso_free(c0);
	iso_free(want);
	iso_free(got);
	iso_free(norm);
	iso_free(norm_want);
}

static void check_sizes(const sizes *s, const iso_epilogue *e)
{
	float *a = matrix((s->t == ISO_TN ? s->k : s->m) + 2, lda_of(s)),
	      *b = matrix((s->t == ISO_NT ? s->n : s->k) + 2, ldb_of(s));

	check(s, e, a + s->shift, b + s->shift);
	iso_free(a);
	iso_free(b);
}

START_TEST(small_sizes_all_combinations)
{
	static const size_t sides[] = {0, 1, 2, 3, 4, 5, 7, 13, 15, 17, 33};
	size_t i, j, l;
	int t;

	for (t = ISO_NN; t <= ISO_TN; t++)
		for (i = 0; i < ISO_COUNT(sides); i++)
			for (j = 0; j < ISO_COUNT(sides); j++)
				for (l = 0; l < ISO_COUNT(sides); l++)
					check_sizes(&(sizes){(iso_trans)t, sides[i], sides[j],
							     sides[l], l % 3, i % 2, j % 4,
							     (i + j + l) % 2, (int)(i + l) % 2},
						    NULL);
}
END_TEST

START_TEST(training_shapes)
{
	/* m, n, k: more than one block of rows, of columns and of k; ragged everywhere; strides
	 * that share sets */
	static const size_t s[][3] = {
		{64, 128, 110}, {64, 64, 30},	{128, 128, 784}, {115, 600, 300}, {600, 1, 128},
		{61, 1030, 65}, {30, 514, 523}, {64, 40, 512},	 {40, 64, 1024},  {257, 3, 77}};
	size_t i;
	int t;

	for (t = ISO_NN; t <= ISO_TN; t++)
		for (i = 0; i < ISO_COUNT(s); i++)
			check_sizes(&(sizes){(iso_trans)t, s[i][0], s[i][1], s[i][2], 0, 0, 0,
					     i % 2, (int)i % 2},
				    NULL);
}
END_TEST

START_TEST(random_sizes)
{
	int i;

	for (i = 0; i < 300; i++) {
		uint64_t r;

		entropy();
		r = state * 2685821657736338717u;
		check_sizes(&(sizes){(iso_trans)(r % 3), 1 + (r >> 8) % 90, 1 + (r >> 16) % 90,
				     (r >> 24) % 70, (r >> 32) % 5, (r >> 36) % 5, (r >> 40) % 5,
				     (r >> 44) % 3, (int)(r >> 48) % 2},
			    NULL);
	}
}
END_TEST

START_TEST(epilogues)
{
	static const size_t dims[][3] = {{5, 7, 9},   {14, 32, 20}, {64, 110, 300},
					 {33, 2, 40}, {40, 530, 3}, {20, 20, 0}};
	size_t d;
	int act, deriv, bits;

	for (d = 0; d < ISO_COUNT(dims); d++) {
		const size_t m = dims[d][0], n = dims[d][1];
		float *bias = matrix(1, n), *h = matrix(m, n + 3);

		for (act = ISO_ACT_LINEAR; act <= ISO_ACT_SIGMOID; act++) {
			for (deriv = ISO_ACT_LINEAR; deriv <= ISO_ACT_SIGMOID; deriv++) {
				for (bits = 0; bits < 4; bits++) {
					iso_epilogue e = {.bias = bits & 1 ? bias : NULL,
							  .act = (iso_act)act,
							  .deriv_of = bits & 2 ? h : NULL,
							  .deriv_ld = n + 3,
							  .deriv_act = (iso_act)deriv};

					check_sizes(&(sizes){(iso_trans)((act + deriv) % 3), m, n,
							     dims[d][2], 0, 0, bits % 2 ? 0 : 2, 0,
							     (bits + act) % 2},
						    &e);
				}
			}
		}
		iso_free(bias);
		iso_free(h);
	}
}
END_TEST

/* NaN and infinities reach exactly the outputs that the naive loop gives them to; subnormals and
 * signed zeros too. */
START_TEST(special_values_pass_through)
{
	static const float odd[] = {NAN,       INFINITY,     -INFINITY,	     -0.0f,
				    0x1p-140f, -0x1.8p-149f, 0x1.fffffep127f};
	static const size_t dims[][3] = {{20, 35, 40}, {37, 3, 21}, {1, 1, 1}, {15, 16, 270}};
	size_t d, i;
	int t, place;

	for (t = ISO_NN; t <= ISO_TN; t++) {
		for (d = 0; d < ISO_COUNT(dims); d++) {
			for (place = 0; place < 21; place++) {
				sizes s = {(iso_trans)t,
					   dims[d][0],
					   dims[d][1],
					   dims[d][2],
					   0,
					   0,
					   0,
					   0,
					   0};
				size_t na = s.m * s.k, nb = s.n * s.k;
				float *a = matrix(s.m, s.k), *b = matrix(s.n, s.k);
				iso_epilogue e = {.act = (iso_act)(place % 3)};

				for (i = 0; i < 3; i++)
					a[(size_t)(place * 7919 + (int)i * 104729) % na] =
						odd[(size_t)place % 7];
				b[(size_t)(place * 31) % nb] = odd[(size_t)(place / 3) % 7];
				check(&s, place % 2 ? &e : NULL, a, b);
				iso_free(a);
				iso_free(b);
			}
		}
	}
}
END_TEST

/* Halfway and nearly halfway sums, subnormal results, cancellation: where emulated fusing would go
 * wrong. */
START_TEST(portable_fuses_like_the_hardware)
{
	enum { N = 200000 };
	static const float factor[] = {1.5f, 0x1.000002p-40f};
	float *a = iso_alloc(N, sizeof(*a)), *c = iso_alloc(N, sizeof(*c)), b[100];
	size_t i;

	for (i = 0; i < N; i++) {
		uint64_t r;
		uint32_t w;

		entropy();
		r = state * 2685821657736338717u;
		w = (uint32_t)(r >> 32);
		if (i % 4 == 1)
			w &= 0xfffff000u; /* few bits: exact halves */
		if (i % 4 == 2)
			w = (w & 0x80ffffffu) | 0x1f000000u; /* products that go subnormal */
		memcpy(a + i, &w, sizeof(w));
		c[i] = i % 5 ? ldexpf(entropy(), (int)(r % 60) - 30) : -a[i] * 1.5f;
	}
	for (i = 0; i < 2; i++) {
		float *want = iso_alloc(N, sizeof(*want)), *got = iso_alloc(N, sizeof(*got));
		size_t j, v;

		for (j = 0; j < 100; j++)
			b[j] = factor[i];
		for (v = 0; v < ISO_COUNT(all_isas); v++) {
			if (!iso_isa_force(all_isas[v]))
				continue;
			for (j = 0; j < N; j++)
				want[j] = fmaf(a[j / 100], b[j % 100], c[j]);
			memcpy(got, c, N * sizeof(*c));
			iso_gemm(ISO_NN, N / 100, 100, 1, a, 1, b, 100, 1, got, 100, NULL);
			ck_assert_msg(same(got, want, N), "%s: tiles", iso_isa_name(all_isas[v]));
			for (j = 0; j < N; j++)
				want[j] = fmaf(a[j], b[0], c[j]);
			memcpy(got, c, N * sizeof(*c));
			iso_gemm(ISO_NN, N, 1, 1, a, 1, b, 1, 1, got, 1, NULL);
			ck_assert_msg(same(got, want, N), "%s: one column",
				      iso_isa_name(all_isas[v]));
		}
		iso_free(want);
		iso_free(got);
	}
	iso_free(a);
	iso_free(c);
}
END_TEST

START_TEST(openblas_agrees_to_rounding)
{
	static const size_t dims[][3] = {
		{64, 128, 110}, {128, 784, 128}, {33, 17, 700}, {50, 1, 300}, {3, 9, 0}};
	size_t d, i, l;
	int t;

	for (t = ISO_NN; t <= ISO_TN; t++) {
		for (d = 0; d < ISO_COUNT(dims); d++) {
			const sizes s = {
				(iso_trans)t, dims[d][0], dims[d][1], dims[d][2], 1, 2, 0, 0,
				(int)d % 2};
			float *a = matrix((t == ISO_TN ? s.k : s.m) + 1, lda_of(&s)),
			      *b = matrix((t == ISO_NT ? s.n : s.k) + 1, ldb_of(&s)),
			      *c = matrix(s.m, s.n), *want = iso_alloc(s.m * s.n, sizeof(float));

			iso_isa_force(ISO_ISA_PORTABLE);
			for (l = 0; l < 3; l++)
				iso_isa_force(all_isas[l]);
			memcpy(want, c, s.m * s.n * sizeof(*c));
			iso_blas_sgemm(s.t, s.m, s.n, s.k, a, lda_of(&s), b, ldb_of(&s), s.beta,
				       want, s.n);
			iso_gemm(s.t, s.m, s.n, s.k, a, lda_of(&s), b, ldb_of(&s), s.beta, c, s.n,
				 NULL);
			for (i = 0; i < s.m * s.n;
			     i++) /* |sum| grows like sqrt(k), values up to 8 x 8 */
				tk_assert_close(c[i], want[i], 1e-5,
						1e-4 * (1 + sqrt((double)s.k)));
			iso_free(a);
			iso_free(b);
			iso_free(c);
			iso_free(want);
		}
	}
}
END_TEST

START_TEST(sums_and_norms)
{
	static const size_t dims[][2] = {{0, 3},   {3, 0},    {1, 1},  {17, 64},
					 {40, 67}, {33, 130}, {100, 5}};
	size_t d, i, j, v;
	int beta;

	for (d = 0; d < ISO_COUNT(dims); d++) {
		const size_t m = dims[d][0], n = dims[d][1], ld = n + d % 3;
		float *a = matrix(m + 1, ld + 1), *col = iso_alloc(n + 1, sizeof(float)),
		      *row = iso_alloc(m + 1, sizeof(float));

		for (v = 0; v < ISO_COUNT(all_isas); v++) {
			for (beta = 0; iso_isa_force(all_isas[v]) && beta < 2; beta++) {
				for (j = 0; j <= n; j++)
					col[j] = 0.1f * (float)j;
				for (i = 0; i <= m; i++)
					row[i] = 0.7f * (float)i;
				iso_col_sums(m, n, a, ld, beta, col);
				iso_row_norms2(m, n, a, ld, beta, row);
				for (j = 0; j < n; j++) {
					float s = beta ? 0.1f * (float)j : 0;

					for (i = 0; i < m; i++)
						s += a[i * ld + j];
					ck_assert(same(&s, col + j, 1));
				}
				for (i = 0; i < m; i++) {
					float s = (beta ? 0.7f * (float)i : 0) +
						  naive_norm2(a + i * ld, n);

					ck_assert(same(&s, row + i, 1));
				}
				ck_assert(col[n] == 0.1f * (float)n && row[m] == 0.7f * (float)m);
			}
		}
		iso_free(a);
		iso_free(col);
		iso_free(row);
	}
}
END_TEST

START_TEST(derivatives_in_place)
{
	float h[37], d[37], want;
	size_t v, n, i;
	int act;

	for (v = 0; v < ISO_COUNT(all_isas); v++) {
		for (n = 0; iso_isa_force(all_isas[v]) && n <= 37; n += n < 20 ? 1 : 17) {
			for (act = ISO_ACT_LINEAR; act <= ISO_ACT_SIGMOID; act++) {
				for (i = 0; i < 37; i++) {
					h[i] = i % 5 ? entropy() : 0;
					d[i] = (float)i + 1;
				}
				iso_act_backward((iso_act)act, n, h, d);
				for (i = 0; i < 37; i++) {
					want = ((float)i + 1) *
					       (i < n ? iso_act_deriv((iso_act)act, h[i]) : 1);
					ck_assert(same(d + i, &want, 1));
				}
			}
		}
	}
}
END_TEST

/* A row of the result depends on its own row of A alone. */
START_TEST(rows_do_not_touch_one_another)
{
	const size_t m = 70, n = 50, k = 300;
	float *a = matrix(m, k), *b = matrix(k, n), *c = matrix(m, n), *one = matrix(1, n);
	size_t i, v;

	for (v = 0; v < ISO_COUNT(all_isas); v++) {
		if (!iso_isa_force(all_isas[v]))
			continue;
		iso_gemm(ISO_NN, m, n, k, a, k, b, n, 0, c, n, NULL);
		for (i = 0; i < m; i++) {
			iso_gemm(ISO_NN, 1, n, k, a + i * k, k, b, n, 0, one, n, NULL);
			ck_assert(same(one, c + i * n, n));
		}
	}
	iso_free(a);
	iso_free(b);
	iso_free(c);
	iso_free(one);
}
END_TEST

START_TEST(nothing_is_allocated)
{
	float *a = matrix(200, 300), *b = matrix(300, 200), *c = matrix(200, 200);
	uint64_t before = iso_alloc_count();
	iso_epilogue e = {.act = ISO_ACT_SIGMOID};

	iso_gemm(ISO_NN, 200, 200, 300, a, 300, b, 200, 0, c, 200, &e);
	iso_gemm(ISO_NT, 200, 200, 200, a, 300, b, 200, 1, c, 200, NULL);
	ck_assert_uint_eq(iso_alloc_count(), before);
	iso_free(a);
	iso_free(b);
	iso_free(c);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(iso_isa_name(ISO_ISA_AVX512), "avx512");
	ck_assert_str_eq(iso_isa_name(ISO_ISA_AVX2), "avx2");
	ck_assert_str_eq(iso_isa_name(ISO_ISA_PORTABLE), "portable");
	ck_assert_str_eq(iso_isa_name((iso_isa)77), "unknown");
	ck_assert(iso_isa_supported(ISO_ISA_PORTABLE));
	ck_assert(!iso_isa_supported((iso_isa)77) && !iso_isa_force((iso_isa)77));
	ck_assert(iso_isa_force(ISO_ISA_PORTABLE) && iso_isa_active() == ISO_ISA_PORTABLE);
	ck_assert_str_eq(iso_gemm_backend(), "own");
	ck_assert(iso_act_deriv(ISO_ACT_LINEAR, 3) == 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("math/gemm");
	TCase *t = tcase_create("gemm");

	unsetenv("ISOEPS_GEMM");
	tcase_add_test(t, small_sizes_all_combinations);
	tcase_add_test(t, training_shapes);
	tcase_add_test(t, random_sizes);
	tcase_add_test(t, epilogues);
	tcase_add_test(t, special_values_pass_through);
	tcase_add_test(t, portable_fuses_like_the_hardware);
	tcase_add_test(t, openblas_agrees_to_rounding);
	tcase_add_test(t, sums_and_norms);
	tcase_add_test(t, derivatives_in_place);
	tcase_add_test(t, rows_do_not_touch_one_another);
	tcase_add_test(t, nothing_is_allocated);
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	return tk_run(s);
}
