// SPDX-License-Identifier: Apache-2.0
/* The books: what is refused, what stays visible, what comes back from JSON. */
#include <string.h>

#include "core/privacy/ledger.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"
#include "core/privacy/release_key.h"
#include "tests/support/testkit.h"

static iso_error err;

/* A ledger under a plain seeded key. */
static iso_status new_ledger(const iso_plan *p, const char *who, uint64_t seed, iso_ledger **out)
{
	iso_release_key key;

	tk_ok(iso_release_key_plain(seed, who, 0, &key, &err));
	return iso_ledger_new(p, who, ISO_ADD_REMOVE, &key, out, &err);
}

static iso_ledger *ledger_of(iso_plan *p)
{
	iso_ledger *l = NULL;

	tk_ok(new_ledger(p, "test", 7, &l));
	iso_plan_free(p);
	return l;
}

static iso_ledger *gaussian_ledger(double noise, double rate, uint64_t count)
{
	iso_plan p = {0};

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "step"}, noise, rate, count, 2, &err));
	return ledger_of(&p);
}

START_TEST(plan_refuses_what_no_proof_covers)
{
	const iso_event gauss = {.mechanism = ISO_MECH_GAUSSIAN, .noise = 1, .rate = 1, .count = 1};
	const struct {
		const char *says;
		iso_plan_item it;
	} bad[] = {
		{"without a name", {.event = gauss, .norm = ISO_NORM_L2, .sensitivity = 1}},
		{"L1 norm", {.why = "x", .event = gauss, .norm = ISO_NORM_L1, .sensitivity = 1}},
		{"sensitivity",
		 {.why = "x", .event = gauss, .norm = ISO_NORM_L2, .sensitivity = NAN}},
		{"sensitivity",
		 {.why = "x", .event = gauss, .norm = ISO_NORM_L2, .sensitivity = -1}},
		{"group",
		 {.why = "x", .event = gauss, .norm = ISO_NORM_L2, .sensitivity = 1, .group = -1}},
		{"count 0",
		 {.why = "x",
		  .event = {.mechanism = ISO_MECH_GAUSSIAN, .noise = 1, .rate = 1},
		  .norm = ISO_NORM_L2}},
		{"parallel", {.why = "x", .event = {.mechanism = ISO_MECH_PARALLEL, .count = 1}}},
		{"L2 norm",
		 {.why = "x",
		  .event = {.mechanism = ISO_MECH_LAPLACE, .noise = 1, .rate = 1, .count = 1},
		  .norm = ISO_NORM_L2}},
	};
	iso_plan p = {0};

	for (size_t i = 0; i < ISO_COUNT(bad); i++)
		tk_fails(iso_plan_add(&p, &bad[i].it, &err), ISO_E_PLUGIN, bad[i].says);
	ck_assert_uint_eq(p.n, 0);
	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "a", .part = 1}, 1, 1, 1, 1, &err));
	tk_fails(iso_plan_laplace(&p, (iso_entry){.why = "a", .part = 1}, 1, 1, 1, &err),
		 ISO_E_PLUGIN, "planned twice");
	tk_ok(iso_plan_laplace(&p, (iso_entry){.why = "a", .part = 2}, 1, 1, 1, &err));
	tk_fails(iso_plan_uncharged(&p, "a name of more than forty-seven characters is refused",
				    &err),
		 ISO_E_PLUGIN, "characters");
	iso_plan_free(&p);
}
END_TEST

START_TEST(ledger_refuses_illegal_events)
{
	const double noise[] = {NAN, -1}, rate[] = {NAN, 1.5, -0.1};
	iso_ledger *l;

	for (size_t i = 0; i < 2; i++) {
		iso_plan p = {0};

		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "x"}, noise[i], 1, 1, 1, &err));
		ck_assert_int_eq(new_ledger(&p, "t", 1, &l), ISO_E_CONFIG);
		ck_assert_ptr_null(l);
		iso_error_clear(&err);
		iso_plan_free(&p);
	}
	for (size_t i = 0; i < 3; i++) {
		iso_plan p = {0};

		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "x"}, 1, rate[i], 1, 1, &err));
		ck_assert_int_eq(new_ledger(&p, "t", 1, &l), ISO_E_CONFIG);
		iso_error_clear(&err);
		iso_plan_free(&p);
	}
}
END_TEST

