// SPDX-License-Identifier: Apache-2.0
/* Latent access of the VAEs: decode and encode against the two layers of each network worked out
 * in double precision, expert by expert. */
#include <string.h>

#include "generators/kit/latent_model.h"
#include "tests/oracle/gen_support.h"

enum { LATENT = 2, HIDDEN = 3, COLUMNS = 4, DIM = 5, ROWS = 300, N = 1000 };

static iso_error err;

/* x, y and three categories: five encoded columns. */
static const char toy[] =
	"{\"name\":\"toy\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":[-2,6]},"
	"{\"name\":\"y\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"k\",\"type\":\"categorical\",\"categories\":[\"p\",\"q\",\"r\"]},"
	"{\"name\":\"c\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"a\",\"b\"]}]}";

static iso_schema *toy_schema(void)
{
	cJSON *v = cJSON_Parse(toy);
	iso_schema *s;
	tk_ok(iso_schema_from_json(v, "toy", &s, &err));
	cJSON_Delete(v);
	return s;
}

static iso_table *toy_rows(const iso_schema *s)
{
	iso_table *t;
	tk_ok(iso_table_new(s, ROWS, &t, &err));
	for (size_t r = 0; r < t->n; r++) {
		const double u = iso_rand_u01(iso_key_new(6, "toy"), r, 0);
		const double row[COLUMNS] = {6 * u - 1, r % 2 ? 0.8 * u : 1 - u * u,
					     (double)(r % 3), (double)(r % 2)};
		memcpy(t->cells + r * COLUMNS, row, sizeof row);
	}
	return t;
}

/* out = W2^T tanh(W1^T in + b1) + b2: weights [in][out], each followed by its biases. */
static void two_layers(const float *theta, size_t nin, const double *in, size_t nout, double *out)
{
	double h[HIDDEN];
	const float *w2 = theta + nin * HIDDEN + HIDDEN;
	for (size_t k = 0; k < HIDDEN; k++) {
		h[k] = (double)theta[nin * HIDDEN + k];
		for (size_t i = 0; i < nin; i++)
			h[k] += in[i] * (double)theta[i * HIDDEN + k];
		h[k] = tanh(h[k]);
	}
	for (size_t j = 0; j < nout; j++) {
		out[j] = (double)w2[HIDDEN * nout + j];
		for (size_t k = 0; k < HIDDEN; k++)
			out[j] += h[k] * (double)w2[k * nout + j];
	}
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* The row that expert `label` makes of z; 0 if two categories are too close to call. */
static int expected(const iso_latent_model *m, const float *z, size_t label, double row[COLUMNS])
{
	const double in[LATENT] = {(double)z[0], (double)z[1]};
	double o[DIM], best = -INFINITY, second = -INFINITY;
	two_layers(iso_net_theta(m->decoder[label]), LATENT, in, DIM, o);
	row[0] = -2 + 8 * sigmoid(o[0]);
	row[1] = sigmoid(o[1]);
	row[3] = (double)label;
	for (size_t k = 0; k < 3; k++)
		if (o[2 + k] > best) {
			second = best;
			best = o[2 + k];
			row[2] = (double)k;
		} else if (o[2 + k] > second) {
			second = o[2 + k];
		}
	return best - second > 1e-4;
}

/* _i: 0 vae, 1 ddp-bvae; labels given, and labels that take turns */
START_TEST(decode_by_hand)
{
	static const char *const name[] = {"vae", "ddp-bvae"};
	const iso_generator *g = gen_find(name[_i]);
	iso_schema *s = toy_schema();
	iso_table *t = toy_rows(s), *out;
	float z[N * LATENT];
	uint32_t label[N];
	size_t far = 0, close = 0;
	void *o;
	iso_training tr = gen_train(g, "latent=2 hidden=3 epochs=8 recon=mse beta=0.01 lr=0.01", t,
				    8, _i, NULL, &o);
	const iso_latent_model *m = tr.model;
	ck_assert_uint_eq(m->shape.experts, 2);
	ck_assert_uint_eq(g->latent_dim(m), LATENT);
	iso_rand_fill_normal(iso_key_new(8, "z"), 0, 0, 2, z, N * LATENT);
	for (size_t r = 0; r < N; r++)
		label[r] = r * 7 % 3 == 0;
	for (int given = 0; given < 2; given++) {
		tk_ok(iso_table_new(s, N, &out, &err));
		tk_ok(g->decode(m, z, given ? label : NULL, N, out, &err));
		for (size_t r = 0; r < N; r++) {
			double want[COLUMNS], other[COLUMNS];
			const size_t y = given ? label[r] : r % 2;
			const double *got = out->cells + r * COLUMNS;
			const int sure = expected(m, z + r * LATENT, y, want);
			expected(m, z + r * LATENT, 1 - y, other);
			tk_assert_close(got[0], want[0], 0, 2e-5);
			tk_assert_close(got[1], want[1], 0, 2e-6);
			ck_assert(!sure || got[2] == want[2]);
			ck_assert(got[3] == want[3]);
			far += fabs(want[0] - other[0]) > 1e-3;
			close += !sure;
		}
		iso_table_free(out);
	}
	/* the experts differ, so a row of the wrong one is seen; nearly every category is sure */
	ck_assert_msg(far > N && close < N / 50, "%zu far, %zu close", far, close);
	iso_table_free(t);
	iso_training_free(&tr);
	iso_schema_free(s);
	iso_free(o);
}
END_TEST

/* The mean of the posterior: the first half of the encoder's outputs. */
START_TEST(encode_by_hand)
{
	iso_schema *s = toy_schema();
	iso_table *t = toy_rows(s);
	float z[ROWS * LATENT];
	void *o;
	iso_training tr = gen_train(gen_find("vae"), "latent=2 hidden=3 epochs=8 recon=mse", t, 1,
				    0, NULL, &o);
	const iso_latent_model *m = tr.model;
	tk_ok(gen_find("vae")->encode(m, t, z, &err));
	for (size_t r = 0; r < ROWS; r++) {
		const double *c = t->cells + r * COLUMNS;
		const double in[DIM] = {(c[0] + 2) / 8, c[1], c[2] == 0, c[2] == 1, c[2] == 2};
		double want[2 * LATENT];
		two_layers(iso_net_theta(m->encoder[r % 2]), DIM, in, 2 * LATENT, want);
		for (size_t k = 0; k < LATENT; k++)
			tk_assert_close((double)z[r * LATENT + k], want[k], 1e-5, 1e-5);
	}
	iso_table_free(t);
	iso_training_free(&tr);
	iso_schema_free(s);
	iso_free(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/gen_decode");
	TCase *c = tcase_create("latent access");
	tcase_add_loop_test(c, decode_by_hand, 0, 2);
	tcase_add_test(c, encode_by_hand);
	suite_add_tcase(s, c);
	return tk_run(s);
}
