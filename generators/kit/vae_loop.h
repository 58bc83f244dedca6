// SPDX-License-Identifier: Apache-2.0
/* beta-VAEs, one per class (or one for all), trained through core/nn/dpsgd.h.
 *
 *     encoder x -> hidden tanh ... -> (mu, log var) linear      decoder z -> hidden reversed tanh
 * ... -> row (heads.h) loss(x) = recon(x, x^) + beta KL(N(mu, var) || N(0, I)),   z = mu +
 * sqrt(var) e,  e ~ N(0, I)
 */
#ifndef ISO_GENERATORS_KIT_VAE_LOOP_H
#define ISO_GENERATORS_KIT_VAE_LOOP_H

#include "core/nn/dpsgd.h"
#include "generators/kit/labels.h"
#include "generators/kit/latent_model.h"
#include "generators/kit/pace.h"
#include "generators/kit/rows.h"
#include "generators/kit/vae_term.h"

#ifdef __cplusplus
extern "C" {
#endif

enum iso_vae_recon {
	ISO_RECON_LIKELIHOOD, /* cross-entropy on categories, indicators and pixels; Gaussian with a
				 learned deviation on numbers, which a sample is drawn from */
	ISO_RECON_MSE,	      /* sum of squared errors */
	ISO_RECON_CE,	      /* cross-entropy on every output */
	ISO_RECON_MIXED	      /* cross-entropy on categories and indicators, Gaussian of sd 0.1 on
				 numbers and pixels */
};
enum iso_vae_classes { ISO_CLASSES_BALANCED, ISO_CLASSES_PRIOR };

#define ISO_LOGVAR_LO (-6.0f)
#define ISO_LOGVAR_HI 2.0f

/* Options; a table that does not list a field leaves it 0. */
typedef struct iso_vae_options {
	int mode;	  /* 0 sound, 1 paper */
	int net;	  /* preset of Table I */
	int counts;	  /* iso_label_source */
	int recon, heads; /* iso_vae_recon; 0 sigmoid, 1 softmax per category block */
	int classes;	  /* iso_vae_classes */
	int categories;	  /* 0 draw, 1 argmax */
	int single;	  /* one VAE with the label in the encoding */
	int64_t hidden[ISO_OPT_LIST_MAX + 1]; /* of the encoder; count 0: preset */
	int selection;			      /* of the number of synthetic rows (ddp-bvae) */
	int prior, divergence;		      /* iso_prior less 1 (0: normal); iso_divergence */
	int layers;			      /* iso_net_kind: dense or conv */
	int64_t latent, batch, epochs, steps; /* latent 0: preset */
	double beta, lr, clip, label_share, size_share, average; /* beta < 0: preset */
	double alpha, clip_term, term_share; /* of the batch-wise term: its weight, bound, share */
} iso_vae_options;

#define ISO_VAE_NETS "auto|titanic|breast-cancer|mushroom|adult|wine"

/* One VAE's training memory over a model's networks. */
typedef struct iso_vae {
	iso_net *enc, *dec; /* borrowed */
	const iso_heads *heads;
	iso_ws *wenc, *wdec;
	int recon;
	size_t latent;
	float beta;
	float *noise, *z, *dz; /* [cap][latent] e, z, dLoss/dz; owned */
	float *xhat, *dx;      /* [cap][dim]; owned */
	int prior;	       /* 0: N(0, I) */
	double *slope;	       /* [latent] of the prior's log density; owned */
	/* A term that couples the rows of a batch, in every row's deltas; NULL: none.  Borrowed. */
	iso_vae_term *couple;
	iso_key couple_key;
} iso_vae;

iso_status iso_vae_init(iso_vae *v, iso_net *enc, iso_net *dec, const iso_heads *heads, int recon,
			double beta, size_t cap, int norms, iso_error *err) ISO_MUST_CHECK;
void iso_vae_deinit(iso_vae *v);
/* A log variance clamped to [ISO_LOGVAR_LO, ISO_LOGVAR_HI]. */
float iso_vae_logvar(float lv);
/* z = mu + exp(lv/2) e from the encoder's outputs out [n][2 k]; noise: e, becomes exp(lv/2) e,
 * which dL/dlv needs.  sd: scratch.  All [n][k]. */
void iso_vae_latents(const float *out, size_t n, size_t k, float *noise, float *z, float *sd);
/* Forward and backward of n rows x [n][dim] with v->noise filled; deltas are left in the
 * workspaces.  loss [n] or NULL. */
void iso_vae_backward(iso_vae *v, const float *x, size_t n, double *loss);
/* Slot: minus the reconstruction loss; larger = more like what was learned. */
iso_status iso_vae_score(const void *model, const iso_table *rows, double *out, iso_error *err);
/* Reconstruction loss of one row from the decoder's raw outputs and its row. */
double iso_vae_recon(const iso_heads *h, int recon, const float *x, const float *raw,
		     const float *xhat);

typedef struct iso_vae_spec {
	const char *who;
	iso_vae_options o; /* effective */
	int64_t batch;	   /* as asked for: 0 = 64, at most an eighth of the class */
	int counts;	   /* iso_label_source */
	int is_private;
	int keep_encoder; /* the model keeps encoders: non-private only */
	int by_count;	  /* rates follow the noisy class counts, under one cap per class */
	int terms;	  /* iso_vae_terms, with o.divergence */
} iso_vae_spec;

/* The specification with "choose for me" made numbers. */
iso_status iso_vae_spec_of(const char *who, const iso_gen_env *env, int is_private,
			   iso_vae_spec *out, iso_error *err) ISO_MUST_CHECK;

iso_status iso_vae_check(const iso_gen_env *env, const iso_vae_spec *s,
			 iso_error *err) ISO_MUST_CHECK;
/* "vae-step", one part per class in parallel group 1, fixed events or (by_count) caps in RDP;
 * "label-histogram" as s->counts says. */
iso_status iso_vae_plan(const iso_gen_env *env, const iso_vae_spec *s, double scale, iso_plan *plan,
			iso_error *err) ISO_MUST_CHECK;
/* Multiplier of an unsampled Gaussian that costs the share of the steps' budget. */
double iso_vae_noise(const iso_gen_env *env, const iso_vae_spec *s, double scale, double share);
iso_status iso_vae_fit(const iso_fit *f, const iso_vae_spec *s, void **model,
		       iso_error *err) ISO_MUST_CHECK;
iso_status iso_vae_load(const iso_gen_env *env, const iso_vae_spec *s, const char *bytes, size_t n,
			void **model, iso_error *err) ISO_MUST_CHECK;

/* ---- Options and slots that the tables of VAEs share ---- */
#define ISO_VAE_OPT_NETS \
	ISO_OPT_ENUM(iso_vae_options, net, "auto", ISO_VAE_NETS, \
		     "networks and latent size of the paper's Table I; auto: by the row's width"), \
		ISO_OPT_INTS(iso_vae_options, hidden, "", 1, 8192, \
			     "hidden layers of the encoder, reversed in the decoder; empty: of " \
			     "the net"), \
		ISO_OPT_INT(iso_vae_options, latent, "0", 0, 1024, \
			    "latent dimensions; 0: of the net"), \
		ISO_OPT_REAL( \
			iso_vae_options, beta, "-1", -1, 1000, \
			"weight of the KL term; -1: of the net, and 1 with recon=likelihood"), \
		ISO_OPT_ENUM(iso_vae_options, recon, "likelihood", "likelihood|mse|ce|mixed", \
			     "reconstruction: cross-entropy and Gaussians of learned deviation; " \
			     "squared " \
			     "error; cross-entropy; cross-entropy and Gaussians of sd 0.1"), \
		ISO_OPT_ENUM(iso_vae_options, heads, "softmax", "sigmoid|softmax", \
			     "output of categories"), \
		ISO_OPT_ENUM(iso_vae_options, categories, "draw", "draw|argmax", \
			     "categories of a sample")
#define ISO_VAE_OPT_STEPS(def_epochs, text) \
	ISO_OPT_INT(iso_vae_options, batch, "0", 0, 65536, \
		    "expected batch of a class; 0: 64, at most an eighth of it"), \
		ISO_OPT_INT(iso_vae_options, epochs, def_epochs, 0, 100000, text), \
		ISO_OPT_REAL(iso_vae_options, lr, "0", 0, 100, \
			     "learning rate (Adam); 0: 4/steps within [1e-3, 1e-2]"), \
		ISO_OPT_ENUM(iso_vae_options, classes, "balanced", "balanced|prior", \
			     "classes of a sample, with one VAE per class")
#define ISO_VAE_SLOT_FUNCTIONS(spec_of) \
	static iso_status check(const iso_gen_env *env, iso_error *err) \
	{ \
		iso_vae_spec s; \
		ISO_TRY(spec_of(env, &s, err)); \
		return iso_vae_check(env, &s, err); \
	} \
	static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **model, \
			       iso_error *err) \
	{ \
		iso_vae_spec s; \
		ISO_TRY(spec_of(env, &s, err)); \
		return iso_vae_load(env, &s, bytes, n, model, err); \
	} \
	static iso_status resolve(const iso_gen_env *env, void *effective, iso_error *err) \
	{ \
		iso_vae_spec s; \
		ISO_TRY(spec_of(env, &s, err)); \
		*(iso_vae_options *)effective = s.o; \
		return ISO_OK; \
	}
#define ISO_VAE_SLOTS \
	ISO_LATENT_SLOTS, .options = options, .options_size = sizeof(iso_vae_options), \
			  .resolve = resolve, .check = check, .fit = fit, .load = load

#ifdef __cplusplus
}
#endif

#endif
