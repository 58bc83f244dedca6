// SPDX-License-Identifier: Apache-2.0
/* Suite files: defaults, every key, what is refused and in which words; plans: cells, keys, ranks.
 */
#include <stdio.h>
#include <string.h>

#include "results/record.h"
#include "suites/plan.h"
#include "suites/runner.h"
#include "tests/support/testkit.h"

static iso_error err;

static iso_status parse(const char *text, iso_suite **s)
{
	*s = NULL;
	return iso_suite_parse(text, strlen(text), "s.json", ".", s, &err);
}

START_TEST(defaults)
{
	iso_suite *s;

	tk_ok(parse("{\"name\":\"t\",\"datasets\":[\"wdbc\"],\"generators\":[\"vae\"]}", &s));
	ck_assert_str_eq(s->title, "t");
	ck_assert_uint_eq(s->nepsilon, 1);
	ck_assert(s->epsilon[0] == 1 && s->delta == 1e-5);
	ck_assert_uint_eq(s->nseed, 1);
	ck_assert_uint_eq(s->seed[0], 1);
	ck_assert(s->adjacency == ISO_ADD_REMOVE && s->accountant == ISO_ACC_PLD);
	ck_assert(s->dataset[0].split.train == 0.5 && s->dataset[0].split.holdout == 0.25 &&
		  s->dataset[0].split.aux == 0.25);
	ck_assert(s->dataset[0].split.official_test && s->dataset[0].split.dedup);
	ck_assert(s->rows == ISO_ROWS_TRAIN && s->attack_targets == 1000 && s->keep_samples == 0);
	ck_assert(s->nattack == SIZE_MAX && s->nmetric == SIZE_MAX);
	ck_assert(s->limit_seconds == 3600 && s->limit_bytes == (size_t)4096 << 20 &&
		  !s->public_class_counts);
	iso_suite_free(s);
}
END_TEST

static const char *const full =
	"{\"name\":\"full-1\",\"title\":\"T\",\"description\":\"D\",\"datasets\":[\"wdbc\",{"
	"\"name\":\"sim-census\",\"label\":\"small\","
	"\"options\":{\"rows\":300},\"split\":{\"train\":0.6,\"holdout\":0.4,\"aux\":0}}],"
	"\"generators\":[{\"name\":\"dp-cgan\",\"label\":\"a\","
	"\"options\":{\"steps\":10},\"epsilons\":[0.5],\"datasets\":[\"small\"],\"per_dataset\":{"
	"\"small\":{\"batch\":7}}},\"uniform\"],"
	"\"epsilons\":[1,8],\"seeds\":[3,11],\"delta\":\"1/"
	"n\",\"adjacency\":\"add-remove\",\"accountant\":\"rdp\",\"split\":{\"train\":0.4,"
	"\"dedup\":false},\"rows\":50,\"attacks\":[{\"name\":\"gan-leaks\",\"label\":\"x\","
	"\"options\":{\"samples\":100}}],\"metrics\":[],"
	"\"attack_targets\":9,\"keep_samples\":true,\"limits\":{\"seconds\":2,\"memory_mib\":100},"
	"\"public\":{\"class_counts\":true},\"published\":[{\"dataset\":\"small\",\"generator\":"
	"\"a\",\"epsilon\":0.5,\"value\":\"tstr.lr.accuracy\",\"published\":0.25,\"source\":"
	"\"paper\"}]}";

START_TEST(every_key)
{
	iso_suite *s;

	tk_ok(parse(full, &s));
	ck_assert(s->dataset[0].split.train == 0.4 && s->dataset[0].split.holdout == 0.25 &&
		  !s->dataset[0].split.dedup);
	ck_assert(s->dataset[1].split.train == 0.6 && s->dataset[1].split.aux == 0 &&
		  !s->dataset[1].split.dedup);
	ck_assert_str_eq(s->dataset[1].label, "small");
	ck_assert_uint_eq(s->generator[0].nepsilon, 1);
	ck_assert_uint_eq(s->generator[0].ndataset, 1);
	ck_assert(s->seed[0] == 3 && s->seed[1] == 11 && s->delta == ISO_DELTA_ONE_OVER_N &&
		  s->accountant == ISO_ACC_RDP);
	ck_assert(s->rows == 50 && s->keep_samples == ISO_KEEP_ALL && s->attack_targets == 9 &&
		  s->public_class_counts);
	ck_assert_int_eq(cJSON_GetArraySize(s->published), 1);
	ck_assert(s->limit_seconds == 2 && s->limit_bytes == (size_t)100 << 20 && s->nmetric == 0);
	iso_suite_free(s);
}
END_TEST

