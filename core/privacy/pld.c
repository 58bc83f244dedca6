// SPDX-License-Identifier: Apache-2.0
/* PLD bounds of event lists: which laws, which directions, which parts of the records.
 *
 * A record lies in one part of every parallel group, so under add-remove the total is the maximum
 * over the choices of one part per group of the complete compositions (sequential events and the
 * chosen parts), never a pointwise maximum of laws.  Under replace-one a record may leave one part
 * and enter another: two parts per group are charged.
 *
 * Upper bounds use, for mechanisms known by their guarantee only, the worst mechanism that has it.
 * Lower bounds use one mechanism that has it: randomized response of e/2 has e-bounded range; a
 * noisy argmax of two classes whose counts differ by one is randomized response with Pr = Pr[noise
 * difference < 1].
 */
#include "core/privacy/pld.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "core/math/vmath.h"
#include "core/privacy/account_private.h"
#include "core/privacy/pld_compose.h"

#define MAX_CHOICES 48 /* combinations of parts composed; beyond, the RDP bound stands */

/* ---- choices of parts ---- */

/* One choice: events without votes and parts, owned array of borrowed content. */
typedef struct choice {
	iso_event *v;
	size_t n, cap;
} choice;

typedef struct choices {
	choice *v;
	size_t n, cap;
	int too_many;
} choices;

static void choices_free(choices *c)
{
	for (size_t i = 0; i < c->n; i++)
		iso_free(c->v[i].v);
	iso_free(c->v);
	memset(c, 0, sizeof(*c));
}

static int same_kind(const iso_event *a, const iso_event *b)
{
	return a->mechanism == b->mechanism && a->sampling == b->sampling;
}

static int same_event(const iso_event *a, const iso_event *b)
{
	return same_kind(a, b) && a->noise == b->noise && a->epsilon == b->epsilon &&
	       a->delta == b->delta && a->rho == b->rho && a->rate == b->rate;
}

/* Is b at least as revealing as a?  More noise, a smaller rate, fewer releases each only lower
 * delta(eps). */
static int event_below(const iso_event *a, const iso_event *b)
{
	return same_kind(a, b) && a->noise >= b->noise && a->epsilon <= b->epsilon &&
	       a->delta <= b->delta && a->rho <= b->rho && a->rate <= b->rate &&
	       a->count <= b->count;
}

static int choice_below(const choice *a, const choice *b)
{
	unsigned char taken[64] = {0};

	if (a->n > b->n || b->n > sizeof(taken))
		return 0;
	for (size_t i = 0; i < a->n; i++) {
		size_t k = 0;

		while (k < b->n && (taken[k] || !event_below(&a->v[i], &b->v[k])))
			k++;
		if (k == b->n)
			return 0;
		taken[k] = 1;
	}
	return 1;
}

static iso_status choice_add(choice *c, const iso_event *e, iso_error *err)
{
	iso_event copy = *e;

	for (size_t i = 0; i < c->n; i++)
		if (same_event(&c->v[i], e)) {
			c->v[i].count += e->count;
			return ISO_OK;
		}
	ISO_TRY(iso_grow(&c->v, &c->cap, c->n + 1, sizeof(*c->v), err));
	copy.votes = NULL;
	copy.parts = NULL;
	copy.nparts = 0;
	c->v[c->n++] = copy;
	return ISO_OK;
}

/* Adds a + b (b may be NULL) unless another choice already covers it. */
static iso_status choices_add(choices *to, const choice *a, const choice *b, iso_error *err)
{
	choice sum = {0};
	iso_status st = ISO_OK;

	for (size_t i = 0; st == ISO_OK && i < a->n; i++)
		st = choice_add(&sum, &a->v[i], err);
	for (size_t i = 0; st == ISO_OK && b && i < b->n; i++)
		st = choice_add(&sum, &b->v[i], err);
	for (size_t i = 0; st == ISO_OK && i < to->n;) {
		if (choice_below(&sum, &to->v[i])) {
			iso_free(sum.v);
			return ISO_OK;
		}
		if (choice_below(&to->v[i], &sum)) {
			iso_free(to->v[i].v);
			to->v[i] = to->v[--to->n];
		} else {
			i++;
		}
	}
	if (st == ISO_OK && to->n >= MAX_CHOICES) {
		to->too_many = 1;
		iso_free(sum.v);
		return ISO_OK;
	}
	if (st == ISO_OK)
		st = iso_grow(&to->v, &to->cap, to->n + 1, sizeof(*to->v), err);
	if (st != ISO_OK) {
		iso_free(sum.v);
		return st;
	}
	to->v[to->n++] = sum;
	return ISO_OK;
}

