// SPDX-License-Identifier: Apache-2.0
/* A record as rows: the one place that turns records into named values, and results.csv. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/csv.h"
#include "core/io/file.h"
#include "results/record.h"

typedef struct sink {
	const cJSON *record;
	iso_value_fn fn;
	void *ctx;
} sink;

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text(const cJSON *obj, const char *key)
{
	const cJSON *v = get(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

/* A number, the strings "inf" and "-inf", NaN for everything else. */
static double number(const cJSON *v)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble;
	if (cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0)
		return INFINITY;
	if (cJSON_IsString(v) && strcmp(v->valuestring, "-inf") == 0)
		return -INFINITY;
	return NAN;
}

static iso_status emit(const sink *s, const iso_value *v, iso_error *err)
{
	iso_value full = *v;

	if (isnan(v->value))
		return ISO_OK;
	if (!full.section) { /* privacy and cost: no declared range */
		full.section = full.kind;
		full.real = "";
		full.lo = full.hi = full.ideal = full.chance = NAN;
	}
	return s->fn(s->ctx, s->record, &full, err);
}

static iso_status privacy_values(const sink *s, iso_error *err)
{
	static const struct {
		const char *key, *title;
	} plain[] = {{"target_epsilon", "target epsilon"},
		     {"accounted_epsilon", "accounted epsilon"},
		     {"claimed_epsilon", "claimed epsilon"},
		     {"audited_epsilon", "audited epsilon"},
		     {"scale", "noise scale"}},
	  accountants[] = {{"rdp", "epsilon (RDP)"},
			   {"rdp_classic", "epsilon (RDP, classic conversion)"},
			   {"moments", "epsilon (moments)"},
			   {"gdp", "epsilon (GDP, approximate)"}};
	const cJSON *p = get(s->record, "privacy"), *eps = get(p, "epsilon"),
		    *pld = get(eps, "pld");
	iso_value v = {
		.kind = "privacy", .low = NAN, .high = NAN, .unit = "", .direction = "lower"};

	for (size_t i = 0; i < ISO_COUNT(plain); i++) {
		v.name = plain[i].key;
		v.title = plain[i].title;
		v.value = number(get(p, v.name));
		v.direction = strcmp(v.name, "scale") == 0 ? "neither" : "lower";
		ISO_TRY(emit(s, &v, err));
	}
	v = (iso_value){.kind = "privacy",
			.name = "epsilon.pld",
			.value = number(get(pld, "upper")),
			.low = number(get(pld, "lower")),
			.high = number(get(pld, "upper")),
			.unit = "",
			.direction = "lower",
			.title = "epsilon (PLD)"};
	ISO_TRY(emit(s, &v, err));
	v.low = v.high = NAN;
	for (size_t i = 0; i < ISO_COUNT(accountants); i++) {
		char name[32];

		snprintf(name, sizeof(name), "epsilon.%s", accountants[i].key);
		v.name = name;
		v.title = accountants[i].title;
		v.value = number(get(eps, accountants[i].key));
		ISO_TRY(emit(s, &v, err));
	}
	v = (iso_value){.kind = "privacy",
			.name = "uncharged",
			.value = p ? cJSON_GetArraySize(get(p, "uncharged")) : NAN,
			.low = NAN,
			.high = NAN,
			.unit = "entries",
			.direction = "lower",
			.title = "uncharged choices"};
	return emit(s, &v, err);
}

/* One declared value of a metric or a game; `label` names what measured it. */
static iso_status declared(const sink *s, const char *kind, const char *label, const char *prefix,
			   const cJSON *e, iso_error *err)
{
	const cJSON *range = get(e, "range");
	char name[160], real[160] = "", title[160];
	iso_value v = {.kind = kind,
		       .name = name,
		       .value = number(get(e, "value")),
		       .low = number(get(e, "low")),
		       .high = number(get(e, "high")),
		       .unit = text(e, "unit"),
		       .direction = text(e, "direction"),
		       .title = title,
		       .section = *text(e, "section") ? text(e, "section") : kind,
		       .real = real,
		       .headline = cJSON_IsTrue(get(e, "headline")),
		       .lo = number(cJSON_GetArrayItem(range, 0)),
		       .hi = number(cJSON_GetArrayItem(range, 1)),
		       .ideal = number(get(e, "ideal")),
		       .chance = number(get(e, "chance"))};

	snprintf(name, sizeof(name), "%s.%s", label, text(e, "name"));
	snprintf(title, sizeof(title), "%s%s", prefix, text(e, "title"));
	if (*text(e, "real"))
		snprintf(real, sizeof(real), "%s.%s", label, text(e, "real"));
	return emit(s, &v, err);
}

static iso_status metric_values(const sink *s, iso_error *err)
{
	const cJSON *m;

	cJSON_ArrayForEach(m, get(s->record, "metrics"))
		ISO_TRY(declared(s, "metric", text(m, "metric"), "", m, err));
	return ISO_OK;
}

