// SPDX-License-Identifier: Apache-2.0
/* What can be known of a cell before it runs: whether the method takes the data, and whether its
 * plan can meet the budget. */
#include <math.h>
#include <string.h>

#include "suites/flow/train.h"
#include "suites/plan.h"

/* The ends of iso_calibrate's search. */
#define SCALE_MIN 1e-6
#define SCALE_MAX 1e6
#define BUDGET_ROUNDING (1 + 1e-9)

typedef struct builder {
	const iso_generator *g;
	const iso_gen_env *env;
} builder;

static iso_status build_events(void *ctx, double scale, iso_events *out, iso_error *err)
{
	const builder *b = ctx;
	iso_plan plan;
	iso_status st;

	ISO_TRY(iso_training_plan(b->g, b->env, scale, &plan, err));
	st = iso_plan_events(&plan, 0, out, err);
	iso_plan_free(&plan);
	return st;
}

static int same_event(const iso_event *a, const iso_event *b)
{
	return a->mechanism == b->mechanism && a->noise == b->noise && a->epsilon == b->epsilon &&
	       a->delta == b->delta && a->rho == b->rho && a->rate == b->rate &&
	       a->count == b->count && a->queries == b->queries;
}

/* 1 if two plans list the same releases with the same noise; 0 also if one of them cannot be made.
 */
static int same_plan(const iso_generator *g, const iso_gen_env *ea, double sa,
		     const iso_gen_env *eb, double sb)
{
	iso_error ignored = {0};
	iso_plan x = {0}, y = {0};
	int same = iso_training_plan(g, ea, sa, &x, &ignored) == ISO_OK;

	if (same && iso_training_plan(g, eb, sb, &y, &ignored) == ISO_OK) {
		same = x.n == y.n;
		for (size_t i = 0; same && i < x.n; i++)
			same = same_event(&x.v[i].event, &y.v[i].event);
	} else {
		same = 0;
	}
	iso_plan_free(&x);
	iso_plan_free(&y);
	return same;
}

int iso_setup_targeted(const iso_generator *g, iso_gen_env env)
{
	iso_gen_env other = env;

	if (!g->plan)
		return 0;
	if (iso_generator_is_external(g)) /* planned by the program, for the epsilon it is given */
		return iso_generator_guarantee(g, env.options) == ISO_GUARANTEE_DP;
	env.epsilon = 1 + env.schema->release.epsilon;
	other.epsilon = 2 + env.schema->release.epsilon;
	return !same_plan(g, &env, 1, &other, 1) || !same_plan(g, &env, 1, &env, 2);
}

/* Epsilon of the plan at a scale, under the fast accountant; +infinity if it gives none. */
static iso_status quick_epsilon(builder *b, double scale, double *epsilon, iso_error *err)
{
	iso_events events = {0};
	iso_error ignored = {0};
	iso_status st;

	ISO_TRY(build_events(b, scale, &events, err));
	st = iso_account_one(&events, b->env->adjacency, b->env->delta, ISO_ACC_RDP, epsilon,
			     &ignored);
	if (st != ISO_OK || isnan(*epsilon))
		*epsilon = INFINITY;
	iso_events_free(&events);
	return ISO_OK;
}

/* A plan without free noise costs what it costs. */
static iso_status check_fixed(builder *b, iso_error *err)
{
	iso_events events = {0};
	double reached = NAN;
	iso_status st;

	ISO_TRY(build_events(b, 1, &events, err));
	st = iso_account_one(&events, b->env->adjacency, b->env->delta, b->env->accountant,
			     &reached, err);
	iso_events_free(&events);
	ISO_TRY(st);
	ISO_FAIL_IF(!(reached <= b->env->epsilon * BUDGET_ROUNDING), err, ISO_E_BUDGET,
		    "impossible epsilon (%s): its noise is fixed and costs epsilon %.6g, the "
		    "target is %g; raise epsilon or change "
		    "the noise",
		    b->g->name, reached, b->env->epsilon);
	return ISO_OK;
}

/* Some scale whose quick epsilon lies on the wanted side of the target, from the middle of the
 * range outwards (the accountant is slowest at the ends). */
static iso_status any_side(builder *b, const double *scale, size_t n, int below, int *found,
			   iso_error *err)
{
	*found = 0;
	for (size_t i = 0; i < n && !*found; i++) {
		double e;

		ISO_TRY(quick_epsilon(b, scale[i], &e, err));
		*found = below ? e <= b->env->epsilon : e >= b->env->epsilon;
	}
	return ISO_OK;
}

/* The bound of RDP is above PLD's: a scale where it is below the target proves that the target can
 * be met.  That some scale spends as much as the target is tried with the same bound; in doubt,
 * calibrate in full. */
static iso_status check_budget(builder *b, iso_error *err)
{
	static const double up[] = {1, 3, 10, 100, 1e4, SCALE_MAX},
			    down[] = {1, 0.5, 0.25, 0.1, 0.01, 1e-3, SCALE_MIN};
	int enough = 0, spendable = 0;
	double scale, reached;

	if (same_plan(b->g, b->env, 1, b->env, 2))
		return check_fixed(b, err);
	ISO_TRY(any_side(b, up, ISO_COUNT(up), 1, &enough, err));
	if (enough)
		ISO_TRY(any_side(b, down, ISO_COUNT(down), 0, &spendable, err));
	if (enough && spendable)
		return ISO_OK;
	return iso_calibrate(build_events, b, b->env->adjacency, b->env->epsilon, b->env->delta,
			     b->env->accountant, &scale, &reached, err);
}

iso_status iso_setup_check(const iso_setup *s, const iso_gen_env *env, iso_error *err)
{
	builder b = {s->generator, env};
	const iso_gen_env left = iso_env_left(env);
	iso_plan plan;

	ISO_TRY(iso_generator_accepts(s->generator, env, err));
	if (s->generator->check)
		ISO_TRY(s->generator->check(&left, err));
	if (s->targeted && !iso_generator_is_external(s->generator))
		return check_budget(&b, err);
	ISO_TRY(iso_training_plan(s->generator, env, 1, &plan, err));
	iso_plan_free(&plan);
	return ISO_OK;
}
