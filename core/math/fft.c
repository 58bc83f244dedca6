// SPDX-License-Identifier: Apache-2.0
/* Real FFT of even length 2^a 3^b 5^c in double precision.
 *
 * A real transform of length n is a complex one of length n/2 on the pairs (x_2j, x_2j+1) (Press et
 * al., "Two functions at once").  The complex one is Stockham's autosort algorithm (Van Loan 1992,
 * section 1.7) with radices 4, 2, 3 and 5: no bit reversal, unit-stride inner loops, real and
 * imaginary parts in separate arrays so that any vector width does the same operations on each
 * element and gives the same bits.
 */
#include "core/math/fft.h"

#include <math.h>
#include <stdint.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

#define MAX_STAGES 64
#define PI 3.14159265358979323846

struct iso_fft {
	size_t n, m; /* real length, m = n/2 */
	int radix[MAX_STAGES], stages;
	double *wr, *wi;	   /* [m] e^(-2 pi i k/m) */
	double *hr, *hi;	   /* [m/2+1] e^(-2 pi i k/n) */
	double *ar, *ai, *br, *bi; /* [m] work */
};

size_t iso_fft_good_size(size_t n)
{
	size_t best = 2;

	if (n <= 2)
		return 2;
	while (best < n && best < SIZE_MAX / 2)
		best *= 2;
	for (size_t five = 1; five < best; five *= 5)
		for (size_t three = five; three < best; three *= 3) {
			size_t k = 2 * three;

			while (k < n)
				k *= 2;
			if (k < best)
				best = k;
		}
	return best;
}

/* cos and sin of 2 pi k / n, angle folded into the first octant first. */
static void unit_root(size_t k, size_t n, double *c, double *s)
{
	double a, x, y;
	size_t r = k % n;
	int negate_s = 0, negate_c = 0, swap = 0;

	if (2 * r > n) { /* upper half: conjugate */
		r = n - r;
		negate_s = 1;
	}
	if (4 * r > n) { /* second quadrant */
		/* pi - angle = 2 pi (n/2 - r)/n */
		a = 2 * PI * ((double)n / 2 - (double)r) / (double)n;
		negate_c = 1;
	} else {
		a = 2 * PI * (double)r / (double)n;
	}
	if (a > PI / 4) {
		a = 2 * PI * fabs((double)r - (double)n / 4) / (double)n;
		swap = 1;
	}
	x = iso_cos(a);
	y = iso_sin(a);
	*c = swap ? y : x;
	*s = swap ? x : y;
	if (negate_c)
		*c = -*c;
	if (negate_s)
		*s = -*s;
}

/* out[k] = e^(-2 pi i k / n), k < count, as products of two short tables. */
static void fill_roots(size_t n, size_t count, double *re, double *im)
{
	enum { LOW = 256 };
	double lr[LOW], li[LOW];

	for (size_t k = 0; k < LOW; k++)
		unit_root(k, n, &lr[k], &li[k]);
	for (size_t base = 0; base < count; base += LOW) {
		const size_t end = count - base < LOW ? count - base : LOW;
		double c, s;

		unit_root(base, n, &c, &s);
		for (size_t k = 0; k < end; k++) {
			re[base + k] = c * lr[k] - s * li[k];
			im[base + k] = -(c * li[k] + s * lr[k]);
		}
	}
}

