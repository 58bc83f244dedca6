// SPDX-License-Identifier: Apache-2.0
/* The gate: what may be compared, the exact checks, and the pairs for the tests. */
#include "results/gate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "results/gate_parts.h"

#define get iso_gate_get
#define text iso_gate_string
#define number iso_gate_number

/* ------------------------------------------------------------------ results */

iso_gate_check *iso_gate_add(iso_gate_result *r, const char *method, const char *where,
			     const char *name, const char *kind, iso_error *err)
{
	iso_gate_check *c;

	if (iso_grow(&r->check, &r->cap, r->n + 1, sizeof(*r->check), err) != ISO_OK)
		return NULL;
	c = &r->check[r->n];
	*c = (iso_gate_check){.method = iso_arena_strdup(&r->arena, method),
			      .where = iso_arena_strdup(&r->arena, where),
			      .name = iso_arena_strdup(&r->arena, name),
			      .kind = iso_arena_strdup(&r->arena, kind),
			      .why = "",
			      .visible = NAN};
	if (!c->method || !c->where || !c->name || !c->kind) {
		(void)iso_no_memory(err, "a comparison");
		return NULL;
	}
	r->n++;
	return c;
}

iso_status iso_gate_refuse(iso_gate_result *r, iso_status code, iso_error *err, const char *fmt,
			   ...)
{
	char line[768];
	va_list ap;
	const char *kept;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	kept = iso_arena_strdup(&r->arena, line);
	if (!kept)
		return iso_no_memory(err, "a refusal");
	ISO_TRY(iso_grow(&r->refusal, &r->refusal_cap, r->nrefusal + 1, sizeof(*r->refusal), err));
	r->refusal[r->nrefusal++] = (iso_gate_refusal){code, kept};
	return ISO_OK;
}

void iso_gate_result_free(iso_gate_result *r)
{
	iso_free(r->check);
	iso_free(r->refusal);
	iso_arena_free(&r->arena);
	memset(r, 0, sizeof(*r));
}

int iso_gate_exit(const iso_gate_result *r)
{
	for (size_t i = 0; i < r->nrefusal; i++)
		if (r->refusal[i].code == ISO_E_CHECK)
			return 1;
	if (r->nrefusal)
		return iso_status_exit(r->refusal[0].code);
	return r->failed ? 1 : 0;
}

/* ------------------------------------------------------------------ what may be compared */

/* "wdbc, epsilon 1" */
static void place(const cJSON *s, char out[160])
{
	snprintf(out, 160, "%.100s, epsilon %g", text(get(s, "dataset"), "name"),
		 number(get(s, "epsilon")));
}

static int any_ok(const cJSON *s)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, get(s, "status")) if (cJSON_IsString(v) &&
						    strcmp(v->valuestring, "ok") == 0) return 1;
	return 0;
}

static int same_method(const cJSON *a, const cJSON *b)
{
	return strcmp(text(a, "method"), text(b, "method")) == 0 &&
	       strcmp(text(get(a, "dataset"), "name"), text(get(b, "dataset"), "name")) == 0;
}

/* The setting of `side` that is b; *other: one that differs from it in epsilon alone. */
static const cJSON *find(const iso_gate_side *side, const cJSON *b, const cJSON **other)
{
	const cJSON *s;

	*other = NULL;
	cJSON_ArrayForEach(s, get(side->doc, "settings"))
	{
		if (!same_method(s, b))
			continue;
		if (cJSON_Compare(get(s, "epsilon"), get(b, "epsilon"), 1))
			return s;
		*other = s;
	}
	return NULL;
}

static int refuted(const cJSON *s)
{
	return strcmp(text(s, "guarantee"), "dp") == 0 &&
	       strcmp(text(s, "verified"), "refuted") == 0;
}

iso_status iso_gate_promises(const iso_gate_side *s, int baseline, iso_gate_result *out,
			     iso_error *err)
{
	const cJSON *v;
	char where[160];

	cJSON_ArrayForEach(v, get(s->doc, "settings"))
	{
		if (strcmp(text(v, "guarantee"), "dp") != 0 || !any_ok(v) ||
		    strcmp(text(v, "verified"), "verified") == 0 || (refuted(v) && !baseline))
			continue;
		place(v, where);
		ISO_TRY(iso_gate_refuse(out, ISO_E_DATA, err,
					"%s record (%s: %s): %s promises differential privacy, and "
					"the promise %s",
					refuted(v) ? "refuted" : "unverified", text(v, "method"),
					where, baseline ? "in the baseline it" : "it",
					refuted(v) ? "does not hold"
						   : "was not verified; run the suite with "
						     "\"verify\": true"));
	}
	return ISO_OK;
}

