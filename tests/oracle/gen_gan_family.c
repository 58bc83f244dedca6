// SPDX-License-Identifier: Apache-2.0
/* What the GAN family's newer parts compute, against closed forms and brute force: divergences,
 * encodings, networks for images and series, plans, messages. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/privacy/replay.h"
#include "generators/kit/expected_loss.h"
#include "generators/kit/gan_trainer.h"
#include "generators/kit/nets.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* ---- expected loss ---- */

/* N(0,1) against N(1,1): divergence 1/2.  The estimator's own error at n = 4000 is about 0.02; with
 * common latents the estimate of equal laws is exactly zero. */
START_TEST(known_divergence_is_estimated)
{
	enum { N = 4000 };
	static float p[N], again[N], q[N];
	const iso_key key = iso_key_new(7, "gauss");
	double mean, variance;
	iso_rand_fill_normal(key, 0, 0, 1, p, N);
	iso_rand_fill_normal(key, 1, 0, 1, again, N);
	for (size_t i = 0; i < N; i++)
		q[i] = again[i] + 1;
	tk_assert_close(iso_knn_divergence(p, N, q, N, 1, 4), 0.5, 0, 0.075);
	tk_assert_close(iso_knn_divergence_from(p, again, q, N, 1, 4), 0.5, 0, 0.075);
	tk_assert_close(iso_knn_divergence_from(p, again, again, N, 1, 4), 0, 0, 0);
	tk_assert_close(iso_knn_divergence(p, N, again, N, 1, 4), 0, 0, 0.075);
	const double loss[] = {0.1, 0.3};
	const double mu = iso_expected_loss_mu(loss, 2, 0.02, &mean, &variance);
	tk_assert_close(mean, 0.2, 1e-12, 0);
	tk_assert_close(variance, 0.02, 1e-12, 0);
	tk_assert_close(mu, 1.2, 1e-12, 0);
}
END_TEST

/* Three neighbours by hand in one dimension: p = {0, 1, 3}, q = {0.5, 4}, k = 1. */
START_TEST(neighbours_by_hand)
{
	const float p[] = {0, 1, 3}, q[] = {0.5f, 4};
	const double by_hand = (log(0.5 / 1) + log(0.5 / 1) + log(1.0 / 2)) / 3 + log(2.0 / 2);
	tk_assert_close(iso_knn_divergence(p, 3, q, 2, 1, 1), by_hand, 1e-9, 0);
}
END_TEST

START_TEST(edp_describes_no_epsilon)
{
	iso_table *t = fx_table(fx_schema(), 200, 3);
	void *o;
	iso_training m = gen_train(gen_find("edp-gan"), "steps=20 pairs=3", t, 1, 0, NULL, &o);
	cJSON *facts = cJSON_CreateObject();
	tk_ok(m.generator->describe(m.model, facts, &err));
	const cJSON *mu = cJSON_GetObjectItem(facts, "uncharged_mu");
	ck_assert_ptr_nonnull(mu);
	const double mean = cJSON_GetObjectItem(facts, "uncharged_loss_mean")->valuedouble,
		     var = cJSON_GetObjectItem(facts, "uncharged_loss_variance")->valuedouble;
	tk_assert_close(mu->valuedouble, mean + sqrt(var / 0.01), 1e-12, 0);
	ck_assert_ptr_null(cJSON_GetObjectItem(facts, "epsilon"));
	ck_assert_int_eq(iso_generator_guarantee(m.generator, o), ISO_GUARANTEE_NONE);
	ck_assert_uint_eq(iso_ledger_items(m.ledger)->n, 0);
	cJSON_Delete(facts);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

/* ---- networks ---- */

static const char image_text[] =
	"{\"name\": \"tiles\", \"columns\": [{\"name\": \"tile\", \"type\": \"pixel\", \"shape\": "
	"[8, 8]}, {\"name\": \"kind\", \"type\": \"binary\", \"role\": \"label\", \"categories\": "
	"[\"left\", \"right\"]}]}";

/* Class 0 is bright on the left half, class 1 on the right. */
static iso_table *tiles(const iso_schema *s, size_t n)
{
	const iso_key key = iso_key_new(9, "tiles");
	iso_table *t;
	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		const int y = iso_rand_u01(key, r, 0) < 0.5;
		t->cells[r * 2 + 1] = y;
		for (size_t p = 0; p < 64; p++)
			t->pixels[r * 64 + p] = (uint8_t)(((p % 8 >= 4) == y ? 200 : 20) +
							  30 * iso_rand_u01(key, r, 1 + p));
	}
	return t;
}

