// SPDX-License-Identifier: Apache-2.0
/* dp-em and its mixtures: steps by hand, EM without noise, the declared bound, three blobs. */
#include <string.h>

#include "generators/kit/mixture.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* x in [-1, 1]; k of three categories; m a number that may be missing: encoded x, k0, k1, k2, m,
 * m-missing. */
static const char mixed[] =
	"{\"name\":\"mixed\",\"columns\":[{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":[-1,1]"
	"},"
	"{\"name\":\"k\",\"type\":\"categorical\",\"categories\":[\"a\",\"b\",\"c\"]},"
	"{\"name\":\"m\",\"type\":\"continuous\",\"bounds\":[0,1],\"missing\":[\"?\"]}]}";
static const char plane[] = "{\"name\":\"plane\",\"columns\":[{\"name\":\"x\",\"type\":"
			    "\"continuous\",\"bounds\":[-1,1]},"
			    "{\"name\":\"y\",\"type\":\"continuous\",\"bounds\":[-1,1]}]}";

static iso_schema *schema_of(const char *text)
{
	cJSON *v = cJSON_Parse(text);
	iso_schema *s;
	tk_ok(iso_schema_from_json(v, "test", &s, &err));
	cJSON_Delete(v);
	return s;
}

/* Two components with chosen parameters on `mixed`. */
typedef struct fixture {
	iso_schema *s;
	iso_encoder *enc;
	iso_mixture m;
} fixture;

static fixture set_up(void)
{
	static const double mean[2][6] = {{0.5, .7, .2, .1, 0, .5}, {-0.5, .1, .1, .8, .2, .25}};
	static const double var[2][6] = {{.04, 1, 1, 1, .25, 1}, {.09, 1, 1, 1, .16, 1}};
	fixture f = {.s = schema_of(mixed)};
	tk_ok(iso_encoder_new(f.s, ISO_ENC_FEATURES | ISO_ENC_LABEL, &f.enc, &err));
	ck_assert_uint_eq(f.enc->dim, 6);
	tk_ok(iso_mixture_new(f.enc, 2, iso_key_new(1, "m"), &f.m, &err));
	memcpy(f.m.mean, mean, sizeof mean);
	memcpy(f.m.var, var, sizeof var);
	f.m.weight[0] = .3, f.m.weight[1] = .7;
	iso_mixture_restore(&f.m);
	return f;
}

static void tear_down(fixture *f)
{
	iso_mixture_free(&f->m);
	iso_encoder_free(f->enc);
	iso_schema_free(f->s);
}

static double normal(double x, double mean, double var)
{
	return exp(-(x - mean) * (x - mean) / (2 * var)) / sqrt(2 * M_PI * var);
}

/* The E-step of one row against the densities written out. */
START_TEST(expectation_by_hand)
{
	const float x[6] = {.6f, 0, 0, 1, .5f, 1}; /* x = .2, category c, m missing */
	fixture f = set_up();
	double work[2], stat[26];
	const double p0 = .3 * normal(.2, .5, .04) * .1 * normal(0, 0, .25) * .5;
	const double p1 = .7 * normal(.2, -.5, .09) * .8 * normal(0, .2, .16) * .25;
	ck_assert_uint_eq(iso_mixture_stats(&f.m), 26);
	tk_assert_close(iso_mixture_expect(&f.m, x, work, stat), log(p0 + p1), 1e-6, 0);
	const double r[2] = {p0 / (p0 + p1), p1 / (p0 + p1)};
	for (size_t k = 0; k < 2; k++) {
		tk_assert_close(stat[k], r[k], 1e-5, 0);
		tk_assert_close(stat[2 + 6 * k], r[k] * .2, 1e-5, 0);	/* 2 * .6 - 1 */
		tk_assert_close(stat[2 + 6 * k + 3], r[k], 1e-5, 0);	/* category c */
		tk_assert_close(stat[2 + 6 * k + 4], 0, 0, 1e-12);	/* 2 * .5 - 1 */
		tk_assert_close(stat[2 + 6 * k + 5], r[k], 1e-5, 0);	/* missing */
		tk_assert_close(stat[14 + 6 * k], r[k] * .04, 1e-5, 0); /* its square */
		tk_assert_close(stat[14 + 6 * k + 3], 0, 0, 0);
	}
	tear_down(&f);
}
END_TEST

