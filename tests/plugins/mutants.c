// SPDX-License-Identifier: Apache-2.0
/* Seeded bugs against the checks of verify: all must die, and what has no bug must raise no alarm.
 * Prints which check killed which mutant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites/flow/verify.h"
#include "tests/plugins/core_mutants.h"
#include "tests/plugins/fixture.h"
#include "tests/plugins/toy.h"
#include "tests/support/testkit.h"

typedef struct mutant {
	const char *name,
		*row; /* row: letter of the table in the specification of attacks, - = none */
	toy_bug bug;
	core_bug core;
	iso_check must; /* a check that has to be among its killers; LEDGER also stands for a
			   refused training */
} mutant;

static const mutant mutants[] = {
	{"noise short by sqrt 2", "A", TOY_CLEAN, CORE_NOISE_SQRT2, ISO_CHECK_NOISE},
	{"noise divided by the batch", "C", TOY_CLEAN, CORE_NOISE_BY_BATCH, ISO_CHECK_NOISE},
	{"no noise at all", "A", TOY_CLEAN, CORE_NOISE_NONE, ISO_CHECK_NOISE},
	{"noise reused in every step", "K", TOY_CLEAN, CORE_NOISE_REUSED, ISO_CHECK_NOISE},
	{"sampler at twice the rate", "D", TOY_CLEAN, CORE_DOUBLE_RATE, ISO_CHECK_SAMPLING},
	{"batches of one size", "D", TOY_CLEAN, CORE_FIXED_SIZE, ISO_CHECK_SAMPLING},
	{"half the noise calibrated", "F", TOY_CLEAN, CORE_CALIBRATION, ISO_CHECK_LEDGER},
	{"two steps on one booking", "E", TOY_CLEAN, CORE_BOOKING, ISO_CHECK_LEDGER},
	{"vote noise short by sqrt 2", "A", TOY_PATE_CLEAN, CORE_NOISE_SQRT2, ISO_CHECK_NOISE},
	{"no clip", "B", TOY_NO_CLIP, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"per-batch clip", "B", TOY_BATCH_CLIP, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"layers clipped apart", "B", TOY_LAYER_CLIP, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"sum scaled by sqrt 2", "A", TOY_SQRT2, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"clip bound from the batch", "I", TOY_ADAPTIVE_CLIP, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"batch norm", "H", TOY_BATCH_NORM, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"randomness by position", "-", TOY_POSITION_KEYED, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"own batch at 3q", "D", TOY_WRONG_RATE, CORE_CLEAN, ISO_CHECK_INCLUSION},
	{"shuffled epochs as Poisson", "D", TOY_FIXED_BATCH, CORE_CLEAN, ISO_CHECK_INCLUSION},
	{"records offered twice", "D", TOY_DOUBLED, CORE_CLEAN, ISO_CHECK_SAMPLING},
	{"a step more than planned", "E", TOY_UNCOUNTED_STEP, CORE_CLEAN, ISO_CHECK_LEDGER},
	{"a free step", "E", TOY_FREE_STEP, CORE_CLEAN, ISO_CHECK_BLIND},
	{"FP-GAN: noise on activations", "G", TOY_ACTIVATION_NOISE, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"noise on one layer only", "G", TOY_LAST_LAYER_ONLY, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"raw-gradient momentum", "I", TOY_MOMENTUM, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"releases of zeros", "J", TOY_ZERO_RELEASE, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"penalty outside the clip", "J", TOY_PENALTY, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"early stop on real loss", "I", TOY_EARLY_STOP, CORE_CLEAN, ISO_CHECK_LEDGER},
	{"best step by real loss", "I", TOY_BEST_STEP, CORE_CLEAN, ISO_CHECK_BLIND},
	{"real n in the step size", "O", TOY_SIZE_LEAK, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"real loss in the curve", "I", TOY_CURVE, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"labels from the batch", "L", TOY_BATCH_LABELS, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"exact class counts", "L", TOY_EXACT_LABELS, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"min and max from data", "M", TOY_MIN_MAX, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"categories from data", "N", TOY_CATEGORIES, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"copies of a row", "S", TOY_COPY, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"parallel parts overlap", "-", TOY_SHARED_PART, CORE_CLEAN, ISO_CHECK_PARTITION},
	{"order of releases from data", "-", TOY_ORDER, CORE_CLEAN, ISO_CHECK_CONTROL_FLOW},
	{"refuses outliers", "-", TOY_REFUSES, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"overlapping teachers", "P", TOY_OVERLAP, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"teachers by position", "P", TOY_PART_BY_POSITION, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"student sees rows", "P", TOY_STUDENT_SEES_ROWS, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"clear votes without noise", "P", TOY_FREE_VOTES, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"stops when teachers agree", "P", TOY_VOTE_STOP, CORE_CLEAN, ISO_CHECK_LEDGER},
	{"PATE-GAN: parts dealt anew", "P", TOY_DEALT_ANEW, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"PATE-GAN: one for all", "P", TOY_SHARED_TEACHER, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"PATE-GAN: noise on targets", "P", TOY_TARGET_NOISE, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"PATE-GAN: scale inverted", "P", TOY_PATE_LAPLACE, CORE_LAPLACE_SCALE, ISO_CHECK_NOISE},
	{"DP-CGAN: sigma C for sigma", "F", TOY_SIGMA_C, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"cdp-GAN: rows clipped", "B", TOY_ROW_CLIP, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"dp-GAN: sigma / sqrt B", "C", TOY_SQRT_BATCH, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"PATE-GAN: all on one part", "P", TOY_STALE_PART, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"DPWGAN: budget after step", "E", TOY_BUDGET_AFTER, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"PrivBayes: scale of shares", "C", TOY_PROBABILITIES, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"VAE: terms clipped apart", "Q", TOY_TERMS_APART, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"VAE: a term not clipped", "Q", TOY_TERM_FREE, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"FL: no clip at clients", "R", TOY_CLIENT_FREE, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"FL: raw messages", "R", TOY_SERVER_NOISE, CORE_CLEAN, ISO_CHECK_OUTPUT},
	{"FL: one client aggregated", "R", TOY_ONE_CLIENT, CORE_CLEAN, ISO_CHECK_SENSITIVITY},
	{"VAE: raw encoder released", "Q", TOY_ENCODER, CORE_CLEAN, ISO_CHECK_OUTPUT},
};