static double brightness(const iso_table *t, int y, int right)
{
	double sum = 0, n = 0;
	for (size_t r = 0; r < t->n; r++)
		for (size_t p = 0; p < 64 && iso_table_label(t, r) == (size_t)y; p++)
			if ((p % 8 >= 4) == right) {
				sum += t->pixels[r * 64 + p];
				n++;
			}
	return sum / n;
}

static const struct {
	const char *name, *options;
	double scale;
} painter[] = {
	{"gan", "net=conv steps=2000 z_dim=8 channels=8,8", 0},
	{"wgan-gp", "net=conv steps=3000 n_d=2 z_dim=8 channels=8,8", 0},
	{"dp-cgan", "net=conv steps=800 z_dim=8 channels=8,8 optimizer_d=adam lr_d=1e-3 batch=64",
	 0.05},
	{"fp-gan",
	 "net=conv steps=800 z_dim=8 channels=8,8,8 mode=paper layer_noise=0.1 layer_clip=1", 0},
	{"fp-gan",
	 "net=conv steps=800 z_dim=8 channels=8,8,8 label=outputs mode=paper layer_noise=0.1 "
	 "layer_clip=1",
	 0},
	{"fp-gan", "net=conv steps=5000 z_dim=8 channels=8,8,8 mode=frozen layer_clip=4", 0.02},
	{"dp-cgan",
	 "net=conv classify=true n_d=5 steps=1500 z_dim=8 channels=8,8 optimizer_d=adam lr_d=1e-3 "
	 "lr_g=2e-3 batch=64",
	 0.05},
	{"cgan", "net=conv steps=600 z_dim=8 channels=8,8,8 batch=64", 0},
};

START_TEST(convolutions_paint_the_right_half)
{
	iso_schema *own = NULL;
	cJSON *v = cJSON_Parse(image_text);
	void *o;
	tk_ok(iso_schema_from_json(v, "tiles", &own, &err));
	iso_table *t = tiles(own, 600);
	iso_training m = gen_train(gen_find(painter[_i].name), painter[_i].options, t, 1,
				   painter[_i].scale, NULL, &o);
	iso_table *out = gen_sample(&m, own, 400);
	for (int y = 0; y < 2; y++)
		for (int side = 0; side < 2; side++)
			tk_assert_close(brightness(out, y, side), brightness(t, y, side), 0, 45);
	iso_table_free(out);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
	iso_schema_free(own);
	cJSON_Delete(v);
}
END_TEST

