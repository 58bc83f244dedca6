// SPDX-License-Identifier: Apache-2.0
/* Private to kit/gan_*.c: the state of a training and the parts of a step.
 *
 *   gan_rows.c    rows, fakes, losses: what D is shown and how it is judged
 *   gan_bound.c   the bound of a step, and what public rows are used for
 *   gan_group.c   groups of parameters with a bound each
 *   gan_slots.c   D above frozen layers, trained on a noisy release of their activations
 *   gan_site.c    clients: their rows, their discriminators, their messages
 *   gan_loop.c    steps and schedule
 */
#ifndef ISO_GENERATORS_KIT_GAN_TRAINER_H
#define ISO_GENERATORS_KIT_GAN_TRAINER_H

#include "core/nn/dpsgd.h"
#include "generators/kit/choice.h"
#include "generators/kit/gan_loop.h"
#include "generators/kit/groups.h"
#include "generators/kit/messages.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Inputs of G and the pass that made fakes of them. */
typedef struct iso_fakes {
	iso_ws *ws;
	float *in, *u; /* [cap][zw] latents and labels; [cap][dim] uniform draws, or NULL */
	uint32_t *y;   /* [cap] labels */
	iso_key z, draw;
} iso_fakes;

/* A discriminator and its private steps. */
typedef struct iso_gan_site {
	iso_net *net; /* the model's scorer, or owned where a site keeps its own */
	int owned;
	iso_ws *real; /* on private rows */
	iso_optim opt;
	iso_dpsgd dp;
	double *law; /* cumulative law of its labels, or NULL: the model's */
	double *count;
	float weight; /* of its gradient in G's step */
} iso_gan_site;

typedef struct iso_slots iso_slots;

typedef struct iso_gan_trainer {
	const iso_fit *f;
	const iso_gan_spec *s;
	iso_latent_model *m;
	size_t dim, batch, chunk,
		cap;	     /* encoded row; public fakes; records per piece; the larger */
	iso_rows rows;	     /* PRIVATE */
	iso_federation fed;  /* with clients, and with a hold-out */
	const uint32_t *pos; /* PRIVATE positions of the records that the step draws from; NULL: all
			      */
	uint32_t *row;	     /* PRIVATE [chunk] rows of a piece, when pos */
	uint32_t *y;	     /* PRIVATE [chunk] their labels */
	uint64_t *id;	     /* [chunk per] identities of the rows of a pass of D */
	iso_rows open;	     /* public rows, when the method uses them */
	iso_key ykey, pkey, noise, column;
	uint64_t turn;		 /* of the columns that real rows are conditioned on */
	uint64_t passes;	 /* of D with layer noise, on fakes */
	iso_fakes pub, rec;	 /* public fakes; PRIVATE: fakes that carry a record's label */
	uint64_t drawn;		 /* public fakes so far */
	iso_ws *fake, *judge;	 /* D on fakes, for G's step */
	float *x, *fx, *dx;	 /* [chunk (2 if paired)], [cap], [cap] rows of `width` */
	float *norm, *sum;	 /* [cap] norms of fakes; [P of D] clipped gradients of fakes */
	size_t shared;		 /* fakes that the last closure left behind */
	float unit;		 /* C_t / C */
	iso_gan_site *site, *at; /* [nsite]; the one whose step it is */
	size_t nsite;
	iso_grouping *groups; /* NULL: one clip for all parameters */
	iso_slots *slots;     /* NULL: D is trained as a whole */
	iso_choice *choice;   /* NULL: the last weights are given out */
	iso_messages *log;    /* NULL: nothing is sent */
	iso_optim opt_g;
	iso_average mean; /* of G */
	size_t per;	  /* rows per record: real; with a fake when paired; with its penalty's */
	uint64_t since, n_d;	/* D steps since the last G step; D steps per G step now */
	uint64_t gsteps, taken; /* steps of G; of D at hand */
	double largest;		/* PRIVATE: norm of a record's gradient, with spec measures */
	double right;		/* running share of fakes that D recognises */
	struct { /* adaptive n_d of a critic: losses of G since step `at`, their mean before, falls
		  */
		double sum, n, last;
		uint64_t at, falls;
	} cost;
} iso_gan_trainer;

enum iso_gan_role { ISO_GAN_REAL, ISO_GAN_FAKE, ISO_GAN_FOOL }; /* D on real, on fake; G on fake */

static inline int iso_gan_paired(const iso_gan_trainer *t)
{
	return t->s->fakes == ISO_FAKES_PAIRED;
}

