// SPDX-License-Identifier: Apache-2.0
/* The gate on audits: verdicts, and the counts of two audits at one threshold. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "results/gate_parts.h"

#define get iso_gate_get
#define text iso_gate_string

/* Of a test: how many runs of each world were taken for runs with the record. */
typedef struct counts {
	double n_out, fp, n_in, tp;
} counts;

static int read_counts(const cJSON *test, counts *out)
{
	*out = (counts){.n_out = iso_gate_number(get(test, "n_out")),
			.fp = iso_gate_number(get(test, "false_positives")),
			.n_in = iso_gate_number(get(test, "n_in"))};
	out->tp = out->n_in - iso_gate_number(get(test, "false_negatives"));
	return out->fp >= 0 && out->fp <= out->n_out && out->tp >= 0 && out->tp <= out->n_in &&
	       out->n_out <= 1e7 && out->n_in <= 1e7;
}

/* P[x of a draw of `drawn` from `all` balls, `marked` of them marked, are marked]. */
static double hypergeometric(double x, double drawn, double marked, double all)
{
	return iso_exp(iso_log_choose(marked, x) + iso_log_choose(all - marked, drawn - x) -
		       iso_log_choose(all, drawn));
}

/* Fisher's exact test, one-sided: P[at least `now` of the n_now | the two together]; *least: the
 * smallest value that these margins allow. */
static double fisher(double before, double n_before, double now, double n_now, double *least)
{
	const double marked = before + now, all = n_before + n_now, most = fmin(marked, n_now);
	double p = 0;

	for (double x = now; x <= most; x++)
		p += hypergeometric(x, n_now, marked, all);
	*least = hypergeometric(most, n_now, marked, all);
	return fmin(1, p);
}

static double advantage(const counts *c)
{
	return c->tp / c->n_in - c->fp / c->n_out;
}

/* More runs with the record are recognised, or fewer without it are taken for such: the smaller p
 * of the two, twice. */
static double worse(const counts *b, const counts *n, double *least)
{
	double least_tp, least_fp;
	const double tp = fisher(b->tp, b->n_in, n->tp, n->n_in, &least_tp),
		     fp = fisher(b->n_out - b->fp, b->n_out, n->n_out - n->fp, n->n_out, &least_fp);

	*least = fmin(1, 2 * fmin(least_tp, least_fp));
	return advantage(n) > advantage(b) ? fmin(1, 2 * fmin(tp, fp)) : 1;
}

static int same_test(const cJSON *a, const cJSON *b)
{
	return cJSON_Compare(get(a, "threshold"), get(b, "threshold"), 1);
}

static iso_status compare_test(const char *method, const char *where, const cJSON *before,
			       const cJSON *now, iso_gate_result *out, iso_error *err)
{
	char name[80];
	counts b, n;
	iso_gate_check *c;

	if (!now || !same_test(before, now) || !read_counts(before, &b) || !read_counts(now, &n))
		return ISO_OK; /* two thresholds: what they count cannot be compared */
	snprintf(name, sizeof(name), "audit.%.60s", before->string);
	c = iso_gate_add(out, method, where, name, "audit", err);
	if (!c)
		return ISO_E_NOMEM;
	c->before = advantage(&b);
	c->now = advantage(&n);
	c->pairs = (size_t)fmin(n.n_in, b.n_in);
	c->differ = b.tp != n.tp || b.fp != n.fp;
	c->p = worse(&b, &n, &c->least);
	c->adjusted = 1;
	c->audit = before;
	c->outcome = c->differ ? ISO_GATE_TOO_FEW : ISO_GATE_PASS;
	return ISO_OK;
}

iso_status iso_gate_audits(const cJSON *b, const cJSON *n, const char *where, iso_gate_result *out,
			   iso_error *err)
{
	const cJSON *before = get(b, "audit"), *now = get(n, "audit"), *t;
	const char *method = text(b, "method");
	const int was = strcmp(text(before, "outcome"), "violation") == 0,
		  is = strcmp(text(now, "outcome"), "violation") == 0;
	iso_gate_check *c;

	if (!before)
		return ISO_OK;
	if (!now)
		return iso_gate_refuse(out, ISO_E_CONFIG, err,
				       "missing audit (%s: %s): the baseline has one, the results "
				       "do not; run the suite of the baseline",
				       method, where);
	c = iso_gate_add(out, method, where, "audited_epsilon", "audit", err);
	if (!c)
		return ISO_E_NOMEM;
	c->exact = 1;
	c->before = iso_gate_number(get(before, "epsilon"));
	c->now = iso_gate_number(get(now, "epsilon"));
	c->p = c->adjusted = 1;
	if (is && !was) {
		c->outcome = ISO_GATE_FAIL;
		c->why = "the audit finds more epsilon than is accounted for";
	}
	cJSON_ArrayForEach(t, get(before, "tests")) ISO_TRY(
		compare_test(method, where, t, get(get(now, "tests"), t->string), out, err));
	return ISO_OK;
}

/* The smallest rise of the true positive rate of an audit like this one that would be seen. */
double iso_gate_audit_visible(const cJSON *test, double level)
{
	counts b, n;
	double least;

	if (!read_counts(test, &b))
		return NAN;
	for (n = b; n.tp <= n.n_in; n.tp++)
		if (n.tp > b.tp && worse(&b, &n, &least) <= level)
			return (n.tp - b.tp) / n.n_in;
	return INFINITY;
}
