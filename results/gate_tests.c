// SPDX-License-Identifier: Apache-2.0
/* The tests of the gate: signed ranks per method and value, the family with the audits (Tarone),
 * Holm's procedure. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/stats.h"
#include "results/gate_parts.h"

static int compare_pairs(const void *pa, const void *pb)
{
	const iso_gate_pair *a = pa, *b = pb;
	int c = strcmp(a->method, b->method);

	if (!c)
		c = strcmp(a->kind, b->kind);
	return c ? c : strcmp(a->name, b->name);
}

/* ------------------------------------------------------------------ one test */

static void means(const iso_gate_pair *pair, size_t n, iso_gate_check *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(pair[i].before) || !isfinite(pair[i].now))
			continue;
		c->before += pair[i].before;
		c->now += pair[i].now;
		kept++;
	}
	c->before = kept ? c->before / (double)kept : NAN;
	c->now = kept ? c->now / (double)kept : NAN;
}

/* `number` [n] is scratch. */
static iso_status smallest_change(const iso_gate_pair *pair, size_t n, double level, double *number,
				  iso_gate_check *c, iso_error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (isfinite(pair[i].spread))
			number[kept++] = pair[i].spread;
	c->visible = NAN;
	return kept ? iso_signed_rank_visible(number, kept, level, &c->visible, err) : ISO_OK;
}

static iso_status one_test(const iso_gate_pair *pair, size_t n, double level, iso_gate_result *out,
			   iso_error *err)
{
	iso_gate_check *c = iso_gate_add(out, pair->method, "", pair->name, pair->kind, err);
	double *number = iso_alloc(n, sizeof(*number));
	iso_signed_rank_test test = {.p = 1};
	iso_status st = c && number ? ISO_OK : iso_no_memory(err, "a comparison");

	for (size_t i = 0; st == ISO_OK && i < n; i++)
		number[i] = pair[i].worse;
	if (st == ISO_OK)
		st = iso_signed_rank(number, n, &test, err);
	if (st == ISO_OK) {
		means(pair, n, c);
		c->pairs = n;
		c->differ = test.n;
		c->p = test.p;
		c->least = test.least;
		c->adjusted = 1;
		c->outcome = test.n ? ISO_GATE_TOO_FEW : ISO_GATE_PASS;
		st = smallest_change(pair, n, level, number, c, err);
	}
	iso_free(number);
	return st;
}

/* ------------------------------------------------------------------ the family */

/* How many tests could reach alpha / k. */
static size_t reachable(const iso_gate_result *r, double k)
{
	size_t m = 0;

	for (size_t i = 0; i < r->n; i++)
		m += !r->check[i].exact && r->check[i].least <= r->alpha / k;
	return m;
}

static int compare_p(const void *pa, const void *pb)
{
	const iso_gate_check *const *a = pa, *const *b = pb;

	return ((*a)->p > (*b)->p) - ((*a)->p < (*b)->p);
}

/* Holm (1979): the j-th smallest p of m counts (m - j) times; adjusted values do not fall. */
static void holm(iso_gate_check **member, size_t m, double alpha)
{
	double so_far = 0;

	qsort(member, m, sizeof(*member), compare_p);
	for (size_t j = 0; j < m; j++) {
		so_far = fmax(so_far, fmin(1, (double)(m - j) * member[j]->p));
		member[j]->adjusted = so_far;
		member[j]->outcome = so_far <= alpha ? ISO_GATE_FAIL : ISO_GATE_PASS;
	}
}

static iso_status judge_family(iso_gate_result *r, iso_error *err)
{
	iso_gate_check **member = iso_alloc(r->n + 1, sizeof(*member));
	double k = 1;

	if (!member)
		return iso_no_memory(err, "the comparisons");
	while (reachable(r, k) > (size_t)k)
		k++;
	r->family = 0;
	for (size_t i = 0; i < r->n; i++)
		if (!r->check[i].exact && r->check[i].least <= r->alpha / k)
			member[r->family++] = &r->check[i];
	holm(member, r->family, r->alpha);
	iso_free(member);
	return ISO_OK;
}

iso_status iso_gate_tests(iso_gate_pair *pair, size_t n, iso_gate_result *out, iso_error *err)
{
	const size_t audits = out->n; /* exact checks among them */

	out->tests = 0;
	for (size_t i = 0; i < audits; i++)
		out->tests += !out->check[i].exact;
	if (n)
		qsort(pair, n, sizeof(*pair), compare_pairs);
	for (size_t i = 0; i < n; i++)
		out->tests += i == 0 || compare_pairs(&pair[i - 1], &pair[i]) != 0;
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && compare_pairs(&pair[i], &pair[end]) == 0; end++)
			;
		ISO_TRY(one_test(&pair[i], end - i, out->alpha / (double)out->tests, out, err));
	}
	for (size_t i = 0; i < audits; i++)
		if (out->check[i].audit)
			out->check[i].visible = iso_gate_audit_visible(
				out->check[i].audit, out->alpha / (double)out->tests);
	return judge_family(out, err);
}
