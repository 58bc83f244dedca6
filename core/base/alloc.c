// SPDX-License-Identifier: Apache-2.0
#include "core/base/alloc.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local uint64_t fail_after; /* 0 = off */
static _Thread_local uint64_t allocations;

void *iso_alloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	allocations++;
	if (fail_after && --fail_after == 0)
		return NULL;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - ISO_ALIGN)
		return NULL;
	if (bytes == 0)
		bytes = 1;
	if (posix_memalign(&p, ISO_ALIGN, bytes) != 0)
		return NULL;
	return memset(p, 0, bytes);
}

iso_status iso_grow(void *array, size_t *cap, size_t need, size_t size, iso_error *err)
{
	size_t want = *cap ? *cap : 8;
	void *old, *p;

	if (need <= *cap)
		return ISO_OK;
	while (want < need) {
		if (want > SIZE_MAX / 2)
			return iso_no_memory(err, "a growing array");
		want *= 2;
	}
	p = iso_alloc(want, size);
	if (!p)
		return iso_no_memory(err, "a growing array");
	memcpy(&old, array, sizeof(old)); /* any pointer type: no aliasing through void ** */
	if (*cap)
		memcpy(p, old, *cap * size);
	iso_free(old);
	memcpy(array, &p, sizeof(p));
	*cap = want;
	return ISO_OK;
}

char *iso_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = iso_alloc(n, 1);

	return p ? memcpy(p, s, n) : NULL;
}

void iso_free(void *p)
{
	free(p);
}

iso_status iso_no_memory(iso_error *err, const char *what)
{
	return iso_fail(err, ISO_E_NOMEM,
			"out of memory (%s): the allocation was refused; use fewer jobs, fewer "
			"rows or a larger --memory",
			what);
}

void iso_alloc_fail_after(uint64_t n)
{
	fail_after = n;
}

uint64_t iso_alloc_count(void)
{
	return allocations;
}

struct iso_arena_block {
	struct iso_arena_block *next;
	size_t used, size;
	char pad[ISO_ALIGN - 3 * sizeof(size_t)];
};

void *iso_arena_alloc(iso_arena *a, size_t n, size_t size)
{
	struct iso_arena_block *b = a->head;
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + ISO_ALIGN - 1) / ISO_ALIGN * ISO_ALIGN;
	if (!b || b->size - b->used < bytes) {
		size_t room = bytes > 65536 ? bytes : 65536;

		b = iso_alloc(1, sizeof(*b) + room);
		if (!b)
			return NULL;
		b->size = room;
		b->next = a->head;
		a->head = b;
	}
	p = (char *)(b + 1) + b->used;
	b->used += bytes;
	return p;
}

char *iso_arena_strdup(iso_arena *a, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = iso_arena_alloc(a, n, 1);

	return p ? memcpy(p, s, n) : NULL;
}

void iso_arena_free(iso_arena *a)
{
	while (a->head) {
		struct iso_arena_block *next = a->head->next;

		iso_free(a->head);
		a->head = next;
	}
}
