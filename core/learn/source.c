// SPDX-License-Identifier: Apache-2.0
#include "core/learn/source.h"

#include <string.h>

iso_source iso_source_floats(const float *x, size_t ld, size_t n, size_t d)
{
	return (iso_source){.n = n, .d = d, .x = x, .ld = ld};
}

iso_source iso_source_table(const iso_encoder *e, const iso_table *t, const uint32_t *row, size_t n)
{
	return (iso_source){.n = n, .d = e->dim, .encoder = e, .table = t, .row = row};
}

void iso_source_get(const iso_source *s, const uint32_t *pos, size_t first, size_t n, float *out,
		    size_t ld)
{
	uint32_t at[64];
	for (size_t i = 0; i < n && s->x; i++)
		memcpy(out + i * ld, s->x + (pos ? pos[i] : first + i) * s->ld,
		       s->d * sizeof(float));
	for (size_t i = 0; i < n && !s->x; i += ISO_COUNT(at)) {
		const size_t m = n - i < ISO_COUNT(at) ? n - i : ISO_COUNT(at);
		for (size_t j = 0; j < m; j++) {
			const size_t p = pos ? pos[i + j] : first + i + j;
			at[j] = s->row ? s->row[p] : (uint32_t)p;
		}
		iso_encode(s->encoder, s->table, at, m, out + i * ld, ld);
	}
	for (size_t i = 0; i < n && s->scale != 0; i++)
		for (size_t j = 0; j < s->d; j++)
			out[i * ld + j] *= s->scale;
}
