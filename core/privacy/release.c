// SPDX-License-Identifier: Apache-2.0
/* One release: book, draw, add noise.  In this order, so that a refusal comes before any data are
 * touched. */
#include <math.h>

#include "core/math/vmath.h"
#include "core/privacy/ledger_private.h"
#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/replay.h"

/* A caller proves its bound in floating point; the plan may have reached the same number by another
 * route. */
#define SENSITIVITY_ROUNDING (1 + 1e-9)

iso_status iso_release_begin(iso_ledger *l, int handle, uint64_t count, double sensitivity,
			     uint32_t *call, iso_error *err)
{
	const iso_plan_item *it;
	iso_entry_state *s;
	uint64_t left;

	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	s = &l->state[handle];
	ISO_FAIL_IF(l->closed, err, ISO_E_BUDGET,
		    "release after training (%s: %s, part %d): the ledger is closed, sampling may "
		    "not touch data; "
		    "release in fit",
		    l->who, it->why, it->part);
	ISO_FAIL_IF(it->event.mechanism == ISO_MECH_UNCHARGED, err, ISO_E_BUDGET,
		    "release through an uncharged entry (%s: %s): it pays for no noise; plan a "
		    "mechanism",
		    l->who, it->why);
	ISO_FAIL_IF(!(sensitivity >= 0) || !(sensitivity <= it->sensitivity * SENSITIVITY_ROUNDING),
		    err, ISO_E_BUDGET,
		    "sensitivity above the plan (%s: %s, part %d): the call moves by up to %.9g, "
		    "the plan pays for "
		    "%.9g; plan the "
		    "clip bound that fit uses",
		    l->who, it->why, it->part, sensitivity, it->sensitivity);
	ISO_FAIL_IF(isinf(sensitivity), err, ISO_E_BUDGET,
		    "infinite sensitivity (%s: %s, part %d): no noise covers it; clip the rows",
		    l->who, it->why, it->part);
	left = it->adaptive ? s->left : it->event.count - it->used;
	ISO_FAIL_IF(
		count == 0 || count > left, err, ISO_E_BUDGET,
		"budget exceeded (%s: %s, part %d): %llu releases are used, %llu are left, %llu "
		"more are asked for; %s",
		l->who, it->why, it->part, (unsigned long long)it->used, (unsigned long long)left,
		(unsigned long long)count,
		it->adaptive ? "charge the entry by iso_ledger_spend first"
			     : "plan the count that fit needs");
	ISO_FAIL_IF(s->open, err, ISO_E_PLUGIN,
		    "release begun twice (%s: %s, part %d): the call before was not finished; "
		    "finish every call",
		    l->who, it->why, it->part);
	ISO_FAIL_IF(s->calls == UINT32_MAX, err, ISO_E_LIMIT,
		    "too many calls (%s: %s): the noise has 2^32 steps; merge calls", l->who,
		    it->why);
	l->plan.v[handle].used += count;
	if (it->adaptive)
		s->left -= count;
	*call = s->calls++;
	s->booked = count;
	s->sensitivity = sensitivity;
	s->open = 1;
	s->drawn = 0;
	s->covered = 0;
	return ISO_OK;
}

/* The call must be the one begun last on its entry: noise is added once, and to one vector. */
static iso_status open_call(iso_ledger *l, int handle, uint32_t call, const iso_plan_item **it,
			    iso_error *err)
{
	const iso_entry_state *s;

	ISO_TRY(iso_ledger_entry(l, handle, it, err));
	s = &l->state[handle];
	ISO_FAIL_IF(l->closed || !s->open || call != s->calls - 1, err, ISO_E_BUDGET,
		    "release that was not booked (%s: %s, part %d): call %u is not open; begin "
		    "each call once, finish "
		    "it once",
		    l->who, (*it)->why, (*it)->part, (unsigned)call);
	ISO_FAIL_IF(iso_ledger_event(l, handle)->sampling == ISO_SAMPLING_POISSON && !s->drawn, err,
		    ISO_E_BUDGET,
		    "sampled release without its sample (%s: %s, part %d): the plan pays for a "
		    "Poisson batch at rate "
		    "%g and the "
		    "call drew none; draw it by iso_release_poisson",
		    l->who, (*it)->why, (*it)->part, iso_ledger_event(l, handle)->rate);
	return ISO_OK;
}

static iso_key sampling_key(const iso_ledger *l, const iso_plan_item *it)
{
	const iso_key key = iso_key_child(l->sampling, it->why, (uint64_t)it->part);

	return it->scope ? iso_key_child(key, "scope", (uint64_t)it->scope) : key;
}

