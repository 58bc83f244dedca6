// SPDX-License-Identifier: Apache-2.0
/* audit: a lower bound on epsilon that holds with probability 1 - alpha, from many trainings
 * (attacks.md section 10, docs/privacy.md).
 *
 * OUT runs train on a table, IN runs on the same table with the target (added, or in place of its
 * last row).  Every run has fresh noise; a run that fails is an outcome with the lowest score.
 * Three statistics, each a test of its own that gets an equal share of alpha: rows      black box:
 * synthetic rows that look like the target score     white box: score (else log_density) of the
 * target releases  all noisy sums, counts and votes ("gradient canary", "vote canary"), against
 * what they would be without and with the target: their log-likelihood ratio along the run's own
 * trajectory.  Calls on a Poisson sample are left out, since the coins are secret.
 */
#ifndef ISO_SUITES_FLOW_AUDIT_H
#define ISO_SUITES_FLOW_AUDIT_H

#include "suites/flow/audit_bounds.h"
#include "suites/flow/train.h"

typedef enum iso_threshold {
	ISO_THRESHOLD_HOLD_OUT, /* a third of the runs choose it, the others are judged */
	ISO_THRESHOLD_FIXED,	/* from theory: any occurrence; likelihood ratio 1; not for score */
	ISO_THRESHOLD_BONFERRONI /* 19 quantiles of all runs, both ways round, each with a 38th of
				    alpha */
} iso_threshold;

typedef enum iso_audit_verdict {
	ISO_AUDIT_VIOLATION,	/* the claim is refuted */
	ISO_AUDIT_TIGHT,	/* the bound, for Gaussian claims the GDP bound, reaches 80 % of the
				   accounted epsilon */
	ISO_AUDIT_SATURATED,	/* a perfect attack: the number of runs is what limits the bound */
	ISO_AUDIT_UNDERPOWERED, /* not even a perfect attack could refute the claim */
	ISO_AUDIT_LOOSE		/* the runs would have shown more if it were there to be seen */
} iso_audit_verdict;
const char *iso_audit_verdict_name(iso_audit_verdict v);

typedef enum iso_statistic {
	ISO_STAT_ROWS,
	ISO_STAT_SCORE,
	ISO_STAT_RELEASES,
	ISO_STAT_COUNT
} iso_statistic;
const char *iso_statistic_name(iso_statistic s);

typedef struct iso_audit_test {
	int applies; /* the generator has it, and it is not constant */
	iso_counts counts;
	double threshold;
	int reversed;	   /* 1: low scores mean "in" */
	double epsilon;	   /* Clopper-Pearson bound at the claim's delta */
	double mu, gdp;	   /* mu-GDP bound and its epsilon: for Gaussian claims */
	double zanella;	   /* credible bound: report only; set by iso_audit */
	int rejected;	   /* by the profile test */
	double at_epsilon; /* where the profile is violated most */
} iso_audit_test;

typedef struct iso_audit_request {
	const iso_generator *generator;
	const void *options;
	const iso_table *table;	 /* the OUT world */
	const iso_table *target; /* one row */
	double epsilon, delta;	 /* target of the training */
	iso_adjacency adjacency;
	iso_accountant accountant;
	uint64_t seed;
	size_t runs; /* of each world */
	double alpha;
	iso_threshold threshold;
	size_t jobs;	 /* processes; at least 1 */
	const char *dir; /* where finished runs are kept and found again; NULL = nowhere */
	/* told how many of all runs are done, and how many seconds are left; may be NULL */
	void (*tell)(void *ctx, size_t done, size_t all, double seconds);
	void *tell_ctx;
	/* 1: the target is as bad as a record can be: its gradient is scaled to ten times the clip
	 * bound before it is clipped (core/nn/dpsgd.h), its teacher's votes all follow it
	 * (generators/kit/teachers.h).  Under add-remove; otherwise, and in other methods, the row
	 * alone. */
	int gradient_canary;
	/* rows that cost no privacy; NULL: random ones for a method that cannot run without */
	const iso_table *public_rows;
} iso_audit_request;

typedef struct iso_audit_result {
	double target, accounted; /* accounted = +inf: judged against the target */
	iso_guarantee guarantee;
	iso_audit_test test[ISO_STAT_COUNT];
	double epsilon; /* best bound of all statistics, at their shares of alpha */
	double ceiling;
	iso_audit_verdict verdict;
	size_t judged;	  /* runs of each world that were judged */
	size_t failed[2]; /* runs that failed, OUT and IN */
	double tail;
	int gaussian; /* the claim is a Gaussian mechanism's: the GDP bounds are valid for it */
	double gdp_epsilon; /* the best of them; NaN for another claim */
} iso_audit_result;

iso_status iso_audit(const iso_audit_request *r, iso_audit_result *out,
		     iso_error *err) ISO_MUST_CHECK;

/* One training instead of many (Steinke, Nasr, Jagielski 2023): `canaries` made-up records, each
 * put into the table with probability 1/2.  The tenth of them with the highest scores is guessed
 * "in", the tenth with the lowest "out", the others are left.  Score: score, else log_density, else
 * minus the distance to the nearest of as many synthetic rows.  Add-remove only.  Catches gross
 * bugs of a training of full size; never noise that is short by sqrt 2. */
typedef struct iso_one_run_result {
	size_t canaries, guesses, right;
	double accounted; /* +inf: judged against the target */
	double epsilon;	  /* bound at 1 - alpha */
	double mu, gdp;	  /* the f-DP variant (Mahloujifar et al. 2024): for Gaussian claims */
	int violation;
} iso_one_run_result;
iso_status iso_audit_one_run(const iso_audit_request *r, size_t canaries, iso_one_run_result *out,
			     iso_error *err) ISO_MUST_CHECK;

/* The micro world: four equal rows of two or three columns and a target that differs in every one;
 * with a label if the generator wants one.  The schema lives as long as the tables. */
iso_status iso_audit_micro(const iso_generator *g, const void *options, iso_schema **schema,
			   iso_table **table, iso_table **target, iso_error *err) ISO_MUST_CHECK;

/* The options of an audit that asks for none: iso_verify_shrink's, and few teachers where votes are
 * taken.  Options that stand in `values` stay; `note` says what was chosen. */
iso_status iso_audit_shrink(const iso_generator *g, cJSON *values, iso_str *note,
			    iso_error *err) ISO_MUST_CHECK;

/* The statistics of one finished audit, from scores [2][runs][ISO_STAT_COUNT]; NaN = none.  Exposed
 * for tests. */
void iso_audit_judge(const double *scores, size_t runs, const iso_profile *claim,
		     iso_threshold rule, double alpha, double delta, iso_audit_result *out);

#endif
