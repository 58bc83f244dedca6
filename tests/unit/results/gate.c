// SPDX-License-Identifier: Apache-2.0
/* The gate on records made by hand: p-values and families worked out on paper, refusals, the false
 * alarm rate on results in which nothing changed, and what it can see. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "results/gate.h"
#include "tests/support/testkit.h"

static iso_error err;

/* A record as the gate reads it: one metric ("u.x", higher is better) and one attack ("a.auc"). */
typedef struct made {
	const char *method, *guarantee, *verified, *hash, *control, *status;
	double epsilon, delta, accounted, x, auc;
	int seed, option, uncharged, judged;
} made;

static made plain(const char *method, int seed, double x, double auc)
{
	return (made){.method = method,
		      .guarantee = "dp",
		      .verified = "verified",
		      .hash = "aa",
		      .control = "",
		      .status = "ok",
		      .epsilon = 1,
		      .delta = 1e-5,
		      .accounted = 1,
		      .x = x,
		      .auc = auc,
		      .seed = seed,
		      .option = 7,
		      .judged = 1};
}

static cJSON *record(const made *m)
{
	char text[4000], x[40], auc[40];
	cJSON *r;

	snprintf(x, sizeof(x), isnan(m->x) ? "null" : "%.12g", m->x);
	snprintf(auc, sizeof(auc), isnan(m->auc) ? "null" : "%.12g", m->auc);
	snprintf(text, sizeof(text),
		 "{\"key\":\"k\",\"suite\":\"s<1>\",\"label\":\"%s\",\"status\":\"%s\","
		 "\"guarantee\":\"%s\",\"verified\":\"%s\",\"control\":\"%s\",\"rows\":9,"
		 "\"targets\":9,\"config\":{\"dataset\":{\"name\":\"d\",\"hash\":\"%s\",\"split\":"
		 "{\"train\":0.5}},\"generator\":{\"name\":\"%s\",\"version\":1,\"code\":\"c\","
		 "\"options\":{\"o\":%d}},\"epsilon\":%.17g,\"delta\":%.17g,\"adjacency\":"
		 "\"add-remove\",\"accountant\":\"pld\",\"secure\":false,\"public_class_counts\":"
		 "false,\"seed\":%d},\"judged\":[%s],\"privacy\":{\"accounted_epsilon\":%.17g,"
		 "\"uncharged\":[%s]},\"metrics\":[{\"metric\":\"u\",\"name\":\"x\",\"value\":%s,"
		 "\"direction\":\"higher\",\"headline\":true}],\"attacks\":[{\"label\":\"a\","
		 "\"values\":[{\"name\":\"auc\",\"value\":%s,\"direction\":\"lower\","
		 "\"headline\":true}]}],\"run\":{}}",
		 m->method, m->status, m->guarantee, m->verified, m->control, m->hash, m->method,
		 m->option, m->epsilon, m->delta, m->seed,
		 m->judged ? "{\"kind\":\"attack\",\"label\":\"a\",\"name\":\"a\",\"version\":1,"
			     "\"code\":\"c\",\"options\":{}}"
			   : "",
		 m->accounted, m->uncharged ? "\"looked\"" : "", x, auc);
	tk_ok(iso_json_parse(text, strlen(text), "record", &r, &err));
	return r;
}

static void add(iso_gate_side *s, made m)
{
	cJSON *r = record(&m);

	tk_ok(iso_gate_take(s, r, &err));
	cJSON_Delete(r);
}

static const iso_gate_check *check_of(const iso_gate_result *r, const char *method,
				      const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->check[i].method, method) == 0 && strcmp(r->check[i].name, name) == 0)
			return &r->check[i];
	ck_abort_msg("no check %s %s", method, name);
	return NULL;
}

/* n seeds of one method; the results differ from the baseline by x - dx[i] and auc + da. */
static void both(iso_gate_side *b, iso_gate_side *n, const char *method, int seeds,
		 const double *dx, double da)
{
	for (int i = 0; i < seeds; i++) {
		add(b, plain(method, i + 1, 0.8 + 0.01 * i, 0.5));
		add(n, plain(method, i + 1, 0.8 + 0.01 * i - dx[i], 0.5 + da));
	}
}

