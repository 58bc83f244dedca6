// SPDX-License-Identifier: Apache-2.0
/* One D step (B = expected batch, a constant of the plan; C_t = the bound of this step, public):
 *
 *   PUBLIC  sum_{i in Poisson batch} clip(grad loss(D(x_i), real)) + N(0, (sigma C_t)^2 I)
 *             + sum_{j = 1..B} clip(grad loss(D(G(z_j, y_j)), fake))
 *   PAIRED  sum_i clip(grad [ loss(D(x_i), real) + loss(D(G(z_i, y_i)), fake) ]) + noise, z_i
 *             addressed by the record's identity
 *   divided by B, then the optimiser, then every weight into [-c, c] when asked.
 *
 * One G step on B fresh public fakes after every n_d D steps.  Nothing is allocated inside a step.
 */
#include "generators/kit/gan_loop.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/penalty.h"
#include "generators/kit/categories.h"
#include "generators/kit/gan_trainer.h"

/* ---- Training ---- */

static void trainer_free(iso_gan_trainer *t)
{
	iso_gan_group_free(t);
	iso_gan_slots_free(t->slots);
	iso_gan_sites_free(t);
	iso_gan_buffers_free(t);
	iso_rows_close(&t->rows);
	iso_rows_close(&t->open);
	iso_optim_deinit(&t->opt_g);
	iso_average_finish(&t->mean, NULL);
	if (t->choice)
		iso_choice_free(t->choice);
	iso_free(t->choice);
}

static iso_status sizes(iso_gan_trainer *t, iso_error *err)
{
	const iso_gan_options *const o = &t->s->o;
	t->batch = (size_t)o->batch;
	t->chunk = iso_chunk_of((double)t->batch);
	if (o->cluster != ISO_CLUSTER_NONE && t->chunk > 16)
		t->chunk = 16; /* gradients that are written out at once */
	t->cap = t->batch > t->chunk ? t->batch : t->chunk;
	t->per = iso_gan_paired(t) ? 2 : 1;
	t->n_d = o->n_d > 0 ? (uint64_t)o->n_d : t->s->loss == ISO_GAN_BCE ? 1 : 5;
	if (o->penalty > 0) {
		size_t more = 0;
		ISO_TRY(iso_penalty_rows(t->site[0].net, &more, err));
		t->per += more;
	}
	return ISO_OK;
}

static iso_status generator_init(iso_gan_trainer *t, iso_error *err)
{
	const iso_gan_spec *const s = t->s;
	iso_net *const g = t->m->decoder[0];
	iso_net_randomize(g, s->init, iso_key_child(t->f->key, "init-g", 0));
	ISO_TRY(iso_optim_init(&t->opt_g, s->rule_g, (float)s->o.lr_g, iso_net_params(g), err));
	if (s->rule_g == ISO_ADAM)
		t->opt_g.beta1 = (float)s->o.beta1;
	ISO_TRY(iso_average_init(&t->mean, g, s->o.average, (uint64_t)s->o.steps, err));
	if (s->choice.picks == 0)
		return ISO_OK;
	t->choice = iso_alloc(1, sizeof *t->choice);
	return t->choice
		       ? iso_choice_init(t->choice, &s->choice, t->f, g, (uint64_t)s->o.steps, err)
		       : iso_no_memory(err, "checkpoints");
}

static iso_status trainer_init(iso_gan_trainer *t, const iso_fit *f, const iso_gan_spec *s,
			       iso_latent_model *m, iso_error *err)
{
	*t = (iso_gan_trainer){
		.f = f, .s = s, .m = m, .dim = m->enc->dim, .unit = 1, .right = 0.75};
	t->ykey = iso_key_child(f->key, "label", 0);
	t->pkey = iso_key_child(f->key, "public-batch", 0);
	t->noise = iso_key_child(f->key, "layer-noise", 0);
	t->column = iso_key_child(f->key, "column", 0);
	ISO_TRY(iso_rows_open(&t->rows, f->train, m->enc, ISO_ROWS_KEEP, err));
	if (f->env.public_rows)
		ISO_TRY(iso_rows_open(&t->open, f->env.public_rows, m->enc, ISO_ROWS_KEEP, err));
	ISO_TRY(iso_gan_sites_nets(t, err));
	ISO_TRY(sizes(t, err));
	ISO_TRY(generator_init(t, err));
	if (s->frozen)
		ISO_TRY(iso_gan_slots_init(t, err));
	ISO_TRY(iso_gan_buffers(t, err));
	return iso_gan_sites_init(t, err);
}

