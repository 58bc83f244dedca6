// SPDX-License-Identifier: Apache-2.0
/* Record/replay on small programs whose faults are known: each finding, and no finding for the
 * clean one. */
#include "core/privacy/replay.h"

#include <string.h>

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

typedef enum fault {
	CLEAN,
	NO_CLIP,    /* adds the value itself, not clipped to 1 */
	EXTRA_CALL, /* releases once more when a value exceeds 5 */
	FEWER_CALLS,
	OTHER_LENGTH,
	OWN_BATCH, /* sums all rows, whatever was drawn */
	BOTH_PARTS /* gives every row to both parts of the group */
} fault;

/* Three Poisson sums of clipped values, then one histogram per part (id even or odd). */
static iso_plan plan_of(void)
{
	iso_plan p = {0};

	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "sum"}, 1, 0.5, 3, 1, &err));
	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "part", .group = 1}, 1, 1, 2, 1, &err));
	tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "part", .group = 1, .part = 1}, 1, 1, 2, 1,
				&err));
	return p;
}

static void sum_batch(iso_ledger *l, const double *x, const uint64_t *id, size_t n, fault f,
		      double *model)
{
	uint32_t call, batch[64];
	size_t nb, len = f == OTHER_LENGTH && x[0] > 5 ? 1 : 2;
	double out[2] = {0};

	tk_ok(iso_release_begin(l, 0, 1, 1, &call, &err));
	tk_ok(iso_release_poisson(l, 0, call, id, n, batch, &nb, &err));
	if (f == OWN_BATCH)
		for (nb = 0; nb < n; nb++)
			batch[nb] = (uint32_t)nb;
	for (size_t i = 0; i < nb; i++)
		out[0] += f == NO_CLIP || x[batch[i]] < 1 ? x[batch[i]] : 1;
	tk_ok(iso_release_finish(l, 0, call, out, len, &err));
	model[0] += out[0];
}

static void program(iso_replay *r, const double *x, const uint64_t *id, size_t n, fault f,
		    double *model)
{
	iso_plan p = plan_of();
	iso_ledger *l;
	double out[2];

	tk_ok(new_ledger(&p, "t", 3, &l));
	iso_plan_free(&p);
	iso_ledger_set_replay(l, r);
	*model = 0;
	for (int t = 0; t < (f == FEWER_CALLS && x[0] > 5 ? 2 : 3); t++)
		sum_batch(l, x, id, n, f, model);
	for (int part = 0; part < 2; part++) {
		uint32_t cell[64];
		size_t m = 0;

		for (size_t i = 0; i < n; i++)
			if (f == BOTH_PARTS || (int)(id[i] % 2) == part)
				cell[m++] = x[i] > 0.5;
		tk_ok(iso_mech_histogram(l, (iso_entry){.why = "part", .group = 1, .part = part},
					 cell, m, 1, 2, out, &err));
		model[0] += out[0];
	}
	if (f == EXTRA_CALL && x[0] > 5)
		tk_ok(iso_mech_histogram(l, (iso_entry){.why = "part", .group = 1}, NULL, 0, 1, 2,
					 out, &err));
	iso_ledger_free(l);
}

/* Records on D, replays on D with record 0 changed to 9 (replace), and gives the finding and both
 * models. */
static iso_finding replace_first(fault f, double model[2])
{
	double d[8] = {0.2, 0.4, 0.6, 0.8, 0.1, 0.3, 0.5, 0.7};
	const uint64_t id[8] = {10, 11, 12, 13, 14, 15, 16, 17};
	iso_replay *r;
	iso_finding out;

	tk_ok(iso_replay_new(&r, &err));
	program(r, d, id, 8, f, &model[0]);
	d[0] = 9;
	iso_replay_watch(r, id, 1, 2);
	iso_replay_rewind(r);
	program(r, d, id, 8, f, &model[1]);
	iso_replay_end(r);
	out = *iso_replay_finding(r);
	iso_replay_free(r);
	return out;
}

static iso_finding remove_first(fault f, double model[2])
{
	const double d[8] = {0.9, 0.4, 0.6, 0.8, 0.1, 0.3, 0.5, 0.7};
	const uint64_t id[8] = {10, 11, 12, 13, 14, 15, 16, 17};
	iso_replay *r;
	iso_finding out;

	tk_ok(iso_replay_new(&r, &err));
	program(r, d, id, 8, f, &model[0]);
	iso_replay_watch(r, id, 1, 1);
	iso_replay_rewind(r);
	program(r, d + 1, id + 1, 7, f, &model[1]);
	iso_replay_end(r);
	out = *iso_replay_finding(r);
	iso_replay_free(r);
	return out;
}