START_TEST(convolutions_refuse_tables)
{
	iso_table *t = fx_table(fx_schema(), 50, 1);
	const iso_generator *g = gen_find("gan");
	void *o = iso_alloc(1, g->options_size);
	cJSON *v = cJSON_Parse("{\"net\": \"conv\"}");
	iso_training m;
	tk_ok(iso_options_resolve(g->options, v, "t", o, g->options_size, NULL, &err));
	const iso_training_request r = {
		.generator = g, .options = o, .train = t, .epsilon = 1, .delta = 1e-5};
	tk_fails(iso_train(&r, &m, &err), ISO_E_UNSUPPORTED, "net=dense");
	cJSON_Delete(v);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

static const char series_text[] =
	"{\"name\": \"waves\", \"columns\": [{\"name\": \"w\", \"type\": \"sequence\", \"shape\": "
	"[12], \"bounds\": [0, 1]}, {\"name\": \"kind\", \"type\": \"binary\", \"role\": "
	"\"label\", \"categories\": [\"up\", \"down\"]}]}";

/* Class 0 rises, class 1 falls: the mean profile of an LSTM's series does too. */
START_TEST(series_have_their_profile)
{
	iso_schema *own = NULL;
	cJSON *v = cJSON_Parse(series_text);
	const iso_key key = iso_key_new(3, "waves");
	iso_table *t;
	void *o;
	tk_ok(iso_schema_from_json(v, "waves", &own, &err));
	tk_ok(iso_table_new(own, 500, &t, &err));
	for (size_t r = 0; r < t->n; r++) {
		double *const x = t->cells + r * own->ncol;
		const int y = iso_rand_u01(key, r, 0) < 0.5;
		for (size_t k = 0; k < 12; k++) {
			const double up = 0.2 + 0.05 * (double)k;
			x[k] = (y ? 1 - up : up) + 0.1 * (iso_rand_u01(key, r, 1 + k) - 0.5);
		}
		x[12] = y;
	}
	iso_training m =
		gen_train(gen_find("cdp-gan"), "net=lstm lstm=16 steps=4000 z_dim=12 lr_g=2e-3", t,
			  1, 0.05, NULL, &o);
	iso_table *out = gen_sample(&m, own, 500);
	for (int y = 0; y < 2; y++)
		for (size_t k = 0; k < 12; k += 11)
			tk_assert_close(gen_mean(out, k, y), gen_mean(t, k, y), 0, 0.12);
	iso_table_free(out);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
	iso_schema_free(own);
	cJSON_Delete(v);
}
END_TEST

/* ---- schedules ---- */

/* A critic takes one step fewer when |loss of G|, a mean over 20 epochs, has fallen twice since the
 * last change; a discriminator climbs a rung when it recognises fewer than 60 % of the fakes. */
START_TEST(adaptive_steps_follow_their_rules)
{
	static const double mean[] = {-9, -8, -7, -6, -6.5, -6, -5, -4, -3};
	static const uint64_t after[] = {5, 5, 4, 4, 4, 3, 3, 2, 2};
	iso_gan_spec s = {.loss = ISO_GAN_WASSERSTEIN};
	iso_gan_site site = {.dp = {.rate = 0.25}};
	iso_gan_trainer t = {.s = &s, .at = &site, .n_d = 5};
	for (size_t i = 0; i < ISO_COUNT(mean); i++) {
		for (int k = 0; k < 40; k++) { /* twice 40 steps of D at 1/4: 20 epochs */
			t.taken += 2;
			iso_gan_adapt(&t, mean[i] + (k % 2 ? 0.25 : -0.25));
		}
		ck_assert_msg(t.n_d == after[i], "look %zu: n_d %d", i, (int)t.n_d);
	}
	s.loss = ISO_GAN_BCE;
	t.n_d = 2;
	t.right = 0.61;
	iso_gan_adapt(&t, 1);
	ck_assert_uint_eq(t.n_d, 2);
	t.right = 0.59;
	iso_gan_adapt(&t, 1);
	ck_assert_uint_eq(t.n_d, 5);
	tk_assert_close(t.right, 0.75, 0, 0);
	s.o.n_d = 5; /* given: fixed */
	t.right = 0;
	iso_gan_adapt(&t, 1);
	ck_assert_uint_eq(t.n_d, 5);
}
END_TEST

START_TEST(adaptive_steps_and_bursts_exclude_each_other)
{
	const iso_generator *g = gen_find("dp-gan-xie");
	cJSON *v = cJSON_Parse("{\"n_d\": 0, \"burst\": 100}");
	void *o = iso_alloc(1, g->options_size);
	tk_ok(iso_options_resolve(g->options, v, "t", o, g->options_size, NULL, &err));
	const iso_gen_env env = {
		.schema = fx_schema(), .n = 500, .options = o, .epsilon = 1, .delta = 1e-5};
	tk_fails(g->check(&env, &err), ISO_E_CONFIG, "burst=0");
	iso_free(o);
	cJSON_Delete(v);
}
END_TEST

/* As published nothing bounds a record's gradient: its norm is in the description. */
START_TEST(unclipped_norms_are_told)
{
	iso_table *t = fx_table(fx_schema(), 200, 3);
	cJSON *facts = cJSON_CreateObject();
	void *o;
	iso_training m = gen_train(gen_find("dp-gan-xie"), "mode=paper steps=20 clip=0.001", t, 1,
				   0, NULL, &o);
	tk_ok(m.generator->describe(m.model, facts, &err));
	const double over = tk_number(facts, "uncharged_norm_over_clip");
	iso_training_free(&m);
	iso_free(o);
	m = gen_train(gen_find("dp-gan-xie"), "mode=paper steps=20 clip=0.002", t, 1, 0, NULL, &o);
	cJSON_Delete(facts);
	facts = cJSON_CreateObject();
	tk_ok(m.generator->describe(m.model, facts, &err));
	ck_assert(over > 1 && over < 1e5);
	tk_assert_close(tk_number(facts, "uncharged_norm_over_clip"), over / 2, 1e-9, 0);
	cJSON_Delete(facts);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

/* ---- plans ---- */

static void plan_of(const char *name, const char *options, const iso_table *open, iso_plan *p)
{
	const iso_generator *g = gen_find(name);
	cJSON *v = cJSON_CreateObject();
	char text[256], *save = NULL;
	void *o = iso_alloc(1, g->options_size);
	snprintf(text, sizeof text, "%s", options);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		tk_ok(iso_options_set(v, w, &err));
	tk_ok(iso_options_resolve(g->options, v, "t", o, g->options_size, NULL, &err));
	const iso_gen_env env = {.schema = fx_schema(),
				 .n = 10000,
				 .public_rows = open,
				 .options = o,
				 .epsilon = 2,
				 .delta = 1e-5};
	*p = (iso_plan){0};
	tk_ok(g->check(&env, &err));
	tk_ok(g->plan(&env, 3, p, &err));
	iso_free(o);
	cJSON_Delete(v);
}

/* Per-tensor clips of two layers: four tensors move by 2 C; as published, noise of 1.12 C is a
 * multiplier of 0.56. */
START_TEST(tensor_clips_are_paid_for)
{
	iso_plan p;
	plan_of("dp-cgan", "clipping=tensor labels=uniform", NULL, &p);
	tk_assert_close(p.v[0].sensitivity, 2.2, 1e-6, 0);
	tk_assert_close(p.v[0].event.noise, 3, 0, 0);
	iso_plan_free(&p);
	plan_of("dp-cgan", "clipping=tensor mode=paper", NULL, &p);
	tk_assert_close(p.v[0].sensitivity, 2.2, 1e-6, 0);
	tk_assert_close(p.v[0].event.noise, 0.56, 1e-6, 0);
	iso_plan_free(&p);
}
END_TEST

static double pld_of(const iso_events *list, double delta)
{
	iso_epsilons eps;
	tk_ok(iso_account_epsilon(list, ISO_ADD_REMOVE, delta, ISO_WANT_PLD, &eps, &err));
	return eps.pld_upper;
}

/* The costs of published schedules, as their cards' corrections state them: cdp-GAN on Adult at
 * sigma 7 after 110 and 400 epochs (their plot: 6.3 and 13.4), DPGAN on all of MNIST at 0.51,
 * FP-GAN's 50 epochs at 0.584; a sigma that decays with the bound, as the code of cdp-GAN has it,
 * costs more. */
START_TEST(published_schedules_cost_this)
{
	static const struct {
		double noise, rate, delta, epsilon;
		uint64_t steps;
	} want[] = {{7, 0.0244, 9.5e-5, 0.718, 4400},
		    {7, 0.0244, 9.5e-5, 1.488, 16000},
		    {0.51, 64.0 / 60000, 1e-5, 9.478, 54275},
		    {0.584, 32.0 / 60000, 1e-5, 3.449, 93750}};
	iso_events decayed = {0};
	for (size_t i = 0; i < ISO_COUNT(want); i++) {
		iso_events list = {0};
		const iso_event e = {.mechanism = ISO_MECH_GAUSSIAN,
				     .noise = want[i].noise,
				     .sampling = ISO_SAMPLING_POISSON,
				     .rate = want[i].rate,
				     .count = want[i].steps};
		tk_ok(iso_events_add(&list, &e, &err));
		tk_assert_close(pld_of(&list, want[i].delta), want[i].epsilon, 1e-3, 0);
		iso_events_free(&list);
	}
	for (int k = 0; k < 10; k++) { /* ten epochs at each of 1, .9, .. .4, then .35 */
		const iso_event e = {.mechanism = ISO_MECH_GAUSSIAN,
				     .noise = 7 * fmax(1 - 0.1 * k, 0.35),
				     .sampling = ISO_SAMPLING_POISSON,
				     .rate = 0.0244,
				     .count = 440};
		tk_ok(iso_events_add(&decayed, &e, &err));
	}
	ck_assert(pld_of(&decayed, 9.5e-5) > 1.4 * 0.718);
	iso_events_free(&decayed);
}
END_TEST

/* Nine tenths of the rows train, the rest chooses: three pure picks of 0.8 epsilon together, in one
 * group with the training. */
START_TEST(a_choice_is_paid_by_reserved_rows)
{
	iso_plan p;
	plan_of("dp-gan-boob", "batch=90 steps=500 labels=uniform", NULL, &p);
	ck_assert_uint_eq(p.n, 2);
	ck_assert_str_eq(p.v[0].why, "disc-step");
	tk_assert_close(p.v[0].event.rate, 90.0 / 9000, 1e-12, 0);
	ck_assert_int_eq(p.v[0].group, 1);
	ck_assert_int_eq(p.v[0].part, 0);
	ck_assert_str_eq(p.v[1].why, "checkpoint-choice");
	ck_assert_int_eq(p.v[1].group, 1);
	ck_assert_int_eq(p.v[1].part, 1);
	ck_assert_uint_eq(p.v[1].event.count, 3);
	tk_assert_close(p.v[1].event.epsilon, 0.8 * 2 / 3, 1e-12, 0);
	tk_assert_close(p.v[1].sensitivity, 1, 0, 0);
	iso_plan_free(&p);
	plan_of("dp-gan-boob", "batch=90 steps=500 labels=uniform evaluator=private", NULL, &p);
	ck_assert_str_eq(p.v[1].why, "evaluator-step");
	/* the same q sqrt(T) / s as the training's */
	tk_assert_close(p.v[1].event.rate * sqrt((double)p.v[1].event.count) / p.v[1].event.noise,
			0.01 * sqrt(500) / 3, 1e-9, 0);
	iso_plan_free(&p);
	plan_of("dp-gan-boob", "batch=100 steps=500 labels=uniform picks=0", NULL, &p);
	ck_assert_uint_eq(p.n, 1);
	tk_assert_close(p.v[0].event.rate, 0.01, 1e-12, 0);
	iso_plan_free(&p);
}
END_TEST

/* Groups change neither the event nor its sensitivity. */
START_TEST(groups_cost_nothing)
{
	iso_table *open = fx_table(fx_schema(), 60, 8);
	iso_plan a, b;
	plan_of("dp-gan-zhang", "steps=100 cluster=none", open, &a);
	plan_of("dp-gan-zhang", "steps=100 cluster=coordinate groups=8", open, &b);
	ck_assert_uint_eq(a.n, b.n);
	for (size_t i = 0; i < a.n; i++) {
		tk_assert_close(a.v[i].event.noise, b.v[i].event.noise, 0, 0);
		tk_assert_close(a.v[i].sensitivity, b.v[i].sensitivity, 0, 0);
		ck_assert_uint_eq(a.v[i].event.count, b.v[i].event.count);
	}
	iso_plan_free(&a);
	iso_plan_free(&b);
	iso_table_free(open);
}
END_TEST

/* ---- federated ---- */

/* A part of the bytes that save writes. */
static const char *part_of(const iso_str *s, const char *name, size_t *n)
{
	char head[80];
	const size_t len = (size_t)snprintf(head, sizeof head, "%s ", name);
	for (size_t i = 0; i + len < s->n; i++)
		if (memcmp(s->p + i, head, len) == 0 && (i == 0 || s->p[i - 1] == '\n' || 1)) {
			char *end;
			*n = strtoull(s->p + i + len, &end, 10);
			if (*end == '\n')
				return end + 1;
		}
	*n = 0;
	return NULL;
}

/* Conditions, fakes and gradients are all that travels: counted from steps and clients. */
START_TEST(messages_are_those_of_the_card)
{
	iso_table *t = fx_table(fx_schema(), 400, 5);
	iso_str bytes = {0};
	size_t n;
	void *o;
	iso_training m = gen_train(gen_find("asyn-dgan"), "clients=4 steps=6 n_d=2 batch=8", t, 5,
				   0, NULL, &o);
	tk_ok(m.generator->save(m.model, &bytes, &err));
	const char *text = part_of(&bytes, "messages", &n);
	ck_assert_ptr_nonnull(text);
	char *log = strndup(text, n);
	/* 3 rounds of two steps of D and one of G; 8 labels of 4 bytes; fakes for each */
	ck_assert_ptr_nonnull(strstr(log, "client0 conditions 9 288 "));
	ck_assert_ptr_nonnull(strstr(log, "client3 conditions 9 288 "));
	ck_assert_ptr_nonnull(strstr(log, "server fakes 36 "));
	ck_assert_ptr_nonnull(strstr(log, "client2 gradient 3 "));
	ck_assert_ptr_nonnull(strstr(log, "client2 fakes 0 0 "));
	ck_assert_ptr_nonnull(strstr(log, "server gradient 0 0 "));
	ck_assert_ptr_null(part_of(&bytes, "discriminator.w0", &n)); /* D never leaves */
	/* a part each; epsilon of the training is the largest of the clients' */
	const iso_plan *items = iso_ledger_items(m.ledger);
	size_t steps = 0;
	for (size_t i = 0; i < items->n; i++)
		steps += strcmp(items->v[i].why, "disc-step") == 0 && items->v[i].used == 6;
	ck_assert_uint_eq(steps, 4);
	iso_epsilons whole, one;
	double most = 0;
	tk_ok(iso_ledger_epsilon(m.ledger, 1e-5, ISO_WANT_RDP, &whole, &err));
	for (int k = 0; k < 4; k++) {
		tk_ok(iso_ledger_epsilon_of(m.ledger, 1, k, 1e-5, ISO_WANT_RDP, &one, &err));
		most = one.rdp > most ? one.rdp : most;
	}
	tk_assert_close(whole.rdp, most, 1e-9, 0);
	free(log);
	iso_str_free(&bytes);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

/* With the L1 term of the published code a client's row stands in its message: the sign of the
 * gradient against the fake, column by column (binary and one-hot columns exactly). */
START_TEST(the_l1_term_shows_the_row)
{
	iso_table *t = fx_table(fx_schema(), 400, 5);
	iso_encoder *enc;
	iso_str bytes = {0};
	size_t nf, ng;
	void *o;
	iso_training m = gen_train(gen_find("asyn-dgan"),
				   "mode=paper l1=100 clients=2 steps=4 batch=16 log=last", t, 5, 0,
				   NULL, &o);
	tk_ok(m.generator->save(m.model, &bytes, &err));
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES, &enc, &err));
	const size_t width = enc->dim + 2; /* and the label */
	const char *grad = part_of(&bytes, "message.1.gradient", &ng);
	ck_assert_ptr_nonnull(grad);
	ck_assert_ptr_nonnull(part_of(&bytes, "message.2.fakes", &nf));
	ck_assert_uint_eq(ng % (width * sizeof(float)), 0);
	const size_t rows = ng / (width * sizeof(float));
	ck_assert_uint_gt(rows, 0);
	float *x = iso_alloc(t->n * enc->dim, sizeof *x);
	iso_encode(enc, t, NULL, t->n, x, enc->dim);
	for (size_t r = 0; r < rows; r++) {
		size_t agree = 0;
		for (size_t i = 0; i < t->n && !agree; i++) {
			size_t same = 0, asked = 0;
			for (size_t b = 0; b < enc->nblock; b++)
				for (size_t k = 0; enc->block[b].kind == ISO_BLOCK_ONEHOT &&
						   k < enc->block[b].width;
				     k++, asked++) {
					float d;
					const size_t at = enc->block[b].first + k;
					memcpy(&d, grad + (r * width + at) * sizeof d, sizeof d);
					same += (d < 0) == (x[i * enc->dim + at] > 0.5f);
				}
			agree = asked > 0 && same == asked;
		}
		ck_assert_msg(agree, "row %zu of the message matches no private row", r);
	}
	iso_free(x);
	iso_encoder_free(enc);
	iso_str_free(&bytes);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

/* Public class counts are the law of every client's conditions, and nothing is released for it. */
START_TEST(public_counts_are_conditions)
{
	static const size_t counts[] = {360, 40};
	iso_table *t = fx_table(fx_schema(), 400, 5);
	size_t ones = 0;
	void *o;
	iso_training m = gen_train(gen_find("asyn-dgan"), "clients=2 steps=2 batch=8 labels=public",
				   t, 5, 0, counts, &o);
	iso_table *out = gen_sample(&m, fx_schema(), 2000);
	for (size_t r = 0; r < out->n; r++)
		ones += iso_table_label(out, r) == 1;
	tk_assert_close((double)ones / 2000, 0.1, 0, 0.034); /* 5 standard errors */
	const iso_plan *items = iso_ledger_items(m.ledger);
	for (size_t i = 0; i < items->n; i++)
		ck_assert_str_eq(items->v[i].why, "disc-step");
	iso_table_free(out);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

/* One round of one step each: the average of the clients' models; serially the last client's. */
START_TEST(averages_log_every_copy)
{
	iso_table *t = fx_table(fx_schema(), 300, 6);
	iso_str bytes = {0};
	size_t n;
	void *o;
	iso_training m =
		gen_train(gen_find("fl-gan"), "schedule=fedavg clients=3 steps=12 rounds=2 batch=8",
			  t, 5, 0, NULL, &o);
	tk_ok(m.generator->save(m.model, &bytes, &err));
	const char *text = part_of(&bytes, "messages", &n);
	char *log = strndup(text, n);
	/* two messages (D and G) a round: from each client, and from the server */
	ck_assert_ptr_nonnull(strstr(log, "client0 model 4 "));
	ck_assert_ptr_nonnull(strstr(log, "client2 model 4 "));
	ck_assert_ptr_nonnull(strstr(log, "server model 4 "));
	free(log);
	iso_str_free(&bytes);
	iso_table_free(t);
	iso_training_free(&m);
	iso_free(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/gen_gan_family");
	TCase *c = tcase_create("core");
	tcase_set_timeout(c, 300);
	tcase_add_test(c, known_divergence_is_estimated);
	tcase_add_test(c, neighbours_by_hand);
	tcase_add_test(c, edp_describes_no_epsilon);
	tcase_add_loop_test(c, convolutions_paint_the_right_half, 0, (int)ISO_COUNT(painter));
	tcase_add_test(c, convolutions_refuse_tables);
	tcase_add_test(c, series_have_their_profile);
	tcase_add_test(c, adaptive_steps_follow_their_rules);
	tcase_add_test(c, adaptive_steps_and_bursts_exclude_each_other);
	tcase_add_test(c, unclipped_norms_are_told);
	tcase_add_test(c, tensor_clips_are_paid_for);
	tcase_add_test(c, published_schedules_cost_this);
	tcase_add_test(c, a_choice_is_paid_by_reserved_rows);
	tcase_add_test(c, groups_cost_nothing);
	tcase_add_test(c, messages_are_those_of_the_card);
	tcase_add_test(c, the_l1_term_shows_the_row);
	tcase_add_test(c, public_counts_are_conditions);
	tcase_add_test(c, averages_log_every_copy);
	suite_add_tcase(s, c);
	return tk_run(s);
}
