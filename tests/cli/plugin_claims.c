// SPDX-License-Identifier: Apache-2.0
/* A generator that declares differential privacy and pays for one noisy count.  `does=nothing`
 * returns the first legal value of every column; `does=copy` returns its training rows.  Compiled
 * as three versions of one method: CLAIMS_STEP is what the second one changed, CLAIMS_LEAK makes
 * the third return its rows. */
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "generators/generator.h"

#ifndef CLAIMS_STEP
#define CLAIMS_STEP 0
#endif
#ifndef CLAIMS_LEAK /* 1: the rows come out whatever the option says */
#define CLAIMS_LEAK 0
#endif

const iso_generator *iso_plugin_generator(void);

enum { NOTHING, COPY };
typedef struct opts {
	int does;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, does, "nothing", "nothing|copy", "what the method does with its rows"),
	{0}};

typedef struct model {
	size_t n, ncol;
	double cells[]; /* [n][ncol]; n = 0 for does=nothing */
} model;

static iso_status plan(const iso_gen_env *env, double s, iso_plan *p, iso_error *err)
{
	const iso_plan_item it = {
		.why = "count",
		.event = {.mechanism = ISO_MECH_GAUSSIAN, .noise = s, .rate = 1, .count = 1},
		.norm = ISO_NORM_L2,
		.sensitivity = 1};

	(void)env;
	return iso_plan_add(p, &it, err);
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const opts *o = f->env.options;
	const size_t ncol = f->env.schema->ncol,
		     n = CLAIMS_LEAK || o->does == COPY ? f->train->n : 0;
	uint32_t *cell = iso_alloc(f->train->n + 1, sizeof(*cell));
	double count[1];
	model *m = iso_alloc(1, sizeof(*m) + n * ncol * sizeof(double));
	iso_status st;

	if (!cell || !m) {
		st = iso_no_memory(err, "claims");
		goto out;
	}
	st = iso_mech_histogram(f->ledger, (iso_entry){.why = "count"}, cell, f->train->n, 1, 1,
				count, err);
	if (st != ISO_OK)
		goto out;
	m->n = n;
	m->ncol = ncol;
	for (size_t i = 0; i < n * ncol; i++)
		m->cells[i] = f->train->cells[i];
	*out = m;
	m = NULL;
out:
	iso_free(cell);
	iso_free(m);
	return st;
}

static double first_value(const iso_column *c)
{
	return iso_is_discrete(c) ? CLAIMS_STEP : c->lo;
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_schema *s = out->schema;

	(void)key;
	(void)err;
	for (size_t r = 0; r < out->n; r++)
		for (size_t c = 0; c < s->ncol; c++)
			out->cells[r * s->ncol + c] = m->n ? m->cells[r % m->n * m->ncol + c]
							   : first_value(&s->column[c]);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;

	iso_str_addn(out, (const char *)m, sizeof(*m) + m->n * m->ncol * sizeof(double));
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	model head;

	(void)env;
	ISO_FAIL_IF(n < sizeof(head), err, ISO_E_DATA, "claims (load): the model is cut short");
	memcpy(&head, bytes, sizeof(head));
	ISO_FAIL_IF(n != sizeof(head) + head.n * head.ncol * sizeof(double), err, ISO_E_DATA,
		    "claims (load): the model is cut short");
	*out = iso_alloc(1, n);
	if (!*out)
		return iso_no_memory(err, "claims");
	memcpy(*out, bytes, n);
	return ISO_OK;
}

static const iso_generator claims = {
	.abi = ISO_GENERATOR_ABI,
	.name = "claims",
	.title = "A claim of differential privacy, kept or broken",
	.citation = "none",
	.card = "Pays for a noisy count; returns constants, or the rows it was given.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = iso_free,
	.save = save,
	.load = load,
};

const iso_generator *iso_plugin_generator(void)
{
	return &claims;
}
