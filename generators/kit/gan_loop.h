// SPDX-License-Identifier: Apache-2.0
/* The training loop of every GAN: a decoder G and a scorer D of a latent model, D's step through
 * core/nn/dpsgd.h.  A method is a specification: its loss, where its fakes come from, its schedule,
 * its optimisers.
 *
 *     G: (z, y) -> hidden -> encoded row (heads.h)      D: (x, y) -> hidden -> logit
 */
#ifndef ISO_GENERATORS_KIT_GAN_LOOP_H
#define ISO_GENERATORS_KIT_GAN_LOOP_H

#include "generators/kit/choice.h"
#include "generators/kit/federation.h"
#include "generators/kit/groups.h"
#include "generators/kit/labels.h"
#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Losses of D on a real row's logit r and a fake's f, and of G on f. */
enum iso_gan_loss {
	ISO_GAN_BCE,	     /* softplus(-r) + softplus(f); G: softplus(-f) (non-saturating) */
	ISO_GAN_WASSERSTEIN, /* f - r; G: -f */
	ISO_GAN_HINGE	     /* max(0, 1 - r) + max(0, 1 + f); G: -f */
};

/* Where the fakes of a discriminator step come from, and under which clip they stand. */
enum iso_gan_fakes {
	ISO_FAKES_PUBLIC, /* a fixed number, labels drawn from the released law: functions of
			     released things only; each clipped, not noised */
	ISO_FAKES_PAIRED, /* one per record, with its label, under one clip with its real row */
	ISO_FAKES_SHARED  /* one per record, with its label, clipped apart and not noised: as
			     DP-CGAN was published */
};

enum iso_gan_bound {
	ISO_BOUND_FIXED,  /* clip */
	ISO_BOUND_DECAY,  /* clip (1 - decay)^epoch, at least 0.35 clip (cdp-gan) */
	ISO_BOUND_PUBLIC, /* mean gradient norm of a public batch, at least bound_floor */
	ISO_BOUND_AUTO	  /* public with public rows, else fixed */
};

/* What clients do (gan_site.c). */
enum iso_gan_schedule { ISO_SCHEDULE_SERIAL, ISO_SCHEDULE_AVERAGE, ISO_SCHEDULE_SITES };

/* The label of a row: a column that G makes; an input of G and D; an input of G and an output of D.
 */
enum iso_gan_label { ISO_LABEL_COLUMN, ISO_LABEL_INPUT, ISO_LABEL_OUTPUTS };

/* Options of all GANs; a table that does not list a field leaves it 0. */
typedef struct iso_gan_options {
	int mode;	 /* 0 sound, 1 paper */
	int labels;	 /* iso_label_source */
	int categories;	 /* 0 draw, 1 argmax */
	int heads;	 /* 0 gumbel, 1 softmax, 2 sigmoid */
	int bound;	 /* iso_gan_bound; ISO_BOUND_AUTO is settled by iso_gan_settle_public */
	int optimizer_d; /* 0 SGD on the schedule, 1 Adam at lr_d */
	int label;	 /* iso_gan_label, for methods that offer a choice */
	int classify;	 /* of conditional GANs: D as with ISO_LABEL_OUTPUTS */
	int net;	 /* iso_net_kind */
	int cluster;	 /* iso_cluster */
	int allocation;	 /* iso_allocation */
	int schedule;	 /* iso_gan_schedule, for methods that offer a choice */
	int log;	 /* of messages: 0 digests, 1 with the last of each kind */
	int clipping;	 /* of dp-cgan: 0 apart, 1 joint, 2 per tensor */
	int evaluator;	 /* iso_evaluator */
	int loss;	 /* iso_gan_loss, for methods that offer a choice */
	int bits;	 /* small integers as bits (ISO_ENC_BITS) */
	int64_t hidden[ISO_OPT_LIST_MAX + 1];
	int64_t channels[ISO_OPT_LIST_MAX + 1];	 /* with net=conv */
	int64_t lstm;				 /* units, with net=lstm */
	int64_t groups, regroup;		 /* of parameters; steps between two regroupings */
	int64_t rounds;				 /* of federated averages */
	int64_t picks, checkpoints, choice_rows; /* choice.h */
	int64_t pairs;				 /* of edp-gan's estimate */
	int64_t z_dim, batch, lr_d_steps;
	int64_t steps;	    /* of D: what is paid for */
	int64_t iterations; /* of G, for methods whose card counts those: steps follows */
	int64_t n_d;	    /* D steps per G step; 0: adaptive (iso_gan_adapt) */
	int64_t burst;	    /* D steps in front of G's first 25 steps and of every 500th; 0: none */
	int64_t clients;    /* of federated methods */
	int64_t warm_steps; /* of G on public rows before training */
	double clip, sigma, label_share, lr_d, lr_d_end, lr_g, beta1, average, tau;
	double weight_clip; /* every weight of D into [-c, c] after each step; 0: off */
	double decay, bound_floor;
	double l1;			/* weight of |G - x|_1 in what a site sends; 0: off */
	double holdout, choice_share;	/* choice.h */
	double layer_clip, layer_noise; /* of an activation: L2 bound, and sd over it */
	double gamma;			/* of edp-gan's estimate */
	double penalty;			/* weight of (|grad D(x^)| - 1)^2, PAIRED only; 0: off */
} iso_gan_options;

