// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/taylor.h"

#define CALIBRATE_ROWS 1024
#define CALIBRATE_PASSES 20
#define MOST_CATEGORIES 4096 /* blocks with more keep their factors at 1 */

iso_status iso_taylor_stack_new(const iso_encoder *enc, size_t code, size_t layers, double radius,
				iso_key key, iso_taylor_stack *s, iso_error *err)
{
	*s = (iso_taylor_stack){.layers = layers};
	for (size_t l = 0; l < layers; l++) {
		ISO_TRY(iso_taylor_new(l ? NULL : enc, l ? s->layer[l - 1].code : enc->dim, code,
				       radius, iso_key_child(key, "encoder", l), &s->layer[l],
				       err));
		code = (code + 1) / 2;
	}
	s->tilt = iso_alloc(enc->dim, sizeof *s->tilt);
	return s->tilt ? ISO_OK : iso_no_memory(err, "factors of categories");
}

void iso_taylor_stack_free(iso_taylor_stack *s)
{
	for (size_t l = 0; l < s->layers; l++)
		iso_taylor_free(&s->layer[l]);
	iso_free(s->tilt);
	*s = (iso_taylor_stack){0};
}

/* Inputs and codes of every layer fit in one half each. */
static size_t half(const iso_taylor_stack *s)
{
	return s->layer[0].in > s->layer[0].code ? s->layer[0].in : s->layer[0].code;
}

size_t iso_taylor_stack_work(const iso_taylor_stack *s)
{
	return 2 * half(s);
}

/* Input u of layer l for an encoded row x. */
static void input_of(const iso_taylor_stack *s, size_t l, const float *x, double *u, double *g)
{
	for (size_t j = 0; j < s->layer[0].in; j++)
		u[j] = x[j];
	for (size_t i = 0; i < l; i++) {
		iso_taylor_code(&s->layer[i], u, g);
		for (size_t k = 0; k < s->layer[i].code; k++)
			u[k] = (g[k] + 1) / 2;
	}
}

/* Noise of the entries of M: a block's is multiplier clip / w, w^2 (Laplace: w) its share. */
static double noise_of(const iso_sum_block *block, size_t n, iso_norm norm, double scale)
{
	double shares = 0;
	for (size_t b = 0; b < n; b++)
		shares += block[b].share;
	const double w = block[1].share / shares;
	return scale * block[1].clip / (norm == ISO_NORM_L2 ? sqrt(w) : w / sqrt(2));
}

static iso_status stream(const iso_taylor_stack *s, size_t l, const iso_table *t,
			 const iso_class_rows *rows, iso_sum_stream *to, iso_error *err)
{
	const iso_encoder *enc = s->layer[0].enc;
	iso_status st = ISO_OK;
	float *x = iso_alloc(enc->dim, sizeof *x);
	double *work = iso_alloc(iso_taylor_stack_work(s), sizeof *work),
	       *v = iso_alloc(iso_taylor_sums(&s->layer[l]), sizeof *v);
	if (!x || !work || !v)
		st = iso_no_memory(err, "coefficients of a row");
	for (size_t r = 0; st == ISO_OK && r < rows->n; r++) {
		iso_encode(enc, t, rows->row + r, 1, x, enc->dim);
		input_of(s, l, x, work, work + half(s));
		iso_taylor_record(&s->layer[l], work, work + half(s), v);
		st = iso_mech_sum_add(to, (uint32_t)r, v, err);
	}
	iso_free(x);
	iso_free(work);
	iso_free(v);
	return st;
}

iso_status iso_taylor_release(iso_taylor_stack *s, size_t l, const iso_fit *f, iso_entry entry,
			      iso_norm norm, const iso_class_rows *rows, iso_error *err)
{
	iso_taylor *t = &s->layer[l];
	iso_sum_block block[3];
	const size_t nblock = iso_taylor_blocks(t, norm, block);
	iso_sum_stream *to = NULL;
	ISO_TRY(iso_mech_sum_begin(f->ledger, entry, rows->id, rows->n, block, nblock, &to, err));
	const iso_status st = stream(s, l, f->train, rows, to, err);
	if (st != ISO_OK) {
		iso_mech_sum_cancel(to);
		return st;
	}
	ISO_TRY(iso_mech_sum_finish(to, t->sum, err));
	t->noise = noise_of(block, nblock, norm, f->scale);
	return iso_taylor_solve(t, err);
}

