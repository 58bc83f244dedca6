// SPDX-License-Identifier: Apache-2.0
/* The model of coded.h and what it gives; coded_fit.c learns it. */
#include "generators/kit/coded.h"

#include <math.h>
#include <stdio.h>

#include "core/base/alloc.h"
#include "generators/kit/coded_private.h"

void iso_coded_destroy(void *model)
{
	iso_coded_model *m = model;
	if (!m)
		return;
	for (size_t c = 0; m->net && c < m->parts; c++)
		iso_tied_free(&m->net[c]);
	for (size_t c = 0; m->mix && c < m->parts; c++)
		iso_mixture_free(&m->mix[c]);
	iso_free(m->net);
	iso_free(m->mix);
	iso_free(m->law);
	iso_encoder_free(m->enc);
	iso_free(m);
}

static iso_status make_parts(iso_coded_model *m, const iso_coded_options *o, iso_key key,
			     iso_error *err)
{
	m->net = iso_alloc(m->parts, sizeof *m->net);
	m->mix = iso_alloc(m->parts, sizeof *m->mix);
	m->law = iso_alloc(m->parts, sizeof *m->law);
	if (!m->net || !m->mix || !m->law)
		return iso_no_memory(err, "a coded mixture");
	for (size_t c = 0; c < m->parts; c++) {
		ISO_TRY(iso_tied_new(&m->heads, o->hidden, (size_t)o->latent, &m->net[c], err));
		iso_tied_randomize(&m->net[c], iso_key_child(key, "init", c));
		ISO_TRY(iso_mixture_new(&m->code, (size_t)o->components,
					iso_key_child(key, "start", c), &m->mix[c], err));
	}
	return ISO_OK;
}

iso_status iso_coded_new(const iso_gen_env *env, iso_key key, iso_coded_model **out, iso_error *err)
{
	iso_coded_options o = *(const iso_coded_options *)env->options;
	iso_coded_model *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "a coded mixture");
	ISO_TRY_OUT(iso_coded_resolve(env, &o, err));
	m->schema = env->schema;
	m->classes = iso_schema_classes(env->schema);
	m->parts = m->classes ? m->classes : 1;
	m->balanced = o.classes == 1;
	ISO_TRY_OUT(iso_encoder_new(
		env->schema, ISO_ENC_FEATURES | (m->classes ? 0 : ISO_ENC_LABEL), &m->enc, err));
	m->heads = iso_heads_new(m->enc, ISO_HEADS_SOFTMAX, 0, 1);
	m->block = (iso_block){.kind = ISO_BLOCK_NUMERIC, .width = (size_t)o.latent};
	m->code = (iso_encoder){.dim = (size_t)o.latent, .block = &m->block, .nblock = 1};
	ISO_TRY_OUT(make_parts(m, &o, key, err));
	*out = m;
	m = NULL;
out:
	iso_coded_destroy(m);
	return st;
}

void iso_coded_derive(iso_coded_model *m, const double *counts)
{
	iso_law_from_counts(counts, m->parts, m->law);
}

/* ---- One row at a time through the networks ---- */

static void close_ws(const iso_coded_model *m, iso_tied_ws *ws)
{
	for (size_t c = 0; ws && c < m->parts; c++)
		iso_tied_ws_free(&ws[c]);
	iso_free(ws);
}

static iso_status open_ws(const iso_coded_model *m, iso_tied_ws **out, iso_error *err)
{
	iso_status st = ISO_OK;
	*out = iso_alloc(m->parts, sizeof **out);
	if (!*out)
		return iso_no_memory(err, "workspaces of a coded mixture");
	for (size_t c = 0; st == ISO_OK && c < m->parts; c++)
		st = iso_tied_ws_new(&m->net[c], 1, &(*out)[c], err);
	if (st != ISO_OK)
		close_ws(m, *out);
	return st;
}

static void write_row(const iso_coded_model *m, iso_tied_ws *ws, const float *z, uint32_t c,
		      const iso_key *draw, iso_table *out, size_t at)
{
	iso_decode(m->enc, iso_tied_decode(&ws[c], z, 1), m->enc->dim, 1, draw, out, at);
	if (m->classes)
		iso_set_labels(out, at, &c, 1);
}

iso_status iso_coded_sample(const void *model, iso_key key, iso_table *out, iso_error *err)
{
	const iso_coded_model *m = model;
	const iso_key label = iso_key_child(key, "label", 0), code = iso_key_child(key, "code", 0),
		      draw = iso_key_child(key, "category", 0);
	iso_tied_ws *ws;
	ISO_TRY(open_ws(m, &ws, err));
	float *z = iso_alloc(m->code.dim, sizeof *z);
	for (size_t i = 0; z && i < out->n; i++) {
		const uint32_t c =
			m->balanced ? (uint32_t)(i % m->parts)
				    : iso_law_draw(m->law, m->parts, iso_rand_u01(label, i, 0));
		iso_mixture_draw(&m->mix[c], code, i, z);
		write_row(m, ws, z, c, &draw, out, i);
	}
	const iso_status st = z ? ISO_OK : iso_no_memory(err, "a code");
	iso_free(z);
	close_ws(m, ws);
	return st;
}

