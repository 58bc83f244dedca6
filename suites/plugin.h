// SPDX-License-Identifier: Apache-2.0
/* Shared objects: `--plugin FILE.so`. */
#ifndef ISO_SUITES_PLUGIN_H
#define ISO_SUITES_PLUGIN_H

#include "core/base/status.h"

/* Loads a shared object and registers what it exports: a generator (iso_plugin_generator), an
 * attack (iso_plugin_attack), a metric (iso_plugin_metric), or several of them.  The object stays
 * loaded.  ISO_E_PLUGIN if it cannot be loaded, exports none of the three or one that its registry
 * refuses. */
iso_status iso_plugin_load(const char *path, iso_error *err) ISO_MUST_CHECK;

#endif