typedef struct iso_gan_spec {
	const char *who;   /* plug-in's name */
	iso_gan_options o; /* effective */
	int loss, fakes;
	int conditional;	    /* the label is an input; else it is a generated column */
	int is_private;		    /* 0: no clipping, no noise, nothing booked */
	int private_generator_step; /* the generator's step sees the batch's labels: as published */
	iso_opt_rule rule_d, rule_g;
	iso_act act_g, act_d;
	int normal;		/* z ~ N(0, I) instead of U[-1,1] */
	size_t clients;		/* > 0: a federated training, one part of the plan each */
	int schedule;		/* iso_gan_schedule, with clients */
	double sigma_share;	/* of o.sigma that is the true multiplier; 0: all of it */
	iso_scorer_noise noise; /* of a layer of D, in every pass of its training */
	int frozen;   /* the layers in front of that noise are not trained (gan_slots.c) */
	int measures; /* not private: notes the largest norm of a record's gradient */
	iso_choice_options choice; /* picks 0: the (averaged) last weights are given out */
	int64_t lstm[2];	   /* list of layers of an LSTM decoder */
	int by_column; /* with conditional: iso_latent_shape's; the label is a generated column */
	int64_t hidden_g[ISO_OPT_LIST_MAX + 1]; /* hidden layers of G; count 0: those of D */
	size_t trained_g; /* parameters of G that are trained, the first ones; 0: all */
	/* optional: called with networks that are initialised, in front of the training: a phase
	 * of the method's own, which may set what trained_g leaves out of G */
	iso_status (*prepare)(const iso_fit *f, const struct iso_gan_spec *s, iso_latent_model *m,
			      iso_error *err);
	iso_init init;
} iso_gan_spec;

/* The conditional GAN of Torkzadehmahani et al.: networks, schedule and optimisers of their code
 * (one hidden ReLU layer each, z uniform, D by SGD, G by Adam), mode=paper with the batch's labels
 * and this sigma. */
iso_gan_spec iso_cgan_spec(const char *who, const iso_gen_env *env, double published_sigma);

/* A Wasserstein GAN on pairs: leaky ReLU, label a column or an input (o.label), z normal; both
 * optimisers by `rule`.  batch 64, 300 epochs, at most 20,000 D steps. */
iso_gan_spec iso_wgan_spec(const char *who, const iso_gen_env *env, iso_opt_rule rule);

/* L2 sensitivity of a record in a D step. */
double iso_gan_sensitivity(const iso_gan_spec *s);

/* "Choose for me" made a number: batch 0 (`batch`, at most n/8), steps 0 (`epochs` epochs, at most
 * `most`), steps from iterations and bursts, sigma not above 0 (NaN: calibrated). */
void iso_gan_settle(iso_gan_options *o, size_t n, size_t batch, double epochs, double most);

iso_status iso_gan_check(const iso_gen_env *env, const iso_gan_spec *s,
			 iso_error *err) ISO_MUST_CHECK;
/* "disc-step": Poisson-subsampled Gaussian, sensitivity clip, every step (with clients: one part
 * each, in parallel); "label-histogram", or "category-histograms" by column, as o.labels says. */
iso_status iso_gan_plan(const iso_gen_env *env, const iso_gan_spec *s, double scale, iso_plan *plan,
			iso_error *err) ISO_MUST_CHECK;