/* Two parts of group 3 and one sequential entry: one parallel event of two parts, and the other
 * beside it. */
START_TEST(groups_become_parallel_events)
{
	iso_plan p = {0};
	iso_events e;

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "step", .group = 3}, 1, 0.5, 10, 1, &err));
	tk_ok(iso_plan_laplace(&p, (iso_entry){.why = "labels"}, 2, 1, 1, &err));
	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "step", .group = 3, .part = 1}, 4, 0.25, 20,
				1, &err));
	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "more", .group = 3, .part = 1}, 5, 1, 1, 1,
				&err));
	tk_ok(iso_plan_events(&p, 0, &e, &err));
	ck_assert_uint_eq(e.n, 2);
	ck_assert_int_eq(e.v[0].mechanism, ISO_MECH_LAPLACE); /* sequential entries first */
	ck_assert_int_eq(e.v[1].mechanism, ISO_MECH_PARALLEL);
	ck_assert_uint_eq(e.v[1].nparts, 2);
	ck_assert_uint_eq(e.v[1].parts[0].n, 1);
	ck_assert_uint_eq(e.v[1].parts[1].n, 2);
	ck_assert_double_eq(e.v[1].parts[1].v[0].noise, 4);
	ck_assert_double_eq(e.v[1].parts[1].v[1].noise, 5);
	iso_events_free(&e);
	tk_ok(iso_plan_events(&p, 1, &e, &err)); /* nothing was used */
	ck_assert_uint_eq(e.n, 0);
	iso_events_free(&e);
	iso_plan_free(&p);
}
END_TEST

/* What a method plans for its rows: counts once, then steps in two disjoint parts. */
static void plan_inner(iso_plan *p, double noise)
{
	tk_ok(iso_plan_laplace(p, (iso_entry){.why = "labels"}, 2 * noise, 1, 1, &err));
	for (int part = 0; part < 2; part++)
		tk_ok(iso_plan_gaussian(p, (iso_entry){.why = "step", .group = 1, .part = part},
					noise * (1 + part), 1, 10, 1, &err));
}

static double epsilon_of(const iso_ledger *l, int scope)
{
	iso_epsilons e;

	tk_ok(scope ? iso_ledger_epsilon_in(l, scope, 1e-5, ISO_WANT_RDP, &e, &err)
		    : iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP, &e, &err));
	return e.rdp;
}

static void book_inner(iso_ledger *l)
{
	const uint32_t cell[] = {0, 1, 1};
	const double row[] = {1, 0, 1};
	double out[2];

	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "labels"}, cell, 3, 1, 2, out, &err));
	for (int part = 0; part < 2; part++)
		for (int k = 0; k < 10; k++)
			tk_ok(iso_mech_vector_sum(
				l, (iso_entry){.why = "step", .group = 1, .part = part}, row, 3, 1,
				1, out, &err));
}

