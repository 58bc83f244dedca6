// SPDX-License-Identifier: Apache-2.0
/* The fp32 kernels for AVX2 (compiled with its flags; see CMakeLists.txt). */
#ifdef __AVX2__
#include <immintrin.h>
#include <stdint.h>

#define V_LANES 8
typedef float vf __attribute__((vector_size(32), may_alias));
typedef int32_t vi __attribute__((vector_size(32), may_alias));
typedef uint32_t vu __attribute__((vector_size(32), may_alias));

static inline vf v_fma(vf a, vf b, vf c)
{
	return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

static inline vf v_sqrt(vf a)
{
	return (vf)_mm256_sqrt_ps((__m256)a);
}

#define KERNELS iso_vmath_avx2
#include "core/math/vmath_kernels.h"
#endif
