// SPDX-License-Identifier: Apache-2.0
/* dpa, mode=sound: the closed form against the normal equations, declared bounds against records,
 * pure epsilon, means of independent columns. */
#include <stdio.h>
#include <string.h>

#include "core/math/linalg.h"
#include "generators/kit/taylor.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* Exact sums of a table of n rows; u [n][d] of the rows. */
static double *exact(iso_taylor *t, const iso_encoder *e, const iso_table *rows)
{
	float *x;
	tk_ok(iso_encode_new(e, rows, &x, &err));
	double *u = iso_alloc(rows->n, e->dim * sizeof *u), *g = iso_alloc(t->code, sizeof *g),
	       *v = iso_alloc(iso_taylor_sums(t), sizeof *v);
	for (size_t i = 0; i < rows->n * e->dim; i++)
		u[i] = x[i];
	memset(t->sum, 0, iso_taylor_sums(t) * sizeof *t->sum);
	for (size_t r = 0; r < rows->n; r++) {
		iso_taylor_record(t, u + r * e->dim, g, v);
		for (size_t k = 0; k < iso_taylor_sums(t); k++)
			t->sum[k] += v[k];
	}
	iso_free(x);
	iso_free(g);
	iso_free(v);
	return u;
}

/* Card, acceptance 1.  Without noise the decoder is the least-squares solution of u - 1/2 = (w . h)
 * / 4, found here from the normal equations of all columns of (1, g) at once; and its residual
 * variance is the deviation of the numbers. */
START_TEST(decoder_is_least_squares)
{
	iso_table *rows = fx_table(fx_schema(), 600, 3);
	iso_encoder *e;
	iso_taylor t;
	enum { B = 5 };
	double a[(B + 1) * (B + 1)] = {0}, h[B + 1];
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES, &e, &err));
	tk_ok(iso_taylor_new(e, e->dim, B, 2, iso_key_new(5, "dpa"), &t, &err));
	double *u = exact(&t, e, rows), *b = iso_alloc(e->dim, (B + 1) * sizeof *b),
	       *got = iso_alloc(e->dim, sizeof *got), *left = iso_alloc(e->dim, sizeof *left);
	t.noise = 0;
	tk_ok(iso_taylor_solve(&t, &err));
	tk_assert_close(t.rows, 600, 1e-12, 0);
	for (size_t r = 0; r < rows->n; r++) {
		h[0] = 1;
		iso_taylor_code(&t, u + r * e->dim, h + 1);
		for (size_t i = 0; i <= B; i++) {
			for (size_t j = 0; j <= B; j++)
				a[i * (B + 1) + j] += h[i] * h[j];
			for (size_t j = 0; j < e->dim; j++)
				b[j * (B + 1) + i] += h[i] * u[r * e->dim + j];
		}
	}
	tk_ok(iso_cholesky(a, B + 1, &err));
	for (size_t j = 0; j < e->dim; j++)
		iso_cholesky_solve(a, B + 1, b + j * (B + 1));
	for (size_t r = 0; r < rows->n; r++) {
		h[0] = 1;
		iso_taylor_code(&t, u + r * e->dim, h + 1);
		iso_taylor_decode(&t, h + 1, got);
		for (size_t j = 0; j < e->dim; j++) {
			const double p = iso_ddot(B + 1, h, b + j * (B + 1));
			tk_assert_close(got[j], fmax(0, fmin(1, p)), 1e-8, 1e-8);
			left[j] += (u[r * e->dim + j] - p) * (u[r * e->dim + j] - p) / 600;
		}
	}
	for (size_t k = 0, n = 0; k < e->nblock; k++)
		if (e->block[k].kind == ISO_BLOCK_NUMERIC)
			tk_assert_close(t.sd[n++], sqrt(left[e->block[k].first]), 1e-6, 1e-9);
	iso_free(u);
	iso_free(b);
	iso_free(got);
	iso_free(left);
	iso_taylor_free(&t);
	iso_encoder_free(e);
	iso_table_free(rows);
}
END_TEST

/* Card, acceptance 2: no record of the public domain, corners included, leaves a declared bound in
 * L1 or L2, and the bounds are not idle: some record comes within a fifth of each. */
