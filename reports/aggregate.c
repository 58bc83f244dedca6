// SPDX-License-Identifier: Apache-2.0
#include "reports/aggregate.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "reports/escape.h"

typedef struct collector {
	iso_aggregate *a;
	size_t setting;
	iso_shown_fn shown;
	const void *ctx;
} collector;

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static const char *text_of(const cJSON *o, const char *key)
{
	const cJSON *v = get(o, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static double number_of(const cJSON *o, const char *key, double otherwise)
{
	const cJSON *v = get(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

/* The configuration without the seed and without its judges, and what the record says about code.
 */
static iso_status identity_of(const cJSON *record, char **out, iso_error *err)
{
	static const char *const not_part[] = {"seed", "attacks", "metrics", "attack_targets",
					       "samples"};
	cJSON *copy = cJSON_Duplicate(get(record, "config"), 1);
	iso_str text = {0};
	iso_status st;

	if (!copy)
		return iso_no_memory(err, "report");
	for (size_t i = 0; i < ISO_COUNT(not_part); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(copy, not_part[i]);
	st = iso_json_canonical(copy, &text, err);
	cJSON_Delete(copy);
	iso_str_addf(&text, "|%s|%s|%s", text_of(record, "label"), text_of(record, "mode"),
		     text_of(get(record, "run"), "version"));
	if (st == ISO_OK)
		st = iso_str_check(&text, err);
	if (st == ISO_OK)
		*out = text.p;
	else
		iso_str_free(&text);
	return st;
}

/* What became of a promise: one word of the record's own reader (results/record.h). */
static const char *verdict_of(const cJSON *record)
{
	const char *label = iso_record_guarantee(record);

	if (strcmp(text_of(record, "guarantee"), "dp") != 0)
		return "";
	return strcmp(label, "dp") == 0 ? "verified" : label;
}

/* A row of several records is no better than the worst of them. */
static void take_verdict(iso_setting *s, const char *verdict)
{
	static const char *const order[] = {"verified", "claimed", "refuted"};
	size_t old = 0, new_ = 0;

	for (size_t i = 0; i < ISO_COUNT(order); i++) {
		old = strcmp(s->verdict, order[i]) == 0 ? i : old;
		new_ = strcmp(verdict, order[i]) == 0 ? i : new_;
	}
	if (new_ > old)
		s->verdict = verdict;
}

static iso_status find_setting(iso_aggregate *a, const cJSON *record, size_t *index, iso_error *err)
{
	const cJSON *config = get(record, "config"), *dataset = get(config, "dataset");
	const char *named = text_of(dataset, "label");
	iso_setting s = {
		.dataset = *named ? named : text_of(dataset, "name"),
		.label = text_of(record, "label"),
		.generator = text_of(get(config, "generator"), "name"),
		.mode = text_of(record, "mode"),
		.guarantee = text_of(record, "guarantee"),
		.control = text_of(record, "control"),
		.verdict = verdict_of(record),
		.warned = iso_record_warned(record),
		.epsilon = number_of(config, "epsilon", INFINITY),
		.delta = number_of(config, "delta", NAN),
		.rows = number_of(get(record, "n"), "train", NAN),
		.record = record,
	};
	iso_status st;

	ISO_TRY(identity_of(record, &s.identity, err));
	for (*index = 0; *index < a->nsetting; ++*index)
		if (strcmp(a->setting[*index].identity, s.identity) == 0) {
			take_verdict(&a->setting[*index], s.verdict);
			a->setting[*index].warned |= s.warned;
			iso_free(s.identity);
			return ISO_OK;
		}
	st = iso_grow(&a->setting, &a->cap_setting, a->nsetting + 1, sizeof(s), err);
	if (st != ISO_OK) {
		iso_free(s.identity);
		return st;
	}
	a->setting[a->nsetting++] = s;
	return ISO_OK;
}

static iso_status find_name(iso_aggregate *a, const iso_value *v, size_t *index, iso_error *err)
{
	iso_name *n;

	for (*index = 0; *index < a->nname; ++*index)
		if (strcmp(a->name[*index].name, v->name) == 0)
			return ISO_OK;
	ISO_TRY(iso_grow(&a->name, &a->cap_name, a->nname + 1, sizeof(*a->name), err));
	n = &a->name[a->nname++];
	*n = (iso_name){.name = iso_strdup(v->name),
			.title = iso_strdup(v->title && *v->title ? v->title : v->name),
			.unit = iso_strdup(v->unit ? v->unit : ""),
			.section = iso_strdup(v->section),
			.real = iso_strdup(v->real),
			.kind = v->kind,
			.direction = strcmp(v->direction, "higher") == 0  ? 1
				     : strcmp(v->direction, "lower") == 0 ? -1
									  : 0,
			.headline = v->headline,
			.lo = v->lo,
			.hi = v->hi,
			.ideal = v->ideal,
			.chance = v->chance};
	return n->name && n->title && n->unit && n->section && n->real
		       ? ISO_OK
		       : iso_no_memory(err, "value names");
}

static iso_status collect(void *ctx, const cJSON *record, const iso_value *v, iso_error *err)
{
	collector *c = ctx;
	iso_sample s = {.setting = c->setting,
			.seed = number_of(get(record, "config"), "seed", NAN),
			.value = v->value,
			.low = v->low,
			.high = v->high};

	if (isnan(v->value) || (c->shown && !c->shown(c->ctx, v->kind, v->name)))
		return ISO_OK;
	ISO_TRY(find_name(c->a, v, &s.name, err));
	ISO_TRY(iso_grow(&c->a->sample, &c->a->cap_sample, c->a->nsample + 1, sizeof(s), err));
	c->a->sample[c->a->nsample++] = s;
	return ISO_OK;
}

static void student_interval(iso_summary *s, const iso_name *name)
{
	const double half = iso_student_975(s->n) * s->sd / sqrt((double)s->n);

	s->low = s->mean - half;
	s->high = s->mean + half;
	if (isfinite(name->lo))
		s->low = fmax(s->low, name->lo);
	if (isfinite(name->hi))
		s->high = fmin(s->high, name->hi);
}

static int compare_samples(const void *pa, const void *pb)
{
	const iso_sample *a = pa, *b = pb;

	if (a->setting != b->setting)
		return a->setting < b->setting ? -1 : 1;
	if (a->name != b->name)
		return a->name < b->name ? -1 : 1;
	return (a->seed > b->seed) - (a->seed < b->seed);
}

/* Mean and range first; sums of squares need the mean, so a second pass. */
static void summarise(iso_aggregate *a)
{
	for (size_t i = 0; i < a->nsample; i++) {
		const iso_sample *x = &a->sample[i];
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
	for (size_t i = 0; i < a->nsample; i++) {
		iso_summary *s = &a->cell[a->sample[i].setting * a->nname + a->sample[i].name];
		double d = a->sample[i].value - s->mean;

		if (isfinite(d))
			s->sd += d * d;
	}
	for (size_t i = 0; i < a->nsetting * a->nname; i++) {
		iso_summary *s = &a->cell[i];

		if (s->n < 2)
			continue;
		s->sd = sqrt(s->sd / (double)(s->n - 1));
		if (s->n >= ISO_STUDENT_SEEDS)
			student_interval(s, &a->name[s->name]);
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

static int same_row_name(const iso_setting *x, const iso_setting *y)
{
	return strcmp(x->label, y->label) == 0 && strcmp(x->mode, y->mode) == 0;
}

/* "dp-x", "dp-x (paper)" where the label does not say the mode, "dp-x #2" where two configurations
 * would otherwise share a row. */
static iso_status name_setting(iso_aggregate *a, size_t i, iso_error *err)
{
	iso_setting *s = &a->setting[i];
	iso_str text = {0};
	size_t before = 0, same = 0;

	iso_str_add(&text, s->label);
	if (*s->mode && strcmp(s->mode, "sound") != 0 && !strstr(s->label, s->mode))
		iso_str_addf(&text, " (%s)", s->mode);
	for (size_t j = 0; j < a->nsetting; j++)
		if (same_row_name(s, &a->setting[j]) && s->epsilon == a->setting[j].epsilon &&
		    strcmp(s->dataset, a->setting[j].dataset) == 0) {
			same++;
			before += j < i;
		}
	if (same > 1) {
		iso_str_addf(&text, " #%zu", before + 1);
		a->split = 1;
	}
	ISO_TRY(iso_str_check(&text, err));
	s->name = text.p;
	return ISO_OK;
}

/* Methods before controls, each in order of appearance. */
static iso_status number_methods(iso_aggregate *a, iso_error *err)
{
	for (size_t i = 0; i < a->nsetting; i++)
		ISO_TRY(name_setting(a, i, err));
	for (int control = 0; control < 2; control++)
		for (size_t i = 0; i < a->nsetting; i++) {
			size_t j = 0;

			if (!!*a->setting[i].control != control)
				continue;
			while (j < a->nsetting &&
			       (j == i || strcmp(a->setting[j].name, a->setting[i].name) != 0 ||
				j > i))
				j++;
			if (j < i) {
				a->setting[i].method = a->setting[j].method;
				continue;
			}
			a->setting[i].method = a->nmethod++;
			a->ncontrol += (size_t)control;
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
	return iso_aggregate_of(r, NULL, NULL, out, err);
}

iso_status iso_aggregate_begin(const iso_records *r, size_t room, iso_aggregate *out,
			       iso_error *err)
{
	memset(out, 0, sizeof(*out));
	out->records = r;
	out->of_record = iso_alloc(room + 1, sizeof(*out->of_record));
	return out->of_record ? ISO_OK : iso_no_memory(err, "report");
}

iso_status iso_aggregate_add(iso_aggregate *a, size_t at, iso_shown_fn shown, const void *ctx,
			     int *first, iso_error *err)
{
	collector c = {.a = a, .shown = shown, .ctx = ctx};
	const cJSON *r = a->records->v[at];
	iso_setting *s;

	ISO_TRY(find_setting(a, r, &c.setting, err));
	a->of_record[at] = c.setting;
	s = &a->setting[c.setting];
	*first = s->record == r;
	if (strcmp(text_of(r, "status"), "ok") != 0) {
		s->failed++;
		return ISO_OK;
	}
	s->seeds++;
	if (isnan(s->rows)) {
		s->rows = number_of(get(r, "n"), "train", NAN);
		s->record = r;
		*first = 1;
	}
	return iso_record_values(r, collect, &c, err);
}

iso_status iso_aggregate_end(iso_aggregate *a, iso_error *err)
{
	a->cell = iso_alloc(a->nsetting * a->nname + 1, sizeof(*a->cell));
	if (!a->cell)
		return iso_no_memory(err, "report");
	for (size_t i = 0; i < a->nsetting * a->nname; i++)
		a->cell[i] = (iso_summary){
			.setting = i / a->nname, .name = i % a->nname, .low = NAN, .high = NAN};
	if (a->nsample)
		qsort(a->sample, a->nsample, sizeof(*a->sample), compare_samples);
	summarise(a);
	ISO_TRY(find_datasets(a, err));
	ISO_TRY(name_slugs(a, err));
	return number_methods(a, err);
}

iso_status iso_aggregate_of(const iso_records *r, iso_shown_fn shown, const void *ctx,
			    iso_aggregate *out, iso_error *err)
{
	iso_status st = iso_aggregate_begin(r, r->n, out, err);
	int first;

	for (size_t i = 0; i < r->n && st == ISO_OK; i++)
		st = iso_aggregate_add(out, i, shown, ctx, &first, err);
	if (st == ISO_OK)
		st = iso_aggregate_end(out, err);
	if (st != ISO_OK)
		iso_aggregate_free(out);
	return st;
}

void iso_aggregate_free(iso_aggregate *a)
{
	for (size_t i = 0; i < a->nname; i++) {
		iso_free(a->name[i].name);
		iso_free(a->name[i].title);
		iso_free(a->name[i].unit);
		iso_free(a->name[i].section);
		iso_free(a->name[i].real);
	}
	for (size_t i = 0; i < a->nsetting; i++) {
		iso_free(a->setting[i].identity);
		iso_free(a->setting[i].name);
	}
	for (size_t i = 0; a->slug && i < a->ndataset; i++)
		iso_free(a->slug[i]);
	iso_free(a->slug);
	iso_free(a->dataset);
	iso_free(a->name);
	iso_free(a->setting);
	iso_free(a->cell);
	iso_free(a->sample);
	iso_free(a->of_record);
	memset(a, 0, sizeof(*a));
}

const cJSON *iso_whole_record(const iso_aggregate *a, size_t i, cJSON **owned)
{
	iso_error ignored = {0};

	*owned = NULL;
	if (!a->dir)
		return a->records->v[i];
	if (iso_record_read(a->dir, text_of(a->records->v[i], "key"), owned, &ignored) != ISO_OK)
		return NULL;
	return *owned;
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

int iso_measured_on(const iso_aggregate *a, const char *dataset, size_t name)
{
	for (size_t i = 0; i < a->nsetting; i++)
		if (strcmp(a->setting[i].dataset, dataset) == 0 && iso_aggregate_at(a, i, name)->n)
			return 1;
	return 0;
}
