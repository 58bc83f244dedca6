// SPDX-License-Identifier: Apache-2.0
/* Composition by an Esscher-tilted Fourier transform (accounting.md 4.4).
 *
 * Tilting by theta multiplies every mass by e^(theta L) and normalises; the composed tilted law has
 * its bulk where delta(eps) is decided, so rounding is relative to delta and not to 1.  Then
 *
 *   delta(eps) = p_inf + e^(K(theta) - theta eps) F,  F = sum_(l > eps) w_l e^(-theta (l-eps)) (1 -
 * e^(eps-l)).
 *
 * Laws are placed modulo N; a Chernoff bound on the tilted law certifies what wraps around.  After
 * many compositions the spectrum w^ is negligible except for a few frequencies, and F is then
 * summed over those in closed form (geometric series), without the inverse transform.  Everything
 * left out is bounded and added to the slack: upper bounds use F + slack, lower bounds F - slack.
 */
#include "core/privacy/pld_compose.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"

#define TWO_PI 6.28318530717958647693
#define ALIAS 42.0 /* -log of the tilted mass allowed outside the window, each side */
#define DROP 64.0  /* -log of the spectrum that is dropped */
#define MAX_SPECTRAL \
	3000 /* frequencies summed directly; beyond, the inverse transform is cheaper */
#define MIN_LENGTH (1 << 14)
#define MAX_LENGTH (1 << 22)
#define TOLERANCE 3e-6 /* relative discretisation error of epsilon aimed at */
#define GAP 1e-4       /* relative distance of the bounds that asks for a finer grid */
#define LOG_THETA_MIN -9.0
#define LOG_THETA_MAX 40.0

void iso_mix_free(iso_mix *m)
{
	for (size_t i = 0; i < m->n; i++)
		iso_law_free(&m->v[i]);
	iso_free(m->v);
	iso_pld_work_free(&m->own);
	*m = (iso_mix){0};
}

void iso_pld_work_free(iso_pld_work *w)
{
	iso_fft_free(w->fft);
	iso_free(w->x);
	iso_free(w->re);
	iso_free(w->im);
	iso_free(w->fr);
	iso_free(w->fi);
	*w = (iso_pld_work){.coarse = w->coarse};
}

/* A length with few different values, so that neighbouring problems share a transform: 2^k times 8,
 * 9, 10, 12, 15. */
static size_t round_length(double need)
{
	static const size_t factors[] = {8, 9, 10, 12, 15};

	for (size_t k = 2;; k *= 2)
		for (size_t i = 0; i < ISO_COUNT(factors); i++)
			if ((double)(factors[i] * k) >= need)
				return factors[i] * k;
}

static iso_status ready(iso_pld_work *w, size_t n, iso_error *err)
{
	if (w->length == n)
		return ISO_OK;
	iso_pld_work_free(w);
	ISO_TRY(iso_fft_new(n, &w->fft, err));
	w->x = iso_alloc(n, sizeof(double));
	w->re = iso_alloc(n / 2 + 1, sizeof(double));
	w->im = iso_alloc(n / 2 + 1, sizeof(double));
	w->fr = iso_alloc(n / 2 + 1, sizeof(double));
	w->fi = iso_alloc(n / 2 + 1, sizeof(double));
	if (!w->x || !w->re || !w->im || !w->fr || !w->fi) {
		iso_pld_work_free(w);
		return iso_no_memory(err, "a composed law");
	}
	w->length = n;
	return ISO_OK;
}

static double total_count(const iso_mix *m)
{
	double t = 0;

	for (size_t i = 0; i < m->n; i++)
		t += (double)m->v[i].count;
	return t;
}

iso_status iso_mix_prepare(iso_mix *m, double delta, iso_error *err)
{
	/* Q(z) <= e^(-z^2/2)/2: all the tails left out together stay below 1e-9 delta */
	const double reach = sqrt(-2 * iso_log(delta * 1e-9 / total_count(m)));

	for (size_t i = 0; i < m->n; i++) {
		iso_law_free(&m->v[i]);
		ISO_TRY(iso_law_prepare(&m->v[i], reach, err));
	}
	return ISO_OK;
}

