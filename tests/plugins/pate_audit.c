// SPDX-License-Identifier: Apache-2.0
/* The published audit of six PATE-GANs (Ganev, Annamalai, De Cristofaro 2025, arXiv 2406.13985) on
 * our pate-gan and on mutants of it: four rows (0,0,0), a target (1,1,1), two teachers, a claim of
 * epsilon 1, 200 runs of each world that choose and 400 that are judged, 0.025 for each error rate.
 * The bugs of the six are put in by the linker.  Prints the table of docs/reproduction.md. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/json.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/federation.h"
#include "suites/flow/audit.h"
#include "tests/plugins/core_mutants.h"
#include "tests/support/testkit.h"

static iso_error err;

typedef enum pate_bug {
	PATE_RIGHT,
	PATE_SHARED,   /* one discriminator on batches of all rows (original, turing) */
	PATE_STALE,    /* every teacher on the last part (updated) */
	PATE_TARGETS,  /* no noise on the votes themselves (original, turing) */
	PATE_FREE_ONES /* votes that agree are taken without noise and not charged (synthcity) */
} pate_bug;
static pate_bug bug_now;

iso_status __real_iso_federation_deal(const iso_fit *f, size_t clients, iso_federation *out,
				      iso_error *e);
iso_status __wrap_iso_federation_deal(const iso_fit *f, size_t clients, iso_federation *out,
				      iso_error *e);
iso_status __real_iso_mech_votes(iso_ledger *l, iso_entry entry, const double *votes, size_t n,
				 size_t classes, uint32_t *label, iso_error *e);
iso_status __wrap_iso_mech_votes(iso_ledger *l, iso_entry entry, const double *votes, size_t n,
				 size_t classes, uint32_t *label, iso_error *e);

/* Every client gets the rows from..end-1 of the deal. */
static iso_status same_for_all(iso_federation *d, size_t from, size_t end, iso_error *e)
{
	const size_t each = end - from;
	iso_federation x = {.clients = d->clients,
			    .pos = iso_alloc(d->clients * each + 1, sizeof(*x.pos)),
			    .id = iso_alloc(d->clients * each + 1, sizeof(*x.id)),
			    .first = iso_alloc(d->clients + 1, sizeof(*x.first))};

	if (!x.pos || !x.id || !x.first)
		return iso_no_memory(e, "a mutant");
	for (size_t k = 0; k < d->clients; k++) {
		memcpy(x.pos + k * each, d->pos + from, each * sizeof(*x.pos));
		memcpy(x.id + k * each, d->id + from, each * sizeof(*x.id));
		x.first[k + 1] = (k + 1) * each;
	}
	iso_federation_free(d);
	*d = x;
	return ISO_OK;
}

iso_status __wrap_iso_federation_deal(const iso_fit *f, size_t clients, iso_federation *out,
				      iso_error *e)
{
	ISO_TRY(__real_iso_federation_deal(f, clients, out, e));
	if (bug_now == PATE_SHARED)
		return same_for_all(out, 0, f->train->n, e);
	if (bug_now == PATE_STALE)
		return same_for_all(out, out->first[clients - 1], out->first[clients], e);
	return ISO_OK;
}

iso_status __wrap_iso_mech_votes(iso_ledger *l, iso_entry entry, const double *votes, size_t n,
				 size_t classes, uint32_t *label, iso_error *e)
{
	double *nothing;
	iso_status st;

	if (bug_now != PATE_TARGETS && bug_now != PATE_FREE_ONES)
		return __real_iso_mech_votes(l, entry, votes, n, classes, label, e);
	nothing = iso_alloc(n * classes, sizeof(*nothing));
	if (!nothing)
		return iso_no_memory(e, "a mutant");
	st = __real_iso_mech_votes(l, entry, bug_now == PATE_TARGETS ? nothing : votes, n, classes,
				   label, e);
	iso_free(nothing);
	for (size_t q = 0; st == ISO_OK && q < n; q++)
		if (bug_now == PATE_TARGETS || votes[q * classes + 1] >= 2 ||
		    votes[q * classes] >= 2)
			label[q] = votes[q * classes + 1] > votes[q * classes];
	return st;
}

