// SPDX-License-Identifier: Apache-2.0
/* The statistics kernel; see stats.h.  Section numbers: attacks.md section 1 of the specification.
 */
#include "core/math/stats.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"

#define Z_95 1.959963984540054 /* the 97.5 % quantile of the normal */

/* ---- order ---- */

typedef struct keyed {
	double x;
	size_t i;
} keyed;

/* NaN sorts after everything, so that the order is total whatever comes. */
static int after(double a, double b)
{
	return a > b || (isnan(a) && !isnan(b));
}

static void insertion_sort(keyed *k, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const keyed v = k[i];
		size_t j = i;
		for (; j > 0 && after(k[j - 1].x, v.x); j--)
			k[j] = k[j - 1];
		k[j] = v;
	}
}

static void merge(const keyed *a, size_t na, const keyed *b, size_t nb, keyed *out)
{
	while (na && nb) {
		if (after(a->x, b->x)) {
			*out++ = *b++;
			nb--;
		} else {
			*out++ = *a++;
			na--;
		}
	}
	for (; na; na--)
		*out++ = *a++;
	for (; nb; nb--)
		*out++ = *b++;
}

/* Bottom-up merge sort: stable, O(n log n) for every input.  The result is in k; tmp is scratch of
 * the same size. */
static void keyed_sort(keyed *k, keyed *tmp, size_t n)
{
	const size_t run = 16;
	for (size_t i = 0; i < n; i += run)
		insertion_sort(k + i, n - i < run ? n - i : run);
	keyed *from = k, *to = tmp;
	for (size_t w = run; w < n; w *= 2) {
		for (size_t i = 0; i < n; i += 2 * w) {
			const size_t na = n - i < w ? n - i : w;
			const size_t nb = n - i - na < w ? n - i - na : w;
			merge(from + i, na, from + i + na, nb, to + i);
		}
		keyed *t = from;
		from = to;
		to = t;
	}
	if (from != k)
		memcpy(k, from, n * sizeof(*k));
}

static keyed *sorted_keys(const double *x, size_t n)
{
	keyed *k = iso_alloc(n, sizeof(*k)), *tmp = iso_alloc(n, sizeof(*tmp));
	if (!k || !tmp) {
		iso_free(k);
		iso_free(tmp);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		k[i] = (keyed){x[i], i};
	keyed_sort(k, tmp, n);
	iso_free(tmp);
	return k;
}

iso_status iso_argsort(const double *x, size_t n, size_t *index, iso_error *err)
{
	keyed *k = sorted_keys(x, n);
	if (!k)
		return iso_no_memory(err, "the sort of a column");
	for (size_t i = 0; i < n; i++)
		index[i] = k[i].i;
	iso_free(k);
	return ISO_OK;
}

double iso_mean(const double *x, size_t n)
{
	double s = 0;
	for (size_t i = 0; i < n; i++)
		s += x[i];
	return n ? s / (double)n : NAN;
}

/* Two passes, with the correction term that removes the rounding of the mean (Chan, Golub & LeVeque
 * 1983). */
double iso_sd(const double *x, size_t n)
{
	if (n < 2)
		return 0;
	const double m = iso_mean(x, n);
	double s = 0, c = 0;
	for (size_t i = 0; i < n; i++) {
		s += (x[i] - m) * (x[i] - m);
		c += x[i] - m;
	}
	const double v = (s - c * c / (double)n) / (double)(n - 1);
	return v > 0 ? sqrt(v) : (isnan(v) ? v : 0);
}

double iso_quantile(const double *x, size_t n, double p)
{
	if (!n || !(p >= 0 && p <= 1))
		return NAN;
	keyed *k = sorted_keys(x, n);
	if (!k)
		return NAN;
	const double at = p * (double)(n - 1);
	const size_t lo = (size_t)at, hi = lo + 1 < n ? lo + 1 : lo;
	const double a = k[lo].x, b = k[hi].x, t = at - (double)lo;
	const int bad = isnan(k[n - 1].x); /* NaN sorts last: one NaN spoils the quantile */
	iso_free(k);
	if (bad)
		return NAN;
	return t > 0 && a != b ? a + t * (b - a) : a;
}

/* ---- receiver operating characteristic ---- */

/* Scores in falling order, as groups of equal score: what every statistic below walks over. */
typedef struct tie {
	double score;
	size_t pos, neg;
} tie;

static iso_status ties_of(const double *score, const uint8_t *truth, size_t n, tie **out,
			  size_t *nout, size_t *npos, iso_error *err)
{
	keyed *k = sorted_keys(score, n);
	tie *t = iso_alloc(n, sizeof(*t));
	if (!k || !t) {
		iso_free(k);
		iso_free(t);
		return iso_no_memory(err, "the curve of scores");
	}
	size_t m = 0;
	*npos = 0;
	for (size_t i = n; i-- > 0;) {
		if (!m || k[i].x != t[m - 1].score)
			t[m++].score = k[i].x;
		t[m - 1].pos += truth[k[i].i] != 0;
		t[m - 1].neg += truth[k[i].i] == 0;
		*npos += truth[k[i].i] != 0;
	}
	iso_free(k);
	*out = t;
	*nout = m;
	return ISO_OK;
}

static int any_nan(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(x[i]))
			return 1;
	return 0;
}