static void compare(const iso_gate_side *b, const iso_gate_side *n, iso_gate_result *r)
{
	memset(r, 0, sizeof(*r));
	tk_ok(iso_gate_promises(n, 0, r, &err));
	tk_ok(iso_gate_compare(b, n, 1e-3, r, &err));
}

static void forget(iso_gate_side *b, iso_gate_side *n, iso_gate_result *r)
{
	iso_gate_result_free(r);
	iso_gate_side_free(b);
	iso_gate_side_free(n);
}

static const double worse[12] = {.01, .02, .03, .04, .05, .06, .07, .08, .09, .1, .11, .12};

/* Twelve differences for the worse: p = 2^-12.  Alone it is 0.000244; with a second test of twelve
 * differences in the family it counts twice.  A test of five cannot reach its level and is not in
 * the family, though all five are worse. */
START_TEST(family_by_hand)
{
	static const double mixed[12] = {.01, -.02, .03, -.04, .05, -.06,
					 .07, -.08, .09, -.1,  .11, -.12};
	iso_gate_side b = {0}, n = {0};
	iso_gate_result r;
	const iso_gate_check *c;

	both(&b, &n, "one", 12, worse, 0);
	compare(&b, &n, &r);
	c = check_of(&r, "one", "u.x");
	ck_assert(r.tests == 2 && r.family == 1 && r.failed == 1 && iso_gate_exit(&r) == 1);
	ck_assert(c->outcome == ISO_GATE_FAIL && c->pairs == 12 && c->differ == 12);
	tk_assert_close(c->p, 1 / 4096.0, 1e-15, 0);
	tk_assert_close(c->adjusted, 1 / 4096.0, 1e-15, 0);
	tk_assert_close(c->before, 0.855, 1e-12, 0);
	tk_assert_close(c->now, 0.79, 1e-12, 0);
	c = check_of(&r, "one", "a.auc");
	ck_assert(c->outcome == ISO_GATE_PASS && c->differ == 0 && c->p == 1);
	iso_gate_result_free(&r);

	both(&b, &n, "three", 5, worse, 0);
	both(&b, &n, "two", 12, mixed, 0);
	compare(&b, &n, &r);
	ck_assert(r.tests == 6 && r.family == 2 && r.failed == 1 && r.too_few == 1);
	c = check_of(&r, "one", "u.x");
	tk_assert_close(c->adjusted, 2 / 4096.0, 1e-15, 0);
	c = check_of(&r, "two", "u.x");
	/* positive ranks 1, 3, .., 11: 36 of 78, below their mean */
	ck_assert(c->outcome == ISO_GATE_PASS && c->p > 0.5 && c->p < 0.7);
	c = check_of(&r, "three", "u.x");
	ck_assert(c->outcome == ISO_GATE_TOO_FEW && c->p == 1 / 32.0);
	forget(&b, &n, &r);
}
END_TEST

/* Better is never a failure, in either direction of a value. */
START_TEST(directions)
{
	double better[12];
	iso_gate_side b = {0}, n = {0};
	iso_gate_result r;

	for (int i = 0; i < 12; i++)
		better[i] = -worse[i];
	both(&b, &n, "m", 12, better, -0.1);
	compare(&b, &n, &r);
	ck_assert(r.failed == 0 && r.family == 2 && iso_gate_exit(&r) == 0);
	iso_gate_result_free(&r);
	compare(&n, &b, &r);
	ck_assert(r.failed == 2);
	forget(&b, &n, &r);
	/* an attack that no longer finds copied rows is worse */
	for (int i = 0; i < 12; i++) {
		made m = plain("copies", i, 0.5, 1);

		m.control = "copies";
		add(&b, m);
		m.auc = 0.9 - 0.01 * i;
		add(&n, m);
	}
	compare(&b, &n, &r);
	ck_assert(r.failed == 1 && check_of(&r, "copies", "a.auc")->outcome == ISO_GATE_FAIL);
	forget(&b, &n, &r);
}
END_TEST

/* Accounted epsilon by more than calibration's 0.1 %, an uncharged look, a withdrawn promise, a
 * cell that fails, a refuted promise. */