static iso_status expand(const iso_events *list, iso_adjacency adj, choices *out, iso_error *err);

/* What one parallel event can cost a record: one part, or two under replace-one. */
static iso_status expand_parts(const iso_event *e, iso_adjacency adj, choices *out, iso_error *err)
{
	choices *parts = iso_alloc(e->nparts, sizeof(*parts));
	iso_status st = ISO_OK;

	if (!parts)
		return iso_no_memory(err, "parts of a parallel event");
	for (size_t i = 0; st == ISO_OK && i < e->nparts; i++) {
		st = expand(&e->parts[i], adj, &parts[i], err);
		out->too_many |= parts[i].too_many;
	}
	for (size_t i = 0; i < e->nparts; i++)
		for (size_t a = 0; st == ISO_OK && a < parts[i].n && !out->too_many; a++) {
			if (adj == ISO_ADD_REMOVE || e->nparts == 1) {
				st = choices_add(out, &parts[i].v[a], NULL, err);
				continue;
			}
			for (size_t j = i + 1; j < e->nparts; j++)
				for (size_t b = 0; st == ISO_OK && b < parts[j].n; b++)
					st = choices_add(out, &parts[i].v[a], &parts[j].v[b], err);
		}
	for (size_t i = 0; i < e->nparts; i++)
		choices_free(&parts[i]);
	iso_free(parts);
	return st;
}

static iso_status expand(const iso_events *list, iso_adjacency adj, choices *out, iso_error *err)
{
	const choice nothing = {0};

	ISO_TRY(choices_add(out, &nothing, NULL, err));
	for (size_t i = 0; i < list->n; i++) {
		const iso_event *e = &list->v[i];
		choices parts = {0}, next = {0};
		iso_status st = ISO_OK;

		if (e->mechanism == ISO_MECH_UNCHARGED)
			continue;
		if (e->mechanism != ISO_MECH_PARALLEL) {
			for (size_t k = 0; k < out->n; k++)
				ISO_TRY(choice_add(&out->v[k], e, err));
			continue;
		}
		st = expand_parts(e, adj, &parts, err);
		for (size_t a = 0; a < out->n; a++)
			for (size_t b = 0; st == ISO_OK && b < parts.n; b++)
				st = choices_add(&next, &out->v[a], &parts.v[b], err);
		next.too_many |= out->too_many | parts.too_many;
		choices_free(&parts);
		choices_free(out);
		*out = next;
		if (st != ISO_OK)
			return st;
	}
	return ISO_OK;
}

/* ---- laws of a choice ---- */

typedef enum direction { DIR_REMOVE, DIR_ADD } direction;

typedef struct laws {
	iso_mix mix;
	double mu2;	  /* all plain Gaussians together: 1/sigma^2 adds exactly */
	int asymmetric;	  /* the two directions differ */
	double noiseless; /* -log prod (1 - rate) of sampled releases without noise */
} laws;

static iso_status add_law(laws *l, iso_law law, iso_error *err)
{
	ISO_TRY(iso_grow(&l->mix.v, &l->mix.cap, l->mix.n + 1, sizeof(*l->mix.v), err));
	l->mix.v[l->mix.n++] = law;
	return ISO_OK;
}

static iso_status add_two_point(laws *l, double e, double delta0, uint64_t count, iso_error *err)
{
	if (!(e > 0) && !(delta0 > 0))
		return ISO_OK;
	return add_law(
		l, (iso_law){.kind = ISO_LAW_TWO_POINT, .e = e, .delta0 = delta0, .count = count},
		err);
}

