// SPDX-License-Identifier: Apache-2.0
/* Privacy loss laws of single releases and their discretisation (accounting.md 4.1 and 4.2).
 *
 * Upper: connect-the-dots (Doroshenko et al. 2022, arXiv 2207.04380), cell by cell.  Mass p with
 * loss L inside the cell [e, e+w] goes to the right end with weight (1 - e^(e-L))/(1 - e^-w) and to
 * the left end otherwise; this keeps its P- and its Q-mass, so under Q the variable e^L gets a
 * mean-preserving spread, and E_Q[(e^L - e^eps)+] can only grow, in every composition.  Any set of
 * nodes will do; cells may be wider where there is little mass.
 *
 * Lower: a mean-preserving contraction of e^L under Q.  Each cell is merged into one outcome
 * (post-processing), and at every node a part of the merged outcome left of it is joined with a
 * part of the one right of it so that the joint likelihood ratio is exactly the node's (again
 * post-processing).  The parts follow from a recursion that is run from both tails towards the cell
 * with the most mass, which is its stable direction.  What cannot be paired is moved to a node of
 * smaller loss, and what lies below the range is dropped: the sum of losses only falls, for every
 * choice of the others, hence so does delta(eps) = E_P[(1 - e^(eps-L))+].
 */
#include "core/privacy/pld_law.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"

#define SQRT_2PI 2.50662827463100050242
#define ON_GRID 1e-9 /* how close to a node an atom counts as lying on it, in cells */
#define CELL_TOLERANCE \
	1e-6 /* a cell of tilted mass m and width w (in h) is split while m w^2 exceeds this */

/* Gauss-Legendre, 5 points on [-1, 1]. */
static const double gl_x[5] = {-0.90617984593866399280, -0.53846931010568309104, 0,
			       0.53846931010568309104, 0.90617984593866399280};
static const double gl_w[5] = {0.23692688505618908751, 0.47862867049936646804,
			       0.56888888888888888889, 0.47862867049936646804,
			       0.23692688505618908751};

/* log((1-q) + q e^t) */
static double log_mix(double q, double t)
{
	if (q >= 1)
		return t;
	return t < 30 ? iso_log1p(q * iso_expm1(t))
		      : t + iso_log(q) + iso_log1p((1 - q) / q * iso_exp(-t));
}

/* The t with log((1-q) + q e^t) = eps, eps > log(1-q); -inf below. */
static double log_mix_inverse(double q, double eps)
{
	double r;

	if (q >= 1)
		return eps;
	if (eps > 30)
		return eps - iso_log(q) + iso_log1p(-(1 - q) * iso_exp(-eps));
	r = iso_expm1(eps) / q;
	return r > -1 ? iso_log1p(r) : -INFINITY;
}

static int is_gaussian_kind(const iso_law *law)
{
	return law->kind == ISO_LAW_REMOVE || law->kind == ISO_LAW_ADD ||
	       law->kind == ISO_LAW_REPLACE;
}

/* Loss, increasing in the base variable x, and the density of P there. */
static void law_point(const iso_law *law, double x, double *loss, double *density)
{
	const double s = law->s, inv = 1 / (2 * s * s);
	double l, m;

	switch (law->kind) {
	case ISO_LAW_REMOVE:
		l = log_mix(law->q, (2 * x - 1) * inv);
		*loss = l;
		*density = iso_exp(l - x * x * inv) / (s * SQRT_2PI);
		return;
	case ISO_LAW_ADD: /* base variable: minus the output */
		*loss = -log_mix(law->q, (-2 * x - 1) * inv);
		*density = iso_exp(-x * x * inv) / (s * SQRT_2PI);
		return;
	case ISO_LAW_REPLACE:
		l = log_mix(law->q, (2 * x - 1) * inv);
		m = log_mix(law->q, (-2 * x - 1) * inv);
		*loss = l - m;
		*density = iso_exp(l - x * x * inv) / (s * SQRT_2PI);
		return;
	default: /* Laplace between its atoms: the loss itself, density e^((x-1/b)/2)/4 */
		*loss = x;
		*density = 0.25 * iso_exp(0.5 * (x - 1 / s));
	}
}

