// SPDX-License-Identifier: Apache-2.0
/* What every metric must do, checked over the registry and the template: each declared output
 * exactly once, inside its range, at its ideal when the synthetic rows are a copy of the real ones,
 * the same twice, and never a crash on degenerate tables. */
#include <stdio.h>
#include <string.h>

#include "core/learn/assess.h"
#include "core/learn/mlp_classifier.h"
#include "core/rand/rand.h"
#include "metrics/metric.h"
#include "tests/support/testkit.h"

extern const iso_metric iso_metric_template;

static const char *const schema_text[] = {
	/* two classes, a label that may be missing */
	"{\"name\":\"two\",\"columns\":[{\"name\":\"id\",\"type\":\"integer\",\"role\":\"id\","
	"\"bounds\":[0,1]},"
	"{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"b\",\"type\":\"integer\",\"bounds\":[0,50],\"missing\":[\"?\"]},"
	"{\"name\":\"k\",\"type\":\"categorical\",\"categories\":[\"x\",\"y\",\"z\"],\"missing\":["
	"\"?\"]},"
	"{\"name\":\"label\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"no\",\"yes\"]"
	",\"positive\":"
	"\"no\","
	"\"missing\":[\"?\"]}]}",
	/* four classes */
	"{\"name\":\"four\",\"columns\":[{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"k\",\"type\":\"ordinal\",\"categories\":[\"x\",\"y\",\"z\"]},"
	"{\"name\":\"label\",\"type\":\"categorical\",\"role\":\"label\",\"categories\":[\"p\","
	"\"q\",\"r\",\"s\"]}]}",
	/* pixels */
	"{\"name\":\"pix\",\"columns\":[{\"name\":\"image\",\"type\":\"pixel\",\"shape\":[4,4]},"
	"{\"name\":\"label\",\"type\":\"categorical\",\"role\":\"label\",\"categories\":[\"0\","
	"\"1\",\"2\"]}]}",
	/* no label */
	"{\"name\":\"bare\",\"columns\":[{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[-1,1]}"
	"]}",
	/* a numeric label that follows the first column */
	"{\"name\":\"reg\",\"columns\":[{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"b\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"target\",\"type\":\"continuous\",\"role\":\"label\",\"bounds\":[0,10]}]}",
	/* a sequence of two variables */
	"{\"name\":\"seq\",\"columns\":[{\"name\":\"stay\",\"type\":\"sequence\",\"shape\":[6],"
	"\"variables\":[{\"name\":\"v\",\"type\":\"continuous\",\"bounds\":[0,1]},"
	"{\"name\":\"w\",\"type\":\"categorical\",\"categories\":[\"A\",\"B\"]}]},"
	"{\"name\":\"label\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"no\",\"yes\"]"
	"}]}"};
enum { TWO, FOUR, PIX, BARE, REG, SEQ, NSCHEMA };

static iso_schema *schema[NSCHEMA];
static iso_error err;

static void load(void)
{
	for (int i = 0; i < NSCHEMA; i++) {
		cJSON *v = cJSON_Parse(schema_text[i]);
		ck_assert_ptr_nonnull(v);
		tk_ok(iso_schema_from_json(v, "toy", &schema[i], &err));
		cJSON_Delete(v);
	}
}

static void unload(void)
{
	for (int i = 0; i < NSCHEMA; i++)
		iso_schema_free(schema[i]);
}

/* Rows whose features depend on the label; some missing where that is allowed. */
static iso_table *rows(const iso_schema *s, size_t n, uint64_t seed)
{
	iso_table *t;
	iso_stream r = iso_stream_new(iso_key_new(seed, "conformance/metric"));
	tk_ok(iso_table_new(s, n, &t, &err));
	const size_t classes = iso_schema_classes(s);
	for (size_t i = 0; i < n; i++) {
		const size_t y = classes ? (size_t)iso_next_below(&r, classes) : 0;
		for (size_t k = 0; k < s->ncol; k++) {
			const iso_column *c = &s->column[k];
			double *cell = &t->cells[i * s->ncol + k];
			const double u = iso_next_u01(&r),
				     push = classes ? (double)y / (double)classes : 0;
			if ((int)k == s->label && !classes)
				*cell = 9 * t->cells[i * s->ncol] + u;
			else if ((int)k == s->label)
				*cell = (double)y;
			else if (c->role == ISO_ID || c->type == ISO_PIXEL)
				*cell = c->role == ISO_ID ? NAN : 0;
			else if (iso_is_discrete(c))
				*cell = u < 0.6 ? (double)(y % c->ncategory)
						: (double)iso_next_below(&r, c->ncategory);
			else
				*cell = c->lo + (c->hi - c->lo) * (0.6 * u + 0.4 * push);
			if (c->type == ISO_INTEGER && c->role != ISO_ID)
				*cell = rint(*cell);
			if (c->nmissing && iso_next_u01(&r) < 0.07)
				*cell = NAN;
		}
		for (size_t p = 0; p < s->npixel; p++)
			t->pixels[i * s->npixel + p] =
				(uint8_t)(iso_next_u01(&r) < 0.5 ? 0
								 : 100.0 * iso_next_u01(&r) +
									   (p % 3 == y ? 100 : 0));
	}
	tk_ok(iso_table_check(t, &err));
	return t;
}

