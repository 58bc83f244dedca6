// SPDX-License-Identifier: Apache-2.0
/* A checker never seen failing is not a checker: every sin of the rogue gives its own status,
 * through a loaded shared object. */
#include <dlfcn.h>
#include <string.h>

#include "suites/flow/verify.h"
#include "tests/plugins/fixture.h"
#include "tests/support/testkit.h"

static iso_error err;

static const iso_generator *rogue(void)
{
	const iso_generator *g;

	if (iso_generator_find("rogue", &g, &err) == ISO_OK)
		return g;
	iso_error_clear(&err);
	tk_ok(iso_generator_load(ROGUE_PATH, &err));
	tk_ok(iso_generator_find("rogue", &g, &err));
	return g;
}

static int options_of(const char *sin)
{
	const iso_generator *g = rogue();
	cJSON *values = cJSON_CreateObject();
	int o = 0;

	ck_assert_uint_eq(g->options_size, sizeof(o));
	cJSON_AddStringToObject(values, "sin", sin);
	tk_ok(iso_options_resolve(g->options, values, "rogue", &o, sizeof(o), NULL, &err));
	cJSON_Delete(values);
	return o;
}

/* scale 0 = calibrated to epsilon. */
static iso_status train_at(const char *sin, iso_table *t, double epsilon, double scale,
			   iso_training *m)
{
	const int o = options_of(sin);
	const iso_training_request r = {.generator = rogue(),
					.options = &o,
					.train = t,
					.epsilon = epsilon,
					.delta = 1e-5,
					.accountant = ISO_ACC_RDP,
					.scale = scale,
					.seed = 1};

	return iso_train(&r, m, &err);
}

static iso_status train(const char *sin, iso_table *t, iso_training *m)
{
	return train_at(sin, t, 1, 0, m);
}

START_TEST(sins_of_training)
{
	static const struct {
		const char *sin, *says;
		iso_status status;
	} want[] = {{"none", "", ISO_OK},
		    {"overspend", "budget exceeded", ISO_E_BUDGET},
		    {"unplanned", "not planned", ISO_E_BUDGET},
		    {"sensitivity", "sensitivity above the plan", ISO_E_BUDGET},
		    {"underspend", "1 of 2", ISO_E_PLUGIN},
		    {"no_model", "no model", ISO_E_PLUGIN},
		    {"shape_shifting_plan", "another scale", ISO_E_PLUGIN},
		    {"false_fixed", "fixed", ISO_E_PLUGIN},
		    {"dear_plan", "above the budget", ISO_E_BUDGET}};

	for (size_t i = 0; i < ISO_COUNT(want); i++) {
		iso_table *t = fx_table(fx_schema(), 20, 1);
		iso_training m;
		const iso_status st = train(want[i].sin, t, &m);

		ck_assert_msg(st == want[i].status, "%s gave %s (%s)", want[i].sin,
			      iso_status_name(st), err.text);
		ck_assert_msg(strstr(err.text, want[i].says) != NULL, "%s: %s", want[i].sin,
			      err.text);
		iso_error_clear(&err);
		iso_training_free(&m);
		iso_table_free(t);
	}
}
END_TEST

START_TEST(sins_of_sampling_and_scoring)
{
	static const struct {
		const char *sin, *says;
		iso_status status;
	} want[] = {{"none", "", ISO_OK},
		    {"short_output", "4 were given", ISO_E_PLUGIN},
		    {"outside_domain", "age", ISO_E_PLUGIN},
		    {"nan_cell", "age", ISO_E_PLUGIN},
		    {"release_in_sample", "closed", ISO_E_BUDGET}};
	iso_table *t = fx_table(fx_schema(), 20, 1), *out;
	iso_training m;
	double x[20];

	for (size_t i = 0; i < ISO_COUNT(want); i++) {
		iso_status st;

		tk_ok(train(want[i].sin, t, &m));
		st = iso_training_sample(&m, fx_schema(), 1, 5, &out, &err);
		ck_assert_msg(st == want[i].status, "%s gave %s (%s)", want[i].sin,
			      iso_status_name(st), err.text);
		ck_assert_msg(strstr(err.text, want[i].says) != NULL, "%s: %s", want[i].sin,
			      err.text);
		ck_assert((out != NULL) == (st == ISO_OK));
		iso_error_clear(&err);
		iso_table_free(out);
		iso_training_free(&m);
	}
	tk_ok(train("nan_score", t, &m));
	tk_fails(iso_training_score(&m, t, x, &err), ISO_E_PLUGIN, "row 3");
	iso_training_free(&m);
	tk_ok(train("none", t, &m));
	tk_ok(iso_training_score(&m, t, x, &err));
	iso_training_free(&m);
	iso_table_free(t);
}
END_TEST

