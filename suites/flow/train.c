// SPDX-License-Identifier: Apache-2.0
/* The whole flow of one training: check, plan, calibrate, arm, fit, settle, close; and sampling
 * under the closed ledger. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/io/json.h"
#include "core/privacy/release_key.h"
#include "core/privacy/replay.h"
#include "suites/flow/schema_private.h"
#include "suites/flow/train.h"

/* A plan whose entries are all fixed costs what it costs; this much rounding is forgiven against
 * the target. */
#define BUDGET_ROUNDING (1 + 1e-9)

static iso_status check_request(const iso_training_request *r, iso_error *err)
{
	const iso_generator *g = r->generator;

	ISO_FAIL_IF(!(r->epsilon > 0), err, ISO_E_CONFIG,
		    "impossible budget (%s): epsilon is %g; give a number above 0", g->name,
		    r->epsilon);
	ISO_FAIL_IF(!(r->delta >= 0 && r->delta < 1), err, ISO_E_CONFIG,
		    "impossible budget (%s): delta is %g; give a number from 0 to below 1", g->name,
		    r->delta);
	return ISO_OK;
}

/* ------------------------------------------------------------------ plan and calibration */

iso_gen_env iso_env_left(const iso_gen_env *env)
{
	const iso_schema_release *r = &env->schema->release;
	iso_gen_env left = *env;

	left.epsilon -= r->epsilon;
	left.delta -= r->delta;
	return left;
}

iso_status iso_training_plan(const iso_generator *g, const iso_gen_env *env, double scale,
			     iso_plan *plan, iso_error *err)
{
	const iso_schema_release *r = &env->schema->release;
	const iso_gen_env left = iso_env_left(env);
	iso_status st = ISO_OK;

	*plan = (iso_plan){0};
	ISO_FAIL_IF(r->columns.count && !(left.epsilon > 0 && left.delta >= 0), err, ISO_E_BUDGET,
		    "nothing left (%s): the schema has cost epsilon %g and delta %g of a budget of "
		    "%g and %g; raise the budget or spend less on the schema",
		    g->name, r->epsilon, r->delta, env->epsilon, env->delta);
	if (g->plan)
		st = g->plan(&left, scale, plan, err);
	if (st == ISO_OK)
		st = iso_schema_plan(env->schema, env->adjacency, plan, err);
	if (st != ISO_OK)
		iso_plan_free(plan);
	return st;
}

typedef struct planner {
	const iso_generator *g;
	const iso_gen_env *env;
} planner;

static iso_status build_events(void *ctx, double scale, iso_events *out, iso_error *err)
{
	const planner *p = ctx;
	iso_plan plan;
	iso_status st;

	ISO_TRY(iso_training_plan(p->g, p->env, scale, &plan, err));
	st = iso_plan_events(&plan, 0, out, err);
	iso_plan_free(&plan);
	return st;
}

static int is_charged(const iso_plan_item *it)
{
	return it->event.mechanism != ISO_MECH_UNCHARGED;
}

/* Does the entry react to the free scale?  Asked of the plan itself, so that `fixed` cannot
 * contradict it. */
static int is_free(const iso_plan_item *a, const iso_plan_item *b)
{
	return a->event.noise != b->event.noise || a->event.epsilon != b->event.epsilon ||
	       a->event.rho != b->event.rho;
}

/* Two scales must give the same entries, in the same order, but for the noise: else "one free
 * scale" is not what it is.
 */
static iso_status probe(const planner *p, size_t *charged, size_t *nfree, iso_error *err)
{
	iso_plan one, two;
	iso_status st;

	*charged = *nfree = 0;
	ISO_TRY(iso_training_plan(p->g, p->env, 1, &one, err));
	st = iso_training_plan(p->g, p->env, 2, &two, err);
	if (st != ISO_OK) {
		iso_plan_free(&one);
		return st;
	}
	if (one.n != two.n)
		st = iso_fail(err, ISO_E_PLUGIN,
			      "plan (%s): %zu entries at scale 1, %zu at scale 2; only noise may "
			      "follow the scale",
			      p->g->name, one.n, two.n);
	for (size_t i = 0; i < one.n && st == ISO_OK; i++) {
		const int moved = is_free(&one.v[i], &two.v[i]);

		*charged += (size_t)is_charged(&one.v[i]);
		*nfree += (size_t)moved;
		if (strcmp(one.v[i].why, two.v[i].why) != 0 ||
		    one.v[i].event.count != two.v[i].event.count)
			st = iso_fail(err, ISO_E_PLUGIN,
				      "plan (%s): entry %zu is another one at another scale; only "
				      "noise may follow the "
				      "scale",
				      p->g->name, i);
		else if (moved && one.v[i].fixed)
			st = iso_fail(err, ISO_E_PLUGIN,
				      "plan (%s: %s): declared fixed and yet follows the scale; "
				      "drop one of the two",
				      p->g->name, one.v[i].why);
	}
	iso_plan_free(&one);
	iso_plan_free(&two);
	return st;
}

