// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/table.h"
#include "core/base/alloc.h"

#define ATTACKS_MAX 32

typedef struct mean {
	double sum;
	size_t n;
} mean;

typedef struct iso_summary_line line;
struct iso_summary_line {
	char setting[33];
	const char *dataset, *label, *guarantee;
	double target;
	size_t seeds;
	mean accounted, utility, auc[ATTACKS_MAX], low, high; /* low, high: of the first attack */
	const char *utility_title, *attack[ATTACKS_MAX];
	size_t nattack;
};

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text(const cJSON *obj, const char *key)
{
	const cJSON *v = get(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static double number(const cJSON *v)
{
	if (cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0)
		return INFINITY;
	return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static void take(mean *m, double x)
{
	if (isnan(x))
		return;
	m->sum += x;
	m->n++;
}

static double value(const mean *m)
{
	return m->n ? m->sum / (double)m->n : NAN;
}

void iso_eps_text(double x, char out[32])
{
	if (isnan(x))
		snprintf(out, 32, "-");
	else if (isinf(x))
		snprintf(out, 32, "inf");
	else
		snprintf(out, 32, "%.6g", x);
}

/* The main utility: the first AUROC that a classifier trained on synthetic rows reaches; without
 * one, the first value that is better when higher. */
static const cJSON *main_metric(const cJSON *record)
{
	const cJSON *m, *first = NULL;

	cJSON_ArrayForEach(m, get(record, "metrics"))
	{
		if (strcmp(text(m, "direction"), "higher") != 0)
			continue;
		if (strstr(text(m, "name"), "auroc"))
			return m;
		if (!first)
			first = m;
	}
	return first;
}

static const char *keep(iso_summary *s, const char *word)
{
	const char *copy = iso_arena_strdup(&s->arena, word);

	return copy ? copy : "";
}

static void take_utility(iso_summary *s, line *l, const cJSON *record)
{
	const cJSON *m = main_metric(record);

	if (!m)
		return;
	if (!l->utility_title)
		l->utility_title = keep(s, text(m, "title"));
	if (strcmp(l->utility_title, text(m, "title")) == 0)
		take(&l->utility, number(get(m, "value")));
}

static void take_attacks(iso_summary *s, line *l, const cJSON *record)
{
	const cJSON *a;

	cJSON_ArrayForEach(a, get(record, "attacks"))
	{
		size_t i = 0;

		if (isnan(number(get(a, "auc"))))
			continue;
		while (i < l->nattack && strcmp(l->attack[i], text(a, "label")) != 0)
			i++;
		if (i == ATTACKS_MAX)
			continue;
		if (i == l->nattack)
			l->attack[l->nattack++] = keep(s, text(a, "label"));
		take(&l->auc[i], number(get(a, "auc")));
		if (i == 0) {
			take(&l->low, number(get(a, "auc_low")));
			take(&l->high, number(get(a, "auc_high")));
		}
	}
}

iso_status iso_summary_add(void *ctx, const cJSON *record, iso_error *err)
{
	iso_summary *s = ctx;
	const cJSON *config = get(record, "config");
	const char *label = text(record, "label");
	char setting[33];
	line *l;

	if (strcmp(text(record, "status"), "ok") != 0)
		return ISO_OK;
	ISO_TRY(iso_record_setting(record, setting, err));
	l = s->n ? &s->line[s->n - 1] : NULL; /* the records of a line follow one another */
	for (size_t i = s->n; l && i-- > 0 && strcmp(s->line[i].label, label) == 0;) {
		l = &s->line[i];
		if (strcmp(l->setting, setting) == 0)
			break;
	}
	if (!l || strcmp(l->setting, setting) != 0 || strcmp(l->label, label) != 0) {
		ISO_TRY(iso_grow(&s->line, &s->cap, s->n + 1, sizeof(*s->line), err));
		l = &s->line[s->n++];
		*l = (line){.dataset = keep(s, text(get(config, "dataset"), "name")),
			    .label = keep(s, label),
			    .guarantee = iso_record_guarantee(record),
			    .target = number(get(config, "epsilon"))};
		l->guarantee = keep(s, l->guarantee);
		memcpy(l->setting, setting, sizeof(setting));
	}
	l->seeds++;
	take(&l->accounted, number(get(get(record, "privacy"), "accounted_epsilon")));
	take_utility(s, l, record);
	take_attacks(s, l, record);
	return ISO_OK;
}

void iso_summary_free(iso_summary *s)
{
	iso_arena_free(&s->arena);
	iso_free(s->line);
	memset(s, 0, sizeof(*s));
}

/* The attack with the highest mean AUC: attacks.md section 2.8. */
static size_t strongest(const line *l)
{
	size_t best = 0;

	for (size_t i = 1; i < l->nattack; i++)
		if (value(&l->auc[i]) > value(&l->auc[best]))
			best = i;
	return best;
}

static void number_cell(iso_grid *g, double x, int decimals)
{
	if (isnan(x))
		iso_grid_add(g, "-");
	else
		iso_grid_add(g, "%.*f", decimals, x);
}

static void print_line(iso_grid *g, const line *l)
{
	char target[32], accounted[32];
	const size_t best = strongest(l);

	iso_eps_text(l->target, target);
	if (isfinite(value(&l->accounted)))
		snprintf(accounted, sizeof(accounted), "%.3f", value(&l->accounted));
	else
		iso_eps_text(value(&l->accounted), accounted);
	iso_grid_add(g, "%s", l->label);
	iso_grid_add(g, "%s", l->guarantee);
	iso_grid_add(g, "%s", target);
	iso_grid_add(g, "%s", accounted);
	iso_grid_add(g, "%zu", l->seeds);
	number_cell(g, value(&l->utility), 3);
	if (l->nattack) {
		iso_grid_add(g, "%.3f [%.3f, %.3f]", value(&l->auc[0]), value(&l->low),
			     value(&l->high));
		iso_grid_add(g, "%.3f %s", value(&l->auc[best]), l->attack[best]);
	} else {
		iso_grid_add(g, "-");
		iso_grid_add(g, "-");
	}
}

iso_status iso_summary_text(const iso_summary *s, iso_str *out, iso_error *err)
{
	const line *lines = s->line;
	const size_t n = s->n;

	for (size_t i = 0; i < n;) {
		iso_grid g = {.columns = 8};
		const char *dataset = lines[i].dataset;

		iso_str_addf(out, "%s%s\n", i ? "\n" : "", dataset);
		iso_grid_add(&g, "generator");
		iso_grid_add(&g, "guarantee");
		iso_grid_add(&g, "target eps");
		iso_grid_add(&g, "accounted");
		iso_grid_add(&g, "seeds");
		iso_grid_add(&g, "%s", lines[i].utility_title ? lines[i].utility_title : "utility");
		iso_grid_add(&g, "%s AUC [95 %%]",
			     lines[i].nattack ? lines[i].attack[0] : "attack");
		iso_grid_add(&g, "strongest attack");
		for (; i < n && strcmp(lines[i].dataset, dataset) == 0; i++)
			print_line(&g, &lines[i]);
		iso_grid_print(&g, out);
	}
	return iso_str_check(out, err);
}

static int add_line(cJSON *list, const line *l)
{
	cJSON *o = cJSON_CreateObject(), *attacks = cJSON_CreateObject();
	int ok = o && attacks && cJSON_AddStringToObject(o, "dataset", l->dataset) &&
		 cJSON_AddStringToObject(o, "generator", l->label) &&
		 cJSON_AddStringToObject(o, "guarantee", l->guarantee) &&
		 iso_json_add_number(o, "epsilon", l->target) &&
		 iso_json_add_number(o, "accounted_epsilon", value(&l->accounted)) &&
		 cJSON_AddNumberToObject(o, "seeds", (double)l->seeds);

	if (ok && l->utility.n)
		ok = cJSON_AddStringToObject(o, "metric", l->utility_title) &&
		     cJSON_AddNumberToObject(o, "value", value(&l->utility));
	for (size_t i = 0; ok && i < l->nattack; i++)
		ok = cJSON_AddNumberToObject(attacks, l->attack[i], value(&l->auc[i])) != NULL;
	if (ok && cJSON_AddItemToObject(o, "attack_auc", attacks))
		attacks = NULL;
	if (ok && !attacks && cJSON_AddItemToArray(list, o))
		return 1;
	cJSON_Delete(attacks);
	cJSON_Delete(o);
	return 0;
}

iso_status iso_summary_json(const iso_summary *s, cJSON **out, iso_error *err)
{
	cJSON *list = cJSON_CreateArray();
	int ok = list != NULL;

	for (size_t i = 0; i < s->n && ok; i++)
		ok = add_line(list, &s->line[i]);
	if (!ok) {
		cJSON_Delete(list);
		return iso_no_memory(err, "the results table");
	}
	*out = list;
	return ISO_OK;
}
