// SPDX-License-Identifier: Apache-2.0
#include "suites/referee/blank.h"

#include <math.h>

#define TOLERANCE 0.05 /* of the public range */

const iso_output iso_risk_outputs[] = {
	{"main", "success on members", "share", ISO_LOWER, 0, 1, NAN, NULL},
	{"control", "success on non-members", "share", ISO_NEITHER, 0, 1, NAN,
	 "what is as true of people outside the training rows is knowledge of the population, no "
	 "leak"},
	{"naive", "success without the synthetic rows' help", "share", ISO_NEITHER, 0, 1, NAN,
	 NULL},
	{"risk", "risk beyond the control", "share", ISO_LOWER, 0, 1, 0,
	 "(main - control) / (1 - control), Giomi et al. 2023"},
	{0}};

int iso_guess_right(const iso_column *c, double truth, double guess)
{
	if (isnan(truth) || isnan(guess))
		return 0;
	if (iso_is_discrete(c))
		return truth == guess;
	return fabs(truth - guess) <= TOLERANCE * (c->hi - c->lo);
}

void iso_blank(iso_table *t, const uint8_t *hide)
{
	const size_t ncol = t->schema->ncol;

	for (size_t r = 0; r < t->n; r++)
		for (size_t c = 0; c < ncol; c++)
			if (hide[c])
				t->cells[r * ncol + c] = NAN;
}

int iso_split_columns(const iso_schema *s, iso_key key, uint8_t *hide)
{
	iso_stream coin = iso_stream_new(key);
	size_t usable = 0, hidden = 0, first = 0;

	for (size_t c = 0; c < s->ncol; c++) {
		hide[c] = 0;
		if (iso_is_dropped(&s->column[c]) || s->column[c].type == ISO_PIXEL)
			continue;
		first = usable++ ? first : c;
		hide[c] = (uint8_t)iso_next_below(&coin, 2);
		hidden += hide[c];
	}
	if (usable < 2)
		return 0;
	if (hidden == 0 || hidden == usable)
		hide[first] = !hide[first];
	return 1;
}

iso_status iso_judge_risk(const double hits[3], const double n[3], iso_measures *m, iso_error *err)
{
	static const char *const key[3] = {"main", "control", "naive"};
	iso_risk r;

	for (size_t i = 0; i < 3; i++) {
		double low, high;

		if (!(n[i] > 0)) {
			ISO_TRY(iso_measure_undefined(m, key[i], "no target of this kind", err));
			continue;
		}
		iso_wilson(hits[i], n[i], 1.959963984540054, &low, &high);
		ISO_TRY(iso_measure_set(m, key[i], hits[i] / n[i], low, high, err));
	}
	if (!(n[0] > 0) || !(n[1] > 0))
		return iso_measure_undefined(m, "risk", "members or control are missing", err);
	if (n[2] > 0 && hits[0] / n[0] <= hits[2] / n[2])
		return iso_measure_undefined(m, "risk",
					     "the attack does not beat guessing without it", err);
	iso_risk_of(hits[0], n[0], hits[1], n[1], &r);
	return iso_measure_set(m, "risk", r.risk, r.low, r.high, err);
}