/* Records from before outputs were declared. */
static iso_status plain_attack(const sink *s, const cJSON *a, iso_error *err)
{
	static const struct {
		const char *key, *low, *high, *title;
	} stat[] = {
		{"auc", "auc_low", "auc_high", "AUC"},
		{"advantage", NULL, NULL, "advantage"},
		{"tpr_fpr_10", "tpr_fpr_10_low", "tpr_fpr_10_high", "TPR at FPR 10 %"},
		{"tpr_fpr_1", "tpr_fpr_1_low", "tpr_fpr_1_high", "TPR at FPR 1 %"},
	};

	for (size_t i = 0; i < ISO_COUNT(stat); i++) {
		char name[160], title[160];
		iso_value v = {.kind = "attack",
			       .name = name,
			       .value = number(get(a, stat[i].key)),
			       .low = stat[i].low ? number(get(a, stat[i].low)) : NAN,
			       .high = stat[i].high ? number(get(a, stat[i].high)) : NAN,
			       .unit = "share",
			       .direction = "lower",
			       .title = title,
			       .section = "attacks",
			       .real = "",
			       .headline = i == 0,
			       .lo = 0,
			       .hi = 1,
			       .ideal = i == 0 ? 0.5 : NAN,
			       .chance = i == 0 ? 0.5 : NAN};

		snprintf(name, sizeof(name), "%s.%s", text(a, "label"), stat[i].key);
		snprintf(title, sizeof(title), "%s %s", text(a, "label"), stat[i].title);
		ISO_TRY(emit(s, &v, err));
	}
	return ISO_OK;
}

static iso_status attack_values(const sink *s, iso_error *err)
{
	const cJSON *a, *e;

	cJSON_ArrayForEach(a, get(s->record, "attacks"))
	{
		char prefix[80];

		if (!get(a, "values")) {
			ISO_TRY(plain_attack(s, a, err));
			continue;
		}
		snprintf(prefix, sizeof(prefix), "%s ", text(a, "label"));
		cJSON_ArrayForEach(e, get(a, "values"))
			ISO_TRY(declared(s, "attack", text(a, "label"), prefix, e, err));
	}
	return ISO_OK;
}

static iso_status cost_values(const sink *s, iso_error *err)
{
	static const struct {
		const char *key, *unit, *title, *direction;
	} cost[] = {
		{"fit_seconds", "s", "training time", "lower"},
		{"sample_seconds", "s", "sampling time", "lower"},
		{"total_seconds", "s", "time of the cell", "lower"},
		{"steps_per_second", "1/s", "training steps per second", "higher"},
		{"peak_memory_bytes", "bytes", "peak resident memory", "lower"},
	};
	static const char *const groups[][2] = {{"attack_seconds", "attack time"},
						{"metric_seconds", "metric time"}};
	const cJSON *run = get(s->record, "run"), *item;

	for (size_t i = 0; i < ISO_COUNT(cost); i++) {
		iso_value v = {.kind = "cost",
			       .name = cost[i].key,
			       .value = number(get(run, cost[i].key)),
			       .low = NAN,
			       .high = NAN,
			       .unit = cost[i].unit,
			       .direction = cost[i].direction,
			       .title = cost[i].title};

		ISO_TRY(emit(s, &v, err));
	}
	for (size_t i = 0; i < ISO_COUNT(groups); i++) {
		cJSON_ArrayForEach(item, get(run, groups[i][0]))
		{
			char name[160], title[160];
			iso_value v = {.kind = "cost",
				       .name = name,
				       .value = number(item),
				       .low = NAN,
				       .high = NAN,
				       .unit = "s",
				       .direction = "lower",
				       .title = title};

			snprintf(name, sizeof(name), "%s.%s", groups[i][0], item->string);
			snprintf(title, sizeof(title), "%s %s", item->string, groups[i][1]);
			ISO_TRY(emit(s, &v, err));
		}
	}
	return ISO_OK;
}

iso_status iso_record_values(const cJSON *record, iso_value_fn fn, void *ctx, iso_error *err)
{
	sink s = {.record = record, .fn = fn, .ctx = ctx};

	if (strcmp(text(record, "status"), "ok") == 0) {
		ISO_TRY(privacy_values(&s, err));
		ISO_TRY(metric_values(&s, err));
		ISO_TRY(attack_values(&s, err));
	}
	return cost_values(&s, err);
}

static void csv_number(iso_str *out, double x, int last)
{
	char t[32] = "";

	if (!isnan(x))
		iso_json_number_text(x, t);
	iso_csv_field(out, t, last);
}

const char *iso_record_guarantee(const cJSON *record)
{
	const char *declared = text(record, "guarantee"), *verified = text(record, "verified");

	if (strcmp(declared, "dp") != 0 || strcmp(verified, "verified") == 0)
		return declared;
	return strcmp(verified, "refuted") == 0 ? "refuted" : "claimed";
}

