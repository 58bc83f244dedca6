// SPDX-License-Identifier: Apache-2.0
/* The VAE's gradient against finite differences, its KL term against Monte Carlo, its clamp, its
 * plan; both clusters of a toy set are generated. */
#include <string.h>

#include "generators/kit/vae_loop.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

#define N 5
#define DIM 64

typedef struct rig {
	iso_encoder *e;
	iso_heads h;
	iso_net *enc, *dec;
	iso_vae v;
	float x[N * DIM], noise[N * 3];
} rig;

static void rig_up(rig *t, int recon, int heads, double beta)
{
	static const int64_t down[] = {2, 6, 5}, up[] = {2, 5, 6};
	iso_table *rows = fx_table(fx_schema(), N, 3);
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES | ISO_ENC_LABEL, &t->e, &err));
	ck_assert_uint_le(t->e->dim, DIM);
	t->h = iso_heads_new(t->e, heads, recon == ISO_RECON_LIKELIHOOD, 1);
	tk_ok(iso_kit_net(&t->enc, t->e->dim, (iso_hidden){down, ISO_ACT_TANH}, 6, ISO_ACT_LINEAR,
			  &err));
	tk_ok(iso_kit_net(&t->dec, 3, (iso_hidden){up, ISO_ACT_TANH}, iso_heads_width(&t->h),
			  iso_heads_act(&t->h), &err));
	tk_ok(iso_vae_init(&t->v, t->enc, t->dec, &t->h, recon, beta, N, 1, &err));
	iso_net_randomize(t->enc, ISO_INIT_HE, iso_key_new(4, "enc"));
	iso_net_randomize(t->dec, ISO_INIT_HE, iso_key_new(4, "dec"));
	iso_encode(t->e, rows, NULL, N, t->x, t->e->dim);
	iso_rand_fill_normal(iso_key_new(4, "noise"), 0, 0, 1, t->noise, N * 3);
	iso_table_free(rows);
}

static void rig_down(rig *t)
{
	iso_vae_deinit(&t->v);
	iso_net_free(t->enc);
	iso_net_free(t->dec);
	iso_encoder_free(t->e);
}

static double loss_of(rig *t)
{
	double l[N], sum = 0;
	memcpy(t->v.noise, t->noise, sizeof t->noise);
	iso_vae_backward(&t->v, t->x, N, l);
	for (size_t i = 0; i < N; i++)
		sum += l[i];
	return sum;
}

static void check_net(rig *t, iso_net *net, const float *grad)
{
	for (size_t i = 0; i < iso_net_params(net); i++) {
		const float keep = iso_net_theta(net)[i], step = 2e-3f;
		iso_net_theta(net)[i] = keep + step;
		const double up = loss_of(t);
		iso_net_theta(net)[i] = keep - step;
		const double down = loss_of(t);
		iso_net_theta(net)[i] = keep;
		/* fp32 losses of size ~100 difference to about 1e-3 */
		tk_assert_close(grad[i], (up - down) / (2 * (double)step), 2e-2, 3e-2);
	}
}

/* _i = recon + 4 heads */
START_TEST(gradient_is_the_finite_difference)
{
	rig t;
	rig_up(&t, _i % 4, _i / 4, 0.7);
	loss_of(&t);
	iso_net_weight_grad(t.enc, t.v.wenc, NULL, 0, iso_net_grad(t.enc));
	iso_net_weight_grad(t.dec, t.v.wdec, NULL, 0, iso_net_grad(t.dec));
	float *enc = iso_alloc(iso_net_params(t.enc), sizeof *enc),
	      *dec = iso_alloc(iso_net_params(t.dec), sizeof *dec);
	memcpy(enc, iso_net_grad(t.enc), iso_net_params(t.enc) * sizeof *enc);
	memcpy(dec, iso_net_grad(t.dec), iso_net_params(t.dec) * sizeof *dec);
	check_net(&t, t.enc, enc);
	check_net(&t, t.dec, dec);
	iso_free(enc);
	iso_free(dec);
	rig_down(&t);
}
END_TEST