/* ---- Steps ---- */

/* Linear from lr_d to lr_d_end over lr_d_steps, then constant (DP-CGAN, section 5). */
static float rate_at(const iso_gan_options *o, uint64_t step)
{
	const double full = (double)o->lr_d_steps;
	const double f = full > 0 && (double)step < full ? (double)step / full : 1;
	return (float)(full > 0 ? o->lr_d + (o->lr_d_end - o->lr_d) * f : o->lr_d);
}

static void clip_weights(const iso_gan_trainer *t)
{
	if (t->s->o.weight_clip > 0)
		iso_net_clip_weights(t->at->net, (float)t->s->o.weight_clip);
}

iso_status iso_gan_disc_step(iso_gan_trainer *t, uint64_t step, double *loss_fake, iso_error *err)
{
	t->taken++;
	if (t->slots)
		return iso_gan_slots_step(t, step, err);
	if (t->s->rule_d == ISO_SGD)
		t->at->opt.lr = rate_at(&t->s->o, step);
	if (t->groups)
		ISO_TRY(iso_gan_regroup(t, step, err));
	t->unit = iso_gan_unit(t, step);
	t->at->dp.normaliser = (float)t->batch / t->unit;
	t->shared = 0;
	if (t->s->fakes == ISO_FAKES_PUBLIC) {
		iso_gan_public_fakes(t, t->batch, t->fx, t->m->width);
		*loss_fake = iso_gan_fake_gradients(t, &t->pub, t->batch, 0) * t->unit /
			     (double)t->batch;
	} else {
		memset(t->sum, 0, iso_net_params(t->at->net) * sizeof *t->sum);
	}
	ISO_TRY(t->groups ? iso_gan_group_step(t, err)
			  : iso_dpsgd_step(&t->at->dp, iso_gan_disc_rows, t, err));
	clip_weights(t);
	return ISO_OK;
}

double iso_gan_fool(iso_gan_trainer *t, iso_fakes *k, const float *x, size_t ld, size_t n,
		    float weight, int beta)
{
	iso_latent_model *const m = t->m;
	iso_net *const g = m->decoder[0];
	size_t seen = 0;
	iso_gan_layer_noise(t, t->judge);
	iso_net_forward(t->at->net, t->judge, x, ld, n, NULL);
	const float *out = iso_ws_out(t->judge);
	for (size_t j = 0; j < n; j++)
		seen += iso_latent_logit(m, out + j * m->outputs) < 0;
	const double loss =
		iso_gan_loss_rows(t, ISO_GAN_FOOL, k->y, out, 1, n, iso_ws_delta(t->judge));
	iso_net_backward(t->at->net, t->judge, 0, t->dx, m->width);
	iso_gan_feedback(t, n);
	iso_heads_backward(&m->heads, x, ld, t->dx, m->width, n, k->u != NULL, iso_ws_delta(k->ws));
	float *const d = iso_ws_delta(k->ws);
	for (size_t i = 0, all = n * iso_net_out(g); weight != 1 && i < all; i++)
		d[i] *= weight;
	iso_net_backward(g, k->ws, 0, NULL, 0);
	iso_net_weight_grad(g, k->ws, NULL, beta, iso_net_grad(g));
	t->right += 0.05 * ((double)seen / (double)n - t->right);
	return loss;
}

