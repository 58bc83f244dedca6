// SPDX-License-Identifier: Apache-2.0
// A generator, an attack and a metric in C++, against the installed headers: the lowest value of
// every column, a guess that knows nothing, and the ratio of synthetic to training rows.
#include <cmath>
#include <new>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "generators/generator.h"
#include "metrics/metric.h"

namespace {

struct Options {
	double share;
};

const iso_option options[] = {ISO_OPT_REAL(Options, share, "1", 0, 1, "of the range"), {}};

struct Model {
	size_t rows;
};

iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	auto *m = new (std::nothrow) Model{f->env.n};

	if (!m)
		return iso_no_memory(err, "a model");
	*model = m;
	return ISO_OK;
}

iso_status sample(const void *, iso_key, iso_table *out, iso_error *)
{
	const iso_schema *s = out->schema;

	for (size_t r = 0; r < out->n; r++)
		for (size_t c = 0; c < s->ncol; c++)
			if (!iso_is_dropped(&s->column[c]))
				out->cells[r * s->ncol + c] =
					iso_is_discrete(&s->column[c]) ? 0 : s->column[c].lo;
	return ISO_OK;
}

void destroy(void *model)
{
	delete static_cast<Model *>(model);
}

iso_status guess(const iso_attack_view *view, const void *, void *, iso_guess *out, iso_error *)
{
	for (size_t i = 0; i < view->targets->n; i++)
		out[i] = iso_guess{0, 0};
	return ISO_OK;
}

const iso_output outputs[] = {
	{"ratio", "synthetic rows per training row", "", ISO_NEITHER, 0, INFINITY, 1, nullptr, "shape", 0},
	{}};

iso_status measure(const iso_metric_view *view, const void *, iso_measures *out, iso_error *err)
{
	return iso_measure_set(out, "ratio", (double)view->synthetic->n / (double)view->train->n, NAN,
			       NAN, err);
}

iso_generator make_generator()
{
	iso_generator g = {};

	g.abi = ISO_GENERATOR_ABI;
	g.name = "cpp-lowest";
	g.title = "The lowest values";
	g.citation = "a test";
	g.card = "Every value is the lowest of its column.";
	g.guarantee = ISO_GUARANTEE_NONE;
	g.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL;
	g.version = 1;
	g.options = options;
	g.options_size = sizeof(Options);
	g.fit = fit;
	g.sample = sample;
	g.destroy = destroy;
	return g;
}

iso_attack make_attack()
{
	iso_attack a = {};

	a.abi = ISO_ATTACK_ABI;
	a.name = "cpp-blank";
	a.title = "A guess that knows nothing";
	a.citation = "a test";
	a.card = "Every score is 0.";
	a.goal = ISO_GOAL_MEMBERSHIP;
	a.knows = ISO_KNOWS_SYNTHETIC;
	a.version = 1;
	a.knowledge = "NB";
	a.options = options;
	a.options_size = sizeof(Options);
	a.guess = guess;
	return a;
}

iso_metric make_metric()
{
	iso_metric m = {};

	m.abi = ISO_METRIC_ABI;
	m.name = "cpp-ratio";
	m.title = "Rows per row";
	m.citation = "a test";
	m.card = "Synthetic rows over training rows.";
	m.inputs = ISO_IN_TRAIN | ISO_IN_SYNTHETIC;
	m.version = 1;
	m.outputs = outputs;
	m.options = options;
	m.options_size = sizeof(Options);
	m.measure = measure;
	return m;
}

const iso_generator generator = make_generator();
const iso_attack attack = make_attack();
const iso_metric metric = make_metric();

} // namespace

extern "C" const iso_generator *iso_plugin_generator()
{
	return &generator;
}

extern "C" const iso_attack *iso_plugin_attack()
{
	return &attack;
}

extern "C" const iso_metric *iso_plugin_metric()
{
	return &metric;
}