static const iso_metric *metric_at(size_t i)
{
	return i < iso_metric_count() ? iso_metric_at(i) : &iso_metric_template;
}

/* ---- a cache as the suite keeps one ---- */

typedef struct memo {
	char name[64][200];
	double v[64][128];
	size_t n, hits;
} memo;

static int memo_get(void *ctx, const char *name, double *v, size_t n)
{
	memo *m = ctx;
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->name[i], name)) {
			memcpy(v, m->v[i], n * sizeof(*v));
			m->hits++;
			return 1;
		}
	return 0;
}

static void memo_put(void *ctx, const char *name, const double *v, size_t n)
{
	memo *m = ctx;
	ck_assert(m->n < 64 && n <= 128 && strlen(name) < 200);
	snprintf(m->name[m->n], sizeof(m->name[0]), "%s", name);
	memcpy(m->v[m->n++], v, n * sizeof(*v));
}

/* ---- one measurement as the suite makes it ---- */

#define MOST 128
typedef struct result {
	iso_measure v[MOST];
	size_t n;
	iso_status st;
} result;

static size_t count_outputs(const iso_metric *m)
{
	size_t n = 0;
	while (m->outputs[n].key)
		n++;
	return n;
}

/* A classifier that guesses. */
static iso_status guess(void *ctx, const iso_table *t, double *prob, iso_error *e)
{
	const size_t classes = iso_schema_classes(t->schema);
	(void)ctx;
	(void)e;
	for (size_t r = 0; r < t->n; r++)
		for (size_t c = 0; c < classes; c++)
			prob[r * classes + c] = 1 / (double)classes + (c == r % classes ? 1e-3 : 0);
	return ISO_OK;
}

static result measure(const iso_metric *m, const char *text, const iso_table *train,
		      const iso_table *test, const iso_table *synthetic, memo *cache)
{
	result r = {.n = count_outputs(m)};
	if (!text && !strcmp(m->name, "student-cnn"))
		text = "{\"steps\":20}"; /* what it learns is judged elsewhere */
	cJSON *values = text ? cJSON_Parse(text) : NULL;
	void *o = iso_alloc(m->options_size ? m->options_size : 1, 1);
	ck_assert(r.n <= MOST && (!text || values));
	if (m->options)
		tk_ok(iso_options_resolve(m->options, values, m->name, o, m->options_size, NULL,
					  &err));
	iso_metric_view v = {.schema = train->schema, .key = iso_key_new(9, "metric")};
	v.train = m->inputs & ISO_IN_TRAIN ? train : NULL;
	v.test = m->inputs & ISO_IN_TEST ? test : NULL;
	v.synthetic = m->inputs & ISO_IN_SYNTHETIC ? synthetic : NULL;
	v.classify = guess;
	if (cache) {
		v.cache_get = memo_get;
		v.cache_put = memo_put;
		v.cache_ctx = cache;
	}
	iso_measures out = {.outputs = m->outputs, .v = r.v, .n = r.n};
	r.st = m->check ? m->check(train->schema, o, &err) : ISO_OK;
	if (r.st == ISO_OK)
		r.st = m->measure(&v, o, &out, &err);
	out.v = NULL; /* the caller's */
	iso_measures_free(&out);
	iso_free(o);
	cJSON_Delete(values);
	return r;
}

static double value_of(const result *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].key && !strcmp(r->v[i].key, key))
			return r->v[i].value;
	ck_abort_msg("no output %s", key);
}

/* Everything set, in range, intervals around the value, undefined ones with a reason. */
static void check_complete(const iso_metric *m, const result *r)
{
	ck_assert_msg(r->st == ISO_OK, "%s: %s", m->name, err.text);
	for (size_t i = 0; i < r->n; i++) {
		const iso_measure *v = &r->v[i];
		const iso_output *o = &m->outputs[i];
		ck_assert_msg(v->key != NULL, "%s never set %s", m->name, o->key);
		if (isnan(v->value)) {
			ck_assert_msg(v->reason[0], "%s.%s is undefined without a reason", m->name,
				      o->key);
			continue;
		}
		ck_assert_msg(v->value >= o->lo && v->value <= o->hi, "%s.%s = %g", m->name, o->key,
			      v->value);
		if (!isnan(v->low))
			ck_assert_msg(v->low <= v->value + 1e-12 && v->value <= v->high + 1e-12,
				      "%s.%s: %g outside [%g, %g]", m->name, o->key, v->value,
				      v->low, v->high);
	}
}

