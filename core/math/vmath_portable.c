// SPDX-License-Identifier: Apache-2.0
/* The fp32 kernels without any instruction-set flag.
 *
 * The fused multiply-add is computed exactly in double: a b is exact (48 bits), a b + c is rounded to odd (Boldo and
 * Melquiond 2008, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd"), and
 * rounding that to float equals one rounding of the exact value, because 53 >= 2 * 24 + 2. */
#include <math.h>
#include <stdint.h>

#define V_LANES 4
typedef float vf __attribute__((vector_size(16), may_alias));
typedef int32_t vi __attribute__((vector_size(16), may_alias));
typedef uint32_t vu __attribute__((vector_size(16), may_alias));
typedef double vd __attribute__((vector_size(32), may_alias));
typedef int64_t vl __attribute__((vector_size(32), may_alias));

static inline vf v_fma(vf a, vf b, vf c)
{
	const vd p = __builtin_convertvector(a, vd) * __builtin_convertvector(b, vd);
	const vd d = __builtin_convertvector(c, vd), s = p + d, t = s - p;
	const vd lost = (p - (s - t)) + (d - t); /* NaN when s is not finite: no adjustment then */
	const vl inexact = (vl)((lost > 0) | (lost < 0)), even = ((vl)s & 1) - 1;
	const vl away = (vl)(lost < 0) ^ (vl)(s < 0); /* -1: s was rounded away from zero */
	const vl odd = (vl)s + (inexact & even & (away | 1));
	return __builtin_convertvector((vd)odd, vf);
}

static inline vf v_sqrt(vf a)
{
	vf r;
	for (int l = 0; l < V_LANES; l++)
		r[l] = sqrtf(a[l]);
	return r;
}

#define KERNELS iso_vmath_portable
#include "core/math/vmath_kernels.h"
