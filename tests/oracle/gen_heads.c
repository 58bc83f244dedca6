// SPDX-License-Identifier: Apache-2.0
/* Output heads against finite differences; label law, parts of a saved model, share of the budget.
 */
#include <string.h>

#include "generators/kit/labels.h"
#include "generators/kit/latent_model.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

#define ROWS 3

static float u[ROWS * 64]; /* uniform draws of relaxed categories */
static const float *draws; /* u, or NULL */

/* A smooth function of the heads' output with a known gradient: sum_k w_k x_k + x_k^2 / 2. */
static double value_of(const iso_heads *h, const float *out, const double *w)
{
	float x[ROWS * 64];
	double sum = 0;
	iso_heads_forward(h, out, ROWS, draws, x, 64);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t k = 0; k < h->enc->dim; k++)
			sum += w[k] * x[r * 64 + k] + 0.5 * x[r * 64 + k] * x[r * 64 + k];
	return sum;
}

/* _i: 0 sigmoid heads (their activation belongs to the network), 1 softmax per block, 2 a relaxed
 * draw from it */
START_TEST(gradient_is_the_finite_difference)
{
	iso_encoder *e;
	float raw[ROWS * 64], out[ROWS * 64], x[ROWS * 64], dx[ROWS * 64], d[ROWS * 64];
	double w[64];
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES | ISO_ENC_LABEL, &e, &err));
	ck_assert_uint_le(e->dim, 64);
	const iso_heads h = iso_heads_new(e, _i, 0, 0.7);
	draws = _i == ISO_HEADS_GUMBEL ? u : NULL;
	ck_assert_int_eq(h.plain, !_i);
	ck_assert_int_eq(iso_heads_act(&h), _i ? ISO_ACT_LINEAR : ISO_ACT_SIGMOID);
	iso_rand_fill_normal(iso_key_new(1, "raw"), 0, 0, 1.5f, raw, ROWS * e->dim);
	iso_rand_fill_uniform(iso_key_new(3, "u"), 0, 0, 1, u, ROWS * e->dim);
	for (size_t k = 0; k < e->dim; k++)
		w[k] = iso_rand_u01(iso_key_new(2, "w"), k, 0) - 0.5;
	memcpy(out, raw, sizeof out);
	iso_act_apply(iso_heads_act(&h), out, ROWS * e->dim);
	iso_heads_forward(&h, out, ROWS, draws, x, 64);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t k = 0; k < e->dim; k++)
			dx[r * 64 + k] = (float)w[k] + x[r * 64 + k];
	iso_heads_backward(&h, x, 64, dx, 64, ROWS, draws != NULL, d);
	for (size_t i = 0; i < ROWS * e->dim; i++) {
		const float step = 5e-3f;
		double side[2];
		for (int s = 0; s < 2; s++) {
			memcpy(out, raw, sizeof out);
			out[i] = raw[i] + (s ? step : -step);
			iso_act_apply(iso_heads_act(&h), out, ROWS * e->dim);
			side[s] = value_of(&h, out, w);
		}
		tk_assert_close(d[i], (side[1] - side[0]) / (2 * (double)step), 1e-2, 2e-4);
	}
	iso_encoder_free(e);
}
END_TEST

START_TEST(softmax_blocks_sum_to_one)
{
	iso_encoder *e;
	float out[64], x[64];
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES, &e, &err));
	const iso_heads h = iso_heads_new(e, 1, 0, 1);
	size_t blocks = 0;
	for (size_t k = 0; k < e->dim; k++)
		out[k] = k % 2 ? 80.0f : -90.0f; /* e^80 overflows without the shift */
	iso_heads_forward(&h, out, 1, NULL, x, e->dim);
	for (size_t b = 0; b < e->nblock; b++) {
		double sum = 0;
		if (e->block[b].kind != ISO_BLOCK_ONEHOT)
			continue;
		for (size_t k = 0; k < e->block[b].width; k++)
			sum += x[e->block[b].first + k];
		tk_assert_close(sum, 1, 0, 1e-5);
		blocks++;
	}
	ck_assert_uint_eq(blocks, 2);
	iso_encoder_free(e);
}
END_TEST

/* A relaxed draw is nearest to category k with the probability of k: its largest coordinate is the
 * Gumbel-max draw.  4,000 draws, 5 sd: false alarm 6e-7 a category. */
START_TEST(relaxed_draws_follow_the_softmax)
{
	iso_encoder *e;
	float out[64] = {0}, x[64], p[64], g[64];
	size_t seen[64] = {0};
	tk_ok(iso_encoder_new(fx_schema(), ISO_ENC_FEATURES, &e, &err));
	const iso_heads h = iso_heads_new(e, ISO_HEADS_GUMBEL, 0, 0.5);
	iso_rand_fill_normal(iso_key_new(6, "logit"), 0, 0, 1, out, e->dim);
	iso_heads_forward(&h, out, 1, NULL, p, e->dim);
	for (size_t i = 0; i < 4000; i++) {
		iso_rand_fill_uniform(iso_key_new(7, "g"), i, 0, 1, g, e->dim);
		iso_heads_forward(&h, out, 1, g, x, e->dim);
		for (size_t b = 0; b < e->nblock; b++) {
			const iso_block *k = &e->block[b];
			size_t top = k->first;
			for (size_t j = k->first; j < k->first + k->width; j++)
				top = x[j] > x[top] ? j : top;
			seen[top] += k->kind == ISO_BLOCK_ONEHOT;
		}
	}
	for (size_t b = 0; b < e->nblock; b++)
		for (size_t j = e->block[b].first; e->block[b].kind == ISO_BLOCK_ONEHOT &&
						   j < e->block[b].first + e->block[b].width;
		     j++)
			tk_assert_close((double)seen[j] / 4000, p[j], 0,
					5 * sqrt((double)p[j] * (1 - (double)p[j]) / 4000) + 1e-3);
	iso_encoder_free(e);
}
END_TEST

