// SPDX-License-Identifier: Apache-2.0
/* Rows, fakes and losses of a GAN. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/nn/penalty.h"
#include "generators/kit/gan_trainer.h"

static void fakes_free(iso_fakes *k)
{
	iso_ws_free(k->ws);
	iso_free(k->in);
	iso_free(k->u);
	iso_free(k->y);
}

void iso_gan_buffers_free(iso_gan_trainer *t)
{
	iso_ws_free(t->fake);
	iso_ws_free(t->judge);
	fakes_free(&t->pub);
	fakes_free(&t->rec);
	float *const v[] = {t->x, t->fx, t->dx, t->norm, t->sum};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_free(t->y);
	iso_free(t->id);
	iso_free(t->row);
}

static iso_status fakes_init(iso_fakes *k, const iso_gan_trainer *t, size_t cap, const char *of,
			     iso_error *err)
{
	const int draws = t->m->heads.kind == ISO_HEADS_GUMBEL;
	ISO_TRY(iso_ws_new(t->m->decoder[0], cap, 0, &k->ws, err));
	k->in = iso_alloc(cap * t->m->zw, sizeof *k->in);
	k->y = iso_alloc(cap, sizeof *k->y);
	k->z = iso_key_child(t->f->key, of, 0);
	k->draw = iso_key_child(t->f->key, of, 1);
	if (draws)
		k->u = iso_alloc(cap * t->dim, sizeof *k->u);
	return k->in && k->y && (k->u || !draws) ? ISO_OK : iso_no_memory(err, "fakes of a GAN");
}

iso_status iso_gan_buffers(iso_gan_trainer *t, iso_error *err)
{
	const iso_latent_model *m = t->m;
	const size_t all = t->cap * t->per;
	const int norms = t->s->is_private && !t->slots ? ISO_WS_NORMS : 0;
	const int flags = norms | (t->per > 2 ? ISO_WS_TANGENT : 0);
	const size_t of_records = t->s->fakes == ISO_FAKES_PUBLIC ? 1 : t->chunk;
	const iso_net *const disc = t->site[0].net;
	ISO_TRY(iso_ws_new(disc, all, flags, &t->fake, err));
	ISO_TRY(iso_ws_new(disc, t->cap, 0, &t->judge, err));
	ISO_TRY(fakes_init(&t->pub, t, t->cap, "public-fake", err));
	ISO_TRY(fakes_init(&t->rec, t, of_records, "record-fake", err));
	t->x = iso_alloc(t->chunk * t->per * m->width, sizeof *t->x);
	t->fx = iso_alloc(all * m->width, sizeof *t->fx);
	t->dx = iso_alloc(all * m->width, sizeof *t->dx);
	t->norm = iso_alloc(all, sizeof *t->norm);
	t->sum = iso_alloc(iso_net_params(disc), sizeof *t->sum);
	t->y = iso_alloc(t->cap, sizeof *t->y);
	t->id = iso_alloc(t->chunk * t->per, sizeof *t->id);
	t->row = iso_alloc(t->chunk, sizeof *t->row);
	if (!t->x || !t->fx || !t->dx || !t->norm || !t->sum || !t->y || !t->id || !t->row)
		return iso_no_memory(err, "workspaces of a GAN");
	return ISO_OK;
}

/* ---- Losses ---- */

/* Cross-entropy of classes + 1 outputs (Salimans et al. 2016, section 5): real rows and G's aim are
 * the label, fakes the last output.  Every ld-th row of outputs is one of the n. */
static double class_loss(const iso_gan_trainer *t, enum iso_gan_role role, const uint32_t *y,
			 const float *out, size_t ld, size_t n, float *d)
{
	const size_t k = t->m->outputs;
	double sum = 0;
	for (size_t j = 0; j < n; j++, out += ld * k, d += ld * k) {
		const size_t aim = role == ISO_GAN_FAKE || y[j] >= k ? k - 1 : y[j];
		double top = out[0], z = 0;
		for (size_t c = 1; c < k; c++)
			top = out[c] > top ? out[c] : top;
		for (size_t c = 0; c < k; c++)
			z += iso_exp(out[c] - top);
		for (size_t c = 0; c < k; c++)
			d[c] = (float)(iso_exp(out[c] - top) / z) - (c == aim);
		sum += top + iso_log(z) - (double)out[aim];
	}
	return sum;
}

