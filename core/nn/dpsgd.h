// SPDX-License-Identifier: Apache-2.0
/* One private gradient step: draw the Poisson batch, run the caller's forward and backward, clip
 * every record's gradient (over all parts together), sum, add noise, book - one call.
 *
 * Abadi et al. 2016, Algorithm 1; norms by book-keeping (Bu et al. 2023, "Differentially private
 * optimization on large model at small cost"): a per-example gradient is never materialised.  The
 * released vector is the concatenation of the parts' gradients.
 *
 *     iso_dpsgd s = {.ledger = fit->ledger, .rate = q, .id = train->id, .n = train->n, .chunk = 64,
 *                    .clip = 1, .normaliser = batch, .nparts = 1, .part = {{net, ws, &adam}}};
 *     ISO_TRY(iso_ledger_find(fit->ledger, "disc-step", 0, &s.handle, err));
 *     ISO_TRY(iso_dpsgd_init(&s, err));
 *     for (...)  ISO_TRY(iso_dpsgd_step(&s, rows, ctx, err));
 *
 * where rows() encodes the records, runs iso_net_forward, fills iso_ws_delta and runs
 * iso_net_backward.
 */
#ifndef ISO_NN_DPSGD_H
#define ISO_NN_DPSGD_H

#include "core/nn/net.h"
#include "core/privacy/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Anything whose per-record gradients can be bounded and summed: a network, an RBM, a logistic
 * model, the statistics of an EM step.  The closure of a step leaves the records' rows in it,
 * record r's at r m .. r m + m - 1. */
typedef struct iso_grad_source {
	void *self;			  /* borrowed */
	size_t nparam;			  /* P */
	float *theta;			  /* [P] borrowed; NULL if no optimiser is used */
	float *grad;			  /* [P] borrowed: the sum, then its noisy release */
	size_t (*rows)(const void *self); /* rows that the closure left behind */
	/* norm2[r] (+)= squared L2 norm of the record's gradient, r < rows / m; never below the
	 * true value, rounding included; NaN or infinity leave the record out. */
	void (*norms2)(void *self, size_t m, int beta, float *norm2);
	/* grad (+)= sum over rows of scale[row] (1 where scale is NULL) times its gradient.  A row
	 * with scale 0 is left out, whatever it holds. */
	void (*weighted_grad)(void *self, const float *scale, int beta, float *grad);
} iso_grad_source;

#define ISO_MAX_PARTS 4
typedef struct iso_dpsgd_part {
	iso_net *net;	/* borrowed */
	iso_ws *ws;	/* borrowed, with ISO_WS_NORMS */
	iso_optim *opt; /* borrowed; updated inside the step (post-processing), or NULL: grad is
			   left for the caller */
	const iso_grad_source *source; /* borrowed; instead of net and ws, which are NULL then */
} iso_dpsgd_part;

/* Term-wise aggregation (Takahashi et al. 2020, arXiv:2006.11204).  A term of the loss that couples
 * the records of a batch (a divergence between their codes and a prior) has no gradient per record,
 * but its gradient is a function h of the whole batch: clipped as ONE vector to C2, any two batches
 * differ by at most 2 C2, however many records they have.  The step then releases the records'
 * clipped sum G and h together, on one Poisson sample, as the vector
 *
 *     (sqrt(1 - share) G,  sqrt(share) h C / (2 C2)),   L2 sensitivity C,
 *
 * so one Gaussian of multiplier s pays for both: G has the multiplier s / sqrt(1 - share), h (of
 * sensitivity 2 C2) has s / sqrt(share).  The optimiser sees G / normaliser + h. */
typedef struct iso_batch_term {
	/* h at positions rec[0..n-1] into out [parameters of the part], after the records' sum was
	 * taken: the workspaces are free.  NULL: no such term. */
	iso_status (*grad)(void *ctx, const uint32_t *rec, size_t n, uint64_t step, float *out,
			   iso_error *err);
	size_t part;  /* whose parameters it moves */
	float clip;   /* C2 */
	double share; /* in (0, 1): of the step's 1 / multiplier^2 */
} iso_batch_term;

typedef struct iso_dpsgd {
	iso_ledger *ledger; /* borrowed; NULL = not private: same batches, no clipping, no noise,
			       nothing booked */
	int handle;	    /* planned entry (iso_ledger_find); an adaptive one is charged
			     * (iso_ledger_spend) before init */
	iso_key batch_key; /* used only when ledger is NULL; under a ledger the core draws the batch
			      itself */
	double rate;	   /* q; must equal the entry's */
	const uint64_t *id; /* [n] record identities of the private rows, borrowed */
	size_t n;
	size_t rows_per_record; /* m: rows of the workspaces per record (2 = real and fake under one
				   clip, one or two more with a gradient penalty: penalty.h) */
	size_t chunk; /* records per call of the closure; larger batches are processed in pieces */
	float clip;   /* C: L2 bound of a record's gradient; ignored when not private */
	float normaliser; /* the optimiser sees sum / normaliser; a public constant (expected
			     batch), not the real one */
	size_t nparts;
	iso_dpsgd_part part[ISO_MAX_PARTS];
	/* added to the released sum before the optimiser, from public data only: [P of part p] or
	 * NULL (fakes) */
	const float *public_grad[ISO_MAX_PARTS];
	iso_batch_term term;
	/* M > 0: the gradients of the records of a batch may depend on each other, and at most the
	 * first M records take part.  One record more may then move M clipped gradients: the step
	 * declares 2 M clip.  The closure gets the whole batch: chunk >= M. */
	size_t coupled;
	/* scratch, owned */
	iso_grad_source source[ISO_MAX_PARTS]; /* of the parts */
	uint32_t *batch;		       /* [n] */
	float *scale;			       /* [chunk * rows_per_record] */
	float *flat; /* [total P, and of the term], when one contiguous release is needed */
	uint64_t step;
	size_t last_batch;    /* records in the last batch; private: for tests only */
	double clipped_share; /* private: for tests only */
} iso_dpsgd;

/* What a step declares: C, or 2 M C. */
double iso_dpsgd_sensitivity(const iso_dpsgd *s);
/* The term's share of the step at which the noise in G / normaliser + h is least: noise variances
 * add up to s^2 ((C/B)^2 / (1 - share) + (2 C2)^2 / share), smallest at 2 C2 / (C/B + 2 C2). */
double iso_batch_term_share(double clip, double normaliser, double term_clip);

/* Fill the public fields first; allocates the scratch. */
iso_status iso_dpsgd_init(iso_dpsgd *s, iso_error *err) ISO_MUST_CHECK;
void iso_dpsgd_deinit(iso_dpsgd *s);

/* Forward and backward of every part on the records at positions rec[0..n-1] (positions into id),
 * leaving activations and deltas in the workspaces: record r's rows at r*m .. r*m+m-1.  May not
 * keep anything about the records. */
typedef iso_status (*iso_rows_fn)(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
				  iso_error *err);

/* Also an empty batch releases noise: the event is the same. */
iso_status iso_dpsgd_step(iso_dpsgd *s, iso_rows_fn rows, void *ctx, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
