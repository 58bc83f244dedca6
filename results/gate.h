// SPDX-License-Identifier: Apache-2.0
/* The gate: is a result set worse than a baseline?
 *
 * Both sides are settings (data set, method, epsilon) with values over seeds.  What a guarantee
 * says is compared exactly: accounted epsilon (up to the tolerance of calibration), uncharged
 * looks, guarantee and status.  What was measured (attack success, utility) is a random variable:
 * per method and value, the differences over all data sets, epsilons and seeds go into one
 * signed-rank test.  If nothing changed, the two values of a pair are exchangeable, so every
 * difference is as likely as its opposite and the test is exact, whatever the distributions; a
 * method whose bytes did not change has no differences at all.  Counts of two audits at the same
 * threshold go into Fisher's exact test; an audit that finds a violation, and found none before, is
 * a failure in itself (at the false alarm rate of the audit, which its suite states).
 *
 * Family: a comparison of n differences other than zero cannot fall below p = 2^-n, and n tells
 * nothing about signs (nor do the margins of an audit's table about its cells); so those that could
 * reach their level make up the family (Tarone, Biometrics 1990), and Holm's procedure over it
 * keeps the chance of any false alarm at alpha.  The others are reported as too few.
 *
 * A pair is two values of one setting and seed; seeds that only one side has are paired in order.
 * An attack or metric that gave a value and now fails counts as the worst difference. */
#ifndef ISO_RESULTS_GATE_H
#define ISO_RESULTS_GATE_H

#include "results/record.h"

#define ISO_GATE_ALPHA 1e-3
/* Calibration puts epsilon into [target * (1 - this), target]. */
#define ISO_GATE_EPSILON_TOLERANCE 1e-3
#define ISO_GATE_FORMAT 1

/* One side.  Zero-initialise. */
typedef struct iso_gate_side {
	cJSON *doc; /* {"isoeps_baseline", "suite", "settings": [..]}; owned */
	int all;    /* take: keep every value that has a direction, not only the headlines */
} iso_gate_side;
/* Adds a record (light or whole); in the order of an index, so that the records of a setting follow
 * one another.  ISO_E_DATA for records that cannot be averaged although they bear one name. */
iso_status iso_gate_take(iso_gate_side *s, const cJSON *record, iso_error *err) ISO_MUST_CHECK;
/* The file of a baseline.  `run`: what may differ between two correct ones (date, machine, build);
 * stands behind the digest.  Taken over. */
iso_status iso_gate_write(const iso_gate_side *s, const char *path, cJSON *run,
			  iso_error *err) ISO_MUST_CHECK;
/* ISO_E_DATA for a file that is not a baseline or was changed by hand. */
iso_status iso_gate_read(const char *path, iso_gate_side *out, iso_error *err) ISO_MUST_CHECK;
void iso_gate_side_free(iso_gate_side *s);

typedef enum iso_gate_outcome {
	ISO_GATE_PASS,
	ISO_GATE_FAIL,	 /* worse than the baseline */
	ISO_GATE_TOO_FEW /* not worse as far as so few differences can show */
} iso_gate_outcome;

typedef struct iso_gate_check { /* texts in the result's arena */
	const char *method;	/* label */
	const char *where;	/* "wdbc, epsilon 1" of an exact check; "" = all settings */
	const char *name;	/* "accounted_epsilon", "gan-leaks.auc" */
	const char *kind;	/* "privacy", "attack", "metric", "audit" */
	const char *why;	/* one sentence on what failed; "" = nothing */
	iso_gate_outcome outcome;
	int exact;
	double before, now; /* exact: the values; else means over the pairs that have numbers */
	size_t pairs, differ;
	double p, adjusted; /* one-sided; Holm-adjusted; 1 outside of the family */
	double least;	    /* the smallest p that the differences, or the margins, allow */
	const cJSON *audit; /* the baseline's test of an audit, borrowed; NULL */
	/* The smallest change for the worse in all pairs that would fail if the method were run
	 * anew: from the baseline's spread over seeds, at alpha over all tests.  NaN = unknown,
	 * infinite = none. */
	double visible;
} iso_gate_check;

typedef struct iso_gate_refusal {
	iso_status code; /* ISO_E_CHECK, ISO_E_CONFIG or ISO_E_DATA */
	const char *text;
} iso_gate_refusal;

typedef struct iso_gate_result {
	double alpha;
	iso_gate_check *check; /* owned */
	size_t n, cap;
	iso_gate_refusal *refusal; /* owned; any: nothing was compared */
	size_t nrefusal, refusal_cap;
	size_t failed, too_few, tests, family;
	size_t added; /* settings that the baseline does not have */
	iso_arena arena;
} iso_gate_result;

/* What the caller found out about the records before the comparison (of a zeroed result):
 * ISO_E_CHECK for records whose numbers do not hold, ISO_E_CONFIG or ISO_E_DATA for what cannot be
 * compared. */
iso_status iso_gate_refuse(iso_gate_result *r, iso_status code, iso_error *err, const char *fmt,
			   ...) ISO_PRINTF(4, 5) ISO_MUST_CHECK;
/* Refuses records whose promise was not verified, and refuted ones of a baseline; refuted results
 * are failures of the comparison. */
iso_status iso_gate_promises(const iso_gate_side *s, int baseline, iso_gate_result *out,
			     iso_error *err) ISO_MUST_CHECK;
/* Compares all of the baseline; differences of data, split, epsilon, options or seeds are refusals.
 * ISO_OK also when the gate fails or refuses: see the result. */
iso_status iso_gate_compare(const iso_gate_side *baseline, const iso_gate_side *now, double alpha,
			    iso_gate_result *out, iso_error *err) ISO_MUST_CHECK;
void iso_gate_result_free(iso_gate_result *r);
/* 0 green, 1 worse, 2 or 3 refused. */
int iso_gate_exit(const iso_gate_result *r);

void iso_gate_text(const iso_gate_result *r, int every, iso_str *out);
iso_status iso_gate_json(const iso_gate_result *r, cJSON **out, iso_error *err) ISO_MUST_CHECK;
/* JUnit XML as Jenkins, GitLab and Ant read it: a suite per method, a case per comparison, refusals
 * as errors.  `name`: of the suite of the results; `when`: "2026-01-31T12:00:00". */
void iso_gate_junit(const iso_gate_result *r, const char *name, const char *when, iso_str *out);

#endif