double iso_gan_loss_rows(const iso_gan_trainer *t, enum iso_gan_role role, const uint32_t *y,
			 const float *out, size_t ld, size_t n, float *d)
{
	const float sign = role == ISO_GAN_FAKE ? 1 : -1;
	double sum = 0;
	if (t->m->outputs > 1)
		return class_loss(t, role, y, out, ld, n, d);
	if (t->s->loss == ISO_GAN_BCE)
		sum = iso_loss_bce_logits(out, ld, n, role == ISO_GAN_FAKE ? 0 : 1, d, ld);
	for (size_t j = 0; j < n; j++) {
		const float l = sign * out[j * ld];
		const int hinge = t->s->loss == ISO_GAN_HINGE && role != ISO_GAN_FOOL;
		if (t->s->loss != ISO_GAN_BCE) {
			d[j * ld] = hinge && l <= -1 ? 0 : sign;
			sum += hinge ? (l > -1 ? (double)l + 1 : 0) : (double)l;
		}
		d[j * ld] /= role == ISO_GAN_FOOL ? 1 : t->unit;
	}
	return sum;
}

/* ---- Fakes ---- */

/* Rows x [n][ld] = G(k->in), the first `dim` of each. */
static void make_fakes(iso_gan_trainer *t, iso_fakes *k, size_t n, float *x, size_t ld)
{
	iso_net_forward(t->m->decoder[0], k->ws, k->in, t->m->zw, n, NULL);
	iso_heads_forward(&t->m->heads, iso_ws_out(k->ws), n, k->u, x, ld);
}

/* The label of row j beside its latent and, where D is told, its row. */
static void condition(iso_gan_trainer *t, iso_fakes *k, size_t j, uint32_t y, float *row)
{
	const iso_latent_model *m = t->m;
	k->y[j] = y;
	if (m->shape.conditional)
		iso_one_hot(y, m->conds, k->in + j * m->zw + m->shape.latent);
	if (m->width > t->dim)
		iso_one_hot(y, m->conds, row + t->dim);
}

static void draw_publicly(iso_gan_trainer *t, const uint32_t *y, size_t n, float *x, size_t ld)
{
	const iso_latent_model *m = t->m;
	const double *const law = t->at->law ? t->at->law : m->law;
	iso_fakes *const k = &t->pub;
	iso_latent_draw_z(m, k->z, t->drawn, n, k->in);
	for (size_t j = 0; j < n; j++) {
		const uint64_t at = t->drawn + j;
		if (m->shape.conditional)
			condition(t, k, j,
				  y ? y[j]
				    : iso_law_draw(law, m->conds, iso_rand_u01(t->ykey, at, 0)),
				  x + j * ld);
		if (k->u)
			iso_rand_fill_uniform(k->draw, at, 0, 1, k->u + j * t->dim, t->dim);
	}
	t->drawn += n;
	make_fakes(t, k, n, x, ld);
}

void iso_gan_public_fakes(iso_gan_trainer *t, size_t n, float *x, size_t ld)
{
	draw_publicly(t, NULL, n, x, ld);
}

void iso_gan_labelled_fakes(iso_gan_trainer *t, const uint32_t *y, size_t n, float *x, size_t ld)
{
	draw_publicly(t, y, n, x, ld);
}

/* PRIVATE (label of the record): a fake for each record. */
static void record_fakes(iso_gan_trainer *t, const uint32_t *rec, size_t n, uint64_t step, float *x,
			 size_t ld)
{
	iso_fakes *const k = &t->rec;
	const iso_key z = iso_key_child(k->z, "step", step),
		      draw = iso_key_child(k->draw, "step", step);
	for (size_t r = 0; r < n; r++) {
		const uint64_t id = t->f->train->id[rec[r]];
		iso_latent_draw_z(t->m, z, id, 1, k->in + r * t->m->zw);
		condition(t, k, r, t->rows.label[rec[r]], x + r * ld);
		if (k->u)
			iso_rand_fill_uniform(draw, id, 0, 1, k->u + r * t->dim, t->dim);
	}
	make_fakes(t, k, n, x, ld);
}

void iso_gan_real_rows(iso_gan_trainer *t, const iso_rows *from, const uint32_t *rec, size_t n,
		       float *x, size_t ld, uint32_t *y)
{
	const iso_key turn = iso_key_child(t->column, "turn", t->turn);
	iso_rows_get(from, rec, n, x, ld);
	for (size_t r = 0; r < n; r++) {
		if (t->m->width > t->dim)
			iso_one_hot(iso_latent_told(t->m, turn, from->table->id[rec[r]],
						    from->label[rec[r]], x + r * ld),
				    t->m->conds, x + r * ld + t->dim);
		if (y)
			y[r] = from->label[rec[r]];
	}
}

/* One e for all columns (Gulrajani et al. 2017, Algorithm 1). */
void iso_gan_interpolate(const iso_gan_trainer *t, float *record, float e)
{
	const size_t w = t->m->width;
	for (size_t k = 2; k < t->per; k++)
		for (size_t i = 0; i < w; i++)
			record[k * w + i] = e * record[i] + (1 - e) * record[w + i];
}

/* ---- Passes of D ---- */

void iso_gan_layer_noise(iso_gan_trainer *t, iso_ws *ws)
{
	if (t->s->noise.at)
		iso_ws_train(ws, iso_key_child(t->noise, "fakes", t->passes++), NULL);
}

