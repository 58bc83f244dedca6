// SPDX-License-Identifier: Apache-2.0
/* Tables by section, from what outputs declare. */
#include "reports/tables.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "reports/controls.h"
#include "reports/published.h"

#define LEAD 3 /* columns that every section table starts with */

iso_status iso_rcell_set(iso_rcell *c, const char *text, double sort, iso_error *err)
{
	iso_free(c->text);
	c->text = iso_strdup(text);
	c->sort = sort;
	return c->text ? ISO_OK : iso_no_memory(err, "report table");
}

iso_status iso_rtable_new(iso_rtables *out, const char *file, const char *title, size_t dataset,
			  size_t ncol, iso_rtable **t, iso_error *err)
{
	ISO_TRY(iso_grow(&out->v, &out->cap, out->n + 1, sizeof(*out->v), err));
	*t = &out->v[out->n++];
	**t = (iso_rtable){.file = iso_strdup(file),
			   .title = iso_strdup(title),
			   .dataset = dataset,
			   .epsilon = NAN,
			   .head = iso_alloc(ncol, sizeof(iso_rcell)),
			   .ncol = ncol};
	return (*t)->file && (*t)->title && (*t)->head ? ISO_OK
						       : iso_no_memory(err, "report table");
}

iso_status iso_rtable_row(iso_rtable *t, size_t setting, iso_error *err)
{
	ISO_TRY(iso_grow(&t->cell, &t->cap, (t->nrow + 1) * t->ncol, sizeof(*t->cell), err));
	ISO_TRY(iso_grow(&t->setting, &t->cap_setting, t->nrow + 1, sizeof(*t->setting), err));
	memset(&t->cell[t->nrow * t->ncol], 0, t->ncol * sizeof(*t->cell));
	t->setting[t->nrow++] = setting;
	return ISO_OK;
}

void iso_note_add(iso_str *notes, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	if (!notes->p || !strstr(notes->p, text))
		iso_str_addf(notes, "%s\n", text);
}

void iso_label_text(const iso_setting *s, char out[64])
{
	const char *mark = s->warned ? ", warning" : "";

	if (strcmp(s->guarantee, "dp") != 0)
		snprintf(out, 64, "%.40s%s", *s->guarantee ? s->guarantee : "none", mark);
	else if (strcmp(s->verdict, "refuted") == 0)
		snprintf(out, 64, "refuted%s", mark);
	else
		snprintf(out, 64, "dp, %.40s%s", s->verdict, mark);
}

static int on_dataset(const iso_aggregate *a, size_t setting, size_t dataset)
{
	return strcmp(a->setting[setting].dataset, a->dataset[dataset]) == 0;
}

/* What a column would show in every row, or NULL if rows differ. */
static const char *constant_text(const iso_aggregate *a, size_t dataset, size_t name,
				 char text[ISO_NUMBER_TEXT])
{
	char other[ISO_NUMBER_TEXT];
	size_t rows = 0;

	for (size_t i = 0; i < a->nsetting; i++) {
		if (!on_dataset(a, i, dataset))
			continue;
		iso_mean_text(iso_aggregate_at(a, i, name), &a->name[name], rows ? other : text);
		if (rows++ && strcmp(text, other) != 0)
			return NULL;
	}
	return rows > 1 ? text : NULL;
}

static const struct {
	const char *section, *title, *note;
} known[] = {
	{"utility", "Utility: trained on synthetic rows, tested on real ones",
	 "Test rows are never seen by a generator. \"Real training rows\" is the ceiling."},
	{"fidelity", "Fidelity: how close the synthetic rows are to the real ones", NULL},
	{"validity", "Validity", NULL},
	{"attacks", "Attacks",
	 "An AUC of 0.5 is a coin toss. An attack that fails proves nothing: a stronger one may "
	 "succeed. No epsilon may be concluded from these numbers."},
	{"privacy", "Privacy: what was spent",
	 "GDP is an approximation and never a guarantee. Accounted epsilon is infinite when the "
	 "guarantee is not dp or when anything was chosen by an uncharged look at the data."},
	{"cost", "Cost", "Times depend on the machine and are no part of the reproducible record."},
};

static int section_known(const char *section)
{
	for (size_t i = 0; i < ISO_COUNT(known); i++)
		if (strcmp(known[i].section, section) == 0)
			return 1;
	return 0;
}

static iso_status lead(iso_rtable *t, const iso_setting *s, iso_error *err)
{
	iso_rcell *row = &t->cell[(t->nrow - 1) * t->ncol];
	char eps[32], label[64];

	iso_epsilon_text(s->epsilon, eps);
	iso_label_text(s, label);
	ISO_TRY(iso_rcell_set(&row[0], s->name, NAN, err));
	ISO_TRY(iso_rcell_set(&row[1], eps, s->epsilon, err));
	return iso_rcell_set(&row[2], label, NAN, err);
}

