// SPDX-License-Identifier: Apache-2.0
/* Noise is never shared between releases: the subtraction attack on a histogram, through the whole
 * flow of a training. */
#include <math.h>
#include <string.h>

#include "core/privacy/mechanism.h"
#include "core/privacy/replay.h"
#include "suites/flow/train.h"
#include "tests/plugins/fixture.h"
#include "tests/support/testkit.h"

static iso_error err;
enum { ROWS = 200, CELLS = 64 };

typedef struct opts {
	int64_t extra;
	double unused;
} opts;

static const iso_option table[] = {ISO_OPT_INT(opts, extra, "0", 0, 9, "no effect"),
				   ISO_OPT_REAL(opts, unused, "0.5", 0, 1, "no effect"),
				   {0}};

typedef struct model {
	double count[CELLS];
	double scale;
	uint64_t fit_key;
} model;

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *p, iso_error *e)
{
	(void)env;
	return iso_plan_gaussian(p, (iso_entry){.why = "counts"}, scale, 1, 1, 1, e);
}

/* The true count of cell c is the number of ids that are c modulo CELLS. */
static iso_status fit(const iso_fit *f, void **out, iso_error *e)
{
	uint32_t cell[ROWS + 1];
	model *m = iso_alloc(1, sizeof(*m));

	ck_assert(m != NULL && f->train->n <= ROWS + 1);
	for (size_t r = 0; r < f->train->n; r++)
		cell[r] = (uint32_t)(f->train->id[r] % CELLS);
	m->scale = f->scale;
	m->fit_key = f->key.k;
	*out = m;
	return iso_mech_histogram(f->ledger, (iso_entry){.why = "counts"}, cell, f->train->n, 1,
				  CELLS, m->count, e);
}

static iso_status sample(const void *m, iso_key key, iso_table *out, iso_error *e)
{
	(void)m, (void)key, (void)out, (void)e;
	return ISO_OK;
}

static iso_status save(const void *m, iso_str *out, iso_error *e)
{
	(void)m, (void)out, (void)e;
	return ISO_OK;
}

static const iso_generator counts = {.abi = ISO_GENERATOR_ABI,
				     .name = "counts",
				     .title = "counts of ids",
				     .citation = "none",
				     .card = "for tests",
				     .guarantee = ISO_GUARANTEE_DP,
				     .accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
				     .version = 1,
				     .options = table,
				     .options_size = sizeof(opts),
				     .plan = plan,
				     .fit = fit,
				     .sample = sample,
				     .destroy = iso_free,
				     .save = save};

static model train(const iso_training_request *r)
{
	iso_training t;
	model m;

	tk_ok(iso_train(r, &t, &err));
	m = *(const model *)t.model;
	iso_training_free(&t);
	return m;
}

static const opts defaults = {0, 0.5};

static iso_training_request request(const iso_table *t)
{
	return (iso_training_request){.generator = &counts,
				      .options = &defaults,
				      .train = t,
				      .n = ROWS,
				      .epsilon = 1,
				      .delta = 1e-5,
				      .accountant = ISO_ACC_RDP,
				      .seed = 5};
}

/* r1 = c + s1 z and r2 = c + s2 z give c = (s2 r1 - s1 r2) / (s2 - s1): exact if z is shared. */
static double worst_error(const model *a, const model *b, const iso_table *t)
{
	double truth[CELLS] = {0}, worst = 0;

	for (size_t r = 0; r < t->n; r++)
		truth[t->id[r] % CELLS]++;
	for (int c = 0; c < CELLS; c++) {
		const double guess =
			(b->scale * a->count[c] - a->scale * b->count[c]) / (b->scale - a->scale);

		worst = fmax(worst, fabs(guess - truth[c]));
	}
	return worst;
}

/* The attack works when the noise is shared (its power), and fails on two budgets. */
START_TEST(subtraction_attack_fails)
{
	iso_table *t = fx_table(fx_schema(), ROWS, 1);
	iso_training_request r = request(t);
	model one = train(&r), two, shared;

	r.epsilon = 2;
	two = train(&r);
	ck_assert(one.scale > 1.5 * two.scale);
	/* 64 cells with independent noise of sd 3.7 and 1.9: every one within 1 of the truth has
	 * probability below 1e-40 */
	ck_assert(worst_error(&one, &two, t) > 1);
	shared = one;
	for (int c = 0; c < CELLS; c++) {
		double truth = 0;

		for (size_t k = 0; k < t->n; k++)
			truth += t->id[k] % CELLS == (size_t)c;
		shared.count[c] = truth + (one.count[c] - truth) * two.scale / one.scale;
	}
	shared.scale = two.scale;
	ck_assert(worst_error(&one, &shared, t) < 1e-9);
	iso_table_free(t);
}
END_TEST

