// SPDX-License-Identifier: Apache-2.0
/* Keys of trainings and judgements: everything that determines a result changes them, one thing at
 * a time, and nothing else does.  The table of code hashes is this program's own, so that a hash
 * can change without a build. */
#include <stdio.h>
#include <string.h>

#include "core/base/code.h"
#include "results/record.h"
#include "suites/cell.h"
#include "suites/code.h"
#include "suites/plan.h"
#include "tests/support/testkit.h"

/* The first byte of each hash is changed by the tests and put back. */
static char h_core[] = "c0", h_generators[] = "c1", h_attacks[] = "c2", h_metrics[] = "c3",
	    h_memorise[] = "c4", h_uniform[] = "c5", h_leaks[] = "c6", h_density[] = "c7",
	    h_marginals[] = "c8", h_tstr[] = "c9", h_verify[] = "ca";
const iso_code_row iso_code_rows[] = {{"core", h_core},
				      {"generators", h_generators},
				      {"attacks", h_attacks},
				      {"metrics", h_metrics},
				      {"generators/memorise", h_memorise},
				      {"generators/uniform", h_uniform},
				      {"attacks/gan_leaks", h_leaks},
				      {"attacks/density", h_density},
				      {"metrics/marginals", h_marginals},
				      {"metrics/tstr", h_tstr},
				      {"generators/dp_cgan", "cb"},
				      {"generators/own_generator", "cc"},
				      {"attacks/own_attack", "cd"},
				      {"metrics/own_metric", "ce"},
				      {"verify", h_verify},
				      {"audit", "cf"},
				      {0, 0}};

static iso_error err;

/* The keys of a suite's first cell: its training, its attack gan-leaks, its metric marginals. */
typedef struct keys {
	char v[3][33];
} keys;
enum { TRAINING = 1, ATTACK = 2, METRIC = 4, ALL = 7 };

static size_t place(const iso_agenda *a, int attack)
{
	const size_t n = attack ? a->nattack : a->nmetric;

	for (size_t i = 0; i < n; i++)
		if (strcmp(attack ? a->attack[i].attack->name : a->metric[i].metric->name,
			   attack ? "gan-leaks" : "marginals") == 0)
			return i;
	ck_abort_msg("the suite lacks the judge");
	return 0;
}

static void keys_of_plan(const iso_agenda *a, keys *k)
{
	iso_cell c = a->cell[0];

	tk_ok(iso_cell_make_key(a, &c, &err));
	memcpy(k->v[0], c.key, 33);
	tk_ok(iso_judge_key(a, &c, ISO_JUDGE_ATTACK, a->attack[place(a, 1)].judge, k->v[1], &err));
	tk_ok(iso_judge_key(a, &c, ISO_JUDGE_METRIC, a->metric[place(a, 0)].judge, k->v[2], &err));
}

static void keys_of(const char *text, keys *k)
{
	iso_suite *s;
	iso_agenda *a;

	tk_ok(iso_suite_parse(text, strlen(text), "s.json", ".", &s, &err));
	tk_ok(iso_agenda_new(s, &a, &err));
	keys_of_plan(a, k);
	ck_assert_str_eq(k->v[0], a->cell[0].key);
	iso_agenda_free(a);
	iso_suite_free(s);
}

/* Exactly the keys of `want` differ. */
static void compare(const keys *a, const keys *b, int want, const char *what)
{
	static const char *const name[] = {"training", "attack", "metric"};

	for (int i = 0; i < 3; i++)
		ck_assert_msg((strcmp(a->v[i], b->v[i]) != 0) == (want >> i & 1),
			      "%s: the key of the %s %s", what, name[i],
			      want >> i & 1 ? "is the same" : "changed");
}

/* Parts of a suite; a case replaces one of them. */
typedef struct parts {
	const char *dataset, *generator, *attacks, *metrics, *rest;
} parts;
static const parts base = {"\"wdbc\"", "\"memorise\"", "\"gan-leaks\"", "\"marginals\"", ""};

static void keys_of_parts(const parts *p, keys *k)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "{\"name\":\"t\",\"datasets\":[%s],\"generators\":[%s],\"attacks\":[%s],"
		 "\"metrics\":[%s]%s}",
		 p->dataset ? p->dataset : base.dataset,
		 p->generator ? p->generator : base.generator,
		 p->attacks ? p->attacks : base.attacks, p->metrics ? p->metrics : base.metrics,
		 p->rest ? p->rest : base.rest);
	keys_of(text, k);
}

