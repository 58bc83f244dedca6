// SPDX-License-Identifier: Apache-2.0
/* What the gate says: text, JSON and JUnit XML. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/io/jsonw.h"
#include "results/gate_parts.h"

static const char *outcome_name(iso_gate_outcome o)
{
	return o == ISO_GATE_PASS ? "pass" : o == ISO_GATE_FAIL ? "fail" : "too few";
}

/* ------------------------------------------------------------------ one sentence per check */

static void visible(double shift, iso_str *out)
{
	if (isnan(shift))
		iso_str_add(out, "unknown");
	else if (isinf(shift))
		iso_str_add(out, "none");
	else
		iso_str_addf(out, "%.3g", shift);
}

static void sentence(const iso_gate_check *c, iso_str *out)
{
	if (c->exact) {
		iso_str_addf(out, "%.6g before, %.6g now", c->before, c->now);
		if (*c->why)
			iso_str_addf(out, ": %s", c->why);
		return;
	}
	iso_str_addf(out, "%.4g before, %.4g now; ", c->before, c->now);
	if (c->audit)
		iso_str_addf(out, "TPR - FPR over %zu runs", c->pairs);
	else
		iso_str_addf(out, "%zu of %zu pairs differ", c->differ, c->pairs);
	if (c->differ)
		iso_str_addf(out, ", p %.2g", c->p);
	if (c->outcome == ISO_GATE_TOO_FEW)
		iso_str_add(out, ", too few to tell");
	else if (c->differ)
		iso_str_addf(out, ", %.2g after Holm", c->adjusted);
	iso_str_add(out, "; smallest visible change: ");
	visible(c->visible, out);
}

/* ------------------------------------------------------------------ text */

static void check_line(const iso_gate_check *c, iso_str *out)
{
	iso_str_addf(out, "%-7s %s %s%s%s%s: ", outcome_name(c->outcome), c->method, c->name,
		     *c->where ? " (" : "", c->where, *c->where ? ")" : "");
	sentence(c, out);
	iso_str_add(out, "\n");
}

/* How well the tests can see: of those whose power is known. */
static void power_line(const iso_gate_result *r, iso_str *out)
{
	size_t blind = 0, known = 0, ranks = 0;
	int needed = 0;

	for (size_t i = 0; i < r->n; i++) {
		const iso_gate_check *c = &r->check[i];

		ranks += !c->exact && !c->audit;
		known += !c->exact && !c->audit && !isnan(c->visible);
		blind += !c->exact && !c->audit && isinf(c->visible);
	}
	while (r->tests && ldexp(1, -needed) > r->alpha / (double)r->tests)
		needed++;
	if (blind)
		iso_str_addf(
			out,
			"%zu of %zu tests have too few pairs to see any change if every method "
			"changes; %d pairs (data sets x epsilons x seeds) suffice\n",
			blind, ranks, needed);
	if (known < ranks)
		iso_str_addf(
			out,
			"%zu tests do not know what they can see: their baseline has one seed\n",
			ranks - known);
}

void iso_gate_text(const iso_gate_result *r, int every, iso_str *out)
{
	const size_t exact = r->n - r->tests;

	for (size_t i = 0; i < r->nrefusal; i++)
		iso_str_addf(out, "refused %s\n", r->refusal[i].text);
	if (r->nrefusal) {
		iso_str_addf(out, "\nrefused: %zu reasons why nothing was compared\n", r->nrefusal);
		return;
	}
	for (int failed = 1; failed >= 0; failed--)
		for (size_t i = 0; i < r->n; i++) {
			const iso_gate_check *c = &r->check[i];

			if ((c->outcome == ISO_GATE_FAIL) == failed &&
			    (failed || every || (!c->exact && c->differ)))
				check_line(c, out);
		}
	iso_str_addf(out,
		     "%s%zu exact checks and %zu tests, of which %zu could reach their level\n",
		     out->n ? "\n" : "", exact, r->tests, r->family);
	iso_str_addf(out, "chance of a false alarm if nothing changed: at most %g over all tests\n",
		     r->alpha);
	power_line(r, out);
	if (r->too_few)
		iso_str_addf(out, "%zu test%s in too few pairs to tell\n", r->too_few,
			     r->too_few == 1 ? " differs" : "s differ");
	if (r->added)
		iso_str_addf(out, "%zu settings are not in the baseline and were not compared\n",
			     r->added);
	iso_str_addf(out, "%s: %zu worse than the baseline\n", r->failed ? "RED" : "green",
		     r->failed);
}