/* D and D minus a row, the same seed: the difference is noise, not the row. */
START_TEST(a_row_less_gives_other_noise)
{
	iso_table *t = fx_table(fx_schema(), ROWS, 1), *less;
	uint32_t row[ROWS];
	iso_training_request r = request(t);
	model a, b;
	int moved = 0;

	for (uint32_t i = 0; i + 1 < ROWS; i++)
		row[i] = i + 1;
	tk_ok(iso_table_select(t, row, ROWS - 1, &less, &err));
	r.epsilon = 0.01;
	a = train(&r);
	r.train = less;
	b = train(&r);
	for (int c = 0; c < CELLS; c++)
		moved += fabs(a.count[c] - b.count[c]) > 1.5;
	ck_assert_int_gt(moved, CELLS / 2);
	iso_table_free(less);
	iso_table_free(t);
}
END_TEST

/* First noise word of a request, as seen in a cell without rows (ids below CELLS are all there). */
static double noise_of(const iso_training_request *r)
{
	const model m = train(r);
	double truth = 0;

	for (size_t k = 0; k < r->train->n; k++)
		truth += r->train->id[k] % CELLS == 0;
	return (m.count[0] - truth) / m.scale;
}

START_TEST(every_fact_of_a_request_changes_the_noise)
{
	static const size_t per_class[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	const opts other = {1, 0.5}, third = {0, 0.25};
	iso_generator renamed = counts, newer = counts;
	iso_table *t = fx_table(fx_schema(), ROWS, 1), *u = fx_table(fx_schema(), ROWS, 2);
	iso_training_request r[12];
	double z[12];
	const size_t n = ISO_COUNT(r);

	renamed.name = "counts-2";
	newer.version = 2;
	for (size_t i = 0; i < n; i++)
		r[i] = request(t);
	r[1].epsilon = 2;
	r[2].delta = 2e-5;
	r[3].adjacency = ISO_REPLACE_ONE;
	r[4].train = u;
	r[5].options = &other;
	r[6].options = &third;
	r[7].generator = &renamed;
	r[8].generator = &newer;
	r[9].seed = 6;
	r[10].scale = 5;
	r[11].class_count = per_class;
	for (size_t i = 0; i < n; i++) {
		z[i] = noise_of(&r[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(fabs(z[i] - z[k]) > 1e-9, "requests %zu and %zu share noise",
				      k, i);
	}
	/* and nothing else does: the same request again */
	tk_assert_close(noise_of(&r[0]), z[0], 0, 1e-12);
	iso_table_free(t);
	iso_table_free(u);
}
END_TEST

/* Positions in a file are exchangeable in secure mode: the key of fit comes from the secret. */
START_TEST(secure_mode_has_a_secret_fit_key)
{
	iso_table *t = fx_table(fx_schema(), ROWS, 1);
	iso_training_request r = request(t);
	model a = train(&r), b = train(&r), c, d;

	ck_assert_uint_eq(a.fit_key, b.fit_key);
	ck_assert(memcmp(a.count, b.count, sizeof(a.count)) == 0);
	r.secure = 1;
	c = train(&r);
	d = train(&r);
	ck_assert_uint_ne(c.fit_key, a.fit_key);
	ck_assert_uint_ne(c.fit_key, d.fit_key);
	ck_assert(fabs(c.count[0] - d.count[0]) > 1e-9);
	iso_table_free(t);
}
END_TEST

/* A neighbour under the replay of one recording draws the recorded key; without it another. */
START_TEST(replay_pins_the_key)
{
	iso_table *t = fx_table(fx_schema(), ROWS, 1), *u = fx_table(fx_schema(), ROWS, 2);
	iso_training_request r = request(t);
	iso_replay *replay;
	model a, b, c;

	tk_ok(iso_replay_new(&replay, &err));
	iso_replay_blind(replay);
	r.replay = replay;
	a = train(&r);
	r.train = u;
	iso_replay_blind(replay);
	b = train(&r);
	ck_assert(memcmp(a.count, b.count, sizeof(a.count)) == 0);
	r.replay = NULL;
	c = train(&r);
	ck_assert(fabs(c.count[0] - b.count[0]) > 1e-9);
	iso_replay_free(replay);
	iso_table_free(t);
	iso_table_free(u);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conformance/noise_key");
	TCase *c = tcase_create("noise");

	tcase_add_test(c, subtraction_attack_fails);
	tcase_add_test(c, a_row_less_gives_other_noise);
	tcase_add_test(c, every_fact_of_a_request_changes_the_noise);
	tcase_add_test(c, secure_mode_has_a_secret_fit_key);
	tcase_add_test(c, replay_pins_the_key);
	suite_add_tcase(s, c);
	return tk_run(s);
}
