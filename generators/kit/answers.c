// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/answers.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/labels.h"
#include "generators/kit/nets.h"
#include "generators/kit/parts.h"
#include "generators/kit/rows.h"

enum { PIECE = 256 };

void iso_answers_destroy(void *model_)
{
	iso_answers *m = model_;
	if (!m)
		return;
	iso_encoder_free(m->enc);
	iso_net_free(m->net);
	iso_str_free(&m->note);
	iso_free(m);
}

iso_status iso_answers_new(const iso_gen_env *env, const int64_t *hidden, iso_key key,
			   iso_answers **out, iso_error *err)
{
	iso_status st;
	iso_answers *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "a classifier");
	m->classes = iso_schema_classes(env->schema);
	ISO_TRY_OUT(iso_encoder_new(env->schema, ISO_ENC_FEATURES, &m->enc, err));
	ISO_TRY_OUT(iso_kit_net(&m->net, m->enc->dim, (iso_hidden){hidden, ISO_ACT_TANH},
				m->classes, ISO_ACT_LINEAR, err));
	if (hidden[0] > 0)
		iso_net_randomize(m->net, ISO_INIT_GLOROT, iso_key_child(key, "init", 0));
	else
		for (size_t i = 0; i < iso_net_params(m->net); i++)
			iso_net_theta(m->net)[i] = 0;
	*out = m;
	m = NULL;
out:
	iso_answers_destroy(m);
	return st;
}

static void softmax(const float *logit, size_t classes, double *prob)
{
	double top = (double)logit[0], sum = 0;
	for (size_t c = 1; c < classes; c++)
		top = fmax(top, (double)logit[c]);
	for (size_t c = 0; c < classes; c++)
		sum += prob[c] = iso_exp((double)logit[c] - top);
	for (size_t c = 0; c < classes; c++)
		prob[c] /= sum;
}

iso_status iso_answers_classify(const void *model_, const iso_table *rows, double *prob,
				iso_error *err)
{
	const iso_answers *m = model_;
	uint32_t row[PIECE];
	iso_ws *ws = NULL;
	float *x = iso_alloc(PIECE * m->enc->dim, sizeof *x);
	if (!x)
		return iso_no_memory(err, "rows to be classified");
	const iso_status st = iso_ws_new(m->net, PIECE, 0, &ws, err);
	for (size_t at = 0; st == ISO_OK && at < rows->n; at += PIECE) {
		const size_t n = rows->n - at < PIECE ? rows->n - at : PIECE;
		for (size_t i = 0; i < n; i++)
			row[i] = (uint32_t)(at + i);
		iso_encode(m->enc, rows, row, n, x, m->enc->dim);
		iso_net_forward(m->net, ws, x, m->enc->dim, n, NULL);
		for (size_t i = 0; i < n; i++)
			softmax(iso_ws_out(ws) + i * m->classes, m->classes,
				prob + (at + i) * m->classes);
	}
	iso_ws_free(ws);
	iso_free(x);
	return st;
}

iso_status iso_answers_slope(const iso_answers *m, const float *x, size_t n, size_t of,
			     double *value, float *slope, iso_error *err)
{
	const size_t dim = m->enc->dim, classes = m->classes;
	iso_ws *ws = NULL;
	double *prob = iso_alloc(classes, sizeof *prob);
	if (!prob)
		return iso_no_memory(err, "slopes of a classifier");
	const iso_status st = iso_ws_new(m->net, n ? n : 1, 0, &ws, err);
	if (st == ISO_OK && n) {
		iso_net_forward(m->net, ws, x, dim, n, NULL);
		for (size_t i = 0; i < n; i++) {
			softmax(iso_ws_out(ws) + i * classes, classes, prob);
			value[i] = iso_log(prob[of] > 1e-300 ? prob[of] : 1e-300);
			for (size_t c = 0; c < classes; c++)
				iso_ws_delta(ws)[i * classes + c] = (float)((c == of) - prob[c]);
		}
		iso_net_backward(m->net, ws, 0, slope, dim);
	}
	iso_ws_free(ws);
	iso_free(prob);
	return st;
}

iso_status iso_answers_sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const iso_answers *m = model_;
	const iso_key probe = iso_key_child(key, "probe", 0), draw = iso_key_child(key, "label", 0);
	iso_status st = ISO_OK;
	float *x = iso_alloc(m->enc->dim, sizeof *x);
	double *prob = iso_alloc(out->n * m->classes + 1, sizeof *prob);
	if (!x || !prob) {
		st = iso_no_memory(err, "probes of a classifier");
		goto out;
	}
	for (size_t i = 0; i < out->n; i++) {
		iso_probe_row(m->enc, probe, i, x);
		iso_decode(m->enc, x, m->enc->dim, 1, NULL, out, i);
	}
	ISO_TRY_OUT(iso_answers_classify(m, out, prob, err));
	for (size_t i = 0; i < out->n; i++) {
		const uint32_t y =
			iso_law_pick(prob + i * m->classes, m->classes, iso_rand_u01(draw, i, 0));
		iso_set_labels(out, i, &y, 1);
	}
out:
	iso_free(x);
	iso_free(prob);
	return st;
}

iso_status iso_answers_save(const void *model_, iso_str *out, iso_error *err)
{
	const iso_answers *m = model_;
	iso_net_parts(out, "classifier", m->net);
	if (m->note.n)
		iso_part_add(out, "messages", m->note.p, m->note.n);
	return iso_str_check(out, err);
}

static iso_status take_note(iso_parts *in, iso_answers *m, iso_error *err)
{
	char name[32];
	const void *bytes;
	size_t n;
	ISO_TRY(iso_part_next(in, name, sizeof name, &bytes, &n, err));
	iso_str_addn(&m->note, bytes, n);
	return iso_str_check(&m->note, err);
}

iso_status iso_answers_load(const iso_gen_env *env, const int64_t *hidden, const char *bytes,
			    size_t n, void **out, iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	iso_answers *m = NULL;
	ISO_TRY(iso_answers_new(env, hidden, iso_key_new(0, "load"), &m, err));
	iso_status st = iso_net_take(&in, "classifier", m->net, err);
	if (st == ISO_OK && in.p < in.end)
		st = take_note(&in, m, err);
	if (st == ISO_OK)
		*out = m;
	else
		iso_answers_destroy(m);
	return st;
}