static int same(const result *a, const result *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (memcmp(&a->v[i].value, &b->v[i].value, sizeof(double)) ||
		    memcmp(&a->v[i].low, &b->v[i].low, sizeof(double)))
			return 0;
	return 1;
}

/* Copies are at the ideal, two runs agree, a cache changes nothing; somewhere every output is
 * defined. */
START_TEST(ordinary)
{
	load();
	for (size_t i = 0; i <= iso_metric_count(); i++) {
		const iso_metric *m = metric_at(i);
		int defined[MOST] = {0};
		for (int s = 0; s < NSCHEMA; s++) {
			iso_table *train = rows(schema[s], 300, 1), *test = rows(schema[s], 150, 2),
				  *syn = rows(schema[s], 280, 3);
			static memo cache;
			memset(&cache, 0, sizeof(cache));
			tk_ok(iso_table_add_clients(train, 3, &err));
			for (size_t r = 0; r < train->n; r++)
				train->client[r] = (uint32_t)(r % 3);
			const result a = measure(m, NULL, train, test, syn, NULL);
			if (a.st == ISO_E_UNSUPPORTED) {
				ck_assert(err.text[0]);
				iso_error_clear(&err);
			} else {
				const result b = measure(m, NULL, train, test, syn, &cache);
				const result c = measure(m, NULL, train, test, syn, &cache);
				const result copy = measure(m, NULL, train, test, train, NULL);
				check_complete(m, &a);
				check_complete(m, &copy);
				ck_assert_msg(same(&a, &b), "%s: two runs, two answers", m->name);
				ck_assert_msg(same(&a, &c), "%s: the cache changed an answer",
					      m->name);
				ck_assert(cache.n == 0 || cache.hits == cache.n);
				for (size_t k = 0; k < a.n; k++) {
					defined[k] |= !isnan(a.v[k].value);
					const double ideal = m->outputs[k].ideal;
					/* perfect data: a copy, or for what a copy confuses
					 * (cross-validation meets each row's twin in its training
					 * folds) fresh rows of the law */
					if (!isnan(ideal) && !isnan(copy.v[k].value))
						ck_assert_msg(fmin(fabs(copy.v[k].value - ideal),
								   fabs(a.v[k].value - ideal)) <=
								      0.1,
							      "%s.%s: %g of a copy, %g of fresh "
							      "rows, ideal %g",
							      m->name, m->outputs[k].key,
							      copy.v[k].value, a.v[k].value, ideal);
				}
			}
			iso_table_free(train);
			iso_table_free(test);
			iso_table_free(syn);
		}
		for (size_t k = 0; k < count_outputs(m); k++)
			ck_assert_msg(defined[k], "%s.%s is never defined", m->name,
				      m->outputs[k].key);
	}
	unload();
}
END_TEST

/* Tables that a broken generator may leave: no row, one row, one class, labels missing, constant
 * columns. */
START_TEST(degenerate)
{
	load();
	for (size_t i = 0; i <= iso_metric_count(); i++) {
		const iso_metric *m = metric_at(i);
		for (int s = 0; s < NSCHEMA; s++)
			for (int kind = 0; kind < 7; kind++) {
				iso_table *train = rows(schema[s], 120, 1),
					  *test = rows(schema[s], 60, 2);
				iso_table *syn = rows(schema[s],
						      kind == 0	  ? 0
						      : kind == 1 ? 1
						      : kind == 2 ? 2
								  : 100,
						      3);
				const int label = schema[s]->label;
				for (size_t r = 0; r < syn->n && kind > 2; r++)
					for (size_t k = 0; k < schema[s]->ncol; k++) {
						const iso_column *c = &schema[s]->column[k];
						if (kind == 4 && c->nmissing && c->role != ISO_ID)
							syn->cells[r * schema[s]->ncol + k] = NAN;
						else if (kind == 5 ||
							 (kind == 3 && (int)k == label))
							syn->cells[r * schema[s]->ncol + k] =
								syn->cells[k];
					}
				if (kind == 6 && label >= 0) /* the test rows hold one class */
					for (size_t r = 0; r < test->n; r++)
						test->cells[r * schema[s]->ncol + (size_t)label] =
							0;
				const result a = measure(m, NULL, train, test, syn, NULL);
				if (a.st == ISO_E_UNSUPPORTED)
					iso_error_clear(&err);
				else
					check_complete(m, &a);
				iso_table_free(train);
				iso_table_free(test);
				iso_table_free(syn);
			}
	}
	unload();
}
END_TEST