/* A resolved suite says the same as the one that it came from: resolving it again changes nothing.
 */
START_TEST(resolved_is_a_fixed_point)
{
	iso_suite *s, *again;
	cJSON *a, *b;
	iso_str ta = {0}, tb = {0};

	tk_ok(parse(full, &s));
	tk_ok(iso_suite_to_json(s, &a, &err));
	tk_ok(iso_json_pretty(a, &ta, &err));
	tk_ok(parse(ta.p, &again));
	tk_ok(iso_suite_to_json(again, &b, &err));
	tk_ok(iso_json_pretty(b, &tb, &err));
	ck_assert_str_eq(ta.p, tb.p);
	iso_str_free(&ta);
	iso_str_free(&tb);
	cJSON_Delete(a);
	cJSON_Delete(b);
	iso_suite_free(s);
	iso_suite_free(again);
}
END_TEST

#define HEAD "{\"name\":\"t\",\"datasets\":[\"wdbc\"],\"generators\":[\"vae\"]"
static const struct {
	const char *text, *words;
} wrong[] = {
	{"{\"name\":\"t\",\n  \"datasets\": [\"wdbc\",]}", "s.json:2:"},
	{"[]", "not a suite"},
	{"{}", "\"name\""},
	{"{\"name\":\"t\",\"generators\":[\"vae\"]}", "no data set"},
	{"{\"name\":\"t\",\"datasets\":[\"wdbc\"]}", "no generator"},
	{"{\"name\":\"\",\"datasets\":[\"wdbc\"],\"generators\":[\"vae\"]}", "1 to 63"},
	{"{\"name\":\"a b\",\"datasets\":[\"wdbc\"],\"generators\":[\"vae\"]}", "letters, digits"},
	{HEAD ",\"Epsilons\":[1]}", "did you mean \"epsilons\"?"},
	{HEAD ",\"name\":\"u\"}", "s.json:1:"},
	{HEAD ",\"epsilons\":1}", "must be a list"},
	{HEAD ",\"epsilons\":[\"1\"]}", "epsilons[0]"},
	{HEAD ",\"epsilons\":[0]}", "epsilons[0]"},
	{HEAD ",\"seeds\":0}", "seeds"},
	{HEAD ",\"seeds\":[]}", "(got 0)"},
	{HEAD ",\"seeds\":[-1]}", "seeds[0]"},
	{HEAD ",\"seeds\":[4294967296]}", "seeds[0]"},
	{HEAD ",\"delta\":0}", "delta"},
	{HEAD ",\"delta\":true}", "delta"},
	{HEAD ",\"split\":{\"train\":0}}", "train"},
	{HEAD ",\"split\":[1]}", "must be an object"},
	{HEAD ",\"split\":{\"dedup\":1}}", "true or false"},
	{HEAD ",\"rows\":0}", "rows"},
	{HEAD ",\"rows\":1.5}", "whole number"},
	{HEAD ",\"attacks\":[3]}", "attacks[0]"},
	{HEAD ",\"attacks\":[{\"name\":\"gan-leaks\",\"option\":{}}]}",
	 "did you mean \"options\"?"},
	{HEAD ",\"attacks\":[\"gan-leaks\",\"gan-leaks\"]}", "label used twice"},
	{HEAD ",\"attacks\":[{\"name\":\"gan-leaks\",\"label\":\"a,b\"}]}", "bad label"},
	{HEAD ",\"keep_samples\":-1}", "keep_samples"},
	{HEAD ",\"limits\":{\"memory\":3}}", "memory_mib"},
	{HEAD ",\"public\":{\"class_count\":true}}", "class_counts"},
	{HEAD ",\"published\":[1]}", "published[0]"},
	{HEAD ",\"published\":[{\"dataset\":\"wdbc\",\"generator\":\"gan\",\"value\":\"x\","
	      "\"published\":1,\"source\":\"y\"}]}",
	 "one of its generators"},
	{HEAD ",\"published\":[{\"dataset\":\"wdbc\",\"generator\":\"vae\",\"value\":\"x\","
	      "\"published\":\"1\",\"source\":\"y\"}]}",
	 "\"published\""},
	{"{\"name\":\"t\",\"datasets\":[{\"name\":\"x\",\"csv\":\"a.csv\"}],\"generators\":["
	 "\"vae\"]}",
	 "\"csv\" and \"schema\" go together"},
	{"{\"name\":\"t\",\"datasets\":[{\"csv\":\"a.csv\",\"schema\":\"b\"}],\"generators\":["
	 "\"vae\"]}",
	 "datasets[0]"},
	{"{\"name\":\"t\",\"datasets\":[\"wdbc\"],\"generators\":[{\"name\":\"vae\",\"datasets\":["
	 "\"wdbd\"]}]}",
	 "did you mean \"wdbc\"?"},
	{"{\"name\":\"t\",\"datasets\":[\"wdbc\"],\"generators\":[{\"name\":\"vae\",\"per_"
	 "dataset\":{\"adult\":{}}}]}",
	 "adult"},
	{"{\"name\":\"t\",\"datasets\":[\"wdbc\"],\"generators\":[{\"name\":\"vae\",\"per_"
	 "dataset\":{\"wdbc\":1}}]}",
	 "per_dataset"},
};