/* What the plan costs at this scale against the target.  For noise that is not calibrated here: a
 * plan without a free scale, and a scale that the caller brought along. */
static iso_status check_cost(planner *p, const iso_training_request *r, double scale,
			     iso_error *err)
{
	iso_events events = {0};
	double reached = 0;
	iso_status st = ISO_OK;

	/* no epsilon is promised (mode=paper at the published noise), or none is asked for */
	if (iso_generator_guarantee(p->g, r->options) != ISO_GUARANTEE_DP || isinf(r->epsilon))
		return ISO_OK;
	ISO_TRY(build_events(p, scale, &events, err));
	if (events.n)
		st = iso_account_one(&events, r->adjacency, r->delta, r->accountant, &reached, err);
	iso_events_free(&events);
	ISO_TRY(st);
	ISO_FAIL_IF(
		!(reached <= r->epsilon * BUDGET_ROUNDING), err, ISO_E_BUDGET,
		"plan above the budget (%s): it costs epsilon %.9g at noise scale %g, the target "
		"is %g; raise epsilon, change options, or let the scale be calibrated",
		p->g->name, reached, scale, r->epsilon);
	return ISO_OK;
}

/* The scale at which the composed epsilon lies in [0.999, 1] of the target; 0 for a plan with
 * nothing to charge. */
static iso_status calibrate(planner *p, const iso_training_request *r, double *scale,
			    iso_error *err)
{
	size_t charged, nfree;
	double reached;

	*scale = 0;
	if (r->scale > 0) {
		*scale = r->scale;
		/* a replay repeats a training that was judged when it was recorded */
		return r->replay ? ISO_OK : check_cost(p, r, *scale, err);
	}
	ISO_TRY(probe(p, &charged, &nfree, err));
	if (charged == 0)
		return ISO_OK;
	if (nfree == 0) { /* costs what it costs: without a target there is nothing to hold it to */
		*scale = 1;
		return check_cost(p, r, 1, err);
	}
	ISO_FAIL_IF(isinf(r->epsilon), err, ISO_E_CONFIG,
		    "infinite budget (%s): the method adds noise for a finite epsilon; give one, "
		    "or use its "
		    "non-private twin",
		    p->g->name);
	return iso_calibrate(build_events, p, r->adjacency, r->epsilon, r->delta, r->accountant,
			     scale, &reached, err);
}

/* ------------------------------------------------------------------ training */

/* Public number of rows of each client, new array or NULL without clients. */
static iso_status count_clients(const iso_table *t, size_t **out, iso_error *err)
{
	*out = NULL;
	if (!t->client)
		return ISO_OK;
	*out = iso_alloc(t->nclient, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "the rows per client");
	for (size_t r = 0; r < t->n; r++)
		(*out)[t->client[r]]++;
	return ISO_OK;
}

/* Public rows and clients are shown to methods that say what they do with them. */
static iso_gen_env make_env(const iso_training_request *r, const size_t *counted)
{
	const uint32_t a = r->generator->accepts;
	const int public = (a & (ISO_ACCEPTS_PUBLIC | ISO_REQUIRES_PUBLIC)) != 0;
	const int clients = (a & (ISO_ACCEPTS_CLIENTS | ISO_REQUIRES_CLIENTS)) != 0;

	return (iso_gen_env){.schema = r->train->schema,
			     .n = r->n ? r->n : r->train->n,
			     .public_rows = public ? r->public_rows : NULL,
			     .nclient = clients ? r->train->nclient : 0,
			     .client_count = !clients	       ? NULL
					     : r->client_count ? r->client_count
							       : counted,
			     .class_count = r->class_count,
			     .options = r->options,
			     .epsilon = r->generator->plan ? r->epsilon : INFINITY,
			     .delta = r->delta,
			     .adjacency = r->adjacency,
			     .accountant = r->accountant};
}

