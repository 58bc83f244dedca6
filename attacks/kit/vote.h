// SPDX-License-Identifier: Apache-2.0
/* The secret cell by a vote of the synthetic rows that are nearest in the known columns: the
 * commonest category, or the mean of numbers; score = its share of the votes. */
#ifndef ISO_ATTACKS_KIT_VOTE_H
#define ISO_ATTACKS_KIT_VOTE_H

#include "attacks/attack.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For every target of a view with a secret column; ISO_E_UNSUPPORTED names the attack. */
iso_status iso_vote(const iso_attack_view *v, const char *attack, size_t neighbours, iso_guess *out,
		    iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
