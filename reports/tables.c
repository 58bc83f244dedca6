// SPDX-License-Identifier: Apache-2.0
#include "reports/tables.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"

void iso_epsilon_text(double epsilon, char out[32])
{
	if (isinf(epsilon))
		snprintf(out, 32, "inf");
	else if (isnan(epsilon))
		snprintf(out, 32, "-");
	else
		snprintf(out, 32, "%.4g", epsilon);
}

/* "0.8731 ± 0.0042": mean and half-width of the 95 % interval over seeds; "0.87 (0.85 to 0.89)":
 * mean and range of two or three seeds; "0.87 [0.84, 0.90]": one value and its own interval. */
static void summary_text(const iso_summary *s, char out[80])
{
	int digits = fabs(s->mean) >= 1000 ? 0 : fabs(s->mean) >= 10 ? 2 : 4;

	if (s->n == 0)
		snprintf(out, 80, "-");
	else if (isinf(s->mean))
		snprintf(out, 80, "inf");
	else if (s->n >= ISO_STUDENT_SEEDS && isfinite(s->high))
		snprintf(out, 80, "%.*f ± %.*f", digits, s->mean, digits,
			 iso_student_975(s->n) * s->sd / sqrt((double)s->n));
	else if (s->n > 1 && s->low < s->high)
		snprintf(out, 80, "%.*f (%.*f to %.*f)", digits, s->mean, digits, s->low, digits,
			 s->high);
	else if (s->n > 1)
		snprintf(out, 80, "%.*f", digits, s->mean);
	else if (isfinite(s->low) && isfinite(s->high))
		snprintf(out, 80, "%.*f [%.*f, %.*f]", digits, s->mean, digits, s->low, digits,
			 s->high);
	else
		snprintf(out, 80, "%.*f", digits, s->mean);
}

static iso_status set_cell(iso_rcell *c, const char *text, double sort, iso_error *err)
{
	c->text = iso_strdup(text);
	c->sort = sort;
	return c->text ? ISO_OK : iso_no_memory(err, "report table");
}

/* The columns that every table starts with. */
#define LEAD 4
static iso_status lead_head(iso_rtable *t, iso_error *err)
{
	static const char *const head[LEAD] = {"generator", "mode", "guarantee", "target epsilon"};

	for (size_t i = 0; i < LEAD; i++)
		ISO_TRY(set_cell(&t->head[i], head[i], NAN, err));
	return ISO_OK;
}

static iso_status lead_cells(iso_rcell *row, const iso_setting *s, iso_error *err)
{
	char eps[32];

	iso_epsilon_text(s->epsilon, eps);
	ISO_TRY(set_cell(&row[0], s->label, NAN, err));
	ISO_TRY(set_cell(&row[1], *s->mode ? s->mode : "-", NAN, err));
	ISO_TRY(set_cell(&row[2], s->guarantee, NAN, err));
	return set_cell(&row[3], eps, s->epsilon, err);
}

static int on_dataset(const iso_aggregate *a, size_t setting, const char *dataset)
{
	return strcmp(a->setting[setting].dataset, dataset) == 0;
}

static iso_status fill(iso_rtable *t, const iso_aggregate *a, const char *dataset,
		       const size_t *name, size_t nname, iso_error *err)
{
	t->ncol = LEAD + nname;
	t->head = iso_alloc(t->ncol, sizeof(*t->head));
	t->cell = iso_alloc(a->nsetting * t->ncol, sizeof(*t->cell));
	if (!t->head || !t->cell)
		return iso_no_memory(err, "report table");
	ISO_TRY(lead_head(t, err));
	for (size_t j = 0; j < nname; j++)
		ISO_TRY(set_cell(&t->head[LEAD + j], a->name[name[j]].name, NAN, err));
	for (size_t i = 0; i < a->nsetting; i++) {
		iso_rcell *row = &t->cell[t->nrow * t->ncol];

		if (!on_dataset(a, i, dataset))
			continue;
		t->nrow++;
		ISO_TRY(lead_cells(row, &a->setting[i], err));
		for (size_t j = 0; j < nname; j++) {
			const iso_summary *s = iso_aggregate_at(a, i, name[j]);
			char text[80];

			summary_text(s, text);
			ISO_TRY(set_cell(&row[LEAD + j], text, s->n ? s->mean : NAN, err));
		}
		if (a->setting[i].failed)
			iso_str_addf(
				&t->notes,
				"%s at epsilon %.4g: %zu of %zu cells failed; see the records.\n",
				a->setting[i].label, a->setting[i].epsilon, a->setting[i].failed,
				a->setting[i].failed + a->setting[i].seeds);
	}
	return iso_str_check(&t->notes, err);
}

/* Which values a table shows: a kind and a prefix, or the overview's list. */
static int is_main_attack(const iso_name *n)
{
	size_t k = strlen(n->name);

	return strcmp(n->kind, "attack") == 0 && k > 4 && strcmp(n->name + k - 4, ".auc") == 0;
}

static int in_overview(const iso_name *n)
{
	static const char *const names[] = {"accounted_epsilon",   "claimed_epsilon",
					    "tstr.lr.auroc",	   "tstr.lr.auroc_micro",
					    "tstr.mlp.auroc",	   "tstr.mlp.auroc_micro",
					    "tstr.lr.accuracy",	   "marginals.tvd1_mean",
					    "marginals.tvd2_mean", "discriminator.auc"};

	for (size_t i = 0; i < ISO_COUNT(names); i++)
		if (strcmp(n->name, names[i]) == 0)
			return 1;
	return is_main_attack(n);
}

static int has_prefix(const iso_name *n, const char *prefix)
{
	return strncmp(n->name, prefix, strlen(prefix)) == 0;
}

