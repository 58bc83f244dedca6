// SPDX-License-Identifier: Apache-2.0
/* noisy-mean: the template of a generator, complete and small.  Copy it, rename it, keep the order
 * of this head.
 *
 * WHAT.  Releases the noisy mean of the encoded rows and samples every value on its own around it.
 *
 * ALGORITHM.  x_i in [0,1]^d the encoded row (core/data/encode.h), clipped to L2 norm C = share of
 * its longest possible norm sqrt d: m = (1/n) ( sum_i x_i min(1, C/|x_i|) + N(0, (s C)^2 I) ),
 * brought back into [0,1] Sample: numbers and pixels triangular around m_k, categories and
 * missing-indicators with probabilities m_k.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  It changes the sum by at most C in L2;
 * one Gaussian release of multiplier s, entry "mean", paid by iso_mech_vector_sum.  n is public.
 * Sampling sees m only: post-processing.
 *
 * DEVIATIONS.  None: no paper.
 *
 * COST.  One pass over the rows.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "generators/generator.h"

/* 1. Options: one table.  Defaults, checks, help and the record come from it. */
typedef struct opts {
	double clip_share;
} opts;

static const iso_option options[] = {
	ISO_OPT_REAL(opts, clip_share, "0.5", 1e-6, 1,
		     "clip bound as a share of sqrt(width of a row)"),
	{0},
};

/* 2. The model: what was released, and nothing else.  The schema is public. */
typedef struct model {
	iso_encoder *enc; /* owned */
	float *mean;	  /* [dim] owned */
} model;

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_encoder_free(m->enc);
	iso_free(m->mean);
	iso_free(m);
}

static iso_status model_new(const iso_gen_env *env, model **out, iso_error *err)
{
	iso_status st;
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "mean");
	ISO_TRY_OUT(iso_encoder_new(env->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &m->enc, err));
	m->mean = iso_alloc(m->enc->dim, sizeof *m->mean);
	if (!m->mean) {
		st = iso_no_memory(err, "mean");
		goto out;
	}
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static double clip_of(const opts *o, size_t dim)
{
	return o->clip_share * sqrt((double)dim);
}

/* 3. The plan: every release that fit will make, before any data are seen.  `scale` is the free
 * noise scale that the harness calibrates to epsilon; the clip bound may depend on schema and
 * options, never on rows. */
static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	iso_encoder *e = NULL;
	ISO_TRY(iso_encoder_new(env->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, err));
	const double clip = clip_of(env->options, e->dim);
	iso_encoder_free(e);
	return iso_plan_gaussian(out, (iso_entry){.why = "mean"}, scale, 1, 1, clip, err);
}

/* Encoded rows in double precision. */
static iso_status encoded(const iso_encoder *e, const iso_table *t, double **out, iso_error *err)
{
	float *x = NULL;
	ISO_TRY(iso_encode_new(e, t, &x, err));
	*out = iso_alloc(t->n * e->dim, sizeof **out);
	for (size_t i = 0; *out && i < t->n * e->dim; i++)
		(*out)[i] = x[i];
	iso_free(x);
	return *out ? ISO_OK : iso_no_memory(err, "encoded rows");
}

/* 4. fit: the only function that sees private rows.  They leave it through core/privacy alone. */
static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	model *m = NULL;
	double *x = NULL, *sum = NULL;
	iso_status st;
	ISO_TRY(model_new(&f->env, &m, err));
	ISO_TRY_OUT(encoded(m->enc, f->train, &x, err));
	sum = iso_alloc(m->enc->dim, sizeof *sum);
	if (!sum) {
		st = iso_no_memory(err, "sum of rows");
		goto out;
	}
	ISO_TRY_OUT(iso_mech_vector_sum(f->ledger, (iso_entry){.why = "mean"}, x, f->train->n,
					m->enc->dim, clip_of(f->env.options, m->enc->dim), sum,
					err));
	for (size_t k = 0; k < m->enc->dim; k++) {
		const double v = sum[k] / (double)f->env.n; /* env.n is public, train->n is not */
		m->mean[k] = (float)(v < 0 ? 0 : v > 1 ? 1 : v);
	}
	*out = m;
	m = NULL;
out:
	iso_free(x);
	iso_free(sum);
	destroy(m);
	return st;
}

/* 5. sample: post-processing.  Row i is a function of (key, i), whatever the number of rows. */
static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_key value = iso_key_child(key, "value", 0),
		      category = iso_key_child(key, "category", 0);
	float *row = iso_alloc(m->enc->dim, sizeof *row);
	if (!row)
		return iso_no_memory(err, "a row");
	for (size_t i = 0; i < out->n; i++) {
		for (size_t b = 0; b < m->enc->nblock; b++) {
			const iso_block *k = &m->enc->block[b];
			const int number =
				k->kind == ISO_BLOCK_NUMERIC || k->kind == ISO_BLOCK_PIXEL;
			for (size_t j = k->first; j < k->first + k->width; j++) {
				/* (u - v)/4 is triangular on (-1/4, 1/4); iso_decode clamps to the
				 * column's bounds */
				const double u = iso_rand_u01(value, i, 2 * j),
					     v = iso_rand_u01(value, i, 2 * j + 1);
				row[j] = m->mean[j] + (number ? (float)((u - v) / 4) : 0);
			}
		}
		iso_decode(m->enc, row, m->enc->dim, 1, &category, out, i);
	}
	iso_free(row);
	return ISO_OK;
}

/* 6. save: everything released, each part under a line "name bytes".  verify compares it. */
static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	iso_str_addf(out, "mean %zu\n", m->enc->dim * sizeof *m->mean);
	iso_str_addn(out, (const char *)m->mean, m->enc->dim * sizeof *m->mean);
	return iso_str_check(out, err);
}

/* 7. load: the model again.  Bytes that save did not write are refused. */
static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	char head[32];
	model *m;
	size_t size, k;
	ISO_TRY(model_new(env, &m, err));
	size = m->enc->dim * sizeof *m->mean;
	k = (size_t)snprintf(head, sizeof head, "mean %zu\n", size);
	if (n != k + size || memcmp(bytes, head, k) != 0) {
		destroy(m);
		return iso_fail(err, ISO_E_DATA,
				"saved model (noisy-mean): %zu bytes are not those of this schema; "
				"train it again",
				n);
	}
	memcpy(m->mean, bytes + k, size);
	*out = m;
	return ISO_OK;
}

/* 8. The descriptor: the file's one external symbol, iso_generator_ and the file's stem. */
const iso_generator iso_generator_template = {
	.abi = ISO_GENERATOR_ABI,
	.name = "noisy-mean",
	.title = "Noisy mean of the encoded rows (template)",
	.citation = "template of isoeps",
	.card = "Releases the noisy mean of the encoded rows and samples every value on its own "
		"around it.\n"
		"Privacy: a row moves the clipped sum by at most C; one Gaussian release.\n"
		"Deviations: none.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
};