/* Mann-Whitney U / (n1 n0) with half a point for ties, and the variance of DeLong, DeLong &
 * Clarke-Pearson 1988 from the placement values V10 (share of negatives below a positive) and V01
 * (share of positives above a negative); all members of a tie group have the same placement, so one
 * walk over the groups is enough (Sun & Xu 2014). */
static void auc_and_variance(const tie *t, size_t m, size_t n1, size_t n0, double *auc, double *var)
{
	const double p = (double)n1, q = (double)n0;
	double above = 0, wins = 0; /* positives above the group; U */
	for (size_t g = 0; g < m; g++) {
		wins += (double)t[g].neg * (above + 0.5 * (double)t[g].pos);
		above += (double)t[g].pos;
	}
	*auc = wins / (p * q);
	double s10 = 0, s01 = 0, neg_above = 0;
	above = 0;
	for (size_t g = 0; g < m; g++) {
		const double v01 = (above + 0.5 * (double)t[g].pos) / p - *auc;
		const double v10 = (q - neg_above - 0.5 * (double)t[g].neg) / q - *auc;
		s01 += (double)t[g].neg * v01 * v01;
		s10 += (double)t[g].pos * v10 * v10;
		above += (double)t[g].pos;
		neg_above += (double)t[g].neg;
	}
	*var = (n1 > 1 ? s10 / (p - 1) / p : 0) + (n0 > 1 ? s01 / (q - 1) / q : 0);
}

/* Hanley & McNeil 1982: where DeLong has nothing to estimate a variance from. */
double iso_hanley_se(double a, double n1, double n0)
{
	const double q1 = a / (2 - a), q2 = 2 * a * a / (1 + a);
	const double v =
		(a * (1 - a) + (n1 - 1) * (q1 - a * a) + (n0 - 1) * (q2 - a * a)) / (n1 * n0);
	return v > 0 ? sqrt(v) : 0;
}

/* Section 1.2.  On the logit scale; at 0 and 1, where that has no width, the one-sided slack 1 -
 * 0.05^(1/min n). A DeLong error of zero inside (0,1) - all scores equal, or one row in a class -
 * says nothing: Hanley-McNeil then. */
void iso_auc_interval(double a, double se, size_t n_pos, size_t n_neg, double *low, double *high)
{
	const size_t least = n_pos < n_neg ? n_pos : n_neg;
	if (a <= 0 || a >= 1) {
		const double slack = -iso_expm1(iso_log(0.05) / (double)least);
		*low = a >= 1 ? 1 - slack : 0;
		*high = a >= 1 ? 1 : slack;
		return;
	}
	if (!(se > 0) || least < 2)
		se = iso_hanley_se(a, (double)n_pos, (double)n_neg);
	const double l = iso_log(a / (1 - a)), half = Z_95 * se / (a * (1 - a));
	*low = iso_sigmoid(l - half);
	*high = iso_sigmoid(l + half);
}

