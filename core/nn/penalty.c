// SPDX-License-Identifier: Apache-2.0
#include "core/nn/penalty.h"

#include <math.h>
#include <string.h>

#include "core/nn/act.h"
#include "core/nn/net_private.h"

static int smooth(const iso_net *net)
{
	for (size_t l = 0; l < net->nlayer; l++)
		if (iso_nn_act_smooth(net->layer[l].act))
			return 1;
	return 0;
}

iso_status iso_penalty_rows(const iso_net *net, size_t *rows, iso_error *err)
{
	for (size_t l = 0; l < net->nlayer; l++)
		ISO_FAIL_IF(!net->layer[l].ops->tangent, err, ISO_E_UNSUPPORTED,
			    "no gradient penalty through %s (layer %zu): build the critic of "
			    "dense, convolution, dropout and activation layers",
			    net->layer[l].ops->name, l);
	ISO_FAIL_IF(net->layer[net->nlayer - 1].act != ISO_ACT_LINEAR, err, ISO_E_UNSUPPORTED,
		    "no gradient penalty for a critic whose last activation is not linear; use "
		    "ISO_ACT_LINEAR");
	*rows = smooth(net) ? 2 : 1;
	return ISO_OK;
}

double iso_penalty(size_t n, size_t width, const float *g, size_t g_ld, float lambda, float target,
		   int one_sided, float *v, size_t v_ld)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double norm2 = 0;
		for (size_t j = 0; j < width; j++)
			norm2 += (double)g[i * g_ld + j] * g[i * g_ld + j];
		const double norm = sqrt(norm2);
		double off = norm - target;
		if (one_sided && off < 0)
			off = 0;
		const float f = norm > 0 ? (float)(2 * lambda * off / norm) : norm == 0 ? 0 : NAN;
		sum += lambda * off * off;
		for (size_t j = 0; j < width; j++)
			v[i * v_ld + j] = f * g[i * g_ld + j];
	}
	return sum;
}

/* norm2[r m + j] of rows v + r ld. */
static void norms_of(size_t n, size_t width, const float *v, size_t ld, size_t m, size_t j,
		     float *norm2)
{
	for (size_t r = 0; norm2 && r < n; r++)
		iso_row_norms2(1, width, v + r * ld, ld, 0, norm2 + r * m + j);
}

/* adot = act'(h) sdot in place of h, in row j of every record. */
static void through_activation(const iso_layer *y, const iso_pass *p, size_t n, size_t m, size_t j,
			       const float *sdot, float *room)
{
	for (size_t r = 0; r < n; r++) {
		float *const h = p->h + (r * m + j) * y->nout;
		memcpy(room, sdot + r * y->nout, y->nout * sizeof(float));
		iso_nn_act_backward(y->act, y->slope, y->nout, h, room);
		memcpy(h, room, y->nout * sizeof(float));
	}
}

/* f of the layer below from q = f W^T: the second half of the formula in penalty.h.  act'' times
 * delta_{l+1} W^T is (act''/act') times delta_l. */
static void bend(const iso_layer *y, const iso_pass *p, size_t n, size_t m, const float *sdot,
		 float *q)
{
	for (size_t r = 0; r < n; r++) {
		const float *const h = p->h + (r * m + m - 2) * y->nout;
		const float *const d = p->d + (r * m + m - 1) * y->nout;
		float *const f = q + r * y->nout;
		iso_nn_act_backward(y->act, y->slope, y->nout, h, f);
		for (size_t i = 0; i < y->nout; i++)
			f[i] += iso_nn_act_curvature(y->act, y->slope, h[i]) *
				(sdot[r * y->nout + i] * d[i]);
	}
}

static void store_curvature(const iso_layer *y, const iso_pass *p, size_t n, size_t m,
			    const float *f)
{
	for (size_t r = 0; r < n; r++)
		memcpy(p->d + (r * m + m - 2) * y->nout, f + r * y->nout, y->nout * sizeof(float));
	norms_of(n, y->nout, f, y->nout, m, m - 2, p->d2);
}

static void curvature(const iso_net *net, iso_ws *ws, size_t n, size_t m)
{
	const size_t last = net->nlayer - 1;
	float *f = ws->swap[0], *q = ws->swap[1];
	memset(f, 0, n * net->layer[last].nout * sizeof(float));
	store_curvature(&net->layer[last], &ws->pass[last], n, m, f);
	for (size_t l = last; l > 0; l--) {
		const iso_layer *const y = &net->layer[l];
		iso_pass p = ws->pass[l];
		p.rows = n;
		p.d = f;
		if (p.keep)
			p.keep += (m - 2) * p.keep_ld;
		p.keep_ld *= m;
		y->ops->backward(y, &p, net->theta + y->first, q, y->nin, NULL);
		bend(y - 1, &ws->pass[l - 1], n, m, ws->tangent[l - 1], q);
		store_curvature(y - 1, &ws->pass[l - 1], n, m, q);
		float *const swap = f;
		f = q;
		q = swap;
	}
}

void iso_net_tangent(const iso_net *net, iso_ws *ws, size_t m, const float *x)
{
	const size_t n = ws->rows / m, j = m - 1;
	for (size_t l = 0; l < net->nlayer; l++) {
		const iso_layer *const y = &net->layer[l];
		iso_pass *const p = &ws->pass[l];
		const size_t ld = m * p->x_ld;
		const float *const xdot = (l ? p->x : x) + j * p->x_ld;
		norms_of(n, y->nin, xdot, ld, m, j, p->a2);
		y->ops->tangent(y, p, net->theta + y->first, n, xdot, ld, j, m, ws->tangent[l]);
		through_activation(y, p, n, m, j, ws->tangent[l], ws->swap[0]);
		p->m = m;
		p->nobias = 1;
	}
	if (smooth(net))
		curvature(net, ws, n, m);
}
