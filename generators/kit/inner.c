// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/inner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"

static iso_status read_settings(const char *settings, cJSON *values, iso_error *err)
{
	char text[ISO_OPT_TEXT_MAX], *save = NULL;
	snprintf(text, sizeof text, "%s", settings);
	for (char *w = strtok_r(text, "; ", &save); w; w = strtok_r(NULL, "; ", &save))
		ISO_TRY(iso_options_set(values, w, err));
	return ISO_OK;
}

iso_status iso_inner_open(const char *who, const char *name, const char *settings, iso_inner *out,
			  iso_error *err)
{
	cJSON *values = NULL;
	iso_status st;
	*out = (iso_inner){0};
	ISO_FAIL_IF(strcmp(who, name) == 0, err, ISO_E_CONFIG,
		    "inner (%s): a method cannot stand inside itself; name another generator", who);
	ISO_TRY(iso_generator_find(name, &out->g, err));
	ISO_FAIL_IF(!out->g->save || !out->g->load, err, ISO_E_CONFIG,
		    "inner (%s): the models of %s cannot be saved; name another generator", who,
		    name);
	values = cJSON_CreateObject();
	out->options = iso_alloc(1, out->g->options_size + 1);
	if (!values || !out->options) {
		st = iso_no_memory(err, "the options of an inner generator");
		goto out;
	}
	ISO_TRY_OUT(read_settings(settings, values, err));
	st = iso_options_resolve(out->g->options, values, name, out->options, out->g->options_size,
				 NULL, err);
out:
	cJSON_Delete(values);
	if (st != ISO_OK)
		iso_inner_close(out);
	return st;
}

void iso_inner_close(iso_inner *in)
{
	iso_free(in->options);
	in->options = NULL;
}

iso_gen_env iso_inner_env(const iso_inner *in, const iso_gen_env *outer)
{
	const uint32_t a = in->g->accepts;
	iso_gen_env env = *outer;
	env.options = in->options;
	if (!(a & (ISO_ACCEPTS_PUBLIC | ISO_REQUIRES_PUBLIC)))
		env.public_rows = NULL;
	if (!(a & (ISO_ACCEPTS_CLIENTS | ISO_REQUIRES_CLIENTS))) {
		env.nclient = 0;
		env.client_count = NULL;
	}
	if (!in->g->plan)
		env.epsilon = INFINITY;
	return env;
}

iso_status iso_inner_check(const iso_inner *in, const iso_gen_env *env, iso_error *err)
{
	ISO_TRY(iso_generator_accepts(in->g, env, err));
	return in->g->check ? in->g->check(env, err) : ISO_OK;
}

iso_status iso_inner_plan(const iso_inner *in, const iso_gen_env *env, double scale, iso_plan *out,
			  iso_error *err)
{
	return in->g->plan ? in->g->plan(env, scale, out, err) : ISO_OK;
}
