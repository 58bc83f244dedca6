// SPDX-License-Identifier: Apache-2.0
#include "suites/plugin.h"

#include <dlfcn.h>

#include "attacks/attack.h"
#include "generators/generator.h"
#include "metrics/metric.h"

typedef const void *(*entry_fn)(void);

static iso_status admit_generator(const void *d, iso_error *err)
{
	return iso_generator_register(d, err);
}

static iso_status admit_attack(const void *d, iso_error *err)
{
	return iso_attack_register(d, err);
}

static iso_status admit_metric(const void *d, iso_error *err)
{
	return iso_metric_register(d, err);
}

static const struct {
	const char *symbol;
	iso_status (*admit)(const void *descriptor, iso_error *err);
} kinds[] = {
	{"iso_plugin_generator", admit_generator},
	{"iso_plugin_attack", admit_attack},
	{"iso_plugin_metric", admit_metric},
};

iso_status iso_plugin_load(const char *path, iso_error *err)
{
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const char *why = so ? NULL : dlerror();
	size_t found = 0;

	ISO_FAIL_IF(!so, err, ISO_E_PLUGIN,
		    "plug-in (%s): %.300s; give the path of a shared object, with a / in it", path,
		    why ? why : "it cannot be loaded");
	for (size_t i = 0; i < ISO_COUNT(kinds); i++) {
		entry_fn entry = NULL;
		iso_status st;

		/* POSIX lets an object pointer hold a function's address; ISO C has no cast. */
		*(void **)&entry = dlsym(so, kinds[i].symbol);
		if (!entry)
			continue;
		st = kinds[i].admit(entry(), err);
		if (st != ISO_OK) {
			(void)iso_fail_context(err, "%s", path);
			return st; /* what it registered before must stay loaded */
		}
		found++;
	}
	if (!found)
		dlclose(so);
	ISO_FAIL_IF(!found, err, ISO_E_PLUGIN,
		    "plug-in (%s): it has no function iso_plugin_generator, iso_plugin_attack or "
		    "iso_plugin_metric; export one that returns the descriptor's address",
		    path);
	return ISO_OK;
}
