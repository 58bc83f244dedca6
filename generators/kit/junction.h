// SPDX-License-Identifier: Apache-2.0
/* Junction trees: the cliques that a graphical model over given sets of variables needs.
 *
 * The sets are joined to a graph, the graph is triangulated by eliminating variables in the order
 * of fewest new edges ("min-fill"; Koller and Friedman 2009, section 9.4.3.2), and the maximal
 * cliques hang together along a spanning tree of the largest separators (section 10.4.2).  A
 * variable that is in no set is a clique of its own. */
#ifndef ISO_GENERATORS_KIT_JUNCTION_H
#define ISO_GENERATORS_KIT_JUNCTION_H

#include "core/base/status.h"
#include "generators/kit/factor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_junction {
	size_t n;	   /* cliques; a clique comes after its parent, clique 0 is the root */
	iso_scope *clique; /* [n] owned */
	iso_scope *sep;	   /* [n] what it shares with its parent, maybe nothing; owned */
	size_t *parent;	   /* [n] SIZE_MAX at the root; owned */
	double total; /* cells of all cliques; INFINITY: a clique has more than ISO_SCOPE_MAX - 4
			 variables, and then there are no cliques */
} iso_junction;

/* set [nset] over variables below nvar.  On failure *out is empty. */
iso_status iso_junction_new(const size_t *cells, size_t nvar, const iso_scope *set, size_t nset,
			    iso_junction *out, iso_error *err) ISO_MUST_CHECK;
void iso_junction_free(iso_junction *j);
/* The first clique that holds the whole scope, or SIZE_MAX. */
size_t iso_junction_host(const iso_junction *j, const iso_scope *s);

#ifdef __cplusplus
}
#endif

#endif