iso_status iso_release_poisson(iso_ledger *l, int handle, uint32_t call, const uint64_t *id,
			       size_t n, uint32_t *out, size_t *batch, iso_error *err)
{
	const iso_plan_item *it;
	const iso_event *e;
	iso_entry_state *s;

	*batch = 0;
	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	s = &l->state[handle];
	e = iso_ledger_event(l, handle);
	ISO_FAIL_IF(l->closed || !s->open || s->drawn || call != s->calls - 1, err, ISO_E_BUDGET,
		    "batch that was not booked (%s: %s, part %d): call %u is not open or has its "
		    "batch; begin each "
		    "call once",
		    l->who, it->why, it->part, (unsigned)call);
	ISO_FAIL_IF(e->sampling == ISO_SAMPLING_WITHOUT_REPLACEMENT, err, ISO_E_UNSUPPORTED,
		    "fixed-size sampling (%s: %s): batches here are Poisson; plan sampling poisson",
		    l->who, it->why);
	if (e->sampling == ISO_SAMPLING_POISSON && iso_noise_is_secure(l->noise)) {
		ISO_TRY(iso_noise_poisson(l->noise, (uint32_t)handle, call, id, n, e->rate, out,
					  batch, err));
	} else if (e->sampling == ISO_SAMPLING_POISSON) {
		*batch = iso_rand_poisson(sampling_key(l, it), call, id, n, e->rate, out);
	} else {
		for (size_t i = 0; i < n; i++)
			out[i] = (uint32_t)i;
		*batch = n;
	}
	s->drawn = 1;
	if (l->replay && e->sampling == ISO_SAMPLING_POISSON)
		ISO_TRY(iso_replay_drawn(l->replay, handle, call, e->rate, id, n, out, *batch,
					 err));
	return ISO_OK;
}

/* Warner 1965, for k categories: the truth with probability e^eps / (e^eps + k - 1), else one of
 * the k - 1 others.  Two words a report. */
static iso_status randomise(iso_ledger *l, int handle, uint32_t call, uint32_t k, double *report,
			    size_t n, iso_error *err)
{
	const double lie = (k - 1) / (iso_exp(iso_ledger_event(l, handle)->epsilon) + k - 1);
	uint64_t w[2];

	for (size_t i = 0; i < n; i++) {
		uint32_t other;

		ISO_TRY(iso_noise_words(l->noise, (uint32_t)handle, call, 2 * (uint64_t)i, 2, w,
					err));
		/* a coin falls below lie, rounded up to 53 bits and never to 0 (e^eps may
		 * overflow): never less noise than declared */
		if ((double)(w[0] >> 11) >= fmax(1, ceil(lie * 0x1p53)))
			continue;
		other = (uint32_t)(((unsigned __int128)w[1] * (k - 1)) >> 64);
		report[i] = other + (other >= (uint32_t)report[i]);
	}
	return ISO_OK;
}

/* Noise of the event's family on a vector of floats or doubles. */
static iso_status add_noise(iso_ledger *l, int handle, uint32_t call, double scale, void *x,
			    size_t n, int is_float, iso_error *err)
{
	const uint32_t stream = (uint32_t)handle;
	const iso_mech m = iso_ledger_event(l, handle)->mechanism;

	switch (m) {
	case ISO_MECH_GAUSSIAN:
	case ISO_MECH_ZCDP:
	case ISO_MECH_PATE_GNMAX:
		if (is_float)
			return iso_noise_add_gaussian_f32(l->noise, stream, call, 0, n,
							  (float)scale, x, err);
		return iso_noise_add_gaussian(l->noise, stream, call, n, scale, x, err);
	case ISO_MECH_LAPLACE:
	case ISO_MECH_PURE:
	case ISO_MECH_PATE_LNMAX:
		if (!is_float)
			return iso_noise_add_laplace(l->noise, stream, call, n, scale, x, err);
		break;
	case ISO_MECH_EXPONENTIAL:
		if (!is_float)
			return iso_noise_add_gumbel(l->noise, stream, call, n, scale, x, err);
		break;
	case ISO_MECH_RANDOMIZED_RESPONSE:
		if (!is_float)
			return randomise(l, handle, call, (uint32_t)scale, x, n, err);
		break;
	default:
		break;
	}
	return iso_fail(
		err, ISO_E_PLUGIN,
		"noise of family %s (%s: %s): no mechanism adds it to %s; plan gaussian or laplace",
		iso_mech_name(m), l->who, l->plan.v[handle].why, is_float ? "floats" : "numbers");
}

static void set_zero(void *x, size_t n, int is_float)
{
	for (size_t i = 0; i < n; i++) {
		if (is_float)
			((float *)x)[i] = 0;
		else
			((double *)x)[i] = 0;
	}
}

static iso_status finish(iso_ledger *l, int handle, uint32_t call, double scale, void *x, size_t n,
			 size_t block, int is_float, int choice, iso_error *err)
{
	iso_replay_call c = {.handle = handle,
			     .call = call,
			     .n = n,
			     .block = block,
			     .is_float = is_float,
			     .choice = choice,
			     .aggregate = x};
	const iso_plan_item *it;
	iso_replay *r = l->replay;
	int known = 0;

	ISO_TRY(open_call(l, handle, call, &it, err));
	l->state[handle].open = 0;
	l->state[handle].covered = SIZE_MAX; /* no pieces after the whole */
	c.event = *iso_ledger_event(l, handle);
	c.sensitivity = l->state[handle].sensitivity;
	c.unit = iso_ledger_unit(l);
	if (!r)
		return add_noise(l, handle, call, scale, x, n, is_float, err);
	switch (iso_replay_mode_of(r)) {
	case ISO_REPLAY_RECORD:
		ISO_TRY(iso_replay_put(r, &c, err));
		ISO_TRY(add_noise(l, handle, call, scale, x, n, is_float, err));
		c.aggregate = NULL;
		c.release = x;
		return iso_replay_put(r, &c, err);
	case ISO_REPLAY_REPLAY:
		iso_replay_compare(r, it, &c, x, &known);
		return known ? ISO_OK : add_noise(l, handle, call, scale, x, n, is_float, err);
	case ISO_REPLAY_BLIND:
		set_zero(x, n, is_float);
		return add_noise(l, handle, call, scale, x, n, is_float, err);
	}
	return ISO_OK;
}