static double mix_cumulant(const iso_mix *m, double t)
{
	iso_sum sum = {0};

	for (size_t i = 0; i < m->n; i++)
		iso_sum_add(&sum, (double)m->v[i].count * iso_law_cumulant(&m->v[i], t));
	return iso_sum_value(&sum);
}

static double mix_offset(const iso_mix *m)
{
	double sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += (double)m->v[i].count * m->v[i].base;
	return sum;
}

double iso_mix_supremum(const iso_mix *m)
{
	double sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += (double)m->v[i].count * iso_law_supremum(&m->v[i]);
	return sum;
}

double iso_mix_infinite(const iso_mix *m)
{
	double log_survive = 0;

	for (size_t i = 0; i < m->n; i++)
		log_survive += (double)m->v[i].count * iso_log1p(-m->v[i].delta0);
	return -iso_expm1(log_survive);
}

/* Variance of the tilted sum. */
static double mix_variance(const iso_mix *m, double t)
{
	double sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += (double)m->v[i].count * iso_law_variance(&m->v[i], t);
	return sum;
}

struct renyi {
	const iso_mix *mix;
	double log_delta, epsilon;
	int inverse;
};

/* Canonne, Kamath and Steinke 2020 in theta = alpha - 1:
 * log delta = K(theta) - theta eps + theta log theta - (1+theta) log(1+theta). */
static double renyi_objective(void *ctx, double x)
{
	const struct renyi *r = ctx;
	const double t = iso_exp(x), k = mix_cumulant(r->mix, t) + t * x - (1 + t) * iso_log1p(t);
	const double v = r->inverse ? k - t * r->epsilon : (k - r->log_delta) / t;

	return v < 1e300 ? v : 1e300;
}

static double renyi_best(struct renyi *r, double *theta)
{
	/* a Gaussian of the same variance would have its optimum at sqrt(2 log(1/delta) / variance)
	 */
	const double guess =
		0.5 * iso_log(2 * fmax(1, -r->log_delta) / fmax(mix_variance(r->mix, 0), 1e-60));
	double x = fmin(fmax(guess, LOG_THETA_MIN + 2), LOG_THETA_MAX - 2), step = 0.7, best;
	double fx = renyi_objective(r, x), fl = renyi_objective(r, x - step),
	       fr = renyi_objective(r, x + step);

	while (fl <= fx && x - step > LOG_THETA_MIN) {
		fr = fx, fx = fl, x -= step;
		fl = renyi_objective(r, x - step);
	}
	while (fr < fx && x + step < LOG_THETA_MAX) {
		fl = fx, fx = fr, x += step;
		fr = renyi_objective(r, x + step);
	}
	(void)fl;
	x = iso_brent_min(renyi_objective, r, x - step, x + step, 1e-4, &best);
	*theta = iso_exp(x);
	return best;
}

double iso_mix_renyi_epsilon(const iso_mix *m, double delta, double *theta)
{
	struct renyi r = {.mix = m, .log_delta = iso_log(delta)};

	return renyi_best(&r, theta);
}

double iso_mix_renyi_log_delta(const iso_mix *m, double epsilon, double *theta)
{
	struct renyi r = {.mix = m, .epsilon = epsilon, .inverse = 1};

	return renyi_best(&r, theta);
}

/* ---- one composed law ---- */

typedef struct composed {
	double h, theta, k; /* k = K(theta) about `offset`, masses at infinity left out */
	double offset;	    /* the sum of the grids' origins */
	double inf;	    /* mass at infinity of the composition */
	double slack;	    /* what wraps around or is dropped, on the scale of F */
	double relative;    /* rounding of the cumulants and powers, relative */
	double unit;	    /* rounding of one term of F */
	int64_t lo;	    /* window = [lo, lo + n) */
	size_t n;
	double *re, *im; /* spectrum [n/2+1], in the work space */
	size_t *keep;	 /* owned: the frequencies that matter, `kept` of them; NULL: w is used */
	size_t kept;
	double *w; /* composed tilted law, position l at l mod n; in the work space */
} composed;

