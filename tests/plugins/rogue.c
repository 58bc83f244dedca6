// SPDX-License-Identifier: Apache-2.0
/* A plug-in that breaks the contract on demand: option sin=.  Built as a shared object and loaded
 * as a user's would be; each sin must give its own status (tests/plugins/rogues.c). */
#include <math.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "generators/generator.h"

enum sin {
	NONE,
	OVERSPEND,
	UNPLANNED,
	UNDERSPEND,
	SENSITIVITY,
	NAN_SCORE,
	SHORT_OUTPUT,
	OUTSIDE_DOMAIN,
	NAN_CELL,
	NO_MODEL,
	RELEASE_IN_SAMPLE,
	SHAPE_SHIFTING_PLAN,
	FALSE_FIXED,
	DEAR_PLAN,
	KEEP_TRAIN_POINTER,
	WRITE_CONST,
	RESEED,
	UNCHARGED
};

typedef struct opts {
	int sin;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, sin, "none",
		     "none|overspend|unplanned|underspend|sensitivity|nan_score|short_output|"
		     "outside_domain|nan_cell|"
		     "no_model|"
		     "release_in_sample|shape_shifting_plan|false_fixed|dear_plan|keep_train_"
		     "pointer|write_const|"
		     "reseed|uncharged",
		     "what to do wrong"),
	{0},
};

typedef struct model {
	int sin;
	double count[64];
	iso_ledger *ledger;	/* kept beyond fit: RELEASE_IN_SAMPLE */
	const iso_table *train; /* kept beyond fit: KEEP_TRAIN_POINTER */
} model;

static iso_status plan(const iso_gen_env *env, double s, iso_plan *p, iso_error *err)
{
	const opts *o = env->options;
	iso_plan_item it = {
		.why = "count",
		.event = {.mechanism = ISO_MECH_GAUSSIAN, .noise = s, .rate = 1, .count = 2},
		.norm = ISO_NORM_L2,
		.sensitivity = 1};

	if (o->sin == SHAPE_SHIFTING_PLAN && s > 1.5)
		it.event.count = 5;
	if (o->sin == FALSE_FIXED)
		it.fixed = 1;
	if (o->sin == DEAR_PLAN) {
		it.event.noise = 1e-3;
		it.fixed = 1;
	}
	return iso_plan_add(p, &it, err);
}

static iso_status release(const iso_fit *f, const char *why, size_t per_row, double *out,
			  iso_error *err)
{
	const uint32_t cell[] = {0, 1};

	return iso_mech_histogram(f->ledger, (iso_entry){.why = why}, cell, 1, per_row, 64, out,
				  err);
}

static void destroy(void *m)
{
	iso_free(m);
}

static iso_status releases(const iso_fit *f, model *m, iso_error *err)
{
	ISO_TRY(release(f, "count", 1, m->count, err));
	if (m->sin == UNPLANNED)
		return release(f, "amount", 1, m->count, err);
	if (m->sin == SENSITIVITY)
		return release(f, "count", 2, m->count, err);
	if (m->sin != UNDERSPEND)
		ISO_TRY(release(f, "count", 1, m->count, err));
	if (m->sin == OVERSPEND)
		ISO_TRY(release(f, "count", 1, m->count, err));
	return m->sin == UNCHARGED ? iso_ledger_uncharged(f->ledger, "a look at the rows", err)
				   : ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const opts *o = f->env.options;
	model *m = iso_alloc(1, sizeof(*m));
	iso_status st;

	if (!m)
		return iso_no_memory(err, "rogue");
	m->sin = o->sin;
	m->ledger = f->ledger;
	m->train = f->train;
	st = releases(f, m, err);
	if (m->sin == WRITE_CONST)
		f->train->cells[0] = f->train->schema->column[0].lo;
	if (m->sin == RESEED) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		m->count[0] = (double)now.tv_nsec;
	}
	if (st != ISO_OK || m->sin == NO_MODEL) {
		destroy(m);
		return st;
	}
	*out = m;
	return ISO_OK;
}

static iso_status sample(const void *m_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = m_;
	const iso_schema *s = out->schema;
	double x[64];
	const uint32_t cell = 0;

	(void)key;
	for (size_t r = 0; r < out->n; r++)
		for (size_t j = 0; j < s->ncol; j++)
			out->cells[r * s->ncol + j] =
				iso_is_discrete(&s->column[j]) ? 0 : s->column[j].lo;
	if (m->sin == RELEASE_IN_SAMPLE)
		return iso_mech_histogram(m->ledger, (iso_entry){.why = "count"}, &cell, 1, 1, 64,
					  x, err);
	if (out->n == 0)
		return ISO_OK;
	if (m->sin == SHORT_OUTPUT)
		out->n--;
	if (m->sin == OUTSIDE_DOMAIN)
		out->cells[0] = s->column[0].hi + 1;
	if (m->sin == NAN_CELL)
		out->cells[0] = NAN;
	if (m->sin == KEEP_TRAIN_POINTER)
		out->cells[0] = m->train->cells[0];
	return ISO_OK;
}

static iso_status score(const void *m, const iso_table *rows, double *out, iso_error *err)
{
	(void)err;
	for (size_t r = 0; r < rows->n; r++)
		out[r] = ((const model *)m)->sin == NAN_SCORE && r == 3 ? NAN : 0.5;
	return ISO_OK;
}

static iso_status save(const void *m, iso_str *out, iso_error *err)
{
	iso_str_add(out, "count 64\n");
	iso_str_addn(out, (const char *)((const model *)m)->count,
		     sizeof(((const model *)m)->count));
	return iso_str_check(out, err);
}

static const iso_generator rogue = {
	.abi = ISO_GENERATOR_ABI,
	.name = "rogue",
	.title = "Breaks the contract on demand",
	.citation = "none",
	.card = "test only",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.score = score,
	.save = save,
};

const iso_generator *iso_plugin_generator(void);
const iso_generator *iso_plugin_generator(void)
{
	return &rogue;
}