/* Two clients of one method: each costs what the method costs alone, together the dearer one. */
START_TEST(scopes_nest_a_method_exactly)
{
	iso_plan alone[2] = {{0}, {0}}, both = {0};
	iso_ledger *one[2], *l;
	double cost[2];
	iso_events e;

	for (int k = 0; k < 2; k++) {
		plan_inner(&alone[k], 3 + k);
		tk_ok(iso_plan_uncharged(&alone[k], "size", &err));
		tk_ok(iso_plan_nest(&both, &alone[k], k + 1, &err));
	}
	ck_assert_uint_eq(both.n, 7); /* the uncharged look stands once */
	tk_ok(iso_plan_events(&both, 0, &e, &err));
	ck_assert_uint_eq(e.n, 2);
	ck_assert_int_eq(e.v[0].mechanism, ISO_MECH_UNCHARGED);
	ck_assert_uint_eq(e.v[1].nparts, 2);
	ck_assert_uint_eq(e.v[1].parts[1].n, 2);
	ck_assert_double_eq(e.v[1].parts[1].v[0].noise, 8);
	ck_assert_int_eq(e.v[1].parts[1].v[1].mechanism, ISO_MECH_PARALLEL);
	ck_assert_double_eq(e.v[1].parts[1].v[1].parts[1].v[0].noise, 8);
	iso_events_free(&e);
	tk_fails(iso_plan_nest(&alone[0], &both, 1, &err), ISO_E_PLUGIN, "scope inside a scope");
	iso_plan_free(&both);
	for (int k = 0; k < 2; k++) {
		iso_plan_free(&alone[k]);
		plan_inner(&alone[k], 3 + k);
		tk_ok(iso_plan_nest(&both, &alone[k], k + 1, &err));
		one[k] = ledger_of(&alone[k]);
		book_inner(one[k]);
		cost[k] = epsilon_of(one[k], 0);
	}
	l = ledger_of(&both);
	for (int k = 2; k >= 1; k--) {
		tk_ok(iso_ledger_scope(l, k, &err));
		tk_fails(iso_ledger_scope(l, 1, &err), ISO_E_PLUGIN, "do not nest");
		book_inner(l);
		tk_ok(iso_ledger_scope(l, 0, &err));
	}
	tk_ok(iso_ledger_settled(l, &err));
	ck_assert(cost[0] > cost[1] * 1.1);
	for (int k = 0; k < 2; k++) {
		ck_assert_double_eq(epsilon_of(l, k + 1), cost[k]);
		iso_ledger_free(one[k]);
	}
	ck_assert_double_eq(epsilon_of(l, 0), cost[0]);
	iso_ledger_free(l);
}
END_TEST

/* A name alone does not reach into a scope. */
START_TEST(a_scope_is_part_of_the_name)
{
	iso_plan inner = {0}, p = {0};
	iso_ledger *l;
	int handle;

	plan_inner(&inner, 1);
	tk_ok(iso_plan_nest(&p, &inner, 2, &err));
	iso_plan_free(&inner);
	l = ledger_of(&p);
	tk_fails(iso_ledger_find(l, (iso_entry){.why = "labels"}, &handle, &err), ISO_E_BUDGET,
		 "not planned");
	tk_ok(iso_ledger_scope(l, 1, &err));
	tk_fails(iso_ledger_find(l, (iso_entry){.why = "labels"}, &handle, &err), ISO_E_BUDGET,
		 "scope 1");
	tk_ok(iso_ledger_scope(l, 0, &err));
	tk_ok(iso_ledger_find(l, (iso_entry){.why = "labels", .scope = 2}, &handle, &err));
	ck_assert_int_eq(handle, 0);
	iso_ledger_free(l);
}
END_TEST

START_TEST(refuses_before_touching_data)
{
	iso_ledger *l = gaussian_ledger(1, 1, 2);
	const uint32_t cell[2] = {0, 1};
	double out[2];
	int h;

	tk_fails(iso_ledger_find(l, (iso_entry){.why = "stepp"}, &h, &err), ISO_E_BUDGET,
		 "the nearest is \"step\"");
	ck_assert_int_eq(h, -1);
	tk_fails(iso_ledger_find(l, (iso_entry){.why = "step", .part = 1}, &h, &err), ISO_E_BUDGET,
		 "not planned");
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 2, 1, 2, out, &err));
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 2, 1, 2, out, &err));
	/* the data pointers are wild: a refusal that came after a look at them would crash */
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "step"}, (const uint32_t *)8, 1000, 1, 2,
				    out, &err),
		 ISO_E_BUDGET, "budget exceeded");
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "stop"}, (const uint32_t *)8, 1000, 1, 2,
				    out, &err),
		 ISO_E_BUDGET, "not planned");
	tk_fails(iso_mech_vector_sum(l, (iso_entry){.why = "step"}, (const double *)8, 1000, 2, 1,
				     out, &err),
		 ISO_E_BUDGET, "budget exceeded");
	tk_ok(iso_ledger_settled(l, &err));
	ck_assert_uint_eq(iso_ledger_items(l)->v[0].used, 2);
	iso_ledger_free(l);
}
END_TEST

