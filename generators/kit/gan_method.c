// SPDX-License-Identifier: Apache-2.0
/* What a GAN is before it sees data: settings, checks, plan, shape. */
#include <math.h>

#include "generators/kit/gan_loop.h"

uint64_t iso_gan_burst(const iso_gan_options *o, uint64_t g)
{
	return (uint64_t)(o->burst > 0 && (g < 25 || (g + 1) % 500 == 0) ? o->burst : o->n_d);
}

void iso_gan_settle(iso_gan_options *o, size_t n, size_t batch, double epochs, double most)
{
	o->batch = (int64_t)iso_batch_of((size_t)o->batch, batch, n ? n : 1);
	if (o->iterations > 0) {
		uint64_t steps = 0;
		for (uint64_t g = 0; g < (uint64_t)o->iterations; g++)
			steps += iso_gan_burst(o, g);
		o->steps = (int64_t)steps;
	} else if (o->steps == 0) {
		const double t = ceil(epochs / iso_rate_of((size_t)o->batch, n ? n : 1));
		o->steps = (int64_t)(t < most ? t : most);
	}
	if (!(o->sigma > 0))
		o->sigma = NAN;
}

iso_gan_spec iso_cgan_spec(const char *who, const iso_gen_env *env, double published_sigma)
{
	const iso_gan_options *asked = env->options;
	const int paper = asked->mode == 1;
	iso_gan_spec s = {
		.who = who,
		.o = *asked,
		.conditional = 1,
		.is_private = 1,
		.private_generator_step = paper,
		.rule_d = asked->optimizer_d == 1 ? ISO_ADAM : ISO_SGD,
		.rule_g = ISO_ADAM,
		.act_g = ISO_ACT_RELU,
		.act_d = ISO_ACT_RELU,
		.init = ISO_INIT_XAVIER_TF,
	};
	if (paper) {
		s.o.labels = ISO_LABELS_EXACT;
		s.o.n_d = 1;
	}
	if (!(s.o.beta1 >= 0))
		s.o.beta1 = paper ? 0.9 : 0.5;
	if (!(s.o.average >= 0))
		s.o.average = paper ? 0 : 0.2;
	if (paper && !(s.o.sigma > 0))
		s.o.sigma = published_sigma;
	iso_gan_settle(&s.o, env->n, 600, 300, 30000);
	return s;
}

iso_gan_spec iso_wgan_spec(const char *who, const iso_gen_env *env, iso_opt_rule rule)
{
	const iso_gan_options *asked = env->options;
	iso_gan_spec s = {
		.who = who,
		.o = *asked,
		.loss = ISO_GAN_WASSERSTEIN,
		.fakes = ISO_FAKES_PAIRED,
		.conditional = asked->label == 1 && iso_schema_classes(env->schema) > 0,
		.is_private = 1,
		.rule_d = rule,
		.rule_g = rule,
		.act_g = ISO_ACT_RELU,
		.act_d = ISO_ACT_LRELU,
		.normal = 1,
		.init = ISO_INIT_HE,
	};
	const int open = env->public_rows && env->public_rows->n > 0;
	if (s.o.bound == ISO_BOUND_AUTO)
		s.o.bound = open ? ISO_BOUND_PUBLIC : ISO_BOUND_FIXED;
	if (s.o.warm_steps < 0)
		s.o.warm_steps = open ? 600 : 0;
	if (!(s.o.average >= 0))
		s.o.average = 0.2;
	iso_gan_settle(&s.o, env->n, 64, 300, 20000);
	return s;
}

iso_status iso_gan_check(const iso_gen_env *env, const iso_gan_spec *s, iso_error *err)
{
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (%s): the training table is empty; give it at least one row", s->who);
	ISO_FAIL_IF((size_t)s->o.hidden[0] > ISO_KIT_LAYERS, err, ISO_E_CONFIG,
		    "hidden (%s): %d layers, at most %d; shorten the list", s->who,
		    (int)s->o.hidden[0], ISO_KIT_LAYERS);
	const int needs_public = s->o.bound == ISO_BOUND_PUBLIC || s->o.warm_steps > 0;
	ISO_FAIL_IF(needs_public && (!env->public_rows || env->public_rows->n == 0), err,
		    ISO_E_UNSUPPORTED,
		    "public rows (%s): the gradient bound and the warm start need rows that are "
		    "public; give the data set a public share, or set bound=fixed warm_steps=0",
		    s->who);
	return iso_labels_check(env, s->conditional ? s->o.labels : ISO_LABELS_COLUMN, s->who, err);
}

/* One part per client; a record belongs to one of them.  Replacing a record may move it to another
 * client, so the parts compose in sequence then. */
static iso_status plan_clients(const iso_gen_env *env, const iso_gan_spec *s, double noise,
			       iso_plan *plan, iso_error *err)
{
	const uint64_t each = (uint64_t)s->o.steps / s->clients;
	const int group = env->adjacency == ISO_ADD_REMOVE;
	for (size_t k = 0; k < s->clients; k++) {
		const size_t rows = iso_federation_rows(env, s->clients, k);
		ISO_TRY(iso_plan_gaussian(
			plan, (iso_entry){.why = "disc-step", .group = group, .part = (int)k},
			noise, iso_rate_of((size_t)s->o.batch, rows), each, (float)s->o.clip, err));
		plan->v[plan->n - 1].fixed = s->o.sigma > 0;
	}
	return ISO_OK;
}

iso_status iso_gan_plan(const iso_gen_env *env, const iso_gan_spec *s, double scale, iso_plan *plan,
			iso_error *err)
{
	if (!s->is_private)
		return ISO_OK;
	const iso_gan_options *o = &s->o;
	const double q = iso_rate_of((size_t)o->batch, env->n);
	const double noise = o->sigma > 0 ? o->sigma : scale;
	if (s->clients > 0)
		return plan_clients(env, s, noise, plan, err);
	/* the step clips in fp32: the bound that it proves is the rounded one */
	ISO_TRY(iso_plan_gaussian(plan, (iso_entry){.why = "disc-step"}, noise, q,
				  (uint64_t)o->steps, (float)o->clip, err));
	plan->v[plan->n - 1].fixed = o->sigma > 0;
	if (!s->conditional)
		return ISO_OK;
	return iso_labels_plan(env, o->labels,
			       noise * iso_noise_ratio(q, (double)o->steps, o->label_share),
			       o->sigma > 0, plan, err);
}

iso_latent_shape iso_gan_shape(const iso_gan_spec *s)
{
	static const int heads[] = {ISO_HEADS_GUMBEL, ISO_HEADS_SOFTMAX, ISO_HEADS_SIGMOID};
	return (iso_latent_shape){
		.who = s->who,
		.columns = ISO_ENC_FEATURES | (s->conditional ? 0 : ISO_ENC_LABEL),
		.experts = 1,
		.conditional = s->conditional,
		.normal = s->normal,
		.latent = (size_t)s->o.z_dim,
		.decoder = {s->o.hidden, s->act_g},
		.scorer = {s->o.hidden, s->act_d},
		.heads = heads[s->o.heads],
		.tau = s->o.tau,
		.argmax = s->o.categories,
	};
}

iso_status iso_gan_load(const iso_gen_env *env, const iso_gan_spec *s, const char *bytes, size_t n,
			void **model, iso_error *err)
{
	const iso_latent_shape shape = iso_gan_shape(s);
	return iso_latent_load(env, &shape, bytes, n, model, err);
}
