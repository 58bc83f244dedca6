// SPDX-License-Identifier: Apache-2.0
/* verify: does private data flow around the ledger?  (design section 3, docs/privacy.md)
 *
 * A generator is trained on D while every release is recorded, then on neighbours D' with the
 * recorded releases given back. Then (a) the aggregate of every call may differ by its declared
 * sensitivity at most, and (b) everything that leaves must be the same, bit for bit: the bytes of
 * save, rows under several keys, describe, the training curve, score, log_density, encode and
 * decode on fixed probes (which hold the differing records), error texts, and what was written to
 * standard output and error.  Beside it: blind runs (only noise leaves the mechanisms, so any table
 * must give the same bytes), ordinary trainings (watched or not: the same bytes), the law of the
 * recorded noise, of the realised batches, and the ledger against its target.
 *
 * Every training has a process of its own, sealed (suites/flow/isolate.h) unless it is an ordinary
 * one.  The number of rows n (and class counts, if given) is public: env keeps those of D.
 */
#ifndef ISO_SUITES_FLOW_VERIFY_H
#define ISO_SUITES_FLOW_VERIFY_H

#include "core/privacy/replay.h"
#include "suites/flow/train.h"

typedef enum iso_check {
	ISO_CHECK_SENSITIVITY,	/* a call's aggregate moved further than declared */
	ISO_CHECK_CONTROL_FLOW, /* the calls themselves depended on a record */
	ISO_CHECK_INCLUSION,	/* a sampled call moved without the record in its batch */
	ISO_CHECK_PARTITION,	/* parallel parts share a record */
	ISO_CHECK_OUTPUT,	/* something that leaves (below) differs under frozen releases */
	ISO_CHECK_BLIND,	/* it differs although only noise left the mechanisms */
	ISO_CHECK_ORDINARY,	/* a training that nobody watches, or that follows another in its
				   process, gives other bytes than the recorded one */
	ISO_CHECK_ISOLATION,	/* a training reached for files, the network or other processes */
	ISO_CHECK_NOISE, /* chi-square of released minus aggregate against the declared scale; reuse
			    of noise */
	ISO_CHECK_SAMPLING, /* realised batches against Binomial(n T, q) */
	ISO_CHECK_LEDGER,   /* ledger against plan and target, nothing uncharged */
	ISO_CHECK_COUNT
} iso_check;
const char *iso_check_name(iso_check c); /* "sensitivity", "control-flow", ... */

typedef struct iso_check_result {
	size_t runs; /* how often it was tried */
	size_t failed;
	char what[256]; /* the first failure, or a remark on how it went */
	double value;	/* worst ratio, smallest p-value, epsilon; NaN = none */
} iso_check_result;

typedef struct iso_verdict {
	int flows;   /* 1: private data flow around the ledger (exit status 1) */
	int refused; /* the training on D was stopped by the ledger: nothing else was tried */
	iso_guarantee guarantee;
	double epsilon, target; /* spent by the ledger (+inf when uncharged), and asked for */
	double scale;
	size_t rows, pairs, calls,
		numbers; /* rows of D; neighbours tried; recorded calls; numbers released */
	iso_check_result check[ISO_CHECK_COUNT];
	size_t tables, trainings; /* tables D tried; trainings in all */
	char skipped[256];	  /* what was not tried and why, "" = all was */
} iso_verdict;

typedef struct iso_verify_request {
	const iso_generator *generator;
	const void *options;   /* resolved */
	const iso_table *data; /* D is made of its rows */
	/* under the schema of data; NULL: for a method that requires public rows, 64 rows that are
	 * drawn over the public domain and know no data */
	const iso_table *public_rows;
	int public_classes; /* give env the class counts */
	double epsilon, delta;
	iso_adjacency adjacency;
	iso_accountant accountant;
	uint64_t seed;
	size_t pairs; /* neighbours of the natural table; 0 = ISO_VERIFY_PAIRS; other tables have
			 a fixed number */
	const void *full_options; /* NULL, or the user's own options, where `options` were made
				     small: one table is tried with them */
	int quick;    /* the natural table and the lone class alone (tests of single checks) */
	int thorough; /* more seeds, rows and neighbours, and no limit on full_options: minutes */
} iso_verify_request;
#define ISO_VERIFY_PAIRS 24
/* Longest training with full_options that the default tier waits for, in seconds of processor time.
 */