START_TEST(refuses_more_sensitivity_than_planned)
{
	iso_ledger *l = gaussian_ledger(1, 1, 5);
	uint32_t cell[5] = {0, 1, 2, 3, 4}, call;
	double x[2] = {1, 1}, out[5];
	int h;

	tk_ok(iso_ledger_find(l, (iso_entry){.why = "step"}, &h, &err));
	/* five cells per row: sqrt 5 > 2 */
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 1, 5, 5, out, &err),
		 ISO_E_BUDGET, "sensitivity above the plan");
	tk_fails(iso_mech_vector_sum(l, (iso_entry){.why = "step"}, x, 1, 2, 2.1, out, &err),
		 ISO_E_BUDGET, "sensitivity above the plan");
	tk_fails(iso_release_begin(l, h, 1, NAN, &call, &err), ISO_E_BUDGET,
		 "sensitivity above the plan");
	tk_fails(iso_release_begin(l, h, 1, -1, &call, &err), ISO_E_BUDGET, "sensitivity");
	tk_fails(iso_release_begin(l, h, 0, 1, &call, &err), ISO_E_BUDGET, "budget exceeded");
	tk_fails(iso_release_begin(l, h, UINT64_MAX, 1, &call, &err), ISO_E_BUDGET,
		 "budget exceeded");
	tk_fails(iso_release_begin(l, 1, 1, 1, &call, &err), ISO_E_BUDGET, "entry 1");
	tk_fails(iso_release_begin(l, -1, 1, 1, &call, &err), ISO_E_BUDGET, "entry -1");
	ck_assert_uint_eq(iso_ledger_items(l)->v[0].used, 0);
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 1, 4, 5, out,
				 &err)); /* sqrt 4 = 2 */
	iso_ledger_free(l);
}
END_TEST

START_TEST(refuses_another_mechanism_or_rate)
{
	iso_ledger *l = gaussian_ledger(1, 0.5, 5);
	uint32_t cell[1] = {0}, call;
	double out[2];
	size_t chosen;
	int h;

	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 1, 1, 1, out, &err),
		 ISO_E_BUDGET, "sampled entry");
	tk_fails(iso_mech_exponential(l, (iso_entry){.why = "step"}, out, 2, &chosen, &err),
		 ISO_E_BUDGET, "other mechanism");
	tk_fails(iso_mech_votes(l, (iso_entry){.why = "step"}, out, 1, 2, cell, &err), ISO_E_BUDGET,
		 "other mechanism");
	tk_ok(iso_ledger_find(l, (iso_entry){.why = "step"}, &h, &err));
	tk_ok(iso_release_begin(l, h, 1, 1, &call, &err));
	out[0] = 0;
	tk_fails(iso_release_finish(l, h, call, out, 1, &err), ISO_E_BUDGET, "without its sample");
	iso_ledger_free(l);
}
END_TEST

START_TEST(calls_open_once_and_close_once)
{
	iso_ledger *l = gaussian_ledger(1, 1, 5);
	uint32_t call, other;
	double x[1] = {0};
	int h;

	tk_ok(iso_ledger_find(l, (iso_entry){.why = "step"}, &h, &err));
	tk_fails(iso_release_finish(l, h, 0, x, 1, &err), ISO_E_BUDGET, "not booked");
	tk_ok(iso_release_begin(l, h, 1, 1, &call, &err));
	tk_fails(iso_release_begin(l, h, 1, 1, &other, &err), ISO_E_PLUGIN, "begun twice");
	tk_fails(iso_release_finish(l, h, call + 1, x, 1, &err), ISO_E_BUDGET, "not booked");
	tk_ok(iso_release_finish(l, h, call, x, 1, &err));
	/* the same noise on a second vector would give their difference away */
	tk_fails(iso_release_finish(l, h, call, x, 1, &err), ISO_E_BUDGET, "not booked");
	tk_ok(iso_release_begin(l, h, 4, 1, &call, &err));
	ck_assert_uint_eq(call, 1);
	tk_fails(iso_ledger_settled(l, &err), ISO_E_PLUGIN, "begun and not finished");
	iso_ledger_free(l);
}
END_TEST