static double nodes_cumulant(const iso_mix *m, const iso_nodes *nodes, double h, double t)
{
	iso_sum sum = {0};

	for (size_t i = 0; i < m->n; i++)
		iso_sum_add(&sum, (double)m->v[i].count * iso_nodes_cumulant(&nodes[i], h, t));
	return iso_sum_value(&sum);
}

/* Window of the tilted composed law: beyond lo and hi lies at most e^-ALIAS each, by
 * P[S >= u] <= exp(K(theta+t) - K(theta) - t u). */
typedef struct window {
	double lo, hi, t_lo, t_hi;
} window;

static void chernoff_window(const iso_mix *m, const iso_nodes *nodes, double h, double theta,
			    window *w)
{
	const double k = nodes_cumulant(m, nodes, h, theta), variance = mix_variance(m, theta);
	double top = 0, bottom = 0, t;

	for (size_t i = 0; i < m->n; i++) {
		top += (double)m->v[i].count * (double)nodes[i].max * h;
		bottom += (double)m->v[i].count * (double)nodes[i].min * h;
	}
	*w = (window){.lo = -INFINITY, .hi = INFINITY};
	/* the floor keeps t times the support below 1e11, so that exponents keep their digits */
	t = sqrt(2 * ALIAS / fmax(variance, 1e-18 * (top - bottom) * (top - bottom) + 1e-200)) / 16;
	for (int i = 0; i < 16; i++, t *= 1.4142135623730951) {
		const double u = (nodes_cumulant(m, nodes, h, theta + t) - k + ALIAS) / t;
		const double l = (k - nodes_cumulant(m, nodes, h, theta - t) - ALIAS) / t;

		if (u < w->hi)
			w->hi = u, w->t_hi = t;
		if (l > w->lo)
			w->lo = l, w->t_lo = t;
	}
	if (w->hi > top)
		w->hi = top, w->t_hi = 0;
	if (w->lo < bottom)
		w->lo = bottom, w->t_lo = 0;
}

/* Tilted mass of a law outside the window by the same Chernoff exponents; the support's own ends
 * need none. */
static double outside(const iso_mix *m, const iso_nodes *nodes, double h, double theta, double k,
		      const window *w)
{
	double mass = 0, top = 0, bottom = 0;

	for (size_t i = 0; i < m->n; i++) {
		top += (double)m->v[i].count * (double)nodes[i].max * h;
		bottom += (double)m->v[i].count * (double)nodes[i].min * h;
	}
	if ((w->t_hi == 0 && top > w->hi + h) || (w->t_lo == 0 && bottom < w->lo - h))
		return 1;
	if (w->t_hi > 0)
		mass += iso_exp(fmin(0, nodes_cumulant(m, nodes, h, theta + w->t_hi) - k -
						w->t_hi * w->hi));
	if (w->t_lo > 0)
		mass += iso_exp(fmin(0, nodes_cumulant(m, nodes, h, theta - w->t_lo) - k +
						w->t_lo * w->lo));
	return mass;
}

/* z^n by squaring; results below 1e-150 are flushed to 0 so that no denormal slows the next step.
 */
static void complex_power(double *re, double *im, uint64_t n)
{
	double br = *re, bi = *im, r = 1, i = 0;

	for (;; n >>= 1) {
		double t;

		if (n & 1) {
			t = r * br - i * bi;
			i = r * bi + i * br;
			r = t;
		}
		if (n <= 1)
			break;
		t = br * br - bi * bi;
		bi = 2 * br * bi;
		br = t;
		if (br * br + bi * bi < 1e-280)
			br = bi = 0;
	}
	*re = r;
	*im = i;
}

