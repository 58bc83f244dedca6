// SPDX-License-Identifier: Apache-2.0
/* The training loop of the conditional GANs: two dense networks, labels as side information, the
 * discriminator's step through core/nn/dpsgd.h.  dp-cgan, cgan-basic-dp and cgan differ in the
 * specification that they pass.
 *
 *     G: (z, y) -> hidden ReLU -> encoded row (heads.h)      D: (x, y) -> hidden ReLU -> logit
 */
#ifndef ISO_GENERATORS_TRAIN_GAN_H
#define ISO_GENERATORS_TRAIN_GAN_H

#include "generators/support.h"

/* Where the fakes of a discriminator step come from, and under which clip they stand. */
enum iso_gan_fakes {
	ISO_FAKES_PUBLIC, /* a fixed number, labels drawn from the released law: functions of
			     released things only */
	ISO_FAKES_PAIRED, /* one per record, with its label, under one clip with its real row */
	ISO_FAKES_SHARED /* one per record, with its label, clipped apart and not noised: as DP-CGAN
			    was published */
};

/* Options of the three plug-ins; a table that does not list a field leaves it 0. */
typedef struct iso_gan_options {
	int mode;	/* 0 sound, 1 paper */
	int labels;	/* iso_label_source */
	int categories; /* 0 draw, 1 argmax */
	int64_t steps, batch, hidden, z_dim, lr_d_steps;
	double clip, sigma, label_share, lr_d, lr_d_end, lr_g, beta1, average;
} iso_gan_options;

typedef struct iso_gan_spec {
	const char *who;	    /* plug-in's name */
	const iso_gan_options *o;   /* borrowed */
	int fakes;		    /* iso_gan_fakes */
	int labels;		    /* iso_label_source */
	int is_private;		    /* 0: no clipping, no noise, nothing booked */
	int private_generator_step; /* the generator's step sees the batch's labels: as published */
	int adam_d;	/* discriminator by Adam at lr_d instead of SGD on the schedule */
	double sigma;	/* > 0: fixed noise multiplier instead of the free scale */
	double beta1;	/* of Adam */
	double average; /* horizon of the average of G's weights, as a share of the steps; 0 = the
			   last weights */
} iso_gan_spec;

iso_status iso_gan_check(const iso_gen_env *env, const iso_gan_spec *s,
			 iso_error *err) ISO_MUST_CHECK;
/* "disc-step": Poisson-subsampled Gaussian, sensitivity clip, every step; "label-histogram" as
 * s->labels says. */
iso_status iso_gan_plan(const iso_gen_env *env, const iso_gan_spec *s, double scale, iso_plan *plan,
			iso_error *err) ISO_MUST_CHECK;
iso_status iso_gan_fit(const iso_fit *f, const iso_gan_spec *s, void **model,
		       iso_error *err) ISO_MUST_CHECK;
iso_status iso_gan_load(const iso_gen_env *env, const iso_gan_spec *s, const char *bytes, size_t n,
			void **model, iso_error *err) ISO_MUST_CHECK;

/* Slots of the descriptor. */
iso_status iso_gan_sample(const void *model, iso_key key, iso_table *out, iso_error *err);
iso_status iso_gan_score(const void *model, const iso_table *rows, double *out, iso_error *err);
size_t iso_gan_latent_dim(const void *model);
iso_status iso_gan_decode(const void *model, const float *z, const uint32_t *label, size_t n,
			  iso_table *out, iso_error *err);
iso_status iso_gan_save(const void *model, iso_str *out, iso_error *err);
iso_status iso_gan_describe(const void *model, cJSON *out, iso_error *err);
void iso_gan_destroy(void *model);

#endif