START_TEST(label_law_is_drawn_as_counted)
{
	const double counts[] = {0, 3, 0, 1, 0};
	double cdf[5];
	size_t seen[5] = {0};
	iso_law_from_counts(counts, 5, cdf);
	for (size_t i = 0; i < 40000; i++)
		seen[iso_law_draw(cdf, 5, ((double)i + 0.5) / 40000)]++;
	ck_assert_uint_eq(seen[1], 30000);
	ck_assert_uint_eq(seen[3], 10000);
	const double none[] = {0, 0, 0, 0};
	iso_law_from_counts(none, 4, cdf);
	ck_assert_uint_eq(iso_law_draw(cdf, 4, 0.26), 1);
	ck_assert_uint_eq(iso_law_draw(cdf, 4, 1 - 1e-16), 3);
}
END_TEST

/* The share that iso_noise_ratio promises, against the accountant: with the histogram the epsilon
 * of a plan at the same scale grows by about sqrt(1 + f) - 1. */
START_TEST(histogram_takes_its_share)
{
	const double q = 0.1, steps = 500, share = 0.2, s = 10;
	iso_plan with = {0}, without = {0};
	iso_events a, b;
	double ea, eb;
	tk_ok(iso_plan_gaussian(&without, (iso_entry){.why = "step"}, s, q, (uint64_t)steps, 1,
				&err));
	tk_ok(iso_plan_gaussian(&with, (iso_entry){.why = "step"}, s, q, (uint64_t)steps, 1, &err));
	tk_ok(iso_plan_gaussian(&with, (iso_entry){.why = "hist"},
				s * iso_noise_ratio(q, steps, share), 1, 1, 1, &err));
	tk_ok(iso_plan_events(&without, 0, &a, &err));
	tk_ok(iso_plan_events(&with, 0, &b, &err));
	tk_ok(iso_account_one(&a, ISO_ADD_REMOVE, 1e-5, ISO_ACC_RDP, &ea, &err));
	tk_ok(iso_account_one(&b, ISO_ADD_REMOVE, 1e-5, ISO_ACC_RDP, &eb, &err));
	tk_assert_close(eb / ea, sqrt(1 + share), 0.03, 0);
	iso_events_free(&a);
	iso_events_free(&b);
	iso_plan_free(&with);
	iso_plan_free(&without);
}
END_TEST

START_TEST(parts_are_checked_by_name_and_size)
{
	const double v[] = {1, 2};
	double w[2];
	iso_str s = {0};
	iso_part_add(&s, "one", v, sizeof v);
	iso_part_add(&s, "two", v, 0);
	iso_parts in = {s.p, s.p + s.n};
	tk_fails(iso_part_take(&in, "two", w, sizeof w, &err), ISO_E_DATA, "two");
	tk_fails(iso_part_take(&in, "one", w, sizeof w[0], &err), ISO_E_DATA, "one");
	tk_ok(iso_part_take(&in, "one", w, sizeof w, &err));
	ck_assert_int_eq(memcmp(v, w, sizeof v), 0);
	tk_ok(iso_part_take(&in, "two", NULL, 0, &err));
	tk_fails(iso_part_take(&in, "three", w, 1, &err), ISO_E_DATA, "three");
	iso_str_free(&s);
}
END_TEST

START_TEST(batches_and_rates)
{
	ck_assert_uint_eq(iso_batch_of(0, 600, 60000), 600);
	ck_assert_uint_eq(iso_batch_of(0, 600, 456), 57);
	ck_assert_uint_eq(iso_batch_of(0, 64, 3), 1);
	ck_assert_uint_eq(iso_batch_of(100, 64, 30), 30);
	ck_assert_double_eq(iso_rate_of(600, 60000), 0.01);
	ck_assert_double_eq(iso_rate_of(9, 9), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oracle/gen_heads");
	TCase *c = tcase_create("core");
	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, gradient_is_the_finite_difference, 0, 3);
	tcase_add_test(c, softmax_blocks_sum_to_one);
	tcase_add_test(c, relaxed_draws_follow_the_softmax);
	tcase_add_test(c, label_law_is_drawn_as_counted);
	tcase_add_test(c, histogram_takes_its_share);
	tcase_add_test(c, parts_are_checked_by_name_and_size);
	tcase_add_test(c, batches_and_rates);
	suite_add_tcase(s, c);
	return tk_run(s);
}