iso_status iso_fft_new(size_t n, iso_fft **out, iso_error *err)
{
	iso_fft *f;
	size_t left = n / 2;

	ISO_FAIL_IF(n < 2 || n % 2 || n > (size_t)1 << 40, err, ISO_E_USAGE,
		    "wrong transform length (%zu): it must be even and at least 2; use "
		    "iso_fft_good_size",
		    n);
	f = iso_alloc(1, sizeof(*f));
	if (!f)
		return iso_no_memory(err, "a Fourier transform");
	f->n = n;
	f->m = left;
	while (left % 4 == 0)
		f->radix[f->stages++] = 4, left /= 4;
	while (left % 2 == 0)
		f->radix[f->stages++] = 2, left /= 2;
	while (left % 3 == 0)
		f->radix[f->stages++] = 3, left /= 3;
	while (left % 5 == 0)
		f->radix[f->stages++] = 5, left /= 5;
	if (left != 1) {
		iso_fft_free(f);
		return iso_fail(err, ISO_E_USAGE,
				"wrong transform length (%zu): a factor is not 2, 3 or 5; use "
				"iso_fft_good_size",
				n);
	}
	f->wr = iso_alloc(f->m, sizeof(double));
	f->wi = iso_alloc(f->m, sizeof(double));
	f->hr = iso_alloc(f->m / 2 + 1, sizeof(double));
	f->hi = iso_alloc(f->m / 2 + 1, sizeof(double));
	f->ar = iso_alloc(f->m, sizeof(double));
	f->ai = iso_alloc(f->m, sizeof(double));
	f->br = iso_alloc(f->m, sizeof(double));
	f->bi = iso_alloc(f->m, sizeof(double));
	if (!f->wr || !f->wi || !f->hr || !f->hi || !f->ar || !f->ai || !f->br || !f->bi) {
		iso_fft_free(f);
		return iso_no_memory(err, "a Fourier transform");
	}
	fill_roots(f->m, f->m, f->wr, f->wi);
	fill_roots(n, f->m / 2 + 1, f->hr, f->hi);
	*out = f;
	return ISO_OK;
}

void iso_fft_free(iso_fft *f)
{
	if (!f)
		return;
	iso_free(f->wr);
	iso_free(f->wi);
	iso_free(f->hr);
	iso_free(f->hi);
	iso_free(f->ar);
	iso_free(f->ai);
	iso_free(f->br);
	iso_free(f->bi);
	iso_free(f);
}

/* One pass over the data; n = length of the transforms still to do, s = stride, n * s = total.
 * Input x, output y: y[q + s (r p + u)] = w^(p u) sum_t x[q + s (p + m t)] e^(-2 pi i t u / r),  w
 * = e^(-2 pi i / n), m = n / r. */
typedef struct pass {
	size_t n, s;
	const double *restrict xr, *restrict xi;
	double *restrict yr, *restrict yi;
	const double *wr, *wi; /* roots of the total length */
} pass;

static void radix4(const pass *a)
{
	const size_t s = a->s, m = a->n / 4, len = s * m;
	const double *restrict xr = a->xr, *restrict xi = a->xi;
	double *restrict yr = a->yr, *restrict yi = a->yi;

	for (size_t p = 0; p < m; p++) {
		const double w1r = a->wr[p * s], w1i = a->wi[p * s], w2r = a->wr[2 * p * s],
			     w2i = a->wi[2 * p * s];
		const double w3r = a->wr[3 * p * s], w3i = a->wi[3 * p * s];
		const size_t i = s * p, o = 4 * s * p;

		for (size_t q = 0; q < s; q++) {
			const double ar = xr[i + q], ai = xi[i + q], br = xr[i + len + q],
				     bi = xi[i + len + q];
			const double cr = xr[i + 2 * len + q], ci = xi[i + 2 * len + q];
			const double dr = xr[i + 3 * len + q], di = xi[i + 3 * len + q];
			const double acr = ar + cr, aci = ai + ci, amr = ar - cr, ami = ai - ci;
			const double bdr = br + dr, bdi = bi + di, bmr = br - dr, bmi = bi - di;
			const double t1r = amr + bmi, t1i = ami - bmr, t2r = acr - bdr,
				     t2i = aci - bdi;
			const double t3r = amr - bmi, t3i = ami + bmr;

			yr[o + q] = acr + bdr;
			yi[o + q] = aci + bdi;
			yr[o + s + q] = t1r * w1r - t1i * w1i;
			yi[o + s + q] = t1r * w1i + t1i * w1r;
			yr[o + 2 * s + q] = t2r * w2r - t2i * w2i;
			yi[o + 2 * s + q] = t2r * w2i + t2i * w2r;
			yr[o + 3 * s + q] = t3r * w3r - t3i * w3i;
			yi[o + 3 * s + q] = t3r * w3i + t3i * w3r;
		}
	}
}

