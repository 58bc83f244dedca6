// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/latent_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/labels.h"

#define PIECE 256 /* rows that pass through the networks at once */

int iso_latent_labelled(const iso_latent_model *m)
{
	return m->classes > 0 && !(m->shape.columns & ISO_ENC_LABEL);
}

static size_t laws_of(const iso_latent_model *m)
{
	return m->shape.mixture ? m->shape.experts : m->conds;
}

void iso_latent_drop_encoders(iso_latent_model *m)
{
	for (size_t c = 0; m->encoder && c < m->shape.experts; c++)
		iso_net_free(m->encoder[c]);
	iso_free(m->encoder);
	m->encoder = NULL;
}

void iso_latent_destroy(void *model)
{
	iso_latent_model *m = model;
	if (!m)
		return;
	iso_latent_drop_encoders(m);
	for (size_t c = 0; m->decoder && c < m->shape.experts; c++)
		iso_net_free(m->decoder[c]);
	iso_net_free(m->scorer);
	for (size_t i = 0; i < m->nextra; i++)
		iso_free(m->extra[i].bytes);
	iso_free(m->extra);
	iso_encoder_free(m->enc);
	iso_free(m->decoder);
	iso_free(m->law);
	iso_free(m->live);
	iso_free(m);
}

static iso_status add_extra(iso_latent_model *m, const char *name, int is_note, const void *bytes,
			    size_t n, iso_error *err)
{
	iso_extra e = {.is_note = is_note, .n = n, .bytes = iso_alloc(n + 1, 1)};
	iso_status st;
	if (!e.bytes)
		return iso_no_memory(err, "part of a latent model");
	if (n)
		memcpy(e.bytes, bytes, n);
	(void)snprintf(e.name, sizeof e.name, "%.47s", name);
	ISO_TRY_OUT(iso_grow(&m->extra, &m->extra_cap, m->nextra + 1, sizeof *m->extra, err));
	m->extra[m->nextra++] = e;
	return ISO_OK;
out:
	iso_free(e.bytes);
	return st;
}

iso_status iso_latent_attach(iso_latent_model *m, const char *name, const void *bytes, size_t n,
			     iso_error *err)
{
	return add_extra(m, name, 0, bytes, n, err);
}

iso_status iso_latent_note(iso_latent_model *m, const char *name, double value, iso_error *err)
{
	return add_extra(m, name, 1, &value, sizeof value, err);
}

double iso_latent_noted(const iso_latent_model *m, const char *name)
{
	double value = NAN;
	for (size_t i = 0; i < m->nextra; i++)
		if (m->extra[i].is_note && strcmp(m->extra[i].name, name) == 0)
			memcpy(&value, m->extra[i].bytes, sizeof value);
	return value;
}

iso_net_form iso_latent_scorer_form(const iso_latent_model *m, const int64_t *layers, iso_act act)
{
	return (iso_net_form){.who = m->shape.who,
			      .kind = m->shape.net == ISO_NET_LSTM ? ISO_NET_DENSE : m->shape.net,
			      .hidden = {layers, act},
			      .enc = m->enc,
			      .classes = m->width - m->enc->dim,
			      .noise = m->shape.noise};
}

static iso_status make_nets(iso_latent_model *m, iso_error *err)
{
	const iso_latent_shape *s = &m->shape;
	m->decoder = iso_alloc(s->experts, sizeof *m->decoder);
	if (s->encoder.units)
		m->encoder = iso_alloc(s->experts, sizeof *m->encoder);
	if (!m->decoder || (s->encoder.units && !m->encoder))
		return iso_no_memory(err, "networks");
	iso_net_form f = iso_latent_scorer_form(m, s->decoder.units, s->decoder.act);
	f.classes = m->zw - s->latent;
	f.kind = s->net;
	f.noise = (iso_scorer_noise){0};
	for (size_t c = 0; c < s->experts; c++) {
		ISO_TRY(iso_decoder_net(&m->decoder[c], &f, s->latent, iso_heads_width(&m->heads),
					iso_heads_act(&m->heads), err));
	}
	f.hidden = s->encoder;
	f.classes = 0;
	for (size_t c = 0; m->encoder && c < s->experts; c++)
		ISO_TRY(iso_scorer_net(&m->encoder[c], &f, 2 * s->latent, err));
	f = iso_latent_scorer_form(m, s->scorer.units, s->scorer.act);
	return s->scorer.units ? iso_scorer_net(&m->scorer, &f, m->outputs, err) : ISO_OK;
}

