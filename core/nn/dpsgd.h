// SPDX-License-Identifier: Apache-2.0
/* One private gradient step: draw the Poisson batch, run the caller's forward and backward, clip
 * every record's gradient (over all parts together), sum, add noise, book - one call.
 *
 * Abadi et al. 2016, Algorithm 1; norms by book-keeping (Bu et al. 2023, "Differentially private
 * optimization on large model at small cost"): a per-example gradient is never materialised.  The
 * released vector is the concatenation of the parts' gradients.
 */
#ifndef ISO_NN_DPSGD_H
#define ISO_NN_DPSGD_H

#include "core/nn/net.h"
#include "core/privacy/ledger.h"

#define ISO_MAX_PARTS 4
typedef struct iso_dpsgd_part {
	iso_net *net;	/* borrowed */
	iso_ws *ws;	/* borrowed, norms = 1 */
	iso_optim *opt; /* borrowed; updated inside the step (post-processing), or NULL: grad is
			   left for the caller */
} iso_dpsgd_part;

typedef struct iso_dpsgd {
	iso_ledger *ledger; /* borrowed; NULL = not private: same batches, no clipping, no noise,
			       nothing booked */
	int handle;	    /* planned entry (iso_ledger_find) */
	iso_key batch_key; /* used only when ledger is NULL; under a ledger the core draws the batch
			      itself */
	double rate;	   /* q; must equal the entry's */
	const uint64_t *id; /* [n] record identities of the private rows, borrowed */
	size_t n;
	size_t rows_per_record; /* m: rows of the workspaces per record (2 = real and fake under one
				   clip) */
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
	uint32_t *batch; /* [n] */
	float *scale;	 /* [chunk * rows_per_record] */
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

#endif
