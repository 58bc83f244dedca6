// SPDX-License-Identifier: Apache-2.0
#include "core/learn/mlp_classifier.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

#define CHUNK 256 /* rows of a prediction or of a pass for the moments */

iso_mlp_config iso_mlp_default(void)
{
	return (iso_mlp_config){.hidden = 100,
				.epochs = 30,
				.batch = 200,
				.rate = 1e-3,
				.alpha = 1e-4,
				.key = iso_key_new(0, "mlp")};
}

/* Two passes over the source; sd with ddof 0, 1 for a constant column. */
static iso_status moments(const iso_source *s, iso_mlp *m, iso_error *err)
{
	double *sum = iso_alloc(2 * s->d, sizeof(*sum)), *sq = sum ? sum + s->d : NULL;
	float *x = iso_alloc(CHUNK * s->d, sizeof(*x));
	m->shift = iso_alloc(s->d, sizeof(float));
	m->scale = iso_alloc(s->d, sizeof(float));
	const int ok = sum && x && m->shift && m->scale;
	for (int pass = 0; ok && pass < 2; pass++) {
		for (size_t i = 0; i < s->n; i += CHUNK) {
			const size_t rows = s->n - i < CHUNK ? s->n - i : CHUNK;
			iso_source_get(s, NULL, i, rows, x, s->d);
			for (size_t r = 0; r < rows; r++)
				for (size_t j = 0; j < s->d; j++) {
					const double v = (double)x[r * s->d + j];
					if (pass)
						sq[j] += (v - sum[j]) * (v - sum[j]);
					else
						sum[j] += v;
				}
		}
		for (size_t j = 0; !pass && j < s->d; j++)
			sum[j] /= (double)s->n;
	}
	for (size_t j = 0; ok && j < s->d; j++) {
		const double var = sq[j] / (double)s->n;
		m->shift[j] = (float)sum[j];
		m->scale[j] = var > 1e-14 * sum[j] * sum[j] && var > 1e-30 ? (float)(1 / sqrt(var))
									   : 1.0f;
	}
	iso_free(sum);
	iso_free(x);
	return ok ? ISO_OK : iso_no_memory(err, "the moments of the features");
}

static void get_rows(const iso_mlp *m, const iso_source *s, const uint32_t *pos, size_t first,
		     size_t n, float *x)
{
	iso_source_get(s, pos, first, n, x, s->d);
	for (size_t i = 0; m->shift && i < n; i++)
		for (size_t j = 0; j < s->d; j++)
			x[i * s->d + j] = (x[i * s->d + j] - m->shift[j]) * m->scale[j];
}

/* In place: logits to probabilities of the output units. */
static void activate(const iso_mlp *m, float *z, size_t n, size_t units)
{
	if (m->classes == 2) {
		iso_vsigmoid(n * units, z, z);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		float *zi = z + i * units, top = zi[0], sum = 0;
		for (size_t k = 1; k < units; k++)
			top = zi[k] > top ? zi[k] : top;
		for (size_t k = 0; k < units; k++)
			zi[k] -= top;
		iso_vexp(units, zi, zi);
		for (size_t k = 0; k < units; k++)
			sum += zi[k];
		for (size_t k = 0; k < units; k++)
			zi[k] /= sum;
	}
}

/* Deltas p - target in p's place; returns the summed cross-entropy. */
static double deltas(const iso_mlp *m, float *p, const uint32_t *y, const uint32_t *pos, size_t n,
		     size_t units)
{
	double loss = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < units; k++) {
			const uint32_t c = y[pos[i]];
			const int hit = m->classes == 2 ? c == 1 : c == k;
			const double q = (double)p[i * units + k];
			if (hit || m->classes == 2)
				loss -= iso_log(fmax(hit ? q : 1 - q, 1e-10));
			p[i * units + k] -= hit ? 1.0f : 0.0f;
		}
	return loss;
}

/* Uniform in +- sqrt(6 / (in + out)), biases too, as scikit-learn draws them (Glorot & Bengio
 * 2010). */
static void draw_weights(iso_net *net, iso_key key)
{
	float r = 0;
	for (size_t i = 0, n = iso_net_tensors(net); i < n; i++) {
		const iso_tensor t = iso_net_tensor(net, i);
		if (t.fan_in) /* a bias follows its weights and takes their range */
			r = (float)sqrt(6.0 / (double)(t.fan_in + t.fan_out));
		iso_rand_fill_uniform(iso_key_child(key, t.fan_in ? "weights" : "biases", t.layer),
				      0, -r, r, iso_net_theta(net) + t.first, t.n);
	}
}

typedef struct trainer {
	iso_ws *ws; /* owned */
	iso_optim opt;
	float *x;	 /* [batch][d] */
	uint32_t *order; /* [n] */
} trainer;

static double batch_step(const iso_mlp_config *c, const iso_source *s, const uint32_t *y,
			 iso_mlp *m, trainer *t, const uint32_t *pos, size_t n)
{
	float *const theta = iso_net_theta(m->net), *const grad = iso_net_grad(m->net);
	const size_t units = iso_net_out(m->net);
	get_rows(m, s, pos, 0, n, t->x);
	iso_net_forward(m->net, t->ws, t->x, s->d, n, NULL);
	float *d = iso_ws_delta(t->ws);
	memcpy(d, iso_ws_out(t->ws), n * units * sizeof(float));
	activate(m, d, n, units);
	const double loss = deltas(m, d, y, pos, n, units);
	iso_net_backward(m->net, t->ws, 0, NULL, 0);
	iso_net_weight_grad(m->net, t->ws, NULL, 0, grad);
	for (size_t i = 0, tensors = iso_net_tensors(m->net); i < tensors; i++) {
		const iso_tensor w = iso_net_tensor(m->net, i);
		for (size_t e = w.first; w.fan_in && e < w.first + w.n; e++)
			grad[e] += (float)c->alpha * theta[e];
	}
	iso_optim_step(&t->opt, theta, grad, 1.0f / (float)n);
	return loss;
}

