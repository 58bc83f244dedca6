// SPDX-License-Identifier: Apache-2.0
/* The student of PATE: a network that sees public rows and the released labels of the teachers'
 * noisy votes, nothing else. */
#ifndef ISO_GENERATORS_KIT_STUDENT_H
#define ISO_GENERATORS_KIT_STUDENT_H

#include "generators/kit/teachers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_student {
	iso_net *net; /* borrowed */
	iso_ws *ws;   /* for a batch; owned */
	iso_optim opt;
	size_t width, classes, batch, cap;
	size_t n;	 /* released pairs so far */
	float *row;	 /* [cap][width] judged rows; owned */
	uint32_t *label; /* [cap] their released labels; owned */
	float *x, *want; /* [batch][width], [batch][outputs]; owned */
	double *votes;	 /* PRIVATE [cap][classes]; owned */
	double agree;	 /* PRIVATE labels so far that equal the majority */
	uint64_t steps;
	iso_key key;
} iso_student;

/* Room for `cap` pairs; batches of `batch` of them; Adam at lr.  A network of one output has two
 * classes and learns the smoothed labels 0.1 and 0.9 (Salimans et al. 2016, section 3.4). */
iso_status iso_student_init(iso_student *s, iso_net *net, size_t cap, size_t batch, double lr,
			    iso_key key, iso_error *err) ISO_MUST_CHECK;
void iso_student_deinit(iso_student *s);
/* Asks the teachers about the n rows that the caller wrote behind the pairs, at row + n width:
 * books n of the planned entry "votes" and keeps the labels. */
iso_status iso_student_ask(iso_student *s, iso_teachers *t, iso_ledger *l, size_t n, double least,
			   iso_error *err) ISO_MUST_CHECK;
/* One step on a batch of pairs, every other one of the last `fresh`.  Returns the mean loss. */
double iso_student_step(iso_student *s, size_t fresh);

#ifdef __cplusplus
}
#endif

#endif