START_TEST(refused)
{
	iso_suite *s;

	tk_fails(parse(wrong[_i].text, &s), ISO_E_CONFIG, wrong[_i].words);
	ck_assert_ptr_null(s);
}
END_TEST

/* No prefix of a suite and no suite with one byte changed crashes the parser. */
START_TEST(mangled)
{
	char text[2048];
	const size_t n = strlen(full);

	for (size_t i = 0; i < n; i++) {
		iso_suite *s = NULL;

		memcpy(text, full, n + 1);
		if (iso_suite_parse(text, i, "s.json", NULL, &s, &err) == ISO_OK)
			ck_abort_msg("the first %zu bytes of a suite were taken for a suite", i);
		iso_error_clear(&err);
		text[i] ^= (char)(1 << (i % 7));
		if (iso_suite_parse(text, n, "s.json", NULL, &s, &err) == ISO_OK)
			iso_suite_free(s);
		iso_error_clear(&err);
	}
}
END_TEST

/* ------------------------------------------------------------------ plans */

START_TEST(cells_of_a_plan)
{
	iso_suite *s;
	iso_agenda *a;
	size_t seen = 0;
	char key[33];

	tk_ok(parse(full, &s));
	tk_ok(iso_agenda_new(s, &a, &err));
	/* dp-cgan: one epsilon x two seeds on "small"; uniform: its plan is empty, so one cell per
	 * seed on both data sets. */
	ck_assert_uint_eq(a->ncell, 2 + 2 * 2);
	for (size_t i = 0; i < a->ncell; i++) {
		const iso_cell *c = &a->cell[i];
		const int dp = c->generator == 0;
		const cJSON *batch = cJSON_GetObjectItem(
			iso_agenda_setup(a, c->generator, c->dataset)->resolved, "batch");

		cJSON *config;

		tk_ok(iso_cell_config(a, c, &config, &err));
		tk_ok(iso_record_key(config, key, &err));
		ck_assert_str_eq(key, c->key);
		cJSON_Delete(config);
		ck_assert(dp ? c->epsilon == 0.5 : isinf(c->epsilon));
		ck_assert(c->rows == 50 && c->keep == 50 && c->rank < a->ncell);
		seen |= (size_t)1 << c->rank;
		if (dp) {
			ck_assert_uint_eq(c->dataset, 1);
			ck_assert(batch && batch->valuedouble == 7);
			ck_assert(c->delta == iso_record_round(1.0 / 180)); /* 0.6 of 300 rows */
		}
	}
	ck_assert_uint_eq(seen, ((size_t)1 << a->ncell) - 1);
	iso_agenda_free(a);
	iso_suite_free(s);
}
END_TEST

static void key_of(const char *text, char key[33])
{
	iso_suite *s;
	iso_agenda *a;

	tk_ok(parse(text, &s));
	tk_ok(iso_agenda_new(s, &a, &err));
	memcpy(key, a->cell[0].key, 33);
	iso_agenda_free(a);
	iso_suite_free(s);
}

