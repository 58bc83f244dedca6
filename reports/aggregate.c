// SPDX-License-Identifier: Apache-2.0
#include "reports/aggregate.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "core/math/special.h"
#include "reports/escape.h"

/* One measured value on its way into a group. */
typedef struct sample {
	size_t setting, name;
	double value, low, high;
} sample;

typedef struct collector {
	iso_aggregate *a;
	size_t setting;
	sample *v;
	size_t n, cap;
} collector;

static const char *text_of(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static double target_epsilon(const cJSON *config)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(config, "epsilon");

	return cJSON_IsNumber(v) ? v->valuedouble : INFINITY;
}

static int same_setting(const iso_setting *a, const iso_setting *b)
{
	return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->label, b->label) == 0 &&
	       strcmp(a->mode, b->mode) == 0 && a->epsilon == b->epsilon;
}

static iso_status find_setting(iso_aggregate *a, const cJSON *record, size_t *index, iso_error *err)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(record, "config");
	const cJSON *dataset = cJSON_GetObjectItemCaseSensitive(config, "dataset");
	const char *named = text_of(dataset, "label");
	iso_setting s = {
		.dataset = *named ? named : text_of(dataset, "name"),
		.label = text_of(record, "label"),
		.generator = text_of(cJSON_GetObjectItemCaseSensitive(config, "generator"), "name"),
		.mode = text_of(record, "mode"),
		.guarantee = text_of(record, "guarantee"),
		.epsilon = target_epsilon(config),
	};

	for (*index = 0; *index < a->nsetting; ++*index)
		if (same_setting(&a->setting[*index], &s))
			return ISO_OK;
	ISO_TRY(iso_grow(&a->setting, &a->cap_setting, a->nsetting + 1, sizeof(s), err));
	a->setting[a->nsetting++] = s;
	return ISO_OK;
}

static iso_status find_name(iso_aggregate *a, const iso_value *v, size_t *index, iso_error *err)
{
	for (*index = 0; *index < a->nname; ++*index)
		if (strcmp(a->name[*index].name, v->name) == 0)
			return ISO_OK;
	ISO_TRY(iso_grow(&a->name, &a->cap_name, a->nname + 1, sizeof(*a->name), err));
	a->name[a->nname] = (iso_name){.name = iso_strdup(v->name),
				       .title = iso_strdup(v->title ? v->title : ""),
				       .kind = v->kind,
				       .share = v->unit && strcmp(v->unit, "share") == 0};
	a->nname++;
	if (!a->name[a->nname - 1].name || !a->name[a->nname - 1].title)
		return iso_no_memory(err, "value names");
	return ISO_OK;
}

static iso_status collect(void *ctx, const cJSON *record, const iso_value *v, iso_error *err)
{
	collector *c = ctx;
	sample s = {.setting = c->setting, .value = v->value, .low = v->low, .high = v->high};

	(void)record;
	if (isnan(v->value))
		return ISO_OK;
	ISO_TRY(find_name(c->a, v, &s.name, err));
	ISO_TRY(iso_grow(&c->v, &c->cap, c->n + 1, sizeof(s), err));
	c->v[c->n++] = s;
	return ISO_OK;
}

double iso_student_975(size_t n)
{
	double dof = (double)n - 1, x;

	if (n < 2)
		return NAN;
	/* t^2 = dof (1/x - 1) with x the 5 % quantile of Beta(dof/2, 1/2). */
	x = iso_beta_ppf(dof / 2, 0.5, 0.05);
	return sqrt(dof * (1 / x - 1));
}

/* Mean and range first; sums of squares need the mean, so a second pass. */
static void summarise(const collector *c, iso_aggregate *a)
{
	for (size_t i = 0; i < c->n; i++) {
		const sample *x = &c->v[i];
		iso_summary *s = &a->cell[x->setting * a->nname + x->name];

		s->low = s->n ? fmin(s->low, x->value) : x->low;
		s->high = s->n ? fmax(s->high, x->value) : x->high;
		if (s->n == 1) { /* the first value's own interval gives way to the range */
			s->low = fmin(s->mean, x->value);
			s->high = fmax(s->mean, x->value);
		}
		s->mean += x->value;
		s->n++;
	}
	for (size_t i = 0; i < a->nsetting * a->nname; i++)
		if (a->cell[i].n)
			a->cell[i].mean /= (double)a->cell[i].n;
	for (size_t i = 0; i < c->n; i++) {
		iso_summary *s = &a->cell[c->v[i].setting * a->nname + c->v[i].name];
		double d = c->v[i].value - s->mean;

		if (isfinite(d))
			s->sd += d * d;
	}
	for (size_t i = 0; i < a->nsetting * a->nname; i++) {
		iso_summary *s = &a->cell[i];
		double half;

		if (s->n < 2)
			continue;
		s->sd = sqrt(s->sd / (double)(s->n - 1));
		if (s->n < ISO_STUDENT_SEEDS)
			continue;
		half = iso_student_975(s->n) * s->sd / sqrt((double)s->n);
		s->low = s->mean - half;
		s->high = s->mean + half;
		if (a->name[s->name].share) {
			s->low = fmax(s->low, 0);
			s->high = fmin(s->high, 1);
		}
	}
}