/* M-step: c = (4, 6); x: s = (2, -3), q = (1.16, 1.74): means .5 and -.5, variances .04. */
START_TEST(maximisation_by_hand)
{
	fixture f = set_up();
	double stat[26] = {0};
	stat[0] = 4, stat[1] = 6;
	stat[2] = 2, stat[8] = -3;
	stat[3] = 3, stat[4] = 1, stat[5] = -2; /* a negative count is noise */
	stat[7] = 1;
	stat[14] = 1.16, stat[20] = 1.74;
	iso_mixture_maximise(&f.m, stat, 0);
	tk_assert_close(f.m.rows, 10, 1e-12, 0);
	tk_assert_close(f.m.weight[0], .4, 1e-12, 0);
	tk_assert_close(f.m.mean[0], .5, 1e-12, 0);
	tk_assert_close(f.m.mean[6], -.5, 1e-12, 0);
	tk_assert_close(f.m.var[0], .04, 1e-9, 0);
	tk_assert_close(f.m.var[6], .04, 1e-9, 0);
	tk_assert_close(f.m.mean[1], .75, 1e-3, 0);
	tk_assert_close(f.m.mean[3], 1e-4, 1e-9, 0);
	tk_assert_close(f.m.mean[1] + f.m.mean[2] + f.m.mean[3], 1, 1e-12, 0);
	tk_assert_close(f.m.mean[5], .25, 1e-12, 0);
	tear_down(&f);
}
END_TEST

/* What noise alone gives is a proper mixture: finite, probabilities, variances above zero. */
START_TEST(noise_alone_gives_a_proper_mixture)
{
	fixture f = set_up();
	iso_stream s = iso_stream_new(iso_key_new(5, "noise"));
	for (int t = 0; t < 200; t++) {
		double stat[26], sum = 0;
		for (size_t i = 0; i < 26; i++)
			stat[i] = 1000 * iso_next_normal(&s);
		iso_mixture_maximise(&f.m, stat, 1000);
		for (size_t k = 0; k < 2; k++) {
			const double *p = f.m.mean + 6 * k;
			sum += f.m.weight[k];
			ck_assert(p[0] >= -1 && p[0] <= 1 && f.m.var[6 * k] >= 1e-4);
			tk_assert_close(p[1] + p[2] + p[3], 1, 1e-9, 0);
			ck_assert(p[1] > 0 && p[2] > 0 && p[3] > 0 && p[5] > 0 && p[5] < 1);
			ck_assert(isfinite(f.m.base[k]));
		}
		tk_assert_close(sum, 1, 1e-12, 0);
	}
	tear_down(&f);
}
END_TEST

/* 20,000 rows of the public domain, corners included, under random parameters: no vector of
 * statistics is longer than the declared bound, and some come near it. */
START_TEST(one_record_stays_below_the_bound)
{
	fixture f = set_up();
	iso_stream s = iso_stream_new(iso_key_new(6, "rows"));
	double worst = 0;
	tk_assert_close(iso_mixture_bound(&f.m), sqrt(1 + 2 + 1 + 2 + 1), 1e-12, 0);
	for (int t = 0; t < 20000; t++) {
		float x[6] = {0};
		double work[2], stat[26], norm = 0;
		x[0] = (float)(t % 3 == 0 ? t % 2 : iso_next_u01(&s));
		x[1 + t % 3] = 1;
		x[4] = (float)(t % 5 == 0 ? (t / 2) % 2 : iso_next_u01(&s));
		x[5] = (float)(t % 7 == 0);
		f.m.mean[0] = 2 * iso_next_u01(&s) - 1;
		f.m.weight[0] = iso_next_u01(&s);
		f.m.weight[1] = 1 - f.m.weight[0];
		iso_mixture_restore(&f.m);
		(void)iso_mixture_expect(&f.m, x, work, stat);
		for (size_t i = 0; i < 26; i++)
			norm += stat[i] * stat[i];
		worst = fmax(worst, sqrt(norm));
	}
	ck_assert(worst <= iso_mixture_bound(&f.m) * (1 + 1e-12));
	ck_assert(worst > 0.97 * iso_mixture_bound(&f.m));
	tear_down(&f);
}
END_TEST

