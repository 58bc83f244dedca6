// SPDX-License-Identifier: Apache-2.0
/* Singling out: the attack makes statements ("age at least 71 and job = pilot") from the synthetic
 * rows; one succeeds when it holds of exactly one member (Giomi et al. 2023, section 4.1;
 * attacks.md section 4.3).  The control counts the same statements on as many non-members, so that
 * no correction for the number of rows is needed; the naive baseline are statements of as many
 * clauses with random columns, relations and values. */
#include <math.h>

#include "core/base/alloc.h"
#include "suites/referee/blank.h"

#define STATEMENTS 500

static iso_status deal(iso_game *g, const iso_attack *a, const void *options, iso_deal *d,
		       iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);

	(void)a;
	(void)options;
	d->n = STATEMENTS;
	d->predicate = iso_alloc(d->n, sizeof(*d->predicate));
	d->truth = iso_alloc(d->n, 1);
	if (!d->predicate || !d->truth)
		return iso_no_memory(err, "statements");
	ISO_TRY(iso_table_new(s->members->schema, d->n, &d->targets, err));
	for (size_t i = 0; i < d->n * s->members->schema->ncol; i++)
		d->targets->cells[i] = NAN;
	return ISO_OK;
}

static int clause_holds(const iso_clause *c, double x)
{
	switch (c->is) {
	case ISO_AT_MOST:
		return x <= c->value;
	case ISO_EQUALS:
		return x == c->value;
	case ISO_AT_LEAST:
		return x >= c->value;
	case ISO_IS_MISSING:
		return isnan(x);
	}
	return 0;
}

/* Does it hold of exactly one of the first n rows of t? */
static int singles_out(const iso_predicate *p, const iso_table *t, size_t n)
{
	size_t hits = 0;

	for (size_t r = 0; p->n && r < n && hits < 2; r++) {
		int holds = 1;

		for (size_t k = 0; k < p->n && holds; k++)
			holds = clause_holds(&p->clause[k],
					     iso_table_cell(t, r, p->clause[k].column));
		hits += (size_t)holds;
	}
	return hits == 1;
}

/* As many random clauses. */
static iso_predicate random_statement(const iso_schema *s, size_t clauses, iso_stream *coin)
{
	iso_predicate p = {.n = clauses};

	for (size_t k = 0; k < clauses; k++) {
		const iso_column *c;

		do {
			p.clause[k].column = (uint32_t)iso_next_below(coin, s->ncol);
			c = &s->column[p.clause[k].column];
		} while (iso_is_dropped(c) || c->type == ISO_PIXEL);
		if (iso_is_discrete(c)) {
			p.clause[k].is = ISO_EQUALS;
			p.clause[k].value = (double)iso_next_below(coin, c->ncategory);
		} else {
			p.clause[k].is = iso_next_below(coin, 2) ? ISO_AT_LEAST : ISO_AT_MOST;
			p.clause[k].value = c->lo + (c->hi - c->lo) * iso_next_u01(coin);
		}
	}
	return p;
}

static iso_status judge(const iso_game *g, const iso_deal *d, const iso_guess *guess, iso_play *p,
			iso_error *err)
{
	const iso_game_setup *s = iso_game_rules(g);
	const size_t members = s->members->n, others = s->nonmembers->n,
		     n = members < others ? members : others;
	iso_stream coin = iso_stream_new(iso_key_new(s->seed, "referee/singling-out"));
	double hits[3] = {0}, count[3] = {0};

	(void)guess;
	for (size_t i = 0; i < d->n; i++) {
		const iso_predicate *x = &d->predicate[i];
		iso_predicate naive;

		ISO_FAIL_IF(x->n > ISO_CLAUSES, err, ISO_E_PLUGIN,
			    "singling out: statement %zu has %zu clauses, at most %d", i, x->n,
			    ISO_CLAUSES);
		for (size_t k = 0; k < x->n; k++)
			ISO_FAIL_IF(x->clause[k].column >= s->members->schema->ncol, err,
				    ISO_E_PLUGIN, "singling out: statement %zu names column %u", i,
				    (unsigned)x->clause[k].column);
		if (!x->n)
			continue;
		naive = random_statement(s->members->schema, x->n, &coin);
		hits[0] += singles_out(x, s->members, n);
		hits[1] += singles_out(x, s->nonmembers, n);
		hits[2] += singles_out(&naive, s->members, n);
		for (int k = 0; k < 3; k++)
			count[k]++;
	}
	return iso_judge_risk(hits, count, &p->measures, err);
}

const iso_game_type iso_game_singling_out = {
	.goal = ISO_GOAL_SINGLING_OUT,
	.title = "Singling out",
	.control = 1,
	.outputs = iso_risk_outputs,
	.deal = deal,
	.judge = judge,
};