/* Multiplies the spectrum by the count-th power of one law's. */
static void multiply_power(const composed *c, const double *fr, const double *fi, uint64_t count,
			   int first)
{
	const size_t bins = c->n / 2 + 1;
	/* |z|^count < e^-DROP exactly when |z|^2 < e^(-2 DROP / count) */
	const double least = iso_exp(-2 * DROP / (double)count);

	for (size_t k = 0; k < bins; k++) {
		double zr = fr[k], zi = fi[k];

		if (zr * zr + zi * zi < least || (!first && c->re[k] == 0 && c->im[k] == 0)) {
			c->re[k] = c->im[k] = 0;
			continue;
		}
		complex_power(&zr, &zi, count);
		if (first) {
			c->re[k] = zr;
			c->im[k] = zi;
		} else {
			const double t = c->re[k] * zr - c->im[k] * zi;

			c->im[k] = c->re[k] * zi + c->im[k] * zr;
			c->re[k] = t;
		}
	}
}

/* Spectrum of the composition into the work space. */
static void spectra(const iso_mix *m, const iso_nodes *nodes, const composed *c, iso_pld_work *work)
{
	for (size_t j = 0; j < m->n; j++) {
		const iso_nodes *p = &nodes[j];
		const double log_m = iso_nodes_cumulant(p, c->h, c->theta);
		const int64_t n = (int64_t)c->n;

		memset(work->x, 0, c->n * sizeof(double));
		for (size_t i = 0; i < p->n; i++) {
			const int64_t r = p->at[i] % n;

			work->x[r < 0 ? r + n : r] +=
				p->mass[i] * iso_exp(c->theta * c->h * (double)p->at[i] - log_m);
		}
		iso_fft_forward(work->fft, work->x, work->fr, work->fi);
		multiply_power(c, work->fr, work->fi, m->v[j].count, j == 0);
	}
}

/* c holds h, theta, lo and n; the work space of that length is ready.  Owns only c->keep
 * afterwards. */
static iso_status compose(const iso_mix *m, const iso_nodes *nodes, const window *w,
			  iso_pld_work *work, composed *c, iso_error *err)
{
	const size_t bins = c->n / 2 + 1;
	const double total = total_count(m);
	double log_survive = 0;

	c->k = nodes_cumulant(m, nodes, c->h, c->theta);
	for (size_t j = 0; j < m->n; j++)
		log_survive += (double)m->v[j].count * iso_log1p(-nodes[j].inf);
	c->inf = -iso_expm1(log_survive);
	c->slack = outside(m, nodes, c->h, c->theta, c->k, w) + iso_exp(-DROP) * (double)m->n;
	c->relative = 1e-14 + 2e-15 * total;
	c->unit = 1e-15 + 3e-16 * total;
	c->re = work->re;
	c->im = work->im;
	c->kept = 0;
	spectra(m, nodes, c, work);
	for (size_t k = 0; k < bins; k++)
		c->kept += c->re[k] != 0 || c->im[k] != 0;
	if (c->kept > MAX_SPECTRAL) {
		iso_fft_inverse(work->fft, c->re, c->im, work->x);
		c->w = work->x;
		return ISO_OK;
	}
	c->w = NULL;
	c->keep = iso_alloc(c->kept + 1, sizeof(*c->keep));
	if (!c->keep)
		return iso_no_memory(err, "a composed law");
	for (size_t k = 0, i = 0; k < bins; k++)
		if (c->re[k] != 0 || c->im[k] != 0)
			c->keep[i++] = k;
	return ISO_OK;
}

/* sum_(j < n) e^(-r h j) e^(i phi j) = (1 - e^(-r h n) e^(i phi n)) / (1 - e^(-r h) e^(i phi)). */
static void geometric(double rh, double phi, double end_c, double end_s, double n, double *re,
		      double *im)
{
	const double g = iso_exp(-rh), s = iso_sin(0.5 * phi),
		     gn = rh * n < 700 ? iso_exp(-rh * n) : 0;
	const double dr = -iso_expm1(-rh) + 2 * g * s * s, di = -g * iso_sin(phi),
		     d2 = dr * dr + di * di;
	const double nr = 1 - gn * end_c, ni = -gn * end_s;

	if (!(d2 > 0)) {
		*re = n;
		*im = 0;
		return;
	}
	*re = (nr * dr + ni * di) / d2;
	*im = (ni * dr - nr * di) / d2;
}