static void radix2(const pass *a)
{
	const size_t s = a->s, m = a->n / 2, len = s * m;
	const double *restrict xr = a->xr, *restrict xi = a->xi;
	double *restrict yr = a->yr, *restrict yi = a->yi;

	for (size_t p = 0; p < m; p++) {
		const double wr = a->wr[p * s], wi = a->wi[p * s];
		const size_t i = s * p, o = 2 * s * p;

		for (size_t q = 0; q < s; q++) {
			const double ar = xr[i + q], ai = xi[i + q], br = xr[i + len + q],
				     bi = xi[i + len + q];
			const double tr = ar - br, ti = ai - bi;

			yr[o + q] = ar + br;
			yi[o + q] = ai + bi;
			yr[o + s + q] = tr * wr - ti * wi;
			yi[o + s + q] = tr * wi + ti * wr;
		}
	}
}

static void radix3(const pass *a)
{
	const double h = 0.86602540378443864676; /* sin(2 pi / 3) */
	const size_t s = a->s, m = a->n / 3, len = s * m;
	const double *restrict xr = a->xr, *restrict xi = a->xi;
	double *restrict yr = a->yr, *restrict yi = a->yi;

	for (size_t p = 0; p < m; p++) {
		const double w1r = a->wr[p * s], w1i = a->wi[p * s], w2r = a->wr[2 * p * s],
			     w2i = a->wi[2 * p * s];
		const size_t i = s * p, o = 3 * s * p;

		for (size_t q = 0; q < s; q++) {
			const double ar = xr[i + q], ai = xi[i + q];
			const double br = xr[i + len + q], bi = xi[i + len + q];
			const double cr = xr[i + 2 * len + q], ci = xi[i + 2 * len + q];
			const double pr = br + cr, pi = bi + ci, ur = ar - 0.5 * pr,
				     ui = ai - 0.5 * pi;
			const double vr = h * (bi - ci), vi = -h * (br - cr);
			const double t1r = ur + vr, t1i = ui + vi, t2r = ur - vr, t2i = ui - vi;

			yr[o + q] = ar + pr;
			yi[o + q] = ai + pi;
			yr[o + s + q] = t1r * w1r - t1i * w1i;
			yi[o + s + q] = t1r * w1i + t1i * w1r;
			yr[o + 2 * s + q] = t2r * w2r - t2i * w2i;
			yi[o + 2 * s + q] = t2r * w2i + t2i * w2r;
		}
	}
}

static void radix5(const pass *a)
{
	const double c1 = 0.30901699437494742410,
		     c2 = -0.80901699437494742410; /* cos(2 pi / 5), cos(4 pi / 5) */
	const double s1 = 0.95105651629515357212, s2 = 0.58778525229247312917;
	const size_t s = a->s, m = a->n / 5, len = s * m;
	const double *restrict xr = a->xr, *restrict xi = a->xi;
	double *restrict yr = a->yr, *restrict yi = a->yi;

	for (size_t p = 0; p < m; p++) {
		const size_t i = s * p, o = 5 * s * p;

		for (size_t q = 0; q < s; q++) {
			const double *r = xr + i + q, *c = xi + i + q;
			const double ar = r[0], ai = c[0];
			const double b1r = r[len] + r[4 * len], b1i = c[len] + c[4 * len];
			const double d1r = r[len] - r[4 * len], d1i = c[len] - c[4 * len];
			const double b2r = r[2 * len] + r[3 * len], b2i = c[2 * len] + c[3 * len];
			const double d2r = r[2 * len] - r[3 * len], d2i = c[2 * len] - c[3 * len];
			const double u1r = ar + c1 * b1r + c2 * b2r, u1i = ai + c1 * b1i + c2 * b2i;
			const double u2r = ar + c2 * b1r + c1 * b2r, u2i = ai + c2 * b1i + c1 * b2i;
			const double v1r = s1 * d1i + s2 * d2i, v1i = -(s1 * d1r + s2 * d2r);
			const double v2r = s2 * d1i - s1 * d2i, v2i = -(s2 * d1r - s1 * d2r);
			const double tr[5] = {0, u1r + v1r, u2r + v2r, u2r - v2r, u1r - v1r};
			const double ti[5] = {0, u1i + v1i, u2i + v2i, u2i - v2i, u1i - v1i};

			yr[o + q] = ar + b1r + b2r;
			yi[o + q] = ai + b1i + b2i;
			for (size_t k = 1; k < 5; k++) {
				const double wr = a->wr[k * p * s], wi = a->wi[k * p * s];

				yr[o + k * s + q] = tr[k] * wr - ti[k] * wi;
				yi[o + k * s + q] = tr[k] * wi + ti[k] * wr;
			}
		}
	}
}

