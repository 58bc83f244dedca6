// SPDX-License-Identifier: Apache-2.0
/* The private step, in this order: book (or refuse), draw the batch, forward and backward, norms,
 * clip, sum, noise, update.  Nothing that depends on a record leaves this file except through the
 * noise.
 *
 * CANARY.  Under an audit one record's gradient is first scaled to ten times C, then clipped as
 * every other: what a clip that is missing or wrong lets through shows in the sums.
 *
 * CLIPPING.  A record's factor is min(1, C (1 - 2^-22) / N) with N the norm from the part's source,
 * which is never below the true one (rounding is bounded there); 2^-22 pays for rounding the factor
 * and the scaled deltas to fp32.  So the clipped gradient's norm is at most C, not only about C.  A
 * record whose norm is not finite (NaN or infinite inputs, an exploding net) gets the factor 0 and
 * is left out of the sums altogether.
 *
 * NEIGHBOURS.  A row of every matrix product depends on its own row alone, and sums over rows are
 * one chain in batch order, so taking one record away changes nothing else in what the others
 * contribute. */
#include "core/nn/dpsgd.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/loops.h"
#include "core/privacy/mechanism_trusted.h"

#define PIECE 4096 /* parameters whose noise and update are done while they are in cache; even */

static size_t total_params(const iso_dpsgd *s)
{
	size_t n = 0;
	for (size_t p = 0; p < s->nparts; p++)
		n += s->source[p].nparam;
	return n;
}

static size_t term_params(const iso_dpsgd *s)
{
	return s->term.grad ? s->source[s->term.part].nparam : 0;
}

double iso_dpsgd_sensitivity(const iso_dpsgd *s)
{
	return s->coupled ? 2.0 * (double)s->coupled * s->clip : s->clip;
}

double iso_batch_term_share(double clip, double normaliser, double term_clip)
{
	return 2 * term_clip / (clip / normaliser + 2 * term_clip);
}

/* Noise may go piece by piece when no replay needs the whole vector and every part starts at an
 * even index. */
static int piecewise(const iso_dpsgd *s)
{
	size_t at = 0;
	if (s->term.grad)
		return 0;
	for (size_t p = 0; p < s->nparts; p++) {
		if (at % 2)
			return 0;
		at += s->source[p].nparam;
	}
	return iso_release_piecewise_ok(s->ledger);
}

static size_t net_rows(const void *self)
{
	return iso_ws_rows(((const iso_dpsgd_part *)self)->ws);
}

static void net_norms2(void *self, size_t m, int beta, float *norm2)
{
	const iso_dpsgd_part *const part = self;
	iso_net_grad_norms2(part->net, part->ws, m, beta, norm2);
}

static void net_weighted_grad(void *self, const float *scale, int beta, float *grad)
{
	const iso_dpsgd_part *const part = self;
	iso_net_weight_grad(part->net, part->ws, scale, beta, grad);
}

static iso_status check_net(const iso_dpsgd *s, size_t p, iso_error *err)
{
	const iso_dpsgd_part *const part = &s->part[p];
	ISO_FAIL_IF(!part->net || !part->ws || iso_ws_net(part->ws) != part->net, err, ISO_E_USAGE,
		    "bad private step (part %zu): it needs a network and a workspace of "
		    "that network",
		    p);
	ISO_FAIL_IF(iso_ws_cap(part->ws) / s->rows_per_record < s->chunk ||
			    (s->ledger && !iso_ws_norms(part->ws)),
		    err, ISO_E_USAGE,
		    "bad private step (part %zu): its workspace needs %zu rows and, under "
		    "a ledger, row norms",
		    p, s->chunk * s->rows_per_record);
	const size_t most = iso_net_most_rows(part->net);
	ISO_FAIL_IF(s->ledger && most && s->rows_per_record > most, err, ISO_E_USAGE,
		    "bad private step (part %zu): %zu rows a record, and a convolution of this "
		    "network takes at most %zu; put fewer rows under one clip",
		    p, s->rows_per_record, most);
	return ISO_OK;
}