/* F at eps by the kept frequencies; *error bounds its rounding. */
static double spectral_f(const composed *c, double epsilon, int64_t first, double terms,
			 double *error)
{
	const double gap = (double)first * c->h - epsilon, n = (double)c->n;
	const double c1 = iso_exp(-c->theta * gap), c2 = iso_exp(-(1 + c->theta) * gap);
	const int64_t len = (int64_t)c->n, at = ((first % len) + len) % len;
	iso_sum sum = {0};

	*error = 0;
	for (size_t i = 0; i < c->kept; i++) {
		const size_t k = c->keep[i];
		const double phi = TWO_PI * (double)k / n, twice = k == 0 || k == c->n / 2 ? 1 : 2;
		const double turn =
			TWO_PI * (double)(((unsigned __int128)k * (uint64_t)at) % c->n) / n;
		const double end =
			TWO_PI * (double)(((unsigned __int128)k * (uint64_t)terms) % c->n) / n;
		const double ec = iso_cos(end), es = iso_sin(end), tc = iso_cos(turn),
			     ts = iso_sin(turn);
		const double size = twice * (fabs(c->re[k]) + fabs(c->im[k]));
		double ar, ai, br, bi, zr, zi;

		geometric(c->theta * c->h, phi, ec, es, terms, &ar, &ai);
		geometric((1 + c->theta) * c->h, phi, ec, es, terms, &br, &bi);
		zr = c->re[k] * tc - c->im[k] * ts;
		zi = c->re[k] * ts + c->im[k] * tc;
		*error += size * (c->unit * (fabs(c1 * ar - c2 * br) + fabs(c1 * ai - c2 * bi)) +
				  1e-15 * (fabs(ar) + fabs(ai) + fabs(br) + fabs(bi)));
		iso_sum_add(&sum, twice * (zr * (c1 * ar - c2 * br) - zi * (c1 * ai - c2 * bi)));
	}
	*error /= n;
	return iso_sum_value(&sum) / n;
}

/* F at eps by the masses. */
static double direct_f(const composed *c, double epsilon, int64_t first, double terms,
		       double *error)
{
	const double gap = (double)first * c->h - epsilon;
	const double g1 = iso_exp(-c->theta * c->h), g2 = iso_exp(-(1 + c->theta) * c->h);
	double f1 = iso_exp(-c->theta * gap), f2 = iso_exp(-(1 + c->theta) * gap), sum = 0,
	       weight = 0;
	const int64_t len = (int64_t)c->n;
	size_t at = (size_t)(((first % len) + len) % len);

	for (double j = 0; j < terms && f1 > 1e-30; j += 1) {
		sum += c->w[at] * (f1 - f2);
		weight += f1 - f2;
		f1 *= g1;
		f2 *= g2;
		at = at + 1 == c->n ? 0 : at + 1;
	}
	/* each mass carries a rounding error of some 1e-16 of the largest, at most 1 */
	*error = 4 * c->unit * weight + 1e-15;
	return sum;
}

/* Bounds on log delta(eps): sign +1 upper, -1 lower. */
static double log_delta(const composed *c, double from_zero, int sign)
{
	const double epsilon = from_zero - c->offset;
	const double from = ceil(epsilon / c->h * (1 - 1e-15));
	int64_t first =
		from > (double)c->lo ? (int64_t)fmin(from, (double)c->lo + (double)c->n) : c->lo;
	double terms, f, error = 0, d;

	if ((double)first * c->h < epsilon)
		first++;
	terms = (double)(c->lo + (int64_t)c->n - first);
	f = terms <= 0 ? 0
	    : c->w     ? direct_f(c, epsilon, first, terms, &error)
		       : spectral_f(c, epsilon, first, terms, &error);
	f += sign * (c->slack + error);
	f = f > 0 ? f * (1 + sign * c->relative) : 0;
	d = iso_log(f) + c->k - c->theta * epsilon;
	/* p_inf + (rest): exact composition of the finite part carries the factor prod(1 - p_inf)
	 * already */
	return iso_log_add(c->inf > 0 ? iso_log(c->inf) : -INFINITY, d);
}