START_TEST(memory)
{
	load();
	for (size_t i = 0; i <= iso_metric_count(); i++) {
		const iso_metric *m = metric_at(i);
		for (int s = 0; s < NSCHEMA; s++) {
			iso_table *train = rows(schema[s], 40, 1), *test = rows(schema[s], 30, 2),
				  *syn = rows(schema[s], 40, 3);
			iso_status st = ISO_E_NOMEM;
			for (uint64_t k = 1; st == ISO_E_NOMEM && k < 2000; k += 1 + k / 20) {
				iso_alloc_fail_after(
					k + 1); /* the first allocation is the test's own */
				st = measure(m, NULL, train, test, syn, NULL).st;
				iso_alloc_fail_after(0);
				ck_assert_msg(st == ISO_OK || st == ISO_E_NOMEM ||
						      st == ISO_E_UNSUPPORTED,
					      "%s: %s", m->name, err.text);
				iso_error_clear(&err);
			}
			iso_table_free(train);
			iso_table_free(test);
			iso_table_free(syn);
		}
	}
	unload();
}
END_TEST

START_TEST(descriptor)
{
	const iso_metric *found;
	for (size_t i = 0; i <= iso_metric_count(); i++) {
		const iso_metric *m = metric_at(i);
		ck_assert_uint_eq(m->abi, ISO_METRIC_ABI);
		ck_assert(m->name && m->title && m->citation && m->card && strlen(m->card) > 40 &&
			  m->measure && m->version > 0);
		ck_assert(m->inputs && !(m->inputs & ~(uint32_t)(ISO_IN_TRAIN | ISO_IN_TEST |
								 ISO_IN_SYNTHETIC)));
		for (size_t k = 0; m->outputs[k].key; k++) {
			const iso_output *o = &m->outputs[k];
			ck_assert(o->title && o->unit && o->lo < o->hi);
			ck_assert(isnan(o->ideal) || (o->ideal >= o->lo && o->ideal <= o->hi));
			for (size_t j = 0; j < k; j++)
				ck_assert_msg(strcmp(m->outputs[j].key, o->key),
					      "%s declares %s twice", m->name, o->key);
		}
	}
	tk_ok(iso_metric_find("tstr", &found, &err));
	ck_assert_str_eq(found->name, "tstr");
	tk_fails(iso_metric_find("tsrt", &found, &err), ISO_E_CONFIG, "did you mean \"tstr\"");
}
END_TEST

/* The setters keep the contract. */
START_TEST(measures)
{
	const iso_output outputs[] = {{"x", "x", "", ISO_HIGHER, 0, 1, 1, NULL},
				      {"y", "y", "", ISO_LOWER, 0, 9, 0, NULL},
				      {0}};
	iso_measure v[2] = {{0}};
	iso_measures m = {.outputs = outputs, .v = v, .n = 2};
	tk_fails(iso_measure_set(&m, "z", 1, NAN, NAN, &err), ISO_E_PLUGIN, "not declared (z)");
	tk_fails(iso_measure_set(&m, "x", NAN, NAN, NAN, &err), ISO_E_PLUGIN, "not finite (x)");
	v[0].key = NULL;
	tk_fails(iso_measure_set(&m, "x", 1.01, NAN, NAN, &err), ISO_E_PLUGIN,
		 "outside its declared range (x)");
	v[0].key = NULL;
	tk_ok(iso_measure_set(&m, "x", 1 + 1e-15, 0.5, 1, &err));
	ck_assert(v[0].value == 1 && v[0].low == 0.5 && v[0].key);
	tk_fails(iso_measure_set(&m, "x", 1, NAN, NAN, &err), ISO_E_PLUGIN, "set twice (x)");
	tk_fails(iso_measure_undefined(&m, "y", "", &err), ISO_E_PLUGIN, "without a reason");
	v[1].key = NULL;
	tk_ok(iso_measure_undefined(&m, "y", "no rows", &err));
	ck_assert(isnan(v[1].value) && !strcmp(v[1].reason, "no rows"));
}
END_TEST

/* Points behind an output: kept as given, thinned beyond 400, refused when they cannot be drawn. */
START_TEST(points)
{
	const iso_output outputs[] = {{"x", "x", "", ISO_HIGHER, 0, 1, 1, NULL},
				      {"y", "y", "", ISO_LOWER, 0, 9, 0, NULL},
				      {0}};
	iso_measures m = {.outputs = outputs, .n = 2};
	double real[1000], synthetic[1000];
	for (size_t i = 0; i < 1000; i++) {
		real[i] = (double)i;
		synthetic[i] = -(double)i;
	}
	tk_ok(iso_measure_points(&m, "x", real, synthetic, 0, &err));
	ck_assert_uint_eq(m.npoints, 0);
	tk_ok(iso_measure_points(&m, "y", real, synthetic, 3, &err));
	ck_assert(m.points[0].output == 1 && m.points[0].n == 3);
	ck_assert(m.points[0].real[2] == 2 && m.points[0].synthetic[2] == -2);
	tk_ok(iso_measure_points(&m, "x", real, synthetic, 1000, &err));
	ck_assert(m.points[1].output == 0 && m.points[1].n == 400);
	ck_assert(m.points[1].real[1] == 2 && m.points[1].real[399] == 997);
	ck_assert(m.points[1].synthetic[2] == -5);
	tk_fails(iso_measure_points(&m, "x", real, synthetic, 3, &err), ISO_E_PLUGIN,
		 "given twice (x)");
	tk_fails(iso_measure_points(&m, "z", real, synthetic, 3, &err), ISO_E_PLUGIN,
		 "not declared (z)");
	synthetic[1] = NAN;
	iso_measures_free(&m);
	m.n = 2;
	tk_fails(iso_measure_points(&m, "x", real, synthetic, 3, &err), ISO_E_PLUGIN,
		 "not finite (x, point 1)");
	ck_assert(!m.npoints && !m.points);
}
END_TEST