static const struct {
	int changes;
	parts p;
} cases[] = {
	/* data and split */
	{ALL, {.dataset = "\"sim-census\""}},
	{ALL, {.dataset = "{\"name\":\"wdbc\",\"label\":\"other\"}"}},
	{ALL, {.rest = ",\"split\":{\"train\":0.4}"}},
	{ALL, {.rest = ",\"split\":{\"holdout\":0.2}"}},
	{ALL, {.rest = ",\"split\":{\"aux\":0.2}"}},
	{ALL, {.rest = ",\"split\":{\"aux\":0.2,\"public\":0.01}"}},
	{ALL, {.rest = ",\"split\":{\"official_test\":false}"}},
	{ALL, {.rest = ",\"split\":{\"dedup\":false}"}},
	{ALL, {.dataset = "{\"name\":\"wdbc\",\"split\":{\"dedup\":false}}"}},
	/* the training */
	{ALL, {.generator = "\"uniform\""}},
	{ALL, {.rest = ",\"seeds\":[2]"}},
	{ALL, {.rest = ",\"delta\":1e-6"}},
	{ALL, {.rest = ",\"delta\":\"1/n\""}},
	{ALL, {.rest = ",\"accountant\":\"rdp\""}},
	{ALL, {.rest = ",\"adjacency\":\"replace-one\""}},
	{ALL, {.rest = ",\"secure\":true"}},
	{ALL, {.rest = ",\"public\":{\"class_counts\":true}"}},
	/* the judgements */
	{ATTACK | METRIC, {.rest = ",\"rows\":3"}},
	{ATTACK, {.rest = ",\"attack_targets\":3"}},
	{ATTACK, {.attacks = "{\"name\":\"gan-leaks\",\"label\":\"x\"}"}},
	{ATTACK, {.attacks = "{\"name\":\"gan-leaks\",\"options\":{\"samples\":7}}"}},
	{METRIC, {.metrics = "{\"name\":\"marginals\",\"label\":\"x\"}"}},
	{METRIC, {.metrics = "{\"name\":\"marginals\",\"options\":{\"pairs\":7}}"}},
	/* and nothing else */
	{0, {.attacks = "\"density\",\"gan-leaks\""}},
	{0, {.metrics = "\"tstr\",\"marginals\""}},
	{0, {.generator = "{\"name\":\"memorise\",\"label\":\"real\"}"}},
	{0, {.generator = "\"memorise\",\"uniform\""}},
	{0, {.generator = "{\"name\":\"memorise\",\"options\":{},\"epsilons\":[3]}"}},
	{0, {.dataset = "\"wdbc\",\"sim-census\""}},
	{0, {.dataset = "{\"name\":\"wdbc\",\"options\":{}}"}},
	{0, {.rest = ",\"title\":\"another\",\"description\":\"of another kind\""}},
	{0, {.rest = ",\"epsilons\":[3]"}}, /* memorise has no target */
	{0, {.rest = ",\"seeds\":[1,2]"}},
	{0, {.rest = ",\"delta\":0.00001"}},
	{0, {.rest = ",\"accountant\":\"pld\",\"adjacency\":\"add-remove\""}},
	{0, {.rest = ",\"split\":{\"aux\":0.25,\"train\":0.5}"}},
	{0, {.rest = ",\"limits\":{\"seconds\":9,\"memory_mib\":99}"}},
	{0, {.rest = ",\"keep_samples\":1"}},
	{0, {.rest = ",\"keep\":{\"models\":false}"}},
	{0, {.rest = ",\"verify\":false"}},
	{0, {.rest = ",\"allow_large_delta\":true"}},
	{0, {.rest = ",\"secure\":false,\"rows\":\"train\",\"attack_targets\":1000"}},
};

START_TEST(suite_keys)
{
	keys first, other;
	char what[16];

	keys_of_parts(&base, &first);
	keys_of_parts(&cases[_i].p, &other);
	snprintf(what, sizeof(what), "case %d", _i);
	compare(&first, &other, cases[_i].changes, what);
}
END_TEST

/* A target epsilon is part of the key where a method has one, and options of the generator are. */
START_TEST(targeted_keys)
{
	static const char *const other[] = {",\"epsilons\":[2],\"generators\":[\"dp-cgan\"]",
					    ",\"epsilons\":[1],\"generators\":[{\"name\":\"dp-"
					    "cgan\",\"options\":{\"clip\":2}}]"};
	char text[512];
	keys k[3];

	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof(text),
			 "{\"name\":\"t\",\"datasets\":[\"wdbc\"],\"attacks\":[\"gan-leaks\"],"
			 "\"metrics\":[\"marginals\"]%s}",
			 i ? other[i - 1] : ",\"generators\":[\"dp-cgan\"]");
		keys_of(text, &k[i]);
	}
	compare(&k[0], &k[1], ALL, "another epsilon");
	compare(&k[0], &k[2], ALL, "another clip");
	compare(&k[1], &k[2], ALL, "clip and epsilon");
}
END_TEST

