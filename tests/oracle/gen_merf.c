// SPDX-License-Identifier: Apache-2.0
/* dp-merf: random Fourier features against the kernel, their derivatives against finite
 * differences, the norm of every record's embedding, and the means of known Gaussians. */
#include <string.h>

#include "core/data/encode.h"
#include "generators/kit/features.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

static iso_encoder *encoder(const iso_schema *s)
{
	iso_encoder *e;
	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err));
	return e;
}

/* 20,000 features: the product of two embeddings is exp(-|u - v|^2 / (2 l^2)) plus the share of
 * equal categories.  Each of 10,000 cosines of differences lies in [-1, 1], so the standard error
 * is at most 1/sqrt(10,000) = .01; 4.5 of them, 66 pairs: false alarm below 5e-4. */
START_TEST(products_of_features_are_the_kernel)
{
	iso_encoder *e = encoder(fx_schema());
	iso_table *t = fx_table(fx_schema(), 12, 3);
	iso_features f;
	float *x;
	tk_ok(iso_features_new(e, 20000, 0.7, iso_key_new(1, "w"), &f, &err));
	tk_ok(iso_encode_new(e, t, &x, &err));
	float *scratch = iso_alloc(12 * (f.nnum + f.freq), sizeof *scratch);
	float *z = iso_alloc(12 * f.dim, sizeof *z);
	iso_features_embed(&f, x, e->dim, 12, scratch, z);
	for (size_t a = 0; a < 12; a++)
		for (size_t b = 0; b < a; b++) {
			double near = 0, same = 0, got = 0;
			for (size_t j = 0; j < f.nnum; j++) {
				const double d = (double)x[a * e->dim + f.num[j]] -
						 (double)x[b * e->dim + f.num[j]];
				near += d * d;
			}
			for (size_t j = 0; j < f.ncat; j++)
				same += (double)x[a * e->dim + f.cat[j]] *
					(double)x[b * e->dim + f.cat[j]];
			for (size_t k = 0; k < f.dim; k++)
				got += (double)z[a * f.dim + k] * (double)z[b * f.dim + k];
			same *= (double)(f.cat_scale * f.cat_scale);
			tk_assert_close(got, exp(-near / (2 * 0.49)) + same, 0, .045);
		}
	iso_free(x);
	iso_free(z);
	iso_free(scratch);
	iso_features_free(&f);
	iso_table_free(t);
	iso_encoder_free(e);
}
END_TEST

/* Every record's embedding has the norm that is planned for, whatever its categories. */
START_TEST(every_embedding_has_the_planned_norm)
{
	iso_encoder *e = encoder(fx_schema());
	iso_table *t = fx_table(fx_schema(), 200, 5);
	iso_features f;
	float *x;
	tk_ok(iso_features_new(e, 100, 1, iso_key_new(1, "w"), &f, &err));
	tk_assert_close(f.norm, sqrt(2), 1e-15, 0);
	tk_ok(iso_encode_new(e, t, &x, &err));
	float *scratch = iso_alloc(200 * (f.nnum + f.freq), sizeof *scratch);
	float *z = iso_alloc(200 * f.dim, sizeof *z);
	iso_features_embed(&f, x, e->dim, 200, scratch, z);
	for (size_t r = 0; r < 200; r++) {
		double norm = 0;
		for (size_t k = 0; k < f.dim; k++)
			norm += (double)z[r * f.dim + k] * (double)z[r * f.dim + k];
		tk_assert_close(sqrt(norm), sqrt(2), 1e-6, 0);
	}
	iso_free(x);
	iso_free(z);
	iso_free(scratch);
	iso_features_free(&f);
	iso_table_free(t);
	iso_encoder_free(e);
}
END_TEST

/* The derivative of sum_k c_k e_k(x) for fixed c, against central differences of step 1e-2 in fp32:
 * error of the differences about h^2/6 |f'''| + 1e-7/h = 2e-5 + 1e-5 of f' of order 1. */