#define ISO_VERIFY_PATIENCE 1
#define ISO_VERIFY_ROWS 200
/* One-sided false-alarm probability of each statistical check. */
#define ISO_VERIFY_ALPHA 5e-7

iso_status iso_verify(const iso_verify_request *r, iso_verdict *out, iso_error *err) ISO_MUST_CHECK;

/* Hidden layers are at most so wide in a verification. */
#define ISO_VERIFY_WIDTH 128
/* Makes a verification of seconds out of options meant for minutes: `values` (a cJSON object,
 * changed in place) gets smaller steps, epochs and batch, and hidden layers of at most
 * ISO_VERIFY_WIDTH units, where the table has such options and values does not name them; note =
 * "steps=20 batch=32". */
iso_status iso_verify_shrink(const iso_generator *g, cJSON *values, iso_str *note,
			     iso_error *err) ISO_MUST_CHECK;

/* ------------------------------------------------------------------ parts, for verify*.c and their
 * tests */

typedef enum iso_pair_op { ISO_PAIR_REMOVE, ISO_PAIR_ADD, ISO_PAIR_REPLACE } iso_pair_op;
typedef struct iso_pair {
	char name[64];
	iso_pair_op op;
	size_t row;	   /* removed or replaced */
	iso_table *record; /* one row: added, or the replacement; owned */
} iso_pair;
/* A table D and its neighbours. */
typedef struct iso_world {
	const char *name;
	iso_table *base;     /* owned */
	size_t *class_count; /* of base; owned; NULL without classes */
	iso_pair *pair;	     /* owned */
	size_t npair, cap;
} iso_world;
/* D with a duplicate and an absent category, and the neighbours; n pairs. */
iso_status iso_world_natural(const iso_table *data, uint64_t seed, size_t n, iso_world *out,
			     iso_error *err) ISO_MUST_CHECK;
/* D with one record alone in its class; npair = 0 when the schema has fewer than two classes. */
iso_status iso_world_lone_class(const iso_table *data, iso_world *out,
				iso_error *err) ISO_MUST_CHECK;
/* Tables on which rare leaks show, with n neighbours each. */
typedef enum iso_oddity {
	ISO_WORLD_CONSTANT, /* every row the same */
	ISO_WORLD_TIED,	    /* every column takes two values */
	ISO_WORLD_LARGE	    /* 1,300 rows */
} iso_oddity;
iso_status iso_world_odd(const iso_table *data, iso_oddity what, uint64_t seed, size_t n,
			 iso_world *out, iso_error *err) ISO_MUST_CHECK;
void iso_world_free(iso_world *w);
iso_status iso_pair_apply(const iso_world *w, const iso_pair *p, iso_table **out,
			  iso_error *err) ISO_MUST_CHECK;
/* A table of n records with ids of `like` (then following ones) that has nothing to do with any
 * data. */
iso_status iso_world_random(const iso_table *like, uint64_t seed, size_t n, iso_table **out,
			    iso_error *err) ISO_MUST_CHECK;

/* Statistics of a recording. */
void iso_verify_noise(const iso_replay *r, const iso_plan *items, iso_check_result *out);
void iso_verify_sampling(const iso_replay *r, const iso_plan *items, size_t rows,
			 iso_check_result *out);

/* The last ledger that was accounted for: the seeds of a suite share theirs. */
typedef struct iso_ledger_memo {
	iso_str text; /* ledger, delta and adjacency */
	iso_epsilons e;
	size_t n, uncharged; /* events, uncharged entries */
} iso_ledger_memo;
void iso_ledger_memo_free(iso_ledger_memo *m);
/* Recomputes the epsilon of one record (parsed) from its stored ledger alone; ISO_E_CHECK names
 * what differs, ISO_E_DATA a malformed record.  accounted = the recomputed bound of the calibrating
 * accountant.  memo: NULL or zero-initialised. */
iso_status iso_verify_record(const cJSON *record, iso_ledger_memo *memo, double *accounted,
			     iso_error *err) ISO_MUST_CHECK;

/* Public rows for a method that cannot run without: drawn over the domain, the same every time. */
iso_status iso_verify_open_rows(const iso_schema *s, iso_table **out,
				iso_error *err) ISO_MUST_CHECK;

#endif
