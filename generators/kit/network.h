// SPDX-License-Identifier: Apache-2.0
/* A Bayesian network over discrete columns: every column has a law given its parents, which come
 * before it.  Sample, save, load and describe; which parents, and where the laws come from, is the
 * method's. */
#ifndef ISO_GENERATORS_KIT_NETWORK_H
#define ISO_GENERATORS_KIT_NETWORK_H

#include "generators/kit/discrete.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_network_node {
	uint32_t x;
	iso_scope parents;
	double *law; /* [rows][n] cumulative law of x in every cell of the parents; owned */
	size_t rows, n;
} iso_network_node;

typedef struct iso_network {
	iso_discrete cols;
	size_t d, at;		/* columns; nodes so far */
	iso_network_node *node; /* [d] owned */
} iso_network;

iso_status iso_network_new(const iso_schema *s, size_t bins, iso_network **out,
			   iso_error *err) ISO_MUST_CHECK;
/* Adds column x under these parents.  count: over the scope of x and its parents (consumed: scratch
 * afterwards), clipped at zero and normalised for every cell of the parents; uniform where nothing
 * is left. */
iso_status iso_network_add(iso_network *m, uint32_t x, const iso_scope *parents, double *count,
			   iso_error *err) ISO_MUST_CHECK;

/* Slots of the descriptor; model is an iso_network. */
void iso_network_destroy(void *model);
iso_status iso_network_sample(const void *model, iso_key key, iso_table *out, iso_error *err);
iso_status iso_network_save(const void *model, iso_str *out, iso_error *err);
iso_status iso_network_describe(const void *model, cJSON *out, iso_error *err);
#define ISO_NETWORK_SLOTS \
	.sample = iso_network_sample, .destroy = iso_network_destroy, .save = iso_network_save, \
	.describe = iso_network_describe
iso_status iso_network_load(const iso_schema *s, size_t bins, const char *bytes, size_t n,
			    void **out, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
