// SPDX-License-Identifier: Apache-2.0
/* What a paper takes: one LaTeX table that fits a column, and one wide row per setting. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/csv.h"
#include "reports/tables.h"

#define EPSILONS_MAX 5 /* columns that a column of text holds */

/* ------------------------------------------------------------------ paper.tex */

static size_t first_headline(const iso_aggregate *a, size_t d)
{
	size_t found = SIZE_MAX;

	for (size_t j = a->nname; j-- > 0;)
		if (a->name[j].headline && strcmp(a->name[j].kind, "attack") != 0 &&
		    iso_measured_on(a, a->dataset[d], j) &&
		    (found == SIZE_MAX || a->name[j].direction > 0 ||
		     a->name[found].direction <= 0))
			found = j;
	return found;
}

static size_t columns(const iso_aggregate *a, size_t d, double eps[EPSILONS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < a->nsetting; i++) {
		size_t k = 0;

		if (strcmp(a->setting[i].dataset, a->dataset[d]) != 0)
			continue;
		while (k < n && eps[k] < a->setting[i].epsilon)
			k++;
		if ((k < n && eps[k] == a->setting[i].epsilon) || n == EPSILONS_MAX)
			continue;
		memmove(&eps[k + 1], &eps[k], (n - k) * sizeof(*eps));
		eps[k] = a->setting[i].epsilon;
		n++;
	}
	return n;
}

static size_t setting_at(const iso_aggregate *a, size_t d, size_t method, double eps)
{
	for (size_t i = 0; i < a->nsetting; i++)
		if (a->setting[i].method == method && a->setting[i].epsilon == eps &&
		    strcmp(a->setting[i].dataset, a->dataset[d]) == 0)
			return i;
	return ISO_NO_SETTING;
}

/* Whether the setting is in the best group of its column and the column has others. */
static int is_best(const iso_aggregate *a, size_t d, size_t setting, size_t name)
{
	size_t *v = iso_alloc(a->nsetting + 1, sizeof(*v)), n = 0, at = 0;
	unsigned *rank = iso_alloc(a->nsetting + 1, sizeof(*rank)), last = 1;
	int best = 0;

	for (size_t i = 0; v && rank && i < a->nsetting; i++)
		if (strcmp(a->setting[i].dataset, a->dataset[d]) == 0 && !*a->setting[i].control &&
		    a->setting[i].epsilon == a->setting[setting].epsilon) {
			at = i == setting ? n : at;
			v[n++] = i;
		}
	if (n && !*a->setting[setting].control) {
		iso_rank_settings(a, v, n, name, rank);
		for (size_t i = 0; i < n; i++)
			last = rank[i] > last ? rank[i] : last;
		best = rank[at] == 1 && last > 1;
	}
	iso_free(v);
	iso_free(rank);
	return best;
}

/* The footnote mark of a guarantee. */
static const char *mark_of(const iso_setting *s)
{
	if (strcmp(s->guarantee, "dp") != 0)
		return "n";
	return strcmp(s->verdict, "verified") == 0  ? "v"
	       : strcmp(s->verdict, "refuted") == 0 ? "r"
						    : "c";
}

static void value_cell(const iso_aggregate *a, size_t d, size_t method, double eps, size_t name,
		       iso_str *out)
{
	const size_t s = setting_at(a, d, method, eps);
	const iso_summary *v = s == ISO_NO_SETTING ? NULL : iso_aggregate_at(a, s, name);
	const char *unit;
	const double scale = iso_shown_unit(a->name[name].unit, &unit);
	int bold;

	iso_str_add(out, " & ");
	if (!v || !v->n) {
		iso_str_add(out, "{--}");
		return;
	}
	bold = is_best(a, d, s, name);
	iso_str_addf(out, "%s%.*f%s", bold ? "\\textbf{" : "", scale == 100 ? 1 : 3,
		     v->mean * scale, bold ? "}" : "");
	if (v->n > 1 && isfinite(v->high - v->low))
		iso_str_addf(out, "\\,{\\tiny$\\pm$%.*f}", scale == 100 ? 1 : 3,
			     (v->high - v->low) / 2 * scale);
}

static void paper_rows(const iso_aggregate *a, size_t d, const double *eps, size_t neps,
		       size_t name, iso_str *out)
{
	for (size_t m = 0; m < a->nmethod; m++) {
		const iso_setting *s = NULL;
		int any = 0;

		for (size_t k = 0; k < neps; k++) {
			const size_t i = setting_at(a, d, m, eps[k]);

			if (i == ISO_NO_SETTING)
				continue;
			s = &a->setting[i];
			any |= iso_aggregate_at(a, i, name)->n > 0;
		}
		if (!any)
			continue;
		if (m == a->nmethod - a->ncontrol)
			iso_str_add(out, "\\midrule\n");
		iso_latex_escape(s->name, out);
		iso_str_addf(out, "\\textsuperscript{%s}", mark_of(s));
		for (size_t k = 0; k < neps; k++)
			value_cell(a, d, m, eps[k], name, out);
		iso_str_add(out, " \\\\\n");
	}
}

