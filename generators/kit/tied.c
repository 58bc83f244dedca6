// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/tied.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"

/* Rounding of a norm from fp32 factors in double precision, relative to the sum of its terms. */
#define NORM_SLACK 1e-6

typedef struct layer {
	size_t in, out, first; /* first: of its parameters */
} layer;

static layer layer_of(const iso_tied *t, size_t l)
{
	layer y = {.in = t->size[l], .out = t->size[l + 1]};
	for (size_t i = 0; i < l; i++)
		y.first += t->size[i] * t->size[i + 1] + t->size[i] + t->size[i + 1];
	return y;
}

static iso_act act_of(const iso_tied *t, size_t l)
{
	return l + 1 == t->nlayer ? ISO_ACT_SIGMOID : ISO_ACT_TANH;
}

void iso_tied_free(iso_tied *t)
{
	iso_free(t->theta);
	*t = (iso_tied){0};
}

iso_status iso_tied_new(const iso_heads *heads, const int64_t *hidden, size_t latent, iso_tied *t,
			iso_error *err)
{
	const size_t n = (size_t)hidden[0];
	*t = (iso_tied){.heads = heads, .nlayer = n + 1};
	ISO_FAIL_IF(n + 1 > ISO_TIED_LAYERS, err, ISO_E_CONFIG,
		    "hidden: %zu layers, at most %d; shorten the list", n, ISO_TIED_LAYERS - 1);
	t->size[0] = heads->enc->dim;
	for (size_t i = 0; i < n; i++)
		t->size[i + 1] = (size_t)hidden[i + 1];
	t->size[n + 1] = latent;
	const layer last = layer_of(t, n);
	t->nparam = last.first + last.in * last.out + last.in + last.out;
	t->theta = iso_alloc(t->nparam, sizeof *t->theta);
	return t->theta ? ISO_OK : iso_no_memory(err, "a tied auto-encoder");
}

/* Glorot and Bengio 2010: uniform in +- sqrt(6 / (in + out)); biases zero. */
void iso_tied_randomize(iso_tied *t, iso_key key)
{
	memset(t->theta, 0, t->nparam * sizeof *t->theta);
	for (size_t l = 0; l < t->nlayer; l++) {
		const layer y = layer_of(t, l);
		const float b = (float)sqrt(6.0 / (double)(y.in + y.out));
		iso_rand_fill_uniform(key, l, -b, b, t->theta + y.first, y.in * y.out);
	}
}

size_t iso_tied_latent(const iso_tied *t)
{
	return t->size[t->nlayer];
}

void iso_tied_ws_free(iso_tied_ws *ws)
{
	for (size_t l = 0; l <= ISO_TIED_LAYERS; l++) {
		iso_free(ws->h[l]);
		iso_free(ws->g[l]);
		iso_free(ws->a[l]);
		iso_free(ws->d[l]);
	}
	iso_free(ws->xhat);
	iso_free(ws->grad);
	*ws = (iso_tied_ws){0};
}

iso_status iso_tied_ws_new(const iso_tied *t, size_t cap, iso_tied_ws *ws, iso_error *err)
{
	int ok = 1;
	*ws = (iso_tied_ws){.t = t, .cap = cap};
	for (size_t l = 0; l <= t->nlayer; l++) {
		float **const p[] = {&ws->h[l], &ws->g[l], &ws->a[l], &ws->d[l]};
		for (size_t i = 0; i < ISO_COUNT(p); i++)
			ok = ok && (*p[i] = iso_alloc(cap * t->size[l], sizeof(float)));
	}
	ws->xhat = iso_alloc(cap * t->size[0], sizeof *ws->xhat);
	ws->grad = iso_alloc(t->nparam, sizeof *ws->grad);
	if (ok && ws->xhat && ws->grad)
		return ISO_OK;
	iso_tied_ws_free(ws);
	return iso_no_memory(err, "workspace of a tied auto-encoder");
}

