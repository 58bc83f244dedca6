// SPDX-License-Identifier: Apache-2.0
/* What a GAN is before it sees data: settings, checks, plan, shape. */
#include <math.h>

#include "generators/kit/categories.h"
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
		.conditional =
			asked->label != ISO_LABEL_COLUMN && iso_schema_classes(env->schema) > 0,
		.is_private = 1,
		.rule_d = rule,
		.rule_g = rule,
		.act_g = ISO_ACT_RELU,
		.act_d = ISO_ACT_LRELU,
		.normal = 1,
		.init = ISO_INIT_HE,
	};
	if (s.o.net == ISO_NET_LSTM) {
		const size_t steps = iso_kit_steps(env->schema);
		s.lstm[0] = 1;
		s.lstm[1] = s.o.lstm;
		s.o.z_dim = (int64_t)steps *
			    ((s.o.z_dim + (int64_t)steps - 1) / (steps ? (int64_t)steps : 1));
		if (steps == 0)
			s.o.z_dim = asked->z_dim;
	}
	const int open = env->public_rows && env->public_rows->n > 0;
	if (s.o.bound == ISO_BOUND_AUTO)
		s.o.bound = open ? ISO_BOUND_PUBLIC : ISO_BOUND_FIXED;
	if (s.o.cluster == ISO_CLUSTER_AUTO)
		s.o.cluster = open ? ISO_CLUSTER_COORDINATE : ISO_CLUSTER_NONE;
	if (s.o.warm_steps < 0)
		s.o.warm_steps = open ? 600 : 0;
	if (!(s.o.average >= 0))
		s.o.average = 0.2;
	iso_gan_settle(&s.o, env->n, 64, 300, 20000);
	return s;
}

/* Weights and biases of D's layers. */
static size_t tensors_of(const iso_gan_spec *s)
{
	const int64_t *const layers = s->o.net == ISO_NET_CONV ? s->o.channels : s->o.hidden;
	return 2 * ((size_t)layers[0] + 1);
}

/* The step clips in fp32: the bound that it proves is the rounded one. */
double iso_gan_sensitivity(const iso_gan_spec *s)
{
	const double c = s->o.clip;
	return (float)(s->o.cluster == ISO_CLUSTER_EACH ? c * sqrt((double)tensors_of(s)) : c);
}

iso_status iso_gan_check(const iso_gen_env *env, const iso_gan_spec *s, iso_error *err)
{
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (%s): the training table is empty; give it at least one row", s->who);
	ISO_FAIL_IF((size_t)s->o.hidden[0] > ISO_KIT_LAYERS, err, ISO_E_CONFIG,
		    "hidden (%s): %d layers, at most %d; shorten the list", s->who,
		    (int)s->o.hidden[0], ISO_KIT_LAYERS);
	ISO_FAIL_IF(s->o.n_d == 0 && (s->o.burst > 0 || s->o.iterations > 0), err, ISO_E_CONFIG,
		    "n_d (%s): an adaptive number of steps leaves the schedule of iterations and "
		    "bursts open; set n_d, or iterations=0 burst=0",
		    s->who);
	const int groups = s->o.cluster != ISO_CLUSTER_NONE && s->o.cluster != ISO_CLUSTER_EACH;
	const int needs_public = s->o.bound == ISO_BOUND_PUBLIC || s->o.warm_steps > 0 || groups;
	ISO_FAIL_IF(needs_public && (!env->public_rows || env->public_rows->n == 0), err,
		    ISO_E_UNSUPPORTED,
		    "public rows (%s): the gradient bound, groups of parameters and the warm start "
		    "need rows that are public; give the data set a public share, or set "
		    "bound=fixed cluster=none warm_steps=0",
		    s->who);
	ISO_FAIL_IF(s->choice.picks > 0 && iso_schema_classes(env->schema) == 0, err,
		    ISO_E_UNSUPPORTED,
		    "picks (%s): checkpoints are judged by a classification task, and the data "
		    "have no classes; set picks=0",
		    s->who);
	iso_encoder *enc = NULL;
	const iso_latent_shape shape = iso_gan_shape(s);
	ISO_TRY(iso_encoder_new(env->schema, shape.columns, &enc, err));
	const iso_status st = iso_latent_check(&shape, enc, err);
	iso_encoder_free(enc);
	if (st != ISO_OK)
		return st;
	const int labelled = s->conditional && !s->by_column;
	return iso_labels_check(env, labelled ? s->o.labels : ISO_LABELS_COLUMN, s->who, err);
}