/* Known answers: a copy equals the real arm, swapped labels turn the area round, one class gives a
 * constant classifier.
 */
START_TEST(tstr_values)
{
	const iso_metric *m;
	load();
	tk_ok(iso_metric_find("tstr", &m, &err));
	for (int s = TWO; s <= PIX; s++) {
		iso_table *train = rows(schema[s], 900, 1), *test = rows(schema[s], 900, 2),
			  *junk = rows(schema[s], 900, 4);
		for (size_t e = 0; e < junk->n * schema[s]->ncol; e++)
			junk->cells[e] = train->cells[e];
		for (size_t r = 0; r < junk->n && s == TWO; r++)
			junk->cells[r * schema[s]->ncol + (size_t)schema[s]->label] =
				1 - train->cells[r * schema[s]->ncol + (size_t)schema[s]->label];
		const result copy = measure(m, NULL, train, test, train, NULL),
			     turned = measure(m, NULL, train, test, junk, NULL);
		check_complete(m, &copy);
		check_complete(m, &turned);
		if (s == TWO)
			tk_assert_close(value_of(&turned, "lr.auroc_macro"),
					1 - value_of(&copy, "lr.auroc_macro"), 0, 1e-9);
		for (int mlp = 0; mlp < 2; mlp++) {
			const double good =
				value_of(&copy, mlp ? "mlp.auroc_macro" : "lr.auroc_macro");
			ck_assert_msg(good > 0.75, "schema %d, mlp %d: AUROC %g", s, mlp, good);
		}
		/* logistic regression has no randomness: a copy equals the real arm */
		tk_assert_close(value_of(&copy, "lr.accuracy"), value_of(&copy, "real.lr.accuracy"),
				0, 0);
		for (size_t r = 0; r < junk->n; r++)
			junk->cells[r * schema[s]->ncol + (size_t)schema[s]->label] = 1;
		const result constant = measure(m, NULL, train, test, junk, NULL);
		size_t ones = 0, labelled = 0;
		for (size_t r = 0; r < test->n; r++) {
			ones += iso_table_label(test, r) == 1;
			labelled += iso_table_label(test, r) != (size_t)-1;
		}
		tk_assert_close(value_of(&constant, "lr.auroc_macro"), 0.5, 0, 0);
		tk_assert_close(value_of(&constant, "mlp.auroc_macro"), 0.5, 0, 0);
		tk_assert_close(value_of(&constant, "lr.accuracy"), (double)ones / (double)labelled,
				0, 1e-15);
		iso_table_free(train);
		iso_table_free(test);
		iso_table_free(junk);
	}
	unload();
}
END_TEST

/* One binary network a class against the rest, fitted here from the public parts: the same scores
 * and so the same values; one softmax network gives others. */