/* The joint norm over both networks, by one backward pass per record. */
START_TEST(joint_norm_is_that_of_single_records)
{
	rig t;
	float norm[N], all[N * DIM], noise[N * 3];
	rig_up(&t, ISO_RECON_MSE, 0, 0.7);
	loss_of(&t);
	iso_net_grad_norms2(t.enc, t.v.wenc, 1, 0, norm);
	iso_net_grad_norms2(t.dec, t.v.wdec, 1, 1, norm);
	memcpy(all, t.x, sizeof all);
	memcpy(noise, t.noise, sizeof noise);
	for (size_t r = 0; r < N; r++) {
		double one = 0;
		memcpy(t.v.noise, noise + r * 3, 3 * sizeof(float));
		iso_vae_backward(&t.v, all + r * t.e->dim, 1, NULL);
		iso_net_weight_grad(t.enc, t.v.wenc, NULL, 0, iso_net_grad(t.enc));
		iso_net_weight_grad(t.dec, t.v.wdec, NULL, 0, iso_net_grad(t.dec));
		for (size_t i = 0; i < iso_net_params(t.enc); i++)
			one += (double)iso_net_grad(t.enc)[i] * iso_net_grad(t.enc)[i];
		for (size_t i = 0; i < iso_net_params(t.dec); i++)
			one += (double)iso_net_grad(t.dec)[i] * iso_net_grad(t.dec)[i];
		tk_assert_close(norm[r], one, 1e-4, 1e-6);
	}
	rig_down(&t);
}
END_TEST

/* KL(N(mu, var) || N(0, I)) = E_q[log q(z) - log p(z)], the closed form as loss(beta = 1) -
 * loss(beta = 0). */
START_TEST(kl_is_the_monte_carlo_mean)
{
	rig a, b;
	rig_up(&a, ISO_RECON_MSE, 0, 1);
	rig_up(&b, ISO_RECON_MSE, 0, 0);
	const double closed = loss_of(&a) - loss_of(&b);
	const float *out = iso_ws_out(a.v.wenc);
	const size_t draws = 200000;
	double sum = 0;
	for (size_t r = 0; r < N; r++)
		for (size_t k = 0; k < 3; k++) {
			const double mu = out[r * 6 + k],
				     lv = fmin(fmax(out[r * 6 + 3 + k], -6), 2), sd = exp(lv / 2);
			iso_stream s = iso_stream_new(
				iso_key_child(iso_key_new(5, "kl"), "dim", r * 3 + k));
			for (size_t i = 0; i < draws; i++) {
				const double e = iso_next_normal(&s), z = mu + sd * e;
				sum += (-0.5 * e * e - lv / 2 + 0.5 * z * z) / (double)draws;
			}
		}
	tk_assert_close(closed, sum, 0.01, 0.02);
	rig_down(&a);
	rig_down(&b);
}
END_TEST

START_TEST(clamped_variance_has_no_gradient)
{
	rig t;
	rig_up(&t, ISO_RECON_MSE, 0, 0.7);
	const iso_tensor last = iso_net_tensor(t.enc, iso_net_tensors(t.enc) - 1); /* biases */
	float *const bias = iso_net_theta(t.enc) + last.first;
	bias[3] = 50; /* log var far above 2 */
	bias[4] = -50;
	const double l = loss_of(&t);
	ck_assert(isfinite(l));
	for (size_t r = 0; r < N; r++) {
		ck_assert_float_eq(iso_ws_delta(t.v.wenc)[r * 6 + 3], 0);
		ck_assert_float_eq(iso_ws_delta(t.v.wenc)[r * 6 + 4], 0);
		ck_assert_float_ne(iso_ws_delta(t.v.wenc)[r * 6 + 5], 0);
	}
	bias[3] = 1e6; /* the same clamp: the same loss */
	tk_assert_close(loss_of(&t), l, 0, 0);
	rig_down(&t);
}
END_TEST

/* Public counts: classes of unlike size get unlike rates and multipliers, and cost the same within
 * a few percent (the division of labour follows a central-limit account; at epsilon 2 it is close).
 */
