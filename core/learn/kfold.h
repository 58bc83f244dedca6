// SPDX-License-Identifier: Apache-2.0
/* Random subsets and stratified folds from a key. */
#ifndef ISO_LEARN_KFOLD_H
#define ISO_LEARN_KFOLD_H

#include "core/rand/rand.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* m <= n distinct rows of 0..n-1, ascending, all subsets equally likely; *out is new (iso_free). */
iso_status iso_subset(iso_key key, size_t n, size_t m, uint32_t **out,
		      iso_error *err) ISO_MUST_CHECK;
/* fold[i] in 0..folds-1: within every class the rows are shuffled and dealt out in turn, so fold
 * sizes differ by at most one in a class; the deal goes on where the class before left off, so that
 * they differ by at most one in total too.
 *
 * group [n], or NULL: rows with equal group[i] (any number below n) share a fold, since a copy of a
 * test row among the training rows would give its class away, or the opposite one.  Groups of
 * several rows are placed first, the largest first, each where its classes are rarest so far. */
iso_status iso_stratified_folds(iso_key key, const uint32_t *y, const uint32_t *group, size_t n,
				size_t classes, size_t folds, uint32_t *fold,
				iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