START_TEST(clean_program_has_no_finding)
{
	double model[2];

	ck_assert_int_eq(replace_first(CLEAN, model).kind, ISO_FINDING_NONE);
	ck_assert_double_eq(model[0], model[1]);
	ck_assert_int_eq(remove_first(CLEAN, model).kind, ISO_FINDING_NONE);
	ck_assert_double_eq(model[0], model[1]);
}
END_TEST

START_TEST(each_fault_has_its_finding)
{
	static const struct {
		fault f;
		iso_finding_kind kind;
		const char *says;
	} want[] = {{NO_CLIP, ISO_FINDING_SENSITIVITY, "of sum"},
		    {EXTRA_CALL, ISO_FINDING_CONTROL_FLOW, "fewer calls were recorded"},
		    {FEWER_CALLS, ISO_FINDING_CONTROL_FLOW, "another call"},
		    {OTHER_LENGTH, ISO_FINDING_CONTROL_FLOW, "of sum"},
		    {OWN_BATCH, ISO_FINDING_INCLUSION, "not in its batch"}};
	double model[2];

	for (size_t i = 0; i < ISO_COUNT(want); i++) {
		const iso_finding f = replace_first(want[i].f, model);

		ck_assert_msg(f.kind == want[i].kind, "fault %d gave %s (%s)", want[i].f,
			      iso_finding_name(f.kind), f.what);
		ck_assert_msg(strstr(f.what, want[i].says) != NULL, "%s", f.what);
		if (f.kind == ISO_FINDING_SENSITIVITY) {
			tk_assert_close(f.moved, 8.8, 1e-9, 0);
			tk_assert_close(f.allowed, 2, 0, 0);
		}
	}
	ck_assert_int_eq(remove_first(BOTH_PARTS, model).kind, ISO_FINDING_PARTITION);
}
END_TEST

START_TEST(missing_calls_are_found_at_the_end)
{
	const double d[2] = {0, 0};
	const uint64_t id[2] = {1, 2};
	double model;
	iso_replay *r;

	tk_ok(iso_replay_new(&r, &err));
	program(r, d, id, 2, CLEAN, &model);
	ck_assert_uint_eq(iso_replay_calls(r), 5);
	ck_assert_uint_eq(iso_replay_draws(r), 3);
	ck_assert_uint_eq(iso_replay_draw_at(r, 0).n, 2);
	ck_assert_uint_eq(iso_replay_draw_at(r, 0).distinct, 2);
	iso_replay_rewind(r);
	ck_assert_int_eq(iso_replay_finding(r)->kind, ISO_FINDING_NONE);
	iso_replay_end(r);
	ck_assert_int_eq(iso_replay_finding(r)->kind, ISO_FINDING_CONTROL_FLOW);
	iso_replay_rewind(r);
	ck_assert_int_eq(iso_replay_finding(r)->kind, ISO_FINDING_NONE);
	iso_replay_free(r);
}
END_TEST

START_TEST(blind_runs_see_no_data)
{
	const double a[3] = {0.1, 0.2, 0.3}, b[2] = {9, -7};
	const uint64_t id[3] = {4, 5, 6};
	double ma, mb, sighted;
	iso_replay *r;

	tk_ok(iso_replay_new(&r, &err));
	iso_replay_blind(r);
	program(r, a, id, 3, CLEAN, &ma);
	iso_replay_blind(r);
	program(r, b, id, 2, CLEAN, &mb);
	program(NULL, a, id, 3, CLEAN, &sighted);
	ck_assert_double_eq(ma, mb);
	ck_assert_double_ne(ma, sighted);
	iso_replay_free(r);
}
END_TEST

/* A recording has aggregate and release; their difference is the noise. */
START_TEST(recording_holds_both_sides)
{
	const double d[2] = {0.25, 0.5};
	const uint64_t id[2] = {1, 2};
	double model;
	iso_replay *r;
	iso_replay_call c;

	tk_ok(iso_replay_new(&r, &err));
	program(r, d, id, 2, CLEAN, &model);
	c = iso_replay_at(r, 4);
	ck_assert_int_eq(c.handle, 2);
	ck_assert_uint_eq(c.n, 2);
	ck_assert_double_eq(((const double *)c.aggregate)[0],
			    1); /* id 1 is odd, 0.25 falls into cell 0 */
	ck_assert_double_eq(((const double *)c.aggregate)[1], 0);
	ck_assert_double_ne(((const double *)c.release)[0], 1);
	iso_replay_free(r);
}
END_TEST