START_TEST(mlp_one_against_the_rest)
{
	enum { N = 200, CLASSES = 4 };
	const iso_metric *m;
	const char *text = "{\"classifiers\":\"mlp\",\"scheme\":\"ovr\",\"mlp_epochs\":3,"
			   "\"mlp_hidden\":8,\"mlp_alpha\":0.5}";
	double prob[N * CLASSES], two[N * 2];
	uint32_t y[N], truth[N];
	iso_encoder *e;
	load();
	tk_ok(iso_metric_find("tstr", &m, &err));
	iso_table *train = rows(schema[FOUR], N, 1), *test = rows(schema[FOUR], N, 2),
		  *syn = rows(schema[FOUR], N, 3);
	const result got = measure(m, text, train, test, syn, NULL);
	const result softmax = measure(
		m, "{\"classifiers\":\"mlp\",\"mlp_epochs\":3,\"mlp_hidden\":8,\"mlp_alpha\":0.5}",
		train, test, syn, NULL);
	tk_ok(iso_encoder_new(schema[FOUR], ISO_ENC_FEATURES, &e, &err));
	const iso_source on_test = iso_source_table(e, test, NULL, N);
	for (size_t i = 0; i < N; i++)
		truth[i] = (uint32_t)iso_table_label(test, i);
	for (int real = 0; real < 2; real++) {
		const iso_table *t = real ? train : syn;
		const iso_source src = iso_source_table(e, t, NULL, N);
		const iso_key key = real ? iso_key_new(0, "metrics/tstr/mlp")
					 : iso_key_child(iso_key_new(9, "metric"), "mlp", 0);
		iso_mlp_config c = iso_mlp_default();
		iso_assessment a;
		char name[32];
		c.hidden = 8, c.epochs = 3, c.alpha = 0.5, c.standardise = 1;
		for (size_t k = 0; k < CLASSES; k++) {
			iso_mlp net;
			for (size_t i = 0; i < N; i++)
				y[i] = (size_t)iso_table_label(t, i) == k;
			c.key = iso_key_child(key, "class", k);
			tk_ok(iso_mlp_fit(&c, &src, y, 2, &net, &err));
			tk_ok(iso_mlp_predict(&net, &on_test, two, &err));
			iso_mlp_free(&net);
			for (size_t i = 0; i < N; i++)
				prob[i * CLASSES + k] = two[2 * i + 1];
		}
		tk_ok(iso_assess(prob, truth, N, CLASSES, CLASSES - 1, &a, &err));
		const struct {
			const char *key;
			double value;
		} want[] = {{"accuracy", a.accuracy},
			    {"f1_macro", a.f1_macro},
			    {"auroc_micro", a.auroc_micro},
			    {"auroc_macro", a.auroc_macro},
			    {"auprc", a.auprc}};
		for (size_t i = 0; i < ISO_COUNT(want); i++) {
			snprintf(name, sizeof(name), "%smlp.%s", real ? "real." : "", want[i].key);
			tk_assert_close(value_of(&got, name), want[i].value, 0, 0);
		}
		snprintf(name, sizeof(name), "%smlp.auroc_micro", real ? "real." : "");
		ck_assert(value_of(&got, name) != value_of(&softmax, name));
	}
	iso_encoder_free(e);
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(syn);
	unload();
}
END_TEST

/* Options change what they say. */
START_TEST(tstr_options)
{
	const iso_metric *m;
	load();
	tk_ok(iso_metric_find("tstr", &m, &err));
	iso_table *train = rows(schema[FOUR], 300, 1), *test = rows(schema[FOUR], 300, 2),
		  *syn = rows(schema[FOUR], 300, 3);
	const result lr = measure(m, "{\"classifiers\":\"lr\"}", train, test, syn, NULL);
	const result ovr =
		measure(m, "{\"classifiers\":\"lr\",\"scheme\":\"ovr\"}", train, test, syn, NULL);
	const result few = measure(m, "{\"classifiers\":\"lr\",\"max_train_rows\":30}", train, test,
				   syn, NULL);
	const result mlp = measure(m, "{\"classifiers\":\"mlp\",\"mlp_epochs\":2,\"mlp_hidden\":8}",
				   train, test, syn, NULL);
	check_complete(m, &lr);
	check_complete(m, &ovr);
	check_complete(m, &few);
	check_complete(m, &mlp);
	ck_assert(isnan(value_of(&lr, "mlp.accuracy")) && !isnan(value_of(&lr, "lr.accuracy")));
	ck_assert(isnan(value_of(&mlp, "real.lr.accuracy")) &&
		  !isnan(value_of(&mlp, "real.mlp.accuracy")));
	ck_assert(isnan(value_of(&lr, "lr.f1_positive")) && !isnan(value_of(&lr, "lr.f1_macro")));
	ck_assert(value_of(&lr, "lr.auroc_micro") != value_of(&ovr, "lr.auroc_micro"));
	ck_assert(value_of(&lr, "lr.auroc_micro") != value_of(&few, "lr.auroc_micro"));
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(syn);
	unload();
}
END_TEST

/* Marginals by hand: one continuous column, all real rows in the first bin, half of the synthetic
 * ones in the last. */
START_TEST(marginals_by_hand)
{
	const iso_metric *m;
	load();
	tk_ok(iso_metric_find("marginals", &m, &err));
	iso_table *train = rows(schema[BARE], 10, 1), *syn = rows(schema[BARE], 20, 2);
	for (size_t i = 0; i < 10; i++)
		train->cells[i] = -1;
	for (size_t i = 0; i < 20; i++)
		syn->cells[i] = i % 2 ? 1 : -0.95;
	const result r = measure(m, NULL, train, train, syn, NULL);
	check_complete(m, &r);
	tk_assert_close(value_of(&r, "tvd1_mean"), 0.5, 0, 1e-15);
	tk_assert_close(value_of(&r, "floor.tvd1_mean"), 0, 0, 0);
	ck_assert(isnan(value_of(&r, "tvd2_mean")));
	iso_table_free(train);
	iso_table_free(syn);
	/* k and label swapped against one another: the margins agree, the pair does not */
	train = rows(schema[FOUR], 40, 1);
	syn = rows(schema[FOUR], 40, 1);
	for (size_t i = 0; i < 40; i++) {
		double *a = train->cells + 3 * i, *b = syn->cells + 3 * i;
		a[0] = b[0] = 0.5;
		a[1] = b[1] = (double)(i % 2);
		a[2] = (double)(i % 2);
		b[2] = (double)(1 - i % 2);
	}
	const result p = measure(m, NULL, train, train, syn, NULL);
	tk_assert_close(value_of(&p, "tvd1_max"), 0, 0, 1e-15);
	tk_assert_close(value_of(&p, "tvd2_max"), 1, 0, 1e-15);
	tk_assert_close(value_of(&p, "tvd2_mean"), 1.0 / 3, 0, 1e-15);
	iso_table_free(train);
	iso_table_free(syn);
	unload();
}
END_TEST

