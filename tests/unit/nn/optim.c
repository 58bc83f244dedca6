// SPDX-License-Identifier: Apache-2.0
/* Optimisers against their textbook form in double; pieces and instruction sets against one
 * another, bit for bit. */
#include <string.h>

#include "core/nn/net.h"
#include "tests/support/testkit.h"

enum { P = 1003, STEPS = 50 };

static const struct rule {
	iso_opt_rule rule;
	const char *name;
	float decay;
} rules[] = {{ISO_SGD, "sgd", 0},
	     {ISO_MOMENTUM, "momentum", 0},
	     {ISO_RMSPROP, "rmsprop", 0},
	     {ISO_ADAM, "adam", 0},
	     {ISO_SGD, "sgd, decay", 0.1f},
	     {ISO_ADAM, "adam, decay", 0.1f},
	     {ISO_RMSPROP, "rmsprop, decay", 0.1f},
	     {ISO_MOMENTUM, "momentum, decay", 0.1f}};

static void start(float *theta, float *grad, uint64_t t)
{
	if (theta)
		iso_rand_fill_normal(iso_key_new(1, "theta"), 0, 0, 1, theta, P);
	if (grad)
		iso_rand_fill_normal(iso_key_new(1, "grad"), t, 0.3f, 2, grad, P);
}

/* The papers' own formulas. */
static void reference(iso_opt_rule rule, double lr, double b1, double b2, double eps, double decay,
		      double t, double g, double *theta, double *m, double *v)
{
	double update = g;
	if (rule == ISO_MOMENTUM) {
		*m = b1 * *m + g;
		update = *m;
	} else if (rule == ISO_RMSPROP) {
		*v = b2 * *v + (1 - b2) * g * g;
		update = g / (sqrt(*v) + eps);
	} else if (rule == ISO_ADAM) {
		*m = b1 * *m + (1 - b1) * g;
		*v = b2 * *v + (1 - b2) * g * g;
		update = *m / (1 - pow(b1, t)) / (sqrt(*v / (1 - pow(b2, t))) + eps);
	}
	*theta = *theta - lr * decay * *theta - lr * update;
}

START_TEST(test_against_double)
{
	const struct rule *const r = &rules[_i];
	iso_error err = {0};
	static float theta[P], grad[P];
	static double theta64[P], m[P], v[P];
	iso_optim o;
	tk_ok(iso_optim_init(&o, r->rule, 0.01f, P, &err));
	o.decay = r->decay;
	memset(m, 0, sizeof(m));
	memset(v, 0, sizeof(v));
	start(theta, NULL, 0);
	for (size_t p = 0; p < P; p++)
		theta64[p] = theta[p];
	for (uint64_t t = 1; t <= STEPS; t++) {
		start(NULL, grad, t);
		iso_optim_step(&o, theta, grad, 0.25f);
		for (size_t p = 0; p < P; p++)
			reference(r->rule, o.lr, o.beta1, o.beta2, o.eps, o.decay, (double)t,
				  0.25 * grad[p], &theta64[p], &m[p], &v[p]);
	}
	ck_assert_uint_eq(o.step, STEPS);
	for (size_t p = 0; p < P; p++)
		ck_assert_msg(tk_close(theta[p], theta64[p], 1e-5, 5e-6),
			      "%s: parameter %zu is %.9g, want %.9g", r->name, p, theta[p],
			      theta64[p]);
	iso_optim_deinit(&o);
}
END_TEST

START_TEST(test_pieces_and_isa)
{
	const struct rule *const r = &rules[_i];
	iso_error err = {0};
	static float whole[P], part[P], grad[P];
	const iso_isa best = iso_isa_active();
	for (iso_isa isa = ISO_ISA_PORTABLE; isa <= ISO_ISA_AVX512; isa++) {
		if (!iso_isa_force(isa))
			continue;
		iso_optim o;
		tk_ok(iso_optim_init(&o, r->rule, 0.01f, P, &err));
		o.decay = r->decay;
		start(part, NULL, 0);
		for (uint64_t t = 1; t <= STEPS; t++) {
			start(NULL, grad, t);
			if (isa == ISO_ISA_PORTABLE) {
				iso_optim_step(&o, part, grad, 0.25f);
				continue;
			}
			const uint64_t before = iso_alloc_count();
			iso_optim_begin(&o); /* pieces in another order */
			iso_optim_piece(&o, part, grad, 0.25f, 600, P - 600);
			iso_optim_piece(&o, part, grad, 0.25f, 0, 17);
			iso_optim_piece(&o, part, grad, 0.25f, 17, 583);
			ck_assert(iso_alloc_count() == before);
		}
		if (isa == ISO_ISA_PORTABLE)
			memcpy(whole, part, sizeof(whole));
		ck_assert(memcmp(whole, part, sizeof(whole)) == 0);
		iso_optim_deinit(&o);
	}
	iso_isa_force(best);
}
END_TEST

START_TEST(test_refusals)
{
	iso_error err = {0};
	iso_optim o;
	tk_fails(iso_optim_init(&o, (iso_opt_rule)9, 0.1f, 4, &err), ISO_E_CONFIG, "optimiser");
	tk_fails(iso_optim_init(&o, ISO_SGD, NAN, 4, &err), ISO_E_CONFIG, "optimiser");
	tk_fails(iso_optim_init(&o, ISO_SGD, -1, 4, &err), ISO_E_CONFIG, "optimiser");
	for (uint64_t n = 1; n <= 2; n++) {
		iso_alloc_fail_after(n);
		tk_fails(iso_optim_init(&o, ISO_ADAM, 0.1f, 4, &err), ISO_E_NOMEM, "");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nn/optim");
	TCase *c = tcase_create("optim");
	tcase_add_loop_test(c, test_against_double, 0, (int)ISO_COUNT(rules));
	tcase_add_loop_test(c, test_pieces_and_isa, 0, (int)ISO_COUNT(rules));
	tcase_add_test(c, test_refusals);
	suite_add_tcase(s, c);
	return tk_run(s);
}