struct crossing {
	const composed *c;
	double target;
	int sign;
};

static double crossing_gap(void *ctx, double epsilon)
{
	const struct crossing *x = ctx;

	return fmax(-1e4, log_delta(x->c, epsilon, x->sign)) - x->target;
}

/* Upper: the smallest eps >= 0 whose upper bound on delta meets the target; hi is a guess from
 * above. */
static double solve_upper(const composed *c, double log_target, double hi)
{
	struct crossing x = {.c = c, .target = log_target, .sign = 1};
	double lo = 0, step = 0.02 * hi + 1e-12;

	if (crossing_gap(&x, 0) <= 0)
		return 0;
	if (c->inf > 0 && iso_log(c->inf) >= log_target)
		return INFINITY;
	for (int i = 0; crossing_gap(&x, hi) > 0; i++) {
		if (i > 200 || !(hi < 1e300))
			return INFINITY;
		lo = hi;
		hi += step;
		step *= 2;
	}
	return iso_brent_root(crossing_gap, &x, lo, hi, 1e-13 * hi) * (1 + 1e-12);
}

/* Lower: an eps below `upper` at which the lower bound on delta still exceeds the target, as large
 * as possible.  The bound's slack grows away from the tilt's centre, so the search goes down from
 * the upper value. */
static double solve_lower(const composed *c, double log_target, double upper)
{
	struct crossing x = {.c = c, .target = log_target, .sign = -1};
	double lo = upper, hi = upper, step = fmin(1e-5 * upper, 0.3 / c->theta) + 1e-15 * upper;

	if (upper == INFINITY)
		return c->inf > 0 && iso_log(c->inf) > log_target ? INFINITY : 0;
	do {
		hi = lo;
		lo -= step;
		step *= 4;
		if (!(lo > 0))
			return 0;
	} while (crossing_gap(&x, lo) <= 0);
	if (crossing_gap(&x, hi) > 0)
		return hi;
	return iso_brent_root(crossing_gap, &x, lo, hi, 1e-13 * hi) * (1 - 1e-12);
}

/* ---- choice of grid ---- */

/* Connect-the-dots spreads a loss within its cell by about h^2/6 of variance (the contraction takes
 * about h^2/3), which moves epsilon by (theta+1)/2 of that per release; `budget` is what all
 * releases may add.  A rarely sampled record costs nearly every release the same tiny loss: with
 * the grid's origin there it is spread by next to nothing, and the step may be wide. */
static double mix_spread(const iso_mix *m, double h, double theta)
{
	double sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += (double)m->v[i].count * iso_law_spread(&m->v[i], m->v[i].base, h, theta);
	return sum;
}

static double widest_step(const iso_mix *m, double h, double theta, double budget, double most)
{
	while (h < most && mix_spread(m, 1.25 * h, theta) <= budget)
		h *= 1.25;
	return h;
}

/* Moves the origins, unless that gains little: then the grid stays where it is. */
static int move_origins(iso_mix *m, double h, double theta, double budget)
{
	for (size_t i = 0; i < m->n; i++)
		m->v[i].base = iso_law_idle_loss(&m->v[i]);
	if (mix_spread(m, h, theta) < budget / 8)
		return 1;
	for (size_t i = 0; i < m->n; i++)
		m->v[i].base = 0;
	return 0;
}