/* Base variable at which the loss is eps, clipped to the kept range. */
static double law_inverse(const iso_law *law, double eps)
{
	const double s2 = law->s * law->s;
	double x;

	switch (law->kind) {
	case ISO_LAW_REMOVE:
		x = s2 * log_mix_inverse(law->q, eps) + 0.5;
		break;
	case ISO_LAW_ADD:
		x = -(s2 * log_mix_inverse(law->q, -eps) + 0.5);
		break;
	case ISO_LAW_REPLACE: {
		/* P/Q = e^eps is quadratic in e^(x/s^2); x = s^2 (eps/2 + asinh(r)), r = (1-q)/q
		 * e^(1/2s^2) sinh(eps/2)
		 */
		const double a = fabs(eps) / 2;
		double w = 0;

		if (law->q < 1 && a > 0) {
			/* log of r, then asinh(r) = log(r + sqrt(r^2+1)) */
			const double lr = iso_log((1 - law->q) / law->q) + 1 / (2 * s2) + a +
					  iso_log(-iso_expm1(-2 * a) / 2);

			if (lr > 20) {
				w = lr + 0.69314718055994530942;
			} else {
				const double r = iso_exp(lr);

				w = iso_log1p(r + r * r / (1 + sqrt(1 + r * r)));
			}
		}
		x = s2 * (eps > 0 ? a + w : -(a + w));
		break;
	}
	default:
		x = eps;
	}
	return x > law->hi ? law->hi : x > law->lo ? x : law->lo;
}

/* Widest stretch of the base variable that one 5-point rule integrates to rounding. */
static double panel_width(const iso_law *law, double x)
{
	const double s = law->s;

	if (!is_gaussian_kind(law))
		return 0.5;
	return fmin(s * fmin(0.5, 1 / (1 + fabs(x) / s)), 0.7 * s * s);
}

static size_t law_atoms(const iso_law *law, double loss[2], double mass[2])
{
	if (law->kind == ISO_LAW_TWO_POINT) {
		loss[0] = -law->e;
		loss[1] = law->e;
		mass[1] = (1 - law->delta0) / (1 + iso_exp(-law->e));
		mass[0] = (1 - law->delta0) * iso_exp(-law->e) / (1 + iso_exp(-law->e));
		return 2;
	}
	if (law->kind == ISO_LAW_LAPLACE) {
		loss[0] = -1 / law->s;
		loss[1] = 1 / law->s;
		mass[0] = 0.5 * iso_exp(-1 / law->s);
		mass[1] = 0.5;
		return 2;
	}
	return 0;
}

static void set_range(iso_law *law, double reach)
{
	const double s = law->s, tail = iso_norm_cdf(-reach);

	law->below = law->above = 0;
	switch (law->kind) {
	case ISO_LAW_REMOVE:
	case ISO_LAW_REPLACE:
		/* P(x < lo) and P(x > hi) are below the tail of one of the two components each */
		law->lo = (law->q >= 1 ? 1 : 0) - reach * s;
		law->hi = 1 + reach * s;
		law->below = law->above = tail;
		break;
	case ISO_LAW_ADD:
		law->lo = -reach * s;
		law->hi = reach * s;
		law->below = law->above = tail;
		break;
	case ISO_LAW_LAPLACE:
		law->lo = -1 / s;
		law->hi = 1 / s;
		break;
	case ISO_LAW_TWO_POINT:
		law->lo = law->hi = 0;
	}
}

/* Steps of the quadrature: for Laplace they shrink towards the supremum, where large tilts put the
 * mass. */
static double quadrature_step(const iso_law *law, double x)
{
	const double w = panel_width(law, x);

	return law->kind == ISO_LAW_LAPLACE ? fmin(w, 0.5 * (law->hi - x) + 1e-10 * law->hi) : w;
}

iso_status iso_law_prepare(iso_law *law, double reach, iso_error *err)
{
	double loss[2], mass[2], x;
	const size_t atoms = law_atoms(law, loss, mass);
	size_t n = 0;

	set_range(law, reach);
	for (x = law->lo; x < law->hi; x += quadrature_step(law, x))
		n += 5;
	law->loss = iso_alloc(n + atoms, sizeof(double));
	law->mass = iso_alloc(n + atoms, sizeof(double));
	if (!law->loss || !law->mass) {
		iso_law_free(law);
		return iso_no_memory(err, "a privacy loss law");
	}
	law->n = 0;
	for (x = law->lo; law->n + 5 <= n;) {
		const double w = fmin(quadrature_step(law, x), law->hi - x);

		for (int k = 0; k < 5; k++) {
			double l, d;

			law_point(law, x + 0.5 * w * (1 + gl_x[k]), &l, &d);
			law->loss[law->n] = l;
			law->mass[law->n++] = 0.5 * w * gl_w[k] * d;
		}
		x += w;
	}
	for (size_t k = 0; k < atoms; k++) {
		law->loss[law->n] = loss[k];
		law->mass[law->n++] = mass[k];
	}
	return ISO_OK;
}