iso_status iso_latent_check(const iso_latent_shape *s, const iso_encoder *enc, iso_error *err)
{
	const iso_net_form decoder = {
		.who = s->who, .kind = s->net, .hidden = s->decoder, .enc = enc};
	iso_net_form scorer = decoder;
	ISO_TRY(iso_net_form_check(&decoder, s->latent, err));
	scorer.hidden = s->scorer;
	scorer.kind = s->net == ISO_NET_LSTM ? ISO_NET_DENSE : s->net;
	scorer.noise = s->noise;
	return s->scorer.units ? iso_net_form_check(&scorer, s->latent, err) : ISO_OK;
}

static void count_conditions(iso_latent_model *m)
{
	size_t cells = 0;
	for (size_t b = 0; b < m->enc->nblock; b++)
		if (m->enc->block[b].kind == ISO_BLOCK_ONEHOT) {
			cells += m->enc->block[b].width;
			m->blocks++;
		}
	m->conds = m->shape.by_column ? cells : m->classes;
}

iso_status iso_latent_new(const iso_gen_env *env, const iso_latent_shape *s, iso_latent_model **out,
			  iso_error *err)
{
	iso_status st;
	iso_latent_model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "a latent model");
	m->shape = *s;
	m->schema = env->schema;
	m->classes = iso_schema_classes(env->schema);
	ISO_TRY_OUT(iso_encoder_new(env->schema, s->columns, &m->enc, err));
	count_conditions(m);
	m->law = iso_alloc(laws_of(m) + 1, sizeof *m->law);
	m->live = iso_alloc(m->classes + 1, sizeof *m->live);
	if (!m->law || !m->live) {
		st = iso_no_memory(err, "label law");
		goto out;
	}
	for (size_t c = 0; c < m->classes; c++)
		if (!s->class_count || s->class_count[c] > 0)
			m->live[m->nlive++] = (uint32_t)c;
	if (m->enc->dim == 0) {
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "no feature columns (%s): there is nothing to generate; add a "
			      "feature to the schema",
			      s->who);
		goto out;
	}
	m->heads = iso_heads_new(m->enc, s->heads, s->spread, s->tau);
	m->zw = s->latent + (s->conditional ? m->conds : 0);
	m->width = s->conditional && s->crossed
			   ? m->classes * (m->enc->dim + 1)
			   : m->enc->dim + (s->conditional && !s->classifies ? m->conds : 0);
	m->outputs = s->classifies ? m->classes + 1 : 1;
	ISO_TRY_OUT(make_nets(m, err));
	*out = m;
	m = NULL;
out:
	iso_latent_destroy(m);
	return st;
}

void iso_latent_draw_z(const iso_latent_model *m, iso_key key, uint64_t first, size_t n, float *in)
{
	for (size_t j = 0; j < n; j++)
		iso_prior_draw(m->shape.prior, key, first + j, in + j * m->zw, m->shape.latent);
}

void iso_latent_scored(const iso_latent_model *m, const float *x, size_t label, float *in)
{
	const size_t dim = m->enc->dim;
	if (!m->shape.conditional || !m->shape.crossed) {
		memcpy(in, x, dim * sizeof *in);
		if (m->width > dim)
			iso_one_hot(label, m->conds, in + dim);
		return;
	}
	memset(in, 0, m->width * sizeof *in);
	if (label >= m->classes)
		return;
	memcpy(in + label * (dim + 1), x, dim * sizeof *in);
	in[label * (dim + 1) + dim] = 1;
}