/* Section 1.3, strict: the largest TPR among thresholds (call positive when score >= t) whose FPR
 * is <= f. */
static size_t strict_hits(const tie *t, size_t m, size_t n0, double f)
{
	size_t tp = 0, fp = 0, best = 0;
	for (size_t g = 0; g < m; g++) {
		tp += t[g].pos;
		fp += t[g].neg;
		if ((double)fp > f * (double)n0)
			break;
		best = tp;
	}
	return best;
}

/* Section 1.3, interp: the height of the empirical curve, straight between its points, at FPR f. */
static double interpolated(const tie *t, size_t m, size_t n1, size_t n0, double f)
{
	double tp = 0, fp = 0;

	for (size_t g = 0; g < m; g++) {
		const double more = (double)t[g].neg, room = f * (double)n0 - fp;

		if (more > room)
			return (tp + (double)t[g].pos * room / more) / (double)n1;
		tp += (double)t[g].pos;
		fp += more;
	}
	return 1;
}

static void strict_rates(const tie *t, size_t m, iso_roc *r)
{
	const size_t n1 = r->n_pos, n0 = r->n_neg;
	const size_t k10 = strict_hits(t, m, n0, 0.1), k1 = strict_hits(t, m, n0, 0.01);
	r->tpr_fpr_10 = (double)k10 / (double)n1;
	r->tpr_fpr_1 = (double)k1 / (double)n1;
	r->tpr_fpr_0_1 = (double)strict_hits(t, m, n0, 0.001) / (double)n1;
	r->interp_fpr_10 = interpolated(t, m, n1, n0, 0.1);
	r->interp_fpr_1 = interpolated(t, m, n1, n0, 0.01);
	r->interp_fpr_0_1 = interpolated(t, m, n1, n0, 0.001);
	r->tpr_fpr_10_low = iso_cp_lower(k10, n1, 0.025);
	r->tpr_fpr_10_high = iso_cp_upper(k10, n1, 0.025);
	r->tpr_fpr_1_low = iso_cp_lower(k1, n1, 0.025);
	r->tpr_fpr_1_high = iso_cp_upper(k1, n1, 0.025);
}

/* Median of all scores (numpy type 7) from the falling tie groups. */
static double median_of(const tie *t, size_t m, size_t n)
{
	const size_t hi = (n - 1) / 2,
		     lo = n / 2; /* positions in falling order of the two middle scores */
	double a = 0, b = 0;
	size_t at = 0;
	for (size_t g = 0; g < m; g++) {
		const size_t next = at + t[g].pos + t[g].neg;
		if (at <= hi && hi < next)
			a = t[g].score;
		if (at <= lo && lo < next)
			b = t[g].score;
		at = next;
	}
	return a == b ? a : b + 0.5 * (a - b);
}

static void threshold_statistics(const tie *t, size_t m, iso_roc *r)
{
	const double p = (double)r->n_pos, q = (double)r->n_neg;
	const double median = median_of(t, m, r->n_pos + r->n_neg);
	double tp = 0, fp = 0;
	r->advantage = 0;
	r->bal_acc_median = 0.5; /* no score reaches the median only if it is not finite: nobody is
				    called a member */
	for (size_t g = 0; g < m; g++) {
		tp += (double)t[g].pos;
		fp += (double)t[g].neg;
		r->advantage = fmax(r->advantage, tp / p - fp / q);
		if (t[g].score >= median)
			r->bal_acc_median = 0.5 * (tp / p + 1 - fp / q);
	}
}