START_TEST(derivatives_are_those_of_differences)
{
	iso_encoder *e = encoder(fx_schema());
	iso_table *t = fx_table(fx_schema(), 1, 9);
	iso_features f;
	float *x;
	tk_ok(iso_features_new(e, 40, 1, iso_key_new(2, "w"), &f, &err));
	tk_ok(iso_encode_new(e, t, &x, &err));
	float *scratch = iso_alloc(f.nnum + f.freq, sizeof *scratch);
	float *z = iso_alloc(f.dim, sizeof *z), *c = iso_alloc(f.dim, sizeof *c);
	float *dx = iso_alloc(e->dim, sizeof *dx);
	iso_rand_fill_uniform(iso_key_new(3, "c"), 0, -1, 1, c, f.dim);
	iso_features_embed(&f, x, e->dim, 1, scratch, z);
	iso_features_backward(&f, z, c, 1, scratch, dx, e->dim);
	for (size_t j = 0; j < e->dim; j++) {
		double side[2] = {0};
		const float at = x[j];
		for (int s = 0; s < 2; s++) {
			x[j] = at + (s ? 1e-2f : -1e-2f);
			iso_features_embed(&f, x, e->dim, 1, scratch, z);
			for (size_t k = 0; k < f.dim; k++)
				side[s] += (double)c[k] * (double)z[k];
		}
		x[j] = at;
		tk_assert_close(dx[j], (side[1] - side[0]) / 2e-2, 0, 5e-4);
	}
	iso_free(x);
	iso_free(z);
	iso_free(c);
	iso_free(dx);
	iso_free(scratch);
	iso_features_free(&f);
	iso_table_free(t);
	iso_encoder_free(e);
}
END_TEST

/* Two numeric columns on [0,1] and a label: class means (.3, .7) and (.6, .2), deviation .08.
 * Without noise the generated means per class lie within .05, the card's bar, and so do the label
 * shares (.75, .25). */
START_TEST(means_of_classes_are_matched)
{
	static const char text[] =
		"{\"name\":\"two\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":"
		"[0,1]},{\"name\":\"y\",\"type\":\"continuous\",\"bounds\":[0,1]},{\"name\":\"c\","
		"\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"a\",\"b\"]}]}";
	static const double mid[2][2] = {{.3, .7}, {.6, .2}};
	cJSON *v = cJSON_Parse(text);
	const iso_key key = iso_key_new(8, "two");
	const size_t n = 4000;
	iso_schema *s;
	iso_table *t, *out;
	double ones = 0;
	void *o;
	tk_ok(iso_schema_from_json(v, "two", &s, &err));
	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t r = 0; r < n; r++) {
		float g[2];
		const size_t c = iso_rand_u01(key, r, 0) < .25;
		iso_rand_fill_normal(key, r, 0, .08f, g, 2);
		t->cells[3 * r] = mid[c][0] + (double)g[0];
		t->cells[3 * r + 1] = mid[c][1] + (double)g[1];
		t->cells[3 * r + 2] = (double)c;
	}
	iso_training m = gen_train(gen_find("dp-merf"), "features=200 steps=1000 batch=100", t, 0,
				   1e-6, NULL, &o);
	out = gen_sample(&m, s, n);
	for (size_t r = 0; r < n; r++)
		ones += out->cells[3 * r + 2] / (double)n;
	tk_assert_close(ones, .25, 0, 5 * sqrt(2 * .25 * .75 / (double)n));
	for (int c = 0; c < 2; c++)
		for (size_t j = 0; j < 2; j++)
			tk_assert_close(gen_mean(out, j, c), mid[c][j], 0, .05);
	/* exactly the two planned events */
	const iso_plan *p = iso_ledger_items(m.ledger);
	ck_assert_uint_eq(p->n, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq((int)p->v[i].event.mechanism, ISO_MECH_GAUSSIAN);
		ck_assert_int_eq((int)p->v[i].event.sampling, ISO_SAMPLING_NONE);
		ck_assert_uint_eq(p->v[i].used, 1);
	}
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_table_free(out);
	iso_schema_free(s);
	cJSON_Delete(v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("merf");
	TCase *c = tcase_create("merf");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, products_of_features_are_the_kernel);
	tcase_add_test(c, every_embedding_has_the_planned_norm);
	tcase_add_test(c, derivatives_are_those_of_differences);
	tcase_add_test(c, means_of_classes_are_matched);
	suite_add_tcase(s, c);
	return tk_run(s);
}