static iso_status train(const iso_mlp_config *c, const iso_source *s, const uint32_t *y, iso_mlp *m,
			iso_error *err)
{
	const size_t batch = c->batch < s->n ? c->batch : s->n;
	const size_t sizes[] = {s->d, c->hidden, m->classes == 2 ? 1 : m->classes};
	const iso_act act[] = {ISO_ACT_RELU, ISO_ACT_LINEAR};
	trainer t = {0};
	iso_status st;
	ISO_TRY_OUT(iso_net_new_dense(2, sizes, act, &m->net, err));
	ISO_TRY_OUT(iso_ws_new(m->net, batch, 0, &t.ws, err));
	ISO_TRY_OUT(iso_optim_init(&t.opt, ISO_ADAM, (float)c->rate, iso_net_params(m->net), err));
	t.x = iso_alloc(batch * s->d, sizeof(float));
	t.order = iso_alloc(s->n, sizeof(uint32_t));
	if (!t.x || !t.order) {
		st = iso_no_memory(err, "a batch of a classifier");
		goto out;
	}
	draw_weights(m->net, c->key);
	for (size_t i = 0; i < s->n; i++)
		t.order[i] = (uint32_t)i;
	iso_stream shuffle = iso_stream_new(iso_key_child(c->key, "order", 0));
	for (size_t e = 0; e < c->epochs; e++) {
		iso_shuffle(&shuffle, t.order, s->n);
		double loss = 0;
		for (size_t i = 0; i < s->n; i += batch)
			loss += batch_step(c, s, y, m, &t, t.order + i,
					   s->n - i < batch ? s->n - i : batch);
		m->loss = loss / (double)s->n;
	}
	for (size_t e = 0; e < iso_net_params(m->net); e++)
		if (!isfinite(iso_net_theta(
			    m->net)[e])) { /* the loss may hide it: a ReLU turns NaN into 0 */
			st = iso_fail(err, ISO_E_NUMERIC,
				      "MLP classifier: a weight is not finite; lower the learning "
				      "rate or check "
				      "the features");
			goto out;
		}
out:
	iso_ws_free(t.ws);
	iso_optim_deinit(&t.opt);
	iso_free(t.x);
	iso_free(t.order);
	return st;
}

iso_status iso_mlp_fit(const iso_mlp_config *c, const iso_source *s, const uint32_t *y,
		       size_t classes, iso_mlp *out, iso_error *err)
{
	ISO_FAIL_IF(!s->n || classes < 1, err, ISO_E_DATA, "MLP classifier without training rows");
	iso_mlp m = {.d = s->d, .classes = classes, .only = (int)y[0]};
	for (size_t i = 0; i < s->n; i++) {
		ISO_FAIL_IF(y[i] >= classes, err, ISO_E_DATA,
			    "label %u of training row %zu is not below %zu classes", y[i], i,
			    classes);
		if (y[i] != y[0])
			m.only = -1;
	}
	iso_status st = ISO_OK;
	if (m.only < 0 && c->standardise)
		ISO_TRY_OUT(moments(s, &m, err));
	if (m.only < 0)
		ISO_TRY_OUT(train(c, s, y, &m, err));
	*out = m;
	return ISO_OK;
out:
	iso_mlp_free(&m);
	return st;
}

void iso_mlp_free(iso_mlp *m)
{
	iso_net_free(m->net);
	iso_free(m->shift);
	iso_free(m->scale);
	*m = (iso_mlp){0};
}

iso_status iso_mlp_predict(const iso_mlp *m, const iso_source *s, double *prob, iso_error *err)
{
	memset(prob, 0, s->n * m->classes * sizeof(*prob));
	for (size_t i = 0; m->only >= 0 && i < s->n; i++)
		prob[i * m->classes + (size_t)m->only] = 1;
	if (m->only >= 0)
		return ISO_OK;
	ISO_FAIL_IF(s->d != m->d, err, ISO_E_USAGE, "MLP of %zu columns asked about rows of %zu",
		    m->d, s->d);
	iso_ws *ws;
	ISO_TRY(iso_ws_new(m->net, CHUNK, 0, &ws, err));
	float *x = iso_alloc(CHUNK * s->d, sizeof(*x));
	if (!x) {
		iso_ws_free(ws);
		return iso_no_memory(err, "predictions");
	}
	const size_t units = iso_net_out(m->net);
	for (size_t i = 0; i < s->n; i += CHUNK) {
		const size_t n = s->n - i < CHUNK ? s->n - i : CHUNK;
		get_rows(m, s, NULL, i, n, x);
		iso_net_forward(m->net, ws, x, s->d, n, NULL);
		float *p = iso_ws_out(ws);
		activate(m, p, n, units);
		for (size_t r = 0; r < n; r++)
			for (size_t k = 0; k < m->classes; k++) {
				double *to = prob + (i + r) * m->classes + k;
				if (m->classes == 2)
					*to = k ? (double)p[r] : 1 - (double)p[r];
				else
					*to = (double)p[r * units + k];
			}
	}
	iso_free(x);
	iso_ws_free(ws);
	return ISO_OK;
}
