// SPDX-License-Identifier: Apache-2.0
/* The fp32 kernels for AVX-512 (compiled with its flags; see CMakeLists.txt). */
#ifdef __AVX512F__
#include <immintrin.h>
#include <stdint.h>

#define V_LANES 16
typedef float vf __attribute__((vector_size(64), may_alias));
typedef int32_t vi __attribute__((vector_size(64), may_alias));
typedef uint32_t vu __attribute__((vector_size(64), may_alias));

static inline vf v_fma(vf a, vf b, vf c)
{
	return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

static inline vf v_sqrt(vf a)
{
	return (vf)_mm512_sqrt_ps((__m512)a);
}

#define KERNELS iso_vmath_avx512
#include "core/math/vmath_kernels.h"
#endif
