// SPDX-License-Identifier: Apache-2.0
/* The answer first: per data set and epsilon, methods ranked on headline values, with the floor,
 * the ceiling and what may be concluded. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/stats.h"
#include "reports/answer.h"
#include "reports/caveats.h"

#define ALPHA 0.05

/* ------------------------------------------------------------------ ranks */

void iso_rank_settings(const iso_aggregate *a, const size_t *setting, size_t n, size_t name,
		       unsigned *rank)
{
	const int direction = a->name[name].direction;
	double *p = iso_alloc(n + 1, sizeof(*p));
	unsigned next = 1;

	memset(rank, 0, n * sizeof(*rank));
	while (p) {
		double lowest = INFINITY;
		size_t best = n;
		unsigned tied = 0;

		for (size_t i = 0; i < n; i++) {
			const iso_summary *s = iso_aggregate_at(a, setting[i], name);

			if (rank[i] || !s->n)
				continue;
			if (best == n ||
			    direction * s->mean >
				    direction * iso_aggregate_at(a, setting[best], name)->mean)
				best = i;
		}
		if (best == n)
			break;
		for (size_t i = 0; i < n; i++)
			p[i] = rank[i] || i == best || !iso_aggregate_at(a, setting[i], name)->n
				       ? NAN
				       : iso_paired_p(a, setting[best], setting[i], name);
		iso_holm(p, n);
		/* the group reaches down to the lowest mean that the test does not part from the
		 * leader: nobody is called worse than a method with a lower mean */
		for (size_t i = 0; i < n; i++)
			if (!rank[i] && iso_aggregate_at(a, setting[i], name)->n &&
			    (i == best || !(p[i] < ALPHA)))
				lowest = fmin(lowest,
					      direction *
						      iso_aggregate_at(a, setting[i], name)->mean);
		for (size_t i = 0; i < n; i++) {
			const iso_summary *s = iso_aggregate_at(a, setting[i], name);

			if (!rank[i] && s->n && direction * s->mean >= lowest) {
				rank[i] = next;
				tied++;
			}
		}
		next += tied;
	}
	iso_free(p);
}

/* ------------------------------------------------------------------ attacks */

/* AUC over the targets at even (half 0) or odd (half 1) places; NaN when a class is missing. */
static double half_auc(const cJSON *attack, int half)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(attack, half ? "auc_odd" : "auc_even");

	return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

double iso_strongest_attack(const iso_aggregate *a, size_t setting, const char **label)
{
	double sum = 0;
	size_t n = 0;

	*label = "";
	for (size_t i = 0; i < a->records->n; i++) {
		const cJSON *attack, *best = NULL;
		double most = -1, other;

		if (a->of_record[i] != setting)
			continue;
		cJSON_ArrayForEach(attack,
				   cJSON_GetObjectItemCaseSensitive(a->records->v[i], "attacks"))
		{
			const double auc = half_auc(attack, 0);

			if (auc > most) {
				most = auc;
				best = attack;
			}
		}
		other = best ? half_auc(best, 1) : NAN;
		if (isnan(other))
			continue;
		if (n == 0) {
			const cJSON *l = cJSON_GetObjectItemCaseSensitive(best, "label");

			*label = cJSON_IsString(l) ? l->valuestring : "";
		}
		sum += other;
		n++;
	}
	return n ? sum / (double)n : NAN;
}

/* ------------------------------------------------------------------ one answer */

static int is_here(const iso_answer *w, const iso_setting *s)
{
	return strcmp(s->dataset, w->a->dataset[w->d]) == 0 &&
	       (s->epsilon == w->epsilon || isinf(s->epsilon));
}

static int is_method(const iso_answer *w, const iso_setting *s)
{
	return !*s->control && s->epsilon == w->epsilon;
}

