// SPDX-License-Identifier: Apache-2.0
/* uniform: every cell uniform over its column's public domain (control).
 *
 * WHAT.  The floor of every table: membership attacks must be at chance on it, and any utility that
 * it reaches is what the schema alone gives away.
 *
 * ALGORITHM.  Row i, column j: numbers ~ U[lo, hi] rounded to the column's grain, categories ~
 * U{0..m-1}, pixels ~ U{0..255}; missing values never.  Draws are addressed by (key, i, j).
 *
 * PRIVACY ARGUMENT.  fit reads the schema and nothing else, so the output has the same law on any
 * two data sets: epsilon = 0, delta = 0, an empty plan, under any neighbouring relation.
 *
 * COST.  One draw per cell.
 */
#include "core/base/alloc.h"
#include "generators/kit/labels.h"
#include "generators/kit/parts.h"

typedef struct model {
	const iso_schema *schema; /* borrowed: public */
} model;

static const iso_option options[] = {{0}};

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	(void)env;
	(void)scale;
	(void)out;
	(void)err;
	return ISO_OK; /* nothing private is ever read */
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "uniform model");
	m->schema = f->env.schema;
	*out = m;
	return ISO_OK;
}

static void sample_pixels(const iso_column *c, iso_key key, size_t row, uint8_t *out)
{
	for (size_t p = 0; p < iso_column_pixels(c); p += 16) {
		uint32_t w[4];
		iso_rand_words(key, row, p / 16, w);
		for (size_t k = 0; k < 16 && p + k < iso_column_pixels(c); k++)
			out[c->offset + p + k] = (uint8_t)(w[k / 4] >> (8 * (k % 4)));
	}
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const iso_schema *s = ((const model *)model_)->schema;
	(void)err;
	for (size_t j = 0; j < s->ncol; j++) {
		const iso_column *c = &s->column[j];
		const iso_key draw = iso_key_child(key, "column", j);
		for (size_t i = 0; !iso_is_dropped(c) && i < out->n; i++) {
			const double u = iso_rand_u01(draw, i, 0);
			if (c->type == ISO_PIXEL)
				sample_pixels(c, draw, i, out->pixels + i * s->npixel);
			else if (iso_is_discrete(c))
				out->cells[i * s->ncol + j] =
					(double)(size_t)(u * (double)c->ncategory);
			else
				out->cells[i * s->ncol + j] = iso_unbin(s, j, 1, 0, u);
		}
	}
	return ISO_OK;
}

static void destroy(void *m)
{
	iso_free(m);
}

static iso_status save(const void *m, iso_str *out, iso_error *err)
{
	(void)m;
	iso_part_add(out, "uniform", "", 0);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	ISO_TRY(iso_part_take(&in, "uniform", NULL, 0, err));
	const iso_fit f = {.env = *env};
	return fit(&f, out, err);
}

const iso_generator iso_generator_uniform = {
	.abi = ISO_GENERATOR_ABI,
	.name = "uniform",
	.title = "Uniform over the public domain (control: learns nothing)",
	.citation = "control of isoeps",
	.card = "Draws every cell uniformly from its column's public domain and never looks at the "
		"data.\n"
		"Privacy: the output law is the same on all data sets, epsilon 0.\n"
		"Membership attacks must be at chance on it.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = 0,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
	.control = "blind",
};
