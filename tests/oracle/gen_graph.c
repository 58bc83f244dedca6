// SPDX-License-Identifier: Apache-2.0
/* Graphical models of noisy marginals against brute force: marginals of a junction tree by
 * enumeration of the joint table, the fit by closed forms and by exponentiated gradients on the
 * whole joint table, draws by their frequencies. */
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/graph_model.h"
#include "tests/support/testkit.h"

static iso_error err;

/* ------------------------------------------------------------------ a model with a circle */

/* 0 - 1 - 2 - 3 - 0 is a circle and 4 hangs on 3; 5 is alone.  288 combinations. */
enum { NVAR = 6, NSET = 6, JOINT = 2 * 3 * 2 * 4 * 3 * 2 };
static const size_t cells[NVAR] = {2, 3, 2, 4, 3, 2};
static const iso_scope scopes[NSET] = {{2, {0, 1}}, {2, {1, 2}}, {2, {2, 3}},
				       {2, {0, 3}}, {2, {3, 4}}, {1, {5}}};

static void combination(size_t k, uint32_t *x)
{
	for (size_t v = NVAR; v-- > 0; k /= cells[v])
		x[v] = (uint32_t)(k % cells[v]);
}

/* The joint law of the potentials, by the definition. */
static void joint_law(const double *theta, double *p)
{
	double sum = 0;
	for (size_t k = 0; k < JOINT; k++) {
		const double *t = theta;
		uint32_t x[NVAR];
		combination(k, x);
		p[k] = 0;
		for (size_t s = 0; s < NSET; s++) {
			p[k] += t[iso_scope_index(&scopes[s], cells, x)];
			t += (size_t)iso_scope_cells(&scopes[s], cells);
		}
		sum += p[k] = exp(p[k]);
	}
	for (size_t k = 0; k < JOINT; k++)
		p[k] /= sum;
}

static void joint_marginal(const double *p, const iso_scope *s, double *out)
{
	memset(out, 0, (size_t)iso_scope_cells(s, cells) * sizeof *out);
	for (size_t k = 0; k < JOINT; k++) {
		uint32_t x[NVAR];
		combination(k, x);
		out[iso_scope_index(s, cells, x)] += p[k];
	}
}

/* Potentials up to +-4, so that the law is far from independence. */
static iso_graph circle(double *theta, double *p)
{
	static double zero[64];
	iso_measured set[NSET];
	iso_graph g;
	size_t n = 0;
	for (size_t s = 0; s < NSET; s++) {
		set[s] = (iso_measured){.scope = scopes[s], .y = zero, .weight = 1};
		for (size_t i = 0; i < (size_t)iso_scope_cells(&scopes[s], cells); i++, n++)
			theta[n] = 8 * iso_rand_u01(iso_key_new(1, "theta"), s, i) - 4;
	}
	joint_law(theta, p);
	const iso_graph_problem problem = {.nvar = NVAR,
					   .cells = cells,
					   .set = set,
					   .nset = NSET,
					   .total = 500,
					   .theta = theta};
	tk_ok(iso_graph_fit(&problem, &g, &err));
	ck_assert_uint_eq(g.ntheta, n);
	return g;
}

/* Every scope of one to four variables, inside a clique or across several. */
START_TEST(marginals_are_those_of_the_joint_table)
{
	double theta[64], p[JOINT], got[288], want[288];
	size_t inside = 0, across = 0;
	iso_graph g = circle(theta, p);
	for (unsigned mask = 1; mask < 1u << NVAR; mask++) {
		iso_scope s = {0};
		for (uint32_t v = 0; v < NVAR; v++)
			if (mask >> v & 1)
				s.v[s.n++] = v;
		if (s.n > 4)
			continue;
		inside += iso_junction_host(&g.tree, &s) != SIZE_MAX;
		across += iso_junction_host(&g.tree, &s) == SIZE_MAX;
		tk_ok(iso_graph_marginal(&g, &s, got, &err));
		joint_marginal(p, &s, want);
		for (size_t i = 0; i < (size_t)iso_scope_cells(&s, cells); i++)
			tk_assert_close(got[i], 500 * want[i], 1e-9, 1e-9);
	}
	/* 6 single columns, 5 sides and a chord, 2 triangles */
	ck_assert_uint_eq(inside, 14);
	ck_assert_uint_eq(across, 56 - 14);
	iso_graph_free(&g);
}
END_TEST

/* The circle of 2, 3, 2 and 4 cells is cut by one chord, 0 - 2 or 1 - 3; the cheaper one leaves
 * {0,1,2} and {0,2,3}: 12 + 16 cells, with {3,4} and {5}: 12 + 2. */