static iso_status take_settings(iso_answer *w, iso_error *err)
{
	const iso_aggregate *a = w->a;
	const size_t cap = a->nsetting + 1;

	w->setting = iso_alloc(cap, sizeof(*w->setting));
	w->rank = iso_alloc(cap, sizeof(*w->rank));
	w->order = iso_alloc(cap, sizeof(*w->order));
	w->sorted = iso_alloc(cap, sizeof(*w->sorted));
	w->floor = iso_alloc(cap, sizeof(*w->floor));
	if (!w->setting || !w->rank || !w->order || !w->sorted || !w->floor)
		return iso_no_memory(err, "report");
	for (int control = 0; control < 2; control++) {
		for (size_t i = 0; i < a->nsetting; i++)
			if (is_here(w, &a->setting[i]) && a->setting[i].seeds &&
			    is_method(w, &a->setting[i]) == !control)
				w->setting[w->n++] = i;
		w->nmethod = control ? w->nmethod : w->n;
	}
	for (size_t j = 0; j < a->nname && w->nname < ISO_HEADLINES_MAX; j++)
		if (a->name[j].headline && strcmp(a->name[j].kind, "attack") != 0 &&
		    iso_measured_on(a, a->dataset[w->d], j))
			w->name[w->nname++] = j;
	return ISO_OK;
}

/* By mean rank, ties by the first headline value. */
static int comes_before(const iso_answer *w, size_t i, size_t k)
{
	const iso_summary *x, *y;

	if (w->order[i] != w->order[k] || !w->nname)
		return w->order[i] < w->order[k];
	x = iso_aggregate_at(w->a, w->setting[i], w->name[0]);
	y = iso_aggregate_at(w->a, w->setting[k], w->name[0]);
	return w->a->name[w->name[0]].direction * (x->mean - y->mean) > 0;
}

static void rank_all(iso_answer *w)
{
	unsigned *rank = iso_alloc(w->nmethod + 1, sizeof(*rank));

	for (size_t j = 0; j < w->nname && rank; j++) {
		iso_rank_settings(w->a, w->setting, w->nmethod, w->name[j], rank);
		for (size_t i = 0; i < w->nmethod; i++)
			w->rank[i][j] = rank[i];
	}
	iso_free(rank);
	for (size_t i = 0; i < w->n; i++) {
		size_t at = i;

		w->order[i] = i < w->nmethod ? 0 : 1e9 + (double)i;
		for (size_t j = 0; i < w->nmethod && j < w->nname; j++)
			w->order[i] +=
				w->rank[i][j] ? (double)w->rank[i][j] / (double)w->nname : 1e6;
		for (; at > 0 && comes_before(w, i, w->sorted[at - 1]); at--)
			w->sorted[at] = w->sorted[at - 1];
		w->sorted[at] = i;
	}
}

/* Whether each method beats the best floor on the first headline value that is for the better when
 * higher: paired over seeds, Holm over the methods. */
static void beat_floor(iso_answer *w, int *any)
{
	const iso_aggregate *a = w->a;
	double *p = iso_alloc(w->nmethod + 1, sizeof(*p));
	size_t name = SIZE_MAX, floor = SIZE_MAX;
	int direction;

	*any = 0;
	for (size_t j = w->nname; j-- > 0;)
		if (a->name[w->name[j]].direction > 0 || name == SIZE_MAX)
			name = w->name[j];
	if (!p || name == SIZE_MAX)
		goto out;
	direction = a->name[name].direction;
	for (size_t i = w->nmethod; i < w->n; i++) {
		const iso_summary *s = iso_aggregate_at(a, w->setting[i], name);

		if (strcmp(a->setting[w->setting[i]].control, "floor") == 0 && s->n &&
		    a->setting[w->setting[i]].epsilon == w->epsilon &&
		    (floor == SIZE_MAX ||
		     direction * s->mean > direction * iso_aggregate_at(a, floor, name)->mean))
			floor = w->setting[i];
	}
	if (floor == SIZE_MAX)
		goto out;
	*any = 1;
	for (size_t i = 0; i < w->nmethod; i++)
		p[i] = iso_aggregate_at(a, w->setting[i], name)->n
			       ? iso_paired_p(a, w->setting[i], floor, name)
			       : NAN;
	iso_holm(p, w->nmethod);
	for (size_t i = 0; i < w->nmethod; i++) {
		const iso_summary *s = iso_aggregate_at(a, w->setting[i], name);
		const double gain = direction * (s->mean - iso_aggregate_at(a, floor, name)->mean);

		snprintf(w->floor[i], sizeof(w->floor[i]), "%s",
			 !s->n		   ? "-"
			 : !(p[i] < ALPHA) ? "not shown"
			 : gain > 0	   ? "yes"
					   : "no");
	}
out:
	iso_free(p);
}