void iso_gan_judge(iso_gan_trainer *t, iso_ws *ws, float *x, const uint32_t *y, size_t n)
{
	const size_t m = t->per, w = t->m->width, last = m - 1;
	iso_net *const disc = t->at->net;
	float *const d = iso_ws_delta(ws);
	iso_net_forward(disc, ws, x, w, m * n, NULL);
	iso_gan_loss_rows(t, ISO_GAN_REAL, y, iso_ws_out(ws), m, n, d);
	if (m > 1)
		iso_gan_loss_rows(t, ISO_GAN_FAKE, NULL, iso_ws_out(ws) + t->m->outputs, m, n,
				  d + t->m->outputs);
	for (size_t r = 0; r < n; r++)
		for (size_t k = 2; k < m; k++)
			d[r * m + k] = k == last;
	iso_net_backward(disc, ws, 0, m > 2 ? t->dx : NULL, w);
	if (m <= 2)
		return;
	iso_penalty(n, w, t->dx + last * w, m * w, (float)t->s->o.penalty / t->unit, 1, 0,
		    x + last * w, m * w);
	iso_net_tangent(disc, ws, m, x);
}

/* sum (+)= every fake's gradient, clipped group by group as the records' are. */
static void grouped_sum(iso_gan_trainer *t, size_t n, int beta)
{
	iso_net *const disc = t->at->net;
	float *const one = iso_net_grad(disc);
	const size_t p = iso_net_params(disc);
	if (!beta)
		memset(t->sum, 0, p * sizeof *t->sum);
	for (size_t j = 0; j < n; j++) {
		iso_net_record_grad(disc, t->fake, 1, j, one);
		if (iso_grouping_apply(t->groups, one) < INFINITY)
			for (size_t k = 0; k < p; k++)
				t->sum[k] += one[k];
	}
}

double iso_gan_fake_gradients(iso_gan_trainer *t, const iso_fakes *k, size_t n, int beta)
{
	iso_net *const disc = t->at->net;
	iso_gan_layer_noise(t, t->fake);
	iso_net_forward(disc, t->fake, t->fx, t->m->width, n, NULL);
	const double loss = iso_gan_loss_rows(t, ISO_GAN_FAKE, k->y, iso_ws_out(t->fake), 1, n,
					      iso_ws_delta(t->fake));
	iso_net_backward(disc, t->fake, 0, NULL, 0);
	if (t->groups) {
		grouped_sum(t, n, beta);
		return loss;
	}
	if (t->s->is_private) {
		const float clip = (float)t->s->o.clip;
		iso_net_grad_norms2(disc, t->fake, 1, 0, t->norm);
		for (size_t j = 0; j < n; j++) {
			const float g = sqrtf(t->norm[j]);
			t->norm[j] = g > clip ? clip / g : 1;
		}
	}
	iso_net_weight_grad(disc, t->fake, t->s->is_private ? t->norm : NULL, beta, t->sum);
	return loss;
}

static void measure(iso_gan_trainer *t, size_t n)
{
	iso_net_grad_norms2(t->at->net, t->at->real, t->per, 0, t->norm);
	for (size_t r = 0; r < n; r++)
		t->largest = fmax(t->largest, sqrt((double)t->norm[r]));
}

iso_status iso_gan_disc_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
			     iso_error *err)
{
	iso_gan_trainer *const t = ctx;
	const size_t ld = t->m->width * t->per;
	const iso_key mix = iso_key_child(t->rec.draw, "interpolate", step);
	(void)err;
	for (size_t r = 0; t->pos && r < n; r++) /* positions in a list, to rows of the table */
		t->row[r] = t->pos[rec[r]];
	rec = t->pos ? t->row : rec;
	t->turn = step;
	iso_gan_real_rows(t, &t->rows, rec, n, t->x, ld, t->y);
	if (iso_gan_paired(t))
		record_fakes(t, rec, n, step, t->x + t->m->width, ld);
	for (size_t r = 0; t->per > 2 && r < n; r++)
		iso_gan_interpolate(t, t->x + r * ld,
				    (float)iso_rand_u01(mix, t->f->train->id[rec[r]], 0));
	for (size_t r = 0; t->s->noise.at && r < n * t->per; r++)
		t->id[r] = t->f->train->id[rec[r / t->per]];
	if (t->s->noise.at)
		iso_ws_train(t->at->real, iso_key_child(t->noise, "real", step), t->id);
	iso_gan_judge(t, t->at->real, t->x, t->y, n);
	if (t->s->measures)
		measure(t, n);
	if (t->s->fakes == ISO_FAKES_SHARED) {
		record_fakes(t, rec, n, step, t->fx, t->m->width);
		iso_gan_fake_gradients(t, &t->rec, n, 1);
	}
	t->shared = n;
	return ISO_OK;
}