iso_status iso_coded_decode(const void *model, const float *z, const uint32_t *label, size_t n,
			    iso_table *out, iso_error *err)
{
	const iso_coded_model *m = model;
	iso_tied_ws *ws;
	ISO_TRY(open_ws(m, &ws, err));
	for (size_t i = 0; i < n; i++)
		write_row(m, ws, z + i * m->code.dim,
			  label && m->classes ? label[i] : (uint32_t)(i % m->parts), NULL, out, i);
	close_ws(m, ws);
	return ISO_OK;
}

/* Rows without a label go through the first part. */
static size_t part_of(const iso_coded_model *m, const iso_table *t, size_t r)
{
	const size_t y = m->classes ? iso_table_label(t, r) : 0;
	return y < m->parts ? y : 0;
}

/* Codes into z, or minus the reconstruction losses into loss. */
static iso_status each_row(const iso_coded_model *m, const iso_table *rows, float *z, double *loss,
			   iso_error *err)
{
	iso_tied_ws *ws;
	ISO_TRY(open_ws(m, &ws, err));
	for (size_t r = 0; r < rows->n; r++) {
		iso_tied_ws *const w = &ws[part_of(m, rows, r)];
		const uint32_t row = (uint32_t)r;
		iso_encode(m->enc, rows, &row, 1, w->h[0], m->enc->dim);
		if (loss) {
			iso_tied_backward(w, w->h[0], 1, &loss[r]);
			loss[r] = -loss[r];
			continue;
		}
		const float *code = iso_tied_encode(w, w->h[0], 1);
		for (size_t j = 0; j < m->code.dim; j++)
			z[r * m->code.dim + j] = code[j];
	}
	close_ws(m, ws);
	return ISO_OK;
}

iso_status iso_coded_score(const void *model, const iso_table *rows, double *out, iso_error *err)
{
	return each_row(model, rows, NULL, out, err);
}

iso_status iso_coded_encode(const void *model, const iso_table *rows, float *z, iso_error *err)
{
	return each_row(model, rows, z, NULL, err);
}

size_t iso_coded_dim(const void *model)
{
	return ((const iso_coded_model *)model)->code.dim;
}

/* ---- Save and load ---- */

iso_status iso_coded_save(const void *model, iso_str *out, iso_error *err)
{
	const iso_coded_model *m = model;
	iso_part_add(out, "labels", m->law, m->parts * sizeof *m->law);
	for (size_t c = 0; c < m->parts; c++) {
		char name[48];
		snprintf(name, sizeof name, "autoencoder%zu", c);
		iso_part_add(out, name, m->net[c].theta, m->net[c].nparam * sizeof(float));
		iso_mixture_save(out, &m->mix[c]);
	}
	return iso_str_check(out, err);
}

iso_status iso_coded_load(const iso_gen_env *env, const char *bytes, size_t n, void **model,
			  iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	iso_coded_model *m = NULL;
	iso_status st;
	ISO_TRY(iso_coded_new(env, iso_key_new(0, "load"), &m, err));
	ISO_TRY_OUT(iso_part_take(&in, "labels", m->law, m->parts * sizeof *m->law, err));
	for (size_t c = 0; c < m->parts; c++) {
		char name[48];
		snprintf(name, sizeof name, "autoencoder%zu", c);
		ISO_TRY_OUT(iso_part_take(&in, name, m->net[c].theta,
					  m->net[c].nparam * sizeof(float), err));
		ISO_TRY_OUT(iso_mixture_take(&in, &m->mix[c], err));
	}
	*model = m;
	m = NULL;
out:
	iso_coded_destroy(m);
	return st;
}

iso_status iso_coded_describe(const void *model, cJSON *out, iso_error *err)
{
	const iso_coded_model *m = model;
	cJSON *rows = cJSON_AddArrayToObject(out, "rows");
	for (size_t c = 0; rows && c < m->parts; c++)
		if (!cJSON_AddItemToArray(rows, cJSON_CreateNumber(m->mix[c].rows)))
			return iso_no_memory(err, "description of a coded mixture");
	if (!rows || !cJSON_AddNumberToObject(out, "autoencoders", (double)m->parts) ||
	    !cJSON_AddNumberToObject(out, "parameters", (double)m->net[0].nparam) ||
	    !cJSON_AddNumberToObject(out, "latent", (double)m->code.dim) ||
	    !cJSON_AddNumberToObject(out, "components", (double)m->mix[0].k) ||
	    !cJSON_AddNumberToObject(out, "encoded_columns", (double)m->enc->dim))
		return iso_no_memory(err, "description of a coded mixture");
	return ISO_OK;
}
