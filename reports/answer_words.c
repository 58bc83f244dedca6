// SPDX-License-Identifier: Apache-2.0
/* An answer in sentences. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "reports/answer.h"
#include "reports/controls.h"

/* The method with the best mean of a headline value; SIZE_MAX if none has it. */
static size_t leader(const iso_answer *w, size_t j)
{
	const int direction = w->a->name[w->name[j]].direction;
	const iso_summary *top = NULL;
	size_t lead = SIZE_MAX;

	for (size_t i = 0; i < w->nmethod; i++) {
		const iso_summary *s = iso_aggregate_at(w->a, w->setting[i], w->name[j]);

		if (s->n && (!top || direction * s->mean > direction * top->mean)) {
			top = s;
			lead = i;
		}
	}
	return lead;
}

/* Controls: copies must be caught, blind ones must not. */
static void control_words(const iso_answer *w, iso_str *out)
{
	const iso_aggregate *a = w->a;

	for (size_t i = w->nmethod; i < w->n; i++) {
		const iso_setting *s = &a->setting[w->setting[i]];
		const int copies = strcmp(s->control, "copies") == 0;
		int caught = 0, tried = 0;

		if (!copies && strcmp(s->control, "blind") != 0)
			continue; /* a floor, or a method without an epsilon */
		for (size_t j = 0; j < a->nname; j++) {
			int outcome;

			if (!iso_control_judges(a, w->setting[i], j))
				continue;
			outcome = iso_control_outcome(a, w->setting[i], j);
			tried = 1;
			caught |= copies ? outcome > 0 : outcome != 0;
		}
		if (!tried)
			continue;
		iso_str_addf(
			out, "Control %s %s: %s.\n", s->name,
			copies ? "(returns its training rows) must be caught by some attack"
			       : "(sees no data) must be at chance under every attack",
			copies == caught
				? "it is, as expected"
				: (copies ? "it is NOT: the attacks of this suite are too weak "
					    "to say anything about the methods"
					  : "it is NOT: the membership game is biased, do not "
					    "trust the attack figures"));
	}
}

/* The fewest seeds behind a method's value. */
static size_t fewest_seeds(const iso_answer *w, size_t j)
{
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < w->nmethod; i++) {
		const iso_summary *s = iso_aggregate_at(w->a, w->setting[i], w->name[j]);

		if (s->n && s->n < least)
			least = s->n;
	}
	return least;
}

/* Who leads by one headline value, and whether the seeds show it. */
static void leader_words(const iso_answer *w, size_t j, const char *where, iso_str *out)
{
	const iso_aggregate *a = w->a;
	const char *title = a->name[w->name[j]].title;
	const size_t lead = leader(w, j), seeds = fewest_seeds(w, j);
	iso_str tied = {0};
	char top[ISO_NUMBER_TEXT];
	size_t n = 0;

	if (lead == SIZE_MAX || w->nmethod < 2)
		return;
	for (size_t i = 0; i < w->nmethod; i++)
		if (i != lead && w->rank[i][j] == 1)
			iso_str_addf(&tied, "%s%s", n++ ? ", " : "",
				     a->setting[w->setting[i]].name);
	iso_mean_text(iso_aggregate_at(a, w->setting[lead], w->name[j]), &a->name[w->name[j]], top);
	iso_str_addf(out, "On %s at epsilon %s, %s ", a->dataset[w->d], where,
		     a->setting[w->setting[lead]].name);
	if (n == 0)
		iso_str_addf(out, "is best by %s: %s.\n", title, top);
	else if (seeds < ISO_PAIRS_MIN)
		iso_str_addf(
			out,
			"has the best mean %s: %s; with %zu seed%s no difference between methods "
			"can be shown (%d or more are needed).\n",
			title, top, seeds, seeds == 1 ? "" : "s", ISO_PAIRS_MIN);
	else
		iso_str_addf(out, "has the best mean %s: %s; %s cannot be told apart from it.\n",
			     title, top, tied.p);
	iso_str_free(&tied);
}

/* One method to begin with: the first of the table whose claim was not refuted. */
static void choice_words(const iso_answer *w, const char *where, int floor, iso_str *out)
{
	for (size_t k = 0; k < w->nmethod && w->nname; k++) {
		const size_t i = w->sorted[k];
		const iso_setting *s = &w->a->setting[w->setting[i]];
		char label[64];

		if (w->order[i] >= 1e5 || strcmp(s->verdict, "refuted") == 0 || s->warned)
			continue;
		iso_label_text(s, label);
		iso_str_addf(out,
			     "To begin with at epsilon %s: %s, first in the table below (claim: %s",
			     where, s->name, label);
		if (floor)
			iso_str_addf(out, "; better than the simple baseline: %s", w->floor[i]);
		iso_str_add(out, ").\n");
		return;
	}
}

void iso_answer_words(const iso_answer *w, int floor, iso_str *out)
{
	const iso_aggregate *a = w->a;
	char eps[32];
	size_t beats = 0;

	iso_epsilon_text(w->epsilon, eps);
	choice_words(w, eps, floor, out);
	for (size_t j = 0; j < w->nname; j++)
		leader_words(w, j, eps, out);
	for (size_t i = 0; i < w->nmethod; i++)
		beats += strcmp(w->floor[i], "yes") == 0;
	if (floor && w->nmethod)
		iso_str_addf(out,
			     "%zu of %zu methods %s shown to beat the simple baseline at the same "
			     "epsilon.\n",
			     beats, w->nmethod, beats == 1 ? "is" : "are");
	else if (w->nmethod)
		iso_str_add(out, "The suite has no simple baseline at this epsilon, so "
				 "nothing here shows that a deep method was needed.\n");
	control_words(w, out);
	for (size_t i = 0; i < w->nmethod; i++)
		if (a->setting[w->setting[i]].warned)
			iso_str_addf(out,
				     "Warning: membership attacks on %s succeed beyond what its "
				     "accounted epsilon allows in expectation.\n",
				     a->setting[w->setting[i]].name);
	for (size_t i = 0; i < w->nmethod; i++)
		if (strcmp(a->setting[w->setting[i]].verdict, "refuted") == 0)
			iso_str_addf(out,
				     "The privacy claim of %s was REFUTED: private data flows "
				     "around its ledger.\n",
				     a->setting[w->setting[i]].name);
}