/* One code hash at a time. */
static const struct {
	char *hash;
	int changes;
} codes[] = {{h_core, ALL},	{h_generators, ALL}, {h_memorise, ALL},	    {h_attacks, ATTACK},
	     {h_leaks, ATTACK}, {h_metrics, METRIC}, {h_marginals, METRIC}, {h_uniform, 0},
	     {h_density, 0},	{h_tstr, 0},	     {h_verify, 0}};

START_TEST(code_keys)
{
	keys first, other, again;
	char what[16];

	keys_of_parts(&base, &first);
	codes[_i].hash[0] ^= 1;
	keys_of_parts(&base, &other);
	codes[_i].hash[0] ^= 1;
	keys_of_parts(&base, &again);
	snprintf(what, sizeof(what), "hash %d", _i);
	compare(&first, &other, codes[_i].changes, what);
	compare(&first, &again, 0, "put back");
}
END_TEST

/* A plug-in whose source is not in the table has no key: a change of it could not be seen. */
START_TEST(missing_row)
{
	const iso_generator *g;
	const char *hash;
	char hex[65];

	tk_ok(iso_generator_find("vae", &g, &err));
	tk_fails(iso_code_hash("generators", "vae", g, hex, &err), ISO_E_INTERNAL,
		 "no code hash (generators/vae)");
	tk_ok(iso_code_note(g, "ff", &err));
	tk_ok(iso_code_hash("generators", "vae", g, hex, &err));
	tk_fails(iso_code_check("nothing", &hash, &err), ISO_E_INTERNAL, "no code hash (nothing)");
	tk_ok(iso_code_check("audit", &hash, &err));
	ck_assert_str_eq(hash, "cf");
}
END_TEST

/* A shared object's hash takes the place of the source's, of this descriptor only. */
START_TEST(noted_code)
{
	const iso_generator *g;
	const iso_metric *m;
	keys first, other;

	keys_of_parts(&base, &first);
	tk_ok(iso_generator_find("uniform", &g, &err));
	tk_ok(iso_code_note(g, "aa", &err));
	keys_of_parts(&base, &other);
	compare(&first, &other, 0, "another plug-in's file");
	tk_ok(iso_metric_find("marginals", &m, &err));
	tk_ok(iso_code_note(m, "aa", &err));
	keys_of_parts(&base, &other);
	compare(&first, &other, METRIC, "the metric's file");
	tk_ok(iso_code_note(m, "ab", &err));
	first = other;
	keys_of_parts(&base, &other);
	compare(&first, &other, METRIC, "the metric's file, changed");
}
END_TEST

/* ------------------------------------------------------------------ versions */

static iso_generator generator;
static iso_attack attack;
static iso_metric metric;

START_TEST(version_keys)
{
	static const parts own = {.generator = "\"own-generator\"",
				  .attacks = "\"gan-leaks\",\"own-attack\"",
				  .metrics = "\"marginals\",\"own-metric\""};
	const iso_generator *g;
	const iso_attack *a;
	const iso_metric *m;
	const iso_suite_item attack_item = {"own-attack", "own-attack", NULL},
			     metric_item = {"own-metric", "own-metric", NULL};
	char *text[2];
	keys first, other;

	tk_ok(iso_generator_find("memorise", &g, &err));
	tk_ok(iso_attack_find("gan-leaks", &a, &err));
	tk_ok(iso_metric_find("marginals", &m, &err));
	generator = *g, attack = *a, metric = *m;
	generator.name = "own-generator", attack.name = "own-attack", metric.name = "own-metric";
	tk_ok(iso_generator_register(&generator, &err));
	tk_ok(iso_attack_register(&attack, &err));
	tk_ok(iso_metric_register(&metric, &err));
	keys_of_parts(&own, &first);
	generator.version++;
	keys_of_parts(&own, &other);
	compare(&first, &other, ALL, "the generator's version");
	generator.version--;
	attack.version++, metric.version++;
	keys_of_parts(&own, &other);
	compare(&first, &other, 0, "versions of other judges");
	/* the judges' own texts, which are all of their part in the keys */
	for (int i = 0; i < 2; i++) {
		iso_attack_setup s;

		tk_ok(iso_attack_setup_new(&attack_item, "t", &s, &err));
		text[i] = strdup(s.judge);
		iso_attack_setup_free(&s);
		attack.version++;
	}
	ck_assert_str_ne(text[0], text[1]);
	free(text[0]);
	free(text[1]);
	for (int i = 0; i < 2; i++) {
		iso_metric_setup s;

		tk_ok(iso_metric_setup_new(&metric_item, "t", &s, &err));
		text[i] = strdup(s.judge);
		iso_metric_setup_free(&s);
		metric.version++;
	}
	ck_assert_str_ne(text[0], text[1]);
	free(text[0]);
	free(text[1]);
}
END_TEST

