// SPDX-License-Identifier: Apache-2.0
/* Elementary functions: accuracy against libm in a wider type, special values, equal bits on every
 * instruction set. */
#include "core/math/vmath.h"

#include <float.h>
#include <string.h>

#include "core/math/gemm.h"
#include "tests/support/testkit.h"

/* ck_assert reports each success to the parent process; inside millions of checks only failures
 * should talk. */
#define expect(cond, ...) \
	do { \
		if (!(cond)) \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

/* Test points: splitmix64 of (what, i), as bits and in (0, 1). */
static uint64_t point_bits(uint64_t what, uint64_t i)
{
	uint64_t z = (what << 40 ^ i) * 0x9e3779b97f4a7c15u + 0x1234567;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double point(uint64_t what, uint64_t i)
{
	return ((double)(point_bits(what, i) >> 12) + 0.5) * 0x1p-52;
}

/* Error of v in units of the last place of the true value `ref`; `bits` and `emin` describe the
 * type. */
static double ulps(double v, long double ref, int bits, int emin)
{
	if (isnan(v) || isnan(ref))
		return isnan(v) && isnan(ref) ? 0 : INFINITY;
	const double rounded = bits == 24 ? (double)(float)ref : (double)ref;
	if (isinf(v) || isinf(rounded))
		return v == rounded ? 0 : INFINITY;
	int e;
	frexp((double)ref, &e);
	if (e < emin)
		e = emin;
	return (double)fabsl((long double)v - ref) / ldexp(1, e - bits);
}

typedef double fn1(double x);
typedef long double ref1(long double x);

static long double ref_sigmoid(long double x)
{
	return 1 / (1 + expl(-x));
}

static long double ref_softplus(long double x)
{
	return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

static const struct sweep {
	const char *name;
	fn1 *f;
	ref1 *ref;
	double lo, hi, bound;
} sweeps[] = {
	{"exp", iso_exp, expl, -745, 709.7, 1.1},
	{"exp", iso_exp, expl, -1, 1, 0.8},
	{"expm1", iso_expm1, expm1l, -50, 709, 1.2},
	{"expm1", iso_expm1, expm1l, -2, 2, 1.2},
	{"expm1", iso_expm1, expm1l, -1e-3, 1e-3, 0.8},
	{"log", iso_log, logl, 0, 4, 1.0},
	{"log", iso_log, logl, 0.9, 1.1, 1.0},
	{"log", iso_log, logl, 0, 1e300, 1.0},
	{"log", iso_log, logl, 0, 4e-308, 1.0},
	{"log1p", iso_log1p, log1pl, -1, 3, 1.0},
	{"log1p", iso_log1p, log1pl, -1e-3, 1e-3, 1.0},
	{"log1p", iso_log1p, log1pl, 0, 1e18, 1.0},
	{"tanh", iso_tanh, tanhl, -23, 23, 1.2},
	{"tanh", iso_tanh, tanhl, -1, 1, 1.2},
	{"sigmoid", iso_sigmoid, ref_sigmoid, -744, 40, 1.2},
	{"sigmoid", iso_sigmoid, ref_sigmoid, -4, 4, 1.2},
	{"softplus", iso_softplus, ref_softplus, -740, 50, 2.0},
	{"softplus", iso_softplus, ref_softplus, -4, 4, 2.0},
	{"sin", iso_sin, sinl, -10, 10, 1.0},
	{"cos", iso_cos, cosl, -10, 10, 1.0},
	{"sin", iso_sin, sinl, -1e6, 1e6, 1.0},
	{"cos", iso_cos, cosl, -1e6, 1e6, 1.0},
	{"sin", iso_sin, sinl, -1e18, 1e18, 1.0},
	{"cos", iso_cos, cosl, -1e18, 1e18, 1.0},
};

START_TEST(test_double_accuracy)
{
	const struct sweep *const s = &sweeps[_i];
	for (uint64_t i = 0; i < 200000; i++) {
		const double x = s->lo + (s->hi - s->lo) * point((uint64_t)_i, i);
		const double u = ulps(s->f(x), s->ref((long double)x), 53, -1021);
		expect(u <= s->bound, "%s(%.17g) is off by %g ULP", s->name, x, u);
	}
}
END_TEST

START_TEST(test_pow_accuracy)
{
	for (uint64_t i = 0; i < 300000; i++) {
		const double lx = (2 * point(100, i) - 1) * (i % 2 ? 700 : 0.5);
		const double x = (double)expl(lx), y = (2 * point(101, i) - 1) * 740 / fabs(log(x));
		const double u =
			ulps(iso_pow(x, y), powl((long double)x, (long double)y), 53, -1021);
		expect(u <= 1.1, "pow(%.17g, %.17g) is off by %g ULP", x, y, u);
	}
}
END_TEST

/* Any double at all: the reduction of huge arguments. */
START_TEST(test_trigonometry_anywhere)
{
	for (uint64_t i = 0; i < 300000; i++) {
		const uint64_t bits = point_bits(102, i);
		double x;
		memcpy(&x, &bits, sizeof(x));
		if (!isfinite(x))
			continue;
		expect(ulps(iso_sin(x), sinl((long double)x), 53, -1021) <= 1.0, "sin(%.17g)", x);
		expect(ulps(iso_cos(x), cosl((long double)x), 53, -1021) <= 1.0, "cos(%.17g)", x);
	}
	/* the double nearest to a multiple of pi/2 (Muller 2006, section 11.2.2), and the largest
	 * double */
	tk_assert_close(iso_cos(6381956970095103.0 * 0x1p797), -4.68716592425462761112e-19, 1e-15,
			0);
	tk_assert_close(iso_sin(DBL_MAX), 0.0049619547891840613, 1e-15, 0);
}
END_TEST

static const double special[] = {0.0,	    -0.0,
				 1,	    -1,
				 INFINITY,  -INFINITY,
				 NAN,	    5e-324,
				 -5e-324,   2,
				 3,	    -2,
				 -3,	    0.5,
				 -0.5,	    1e308,
				 -1e308,    1e-308,
				 709.8,	    -745.1,
				 -746,	    1e17,
				 1e-300,    -1e-300,
				 DBL_MAX,   -0x1.fffffffffffffp52,
				 0x1p53 + 2};

static int same(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	return signbit(a) == signbit(b) &&
	       (a == b || fabs(a - b) <= 4.5e-16 * fabs(b) || fabs(a - b) <= 5e-324);
}

/* C99 Annex F, by comparison with libm, signs of zero included. */
START_TEST(test_special_values)
{
	static const struct {
		const char *name;
		fn1 *mine, *libm;
	} pairs[] = {{"exp", iso_exp, exp},    {"expm1", iso_expm1, expm1},
		     {"log", iso_log, log},    {"log1p", iso_log1p, log1p},
		     {"tanh", iso_tanh, tanh}, {"sin", iso_sin, sin},
		     {"cos", iso_cos, cos}};
	for (size_t f = 0; f < ISO_COUNT(pairs); f++)
		for (size_t i = 0; i < ISO_COUNT(special); i++) {
			const double x = special[i], a = pairs[f].mine(x), b = pairs[f].libm(x);
			expect(same(a, b), "%s(%g) = %.17g, want %.17g", pairs[f].name, x, a, b);
		}
	for (size_t i = 0; i < ISO_COUNT(special); i++)
		for (size_t j = 0; j < ISO_COUNT(special); j++) {
			const double a = iso_pow(special[i], special[j]),
				     b = pow(special[i], special[j]);
			expect(same(a, b), "pow(%g, %g) = %.17g, want %.17g", special[i],
			       special[j], a, b);
		}
	ck_assert(iso_sigmoid(INFINITY) == 1 && iso_sigmoid(-INFINITY) == 0 &&
		  isnan(iso_sigmoid(NAN)));
	ck_assert(iso_softplus(INFINITY) == INFINITY && iso_softplus(-INFINITY) == 0 &&
		  isnan(iso_softplus(NAN)));
}
END_TEST

/* ---- arrays ---- */

typedef void array_fn(size_t n, const float *x, float *y);
static double sigmoid_double(double x)
{
	return 1 / (1 + exp(-x));
}
static const struct array_case {
	const char *name;
	array_fn *f;
	fn1 *ref;
} arrays[] = {{"exp", iso_vexp, exp},
	      {"log", iso_vlog, log},
	      {"tanh", iso_vtanh, tanh},
	      {"sigmoid", iso_vsigmoid, sigmoid_double}};

#define SWEEP 4096
/* Every 509th of the 2^32 bit patterns: all exponents, signs, subnormals, infinities and NaNs. */
START_TEST(test_array_accuracy)
{
	const struct array_case *const c = &arrays[_i];
	static float x[SWEEP], y[SWEEP];
	double worst = 0;
	for (uint64_t base = 0; base < (uint64_t)1 << 32; base += (uint64_t)509 * SWEEP) {
		for (uint64_t i = 0; i < SWEEP; i++) {
			const uint32_t bits = (uint32_t)(base + 509 * i);
			memcpy(&x[i], &bits, sizeof(bits));
		}
		c->f(SWEEP, x, y);
		for (size_t i = 0; i < SWEEP; i++) {
			const double u = ulps(y[i], (long double)c->ref(x[i]), 24, -125);
			expect(u <= 2, "%s(%a) = %a is off by %g ULP", c->name, x[i], y[i], u);
			worst = u > worst ? u : worst;
		}
	}
	expect(worst > 0.4, "%s: no rounding error anywhere, so nothing was measured", c->name);
}
END_TEST

START_TEST(test_array_same_bits)
{
	const struct array_case *const c = &arrays[_i];
	static float x[SWEEP + 7], y[SWEEP + 7], z[SWEEP + 7];
	const iso_isa best = iso_isa_active();
	for (uint64_t base = 0; base < (uint64_t)1 << 32; base += (uint64_t)20011 * SWEEP) {
		for (uint64_t i = 0; i < SWEEP + 7; i++) {
			const uint32_t bits = (uint32_t)(base + 20011 * i);
			memcpy(&x[i], &bits, sizeof(bits));
		}
		iso_isa_force(ISO_ISA_PORTABLE);
		c->f(SWEEP + 7, x, y);
		for (iso_isa isa = ISO_ISA_AVX2; isa <= ISO_ISA_AVX512; isa++) {
			if (!iso_isa_force(isa))
				continue;
			for (size_t n = SWEEP; n <= SWEEP + 7; n += 7) {
				memset(z, 0xee, sizeof(z));
				c->f(n, x, z);
				expect(memcmp(y, z, n * sizeof(float)) == 0, "%s differs on %s",
				       c->name, iso_isa_name(isa));
			}
		}
		memcpy(z, x, sizeof(z)); /* in place */
		c->f(SWEEP + 7, z, z);
		ck_assert(memcmp(y, z, sizeof(z)) == 0);
	}
	iso_isa_force(best);
}
END_TEST

/* ---- Box-Muller ---- */

static void fill_words(uint32_t *w, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		w[i] = (uint32_t)point_bits(200 + at, i);
}

START_TEST(test_box_muller_same_bits)
{
	enum { N = 2048 };
	static uint32_t w[N];
	static float y[N], z[N];
	const iso_isa best = iso_isa_active();
	for (uint64_t round = 0; round < 50; round++) {
		fill_words(w, N, round);
		if (round == 0) { /* corners: smallest and largest radius words, every sign and end
				     of the angle */
			const uint32_t corner[] = {0,	       1,	   4095,      4096,
						   0xffffffff, 0x80000000, 0x7fffffff};
			for (size_t i = 0; i < ISO_COUNT(corner); i++) {
				w[i] = corner[i];
				w[32 + 16 + i] = corner[i];
			}
		}
		iso_isa_force(ISO_ISA_PORTABLE);
		const int tail = iso_vbox_muller(N, w, y);
		for (iso_isa isa = ISO_ISA_AVX2; isa <= ISO_ISA_AVX512; isa++) {
			if (!iso_isa_force(isa))
				continue;
			ck_assert_int_eq(iso_vbox_muller(N, w, z), tail);
			ck_assert(memcmp(y, z, sizeof(z)) == 0);
		}
		int expected = 0;
		for (size_t i = 0; i < N; i++)
			expected |= i % 32 < 16 && w[i] < ISO_BM_TAIL;
		ck_assert_int_eq(tail, expected);
	}
	iso_isa_force(best);
}
END_TEST

/* Against the formula in long double. */
START_TEST(test_box_muller_values)
{
	uint32_t w[32];
	float y[32];
	for (uint64_t round = 0; round < 20000; round++) {
		fill_words(w, 32, round);
		iso_vbox_muller(32, w, y);
		for (size_t l = 0; l < 16; l++) {
			if (w[l] < ISO_BM_TAIL)
				continue;
			const long double u = ((w[l] >> 1) + 0.5L) * 0x1p-31L,
					  r = sqrtl(-2 * logl(u));
			const long double a =
				(long double)(int32_t)(w[16 + l] << 1) * 0x1.921fb54442d18p-31L;
			const long double s = w[16 + l] >> 31 ? -1 : 1;
			/* u itself is rounded to 24 bits: near 1 that moves the radius by 2^-24 / r
			 */
			const double tol = 4e-7 * (double)r + 1.5e-7 / ((double)r + 3e-4);
			expect(tk_close(y[l], (double)(s * r * cosl(a)), 0, tol),
			       "cosine of %08x %08x is %.9g", w[l], w[16 + l], y[l]);
			expect(tk_close(y[16 + l], (double)(s * r * sinl(a)), 0, tol),
			       "sine of %08x %08x is %.9g", w[l], w[16 + l], y[16 + l]);
		}
	}
}
END_TEST

/* The refined tail meets the plain kernel at the border, and reaches past 9 sigma. */
START_TEST(test_box_muller_tail)
{
	uint32_t w[32] = {0};
	float y[32], a, b;
	for (uint32_t l = 0; l < 16; l++) {
		w[l] = ISO_BM_TAIL + 2 * l;
		w[16 + l] = 0x9e3779b9u * (l + 1);
	}
	iso_vbox_muller(32, w, y);
	for (uint32_t l = 0; l < 16; l++) {
		iso_box_muller_tail(w[l], w[16 + l], 0x80000000u, &a, &b);
		tk_assert_close(a, y[l], 1e-6, 1e-6);
		tk_assert_close(b, y[16 + l], 1e-6, 1e-6);
	}
	iso_box_muller_tail(0, 0, 0, &a, &b);
	ck_assert_float_gt(a, 9.3f);
	ck_assert_float_lt(a, 9.5f);
	ck_assert(b == 0);
	/* continuous across the refinement: more bits at their largest meet the next word at its
	 * smallest */
	for (uint32_t k = 0; k < ISO_BM_TAIL; k += 2) {
		float c, d;
		iso_box_muller_tail(k, 77, 0xffffffffu, &a, &b);
		iso_box_muller_tail(k + 2, 77, 0, &c, &d);
		ck_assert(a >= c && tk_close(a, c, 1e-6, 0));
	}
	/* and so does the second refinement with the first, where the radius word is 0 */
	for (uint32_t k = 0; k < 20; k++) {
		float c, d;
		iso_box_muller_deep(77, (const uint32_t[]){k, 0x80000000u, 0}, &a, &b);
		iso_box_muller_tail(0, 77, k, &c, &d);
		ck_assert(a == c && b == d);
	}
	iso_box_muller_deep(0, (const uint32_t[]){0, 0, 0}, &a, &b);
	tk_assert_close(a, sqrt(2 * 128 * log(2)), 1e-6, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("math/vmath");
	TCase *c = tcase_create("double");
	tcase_add_loop_test(c, test_double_accuracy, 0, (int)ISO_COUNT(sweeps));
	tcase_add_test(c, test_pow_accuracy);
	tcase_add_test(c, test_trigonometry_anywhere);
	tcase_add_test(c, test_special_values);
	suite_add_tcase(s, c);
	c = tcase_create("arrays");
	tcase_add_loop_test(c, test_array_accuracy, 0, (int)ISO_COUNT(arrays));
	tcase_add_loop_test(c, test_array_same_bits, 0, (int)ISO_COUNT(arrays));
	suite_add_tcase(s, c);
	c = tcase_create("box-muller");
	tcase_add_test(c, test_box_muller_same_bits);
	tcase_add_test(c, test_box_muller_values);
	tcase_add_test(c, test_box_muller_tail);
	suite_add_tcase(s, c);
	return tk_run(s);
}