static iso_error err;

static iso_status judge(toy_bug bug, core_bug core, uint64_t seed, iso_adjacency adj,
			iso_verdict *v)
{
	const iso_generator *g = toy_generator(bug);
	iso_table *t = fx_table(fx_schema(), 200, 100 + seed);
	const int64_t options = bug; /* the one option of the toys */
	const iso_verify_request r = {.generator = g,
				      .options = &options,
				      .data = t,
				      .epsilon = 1,
				      .delta = 1e-5,
				      .adjacency = adj,
				      .accountant = ISO_ACC_RDP,
				      .seed = seed,
				      .quick = 1};
	iso_status st;

	core_bug_now = core;
	st = iso_verify(&r, v, &err);
	core_bug_now = CORE_CLEAN;
	iso_table_free(t);
	return st;
}

/* The row of docs/bug-zoo.md. */
static void zoo_row(const mutant *m, const iso_verdict *v, iso_status st, char out[400])
{
	int n = snprintf(out, 400, "| %s | %s |", m->name, m->row), any = 0;

	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		if (st == ISO_OK && v->check[c].failed)
			n += snprintf(out + n, 400 - (size_t)n, "%s %s", any++ ? "," : "",
				      iso_check_name((iso_check)c));
	snprintf(out + n, 400 - (size_t)n, " |\n");
}

static void print_row(const mutant *m, const iso_verdict *v, iso_status st)
{
	printf("%-27s %-3s ", m->name, m->row);
	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		printf(" %*s", (int)strlen(iso_check_name((iso_check)c)),
		       st == ISO_OK && v->check[c].failed ? "x" : ".");
	printf("  %s\n", st == ISO_OK && v->refused ? "x" : "");
	fflush(stdout);
}