START_TEST(a_circle_is_triangulated)
{
	iso_junction j;
	tk_ok(iso_junction_new(cells, NVAR, scopes, NSET, &j, &err));
	ck_assert_uint_eq(j.n, 4);
	tk_assert_close(j.total, 12 + 16 + 12 + 2, 0, 0);
	for (size_t c = 1; c < j.n; c++) {
		ck_assert(j.parent[c] < c);
		ck_assert(iso_scope_within(&j.sep[c], &j.clique[j.parent[c]]));
	}
	iso_junction_free(&j);
}
END_TEST

/* 40 variables that are all joined have no tree that fits a scope. */
START_TEST(too_wide_a_clique_has_no_tree)
{
	size_t many[40];
	iso_scope *all = iso_alloc(40 * 40, sizeof *all);
	size_t n = 0;
	iso_junction j;
	for (uint32_t a = 0; a < 40; a++) {
		many[a] = 2;
		for (uint32_t b = a + 1; b < 40; b++)
			all[n++] = (iso_scope){2, {a, b}};
	}
	tk_ok(iso_junction_new(many, 40, all, n, &j, &err));
	ck_assert(isinf(j.total));
	ck_assert_uint_eq(j.n, 0);
	iso_junction_free(&j);
	iso_free(all);
}
END_TEST

/* 40,000 draws: every cell of two tables across cliques within 5 standard errors. */
START_TEST(draws_follow_the_law)
{
	static const iso_scope asked[] = {{3, {0, 2, 4}}, {3, {1, 3, 5}}};
	const size_t n = 40000;
	double theta[64], p[JOINT], want[288], got[288] = {0};
	iso_graph g = circle(theta, p);
	for (size_t a = 0; a < 2; a++) {
		const size_t size = (size_t)iso_scope_cells(&asked[a], cells);
		memset(got, 0, sizeof got);
		for (size_t i = 0; i < n; i++) {
			uint32_t x[NVAR];
			iso_graph_draw(&g, iso_key_new(7, "draw"), i, x);
			got[iso_scope_index(&asked[a], cells, x)] += 1.0 / (double)n;
		}
		joint_marginal(p, &asked[a], want);
		for (size_t i = 0; i < size; i++)
			tk_assert_close(got[i], want[i], 0,
					5 * sqrt(want[i] * (1 - want[i]) / (double)n) + 1e-4);
	}
	iso_graph_free(&g);
}
END_TEST

/* ------------------------------------------------------------------ fits */

/* One variable measured twice, y = (60, 30, 10) of weight 1 and (40, 50, 10) of weight 3: with sums
 * of 100 the minimum is the weighted mean (45, 45, 10), with the loss
 * (15^2 + 15^2) / 2 + 3 (5^2 + 5^2) / 2 = 300. */
START_TEST(two_measurements_give_their_weighted_mean)
{
	static const double y1[] = {60, 30, 10}, y2[] = {40, 50, 10}, w2[] = {3, 3, 3};
	static const size_t three[] = {3};
	const iso_measured set[] = {{.scope = {1, {0}}, .y = y1, .weight = 1},
				    {.scope = {1, {0}}, .y = y2, .weights = w2}};
	const iso_graph_problem p = {
		.nvar = 1, .cells = three, .set = set, .nset = 2, .total = 100, .iterations = 5000};
	iso_graph g;
	tk_ok(iso_graph_fit(&p, &g, &err));
	tk_assert_close(g.belief[0], 45, 0, 1e-2);
	tk_assert_close(g.belief[1], 45, 0, 1e-2);
	tk_assert_close(g.belief[2], 10, 0, 1e-2);
	tk_assert_close(g.loss, 300, 0, 1e-3);
	iso_graph_free(&g);
}
END_TEST

/* A chain 0 - 1 - 2 with 2, 3 and 2 cells: joint probabilities of every combination. */
static const double chain[2][3][2] = {{{.08, .02}, {.05, .15}, {.12, .03}},
				      {{.16, .04}, {.0125, .0375}, {.24, .06}}};

/* One-way counts first, then the edges on top of that fit: exact counts are reproduced at the
 * start, so no step is needed; and the joint law is the chain's. */
