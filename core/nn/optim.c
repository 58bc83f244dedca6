// SPDX-License-Identifier: Apache-2.0
/* Optimisers.  With g = scale * grad, each followed by theta <- theta (1 - lr decay) - update:
 *
 *     SGD       update = lr g
 *     momentum  m = beta1 m + g;  update = lr m                                (Polyak 1964, heavy
 * ball) RMSProp   v = beta2 v + (1 - beta2) g^2;  update = lr g / (sqrt v + eps) (Tieleman and
 * Hinton 2012) Adam      Kingma and Ba 2015, algorithm 1, in the form of its section 2: with a =
 * sqrt(1 - beta2^t), update = (lr a / (1 - beta1^t)) m / (sqrt v + a eps), which is the algorithm's
 * own update exactly
 *
 * decay is decoupled (Loshchilov and Hutter 2019). */
#include <math.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "core/nn/loops.h"
#include "core/nn/optim.h"

iso_status iso_optim_init(iso_optim *o, iso_opt_rule rule, float lr, size_t n, iso_error *err)
{
	*o = (iso_optim){
		.rule = rule, .lr = lr, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .n = n};
	ISO_FAIL_IF((unsigned)rule > ISO_ADAM || !(lr >= 0 && lr < INFINITY), err, ISO_E_CONFIG,
		    "bad optimiser (rule %d, learning rate %g): want a known rule and a finite "
		    "rate >= 0; correct it",
		    (int)rule, (double)lr);
	if (rule == ISO_RMSPROP)
		o->beta2 = 0.99f;
	const int needs_m = rule == ISO_MOMENTUM || rule == ISO_ADAM;
	const int needs_v = rule == ISO_RMSPROP || rule == ISO_ADAM;
	o->m = needs_m ? iso_alloc(n, sizeof(float)) : NULL;
	o->v = needs_v ? iso_alloc(n, sizeof(float)) : NULL;
	if ((needs_m && !o->m) || (needs_v && !o->v)) {
		iso_optim_deinit(o);
		return iso_no_memory(err, "the optimiser's state");
	}
	return ISO_OK;
}

void iso_optim_deinit(iso_optim *o)
{
	iso_free(o->m);
	iso_free(o->v);
	*o = (iso_optim){0};
}

void iso_optim_begin(iso_optim *o)
{
	o->step++;
}

static iso_step_constants constants(const iso_optim *o, float scale)
{
	iso_step_constants c = {
		.scale = scale,
		.lr = o->lr,
		.shrink = 1.0f - o->lr * o->decay,
		.beta1 = o->beta1,
		.keep1 = 1.0f - o->beta1,
		.beta2 = o->beta2,
		.keep2 = 1.0f - o->beta2,
		.eps = o->eps,
	};
	if (o->rule == ISO_ADAM) {
		const double t = (double)o->step, a = sqrt(1 - iso_pow(o->beta2, t));
		c.lr = (float)(o->lr * a / (1 - iso_pow(o->beta1, t)));
		c.eps = (float)(o->eps * a);
	}
	return c;
}

void iso_optim_piece(iso_optim *o, float *theta, const float *grad, float scale, size_t first,
		     size_t n)
{
	const iso_nn_loops *const loops = iso_nn_loops_now();
	const iso_step_constants c = constants(o, scale);
	theta += first;
	grad += first;
	switch (o->rule) {
	case ISO_SGD:
		loops->sgd(&c, n, grad, theta);
		break;
	case ISO_MOMENTUM:
		loops->momentum(&c, n, grad, o->m + first, theta);
		break;
	case ISO_RMSPROP:
		loops->rmsprop(&c, n, grad, o->v + first, theta);
		break;
	case ISO_ADAM:
		loops->adam(&c, n, grad, o->m + first, o->v + first, theta);
		break;
	}
}

void iso_optim_step(iso_optim *o, float *theta, const float *grad, float scale)
{
	iso_optim_begin(o);
	iso_optim_piece(o, theta, grad, scale, 0, o->n);
}