/* ---- Pieces of rows through the networks ---- */

typedef struct piece {
	iso_ws **ws; /* [experts] of decoders or encoders; [1] of the scorer */
	size_t nws;
	float *in, *one, *out, *x; /* [PIECE] inputs; of one expert; raw outputs; rows */
	size_t at[PIECE];
	uint32_t label[PIECE];
	size_t first; /* number of the first row */
} piece;

static void piece_free(piece *p)
{
	for (size_t c = 0; p->ws && c < p->nws; c++)
		iso_ws_free(p->ws[c]);
	iso_free(p->ws);
	iso_free(p->in);
	iso_free(p->one);
	iso_free(p->out);
	iso_free(p->x);
}

static iso_status piece_init(piece *p, const iso_latent_model *m, iso_net *const *net, size_t nnet,
			     iso_error *err)
{
	const size_t in = m->width > m->zw ? m->width : m->zw, out = iso_heads_width(&m->heads);
	iso_status st = ISO_OK;
	*p = (piece){.nws = nnet,
		     .ws = iso_alloc(nnet, sizeof *p->ws),
		     .in = iso_alloc(PIECE * in, sizeof(float)),
		     .one = iso_alloc(PIECE * in, sizeof(float)),
		     .out = iso_alloc(PIECE * out, sizeof(float)),
		     .x = iso_alloc(PIECE * m->width, sizeof(float))};
	if (!p->ws || !p->in || !p->one || !p->out || !p->x) {
		st = iso_no_memory(err, "workspace of a latent model");
		goto out;
	}
	for (size_t c = 0; c < nnet; c++)
		ISO_TRY_OUT(iso_ws_new(net[c], PIECE, 0, &p->ws[c], err));
out:
	if (st != ISO_OK)
		piece_free(p);
	return st;
}

static size_t expert_of(const iso_latent_model *m, const piece *p, size_t i)
{
	return m->shape.experts == 1 ? 0
	       : m->shape.turns	     ? (p->first + i) % m->shape.experts
				     : p->label[i];
}

/* p->x [n][dim] from p->in and p->label: rows of each expert through its decoder. */
static void decode_piece(const iso_latent_model *m, piece *p, size_t n)
{
	const size_t width = iso_heads_width(&m->heads);
	for (size_t c = 0; c < m->shape.experts; c++) {
		size_t own = 0;
		for (size_t i = 0; i < n; i++)
			if (expert_of(m, p, i) == c) {
				memcpy(p->one + own * m->zw, p->in + i * m->zw,
				       m->zw * sizeof *p->in);
				p->at[own++] = i;
			}
		if (own == 0)
			continue;
		iso_net_forward(m->decoder[c], p->ws[c], p->one, m->zw, own, NULL);
		for (size_t i = 0; i < own; i++)
			memcpy(p->out + p->at[i] * width, iso_ws_out(p->ws[c]) + i * width,
			       width * sizeof *p->out);
	}
	iso_heads_forward(&m->heads, p->out, n, NULL, p->x, m->enc->dim);
}

/* Numbers get the noise of their likelihood: x + sd e, kept inside [0,1] by reflection, so that no
 * mass piles up at the bounds. */
static void spread_numbers(const iso_latent_model *m, piece *p, size_t n, iso_key key, size_t at)
{
	const size_t width = iso_heads_width(&m->heads);
	float e[1];
	for (size_t i = 0; i < n; i++)
		for (size_t b = 0, j = 0; b < m->enc->nblock; b++) {
			const iso_block *k = &m->enc->block[b];
			if (k->kind != ISO_BLOCK_NUMERIC)
				continue;
			float *const x = p->x + i * m->enc->dim + k->first;
			iso_rand_fill_normal(iso_key_child(key, "number", j), at + i, 0, 1, e, 1);
			*x += e[0] *
			      (float)iso_exp(iso_heads_logsd(&m->heads, p->out + i * width, j++));
			*x = *x < 0 ? -*x : *x > 1 ? 2 - *x : *x;
			*x = *x < 0 ? 0 : *x > 1 ? 1 : *x;
		}
}

