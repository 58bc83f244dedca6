// SPDX-License-Identifier: Apache-2.0
/* Networks: a list of layers run one after the other, and their workspaces.  What a layer computes
 * is in its own file (layer.h). */
#include "core/nn/net.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/act.h"
#include "core/nn/layer.h"
#include "core/nn/net_private.h"

#define MAX_WIDTH ((size_t)1 << 20)

const iso_layer_ops *const iso_layer_registry[] = {
	&iso_layer_dense,      &iso_layer_conv,	     &iso_layer_conv_transposed,
	&iso_layer_lstm,       &iso_layer_embedding, &iso_layer_group_norm,
	&iso_layer_batch_norm, &iso_layer_dropout,   &iso_layer_gaussian_noise,
	&iso_layer_heads,      &iso_layer_reshape,   &iso_layer_planes,
	&iso_layer_norm_clip,
};
const size_t iso_layer_count = ISO_COUNT(iso_layer_registry);

/* ---- networks ---- */

static iso_status add_layer(iso_net *net, const iso_layer_spec *spec, iso_shape in, iso_error *err)
{
	const size_t l = net->nlayer;
	iso_layer *const y = &net->layer[l];
	*y = (iso_layer){.ops = spec->ops,
			 .spec = *spec,
			 .in = in,
			 .nin = iso_shape_size(in),
			 .first = net->nparam,
			 .index = l,
			 .act = spec->act,
			 .slope = iso_nn_slope(spec->act, spec->slope)};
	ISO_FAIL_IF(!spec->ops, err, ISO_E_USAGE,
		    "bad network (layer %zu): it has no operations; build it by a function of "
		    "core/nn/spec.h",
		    l);
	ISO_FAIL_IF(y->nin == 0 || y->nin > MAX_WIDTH || spec->out > MAX_WIDTH, err, ISO_E_CONFIG,
		    "bad network (layer %zu, %s: %zu inputs, %zu units): want widths 1 to %zu; "
		    "change its sizes",
		    l, spec->ops->name, y->nin, spec->out, MAX_WIDTH);
	ISO_FAIL_IF((unsigned)spec->act >= ISO_ACT_COUNT || !(y->slope >= 0), err, ISO_E_CONFIG,
		    "bad network (layer %zu, %s: activation %d with slope %g): a leaky ReLU or ELU "
		    "needs a positive slope, the others take none; correct it",
		    l, spec->ops->name, (int)spec->act, (double)spec->slope);
	net->nlayer++; /* from here on deinit releases it */
	ISO_TRY(spec->ops->init(y, err));
	y->nout = iso_shape_size(y->out);
	ISO_FAIL_IF(y->nout == 0 || y->nout > MAX_WIDTH, err, ISO_E_CONFIG,
		    "bad network (layer %zu, %s: %zu outputs): want widths 1 to %zu; change its "
		    "sizes",
		    l, spec->ops->name, y->nout, MAX_WIDTH);
	net->nparam += y->nparam;
	return ISO_OK;
}

iso_status iso_net_new(const iso_layer_spec *spec, size_t n, iso_shape in, iso_net **out,
		       iso_error *err)
{
	*out = NULL;
	ISO_FAIL_IF(n == 0 || n > ISO_MAX_LAYERS, err, ISO_E_CONFIG,
		    "bad network (%zu layers): want 1 to %d; change the hidden sizes", n,
		    ISO_MAX_LAYERS);
	iso_net *net = iso_alloc(1, sizeof(*net));
	if (!net)
		return iso_no_memory(err, "a network");
	iso_status st = ISO_OK;
	net->layer = iso_alloc(n, sizeof(*net->layer));
	if (!net->layer) {
		st = iso_no_memory(err, "the network's layers");
		goto out;
	}
	for (size_t l = 0; l < n; l++)
		ISO_TRY_OUT(add_layer(net, &spec[l], l ? net->layer[l - 1].out : in, err));
	net->theta = iso_alloc(net->nparam ? net->nparam : 1, sizeof(float));
	net->grad = iso_alloc(net->nparam ? net->nparam : 1, sizeof(float));
	if (!net->theta || !net->grad) {
		st = iso_no_memory(err, "the network's parameters");
		goto out;
	}
	*out = net;
	return ISO_OK;
out:
	iso_net_free(net);
	return st;
}

iso_status iso_net_new_dense(size_t nlayer, const size_t *sizes, const iso_act *act, iso_net **out,
			     iso_error *err)
{
	iso_layer_spec spec[ISO_MAX_LAYERS];
	for (size_t l = 0; l < nlayer && l < ISO_MAX_LAYERS; l++)
		spec[l] = iso_dense(sizes[l + 1], act[l]);
	return iso_net_new(spec, nlayer, iso_flat(nlayer ? sizes[0] : 0), out, err);
}

