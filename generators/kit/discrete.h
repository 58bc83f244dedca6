// SPDX-License-Identifier: Apache-2.0
/* A table as discrete variables: the public layout of its columns, rows as codes, counts of any set
 * of columns, and cells back to values.  Numbers are cut into equal bins of their public bounds. */
#ifndef ISO_GENERATORS_KIT_DISCRETE_H
#define ISO_GENERATORS_KIT_DISCRETE_H

#include "core/privacy/mechanism.h"
#include "generators/generator.h"
#include "generators/kit/factor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_discrete {
	const iso_schema *schema; /* borrowed: public */
	size_t bins;
	iso_binning bin; /* layout, without rows; variable j of a scope is its code j; owned */
	size_t label;	 /* code of a label column, or SIZE_MAX */
} iso_discrete;

/* On failure *out is empty.  Features and label; no pixels. */
iso_status iso_discrete_new(const iso_schema *s, size_t bins, iso_discrete *out,
			    iso_error *err) ISO_MUST_CHECK;
void iso_discrete_free(iso_discrete *d);
/* PRIVATE: the rows of t as codes, to be freed with iso_binning_free. */
iso_status iso_discrete_rows(const iso_discrete *d, const iso_table *t, iso_binning *out,
			     iso_error *err) ISO_MUST_CHECK;
/* PRIVATE: rows [n] in every cell of the table over `scope`; cells [ncode] sizes of the codes. */
void iso_discrete_count(const iso_binning *rows, size_t n, const size_t *cells,
			const iso_scope *scope, double *out);
/* The same counts, released under `entry` as a histogram of one cell per row (sensitivity 1). */
iso_status iso_discrete_release(const iso_binning *rows, size_t n, const size_t *cells,
				const iso_scope *scope, iso_ledger *l, iso_entry entry, double *out,
				iso_error *err) ISO_MUST_CHECK;
/* Writes the value of code j, drawn inside its bin, into row i. */
void iso_discrete_put(const iso_discrete *d, iso_key key, iso_table *out, size_t i, size_t j,
		      size_t code);
/* "age - income": the columns of a scope, for descriptions. */
void iso_discrete_name(const iso_discrete *d, const iso_scope *scope, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
