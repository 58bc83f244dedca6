// SPDX-License-Identifier: Apache-2.0
#include "core/io/output.h"

#include <math.h>

const char *iso_direction_name(iso_direction d)
{
	return d == ISO_HIGHER ? "higher" : d == ISO_LOWER ? "lower" : "neither";
}

void iso_output_json(iso_jsonw *w, cJSON *value, const iso_output *o, const char *section)
{
	const double range[] = {o->lo, o->hi};

	iso_jsonw_text(w, value, "title", o->title);
	iso_jsonw_text(w, value, "unit", o->unit ? o->unit : "");
	iso_jsonw_text(w, value, "direction", iso_direction_name(o->direction));
	iso_jsonw_text(w, value, "section", o->section ? o->section : section);
	iso_jsonw_bool(w, value, "headline", o->headline);
	iso_jsonw_numbers(w, value, "range", range, 2);
	iso_jsonw_number(w, value, "ideal", o->ideal);
	iso_jsonw_number(w, value, "chance", o->chance == 0 ? NAN : o->chance);
	iso_jsonw_text(w, value, "real", o->real);
}
