// SPDX-License-Identifier: Apache-2.0
/* One answer: the methods and controls of one data set at one epsilon, as answer.c ranks them and
 * answer_words.c puts them into sentences. */
#ifndef ISO_REPORTS_ANSWER_H
#define ISO_REPORTS_ANSWER_H

#include "reports/tables.h"

#define ISO_HEADLINES_MAX 8

typedef struct iso_answer {
	const iso_aggregate *a;
	size_t d;
	double epsilon;
	size_t name[ISO_HEADLINES_MAX], nname; /* headline values that are not attacks */
	size_t *setting, n;		       /* methods, then controls, at this epsilon */
	size_t nmethod;
	unsigned (*rank)[ISO_HEADLINES_MAX]; /* [nmethod] */
	double *order;			     /* [n] mean rank; controls after all */
	size_t *sorted;
	char (*floor)[16]; /* [nmethod] */
} iso_answer;

/* Appends one sentence a line: the method to begin with, who leads by each headline value and
 * whether the seeds show it, the simple baseline, the controls, warnings.  floor: there is a
 * baseline at this epsilon. */
void iso_answer_words(const iso_answer *w, int floor, iso_str *out);

#endif
