// SPDX-License-Identifier: Apache-2.0
/* D above frozen layers (fp-gan, mode=frozen).
 *
 * phi: the layers of D in front of its noise, drawn at random and never trained.  In every step
 * each record of a Poisson batch is thrown into one of B slots by a keyed hash of its identity;
 * slot s holds the sum of phi(x_i), each clipped to norm C, and
 *
 *     H = (slot_1, .., slot_B) + N(0, (sigma C)^2 I)
 *
 * is what leaves.  One record more or less moves one slot by at most C, so H is a
 * Poisson-subsampled Gaussian of sensitivity C whatever B is; a list of the records' activations
 * would show their number.  The layers above are trained on the rows of H against B slots of fakes
 * made in the same way: post-processing. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/gan_trainer.h"

struct iso_slots {
	iso_gan_trainer *t;
	iso_net *phi, *above;
	iso_ws *below_ws, *fake_ws, *above_ws;
	iso_optim opt;
	iso_grad_source source;
	size_t wide, n;	     /* floats of an activation; slots */
	const uint32_t *rec; /* PRIVATE of the piece at hand, and its step; during a step only */
	uint64_t step;
	float *h; /* [2 n][wide] slots of real rows, then of fakes */
	float *x, *noise;
	iso_key to_slot, fake_noise;
};

void iso_gan_slots_free(iso_slots *s)
{
	if (!s)
		return;
	iso_ws_free(s->below_ws);
	iso_ws_free(s->fake_ws);
	iso_ws_free(s->above_ws);
	iso_net_free(s->phi);
	iso_net_free(s->above);
	iso_optim_deinit(&s->opt);
	iso_free(s->h);
	iso_free(s->x);
	iso_free(s->noise);
	iso_free(s);
}

static double norm2_of(const float *h, size_t n)
{
	double sum = 0;
	for (size_t k = 0; k < n; k++)
		sum += (double)h[k] * (double)h[k];
	return sum;
}

static size_t slot_of(const iso_slots *s, uint64_t step, uint64_t id)
{
	const double u = iso_rand_u01(iso_key_child(s->to_slot, "step", step), id, 0);
	const size_t at = (size_t)(u * (double)s->n);
	return at < s->n ? at : s->n - 1;
}

static size_t rows_left(const void *self)
{
	return iso_ws_rows(((const iso_slots *)self)->below_ws);
}

static void norms2(void *self, size_t m, int beta, float *norm2)
{
	iso_slots *const s = self;
	const float *const h = iso_ws_out(s->below_ws);
	(void)m;
	for (size_t r = 0, n = rows_left(self); r < n; r++)
		norm2[r] = (float)(((beta ? (double)norm2[r] : 0) +
				    norm2_of(h + r * s->wide, s->wide)) *
				   (1 + 0x1p-20));
}

static void add_to(float *slot, const float *h, float scale, size_t n)
{
	for (size_t k = 0; k < n; k++)
		slot[k] += scale * h[k];
}

static void weighted_grad(void *self, const float *scale, int beta, float *grad)
{
	iso_slots *const s = self;
	const uint64_t *const id = s->t->at->dp.id;
	const float *const h = iso_ws_out(s->below_ws);
	if (!beta)
		memset(grad, 0, s->n * s->wide * sizeof *grad);
	for (size_t r = 0, n = rows_left(self); r < n; r++)
		if (scale[r] != 0)
			add_to(grad + slot_of(s, s->step, id[s->rec[r]]) * s->wide, h + r * s->wide,
			       scale[r], s->wide);
}

static iso_status private_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
			       iso_error *err)
{
	iso_slots *const s = ctx;
	(void)err;
	iso_gan_real_rows(s->t, &s->t->rows, rec, n, s->x, s->t->m->width, NULL);
	iso_net_forward(s->phi, s->below_ws, s->x, s->t->m->width, n, NULL);
	s->rec = rec;
	s->step = step;
	return ISO_OK;
}

/* phi has the first parameters of D, `above` the last. */
static void share_parameters(iso_slots *s, int down)
{
	float *const theta = iso_net_theta(s->t->m->scorer);
	const size_t below = iso_net_params(s->phi), rest = iso_net_params(s->above);
	if (down) {
		memcpy(iso_net_theta(s->phi), theta, below * sizeof *theta);
		memcpy(iso_net_theta(s->above), theta + below, rest * sizeof *theta);
	} else {
		memcpy(theta + below, iso_net_theta(s->above), rest * sizeof *theta);
	}
}

