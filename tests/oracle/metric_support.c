// SPDX-License-Identifier: Apache-2.0
#include "tests/oracle/metric_support.h"

#include <string.h>

static iso_error err;

iso_schema *ms_schema(const char *text)
{
	cJSON *v = cJSON_Parse(text);
	iso_schema *s;

	ck_assert_ptr_nonnull(v);
	tk_ok(iso_schema_from_json(v, "toy", &s, &err));
	cJSON_Delete(v);
	return s;
}

iso_table *ms_table(const iso_schema *s, size_t n, const double *cells)
{
	iso_table *t;

	tk_ok(iso_table_new(s, n, &t, &err));
	memcpy(t->cells, cells, n * s->ncol * sizeof(*cells));
	tk_ok(iso_table_check(t, &err));
	return t;
}

ms_result ms_measure(const char *metric, const char *text, const iso_table *train,
		     const iso_table *test, const iso_table *synthetic)
{
	ms_result r = {0};
	cJSON *values = cJSON_Parse(text ? text : "{}");
	iso_metric_view v = {.schema = train->schema, .key = iso_key_new(9, "metric")};

	tk_ok(iso_metric_find(metric, &r.metric, &err));
	const iso_metric *m = r.metric;
	while (m->outputs[r.n].key)
		r.n++;
	void *o = iso_alloc(m->options_size ? m->options_size : 1, 1);
	ck_assert(r.n <= MS_MOST && values && o);
	if (m->options)
		tk_ok(iso_options_resolve(m->options, values, m->name, o, m->options_size, NULL,
					  &err));
	v.train = m->inputs & ISO_IN_TRAIN ? train : NULL;
	v.test = m->inputs & ISO_IN_TEST ? test : NULL;
	v.synthetic = m->inputs & ISO_IN_SYNTHETIC ? synthetic : NULL;
	iso_measures out = {.outputs = m->outputs, .v = r.v, .n = r.n};
	tk_ok(m->measure(&v, o, &out, &err));
	for (size_t i = 0; i < r.n; i++)
		ck_assert_msg(r.v[i].key != NULL, "%s never set %s", metric, m->outputs[i].key);
	out.v = NULL; /* the caller's */
	iso_measures_free(&out);
	iso_free(o);
	cJSON_Delete(values);
	return r;
}

static const iso_measure *find(const ms_result *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->v[i].key, key))
			return &r->v[i];
	ck_abort_msg("%s has no output %s", r->metric->name, key);
}

double ms_value(const ms_result *r, const char *key)
{
	return find(r, key)->value;
}

const char *ms_reason(const ms_result *r, const char *key)
{
	return find(r, key)->reason;
}

static iso_table *rows_of(const iso_schema *s, const cJSON *rows)
{
	double cells[3 * 256];
	const cJSON *row, *cell;
	size_t n = 0;

	cJSON_ArrayForEach(row, rows)
	{
		cJSON_ArrayForEach(cell, row)
		{
			ck_assert(n < ISO_COUNT(cells));
			cells[n++] = cell->valuedouble;
		}
	}
	return ms_table(s, n / 3, cells);
}

ms_small ms_small_new(void)
{
	ms_small m = {.root = tk_golden("oracle_stats.json.gz")};

	m.golden = cJSON_GetObjectItem(m.root, "small_dataset");
	m.schema = ms_schema("{\"name\":\"small\",\"columns\":["
			     "{\"name\":\"a\",\"type\":\"continuous\",\"bounds\":[-10,10]},"
			     "{\"name\":\"b\",\"type\":\"continuous\",\"bounds\":[-10,10]},"
			     "{\"name\":\"c\",\"type\":\"continuous\",\"bounds\":[-10,10]}]}");
	m.real = rows_of(m.schema, cJSON_GetObjectItem(m.golden, "real"));
	m.synthetic = rows_of(m.schema, cJSON_GetObjectItem(m.golden, "synth"));
	m.holdout = rows_of(m.schema, cJSON_GetObjectItem(m.golden, "holdout"));
	return m;
}

void ms_small_free(ms_small *m)
{
	iso_table_free(m->real);
	iso_table_free(m->synthetic);
	iso_table_free(m->holdout);
	iso_schema_free(m->schema);
	cJSON_Delete(m->root);
}
