// SPDX-License-Identifier: Apache-2.0
#include "reports/figures.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/io/csv.h"
#include "core/io/file.h"
#include "reports/tables.h"

static void variable(iso_str *s, const char *name, const char *text)
{
	iso_str_addf(s, "%s = ", name);
	iso_gnuplot_string(text, s);
	iso_str_add(s, "\n");
}

static void number_field(iso_str *csv, double x, int last)
{
	char text[32] = "";

	if (!isnan(x))
		iso_json_number_text(x, text);
	iso_csv_field(csv, text, last);
}

/* A list of distinct series names, written as a gnuplot array. */
typedef struct names {
	iso_str v[128];
	size_t n;
} names;

static void names_add(names *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].p, name) == 0)
			return;
	if (l->n < ISO_COUNT(l->v) && (iso_str_add(&l->v[l->n], name), l->v[l->n].p))
		l->n++;
}

static void names_script(iso_str *s, const char *array, const names *l)
{
	iso_str_addf(s, "n%s = %zu\narray %s[%zu] = [", array, l->n, array, l->n ? l->n : 1);
	for (size_t i = 0; i < l->n; i++) {
		iso_str_add(s, i ? ", " : "");
		iso_gnuplot_string(l->v[i].p, s);
	}
	iso_str_add(s, l->n ? "]\n" : "\"\"]\n");
}

static void names_free(names *l)
{
	for (size_t i = 0; i < l->n; i++)
		iso_str_free(&l->v[i]);
	l->n = 0;
}

/* A figure being written: its data, the variables in front of its script, and its series. */
typedef struct draft {
	iso_str stem, title, csv, script;
	names series, level;
	size_t dataset;
} draft;

static void draft_free(draft *d)
{
	names_free(&d->series);
	names_free(&d->level);
	iso_str_free(&d->stem);
	iso_str_free(&d->title);
	iso_str_free(&d->csv);
	iso_str_free(&d->script);
}

/* A label as gnuplot can hold it (iso_gnuplot_string): data and script must agree. */
static void add_label(iso_str *out, const char *label)
{
	for (; *label; label++)
		if (*label == '\'')
			iso_str_add(out, "\xe2\x80\x99");
		else
			iso_str_addn(out, label, 1);
}

/* "dp-cgan", or "dp-cgan (paper)" where the label does not say the mode already. */
static void series_name(const iso_setting *s, iso_str *out)
{
	add_label(out, s->label);
	if (*s->mode && strcmp(s->mode, "sound") != 0 && strcmp(s->mode, "-") != 0 &&
	    !strstr(s->label, s->mode))
		iso_str_addf(out, " (%s)", s->mode);
}

/* Writes data and script, draws, and adds the figure to the list. A figure that gnuplot refuses
 * names itself and stops nothing. */
static iso_status finish(draft *d, iso_figures *f, const iso_aggregate *a, const char *dir,
			 const char *template, iso_error *err)
{
	const char *stem = d->stem.p;
	iso_error why = {0};
	iso_str text = {0};
	iso_status st = ISO_OK;

	ISO_TRY(iso_str_check(&d->stem, err));
	ISO_TRY(iso_str_check(&d->title, err));
	iso_str_addf(&text,
		     "# gnuplot -d -e \"format='png'\" %s.gp\nif (!exists(\"format\")) format = "
		     "\"png\"\nset datafile commentschars ''\n",
		     stem);
	variable(&text, "stem", stem);
	iso_str_add(&text, "id = '");
	for (const char *p = stem; *p; p++)
		iso_str_addn(&text, isalnum((unsigned char)*p) ? p : "_", 1);
	iso_str_add(&text, "'\ndata = stem.\".csv\"\n");
	variable(&text, "head", d->title.p);
	iso_str_add(&text, d->script.p);
	iso_str_add(&text, template);
	ISO_TRY_OUT(iso_figure_add(f, stem, d->title.p, d->dataset, err));
	st = iso_gnuplot(dir, stem, &d->csv, &text, &f->no_gnuplot, &why);
	f->v[f->n - 1].drawn = st == ISO_OK && !f->no_gnuplot;
	if (st == ISO_E_PLUGIN) {
		iso_warn("figure %s of %s: %s", stem, a->dataset[d->dataset], why.text);
		f->failed++;
		st = ISO_OK;
	} else if (st != ISO_OK) {
		st = iso_fail(err, st, "%s", why.text);
	}
out:
	iso_str_free(&text);
	return st;
}

static void stem_of(draft *d, const iso_aggregate *a, const char *dataset, const char *kind)
{
	while (strcmp(a->dataset[d->dataset], dataset) != 0)
		d->dataset++;
	iso_str_addf(&d->stem, "%s-%s", a->slug[d->dataset], kind);
}

