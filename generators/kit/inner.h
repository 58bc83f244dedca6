// SPDX-License-Identifier: Apache-2.0
/* A registered generator inside another method: found by name, its options read from a text. */
#ifndef ISO_GENERATORS_KIT_INNER_H
#define ISO_GENERATORS_KIT_INNER_H

#include "generators/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_inner {
	const iso_generator *g;
	void *options; /* resolved; owned */
} iso_inner;

/* settings: "key=value;key=value", or empty.  `who` = the outer method, which cannot stand inside
 * itself; a method without save and load is refused. */
iso_status iso_inner_open(const char *who, const char *name, const char *settings, iso_inner *out,
			  iso_error *err) ISO_MUST_CHECK;
void iso_inner_close(iso_inner *in);
/* What the inner generator may know of what the outer one knows. */
iso_gen_env iso_inner_env(const iso_inner *in, const iso_gen_env *outer);
/* Takes the data, the options and the target? */
iso_status iso_inner_check(const iso_inner *in, const iso_gen_env *env,
			   iso_error *err) ISO_MUST_CHECK;
/* The inner generator's plan, as it would be without an outer one. */
iso_status iso_inner_plan(const iso_inner *in, const iso_gen_env *env, double scale, iso_plan *out,
			  iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