/* ---- gan_rows.c ---- */
iso_status iso_gan_buffers(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;
void iso_gan_buffers_free(iso_gan_trainer *t);
/* d = dLoss/d(outputs of D) / unit (1 for FOOL) of n rows with these labels, every ld-th row of out
 * and d; returns the summed loss. */
double iso_gan_loss_rows(const iso_gan_trainer *t, enum iso_gan_role role, const uint32_t *y,
			 const float *out, size_t ld, size_t n, float *d);
/* n fresh fakes from keys and the released label law into x [n][ld]. */
void iso_gan_public_fakes(iso_gan_trainer *t, size_t n, float *x, size_t ld);
/* n fresh fakes with these labels. */
void iso_gan_labelled_fakes(iso_gan_trainer *t, const uint32_t *y, size_t n, float *x, size_t ld);
/* Real rows and their labels; y [n] as well where it is not NULL. */
void iso_gan_real_rows(iso_gan_trainer *t, const iso_rows *from, const uint32_t *rec, size_t n,
		       float *x, size_t ld, uint32_t *y);
/* The penalty's rows of a record: between its real row and its fake. */
void iso_gan_interpolate(const iso_gan_trainer *t, float *record, float e);
/* Forward, losses, penalty and backward of D on n records of `per` rows. */
void iso_gan_judge(iso_gan_trainer *t, iso_ws *ws, float *x, const uint32_t *y, size_t n);
/* sum (+)= sum_j clip(grad of the loss on fake j of fx); returns the summed loss. */
double iso_gan_fake_gradients(iso_gan_trainer *t, const iso_fakes *k, size_t n, int beta);
/* The closure of a D step: private rows and, when the specification says so, a fake per record. */
iso_status iso_gan_disc_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
			     iso_error *err);
/* A pass of D on rows that are not private is a training pass: noise of its layers, freshly drawn.
 */
void iso_gan_layer_noise(iso_gan_trainer *t, iso_ws *ws);

/* ---- gan_bound.c ---- */
size_t iso_gan_public_batch(const iso_gan_trainer *t);
/* n <= 256 public records into fx, D's losses on them, backward. */
void iso_gan_judge_public(iso_gan_trainer *t, uint64_t at, size_t n);
/* C_t / C.  Public: a function of the step, or of D, fakes and public rows. */
float iso_gan_unit(iso_gan_trainer *t, uint64_t step);

/* ---- gan_group.c ---- */
iso_status iso_gan_group_init(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;
void iso_gan_group_free(iso_gan_trainer *t);
const iso_grad_source *iso_gan_group_source(iso_gan_trainer *t);
/* Groups and bounds of this step, from public rows. */
iso_status iso_gan_regroup(iso_gan_trainer *t, uint64_t step, iso_error *err) ISO_MUST_CHECK;
/* The step itself, with the optimiser. */
iso_status iso_gan_group_step(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;

/* ---- gan_slots.c ---- */
iso_status iso_gan_slots_init(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;
iso_status iso_gan_slots_step(iso_gan_trainer *t, uint64_t step, iso_error *err) ISO_MUST_CHECK;
const iso_grad_source *iso_gan_slots_source(iso_gan_trainer *t);
void iso_gan_slots_free(iso_slots *s);

/* ---- gan_site.c ---- */
/* Discriminators, one or one per client; then their private steps. */
iso_status iso_gan_sites_nets(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;
iso_status iso_gan_sites_init(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;
void iso_gan_sites_free(iso_gan_trainer *t);
/* The steps that follow are those of client k. */
iso_status iso_gan_hand_over(iso_gan_trainer *t, size_t k, iso_error *err) ISO_MUST_CHECK;
/* Label law of every site, and of all together in the model. */
iso_status iso_gan_site_labels(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;
/* dx, dLoss/dfakes of the site at hand, on its way to the server; nothing without sites. */
void iso_gan_feedback(iso_gan_trainer *t, size_t n);
/* Rounds of a federated method instead of the ordinary loop. */
iso_status iso_gan_rounds(iso_gan_trainer *t, iso_error *err) ISO_MUST_CHECK;

/* ---- gan_loop.c ---- */
iso_status iso_gan_disc_step(iso_gan_trainer *t, uint64_t step, double *loss_fake,
			     iso_error *err) ISO_MUST_CHECK;
/* dLoss/dG of n fakes x [n][ld] made by k, summed into G's gradient with this weight; returns the
 * summed loss. */
double iso_gan_fool(iso_gan_trainer *t, iso_fakes *k, const float *x, size_t ld, size_t n,
		    float weight, int beta);
/* The next n_d of the adaptive schedule, after a step of G with this mean loss. */
void iso_gan_adapt(iso_gan_trainer *t, double loss);
iso_status iso_gan_tick(iso_gan_trainer *t, uint64_t step, iso_error *err) ISO_MUST_CHECK;
void iso_gan_show(iso_gan_trainer *t, uint64_t step, double loss_g, double loss_fake);
/* After D step `step`: G's step when a round is complete, average. */
void iso_gan_after(iso_gan_trainer *t, uint64_t step, double *loss_g);

#ifdef __cplusplus
}
#endif

#endif