START_TEST(parts_cost_the_same)
{
	const size_t counts[] = {2000, 18000};
	const iso_generator *g = gen_find("ddp-bvae");
	cJSON *v = cJSON_CreateObject();
	void *o = iso_alloc(1, g->options_size);
	cJSON_AddStringToObject(v, "counts", "public");
	tk_ok(iso_options_resolve(g->options, v, "t", o, g->options_size, NULL, &err));
	const iso_gen_env env = {.schema = fx_schema(),
				 .n = 20000,
				 .class_count = counts,
				 .options = o,
				 .delta = 1e-5};
	iso_plan p = {0};
	double e[2];
	tk_ok(g->plan(&env, 2.5, &p, &err));
	ck_assert_uint_eq(p.n, 2); /* public counts release nothing more */
	for (int c = 0; c < 2; c++) {
		iso_events one = {0};
		ck_assert_int_eq(p.v[c].group, 1);
		ck_assert_int_eq(p.v[c].part, c);
		tk_assert_close(p.v[c].event.rate, 64.0 / (double)counts[c], 1e-12, 0);
		tk_ok(iso_events_add(&one, &p.v[c].event, &err));
		tk_ok(iso_account_one(&one, ISO_ADD_REMOVE, 1e-5, ISO_ACC_RDP, &e[c], &err));
		iso_events_free(&one);
	}
	ck_assert(p.v[1].event.noise < p.v[0].event.noise);
	tk_assert_close(e[1], e[0], 0.05, 0);
	iso_plan_free(&p);
	iso_free(o);
	cJSON_Delete(v);
}
END_TEST

/* Replacing a record may move it to another class: no parallel group then. */
START_TEST(replace_one_composes_in_sequence)
{
	const iso_generator *g = gen_find("ddp-bvae");
	void *o = iso_alloc(1, g->options_size);
	iso_plan p = {0};
	tk_ok(iso_options_resolve(g->options, NULL, "t", o, g->options_size, NULL, &err));
	const iso_gen_env env = {.schema = fx_schema(),
				 .n = 500,
				 .options = o,
				 .delta = 1e-5,
				 .adjacency = ISO_REPLACE_ONE};
	tk_ok(g->plan(&env, 1, &p, &err));
	ck_assert_uint_eq(p.n, 3);
	for (size_t i = 0; i < p.n; i++)
		ck_assert_int_eq(p.v[i].group, 0);
	iso_plan_free(&p);
	iso_free(o);
}
END_TEST

static const char toy[] =
	"{\"name\":\"toy\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"y\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"c\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"a\",\"b\"]}]}";

/* _i: 0 one VAE per class, 1 one VAE for all */
START_TEST(both_clusters_are_generated)
{
	iso_schema *s;
	iso_table *t;
	void *o;
	size_t near[2] = {0};
	cJSON *v = cJSON_Parse(toy);
	tk_ok(iso_schema_from_json(v, "toy", &s, &err));
	cJSON_Delete(v);
	tk_ok(iso_table_new(s, 1000, &t, &err));
	for (size_t r = 0; r < t->n; r++) {
		const double mid = r % 2 ? 0.8 : 0.2;
		for (size_t c = 0; c < 2; c++)
			t->cells[r * 3 + c] =
				mid + 0.1 * (iso_rand_u01(iso_key_new(6, "toy"), r, c) - 0.5);
		t->cells[r * 3 + 2] = (double)(r % 2);
	}
	/* beta 0.1 and 0.02: weights of the KL term at which a latent may carry the cluster */
	iso_training m = gen_train(gen_find("vae"), _i ? "single=true latent=2" : "latent=2", t, 1,
				   0, NULL, &o);
	iso_table *out = gen_sample(&m, s, 400);
	for (size_t r = 0; r < out->n; r++)
		for (size_t k = 0; k < 2; k++) {
			const double mid = k ? 0.8 : 0.2, dx = out->cells[r * 3] - mid,
				     dy = out->cells[r * 3 + 1] - mid;
			near[k] += dx * dx + dy * dy < 0.15 * 0.15 && iso_table_label(out, r) == k;
		}
	ck_assert_msg(near[0] >= 100 && near[1] >= 100,
		      "%zu rows near the first cluster, %zu near the second", near[0], near[1]);
	iso_table_free(out);
	iso_table_free(t);
	iso_training_free(&m);
	iso_schema_free(s);
	iso_free(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/gen_vae");
	TCase *c = tcase_create("core");
	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, gradient_is_the_finite_difference, 0, 8);
	tcase_add_test(c, joint_norm_is_that_of_single_records);
	tcase_add_test(c, kl_is_the_monte_carlo_mean);
	tcase_add_test(c, clamped_variance_has_no_gradient);
	tcase_add_test(c, parts_cost_the_same);
	tcase_add_test(c, replace_one_composes_in_sequence);
	tcase_add_loop_test(c, both_clusters_are_generated, 0, 2);
	suite_add_tcase(s, c);
	return tk_run(s);
}