START_TEST(settles_exactly)
{
	iso_ledger *l = gaussian_ledger(1, 1, 3);
	const uint32_t cell[1] = {0};
	double out[1];

	tk_fails(iso_ledger_settled(l, &err), ISO_E_PLUGIN, "0 of 3");
	for (int i = 0; i < 3; i++) {
		tk_fails(iso_ledger_settled(l, &err), ISO_E_PLUGIN, "differs from the plan");
		tk_ok(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 1, 1, 1, out, &err));
	}
	tk_ok(iso_ledger_settled(l, &err));
	iso_ledger_free(l);
}
END_TEST

START_TEST(closed_ledger_refuses)
{
	iso_ledger *l = gaussian_ledger(1, 1, 3);
	double out[1];
	uint32_t call;

	iso_ledger_close(l);
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "step"}, (const uint32_t *)8, 9, 1, 1,
				    out, &err),
		 ISO_E_BUDGET, "closed");
	tk_fails(iso_ledger_uncharged(l, "late", &err), ISO_E_BUDGET, "closed");
	tk_fails(iso_release_begin(l, 0, 1, 1, &call, &err), ISO_E_BUDGET, "closed");
	iso_ledger_free(l);
}
END_TEST

START_TEST(uncharged_is_visible)
{
	iso_plan p = {0};
	iso_epsilons e;
	iso_ledger *l;
	const uint32_t cell[1] = {0};
	double out[1];

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "step"}, 5, 1, 1, 1, &err));
	tk_ok(iso_plan_uncharged(&p, "best epoch", &err));
	l = ledger_of(&p);
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 1, 1, 1, out, &err));
	ck_assert_uint_eq(iso_ledger_uncharged_count(l), 0);
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP, &e, &err));
	ck_assert(isfinite(e.rdp) && e.rdp > 0);
	tk_fails(iso_ledger_settled(l, &err), ISO_E_PLUGIN, "best epoch");
	tk_ok(iso_ledger_uncharged(l, "best epoch", &err));
	tk_ok(iso_ledger_uncharged(l, "best epoch", &err)); /* twice is one entry */
	tk_ok(iso_ledger_uncharged(l, "category list",
				   &err)); /* not announced: visible all the same */
	tk_fails(iso_ledger_uncharged(l, "step", &err), ISO_E_PLUGIN, "paid for");
	ck_assert_uint_eq(iso_ledger_uncharged_count(l), 2);
	tk_ok(iso_ledger_settled(l, &err));
	tk_ok(iso_ledger_epsilon(l, 1e-5, ISO_WANT_RDP, &e, &err));
	ck_assert(isinf(e.rdp) && e.rdp > 0);
	ck_assert(isinf(e.rdp_classic));
	ck_assert(isnan(e.pld_upper)); /* not asked for */
	tk_fails(iso_mech_histogram(l, (iso_entry){.why = "category list"}, cell, 1, 1, 1, out,
				    &err),
		 ISO_E_BUDGET, "other mechanism");
	iso_ledger_free(l);
}
END_TEST

/* T Gaussian releases at noise z: min over orders of T a / (2 z^2) + log1p(-1/a) - log(delta
 * a)/(a-1), by brute force.
 */
START_TEST(epsilon_of_booked_counts)
{
	const double z = 3, delta = 1e-5;
	iso_ledger *l = gaussian_ledger(z, 1, 10);
	const uint32_t cell[1] = {0};
	double out[1], best = INFINITY;
	iso_epsilons e;

	tk_ok(iso_ledger_epsilon(l, delta, ISO_WANT_RDP, &e, &err));
	ck_assert_double_eq(e.rdp, 0); /* nothing booked yet */
	for (int i = 0; i < 4; i++)
		tk_ok(iso_mech_histogram(l, (iso_entry){.why = "step"}, cell, 1, 1, 1, out, &err));
	for (double a = 1.01; a < 500; a *= 1.0005) {
		const double x = 4 * a / (2 * z * z) + log1p(-1 / a) - log(delta * a) / (a - 1);

		best = x < best ? x : best;
	}
	tk_ok(iso_ledger_epsilon(l, delta, ISO_WANT_RDP, &e, &err));
	tk_assert_close(e.rdp, best, 1e-5, 0);
	iso_ledger_free(l);
}
END_TEST

