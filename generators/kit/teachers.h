// SPDX-License-Identifier: Apache-2.0
/* Teachers of PATE: networks of one shape on disjoint parts of the rows, dealt once by a keyed hash
 * of each row's identity (federation.h), so that a record touches one teacher; and their votes.
 * Everything here is private until iso_mech_votes has released labels. */
#ifndef ISO_GENERATORS_KIT_TEACHERS_H
#define ISO_GENERATORS_KIT_TEACHERS_H

#include "generators/kit/federation.h"
#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One optimiser step of a network on n rows x [n][in] with targets [n][target_ld] as the loss takes
 * them, row j weighted by weight[j] (NULL: 1); the gradient is divided by the weights' sum.
 * Returns the summed, weighted loss of an unweighted batch's mean, for curves. */
typedef struct iso_lesson {
	const iso_loss *loss;
	const float *x;
	size_t n;
	const float *target;
	size_t target_ld;
	const float *weight;
} iso_lesson;
double iso_lesson_step(iso_net *net, iso_ws *ws, iso_optim *opt, const iso_lesson *l);

typedef struct iso_teachers {
	size_t k, width, outs;
	iso_federation fed; /* PRIVATE: parts */
	iso_net **net;	    /* PRIVATE [k]; owned */
	iso_optim *opt;	    /* [k]; owned */
	iso_ws *ws;	    /* for `cap` rows; shared by all */
	size_t cap;
	uint32_t *row; /* PRIVATE [cap] rows of a teacher's batch, positions in the table; owned */
	float *scores; /* PRIVATE [cap] of one teacher; owned */
	iso_key key;
	/* PRIVATE [k] 1 + the class that an audit's canary makes a teacher vote for, 0 = its own
	 * votes; owned; NULL without a canary */
	uint8_t *fixed;
} iso_teachers;

/* k teachers, width inputs, outs outputs (1 logit, or logits of classes), Adam at lr. */
iso_status iso_teachers_init(iso_teachers *t, const iso_fit *f, size_t k, size_t width,
			     iso_hidden hidden, size_t outs, double lr, size_t cap,
			     iso_error *err) ISO_MUST_CHECK;
void iso_teachers_deinit(iso_teachers *t);
/* Rows of teacher i's batch number `step` into t->row: a Poisson sample of its part, `batch` of
 * them expected, at most `most` <= cap.  Returns how many. */
size_t iso_teachers_batch(iso_teachers *t, size_t i, uint64_t step, size_t batch, size_t most);
/* Teachers that tell their own rows from fakes.  `model` gives encoder and scorer's inputs. */
typedef struct iso_contrast {
	iso_teachers *team;		/* borrowed: one output each */
	const iso_latent_model *model;	/* borrowed */
	const iso_rows *rows;		/* PRIVATE, borrowed */
	size_t batch, most;		/* fakes; rows of a teacher's batch */
	float *row, *x, *want, *weight; /* PRIVATE; owned */
} iso_contrast;
/* Rows that a teacher's workspace must hold for batches of this size. */
size_t iso_contrast_cap(size_t batch);
iso_status iso_contrast_init(iso_contrast *c, iso_error *err) ISO_MUST_CHECK; /* fields given */
void iso_contrast_deinit(iso_contrast *c);
/* One step of every teacher: about `batch` of its own rows (target 1) against the `batch` scorer's
 * inputs `fakes` (target 0); the two weigh the same, however few rows a teacher has. */
void iso_contrast_step(iso_contrast *c, const float *fakes, uint64_t step);

/* votes [n][max(outs, 2)] += one vote of each teacher on each of the n <= cap rows x: for the
 * largest of its outputs.  With one output: for class 1 where it is above 0, and at the least for
 * the share `least` of the rows that it ranks highest. */
void iso_teachers_vote(iso_teachers *t, const float *x, size_t n, double least, double *votes);

/* ---- How many queries and teachers ---- */

/* Noise (standard deviation of a count over sqrt(2), GNMax) that one query costs at the target of
 * env; q of them cost sqrt(q) times as much (zCDP; Bun and Steinke 2016, Proposition 1.3 and
 * Lemma 1.7).  0 for an infinite target. */
double iso_votes_noise(const iso_gen_env *env);
/* The smaller of `most` and as many queries as leave each of 4 sigma teachers `rows` rows; never
 * under `least`. */
int64_t iso_votes_queries(const iso_gen_env *env, double rows, double least, double most);
/* Four times the noise of q queries, between 10 and half the rows. */
int64_t iso_votes_teachers(const iso_gen_env *env, int64_t queries);
/* Refuses one teacher and more teachers than rows. */
iso_status iso_teachers_check(const iso_gen_env *env, const char *who, int64_t teachers,
			      iso_error *err) ISO_MUST_CHECK;
/* The same, and fewer than twice the noise. */
iso_status iso_votes_check(const iso_gen_env *env, const char *who, int64_t teachers,
			   int64_t queries, iso_error *err) ISO_MUST_CHECK;
/* Entry "votes": `queries` of GNMax (LNMax when laplace) with noise `scale` per count. */
iso_status iso_votes_plan(int laplace, double scale, int64_t queries, size_t classes, iso_plan *out,
			  iso_error *err) ISO_MUST_CHECK;
/* Ceiling of the share of labels that equal the majority: the chance that a unanimous vote of k
 * keeps its label between two classes.  A function of public numbers. */
double iso_votes_unanimous(int laplace, double scale, double k);

#ifdef __cplusplus
}
#endif

#endif
