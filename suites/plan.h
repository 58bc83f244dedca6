// SPDX-License-Identifier: Apache-2.0
/* The plan of a suite: cells (data set x generator x epsilon x seed) with their keys, every
 * plug-in's check done, data loaded and split.  Called an agenda, since core/privacy calls a list
 * of releases a plan. */
#ifndef ISO_SUITES_PLAN_H
#define ISO_SUITES_PLAN_H

#include "attacks/attack.h"
#include "core/data/catalogue.h"
#include "core/data/split.h"
#include "generators/generator.h"
#include "metrics/metric.h"
#include "suites/suite.h"

/* A generator with the options it has on one data set. */
typedef struct iso_setup {
	const iso_generator *generator;
	void *options;	 /* owned */
	cJSON *resolved; /* owned */
	char *text;	 /* canonical JSON: name, version, code and options; owned */
	iso_guarantee guarantee;
	/* 1: the plan follows the free noise scale or the target epsilon, so there is one cell per
	 * epsilon; 0: one cell, epsilon infinite (non-private methods, published noise levels,
	 * data-independent controls) */
	int targeted;
	int used; /* the suite runs the generator on this data set */
} iso_setup;

typedef struct iso_attack_setup {
	const iso_attack *attack;
	const char *label;
	void *options;	 /* owned */
	cJSON *resolved; /* owned */
	char *judge;	 /* canonical JSON: kind, label, name, version, code and options; owned */
} iso_attack_setup;

typedef struct iso_metric_setup {
	const iso_metric *metric;
	const char *label;
	void *options;	 /* owned */
	cJSON *resolved; /* owned */
	char *judge;	 /* as above */
} iso_metric_setup;

/* The split of one data set by one seed. */
typedef struct iso_division {
	iso_split split;
	iso_table *public_rows; /* the share "public" or the file "public_csv"; NULL; owned */
	char public_hash[65];	/* of the file; "" without one */
	size_t *class_count; /* [classes] of the training rows; NULL without a discrete label; owned
			      */
	/* clients of the training rows, [split.ntrain] and training rows of each, [nclient]; NULL
	 * and 0 without clients; owned */
	uint32_t *client;
	size_t *client_count, nclient;
} iso_division;

/* Fills the clients of a division whose split is made: dealt as the suite says, or as the data
 * have them. */
iso_status iso_division_clients(const iso_suite_dataset *d, const iso_table *t, uint64_t seed,
				iso_division *v, iso_error *err) ISO_MUST_CHECK;

typedef struct iso_cell {
	char key[33];
	size_t dataset, generator, seed_index; /* into the suite */
	uint64_t seed;
	double epsilon; /* INFINITY when not targeted */
	double delta;
	size_t rows, keep; /* synthetic rows drawn and kept */
	/* canonical JSON: name, version, code and effective options; in the agenda's arena */
	const char *generator_text;
	const char *unsupported; /* why the method cannot take the data, in the agenda's arena; NULL
				    = it can */
	size_t rank; /* position among the sorted keys: shard i of N has the cells with rank % N ==
			i - 1 */
} iso_cell;

typedef struct iso_agenda {
	const iso_suite *suite; /* borrowed */
	iso_setup *setup;	/* [ngenerator][ndataset] */
	iso_attack_setup *attack;
	size_t nattack;
	iso_metric_setup *metric;
	size_t nmetric;
	iso_dataset **data; /* [ndataset] */
	char **data_text; /* [ndataset] canonical JSON of source, options, hash and split; owned */
	iso_division *division; /* [ndataset][nseed] */
	iso_cell *cell;		/* in run order: data set, seed, generator, epsilon */
	size_t ncell;
	iso_cell **by_key; /* [ncell] the cells, sorted by key; owned */
	iso_arena arena;
} iso_agenda;

