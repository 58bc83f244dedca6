// SPDX-License-Identifier: Apache-2.0
/* OpenBLAS behind one door (the only file that includes cblas.h and lapacke.h): the oracle and the
 * alternative of core/math/gemm.h.  Always one thread. */
#ifndef ISO_MATH_BLAS_H
#define ISO_MATH_BLAS_H

#include <stddef.h>

#include "core/math/gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As iso_gemm without an epilogue, by cblas_sgemm; rounding differs from iso_gemm. */
void iso_blas_sgemm(iso_trans t, size_t m, size_t n, size_t k, const float *a, size_t lda,
		    const float *b, size_t ldb, int beta, float *c, size_t ldc);
/* Core type that OpenBLAS runs ("SkylakeX") and its version text. */
const char *iso_blas_core(void);
const char *iso_blas_config(void);
/* OpenBLAS 0.3.21 takes some recent CPUs for a 2004 one.  If its core lacks what the CPU has, set
 * OPENBLAS_CORETYPE and execute the program again (argv as given); otherwise return.  Called first
 * in main(). */
void iso_blas_fix_core(char **argv);

#ifdef __cplusplus
}
#endif

#endif