iso_status iso_roc_of(const double *score, const uint8_t *truth, size_t n, iso_roc *out,
		      iso_error *err)
{
	ISO_FAIL_IF(any_nan(score, n), err, ISO_E_NUMERIC,
		    "a score is not a number: an ordering of the targets does not exist; give "
		    "every target a score");
	tie *t = NULL;
	size_t m, npos;
	ISO_TRY(ties_of(score, truth, n, &t, &m, &npos, err));
	if (!npos || npos == n) {
		iso_free(t);
		return iso_fail(err, ISO_E_DATA,
				"no curve (%zu positives, %zu negatives): both classes are needed",
				npos, n - npos);
	}
	iso_roc r = {.n_pos = npos, .n_neg = n - npos};
	double var;
	auc_and_variance(t, m, r.n_pos, r.n_neg, &r.auc, &var);
	r.se = sqrt(var);
	iso_auc_interval(r.auc, r.se, r.n_pos, r.n_neg, &r.low, &r.high);
	threshold_statistics(t, m, &r);
	strict_rates(t, m, &r);
	iso_free(t);
	*out = r;
	return ISO_OK;
}

double iso_auc(const double *score, const uint8_t *truth, size_t n)
{
	tie *t = NULL;
	size_t m, npos;
	if (any_nan(score, n) || ties_of(score, truth, n, &t, &m, &npos, NULL) != ISO_OK)
		return NAN;
	double auc = 0.5, var;
	if (npos && npos < n)
		auc_and_variance(t, m, npos, n - npos, &auc, &var);
	iso_free(t);
	return auc;
}

iso_status iso_auc_halves(const double *score, const uint8_t *truth, size_t n, double auc[2],
			  iso_error *err)
{
	double *x = iso_alloc(n + 1, sizeof *x);
	uint8_t *y = iso_alloc(n + 1, 1);
	const iso_status st = x && y ? ISO_OK : iso_no_memory(err, "halves of scores");
	for (size_t half = 0; half < 2 && st == ISO_OK; half++) {
		size_t m = 0, npos = 0;
		for (size_t i = half; i < n; i += 2, m++) {
			x[m] = score[i];
			y[m] = truth[i];
			npos += truth[i] != 0;
		}
		auc[half] = npos && npos < m ? iso_auc(x, y, m) : NAN;
	}
	iso_free(x);
	iso_free(y);
	return st;
}

/* sum over thresholds of (recall_k - recall_{k-1}) * precision_k; no interpolation (scikit-learn's
 * definition). Without positives there is no recall: 0, as there. */
double iso_average_precision(const double *score, const uint8_t *truth, size_t n)
{
	tie *t = NULL;
	size_t m, npos;
	if (any_nan(score, n) || ties_of(score, truth, n, &t, &m, &npos, NULL) != ISO_OK)
		return NAN;
	double ap = 0, tp = 0, seen = 0;
	for (size_t g = 0; g < m && npos; g++) {
		tp += (double)t[g].pos;
		seen += (double)(t[g].pos + t[g].neg);
		ap += (double)t[g].pos / (double)npos * (tp / seen);
	}
	iso_free(t);
	return ap;
}

/* ---- proportions ---- */

/* Section 1.5.  upper solves P[Bin(n,x) <= k] = a, that is I_x(k+1, n-k) = 1 - a.  Solved as
 * I_y(n-k, k+1) = a for y = 1 - x, because 1 - a in double precision loses the digits of a small
 * tail. */
double iso_cp_upper(uint64_t k, uint64_t n, double a)
{
	if (!n || k >= n)
		return 1;
	if (!k)
		return -iso_expm1(iso_log(a) / (double)n);
	return 1 - iso_beta_ppf((double)(n - k), (double)k + 1, a);
}

/* lower solves P[Bin(n,x) >= k] = a, that is I_x(k, n-k+1) = a. */
double iso_cp_lower(uint64_t k, uint64_t n, double a)
{
	if (!n || !k)
		return 0;
	if (k >= n)
		return iso_exp(iso_log(a) / (double)n);
	return iso_beta_ppf((double)k, (double)(n - k) + 1, a);
}

/* Wilson 1927.  n = 0: nothing is known. */
void iso_wilson(double k, double n, double z, double *low, double *high)
{
	if (!(n > 0)) {
		*low = 0;
		*high = 1;
		return;
	}
	const double p = k / n, z2 = z * z / n;
	const double centre = (p + 0.5 * z2) / (1 + z2);
	const double half = z / (1 + z2) * sqrt(p * (1 - p) / n + 0.25 * z2 / n);
	*low = fmax(0, centre - half);
	*high = fmin(1, centre + half);
}