START_TEST(exact_checks)
{
	const struct {
		const char *name;
		double accounted;
		int uncharged;
		const char *guarantee, *status, *verified;
		int failed;
	} row[] = {
		{"accounted_epsilon", 1.0009, 0, "dp", "ok", "verified", 0},
		{"accounted_epsilon", 1.0011, 0, "dp", "ok", "verified", 1},
		{"accounted_epsilon", 0.5, 0, "dp", "ok", "verified", 0},
		{"accounted_epsilon", INFINITY, 0, "dp", "ok", "verified", 1},
		{"uncharged", 1, 1, "dp", "ok", "verified", 1},
		{"guarantee", 1, 0, "heuristic", "ok", "none", 1},
		{"finished_cells", 1, 0, "dp", "crash", "verified", 1},
		{"verified", 1, 0, "dp", "ok", "refuted", 1},
	};

	for (size_t i = 0; i < ISO_COUNT(row); i++) {
		iso_gate_side b = {0}, n = {0};
		iso_gate_result r;
		made m = plain("m", 1, 0.5, 0.5);

		add(&b, m);
		m.accounted = fmin(row[i].accounted, 1e300);
		m.uncharged = row[i].uncharged;
		m.guarantee = row[i].guarantee;
		m.status = row[i].status;
		m.verified = row[i].verified;
		add(&n, m);
		compare(&b, &n, &r);
		ck_assert_msg(r.failed == (size_t)row[i].failed && r.nrefusal == 0, "row %zu: %zu",
			      i, r.failed);
		if (row[i].failed)
			ck_assert_int_eq(check_of(&r, "m", row[i].name)->outcome, ISO_GATE_FAIL);
		forget(&b, &n, &r);
	}
}
END_TEST

START_TEST(refusals)
{
	for (int i = 0; i < 7; i++) {
		static const char *const text[] = {"other data",	  "other configuration",
						   "other configuration", "other epsilon",
						   "missing attack",	  "unverified record",
						   "missing setting"};
		static const int status[] = {3, 2, 2, 2, 2, 3, 2};
		iso_gate_side b = {0}, n = {0};
		iso_gate_result r;
		made m = plain("m", 1, 0.5, 0.5);

		add(&b, m);
		m.hash = i == 0 ? "bb" : m.hash;
		m.delta = i == 1 ? 1e-6 : m.delta;
		m.option = i == 2 ? 8 : m.option;
		m.epsilon = i == 3 ? 2 : m.epsilon;
		m.judged = i != 4;
		m.verified = i == 5 ? "claimed" : m.verified;
		m.method = i == 6 ? "other" : m.method;
		add(&n, m);
		compare(&b, &n, &r);
		ck_assert_uint_eq(r.nrefusal, 1);
		ck_assert_msg(strncmp(r.refusal[0].text, text[i], strlen(text[i])) == 0, "%s",
			      r.refusal[0].text);
		ck_assert_int_eq(iso_gate_exit(&r), status[i]);
		forget(&b, &n, &r);
	}
}
END_TEST

/* An attack that gave a number and now gives none is the worst difference; the other way round it
 * is the best. */
START_TEST(undefined_values)
{
	iso_gate_side b = {0}, n = {0};
	iso_gate_result r;

	for (int i = 0; i < 12; i++) {
		add(&b, plain("m", i, 0.5, 0.5));
		add(&n, plain("m", i, NAN, 0.5));
	}
	compare(&b, &n, &r);
	ck_assert(r.failed == 1 && check_of(&r, "m", "u.x")->p == 1 / 4096.0);
	iso_gate_result_free(&r);
	compare(&n, &b, &r); /* no value of x in the baseline: nothing to compare */
	ck_assert(r.failed == 0);
	forget(&b, &n, &r);
}
END_TEST

/* Seeds 1, 2, 3 against 2, 3, 4: 2 and 3 pair, then 1 with 4. */
START_TEST(pairs_of_seeds)
{
	iso_gate_side b = {0}, n = {0};
	iso_gate_result r;
	const iso_gate_check *c;

	for (int i = 1; i <= 3; i++) {
		add(&b, plain("m", i, i, 0.5));
		add(&n, plain("m", i + 1, i + 1, 0.5));
	}
	compare(&b, &n, &r);
	c = check_of(&r, "m", "u.x");
	ck_assert(c->pairs == 3 && c->differ == 1 && c->before == 2 && c->now == 3);
	ck_assert(c->outcome == ISO_GATE_TOO_FEW && c->p == 1);
	forget(&b, &n, &r);
}
END_TEST