const float *iso_tied_encode(iso_tied_ws *ws, const float *x, size_t n)
{
	const iso_tied *const t = ws->t;
	ws->rows = n;
	if (x != ws->h[0])
		memcpy(ws->h[0], x, n * t->size[0] * sizeof *x);
	for (size_t l = 0; l < t->nlayer; l++) {
		const layer y = layer_of(t, l);
		const float *w = t->theta + y.first;
		const iso_epilogue e = {.bias = w + y.in * y.out, .act = act_of(t, l)};
		iso_gemm(ISO_NN, n, y.out, y.in, ws->h[l], y.in, w, y.out, 0, ws->h[l + 1], y.out,
			 &e);
	}
	return ws->h[t->nlayer];
}

const float *iso_tied_decode(iso_tied_ws *ws, const float *z, size_t n)
{
	const iso_tied *const t = ws->t;
	for (size_t l = t->nlayer; l-- > 0;) {
		const layer y = layer_of(t, l);
		const float *w = t->theta + y.first;
		const iso_epilogue e = {.bias = w + y.in * y.out + y.out,
					.act = l ? ISO_ACT_TANH : iso_heads_act(t->heads)};
		iso_gemm(ISO_NT, n, y.in, y.out, l + 1 == t->nlayer ? z : ws->g[l + 1], y.out, w,
			 y.out, 0, ws->g[l], y.in, &e);
	}
	iso_heads_forward(t->heads, ws->g[0], n, NULL, ws->xhat, t->size[0]);
	return ws->xhat;
}

/* -sum x log x^ over softmax blocks, and the log loss of a Bernoulli over the others. */
static double cross_entropy(const iso_heads *h, const float *x, const float *xhat)
{
	double sum = 0;
	for (size_t b = 0; b < h->enc->nblock; b++) {
		const iso_block *k = &h->enc->block[b];
		for (size_t j = k->first; j < k->first + k->width; j++) {
			const double p = xhat[j], lo = 1e-7;
			sum -= x[j] * iso_log(p > lo ? p : lo);
			if (k->kind != ISO_BLOCK_ONEHOT)
				sum -= (1 - x[j]) * iso_log(1 - p > lo ? 1 - p : lo);
		}
	}
	return sum;
}

void iso_tied_backward(iso_tied_ws *ws, const float *x, size_t n, double *loss)
{
	const iso_tied *const t = ws->t;
	const size_t dim = t->size[0], last = t->nlayer;
	iso_tied_decode(ws, iso_tied_encode(ws, x, n), n);
	for (size_t i = 0; i < n * dim; i++)
		ws->d[0][i] = ws->xhat[i] - x[i];
	for (size_t r = 0; loss && r < n; r++)
		loss[r] = cross_entropy(t->heads, x + r * dim, ws->xhat + r * dim);
	/* down the decoder; the delta of its input, the code, is the encoder's */
	for (size_t l = 0; l < last; l++) {
		const layer y = layer_of(t, l);
		const int code = l + 1 == last;
		const iso_epilogue e = {.deriv_of = code ? ws->h[last] : ws->g[l + 1],
					.deriv_ld = y.out,
					.deriv_act = act_of(t, l)};
		iso_gemm(ISO_NN, n, y.out, y.in, ws->d[l], y.in, t->theta + y.first, y.out, 0,
			 code ? ws->a[last] : ws->d[l + 1], y.out, &e);
	}
	for (size_t l = last; l-- > 1;) {
		const layer y = layer_of(t, l);
		const iso_epilogue e = {
			.deriv_of = ws->h[l], .deriv_ld = y.in, .deriv_act = ISO_ACT_TANH};
		iso_gemm(ISO_NT, n, y.in, y.out, ws->a[l + 1], y.out, t->theta + y.first, y.out, 0,
			 ws->a[l], y.in, &e);
	}
}

