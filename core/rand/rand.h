// SPDX-License-Identifier: Apache-2.0
/* Counter-based keyed randomness (Philox 4x32-10, Salmon et al. 2011): a pure function of (seed,
 * path, counter). NEVER for privacy noise: that is core/privacy/noise.h.
 *
 * A key is made from the master seed and a path of labels, "fit/dp-cgan/init".  A draw is addressed
 * by two 64-bit numbers, so its value does not depend on what else was drawn, in which order, or by
 * whom.  Draws that belong to a private record are addressed by the record's identity: removing a
 * record leaves all others' draws unchanged.
 */
#ifndef ISO_RAND_RAND_H
#define ISO_RAND_RAND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_key {
	uint64_t k;
} iso_key;

iso_key iso_key_new(uint64_t seed, const char *path);
/* A key below `key`: a label and a number. */
iso_key iso_key_child(iso_key key, const char *label, uint64_t index);

/* Addressed draws: position (i, j). */
void iso_rand_words(iso_key key, uint64_t i, uint64_t j, uint32_t out[4]);
double iso_rand_u01(iso_key key, uint64_t i, uint64_t j); /* (0,1), 53 bits */
/* Arrays at address i: element e of the array is a function of (key, i, e). */
void iso_rand_fill_uniform(iso_key key, uint64_t i, float lo, float hi, float *out, size_t n);
void iso_rand_fill_normal(iso_key key, uint64_t i, float mean, float sd, float *out, size_t n);

/* Poisson sampling: out gets the positions p in 0..n-1 with u(key, t, id[p]) < q, in order; returns
 * how many. out holds n entries.  A record's inclusion depends on (key, t, its id) alone.  Fast for
 * runs of consecutive ids. */
size_t iso_rand_poisson(iso_key key, uint64_t t, const uint64_t *id, size_t n, double q,
			uint32_t *out);

/* A stream: sequential draws from one key, for code that no private row's presence can shift. */
typedef struct iso_stream {
	iso_key key;
	uint64_t at;
} iso_stream;
iso_stream iso_stream_new(iso_key key);
uint64_t iso_next_u64(iso_stream *s);
double iso_next_u01(iso_stream *s);
double iso_next_normal(iso_stream *s);
uint64_t iso_next_below(iso_stream *s, uint64_t n); /* uniform 0..n-1, no modulo bias; n >= 1 */
void iso_shuffle(iso_stream *s, uint32_t *x, size_t n);
/* Index drawn with weights w >= 0 (sum > 0). */
size_t iso_next_choice(iso_stream *s, const double *w, size_t n);

#ifdef __cplusplus
}
#endif

#endif