static iso_status put(iso_rtable *t, size_t column, const char *text, double sort, iso_error *err)
{
	return iso_rcell_set(&t->cell[(t->nrow - 1) * t->ncol + column], text, sort, err);
}

static iso_status put_value(const iso_answer *w, iso_rtable *t, size_t column, size_t setting,
			    const char *name, iso_error *err)
{
	const size_t j = iso_aggregate_find(w->a, name);
	const iso_summary *s = j == SIZE_MAX ? NULL : iso_aggregate_at(w->a, setting, j);
	char text[32];

	iso_epsilon_text(s && s->n ? s->mean : NAN, text);
	return put(t, column, text, s && s->n ? s->mean : NAN, err);
}

/* Columns: rank, method, guarantee, headline values, floor, accounted, audited, attack. */
static iso_status answer_row(const iso_answer *w, iso_rtable *t, size_t i, iso_error *err)
{
	const iso_aggregate *a = w->a;
	const size_t s = w->setting[i];
	const int method = i < w->nmethod;
	const size_t after = 3 + w->nname;
	const char *attack;
	char text[ISO_NUMBER_TEXT], label[64];
	double auc;

	ISO_TRY(iso_rtable_row(t, s, err));
	snprintf(text, sizeof(text), method ? "%.1f" : "-", w->order[i]);
	if (method && w->order[i] == floor(w->order[i]))
		snprintf(text, sizeof(text), "%.0f", w->order[i]);
	ISO_TRY(put(t, 0, method && w->order[i] < 1e5 ? text : "-", w->order[i], err));
	ISO_TRY(put(t, 1, a->setting[s].name, NAN, err));
	iso_label_text(&a->setting[s], label);
	if (!method && *a->setting[s].control && strcmp(a->setting[s].verdict, "refuted") != 0)
		snprintf(label, sizeof(label), "control: %s",
			 strcmp(a->setting[s].control, "floor") == 0   ? "floor"
			 : strcmp(a->setting[s].control, "blind") == 0 ? "sees no data"
								       : "returns its rows");
	ISO_TRY(put(t, 2, label, NAN, err));
	for (size_t j = 0; j < w->nname; j++) {
		const iso_summary *v = iso_aggregate_at(a, s, w->name[j]);
		unsigned last = 1;

		iso_mean_text(v, &a->name[w->name[j]], text);
		ISO_TRY(put(t, 3 + j, text, v->n ? v->mean : NAN, err));
		for (size_t k = 0; k < w->nmethod; k++)
			last = w->rank[k][j] > last ? w->rank[k][j] : last;
		t->cell[(t->nrow - 1) * t->ncol + 3 + j].strong =
			method && w->rank[i][j] == 1 && last > 1;
	}
	ISO_TRY(put(t, after, method && *w->floor[i] ? w->floor[i] : "-", NAN, err));
	ISO_TRY(put_value(w, t, after + 1, s, "accounted_epsilon", err));
	ISO_TRY(put_value(w, t, after + 2, s, "audited_epsilon", err));
	auc = iso_strongest_attack(a, s, &attack);
	if (isnan(auc))
		snprintf(text, sizeof(text), "-");
	else
		snprintf(text, sizeof(text), "%.3f %.60s", auc, attack);
	return put(t, after + 3, text, auc, err);
}