void iso_law_free(iso_law *law)
{
	iso_free(law->loss);
	iso_free(law->mass);
	law->loss = law->mass = NULL;
	law->n = 0;
}

double iso_law_cumulant(const iso_law *law, double t)
{
	double top = -INFINITY, sum = 0;

	for (size_t i = 0; i < law->n; i++)
		top = law->mass[i] > 0 ? fmax(top, t * law->loss[i]) : top;
	for (size_t i = 0; i < law->n; i++)
		sum += law->mass[i] * iso_exp(t * law->loss[i] - top);
	if (sum > 1e-290)
		return top + iso_log(sum);
	/* the largest exponents sit on negligible mass: full logarithms */
	top = -INFINITY;
	for (size_t i = 0; i < law->n; i++)
		top = law->mass[i] > 0 ? fmax(top, iso_log(law->mass[i]) + t * law->loss[i]) : top;
	sum = 0;
	for (size_t i = 0; i < law->n; i++)
		if (law->mass[i] > 0)
			sum += iso_exp(iso_log(law->mass[i]) + t * law->loss[i] - top);
	return top + iso_log(sum);
}

double iso_law_supremum(const iso_law *law)
{
	switch (law->kind) {
	case ISO_LAW_ADD:
		return -iso_log1p(-law->q);
	case ISO_LAW_LAPLACE:
		return 1 / law->s;
	case ISO_LAW_TWO_POINT:
		return law->e;
	default:
		return INFINITY;
	}
}

double iso_law_variance(const iso_law *law, double t)
{
	const double log_m = iso_law_cumulant(law, t);
	double first = 0, second = 0;

	for (size_t i = 0; i < law->n; i++) {
		const double w = law->mass[i] * iso_exp(fmin(700, t * law->loss[i] - log_m));

		first += w * law->loss[i];
		second += w * law->loss[i] * law->loss[i];
	}
	return fmax(0, second - first * first);
}

double iso_law_idle_loss(const iso_law *law)
{
	if (!(law->q < 1))
		return 0;
	return law->kind == ISO_LAW_REMOVE ? iso_log1p(-law->q)
	       : law->kind == ISO_LAW_ADD  ? -iso_log1p(-law->q)
					   : 0;
}

double iso_law_spread(const iso_law *law, double base, double h, double theta)
{
	const double log_m = iso_law_cumulant(law, theta);
	double sum = 0;

	for (size_t i = 0; i < law->n; i++)
		sum += law->mass[i] * iso_exp(fmin(700, theta * law->loss[i] - log_m)) *
		       fmin(h * h / 6, h * fabs(law->loss[i] - base));
	return sum;
}

/* Share of mass at `loss` that goes to the right end of [e, e + w]. */
static double right_share(double loss, double e, double inv_full)
{
	const double r = iso_expm1(e - loss) * inv_full;

	return r < 0 ? 0 : r > 1 ? 1 : r;
}

/* Mass of the base interval [xa, xb] split over the cell [e, e + w]. */
static void integrate(const iso_law *law, double xa, double xb, double e, double w, double *a,
		      double *b)
{
	const double inv_full = 1 / iso_expm1(-w);
	double x = xa;

	*a = *b = 0;
	while (x < xb) {
		double step = panel_width(law, x), half;

		if (x + 1.000001 * step > xb)
			step = xb - x;
		half = 0.5 * step;
		for (int k = 0; k < 5; k++) {
			double l, d, r;

			law_point(law, x + half * (1 + gl_x[k]), &l, &d);
			d *= half * gl_w[k];
			r = right_share(l, e, inv_full);
			*b += d * r;
			*a += d * (1 - r);
		}
		x = step < xb - x ? x + step : xb;
	}
}

static iso_status push_cell(iso_cells *out, iso_cell c, iso_error *err)
{
	if (out->n == out->cap)
		ISO_TRY(iso_grow(&out->v, &out->cap, out->n + 1, sizeof(*out->v), err));
	out->v[out->n++] = c;
	return ISO_OK;
}

struct stretch {
	int64_t i, w;
	double xa, xb;
};

