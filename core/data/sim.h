// SPDX-License-Identifier: Apache-2.0
/* Inside core/data: simulators.  Row r is a function of (seed, r) alone, so that 100 rows are the
 * first 100 of 1,000. */
#ifndef ISO_DATA_SIM_H
#define ISO_DATA_SIM_H

#include "core/data/table.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills row r of t (under the simulator's own schema) from the row's stream. */
typedef void (*iso_sim_fn)(iso_table *t, size_t r, iso_stream *s);
void iso_sim_mixture(iso_table *t, size_t r, iso_stream *s);
void iso_sim_census(iso_table *t, size_t r, iso_stream *s);
void iso_sim_digits(iso_table *t, size_t r, iso_stream *s);
void iso_sim_series(iso_table *t, size_t r, iso_stream *s);

#ifdef __cplusplus
}
#endif

#endif