/* What value j is for the real training rows, from whoever has most seeds; n = 0: nothing. */
static iso_summary ceiling_of(const iso_answer *w, size_t j)
{
	const size_t real = iso_aggregate_find(w->a, w->a->name[w->name[j]].real);
	iso_summary most = {0};

	for (size_t i = 0; i < w->n && real != SIZE_MAX; i++) {
		const iso_summary *s = iso_aggregate_at(w->a, w->setting[i], real);

		if (s->n > most.n)
			most = *s;
	}
	return most;
}

static iso_status ceiling_row(const iso_answer *w, iso_rtable *t, iso_error *err)
{
	size_t any = 0;

	for (size_t j = 0; j < w->nname; j++)
		any += ceiling_of(w, j).n;
	if (!any)
		return ISO_OK;
	ISO_TRY(iso_rtable_row(t, ISO_NO_SETTING, err));
	for (size_t j = 0; j < t->ncol; j++)
		ISO_TRY(put(t, j, j == 1 ? "real training rows" : "-", NAN, err));
	ISO_TRY(put(t, 2, "reference", NAN, err));
	for (size_t j = 0; j < w->nname; j++) {
		const iso_summary most = ceiling_of(w, j);
		char text[ISO_NUMBER_TEXT];

		if (!most.n)
			continue;
		iso_mean_text(&most, &w->a->name[w->name[j]], text);
		ISO_TRY(put(t, 3 + j, text, most.mean, err));
	}
	return ISO_OK;
}

static iso_status build_answer(iso_answer *w, iso_rtables *out, iso_error *err)
{
	static const char *const tail[] = {"Beats the floor", "Accounted epsilon",
					   "Audited epsilon", "Strongest attack (AUC)"};
	const iso_aggregate *a = w->a;
	iso_rtable *t;
	int floor;
	char eps[32];
	iso_str file = {0}, title = {0};
	iso_status st = ISO_OK;

	ISO_TRY(take_settings(w, err));
	if (w->n == 0)
		return ISO_OK;
	rank_all(w);
	beat_floor(w, &floor);
	iso_epsilon_text(w->epsilon, eps);
	iso_str_addf(&file, "%s-answer-epsilon-%s", a->slug[w->d], eps);
	iso_str_addf(&title, "%s, epsilon %s: methods ranked", a->dataset[w->d], eps);
	ISO_TRY_OUT(iso_str_check(&file, err));
	ISO_TRY_OUT(iso_str_check(&title, err));
	ISO_TRY_OUT(iso_rtable_new(out, file.p, title.p, w->d, 7 + w->nname, &t, err));
	t->answer = 1;
	t->epsilon = w->epsilon;
	ISO_TRY_OUT(iso_rcell_set(&t->head[0], "Rank", NAN, err));
	ISO_TRY_OUT(iso_rcell_set(&t->head[1], "Method", NAN, err));
	ISO_TRY_OUT(iso_rcell_set(&t->head[2], "Guarantee", NAN, err));
	for (size_t j = 0; j < w->nname; j++) {
		char head[ISO_NUMBER_TEXT * 2 + 16], plain[ISO_NUMBER_TEXT * 2];
		const int dir = a->name[w->name[j]].direction;

		iso_title_text(&a->name[w->name[j]], plain);
		snprintf(head, sizeof(head), "%s%s", plain,
			 dir > 0   ? " \xe2\x86\x91"
			 : dir < 0 ? " \xe2\x86\x93"
				   : "");
		ISO_TRY_OUT(iso_rcell_set(&t->head[3 + j], head, NAN, err));
	}
	for (size_t j = 0; j < ISO_COUNT(tail); j++)
		ISO_TRY_OUT(iso_rcell_set(&t->head[3 + w->nname + j], tail[j], NAN, err));
	for (size_t i = 0; i < w->n; i++)
		ISO_TRY_OUT(answer_row(w, t, w->sorted[i], err));
	ISO_TRY_OUT(ceiling_row(w, t, err));
	iso_answer_words(w, floor, &t->words);
	st = iso_str_check(&t->words, err);
out:
	iso_str_free(&file);
	iso_str_free(&title);
	return st;
}