/* ------------------------------------------------------------------ JSON */

iso_status iso_gate_json(const iso_gate_result *r, cJSON **out, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *root = iso_jsonw_object(&w, NULL, NULL), *list;

	iso_jsonw_text(&w, root, "result", r->nrefusal ? "refused" : r->failed ? "red" : "green");
	iso_jsonw_number(&w, root, "alpha", r->alpha);
	iso_jsonw_number(&w, root, "tests", (double)r->tests);
	iso_jsonw_number(&w, root, "family", (double)r->family);
	iso_jsonw_number(&w, root, "failed", (double)r->failed);
	iso_jsonw_number(&w, root, "too_few", (double)r->too_few);
	iso_jsonw_number(&w, root, "added", (double)r->added);
	list = iso_jsonw_array(&w, root, "refusals");
	for (size_t i = 0; i < r->nrefusal; i++)
		iso_jsonw_text(&w, list, NULL, r->refusal[i].text);
	list = iso_jsonw_array(&w, root, "checks");
	for (size_t i = 0; i < r->n; i++) {
		const iso_gate_check *c = &r->check[i];
		cJSON *o = iso_jsonw_object(&w, list, NULL);

		iso_jsonw_text(&w, o, "method", c->method);
		iso_jsonw_text(&w, o, "where", c->where);
		iso_jsonw_text(&w, o, "kind", c->kind);
		iso_jsonw_text(&w, o, "name", c->name);
		iso_jsonw_text(&w, o, "outcome", outcome_name(c->outcome));
		iso_jsonw_text(&w, o, "why", *c->why ? c->why : NULL);
		iso_jsonw_bool(&w, o, "exact", c->exact);
		iso_jsonw_number(&w, o, "before", c->before);
		iso_jsonw_number(&w, o, "now", c->now);
		iso_jsonw_number(&w, o, "pairs", (double)c->pairs);
		iso_jsonw_number(&w, o, "differ", (double)c->differ);
		iso_jsonw_number(&w, o, "p", c->p);
		iso_jsonw_number(&w, o, "adjusted_p", c->adjusted);
		iso_jsonw_number(&w, o, "smallest_visible_change", c->visible);
	}
	return iso_jsonw_end(&w, root, "the result of the gate", out, err);
}

/* ------------------------------------------------------------------ JUnit XML */

/* Text for attributes and elements: markup escaped; what XML 1.0 does not allow, and bytes that are
 * not UTF-8, as U+FFFD. */
static void xml(iso_str *out, const char *text)
{
	while (*text) {
		uint32_t cp;
		const size_t n = iso_utf8_next(text, &cp);
		const int allowed = cp != ISO_UTF8_BAD && cp != 0xfffe && cp != 0xffff &&
				    (cp >= 0x20 || cp == '\t' || cp == '\n' || cp == '\r');

		if (!allowed)
			iso_str_add(out, "\xef\xbf\xbd");
		else if (cp < 0x80 && strchr("&<>\"'\t\n\r", (int)cp))
			iso_str_addf(out, "&#%u;", (unsigned)cp);
		else
			iso_str_addn(out, text, n);
		text += n;
	}
}

typedef struct junit {
	const char *name, *when;
	iso_str *out;
	size_t id; /* of the next suite */
} junit;

