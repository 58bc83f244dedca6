// SPDX-License-Identifier: Apache-2.0
/* The audit of one training. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "suites/flow/audit_claim.h"
#include "suites/flow/verify.h"

typedef struct guess {
	double score;
	int in;
	size_t at; /* number of the canary */
} guess;

/* Highest first; equal scores keep the order of the canaries. */
static int by_score(const void *a, const void *b)
{
	const guess *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* The table with the canaries whose coin says so. */
static iso_status deal(const iso_audit_request *r, const iso_table *canary, guess *g,
		       iso_table **out, iso_error *err)
{
	const iso_key coins = iso_key_new(r->seed, "audit/coins");
	uint32_t *row = iso_alloc(canary->n + 1, sizeof(*row));
	iso_table *in = NULL;
	size_t n = 0;
	iso_status st;

	if (!row)
		return iso_no_memory(err, "canaries");
	for (size_t i = 0; i < canary->n; i++) {
		g[i].in = iso_rand_u01(coins, i, 0) < 0.5;
		g[i].at = i;
		if (g[i].in)
			row[n++] = (uint32_t)i;
	}
	st = iso_table_select(canary, row, n, &in, err);
	if (st == ISO_OK)
		st = iso_table_concat(r->table, in, out, err);
	iso_table_free(in);
	iso_free(row);
	return st;
}

/* Mean distance of two rows: shares of the range, and 1 for another category. */
static double distance(const iso_table *a, size_t i, const iso_table *b, size_t k)
{
	const iso_schema *s = a->schema;
	double d = 0;

	for (size_t j = 0; j < s->ncol; j++) {
		const iso_column *c = &s->column[j];
		const double x = iso_table_cell(a, i, j), y = iso_table_cell(b, k, j);

		if (iso_is_dropped(c) || c->type == ISO_PIXEL)
			continue;
		if (isnan(x) || isnan(y))
			d += isnan(x) != isnan(y);
		else if (iso_is_discrete(c))
			d += x != y;
		else if (c->hi > c->lo)
			d += fabs(x - y) / (c->hi - c->lo);
	}
	for (size_t p = 0; p < s->npixel; p++)
		d += fabs((double)a->pixels[i * s->npixel + p] - b->pixels[k * s->npixel + p]) /
		     255;
	return d;
}

static iso_status by_distance(const iso_audit_request *r, const iso_training *t,
			      const iso_table *canary, double *score, iso_error *err)
{
	iso_table *rows;

	ISO_TRY(iso_training_sample(t, r->table->schema, r->seed, canary->n, &rows, err));
	for (size_t i = 0; i < canary->n; i++) {
		score[i] = -INFINITY;
		for (size_t k = 0; k < rows->n; k++) {
			const double d = -distance(canary, i, rows, k);

			if (d > score[i])
				score[i] = d;
		}
	}
	iso_table_free(rows);
	return ISO_OK;
}

static iso_status score_all(const iso_audit_request *r, const iso_training *t,
			    const iso_table *canary, guess *g, iso_error *err)
{
	double *score = iso_alloc(canary->n + 1, sizeof(*score));
	iso_status st = ISO_E_UNSUPPORTED;

	if (!score)
		return iso_no_memory(err, "scores of canaries");
	if (t->generator->score)
		st = t->generator->score(t->model, canary, score, err);
	if (st == ISO_E_UNSUPPORTED && t->generator->log_density)
		st = t->generator->log_density(t->model, canary, score, err);
	if (st == ISO_E_UNSUPPORTED) {
		iso_error_clear(err);
		st = by_distance(r, t, canary, score, err);
	}
	for (size_t i = 0; i < canary->n && st == ISO_OK; i++)
		g[i].score = isnan(score[i]) ? -INFINITY : score[i];
	iso_free(score);
	return st;
}

static void judge(const iso_audit_request *r, guess *g, iso_one_run_result *out)
{
	const size_t m = out->canaries, k = m / 10;

	qsort(g, m, sizeof(*g), by_score);
	out->guesses = 2 * k;
	out->right = 0;
	for (size_t i = 0; i < k; i++)
		out->right += (size_t)(g[i].in != 0) + (size_t)(g[m - 1 - i].in == 0);
	out->epsilon = iso_one_run_epsilon(m, out->guesses, out->right, r->delta, r->alpha);
	out->mu = iso_one_run_mu(m, out->guesses, out->right, r->alpha);
	out->gdp = iso_gdp_epsilon(out->mu, r->delta);
	out->violation = out->epsilon > (isfinite(out->accounted) ? out->accounted : r->epsilon);
}

iso_status iso_audit_one_run(const iso_audit_request *r, size_t canaries, iso_one_run_result *out,
			     iso_error *err)
{
	iso_table *canary = NULL, *table = NULL;
	iso_training t = {0};
	guess *g = iso_alloc(canaries + 1, sizeof(*g));
	iso_status st;

	*out = (iso_one_run_result){.canaries = canaries};
	if (!g)
		return iso_no_memory(err, "canaries");
	if (r->adjacency != ISO_ADD_REMOVE || canaries < 20)
		ISO_TRY_OUT(
			iso_fail(err, ISO_E_USAGE,
				 "one-run audit: it needs add-remove and at least 20 canaries"));
	ISO_TRY_OUT(iso_world_random(r->table, r->seed + 11, canaries, &canary, err));
	ISO_TRY_OUT(deal(r, canary, g, &table, err));
	const iso_training_request q = {.generator = r->generator,
					.options = r->options,
					.train = table,
					/* public: canaries that are left out count too */
					.n = r->table->n + canaries,
					.epsilon = r->epsilon,
					.delta = r->delta,
					.adjacency = r->adjacency,
					.accountant = r->accountant,
					.seed = r->seed};
	ISO_TRY_OUT(iso_train(&q, &t, err));
	ISO_TRY_OUT(score_all(r, &t, canary, g, err));
	ISO_TRY_OUT(iso_audit_accounted(r, &t, &out->accounted, err));
	judge(r, g, out);
out:
	iso_training_free(&t);
	iso_table_free(canary);
	iso_table_free(table);
	iso_free(g);
	return st;
}