static iso_status add_gaussian(laws *l, const iso_event *e, iso_adjacency adj, direction dir,
			       iso_error *err)
{
	const double s = e->noise / (adj == ISO_REPLACE_ONE ? 2 : 1);

	if (e->sampling == ISO_SAMPLING_NONE || e->rate >= 1) {
		l->mu2 += (double)e->count / (s * s);
		return ISO_OK;
	}
	if (e->rate == 0)
		return ISO_OK;
	if (e->noise == 0) {
		l->noiseless += -(double)e->count * iso_log1p(-e->rate);
		return add_two_point(l, 0, e->rate, e->count, err);
	}
	l->asymmetric |= adj == ISO_ADD_REMOVE;
	return add_law(l,
		       (iso_law){.kind = adj == ISO_REPLACE_ONE ? ISO_LAW_REPLACE
					 : dir == DIR_ADD	? ISO_LAW_ADD
								: ISO_LAW_REMOVE,
				 .q = e->rate,
				 .s = e->noise,
				 .count = e->count},
		       err);
}

/* Probability p of the likelier answer when one vote of two classes decides: log(p/(1-p)). */
static double voting_epsilon(const iso_event *e)
{
	if (e->mechanism == ISO_MECH_PATE_GNMAX) {
		const double z = 1 / (1.41421356237309504880 * e->noise);

		return iso_log_ndtr(z) - iso_log_ndtr(-z);
	}
	/* difference of two Laplace variables: Pr[D > t] = (2 + t/b)/4 e^(-t/b) */
	const double log_tail = iso_log((2 + 1 / e->noise) / 4) - 1 / e->noise;

	return iso_log1mexp(log_tail) - log_tail;
}

static iso_status add_event(laws *l, const iso_event *e, iso_adjacency adj, direction dir,
			    int lower, iso_error *err)
{
	switch (e->mechanism) {
	case ISO_MECH_GAUSSIAN:
		return add_gaussian(l, e, adj, dir, err);
	case ISO_MECH_LAPLACE:
		return add_law(l,
			       (iso_law){.kind = ISO_LAW_LAPLACE,
					 .s = e->noise / (adj == ISO_REPLACE_ONE ? 2 : 1),
					 .count = e->count},
			       err);
	case ISO_MECH_EXPONENTIAL:
		return add_two_point(l, lower ? e->epsilon / 2 : e->epsilon, 0, e->count, err);
	case ISO_MECH_PURE:
		return add_two_point(l, e->epsilon, e->delta, e->count, err);
	case ISO_MECH_RANDOMIZED_RESPONSE:
		return add_two_point(l, e->epsilon, 0, e->count, err);
	case ISO_MECH_PATE_LNMAX:
		return add_two_point(l, lower ? voting_epsilon(e) : 2 / e->noise, 0, e->count, err);
	case ISO_MECH_PATE_GNMAX:
		if (lower)
			return add_two_point(l, voting_epsilon(e), 0, e->count, err);
		l->mu2 += (double)e->count * 2 / (e->noise * e->noise);
		return ISO_OK;
	default:
		return ISO_OK;
	}
}

/* Laws of one choice in one direction.  A lone Gaussian stays in mu2 (closed form); else it joins
 * the mix. */
static iso_status make_laws(const choice *c, iso_adjacency adj, direction dir, int lower, laws *l,
			    iso_error *err)
{
	iso_status st = ISO_OK;

	memset(l, 0, sizeof(*l));
	for (size_t i = 0; st == ISO_OK && i < c->n; i++)
		st = add_event(l, &c->v[i], adj, dir, lower, err);
	if (st == ISO_OK && l->mix.n && l->mu2 > 0 && l->mu2 < INFINITY)
		st = add_law(
			l,
			(iso_law){
				.kind = ISO_LAW_REMOVE, .q = 1, .s = 1 / sqrt(l->mu2), .count = 1},
			err);
	if (st != ISO_OK)
		iso_mix_free(&l->mix);
	return st;
}