static int compare_double(const void *pa, const void *pb)
{
	const double a = *(const double *)pa, b = *(const double *)pb;

	return (a > b) - (a < b);
}

/* The finite epsilons of methods, ascending; if there is none, the one answer is for inf. */
static size_t epsilons_of(const iso_aggregate *a, size_t d, double *eps)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < a->nsetting; i++)
		if (strcmp(a->setting[i].dataset, a->dataset[d]) == 0)
			eps[n++] = a->setting[i].epsilon;
	qsort(eps, n, sizeof(*eps), compare_double);
	for (size_t i = 0; i < n; i++)
		if ((isfinite(eps[i]) || kept == 0) && (!kept || eps[i] != eps[kept - 1]))
			eps[kept++] = eps[i];
	return kept;
}

static const char *const answer_notes[] = {
	"Rank: mean over the headline columns; methods that the seeds cannot tell apart share a "
	"rank "
	"(paired t over three or more seeds, Holm, 5 %). Bold: in the best group while others are "
	"not.",
	"Strongest attack: chosen on one half of the targets, its AUC shown on the other half; 0.5 "
	"is "
	"chance. That no attack succeeds does not show that none could.",
	"Interval: \xc2\xb1 is 95 % (Student) over four or more seeds; (a to b) is the range of "
	"two or "
	"three; [a, b] is the interval of a single value.",
};

/* What the records say beside their numbers, each once. */
static iso_status add_caveats(const iso_aggregate *a, size_t d, iso_str *notes, iso_error *err)
{
	iso_caveats all = {0};
	iso_status st = ISO_OK;

	for (size_t i = 0; i < a->records->n && st == ISO_OK; i++) {
		const cJSON *c = cJSON_GetObjectItemCaseSensitive(a->records->v[i], "caveats");

		if (strcmp(a->setting[a->of_record[i]].dataset, a->dataset[d]) != 0)
			continue;
		for (c = c ? c->child : NULL; c && st == ISO_OK; c = c->next)
			if (cJSON_IsString(c))
				st = iso_caveats_add(&all, c->valuestring, err);
	}
	for (size_t i = 0; i < all.n && st == ISO_OK; i++) {
		iso_str text = {0};

		iso_caveat_text(&all, i, &text);
		iso_note_add(notes, "%s", text.p ? text.p : "");
		iso_str_free(&text);
	}
	iso_caveats_free(&all);
	return st;
}

iso_status iso_answers_build(const iso_aggregate *a, size_t d, iso_rtables *out, iso_error *err)
{
	double *eps = iso_alloc(a->nsetting + 1, sizeof(*eps));
	size_t n;
	iso_status st = ISO_OK;

	if (!eps)
		return iso_no_memory(err, "report");
	n = epsilons_of(a, d, eps);
	for (size_t i = 0; i < n && st == ISO_OK; i++) {
		iso_answer w = {.a = a, .d = d, .epsilon = eps[i]};
		const size_t before = out->n;

		st = build_answer(&w, out, err);
		for (size_t k = 0; i + 1 == n && out->n > before && k < ISO_COUNT(answer_notes);
		     k++)
			iso_note_add(&out->v[before].notes, "%s", answer_notes[k]);
		if (i + 1 == n && out->n > before && st == ISO_OK)
			st = add_caveats(a, d, &out->v[before].notes, err);
		iso_free(w.setting);
		iso_free(w.rank);
		iso_free(w.order);
		iso_free(w.sorted);
		iso_free(w.floor);
	}
	iso_free(eps);
	return st;
}
