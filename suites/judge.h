// SPDX-License-Identifier: Apache-2.0
/* Attacks and metrics as entries of a record, for the runner and for `evaluate`. */
#ifndef ISO_SUITES_JUDGE_H
#define ISO_SUITES_JUDGE_H

#include "suites/referee/game.h"
#include "suites/plan.h"

/* Where entries go; all borrowed. */
typedef struct iso_judgement {
	cJSON *attacks, *metrics;		/* arrays */
	cJSON *attack_seconds, *metric_seconds; /* objects */
	cJSON *caveats;				/* array of texts, each once */
} iso_judgement;

/* An attack or metric that does not apply or that fails is an entry with its reason; what fails for
 * lack of memory and the like fails the call. */
iso_status iso_judge_attacks(iso_game *g, const iso_attack_setup *a, size_t n, iso_judgement *v,
			     iso_error *err) ISO_MUST_CHECK;
/* view: everything but the key, which is made from seed and label. */
iso_status iso_judge_metrics(const iso_metric_view *view, uint64_t seed, const iso_metric_setup *m,
			     size_t n, iso_judgement *v, iso_error *err) ISO_MUST_CHECK;
/* The entries of an attack or metric that crashed or ran out of time: its reason is `why`. */
iso_status iso_judge_lost_attack(const iso_attack_setup *a, const char *why, iso_judgement *v,
				 iso_error *err) ISO_MUST_CHECK;
iso_status iso_judge_lost_metric(const iso_metric_setup *m, const char *why, iso_judgement *v,
				 iso_error *err) ISO_MUST_CHECK;
/* Adds a text to an array unless it is there. */
iso_status iso_caveat_add(cJSON *caveats, const char *text, iso_error *err) ISO_MUST_CHECK;

#endif