static int needs_other_lower(const choice *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].mechanism == ISO_MECH_EXPONENTIAL ||
		    c->v[i].mechanism == ISO_MECH_PATE_LNMAX ||
		    c->v[i].mechanism == ISO_MECH_PATE_GNMAX)
			return 1;
	return 0;
}

/* ---- epsilon
 * ----------------------------------------------------------------------------------------------------
 */

static iso_status laws_epsilon(laws *l, double delta, int want_lower, iso_pld_work *work,
			       iso_pld_bounds *out, iso_error *err)
{
	*out = (iso_pld_bounds){0};
	if (l->mu2 == INFINITY || l->noiseless > -iso_log1p(-delta)) {
		out->upper = out->lower = INFINITY;
		return ISO_OK;
	}
	if (!l->mix.n) {
		const double e = iso_gaussian_epsilon(sqrt(l->mu2), delta);

		out->upper = e * (1 + 1e-12);
		out->lower = e * (1 - 1e-12);
		return ISO_OK;
	}
	l->mix.work = work;
	ISO_TRY(iso_mix_prepare(&l->mix, delta, err));
	ISO_TRY(iso_mix_epsilon(&l->mix, delta, 0, want_lower, out, err));
	if (l->noiseless > 0)
		out->lower = 0;
	return ISO_OK;
}

/* Does this direction stay below `epsilon`?  Its Renyi bound may say so, else a coarse grid, which
 * bounds it from above as well, at a tenth of the price. */
static iso_status stays_below(laws *l, double delta, double epsilon, int *below, iso_error *err)
{
	iso_pld_bounds b;
	double theta;

	ISO_TRY(iso_mix_prepare(&l->mix, delta, err));
	*below = iso_mix_supremum(&l->mix) <= epsilon ||
		 iso_mix_renyi_log_delta(&l->mix, epsilon, &theta) <= iso_log(delta) - 1e-9;
	if (*below)
		return ISO_OK;
	l->mix.own.coarse = 8; /* the mix's own work space, since the length is another */
	ISO_TRY(iso_mix_epsilon(&l->mix, delta, 0, 0, &b, err));
	*below = b.upper <= epsilon;
	return ISO_OK;
}

/* One choice: the larger of the two directions. */
static iso_status choice_epsilon(const choice *c, iso_adjacency adj, double delta, int want_lower,
				 iso_pld_work *work, iso_pld_bounds *out, iso_error *err)
{
	const int other = want_lower && needs_other_lower(c);
	iso_pld_bounds b;
	iso_status st;
	laws l;
	int both;

	ISO_TRY(make_laws(c, adj, DIR_REMOVE, 0, &l, err));
	st = laws_epsilon(&l, delta, want_lower && !other, work, out, err);
	both = l.asymmetric;
	iso_mix_free(&l.mix);
	ISO_TRY(st);
	if (both && out->upper < INFINITY) {
		int below = 0;

		ISO_TRY(make_laws(c, adj, DIR_ADD, 0, &l, err));
		/* below the other's lower bound it changes neither bound */
		st = stays_below(&l, delta, want_lower && !other ? out->lower : out->upper, &below,
				 err);
		if (st == ISO_OK && !below) {
			st = laws_epsilon(&l, delta, want_lower && !other, work, &b, err);
			if (st == ISO_OK) {
				out->upper = fmax(out->upper, b.upper);
				out->lower = fmax(out->lower, b.lower);
			}
		}
		iso_mix_free(&l.mix);
		ISO_TRY(st);
	}
	if (other) {
		ISO_TRY(make_laws(c, adj, DIR_REMOVE, 1, &l, err));
		st = laws_epsilon(&l, delta, 1, work, &b, err);
		iso_mix_free(&l.mix);
		ISO_TRY(st);
		out->lower = fmin(out->upper, b.lower);
	}
	return ISO_OK;
}

