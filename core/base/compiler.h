// SPDX-License-Identifier: Apache-2.0
/* Attributes: promises that the compiler checks. */
#ifndef ISO_BASE_COMPILER_H
#define ISO_BASE_COMPILER_H

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_MUST_CHECK __attribute__((warn_unused_result))
#define ISO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ISO_UNUSED __attribute__((unused))
/* For the few loops that are compiled once per instruction set in one file (x86-64); clang has no
 * vector width here. */
#define ISO_TARGET_AVX2 __attribute__((target("avx2")))
#ifdef __clang__
#define ISO_TARGET_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#else
#define ISO_TARGET_AVX512 \
	__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")))
#endif
#define ISO_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#ifdef __cplusplus
}
#endif

#endif