static iso_ledger *varied_ledger(void)
{
	iso_plan p = {0};
	iso_plan_item it = {.why = "votes",
			    .event = {.mechanism = ISO_MECH_PATE_LNMAX,
				      .noise = 1.0 / 3,
				      .rate = 1,
				      .count = 2,
				      .queries = 2,
				      .classes = 2},
			    .norm = ISO_NORM_L1,
			    .sensitivity = 2};
	const double votes[4] = {3, 4, 9, 1}, score[2] = {0, 1};
	const uint32_t cell[1] = {0};
	uint32_t label[2];
	double out[1];
	size_t chosen;
	iso_ledger *l;

	tk_ok(iso_plan_add(&p, &it, &err));
	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "a", .group = 1}, 0.1, 1, 3, 1.1, &err));
	tk_ok(iso_plan_laplace(&p, (iso_entry){.why = "b", .group = 1, .part = 1}, 2.0 / 3, 3, 1,
			       &err));
	it = (iso_plan_item){
		.why = "choice",
		.event = {.mechanism = ISO_MECH_EXPONENTIAL, .epsilon = 0.7, .rate = 1, .count = 1},
		.sensitivity = 1};
	tk_ok(iso_plan_add(&p, &it, &err));
	l = ledger_of(&p);
	tk_ok(iso_mech_votes(l, (iso_entry){.why = "votes"}, votes, 2, 2, label, &err));
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "a", .group = 1}, cell, 1, 1, 1, out, &err));
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "b", .group = 1, .part = 1}, cell, 1, 1, 1,
				 out, &err));
	tk_ok(iso_mech_histogram(l, (iso_entry){.why = "b", .group = 1, .part = 1}, cell, 1, 1, 1,
				 out, &err));
	tk_ok(iso_mech_exponential(l, (iso_entry){.why = "choice"}, score, 2, &chosen, &err));
	tk_ok(iso_ledger_uncharged(l, "peek", &err));
	return l;
}

static void same_events(const iso_events *a, const iso_events *b)
{
	ck_assert_uint_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		const iso_event *x = &a->v[i], *y = &b->v[i];

		ck_assert_int_eq(x->mechanism, y->mechanism);
		/* bit for bit */
		ck_assert_int_eq(memcmp(&x->noise, &y->noise, sizeof(double)), 0);
		ck_assert_int_eq(memcmp(&x->epsilon, &y->epsilon, sizeof(double)), 0);
		ck_assert_int_eq(memcmp(&x->rate, &y->rate, sizeof(double)), 0);
		ck_assert_int_eq(x->sampling, y->sampling);
		ck_assert_uint_eq(x->count, y->count);
		ck_assert_uint_eq(x->queries, y->queries);
		ck_assert_uint_eq(x->classes, y->classes);
		ck_assert_uint_eq(x->nparts, y->nparts);
		for (size_t k = 0; k < x->nparts; k++)
			same_events(&x->parts[k], &y->parts[k]);
	}
}

START_TEST(json_round_trip_is_exact)
{
	iso_ledger *l = varied_ledger();
	cJSON *json, *again;
	iso_events a, b;
	size_t uncharged;
	char *text;

	tk_ok(iso_ledger_to_json(l, &json, &err));
	text = cJSON_PrintUnformatted(json);
	again = cJSON_Parse(text);
	tk_ok(iso_ledger_events_from_json(again, &b, &uncharged, &err));
	ck_assert_uint_eq(uncharged, 1);
	tk_ok(iso_plan_events(iso_ledger_items(l), 1, &a, &err));
	same_events(&a, &b);
	ck_assert_uint_eq(a.n, 4); /* votes, the group, choice, peek */
	iso_events_free(&a);
	iso_events_free(&b);
	cJSON_Delete(json);
	cJSON_Delete(again);
	free(text);
	iso_ledger_free(l);
}
END_TEST