void iso_net_free(iso_net *net)
{
	if (!net)
		return;
	for (size_t l = 0; l < net->nlayer; l++)
		if (net->layer[l].ops->deinit)
			net->layer[l].ops->deinit(&net->layer[l]);
	iso_free(net->layer);
	iso_free(net->theta);
	iso_free(net->grad);
	iso_free(net);
}

size_t iso_net_in(const iso_net *net)
{
	return net->layer[0].nin;
}

size_t iso_net_out(const iso_net *net)
{
	return net->layer[net->nlayer - 1].nout;
}

iso_shape iso_net_out_shape(const iso_net *net)
{
	return net->layer[net->nlayer - 1].out;
}

size_t iso_net_layers(const iso_net *net)
{
	return net->nlayer;
}

size_t iso_net_params(const iso_net *net)
{
	return net->nparam;
}

size_t iso_net_most_rows(const iso_net *net)
{
	size_t most = 0;
	for (size_t l = 0; l < net->nlayer; l++) {
		const size_t here = net->layer[l].most_rows;
		most = here && (!most || here < most) ? here : most;
	}
	return most;
}

float *iso_net_theta(const iso_net *net)
{
	return net->theta;
}

float *iso_net_grad(const iso_net *net)
{
	return net->grad;
}

const iso_layer *iso_net_layer(const iso_net *net, size_t l)
{
	return &net->layer[l];
}

size_t iso_net_tensors(const iso_net *net)
{
	size_t n = 0;
	for (size_t l = 0; l < net->nlayer; l++)
		n += net->layer[l].ntensor;
	return n;
}

iso_tensor iso_net_tensor(const iso_net *net, size_t i)
{
	size_t l = 0;
	while (i >= net->layer[l].ntensor)
		i -= net->layer[l++].ntensor;
	const iso_layer_tensor *const t = &net->layer[l].tensor[i];
	return (iso_tensor){t->name, l, net->layer[l].first + t->at, t->n, t->fan_in, t->fan_out};
}

static void draw(iso_init how, iso_key key, const iso_layer_tensor *t, float *w)
{
	const double in = (double)t->fan_in, out = (double)t->fan_out;
	if (how == ISO_INIT_GLOROT) {
		const float r = (float)sqrt(6 / (in + out));
		iso_rand_fill_uniform(key, 0, -r, r, w, t->n);
	} else { /* sqrt(2 / in) is also 1 / sqrt(in / 2) */
		iso_rand_fill_normal(key, 0, 0, (float)sqrt(2 / in), w, t->n);
	}
}

void iso_net_randomize(iso_net *net, iso_init how, iso_key key)
{
	for (size_t l = 0; l < net->nlayer; l++) {
		const iso_layer *const y = &net->layer[l];
		const iso_key k = iso_key_child(key, "layer", l);
		for (size_t i = 0; i < y->ntensor; i++) {
			const iso_layer_tensor *const t = &y->tensor[i];
			float *const w = net->theta + y->first + t->at;
			if (t->fan_in)
				draw(how, i ? iso_key_child(k, "tensor", i) : k, t, w);
			for (size_t j = 0; !t->fan_in && j < t->n; j++)
				w[j] = t->fill;
		}
	}
}

/* ---- workspaces ---- */

/* An array of rows x width floats; NULL for width 0.  Sets *ok to 0 when it cannot be had. */
static float *rows_of(size_t cap, size_t width, int *ok)
{
	if (width == 0)
		return NULL;
	float *const v = iso_alloc(cap <= SIZE_MAX / width ? cap * width : SIZE_MAX, sizeof(float));
	*ok = *ok && v;
	return v;
}

