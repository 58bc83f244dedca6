// SPDX-License-Identifier: Apache-2.0
/* The one door to the heap.
 *
 * Every block is zeroed and aligned to 64 bytes (a cache line, an AVX-512
 * register).  NULL means out of memory; callers report it with iso_no_memory().
 * iso_alloc_fail_after(n) makes the n-th allocation from now fail, so that tests
 * reach every error path.
 */
#ifndef ISO_BASE_ALLOC_H
#define ISO_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_ALIGN 64

/* n * size bytes, zeroed; a product over SIZE_MAX gives NULL.  A zero size gives a valid unique
 * pointer. */
void *iso_alloc(size_t n, size_t size) ISO_MUST_CHECK;
/* Grow *array (of elements of `size` bytes) to hold `need` elements, doubling; new elements are
 * zeroed. On failure *array and *cap are untouched. */
iso_status iso_grow(void *array, size_t *cap, size_t need, size_t size,
		    iso_error *err) ISO_MUST_CHECK;
char *iso_strdup(const char *s) ISO_MUST_CHECK;
/* free(NULL) is legal. */
void iso_free(void *p);

/* ISO_E_NOMEM with a text that names what was wanted. */
iso_status iso_no_memory(iso_error *err, const char *what);

/* Test hook: the n-th allocation from now (1 = the next) fails; 0 switches the hook off.  Per
 * thread. */
void iso_alloc_fail_after(uint64_t n);
/* Allocations made since the process started by this thread; for tests that none happens inside a
 * step. */
uint64_t iso_alloc_count(void);

/* Scratch memory: allocate freely, give all back at once.  Zero-initialise before use. */
typedef struct iso_arena {
	struct iso_arena_block *head;
} iso_arena;
void *iso_arena_alloc(iso_arena *a, size_t n, size_t size) ISO_MUST_CHECK;
char *iso_arena_strdup(iso_arena *a, const char *s) ISO_MUST_CHECK;
void iso_arena_free(iso_arena *a);

#ifdef __cplusplus
}
#endif

#endif