/* Every option of the baseline with its value; new ones may have come. */
static const char *other_option(const cJSON *before, const cJSON *now)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, before)
	{
		const cJSON *n = get(now, o->string);

		if (!n || !cJSON_Compare(o, n, 1))
			return o->string;
	}
	return NULL;
}

static iso_status compare_judged(const cJSON *b, const cJSON *n, const char *where,
				 iso_gate_result *out, iso_error *err)
{
	const cJSON *j, *k;

	cJSON_ArrayForEach(j, get(b, "judged"))
	{
		const char *option = NULL;

		cJSON_ArrayForEach(k, get(n, "judged"))
		{
			if (strcmp(text(j, "kind"), text(k, "kind")) == 0 &&
			    strcmp(text(j, "label"), text(k, "label")) == 0)
				break;
		}
		if (k)
			option = strcmp(text(j, "name"), text(k, "name")) == 0
					 ? other_option(get(j, "options"), get(k, "options"))
					 : "name";
		if (!k)
			ISO_TRY(iso_gate_refuse(out, ISO_E_CONFIG, err,
						"missing %s (%s: %s): the baseline has \"%s\", the "
						"results do not; run the suite of the baseline",
						text(j, "kind"), text(b, "method"), where,
						text(j, "label")));
		else if (option)
			ISO_TRY(iso_gate_refuse(
				out, ISO_E_CONFIG, err,
				"other options (%s: %s): \"%s\" of the %s \"%s\" is not that of "
				"the baseline; run the suite of the baseline",
				text(b, "method"), where, option, text(j, "kind"),
				text(j, "label")));
	}
	return ISO_OK;
}

static iso_status compare_setting(const cJSON *b, const cJSON *n, iso_gate_result *out,
				  iso_error *err)
{
	static const char *const same[] = {
		"delta", "adjacency", "accountant", "public_class_counts", "rows", "targets"};
	const cJSON *db = get(b, "dataset"), *dn = get(n, "dataset"), *gb = get(b, "generator"),
		    *gn = get(n, "generator");
	const char *option = other_option(get(gb, "options"), get(gn, "options"));
	char where[160];

	place(b, where);
	if (strcmp(text(db, "hash"), text(dn, "hash")) != 0 ||
	    !cJSON_Compare(get(db, "split"), get(dn, "split"), 1))
		ISO_TRY(iso_gate_refuse(out, ISO_E_DATA, err,
					"other data (%s: %s): the rows, the schema or the split "
					"differ from those of the baseline",
					text(b, "method"), where));
	if (strcmp(text(gb, "name"), text(gn, "name")) != 0)
		option = "name";
	for (size_t i = 0; i < ISO_COUNT(same) && !option; i++)
		if (!cJSON_Compare(get(b, same[i]), get(n, same[i]), 1))
			option = same[i];
	if (option)
		ISO_TRY(iso_gate_refuse(out, ISO_E_CONFIG, err,
					"other configuration (%s: %s): \"%s\" is not that of the "
					"baseline; run the suite of the baseline",
					text(b, "method"), where, option));
	return any_ok(n) ? compare_judged(b, n, where, out, err) : ISO_OK;
}

/* ------------------------------------------------------------------ pairs of seeds */

typedef struct pairing {
	int *before, *now; /* [n] places of the seeds on both sides; owned */
	size_t n;
} pairing;

static double seed_at(const cJSON *s, int i)
{
	return number(cJSON_GetArrayItem(get(s, "seeds"), i));
}

static iso_status pair_seeds(const cJSON *b, const cJSON *n, pairing *out, iso_error *err)
{
	const int nb = cJSON_GetArraySize(get(b, "seeds")),
		  nn = cJSON_GetArraySize(get(n, "seeds"));
	uint8_t *used = iso_alloc((size_t)(nb + nn) + 1, 1), *used_now = used ? used + nb : NULL;

	*out = (pairing){.before = iso_alloc((size_t)nb + 1, sizeof(int)),
			 .now = iso_alloc((size_t)nb + 1, sizeof(int))};
	if (!used || !out->before || !out->now) {
		iso_free(used);
		return iso_no_memory(err, "the seeds");
	}
	for (int rest = 0; rest < 2; rest++) /* equal seeds first, then what is left in order */
		for (int i = 0; i < nb; i++)
			for (int j = 0; j < nn && !used[i]; j++) {
				if (used_now[j] || (!rest && seed_at(b, i) != seed_at(n, j)))
					continue;
				used[i] = used_now[j] = 1;
				out->before[out->n] = i;
				out->now[out->n++] = j;
			}
	iso_free(used);
	return ISO_OK;
}

