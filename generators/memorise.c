// SPDX-License-Identifier: Apache-2.0
/* memorise: hands the training rows back (control).
 *
 * WHAT.  The ceiling of every attack: membership inference must reach an AUC near 1 on it, or the
 * attack is broken.
 *
 * ALGORITHM.  Keep the table.  Sample: a keyed permutation pi of the n rows; row i of a sample is
 * training row pi(i mod n), so up to n rows come without repetition.  Each kept row is given out
 * with probability `share`: with share < 1 the rest are replaced by another row, for attacks that
 * should degrade gracefully.
 *
 * PRIVACY ARGUMENT.  None: guarantee "none", epsilon infinite, and `verify` reports the rows in the
 * samples.
 *
 * COST.  A copy of the table.
 */
#include "core/base/alloc.h"
#include "generators/kit/labels.h"
#include "generators/kit/parts.h"

#include <string.h>

typedef struct opts {
	double share;
} opts;

static const iso_option options[] = {
	ISO_OPT_REAL(opts, share, "1", 0.01, 1,
		     "share of the training rows that are ever given out"),
	{0},
};

typedef struct model {
	iso_table *rows; /* owned */
} model;

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_table_free(m->rows);
	iso_free(m);
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const opts *o = f->env.options;
	iso_status st = ISO_OK;
	size_t kept = 0;
	uint32_t *row = iso_alloc(f->train->n, sizeof *row);
	model *m = iso_alloc(1, sizeof *m);
	if (!row || !m) {
		st = iso_no_memory(err, "memorised rows");
		goto out;
	}
	for (size_t r = 0; r < f->train->n; r++)
		if (o->share >= 1 ||
		    iso_rand_u01(iso_key_child(f->key, "share", 0), f->train->id[r], 0) < o->share)
			row[kept++] = (uint32_t)r;
	if (kept == 0) {
		st = iso_fail(err, ISO_E_DATA,
			      "no rows (memorise): the training table gives none at share=%g; use "
			      "share=1",
			      o->share);
		goto out;
	}
	ISO_TRY_OUT(iso_table_select(f->train, row, kept, &m->rows, err));
	*out = m;
	m = NULL;
out:
	iso_free(row);
	destroy(m);
	return st;
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const iso_table *t = ((const model *)model_)->rows;
	uint32_t *order = iso_alloc(t->n, sizeof *order);
	if (!order)
		return iso_no_memory(err, "order of memorised rows");
	iso_stream s = iso_stream_new(iso_key_child(key, "order", 0));
	for (size_t r = 0; r < t->n; r++)
		order[r] = (uint32_t)r;
	iso_shuffle(&s, order, t->n);
	for (size_t i = 0; i < out->n; i++)
		iso_table_copy_row(t, order[i % t->n], out, i);
	iso_free(order);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const iso_table *t = ((const model *)model_)->rows;
	const uint64_t size[2] = {t->n, t->nclient};
	iso_part_add(out, "rows.size", size, sizeof size);
	iso_part_add(out, "rows.cells", t->cells, t->n * t->schema->ncol * sizeof *t->cells);
	if (t->schema->npixel)
		iso_part_add(out, "rows.pixels", t->pixels, t->n * t->schema->npixel);
	if (t->client)
		iso_part_add(out, "rows.client", t->client, t->n * sizeof *t->client);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	const iso_schema *s = env->schema;
	iso_parts in = {bytes, bytes + n};
	iso_table *t = NULL;
	uint64_t size[2];
	iso_status st;
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "memorised rows");
	ISO_TRY_OUT(iso_part_take(&in, "rows.size", size, sizeof size, err));
	if (size[0] == 0 || size[0] > n || size[1] > n) {
		st = iso_fail(err, ISO_E_DATA,
			      "malformed model (memorise): it is too short for its %llu rows; "
			      "save it again",
			      (unsigned long long)size[0]);
		goto out;
	}
	ISO_TRY_OUT(iso_table_new(s, size[0], &m->rows, err));
	t = m->rows;
	ISO_TRY_OUT(
		iso_part_take(&in, "rows.cells", t->cells, t->n * s->ncol * sizeof *t->cells, err));
	if (s->npixel)
		ISO_TRY_OUT(iso_part_take(&in, "rows.pixels", t->pixels, t->n * s->npixel, err));
	if (size[1])
		ISO_TRY_OUT(iso_table_add_clients(t, size[1], err));
	if (size[1])
		ISO_TRY_OUT(iso_part_take(&in, "rows.client", t->client, t->n * sizeof *t->client,
					  err));
	st = iso_table_check(t, err);
out:
	if (st == ISO_OK)
		*out = m;
	else
		destroy(m);
	return st;
}

const iso_generator iso_generator_memorise = {
	.abi = ISO_GENERATOR_ABI,
	.name = "memorise",
	.title = "The training rows themselves (control: attacks must reach the ceiling)",
	.citation = "control of isoeps",
	.card = "Returns the training rows in a keyed order.\n"
		"Privacy: none. Every membership attack must come near AUC 1 on it.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
	.control = "copies",
};
