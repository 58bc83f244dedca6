// SPDX-License-Identifier: Apache-2.0
/* Rows with blanked columns beside synthetic rows: the same columns are blanked on both sides, so
 * that distances see the known columns alone. */
#ifndef ISO_ATTACKS_KIT_MASKED_H
#define ISO_ATTACKS_KIT_MASKED_H

#include "attacks/attack.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_masked {
	iso_rowset known, synthetic; /* owned */
	uint8_t *hidden; /* owned [ncol]: columns that are blank in every row of the table */
} iso_masked;
iso_status iso_masked_new(const iso_table *t, const iso_table *synthetic, iso_masked *out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_masked_free(iso_masked *m);
/* ISO_E_UNSUPPORTED naming the attack unless the view has at least `least` synthetic rows. */
iso_status iso_needs_synthetic(const iso_attack_view *v, const char *attack, size_t least,
			       iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
