// SPDX-License-Identifier: Apache-2.0
/* Experts: k small generative networks (variational auto-encoders or restricted Boltzmann
 * machines), each for the records of one cluster, as ONE gradient source: a record touches the
 * block of its own expert, so the concatenation of all blocks moves by at most its clip bound.
 *
 * With an adaptive bound the released vector of a record is
 *     ( a clip_C(g) / C,  b min(|g|, G) / G ),   a^2 + b^2 = 1,
 * of norm at most 1: one Gaussian of the multiplier that the plan names, in which the gradient has
 * the multiplier sigma / a and the mean norm sigma / b.  The bound of the next step follows from
 * what was released: C <- 0.9 C + 0.1 mean of min(|g|, G), at least c_min.
 */
#ifndef ISO_GENERATORS_KIT_EXPERTS_H
#define ISO_GENERATORS_KIT_EXPERTS_H

#include "generators/kit/rbm.h"
#include "generators/kit/vae_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_expert_nets { /* one of the two kinds */
	iso_latent_model *vae;	 /* experts with encoders; NULL: RBMs */
	iso_rbm *rbm;		 /* [k] */
	size_t k;
	double beta; /* of the VAEs */
} iso_expert_nets;

typedef struct iso_bound {
	double clip; /* C of the next step */
	double cap;  /* G of the norms; 0: a fixed bound */
	double least, a, b;
} iso_bound;
/* ratio: noise of the norms over noise of the gradient, sigma_c / sigma. */
iso_bound iso_bound_of(double clip, double cap, double least, double ratio);

typedef struct iso_experts {
	iso_expert_nets net;
	size_t lo, hi; /* those that take part */
	iso_bound bound;
	iso_key key;
	/* owned */
	iso_vae *vae;	/* [k] */
	iso_rbm_ws *ws; /* [k] */
	iso_optim *opt; /* [2 k] of encoders and decoders, or of machines */
	size_t *first;	/* [k + 1] of an expert's block */
	float *grad;	/* all blocks, and the sum of norms */
	size_t *rows,
		*slot; /* [k] rows of the last call; [chunk] place of a record in its expert */
	uint32_t *of;  /* [chunk] its expert */
	float *norm;   /* [chunk] its gradient's norm */
	float *part;   /* [chunk] norms or scales of one expert */
	float *x;      /* [k][chunk][dim] gathered rows */
	uint64_t *id;  /* [k][chunk] */
	size_t chunk, dim;
} iso_experts;

iso_status iso_experts_init(iso_experts *e, const iso_expert_nets *net, size_t lo, size_t hi,
			    iso_bound bound, size_t chunk, float lr, iso_key key,
			    iso_error *err) ISO_MUST_CHECK;
void iso_experts_deinit(iso_experts *e);
iso_grad_source iso_experts_source(iso_experts *e);
/* The closure of a step: records rec[0..n) with rows x [..][dim], identities id and experts `of`.
 */
void iso_experts_rows(iso_experts *e, const float *x, const uint64_t *id, const uint32_t *of,
		      const uint32_t *rec, size_t n, uint64_t step);
/* From the released gradient: one Adam step per expert, expert c's divided by batch [c], and the
 * next bound from the mean norm over `all` records. */
void iso_experts_update(iso_experts *e, const double *batch, double all);

/* PRIVATE: rows that one training sees. */
typedef struct iso_expert_rows {
	float *x;     /* [n][dim] */
	uint64_t *id; /* [n] */
	uint32_t *of; /* [n] cluster */
	size_t n;
} iso_expert_rows;
/* Room for n rows, none taken. */
iso_status iso_expert_rows_new(size_t n, size_t dim, iso_expert_rows *v,
			       iso_error *err) ISO_MUST_CHECK;
/* The rows of cluster c. */
iso_status iso_expert_rows_of(const iso_expert_rows *all, uint32_t c, size_t dim,
			      iso_expert_rows *v, iso_error *err) ISO_MUST_CHECK;
void iso_expert_rows_free(iso_expert_rows *v);

/* One training: experts lo .. hi - 1 on `rows`. */
typedef struct iso_expert_job {
	const iso_fit *f;
	iso_expert_nets nets;
	const iso_expert_rows *rows;
	size_t lo, hi;
	iso_bound bound;
	iso_pace pace;
	float lr;
	const double *batch; /* [k] expected batch of each expert */
	iso_entry entry;
	int capped; /* the entry is a cap that the pace is charged to (pace.h) */
} iso_expert_job;
/* steps [k] += all, drawn in proportion to the cumulative law: public randomness. */
void iso_experts_deal(iso_key key, const double *law, size_t k, uint64_t all, uint64_t *steps);
iso_status iso_experts_train(const iso_expert_job *job, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