static uint64_t state = 88172645463325252ull;
static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) * 0x1p-53;
}

/* A method that collapses in three of ten trainings and is measured in steps of 0.05. */
static double lumpy(void)
{
	return (uniform() < 0.3 ? 0.5 : 0.8) + 0.05 * floor(3 * uniform());
}

static int red(int methods, int seeds, double alpha, double shift)
{
	iso_gate_side b = {0}, n = {0};
	iso_gate_result r = {0};
	char name[16];
	int failed;

	for (int m = 0; m < methods; m++)
		for (int i = 0; i < seeds; i++) {
			snprintf(name, sizeof(name), "m%d", m);
			add(&b, plain(name, i, lumpy(), uniform()));
			add(&n, plain(name, i, lumpy() - (m ? 0 : shift), uniform()));
		}
	tk_ok(iso_gate_compare(&b, &n, alpha, &r, &err));
	failed = r.failed > 0;
	forget(&b, &n, &r);
	return failed;
}

/* 100 gates of six tests on results where nothing changed, at alpha 0.2: more than 37 red ones (20
 * + 4.2 standard deviations) would come once in 70,000 times if the rate held with equality.  A
 * fall of 0.3 in one method, one and a half standard deviations, is seen with ten pairs. */
START_TEST(false_alarms_and_power)
{
	int alarms = 0, seen = 0;

	for (int i = 0; i < 100; i++)
		alarms += red(3, 10, 0.2, 0);
	ck_assert_msg(alarms <= 37, "%d of 100", alarms);
	for (int i = 0; i < 10; i++)
		seen += red(3, 10, 0.2, 0.3);
	ck_assert_msg(seen >= 4, "%d of 10", seen);
}
END_TEST

START_TEST(file_round_trip)
{
	iso_gate_side b = {0}, n = {0}, back;
	iso_gate_result r;
	char path[600], *text, *at;
	size_t size;

	both(&b, &n, "m", 12, worse, 0);
	snprintf(path, sizeof(path), "%s/b.json", tk_tempdir());
	tk_ok(iso_gate_write(&b, path, cJSON_CreateObject(), &err));
	tk_ok(iso_gate_read(path, &back, &err));
	compare(&back, &b, &r);
	ck_assert(r.failed == 0 && r.too_few == 0 && r.tests == 2 && r.family == 0);
	iso_gate_result_free(&r);
	compare(&back, &n, &r);
	ck_assert(r.failed == 1);
	iso_gate_side_free(&back);
	tk_ok(iso_file_read(path, 0, &text, &size, &err));
	at = strstr(text, "0.5");
	ck_assert_ptr_nonnull(at);
	at[2] = '6';
	tk_ok(iso_file_write_atomic(path, text, size, &err));
	iso_free(text);
	tk_fails(iso_gate_read(path, &back, &err), ISO_E_DATA, "changed baseline");
	snprintf(path, sizeof(path), "%s", tk_write(tk_tempdir(), "c.json", "{\"name\": 3}"));
	tk_fails(iso_gate_read(path, &back, &err), ISO_E_DATA, "not a baseline");
	tk_fails(iso_gate_read("/nowhere/b.json", &back, &err), ISO_E_USAGE, "no baseline");
	forget(&b, &n, &r);
}
END_TEST

/* Fisher's test by hand.  Ten runs of each world, none recognised before, all now: one table of
 * C(20, 10) = 184756; the false positives did not move, so p counts twice.  An audit that finds a
 * violation is a failure in itself; another threshold cannot be compared. */
