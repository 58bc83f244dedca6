// SPDX-License-Identifier: Apache-2.0
/* Dense tables over sets of discrete variables: sums, products and broadcasts.
 *
 * A scope lists variables in ascending order; a table over it is row-major, the last variable
 * fastest; the table of the empty scope is one number.  cells[v] is the number of cells of variable
 * v throughout. */
#ifndef ISO_GENERATORS_KIT_FACTOR_H
#define ISO_GENERATORS_KIT_FACTOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_SCOPE_MAX 32

typedef struct iso_scope {
	uint32_t n;
	uint32_t v[ISO_SCOPE_MAX];
} iso_scope;

iso_scope iso_scope_of(size_t n, const uint32_t *v); /* any order, no repeats */
int iso_scope_has(const iso_scope *s, uint32_t v);
int iso_scope_within(const iso_scope *a, const iso_scope *b); /* a is a subset of b */
iso_scope iso_scope_meet(const iso_scope *a, const iso_scope *b);
iso_scope iso_scope_minus(const iso_scope *a, const iso_scope *b);
/* Their union; 0 (and *out is not set) when it has more than ISO_SCOPE_MAX variables. */
int iso_scope_join(const iso_scope *a, const iso_scope *b, iso_scope *out);
/* Cells of a table over the scope, as a double: it may be huge. */
double iso_scope_cells(const iso_scope *s, const size_t *cells);
/* Place of a row's cell in a table over the scope; value[v] is the cell of variable v. */
size_t iso_scope_index(const iso_scope *s, const size_t *cells, const uint32_t *value);

/* In all three `part` is within `whole`: out[part] = sum of x over the other variables;
 * x[whole] += y[part];  x[whole] *= y[part]. */
void iso_factor_sum(const size_t *cells, const iso_scope *whole, const double *x,
		    const iso_scope *part, double *out);
void iso_factor_add(const size_t *cells, const iso_scope *whole, double *x, const iso_scope *part,
		    const double *y);
void iso_factor_mul(const size_t *cells, const iso_scope *whole, double *x, const iso_scope *part,
		    const double *y);
/* out[keep] = sum over the other variables of x[a] y[b]; keep is within the union of a and b, which
 * has at most ISO_SCOPE_MAX variables. */
void iso_factor_contract(const size_t *cells, const iso_scope *a, const double *x,
			 const iso_scope *b, const double *y, const iso_scope *keep, double *out);
/* out[first][rest] = x[whole] with the variables of `first` in front. */
void iso_factor_split(const size_t *cells, const iso_scope *whole, const double *x,
		      const iso_scope *first, const iso_scope *rest, double *out);

#ifdef __cplusplus
}
#endif

#endif
