// SPDX-License-Identifier: Apache-2.0
#include "tests/oracle/gen_support.h"

#include <stdio.h>
#include <string.h>

static iso_error err;

const iso_generator *gen_find(const char *name)
{
	const iso_generator *g;
	tk_ok(iso_generator_find(name, &g, &err));
	return g;
}

iso_training gen_train(const iso_generator *g, const char *options, const iso_table *t,
		       double epsilon, double scale, const size_t *class_count, void **options_out)
{
	cJSON *values = cJSON_CreateObject();
	char text[512], *save = NULL;
	void *o = iso_alloc(1, g->options_size + 1);
	iso_training out;
	snprintf(text, sizeof text, "%s", options);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		tk_ok(iso_options_set(values, w, &err));
	tk_ok(iso_options_resolve(g->options, values, g->name, o, g->options_size, NULL, &err));
	cJSON_Delete(values);
	const iso_training_request r = {.generator = g,
					.options = o,
					.train = t,
					.class_count = class_count,
					.epsilon = scale > 0 ? 1e30 : epsilon,
					.delta = 1e-5,
					.accountant = ISO_ACC_RDP,
					.seed = 12,
					.scale = scale};
	tk_ok(iso_train(&r, &out, &err));
	*options_out = o;
	return out;
}

iso_table *gen_sample(const iso_training *t, const iso_schema *s, size_t n)
{
	iso_table *out;
	tk_ok(iso_training_sample(t, s, 21, n, &out, &err));
	return out;
}

double gen_mean(const iso_table *t, size_t c, int y)
{
	double sum = 0;
	size_t n = 0;
	for (size_t r = 0; r < t->n; r++) {
		const double v = iso_table_cell(t, r, c);
		if (isnan(v) || (y >= 0 && iso_table_label(t, r) != (size_t)y))
			continue;
		sum += v;
		n++;
	}
	return n ? sum / (double)n : NAN;
}
