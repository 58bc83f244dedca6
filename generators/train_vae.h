// SPDX-License-Identifier: Apache-2.0
/* beta-VAEs, one per class (or one for all), trained through core/nn/dpsgd.h: ddp-bvae and its
 * non-private twin vae.
 *
 *     encoder x -> hidden tanh ... -> (mu, log var) linear      decoder z -> hidden reversed tanh
 * ... -> row (heads.h) loss(x) = recon(x, x^) + beta KL(N(mu, var) || N(0, I)),   z = mu +
 * sqrt(var) e,  e ~ N(0, I)
 */
#ifndef ISO_GENERATORS_TRAIN_VAE_H
#define ISO_GENERATORS_TRAIN_VAE_H

#include "core/nn/dpsgd.h"
#include "generators/heads.h"
#include "generators/support.h"

enum iso_vae_recon {
	ISO_RECON_MSE,	/* sum of squared errors */
	ISO_RECON_CE,	/* cross-entropy on every output */
	ISO_RECON_MIXED /* cross-entropy on categories and indicators, Gaussian of sd 0.1 on numbers
			   and pixels */
};
enum iso_vae_classes { ISO_CLASSES_BALANCED, ISO_CLASSES_PRIOR };

#define ISO_LOGVAR_LO (-6.0f)
#define ISO_LOGVAR_HI 2.0f

/* Options of the two plug-ins; a table that does not list a field leaves it 0. */
typedef struct iso_vae_options {
	int mode;	  /* 0 sound, 1 paper */
	int net;	  /* preset of Table I */
	int counts;	  /* iso_label_source */
	int recon, heads; /* iso_vae_recon; 0 sigmoid, 1 softmax per category block */
	int classes;	  /* iso_vae_classes */
	int categories;	  /* 0 draw, 1 argmax */
	int single;	  /* one VAE with the label in the encoding */
	int64_t hidden[ISO_OPT_LIST_MAX + 1];	     /* of the encoder; count 0: preset */
	int64_t latent, batch, epochs;		     /* latent 0: preset */
	double beta, lr, clip, label_share, average; /* beta < 0: preset */
} iso_vae_options;

#define ISO_VAE_NETS "auto|titanic|breast-cancer|mushroom|adult|wine"

/* One VAE and the memory of its training. */
typedef struct iso_vae {
	iso_net *enc, *dec;  /* owned */
	iso_ws *wenc, *wdec; /* owned */
	iso_heads heads;     /* borrows the encoder of rows */
	int recon;
	size_t latent;
	float beta;
	float *noise, *z, *dz; /* [cap][latent] e, z, dLoss/dz; owned */
	float *xhat, *dx;      /* [cap][dim]; owned */
} iso_vae;

iso_status iso_vae_init(iso_vae *v, const iso_encoder *rows, const iso_vae_options *o,
			iso_error *err) ISO_MUST_CHECK;
void iso_vae_deinit(iso_vae *v);
/* Workspaces for batches of `cap` rows; released by iso_vae_idle. */
iso_status iso_vae_busy(iso_vae *v, size_t cap, int norms, iso_error *err) ISO_MUST_CHECK;
void iso_vae_idle(iso_vae *v);
/* Forward and backward of n rows x [n][dim] with v->noise filled; deltas are left in the
 * workspaces.  loss [n] or NULL. */
void iso_vae_backward(iso_vae *v, const float *x, size_t n, double *loss);

typedef struct iso_vae_spec {
	const char *who;
	const iso_vae_options *o; /* borrowed */
	int counts;		  /* iso_label_source */
	int is_private;
	double average;	  /* horizon of the average of the weights, as a share of the steps */
	int keep_encoder; /* the model keeps encoders: non-private only */
} iso_vae_spec;

iso_status iso_bvae_check(const iso_gen_env *env, const iso_vae_spec *s,
			  iso_error *err) ISO_MUST_CHECK;
/* "vae-step", one part per class in parallel group 1; "label-histogram" as s->counts says. */
iso_status iso_bvae_plan(const iso_gen_env *env, const iso_vae_spec *s, double scale,
			 iso_plan *plan, iso_error *err) ISO_MUST_CHECK;
iso_status iso_bvae_fit(const iso_fit *f, const iso_vae_spec *s, void **model,
			iso_error *err) ISO_MUST_CHECK;
iso_status iso_bvae_load(const iso_gen_env *env, const iso_vae_spec *s, const char *bytes, size_t n,
			 void **model, iso_error *err) ISO_MUST_CHECK;

/* Slots of the descriptor. */
iso_status iso_bvae_sample(const void *model, iso_key key, iso_table *out, iso_error *err);
iso_status iso_bvae_score(const void *model, const iso_table *rows, double *out, iso_error *err);
size_t iso_bvae_latent_dim(const void *model);
iso_status iso_bvae_encode(const void *model, const iso_table *rows, float *z, iso_error *err);
iso_status iso_bvae_decode(const void *model, const float *z, const uint32_t *label, size_t n,
			   iso_table *out, iso_error *err);
iso_status iso_bvae_save(const void *model, iso_str *out, iso_error *err);
iso_status iso_bvae_describe(const void *model, cJSON *out, iso_error *err);
void iso_bvae_destroy(void *model);
/* mode=paper: the number of synthetic rows that was chosen on the real training rows; kept and
 * saved as "rows". */
void iso_bvae_set_rows(void *model, size_t rows);

#endif
