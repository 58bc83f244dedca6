// SPDX-License-Identifier: Apache-2.0
/* A latent model: z (and a label) -> decoder -> heads -> row, with an optional scorer (a GAN's
 * discriminator) and optional encoders (a VAE's).  Everything a descriptor needs of it is here:
 * sample, decode, score, save, load, describe, destroy.
 *
 * One decoder for all rows, or one per class ("experts").  The label is an input of decoder and
 * scorer (`conditional`), the choice of the expert, or a generated column.
 */
#ifndef ISO_GENERATORS_KIT_LATENT_MODEL_H
#define ISO_GENERATORS_KIT_LATENT_MODEL_H

#include "core/nn/net.h"
#include "generators/generator.h"
#include "generators/kit/heads.h"
#include "generators/kit/parts.h"
#include "generators/kit/rows.h"

#define ISO_KIT_LAYERS ISO_OPT_LIST_MAX /* hidden layers of a network */

/* Hidden layers of one network: element 0 is the count, as in an option list. */
typedef struct iso_hidden {
	const int64_t *units; /* borrowed; NULL = no such network */
	iso_act act;
} iso_hidden;

/* The public shape of a model: a function of schema and options alone. */
typedef struct iso_latent_shape {
	const char *who;
	unsigned columns; /* ISO_ENC_*: what the decoder makes */
	size_t experts;	  /* decoders: 1, or one per class */
	int mixture;	  /* an expert is drawn by the law, which is one of experts; the label is a
			     column */
	int conditional;  /* the label's one-hot beside z, and beside the scored row */
	int crossed; /* with conditional: the scorer sees the row and a 1 in the block of its class,
			zeros in the blocks of the others, so that its first layer is one per class
		      */
	int normal;  /* z ~ N(0, I) instead of U[-1,1] */
	size_t latent;
	iso_hidden decoder, scorer, encoder;
	int heads, spread; /* iso_heads_new */
	double tau;
	int recon;		   /* iso_vae_recon, for the score of a VAE */
	int argmax;		   /* categories of a sample: the largest instead of a draw */
	int balanced;		   /* labels of a sample take turns instead of following the law */
	const size_t *class_count; /* public counts: classes of count 0 are not generated; or NULL;
				      borrowed during iso_latent_new only */
} iso_latent_shape;

typedef struct iso_latent_model {
	iso_latent_shape shape;	  /* hidden lists are not valid after iso_latent_new */
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;
	iso_heads heads;
	size_t classes;	   /* of the label; 0 without */
	size_t zw;	   /* inputs of a decoder: latent, and classes when conditional */
	size_t width;	   /* inputs of the scorer: iso_latent_scored */
	iso_net **decoder; /* [experts] */
	iso_net **encoder; /* [experts], or NULL: not released */
	iso_net *scorer;   /* NULL: none */
	double *law;	   /* [classes], or [experts] of a mixture; cumulative, as released */
	uint32_t *live;	   /* [nlive] classes that are generated */
	size_t nlive;
	uint64_t rows; /* a number of rows that the method chose, or 0 */
} iso_latent_model;

/* The label is not part of the decoded row. */
int iso_latent_labelled(const iso_latent_model *m);
iso_status iso_latent_new(const iso_gen_env *env, const iso_latent_shape *s, iso_latent_model **out,
			  iso_error *err) ISO_MUST_CHECK;
/* Throws the encoders away: they are not part of what is released. */
void iso_latent_drop_encoders(iso_latent_model *m);
/* Rows of latents into z [zw each] from a key: row j is addressed by first + j; with a label's
 * one-hot behind it when conditional. */
void iso_latent_draw_z(const iso_latent_model *m, iso_key key, uint64_t first, size_t n, float *in);

/* in [width] = the scorer's input for an encoded row x [enc->dim] of this label: the row; when
 * conditional with the label's one-hot behind it, or crossed. */
void iso_latent_scored(const iso_latent_model *m, const float *x, size_t label, float *in);

/* A network with these hidden layers. */
iso_status iso_kit_net(iso_net **net, size_t in, iso_hidden hidden, size_t out, iso_act last,
		       iso_error *err) ISO_MUST_CHECK;

/* Slots of the descriptor; model is an iso_latent_model. */
iso_status iso_latent_sample(const void *model, iso_key key, iso_table *out, iso_error *err);
iso_status iso_latent_score(const void *model, const iso_table *rows, double *out, iso_error *err);
size_t iso_latent_dim(const void *model);
iso_status iso_latent_encode(const void *model, const iso_table *rows, float *z, iso_error *err);
iso_status iso_latent_decode(const void *model, const float *z, const uint32_t *label, size_t n,
			     iso_table *out, iso_error *err);
iso_status iso_latent_save(const void *model, iso_str *out, iso_error *err);
iso_status iso_latent_describe(const void *model, cJSON *out, iso_error *err);
void iso_latent_destroy(void *model);
#define ISO_LATENT_SLOTS \
	.sample = iso_latent_sample, .destroy = iso_latent_destroy, .latent_dim = iso_latent_dim, \
	.decode = iso_latent_decode, .save = iso_latent_save, .describe = iso_latent_describe
/* The parts that save added, into a model of the same shape. */
iso_status iso_latent_take(iso_parts *in, iso_latent_model *m, iso_error *err) ISO_MUST_CHECK;
/* A model of this shape from save's bytes. */
iso_status iso_latent_load(const iso_gen_env *env, const iso_latent_shape *s, const char *bytes,
			   size_t n, void **model, iso_error *err) ISO_MUST_CHECK;

#endif
