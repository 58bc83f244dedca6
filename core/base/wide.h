// SPDX-License-Identifier: Apache-2.0
/* ISO_WIDE before a static function compiles its C code for wider vectors too; the loader picks.
 * For loops over elements that do not depend on one another, or over sums whose order is written
 * out: then the bits are the same everywhere. */
#ifndef ISO_BASE_WIDE_H
#define ISO_BASE_WIDE_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ISO_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ISO_WIDE
#endif

#ifdef __cplusplus
}
#endif

#endif
