// SPDX-License-Identifier: Apache-2.0
/* The registry of attacks: what attacks/CMakeLists.txt lists, and what
 * shared objects or tests register. */
#include <string.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"

/* Written by the build; ends with a null pointer. */
extern const iso_attack *const iso_attack_builtin[];

/* Descriptors that came later; grows for the life of the process, never shrinks. */
static const iso_attack **extra;
static size_t nextra, extra_cap;

static size_t builtin_count(void)
{
	size_t n = 0;

	while (iso_attack_builtin[n])
		n++;
	return n;
}

size_t iso_attack_count(void)
{
	return builtin_count() + nextra;
}

const iso_attack *iso_attack_at(size_t i)
{
	const size_t n = builtin_count();

	if (i < n)
		return iso_attack_builtin[i];
	return i - n < nextra ? extra[i - n] : NULL;
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
		names[i] = iso_attack_at(i)->name;
		if (!strcmp(names[i], name))
			*out = iso_attack_at(i);
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
	case ISO_GOAL_NEIGHBOUR:
		return "neighbour";
	case ISO_GOAL_FEDERATED:
		return "federated";
	case ISO_GOAL_REDRAWN:
		return "redrawn";
	case ISO_GOAL_SINGLING_OUT:
		return "singling-out";
	case ISO_GOAL_PROPERTY:
		return "property";
	case ISO_GOAL_INVERSION:
		return "inversion";
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

/* ------------------------------------------------------------------ admission */

static int legal_name(const char *s)
{
	const size_t n = strlen(s);

	return n > 0 && n < 64 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

iso_status iso_attack_register(const iso_attack *x, iso_error *err)
{
	ISO_FAIL_IF(
		!x, err, ISO_E_PLUGIN,
		"no descriptor (attack): the plug-in returned a null pointer; return its address");
	ISO_FAIL_IF(
		x->abi != ISO_ATTACK_ABI, err, ISO_E_PLUGIN,
		"other version of the contract (attack plug-in): it was built for ABI %u, this is "
		"ABI %u; build it again with this attacks/attack.h",
		(unsigned)x->abi, (unsigned)ISO_ATTACK_ABI);
	ISO_FAIL_IF(!x->name || !legal_name(x->name), err, ISO_E_PLUGIN,
		    "name of an attack (%.80s): use lower-case letters, digits and -; rename it",
		    x->name ? x->name : "none");
	const struct {
		const char *slot;
		int present;
	} need[] = {
		{"title", x->title && x->title[0]},
		{"citation", x->citation && x->citation[0]},
		{"card", x->card && x->card[0]},
		{"version", x->version > 0},
		{"options", x->options != NULL},
		{"knowledge", x->knowledge && x->knowledge[0]},
		{"guess", x->guess != NULL},
		{"destroy (prepare is there)", x->destroy || !x->prepare},
	};

	for (size_t i = 0; i < ISO_COUNT(need); i++)
		ISO_FAIL_IF(!need[i].present, err, ISO_E_PLUGIN,
			    "missing slot (attack %s): %s is required; fill it in the descriptor",
			    x->name, need[i].slot);
	for (size_t i = 0; i < iso_attack_count(); i++)
		ISO_FAIL_IF(strcmp(iso_attack_at(i)->name, x->name) == 0, err, ISO_E_PLUGIN,
			    "name taken (attack %s): one of that name is registered; rename it",
			    x->name);
	ISO_TRY(iso_grow(&extra, &extra_cap, nextra + 1, sizeof(*extra), err));
	extra[nextra++] = x;
	return ISO_OK;
}
