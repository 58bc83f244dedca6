// SPDX-License-Identifier: Apache-2.0
/* Game: singling-out.  Knowledge: NB.
 * Source: M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi, Anonymeter, PoPETs 2023 (attacks.md
 * section 4.3).
 *
 *     univariate     a value that occurs once in the synthetic table, its extremes, a lone missing
 *                    value
 *     multivariate   what a synthetic row looks like in some columns (numbers: at least, where the
 *                    value is above the column's median, else at most), kept when it holds of that
 *                    row alone
 */
#include <math.h>

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"
#include "core/math/stats.h"

#define TRIES 50 /* drawn for each statement that is kept */

enum { MULTIVARIATE, UNIVARIATE };
typedef struct opts {
	int variant;
	int64_t columns;
} opts;
static const iso_option options[] = {
	ISO_OPT_ENUM(opts, variant, "multivariate", "multivariate|univariate",
		     "statements about several columns, or about one"),
	ISO_OPT_INT(opts, columns, "4", 2, ISO_CLAUSES, "of a multivariate statement"),
	{0}};

/* Columns that statements can be about, and the medians of the synthetic numbers. */
typedef struct outline {
	uint32_t *column; /* owned [n] */
	double *median;	  /* owned [ncol] */
	size_t n;
} outline;

static void outline_free(outline *o)
{
	iso_free(o->column);
	iso_free(o->median);
}

static iso_status outline_new(const iso_table *s, outline *o, iso_error *err)
{
	const size_t ncol = s->schema->ncol;
	double *x = iso_alloc(s->n, sizeof(*x));

	*o = (outline){.column = iso_alloc(ncol, sizeof(*o->column)),
		       .median = iso_alloc(ncol, sizeof(*o->median))};
	if (!x || !o->column || !o->median) {
		iso_free(x);
		return iso_no_memory(err, "statements");
	}
	for (size_t c = 0; c < ncol; c++) {
		size_t n = 0;

		if (iso_is_dropped(&s->schema->column[c]) || s->schema->column[c].type == ISO_PIXEL)
			continue;
		o->column[o->n++] = (uint32_t)c;
		for (size_t r = 0; r < s->n; r++) {
			x[n] = iso_table_cell(s, r, c);
			n += !isnan(x[n]);
		}
		o->median[c] = n ? iso_quantile(x, n, 0.5) : 0;
	}
	iso_free(x);
	return ISO_OK;
}

static iso_clause clause_of(const iso_table *s, size_t r, uint32_t c, double median)
{
	const double x = iso_table_cell(s, r, c);

	if (isnan(x))
		return (iso_clause){c, ISO_IS_MISSING, 0};
	if (iso_is_discrete(&s->schema->column[c]))
		return (iso_clause){c, ISO_EQUALS, x};
	return (iso_clause){c, x > median ? ISO_AT_LEAST : ISO_AT_MOST, x};
}

static int holds(const iso_predicate *p, const iso_table *s, size_t r)
{
	for (size_t k = 0; k < p->n; k++) {
		const iso_clause *c = &p->clause[k];
		const double x = iso_table_cell(s, r, c->column);

		if (c->is == ISO_IS_MISSING ? !isnan(x)
		    : c->is == ISO_EQUALS   ? !(x == c->value)
		    : c->is == ISO_AT_LEAST ? !(x >= c->value)
					    : !(x <= c->value))
			return 0;
	}
	return 1;
}

static int holds_once(const iso_predicate *p, const iso_table *s)
{
	size_t hits = 0;

	for (size_t r = 0; r < s->n && hits < 2; r++)
		hits += (size_t)holds(p, s, r);
	return hits == 1;
}

static iso_predicate several(const iso_table *s, const outline *o, size_t want, iso_stream *draw)
{
	const size_t r = (size_t)iso_next_below(draw, s->n);
	iso_predicate p = {0};

	want = want < o->n ? want : o->n;
	while (p.n < want) {
		const uint32_t c = o->column[iso_next_below(draw, o->n)];
		size_t seen = 0;

		for (size_t k = 0; k < p.n; k++)
			seen += p.clause[k].column == c;
		if (!seen)
			p.clause[p.n++] = clause_of(s, r, c, o->median[c]);
	}
	return p;
}

static iso_predicate single(const iso_table *s, const outline *o, iso_stream *draw)
{
	const uint32_t c = o->column[iso_next_below(draw, o->n)];
	const size_t r = (size_t)iso_next_below(draw, s->n);
	const double x = iso_table_cell(s, r, c);
	iso_predicate p = {.n = 1, .clause = {clause_of(s, r, c, o->median[c])}};

	/* equality or a threshold, as the draw says; holds_once keeps unique values and extremes */
	if (!isnan(x) && iso_next_below(draw, 2))
		p.clause[0].is = ISO_EQUALS;
	return p;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	const size_t n = v->targets->n;
	iso_stream draw = iso_stream_new(iso_key_child(v->key, "statements", 0));
	outline line = {0};
	size_t kept = 0;
	iso_status st;

	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "singling-out", 2, err));
	ISO_FAIL_IF(!v->predicate, err, ISO_E_UNSUPPORTED,
		    "singling-out: nobody asked for statements");
	st = outline_new(v->synthetic, &line, err);
	for (size_t i = 0; st == ISO_OK && line.n && i < TRIES * n && kept < n; i++) {
		const iso_predicate p =
			o->variant == UNIVARIATE
				? single(v->synthetic, &line, &draw)
				: several(v->synthetic, &line, (size_t)o->columns, &draw);

		if (holds_once(&p, v->synthetic))
			v->predicate[kept++] = p;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (iso_guess){i < kept, 0};
	outline_free(&line);
	return st;
}

const iso_attack iso_attack_singling_out = {
	.abi = ISO_ATTACK_ABI,
	.name = "singling-out",
	.title = "Singling out by statements from synthetic rows",
	.citation = "M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi: A Unified Framework for "
		    "Quantifying Privacy Risk in Synthetic Data. PoPETs 2023. arXiv:2211.10459",
	.card = "Statements that hold of exactly one synthetic row are guessed to hold of exactly "
		"one training row. The risk compares members with as many non-members; the naive "
		"baseline are random statements. Deviation: the control has as many rows as the "
		"members, in place of a correction for their number.",
	.goal = ISO_GOAL_SINGLING_OUT,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