/* ---- Gradients ---- */

/* The four factors of layer l's gradient. */
typedef struct factors {
	float *h, *g, *a, *d;
} factors;

static factors factors_of(const iso_tied_ws *ws, size_t l)
{
	const size_t last = ws->t->nlayer;
	return (factors){.h = ws->h[l],
			 .g = l + 1 == last ? ws->h[last] : ws->g[l + 1],
			 .a = ws->a[l + 1],
			 .d = ws->d[l]};
}

static size_t tied_rows(const void *self)
{
	return ((const iso_tied_ws *)self)->rows;
}

static double dot(const float *a, const float *b, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

static void tied_norms2(void *self, size_t m, int beta, float *norm2)
{
	const iso_tied_ws *const ws = self;
	(void)m; /* one row per record */
	for (size_t r = 0; r < ws->rows; r++) {
		double sum = 0;
		for (size_t l = 0; l < ws->t->nlayer; l++) {
			const layer y = layer_of(ws->t, l);
			const factors f = factors_of(ws, l);
			const float *h = f.h + r * y.in, *g = f.g + r * y.out, *a = f.a + r * y.out,
				    *d = f.d + r * y.in;
			const double hh = dot(h, h, y.in), aa = dot(a, a, y.out),
				     dd = dot(d, d, y.in), gg = dot(g, g, y.out);
			sum += hh * aa + dd * gg + 2 * dot(h, d, y.in) * dot(a, g, y.out) + aa +
			       dd + NORM_SLACK * (hh * aa + dd * gg + aa + dd);
		}
		norm2[r] = nextafterf((float)sum, INFINITY) + (beta ? norm2[r] : 0);
	}
}

/* Rows of scale 0 hold nothing any more, the others their deltas times the scale. */
static void apply_scale(const iso_tied_ws *ws, const float *scale)
{
	for (size_t r = 0; r < ws->rows; r++)
		for (size_t l = 0; l < ws->t->nlayer; l++) {
			const layer y = layer_of(ws->t, l);
			const factors f = factors_of(ws, l);
			float *const a = f.a + r * y.out, *const d = f.d + r * y.in;
			for (size_t j = 0; j < y.out; j++)
				a[j] = scale[r] == 0 ? 0 : a[j] * scale[r];
			for (size_t j = 0; j < y.in; j++)
				d[j] = scale[r] == 0 ? 0 : d[j] * scale[r];
			if (scale[r] != 0)
				continue;
			memset(f.h + r * y.in, 0, y.in * sizeof(float));
			memset(f.g + r * y.out, 0, y.out * sizeof(float));
		}
}

static void tied_weighted_grad(void *self, const float *scale, int beta, float *grad)
{
	iso_tied_ws *const ws = self;
	if (scale)
		apply_scale(ws, scale);
	for (size_t l = 0; l < ws->t->nlayer; l++) {
		const layer y = layer_of(ws->t, l);
		const factors f = factors_of(ws, l);
		float *const w = grad + y.first, *const c = w + y.in * y.out, *const e = c + y.out;
		iso_gemm(ISO_TN, y.in, y.out, ws->rows, f.h, y.in, f.a, y.out, beta, w, y.out,
			 NULL);
		iso_gemm(ISO_TN, y.in, y.out, ws->rows, f.d, y.in, f.g, y.out, 1, w, y.out, NULL);
		iso_col_sums(ws->rows, y.out, f.a, y.out, beta, c);
		iso_col_sums(ws->rows, y.in, f.d, y.in, beta, e);
	}
}

iso_grad_source iso_tied_source(iso_tied *t, iso_tied_ws *ws)
{
	return (iso_grad_source){.self = ws,
				 .nparam = t->nparam,
				 .theta = t->theta,
				 .grad = ws->grad,
				 .rows = tied_rows,
				 .norms2 = tied_norms2,
				 .weighted_grad = tied_weighted_grad};
}