static iso_audit_result audit(pate_bug bug, core_bug core, const char *votes)
{
	static const char *const set[] = {
		"queries=16",	     "iterations=1",	"start_steps=0", "hidden=8",
		"teacher_hidden=8",  "z_dim=2",		"batch=8",	 "generator_steps=2",
		"student_steps=100", "teacher_steps=4", "lr=2e-2"};
	const iso_generator *g;
	cJSON *values = cJSON_CreateObject();
	iso_str note = {0};
	iso_schema *schema;
	iso_table *table, *target;
	iso_audit_result x;
	void *o;

	tk_ok(iso_generator_find("pate-gan", &g, &err));
	o = iso_alloc(1, g->options_size + 1);
	for (size_t i = 0; i < ISO_COUNT(set); i++)
		tk_ok(iso_options_set(values, set[i], &err));
	tk_ok(iso_options_set(values, votes, &err));
	tk_ok(iso_audit_shrink(g, values, &note, &err));
	tk_ok(iso_options_resolve(g->options, values, "t", o, g->options_size, NULL, &err));
	tk_ok(iso_audit_micro(g, o, &schema, &table, &target, &err));
	const iso_audit_request r = {.generator = g,
				     .options = o,
				     .table = table,
				     .target = target,
				     .epsilon = 1,
				     .delta = 1e-5,
				     .accountant = ISO_ACC_PLD,
				     .seed = 11,
				     .runs = 600,
				     .alpha =
					     0.15, /* three statistics: 0.025 for each error rate */
				     .jobs = 2,
				     .gradient_canary = 1};

	bug_now = bug;
	core_bug_now = core;
	tk_ok(iso_audit(&r, &x, &err));
	bug_now = PATE_RIGHT;
	core_bug_now = CORE_CLEAN;
	iso_table_free(table);
	iso_table_free(target);
	iso_schema_free(schema);
	iso_str_free(&note);
	iso_free(o);
	cJSON_Delete(values);
	return x;
}

static const struct trial {
	const char *name;
	pate_bug bug;
	core_bug core;
	const char *votes;
	int violation;
} trials[] = {
	{"right, Gaussian votes", PATE_RIGHT, CORE_CLEAN, "votes=gnmax", 0},
	{"right, Laplace votes", PATE_RIGHT, CORE_CLEAN, "votes=lnmax", 0},
	{"one discriminator on all rows", PATE_SHARED, CORE_CLEAN, "votes=gnmax", 1},
	{"every teacher on the last part", PATE_STALE, CORE_CLEAN, "votes=gnmax", -1},
	{"no noise on the votes", PATE_TARGETS, CORE_CLEAN, "votes=gnmax", 1},
	{"agreement is free", PATE_FREE_ONES, CORE_CLEAN, "votes=gnmax", 1},
	{"scale of the noise inverted", PATE_RIGHT, CORE_LAPLACE_SCALE, "votes=lnmax", 1},
};

START_TEST(published_audit)
{
	printf("\n| pate-gan | rows | score | votes | audited epsilon | verdict |\n");
	for (size_t i = 0; i < ISO_COUNT(trials); i++) {
		const struct trial *t = &trials[i];
		const iso_audit_result x = audit(t->bug, t->core, t->votes);

		printf("| %s | %.2f | %.2f | %.2f | %.2f | %s |\n", t->name,
		       x.test[ISO_STAT_ROWS].epsilon, x.test[ISO_STAT_SCORE].epsilon,
		       x.test[ISO_STAT_RELEASES].epsilon, x.epsilon,
		       iso_audit_verdict_name(x.verdict));
		fflush(stdout);
		ck_assert_uint_eq(x.judged, 400);
		tk_assert_close(x.ceiling, 4.681517, 0, 1e-6);
		if (t->violation >= 0)
			ck_assert_msg((x.verdict == ISO_AUDIT_VIOLATION) == t->violation, "%s",
				      t->name);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins/pate_audit");
	TCase *c = tcase_create("pate_audit");

	tcase_set_timeout(c, 300);
	tcase_add_test(c, published_audit);
	suite_add_tcase(s, c);
	return tk_run(s);
}