static int on(const iso_aggregate *a, size_t i, const char *dataset)
{
	return strcmp(a->setting[i].dataset, dataset) == 0;
}

/* One value against epsilon on one data set. */
static iso_status epsilon_figure(const iso_aggregate *a, const char *dataset, size_t name,
				 const char *kind, const char *dir, iso_figures *f, iso_error *err)
{
	double lo = INFINITY, hi = 0;
	draft d = {0};
	iso_status st = ISO_OK;

	iso_str_add(&d.csv, "series,private,epsilon,mean,low,high\n");
	for (size_t i = 0; i < a->nsetting; i++) {
		const iso_summary *s = iso_aggregate_at(a, i, name);
		int finite = isfinite(a->setting[i].epsilon);
		iso_str series = {0};

		if (!on(a, i, dataset) || !s->n || !isfinite(s->mean))
			continue;
		series_name(&a->setting[i], &series);
		if (!series.p)
			continue;
		names_add(finite ? &d.series : &d.level, series.p);
		iso_csv_text(series.p, 0, &d.csv);
		iso_csv_field(&d.csv, finite ? "1" : "0", 0);
		number_field(&d.csv, a->setting[i].epsilon, 0);
		number_field(&d.csv, s->mean, 0);
		number_field(&d.csv, isnan(s->low) ? s->mean : s->low, 0);
		number_field(&d.csv, isnan(s->high) ? s->mean : s->high, 1);
		lo = finite ? fmin(lo, a->setting[i].epsilon) : lo;
		hi = finite ? fmax(hi, a->setting[i].epsilon) : hi;
		iso_str_free(&series);
	}
	if (d.series.n == 0)
		goto out;
	stem_of(&d, a, dataset, kind);
	iso_str_addf(&d.title, "%s: %s against epsilon", dataset, a->name[name].name);
	variable(&d.script, "ylab",
		 *a->name[name].title ? a->name[name].title : a->name[name].name);
	iso_str_addf(&d.script, "xlo = %.6g\nxhi = %.6g\n", lo / 1.5, hi * 1.5);
	names_script(&d.script, "S", &d.series);
	names_script(&d.script, "H", &d.level);
	st = finish(&d, f, a, dir, iso_plot_epsilon, err);
out:
	draft_free(&d);
	return st;
}

/* The attack that a data set's figures show: the first of the records. Taking the strongest would
 * be choosing by the results. */
static size_t main_attack(const iso_aggregate *a, const char *dataset)
{
	for (size_t j = 0; j < a->nname; j++) {
		size_t k = strlen(a->name[j].name);

		if (strcmp(a->name[j].kind, "attack") != 0 || k < 5 ||
		    strcmp(a->name[j].name + k - 4, ".auc") != 0)
			continue;
		for (size_t i = 0; i < a->nsetting; i++)
			if (on(a, i, dataset) && iso_aggregate_at(a, i, j)->n)
				return j;
	}
	return SIZE_MAX;
}

static iso_status scatter_figure(const iso_aggregate *a, const char *dataset, size_t x, size_t y,
				 const char *dir, iso_figures *f, iso_error *err)
{
	draft d = {0};
	iso_status st = ISO_OK;

	iso_str_add(&d.csv, "series,epsilon,x,y,xlow,xhigh,ylow,yhigh\n");
	for (size_t i = 0; i < a->nsetting; i++) {
		const iso_summary *sx = iso_aggregate_at(a, i, x), *sy = iso_aggregate_at(a, i, y);
		iso_str label = {0};
		char eps[32];

		if (!on(a, i, dataset) || !sx->n || !sy->n)
			continue;
		series_name(&a->setting[i], &label);
		if (!label.p)
			continue;
		names_add(&d.series, label.p);
		iso_epsilon_text(a->setting[i].epsilon, eps);
		iso_csv_text(label.p, 0, &d.csv);
		iso_csv_field(&d.csv, eps, 0);
		number_field(&d.csv, sx->mean, 0);
		number_field(&d.csv, sy->mean, 0);
		number_field(&d.csv, isnan(sx->low) ? sx->mean : sx->low, 0);
		number_field(&d.csv, isnan(sx->high) ? sx->mean : sx->high, 0);
		number_field(&d.csv, isnan(sy->low) ? sy->mean : sy->low, 0);
		number_field(&d.csv, isnan(sy->high) ? sy->mean : sy->high, 1);
		iso_str_free(&label);
	}
	if (d.series.n == 0)
		goto out;
	stem_of(&d, a, dataset, "privacy-utility");
	iso_str_addf(&d.title, "%s: leakage against utility (better: up and left)", dataset);
	variable(&d.script, "xlab", a->name[x].name);
	variable(&d.script, "ylab", a->name[y].name);
	names_script(&d.script, "S", &d.series);
	st = finish(&d, f, a, dir, iso_plot_scatter, err);
out:
	draft_free(&d);
	return st;
}