static iso_status find_datasets(iso_aggregate *a, iso_error *err)
{
	a->dataset = iso_alloc(a->nsetting + 1, sizeof(*a->dataset));
	if (!a->dataset)
		return iso_no_memory(err, "report");
	for (size_t i = 0; i < a->nsetting; i++) {
		size_t j;

		for (j = 0; j < a->ndataset; j++)
			if (strcmp(a->dataset[j], a->setting[i].dataset) == 0)
				break;
		if (j == a->ndataset)
			a->dataset[a->ndataset++] = a->setting[i].dataset;
	}
	return ISO_OK;
}

/* Two data sets may differ in characters that no file name keeps, or in case alone. */
static iso_status name_slugs(iso_aggregate *a, iso_error *err)
{
	a->slug = iso_alloc(a->ndataset + 1, sizeof(*a->slug));
	if (!a->slug)
		return iso_no_memory(err, "report");
	for (size_t i = 0; i < a->ndataset; i++) {
		iso_str s = {0};
		int taken = 0;

		iso_file_stem(a->dataset[i], &s);
		ISO_TRY(iso_str_check(&s, err));
		for (size_t j = 0; j < i; j++)
			taken |= strcasecmp(a->slug[j], s.p) == 0;
		if (taken)
			iso_str_addf(&s, "~%zu", i + 1);
		ISO_TRY(iso_str_check(&s, err));
		a->slug[i] = s.p;
	}
	return ISO_OK;
}

iso_status iso_aggregate_new(const iso_records *r, iso_aggregate *out, iso_error *err)
{
	collector c = {.a = out};
	iso_status st = ISO_OK;

	memset(out, 0, sizeof(*out));
	out->records = r;
	for (size_t i = 0; i < r->n; i++) {
		ISO_TRY_OUT(find_setting(out, r->v[i], &c.setting, err));
		if (strcmp(text_of(r->v[i], "status"), "ok") != 0) {
			out->setting[c.setting].failed++;
			continue;
		}
		out->setting[c.setting].seeds++;
		ISO_TRY_OUT(iso_record_values(r->v[i], collect, &c, err));
	}
	out->cell = iso_alloc(out->nsetting * out->nname, sizeof(*out->cell));
	if (!out->cell) {
		st = iso_no_memory(err, "report");
		goto out;
	}
	for (size_t i = 0; i < out->nsetting * out->nname; i++)
		out->cell[i] = (iso_summary){
			.setting = i / out->nname, .name = i % out->nname, .low = NAN, .high = NAN};
	summarise(&c, out);
	ISO_TRY_OUT(find_datasets(out, err));
	st = name_slugs(out, err);
out:
	iso_free(c.v);
	if (st != ISO_OK)
		iso_aggregate_free(out);
	return st;
}

void iso_aggregate_free(iso_aggregate *a)
{
	for (size_t i = 0; i < a->nname; i++) {
		iso_free(a->name[i].name);
		iso_free(a->name[i].title);
	}
	iso_free(a->name);
	iso_free(a->setting);
	iso_free(a->cell);
	for (size_t i = 0; a->slug && i < a->ndataset; i++)
		iso_free(a->slug[i]);
	iso_free(a->slug);
	iso_free(a->dataset);
	memset(a, 0, sizeof(*a));
}

const iso_summary *iso_aggregate_at(const iso_aggregate *a, size_t setting, size_t name)
{
	return &a->cell[setting * a->nname + name];
}

size_t iso_aggregate_find(const iso_aggregate *a, const char *name)
{
	for (size_t i = 0; i < a->nname; i++)
		if (strcmp(a->name[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

static int measured_on(const iso_aggregate *a, const char *dataset, size_t name)
{
	for (size_t i = 0; i < a->nsetting; i++)
		if (strcmp(a->setting[i].dataset, dataset) == 0 && iso_aggregate_at(a, i, name)->n)
			return 1;
	return 0;
}

size_t iso_aggregate_utility(const iso_aggregate *a, const char *dataset)
{
	static const char *const preferred[] = {"tstr.lr.auroc",	"tstr.lr.auroc_micro",
						"tstr.lr.auroc_macro",	"tstr.lr.accuracy",
						"tstr.mlp.auroc_micro", "marginals.tvd2_mean",
						"marginals.tvd1_mean"};

	for (size_t i = 0; i < ISO_COUNT(preferred); i++) {
		size_t name = iso_aggregate_find(a, preferred[i]);

		if (name != SIZE_MAX && measured_on(a, dataset, name))
			return name;
	}
	return SIZE_MAX;
}