START_TEST(every_mutant_dies)
{
	const char *table = getenv("ISO_BUG_ZOO"); /* docs/bug-zoo.md is made from this file */
	FILE *rows = table ? fopen(table, "w") : NULL;
	size_t killed = 0;

	ck_assert(!table || rows);
	printf("\n%-27s %-3s ", "mutant", "row");
	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		printf(" %s", iso_check_name((iso_check)c));
	printf("  refused\n");
	for (size_t i = 0; i < ISO_COUNT(mutants); i++) {
		const mutant *m = &mutants[i];
		iso_verdict v = {0};
		const iso_status st = judge(m->bug, m->core, 1, ISO_ADD_REMOVE, &v);

		print_row(m, &v, st);
		if (rows) {
			char row[400];

			zoo_row(m, &v, st, row);
			fputs(row, rows);
		}
		killed += st != ISO_OK || v.flows;
		ck_assert_msg(st != ISO_OK || v.flows, "mutant \"%s\" lives", m->name);
		ck_assert_msg(st == ISO_OK && v.check[m->must].failed > 0,
			      "mutant \"%s\" was not seen by %s: %s", m->name,
			      iso_check_name(m->must), err.text);
		iso_error_clear(&err);
	}
	printf("%zu of %zu mutants killed\n", killed, ISO_COUNT(mutants));
	fflush(stdout);
	if (rows)
		fclose(rows);
	ck_assert_uint_eq(killed, ISO_COUNT(mutants));
}
END_TEST

/* Five seeds, both adjacencies: the statistical checks alarm once in a million. */
START_TEST(clean_generators_raise_no_alarm)
{
	static const toy_bug clean[] = {TOY_CLEAN, TOY_PATE_CLEAN, TOY_PATE_LAPLACE, TOY_SUM_CLEAN};

	size_t trials = 0;

	for (size_t k = 0; k < ISO_COUNT(clean); k++)
		for (uint64_t seed = 1; seed <= 5; seed++)
			for (int adj = ISO_ADD_REMOVE; adj <= ISO_REPLACE_ONE; adj++) {
				iso_verdict v;

				tk_ok(judge(clean[k], CORE_CLEAN, seed, (iso_adjacency)adj, &v));
				for (int c = 0; c < ISO_CHECK_COUNT; c++)
					ck_assert_msg(!v.check[c].failed, "%s: %s",
						      iso_check_name((iso_check)c),
						      v.check[c].what);
				ck_assert_int_eq(v.flows, 0);
				ck_assert_int_eq(v.guarantee, ISO_GUARANTEE_DP);
				trials++;
			}
	printf("no alarm in %zu verifications\n", trials);
	fflush(stdout);
}
END_TEST

/* The first finding names where to look. */
START_TEST(findings_name_the_place)
{
	static const struct {
		toy_bug bug;
		iso_check check;
		const char *says;
	} want[] = {{TOY_MIN_MAX, ISO_CHECK_OUTPUT, "\"high\""},
		    {TOY_CATEGORIES, ISO_CHECK_OUTPUT, "\"mask\""},
		    {TOY_EXACT_LABELS, ISO_CHECK_OUTPUT, "\"labels\""},
		    {TOY_NO_CLIP, ISO_CHECK_SENSITIVITY, "of step"},
		    {TOY_COPY, ISO_CHECK_OUTPUT, "\"cache\""},
		    {TOY_CURVE, ISO_CHECK_OUTPUT, "training curve"},
		    {TOY_REFUSES, ISO_CHECK_OUTPUT, "outlier"}};

	for (size_t i = 0; i < ISO_COUNT(want); i++) {
		iso_verdict v;

		tk_ok(judge(want[i].bug, CORE_CLEAN, 1, ISO_ADD_REMOVE, &v));
		ck_assert_msg(strstr(v.check[want[i].check].what, want[i].says) != NULL, "%s",
			      v.check[want[i].check].what);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins/mutants");
	TCase *c = tcase_create("mutants");

	tcase_set_timeout(c, 600);
	tcase_add_test(c, every_mutant_dies);
	tcase_add_test(c, clean_generators_raise_no_alarm);
	tcase_add_test(c, findings_name_the_place);
	suite_add_tcase(s, c);
	return tk_run(s);
}