/* The multiplier that the plan (or the last charge) fixes, times what the call declared.  zCDP with
 * rho on sensitivity 1 is a Gaussian of sd 1/sqrt(2 rho) (Bun and Steinke 2016, Proposition 6),
 * pure epsilon a Laplace of scale 1/epsilon; both are declared under the adjacency itself. */
static double vector_scale(const iso_ledger *l, int handle)
{
	const iso_event *e = iso_ledger_event(l, handle);
	const double moves = l->state[handle].sensitivity;

	if (e->mechanism == ISO_MECH_ZCDP)
		return iso_ledger_unit(l) * moves / sqrt(2 * e->rho);
	if (e->mechanism == ISO_MECH_PURE)
		return iso_ledger_unit(l) * moves / e->epsilon;
	return e->noise * moves;
}

iso_status iso_release_finish_f32(iso_ledger *l, int handle, uint32_t call, float *sum, size_t n,
				  iso_error *err)
{
	const iso_plan_item *it;

	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	return finish(l, handle, call, vector_scale(l, handle) * (1 + ISO_F32_SLACK), sum, n, n, 1,
		      0, err);
}

iso_status iso_release_finish(iso_ledger *l, int handle, uint32_t call, double *sum, size_t n,
			      iso_error *err)
{
	const iso_plan_item *it;

	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	return finish(l, handle, call, vector_scale(l, handle), sum, n, n, 0, 0, err);
}

iso_status iso_release_scores(iso_ledger *l, int handle, uint32_t call, double scale, double *x,
			      size_t n, size_t block, iso_error *err)
{
	return finish(l, handle, call, scale, x, n, block, 0, 1, err);
}

iso_status iso_release_reports(iso_ledger *l, int handle, uint32_t call, uint32_t k, double *report,
			       size_t n, iso_error *err)
{
	return finish(l, handle, call, k, report, n, n, 0, 0, err);
}

int iso_ledger_canary(const iso_ledger *l, uint64_t *id)
{
	return l->replay && iso_replay_canary_of(l->replay, id);
}

int iso_release_piecewise_ok(const iso_ledger *l)
{
	return l->replay == NULL;
}

iso_status iso_release_piece_f32(iso_ledger *l, int handle, uint32_t call, size_t first, size_t n,
				 float *sum, iso_error *err)
{
	const iso_plan_item *it;

	ISO_TRY(iso_ledger_entry(l, handle, &it, err));
	ISO_FAIL_IF(
		l->replay != NULL, err, ISO_E_INTERNAL,
		"piecewise noise under record/replay (%s: %s): the whole vector must be seen; use "
		"iso_release_finish_f32",
		l->who, it->why);
	ISO_FAIL_IF(iso_ledger_event(l, handle)->mechanism != ISO_MECH_GAUSSIAN || first % 2 != 0,
		    err, ISO_E_INTERNAL,
		    "piece of a release (%s: %s): pieces are Gaussian and start at an even index, "
		    "not at %zu",
		    l->who, it->why, first);
	/* The pieces of a call close with the next begin or with the ledger: the caller owns the
	 * vector's extent. */
	ISO_FAIL_IF(l->closed || call != l->state[handle].calls - 1 || l->state[handle].calls == 0,
		    err, ISO_E_BUDGET,
		    "piece that was not booked (%s: %s): call %u is not open; begin each call once",
		    l->who, it->why, (unsigned)call);
	ISO_FAIL_IF(iso_ledger_event(l, handle)->sampling == ISO_SAMPLING_POISSON &&
			    !l->state[handle].drawn,
		    err, ISO_E_BUDGET,
		    "sampled release without its sample (%s: %s): draw it by iso_release_poisson",
		    l->who, it->why);
	/* the noise of an index is one number: twice the same piece would give it away */
	ISO_FAIL_IF(first < l->state[handle].covered, err, ISO_E_BUDGET,
		    "piece released twice (%s: %s): it begins at %zu, this call has covered %zu "
		    "numbers; go through the vector once, in order",
		    l->who, it->why, first, l->state[handle].covered);
	l->state[handle].covered = first + n;
	l->state[handle].open = 0;
	return iso_noise_add_gaussian_f32(l->noise, (uint32_t)handle, call, first, n,
					  (float)(vector_scale(l, handle) * (1 + ISO_F32_SLACK)),
					  sum, err);
}