static double choose_step(iso_mix *m, double epsilon, double theta)
{
	const double sd = sqrt(fmax(mix_variance(m, theta), 1e-200));
	const double most = 18.5 * sd / MIN_LENGTH;
	double spread = 0, h, align = 0;

	for (size_t i = 0; i < m->n; i++) {
		const iso_law *l = &m->v[i];

		if (l->kind != ISO_LAW_TWO_POINT)
			spread += (double)l->count;
		if (!(align > 0) && (l->kind == ISO_LAW_TWO_POINT || l->kind == ISO_LAW_LAPLACE))
			align = l->kind == ISO_LAW_LAPLACE ? 1 / l->s : l->e;
		else if (l->kind == ISO_LAW_TWO_POINT && l->e != align)
			spread += (double)l->count;
	}
	if (spread > 0) {
		h = sqrt(12 * TOLERANCE * fmax(epsilon, sd * 0.1) / (spread * (1 + theta)));
		if (!(align > 0) && h < most && move_origins(m, h, theta, spread * h * h / 6))
			h = widest_step(m, h, theta, spread * h * h / 6, most);
		h = fmin(h, most);
		h *= fmax(1, (m->work ? m->work : &m->own)->coarse);
	} else {
		h = align; /* one kind of atom: the grid of its multiples is exact */
	}
	h = fmax(h, 20 * sd / MAX_LENGTH);
	/* A bounded law at a tiny delta is tilted onto its largest loss: its spread then says
	 * nothing about the grid.
	 */
	h = fmax(h, align * 0x1p-17);
	if (align > 0 && h < align)
		h = align / ceil(align / h);
	return h;
}

struct grids {
	iso_cells *cells;
	iso_nodes *upper, *lower;
};

static void grids_free(struct grids *g, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (g->cells)
			iso_free(g->cells[i].v);
		if (g->upper)
			iso_nodes_free(&g->upper[i]);
		if (g->lower)
			iso_nodes_free(&g->lower[i]);
	}
	iso_free(g->cells);
	iso_free(g->upper);
	iso_free(g->lower);
	*g = (struct grids){0};
}

static iso_status discretise(const iso_mix *m, double h, double theta, int want_lower,
			     struct grids *g, iso_error *err)
{
	iso_status st = ISO_OK;

	*g = (struct grids){.cells = iso_alloc(m->n, sizeof(*g->cells)),
			    .upper = iso_alloc(m->n, sizeof(*g->upper)),
			    .lower = iso_alloc(m->n, sizeof(*g->lower))};
	if (!g->cells || !g->upper || !g->lower)
		st = iso_no_memory(err, "a discretised privacy loss");
	for (size_t i = 0; st == ISO_OK && i < m->n; i++) {
		st = iso_law_cells(&m->v[i], h, theta, &g->cells[i], err);
		if (st == ISO_OK)
			st = iso_nodes_upper(&m->v[i], &g->cells[i], h, &g->upper[i], err);
		if (st == ISO_OK && want_lower)
			st = iso_nodes_lower(&m->v[i], &g->cells[i], h, &g->lower[i], err);
	}
	if (st != ISO_OK)
		grids_free(g, m->n);
	return st;
}

/* Discretised laws, window and length of one problem; h grows if the window does not fit otherwise.
 */
typedef struct problem {
	struct grids grids;
	window w;
	composed c; /* h, theta, lo, n set */
} problem;

static iso_status pose(iso_mix *m, double h, double theta, int want_lower, problem *p,
		       iso_error *err)
{
	double length;

	memset(p, 0, sizeof(*p));
	for (int attempt = 0;; attempt++) {
		ISO_TRY(discretise(m, h, theta, want_lower, &p->grids, err));
		chernoff_window(m, p->grids.upper, h, theta, &p->w);
		length = (p->w.hi - p->w.lo) / h + 8;
		if (!(length > MAX_LENGTH) || attempt == 8)
			break;
		grids_free(&p->grids, m->n);
		h *= length / MAX_LENGTH * 1.05;
	}
	if (!(length >= 8 && length <= 2.0 * MAX_LENGTH)) {
		grids_free(&p->grids, m->n);
		return iso_fail(err, ISO_E_NUMERIC,
				"privacy loss out of range (pld): a window of %g needs %g nodes; "
				"use the accountant rdp",
				p->w.hi - p->w.lo, length);
	}
	p->c = (composed){.h = h,
			  .theta = theta,
			  .offset = mix_offset(m),
			  .lo = (int64_t)floor(p->w.lo / h) - 2,
			  .n = round_length(length)};
	return ISO_OK;
}

