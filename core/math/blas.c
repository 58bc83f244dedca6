// SPDX-License-Identifier: Apache-2.0
#include "core/math/blas.h"

#include <cblas.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/log.h"

/* OpenBLAS counts in int; larger products are split by rows of the result. */
static blasint as_blasint(size_t n)
{
	return n > (size_t)INT_MAX ? INT_MAX : (blasint)n;
}

void iso_blas_sgemm(iso_trans t, size_t m, size_t n, size_t k, const float *a, size_t lda,
		    const float *b, size_t ldb, int beta, float *c, size_t ldc)
{
	static _Thread_local int single;

	if (m == 0 || n == 0)
		return;
	if (!single) {
		openblas_set_num_threads(1);
		single = 1;
	}
	/* cblas asks for leading dimensions >= 1 also when k is 0 */
	cblas_sgemm(CblasRowMajor, t == ISO_TN ? CblasTrans : CblasNoTrans,
		    t == ISO_NT ? CblasTrans : CblasNoTrans, as_blasint(m), as_blasint(n),
		    as_blasint(k), 1.0f, a, as_blasint(lda ? lda : 1), b, as_blasint(ldb ? ldb : 1),
		    beta ? 1.0f : 0.0f, c, as_blasint(ldc));
}

const char *iso_blas_core(void)
{
	return openblas_get_corename();
}

const char *iso_blas_config(void)
{
	return openblas_get_config();
}

/* The core that this CPU can run best, or NULL if OpenBLAS should choose.  AVX-512 cores of
 * OpenBLAS need F, CD, BW, DQ and VL; Haswell needs AVX2 and FMA. */
static const char *wanted_core(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		return "SkylakeX";
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return "Haswell";
#endif
	return NULL;
}

/* Cores of OpenBLAS that use at least AVX2 (Haswell and after) or AVX-512. */
static int core_is_good_enough(const char *core, const char *want)
{
	static const char *const avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
	static const char *const avx2[] = {"Haswell", "Zen", "Excavator"};
	size_t i;

	for (i = 0; i < ISO_COUNT(avx512); i++)
		if (strcasecmp(core, avx512[i]) == 0)
			return 1;
	for (i = 0; i < ISO_COUNT(avx2); i++)
		if (strcasecmp(core, avx2[i]) == 0)
			return strcmp(want, "Haswell") == 0 || strcmp(core, "Zen") == 0;
	return 0;
}

void iso_blas_fix_core(char **argv)
{
	const char *want = wanted_core();

	/* A core type already chosen, by the user or by a first pass through here, is left alone.
	 */
	if (!want || getenv("OPENBLAS_CORETYPE") ||
	    core_is_good_enough(openblas_get_corename(), want))
		return;
	if (setenv("OPENBLAS_CORETYPE", want, 1) != 0)
		return;
	setenv("OPENBLAS_NUM_THREADS", "1", 0);
	execv("/proc/self/exe", argv);
	iso_warn("OpenBLAS runs as %s on a CPU that can do %s: could not start again; set "
		 "OPENBLAS_CORETYPE=%s",
		 openblas_get_corename(), want, want);
}
