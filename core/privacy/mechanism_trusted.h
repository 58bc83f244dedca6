// SPDX-License-Identifier: Apache-2.0
/* The halves of a mechanism, for core/privacy/mechanism_*.c and core/nn/dpsgd.c ONLY (a lint checks
 * the includes): code that can prove that what it sums is clipped to the sensitivity it declares.
 */
#ifndef ISO_PRIVACY_MECHANISM_TRUSTED_H
#define ISO_PRIVACY_MECHANISM_TRUSTED_H

#include "core/privacy/ledger.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The event that pays for the next call: the planned one, or the one charged last. */
const iso_event *iso_ledger_event(const iso_ledger *l, int handle);
/* Books `count` uses of the entry or refuses (ISO_E_BUDGET) before any data are touched.
 * sensitivity: what the caller can prove of its aggregate from public things, must be <= planned.
 * *call = number of this call, counted per entry. */
iso_status iso_release_begin(iso_ledger *l, int handle, uint64_t count, double sensitivity,
			     uint32_t *call, iso_error *err) ISO_MUST_CHECK;
/* Poisson batch of the entry's own rate: positions into id[n]; call = from iso_release_begin.  Logs
 * the batch size. */
iso_status iso_release_poisson(iso_ledger *l, int handle, uint32_t call, const uint64_t *id,
			       size_t n, uint32_t *out, size_t *batch,
			       iso_error *err) ISO_MUST_CHECK;
/* Adds the noise in place, its scale the planned multiplier times the sensitivity that the call
 * declared; records, or compares and replaces, under record/replay.  A float sum is paid for with
 * ISO_F32_SLACK more: its rounding may move it by that much beyond the declared sensitivity, and a
 * replay tolerates as much. */
#define ISO_F32_SLACK 1e-4
iso_status iso_release_finish_f32(iso_ledger *l, int handle, uint32_t call, float *sum, size_t n,
				  iso_error *err) ISO_MUST_CHECK;
iso_status iso_release_finish(iso_ledger *l, int handle, uint32_t call, double *sum, size_t n,
			      iso_error *err) ISO_MUST_CHECK;
/* 1 when no replay is attached, so that fused kernels may add noise piecewise themselves:
 * piece [first, first+n) of the same vector, first even, in ascending order; an index is covered
 * once (ISO_E_BUDGET). */
int iso_release_piecewise_ok(const iso_ledger *l);
iso_status iso_release_piece_f32(iso_ledger *l, int handle, uint32_t call, size_t first, size_t n,
				 float *sum, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