/* The options as they stand in the struct, as canonical JSON. */
static iso_status options_text(const iso_generator *g, const void *options, iso_str *out,
			       iso_error *err)
{
	cJSON *values = NULL;
	iso_status st;

	if (!options)
		return ISO_OK;
	ISO_TRY(iso_options_values(g->options, options, &values, err));
	st = iso_json_canonical(values, out, err);
	cJSON_Delete(values);
	return st == ISO_OK ? iso_str_check(out, err) : st;
}

/* Everything that makes this release another one (core/privacy/release_key.h). */
static iso_status release_key(const iso_training_request *r, const iso_gen_env *env,
			      const iso_plan *plan, double scale, iso_release_key *key,
			      iso_error *err)
{
	iso_str options = {0};
	char data[65];
	iso_status st;

	ISO_TRY_OUT(iso_table_hash(r->train, data, err));
	ISO_TRY_OUT(options_text(r->generator, r->options, &options, err));
	ISO_TRY_OUT(iso_release_key_of(
		&(iso_release_facts){.seed = r->seed,
				     .secure = r->secure,
				     .generator = r->generator->name,
				     .version = r->generator->version,
				     .options = options.p,
				     .data = data,
				     .n = env->n,
				     .class_count = r->class_count,
				     .classes = iso_schema_classes(r->train->schema),
				     .epsilon = r->epsilon,
				     .delta = r->delta,
				     .scale = scale,
				     .adjacency = r->adjacency,
				     .accountant = r->accountant,
				     .plan = plan},
		key, err));
	if (r->replay)
		iso_replay_pin_key(r->replay, key);
out:
	iso_str_free(&options);
	return st;
}

static iso_status arm(planner *p, const iso_training_request *r, iso_training *t,
		      iso_release_key *key, iso_error *err)
{
	iso_plan plan;
	iso_status st;

	ISO_TRY(iso_training_plan(p->g, p->env, t->scale, &plan, err));
	st = release_key(r, p->env, &plan, t->scale, key, err);
	if (st == ISO_OK)
		st = iso_ledger_new(&plan, p->g->name, r->adjacency, key, &t->ledger, err);
	iso_plan_free(&plan);
	ISO_TRY(st);
	if (r->replay)
		iso_ledger_set_replay(t->ledger, r->replay);
	return ISO_OK;
}

/* Seeded: a function of the seed alone, so that two budgets start from the same weights.  Secure:
 * from the secret of the release, as the noise. */
static iso_status fit_key(const iso_training_request *r, const iso_release_key *release,
			  iso_key *out, iso_error *err)
{
	if (r->secure)
		return iso_release_key_fit(release, out, err);
	*out = iso_key_child(iso_key_new(r->seed, "fit"), r->generator->name, 0);
	return ISO_OK;
}

/* A point named "uncharged:" says that it was read off private rows: then the ledger must say so
 * too. */
#define UNCHARGED "uncharged:"
typedef struct curve_guard {
	const iso_training_request *r;
	int looked; /* such a point came */
	char name[64];
} curve_guard;

static void guard_point(void *ctx, double step, const char *name, double value)
{
	curve_guard *g = ctx;

	if (!g->looked && strncmp(name, UNCHARGED, sizeof(UNCHARGED) - 1) == 0) {
		g->looked = 1;
		snprintf(g->name, sizeof(g->name), "%s", name);
	}
	if (g->r->curve)
		g->r->curve(g->r->curve_ctx, step, name, value);
}

static iso_status check_curve(const curve_guard *c, const iso_training *t, iso_error *err)
{
	ISO_FAIL_IF(c->looked && iso_ledger_uncharged_count(t->ledger) == 0, err, ISO_E_PLUGIN,
		    "training curve (%s): \"%s\" is read off private rows and nothing uncharged is "
		    "booked; call iso_ledger_uncharged, or leave the point out",
		    c->r->generator->name, c->name);
	return ISO_OK;
}

static iso_status fit(const iso_gen_env *env, const iso_training_request *r, iso_key key,
		      iso_training *t, iso_error *err)
{
	const iso_generator *g = r->generator;
	curve_guard guard = {.r = r};
	const iso_fit f = {.env = *env,
			   .train = r->train,
			   .scale = t->scale,
			   .ledger = t->ledger,
			   .key = key,
			   .progress = r->progress,
			   .curve = guard_point,
			   .curve_ctx = &guard,
			   .cancelled = r->cancelled,
			   .cancelled_ctx = r->cancelled_ctx,
			   .insider = r->insider};
	const double start = iso_clock_wall();

	ISO_TRY(g->fit(&f, &t->model, err));
	t->fit_seconds = iso_clock_wall() - start;
	ISO_FAIL_IF(!t->model, err, ISO_E_PLUGIN,
		    "no model (%s): fit reported success and gave none; set *model", g->name);
	ISO_TRY(check_curve(&guard, t, err));
	return iso_ledger_settled(t->ledger, err);
}