static void wilson_centre(double k, double n, double *centre, double *half)
{
	const double z2 = Z_95 * Z_95;
	*centre = (k + 0.5 * z2) / (n + z2);
	*half = Z_95 / (n + z2) * sqrt(k * (n - k) / n + 0.25 * z2);
}

void iso_risk_of(double hits, double n, double control_hits, double control_n, iso_risk *out)
{
	double ea, ec;
	iso_risk r;
	wilson_centre(hits, n, &r.attack, &ea);
	wilson_centre(control_hits, control_n, &r.control, &ec);
	const double rest = 1 - r.control; /* above 0: a Wilson centre never reaches 1 */
	const double by_attack = ea / rest, by_control = ec * (r.attack - 1) / (rest * rest);
	r.raw = (r.attack - r.control) / rest;
	r.error = sqrt(by_attack * by_attack + by_control * by_control);
	r.risk = fmin(1, fmax(0, r.raw));
	r.low = fmin(1, fmax(0, r.raw - r.error));
	r.high = fmin(1, fmax(0, r.raw + r.error));
	*out = r;
}

/* ---- means ---- */

/* P[|T| > t] = I_x(dof/2, 1/2) with x = dof / (dof + t^2). */
double iso_t_ppf(double p, double dof)
{
	if (!(p > 0 && p < 1) || !(dof > 0))
		return p == 1 ? INFINITY : p == 0 ? -INFINITY : NAN;
	const double tail = p < 0.5 ? p : 1 - p;
	const double x = iso_beta_ppf(0.5 * dof, 0.5, 2 * tail);
	const double t = p == 0.5 ? 0 : sqrt(dof * (1 - x) / x);
	return p < 0.5 ? -t : t;
}

double iso_mean_interval(const double *x, size_t n, double *low, double *high)
{
	const double mean = iso_mean(x, n), sd = iso_sd(x, n);
	*low = *high = NAN;
	if (sd > 0) {
		const double half = iso_t_ppf(0.975, (double)(n - 1)) * sd / sqrt((double)n);
		*low = mean - half;
		*high = mean + half;
	}
	return mean;
}

/* ---- goodness of fit ---- */

double iso_chi2_test(const double *observed, const double *expected, size_t n, size_t dof)
{
	double x = 0;
	for (size_t i = 0; i < n; i++) {
		const double d = observed[i] - expected[i];
		if (expected[i] > 0)
			x += d * d / expected[i];
		else if (d != 0)
			return 0; /* an impossible cell was seen */
	}
	return iso_chi2_sf(x, (double)dof);
}

/* P[K > x] of Kolmogorov's distribution: the alternating series for large x, its theta transform
 * for small x (both converge to double precision within a dozen terms on their side of 1). */
static double kolmogorov_sf(double x)
{
	if (!(x > 0))
		return 1;
	double s = 0;
	if (x < 1) {
		const double pi2 = 9.869604401089358,
			     root = 2.5066282746310002; /* pi^2, sqrt(2 pi) */
		for (int k = 1; k <= 15; k += 2)
			s += iso_exp(-(double)(k * k) * pi2 / (8 * x * x));
		return fmax(0, 1 - root / x * s);
	}
	for (int k = 1; k <= 12; k++)
		s += (k & 1 ? 2 : -2) * iso_exp(-2.0 * (double)(k * k) * x * x);
	return fmin(1, s);
}

/* Stephens 1970: the asymptotic law of (sqrt n + 0.12 + 0.11 / sqrt n) D is accurate from n = 5. */
double iso_ks_test(const double *sorted_u, size_t n)
{
	if (!n)
		return 1;
	double d = 0;
	for (size_t i = 0; i < n; i++) {
		const double up = (double)(i + 1) / (double)n - sorted_u[i],
			     down = sorted_u[i] - (double)i / (double)n;
		if (isnan(up))
			return 0;
		d = fmax(d, fmax(up, down));
	}
	const double root = sqrt((double)n);
	return kolmogorov_sf((root + 0.12 + 0.11 / root) * d);
}