static iso_status fill(iso_rtable *t, const iso_aggregate *a, const size_t *name, size_t nname,
		       iso_error *err)
{
	static const char *const head[LEAD] = {"Method", "Target epsilon", "Guarantee"};

	for (size_t j = 0; j < LEAD; j++)
		ISO_TRY(iso_rcell_set(&t->head[j], head[j], NAN, err));
	for (size_t j = 0; j < nname; j++) {
		char title[ISO_NUMBER_TEXT * 2];

		iso_title_text(&a->name[name[j]], title);
		ISO_TRY(iso_rcell_set(&t->head[LEAD + j], title, NAN, err));
	}
	for (size_t i = 0; i < a->nsetting; i++) {
		if (!on_dataset(a, i, t->dataset))
			continue;
		ISO_TRY(iso_rtable_row(t, i, err));
		ISO_TRY(lead(t, &a->setting[i], err));
		for (size_t j = 0; j < nname; j++) {
			const iso_summary *s = iso_aggregate_at(a, i, name[j]);
			const iso_name *n = &a->name[name[j]];
			iso_rcell *c = &t->cell[(t->nrow - 1) * t->ncol + LEAD + j];
			char text[ISO_NUMBER_TEXT];

			iso_mean_text(s, n, text);
			c->flag = s->n && n->direction > 0 && n->chance > 0 && s->mean < n->chance;
			if (c->flag)
				iso_note_add(&t->notes,
					     "! below chance: the sign of a weak ranking is a coin "
					     "toss; more seeds would show it near %.3g.",
					     n->chance);
			ISO_TRY(iso_rcell_set(c, text, s->n ? s->mean : NAN, err));
		}
		if (a->setting[i].failed)
			iso_note_add(&t->notes,
				     "%s at epsilon %.4g: %zu of %zu cells failed; `isoeps status` "
				     "says why.",
				     a->setting[i].name, a->setting[i].epsilon,
				     a->setting[i].failed,
				     a->setting[i].failed + a->setting[i].seeds);
	}
	return iso_str_check(&t->notes, err);
}

/* Columns of a section; those that are the same everywhere are folded into the notes. */
static size_t columns_of(const iso_aggregate *a, size_t d, const char *section, size_t *name,
			 iso_str *folded)
{
	size_t n = 0;

	for (size_t j = 0; j < a->nname; j++) {
		char text[ISO_NUMBER_TEXT], title[ISO_NUMBER_TEXT * 2];

		if (strcmp(a->name[j].section, section) != 0 ||
		    !iso_measured_on(a, a->dataset[d], j))
			continue;
		if (strcmp(a->name[j].name, "target_epsilon") == 0)
			continue; /* it is a leading column */
		iso_title_text(&a->name[j], title);
		if (constant_text(a, d, j, text))
			iso_str_addf(folded, "%s%s: %s", folded->n ? "; " : "", title, text);
		else
			name[n++] = j;
	}
	return n;
}

static iso_status build_section(const iso_aggregate *a, size_t d, const char *section,
				const char *heading, const char *note, iso_rtables *out,
				iso_error *err)
{
	size_t *name = iso_alloc(a->nname + 1, sizeof(*name)), n;
	iso_str file = {0}, title = {0}, folded = {0};
	iso_rtable *t;
	iso_status st = ISO_OK;

	if (!name)
		return iso_no_memory(err, "report table");
	n = columns_of(a, d, section, name, &folded);
	if (n == 0 && !folded.n)
		goto out;
	iso_str_addf(&file, "%s-", a->slug[d]);
	iso_file_stem(section, &file);
	iso_str_addf(&title, "%s. %s", a->dataset[d], heading);
	ISO_TRY_OUT(iso_str_check(&file, err));
	ISO_TRY_OUT(iso_str_check(&title, err));
	ISO_TRY_OUT(iso_rtable_new(out, file.p, title.p, d, LEAD + n, &t, err));
	if (note)
		iso_note_add(&t->notes, "%s", note);
	if (folded.n)
		iso_note_add(&t->notes, "The same in every row: %s.", folded.p);
	st = fill(t, a, name, n, err);
out:
	iso_str_free(&file);
	iso_str_free(&title);
	iso_str_free(&folded);
	iso_free(name);
	return st;
}

/* Sections that only plug-ins know come after those of the page. */
static iso_status build_other(const iso_aggregate *a, size_t d, iso_rtables *out, iso_error *err)
{
	for (size_t j = 0; j < a->nname; j++) {
		size_t k = 0;

		while (k < j && strcmp(a->name[k].section, a->name[j].section) != 0)
			k++;
		if (k == j && !section_known(a->name[j].section))
			ISO_TRY(build_section(a, d, a->name[j].section, a->name[j].section, NULL,
					      out, err));
	}
	return ISO_OK;
}

iso_status iso_tables_build(const iso_aggregate *a, iso_rtables *out, iso_error *err)
{
	iso_status st = ISO_OK;

	memset(out, 0, sizeof(*out));
	for (size_t d = 0; d < a->ndataset; d++) {
		ISO_TRY_OUT(iso_answers_build(a, d, out, err));
		ISO_TRY_OUT(iso_controls_table(a, d, out, err));
		for (size_t s = 0; s < ISO_COUNT(known); s++)
			ISO_TRY_OUT(build_section(a, d, known[s].section, known[s].title,
						  known[s].note, out, err));
		ISO_TRY_OUT(build_other(a, d, out, err));
		ISO_TRY_OUT(iso_published_table(a, d, out, err));
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
		iso_free(r->setting);
		iso_free(r->file);
		iso_free(r->title);
		iso_str_free(&r->notes);
		iso_str_free(&r->words);
	}
	iso_free(t->v);
	memset(t, 0, sizeof(*t));
}