iso_status iso_ws_new(const iso_net *net, size_t cap, int flags, iso_ws **out, iso_error *err)
{
	const int norms = (flags & ISO_WS_NORMS) != 0, tangent = (flags & ISO_WS_TANGENT) != 0;
	*out = NULL;
	for (size_t l = 0; norms && l < net->nlayer; l++)
		ISO_FAIL_IF(net->layer[l].ops->couples_rows, err, ISO_E_UNSUPPORTED,
			    "%s (layer %zu) mixes the rows of a batch, so no record has a gradient "
			    "of its own to clip; use layer, group or instance normalisation under "
			    "differential privacy",
			    net->layer[l].ops->name, l);
	iso_ws *ws = iso_alloc(1, sizeof(*ws));
	if (!ws)
		return iso_no_memory(err, "a network's workspace");
	*ws = (iso_ws){.net = net, .cap = cap, .norms = norms, .nlayer = net->nlayer};
	ws->pass = iso_alloc(net->nlayer, sizeof(*ws->pass));
	int ok = ws->pass != NULL;
	size_t scratch = 0, widest = iso_net_out(net);
	for (size_t l = 0; ok && l < net->nlayer; l++) {
		const iso_layer *const y = &net->layer[l];
		iso_pass *const p = &ws->pass[l];
		*p = (iso_pass){.m = 1, .norms = norms, .keep_ld = y->keep, .cap = cap};
		p->h = rows_of(cap, y->nout, &ok);
		p->d = rows_of(cap, y->nout, &ok);
		p->keep = rows_of(cap, y->keep, &ok);
		p->a2 = rows_of(cap, norms && y->wants_input_norms, &ok);
		p->d2 = rows_of(cap, norms && y->wants_delta_norms, &ok);
		ws->tangent[l] = rows_of(cap, tangent ? y->nout : 0, &ok);
		scratch = y->scratch > scratch ? y->scratch : scratch;
		widest = y->nin > widest ? y->nin : widest;
	}
	for (int i = 0; i < 2; i++)
		ws->swap[i] = rows_of(cap, tangent ? widest : 0, &ok);
	ws->scratch = rows_of(1, scratch, &ok);
	if (!ok) {
		iso_ws_free(ws);
		return iso_no_memory(err, "a network's workspace");
	}
	for (size_t l = 0; l < net->nlayer; l++)
		ws->pass[l].scratch = ws->scratch;
	*out = ws;
	return ISO_OK;
}

void iso_ws_free(iso_ws *ws)
{
	if (!ws)
		return;
	for (size_t l = 0; ws->pass && l < ws->nlayer; l++) {
		iso_free(ws->pass[l].h);
		iso_free(ws->pass[l].d);
		iso_free(ws->pass[l].keep);
		iso_free(ws->pass[l].a2);
		iso_free(ws->pass[l].d2);
	}
	for (size_t l = 0; l < ISO_MAX_LAYERS; l++)
		iso_free(ws->tangent[l]);
	iso_free(ws->swap[0]);
	iso_free(ws->swap[1]);
	iso_free(ws->pass);
	iso_free(ws->scratch);
	iso_free(ws);
}

size_t iso_ws_cap(const iso_ws *ws)
{
	return ws->cap;
}

size_t iso_ws_rows(const iso_ws *ws)
{
	return ws->rows;
}

int iso_ws_norms(const iso_ws *ws)
{
	return ws->norms;
}

const iso_net *iso_ws_net(const iso_ws *ws)
{
	return ws->net;
}

float *iso_ws_out(const iso_ws *ws)
{
	return ws->pass[ws->nlayer - 1].h;
}

float *iso_ws_delta(const iso_ws *ws)
{
	return ws->pass[ws->nlayer - 1].d;
}

const iso_pass *iso_ws_pass(const iso_ws *ws, size_t l)
{
	return &ws->pass[l];
}

void iso_ws_train(iso_ws *ws, iso_key key, const uint64_t *id)
{
	for (size_t l = 0; l < ws->nlayer; l++) {
		ws->pass[l].training = 1;
		ws->pass[l].key = key;
		ws->pass[l].id = id;
	}
}

void iso_ws_infer(iso_ws *ws)
{
	for (size_t l = 0; l < ws->nlayer; l++) {
		ws->pass[l].training = 0;
		ws->pass[l].id = NULL;
	}
}

/* ---- what layers share ---- */

void iso_layer_finish(const iso_layer *y, const iso_pass *p, float *out2)
{
	if (y->act != ISO_ACT_LINEAR)
		iso_nn_act_apply(y->act, y->slope, p->rows * y->nout, p->h);
	if (out2)
		iso_row_norms2(p->rows, y->nout, p->h, y->nout, 0, out2);
}

iso_key iso_pass_key(const iso_layer *y, const iso_pass *p, const char *what)
{
	return iso_key_child(p->key, what, y->index);
}

uint64_t iso_pass_id(const iso_pass *p, size_t row)
{
	return p->id ? p->id[row] : row;
}

/* ---- passes ---- */

void iso_net_forward(const iso_net *net, iso_ws *ws, const float *x, size_t x_ld, size_t rows,
		     const float *x_norm2)
{
	ws->rows = rows;
	for (size_t l = 0; l < net->nlayer; l++) {
		iso_pass *const p = &ws->pass[l];
		p->rows = rows;
		p->x = l ? ws->pass[l - 1].h : x;
		p->x_ld = l ? net->layer[l].nin : x_ld;
		p->m = 1;
		p->nobias = 0;
		net->layer[l].ops->forward(&net->layer[l], p, net->theta + net->layer[l].first,
					   l + 1 < net->nlayer ? ws->pass[l + 1].a2 : NULL);
	}
	float *const a2 = ws->pass[0].a2; /* after the product, which brings x near */
	if (a2 && x_norm2 && rows)
		memcpy(a2, x_norm2, rows * sizeof(float));
	else if (a2)
		iso_row_norms2(rows, net->layer[0].nin, x, x_ld, 0, a2);
}

