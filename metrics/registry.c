// SPDX-License-Identifier: Apache-2.0
/* The registry of metrics: what metrics/CMakeLists.txt lists. */
#include <string.h>

#include "core/base/alloc.h"
#include "metrics/metric.h"

/* Written by the build; ends with a null pointer. */
extern const iso_metric *const iso_metric_builtin[];

size_t iso_metric_count(void)
{
	size_t n = 0;
	while (iso_metric_builtin[n])
		n++;
	return n;
}

const iso_metric *iso_metric_at(size_t i)
{
	return i < iso_metric_count() ? iso_metric_builtin[i] : NULL;
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
		names[i] = iso_metric_builtin[i]->name;
		if (!strcmp(names[i], name))
			*out = iso_metric_builtin[i];
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
