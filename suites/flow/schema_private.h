// SPDX-License-Identifier: Apache-2.0
/* A schema from private rows, through the ledger (`schema infer --private`, and "schema":
 * {"private": ..} in a suite).
 *
 * Public: the header line, the number of rows, the separator and the decimal sign, what the user
 * says of a column.  Of every other column three things are released, each cell of the file by
 * itself deciding what it is:
 *   1. a noisy histogram of missing, whole, fractional and text cells (Laplace, 0.2 of the column's
 *      epsilon), from which the type follows;
 *   2. bounds by the exponential mechanism on a grid of powers of two (numbers), or the categories
 *      whose noisy count passes a threshold (core/privacy/mechanism.h), for the remaining 0.8 and
 *      for the column's delta.
 * The columns share epsilon and delta evenly, by basic composition.  Which of the two mechanisms a
 * column gets follows from its noisy histogram; so that the account does not depend on it, the
 * schema states the worse of the two, (0.8 epsilon / d, delta / d) for each of d columns. */
#ifndef ISO_SUITES_FLOW_SCHEMA_PRIVATE_H
#define ISO_SUITES_FLOW_SCHEMA_PRIVATE_H

#include "core/data/schema.h"
#include "core/privacy/ledger.h"

/* What is publicly known of a column. */
typedef struct iso_column_hint {
	const char *name, *type; /* continuous, integer, categorical or id */
} iso_column_hint;

typedef struct iso_private_schema {
	const char *csv;   /* path */
	const char *label; /* NULL: the first column that is called like one */
	iso_csv_format format;
	const iso_column_hint *hint; /* [nhint] */
	size_t nhint;
	double epsilon, delta;
	iso_adjacency adjacency;
	uint64_t seed; /* not used in secure mode */
	int secure;
} iso_private_schema;

/* *out owned by the caller; its member `release` says what was paid.  notes: one line for every
 * choice, made of released things only. */
iso_status iso_schema_infer_private(const iso_private_schema *request, iso_schema **out,
				    iso_str *notes, iso_error *err) ISO_MUST_CHECK;

/* The entries that a training under the schema has to plan; nothing without such a release.
 * ISO_E_CONFIG when the release is of another adjacency. */
iso_status iso_schema_plan(const iso_schema *s, iso_adjacency adjacency, iso_plan *plan,
			   iso_error *err) ISO_MUST_CHECK;

#endif