static void pairing_free(pairing *p)
{
	iso_free(p->before);
	iso_free(p->now);
}

static double item(const cJSON *s, const char *key, int i)
{
	return number(cJSON_GetArrayItem(get(s, key), i));
}

/* ------------------------------------------------------------------ exact checks */

static const char *status_at(const cJSON *s, int i)
{
	const char *t = cJSON_GetStringValue(cJSON_GetArrayItem(get(s, "status"), i));

	return t ? t : "";
}

static iso_status exact(const cJSON *b, const char *name, double before, double now,
			const char *why, iso_gate_result *out, iso_error *err)
{
	char where[160];
	iso_gate_check *c;

	place(b, where);
	c = iso_gate_add(out, text(b, "method"), where, name, "privacy", err);
	if (!c)
		return ISO_E_NOMEM;
	c->exact = 1;
	c->before = before;
	c->now = now;
	c->p = c->adjusted = 1;
	c->why = why ? why : "";
	c->outcome = why ? ISO_GATE_FAIL : ISO_GATE_PASS;
	return ISO_OK;
}

/* The pair in which `key` exceeds the baseline most. */
static iso_status compare_exact(const cJSON *b, const cJSON *n, const pairing *p, const char *key,
				double tolerance, const char *why, iso_gate_result *out,
				iso_error *err)
{
	double before = NAN, now = NAN, most = -INFINITY;

	for (size_t i = 0; i < p->n; i++) {
		const double x = item(b, key, p->before[i]), y = item(n, key, p->now[i]);
		const double by = x == y ? 0 : y - x * (1 + tolerance);

		if (!isnan(by) && !(by <= most)) {
			most = by;
			before = x;
			now = y;
		}
	}
	return exact(b, key, before, now, most > 0 ? why : NULL, out, err);
}

static iso_status exact_checks(const cJSON *b, const cJSON *n, const pairing *p,
			       iso_gate_result *out, iso_error *err)
{
	const int withdrawn =
		strcmp(text(b, "guarantee"), "dp") == 0 && strcmp(text(n, "guarantee"), "dp") != 0;
	double before = 0, now = 0;

	for (size_t i = 0; i < p->n; i++) {
		const int was = strcmp(status_at(b, p->before[i]), "ok") == 0;

		before += was;
		now += was && strcmp(status_at(n, p->now[i]), "ok") == 0;
	}
	ISO_TRY(exact(b, "finished_cells", before, now,
		      now < before ? "cells that ended well no longer do; isoeps status says why"
				   : NULL,
		      out, err));
	ISO_TRY(exact(b, "guarantee", 1, !withdrawn,
		      withdrawn ? "the method no longer promises differential privacy" : NULL, out,
		      err));
	ISO_TRY(compare_exact(b, n, p, "accounted_epsilon", ISO_GATE_EPSILON_TOLERANCE,
			      "more epsilon is accounted for than calibration can explain", out,
			      err));
	return compare_exact(b, n, p, "uncharged", 0,
			     "more is chosen by looking at the data without being paid for", out,
			     err);
}

/* ------------------------------------------------------------------ measured values */

typedef struct pairs {
	iso_gate_pair *v; /* owned */
	size_t n, cap;
} pairs;

/* Differences that were equal before rounding are equal again, so that they tie. */
static double difference(double a, double b)
{
	char digits[40];

	if (a == b)
		return 0;
	if (isinf(a) || isinf(b))
		return a > b ? INFINITY : -INFINITY;
	if (fabs(a - b) <= 1e-10 * fmax(fabs(a), fabs(b)))
		return 0;
	snprintf(digits, sizeof(digits), "%.9g", a - b);
	return strtod(digits, NULL);
}

static double worse_by(double before, double now, int higher_is_better)
{
	if (isnan(before))
		return -INFINITY;
	if (isnan(now))
		return INFINITY;
	return higher_is_better ? difference(before, now) : difference(now, before);
}

