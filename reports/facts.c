// SPDX-License-Identifier: Apache-2.0
#include "reports/facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/log.h"
#include "core/io/file.h"
#include "reports/numbers.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static const char *text_of(const cJSON *o, const char *key, const char *otherwise)
{
	const cJSON *v = get(o, key);

	return cJSON_IsString(v) && *v->valuestring ? v->valuestring : otherwise;
}

iso_status iso_about_read(const char *dir, const iso_records *r, iso_about *out, iso_error *err)
{
	iso_str path = {0};
	iso_error why = {0};
	iso_status st;

	iso_str_addf(&path, "%s/suite.json", dir);
	st = iso_str_check(&path, err);
	if (st == ISO_OK && iso_file_exists(path.p) &&
	    iso_json_read(path.p, &out->suite, &why) != ISO_OK)
		iso_warn("%s", why.text);
	iso_str_free(&path);
	out->dir = dir;
	out->title = text_of(out->suite, "title", text_of(r->v[0], "suite", "results"));
	out->description = text_of(out->suite, "description", "");
	return st;
}

void iso_about_free(iso_about *a)
{
	cJSON_Delete(a->suite);
	memset(a, 0, sizeof(*a));
}

/* Distinct texts of one place in all records, comma-separated. */
static void distinct(const iso_aggregate *a, const char *outer, const char *key, iso_str *out)
{
	size_t n = 0;

	iso_str_add(out, "");
	for (size_t i = 0; i < a->records->n && n < 12; i++) {
		const cJSON *o = *outer ? get(a->records->v[i], outer) : a->records->v[i];
		const cJSON *v = get(o, key);
		char text[200];
		const char *at;
		size_t k;

		if (cJSON_IsNumber(v))
			snprintf(text, sizeof(text), "%.6g", v->valuedouble);
		else
			snprintf(text, sizeof(text), "%s", cJSON_IsString(v) ? v->valuestring : "");
		k = strlen(text);
		for (at = out->p; at && (at = strstr(at, text)) != NULL; at += k)
			if ((at == out->p || at[-1] == ' ') && (at[k] == 0 || at[k] == ','))
				break;
		if (!k || (out->p && at))
			continue;
		iso_str_addf(out, "%s%s", n++ ? ", " : "", text);
	}
}

static void say(iso_fact_fn fn, void *ctx, const char *name, iso_str *value)
{
	if (value->p && *value->p)
		fn(ctx, name, value->p);
	iso_str_free(value);
}

static void data_facts(const iso_aggregate *a, iso_fact_fn fn, void *ctx)
{
	iso_str s = {0};

	for (size_t d = 0; d < a->ndataset; d++)
		for (size_t i = 0; i < a->nsetting; i++)
			if (strcmp(a->setting[i].dataset, a->dataset[d]) == 0) {
				const cJSON *n = get(a->setting[i].record, "n");

				iso_str_addf(&s, "%s%s", d ? "; " : "", a->dataset[d]);
				if (cJSON_IsNumber(get(n, "train")))
					iso_str_addf(&s,
						     " (%g training rows, %g held out, %g "
						     "features)",
						     get(n, "train")->valuedouble,
						     cJSON_IsNumber(get(n, "holdout"))
							     ? get(n, "holdout")->valuedouble
							     : 0,
						     cJSON_IsNumber(get(n, "features"))
							     ? get(n, "features")->valuedouble
							     : 0);
				break;
			}
	say(fn, ctx, "Data", &s);
}

static void privacy_facts(const iso_aggregate *a, iso_fact_fn fn, void *ctx)
{
	iso_str s = {0}, t = {0};

	distinct(a, "config", "epsilon", &t);
	iso_str_addf(&s, "epsilon %s; delta ", t.p ? t.p : "-");
	iso_str_free(&t);
	distinct(a, "config", "delta", &t);
	iso_str_addf(&s, "%s; neighbours: ", t.p ? t.p : "-");
	iso_str_free(&t);
	distinct(a, "config", "adjacency", &t);
	iso_str_addf(&s, "%s (n is public); accountant: ", t.p ? t.p : "-");
	iso_str_free(&t);
	distinct(a, "config", "accountant", &t);
	iso_str_addf(&s, "%s", t.p ? t.p : "-");
	iso_str_free(&t);
	say(fn, ctx, "Privacy", &s);
}

static void time_fact(const iso_aggregate *a, iso_fact_fn fn, void *ctx)
{
	double last = 0;
	iso_str s = {0};
	char text[64];
	struct tm tm;
	time_t t;

	for (size_t i = 0; i < a->records->n; i++) {
		const cJSON *v = get(get(a->records->v[i], "run"), "started");

		if (cJSON_IsNumber(v))
			last = fmax(last, v->valuedouble);
	}
	t = (time_t)last;
	if (last > 0 && gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%d", &tm))
		iso_str_add(&s, text);
	say(fn, ctx, "Last cell", &s);
}

/* Records of the directory that no table counts. */
static void left_out_fact(const iso_records *r, iso_fact_fn fn, void *ctx)
{
	const size_t others = r->foreign - r->other_code;
	iso_str s = {0};

	if (r->other_code)
		iso_str_addf(&s,
			     "%zu record%s made by other code (the method, or core, has changed "
			     "since)",
			     r->other_code, r->other_code == 1 ? "" : "s");
	if (others)
		iso_str_addf(&s, "%s%zu record%s of other cells (an earlier version of the suite)",
			     s.n ? "; " : "", others, others == 1 ? "" : "s");
	if (r->damaged)
		iso_str_addf(&s, "%s%zu damaged file%s", s.n ? "; " : "", r->damaged,
			     r->damaged == 1 ? "" : "s");
	say(fn, ctx, "Left out", &s);
}

void iso_facts(const iso_about *ab, const iso_aggregate *a, iso_fact_fn fn, void *ctx)
{
	iso_str s = {0}, t = {0};
	const int secure = cJSON_IsTrue(get(ab->suite, "secure"));

	data_facts(a, fn, ctx);
	privacy_facts(a, fn, ctx);
	distinct(a, "config", "seed", &s);
	say(fn, ctx, "Seeds", &s);
	if (!secure)
		fn(ctx, "Seeded",
		   "the noise of this run follows from its seeds, so that anybody can repeat it, "
		   "and "
		   "take it away again: do not publish synthetic rows of private data that were "
		   "made "
		   "like this; `isoeps generate` without --seed draws its noise from the operating "
		   "system");
	distinct(a, "run", "version", &s);
	distinct(a, "run", "build", &t);
	iso_str_addf(&s, " (%s)", t.p ? t.p : "");
	iso_str_free(&t);
	say(fn, ctx, "isoeps", &s);
	time_fact(a, fn, ctx);
	left_out_fact(a->records, fn, ctx);
	iso_str_addf(&s, "isoeps run %s/suite.json --out %s && isoeps report %s", ab->dir, ab->dir,
		     ab->dir);
	if (ab->suite)
		say(fn, ctx, "Again", &s);
	iso_str_free(&s);
	fn(ctx, "Cite",
	   "isoeps (CITATION.cff) and the papers of the methods: `isoeps describe NAME`");
	if (a->split)
		fn(ctx, "Note",
		   "some methods have several rows (#1, #2, ..): their records differ in version, "
		   "data, options or build and are not pooled");
}