/* Networks and heads of the specification. */
iso_latent_shape iso_gan_shape(const iso_gan_spec *s);
iso_status iso_gan_fit(const iso_fit *f, const iso_gan_spec *s, void **model,
		       iso_error *err) ISO_MUST_CHECK;
iso_status iso_gan_load(const iso_gen_env *env, const iso_gan_spec *s, const char *bytes, size_t n,
			void **model, iso_error *err) ISO_MUST_CHECK;

/* D steps in front of G's step g (0, 1, ...) on the card's schedule of DPGAN: n_d, or `burst` for
 * the first 25 and every 500th. */
uint64_t iso_gan_burst(const iso_gan_options *o, uint64_t g);

/* The slots of a GAN whose specification is spec_of(env), a function of the environment; without
 * check or fit for methods that write their own. */
#define ISO_GAN_SLOT_CHECK(spec_of) \
	static iso_status check(const iso_gen_env *env, iso_error *err) \
	{ \
		const iso_gan_spec s = spec_of(env); \
		return iso_gan_check(env, &s, err); \
	}
#define ISO_GAN_SLOT_FIT(spec_of) \
	static iso_status fit(const iso_fit *f, void **model, iso_error *err) \
	{ \
		const iso_gan_spec s = spec_of(&f->env); \
		return iso_gan_fit(f, &s, model, err); \
	}
#define ISO_GAN_SLOTS_OF_ENV(spec_of) \
	static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, \
			       iso_error *err) \
	{ \
		const iso_gan_spec s = spec_of(env); \
		return iso_gan_plan(env, &s, scale, out, err); \
	} \
	static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **model, \
			       iso_error *err) \
	{ \
		const iso_gan_spec s = spec_of(env); \
		return iso_gan_load(env, &s, bytes, n, model, err); \
	} \
	static iso_status resolve(const iso_gen_env *env, void *effective, iso_error *err) \
	{ \
		(void)err; \
		*(iso_gan_options *)effective = spec_of(env).o; \
		return ISO_OK; \
	}
#define ISO_GAN_SLOT_FUNCTIONS(spec_of) \
	ISO_GAN_SLOT_CHECK(spec_of) \
	ISO_GAN_SLOT_FIT(spec_of) \
	ISO_GAN_SLOTS_OF_ENV(spec_of)
/* Where the discriminators never leave, nothing scores rows. */
#define ISO_GAN_SLOTS_UNSCORED \
	ISO_LATENT_SLOTS, .options = options, .options_size = sizeof(iso_gan_options), \
			  .resolve = resolve, .check = check, .plan = plan, .fit = fit, \
			  .load = load
#define ISO_GAN_SLOTS ISO_GAN_SLOTS_UNSCORED, .score = iso_latent_score

/* ---- Options that several tables list; defaults as text ---- */
#define ISO_GAN_OPT_LABELS \
	ISO_OPT_ENUM(iso_gan_options, labels, "histogram", ISO_LABEL_CHOICES, \
		     "law of the labels: a noisy histogram, uniform, or the suite's public class " \
		     "counts (mode=sound)"), \
		ISO_OPT_REAL(iso_gan_options, label_share, "0.02", 1e-6, 0.9, \
			     "share of the budget of the label histogram")
#define ISO_GAN_OPT_STEPS(text) \
	ISO_OPT_INT(iso_gan_options, steps, "0", 0, 10000000, text), \
		ISO_OPT_INT(iso_gan_options, batch, "0", 0, 65536, \
			    "expected batch; 0: the default of the card, at most n/8")
#define ISO_GAN_OPT_ND(def) \
	ISO_OPT_INT( \
		iso_gan_options, n_d, def, 0, 100000, \
		"D steps per G step (G steps cost no privacy); 0: adaptive, from 1 upwards with " \
		"a log loss, from 5 downwards with a critic")
#define ISO_GAN_OPT_LATENT(def) \
	ISO_OPT_INT(iso_gan_options, z_dim, def, 1, 4096, "latent dimensions")
