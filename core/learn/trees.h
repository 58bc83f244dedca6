// SPDX-License-Identifier: Apache-2.0
/* Decision trees on histograms: every column is cut into at most 64 cells between distinct values
 * of the training rows, a split is the cell border that most reduces the impurity (Gini of classes,
 * variance of a target: both maximise sum_k S_k^2 / W over the two sides).  Forests, bagging and
 * boosting are loops over it. */
#ifndef ISO_LEARN_TREES_H
#define ISO_LEARN_TREES_H

#include "core/learn/classifier.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_TREE_BINS 64

typedef struct iso_binned {
	size_t n, d;
	uint8_t *code;	/* [d][n] owned */
	float *border;	/* [d][ISO_TREE_BINS] owned: x <= border[b] belongs to cell b or below */
	uint8_t *ncell; /* [d] owned */
} iso_binned;
iso_status iso_binned_new(const float *x, size_t n, size_t d, iso_binned *out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_binned_free(iso_binned *b);

typedef struct iso_dtree_node {
	uint32_t feature;
	float border;	      /* x <= border: left */
	uint32_t left, right; /* 0: a leaf */
} iso_dtree_node;
typedef struct iso_dtree {
	iso_dtree_node *node; /* owned [n] */
	double *value;	      /* owned [n][k]: means of the rows in the node */
	size_t n, cap, value_cap, k;
} iso_dtree;

typedef struct iso_dtree_config {
	size_t k;	   /* classes, or 1 with `target` */
	const uint32_t *y; /* classes; or NULL */
	const double *target;
	size_t features;  /* drawn anew for every node; 0 = all */
	size_t depth;	  /* at most; 0 = 64 */
	size_t least;	  /* rows in a leaf, counted with their weights */
	uint32_t *weight; /* [n] how often each row counts */
	uint32_t *leaf;	  /* [n] or NULL: gets the leaf of each row of positive weight */
} iso_dtree_config;
iso_status iso_dtree_grow(const iso_binned *b, const iso_dtree_config *c, iso_stream *s,
			  iso_dtree *out, iso_error *err) ISO_MUST_CHECK;
void iso_dtree_free(iso_dtree *t);
/* The leaf of a row x [d]. */
size_t iso_dtree_leaf(const iso_dtree *t, const float *x);
/* Those of the rows x [n][d]. */
void iso_dtree_leaves(const iso_dtree *t, const float *x, size_t d, size_t n, uint32_t *leaf);

#ifdef __cplusplus
}
#endif

#endif
