// SPDX-License-Identifier: Apache-2.0
/* Disjoint stratified splits, made before any preprocessing: train (members), hold-out
 * (non-members, test), auxiliary (attacker's). A record's part depends on (seed, its id) through
 * its rank within its label class. */
#ifndef ISO_DATA_SPLIT_H
#define ISO_DATA_SPLIT_H

#include "core/data/table.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_split {
	uint32_t *train, *holdout, *aux; /* owned: rows of the table, ascending */
	uint32_t *public_rows;		 /* rows that cost no privacy; owned */
	size_t ntrain, nholdout, naux, npublic;
} iso_split;
/* Shares of the rows (sum <= 1; the rest is unused).  Rows stay where they are drawn even when
 * equal rows stand in several parts: dropping those from one part alone would make that part the
 * rarer rows. The referee keeps shared values out of the targets of both sides (suites/referee). */
iso_status iso_split_make(const iso_table *t, uint64_t seed, double train, double holdout,
			  double aux, iso_split *out, iso_error *err) ISO_MUST_CHECK;
/* The same with a share of public rows, drawn behind the others, so that they stay as they were. */
typedef struct iso_shares {
	double train, holdout, aux, public_rows;
} iso_shares;
iso_status iso_split_shares(const iso_table *t, uint64_t seed, const iso_shares *share,
			    iso_split *out, iso_error *err) ISO_MUST_CHECK;
/* ISO_E_DATA if a row of public_rows equals a row of t: then it is not public, and what is learned
 * from it is not free. */
iso_status iso_public_check(const iso_table *t, const iso_table *public_rows,
			    iso_error *err) ISO_MUST_CHECK;

/* Deals the rows to clients: t->client and t->nclient.  Where a row goes depends on (seed, its id,
 * its label) alone, never on other rows; STRATIFIED: on its rank within its class, as a split does,
 * so the deal is made once and neighbours of the table keep it. */
typedef enum iso_partition_kind {
	ISO_PARTITION_IID,
	/* the rows of a class over the clients by proportions from Dirichlet(alpha, ..): Hsu, Qi
	 * and Brown, Measuring the effects of non-identical data distribution, 2019, section 3 */
	ISO_PARTITION_DIRICHLET,
	ISO_PARTITION_LABEL,  /* class k to client k mod n; a missing label as iid */
	ISO_PARTITION_COLUMN, /* one client per category of a discrete column without missing cells
			       */
	ISO_PARTITION_STRATIFIED /* every class in equal shares; sizes differ by one at most */
} iso_partition_kind;
typedef struct iso_partition {
	iso_partition_kind kind;
	size_t nclient;	    /* 2 to 65536; COLUMN: ignored */
	double alpha;	    /* DIRICHLET: above 0 */
	const char *column; /* COLUMN */
} iso_partition;
/* ISO_E_DATA if fewer than two clients get a row; ISO_E_CONFIG for what does not fit. */
iso_status iso_partition_make(iso_table *t, uint64_t seed, const iso_partition *p,
			      iso_error *err) ISO_MUST_CHECK;
void iso_split_free(iso_split *s);

#ifdef __cplusplus
}
#endif

#endif