#define ONE(rest) \
	"{\"name\":\"t\",\"datasets\":[\"wdbc\"],\"generators\":[\"memorise\"],\"attacks\":[]," \
	"\"metrics\":[]" rest "}"
/* The key changes with all that determines the training, and with nothing else. */
START_TEST(keys)
{
	static const char *const same[] = {ONE(",\"title\":\"another\""),
					   ONE(",\"limits\":{\"seconds\":9}"),
					   ONE(",\"epsilons\":[3]"),
					   ONE(",\"seeds\":[1,2]"),
					   ONE(",\"rows\":3"),
					   ONE(",\"attack_targets\":3"),
					   ONE(",\"keep_samples\":1"),
					   ONE(",\"verify\":false"),
					   ONE(",\"keep\":{\"models\":false}")},
				 *const other[] = {ONE(",\"seeds\":[2]"),
						   ONE(",\"delta\":1e-6"),
						   ONE(",\"split\":{\"aux\":0.2}"),
						   ONE(",\"secure\":true"),
						   ONE(",\"public\":{\"class_counts\":true}"),
						   ONE(",\"accountant\":\"rdp\"")};
	char first[33], key[33];

	key_of(ONE(""), first);
	for (size_t i = 0; i < ISO_COUNT(same); i++) {
		key_of(same[i], key);
		ck_assert_msg(strcmp(key, first) == 0, "%s", same[i]);
	}
	for (size_t i = 0; i < ISO_COUNT(other); i++) {
		key_of(other[i], key);
		ck_assert_msg(strcmp(key, first) != 0, "%s", other[i]);
	}
}
END_TEST

START_TEST(shards_cover_once)
{
	iso_suite *s;
	iso_agenda *a;
	const iso_verdicts none = {0};
	const iso_audits no_audits = {0};
	size_t total = 0;

	tk_ok(parse(full, &s));
	tk_ok(iso_agenda_new(s, &a, &err));
	for (size_t i = 1; i <= 4; i++) {
		iso_run_options o = {.dir = tk_tempdir(), .jobs = 1, .shard = i, .shards = 4};
		iso_run_summary sum;
		uint8_t *todo;

		tk_ok(iso_run_select(a, &o, &none, &no_audits, &todo, &sum, &err));
		total += sum.selected;
		iso_free(todo);
	}
	ck_assert_uint_eq(total, a->ncell);
	iso_agenda_free(a);
	iso_suite_free(s);
}
END_TEST

/* Suites that come with isoeps can be read, and their names are their files' names. */
START_TEST(our_suites)
{
	static const char *const names[] = {"demo", "smoke", "paper-dp-cgan", "paper-ddp-bvae"};
	iso_suite *s;

	for (size_t i = 0; i < ISO_COUNT(names); i++) {
		tk_ok(iso_suite_read(names[i], &s, &err));
		ck_assert_str_eq(s->name, names[i]);
		ck_assert(strlen(s->description) > 40);
		iso_suite_free(s);
	}
}
END_TEST

/* Every allocation of parse and plan fails once: an error each time, no crash, no leak (under a
 * sanitizer). */
START_TEST(out_of_memory)
{
	for (uint64_t n = 1; n < 4000; n += n < 200 ? 1 : 37) {
		iso_suite *s = NULL;
		iso_agenda *a = NULL;
		iso_status st;

		iso_alloc_fail_after(n);
		st = parse(ONE(""), &s);
		if (st == ISO_OK)
			st = iso_agenda_new(s, &a, &err);
		iso_alloc_fail_after(0);
		iso_error_clear(&err);
		iso_agenda_free(a);
		iso_suite_free(s);
		if (st == ISO_OK)
			break;
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("suite files");
	TCase *c = tcase_create("parse"), *p = tcase_create("plan");

	tcase_add_test(c, defaults);
	tcase_add_test(c, every_key);
	tcase_add_test(c, resolved_is_a_fixed_point);
	tcase_add_loop_test(c, refused, 0, (int)ISO_COUNT(wrong));
	tcase_add_test(c, mangled);
	tcase_add_test(c, our_suites);
	tcase_add_test(p, cells_of_a_plan);
	tcase_add_test(p, keys);
	tcase_add_test(p, shards_cover_once);
	tcase_add_test(p, out_of_memory);
	suite_add_tcase(s, c);
	suite_add_tcase(s, p);
	return tk_run(s);
}