START_TEST(json_refuses_what_was_edited)
{
	static const char *const bad[] = {
		"{}",
		"[1]",
		"[{}]",
		"null",
		"[{\"who\":\"g\",\"why\":\"s\",\"group\":0,\"part\":0,\"mechanism\":\"gauss\"}]",
	};
	static const struct {
		const char *key, *value;
	} edit[] = {{"noise", "-1"},	   {"noise", "\"nan\""},  {"noise", "null"},
		    {"count", "0"},	   {"count", "1.5"},	  {"count", "-3"},
		    {"rate", "1.1"},	   {"mechanism", "\"\""}, {"mechanism", "\"parallel\""},
		    {"sampling", "\"x\""}, {"norm", "\"l3\""},	  {"group", "0.5"},
		    {"why", "\"\""},	   {"delta", "2"}};
	iso_ledger *l = varied_ledger();
	iso_events e;
	size_t uncharged;
	cJSON *json;

	for (size_t i = 0; i < ISO_COUNT(bad); i++) {
		json = cJSON_Parse(bad[i]);
		tk_fails(iso_ledger_events_from_json(json, &e, &uncharged, &err), ISO_E_DATA,
			 "malformed ledger");
		ck_assert_uint_eq(e.n, 0);
		cJSON_Delete(json);
	}
	for (size_t i = 0; i < ISO_COUNT(edit); i++) {
		tk_ok(iso_ledger_to_json(l, &json, &err));
		cJSON_ReplaceItemInObjectCaseSensitive(cJSON_GetArrayItem(json, 1), edit[i].key,
						       cJSON_Parse(edit[i].value));
		tk_fails(iso_ledger_events_from_json(json, &e, &uncharged, &err), ISO_E_DATA,
			 "entry 1");
		cJSON_Delete(json);
	}
	tk_ok(iso_ledger_to_json(l, &json, &err));
	cJSON_AddNumberToObject(cJSON_GetArrayItem(json, 0), "discount", 0.5);
	tk_fails(iso_ledger_events_from_json(json, &e, &uncharged, &err), ISO_E_DATA, "discount");
	cJSON_Delete(json);
	iso_ledger_free(l);
}
END_TEST

/* Every allocation fails once: nothing leaks (under ASan), and the call says so or succeeds. */
START_TEST(allocation_failures)
{
	for (uint64_t k = 1; k < 40; k++) {
		iso_plan p = {0};
		iso_ledger *l = NULL;
		iso_status st;

		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "a", .group = 1}, 1, 1, 3, 1, &err));
		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "a", .group = 1, .part = 1}, 1, 1, 3,
					1, &err));
		iso_alloc_fail_after(k);
		st = new_ledger(&p, "t", 1, &l);
		iso_alloc_fail_after(0);
		ck_assert(st == ISO_OK ? l != NULL : l == NULL);
		ck_assert(st == ISO_OK || st == ISO_E_NOMEM);
		iso_error_clear(&err);
		iso_ledger_free(l);
		iso_plan_free(&p);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/ledger");
	TCase *c = tcase_create("ledger");

	tcase_add_test(c, plan_refuses_what_no_proof_covers);
	tcase_add_test(c, ledger_refuses_illegal_events);
	tcase_add_test(c, groups_become_parallel_events);
	tcase_add_test(c, scopes_nest_a_method_exactly);
	tcase_add_test(c, a_scope_is_part_of_the_name);
	tcase_add_test(c, refuses_before_touching_data);
	tcase_add_test(c, refuses_more_sensitivity_than_planned);
	tcase_add_test(c, refuses_another_mechanism_or_rate);
	tcase_add_test(c, calls_open_once_and_close_once);
	tcase_add_test(c, settles_exactly);
	tcase_add_test(c, closed_ledger_refuses);
	tcase_add_test(c, uncharged_is_visible);
	tcase_add_test(c, epsilon_of_booked_counts);
	tcase_add_test(c, json_round_trip_is_exact);
	tcase_add_test(c, json_refuses_what_was_edited);
	tcase_add_test(c, allocation_failures);
	suite_add_tcase(s, c);
	return tk_run(s);
}
