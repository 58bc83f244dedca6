// SPDX-License-Identifier: Apache-2.0
/* One set of shadow models for all targets and all attacks: the victim's generator on the
 * attacker's own rows, to which each target is added with probability one half, independently
 * (Carlini et al. 2022; attacks.md section 2.7).  Coins and seeds depend on the number of the
 * shadow alone, so that every attack that asks for k shadows finds those of the others in the pool.
 */
#ifndef ISO_ATTACKS_KIT_SHADOWS_H
#define ISO_ATTACKS_KIT_SHADOWS_H

#include "attacks/attack.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_shadows {
	size_t n, targets;
	const iso_model **model; /* owned [n] */
	uint8_t *in;		 /* owned [n][targets] */
} iso_shadows;

/* ISO_E_UNSUPPORTED, naming the attack, without a pool or auxiliary rows. */
iso_status iso_shadows_train(const iso_attack_view *v, const char *attack, size_t n,
			     iso_shadows *out, iso_error *err) ISO_MUST_CHECK;
void iso_shadows_free(iso_shadows *s);

#ifdef __cplusplus
}
#endif

#endif