START_TEST(records_stay_below_the_bounds)
{
	iso_table *rows = fx_table(fx_schema(), 10000, 4);
	iso_encoder *e;
	iso_taylor t;
	double worst[2][3] = {{0}};
	iso_sum_block block[3];
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES, &e, &err));
	tk_ok(iso_taylor_new(e, e->dim, 3, 1.5, iso_key_new(6, "dpa"), &t, &err));
	double *u = iso_alloc(e->dim, sizeof *u), g[3],
	       *v = iso_alloc(iso_taylor_sums(&t), sizeof *v);
	float *x = iso_alloc(e->dim, sizeof *x);
	for (uint32_t r = 0; r < 10000; r++) {
		iso_encode(e, rows, &r, 1, x, e->dim);
		for (size_t k = 0; k < e->nblock; k++)
			for (size_t j = e->block[k].first;
			     j < e->block[k].first + e->block[k].width; j++)
				u[j] = e->block[k].kind == ISO_BLOCK_ONEHOT || r % 2 ? x[j]
				       : x[j] < 0.5				     ? 0
										     : 1;
		iso_taylor_record(&t, u, g, v);
		for (int l = 0; l < 2; l++) {
			const size_t n =
				iso_taylor_blocks(&t, l ? ISO_NORM_L1 : ISO_NORM_L2, block);
			for (size_t b = 0, at = 0; b < n; at += block[b++].dim) {
				double norm = 0;
				for (size_t j = at; j < at + block[b].dim; j++)
					norm += l ? fabs(v[j]) : v[j] * v[j];
				norm = (l ? norm : sqrt(norm)) / block[b].clip;
				worst[l][b] = fmax(worst[l][b], norm);
			}
		}
	}
	for (int l = 0; l < 2; l++)
		for (size_t b = 0; b < (t.nnumber ? 3u : 2u); b++)
			ck_assert_msg(worst[l][b] <= 1 + 1e-12 && worst[l][b] > 0.6,
				      "norm %d, block %zu: %g of the bound", l, b, worst[l][b]);
	iso_free(u);
	iso_free(v);
	iso_free(x);
	iso_taylor_free(&t);
	iso_encoder_free(e);
	iso_table_free(rows);
}
END_TEST

/* Eight binary columns, each 1 with probability 0.3 or 0.1, independent. */
static iso_table *coins(iso_schema **s, size_t n)
{
	char text[2048], *p = text;
	iso_table *t;
	p += sprintf(p, "{\"name\":\"coins\",\"columns\":[");
	for (int j = 0; j < 8; j++)
		p += sprintf(
			p, "%s{\"name\":\"c%d\",\"type\":\"binary\",\"categories\":[\"0\",\"1\"]}",
			j ? "," : "", j);
	sprintf(p, "]}");
	cJSON *v = cJSON_Parse(text);
	tk_ok(iso_schema_from_json(v, "coins", s, &err));
	cJSON_Delete(v);
	tk_ok(iso_table_new(*s, n, &t, &err));
	for (size_t i = 0; i < 8 * n; i++)
		t->cells[i] = iso_rand_u01(iso_key_new(3, "coins"), i, 0) < (i % 8 < 4 ? 0.3 : 0.1);
	return t;
}

/* Card, acceptance 4, at epsilon 8 and n = 30,000; _i: one layer, two layers, Laplace.  The noise
 * on a mean is below .001, the sample's standard error .002 (20,000 rows), the data's .0026;
 * clipping the Gaussian of the codes is the rest. */
START_TEST(independent_columns_keep_their_means)
{
	static const char *const options[] = {"code=8", "layers=2 code=8", "noise=laplace code=8"};
	iso_schema *s;
	iso_table *t = coins(&s, 30000);
	void *o;
	iso_training m = gen_train(gen_find("dpa"), options[_i], t, 8, 0, NULL, &o);
	iso_table *out = gen_sample(&m, s, 20000);
	for (size_t j = 0; j < 8; j++)
		ck_assert_msg(fabs(gen_mean(out, j, -1) - (j < 4 ? 0.3 : 0.1)) < 0.03,
			      "column %zu: %g", j, gen_mean(out, j, -1));
	/* noise=laplace is one pure release: the account says epsilon 8 at any delta */
	const iso_plan *items = iso_ledger_items(m.ledger);
	ck_assert_int_eq(items->v[0].event.mechanism,
			 _i == 2 ? ISO_MECH_LAPLACE : ISO_MECH_GAUSSIAN);
	if (_i == 2)
		ck_assert(1 / items->v[0].event.noise <= 8.9); /* RDP at delta 1e-5 allows more */
	iso_table_free(out);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dpa");
	TCase *c = tcase_create("dpa");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, decoder_is_least_squares);
	tcase_add_test(c, records_stay_below_the_bounds);
	tcase_add_loop_test(c, independent_columns_keep_their_means, 0, 3);
	suite_add_tcase(s, c);
	return tk_run(s);
}
