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

#include "generators/generator.h"
#include "generators/kit/heads.h"
#include "generators/kit/latent_prior.h"
#include "generators/kit/nets.h"
#include "generators/kit/parts.h"
#include "generators/kit/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The public shape of a model: a function of schema and options alone. */
typedef struct iso_latent_shape {
	const char *who;
	unsigned columns; /* ISO_ENC_*: what the decoder makes */
	size_t experts;	  /* decoders: 1, or one per class */
	int mixture;	  /* an expert is drawn by the law, which is one of experts; the label is a
			     column */
	int turns;	  /* experts take turns by the row's number instead of by its class */
	int conditional;  /* the label's one-hot beside z, and beside the scored row */
	int by_column;	  /* with conditional: instead of the label a category of one discrete
			     column, all columns as likely (Xu et al. 2019, section 4.3) */
	int crossed; /* with conditional: the scorer sees the row and a 1 in the block of its class,
			zeros in the blocks of the others, so that its first layer is one per class
		      */
	int prior;   /* iso_prior of z (latent_prior.h) */
	size_t latent;
	iso_hidden decoder, scorer, encoder;
	int net;		/* iso_net_kind of decoder and scorer */
	iso_scorer_noise noise; /* of the scorer */
	int classifies; /* the scorer is not told the label: an output per class and one for fakes
			 */
	int heads, spread; /* iso_heads_new */
	double tau;
	int recon;		   /* iso_vae_recon, for the score of a VAE */
	int argmax;		   /* categories of a sample: the largest instead of a draw */
	int balanced;		   /* labels of a sample take turns instead of following the law */
	const size_t *class_count; /* public counts: classes of count 0 are not generated; or NULL;
				      borrowed during iso_latent_new only */
} iso_latent_shape;

/* Something more that a training releases or states: bytes, or a number for `describe`. */
typedef struct iso_extra {
	char name[48];
	int is_note; /* bytes are one double */
	size_t n;
	void *bytes; /* owned */
} iso_extra;

typedef struct iso_latent_model {
	iso_latent_shape shape;	  /* hidden lists are not valid after iso_latent_new */
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;
	iso_heads heads;
	size_t classes;	   /* of the label; 0 without */
	size_t conds;	   /* conditions: classes, or the categories of all columns (by_column) */
	size_t blocks;	   /* discrete columns in an encoded row */
	size_t zw;	   /* inputs of a decoder: latent, and conds when conditional */
	size_t width;	   /* inputs of the scorer: iso_latent_scored */
	size_t outputs;	   /* of the scorer: 1, or classes + 1 */
	iso_net **decoder; /* [experts] */
	iso_net **encoder; /* [experts], or NULL: not released */
	iso_net *scorer;   /* NULL: none */
	double *law;	   /* [conds], or [experts] of a mixture; cumulative, as released */
	uint32_t *live;	   /* [nlive] classes that are generated */
	size_t nlive;
	uint64_t rows;	  /* a number of rows that the method chose, or 0 */
	iso_extra *extra; /* [nextra] saved behind the networks; owned */
	size_t nextra, extra_cap;
} iso_latent_model;

/* Adds a part to what is saved (name: at most 40 characters, no spaces); a copy of n bytes. */
iso_status iso_latent_attach(iso_latent_model *m, const char *name, const void *bytes, size_t n,
			     iso_error *err) ISO_MUST_CHECK;
/* The same for a number, which `describe` prints under its name too. */
iso_status iso_latent_note(iso_latent_model *m, const char *name, double value,
			   iso_error *err) ISO_MUST_CHECK;
/* Value of a note, or NaN. */
double iso_latent_noted(const iso_latent_model *m, const char *name);

/* The label is not part of the decoded row. */
int iso_latent_labelled(const iso_latent_model *m);
/* Can the networks of this shape make the rows of `enc`?  Before any data. */
iso_status iso_latent_check(const iso_latent_shape *s, const iso_encoder *enc,
			    iso_error *err) ISO_MUST_CHECK;
iso_status iso_latent_new(const iso_gen_env *env, const iso_latent_shape *s, iso_latent_model **out,
			  iso_error *err) ISO_MUST_CHECK;
/* Throws the encoders away: they are not part of what is released. */
void iso_latent_drop_encoders(iso_latent_model *m);
/* Rows of latents into z [zw each] from a key: row j is addressed by first + j; with a label's
 * one-hot behind it when conditional. */
void iso_latent_draw_z(const iso_latent_model *m, iso_key key, uint64_t first, size_t n, float *in);

/* in [width] = the scorer's input for an encoded row x [enc->dim] of this label: the row; when
 * conditional with the label's one-hot behind it (not where the scorer classifies), or crossed. */
void iso_latent_scored(const iso_latent_model *m, const float *x, size_t label, float *in);

/* The condition that discrete column k < blocks gives the encoded row x: a number below conds, or
 * conds when its value is missing. */
uint32_t iso_latent_condition(const iso_latent_model *m, const float *x, size_t k);

/* What the scorer is told of the encoded row x: its label, or the category of a column that is
 * drawn by the row's identity, anew for every key. */
uint32_t iso_latent_told(const iso_latent_model *m, iso_key turn, uint64_t id, uint32_t label,
			 const float *x);
/* by_column: the float of an encoded row that a condition below conds stands for. */
size_t iso_latent_cell(const iso_latent_model *m, uint32_t condition);

/* What the model's scorer is made from; the list of layers is not kept by the model. */
iso_net_form iso_latent_scorer_form(const iso_latent_model *m, const int64_t *layers, iso_act act);
/* How real a row looks by the scorer's outputs: its logit; with an output per class, the log odds
 * of any class against "fake" (Salimans et al. 2016, section 5). */
double iso_latent_logit(const iso_latent_model *m, const float *outputs);

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

#ifdef __cplusplus
}
#endif

#endif