/* ------------------------------------------------------------------ data */

static void dataset_key(const iso_suite_dataset *d, const char *hash, const char *public_hash,
			char key[33])
{
	iso_dataset data = {0};
	char *text;

	snprintf(data.hash, sizeof(data.hash), "%s", hash);
	tk_ok(iso_dataset_text(d, &data, public_hash, &text, &err));
	tk_ok(iso_key_of(text, strlen(text), key, &err));
	iso_free(text);
}

/* Every field of a data set; where its files are is none of them: their contents are hashed. */
START_TEST(dataset_keys)
{
	cJSON *options = cJSON_Parse("{\"rows\":3}");
	const iso_suite_dataset d = {
		.name = "n", .label = "l", .split = {0.5, 0.25, 0.25, 0, 1, 1}};
	iso_suite_dataset v[] = {d, d, d, d, d, d, d, d, d, d}, same = d;
	char key[16][33];
	size_t n = 0;

	v[1].name = "m";
	v[2].label = "k";
	v[3].options = options;
	v[4].split.train = 0.4;
	v[5].split.holdout = 0.2;
	v[6].split.aux = 0.2;
	v[7].split.official_test = 0;
	v[8].split.dedup = 0;
	v[9].split.public_rows = 0.1;
	for (; n < ISO_COUNT(v); n++)
		dataset_key(&v[n], "h", "", key[n]);
	dataset_key(&d, "i", "", key[n++]);
	dataset_key(&d, "h", "p", key[n++]);
	dataset_key(&d, "h", "q", key[n++]);
	same.csv = "a.csv", same.schema = "a.json";
	dataset_key(&same, "h", "", key[n++]);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(strcmp(key[i], key[j]) != 0, "%zu and %zu agree", i, j);
	same.csv = "b/c.csv", same.schema = "b/c.json", same.public_csv = "p.csv";
	same.name = "another";
	dataset_key(&same, "h", "", key[n]);
	ck_assert_str_eq(key[n], key[n - 1]);
	cJSON_Delete(options);
}
END_TEST

/* ------------------------------------------------------------------ the cache */

/* One cache, two option sets, two seeds, two data sets: a value each, and no other's. */
START_TEST(cache_values)
{
	static const char *const options[] = {"{}", "{\"pairs\":7}"};
	const char *dir = tk_tempdir();
	iso_cache c[4];
	double got[2];

	for (size_t i = 0; i < 4; i++) {
		cJSON *o = cJSON_Parse(options[i == 1]);
		const iso_suite_item item = {"marginals", "marginals", o};
		const double put[2] = {(double)i + 0.1, -(double)i};
		iso_metric_setup s;

		tk_ok(iso_metric_setup_new(&item, "t", &s, &err));
		tk_ok(iso_cache_open(dir, i == 3 ? "data2" : "data", i == 2 ? 8 : 7, s.judge, &c[i],
				     &err));
		ck_assert_msg(!iso_cache_get(&c[i], "real", got, 2), "%zu: another's value", i);
		iso_cache_put(&c[i], "real", put, 2);
		iso_metric_setup_free(&s);
		cJSON_Delete(o);
	}
	for (size_t i = 0; i < 4; i++) {
		ck_assert_msg(iso_cache_get(&c[i], "real", got, 2), "%zu: no value", i);
		ck_assert(got[0] == (double)i + 0.1 && got[1] == -(double)i);
		ck_assert(!iso_cache_get(&c[i], "unreal", got, 2));
		ck_assert(!iso_cache_get(&c[i], "real", got, 1));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keys");
	TCase *c = tcase_create("keys");

	tcase_add_loop_test(c, suite_keys, 0, (int)ISO_COUNT(cases));
	tcase_add_test(c, targeted_keys);
	tcase_add_loop_test(c, code_keys, 0, (int)ISO_COUNT(codes));
	tcase_add_test(c, missing_row);
	tcase_add_test(c, noted_code);
	tcase_add_test(c, version_keys);
	tcase_add_test(c, dataset_keys);
	tcase_add_test(c, cache_values);
	suite_add_tcase(s, c);
	return tk_run(s);
}