static iso_pld_work *work_of(iso_mix *m)
{
	return m->work ? m->work : &m->own;
}

/* Solves for epsilon from the upper nodes, then from the lower ones if wanted. */
static iso_status solve_epsilon(iso_mix *m, problem *p, double delta, double hint, int want_upper,
				int want_lower, iso_pld_bounds *out, iso_error *err)
{
	iso_pld_work *work = work_of(m);
	iso_status st = ready(work, p->c.n, err);

	if (st == ISO_OK && want_upper) {
		st = compose(m, p->grids.upper, &p->w, work, &p->c, err);
		if (st == ISO_OK)
			out->upper = solve_upper(&p->c, iso_log(delta), hint);
		iso_free(p->c.keep);
		p->c.keep = NULL;
	}
	if (st == ISO_OK && want_lower) {
		st = compose(m, p->grids.lower, &p->w, work, &p->c, err);
		if (st == ISO_OK)
			out->lower =
				fmax(out->lower, solve_lower(&p->c, iso_log(delta), out->upper));
		iso_free(p->c.keep);
		p->c.keep = NULL;
	}
	out->step = p->c.h;
	grids_free(&p->grids, m->n);
	return st;
}

iso_status iso_mix_epsilon(iso_mix *m, double delta, double step, int want_lower,
			   iso_pld_bounds *out, iso_error *err)
{
	const int given = step > 0;
	double theta, hint, first;
	problem p;

	hint = iso_mix_renyi_epsilon(m, delta, &theta);
	if (!given)
		step = choose_step(m, fmax(hint, 0), theta);
	*out = (iso_pld_bounds){.lower = want_lower ? 0 : NAN};
	ISO_TRY(pose(m, step, theta, want_lower, &p, err));
	first = p.c.h;
	ISO_TRY(solve_epsilon(m, &p, delta, fmax(hint, 1e-9), 1, want_lower, out, err));
	/* the contraction needs a finer grid than the spread where the law is narrow; the upper
	 * bound stays as it is */
	for (int i = 0; want_lower && !given && i < 3; i++) {
		if (!(out->upper - out->lower > GAP * out->upper) || p.c.n > MAX_LENGTH / 4)
			break;
		ISO_TRY(pose(m, p.c.h / 4, theta, 1, &p, err));
		ISO_TRY(solve_epsilon(m, &p, delta, out->upper, 0, 1, out, err));
	}
	out->step = first;
	return ISO_OK;
}

iso_status iso_mix_delta(iso_mix *m, double epsilon, double step, iso_pld_bounds *out,
			 iso_error *err)
{
	iso_pld_work *work = work_of(m);
	double theta;
	problem p;
	iso_status st;

	*out = (iso_pld_bounds){.upper = iso_mix_infinite(m), .lower = NAN};
	if (epsilon >= iso_mix_supremum(m))
		return ISO_OK;
	iso_mix_renyi_log_delta(m, epsilon, &theta);
	if (step <= 0)
		step = choose_step(m, epsilon, theta);
	ISO_TRY(pose(m, step, theta, 0, &p, err));
	st = ready(work, p.c.n, err);
	if (st == ISO_OK)
		st = compose(m, p.grids.upper, &p.w, work, &p.c, err);
	if (st == ISO_OK)
		out->upper = fmin(1, iso_exp(log_delta(&p.c, epsilon, 1)));
	out->step = p.c.h;
	iso_free(p.c.keep);
	grids_free(&p.grids, m->n);
	return st;
}