/* Every part becomes a source. */
static iso_status check_parts(iso_dpsgd *s, iso_error *err)
{
	ISO_FAIL_IF(s->nparts == 0 || s->nparts > ISO_MAX_PARTS, err, ISO_E_USAGE,
		    "bad private step (%zu parts): want 1 to %d networks", s->nparts,
		    ISO_MAX_PARTS);
	for (size_t p = 0; p < s->nparts; p++) {
		iso_dpsgd_part *const part = &s->part[p];
		if (part->source) {
			const iso_grad_source *const g = part->source;
			ISO_FAIL_IF(part->net || part->ws || !g->grad || !g->rows || !g->norms2 ||
					    !g->weighted_grad || (part->opt && !g->theta),
				    err, ISO_E_USAGE,
				    "bad private step (part %zu): a gradient source needs all its "
				    "functions, a gradient, parameters if there is an optimiser, "
				    "and no network beside it",
				    p);
			s->source[p] = *g;
		} else {
			ISO_TRY(check_net(s, p, err));
			s->source[p] = (iso_grad_source){.self = part,
							 .nparam = iso_net_params(part->net),
							 .theta = iso_net_theta(part->net),
							 .grad = iso_net_grad(part->net),
							 .rows = net_rows,
							 .norms2 = net_norms2,
							 .weighted_grad = net_weighted_grad};
		}
		ISO_FAIL_IF(part->opt && part->opt->n != s->source[p].nparam, err, ISO_E_USAGE,
			    "bad private step (part %zu): the optimiser has %zu parameters, the "
			    "network %zu",
			    p, part->opt->n, s->source[p].nparam);
	}
	return ISO_OK;
}

static iso_status check_coupling(const iso_dpsgd *s, iso_error *err)
{
	const iso_batch_term *const t = &s->term;
	ISO_FAIL_IF(s->coupled > s->chunk, err, ISO_E_USAGE,
		    "bad private step (coupled records): a batch of up to %zu records must reach "
		    "the closure whole, and its chunk is %zu",
		    s->coupled, s->chunk);
	if (!t->grad)
		return ISO_OK;
	ISO_FAIL_IF(t->part >= s->nparts || !(t->share > 0 && t->share < 1) ||
			    !(t->clip >= 1e-12f && t->clip <= 1e12f),
		    err, ISO_E_CONFIG,
		    "bad batch term (part %zu, share %g, clip bound %g): it needs one of %zu "
		    "parts, a share between 0 and 1 and a bound of 1e-12 to 1e12",
		    t->part, t->share, (double)t->clip, s->nparts);
	return ISO_OK;
}

static iso_status check_entry(const iso_dpsgd *s, iso_error *err)
{
	ISO_FAIL_IF(!(s->rate > 0 && s->rate <= 1), err, ISO_E_CONFIG,
		    "bad sampling rate (%g): want above 0 and at most 1; change the batch size",
		    s->rate);
	ISO_FAIL_IF(!(s->normaliser > 0 && s->normaliser < INFINITY), err, ISO_E_CONFIG,
		    "bad normaliser (%g): want the expected batch size; change it",
		    (double)s->normaliser);
	if (!s->ledger)
		return ISO_OK;
	ISO_FAIL_IF(!(s->clip >= 1e-12f && s->clip <= 1e12f), err, ISO_E_CONFIG,
		    "bad clip bound (%g): want 1e-12 to 1e12; change it", (double)s->clip);
	const iso_plan *const items = iso_ledger_items(s->ledger);
	ISO_FAIL_IF(s->handle < 0 || (size_t)s->handle >= items->n, err, ISO_E_BUDGET,
		    "no such planned entry (handle %d): find it by iso_ledger_find", s->handle);
	const iso_plan_item *const it = &items->v[s->handle];
	const iso_event *const pays = iso_ledger_event(s->ledger, s->handle);
	const double planned = pays->sampling == ISO_SAMPLING_POISSON ? pays->rate : 1;
	ISO_FAIL_IF(s->rate != planned || pays->mechanism != ISO_MECH_GAUSSIAN ||
			    it->norm != ISO_NORM_L2,
		    err, ISO_E_BUDGET,
		    "the private step is not the planned one (%s, part %d): it samples at %.17g, "
		    "the plan pays for a "
		    "Gaussian in L2 at %.17g; plan what fit does",
		    it->why, it->part, s->rate, planned);
	return ISO_OK;
}

iso_status iso_dpsgd_init(iso_dpsgd *s, iso_error *err)
{
	s->batch = NULL;
	s->scale = s->flat = NULL;
	s->step = s->last_batch = 0;
	s->clipped_share = 0;
	if (s->rows_per_record == 0)
		s->rows_per_record = 1;
	ISO_FAIL_IF(s->chunk == 0 || s->n > UINT32_MAX || (s->n && !s->id), err, ISO_E_USAGE,
		    "bad private step (chunk %zu, %zu records): want a chunk of at least 1 and "
		    "identities for all records",
		    s->chunk, s->n);
	ISO_TRY(check_parts(s, err));
	ISO_TRY(check_coupling(s, err));
	ISO_TRY(check_entry(s, err));
	s->batch = iso_alloc(s->n ? s->n : 1, sizeof(*s->batch));
	s->scale = iso_alloc(s->chunk * s->rows_per_record, sizeof(*s->scale));
	const int whole = s->term.grad || (s->ledger && !piecewise(s));
	if (whole)
		s->flat = iso_alloc(total_params(s) + term_params(s), sizeof(*s->flat));
	if (!s->batch || !s->scale || (whole && !s->flat)) {
		iso_dpsgd_deinit(s);
		return iso_no_memory(err, "a private step");
	}
	return ISO_OK;
}

