// SPDX-License-Identifier: Apache-2.0
/* The registry of generators: built in, loaded from shared objects, or registered by a test. */
#include <dlfcn.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/code.h"
#include "core/io/file.h"
#include "generators/generator.h"
#include "generators/kit/external.h"

/* Written by the build from the list in generators/CMakeLists.txt; ends with a null pointer. */
extern const iso_generator *const iso_generator_builtin[];

/* Descriptors that came later; grows for the life of the process, never shrinks. */
static const iso_generator **extra;
static size_t nextra, extra_cap;

#define EXTERNAL "external:"

static size_t builtin_count(void)
{
	size_t n = 0;

	while (iso_generator_builtin[n])
		n++;
	return n;
}

size_t iso_generator_count(void)
{
	return builtin_count() + nextra;
}

const iso_generator *iso_generator_at(size_t i)
{
	const size_t n = builtin_count();

	if (i < n)
		return iso_generator_builtin[i];
	return i - n < nextra ? extra[i - n] : NULL;
}

int iso_generator_is_external(const iso_generator *g)
{
	return strncmp(g->name, EXTERNAL, sizeof(EXTERNAL) - 1) == 0;
}

/* A program that was not met before joins the registry. */
static iso_status find_external(const char *name, const iso_generator **out, iso_error *err)
{
	for (size_t i = 0; i < nextra; i++)
		if (strcmp(extra[i]->name, name) == 0) {
			*out = extra[i];
			return ISO_OK;
		}
	ISO_TRY(iso_grow(&extra, &extra_cap, nextra + 1, sizeof(*extra), err));
	ISO_TRY(iso_external_new(name + sizeof(EXTERNAL) - 1, out, err));
	extra[nextra++] = *out;
	return ISO_OK;
}

/* The error of a name that no generator has, with the nearest one. */
static iso_status unknown(const char *name, iso_error *err)
{
	const size_t n = iso_generator_count();
	const char **names = iso_alloc(n + 1, sizeof(*names)), *near;
	iso_status st;

	if (!names)
		return iso_no_memory(err, "the names of the generators");
	for (size_t i = 0; i < n; i++)
		names[i] = iso_generator_at(i)->name;
	near = iso_nearest_word(name, names, n);
	st = iso_fail(err, ISO_E_CONFIG,
		      "unknown generator (%.80s): %s%s%s; `isoeps list generators` shows all", name,
		      near ? "did you mean \"" : "none has this name", near ? near : "",
		      near ? "\"" : "");
	iso_free(names);
	return st;
}

iso_status iso_generator_find(const char *name, const iso_generator **out, iso_error *err)
{
	*out = NULL;
	if (strncmp(name, EXTERNAL, sizeof(EXTERNAL) - 1) == 0)
		return find_external(name, out, err);
	for (size_t i = 0; i < iso_generator_count(); i++)
		if (strcmp(iso_generator_at(i)->name, name) == 0)
			*out = iso_generator_at(i);
	return *out ? ISO_OK : unknown(name, err);
}

iso_guarantee iso_generator_guarantee(const iso_generator *g, const void *options)
{
	return g->guarantee_of ? g->guarantee_of(options) : g->guarantee;
}

/* ------------------------------------------------------------------ admission */