static iso_ledger *choice_ledger(iso_replay *r)
{
	iso_plan p = {0};
	iso_plan_item it = {.why = "v",
			    .event = {.mechanism = ISO_MECH_PATE_LNMAX,
				      .noise = 1,
				      .rate = 1,
				      .count = 2,
				      .queries = 2,
				      .classes = 3},
			    .norm = ISO_NORM_L1};
	iso_ledger *l;

	tk_ok(iso_plan_add(&p, &it, &err));
	it = (iso_plan_item){
		.why = "c",
		.event = {.mechanism = ISO_MECH_EXPONENTIAL, .epsilon = 1, .rate = 1, .count = 1},
		.sensitivity = 1};
	tk_ok(iso_plan_add(&p, &it, &err));
	tk_ok(new_ledger(&p, "t", 3, &l));
	iso_plan_free(&p);
	iso_ledger_set_replay(l, r);
	return l;
}

/* One teacher per query may change its mind (two counts by one); the scores of a choice move by 1
 * each at most. */
START_TEST(votes_and_choices_have_their_own_measure)
{
	const double votes[3][6] = {{5, 3, 2, 4, 4, 2}, {4, 4, 2, 4, 3, 3}, {3, 5, 2, 4, 4, 2}};
	const double score[3][2] = {{1, 2}, {2, 1}, {2.5, 2}};
	const iso_finding_kind want[3] = {ISO_FINDING_NONE, ISO_FINDING_NONE,
					  ISO_FINDING_SENSITIVITY};

	for (int which = 0; which < 2; which++)
		for (int k = 1; k < 3; k++) {
			uint32_t label[2][2];
			size_t chosen[2];
			iso_replay *r;
			iso_ledger *l;

			tk_ok(iso_replay_new(&r, &err));
			for (int side = 0; side < 2; side++) {
				if (side)
					iso_replay_rewind(r);
				l = choice_ledger(r);
				tk_ok(iso_mech_votes(l, (iso_entry){.why = "v"},
						     votes[side && !which ? k : 0], 2, 3,
						     label[side], &err));
				tk_ok(iso_mech_exponential(l, (iso_entry){.why = "c"},
							   score[side && which ? k : 0], 2,
							   &chosen[side], &err));
				iso_ledger_free(l);
			}
			iso_replay_end(r);
			ck_assert_int_eq(iso_replay_finding(r)->kind, want[k]);
			ck_assert_int_eq(memcmp(label[0], label[1], sizeof(label[0])), 0);
			ck_assert_uint_eq(chosen[0], chosen[1]);
			iso_replay_free(r);
		}
}
END_TEST

/* NaN on one side only must not pass as "moved by nothing". */
START_TEST(nan_is_a_finding)
{
	double x[2] = {0, 0};
	iso_replay *r;

	tk_ok(iso_replay_new(&r, &err));
	for (int side = 0; side < 2; side++) {
		iso_plan p = {0};
		iso_ledger *l;
		uint32_t call;

		tk_ok(iso_plan_gaussian(&p, (iso_entry){.why = "g"}, 1, 1, 1, 1, &err));
		tk_ok(new_ledger(&p, "t", 3, &l));
		iso_plan_free(&p);
		if (side)
			iso_replay_rewind(r);
		iso_ledger_set_replay(l, r);
		tk_ok(iso_release_begin(l, 0, 1, 1, &call, &err));
		x[0] = side ? NAN : 0;
		tk_ok(iso_release_finish(l, 0, call, x, 2, &err));
		iso_ledger_free(l);
	}
	ck_assert_int_eq(iso_replay_finding(r)->kind, ISO_FINDING_SENSITIVITY);
	iso_replay_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy/replay");
	TCase *c = tcase_create("replay");

	tcase_add_test(c, clean_program_has_no_finding);
	tcase_add_test(c, each_fault_has_its_finding);
	tcase_add_test(c, missing_calls_are_found_at_the_end);
	tcase_add_test(c, blind_runs_see_no_data);
	tcase_add_test(c, recording_holds_both_sides);
	tcase_add_test(c, votes_and_choices_have_their_own_measure);
	tcase_add_test(c, nan_is_a_finding);
	suite_add_tcase(s, c);
	return tk_run(s);
}
