// SPDX-License-Identifier: Apache-2.0
/* Discrete variables on a forest: the graphical model that best explains noisy one- and two-way
 * counts, and draws from it.
 *
 * Private-PGM (McKenna, Sheldon, Miklau 2019, "Graphical-model based estimation and inference for
 * differential privacy", Algorithm 2) on a model whose cliques are the edges of a forest: mirror
 * descent on the potentials, with marginals by belief propagation.  Everything here is
 * post-processing of released counts. */
#ifndef ISO_GENERATORS_KIT_TREE_MODEL_H
#define ISO_GENERATORS_KIT_TREE_MODEL_H

#include <stddef.h>

#include "core/base/status.h"

typedef struct iso_tree_edge {
	size_t a, b;	 /* variables */
	const double *y; /* [cells[a]][cells[b]] measured counts; borrowed */
	double weight;	 /* of its squared error */
} iso_tree_edge;

typedef struct iso_tree_problem { /* all borrowed */
	size_t nvar, nedge;
	const size_t *cells;	   /* [nvar] */
	const double *y, *weight;  /* one-way counts and weights, variable after variable */
	const iso_tree_edge *edge; /* [nedge] a forest: ISO_E_INTERNAL if they close a circle */
	double total;		   /* number of rows that the model stands for, > 0 */
	size_t iterations;	   /* at most so many steps of mirror descent */
} iso_tree_problem;

typedef struct iso_tree_model {
	size_t nvar;
	size_t *cells;	/* [nvar] */
	size_t *order;	/* [nvar] a variable comes after its parent */
	size_t *parent; /* [nvar] or SIZE_MAX at a root */
	size_t *first;	/* [nvar] offset of its table in `law` */
	double *law;	/* p(child | parent) as [cells[parent]][cells[child]]; p(root) as [cells] */
	double loss;	/* sum of weight / 2 (mu - y)^2 at the end */
} iso_tree_model;

/* On failure *out is empty.  Free with iso_tree_free. */
iso_status iso_tree_fit(const iso_tree_problem *p, iso_tree_model *out,
			iso_error *err) ISO_MUST_CHECK;
void iso_tree_free(iso_tree_model *m);
/* Row of p(variable | cell of its parent): [cells[variable]]; pcell is ignored at a root. */
const double *iso_tree_law(const iso_tree_model *m, size_t variable, size_t pcell);

#endif