static int legal_name(const char *s)
{
	const size_t n = strlen(s);

	return n > 0 && n < 64 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static iso_status check_slots(const iso_generator *g, iso_error *err)
{
	const int claims = g->guarantee != ISO_GUARANTEE_NONE;
	const struct {
		const char *slot;
		int present;
	} need[] = {
		{"title", g->title && g->title[0]},
		{"citation", g->citation && g->citation[0]},
		{"card", g->card && g->card[0]},
		{"accepts (some kind of column)", (g->accepts & ISO_ACCEPTS_ANY_COLUMN) != 0},
		{"accepts (some kind of label, or none)",
		 (g->accepts & (ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_BINARY)) != 0},
		{"version", g->version > 0},
		{"options", g->options != NULL},
		{"plan (a guarantee is claimed)", g->plan || !claims},
		{"fit", g->fit != NULL},
		{"sample", g->sample != NULL},
		{"destroy", g->destroy != NULL},
		{"save (a guarantee is claimed, verify compares its bytes)", g->save || !claims},
		{"latent_dim (decode or encode is there)",
		 g->latent_dim || (!g->encode && !g->decode)},
	};

	for (size_t i = 0; i < ISO_COUNT(need); i++)
		ISO_FAIL_IF(!need[i].present, err, ISO_E_PLUGIN,
			    "missing slot (generator %s): %s is required; fill it in the "
			    "descriptor",
			    g->name, need[i].slot);
	return ISO_OK;
}

/* The defaults of the table must themselves be legal values. */
static iso_status check_options(const iso_generator *g, iso_error *err)
{
	void *o = iso_alloc(1, g->options_size + 1);
	iso_status st;

	if (!o)
		return iso_no_memory(err, "the options of a generator");
	st = iso_options_resolve(g->options, NULL, g->name, o, g->options_size, NULL, err);
	iso_free(o);
	if (st == ISO_OK)
		return ISO_OK;
	(void)iso_fail_context(err, "defaults of generator %s", g->name);
	return st == ISO_E_NOMEM ? st : ISO_E_PLUGIN;
}

iso_status iso_generator_register(const iso_generator *g, iso_error *err)
{
	ISO_FAIL_IF(!g, err, ISO_E_PLUGIN,
		    "no descriptor (generator): the plug-in returned a null pointer; return its "
		    "address");
	ISO_FAIL_IF(g->abi != ISO_GENERATOR_ABI, err, ISO_E_PLUGIN,
		    "other version of the contract (generator plug-in): it was built for ABI %u, "
		    "this is ABI %u; build "
		    "it again "
		    "with this generators/generator.h",
		    (unsigned)g->abi, (unsigned)ISO_GENERATOR_ABI);
	ISO_FAIL_IF(!g->name || !legal_name(g->name), err, ISO_E_PLUGIN,
		    "name of a generator (%.80s): use lower-case letters, digits and -; rename it",
		    g->name ? g->name : "none");
	ISO_TRY(check_slots(g, err));
	ISO_TRY(check_options(g, err));
	for (size_t i = 0; i < iso_generator_count(); i++)
		ISO_FAIL_IF(strcmp(iso_generator_at(i)->name, g->name) == 0, err, ISO_E_PLUGIN,
			    "name taken (generator %s): one of that name is registered; rename it",
			    g->name);
	ISO_TRY(iso_grow(&extra, &extra_cap, nextra + 1, sizeof(*extra), err));
	extra[nextra++] = g;
	return ISO_OK;
}

iso_status iso_generator_load(const char *path, iso_error *err)
{
	const iso_generator *(*entry)(void) = NULL;
	const char *why;
	char hash[65];
	iso_error unread = {0};
	void *so;
	iso_status st;

	if (iso_file_sha256(path, hash, &unread) != ISO_OK)
		return iso_fail(err, ISO_E_PLUGIN,
				"plug-in (%s): %.300s; give the path of a shared object", path,
				unread.text);
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	why = so ? NULL : dlerror();
	ISO_FAIL_IF(!so, err, ISO_E_PLUGIN,
		    "plug-in (%s): %.300s; give the path of a shared object, with a / in it", path,
		    why ? why : "it cannot be loaded");
	/* POSIX lets an object pointer hold a function's address; ISO C has no cast for it. */
	*(void **)&entry = dlsym(so, "iso_plugin_generator");
	if (!entry) {
		st = iso_fail(err, ISO_E_PLUGIN,
			      "plug-in (%s): it has no function iso_plugin_generator; export one "
			      "that returns "
			      "the descriptor's address",
			      path);
		dlclose(so);
		return st;
	}
	st = iso_code_note(entry(), hash, err);
	if (st == ISO_OK)
		st = iso_generator_register(entry(), err);
	if (st != ISO_OK) {
		(void)iso_fail_context(err, "%s", path);
		dlclose(so);
	}
	return st; /* a registered object stays loaded */
}