iso_status iso_law_cells(const iso_law *law, double h, double theta, iso_cells *out, iso_error *err)
{
	struct stretch stack[128];
	const double log_m = iso_law_cumulant(law, theta);
	double lowest, highest, d;
	int64_t i0, w = 1;
	int depth = 0;

	out->n = 0;
	if (law->kind == ISO_LAW_TWO_POINT)
		return ISO_OK;
	law_point(law, law->lo, &lowest, &d);
	law_point(law, law->hi, &highest, &d);
	lowest -= law->base;
	highest -= law->base;
	ISO_FAIL_IF(!((highest - lowest) / h < 1e15) || !(fabs(lowest) / h < 1e15), err,
		    ISO_E_NUMERIC,
		    "privacy loss out of range (pld): losses from %g to %g on a grid of %g; use "
		    "the accountant rdp",
		    lowest, highest, h);
	i0 = (int64_t)floor(lowest / h + (law->kind == ISO_LAW_LAPLACE ? ON_GRID : 0));
	while (((double)i0 + (double)w) * h < highest && w < (int64_t)1 << 55)
		w *= 2;
	stack[depth++] = (struct stretch){.i = i0, .w = w, .xa = law->lo, .xb = law->hi};
	while (depth) {
		const struct stretch c = stack[--depth];
		const double e = law->base + (double)c.i * h, width = (double)c.w * h;
		int split = 0;
		iso_cell cell = {.i = c.i, .w = c.w};

		if (!(c.xb > c.xa))
			continue;
		if (c.w > 1)
			split = c.xb - c.xa > 1.5 * panel_width(law, fmax(fabs(c.xa), fabs(c.xb)));
		if (!split) {
			integrate(law, c.xa, c.xb, e, width, &cell.a, &cell.b);
			if (c.w > 1) {
				/* tilted at the right end: a bound also when theta times the width
				 * is large */
				const double tilted =
					(cell.a + cell.b) *
					iso_exp(fmin(700, theta * (e + width) - log_m));

				split = tilted * (double)c.w * (double)c.w > CELL_TOLERANCE;
			}
		}
		if (split) {
			const int64_t half = c.w / 2;
			const double xm = law_inverse(law, law->base + (double)(c.i + half) * h);

			stack[depth++] = (struct stretch){
				.i = c.i + half, .w = c.w - half, .xa = xm, .xb = c.xb};
			stack[depth++] =
				(struct stretch){.i = c.i, .w = half, .xa = c.xa, .xb = xm};
			continue;
		}
		ISO_TRY(push_cell(out, cell, err));
	}
	return ISO_OK;
}

static iso_status push_node(iso_nodes *out, int64_t at, double mass, iso_error *err)
{
	if (!(mass > 0))
		return ISO_OK;
	if (out->n && out->at[out->n - 1] == at) {
		out->mass[out->n - 1] += mass;
		return ISO_OK;
	}
	if (out->n == out->cap) {
		size_t cap = out->cap;

		ISO_TRY(iso_grow(&out->at, &cap, out->n + 1, sizeof(*out->at), err));
		cap = out->cap;
		ISO_TRY(iso_grow(&out->mass, &cap, out->n + 1, sizeof(*out->mass), err));
		out->cap = cap;
	}
	if (!out->n || at < out->min)
		out->min = at;
	if (!out->n || at > out->max)
		out->max = at;
	out->at[out->n] = at;
	out->mass[out->n++] = mass;
	return ISO_OK;
}

/* Atoms: on a node exactly, else split (upper) or moved to the node below (lower). */
static iso_status push_atoms(const iso_law *law, double h, int upper, iso_nodes *out,
			     iso_error *err)
{
	double loss[2], mass[2];
	const size_t n = law_atoms(law, loss, mass);

	for (size_t k = 0; k < n; k++) {
		const double at = loss[k] / h, near = rint(at);
		const double left = floor(at),
			     r = right_share(loss[k], left * h, 1 / iso_expm1(-h));

		if (fabs(at - near) < ON_GRID) {
			ISO_TRY(push_node(out, (int64_t)near, mass[k], err));
			continue;
		}
		ISO_TRY(push_node(out, (int64_t)left, upper ? mass[k] * (1 - r) : mass[k], err));
		if (upper)
			ISO_TRY(push_node(out, (int64_t)left + 1, mass[k] * r, err));
	}
	return ISO_OK;
}