/* Three blobs of standard deviation .08 in the plane. */
static iso_table *blobs(const iso_schema *s, size_t n)
{
	static const double centre[3][2] = {{-.6, -.4}, {.5, -.5}, {.1, .6}};
	iso_stream r = iso_stream_new(iso_key_new(7, "blobs"));
	iso_table *t;
	tk_ok(iso_table_new(s, n, &t, &err));
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < 2; c++) {
			const double v = centre[i % 3][c] + .08 * iso_next_normal(&r);
			t->cells[2 * i + c] = fmax(-1, fmin(1, v));
		}
	return t;
}

/* EM without noise: the log likelihood never falls (Dempster, Laird and Rubin 1977), as long as no
 * component falls under the floor of one row, which is checked. */
START_TEST(the_likelihood_never_falls_without_noise)
{
	iso_schema *s = schema_of(plane);
	iso_table *t = blobs(s, 900);
	iso_encoder *enc;
	iso_mixture m;
	double before = -INFINITY, work[3], stat[15], sum[15];
	float *x;
	tk_ok(iso_encoder_new(s, ISO_ENC_FEATURES, &enc, &err));
	tk_ok(iso_encode_new(enc, t, &x, &err));
	tk_ok(iso_mixture_new(enc, 3, iso_key_new(2, "start"), &m, &err));
	ck_assert_uint_eq(iso_mixture_stats(&m), 15);
	for (int it = 0; it < 40; it++) {
		double now = 0;
		memset(sum, 0, sizeof sum);
		for (size_t i = 0; i < t->n; i++) {
			now += iso_mixture_expect(&m, x + 2 * i, work, stat);
			for (size_t j = 0; j < 15; j++)
				sum[j] += stat[j];
		}
		ck_assert_msg(now >= before - 1e-6, "iteration %d: %g after %g", it, now, before);
		before = now;
		ck_assert(sum[0] > 1 && sum[1] > 1 && sum[2] > 1);
		iso_mixture_maximise(&m, sum, 0);
	}
	iso_free(x);
	iso_mixture_free(&m);
	iso_encoder_free(enc);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

/* Card, acceptance 3: K = 3 blobs, n = 50,000, epsilon 1: every centre within .05 of a mean.  Two
 * spare components, because a start that knows no data may put two means into one blob. */
START_TEST(three_blobs_at_epsilon_1)
{
	static const double centre[3][2] = {{-.6, -.4}, {.5, -.5}, {.1, .6}};
	iso_schema *s = schema_of(plane);
	iso_table *t = blobs(s, 50000);
	iso_str bytes = {0};
	double mean[5][2];
	void *o;
	iso_training m =
		gen_train(gen_find("dp-em"), "components=5 iterations=20", t, 1, 0, NULL, &o);
	tk_ok(m.generator->save(m.model, &bytes, &err));
	const char *at = strstr(bytes.p + strlen("rows 8\n") + 8, "weight 40\n");
	ck_assert_ptr_nonnull(at);
	memcpy(mean, at + strlen("weight 40\n") + 40 + strlen("mean 80\n"), sizeof mean);
	for (size_t b = 0; b < 3; b++) {
		double best = INFINITY;
		for (size_t k = 0; k < 5; k++)
			best = fmin(best,
				    hypot(mean[k][0] - centre[b][0], mean[k][1] - centre[b][1]));
		ck_assert_msg(best <= 0.05, "blob %zu: nearest mean at %g", b, best);
	}
	iso_str_free(&bytes);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
	iso_schema_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dp-em");
	TCase *c = tcase_create("dp-em");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, expectation_by_hand);
	tcase_add_test(c, maximisation_by_hand);
	tcase_add_test(c, noise_alone_gives_a_proper_mixture);
	tcase_add_test(c, one_record_stays_below_the_bound);
	tcase_add_test(c, the_likelihood_never_falls_without_noise);
	tcase_add_test(c, three_blobs_at_epsilon_1);
	suite_add_tcase(s, c);
	return tk_run(s);
}