/* dLoss/dh of layer l becomes its delta, when the layer above did not do it. */
static void through_activation(const iso_net *net, iso_ws *ws, size_t l)
{
	const iso_layer *const y = &net->layer[l];
	const iso_pass *const p = &ws->pass[l];
	if (y->act != ISO_ACT_LINEAR)
		iso_nn_act_backward(y->act, y->slope, ws->rows * y->nout, p->h, p->d);
}

static void delta_norms(const iso_net *net, iso_ws *ws, size_t l)
{
	const iso_pass *const p = &ws->pass[l];
	const size_t nout = net->layer[l].nout;
	if (p->d2)
		iso_row_norms2(ws->rows, nout, p->d, nout, 0, p->d2);
}

/* The delta of layer l-1 from that of layer l, fused where both can. */
static void step_down(const iso_net *net, iso_ws *ws, size_t l)
{
	const iso_layer *const y = &net->layer[l], *const below = y - 1;
	const iso_pass *const p = &ws->pass[l - 1];
	const float *const theta = net->theta + y->first;
	if (!y->ops->fuses || !iso_nn_act_fused(below->act, below->slope)) {
		y->ops->backward(y, &ws->pass[l], theta, p->d, y->nin, NULL);
		through_activation(net, ws, l - 1);
		delta_norms(net, ws, l - 1);
		return;
	}
	iso_epilogue e = {.deriv_of = p->h, .deriv_ld = below->nout, .deriv_act = below->act};
	if (p->d2 && ws->rows) {
		e.row_norm2 = p->d2;
		memset(p->d2, 0, ws->rows * sizeof(float));
	}
	y->ops->backward(y, &ws->pass[l], theta, p->d, y->nin, &e);
}

void iso_net_backward(const iso_net *net, iso_ws *ws, int through_act, float *dx, size_t dx_ld)
{
	const size_t last = net->nlayer - 1;
	if (through_act)
		through_activation(net, ws, last);
	delta_norms(net, ws, last);
	for (size_t l = last; l > 0; l--)
		step_down(net, ws, l);
	net->layer[0].ops->backward(&net->layer[0], &ws->pass[0], net->theta, dx, dx_ld, NULL);
}

static void add_rows(const iso_net *net, iso_ws *ws, const float *scale, size_t from, size_t to,
		     int beta, float *grad)
{
	for (size_t l = 0; l < net->nlayer; l++) {
		const iso_layer *const y = &net->layer[l];
		if (y->nparam)
			y->ops->weighted_grad(y, &ws->pass[l], scale, from, to, beta,
					      grad + y->first);
	}
}

/* A row with scale 0 is left out of the products altogether: 0 times an infinite or NaN activation
 * would be NaN.  The chains over rows (gemm.h) go on through grad, so the result is the same as if
 * the row had never been there. */
void iso_net_weight_grad(const iso_net *net, iso_ws *ws, const float *scale, int beta, float *grad)
{
	const size_t rows = ws->rows;
	if (!scale) {
		add_rows(net, ws, NULL, 0, rows, beta, grad);
		return;
	}
	size_t from = 0;
	while (from < rows) {
		size_t to = from;
		while (to < rows && scale[to] != 0)
			to++;
		if (to > from) {
			add_rows(net, ws, scale, from, to, beta, grad);
			beta = 1;
		}
		from = to + 1;
	}
	if (!beta)
		memset(grad, 0, net->nparam * sizeof(float));
}

void iso_net_record_grad(const iso_net *net, iso_ws *ws, size_t m, size_t r, float *grad)
{
	add_rows(net, ws, NULL, r * m, r * m + m, 0, grad);
}

void iso_net_grad_norms2(const iso_net *net, const iso_ws *ws, size_t m, int beta, float *norm2)
{
	enum { BLOCK = 64 };
	const size_t records = m ? ws->rows / m : 0;
	for (size_t first = 0; first < records; first += BLOCK) {
		const size_t n = records - first < BLOCK ? records - first : BLOCK;
		double total[BLOCK];
		for (size_t k = 0; k < n; k++)
			total[k] = beta ? norm2[first + k] : 0;
		for (size_t l = 0; l < net->nlayer; l++) {
			const iso_layer *const y = &net->layer[l];
			iso_pass p = ws->pass[l]; /* m is that of the tangent rows, if there are */
			p.m = m;
			if (y->nparam)
				y->ops->norms2(y, &p, first, n, total);
		}
		for (size_t k = 0; k < n; k++)
			norm2[first + k] = (float)(total[k] * (1 + 0x1p-22));
	}
}

void iso_net_clip_weights(iso_net *net, float bound)
{
	for (size_t i = 0; i < net->nparam; i++) {
		const float w = net->theta[i];
		net->theta[i] = w > bound ? bound : w < -bound ? -bound : w == w ? w : 0;
	}
}