/* The three that only a comparison shows: what the conformance checks compare must differ here. */
START_TEST(sins_that_conformance_compares)
{
	iso_table *t = fx_table(fx_schema(), 20, 1), *a, *b;
	char before[65], after[65];
	iso_training m, twin;
	iso_str x = {0}, y = {0};

	tk_ok(iso_table_hash(t, before, &err));
	t->cells[0] = 50;
	tk_ok(iso_table_hash(t, before, &err));
	tk_ok(train("write_const", t, &m));
	tk_ok(iso_table_hash(t, after, &err));
	ck_assert_str_ne(before, after);
	iso_training_free(&m);
	tk_ok(train("reseed", t, &m));
	tk_ok(train("reseed", t, &twin));
	tk_ok(m.generator->save(m.model, &x, &err));
	tk_ok(m.generator->save(twin.model, &y, &err));
	ck_assert(x.n == y.n && memcmp(x.p, y.p, x.n) != 0);
	iso_str_free(&x);
	iso_str_free(&y);
	iso_training_free(&m);
	iso_training_free(&twin);
	t->cells[0] = 50;
	tk_ok(train("keep_train_pointer", t, &m));
	tk_ok(iso_training_sample(&m, fx_schema(), 1, 3, &a, &err));
	t->cells[0] = 60;
	tk_ok(iso_training_sample(&m, fx_schema(), 1, 3, &b, &err));
	ck_assert(a->cells[0] != b->cells[0]);
	iso_table_free(a);
	iso_table_free(b);
	iso_training_free(&m);
	iso_table_free(t);
}
END_TEST

START_TEST(uncharged_lowers_the_label)
{
	iso_table *t = fx_table(fx_schema(), 20, 1);
	iso_training m;
	iso_epsilons e;

	tk_ok(train("none", t, &m));
	ck_assert_int_eq(m.guarantee, ISO_GUARANTEE_DP);
	iso_training_free(&m);
	tk_ok(train("uncharged", t, &m));
	ck_assert_int_eq(m.guarantee, ISO_GUARANTEE_HEURISTIC);
	tk_ok(iso_ledger_epsilon(m.ledger, 1e-5, ISO_WANT_RDP, &e, &err));
	ck_assert(isinf(e.rdp));
	iso_training_free(&m);
	iso_table_free(t);
}
END_TEST

/* min over the orders of 2 a / (2 s^2) + log1p(-1/a) - log(delta a) / (a - 1): two Gaussian
 * releases at noise s, by brute force (Canonne, Kamath and Steinke 2020, Proposition 12). */
static double cost_of(double s)
{
	double best = INFINITY;

	for (double x = -3; x < 8; x += 1e-4) {
		const double a = 1 + exp(x);

		best = fmin(best, a / (s * s) + log1p(-1 / a) - log(1e-5 * a) / (a - 1));
	}
	return best;
}

/* A scale that is brought along is held to the target like any other noise: the scale of epsilon 8
 * is refused at 1, with the cost that it has, and a scale that costs less is taken as it is. */