/* Claimed, accounted and audited epsilon: only where some generator claims more than it keeps, or
 * was audited. */
static iso_status claims_figure(const iso_aggregate *a, const char *dataset, const char *dir,
				iso_figures *f, iso_error *err)
{
	static const char *const names3[] = {"claimed_epsilon", "accounted_epsilon",
					     "audited_epsilon"};
	size_t j[3], rows = 0, present[3] = {0};
	double lo = INFINITY, hi = 0;
	draft d = {0};
	iso_status st = ISO_OK;

	for (size_t k = 0; k < 3; k++)
		j[k] = iso_aggregate_find(a, names3[k]);
	if (j[0] == SIZE_MAX && j[2] == SIZE_MAX)
		return ISO_OK;
	iso_str_add(&d.csv, "series,claimed,accounted,audited\n");
	for (size_t i = 0; i < a->nsetting; i++) {
		iso_str label = {0};
		int any = 0;

		if (!on(a, i, dataset) || !isfinite(a->setting[i].epsilon))
			continue;
		for (size_t k = 0; k < 3; k++)
			any |= j[k] != SIZE_MAX && iso_aggregate_at(a, i, j[k])->n;
		if (!any)
			continue;
		series_name(&a->setting[i], &label);
		iso_str_addf(&label, " @ %.4g", a->setting[i].epsilon);
		if (!label.p)
			continue;
		iso_csv_text(label.p, 0, &d.csv);
		iso_str_free(&label);
		for (size_t k = 0; k < 3; k++) {
			const iso_summary *s =
				j[k] == SIZE_MAX ? NULL : iso_aggregate_at(a, i, j[k]);
			double v = s && s->n ? s->mean : NAN;

			number_field(&d.csv, v, k == 2);
			present[k] += !isnan(v);
			if (isfinite(v) && v > 0) {
				lo = fmin(lo, v);
				hi = fmax(hi, v);
			}
		}
		rows++;
	}
	if (rows == 0 || hi == 0)
		goto out;
	stem_of(&d, a, dataset, "claims");
	iso_str_addf(&d.title, "%s: claimed, accounted and audited epsilon", dataset);
	iso_str_addf(&d.script, "ylo = %.6g\nyhi = %.6g\n", lo / 3, hi * 10);
	iso_str_addf(&d.script, "has_claimed = %d\nhas_accounted = %d\nhas_audited = %d\n",
		     present[0] > 0, present[1] > 0, present[2] > 0);
	st = finish(&d, f, a, dir, iso_plot_claims, err);
out:
	draft_free(&d);
	return st;
}

/* The raw scores of a record's first usable attack as ROC points. */
typedef struct scored {
	double score;
	int truth;
} scored;

static int descending(const void *a, const void *b)
{
	const scored *x = a, *y = b;

	return (x->score < y->score) - (x->score > y->score);
}

static iso_status roc_points(const cJSON *attack, const char *series, iso_str *csv,
			     double *smallest, iso_error *err)
{
	const cJSON *scores = cJSON_GetObjectItemCaseSensitive(attack, "scores");
	const cJSON *truth = cJSON_GetObjectItemCaseSensitive(attack, "truth");
	size_t n = (size_t)cJSON_GetArraySize(scores), k = 0, pos = 0, neg = 0, tp = 0, fp = 0;
	const cJSON *t = truth ? truth->child : NULL;
	scored *v;

	if (n == 0 || cJSON_GetArraySize(truth) != cJSON_GetArraySize(scores))
		return ISO_OK;
	v = iso_alloc(n, sizeof(*v));
	if (!v)
		return iso_no_memory(err, "ROC");
	for (const cJSON *s = scores->child; s && t; s = s->next, t = t->next) {
		v[k++] = (scored){s->valuedouble, t->valuedouble > 0.5};
		*(t->valuedouble > 0.5 ? &pos : &neg) += 1;
	}
	qsort(v, k, sizeof(*v), descending);
	for (size_t i = 0; i < k && pos && neg; i++) {
		*(v[i].truth ? &tp : &fp) += 1;
		if (i + 1 < k && v[i + 1].score == v[i].score)
			continue;
		iso_csv_text(series, 0, csv);
		number_field(csv, (double)fp / (double)neg, 0);
		number_field(csv, (double)tp / (double)pos, 1);
	}
	if (neg)
		*smallest = fmin(*smallest, 1 / (double)neg);
	iso_free(v);
	return ISO_OK;
}

