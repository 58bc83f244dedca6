// SPDX-License-Identifier: Apache-2.0
/* The bugs of the zoo that verify cannot see (docs/bug-zoo.md), and what sees them: golden values
 * of accountants, the subtraction of two releases, audits of published bugs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/math/vmath.h"
#include "core/privacy/mechanism.h"
#include "suites/flow/audit.h"
#include "tests/plugins/core_mutants.h"
#include "tests/plugins/fixture.h"
#include "tests/plugins/toy.h"
#include "tests/support/testkit.h"

static iso_error err;

/* ------------------------------------------------------------------ the accountant of PATE-GAN */

typedef enum moments_bug { MOMENTS_RIGHT, MOMENTS_NO_LOG, MOMENTS_INDEX } moments_bug;

/* log E exp(l * privacy loss) of one LNMax query (Papernot et al. 2017, Theorem 3): e = 2 lambda, q
 * the chance of another winner. */
static double moment(double e, double q, double l, moments_bug bug)
{
	const double plain = fmin(e * e / 2 * l * (l + 1), e * l);
	const double up = bug == MOMENTS_INDEX ? e * (l - 1) + 1 : e * l;
	double inside;

	if (!(q < 1 / (iso_exp(e) + 1)))
		return plain;
	inside = (1 - q) * iso_pow((1 - q) / (1 - iso_exp(e) * q), l) + q * iso_exp(up);
	return fmin(plain, bug == MOMENTS_NO_LOG ? inside : iso_log(inside));
}

/* A bug must miss by 1 % somewhere, the right formula by 1e-6 nowhere.  The golden values are of
 * the released code, which uses the second branch beyond its validity (up to q = 1/2): left out. */
START_TEST(accountants_are_golden)
{
	cJSON *golden = tk_golden("accounting_pate.json.gz");
	double worst[3] = {0};
	size_t values = 0;
	const cJSON *r;

	cJSON_ArrayForEach(r, cJSON_GetObjectItem(golden, "records"))
	{
		const cJSON *mgf = cJSON_GetObjectItem(r, "log_mgf_2017"), *l;
		const cJSON *q = cJSON_GetObjectItem(r, "q_2017");
		const double e = tk_number(r, "pure_eps_per_query");

		for (int i = 0; mgf && i < cJSON_GetArraySize(q); i++) {
			const cJSON *row =
				cJSON_GetArrayItem(cJSON_GetObjectItem(mgf, "per_query"), i);
			int k = 0;

			cJSON_ArrayForEach(l, cJSON_GetObjectItem(mgf, "lambdas"))
			{
				const double want = cJSON_GetArrayItem(row, k++)->valuedouble;
				const double p = cJSON_GetArrayItem(q, i)->valuedouble;

				if (p < 0.5 && !(p < 1 / (iso_exp(e) + 1)))
					continue;
				for (int b = MOMENTS_RIGHT; b <= MOMENTS_INDEX; b++) {
					const double got =
						moment(e, p, l->valuedouble, (moments_bug)b);
					const double off = fabs(got - want) / (want + 1e-9);

					worst[b] = off > worst[b] ? off : worst[b];
				}
				values++;
			}
		}
	}
	printf("golden moments: %zu values; off by at most %.1e, without the log %.1e, index off "
	       "%.1e\n",
	       values, worst[0], worst[1], worst[2]);
	ck_assert_uint_gt(values, 500);
	ck_assert(worst[MOMENTS_RIGHT] <= 1e-6);
	ck_assert(worst[MOMENTS_NO_LOG] > 0.01);
	ck_assert(worst[MOMENTS_INDEX] > 0.01);
	cJSON_Delete(golden);
}
END_TEST

/* ------------------------------------------------------------------ noise that releases share */

enum { CELLS = 64, ROWS = 200 };

static iso_status counts_plan(const iso_gen_env *env, double s, iso_plan *p, iso_error *e)
{
	(void)env;
	return iso_plan_gaussian(p, (iso_entry){.why = "counts"}, s, 1, 1, 1, e);
}

static iso_status counts_fit(const iso_fit *f, void **out, iso_error *e)
{
	uint32_t cell[ROWS + 1];
	double *count = iso_alloc(CELLS, sizeof(*count));

	ck_assert(count != NULL && f->train->n <= ROWS + 1);
	for (size_t r = 0; r < f->train->n; r++)
		cell[r] = (uint32_t)(f->train->id[r] % CELLS);
	*out = count;
	return iso_mech_histogram(f->ledger, (iso_entry){.why = "counts"}, cell, f->train->n, 1,
				  CELLS, count, e);
}