/* Rows that a line separates are told apart; then TLD is degenerate. */
START_TEST(discriminator_values)
{
	const iso_metric *m;
	load();
	tk_ok(iso_metric_find("discriminator", &m, &err));
	iso_table *train = rows(schema[BARE], 200, 1), *same_law = rows(schema[BARE], 200, 2),
		  *away = rows(schema[BARE], 200, 3);
	for (size_t i = 0; i < 200; i++) {
		away->cells[i] = 0.5 + 0.4 * away->cells[i];
		train->cells[i] = -0.5 + 0.4 * train->cells[i];
		same_law->cells[i] = -0.5 + 0.4 * same_law->cells[i];
	}
	const result apart = measure(m, NULL, train, train, away, NULL),
		     equal = measure(m, NULL, train, train, same_law, NULL);
	check_complete(m, &apart);
	check_complete(m, &equal);
	tk_assert_close(value_of(&apart, "auc"), 1, 0, 0);
	tk_assert_close(value_of(&apart, "tld"), 1, 0, 0);
	tk_assert_close(value_of(&apart, "tld_degenerate"), 1, 0, 0);
	ck_assert(value_of(&apart, "kld") > 2);
	tk_assert_close(value_of(&apart, "kld_rowsum"), 200 * value_of(&apart, "kld"), 1e-12, 0);
	ck_assert(fabs(value_of(&equal, "auc") - 0.5) < 0.15 && value_of(&equal, "kld") < 0.1);
	tk_assert_close(value_of(&equal, "tld"),
			pow(value_of(&equal, "kld") / value_of(&equal, "accuracy"),
			    1 - value_of(&equal, "auc")),
			1e-12, 0);
	/* A copy cannot be told apart: exactly one half, with an interval that has a width. */
	const result copy = measure(m, NULL, train, train, train, NULL);
	tk_assert_close(value_of(&copy, "accuracy"), 0.5, 0, 1e-12);
	tk_assert_close(value_of(&copy, "auc"), 0.5, 0, 1e-12);
	for (size_t k = 0; k < copy.n; k++)
		ck_assert_msg(isnan(copy.v[k].low) || copy.v[k].low < copy.v[k].high - 0.01,
			      "%s: [%g, %g]", m->outputs[k].key, copy.v[k].low, copy.v[k].high);
	for (size_t k = 0; k < apart.n; k++) /* and so at 1 */
		ck_assert_msg(isnan(apart.v[k].low) || apart.v[k].low < apart.v[k].high - 0.001,
			      "%s: [%g, %g]", m->outputs[k].key, apart.v[k].low, apart.v[k].high);
	train->n = 9;
	const result few = measure(m, NULL, train, train, train, NULL);
	ck_assert(isnan(value_of(&few, "auc")));
	ck_assert_ptr_nonnull(strstr(few.v[0].reason, "fewer than ten"));
	train->n = 200;
	iso_table_free(train);
	iso_table_free(same_law);
	iso_table_free(away);
	unload();
}
END_TEST

/* Learners trained on a copy are those trained on the real rows; a numeric label has a regression
 * and tstr says so. */
