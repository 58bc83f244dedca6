// SPDX-License-Identifier: Apache-2.0
/* Games that hide cells: a blanked cell is NaN, and a guess of it is right when a category is equal
 * or a number lies within 5 % of the public range (attacks.md section 4.3; an absolute tolerance,
 * because a relative one is meaningless around zero). */
#ifndef ISO_SUITES_REFEREE_BLANK_H
#define ISO_SUITES_REFEREE_BLANK_H

#include "suites/referee/game.h"

int iso_guess_right(const iso_column *c, double truth, double guess);
/* hide[ncol]: columns to blank in every row. */
void iso_blank(iso_table *t, const uint8_t *hide);
/* Marks each column that is neither an id nor made of pixels with probability 1/2, by key, at least
 * one and not all; 0 if the schema has fewer than two such columns. */
int iso_split_columns(const iso_schema *s, iso_key key, uint8_t *hide);

/* Rates of success on members and on the control, their outputs declared once. */
extern const iso_output iso_risk_outputs[];
/* hits[3] and n[3]: main attack, control, naive baseline. */
iso_status iso_judge_risk(const double hits[3], const double n[3], iso_measures *m,
			  iso_error *err) ISO_MUST_CHECK;

#endif