/* Transform of (ar, ai) in place of the two work pairs; returns which pair holds the result (0: a,
 * 1: b).  `swap` exchanges the roles of re and im, which turns the forward transform into the
 * unnormalised inverse. */
static int complex_fft(iso_fft *f, int swap)
{
	double *re[2] = {swap ? f->ai : f->ar, swap ? f->bi : f->br};
	double *im[2] = {swap ? f->ar : f->ai, swap ? f->br : f->bi};
	size_t n = f->m, s = 1;
	int at = 0;

	for (int i = 0; i < f->stages; i++) {
		const pass a = {.n = n,
				.s = s,
				.xr = re[at],
				.xi = im[at],
				.yr = re[!at],
				.yi = im[!at],
				.wr = f->wr,
				.wi = f->wi};

		switch (f->radix[i]) {
		case 4:
			radix4(&a);
			break;
		case 2:
			radix2(&a);
			break;
		case 3:
			radix3(&a);
			break;
		default:
			radix5(&a);
		}
		n /= (size_t)f->radix[i];
		s *= (size_t)f->radix[i];
		at = !at;
	}
	return at;
}

void iso_fft_forward(iso_fft *f, const double *x, double *re, double *im)
{
	const size_t m = f->m;
	const double *zr, *zi;
	int at;

	for (size_t j = 0; j < m; j++) {
		f->ar[j] = x[2 * j];
		f->ai[j] = x[2 * j + 1];
	}
	at = complex_fft(f, 0);
	zr = at ? f->br : f->ar;
	zi = at ? f->bi : f->ai;
	re[0] = zr[0] + zi[0];
	im[0] = 0;
	re[m] = zr[0] - zi[0];
	im[m] = 0;
	/* X_k = E_k + e^(-2 pi i k/n) O_k, X_(m-k) = conj(E_k - e^(-2 pi i k/n) O_k) */
	for (size_t k = 1; k <= m / 2; k++) {
		const double er = 0.5 * (zr[k] + zr[m - k]), ei = 0.5 * (zi[k] - zi[m - k]);
		const double odr = 0.5 * (zi[k] + zi[m - k]), odi = -0.5 * (zr[k] - zr[m - k]);
		const double tr = odr * f->hr[k] - odi * f->hi[k],
			     ti = odr * f->hi[k] + odi * f->hr[k];

		re[k] = er + tr;
		im[k] = ei + ti;
		re[m - k] = er - tr;
		im[m - k] = ti - ei;
	}
}

void iso_fft_inverse(iso_fft *f, const double *re, const double *im, double *x)
{
	const size_t m = f->m;
	const double scale = 1 / (double)m, *zr, *zi;
	int at;

	f->ar[0] = 0.5 * (re[0] + re[m]);
	f->ai[0] = 0.5 * (re[0] - re[m]);
	for (size_t k = 1; k <= m / 2; k++) {
		const double er = 0.5 * (re[k] + re[m - k]), ei = 0.5 * (im[k] - im[m - k]);
		const double tr = 0.5 * (re[k] - re[m - k]), ti = 0.5 * (im[k] + im[m - k]);
		/* O_k = e^(+2 pi i k/n) (X_k - conj X_(m-k)) / 2 */
		const double odr = tr * f->hr[k] + ti * f->hi[k],
			     odi = ti * f->hr[k] - tr * f->hi[k];

		f->ar[k] = er - odi;
		f->ai[k] = ei + odr;
		f->ar[m - k] = er + odi;
		f->ai[m - k] = odr - ei;
	}
	at = complex_fft(f, 1);
	zr = at ? f->br : f->ar;
	zi = at ? f->bi : f->ai;
	for (size_t j = 0; j < m; j++) {
		x[2 * j] = zr[j] * scale;
		x[2 * j + 1] = zi[j] * scale;
	}
}