/* An epsilon with something uncharged in it is infinite: such a training is not what its generator
 * promises.  What another program promises is never more than its claim, with or without a ledger.
 */
static iso_guarantee honest_guarantee(const iso_generator *g, const void *options,
				      const iso_ledger *l)
{
	const iso_guarantee promised = iso_generator_guarantee(g, options);

	return promised == ISO_GUARANTEE_DP && iso_ledger_uncharged_count(l) > 0 &&
			       !iso_generator_is_external(g)
		       ? ISO_GUARANTEE_HEURISTIC
		       : promised;
}

/* Bounds and categories that were read off the rows are looks at the data like any other. */
static iso_status book_learned(const iso_schema *s, iso_ledger *l, iso_error *err)
{
	int bounds = 0, categories = 0;

	for (size_t c = 0; c < s->ncol; c++) {
		const iso_column *col = &s->column[c];

		if (!col->learned || iso_is_dropped(col) || col->type == ISO_PIXEL)
			continue;
		bounds |= !iso_is_discrete(col);
		categories |= iso_is_discrete(col);
	}
	if (bounds)
		ISO_TRY(iso_ledger_uncharged(l, "learned-bounds", err));
	return categories ? iso_ledger_uncharged(l, "learned-categories", err) : ISO_OK;
}

iso_status iso_delta_check(const iso_generator *g, double delta, size_t n, int allowed,
			   iso_error *err)
{
	ISO_FAIL_IF(g->plan && !(delta >= ISO_LEAST_DELTA), err, ISO_E_CONFIG,
		    "delta too small (%s): %g, the tails of the noise are computed for a delta of "
		    "%g and above; use at least that",
		    g->name, delta, ISO_LEAST_DELTA);
	ISO_FAIL_IF(g->plan && !allowed && n > 0 && !(delta * (double)n <= 10 * (1 + 1e-9)), err,
		    ISO_E_CONFIG,
		    "delta too large (%s): delta %g on %zu rows allows %.0f whole records to be "
		    "published; use one below 1/n = %.3g, or allow it by name "
		    "(--allow-large-delta; in a suite \"allow_large_delta\": true)",
		    g->name, delta, n, delta * (double)n, 1 / (double)n);
	return ISO_OK;
}

int iso_delta_caveat(const iso_generator *g, double delta, size_t n, char *text, size_t size)
{
	if (!g->plan || !(delta * (double)n > 1 + 1e-6))
		return 0;
	(void)snprintf(text, size,
		       "large delta: %g is above 1/n = %.3g, so the guarantee allows %.3g whole "
		       "records to be published",
		       delta, 1 / (double)n, delta * (double)n);
	return 1;
}

/* What is decided before a row is looked at. */
static iso_status settle(planner *p, const iso_training_request *r, double *scale, iso_error *err)
{
	const iso_gen_env left = iso_env_left(p->env);

	ISO_TRY(iso_generator_accepts(p->g, p->env, err));
	if (p->g->check)
		ISO_TRY(p->g->check(&left, err));
	ISO_TRY(iso_delta_check(p->g, r->delta, p->env->n, r->allow_large_delta, err));
	return calibrate(p, r, scale, err);
}

iso_status iso_train_dry(const iso_training_request *r, double *scale, iso_plan *plan,
			 iso_error *err)
{
	size_t *counted = NULL;
	iso_gen_env env = {0};
	planner p = {.g = r->generator, .env = &env};
	iso_status st;

	*plan = (iso_plan){0};
	ISO_TRY(check_request(r, err));
	ISO_TRY(count_clients(r->train, &counted, err));
	env = make_env(r, counted);
	st = settle(&p, r, scale, err);
	if (st == ISO_OK)
		st = iso_training_plan(p.g, &env, *scale, plan, err);
	iso_free(counted);
	return st;
}