START_TEST(utility_values)
{
	const iso_metric *m, *tstr;
	load();
	tk_ok(iso_metric_find("learners", &m, &err));
	tk_ok(iso_metric_find("tstr", &tstr, &err));
	iso_table *train = rows(schema[TWO], 300, 1), *test = rows(schema[TWO], 200, 2),
		  *noise = rows(schema[TWO], 300, 3);
	const result copy = measure(m, NULL, train, test, train, NULL);
	static const char *const name[] = {"mean", "lr", "mlp", "forest", "svm"};
	for (size_t i = 0; i < ISO_COUNT(name); i++) {
		char key[64], real[64];
		snprintf(key, sizeof(key), "%s.auroc", name[i]);
		snprintf(real, sizeof(real), "real.%s.auroc", name[i]);
		tk_assert_close(value_of(&copy, key), value_of(&copy, real), 1e-12, 0);
		ck_assert_msg(value_of(&copy, key) > 0.8, "%s %g", key, value_of(&copy, key));
	}
	size_t turn[3] = {0};
	for (size_t i = 0; i < 300;
	     i++) { /* labels that say nothing: every other one of each class */
		double *y = &noise->cells[i * schema[TWO]->ncol + (size_t)schema[TWO]->label];
		*y = (double)(turn[isnan(*y) ? 2 : (size_t)*y]++ % 2);
	}
	const result junk = measure(m, NULL, train, test, noise, NULL);
	ck_assert_msg(value_of(&junk, "mean.auroc") < 0.7 &&
			      value_of(&junk, "real.mean.auroc") > 0.8 &&
			      value_of(&junk, "trts.lr.auroc") < 0.65,
		      "%g %g %g", value_of(&junk, "mean.auroc"), value_of(&junk, "real.mean.auroc"),
		      value_of(&junk, "trts.lr.auroc"));
	ck_assert(isnan(value_of(&junk, "ridge.r2")));
	iso_table_free(train);
	iso_table_free(test);
	iso_table_free(noise);
	train = rows(schema[REG], 300, 1);
	test = rows(schema[REG], 200, 2);
	const result r = measure(m, NULL, train, test, train, NULL);
	ck_assert_msg(value_of(&r, "ridge.r2") > 0.9, "R2 %g", value_of(&r, "ridge.r2"));
	ck_assert(value_of(&r, "forest-regression.r2") > 0.85);
	/* u on [0,1] is what the first column leaves: sd sqrt(1/12) */
	tk_assert_close(value_of(&r, "ridge.rmse"), sqrt(1.0 / 12), 0.1, 0);
	ck_assert(isnan(value_of(&r, "lr.auroc")));
	const result t = measure(tstr, NULL, train, test, train, NULL);
	ck_assert_int_eq(t.st, ISO_E_UNSUPPORTED);
	ck_assert_msg(strstr(err.text, "label target is not categorical"), "%s", err.text);
	iso_error_clear(&err);
	iso_table_free(train);
	iso_table_free(test);
	unload();
}
END_TEST

/* One column on [-1,1]: a grid of 21 values against itself moved by 0.05 (half a step) and by a
 * copy. */
START_TEST(distances_by_hand)
{
	const iso_metric *m;
	load();
	tk_ok(iso_metric_find("distances", &m, &err));
	iso_table *train = rows(schema[BARE], 21, 1), *moved = rows(schema[BARE], 21, 2);
	for (size_t i = 0; i < 21; i++) {
		train->cells[i] = -1 + 0.1 * (double)i;
		moved->cells[i] = fmin(1, train->cells[i] + 0.05);
	}
	const result copy = measure(m, NULL, train, train, train, NULL),
		     r = measure(m, NULL, train, train, moved, NULL);
	tk_assert_close(value_of(&copy, "w1_mean"), 0, 0, 1e-12);
	tk_assert_close(value_of(&copy, "ks_mean"), 0, 0, 1e-12);
	tk_assert_close(value_of(&copy, "dcr_median"), 0, 0, 1e-6);
	tk_assert_close(value_of(&copy, "copies"), 1, 0, 0);
	tk_assert_close(value_of(&copy, "authenticity"), 0, 0, 0);
	tk_assert_close(value_of(&copy, "precision"), 1, 0, 0);
	tk_assert_close(value_of(&copy, "recall"), 1, 0, 0);
	tk_assert_close(value_of(&copy, "coverage"), 1, 0, 0);
	/* twenty rows move by 0.05 of the range 2, the last stays at the bound */
	tk_assert_close(value_of(&r, "w1_mean"), 20.0 / 21 * 0.025, 1e-9, 0);
	tk_assert_close(value_of(&r, "ks_mean"), 1.0 / 21, 1e-9, 0);
	/* in units of the range: half a step to the nearest, both neighbours equally near */
	tk_assert_close(value_of(&r, "dcr_median"), 0.025, 1e-4, 0);
	tk_assert_close(value_of(&r, "nndr_median"), 1, 1e-3, 0);
	tk_assert_close(value_of(&r, "copies"), 1.0 / 21, 1e-12, 0);
	tk_assert_close(value_of(&r, "authenticity"), 0, 0, 0);
	ck_assert(isnan(value_of(&r, "jsd_mean")) && isnan(value_of(&r, "correlation")));
	train->n = 5;
	const result few = measure(m, NULL, train, train, moved, NULL);
	ck_assert(isnan(value_of(&few, "precision")));
	train->n = 21;
	iso_table_free(train);
	iso_table_free(moved);
	unload();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conformance of metrics");
	TCase *t = tcase_create("metrics");
	tcase_add_test(t, descriptor);
	tcase_add_test(t, measures);
	tcase_add_test(t, points);
	tcase_add_test(t, ordinary);
	tcase_add_test(t, degenerate);
	tcase_add_test(t, memory);
	tcase_add_test(t, tstr_values);
	tcase_add_test(t, tstr_options);
	tcase_add_test(t, mlp_one_against_the_rest);
	tcase_add_test(t, marginals_by_hand);
	tcase_add_test(t, discriminator_values);
	tcase_add_test(t, utility_values);
	tcase_add_test(t, distances_by_hand);
	suite_add_tcase(s, t);
	return tk_run(s);
}