/* One step of G on n fakes x [n][ld] made by k.  Returns the mean loss. */
static double gen_step(iso_gan_trainer *t, iso_fakes *k, const float *x, size_t ld, size_t n)
{
	iso_net *const g = t->m->decoder[0];
	const double loss = iso_gan_fool(t, k, x, ld, n, 1, 0);
	const size_t trained = t->s->trained_g ? t->s->trained_g : iso_net_params(g);
	iso_optim_begin(&t->opt_g);
	iso_optim_piece(&t->opt_g, iso_net_theta(g), iso_net_grad(g), 1.0f / (float)n, 0, trained);
	return loss / (double)n;
}

/* The next rung when D recognises fewer than 60 % of the fakes: a D near chance has nothing to
 * teach (Bie, Kamath, Zhang 2023, "Private GANs, revisited", section 5).  The share is a function
 * of D and of fakes: public. */
static void more_steps(iso_gan_trainer *t)
{
	static const uint64_t rung[] = {1, 2, 5, 10, 20, 50, 100, 200};
	if (t->right >= 0.6)
		return;
	for (size_t i = 0; i + 1 < ISO_COUNT(rung); i++)
		if (t->n_d == rung[i]) {
			t->n_d = rung[i + 1];
			t->right = 0.75;
			return;
		}
}

/* One step fewer when |loss of G| has fallen twice since the last change, looked at every 20 epochs
 * (the code of Frigerio et al. 2019): a critic's outputs have no zero to count from. */
static void fewer_steps(iso_gan_trainer *t, double loss)
{
	t->cost.sum += loss;
	t->cost.n += 1;
	if ((double)(t->taken - t->cost.at) * t->at->dp.rate < 20)
		return;
	const double now = fabs(t->cost.sum / t->cost.n);
	t->cost.falls += now < t->cost.last;
	t->cost.last = now;
	t->cost.at = t->taken;
	t->cost.sum = t->cost.n = 0;
	if (t->cost.falls < 2 || t->n_d == 1)
		return;
	t->n_d--;
	t->cost.falls = 0;
}

void iso_gan_adapt(iso_gan_trainer *t, double loss)
{
	if (t->s->o.n_d > 0 || t->taken == 0)
		return;
	if (t->s->loss == ISO_GAN_BCE)
		more_steps(t);
	else
		fewer_steps(t, loss);
}

/* Does this D step complete a round: n_d steps, or the burst of this round? */
static int round_done(iso_gan_trainer *t)
{
	if (++t->since < (t->s->o.burst > 0 ? iso_gan_burst(&t->s->o, t->gsteps) : t->n_d))
		return 0;
	t->since = 0;
	t->gsteps++;
	return 1;
}

static double generate_better(iso_gan_trainer *t)
{
	if (t->s->private_generator_step) {
		const size_t w = t->m->width;
		return !t->shared	   ? NAN
		       : iso_gan_paired(t) ? gen_step(t, &t->rec, t->x + w, 2 * w, t->shared)
					   : gen_step(t, &t->rec, t->fx, w, t->shared);
	}
	iso_gan_public_fakes(t, t->batch, t->fx, t->m->width);
	const double loss = gen_step(t, &t->pub, t->fx, t->m->width, t->batch);
	iso_gan_adapt(t, loss);
	return loss;
}

/* Ordinary training on the public rows in front of the private one (dp-GAN, section on warm
 * starting): five D steps per G step. */
static void warm_start(iso_gan_trainer *t)
{
	const size_t n = t->open.table ? iso_gan_public_batch(t) : 0;
	iso_net *const disc = t->at->net;
	for (int64_t g = 0; n && g < t->s->o.warm_steps; g++) {
		for (uint64_t k = 0; k < 5; k++) {
			iso_gan_judge_public(t, UINT32_MAX + 5 * (uint64_t)g + k, n);
			iso_net_weight_grad(disc, t->fake, NULL, 0, t->sum);
			iso_optim_step(&t->at->opt, iso_net_theta(disc), t->sum, 1.0f / (float)n);
			clip_weights(t);
		}
		generate_better(t);
	}
}