iso_status iso_train(const iso_training_request *r, iso_training *out, iso_error *err)
{
	const iso_generator *g = r->generator;
	iso_training t = {.generator = g, .claimed_epsilon = NAN};
	size_t *counted = NULL;
	iso_gen_env env = {0}, left;
	planner p = {.g = g, .env = &env};
	iso_release_key release;
	iso_key key;
	iso_status st;

	*out = (iso_training){.claimed_epsilon = NAN};
	ISO_TRY(check_request(r, err));
	ISO_TRY(count_clients(r->train, &counted, err));
	env = make_env(r, counted);
	left = iso_env_left(&env);
	ISO_TRY_OUT(settle(&p, r, &t.scale, err));
	ISO_TRY_OUT(arm(&p, r, &t, &release, err));
	ISO_TRY_OUT(book_learned(env.schema, t.ledger, err));
	ISO_TRY_OUT(fit_key(r, &release, &key, err));
	ISO_TRY_OUT(fit(&left, r, key, &t, err));
	iso_ledger_close(t.ledger);
	iso_ledger_set_replay(t.ledger, NULL);
	t.guarantee = honest_guarantee(g, r->options, t.ledger);
	if (g->claimed_epsilon)
		t.claimed_epsilon = g->claimed_epsilon(&left);
	*out = t;
	iso_free(counted);
	return ISO_OK;
out:
	iso_training_free(&t);
	iso_free(counted);
	return st;
}

iso_status iso_training_load(const iso_training_request *r, const char *bytes, size_t n,
			     iso_training *out, iso_error *err)
{
	const iso_generator *g = r->generator;
	iso_training t = {.generator = g, .claimed_epsilon = NAN};
	size_t *counted = NULL;
	iso_gen_env env;
	iso_status st;

	*out = (iso_training){.claimed_epsilon = NAN};
	ISO_FAIL_IF(!g->load, err, ISO_E_UNSUPPORTED, "load (%s): the method has no such slot",
		    g->name);
	ISO_TRY(count_clients(r->train, &counted, err));
	env = make_env(r, counted);
	env = iso_env_left(&env);
	st = g->load(&env, bytes, n, &t.model, err);
	if (st == ISO_OK && !t.model)
		st = iso_fail(err, ISO_E_PLUGIN,
			      "no model (%s): load reported success and gave none; set *model",
			      g->name);
	iso_free(counted);
	if (st == ISO_OK)
		*out = t;
	return st;
}

void iso_training_free(iso_training *t)
{
	if (!t)
		return;
	if (t->generator && t->model)
		t->generator->destroy(t->model);
	iso_ledger_free(t->ledger);
	*t = (iso_training){.claimed_epsilon = NAN};
}

/* ------------------------------------------------------------------ what a model gives */

iso_status iso_training_sample(const iso_training *t, const iso_schema *s, uint64_t seed, size_t n,
			       iso_table **out, iso_error *err)
{
	const iso_generator *g = t->generator;
	const iso_key key = iso_key_child(iso_key_new(seed, "sample"), g->name, 0);
	iso_table *rows = NULL;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_table_new(s, n, &rows, err));
	st = g->sample(t->model, key, rows, err);
	if (st == ISO_OK && (rows->n != n || rows->schema != s))
		st = iso_fail(err, ISO_E_PLUGIN,
			      "sample (%s): %zu rows were asked for, %zu were given; fill the "
			      "table as it comes",
			      g->name, n, rows->n);
	for (size_t r = 0; st == ISO_OK && s->nsequence && r < n; r++)
		iso_sequences_settle(s, rows->cells + r * s->ncol);
	if (st == ISO_OK && iso_table_check(rows, err) != ISO_OK) {
		(void)iso_fail_context(err, "sample of %s", g->name);
		st = ISO_E_PLUGIN;
	}
	if (st != ISO_OK) {
		iso_table_free(rows);
		return st;
	}
	*out = rows;
	return ISO_OK;
}

iso_status iso_training_score(const iso_training *t, const iso_table *rows, double *out,
			      iso_error *err)
{
	const iso_generator *g = t->generator;

	ISO_FAIL_IF(!g->score, err, ISO_E_UNSUPPORTED,
		    "score (%s): the method has none; choose another attack", g->name);
	for (size_t i = 0; i < rows->n; i++)
		out[i] = NAN;
	ISO_TRY(g->score(t->model, rows, out, err));
	for (size_t i = 0; i < rows->n; i++)
		ISO_FAIL_IF(!isfinite(out[i]), err, ISO_E_PLUGIN,
			    "score (%s): row %zu has %g; scores are finite, larger = more real",
			    g->name, i, out[i]);
	return ISO_OK;
}