iso_status iso_agenda_new(const iso_suite *suite, iso_agenda **out, iso_error *err) ISO_MUST_CHECK;
void iso_agenda_free(iso_agenda *a);
static inline const iso_setup *iso_agenda_setup(const iso_agenda *a, size_t generator,
						size_t dataset)
{
	return &a->setup[generator * a->suite->ndataset + dataset];
}
static inline const iso_division *iso_agenda_division(const iso_agenda *a, size_t dataset,
						      size_t seed_index)
{
	return &a->division[dataset * a->suite->nseed + seed_index];
}

/* What its generator may know before it sees data. */
iso_gen_env iso_cell_env(const iso_agenda *a, const iso_cell *c);
/* The configuration of a cell, whose hash is its key: everything that determines its training. */
iso_status iso_cell_config(const iso_agenda *a, const iso_cell *c, cJSON **out,
			   iso_error *err) ISO_MUST_CHECK;
/* The part of it that a shadow model shares: everything but data and seed. */
iso_status iso_cell_method(const iso_agenda *a, const iso_cell *c, iso_str *out,
			   iso_error *err) ISO_MUST_CHECK;
iso_status iso_cell_make_key(const iso_agenda *a, iso_cell *c, iso_error *err) ISO_MUST_CHECK;
/* The key of one attack or metric on a cell; `judge` is the setup's text. */
typedef enum iso_judge_kind { ISO_JUDGE_METRIC, ISO_JUDGE_ATTACK } iso_judge_kind;
iso_status iso_judge_key(const iso_agenda *a, const iso_cell *c, iso_judge_kind kind,
			 const char *judge, char key[33], iso_error *err) ISO_MUST_CHECK;
iso_status iso_dataset_text(const iso_suite_dataset *d, const iso_dataset *data,
			    const char *public_hash, char **out, iso_error *err) ISO_MUST_CHECK;

/* Resolved suite with the list of its cells: DIR/suite.json. */
iso_status iso_agenda_to_json(const iso_agenda *a, cJSON **out, iso_error *err) ISO_MUST_CHECK;

/* The rows of one data set under one seed's split. */
typedef struct iso_cell_rows {
	const iso_schema *schema;
	iso_table *train, *holdout, *aux; /* owned; holdout and aux may be empty */
	const iso_table *nonmembers; /* the hold-out, or the official test part when there is no
					hold-out; borrowed, or NULL */
	const iso_table *test; /* the official test part, or the hold-out; borrowed; NULL if neither
				  has rows */
	const size_t *class_count; /* of the division; borrowed */
} iso_cell_rows;
iso_status iso_cell_rows_new(const iso_agenda *a, size_t dataset, size_t seed_index,
			     iso_cell_rows *out, iso_error *err) ISO_MUST_CHECK;
void iso_cell_rows_free(iso_cell_rows *r);

/* Plug-ins with resolved options.  `where` is used in error messages.  On failure call the matching
 * free. */
iso_status iso_setup_new(const char *name, const cJSON *base, const cJSON *over, const char *where,
			 iso_setup *out, iso_error *err) ISO_MUST_CHECK;
void iso_setup_free(iso_setup *s);
/* Canonical JSON of the method with these options: its part of a cell's key; owned by the caller.
 */
iso_status iso_setup_text(const iso_setup *s, const cJSON *options, char **out,
			  iso_error *err) ISO_MUST_CHECK;
iso_status iso_attack_setup_new(const iso_suite_item *item, const char *where,
				iso_attack_setup *out, iso_error *err) ISO_MUST_CHECK;
void iso_attack_setup_free(iso_attack_setup *s);
iso_status iso_metric_setup_new(const iso_suite_item *item, const char *where,
				iso_metric_setup *out, iso_error *err) ISO_MUST_CHECK;
void iso_metric_setup_free(iso_metric_setup *s);

/* Can this setup reach epsilon at all?  Checks by the generator's own check and by its plan at both
 * ends of the scale. */
iso_status iso_setup_check(const iso_setup *s, const iso_gen_env *env,
			   iso_error *err) ISO_MUST_CHECK;
/* See iso_setup.targeted. */
int iso_setup_targeted(const iso_generator *g, iso_gen_env env);

#endif
