// SPDX-License-Identifier: Apache-2.0
/* The registry of attacks: what attacks/CMakeLists.txt lists. */
#include <string.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"

/* Written by the build; ends with a null pointer. */
extern const iso_attack *const iso_attack_builtin[];

size_t iso_attack_count(void)
{
	size_t n = 0;
	while (iso_attack_builtin[n])
		n++;
	return n;
}

const iso_attack *iso_attack_at(size_t i)
{
	return i < iso_attack_count() ? iso_attack_builtin[i] : NULL;
}

iso_status iso_attack_find(const char *name, const iso_attack **out, iso_error *err)
{
	const size_t n = iso_attack_count();
	const char **names = iso_alloc(n + 1, sizeof(*names));
	iso_status st = ISO_OK;
	*out = NULL;
	if (!names)
		return iso_no_memory(err, "the names of the attacks");
	for (size_t i = 0; i < n; i++) {
		names[i] = iso_attack_builtin[i]->name;
		if (!strcmp(names[i], name))
			*out = iso_attack_builtin[i];
	}
	if (!*out) {
		const char *near = iso_nearest_word(name, names, n);
		st = iso_fail(err, ISO_E_CONFIG,
			      "unknown attack (%.80s): %s%s%s; `isoeps list attacks` shows all",
			      name, near ? "did you mean \"" : "none has this name",
			      near ? near : "", near ? "\"" : "");
	}
	iso_free(names);
	return st;
}

const char *iso_goal_name(iso_goal g)
{
	switch (g) {
	case ISO_GOAL_MEMBERSHIP:
		return "membership";
	case ISO_GOAL_ATTRIBUTE:
		return "attribute";
	case ISO_GOAL_RECONSTRUCTION:
		return "reconstruction";
	case ISO_GOAL_LINKAGE:
		return "linkage";
	case ISO_GOAL_FEDERATED:
		return "federated";
	}
	return "unknown";
}

uint32_t iso_attack_knows(const iso_attack *a, const void *options)
{
	return a->knows_of ? a->knows_of(options) : a->knows;
}

const char *iso_attack_knowledge(const iso_attack *a, const void *options)
{
	const uint32_t more =
		ISO_KNOWS_ORACLE | ISO_KNOWS_SCORE | ISO_KNOWS_LATENT | ISO_KNOWS_SHADOW;
	return a->knows_of && !(a->knows_of(options) & more) ? "NB" : a->knowledge;
}
