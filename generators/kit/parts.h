// SPDX-License-Identifier: Apache-2.0
/* Parts of a saved model ("name bytes\n" and the bytes), and the running average of weights. */
#ifndef ISO_GENERATORS_KIT_PARTS_H
#define ISO_GENERATORS_KIT_PARTS_H

#include "core/base/str.h"
#include "core/nn/net.h"

#ifdef __cplusplus
extern "C" {
#endif

void iso_part_add(iso_str *out, const char *name, const void *bytes, size_t n);
typedef struct iso_parts {
	const char *p, *end;
} iso_parts;
/* The next part must have this name and size. */
iso_status iso_part_take(iso_parts *in, const char *name, void *bytes, size_t n,
			 iso_error *err) ISO_MUST_CHECK;
/* The next part whatever it is: its name in text [cap], its bytes, borrowed. */
iso_status iso_part_next(iso_parts *in, char *text, size_t cap, const void **bytes, size_t *n,
			 iso_error *err) ISO_MUST_CHECK;
/* The same for a network: one part per tensor, "NAME.w0", "NAME.b0", ... */
void iso_net_parts(iso_str *out, const char *name, const iso_net *net);
iso_status iso_net_take(iso_parts *in, const char *name, iso_net *net,
			iso_error *err) ISO_MUST_CHECK;

/* Running average of a network's weights over a horizon of `share` of all steps, sampled every 8th
 * step.  A game circles around its solution and private training walks around it at random: in both
 * the average lies nearer (Yazici et al. 2019, "The unusual effectiveness of averaging in GAN
 * training"; De et al. 2022, "Unlocking high-accuracy differentially private image classification
 * through scale", section 3).  Post-processing, so it costs nothing. */
typedef struct iso_average {
	float *mean;	/* owned; NULL = off */
	size_t n;	/* weights */
	double horizon; /* in samples */
} iso_average;
/* Of n weights that lie anywhere. */
iso_status iso_average_begin(iso_average *a, size_t n, double share, uint64_t steps,
			     iso_error *err) ISO_MUST_CHECK;
void iso_average_add(iso_average *a, const float *theta, uint64_t step);
void iso_average_end(iso_average *a, float *theta);
/* The same of a network. */
iso_status iso_average_init(iso_average *a, const iso_net *net, double share, uint64_t steps,
			    iso_error *err) ISO_MUST_CHECK; /* share 0 = off */
void iso_average_step(iso_average *a, const iso_net *net, uint64_t step);
void iso_average_finish(iso_average *a, iso_net *net); /* the network takes the average; frees */

#ifdef __cplusplus
}
#endif

#endif