void iso_dpsgd_deinit(iso_dpsgd *s)
{
	iso_free(s->batch);
	iso_free(s->scale);
	iso_free(s->flat);
	s->batch = NULL;
	s->scale = s->flat = NULL;
}

#define CANARY 10 /* norm of a canary's gradient before clipping, in clip bounds */

/* What the canary's gradient is multiplied by; 1 for every other record. */
static double canary_scale(const iso_dpsgd *s, size_t at, double norm2)
{
	uint64_t id;
	if (!iso_ledger_canary(s->ledger, &id) || s->id[s->batch[at]] != id ||
	    !(norm2 > 1e-24 * s->clip * s->clip && norm2 < INFINITY))
		return 1;
	return CANARY * (double)s->clip / sqrt(norm2);
}

/* In: norm2 [n] of the records batch[at ..] in s->scale.  Out: a factor per row.  Returns how many
 * records were clipped. */
static size_t clip_factors(iso_dpsgd *s, size_t at, size_t n)
{
	const size_t m = s->rows_per_record;
	const double c = s->clip;
	size_t clipped = 0;
	for (size_t r = n;
	     r-- > 0;) { /* backwards: m factors overwrite one norm at or behind its place */
		const double grown = canary_scale(s, at + r, s->scale[r]);
		const double norm2 = s->scale[r] * grown * grown;
		float f = 1;
		if (!(norm2 <= c * c)) {
			f = norm2 < INFINITY ? (float)(c * (1 - 0x1p-22) / sqrt(norm2)) : 0;
			clipped++;
		}
		for (size_t j = 0; j < m; j++)
			s->scale[r * m + j] = grown == 1 ? f : (float)(f * grown);
	}
	return clipped;
}

/* Forward, backward, clip and sum for the records batch[at .. at+n-1]. */
static iso_status add_chunk(iso_dpsgd *s, iso_rows_fn rows, void *ctx, size_t at, size_t n,
			    size_t *clipped, iso_error *err)
{
	const size_t m = s->rows_per_record;
	ISO_TRY(rows(ctx, s->batch + at, n, s->step, err));
	for (size_t p = 0; p < s->nparts; p++) {
		const size_t got = s->source[p].rows(s->source[p].self);
		ISO_FAIL_IF(got != n * m, err, ISO_E_PLUGIN,
			    "wrong rows in a private step (part %zu): %zu rows for %zu records of "
			    "%zu rows each; run "
			    "forward on exactly the records asked for",
			    p, got, n, m);
	}
	if (s->ledger) {
		for (size_t p = 0; p < s->nparts; p++)
			s->source[p].norms2(s->source[p].self, m, p > 0, s->scale);
		*clipped += clip_factors(s, at, n);
	}
	for (size_t p = 0; p < s->nparts; p++)
		s->source[p].weighted_grad(s->source[p].self, s->ledger ? s->scale : NULL, at > 0,
					   s->source[p].grad);
	return ISO_OK;
}

static iso_status sum_batch(iso_dpsgd *s, iso_rows_fn rows, void *ctx, iso_error *err)
{
	size_t clipped = 0;
	if (s->last_batch == 0)
		for (size_t p = 0; p < s->nparts; p++)
			memset(s->source[p].grad, 0, s->source[p].nparam * sizeof(float));
	for (size_t at = 0; at < s->last_batch; at += s->chunk) {
		const size_t left = s->last_batch - at;
		ISO_TRY(add_chunk(s, rows, ctx, at, left < s->chunk ? left : s->chunk, &clipped,
				  err));
	}
	s->clipped_share = s->last_batch ? (double)clipped / (double)s->last_batch : 0;
	return ISO_OK;
}

/* h clipped to C2 and brought to the units of the release; a gradient that is not finite counts as
 * zero. */
static void scale_term(const iso_batch_term *t, float to, float *h, size_t n)
{
	double norm2 = 0;
	for (size_t i = 0; i < n; i++)
		norm2 += (double)h[i] * h[i];
	const double c = t->clip, shrink = 1 - 0x1p-22,
		     f = !(norm2 < INFINITY) ? 0
			 : norm2 <= c * c    ? shrink
					     : c * shrink / sqrt(norm2);
	for (size_t i = 0; i < n; i++)
		h[i] = f > 0 ? (float)(h[i] * f * to) : 0;
}

/* Both terms of a step in one release (see iso_batch_term); grad of its part becomes the sum of G
 * and normaliser * h. */