START_TEST(exact_counts_are_reproduced)
{
	static const size_t size[] = {2, 3, 2};
	double y0[2] = {0}, y1[3] = {0}, y2[2] = {0}, y01[6] = {0}, y12[6] = {0}, got[12];
	const iso_measured set[] = {{.scope = {1, {0}}, .y = y0, .weight = 1},
				    {.scope = {1, {1}}, .y = y1, .weight = 1},
				    {.scope = {1, {2}}, .y = y2, .weight = 1},
				    {.scope = {2, {0, 1}}, .y = y01, .weight = 1},
				    {.scope = {2, {1, 2}}, .y = y12, .weight = 1}};
	iso_graph one, g;
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++)
			for (size_t c = 0; c < 2; c++) {
				const double x = 1000 * chain[a][b][c];
				y0[a] += x, y1[b] += x, y2[c] += x;
				y01[3 * a + b] += x;
				y12[2 * b + c] += x;
			}
	iso_graph_problem p = {.nvar = 3, .cells = size, .set = set, .nset = 3, .total = 1000};
	tk_ok(iso_graph_fit(&p, &one, &err));
	tk_assert_close(one.loss, 0, 0, 1e-12);
	p.nset = 5;
	p.warm = &one;
	tk_ok(iso_graph_fit(&p, &g, &err));
	tk_assert_close(g.loss, 0, 0, 1e-12);
	tk_ok(iso_graph_marginal(&g, &(iso_scope){3, {0, 1, 2}}, got, &err));
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++)
			for (size_t c = 0; c < 2; c++)
				tk_assert_close(got[6 * a + 2 * b + c], 1000 * chain[a][b][c], 1e-9,
						0);
	iso_graph_free(&one);
	iso_graph_free(&g);
}
END_TEST

/* Loss of a joint table of two variables (2 x 3) against one-way and two-way counts. */
static double joint_loss(const double *p, double total, const double *y, const double *y01,
			 double *grad)
{
	double mu[5] = {0}, loss = 0;
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++) {
			mu[a] += total * p[3 * a + b];
			mu[2 + b] += total * p[3 * a + b];
		}
	for (size_t i = 0; i < 5; i++)
		loss += 0.5 * 0.2 * (mu[i] - y[i]) * (mu[i] - y[i]);
	for (size_t a = 0; a < 2; a++)
		for (size_t b = 0; b < 3; b++) {
			const double d = total * p[3 * a + b] - y01[3 * a + b];
			loss += 0.5 * 0.7 * d * d;
			grad[3 * a + b] =
				0.7 * d + 0.2 * (mu[a] - y[a]) + 0.2 * (mu[2 + b] - y[2 + b]);
		}
	return loss;
}

/* Counts that contradict each other, one of them negative: the loss must come down to that of the
 * best joint table, found by 400,000 small exponentiated-gradient steps on all six cells. */
START_TEST(contradicting_counts_are_compromised_as_by_brute_force)
{
	static const size_t size[] = {2, 3};
	const double y[] = {70, 35, 40, 30, 20}, y01[] = {30, 25, 10, -4, 12, 25};
	const iso_measured set[] = {{.scope = {1, {0}}, .y = y, .weight = .2},
				    {.scope = {1, {1}}, .y = y + 2, .weight = .2},
				    {.scope = {2, {0, 1}}, .y = y01, .weight = .7}};
	const iso_graph_problem problem = {
		.nvar = 2, .cells = size, .set = set, .nset = 3, .total = 100, .iterations = 20000};
	double p[6], grad[6], best = INFINITY;
	iso_graph g;
	for (size_t i = 0; i < 6; i++)
		p[i] = 1.0 / 6;
	for (int t = 0; t < 400000; t++) {
		double sum = 0;
		best = fmin(best, joint_loss(p, 100, y, y01, grad));
		for (size_t i = 0; i < 6; i++)
			sum += p[i] *= exp(-2e-4 * grad[i]);
		for (size_t i = 0; i < 6; i++)
			p[i] /= sum;
	}
	tk_ok(iso_graph_fit(&problem, &g, &err));
	tk_assert_close(g.loss, best, 1e-4, 0);
	for (size_t i = 0; i < 6; i++)
		tk_assert_close(g.belief[i], 100 * p[i], 0, .2);
	iso_graph_free(&g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("graph");
	TCase *c = tcase_create("graph");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, marginals_are_those_of_the_joint_table);
	tcase_add_test(c, a_circle_is_triangulated);
	tcase_add_test(c, too_wide_a_clique_has_no_tree);
	tcase_add_test(c, draws_follow_the_law);
	tcase_add_test(c, two_measurements_give_their_weighted_mean);
	tcase_add_test(c, exact_counts_are_reproduced);
	tcase_add_test(c, contradicting_counts_are_compromised_as_by_brute_force);
	suite_add_tcase(s, c);
	return tk_run(s);
}