#define ISO_GAN_OPT_CATEGORIES \
	ISO_OPT_ENUM(iso_gan_options, heads, "gumbel", "gumbel|softmax|sigmoid", \
		     "categories of a fake in training: a relaxed draw, a softmax, " \
		     "sigmoids"), \
		ISO_OPT_REAL(iso_gan_options, tau, "0.5", 0.01, 10, \
			     "temperature of the relaxed draw"), \
		ISO_OPT_ENUM(iso_gan_options, categories, "draw", "draw|argmax", \
			     "categories of a sample")
#define ISO_GAN_OPT_NETS(def_hidden, def_z) \
	ISO_OPT_INTS(iso_gan_options, hidden, def_hidden, 1, 8192, \
		     "hidden layers of both networks"), \
		ISO_GAN_OPT_LATENT(def_z), ISO_GAN_OPT_CATEGORIES
#define ISO_GAN_OPT_NOISE(def_clip) \
	ISO_OPT_REAL(iso_gan_options, clip, def_clip, 1e-6, 1e6, \
		     "L2 bound C of a record's gradient"), \
		ISO_OPT_REAL(iso_gan_options, sigma, "0", 0, 1e6, \
			     "noise multiplier; 0: calibrated to epsilon; given: fixed, epsilon " \
			     "as it falls")
#define ISO_GAN_OPT_RATES(def_d, def_g) \
	ISO_OPT_REAL(iso_gan_options, lr_d, def_d, 0, 100, "learning rate of D"), \
		ISO_OPT_REAL(iso_gan_options, lr_g, def_g, 0, 100, "learning rate of G")
#define ISO_GAN_OPT_CONV(choices, def_channels) \
	ISO_OPT_ENUM(iso_gan_options, net, "dense", choices, \
		     "layers of both networks; conv: rows that are one image"), \
		ISO_OPT_INTS(iso_gan_options, channels, def_channels, 1, 1024, \
			     "net=conv: channels of D's convolutions, two of stride 2 first; G's " \
			     "are their mirror")
#define ISO_GAN_OPT_ALLOCATION(def_groups) \
	ISO_OPT_ENUM(iso_gan_options, allocation, "optimal", "equal|optimal", \
		     "noise of a group: in proportion to its bound, or so that all noise " \
		     "together is least"), \
		ISO_OPT_INT(iso_gan_options, groups, def_groups, 1, 32, \
			    "number of groups at most"), \
		ISO_OPT_INT(iso_gan_options, regroup, "10", 1, 1000000, \
			    "D steps between two groupings on public rows")
#define ISO_GAN_OPT_GROUPS(def_cluster) \
	ISO_OPT_ENUM(iso_gan_options, cluster, def_cluster, "none|weight-bias|tensor|coordinate", \
		     "groups of parameters with a bound each, from public rows: weights and " \
		     "biases, merged tensors, coordinates of like size"), \
		ISO_GAN_OPT_ALLOCATION("5")
#define ISO_GAN_OPT_LABEL \
	ISO_OPT_ENUM(iso_gan_options, label, "input", "column|input", \
		     "the label is a generated column, or an input of both networks")
#define ISO_GAN_OPT_CLASSIFY \
	ISO_OPT_BOOL(iso_gan_options, classify, "false", \
		     "D has an output per class and one for fakes instead of the label at its " \
		     "input")
#define ISO_GAN_OPT_WARM \
	ISO_OPT_INT(iso_gan_options, warm_steps, "-1", -1, 1000000, \
		    "G steps of ordinary training on the public rows; -1: 600 with public rows")
#define ISO_GAN_OPT_MODE(text) ISO_OPT_ENUM(iso_gan_options, mode, "sound", "sound|paper", text)
#define ISO_GAN_OPT_CLIP_WEIGHTS(def) \
	ISO_OPT_REAL(iso_gan_options, weight_clip, def, 0, 1000, \
		     "every weight of D into [-c, c] after each step; 0: off")
#define ISO_GAN_OPT_PENALTY \
	ISO_OPT_REAL(iso_gan_options, penalty, "10", 0, 1e6, "weight of the gradient penalty"), \
		ISO_OPT_REAL(iso_gan_options, beta1, "0", 0, 0.999, "first-moment decay of Adam")
#define ISO_GAN_OPT_AVERAGE(def) \
	ISO_OPT_REAL(iso_gan_options, average, def, -1, 1, \
		     "horizon of the average of G's weights as a share of the steps; -1: 0.2 " \
		     "(mode=paper: none)")

#ifdef __cplusplus
}
#endif

#endif