static iso_status release_terms(iso_dpsgd *s, uint32_t call, void *ctx, iso_error *err)
{
	const iso_batch_term *const t = &s->term;
	const size_t total = total_params(s), extra = term_params(s);
	float *const h = s->flat + total, *const grad = s->source[t->part].grad;
	const double a = s->ledger ? sqrt(1 - t->share) : 1,
		     b = s->ledger ? sqrt(t->share) * s->clip / (2 * (double)t->clip) : 1;
	ISO_TRY(t->grad(ctx, s->batch, s->last_batch, s->step, h, err));
	if (s->ledger) {
		scale_term(t, (float)b, h, extra);
		for (size_t p = 0, at = 0; p < s->nparts; at += s->source[p++].nparam)
			for (size_t i = 0; i < s->source[p].nparam; i++)
				s->flat[at + i] = (float)(a * s->source[p].grad[i]);
		ISO_TRY(iso_release_finish_f32(s->ledger, s->handle, call, s->flat, total + extra,
					       err));
		for (size_t p = 0, at = 0; p < s->nparts; at += s->source[p++].nparam)
			for (size_t i = 0; i < s->source[p].nparam; i++)
				s->source[p].grad[i] = (float)(s->flat[at + i] / a);
	}
	for (size_t i = 0; i < extra; i++)
		grad[i] += (float)(s->normaliser / b * h[i]);
	return ISO_OK;
}

/* The whole vector at once: record/replay sees one release. */
static iso_status add_noise_whole(iso_dpsgd *s, uint32_t call, iso_error *err)
{
	const size_t total = total_params(s);
	float *whole = s->flat;
	if (s->nparts == 1)
		whole = s->source[0].grad;
	ISO_FAIL_IF(
		!whole, err, ISO_E_USAGE,
		"record/replay attached too late (private step): attach it before iso_dpsgd_init");
	for (size_t p = 0, at = 0; s->nparts > 1 && p < s->nparts; at += s->source[p++].nparam)
		memcpy(whole + at, s->source[p].grad, s->source[p].nparam * sizeof(float));
	ISO_TRY(iso_release_finish_f32(s->ledger, s->handle, call, whole, total, err));
	for (size_t p = 0, at = 0; s->nparts > 1 && p < s->nparts; at += s->source[p++].nparam)
		memcpy(s->source[p].grad, whole + at, s->source[p].nparam * sizeof(float));
	return ISO_OK;
}

/* Post-processing: noise (when it is still to be added), public gradient and optimiser, piece by
 * piece. */
static iso_status finish_part(iso_dpsgd *s, size_t p, uint32_t call, size_t offset, int add_noise,
			      iso_error *err)
{
	const iso_dpsgd_part *const part = &s->part[p];
	const iso_grad_source *const g = &s->source[p];
	const iso_nn_loops *const loops = iso_nn_loops_now();
	const float scale = 1.0f / s->normaliser;
	float *const grad = g->grad;
	if (part->opt)
		iso_optim_begin(part->opt);
	for (size_t at = 0; at < g->nparam; at += PIECE) {
		const size_t left = g->nparam - at, n = left < PIECE ? left : PIECE;
		if (add_noise)
			ISO_TRY(iso_release_piece_f32(s->ledger, s->handle, call, offset + at, n,
						      grad + at, err));
		if (s->public_grad[p])
			loops->add(n, s->public_grad[p] + at, grad + at);
		if (part->opt)
			iso_optim_piece(part->opt, g->theta, grad, scale, at, n);
	}
	return ISO_OK;
}

iso_status iso_dpsgd_step(iso_dpsgd *s, iso_rows_fn rows, void *ctx, iso_error *err)
{
	uint32_t call = 0;
	int pieces = 0;
	if (s->ledger) {
		ISO_TRY(check_entry(s, err));
		ISO_TRY(iso_release_begin(s->ledger, s->handle, 1, iso_dpsgd_sensitivity(s), &call,
					  err));
		ISO_TRY(iso_release_poisson(s->ledger, s->handle, call, s->id, s->n, s->batch,
					    &s->last_batch, err));
		pieces = piecewise(s);
	} else {
		s->last_batch =
			iso_rand_poisson(s->batch_key, s->step, s->id, s->n, s->rate, s->batch);
	}
	if (s->coupled && s->last_batch > s->coupled)
		s->last_batch = s->coupled;
	ISO_TRY(sum_batch(s, rows, ctx, err));
	if (s->term.grad)
		ISO_TRY(release_terms(s, call, ctx, err));
	else if (s->ledger && !pieces)
		ISO_TRY(add_noise_whole(s, call, err));
	for (size_t p = 0, offset = 0; p < s->nparts; offset += s->source[p++].nparam)
		ISO_TRY(finish_part(s, p, call, offset, pieces, err));
	s->step++;
	return ISO_OK;
}