/* One part per client; a record belongs to one of them.  Replacing a record may move it to another
 * client, so the parts compose in sequence then. */
static iso_status plan_clients(const iso_gen_env *env, const iso_gan_spec *s, double noise,
			       iso_plan *plan, iso_error *err)
{
	const int sites = s->schedule == ISO_SCHEDULE_SITES;
	const uint64_t each = (uint64_t)s->o.steps / (sites ? 1 : s->clients);
	const int group = env->adjacency == ISO_ADD_REMOVE, fixed = s->o.sigma > 0;
	for (size_t k = 0; k < s->clients; k++) {
		const double q =
			iso_rate_of((size_t)s->o.batch, iso_federation_rows(env, s->clients, k));
		iso_entry entry = {.why = "disc-step", .group = group, .part = (int)k};
		ISO_TRY(iso_plan_gaussian(plan, entry, noise, q, each, iso_gan_sensitivity(s),
					  err));
		plan->v[plan->n - 1].fixed = fixed;
		if (!sites || s->o.labels != ISO_LABELS_HISTOGRAM)
			continue;
		entry.why = "label-histogram";
		ISO_TRY(iso_plan_gaussian(
			plan, entry, noise * iso_noise_ratio(q, (double)each, s->o.label_share), 1,
			1, 1, err));
		plan->v[plan->n - 1].fixed = fixed;
	}
	return sites && s->o.labels == ISO_LABELS_EXACT
		       ? iso_plan_uncharged(plan, "label-histogram", err)
		       : ISO_OK;
}

iso_status iso_gan_plan(const iso_gen_env *env, const iso_gan_spec *s, double scale, iso_plan *plan,
			iso_error *err)
{
	if (!s->is_private)
		return ISO_OK;
	const iso_gan_options *o = &s->o;
	const double q =
		iso_rate_of((size_t)o->batch, iso_choice_training_rows(&s->choice, env->n));
	const double given = o->sigma * (s->sigma_share > 0 ? s->sigma_share : 1);
	const double noise = o->sigma > 0 ? given : scale, steps = (double)o->steps;
	if (s->clients > 0)
		return plan_clients(env, s, noise, plan, err);
	const int parts = s->choice.picks > 0 && env->adjacency == ISO_ADD_REMOVE;
	const iso_entry entry = {.why = "disc-step", .group = parts ? ISO_CHOICE_GROUP : 0};
	ISO_TRY(iso_plan_gaussian(plan, entry, noise, q, (uint64_t)o->steps, iso_gan_sensitivity(s),
				  err));
	plan->v[plan->n - 1].fixed = o->sigma > 0;
	ISO_TRY(iso_choice_plan(&s->choice, env, noise, q, steps, plan, err));
	if (!s->conditional)
		return ISO_OK;
	const double once = noise * iso_noise_ratio(q, steps, o->label_share);
	return s->by_column ? iso_categories_plan(env, o->labels, once, o->sigma > 0, plan, err)
			    : iso_labels_plan(env, o->labels, once, o->sigma > 0, plan, err);
}

iso_latent_shape iso_gan_shape(const iso_gan_spec *s)
{
	static const int heads[] = {ISO_HEADS_GUMBEL, ISO_HEADS_SOFTMAX, ISO_HEADS_SIGMOID};
	const int64_t *const scorer = s->o.net == ISO_NET_CONV ? s->o.channels : s->o.hidden;
	const int64_t *const decoder = s->o.net == ISO_NET_LSTM ? s->lstm
				       : s->hidden_g[0]		? s->hidden_g
								: scorer;
	const int sites = s->clients > 0 && s->schedule == ISO_SCHEDULE_SITES;
	return (iso_latent_shape){
		.who = s->who,
		.columns = ISO_ENC_FEATURES |
			   (s->conditional && !s->by_column ? 0 : ISO_ENC_LABEL) |
			   (s->o.bits ? ISO_ENC_BITS : 0),
		.experts = s->choice.picks > 0 ? (size_t)s->choice.picks : 1,
		.turns = 1,
		.conditional = s->conditional,
		.by_column = s->by_column,
		.prior = s->normal ? ISO_PRIOR_NORMAL : ISO_PRIOR_UNIFORM,
		.latent = (size_t)s->o.z_dim,
		.decoder = {decoder, s->act_g},
		.scorer = {sites ? NULL : scorer, s->act_d}, /* sites keep theirs */
		.net = s->o.net,
		.noise = s->noise,
		.classifies = s->conditional && (s->o.label == ISO_LABEL_OUTPUTS || s->o.classify),
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