/* The decoded means u of the i-th code; g: scratch. */
static void decode_code(const iso_taylor_stack *s, iso_key key, uint64_t i, double *u, double *g)
{
	iso_taylor_draw(&s->layer[s->layers - 1], key, i, g);
	for (size_t l = s->layers; l-- > 1;) {
		iso_taylor_decode(&s->layer[l], g, u);
		for (size_t k = 0; k < s->layer[l].in; k++)
			g[k] = 2 * u[k] - 1;
	}
	iso_taylor_decode(&s->layer[0], g, u);
}

/* One pass: what each category's mean is under the factors, and the factors corrected by it. */
static void correct(iso_taylor_stack *s, const iso_block *k, const double *u)
{
	const iso_taylor *t = &s->layer[0];
	double total = 1e-12;
	for (size_t j = k->first; j < k->first + k->width; j++)
		total += t->first[j];
	for (int pass = 0; pass < CALIBRATE_PASSES; pass++) {
		double mean[MOST_CATEGORIES] = {0};
		for (size_t i = 0; i < CALIBRATE_ROWS; i++) {
			const double *p = u + i * t->in + k->first;
			double sum = 1e-12;
			for (size_t j = 0; j < k->width; j++)
				sum += p[j] * s->tilt[k->first + j];
			for (size_t j = 0; j < k->width; j++)
				mean[j] += p[j] * s->tilt[k->first + j] / sum / CALIBRATE_ROWS;
		}
		for (size_t j = 0; j < k->width; j++)
			s->tilt[k->first + j] *=
				fmin(4, fmax(0.25, (t->first[k->first + j] / total + 1e-9) /
							   (mean[j] + 1e-9)));
	}
}

iso_status iso_taylor_calibrate(iso_taylor_stack *s, iso_error *err)
{
	const iso_encoder *enc = s->layer[0].enc;
	const iso_key key = iso_key_new(0, "calibrate");
	double *u = iso_alloc(CALIBRATE_ROWS, enc->dim * sizeof *u),
	       *work = iso_alloc(iso_taylor_stack_work(s), sizeof *work);
	for (size_t j = 0; j < enc->dim; j++)
		s->tilt[j] = 1;
	for (uint64_t i = 0; u && work && i < CALIBRATE_ROWS; i++) {
		decode_code(s, key, i, work, work + half(s));
		memcpy(u + i * enc->dim, work, enc->dim * sizeof *u);
	}
	for (size_t b = 0; u && work && b < enc->nblock; b++)
		if (enc->block[b].kind == ISO_BLOCK_ONEHOT &&
		    enc->block[b].width <= MOST_CATEGORIES)
			correct(s, &enc->block[b], u);
	const iso_status st = u && work ? ISO_OK : iso_no_memory(err, "calibration of categories");
	iso_free(u);
	iso_free(work);
	return st;
}

void iso_taylor_stack_draw(const iso_taylor_stack *s, iso_key key, uint64_t i, double *work,
			   float *x)
{
	const iso_taylor *t = &s->layer[0];
	iso_stream e = iso_stream_new(iso_key_child(key, "number", i));
	decode_code(s, key, i, work, work + half(s));
	for (size_t b = 0, n = 0; b < t->enc->nblock; b++)
		if (t->enc->block[b].kind == ISO_BLOCK_NUMERIC)
			work[t->enc->block[b].first] += t->sd[n++] * iso_next_normal(&e);
	for (size_t j = 0; j < t->in; j++)
		x[j] = (float)(work[j] * s->tilt[j]);
}