iso_status iso_nodes_upper(const iso_law *law, const iso_cells *cells, double h, iso_nodes *out,
			   iso_error *err)
{
	out->n = 0;
	out->inf = law->above + (law->kind == ISO_LAW_TWO_POINT ? law->delta0 : 0);
	for (size_t k = 0; k < cells->n; k++) {
		const iso_cell *c = &cells->v[k];

		/* mass below the range has smaller losses than the first cell's right end: moving
		 * it there dominates */
		ISO_TRY(push_node(out, c->i, c->a, err));
		ISO_TRY(push_node(out, c->i + c->w, c->b + (k == 0 ? law->below : 0), err));
	}
	return push_atoms(law, h, 1, out, err);
}

/* At a node: `need` comes from one side (P-mass `have`, with |P - e^g Q| = need), the cell on the
 * other side can give `give` in full.  Returns the share of that cell that is used, and in *part
 * the share of `have` that is balanced. */
static double balance(double need, double give, double *part)
{
	if (!(need > 0)) {
		*part = 1;
		return 0;
	}
	if (give >= need) {
		*part = 1;
		return need / give;
	}
	*part = give / need;
	return 1;
}

static size_t heaviest(const iso_cells *cells)
{
	size_t best = 0;

	for (size_t k = 1; k < cells->n; k++)
		if (cells->v[k].a + cells->v[k].b > cells->v[best].a + cells->v[best].b)
			best = k;
	return best;
}

/* For cell k merged to one outcome: surplus P - e^(left) Q = b (1 - e^-w) over its left node,
 * deficit e^(right) Q - P = a (e^w - 1) under its right node. */
iso_status iso_nodes_lower(const iso_law *law, const iso_cells *cells, double h, iso_nodes *out,
			   iso_error *err)
{
	const size_t n = cells->n, mid = n ? heaviest(cells) : 0;
	double from_left = 0, from_right = 0; /* shares of cell `mid` taken by its two nodes */
	double flow = 0, need = 0, part;

	out->n = 0;
	out->inf = law->kind == ISO_LAW_TWO_POINT ? law->delta0 : 0;
	if (!n)
		return push_atoms(law, h, 0, out, err);
	/* left tail inward: flow = P-mass that cell k-1 sends to the node at its right end */
	for (size_t k = 0; k <= mid; k++) {
		const iso_cell *c = &cells->v[k];
		const double mass = c->a + c->b, w = (double)c->w * h;
		const double used = balance(need, c->b * -iso_expm1(-w), &part);

		if (flow > 0 && k > 0) {
			ISO_TRY(push_node(out, cells->v[k - 1].i, flow * (1 - part), err));
			ISO_TRY(push_node(out, c->i, flow * part, err));
		}
		ISO_TRY(push_node(out, c->i, used * mass, err));
		if (k == mid) {
			from_left = used;
			break;
		}
		flow = (1 - used) * mass;
		need = (1 - used) * c->a * iso_expm1(w);
	}
	/* right tail inward: flow = P-mass that cell k+1 sends to the node at its left end */
	flow = need = 0;
	for (size_t k = n; k-- > mid;) {
		const iso_cell *c = &cells->v[k];
		const double mass = c->a + c->b, w = (double)c->w * h;
		double used = balance(need, c->a * iso_expm1(w), &part);

		if (k == mid && used > 1 - from_left)
			used = 1 - from_left;
		/* an unbalanced surplus has a larger loss than the node: all of the flow may be put
		 * there */
		ISO_TRY(push_node(out, c->i + c->w, flow + used * mass, err));
		if (k == mid) {
			from_right = used;
			break;
		}
		flow = (1 - used) * mass;
		need = (1 - used) * c->b * -iso_expm1(-w);
	}
	ISO_TRY(push_node(out, cells->v[mid].i,
			  (1 - from_left - from_right) * (cells->v[mid].a + cells->v[mid].b), err));
	return push_atoms(law, h, 0, out, err);
}

void iso_nodes_free(iso_nodes *n)
{
	iso_free(n->at);
	iso_free(n->mass);
	*n = (iso_nodes){0};
}

double iso_nodes_cumulant(const iso_nodes *n, double h, double t)
{
	const double top = t >= 0 ? t * h * (double)n->max : t * h * (double)n->min;
	double sum = 0;

	for (size_t i = 0; i < n->n; i++)
		sum += n->mass[i] * iso_exp(t * h * (double)n->at[i] - top);
	return n->n ? top + iso_log(sum) : -INFINITY;
}