void iso_gan_show(iso_gan_trainer *t, uint64_t step, double loss_g, double loss_fake)
{
	const iso_fit *f = t->f;
	const uint64_t steps = (uint64_t)t->s->o.steps, every = steps / 100 ? steps / 100 : 1;
	const int open = !t->s->private_generator_step || !t->s->is_private;
	if (f->curve && step % every == 0) {
		f->curve(f->curve_ctx, (double)step,
			 open ? "generator-loss" : "uncharged:generator-loss", loss_g);
		if (t->s->fakes == ISO_FAKES_PUBLIC && !isnan(loss_fake))
			f->curve(f->curve_ctx, (double)step, "discriminator-loss-fake", loss_fake);
	}
	if (f->progress && step % 64 == 0)
		iso_progress_update(f->progress, f->progress->total * (double)step / (double)steps);
}

iso_status iso_gan_tick(iso_gan_trainer *t, uint64_t step, iso_error *err)
{
	const iso_fit *f = t->f;
	if (step % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx))
		return iso_fail(err, ISO_E_CANCELLED,
				"cancelled (%s): at step %llu of %llu; start again", t->s->who,
				(unsigned long long)step, (unsigned long long)t->s->o.steps);
	return ISO_OK;
}

void iso_gan_after(iso_gan_trainer *t, uint64_t step, double *loss_g)
{
	if (round_done(t))
		*loss_g = generate_better(t);
	iso_average_step(&t->mean, t->m->decoder[0], step);
	if (t->choice)
		iso_choice_keep(t->choice, t->m->decoder[0], step + 1);
}

static iso_status loop(iso_gan_trainer *t, iso_error *err)
{
	const uint64_t steps = (uint64_t)t->s->o.steps;
	double loss_g = NAN, loss_fake = NAN;
	if (t->s->clients > 0)
		return iso_gan_rounds(t, err);
	for (uint64_t step = 0; step < steps; step++) {
		ISO_TRY(iso_gan_tick(t, step, err));
		ISO_TRY(iso_gan_disc_step(t, step, &loss_fake, err));
		iso_gan_after(t, step, &loss_g);
		iso_gan_show(t, step, loss_g, loss_fake);
	}
	return ISO_OK;
}

/* The label law as released. */
static iso_status learn_labels(iso_gan_trainer *t, iso_error *err)
{
	iso_latent_model *m = t->m;
	iso_status st;
	if (!t->s->conditional)
		return ISO_OK;
	if (t->s->by_column)
		return iso_categories_law(t->f, t->s->o.labels, &t->rows, m, err);
	if (t->nsite > 1)
		return iso_gan_site_labels(t, err);
	double *counts = iso_alloc(m->classes, sizeof *counts);
	if (!counts)
		return iso_no_memory(err, "label law");
	ISO_TRY_OUT(iso_labels_counts(t->f, t->s->o.labels, t->s->is_private ? t->f->ledger : NULL,
				      counts, err));
	iso_law_from_counts(counts, m->classes, m->law);
out:
	iso_free(counts);
	return st;
}

iso_status iso_gan_fit(const iso_fit *f, const iso_gan_spec *s, void **model, iso_error *err)
{
	iso_latent_shape shape = iso_gan_shape(s);
	iso_latent_model *m = NULL;
	iso_gan_trainer t = {0};
	iso_status st;
	if (s->frozen) /* the layer's noise is that of the release */
		shape.noise.sd = s->noise.clip * (s->o.sigma > 0 ? s->o.sigma : f->scale);
	ISO_TRY(iso_latent_new(&f->env, &shape, &m, err));
	ISO_TRY_OUT(trainer_init(&t, f, s, m, err));
	if (s->prepare)
		ISO_TRY_OUT(s->prepare(f, s, m, err));
	ISO_TRY_OUT(learn_labels(&t, err));
	warm_start(&t);
	ISO_TRY_OUT(loop(&t, err));
	if (s->measures)
		ISO_TRY_OUT(
			iso_latent_note(m, "uncharged_norm_over_clip", t.largest / s->o.clip, err));
	if (t.choice)
		ISO_TRY_OUT(iso_choice_finish(t.choice, m, err));
	else
		iso_average_finish(&t.mean, m->decoder[0]);
	*model = m;
	m = NULL;
out:
	trainer_free(&t);
	iso_latent_destroy(m);
	return st;
}
