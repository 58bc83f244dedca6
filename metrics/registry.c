// SPDX-License-Identifier: Apache-2.0
/* The registry of metrics: what metrics/CMakeLists.txt lists, and what
 * shared objects or tests register. */
#include <string.h>

#include "core/base/alloc.h"
#include "metrics/metric.h"

/* Written by the build; ends with a null pointer. */
extern const iso_metric *const iso_metric_builtin[];

/* Descriptors that came later; grows for the life of the process, never shrinks. */
static const iso_metric **extra;
static size_t nextra, extra_cap;

static size_t builtin_count(void)
{
	size_t n = 0;

	while (iso_metric_builtin[n])
		n++;
	return n;
}

size_t iso_metric_count(void)
{
	return builtin_count() + nextra;
}

const iso_metric *iso_metric_at(size_t i)
{
	const size_t n = builtin_count();

	if (i < n)
		return iso_metric_builtin[i];
	return i - n < nextra ? extra[i - n] : NULL;
}

iso_status iso_metric_find(const char *name, const iso_metric **out, iso_error *err)
{
	const size_t n = iso_metric_count();
	const char **names = iso_alloc(n + 1, sizeof(*names));
	iso_status st = ISO_OK;
	*out = NULL;
	if (!names)
		return iso_no_memory(err, "the names of the metrics");
	for (size_t i = 0; i < n; i++) {
		names[i] = iso_metric_at(i)->name;
		if (!strcmp(names[i], name))
			*out = iso_metric_at(i);
	}
	if (!*out) {
		const char *near = iso_nearest_word(name, names, n);
		st = iso_fail(err, ISO_E_CONFIG,
			      "unknown metric (%.80s): %s%s%s; `isoeps list metrics` shows all",
			      name, near ? "did you mean \"" : "none has this name",
			      near ? near : "", near ? "\"" : "");
	}
	iso_free(names);
	return st;
}

/* ------------------------------------------------------------------ admission */

static int legal_name(const char *s)
{
	const size_t n = strlen(s);

	return n > 0 && n < 64 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

iso_status iso_metric_register(const iso_metric *x, iso_error *err)
{
	ISO_FAIL_IF(
		!x, err, ISO_E_PLUGIN,
		"no descriptor (metric): the plug-in returned a null pointer; return its address");
	ISO_FAIL_IF(
		x->abi != ISO_METRIC_ABI, err, ISO_E_PLUGIN,
		"other version of the contract (metric plug-in): it was built for ABI %u, this is "
		"ABI %u; build it again with this metrics/metric.h",
		(unsigned)x->abi, (unsigned)ISO_METRIC_ABI);
	ISO_FAIL_IF(!x->name || !legal_name(x->name), err, ISO_E_PLUGIN,
		    "name of a metric (%.80s): use lower-case letters, digits and -; rename it",
		    x->name ? x->name : "none");
	const struct {
		const char *slot;
		int present;
	} need[] = {
		{"title", x->title && x->title[0]}, {"citation", x->citation && x->citation[0]},
		{"card", x->card && x->card[0]},    {"version", x->version > 0},
		{"options", x->options != NULL},    {"outputs", x->outputs && x->outputs[0].key},
		{"measure", x->measure != NULL},
	};

	for (size_t i = 0; i < ISO_COUNT(need); i++)
		ISO_FAIL_IF(!need[i].present, err, ISO_E_PLUGIN,
			    "missing slot (metric %s): %s is required; fill it in the descriptor",
			    x->name, need[i].slot);
	for (size_t i = 0; i < iso_metric_count(); i++)
		ISO_FAIL_IF(strcmp(iso_metric_at(i)->name, x->name) == 0, err, ISO_E_PLUGIN,
			    "name taken (metric %s): one of that name is registered; rename it",
			    x->name);
	ISO_TRY(iso_grow(&extra, &extra_cap, nextra + 1, sizeof(*extra), err));
	extra[nextra++] = x;
	return ISO_OK;
}