static void write_piece(const iso_latent_model *m, const piece *p, size_t n, const iso_key *draw,
			iso_table *out, size_t at)
{
	iso_decode(m->enc, p->x, m->enc->dim, n, draw, out, at);
	if (iso_latent_labelled(m))
		iso_set_labels(out, at, p->label, n);
}

static void condition(const iso_latent_model *m, piece *p, size_t n)
{
	for (size_t i = 0; m->shape.conditional && i < n; i++)
		iso_one_hot(p->label[i], m->conds, p->in + i * m->zw + m->shape.latent);
}

static int by_column(const iso_latent_model *m)
{
	return m->shape.conditional && m->shape.by_column;
}

iso_status iso_latent_sample(const void *model, iso_key key, iso_table *out, iso_error *err)
{
	const iso_latent_model *m = model;
	const iso_key zkey = iso_key_child(key, "z", 0), ykey = iso_key_child(key, "label", 0),
		      draw = iso_key_child(key, "category", 0);
	piece p;
	ISO_TRY(piece_init(&p, m, m->decoder, m->shape.experts, err));
	for (size_t at = 0; at < out->n; at += PIECE) {
		const size_t n = out->n - at < PIECE ? out->n - at : PIECE;
		iso_latent_draw_z(m, zkey, at, n, p.in);
		for (size_t i = 0; (iso_latent_labelled(m) || by_column(m)) && i < n; i++)
			p.label[i] = m->shape.balanced
					     ? m->live[(at + i) % m->nlive]
					     : iso_law_draw(m->law, m->conds,
							    iso_rand_u01(ykey, at + i, 0));
		for (size_t i = 0; m->shape.mixture && i < n; i++)
			p.label[i] = iso_law_draw(m->law, m->shape.experts,
						  iso_rand_u01(ykey, at + i, 0));
		condition(m, &p, n);
		p.first = at;
		decode_piece(m, &p, n);
		if (m->heads.nspread)
			spread_numbers(m, &p, n, key, at);
		write_piece(m, &p, n, m->shape.argmax ? NULL : &draw, out, at);
	}
	piece_free(&p);
	return ISO_OK;
}

size_t iso_latent_dim(const void *model)
{
	return ((const iso_latent_model *)model)->shape.latent;
}

iso_status iso_latent_decode(const void *model, const float *z, const uint32_t *label, size_t n_all,
			     iso_table *out, iso_error *err)
{
	const iso_latent_model *m = model;
	const size_t latent = m->shape.latent;
	piece p;
	ISO_TRY(piece_init(&p, m, m->decoder, m->shape.experts, err));
	for (size_t at = 0; at < n_all; at += PIECE) {
		const size_t n = n_all - at < PIECE ? n_all - at : PIECE;
		for (size_t i = 0; i < n; i++) {
			memcpy(p.in + i * m->zw, z + (at + i) * latent, latent * sizeof *z);
			if (iso_latent_labelled(m))
				p.label[i] = label ? label[at + i] : m->live[(at + i) % m->nlive];
			else
				p.label[i] =
					(uint32_t)((at + i) %
						   (by_column(m) ? m->conds : m->shape.experts));
		}
		condition(m, &p, n);
		p.first = at;
		decode_piece(m, &p, n);
		write_piece(m, &p, n, NULL, out, at);
	}
	piece_free(&p);
	return ISO_OK;
}

double iso_latent_logit(const iso_latent_model *m, const float *outputs)
{
	const size_t k = m->outputs - 1; /* of "fake" */
	float top = outputs[0];
	double sum = 0;
	if (k == 0)
		return outputs[0];
	for (size_t c = 1; c < k; c++)
		top = outputs[c] > top ? outputs[c] : top;
	for (size_t c = 0; c < k; c++)
		sum += iso_exp((double)outputs[c] - (double)top);
	return (double)top + iso_log(sum) - (double)outputs[k];
}