iso_status iso_paper_table(const iso_aggregate *a, iso_str *out, iso_error *err)
{
	iso_str_add(out, "% Needs \\usepackage{booktabs,graphicx,siunitx}; every table fits "
			 "\\columnwidth.\n");
	for (size_t d = 0; d < a->ndataset; d++) {
		const size_t name = first_headline(a, d);
		double eps[EPSILONS_MAX + 1];
		size_t n;
		char title[ISO_NUMBER_TEXT * 2], text[32];

		if (name == SIZE_MAX)
			continue;
		n = columns(a, d, eps);
		iso_title_text(&a->name[name], title);
		iso_str_add(out, "\\begin{table}\n\\centering\\footnotesize"
				 "\\setlength{\\tabcolsep}{3pt}\n\\caption{");
		iso_latex_escape(title, out);
		iso_str_add(out, " on ");
		iso_latex_escape(a->dataset[d], out);
		iso_str_add(
			out,
			" by privacy budget: mean and half-width of the 95\\,\\% interval over "
			"seeds (with two or three seeds: of their range). Bold: better than the "
			"rest of the column beyond the spread of the seeds. "
			"\\textsuperscript{v}\\,privacy claim verified, "
			"\\textsuperscript{c}\\,claimed, \\textsuperscript{r}\\,refuted, "
			"\\textsuperscript{n}\\,no guarantee.}\n\\label{tab:");
		for (const char *p = a->slug[d]; *p; p++)
			iso_str_addn(out, *p == '_' || *p == '~' ? "-" : p, 1);
		iso_str_add(out, "}\n\\resizebox{\\ifdim\\width>\\columnwidth\\columnwidth\\else"
				 "\\width\\fi}{!}{%\n\\begin{tabular}{l");
		for (size_t k = 0; k < n; k++)
			iso_str_add(out, "r");
		iso_str_add(out, "}\n\\toprule\nMethod");
		for (size_t k = 0; k < n; k++) {
			iso_epsilon_text(eps[k], text);
			if (isinf(eps[k]))
				iso_str_add(out, " & no $\\varepsilon$");
			else
				iso_str_addf(out, " & $\\varepsilon=\\num{%s}$", text);
		}
		iso_str_add(out, " \\\\\n\\midrule\n");
		paper_rows(a, d, eps, n, name, out);
		iso_str_add(out, "\\bottomrule\n\\end{tabular}}\n\\end{table}\n\n");
	}
	return iso_str_check(out, err);
}

/* ------------------------------------------------------------------ summary.csv */

static void number_field(iso_str *out, double x, int last)
{
	char text[32] = "";

	if (!isnan(x))
		iso_json_number_text(x, text);
	iso_csv_field(out, text, last);
}

static int in_summary(const iso_name *n)
{
	return n->headline || strcmp(n->kind, "privacy") == 0;
}

iso_status iso_summary_csv(const iso_aggregate *a, iso_str *out, iso_error *err)
{
	static const char *const lead[] = {
		"dataset", "method",	"generator",  "control", "guarantee", "verdict", "epsilon",
		"delta",   "adjacency", "accountant", "n",	 "seeds",     "failed"};

	for (size_t i = 0; i < ISO_COUNT(lead); i++)
		iso_csv_field(out, lead[i], 0);
	for (size_t j = 0; j < a->nname; j++) {
		iso_str low = {0}, high = {0};

		if (!in_summary(&a->name[j]))
			continue;
		iso_str_addf(&low, "%s.low", a->name[j].name);
		iso_str_addf(&high, "%s.high", a->name[j].name);
		iso_csv_text(a->name[j].name, 0, out);
		iso_csv_text(low.p ? low.p : "", 0, out);
		iso_csv_text(high.p ? high.p : "", 0, out);
		iso_str_free(&low);
		iso_str_free(&high);
	}
	iso_csv_field(out, "strongest_attack", 0);
	iso_csv_field(out, "strongest_attack.auc", 1);
	for (size_t i = 0; i < a->nsetting; i++) {
		const iso_setting *s = &a->setting[i];
		const cJSON *config = cJSON_GetObjectItemCaseSensitive(s->record, "config");
		const cJSON *adjacency = cJSON_GetObjectItemCaseSensitive(config, "adjacency");
		const cJSON *accountant = cJSON_GetObjectItemCaseSensitive(config, "accountant");
		const char *attack;
		const double auc = iso_strongest_attack(a, i, &attack);

		iso_csv_text(s->dataset, 0, out);
		iso_csv_text(s->name, 0, out);
		iso_csv_text(s->generator, 0, out);
		iso_csv_text(s->control, 0, out);
		iso_csv_text(s->guarantee, 0, out);
		iso_csv_text(*s->verdict ? s->verdict : "none", 0, out);
		number_field(out, s->epsilon, 0);
		number_field(out, s->delta, 0);
		iso_csv_text(cJSON_IsString(adjacency) ? adjacency->valuestring : "", 0, out);
		iso_csv_text(cJSON_IsString(accountant) ? accountant->valuestring : "", 0, out);
		number_field(out, s->rows, 0);
		number_field(out, (double)s->seeds, 0);
		number_field(out, (double)s->failed, 0);
		for (size_t j = 0; j < a->nname; j++) {
			const iso_summary *v = iso_aggregate_at(a, i, j);

			if (!in_summary(&a->name[j]))
				continue;
			number_field(out, v->n ? v->mean : NAN, 0);
			number_field(out, v->n ? v->low : NAN, 0);
			number_field(out, v->n ? v->high : NAN, 0);
		}
		iso_csv_text(attack, 0, out);
		number_field(out, auc, 1);
	}
	return iso_str_check(out, err);
}
