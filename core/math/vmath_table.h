// SPDX-License-Identifier: Apache-2.0
/* Private to core/math/vmath*.c: one table of fp32 kernels per instruction set. */
#ifndef ISO_MATH_VMATH_TABLE_H
#define ISO_MATH_VMATH_TABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct iso_vmath_table {
	void (*exp)(size_t n, const float *x, float *y);
	void (*log)(size_t n, const float *x, float *y);
	void (*tanh)(size_t n, const float *x, float *y);
	void (*sigmoid)(size_t n, const float *x, float *y);
	int (*box_muller)(size_t n, const uint32_t *words, float *out);
} iso_vmath_table;

extern const iso_vmath_table iso_vmath_portable;
#ifdef __x86_64__
extern const iso_vmath_table iso_vmath_avx2, iso_vmath_avx512;
#endif

#endif