static iso_status no_rows(const void *m, iso_key key, iso_table *out, iso_error *e)
{
	(void)m, (void)key, (void)out, (void)e;
	return ISO_OK;
}

static iso_status no_bytes(const void *m, iso_str *out, iso_error *e)
{
	(void)m, (void)out, (void)e;
	return ISO_OK;
}

/* Cells whose released counts differ between epsilon 1 and 2 by a whole number, of 64, when the
 * true counts are whole numbers and noise of both releases is divided by its standard deviation. */
static size_t equal_noise(core_bug bug)
{
	static const iso_option none[] = {{0}};
	static const iso_generator counts = {.abi = ISO_GENERATOR_ABI,
					     .name = "counts",
					     .guarantee = ISO_GUARANTEE_DP,
					     .accepts =
						     ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
					     .options = none,
					     .plan = counts_plan,
					     .fit = counts_fit,
					     .sample = no_rows,
					     .destroy = iso_free,
					     .save = no_bytes};
	iso_table *t = fx_table(fx_schema(), ROWS, 5);
	iso_training x[2];
	size_t equal = 0;

	core_bug_now = bug;
	for (int k = 0; k < 2; k++) {
		const iso_training_request q = {.generator = &counts,
						.train = t,
						.epsilon = 1 + k,
						.delta = 1e-5,
						.accountant = ISO_ACC_RDP,
						.seed = 1};

		tk_ok(iso_train(&q, &x[k], &err));
	}
	core_bug_now = CORE_CLEAN;
	for (size_t c = 0; c < CELLS; c++) {
		const double truth = (double)(ROWS / CELLS + (c < ROWS % CELLS));
		const double a = (((double *)x[0].model)[c] - truth) / x[0].scale;
		const double b = (((double *)x[1].model)[c] - truth) / x[1].scale;

		equal += fabs(a - b) < 1e-9;
	}
	iso_training_free(&x[0]);
	iso_training_free(&x[1]);
	iso_table_free(t);
	return equal;
}

START_TEST(releases_share_no_noise)
{
	ck_assert_uint_eq(equal_noise(CORE_CLEAN), 0);
	ck_assert_uint_eq(equal_noise(CORE_SHARED_KEY), CELLS);
}
END_TEST

/* ------------------------------------------------------------------ audits of the published bugs
 */

static iso_audit_result audit(toy_bug bug, core_bug core, double epsilon, size_t runs)
{
	const int64_t options = bug;
	const iso_generator *g = toy_generator(bug);
	iso_schema *schema;
	iso_table *table, *target;
	iso_audit_result x;
	iso_audit_request r = {.generator = g,
			       .options = &options,
			       .epsilon = epsilon,
			       .delta = 1e-5,
			       .accountant = ISO_ACC_PLD,
			       .seed = 3,
			       .runs = runs,
			       .alpha = 1e-3,
			       .jobs = 2};

	tk_ok(iso_audit_micro(g, &options, &schema, &table, &target, &err));
	r.table = table;
	r.target = target;
	core_bug_now = core;
	tk_ok(iso_audit(&r, &x, &err));
	core_bug_now = CORE_CLEAN;
	iso_table_free(table);
	iso_table_free(target);
	iso_schema_free(schema);
	return x;
}

/* Those whose excess on four rows is large enough for 150 runs at epsilon 1. */
START_TEST(audits_see_them_too)
{
	static const struct {
		toy_bug bug;
		core_bug core;
		int violation;
	} trial[] = {{TOY_SUM_CLEAN, CORE_CLEAN, 0},
		     {TOY_PATE_LAPLACE, CORE_CLEAN, 0},
		     {TOY_CLIENT_FREE, CORE_CLEAN, 1},
		     {TOY_SUM_CLEAN, CORE_NOISE_NONE, 1},
		     {TOY_PATE_LAPLACE, CORE_LAPLACE_SCALE, 1}};

	for (size_t i = 0; i < ISO_COUNT(trial); i++) {
		const iso_audit_result x = audit(trial[i].bug, trial[i].core, 1, 150);

		printf("audit of bug %d, core %d: %s, epsilon >= %.3f\n", (int)trial[i].bug,
		       (int)trial[i].core, iso_audit_verdict_name(x.verdict), x.epsilon);
		ck_assert_msg((x.verdict == ISO_AUDIT_VIOLATION) == trial[i].violation,
			      "%zu: %s, %g", i, iso_audit_verdict_name(x.verdict), x.epsilon);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins/zoo");
	TCase *c = tcase_create("zoo");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, accountants_are_golden);
	tcase_add_test(c, releases_share_no_noise);
	tcase_add_test(c, audits_see_them_too);
	suite_add_tcase(s, c);
	return tk_run(s);
}