static void open_suite(junit *j, const char *method, size_t tests, size_t failures, size_t errors,
		       size_t skipped)
{
	iso_str_addf(j->out, "\t<testsuite id=\"%zu\" package=\"", j->id++);
	xml(j->out, j->name);
	iso_str_add(j->out, "\" name=\"");
	xml(j->out, method);
	iso_str_add(j->out, "\" timestamp=\"");
	xml(j->out, j->when);
	iso_str_addf(j->out,
		     "\" hostname=\"localhost\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		     "skipped=\"%zu\" time=\"0\">\n\t\t<properties/>\n",
		     tests, failures, errors, skipped);
}

static void close_suite(junit *j)
{
	iso_str_add(j->out, "\t\t<system-out/>\n\t\t<system-err/>\n\t</testsuite>\n");
}

static void open_case(junit *j, const char *method, const char *name, const char *where)
{
	iso_str_add(j->out, "\t\t<testcase classname=\"");
	xml(j->out, j->name);
	iso_str_add(j->out, ".");
	xml(j->out, method);
	iso_str_add(j->out, "\" name=\"");
	xml(j->out, name);
	if (*where) {
		iso_str_add(j->out, " (");
		xml(j->out, where);
		iso_str_add(j->out, ")");
	}
	iso_str_add(j->out, "\" time=\"0\"");
}

/* <failure message=".." type=".."/> or <error ..>. */
static void problem(junit *j, const char *element, const char *type, const char *message)
{
	iso_str_addf(j->out, ">\n\t\t\t<%s type=\"%s\" message=\"", element, type);
	xml(j->out, message);
	iso_str_add(j->out, "\"/>\n\t\t</testcase>\n");
}

static void check_case(junit *j, const iso_gate_check *c)
{
	iso_str what = {0};

	open_case(j, c->method, c->name, c->where);
	sentence(c, &what);
	j->out->failed |= what.failed;
	if (c->outcome == ISO_GATE_FAIL)
		problem(j, "failure", c->exact ? "worse" : "significantly worse", what.p);
	else if (c->outcome == ISO_GATE_TOO_FEW)
		iso_str_add(j->out, ">\n\t\t\t<skipped/>\n\t\t</testcase>\n");
	else
		iso_str_add(j->out, "/>\n");
	iso_str_free(&what);
}

/* All checks of the method of check `first`, unless an earlier one is of it, too. */
static void method_suite(junit *j, const iso_gate_result *r, size_t first)
{
	const char *method = r->check[first].method;
	size_t tests = 0, failures = 0, skipped = 0;

	for (size_t i = 0; i < first; i++)
		if (strcmp(r->check[i].method, method) == 0)
			return;
	for (size_t i = first; i < r->n; i++) {
		if (strcmp(r->check[i].method, method) != 0)
			continue;
		tests++;
		failures += r->check[i].outcome == ISO_GATE_FAIL;
		skipped += r->check[i].outcome == ISO_GATE_TOO_FEW;
	}
	open_suite(j, method, tests, failures, 0, skipped);
	for (size_t i = first; i < r->n; i++)
		if (strcmp(r->check[i].method, method) == 0)
			check_case(j, &r->check[i]);
	close_suite(j);
}

void iso_gate_junit(const iso_gate_result *r, const char *name, const char *when, iso_str *out)
{
	junit j = {.name = name, .when = when, .out = out};

	iso_str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
	if (r->nrefusal) {
		open_suite(&j, "gate", r->nrefusal, 0, r->nrefusal, 0);
		for (size_t i = 0; i < r->nrefusal; i++) {
			char title[32];

			snprintf(title, sizeof(title), "comparable %zu", i + 1);
			open_case(&j, "gate", title, "");
			problem(&j, "error", "refused", r->refusal[i].text);
		}
		close_suite(&j);
	}
	for (size_t i = 0; i < r->n && !r->nrefusal; i++)
		method_suite(&j, r, i);
	iso_str_add(out, "</testsuites>\n");
}