static iso_status slots_nets(iso_slots *s, iso_error *err)
{
	const iso_gan_trainer *const t = s->t;
	const iso_net_form f = iso_latent_scorer_form(
		t->m, t->s->o.net ? t->s->o.channels : t->s->o.hidden, t->s->act_d);
	ISO_TRY(iso_scorer_halves(&s->phi, &s->above, &f, 1, err));
	s->wide = iso_net_out(s->phi);
	ISO_TRY(iso_ws_new(s->phi, t->chunk, 0, &s->below_ws, err));
	ISO_TRY(iso_ws_new(s->phi, t->batch, 0, &s->fake_ws, err));
	ISO_TRY(iso_ws_new(s->above, 2 * s->n, 0, &s->above_ws, err));
	return iso_optim_init(&s->opt, t->s->rule_d, (float)t->s->o.lr_d, iso_net_params(s->above),
			      err);
}

iso_status iso_gan_slots_init(iso_gan_trainer *t, iso_error *err)
{
	iso_slots *const s = iso_alloc(1, sizeof *s);
	if (!s)
		return iso_no_memory(err, "slots of activations");
	t->slots = s;
	s->t = t;
	s->n = t->batch;
	s->to_slot = iso_key_child(t->f->key, "slot", 0);
	s->fake_noise = iso_key_child(t->f->key, "fake-slot", 0);
	ISO_TRY(slots_nets(s, err));
	s->opt.beta1 = (float)t->s->o.beta1;
	s->h = iso_alloc(2 * s->n * s->wide, sizeof *s->h);
	s->x = iso_alloc(t->chunk * t->m->width, sizeof *s->x);
	s->noise = iso_alloc(s->wide, sizeof *s->noise);
	if (!s->h || !s->x || !s->noise)
		return iso_no_memory(err, "slots of activations");
	s->source = (iso_grad_source){.self = s,
				      .nparam = s->n * s->wide,
				      .grad = s->h,
				      .rows = rows_left,
				      .norms2 = norms2,
				      .weighted_grad = weighted_grad};
	return ISO_OK;
}

const iso_grad_source *iso_gan_slots_source(iso_gan_trainer *t)
{
	return &t->slots->source;
}

/* B fakes, each into a slot drawn at random, and noise like that of the release. */
static void fake_slots(iso_slots *s, uint64_t step)
{
	iso_gan_trainer *const t = s->t;
	float *const slot = s->h + s->n * s->wide;
	const float c = (float)t->s->noise.clip, sd = (float)t->m->shape.noise.sd;
	iso_gan_public_fakes(t, t->batch, t->fx, t->m->width);
	iso_net_forward(s->phi, s->fake_ws, t->fx, t->m->width, t->batch, NULL);
	for (size_t r = 0; r < s->n; r++)
		iso_rand_fill_normal(s->fake_noise, step * s->n + r, 0, sd, slot + r * s->wide,
				     s->wide);
	for (size_t j = 0; j < t->batch; j++) {
		const float *const h = iso_ws_out(s->fake_ws) + j * s->wide;
		const float norm = (float)sqrt(norm2_of(h, s->wide));
		add_to(slot + slot_of(s, step, UINT64_MAX - j) * s->wide, h,
		       norm > c ? c / norm : 1, s->wide);
	}
}

iso_status iso_gan_slots_step(iso_gan_trainer *t, uint64_t step, iso_error *err)
{
	iso_slots *const s = t->slots;
	if (step == 0)
		share_parameters(s, 1);
	ISO_TRY(iso_dpsgd_step(&t->at->dp, private_rows, s, err));
	s->rec = NULL;
	fake_slots(s, step);
	iso_net_forward(s->above, s->above_ws, s->h, s->wide, 2 * s->n, NULL);
	float *const d = iso_ws_delta(s->above_ws);
	iso_gan_loss_rows(t, ISO_GAN_REAL, NULL, iso_ws_out(s->above_ws), 1, s->n, d);
	iso_gan_loss_rows(t, ISO_GAN_FAKE, NULL, iso_ws_out(s->above_ws) + s->n, 1, s->n, d + s->n);
	iso_net_backward(s->above, s->above_ws, 0, NULL, 0);
	iso_net_weight_grad(s->above, s->above_ws, NULL, 0, iso_net_grad(s->above));
	iso_optim_step(&s->opt, iso_net_theta(s->above), iso_net_grad(s->above),
		       1.0f / (float)s->n);
	share_parameters(s, 0);
	return ISO_OK;
}
