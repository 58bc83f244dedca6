// SPDX-License-Identifier: Apache-2.0
/* dp-augm: what becomes of public rows, and what their codes are worth. */
#include <string.h>

#include "core/learn/logreg.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

static iso_status train(const char *variant, const iso_table *t, const iso_table *open,
			double epsilon, iso_training *out, void **o)
{
	const iso_generator *g = gen_find("dp-augm");
	cJSON *v = cJSON_CreateObject();
	*o = iso_alloc(1, g->options_size);
	cJSON_AddStringToObject(v, "variant", variant);
	cJSON_AddNumberToObject(v, "epochs", 0);
	tk_ok(iso_options_resolve(g->options, v, g->name, *o, g->options_size, NULL, &err));
	cJSON_Delete(v);
	const iso_training_request r = {.generator = g,
					.options = *o,
					.train = t,
					.public_rows = open,
					.epsilon = epsilon,
					.delta = 1e-5,
					.accountant = ISO_ACC_RDP,
					.seed = 12};
	return iso_train(&r, out, &err);
}

START_TEST(refuses_data_without_public_rows)
{
	iso_table *t = fx_table(fx_schema(), 100, 3);
	iso_training m;
	void *o;
	tk_fails(train("recon", t, NULL, 1, &m, &o), ISO_E_UNSUPPORTED, "no public rows");
	iso_free(o);
	iso_table_free(t);
}
END_TEST

/* public_only gives the public rows, in order; recon gives them with their own labels, decoded from
 * the codes that `encode` gives (one and the same network), and nearer to their own row than to
 * another; beyond their number both repeat public rows only. */
START_TEST(rows_come_from_public_rows)
{
	iso_table *t = fx_table(fx_schema(), 600, 3), *open = fx_table(fx_schema(), 50, 4);
	const size_t ncol = t->schema->ncol;
	iso_training m, c;
	void *o, *p;
	tk_ok(train("recon", t, open, 1e4, &m, &o));
	tk_ok(train("public_only", t, open, 1, &c, &p));
	iso_table *own = gen_sample(&c, t->schema, 120), *rec = gen_sample(&m, t->schema, 120);
	ck_assert_int_eq(memcmp(own->cells, open->cells, 50 * ncol * sizeof(double)), 0);
	for (size_t i = 0; i < 120; i++) {
		size_t found = 0;
		for (size_t r = 0; r < 50; r++)
			found += memcmp(own->cells + i * ncol, open->cells + r * ncol,
					ncol * sizeof(double)) == 0;
		ck_assert_uint_ge(found, 1);
	}
	for (size_t i = 0; i < 50; i++)
		ck_assert_uint_eq(iso_table_label(rec, i), iso_table_label(open, i));
	iso_encoder *e;
	float *x, *y;
	double near = 0, far = 0;
	tk_ok(iso_encoder_new(t->schema, ISO_ENC_FEATURES, &e, &err));
	tk_ok(iso_encode_new(e, open, &x, &err));
	tk_ok(iso_encode_new(e, rec, &y, &err));
	for (size_t i = 0; i < 50; i++)
		for (size_t j = 0; j < e->dim; j++) {
			const double a = y[i * e->dim + j] - x[i * e->dim + j],
				     b = y[i * e->dim + j] - x[(i + 1) % 50 * e->dim + j];
			near += a * a;
			far += b * b;
		}
	ck_assert_msg(near < 0.6 * far, "own row %g, another %g", near, far);
	ck_assert(iso_ledger_items(c.ledger)->n == 0); /* the control releases nothing */
	iso_free(x);
	iso_free(y);
	iso_encoder_free(e);
	iso_table_free(own);
	iso_table_free(rec);
	iso_training_free(&m);
	iso_training_free(&c);
	iso_free(o);
	iso_free(p);
	iso_table_free(t);
	iso_table_free(open);
}
END_TEST

/* Accuracy on `test` of a logistic regression on n rows x [n][dim] of `from`. */
static double accuracy(float *x, const iso_table *from, float *xt, const iso_table *test,
		       size_t dim)
{
	const iso_logreg_config c = iso_logreg_default();
	const iso_source a = iso_source_floats(x, dim, from->n, dim),
			 b = iso_source_floats(xt, dim, test->n, dim);
	iso_design d, dt;
	iso_logreg m;
	uint32_t y[400];
	double p[800], right = 0;
	for (size_t r = 0; r < from->n; r++)
		y[r] = (uint32_t)iso_table_label(from, r);
	tk_ok(iso_design_new(&a, &d, &err));
	tk_ok(iso_design_new(&b, &dt, &err));
	tk_ok(iso_logreg_fit(&c, &d, NULL, from->n, y, 2, &m, &err));
	tk_ok(iso_logreg_predict(&m, &dt, NULL, test->n, p, &err));
	for (size_t r = 0; r < test->n; r++)
		right += (p[2 * r + 1] > p[2 * r]) == (iso_table_label(test, r) == 1);
	iso_logreg_free(&m);
	iso_design_free(&d);
	iso_design_free(&dt);
	return right / (double)test->n;
}

/* Card, acceptance 2 and 3: practically without noise, a classifier on the codes of 300 public
 * rows, tested on the codes of 400 others under the SAME encoder, is within 6 points of one on the
 * raw features (2 points and the standard error of a paired difference of 400 answers, 2 percent,
 * twice). */
START_TEST(codes_are_worth_the_features)
{
	iso_table *t = fx_table(fx_schema(), 2000, 3), *open = fx_table(fx_schema(), 300, 4),
		  *test = fx_table(fx_schema(), 400, 5);
	iso_training m;
	void *o;
	iso_encoder *e;
	float *x, *xt;
	tk_ok(train("recon", t, open, 1e4, &m, &o));
	tk_ok(iso_encoder_new(t->schema, ISO_ENC_FEATURES, &e, &err));
	tk_ok(iso_encode_new(e, open, &x, &err));
	tk_ok(iso_encode_new(e, test, &xt, &err));
	const size_t z = m.generator->latent_dim(m.model);
	float *c = iso_alloc(300 * z, sizeof *c), *ct = iso_alloc(400 * z, sizeof *ct);
	tk_ok(m.generator->encode(m.model, open, c, &err));
	tk_ok(m.generator->encode(m.model, test, ct, &err));
	const double raw = accuracy(x, open, xt, test, e->dim),
		     codes = accuracy(c, open, ct, test, z);
	ck_assert_msg(codes > raw - 0.06, "raw %.3f, codes %.3f", raw, codes);
	iso_free(x);
	iso_free(xt);
	iso_free(c);
	iso_free(ct);
	iso_encoder_free(e);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_table_free(open);
	iso_table_free(test);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dp-augm");
	TCase *c = tcase_create("dp-augm");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, refuses_data_without_public_rows);
	tcase_add_test(c, rows_come_from_public_rows);
	tcase_add_test(c, codes_are_worth_the_features);
	suite_add_tcase(s, c);
	return tk_run(s);
}