/* out [n] += the logits of rows at.. under their labels; by column, the mean over their
 * conditions. */
static void score_piece(const iso_latent_model *m, piece *p, const iso_table *rows, size_t at,
			size_t n, double *out)
{
	const size_t turns = by_column(m) ? m->blocks : 1, dim = m->enc->dim;
	memset(out, 0, n * sizeof *out);
	for (size_t k = 0; k < turns; k++) {
		for (size_t i = 0; i < n; i++) {
			const float *const x = p->x + i * dim;
			iso_latent_scored(m, x,
					  by_column(m) ? iso_latent_condition(m, x, k)
					  : m->classes ? iso_table_label(rows, at + i)
						       : 0,
					  p->in + i * m->width);
		}
		iso_net_forward(m->scorer, p->ws[0], p->in, m->width, n, NULL);
		for (size_t i = 0; i < n; i++)
			out[i] += iso_latent_logit(m, iso_ws_out(p->ws[0]) + i * m->outputs) /
				  (double)turns;
	}
}

iso_status iso_latent_score(const void *model, const iso_table *rows, double *out, iso_error *err)
{
	const iso_latent_model *m = model;
	uint32_t row[PIECE];
	piece p;
	ISO_FAIL_IF(!m->scorer, err, ISO_E_UNSUPPORTED,
		    "score (%s): the model has no discriminator; choose another attack",
		    m->shape.who);
	ISO_TRY(piece_init(&p, m, &m->scorer, 1, err));
	for (size_t at = 0; at < rows->n; at += PIECE) {
		const size_t n = rows->n - at < PIECE ? rows->n - at : PIECE;
		for (size_t i = 0; i < n; i++)
			row[i] = (uint32_t)(at + i);
		iso_encode(m->enc, rows, row, n, p.x, m->enc->dim);
		score_piece(m, &p, rows, at, n, out + at);
	}
	piece_free(&p);
	return ISO_OK;
}

/* Means of the posterior; rows without a label go through the first expert. */
iso_status iso_latent_encode(const void *model, const iso_table *rows, float *z, iso_error *err)
{
	const iso_latent_model *m = model;
	piece p;
	ISO_FAIL_IF(!m->encoder, err, ISO_E_UNSUPPORTED,
		    "encode (%s): only the decoders are released; use the latent decoder",
		    m->shape.who);
	ISO_TRY(piece_init(&p, m, m->encoder, m->shape.experts, err));
	for (size_t r = 0; r < rows->n; r++) {
		const size_t y = m->shape.experts > 1 ? iso_table_label(rows, r) : 0,
			     c = y < m->shape.experts ? y : 0;
		const uint32_t row = (uint32_t)r;
		iso_encode(m->enc, rows, &row, 1, p.in, m->enc->dim);
		iso_net_forward(m->encoder[c], p.ws[c], p.in, m->enc->dim, 1, NULL);
		memcpy(z + r * m->shape.latent, iso_ws_out(p.ws[c]), m->shape.latent * sizeof *z);
	}
	piece_free(&p);
	return ISO_OK;
}

/* ---- Save and load ---- */

#define NOTE "note:" /* in front of the name of a number */

/* Name of the i-th of `n` networks of a kind. */
static void net_name(char text[64], const char *kind, size_t i, size_t n)
{
	(void)(n > 1 ? snprintf(text, 64, "%s%zu", kind, i) : snprintf(text, 64, "%s", kind));
}