static iso_status roc_figure(const iso_aggregate *a, const char *dataset, const char *attack_name,
			     const char *dir, iso_figures *f, iso_error *err)
{
	size_t label_length = strlen(attack_name) - 4; /* without ".auc" */
	double smallest = 0.1;
	draft d = {0};
	iso_status st = ISO_OK;

	iso_str_add(&d.csv, "series,fpr,tpr\n");
	for (size_t i = 0; i < a->records->n; i++) {
		const cJSON *r = a->records->v[i], *attack;
		const cJSON *config = cJSON_GetObjectItemCaseSensitive(r, "config");
		const cJSON *dset = cJSON_GetObjectItemCaseSensitive(config, "dataset");
		const cJSON *named = cJSON_GetObjectItemCaseSensitive(dset, "label");
		const cJSON *name = cJSON_IsString(named)
					    ? named
					    : cJSON_GetObjectItemCaseSensitive(dset, "name");
		const cJSON *eps = cJSON_GetObjectItemCaseSensitive(config, "epsilon");
		const cJSON *label = cJSON_GetObjectItemCaseSensitive(r, "label");
		iso_str s = {0};

		if (!cJSON_IsString(name) || strcmp(name->valuestring, dataset) != 0 ||
		    !cJSON_IsString(label))
			continue;
		add_label(&s, label->valuestring);
		if (cJSON_IsNumber(eps))
			iso_str_addf(&s, " @ %.4g", eps->valuedouble);
		if (!s.p || (d.series.n && strcmp(d.series.v[d.series.n - 1].p, s.p) == 0)) {
			iso_str_free(&s); /* a further seed of the same setting */
			continue;
		}
		cJSON_ArrayForEach(attack, cJSON_GetObjectItemCaseSensitive(r, "attacks"))
		{
			const cJSON *l = cJSON_GetObjectItemCaseSensitive(attack, "label");

			if (!cJSON_IsString(l) || strlen(l->valuestring) != label_length ||
			    strncmp(l->valuestring, attack_name, label_length) != 0)
				continue;
			names_add(&d.series, s.p);
			st = roc_points(attack, s.p, &d.csv, &smallest, err);
		}
		iso_str_free(&s);
		if (st != ISO_OK)
			goto out;
	}
	if (d.series.n == 0)
		goto out;
	stem_of(&d, a, dataset, "roc");
	iso_str_addf(&d.title, "%s: ROC of %.*s (first seed)", dataset, (int)label_length,
		     attack_name);
	iso_str_addf(&d.script, "lo = %.6g\n", smallest);
	names_script(&d.script, "S", &d.series);
	st = finish(&d, f, a, dir, iso_plot_roc, err);
out:
	draft_free(&d);
	return st;
}

iso_status iso_figures_write(const iso_aggregate *a, const char *dir, iso_figures *out,
			     iso_error *err)
{
	ISO_TRY(iso_make_dirs(dir, err));
	for (size_t i = 0; i < a->ndataset; i++) {
		const char *dataset = a->dataset[i];
		size_t utility = iso_aggregate_utility(a, dataset),
		       attack = main_attack(a, dataset);

		if (utility != SIZE_MAX)
			ISO_TRY(epsilon_figure(a, dataset, utility, "utility-vs-epsilon", dir, out,
					       err));
		if (attack != SIZE_MAX)
			ISO_TRY(epsilon_figure(a, dataset, attack, "attack-vs-epsilon", dir, out,
					       err));
		if (utility != SIZE_MAX && attack != SIZE_MAX)
			ISO_TRY(scatter_figure(a, dataset, attack, utility, dir, out, err));
		if (attack != SIZE_MAX)
			ISO_TRY(roc_figure(a, dataset, a->name[attack].name, dir, out, err));
		ISO_TRY(claims_figure(a, dataset, dir, out, err));
	}
	return ISO_OK;
}

iso_status iso_figure_add(iso_figures *f, const char *stem, const char *title, size_t dataset,
			  iso_error *err)
{
	iso_figure *g;

	ISO_TRY(iso_grow(&f->v, &f->cap, f->n + 1, sizeof(*f->v), err));
	g = &f->v[f->n];
	*g = (iso_figure){.stem = iso_strdup(stem), .title = iso_strdup(title), .dataset = dataset};
	if (!g->stem || !g->title) {
		iso_free(g->stem);
		iso_free(g->title);
		return iso_no_memory(err, "figure");
	}
	f->n++;
	return ISO_OK;
}

void iso_figures_free(iso_figures *f)
{
	for (size_t i = 0; i < f->n; i++) {
		iso_free(f->v[i].stem);
		iso_free(f->v[i].title);
	}
	iso_free(f->v);
	memset(f, 0, sizeof(*f));
}
