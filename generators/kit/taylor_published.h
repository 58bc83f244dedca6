// SPDX-License-Identifier: Apache-2.0
/* The auto-encoder of dPA as its authors released it: NOT private.  One noise vector is drawn and
 * added to every code; then the weights are trained on the raw rows. */
#ifndef ISO_GENERATORS_KIT_TAYLOR_PUBLISHED_H
#define ISO_GENERATORS_KIT_TAYLOR_PUBLISHED_H

#include "generators/generator.h"
#include "generators/kit/parts.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_taylor_published {
	size_t in, code;
	float *w, *c, *e; /* [d][b] shared by encoder and decoder, [b], [d]; owned */
	double *mean;	  /* [b] of the codes of the training rows, owned */
	double *chol;	  /* [b][b] factor of their covariance, owned */
} iso_taylor_published;

iso_status iso_taylor_published_new(size_t in, size_t code, iso_taylor_published *t,
				    iso_error *err) ISO_MUST_CHECK;
void iso_taylor_published_free(iso_taylor_published *t);
/* L1 sensitivity that the released code claims: d (b + b^2 / 4). */
double iso_taylor_published_bound(size_t in, size_t code);
/* Trains on x [n][in]; z [b] is the noise of the codes. */
iso_status iso_taylor_published_fit(iso_taylor_published *t, const iso_fit *f, const float *x,
				    const double *z, iso_error *err) ISO_MUST_CHECK;
/* A row u [in] in [0,1] from a Gaussian code. */
void iso_taylor_published_draw(const iso_taylor_published *t, iso_key key, uint64_t row, float *u);
void iso_taylor_published_save(iso_str *out, const iso_taylor_published *t);
iso_status iso_taylor_published_take(iso_parts *in, iso_taylor_published *t,
				     iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