int iso_record_warned(const cJSON *record)
{
	const size_t n = strlen(ISO_ADVANTAGE_WARNING);
	const cJSON *c;

	cJSON_ArrayForEach(c, get(record, "caveats"))
	{
		if (cJSON_IsString(c) && strncmp(c->valuestring, ISO_ADVANTAGE_WARNING, n) == 0)
			return 1;
	}
	return 0;
}

static iso_status csv_row(void *ctx, const cJSON *record, const iso_value *v, iso_error *err)
{
	iso_str *out = ctx;
	const cJSON *config = get(record, "config");

	(void)err;
	iso_csv_field(out, text(record, "key"), 0);
	iso_csv_field(out, text(record, "suite"), 0);
	iso_csv_field(out, text(get(config, "dataset"), "name"), 0);
	iso_csv_field(out, text(record, "label"), 0);
	iso_csv_field(out, text(record, "mode"), 0);
	iso_csv_field(out, iso_record_guarantee(record), 0);
	csv_number(out, number(get(config, "epsilon")), 0);
	csv_number(out, number(get(config, "delta")), 0);
	csv_number(out, number(get(config, "seed")), 0);
	iso_csv_field(out, v->kind, 0);
	iso_csv_field(out, v->name, 0);
	csv_number(out, v->value, 0);
	csv_number(out, v->low, 0);
	csv_number(out, v->high, 0);
	iso_csv_field(out, v->unit, 0);
	iso_csv_field(out, text(config, "adjacency"), 0);
	iso_csv_field(out, text(config, "accountant"), 0);
	csv_number(out, number(get(get(record, "n"), "train")), 0);
	csv_number(out, number(get(get(record, "privacy"), "claimed_epsilon")), 0);
	iso_csv_field(out, text(record, "verified"), 0);
	iso_csv_field(out, text(record, "status"), 1);
	return ISO_OK;
}

static iso_status csv_record(void *ctx, const cJSON *record, iso_error *err)
{
	const iso_value failed = {.kind = "status",
				  .name = text(record, "status"),
				  .value = NAN,
				  .low = NAN,
				  .high = NAN,
				  .unit = ""};

	if (strcmp(text(record, "status"), "ok") != 0)
		return csv_row(ctx, record, &failed, err);
	return iso_record_values(record, csv_row, ctx, err);
}

static void csv_head(iso_str *out)
{
	iso_str_add(out, "cell,suite,dataset,generator,mode,guarantee,epsilon,delta,seed,kind,name,"
			 "value,low,high,unit,adjacency,accountant,n,claimed_epsilon,verified,"
			 "status\n");
}

iso_status iso_results_csv(const iso_records *r, iso_str *out, iso_error *err)
{
	csv_head(out);
	for (size_t i = 0; i < r->n; i++)
		ISO_TRY(csv_record(out, r->v[i], err));
	return iso_str_check(out, err);
}

/* Does the file hold exactly these bytes?  It is read in pieces. */
static int holds(const char *path, const iso_str *text_)
{
	char piece[1 << 16];
	size_t at = 0, n;
	FILE *f = iso_file_exists(path) ? fopen(path, "rb") : NULL;
	int same = f != NULL;

	while (same && (n = fread(piece, 1, sizeof(piece), f)) > 0) {
		same = n <= text_->n - at && memcmp(piece, text_->p + at, n) == 0;
		at += n;
	}
	if (f)
		fclose(f);
	return same && at == text_->n;
}

static iso_status csv_and_more(const iso_index *x, size_t i, iso_str *out, iso_record_take_fn fn,
			       void *ctx, iso_error *err)
{
	cJSON *r;
	iso_status st;

	ISO_TRY(iso_record_read_parts(x->dir, x->v[i].key, ISO_RECORD_LIGHT, &r, err));
	if (!r) /* damaged since the index was made */
		return ISO_OK;
	st = csv_record(out, r, err);
	if (st == ISO_OK && fn)
		st = fn(ctx, &r, err);
	cJSON_Delete(r);
	return st;
}

iso_status iso_results_renew_each(const iso_index *x, iso_record_take_fn fn, void *ctx,
				  iso_error *err)
{
	iso_str out = {0}, path = {0};
	iso_status st;

	csv_head(&out);
	iso_str_addf(&path, "%s/results.csv", x->dir);
	for (size_t i = 0; i < x->n; i++)
		ISO_TRY_OUT(csv_and_more(x, i, &out, fn, ctx, err));
	ISO_TRY_OUT(iso_str_check(&out, err));
	ISO_TRY_OUT(iso_str_check(&path, err));
	if (!holds(path.p, &out))
		st = iso_file_write_atomic(path.p, out.p, out.n, err);
out:
	iso_str_free(&out);
	iso_str_free(&path);
	return st;
}

iso_status iso_results_renew_from(const iso_index *x, iso_error *err)
{
	return iso_results_renew_each(x, NULL, NULL, err);
}

iso_status iso_results_renew(const char *dir, iso_error *err)
{
	iso_index index;
	iso_status st;

	ISO_TRY(iso_index_load(dir, &index, err));
	st = iso_results_renew_from(&index, err);
	iso_index_free(&index);
	return st;
}
