// SPDX-License-Identifier: Apache-2.0
/* Discrete variables under noisy marginals of any sets of them: the graphical model that best
 * explains the counts, its other marginals, and draws from it.
 *
 * Private-PGM (McKenna, Sheldon, Miklau 2019, "Graphical-model based estimation and inference for
 * differential privacy", Algorithm 2): mirror descent on one potential per measured cell, with the
 * marginals of the model by belief propagation on a junction tree.  Everything here is
 * post-processing of released counts. */
#ifndef ISO_GENERATORS_KIT_GRAPH_MODEL_H
#define ISO_GENERATORS_KIT_GRAPH_MODEL_H

#include "core/rand/rand.h"
#include "generators/kit/junction.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One measured table.  The loss is the sum of weight / 2 (model count - y)^2 over its cells. */
typedef struct iso_measured {
	iso_scope scope;
	const double *y;       /* [cells of the scope]; borrowed */
	double weight;	       /* of every cell, unless */
	const double *weights; /* [cells of the scope] one each; borrowed; NULL: all `weight` */
} iso_measured;

typedef struct iso_graph {
	size_t nvar;
	const size_t *cells; /* [nvar] borrowed: outlives the model */
	iso_junction tree;
	size_t *first;	/* [cliques + 1] offset of each clique's table */
	double *belief; /* [first[cliques]] expected counts of every clique; they agree on
			   separators */
	double *law;	/* the same as cumulative laws p(rest | separator): [separator][rest] */
	double *theta;	/* [ntheta] potentials, measured table after measured table */
	size_t ntheta;
	double total; /* number of rows that the model stands for */
	double loss;
} iso_graph;

typedef struct iso_graph_problem { /* all borrowed */
	size_t nvar;
	const size_t *cells;
	const iso_measured *set; /* [nset] */
	size_t nset;
	double total;	       /* > 0 */
	size_t iterations;     /* at most so many steps of mirror descent */
	const iso_graph *warm; /* fitted to a beginning of the list: its potentials are the start,
				  and a table that it has not seen starts at log(y / its marginal).
				  NULL: as if fitted to nothing */
	const double *theta;   /* all potentials, as an earlier fit left them; with iterations 0,
				  that fit's model again; or NULL */
} iso_graph_problem;

/* ISO_E_UNSUPPORTED when the junction tree has no finite size.  On failure *out is empty. */
iso_status iso_graph_fit(const iso_graph_problem *p, iso_graph *out, iso_error *err) ISO_MUST_CHECK;
void iso_graph_free(iso_graph *g);
/* Expected counts of any scope of at most 4 variables, inside one clique or not: out [cells]. */
iso_status iso_graph_marginal(const iso_graph *g, const iso_scope *s, double *out,
			      iso_error *err) ISO_MUST_CHECK;
/* Row i of the stream `key`: a cell of every variable. */
void iso_graph_draw(const iso_graph *g, iso_key key, uint64_t i, uint32_t *cell);

#ifdef __cplusplus
}
#endif

#endif
