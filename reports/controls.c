// SPDX-License-Identifier: Apache-2.0
/* The controls, attack by attack: what copies its training rows must be caught, what sees no data
 * must be at chance. */
#include "reports/controls.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int iso_control_outcome(const iso_aggregate *a, size_t setting, size_t name)
{
	const iso_summary *v = iso_aggregate_at(a, setting, name);
	double low = 0, high = 0, se;

	for (size_t k = 0; k < a->nsample; k++)
		if (a->sample[k].setting == setting && a->sample[k].name == name) {
			low += a->sample[k].low / (double)v->n;
			high += a->sample[k].high / (double)v->n;
		}
	se = (high - low) / 3.92 / sqrt((double)v->n);
	if (v->mean - a->name[name].chance > 3 * se)
		return 1;
	return a->name[name].chance - v->mean > 3 * se ? -1 : 0;
}

int iso_control_judges(const iso_aggregate *a, size_t setting, size_t name)
{
	const iso_name *n = &a->name[name];

	return n->headline && strcmp(n->kind, "attack") == 0 && !isnan(n->chance) &&
	       iso_aggregate_at(a, setting, name)->n;
}

/* The setting of data set d that is this control; SIZE_MAX if none. */
static size_t control_on(const iso_aggregate *a, size_t d, const char *control)
{
	for (size_t i = 0; i < a->nsetting; i++)
		if (strcmp(a->setting[i].control, control) == 0 &&
		    strcmp(a->setting[i].dataset, a->dataset[d]) == 0)
			return i;
	return SIZE_MAX;
}

/* A control of a data set: two columns, its value and what that says. */
typedef struct control {
	size_t setting;
	int copies;
	const char *what, *says;
} control;

static iso_status heads(const iso_aggregate *a, iso_rtable *t, const control *c, size_t n,
			iso_error *err)
{
	char text[ISO_NUMBER_TEXT];

	ISO_TRY(iso_rcell_set(&t->head[0], "Attack", NAN, err));
	for (size_t k = 0; k < n; k++) {
		snprintf(text, sizeof(text), "%.60s (%s)", a->setting[c[k].setting].name,
			 c[k].what);
		ISO_TRY(iso_rcell_set(&t->head[1 + 2 * k], text, NAN, err));
		ISO_TRY(iso_rcell_set(&t->head[2 + 2 * k], c[k].says, NAN, err));
	}
	return ISO_OK;
}

/* The value of one control and what it says; "-" where the attack was not tried on it. */
static iso_status pair(const iso_aggregate *a, const control *c, size_t name, iso_rcell *value,
		       iso_error *err)
{
	char text[ISO_NUMBER_TEXT] = "-";
	const char *word = "-";
	double mean = NAN;

	if (iso_control_judges(a, c->setting, name)) {
		const int outcome = iso_control_outcome(a, c->setting, name);

		mean = iso_aggregate_at(a, c->setting, name)->mean;
		iso_mean_text(iso_aggregate_at(a, c->setting, name), &a->name[name], text);
		word = c->copies ? (outcome == 1 ? "yes" : "no") : outcome ? "NO" : "yes";
	}
	ISO_TRY(iso_rcell_set(value, text, mean, err));
	return iso_rcell_set(value + 1, word, NAN, err);
}

/* The controls that the data set has, at most two. */
static size_t controls_of(const iso_aggregate *a, size_t d, control out[2])
{
	static const control known[] = {
		{0, 1, "returns its training rows", "Catches copies"},
		{0, 0, "sees no data", "At chance without data"},
	};
	size_t n = 0;

	for (size_t k = 0; k < 2; k++) {
		out[n] = known[k];
		out[n].setting = control_on(a, d, known[k].copies ? "copies" : "blind");
		n += out[n].setting != SIZE_MAX;
	}
	return n;
}

iso_status iso_controls_table(const iso_aggregate *a, size_t d, iso_rtables *out, iso_error *err)
{
	control c[2];
	const size_t n = controls_of(a, d, c);
	iso_rtable *t = NULL;
	iso_str file = {0}, caption = {0};
	iso_status st = ISO_OK;

	iso_str_addf(&file, "%s-controls", a->slug[d]);
	iso_str_addf(&caption, "%s. Controls: can the attacks be believed?", a->dataset[d]);
	ISO_TRY_OUT(iso_str_check(&caption, err));
	ISO_TRY_OUT(iso_str_check(&file, err));
	for (size_t j = 0; j < a->nname; j++) {
		iso_rcell *row;
		char title[ISO_NUMBER_TEXT * 2];

		int tried = 0;

		for (size_t k = 0; k < n; k++)
			tried |= iso_control_judges(a, c[k].setting, j);
		if (!tried)
			continue;
		if (!t) {
			ISO_TRY_OUT(iso_rtable_new(out, file.p, caption.p, d, 1 + 2 * n, &t, err));
			t->first = 1;
			ISO_TRY_OUT(heads(a, t, c, n, err));
			iso_note_add(
				&t->notes,
				"Three standard errors decide: an honest attack raises a false "
				"alarm "
				"once in 370 tables. An attack that does not catch copies shows "
				"nothing when it fails on a method; one that is not at chance "
				"without data is biased.");
		}
		ISO_TRY_OUT(iso_rtable_row(t, ISO_NO_SETTING, err));
		row = &t->cell[(t->nrow - 1) * t->ncol];
		iso_title_text(&a->name[j], title);
		ISO_TRY_OUT(iso_rcell_set(&row[0], title, NAN, err));
		for (size_t k = 0; k < n; k++)
			ISO_TRY_OUT(pair(a, &c[k], j, &row[1 + 2 * k], err));
	}
out:
	iso_str_free(&file);
	iso_str_free(&caption);
	return st;
}