START_TEST(brought_scale_is_held_to_the_target)
{
	iso_table *t = fx_table(fx_schema(), 20, 1);
	iso_training m;
	iso_epsilons e;
	const char *stated;
	double dear;

	tk_ok(train_at("none", t, 8, 0, &m));
	dear = m.scale;
	iso_training_free(&m);
	tk_assert_close(cost_of(dear), 8, 1e-3, 0);
	tk_fails(train_at("none", t, 1, dear, &m), ISO_E_BUDGET, "plan above the budget");
	ck_assert_ptr_null(m.model);
	ck_assert_ptr_null(m.ledger);
	/* the text states the cost at the scale */
	ck_assert_int_eq(train_at("none", t, 8, dear / 2, &m), ISO_E_BUDGET);
	stated = strstr(err.text, "costs epsilon ");
	ck_assert_ptr_nonnull(stated);
	tk_assert_close(strtod(stated + strlen("costs epsilon "), NULL), cost_of(dear / 2), 1e-5,
			0);
	iso_error_clear(&err);
	tk_fails(train_at("none", t, 8, dear * 0.999, &m), ISO_E_BUDGET, "the target is 8");
	tk_ok(train_at("none", t, 8, dear, &m));
	ck_assert(m.scale == dear);
	ck_assert_int_eq(m.guarantee, ISO_GUARANTEE_DP);
	iso_training_free(&m);
	tk_ok(train_at("none", t, 8, 2 * dear, &m));
	tk_ok(iso_ledger_epsilon(m.ledger, 1e-5, ISO_WANT_RDP, &e, &err));
	tk_assert_close(e.rdp, cost_of(2 * dear), 1e-5, 0);
	ck_assert(iso_ledger_items(m.ledger)->v[0].event.noise == 2 * dear);
	iso_training_free(&m);
	iso_table_free(t);
}
END_TEST

START_TEST(registration_refuses)
{
	const iso_generator good = *rogue();
	static const iso_option bad_default[] = {{"x", ISO_OPTION_INT, 0, "7", 0, 3, 0, "x"}, {0}};
	const struct {
		const char *says;
		iso_generator g;
	} bad[] = {
#define BUT(member, value) \
	({ \
		iso_generator g_ = good; \
		g_.name = "fresh"; \
		g_.member = (value); \
		g_; \
	})
		{"ABI", BUT(abi, 99)},
		{"name", BUT(name, NULL)},
		{"name", BUT(name, "Not A Name")},
		{"name taken", BUT(name, "rogue")},
		{"title", BUT(title, "")},
		{"citation", BUT(citation, NULL)},
		{"card", BUT(card, NULL)},
		{"version", BUT(version, 0)},
		{"options", BUT(options, NULL)},
		{"plan", BUT(plan, NULL)},
		{"fit", BUT(fit, NULL)},
		{"sample", BUT(sample, NULL)},
		{"destroy", BUT(destroy, NULL)},
		{"save", BUT(save, NULL)},
		{"defaults of generator fresh", BUT(options, bad_default)},
	};
	const size_t n = iso_generator_count();

	for (size_t i = 0; i < ISO_COUNT(bad); i++)
		tk_fails(iso_generator_register(&bad[i].g, &err), ISO_E_PLUGIN, bad[i].says);
	tk_fails(iso_generator_register(NULL, &err), ISO_E_PLUGIN, "no descriptor");
	ck_assert_uint_eq(iso_generator_count(), n);
}
END_TEST

START_TEST(loading_refuses)
{
	const iso_generator *g;
	const char *dir = tk_tempdir();
	Dl_info libm;

	tk_fails(iso_generator_load("./no-such-file.so", &err), ISO_E_PLUGIN, "no-such-file");
	tk_fails(iso_generator_load(tk_write(dir, "text.so", "hello"), &err), ISO_E_PLUGIN,
		 "text.so");
	tk_fails(iso_generator_load("libm.so.6", &err), ISO_E_PLUGIN, "give the path");
	ck_assert(dladdr(dlsym(RTLD_DEFAULT, "cbrt"), &libm) != 0);
	tk_fails(iso_generator_load(libm.dli_fname, &err), ISO_E_PLUGIN, "iso_plugin_generator");
	(void)rogue();
	tk_fails(iso_generator_load(ROGUE_PATH, &err), ISO_E_PLUGIN, "name taken");
	tk_fails(iso_generator_find("rouge", &g, &err), ISO_E_CONFIG, "did you mean \"rogue\"");
	ck_assert_ptr_null(g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins/rogues");
	TCase *c = tcase_create("rogues");

	tcase_add_test(c, sins_of_training);
	tcase_add_test(c, sins_of_sampling_and_scoring);
	tcase_add_test(c, sins_that_conformance_compares);
	tcase_add_test(c, uncharged_lowers_the_label);
	tcase_add_test(c, brought_scale_is_held_to_the_target);
	tcase_add_test(c, registration_refuses);
	tcase_add_test(c, loading_refuses);
	suite_add_tcase(s, c);
	return tk_run(s);
}