static int has_no_pld(const iso_event *e)
{
	if (e->mechanism == ISO_MECH_ZCDP)
		return e->rho > 0;
	if (e->mechanism == ISO_MECH_RDP)
		return e->epsilon > 0;
	return e->mechanism == ISO_MECH_GAUSSIAN &&
	       e->sampling == ISO_SAMPLING_WITHOUT_REPLACEMENT && e->rate > 0 && e->rate < 1;
}

iso_status iso_pld_epsilon(const iso_events *events, iso_adjacency adj, double delta, double rdp,
			   int upper_only, iso_pld_work *work, double *lower, double *upper,
			   iso_error *err)
{
	iso_pld_work own = {0};
	choices all = {0};
	iso_status st;
	double low = 0, high = 0;

	*lower = *upper = NAN;
	if (iso_events_any(events, has_no_pld))
		return ISO_OK;
	st = expand(events, adj, &all, err);
	for (size_t i = 0; st == ISO_OK && i < all.n; i++) {
		iso_pld_bounds b;

		st = choice_epsilon(&all.v[i], adj, delta, !upper_only, work ? work : &own, &b,
				    err);
		if (st == ISO_OK) {
			high = fmax(high, b.upper);
			low = fmax(low, b.lower);
		}
	}
	if (st == ISO_OK) {
		/* the choices not composed are covered by RDP alone */
		*upper = all.too_many ? rdp : fmin(high, rdp);
		*lower = upper_only ? NAN : fmin(low, *upper);
	}
	iso_pld_work_free(&own);
	choices_free(&all);
	return st;
}

/* ---- delta
 * ------------------------------------------------------------------------------------------------------
 */

/* `rdp` bounds the answer and so says how far into the tails the laws must reach. */
static iso_status choice_delta(const choice *c, iso_adjacency adj, double epsilon, double rdp,
			       double *delta, iso_error *err)
{
	laws l;
	int again = 0;

	*delta = 0;
	for (int dir = DIR_REMOVE; dir == DIR_REMOVE || (dir == DIR_ADD && again); dir++) {
		iso_pld_bounds b = {0};
		iso_status st = ISO_OK;

		ISO_TRY(make_laws(c, adj, (direction)dir, 0, &l, err));
		if (l.mu2 == INFINITY) {
			b.upper = 1;
		} else if (!l.mix.n) {
			b.upper = fmin(1, iso_gaussian_delta(sqrt(l.mu2), epsilon) * (1 + 1e-11));
		} else {
			double theta;

			st = iso_mix_prepare(&l.mix, fmin(1e-6, rdp * 1e-3), err);
			/* the Renyi bound of the second direction often settles that it stays below
			 */
			if (st == ISO_OK &&
			    (dir == DIR_REMOVE ||
			     !(iso_mix_supremum(&l.mix) <= epsilon ||
			       iso_exp(iso_mix_renyi_log_delta(&l.mix, epsilon, &theta)) < *delta)))
				st = iso_mix_delta(&l.mix, epsilon, 0, &b, err);
		}
		again = l.asymmetric;
		iso_mix_free(&l.mix);
		ISO_TRY(st);
		*delta = fmax(*delta, b.upper);
	}
	return ISO_OK;
}

iso_status iso_pld_delta(const iso_events *events, iso_adjacency adj, double epsilon, double rdp,
			 double *upper, iso_error *err)
{
	choices all = {0};
	iso_status st;
	double high = 0;

	*upper = NAN;
	if (iso_events_any(events, has_no_pld))
		return ISO_OK;
	*upper = rdp;
	if (rdp < 1e-250) /* nothing below is worth the digits */
		return ISO_OK;
	st = expand(events, adj, &all, err);
	for (size_t i = 0; st == ISO_OK && i < all.n; i++) {
		double d;

		st = choice_delta(&all.v[i], adj, epsilon, rdp, &d, err);
		if (st == ISO_OK)
			high = fmax(high, d);
	}
	if (st == ISO_OK)
		*upper = all.too_many ? rdp : fmin(high, rdp);
	choices_free(&all);
	return st;
}