typedef struct section {
	const char *file, *title, *kind,
		*prefix; /* prefix "" = the overview; NULL = the whole kind */
	const char *note;
} section;

static const section sections[] = {
	{"overview", "Overview", NULL, "",
	 "Mean over seeds ± half-width of the 95 % Student interval; with two or three seeds "
	 "(smallest to largest); "
	 "[low, high] is the interval of a single value. "
	 "accounted_epsilon is inf when the guarantee is not dp or anything was left uncharged."},
	{"utility", "Utility: train on synthetic, test on real", "metric", "tstr.",
	 "Columns with real. are trained on the real training rows: the ceiling. Test rows are "
	 "never seen by a generator."},
	{"fidelity", "Fidelity", "metric", "marginals.", NULL},
	{"discriminator", "Real against synthetic", "metric", "discriminator.",
	 "tld follows the literature and grows with the divergence: never read it alone."},
	{"attacks", "Attacks", "attack", NULL,
	 "AUC 0.5 is chance. These are descriptive: one model, many records; no epsilon may be "
	 "concluded from them. advantage is "
	 "biased upwards."},
	{"privacy", "Privacy", "privacy", NULL, "gdp is an approximation, never a guarantee."},
	{"cost", "Cost", "cost", NULL,
	 "Times depend on the machine and are not part of the reproducible record."},
};

static int selected(const section *s, const iso_name *n)
{
	if (s->prefix && !*s->prefix)
		return in_overview(n);
	return strcmp(n->kind, s->kind) == 0 && (!s->prefix || has_prefix(n, s->prefix));
}

static iso_status build_one(const iso_aggregate *a, size_t d, const section *s, iso_rtables *out,
			    iso_error *err)
{
	const char *dataset = a->dataset[d];
	size_t *name = iso_alloc(a->nname + 1, sizeof(*name)), n = 0;
	iso_str file = {0}, title = {0};
	iso_rtable *t;
	iso_status st = ISO_OK;

	if (!name)
		return iso_no_memory(err, "report table");
	for (size_t j = 0; j < a->nname; j++) {
		int measured = 0;

		if (!selected(s, &a->name[j]))
			continue;
		for (size_t i = 0; i < a->nsetting; i++)
			measured |= on_dataset(a, i, dataset) && iso_aggregate_at(a, i, j)->n;
		if (measured)
			name[n++] = j;
	}
	if (n == 0)
		goto out;
	ISO_TRY_OUT(iso_grow(&out->v, &out->cap, out->n + 1, sizeof(*out->v), err));
	t = &out->v[out->n++];
	memset(t, 0, sizeof(*t));
	iso_str_addf(&file, "%s-%s", a->slug[d], s->file);
	iso_str_addf(&title, "%s: %s", dataset, s->title);
	ISO_TRY_OUT(iso_str_check(&file, err));
	ISO_TRY_OUT(iso_str_check(&title, err));
	t->file = file.p;
	t->title = title.p;
	t->dataset = d;
	memset(&file, 0, sizeof(file)); /* the table owns both now */
	memset(&title, 0, sizeof(title));
	if (s->note)
		iso_str_addf(&t->notes, "%s\n", s->note);
	st = fill(t, a, dataset, name, n, err);
out:
	iso_str_free(&file);
	iso_str_free(&title);
	iso_free(name);
	return st;
}

/* Caveats that the records carry, each once, under the overview of its data set. */
static iso_status add_caveats(const iso_aggregate *a, const char *dataset, iso_rtable *t,
			      iso_error *err)
{
	for (size_t i = 0; i < a->records->n; i++) {
		const cJSON *r = a->records->v[i], *caveat;
		const cJSON *d = cJSON_GetObjectItemCaseSensitive(
			cJSON_GetObjectItemCaseSensitive(r, "config"), "dataset");
		const cJSON *named = cJSON_GetObjectItemCaseSensitive(d, "label");
		const cJSON *name =
			cJSON_IsString(named) ? named : cJSON_GetObjectItemCaseSensitive(d, "name");

		if (!cJSON_IsString(name) || strcmp(name->valuestring, dataset) != 0)
			continue;
		cJSON_ArrayForEach(
			caveat,
			cJSON_GetObjectItemCaseSensitive(
				r, "caveats")) if (cJSON_IsString(caveat) &&
						   (!t->notes.p ||
						    !strstr(t->notes.p, caveat->valuestring)))
			iso_str_addf(&t->notes, "%s\n", caveat->valuestring);
	}
	return iso_str_check(&t->notes, err);
}

iso_status iso_tables_build(const iso_aggregate *a, iso_rtables *out, iso_error *err)
{
	iso_status st = ISO_OK;

	memset(out, 0, sizeof(*out));
	for (size_t d = 0; d < a->ndataset; d++)
		for (size_t s = 0; s < ISO_COUNT(sections); s++) {
			size_t before = out->n;

			ISO_TRY_OUT(build_one(a, d, &sections[s], out, err));
			if (s == 0 && out->n > before)
				ISO_TRY_OUT(add_caveats(a, a->dataset[d], &out->v[before], err));
		}
out:
	if (st != ISO_OK)
		iso_tables_free(out);
	return st;
}

void iso_tables_free(iso_rtables *t)
{
	for (size_t i = 0; i < t->n; i++) {
		iso_rtable *r = &t->v[i];

		for (size_t j = 0; r->head && j < r->ncol; j++)
			iso_free(r->head[j].text);
		for (size_t j = 0; r->cell && j < r->nrow * r->ncol; j++)
			iso_free(r->cell[j].text);
		iso_free(r->head);
		iso_free(r->cell);
		iso_free(r->file);
		iso_free(r->title);
		iso_str_free(&r->notes);
	}
	iso_free(t->v);
	memset(t, 0, sizeof(*t));
}