iso_status iso_latent_save(const void *model, iso_str *out, iso_error *err)
{
	const iso_latent_model *m = model;
	char name[64];
	iso_part_add(out, "labels", m->law, laws_of(m) * sizeof *m->law);
	iso_part_add(out, "rows", &m->rows, sizeof m->rows);
	if (m->scorer) /* in front: the generator learns from it */
		iso_net_parts(out, "discriminator", m->scorer);
	for (size_t c = 0; c < m->shape.experts; c++) {
		net_name(name, "generator", c, m->shape.experts);
		iso_net_parts(out, name, m->decoder[c]);
	}
	for (size_t c = 0; m->encoder && c < m->shape.experts; c++) {
		net_name(name, "encoder", c, m->shape.experts);
		iso_net_parts(out, name, m->encoder[c]);
	}
	for (size_t i = 0; i < m->nextra; i++) {
		const iso_extra *const e = &m->extra[i];
		(void)snprintf(name, sizeof name, "%s%s", e->is_note ? NOTE : "", e->name);
		iso_part_add(out, name, e->bytes, e->n);
	}
	return iso_str_check(out, err);
}

/* Parts behind the networks, whatever they are. */
static iso_status take_extras(iso_latent_model *m, iso_parts *in, iso_error *err)
{
	while (in->p < in->end) {
		char name[64];
		const void *bytes;
		size_t n;
		ISO_TRY(iso_part_next(in, name, sizeof name, &bytes, &n, err));
		const int is_note = strncmp(name, NOTE, strlen(NOTE)) == 0;
		ISO_FAIL_IF(is_note && n != sizeof(double), err, ISO_E_DATA,
			    "malformed model (part %s): a note has 8 bytes; save it again", name);
		ISO_TRY(add_extra(m, name + (is_note ? strlen(NOTE) : 0), is_note, bytes, n, err));
	}
	return ISO_OK;
}

iso_status iso_latent_take(iso_parts *in, iso_latent_model *m, iso_error *err)
{
	char name[64];
	ISO_TRY(iso_part_take(in, "labels", m->law, laws_of(m) * sizeof *m->law, err));
	ISO_TRY(iso_part_take(in, "rows", &m->rows, sizeof m->rows, err));
	if (m->scorer)
		ISO_TRY(iso_net_take(in, "discriminator", m->scorer, err));
	for (size_t c = 0; c < m->shape.experts; c++) {
		net_name(name, "generator", c, m->shape.experts);
		ISO_TRY(iso_net_take(in, name, m->decoder[c], err));
	}
	for (size_t c = 0; m->encoder && c < m->shape.experts; c++) {
		net_name(name, "encoder", c, m->shape.experts);
		ISO_TRY(iso_net_take(in, name, m->encoder[c], err));
	}
	return ISO_OK;
}

iso_status iso_latent_load(const iso_gen_env *env, const iso_latent_shape *s, const char *bytes,
			   size_t n, void **model, iso_error *err)
{
	iso_latent_model *m = NULL;
	ISO_TRY(iso_latent_new(env, s, &m, err));
	iso_parts in = {bytes, bytes + n};
	iso_status st = iso_latent_take(&in, m, err);
	if (st == ISO_OK)
		st = take_extras(m, &in, err);
	if (st == ISO_OK)
		*model = m;
	else
		iso_latent_destroy(m);
	return st;
}

iso_status iso_latent_describe(const void *model, cJSON *out, iso_error *err)
{
	const iso_latent_model *m = model;
	if (!cJSON_AddNumberToObject(out, "generators", (double)m->shape.experts) ||
	    !cJSON_AddNumberToObject(out, "generator_parameters",
				     (double)iso_net_params(m->decoder[0])) ||
	    (m->scorer && !cJSON_AddNumberToObject(out, "discriminator_parameters",
						   (double)iso_net_params(m->scorer))) ||
	    !cJSON_AddNumberToObject(out, "latent", (double)m->shape.latent) ||
	    !cJSON_AddNumberToObject(out, "encoded_columns", (double)m->enc->dim) ||
	    (m->rows && !cJSON_AddNumberToObject(out, "selected_rows", (double)m->rows)))
		return iso_no_memory(err, "description of a latent model");
	for (size_t i = 0; i < m->nextra; i++) {
		const char *const name = m->extra[i].name;
		if (m->extra[i].is_note &&
		    !cJSON_AddNumberToObject(out, name, iso_latent_noted(m, name)))
			return iso_no_memory(err, "description of a latent model");
	}
	return ISO_OK;
}
