// SPDX-License-Identifier: Apache-2.0
/* Between coded.c and coded_fit.c. */
#ifndef ISO_GENERATORS_KIT_CODED_PRIVATE_H
#define ISO_GENERATORS_KIT_CODED_PRIVATE_H

#include "generators/kit/coded.h"

/* An untrained model: networks and mixtures drawn from the key. */
iso_status iso_coded_new(const iso_gen_env *env, iso_key key, iso_coded_model **out,
			 iso_error *err) ISO_MUST_CHECK;
/* The law of the classes from their counts [parts]. */
void iso_coded_derive(iso_coded_model *m, const double *counts);

#endif