static iso_status value_pairs(const cJSON *b, const cJSON *n, const pairing *p, const cJSON *value,
			      pairs *out, iso_error *err)
{
	const int higher = strcmp(text(value, "better"), "higher") == 0,
		  seeds = cJSON_GetArraySize(get(b, "seeds"));
	const cJSON *other = get(get(n, "values"), value->string);

	ISO_TRY(iso_grow(&out->v, &out->cap, out->n + p->n, sizeof(*out->v), err));
	for (size_t i = 0; i < p->n; i++) {
		const double before = item(value, "v", p->before[i]),
			     now = item(other, "v", p->now[i]),
			     next = item(value, "v", (p->before[i] + 1) % seeds);

		if (isnan(before) && isnan(now))
			continue;
		out->v[out->n++] = (iso_gate_pair){
			.method = text(b, "method"),
			.name = value->string,
			.kind = text(value, "kind"),
			.before = before,
			.now = now,
			.worse = worse_by(before, now, higher),
			.spread = seeds > 1 && isfinite(before) && isfinite(next)
					  ? difference(before, next)
					  : NAN,
		};
	}
	return ISO_OK;
}

/* Did a setting before this one have the same audit? */
static int audited_before(const cJSON *b)
{
	const char *key = text(get(b, "audit"), "key");

	for (const cJSON *s = b->prev; s && s->next; s = s->prev) /* the first's prev is the last */
		if (strcmp(text(get(s, "audit"), "key"), key) == 0)
			return 1;
	return 0;
}

static iso_status take_audit(const cJSON *b, const cJSON *n, iso_gate_result *out, iso_error *err)
{
	char where[160];

	if (audited_before(b))
		return ISO_OK;
	place(b, where);
	return iso_gate_audits(b, n, where, out, err);
}

static iso_status take_setting(const cJSON *b, const cJSON *n, pairs *all, iso_gate_result *out,
			       iso_error *err)
{
	pairing p = {0};
	const cJSON *v;
	iso_status st;

	ISO_TRY(take_audit(b, n, out, err));
	if (refuted(n)) /* what it measures is not compared */
		return exact(
			b, "verified", 1, 0,
			"the promise of differential privacy is refuted; isoeps verify says why",
			out, err);
	st = pair_seeds(b, n, &p, err);
	if (st == ISO_OK)
		st = exact_checks(b, n, &p, out, err);
	cJSON_ArrayForEach(v, get(b, "values"))
	{
		if (st == ISO_OK)
			st = value_pairs(b, n, &p, v, all, err);
	}
	pairing_free(&p);
	return st;
}

/* Refusals of everything that cannot be compared, and how many settings are new. */
static iso_status match(const iso_gate_side *baseline, const iso_gate_side *now,
			iso_gate_result *out, iso_error *err)
{
	const cJSON *b, *n, *other;
	char where[160];

	cJSON_ArrayForEach(b, get(baseline->doc, "settings"))
	{
		n = find(now, b, &other);
		place(b, where);
		if (n)
			ISO_TRY(compare_setting(b, n, out, err));
		else
			ISO_TRY(iso_gate_refuse(
				out, ISO_E_CONFIG, err,
				"%s (%s: %s): the baseline has this setting, the results do not; "
				"run the suite of the baseline, or renew it with --update",
				other ? "other epsilon" : "missing setting", text(b, "method"),
				where));
	}
	out->added = 0;
	cJSON_ArrayForEach(n, get(now->doc, "settings")) out->added +=
		find(baseline, n, &other) == NULL;
	return ISO_OK;
}

iso_status iso_gate_compare(const iso_gate_side *baseline, const iso_gate_side *now, double alpha,
			    iso_gate_result *out, iso_error *err)
{
	pairs all = {0};
	const cJSON *b, *other;
	iso_status st = ISO_OK;

	out->alpha = alpha;
	ISO_TRY(match(baseline, now, out, err));
	if (out->nrefusal)
		return ISO_OK;
	cJSON_ArrayForEach(b, get(baseline->doc, "settings"))
	{
		if (st == ISO_OK)
			st = take_setting(b, find(now, b, &other), &all, out, err);
	}
	if (st == ISO_OK)
		st = iso_gate_tests(all.v, all.n, out, err);
	for (size_t i = 0; i < out->n; i++) {
		out->failed += out->check[i].outcome == ISO_GATE_FAIL;
		out->too_few += out->check[i].outcome == ISO_GATE_TOO_FEW;
	}
	iso_free(all.v);
	return st;
}