START_TEST(audits)
{
	static const char *const text =
		"{\"key\":\"%s\",\"outcome\":\"%s\",\"epsilon\":%d,\"tests\":{\"rows\":{\"n_out\":"
		"10,"
		"\"false_positives\":2,\"n_in\":10,\"false_negatives\":%d,\"threshold\":%s}}}";
	const struct {
		const char *outcome, *threshold;
		int missed, failed;
		size_t tests;
		double p;
	} row[] = {
		{"loose", "0.5", 10, 0, 3, 1},		 /* the same */
		{"loose", "0.5", 0, 1, 3, 2 / 184756.0}, /* recognised */
		{"violation", "0.5", 10, 1, 3, 1},	 /* the verdict alone */
		{"violation", "0.5", 0, 2, 3, 2 / 184756.0},
		{"loose", "0.7", 0, 0, 2, 1},
	};

	for (size_t i = 0; i < ISO_COUNT(row); i++) {
		iso_gate_side b = {0}, n = {0};
		iso_gate_result r;
		const made m = plain("m", 1, 0.5, 0.5);
		char audit[400];

		for (int side = 0; side < 2; side++) {
			cJSON *rec = record(&m), *a;

			snprintf(audit, sizeof(audit), text, side ? "new" : "old",
				 side ? row[i].outcome : "loose", side, side ? row[i].missed : 10,
				 side ? row[i].threshold : "0.5");
			tk_ok(iso_json_parse(audit, strlen(audit), "audit", &a, &err));
			cJSON_AddItemToObject(rec, "audit", a);
			tk_ok(iso_gate_take(side ? &n : &b, rec, &err));
			cJSON_Delete(rec);
		}
		compare(&b, &n, &r);
		ck_assert_msg(r.failed == (size_t)row[i].failed && r.tests == row[i].tests,
			      "row %zu: %zu of %zu", i, r.failed, r.tests);
		if (row[i].tests == 3) {
			const iso_gate_check *c = check_of(&r, "m", "audit.rows");

			tk_assert_close(c->p, row[i].p, 1e-9, 0);
			tk_assert_close(c->before, -0.2, 1e-12, 0);
			tk_assert_close(c->now, row[i].missed ? -0.2 : 0.8, 1e-12, 0);
			/* at level 0.001 / 3: nine of ten, with p = 2 * 11 / 184756 = 1.2e-4; eight
			 * have 2 * 67 / 184756 = 7.3e-4 */
			tk_assert_close(c->visible, 0.9, 1e-12, 0);
		}
		forget(&b, &n, &r);
	}
}
END_TEST

/* Counts of the JUnit suite, markup of labels escaped, bytes that XML forbids replaced. */
START_TEST(junit_text)
{
	iso_gate_side b = {0}, n = {0};
	iso_gate_result r;
	iso_str out = {0};

	both(&b, &n, "a&<b>", 12, worse, 0);
	compare(&b, &n, &r);
	iso_gate_junit(&r, "s\x01\xff<1>", "2026-01-31T12:00:00", &out);
	tk_ok(iso_str_check(&out, &err));
	ck_assert_ptr_nonnull(strstr(out.p, "name=\"a&#38;&#60;b&#62;\""));
	ck_assert_ptr_nonnull(strstr(out.p, "package=\"s\xef\xbf\xbd\xef\xbf\xbd&#60;1&#62;\""));
	ck_assert_ptr_nonnull(strstr(out.p, "tests=\"6\" failures=\"1\" errors=\"0\""));
	ck_assert_ptr_nonnull(strstr(out.p, "<failure type=\"significantly worse\" message=\""));
	iso_str_free(&out);
	iso_gate_result_free(&r);
	memset(&r, 0, sizeof(r));
	tk_ok(iso_gate_refuse(&r, ISO_E_DATA, &err, "other data (%s)", "<x>"));
	iso_gate_junit(&r, "s", "2026-01-31T12:00:00", &out);
	ck_assert_ptr_nonnull(strstr(out.p, "tests=\"1\" failures=\"0\" errors=\"1\""));
	ck_assert_ptr_nonnull(strstr(out.p, "message=\"other data (&#60;x&#62;)\""));
	iso_str_free(&out);
	forget(&b, &n, &r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gate");
	TCase *t = tcase_create("gate");

	tcase_add_test(t, family_by_hand);
	tcase_add_test(t, directions);
	tcase_add_test(t, exact_checks);
	tcase_add_test(t, refusals);
	tcase_add_test(t, undefined_values);
	tcase_add_test(t, pairs_of_seeds);
	tcase_add_test(t, false_alarms_and_power);
	tcase_add_test(t, file_round_trip);
	tcase_add_test(t, audits);
	tcase_add_test(t, junit_text);
	suite_add_tcase(s, t);
	return tk_run(s);
}
