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
	/* scratch, owned */
	iso_grad_source source[ISO_MAX_PARTS]; /* of the parts */
	uint32_t *batch;		       /* [n] */
	float *scale;			       /* [chunk * rows_per_record] */
	float *flat; /* [total P], used when several parts or a replay need one contiguous release
		      */
	uint64_t step;
	size_t last_batch;    /* records in the last batch; private: for tests only */
	double clipped_share; /* private: for tests only */
} iso_dpsgd;

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
